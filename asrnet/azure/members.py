"""Reads members of the SDKs' models by their names on the wire.

The models are mappings and check nothing: they accept a number for a text or a string for a list, and an empty model is
falsy. So every member is read through these functions, which return one type of value or raise TypeError. Access by
attribute would convert each member once more, and takes two and a half times as long (96 against 39 us per network).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from asrnet.errors import InputError, ServiceError
from asrnet.model.arm import ArmId, arm_id

_log: Final = logging.getLogger("asrnet.azure.members")

M = TypeVar("M")
R = TypeVar("R")

Model = Mapping[str, Any]
"""A model of an SDK, a part of one, or a row of Resource Graph."""


def text(model: Model, name: str) -> str:
    """A text; empty if it is absent or null."""
    value = _member(model, name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"'{name}' is not text but {value!r:.40}")
    return value


def texts(model: Model, name: str) -> tuple[str, ...]:
    """A list of texts; nulls in it are left out."""
    values = _list(model, name)
    for value in values:
        if value is not None and not isinstance(value, str):
            raise TypeError(f"'{name}' has an element that is not text but {value!r:.40}")
    return tuple(value for value in values if value is not None)


def flag(model: Model, name: str) -> bool | None:
    """A boolean, which Site Recovery sometimes writes as a word; None if it is absent."""
    value = _member(model, name)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false", ""}:
        return value.lower() == "true" if value else None
    raise TypeError(f"'{name}' is neither true nor false but {value!r:.40}")


def number(model: Model, name: str) -> float | None:
    """A number; None if it is absent or null."""
    value = _member(model, name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise TypeError(f"'{name}' is not a number but {value!r:.40}")
    return value


def document(body: object) -> Model:
    """The body of an answer, which must be an object."""
    if not isinstance(body, Mapping):
        raise TypeError(f"it is not an object but {body!r:.40}")
    return body


def documents(body: object) -> list[Model]:
    """A list of objects, none of them null."""
    if not isinstance(body, list):
        raise TypeError(f"it is not a list but {body!r:.40}")
    return [document(row) for row in body]


def part(model: Model, name: str) -> Model:
    """An object; an empty one if it is absent or null."""
    value = _member(model, name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"'{name}' is not an object but {value!r:.40}")
    return value


def parts(model: Model, name: str) -> tuple[Model, ...]:
    """A list of objects; nulls in it are left out."""
    values = _list(model, name)
    for value in values:
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(f"'{name}' has an element that is not an object but {value!r:.40}")
    return tuple(value for value in values if value is not None)


def reference(model: Model, name: str) -> ArmId | None:
    """The id of another resource; None if it is absent or replaced by words such as ``Microsoft Azure``."""
    return _id_or_none(text(model, name))


def references(model: Model, name: str) -> tuple[ArmId, ...]:
    """The ids of other resources."""
    return tuple(resource_id for value in texts(model, name) if (resource_id := _id_or_none(value)))


def _member(model: Model, name: str) -> Any:
    if name not in model:  # most are absent, and checking that through a model's get() takes ten times as long
        return None
    return model[name]


def _list(model: Model, name: str) -> list[Any] | tuple[Any, ...]:
    values = _member(model, name)
    if values is None:
        return ()
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"'{name}' is not a list but {values!r:.40}")
    return values


def _id_or_none(value: str) -> ArmId | None:
    if not value.startswith("/"):
        return None
    try:
        return arm_id(value)
    except InputError:
        return None


@contextmanager
def reading_answer(resource_id: ArmId) -> Iterator[None]:
    """Convert the exceptions that a malformed answer causes into a ServiceError about ``resource_id``."""
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise ServiceError(
            f"the answer for '{resource_id}' cannot be read: {error}",
            resource_id=resource_id,
            hint="something between here and Azure may be altering answers",
        ) from error


def translate_all(models: Iterable[M], translate: Callable[[Any], R], of: ArmId) -> Iterator[R]:
    """Translate the ``models`` of a list of ``of``, for lists that prove absence.

    Raises ServiceError if one has an invalid id, because without it the list would be incomplete.
    """
    for model in models:
        try:
            with reading_answer(of):
                row = translate(document(model))
        except InputError as error:
            raise ServiceError(
                f"a list of '{of}' has an element that cannot be read: {error}",
                resource_id=of,
                hint="look at it with az rest; asrnet never treats what it cannot read as absent",
            ) from error
        yield row


def translate_readable(models: Iterable[M], translate: Callable[[Any], R | None], of: ArmId, what: str) -> Iterator[R]:
    """Translate ``models``; those for which ``translate`` returns None are left out.

    One with an invalid id is left out with a warning, so that it does not hide all the others.
    """
    for model in models:
        try:
            with reading_answer(of):
                row = translate(document(model))
        except InputError as error:
            _log.warning("left out %s that cannot be read: %s", what, error)
        else:
            if row is not None:
                yield row
