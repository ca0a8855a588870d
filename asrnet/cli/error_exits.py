"""The outermost layer of the command line: every exception becomes a message and an exit code."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from asrnet import exit_codes
from asrnet.cli import logs, streams
from asrnet.cli.stopwatch import WATCH
from asrnet.errors import AsrError, CredentialError, DocumentError, InputError, RefusedError, ServiceError

_SOON = 0.05
"""Seconds after which a signal that had no effect is repeated."""


def guarded(argv: Sequence[str] | None) -> int:
    """Run a command line. Errors are reported on standard error, with a traceback only at ``-vv``."""
    streams.prepare()
    logs.configure()
    with _signals_as_interrupts():
        code = _exit_code(sys.argv[1:] if argv is None else list(argv), is_own_process=argv is None)
        try:
            streams.flush()
        except AsrError as error:
            logs.error(error.message, hint=error.hint)
            code = code or exit_codes.ERROR
    return code


def _exit_code(argv: Sequence[str], *, is_own_process: bool) -> int:
    try:
        return _run(argv, is_own_process=is_own_process)
    except InputError as error:
        from asrnet.cli.mistakes import report
        from asrnet.files.problems import separated

        report(separated(error))
        return exit_codes.ERROR
    except AsrError as error:
        is_refused = isinstance(error, RefusedError)
        message = f"refused: {error.message}" if is_refused else error.message
        support = error.for_support if isinstance(error, ServiceError) else ""
        logs.error(message, hint=error.hint, support=support, traceback=logs.wants_tracebacks())
        return exit_codes.REFUSED if is_refused else exit_codes.ERROR
    except KeyboardInterrupt as interrupt:
        logs.error(str(interrupt) or "interrupted")
        return exit_codes.ERROR
    except SystemExit as leaving:  # argparse, after --help
        return leaving.code if isinstance(leaving.code, int) else exit_codes.ERROR
    except Exception as error:  # noqa: BLE001 - the one place that must catch everything
        logs.error(
            f"this is a bug in asrnet: {type(error).__name__}: {error}",
            hint="please report it with the output of the same command with -vv",
            traceback=logs.wants_tracebacks(),
        )
        return exit_codes.ERROR


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Handle SIGTERM and SIGHUP like Ctrl-C: no new change is started, and the changes already started are reported.

    Schedulers end a job with SIGTERM, which the kernel does not deliver to the first process of a container unless it
    has a handler. A terminal sends SIGHUP when it is closed; under nohup it stays ignored.
    """
    # Python sets signal handlers in the main thread only; tests and other programs may run commands in another.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # Windows has no SIGHUP.
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    handlers = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if handlers[number] != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    repeats: list[threading.Timer] = []
    hook = sys.unraisablehook

    def interrupt_again(unraisable: sys.UnraisableHookArgs) -> None:
        # A signal that arrives in a finalizer or a callback raises where Python only prints the exception and goes on.
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            repeats.append(threading.Timer(_SOON, _interrupt_main_thread))
            repeats[-1].daemon = True
            repeats[-1].start()
        else:
            hook(unraisable)

    sys.unraisablehook = interrupt_again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for repeat in repeats:
            repeat.cancel()
        for number, handler in handlers.items():
            if handler is not None:  # None: it was not installed from Python, which cannot restore it
                signal.signal(number, handler)


def _interrupt_main_thread() -> None:
    if hasattr(signal, "pthread_kill"):  # also wakes a waiting thread, for instance at a prompt
        # A process that a shell has put in the background ignores SIGINT.
        is_ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM if is_ignored else signal.SIGINT)
    else:
        _thread.interrupt_main()


def _with_world(hint: str, desired_state: str) -> str:
    """``hint``, and before it how to use ``world.yaml``, if there is one beside the desired state.

    A new terminal lacks the variable that selected the fake Azure of the tutorial, and nobody there has a credential.
    """
    import shlex  # 0.5 ms with the next import, and only this error needs them
    from pathlib import Path

    world = Path(desired_state).with_name("world.yaml")
    if not world.is_file():
        return hint

    backend = shlex.quote(f"fake:{world}")
    return f"for the fake Azure in {world}, add --backend {backend} or export ASRNET_BACKEND={backend}" + (
        f"; for Azure: {hint}" if hint else ""
    )


def _run(argv: Sequence[str], *, is_own_process: bool) -> int:
    from asrnet.cli.arguments import parse

    invocation = parse(argv)
    from asrnet.cli.session import Session

    session = Session.of(invocation)
    WATCH.mark("import")
    if is_own_process and signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # see asrnet.cli.main
    if session.mistakes:
        from asrnet.cli import mistakes

        return mistakes.refuse_run(session, invocation.module)
    try:
        try:
            code: int = invocation.module.run(session)
        finally:
            WATCH.mark("rendering")
            logs.detail(f"time: {WATCH}")
    except (InputError, RefusedError) as error:
        from asrnet.cli import mistakes

        if not session.stage.is_begun:
            return mistakes.refuse_run(session, invocation.module, error)
        if isinstance(error, InputError):
            mistakes.add_sources(error, session)
        if isinstance(error, DocumentError):
            mistakes.write_to_outputs(error, session)
        raise
    except CredentialError as error:
        error.hint = _with_world(error.hint, session.settings.file)
        raise
    return code
