"""A JSON object on each line, for log collectors and stream tools: each has a ``type``, and the summary comes last.

The objects are the members of the document that ``-o json`` writes, in its order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from asrnet.failover import Prediction
from asrnet.model.plan import encode
from asrnet.render.json import escaped

if TYPE_CHECKING:
    from asrnet.model.plan import Plan
    from asrnet.render import View

_LISTS: Final = {
    "rules": "rule",
    "pairs": "pair",
    "machines": "machine",
    "findings": "finding",
    "changes": "change",
    "landings": "landing",
    "interfaces": "interface",
}


def render(document: Plan | Prediction, view: View) -> str:  # noqa: ARG001 - every format has this signature
    """``document`` line by line."""
    return "".join(f"{line}\n" for line in _lines(document))


def _lines(document: Struct) -> Iterator[str]:
    kind = "prediction" if isinstance(document, Prediction) else type(document).__name__.lower()
    names = document.__struct_fields__
    head = {name: getattr(document, name) for name in names if name not in _LISTS and name != "summary"}
    yield _line({"type": kind, **head})
    for name, singular in _LISTS.items():
        for element in getattr(document, name, ()):
            yield _line({"type": singular, **_members(element)})
    yield _line({"type": "summary", **_members(getattr(document, "summary"))})  # noqa: B009 - both documents have one


def _members(element: Struct) -> dict[str, Any]:
    return {name: getattr(element, name) for name in element.__struct_fields__}


def _line(value: dict[str, Any]) -> str:
    return escaped(msgspec.json.encode(value, enc_hook=encode).decode())
