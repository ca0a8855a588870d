"""VM networks, logical networks and clouds of VMM servers, as Site Recovery writes them."""

from __future__ import annotations

from typing import Final

from asrnet.azure.wire import Wire, id_or_none
from asrnet.model.arm import ArmId
from asrnet.model.azure import Cloud, CloudMapping, LogicalNetwork, Subnet, VmNetwork

_AZURE_PROVIDER: Final = "A2A"


class WireSubnet(Wire, frozen=True):
    """A subnet of a VM network."""

    name: str | None = None
    friendly_name: str | None = None
    address_list: tuple[str, ...] | None = None


class NamedProperties(Wire, frozen=True):
    """The properties of a VM network, logical network or cloud."""

    friendly_name: str | None = None
    subnets: tuple[WireSubnet, ...] | None = None


class WireNamed(Wire, frozen=True):
    """A VM network, logical network or cloud."""

    id: str
    properties: NamedProperties | None = None


class ContainerMappingDetails(Wire, frozen=True):
    """Which provider replicates."""

    instance_type: str | None = None


class ContainerMappingProperties(Wire, frozen=True):
    """The properties of a container mapping."""

    target_protection_container_id: str | None = None
    target_protection_container_friendly_name: str | None = None
    provider_specific_details: ContainerMappingDetails | None = None


class WireContainerMapping(Wire, frozen=True):
    """A container mapping: which cloud is protected by which."""

    id: str
    properties: ContainerMappingProperties | None = None


def read_vm_network(row: WireNamed) -> VmNetwork:
    """A VM network as asrnet knows it."""
    subnets = tuple(
        Subnet(name=subnet.friendly_name or subnet.name or "", prefixes=subnet.address_list or ())
        for subnet in (row.properties and row.properties.subnets) or ()
    )
    return VmNetwork(id=ArmId(row.id), friendly_name=_friendly_name(row), subnets=subnets)


def read_logical_network(row: WireNamed) -> LogicalNetwork:
    """A logical network as asrnet knows it."""
    return LogicalNetwork(id=ArmId(row.id), friendly_name=_friendly_name(row))


def read_cloud(row: WireNamed) -> Cloud:
    """A cloud as asrnet knows it."""
    return Cloud(id=ArmId(row.id), friendly_name=_friendly_name(row))


def read_cloud_mapping(row: WireContainerMapping) -> CloudMapping | None:
    """Which cloud is protected by which; None for the containers of Azure regions, which are no clouds."""
    properties = row.properties or ContainerMappingProperties()
    details = properties.provider_specific_details
    if details and details.instance_type == _AZURE_PROVIDER:
        return None
    mapping_id = ArmId(row.id)
    return CloudMapping(
        id=mapping_id,
        primary_cloud_id=mapping_id.parent,
        recovery_cloud_id=id_or_none(properties.target_protection_container_id),
        recovery_cloud_name=properties.target_protection_container_friendly_name or "",
    )


def _friendly_name(row: WireNamed) -> str:
    return (row.properties and row.properties.friendly_name) or ArmId(row.id).name
