"""Comma-separated values: quoted where they must be, and never a formula."""

from __future__ import annotations

import csv
import io

import pytest

from asrnet.render.csv import table


@pytest.mark.parametrize("text", ["plain", "a,b", 'a "b"', "two\nlines", "", "10.0.0.4", "a=b"])
def test_what_is_written_is_read_again(text: str) -> None:
    assert list(csv.DictReader(io.StringIO(table(["name"], [{"name": text}]), newline=""))) == [{"name": text}]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "=cmd|'/c calc'!A1"])
def test_a_cell_that_a_spreadsheet_would_calculate_is_text(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO(table(["name"], [{"name": text}]), newline=""))
    assert row["name"] == f"'{text}"


def test_a_carriage_return_does_not_end_the_row() -> None:
    assert table(["name", "next"], [{"name": "a\rb", "next": "c"}]) == "name,next\na\\rb,c\n"
