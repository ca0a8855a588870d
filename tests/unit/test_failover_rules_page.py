"""docs/failover-rules.md matches the tables of rules, and names a test for every rule."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from asrnet.failover import NOTICES, RULES
from asrnet.vmm import REASONS
from asrnet.vmm.availability import SOURCE

PAGE = Path(__file__).parents[2] / "docs" / "failover-rules.md"
TESTS = (
    *(f"test_failover_{part}" for part in ("networks", "subnets", "addresses", "on_premises")),
    *("test_failback", "test_vmm_targets"),
)


def named_rows(module: ModuleType) -> Iterator[tuple[str, str]]:
    """The ids of a module's parametrised tests, each with the test's name."""
    for name, function in vars(module).items():
        for mark in getattr(function, "pytestmark", ()):
            for row in mark.args[1] if mark.name == "parametrize" else ():
                if getattr(row, "id", None):
                    yield row.id, f"{module.__name__}.py::{name}[{row.id}]"


def rule_tests() -> dict[str, str]:
    """The test for each code, whose row has the code as its id."""
    return {row: test for module in map(importlib.import_module, TESTS) for row, test in named_rows(module)}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading of the page, without its head."""
    text = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("The rules", [(rule.code, rule.sentence, rule.source) for rule in RULES.values()]),
        ("Availability of target networks", [(code, words, SOURCE) for code, words in REASONS.items()]),
    ],
)
def test_the_page_has_a_row_with_source_and_test_for_every_rule(heading: str, expected: list[Any]) -> None:
    tests = rule_tests()
    wanted = [[f"`{code}`", words, source, f"`{tests[code]}`"] for code, words, source in expected]
    assert rows(heading) == wanted


def test_the_page_has_a_row_for_every_notice() -> None:
    wanted = [[f"`{each.code}`", each.severity, each.sentence] for each in NOTICES.values()]
    assert rows("Notices") == wanted


def test_every_source_is_listed_among_the_documents() -> None:
    documents = PAGE.read_text(encoding="utf-8").split("## Documents\n", 1)[1]
    for source in {rule.source for rule in RULES.values()} | {SOURCE}:
        assert source in documents
