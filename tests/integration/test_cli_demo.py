"""demo at the command line, from a checkout or a wheel."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import EXAMPLES, Cli, snapshot

from asrnet.cli.commands import demo


def test_the_files_of_the_demo_are_those_of_the_first_example(cli: Cli, folder: Path) -> None:
    ran = cli("demo", "--out", "new/mine")
    assert (ran.code, ran.err) == (0, "")
    example = EXAMPLES / "01-two-regions"
    assert snapshot(folder / "new" / "mine") == {name: (example / name).read_bytes() for name in demo.FILES}


def test_the_commands_that_the_demo_suggests_work(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = cli("demo", "--out", "mine")
    assert ran.out.splitlines()[1:] == [
        "next:",
        "  cd mine",
        "  export ASRNET_BACKEND=fake:world.yaml",
        "  asrnet plan",
    ]
    monkeypatch.chdir(folder / "mine")
    monkeypatch.setenv("ASRNET_BACKEND", "fake:world.yaml")
    assert "Plan: create 2 networks and 6 mappings" in cli("plan").out


@pytest.mark.parametrize("name", demo.FILES)
def test_the_demo_replaces_no_file(cli: Cli, folder: Path, name: str) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / name).write_text("mine", "utf-8")
    ran = cli("demo", "--out", "mine")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: --out: mine has a file {name} already")
    assert snapshot(folder / "mine") == {name: b"mine"}


def test_a_folder_that_cannot_be_made_is_an_error(cli: Cli) -> None:
    ran = cli("demo", "--out", "world.yaml/mine")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: --out: world.yaml/mine cannot be made: Not a directory\n")


def test_the_demo_writes_no_file(cli: Cli, folder: Path) -> None:
    before = snapshot(folder)
    assert cli("demo", "--quiet").code == 0
    assert snapshot(folder) == before
