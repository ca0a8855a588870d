"""Where documents go: each ``--output`` is proved writable before anything is done, and written at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from asrnet.changes import Plan, to_json
from asrnet.cli import streams
from asrnet.complaints import did_you_mean
from asrnet.errors import InputError
from asrnet.files import PendingFile
from asrnet.render import View, render
from asrnet.settings import Output

if TYPE_CHECKING:
    from asrnet.render.layout import Document

PLAN_FORMATS = ("text", "json", "markdown")
TEXT = Output("text")


class Outputs(Struct, frozen=True):
    """The outputs of a run; a file is None for standard output."""

    targets: tuple[tuple[Output, PendingFile | None], ...]

    @property
    def printed(self) -> str | None:
        """The format that goes to standard output, if one does."""
        return next((output.format for output, file in self.targets if file is None), None)

    def write(self, document: Document, view: View) -> None:
        """Write ``document`` everywhere; files are drawn plain, whatever the terminal."""
        self.draw(partial(render, document), view)

    def draw(self, drawn: Callable[[str, View], str], view: View) -> None:
        """Write everywhere what ``drawn`` makes of a format's name and a view."""
        plain = structs.replace(view, width=None, colour=False)
        for output, file in self.targets:
            if file is None:
                streams.write(drawn(output.format, view))
            else:
                file.commit(drawn(output.format, plain))


@contextmanager
def opened(wanted: Collection[Output], formats: Collection[str] = PLAN_FORMATS) -> Iterator[Outputs]:
    """The outputs, or text on standard output where none is wanted; files not written by the end stay as they were.

    Raises InputError for formats other than ``formats``, two outputs to one place, and files that cannot be written.
    """
    outputs = tuple(wanted) or (TEXT,)
    for output in outputs:
        if output.format not in formats:
            problem = f"--output: there is no format '{output.format}' here{did_you_mean(output.format, formats)}"
            raise InputError(problem, hint=f"there are {', '.join(formats)}")
    place, times = Counter(output.path for output in outputs).most_common(1)[0]
    if times > 1:
        raise InputError(f"--output: {times} outputs to {place or 'standard output'}", hint="write FORMAT=PATH")
    files: list[PendingFile] = []
    try:
        targets = tuple((output, _file(output, files)) for output in outputs)
        yield Outputs(targets)
    finally:
        for file in files:
            file.abandon()


def _file(output: Output, files: list[PendingFile]) -> PendingFile | None:
    if output.path is None:
        return None
    files.append(PendingFile(output.path))
    return files[-1]


@contextmanager
def saved(path: str | None) -> Iterator[Callable[[Plan], None]]:
    """What to call with a plan that is to be saved in ``path``, if there is one; proved writable at once."""
    if path is None:
        yield lambda _: None
        return
    file = PendingFile(path)
    try:
        yield lambda plan: file.commit(to_json(plan).decode() + "\n")
    finally:
        file.abandon()
