"""What every command that writes does with its plan: show, ask, apply with progress and audit, report, exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import structs

from asrnet import exit_codes
from asrnet.cli import logs, streams
from asrnet.cli.outputs import check_apart
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH, timed
from asrnet.cli.unreadable import report_unreadable
from asrnet.errors import InputError
from asrnet.model.plan import Plan, load_plan, to_json
from asrnet.render import render
from asrnet.settings import Settings

if TYPE_CHECKING:
    from asrnet.applying import AuditEntry, Report
    from asrnet.cli.outputs import Outputs
    from asrnet.ports import Backend
    from asrnet.render import Run

OnWrite = Callable[["AuditEntry"], None]

_YES: Final = "yes"


def load(path: str) -> Plan:
    """A saved plan. Raises InputError where the file holds none, RefusedError where somebody has changed it."""
    hint = "save a plan with: asrnet plan --out PATH"
    try:
        is_device = Path(path).is_char_device()  # which may never end
        data = b"" if is_device else Path(path).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {why}", hint=hint) from error
    if is_device:
        raise InputError(f"{path}: cannot be read: it is a device", hint=hint)
    return load_plan(data, source=path)


@contextmanager
def audit(session: Session[Settings], beside: Outputs) -> Iterator[OnWrite]:
    """The function to call with every write: it appends a JSON line to the audit file, or logs the line at ``-v``.

    Raises InputError at once where the file cannot be written or is that of an output ``beside``, and at the end where
    lines are missing from it.
    """
    path = session.settings.audit
    if path is None:
        yield lambda entry: logs.detail(f"audit: {_line(entry, session).decode()}")
        return
    source = session.settings.source("audit")
    check_apart(path, source, beside)
    try:
        stream = Path(path).open("ab", buffering=0)  # noqa: SIM115 - closed below; only opening is an error here
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{source}: {path} cannot be written: {why}", hint="nothing was changed") from error
    failures: list[OSError] = []

    def write(entry: AuditEntry) -> None:
        line = unwritten = _line(entry, session) + b"\n"
        try:
            while unwritten:
                unwritten = unwritten[stream.write(unwritten) :]
        except OSError as error:
            failures.append(error)
            logs.error(f"{source}: not written: {line.decode().strip()}")

    with stream:
        yield write
    if failures:
        why = failures[0].strerror or failures[0]
        problem = f"{source}: {len(failures)} lines could not be written to {path}: {why}"
        raise InputError(problem, hint="the changes were made; standard error has the lines")


def _line(entry: AuditEntry, session: Session[Settings]) -> bytes:
    return to_json(structs.replace(entry, run=session.run))


def carry_out(
    session: Session[Settings],
    plan: Plan,
    backend: Backend,
    outputs: Outputs,
    on_write: OnWrite,
    *,
    stale: Mapping[str, tuple[str, ...]] | None = None,
) -> Report | None:
    """Show ``plan``, ask, apply it; None where the user does not agree.

    A plan over a limit is not shown: its report, of which nothing was begun, says all. Raises InputError where there is
    something to write and nobody to ask.
    """
    settings, stale = session.settings, stale or {}
    if violations := plan.violations(settings.force):
        from asrnet.drift import refused_report

        return refused_report(plan, violations)
    if plan.changes:
        # What the writes need is imported while the plan is shown and the user reads it.
        backend.expect({change.kind for change in plan.changes})
        text = f"{render(plan, 'text', session.view())}\n"
        if outputs.printed == "text":
            streams.write(text)
        elif not (settings.quiet or settings.yes):
            # Standard output is for another format: the plan is shown only to somebody who is about to be asked.
            streams.write_error(text)
        WATCH.mark("rendering")
        if not settings.yes and any(change.vault not in stale for change in plan.changes) and not _agreed(session):
            return None
        WATCH.mark("answer")
    return applied(session, plan, backend, on_write, stale=stale)


def _agreed(session: Session[Settings]) -> bool:
    """The user's answer. Raises InputError where nobody is there to give one."""
    if not streams.can_ask():
        raise InputError(
            f"{session.command} asks before it writes, and nobody is there to ask: nothing was changed",
            hint="add --yes to apply what plan shows without being asked",
        )
    answer = streams.ask(f"Apply this? Only {_YES} is a {_YES}: ")
    if answer != _YES:
        reason = f"the answer was '{answer}', not {_YES}" if answer else f"there was no {_YES}"
        logs.remark(f"nothing was changed: {reason}")
    return answer == _YES


def applied(
    session: Session[Settings],
    plan: Plan,
    backend: Backend,
    on_write: OnWrite,
    *,
    stale: Mapping[str, tuple[str, ...]],
) -> Report:
    """Apply ``plan`` as the settings say, with progress on standard error."""
    from asrnet.applying import Options, apply
    from asrnet.cli.progress import following

    settings = session.settings
    options = Options(
        per_vault=settings.parallelism,
        in_all=settings.total_parallelism,
        timeout=settings.operation_timeout,
        forced=frozenset(settings.force),
        stale=stale,
    )
    with (
        following(plan, session) as on_progress,
        timed(backend.clock, on_progress, on_write) as (timed_progress, timed_write),
    ):
        return apply(plan, backend, options, on_progress=timed_progress, on_write=timed_write)


def concluded(
    session: Session[Settings],
    report: Report | None,
    outputs: Outputs,
    *,
    all_pairs: bool = False,
    run: Run | None = None,
) -> int:
    """Write the report and return the exit code. Comes after the backend was closed: a fake world is saved by then."""
    if report is None:
        return exit_codes.ERROR
    report = structs.replace(report, run=session.run)
    outputs.write(report, session.view(all_pairs=all_pairs, run=run or session.so_far()))
    if report.result == "refused":
        for line in report.violations(session.settings.force):
            logs.error(f"refused: {line}")
    is_incomplete = report_unreadable(report)
    code = exit_codes.exit_code(report)
    # To a scheduler what could not be read is drift that remains; to somebody who asked for a change, an error.
    return exit_codes.ERROR if is_incomplete and code == exit_codes.PENDING and session.command != "drift" else code
