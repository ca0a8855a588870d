"""Comma-separated values with a line of column names, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from asrnet.failover import Prediction
from asrnet.inventory.targets import Targets
from asrnet.render import prediction_table, targets_layout

if TYPE_CHECKING:
    from asrnet.render import View

_FORMULA: Final = ("=", "+", "-", "@", "\t")


def render(document: Prediction | Targets, view: View) -> str:  # noqa: ARG001 - every format has this signature
    """A line for each address of a prediction, or for each target network of a pair of clouds."""
    if isinstance(document, Prediction):
        return table(prediction_table.COLUMNS, prediction_table.prediction_rows(document))
    return table(targets_layout.COLUMNS, targets_layout.target_rows(document))


def table(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """The rows as CSV, with a header line."""
    written = io.StringIO()
    writer = csv.DictWriter(written, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(text) for name, text in row.items()} for row in rows)
    return written.getvalue()


def _plain(text: str) -> str:
    """``text`` with an apostrophe in front if a spreadsheet would evaluate it as a formula."""
    text = text.replace("\r", "\\r")  # Python 3.11 leaves it unquoted, and readers would end the row there
    return f"'{text}" if text.startswith(_FORMULA) else text
