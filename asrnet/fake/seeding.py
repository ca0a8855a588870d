"""Putting resources into a world past all rules: how it was before anybody asked."""

from __future__ import annotations

import msgspec

from asrnet.fake.mappings import lowered
from asrnet.fake.records import (
    CloudRecord,
    Host,
    ResourceGroup,
    Subscription,
    VaultResource,
    VirtualMachine,
    VmNetworkRecord,
)
from asrnet.fake.state import State
from asrnet.fake.world import World
from asrnet.model.arm import VNET, ArmId, normal_location
from asrnet.model.azure import (
    Cloud,
    CloudMapping,
    Fabric,
    Job,
    LogicalNetwork,
    NetworkMapping,
    ProtectedItem,
    UnreadableMapping,
    VirtualNetwork,
)

Seed = (
    Subscription
    | ResourceGroup
    | VirtualNetwork
    | VirtualMachine
    | VaultResource
    | Fabric
    | VmNetworkRecord
    | LogicalNetwork
    | CloudRecord
    | CloudMapping
    | Host
    | NetworkMapping
    | UnreadableMapping
    | ProtectedItem
    | Job
)


def seed(world: World, *resources: Seed) -> None:
    """Put resources as they are, each replacing what has its id; no rule is applied and no operation started.

    Subscriptions and resource groups that ids name come to exist. A fabric makes its vault known to Site Recovery, so
    vaults come before their fabrics, and fabrics before their mappings. A protected item makes its container exist.
    Mappings from Azure to Azure get their network ids in lower case, as the service gives them.
    """
    with world.state.lock:
        for resource in resources:
            _put(world.state, resource)


def _put(state: State, resource: Seed) -> None:
    match resource:
        case Subscription():
            state.subscriptions[resource.id.lower()] = resource
        case ResourceGroup():
            state.ensure_subscription(resource.id.subscription)
            state.groups.put(resource.id.subscription, resource.id.key, resource)
        case VirtualNetwork():
            resource = msgspec.structs.replace(resource, location=normal_location(resource.location))
            state.ensure_group(resource.id, resource.location)
            state.virtual_networks.put(resource.id.subscription, resource.id.key, resource)
        case VirtualMachine():
            state.ensure_group(resource.id, resource.location)
            state.virtual_machines.put(resource.id.subscription, resource.id.key, resource)
        case VaultResource():
            resource = msgspec.structs.replace(resource, location=normal_location(resource.location))
            state.ensure_group(resource.id, resource.location)
            state.vaults.put(resource.id.subscription, resource.id.key, resource)
        case Fabric():
            _put_fabric(state, resource)
        case NetworkMapping():
            _put_mapping(state, resource)
        case UnreadableMapping():
            state.put_unreadable_mapping(resource)
        case _:
            _put_below_fabric(state, resource)


def _put_below_fabric(
    state: State,
    resource: VmNetworkRecord | LogicalNetwork | CloudRecord | CloudMapping | Host | ProtectedItem | Job,
) -> None:
    match resource:
        case VmNetworkRecord():
            state.vm_networks.put(resource.network.fabric_id.key, resource.network.id.key, resource)
        case LogicalNetwork():
            state.logical_networks.put(resource.id.parent.key, resource.id.key, resource)
        case CloudRecord():
            state.clouds.put(resource.cloud.id.parent.key, resource.cloud.id.key, resource)
        case CloudMapping():
            state.cloud_mappings.put(resource.primary_cloud_id.parent.parent.key, resource.id.key, resource)
        case Host():
            state.hosts.put(resource.fabric_id.key, resource.name.lower(), resource)
        case ProtectedItem():
            _ensure_container(state, resource.id.parent)
            state.protected_items.put(resource.vault_id.key, resource.id.key, resource)
        case Job():
            state.jobs.put(resource.id.parent.key, resource.id.key, resource)


def _put_fabric(state: State, fabric: Fabric) -> None:
    vault = state.vault(fabric.id)
    state.vaults.put(vault.id.subscription, vault.id.key, msgspec.structs.replace(vault, used=True))
    state.fabrics.put(vault.id.key, fabric.id.key, fabric)


def _put_mapping(state: State, mapping: NetworkMapping) -> None:
    for network_id in (mapping.primary_network_id, mapping.recovery_network_id):
        if network_id.type == VNET:
            state.ensure_group(network_id)
    if mapping.kind == "azure_to_azure":
        mapping = msgspec.structs.replace(
            mapping,
            id=_usual(mapping.id),
            primary_network_id=lowered(mapping.primary_network_id),
            recovery_network_id=lowered(mapping.recovery_network_id),
        )
    state.put_mapping(mapping)


def _ensure_container(state: State, container_id: ArmId) -> None:
    if state.clouds.get(container_id.parent.key, container_id.key) is None:
        record = CloudRecord(cloud=Cloud(id=container_id, friendly_name=container_id.name))
        state.clouds.put(container_id.parent.key, container_id.key, record)


def _usual(mapping_id: ArmId) -> ArmId:
    """The id with the network segment that the service shows, whatever the client wrote there."""
    fabric_id = mapping_id.parent.parent
    return fabric_id.child("replicationNetworks", "azureNetwork", "replicationNetworkMappings", mapping_id.name)
