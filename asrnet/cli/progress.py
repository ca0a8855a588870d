"""Progress on standard error: a line for each finished step, and a progress bar if it is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TextIO, cast

from asrnet.cli import logs, streams

if TYPE_CHECKING:
    from asrnet.applying import Progress
    from asrnet.cli.session import Session
    from asrnet.model.plan import Plan
    from asrnet.settings import Settings

OnProgress = Callable[["Progress"], None]

_SENDING: Final = {"create": "creating", "update": "updating", "delete": "deleting"}


@contextmanager
def show_progress(plan: Plan, session: Session[Settings]) -> Iterator[OnProgress]:
    """Yield the function to call with each step of ``plan`` while it is applied."""
    settings = session.settings
    is_shown = plan.changes and not settings.quiet and settings.log_format == "text"
    if is_shown and streams.progress_on_terminal():
        with _bar(plan, colour=streams.wants_colour(settings.variables, on_error=True)) as on_progress:
            yield on_progress
    else:
        yield _log


def line(event: Progress) -> str:
    """A step in one line: ``created hub-ea-to-hub-sea (pair hub)``."""
    pair = f" (pair {event.pair})" if event.pair else ""
    undoing = "putting back: " if event.undoing else ""
    if event.state == "failed":
        return f"{undoing}could not {event.action} {event.name}{pair}: {event.error}"
    from asrnet.model.plan import PAST_TENSE  # whoever applies a plan has imported it

    verbs = PAST_TENSE if event.state == "done" else _SENDING
    return f"{undoing}{verbs[event.action]} {event.name}{pair}"


def _log(event: Progress) -> None:
    if event.state == "sending":
        logs.detail(line(event))
    else:
        logs.remark(line(event))


class _Terminal:
    """Standard error for rich. A terminal that was closed is no error: the run ends with its report in the files."""

    def __init__(self) -> None:
        self._stream = sys.stderr  # meanwhile rich replaces sys.stderr

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
            self._stream.flush()
        return len(text)

    def flush(self) -> None:
        """Nothing is left to flush."""

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextmanager
def _bar(plan: Plan, *, colour: bool) -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    from asrnet.render.wording import printable

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(file=cast("TextIO", _Terminal()), no_color=not colour)
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("applying", total=sum(len(change.steps) for change in plan.changes))

        def on_progress(event: Progress) -> None:
            if event.state == "sending":
                return
            if not event.undoing:
                bar.advance(task)
            style = "red" if event.state == "failed" else "green"
            bar.console.print(Text(printable(line(event)), style=style))

        yield on_progress
        bar.console.print()
