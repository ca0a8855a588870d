"""Runs the consoles of the pages: the few shell commands that they use, and ``asrnet`` in this process."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from asrnet.cli import main, streams


class NotRunError(Exception):
    """A program of the page is not available here."""


class Console:
    """A shell in its own folder. ``programs`` are those that it can start, by name; others raise NotRunError.

    ``replaced`` are replacements in commands, such as URLs and omitted ids. Prompts are answered with yes.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *,
        programs: frozenset[str] = frozenset(),
        replaced: Mapping[str, str] | None = None,
        width: int | None = None,
    ) -> None:
        self._monkeypatch = monkeypatch
        self._programs = programs
        self._replaced = replaced or {}
        self._width = width
        self.code = 0

    def run(self, line: str) -> str:
        """Run a line and return everything that a terminal would show after it."""
        for text, instead in self._replaced.items():
            line = line.replace(text, instead)
        if line.startswith("(") and line.endswith(")"):
            folder = Path.cwd()
            shown = self.run(line[1:-1])
            self._monkeypatch.chdir(folder)
            return shown
        shown = ""
        for part in line.split(" && "):
            shown += self._command(shlex.split(part, comments=True))
            if self.code:
                break
        return shown

    def _command(self, words: list[str]) -> str:
        program, *arguments = [re.sub(r"(^|=)~/", rf"\1{os.environ['HOME']}/", word) for word in words]
        if program == "echo":
            return " ".join(arguments).replace("$?", str(self.code)) + "\n"
        self.code = 0
        if program == "export":
            for argument in arguments:
                self._monkeypatch.setenv(*argument.split("=", 1))
        elif program == "unset":
            for argument in arguments:
                self._monkeypatch.delenv(argument, raising=False)
        elif program == "cd":
            self._monkeypatch.chdir(arguments[0])
        elif program == "mkdir":
            Path(arguments[0]).mkdir()
        elif program == "cp":
            shutil.copy(*arguments)
        elif program == "asrnet":
            return self._asrnet(arguments)
        elif program in self._programs:
            ran = subprocess.run(words, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.code = ran.returncode
            return ran.stdout
        else:
            raise NotRunError(program)
        return ""

    def _asrnet(self, arguments: list[str]) -> str:
        terminal = io.StringIO()

        def answer(question: str) -> str:
            terminal.write(f"{question}yes\n")
            return "yes"

        self._monkeypatch.setattr(streams, "can_ask", lambda: True)
        self._monkeypatch.setattr(streams, "ask", answer)
        self._monkeypatch.setattr(streams, "width", lambda: self._width)
        self._monkeypatch.setattr(streams, "error_width", lambda: self._width)
        with redirect_stdout(terminal), redirect_stderr(terminal):
            self.code = main(arguments)
        return terminal.getvalue()


_ELISION = ("...", "…")


def agrees(printed: str, shown: str) -> bool:
    """Whether a page shows what was printed.

    ``...`` alone on a line stands for any lines, within a line for any characters. Blank lines and the figures that
    differ from run to run (seconds, requests) do not count.
    """
    pattern = ""
    for line in _plain(shown):
        if line in _ELISION:
            pattern += r"(?:.*\n)*?"
        else:
            escaped = re.escape(line)
            for dots in _ELISION:
                escaped = escaped.replace(re.escape(dots), ".*")
            pattern += escaped + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _plain(printed))) is not None


def _plain(text: str) -> list[str]:
    text = re.sub(r"\b\d+ requests, \d+\.\d s\b", "N requests, N s", text)
    text = re.sub(r"(succeeded +)\d+\.\d$", r"\1N", text, flags=re.MULTILINE)
    return [line.rstrip() for line in text.splitlines() if line.strip()]
