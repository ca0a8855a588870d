"""The networks of machines before and after a plan, in every output."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree as ET

import pytest
from msgspec import structs
from sample_plans import applied, machine_id, machine_plan

from asrnet.model.findings import Finding, FindingKind
from asrnet.model.plan import Plan
from asrnet.render import View, formats_of, render
from asrnet.render.github import outputs

ARROWS = ("old-sea -> hub-sea", "db -> web", "10.9.0.4 -> left to Azure", "none -> bubble")


def cases(plan: Plan) -> dict[str, str]:
    """The JUnit cases of machines: names and results."""
    root = ET.fromstring(render(plan, "junit"))
    found = {case.get("name", ""): [child.tag for child in case] for case in root.iter("testcase")}
    return {name: (tags or ["passed"])[0] for name, tags in found.items() if name.startswith("machine")}


@pytest.mark.parametrize("output", ["text", "markdown"])
def test_outputs_for_people_have_a_table_of_the_machines_that_follow(output: str) -> None:
    text = render(machine_plan(), output)
    table = text[text.index("Machines") :]
    for arrow in ARROWS:
        assert arrow in table.replace("&gt;", ">").replace("\\", "")
    assert "old-sea, not hub-sea" in table, "of a machine that is left alone"
    assert "vm3" not in text
    assert "update 1 machine" in text


@pytest.mark.parametrize("output", ["text", "markdown"])
def test_a_machine_that_waits_and_one_that_is_held_have_different_signs(output: str) -> None:
    plan = machine_plan()
    machines = tuple(
        structs.replace(machine, status="waiting") if machine.status == "update" else machine
        for machine in plan.machines
    )
    text = render(structs.replace(plan, machines=machines), output)
    assert "1 machine waiting, 1 machine left alone" in text
    table = text.replace("|", " ")
    signs = {line.split()[1]: line.split()[0] for line in table.splitlines() if line.split()[1:2] in (["vm1"], ["vm2"])}
    assert signs == {"vm1": "..", "vm2": "!"}


def test_a_change_that_was_not_started_has_another_sign_than_a_failed_one() -> None:
    signs = {}
    for outcome in ("failed", "skipped"):
        text = render(applied(machine_plan(), outcome, error="no"), "text").partition("Warnings")[0]
        signs[outcome] = {line.split()[0] for line in text.splitlines() if line.split()[1:2] in (["vm1"], ["hub"])}
    assert signs == {"failed": {"!"}, "skipped": {".."}}


def test_with_more_detail_the_table_has_every_machine() -> None:
    text = render(machine_plan(), "text", View(verbose=True))
    for name in ("vm1", "vm2", "vm3", "vm4"):
        assert f" {name} " in text


def test_a_machine_that_is_moved_is_no_warning_and_one_that_is_left_alone_is() -> None:
    text = render(machine_plan(), "text")
    warnings = text[text.index("Warnings") :]
    assert "vm1 (nic0)" not in warnings
    assert "vm2 (nic0) still fails over" in warnings
    assert "hint: asrnet apply --pair hub --machine vm4 --machines follow" in warnings


@pytest.mark.parametrize("outcome", ["planned", "succeeded"])
def test_a_test_network_that_an_update_leaves_unchanged_is_a_warning(outcome: str) -> None:
    plan = machine_plan()
    (vm1,) = (machine for machine in plan.machines if machine.name == "vm1")
    assert vm1.planned is not None
    planned = structs.replace(vm1.planned, test_network_id=vm1.networks.test_network_id)
    machines = tuple(
        structs.replace(machine, planned=planned) if machine is vm1 else machine for machine in plan.machines
    )
    kept = Finding(
        kind=FindingKind.TEST_NETWORK_DIFFERS,
        severity="warning",
        message="vm1 is tested in no network, and its pair asks for bubble; "
        "its test network stays as it is: bubble has no subnets",
        vault=vm1.vault,
        pair=vm1.pair,
        subject=str(vm1.id),
    )
    plan = structs.replace(plan, machines=machines, findings=(*plan.findings, kept))
    text = render(plan if outcome == "planned" else applied(plan, "succeeded"), "text")
    assert kept.message in text[text.index("Warnings") :]


def test_the_table_of_a_report_has_the_outcome_of_each_machine() -> None:
    report = applied(machine_plan(), "failed", error="accepted, not done")
    text = render(report, "text")
    assert "machine vm1: failed: accepted, not done" in text
    assert "old-sea -> hub-sea" in text[text.index("Machines") :]


def test_csv_has_a_line_for_each_address_and_kind_of_failover() -> None:
    rows = list(csv.DictReader(io.StringIO(render(machine_plan(), "csv"))))
    assert [(row["machine"], row["status"], row["occasion"]) for row in rows[:2]] == [
        ("vm1", "update", "failover"),
        ("vm1", "update", "test"),
    ]
    assert {name: rows[0][name] for name in ("network_now", "network_then", "subnet_now", "subnet_then")} == {
        "network_now": "old-sea",
        "network_then": "hub-sea",
        "subnet_now": "db",
        "subnet_then": "web",
    }
    assert (rows[0]["address_now"], rows[0]["address_then"]) == ("10.9.0.4", "")
    outcomes = csv.DictReader(io.StringIO(render(applied(machine_plan(), "succeeded"), "csv")))
    assert next(row["status"] for row in outcomes if row["machine"] == "vm1") == "succeeded"


def test_json_has_what_each_machine_has_and_gets() -> None:
    document = json.loads(render(machine_plan(), "json"))
    (change,) = document["changes"]
    assert change["kind"] == "protected_item"
    assert change["before"]["addresses"] == [
        {
            "nic": "nic0",
            "ip_configuration": "ipconfig1",
            "recovery_subnet": "db",
            "recovery_ip": "10.9.0.4",
            "test_subnet": None,
            "test_ip": None,
        }
    ]
    assert set(change["after"]) == {"type", "recovery_network_id", "test_network_id", "addresses"}
    assert [machine["status"] for machine in document["machines"]] == ["update", "held", "in_sync", "reported"]
    assert document["resources"]["protected_item"] == 1


def test_junit_has_a_case_for_each_machine_that_follows() -> None:
    pending = {"machine: vm1": "failure", "machine: vm2": "skipped", "machine: vm3": "passed"}
    assert cases(machine_plan()) == pending
    assert cases(applied(machine_plan(), "succeeded")) == {**pending, "machine: vm1": "passed"}
    assert cases(applied(machine_plan(), "failed", error="no")) == {**pending, "machine: vm1": "error"}


def test_prometheus_counts_machines_by_status_and_their_changes_by_outcome() -> None:
    text = render(machine_plan(), "prometheus")
    for status in ("in_sync", "update", "held", "reported"):
        assert f'asrnet_machines{{vault="sea",status="{status}"}} 1\n' in text
    assert 'asrnet_changes{kind="protected_item",action="update",outcome="pending"} 1' in text
    assert 'asrnet_drift{vault="sea",kind="stale_protected_item"} 1' in text
    none = structs.replace(machine_plan(), machines=(), changes=())
    assert 'asrnet_machines{vault="sea",status="update"} 0\n' in render(none, "prometheus")


def test_a_workflow_gets_the_number_of_updated_machines() -> None:
    assert "\nmachines=1\n" in outputs(machine_plan(), View())
    assert "title=done%3A hub::~ machine vm1" in render(applied(machine_plan(), "succeeded"), "github")


def test_a_diagram_says_how_many_machines_of_a_pair_are_updated() -> None:
    assert '"hub: 1 machine to update, 1 machine left alone"' in render(machine_plan(), "mermaid")
    assert '|"hub: 1 machine left alone"|' in render(applied(machine_plan(), "succeeded"), "mermaid")


LANDS = "nic0: old-sea db 10.9.0.4 -> hub-sea web"


def declared() -> Plan:
    """The plan whose pair stands in a file; the machine that moves has no finding about tests."""
    plan = machine_plan()
    return structs.replace(plan, pairs=(structs.replace(plan.pairs[0], file="asrnet.yaml", line=11),))


def test_cases_of_machines_have_their_destination_and_the_line_of_their_row() -> None:
    root = ET.fromstring(render(declared(), "junit"))
    texts = {case.get("name"): [child.text for child in case] for case in root.iter("testcase")}
    assert str(texts["machine: vm1"][0]).splitlines()[1:] == [
        LANDS,
        "nic0 in tests: no network -> bubble web",
        "declared in asrnet.yaml:11",
    ]
    held = ["nic0: old-sea db 10.9.0.4, not hub-sea web", "nic0 in tests: no network, not bubble web"]
    assert str(texts["machine: vm2"][0]).splitlines() == [*held, "declared in asrnet.yaml:11"]
    assert "machine: vm4" not in texts, "machines of its pair do not follow"


def test_cases_of_machines_that_another_tool_manages_are_skipped_and_name_it() -> None:
    plan = declared()
    (view,) = plan.pairs
    machines = tuple(machine for machine in plan.machines if machine.status in {"reported", "in_sync"})
    managed = structs.replace(view, managed_by="terraform")
    root = ET.fromstring(render(structs.replace(plan, pairs=(managed,), machines=machines, changes=()), "junit"))
    skipped = {case.get("name"): [child.get("message") for child in case] for case in root.iter("testcase")}
    assert skipped["machine: vm3"] == []
    assert skipped["machine: vm4"] == ["left to terraform"]


def test_a_failed_case_of_a_machine_has_the_hint() -> None:
    report = applied(declared(), "failed", error="accepted, not done", hint="plan again")
    assert "hint: plan again\n" in render(report, "junit")


@pytest.mark.parametrize("output", ["github", "sarif"])
def test_annotations_of_machines_are_at_the_row_and_give_the_destination(output: str) -> None:
    text = render(declared(), output)
    lines = [line for line in text.splitlines() if "vm1" in line and "still fails over" in line]
    assert len(lines) == 1
    assert LANDS in lines[0]
    assert "nic0: old-sea db 10.9.0.4, not hub-sea web" in text, "of a machine that is held"
    if output == "github":
        assert "file=asrnet.yaml,line=11" in lines[0]
    else:
        results = json.loads(text)["runs"][0]["results"]
        places = [result["locations"][0]["physicalLocation"] for result in results]
        assert {(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places} == {
            ("asrnet.yaml", 11)
        }


@pytest.mark.parametrize("output", ["text", "markdown", "github", "sarif", "junit", "json", "html"])
def test_what_to_do_about_a_machine_that_failed_is_in_every_report(output: str) -> None:
    report = applied(machine_plan(), "failed", error="accepted, not done", hint="choose the networks by hand")
    assert "choose the networks by hand" in render(report, output)


@pytest.mark.parametrize("output", ["text", "markdown", "github", "junit", "json", "html"])
def test_a_warning_about_a_machine_that_was_updated_is_in_every_report(output: str) -> None:
    report = applied(machine_plan(), "succeeded", warnings=("Azure warns of its size",))
    assert "Azure warns of its size" in render(report, output)


def test_csv_has_the_line_of_the_row_and_why_a_machine_was_not_updated() -> None:
    rows = csv.DictReader(io.StringIO(render(applied(declared(), "failed", error="accepted, not done"), "csv")))
    first = next(iter(rows))
    assert (first["source"], first["reason"]) == ("asrnet.yaml:11", "accepted, not done")


def test_a_report_says_in_one_line_why_many_machines_were_left_alone() -> None:
    plan = machine_plan()
    changes = tuple(structs.replace(plan.changes[0], id=f"m{number}", name=f"vm{number}") for number in range(5, 10))
    report = applied(structs.replace(plan, changes=changes), "skipped", error="vm1 goes first", hint="settle vm1")
    lines = [line.strip() for line in render(report, "text").splitlines()]
    assert "~ 5 machines (vm5, vm6, vm7 and 2 more): skipped: vm1 goes first" in lines
    assert lines.count("hint: settle vm1") == 1
    assert sum("vm1 goes first" in line for line in lines) == 1


def test_errors_that_differ_only_in_the_machines_id_are_printed_once_and_hints_that_differ_are_kept() -> None:
    plan = machine_plan()
    names = ("vm5", "vm6")
    changes = tuple(
        structs.replace(plan.changes[0], id=name, name=name, resource_id=machine_id(name)) for name in names
    )
    report = applied(structs.replace(plan, changes=changes), "failed", hint="grant it")
    denied = [structs.replace(change, error=f"no right to write {change.resource_id}") for change in report.changes]
    text = render(structs.replace(report, changes=tuple(denied)), "text")
    assert f"~ 2 machines (vm5, vm6): failed: no right to write {machine_id('vm5')}" in text
    assert text.count("no right to write") == 1
    lost = [structs.replace(change, error="a setting is lost", hint=f"restore {change.name}") for change in denied]
    text = render(structs.replace(report, changes=tuple(lost)), "text")
    assert all(f"hint: restore {name}" in text for name in names)


def test_the_row_of_a_pair_counts_its_machines_by_outcome() -> None:
    plan = machine_plan()
    changes = tuple(structs.replace(plan.changes[0], id=f"m{number}", name=f"vm{number}") for number in range(5, 9))
    report = applied(structs.replace(plan, changes=changes), "succeeded")
    failed = structs.replace(report.changes[0], outcome="failed", error="accepted, not done")
    text = render(structs.replace(report, changes=(failed, *report.changes[1:])), "text")
    assert "1 machine failed and 3 machines succeeded" in text


def test_a_refused_report_shows_each_machine_once() -> None:
    plan = machine_plan()
    refused = structs.replace(plan, limits=structs.replace(plan.limits, max_machines=0))
    text = render(applied(refused, "skipped", refused=True), "text")
    assert "max_machines is 0" in text
    assert "~ 1 machine of the pair" in text
    assert sum("vm1" in line for line in text.splitlines()) == 2, "a row for a failover, and one for tests"


def test_a_report_says_why_machines_are_held_whether_or_not_their_mapping_was_changed() -> None:
    nothing_done = applied(structs.replace(machine_plan(), changes=()), "succeeded")
    for report in (nothing_done, applied(machine_plan(), "succeeded")):
        assert "vm2 (nic0) still fails over" in render(report, "text")
    assert "vm4 (nic0) still fails over" not in render(nothing_done, "text"), "it is not to follow"


def test_every_format_draws_a_plan_with_machines() -> None:
    for output in formats_of("plan"):
        assert render(machine_plan(), output)
        assert render(applied(machine_plan(), "succeeded"), output)


def test_ndjson_has_a_line_for_each_machine() -> None:
    lines = [json.loads(line) for line in render(machine_plan(), "ndjson").splitlines()]
    assert [line["name"] for line in lines if line["type"] == "machine"] == ["vm1", "vm2", "vm3", "vm4"]
    assert "machines" not in lines[0]


def test_the_summary_counts_the_machines_that_are_left_alone() -> None:
    assert (
        render(machine_plan(), "text").splitlines()[-1]
        == "Plan: update 1 machine; 2 mappings in sync, 1 machine left alone."
    )
