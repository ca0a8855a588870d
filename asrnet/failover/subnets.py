"""Step two of a prediction: the subnet in which a NIC lands, and its remaining addresses.

The plan's findings use the same choice of subnets and the same comparison of address spaces.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct, structs

from asrnet.errors import InputError
from asrnet.failover import rules
from asrnet.failover.addresses import (
    AddressSpace,
    Pool,
    compare_address_spaces,
    number,
    span,
    usable,
    usable_on_premises,
)
from asrnet.failover.network_names import Network, network_name
from asrnet.failover.rules import Notice, ReplicationKind, Rule, notice
from asrnet.model.arm import ArmId
from asrnet.model.azure import MappingKind, Subnet, VirtualNetwork

RESERVED_SUBNETS: Final = (
    "GatewaySubnet",
    "AzureFirewallSubnet",
    "AzureFirewallManagementSubnet",
    "AzureBastionSubnet",
    "RouteServerSubnet",
)
"""Subnets that belong to an Azure service and cannot contain machines."""
_RESERVED: Final = frozenset(name.lower() for name in RESERVED_SUBNETS)


class SubnetChoice(Struct, frozen=True):
    """The name of the chosen subnet, and the rule that chose it."""

    name: str
    rule: Rule

    @property
    def is_fallback(self) -> bool:
        """Whether it was chosen because no subnet has the primary subnet's name."""
        return self.rule in {rules.SUBNET_FIRST_ALPHABETICAL, rules.VMM_SUBNET_FIRST}


def choose_subnet(names: Iterable[str], primary: str, kind: MappingKind = "azure_to_azure") -> SubnetChoice | None:
    """Choose the subnet among ``names`` for a machine in the subnet ``primary``; None if there are no subnets.

    The subnet of the same name is chosen. Otherwise it is the first in alphabetical order between Azure regions, and
    the first of the network from VMM. Names compare without case. Sources: Set up network mapping and IP addressing for
    VNets; Prepare network mapping for Hyper-V VM disaster recovery to Azure.
    """
    between_regions = kind == "azure_to_azure"
    candidates = tuple(names)
    for name in candidates:
        if name.lower() == primary.lower():
            return SubnetChoice(name, rules.SUBNET_SAME_NAME if between_regions else rules.VMM_SUBNET_SAME_NAME)
    if not candidates:
        return None
    # The two documents differ: between regions the names decide, from VMM the order of the network's subnets.
    if between_regions:
        return SubnetChoice(min(candidates, key=lambda name: (name.lower(), name)), rules.SUBNET_FIRST_ALPHABETICAL)
    return SubnetChoice(candidates[0], rules.VMM_SUBNET_FIRST)


def is_reserved(name: str) -> bool:
    """Whether a subnet of this name belongs to an Azure service, so that it cannot contain machines."""
    return name.lower() in _RESERVED


def subnet_notices(subnet: Subnet) -> tuple[Notice, ...]:
    """Notices if the subnet is unsuitable as a fallback: reserved for a service, or delegated to one."""
    notices = []
    if is_reserved(subnet.name):
        notices.append(notice("fallback_subnet_reserved", f"'{subnet.name}' is reserved for an Azure service"))
    if subnet.delegation:
        notices.append(notice("fallback_subnet_delegated", f"'{subnet.name}' is delegated to {subnet.delegation}"))
    return tuple(notices)


def unreadable_prefix(subnet: Subnet) -> str | None:
    """The first prefix of ``subnet`` that is not an address range; None if all of them are."""
    for prefix in subnet.prefixes:
        try:
            span(prefix)
        except InputError:
            return prefix
    return None


class SubnetFit(Struct, frozen=True):
    """Where machines of a subnet land when it is chosen by name, and whether their addresses exist there.

    ``recovery_subnet`` is None if the recovery network has no subnets. ``problem`` is the reason why the address spaces
    could not be compared.
    """

    subnet: Subnet
    recovery_subnet: Subnet | None
    address_space: AddressSpace
    problem: str = ""


def subnet_fits(primary: VirtualNetwork, recovery: VirtualNetwork) -> tuple[SubnetFit, ...]:
    """How each subnet of ``primary`` that can contain machines fits ``recovery``, in this direction only.

    The plan's findings and the prediction both use this. For the way back, swap the networks.
    """
    by_name = {subnet.name: subnet for subnet in recovery.subnets}
    fits = []
    for subnet in primary.subnets:
        if is_reserved(subnet.name):
            continue
        choice = choose_subnet(by_name, subnet.name)
        landing = by_name[choice.name] if choice else None
        problem = next(
            (
                f"prefix '{prefix}' of subnet {end.name} of {network.name} is not an address range"
                for network, end in ((primary, subnet), (recovery, landing))
                if end is not None and (prefix := unreadable_prefix(end)) is not None
            ),
            "",
        )
        space: AddressSpace = "unknown"
        if not problem:
            space = compare_address_spaces(subnet.prefixes, landing.prefixes if landing else ())
        fits.append(SubnetFit(subnet, landing, space, problem))
    return tuple(fits)


class Place(Struct, frozen=True, eq=False):
    """A subnet to land in with its pool, as far as they are known, and the rule that chose it.

    ``own_subnet`` is set on the machine, ``named_subnet`` would be chosen by name. ``is_known``: it is known
    which addresses can be assigned; this includes a VM network without subnets.
    """

    subnet: str | None = None
    rule: Rule | None = None
    pool: Pool | None = None
    own_subnet: str | None = None
    named_subnet: str | None = None
    notices: tuple[Notice, ...] = ()
    is_known: bool = False


class Places:
    """The subnets that machines land in during one prediction, and the addresses assigned in each so far.

    ``returning`` and ``occupied`` are addresses by network. The former count as free, because the predicted machines
    themselves hold them; the latter count as in use, even if Azure does not list them. ``absent`` are networks that
    certainly do not exist.
    """

    def __init__(
        self,
        networks: Mapping[ArmId, Network],
        returning: Mapping[ArmId, Collection[int]] | None = None,
        absent: Collection[ArmId] = (),
        occupied: Mapping[ArmId, Collection[int]] | None = None,
    ) -> None:
        self._networks = networks
        self._absent = absent
        self._occupied: Mapping[ArmId, Collection[int]] = occupied or {}
        self._returning: Mapping[ArmId, Collection[int]] = returning or {}
        self._places: dict[tuple[ArmId, str | None, str | None, ReplicationKind, bool], Place] = {}
        self._pools: dict[tuple[ArmId, str], Pool] = {}

    def find(
        self,
        network_id: ArmId,
        primary_subnet: str | None,
        own_subnet: str | None,
        kind: ReplicationKind,
        *,
        set_for_test: bool = False,
    ) -> Place:
        """The place in ``network_id`` for a NIC in ``primary_subnet``; ``own_subnet`` is set on the machine, if any.

        With ``set_for_test``, it is the subnet that is set for tests.
        """
        key = (network_id, primary_subnet, own_subnet, kind, set_for_test)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self._choose(*key)
        return place

    def prefixes(self, network_id: ArmId | None, subnet: str | None) -> tuple[str, ...]:
        """The address ranges of a subnet by name; empty if they are unknown."""
        network = self._networks.get(network_id) if network_id and subnet else None
        match = _subnet_named(network, subnet) if network and subnet else None
        return match.prefixes if match and unreadable_prefix(match) is None else ()

    def _choose(
        self,
        network_id: ArmId,
        primary_subnet: str | None,
        own_subnet: str | None,
        kind: ReplicationKind,
        set_for_test: bool,  # noqa: FBT001 - the last part of a key
    ) -> Place:
        network = self._networks.get(network_id)
        if network is None:
            return self._place_in_unread(network_id, own_subnet)
        names = [subnet.name for subnet in network.subnets]
        named: SubnetChoice | None = None
        if kind == "on_premises_to_azure":
            # No document chooses by name for machines to which network mappings do not apply.
            named = SubnetChoice(names[0], rules.ONLY_SUBNET) if len(names) == 1 else None
        elif primary_subnet is not None or kind != "azure_to_azure" or len(names) <= 1:
            # A VM network need not have subnets, so there may be no name to compare with.
            named = choose_subnet(names, primary_subnet or "", kind)

        if own_subnet:
            return self._own_place(network, own_subnet, named.name if named else None, set_for_test=set_for_test)
        if named is not None:
            subnet = _subnet_named(network, named.name)
            assert subnet is not None  # noqa: S101 - the choice is one of these
            notices = subnet_notices(subnet) if named.is_fallback else ()
            return self._with_pool(network, subnet, Place(rule=named.rule, named_subnet=named.name, notices=notices))
        if network.subnets:
            return Place(notices=(notice("primary_subnet_unknown"),))
        # A VM network needs no subnets; a virtual network without subnets cannot take machines.
        if kind == "vmm_to_vmm":
            return Place(is_known=True)
        return Place(
            rule=rules.NO_SUBNET, notices=(notice("network_empty", f"'{network_name(network)}' has no subnets"),)
        )

    def _place_in_unread(self, network_id: ArmId, own_subnet: str | None) -> Place:
        if network_id in self._absent:
            missing = notice("network_missing", f"the recovery network '{network_id.name}' does not exist")
            return Place(rule=rules.NETWORK_MISSING, notices=(missing,))
        message = f"'{network_id.name}' could not be read, so subnet and address are not known"
        return Place(own_subnet, own_subnet=own_subnet, notices=(notice("network_not_read", message),))

    def _own_place(self, network: Network, own_subnet: str, named_subnet: str | None, *, set_for_test: bool) -> Place:
        """The subnet that is set on the machine, which takes precedence over the choice by name."""
        which = "test" if set_for_test else "recovery"
        rule = rules.TEST_OWN_SUBNET if set_for_test else rules.OWN_SUBNET
        place = Place(own_subnet, rule, own_subnet=own_subnet, named_subnet=named_subnet)
        subnet = _subnet_named(network, own_subnet)
        if subnet is None:
            message = f"the machine's own {which} subnet '{own_subnet}' is not in '{network_name(network)}'"
            return structs.replace(place, notices=(notice("own_subnet_missing", message),))
        notices = subnet_notices(subnet)
        if named_subnet and named_subnet != subnet.name:
            message = f"the machine's own {which} subnet is '{subnet.name}', by name it would be '{named_subnet}'"
            notices = (*notices, notice("subnet_differs", message))
        return self._with_pool(network, subnet, structs.replace(place, notices=notices))

    def _with_pool(self, network: Network, subnet: Subnet, place: Place) -> Place:
        """``place`` in ``subnet``; all places in the same subnet share its pool."""
        if (prefix := unreadable_prefix(subnet)) is not None:
            message = f"prefix '{prefix}' of subnet {subnet.name} of {network_name(network)} is not an address range"
            notices = (*place.notices, notice("prefix_unreadable", message))
            return structs.replace(place, subnet=subnet.name, notices=notices)
        key = (network.id, subnet.name.lower())
        spans = [addresses for addresses in map(span, subnet.prefixes) if addresses]
        if key not in self._pools and spans:
            assignable = usable if isinstance(network, VirtualNetwork) else usable_on_premises
            in_use = {address for address in map(number, subnet.used_ips) if address is not None}
            # Addresses that the predicted machines already hold in the subnet count as free for them.
            returning = {
                address
                for address in self._returning.get(network.id, ())
                if any(address in addresses for addresses in spans)
            }
            self._pools[key] = Pool(
                subnet.prefixes,
                [assignable(prefix) for prefix in subnet.prefixes],
                used_ips=in_use.union(self._occupied.get(network.id, ())) - returning,
                used=max(0, subnet.used - len(returning)),
            )
        pool, notices = self._pools.get(key), place.notices
        if pool is not None and pool.unnamed:
            message = f"Azure does not name {pool.unnamed} of the addresses in use in '{subnet.name}'"
            notices = (*notices, notice("used_addresses_unknown", message))
        return structs.replace(place, subnet=subnet.name, pool=pool, notices=notices, is_known=True)


def _subnet_named(network: Network, name: str) -> Subnet | None:
    return next((subnet for subnet in network.subnets if subnet.name.lower() == name.lower()), None)
