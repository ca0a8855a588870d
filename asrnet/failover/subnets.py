"""Which subnet of the recovery network a machine lands in, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from asrnet.failover.addresses import AddressSpace, compare_address_spaces
from asrnet.failover.rules import (
    SUBNET_FIRST_ALPHABETICAL,
    SUBNET_SAME_NAME,
    VMM_SUBNET_FIRST,
    VMM_SUBNET_SAME_NAME,
    Notice,
    Rule,
    notice,
)
from asrnet.model.azure import MappingKind, Subnet, VirtualNetwork

RESERVED_SUBNETS: Final = (
    "GatewaySubnet",
    "AzureFirewallSubnet",
    "AzureFirewallManagementSubnet",
    "AzureBastionSubnet",
    "RouteServerSubnet",
)
"""Subnets that belong to a service of Azure: no machine can be in them."""

_RESERVED_KEYS = frozenset(name.lower() for name in RESERVED_SUBNETS)


class SubnetChoice(Struct, frozen=True):
    """The subnet by name, and the rule that chose it."""

    name: str
    rule: Rule

    @property
    def is_fallback(self) -> bool:
        """Whether it was taken for want of one with the primary's name."""
        return self.rule in {SUBNET_FIRST_ALPHABETICAL, VMM_SUBNET_FIRST}


def choose_subnet(names: Iterable[str], primary: str, kind: MappingKind = "azure_to_azure") -> SubnetChoice | None:
    """The subnet among ``names`` for a machine of the subnet ``primary``; None where there are no subnets.

    The one of the same name; else between Azure regions the first in alphabetical order, from VMM the first of the
    network. Names compare without case. Sources: Set up network mapping and IP addressing for VNets; Prepare network
    mapping for Hyper-V VM disaster recovery to Azure.
    """
    between_regions = kind == "azure_to_azure"
    listed = tuple(names)
    same = next((name for name in listed if name.lower() == primary.lower()), None)
    if same is not None:
        return SubnetChoice(same, SUBNET_SAME_NAME if between_regions else VMM_SUBNET_SAME_NAME)
    if not listed:
        return None
    if between_regions:
        return SubnetChoice(min(listed, key=lambda name: (name.lower(), name)), SUBNET_FIRST_ALPHABETICAL)
    return SubnetChoice(listed[0], VMM_SUBNET_FIRST)


def is_reserved(name: str) -> bool:
    """Whether a subnet of this name belongs to a service of Azure, so that no machine can be in it."""
    return name.lower() in _RESERVED_KEYS


def subnet_notices(subnet: Subnet) -> tuple[Notice, ...]:
    """What makes a subnet a bad one to fall back to: reserved for a service, or delegated to one."""
    found = []
    if is_reserved(subnet.name):
        found.append(notice("fallback_subnet_reserved", f"'{subnet.name}' is reserved for an Azure service"))
    if subnet.delegation:
        found.append(notice("fallback_subnet_delegated", f"'{subnet.name}' is delegated to {subnet.delegation}"))
    return tuple(found)


class SubnetFit(Struct, frozen=True):
    """Where machines of a subnet land by the rule of names, and whether their addresses are there as well.

    ``recovery_subnet`` is None where the recovery network has no subnets.
    """

    subnet: Subnet
    recovery_subnet: Subnet | None
    address_space: AddressSpace


def subnet_fits(primary: VirtualNetwork, recovery: VirtualNetwork) -> tuple[SubnetFit, ...]:
    """How each subnet of ``primary`` that machines can be in fits ``recovery``, in this direction only.

    The plan's findings and the prediction both go by this, subnet by subnet; for the way back swap the networks.
    """
    by_name = {subnet.name: subnet for subnet in recovery.subnets}
    fits = []
    for subnet in primary.subnets:
        if is_reserved(subnet.name):
            continue
        choice = choose_subnet(by_name, subnet.name)
        landing = by_name[choice.name] if choice else None
        space = compare_address_spaces(subnet.prefixes, landing.prefixes if landing else ())
        fits.append(SubnetFit(subnet, landing, space))
    return tuple(fits)
