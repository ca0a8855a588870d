"""The rows of the table, and how they are drawn: in columns for a terminal, in Markdown for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

COLUMNS = (
    *("work", "program", "wall s", "CPU s", "emulator's CPU s", "peak MB"),
    *("requests", "per mapping", "chain", "to floor", "to asrnet"),
)
_TEXTS = frozenset({0, 1, COLUMNS.index("requests")})


class Row(Struct, frozen=True, kw_only=True):
    """One measurement. None: not measured, or without meaning. ``floor`` and ``asrnet`` are the times to compare with.

    ``note`` replaces the figures of a program that was not run.
    """

    work: str
    program: str
    wall: float | None = None
    cpu: float | None = None
    emulator_cpu: float | None = None
    megabytes: float | None = None
    methods: Mapping[str, int] = {}
    mappings: int | None = None
    chain: int | None = None
    floor: float | None = None
    asrnet: float | None = None
    note: str = ""


def cells(row: Row) -> list[str]:
    """The texts of a row, one for each column."""
    if row.note:
        return [row.work, row.program, row.note, *[""] * (len(COLUMNS) - 3)]
    total = sum(row.methods.values())
    return [
        row.work,
        row.program,
        _number(row.wall, 2),
        _number(row.cpu, 2),
        _number(row.emulator_cpu, 2),
        _number(row.megabytes, 0),
        ", ".join(f"{count} {method}" for method, count in sorted(row.methods.items()) if count),
        _number(total / row.mappings, 2) if row.mappings and total else "",
        _number(row.chain, 0),
        _ratio(row.wall, row.floor),
        _ratio(row.wall, row.asrnet),
    ]


def columns(rows: Sequence[Row]) -> str:
    """The table for a terminal."""
    lines = [list(COLUMNS), *map(cells, rows)]
    # A note may run over the empty columns behind it.
    sized = [line for line in lines if any(line[3:])]
    widths = [max(len(line[index]) for line in (lines if index < 2 else sized)) for index in range(len(COLUMNS))]
    texts = [
        "  ".join(text.ljust(width) if index in _TEXTS else text.rjust(width) for index, (text, width) in found)
        for found in ([*enumerate(zip(line, widths, strict=True))] for line in lines)
    ]
    return "\n".join(text.rstrip() for text in texts)


def markdown(rows: Sequence[Row]) -> str:
    """The same as a table of Markdown."""
    lines = [list(COLUMNS), ["---", "---", *["---:"] * (len(COLUMNS) - 2)], *map(cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _ratio(value: float | None, other: float | None) -> str:
    return "" if value is None or not other else f"{value / other:.2f}x"
