"""The structure of outputs for people: titled sections of rows, drawn as text, terminal tables or Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

Tone = Literal["plain", "create", "update", "delete", "error", "warning", "good", "quiet"]


class Row(Struct, frozen=True):
    """A line of a table, or a sentence if its section has no header; ``details`` are shown below it."""

    cells: tuple[str, ...]
    tone: Tone = "plain"
    details: tuple[str, ...] = ()


class Section(Struct, frozen=True):
    """A titled table, or sentences if it has no header.

    Markdown has no lines below a row: it puts details into a column headed ``details``, or else into the last cell.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    details: str = ""


def sentences(title: str, lines: Iterable[str], tone: Tone = "plain") -> Section:
    """A section of plain sentences."""
    return Section(title, (), tuple(Row((line,), tone) for line in lines))
