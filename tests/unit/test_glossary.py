"""The glossary: every word of a result is explained, from the table that defines it."""

from __future__ import annotations

import pytest

from asrnet import exit_codes
from asrnet.errors import InputError
from asrnet.failover.rules import NOTICES, RULES
from asrnet.glossary import explain, glossary
from asrnet.model.findings import FindingKind
from asrnet.model.plan import FORCEABLE, Limits


def words(kind: str) -> list[str]:
    return [entry.word for entry in glossary() if entry.kind == kind]


def test_every_word_of_every_table_is_explained() -> None:
    assert words("finding") == [kind.value for kind in FindingKind]
    assert words("rule") == list(RULES)
    assert words("notice") == list(NOTICES)
    assert words("exit_code") == ["0", "1", "2", "3"]
    assert words("limit") == list(Limits.__struct_fields__)
    assert {exit_codes.DONE, exit_codes.ERROR, exit_codes.PENDING, exit_codes.REFUSED} == set(exit_codes.MEANINGS)


def test_no_word_of_a_kind_is_explained_twice_and_none_without_a_meaning() -> None:
    keys = [(entry.kind, entry.word) for entry in glossary()]
    assert len(keys) == len(set(keys))
    assert [entry.word for entry in glossary() if not entry.meaning] == []


def test_a_finding_is_explained_with_its_remedy_its_severity_and_whether_it_is_drift() -> None:
    (entry,) = explain("half_pair").explanations
    assert (entry.kind, entry.severity, entry.drift) == ("finding", "warning", "through its change")
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


def test_a_word_of_several_kinds_has_an_explanation_of_each() -> None:
    assert [entry.kind for entry in explain("ambiguous_mapping").explanations] == ["rule", "notice"]


@pytest.mark.parametrize("spelling", ["half-pair", "HALF_PAIR", " Half-Pair "])
def test_case_and_hyphens_make_no_difference(spelling: str) -> None:
    assert explain(spelling) == explain("half_pair")


def test_an_unknown_word_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(InputError, match=r"does not use the word 'haf-pair'; did you mean 'half_pair'\?"):
        explain("haf-pair")
