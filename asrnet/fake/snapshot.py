"""Builds a world from what was read from Azure, to plan and predict offline, for example during a regional outage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from asrnet import vmm
from asrnet.clocks import SystemClock
from asrnet.fake.records import CloudRecord, Host, Subscription, VaultResource, VmNetworkRecord
from asrnet.fake.seeding import Seed, seed
from asrnet.fake.state import TENANT
from asrnet.fake.world import World
from asrnet.inventory.read import Absent, Inventory, Unknown, VaultInventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
    MICROSOFT_AZURE,
    Cloud,
    CloudMapping,
    LogicalNetwork,
    NetworkInterface,
    ResourceGroup,
    VmmHost,
    VmNetwork,
)
from asrnet.vmm import Server, Topology, cloud_of


def world_of(inventory: Inventory, interfaces: Iterable[NetworkInterface], names: Mapping[str, str]) -> World:
    """The world from which ``inventory`` was read, with ``interfaces``; ``names`` are subscriptions' names by GUID.

    Whatever could not be read is missing (see ``unread``).
    """
    world = World(clock=SystemClock(), tenant=inventory.tenant or TENANT)
    seed(world, *(Subscription(id=guid, name=name) for guid, name in names.items()))
    seed(world, *inventory.networks.values(), *interfaces)
    for network_id, state in inventory.missing.items():
        # The resource group exists, but not the requested network in it.
        if isinstance(state, Absent) and not state.no_group:
            seed(world, ResourceGroup(id=network_id.parent, location="eastus"))
    for vault in inventory.vaults.values():
        if vault.error is None:
            seed(world, *_vault(vault))
    return world


def _vault(vault: VaultInventory) -> Iterator[Seed]:
    yield VaultResource(id=vault.id, location=vault.location or "unknown")
    yield from vault.fabrics
    if not isinstance(vault.topology, Unknown):
        yield from _topology(vault.topology)
    yield from vault.mappings
    yield from vault.unreadable
    yield from () if isinstance(vault.items, Unknown) else vault.items
    yield from () if isinstance(vault.running_jobs, Unknown) else vault.running_jobs


def _topology(topology: Topology) -> Iterator[Seed]:
    """The VMM servers, including what a topology file adds to the data of Site Recovery."""
    for server in topology.servers:
        if server.fabric_id:
            yield from _server(server, server.fabric_id)
    for server in topology.servers:
        for protection in server.protections:
            pair = topology.recovery_of(server, protection) if protection.recovery is not None else None
            primary = pair.protected if pair else cloud_of(server, protection.primary, protection.source)
            yield from _protected(primary, pair.protecting if pair else None)


def _server(server: Server, fabric_id: ArmId) -> Iterator[Seed]:
    for network in server.networks:
        if network.id:
            vm_network = VmNetwork(id=network.id, friendly_name=network.name, subnets=network.subnets)
            yield VmNetworkRecord(network=vm_network, logical_network=network.logical_network)
    for logical in server.logical_networks:
        # A logical network that occurs only in the topology file has no GUID.
        network_id = logical.id or fabric_id.child("replicationLogicalNetworks", logical.name)
        yield LogicalNetwork(id=network_id, friendly_name=logical.name)
    for cloud in server.clouds:
        if cloud.id:
            record = Cloud(id=cloud.id, friendly_name=cloud.name)
            yield CloudRecord(cloud=record, logical_networks=cloud.logical_networks)
    for host in server.hosts:
        yield Host(fabric_id=fabric_id, host=VmmHost(name=host.name, cloud=host.cloud, networks=host.networks))


def _protected(primary: vmm.Cloud, recovery: vmm.Cloud | None) -> Iterator[CloudMapping]:
    if primary.id is None:
        return
    name = recovery.name if recovery else MICROSOFT_AZURE
    yield CloudMapping(
        id=primary.id.child("replicationProtectionContainerMappings", f"{primary.name}-{name}"),
        primary_cloud_id=primary.id,
        recovery_cloud_id=recovery.id if recovery else None,
        recovery_cloud_name=name,
    )
