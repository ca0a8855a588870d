"""asrnet's ports on top of a world, for runs against the fake."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final, Literal, TypeVar

from msgspec import structs

from asrnet.errors import NotFoundError
from asrnet.fake.operations import Started, State
from asrnet.fake.records import MappingRequest
from asrnet.fake.store import pages
from asrnet.fake.surroundings import FakeSurroundings
from asrnet.fake.world import World
from asrnet.model.arm import SECURITY_GROUP, ArmId
from asrnet.model.azure import (
    MICROSOFT_AZURE,
    Cloud,
    CloudMapping,
    Fabric,
    Job,
    LiveMapping,
    LogicalNetwork,
    NetworkInterface,
    NetworkMapping,
    NetworkSecurityGroup,
    NetworkSubnet,
    ProtectedItem,
    ResourceGroup,
    RouteTable,
    Subnet,
    VirtualNetwork,
    VmNetwork,
)
from asrnet.model.machine_update import update_body
from asrnet.ports import Backend, Operation, OperationStatus, announce_request
from asrnet.site_recovery import SiteRecovery

V = TypeVar("V")

_STATES: Final[Mapping[State, Literal["in_progress", "succeeded", "failed", "canceled"]]] = {
    "InProgress": "in_progress",
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Canceled": "canceled",
}


class _Requests:
    """Counts and delays the requests of the ports, as if they were sent."""

    def __init__(self, world: World) -> None:
        self._world = world

    def request(self, method: str, path: ArmId | str) -> None:
        announce_request()
        latency = self._world.behaviour.latency
        if latency:
            self._world.clock.sleep(latency)
        self._world.count(method, str(path))

    def paged(self, path: str, values: Callable[[], tuple[V, ...]], *, size: int | None = None) -> Iterator[V]:
        """The elements of a list, page by page. A refused list counts as one request, too."""
        behaviour = self._world.behaviour
        self.request("GET", path)
        remaining = pages(values(), size or behaviour.page_size, empty_last=size is None and behaviour.empty_last_page)
        yield from next(remaining)
        for page in remaining:
            self.request("GET", path)
            yield from page

    def accepted(self, started: Started | None) -> Operation | None:
        if started is None:
            return None
        scope = started.vault_id or ArmId(f"/subscriptions/{started.resource_id.subscription}")
        return Operation(
            id=started.id,
            resource_id=started.resource_id,
            status_url=f"{scope}/replicationOperationStatus/{started.id}",
            retry_after=self._world.behaviour.retry_after,
        )

    def status(self, operation: Operation) -> OperationStatus:
        scope = operation.resource_id.within("microsoft.recoveryservices/vaults")
        path = scope or ArmId(f"/subscriptions/{operation.resource_id.subscription}")
        self.request("GET", operation.status_url)
        started = self._world.operations.get(operation.id, scope=path)
        error = started.error if started.state in {"Failed", "Canceled"} else None
        warning = started.error.message if started.state == "Succeeded" and started.error else ""
        return OperationStatus(state=_STATES[started.state], error=error, warning=warning)


class FakeNetworks:
    """Implements NetworkReader and NetworkWriter on a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._requests = _Requests(world)

    def virtual_networks(self, subscription: str) -> Iterable[VirtualNetwork]:
        """The networks of a subscription."""
        return self._requests.paged(
            f"/subscriptions/{subscription}/providers/Microsoft.Network/virtualNetworks",
            lambda: tuple(map(_as_answered, self._world.virtual_networks.list(subscription))),
            size=self._world.behaviour.network_page_size,
        )

    def virtual_network(self, network_id: ArmId, *, addresses: bool = False) -> VirtualNetwork | None:
        """One network; ``addresses`` includes the addresses in use. None if the answer is 404 ResourceNotFound."""
        self._requests.request("GET", network_id)
        try:
            network = self._world.virtual_networks.get(network_id)
        except NotFoundError as error:
            if error.code == "ResourceNotFound":
                return None
            raise
        return _as_answered(network, addresses=addresses)

    def create_virtual_network(self, network: VirtualNetwork) -> Operation | None:
        """Start creating a network."""
        self._requests.request("PUT", network.id)
        return self._requests.accepted(self._world.virtual_networks.put(network))

    def network_interfaces(self, subscription: str) -> Iterable[NetworkInterface]:
        """The network interfaces of a subscription."""
        return self._requests.paged(
            f"/subscriptions/{subscription}/providers/Microsoft.Network/networkInterfaces",
            lambda: self._world.network_interfaces.list(subscription),
            size=self._world.behaviour.network_page_size,
        )

    def registration_zones(self, subscriptions: Collection[str]) -> Mapping[ArmId, ArmId]:
        """The private DNS zone in which each network registers its machines, according to the world file."""
        return {
            network.id: zone
            for network in self._world.state.virtual_networks
            if (zone := network.registration_zone) and zone.subscription in subscriptions
        }

    def subnet_attachment(self, resource_id: ArmId) -> NetworkSecurityGroup | RouteTable | None:
        """A network security group or route table; None if the answer is 404."""
        self._requests.request("GET", resource_id)
        try:
            world = self._world
            is_group = resource_id.type == SECURITY_GROUP
            return world.security_groups.get(resource_id) if is_group else world.route_tables.get(resource_id)
        except NotFoundError:
            return None

    def resource_group(self, group_id: ArmId) -> ResourceGroup | None:
        """A resource group; None if the answer is 404."""
        self._requests.request("GET", group_id)
        try:
            return self._world.subscriptions.resource_group(group_id)
        except NotFoundError:
            return None

    def create_resource_group(self, group: ResourceGroup) -> Operation | None:
        """Create a resource group, which takes effect at once."""
        self._requests.request("PUT", group.id)
        self._world.subscriptions.put_resource_group(group)
        return None

    def create_subnet(self, subnet: NetworkSubnet) -> Operation | None:
        """Start adding a subnet."""
        self._requests.request("PUT", subnet.id)
        return self._requests.accepted(self._world.virtual_networks.put_subnet(subnet.network_id, subnet.subnet))

    def operation(self, operation: Operation) -> OperationStatus:
        """The status of a network operation."""
        return self._requests.status(operation)


class FakeSiteRecovery:
    """Implements SiteRecoveryRequests on a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._requests = _Requests(world)

    def vault_location(self, vault: ArmId) -> str:
        """The region of the vault."""
        self._requests.request("GET", vault)
        return self._world.vaults.get(vault).location

    def fabrics(self, vault: ArmId) -> Iterable[Fabric]:
        """The fabrics of a vault."""
        return self._requests.paged(f"{vault}/replicationFabrics", lambda: self._world.fabrics.list(vault))

    def mappings(self, vault: ArmId) -> Iterable[LiveMapping]:
        """The mappings of a vault."""
        return self._requests.paged(f"{vault}/replicationNetworkMappings", lambda: self._world.mappings.list_all(vault))

    def mappings_of_network(self, network_id: ArmId) -> Iterable[LiveMapping]:
        """The mappings under one network of a fabric."""
        return self._requests.paged(
            f"{network_id}/replicationNetworkMappings", lambda: self._world.mappings.list_network(network_id)
        )

    def mapping(self, mapping_id: ArmId) -> LiveMapping:
        """One mapping."""
        self._requests.request("GET", mapping_id)
        return self._world.mappings.get(mapping_id)

    def protected_items(self, vault: ArmId) -> Iterable[ProtectedItem]:
        """The replicated machines of a vault."""
        path = f"{vault}/replicationProtectedItems"
        return self._requests.paged(path, lambda: self._world.protected_items.list(vault))

    def protected_items_of_container(self, container_id: ArmId) -> Iterable[ProtectedItem]:
        """The replicated machines of one container."""
        path = f"{container_id}/replicationProtectedItems"
        return self._requests.paged(path, lambda: self._world.protected_items.list_container(container_id))

    def protected_item(self, item_id: ArmId) -> ProtectedItem:
        """One replicated machine."""
        self._requests.request("GET", item_id)
        return self._world.protected_items.get(item_id)

    def jobs(self, vault: ArmId, *, since: float | None = None, state: str | None = None) -> Iterable[Job]:
        """The jobs of a vault in a state, or started since a time."""
        return self._requests.paged(
            f"{vault}/replicationJobs", lambda: self._world.jobs.list(vault, since=since, state=state)
        )

    def vm_networks(self, fabric_id: ArmId) -> Iterable[VmNetwork]:
        """The VM networks of a VMM server."""
        records = self._requests.paged(f"{fabric_id}/replicationNetworks", lambda: self._world.networks.list(fabric_id))
        return (record.network for record in records)

    def logical_networks(self, fabric_id: ArmId) -> Iterable[LogicalNetwork]:
        """The logical networks of a VMM server."""
        path = f"{fabric_id}/replicationLogicalNetworks"
        return self._requests.paged(path, lambda: self._world.logical_networks.list(fabric_id))

    def clouds(self, fabric_id: ArmId) -> Iterable[Cloud]:
        """The containers of a fabric."""
        path = f"{fabric_id}/replicationProtectionContainers"
        records = self._requests.paged(path, lambda: self._world.containers.list(fabric_id))
        return (record.cloud for record in records)

    def cloud_mappings(self, vault: ArmId) -> Iterable[CloudMapping]:
        """The mappings between clouds. Containers of Azure regions are not clouds."""
        path = f"{vault}/replicationProtectionContainerMappings"
        mappings = self._requests.paged(path, lambda: self._world.container_mappings.list(vault))
        return (mapping for mapping in mappings if not self._world.container_mappings.of_azure(mapping))

    def cloud_mappings_of_container(self, container_id: ArmId) -> Iterable[CloudMapping]:
        """The mappings of one cloud."""
        path = f"{container_id}/replicationProtectionContainerMappings"
        mappings = self._requests.paged(path, lambda: self._world.container_mappings.list_container(container_id))
        return (mapping for mapping in mappings if not self._world.container_mappings.of_azure(mapping))

    def put_fabric(self, fabric: Fabric) -> Operation | None:
        """Start creating an Azure fabric."""
        self._requests.request("PUT", fabric.id)
        return self._requests.accepted(self._world.fabrics.put(fabric.id, fabric.location or ""))

    def put_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start creating a mapping, or updating the existing one of that name."""
        self._requests.request("PUT", mapping.id)
        return self._requests.accepted(self._world.mappings.put(mapping.id, request_of(mapping)))

    def patch_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start updating a mapping."""
        self._requests.request("PATCH", mapping.id)
        return self._requests.accepted(self._world.mappings.patch(mapping.id, request_of(mapping)))

    def delete_mapping(self, mapping_id: ArmId) -> Operation | None:
        """Start deleting a mapping."""
        self._requests.request("DELETE", mapping_id)
        return self._requests.accepted(self._world.mappings.delete(mapping_id))

    def update_item(self, item: ProtectedItem) -> Operation | None:
        """Start updating all network settings of a machine."""
        self._requests.request("PATCH", item.id)
        properties = update_body(item)["properties"]
        return self._requests.accepted(self._world.protected_items.update(item.id, properties))

    def operation(self, operation: Operation) -> OperationStatus:
        """The status of a Site Recovery operation."""
        return self._requests.status(operation)


def _as_answered(network: VirtualNetwork, *, addresses: bool = False) -> VirtualNetwork:
    """The network as Azure returns it: attachments by name and by id, and on request the addresses in use."""
    # Lists have thousands of networks, most of which are returned as stored.
    is_plain = not any(
        subnet.used_ips or subnet.attachments or subnet.network_security_group or subnet.route_table
        for subnet in network.subnets
    )
    if is_plain and not network.peerings and not network.registration_zone:
        return network
    named = tuple(
        structs.replace(peering, name=peering.name or peering.network_id.name) for peering in network.peerings
    )
    peerings = tuple(f"peering {peering.name}" for peering in named)
    return structs.replace(
        network,
        peerings=named,
        registration_zone=None,
        subnets=tuple(_subnet_as_answered(network.id, subnet, addresses=addresses) for subnet in network.subnets),
        attachments=(*peerings, *(word for word in network.attachments if word not in peerings)),
    )


def _subnet_as_answered(network_id: ArmId, subnet: Subnet, *, addresses: bool) -> Subnet:
    attachments = list(subnet.attachments)
    ids: dict[str, ArmId | None] = {}
    for word, collection, attached_id in (
        ("route table", "routeTables", subnet.route_table),
        ("network security group", "networkSecurityGroups", subnet.network_security_group),
    ):
        names = [text.removeprefix(f"{word} ") for text in attachments if text.startswith(f"{word} ")]
        ids[word] = attached_id
        if attached_id and not names:
            attachments.insert(0, f"{word} {attached_id.name}")
        elif names and not attached_id:
            # A world may name an attachment without its id; it is then in the network's own resource group.
            ids[word] = ArmId(f"{network_id.parent}/providers/Microsoft.Network/{collection}/{names[0]}")
    return structs.replace(
        subnet,
        used_ips=subnet.used_ips if addresses else (),
        attachments=tuple(attachments),
        network_security_group=ids["network security group"],
        route_table=ids["route table"],
    )


def request_of(mapping: NetworkMapping) -> MappingRequest:
    """The request with which a client creates this mapping."""
    fabric = mapping.recovery_fabric_id
    azure = mapping.kind == "azure_to_azure"
    return MappingRequest(
        kind=mapping.kind,
        recovery_network_id=mapping.recovery_network_id,
        recovery_fabric_name=MICROSOFT_AZURE if mapping.kind == "vmm_to_azure" else fabric.name if fabric else None,
        primary_network_id=mapping.primary_network_id if azure else None,
    )


def backend(world: World) -> Backend:
    """A backend on a world, with everything that a run needs. ``close`` does nothing: the world remains."""
    networks, site_recovery = FakeNetworks(world), SiteRecovery(FakeSiteRecovery(world))
    return Backend(
        networks=networks,
        network_writer=networks,
        mappings=site_recovery,
        mapping_writer=site_recovery,
        vmm=site_recovery,
        clock=world.clock,
        requests=lambda: {**world.journal.methods(), "retries": 0},
        identity=lambda: "nobody (fake)",
        tenant=lambda: world.tenant,
        surroundings=FakeSurroundings(world),
        close=lambda: None,
    )
