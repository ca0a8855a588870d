"""The ports: everything that asrnet's core needs from Azure, and from time and threads.

The core calls nothing else outside. ``asrnet.azure`` implements the ports on the SDKs and ``asrnet.fake`` in memory;
the contract tests require the same behaviour of both. Methods raise only the errors of ``asrnet.errors``. Throttling
and transient faults are retried by the implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol, TypeVar

from msgspec import Struct

from asrnet.errors import AsrError
from asrnet.model.access import CloudView, ProviderView, Rights, SubscriptionView
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
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
    VirtualNetwork,
    VmmLinks,
    VmNetwork,
)

T = TypeVar("T")


class Operation(Struct, frozen=True, kw_only=True):
    """A write that Azure has accepted and not finished.

    ``id`` of a Site Recovery operation is the name of its job. ``status_url`` is signed: never logged, saved or shown.
    ``retry_after`` is in seconds. ``busy`` counts how often the service answered that it was busy before it accepted
    the write.
    """

    id: str
    resource_id: ArmId
    status_url: str
    retry_after: float = 0.0
    busy: int = 0
    correlation_id: str = ""

    def __repr__(self) -> str:
        return f"Operation(id={self.id!r}, resource_id={self.resource_id!r})"


class OperationStatus(Struct, frozen=True, kw_only=True):
    """The status of an operation. ``error`` is set if it failed, ``warning`` if Azure adds one to a success."""

    state: Literal["in_progress", "succeeded", "failed", "canceled"]
    error: AsrError | None = None
    warning: str = ""


class NetworkReader(Protocol):
    """Reads virtual networks. Resource Graph implements this port too."""

    def virtual_networks(self, subscription: str) -> Iterable[VirtualNetwork]:
        """The networks of a subscription. The list may lag or omit networks: only a GET proves absence.

        Addresses in use are only counted, not listed.
        """
        ...

    def virtual_network(self, network_id: ArmId, *, addresses: bool = False) -> VirtualNetwork | None:
        """One network; None only when Azure answers 404 ResourceNotFound. ``addresses``: list those in use.

        Raises ResourceGroupNotFoundError if its resource group does not exist.
        """
        ...

    def network_interfaces(self, subscription: str) -> Iterable[NetworkInterface]:
        """The network interfaces of a subscription. One that is missing may exist: the identity may not see it."""
        ...

    def registration_zones(self, subscriptions: Collection[str]) -> Mapping[ArmId, ArmId] | None:
        """For each network, the private DNS zone of ``subscriptions`` in which its machines are registered.

        None if this reader cannot tell: Resource Graph shows the zone, and Microsoft.Network has no operation for it.
        """
        ...

    def subnet_attachment(self, resource_id: ArmId) -> NetworkSecurityGroup | RouteTable | None:
        """The security group or route table with this id, or None if it does not exist."""
        ...

    def resource_group(self, group_id: ArmId) -> ResourceGroup | None:
        """A resource group; None if it does not exist."""
        ...


class NetworkWriter(Protocol):
    """Creates virtual networks. It has no update on purpose: a PUT on an existing network drops subnets."""

    def create_resource_group(self, group: ResourceGroup) -> Operation | None:
        """Create a resource group for copies, which Azure does at once. The service upserts."""
        ...

    def create_subnet(self, subnet: NetworkSubnet) -> Operation | None:
        """Start adding a subnet to an existing network. The service upserts."""
        ...

    def create_virtual_network(self, network: VirtualNetwork) -> Operation | None:
        """Start creating a network; None if Azure finished at once."""
        ...

    def operation(self, operation: Operation) -> OperationStatus:
        """The status of a network operation."""
        ...


class MappingReader(Protocol):
    """Reads a Recovery Services vault, as far as network mapping needs it."""

    def vault_location(self, vault: ArmId) -> str:
        """The region of the vault itself. Raises NotFoundError if there is no such vault."""
        ...

    def fabrics(self, vault: ArmId) -> Iterable[Fabric]:
        """All fabrics. Raises VaultUnusedError for a vault that Site Recovery does not know yet."""
        ...

    def mappings(self, vault: ArmId) -> Iterable[LiveMapping]:
        """All mappings of all fabrics, including those that do not say what they map.

        Raises VaultUnusedError for a vault that Site Recovery does not know yet.
        """
        ...

    def mapping(self, mapping_id: ArmId) -> NetworkMapping | None:
        """One mapping; None when it does not exist. Raises ServiceError if it does not say what it maps."""
        ...

    def protected_items(self, vault: ArmId) -> Iterable[ProtectedItem]:
        """All replicated machines of the vault."""
        ...

    def protected_item(self, item_id: ArmId) -> ProtectedItem | None:
        """One replicated machine; None when it does not exist.

        Raises NotFoundError if its vault, resource group or subscription is not found.
        """
        ...

    def jobs(self, vault: ArmId, *, since: float | None = None, state: str | None = None) -> Iterable[Job]:
        """Jobs started at or after ``since`` (seconds since 1970), or those in ``state`` (``InProgress``).

        One state at a time: the service's filter joins equalities by ``and`` only.
        """
        ...


class MappingWriter(Protocol):
    """Writes to a Recovery Services vault. A method returns None if Azure finished at once."""

    def create_fabric(self, fabric: Fabric) -> Operation | None:
        """Start creating an Azure fabric."""
        ...

    def create_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start creating a mapping: ``put_mapping`` under a name that the caller knows to be free."""
        ...

    def put_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start a PUT. The service upserts: an existing mapping of that name is replaced."""
        ...

    def patch_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start a PATCH that points an existing mapping at ``mapping.recovery_network_id``; nothing else is tried."""
        ...

    def delete_mapping(self, mapping_id: ArmId) -> Operation | None:
        """Start deleting a mapping; None if it does not exist.

        Raises NotFoundError if its vault, resource group or subscription is not found.
        """
        ...

    def update_item(self, item: ProtectedItem) -> Operation | None:
        """Start one PATCH that sets every network setting of a machine to its value in ``item``.

        The body has every setting in the table of ``model.machine_update`` that ``item`` has, and no nulls. Raises
        InputError for a machine of a provider that the table does not have.
        """
        ...

    def operation(self, operation: Operation) -> OperationStatus:
        """The status of a Site Recovery operation."""
        ...


class VmmReader(Protocol):
    """What VMM servers have reported to Site Recovery about their networks and clouds."""

    def vm_networks(self, fabric_id: ArmId) -> Iterable[VmNetwork]:
        """The VM networks of a VMM server."""
        ...

    def logical_networks(self, fabric_id: ArmId) -> Iterable[LogicalNetwork]:
        """The logical networks of a VMM server."""
        ...

    def clouds(self, fabric_id: ArmId) -> Iterable[Cloud]:
        """The clouds of a VMM server."""
        ...

    def cloud_mappings(self, vault: ArmId) -> Iterable[CloudMapping]:
        """Which cloud is protected by which, in the whole vault."""
        ...


class SiteRecoveryRequests(Protocol):
    """The raw requests to Site Recovery: each method is one request, or one list with all its pages.

    Backends implement this without decisions of their own: an error is raised as Azure answered it.
    ``asrnet.site_recovery.SiteRecovery`` implements MappingReader, MappingWriter and VmmReader on top. Lists cover a
    vault unless the method's name says otherwise.
    """

    def vault_location(self, vault: ArmId) -> str:
        """The region of the vault itself."""
        ...

    def fabrics(self, vault: ArmId) -> Iterable[Fabric]:
        """The fabrics of a vault."""
        ...

    def mappings(self, vault: ArmId) -> Iterable[LiveMapping]:
        """The mappings of a vault, in one list."""
        ...

    def mappings_of_network(self, network_id: ArmId) -> Iterable[LiveMapping]:
        """The mappings under one network of a fabric."""
        ...

    def mapping(self, mapping_id: ArmId) -> LiveMapping:
        """One mapping."""
        ...

    def protected_items(self, vault: ArmId) -> Iterable[ProtectedItem]:
        """The replicated machines of a vault, in one list."""
        ...

    def protected_items_of_container(self, container_id: ArmId) -> Iterable[ProtectedItem]:
        """The replicated machines of one container."""
        ...

    def protected_item(self, item_id: ArmId) -> ProtectedItem:
        """One replicated machine."""
        ...

    def jobs(self, vault: ArmId, *, since: float | None = None, state: str | None = None) -> Iterable[Job]:
        """The jobs of a vault that began at or after ``since``, or are in ``state``; perhaps others too."""
        ...

    def vm_networks(self, fabric_id: ArmId) -> Iterable[VmNetwork]:
        """The VM networks of a VMM server."""
        ...

    def logical_networks(self, fabric_id: ArmId) -> Iterable[LogicalNetwork]:
        """The logical networks of a VMM server."""
        ...

    def clouds(self, fabric_id: ArmId) -> Iterable[Cloud]:
        """The containers of a fabric: the clouds of a VMM server, or those of an Azure region."""
        ...

    def cloud_mappings(self, vault: ArmId) -> Iterable[CloudMapping]:
        """Which cloud is protected by which, in one list."""
        ...

    def cloud_mappings_of_container(self, container_id: ArmId) -> Iterable[CloudMapping]:
        """Which clouds protect one cloud."""
        ...

    def put_fabric(self, fabric: Fabric) -> Operation | None:
        """Start a PUT of an Azure fabric."""
        ...

    def put_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start a PUT of a mapping."""
        ...

    def patch_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start a PATCH of a mapping."""
        ...

    def delete_mapping(self, mapping_id: ArmId) -> Operation | None:
        """Start a DELETE of a mapping."""
        ...

    def update_item(self, item: ProtectedItem) -> Operation | None:
        """Start a PATCH of a replicated machine with all its settings."""
        ...

    def operation(self, operation: Operation) -> OperationStatus:
        """The status of a Site Recovery operation."""
        ...


class Surroundings(Protocol):
    """Reads what a run depends on besides networks and vaults."""

    @property
    def cloud(self) -> CloudView:
        """The cloud in use."""
        ...

    @property
    def api_versions(self) -> Mapping[str, str]:
        """The API version that is used for each resource type, such as ``Microsoft.RecoveryServices/vaults``."""
        ...

    def subscription(self, subscription: str) -> SubscriptionView:
        """A subscription. Raises NotFoundError, and CrossTenantError if it belongs to another tenant."""
        ...

    def regions(self, subscription: str) -> tuple[str, ...]:
        """The short names of the regions that Azure has for a subscription."""
        ...

    def provider(self, subscription: str, namespace: str) -> ProviderView:
        """A resource provider of a subscription."""
        ...

    def rights(self, scope: ArmId) -> tuple[Rights, ...]:
        """What each role that counts at ``scope`` allows this identity."""
        ...


class Clock(Protocol):
    """Time and concurrency, so that tests control both."""

    def now(self) -> float:
        """Seconds since 1970; never runs backwards within a run."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; ends early, raising InterruptedError, when the run is being stopped."""
        ...

    def start(self, call: Callable[[], T]) -> Future[T]:
        """Run ``call`` in parallel with the caller."""
        ...

    def wait(self, futures: Collection[Future[T]], timeout: float | None) -> None:
        """Return when at least one future is done, or after ``timeout`` seconds."""
        ...

    def stop(self) -> None:
        """End all current and later sleeps: the run is being stopped."""
        ...


_CALLS_BEFORE_SENDING: ContextVar[tuple[Callable[[], None], ...]] = ContextVar("asrnet_before_sending", default=())


@contextmanager
def before_sending(call: Callable[[], None]) -> Iterator[None]:
    """Inside the block, run ``call`` right before each request that this thread sends, every repeat included.

    An adapter announces a request only after everything slow: the SDK is imported, the token is acquired, and the rate
    limits have let the request pass. So whatever ``call`` reads is as fresh as possible when a write is sent. If it
    raises an error, the request is not sent. Blocks nest, and outer calls run first. Requests sent by a call itself
    trigger no calls.
    """
    outer = _CALLS_BEFORE_SENDING.set((*_CALLS_BEFORE_SENDING.get(), call))
    try:
        yield
    finally:
        _CALLS_BEFORE_SENDING.reset(outer)


def announce_request() -> None:
    """Run the calls of ``before_sending``. Adapters call this immediately before they send each request."""
    calls = _CALLS_BEFORE_SENDING.get()
    if not calls:
        return
    outer = _CALLS_BEFORE_SENDING.set(())
    try:
        for call in calls:
            call()
    finally:
        _CALLS_BEFORE_SENDING.reset(outer)


def no_vmm_links(fabric_id: ArmId) -> VmmLinks:  # noqa: ARG001 - the same for every server
    """No links: Azure reports none for a VMM server."""
    return VmmLinks()


def _prepare_nothing(kinds: Collection[str]) -> None:
    """The default of ``Backend.expect``: nothing has to be prepared."""


class Backend(Struct, frozen=True, kw_only=True):
    """All ports of a backend in one value.

    ``requests`` counts the requests sent so far, by method, and the ``retries`` among them. ``identity`` describes the
    signed-in identity, and ``tenant`` is its tenant (empty if the token does not name one). ``vmm_links`` has what a
    world's file says about a VMM server. ``expect`` announces the kinds of resources that will be written soon, so that
    slow preparations can run in the background. ``lists_may_lag`` is set if lists of networks may be behind Azure, as
    Resource Graph's are.
    """

    networks: NetworkReader
    network_writer: NetworkWriter
    mappings: MappingReader
    mapping_writer: MappingWriter
    vmm: VmmReader
    clock: Clock
    requests: Callable[[], Mapping[str, int]]
    identity: Callable[[], str]
    tenant: Callable[[], str]
    surroundings: Surroundings
    close: Callable[[], None]
    vmm_links: Callable[[ArmId], VmmLinks] = no_vmm_links
    expect: Callable[[Collection[str]], None] = _prepare_nothing
    lists_may_lag: bool = False
