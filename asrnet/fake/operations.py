"""Long-running operations: accepted now, effective when they end."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal, assert_never
from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec import Struct

from asrnet.errors import ServiceError
from asrnet.fake import refusals
from asrnet.fake.behaviour import Timing, timing
from asrnet.fake.faults import Fault
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, NetworkMapping, ProtectedItem, VirtualNetwork
from asrnet.ports import Clock

State = Literal["InProgress", "Succeeded", "Failed", "Canceled"]
Effect = Callable[[], None]
Subject = NetworkMapping | Fabric | VirtualNetwork | ProtectedItem | None


def stable_guid(*words: str) -> str:
    """A GUID that is always the same for the same words, ignoring case."""
    return str(uuid5(NAMESPACE_URL, "/".join(words).lower()))


class Write(Struct, frozen=True, kw_only=True):
    """A write that is to be started.

    ``scenario`` is that of its job, empty for Microsoft.Network. The job affects the object with the friendly name
    ``target`` and the id ``target_id``. It waits at each of ``pauses``, which are manual actions, until it is resumed.
    """

    method: str
    resource_id: ArmId
    timing: str
    scenario: str = ""
    target: str = ""
    target_id: str = ""
    pauses: tuple[str, ...] = ()
    created: bool = False
    subject: Subject = None


class Started(Struct, frozen=True, kw_only=True):
    """A snapshot of an operation. Times are seconds since 1970.

    ``created``: the resource did not exist before. ``subject`` is the requested resource. ``error`` can also be set on
    a running or successful operation, where it is a warning: only ``state`` decides. ``waits_for`` is the manual action
    that its suspended job waits for. ``is_canceling``: it will end as Canceled.
    """

    id: str
    method: str
    resource_id: ArmId
    start_time: float
    scenario: str = ""
    target: str = ""
    target_id: str = ""
    waits_for: str = ""
    is_canceling: bool = False
    created: bool = False
    subject: Subject = None
    state: State = "InProgress"
    end_time: float | None = None
    error: ServiceError | None = None

    @property
    def vault_id(self) -> ArmId | None:
        """The vault of a Site Recovery operation; None for operations of other providers."""
        return self.resource_id.within("microsoft.recoveryservices/vaults") if self.scenario else None


class Operations:
    """All operations of a world. The world's lock guards it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: dict[str, _Running] = {}
        self._of_vault: dict[ArmId, list[_Running]] = {}
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count(1)
        self._moment: float | None = None
        self._reading: dict[str, _Running] = {}
        self._unfinished: Counter[ArmId] = Counter()

    def start(
        self, write: Write, effect: Effect, faults: Iterable[Fault] = (), *, on_failure: Effect | None = None
    ) -> Started:
        """Accept a write. Its ``effect`` is applied when the operation ends; an effect that raises makes it fail.

        ``on_failure`` is called when the operation fails or is canceled.
        """
        number = next(self._numbers)
        start_time = self._clock.now()
        started = Started(
            # Not random, so that runs of the same requests on a simulated clock have the same ids.
            id=stable_guid(f"{number} {start_time!r} {write.method} {write.resource_id.key}"),
            method=write.method,
            resource_id=write.resource_id,
            start_time=start_time,
            scenario=write.scenario,
            target=write.target,
            target_id=write.target_id or stable_guid(write.resource_id.key),
            created=write.created,
            subject=write.subject,
        )
        running = _Running(started, effect, faults, on_failure)
        running.pauses = [*write.pauses]
        running.timing = timing(write.timing)
        self._all[started.id] = running
        if started.vault_id:
            self._of_vault.setdefault(started.vault_id, []).append(running)
        # Before the next line, which ends an immediate operation and decrements the counter again.
        self._unfinished[started.resource_id] += 1
        self._continue(running, start_time)
        return running.view

    def later(self, seconds: float, effect: Effect) -> None:
        """Schedule ``effect`` in ``seconds``, counted from now or, within another effect, from the time of that effect.

        With zero seconds it is applied at once.
        """
        if not seconds:
            effect()
            return
        # The number orders effects that are due at the same time, and keeps functions from being compared.
        heapq.heappush(self._due, (self.now() + seconds, next(self._numbers), lambda _: effect()))

    def now(self) -> float:
        """The time of the clock; while a due operation takes effect, the time at which it was due."""
        return self._clock.now() if self._moment is None else self._moment

    def settle(self) -> None:
        """Apply everything that is due by the clock, in order of time."""
        present = self._clock.now()
        while self._due and self._due[0][0] <= present:
            when, _, end = heapq.heappop(self._due)
            self._moment = when
            try:
                end(when)
            finally:
                self._moment = None

    def resume(self, operation_id: str) -> Started | None:
        """Resume a suspended operation; None if no operation of that id is suspended."""
        running = self._all.get(operation_id)
        if running is None or not running.view.waits_for:
            return None
        running.pauses.pop(0)
        self._continue(running, self._clock.now())
        return running.view

    def restart(self, operation_id: str) -> Started | None:
        """Restart a failed operation under its id; None if no operation of that id has failed."""
        running = self._all.get(operation_id)
        if running is None or running.view.state != "Failed":
            return None
        self._unfinished[running.view.resource_id] += 1
        running.renew()
        self._continue(running, self._clock.now())
        return running.view

    def cancel(self, operation_id: str) -> Started | None:
        """Cancel a running operation, so that it has no effect; None if it is not running or already being canceled.

        Specified: its job is Cancelling at first. It is assumed that this takes as long as an operation.
        """
        running = self._all.get(operation_id)
        if running is None or running.view.state != "InProgress" or running.view.is_canceling:
            return None
        self._reading.pop(operation_id, None)
        running.view = msgspec.structs.replace(running.view, is_canceling=True, waits_for="")
        now = self._clock.now()
        if running.timing.seconds:
            when = now + running.timing.seconds
            heapq.heappush(self._due, (when, next(self._numbers), lambda end: self._end_canceled(running, end)))
        else:
            self._end_canceled(running, now)
        return running.view

    def read(self, operation_id: str) -> Started | None:
        """An operation, or None if no operation has that id. Counts as a status read."""
        running = self._all.get(operation_id)
        if running is None:
            return None
        self._read(running)
        return running.view

    def peek(self, operation_id: str) -> Started | None:
        """An operation, or None if no operation has that id. Does not count as a status read."""
        running = self._all.get(operation_id)
        return running.view if running else None

    def exists(self, operation_id: str, vault: ArmId) -> bool:
        """Whether a vault has an operation of that id. Does not count as a status read."""
        running = self._all.get(operation_id)
        return running is not None and running.view.vault_id == vault

    def of_vault(self, vault: ArmId, *, since: float | None = None) -> list[Started]:
        """The Site Recovery operations of a vault, latest first. Counts as a status read of each of them."""
        listed = [
            running
            for running in reversed(self._of_vault.get(vault, []))
            if since is None or running.view.start_time >= since
        ]
        for running in listed:
            self._read(running)
        return [running.view for running in listed]

    def ended(self, vault: ArmId) -> list[Started]:
        """The ended Site Recovery operations of a vault, latest first. Does not count as a status read."""
        running = reversed(self._of_vault.get(vault, []))
        return [operation.view for operation in running if operation.view.end_time is not None]

    def pending(self, resource_id: ArmId) -> bool:
        """Whether an operation on the resource is still running."""
        return self._unfinished[resource_id] > 0

    def _continue(self, running: _Running, now: float) -> None:
        """Suspend an operation before its next manual action, or schedule its end."""
        running.view = msgspec.structs.replace(running.view, waits_for=running.pauses[0] if running.pauses else "")
        if running.never_ends or running.pauses:
            return
        if running.timing.reads:
            running.reads_left = running.timing.reads
            self._reading[running.view.id] = running
        elif running.timing.seconds:
            when = now + running.timing.seconds
            heapq.heappush(self._due, (when, next(self._numbers), lambda end: self._end(running, end)))
        else:
            self._end(running, now)

    def _read(self, running: _Running) -> None:
        if running.view.id not in self._reading:
            return
        running.reads_left -= 1
        if running.reads_left <= 0:
            del self._reading[running.view.id]
            self._end(running, self._clock.now())

    def _end(self, running: _Running, when: float) -> None:
        # A canceled operation is still scheduled, but must not end this way any more.
        if running.view.state == "InProgress" and not running.view.is_canceling:
            self._unfinished[running.view.resource_id] -= 1
            running.end(when)

    def _end_canceled(self, running: _Running, when: float) -> None:
        self._unfinished[running.view.resource_id] -= 1
        running.cancel(when)


def _no_effect() -> None:
    """The effect of an operation that changes nothing."""


class _Running:
    """An operation with its effect and the scripted faults that apply to it."""

    def __init__(self, view: Started, effect: Effect, faults: Iterable[Fault], on_failure: Effect | None) -> None:
        self.view = view
        self.timing = Timing()
        self.reads_left = 0
        self.never_ends = False
        self.pauses: list[str] = []
        self._effect = effect
        self._on_failure = on_failure
        self._failure: ServiceError | None = None
        self._warning: ServiceError | None = None
        for fault in faults:
            self._prepare(fault)

    def _prepare(self, fault: Fault) -> None:
        message = fault.message or "The requested operation failed."
        # A failure without a code of its own has the code that users reported for updates of machines.
        error = refusals.operation_failed(fault.code or "28020", message, self.view.resource_id)
        match fault.effect:
            case "operation_fails":
                self._failure = error
            case "operation_warns":
                self._warning = error
                # Recorded: an operation carries its warning both while it runs and after it has succeeded.
                self.view = msgspec.structs.replace(self.view, error=error)
            case "operation_never_ends":
                self.never_ends = True
            case "operation_does_nothing":
                # Reported for updates of machines (azure-powershell issue 17795): the job succeeds, but nothing
                # changes.
                self._effect = _no_effect
            case "list_lags" | "refused" | "scope_locked" | "policy_denied" | "forbidden" | "changed_before":
                pass
            case _:
                assert_never(fault.effect)

    def end(self, when: float) -> None:
        failure = self._failure
        if failure is None:
            try:
                self._effect()
            except ServiceError as error:
                # Reported by users of Terraform: an error that a service finds after answering 202 shows in the status
                # of the operation; the request itself does not fail.
                failure = refusals.operation_failed(error.code, error.message, self.view.resource_id)
        if failure is not None and self._on_failure is not None:
            self._on_failure()
        self.view = msgspec.structs.replace(
            self.view,
            state="Failed" if failure else "Succeeded",
            end_time=when,
            error=failure or self._warning,
        )

    def renew(self) -> None:
        self._failure = None  # a scripted failure happens once; the restarted operation may succeed
        self.view = msgspec.structs.replace(self.view, state="InProgress", end_time=None, error=self._warning)

    def cancel(self, when: float) -> None:
        if self._on_failure is not None:
            self._on_failure()
        self.view = msgspec.structs.replace(self.view, state="Canceled", end_time=when)
