"""What every command that writes does with its plan: show, ask, apply with progress and audit, report, exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import structs

from asrnet.cli import exits, logs, streams
from asrnet.cli.outputs import check_apart
from asrnet.cli.stopwatch import WATCH, timed
from asrnet.cli.unread import say_what_is_unread
from asrnet.errors import InputError
from asrnet.model.plan import Plan, load_plan, to_json
from asrnet.render import render

if TYPE_CHECKING:
    from asrnet.applying import AuditEntry, Report
    from asrnet.cli.outputs import Outputs
    from asrnet.cli.session import Session
    from asrnet.ports import Backend
    from asrnet.render import Run

OnWrite = Callable[["AuditEntry"], None]

_YES: Final = "yes"


def load(path: str) -> Plan:
    """A saved plan. Raises InputError where the file holds none, RefusedError where somebody has changed it."""
    try:
        data = _bytes(Path(path))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {why}", hint="make it with: asrnet plan --out PATH") from error
    return load_plan(data, source=path)


def _bytes(path: Path) -> bytes:
    if path.is_char_device():
        raise OSError(0, "it is a device")  # which may never end
    return path.read_bytes()


@contextmanager
def audit(session: Session, beside: Outputs) -> Iterator[OnWrite]:
    """What to call with every write: a JSON line at the end of the audit file, or among the remarks at ``-v``.

    Raises InputError at once where the file cannot be written or is that of an output ``beside``, and at the end where
    lines are missing from it.
    """
    path = session.settings.audit
    if path is None:
        yield lambda entry: logs.detail(f"audit: {_line(entry, session).decode()}")
        return
    check_apart(path, "--audit", beside)
    try:
        stream = Path(path).open("ab", buffering=0)  # noqa: SIM115 - closed below; only opening is an error here
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"--audit: {path} cannot be written: {why}", hint="nothing was changed") from error
    lost: list[OSError] = []

    def write(entry: AuditEntry) -> None:
        line = left = _line(entry, session) + b"\n"
        try:
            while left:
                left = left[stream.write(left) :]
        except OSError as error:
            lost.append(error)
            logs.error(f"--audit: not written: {line.decode().strip()}")

    with stream:
        yield write
    if lost:
        problem = f"--audit: {len(lost)} lines could not be written to {path}: {lost[0].strerror or lost[0]}"
        raise InputError(problem, hint="the changes were made; standard error has the lines")


def _line(entry: AuditEntry, session: Session) -> bytes:
    return to_json(structs.replace(entry, run=session.run))


def carry_out(
    session: Session,
    plan: Plan,
    backend: Backend,
    outputs: Outputs,
    on_write: OnWrite,
    *,
    stale: Mapping[str, tuple[str, ...]] | None = None,
) -> Report | None:
    """Show ``plan``, ask, apply it; None where the user does not want to.

    A plan over a limit is not shown: its report, of which nothing was begun, says all. Raises InputError where there is
    something to write and nobody to ask.
    """
    settings, stale = session.settings, stale or {}
    if over := plan.violations(settings.force):
        from asrnet.drift import refused

        return refused(plan, over)
    if plan.changes:
        backend.expect({change.kind for change in plan.changes})  # beside the reading and the answer of the user
        _show(render(plan, "text", session.view()), outputs, quiet=settings.quiet or settings.yes)
        WATCH.mark("rendering")
        if not settings.yes and any(change.vault not in stale for change in plan.changes) and not _agreed(session):
            return None
        WATCH.mark("answer")
    return applied(session, plan, backend, on_write, stale=stale)


def _agreed(session: Session) -> bool:
    """The user's answer. Raises InputError where nobody is there to give one."""
    if not streams.can_ask():
        raise InputError(
            f"{session.command} asks before it writes, and nobody is there to ask: nothing was changed",
            hint="add --yes to apply what plan shows without being asked",
        )
    answer = streams.ask(f"Apply this? Only {_YES} is a {_YES}: ")
    if answer != _YES:
        said = f"the answer was '{answer}', not {_YES}" if answer else f"there was no {_YES}"
        logs.remark(f"nothing was changed: {said}")
    return answer == _YES


def concluded(
    session: Session, report: Report | None, outputs: Outputs, *, all_pairs: bool = False, run: Run | None = None
) -> int:
    """Write the report and return the exit code. Comes after the backend was closed: a fake world is saved by then."""
    if report is None:
        return exits.ERROR
    report = structs.replace(report, run=session.run)
    outputs.write(report, session.view(all_pairs=all_pairs, run=run or session.so_far()))
    if report.result == "refused":
        for line in report.violations(session.settings.force):
            logs.error(f"refused: {line}")
    unread = say_what_is_unread(report)
    code = exits.of_report(report)
    # To a scheduler what could not be read is drift that remains; to somebody who asked for a change, an error.
    return exits.ERROR if unread and code == exits.PENDING and session.command != "drift" else code


def _show(text: str, outputs: Outputs, *, quiet: bool) -> None:
    """The plan goes where the report will go, if that is text; else only to somebody who is to be asked."""
    if outputs.printed == "text":
        streams.write(f"{text}\n")
    elif not quiet:
        streams.write_error(f"{text}\n")


def applied(
    session: Session, plan: Plan, backend: Backend, on_write: OnWrite, *, stale: Mapping[str, tuple[str, ...]]
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
    with following(plan, session) as on_progress, timed(backend.clock, on_progress, on_write) as (progressed, written):
        return apply(plan, backend, options, on_progress=progressed, on_write=written)
