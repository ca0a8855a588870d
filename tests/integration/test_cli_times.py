"""Where the time of a run went: the last line at ``-v``."""

from __future__ import annotations

import re

import pytest
from command_line import Cli

READING = ["import", "files", "credential", "reads"]
APPLYING = ["rendering", "answer", "writes", "waiting"]
MAPPING = ["map", "prod/rg-network-ea/app-ea", "--vault", "sea", "--to", "southeastasia", "--yes"]


def parts(told: str) -> list[str]:
    """The parts of the last line, in order."""
    last = told.splitlines()[-1]
    assert last.startswith("time: ")
    found = re.findall(r"([a-z ]+) \d+\.\d\d s", last.removeprefix("time: ").replace(" s in all", " s"))
    return [part.strip() for part in found]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["validate"], ["import", "rendering"]),
        (["show"], [*READING, "rendering"]),
        (["plan"], [*READING, "planning", "rendering"]),
        (["drift"], [*READING, "planning", "rendering"]),
        (["predict", "--all-subnets"], [*READING, "predicting", "rendering"]),
        (["apply", "--yes"], [*READING, "planning", *APPLYING]),
        (MAPPING, [*READING, "planning", *APPLYING]),
    ],
    ids=lambda value: value[0] if value[0] not in READING else "",
)
def test_the_last_line_shows_where_the_time_went(fake: Cli, cli: Cli, command: list[str], expected: list[str]) -> None:
    run = cli if command == ["validate"] else fake
    assert parts(run(*command, "-v").err) == expected


def test_a_saved_plan_is_read_and_applied_but_not_planned(fake: Cli) -> None:
    fake("plan", "--out", "plan.json")
    assert parts(fake("apply", "plan.json", "--yes", "-v").err) == [*READING, *APPLYING]


def test_the_times_are_printed_after_an_error_too(cli: Cli) -> None:
    told = cli("plan", "-v", "--backend", "fake:missing.yaml").err.splitlines()
    assert told[-3].startswith("time: import")
    assert told[-2].startswith("error: missing.yaml")
    assert told[-1].startswith("hint: ")


def test_the_times_are_not_printed_without_v(fake: Cli) -> None:
    assert "time:" not in fake("plan").err
