"""Where documents go: each ``--output`` is proved writable before anything is done, and written at the end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from asrnet.cli import streams
from asrnet.errors import InputError
from asrnet.files.atomic import PendingFile
from asrnet.files.problems import did_you_mean
from asrnet.model.plan import Plan, to_json
from asrnet.render import View, render
from asrnet.settings import Output

if TYPE_CHECKING:
    from asrnet.cli.step_files import StepFiles
    from asrnet.render.layout import Document

PLAN_FORMATS = ("text", "json", "markdown", "mermaid", "html", "github", "junit", "prometheus")
"""What plans and reports can be written as."""

LIVE_FORMATS = ("text", "json", "markdown", "mermaid", "html")
"""What live pairs can be written as."""

ANSWER_FORMATS = ("text", "json", "csv", "markdown")
"""What predictions and targets can be written as."""

TEXT = Output("text")

_TOGETHER = frozenset({"text", "github"})
"""Formats that can share standard output: GitHub picks its annotations out of the log."""


class Outputs(Struct, frozen=True):
    """The outputs of a run; a file is None for standard output. ``step`` are those of GitHub's step, if it is told."""

    targets: tuple[tuple[Output, PendingFile | None], ...]
    step: StepFiles | None = None

    @property
    def printed(self) -> str | None:
        """The format that goes to standard output, if one does; text, where it shares it."""
        formats = [output.format for output, file in self.targets if file is None]
        return "text" if "text" in formats else next(iter(formats), None)

    def write(self, document: Document, view: View) -> None:
        """Write ``document`` everywhere; files are drawn plain, whatever the terminal."""
        try:
            self.draw(partial(render, document), view)
        finally:
            if self.step:
                self.step.append(document, _plain(view))

    def draw(self, drawn: Callable[[str, View], str], view: View) -> None:
        """Write everywhere what ``drawn`` makes of a format's name and a view.

        A place that cannot be written in the end does not keep the others from being written; InputError comes last.
        """
        problems = []
        for output, file in self.targets:
            try:
                if file is None:
                    streams.write(drawn(output.format, view))
                else:
                    file.commit(drawn(output.format, _after(file, output, _plain(view))))
            except InputError as error:
                problems.append(error)
        if problems:
            raise problems[0]


def _plain(view: View) -> View:
    return structs.replace(view, width=None, colour=False)


def _after(file: PendingFile, output: Output, view: View) -> View:
    """Metrics of a run that was no success tell when the last one was: the file that they replace knows."""
    if output.format != "prometheus":
        return view
    from asrnet.render.prometheus import last_success

    return structs.replace(view, run=structs.replace(view.run, last_success=last_success(file.replaced())))


@contextmanager
def opened(
    wanted: Collection[Output], formats: Collection[str] = PLAN_FORMATS, variables: Mapping[str, str] | None = None
) -> Iterator[Outputs]:
    """The outputs, or text on standard output where none is wanted; files not written by the end stay as they were.

    ``variables`` may name the files of a step on GitHub. Raises InputError for formats other than ``formats``, two
    outputs to one place, and files that cannot be written.
    """
    outputs = tuple(wanted) or (TEXT,)
    for output in outputs:
        if output.format not in formats:
            problem = f"--output: there is no format '{output.format}' here{did_you_mean(output.format, formats)}"
            raise InputError(problem, hint=f"there are {', '.join(formats)}")
    _check_places(outputs)
    files: list[PendingFile] = []
    try:
        targets = tuple((output, _file(output, files)) for output in outputs)
        on_github = any(output.format == "github" for output in outputs)
        yield Outputs(targets, _step_files(variables or {}) if on_github else None)
    finally:
        for file in files:
            file.abandon()


def _check_places(outputs: Collection[Output]) -> None:
    """No two outputs may go to one place, however it is spelled."""
    printed = Counter(output.format for output in outputs if output.path is None)
    files = {output.path: os.path.realpath(output.path) for output in outputs if output.path is not None}
    times = Counter(files[output.path] for output in outputs if output.path is not None)
    if printed.total() > 1 and (printed.keys() - _TOGETHER or max(printed.values()) > 1):
        raise InputError(f"--output: {printed.total()} outputs to standard output", hint="write FORMAT=PATH")
    for path, place in files.items():
        if times[place] > 1:
            raise InputError(f"--output: {times[place]} outputs to {path}", hint="give each a file of its own")


def _step_files(variables: Mapping[str, str]) -> StepFiles:
    from asrnet.cli.step_files import StepFiles

    return StepFiles.of(variables)


def _file(output: Output, files: list[PendingFile]) -> PendingFile | None:
    if output.path is None:
        return None
    files.append(PendingFile(output.path))
    return files[-1]


@contextmanager
def saved(path: str | None, beside: Outputs) -> Iterator[Callable[[Plan], None]]:
    """What to call with a plan that is to be saved in ``path``, if there is one; proved writable at once.

    Raises InputError where it cannot be, or where one of the outputs ``beside`` goes there.
    """
    if path is None:
        yield lambda _: None
        return
    check_apart(path, "--out", beside)
    with destination(path) as write:
        yield lambda plan: write(to_json(plan).decode() + "\n")


def check_apart(path: str, option: str, beside: Outputs) -> None:
    """Raise InputError where one of the outputs ``beside`` goes to ``path`` as well, which ``option`` names."""
    if any(file and os.path.realpath(file.path) == os.path.realpath(path) for _, file in beside.targets):
        raise InputError(f"{option}: an --output goes to {path} already", hint="give each a file of its own")


@contextmanager
def destination(path: str | None) -> Iterator[Callable[[str], None]]:
    """What to call with text for the file ``path``, proved writable at once; without one, for standard output."""
    if path is None:
        yield streams.write
        return
    file = PendingFile(path)
    try:
        yield file.commit
    finally:
        file.abandon()
