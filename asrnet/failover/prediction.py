"""Where every NIC lands after failover, in a test failover and after failback, and by which rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from asrnet.failover import rules
from asrnet.failover.assignment import Assigned, Request, assign
from asrnet.failover.failback import Return, failback_between_regions, failback_on_premises
from asrnet.failover.landing import Landing, Operation, Outcome, Prediction, summarize
from asrnet.failover.machines import Machine, Network
from asrnet.failover.networks import Gaps, Mappings, Target, ambiguity, failover_target, gap_notice, label, test_target
from asrnet.failover.pool import is_ipv6, number
from asrnet.failover.rules import Notice, Rule, notice
from asrnet.failover.site import Place, Site
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, NetworkMapping, Nic

EligibleHosts = Callable[[ArmId, ArmId], Sequence[str] | None]
"""The hosts that can take a replica, by its primary and its recovery network; None where that is not known."""

_NOWHERE = Place()
_NO_PLACE = (rules.NO_SUBNET, rules.NETWORK_MISSING)


def predict(
    machines: Iterable[Machine],
    *,
    networks: Mapping[ArmId, Network],
    mappings: Iterable[NetworkMapping],
    operation: Operation = "failover",
    test_network_id: ArmId | None = None,
    eligible_hosts: EligibleHosts | None = None,
    gaps: Gaps = Gaps(),  # noqa: B008 - a frozen value
    absent: Collection[ArmId] = (),
) -> Prediction:
    """Where each address of each NIC of ``machines`` goes, in their order: what one is given the next cannot have.

    ``networks`` holds every network that may matter; what is not there counts as not known, but for those that are
    ``absent`` for certain. ``gaps`` say which mappings could not be read. ``test_network_id`` names
    the network of a test failover. Each answer names its rule and the rule's document.
    """
    listed = tuple(machines)
    addresses = [
        _Address(machine, nic, configuration)
        for machine in listed
        for nic in machine.nics
        for configuration in nic.ip_configurations or (IpConfiguration(),)
    ]
    run = _Run(networks, Mappings(mappings, gaps), eligible_hosts, absent)
    if operation == "failback":
        landings = run.failback(addresses)
    else:
        landings = run.failover(addresses, is_test=operation == "test-failover", named=test_network_id)
    return Prediction(
        operation=operation,
        test_network_id=test_network_id if operation == "test-failover" else None,
        summary=summarize(landings, len(listed)),
        without_nics=tuple(machine.name for machine in listed if not machine.nics),
        landings=landings,
    )


class _Address(Struct, frozen=True, gc=False):
    """One ip configuration, with the NIC and the machine it belongs to."""

    machine: Machine
    nic: Nic
    configuration: IpConfiguration


class _Leg(Struct, frozen=True, gc=False):
    """One way of one address: the network it goes to, among which addresses, as a test or not, and ``back`` from where.

    Without ``back`` it starts where the machine is. ``via`` is the network the replica is on by then, None for none.
    """

    target: Target
    site: Site
    is_test: bool = False
    back: Landing | None = None
    via: ArmId | None = None


class _Run:
    """One prediction; what changes in its course are the addresses of the sites only."""

    def __init__(
        self,
        networks: Mapping[ArmId, Network],
        mappings: Mappings,
        hosts: EligibleHosts | None,
        absent: Collection[ArmId],
    ) -> None:
        self._networks = networks
        self._absent = absent
        self._mappings = mappings
        self._find_hosts = hosts
        self._hosts: dict[tuple[ArmId, ArmId], tuple[str, ...] | None] = {}

    def failover(
        self, addresses: Sequence[_Address], *, is_test: bool = False, named: ArmId | None = None
    ) -> tuple[Landing, ...]:
        """Every address where it fails over to."""
        targets = [failover_target(one.machine, one.nic, self._mappings, self._networks) for one in addresses]
        site = Site(self._networks, {} if is_test else _held_already(addresses, targets), self._absent)
        if is_test:
            targets = [
                test_target(target, one.machine, one.nic, named, self._networks)
                for one, target in zip(addresses, targets, strict=True)
            ]
        return tuple(
            self._land(one, _Leg(target, site, is_test)) for one, target in zip(addresses, targets, strict=True)
        )

    def failback(self, addresses: Sequence[_Address]) -> tuple[Landing, ...]:
        """Every address after it has failed over and come back."""
        landed = self.failover(addresses)
        home = Site(self._networks, _left_behind(addresses), self._absent)
        return tuple(self._come_back(one, landing, home) for one, landing in zip(addresses, landed, strict=True))

    def _come_back(self, one: _Address, landed: Landing, home: Site) -> Landing:
        if landed.outcome == "not_failed_over":
            return landed
        if one.machine.re_protected and one.nic.recovery_network_id is not None:
            return self._land(one, _Leg(_own_way_back(one.nic.recovery_network_id, landed), home))
        is_anywhere = landed.network_rule in rules.UNCLEAR and one.nic.name not in one.machine.replicas
        if landed.network_id is None and (landed.kind == "azure_to_azure" or is_anywhere):
            return landed
        back = self._way_back(one, landed)
        target = Target(
            kind=landed.kind,
            rule=back.rule,
            network_id=back.network_id,
            mapped_network_id=back.found.network_id,
            own_settings=False,
            notices=self._return_notices(one, back),
        )
        replica = one.machine.replicas.get(one.nic.name)
        leg = _Leg(target, home, back=landed, via=replica.network_id if replica else landed.network_id)
        return self._stay(one, leg) if back.rule is rules.FAILBACK_UNCHANGED else self._land(one, leg)

    def _way_back(self, one: _Address, landed: Landing) -> Return:
        machine, replica = one.machine, one.machine.replicas.get(one.nic.name)
        if landed.kind == "azure_to_azure":
            now = replica.network_id if replica else landed.network_id
            return failback_between_regions(
                now, self._mappings, vault_id=machine.vault_id, home_fabric_id=machine.home_fabric_id
            )
        return failback_on_premises(
            one.nic.primary_network_id,
            landed.network_id,
            replica,
            self._mappings,
            vault_id=machine.vault_id,
            home_fabric_id=machine.home_fabric_id,
        )

    def _return_notices(self, one: _Address, back: Return) -> tuple[Notice, ...]:
        if back.found.rivals:
            return (ambiguity(back.found),)
        if back.found.gap:
            return (gap_notice(back.found),)
        original = one.nic.primary_network_id
        if back.network_id is None or original is None or back.network_id == original:
            return ()
        words = f"it comes back to {label(back.network_id, self._networks)}, not to {label(original, self._networks)}"
        return (notice("not_home", words),)

    def _stay(self, one: _Address, leg: _Leg) -> Landing:
        """Nobody touches the machine's own NIC: it is where it was, as it was."""
        place = Place(one.configuration.subnet, is_known=True)
        return self._describe(one, leg, place, Assigned(None, "keeps_address", one.configuration.ip))

    def _land(self, one: _Address, leg: _Leg) -> Landing:
        left_out = _left_out(one.configuration)
        if left_out is not None:
            return self._describe(one, leg, _NOWHERE, left_out)
        target = leg.target
        if target.network_id is None:
            is_unclear = target.rule in rules.UNCLEAR
            return self._describe(one, leg, _NOWHERE, Assigned(None, "unknown" if is_unclear else "loses_connectivity"))
        own_subnet = one.configuration.recovery_subnet if target.own_settings else None
        place = leg.site.place(target.network_id, _start(one, leg).subnet, own_subnet or None, target.kind)
        if not place.is_known:
            is_lost = place.rule in _NO_PLACE
            return self._describe(one, leg, place, Assigned(None, "loses_connectivity" if is_lost else "unknown"))
        return self._describe(one, leg, place, assign(_request(one, leg), place.pool, target.kind))

    def _describe(self, one: _Address, leg: _Leg, place: Place, assigned: Assigned) -> Landing:
        machine, nic, configuration, target = one.machine, one.nic, one.configuration, leg.target
        primary, network_id = nic.primary_network_id, target.network_id
        hosts = self._eligible(primary, network_id) if target.kind == "vmm_to_vmm" else None
        ip_type, type_rule = _ip_type(one, leg, assigned)
        return Landing(
            machine=machine.name,
            nic=nic.name,
            ip_configuration=configuration.name,
            kind=target.kind,
            outcome=_outcome(configuration, assigned),
            rule=assigned.rule or place.rule or target.rule,
            primary_network_id=primary,
            primary_network=label(primary, self._networks) if primary else nic.primary_network or None,
            primary_subnet=configuration.subnet or None,
            primary_ip=configuration.ip or None,
            primary_ip_type=configuration.ip_type,
            network_id=network_id,
            network=label(network_id, self._networks) if network_id else None,
            network_rule=target.rule,
            subnet=place.subnet,
            subnet_rule=place.rule,
            ip=assigned.ip,
            address_rule=assigned.rule,
            ip_type=ip_type,
            type_rule=type_rule,
            detail=assigned.detail,
            via_network=label(leg.via, self._networks) if leg.via else None,
            via_ip=leg.back.ip if leg.back and leg.back.network_id == leg.via else None,
            own_network_id=target.own_network_id,
            mapped_network_id=target.mapped_network_id,
            own_subnet=place.own_subnet,
            named_subnet=place.named_subnet,
            recovery_plan=machine.recovery_plan,
            whole_subnet=machine.whole_subnet,
            item_id=machine.item_id,
            hosts=hosts,
            notices=(*target.notices, *place.notices, *assigned.notices, *_circumstances(one, leg, place, hosts)),
        )

    def _eligible(self, primary: ArmId | None, recovery: ArmId | None) -> tuple[str, ...] | None:
        if self._find_hosts is None or primary is None or recovery is None:
            return None
        key = (primary, recovery)
        if key not in self._hosts:
            found = self._find_hosts(primary, recovery)
            self._hosts[key] = None if found is None else tuple(found)
        return self._hosts[key]


def _own_way_back(own: ArmId, landed: Landing) -> Target:
    return Target(
        kind=landed.kind,
        rule=rules.A2A_FAILBACK_OWN if landed.kind == "azure_to_azure" else rules.VMM_OWN_NETWORK,
        network_id=own,
        own_network_id=own,
        mapped_network_id=landed.mapped_network_id,
    )


def _held_already(addresses: Iterable[_Address], targets: Iterable[Target]) -> dict[ArmId, set[int]]:
    """The addresses that are the machines' own where they land, as far as can be told.

    Those of machines that have failed over already, and of machines that stay in their network: between zones they may
    keep them. Source: Enable Azure VM disaster recovery between availability zones.
    """
    held: defaultdict[ArmId, set[int]] = defaultdict(set)
    for one, target in zip(addresses, targets, strict=True):
        address = _held(one, target)
        if target.network_id is not None and address is not None:
            held[target.network_id].add(address)
    return held


def _held(one: _Address, target: Target) -> int | None:
    address = number(one.configuration.ip)
    if one.machine.failed_over:
        return number(one.configuration.recovery_ip) or address
    return address if target.network_id == one.nic.primary_network_id else None


def _left_behind(addresses: Iterable[_Address]) -> dict[ArmId, set[int]]:
    """The addresses that machines had before failover, which are theirs again when they come back."""
    left: defaultdict[ArmId, set[int]] = defaultdict(set)
    for one in addresses:
        address = number(one.configuration.ip)
        if one.nic.primary_network_id is not None and address is not None:
            left[one.nic.primary_network_id].add(address)
    return left


def _left_out(configuration: IpConfiguration) -> Assigned | None:
    if not configuration.primary and not configuration.selected_for_failover:
        words = f"the secondary ip configuration '{configuration.name}' is not configured to fail over"
        return Assigned(rules.SECONDARY_LEFT_OUT, "not_failed_over", notices=(notice("secondary_not_selected", words),))
    if is_ipv6(configuration.ip):
        words = f"Site Recovery does not support IPv6: {configuration.ip} does not fail over"
        return Assigned(rules.IPV6_LEFT_OUT, "not_failed_over", notices=(notice("ipv6_not_supported", words),))
    return None


class _Start(Struct, frozen=True, gc=False):
    """Where one way of an address begins, as far as it is known."""

    network_id: ArmId | None = None
    subnet: str | None = None
    ip: str | None = None


def _start(one: _Address, leg: _Leg) -> _Start:
    configuration, back = one.configuration, leg.back
    if back is None:
        return _Start(one.nic.primary_network_id, configuration.subnet or None, configuration.ip or None)
    if back.network_id == leg.via:
        return _Start(back.network_id, back.subnet, back.ip)
    # A replica that was moved has a subnet and an address there that nobody told.
    return _Start(leg.via)


def _request(one: _Address, leg: _Leg) -> Request:
    configuration, start = one.configuration, _start(one, leg)
    return Request(
        holder=one.machine.name,
        ip=start.ip,
        own_ip=configuration.recovery_ip if leg.target.own_settings or leg.is_test else None,
        is_dynamic=(configuration.ip_type or "").lower() == "dynamic",
        is_test=leg.is_test,
        spans=() if start.ip else leg.site.spans(start.network_id, start.subnet),
        anyone=one.machine.whole_subnet,
    )


def _outcome(configuration: IpConfiguration, assigned: Assigned) -> Outcome:
    if assigned.ip and configuration.ip:
        return "keeps_address" if assigned.ip == configuration.ip else "changes_address"
    return assigned.outcome


def _ip_type(one: _Address, leg: _Leg, assigned: Assigned) -> tuple[str | None, Rule | None]:
    """Whether the address is static or dynamic where it lands, and by which rule; nothing where there is none."""
    is_placed = assigned.rule is not None or leg.back is not None
    if not is_placed or assigned.outcome in {"not_failed_over", "loses_connectivity"}:
        return None, None
    if assigned.rule is rules.ADDRESS_OWN:
        return "Static", rules.TYPE_AS_SET
    kind, begun_as = leg.target.kind, one.configuration.ip_type
    if kind == "vmm_to_azure" and leg.back is None:
        is_unset = assigned.rule in {rules.ADDRESS_UNSPECIFIED, rules.ADDRESS_OWN_UNAVAILABLE}
        return ("Dynamic" if is_unset else "Static"), rules.TYPE_AS_SET
    if leg.is_test and kind == "azure_to_azure":
        return "Static", rules.TYPE_TEST_STATIC
    return begun_as, rules.TYPE_FOLLOWS if begun_as and kind == "azure_to_azure" else None


def _circumstances(one: _Address, leg: _Leg, place: Place, hosts: tuple[str, ...] | None) -> Iterator[Notice]:
    target, back = leg.target, leg.back
    if one.machine.failed_over and back is None and not leg.is_test and not one.machine.re_protected:
        yield notice("already_failed_over")
    original = one.configuration.subnet or ""
    is_home = back is not None and target.network_id == one.nic.primary_network_id
    if is_home and place.subnet and place.subnet.lower() != original.lower():
        yield notice("not_home", f"it comes back to the subnet '{place.subnet}', not to '{original}'")
    if hosts == ():
        yield notice("no_eligible_host")
