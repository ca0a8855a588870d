"""Text for terminals, drawn by rich: tables folded to the terminal's width, with colour if enabled.

No word is broken. A table that cannot be drawn without breaking one is drawn row by row, each cell below the other.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.cells import cell_len, chop_cells
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
_CELL_INDENT = 4
_DETAIL_INDENT = 6


def draw(sections: Iterable[Section], *, width: int, colour: bool) -> str:
    """The sections as a terminal shows them, ``width`` columns wide."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=True,
        color_system="standard" if colour else None,
        # The text is captured here and written by ``streams``, so rich must not write to a console of Windows itself.
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
        _print_text(console, section.title, "bold")
    if not section.header:
        for row in section.rows:
            _print_text(console, row.cells[0], STYLES[row.tone], _INDENT if section.title else 0)
        return
    available = console.width - _INDENT
    # From the widest form to the narrowest: as it is, shared regions in the header, folded cells, a cell to a line.
    table = section if _needed(_natural(section)) <= available else _with_regions_in_header(section)
    unbroken = _longest_words(table)
    if _needed(unbroken) > available:
        for row in section.rows:
            _print_row_by_cells(console, section.header, row)
        return
    widths = _fitted(_natural(table), unbroken, available)
    console.print(_line(table.header, widths, "dim"))
    for row in table.rows:
        console.print(_line(row.cells, widths, STYLES[row.tone]))
        _print_details(console, row)


def _print_row_by_cells(console: Console, header: Sequence[str], row: Row) -> None:
    """A row as a paragraph: its name and what has no name, such as signs; then each other cell that is not empty."""
    cells = [(title, cell) for title, cell in zip(header, row.cells, strict=True) if cell]
    titles = [title for title, _ in cells if title]
    _print_text(
        console, " ".join(cell for title, cell in cells if title in {"", *titles[:1]}), STYLES[row.tone], _INDENT
    )
    column = max(map(cell_len, titles[1:]), default=0) + _GAP
    for title, cell in cells:
        if title in titles[1:]:
            room = console.width - _CELL_INDENT - column
            if max(map(cell_len, printable(cell).split()), default=0) > room:  # below the name there is more room
                _print_text(console, title, "dim", _CELL_INDENT)
                _print_text(console, cell, STYLES[row.tone], _DETAIL_INDENT)
                continue
            for number, line in enumerate(_wrapped(printable(cell), room)):
                label = title if number == 0 else ""
                text = Text(" " * _CELL_INDENT).append(label.ljust(column), "dim").append(line, STYLES[row.tone])
                console.print(text, no_wrap=True, overflow="ignore", crop=False)
    _print_details(console, row)


def _print_details(console: Console, row: Row) -> None:
    for detail in row.details:
        _print_text(console, detail, "dim", _DETAIL_INDENT)


def _print_text(console: Console, text: str, style: str, indent: int = 0) -> None:
    """Print ``text``, wrapped at ``indent`` and at the blanks that it begins with."""
    content = printable(text)
    indent += len(content) - len(content.lstrip(" "))
    for line in _wrapped(content.strip(" "), console.width - indent):
        console.print(Text(" " * indent + line, style=style), no_wrap=True, overflow="ignore", crop=False)


def _wrapped(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` columns; what is longer breaks after a slash or a hyphen."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joint = " " if line else ""
        if cell_len(line + joint + word) <= width:
            line += joint + word
            continue
        if line:
            lines.append(line)
        line = ""
        for part in _parts(word, width):
            if cell_len(line + part) <= width:
                line += part
            else:
                lines += [line] if line else []
                line = part
    return [*lines, line]


def _parts(word: str, width: int) -> list[str]:
    """Parts of ``word`` that are at most ``width`` columns wide: those between slashes, then hyphens, then any."""
    if cell_len(word) <= width:
        return [word]
    for separator in "/-":
        parts = re.findall(rf"[^{separator}]*{separator}|[^{separator}]+", word)
        if len(parts) > 1:
            return [piece for part in parts for piece in _parts(part, width)]
    return chop_cells(word, width)


def _with_regions_in_header(section: Section) -> Section:
    """``section`` made narrower: a region that a whole column shares is moved into the column's header."""
    columns = [list(column) for column in zip(section.header, *(row.cells for row in section.rows), strict=True)]
    for column in columns:
        matches = [_REGION.fullmatch(cell) for cell in column[1:]]
        regions = {match["region"] for match in matches if match}
        if column[0] in _NETWORKS and len(regions) == 1:
            column[:] = [
                f"{column[0]} in {regions.pop()}",
                *(match["name"] if match else cell for match, cell in zip(matches, column[1:], strict=True)),
            ]
    header, *rows = zip(*columns, strict=True)
    shown = (Row(cells, row.tone, row.details) for cells, row in zip(rows, section.rows, strict=True))
    return Section(section.title, header, tuple(shown))


def _line(cells: Sequence[str], widths: Sequence[int], style: str) -> Padding:
    # Each line is a table of its own, because details span all columns and no row of rich's tables can.
    table = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for width in widths:
        table.add_column(width=width, overflow="fold")
    table.add_row(*(Text(printable(cell), style=style) for cell in cells))
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
    """``widths`` reduced until they fit, widest columns first, none below the width of its longest word."""
    while _needed(widths) > available:
        between_words = [width if width > least else 0 for width, least in zip(widths, unbroken, strict=True)]
        widths[between_words.index(max(between_words))] -= 1
    return widths
