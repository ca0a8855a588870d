"""Puts resources into a world without applying its rules, as its state before the first request."""

from __future__ import annotations

from msgspec.structs import replace

from asrnet.fake.mappings import lowered
from asrnet.fake.records import (
    CloudRecord,
    Host,
    RecoveryPlan,
    ReplicationPolicy,
    Site,
    SourceMachine,
    Subscription,
    VaultResource,
    VirtualMachine,
    VmNetworkRecord,
)
from asrnet.fake.state import State
from asrnet.fake.world import World
from asrnet.model.arm import AZURE_NETWORK, VNET, normal_location
from asrnet.model.azure import (
    CloudMapping,
    Fabric,
    Job,
    LogicalNetwork,
    NetworkInterface,
    NetworkMapping,
    NetworkSecurityGroup,
    ProtectedItem,
    ResourceGroup,
    RouteTable,
    UnreadableMapping,
    VirtualNetwork,
)

Seed = (
    Subscription
    | ResourceGroup
    | VirtualNetwork
    | NetworkSecurityGroup
    | RouteTable
    | NetworkInterface
    | VirtualMachine
    | VaultResource
    | ReplicationPolicy
    | Fabric
    | Site
    | SourceMachine
    | VmNetworkRecord
    | LogicalNetwork
    | CloudRecord
    | CloudMapping
    | Host
    | NetworkMapping
    | UnreadableMapping
    | ProtectedItem
    | RecoveryPlan
    | Job
)


def seed(world: World, *resources: Seed) -> None:
    """Put resources into a world. Each replaces the one with its id; no rule applies and no operation starts.

    The subscriptions and resource groups in their ids are created. Vaults must precede their fabrics, and fabrics their
    mappings and machines. A protected item creates its container and gets the locations of its fabrics. The network ids
    of Azure to Azure mappings become lower case, as the service returns them. The resources count as old, so that
    lagging lists contain them.
    """
    with world.state.lock:
        for resource in resources:
            _put(world.state, resource)
        world.state.past.forget()


def _put(state: State, resource: Seed) -> None:
    match resource:
        case Subscription(id=guid, name=name, tenant=tenant):
            state.subscriptions[guid.lower()] = replace(
                resource, id=guid.lower(), name=name or guid, tenant=tenant or state.tenant
            )
        case ResourceGroup():
            state.ensure_subscription(resource.id.subscription)
            state.groups.put(resource.id.subscription, resource.id.key, resource)
        case Fabric():
            vault = state.vault(resource.id)
            # As when it is created: its first fabric makes a vault known to Site Recovery.
            state.vaults.put(vault.id.subscription, vault.id.key, replace(vault, used=True))
            state.fabrics.put(vault.id.key, resource.id.key, resource)
        case Site(fabric_id=fabric_id):
            state.sites.put(fabric_id.parent.key, fabric_id.key, resource)
        case SourceMachine():
            state.source_machines.put(resource.id.parent.parent.key, resource.id.key, resource)
        case VmNetworkRecord(network=network):
            state.vm_networks.put(network.fabric_id.key, network.id.key, resource)
        case LogicalNetwork():
            state.logical_networks.put(resource.id.parent.key, resource.id.key, resource)
        case CloudRecord(cloud=cloud):
            state.clouds.put(cloud.id.parent.key, cloud.id.key, resource)
        case CloudMapping():
            state.cloud_mappings.put(resource.primary_cloud_id.parent.parent.key, resource.id.key, resource)
        case Host(host=host):
            state.hosts.put(resource.fabric_id.key, host.name.lower(), resource)
        case NetworkMapping():
            _put_mapping(state, resource)
        case UnreadableMapping():
            state.put_unreadable_mapping(resource)
        case ProtectedItem():
            state.put_item(resource)
        case ReplicationPolicy():
            state.policies.put(resource.id.parent.key, resource.id.key, resource)
        case RecoveryPlan():
            state.plans.put(resource.id.parent.key, resource.id.key, resource)
        case Job():
            state.jobs.put(resource.id.parent.key, resource.id.key, resource)
        case _:
            _put_regional(state, resource)


def _put_regional(
    state: State,
    resource: VirtualNetwork | NetworkSecurityGroup | RouteTable | NetworkInterface | VirtualMachine | VaultResource,
) -> None:
    resource = replace(resource, location=normal_location(resource.location))
    state.ensure_group(resource.id, resource.location)
    scope, key = resource.id.subscription, resource.id.key
    match resource:
        case VirtualNetwork():
            state.virtual_networks.put(scope, key, resource)
        case NetworkSecurityGroup():
            state.security_groups.put(scope, key, resource)
        case RouteTable():
            state.route_tables.put(scope, key, resource)
        case NetworkInterface():
            state.network_interfaces.put(scope, key, resource)
        case VirtualMachine():
            state.virtual_machines.put(scope, key, resource)
        case VaultResource():
            state.vaults.put(scope, key, resource)


def _put_mapping(state: State, mapping: NetworkMapping) -> None:
    for network_id in (mapping.primary_network_id, mapping.recovery_network_id):
        if network_id.type == VNET:
            state.ensure_group(network_id)
    if mapping.kind == "azure_to_azure":
        # The service returns one constant network segment and lower-case networks, whatever the client wrote.
        network_id = mapping.fabric_id.child("replicationNetworks", AZURE_NETWORK)
        mapping = replace(
            mapping,
            id=network_id.child("replicationNetworkMappings", mapping.name),
            primary_network_id=lowered(mapping.primary_network_id),
            recovery_network_id=lowered(mapping.recovery_network_id),
        )
    state.put_mapping(mapping)
