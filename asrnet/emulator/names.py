"""What Site Recovery calls networks and fabrics in its answers."""

from __future__ import annotations

from asrnet.emulator.site_recovery_json import Names, fabric_friendly_name
from asrnet.fake.world import World
from asrnet.model.arm import VNET, ArmId
from asrnet.model.azure import MICROSOFT_AZURE, Fabric, NetworkMapping


def names_of(world: World, mapping: NetworkMapping) -> Names:
    """The names in a mapping's document."""
    lowered = mapping.kind == "azure_to_azure"
    return Names(
        primary_network=network_name(world, mapping.primary_network_id, lowered=lowered),
        primary_fabric=fabric_name(world, mapping.fabric_id),
        recovery_network=network_name(world, mapping.recovery_network_id, lowered=lowered),
        recovery_fabric=_recovery_fabric(world, mapping),
    )


def network_name(world: World, network_id: ArmId, *, lowered: bool = False) -> str:
    """A VM network's friendly name, or a virtual network's name."""
    if network_id.type == VNET:
        return network_id.name.lower() if lowered else network_id.name
    record = world.state.vm_networks.get(network_id.parent.key, network_id.key)
    return record.network.friendly_name if record else network_id.name


def fabric_name(world: World, fabric_id: ArmId) -> str:
    """A region's display name or a server's name; the resource's name where the fabric is gone."""
    fabric = find_fabric(world, fabric_id)
    return fabric_friendly_name(fabric) if fabric else fabric_id.name


def find_fabric(world: World, fabric_id: ArmId) -> Fabric | None:
    """The fabric, None where it is gone."""
    return world.state.fabrics.get(fabric_id.parent.key, fabric_id.key)


def _recovery_fabric(world: World, mapping: NetworkMapping) -> str:
    if mapping.kind == "vmm_to_azure" or mapping.recovery_fabric_id is None:
        return MICROSOFT_AZURE
    return fabric_name(world, mapping.recovery_fabric_id)


def container_name(world: World, container_id: ArmId) -> str:
    """A container's friendly name; the resource's name where the container is gone."""
    record = world.state.clouds.get(container_id.parent.key, container_id.key)
    return record.cloud.friendly_name if record else container_id.name
