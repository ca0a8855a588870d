"""Network mappings: all six operations."""

from __future__ import annotations

from typing import Final

from asrnet.emulator.bodies import Body, an_id, an_object, text
from asrnet.emulator.call import Call
from asrnet.emulator.handlers.templates import MAPPING, NETWORK, VAULT
from asrnet.emulator.messages import Response, json_response
from asrnet.emulator.names import names_of
from asrnet.emulator.routing import Route
from asrnet.emulator.site_recovery_json import KIND_WORDS, MAPPING_TYPE, Document, mapping_json, wire_id
from asrnet.fake import refusals
from asrnet.fake.records import MappingRequest
from asrnet.model.arm import ArmId
from asrnet.model.azure import LiveMapping, MappingKind, UnreadableMapping

_KINDS: Final[dict[str, MappingKind]] = {
    "azuretoazure": "azure_to_azure",
    "vmmtoazure": "vmm_to_azure",
    "vmmtovmm": "vmm_to_vmm",
}


def list_mappings(call: Call) -> Response:
    """All mappings of a vault."""
    return call.page(call.world.mappings.list_all(call.id("vault")), lambda mapping: _mapping(call, mapping))


def list_network_mappings(call: Call) -> Response:
    """The mappings under a network; under an Azure fabric, whatever the network is called, those of the fabric."""
    return call.page(call.world.mappings.list_network(call.id("network")), lambda mapping: _mapping(call, mapping))


def get_mapping(call: Call) -> Response:
    """One mapping."""
    return json_response(_mapping(call, call.world.mappings.find(call.id("mapping"))))


def put_mapping(call: Call) -> Response:
    """Create a mapping, or point the one of that name elsewhere."""
    mapping_id = call.id("mapping")
    wanted = _wanted(call.request.document(), mapping_id)
    return call.accepted(call.world.mappings.put(mapping_id, wanted), mapping_id)


def patch_mapping(call: Call) -> Response:
    """Change what the body names."""
    mapping_id = call.id("mapping")
    wanted = _wanted(call.request.document(), mapping_id)
    return call.accepted(call.world.mappings.patch(mapping_id, wanted), mapping_id)


def delete_mapping(call: Call) -> Response:
    """Delete a mapping."""
    mapping_id = call.id("mapping")
    return call.accepted(call.world.mappings.delete(mapping_id), mapping_id)


def _mapping(call: Call, mapping: LiveMapping) -> Document:
    if isinstance(mapping, UnreadableMapping):
        return _unreadable(mapping)
    return mapping_json(mapping, names_of(call.world, mapping))


def _unreadable(mapping: UnreadableMapping) -> Document:
    """What the service would write of a mapping that lost its network is in no public source: nulls are assumed."""
    primary = mapping.primary_network_id
    properties = {"state": "Paired", "primaryNetworkId": str(primary) if primary else None, "recoveryNetworkId": None}
    return {"type": MAPPING_TYPE, "id": wire_id(mapping.id), "name": mapping.name, "properties": properties}


def _wanted(body: Body, mapping_id: ArmId) -> MappingRequest:
    properties = an_object(body, "properties")
    details = an_object(properties, "fabricSpecificDetails")
    return MappingRequest(
        recovery_network_id=an_id(properties, "recoveryNetworkId"),
        recovery_fabric_name=text(properties, "recoveryFabricName"),
        kind=_kind(text(details, "instanceType"), mapping_id),
        primary_network_id=an_id(details, "primaryNetworkId"),
    )


def _kind(word: str | None, mapping_id: ArmId) -> MappingKind | None:
    if word is None:
        return None
    if word.lower() not in _KINDS:
        raise refusals.invalid(f"The instance type '{word}' is none of {', '.join(KIND_WORDS.values())}.", mapping_id)
    return _KINDS[word.lower()]


ROUTES: Final = (
    Route(
        method="GET",
        template=f"{VAULT}/replicationNetworkMappings",
        operation="ReplicationNetworkMappings_List",
        source="recorded",
        handler=list_mappings,
    ),
    Route(
        method="GET",
        template=f"{NETWORK}/replicationNetworkMappings",
        operation="ReplicationNetworkMappings_ListByReplicationNetworks",
        source="recorded",
        handler=list_network_mappings,
    ),
    Route(
        method="GET",
        template=MAPPING,
        operation="ReplicationNetworkMappings_Get",
        source="recorded",
        handler=get_mapping,
        note="for a missing mapping 404, or 400 where the world says so; both have been reported",
    ),
    Route(
        method="PUT",
        template=MAPPING,
        operation="ReplicationNetworkMappings_Create",
        source="recorded",
        handler=put_mapping,
        note="refusals of duplicates, missing networks and wrong regions are assumed",
    ),
    Route(
        method="PATCH",
        template=MAPPING,
        operation="ReplicationNetworkMappings_Update",
        source="specified",
        handler=patch_mapping,
        note="no recording of it exists; a world can refuse it with 400 or 405",
    ),
    Route(
        method="DELETE",
        template=MAPPING,
        operation="ReplicationNetworkMappings_Delete",
        source="recorded",
        handler=delete_mapping,
        note="204 for a missing mapping is specified",
    ),
)
