"""The records of a world in addition to ``asrnet.model.azure``."""

# No "from __future__ import annotations" here: msgspec would have to compile each annotation at every start.

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from asrnet.model.arm import ArmId
from asrnet.model.azure import Cloud, MappingKind, Nic, Setting, VmmHost, VmNetwork

SiteKind = Literal["HyperVSite", "InMageRcm", "VMware", "VMwareV2"]
"""The instance types of sites: Hyper-V without VMM, VMware with the modernized and with the older appliances."""


OnPremisesProvider = Literal["HyperVReplicaAzure", "InMageRcm"]


class Subscription(Struct, frozen=True, kw_only=True):
    """A subscription; ``id`` is its GUID. Without a ``tenant``, it is in the world's tenant.

    ``managed_by`` lists the tenants to which it is delegated (Azure Lighthouse).
    """

    id: str
    name: str = ""
    tenant: str = ""
    managed_by: tuple[str, ...] = ()


class VaultResource(Struct, frozen=True, kw_only=True):
    """A Recovery Services vault. ``used``: a fabric has been created in it at some time."""

    id: ArmId
    location: str
    used: bool = False
    tags: Mapping[str, str] = {}


class VmNetworkRecord(Struct, frozen=True, kw_only=True):
    """A VM network and the friendly name of the logical network behind it."""

    network: VmNetwork
    logical_network: str | None = None


class CloudRecord(Struct, frozen=True, kw_only=True):
    """A cloud and the friendly names of its logical networks; None if they are not known."""

    cloud: Cloud
    logical_networks: tuple[str, ...] | None = None


class Host(Struct, frozen=True, kw_only=True):
    """A host of the VMM server behind ``fabric_id``."""

    fabric_id: ArmId
    host: VmmHost


class Site(Struct, frozen=True, kw_only=True):
    """The on-premises site behind a fabric that is neither an Azure region nor a VMM server."""

    fabric_id: ArmId
    kind: SiteKind


class SourceMachine(Struct, frozen=True, kw_only=True):
    """A machine on premises that can be protected. ``id`` is the id of its protectable item, below its container."""

    id: ArmId
    friendly_name: str
    nics: tuple[Nic, ...] = ()


class VirtualMachine(Struct, frozen=True, kw_only=True):
    """An Azure machine that can be protected; ``zone`` is its availability zone, if it has one."""

    id: ArmId
    location: str
    zone: str | None = None
    nics: tuple[Nic, ...] = ()
    tags: Mapping[str, str] = {}


class ReplicationPolicy(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often machines are replicated. ``provider`` is the instance type of its settings; times are in minutes."""

    id: ArmId
    provider: str = "A2A"
    recovery_point_history: int = 0
    app_consistent_frequency: int = 0
    crash_consistent_frequency: int = 5
    multi_vm_sync: bool = True


class PlanAction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A step of a recovery plan besides its machines. A ``manual`` one suspends the job until the job is resumed.

    ``failover_types`` are the operations that include it.
    """

    name: str
    manual: bool = True
    failover_types: tuple[str, ...] = ("TestFailover", "PlannedFailover", "UnplannedFailover")
    description: str = ""


class PlanGroup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Machines of a recovery plan that fail over together, and the actions before and after them."""

    kind: Literal["Shutdown", "Failover", "Boot"] = "Boot"
    items: tuple[ArmId, ...] = ()
    start_actions: tuple[PlanAction, ...] = ()
    end_actions: tuple[PlanAction, ...] = ()


class RecoveryPlan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A recovery plan: groups of machines that fail over one after another."""

    id: ArmId
    primary_fabric_id: ArmId
    recovery_fabric_id: ArmId
    groups: tuple[PlanGroup, ...] = ()


class MappingRequest(Struct, frozen=True, kw_only=True):
    """The body of a PUT or PATCH of a mapping. Members that are None were not sent."""

    recovery_network_id: ArmId | None = None
    recovery_fabric_name: str | None = None
    kind: MappingKind | None = None
    primary_network_id: ArmId | None = None


class EnableRequest(Struct, frozen=True, kw_only=True):
    """A request to replicate an Azure machine.

    ``recovery_network_id`` chooses an existing network, ``new_network_id`` asks for a new one. Without either, the
    mapping decides, and without a mapping the network is the ``-asr`` copy. The machine fails over to
    ``recovery_resource_group_id``, if the request has one, and is replicated by ``policy_id``. ``settings`` are those
    of ProtectedItem.
    """

    machine_id: ArmId
    recovery_container_id: ArmId
    recovery_network_id: ArmId | None = None
    new_network_id: ArmId | None = None
    recovery_subnet: str | None = None
    recovery_resource_group_id: ArmId | None = None
    settings: Mapping[str, Setting] = {}
    policy_id: ArmId | None = None


class OnPremisesRequest(Struct, frozen=True, kw_only=True):
    """A request to replicate a machine on premises to Azure: its name, and the networks it fails over to.

    Without ``recovery_network_id``, the mapping of its VM network decides. ``machine_id`` is the protectable item, if
    the request names one. ``settings`` are those of ProtectedItem.
    """

    provider: OnPremisesProvider
    name: str
    machine_id: ArmId | None = None
    recovery_network_id: ArmId | None = None
    recovery_subnet: str | None = None
    test_network_id: ArmId | None = None
    test_subnet: str | None = None
    recovery_resource_group_id: ArmId | None = None
    settings: Mapping[str, Setting] = {}
    policy_id: ArmId | None = None


class SwitchRequest(Struct, frozen=True, kw_only=True):
    """Re-protection of the machine ``item_name`` after its failover, with replication to ``recovery_container_id``."""

    item_name: str
    recovery_container_id: ArmId
    recovery_resource_group_id: ArmId | None = None
    policy_id: ArmId | None = None


class IntentRequest(Struct, frozen=True, kw_only=True):
    """A protection intent: protect a machine in another region, and create the fabrics and containers for it."""

    machine_id: ArmId
    primary_location: str
    recovery_location: str
    recovery_network_id: ArmId | None = None
    new_network_id: ArmId | None = None
    recovery_subnet: str | None = None
    recovery_resource_group_id: ArmId | None = None


class Intent(Struct, frozen=True, kw_only=True):
    """A protection intent as requested, and the name of the job that carries it out."""

    id: ArmId
    request: IntentRequest
    job: str
