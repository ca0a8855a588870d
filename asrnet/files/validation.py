"""The result of ``asrnet validate``: which files are valid, what they declare, and every mistake in the others."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from asrnet.files.problems import Mistake


class CheckedFile(Struct, frozen=True, kw_only=True):
    """A file or folder that was checked; ``contents`` counts what a valid one declares, by noun."""

    path: str
    valid: bool
    contents: Mapping[str, int] = {}


class Validation(Struct, frozen=True, kw_only=True):
    """The files in the order in which they were given, and the mistakes file by file and line by line."""

    format_version: str = "1.0"
    files: tuple[CheckedFile, ...]
    mistakes: tuple[Mistake, ...] = ()
