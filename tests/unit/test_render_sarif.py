"""SARIF: valid, on the lines that declare the pairs, with explain's texts, and stable between runs."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are not worth a dependency for one test
import pytest
from failover_worlds import address, machine, prediction, subnet, vnet
from msgspec import structs
from sample_plans import applied, change, full_plan, mapping, pair
from sarif_schema import SARIF

from asrnet.files.problems import Mistake
from asrnet.files.validation import Validation
from asrnet.glossary import explain
from asrnet.model.findings import FindingKind, finding
from asrnet.model.limits import Limits
from asrnet.model.plan import Plan
from asrnet.render import Run, View, render

VALIDATOR = jsonschema.Draft202012Validator(SARIF, format_checker=jsonschema.FormatChecker())

PENDING = Plan(
    pairs=(pair("app", reverse="create", file="dr/asrnet.yaml", line=12),),
    changes=(change("create", "back", "app", direction="reverse", reason="the reverse mapping is missing"),),
    findings=(finding(FindingKind.HALF_PAIR, "mapped one way", vault="sea", pair="app", hint="apply"),),
)
HERE = vnet("here", subnet("web", "10.0.1.0/24"))
LOST = prediction([machine("a", HERE, address("web", "10.0.1.4"))], [HERE], [])


def run_of(document: Any, view: View | None = None) -> dict[str, Any]:
    log = json.loads(render(document, "sarif", view))
    VALIDATOR.validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        result["ruleId"] for result in run["results"]
    ]
    return dict(run)


def results(document: Any, view: View | None = None) -> list[dict[str, Any]]:
    return list(run_of(document, view)["results"])


def place(result: dict[str, Any]) -> tuple[str, int] | None:
    physical = result["locations"][0].get("physicalLocation") if result["locations"] else None
    return (physical["artifactLocation"]["uri"], physical["region"]["startLine"]) if physical else None


@pytest.mark.parametrize("document", [full_plan(), applied(full_plan(), "failed", error="no"), PENDING, Plan(), LOST])
def test_every_document_is_a_valid_log(document: Any) -> None:
    assert run_of(document)["tool"]["driver"]["name"] == "asrnet"


def test_a_finding_is_a_result_on_the_line_of_its_pair() -> None:
    (result,) = results(PENDING)
    assert (result["ruleId"], result["level"], place(result)) == ("half_pair", "warning", ("dr/asrnet.yaml", 12))
    assert result["message"]["text"] == "mapped one way\napply"
    assert result["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "sea/app", "kind": "resource"}]


def test_files_are_named_as_the_checkout_has_them_and_as_a_uri() -> None:
    odd = structs.replace(PENDING, pairs=(structs.replace(PENDING.pairs[0], file="dr/my file#1.yaml"),))
    (result,) = results(odd, View(folder="/checkout/infra", workspace="/checkout"))
    assert place(result) == ("infra/dr/my%20file%231.yaml", 12)
    outside = structs.replace(PENDING, pairs=(structs.replace(PENDING.pairs[0], file="/etc/a.yaml"),))
    (result,) = results(outside, View(folder="/checkout", workspace="/checkout"))
    assert place(result) == ("file:///etc/a.yaml", 12)


def test_a_finding_of_no_pair_is_at_the_top_of_its_vaults_file() -> None:
    lab = finding(FindingKind.UNMANAGED, "lab maps a to b", vault="sea")
    plan = structs.replace(PENDING, findings=(lab,))
    assert [place(result) for result in results(plan)] == [("dr/asrnet.yaml", 1)]
    assert [place(result) for result in results(Plan(findings=(lab,)))] == [None]


def test_the_rules_are_explained_as_explain_does() -> None:
    (rule,) = run_of(PENDING)["tool"]["driver"]["rules"]
    (entry,) = explain("half_pair").explanations
    assert rule["shortDescription"]["text"] == entry.meaning
    assert rule["help"]["text"] == f"{entry.meaning}\n\nWhat to do: {entry.remedy}"
    assert (rule["name"], rule["defaultConfiguration"]) == ("HalfPair", {"level": "warning"})


def test_a_fingerprint_survives_another_message_line_and_case_and_tells_two_results_apart() -> None:
    def fingerprints(plan: Plan) -> list[str]:
        return [result["partialFingerprints"]["asrnet/v1"] for result in results(plan)]

    moved = structs.replace(
        PENDING,
        pairs=(structs.replace(PENDING.pairs[0], line=40),),
        findings=(structs.replace(PENDING.findings[0], message="mapped one way, still", hint=""),),
    )
    assert fingerprints(moved) == fingerprints(PENDING)
    other_pair = structs.replace(PENDING, findings=(structs.replace(PENDING.findings[0], pair="web"),))
    assert fingerprints(other_pair) != fingerprints(PENDING)
    twice = structs.replace(PENDING, findings=PENDING.findings * 2)
    assert len(set(fingerprints(twice))) == 2
    by_subject = [
        structs.replace(PENDING, findings=(structs.replace(PENDING.findings[0], subject=subject),))
        for subject in ("/Subscriptions/A", "/subscriptions/a")
    ]
    assert fingerprints(by_subject[0]) == fingerprints(by_subject[1])


def test_github_is_given_the_fingerprint_that_it_reads() -> None:
    (result,) = results(PENDING)
    values = result["partialFingerprints"]
    assert values["primaryLocationLineHash"] == values["asrnet/v1"]


def test_limits_that_would_refuse_the_plan_are_results() -> None:
    plan = structs.replace(full_plan(), limits=Limits(max_updates=0, max_deletes=1))
    (result,) = (result for result in results(plan) if result["ruleId"] == "max_updates")
    assert result["level"] == "error"
    assert result["message"]["text"].startswith(
        "apply would refuse this: vault sea: 1 mapping to update, but max_updates is 0"
    )
    assert not [result for result in results(plan, View(forced=("max_updates",))) if result["ruleId"] == "max_updates"]


def test_changes_of_a_report_that_were_not_made_are_results_with_their_outcome() -> None:
    report = applied(structs.replace(PENDING, findings=()), "rolled_back", error="busy")
    (result,) = results(report)
    assert (result["ruleId"], result["level"], place(result)) == ("rolled_back", "error", ("dr/asrnet.yaml", 12))
    assert result["message"]["text"].endswith("the reverse mapping is missing\nbusy")
    assert results(applied(structs.replace(PENDING, findings=()), "succeeded")) == []


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_warning_of_a_change_is_a_result_whether_the_change_succeeded_or_not(outcome: str) -> None:
    report = applied(full_plan(), outcome, warnings=("its reverse took long",))
    warnings = [result for result in results(report) if result["ruleId"] == "change_warning"]
    assert len(warnings) == len(report.changes)
    assert {result["level"] for result in warnings} == {"warning"}
    assert all(result["message"]["text"].endswith(": its reverse took long") for result in warnings)
    assert {place(result) for result in results(applied(PENDING, outcome, warnings=("slow",)))} == {
        ("dr/asrnet.yaml", 12)
    }
    assert len({result["partialFingerprints"]["asrnet/v1"] for result in warnings}) == len(warnings)


def test_a_corrected_finding_is_not_a_result() -> None:
    left = Plan(pairs=(pair("app", file="dr/asrnet.yaml", line=12),))
    assert results(applied(PENDING, "succeeded"), View(run=Run(left=left))) == []


def test_an_address_that_is_cut_off_is_an_error_of_its_machine() -> None:
    found = results(LOST)
    assert ("loses_connectivity", "error") in {(result["ruleId"], result["level"]) for result in found}
    assert {result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for result in found} == {
        "a/nic0/ipconfig1"
    }


def test_mistakes_are_results_at_their_lines() -> None:
    mistakes = (
        Mistake(file="a.yaml", line=3, path="pairs[0].vault", message="unknown vault", hint="declared: sea"),
        Mistake(file="a.yaml", message="nothing is declared"),
    )
    found = results(Validation(files=(), mistakes=mistakes))
    assert [place(result) for result in found] == [("a.yaml", 3), ("a.yaml", 1)]
    assert found[0]["message"]["text"] == "pairs[0].vault: unknown vault\ndeclared: sea"


def test_control_characters_of_names_are_escaped() -> None:
    evil = finding(FindingKind.ORPHAN, "a\x1b[31m\u202eb", vault="s\u202ea", pair="x\x07")
    plan = Plan(findings=(evil,), changes=(change("delete", "x", None, before=mapping("x", "a", "b"), after=None),))
    text = render(plan, "sarif")
    assert not set("\x1b\x07\u202e") & set(text)
    assert results(plan)[0]["message"]["text"] == "a\\x1b[31m\\u202eb"
