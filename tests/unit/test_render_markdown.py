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
    assert render(full_plan(), "markdown").startswith("Plan: 2 mappings to create, 1 to update, 1 to delete;")


def test_a_pair_is_a_table_row_with_its_details_in_the_last_cell() -> None:
    row = (
        "| \\+ | crm | crm-ea (eastasia) | &lt;-> | crm-ea-asr (southeastasia) | create "
        "| create<br>\\+ network crm-ea-asr: a copy |"
    )
    assert row in render(full_plan(), "markdown").splitlines()


def test_lines_that_do_not_fit_into_a_comment_are_counted_and_the_picture_stays_whole() -> None:
    pairs = tuple(pair(f"pair-{number:04}", forward="create", reverse="create") for number in range(2000))
    text = render(Plan(pairs=pairs), "markdown")
    assert len(text) < 65_536
    shown = sum(line.startswith("| ") for line in text.splitlines()) - 2
    assert 200 < shown < 2000
    assert f"*{2000 - shown:,} more lines do not fit into a comment" in text
    assert text.count("```") == 2
    assert text.endswith("Only 60 pairs are drawn, those that need attention first.\n")
    assert "left out" not in render(Plan(pairs=pairs[:200]), "markdown")
    assert summary(Plan(pairs=pairs), View()).count("| pair-1999 |") == 1


def test_each_table_has_a_rule_under_its_header_as_wide_as_it() -> None:
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
