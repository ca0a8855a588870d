"""The mappings of the HTML report that belong to no declared pair: drawn where they were read, two opposites as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from asrnet.inventory.read import Inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping
from asrnet.model.findings import Finding
from asrnet.model.plan import Change
from asrnet.render.page_arrows import mapping_arrow
from asrnet.render.page_data import PageItem, page_change, page_finding
from asrnet.render.page_networks import Nodes
from asrnet.render.pair_status import Standings, outcome_of

STRAYS: Final[Mapping[str, str]] = {"delete": "to be deleted", "unmanaged": "unmanaged"}
"""How mappings stand that nobody declared, in words."""

_LABELS: Final[Mapping[str, str]] = {"unmanaged": "unmanaged", "orphan": "orphan", "zone_to_zone": "zone to zone"}


class Stray(Struct, frozen=True, kw_only=True):
    """One mapping, or two that are opposites, and what is said of them."""

    vault: str
    mappings: tuple[NetworkMapping, ...]
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]


def stray_mappings(stand: Standings, inventory: Inventory | None) -> tuple[Stray, ...]:
    """The mappings that findings and deletions are about; those of findings only where they were read."""
    groups: dict[tuple[str, frozenset[ArmId]], Stray] = {}
    for stray in (*_found(stand.findings, inventory), *_deleted(stand.changes)):
        (mapping,) = stray.mappings
        key = (stray.vault, frozenset((mapping.primary_network_id, mapping.recovery_network_id)))
        known = groups.get(key)
        groups[key] = _together(known, stray) if known else stray
    return tuple(groups.values())


def stray_item(stray: Stray, nodes: Nodes) -> PageItem:
    """The row of a stray."""
    first = stray.mappings[0]
    doomed = any(outcome_of(change) != "succeeded" for change in stray.changes)
    look = "old" if doomed else "stray"
    kind = stray.findings[0].kind if stray.findings else "unmanaged"
    return PageItem(
        name=", ".join(mapping.name for mapping in stray.mappings),
        vault=stray.vault,
        status="delete" if doomed else "unmanaged",
        label="to be deleted" if doomed else "deleted" if stray.changes else _LABELS.get(kind, kind),
        declared=False,
        primary=nodes.number(first.primary_network_id, first.primary_location),
        recovery=nodes.number(first.recovery_network_id, first.recovery_location),
        arrows=tuple(mapping_arrow(mapping, nodes, look) for mapping in stray.mappings if doomed or not stray.changes),
        findings=tuple(map(page_finding, stray.findings)),
        changes=tuple(map(page_change, stray.changes)),
    )


def _found(findings: Iterable[Finding], inventory: Inventory | None) -> Iterator[Stray]:
    vaults = inventory.vaults.values() if inventory else ()
    live = {str(mapping.id): mapping for vault in vaults for mapping in vault.mappings}
    for found in findings:
        if found.kind in _LABELS and found.vault and found.subject in live:
            yield Stray(vault=found.vault, mappings=(live[found.subject],), findings=(found,), changes=())


def _deleted(changes: Iterable[Change]) -> Iterator[Stray]:
    for change in changes:
        if change.action == "delete" and isinstance(change.before, NetworkMapping):
            yield Stray(vault=change.vault, mappings=(change.before,), findings=(), changes=(change,))


def _together(one: Stray, other: Stray) -> Stray:
    return Stray(
        vault=one.vault,
        mappings=one.mappings + other.mappings,
        findings=one.findings + other.findings,
        changes=one.changes + other.changes,
    )
