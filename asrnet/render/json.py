"""JSON for programs: every field of the document, indented so that people can read and compare it line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from asrnet.model.plan import to_json

if TYPE_CHECKING:
    from asrnet.render import View


def render(document: Struct, view: View) -> str:  # noqa: ARG001 - every format has this signature
    """``document`` as JSON."""
    return as_json(document)


def as_json(value: Struct) -> str:
    """The indented JSON of any value."""
    return msgspec.json.format(to_json(value), indent=2).decode() + "\n"
