"""The clock of an emulator that others connect to: the time of day, and ahead of it on request."""

from __future__ import annotations

from threading import Lock
from typing import Protocol, runtime_checkable

from asrnet.clocks import SystemClock


@runtime_checkable
class Advanceable(Protocol):
    """A clock that can be put forward."""

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        ...


class ShiftedClock(SystemClock):
    """The time of day plus what it was advanced by. Sleeps are real."""

    def __init__(self) -> None:
        super().__init__()
        self._shift = 0.0
        self._shifting = Lock()

    def now(self) -> float:
        """Seconds since 1970."""
        return super().now() + self._shift

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once: operations that are due by then end."""
        with self._shifting:
            self._shift += seconds
