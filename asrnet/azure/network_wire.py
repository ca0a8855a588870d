"""Virtual networks as Microsoft.Network and Resource Graph write them, and the body that creates one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import field

from asrnet.azure.wire import Wire
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import Subnet, VirtualNetwork

_GATEWAY_SUBNET: Final = "gatewaysubnet"


class Reference(Wire, frozen=True):
    """Another resource, by id."""

    id: str | None = None


class Named(Wire, frozen=True):
    """Something of which only the name matters."""

    name: str | None = None


class IpConfigurationProperties(Wire, frozen=True):
    """The properties of an ip configuration, which are told only when asked for."""

    private_address: str | None = field(default=None, name="privateIPAddress")


class IpConfiguration(Wire, frozen=True):
    """Something that uses an address of a subnet."""

    id: str | None = None
    properties: IpConfigurationProperties | None = None


class AddressSpace(Wire, frozen=True):
    """A network's prefixes."""

    address_prefixes: tuple[str, ...] | None = None
    ipam_pool_prefix_allocations: tuple[Any, ...] | None = None


class DhcpOptions(Wire, frozen=True):
    """A network's DNS servers."""

    dns_servers: tuple[str, ...] | None = None


class Encryption(Wire, frozen=True):
    """Whether traffic inside the network is encrypted."""

    enabled: bool | None = None


class DelegationProperties(Wire, frozen=True):
    """To which service a subnet is delegated."""

    service_name: str | None = None


class Delegation(Wire, frozen=True):
    """A subnet's delegation."""

    properties: DelegationProperties | None = None


class ServiceEndpoint(Wire, frozen=True):
    """A service reached from a subnet directly."""

    service: str | None = None


class SubnetProperties(Wire, frozen=True):
    """The properties of a subnet."""

    address_prefix: str | None = None
    address_prefixes: tuple[str, ...] | None = None
    ip_configurations: tuple[IpConfiguration, ...] | None = None
    delegations: tuple[Delegation, ...] | None = None
    default_outbound_access: bool | None = None
    private_endpoint_network_policies: str | None = None
    private_link_service_network_policies: str | None = None
    service_endpoints: tuple[ServiceEndpoint, ...] | None = None
    network_security_group: Reference | None = None
    route_table: Reference | None = None
    nat_gateway: Reference | None = None
    service_endpoint_policies: tuple[Reference, ...] | None = None
    ipam_pool_prefix_allocations: tuple[Any, ...] | None = None


class WireSubnet(Wire, frozen=True):
    """A subnet."""

    name: str
    properties: SubnetProperties | None = None


class NetworkProperties(Wire, frozen=True):
    """The properties of a virtual network."""

    address_space: AddressSpace | None = None
    dhcp_options: DhcpOptions | None = None
    subnets: tuple[WireSubnet, ...] | None = None
    virtual_network_peerings: tuple[Named, ...] | None = None
    ddos_protection_plan: Reference | None = None
    encryption: Encryption | None = None


class WireNetwork(Wire, frozen=True):
    """A virtual network."""

    id: str
    location: str = ""
    tags: Mapping[str, str | None] | None = None
    extended_location: Named | None = None
    properties: NetworkProperties | None = None


def read_network(row: WireNetwork) -> VirtualNetwork:
    """A virtual network as asrnet knows it."""
    properties = row.properties or NetworkProperties()
    space = properties.address_space or AddressSpace()
    subnets = tuple(_subnet(subnet) for subnet in properties.subnets or ())
    return VirtualNetwork(
        id=ArmId(row.id),
        location=normal_location(row.location),
        address_space=space.address_prefixes or (),
        subnets=subnets,
        tags={name: value or "" for name, value in (row.tags or {}).items()},
        dns_servers=(properties.dhcp_options and properties.dhcp_options.dns_servers) or (),
        gateway=any(subnet.name.lower() == _GATEWAY_SUBNET and subnet.used for subnet in subnets),
        extended_location=row.extended_location.name if row.extended_location else None,
        attachments=tuple(_network_attachments(properties, space)),
    )


def network_body(network: VirtualNetwork) -> dict[str, Any]:
    """The body that creates ``network``.

    What newer versions of the API default differently is said explicitly: whether a subnet reaches the internet by
    itself, and how private endpoints are treated.
    """
    properties: dict[str, Any] = {
        "addressSpace": {"addressPrefixes": list(network.address_space)},
        "subnets": [_subnet_body(subnet) for subnet in network.subnets],
    }
    if network.dns_servers:
        properties["dhcpOptions"] = {"dnsServers": list(network.dns_servers)}
    return {"location": network.location, "tags": dict(network.tags), "properties": properties}


def _subnet(row: WireSubnet) -> Subnet:
    properties = row.properties or SubnetProperties()
    prefixes = properties.address_prefixes or ((properties.address_prefix,) if properties.address_prefix else ())
    services = (endpoint.service for endpoint in properties.service_endpoints or ())
    users = properties.ip_configurations or ()
    addresses = (user.properties.private_address for user in users if user.properties)
    return Subnet(
        name=row.name,
        prefixes=prefixes,
        used=len(users),
        used_ips=tuple(address for address in addresses if address),
        delegation=_delegation(properties),
        default_outbound_access=properties.default_outbound_access,
        private_endpoint_network_policies=properties.private_endpoint_network_policies,
        private_link_service_network_policies=properties.private_link_service_network_policies,
        service_endpoints=tuple(service for service in services if service),
        attachments=tuple(_subnet_attachments(properties)),
    )


def _delegation(properties: SubnetProperties) -> str | None:
    details = (delegation.properties for delegation in properties.delegations or ())
    return next((each.service_name for each in details if each and each.service_name), None)


def _subnet_body(subnet: Subnet) -> dict[str, Any]:
    one = len(subnet.prefixes) == 1
    properties: dict[str, Any] = {"addressPrefix": subnet.prefixes[0]} if one else {"addressPrefixes": subnet.prefixes}
    properties["defaultOutboundAccess"] = subnet.default_outbound_access is not False
    optional = {
        "privateEndpointNetworkPolicies": subnet.private_endpoint_network_policies,
        "privateLinkServiceNetworkPolicies": subnet.private_link_service_network_policies,
        "serviceEndpoints": [{"service": service} for service in subnet.service_endpoints],
    }
    properties |= {name: value for name, value in optional.items() if value}
    return {"name": subnet.name, "properties": properties}


def _subnet_attachments(properties: SubnetProperties) -> Iterator[str]:
    """What a copy of the subnet leaves behind, in words."""
    for word, reference in (
        ("network security group", properties.network_security_group),
        ("route table", properties.route_table),
        ("NAT gateway", properties.nat_gateway),
        *(("service endpoint policy", each) for each in properties.service_endpoint_policies or ()),
    ):
        if reference and reference.id:
            yield f"{word} {reference.id.rpartition('/')[2]}"
    if properties.ipam_pool_prefix_allocations:
        yield "IPAM pool"


def _network_attachments(properties: NetworkProperties, space: AddressSpace) -> Iterator[str]:
    """What a copy of the network leaves behind, in words."""
    for peering in properties.virtual_network_peerings or ():
        yield f"peering {peering.name}"
    if properties.ddos_protection_plan and properties.ddos_protection_plan.id:
        yield "DDoS protection plan"
    if properties.encryption and properties.encryption.enabled:
        yield "encryption"
    if space.ipam_pool_prefix_allocations:
        yield "IPAM pool"
