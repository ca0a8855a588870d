"""Storage for a world's resources that remembers recent changes, for lists that lag, and the paging of lists."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

V = TypeVar("V")

# Lists lag by seconds or minutes, so recent changes are enough, and a world that runs for days does not grow.
_REMEMBERED = 50_000


class Past:
    """The recent changes of all stores of a world: time, store, scope, key, and the value before the change."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.changes: deque[tuple[float, Store[Any], str, str, Any]] = deque(maxlen=_REMEMBERED)

    def forget(self) -> None:
        """Make all changes old enough to show in any lagging list."""
        self.changes.clear()


class Store(Generic[V]):
    """Values by scope (a vault or subscription) and key, in the order in which they were first stored."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._scopes: dict[str, dict[str, V]] = {}

    def get(self, scope: str, key: str) -> V | None:
        """The value, or None."""
        return self._scopes.get(scope, {}).get(key)

    def put(self, scope: str, key: str, value: V, *, first: bool = False) -> None:
        """Set a value. A new value goes to the end of its scope or, with ``first``, to the beginning."""
        self._remember(scope, key)
        entries = self._scopes.setdefault(scope, {})
        if first and key not in entries:
            self._scopes[scope] = {key: value, **entries}
        else:
            entries[key] = value

    def remove(self, scope: str, key: str) -> None:
        """Remove a value, if it exists."""
        self._remember(scope, key)
        self._scopes.get(scope, {}).pop(key, None)

    def clear(self, scope: str) -> None:
        """Remove all values of a scope."""
        for key in list(self._scopes.get(scope, {})):
            self.remove(scope, key)

    def values(self, scope: str, *, lag: float = 0.0) -> list[V]:
        """The values of a scope, as they were ``lag`` seconds ago."""
        entries = self._scopes.get(scope, {})
        return list((self._as_of(scope, self._past.now() - lag) if lag else entries).values())

    def __iter__(self) -> Iterator[V]:
        for entries in list(self._scopes.values()):
            yield from list(entries.values())

    def _remember(self, scope: str, key: str) -> None:
        self._past.changes.append((self._past.now(), self, scope, key, self.get(scope, key)))

    def _as_of(self, scope: str, moment: float) -> dict[str, V]:
        entries = dict(self._scopes.get(scope, {}))
        for when, store, where, key, before in reversed(self._past.changes):
            if when <= moment:
                break
            if store is not self or where != scope:
                continue
            if before is None:
                entries.pop(key, None)
            else:
                entries[key] = before
        return entries


class Page(Struct, Generic[V], frozen=True):
    """A page of a list. ``next`` is the start of the next page; None on the last one."""

    values: tuple[V, ...]
    next: int | None


def page(values: Sequence[V], start: int, size: int, *, empty_last: bool = False) -> Page[V]:
    """The page that starts at ``start``. With ``empty_last``, the list ends with an empty page, as in Site Recovery."""
    end = start + size
    more = start < len(values) if empty_last else end < len(values)
    return Page(tuple(values[start:end]), min(end, len(values)) if more else None)


def pages(values: Sequence[V], size: int, *, empty_last: bool = False) -> Iterator[tuple[V, ...]]:
    """All pages, in order."""
    start: int | None = 0
    while start is not None:
        current = page(values, start, size, empty_last=empty_last)
        yield current.values
        start = current.next
