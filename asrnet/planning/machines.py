"""Protected machines: the pair of each machine, where it fails over to, and the update that makes it follow its pair.

A mapping decides only where newly protected machines land. A machine that is already protected keeps its networks until
it is updated itself.
"""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, structs

from asrnet.desired.pairs import Pair, ended_ignore, is_machine_ignored
from asrnet.errors import InputError
from asrnet.failover.addresses import capacity, number, usable
from asrnet.failover.subnets import choose_subnet, is_reserved, unreadable_prefix
from asrnet.inventory.read import Inventory, Unknown
from asrnet.inventory.test_networks import check_test_network, connected_test_networks
from asrnet.model import machine_update
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
    MICROSOFT_AZURE,
    NOT_SELECTED,
    IpConfiguration,
    MappingKind,
    Nic,
    ProtectedItem,
    Subnet,
    VirtualNetwork,
)
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.model.machine_networks import MachineNetworks, networks_of
from asrnet.model.plan import Change, MachineStatus, MachineView
from asrnet.model.rights import UPDATE_MACHINES
from asrnet.planning.view import Request, VaultView, WantedPair

_HYPER_V_TO_AZURE: Final = "HyperVReplicaAzure"
"""The provider of machines that are protected from a VMM server to Azure."""

_NOT_RUNNING: Final = frozenset({"", "none"})


class Member(Struct, frozen=True, kw_only=True):
    """A machine and the pair it belongs to; ``contradicts`` are other pairs that would send it elsewhere."""

    item: ProtectedItem
    wanted_pair: WantedPair
    contradicts: tuple[WantedPair, ...] = ()


class Support(Struct, frozen=True, kw_only=True):
    """Other changes of the same plan that a machine's change depends on.

    ``mappings`` has the change of each pair's forward mapping by the pair's name, ``networks`` the recovery networks
    that are created or get new subnets, each as it will be, with the id of that change.
    """

    mappings: Mapping[str, str]
    networks: Mapping[ArmId, tuple[VirtualNetwork, str]]


class MachinePart(Struct, frozen=True, kw_only=True):
    """The machines' share of a vault's plan."""

    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    views: tuple[MachineView, ...] = ()


class _Problem(Struct, frozen=True):
    """Why a machine is not updated now (the end of a sentence about it), and how to fix that.

    ``of_test``: it prevents only the change of the test network, not that of the recovery network.
    """

    reason: str
    hint: str = ""
    of_test: bool = False


class _Update(Struct, frozen=True, kw_only=True):
    """What an update would set, the ids of the changes it waits for, and the problems that prevent it.

    With ``test_problems``, the update leaves the test network as it is.
    """

    after: MachineNetworks
    needs: tuple[str, ...]
    problems: tuple[_Problem, ...]
    test_problems: tuple[_Problem, ...] = ()


def members_of(view: VaultView, wanted_pairs: Iterable[WantedPair], request: Request) -> list[Member]:
    """The machines of the pairs, except ignored machines and those that run in the recovery region.

    A machine belongs to a pair by the network it is on and by the region it is replicated to, so that one that stays
    in its region, from zone to zone, belongs to none. Machines of pairs that another tool manages are members, so that
    they are compared; they never follow.
    """
    items = () if isinstance(view.inventory.items, Unknown) else view.inventory.items
    pairs: dict[tuple[ArmId | None, str | None, str | None], WantedPair] = {
        (wanted_pair.pair.primary, wanted_pair.forward.primary.place, wanted_pair.forward.recovery.place): wanted_pair
        for wanted_pair in wanted_pairs
        if items
    }
    places = _fabric_places(view)
    members = []
    for item in items if pairs else ():
        if item.is_reversed or is_machine_ignored(item.friendly_name, request.desired.ignore, request.inventory.today):
            continue
        direction = _direction(item, places)
        of_item = {
            wanted_pair.pair.name: wanted_pair
            for nic in item.nics
            if nic.selection != NOT_SELECTED and (wanted_pair := pairs.get((nic.primary_network_id, *direction)))
        }
        # If several pairs lead to the same networks, a pair that does not follow takes precedence: an update moves the
        # whole machine, including a NIC on a network that another tool manages.
        first, *others = sorted(of_item.values(), key=lambda wanted_pair: wanted_pair.pair.follow) or (None,)
        if first is None or (item.has_failed_over and not first.pair.follow):
            continue
        ends = (first.pair.recovery, first.pair.test)
        contradicts = tuple(other for other in others if (other.pair.recovery, other.pair.test) != ends)
        members.append(Member(item=item, wanted_pair=first, contradicts=contradicts))
    return members


def unassigned_machines(view: VaultView, wanted_pairs: Iterable[WantedPair]) -> Iterator[Finding]:
    """Findings about machines that may belong to one of these pairs, but whose pair is not known."""
    following = [wanted_pair for wanted_pair in wanted_pairs if wanted_pair.pair.follow]
    items = view.inventory.items
    if not following:
        return
    if isinstance(items, Unknown):
        yield finding(
            FindingKind.UNKNOWN,
            f"the machines of the vault could not be read, so whether they follow is not known: {items.error}",
            vault=view.vault.name,
            subject=view.vault.id,
            hint=items.error.hint,
        )
        return
    directions = {(wanted_pair.forward.primary.place, wanted_pair.forward.recovery.place) for wanted_pair in following}
    places = _fabric_places(view)
    for item in items:
        # Recorded: a machine reports no NICs while it replicates initially, and again while it is re-protected.
        if not item.nics and _direction(item, places) in directions and not item.is_reversed:
            state = item.state or "unknown"
            yield finding(
                FindingKind.STALE_PROTECTED_ITEM,
                f"{item.friendly_name} reports no NICs in state {state}, so its pair is not known; it is left alone",
                vault=view.vault.name,
                subject=item.id,
                hint="plan again in some minutes"
                if state.lower() == "protected"
                else "plan again when it is Protected",
                severity="info",
            )


def _fabric_places(view: VaultView) -> dict[ArmId, str | None]:
    """The place of each fabric, as pairs name it."""
    return {fabric.id: fabric.id.key if fabric.kind == "vmm" else fabric.location for fabric in view.inventory.fabrics}


def _direction(item: ProtectedItem, places: Mapping[ArmId, str | None]) -> tuple[str | None, str | None]:
    """Where a machine runs and where it fails over to, as pairs name these places."""
    primary_place = places.get(item.fabric_id) or item.primary_location
    if item.provider == _HYPER_V_TO_AZURE:
        return primary_place, MICROSOFT_AZURE
    recovery_place = places.get(item.recovery_fabric_id) if item.recovery_fabric_id else None
    return primary_place, recovery_place or item.recovery_location


def plan_machines(
    view: VaultView, members: Sequence[Member], chosen: Collection[str], support: Support, request: Request
) -> MachinePart:
    """Decide for the machines of the ``chosen`` pairs whether they follow, are held back or are only reported."""
    return _MachineDiff(view, support, request, members).part(
        [
            member
            for member in members
            if member.wanted_pair.pair.name in chosen and request.selection.has_machine(member.item.friendly_name)
        ]
    )


class _MachineDiff:
    """Compares the machines of one vault with what their pairs ask for."""

    def __init__(self, view: VaultView, support: Support, request: Request, members: Sequence[Member]) -> None:
        self._view = view
        self._support = support
        self._request = request
        self._changes: list[Change] = []
        self._findings: list[Finding] = []
        self._views: list[MachineView] = []
        self._tests: dict[str, VirtualNetwork | None] = {}
        self._machines_by_address = _machines_by_address(view, members)

    def part(self, members: Sequence[Member]) -> MachinePart:
        for member in members:
            if member.contradicts:
                self._report_contradiction(member)
            else:
                self._plan(member)
        self._hold_without_right()
        # Sorted by kind, so that equal hints are adjacent and printed once.
        self._findings.sort(key=lambda finding: finding.kind)
        return MachinePart(changes=tuple(self._changes), findings=tuple(self._findings), views=tuple(self._views))

    def _report_contradiction(self, member: Member) -> None:
        item = member.item
        pairs = [member.wanted_pair.pair, *(other.pair for other in member.contradicts)]
        names = " and ".join(f"{pair.name} ({pair.source})" if pair.source.file else pair.name for pair in pairs)
        reason = f"is on networks of pairs {names}, which lead to different networks, and a machine has only one"
        hint = "give these pairs the same recovery and test network, or list the machine under ignore"
        self._findings += [
            pair.finding(FindingKind.CONFLICT, f"{item.friendly_name} {reason}", subject=item.id, hint=hint)
            for pair in pairs
        ]
        self._add_view(member, "held", networks_of(item), reason=reason)

    def _plan(self, member: Member) -> None:
        item, pair = member.item, member.wanted_pair.pair
        recovery, test = pair.recovery, self._test_network(member.wanted_pair)
        before = networks_of(item, recovery=recovery, test=test.id if test else None)
        assert recovery is not None  # noqa: S101 - a wanted pair has both networks
        # A machine that does not report its recovery network may be as it should be.
        is_stale = before.recovery_network_id is not None and before.recovery_network_id != recovery
        differs_in_test = test is not None and before.test_network_id != test.id
        if not (is_stale or differs_in_test):
            self._add_view(member, "in_sync", before)
            return

        update = self._update(member, before, test if differs_in_test else None, is_stale=is_stale)
        test_problems = tuple(problem for problem in update.problems if problem.of_test)
        if is_stale and test_problems:
            # The failover matters more than the test: the machine follows even if its test network cannot be set.
            without_test = self._update(member, before, None, is_stale=True)
            if not without_test.problems:
                update = structs.replace(without_test, test_problems=test_problems)
        # The update is only reported, held back, or made.
        ended = ended_ignore(item.friendly_name, self._request.desired.ignore, "machine")
        self._report(member, before, test if differs_in_test else None, update, ended, is_stale=is_stale)
        planned = update.after if update.after != before else None
        if not pair.follow:
            self._add_view(member, "reported", before, planned)
        elif update.problems:
            self._add_view(member, "held", before, planned, "; ".join(problem.reason for problem in update.problems))
        else:
            self._add_view(member, "update", before, planned)
            self._changes.append(
                Change.update_machine(
                    item,
                    update.after,
                    id=f"{pair.vault}:{pair.name}:{item.fabric_id.name}/{item.id.parent.name}/{item.id.name}",
                    vault=pair.vault,
                    reason=self._reason(before, update.after) + ended,
                    pair=pair.name,
                    primary_network_id=pair.primary,
                    fingerprint=machine_update.fingerprint(item),
                    depends_on=update.needs,
                    owner=pair.owner,
                )
            )

    def _update(
        self, member: Member, before: MachineNetworks, test: VirtualNetwork | None, *, is_stale: bool
    ) -> _Update:
        """The update that sets the pair's recovery network if ``is_stale``, and ``test`` as the test network if any."""
        item, pair = member.item, member.wanted_pair.pair
        after, needs = before, set[str]()
        problems = [*_problems(item, moves=is_stale, moves_test=test is not None)]
        # An update sets one network for all NICs: a NIC that should keep its network would get that of another NIC.
        selected = [nic for nic in item.nics if nic.selection != NOT_SELECTED]
        for occasion, changes, networks in (
            ("failovers", is_stale, {nic.recovery_network_id or item.recovery_network_id for nic in selected}),
            ("test failovers", test is not None, {nic.test_network_id or item.test_network_id for nic in selected}),
        ):
            if not changes and len(networks) > 1:
                problems.append(
                    _Problem(
                        f"its NICs have different networks for {occasion}, and an update has one for all",
                        _by_hand(item),
                    )
                )
        if is_stale:
            recovery = pair.recovery
            assert recovery is not None  # noqa: S101 - a wanted pair has both networks
            network, change_id = self._network(recovery)
            if network is None:
                problems.append(
                    _Problem(f"the subnets of {recovery.name} are not known", "plan again when they can be read")
                )
            else:
                after, more, new_subnets = _moved(after, item, network, pair.kind, release=pair.release_addresses)
                problems += more
                # The update waits for new subnets of a copy only if the machine will land in one of them.
                existing = self._request.inventory.network(recovery)
                if change_id and not (
                    isinstance(existing, VirtualNetwork) and new_subnets <= {subnet.name for subnet in existing.subnets}
                ):
                    needs.add(change_id)
            # The machine that fails over first takes the address, and the other one gets a different address.
            for address in after.addresses:
                wanted_by = self._machines_by_address.get((recovery, number(address.recovery_ip)), ())
                others = sorted({other.friendly_name for other in wanted_by if other.id != item.id})
                if others:
                    problems.append(
                        _Problem(
                            f"its static recovery address {address.recovery_ip} is also that of {', '.join(others)}",
                            "give each machine an address of its own",
                        )
                    )
            # A machine follows its mapping: if the mapping's change is held back or fails, the machine keeps its
            # networks.
            if mapping_change := self._support.mappings.get(pair.name):
                needs.add(mapping_change)
        if test is not None:
            after, more, _ = _moved(after, item, test, pair.kind, release=pair.release_addresses, for_test=True)
            problems += more
        without_subnet = next(
            (address.nic for address in after.addresses if address.test_ip and not address.test_subnet), None
        )
        if without_subnet:
            # Reported as error 28020 of the job, after the PATCH was accepted.
            problems.append(
                _Problem(
                    f"NIC {without_subnet} has a static test address without a test subnet, which Azure refuses",
                    "give the NIC a test subnet, or remove its static test address",
                )
            )
        return _Update(after=after, needs=tuple(sorted(needs)), problems=tuple(problems))

    def _reason(self, before: MachineNetworks, after: MachineNetworks) -> str:
        reasons = []
        if before.recovery_network_id != after.recovery_network_id:
            old, new = self._labels(before.recovery_network_id, after.recovery_network_id)
            reasons.append(f"fails over to {old}, will fail over to {new}")
        if before.test_network_id != after.test_network_id:
            old, new = self._labels(before.test_network_id, after.test_network_id)
            reasons.append(f"is tested in {old}, will be tested in {new}")
        return "; ".join(reasons)

    def _labels(self, *networks: ArmId | None) -> list[str]:
        """The names of the networks, with their resource groups if the names are the same."""
        names = [self._view.label(network) if network else "no network" for network in networks]
        if len(set(names)) == len(names):
            return names
        return [f"{network.resource_group}/{network.name}" if network else "no network" for network in networks]

    def _report(
        self,
        member: Member,
        before: MachineNetworks,
        test: VirtualNetwork | None,
        update: _Update,
        ended: str,
        *,
        is_stale: bool,
    ) -> None:
        """Report what differs, with the command that updates the machine, or with the reasons why it is held.

        ``ended`` says since when the file no longer ignores the machine, if it ever did.
        """
        item, pair = member.item, member.wanted_pair.pair
        # The command names the pair and not the machine, so that all machines of the pair share one hint, printed once.
        select = shlex.quote(f"--pair={pair.name}") if pair.name.startswith("-") else shlex.join(["--pair", pair.name])
        consequence, hint = "", f"asrnet apply {select} --machines follow"
        if pair.managed_by:
            hint = f"{pair.managed_by} manages this pair: change the machine's networks there"
        elif pair.follow:
            if update.problems:
                consequence = f"; it is left alone: {'; '.join(problem.reason for problem in update.problems)}"
            hint = "; ".join(dict.fromkeys(problem.hint for problem in update.problems if problem.hint))
            if ended and not update.problems:
                hint = "to keep it on its networks, give its entry under ignore a later date"
        if is_stale:
            nics_by_network: dict[ArmId, list[str]] = defaultdict(list)
            for nic in item.nics:
                network = nic.recovery_network_id or item.recovery_network_id
                if network and network != pair.recovery and nic.selection != NOT_SELECTED:
                    nics_by_network[network].append(nic.name)
            if not nics_by_network and before.recovery_network_id:
                nics_by_network[before.recovery_network_id] = [nic.name for nic in item.nics]
            labels = {network: self._labels(network, pair.recovery)[0] for network in nics_by_network}
            targets = " and ".join(
                f"{labels[network]} ({', '.join(nics)})" for network, nics in nics_by_network.items()
            )
            text = f"{item.friendly_name} still fails over to {targets}"
            if len(nics_by_network) == 1:
                network, nics = next(iter(nics_by_network.items()))
                text = f"{item.friendly_name} ({', '.join(nics)}) still fails over to {labels[network]}"
            text += f"{consequence if pair.follow else '; mapping changes do not move it'}{ended}"
            self._findings.append(pair.finding(FindingKind.STALE_PROTECTED_ITEM, text, subject=item.id, hint=hint))
        if test is not None:
            old, new = self._labels(before.test_network_id, test.id)
            test_hint = "" if is_stale else hint
            if pair.follow and update.test_problems:
                reasons = "; ".join(problem.reason for problem in update.test_problems)
                is_production = before.test_network_id == pair.recovery
                danger = ", although it fails over to that network, so that tests run in production" * is_production
                consequence = f"; its test network stays as it is{danger}: {reasons}"
                test_hint = "; ".join(dict.fromkeys(problem.hint for problem in update.test_problems if problem.hint))
            text = f"{item.friendly_name} is tested in {old}, and its pair asks for {new}{consequence}{ended}"
            self._findings.append(pair.finding(FindingKind.TEST_NETWORK_DIFFERS, text, subject=item.id, hint=test_hint))

    def _add_view(
        self,
        member: Member,
        status: MachineStatus,
        networks: MachineNetworks,
        planned: MachineNetworks | None = None,
        reason: str = "",
    ) -> None:
        self._views.append(
            MachineView(
                name=member.item.friendly_name,
                id=member.item.id,
                vault=self._view.vault.name,
                pair=member.wanted_pair.pair.name,
                status=status,
                networks=networks,
                planned=planned,
                reason=reason,
                follows=member.wanted_pair.pair.follow,
            )
        )

    def _network(self, network_id: ArmId) -> tuple[VirtualNetwork | None, str]:
        """A recovery network as it will be when machines follow, and the id of the change that makes it so, if any."""
        if network_id in self._support.networks:
            return self._support.networks[network_id]
        network = self._request.inventory.network(network_id)
        return (network if isinstance(network, VirtualNetwork) else None), ""

    def _test_network(self, wanted_pair: WantedPair) -> VirtualNetwork | None:
        """The pair's test network; None if it has none, or if machines must not use it."""
        pair, inventory = wanted_pair.pair, self._request.inventory
        if pair.name not in self._tests:
            self._tests[pair.name] = None
            network = inventory.network(pair.test) if pair.test else None
            if isinstance(network, VirtualNetwork) and network.id not in self._request.unfit_tests:
                region = wanted_pair.forward.recovery.place
                problems = check_test_network(pair, network.id, inventory, recovery_region=region, production={})
                self._tests[pair.name] = None if any(problems) else network
        return self._tests[pair.name]

    def _hold_without_right(self) -> None:
        """Hold all updates that this identity may not make, instead of failing at the first one."""
        rights, vault = self._view.inventory.rights, self._view.vault
        if not self._changes or rights is None:
            return
        if isinstance(rights, Unknown):
            text = f"whether this identity may update machines could not be read: {rights.error}"
            unread = finding(
                FindingKind.MISSING_RIGHT,
                text,
                vault=vault.name,
                subject=vault.id,
                hint=rights.error.hint,
                severity="warning",
            )
            self._findings.append(unread)
            return
        if any(role.allow(UPDATE_MACHINES) for role in rights):
            return
        reason = f"the right {UPDATE_MACHINES} is missing at vault {vault.name}"
        for pair, count in Counter(change.pair for change in self._changes).items():
            machines = "1 machine stays" if count == 1 else f"{count} machines stay"
            self._findings.append(
                finding(
                    FindingKind.MISSING_RIGHT,
                    f"{machines} on other networks: {reason}",
                    vault=vault.name,
                    pair=pair,
                    subject=vault.id,
                    hint="assign the role that 'asrnet permissions --for machines' writes",
                )
            )
        held = {change.resource_id for change in self._changes}
        self._views = [
            structs.replace(view, status="waiting", reason=reason) if view.id in held else view for view in self._views
        ]
        self._changes = []


def test_network_findings(
    wanted_pairs: Iterable[WantedPair], vault: str, after: Inventory, production: Mapping[ArmId, str]
) -> Iterator[Finding]:
    """Problems of the test networks of these pairs, and connections between them and ``production``.

    ``after`` is the inventory as the plan leaves it. These findings keep machines from getting a test network but block
    no mapping, because mappings matter more on the day of a disaster.
    """
    tested: dict[ArmId, list[Pair]] = defaultdict(list)
    for wanted_pair in wanted_pairs:
        pair = wanted_pair.pair
        if pair.test:
            tested[pair.test].append(pair)
            region = wanted_pair.forward.recovery.place
            yield from check_test_network(pair, pair.test, after, recovery_region=region, production=production)
    yield from connected_test_networks(vault, tested, after, production.keys())


def small_subnets(pairs: Iterable[Pair], after: Inventory, display: Mapping[ArmId, str]) -> Iterator[Finding]:
    """Warn of subnets with too few free addresses for the machines that will land there after the plan.

    ``pairs`` are those whose recovery networks are judged, ``after`` is the inventory as the plan leaves it, and
    ``display`` has the names of networks. Machines of all vaults count: they may fail over into one network.
    """
    judged: dict[ArmId, Pair] = {}
    for pair in pairs:
        if pair.recovery:
            judged.setdefault(pair.recovery, pair)
    needed: Counter[tuple[ArmId, str]] = Counter()
    for vault in after.vaults.values() if judged else ():
        for item in () if isinstance(vault.items, Unknown) else vault.items:
            networks = networks_of(item)
            # A machine that has failed over has its address already.
            if item.has_failed_over or networks.recovery_network_id not in judged:
                continue
            unselected = {nic.name for nic in item.nics if nic.selection == NOT_SELECTED}
            for address in networks.addresses:
                if address.recovery_subnet and address.nic not in unselected:
                    needed[networks.recovery_network_id, address.recovery_subnet.lower()] += 1
    for network_id, pair in judged.items():
        network = after.network(network_id)
        for subnet in network.subnets if isinstance(network, VirtualNetwork) else ():
            count = needed[network_id, subnet.name.lower()]
            if not count or unreadable_prefix(subnet) is not None:
                continue
            free = max(0, capacity(subnet.prefixes) - subnet.used)
            if count > free:
                yield pair.finding(
                    FindingKind.SUBNET_TOO_SMALL,
                    f"subnet {subnet.name} of {display.get(network_id) or network_id.name} cannot hold the "
                    f"machines that would land there: they need {count}, and {free} of its addresses "
                    f"{'is' if free == 1 else 'are'} free",
                    subject=network_id,
                )


def _problems(item: ProtectedItem, *, moves: bool, moves_test: bool) -> Iterator[_Problem]:
    """What prevents the update of a machine, whichever network it would get.

    ``moves`` and ``moves_test`` say whether its recovery network and its test network change.

    An update sends every network setting that the machine has, so a machine that does not report all of them, or is
    about to change them by itself, is left alone.
    """
    by_hand = _by_hand(item)
    update = machine_update.UPDATES.get(item.provider)
    if update is None:
        yield _Problem(f"machines of provider {item.provider or 'unknown'} cannot be updated by asrnet", by_hand)
        return
    if item.has_failed_over:
        is_committed = item.state.lower().endswith("committed")
        first_step = "re-protect the machine" if is_committed else "commit the failover and re-protect the machine"
        yield _Problem("it has failed over", f"{first_step}, then fail it back")
    elif item.direction_unclear:
        yield _Problem(
            "where it was first protected is not known, so it may be running in the recovery region", by_hand
        )
    elif item.state.lower() != "protected":
        yield _Problem(f"its state is {item.state or 'not reported'}", "wait until it is Protected")
    if item.test_failover_state.lower() not in _NOT_RUNNING:
        yield _Problem("its test failover is not cleaned up", "clean up the test failover first")
    if item.scenario.lower() not in _NOT_RUNNING:
        yield _Problem(f"{item.scenario} is under way", "wait until it has ended")
    if item.is_cluster_member:
        yield _Problem("it is a member of a cluster, whose machines are updated together", by_hand)
    if item.is_confidential:
        yield _Problem("it is a confidential machine, whose settings this version does not know in full", by_hand)
    for what, values in (
        ("two of its NICs have the id", [nic.id.lower() for nic in item.nics if nic.id]),
        ("two of its NICs are called", [nic.name.lower() for nic in item.nics]),
    ):
        repeated = next((value for value, count in Counter(values).items() if count > 1), None)
        if repeated is not None:
            yield _Problem(f"{what} {repeated}, so which is which is not known", by_hand)
    has_names = any(member.field == "name" for member in update.of("ip_configuration"))
    for nic in item.nics:
        yield from _nic_problems(nic, by_hand, moves=moves, moves_test=moves_test, has_names=has_names)


def _by_hand(item: ProtectedItem) -> str:
    return (
        f"in the portal: vault {item.vault_id.name} > Replicated items > {item.friendly_name} > Network > Edit, and "
        "choose the network and the subnet of each NIC"
    )


def _nic_problems(nic: Nic, by_hand: str, *, moves: bool, moves_test: bool, has_names: bool) -> Iterator[_Problem]:
    """What in a NIC prevents the update of its machine. ``has_names``: its IP configurations must have names."""
    addresses = nic.ip_configurations
    names = [address.name.lower() for address in addresses]
    if not names:
        yield _Problem(f"NIC {nic.name} has no IP configuration", "wait until re-protection has ended")
    elif has_names and not all(names):
        yield _Problem(
            f"an IP configuration of NIC {nic.name} has no name, as during re-protection",
            "wait until re-protection has ended",
        )
    elif len(set(names)) < len(names):
        yield _Problem(f"two IP configurations of NIC {nic.name} have the same name", by_hand)
    unknown = [
        *nic.unknown_members,
        *(name for address in addresses for name in address.unknown_members),
    ]
    if unknown:
        yield _Problem(
            f"NIC {nic.name} has settings that this version does not know and could lose: "
            f"{', '.join(dict.fromkeys(unknown))}",
            by_hand,
        )
    if nic.unclear_recovery_network:
        yield _Problem(
            f"NIC {nic.name} has the recovery network '{nic.unclear_recovery_network}', which is no id", by_hand
        )
    for occasion, changes, of_test, pools, reuses, nic_name in (
        (
            "a failover",
            moves,
            False,
            [str(pool) for address in addresses for pool in address.recovery_load_balancer_pools],
            "reuseExistingNic",
            "recoveryNicName",
        ),
        (
            "a test failover",
            moves_test,
            True,
            [pool for address in addresses for pool in _test_pools(address)],
            "tfoReuseExistingNic",
            "tfoNicName",
        ),
    ):
        if not changes:
            continue
        if nic.settings.get(reuses) is True:
            # A NIC belongs to one virtual network. Source: Create, change, or delete a network interface.
            existing = nic.settings.get(nic_name) or "of its settings"
            yield _Problem(
                f"NIC {nic.name} uses the existing NIC {existing} after {occasion}, which stays on its network",
                f"{by_hand}, together with a NIC of the new network",
                of_test,
            )
        if pools:
            pool = pools[0].rpartition("/")[2]
            yield _Problem(
                f"NIC {nic.name} joins load balancer pool {pool} after {occasion}, and the machines behind a load "
                "balancer are on one network",
                f"{by_hand}, together with a load balancer of the new network",
                of_test,
            )


def _machines_by_address(
    view: VaultView, members: Sequence[Member]
) -> dict[tuple[ArmId | None, int | None], list[ProtectedItem]]:
    """The machines that claim each static recovery address of each network if all members follow their pairs."""
    recovery_networks = {member.item.id: member.wanted_pair.pair.recovery for member in members}
    machines: dict[tuple[ArmId | None, int | None], list[ProtectedItem]] = defaultdict(list)
    for item in () if isinstance(view.inventory.items, Unknown) else view.inventory.items:
        networks = networks_of(item)
        network_id = recovery_networks.get(item.id, networks.recovery_network_id)
        for address in networks.addresses:
            if address.recovery_ip and (value := number(address.recovery_ip)) is not None:
                machines[network_id, value].append(item)
    return machines


def _test_pools(address: IpConfiguration) -> list[str]:
    """The load balancer pools that an address joins in a test failover; an update passes them on unchecked."""
    pools = address.settings.get("tfoLBBackendAddressPoolIds", ())
    return [pool for pool in pools if isinstance(pool, str)] if isinstance(pools, tuple) else []


def _moved(
    networks: MachineNetworks,
    item: ProtectedItem,
    network: VirtualNetwork,
    kind: MappingKind,
    *,
    release: bool,
    for_test: bool = False,
) -> tuple[MachineNetworks, list[_Problem], set[str]]:
    """``networks`` changed to ``network`` for failovers (``for_test``: test failovers), with a subnet for each address.

    An address stays in the subnet of the same name if the new network has one. Otherwise it gets the subnet that Azure
    itself would choose: the one with the primary subnet's name, else the first by name. A static address is kept if
    that subnet contains it and it is free there. Also returns the problems, and the names of the subnets chosen.
    """
    problems: list[_Problem] = []
    chosen: set[str] = set()
    by_name = {subnet.name: subnet for subnet in network.subnets}
    configurations = [configuration for nic in item.nics for configuration in nic.ip_configurations]
    unselected = {nic.name for nic in item.nics if nic.selection == NOT_SELECTED}
    addresses = []
    for address, configuration in zip(networks.addresses, configurations, strict=True):
        present = address.test_subnet if for_test else address.recovery_subnet
        ip = address.test_ip if for_test else address.recovery_ip
        # A NIC that is not selected for failover and has no subnet there gets none.
        if present is None and address.nic in unselected:
            addresses.append(address)
            continue
        name = next((name for name in by_name if present and name.lower() == present.lower()), None)
        if name is None:
            choice = choose_subnet(by_name, configuration.subnet or "", kind)
            name = choice.name if choice else None
        if name is None:
            problems.append(_Problem(f"{network.name} has no subnets", "create a subnet in it", for_test))
            break
        subnet = by_name[name]
        chosen.add(name)
        if is_reserved(name) or subnet.delegation:
            why = f"delegated to {subnet.delegation}" if subnet.delegation else "reserved for an Azure service"
            hint = f"create a subnet {configuration.subnet or present or 'for machines'} in {network.name}"
            if name.lower() in {(configuration.subnet or "").lower(), (present or "").lower()}:
                hint = _by_hand(item)
            problems.append(
                _Problem(f"NIC {address.nic} would land in {name} of {network.name}, which is {why}", hint, for_test)
            )
        unfit = ""
        if ip and not _can_have(subnet, ip):
            unfit = f"is not in subnet {name} of {network.name} ({', '.join(subnet.prefixes) or 'no prefix'})"
        elif ip and number(ip) in map(number, subnet.used_ips):
            unfit = f"is in use in subnet {name} of {network.name}"
        if unfit:
            if not release:
                which = "static test address" if for_test else "static recovery address"
                problems.append(
                    _Problem(
                        f"its {which} {ip} {unfit}",
                        "change the address, or release it with release_addresses: true in the row or in the file",
                        for_test,
                    )
                )
            ip = None
        if for_test:
            addresses.append(structs.replace(address, test_subnet=name, test_ip=ip))
        else:
            addresses.append(structs.replace(address, recovery_subnet=name, recovery_ip=ip))
    # The NICs of one machine often have the same problem.
    distinct = list(dict.fromkeys(problems))
    if len(addresses) < len(networks.addresses):
        # The loop ended at an address without a subnet: then no update is planned at all.
        return networks, distinct, chosen
    ends = {"test_network_id" if for_test else "recovery_network_id": network.id}
    return structs.replace(networks, addresses=tuple(addresses), **ends), distinct, chosen


def _can_have(subnet: Subnet, ip: str) -> bool:
    """Whether a machine can have the address in the subnet; anything but an IPv4 address never fits."""
    address = number(ip)
    try:
        return address is not None and any(address in usable(prefix) for prefix in subnet.prefixes)
    except InputError:
        return False
