"""What was asked of the emulator and how it answered: paths and counts, never a token, a body or a signed query."""

from __future__ import annotations

from collections import Counter, deque
from threading import Lock

import msgspec
from msgspec import Struct

_KEPT = 10_000  # a long run of a test suite; older entries still count in the totals


class Entry(Struct, frozen=True, kw_only=True):
    """One answered request. ``time`` is in seconds since 1970, ``fault`` names the scripted fault that answered."""

    time: float
    method: str
    path: str
    api_version: str
    operation: str
    status: int
    fault: str = ""


class Journal:
    """The latest entries, and counts of everything since the last ``clear``.

    ``altered`` counts operation URLs that came back with another signature than they were given out with.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self.entries: deque[Entry] = deque(maxlen=_KEPT)
            self.methods: Counter[str] = Counter()
            self.statuses: Counter[int] = Counter()
            self.operations: Counter[str] = Counter()
            self.altered = 0

    def add(self, entry: Entry) -> None:
        """Count and keep a request."""
        with self._lock:
            self.entries.append(entry)
            self.methods[entry.method] += 1
            self.statuses[entry.status] += 1
            self.operations[entry.operation] += 1

    def summary(self, latest: int) -> dict[str, object]:
        """The counts and the ``latest`` entries as JSON: a snapshot of one moment, safe while others add."""
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
        """How many requests there were."""
        return self.methods.total()

    def count(self, method: str | None = None, operation: str | None = None) -> int:
        """How many requests there were with this method and to this operation, among those still kept."""
        return sum(method in {None, e.method} and operation in {None, e.operation} for e in self.entries)
