"""Plans as JSON: the Structs as they are."""

from __future__ import annotations

import json

from sample_plans import full_plan

from asrnet.model.plan import load_plan
from asrnet.render import render


def test_a_plan_has_the_documented_keys() -> None:
    document = json.loads(render(full_plan().sealed(), "json"))
    promised = ["format_version", "checksum", "summary", "resources", "rules", "changes", "findings"]
    assert set(promised) <= document.keys()
    assert document["format_version"] == "1.1"
    assert document["summary"] == {"in_sync": 2, "create": 2, "update": 1, "delete": 1, "blocked": 2, "unmanaged": 1}
    assert document["resources"] == {"virtual_network": 1, "fabric": 0, "resource_group": 0, "protected_item": 0}


def test_a_change_has_the_documented_keys() -> None:
    change = json.loads(render(full_plan(), "json"))["changes"][1]
    promised = {
        *("id", "action", "kind", "vault", "pair", "direction", "name", "resource_id", "primary_network_id"),
        *("recovery_network_id", "before", "after", "reason", "steps", "depends_on"),
    }
    assert promised <= change.keys()
    assert {"action", "resource_id"} <= change["steps"][0].keys()


def test_a_finding_has_exactly_the_documented_keys() -> None:
    findings = json.loads(render(full_plan(), "json"))["findings"]
    assert findings[1] == {
        "kind": "missing_network",
        "severity": "error",
        "message": "lost-ea does not exist",
        "vault": "sea",
        "pair": "lost",
        "subject": None,
        "hint": "create it",
    }


def test_the_printed_json_can_be_applied() -> None:
    plan = full_plan().sealed()
    assert load_plan(render(plan, "json").encode(), source="plan.json") == plan
