"""Derives the outcome of each change from the outcomes of its steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import structs

from asrnet.applying.preflight import Verdict
from asrnet.applying.run import Run
from asrnet.applying.tasks import Group, Task
from asrnet.errors import RefusedError
from asrnet.model.arm import VAULT
from asrnet.model.plan import PAST_TENSE, Plan
from asrnet.model.report import AppliedChange, Outcome

_ACCEPTED = "accepted by Azure, which has not said how it ended"
_UNANSWERED = "being sent when the run ended, and perhaps accepted by Azure"


_Result = tuple[Outcome, str | None, bool]
"""The outcome of a change, the reason, and whether a safeguard decided it."""

_NAMED: Final = 2
"""How many of the missing dependencies a skipped change names in its reason."""


def outcomes(
    plan: Plan, run: Run, verdicts: Mapping[str, Verdict], problems: Mapping[Task, str]
) -> tuple[AppliedChange, ...]:
    """Every change of the plan with its outcome. ``problems`` are the writes that could not be confirmed."""
    tasks_by_change: dict[str, list[Task]] = defaultdict(list)
    undo_by_task: dict[Task, Task] = {}
    for task in run.tasks:
        if task.undoes:
            undo_by_task[task.undoes] = task
        else:
            tasks_by_change[task.change.id].append(task)
    stale: set[str] = set()
    applied: list[AppliedChange] = []
    for change in plan.changes:
        tasks = tasks_by_change[change.id]
        undo = [undo_by_task[task] for task in tasks if task in undo_by_task]
        verdict, group = verdicts.get(change.id), run.groups.get(change.id)
        if verdict:
            result: _Result = (verdict.outcome, verdict.reason, verdict.refused)
        else:
            needed = [task for need in change.depends_on for task in tasks_by_change[need]]
            result = _outcome(tasks, undo, group, problems, needed, interrupted=run.interrupted)
        outcome, error, refused = result
        hints = [verdict.hint] if verdict else [_hint(task) for task in tasks]
        if run.interrupted and outcome == "succeeded" and not all(task.is_seen for task in tasks):
            # After Ctrl-C nothing is read back, and what was not read back does not count as succeeded.
            outcome, error, hints = "in_flight", "reported as done by Azure, but not read back; plan again to see", []
        elif run.interrupted and outcome == "skipped" and not verdict and not any(task.started for task in tasks):
            error, hints = "not started when the run was interrupted", []
        if outcome == "stale":
            stale.add(change.id)
        times = [moment for task in tasks for moment in (task.started, task.accepted, task.ended) if moment]
        began = min((task.started for task in tasks if task.started), default=0.0)
        applied.append(
            AppliedChange(
                **{name: getattr(change, name) for name in change.__struct_fields__},
                outcome=outcome,
                error=error,
                hint="" if outcome == "succeeded" else "; ".join(dict.fromkeys(filter(None, hints))),
                refused=refused,
                seconds=round(max(times, default=began) - began, 3) if began else 0.0,
                warnings=tuple(warning for task in tasks for warning in task.warnings),
            )
        )
    # A change that was skipped because of a stale one counts as declined for the same reason.
    return tuple(
        structs.replace(change, refused=True)
        if change.outcome == "skipped" and not stale.isdisjoint(change.depends_on)
        else change
        for change in applied
    )


def _outcome(
    tasks: Sequence[Task],
    undo: Sequence[Task],
    group: Group | None,
    problems: Mapping[Task, str],
    needed: Sequence[Task],
    *,
    interrupted: bool,
) -> _Result:
    """The outcome of a change with the steps ``tasks``, which depends on the changes of the tasks in ``needed``."""
    errors = [_error(task) for task in tasks if task.state == "failed"]
    unread = [problems[task] for task in tasks if task in problems]
    failure = group.failure if group else ""
    stale = (group is not None and group.stale) or any(isinstance(task.error, RefusedError) for task in tasks)
    everything = (*tasks, *undo)
    # A retarget has three steps: whoever finds it half done needs to know which mapping is gone already.
    done = " and ".join(
        f"{PAST_TENSE[task.step.action]} {task.step.resource_id.name}" for task in tasks if task.state == "done"
    )
    under_way = [task for task in everything if task.state in {"sending", "pending"}]
    if under_way:
        pending = [task for task in under_way if task.state == "pending"]
        how = _ACCEPTED if pending else _UNANSWERED
        if len(tasks) > 1:
            step = (pending or under_way)[0].step
            how = f"{f'{done}; ' if done else ''}the {step.action} of {step.resource_id.name} was {how}"
        denial = next((f": {task.denial}" for task in everything if task.denial), "")
        return "in_flight", f"{how}{denial}; plan again to see", False
    if undo:
        reason = "; ".join(errors or [failure])
        left = [str(task.error) for task in undo if task.error] + [problems[task] for task in undo if task in problems]
        if left or any(task.state != "done" for task in undo):
            return "failed", f"{reason}; the undo failed too: {'; '.join(left) or 'not tried'}", False
        return ("stale", f"{reason} (its earlier steps are undone)", True) if stale else ("rolled_back", reason, False)
    if errors:
        if stale and not done:
            return "stale", "; ".join(errors), True
        errors += [f"before that, asrnet {done}"] if done else []
        return "failed", "; ".join(errors), False
    if all(task.state == "done" for task in tasks):
        if not any(task.sent for task in tasks):
            return "stale", "somebody else has done it meanwhile; plan again", True
        return ("failed", "; ".join(unread), False) if unread else ("succeeded", None, False)
    undone = list(dict.fromkeys(task.change.name for task in needed if task.state != "done"))
    more = f" and {len(undone) - _NAMED} more" if len(undone) > _NAMED else ""
    depends_on = f"{' and '.join(undone[:_NAMED])}{more}" if undone else "something"
    reason = failure or f"depends on {depends_on}, which {'was' if len(undone) < 2 else 'were'} not done"  # noqa: PLR2004
    not_begun = next((task.not_begun for task in tasks if task.not_begun), "")
    if not_begun:
        return "skipped", not_begun, True
    if done:
        reason = "then the run was interrupted" if interrupted else reason
        return "failed", f"started but not finished: {done}; {reason}; run again", False
    return ("stale" if stale else "skipped"), reason, group is not None and group.refused


def _hint(task: Task) -> str:
    """What to do about a write that did not succeed. If there is no other advice, it refers to the job."""
    hint = task.hint or (task.error.hint if task.error else "")
    if not hint and task.operation and task.step.resource_id.within(VAULT) and task.state in {"failed", "pending"}:
        hint = f"see the job {task.operation.id} among the Site Recovery jobs of the vault"
    return hint


def _error(task: Task) -> str:
    if task.patch_error and str(task.patch_error) != str(task.error):
        return f"{task.patch_error}; and by PUT: {task.error}"
    return str(task.error)
