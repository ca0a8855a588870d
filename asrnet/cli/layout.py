"""The layout of ``--help``: wrapped to the terminal, with examples and exit codes at the end."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from shutil import get_terminal_size
from textwrap import fill, wrap
from types import ModuleType
from typing import Final

from asrnet.settings import Option

_WIDEST: Final = 100
_NARROWEST: Final = 40
"""The minimum width: COLUMNS may have any value, and argparse fails if a word does not fit."""
_TWO_COLUMNS: Final = 64
"""The minimum width for help texts beside the options instead of below them."""
_EXITS: Final[Mapping[int, str]] = {0: "done", 1: "an error"}
_GLUE: Final = "\0"


class Layout(argparse.HelpFormatter):
    """Wraps text paragraph by paragraph, except paragraphs with indented lines."""

    def __init__(self, prog: str) -> None:
        # In a narrow terminal, the column beside the options is too small for the names of variables, which must not
        # break.
        super().__init__(prog, max_help_position=26 if _width() >= _TWO_COLUMNS else 6, width=_width())

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrap(text, width, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.strip().split("\n\n")
        return "\n\n".join(
            indent + (part if "\n " in part else fill(part, width, break_on_hyphens=False)) for part in paragraphs
        )


def usage(command: str, options: Iterable[Option]) -> str:
    """The usage line, with the arguments and options that only this command has. The shared ones would bury them."""
    alternatives: dict[str, list[str]] = {}
    for option in sorted(options, key=lambda option: not option.positional):
        value = "" if option.kind == "flag" else option.metavar or "|".join(option.choices)
        if option.positional and option.repeatable:
            value += " ..."
        text = f"{option.flag} {f'[{value}]' if option.bare is not None else value}".strip()
        # The glue keeps an option and its value on one line, if a line has room for both.
        texts = alternatives.setdefault(option.alternative or option.name, [])
        glue = _GLUE if _width() >= _TWO_COLUMNS else " "
        texts.append((text if option.required else f"[{text}]").replace(" ", glue))
    shown = [
        f"[{' | '.join(text[1:-1] for text in texts)}]" if texts[1:] else texts[0] for texts in alternatives.values()
    ]
    line = " ".join([f"usage: asrnet {command} [options]", *shown])
    indent = " " * (len(f"usage: asrnet {command} ") if _width() >= _TWO_COLUMNS else 4)
    lines = wrap(line, _width(), subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines).replace(_GLUE, " ").removeprefix("usage: ").replace("%", "%%")


def commands(descriptions: Mapping[str, str]) -> str:
    """The list of commands, each with what it does."""
    return "\n".join(["commands:", *_table(descriptions), "", "See asrnet COMMAND --help for each command."])


def ending(module: ModuleType) -> str:
    """The examples and exit codes of a command's ``module``, which lists only the codes that differ from the usual."""
    examples = [line for command, text in module.EXAMPLES for line in (f"  {command}", *_indented(text, 6))]
    exits = {str(code): text for code, text in exits_of(module).items()}
    return "\n".join(["examples:", *examples, "", "exit codes:", *_table(exits)])


def exits_of(module: ModuleType) -> Mapping[int, str]:
    """The exit codes of a command's ``module``, in order, and what each means."""
    exits = {**_EXITS, **getattr(module, "EXITS", {})}
    return {code: exits[code] for code in sorted(exits)}


def _table(rows: Mapping[str, str]) -> Iterator[str]:
    column = max(map(len, rows)) + 4
    for name, text in rows.items():
        first, *more = _indented(text, column)
        yield f"  {name}".ljust(column) + first.strip()
        yield from more


def _indented(text: str, by: int) -> Iterable[str]:
    return wrap(text, _width(), initial_indent=" " * by, subsequent_indent=" " * by, break_on_hyphens=False)


def _width() -> int:
    return max(_NARROWEST, min(get_terminal_size().columns - 2, _WIDEST))
