"""Every answer of a machine's recorded lifecycle compared with the restated shapes: members, order, nulls, casing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from recorded_life import FIXTURES, play
from wire_case import exactly

RESTATED: dict[str, Any] = json.loads(FIXTURES.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    return play()


@pytest.mark.parametrize("answer", RESTATED)
def test_an_answer_has_the_recorded_shape(answers: dict[str, Any], answer: str) -> None:
    assert exactly(answers[answer]) == exactly(RESTATED[answer])


def test_every_answer_of_the_life_is_restated(answers: dict[str, Any]) -> None:
    assert list(answers) == list(RESTATED)
