"""Which recovery VM networks are available to which clouds, in every vault that was read."""

from __future__ import annotations

from msgspec import Struct

from asrnet.inventory.read import Inventory
from asrnet.model.plan import FORMAT_VERSION
from asrnet.vmm import ServerNetwork, Target, Topology
from asrnet.vmm import targets as targets_of


class VaultTargets(Struct, frozen=True, kw_only=True):
    """For each pair of clouds of a vault its target networks; ``servers`` are the VMM servers the vault has."""

    vault: str
    servers: tuple[str, ...]
    targets: tuple[Target, ...]


class Targets(Struct, frozen=True, kw_only=True):
    """The targets of every vault that could be read, and the names of the networks that were asked for."""

    format_version: str = FORMAT_VERSION
    primary_network: str | None = None
    recovery_network: str | None = None
    vaults: tuple[VaultTargets, ...]


def targets(inventory: Inventory, *, primary: str | None = None, recovery: str | None = None) -> Targets:
    """The targets of every vault; with ``primary`` only for clouds that use it, with ``recovery`` only that network.

    Networks are named by id, ``server/name`` or name alone. Raises InputError if there is none, or several.
    """
    topologies = {
        name: vault.topology
        for name, vault in inventory.vaults.items()
        if vault.error is None and isinstance(vault.topology, Topology)
    }
    everywhere = Topology(servers=tuple(server for topology in topologies.values() for server in topology.servers))
    primary_network = everywhere.find_network(primary) if primary else None
    recovery_network = everywhere.find_network(recovery) if recovery else None
    return Targets(
        primary_network=_label(primary_network),
        recovery_network=_label(recovery_network),
        vaults=tuple(
            VaultTargets(
                vault=name,
                servers=tuple(server.name for server in topology.servers),
                targets=targets_of(topology, primary=primary_network, recovery=recovery_network),
            )
            for name, topology in topologies.items()
        ),
    )


def _label(network: ServerNetwork | None) -> str | None:
    return f"{network.server.name}/{network.network.name}" if network else None
