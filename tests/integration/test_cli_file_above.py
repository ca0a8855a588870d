"""A desired state in a folder above the working directory is used, and every command that uses it says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Cli

SAID = "using ../asrnet.yaml, the nearest desired state above this folder\n"


@pytest.fixture
def below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a repository whose root has the files of the first example."""
    monkeypatch.setenv("HOME", "/nonexistent")
    (folder / ".git").mkdir()
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    return folder / "below"


@pytest.mark.usefixtures("below")
@pytest.mark.parametrize("command", ["plan", "apply --yes", "drift", "show", "predict --all-subnets", "dump", "doctor"])
def test_every_command_names_a_file_found_above_on_standard_error(cli: Cli, command: str) -> None:
    ran = cli(*command.split(), "--backend", "fake:../world.yaml")
    assert SAID in ran.err
    assert SAID not in ran.out


@pytest.mark.usefixtures("below")
def test_validate_and_permissions_name_a_file_found_above_unless_quiet(cli: Cli) -> None:
    ran = cli("validate")
    assert (ran.code, ran.err) == (0, SAID)
    assert ran.out.startswith("../asrnet.yaml: valid: ")
    assert SAID in cli("permissions").err
    assert cli("validate", "-q").err == ""


@pytest.mark.usefixtures("below")
def test_a_file_above_that_is_not_used_is_not_named(cli: Cli) -> None:
    for command in (["validate", "../rules.yaml"], ["validate", "-f", "../asrnet.yaml"], ["schema"], ["explain", "2"]):
        assert "using ../asrnet.yaml" not in cli(*command).err


def test_an_output_does_not_replace_a_file_found_above(cli: Cli, below: Path) -> None:
    before = (below.parent / "asrnet.yaml").read_bytes()
    ran = cli("plan", "--backend", "fake:../world.yaml", "-o", "json=../asrnet.yaml")
    assert ran.code == 1
    assert "../asrnet.yaml is the desired state, which this would overwrite" in ran.err
    assert (below.parent / "asrnet.yaml").read_bytes() == before


@pytest.mark.usefixtures("below")
def test_a_file_in_the_working_directory_takes_precedence_over_one_above(cli: Cli, below: Path) -> None:
    (below / "asrnet.yaml").write_text("version: 2\n")
    ran = cli("plan", "--backend", "fake:../world.yaml")
    assert ran.err.startswith("error: asrnet.yaml:1: version:")
