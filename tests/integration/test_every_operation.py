"""Every operation's answers compared with the restated recordings: status, headers, key order, nulls, casing.

From where each is known, or that it is assumed, is said by docs/emulator-coverage.md, made from the table of routes.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from every_operation import FIXTURES, walk
from wire_case import exactly

from asrnet.emulator.routes import ROUTES

RESTATED: dict[str, Any] = json.loads(FIXTURES.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    return walk()


@pytest.mark.parametrize("answer", RESTATED)
def test_an_operation_gives_the_restated_answer(seen: dict[str, Any], answer: str) -> None:
    assert exactly(seen[answer]) == exactly(RESTATED[answer])


def test_every_operation_has_a_restated_answer(seen: dict[str, Any]) -> None:
    implemented = {route.operation for route in ROUTES if route.handler and not route.operation.startswith("Admin")}
    assert {answer.partition(" ")[0] for answer in RESTATED} - {""} == implemented
    assert set(seen) == set(RESTATED)
