"""Virtual networks and subnets as Microsoft.Network writes them, with the properties it fills in by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from asrnet.emulator.attachments import network_properties, subnet_properties
from asrnet.emulator.site_recovery_json import Document, stable_guid
from asrnet.model.arm import ArmId
from asrnet.model.azure import Subnet, VirtualNetwork

VNET_TYPE: Final = "Microsoft.Network/virtualNetworks"
SUBNET_TYPE: Final = f"{VNET_TYPE}/subnets"
GATEWAY_SUBNET: Final = "GatewaySubnet"
_ENDPOINT_POLICIES_SINCE: Final = "2023-11-01"

Extras = Mapping[str, Mapping[str, object]]
"""Properties that were sent and that the models do not know, by the resource's key: echoed as they came."""


class View(Struct, frozen=True, kw_only=True):
    """How resources are shown: their provisioning state, with which extras, and whether with the addresses in use.

    ``expand`` is what ``$expand=subnets/ipConfigurations`` asks for. Older api-versions leave out what came later.
    """

    state: str = "Succeeded"
    extras: Extras = {}
    expand: bool = False
    api_version: str = "9999-12-31"


PLAIN: Final = View()


def network_json(network: VirtualNetwork, view: View = PLAIN) -> Document:
    """A virtual network."""
    document: Document = {
        "name": network.name,
        "id": str(network.id),
        "etag": _etag(network, view.state),
        "type": VNET_TYPE,
        "location": network.location,
    }
    if network.extended_location:
        document["extendedLocation"] = {"name": network.extended_location, "type": "EdgeZone"}
    if network.tags:
        document["tags"] = dict(network.tags)
    subnets = [subnet_json(network, subnet, view) for subnet in network.subnets]
    document["properties"] = _properties(network, view, subnets) | dict(view.extras.get(network.id.key, {}))
    return document


def _properties(network: VirtualNetwork, view: View, subnets: list[Document]) -> Document:
    properties: Document = {
        "provisioningState": view.state,
        "resourceGuid": stable_guid(str(network.id)),
        "addressSpace": {"addressPrefixes": list(network.address_space)},
    }
    if view.api_version >= _ENDPOINT_POLICIES_SINCE:
        properties["privateEndpointVNetPolicies"] = "Disabled"
    if network.dns_servers:
        properties["dhcpOptions"] = {"dnsServers": list(network.dns_servers)}
    return properties | {"subnets": subnets, **network_properties(network.id, network.attachments)}


def subnet_json(network: VirtualNetwork, subnet: Subnet, view: View = PLAIN) -> Document:
    """A subnet, as part of its network or by itself."""
    subnet_id = network.id.child("subnets", subnet.name)
    properties: Document = {"provisioningState": view.state, **_prefixes(subnet)}
    configurations = _ip_configurations(network, subnet, expand=view.expand)
    if configurations:
        properties["ipConfigurations"] = configurations
    if subnet.service_endpoints:
        endpoints = subnet.service_endpoints
        properties["serviceEndpoints"] = [_service_endpoint(name, network.location) for name in endpoints]
    properties["delegations"] = _delegations(subnet_id, subnet)
    properties["privateEndpointNetworkPolicies"] = subnet.private_endpoint_network_policies or "Disabled"
    properties["privateLinkServiceNetworkPolicies"] = subnet.private_link_service_network_policies or "Enabled"
    if subnet.default_outbound_access is not None:
        properties["defaultOutboundAccess"] = subnet.default_outbound_access
    properties |= subnet_properties(network.id, subnet.attachments)
    return {
        "name": subnet.name,
        "id": str(subnet_id),
        "etag": _etag(network, view.state),
        "properties": properties | dict(view.extras.get(subnet_id.key, {})),
        "type": SUBNET_TYPE,
    }


def _prefixes(subnet: Subnet) -> Document:
    if len(subnet.prefixes) == 1:
        return {"addressPrefix": subnet.prefixes[0]}
    return {"addressPrefixes": list(subnet.prefixes)}


def _ip_configurations(network: VirtualNetwork, subnet: Subnet, *, expand: bool) -> list[Document]:
    """What uses addresses of the subnet. Without ``expand`` only ids are shown, the group's name in upper case."""
    found: list[Document] = []
    group = f"/subscriptions/{network.id.subscription}/resourceGroups/{network.id.resource_group.upper()}"
    if network.gateway and subnet.name.lower() == GATEWAY_SUBNET.lower():
        gateway = f"{group}/providers/Microsoft.Network/virtualNetworkGateways/{network.name.upper()}-GATEWAY"
        found.append({"id": f"{gateway}/ipConfigurations/DEFAULT"})
    addresses = [*subnet.used_ips, *[None] * (subnet.used - len(subnet.used_ips))]
    for number, address in enumerate(addresses):
        nic = f"{group}/providers/Microsoft.Network/networkInterfaces/{subnet.name.upper()}-NIC-{number}"
        configuration: Document = {"id": f"{nic}/ipConfigurations/IPCONFIG1"}
        if expand and address:
            configuration["properties"] = {"privateIPAddress": address, "privateIPAllocationMethod": "Dynamic"}
        found.append(configuration)
    return found


def _service_endpoint(name: str, location: str) -> Document:
    return {"provisioningState": "Succeeded", "service": name, "locations": [location]}


class Delegation(Struct, frozen=True, kw_only=True):
    """What a subnet's delegation is called and which service it is for."""

    name: str = "delegation"
    service: str
    actions: tuple[str, ...] = ()


def delegation_json(subnet_id: ArmId, delegation: Delegation) -> Document:
    """A delegation of a subnet."""
    service = {"serviceName": delegation.service, "actions": list(delegation.actions)}
    return {
        "name": delegation.name,
        "id": f"{subnet_id}/delegations/{delegation.name}",
        "properties": {"provisioningState": "Succeeded", **service},
        "type": f"{SUBNET_TYPE}/delegations",
    }


def _delegations(subnet_id: ArmId, subnet: Subnet) -> list[Document]:
    return [delegation_json(subnet_id, Delegation(service=subnet.delegation))] if subnet.delegation else []


def _etag(network: VirtualNetwork, state: str) -> str:
    content = msgspec.json.encode((str(network.id), network.address_space, network.subnets, dict(network.tags), state))
    return f'W/"{stable_guid(hashlib.sha256(content).hexdigest())}"'
