"""What the documents on the wire have in common: camel case, nulls, lists in pages, ids in any case."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Generic, TypeVar

from msgspec import Struct

from asrnet.errors import InputError, ServiceError
from asrnet.model.arm import ArmId, arm_id

T = TypeVar("T")
R = TypeVar("R")

_log: Final = logging.getLogger("asrnet.azure.wire")


class Wire(Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of a document. Members that asrnet does not know are passed over; those it knows may be null or absent."""


class Page(Struct, Generic[T], frozen=True, rename="camel"):
    """One page of a list. The last page may be empty, and its ``nextLink`` null, empty or absent."""

    value: tuple[T, ...] | None = None
    next_link: str | None = None


def id_or_none(text: str | None) -> ArmId | None:
    """The id that ``text`` is; None where it is absent, empty or no id: ``Microsoft Azure`` stands in some places."""
    if not text or not text.startswith("/"):
        return None
    try:
        return arm_id(text)
    except InputError:
        return None


def each(rows: Iterable[T], read: Callable[[T], R], scope: ArmId) -> Iterator[R]:
    """``rows`` of ``scope`` read one by one, for lists by which something is called absent.

    Raises ServiceError where one has an id that makes no sense: without it the list would not be the whole truth.
    """
    for row in rows:
        try:
            yield read(row)
        except InputError as error:
            raise ServiceError(
                f"a list of '{scope}' has an element that cannot be read: {error}",
                resource_id=scope,
                hint="see with az rest what it is; asrnet takes nothing for absent that it cannot read",
            ) from error


def each_readable(rows: Iterable[T], read: Callable[[T], R | None], what: str) -> Iterator[R]:
    """``rows`` read one by one; one that makes no sense is left out with a warning, lest it hide all the others."""
    for row in rows:
        try:
            found = read(row)
        except InputError as error:
            _log.warning("left out %s that cannot be read: %s", what, error)
        else:
            if found is not None:
                yield found
