"""Somebody who watches a backend: everything read and every write, in order, to be judged afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from msgspec import Struct, structs

from asrnet.fake.world import World
from asrnet.ids import ArmId
from asrnet.models import Fabric, Job, LiveMapping, NetworkMapping, ProtectedItem, VirtualNetwork
from asrnet.ports import Backend, MappingReader, MappingWriter, NetworkWriter, Operation, OperationStatus

Action = Literal["create", "update", "delete"]


class Sight(Struct, eq=False):
    """What a read that began at a time showed: of one mapping (``single``), or of a vault's whole list.

    It stands in the order of events where it began: what comes later it may not show. ``mappings`` is None until it
    has ended, and for good where it failed.
    """

    vault: ArmId
    when: float
    single: ArmId | None = None
    mappings: dict[ArmId, NetworkMapping] | None = None

    def shows(self, mapping_id: ArmId) -> bool:
        """Whether the read was about a mapping."""
        about = self.single == mapping_id or (self.single is None and mapping_id.key.startswith(self.vault.key))
        return about and self.mappings is not None

    def of(self, mapping_id: ArmId) -> NetworkMapping | None:
        """The mapping as it was shown."""
        return (self.mappings or {}).get(mapping_id)


class Intruded(Struct, eq=False):
    """Somebody else wrote to a mapping, at a time."""

    id: ArmId
    when: float


class Wrote(Struct, eq=False):
    """A write that was sent. ``there`` is what really was there, ``seen`` what was last seen of it before.

    ``unseen``: somebody else wrote to it since the last read that could have shown it.
    """

    action: Action
    id: ArmId
    after: NetworkMapping | None
    there: NetworkMapping | None
    seen: NetworkMapping | None
    unseen: bool


class Witness:
    """Watches the ports of ``backend``; ``world`` is the truth behind them.

    ``intrude`` is called before each read; the id it returns is that of a mapping that somebody else wrote to. What
    lists show may be as old as ``lag`` seconds.
    """

    def __init__(self, backend: Backend, world: World, intrude: Callable[[], ArmId | None], *, lag: float) -> None:
        self.events: list[Sight | Intruded | Wrote] = []
        self._intrude = intrude
        self._lag = lag
        self.existing_networks_written: list[ArmId] = []
        self.world = world
        self.backend = structs.replace(
            backend,
            mappings=_Reader(backend.mappings, self),
            mapping_writer=_Writer(backend.mapping_writer, self),
            network_writer=_Networks(backend.network_writer, self),
        )

    def forget(self) -> None:
        """Start with an empty page, but for what others did: lists may not show it yet."""
        self.events[:] = [event for event in self.events if isinstance(event, Intruded)]

    @property
    def writes(self) -> list[Wrote]:
        """The writes to mappings, in order."""
        return [event for event in self.events if isinstance(event, Wrote)]

    @property
    def now(self) -> float:
        """The world's time."""
        return self.world.clock.now()

    def looks(self, scope: ArmId, *, single: ArmId | None = None) -> Sight:
        """A read begins; somebody else may have had a go just before."""
        self.disturbed()
        sight = Sight(scope, self.now, single=single)
        self.events.append(sight)
        return sight

    def disturbed(self) -> None:
        """Let somebody else have a go."""
        mapping_id = self._intrude()
        if mapping_id:
            self.events.append(Intruded(mapping_id, self.now))

    def unseen(self, mapping_id: ArmId) -> bool:
        """Whether somebody else wrote to a mapping since the last read that is sure to have shown it."""
        intrusions = [event for event in self.events if isinstance(event, Intruded) and event.id == mapping_id]
        if not intrusions:
            return False
        latest = intrusions[-1]
        later = self.events[self.events.index(latest) :]
        return not any(
            isinstance(event, Sight)
            and event.shows(mapping_id)
            and (event.single is not None or event.when >= latest.when + self._lag)
            for event in later
        )

    def last_seen(self, mapping_id: ArmId) -> NetworkMapping | None:
        """What the latest read showed of a mapping."""
        for event in reversed(self.events):
            if isinstance(event, Sight) and event.shows(mapping_id):
                return event.of(mapping_id)
        return None

    def seen_after_writing(self, mapping_id: ArmId) -> list[NetworkMapping | None]:
        """What each read since the last write to a mapping showed of it."""
        shown: list[NetworkMapping | None] = []
        for event in reversed(self.events):
            if isinstance(event, Wrote) and event.id == mapping_id:
                break
            if isinstance(event, Sight) and event.shows(mapping_id):
                shown.append(event.of(mapping_id))
        return shown


class _Reader:
    """MappingReader that is watched."""

    def __init__(self, real: MappingReader, witness: Witness) -> None:
        self._real = real
        self._witness = witness

    def vault_location(self, vault: ArmId) -> str:
        return self._real.vault_location(vault)

    def fabrics(self, vault: ArmId) -> Iterable[Fabric]:
        return self._real.fabrics(vault)

    def mappings(self, vault: ArmId) -> Iterator[LiveMapping]:
        sight = self._witness.looks(vault)
        found = list(self._real.mappings(vault))
        sight.mappings = {mapping.id: mapping for mapping in found if isinstance(mapping, NetworkMapping)}
        yield from found

    def mapping(self, mapping_id: ArmId) -> NetworkMapping | None:
        sight = self._witness.looks(mapping_id, single=mapping_id)
        found = self._real.mapping(mapping_id)
        sight.mappings = {mapping_id: found} if found else {}
        return found

    def protected_items(self, vault: ArmId) -> Iterable[ProtectedItem]:
        return self._real.protected_items(vault)

    def jobs(self, vault: ArmId, *, since: float | None = None, state: str | None = None) -> Iterable[Job]:
        self._witness.disturbed()
        return self._real.jobs(vault, since=since, state=state)


class _Writer:
    """MappingWriter that is watched."""

    def __init__(self, real: MappingWriter, witness: Witness) -> None:
        self._real = real
        self._witness = witness

    def create_fabric(self, fabric: Fabric) -> Operation | None:
        return self._real.create_fabric(fabric)

    def create_mapping(self, mapping: NetworkMapping) -> Operation | None:
        self._note("create", mapping.id, mapping)
        return self._real.create_mapping(mapping)

    def update_mapping(self, mapping: NetworkMapping) -> Operation | None:
        self._note("update", mapping.id, mapping)
        return self._real.update_mapping(mapping)

    def delete_mapping(self, mapping_id: ArmId) -> Operation | None:
        self._note("delete", mapping_id, None)
        return self._real.delete_mapping(mapping_id)

    def operation(self, operation: Operation) -> OperationStatus:
        return self._real.operation(operation)

    def _note(self, action: Action, mapping_id: ArmId, after: NetworkMapping | None) -> None:
        there = self._witness.world.state.mapping(mapping_id)
        seen = self._witness.last_seen(mapping_id)
        unseen = self._witness.unseen(mapping_id)
        self._witness.events.append(Wrote(action, mapping_id, after, there, seen, unseen))


class _Networks:
    """NetworkWriter that is watched: a network that exists must never be written."""

    def __init__(self, real: NetworkWriter, witness: Witness) -> None:
        self._real = real
        self._witness = witness

    def create_virtual_network(self, network: VirtualNetwork) -> Operation | None:
        if self._witness.world.state.network(network.id) is not None:
            self._witness.existing_networks_written.append(network.id)
        return self._real.create_virtual_network(network)

    def operation(self, operation: Operation) -> OperationStatus:
        return self._real.operation(operation)
