"""Long-running operations: accepted now, effective when they end; and the jobs that Site Recovery shows for them."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal, assert_never
from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec import Struct

from asrnet.errors import OperationFailedError, ServiceError
from asrnet.fake import refusals
from asrnet.fake.behaviour import Timing, timing
from asrnet.fake.faults import Fault
from asrnet.fake.times import iso_time
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, Job, NetworkMapping, ProtectedItem, VirtualNetwork
from asrnet.ports import Clock

State = Literal["InProgress", "Succeeded", "Failed", "Canceled"]
Subject = NetworkMapping | Fabric | VirtualNetwork | ProtectedItem | None


class Write(Struct, frozen=True, kw_only=True):
    """A write to be started. ``scenario`` and ``target`` are those of its job, empty for the network provider."""

    method: str
    resource_id: ArmId
    timing: str
    scenario: str = ""
    target: str = ""
    created: bool = False
    subject: Subject = None


class Started(Struct, frozen=True, kw_only=True):
    """An operation as it stands. Times are seconds since 1970.

    ``created``: the resource did not exist before. ``subject`` is the resource that was asked for. ``error`` can be set
    while it runs and on a success as well: the service then means a warning; only ``state`` decides.
    """

    id: str
    method: str
    resource_id: ArmId
    start_time: float
    scenario: str = ""
    target: str = ""
    created: bool = False
    subject: Subject = None
    state: State = "InProgress"
    end_time: float | None = None
    error: ServiceError | None = None

    @property
    def vault_id(self) -> ArmId | None:
        """The vault of a Site Recovery operation, None for those of other providers."""
        return self.resource_id.within("microsoft.recoveryservices/vaults") if self.scenario else None


class Operations:
    """All operations of a world. The world's lock guards it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._all: dict[str, _Running] = {}
        self._of_vault: dict[ArmId, list[_Running]] = {}
        self._due: list[tuple[float, int, _Running]] = []
        self._reading: dict[str, _Running] = {}
        self._unfinished: Counter[ArmId] = Counter()

    def start(self, write: Write, effect: Callable[[], None], faults: Iterable[Fault] = ()) -> Started:
        """Accept a write whose ``effect`` is to appear when it ends; an effect that raises makes it fail."""
        number = len(self._all) + 1
        now = self._clock.now()
        started = Started(
            id=str(uuid5(NAMESPACE_URL, f"{number} {now!r} {write.method} {write.resource_id.key}")),
            method=write.method,
            resource_id=write.resource_id,
            start_time=now,
            scenario=write.scenario,
            target=write.target,
            created=write.created,
            subject=write.subject,
        )
        running = _Running(started, effect, faults)
        self._all[started.id] = running
        if started.vault_id:
            self._of_vault.setdefault(started.vault_id, []).append(running)
        self._unfinished[started.resource_id] += 1
        self._schedule(running, timing(write.timing), number)
        return running.view

    def settle(self) -> None:
        """End what is due by the clock, in the order of the ends."""
        now = self._clock.now()
        while self._due and self._due[0][0] <= now:
            when, _, running = heapq.heappop(self._due)
            self._end(running, when)

    def read(self, operation_id: str) -> Started | None:
        """An operation, None where there is none of that id. Counts as a status read."""
        running = self._all.get(operation_id)
        if running is None:
            return None
        self._read(running)
        return running.view

    def of_vault(self, vault: ArmId, *, since: float | None = None) -> list[Started]:
        """The Site Recovery operations of a vault, latest first. Counts as a status read of each of them."""
        found = [
            running
            for running in reversed(self._of_vault.get(vault, []))
            if since is None or running.view.start_time >= since
        ]
        for running in found:
            self._read(running)
        return [running.view for running in found]

    def pending(self, resource_id: ArmId) -> bool:
        """Whether an operation on the resource has not ended."""
        return self._unfinished[resource_id] > 0

    def _schedule(self, running: _Running, when: Timing, number: int) -> None:
        if running.never_ends:
            return
        if when.reads:
            running.reads_left = when.reads
            self._reading[running.view.id] = running
        elif when.seconds:
            heapq.heappush(self._due, (running.view.start_time + when.seconds, number, running))
        else:
            self._end(running, running.view.start_time)

    def _read(self, running: _Running) -> None:
        if running.view.id not in self._reading:
            return
        running.reads_left -= 1
        if running.reads_left <= 0:
            del self._reading[running.view.id]
            self._end(running, self._clock.now())

    def _end(self, running: _Running, when: float) -> None:
        self._unfinished[running.view.resource_id] -= 1
        running.end(when)


class _Running:
    """An operation with its effect and what the fault script has in store for it."""

    def __init__(self, view: Started, effect: Callable[[], None], faults: Iterable[Fault]) -> None:
        self.view = view
        self.reads_left = 0
        self.never_ends = False
        self._effect = effect
        self._failure: ServiceError | None = None
        self._warning: ServiceError | None = None
        for fault in faults:
            self._doom(fault)

    def _doom(self, fault: Fault) -> None:
        message = fault.message or "The requested operation failed."
        error = refusals.operation_failed(fault.code or "28020", message, self.view.resource_id)
        match fault.effect:
            case "operation_fails":
                self._failure = error
            case "operation_warns":
                self._warning = error
                # Recorded: the status document of a running operation can carry an error and the operation succeed.
                self.view = msgspec.structs.replace(self.view, error=error)
            case "operation_never_ends":
                self.never_ends = True
            case "list_lags" | "refused" | "scope_locked" | "policy_denied" | "forbidden" | "changed_before":
                pass
            case _:
                assert_never(fault.effect)

    def end(self, when: float) -> None:
        failure = self._failure or self._take_effect()
        self.view = msgspec.structs.replace(
            self.view,
            state="Failed" if failure else "Succeeded",
            end_time=when,
            error=failure or self._warning,
        )

    def _take_effect(self) -> OperationFailedError | None:
        try:
            self._effect()
        except ServiceError as error:
            return refusals.operation_failed(error.code, error.message, self.view.resource_id)
        return None


def job_of(started: Started) -> Job:
    """The job that Site Recovery shows for an operation: its name is the operation's id."""
    vault = started.vault_id
    assert vault is not None  # noqa: S101 - only Site Recovery's operations are asked for their job
    return Job(
        id=vault.child("replicationJobs", started.id),
        scenario=started.scenario,
        state=started.state,
        start_time=iso_time(started.start_time),
        end_time="" if started.end_time is None else iso_time(started.end_time),
        target=started.target,
        errors=(started.error.message,) if started.state == "Failed" and started.error else (),
    )
