"""The state of an emulator besides the protocol: the world, the scripted wire faults, the journal and the seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from threading import RLock
from typing import Protocol, runtime_checkable

from msgspec.structs import replace

from asrnet.emulator.faults import Faults
from asrnet.emulator.journal import Journal
from asrnet.emulator.messages import GatewayError
from asrnet.fake import world_file
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.operations import Started, stable_guid
from asrnet.fake.world import World
from asrnet.fake.world_format import WorldDocument
from asrnet.files.yaml import Document, LineNumbers, parse

LATEST = datetime(3000, 1, 1, tzinfo=UTC).timestamp()
"""The clock cannot be moved past this time, because years with more than four digits cannot be written."""


@runtime_checkable
class Advanceable(Protocol):
    """A clock that can be moved forward."""

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        ...


class Emulation:
    """A world and the state that the emulator keeps with it. Every call carries it to its handler; ``App`` serves it.

    ``authority`` is the certificate (PEM) that signed the server's certificate; it is empty without TLS. ``adjust``
    applies the emulator's options to the behaviour of a loaded world.
    """

    def __init__(self, world: World, adjust: Callable[[Behaviour], Behaviour] = lambda behaviour: behaviour) -> None:
        self.world = world
        self._adjust = adjust
        self.faults = Faults()
        self.journal = Journal()
        self.authority = b""
        self.lock = RLock()
        self._seed: WorldDocument | None = None
        self._started: dict[str, tuple[Started, str]] = {}
        self._status_reads: Counter[str] = Counter()

    def checkpoint(self) -> None:
        """Save the current world and its behaviour as the seed, which ``reset`` restores."""
        with self.lock:
            self._seed = replace(world_file.dump(self.world), behaviour=self.world.behaviour)

    def reset(self) -> None:
        """Restore the seed, and clear the scripted faults and the journal. Raises GatewayError if there is no seed."""
        if self._seed is None:
            raise GatewayError(409, "NoSeed", "There is no seed to go back to.")
        with self.lock:
            seed = Document(self._seed, "<seed>", LineNumbers("", "<seed>"))
            self._replace_world(seed, self._seed.behaviour)
            self.faults.clear()
            self.journal.clear()

    def replace_world(self, text: bytes, *, seed: bool) -> None:
        """Load the world that ``text`` describes; with ``seed``, also save it as the seed. Raises DocumentError."""
        document = parse(text, WorldDocument, "<body>")
        with self.lock:
            self._replace_world(document)
            if seed:
                self.checkpoint()

    def _replace_world(self, document: Document[WorldDocument], behaviour: Behaviour | None = None) -> None:
        if behaviour is None:
            behaviour = document.value.behaviour or Behaviour()
            if document.value.strict_mapping is not None:
                behaviour = replace(behaviour, strict_mapping=document.value.strict_mapping)
            behaviour = self._adjust(behaviour)
        self.world.take_over(world_file.world_from(document, clock=self.world.clock, behaviour=behaviour))
        # Both refer to operations of the world that has just been replaced.
        self._started.clear()
        self._status_reads.clear()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once. Raises GatewayError if the clock cannot be moved forward, or not by so much."""
        clock = self.world.clock
        if not isinstance(clock, Advanceable):
            raise GatewayError(409, "ClockNotAdvanceable", "The emulator's clock cannot be moved forward.")
        if clock.now() + seconds > LATEST:
            raise GatewayError(400, "InvalidRequestContent", "The emulator's time ends with the year 2999.")
        clock.advance(seconds)

    def count_status_read(self, operation_id: str) -> int:
        """Count a read of an operation's status and return the number of reads so far."""
        self._status_reads[operation_id] += 1
        return self._status_reads[operation_id]

    def remember(self, started: Started, activity: str) -> None:
        """Remember an operation and the ids of the request that started it, because its job shows them."""
        self._started[started.id] = (started, activity)

    def origin_of(self, operation_id: str) -> tuple[Started | None, str]:
        """An operation and the ids of its request; None and generated ids for an operation loaded with the world."""
        return self._started.get(operation_id) or (None, f"{stable_guid(operation_id, 'activity')} ActivityId: ")
