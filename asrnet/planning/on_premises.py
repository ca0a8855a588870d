"""VMM rows: names to networks, and whether a target is available where machines are protected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asrnet.desired import DesiredState, VmmRow
from asrnet.desired.pairs import Pair
from asrnet.inventory.read import Inventory, Unknown, VaultInventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.planning.view import VaultView
from asrnet.vmm import Found, Problem, Topology, check_machines, check_row, check_topology, refusal

RETIRED = "2023-03-01"
"""When Microsoft retired replication from System Center VMM."""


def vmm_pairs(desired: DesiredState, inventory: Inventory) -> tuple[list[Pair], list[Finding]]:
    """The pairs of the VMM rows, and what is wrong with them.

    Raises InputError where a row names a server or network that the vault does not have, or has several of, and where
    two rows turn out to map one VM network to the same place, one by its name and one by its id.
    """
    pairs: list[Pair] = []
    findings: list[Finding] = []
    for row in desired.vmm_pairs:
        vault = inventory.vaults.get(row.vault)
        if vault is None or vault.error:
            continue
        if isinstance(vault.topology, Unknown):
            problem = f"the VMM servers could not be read: {vault.topology.error}"
            findings.append(
                finding(FindingKind.UNKNOWN, problem, vault=row.vault, pair=row.name, subject=str(row.primary))
            )
            continue
        pairs.append(_pair(row, vault.topology))
        findings += [_problem(problem, row) for problem in check_row(vault.topology, row)]
    _refuse_two_of_one(pairs, inventory)
    return pairs, findings


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


def _refuse_two_of_one(pairs: Sequence[Pair], inventory: Inventory) -> None:
    """Rows that name one network alike are refused when the file is read; here ids are known too."""
    claims: dict[tuple[str, ArmId, str], Pair] = {}
    for pair in pairs:
        for primary, place in _mapped(pair):
            other = claims.setdefault((pair.vault, primary, place), pair)
            if other is not pair:
                raise refusal(
                    f"pairs '{other.name}' and '{pair.name}' both map {_name(primary, inventory.vaults[pair.vault])} "
                    f"forward or in reverse; the first is at {other.source}",
                    pair.source,
                )


def _name(network_id: ArmId, vault: VaultInventory) -> str:
    found = None if isinstance(vault.topology, Unknown) else vault.topology.network_by_id(network_id)
    return f"{found.server.name}/{found.network.name}" if found else str(network_id)


def _mapped(pair: Pair) -> Iterator[tuple[ArmId, str]]:
    """The primary network of each mapping of the pair, and where it leads."""
    if pair.places and pair.recovery:
        yield pair.primary, pair.places[1]
        if pair.failback:
            yield pair.recovery, pair.places[0]


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
            FindingKind.RETIRED_SCENARIO,
            f"Microsoft retired replication from System Center VMM on {RETIRED}: existing replication may still run, "
            "new replication cannot be set up",
        )
