"""What a world holds beyond ``asrnet.model.azure``."""

# No "from __future__ import annotations" here: msgspec would have to compile each annotation at every start.

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from asrnet.model.arm import ArmId
from asrnet.model.azure import Cloud, MappingKind, Nic, Setting, VmmHost, VmNetwork

SiteKind = Literal["HyperVSite", "InMageRcm", "VMware", "VMwareV2"]
"""The instance types of fabrics on premises: Hyper-V without VMM, VMware by the modernized and the older appliances."""


OnPremisesProvider = Literal["HyperVReplicaAzure", "InMageRcm"]


class Subscription(Struct, frozen=True, kw_only=True):
    """A subscription; ``id`` is its GUID. Without a tenant of its own it is in the world's.

    ``managed_by`` are the tenants that it is delegated to (Azure Lighthouse).
    """

    id: str
    name: str = ""
    tenant: str = ""
    managed_by: tuple[str, ...] = ()


class VaultResource(Struct, frozen=True, kw_only=True):
    """A Recovery Services vault. ``used``: a fabric was created in it at some time."""

    id: ArmId
    location: str
    used: bool = False
    tags: Mapping[str, str] = {}


class VmNetworkRecord(Struct, frozen=True, kw_only=True):
    """A VM network and the friendly name of the logical network behind it."""

    network: VmNetwork
    logical_network: str | None = None


class CloudRecord(Struct, frozen=True, kw_only=True):
    """A cloud and the friendly names of its logical networks; None: not known, empty: none."""

    cloud: Cloud
    logical_networks: tuple[str, ...] | None = None


class Host(Struct, frozen=True, kw_only=True):
    """A host of the VMM server behind ``fabric_id``."""

    fabric_id: ArmId
    host: VmmHost


class Site(Struct, frozen=True, kw_only=True):
    """What a fabric stands for that is neither a region of Azure nor a VMM server."""

    fabric_id: ArmId
    kind: SiteKind


class SourceMachine(Struct, frozen=True, kw_only=True):
    """A machine on premises that can be protected; ``id`` is that of the protectable item, its container above it."""

    id: ArmId
    friendly_name: str
    nics: tuple[Nic, ...] = ()


class VirtualMachine(Struct, frozen=True, kw_only=True):
    """A machine in Azure that can be protected, in an availability zone where it has one."""

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
    """A step of a recovery plan beside the machines. A ``manual`` one suspends the job until that is resumed.

    ``failover_types`` are the operations that it is part of.
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
    """A recovery plan: groups of machines that fail over one after the other."""

    id: ArmId
    primary_fabric_id: ArmId
    recovery_fabric_id: ArmId
    groups: tuple[PlanGroup, ...] = ()


class MappingRequest(Struct, frozen=True, kw_only=True):
    """The body of a PUT or PATCH of a mapping: what is None was not sent."""

    recovery_network_id: ArmId | None = None
    recovery_fabric_name: str | None = None
    kind: MappingKind | None = None
    primary_network_id: ArmId | None = None


class EnableRequest(Struct, frozen=True, kw_only=True):
    """A request to replicate an Azure machine.

    ``recovery_network_id`` chooses one; ``new_network_id`` asks for one to be made; neither leaves it to the mapping
    and, without one, to the ``-asr`` copy. The machine fails over to ``recovery_resource_group_id``, where the request
    names one, and is replicated by ``policy_id``. ``settings`` are those of ProtectedItem.
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
    """A request to replicate a machine on premises to Azure: its name there, and where it is to land.

    Without ``recovery_network_id`` the mapping of its VM network decides. ``machine_id`` is the protectable item that
    is protected, where the request names one. ``settings`` are those of ProtectedItem.
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
    """Re-protection of the machine ``item_name`` after its failover: it is replicated to ``recovery_container_id``."""

    item_name: str
    recovery_container_id: ArmId
    recovery_resource_group_id: ArmId | None = None
    policy_id: ArmId | None = None


class IntentRequest(Struct, frozen=True, kw_only=True):
    """A protection intent: protect a machine in another region, and make the fabrics and containers for it."""

    machine_id: ArmId
    primary_location: str
    recovery_location: str
    recovery_network_id: ArmId | None = None
    new_network_id: ArmId | None = None
    recovery_subnet: str | None = None
    recovery_resource_group_id: ArmId | None = None


class Intent(Struct, frozen=True, kw_only=True):
    """A protection intent as it was asked for, and the name of the job that carries it out."""

    id: ArmId
    request: IntentRequest
    job: str
