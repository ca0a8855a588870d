"""Lists in pages, the same through every door."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

V = TypeVar("V")


class Page(Struct, Generic[V], frozen=True):
    """A page of a list; ``next`` is where the next one starts, None on the last."""

    values: tuple[V, ...]
    next: int | None


def page(values: Sequence[V], start: int, size: int, *, empty_last: bool = False) -> Page[V]:
    """The page that starts at ``start``; with ``empty_last`` an empty page ends the list, as Site Recovery's can."""
    end = start + size
    more = start < len(values) if empty_last else end < len(values)
    return Page(tuple(values[start:end]), min(end, len(values)) if more else None)


def pages(values: Sequence[V], size: int, *, empty_last: bool = False) -> Iterator[tuple[V, ...]]:
    """All pages, one after the other."""
    start: int | None = 0
    while start is not None:
        found = page(values, start, size, empty_last=empty_last)
        yield found.values
        start = found.next
