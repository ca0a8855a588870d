"""The time that each part of a run took, which ``-v`` shows in the last line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asrnet.applying import AuditEntry, Progress
    from asrnet.ports import Clock


class Stopwatch:
    """Adds up the time of each part of a run. A part is marked when it ends."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Start a new run."""
        self._began = self._last = perf_counter()
        self._spent: dict[str, float] = {}

    def mark(self, part: str, *, ago: float = 0.0) -> None:
        """Add the time since the last mark to ``part``, but not the last ``ago`` seconds."""
        until = max(perf_counter() - ago, self._last)
        self._spent[part] = self._spent.get(part, 0.0) + until - self._last
        self._last = until

    def __str__(self) -> str:
        parts = [f"{part} {seconds:.2f} s" for part, seconds in self._spent.items()]
        return ", ".join([*parts, f"{perf_counter() - self._began:.2f} s in all"])


WATCH: Final = Stopwatch()
"""The stopwatch of this process."""


@contextmanager
def timed(
    clock: Clock, on_progress: Callable[[Progress], None], on_write: Callable[[AuditEntry], None]
) -> Iterator[tuple[Callable[[Progress], None], Callable[[AuditEntry], None]]]:
    """``on_progress`` and ``on_write``, wrapped to mark when the first write was sent and the last one was accepted."""
    parts = chain(["reads"], repeat("writes"))
    accepted = 0.0

    def progressed(event: Progress) -> None:
        if event.state == "sending":
            WATCH.mark(next(parts))
        on_progress(event)

    def written(entry: AuditEntry) -> None:
        nonlocal accepted
        accepted = max(accepted, entry.time)
        on_write(entry)

    yield progressed, written
    if accepted:
        WATCH.mark("writes", ago=clock.now() - accepted)
    WATCH.mark("waiting")
