"""Text for terminals, drawn by rich: tables folded to the width there is, coloured where wanted."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asrnet.render.sections import Row, Section, Tone
from asrnet.render.wording import harmless

STYLES: Final[Mapping[Tone, str]] = {
    "plain": "",
    "create": "green",
    "update": "yellow",
    "delete": "red",
    "error": "red",
    "warning": "yellow",
    "good": "green",
    "quiet": "dim",
}

_GAP = 2
_INDENT = 2
_DETAIL_INDENT = 6
_NARROWEST = 4


def draw(sections: Iterable[Section], *, width: int, colour: bool) -> str:
    """The sections as a terminal shows them, ``width`` columns wide."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=True,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    with console.capture() as captured:
        for number, section in enumerate(sections):
            if number:
                console.print()
            _print(console, section)
    return captured.get()


def _print(console: Console, section: Section) -> None:
    if section.title:
        console.print(_text(section.title, "bold"))
    if not section.header:
        for row in section.rows:
            _print_indented(console, row.cells[0], STYLES[row.tone], _INDENT if section.title else 0)
        return
    widths = _widths([section.header, *(row.cells for row in section.rows)], console.width - _INDENT)
    console.print(_line(section.header, widths, "dim"))
    for row in section.rows:
        _print_row(console, row, widths)


def _print_row(console: Console, row: Row, widths: Sequence[int]) -> None:
    console.print(_line(row.cells, widths, STYLES[row.tone]))
    for detail in row.details:
        _print_indented(console, detail, "dim", _DETAIL_INDENT)


def _print_indented(console: Console, line: str, style: str, indent: int) -> None:
    text = _text(line.lstrip(" "), style)
    text.overflow = "fold"
    console.print(Padding(text, (0, 0, 0, indent + len(line) - len(line.lstrip(" "))), expand=False))


def _line(cells: Sequence[str], widths: Sequence[int], style: str) -> Padding:
    # A table a line, because rich's tables have no lines across their columns, which the details are.
    table = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for width in widths:
        table.add_column(width=width, overflow="fold")
    table.add_row(*(_text(cell, style) for cell in cells))
    return Padding(table, (0, 0, 0, _INDENT), expand=False)


def _widths(rows: Sequence[Sequence[str]], available: int) -> list[int]:
    """As wide as the widest cell, the widest columns cut back until all fit."""
    widths = [max(1, *(cell_len(harmless(cell)) for cell in column)) for column in zip(*rows, strict=True)]
    excess = sum(widths) + _GAP * (len(widths) - 1) - available
    while excess > 0 and max(widths) > _NARROWEST:
        widest = widths.index(max(widths))
        others = [width for width in widths if width < widths[widest]]
        cut = min(excess, widths[widest] - max([_NARROWEST, *others]), excess)
        widths[widest] -= max(1, cut)
        excess -= max(1, cut)
    return widths


def _text(content: str, style: str) -> Text:
    return Text(harmless(content), style=style)
