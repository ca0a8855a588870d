"""The command line on a real terminal: prompt, progress, tables, colours."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from command_line import Cli

from asrnet.cli import logs

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pseudo-terminals as Linux has them")

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def screen(folder: Path, *argv: str, columns: int = 80, answer: str = "", **variables: str) -> tuple[int, str]:
    """What a terminal ``columns`` wide is sent while a command runs, and the exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "asrnet", *argv, "--backend", "fake:world.yaml"],
        cwd=folder,
        env={**clean, "TERM": "xterm", **variables},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    sent = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        sent += chunk
        if not chunk:
            break
    os.close(ours)
    return process.wait(timeout=60), sent.decode()


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_tables_fit_the_terminal_and_break_no_word(folder: Path, columns: int) -> None:
    code, sent = screen(folder, "plan", columns=columns)
    lines = ESCAPES.sub("", sent).splitlines()
    assert code == 0
    assert max(len(line.rstrip()) for line in lines) <= columns
    # A region is in brackets beside each network, or named once in the head of the column.
    words = {word.strip("()") for line in lines for word in line.split()} - {"in"}
    wide = ESCAPES.sub("", screen(folder, "plan", columns=1000)[1])
    assert words <= {word.strip("()") for word in wide.split()}
    if columns >= 80:
        assert any(line.split()[:3] == ["+", "hub", "hub-ea"] for line in lines)
    else:
        assert any(line.split() == ["Recovery", "hub-sea", "(southeastasia)"] for line in lines)


def test_messages_fit_the_terminal_and_break_no_word(folder: Path) -> None:
    code, sent = screen(folder, "plan", "--pair", "nowhere", columns=40)
    lines = ESCAPES.sub("", sent).split("\r\n")[1:]  # the first is the echo of the answer
    assert (code, lines[0]) == (1, "error: --pair: there is no pair")
    assert max(map(len, lines)) <= 40
    wide = ESCAPES.sub("", screen(folder, "plan", "--pair", "nowhere", columns=1000)[1])
    assert " ".join(sent.split()) == " ".join(wide.split())


def test_a_command_in_a_hint_is_not_wrapped() -> None:
    hint = "hint: az group create --name rg-dr --location southeastasia"
    assert logs.wrapped(f"error: the resource group is missing\n  it is rg-dr in Azure\n{hint}", 20) == (
        f"error: the resource\n  group is missing\n  it is rg-dr in\n    Azure\n{hint}"
    )


def test_colours_are_used_on_a_terminal_unless_no_color_is_set(folder: Path) -> None:
    assert COLOUR.search(screen(folder, "plan")[1])
    assert not re.search(r"\x1b\[(3[0-7]|9[0-7])m", screen(folder, "plan", NO_COLOR="1")[1])


def test_a_refused_plan_shows_no_progress(folder: Path) -> None:
    assert screen(folder, "plan", "--out", "saved.json")[0] == 0
    assert screen(folder, "apply", "--yes", "--pair", "hub")[0] == 0
    code, sent = screen(folder, "apply", "saved.json")
    assert (code, "has changed since the plan was saved" in sent, "applying" in sent) == (3, True, False)


def test_apply_asks_shows_progress_and_reports(folder: Path) -> None:
    code, sent = screen(folder, "apply", "--pair", "hub", answer="yes")
    shown = ESCAPES.sub("", sent)
    assert code == 0
    assert "Apply this? Only yes is a yes:" in shown
    assert "created hub-ea-to-hub-sea (pair hub)" in shown
    assert "2/2" in shown
    assert "Done: created 2 mappings" in shown
    assert "bug" not in shown


def test_apply_writes_nothing_after_a_no(folder: Path) -> None:
    before = (folder / "world.yaml").read_bytes()
    code, sent = screen(folder, "apply", answer="no")
    assert (code, "nothing was changed" in sent) == (1, True)
    assert (folder / "world.yaml").read_bytes() == before


def test_a_terminal_that_is_closed_during_an_apply_takes_no_report_with_it(
    fake: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(io.StringIO):
        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            raise OSError(errno.EIO, "Input/output error", text)

    monkeypatch.setattr("sys.stderr", Closed())
    ran = fake("apply", "--yes", "-o", "json=report.json")
    assert ran.code == 0
    assert json.loads((folder / "report.json").read_text("utf-8"))["result"] == "succeeded"
