"""Copies of networks: their ids and their settings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from asrnet.desired.state import CopySettings, Region
from asrnet.model.arm import ArmId
from asrnet.model.azure import COPY_TAG, Subnet, VirtualNetwork

MOST_TAGS: Final = 50
"""Source: Use tags to organize your Azure resources, limitations."""

# Source: Naming rules and restrictions for Azure resources; for tags the page above.
_LONGEST_VNET_NAME: Final = 64
_LONGEST_GROUP_NAME: Final = 90
_LONGEST_TAG_VALUE: Final = 256

# Source for the four constants below: the documentation of each service.
# A network security group breaks the service in these subnets.
_NO_SECURITY_GROUP: Final = frozenset(
    ("gatewaysubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet", "routeserversubnet")
)
# A route table breaks the service in these subnets.
_NO_ROUTE_TABLE: Final = frozenset(("azurebastionsubnet", "routeserversubnet"))
# Bastion's group needs rules, and a gateway's table needs routes, that would be wrong in other subnets.
_GROUP_OF_ITS_OWN: Final = "azurebastionsubnet"
_TABLE_OF_ITS_OWN: Final = "gatewaysubnet"


def copy_id(primary: VirtualNetwork, region: Region) -> ArmId:
    """The id of the copy of ``primary``. A name that would be too long is cut, and a hash keeps it unique."""
    settings = region.copy
    group = _filled(settings.resource_group, primary, region)
    name = _filled(settings.name, primary, region)
    return ArmId(
        f"/subscriptions/{settings.subscription or primary.id.subscription}"
        f"/resourceGroups/{_fitted(group, _LONGEST_GROUP_NAME, primary.id)}"
        f"/providers/Microsoft.Network/virtualNetworks/{_fitted(name, _LONGEST_VNET_NAME, primary.id)}"
    )


def is_copy(network: VirtualNetwork) -> bool:
    """Whether asrnet made the network as a copy. Azure compares the names of tags without case."""
    return any(name.lower() == COPY_TAG for name in network.tags)


def original_of(network: VirtualNetwork) -> str:
    """The original's id from a copy's tag, cut if it was too long for a tag; empty if the network is not a copy."""
    return next((value for name, value in network.tags.items() if name.lower() == COPY_TAG), "")


def copy_of(primary: VirtualNetwork, region: Region) -> VirtualNetwork:
    """The network to create as the copy of ``primary``: addresses, DNS servers, tags and subnets.

    Only the security groups and route tables that the region names are attached to it.
    """
    dns = region.copy.dns
    # Tags hidden-link:… and hidden-title are the portal's own, and tie a resource to others of its region. If
    # ``primary`` is a copy itself, its tag names another original.
    tags = {
        name: value
        for name, value in primary.tags.items()
        if not name.lower().startswith("hidden-") and name.lower() != COPY_TAG
    }
    return VirtualNetwork(
        id=copy_id(primary, region),
        location=region.recovery,
        address_space=primary.address_space,
        dns_servers=primary.dns_servers if dns == "copy" else () if dns == "azure" else tuple(dns),
        tags={**tags, COPY_TAG: tag_value(primary.id)},
        subnets=tuple(_copied_subnet(subnet, primary, region) for subnet in copied_subnets(primary, region.copy)),
    )


def tag_value(original: ArmId) -> str:
    """The value of a copy's tag: the id of its original, cut to Azure's limit."""
    return str(original)[:_LONGEST_TAG_VALUE]


def attached_to(network: VirtualNetwork) -> tuple[ArmId, ...]:
    """The security groups and route tables that the subnets of a new network name, each once."""
    ends = (end for subnet in network.subnets for end in (subnet.network_security_group, subnet.route_table))
    return tuple(dict.fromkeys(end for end in ends if end))


def copied_subnets(primary: VirtualNetwork, settings: CopySettings) -> Iterator[Subnet]:
    """The subnets of ``primary`` that are copied. One without a prefix cannot be created."""
    skipped = {name.lower() for name in settings.skip_subnets}
    for subnet in primary.subnets:
        if subnet.prefixes and subnet.name.lower() not in skipped:
            yield subnet


def subnets_that_must_not_share(primary: VirtualNetwork, settings: CopySettings) -> Iterator[tuple[str, str]]:
    """The subnets that must not share a security group or route table but would, each with the key at fault."""
    for subnet in copied_subnets(primary, settings):
        name = subnet.name.lower()
        if name == _GROUP_OF_ITS_OWN and _is_common(settings.network_security_group):
            yield subnet.name, "network_security_group"
        if name == _TABLE_OF_ITS_OWN and _is_common(settings.route_table):
            yield subnet.name, "route_table"


def _is_common(template: str | None) -> bool:
    return template is not None and "{subnet}" not in template


def _copied_subnet(subnet: Subnet, primary: VirtualNetwork, region: Region) -> Subnet:
    settings = region.copy
    outbound = subnet.default_outbound_access
    if settings.private_subnets != "copy":
        # "Private" is Azure's word for a subnet without default outbound access.
        outbound = not settings.private_subnets
    group = table = None
    if settings.network_security_group and subnet.name.lower() not in _NO_SECURITY_GROUP:
        group = ArmId(_filled(settings.network_security_group, primary, region, subnet.name))
    if settings.route_table and subnet.name.lower() not in _NO_ROUTE_TABLE:
        table = ArmId(_filled(settings.route_table, primary, region, subnet.name))
    return Subnet(
        name=subnet.name,
        prefixes=subnet.prefixes,
        default_outbound_access=outbound,
        private_endpoint_network_policies=subnet.private_endpoint_network_policies,
        private_link_service_network_policies=subnet.private_link_service_network_policies,
        service_endpoints=subnet.service_endpoints,
        network_security_group=group,
        route_table=table,
    )


def _filled(template: str, primary: VirtualNetwork, region: Region, subnet: str = "") -> str:
    return template.format(
        name=primary.name,
        resource_group=primary.id.resource_group,
        recovery_region=region.recovery,
        subnet=subnet,
    )


def _fitted(name: str, most: int, original: ArmId) -> str:
    hash_part = f"-{short_hash(original)}"
    return name if len(name) <= most else f"{name[: most - len(hash_part)]}{hash_part}"


def short_hash(*ids: ArmId) -> str:
    """A hash of ``ids`` as eight hexadecimal digits."""
    return hashlib.sha256(">".join(identifier.key for identifier in ids).encode()).hexdigest()[:8]
