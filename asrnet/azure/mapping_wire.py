"""Fabrics, network mappings and jobs, as Site Recovery writes and reads them.

Answers carry a mapping's details under ``fabricSpecificSettings``, requests under ``fabricSpecificDetails``. Virtual
networks of Azure to Azure mappings come back in lower case; ids compare without case, so that does not matter here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from asrnet.azure.wire import Wire, id_or_none
from asrnet.model.arm import AZURE_NETWORK, VNET, ArmId, arm_id, normal_location
from asrnet.model.azure import Fabric, FabricKind, Job, LiveMapping, MappingKind, NetworkMapping, UnreadableMapping
from asrnet.model.bodies import INSTANCE_TYPES

_KINDS: Final[Mapping[str, MappingKind]] = {word: kind for kind, word in INSTANCE_TYPES.items()}
_FABRIC_KINDS: Final[Mapping[str, FabricKind]] = {"Azure": "azure", "VMM": "vmm"}


class FabricDetails(Wire, frozen=True):
    """What kind of fabric it is."""

    instance_type: str | None = None
    location: str | None = None


class FabricProperties(Wire, frozen=True):
    """The properties of a fabric."""

    friendly_name: str | None = None
    custom_details: FabricDetails | None = None


class WireFabric(Wire, frozen=True):
    """A fabric."""

    id: str
    properties: FabricProperties | None = None


class MappingSettings(Wire, frozen=True):
    """What a mapping's kind adds to it."""

    instance_type: str | None = None
    primary_fabric_location: str | None = None
    recovery_fabric_location: str | None = None


class MappingProperties(Wire, frozen=True):
    """The properties of a network mapping."""

    state: str | None = None
    primary_network_id: str | None = None
    primary_fabric_friendly_name: str | None = None
    recovery_network_id: str | None = None
    recovery_fabric_arm_id: str | None = None
    recovery_fabric_friendly_name: str | None = None
    fabric_specific_settings: MappingSettings | None = None


class WireMapping(Wire, frozen=True):
    """A network mapping."""

    id: str
    properties: MappingProperties | None = None


class ServiceErrorDetails(Wire, frozen=True):
    """What Site Recovery says of a failed job."""

    message: str | None = None


class ProviderErrorDetails(Wire, frozen=True):
    """What the provider on a server says of a failed job."""

    error_message: str | None = None


class JobError(Wire, frozen=True):
    """One error of a job."""

    service_error_details: ServiceErrorDetails | None = None
    provider_error_details: ProviderErrorDetails | None = None


class JobProperties(Wire, frozen=True):
    """The properties of a job."""

    scenario_name: str | None = None
    state: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    target_object_name: str | None = None
    errors: tuple[JobError, ...] | None = None


class WireJob(Wire, frozen=True):
    """A job."""

    id: str
    properties: JobProperties | None = None


def read_fabric(row: WireFabric) -> Fabric:
    """A fabric as asrnet knows it."""
    properties = row.properties or FabricProperties()
    details = properties.custom_details or FabricDetails()
    return Fabric(
        id=arm_id(row.id),
        kind=_FABRIC_KINDS.get(details.instance_type or "", "other"),
        location=normal_location(details.location) if details.location else None,
        friendly_name=properties.friendly_name or "",
    )


def fabric_body(fabric: Fabric) -> dict[str, Any]:
    """The body that creates an Azure fabric."""
    return {"properties": {"customDetails": {"instanceType": "Azure", "location": fabric.location}}}


def read_mapping(row: WireMapping) -> LiveMapping:
    """A mapping as asrnet knows it, or what can be told of one that does not say what it maps."""
    properties = row.properties or MappingProperties()
    settings = properties.fabric_specific_settings or MappingSettings()
    mapping_id = ArmId(row.id)
    primary = id_or_none(properties.primary_network_id) or _network_above(mapping_id, settings)
    recovery = id_or_none(properties.recovery_network_id)
    if primary is None or recovery is None:
        return UnreadableMapping(id=mapping_id, primary_network_id=primary)
    kind = _KINDS.get(settings.instance_type or "") or _kind_of(primary, recovery)
    azure = kind == "azure_to_azure"
    here = _location(settings.primary_fabric_location, properties.primary_fabric_friendly_name, azure)
    there = _location(settings.recovery_fabric_location, properties.recovery_fabric_friendly_name, azure)
    if azure and not (here and there):
        return UnreadableMapping(id=mapping_id, primary_network_id=primary)
    return NetworkMapping(
        id=mapping_id,
        kind=kind,
        primary_network_id=primary,
        recovery_network_id=recovery,
        recovery_fabric_id=id_or_none(properties.recovery_fabric_arm_id),
        primary_location=here,
        recovery_location=there,
        state=properties.state or "",
    )


def read_job(row: WireJob) -> Job:
    """A job as asrnet knows it."""
    properties = row.properties or JobProperties()
    return Job(
        id=ArmId(row.id),
        scenario=properties.scenario_name or "",
        state=properties.state or "",
        start_time=properties.start_time or "",
        end_time=properties.end_time or "",
        target=properties.target_object_name or "",
        errors=tuple(message for error in properties.errors or () if (message := _error_message(error))),
    )


def _network_above(mapping_id: ArmId, settings: MappingSettings) -> ArmId | None:
    """The VM network that a mapping lies under; under an Azure fabric the segment is no network's."""
    azure = settings.instance_type == "AzureToAzure" or mapping_id.parent.name == AZURE_NETWORK
    return None if azure else mapping_id.parent


def _kind_of(primary: ArmId, recovery: ArmId) -> MappingKind:
    """The kind of a mapping that does not say it: its networks tell."""
    if primary.type == VNET:
        return "azure_to_azure"
    return "vmm_to_azure" if recovery.type == VNET else "vmm_to_vmm"


def _location(location: str | None, fabric_name: str | None, azure: bool) -> str | None:  # noqa: FBT001 - one question
    """The region's short name. An Azure fabric's friendly name is the region's display name."""
    text = location or fabric_name
    return normal_location(text) if azure and text else None


def _error_message(error: JobError) -> str:
    service = error.service_error_details.message if error.service_error_details else None
    provider = error.provider_error_details.error_message if error.provider_error_details else None
    return service or provider or ""
