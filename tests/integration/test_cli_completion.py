"""The completion command: bash, and fish where it is installed, complete with the script; zsh is not run here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import Cli

from asrnet.cli.commands import COMMANDS

COMPLETE = """
source asrnet.bash
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
complete_asrnet=$(complete -p asrnet | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$complete_asrnet"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("asrnet pre", ["predict"]),
        ("asrnet ''", list(COMMANDS)),
        ("asrnet apply --parall", ["--parallelism"]),
        ("asrnet plan --allow", ["--allow-delete"]),
        ("asrnet plan -o j", ["json", "junit"]),
        ("asrnet plan --force max_d", ["max_deletes"]),
        ("asrnet explain half", ["half_pair"]),
        ("asrnet schema d", ["desired", "doctor"]),
        ("asrnet completion z", ["zsh"]),
        ("asrnet validate -f wor", ["world.yaml"]),
        ("asrnet validate asrnet.yaml wor", ["world.yaml"]),
    ],
)
def test_bash_completes_commands_options_and_values(cli: Cli, folder: Path, words: str, completions: list[str]) -> None:
    (folder / "asrnet.bash").write_text(cli("completion", "bash").out, "utf-8")
    script = COMPLETE.format(words=words)
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert done.stderr == ""
    assert set(completions) <= set(done.stdout.split())
    assert all(word.startswith(words.rsplit(maxsplit=1)[-1].strip("'")) for word in done.stdout.split())


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_completes_commands_options_and_values(cli: Cli, folder: Path) -> None:
    (folder / "asrnet.fish").write_text(cli("completion", "fish").out, "utf-8")
    completions = {
        "asrnet pre": ["predict"],
        "asrnet apply --parall": ["--parallelism"],
        "asrnet plan -o j": ["json", "junit"],
        "asrnet validate -f wor": ["world.yaml"],
    }
    script = "; ".join(["source asrnet.fish", *(f"complete -C '{words}'; echo =" for words in completions)])
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], cwd=folder, capture_output=True, text=True, timeout=30, check=False
    )
    answers = [[line.partition("\t")[0] for line in part.splitlines() if line] for part in done.stdout.split("=\n")]
    assert (answers[:-1], done.stderr) == (list(completions.values()), "")


def test_values_are_words_that_no_shell_interprets(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """zsh evaluates the values: the arrows that ``explain`` knows were a syntax error there."""
    import argparse

    values: list[str] = []
    add_argument = argparse.ArgumentParser.add_argument

    def noting(parser: argparse.ArgumentParser, *flags: str, **details: Any) -> argparse.Action:
        values.extend(details.get("choices") or ())
        return add_argument(parser, *flags, **details)

    monkeypatch.setattr(argparse.ArgumentParser, "add_argument", noting)
    assert cli("completion", "zsh").code == 0
    assert "half_pair" in values
    assert [value for value in values if not re.fullmatch(r"\w[\w.:-]*", value)] == []


@pytest.mark.parametrize(("shell", "words"), [("zsh", "#compdef asrnet"), ("fish", "complete -c asrnet")])
def test_the_scripts_of_other_shells_name_every_command(cli: Cli, shell: str, words: str) -> None:
    ran = cli("completion", shell)
    assert (ran.code, ran.err, words in ran.out) == (0, "", True)
    assert [command for command in COMMANDS if command not in ran.out] == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_ends_with_one_line_break(cli: Cli, shell: str) -> None:
    script = cli("completion", shell).out
    assert script == script.rstrip("\n") + "\n"


@pytest.mark.parametrize(
    ("argv", "words"),
    [([], "SHELL"), (["tcsh"], "expected bash, zsh or fish"), (["zhs"], "did you mean 'zsh'?")],
)
def test_a_shell_that_is_missing_or_unknown_is_refused(cli: Cli, argv: list[str], words: str) -> None:
    ran = cli("completion", *argv)
    assert (ran.code, ran.out, words in ran.err) == (1, "", True)


def test_without_shtab_the_error_says_what_to_install(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    ran = cli("completion", "bash")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "error: completion needs shtab, which is not installed\n"
        "hint: install shtab where asrnet is, or asrnet with its extra 'completion'\n"
    )
