"""Text on terminals: tables where they fit, rows cell by cell where they do not, and no broken words."""

from __future__ import annotations

import pytest

from asrnet.render.sections import Row, Section
from asrnet.render.terminal import draw

PAIRS = Section(
    "Vault sea",
    ("", "Pair", "Primary", "", "Recovery", "Forward"),
    (
        Row(("+", "payments", "payments-ea (eastasia)", "<->", "payments-sea (southeastasia)", "create")),
        Row(
            ("!", "hub", "hub-ea (eastasia)", "->", "hub-sea (southeastasia)", "blocked"),
            details=("+ network x",),
        ),
    ),
)
ID = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-dr"


def shown(section: Section, width: int) -> list[str]:
    lines = draw([section], width=width, colour=False).splitlines()
    assert all(len(line) <= width for line in lines)
    return [line.rstrip() for line in lines]


def test_a_table_that_fits_is_a_table() -> None:
    assert shown(PAIRS, 100)[1:3] == [
        "     Pair      Primary                      Recovery                      Forward",
        "  +  payments  payments-ea (eastasia)  <->  payments-sea (southeastasia)  create",
    ]


def test_a_table_in_which_a_word_would_break_is_drawn_cell_by_cell() -> None:
    assert shown(PAIRS, 40) == [
        "Vault sea",
        "  + payments <->",
        "    Primary   payments-ea (eastasia)",
        "    Recovery  payments-sea",
        "              (southeastasia)",
        "    Forward   create",
        "  ! hub ->",
        "    Primary   hub-ea (eastasia)",
        "    Recovery  hub-sea (southeastasia)",
        "    Forward   blocked",
        "      + network x",
    ]


def test_a_cell_with_a_word_that_is_too_long_goes_below_the_name_of_its_column() -> None:
    section = Section("", ("Check", "Subject"), (Row(("vault", "22222222-2222-2222-2222-222222222222")),))
    assert shown(section, 44) == ["  vault", "    Subject", "      22222222-2222-2222-2222-222222222222"]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (100, [f"see {ID}"]),
        (70, ["see", "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/", "rg-dr"]),
        (40, ["see", "/subscriptions/", "22222222-2222-2222-2222-222222222222/", "resourceGroups/rg-dr"]),
        (24, ["see", "/subscriptions/22222222-", "2222-2222-2222-", "222222222222/", "resourceGroups/rg-dr"]),
    ],
)
def test_an_id_that_is_longer_than_a_line_breaks_after_a_slash(width: int, lines: list[str]) -> None:
    assert shown(Section("", (), (Row((f"see {ID}",)),)), width) == lines


@pytest.mark.parametrize("width", range(40, 200, 8))
def test_every_word_is_whole_whatever_the_width(width: int) -> None:
    words = {word.strip("()") for row in PAIRS.rows for cell in (*row.cells, *row.details) for word in cell.split()}
    assert words <= {word.strip("()") for line in shown(PAIRS, width) for word in line.split()}
