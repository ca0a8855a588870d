"""The arrows of the HTML report: declared and live mappings, with the state of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from asrnet.inventory.read import Inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping
from asrnet.model.plan import Change, PairView
from asrnet.render.page_data import PageArrow
from asrnet.render.page_networks import Nodes
from asrnet.render.pair_status import Direction, PairResult, outcome_of

_LOOKS: Final = {
    "in_sync": "live",
    "corrected": "live",
    "create": "new",
    "update": "new",
    "blocked": "blocked",
    "external": "absent",
    "failed": "failed",
}

Live = Mapping[tuple[str, ArmId], Sequence[NetworkMapping]]
"""The live mappings by the name of their vault and their primary network."""


def live_by_primary(inventory: Inventory | None) -> Live:
    """The live mappings of ``inventory`` by vault and primary network."""
    mappings: dict[tuple[str, ArmId], list[NetworkMapping]] = defaultdict(list)
    for vault in inventory.vaults.values() if inventory else ():
        for mapping in vault.mappings:
            mappings[vault.name, mapping.primary_network_id].append(mapping)
    return mappings


def pair_arrows(result: PairResult, live: Live, nodes: Nodes) -> tuple[PageArrow, ...]:
    """The arrows of a declared pair whose recovery network is known; mappings that a change removes come last."""
    arrows = [arrow for direction in result.directions for arrow in _wanted(result.pair, direction, live, nodes)]
    return (*arrows, *_replaced(result.changes, nodes, {(arrow.tail, arrow.head) for arrow in arrows}))


def _wanted(pair: PairView, direction: Direction, live: Live, nodes: Nodes) -> Iterator[PageArrow]:
    ends = [(pair.primary_network_id, pair.primary_location), (pair.recovery_network_id, pair.recovery_location)]
    (tail, _), (head, place) = ends if direction.way == "forward" else reversed(ends)
    assert tail is not None  # noqa: S101 - the caller has made sure that both are known
    assert head is not None  # noqa: S101 - the same
    look = _LOOKS[direction.state]
    existing = _there(live.get((pair.vault, tail), ()), place) if look in {"blocked", "absent"} else []
    for mapping in existing:
        mapping_look = "held" if look == "blocked" else "live" if mapping.recovery_network_id == head else "stray"
        yield PageArrow(
            tail=nodes.number(tail), head=nodes.number(mapping.recovery_network_id, place), look=mapping_look
        )
    if all(mapping.recovery_network_id != head for mapping in existing):
        broken = direction.state == "update" and direction.change is not None and direction.change.keeps_target
        yield PageArrow(tail=nodes.number(tail), head=nodes.number(head), look="broken" if broken else look)


def _there(mappings: Iterable[NetworkMapping], place: str | None) -> list[NetworkMapping]:
    return [mapping for mapping in mappings if place is None or mapping.recovery_location in {None, place}]


def _replaced(changes: Iterable[Change], nodes: Nodes, drawn: set[tuple[int, int]]) -> Iterator[PageArrow]:
    """The live mappings that a pending change replaces."""
    for step in (step for change in changes if outcome_of(change) != "succeeded" for step in change.steps):
        if isinstance(step.before, NetworkMapping):
            arrow = mapping_arrow(step.before, nodes, "old")
            if (arrow.tail, arrow.head) not in drawn:
                yield arrow


def mapping_arrow(mapping: NetworkMapping, nodes: Nodes, look: str) -> PageArrow:
    """The arrow of a live mapping."""
    tail = nodes.number(mapping.primary_network_id, mapping.primary_location)
    return PageArrow(tail=tail, head=nodes.number(mapping.recovery_network_id, mapping.recovery_location), look=look)
