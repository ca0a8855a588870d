"""VMM rows: names to networks, and whether a target is available where machines are protected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from asrnet.changes import Finding, finding
from asrnet.desired import DesiredState, VmmRow
from asrnet.ids import ArmId
from asrnet.inventory import Inventory, Unknown
from asrnet.models import MICROSOFT_AZURE
from asrnet.pairing import Pair
from asrnet.planning.view import VaultView
from asrnet.vmm import Found, Problem, Topology, check_machines, check_row, check_topology

RETIRED = "2023-03-01"
"""When Microsoft retired replication from System Center VMM."""


def vmm_pairs(desired: DesiredState, inventory: Inventory) -> tuple[list[Pair], list[Finding]]:
    """The pairs of the VMM rows, and what is wrong with them.

    Raises InputError where a row names a server or network that the vault does not have, or has several of.
    """
    pairs: list[Pair] = []
    findings: list[Finding] = []
    for row in desired.vmm_pairs:
        vault = inventory.vaults.get(row.vault)
        if vault is None or vault.error:
            continue
        if isinstance(vault.topology, Unknown):
            problem = f"the VMM servers could not be read: {vault.topology.error}"
            findings.append(finding("unknown", problem, vault=row.vault, pair=row.name, subject=str(row.primary)))
            continue
        pairs.append(_pair(row, vault.topology))
        findings += [_problem(problem, row) for problem in check_row(vault.topology, row)]
    return pairs, [*findings, *_conflicts(pairs)]


def _pair(row: VmmRow, topology: Topology) -> Pair:
    primary = topology.network(row.primary, row.source)
    if isinstance(row.recovery, ArmId):
        recovery, place = row.recovery, MICROSOFT_AZURE
    else:
        recovery, place = _ends(topology.network(row.recovery, row.source))
    primary_id, primary_place = _ends(primary)
    to_azure = place == MICROSOFT_AZURE
    return Pair(
        name=row.name,
        vault=row.vault,
        primary=primary_id,
        recovery=recovery,
        failback=not to_azure,
        managed_by=row.managed_by,
        source=row.source,
        kind="vmm_to_azure" if to_azure else "vmm_to_vmm",
        places=(primary_place, place),
    )


def _ends(found: Found) -> tuple[ArmId, str]:
    network, fabric = found.network.id, found.server.fabric_id
    if network is None or fabric is None:
        raise ValueError(f"{found.network.name} was not read from a vault")
    return network, fabric.key


def _problem(problem: Problem, row: VmmRow) -> Finding:
    return finding(
        problem.kind, problem.message, vault=row.vault, pair=row.name, subject=problem.subject, hint=problem.hint
    )


def _conflicts(pairs: Sequence[Pair]) -> Iterator[Finding]:
    """Two rows that map one VM network to the same place differently."""
    claims: dict[object, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.places and pair.recovery:
            claims[pair.vault, pair.primary, pair.places[1]].append(pair)
            if pair.failback:
                claims[pair.vault, pair.recovery, pair.places[0]].append(pair)
    for group in claims.values():
        names = ", ".join(f"{pair.name} ({pair.source})" for pair in group)
        for pair in group if len(group) > 1 else ():
            yield finding(
                "conflict",
                f"{names} are about the same VM network",
                vault=pair.vault,
                pair=pair.name,
                subject=pair.primary,
            )


def vmm_findings(view: VaultView) -> Iterator[Finding]:
    """What is wrong with the topology of a vault's VMM servers, whoever maps them."""
    topology, items = view.inventory.topology, view.inventory.items
    if isinstance(topology, Unknown):
        return
    machines = () if isinstance(items, Unknown) else check_machines(topology, items)
    for problem in (*check_topology(topology), *machines):
        yield finding(problem.kind, problem.message, vault=view.vault.name, subject=problem.subject, hint=problem.hint)


def retired_scenario(desired: DesiredState) -> Iterator[Finding]:
    """One word of warning for each run."""
    if desired.vmm_pairs:
        yield finding(
            "retired_scenario",
            f"Microsoft retired replication from System Center VMM on {RETIRED}: existing replication may still run, "
            "new replication cannot be set up",
        )
