"""``apply``: carry out a plan, wait for its operations, and read back their effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from asrnet.applying.audit import AuditEntry, audit_entry
from asrnet.applying.looks import MAX_AGE, Looks
from asrnet.applying.outcomes import outcomes
from asrnet.applying.preflight import Verdict, inspect
from asrnet.applying.readback import unconfirmed
from asrnet.applying.run import Run
from asrnet.applying.tasks import Task, tasks_of
from asrnet.model.plan import Plan
from asrnet.model.report import AppliedChange, Outcome, Report, Result, result_of
from asrnet.ports import Backend

__all__ = ["AppliedChange", "AuditEntry", "Options", "Outcome", "Progress", "Report", "Result", "apply"]

_DIFFERENCES_NAMED = 2
"""Each change of a stale vault names at most this many differences of its pair; the caller lists all of them once."""


class Options(Struct, frozen=True, kw_only=True):
    """How a plan is carried out.

    ``per_vault`` and ``in_all`` limit the requests in flight; ``timeout`` (seconds) limits the wait for an accepted
    operation. ``forced`` lifts limits and holds by name. ``stale`` lists, by vault, the differences between Azure and
    what a saved plan saw: such vaults are left alone. ``look_age`` (seconds) is the maximum time between reading a
    resource and writing it.
    """

    per_vault: int = 4
    in_all: int = 8
    timeout: float = 1800.0
    forced: frozenset[str] = frozenset()
    stale: Mapping[str, tuple[str, ...]] = {}
    look_age: float = MAX_AGE


class Progress(Struct, frozen=True, kw_only=True):
    """A step of the change ``change_id``: ``state`` is ``sending``, ``done`` or ``failed``, with the ``error``.

    ``action`` is what is done, and ``name`` is the resource. ``undoing``: the step restores what a failed change had
    removed.
    """

    change_id: str
    action: str
    name: str
    pair: str | None
    state: str
    error: str | None = None
    undoing: bool = False


def _ignore(_: object) -> None:
    """Used when the caller passes no callback."""


def apply(
    plan: Plan,
    backend: Backend,
    options: Options = Options(),  # noqa: B008 - a frozen value
    *,
    on_progress: Callable[[Progress], None] = _ignore,
    on_write: Callable[[AuditEntry], None] = _ignore,
) -> Report:
    """Carry out ``plan``. Errors of single changes are in the report; running again finishes what is left.

    ``on_progress`` is called with every step, ``on_write`` with one entry for every write that was sent, once its
    outcome is known; both in the caller's thread. Raises RefusedError if the plan exceeds a limit that is not in
    ``options.forced``.
    """
    plan.raise_if_over_limits(options.forced)
    began = backend.clock.now()
    backend.expect({change.kind for change in plan.changes})
    looks = Looks(backend, options.look_age)
    changes = [change for change in plan.changes if change.vault not in options.stale]
    verdicts = _stale_verdicts(plan, options) | inspect(changes, backend, looks, options.in_all, options.forced)
    run = Run(
        tasks_of(plan.changes),
        backend,
        looks,
        per_vault=options.per_vault,
        in_all=options.in_all,
        timeout=options.timeout,
        notify=lambda task: on_progress(_progress(task)),
    )
    problems: dict[Task, str] = {}
    try:
        run.carry_out(verdicts)
        if not run.interrupted:
            existing = {observed.vault_id: len(observed.mappings) for observed in plan.observed}
            problems = unconfirmed(run.tasks, existing, backend, options.in_all)
    except KeyboardInterrupt:  # interrupted while reading back: the report still lists every write that was sent
        run.interrupted = True
    finally:  # whatever happens, every write gets its audit entry
        for task in run.tasks:
            if task.sent:
                on_write(audit_entry(task, problems.get(task), backend.identity()))
    applied = outcomes(plan, run, verdicts, problems)
    return Report(
        **{name: getattr(plan, name) for name in plan.__struct_fields__ if name != "changes"},
        changes=applied,
        result=result_of(applied),
        requests=dict(backend.requests()),
        seconds=backend.clock.now() - began,
        interrupted=run.interrupted,
    )


def _stale_verdicts(plan: Plan, options: Options) -> dict[str, Verdict]:
    verdicts: dict[str, Verdict] = {}
    for change in plan.changes:
        differences = options.stale.get(change.vault)
        if differences is not None:
            label = f" (pair {change.pair})"
            of_pair = [difference.replace(label, "", 1) for difference in differences if label in difference]
            more = len(of_pair) - _DIFFERENCES_NAMED
            named = [*of_pair[:_DIFFERENCES_NAMED], *([f"and {more} more"] if more > 0 else [])]
            reason = "; ".join(named) or "the vault has changed since the plan was saved"
            verdicts[change.id] = Verdict(outcome="stale", reason=reason, refused=True)
    return verdicts


def _progress(task: Task) -> Progress:
    return Progress(
        change_id=task.change.id,
        action=task.step.action,
        name=task.change.name if task.change.kind == "protected_item" else task.step.resource_id.name,
        pair=task.change.pair,
        state=task.state,
        error=str(task.error) if task.error else None,
        undoing=task.undoes is not None,
    )
