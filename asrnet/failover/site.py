"""The networks that machines land in during one prediction: which subnet each takes, and what is left in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct, structs

from asrnet.failover import rules
from asrnet.failover.addresses import span, usable, usable_on_premises
from asrnet.failover.machines import Network, network_name
from asrnet.failover.pool import Pool, number
from asrnet.failover.rules import Notice, Rule, notice
from asrnet.failover.subnets import SubnetChoice, choose_subnet, subnet_notices
from asrnet.model.arm import ArmId
from asrnet.model.azure import MappingKind, Subnet, VirtualNetwork

Leaving = Mapping[ArmId, Collection[int]]


class Place(Struct, frozen=True, eq=False):
    """A subnet to land in: its name and pool as far as they are known, and why this one.

    ``own_subnet`` is what is set on the machine, ``named_subnet`` what the rule of names gives. ``is_known``: what
    can be assigned here can be told; a VM network without subnets counts as known.
    """

    subnet: str | None = None
    rule: Rule | None = None
    pool: Pool | None = None
    own_subnet: str | None = None
    named_subnet: str | None = None
    notices: tuple[Notice, ...] = ()
    is_known: bool = False


class Site:
    """Networks, and the addresses handed out in them so far.

    ``leaving``: addresses in use by the very machines that are predicted, which they do not take from each other.
    ``absent``: networks that do not exist, for certain.
    """

    def __init__(
        self,
        networks: Mapping[ArmId, Network],
        leaving: Leaving | None = None,
        absent: Collection[ArmId] = (),
    ) -> None:
        self._networks = networks
        self._absent = absent
        self._leaving: Leaving = leaving or {}
        self._places: dict[tuple[ArmId, str | None, str | None, MappingKind], Place] = {}
        self._pools: dict[tuple[ArmId, str], Pool] = {}

    def place(self, network_id: ArmId, primary_subnet: str | None, own_subnet: str | None, kind: MappingKind) -> Place:
        """Where in ``network_id`` a NIC of ``primary_subnet`` lands that has ``own_subnet`` set, if any."""
        key = (network_id, primary_subnet, own_subnet, kind)
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = self._find_place(*key)
        return place

    def spans(self, network_id: ArmId | None, subnet: str | None) -> tuple[range, ...]:
        """The address ranges of a subnet by name; none where it is not known."""
        network = self._networks.get(network_id) if network_id and subnet else None
        found = _named(network, subnet) if network and subnet else None
        return _spans(found) if found else ()

    def _find_place(
        self, network_id: ArmId, primary_subnet: str | None, own_subnet: str | None, kind: MappingKind
    ) -> Place:
        network = self._networks.get(network_id)
        if network is None and network_id in self._absent:
            missing = notice("network_missing", f"the recovery network '{network_id.name}' does not exist")
            return Place(rule=rules.NETWORK_MISSING, notices=(missing,))
        if network is None:
            words = f"'{network_id.name}' could not be read, so subnet and address are not known"
            return Place(own_subnet, own_subnet=own_subnet, notices=(notice("network_not_read", words),))
        choice = _choice(network, primary_subnet, kind)
        if own_subnet:
            return self._own_place(network, own_subnet, choice)
        if choice is None:
            return _no_place(network, kind)
        subnet = _named(network, choice.name)
        assert subnet is not None  # noqa: S101 - the choice is one of these
        notices = subnet_notices(subnet) if choice.is_fallback else ()
        return self._in_subnet(network, subnet, Place(rule=choice.rule, named_subnet=choice.name, notices=notices))

    def _own_place(self, network: Network, own: str, choice: SubnetChoice | None) -> Place:
        named = choice.name if choice else None
        subnet = _named(network, own)
        if subnet is None:
            words = f"the machine's own recovery subnet '{own}' is not in '{network_name(network)}'"
            missing = notice("own_subnet_missing", words)
            return Place(own, rules.OWN_SUBNET, own_subnet=own, named_subnet=named, notices=(missing,))
        notices = subnet_notices(subnet)
        if named and named != subnet.name:
            words = f"the machine's own recovery subnet is '{subnet.name}', the rule of names gives '{named}'"
            notices = (*notices, notice("subnet_differs", words))
        why = Place(rule=rules.OWN_SUBNET, own_subnet=own, named_subnet=named, notices=notices)
        return self._in_subnet(network, subnet, why)

    def _in_subnet(self, network: Network, subnet: Subnet, why: Place) -> Place:
        pool, notices = self._pool(network, subnet), why.notices
        if pool is not None and pool.unnamed:
            words = f"{pool.unnamed} addresses of '{subnet.name}' are in use that Azure does not name"
            notices = (*notices, notice("used_addresses_unknown", words))
        return structs.replace(why, subnet=subnet.name, pool=pool, notices=notices, is_known=True)

    def _pool(self, network: Network, subnet: Subnet) -> Pool | None:
        key = (network.id, subnet.name.lower())
        spans = _spans(subnet)
        if key not in self._pools and spans:
            assignable = usable if isinstance(network, VirtualNetwork) else usable_on_premises
            in_use = {address for address in map(number, subnet.used_ips) if address is not None}
            leaving = {
                address for address in self._leaving.get(network.id, ()) if any(address in part for part in spans)
            }
            self._pools[key] = Pool(
                spans,
                [assignable(prefix) for prefix in subnet.prefixes],
                used_ips=in_use - leaving,
                used=max(0, subnet.used - len(leaving)),
            )
        return self._pools.get(key)


def _spans(subnet: Subnet) -> tuple[range, ...]:
    return tuple(part for part in map(span, subnet.prefixes) if part)


def _named(network: Network, name: str) -> Subnet | None:
    return next((subnet for subnet in network.subnets if subnet.name.lower() == name.lower()), None)


def _choice(network: Network, primary: str | None, kind: MappingKind) -> SubnetChoice | None:
    names = [subnet.name for subnet in network.subnets]
    if primary is None and kind == "azure_to_azure" and len(names) > 1:
        return None
    # A VM network need not have subnets, and then no name can be the same.
    return choose_subnet(names, primary or "", kind)


def _no_place(network: Network, kind: MappingKind) -> Place:
    if network.subnets:
        return Place(notices=(notice("primary_subnet_unknown"),))
    if kind == "vmm_to_vmm":
        return Place(is_known=True)
    words = f"'{network_name(network)}' has no subnets"
    return Place(rule=rules.NO_SUBNET, notices=(notice("network_empty", words),))
