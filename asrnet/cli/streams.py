"""Standard output and error: any name can be printed, and a reader that goes away does no harm."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO

from asrnet.errors import InputError


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
        raise InputError("standard output is closed", hint="send it somewhere, /dev/null if need be")
    try:
        _write(sys.stdout, text)
    except OSError as error:
        _forget(sys.stdout)
        raise InputError(f"standard output cannot be written: {error.strerror or error}") from error


def write_error(text: str) -> None:
    """Write to standard error what is for people only; where that cannot be, nobody is told."""
    with suppress(OSError):
        if sys.stderr is not None:
            _write(sys.stderr, text)


def ask(question: str) -> str:
    """The answer to a question put on standard error; empty at the end of input."""
    _write(sys.stderr, question)
    return sys.stdin.readline().strip()


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)


def width() -> int | None:
    """The columns of the terminal that standard output is; None where it is none."""
    return os.get_terminal_size(sys.stdout.fileno()).columns or None if _is_terminal(sys.stdout) else None


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
        _forget(stream)


def _forget(stream: TextIO) -> None:
    """Send what is left nowhere: Python flushes once more at the end, which would complain again."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
