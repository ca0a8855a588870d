"""Wording shared by the outputs for people: networks, pairs, counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from asrnet.errors import printable as printable  # noqa: PLC0414 - part of this module's vocabulary

if TYPE_CHECKING:
    from asrnet.model.arm import ArmId
    from asrnet.model.plan import Action, Change, ChangeKind, PairStatus, PairView

SYMBOLS: Final[Mapping[Action, str]] = {"create": "+", "update": "~", "delete": "-"}
NOUNS: Final[Mapping[ChangeKind, str]] = {
    "network_mapping": "mapping",
    "virtual_network": "network",
    "fabric": "fabric",
    "resource_group": "resource group",
    "protected_item": "machine",
}

WAITS: Final = ".."
"""The sign of what is due and was not begun, as opposed to ``!``, which needs somebody's attention."""

_WORST_FIRST: Final[tuple[PairStatus, ...]] = ("blocked", "update", "create", "external", "in_sync")
_PAIR_SYMBOLS: Final[Mapping[PairStatus, str]] = {
    "blocked": "!",
    "update": "~",
    "create": "+",
    "external": "=",
    "in_sync": "=",
}


def without_commands(text: str) -> str:
    """``text`` without lines that GitHub would take for workflow commands: it ignores blanks at their beginning."""
    return re.sub(r"^([ \t]*)::", r"\1\\x3a:", text, flags=re.MULTILINE) if "::" in text else text


def count(number: int, singular: str, plural: str = "") -> str:
    """``1 pair``, ``2 pairs``; give the ``plural`` unless it only adds an s."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def listed(parts: Iterable[str]) -> str:
    """``a, b and c``."""
    items = list(parts)
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def network(network_id: ArmId | None, location: str | None = None, name: str = "") -> str:
    """A network with its region, by its display name or else its resource name: ``hub-ea (eastasia)``."""
    if network_id is None:
        return "not known yet"
    return f"{name or network_id.name} ({location})" if location else name or network_id.name


def arrow(pair: PairView) -> str:
    """The arrow of a pair: both directions, or forward only."""
    return "<->" if pair.failback else "->"


def worst(pair: PairView) -> PairStatus:
    """The more urgent of the states of a pair's two directions."""
    return next(status for status in _WORST_FIRST if status in {pair.forward, pair.reverse})


def pair_symbol(pair: PairView) -> str:
    """``+`` create, ``~`` update, ``!`` blocked, ``=`` in sync or managed by another tool."""
    return _PAIR_SYMBOLS[worst(pair)]


def status(pair: PairView, state: PairStatus | None, changes: Iterable[Change | None] = ()) -> str:
    """The label of one direction's state; None stands for a direction that the pair does not declare.

    ``changes`` are those of the direction: an update may write a mapping again that leads where it should.
    """
    if state is None:
        return "not declared"
    if state == "external":
        return f"left to {pair.managed_by}"
    if state == "update" and any(change and change.keeps_target for change in changes):
        return "write again"
    return {"in_sync": "in sync", "create": "create", "update": "retarget", "blocked": "blocked"}[state]


def change_label(change: Change) -> str:
    """A change in short, with the sign of its action: ``+ network app-ea-asr``."""
    direction = f"{change.direction} " if change.direction in {"forward", "reverse"} else ""
    return f"{SYMBOLS[change.action]} {direction}{NOUNS[change.kind]} {change.name}"
