"""Standard output and error: any name can be printed, and a reader that goes away does no harm."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, TextIO

from asrnet.errors import InputError

_NARROWEST: Final = 20
"""Columns that tables are drawn for at least: a terminal that says it has one cannot mean it."""


def prepare() -> None:
    """Write what the terminal's encoding lacks as escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write(text: str) -> None:
    """Write data to standard output. A reader who has left (``| head``) is no error.

    Raises InputError where standard output cannot be written, such as a file on a full disk.
    """
    if sys.stdout is None:
        raise InputError("standard output is closed", hint="redirect it, for example to /dev/null")
    try:
        _write(sys.stdout, text)
    except OSError as error:
        _discard(sys.stdout)
        raise InputError(f"standard output cannot be written: {error.strerror or error}") from error


def write_error(text: str) -> None:
    """Write what is only for people to standard error; failing to is no error."""
    with suppress(OSError):
        if sys.stderr is not None:
            _write(sys.stderr, text)


def flush() -> None:
    """Write what is still in a buffer, and empty the buffers of streams that cannot be written.

    Python flushes both streams when it ends and turns a failure into exit code 120, whatever the run came to. What
    standard error cannot take is lost; raises InputError where standard output cannot be written.
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
    """The answer to a question put on standard error; empty at the end of input."""
    _write(sys.stderr, question)
    return sys.stdin.readline().strip()


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def width() -> int | None:
    """The columns of the terminal that standard output is; None where it is none."""
    if not _is_terminal(sys.stdout):
        return None
    columns = os.get_terminal_size(sys.stdout.fileno()).columns
    return max(columns, _NARROWEST) if columns else None


def usual_width() -> int:
    """The columns to draw for where there is no terminal: those of COLUMNS, or 120."""
    from shutil import get_terminal_size

    return max(get_terminal_size((120, 24)).columns, _NARROWEST)


def wants_colour(variables: Mapping[str, str], *, on_error: bool = False) -> bool:
    """Whether standard output, or error, is coloured: on terminals, where a variable forces it, never with NO_COLOR."""
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
    """Send what is left nowhere: Python flushes once more at the end, which would complain again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        stream.flush()
