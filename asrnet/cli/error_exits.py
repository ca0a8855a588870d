"""The outer edge: whatever happens inside becomes a message and an exit code."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from asrnet.cli import exits, logs, streams
from asrnet.cli.stopwatch import WATCH
from asrnet.errors import AsrError, RefusedError


def guarded(argv: Sequence[str] | None) -> int:
    """Run a command line; errors are told on standard error, with a traceback only at ``-vv``."""
    streams.prepare()
    logs.configure()
    try:
        with _terminable():
            return _run(sys.argv[1:] if argv is None else list(argv))
    except RefusedError as error:
        _tell(error, "refused")
        return exits.REFUSED
    except AsrError as error:
        _tell(error, "")
        return exits.ERROR
    except KeyboardInterrupt:
        logs.error("interrupted")
        return exits.ERROR
    except SystemExit as leaving:  # argparse, after --help
        return leaving.code if isinstance(leaving.code, int) else exits.ERROR
    except Exception as error:  # noqa: BLE001 - the one place where nothing may pass
        logs.error(
            f"this is a bug in asrnet: {type(error).__name__}: {error}",
            hint="please report it, with what the same command prints with -vv",
            traceback=logs.wants_tracebacks(),
        )
        return exits.ERROR


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM, with which schedulers end a job, does what Ctrl-C does: nothing more is begun, and what was is told.

    As the first process of a container asrnet would not even hear of it otherwise.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(argv: Sequence[str]) -> int:
    from asrnet.cli.arguments import parse
    from asrnet.cli.session import Session

    invocation = parse(argv)
    session = Session.of(invocation)
    WATCH.mark("import")
    try:
        code: int = invocation.module.run(session)
    finally:
        WATCH.mark("rendering")
        logs.detail(f"time: {WATCH}")
    return code


def _tell(error: AsrError, kind: str) -> None:
    message = f"{kind}: {error.message}" if kind else error.message
    logs.error(message, hint=error.hint, traceback=logs.wants_tracebacks())
