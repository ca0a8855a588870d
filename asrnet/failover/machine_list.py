"""Lists of machines, as YAML, JSON or CSV: ``name,primary_network,subnet,ip,ip_type``, a row per NIC or address.

Here the form is checked: columns, cells, files. What the rows say is checked in ``machine_rows``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from asrnet.errors import DocumentError
from asrnet.failover.machine_rows import Entry, MachineRow, machines_of_entries
from asrnet.failover.machines import Machine
from asrnet.failover.names import NetworkNames
from asrnet.files import yaml as documents
from asrnet.files.problems import did_you_mean

COLUMNS: Final = ("name", "primary_network", "subnet", "ip", "ip_type")
"""The columns a CSV list must have; the cells after the second may be empty."""

_ALL_COLUMNS = MachineRow.__struct_fields__
_HEADER_HINT = f"the first line names the columns, with commas between them: {','.join(COLUMNS)}"


class _MachineList(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    machines: list[MachineRow]
    version: int = 1


def parse_machines(text: str, names: NetworkNames, *, source: str, is_csv: bool = False) -> tuple[Machine, ...]:
    """The machines that ``text`` lists; ``source`` names it in errors. Raises DocumentError."""
    return machines_of_entries(_entries(text, source, is_csv=is_csv), names)


def read_entries(path: str | Path) -> list[Entry]:
    """The rows of the file ``path``, held against no network yet; CSV by its ending, YAML or JSON otherwise.

    Raises DocumentError where it is no such list.
    """
    text = documents.read_text(path, limit=documents.WORLD_LIMIT)
    return _entries(text, str(path), is_csv=Path(path).suffix.lower() == ".csv")


def _entries(text: str, source: str, *, is_csv: bool) -> list[Entry]:
    entries = list(_csv_entries(text, source) if is_csv else _yaml_entries(text, source))
    if not entries:
        raise DocumentError("the list has no machines", file=source, hint=f"a machine has {', '.join(COLUMNS)}")
    return entries


def _yaml_entries(text: str, source: str) -> Iterator[Entry]:
    if _is_bare_list(text):
        bare = documents.parse(text, list[MachineRow], source)
        for index, row in enumerate(bare.value):
            yield Entry(row, partial(bare.line, index), partial(_yaml_error, bare, (index,)))
        return
    document = documents.parse(text, _MachineList, source)
    if document.value.version != 1:
        raise document.error(f"the list has version {document.value.version}, expected 1", "version")
    for index, row in enumerate(document.value.machines):
        path = ("machines", index)
        yield Entry(row, partial(document.line, *path), partial(_yaml_error, document, path))


def _yaml_error(
    document: documents.Document[Any], path: tuple[str | int, ...], field: str, problem: str, hint: str = ""
) -> DocumentError:
    return document.error(problem, *path, field, hint=hint)


def _is_bare_list(text: str) -> bool:
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    first = next((line for line in lines if line and line != "---" and not line.startswith(("#", "%"))), "")
    return first.startswith(("-", "["))


def _csv_entries(text: str, source: str) -> Iterator[Entry]:
    columns: tuple[str, ...] = ()
    for line, cells in _csv_rows(text, source):
        if columns:
            yield _csv_entry(dict(zip(columns, _checked(cells, columns, source, line), strict=True)), source, line)
        else:
            columns = _header(cells, source, line)
    if not columns:
        raise DocumentError("the file is empty", file=source, hint=_HEADER_HINT)


def _csv_rows(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """Every row with anything in it, and the line it starts in: a quoted cell may hold line breaks."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise DocumentError(f"not valid CSV: {error}", file=source, line=line) from error
        if any(cells):
            yield line, cells


def _header(cells: Sequence[str], source: str, line: int) -> tuple[str, ...]:
    columns = tuple(cell.lower() for cell in cells)
    missing = [column for column in COLUMNS if column not in columns]
    unknown = [column for column in columns if column not in _ALL_COLUMNS]
    if missing:
        found = f"; found {', '.join(columns)}" if unknown else ""
        words = f"missing columns: {', '.join(missing)}{found}"
        raise DocumentError(words, file=source, line=line, hint=_HEADER_HINT)
    if unknown:
        words = f"unknown column '{unknown[0]}'{did_you_mean(unknown[0], _ALL_COLUMNS)}"
        raise DocumentError(words, file=source, line=line, hint=f"columns are {', '.join(_ALL_COLUMNS)}")
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice:
        raise DocumentError(f"the column '{twice}' is given twice", file=source, line=line)
    return columns


def _checked(cells: list[str], columns: Sequence[str], source: str, line: int) -> list[str]:
    if len(cells) != len(columns):
        words = f"found {len(cells)} cells, expected {len(columns)} as in the header"
        raise DocumentError(words, file=source, line=line)
    return cells


def _csv_entry(cells: dict[str, str], source: str, line: int) -> Entry:
    return Entry(MachineRow(**cells), lambda: line, partial(_csv_error, source, line))


def _csv_error(source: str, line: int, field: str, problem: str, hint: str = "") -> DocumentError:
    return DocumentError(f"{field}: {problem}", file=source, line=line, hint=hint)
