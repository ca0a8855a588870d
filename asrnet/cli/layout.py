"""How ``--help`` is laid out: wrapped to the terminal, with examples and exit codes at the end."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping
from shutil import get_terminal_size
from textwrap import fill, wrap
from types import ModuleType
from typing import Final

_WIDEST: Final = 100
_BRACKETS: Final = re.compile(r"\[[^][]*\]|--\w+ [A-Z]+")
_GLUE: Final = "\0"
_EXITS: Final[Mapping[int, str]] = {0: "done", 1: "an error"}


class Layout(argparse.HelpFormatter):
    """Wraps what is told paragraph by paragraph; lines that begin with a space stay as they are."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=_width())

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(f"{indent}{_paragraph(part, width)}" for part in text.strip().split("\n\n"))


def _paragraph(text: str, width: int) -> str:
    return text if "\n " in text else fill(text, width, break_on_hyphens=False)


def usage(parser: argparse.ArgumentParser) -> str:
    """The command's own arguments, wrapped; its options are told below, and would bury them."""
    words = " ".join(parser.format_usage().removeprefix("usage: ").split()).replace("[-h]", "[options]", 1)
    whole = _BRACKETS.sub(lambda found: found[0].replace(" ", _GLUE), words)
    indent = " " * len(f"usage: {parser.prog} ")
    lines = wrap(f"usage: {whole}", _width(), subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(lines).replace(_GLUE, " ").removeprefix("usage: ").replace("%", "%%")


def commands(words: Mapping[str, str]) -> str:
    """The list of commands, each with what it does."""
    return "\n".join(["commands:", *_table(words), "", "asrnet COMMAND --help tells more of each."])


def ending(module: ModuleType) -> str:
    """The examples and the exit codes of a command's ``module``, which may leave out the codes that all have."""
    shown = [line for command, words in module.EXAMPLES for line in (f"  {command}", *_indented(words, 6))]
    exits = {str(code): words for code, words in exits_of(module).items()}
    return "\n".join(["examples:", *shown, "", "exit codes:", *_table(exits)])


def exits_of(module: ModuleType) -> Mapping[int, str]:
    """The exit codes of a command's ``module``, in order, and what each means."""
    exits = {**_EXITS, **getattr(module, "EXITS", {})}
    return {code: exits[code] for code in sorted(exits)}


def _table(rows: Mapping[str, str]) -> Iterator[str]:
    """Two columns."""
    column = max(map(len, rows)) + 4
    for name, words in rows.items():
        first, *more = _indented(words, column)
        yield f"  {name}".ljust(column) + first.strip()
        yield from more


def _indented(words: str, by: int) -> Iterable[str]:
    return wrap(words, _width(), initial_indent=" " * by, subsequent_indent=" " * by, break_on_hyphens=False)


def _width() -> int:
    return min(get_terminal_size().columns - 2, _WIDEST)
