"""``.env.example``, from the table."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import Final

from asrnet.settings.table import MODULES, VARIABLES, Option, Variable, all_options

_WIDTH: Final = 110
_HEAD: Final = """\
# Every variable that asrnet reads, with its default. Copy this file to .env, or name it with --env-file.
# The command line takes precedence over the environment, and the environment over the file. Empty values are ignored.
# Generated from asrnet's table of options by "make docs".
#
# [!] A .env in the working directory cannot set these variables: use the environment, or --env-file.
"""


def env_example() -> str:
    """See ``asrnet.settings.env_example``."""
    options = [option for option in all_options() if option.variable]
    sections: dict[str, list[str]] = {}
    for option in options:
        if option.group:
            sections.setdefault(option.group, []).append(_option(option))
    for command in MODULES:
        lines = [_option(option) for option in options if option.commands == (command,) and not option.group]
        if lines:
            sections[f"asrnet {command}"] = lines
    sections["Signing in"] = _variables(variable for variable in VARIABLES if variable.identity)
    sections["Surroundings, from the environment only"] = _variables(
        variable for variable in VARIABLES if not variable.identity
    )
    return "\n".join([_HEAD, *("\n".join([f"# --- {title} ---", *lines, ""]) for title, lines in sections.items())])


def _option(option: Option) -> str:
    text = f"{', '.join(option.flags)}: {option.help}"
    if option.metavar in {"SECONDS", "MILLISECONDS"}:
        text += f", in {option.metavar.lower()}"
    if option.choices:
        text += f" ({', '.join(option.choices)})"
    if option.repeatable:
        text += "; several are separated by commas"
    return _entry(f"[!] {text}" if option.barred else text, option.variable, option.default_text)


def _variables(variables: Iterable[Variable]) -> list[str]:
    return [
        _entry(f"[!] {variable.help}" if variable.identity else variable.help, variable.name) for variable in variables
    ]


def _entry(text: str, name: str, value: str = "") -> str:
    return "\n".join([*(f"# {line}" for line in wrap(text, _WIDTH)), f"#{name}={value}"])
