"""Where documents go: each ``--output`` is proved writable before anything is done, and written at the end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from asrnet.cli import streams
from asrnet.errors import InputError
from asrnet.files.atomic import PendingFile
from asrnet.files.problems import did_you_mean
from asrnet.model.plan import Plan, to_json
from asrnet.render import DocumentKind, View, formats_of, render
from asrnet.settings import Output, Settings

if TYPE_CHECKING:
    from asrnet.cli.step_files import StepFiles
    from asrnet.render import Document

TEXT = Output("text")

_TOGETHER = frozenset({"text", "github"})
"""Formats that can share standard output: GitHub picks its annotations out of the log."""


class Outputs(Struct, frozen=True):
    """The outputs of a run; a file is None for standard output. ``step`` are the files of a step on GitHub, if any."""

    targets: tuple[tuple[Output, PendingFile | None], ...]
    step: StepFiles | None = None

    @property
    def printed(self) -> str | None:
        """The format that goes to standard output, if one does; text, where it shares it."""
        formats = [output.format for output, file in self.targets if file is None]
        return "text" if "text" in formats else next(iter(formats), None)

    def write(self, document: Document, view: View) -> None:
        """Write ``document`` everywhere; files are drawn plain, whatever the terminal.

        A place that cannot be written in the end does not keep the others from being written; InputError comes last.
        """
        plain = structs.replace(view, width=None, colour=False)
        problems = []
        for output, file in self.targets:
            try:
                if file is None:
                    streams.write(render(document, output.format, view))
                else:
                    file.commit(render(document, output.format, _with_last_success(plain, output, file)))
            except InputError as error:
                problems.append(error)
        try:
            if self.step and isinstance(document, Plan):
                self.step.append(document, plain)
        finally:
            if problems:
                raise problems[0]


def _with_last_success(view: View, output: Output, file: PendingFile) -> View:
    """Metrics of a run that was no success tell when the last one was: the file that they replace knows."""
    if output.format != "prometheus":
        return view
    from asrnet.render.prometheus import last_success

    return structs.replace(view, run=structs.replace(view.run, last_success=last_success(file.replaced())))


@contextmanager
def opened(settings: Settings, document: DocumentKind) -> Iterator[Outputs]:
    """The outputs of the settings, or text on standard output; files not written by the end stay as they were.

    Raises InputError for formats that such a document does not have, two outputs to one place, and files that cannot be
    written, among them those of a step on GitHub.
    """
    outputs = settings.output or (TEXT,)
    source, formats = settings.source("output"), formats_of(document)
    for output in outputs:
        if output.format not in formats:
            from asrnet.cli import habits

            habit = habits.FORMATS.get(output.format)
            proposal = f"; did you mean '{habit}'?" if habit in formats else did_you_mean(output.format, formats)
            problem = f"{source}: there is no format '{output.format}' here{proposal}"
            raise InputError(problem, hint=f"known formats: {', '.join(formats)}")
    _check_places(outputs, source)
    files: list[PendingFile] = []
    try:
        targets: list[tuple[Output, PendingFile | None]] = []
        for output in outputs:
            file = PendingFile(output.path) if output.path is not None else None
            files += [file] if file else []
            targets.append((output, file))
        step = None
        if any(output.format == "github" for output in outputs):
            from asrnet.cli.step_files import StepFiles

            step = StepFiles.of(settings.variables)
        yield Outputs(tuple(targets), step)
    finally:
        for file in files:
            file.abandon()


def _check_places(outputs: Collection[Output], source: str) -> None:
    """No two outputs may go to one place, however it is spelled."""
    printed = Counter(output.format for output in outputs if output.path is None)
    if printed.total() > 1 and (printed.keys() - _TOGETHER or max(printed.values()) > 1):
        raise InputError(f"{source}: {printed.total()} outputs to standard output", hint="write FORMAT=PATH")
    paths = [output.path for output in outputs if output.path is not None]
    outputs_to = Counter(map(os.path.realpath, paths))
    for path in paths:
        if (number := outputs_to[os.path.realpath(path)]) > 1:
            raise InputError(f"{source}: {number} outputs to {path}", hint="give each a file of its own")


@contextmanager
def saved(settings: Settings, path: str | None, beside: Outputs) -> Iterator[Callable[[Plan], None]]:
    """Saves a plan in ``path``, which ``--out`` named and which is proved writable at once; without one, nowhere.

    Raises InputError where it cannot be written, or where one of the outputs ``beside`` goes there.
    """
    if path is None:
        yield lambda _: None
        return
    check_apart(path, settings.source("out"), beside)
    with destination(path) as write:
        yield lambda plan: write(to_json(plan).decode() + "\n")


def check_apart(path: str, source: str, beside: Outputs) -> None:
    """Raise InputError where one of the outputs ``beside`` goes to ``path`` as well, which was given at ``source``."""
    if any(file and os.path.realpath(file.path) == os.path.realpath(path) for _, file in beside.targets):
        raise InputError(f"{source}: an --output goes to {path} already", hint="give each a file of its own")


@contextmanager
def destination(path: str | None) -> Iterator[Callable[[str], None]]:
    """Writes text to the file ``path``, which is proved writable at once; without one, to standard output."""
    if path is None:
        yield streams.write
        return
    file = PendingFile(path)
    try:
        yield file.commit
    finally:
        file.abandon()
