"""What a world holds beyond ``asrnet.model.azure``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from asrnet.model.arm import ArmId
from asrnet.model.azure import Cloud, MappingKind, Nic, VmmHost, VmNetwork


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


class VirtualMachine(Struct, frozen=True, kw_only=True):
    """A machine in Azure that can be protected."""

    id: ArmId
    location: str
    nics: tuple[Nic, ...] = ()


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
    names one, and is replicated by ``policy_id``.
    """

    machine_id: ArmId
    recovery_container_id: ArmId
    recovery_network_id: ArmId | None = None
    new_network_id: ArmId | None = None
    recovery_subnet: str | None = None
    recovery_resource_group_id: ArmId | None = None
    policy_id: ArmId | None = None


class HyperVRequest(Struct, frozen=True, kw_only=True):
    """A request to replicate a Hyper-V machine to Azure: its name there, and where it is to land.

    Without ``recovery_network_id`` the mapping of its VM network decides.
    """

    name: str
    recovery_network_id: ArmId | None = None
    recovery_subnet: str | None = None
    recovery_resource_group_id: ArmId | None = None
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
