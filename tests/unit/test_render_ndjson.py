"""NDJSON: an object on each line, each with its type, which together are the JSON of the document."""

from __future__ import annotations

import json
from typing import Any

from failover_worlds import address, machine, mapping, prediction, subnet, vnet
from sample_plans import applied, full_plan, machine_plan

from asrnet.model.findings import FindingKind, finding
from asrnet.model.plan import Plan
from asrnet.render import render

HERE, THERE = vnet("here", subnet("web", "10.0.1.0/24")), vnet("there", subnet("web", "10.1.1.0/24"))
SINGULAR = {
    "rules": "rule",
    "pairs": "pair",
    "machines": "machine",
    "findings": "finding",
    "changes": "change",
    "landings": "landing",
    "interfaces": "interface",
}


def lines(document: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in render(document, "ndjson").splitlines()]


def test_a_plan_is_a_header_its_parts_and_its_summary() -> None:
    types = [line["type"] for line in lines(full_plan())]
    assert types == ["plan", "rule", *["pair"] * 6, *["finding"] * 3, *["change"] * 5, "summary"]
    assert [line["type"] for line in lines(Plan())] == ["plan", "summary"]


def test_the_lines_together_are_the_json_of_the_document() -> None:
    machines = [machine("a", HERE, address("web", "10.0.1.4"))]
    predicted = prediction(machines, [HERE, THERE], [mapping(HERE, THERE)])
    for document in (full_plan(), machine_plan(), applied(full_plan(), "failed", error="no"), predicted):
        head, *parts, summary = lines(document)
        whole = json.loads(render(document, "json"))
        assert summary == {"type": "summary", **whole.pop("summary")}
        for key, singular in SINGULAR.items():
            listed = whole.pop(key, [])
            assert [part for part in parts if part["type"] == singular] == [
                {"type": singular, **element} for element in listed
            ]
        assert head == {"type": type(document).__name__.lower(), **whole}


def test_no_name_can_begin_a_line_or_act_on_a_terminal() -> None:
    text = render(Plan(findings=(finding(FindingKind.ORPHAN, "a\n::error::\u202eb\u2028c"),)), "ndjson")
    assert len(text.splitlines()) == 3
    assert not {"\u202e", "\u2028"} & set(text)
