"""GitHub workflow commands: on the right line, in the right order, and without injection."""

from __future__ import annotations

import pytest
from msgspec import structs
from sample_plans import applied, change, full_plan, mapping, pair

from asrnet.errors import InputError
from asrnet.inventory.live_pairs import LivePairs
from asrnet.model.findings import FindingKind, finding
from asrnet.model.limits import Limits
from asrnet.model.plan import Plan
from asrnet.render import Run, View, render
from asrnet.render.github import Annotation, command, outputs, summary

PENDING = Plan(
    pairs=(pair("app", reverse="create", file="dr/asrnet.yaml", line=12),),
    changes=(change("create", "back", "app", direction="reverse", reason="the reverse mapping is missing"),),
    findings=(finding(FindingKind.HALF_PAIR, "mapped one way", vault="sea", pair="app", hint="apply"),),
)


def lines(document: Plan, view: View | None = None) -> list[str]:
    return render(document, "github", view).splitlines()


def said(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_finding_is_annotated_where_its_pair_is_declared() -> None:
    assert lines(PENDING) == [
        "::warning file=dr/asrnet.yaml,line=12,title=half_pair%3A app::mapped one way%0Aapply",
    ]


@pytest.mark.parametrize(
    ("folder", "workspace", "file"),
    [
        ("/checkout/infra", "/checkout", "infra/dr/asrnet.yaml"),
        ("/checkout", "/checkout", "dr/asrnet.yaml"),
        ("/elsewhere", "/checkout", "dr/asrnet.yaml"),
        ("/checkout", "", "dr/asrnet.yaml"),
        ("/checkout/a", "/checkout/b", "dr/asrnet.yaml"),
    ],
)
def test_files_are_named_as_the_checkout_has_them(folder: str, workspace: str, file: str) -> None:
    (line,) = lines(PENDING, View(folder=folder, workspace=workspace))
    assert line.startswith(f"::warning file={file},line=12,")


def test_a_file_given_with_its_whole_path_is_found_in_the_checkout() -> None:
    plan = structs.replace(PENDING, pairs=(structs.replace(PENDING.pairs[0], file="/checkout/x/a.yaml"),))
    (line,) = lines(plan, View(folder="/anywhere", workspace="/checkout"))
    assert line.startswith("::warning file=x/a.yaml,line=12,")


def test_a_finding_of_no_pair_is_annotated_on_the_run() -> None:
    plan = Plan(findings=(finding(FindingKind.UNMANAGED, "lab maps a to b", vault="sea"),))
    assert lines(plan) == ["::warning title=unmanaged::lab maps a to b"]


def test_the_most_severe_come_first() -> None:
    kinds = (FindingKind.ZONE_TO_ZONE, FindingKind.ORPHAN, FindingKind.UNKNOWN, FindingKind.UNMANAGED)
    plan = Plan(findings=tuple(finding(kind, "x", vault="sea") for kind in kinds))
    assert [line.split()[0] for line in lines(plan)] == ["::error", "::warning", "::warning", "::notice"]


@pytest.mark.parametrize(
    ("text", "in_property", "in_message"),
    [
        ("50%", "50%25", "50%25"),
        ("a:b,c", "a%3Ab%2Cc", "a:b,c"),
        ("a\nb\r\nc", "a%0Ab%0Ac", "a%0Ab%0Ac"),
        ("::error::x", "%3A%3Aerror%3A%3Ax", "::error::x"),
        ("%0A", "%250A", "%250A"),
        ("\x1b[31m\u202e", "\\x1b[31m\\u202e", "\\x1b[31m\\u202e"),
    ],
)
def test_text_is_escaped_so_that_it_stays_in_its_place(text: str, in_property: str, in_message: str) -> None:
    shown = command(Annotation(level="error", title=text, message=text, file=text, line=3))
    assert shown == f"::error file={in_property},line=3,title={in_property}::{in_message}"


def test_a_limit_that_is_exceeded_is_an_error_unless_it_is_forced() -> None:
    deletion = change("delete", "lab", None, before=mapping("lab", "lab-ea", "lab-sea"), after=None)
    plan = Plan(changes=(deletion,), existing={"sea": 3}, limits=Limits(max_deletes=0))
    assert lines(plan)[0].startswith("::error title=apply would refuse this::vault sea: 1 ")
    assert lines(plan, View(forced=("max_deletes",))) == ["::warning title=to delete%3A sea::- forward mapping lab: "]


def test_a_corrected_pair_is_a_notice_and_a_failed_one_an_error() -> None:
    (done,) = lines(applied(PENDING, "succeeded"))
    assert done == (
        "::notice file=dr/asrnet.yaml,line=12,title=done%3A app::+ reverse mapping back: the reverse mapping is missing"
    )
    failed = lines(applied(PENDING, "rolled_back", error="Azure said no"))[0]
    assert failed.startswith("::error file=dr/asrnet.yaml,line=12,title=rolled back%3A app::+ reverse mapping back: ")
    assert failed.endswith("%0AAzure said no")


def test_a_safeguards_refusal_is_printed_once_beside_the_pending_changes() -> None:
    two = structs.replace(PENDING, changes=(*PENDING.changes, change("create", "other", "app")))
    report = applied(two, "skipped", error="vault sea: 2 is over 1; use --force", refused=True)
    assert lines(report) == [
        "::error title=refused::vault sea: 2 is over 1; use --force",
        "::warning file=dr/asrnet.yaml,line=12,title=half_pair%3A app::mapped one way%0Aapply",
    ]


def test_live_pairs_have_no_annotations() -> None:
    with pytest.raises(InputError, match="live pairs cannot be written as github"):
        render(LivePairs(vaults=(), pairs=()), "github")


def test_the_step_outputs_are_drift_counts_and_the_summary() -> None:
    assert said(outputs(full_plan(), View())) == {
        "drift": "true",
        "in_sync": "2",
        "create": "2",
        "update": "1",
        "delete": "1",
        "blocked": "2",
        "unmanaged": "1",
        "machines": "0",
        "errors": "1",
        "warnings": "1",
        "result": "planned",
        "summary": render(full_plan(), "text").splitlines()[-1],
    }


def test_the_step_has_drift_where_warnings_count() -> None:
    plan = Plan(findings=(finding(FindingKind.UNMANAGED, "nobody asks for it", vault="sea"),))
    assert [said(outputs(plan, View(warnings_count=count)))["drift"] for count in (False, True)] == ["false", "true"]


def test_after_a_correction_the_step_outputs_are_what_is_left() -> None:
    left = Plan(pairs=(pair("app"),), summary=structs.replace(PENDING.summary, in_sync=2))
    values = said(outputs(applied(PENDING, "succeeded"), View(run=Run(left=left))))
    assert (values["drift"], values["in_sync"], values["warnings"], values["result"]) == (
        "false",
        "2",
        "0",
        "succeeded",
    )


def test_a_summary_too_long_for_github_is_cut_between_lines_with_a_note() -> None:
    whole = summary(full_plan(), View())
    cut = summary(full_plan(), View(), room=600)
    assert len(cut.encode()) <= 600
    kept, _, remark = cut.rpartition("\n*")
    assert whole.startswith(kept)
    assert whole[len(kept) - 1] == "\n"
    assert remark.startswith("The rest is left out")


def test_without_room_there_is_no_summary() -> None:
    assert summary(full_plan(), View(), room=10) == ""
