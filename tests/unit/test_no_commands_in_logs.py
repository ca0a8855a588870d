"""No name starts a workflow or pipeline command in a log, in any format."""

from __future__ import annotations

import json
import logging

import pytest
from failover_worlds import address, machine, mapping, prediction, subnet, vnet
from msgspec import structs
from sample_plans import full_plan, pair

from asrnet.cli import logs
from asrnet.errors import printable
from asrnet.inventory.live_pairs import LivePairs, LiveVault
from asrnet.model.findings import FindingKind, finding
from asrnet.model.plan import Plan, RuleMatch
from asrnet.render import View, formats_of, render

GITHUB = "::error file=x::a\r\n::set-output name=b::c"
AZURE = "##vso[task.setvariable variable=PATH]x ##[error]y"
HERE, THERE = vnet("here", subnet("web", "10.0.1.0/24")), vnet("there", subnet("web", "10.1.1.0/24"))


def commands(text: str) -> list[str]:
    """The lines that a workflow, or a pipeline of Azure DevOps, takes for commands."""
    lines = text.splitlines()
    return [line for line in lines if line.lstrip().startswith("::") or "##vso[" in line or "##[" in line]


def odd_plan(name: str) -> Plan:
    return structs.replace(
        full_plan(),
        rules=(RuleMatch(name=name, matched=()),),
        pairs=(structs.replace(pair("a", primary_network=name, recovery_network=name, forward="blocked"), name=name),),
        findings=(finding(FindingKind.ORPHAN, name, vault=name, pair=name, subject=name, hint=name),),
    )


@pytest.mark.parametrize("name", [GITHUB, AZURE, f" {GITHUB}", f"a {GITHUB}"])
@pytest.mark.parametrize("view", [View(), View(verbose=True), View(width=40), View(width=10)])
def test_a_plan_and_a_prediction_print_no_workflow_command(name: str, view: View) -> None:
    machines = [machine(name, HERE, address("web", "10.0.1.4"))]
    predicted = prediction(machines, [HERE, THERE], [mapping(HERE, THERE)])
    vaults = (LiveVault(name=name, id=HERE.id, location=name, mappings=0, error=name),)
    for kind, document in (
        ("plan", odd_plan(name)),
        ("prediction", predicted),
        ("live", LivePairs(vaults=vaults, pairs=())),
    ):
        for output in formats_of(kind):  # type: ignore[arg-type]  # the kinds above
            if output != "github":  # its lines are commands; no name may start another
                assert commands(render(document, output, view)) == [], output


def test_json_says_the_same_with_and_without_the_escapes() -> None:
    text = render(odd_plan(AZURE), "json")
    assert json.loads(text)["findings"][0]["message"] == AZURE


@pytest.mark.parametrize("name", [GITHUB, AZURE, f"  {GITHUB}"])
def test_no_message_is_a_workflow_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    for write in (logs.remark, logs.warn, logs.error):
        write(name)
    logging.getLogger("asrnet.x").error("%s", name)
    assert commands(capsys.readouterr().err) == []


def test_other_hashes_and_colons_stay_as_they_are() -> None:
    assert printable("a ## b #[c] d::e") == "a ## b #[c] d::e"
