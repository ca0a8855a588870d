"""Fabrics, and the networks and logical networks below them."""

from __future__ import annotations

from typing import Final

from asrnet.emulator.bodies import an_object, text
from asrnet.emulator.call import Call
from asrnet.emulator.handlers.templates import FABRIC, NETWORK, VAULT
from asrnet.emulator.messages import Response, json_response
from asrnet.emulator.routing import Route
from asrnet.emulator.site_recovery_json import (
    Document,
    fabric_json,
    logical_network_json,
    network_json,
    stable_guid,
    wire_id,
)
from asrnet.fake import refusals
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric


def list_fabrics(call: Call) -> Response:
    """All fabrics of a vault, without what only a fabric by itself tells: its containers and zones."""
    return call.page(call.world.fabrics.list(call.id("vault")), fabric_json)


def get_fabric(call: Call) -> Response:
    """One fabric. A filter is taken and has no effect."""
    return json_response(_fabric(call, call.world.fabrics.get(call.id("fabric"))))


def put_fabric(call: Call) -> Response:
    """Create the fabric of an Azure region."""
    fabric_id = call.id("fabric")
    details = an_object(an_object(call.request.document(), "properties"), "customDetails")
    location = text(details, "location")
    if text(details, "instanceType") not in {"Azure", None} or location is None:
        raise refusals.invalid("Only fabrics of instance type 'Azure' with a location can be created.", fabric_id)
    return call.accepted(call.world.fabrics.put(fabric_id, location), fabric_id)


def remove_fabric(call: Call) -> Response:
    """Remove a fabric."""
    return call.accepted(call.world.fabrics.remove(call.id("fabric")), call.id("fabric"))


def purge_fabric(call: Call) -> Response:
    """Remove a fabric with everything in it."""
    return call.accepted(call.world.fabrics.purge(call.id("fabric")), call.id("fabric"))


def list_networks(call: Call) -> Response:
    """The VM networks of a fabric."""
    return call.page(call.world.networks.list(call.id("fabric")), lambda record: network_json(record.network))


def list_vault_networks(call: Call) -> Response:
    """The VM networks of all fabrics."""
    return call.page(call.world.networks.list_vault(call.id("vault")), lambda record: network_json(record.network))


def get_network(call: Call) -> Response:
    """One VM network."""
    return json_response(network_json(call.world.networks.get(call.id("network")).network))


def list_logical_networks(call: Call) -> Response:
    """The logical networks of a fabric."""
    return call.page(call.world.logical_networks.list(call.id("fabric")), logical_network_json)


def get_logical_network(call: Call) -> Response:
    """One logical network."""
    return json_response(logical_network_json(call.world.logical_networks.get(call.id("network"))))


def _fabric(call: Call, fabric: Fabric) -> Document:
    containers = call.world.state.clouds.values(fabric.id.key) if fabric.kind == "azure" else []
    return fabric_json(fabric, [_by_guid(record.cloud.id) for record in containers])


def _by_guid(container_id: ArmId) -> str:
    """A container's id as its fabric's details spell it: with a GUID in the place of the name."""
    container = container_id.parent.child("replicationProtectionContainers", stable_guid(str(container_id)))
    return wire_id(container)


_FABRICS: Final = f"{VAULT}/replicationFabrics"
_LOGICAL: Final = f"{FABRIC}/replicationLogicalNetworks"

ROUTES: Final = (
    Route(
        method="GET", template=_FABRICS, operation="ReplicationFabrics_List", source="recorded", handler=list_fabrics
    ),
    Route(method="GET", template=FABRIC, operation="ReplicationFabrics_Get", source="recorded", handler=get_fabric),
    Route(method="PUT", template=FABRIC, operation="ReplicationFabrics_Create", source="recorded", handler=put_fabric),
    Route(
        method="POST",
        template=f"{FABRIC}/remove",
        operation="ReplicationFabrics_Delete",
        source="recorded",
        handler=remove_fabric,
    ),
    Route(
        method="DELETE", template=FABRIC, operation="ReplicationFabrics_Purge", source="recorded", handler=purge_fabric
    ),
    Route(
        method="GET",
        template=f"{FABRIC}/replicationNetworks",
        operation="ReplicationNetworks_ListByReplicationFabrics",
        source="recorded",
        handler=list_networks,
        note="under an Azure fabric the list is empty, which is assumed",
    ),
    Route(
        method="GET",
        template=f"{VAULT}/replicationNetworks",
        operation="ReplicationNetworks_List",
        source="recorded",
        handler=list_vault_networks,
    ),
    Route(method="GET", template=NETWORK, operation="ReplicationNetworks_Get", source="specified", handler=get_network),
    Route(
        method="GET",
        template=_LOGICAL,
        operation="ReplicationLogicalNetworks_ListByReplicationFabrics",
        source="specified",
        handler=list_logical_networks,
    ),
    Route(
        method="GET",
        template=f"{_LOGICAL}/{{network}}",
        operation="ReplicationLogicalNetworks_Get",
        source="specified",
        handler=get_logical_network,
    ),
)
