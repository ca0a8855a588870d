"""From what became of the steps to what became of the changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from msgspec import structs

from asrnet.applying.preflight import Verdict
from asrnet.applying.run import Run
from asrnet.applying.tasks import Group, Task
from asrnet.model.plan import Change, Plan
from asrnet.model.report import AppliedChange, Outcome

_ACCEPTED = "accepted by Azure, which has not said how it ended"
_UNANSWERED = "being sent when the run ended, and perhaps accepted by Azure"


def outcomes(
    plan: Plan, run: Run, verdicts: Mapping[str, Verdict], problems: Mapping[Task, str]
) -> tuple[AppliedChange, ...]:
    """Every change of the plan with its outcome. ``problems`` are the writes that could not be read back."""
    steps: dict[str, list[Task]] = defaultdict(list)
    undone: dict[Task, Task] = {}
    for task in run.tasks:
        if task.undoes:
            undone[task.undoes] = task
        else:
            steps[task.change.id].append(task)
    applied = tuple(
        _applied(change, steps[change.id], undone, verdicts.get(change.id), run.groups.get(change.id), problems)
        for change in plan.changes
    )
    if run.interrupted:
        applied = tuple(_cut_short(change, steps[change.id]) for change in applied)
    stale = {change.id for change in applied if change.outcome == "stale"}
    return tuple(_after_stale(change, stale) for change in applied)


def _cut_short(change: AppliedChange, steps: Sequence[Task]) -> AppliedChange:
    """After Ctrl-C nothing is read back, and so nothing is called succeeded; what had not begun says why."""
    if change.outcome == "succeeded":
        return structs.replace(
            change, outcome="in_flight", error="reported done by Azure, not read back; plan again to see"
        )
    if change.outcome == "skipped" and all(task.state in {"waiting", "queued"} for task in steps):
        return structs.replace(change, error="not begun when the run was interrupted")
    return change


def _after_stale(change: AppliedChange, stale: Collection[str]) -> AppliedChange:
    """What was skipped for something stale was declined for the same reason."""
    declined = change.outcome == "skipped" and any(need in stale for need in change.depends_on)
    return structs.replace(change, refused=True) if declined else change


def _applied(  # noqa: PLR0917 - called once, a few lines above
    change: Change,
    steps: Sequence[Task],
    undone: Mapping[Task, Task],
    verdict: Verdict | None,
    group: Group | None,
    problems: Mapping[Task, str],
) -> AppliedChange:
    outcome, error, refused = _outcome(steps, undone, verdict, group, problems)
    times = [moment for task in steps for moment in (task.started, task.accepted, task.ended) if moment]
    began = min((task.started for task in steps if task.started), default=0.0)
    return AppliedChange(
        **{name: getattr(change, name) for name in change.__struct_fields__},
        outcome=outcome,
        error=error,
        refused=refused,
        seconds=round(max(times, default=began) - began, 3) if began else 0.0,
    )


def _outcome(
    steps: Sequence[Task],
    undone: Mapping[Task, Task],
    verdict: Verdict | None,
    group: Group | None,
    problems: Mapping[Task, str],
) -> tuple[Outcome, str | None, bool]:
    if verdict:
        return verdict.outcome, verdict.reason, verdict.refused
    errors = [str(task.error) for task in steps if task.state == "failed" and task.error]
    unseen = [problem for task in steps if (problem := problems.get(task))]
    mine = [undone[task] for task in steps if task in undone]
    under_way = {task.state for task in (*steps, *mine)} & {"sending", "pending"}
    if under_way:
        accepted = _ACCEPTED if "pending" in under_way else _UNANSWERED
        unheard = next((f": {task.unheard}" for task in (*steps, *mine) if task.unheard), "")
        return "in_flight", f"{accepted}{unheard}; plan again to see", False
    if mine:
        return _rolled_back(errors or [group.failed if group else ""], mine, problems)
    if errors:
        return "failed", "; ".join(errors), False
    if all(task.state == "done" for task in steps):
        return ("failed", "; ".join(unseen), False) if unseen else ("succeeded", None, False)
    return _not_done(steps, group)


def _not_done(steps: Sequence[Task], group: Group | None) -> tuple[Outcome, str | None, bool]:
    """Of a change that came to a halt through no failure of its own."""
    why = group.failed if group and group.failed else "something it depends on was not done"
    if any(task.state == "done" for task in steps):
        return "failed", f"begun and not finished: {why}; run again", False
    return ("stale" if group and group.stale else "skipped"), why, group is not None and group.refused


def _rolled_back(
    errors: Sequence[str], undo: Collection[Task], problems: Mapping[Task, str]
) -> tuple[Outcome, str | None, bool]:
    left = [str(task.error) for task in undo if task.error] + [problems[task] for task in undo if task in problems]
    if left or any(task.state != "done" for task in undo):
        return "failed", f"{'; '.join(errors)}; putting it back failed too: {'; '.join(left) or 'not tried'}", False
    return "rolled_back", "; ".join(errors), False
