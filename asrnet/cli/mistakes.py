"""Reports all mistakes in the options, the variables and the files of a run at once.

A command reads a file when it needs it, and stops at the first mistake. Then this module reads all other files of the
run, which it finds by the table of options, so that no command has to collect mistakes itself.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from asrnet import exit_codes
from asrnet.cli import inputs, logs, outputs
from asrnet.cli.session import Session
from asrnet.desired import examine_desired
from asrnet.desired.loading import MISSING
from asrnet.errors import AsrError, DocumentError, InputError, RefusedError
from asrnet.files.atomic import PendingFile
from asrnet.files.problems import NO_FILE, combined_in_order, mistakes_of, raise_any, separated
from asrnet.files.validation import CheckedFile, Validation
from asrnet.settings import Settings, options_of

if TYPE_CHECKING:
    from types import ModuleType

_SHOWN_AT_MOST: Final = 50
_POINTING: Final = frozenset({"github", "sarif"})
"""Formats whose readers expect a file and a line for each problem."""


def refuse_run(session: Session[Settings], module: ModuleType, error: AsrError | None = None) -> int:
    """Report why a run cannot begin: ``error``, and everything else that is wrong. Returns the exit code."""
    in_outputs = [*_in_outputs(session, module)]
    errors = [
        *session.mistakes,
        *in_outputs,
        *_in_sign_in(session),
        *_in_files(session),
        *([error] if error else []),
    ]
    mistakes = [problem for problem in errors if isinstance(problem, InputError)]
    others = {problem.message: problem for problem in errors if not isinstance(problem, InputError)}
    if mistakes:
        # Mistakes about no file come first.
        parts = [mistake for problem in mistakes for mistake in separated(problem)]
        of_all = combined_in_order(sorted(parts, key=lambda mistake: isinstance(mistake, DocumentError)))
        add_sources(of_all, session)
        if not in_outputs:
            write_to_outputs(of_all, session)
        mistakes = [*separated(of_all)]
    report([*mistakes, *others.values()])
    is_refused = any(isinstance(problem, RefusedError) for problem in errors)
    return exit_codes.REFUSED if is_refused else exit_codes.ERROR


def add_sources(error: InputError, session: Session[Settings]) -> None:
    """Add to the hint of each mistake the variables that set the file or the name that the mistake is about.

    Users who did not type a value do not know where it comes from.
    """
    settings = session.settings
    for mistake in (error, *error.others):
        hints = [mistake.hint] if mistake.hint else []
        for option in options_of(session.command):
            source = settings.source(option.name)
            if source == option.spelling or source in mistake.message or option.kind != "text":
                continue
            value = settings.world if option.name == "backend" else getattr(settings, option.name)
            for part in value if isinstance(value, tuple) else (value,):
                text = str(getattr(part, "path", part) or "")
                if text and mistake.message.startswith((f"{text}:", f"{text}/")):
                    is_misplaced = mistake.problem.startswith(NO_FILE) and not mistake.hint.startswith(MISSING)
                    names = f"{source} names {text}"
                    if is_misplaced and not Path(text).is_absolute():
                        # Most likely the run is in another folder than the one for which the variable was set.
                        hints.insert(0, f"{names}: go to its folder, or give its full path")
                    else:
                        hints.append(names)
                elif f"'{text}'" in mistake.message:
                    hints.append(f"'{text}' is the value of {source}")
        mistake.hint = "; ".join(hints)


def write_to_outputs(error: InputError, session: Session[Settings]) -> None:
    """Write mistakes to those of the run's outputs whose formats point at lines of files.

    A workflow that uploads or shows the result of a plan would otherwise show nothing, or the result of an earlier run.
    If an option is wrong, no file is replaced: its path may have been meant for something else.
    """
    has_files_only = all(isinstance(mistake, DocumentError) for mistake in separated(error))
    chosen = tuple(
        output
        for output in session.settings.output
        if output.format in _POINTING and (output.path is None or has_files_only)
    )
    if not chosen:
        return
    mistakes = mistakes_of(error)
    files = dict.fromkeys(mistake.file for mistake in mistakes if mistake.file)
    document = Validation(files=tuple(CheckedFile(path=file, valid=False) for file in files), mistakes=mistakes)
    with outputs.opened(structs.replace(session.settings, output=chosen), "validation") as targets:
        targets.write(document, session.view())


def report(errors: Sequence[AsrError]) -> None:
    """Report errors on standard error, up to a limit. Consecutive ones with the same hint show it once."""
    lines = [
        (f"refused: {error.message}" if isinstance(error, RefusedError) else error.message, error.hint)
        for error in errors
    ]
    if len(lines) == 1:
        message, hint = lines[0]
        logs.error(message, hint=hint, traceback=logs.wants_tracebacks())
        return
    logs.errors(lines[:_SHOWN_AT_MOST])
    if len(lines) > _SHOWN_AT_MOST:
        more = f"and {len(lines) - _SHOWN_AT_MOST} more mistakes"
        logs.error(more, hint="asrnet validate -o json lists up to 1,000")


def _in_outputs(session: Session[Settings], module: ModuleType) -> Iterator[InputError]:
    """What keeps the outputs of the run from being written. Nothing is left behind by the attempt."""
    settings = session.settings
    beside = None
    if hasattr(module, "DOCUMENT") and "output" not in session.unclear:
        try:
            with outputs.opened(settings, module.DOCUMENT) as beside:
                pass
        except InputError as error:
            yield error
    for option in options_of(session.command):
        path = getattr(settings, option.name) if option.writes and option.name != "output" else None
        if not path or option.metavar == "FOLDER":
            continue
        if session.command == "init" and os.path.lexists(path):  # init itself refuses to replace a file
            continue
        try:
            if beside:
                outputs.check_apart(path, settings.source(option.name), beside)
            if option.name == "audit":
                from asrnet.cli.apply_flow import check_audit

                check_audit(settings)
            else:
                PendingFile(path).abandon()
        except InputError as error:
            yield error


def _in_sign_in(session: Session[Settings]) -> Iterator[AsrError]:
    """What is wrong with the options and the variables that say how to sign in to Azure."""
    settings = session.settings
    names = {option.name for option in options_of(session.command)}
    is_offline = settings.world is not None or (session.command == "init" and not settings.vault)
    if "backend" not in names or is_offline or not session.is_complete:
        return
    if not session.unclear & {"backend", "credential"}:
        from asrnet import backends

        try:
            # Whether the endpoint is one of the cloud's can be said only with a correct desired state.
            backends.check(
                structs.replace(settings, endpoint=None), cloud=None if session.command == "init" else "public"
            )
        except AsrError as error:
            yield error


def _in_files(session: Session[Settings]) -> Iterator[AsrError]:
    """What is wrong in the files of the run: first in those that the command line does not name, then in its order."""
    settings = session.settings
    options = options_of(session.command)
    replaced = {
        option.instead_of for option in options if option.name in session.unclear or getattr(settings, option.name)
    }
    order = {name: index for index, name in enumerate(session.arguments)}
    for option in sorted(options, key=lambda option: order.get(option.name, -1)):
        value = settings.world if option.name == "backend" else getattr(settings, option.name)
        read = READERS.get("the world" if option.name == "backend" else option.reads)
        if read is None or option.name in replaced | session.unclear:
            continue
        for path in value if isinstance(value, tuple) else filter(None, [value]):
            if _can_be_read_twice(path):
                try:
                    read(session, path)
                except AsrError as error:
                    yield error


def _can_be_read_twice(path: str) -> bool:
    """Whether ``path`` is neither a pipe nor a device, whose content is gone once the command has read it."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return True
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def _read_desired(session: Session[Any], path: str) -> None:
    settings = session.settings
    # An option that asrnet does not know may have been meant to name the file.
    if not session.is_complete and "file" not in settings.sources and not os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a long name
        return
    if session.command == "validate":
        _validate(session, path)
        return
    desired = inputs.read_desired(session)
    mistakes: list[InputError] = []
    mistakes += inputs.topology_mistakes(desired.topology if desired.topology != settings.topology else None)
    with inputs.collected(mistakes):
        if session.command != "map":
            inputs.selection(settings, desired)
        elif session.is_complete and not session.unclear & {"vault", "primary", "recovery"} and settings.primary:
            from asrnet.cli.commands.map import named_resources

            named_resources(settings, desired)
    raise_any(mistakes)


def _read_topology(_: Session[Settings], path: str) -> None:
    raise_any(inputs.topology_mistakes(path))


def _read_world(_: Session[Settings], path: str) -> None:
    from asrnet.clocks import SimulatedClock
    from asrnet.fake import world_file

    world_file.load(path, clock=SimulatedClock())


def _read_state(session: Session[Settings], path: str) -> None:
    if os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a long name
        _read_world(session, path)


def _read_machines(_: Session[Settings], path: str) -> None:
    from asrnet.failover.machine_list import check_entries

    check_entries(path)


def _read_plan(_: Session[Settings], path: str) -> None:
    from asrnet.cli import apply_flow

    apply_flow.load(path)


def _read_certificate(session: Session[Any], path: str) -> None:
    from asrnet.emulator.trust import trust_of_files

    if session.settings.tls_key:
        trust_of_files(path, session.settings.tls_key).context()


def _validate(session: Session[Any], path: str) -> None:
    if session.settings.worlds:
        _read_world(session, path)
    else:
        examined = examine_desired(path)
        topology = examined.desired.topology if examined.desired else None
        raise_any([*examined.mistakes, *inputs.topology_mistakes(topology)])


READERS: Final[Mapping[str, Callable[[Session[Settings], str], None]]] = {
    "the desired state": _read_desired,
    "the topology": _read_topology,
    "the world": _read_world,
    "the list of machines": _read_machines,
    "the saved plan": _read_plan,
    "a file to validate": _validate,
    "the seed": _read_world,
    "the state": _read_state,
    "the certificate": _read_certificate,
}
"""The reader of each kind of file, by the file's description in the table of options. A reader raises mistakes."""
