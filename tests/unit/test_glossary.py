"""The glossary: every word of a result is explained, from the table that defines it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest

import asrnet
from asrnet import errors, exit_codes
from asrnet.errors import REFUSALS, InputError
from asrnet.failover.landing import Outcome as OutcomeOfAddress
from asrnet.failover.rules import NOTICES, RULES
from asrnet.fake.behaviour import Behaviour
from asrnet.glossary import explain, glossary
from asrnet.inventory.live_pairs import LiveStatus
from asrnet.model.findings import FindingKind
from asrnet.model.limits import FORCEABLE, Limits
from asrnet.model.plan import ChangeKind, MachineStatus, PairStatus
from asrnet.model.report import OUTCOMES, Outcome, Result
from asrnet.render.pair_status import Status
from asrnet.render.wording import SYMBOLS, WAITS


def words(kind: str) -> list[str]:
    return [entry.word for entry in glossary() if entry.kind == kind]


def test_every_word_of_every_table_is_explained() -> None:
    assert words("finding") == [kind.value for kind in FindingKind]
    assert words("rule") == list(RULES)
    assert words("notice") == list(NOTICES)
    assert words("exit_code") == ["0", "1", "2", "3"]
    assert words("limit") == list(Limits.__struct_fields__)
    assert words("outcome") == list(get_args(Outcome)) == list(OUTCOMES)
    assert words("result") == list(get_args(Result))
    assert words("prediction_outcome") == [*get_args(OutcomeOfAddress), "without_nics", "out_of_scope"]
    assert words("refusal") == list(REFUSALS)
    assert words("change") == list(get_args(ChangeKind))
    assert words("behaviour") == list(Behaviour.__struct_fields__)
    classes = [name for name, value in vars(errors).items() if isinstance(value, type)]
    assert sorted(words("error")) == sorted(name for name in classes if name.endswith("Error"))
    codes = {value for value in vars(exit_codes).values() if isinstance(value, int)}
    assert codes == set(exit_codes.MEANINGS)


def test_every_state_and_sign_of_a_table_is_explained() -> None:
    states = {*get_args(PairStatus), *get_args(MachineStatus), *get_args(LiveStatus), *get_args(Status)}
    explained = {entry.word for entry in glossary()}
    assert states - explained == set()
    signs = {*SYMBOLS.values(), "=", "!", "?", WAITS}
    assert signs - set(words("sign")) == set()


WORDS = {
    "states": ("blocked", "in sync", "paired", "create", "held", "retarget"),
    "concepts": ("failover", "drift", "copy", "managed_by", "world"),
    "machines": ("machines", "follow", "report", "test", "test network", "release_addresses", "max_machines"),
    "changes and worlds": ("protected_item", "partial_update"),
}


@pytest.mark.parametrize("word", [word for words in WORDS.values() for word in words])
def test_the_words_of_plans_and_messages_are_explained(word: str) -> None:
    assert explain(word).explanations


def test_a_behaviour_of_worlds_is_explained_with_its_choices_and_the_default() -> None:
    (entry,) = explain("partial_update").explanations
    assert entry.meaning == (
        "What happens to a machine's settings that a PATCH leaves out: keep or lose. keep is the default."
    )
    assert entry.remedy == "Set `partial_update` under `behaviour` in a world."


@pytest.mark.parametrize("sign", ["=", "~", "!", "..", "?", "+", "-", "<->"])
def test_a_sign_is_explained(sign: str) -> None:
    assert [entry.kind for entry in explain(sign).explanations] == ["sign"]


def test_every_word_of_a_kind_has_one_explanation() -> None:
    keys = [(entry.kind, entry.word) for entry in glossary()]
    assert len(keys) == len(set(keys))
    assert [entry.word for entry in glossary() if not entry.meaning] == []


def test_a_finding_is_explained_with_its_remedy_its_severity_and_whether_it_is_drift() -> None:
    (entry,) = explain("half_pair").explanations
    assert (entry.kind, entry.severity, entry.drift) == ("finding", "warning", "yes, as long as its change is pending")
    assert (entry.meaning, entry.remedy) == (FindingKind.HALF_PAIR.meaning, FindingKind.HALF_PAIR.remedy)


@pytest.mark.parametrize(
    ("word", "drift"), [("orphan", "with `--fail-on warning`"), ("conflict", "yes"), ("zone_to_zone", "no")]
)
def test_whether_a_finding_counts_as_drift_follows_from_its_severity(word: str, drift: str) -> None:
    assert [entry.drift for entry in explain(word).explanations] == [drift]


def test_a_rule_is_explained_with_the_document_that_states_it() -> None:
    (entry,) = explain("subnet_same_name").explanations
    assert (entry.kind, entry.meaning) == ("rule", RULES["subnet_same_name"].sentence)
    assert entry.source == "Set up network mapping and IP addressing for VNets"


def test_a_limit_is_explained_with_its_default_and_what_lifts_it() -> None:
    (entry,) = explain("max_change_percent").explanations
    assert (entry.kind, entry.default, entry.force) == ("limit", 30, "--force max_change_percent")


def test_only_refusals_that_force_can_lift_are_explained_as_such() -> None:
    lifted = {entry.word: entry.force for entry in glossary() if entry.force}
    assert set(lifted) == set(FORCEABLE)
    assert lifted["reversed"] == "--force reversed --pair NAME"


def test_every_kind_of_refusal_that_is_raised_is_explained() -> None:
    """Explained by a limit, a finding or the table of refusals."""
    sources = (path.read_text("utf-8") for path in Path(asrnet.__file__).parent.rglob("*.py"))
    raised = {
        keyword.value.value
        for tree in (ast.parse(source) for source in sources if "RefusedError(" in source)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "RefusedError"
        for keyword in call.keywords
        if keyword.arg == "kind" and isinstance(keyword.value, ast.Constant)
    }
    assert {"stale", "tampered", "mapped"} <= raised
    explained = {entry.word for entry in glossary() if entry.kind in {"refusal", "limit", "finding"}}
    assert raised <= explained


@pytest.mark.parametrize("spelling", ["ForbiddenError", "forbiddenerror"])
def test_an_error_is_explained_by_its_class(spelling: str) -> None:
    (entry,) = explain(spelling).explanations
    assert (entry.word, entry.kind) == ("ForbiddenError", "error")
    assert entry.meaning == "The identity lacks a right; `action` is the missing action if Azure names it."
    assert entry.remedy == errors.ForbiddenError.remedy


def test_an_outcome_says_what_to_do() -> None:
    assert [entry.kind for entry in explain("stale").explanations] == ["outcome", "refusal"]
    assert all(entry.remedy for entry in glossary() if entry.kind in {"outcome", "result", "refusal", "error"})


def test_a_word_of_several_kinds_has_an_explanation_of_each() -> None:
    assert [entry.kind for entry in explain("ambiguous_mapping").explanations] == ["rule", "notice"]


@pytest.mark.parametrize("spelling", ["half-pair", "HALF_PAIR", " Half-Pair "])
def test_case_and_hyphens_make_no_difference(spelling: str) -> None:
    assert explain(spelling) == explain("half_pair")


def test_an_unknown_word_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(InputError, match=r"does not use the word 'haf-pair'; did you mean 'half_pair'\?"):
        explain("haf-pair")


def test_a_dash_is_explained_for_changes_and_for_pairs_without_a_name() -> None:
    (entry,) = explain("-").explanations
    assert "Is deleted" in entry.meaning
    assert "in the column Pair of asrnet show: the desired state declares no such pair" in entry.meaning
