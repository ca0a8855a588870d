"""Shared wording of human-readable outputs: networks, pairs, counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from asrnet.errors import printable as printable  # noqa: PLC0414 - part of this module's vocabulary
from asrnet.model.arm import ArmId
from asrnet.model.plan import Action, Change, PairStatus, PairView

SYMBOLS: Final[Mapping[Action, str]] = {"create": "+", "update": "~", "delete": "-"}

_WORST_FIRST: Final[tuple[PairStatus, ...]] = ("blocked", "update", "create", "external", "in_sync")
_PAIR_SYMBOLS: Final[Mapping[PairStatus, str]] = {
    "blocked": "!",
    "update": "~",
    "create": "+",
    "external": "=",
    "in_sync": "=",
}


def count(number: int, one: str, many: str = "") -> str:
    """``1 pair``, ``2 pairs``; ``many`` where the plural takes more than an s."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(parts: Iterable[str]) -> str:
    """``a, b and c``."""
    items = list(parts)
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def network(network_id: ArmId | None, location: str | None = None, name: str = "") -> str:
    """A network by its display name or its short name, with its region: ``hub-ea (eastasia)``."""
    if network_id is None:
        return "not known yet"
    return f"{name or network_id.name} ({location})" if location else name or network_id.name


def arrow(pair: PairView) -> str:
    """The arrow of a pair: both directions, or forward only."""
    return "<->" if pair.failback else "->"


def worst(pair: PairView) -> PairStatus:
    """The more urgent of a pair's two states."""
    return next(status for status in _WORST_FIRST if status in {pair.forward, pair.reverse})


def pair_symbol(pair: PairView) -> str:
    """``+`` create, ``~`` update, ``!`` blocked, ``=`` in sync or managed by another tool."""
    return _PAIR_SYMBOLS[worst(pair)]


def status(pair: PairView, state: PairStatus | None) -> str:
    """One direction's state in words."""
    if state is None:
        return "none wanted"
    if state == "external":
        return f"left to {pair.managed_by}"
    return {"in_sync": "in sync", "create": "create", "update": "retarget", "blocked": "blocked"}[state]


def change_label(change: Change) -> str:
    """What a change does, to what: ``+ network app-ea-asr``."""
    kind = {
        "network_mapping": "mapping",
        "virtual_network": "network",
        "fabric": "fabric",
        "resource_group": "resource group",
    }[change.kind]
    direction = f"{change.direction} " if change.direction in {"forward", "reverse"} else ""
    return f"{SYMBOLS[change.action]} {direction}{kind} {change.name}"
