"""docs/on-premises.md and docs/predict.md match the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asrnet import desired
from asrnet.model.findings import FindingKind
from asrnet.planning.on_premises import RETIRED
from asrnet.render import formats_of
from asrnet.vmm import checked, parse_topology

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "on-premises.md").read_text(encoding="utf-8")


def test_the_rows_of_the_page_are_a_desired_state_and_its_topology_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows, topology = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "asrnet.yaml").write_text(rows, encoding="utf-8")
    state = desired.load_desired("asrnet.yaml")
    assert [row.name for row in state.vmm_pairs] == ["vm1", "vm2"]
    [pair] = checked(parse_topology(topology)).pairs()
    assert (pair.protected.name, pair.protecting.name) == ("GoldCloud1", "GoldCloud2")


def test_the_page_says_when_the_scenario_was_retired() -> None:
    assert f"on {RETIRED}:" in PAGE


def test_the_page_has_the_findings_of_topologies_with_their_severities() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", PAGE, re.MULTILINE))
    kinds = {"target_not_available", *(kind for kind in FindingKind if "logical_network" in kind or "host" in kind)}
    assert rows == {kind: kind.severity for kind in FindingKind if kind in kinds}


def test_the_page_on_predictions_shows_every_output() -> None:
    page = (DOCS / "predict.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `-o (\w+)` \|", page, re.MULTILINE)) == set(formats_of("targets"))
