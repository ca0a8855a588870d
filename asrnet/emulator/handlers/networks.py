"""Microsoft.Network: virtual networks, their subnets, free addresses and operations."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from asrnet.emulator.bodies import check_name, string_map
from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.network_shapes import (
    View,
    interface_json,
    network_extras,
    network_json,
    read_network,
    read_subnet,
    subnet_extras,
    subnet_json,
)
from asrnet.emulator.messages import Document, GatewayError, Response, empty_response, json_response
from asrnet.emulator.routing import GROUP, SUBSCRIPTION, VNET, VNETS, Routes
from asrnet.fake import refusals
from asrnet.fake.operations import Started
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import NetworkSecurityGroup, RouteTable, Subnet, VirtualNetwork

routes: Final = Routes()

_CONDITIONS: Final = "the effect of If-Match and If-None-Match is assumed"
_NO_LINK: Final = "recorded: an empty list has no nextLink"
_SUBNET: Final = f"{VNET}/subnets/{{subnet}}"
_SECURITY_GROUP: Final = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/{{security_group}}"
_ROUTE_TABLE: Final = f"{GROUP}/providers/Microsoft.Network/routeTables/{{route_table}}"
_INTERFACES: Final = f"{SUBSCRIPTION}/providers/Microsoft.Network/networkInterfaces"
_LOCATION: Final = f"{SUBSCRIPTION}/providers/Microsoft.Network/locations/{{location}}"
_RETRY_AFTER: Final = 10
"""The Retry-After of Microsoft.Network in seconds, unless the world sets a shorter one."""


@routes.get(f"{SUBSCRIPTION}/{VNETS}", "VirtualNetworks_ListAll", "specified", _NO_LINK)
@routes.get(f"{GROUP}/{VNETS}", "VirtualNetworks_List", "specified", _NO_LINK)
def list_networks(call: Call) -> Response:
    """The networks of a subscription or of a resource group."""
    networks = call.world.virtual_networks.list(call.values["subscription"], call.values.get("group"))
    return call.page(networks, lambda network: network_json(network, _view(call, network)), null_link=False)


@routes.get(VNET, "VirtualNetworks_Get", "recorded")
def get_network(call: Call) -> Response:
    """One network."""
    network = call.world.virtual_networks.get(call.id("vnet"))
    document = network_json(network, _view(call, network))
    etag = ("ETag", str(document["etag"]))
    if call.request.header("if-none-match") == etag[1]:
        return empty_response(304, etag)
    return json_response(document, headers=(etag,))


@routes.put(
    VNET,
    "VirtualNetworks_CreateOrUpdate",
    "recorded",
    f"{_CONDITIONS}; documented: since api-version 2023-09-01 omitted subnets are kept",
)
def put_network(call: Call) -> Response:
    """Create or replace a network: 201 for a new one, otherwise 200, and the URL of an operation."""
    network_id = call.id("vnet")
    check_name("virtual network", network_id.name)
    body = call.request.document()
    _check_conditions(call)
    network = read_network(network_id, body, call.world.state.network(network_id), call.request.api_version)
    extras = network_extras(network.id, body)
    started = call.world.virtual_networks.put(network)
    call.world.extras.update(extras)
    return _written(call, started, network_json(network, _view(call, network)), network.location)


@routes.patch(VNET, "VirtualNetworks_UpdateTags", "specified", _CONDITIONS)
def patch_network(call: Call) -> Response:
    """Change a network's tags; a PATCH can change nothing else."""
    network = call.world.virtual_networks.get(call.id("vnet"))
    _check_conditions(call)
    tags = string_map(call.request.document(), "tags")
    call.world.virtual_networks.put(msgspec.structs.replace(network, tags=tags))
    return get_network(call)


@routes.delete(VNET, "VirtualNetworks_Delete", "specified", _CONDITIONS)
def delete_network(call: Call) -> Response:
    """Delete a network; 204 if there is none."""
    network_id = call.id("vnet")
    network = call.world.state.network(network_id)
    _check_conditions(call)
    started = call.world.virtual_networks.delete(network_id)
    if started is None or network is None:
        return empty_response(204)
    return _deleted(call, started, network.location)


@routes.get(f"{VNET}/subnets", "Subnets_List", "specified")
def list_subnets(call: Call) -> Response:
    """The subnets of a network."""
    network = call.world.virtual_networks.get(call.id("vnet"))
    view = _view(call, network)
    return call.page(network.subnets, lambda subnet: subnet_json(network, subnet, view), null_link=False)


@routes.get(_SUBNET, "Subnets_Get", "specified")
def get_subnet(call: Call) -> Response:
    """One subnet."""
    network = call.world.virtual_networks.get(call.id("vnet"))
    subnet = _find(network, call.values["subnet"])
    if subnet is None:
        raise GatewayError(404, "NotFound", f"Resource {call.id('subnet')} not found.")
    document = subnet_json(network, subnet, _view(call, network))
    return json_response(document, headers=(("ETag", str(document["etag"])),))


@routes.put(_SUBNET, "Subnets_CreateOrUpdate", "specified")
def put_subnet(call: Call) -> Response:
    """Create or replace a subnet."""
    network_id, name = call.id("vnet"), call.values["subnet"]
    body = call.request.document()
    before = call.world.state.network(network_id)
    subnet = read_subnet(name, body, _find(before, name) if before else None)
    extras = subnet_extras(call.id("subnet"), body)
    started = call.world.virtual_networks.put_subnet(network_id, subnet)
    call.world.extras.update(extras)
    network = call.world.state.network(network_id)
    if network is None:
        raise refusals.resource_not_found(network_id)
    return _written(call, started, subnet_json(network, subnet, _view(call, network)), network.location)


@routes.delete(_SUBNET, "Subnets_Delete", "specified")
def delete_subnet(call: Call) -> Response:
    """Delete a subnet; 204 if there is none."""
    started = call.world.virtual_networks.delete_subnet(call.id("vnet"), call.values["subnet"])
    network = call.world.state.network(call.id("vnet"))
    if started is None or network is None:
        return empty_response(204)
    return _deleted(call, started, network.location)


def _view(call: Call, network: VirtualNetwork) -> View:
    return View(
        state=call.world.virtual_networks.provisioning_state(network.id),
        extras=call.world.extras,
        expand="ipconfigurations" in call.request.parameters.get("$expand", "").lower(),
        api_version=call.request.api_version,
    )


def _check_conditions(call: Call) -> None:
    """Refuse a write if its If-Match or If-None-Match does not hold for the current network."""
    if_match, if_none_match = call.request.header("if-match"), call.request.header("if-none-match")
    if not if_match and not if_none_match:
        return
    network = call.world.state.network(call.id("vnet"))
    etag = str(network_json(network, _view(call, network))["etag"]) if network else None
    if (if_match and (etag is None or if_match not in {"*", etag})) or (
        if_none_match and etag is not None and if_none_match in {"*", etag}
    ):
        message = "The condition specified using HTTP conditional header(s) is not met."
        raise GatewayError(412, "PreconditionFailed", message)


def _find(network: VirtualNetwork, name: str) -> Subnet | None:
    return next((subnet for subnet in network.subnets if subnet.name.lower() == name.lower()), None)


_RESERVED: Final = 4
"""Azure reserves the first four addresses and the last address of every subnet."""


@routes.get(f"{VNET}/CheckIPAddressAvailability", "VirtualNetworks_CheckIPAddressAvailability", "specified")
def check_address(call: Call) -> Response:
    """Check whether an address is free, and suggest five free ones if it is not."""
    network = call.world.virtual_networks.get(call.id("vnet"))
    text = call.request.parameters.get("ipaddress", "")
    try:
        address = ipaddress.IPv4Address(text)
    except ipaddress.AddressValueError as error:
        raise GatewayError(400, "InvalidIPAddressFormat", f"IP address '{text[:100]}' is not valid.") from error
    subnet, prefix = next(
        ((subnet, prefix) for subnet in network.subnets for prefix in _ipv4_prefixes(subnet) if address in prefix),
        (None, None),
    )
    if subnet is None or prefix is None:
        message = f"Private static IP address {address} does not belong to the range of any subnet of '{network.name}'."
        raise GatewayError(400, "PrivateIPAddressNotInAnySubnet", message)
    offset = int(address) - int(prefix.network_address)
    reserved = offset < _RESERVED or address == prefix.broadcast_address
    free = not reserved and str(address) not in subnet.used_ips
    suggestions = [] if free else [str(free_address) for free_address in islice(_free_addresses(subnet), 5)]
    return json_response({"available": free, "availableIPAddresses": suggestions, "isPlatformReserved": reserved})


def _ipv4_prefixes(subnet: Subnet) -> Iterator[ipaddress.IPv4Network]:
    for text in subnet.prefixes:
        prefix = ipaddress.ip_network(text, strict=False)
        if isinstance(prefix, ipaddress.IPv4Network):
            yield prefix


def _free_addresses(subnet: Subnet) -> Iterator[ipaddress.IPv4Address]:
    used = {ipaddress.ip_address(text) for text in subnet.used_ips}
    for prefix in _ipv4_prefixes(subnet):
        for number in range(int(prefix.network_address) + _RESERVED, int(prefix.broadcast_address)):
            if ipaddress.IPv4Address(number) not in used:
                yield ipaddress.IPv4Address(number)


@routes.get(_SECURITY_GROUP, "NetworkSecurityGroups_Get", "specified", "only those in the world file, without rules")
@routes.get(_ROUTE_TABLE, "RouteTables_Get", "specified", "only those in the world file, without routes")
def get_attachment(call: Call) -> Response:
    """A resource that subnets can be attached to."""
    attachment: NetworkSecurityGroup | RouteTable
    if "security_group" in call.values:
        kind, attachment = "networkSecurityGroups", call.world.security_groups.get(call.id("security_group"))
    else:
        kind, attachment = "routeTables", call.world.route_tables.get(call.id("route_table"))
    return json_response(
        {
            "name": attachment.id.name,
            "id": str(attachment.id),
            "type": f"Microsoft.Network/{kind}",
            "location": attachment.location,
            "properties": {"provisioningState": "Succeeded"},
        }
    )


@routes.get(_INTERFACES, "NetworkInterfaces_ListAll", "specified", _NO_LINK)
def list_interfaces(call: Call) -> Response:
    """The network interfaces of a subscription."""
    interfaces = call.world.network_interfaces.list(call.values["subscription"])
    return call.page(interfaces, interface_json, null_link=False)


@routes.get(f"{_LOCATION}/operations/{{operation}}", "NetworkOperations_Get", "documented")
def get_operation(call: Call) -> Response:
    """The status of an operation of the provider."""
    started = _operation(call)
    document: Document = {"status": started.state}
    if started.error is not None and started.state == "Failed":
        document["error"] = {"code": started.error.code, "message": started.error.message, "details": []}
    in_progress = started.state == "InProgress"
    return json_response(document, headers=(_retry_after(call),) if in_progress else ())


@routes.get(f"{_LOCATION}/operationResults/{{operation}}", "NetworkOperationResults_Get", "documented")
def get_operation_result(call: Call) -> Response:
    """The result of an operation: 202 until it has ended, then 204."""
    started = _operation(call)
    if started.state == "InProgress":
        return _deleted(call, started, call.values["location"])
    return empty_response(204)


def _operation(call: Call) -> Started:
    call.check_signature(call.values["operation"])
    scope = ArmId(f"/subscriptions/{call.id('subscription').subscription}")
    return call.world.operations.get(call.values["operation"], scope=scope)


def _written(call: Call, started: Started, document: Document, location: str) -> Response:
    status_url = ("Azure-AsyncOperation", _status_url(call, started, location))
    headers = (status_url, _retry_after(call), ("ETag", str(document["etag"])))
    return json_response(document, status=201 if started.created else 200, headers=headers)


def _deleted(call: Call, started: Started, location: str) -> Response:
    status_url = _status_url(call, started, location)
    return empty_response(
        202,
        ("Azure-AsyncOperation", status_url),
        ("Location", status_url.replace("/operations/", "/operationResults/")),
        _retry_after(call),
    )


def _status_url(call: Call, started: Started, location: str) -> str:
    path = f"/subscriptions/{call.values['subscription']}/providers/Microsoft.Network/locations"
    return f"{call.request.origin}{path}/{normal_location(location)}/operations/{call.signed(started.id)}"


def _retry_after(call: Call) -> tuple[str, str]:
    return "Retry-After", str(min(_RETRY_AFTER, call.world.behaviour.retry_after))
