"""A part of a world file: what to complain about, with file and line, and what is commonly wrong."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from contextlib import suppress

from asrnet.errors import DocumentError, InputError
from asrnet.fake.document import WorldDocument
from asrnet.fake.times import seconds_of
from asrnet.files.yaml import Document
from asrnet.model.arm import ArmId, normal_location

Step = str | int


class Place:
    """A part of the document, to complain about."""

    def __init__(self, document: Document[WorldDocument], *path: Step) -> None:
        self._document = document
        self._path = path

    def at(self, *steps: Step) -> Place:
        """The part below."""
        return Place(self._document, *self._path, *steps)

    def error(self, problem: str, *steps: Step, hint: str = "") -> DocumentError:
        """The error to raise about this part, or one below it."""
        return self._document.error(problem, *self._path, *steps, hint=hint)

    def child(self, parent: ArmId, *segments: str) -> ArmId:
        """An id below ``parent``. Raises DocumentError where the name cannot be part of an id."""
        problem = f"'{segments[-1]}' cannot be a name in Azure"
        if "/" in segments[-1]:
            raise self.error(problem, "name")
        try:
            return parent.child(*segments)
        except InputError as error:
            raise self.error(problem, "name") from error


def refuse_twice(keyed: Iterable[tuple[str, str]], place: Place, what: str) -> None:
    """``keyed`` gives for each entry what must be its own, and the key under which it stands."""
    first: dict[str, int] = {}
    for index, (value, key) in enumerate(keyed):
        if value in first:
            raise place.error(f"the {what} is already there as number {first[value] + 1}", index, key)
        first[value] = index


def expect(identifier: ArmId, kind: str, what: str, place: Place, key: str) -> None:
    """Raise DocumentError where the id is not of that type."""
    if identifier.type != kind:
        raise place.error(f"'{identifier}' is not the id of {what}", key)


def check_region(text: str, place: Place, key: str = "location") -> None:
    """Raise DocumentError where the text names no region."""
    if not normal_location(text):
        raise place.error(f"'{text}' is not a region, expected one such as eastasia", key)


def check_prefix(text: str, place: Place, *steps: Step) -> None:
    """Raise DocumentError where the text is no address prefix."""
    with suppress(ValueError):
        ipaddress.ip_network(text)
        return
    raise place.error(f"'{text}' is not an address prefix, expected one such as 10.0.0.0/16", *steps)


def check_address(text: str, place: Place, *steps: Step) -> None:
    """Raise DocumentError where the text is no address."""
    with suppress(ValueError):
        ipaddress.ip_address(text)
        return
    raise place.error(f"'{text}' is not an address, expected one such as 10.0.0.4", *steps)


def check_time(text: str, place: Place, key: str) -> None:
    """Raise DocumentError where the text is neither empty nor a time."""
    with suppress(ValueError):
        if not text or seconds_of(text):
            return
    raise place.error(f"'{text}' is not a time, expected one such as 2026-01-01T00:00:00Z", key)
