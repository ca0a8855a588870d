"""Reports as text, and their exit codes."""

from __future__ import annotations

from typing import Any

import pytest
from sample_plans import change, full_plan, pair

from asrnet import exit_codes
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.model.plan import Change, Summary
from asrnet.model.report import AppliedChange, Report, result_of
from asrnet.render import View, render


def applied(made: Change, outcome: Any = "succeeded", **fields: Any) -> AppliedChange:
    known = {name: getattr(made, name) for name in made.__struct_fields__}
    return AppliedChange(**{"seconds": 2.5, **known, **fields, "outcome": outcome})


def report(*changes: AppliedChange, **fields: Any) -> Report:
    standard: dict[str, Any] = {
        "pairs": (pair("hub", forward="create", reverse="create"),),
        "requests": {"GET": 4, "PUT": 2, "retries": 1},
        "seconds": 3.21,
    }
    return Report(**{**standard, **fields}, changes=changes, result=result_of(changes))


FORWARD = change("create", "there", "hub")
REVERSE = change("create", "back", "hub", direction="reverse")


def lines(document: Report, **view: Any) -> list[str]:
    return [" ".join(line.split()) for line in render(document, "text", View(**view)).splitlines()]


def test_a_pair_that_was_made_is_one_line_with_its_time() -> None:
    shown = lines(report(applied(FORWARD), applied(REVERSE, seconds=3.04)))
    assert "+ hub hub-ea (eastasia) <-> hub-sea (southeastasia) succeeded 3.0" in shown
    assert shown[-1] == "Done: created 2 mappings; 6 requests, 1 retry, 3.2 s."


def test_directions_with_different_outcomes_are_told_apart_with_the_error_below() -> None:
    shown = lines(report(applied(FORWARD), applied(REVERSE, "failed", error="locked")))
    assert "! hub hub-ea (eastasia) <-> hub-sea (southeastasia) succeeded forward and failed reverse 2.5" in shown
    assert "+ reverse mapping back: failed: locked" in shown
    assert shown[-1].startswith("Partly done: 2 changes: 1 succeeded, 1 failed;")


def test_a_reason_that_makes_a_whole_vault_stale_is_shown_once() -> None:
    stale = {"outcome": "stale", "error": "mapping x has appeared", "refused": True}
    shown = lines(report(applied(FORWARD, **stale), applied(REVERSE, **stale), applied(REVERSE, "stale", error="gone")))
    assert shown.count("+ forward mapping there: stale: mapping x has appeared") == 1
    assert not [line for line in shown if line.startswith("+ reverse mapping back: stale: mapping x")]
    assert "+ reverse mapping back: stale: gone" in shown


def test_changes_with_one_outcome_are_named_as_in_the_plan() -> None:
    network = change("create", "copy", "hub", kind="virtual_network")
    stale = [applied(made, "stale", refused=True) for made in (network, FORWARD, REVERSE)]
    assert lines(report(*stale))[-1].startswith("Refused: 3 changes stale: create 1 network and 2 mappings;")
    assert lines(report(applied(FORWARD, "failed")))[-1].startswith("Failed: 1 change failed: create 1 mapping;")


def test_changes_in_flight_and_an_interrupt_are_shown() -> None:
    shown = lines(report(applied(FORWARD, "in_flight", error="accepted"), interrupted=True))
    assert "? hub hub-ea (eastasia) <-> hub-sea (southeastasia) in flight 2.5" in shown
    assert shown[-1].startswith("Interrupted: ")
    assert "some changes may still be under way; running again finishes the rest" in shown[-1]


def test_a_run_that_is_fully_blocked_has_nothing_to_do() -> None:
    shown = lines(report(pairs=(pair("lost", forward="blocked", reverse="blocked"),), summary=Summary(blocked=2)))
    assert shown[-1].startswith("Nothing can be done: 0 mappings in sync, 2 blocked")


def test_a_blocked_pair_is_shown_beside_what_was_done() -> None:
    pairs = (pair("hub", forward="create", reverse="create"), pair("lost", forward="blocked", reverse="blocked"))
    shown = lines(report(applied(FORWARD), pairs=pairs, summary=Summary(create=1, blocked=2)))
    assert "! lost lost-ea (eastasia) <-> lost-sea (southeastasia) blocked" in shown
    assert "2 mappings blocked" in shown[-1]


def test_changes_of_no_pair_are_listed_separately() -> None:
    lab = change("delete", "lab", None, before=full_plan().changes[-1].before, after=None)
    assert "- forward mapping lab in vault sea: failed: locked" in lines(report(applied(lab, "failed", error="locked")))


def test_nothing_to_do_is_one_line_unless_all_pairs_are_requested() -> None:
    nothing = report(pairs=(pair("hub"),), summary=Summary(in_sync=2), requests={}, seconds=0.0)
    assert lines(nothing) == ["Nothing to do: 2 mappings in sync."]
    assert "= hub hub-ea (eastasia) <-> hub-sea (southeastasia) in sync" in lines(nothing, all_pairs=True)


BLOCKED = finding(FindingKind.DUPLICATE, "twice", vault="sea", pair="hub")
FAILOVER = finding(FindingKind.FAILOVER_ACTIVE, "vm1 fails over", vault="sea", pair="hub")


@pytest.mark.parametrize(
    ("changes", "findings", "interrupted", "code"),
    [
        ([], [], False, exit_codes.DONE),
        ([applied(FORWARD)], [], False, exit_codes.DONE),
        ([applied(FORWARD)], [finding(FindingKind.UNMANAGED, "lab")], False, exit_codes.DONE),
        ([applied(FORWARD)], [BLOCKED], False, exit_codes.PENDING),
        ([], [BLOCKED], False, exit_codes.PENDING),
        ([applied(FORWARD), applied(REVERSE, "failed")], [], False, exit_codes.ERROR),
        ([applied(FORWARD), applied(REVERSE, "rolled_back")], [], False, exit_codes.ERROR),
        ([applied(FORWARD, "in_flight")], [], False, exit_codes.ERROR),
        ([applied(FORWARD, "skipped")], [], False, exit_codes.ERROR),
        ([applied(FORWARD)], [], True, exit_codes.ERROR),
        ([applied(FORWARD, "stale", refused=True)], [], False, exit_codes.REFUSED),
        ([applied(FORWARD, "skipped", refused=True)], [], False, exit_codes.REFUSED),
        ([applied(FORWARD), applied(REVERSE, "stale", refused=True)], [], False, exit_codes.PENDING),
        ([], [FAILOVER], False, exit_codes.REFUSED),
        ([applied(FORWARD)], [FAILOVER], False, exit_codes.PENDING),
        ([], [FAILOVER, BLOCKED], False, exit_codes.PENDING),
    ],
)
def test_the_exit_code_of_a_report(
    changes: list[AppliedChange], findings: list[Finding], interrupted: bool, code: int
) -> None:
    assert exit_codes.exit_code(report(*changes, findings=tuple(findings), interrupted=interrupted)) == code


@pytest.mark.parametrize("output", ["text", "markdown"])
def test_a_hint_that_many_pairs_share_is_given_once_below_the_tables(output: str) -> None:
    hints = ("grant the missing right", "wait until the job has ended", "plan again")
    names = [f"p{number}" for number in range(200)]
    changes = (
        applied(change("create", f"m-{name}", name, direction="forward"), "failed", error="no", hint=hints[number % 3])
        for number, name in enumerate(names)
    )
    text = render(report(*changes, pairs=tuple(pair(name, forward="create") for name in names)), output)
    assert [text.count(hint) for hint in hints] == [1, 1, 1]
    assert "for p0, p3, p6 and 64 more: grant the missing right" in text


def test_a_hint_of_two_pairs_is_given_once_and_names_both() -> None:
    changes = [
        applied(change("create", f"m-{name}", name, direction="forward"), "failed", error="no", hint="plan again")
        for name in ("hub", "app")
    ]
    text = render(report(*changes, pairs=(pair("hub", forward="create"), pair("app", forward="create"))), "text")
    assert text.count("plan again") == 1
    assert "for hub, app: plan again" in text


def test_a_hint_of_one_pair_stays_below_its_change() -> None:
    failed = applied(change("create", "m", "hub", direction="forward"), "failed", error="no", hint="plan again")
    lines = [line.strip() for line in render(report(failed), "text").splitlines()]
    assert lines[lines.index("+ forward mapping m: failed: no") + 1] == "hint: plan again"
    assert "What to do" not in lines
