"""Comma-separated values with a line of column names, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t")


def table(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """The rows as CSV, with a header line."""
    written = io.StringIO()
    writer = csv.DictWriter(written, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(text) for name, text in row.items()} for row in rows)
    return written.getvalue()


def _plain(text: str) -> str:
    """``text`` with an apostrophe in front where a spreadsheet would take it for a formula."""
    text = text.replace("\r", "\\r")  # Python 3.11 would leave it unquoted, and readers take it for the end of the row
    return f"'{text}" if text.startswith(_FORMULA) else text
