"""Live pairs as the data of the HTML report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from asrnet.inventory.live_pairs import LivePair, LivePairs, LiveStatus
from asrnet.model.findings import FindingKind
from asrnet.render.live_layout import live_summary
from asrnet.render.page_data import Page, PageArrow, PageFinding, PageItem, page_meanings
from asrnet.render.page_machines import MachinesByNetwork, machines_by_network, pair_machines
from asrnet.render.page_networks import Nodes, subnet_rows

if TYPE_CHECKING:
    from asrnet.render import View

_STATUSES: Final[Mapping[LiveStatus, tuple[str, str]]] = {
    "duplicate": ("blocked", "duplicate"),
    "not_paired": ("not_paired", "not paired"),
    "half": ("half", "half: no reverse"),
    "zone_to_zone": ("external", "zone to zone"),
    "single": ("in_sync", "one way: to Azure"),
    "shared": ("in_sync", "one way: fails back elsewhere"),
    "paired": ("in_sync", "paired"),
}
"""For each status of live pairs the page's status and its label."""


def live_page(live: LivePairs, view: View) -> Page:
    """The page of live pairs."""
    nodes = Nodes(view.run.inventory, {})
    machines = machines_by_network(view.run.inventory)
    items = tuple(_item(pair, machines, nodes) for pair in live.pairs)
    findings = tuple(
        PageFinding(kind=FindingKind.UNKNOWN, severity="error", message=problem, vault=vault.name)
        for vault in live.vaults
        for problem in (*([vault.error] if vault.error else []), *vault.unreadable)
    )
    return Page(
        kind="live",
        summary=live_summary(live),
        made=datetime.fromtimestamp(view.run.at, UTC).isoformat(timespec="seconds") if view.run.at is not None else "",
        statuses=tuple({status: label.partition(":")[0] for status, label in _STATUSES.values()}.items()),
        items=items,
        networks=nodes.all(),
        findings=findings,
        meanings=page_meanings([FindingKind.UNKNOWN] if findings else ()),
    )


def _item(pair: LivePair, machines: MachinesByNetwork, nodes: Nodes) -> PageItem:
    status, label = _STATUSES[pair.status]
    primary = nodes.number(pair.primary_network_id, pair.primary_location, pair.primary_network)
    recovery = nodes.number(pair.recovery_network_id, pair.recovery_location, pair.recovery_network)
    look = "broken" if status == "not_paired" else "held" if status == "blocked" else "live"
    directions = [(primary, recovery), *([(recovery, primary)] if pair.reverse else [])]
    ends = (nodes.network(pair.primary_network_id), nodes.network(pair.recovery_network_id))
    machines_of_pair = pair_machines(
        machines, pair.vault, pair.primary_network_id, pair.recovery_network_id, pair.recovery_location
    )
    return PageItem(
        name=pair.pair or pair.forward.name,
        vault=pair.vault,
        status=status,
        label=label,
        declared=pair.pair is not None,
        primary=primary,
        recovery=recovery,
        arrows=tuple(PageArrow(tail=tail, head=head, look=look) for tail, head in directions),
        forward=str(pair.forward),
        reverse=str(pair.reverse or ""),
        subnets=subnet_rows(*ends),
        machines=machines_of_pair,
        machines_away=max(pair.reversed_machines, sum(machine.away for machine in machines_of_pair)),
    )
