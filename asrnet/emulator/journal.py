"""The journal of requests and response statuses. It never holds a token, a body or a signed query."""

from __future__ import annotations

from collections import Counter, deque
from threading import Lock

import msgspec
from msgspec import Struct

_KEPT = 10_000  # enough for a long run of a test suite; older entries still count in the totals


class Entry(Struct, frozen=True, kw_only=True):
    """One answered request. ``time`` is in seconds since 1970; ``fault`` is the kind of the scripted fault, if any."""

    time: float
    method: str
    path: str
    api_version: str
    operation: str
    status: int
    fault: str = ""


class Journal:
    """The latest entries, and counts of all requests since the last ``clear``.

    ``altered`` counts operation URLs that a client sent back with a changed signature.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Remove all entries and counts."""
        with self._lock:
            self.entries: deque[Entry] = deque(maxlen=_KEPT)
            self.methods: Counter[str] = Counter()
            self.statuses: Counter[int] = Counter()
            self.operations: Counter[str] = Counter()
            self.altered = 0

    def add(self, entry: Entry) -> None:
        """Count and store a request."""
        with self._lock:
            self.entries.append(entry)
            self.methods[entry.method] += 1
            self.statuses[entry.status] += 1
            self.operations[entry.operation] += 1

    def summary(self, latest: int) -> dict[str, object]:
        """The counts and the ``latest`` entries as JSON, taken in one step while other threads may add entries."""
        with self._lock:
            return {
                "total": self.total,
                "methods": dict(self.methods),
                "statuses": {str(status): count for status, count in self.statuses.items()},
                "operations": dict(self.operations),
                "altered": self.altered,
                "requests": msgspec.to_builtins(list(self.entries)[-latest:]),
            }

    @property
    def total(self) -> int:
        """The number of requests."""
        return self.methods.total()

    def count(self, method: str | None = None, operation: str | None = None) -> int:
        """The number of stored requests with this method and operation; None matches any."""
        return sum(method in {None, e.method} and operation in {None, e.operation} for e in self.entries)
