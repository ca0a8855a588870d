"""All mistakes in all files at the command line: on standard error, and in outputs with lines."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # its stubs are not worth a dependency for one test
import pytest
from command_line import Cli

from asrnet.schema import json_schema

BROKEN = """\
version: 1
cloud: usgov
vaults: {sea: /subscriptions/x}
topology: topology.yaml
pairs:
- {name: hub, vault: see, primary: prod, recovery: copy}
"""
PLACES = ["asrnet.yaml:2", "asrnet.yaml:3", "asrnet.yaml:6", "asrnet.yaml:6", "topology.yaml:1", "topology.yaml:1"]


@pytest.fixture
def broken(folder: Path) -> Path:
    (folder / "asrnet.yaml").write_text(BROKEN)
    (folder / "topology.yaml").write_text("serfers: []\n")
    return folder


def places(stderr: str) -> list[str]:
    lines = [line.removeprefix("error: ") for line in stderr.splitlines() if line.startswith("error: ")]
    return [":".join(line.split(":")[:2]) for line in lines]


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("command", ["validate", "plan", "apply", "drift", "show", "predict", "targets", "dump"])
def test_every_command_shows_all_mistakes_in_the_desired_state_and_its_topology(cli: Cli, command: str) -> None:
    ran = cli(command)
    assert (ran.code, ran.out) == (1, "")
    assert places(ran.err) == PLACES


def test_validate_continues_with_the_next_file(cli: Cli, broken: Path) -> None:
    (broken / "other.yaml").write_text("verion: 1\n")
    ran = cli("validate", "rules.yaml", "other.yaml", "asrnet.yaml", "world.yaml")
    assert ran.code == 1
    assert {place.partition(":")[0] for place in places(ran.err)} == {
        "rules.yaml",
        "other.yaml",
        "asrnet.yaml",
        "topology.yaml",
        "world.yaml",
    }


def test_the_json_of_validate_has_every_file_and_every_mistake(cli: Cli, broken: Path) -> None:
    (broken / "valid.yaml").write_text(
        "version: 1\nvaults: {sea: /subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/"
        "Microsoft.RecoveryServices/vaults/sea}\nvmm_pairs: [{name: a, vault: sea, primary: a/b, recovery: c/d}]\n"
    )
    ran = cli("validate", "valid.yaml", "asrnet.yaml", "-o", "json")
    document = json.loads(ran.out)
    jsonschema.validate(document, json_schema("validation"))
    assert document["files"] == [
        {"path": "valid.yaml", "valid": True, "contents": {"pairs": 1, "vaults": 1}},
        {"path": "asrnet.yaml", "valid": False, "contents": {}},
    ]
    assert [f"{mistake['file']}:{mistake['line']}" for mistake in document["mistakes"]] == PLACES
    assert document["mistakes"][3] == {
        "file": "asrnet.yaml",
        "line": 6,
        "column": 15,
        "path": "pairs[0].vault",
        "message": "unknown vault 'see'; did you mean 'sea'?",
        "hint": "declared under vaults: sea",
    }


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("output", ["json", "markdown", "sarif"])
def test_mistakes_that_standard_output_lists_are_only_counted_on_standard_error(cli: Cli, output: str) -> None:
    ran = cli("validate", "-o", output)
    assert ran.code == 1
    assert "unknown vault 'see'" in ran.out
    assert ran.err == "error: 6 mistakes, which standard output lists\n"


@pytest.mark.usefixtures("broken")
def test_mistakes_are_written_once_on_a_terminal_and_in_full_to_a_file(cli: Cli, broken: Path) -> None:
    ran = cli("validate", "-o", "text", "-o", "markdown=mistakes.md")
    assert ran.out == ""
    assert "pairs[0].vault" in ran.err
    assert "| asrnet.yaml:2 | cloud | found 'usgov', expected china, public or usgovernment |" in (
        broken / "mistakes.md"
    ).read_text("utf-8")


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_a_hint_that_several_mistakes_share_is_printed_once_in_text(cli: Cli, folder: Path, command: str) -> None:
    rows = "".join(f"- {{name: p{number}, vault: see, primary: a/b/c, recovery: copy}}\n" for number in range(3))
    (folder / "asrnet.yaml").write_text(f"version: 1\nvaults: {{sea: /subscriptions/x}}\npairs:\n{rows}")
    hint = "hint: declared under vaults: sea"
    ran = cli(command)
    assert ran.err.count("unknown vault 'see'") == 3
    assert ran.err.count(hint) == 1
    cli("validate", "-o", "text=mistakes.txt", "-o", "markdown=mistakes.md")
    for name in ("mistakes.txt", "mistakes.md"):
        assert (folder / name).read_text("utf-8").count(hint) == 1
    logged = [json.loads(line) for line in cli(command, "--log-format", "json").err.splitlines()]
    assert sum(record.get("hint") == "declared under vaults: sea" for record in logged) == 3


@pytest.mark.parametrize("command", ["validate", "plan", "drift"])
def test_workflow_annotations_mark_the_line_of_every_mistake_in_every_command(
    cli: Cli, broken: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(broken.parent))
    lines = cli(command, "-o", "github").out.splitlines()
    assert [line.partition(",col=")[0] for line in lines] == [
        f"::error file={broken.name}/{place.replace(':', ',line=')}" for place in PLACES
    ]


@pytest.mark.usefixtures("broken")
def test_an_output_may_replace_neither_a_validated_file_nor_its_topology(cli: Cli, broken: Path) -> None:
    for name in ("asrnet.yaml", "topology.yaml"):
        before = (broken / name).read_bytes()
        ran = cli("validate", "asrnet.yaml", "-o", f"json={name}")
        assert ran.code == 1
        assert "which this would overwrite" in ran.err
        assert (broken / name).read_bytes() == before


def test_thousands_of_mistakes_are_counted_after_the_first_fifty(cli: Cli, folder: Path) -> None:
    (folder / "asrnet.yaml").write_text("version: 1\n" + "".join(f"key{n}: 1\n" for n in range(48)))
    assert len(places(cli("validate").err)) == 50
    (folder / "asrnet.yaml").write_text("version: 1\n" + "".join(f"key{n}: 1\n" for n in range(80)))
    ran = cli("validate")
    assert len(places(ran.err)) == 51
    assert "error: and 32 more mistakes" in ran.err
    assert len(json.loads(cli("validate", "-o", "json").out)["mistakes"]) == 82
