"""Simulates a failover address by address: network, subnet and address of each NIC, and the rule behind each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct, structs

from asrnet.failover import rules
from asrnet.failover.addresses import is_ipv6, number
from asrnet.failover.assignment import AddressRequest, Assignment, assign
from asrnet.failover.landing import Landing, Operation, Outcome, Prediction, summarize
from asrnet.failover.machines import Machine
from asrnet.failover.mappings import Gaps, Mappings
from asrnet.failover.network_names import Network
from asrnet.failover.networks import (
    NetworkChoice,
    failback_between_regions,
    failback_on_premises,
    failover_network,
    label,
    test_network,
)
from asrnet.failover.rules import Notice, Rule, notice
from asrnet.failover.subnets import Place, Places
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, NetworkMapping, Nic, VirtualNetwork


class EligibleHosts(Protocol):
    """Finds the hosts that can take a machine."""

    def __call__(self, start: ArmId | None, target: ArmId, *, is_failback: bool) -> Sequence[str] | None:
        """The hosts for a machine that moves from one VM network to another; None if they are unknown."""


def simulate(
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
    """Where each address of each NIC of ``machines`` lands, machine by machine. No address is assigned twice.

    ``networks`` holds every network that may matter. A network that is not in it counts as unknown, unless it is known
    to be ``absent``. ``gaps`` are the mappings that could not be read. ``test_network_id`` is the network named for a
    test failover. Each answer has its rule and the rule's source.
    """
    listed = tuple(machines)
    addresses = [
        _Address(machine, nic, configuration)
        for machine in listed
        if not machine.unsupported_provider
        for nic in machine.nics
        for configuration in nic.ip_configurations or (IpConfiguration(),)
    ]
    simulation = _Simulation(networks, Mappings(mappings, gaps), eligible_hosts, absent)
    if operation == "failback":
        landings = simulation.fail_back(addresses)
    else:
        landings = simulation.fail_over(
            addresses, is_test=operation == "test-failover", test_network_id=test_network_id
        )
    return Prediction(
        operation=operation,
        test_network_id=test_network_id if operation == "test-failover" else None,
        summary=summarize(landings, len(listed)),
        without_nics=tuple(machine.name for machine in listed if not machine.nics and not machine.unsupported_provider),
        out_of_scope=tuple(
            f"{machine.name} ({machine.unsupported_provider})" for machine in listed if machine.unsupported_provider
        ),
        landings=landings,
    )


class _Address(Struct, frozen=True, gc=False):
    """An IP configuration with its NIC and machine."""

    machine: Machine
    nic: Nic
    configuration: IpConfiguration


class _Move(Struct, frozen=True, gc=False):
    """The move of one address to the chosen network, among the addresses of ``places``.

    For a failback, ``landed`` is where the failover put it, and ``via`` the replica's current network, None for none.
    Without ``landed``, the move starts where the machine is.
    """

    choice: NetworkChoice
    places: Places
    is_test: bool = False
    is_failback: bool = False
    landed: Landing | None = None
    via: ArmId | None = None


class _Simulation:
    """The networks and mappings of a prediction. Only the set of assigned addresses changes."""

    def __init__(
        self,
        networks: Mapping[ArmId, Network],
        mappings: Mappings,
        eligible_hosts: EligibleHosts | None,
        absent: Collection[ArmId],
    ) -> None:
        self._networks = networks
        self._absent = absent
        self._mappings = mappings
        self._eligible_hosts = eligible_hosts
        self._hosts: dict[tuple[ArmId | None, ArmId, bool], tuple[str, ...] | None] = {}

    def fail_over(
        self, addresses: Sequence[_Address], *, is_test: bool = False, test_network_id: ArmId | None = None
    ) -> tuple[Landing, ...]:
        """Where every address lands at failover or, with ``is_test``, in a test failover."""
        choices = [
            failover_network(address.machine, address.nic, self._mappings, self._networks) for address in addresses
        ]
        if not is_test:
            places = Places(self._networks, _addresses_held(addresses, choices), self._absent)
        else:
            # During a test the machines keep running, so that their addresses stay in use.
            running = _addresses_at_home(address for address in addresses if not address.machine.failed_over)
            places = Places(self._networks, absent=self._absent, occupied=running)
            choices = [
                test_network(choice, address.machine, address.nic, test_network_id, self._networks)
                for address, choice in zip(addresses, choices, strict=True)
            ]
        return tuple(
            self._land(address, _Move(choice, places, is_test))
            for address, choice in zip(addresses, choices, strict=True)
        )

    def fail_back(self, addresses: Sequence[_Address]) -> tuple[Landing, ...]:
        """Where every address is after failing over and back."""
        landings = self.fail_over(addresses)
        # The machines' original NICs may still hold their addresses, which count as free for the same machines.
        home = Places(self._networks, _addresses_at_home(addresses), self._absent)
        return tuple(
            self._come_back(address, landed, home) for address, landed in zip(addresses, landings, strict=True)
        )

    def _come_back(self, address: _Address, landed: Landing, home: Places) -> Landing:
        machine, nic = address.machine, address.nic
        # An address that does not fail over cannot fail back.
        if landed.outcome == "not_failed_over":
            return landed
        # No document says where: it depends on settings at the site, which Site Recovery does not show.
        if landed.kind == "on_premises_to_azure":
            unpredicted = notice("failback_not_predicted")
            choice = NetworkChoice(kind=landed.kind, rule=rules.FAILBACK_NOT_PREDICTED, notices=(unpredicted,))
            return self._land(address, _Move(choice, home, is_failback=True))
        own_network = nic.recovery_network_id
        if machine.is_reversed and (landed.kind == "azure_to_azure" or own_network is not None):
            # A re-protected machine has failed over already: its failback is its next failover, with its own settings.
            # Source: Set up network mapping and IP addressing for VNets.
            choice = failover_network(machine, nic, self._mappings, self._networks)
            if choice.kind == "azure_to_azure" and own_network is not None:
                choice = structs.replace(choice, rule=rules.A2A_FAILBACK_OWN, network_id=own_network)
            return self._land(address, _Move(choice, home, is_failback=True))

        # From here on the machine is not re-protected yet, so its replica's network decides and not its settings.
        replica = machine.replicas.get(nic.name)
        is_anywhere = landed.network_rule in rules.UNCLEAR and replica is None
        if landed.network_id is None and (landed.kind == "azure_to_azure" or is_anywhere):
            return landed
        via = replica.network_id if replica else landed.network_id
        primary = nic.primary_network_id
        if landed.kind == "azure_to_azure":
            network = self._networks.get(primary) if primary else None
            choice = failback_between_regions(
                via,
                self._mappings,
                vault_id=machine.vault_id,
                home_fabric_id=machine.home_fabric_id,
                # The home of a machine that is not protected yet is the region of its network.
                home_location=machine.home_location
                or (network.location if isinstance(network, VirtualNetwork) else None),
                zone_network=primary if machine.between_zones else None,
            )
        else:
            choice = failback_on_premises(
                primary,
                landed.network_id,
                replica,
                self._mappings,
                kind=landed.kind,
                vault_id=machine.vault_id,
                home_fabric_id=machine.home_fabric_id,
            )
        # Whoever predicts a failback mainly wants to know which machines do not come home.
        if choice.network_id is not None and primary is not None and choice.network_id != primary:
            names = label(choice.network_id, self._networks), label(primary, self._networks)
            other_network = notice("not_home", f"it comes back to {names[0]}, not to {names[1]}")
            choice = structs.replace(choice, notices=(*choice.notices, other_network))
        move = _Move(choice, home, is_failback=True, landed=landed, via=via)
        if choice.rule is rules.FAILBACK_UNCHANGED:
            # The machine's original NIC is not touched, so it keeps its subnet and address.
            place = Place(address.configuration.subnet, is_known=True)
            unchanged = Assignment(None, "keeps_address", address.configuration.ip)
            if primary is None:
                unchanged = Assignment(None, "unknown", notices=(notice("primary_network_unknown"),))
            return self._describe(address, move, place, unchanged)
        return self._land(address, move)

    def _land(self, address: _Address, move: _Move) -> Landing:
        """Choose subnet and address on the network of the move."""
        configuration, choice = address.configuration, move.choice
        left_out = _left_out(address)
        if left_out is not None:
            return self._describe(address, move, Place(), left_out)
        if choice.network_id is None:
            outcome: Outcome = "unknown" if choice.rule in rules.UNCLEAR else "loses_connectivity"
            return self._describe(address, move, Place(), Assignment(None, outcome))

        start_network, start_subnet, start_ip = _start(address, move)
        test_subnet = configuration.test_subnet if move.is_test and choice.test_settings else None
        place = move.places.find(
            choice.network_id,
            start_subnet,
            test_subnet or (configuration.recovery_subnet if choice.failover_settings else None) or None,
            choice.kind,
            set_for_test=bool(test_subnet),
        )
        if not place.is_known:
            is_lost = place.rule in {rules.NO_SUBNET, rules.NETWORK_MISSING}
            return self._describe(
                address, move, place, Assignment(None, "loses_connectivity" if is_lost else "unknown")
            )
        request = AddressRequest(
            holder=address.machine.name,
            ip=start_ip,
            prefixes=() if start_ip else move.places.prefixes(start_network, start_subnet),
            failover_ip=configuration.recovery_ip if choice.failover_settings or move.is_test else None,
            test_ip=configuration.test_ip if move.is_test and choice.test_settings else None,
            is_dynamic=(configuration.ip_type or "").lower() == "dynamic",
            is_test=move.is_test,
            whole_subnet=address.machine.whole_subnet,
        )
        return self._describe(address, move, place, assign(request, place.pool, choice.kind))

    def _describe(self, address: _Address, move: _Move, place: Place, assignment: Assignment) -> Landing:
        machine, nic, configuration = address.machine, address.nic, address.configuration
        choice, landed = move.choice, move.landed
        primary, network_id = nic.primary_network_id, choice.network_id
        outcome = assignment.outcome
        # Compared with the current address, not with the replica's, from which a failback starts.
        if assignment.ip and configuration.ip:
            outcome = "keeps_address" if assignment.ip == configuration.ip else "changes_address"
        hosts = self._hosts_for(primary, move) if choice.kind == "vmm_to_vmm" else None
        ip_type, type_rule = _ip_type(address, move, assignment)
        return Landing(
            machine=machine.name,
            nic=nic.name,
            ip_configuration=configuration.name,
            kind=choice.kind,
            outcome=outcome,
            rule=assignment.rule or place.rule or choice.rule,
            primary_network_id=primary,
            primary_network=label(primary, self._networks) if primary else nic.primary_network or None,
            primary_subnet=configuration.subnet or None,
            primary_ip=configuration.ip or None,
            primary_ip_type=configuration.ip_type,
            network_id=network_id,
            network=label(network_id, self._networks) if network_id else None,
            network_rule=choice.rule,
            subnet=place.subnet,
            subnet_rule=place.rule,
            ip=assignment.ip,
            address_rule=assignment.rule,
            ip_type=ip_type,
            type_rule=type_rule,
            detail=assignment.detail,
            via_network=label(move.via, self._networks) if move.via else None,
            via_ip=landed.ip if landed and landed.network_id == move.via else None,
            own_network_id=choice.own_network_id,
            mapped_network_id=choice.mapped_network_id,
            own_subnet=place.own_subnet,
            named_subnet=place.named_subnet,
            recovery_plan=machine.recovery_plan,
            whole_subnet=machine.whole_subnet,
            item_id=machine.item_id,
            hosts=hosts,
            notices=(
                *choice.notices,
                *place.notices,
                *assignment.notices,
                *((notice("network_elsewhere"),) if _is_in_other_region(address, move, self._networks) else ()),
                *_move_notices(address, move, place, hosts),
                *machine.notices,
            ),
        )

    def _hosts_for(self, primary: ArmId | None, move: _Move) -> tuple[str, ...] | None:
        """The hosts that can take the machine at its destination, on the recovery side or at home."""
        start, target = move.via if move.landed else primary, move.choice.network_id
        if self._eligible_hosts is None or target is None or (start is None and not move.is_failback):
            return None
        key = (start, target, move.is_failback)
        # Each look-up walks the whole topology, and all machines of a network have the same answer.
        if key not in self._hosts:
            hosts = self._eligible_hosts(start, target, is_failback=move.is_failback)
            self._hosts[key] = None if hosts is None else tuple(hosts)
        return self._hosts[key]


def _addresses_at_home(addresses: Iterable[_Address]) -> dict[ArmId, set[int]]:
    """The addresses of machines in their primary networks."""
    at_home: defaultdict[ArmId, set[int]] = defaultdict(set)
    for address in addresses:
        ip = number(address.configuration.ip)
        if address.nic.primary_network_id is not None and ip is not None:
            at_home[address.nic.primary_network_id].add(ip)
    return at_home


def _addresses_held(addresses: Iterable[_Address], choices: Iterable[NetworkChoice]) -> dict[ArmId, set[int]]:
    """The known addresses in use, by network, that belong to the very machines that land there.

    They belong to machines that have failed over already, and to machines that stay in their network: between zones
    they may keep their address. Source: Enable Azure VM disaster recovery between availability zones.
    """
    held: defaultdict[ArmId, set[int]] = defaultdict(set)
    for address, choice in zip(addresses, choices, strict=True):
        if choice.network_id is None:
            continue
        ip = number(address.configuration.ip)
        if address.machine.failed_over:
            ip = number(address.configuration.recovery_ip) or ip
        elif choice.network_id != address.nic.primary_network_id:
            ip = None
        if ip is not None:
            held[choice.network_id].add(ip)
    return held


def _left_out(address: _Address) -> Assignment | None:
    """The answer for an address that does not fail over at all; None for others."""
    configuration = address.configuration
    is_on_premises = address.machine.kind == "on_premises_to_azure"
    is_unselected = address.nic.selection.lower() == "notselected"
    if is_on_premises and not configuration.selected_for_failover:
        is_unselected = True  # The newest VMware provider has one address per NIC, and selects it.
    # During re-protection, NICs that failed over later were recorded as NotSelected. Source: Manage VM network
    # interfaces for on-premises disaster recovery to Azure.
    if is_unselected and address.machine.is_protected:
        # Source: Manage VM network interfaces for on-premises disaster recovery to Azure.
        message = f"'{address.nic.name}' is not selected (NotSelected); documented for on-premises machines only"
        notices = () if is_on_premises else (notice("nic_not_selected", message),)
        return Assignment(rules.NIC_NOT_SELECTED, "not_failed_over", notices=notices)
    # Source: Customize networking configurations of the target Azure VM.
    if not configuration.primary and not configuration.selected_for_failover:
        message = f"the secondary IP configuration '{configuration.name}' is not configured to fail over"
        unselected = notice("secondary_not_selected", message)
        return Assignment(rules.SECONDARY_LEFT_OUT, "not_failed_over", notices=(unselected,))
    # Source: Support matrix for Azure VM disaster recovery between Azure regions.
    if is_ipv6(configuration.ip):
        message = f"Site Recovery does not support IPv6: {configuration.ip} does not fail over"
        return Assignment(rules.IPV6_LEFT_OUT, "not_failed_over", notices=(notice("ipv6_not_supported", message),))
    return None


def _start(address: _Address, move: _Move) -> tuple[ArmId | None, str | None, str | None]:
    """The network, subnet and address from which the move starts, as far as they are known."""
    configuration, landed = address.configuration, move.landed
    if landed is None:
        return address.nic.primary_network_id, configuration.subnet or None, configuration.ip or None
    if landed.network_id == move.via:
        return landed.network_id, landed.subnet, landed.ip
    # The subnet and address of a moved replica are not known.
    return move.via, None, None


def _ip_type(address: _Address, move: _Move, assignment: Assignment) -> tuple[str | None, Rule | None]:
    """Whether the new address is static or dynamic, and by which rule; None if there is no address."""
    is_placed = assignment.rule is not None or move.landed is not None
    if not is_placed or assignment.outcome in {"not_failed_over", "loses_connectivity"}:
        return None, None
    if assignment.rule in {rules.ADDRESS_OWN, rules.TEST_ADDRESS_OWN}:
        return "Static", rules.TYPE_AS_SET
    kind, primary_type = move.choice.kind, address.configuration.ip_type
    # Source: Connect to Azure VMs after failover from on-premises.
    if kind in {"vmm_to_azure", "on_premises_to_azure"} and move.landed is None:
        is_unset = assignment.rule in {rules.ADDRESS_UNSPECIFIED, rules.ADDRESS_OWN_UNAVAILABLE}
        return ("Dynamic" if is_unset else "Static"), rules.TYPE_AS_SET
    # Source, here and below: Set up network mapping and IP addressing for VNets.
    if move.is_test and kind == "azure_to_azure":
        return "Static", rules.TYPE_TEST_STATIC
    return primary_type, rules.TYPE_FOLLOWS if primary_type and kind == "azure_to_azure" else None


def _is_in_other_region(address: _Address, move: _Move, networks: Mapping[ArmId, Network]) -> bool:
    """Whether a failover leads to a network outside the machine's target region.

    A NIC can only join networks of its own region, and the machine's NICs are created in its target region.
    """
    choice = move.choice
    network = networks.get(choice.network_id) if choice.network_id else None
    mapped = networks.get(choice.mapped_network_id) if choice.mapped_network_id else None
    region = address.machine.recovery_location or (mapped.location if isinstance(mapped, VirtualNetwork) else None)
    return isinstance(network, VirtualNetwork) and bool(region) and network.location != region and not move.is_failback


def _move_notices(address: _Address, move: _Move, place: Place, hosts: tuple[str, ...] | None) -> Iterator[Notice]:
    """The other notices about this move."""
    machine, landed = address.machine, move.landed
    selection = address.nic.selection
    if selection.lower() == "notselected" and not machine.is_protected:
        message = f"'{address.nic.name}' is NotSelected, as seen during re-protection: it is predicted to fail over"
        yield notice("selection_unclear", message)
    elif selection and selection.lower() not in _SELECTIONS:
        message = f"'{address.nic.name}' has the unknown selection '{selection}': it is predicted to fail over"
        yield notice("selection_unclear", message)
    if machine.failed_over and not machine.is_reversed and not move.is_failback and not move.is_test:
        yield notice("already_failed_over")
    if machine.is_reversed and not machine.failed_over and not move.is_failback:
        yield notice("runs_in_recovery_region")
    if machine.direction_unclear and not machine.failed_over and move.is_failback:
        yield notice("direction_unclear")
    subnet = address.configuration.subnet or ""
    is_home = landed is not None and move.choice.network_id == address.nic.primary_network_id
    if is_home and place.subnet and place.subnet.lower() != subnet.lower():
        yield notice("not_home", f"it comes back to the subnet '{place.subnet}', not to '{subnet}'")
    if hosts == ():
        yield notice("no_eligible_host")


_SELECTIONS = frozenset({"selectedbydefault", "selectedbyuser", "selectedbyuseroverride", "notselected"})
"""Site Recovery's values for how a NIC was selected, in lower case."""
