"""Every operation's answers beside what the service answers, restated: status, headers, keys, nulls, casing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from integration.every_operation import FIXTURES, walk
from integration.wire import exactly

from asrnet.emulator.routes import ROUTES

RESTATED: dict[str, Any] = json.loads(FIXTURES.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    return walk()


@pytest.mark.parametrize("answer", RESTATED)
def test_an_operation_answers_as_the_service_does(seen: dict[str, Any], answer: str) -> None:
    assert exactly(seen[answer]) == exactly(RESTATED[answer])


def test_every_operation_is_restated(seen: dict[str, Any]) -> None:
    implemented = {route.operation for route in ROUTES if route.handler and not route.operation.startswith("Admin")}
    assert {answer.partition(" ")[0] for answer in RESTATED} - {""} == implemented
    assert set(seen) == set(RESTATED)
