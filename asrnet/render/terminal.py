"""Text for terminals, drawn by rich: tables folded to the terminal's width, with colour if enabled."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from asrnet.render.sections import Row, Section, Tone
from asrnet.render.wording import printable

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

_NETWORKS: Final = ("Primary", "Recovery")
_REGION: Final = re.compile(r"(?P<name>.+) \((?P<region>[^()]+)\)")
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
    available = console.width - _INDENT
    if _needed(_natural(section)) > available:
        section = _with_regions_in_header(section)
    widths = _fitted(_natural(section), _longest_words(section), available)
    console.print(_line(section.header, widths, "dim"))
    for row in section.rows:
        console.print(_line(row.cells, widths, STYLES[row.tone]))
        for detail in row.details:
            _print_indented(console, detail, "dim", _DETAIL_INDENT)


def _with_regions_in_header(section: Section) -> Section:
    """``section`` made narrower: a region that a whole column shares is moved into the column's header."""
    columns = [list(column) for column in zip(section.header, *(row.cells for row in section.rows), strict=True)]
    for column in columns:
        matches = [_REGION.fullmatch(cell) for cell in column[1:]]
        regions = {match["region"] for match in matches if match}
        if column[0] in _NETWORKS and len(regions) == 1:
            column[:] = [
                f"{column[0]} ({regions.pop()})",
                *(match["name"] if match else cell for match, cell in zip(matches, column[1:], strict=True)),
            ]
    header, *rows = zip(*columns, strict=True)
    shown = (Row(cells, row.tone, row.details) for cells, row in zip(rows, section.rows, strict=True))
    return Section(section.title, header, tuple(shown))


def _print_indented(console: Console, line: str, style: str, indent: int) -> None:
    text = _text(line.lstrip(" "), style)
    text.overflow = "fold"
    console.print(Padding(text, (0, 0, 0, indent + len(line) - len(line.lstrip(" "))), expand=False))


def _line(cells: Sequence[str], widths: Sequence[int], style: str) -> Padding:
    # Each line is a table of its own, because details span all columns and no row of rich's tables can.
    table = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for width in widths:
        table.add_column(width=width, overflow="fold")
    table.add_row(*(_text(cell, style) for cell in cells))
    return Padding(table, (0, 0, 0, _INDENT), expand=False)


def _natural(section: Section) -> list[int]:
    """The width of the widest cell of each column."""
    rows = [section.header, *(row.cells for row in section.rows)]
    return [max(1, *(cell_len(printable(cell)) for cell in column)) for column in zip(*rows, strict=True)]


def _needed(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _longest_words(section: Section) -> list[int]:
    """The width of the longest word of each column."""
    rows = [section.header, *(row.cells for row in section.rows)]
    return [
        max(cell_len(word) for cell in column for word in (printable(cell).split() or [""]))
        for column in zip(*rows, strict=True)
    ]


def _fitted(widths: list[int], unbroken: Sequence[int], available: int) -> list[int]:
    """``widths`` reduced until they fit, widest columns first. Words are broken only if nothing else helps."""
    while _needed(widths) > available and max(widths) > _NARROWEST:
        between_words = [width if width > least else 0 for width, least in zip(widths, unbroken, strict=True)]
        cut = between_words if any(between_words) else widths
        widths[cut.index(max(cut))] -= 1
    return widths


def _text(content: str, style: str) -> Text:
    return Text(printable(content), style=style)
