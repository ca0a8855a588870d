"""The coordinator: one thread decides, worker threads only send requests.

The limits on parallelism apply to requests, not to operations: once a write is accepted, the next one may be sent.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from math import ceil
from typing import TypeVar

from asrnet.applying.lanes import CLOCK_SKEW, Lane
from asrnet.applying.looks import AlreadyDoneError, Looks, description, has_state_of, is_same
from asrnet.applying.preflight import Verdict
from asrnet.applying.readback import machine_problem, watched_machine
from asrnet.applying.tasks import (
    Component,
    Group,
    Task,
    Trial,
    component_of,
    components_of,
    groups_of,
    trials_of,
    undo_of,
)
from asrnet.errors import (
    AsrError,
    CredentialError,
    ForbiddenError,
    NotFoundError,
    OperationFailedError,
    RefusedError,
    ServiceError,
)
from asrnet.model.arm import VAULT, ArmId
from asrnet.model.azure import (
    Fabric,
    Job,
    NetworkMapping,
    NetworkSubnet,
    ProtectedItem,
    ResourceGroup,
    VirtualNetwork,
)
from asrnet.model.machine_networks import MachineNetworks, is_set_to, updated
from asrnet.model.plan import Change, mapping_of
from asrnet.ports import Backend, Operation, OperationStatus, before_sending

T = TypeVar("T")

_READS_WITHOUT_JOB = 2
"""After this many job lists without its job, the operation itself is read."""

_DENIED_READS = 3
"""After this many refused reads, an operation is no longer read, instead of being read until the timeout."""

_READS_IN_ALL = 5
"""After this many reads of an operation and its mapping, a write counts as in flight. Writes have taken up to 3.3 s."""

_PATCH_UNKNOWN = {400, 405}
"""Statuses of a PATCH that say nothing about this mapping: if the PUT then succeeds, no further PATCH is tried."""

_GRACE = 5.0
"""Seconds to wait for the answers to requests in flight after Ctrl-C."""


class Run:
    """Carries out tasks until all are settled, out of time or interrupted. An instance can be used once."""

    def __init__(
        self,
        tasks: Sequence[Task],
        backend: Backend,
        looks: Looks,
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
        self._trials: dict[ArmId, Trial] = trials_of(self.tasks)
        self._backend = backend
        self._looks = looks
        self._clock = backend.clock
        self._began = self._clock.now()
        self._per_vault = per_vault
        self._in_all = in_all
        self._timeout = timeout
        self._notify = notify
        self._sending = 0
        self._patch_is_refused = False
        self._own_jobs: set[str] = set()
        self._lanes: dict[str, Lane] = {}
        self._lanes_in_turn: deque[Lane] = deque()
        self._in_flight: dict[Future[object], Callable[[], None]] = {}
        self._tasks_by_change: dict[str, list[Task]] = defaultdict(list)
        self._dependents: dict[str, list[Task]] = defaultdict(list)
        for task in self.tasks:
            self._register(task)

    def _register(self, task: Task) -> None:
        self._tasks_by_change[task.change.id].append(task)
        self._lane(task).waiting += 1
        for need in self._needs(task):
            self._dependents[need].append(task)

    def _needs(self, task: Task) -> Collection[str]:
        """The changes that must be done first: those needed by any part of a group, so that it cannot stop half-way."""
        group = self.groups.get(task.change.id)
        return {*task.change.depends_on, *group.needs} if group else task.change.depends_on

    def _lane(self, task: Task) -> Lane:
        vault = task.step.resource_id.within(VAULT)
        # A vault has one list of jobs, so its writes are awaited together. Networks have no jobs, and Azure counts
        # requests for them by subscription (documented).
        key = vault.key if vault else task.step.resource_id.subscription
        if key not in self._lanes:
            lane = Lane(vault=vault, most=self._per_vault, limit=self._per_vault, queue=deque())
            self._lanes[key] = lane
            self._lanes_in_turn.append(lane)
        return self._lanes[key]

    def carry_out(self, verdicts: Mapping[str, Verdict]) -> None:
        """Do everything that ``verdicts`` do not rule out."""
        for change_id, verdict in verdicts.items():
            self._rule_out(change_id, verdict)
        for task in self.tasks:
            self._queue_if_ready(task)
        try:
            while True:
                self._send()
                self._read_statuses()
                due = [lane.next_read for lane in self._lanes.values() if lane.may_read]
                if not self._in_flight and not due:
                    break
                self._clock.wait(list(self._in_flight), max(min(due) - self._clock.now(), 0.0) if due else None)
                self._take_answers()
        except KeyboardInterrupt:
            self.interrupted = True
            self._clock.stop()
            with suppress(KeyboardInterrupt):  # Ctrl-C again: stop waiting, but still report
                # Requests in flight get a moment to be answered; no new ones are sent.
                deadline = self._clock.now() + _GRACE
                while self._in_flight and self._clock.now() < deadline:
                    self._clock.wait(list(self._in_flight), deadline - self._clock.now())
                    self._take_answers()

        for trial in () if self.interrupted else self._trials.values():
            for task in trial.tasks:
                if task.state == "waiting" and not trial.passed and trial.first not in {None, task}:
                    _hold_back(task, trial, "has not ended", hint="wait until its job has ended, then run again")

    def _request(self, call: Callable[[], T], on_answer: Callable[[T | AsrError | InterruptedError], None]) -> None:
        """Start ``call`` in a worker; ``on_answer`` gets its result or error, in this thread."""
        future = self._clock.start(call)

        def answered() -> None:
            try:
                answer: T | AsrError | InterruptedError = future.result()
            except (AsrError, InterruptedError) as error:
                answer = error
            on_answer(answer)

        self._in_flight[future] = answered  # type: ignore[index]  # Future is invariant, and only its end matters here

    def _take_answers(self) -> None:
        for future in [future for future in self._in_flight if future.done()]:
            self._in_flight.pop(future)()

    # Which tasks may start, and when.

    def _queue_if_ready(self, task: Task) -> None:
        """Queue a task once nothing has to be done before it."""
        if task.state != "waiting" or self.interrupted or not self._is_ready(task):
            return
        group = self.groups.get(task.change.id)
        if group and not group.checked:
            self._check(group)
            return
        trial = self._trial(task)
        # One machine goes first: it is assumed, not recorded, that an update changes nothing that it does not name.
        if trial and not trial.passed:
            trial.first = task
        lane = self._lane(task)
        task.state = "queued"
        lane.waiting -= 1
        lane.queue.append(partial(self._send_write, task, lane))

    def _is_ready(self, task: Task) -> bool:
        steps = self._tasks_by_change[task.change.id]
        earlier = steps[: steps.index(task)]
        needed = [other for need in self._needs(task) for other in self._tasks_by_change.get(need, ())]
        if not all(other.state == "done" for other in (*earlier, *needed)):
            return False
        component = self._components.get(task.change.id)
        if component and not component.may_start(task):
            return False
        trial = self._trial(task)
        if trial and not trial.passed and trial.first not in {None, task}:
            return False
        # The fabrics of a vault are created one at a time.
        return task.change.kind != "fabric" or not any(
            other.state in {"queued", "sending", "pending"}
            for other in self.tasks
            if other.change.kind == "fabric" and other.change.vault == task.change.vault
        )

    def _trial(self, task: Task) -> Trial | None:
        """The trial of the task's machine; None for a task that updates no machine."""
        vault = task.step.resource_id.within(VAULT) if task.change.kind == "protected_item" else None
        return self._trials.get(vault) if vault else None

    def _send(self) -> None:
        """Let the lanes send in turn while there is room.

        A write that a busy vault has not accepted yet keeps its place while it waits, so that no lane exceeds its
        share.
        """
        busy_lanes = sum(1 for lane in self._lanes_in_turn if lane.queue or lane.sending)
        share = ceil(self._in_all / max(busy_lanes, 1))
        idle = 0
        while self._sending < self._in_all and idle < len(self._lanes_in_turn) and not self.interrupted:
            lane = self._lanes_in_turn[0]
            self._lanes_in_turn.rotate(-1)
            if lane.has_room(share):
                lane.queue.popleft()()
                idle = 0
            else:
                idle += 1

    def _send_in(
        self, lane: Lane, call: Callable[[], T], on_answer: Callable[[T | AsrError | InterruptedError], None]
    ) -> None:
        """Start a request that takes one of the lane's places."""
        lane.sending += 1
        self._sending += 1

        def answered(answer: T | AsrError | InterruptedError) -> None:
            lane.sending -= 1
            self._sending -= 1
            on_answer(answer)

        self._request(call, answered)

    # Before a group's first write: check that everything that it removes is still as the plan saw it.

    def _check(self, group: Group) -> None:
        if group.unanswered or group.failure:
            return
        tasks = [task for task in group.tasks if task.step.before is not None]
        group.unanswered = len(tasks)
        for task in tasks:
            lane = self._lane(task)
            read = partial(self._looks.mapping, task.step.resource_id)
            lane.queue.append(partial(self._send_in, lane, read, partial(self._checked, group, task)))

    def _checked(self, group: Group, task: Task, answer: NetworkMapping | AsrError | InterruptedError | None) -> None:
        group.unanswered -= 1
        if isinstance(answer, InterruptedError):
            return
        if isinstance(answer, AsrError):
            self._give_up(group, f"{task.step.resource_id.name} could not be re-read: {answer}")
        elif not is_same(answer, task.step.before):
            group.stale = group.refused = True
            self._give_up(group, f"{task.step.resource_id.name} {description(answer)}; plan again")
        if not group.unanswered and not group.failure:
            group.checked = True
            for member in group.tasks:
                self._queue_if_ready(member)

    # Sending a write, and its answer.

    def _send_write(self, task: Task, lane: Lane) -> None:
        if task.state not in {"queued", "sending"}:
            return
        if task.state == "queued":
            task.state = "sending"
            task.started = self._clock.now()
            self._notify(task)
        self._send_in(lane, partial(self._write, task), partial(self._answered, task, lane))

    def _write(self, task: Task) -> Operation | None:
        """Runs in a worker. Look at what the write would overwrite, then send it; do both again for every repeat."""

        def mark() -> None:
            task.sent = self._clock.now()

        step, writer, networks = task.step, self._backend.mapping_writer, self._backend.network_writer
        task.by_put = task.by_put or (step.action == "update" and self._patch_is_refused)
        try:
            if isinstance(step.after, MachineNetworks):
                task.machine, look = self._looks.before_machine(step)
                with before_sending(look), before_sending(mark):
                    return writer.update_item(updated(task.machine, step.after))
            with before_sending(self._looks.before(step)), before_sending(mark):
                if isinstance(step.after, VirtualNetwork):
                    return networks.create_virtual_network(step.after)
                if isinstance(step.after, NetworkSubnet):
                    return networks.create_subnet(step.after)
                if isinstance(step.after, ResourceGroup):
                    return networks.create_resource_group(step.after)
                if isinstance(step.after, Fabric):
                    return writer.create_fabric(step.after)
                if step.after is None:
                    return writer.delete_mapping(step.resource_id)
                mapping = mapping_of(step)
                if step.action == "create":
                    return writer.create_mapping(mapping)
                return writer.put_mapping(mapping) if task.by_put else writer.patch_mapping(mapping)
        except AlreadyDoneError:
            task.already_done = True
            return None

    def _answered(self, task: Task, lane: Lane, answer: Operation | AsrError | InterruptedError | None) -> None:
        task.accepted = self._clock.now()
        if isinstance(answer, AsrError):
            self._failed(task, answer)
            return
        # The PUT was accepted although the PATCH was not, so the other updates of this run need not try a PATCH.
        if isinstance(task.patch_error, ServiceError) and task.patch_error.status in _PATCH_UNKNOWN:
            self._patch_is_refused = True
        if isinstance(answer, Operation):
            task.state, task.operation = "pending", answer
            # The id in an operation's URL is the name of its job (recorded).
            self._own_jobs.add(answer.id.lower())
            lane.accepted(task, answer, task.accepted)
        elif answer is None:
            self._settle_done(task)

    # Finding out how accepted writes ended.

    def _read_statuses(self) -> None:
        now = self._clock.now()
        for lane in self._lanes.values():
            if not lane.may_read or now < lane.next_read or self.interrupted:
                continue
            by_operation = [task for task in lane.pending if lane.asks_operation(task)]
            if lane.vault and len(by_operation) < len(lane.pending):
                lane.reading += 1
                self._request(partial(self._jobs, lane.vault), partial(self._jobs_listed, lane))
            for task in by_operation:
                self._ask_operation(task, lane)

    def _ask_operation(self, task: Task, lane: Lane) -> None:
        writer = self._backend.network_writer if lane.vault is None else self._backend.mapping_writer
        if task.denial:
            lane.reading += 1
            read = partial(self._backend.mappings.mapping, task.step.resource_id)
            self._request(read, partial(self._on_mapping_read, task, lane))
        elif task.operation:
            lane.reading += 1
            self._request(partial(writer.operation, task.operation), partial(self._on_operation_status, task, lane))

    def _jobs(self, vault: ArmId) -> tuple[Job, ...]:
        # Jobs have the service's time, and this machine's clock may be ahead of it.
        return tuple(self._backend.mappings.jobs(vault, since=self._began - CLOCK_SKEW))

    def _jobs_listed(self, lane: Lane, answer: tuple[Job, ...] | AsrError | InterruptedError) -> None:
        if isinstance(answer, ForbiddenError):
            lane.jobs_allowed = False
        if not isinstance(answer, InterruptedError):
            # A failed list counts as one without jobs: the list of a vault fails until it has a fabric.
            jobs = {job.name.lower(): job for job in answer} if isinstance(answer, tuple) else {}
            self._warn_of_other_jobs(lane, jobs)
            for task in [task for task in lane.pending if not lane.asks_operation(task)]:
                self._judge(task, lane, jobs)
        self._end_reading(lane)

    def _warn_of_other_jobs(self, lane: Lane, jobs: Mapping[str, Job]) -> None:
        """Warn of others' mapping jobs on networks that this run writes, since it is unknown whose write came last.

        A job contains only its network's name. A job that ended before ours started does no harm.
        """
        others: dict[str, list[Job]] = defaultdict(list)
        for name, job in jobs.items():
            # NetworkPairing or NetworkUnPairing, with the primary network as the target (recorded between VMM servers).
            if "pairing" in job.scenario.lower() and job.target and name not in self._own_jobs:
                others[job.target.lower()].append(job)
        for task in lane.pending if others else ():
            own_job = jobs.get(task.operation.id.lower()) if task.operation else None
            for job in others[own_job.target.lower()] if own_job else ():
                warning = f"another mapping job on {job.target} ran at the same time: {job.name} ({job.scenario})"
                is_over = job.has_ended and own_job and (job.end_time or job.start_time) < own_job.start_time
                if not is_over and warning not in task.warnings:
                    task.warnings.append(warning)

    def _judge(self, task: Task, lane: Lane, jobs: Mapping[str, Job]) -> None:
        """Update a task from the job list."""
        job = jobs.get(task.operation.id.lower()) if task.operation else None
        if job is None:
            task.missing_from_jobs += 1
            task.ask_operation = task.missing_from_jobs >= _READS_WITHOUT_JOB
        elif job.has_succeeded:
            task.warnings += [f"Azure warns: {message}" for message in job.errors]
            lane.pending.remove(task)
            self._settle_done(task)
        elif job.has_ended:
            # The job list has only part of the error, which is used if the operation reports none.
            task.job_error = OperationFailedError(
                "; ".join(job.errors) or f"the job {job.name} failed",
                resource_id=task.step.resource_id,
                hint=f"see the job {job.name} of the vault in the portal",
            )
            self._ask_operation(task, lane)

    def _on_operation_status(
        self, task: Task, lane: Lane, answer: OperationStatus | AsrError | InterruptedError
    ) -> None:
        status = answer if isinstance(answer, OperationStatus) else None
        # Only the status counts: operations that succeed may carry an error, which is a warning (recorded).
        if status and status.state == "succeeded":
            task.warnings += [f"Azure warns: {status.warning}"] if status.warning else []
            lane.pending.remove(task)
            self._settle_done(task)
        elif (status and status.state != "in_progress") or (
            task.job_error and not isinstance(answer, InterruptedError)
        ):
            error = (status.error if status else None) or task.job_error
            task.job_error = None
            lane.pending.remove(task)
            self._failed(task, error or OperationFailedError("the operation did not succeed"))
        elif isinstance(answer, NotFoundError):
            # Azure forgets operations some time after their end; reading back shows how this one ended.
            lane.pending.remove(task)
            self._settle_done(task)
        elif isinstance(answer, ServiceError) and answer.code == "ForeignHost":
            # asrnet sends its token only to Azure's hosts, so reading again would not help.
            task.denied_reads += 1
            self._deny(task, lane, answer.message)
        elif isinstance(answer, (CredentialError, ForbiddenError)):
            task.denied_reads += 1
            if task.denied_reads >= _DENIED_READS:
                self._deny(task, lane, answer.message)
        self._end_reading(lane)

    def _deny(self, task: Task, lane: Lane, reason: str) -> None:
        """Stop reading the operation. A mapping is read instead, which shows when its write is done.

        A machine is read back in any case, until it shows its update or the time for that is up.
        """
        task.denial = reason
        if task.change.kind != "network_mapping":
            lane.pending.remove(task)
        if task.change.kind == "protected_item":
            self._settle_done(task)

    def _on_mapping_read(
        self, task: Task, lane: Lane, answer: NetworkMapping | AsrError | InterruptedError | None
    ) -> None:
        """Judge a write by its mapping if its operation cannot be read; give up after a few seconds."""
        task.denied_reads += 1
        if not isinstance(answer, (AsrError, InterruptedError)) and (
            is_same(answer, task.step.after) and has_state_of(answer, task.step.after)
        ):
            lane.pending.remove(task)
            self._settle_done(task)
        elif task.denied_reads >= _READS_IN_ALL:
            lane.pending.remove(task)
        self._end_reading(lane)

    def _end_reading(self, lane: Lane) -> None:
        lane.reading -= 1
        if not lane.reading:
            now = self._clock.now()
            lane.ticked(now)
            lane.pending = [task for task in lane.pending if now - task.accepted <= self._timeout]

    # Consequences of an outcome.

    def _settle_done(self, task: Task) -> None:
        trial = self._trial(task)
        if trial and not trial.passed and task.sent and not task.is_seen:
            # The first machine is not done, and no other is updated, until it is known what else its update has
            # changed.
            task.state = "pending"
            self._request(partial(watched_machine, task, self._backend), partial(self._on_trial_read, task, trial))
            return
        task.state, task.error = "done", None
        self._settled(task)

    def _on_trial_read(
        self, task: Task, trial: Trial, answer: ProtectedItem | AsrError | InterruptedError | None
    ) -> None:
        """Compare the first machine of a vault with its expected result; let the others follow, or hold them back."""
        if isinstance(answer, InterruptedError):
            return
        if isinstance(answer, AsrError):
            problem: OperationFailedError | None = OperationFailedError(
                f"could not be read back: {answer}", resource_id=task.step.resource_id, hint=answer.hint
            )
        else:
            problem = machine_problem(task, answer)
        task.is_seen = True
        if not problem:
            trial.passed = True
            self._settle_done(task)
            for other in trial.tasks:
                self._queue_if_ready(other)
            return
        trial.failed = True
        for other in trial.tasks:
            if other.state in {"waiting", "queued"}:
                _hold_back(other, trial, "was not confirmed", hint=f"resolve {task.change.name} first, then run again")
        self._settle_failed(task, problem)
        self._skip(trial.tasks)

    def _settle_failed(self, task: Task, error: AsrError) -> None:
        """Handle a write that failed for good. Skip what depends on it; a group that loses a step gives up."""
        task.state, task.error = "failed", error
        group = self.groups.get(task.change.id)
        if group and isinstance(error, RefusedError):
            group.stale = group.refused = True
        if group and task.removes_something:
            group.failure = group.failure or str(error)
        self._settled(task)
        if group and group.failure:
            self._give_up(group, group.failure)
        self._skip(self._tasks_by_change[task.change.id])
        if isinstance(error, RefusedError) and task.change.pair and task.change.kind == "network_mapping":
            self._leave_other_half(task.change, str(error))

    def _leave_other_half(self, change: Change, reason: str) -> None:
        """Skip the other direction of a pair if one is stale: it would be a reverse without its forward mapping."""
        for other in [other for other in self.tasks if other.change.pair == change.pair and not other.undoes]:
            group = self.groups.get(other.change.id)
            is_other_half = other.change.vault == change.vault and other.change.id != change.id
            if group and is_other_half and all(member.state in {"waiting", "queued"} for member in group.tasks):
                self._rule_out(other.change.id, Verdict(outcome="stale", reason=reason, refused=True))

    def _settled(self, task: Task) -> None:
        """Start the tasks that waited for ``task`` to settle."""
        task.ended = self._clock.now()
        if task.state != "skipped":
            self._notify(task)
        waiting = [*self._tasks_by_change[task.change.id], *self._dependents[task.change.id]]
        component = self._components.get(task.change.id)
        if component:
            component.unsettled[task.rank] -= 1
            if not component.unsettled[task.rank]:
                waiting += component.tasks
        if task.change.kind == "fabric":
            waiting += [other for other in self.tasks if other.change.kind == "fabric"]
        trial = self._trial(task)
        if trial and trial.first is task and not trial.passed and not trial.failed:
            trial.first = None  # the update was refused or not needed, so the next machine is tried
            waiting += trial.tasks
        for other in waiting:
            self._queue_if_ready(other)
        group = self.groups.get(task.change.id)
        if group:
            self._put_back(group)

    def _failed(self, task: Task, error: AsrError) -> None:
        """Handle a write that did not succeed.

        A mapping that it updates or deletes is read again before anything is concluded. No recording shows how the
        service answers a PATCH, it validates much only after accepting a write, and a 500 does not say what happened.
        So the mapping itself decides.
        """
        is_stale = isinstance(error, RefusedError)
        if task.change.kind == "protected_item" and task.sent and not is_stale and not self.interrupted:
            task.state = "sending"
            lane = self._lane(task)
            read_machine = partial(self._backend.mappings.protected_item, task.step.resource_id)
            lane.queue.appendleft(
                partial(self._send_in, lane, read_machine, partial(self._reread_machine, task, error))
            )
            return
        if task.change.kind != "network_mapping" or not task.removes_something or is_stale or self.interrupted:
            self._settle_failed(task, error)
            return
        task.state = "sending"
        lane = self._lane(task)
        read = partial(self._backend.mappings.mapping, task.step.resource_id)
        # Half-done changes go first, because a pair may lack its reverse until this is settled.
        lane.queue.appendleft(partial(self._send_in, lane, read, partial(self._reread, task, lane, error)))

    def _reread(
        self, task: Task, lane: Lane, error: AsrError, answer: NetworkMapping | AsrError | InterruptedError | None
    ) -> None:
        """Decide by the mapping itself whether a write that ended with ``error`` took effect."""
        before, after = task.step.before, task.step.after
        if isinstance(answer, InterruptedError):
            return
        if isinstance(answer, AsrError):
            task.uncertain = True
            self._settle_failed(task, error)
        elif is_same(answer, after) and has_state_of(answer, after):
            self._settle_done(task)
        elif not is_same(answer, before):
            changed = f"{task.step.resource_id.name} {description(answer)}; plan again"
            self._settle_failed(task, RefusedError(changed, kind="stale"))
        elif task.step.action == "update" and not task.by_put:
            # A PUT of the same name is how az updates a mapping; it is sent once.
            task.by_put, task.patch_error = True, error
            lane.queue.appendleft(partial(self._send_write, task, lane))
        else:
            self._settle_failed(task, error)

    def _reread_machine(
        self, task: Task, error: AsrError, answer: ProtectedItem | AsrError | InterruptedError | None
    ) -> None:
        """Decide by the machine itself whether an update that ended with ``error`` took effect."""
        if isinstance(answer, InterruptedError):
            return
        after = task.step.after
        shows_it = isinstance(answer, ProtectedItem) and isinstance(after, MachineNetworks) and is_set_to(answer, after)
        if shows_it:
            self._settle_done(task)
        else:
            task.uncertain = isinstance(answer, AsrError)
            self._settle_failed(task, error)

    def _give_up(self, group: Group, failure: str) -> None:
        group.failure = group.failure or failure
        self._skip(group.tasks)
        self._put_back(group)

    def _skip(self, tasks: Sequence[Task]) -> None:
        """Settle tasks that have not been sent, and all tasks that depend on them."""
        for task in tasks:
            if task.state in {"waiting", "queued"}:
                if task.state == "waiting":
                    self._lane(task).waiting -= 1
                task.state = "skipped"
                self._settled(task)
                self._skip(self._tasks_by_change[task.change.id])
            if task.state in {"skipped", "failed"}:
                self._skip([other for other in self._dependents[task.change.id] if other.state == "waiting"])

    def _rule_out(self, change_id: str, verdict: Verdict) -> None:
        """Do not start a change or the rest of its group."""
        group = self.groups.get(change_id)
        if group:
            group.stale = group.stale or verdict.outcome == "stale"
            group.refused = group.refused or verdict.refused
            self._give_up(group, verdict.reason)
        self._skip(self._tasks_by_change[change_id])

    def _put_back(self, group: Group) -> None:
        """Undo what an abandoned group has written: updates first, then deletes."""
        if group.undone or not group.failure or self.interrupted or not all(task.settled for task in group.tasks):
            return
        # A result that somebody else produced is not undone.
        undo = [
            undo_of(task)
            for task in group.tasks
            if task.removes_something and not task.already_done and (task.state == "done" or task.uncertain)
        ]
        if not undo:
            return
        group.undone = True
        component = component_of(undo)
        for task in undo:
            self.tasks.append(task)
            self._components[task.change.id] = component
            self._register(task)
        for task in undo:
            self._queue_if_ready(task)


def _hold_back(task: Task, trial: Trial, outcome: str, *, hint: str) -> None:
    """Settle a machine that was not started, because of the ``outcome`` of the machine that goes first."""
    first = trial.first.change.name if trial.first else ""
    task.not_begun = f"{first} is updated first in this vault, alone, and its update {outcome}"
    task.hint = hint
