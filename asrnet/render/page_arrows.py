"""The arrows of the HTML report: declared and live mappings, with the state of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from asrnet.inventory.read import Inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping
from asrnet.model.plan import PairView
from asrnet.render.page_data import PageArrow
from asrnet.render.page_networks import Nodes
from asrnet.render.pair_status import MappingResult, PairResult, outcome_of

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
"""Live mappings by vault name and primary network."""


def live_by_primary(inventory: Inventory | None) -> Live:
    """The live mappings of ``inventory`` by vault and primary network."""
    mappings: dict[tuple[str, ArmId], list[NetworkMapping]] = defaultdict(list)
    for vault in inventory.vaults.values() if inventory else ():
        for mapping in vault.mappings:
            mappings[vault.name, mapping.primary_network_id].append(mapping)
    return mappings


def pair_arrows(result: PairResult, live: Live, nodes: Nodes) -> tuple[PageArrow, ...]:
    """The arrows of a declared pair with a known recovery network: its mappings, then those that a change replaces."""
    arrows = [arrow for mapping in result.mappings for arrow in _declared_arrows(result.pair, mapping, live, nodes)]
    drawn = {(arrow.tail, arrow.head) for arrow in arrows}
    for change in result.changes:
        for step in change.steps if outcome_of(change) != "succeeded" else ():
            if isinstance(step.before, NetworkMapping):
                replaced = mapping_arrow(step.before, nodes, "old")
                if (replaced.tail, replaced.head) not in drawn:
                    arrows.append(replaced)
    return tuple(arrows)


def _declared_arrows(pair: PairView, result: MappingResult, live: Live, nodes: Nodes) -> Iterator[PageArrow]:
    """The arrow of a declared mapping, and those of the live mappings in its place if apply cannot change them."""
    ends = [(pair.primary_network_id, pair.primary_location), (pair.recovery_network_id, pair.recovery_location)]
    (tail, _), (head, region) = ends if result.direction == "forward" else reversed(ends)
    assert tail is not None  # noqa: S101 - the caller has made sure that both are known
    assert head is not None  # noqa: S101 - the same
    look = _LOOKS[result.state]
    existing = [
        mapping
        for mapping in (live.get((pair.vault, tail), ()) if look in {"blocked", "absent"} else ())
        if region is None or mapping.recovery_location in {None, region}
    ]
    for mapping in existing:
        mapping_look = "held" if look == "blocked" else "live" if mapping.recovery_network_id == head else "stray"
        yield PageArrow(
            tail=nodes.number(tail), head=nodes.number(mapping.recovery_network_id, region), look=mapping_look
        )
    if all(mapping.recovery_network_id != head for mapping in existing):
        is_broken = result.state == "update" and result.change is not None and result.change.keeps_target
        yield PageArrow(tail=nodes.number(tail), head=nodes.number(head), look="broken" if is_broken else look)


def mapping_arrow(mapping: NetworkMapping, nodes: Nodes, look: str) -> PageArrow:
    """The arrow of a live mapping."""
    tail = nodes.number(mapping.primary_network_id, mapping.primary_location)
    return PageArrow(tail=tail, head=nodes.number(mapping.recovery_network_id, mapping.recovery_location), look=look)
