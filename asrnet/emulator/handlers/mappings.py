"""Network mappings: all six operations."""

from __future__ import annotations

from typing import Final

from asrnet.emulator.bodies import Body, an_id, an_object, text
from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.operations import add_results
from asrnet.emulator.messages import Document, Response, json_response
from asrnet.emulator.routing import MAPPING, NETWORK, VAULT, Routes
from asrnet.emulator.spelling import FABRIC_TYPE, fabric_name, network_name, wire_id
from asrnet.fake import refusals
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.fake.records import MappingRequest
from asrnet.fake.world import World
from asrnet.model.arm import VNET, ArmId
from asrnet.model.azure import MICROSOFT_AZURE, LiveMapping, MappingKind, UnreadableMapping

routes: Final = Routes()

_TYPE: Final = f"{FABRIC_TYPE}/replicationNetworks/replicationNetworkMappings"
_INSTANCE_TYPES: Final[dict[MappingKind, str]] = {
    "azure_to_azure": "AzureToAzure",
    "vmm_to_azure": "VmmToAzure",
    "vmm_to_vmm": "VmmToVmm",
}


def mapping_json(world: World, mapping: LiveMapping) -> Document:
    """A network mapping. Azure to Azure mappings return the ids of virtual networks in lower case."""
    if isinstance(mapping, UnreadableMapping):
        # No public source shows how the service writes a mapping whose network is gone; nulls are assumed.
        primary = str(mapping.primary_network_id) if mapping.primary_network_id else None
        unreadable = {"state": "Paired", "primaryNetworkId": primary, "recoveryNetworkId": None}
        return {"type": _TYPE, "id": wire_id(mapping.id), "name": mapping.name, "properties": unreadable}
    # Recorded: only Azure to Azure mappings have ids and names of networks in lower case.
    lowered = mapping.kind == "azure_to_azure"

    def network(network_id: ArmId) -> str:
        if lowered:
            return f"/{network_id.key}"
        return str(network_id) if network_id.type == VNET else wire_id(network_id)

    # Recorded in two vaults: if Azure is the recovery side, its fabric has a constant name that no list contains.
    recovery_fabric_id, recovery_fabric_name = mapping.recovery_fabric_id, MICROSOFT_AZURE
    if recovery_fabric_id is None or recovery_fabric_id.name == MICROSOFT_AZURE:
        recovery_fabric_id = mapping.vault_id.child("replicationFabrics", PSEUDO_FABRIC)
    if mapping.kind != "vmm_to_azure" and mapping.recovery_fabric_id is not None:
        recovery_fabric_name = fabric_name(world, mapping.recovery_fabric_id)
    settings: Document = {"instanceType": _INSTANCE_TYPES[mapping.kind]}
    if mapping.kind == "azure_to_azure":
        settings["primaryFabricLocation"] = mapping.primary_location
        settings["recoveryFabricLocation"] = mapping.recovery_location
    return {
        "type": _TYPE,
        "id": wire_id(mapping.id),
        "name": mapping.name,
        "properties": {
            "state": mapping.state,
            "primaryNetworkFriendlyName": network_name(world, mapping.primary_network_id, lowered=lowered),
            "primaryNetworkId": network(mapping.primary_network_id),
            "primaryFabricFriendlyName": fabric_name(world, mapping.fabric_id),
            "recoveryNetworkFriendlyName": network_name(world, mapping.recovery_network_id, lowered=lowered),
            "recoveryNetworkId": network(mapping.recovery_network_id),
            "recoveryFabricArmId": wire_id(recovery_fabric_id),
            "recoveryFabricFriendlyName": recovery_fabric_name,
            "fabricSpecificSettings": settings,
        },
    }


def read_mapping(body: Body, mapping_id: ArmId) -> MappingRequest:
    """Read the body of a PUT or PATCH. Read-only members, which az sends back, are ignored."""
    properties = an_object(body, "properties")
    details = an_object(properties, "fabricSpecificDetails")
    instance_type = text(details, "instanceType")
    kind = next((kind for kind, name in _INSTANCE_TYPES.items() if name.lower() == (instance_type or "").lower()), None)
    if instance_type is not None and kind is None:
        names = ", ".join(_INSTANCE_TYPES.values())
        raise refusals.invalid(f"The instance type '{instance_type}' is not one of {names}.", mapping_id)
    return MappingRequest(
        recovery_network_id=an_id(properties, "recoveryNetworkId"),
        recovery_fabric_name=text(properties, "recoveryFabricName"),
        kind=kind,
        primary_network_id=an_id(details, "primaryNetworkId"),
    )


@routes.get(f"{VAULT}/replicationNetworkMappings", "ReplicationNetworkMappings_List", "recorded")
def list_mappings(call: Call) -> Response:
    """All mappings of a vault."""
    mappings = call.world.mappings.list_all(call.id("vault"))
    return call.page(mappings, lambda mapping: mapping_json(call.world, mapping))


@routes.get(f"{NETWORK}/replicationNetworkMappings", "ReplicationNetworkMappings_ListByReplicationNetworks", "recorded")
def list_network_mappings(call: Call) -> Response:
    """The mappings of a network. Under an Azure fabric, any network name lists the mappings of the whole fabric."""
    mappings = call.world.mappings.list_network(call.id("network"))
    return call.page(mappings, lambda mapping: mapping_json(call.world, mapping))


@routes.get(
    MAPPING,
    "ReplicationNetworkMappings_Get",
    "recorded",
    "404 for a missing mapping, or 400 if the world says so; both have been reported",
)
def get_mapping(call: Call) -> Response:
    """One mapping."""
    return json_response(mapping_json(call.world, call.world.mappings.find(call.id("mapping"))))


@routes.put(
    MAPPING,
    "ReplicationNetworkMappings_Create",
    "recorded",
    "refusals of duplicates, missing networks and wrong regions are assumed",
)
def put_mapping(call: Call) -> Response:
    """Create a mapping, or update the existing mapping of that name."""
    mapping_id = call.id("mapping")
    request = read_mapping(call.request.document(), mapping_id)
    return call.accepted(call.world.mappings.put(mapping_id, request), mapping_id)


@routes.patch(
    MAPPING,
    "ReplicationNetworkMappings_Update",
    "specified",
    "no recording of a PATCH exists; a world can refuse it with 400 or 405",
)
def patch_mapping(call: Call) -> Response:
    """Change the members that the body names."""
    mapping_id = call.id("mapping")
    request = read_mapping(call.request.document(), mapping_id)
    return call.accepted(call.world.mappings.patch(mapping_id, request), mapping_id)


@routes.delete(MAPPING, "ReplicationNetworkMappings_Delete", "recorded", "204 for a missing mapping is specified")
def delete_mapping(call: Call) -> Response:
    """Delete a mapping."""
    mapping_id = call.id("mapping")
    return call.accepted(call.world.mappings.delete(mapping_id), mapping_id)


add_results(routes, MAPPING, get_mapping)
