"""The ports of asrnet on a world: what the core sees when it runs against the fake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, TypeVar

from msgspec import structs

from asrnet.errors import ForbiddenError, NotFoundError, ServiceError, VaultUnusedError
from asrnet.fake.operations import Started, State
from asrnet.fake.paging import pages
from asrnet.fake.records import MappingRequest
from asrnet.fake.surroundings import FakeSurroundings
from asrnet.fake.world import World
from asrnet.model.arm import AZURE_NETWORK, ArmId
from asrnet.model.azure import (
    MICROSOFT_AZURE,
    Cloud,
    CloudMapping,
    Fabric,
    Job,
    LiveMapping,
    LogicalNetwork,
    NetworkMapping,
    ProtectedItem,
    VirtualNetwork,
    VmNetwork,
)
from asrnet.ports import Backend, Operation, OperationStatus, announce_request

V = TypeVar("V")

_WORDS_OF_ABSENCE: Final = ("DoesNotExist", "NotFound", "Missing")
_ABOVE_THE_VAULT: Final = frozenset({"ResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound"})
_NO_PATCH: Final = frozenset({400, 405})
_STATES: Final[Mapping[State, Literal["in_progress", "succeeded", "failed", "canceled"]]] = {
    "InProgress": "in_progress",
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Canceled": "canceled",
}


class _Door:
    """Counts and delays the requests of the ports as the wire would."""

    def __init__(self, world: World) -> None:
        self._world = world

    def request(self, method: str, path: ArmId | str) -> None:
        announce_request()
        latency = self._world.behaviour.latency
        if latency:
            self._world.clock.sleep(latency)
        self._world.count(method, str(path))

    def paged(self, path: str, values: Callable[[], tuple[V, ...]], *, size: int | None = None) -> Iterator[V]:
        """The elements of a list, page by page; a list that is refused costs a request too."""
        behaviour = self._world.behaviour
        self.request("GET", path)
        found = pages(values(), size or behaviour.page_size, empty_last=size is None and behaviour.empty_last_page)
        yield from next(found)
        for page in found:
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
        return OperationStatus(state=_STATES[started.state], error=error)


class FakeNetworks:
    """NetworkReader and NetworkWriter on a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._door = _Door(world)

    def virtual_networks(self, subscription: str) -> Iterable[VirtualNetwork]:
        """The networks of a subscription."""
        return self._door.paged(
            f"/subscriptions/{subscription}/providers/Microsoft.Network/virtualNetworks",
            lambda: tuple(map(_without_addresses, self._world.virtual_networks.list(subscription))),
            size=self._world.behaviour.network_page_size,
        )

    def virtual_network(self, network_id: ArmId, *, addresses: bool = False) -> VirtualNetwork | None:
        """One network, with ``addresses`` those in use by value; None when the answer is 404 ResourceNotFound."""
        self._door.request("GET", network_id)
        try:
            network = self._world.virtual_networks.get(network_id)
            return network if addresses else _without_addresses(network)
        except NotFoundError as error:
            if error.code == "ResourceNotFound":
                return None
            raise

    def create_virtual_network(self, network: VirtualNetwork) -> Operation | None:
        """Start creating a network."""
        self._door.request("PUT", network.id)
        return self._door.accepted(self._world.virtual_networks.put(network))

    def operation(self, operation: Operation) -> OperationStatus:
        """Where a network operation stands."""
        return self._door.status(operation)


class FakeSiteRecovery:
    """MappingReader, MappingWriter and VmmReader on a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._door = _Door(world)
        self._patch_works = True
        self._in_parts: set[str] = set()

    def vault_location(self, vault: ArmId) -> str:
        """The region of the vault itself."""
        self._door.request("GET", vault)
        return self._world.vaults.get(vault).location

    def fabrics(self, vault: ArmId) -> Iterable[Fabric]:
        """All fabrics of a vault."""
        return self._door.paged(f"{vault}/replicationFabrics", lambda: self._world.fabrics.list(vault))

    def mappings(self, vault: ArmId) -> Iterable[LiveMapping]:
        """All mappings of a vault; network by network where the roles do not allow the list of the whole vault."""

        def in_parts() -> Iterator[LiveMapping]:
            for fabric in self.fabrics(vault):
                for network_id in self._networks_of(fabric):
                    yield from self._mappings_of(network_id)

        path = f"{vault}/replicationNetworkMappings"
        return self._whole_or_in_parts(path, lambda: self._world.mappings.list_all(vault), in_parts)

    def mapping(self, mapping_id: ArmId) -> NetworkMapping | None:
        """One mapping; None where the answer is 404, or the 400 that the service has given instead.

        Raises ServiceError where it does not say what it maps.
        """
        self._door.request("GET", mapping_id)
        try:
            return self._world.mappings.get(mapping_id)
        except ServiceError as error:
            if _is_absent(error):
                return None
            raise

    def protected_items(self, vault: ArmId) -> Iterable[ProtectedItem]:
        """All replicated machines; container by container where the roles do not allow the list of the whole vault."""

        def in_parts() -> Iterator[ProtectedItem]:
            for fabric in self.fabrics(vault):
                for cloud in self.clouds(fabric.id):
                    yield from self._items_of(cloud.id)

        path = f"{vault}/replicationProtectedItems"
        return self._whole_or_in_parts(path, lambda: self._world.protected_items.list(vault), in_parts)

    def jobs(self, vault: ArmId, *, since: float | None = None, state: str | None = None) -> Iterable[Job]:
        """Jobs by start or state."""
        return self._door.paged(
            f"{vault}/replicationJobs", lambda: self._world.jobs.list(vault, since=since, state=state)
        )

    def create_fabric(self, fabric: Fabric) -> Operation | None:
        """Start creating an Azure fabric."""
        self._door.request("PUT", fabric.id)
        return self._door.accepted(self._world.fabrics.put(fabric.id, fabric.location or ""))

    def create_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start creating a mapping."""
        self._door.request("PUT", mapping.id)
        return self._door.accepted(self._world.mappings.put(mapping.id, request_of(mapping)))

    def update_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start pointing a mapping elsewhere: by PATCH, and by PUT where the service takes no PATCH (400 or 405)."""
        if not self._patch_works:
            return self.create_mapping(mapping)
        self._door.request("PATCH", mapping.id)
        try:
            return self._door.accepted(self._world.mappings.patch(mapping.id, request_of(mapping)))
        except ServiceError as error:
            if error.status not in _NO_PATCH or isinstance(error, VaultUnusedError):
                raise
        operation = self.create_mapping(mapping)
        self._patch_works = False
        return operation

    def delete_mapping(self, mapping_id: ArmId) -> Operation | None:
        """Start deleting a mapping; None where it is gone already."""
        self._door.request("DELETE", mapping_id)
        try:
            return self._door.accepted(self._world.mappings.delete(mapping_id))
        except ServiceError as error:
            if _is_absent(error):
                return None
            raise

    def operation(self, operation: Operation) -> OperationStatus:
        """Where a Site Recovery operation stands."""
        return self._door.status(operation)

    def vm_networks(self, fabric_id: ArmId) -> Iterable[VmNetwork]:
        """The VM networks of a VMM server."""
        records = self._door.paged(f"{fabric_id}/replicationNetworks", lambda: self._world.networks.list(fabric_id))
        return (record.network for record in records)

    def logical_networks(self, fabric_id: ArmId) -> Iterable[LogicalNetwork]:
        """The logical networks of a VMM server."""
        return self._door.paged(
            f"{fabric_id}/replicationLogicalNetworks", lambda: self._world.logical_networks.list(fabric_id)
        )

    def clouds(self, fabric_id: ArmId) -> Iterable[Cloud]:
        """The clouds of a VMM server."""
        path = f"{fabric_id}/replicationProtectionContainers"
        records = self._door.paged(path, lambda: self._world.containers.list(fabric_id))
        return (record.cloud for record in records)

    def cloud_mappings(self, vault: ArmId) -> Iterable[CloudMapping]:
        """Which cloud is protected by which; the containers of Azure regions are no clouds."""

        def in_parts() -> Iterator[CloudMapping]:
            for fabric in self.fabrics(vault):
                for cloud in self.clouds(fabric.id):
                    yield from self._mappings_of_cloud(cloud.id)

        path = f"{vault}/replicationProtectionContainerMappings"
        found = self._whole_or_in_parts(path, lambda: self._world.container_mappings.list(vault), in_parts)
        return (mapping for mapping in found if not self._world.container_mappings.of_azure(mapping))

    def _whole_or_in_parts(
        self, path: str, whole: Callable[[], tuple[V, ...]], in_parts: Callable[[], Iterator[V]]
    ) -> Iterator[V]:
        """``whole``, or ``in_parts()`` where that is forbidden; the refusal is remembered."""
        if path not in self._in_parts:
            try:
                yield from self._door.paged(path, whole)
            except ForbiddenError:
                self._in_parts.add(path)
            else:
                return
        yield from in_parts()

    def _networks_of(self, fabric: Fabric) -> Iterator[ArmId]:
        if fabric.kind == "azure":
            yield fabric.id.child("replicationNetworks", AZURE_NETWORK)
        elif fabric.kind == "vmm":
            yield from (network.id for network in self.vm_networks(fabric.id))

    def _mappings_of(self, network_id: ArmId) -> Iterator[LiveMapping]:
        return self._door.paged(
            f"{network_id}/replicationNetworkMappings", lambda: self._world.mappings.list_network(network_id)
        )

    def _mappings_of_cloud(self, cloud_id: ArmId) -> Iterator[CloudMapping]:
        path = f"{cloud_id}/replicationProtectionContainerMappings"
        return self._door.paged(path, lambda: self._world.container_mappings.list_container(cloud_id))

    def _items_of(self, container_id: ArmId) -> Iterator[ProtectedItem]:
        return self._door.paged(
            f"{container_id}/replicationProtectedItems",
            lambda: self._world.protected_items.list_container(container_id),
        )


def _without_addresses(network: VirtualNetwork) -> VirtualNetwork:
    if not any(subnet.used_ips for subnet in network.subnets):
        return network
    return structs.replace(network, subnets=tuple(structs.replace(subnet, used_ips=()) for subnet in network.subnets))


def _is_absent(error: ServiceError) -> bool:
    """Whether a GET or DELETE of a mapping was answered with: it does not exist, by 404 or by 400."""
    if isinstance(error, VaultUnusedError) or error.code in _ABOVE_THE_VAULT:
        return False
    if isinstance(error, NotFoundError):
        return True
    return error.status == 400 and error.code.endswith(_WORDS_OF_ABSENCE)  # noqa: PLR2004 - HTTP: bad request


def request_of(mapping: NetworkMapping) -> MappingRequest:
    """What a client sends to make this mapping."""
    fabric = mapping.recovery_fabric_id
    azure = mapping.kind == "azure_to_azure"
    return MappingRequest(
        kind=mapping.kind,
        recovery_network_id=mapping.recovery_network_id,
        recovery_fabric_name=MICROSOFT_AZURE if mapping.kind == "vmm_to_azure" else fabric.name if fabric else None,
        primary_network_id=mapping.primary_network_id if azure else None,
    )


def backend(world: World) -> Backend:
    """Everything a run needs, on a world. ``close`` does nothing: the world stays."""
    networks, site_recovery = FakeNetworks(world), FakeSiteRecovery(world)
    return Backend(
        networks=networks,
        network_writer=networks,
        mappings=site_recovery,
        mapping_writer=site_recovery,
        vmm=site_recovery,
        clock=world.clock,
        requests=lambda: _requests(world),
        identity=lambda: "nobody (fake)",
        tenant=lambda: world.tenant,
        surroundings=FakeSurroundings(world),
        close=lambda: None,
    )


def _requests(world: World) -> Mapping[str, int]:
    return {**world.journal.methods(), "retries": 0}
