"""explain at the command line: offline, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # its stubs are not worth a dependency for one test
import pytest
from command_line import Cli

from asrnet.glossary import glossary
from asrnet.schema import json_schema


def test_explain_describes_a_finding_and_what_to_do_about_it(cli: Cli) -> None:
    ran = cli("explain", "half_pair")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "half_pair (finding, warning)\n"
        "  One mapping of the pair is missing: machines can fail over but not back, or the reverse.\n"
        "  What to do: asrnet apply creates the missing mapping.\n"
        "  Counts as drift: yes, as long as its change is pending.\n"
    )


def test_explain_describes_an_exit_code(cli: Cli) -> None:
    ran = cli("explain", "2")
    assert ran.code == 0
    assert ran.out.startswith("2 (exit code)\n  drift or pending changes remain")


def test_explain_gives_the_default_of_a_limit_and_what_lifts_it(cli: Cli) -> None:
    assert cli("explain", "max_deletes").out.endswith("  Default: 0.\n  Lifted by: --force max_deletes.\n")


def test_explain_gives_a_rule_and_its_source(cli: Cli) -> None:
    assert cli("explain", "a2a_mapped").out.splitlines() == [
        "a2a_mapped (rule)",
        "  The machine lands on the network its primary network is mapped to.",
        "  Source: Set up network mapping and IP addressing for VNets.",
    ]


def test_explain_without_a_word_lists_every_word_by_kind(cli: Cli) -> None:
    lines = cli("explain").out.splitlines()
    titles = [
        *("Findings", "Rules of predictions", "Notices of predictions", "Outcomes of predictions"),
        *("Outcomes of changes", "Results of runs", "Exit codes", "Limits", "Refusals"),
        *("Errors, as programs catch them", "States of pairs, mappings and machines", "Signs"),
        *("Kinds of changes", "Concepts", "Behaviour of worlds"),
    ]
    assert [line for line in lines if line and not line.startswith(" ")] == titles
    listed = [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("  Word ")]
    assert listed == [entry.word for entry in glossary()]


@pytest.mark.parametrize("argv", [["explain"], ["explain", "reversed"]])
def test_explain_writes_json_that_matches_its_schema(cli: Cli, folder: Path, argv: list[str]) -> None:
    assert cli(*argv, "-o", "json=words.json").code == 0
    document = json.loads((folder / "words.json").read_text("utf-8"))
    jsonschema.validate(document, json_schema("explanations"))
    assert document["word"] == (argv[1] if argv[1:] else None)
    assert "reversed" in [entry["word"] for entry in document["explanations"]]


def test_explain_suggests_the_nearest_word(cli: Cli) -> None:
    ran = cli("explain", "max_update")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "error: asrnet does not use the word 'max_update'; did you mean 'max_updates'?\n"
        "hint: asrnet explain lists every word\n"
    )


@pytest.mark.parametrize("word", ["", "  ", "\t"])
def test_an_empty_word_is_refused_with_what_explain_accepts(cli: Cli, word: str) -> None:
    ran = cli("explain", word)
    hint = "hint: WORD: what to explain, such as half_pair; without it, every word"
    assert (ran.code, ran.out, ran.err) == (1, "", f"error: WORD: the value is empty, expected WORD\n{hint}\n")


def test_a_word_with_control_characters_is_refused_in_one_line_without_them(cli: Cli) -> None:
    ran = cli("explain", "half\x1b[31m\npair")
    assert ran.err.splitlines()[0].startswith("error: asrnet does not use the word 'half\\x1b[31m\\npair'")
