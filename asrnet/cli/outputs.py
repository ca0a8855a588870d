"""Output files: each ``--output`` is checked to be writable before the run begins, and written at its end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from asrnet.cli import logs, streams
from asrnet.errors import InputError, did_you_mean
from asrnet.files.atomic import PendingFile
from asrnet.render import DocumentKind, View, formats_of, render, type_of
from asrnet.settings import Output, Settings

if TYPE_CHECKING:
    from asrnet.cli.step_files import StepFiles
    from asrnet.model.plan import Plan
    from asrnet.render import Document

TEXT = Output("text")

_TOGETHER = frozenset({"text", "github"})
"""Formats that can share standard output: GitHub picks its annotations out of the log."""


class Outputs(Struct, frozen=True):
    """The outputs of a run, each with its file, or None for standard output; ``step`` has a GitHub step's files."""

    targets: tuple[tuple[Output, PendingFile | None], ...]
    step: StepFiles | None = None

    @property
    def printed(self) -> str | None:
        """The format written to standard output, or None; text if text and another format share it."""
        formats = [output.format for output, file in self.targets if file is None]
        return "text" if "text" in formats else next(iter(formats), None)

    def write(self, document: Document, view: View) -> None:
        """Write ``document`` to all outputs. Files get plain text, without the terminal's width and colours.

        If one output cannot be written, the others still are, and InputError is raised at the end.
        """
        plain = structs.replace(view, width=None, colour=False, errors_shown=False)
        problems = []
        for output, file in self.targets:
            try:
                if file is None:
                    streams.write(render(document, output.format, view))
                else:
                    file_view = plain
                    if output.format == "prometheus":
                        from asrnet.render.prometheus import last_success

                        # After a failed run, the metrics keep the time of the last success from the old file.
                        run = structs.replace(plain.run, last_success=last_success(file.replaced()))
                        file_view = structs.replace(plain, run=run)
                    file.commit(render(document, output.format, file_view))
            except InputError as error:
                problems.append(error)
        try:
            self._finish_plan(document, plain)
        finally:
            if problems:
                raise problems[0]

    def _finish_plan(self, document: Document, plain: View) -> None:
        """Write a plan's summary of a GitHub step, and remark if a csv output of the plan has no rows."""
        if type_of(document).kind != "plan":
            return
        from asrnet.model.plan import Plan  # takes 6 ms with its own imports, and not all commands have a plan

        if not isinstance(document, Plan):
            return
        if not document.machines and any(output.format == "csv" for output, _ in self.targets):
            logs.remark("csv lists only machines, and this plan has none; -o json shows the whole plan")
        if self.step:
            self.step.append(document, plain)


@contextmanager
def opened(settings: Settings, document: DocumentKind) -> Iterator[Outputs]:
    """Open the outputs of the settings, or text on standard output. Files not written by the end stay unchanged.

    Raises InputError about every format that this kind of document does not have, every destination of two outputs, and
    every file that cannot be written, including those of a GitHub step.
    """
    outputs = settings.output or (TEXT,)
    mistakes = [*_wrong_formats(outputs, settings, document), *_shared_places(outputs, settings.source("output"))]
    files: list[PendingFile] = []
    try:
        targets: list[tuple[Output, PendingFile | None]] = []
        step = None
        for output in outputs:
            try:
                file = PendingFile(output.path) if output.path is not None else None
            except InputError as error:
                mistakes.append(error)
                continue
            files += [file] if file else []
            targets.append((output, file))
        if any(output.format == "github" for output in outputs):
            from asrnet.cli.step_files import StepFiles

            try:
                step = StepFiles.of(settings.variables)
            except InputError as error:
                mistakes.append(error)
        if mistakes:
            from asrnet.files.problems import combined

            raise combined(mistakes)
        yield Outputs(tuple(targets), step)
    finally:
        for file in files:
            file.abandon()


def _wrong_formats(outputs: Iterable[Output], settings: Settings, document: DocumentKind) -> Iterator[InputError]:
    """A mistake for each output in a format that this kind of document does not have."""
    formats = formats_of(document)
    for output in outputs:
        if output.format not in formats:
            from asrnet.cli import habits

            habit = habits.FORMATS.get(output.format)
            proposal = f"; did you mean '{habit}'?" if habit in formats else did_you_mean(output.format, formats)
            problem = f"{settings.source('output')}: this command has no format '{output.format}'{proposal}"
            yield InputError(problem, hint=f"known formats: {', '.join(formats)}")


def _shared_places(outputs: Collection[Output], source: str) -> Iterator[InputError]:
    """A mistake for each destination that two outputs have, however it is spelled."""
    printed = Counter(output.format for output in outputs if output.path is None)
    if printed.total() > 1 and (printed.keys() - _TOGETHER or max(printed.values()) > 1):
        yield InputError(f"{source}: {printed.total()} outputs to standard output", hint="write FORMAT=PATH")
    paths = [output.path for output in outputs if output.path is not None]
    # Two spellings of one file, or a link to it, are one destination.
    outputs_to = Counter(map(os.path.realpath, paths))
    first_paths = {os.path.realpath(path): path for path in reversed(paths)}
    for place, path in reversed(first_paths.items()):
        if outputs_to[place] > 1:
            yield InputError(f"{source}: {outputs_to[place]} outputs to {path}", hint="give each a file of its own")


@contextmanager
def saved(settings: Settings, path: str | None, beside: Outputs) -> Iterator[Callable[[Plan], None]]:
    """Yield a function that saves a plan in ``path``, the file of ``--out``; without a path it does nothing.

    Raises InputError on entry if the file cannot be written or one of the outputs ``beside`` has the same file.
    """
    if path is None:
        yield lambda _: None
        return
    check_apart(path, settings.source("out"), beside)
    from asrnet.model.plan import to_json

    with destination(path) as write:
        yield lambda plan: write(to_json(plan).decode() + "\n")


def check_apart(path: str, source: str, beside: Outputs) -> None:
    """Raise InputError if one of the outputs ``beside`` also goes to ``path``, which was given at ``source``."""
    if any(file and os.path.realpath(file.path) == os.path.realpath(path) for _, file in beside.targets):
        raise InputError(f"{source}: an --output goes to {path} already", hint="give each a file of its own")


@contextmanager
def destination(path: str | None) -> Iterator[Callable[[str], None]]:
    """Yield a function that writes text to ``path`` or standard output; the file is checked to be writable at once."""
    if path is None:
        yield streams.write
        return
    file = PendingFile(path)
    try:
        yield file.commit
    finally:
        file.abandon()
