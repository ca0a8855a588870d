"""How often a request was sent, noted on its answer or its error for whoever tells of it."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

_NAME: Final = "asrnet_attempts"


class Attempts(Struct, frozen=True):
    """A request, without the query of its address, and how often it was sent."""

    method: str
    host: str
    path: str
    number: int

    def __str__(self) -> str:
        return f"{self.method} {self.path}, {self.number} {'attempt' if self.number == 1 else 'attempts'}"


def note(outcome: object, attempts: Attempts) -> None:
    """Leave ``attempts`` on a response or an exception of the SDKs."""
    setattr(outcome, _NAME, attempts)


def noted(outcome: object) -> Attempts | None:
    """What was noted on ``outcome``, if it came through the retry policy."""
    found = getattr(outcome, _NAME, None)
    return found if isinstance(found, Attempts) else None
