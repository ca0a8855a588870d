"""Plans in Markdown, as a forge would show them."""

from __future__ import annotations

import pytest
from msgspec import structs
from sample_plans import full_plan, pair

from asrnet.model.findings import FindingKind, finding
from asrnet.model.plan import Plan
from asrnet.render import View, render
from asrnet.render.github import summary
from asrnet.render.markdown import escaped


def test_the_summary_comes_first() -> None:
    assert render(full_plan(), "markdown").startswith("Plan: create 1 network and 2 mappings,")


def test_a_pair_is_a_table_row_and_its_changes_have_a_column_of_their_own() -> None:
    shown = render(full_plan(), "markdown").splitlines()
    assert "|  | Pair | Primary |  | Recovery | Forward | Reverse | Changes |" in shown
    assert (
        "| \\+ | crm | crm-ea (eastasia) | &lt;-> | crm-ea-asr (southeastasia) | create | create "
        "| \\+ network crm-ea-asr: a copy |"
    ) in shown
    assert {line.count("|") for line in shown if "| &lt;-> |" in line} == {9}


def test_a_table_without_changes_to_explain_has_no_column_for_them() -> None:
    plan = Plan(pairs=(pair("hub", forward="create", reverse="create"),))
    assert "|  | Pair | Primary |  | Recovery | Forward | Reverse |" in render(plan, "markdown").splitlines()


def test_the_hint_of_a_finding_is_beside_its_message() -> None:
    plan = Plan(findings=(finding(FindingKind.ORPHAN, "lost", vault="sea", hint="delete it"),))
    assert "| orphan |  | lost<br>hint: delete it |" in render(plan, "markdown").splitlines()


def test_lines_that_do_not_fit_into_a_comment_are_counted_and_the_diagram_stays_whole() -> None:
    pairs = tuple(pair(f"pair-{number:04}", forward="create", reverse="create") for number in range(1000))
    text = render(Plan(pairs=pairs), "markdown")
    assert len(text) < 65_536
    shown = sum(line.startswith("| ") for line in text.splitlines()) - 2
    assert 200 < shown < 1000
    assert f"*{1000 - shown:,} more lines do not fit into a comment" in text
    assert text.count("```") == 2
    assert text.endswith("Only 60 pairs are drawn, those that need attention first.\n")
    assert "left out" not in render(Plan(pairs=pairs[:200]), "markdown")
    assert summary(Plan(pairs=pairs), View()).count("| pair-0999 |") == 1


def test_each_table_has_a_rule_under_its_header_of_the_same_width() -> None:
    lines = render(full_plan(), "markdown").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("| ---"):
            assert line.count("---") == lines[number - 1].count("|") - 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a|b", "a\\|b"),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("**bold** `code` _it_", "\\*\\*bold\\*\\* \\`code\\` \\_it\\_"),
        ("[x](http://evil.example)", "\\[x\\](http://evil.example)"),
        ("$x$", "\\$x\\$"),
        ("@someone", "@<!-- -->someone"),
        ("&lt;", "&amp;lt;"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("a\nb", "a\\\\nb"),
        ("\x1b[31m", "\\\\x1b\\[31m"),
        ("#12", "\\#12"),
        ("back\\slash", "back\\\\slash"),
    ],
)
def test_names_are_text_whatever_is_in_them(name: str, shown: str) -> None:
    assert escaped(name) == shown


def test_a_hostile_name_stays_within_its_cell() -> None:
    hostile = "a|b\n\n# <img src=x>"
    plan = Plan(
        pairs=(structs.replace(pair("x", forward="create"), name=hostile),),
        findings=(finding(FindingKind.ORPHAN, hostile, pair=hostile),),
    )
    lines = render(plan, "markdown").splitlines()
    assert len([line for line in lines if line.startswith("|") and "img" in line]) == 2
    assert not any("<img" in line for line in lines)
    assert render(structs.replace(plan, findings=()), "markdown").count("\n#") == 1
