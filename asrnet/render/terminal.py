"""Text for terminals, drawn by rich: tables folded to the terminal's width, with colour if enabled.

No word is broken. A table that cannot be drawn without breaking one is drawn row by row, each cell below the other.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    width = console.width
    if section.title:
        _print_lines(console, _lines(section.title, "bold", width))
    if not section.header:
        indent = _INDENT if section.title else 0
        _print_lines(
            console, (line for row in section.rows for line in _lines(row.cells[0], STYLES[row.tone], width, indent))
        )
        return
    available = width - _INDENT
    # From the widest form to the narrowest: as it is, shared regions in the header, folded cells, a cell to a line.
    table = section if _needed(_natural(section)) <= available else _with_regions_in_header(section)
    unbroken = _longest_words(table)
    if _needed(unbroken) > available:
        _print_lines(console, (line for row in section.rows for line in _row_by_cells(section.header, row, width)))
        return
    widths = _fitted(_natural(table), unbroken, available)
    # Details span all columns, which no row of a rich table can, so a table ends at each row that has details.
    styled_rows = [(table.header, "dim")]
    for row in table.rows:
        styled_rows.append((row.cells, STYLES[row.tone]))
        if row.details:
            console.print(_grid(styled_rows, widths))
            styled_rows.clear()
            _print_lines(console, _detail_lines(row, width))
    if styled_rows:
        console.print(_grid(styled_rows, widths))


def _row_by_cells(header: Sequence[str], row: Row, width: int) -> Iterator[Text]:
    """A row as a paragraph: the name and the signs in its first line, then each other cell that is not empty."""
    cells = [(title, cell) for title, cell in zip(header, row.cells, strict=True) if cell]
    titles = [title for title, _ in cells if title]
    first_line = " ".join(cell for title, cell in cells if title in {"", *titles[:1]})
    yield from _lines(first_line, STYLES[row.tone], width, _INDENT)
    column = max(map(cell_len, titles[1:]), default=0) + _GAP
    for title, cell in cells:
        if title in titles[1:]:
            room = width - _CELL_INDENT - column
            if max(map(cell_len, printable(cell).split()), default=0) > room:  # below the name there is more room
                yield from _lines(title, "dim", width, _CELL_INDENT)
                yield from _lines(cell, STYLES[row.tone], width, _DETAIL_INDENT)
                continue
            for number, line in enumerate(_wrapped(printable(cell), room)):
                label = title if number == 0 else ""
                yield Text(" " * _CELL_INDENT).append(label.ljust(column), "dim").append(line, STYLES[row.tone])
    yield from _detail_lines(row, width)


def _detail_lines(row: Row, width: int) -> Iterator[Text]:
    for detail in row.details:
        yield from _lines(detail, "dim", width, _DETAIL_INDENT)


def _lines(text: str, style: str, width: int, indent: int = 0) -> Iterator[Text]:
    """The lines of ``text``, wrapped at ``indent`` and at the blanks that it begins with."""
    content = printable(text)
    indent += len(content) - len(content.lstrip(" "))
    for line in _wrapped(content.strip(" "), width - indent):
        yield Text(" " * indent + line, style=style)


def _print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Print ``lines`` at once, because printing them one by one takes rich three times as long."""
    printed = list(lines)
    if printed:
        console.print(Text("\n").join(printed), no_wrap=True, overflow="ignore", crop=False)


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
    """Parts of ``word`` that are at most ``width`` columns wide: split at slashes, else at hyphens, else anywhere."""
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


def _grid(rows: Iterable[tuple[Sequence[str], str]], widths: Sequence[int]) -> Padding:
    """A table without lines, of the cells of each row in its style."""
    table = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    for width in widths:
        table.add_column(width=width, overflow="fold")
    for cells, style in rows:
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
