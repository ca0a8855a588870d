"""The page about outputs matches the output of the commands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from command_line import EXAMPLES, Cli

PAGE = (EXAMPLES.parent / "docs" / "outputs.md").read_text("utf-8")
CONSOLE = re.findall(r"```console\n\$ asrnet ([^\n]+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def repaired(folder: Path) -> Path:
    """The files of the example that the page is about."""
    for file in (EXAMPLES / "02-adopt-and-repair").glob("*.yaml"):
        shutil.copy(file, folder)
    return folder


def pattern(shown: str) -> str:
    """A pattern for output of which the page omits some lines or parts."""
    whole = "^" + re.escape(shown)
    return whole.replace(re.escape("...\n"), r"(?s:.*?)^").replace(re.escape("..."), r"[^\n]*")


@pytest.mark.parametrize(("command", "shown"), CONSOLE, ids=[command for command, _ in CONSOLE])
def test_a_command_writes_the_output_on_the_page(fake: Cli, repaired: Path, command: str, shown: str) -> None:
    ran = fake(*command.split())
    assert ran.code in {0, 2}
    assert re.match(pattern(shown), ran.out, re.MULTILINE)
    for _, path in re.findall(r"-o (\w+)=(\S+)", command):
        assert (repaired / path).stat().st_size > 500


def test_the_outputs_of_a_step_are_those_on_the_page(
    fake: Cli, repaired: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(repaired / "outputs"))
    fake("drift", "-o", "github")
    (shown,) = re.findall(r"```text\n(drift=.*?)```", PAGE, re.DOTALL)
    assert (repaired / "outputs").read_text("utf-8") == shown


def test_the_pictures_of_the_page_exist() -> None:
    names = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", PAGE)
    assert names == ["report-page.png", "report-page-phone.png"]
    for name in names:
        assert (EXAMPLES.parent / "docs" / name).read_bytes().startswith(b"\x89PNG")
