"""JUnit XML: passes, failures and skips, in the shape that CI systems' schemas require."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from msgspec import structs
from sample_plans import applied, change, full_plan, mapping, pair

from asrnet.errors import InputError
from asrnet.inventory.live_pairs import LivePairs
from asrnet.model.findings import FindingKind, finding
from asrnet.model.plan import Plan
from asrnet.render import Run, View, render

NEEDED = {"name", "id", "package", "timestamp", "hostname", "tests", "failures", "errors", "time"}


def parsed(document: Plan, view: View | None = None) -> ET.Element:
    return ET.fromstring(render(document, "junit", view))


def cases(document: Plan) -> dict[str, ET.Element]:
    return {
        f"{case.get('classname')} {case.get('name', '').split(':')[0]}": case
        for case in parsed(document).iter("testcase")
    }


def verdicts(document: Plan) -> dict[str, str]:
    return {name: case[0].tag if len(case) else "passed" for name, case in cases(document).items()}


def test_each_direction_of_each_pair_is_a_case() -> None:
    assert verdicts(full_plan()) == {
        "sea.hub forward": "passed",
        "sea.hub reverse": "passed",
        "sea.app forward": "failure",
        "sea.app reverse": "failure",
        "sea.crm forward": "failure",
        "sea.crm reverse": "failure",
        "sea.lost forward": "failure",
        "sea.lost reverse": "failure",
        "sea.old forward": "passed",
        "sea.sap forward": "skipped",
        "sea.sap reverse": "passed",
        "sea - forward mapping lab-map": "failure",
    }


def test_a_case_is_named_after_where_its_mapping_leads() -> None:
    case = cases(full_plan())["sea.hub reverse"]
    assert case.get("name") == "reverse: hub-sea (southeastasia) -> hub-ea (eastasia)"


def test_a_failure_says_why_and_where_the_pair_is_declared() -> None:
    plan = Plan(
        pairs=(pair("app", forward="blocked", reverse=None, failback=False, file="a.yaml", line=3),),
        findings=(finding(FindingKind.MISSING_NETWORK, "app-ea is gone", vault="sea", pair="app", hint="make it"),),
    )
    failure = cases(plan)["sea.app forward"][0]
    assert failure.attrib == {"message": "app-ea is gone", "type": "blocked"}
    assert (failure.text or "").splitlines() == [
        "app-ea is gone",
        "error: missing_network: app: app-ea is gone (make it)",
        "declared in a.yaml:3",
    ]


def test_a_report_fails_what_failed_and_counts_seconds_once() -> None:
    plan = Plan(
        pairs=(pair("app", forward="update", reverse="update"),),
        changes=(change("update", "m", "app", direction="both", before=mapping("m", "app-ea", "old")),),
    )
    assert set(verdicts(applied(plan, "succeeded", seconds=2.5)).values()) == {"passed"}
    failed = cases(applied(plan, "stale", error="it has moved", seconds=2.5))
    assert [case.get("time") for case in failed.values()] == ["2.500", "0.000"]
    assert failed["sea.app forward"][0].attrib == {"message": "it has moved", "type": "stale"}


def test_the_reverse_of_a_retarget_has_a_reason_of_its_own() -> None:
    retarget = change("update", "m", "app", direction="both", before=mapping("m", "app-ea", "old"))
    retarget = structs.replace(retarget, reason="points at old, will point at app-sea")
    plan = Plan(pairs=(pair("app", forward="update", reverse="update"),), changes=(retarget,))
    why = {name: failures[0].get("message") for name, failures in cases(plan).items()}
    assert why["sea.app forward"] == "points at old, will point at app-sea"
    assert (
        why["sea.app reverse"]
        == "is changed together with the forward mapping: it points at old, will point at app-sea"
    )


def test_a_finding_is_a_failure_and_a_failed_change_an_error() -> None:
    plan = Plan(
        pairs=(pair("app", forward="create", reverse="blocked"), pair("hub", forward="blocked", reverse=None)),
        changes=(change("create", "m", "app"),),
        findings=(
            finding(FindingKind.UNKNOWN, "403", vault="sea", pair="hub"),
            finding(FindingKind.UNKNOWN, "503", vault="sea"),
        ),
    )
    assert list(verdicts(plan).values()) == ["failure", "failure", "error", "error"]
    assert verdicts(applied(plan, "failed", error="no"))["sea.app forward"] == "error"
    assert verdicts(applied(plan, "skipped", error="over a limit", refused=True))["sea.app forward"] == "failure"
    suite = parsed(plan)[0]
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["4", "2", "2", "0"]


def test_errors_of_no_pair_are_cases_and_other_findings_are_listed() -> None:
    plan = Plan(
        findings=(
            finding(FindingKind.UNKNOWN, "the vault cannot be read", vault="sea"),
            finding(FindingKind.UNMANAGED, "lab maps a to b", vault="sea"),
            finding(FindingKind.RETIRED_SCENARIO, "retired"),
        )
    )
    sea, everywhere = parsed(plan)
    assert [case.get("name") for case in sea.iter("testcase")] == ["unknown: "]
    assert sea.findtext("system-out") == "warning: unmanaged: lab maps a to b"
    assert (everywhere.get("name"), everywhere.findtext("system-out")) == (
        "all vaults",
        "info: retired_scenario: retired",
    )


def test_a_suite_counts_its_cases() -> None:
    (suite,) = parsed(full_plan())
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["12", "7", "0", "1"]


def test_suites_match_the_strictest_schema() -> None:
    view = View(run=Run(at=1_700_000_010.0, seconds=10.0))
    plans = (full_plan(), applied(full_plan(), "failed", error="no"), Plan())
    for suite in (suite for plan in plans for suite in parsed(plan, view)):
        assert suite.attrib.keys() >= NEEDED
        assert suite.get("timestamp") == "2023-11-14T22:13:20"
        order = [child.tag for child in suite]
        assert order == ["properties", *["testcase"] * (len(order) - 3), "system-out", "system-err"]
        for case in suite.iter("testcase"):
            assert case.attrib.keys() == {"classname", "name", "time"}
            assert len(case) <= 1
            assert all(child.attrib.keys() == {"message", "type"} for child in case.iter("failure"))


@pytest.mark.parametrize("hostile", ["<script>&\"']]>", "a\x00b\x1b\x0b\ufffe\ud800", "two\nlines", "\u202eevil"])
def test_any_text_makes_well_formed_xml_without_control_characters(hostile: str) -> None:
    plan = Plan(
        pairs=(structs.replace(pair("x", forward="blocked"), name=hostile, vault=hostile),),
        findings=(finding(FindingKind.UNKNOWN, hostile, vault=hostile, pair=hostile, hint=hostile),),
    )
    text = render(plan, "junit")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff\u202e]", text)
    assert all(
        hostile.isprintable() is False or hostile in (case.get("classname") or "")
        for case in ET.fromstring(text).iter("testcase")
    )


def test_live_pairs_are_not_test_cases() -> None:
    with pytest.raises(InputError, match="live pairs cannot be written as junit"):
        render(LivePairs(vaults=(), pairs=()), "junit")
