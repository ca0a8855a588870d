"""VMM rows: resolves names to networks, and checks whether targets are available to clouds with protected machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asrnet.desired import DesiredState, VmmRow
from asrnet.desired.pairs import Pair
from asrnet.inventory.read import Inventory, Unknown
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.planning.view import VaultView
from asrnet.vmm import ServerNetwork, Topology, check_machines, check_row, check_topology, name_error

RETIRED = "2023-03-01"
"""When Microsoft retired replication from System Center VMM. Source: azure-deprecation/dashboard issues 37 and 38."""


def vmm_pairs(desired: DesiredState, inventory: Inventory) -> tuple[list[Pair], list[Finding]]:
    """The pairs of the VMM rows, and what is wrong with them.

    Raises InputError if a row names a server or network that the vault does not have or has more than once, or if two
    rows map the same VM network to the same place, one by name and one by id.
    """
    pairs: list[Pair] = []
    findings: list[Finding] = []
    for row in desired.vmm_pairs:
        vault = inventory.vaults.get(row.vault)
        if vault is None or vault.error:
            continue
        if isinstance(vault.topology, Unknown):
            message = f"the VMM servers could not be read: {vault.topology.error}"
            unknown = finding(FindingKind.UNKNOWN, message, vault=row.vault, pair=row.name, subject=str(row.primary))
            findings.append(unknown)
            continue
        pair = _pair(row, vault.topology, desired)
        pairs.append(pair)
        findings += check_row(vault.topology, row)
    _refuse_double_claims(pairs, inventory)
    return pairs, findings


def _pair(row: VmmRow, topology: Topology, desired: DesiredState) -> Pair:
    primary, primary_place = _network_and_place(topology.network(row.primary, row.source))
    if isinstance(row.recovery, ArmId):
        recovery, recovery_place = row.recovery, MICROSOFT_AZURE
    else:
        recovery, recovery_place = _network_and_place(topology.network(row.recovery, row.source))
    is_to_azure = recovery_place == MICROSOFT_AZURE
    return Pair(
        name=row.name,
        vault=row.vault,
        primary=primary,
        recovery=recovery,
        # Site Recovery has no kind of mapping that leads from Azure to a VM network.
        failback=not is_to_azure,
        managed_by=row.managed_by,
        source=row.source,
        kind="vmm_to_azure" if is_to_azure else "vmm_to_vmm",
        places=(primary_place, recovery_place),
        follow=desired.follows(row),
        release_addresses=desired.releases(row),
    )


def _network_and_place(server_network: ServerNetwork) -> tuple[ArmId, str]:
    network, fabric = server_network.network.id, server_network.server.fabric_id
    if network is None or fabric is None:
        raise ValueError(f"{server_network.network.name} was not read from a vault")
    return network, fabric.key


def _refuse_double_claims(pairs: Sequence[Pair], inventory: Inventory) -> None:
    """Refuse rows for the same network by name and by id. Loading the file refuses only equal names."""
    claims: dict[tuple[str, ArmId, str], Pair] = {}
    for pair in pairs:
        if pair.places is None or pair.recovery is None:
            continue
        mapped = [(pair.primary, pair.places[1])]
        if pair.failback:
            mapped.append((pair.recovery, pair.places[0]))
        for primary, place in mapped:
            other = claims.setdefault((pair.vault, primary, place), pair)
            if other is pair:
                continue
            topology = inventory.vaults[pair.vault].topology
            network = None if isinstance(topology, Unknown) else topology.network_by_id(primary)
            name = f"{network.server.name}/{network.network.name}" if network else str(primary)
            raise name_error(
                f"pairs '{other.name}' and '{pair.name}' both map {name} forward or in reverse; "
                f"the first is at {other.source}",
                pair.source,
            )


def vmm_findings(view: VaultView) -> Iterator[Finding]:
    """Problems in the topology of a vault's VMM servers, whoever manages their mappings."""
    topology, items = view.inventory.topology, view.inventory.items
    if isinstance(topology, Unknown):
        return
    yield from check_topology(topology, view.vault.name)
    if not isinstance(items, Unknown):
        yield from check_machines(topology, items, view.vault.name)


def retired_scenario(desired: DesiredState) -> Iterator[Finding]:
    """The warning that VMM replication is retired, once for each run."""
    if desired.vmm_pairs:
        yield finding(
            FindingKind.RETIRED_SCENARIO,
            f"Microsoft retired replication from System Center VMM on {RETIRED}: existing replication may still run, "
            "new replication cannot be set up",
        )
