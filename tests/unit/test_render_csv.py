"""Comma-separated values: quoted where they must be, and never a formula."""

from __future__ import annotations

import csv
import io

import pytest

from asrnet.render.csv import table


@pytest.mark.parametrize("text", ["plain", "a,b", 'a "b"', "", "10.0.0.4", "a=b"])
def test_the_written_csv_reads_back_the_same(text: str) -> None:
    assert list(csv.DictReader(io.StringIO(table(["name"], [{"name": text}]), newline=""))) == [{"name": text}]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|'/c calc'!A1"])
def test_a_cell_that_a_spreadsheet_would_calculate_is_text(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(table(["name"], [{"name": text}]), newline=""))
    assert row["name"] == f"'{text}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\rb", "a\\rb"),
        ("two\n::error::lines", "two\\n::error::lines"),
        ("\t=1+1", "\\t=1+1"),
        ("\x1b[31m\x00\x07", "\\x1b[31m\\x00\\x07"),
        ("\x9b31m\u202egnp", "\\x9b31m\\u202egnp"),
    ],
)
def test_unprintable_characters_are_escaped_and_begin_no_line(text: str, shown: str) -> None:
    assert table(["name", "next"], [{"name": text, "next": "c"}]) == f"name,next\n{shown},c\n"
