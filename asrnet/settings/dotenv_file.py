"""Reading a file of variables (``NAME=value`` lines). Messages name the line but never show a value."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

_LIMIT: Final = 1024 * 1024
HINT: Final = "name a file with a NAME=value in each line"
"""What to do about the problems of a file that was named."""


class DotenvFile(Struct, frozen=True, kw_only=True):
    """The variables of a file. If it is ``trusted``, because the user named it, it may set every option."""

    path: str = ""
    values: Mapping[str, str] = {}
    trusted: bool = False
    problems: tuple[str, ...] = ()


NO_FILE: Final = DotenvFile()


def load(path: str, *, trusted: bool = False) -> DotenvFile:
    """The variables in the file ``path``, and in ``problems`` what is wrong with it. A faulty line is skipped.

    A ``.env`` in the working directory need not exist, and may be meant for other tools.
    """
    values: dict[str, str] = {}
    try:
        text = _text(path, trusted=trusted)
    except FileNotFoundError:
        if not trusted:
            return NO_FILE
        problems = [f"{path}: the file of variables does not exist"]
    except (OSError, ValueError) as error:
        problems = [f"{path}: the file of variables cannot be read: {getattr(error, 'strerror', None) or error}"]
    else:
        values, problems = _parsed(text, path)
    return DotenvFile(path=path, values=values, trusted=trusted, problems=tuple(problems))


def _text(path: str, *, trusted: bool) -> str:
    # Reading a pipe that happens to be there could block forever; one that was named may be a shell's process
    # substitution.
    if not trusted and stat.S_ISFIFO(os.stat(path).st_mode):  # noqa: PTH116 - as below
        raise ValueError("it is a pipe")
    with open(path, "rb") as file:  # noqa: PTH123 - open() raises ValueError for an impossible path, as handled above
        data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise ValueError(f"it is larger than {_LIMIT:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error


def _parsed(text: str, path: str) -> tuple[dict[str, str], list[str]]:
    from dotenv.parser import parse_stream  # takes 30 ms to import, so only if there is a file

    values: dict[str, str] = {}
    problems = []
    for binding in parse_stream(io.StringIO(text)):
        # If ASRNET_PAIR without a value were ignored silently, the run would work on all pairs. A line of another tool
        # may have no value.
        has_no_value = binding.value is None and (binding.key or "").startswith("ASRNET_")
        if binding.error or has_no_value:
            problems.append(f"{path}:{binding.original.line}: expected NAME=value; the line is ignored")
        elif binding.key and binding.value is not None:
            values[binding.key] = binding.value
    return values, problems
