"""Protection containers and their mappings: VMM clouds, and the containers of Azure fabrics."""

from __future__ import annotations

from typing import Final

from asrnet.emulator.bodies import an_id, an_object, text
from asrnet.emulator.call import Call
from asrnet.emulator.container_json import ContainerMappingNames, ContainerView, container_json, container_mapping_json
from asrnet.emulator.handlers.templates import CONTAINER, CONTAINER_MAPPING, FABRIC, VAULT
from asrnet.emulator.messages import Response, json_response
from asrnet.emulator.names import container_name, fabric_name, find_fabric
from asrnet.emulator.routing import Route
from asrnet.emulator.site_recovery_json import Document
from asrnet.fake.records import CloudRecord
from asrnet.model.azure import MICROSOFT_AZURE, CloudMapping


def list_containers(call: Call) -> Response:
    """The containers of a fabric."""
    return call.page(call.world.containers.list(call.id("fabric")), lambda record: _container(call, record))


def list_vault_containers(call: Call) -> Response:
    """The containers of all fabrics."""
    return call.page(call.world.containers.list_vault(call.id("vault")), lambda record: _container(call, record))


def get_container(call: Call) -> Response:
    """One container."""
    return json_response(_container(call, call.world.containers.get(call.id("container"))))


def put_container(call: Call) -> Response:
    """Create a container in an Azure fabric."""
    an_object(call.request.document(), "properties")
    return call.accepted(call.world.containers.put(call.id("container")), call.id("container"))


def remove_container(call: Call) -> Response:
    """Remove a container."""
    return call.accepted(call.world.containers.remove(call.id("container")), call.id("container"))


def list_container_mappings(call: Call) -> Response:
    """All container mappings of a vault."""
    mappings = call.world.container_mappings.list(call.id("vault"))
    return call.page(mappings, lambda mapping: _container_mapping(call, mapping))


def list_mappings_of_container(call: Call) -> Response:
    """The mappings of one container."""
    mappings = call.world.container_mappings.list_container(call.id("container"))
    return call.page(mappings, lambda mapping: _container_mapping(call, mapping))


def get_container_mapping(call: Call) -> Response:
    """One container mapping."""
    return json_response(_container_mapping(call, call.world.container_mappings.get(call.id("mapping"))))


def put_container_mapping(call: Call) -> Response:
    """Create or replace a container mapping."""
    properties = an_object(call.request.document(), "properties")
    azure = text(properties, "targetProtectionContainerId") == MICROSOFT_AZURE
    target = None if azure else an_id(properties, "targetProtectionContainerId")
    mapping = CloudMapping(
        id=call.id("mapping"),
        primary_cloud_id=call.id("container"),
        recovery_cloud_id=target,
        recovery_cloud_name=container_name(call.world, target) if target else MICROSOFT_AZURE,
    )
    return call.accepted(call.world.container_mappings.put(mapping), mapping.id)


def remove_container_mapping(call: Call) -> Response:
    """Remove a container mapping (POST) or purge it (DELETE)."""
    started = call.world.container_mappings.remove(call.id("mapping"), method=call.request.method)
    return call.accepted(started, call.id("mapping"))


def _container(call: Call, record: CloudRecord) -> Document:
    container_id = record.cloud.id
    fabric = find_fabric(call.world, container_id.parent)
    vault = container_id.parent.parent.key
    items = call.world.state.protected_items.values(vault)
    mappings = call.world.state.cloud_mappings.values(vault)
    view = ContainerView(
        fabric_name=fabric_name(call.world, container_id.parent),
        kind=fabric.kind if fabric else "azure",
        items=sum(item.id.parent == container_id for item in items),
        paired=any(container_id in {each.primary_cloud_id, each.recovery_cloud_id} for each in mappings),
    )
    return container_json(record.cloud, view)


def _container_mapping(call: Call, mapping: CloudMapping) -> Document:
    primary, recovery = mapping.primary_cloud_id, mapping.recovery_cloud_id
    fabric = find_fabric(call.world, primary.parent)
    names = ContainerMappingNames(
        primary=container_name(call.world, primary),
        primary_fabric=fabric_name(call.world, primary.parent),
        recovery=container_name(call.world, recovery) if recovery else mapping.recovery_cloud_name or MICROSOFT_AZURE,
        recovery_fabric=fabric_name(call.world, recovery.parent) if recovery else MICROSOFT_AZURE,
        kind=fabric.kind if fabric else "azure",
    )
    return container_mapping_json(mapping, names)


_AREA: Final = "ReplicationProtectionContainers"
_MAPPING_AREA: Final = "ReplicationProtectionContainerMappings"
_BELOW: Final = "replicationProtectionContainers"
_MAPPINGS_BELOW: Final = "replicationProtectionContainerMappings"

ROUTES: Final = (
    Route(
        method="GET",
        template=f"{FABRIC}/{_BELOW}",
        operation=f"{_AREA}_ListByReplicationFabrics",
        source="specified",
        handler=list_containers,
    ),
    Route(
        method="GET",
        template=f"{VAULT}/{_BELOW}",
        operation=f"{_AREA}_List",
        source="specified",
        handler=list_vault_containers,
    ),
    Route(method="GET", template=CONTAINER, operation=f"{_AREA}_Get", source="recorded", handler=get_container),
    Route(method="PUT", template=CONTAINER, operation=f"{_AREA}_Create", source="recorded", handler=put_container),
    Route(
        method="POST",
        template=f"{CONTAINER}/remove",
        operation=f"{_AREA}_Delete",
        source="recorded",
        handler=remove_container,
    ),
    Route(
        method="GET",
        template=f"{VAULT}/{_MAPPINGS_BELOW}",
        operation=f"{_MAPPING_AREA}_List",
        source="specified",
        handler=list_container_mappings,
    ),
    Route(
        method="GET",
        template=f"{CONTAINER}/{_MAPPINGS_BELOW}",
        operation=f"{_MAPPING_AREA}_ListByReplicationProtectionContainers",
        source="specified",
        handler=list_mappings_of_container,
    ),
    Route(
        method="GET",
        template=CONTAINER_MAPPING,
        operation=f"{_MAPPING_AREA}_Get",
        source="recorded",
        handler=get_container_mapping,
    ),
    Route(
        method="PUT",
        template=CONTAINER_MAPPING,
        operation=f"{_MAPPING_AREA}_Create",
        source="recorded",
        handler=put_container_mapping,
        note="the policy is taken and not kept",
    ),
    Route(
        method="POST",
        template=f"{CONTAINER_MAPPING}/remove",
        operation=f"{_MAPPING_AREA}_Delete",
        source="recorded",
        handler=remove_container_mapping,
    ),
    Route(
        method="DELETE",
        template=CONTAINER_MAPPING,
        operation=f"{_MAPPING_AREA}_Purge",
        source="recorded",
        handler=remove_container_mapping,
    ),
)
