"""The output of ``-o json``, validated against the schemas that ``asrnet schema`` prints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are not worth a dependency for two tests
import pytest
from command_line import EXAMPLES, Cli

WORLDS = sorted(path.parent for path in EXAMPLES.glob("*/world.yaml") if (path.parent / "asrnet.yaml").exists())


@pytest.fixture(params=WORLDS, ids=lambda path: path.name)
def example(request: pytest.FixtureRequest, folder: Path) -> Path:
    """The files of an example."""
    for file in request.param.glob("*"):
        if file.is_file():
            shutil.copy(file, folder)
    return folder


def fits(cli: Cli, kind: str, text: str) -> Any:
    """The value of ``text``, once validated against the schema as the command prints it."""
    document = json.loads(text)
    problems = jsonschema.Draft202012Validator(json.loads(cli("schema", kind).out)).iter_errors(document)
    assert [problem.message for problem in problems] == []
    return document


def test_plans_match_their_schema(fake: Cli, cli: Cli, example: Path) -> None:
    assert fits(cli, "plan", fake("plan", "-o", "json").out)["format_version"] == "1.1"
    assert fake("plan", "--out", "saved.json").code == 0
    fits(cli, "plan", (example / "saved.json").read_text("utf-8"))


def test_reports_match_their_schema(fake: Cli, cli: Cli, example: Path) -> None:  # noqa: ARG001 - the files are there
    report = fits(cli, "report", fake("apply", "--yes", "-o", "json").out)
    assert all(change["outcome"] == "succeeded" for change in report["changes"])
    assert fits(cli, "report", fake("drift", "--correct", "-o", "json").out)["changes"] == []


def test_a_refused_correction_matches_its_schema(fake: Cli, cli: Cli, example: Path) -> None:
    path = example / "asrnet.yaml"
    path.write_text(path.read_text("utf-8") + "limits: {max_updates: 0, max_rule_growth: 0}\n", "utf-8")
    report = fits(cli, "report", fake("drift", "--correct", "-o", "json").out)
    assert report["result"] in {"refused", "succeeded", "nothing_to_do"}


def test_live_pairs_match_their_schema(fake: Cli, cli: Cli, example: Path) -> None:  # noqa: ARG001 - the files are there
    assert fits(cli, "live", fake("show", "-o", "json").out)["vaults"]
