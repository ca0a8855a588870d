"""Virtual networks and subnets as Microsoft.Network writes and reads them.

``attachments`` use the words of the models (``asrnet.model.azure``): a kind, followed by a name if there is one.
Extras, kept by resource key, are properties that a client sent and the models do not have; they are returned unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from asrnet.emulator.bodies import (
    Body,
    an_object,
    check_name,
    flag,
    location_of,
    objects,
    string_map,
    text,
    texts,
)
from asrnet.emulator.messages import Document, GatewayError
from asrnet.fake.operations import stable_guid
from asrnet.model.arm import ArmId
from asrnet.model.azure import InterfaceAddress, NetworkInterface, Peering, Subnet, VirtualNetwork
from asrnet.model.bodies import member

VNET_TYPE: Final = "Microsoft.Network/virtualNetworks"
_SUBNET_TYPE: Final = f"{VNET_TYPE}/subnets"
_GATEWAY_SUBNET: Final = "GatewaySubnet"
# privateEndpointVNetPolicies was added in this api-version; responses to older versions do not have it.
_ENDPOINT_POLICIES_SINCE: Final = "2023-11-01"

# An attachment of a subnet, the property that refers to it, and the last segment of its resource type.
_SUBNET_ATTACHMENTS: Final = (
    ("network security group", "networkSecurityGroup", "networkSecurityGroups"),
    ("route table", "routeTable", "routeTables"),
    ("NAT gateway", "natGateway", "natGateways"),
)
_POLICY: Final = "service endpoint policy"
_PEERING: Final = "peering"
_DDOS: Final = "DDoS protection plan"
_ENCRYPTION: Final = "encryption"

# Properties that the provider computes or that the models carry, so requests do not set them as extras.
_NETWORK_PROPERTIES: Final = frozenset(
    {"provisioningstate", "resourceguid", "addressspace", "dhcpoptions", "subnets", "virtualnetworkpeerings"}
)
_SUBNET_PROPERTIES: Final = frozenset(
    {
        "provisioningstate",
        "addressprefix",
        "addressprefixes",
        "ipconfigurations",
        "serviceendpoints",
        "delegations",
        "privateendpointnetworkpolicies",
        "privatelinkservicenetworkpolicies",
        "defaultoutboundaccess",
    }
)

Extras = Mapping[str, Mapping[str, object]]


class View(Struct, frozen=True, kw_only=True):
    """How networks are written: the provisioning state, the extras, the detail of addresses in use, the api-version.

    ``expand`` corresponds to ``$expand=subnets/ipConfigurations``. Older api-versions lack the properties added later.
    """

    state: str = "Succeeded"
    extras: Extras = {}
    expand: bool = False
    # Versions are dates, so they compare as strings. The default is later than any real version.
    api_version: str = "9999-12-31"


def network_json(network: VirtualNetwork, view: View) -> Document:
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
    properties: Document = {
        "provisioningState": view.state,
        "resourceGuid": stable_guid(str(network.id)),
        "addressSpace": {"addressPrefixes": list(network.address_space)},
    }
    if view.api_version >= _ENDPOINT_POLICIES_SINCE:
        properties["privateEndpointVNetPolicies"] = "Disabled"
    if network.dns_servers:
        properties["dhcpOptions"] = {"dnsServers": list(network.dns_servers)}
    properties["subnets"] = [subnet_json(network, subnet, view) for subnet in network.subnets]
    properties["virtualNetworkPeerings"] = [
        *(_peering_json(network.id, name, None) for name in _names(network.attachments, _PEERING)),
        *(_peering_json(network.id, peering.name or peering.network_id.name, peering) for peering in network.peerings),
    ]
    properties["enableDdosProtection"] = _DDOS in network.attachments
    if _DDOS in network.attachments:
        properties["ddosProtectionPlan"] = {"id": _neighbour(network.id, "ddosProtectionPlans", "plan")}
    if _ENCRYPTION in network.attachments:
        properties["encryption"] = {"enabled": True, "enforcement": "AllowUnencrypted"}
    document["properties"] = properties | dict(view.extras.get(network.id.key, {}))
    return document


def interface_json(interface: NetworkInterface) -> Document:
    """A network interface. The names of members follow the specification, because no recording shows one."""
    properties: Document = {
        "provisioningState": "Succeeded",
        "ipConfigurations": [_interface_address_json(interface.id, address) for address in interface.ip_configurations],
        "dnsSettings": {"dnsServers": list(interface.dns_servers), "appliedDnsServers": []},
        "enableAcceleratedNetworking": interface.accelerated_networking,
        "enableIPForwarding": False,
    }
    if interface.network_security_group:
        properties["networkSecurityGroup"] = {"id": str(interface.network_security_group)}
    return {
        "name": interface.id.name,
        "id": str(interface.id),
        "type": "Microsoft.Network/networkInterfaces",
        "location": interface.location,
        "properties": properties,
    }


def _interface_address_json(interface_id: ArmId, address: InterfaceAddress) -> Document:
    properties: Document = {
        "provisioningState": "Succeeded",
        "primary": address.primary,
        "privateIPAddress": address.ip,
        "privateIPAllocationMethod": address.ip_type or "Dynamic",
        "privateIPAddressVersion": "IPv4",
    }
    if address.network and address.subnet:
        properties["subnet"] = {"id": str(address.network.child("subnets", address.subnet))}
    if address.public_ip:
        properties["publicIPAddress"] = {"id": str(address.public_ip)}
    for name, resource_ids in (
        ("loadBalancerBackendAddressPools", address.load_balancer_pools),
        ("loadBalancerInboundNatRules", address.inbound_nat_rules),
        ("applicationGatewayBackendAddressPools", address.application_gateway_pools),
        ("applicationSecurityGroups", address.application_security_groups),
    ):
        if resource_ids:
            properties[name] = [{"id": str(resource_id)} for resource_id in resource_ids]
    return {
        "name": address.name,
        "id": f"{interface_id}/ipConfigurations/{address.name}",
        "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
        "properties": properties,
    }


def _peering_json(network_id: ArmId, name: str, peering: Peering | None) -> Document:
    properties: Document = {"provisioningState": "Succeeded", "peeringState": "Connected"}
    if peering is not None:
        properties |= {
            "peeringState": "Connected" if peering.connected else "Disconnected",
            "remoteVirtualNetwork": {"id": str(peering.network_id)},
            "allowVirtualNetworkAccess": True,
            "allowForwardedTraffic": peering.allow_forwarded,
            "allowGatewayTransit": False,
            "useRemoteGateways": peering.use_remote_gateways,
        }
    return {
        "name": name,
        "id": f"{network_id}/virtualNetworkPeerings/{name}",
        "type": f"{VNET_TYPE}/virtualNetworkPeerings",
        "properties": properties,
    }


def subnet_json(network: VirtualNetwork, subnet: Subnet, view: View) -> Document:
    """A subnet, as part of its network or by itself."""
    subnet_id = network.id.child("subnets", subnet.name)
    properties: Document = {"provisioningState": view.state}
    # Recorded: a single prefix is in the singular member. The plural member is specified.
    if len(subnet.prefixes) == 1:
        properties["addressPrefix"] = subnet.prefixes[0]
    else:
        properties["addressPrefixes"] = list(subnet.prefixes)
    if configurations := _ip_configurations(network, subnet, expand=view.expand):
        properties["ipConfigurations"] = configurations
    if subnet.service_endpoints:
        properties["serviceEndpoints"] = [
            {"provisioningState": "Succeeded", "service": name, "locations": [network.location]}
            for name in subnet.service_endpoints
        ]
    properties["delegations"] = (
        [_delegation_json(subnet_id, "delegation", subnet.delegation, ())] if subnet.delegation else []
    )
    properties["privateEndpointNetworkPolicies"] = subnet.private_endpoint_network_policies or "Disabled"
    properties["privateLinkServiceNetworkPolicies"] = subnet.private_link_service_network_policies or "Enabled"
    if subnet.default_outbound_access is not None:
        properties["defaultOutboundAccess"] = subnet.default_outbound_access
    for kind, name, plural in _SUBNET_ATTACHMENTS:
        for attached in _names(subnet.attachments, kind):
            properties[name] = {"id": _neighbour(network.id, plural, attached)}
    if subnet.network_security_group:
        properties["networkSecurityGroup"] = {"id": str(subnet.network_security_group)}
    if subnet.route_table:
        properties["routeTable"] = {"id": str(subnet.route_table)}
    if policies := _names(subnet.attachments, _POLICY):
        properties["serviceEndpointPolicies"] = [
            {"id": _neighbour(network.id, "serviceEndpointPolicies", name)} for name in policies
        ]
    return {
        "name": subnet.name,
        "id": str(subnet_id),
        "etag": _etag(network, view.state),
        "properties": properties | dict(view.extras.get(subnet_id.key, {})),
        "type": _SUBNET_TYPE,
    }


def _ip_configurations(network: VirtualNetwork, subnet: Subnet, *, expand: bool) -> list[Document]:
    """The IP configurations in the subnet. Without ``expand``, only their ids, with the group's name in upper case."""
    # Recorded: the casing of these ids differs from that of the resources, so clients must ignore case.
    configurations: list[Document] = []
    group = f"/subscriptions/{network.id.subscription}/resourceGroups/{network.id.resource_group.upper()}"
    if network.gateway and subnet.name.lower() == _GATEWAY_SUBNET.lower():
        gateway = f"{group}/providers/Microsoft.Network/virtualNetworkGateways/{network.name.upper()}-GATEWAY"
        configurations.append({"id": f"{gateway}/ipConfigurations/DEFAULT"})
    # A world may count more addresses in use than it lists; the others get an id and no address.
    addresses = [*subnet.used_ips, *[None] * (subnet.used - len(subnet.used_ips))]
    for number, address in enumerate(addresses):
        nic = f"{group}/providers/Microsoft.Network/networkInterfaces/{subnet.name.upper()}-NIC-{number}"
        configuration: Document = {"id": f"{nic}/ipConfigurations/IPCONFIG1"}
        if expand and address:
            configuration["properties"] = {"privateIPAddress": address, "privateIPAllocationMethod": "Dynamic"}
        configurations.append(configuration)
    return configurations


def _delegation_json(subnet_id: ArmId, name: str, service: str, actions: tuple[str, ...]) -> Document:
    return {
        "name": name,
        "id": f"{subnet_id}/delegations/{name}",
        "properties": {"provisioningState": "Succeeded", "serviceName": service, "actions": list(actions)},
        "type": f"{_SUBNET_TYPE}/delegations",
    }


def _names(attachments: tuple[str, ...], kind: str) -> list[str]:
    return [attached.removeprefix(f"{kind} ") for attached in attachments if attached.startswith(f"{kind} ")]


def _neighbour(network_id: ArmId, kind: str, name: str) -> str:
    """The id of another Microsoft.Network resource in the network's resource group."""
    return f"{network_id.parent}/providers/Microsoft.Network/{kind}/{name}"


def _etag(network: VirtualNetwork, state: str) -> str:
    shown = (str(network.id), network.address_space, network.subnets, dict(network.tags), state)
    content = msgspec.json.encode(shown, enc_hook=str)  # ids are not a builtin type
    return f'W/"{stable_guid(hashlib.sha256(content).hexdigest())}"'


_OMITTED_SUBNETS_KEPT_SINCE: Final = "2023-09-01"
"""Announced on the Azure blog: before this api-version, a PUT without subnets deleted the network's subnets."""


def read_network(network_id: ArmId, body: Body, before: VirtualNetwork | None, api_version: str) -> VirtualNetwork:
    """Read the network in a PUT. Addresses in use and omitted subnets are kept as they were ``before``."""
    location = location_of(body)
    properties = an_object(body, "properties")
    # The addresses in use are not part of the body, because other resources occupy them.
    subnets_before = {subnet.name.lower(): subnet for subnet in before.subnets} if before else {}
    subnets: list[Subnet] = []
    for entry in objects(properties, "subnets"):
        name = text(entry, "name")
        if name is None:
            raise GatewayError(400, "InvalidRequestFormat", "A subnet in the request has no name.")
        subnets.append(read_subnet(name, entry, subnets_before.get(name.lower())))
    if member(properties, "subnets") is None and before and api_version >= _OMITTED_SUBNETS_KEPT_SINCE:
        subnets = [*before.subnets]
    attachments = [f"{_PEERING} {text(peering, 'name')}" for peering in objects(properties, "virtualNetworkPeerings")]
    if text(an_object(properties, "ddosProtectionPlan"), "id"):
        attachments.append(_DDOS)
    if flag(an_object(properties, "encryption"), "enabled"):
        attachments.append(_ENCRYPTION)
    return VirtualNetwork(
        id=before.id if before else network_id,
        location=location,
        address_space=texts(an_object(properties, "addressSpace"), "addressPrefixes"),
        subnets=tuple(subnets),
        tags=string_map(body, "tags"),
        dns_servers=texts(an_object(properties, "dhcpOptions"), "dnsServers"),
        gateway=before.gateway if before else False,
        extended_location=text(an_object(body, "extendedLocation"), "name"),
        attachments=tuple(attachments),
    )


def read_subnet(name: str, body: Body, before: Subnet | None) -> Subnet:
    """Read the subnet in a PUT. Addresses in use are kept as they were ``before``."""
    check_name("subnet", name)
    properties = an_object(body, "properties")
    prefix = text(properties, "addressPrefix")
    delegations = objects(properties, "delegations")
    attachments: list[str] = []
    for kind, property_name, _ in _SUBNET_ATTACHMENTS:
        reference = text(an_object(properties, property_name), "id")
        if reference:
            attachments.append(f"{kind} {reference.rpartition('/')[2]}")
    policies = objects(properties, "serviceEndpointPolicies")
    attachments += [f"{_POLICY} {(text(policy, 'id') or '').rpartition('/')[2]}" for policy in policies]
    return Subnet(
        name=name,
        prefixes=texts(properties, "addressPrefixes") or ((prefix,) if prefix else ()),
        used=before.used if before else 0,
        used_ips=before.used_ips if before else (),
        delegation=text(an_object(delegations[0], "properties"), "serviceName") if delegations else None,
        default_outbound_access=flag(properties, "defaultOutboundAccess"),
        private_endpoint_network_policies=text(properties, "privateEndpointNetworkPolicies"),
        private_link_service_network_policies=text(properties, "privateLinkServiceNetworkPolicies"),
        service_endpoints=tuple(text(entry, "service") or "" for entry in objects(properties, "serviceEndpoints")),
        attachments=tuple(attachments),
    )


def network_extras(network_id: ArmId, body: Body) -> dict[str, dict[str, object]]:
    """The properties of a network and its subnets that the models do not have, by resource key."""
    properties = an_object(body, "properties")
    extras = {network_id.key: _unknown(properties, _NETWORK_PROPERTIES)}
    for entry in objects(properties, "subnets"):
        extras |= subnet_extras(network_id.child("subnets", str(member(entry, "name"))), entry)
    return extras


def subnet_extras(subnet_id: ArmId, body: Body) -> dict[str, dict[str, object]]:
    """The properties of a subnet that the models do not have, by resource key."""
    properties = an_object(body, "properties")
    delegations: list[Document] = []
    for entry in objects(properties, "delegations"):
        details = an_object(entry, "properties")
        name, service = text(entry, "name"), text(details, "serviceName")
        if name is None or service is None:
            message = "A delegation in the request has no name or no serviceName."
            raise GatewayError(400, "InvalidRequestFormat", message)
        delegations.append(_delegation_json(subnet_id, name, service, texts(details, "actions")))
    unknown = _unknown(properties, _SUBNET_PROPERTIES)
    return {subnet_id.key: unknown | ({"delegations": delegations} if delegations else {})}


def _unknown(properties: Body, known: frozenset[str]) -> dict[str, object]:
    return {key: value for key, value in properties.items() if key.lower() not in known and value is not None}
