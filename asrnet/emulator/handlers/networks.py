"""Microsoft.Network: virtual networks, their subnets, free addresses and operations."""

from __future__ import annotations

from typing import Final

import msgspec

from asrnet.emulator.addresses import availability
from asrnet.emulator.bodies import string_map
from asrnet.emulator.call import Call
from asrnet.emulator.handlers.templates import GROUP, SUBSCRIPTION, VNET, VNETS
from asrnet.emulator.messages import Response, empty_response, json_response
from asrnet.emulator.naming import check_name
from asrnet.emulator.network_bodies import network_extras, read_network, read_subnet, subnet_extras
from asrnet.emulator.network_json import View, network_json, subnet_json
from asrnet.emulator.refusals import GatewayError
from asrnet.emulator.routing import Route
from asrnet.emulator.site_recovery_json import Document
from asrnet.fake import refusals
from asrnet.fake.operations import Started
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import Subnet, VirtualNetwork

_RETRY_AFTER: Final = 10


def list_all(call: Call) -> Response:
    """The networks of a subscription."""
    networks = call.world.virtual_networks.list(call.values["subscription"])
    return call.page(networks, lambda network: _network(call, network), null_link=False)


def list_group(call: Call) -> Response:
    """The networks of a resource group."""
    networks = call.world.virtual_networks.list(call.values["subscription"], call.values["group"])
    return call.page(networks, lambda network: _network(call, network), null_link=False)


def get_network(call: Call) -> Response:
    """One network."""
    return json_response(_network(call, call.world.virtual_networks.get(call.id("vnet"))))


def put_network(call: Call) -> Response:
    """Create or replace a network: 201 for a new one, 200 otherwise, and an operation to follow."""
    network_id = call.id("vnet")
    check_name("virtual network", network_id.name)
    body = call.request.document()
    network = read_network(network_id, body, call.world.state.network(network_id))
    extras = network_extras(network.id, body)
    started = call.world.virtual_networks.put(network)
    call.world.extras.update(extras)
    return _written(call, started, network_json(network, _view(call, network)), network.location)


def patch_network(call: Call) -> Response:
    """Change a network's tags; nothing else of it can be changed so."""
    network = call.world.virtual_networks.get(call.id("vnet"))
    tags = string_map(call.request.document(), "tags")
    call.world.virtual_networks.put(msgspec.structs.replace(network, tags=tags))
    return get_network(call)


def delete_network(call: Call) -> Response:
    """Delete a network: 204 where there is none."""
    network_id = call.id("vnet")
    known = call.world.state.network(network_id)
    started = call.world.virtual_networks.delete(network_id)
    if started is None or known is None:
        return empty_response(204)
    return _deleted(call, started, known.location)


def list_subnets(call: Call) -> Response:
    """The subnets of a network."""
    network = call.world.virtual_networks.get(call.id("vnet"))
    view = _view(call, network)
    return call.page(network.subnets, lambda subnet: subnet_json(network, subnet, view), null_link=False)


def get_subnet(call: Call) -> Response:
    """One subnet."""
    network = call.world.virtual_networks.get(call.id("vnet"))
    subnet = _find(network, call.values["subnet"])
    if subnet is None:
        raise _no_subnet(call.id("subnet"))
    return json_response(subnet_json(network, subnet, _view(call, network)))


def put_subnet(call: Call) -> Response:
    """Create or replace a subnet."""
    network_id, name = call.id("vnet"), call.values["subnet"]
    body = call.request.document()
    before = call.world.state.network(network_id)
    subnet = read_subnet(name, body, _find(before, name) if before else None)
    extras = subnet_extras(call.id("subnet"), body)
    started = call.world.virtual_networks.put_subnet(network_id, subnet)
    call.world.extras.update(extras)
    network = call.world.state.network(network_id) or refuse_missing(network_id)
    return _written(call, started, subnet_json(network, subnet, _view(call, network)), network.location)


def delete_subnet(call: Call) -> Response:
    """Delete a subnet: 204 where there is none."""
    started = call.world.virtual_networks.delete_subnet(call.id("vnet"), call.values["subnet"])
    network = call.world.state.network(call.id("vnet"))
    if started is None or network is None:
        return empty_response(204)
    return _deleted(call, started, network.location)


def check_address(call: Call) -> Response:
    """Whether an address is free, and five that are where it is not."""
    network = call.world.virtual_networks.get(call.id("vnet"))
    address = call.request.parameters.get("ipaddress", "")
    return json_response(availability(network, address))


def operation(call: Call) -> Response:
    """Where an operation of the provider stands."""
    started = _operation(call)
    document: Document = {"status": started.state}
    if started.error is not None and started.state == "Failed":
        document["error"] = {"code": started.error.code, "message": started.error.message, "details": []}
    waits = started.state == "InProgress"
    return json_response(document, headers=(("Retry-After", _pace(call)),) if waits else ())


def operation_result(call: Call) -> Response:
    """The result of an operation: 202 until it ended, then 204."""
    started = _operation(call)
    if started.state == "InProgress":
        return _deleted(call, started, call.values["location"])
    return empty_response(204)


def refuse_missing(network_id: ArmId) -> VirtualNetwork:
    """Raise the gateway's error for a network that is not there."""
    raise refusals.resource_not_found(network_id)


def _operation(call: Call) -> Started:
    call.check_signature(call.values["operation"])
    scope = ArmId(f"/subscriptions/{call.id('subscription').subscription}")
    return call.world.operations.get(call.values["operation"], scope=scope)


def _network(call: Call, network: VirtualNetwork) -> Document:
    return network_json(network, _view(call, network))


def _view(call: Call, network: VirtualNetwork) -> View:
    state = call.world.virtual_networks.provisioning_state(network.id)
    expand = "ipconfigurations" in call.request.parameters.get("$expand", "").lower()
    return View(state=state, extras=call.world.extras, expand=expand, api_version=call.request.api_version)


def _find(network: VirtualNetwork, name: str) -> Subnet | None:
    return next((subnet for subnet in network.subnets if subnet.name.lower() == name.lower()), None)


def _no_subnet(subnet_id: ArmId) -> GatewayError:
    return GatewayError(404, "NotFound", f"Resource {subnet_id} not found.")


def _written(call: Call, started: Started, document: Document, location: str) -> Response:
    status = 201 if started.created else 200
    headers = (("Azure-AsyncOperation", _status_url(call, started, location)), ("Retry-After", _pace(call)))
    return json_response(document, status=status, headers=headers)


def _deleted(call: Call, started: Started, location: str) -> Response:
    status_url = _status_url(call, started, location)
    return empty_response(
        202,
        ("Azure-AsyncOperation", status_url),
        ("Location", status_url.replace("/operations/", "/operationResults/")),
        ("Retry-After", _pace(call)),
    )


def _status_url(call: Call, started: Started, location: str) -> str:
    path = f"/subscriptions/{call.values['subscription']}/providers/Microsoft.Network/locations"
    return f"{call.request.origin}{path}/{normal_location(location)}/operations/{call.signed(started.id)}"


def _pace(call: Call) -> str:
    return str(min(_RETRY_AFTER, call.world.behaviour.retry_after))


_NO_LINK: Final = "that an empty list has no nextLink is recorded"
_LOCATION: Final = f"{SUBSCRIPTION}/providers/Microsoft.Network/locations/{{location}}"

ROUTES: Final = (
    Route(
        method="GET",
        template=f"{SUBSCRIPTION}/{VNETS}",
        operation="VirtualNetworks_ListAll",
        source="specified",
        handler=list_all,
        note=_NO_LINK,
    ),
    Route(
        method="GET",
        template=f"{GROUP}/{VNETS}",
        operation="VirtualNetworks_List",
        source="specified",
        handler=list_group,
        note=_NO_LINK,
    ),
    Route(method="GET", template=VNET, operation="VirtualNetworks_Get", source="recorded", handler=get_network),
    Route(
        method="PUT", template=VNET, operation="VirtualNetworks_CreateOrUpdate", source="recorded", handler=put_network
    ),
    Route(
        method="PATCH", template=VNET, operation="VirtualNetworks_UpdateTags", source="specified", handler=patch_network
    ),
    Route(
        method="DELETE", template=VNET, operation="VirtualNetworks_Delete", source="specified", handler=delete_network
    ),
    Route(
        method="GET",
        template=f"{VNET}/CheckIPAddressAvailability",
        operation="VirtualNetworks_CheckIPAddressAvailability",
        source="specified",
        handler=check_address,
    ),
    Route(method="GET", template=f"{VNET}/subnets", operation="Subnets_List", source="specified", handler=list_subnets),
    Route(
        method="GET",
        template=f"{VNET}/subnets/{{subnet}}",
        operation="Subnets_Get",
        source="specified",
        handler=get_subnet,
    ),
    Route(
        method="PUT",
        template=f"{VNET}/subnets/{{subnet}}",
        operation="Subnets_CreateOrUpdate",
        source="specified",
        handler=put_subnet,
    ),
    Route(
        method="DELETE",
        template=f"{VNET}/subnets/{{subnet}}",
        operation="Subnets_Delete",
        source="specified",
        handler=delete_subnet,
    ),
    Route(
        method="GET",
        template=f"{_LOCATION}/operations/{{operation}}",
        operation="NetworkOperations_Get",
        source="documented",
        handler=operation,
    ),
    Route(
        method="GET",
        template=f"{_LOCATION}/operationResults/{{operation}}",
        operation="NetworkOperationResults_Get",
        source="documented",
        handler=operation_result,
    ),
)
