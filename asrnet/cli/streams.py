"""Standard output and error, made robust: any character can be printed, and a closed pipe is no error."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, TextIO

from asrnet.errors import InputError

_NARROWEST: Final = 20
"""The minimum width of tables in columns: some terminals report a width of 1."""


def prepare() -> None:
    """Make characters that the terminal's encoding lacks print as escapes instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write(text: str) -> None:
    """Write data to standard output. A reader that has closed the pipe (``| head``) is no error.

    Raises InputError if standard output cannot be written, such as a file on a full disk.
    """
    if sys.stdout is None:
        raise InputError("standard output is closed", hint="redirect it, for example to /dev/null")
    try:
        _write(sys.stdout, text)
    except OSError as error:
        _discard(sys.stdout)
        raise InputError(
            f"standard output cannot be written: {error.strerror or error}",
            hint="what was printed is not complete; make room there, or redirect it elsewhere",
        ) from error


def write_error(text: str) -> None:
    """Write text for people to standard error, ignoring failures."""
    with suppress(OSError):
        if sys.stderr is not None:
            _write(sys.stderr, text)


def flush() -> None:
    """Flush both streams, and discard the buffers of those that cannot be written.

    Otherwise Python flushes them at exit and turns a failure into exit code 120, whatever the run's own code is. Raises
    InputError if standard output cannot be written; failures of standard error are ignored.
    """
    if sys.stdout is not None:
        write("")
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            _discard(stream)


def ask(question: str) -> str:
    """Ask a question on standard error and return the answer, which is empty at the end of input."""
    _write(sys.stderr, question)
    return sys.stdin.readline().strip()


def can_ask() -> bool:
    """Whether a question can be asked: standard input and error are terminals."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def width() -> int | None:
    """The columns of standard output's terminal, or None if it is not a terminal."""
    return _width(sys.stdout)


def error_width() -> int | None:
    """The columns of standard error's terminal, or None if it is not a terminal."""
    return _width(sys.stderr)


def _width(stream: TextIO | None) -> int | None:
    if stream is None or not _is_terminal(stream):
        return None
    columns = os.get_terminal_size(stream.fileno()).columns
    return max(columns, _NARROWEST) if columns else None


def usual_width() -> int:
    """The columns to draw for without a terminal: the value of COLUMNS, or 120."""
    from shutil import get_terminal_size

    return max(get_terminal_size((120, 24)).columns, _NARROWEST)


def wants_colour(variables: Mapping[str, str], *, on_error: bool = False) -> bool:
    """Whether standard output (or error) is coloured: on terminals or if a variable forces it, never with NO_COLOR."""
    if "NO_COLOR" in variables:
        return False
    forced = any(variables.get(name, "0") != "0" for name in ("FORCE_COLOR", "CLICOLOR_FORCE"))
    return forced or _is_terminal(sys.stderr if on_error else sys.stdout)


def progress_on_terminal() -> bool:
    """Whether standard error is a terminal."""
    return _is_terminal(sys.stderr)


def _is_terminal(stream: TextIO | None) -> bool:
    with suppress(ValueError):  # closed
        return stream is not None and stream.isatty()
    return False


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _discard(stream)


def _discard(stream: TextIO) -> None:
    """Redirect ``stream`` to the null device, because Python flushes it again at exit and would fail again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        stream.flush()
