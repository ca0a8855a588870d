"""Models of Azure's resources, independent of the SDKs.

The names are Azure's own, in snake case. Locations are short names (``eastus``). The models are msgspec Structs because
forty frozen dataclasses take 50 ms at start-up and forty Structs take 1 ms.

``gc=False`` is set here and on other models of which there are hundreds of thousands. They hold no cycles, and the
garbage collector, which visits all objects whenever their number has grown by a quarter, took a third of the time of
large plans.
"""

# No "from __future__ import annotations" here: msgspec would have to compile each annotation at every start.

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from asrnet.model.arm import ArmId

MappingKind = Literal["azure_to_azure", "vmm_to_azure", "vmm_to_vmm"]
MappingIdentity = tuple[str, str, str]
"""Primary place, key of the primary network, recovery place. A place is a region, or the key of a VMM server's fabric.

Keys rather than ids, because dicts hash and compare strings without calling Python code.
"""

FabricKind = Literal["azure", "vmm", "other"]

MICROSOFT_AZURE = "Microsoft Azure"
"""The name under which Site Recovery knows Azure as the recovery side of an on-premises fabric."""

COPY_TAG = "asrnet-copy-of"
"""Set on every copy of a network to the id of its original, so that copies are never copied."""


class Subnet(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A subnet of a virtual network.

    ``used`` counts the addresses in use, as far as Azure reports them (as IP configurations); ``used_ips`` are those
    known by value. ``attachments`` name what a copy of the network leaves behind (security group, route table...).
    ``network_security_group`` and ``route_table`` are what a new subnet is attached to when it is created. None for a
    policy means that Azure did not say.
    """

    name: str
    prefixes: tuple[str, ...]
    used: int = 0
    used_ips: tuple[str, ...] = ()
    delegation: str | None = None
    default_outbound_access: bool | None = None
    private_endpoint_network_policies: str | None = None
    private_link_service_network_policies: str | None = None
    service_endpoints: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    network_security_group: ArmId | None = None
    route_table: ArmId | None = None


class Peering(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One side of a peering: what the network that has it allows. The remote network has the other side.

    ``network_id`` is the remote network, ``name`` the peering's own name, if Azure reports it. ``connected``: both
    sides exist, so that packets pass. ``allow_forwarded`` lets in what comes through the remote network from elsewhere.
    ``use_remote_gateways``: the remote network's gateway is used. Source: Create, change, or delete a virtual network
    peering.
    """

    network_id: ArmId
    name: str = ""
    connected: bool = True
    allow_forwarded: bool = False
    use_remote_gateways: bool = False


class VirtualNetwork(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="type", tag="virtual_network"
):
    """An Azure virtual network. ``gateway``: a VPN or ExpressRoute gateway is set up in it.

    ``registration_zone`` is the private DNS zone in which its machines are registered automatically. The network itself
    does not show it; see ``NetworkReader.registration_zones``.
    """

    id: ArmId
    location: str
    address_space: tuple[str, ...]
    subnets: tuple[Subnet, ...] = ()
    tags: Mapping[str, str] = {}
    dns_servers: tuple[str, ...] = ()
    gateway: bool = False
    peerings: tuple[Peering, ...] = ()
    registration_zone: ArmId | None = None
    extended_location: str | None = None
    attachments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The network's name."""
        return self.id.name


class NetworkSubnet(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="type", tag="subnet"):
    """A subnet that is added to an existing network. ``id`` is the subnet's."""

    id: ArmId
    subnet: Subnet

    @property
    def name(self) -> str:
        """The subnet's name."""
        return self.id.name

    @property
    def network_id(self) -> ArmId:
        """The network that it is added to."""
        return self.id.parent


class ResourceGroup(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="type", tag="resource_group"
):
    """A resource group. What is in it may be in another region than the group."""

    id: ArmId
    location: str
    tags: Mapping[str, str] = {}

    @property
    def name(self) -> str:
        """The group's name."""
        return self.id.name


class NetworkSecurityGroup(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A network security group. It can be attached to subnets and NICs of its own region and subscription only."""

    id: ArmId
    location: str


class RouteTable(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A route table. It can be attached to subnets of its own region and subscription only."""

    id: ArmId
    location: str


class InterfaceAddress(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """An IP configuration that a network interface has today. ``ip_type`` is ``Dynamic`` or ``Static``."""

    name: str = "ipconfig1"
    primary: bool = True
    network: ArmId | None = None
    subnet: str | None = None
    ip: str | None = None
    ip_type: str | None = None
    public_ip: ArmId | None = None
    load_balancer_pools: tuple[ArmId, ...] = ()
    inbound_nat_rules: tuple[ArmId, ...] = ()
    application_gateway_pools: tuple[ArmId, ...] = ()
    application_security_groups: tuple[ArmId, ...] = ()


class NetworkInterface(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A network interface of a machine as it is today, whatever Site Recovery knows of it."""

    id: ArmId
    location: str
    network_security_group: ArmId | None = None
    accelerated_networking: bool = False
    dns_servers: tuple[str, ...] = ()
    ip_configurations: tuple[InterfaceAddress, ...] = ()


class Fabric(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="type", tag="fabric"):
    """A Site Recovery fabric: a region of Azure in a vault, or a VMM server, named in ``friendly_name``."""

    id: ArmId
    kind: FabricKind
    location: str | None = None
    friendly_name: str = ""

    @property
    def name(self) -> str:
        """The fabric's resource name."""
        return self.id.name


class NetworkMapping(
    Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="type", tag="network_mapping"
):
    """A directed mapping: machines of the primary network land on the recovery network.

    For Azure to Azure both networks are virtual networks and both locations are known. For the VMM modes the primary
    (and for VMM to VMM the recovery) is a VM network under a VMM fabric, and locations are None.
    """

    id: ArmId
    kind: MappingKind
    primary_network_id: ArmId
    recovery_network_id: ArmId
    recovery_fabric_id: ArmId | None = None
    primary_location: str | None = None
    recovery_location: str | None = None
    state: str = "Paired"

    @property
    def name(self) -> str:
        """The mapping's resource name."""
        return self.id.name

    @property
    def fabric_id(self) -> ArmId:
        """The primary fabric, under which the mapping lives."""
        return self.id.parent.parent

    @property
    def vault_id(self) -> ArmId:
        """The vault the mapping lives in."""
        return self.id.parent.parent.parent

    @property
    def is_paired(self) -> bool:
        """Whether the mapping is in force. No state but Paired has been recorded."""
        return self.state.lower() == "paired"

    @property
    def identity(self) -> MappingIdentity:
        """What identifies a mapping: the networks and places it connects, and not its name."""
        if self.kind == "azure_to_azure":
            return (self.primary_location or "", self.primary_network_id.key, self.recovery_location or "")
        recovery = self.recovery_fabric_id if self.kind == "vmm_to_vmm" else None
        return (self.fabric_id.key, self.primary_network_id.key, recovery.key if recovery else MICROSOFT_AZURE)


class UnreadableMapping(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A mapping that exists but does not say what it maps. ``primary_network_id`` is set if it says at least that.

    It must not count as absent: its name is taken, and its network may already be mapped.
    """

    id: ArmId
    primary_network_id: ArmId | None = None

    @property
    def name(self) -> str:
        """The mapping's resource name."""
        return self.id.name

    @property
    def fabric_id(self) -> ArmId:
        """The primary fabric, under which the mapping lives."""
        return self.id.parent.parent

    @property
    def problem(self) -> str:
        """What is wrong with it, after its name."""
        return f"does not say which network {'it maps' if self.primary_network_id is None else 'it leads to'}"


LiveMapping = NetworkMapping | UnreadableMapping
"""An element of a list of mappings."""

Resource = NetworkMapping | VirtualNetwork | Fabric | ResourceGroup | NetworkSubnet


NOT_SELECTED = "NotSelected"
"""The selectionType of a NIC that is not failed over."""

Setting = str | bool | int | tuple[str | Mapping[str, str], ...] | Mapping[str, str]
"""A setting of a machine that asrnet passes on unchanged."""


class IpConfiguration(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One address of a NIC. ``ip_type`` is ``Dynamic`` or ``Static``; None is unknown or left to the service.

    ``recovery_*`` is what it gets in a failover, ``test_*`` in a test failover; None if the item does not say. An empty
    ``recovery_ip`` or ``test_ip`` occurs only in what is written: it releases the address.

    ``name`` is empty if the service gives none, as during re-protection. ``settings`` and ``unknown_members`` are
    like those of a Nic.
    """

    name: str = "ipconfig1"
    primary: bool = True
    subnet: str | None = None
    ip: str | None = None
    ip_type: str | None = None
    recovery_subnet: str | None = None
    recovery_ip: str | None = None
    recovery_public_ip: ArmId | None = None
    recovery_load_balancer_pools: tuple[ArmId, ...] = ()
    test_subnet: str | None = None
    test_ip: str | None = None
    selected_for_failover: bool = True
    settings: Mapping[str, Setting] = {}
    unknown_members: Mapping[str, str] = {}


class Nic(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A network interface of a protected item, with the item's own recovery settings if it has any.

    ``primary_network`` is the network's friendly name if Site Recovery gives no id, as for on-premises machines.
    ``selection`` is Site Recovery's selectionType (``SelectedByDefault``, ``SelectedByUserOverride``, ``NotSelected``),
    empty if it is not reported. ``unclear_recovery_network`` is the value given as its recovery network if that is not
    an id.

    ``id`` is Site Recovery's own (nicId), by which a PATCH names it. ``settings`` are values that asrnet passes on
    unchanged in a PATCH, by the PATCH member's name (``asrnet.model.machine_update``). ``unknown_members`` are the
    members of a GET that this version does not know, as JSON by name: nobody knows what a PATCH does to them.
    ``source_id`` is the network interface of the replicated machine, if the item has it.
    """

    name: str
    id: str = ""
    source_id: ArmId | None = None
    primary_network_id: ArmId | None = None
    primary_network: str = ""
    recovery_network_id: ArmId | None = None
    unclear_recovery_network: str = ""
    test_network_id: ArmId | None = None
    recovery_network_security_group: ArmId | None = None
    selection: str = ""
    ip_configurations: tuple[IpConfiguration, ...] = ()
    settings: Mapping[str, Setting] = {}
    unknown_members: Mapping[str, str] = {}


class ProtectedItem(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A replicated machine.

    ``state`` is Site Recovery's protectionState, ``active_location`` ``Primary`` or ``Recovery``, ``provider`` the
    instance type of its settings (``A2A``, ``HyperVReplicaAzure``...), ``scenario`` what runs on it now, if anything.

    ``recovery_network_id`` and ``test_network_id`` are the item's own, which count for a NIC that names none. Locations
    and zones are those of Azure to Azure: where the machine runs now (``primary_location``), where it fails over to,
    and where it ran when it was first protected (``initial_location``). ``nics`` is empty if the item does not report
    them, as during its initial replication.

    ``machine_id`` is the Azure machine that is replicated, ``recovery_group_id`` the resource group that it fails over
    to, ``recovery_container_id`` the container that protects it, by the policy ``policy_id``. ``settings`` are like
    those of a Nic.
    """

    id: ArmId
    friendly_name: str
    state: str = "Protected"
    active_location: str = "Primary"
    test_failover_state: str = "None"
    provider: str = "A2A"
    scenario: str = ""
    recovery_fabric_id: ArmId | None = None
    recovery_network_id: ArmId | None = None
    test_network_id: ArmId | None = None
    primary_location: str | None = None
    recovery_location: str | None = None
    initial_location: str | None = None
    primary_zone: str | None = None
    initial_zone: str | None = None
    machine_id: ArmId | None = None
    recovery_group_id: ArmId | None = None
    recovery_container_id: ArmId | None = None
    policy_id: ArmId | None = None
    is_cluster_member: bool = False
    is_confidential: bool = False
    nics: tuple[Nic, ...] = ()
    settings: Mapping[str, Setting] = {}

    @property
    def has_failed_over(self) -> bool:
        """Whether the machine has failed over and is not re-protected yet."""
        return self.active_location.lower() == "recovery"

    @property
    def is_reversed(self) -> bool:
        """Whether the machine was re-protected after a failover, and so runs in its original recovery region.

        Recorded: such an item lives in the recovery fabric's container, its activeLocation is ``Primary`` again, and
        only its initial fabric location differs from its current one; between zones of one region, its zone.
        """
        if self.initial_location and self.primary_location and self.initial_location != self.primary_location:
            return True
        return bool(self.initial_zone and self.primary_zone and self.initial_zone != self.primary_zone)

    @property
    def direction_unclear(self) -> bool:
        """Whether an Azure machine lacks one of the two locations that tell whether it was re-protected."""
        return self.provider == "A2A" and not (self.initial_location and self.primary_location)

    @property
    def fabric_id(self) -> ArmId:
        """The fabric the machine is protected in."""
        return self.id.parent.parent

    @property
    def vault_id(self) -> ArmId:
        """The vault that protects it."""
        return self.id.parent.parent.parent


END_STATES: Final[Mapping[str, Literal["succeeded", "failed", "canceled"]]] = {
    "succeeded": "succeeded",
    "completed": "succeeded",
    "completedwithinformation": "succeeded",
    # Not a failure: every write is read back before it counts as done, which shows what part of it succeeded.
    "partiallysucceeded": "succeeded",
    "failed": "failed",
    "timedout": "failed",
    "canceled": "canceled",
    "cancelled": "canceled",
    "aborted": "canceled",
}
"""The final states of operations and jobs, in lower case. In any other state, one is still under way.

Resource Manager documents Succeeded, Failed and Canceled for operations ("Track asynchronous Azure operations"). The
specification gives a Site Recovery job's state as text, with examples; the texts of its state descriptions are here
too. It is assumed that an operation may end in the state of a job: only Succeeded is recorded.
"""


class Job(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A Site Recovery job. Its name is the id of the operation that started it. Times are ISO 8601, or empty.

    ``target`` is the friendly name of the object that it works on, ``target_id`` that object's internal id.
    """

    id: ArmId
    scenario: str
    state: str
    start_time: str = ""
    end_time: str = ""
    target: str = ""
    target_id: str = ""
    errors: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The job's resource name."""
        return self.id.name

    @property
    def has_ended(self) -> bool:
        """Whether the job is over."""
        return self.state.lower() in END_STATES

    @property
    def has_succeeded(self) -> bool:
        """Whether the job did what it was to do."""
        return END_STATES.get(self.state.lower()) == "succeeded"


class VmNetwork(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A VM network under a VMM server. ``friendly_name`` is what people call it; the resource name is a GUID."""

    id: ArmId
    friendly_name: str
    subnets: tuple[Subnet, ...] = ()

    @property
    def fabric_id(self) -> ArmId:
        """The VMM server's fabric."""
        return self.id.parent


class LogicalNetwork(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A logical network of a VMM server."""

    id: ArmId
    friendly_name: str


class Cloud(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A VMM cloud (a protection container)."""

    id: ArmId
    friendly_name: str


class VmmHost(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A host of a VMM server: its cloud and the VM networks it reaches, by friendly names; None: not known."""

    name: str
    cloud: str
    networks: tuple[str, ...] | None = None


class VmmLinks(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Facts about a VMM server that Site Recovery does not report but a fake world may contain.

    ``networks`` has the logical network of each VM network, and ``clouds`` the logical networks of each cloud, by
    friendly names. Missing entries are not known.
    """

    networks: Mapping[ArmId, str] = {}
    clouds: Mapping[ArmId, tuple[str, ...]] = {}
    hosts: tuple[VmmHost, ...] = ()


class CloudMapping(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Which cloud protects which: machines of ``primary_cloud_id`` are replicated to ``recovery_cloud_id``.

    ``recovery_cloud_id`` is None if the recovery side is Azure. ``policy_id`` says how machines are replicated.
    """

    id: ArmId
    primary_cloud_id: ArmId
    recovery_cloud_id: ArmId | None = None
    recovery_cloud_name: str = ""
    policy_id: ArmId | None = None
