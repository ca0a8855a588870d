"""Mermaid diagrams: regions, networks, an arrow for each pair."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from sample_plans import applied, change, full_plan, mapping, pair

from asrnet.model.plan import Plan
from asrnet.render import render
from asrnet.render.mermaid import MOST_DRAWN


def test_networks_are_drawn_in_their_regions_once() -> None:
    plan = Plan(pairs=(pair("a", recovery_network_id=pair("b").recovery_network_id), pair("b")))
    assert render(plan, "mermaid").splitlines() == [
        "flowchart LR",
        '  subgraph r0["eastasia"]',
        '    n0["a-ea"]',
        '    n2["b-ea"]',
        "  end",
        '  subgraph r1["southeastasia"]',
        '    n1["b-sea"]',
        "  end",
        '  n0 <-->|"a"| n1',
        '  n2 <-->|"b"| n1',
    ]


def test_arrows_show_the_worst_state_of_a_pair() -> None:
    arrows = [line for line in render(full_plan(), "mermaid").splitlines() if '|"' in line]
    assert [arrow.strip().partition(" ")[2].rpartition(" ")[0] for arrow in arrows] == [
        '<-.->|"app: to retarget"|',
        '<-.->|"crm: to create"|',
        '-->|"sap: left to another tool"|',
        '<-->|"hub"|',
        '-->|"old"|',
    ]


@pytest.mark.parametrize(
    ("forward", "reverse", "label"),
    [
        ("update", "create", "to retarget"),
        ("create", "create", "to create"),
        ("create", None, "to create"),
        ("in_sync", "create", "reverse to create"),
        ("create", "in_sync", "forward to create"),
    ],
)
def test_a_plan_draws_its_changes_and_a_run_without_them_draws_the_state_of_the_pair(
    forward: Any, reverse: Any, label: str
) -> None:
    changes = tuple(
        change("update" if state == "update" else "create", f"m-{direction}", "x", direction=direction)
        for direction, state in (("forward", forward), ("reverse", reverse))
        if state in {"update", "create"}
    )
    plan = Plan(pairs=(pair("x", forward=forward, reverse=reverse),), changes=changes)
    assert f'|"x: {label}"|' in render(plan, "mermaid")
    status = {"to retarget": "leads elsewhere", "to create": "missing"}.get(label, "half")
    assert f'|"x: {status}"|' in render(applied(plan, "skipped", refused=True), "mermaid")
    assert '|"x: corrected"|' in render(applied(plan, "succeeded"), "mermaid")


def test_a_mapping_is_not_shown_as_written_again_before_it_is() -> None:
    again = change("update", "m", "x", before=mapping("m", "x-ea", "x-sea"), after=mapping("m", "x-ea", "x-sea"))
    plan = Plan(pairs=(pair("x", forward="update"),), changes=(again,))
    assert '|"x: to write again"|' in render(plan, "mermaid")


@pytest.mark.parametrize(
    ("states", "tail", "head"),
    [(("in_sync", "create"), "x-ea", "x-sea"), (("create", "in_sync"), "x-sea", "x-ea")],
)
def test_a_half_pair_has_one_arrowhead_where_machines_can_go(states: tuple[Any, Any], tail: str, head: str) -> None:
    forward, reverse = states
    lines = render(Plan(pairs=(pair("x", forward=forward, reverse=reverse),)), "mermaid").splitlines()
    assert lines[-1] == '  n0 -.->|"x: half"| n1'
    assert {f'    n0["{tail}"]', f'    n1["{head}"]'} < set(lines)


def test_a_half_pair_that_is_left_to_another_tool_has_one_arrowhead_too() -> None:
    plan = Plan(pairs=(pair("x", reverse="external", managed_by="terraform"),))
    assert render(plan, "mermaid").splitlines()[-1] == '  n0 -->|"x: left to another tool"| n1'


def test_a_network_is_in_the_region_that_any_pair_knows_it_in() -> None:
    vague = pair("a", forward="blocked", primary_location=None, recovery_location=None)
    known = pair("b", primary_network_id=vague.primary_network_id)
    text = render(Plan(pairs=(vague, known)), "mermaid")
    assert text.count('["a-ea"]') == 1
    assert text.index('"eastasia"') < text.index("a-ea")


@pytest.mark.parametrize("char", list('"<>#&`%'))
def test_characters_special_to_mermaid_are_written_as_entities(char: str) -> None:
    plan = Plan(pairs=(structs.replace(pair("x"), name=f"a{char}b"),))
    assert render(plan, "mermaid").splitlines()[-1] == f'  n0 <-->|"a#{ord(char)};b"| n1'


def test_markdown_has_the_diagram_at_its_end() -> None:
    text = render(full_plan(), "markdown")
    assert text.endswith(f"\n```mermaid\n{render(full_plan(), 'mermaid')}```\n")


def test_markdown_of_no_pairs_has_no_diagram() -> None:
    assert "mermaid" not in render(Plan(), "markdown")


def test_a_diagram_in_markdown_shows_the_pairs_that_need_attention() -> None:
    many = Plan(pairs=(*(pair(f"p{number}") for number in range(MOST_DRAWN)), pair("bad", reverse="create")))
    text = render(many, "markdown")
    assert text.count('|"') == MOST_DRAWN
    assert "bad: half" in text
    assert f"Only {MOST_DRAWN} pairs are drawn" in text
