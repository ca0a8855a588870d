"""How Site Recovery spells ids and types, and names networks, fabrics and containers in its answers."""

from __future__ import annotations

from typing import Final

from asrnet.fake.world import World
from asrnet.model.arm import VNET, ArmId
from asrnet.model.azure import Fabric
from asrnet.model.regions import region_name

VAULT_TYPE: Final = "Microsoft.RecoveryServices/vaults"
FABRIC_TYPE: Final = f"{VAULT_TYPE}/replicationFabrics"
CONTAINER_TYPE: Final = f"{FABRIC_TYPE}/replicationProtectionContainers"

NEVER: Final = "1753-01-01T01:01:01Z"
"""The service's value for a time that has not come yet: the earliest date of its database."""


def wire_id(identifier: ArmId) -> str:
    """An id as Site Recovery spells it, beginning with ``/Subscriptions``."""
    return f"/Subscriptions{str(identifier)[len('/subscriptions') :]}"


def network_name(world: World, network_id: ArmId, *, lowered: bool = False) -> str:
    """A VM network's friendly name, or a virtual network's name."""
    if network_id.type == VNET:
        return network_id.name.lower() if lowered else network_id.name
    record = world.state.vm_networks.get(network_id.parent.key, network_id.key)
    return record.network.friendly_name if record else network_id.name


def find_fabric(world: World, fabric_id: ArmId) -> Fabric | None:
    """The fabric, or None if it is gone."""
    return world.state.fabrics.get(fabric_id.parent.key, fabric_id.key)


def fabric_friendly_name(fabric: Fabric) -> str:
    """A region's display name, or the server's name."""
    if fabric.kind == "azure" and fabric.location:
        return region_name(fabric.location)
    return fabric.friendly_name or fabric.name


def fabric_type(world: World, fabric: Fabric | None) -> str:
    """The fabric type in containers and providers. A fabric that is gone counts as an Azure region."""
    if fabric is None or fabric.kind == "azure":
        return "Azure"
    return world.state.site_kind(fabric) or "VMM"


def fabric_name(world: World, fabric_id: ArmId) -> str:
    """A region's display name or a server's name; the resource's name if the fabric is gone."""
    fabric = find_fabric(world, fabric_id)
    return fabric_friendly_name(fabric) if fabric else fabric_id.name


def container_name(world: World, container_id: ArmId) -> str:
    """A container's friendly name; the resource's name if the container is gone."""
    record = world.state.clouds.get(container_id.parent.key, container_id.key)
    return record.cloud.friendly_name if record else container_id.name
