"""The mappings in the HTML report that belong to no declared pair. Two opposite mappings make one item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from asrnet.inventory.read import Inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping
from asrnet.model.findings import Finding
from asrnet.model.plan import Change
from asrnet.render.page_arrows import mapping_arrow
from asrnet.render.page_data import PageItem, page_change, page_finding
from asrnet.render.page_machines import MachinesByNetwork, pair_machines
from asrnet.render.page_networks import Nodes
from asrnet.render.pair_status import PairResults, outcome_of

UNMANAGED_STATUSES: Final[Mapping[str, str]] = {"delete": "to be deleted", "unmanaged": "unmanaged"}
"""The label of each status of undeclared mappings."""

_LABELS: Final[Mapping[str, str]] = {"unmanaged": "unmanaged", "orphan": "orphan", "zone_to_zone": "zone to zone"}


class UnmanagedMappings(Struct, frozen=True, kw_only=True):
    """One mapping, or two opposite ones, with their findings and changes."""

    vault: str
    mappings: tuple[NetworkMapping, ...]
    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()


def unmanaged_mappings(results: PairResults, inventory: Inventory | None) -> tuple[UnmanagedMappings, ...]:
    """The undeclared mappings that findings or deletions are about; those of findings need an ``inventory``."""
    vaults = inventory.vaults.values() if inventory else ()
    live = {str(mapping.id): mapping for vault in vaults for mapping in vault.mappings}
    groups: dict[tuple[str, frozenset[ArmId]], UnmanagedMappings] = {}

    def add(vault: str, mapping: NetworkMapping, finding: tuple[Finding, ...], change: tuple[Change, ...]) -> None:
        key = (vault, frozenset((mapping.primary_network_id, mapping.recovery_network_id)))
        group = groups.get(key, UnmanagedMappings(vault=vault, mappings=()))
        groups[key] = UnmanagedMappings(
            vault=vault,
            mappings=(*group.mappings, mapping),
            findings=group.findings + finding,
            changes=group.changes + change,
        )

    for finding in results.findings:
        if finding.kind in _LABELS and finding.vault and finding.subject in live:
            add(finding.vault, live[finding.subject], (finding,), ())
    for change in results.changes:
        if change.action == "delete" and isinstance(change.before, NetworkMapping):
            add(change.vault, change.before, (), (change,))
    return tuple(groups.values())


def unmanaged_item(group: UnmanagedMappings, machines: MachinesByNetwork, nodes: Nodes) -> PageItem:
    """The item of the page for a group of unmanaged mappings."""
    first = group.mappings[0]
    is_pending = any(outcome_of(change) != "succeeded" for change in group.changes)
    look = "old" if is_pending else "stray"
    kind = group.findings[0].kind if group.findings else "unmanaged"
    machines_of_mappings = pair_machines(
        machines, group.vault, first.primary_network_id, first.recovery_network_id, first.recovery_location
    )
    return PageItem(
        name=", ".join(mapping.name for mapping in group.mappings),
        vault=group.vault,
        status="delete" if is_pending else "unmanaged",
        label="to be deleted" if is_pending else "deleted" if group.changes else _LABELS.get(kind, kind),
        declared=False,
        primary=nodes.number(first.primary_network_id, first.primary_location),
        recovery=nodes.number(first.recovery_network_id, first.recovery_location),
        arrows=tuple(
            mapping_arrow(mapping, nodes, look) for mapping in group.mappings if is_pending or not group.changes
        ),
        machines=machines_of_mappings,
        machines_away=sum(machine.away for machine in machines_of_mappings),
        findings=tuple(map(page_finding, group.findings)),
        changes=tuple(map(page_change, group.changes)),
    )
