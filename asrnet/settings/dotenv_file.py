"""A file of variables (``NAME=value`` lines). Problems name the line and never show a value."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from asrnet.errors import InputError

_LIMIT: Final = 1024 * 1024


class DotenvFile(Struct, frozen=True, kw_only=True):
    """The variables of a file. ``trusted``: it was named on purpose, so it may set everything."""

    path: str = ""
    values: Mapping[str, str] = {}
    trusted: bool = False
    problems: tuple[str, ...] = ()


NO_FILE: Final = DotenvFile()


def load(path: str, *, trusted: bool = False) -> DotenvFile:
    """The variables in the file ``path``.

    Raises InputError where a file that was named is missing or has errors. A ``.env`` that was merely found may be
    meant for other tools: what cannot be read there is left out and noted in ``problems``.
    """
    try:
        text = _text(path)
    except FileNotFoundError as error:
        if trusted:
            raise InputError(f"{path}: the file of variables does not exist") from error
        return NO_FILE
    except (OSError, ValueError) as error:
        problems = [f"{path}: the file of variables cannot be read: {getattr(error, 'strerror', None) or error}"]
        values: dict[str, str] = {}
    else:
        values, problems = _parsed(text, path)
    if trusted and problems:
        raise InputError(problems[0])
    return DotenvFile(path=path, values=values, trusted=trusted, problems=tuple(problems))


def _text(path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - a path that no file can have must be a ValueError here
        data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise ValueError(f"it is larger than {_LIMIT:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error


def _parsed(text: str, path: str) -> tuple[dict[str, str], list[str]]:
    from dotenv.parser import parse_stream  # 30 ms, for those who have such a file

    values: dict[str, str] = {}
    problems = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            problems.append(f"{path}:{binding.original.line}: expected NAME=value; the line is left out")
        elif binding.key and binding.value is not None:
            values[binding.key] = binding.value
    return values, problems
