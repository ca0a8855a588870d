"""Translates the SDKs' models and Resource Graph's rows into asrnet's, and builds the bodies that create networks.

Answers carry a mapping's details under ``fabricSpecificSettings``, requests under ``fabricSpecificDetails`` (specified
and recorded). Virtual networks of Azure to Azure mappings come back in lower case (recorded); ids compare without case,
so that does not matter here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from asrnet.azure.members import Model, flag, number, part, parts, reference, text, texts
from asrnet.errors import InputError
from asrnet.model.arm import AZURE_NETWORK, SECURITY_GROUP, VNET, ArmId, arm_id, normal_location
from asrnet.model.azure import (
    Cloud,
    CloudMapping,
    Fabric,
    FabricKind,
    InterfaceAddress,
    Job,
    LiveMapping,
    LogicalNetwork,
    MappingKind,
    NetworkInterface,
    NetworkMapping,
    NetworkSecurityGroup,
    Peering,
    RouteTable,
    Subnet,
    UnreadableMapping,
    VirtualNetwork,
    VmNetwork,
)
from asrnet.model.bodies import INSTANCE_TYPES

_KINDS: Final[Mapping[str, MappingKind]] = {word: kind for kind, word in INSTANCE_TYPES.items()}
_FABRIC_KINDS: Final[Mapping[str, FabricKind]] = {"Azure": "azure", "VMM": "vmm"}
_AZURE_TO_AZURE: Final = "A2A"
_GATEWAY_SUBNET: Final = "gatewaysubnet"


def read_network(model: Model) -> VirtualNetwork:
    """A virtual network as asrnet knows it."""
    properties = part(model, "properties")
    subnets = tuple(_read_subnet(subnet) for subnet in parts(properties, "subnets"))
    tags = part(model, "tags")
    return VirtualNetwork(
        id=ArmId(text(model, "id")),
        location=normal_location(text(model, "location")),
        address_space=texts(part(properties, "addressSpace"), "addressPrefixes"),
        subnets=subnets,
        tags={name: text(tags, name) for name in tags},
        dns_servers=texts(part(properties, "dhcpOptions"), "dnsServers"),
        gateway=any(subnet.name.lower() == _GATEWAY_SUBNET and subnet.used for subnet in subnets),
        peerings=tuple(filter(None, map(_read_peering, parts(properties, "virtualNetworkPeerings")))),
        extended_location=text(part(model, "extendedLocation"), "name") or None,
        attachments=tuple(_network_attachments(properties)),
    )


def _read_peering(model: Model) -> Peering | None:
    """A peering; None if its network is missing. Traffic settings that it omits count as allowed."""
    properties = part(model, "properties")
    remote_id = reference(part(properties, "remoteVirtualNetwork"), "id")
    if remote_id is None:
        return None
    return Peering(
        network_id=remote_id,
        name=text(model, "name"),
        connected=text(properties, "peeringState").lower() in {"connected", ""},
        allow_forwarded=flag(properties, "allowForwardedTraffic") is not False,
        use_remote_gateways=flag(properties, "useRemoteGateways") is True,
    )


def read_interface(model: Model) -> NetworkInterface:
    """A network interface as asrnet knows it."""
    properties = part(model, "properties")
    return NetworkInterface(
        id=ArmId(text(model, "id")),
        location=normal_location(text(model, "location")),
        network_security_group=reference(part(properties, "networkSecurityGroup"), "id"),
        accelerated_networking=flag(properties, "enableAcceleratedNetworking") is True,
        dns_servers=texts(part(properties, "dnsSettings"), "dnsServers"),
        ip_configurations=tuple(
            _read_interface_address(address, index)
            for index, address in enumerate(parts(properties, "ipConfigurations"))
        ),
    )


def _read_interface_address(model: Model, index: int) -> InterfaceAddress:
    properties = part(model, "properties")
    primary, subnet_id = flag(properties, "primary"), reference(part(properties, "subnet"), "id")

    def ids(name: str) -> tuple[ArmId, ...]:
        return tuple(filter(None, (reference(resource, "id") for resource in parts(properties, name))))

    return InterfaceAddress(
        name=text(model, "name"),
        primary=index == 0 if primary is None else primary,
        network=subnet_id.parent if subnet_id else None,
        subnet=subnet_id.name if subnet_id else None,
        ip=text(properties, "privateIPAddress") or None,
        ip_type=text(properties, "privateIPAllocationMethod") or None,
        public_ip=reference(part(properties, "publicIPAddress"), "id"),
        load_balancer_pools=ids("loadBalancerBackendAddressPools"),
        inbound_nat_rules=ids("loadBalancerInboundNatRules"),
        application_gateway_pools=ids("applicationGatewayBackendAddressPools"),
        application_security_groups=ids("applicationSecurityGroups"),
    )


def _read_subnet(model: Model) -> Subnet:
    properties = part(model, "properties")
    prefix = text(properties, "addressPrefix")
    users = parts(properties, "ipConfigurations")
    addresses = (text(part(user, "properties"), "privateIPAddress") for user in users)
    services = (text(part(delegation, "properties"), "serviceName") for delegation in parts(properties, "delegations"))
    endpoints = (text(endpoint, "service") for endpoint in parts(properties, "serviceEndpoints"))
    return Subnet(
        name=text(model, "name"),
        prefixes=texts(properties, "addressPrefixes") or ((prefix,) if prefix else ()),
        used=len(users),
        used_ips=tuple(filter(None, addresses)),
        delegation=next(filter(None, services), None),
        default_outbound_access=flag(properties, "defaultOutboundAccess"),
        private_endpoint_network_policies=text(properties, "privateEndpointNetworkPolicies") or None,
        private_link_service_network_policies=text(properties, "privateLinkServiceNetworkPolicies") or None,
        service_endpoints=tuple(filter(None, endpoints)),
        attachments=tuple(_subnet_attachments(properties)),
        network_security_group=reference(part(properties, "networkSecurityGroup"), "id"),
        route_table=reference(part(properties, "routeTable"), "id"),
    )


def network_body(network: VirtualNetwork) -> dict[str, Any]:
    """The body that creates ``network``."""
    properties: dict[str, Any] = {
        "addressSpace": {"addressPrefixes": list(network.address_space)},
        "subnets": [subnet_body(subnet) for subnet in network.subnets],
    }
    if network.dns_servers:
        properties["dhcpOptions"] = {"dnsServers": list(network.dns_servers)}
    return {"location": network.location, "tags": dict(network.tags), "properties": properties}


def subnet_body(subnet: Subnet) -> dict[str, Any]:
    """The body that creates ``subnet``, alone or within its network."""
    properties: dict[str, Any] = (
        {"addressPrefix": subnet.prefixes[0]}
        if len(subnet.prefixes) == 1
        else {"addressPrefixes": list(subnet.prefixes)}
    )
    # Always sent: without it, newer API versions create a subnet without default outbound access.
    properties["defaultOutboundAccess"] = subnet.default_outbound_access is not False
    optional = {
        "privateEndpointNetworkPolicies": subnet.private_endpoint_network_policies,
        "privateLinkServiceNetworkPolicies": subnet.private_link_service_network_policies,
        "serviceEndpoints": [{"service": service} for service in subnet.service_endpoints],
    }
    properties |= {name: value for name, value in optional.items() if value}
    attached = {"networkSecurityGroup": subnet.network_security_group, "routeTable": subnet.route_table}
    properties |= {name: {"id": str(resource_id)} for name, resource_id in attached.items() if resource_id}
    return {"name": subnet.name, "properties": properties}


def read_attachment(model: Model) -> NetworkSecurityGroup | RouteTable:
    """A network security group or a route table as asrnet knows it."""
    resource_id, location = ArmId(text(model, "id")), normal_location(text(model, "location"))
    kind = NetworkSecurityGroup if resource_id.type == SECURITY_GROUP else RouteTable
    return kind(id=resource_id, location=location)


def _subnet_attachments(properties: Model) -> Iterator[str]:
    """Descriptions of the attachments that a copy of the subnet does not get."""
    resources = [
        ("network security group", part(properties, "networkSecurityGroup")),
        ("route table", part(properties, "routeTable")),
        ("NAT gateway", part(properties, "natGateway")),
        ("service gateway", part(properties, "serviceGateway")),
        *(("service endpoint policy", policy) for policy in parts(properties, "serviceEndpointPolicies")),
        *(("IP allocation", allocation) for allocation in parts(properties, "ipAllocations")),
    ]
    for word, resource in resources:
        if resource_id := text(resource, "id"):
            yield f"{word} {resource_id.rpartition('/')[2]}"
    if parts(properties, "ipamPoolPrefixAllocations"):
        yield "IPAM pool"
    for endpoint in parts(properties, "serviceEndpoints"):
        # A copy's endpoints contain only the service, because their restrictions belong to the primary's region.
        if text(part(endpoint, "networkIdentifier"), "id"):
            yield f"network identifier of service endpoint {text(endpoint, 'service')}"
    if scope := text(properties, "sharingScope"):
        yield f"sharing scope {scope}"


def _network_attachments(properties: Model) -> Iterator[str]:
    """Descriptions of the settings that a copy of the network does not get, except those at Azure's default."""
    for peering in parts(properties, "virtualNetworkPeerings"):
        yield f"peering {text(peering, 'name')}"
    if text(part(properties, "ddosProtectionPlan"), "id"):
        yield "DDoS protection plan"
    elif flag(properties, "enableDdosProtection"):
        yield "DDoS protection"
    if flag(part(properties, "encryption"), "enabled"):
        yield "encryption"
    if parts(part(properties, "addressSpace"), "ipamPoolPrefixAllocations"):
        yield "IPAM pool"
    if minutes := number(properties, "flowTimeoutInMinutes"):
        yield f"flow timeout of {minutes:g} minutes"
    if community := text(part(properties, "bgpCommunities"), "virtualNetworkCommunity"):
        yield f"BGP community {community}"
    if flag(properties, "enableVmProtection"):
        yield "VM protection"
    policies = text(properties, "privateEndpointVNetPolicies")
    if policies.lower() not in {"", "disabled"}:
        yield f"private endpoint policies {policies}"
    if prefixes := texts(properties, "summarizedGatewayPrefixes"):
        yield f"summarized gateway prefixes {', '.join(prefixes)}"
    resources = [
        *(("IP allocation", allocation) for allocation in parts(properties, "ipAllocations")),
        *(("flow log", log) for log in parts(properties, "flowLogs")),
    ]
    for word, resource in resources:
        yield f"{word} {text(resource, 'id').rpartition('/')[2]}"


def read_fabric(model: Model) -> Fabric:
    """A fabric as asrnet knows it."""
    properties = part(model, "properties")
    details = part(properties, "customDetails")
    location = text(details, "location")
    instance_type = text(details, "instanceType")
    return Fabric(
        id=arm_id(text(model, "id")),
        # A fabric of unknown type may belong to any region, so no region's fabric counts as missing while there is one.
        kind=_FABRIC_KINDS.get(instance_type, "other") if instance_type else "azure",
        location=normal_location(location) if location else None,
        friendly_name=text(properties, "friendlyName"),
    )


def read_mapping(model: Model) -> LiveMapping:
    """A mapping as asrnet knows it; an UnreadableMapping if the answer omits which networks it maps."""
    properties = part(model, "properties")
    settings = part(properties, "fabricSpecificSettings")
    instance_type = text(settings, "instanceType")
    mapping_id = ArmId(text(model, "id"))
    primary = reference(properties, "primaryNetworkId")
    if primary is None and instance_type != "AzureToAzure" and mapping_id.parent.name != AZURE_NETWORK:
        # A VM network is the parent of its mappings; under an Azure fabric that segment is a constant.
        primary = mapping_id.parent
    recovery = reference(properties, "recoveryNetworkId")
    if primary is None or recovery is None:
        return UnreadableMapping(id=mapping_id, primary_network_id=primary)
    # If the mapping does not state its kind, it follows from the types of its networks.
    by_networks: MappingKind = "vmm_to_azure" if recovery.type == VNET else "vmm_to_vmm"
    kind = _KINDS.get(instance_type) or ("azure_to_azure" if primary.type == VNET else by_networks)
    primary_location = recovery_location = None
    if kind == "azure_to_azure":
        # The friendly name of an Azure fabric is its region's display name.
        from_region = text(settings, "primaryFabricLocation") or text(properties, "primaryFabricFriendlyName")
        to_region = text(settings, "recoveryFabricLocation") or text(properties, "recoveryFabricFriendlyName")
        if not (from_region and to_region):
            return UnreadableMapping(id=mapping_id, primary_network_id=primary)
        primary_location, recovery_location = normal_location(from_region), normal_location(to_region)
    return NetworkMapping(
        id=mapping_id,
        kind=kind,
        primary_network_id=primary,
        recovery_network_id=recovery,
        recovery_fabric_id=reference(properties, "recoveryFabricArmId"),
        primary_location=primary_location,
        recovery_location=recovery_location,
        state=text(properties, "state"),
    )


def read_job(model: Model, vault: ArmId) -> Job:
    """A job of ``vault`` as asrnet knows it."""
    try:
        job_id = ArmId(text(model, "id"))
    except InputError:  # what the job does to its machine still matters
        job_id = vault.child("replicationJobs", "unreadable")
    properties = part(model, "properties")
    messages = (
        text(part(error, "serviceErrorDetails"), "message") or text(part(error, "providerErrorDetails"), "errorMessage")
        for error in parts(properties, "errors")
    )
    return Job(
        id=job_id,
        scenario=text(properties, "scenarioName"),
        state=text(properties, "state"),
        start_time=text(properties, "startTime"),
        end_time=text(properties, "endTime"),
        target=text(properties, "targetObjectName"),
        target_id=text(properties, "targetObjectId"),
        errors=tuple(filter(None, messages)),
    )


def read_vm_network(model: Model) -> VmNetwork:
    """A VM network as asrnet knows it."""
    subnets = tuple(
        Subnet(name=text(subnet, "friendlyName") or text(subnet, "name"), prefixes=texts(subnet, "addressList"))
        for subnet in parts(part(model, "properties"), "subnets")
    )
    network_id, friendly_name = _named(model)
    return VmNetwork(id=network_id, friendly_name=friendly_name, subnets=subnets)


def read_logical_network(model: Model) -> LogicalNetwork:
    """A logical network as asrnet knows it."""
    network_id, friendly_name = _named(model)
    return LogicalNetwork(id=network_id, friendly_name=friendly_name)


def read_cloud(model: Model) -> Cloud:
    """A cloud as asrnet knows it."""
    cloud_id, friendly_name = _named(model)
    return Cloud(id=cloud_id, friendly_name=friendly_name)


def read_cloud_mapping(model: Model) -> CloudMapping | None:
    """Which cloud is protected by which; None for the containers of Azure regions, which are not clouds."""
    properties = part(model, "properties")
    if text(part(properties, "providerSpecificDetails"), "instanceType") == _AZURE_TO_AZURE:
        return None
    mapping_id = ArmId(text(model, "id"))
    return CloudMapping(
        id=mapping_id,
        primary_cloud_id=mapping_id.parent,
        recovery_cloud_id=reference(properties, "targetProtectionContainerId"),
        recovery_cloud_name=text(properties, "targetProtectionContainerFriendlyName"),
    )


def _named(model: Model) -> tuple[ArmId, str]:
    """The id and the friendly name."""
    resource_id = ArmId(text(model, "id"))
    return resource_id, text(part(model, "properties"), "friendlyName") or resource_id.name
