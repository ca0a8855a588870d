"""Text for people: aligned plain lines, or tables fitted to the width of a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from asrnet.render import layout
from asrnet.render.sections import Section
from asrnet.render.wording import printable, without_commands

if TYPE_CHECKING:
    from asrnet.render import Document, View


def render(document: Document, view: View) -> str:
    """``document`` as text, fitted to ``view.width`` if there is a terminal."""
    sections = layout.sections(document, view)
    if view.width is not None:
        from asrnet.render import terminal

        return without_commands(terminal.draw(sections, width=view.width, colour=view.colour))
    return without_commands(draw(sections))


def draw(sections: Iterable[Section]) -> str:
    """The sections as plain lines with aligned columns and escaped control characters."""
    return "\n".join("".join(f"{line}\n" for line in _lines(section)) for section in sections)


def _lines(section: Section) -> Iterator[str]:
    if section.title:
        yield printable(section.title)
    if not section.header:
        indent = "  " if section.title else ""
        yield from (indent + printable(row.cells[0]) for row in section.rows)
        return
    rows = [tuple(printable(cell) for cell in row.cells) for row in section.rows]
    widths = [max(map(len, column)) for column in zip(section.header, *rows, strict=True)]
    yield _aligned(section.header, widths)
    for row, cells in zip(section.rows, rows, strict=True):
        yield _aligned(cells, widths)
        yield from (f"      {printable(detail)}" for detail in row.details)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return ("  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))).rstrip()
