"""The coordinator: one thread decides, worker threads only send.

Parallelism bounds the requests in flight, never the operations: an accepted write makes room for the next at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from math import ceil
from typing import TypeVar

from asrnet.applying.lanes import CLOCK_SKEW, Lane, job_error, judge
from asrnet.applying.preflight import Verdict, is_as_before
from asrnet.applying.tasks import Component, Group, State, Task, components_of, groups_of, undo_of
from asrnet.applying.writing import put_back, write
from asrnet.errors import AsrError, CredentialError, ForbiddenError, NotFoundError, OperationFailedError
from asrnet.model.arm import VAULT, ArmId
from asrnet.model.azure import Job, NetworkMapping
from asrnet.ports import Backend, Operation, OperationStatus

T = TypeVar("T")

_JOB_MISSING_LOOKS = 2
"""After so many looks at a list without its job, an operation is asked itself."""

_REFUSED_LOOKS = 3
"""After so many refusals to say how an operation stands, it is not asked again: it would be until the time is up."""

_GRACE = 5.0
"""Seconds that requests get to come back after Ctrl-C."""


class Run:
    """Carries out tasks until all are settled, out of time or interrupted. Use once."""

    def __init__(
        self,
        tasks: Sequence[Task],
        backend: Backend,
        *,
        per_vault: int,
        in_all: int,
        timeout: float,
        notify: Callable[[Task], None],
    ) -> None:
        self.tasks = list(tasks)
        self.groups: dict[str, Group] = groups_of(self.tasks)
        self.interrupted = False
        self._components: dict[str, Component] = components_of(self.tasks)
        self._backend = backend
        self._clock = backend.clock
        self._began = self._clock.now()
        self._per_vault = per_vault
        self._in_all = in_all
        self._timeout = timeout
        self._notify = notify
        self._sending = 0
        self._lanes: dict[str, Lane] = {}
        self._turn: deque[Lane] = deque()
        self._flights: dict[Future[object], Callable[[], None]] = {}
        self._by_change: dict[str, list[Task]] = defaultdict(list)
        self._dependents: dict[str, list[Task]] = defaultdict(list)
        for task in self.tasks:
            self._enter(task)

    def _enter(self, task: Task) -> None:
        self._by_change[task.change.id].append(task)
        self._lane(task).waiting += 1
        for need in self._needs(task):
            self._dependents[need].append(task)

    def _needs(self, task: Task) -> Collection[str]:
        """The changes that must be done first: for a group all that any of it needs, lest it stop half-way."""
        group = self.groups.get(task.change.id)
        return {*task.change.depends_on, *group.needs} if group else task.change.depends_on

    def go(self, verdicts: Mapping[str, Verdict]) -> None:
        """Do everything that ``verdicts`` do not rule out."""
        for change_id, verdict in verdicts.items():
            self._rule_out(change_id, verdict)
        for task in self.tasks:
            self._try(task)
        try:
            while self._advance():
                pass
        except KeyboardInterrupt:
            self.interrupted = True
            self._clock.stop()
            with suppress(KeyboardInterrupt):  # pressed again: no more grace, but still a report
                self._land()

    def _advance(self) -> bool:
        """Send what may be sent, look where it is time to, and wait for the first answer; False when all is over."""
        self._send()
        self._look()
        due = [lane.next_look for lane in self._lanes.values() if lane.may_look]
        if not self._flights and not due:
            return False
        self._clock.wait(list(self._flights), max(min(due) - self._clock.now(), 0.0) if due else None)
        self._collect()
        return True

    def _collect(self) -> None:
        for future in [future for future in self._flights if future.done()]:
            self._flights.pop(future)()

    def _land(self) -> None:
        """After Ctrl-C: requests that are out get a moment to come back; nothing new is sent."""
        deadline = self._clock.now() + _GRACE
        while self._flights and self._clock.now() < deadline:
            self._clock.wait(list(self._flights), deadline - self._clock.now())
            self._collect()

    def _fly(self, call: Callable[[], T], land: Callable[[T | AsrError | InterruptedError], None]) -> None:
        """Start a request; ``land`` gets its answer, in this thread."""
        future = self._clock.start(call)

        def landed() -> None:
            try:
                answer: T | AsrError | InterruptedError = future.result()
            except (AsrError, InterruptedError) as error:
                answer = error
            land(answer)

        self._flights[future] = landed  # type: ignore[index]  # Future is invariant, and only its end matters here

    # What may start, and when.

    def _try(self, task: Task) -> None:
        """Queue a task as soon as nothing stands before it."""
        if task.state != "waiting" or self.interrupted or not self._may_start(task):
            return
        group = self.groups.get(task.change.id)
        if group and not group.checked:
            self._check(group)
            return
        lane = self._lane(task)
        task.state = "queued"
        lane.waiting -= 1
        lane.queue.append(partial(self._submit, task, lane))

    def _may_start(self, task: Task) -> bool:
        mine = self._by_change[task.change.id]
        component = self._components.get(task.change.id)
        return (
            all(other.state == "done" for other in mine[: mine.index(task)])
            and all(other.state == "done" for need in self._needs(task) for other in self._by_change.get(need, ()))
            and (component is None or component.may_start(task))
            and not (task.change.kind == "fabric" and self._fabric_under_way(task))
        )

    def _fabric_under_way(self, task: Task) -> bool:
        """Fabrics of one vault are made one at a time."""
        return any(
            other.state in {"queued", "sending", "pending"}
            for other in self.tasks
            if other.change.kind == "fabric" and other.change.vault == task.change.vault
        )

    def _lane(self, task: Task) -> Lane:
        vault = task.step.resource_id.within(VAULT)
        key = vault.key if vault else task.step.resource_id.subscription
        if key not in self._lanes:
            lane = Lane(vault=vault, most=self._per_vault, at_once=self._per_vault, queue=deque())
            self._lanes[key] = lane
            self._turn.append(lane)
        return self._lanes[key]

    def _send(self) -> None:
        """Let the lanes send in turn while there is room.

        What a busy vault does not take yet keeps its place while it waits, so no lane gets more than its share.
        """
        working = sum(1 for lane in self._turn if lane.queue or lane.sending)
        share = ceil(self._in_all / max(working, 1))
        idle = 0
        while self._sending < self._in_all and idle < len(self._turn) and not self.interrupted:
            lane = self._turn[0]
            self._turn.rotate(-1)
            if lane.has_room(share):
                lane.queue.popleft()()
                idle = 0
            else:
                idle += 1

    def _send_in(
        self, lane: Lane, call: Callable[[], T], land: Callable[[T | AsrError | InterruptedError], None]
    ) -> None:
        lane.sending += 1
        self._sending += 1

        def landed(answer: T | AsrError | InterruptedError) -> None:
            lane.sending -= 1
            self._sending -= 1
            land(answer)

        self._fly(call, landed)

    # A last look at what is to be taken away.

    def _check(self, group: Group) -> None:
        """Re-read every mapping that a group updates or deletes, before its first write."""
        if group.unread or group.failed:
            return
        doomed = [task for task in group.tasks if task.step.before is not None]
        group.unread = len(doomed)
        for task in doomed:
            lane = self._lane(task)
            read = partial(self._backend.mappings.mapping, task.step.resource_id)
            lane.queue.append(partial(self._send_in, lane, read, partial(self._checked, group, task)))

    def _checked(self, group: Group, task: Task, answer: NetworkMapping | AsrError | InterruptedError | None) -> None:
        group.unread -= 1
        if isinstance(answer, InterruptedError):
            return
        if isinstance(answer, AsrError):
            self._give_up(group, f"{task.step.resource_id.name} could not be re-read: {answer}")
        elif not is_as_before(task.step.before, answer):
            group.stale = group.refused = True
            now = f"points at {answer.recovery_network_id.name} now" if answer else "is gone"
            self._give_up(group, f"{task.step.resource_id.name} {now}; plan again")
        if not group.unread and not group.failed:
            group.checked = True
            for member in group.tasks:
                self._try(member)

    # Sending a write, and what becomes of it.

    def _submit(self, task: Task, lane: Lane) -> None:
        if task.state != "queued":
            return
        task.state = "sending"
        task.started = self._clock.now()
        self._notify(task)
        send = put_back if task.undoes else write
        self._send_in(lane, partial(send, self._backend, task.step), partial(self._accepted, task, lane))

    def _accepted(self, task: Task, lane: Lane, answer: Operation | AsrError | InterruptedError | None) -> None:
        task.accepted = self._clock.now()
        if isinstance(answer, AsrError):
            self._fail(task, answer)
        elif isinstance(answer, Operation):
            task.state, task.operation = "pending", answer
            lane.accepted(task, answer, task.accepted)
        elif answer is None:
            self._settle(task, "done")

    # Looking for the end of accepted writes.

    def _look(self) -> None:
        now = self._clock.now()
        for lane in self._lanes.values():
            if lane.may_look and now >= lane.next_look and not self.interrupted:
                self._look_in(lane)

    def _look_in(self, lane: Lane) -> None:
        direct = [task for task in lane.pending if lane.asks_directly(task)]
        if lane.vault and len(direct) < len(lane.pending):
            lane.looking += 1
            self._fly(partial(self._jobs, lane.vault), partial(self._listed, lane))
        for task in direct:
            self._ask(task, lane)

    def _ask(self, task: Task, lane: Lane) -> None:
        """Ask an operation itself."""
        lane.looking += 1
        writer = self._backend.network_writer if lane.vault is None else self._backend.mapping_writer
        if task.operation:
            self._fly(partial(writer.operation, task.operation), partial(self._told, task, lane))

    def _jobs(self, vault: ArmId) -> tuple[Job, ...]:
        return tuple(self._backend.mappings.jobs(vault, since=self._began - CLOCK_SKEW))

    def _listed(self, lane: Lane, answer: tuple[Job, ...] | AsrError | InterruptedError) -> None:
        if isinstance(answer, ForbiddenError):
            lane.jobs_allowed = False
        if not isinstance(answer, InterruptedError):
            # A list that fails, as that of a vault before its first fabric does, lists no job.
            jobs = {job.name.lower(): job for job in answer} if isinstance(answer, tuple) else {}
            for task in [task for task in lane.pending if not lane.asks_directly(task)]:
                self._judge(task, lane, jobs)
        self._looked(lane)

    def _judge(self, task: Task, lane: Lane, jobs: Mapping[str, Job]) -> None:
        verdict = judge(task, jobs)
        if verdict == "done":
            self._end(task, lane, "done")
        elif verdict == "failed":
            task.error = job_error(task, jobs)
            self._ask(task, lane)
        elif verdict == "unlisted" and task.unlisted >= _JOB_MISSING_LOOKS:
            task.direct = True

    def _told(self, task: Task, lane: Lane, answer: OperationStatus | AsrError | InterruptedError) -> None:
        status = answer if isinstance(answer, OperationStatus) else None
        if status and status.state == "succeeded":
            self._end(task, lane, "done")
        elif (status and status.state != "in_progress") or (task.error and not isinstance(answer, InterruptedError)):
            said = status.error if status else None
            lane.pending.remove(task)
            self._fail(task, said or task.error or OperationFailedError("the operation did not succeed"))
        elif isinstance(answer, NotFoundError):
            self._end(task, lane, "done")  # forgotten, and so over; reading back tells how it ended
        elif isinstance(answer, (CredentialError, ForbiddenError)):
            task.refusals += 1
            if task.refusals >= _REFUSED_LOOKS:
                task.unheard = answer.message
                lane.pending.remove(task)
        self._looked(lane)

    def _looked(self, lane: Lane) -> None:
        lane.looking -= 1
        if lane.looking:
            return
        now = self._clock.now()
        lane.looked(now)
        lane.pending = [task for task in lane.pending if now - task.accepted <= self._timeout]

    def _end(self, task: Task, lane: Lane, state: State) -> None:
        lane.pending.remove(task)
        self._settle(task, state)

    # What follows from an end.

    def _settle(self, task: Task, state: State) -> None:
        if task.state == "waiting":
            self._lane(task).waiting -= 1
        task.state, task.ended = state, self._clock.now()
        if state != "skipped":
            self._notify(task)
        component = self._components.get(task.change.id)
        if component:
            component.unsettled[task.rank] -= 1
        freed = [*self._by_change[task.change.id], *self._dependents[task.change.id]]
        if component and not component.unsettled[task.rank]:
            freed += component.tasks
        if task.change.kind == "fabric":
            freed += [other for other in self.tasks if other.change.kind == "fabric"]
        for other in freed:
            self._try(other)
        group = self.groups.get(task.change.id)
        if group:
            self._put_back(group)

    def _fail(self, task: Task, error: AsrError) -> None:
        """A write failed. What it was to make possible is skipped; a mapping not changed puts its group back."""
        task.error = error
        group = self.groups.get(task.change.id)
        if group and task.step.action != "create" and not group.failed:
            group.failed = str(error)
        self._settle(task, "failed")
        if group and group.failed:
            self._give_up(group, group.failed)
        self._skip(self._by_change[task.change.id])

    def _give_up(self, group: Group, why: str) -> None:
        group.failed = group.failed or why
        self._skip(group.tasks)
        self._put_back(group)

    def _skip(self, tasks: Sequence[Task]) -> None:
        """Settle what has not been sent, and whatever depends on it."""
        for task in tasks:
            if task.state in {"waiting", "queued"}:
                self._settle(task, "skipped")
                self._skip(self._by_change[task.change.id])
            if task.state in {"skipped", "failed"}:
                self._skip([other for other in self._dependents[task.change.id] if other.state == "waiting"])

    def _rule_out(self, change_id: str, verdict: Verdict) -> None:
        """Do not begin a change, nor what stands and falls with it."""
        group = self.groups.get(change_id)
        if group:
            group.stale = group.stale or verdict.outcome == "stale"
            group.refused = group.refused or verdict.refused
            self._give_up(group, verdict.reason)
        self._skip(self._by_change[change_id])

    def _put_back(self, group: Group) -> None:
        """When a group was given up after a definite refusal: undo what it did, updates first, then deletes."""
        if group.undone or not group.failed or not all(task.settled for task in group.tasks) or self.interrupted:
            return
        done = [task for task in group.tasks if task.state == "done" and task.step.before is not None]
        if not done or not any(task.refused for task in group.tasks):
            return
        group.undone = True
        undo = [undo_of(task) for task in done]
        component = Component(tasks=undo, unsettled=Counter(task.rank for task in undo))
        for task in undo:
            self.tasks.append(task)
            self._components[task.change.id] = component
            self._enter(task)
        for task in undo:
            self._try(task)
