"""Reading virtual networks and subnets from request bodies, and what of them the models do not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asrnet.emulator.attachments import network_attachments, subnet_attachments
from asrnet.emulator.bodies import Body, an_object, flag, location_of, member, objects, string_map, text, texts
from asrnet.emulator.naming import check_name
from asrnet.emulator.network_json import Delegation, delegation_json
from asrnet.emulator.refusals import GatewayError
from asrnet.model.arm import ArmId
from asrnet.model.azure import Subnet, VirtualNetwork

# What the provider computes itself, or the models carry: not echoed from the request.
_NETWORK_KNOWN: Final = frozenset(
    {"provisioningstate", "resourceguid", "addressspace", "dhcpoptions", "subnets", "virtualnetworkpeerings"}
)
_SUBNET_KNOWN: Final = frozenset(
    {"provisioningstate", "addressprefix", "addressprefixes", "ipconfigurations", "serviceendpoints", "delegations"}
    | {"privateendpointnetworkpolicies", "privatelinkservicenetworkpolicies", "defaultoutboundaccess"}
)


def read_network(network_id: ArmId, body: Body, known: VirtualNetwork | None) -> VirtualNetwork:
    """The network a PUT asks for. What uses its addresses stays from ``known``, the network as it was."""
    location = location_of(body)
    properties = an_object(body, "properties")
    used = {subnet.name.lower(): subnet for subnet in known.subnets} if known else {}
    extended = text(an_object(body, "extendedLocation"), "name")
    return VirtualNetwork(
        id=known.id if known else network_id,
        location=location,
        address_space=texts(an_object(properties, "addressSpace"), "addressPrefixes"),
        subnets=tuple(_subnet(entry, used) for entry in objects(properties, "subnets")),
        tags=string_map(body, "tags"),
        dns_servers=texts(an_object(properties, "dhcpOptions"), "dnsServers"),
        gateway=known.gateway if known else False,
        extended_location=extended,
        attachments=tuple(network_attachments(properties)),
    )


def _subnet(body: Body, used: Mapping[str, Subnet]) -> Subnet:
    name = text(body, "name")
    if name is None:
        raise GatewayError(400, "InvalidRequestFormat", "A subnet in the request has no name.")
    return read_subnet(name, body, used.get(name.lower()))


def read_subnet(name: str, body: Body, known: Subnet | None) -> Subnet:
    """The subnet a PUT asks for; what uses its addresses stays from ``known``."""
    check_name("subnet", name)
    properties = an_object(body, "properties")
    one = text(properties, "addressPrefix")
    return Subnet(
        name=name,
        prefixes=texts(properties, "addressPrefixes") or ((one,) if one else ()),
        used=known.used if known else 0,
        used_ips=known.used_ips if known else (),
        delegation=_delegation(properties),
        default_outbound_access=flag(properties, "defaultOutboundAccess"),
        private_endpoint_network_policies=text(properties, "privateEndpointNetworkPolicies"),
        private_link_service_network_policies=text(properties, "privateLinkServiceNetworkPolicies"),
        service_endpoints=tuple(text(entry, "service") or "" for entry in objects(properties, "serviceEndpoints")),
        attachments=tuple(subnet_attachments(properties)),
    )


def _delegation(properties: Body) -> str | None:
    for entry in objects(properties, "delegations"):
        return text(an_object(entry, "properties"), "serviceName")
    return None


def network_extras(network_id: ArmId, body: Body) -> dict[str, dict[str, object]]:
    """What the models do not know of a network and its subnets, by the resource's key."""
    properties = an_object(body, "properties")
    found = {network_id.key: _unknown(properties, _NETWORK_KNOWN)}
    for entry in objects(properties, "subnets"):
        subnet_id = network_id.child("subnets", str(member(entry, "name")))
        found |= subnet_extras(subnet_id, entry)
    return found


def subnet_extras(subnet_id: ArmId, body: Body) -> dict[str, dict[str, object]]:
    """What the models do not know of a subnet, by its key."""
    properties = an_object(body, "properties")
    delegations = [delegation_json(subnet_id, _delegated(entry)) for entry in objects(properties, "delegations")]
    unknown = _unknown(properties, _SUBNET_KNOWN)
    return {subnet_id.key: unknown | ({"delegations": delegations} if delegations else {})}


def _delegated(entry: Body) -> Delegation:
    properties = an_object(entry, "properties")
    name, service = text(entry, "name"), text(properties, "serviceName")
    if name is None or service is None:
        raise GatewayError(400, "InvalidRequestFormat", "A delegation in the request has no name or no serviceName.")
    return Delegation(name=name, service=service, actions=texts(properties, "actions"))


def _unknown(properties: Body, known: frozenset[str]) -> dict[str, object]:
    return {key: value for key, value in properties.items() if key.lower() not in known and value is not None}
