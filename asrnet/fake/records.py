"""What a world holds beyond ``asrnet.model.azure``."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from asrnet.model.arm import ArmId
from asrnet.model.azure import Cloud, MappingKind, Nic, VmNetwork


class Subscription(Struct, frozen=True, kw_only=True):
    """A subscription; ``id`` is its GUID in lower case."""

    id: str
    name: str
    tenant: str


class ResourceGroup(Struct, frozen=True, kw_only=True):
    """A resource group."""

    id: ArmId
    location: str = "eastus"
    tags: Mapping[str, str] = {}


class VaultResource(Struct, frozen=True, kw_only=True):
    """A Recovery Services vault. ``used``: Site Recovery knows it; it does once a fabric was created in it."""

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
    """A host of a VMM server: the cloud it belongs to and the VM networks it reaches, by friendly name."""

    fabric_id: ArmId
    name: str
    cloud: str
    networks: tuple[str, ...] | None = None


class VirtualMachine(Struct, frozen=True, kw_only=True):
    """A machine in Azure that can be protected."""

    id: ArmId
    location: str
    nics: tuple[Nic, ...] = ()


class MappingRequest(Struct, frozen=True, kw_only=True):
    """The body of a PUT or PATCH of a mapping: what is None was not sent."""

    recovery_network_id: ArmId | None = None
    recovery_fabric_name: str | None = None
    kind: MappingKind | None = None
    primary_network_id: ArmId | None = None


class EnableRequest(Struct, frozen=True, kw_only=True):
    """What enabling replication of an Azure machine says of networks.

    ``recovery_network_id`` chooses one; ``new_network_id`` asks for one to be made; neither leaves it to the mapping
    and, without one, to the ``-asr`` copy.
    """

    machine_id: ArmId
    recovery_container_id: ArmId
    recovery_network_id: ArmId | None = None
    new_network_id: ArmId | None = None
    recovery_subnet: str | None = None
    recovery_resource_group_id: ArmId | None = None


class IntentRequest(Struct, frozen=True, kw_only=True):
    """A protection intent: protect a machine in a region; fabrics and containers come by themselves."""

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
