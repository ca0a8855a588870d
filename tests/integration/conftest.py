"""The command line, run in this process, in the test's own folder and environment."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from command_line import EXAMPLES, Cli, Ran

from asrnet.cli import main
from asrnet.clocks import SimulatedClock

OTHERS = {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of this machine has an effect."""
    for name in os.environ:
        if name.startswith(("ACTIONS_", "ASRNET_", "AZURE_", "ARM_", "GITHUB_")) or name in OTHERS:
            monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the first example, which commands run in."""
    for file in (EXAMPLES / "01-two-regions").glob("*.yaml"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fakes use simulated time, so waiting takes none."""
    monkeypatch.setattr("asrnet.backends.SystemClock", SimulatedClock)


@pytest.fixture
def cli(clean_environment: None, quick_clock: None, folder: Path, capsys: pytest.CaptureFixture[str]) -> Cli:  # noqa: ARG001 - their effects
    """Runs a command line: ``cli("plan", "-o", "json")``."""

    def run(*argv: str) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in argv])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def fake(cli: Cli) -> Cli:
    """The same, on the fake world of the example."""
    return lambda *argv: cli(*argv, "--backend", "fake:world.yaml")
