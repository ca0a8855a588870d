"""A recorder of a backend: every read and every write, in order, for later checks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from msgspec import Struct, structs

from asrnet.errors import VaultUnusedError
from asrnet.fake.world import World
from asrnet.model.arm import VAULT, VNET, ArmId
from asrnet.model.azure import Fabric, Job, LiveMapping, NetworkMapping, ProtectedItem, VirtualNetwork
from asrnet.ports import (
    Backend,
    MappingReader,
    MappingWriter,
    NetworkReader,
    NetworkWriter,
    Operation,
    OperationStatus,
    before_sending,
)

Action = Literal["create", "update", "delete"]
List = Literal["mappings", "fabrics", "protected_items", "running", "jobs"]
E = TypeVar("E")


class Listed(Struct, eq=False):
    """A list of a vault; ``when`` is the time at which its first request was sent.

    Its place in the order of events is that of the call: later events may be missing. ``found`` is None until it has
    ended, and stays so if it failed.
    """

    what: List
    vault: ArmId
    when: float
    found: tuple[Any, ...] | None = None
    ended: float = float("inf")


class Got(Struct, eq=False):
    """A single mapping or network that was read; ``when`` is when the first request was sent.

    ``ended`` is the time of the answer, None without one.
    """

    id: ArmId
    when: float
    ended: float | None = None
    found: Any = None


class Intruded(Struct, eq=False):
    """Somebody else wrote to a mapping or made a network, at a time."""

    id: ArmId
    when: float


class Planned(Struct, eq=False):
    """The plan was made: later reads are for applying it."""


class Wrote(Struct, eq=False):
    """A write to a mapping, sent or repeated, at a time. ``there`` is what really existed.

    ``baseless`` are its virtual networks that did not exist, and ``live`` is the real target of each mapping of the
    vault.
    """

    action: Action
    id: ArmId
    when: float
    after: NetworkMapping | None
    there: NetworkMapping | None
    baseless: tuple[ArmId, ...] = ()
    live: Mapping[ArmId, ArmId] = {}


class Made(Struct, eq=False):
    """The creation of a fabric or network, at a time; ``there`` is the network that really existed.

    ``is_repeat``: an earlier attempt of this run may have created it.
    """

    what: Fabric | VirtualNetwork
    when: float
    there: VirtualNetwork | None = None
    is_repeat: bool = False


Event = Listed | Got | Intruded | Planned | Wrote | Made


class Witness:
    """Records the ports of ``backend``; ``world`` is the truth behind them.

    ``intrude`` is called before each read and returns the id of a mapping that somebody else wrote to. ``on_write`` is
    called for each write. Lists may lag by ``lag`` seconds.
    """

    def __init__(
        self,
        backend: Backend,
        world: World,
        intrude: Callable[[], ArmId | None],
        *,
        lag: float,
        on_write: Callable[[Action, ArmId], None] = lambda *_: None,
    ) -> None:
        self.events: list[Event] = []
        self.world = world
        self._intrude = intrude
        self._on_write = on_write
        self.lag = lag
        self.backend = structs.replace(
            backend,
            networks=_NetworkReader(backend.networks, self),
            mappings=_Reader(backend.mappings, self),
            mapping_writer=_Writer(backend.mapping_writer, self),
            network_writer=_Networks(backend.network_writer, self),
        )

    def forget(self) -> None:
        """Clear all events but foreign writes, which lists may not show yet."""
        self.events[:] = [event for event in self.events if isinstance(event, Intruded)]

    def lists_to_apply(self, vault: ArmId, what: List, until: Wrote, since: float) -> list[tuple[Any, ...]]:
        """The contents of such lists since the plan, sent at ``since`` or later and ended before a write."""
        shown: list[tuple[Any, ...]] = []
        for event in self.before(until):
            if isinstance(event, Planned):
                break
            if isinstance(event, Listed) and (event.vault, event.what) == (vault, what) and event.when >= since:
                shown += [event.found] if event.found is not None and event.ended <= until.when else []
        return shown

    @property
    def writes(self) -> list[Wrote]:
        """The writes to mappings, in order."""
        return [event for event in self.events if isinstance(event, Wrote)]

    @property
    def wrote_anything(self) -> bool:
        """Whether any write was sent."""
        return any(isinstance(event, Wrote | Made) for event in self.events)

    # Called by the ports.

    def lists(self, what: List, vault: ArmId, call: Callable[[], Iterable[E]]) -> Iterator[E]:
        """Return a list; somebody else may act just before it."""
        self.disturbed(self._intrude)
        event = Listed(what, vault, self.world.clock.now())
        self.events.append(event)
        try:
            with self._timed(event):
                event.found = tuple(call())
            event.ended = self.world.clock.now()
        except VaultUnusedError:
            event.found, event.ended = (), self.world.clock.now()
            raise
        yield from event.found

    def gets(self, resource_id: ArmId, call: Callable[[], E]) -> E:
        """Return a single resource."""
        self.disturbed(self._intrude)
        event = Got(resource_id, self.world.clock.now())
        self.events.append(event)
        with self._timed(event):
            event.found = found = call()
        event.ended = self.world.clock.now()
        return found

    @contextmanager
    def _timed(self, event: Listed | Got) -> Iterator[None]:
        """Record when the first request of a read in the block is sent.

        A read may wait at a gate for many seconds before it is sent, and shows nothing older than its sending. A repeat
        does not make it more recent, because the attempt behind a page is unknown here.
        """
        is_sent = False

        def note() -> None:
            nonlocal is_sent
            if not is_sent:
                is_sent, event.when = True, self.world.clock.now()

        with before_sending(note):
            yield

    def wrote(self, action: Action, mapping_id: ArmId, after: NetworkMapping | None) -> None:
        """Record that a write to a mapping is sent."""
        there = self.world.state.mapping(mapping_id)
        state = self.world.state
        ends = (after.primary_network_id, after.recovery_network_id) if after else ()
        baseless = tuple(end for end in ends if end.type == VNET and state.network(end) is None)
        live = {each.id: each.recovery_network_id for each in state.mappings.values(vault_of(mapping_id).key)}
        self.events.append(Wrote(action, mapping_id, self.world.clock.now(), after, there, baseless, live))
        self._on_write(action, mapping_id)

    def made(self, what: Fabric | VirtualNetwork) -> None:
        """Record that the creation of a fabric or network is sent."""
        there = self.world.state.network(what.id) if isinstance(what, VirtualNetwork) else None
        is_repeat = any(isinstance(event, Made) and event.what.id == what.id for event in self.events)
        self.events.append(Made(what, self.world.clock.now(), there, is_repeat))

    def planned(self, intrude: Callable[[], ArmId | None]) -> None:
        """Record that the plan is made; somebody else may act before it is applied."""
        self.events.append(Planned())
        self.disturbed(intrude)

    def disturbed(self, intrude: Callable[[], ArmId | None]) -> None:
        """Let somebody else act, and record it."""
        mapping_id = intrude()
        if mapping_id:
            self.events.append(Intruded(mapping_id, self.world.clock.now()))

    def theirs_since(self, resource_id: ArmId, until: Event) -> float:
        """When somebody else last wrote a mapping or network before an event; far in the past if never."""
        return next(
            (event.when for event in self.before(until) if isinstance(event, Intruded) and event.id == resource_id),
            float("-inf"),
        )

    def was_disturbed_while_applying(self) -> bool:
        """Whether somebody else wrote anything after the last list before the first write."""
        events = self.events
        last_plan = max((at for at, event in enumerate(events) if isinstance(event, Planned)), default=0)
        lists = [at for at, event in enumerate(events) if at > last_plan and isinstance(event, Listed)]
        return any(isinstance(event, Intruded) for event in events[lists[0] if lists else last_plan :])

    def was_touched(self, mapping_id: ArmId) -> bool:
        """Whether somebody else ever wrote to a mapping."""
        return any(isinstance(event, Intruded) and event.id == mapping_id for event in self.events)

    # For the checks: each covers the events before ``until``, itself an event; None: all.

    def before(self, until: Event | None) -> list[Event]:
        """The events before one, the latest first."""
        return list(reversed(self.events[: self.events.index(until)] if until else self.events))

    def planned_by(self, vault: ArmId, what: List, until: Event | None = None) -> tuple[Any, ...]:
        """The last such list before the plan."""
        earlier = self.before(until)
        planned = next((at for at, event in enumerate(earlier) if isinstance(event, Planned)), 0)
        lists = (event for event in earlier[planned:] if isinstance(event, Listed) and event.found is not None)
        return next((each.found or () for each in lists if (each.vault, each.what) == (vault, what)), ())

    def last_listed(self, vault: ArmId, what: List) -> tuple[Any, ...]:
        """The last such list."""
        lists = (event for event in self.before(None) if isinstance(event, Listed) and event.found is not None)
        return next((each.found or () for each in lists if (each.vault, each.what) == (vault, what)), ())

    def listed_to_apply(
        self, vault: ArmId, what: List, until: Event | None = None, since: float = 0.0
    ) -> tuple[Any, ...] | None:
        """The last such list since the plan that was sent at ``since`` or later; None without one."""
        for event in self.before(until):
            if isinstance(event, Planned):
                return None
            is_asked = isinstance(event, Listed) and (event.vault, event.what) == (vault, what) and event.when >= since
            if isinstance(event, Listed) and is_asked and event.found is not None:
                return event.found
        return None

    def got_to_apply(self, resource_id: ArmId, until: Event | None = None) -> Got | None:
        """When a single resource was last read since the plan."""
        for event in self.before(until):
            if isinstance(event, Planned):
                return None
            if isinstance(event, Got) and event.id == resource_id and event.ended is not None:
                return event
        return None

    def seen_after_writing(self, mapping_id: ArmId) -> list[NetworkMapping | None]:
        """The mapping in each read since its last write."""
        shown: list[NetworkMapping | None] = []
        for event in self.before(None):
            if isinstance(event, Wrote) and event.id == mapping_id:
                break
            if isinstance(event, Got | Listed) and shows(event, mapping_id):
                shown.append(shown_by(event, mapping_id))
        return shown

    def saw_made(self, resource_id: ArmId) -> bool:
        """Whether a fabric or network was read after its creation was sent."""
        for event in self.before(None):
            if isinstance(event, Made) and event.what.id == resource_id:
                return False
            if isinstance(event, Got) and event.id == resource_id and event.found:
                made = next(
                    made.what for made in self.before(event) if isinstance(made, Made) and made.what.id == resource_id
                )
                return not isinstance(made, VirtualNetwork) or subnets_of(made) == subnets_of(event.found)
            listed = event.found if isinstance(event, Listed) and event.what == "fabrics" else None
            if resource_id in {fabric.id for fabric in listed or ()}:
                return True
        return False


def subnets_of(network: VirtualNetwork) -> list[tuple[str, tuple[str, ...]]]:
    """The names and prefixes of a network's subnets."""
    return sorted((subnet.name, subnet.prefixes) for subnet in network.subnets)


def vault_of(resource_id: ArmId) -> ArmId:
    """The vault that something is in."""
    vault = resource_id.within(VAULT)
    assert vault
    return vault


def shows(event: Got | Listed, mapping_id: ArmId) -> bool:
    """Whether a read was about a mapping, and ended."""
    if isinstance(event, Got):
        return event.ended is not None and event.id == mapping_id
    about = event.what == "mappings" and mapping_id.key.startswith(f"{event.vault.key}/")
    return about and event.found is not None


def shown_by(event: Got | Listed, mapping_id: ArmId) -> NetworkMapping | None:
    """The mapping as a read showed it."""
    found = (event.found,) if isinstance(event, Got) else event.found or ()
    return next((each for each in found if isinstance(each, NetworkMapping) and each.id == mapping_id), None)


class _Reader:
    """A recorded MappingReader."""

    def __init__(self, real: MappingReader, witness: Witness) -> None:
        self._real = real
        self._witness = witness

    def vault_location(self, vault: ArmId) -> str:
        return self._real.vault_location(vault)

    def fabrics(self, vault: ArmId) -> Iterator[Fabric]:
        return self._witness.lists("fabrics", vault, lambda: self._real.fabrics(vault))

    def mappings(self, vault: ArmId) -> Iterator[LiveMapping]:
        return self._witness.lists("mappings", vault, lambda: self._real.mappings(vault))

    def mapping(self, mapping_id: ArmId) -> NetworkMapping | None:
        return self._witness.gets(mapping_id, lambda: self._real.mapping(mapping_id))

    def protected_items(self, vault: ArmId) -> Iterator[ProtectedItem]:
        return self._witness.lists("protected_items", vault, lambda: self._real.protected_items(vault))

    def protected_item(self, item_id: ArmId) -> ProtectedItem | None:
        return self._witness.gets(item_id, lambda: self._real.protected_item(item_id))

    def jobs(self, vault: ArmId, *, since: float | None = None, state: str | None = None) -> Iterator[Job]:
        what: List = "running" if state else "jobs"
        return self._witness.lists(what, vault, lambda: self._real.jobs(vault, since=since, state=state))


class _Writer:
    """A recorded MappingWriter: each write is recorded when sent and when repeated."""

    def __init__(self, real: MappingWriter, witness: Witness) -> None:
        self._real = real
        self._witness = witness

    def create_fabric(self, fabric: Fabric) -> Operation | None:
        with before_sending(lambda: self._witness.made(fabric)):
            return self._real.create_fabric(fabric)

    def create_mapping(self, mapping: NetworkMapping) -> Operation | None:
        with before_sending(lambda: self._witness.wrote("create", mapping.id, mapping)):
            return self._real.create_mapping(mapping)

    def put_mapping(self, mapping: NetworkMapping) -> Operation | None:
        with before_sending(lambda: self._witness.wrote("update", mapping.id, mapping)):
            return self._real.put_mapping(mapping)

    def patch_mapping(self, mapping: NetworkMapping) -> Operation | None:
        with before_sending(lambda: self._witness.wrote("update", mapping.id, mapping)):
            return self._real.patch_mapping(mapping)

    def delete_mapping(self, mapping_id: ArmId) -> Operation | None:
        with before_sending(lambda: self._witness.wrote("delete", mapping_id, None)):
            return self._real.delete_mapping(mapping_id)

    def update_item(self, item: ProtectedItem) -> Operation | None:
        return self._real.update_item(item)

    def operation(self, operation: Operation) -> OperationStatus:
        return self._real.operation(operation)


class _NetworkReader:
    """A recorded NetworkReader."""

    def __init__(self, real: NetworkReader, witness: Witness) -> None:
        self._real = real
        self._witness = witness

    def virtual_networks(self, subscription: str) -> Iterable[VirtualNetwork]:
        return self._real.virtual_networks(subscription)

    def virtual_network(self, network_id: ArmId, *, addresses: bool = False) -> VirtualNetwork | None:
        return self._witness.gets(network_id, lambda: self._real.virtual_network(network_id, addresses=addresses))

    def registration_zones(self, subscriptions: Collection[str]) -> Mapping[ArmId, ArmId] | None:
        return self._real.registration_zones(subscriptions)


class _Networks:
    """A recorded NetworkWriter."""

    def __init__(self, real: NetworkWriter, witness: Witness) -> None:
        self._real = real
        self._witness = witness

    def create_virtual_network(self, network: VirtualNetwork) -> Operation | None:
        with before_sending(lambda: self._witness.made(network)):
            return self._real.create_virtual_network(network)

    def operation(self, operation: Operation) -> OperationStatus:
        return self._real.operation(operation)
