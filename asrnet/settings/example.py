"""``.env.example``, from the table."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from asrnet.settings import default_of
from asrnet.settings.table import OPTIONS, VARIABLES, Option, Variable

_WIDTH: Final = 110
_HEAD: Final = """\
# Every variable that asrnet reads, with its default. Copy this file to .env, or name it with --env-file.
# The command line wins over the environment, the environment over the file. An empty value is no value.
# Made from asrnet's own table of options; "make docs" rewrites it.
#
# [!] A .env that asrnet finds in the working directory cannot set these: use the environment, or --env-file.
"""


def env_example() -> str:
    """See ``asrnet.settings.env_example``."""
    groups = dict.fromkeys(option.group for option in OPTIONS)
    parts = [_HEAD]
    parts += [_section(group, [_option(option) for option in OPTIONS if option.group == group]) for group in groups]
    parts.append(_section("Signing in", [_variable(variable) for variable in VARIABLES if variable.identity]))
    parts.append(
        _section(
            "Surroundings, from the environment only",
            [_variable(variable) for variable in VARIABLES if not variable.identity],
        )
    )
    return "\n".join(parts)


def _section(title: str, entries: list[str]) -> str:
    return "\n".join([f"# --- {title} ---", *entries]) + "\n"


def _option(option: Option) -> str:
    words = f"{', '.join(option.flags)}: {option.help}"
    if option.choices:
        words += f" ({', '.join(option.choices)})"
    if option.repeatable:
        words += "; several are separated by commas"
    return _entry(words, option.variable, default_of(option), in_dotenv=option.in_dotenv)


def _variable(variable: Variable) -> str:
    return _entry(variable.help, variable.name, "", in_dotenv=not variable.identity)


def _entry(words: str, name: str, value: str, *, in_dotenv: bool) -> str:
    return "\n".join([*_remark(words if in_dotenv else f"[!] {words}"), f"#{name}={value}"])


def _remark(words: str) -> Iterator[str]:
    for line in wrap(words, _WIDTH):
        yield f"# {line}"
