"""The states of pairs after a plan, a report, and the plan that follows a report."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from sample_plans import applied, change, machine_plan, mapping, pair

from asrnet.model.findings import FindingKind, finding
from asrnet.model.plan import Change, Plan
from asrnet.render.pair_status import PairResult, is_drifting, pair_results


def only(document: Plan, left: Plan | None = None) -> PairResult:
    (one,) = pair_results(document, left).pairs
    return one


def update(before: str, after: str, **fields: Any) -> Change:
    return change(
        "update", "m", "app", before=mapping("m", "app-ea", before), after=mapping("m", "app-ea", after), **fields
    )


@pytest.mark.parametrize(
    ("forward", "reverse", "status"),
    [
        ("in_sync", "in_sync", "in_sync"),
        ("in_sync", None, "in_sync"),
        ("in_sync", "create", "half"),
        ("create", "in_sync", "half"),
        ("create", "create", "missing"),
        ("create", None, "missing"),
        ("update", "create", "retargeted"),
        ("blocked", "create", "blocked"),
        ("external", "in_sync", "external"),
    ],
)
def test_a_planned_pair_has_the_state_of_its_directions(forward: Any, reverse: Any, status: str) -> None:
    plan = Plan(pairs=(pair("app", forward=forward, reverse=reverse),), changes=(update("old", "new"),))
    assert only(plan).status == status


def test_an_update_that_keeps_the_target_is_no_retarget() -> None:
    plan = Plan(pairs=(pair("app", forward="update"),), changes=(update("app-sea", "app-sea"),))
    assert only(plan).status == "not_paired"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("succeeded", "corrected"), ("failed", "failed"), ("in_flight", "failed"), ("stale", "failed")],
)
def test_a_pair_of_a_report_has_the_outcome_of_its_change(outcome: Any, status: str) -> None:
    report = applied(Plan(pairs=(pair("app", forward="create"),), changes=(change("create", "m", "app"),)), outcome)
    assert only(report).status == status


@pytest.mark.parametrize(
    ("outcome", "refused", "status"),
    [
        ("succeeded", False, "in_sync"),
        ("failed", False, "failed"),
        ("rolled_back", False, "failed"),
        ("stale", False, "failed"),
        ("in_flight", False, "failed"),
        ("skipped", False, "failed"),
        ("skipped", True, "in_sync"),
    ],
)
def test_a_pair_is_failed_when_only_its_machines_failed(outcome: Any, refused: bool, status: str) -> None:
    report = applied(machine_plan(), outcome, refused=refused)
    assert only(report).status == status


def test_a_machine_that_failed_and_is_in_sync_by_now_does_not_make_its_pair_failed() -> None:
    plan = machine_plan()
    by_now = tuple(structs.replace(machine, status="in_sync", planned=None) for machine in plan.machines)
    (result,) = pair_results(applied(plan, "failed"), structs.replace(plan, changes=(), machines=by_now)).pairs
    assert result.status == "in_sync"


def test_a_pair_whose_mappings_were_corrected_before_a_machine_failed_has_no_finding_about_them() -> None:
    half = finding(FindingKind.HALF_PAIR, "one way", vault="sea", pair="hub")
    plan = machine_plan()
    (hub,) = plan.pairs
    mended = applied(Plan(changes=(change("create", "m", "hub", direction="reverse"),)), "succeeded").changes
    report = applied(structs.replace(plan, pairs=(structs.replace(hub, reverse="create"),), findings=(half,)), "failed")
    result = only(structs.replace(report, changes=(*report.changes, *mended)))
    assert (result.status, result.findings) == ("failed", ())


def test_a_corrected_finding_is_no_longer_shown_with_its_pair() -> None:
    plan = Plan(
        pairs=(pair("app", reverse="create"),),
        changes=(change("create", "m", "app", direction="reverse"),),
        findings=(finding(FindingKind.HALF_PAIR, "one way", vault="sea", pair="app"),),
    )
    assert [found.kind for found in only(plan).drift()] == ["half_pair"]
    assert only(applied(plan, "succeeded")).findings == ()


def test_a_retargeted_pair_is_not_reported_as_half_as_well() -> None:
    findings = (
        finding(FindingKind.HALF_PAIR, "one way", vault="sea", pair="app"),
        finding(FindingKind.RETARGETED, "elsewhere", vault="sea", pair="app"),
    )
    plan = Plan(
        pairs=(pair("app", forward="update", reverse="update"),),
        changes=(update("old", "new", direction="both"),),
        findings=findings,
    )
    assert [found.kind for found in only(plan).findings] == ["retargeted"]


def test_a_pair_that_a_safeguard_refused_is_still_pending() -> None:
    plan = Plan(pairs=(pair("app", reverse="create"),), changes=(change("create", "m", "app", direction="reverse"),))
    refused = applied(plan, "skipped", error="over a limit", refused=True)
    assert only(refused).status == "half"
    assert is_drifting(refused)


def test_the_plan_after_a_report_decides() -> None:
    plan = Plan(pairs=(pair("app", forward="create"),), changes=(change("create", "m", "app"),))
    now_there = Plan(pairs=(pair("app"),))
    assert only(applied(plan, "in_flight"), now_there).status == "in_sync"
    assert only(applied(plan, "succeeded"), now_there).status == "corrected"
    assert only(applied(plan, "succeeded"), plan).status == "half"


def test_a_pair_that_another_tool_manages_is_not_drift() -> None:
    found = finding(FindingKind.HALF_PAIR, "one way", vault="sea", pair="sap")
    plan = Plan(pairs=(pair("sap", reverse="external", managed_by="terraform"),), findings=(found,))
    assert only(plan).drift() == ()
    assert not is_drifting(plan)


def test_findings_and_changes_of_no_pair_are_separate() -> None:
    stray = change("delete", "lab", None, before=mapping("lab", "lab-ea", "lab-sea"), after=None)
    found = finding(FindingKind.ORPHAN, "gone", vault="sea")
    stand = pair_results(Plan(pairs=(pair("app"),), changes=(stray,), findings=(found,)))
    assert (stand.changes, stand.findings) == ((stray,), (found,))


def test_drift_is_changes_not_made_and_errors() -> None:
    plan = Plan(pairs=(pair("app", forward="create"),), changes=(change("create", "m", "app"),))
    warned = Plan(pairs=(pair("app"),), findings=(finding(FindingKind.UNMANAGED, "x", vault="sea"),))
    blocked = Plan(findings=(finding(FindingKind.UNKNOWN, "x", vault="sea"),))
    assert [is_drifting(one) for one in (plan, warned, blocked)] == [True, False, True]
    assert [is_drifting(applied(plan, outcome)) for outcome in ("succeeded", "failed")] == [False, True]
    assert is_drifting(applied(plan, "succeeded"), plan)
    assert not is_drifting(structs.replace(plan, changes=()))
