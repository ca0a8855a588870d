"""The steps that all writing commands share: show the plan, ask, apply with progress and audit, report, exit code."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import structs

from asrnet import exit_codes
from asrnet.cli import logs, streams
from asrnet.cli.outputs import check_apart
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH, timed
from asrnet.cli.unreadable import report_unreadable
from asrnet.errors import DocumentError, InputError
from asrnet.files.atomic import writing_advice
from asrnet.model.plan import Plan, decode, load_plan, to_json
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
    """Load a saved plan. Raises DocumentError about everything in it that is wrong, RefusedError if it was edited."""
    from asrnet.files.problems import missing, reading_advice

    hint = "save a plan with: asrnet plan --out PLANFILE"
    try:
        is_device = Path(path).is_char_device()  # a device may never reach its end
        data = b"" if is_device else Path(path).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a long name
            why, hint = "it is a folder, expected a saved plan", f"a desired state is given with -f PATH; or {hint}"
        problem = missing(path) if isinstance(error, FileNotFoundError) else f"cannot be read: {why}"
        raise DocumentError(problem, file=path, hint=reading_advice(error) or hint) from error
    if is_device:
        raise DocumentError("cannot be read: it is a device", file=path, hint=hint)
    try:
        return load_plan(data, source=path)
    except DocumentError as error:
        from asrnet.desired import examine_desired
        from asrnet.desired.loading import WORLD
        from asrnet.files.problems import raise_any

        raise_any(_mistakes_in_plan(data, error))
        examined = examine_desired(path)
        is_world = any(mistake.problem.startswith(WORLD) for mistake in examined.mistakes)
        if is_world:
            what, hint = WORLD, "a world is given with --backend fake:FILE"
        elif examined.desired is not None or Path(path).suffix.lower() in {".yaml", ".yml"}:  # plans are JSON
            what, hint = "this is a desired state", "a desired state is given with -f PATH: asrnet apply -f PATH"
        else:
            raise
        raise DocumentError(f"{what}, expected a saved plan", file=path, hint=hint) from error


def _mistakes_in_plan(data: bytes, first: DocumentError) -> Iterator[DocumentError]:
    """Every mistake in the values of a saved plan; none if ``first`` is about something else."""
    from asrnet.files.problems import path_text, problems
    from asrnet.files.yaml import LineNumbers

    if not isinstance(first.__cause__, msgspec.ValidationError):
        return
    try:
        plain = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # after the wrong value it is not even JSON
        return
    if not isinstance(plain, dict) or not isinstance(plain.get("format_version"), str):
        return
    lines = LineNumbers(data.decode(), first.file)
    convert = partial(msgspec.convert, dec_hook=decode)
    for problem in problems(plain, Plan, convert):
        line, column = lines.nearest(problem.path)
        yield DocumentError(
            f"not a saved plan: {problem.message}",
            file=first.file,
            line=line,
            column=column,
            path=path_text(problem.path),
            hint=problem.hint or first.hint,
        )


@contextmanager
def audit(session: Session[Settings], beside: Outputs) -> Iterator[OnWrite]:
    """Yield the function to call with each write. It appends a line to the audit file; without a file, ``-v`` logs it.

    Raises InputError on entry if the file cannot be written or if one of the outputs ``beside`` goes to the same file,
    and on exit if lines could not be written.
    """
    path = session.settings.audit
    if path is None:
        yield lambda entry: logs.detail(f"audit: {_audit_line(entry, session).decode()}")
        return
    source = session.settings.source("audit")
    check_apart(path, source, beside)
    stream = _opened(path, source)
    failures: list[OSError] = []

    def write(entry: AuditEntry) -> None:
        # Unbuffered, so that a line is in the file when the next write to Azure begins, whatever happens then. One call
        # may write less than it was given.
        line = unwritten = _audit_line(entry, session) + b"\n"
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
        raise InputError(problem, hint="the changes were made; standard error shows the missing lines")


def check_audit(settings: Settings) -> None:
    """Raise InputError if the audit file cannot be written. A file that did not exist is removed again."""
    path = settings.audit
    if path is None:
        return
    is_new = not os.path.lexists(path)
    if not is_new and Path(path).is_fifo():  # opening a pipe waits for its reader
        return
    _opened(path, settings.source("audit")).close()
    if is_new:
        Path(path).unlink(missing_ok=True)


def _opened(path: str, source: str) -> FileIO:
    try:
        return Path(path).open("ab", buffering=0)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        hint = f"nothing was changed; {writing_advice(path, error)}"
        raise InputError(f"{source}: {path} cannot be written: {why}", hint=hint) from error


def _audit_line(entry: AuditEntry, session: Session[Settings]) -> bytes:
    return to_json(structs.replace(entry, run=session.run))


def confirm_and_apply(
    session: Session[Settings],
    plan: Plan,
    backend: Backend,
    outputs: Outputs,
    on_write: OnWrite,
    *,
    stale: Mapping[str, tuple[str, ...]] | None = None,
) -> Report | None:
    """Show ``plan``, ask for confirmation and apply it. Returns None if the user declines.

    A plan that exceeds a limit is neither shown nor applied: the returned report contains the plan and the refusals.
    Raises InputError if there is something to write and no terminal to ask on.
    """
    settings, stale = session.settings, stale or {}
    if violations := plan.violations(settings.force):
        from asrnet.drift import refused_report

        return refused_report(plan, violations)
    # If every vault of the plan is stale, the report says all there is to say.
    if any(change.vault not in stale for change in plan.changes):
        # The modules that writing needs are imported in the background while the user reads the plan.
        backend.expect({change.kind for change in plan.changes})
        text = f"{render(plan, 'text', session.view())}\n"
        if outputs.printed == "text":
            streams.write(text)
        elif not (settings.quiet or settings.yes):
            # Standard output has another format, so the plan goes to standard error, and only if a question follows.
            streams.write_error(text)
        WATCH.mark("rendering")
        if not settings.yes and not _confirmed(session):
            return None
        WATCH.mark("answer")
    return apply_plan(session, plan, backend, on_write, stale=stale)


def _confirmed(session: Session[Settings]) -> bool:
    """Ask for confirmation. Raises InputError without a terminal."""
    if not streams.can_ask():
        raise InputError(
            f"{session.command} asks before it writes, and there is no terminal to ask on: nothing was changed",
            hint="add --yes to apply the plan without being asked",
        )
    try:
        answer = streams.ask(f"Apply this? Only {_YES} is a {_YES}: ")
    except KeyboardInterrupt:
        streams.write_error("\n")  # the terminal has printed ^C behind the question
        raise KeyboardInterrupt("interrupted: nothing was changed") from None
    if answer != _YES:
        reason = f"the answer was '{answer}', not {_YES}" if answer else "there was no answer"
        logs.remark(f"nothing was changed: {reason}")
    return answer == _YES


def apply_plan(
    session: Session[Settings],
    plan: Plan,
    backend: Backend,
    on_write: OnWrite,
    *,
    stale: Mapping[str, tuple[str, ...]],
) -> Report:
    """Apply ``plan`` with the options of the session's settings, and show progress on standard error."""
    from asrnet.applying import Options, apply
    from asrnet.cli.progress import show_progress

    settings = session.settings
    options = Options(
        per_vault=settings.parallelism,
        in_all=settings.total_parallelism,
        timeout=settings.operation_timeout,
        forced=frozenset(settings.force),
        stale=stale,
    )
    begun = structs.replace(plan, changes=tuple(change for change in plan.changes if change.vault not in stale))
    with (
        show_progress(begun, session) as on_progress,
        timed(backend.clock, on_progress, on_write) as (timed_progress, timed_write),
    ):
        return apply(plan, backend, options, on_progress=timed_progress, on_write=timed_write)


def finish(
    session: Session[Settings],
    report: Report | None,
    outputs: Outputs,
    *,
    all_pairs: bool = False,
    run: Run | None = None,
) -> int:
    """Write the report and return the exit code. Call it after the backend is closed, which saves a fake world."""
    if report is None:
        return exit_codes.ERROR
    report = structs.replace(report, run=session.run)
    outputs.write(report, session.view(all_pairs=all_pairs, run=run or session.so_far()))
    if report.result == "refused":
        for line in report.violations(session.settings.force):
            logs.error(f"refused: {line}")
    is_incomplete = report_unreadable(report)
    code = exit_codes.exit_code(report)
    # In a scheduled drift run, what could not be read counts as remaining drift. In other commands it is an error.
    return exit_codes.ERROR if is_incomplete and code == exit_codes.PENDING and session.command != "drift" else code
