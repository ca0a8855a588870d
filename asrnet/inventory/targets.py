"""Which recovery VM networks are available to which clouds, in every vault that was read."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from asrnet.inventory.read import Inventory, Unknown, VaultInventory
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

    Networks are named by id, ``server/name`` or name alone. Raises InputError where there is none, or several.
    """
    topologies = dict(_topologies(inventory))
    everywhere = Topology(servers=tuple(server for one in topologies.values() for server in one.servers))
    here = everywhere.find_network(primary) if primary else None
    there = everywhere.find_network(recovery) if recovery else None
    return Targets(
        primary_network=_label(here),
        recovery_network=_label(there),
        vaults=tuple(
            VaultTargets(
                vault=name,
                servers=tuple(server.name for server in topology.servers),
                targets=targets_of(topology, primary=here, recovery=there),
            )
            for name, topology in topologies.items()
        ),
    )


def unread(inventory: Inventory) -> tuple[str, ...]:
    """The vaults and servers that could not be read, and why."""
    return tuple(problem for vault in inventory.vaults.values() for problem in _unread(vault))


def _topologies(inventory: Inventory) -> Iterator[tuple[str, Topology]]:
    for name, vault in inventory.vaults.items():
        if vault.error is None and not isinstance(vault.topology, Unknown):
            yield name, vault.topology


def _unread(vault: VaultInventory) -> Iterator[str]:
    if vault.error:
        yield f"vault {vault.name}: {vault.error}"
    if isinstance(vault.topology, Unknown):
        yield f"the VMM servers of vault {vault.name}: {vault.topology.error}"


def _label(found: ServerNetwork | None) -> str | None:
    return f"{found.server.name}/{found.network.name}" if found else None
