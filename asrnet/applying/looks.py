"""Looks at what a write would overwrite, taken right before it is sent and again before each repeat.

Creating is an upsert on both providers, and neither Microsoft.Network nor Site Recovery declares a conditional write
(If-Match) for these resources. So a change that somebody else made between plan and write can only be noticed by
reading again, as late as possible. A look is at most ``max_age`` seconds old, from sending the read to sending the
write; a change within that time may still be overwritten.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from msgspec import Struct

from asrnet.errors import AsrError, RefusedError, UnreachableError, VaultUnusedError
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
    Fabric,
    LiveMapping,
    NetworkMapping,
    NetworkSubnet,
    ProtectedItem,
    ResourceGroup,
    UnreadableMapping,
    VirtualNetwork,
)
from asrnet.model.machine_networks import MachineNetworks, are_same, is_set_to, networks_of
from asrnet.model.machine_update import fingerprint
from asrnet.model.plan import Content, Step
from asrnet.ports import Backend, before_sending

T = TypeVar("T")

MAX_AGE = 2.0
"""Seconds."""

_TRIES = 5
"""How often a resource is read again because its answer came too late."""

_SLOW_LISTS = 10
"""A slow list, one that takes longer than half of ``max_age``, is repeated after this many times its duration."""


class AlreadyDoneError(AsrError):
    """Azure already has the state that the write would create, although this run did not write it. Nothing is sent."""


class LiveMappings:
    """The mappings of a vault, found by what a second mapping must not share with them.

    Every write of a run asks for its conflicts: comparing it with each mapping would take 2,000 pairs minutes.
    """

    def __init__(self, mappings: Iterable[LiveMapping]) -> None:
        self._by_key: dict[tuple[str, ...], list[LiveMapping]] = {}
        for mapping in mappings:
            keys = [_name_key(mapping)]
            if isinstance(mapping, NetworkMapping):
                keys.append(mapping.identity)
            elif mapping.primary_network_id:
                keys.append((mapping.primary_network_id.key,))
            for key in keys:
                self._by_key.setdefault(key, []).append(mapping)

    def conflicts(self, wanted: NetworkMapping) -> tuple[LiveMapping, ...]:
        """The mappings that prevent the creation of ``wanted``: see ``conflict_of``."""
        keys = (_name_key(wanted), wanted.identity, (wanted.primary_network_id.key,))
        candidates = {mapping.id: mapping for key in keys for mapping in self._by_key.get(key, ())}
        return tuple(mapping for mapping in candidates.values() if conflict_of(wanted, mapping))


def _name_key(mapping: LiveMapping) -> tuple[str, ...]:
    return mapping.fabric_id.key, mapping.name.lower()


class _Listed(Struct, frozen=True):
    """A vault's mappings, and when their first page was requested. ``turn`` orders the run's lists and writes."""

    mappings: LiveMappings
    sent: float
    turn: int
    duration: float


class Looks:
    """The latest reads of the mappings and networks that a run writes. It is used by many threads at once."""

    def __init__(self, backend: Backend, max_age: float = MAX_AGE) -> None:
        self._backend = backend
        self._clock = backend.clock
        self._max_age = max_age
        self._turns = itertools.count(1)
        self._lock = threading.Lock()
        self._lists: dict[ArmId, _Listed] = {}
        self._reading: dict[ArmId, Future[_Listed]] = {}
        self._written: dict[ArmId, int] = {}
        self._deleted: set[ArmId] = set()

    # Reading.

    def mapping(self, mapping_id: ArmId) -> NetworkMapping | None:
        """The mapping, from a GET."""
        return self._fresh(mapping_id, self._backend.mappings.mapping)[0]

    def virtual_network(self, network_id: ArmId) -> VirtualNetwork | None:
        """The network, from a GET."""
        return self._fresh(network_id, self._backend.networks.virtual_network)[0]

    def mappings(self, vault: ArmId) -> LiveMappings:
        """All mappings of the vault."""
        return self._list(vault, 0).mappings

    def _fresh(self, resource_id: ArmId, read: Callable[[ArmId], T]) -> tuple[T, float]:
        """The answer of ``read`` and when it was requested. Raises UnreachableError if each answer comes too late."""
        for _ in range(_TRIES):
            sent: list[float] = []
            with before_sending(lambda times=sent: times.append(self._clock.now())):  # type: ignore[misc]  # bound now
                answer = read(resource_id)
            now = self._clock.now()
            if not sent or now - sent[0] <= self._max_age:
                return answer, sent[0] if sent else now
        raise UnreachableError(
            f"reading {resource_id.name} takes longer than {self._max_age:g} s, too long to write it safely",
            hint="try again when Azure answers sooner",
        )

    def _list(self, vault: ArmId, since: int) -> _Listed:
        """The vault's mappings, requested after the turn ``since``. Threads that need them together share a list.

        In a vault with many pages, the first page may be too old when the last one arrives: see ``_is_fresh``.
        """
        while True:
            with self._lock:
                listed, future = self._lists.get(vault), self._reading.get(vault)
                is_usable = listed is not None and listed.turn > since and self._is_recent(listed)
                is_mine = future is None and not is_usable
                if is_mine or (listed and is_usable and not future and self._expires_soon(listed)):
                    future = self._reading[vault] = Future()
                    if not is_mine:
                        # The next list is read while writes are sent, so that they need not wait for it.
                        self._clock.start(partial(self._read_list, vault, future))
            if listed and is_usable:
                return listed
            assert future is not None  # noqa: S101 - somebody is reading
            if is_mine:
                return self._read_list(vault, future)
            while not future.done():
                self._clock.wait([future], None)
            if future.exception() or future.result().turn > since:
                return future.result()  # or raises

    def _read_list(self, vault: ArmId, future: Future[_Listed]) -> _Listed:
        turn = next(self._turns)
        sent: list[float] = []
        try:
            with before_sending(lambda: sent.append(self._clock.now())):
                mappings = LiveMappings(whole_list(self._backend.mappings.mappings, vault))
        except BaseException as error:
            with self._lock:
                del self._reading[vault]
            future.set_exception(error)
            raise
        now = self._clock.now()
        listed = _Listed(mappings, sent[0] if sent else now, turn, now - sent[0] if sent else 0.0)
        with self._lock:
            self._lists[vault] = listed
            del self._reading[vault]
        future.set_result(listed)
        return listed

    def _is_fresh(self, listed: _Listed) -> bool:
        return self._clock.now() - listed.sent <= self._max_age

    def _is_recent(self, listed: _Listed) -> bool:
        """Whether the list need not be repeated: it is fresh, or has so many pages that no list is ever fresh."""
        is_slow = listed.duration > self._max_age / 2
        return self._is_fresh(listed) or (is_slow and self._clock.now() - listed.sent <= _SLOW_LISTS * listed.duration)

    def _expires_soon(self, listed: _Listed) -> bool:
        """Whether a list requested now would arrive about when this one becomes too old."""
        return self._clock.now() - listed.sent + listed.duration >= self._max_age

    # Judging.

    def before(self, step: Step) -> Callable[[], None]:
        """The check that ``before_sending`` runs for the write of ``step``.

        It raises RefusedError (``stale``) if Azure has neither the state that the plan saw nor the state that the write
        creates, AlreadyDoneError if it has the latter, and any error of the read.
        """
        last_sent = 0

        def look() -> None:
            nonlocal last_sent
            problem = self._problem(step, last_sent)
            if problem:
                raise RefusedError(f"{problem}; plan again", kind="stale")
            last_sent = next(self._turns)
            self._written[step.resource_id] = last_sent
            if step.after is None:
                self._deleted.add(step.resource_id)

        return look

    def before_machine(self, step: Step) -> tuple[ProtectedItem, Callable[[], None]]:
        """The machine that ``step`` updates, and the check that ``before_sending`` runs for its update.

        The update sends all settings of the machine, so the machine is read first. That read also serves as the look,
        which saves a request. It is repeated if it has become too old, and before every repeat of the update. Both
        raise like ``before``.
        """
        machine, requested_at = self._fresh(step.resource_id, self._backend.mappings.protected_item)
        after = step.after
        assert isinstance(after, MachineNetworks)  # noqa: S101 - a step of a machine has nothing else
        if machine is None:
            raise RefusedError(f"{step.resource_id.name} is gone; plan again", kind="stale")
        name = machine.friendly_name
        networks = networks_of(machine, recovery=after.recovery_network_id, test=after.test_network_id)
        if are_same(networks, after):
            raise AlreadyDoneError(f"{name} {machine_description(networks)}")
        if isinstance(step.before, MachineNetworks) and not are_same(networks, step.before):
            raise RefusedError(f"{name} {machine_description(networks)} now; plan again", kind="stale")
        digest = fingerprint(machine)
        if step.fingerprint and digest != step.fingerprint:
            raise RefusedError(f"{name} has other settings or another state now; plan again", kind="stale")
        # The scenario shows a failover at once, the machine's state only after the failover has ended.
        if machine.scenario.lower() not in {"", "none"}:
            raise RefusedError(f"{machine.scenario} is under way for {name} now; plan again", kind="stale")
        is_sent = False

        def look() -> None:
            nonlocal is_sent
            if is_sent or self._clock.now() - requested_at > self._max_age:
                current, _ = self._fresh(step.resource_id, self._backend.mappings.protected_item)
                if is_sent and current and is_set_to(current, after):
                    raise AlreadyDoneError(f"{name} {machine_description(after)}")
                if current is None or fingerprint(current) != digest:
                    raise RefusedError(f"somebody changed {name} during its update; plan again", kind="stale")
            is_sent = True

        return machine, look

    def _problem(self, step: Step, last_sent: int) -> str:
        """What prevents a write, in words; ``last_sent`` is the turn in which it was last sent."""
        name, after = step.resource_id.name, step.after
        if isinstance(after, VirtualNetwork):
            network = self.virtual_network(step.resource_id)
            # An existing network is never overwritten, unless an earlier attempt of this write may have created it.
            if network is None or (last_sent and not network_differences(after, network)):
                return ""
            return f"{name} exists now"
        if isinstance(after, NetworkSubnet):
            return self._problem_of_subnet(after, last_sent)
        if isinstance(after, ResourceGroup):
            group, _ = self._fresh(step.resource_id, self._backend.networks.resource_group)
            # A PUT would replace the tags of a group that somebody else has created.
            is_ours = group and last_sent and after.tags.items() <= group.tags.items()
            return "" if group is None or is_ours else f"resource group {group.name} exists now"
        if isinstance(after, Fabric):
            fabrics, _ = self._fresh(
                step.resource_id, lambda fabric_id: whole_list(self._backend.mappings.fabrics, fabric_id.parent)
            )
            for fabric in fabrics:
                if fabric.kind == "azure" and fabric.location == after.location:
                    if fabric.id == after.id:
                        raise AlreadyDoneError(f"the fabric {name} exists")
                    return f"the vault has a fabric for {fabric.location} now: {fabric.name}"
            return ""
        if step.action == "create" and isinstance(after, NetworkMapping):
            return self._problem_of_create(after, last_sent)
        mapping = self.mapping(step.resource_id)
        if is_same(mapping, after) and has_state_of(mapping, after):
            raise AlreadyDoneError(f"{name} {description(mapping)}")
        return "" if is_same(mapping, step.before) else f"{name} {description(mapping)}"

    def _problem_of_subnet(self, wanted: NetworkSubnet, last_sent: int) -> str:
        network = self.virtual_network(wanted.network_id)
        if network is None:
            return f"{wanted.network_id.name} is gone"
        present = {subnet.name.lower(): subnet for subnet in network.subnets}.get(wanted.name.lower())
        if present is None or (last_sent and set(present.prefixes) == set(wanted.subnet.prefixes)):
            return ""
        return f"{network.name} has a subnet {present.name} now"

    def _problem_of_create(self, wanted: NetworkMapping, last_sent: int) -> str:
        listed = self._list(wanted.vault_id, max(last_sent, self._written.get(wanted.id, 0)))
        requested_at: dict[ArmId, float] = {}
        for _ in range(_TRIES):
            suspects = listed.mappings.conflicts(wanted)
            unreadable = next((mapping for mapping in suspects if isinstance(mapping, UnreadableMapping)), None)
            if unreadable:
                return conflict_of(wanted, unreadable)
            # Lists may lag and show what this run has already deleted, so a conflicting mapping is read by its id.
            ids = {mapping.id for mapping in suspects}
            if not self._is_fresh(listed) or wanted.id in self._deleted:
                # If the list took too long, only the mapping of this name is read again, because the write would
                # overwrite it; a second mapping of the network is refused by the service itself. If a deleted mapping
                # is restored, a lagging list might still show it.
                ids.add(wanted.id)
            oldest = self._clock.now() - self._max_age
            due = sorted(mapping_id for mapping_id in ids if requested_at.get(mapping_id, float("-inf")) < oldest)
            if not due:
                return ""
            for mapping_id in due:
                mapping, requested_at[mapping_id] = self._fresh(mapping_id, self._backend.mappings.mapping)
                if is_same(mapping, wanted):
                    raise AlreadyDoneError(f"{wanted.name} {description(mapping)}")
                if mapping and conflict_of(wanted, mapping):
                    return conflict_of(wanted, mapping)
            # Reading may have waited at a gate for longer than the maximum age of a look, and a newer list may have
            # arrived meanwhile. So everything is judged again, and what has become too old is read again.
            with self._lock:
                listed = self._lists[wanted.vault_id]
        raise UnreachableError(
            f"reading mappings for {wanted.name} takes longer than {self._max_age:g} s, too long to write it safely",
            hint="try again when Azure answers sooner",
        )


def conflict_of(wanted: NetworkMapping, mapping: LiveMapping) -> str:
    """Why ``mapping`` prevents the creation of ``wanted``, in words; empty if it does not."""
    # Under an Azure fabric the network segment of an id is ignored, so names are unique in the whole fabric.
    if mapping.fabric_id == wanted.fabric_id and mapping.name.lower() == wanted.name.lower():
        leads = f", to {mapping.recovery_network_id.name}" if isinstance(mapping, NetworkMapping) else ""
        return f"a mapping named {mapping.name} exists now{leads}"
    if isinstance(mapping, UnreadableMapping):
        if mapping.primary_network_id != wanted.primary_network_id:
            return ""
        return f"{wanted.primary_network_id.name} has the mapping {mapping.name} now, which {mapping.problem}"
    if mapping.identity != wanted.identity:
        return ""
    primary, recovery = mapping.primary_network_id.name, mapping.recovery_network_id.name
    return f"{primary} has the mapping {mapping.name} now, to {recovery}"


def is_same(mapping: LiveMapping | None, expected: Content | None) -> bool:
    """Whether a mapping has the name of ``expected`` and maps the same networks, or both are None."""
    if not isinstance(mapping, NetworkMapping) or not isinstance(expected, NetworkMapping):
        return mapping is None and expected is None
    return (
        mapping.identity == expected.identity
        and mapping.recovery_network_id == expected.recovery_network_id
        and mapping.fabric_id == expected.fabric_id
        and mapping.name.lower() == expected.name.lower()
    )


def has_state_of(mapping: LiveMapping | None, expected: Content | None) -> bool:
    """Whether a mapping has the state of ``expected``; True if either is not a mapping."""
    if not isinstance(mapping, NetworkMapping) or not isinstance(expected, NetworkMapping):
        return True
    return mapping.state.lower() == expected.state.lower()


def description(mapping: NetworkMapping | None) -> str:
    """The current target of a changed mapping, as words that follow its name."""
    return f"points at {mapping.recovery_network_id.name} now" if mapping else "is gone"


def machine_description(networks: MachineNetworks) -> str:
    """Where a machine fails over to, as words that follow its name."""
    recovery, test = networks.recovery_network_id, networks.test_network_id
    test_words = f" and is tested in {test.name}" if test else ""
    subnets = sorted({address.recovery_subnet for address in networks.addresses if address.recovery_subnet})
    in_subnets = f" ({', '.join(subnets)})" if subnets else ""
    return f"fails over to {recovery.name if recovery else 'no network'}{in_subnets}{test_words}"


def network_differences(sent: VirtualNetwork, network: VirtualNetwork) -> tuple[str, ...]:
    """The parts of a network that differ from what was sent."""
    parts = {
        "address space": set(sent.address_space) == set(network.address_space),
        "subnets": _prefixes(sent) == _prefixes(network),
        "tags": sent.tags.items() <= network.tags.items(),
    }
    return tuple(part for part, is_equal in parts.items() if not is_equal)


def _prefixes(network: VirtualNetwork) -> set[tuple[str, frozenset[str]]]:
    return {(subnet.name.lower(), frozenset(subnet.prefixes)) for subnet in network.subnets}


def whole_list(read: Callable[[ArmId], Iterable[T]], vault: ArmId) -> tuple[T, ...]:
    """All rows of a list of ``vault``; empty for a vault that Site Recovery has never used."""
    try:
        return tuple(read(vault))
    except VaultUnusedError:
        return ()
