"""Comma-separated values with a line of column names, for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from asrnet.errors import printable
from asrnet.failover import Prediction
from asrnet.inventory.targets import Targets
from asrnet.model.plan import Plan
from asrnet.render import machine_table, prediction_table, targets_layout

if TYPE_CHECKING:
    from asrnet.render import View

# Source: OWASP, CSV Injection.
_FORMULA: Final = ("=", "+", "-", "@")


def render(document: Plan | Prediction | Targets, view: View) -> str:  # noqa: ARG001 - every format has this signature
    """A line for each address of a plan's machines or of a prediction, or for each target network of two clouds."""
    if isinstance(document, Plan):
        return table(machine_table.COLUMNS, map(machine_table.as_record, machine_table.machine_rows(document)))
    if isinstance(document, Prediction):
        return table(prediction_table.columns_of(document), prediction_table.prediction_rows(document))
    return table(targets_layout.COLUMNS, targets_layout.target_rows(document))


def table(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """The rows as CSV, with a header line."""
    written = io.StringIO()
    writer = csv.DictWriter(written, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(text) for name, text in row.items()} for row in rows)
    return written.getvalue()


def _plain(text: str) -> str:
    """``text`` on one line, with an apostrophe in front if a spreadsheet would evaluate it as a formula.

    The log of a workflow takes a line that begins with ``::`` for a command, and a value may begin a line.
    """
    text = printable(text)
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith("::") else text
