"""Turns msgspec's errors into messages for people, with the exact path, the value found, and what was expected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, inspect

from asrnet.errors import InputError

Steps = tuple[str | int, ...]

_SUFFIX = re.compile(r" - at (?:`(?P<key>key)` in )?`\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")
_FIELD = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL)
_TYPES = re.compile(r"Expected `(?P<types>[^`]+)`(?P<more>.*)", re.DOTALL)
_ENUM = "Invalid enum value"
_SHOWN_AT_MOST = 60
_LISTED_AT_MOST = 20

_WORDS: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "array": "a list",
    "object": "a mapping (key: value)",
}
_FORMS: Final = {
    "Invalid RFC3339 encoded date": "a date (YYYY-MM-DD)",
    "Invalid RFC3339 encoded datetime": "a time (YYYY-MM-DDThh:mm:ssZ)",
    "Invalid UUID": "a GUID",
    "Number out of range": "a smaller number",
    "Integer value out of range": "a smaller number",
}


class Problem(Struct, frozen=True):
    """What is wrong with a document, at which path, and what to do about it."""

    message: str
    path: Steps
    hint: str = ""


def spelled(path: Iterable[str | int]) -> str:
    """A path in the notation of messages: ``rules[1].match.name``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was most likely meant to be."""
    by_key = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(word.lower(), by_key, n=1)
    return by_key[matches[0]] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or an empty string where no known word is near."""
    name = nearest(word, known)
    return f"; did you mean '{name}'?" if name else ""


def either(words: Iterable[str]) -> str:
    """``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def known_names(word: str, known: Iterable[str], noun: str) -> str:
    """``known pairs: a, b and 3 more``: the names that exist, those most like ``word`` first; ``noun`` is a plural."""

    def likeness(name: str) -> float:
        return difflib.SequenceMatcher(None, word.lower(), name.lower(), autojunk=False).ratio()

    names = sorted(dict.fromkeys(known), key=likeness, reverse=True)
    more = len(names) - _LISTED_AT_MOST
    if not names:
        return f"there are no {noun}"
    return f"known {noun}: {', '.join(names[:_LISTED_AT_MOST])}{f' and {more} more' if more > 0 else ''}"


def shown(value: object) -> str:
    """A value as a message quotes it."""
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = str(value)
    return f"'{text if len(text) <= _SHOWN_AT_MOST else text[:_SHOWN_AT_MOST] + '...'}'"


def explain(error: msgspec.ValidationError, plain: Any, kind: Any, convert: Callable[[Any, Any], object]) -> Problem:
    """Explain why ``convert(plain, kind)`` raised ``error``. Modifies ``plain`` to find the faulty entry."""
    message = str(error)
    path: Steps = ()
    key: str | None = None
    suffix = _SUFFIX.search(message)
    if suffix:
        try:
            path = _exact_path(suffix["path"], plain, kind, convert)
            _at(plain, path)
            key = _failing_key(path, plain, kind, convert) if suffix["key"] else None
            message = message[: suffix.start()]
        except LookupError:  # an unknown key at the top may read like a path
            path = ()
    info: inspect.Type | None = inspect.type_info(kind)
    for step in path:
        info = _below(info, step)
    if key is not None:
        mapping = _unwrapped(info, inspect.DictType)
        key_type = mapping.key_type if isinstance(mapping, inspect.DictType) else None
        return Problem(_about_value(message, key, key_type), (*path, key))
    field = _FIELD.fullmatch(message)
    if field:
        return _about_field(field, path, info)
    cause = error.__cause__ and error.__cause__.__cause__
    hint = cause.hint if isinstance(cause, InputError) else ""
    return Problem(_about_value(message, _at(plain, path), info), path, hint)


def _about_field(field: re.Match[str], path: Steps, info: inspect.Type | None) -> Problem:
    name, info = field["name"], _unwrapped(info, inspect.StructType)
    if field["what"] == "missing required":
        return Problem(f"the key '{name}' is missing", path)
    keys = [key.encode_name for key in info.fields] if isinstance(info, inspect.StructType) else []
    hint = f"known keys: {', '.join(keys)}" if keys else ""
    return Problem(f"unknown key{did_you_mean(name, keys)}", (*path, name), hint)


def _about_value(message: str, value: object, info: inspect.Type | None) -> str:
    if message in _FORMS:
        return f"found {shown(value)}, expected {_FORMS[message]}"
    if message.startswith(_ENUM):
        literal = _unwrapped(info, inspect.LiteralType)
        allowed = [str(word) for word in literal.values] if isinstance(literal, inspect.LiteralType) else []
        return f"found {shown(value)}, expected {either(allowed)}{did_you_mean(str(value), allowed)}"
    types = _TYPES.fullmatch(message)
    if not types:
        return message
    names = types["types"].split(" | ")
    expected = either(_WORDS.get(name, name) for name in names if name != "null" or len(names) == 1)
    limits = "" if types["more"].startswith(", got") else types["more"]
    return f"found {shown(value)}, expected {expected}{limits}"


def _exact_path(text: str, plain: Any, kind: Any, convert: Callable[[Any, Any], object]) -> Steps:
    path: Steps = ()
    for step in _STEP.finditer(text):
        if step["name"]:
            path = (*path, step["name"])
        elif step["index"] == "...":
            path = (*path, _failing_key(path, plain, kind, convert))
        else:
            path = (*path, int(step["index"]))
    return path


def _failing_key(path: Steps, plain: Any, kind: Any, convert: Callable[[Any, Any], object]) -> str:
    """The key of the mapping at ``path`` whose entry fails, found by bisection: msgspec only says ``[...]``.

    The entries after it are removed from the mapping, so that a later faulty entry is not found in its place.
    """
    mapping = _at(plain, path)
    if not isinstance(mapping, dict) or not mapping:
        raise LookupError(path)
    entries = list(mapping.items())
    good, bad = 0, len(entries)
    while bad - good > 1:
        middle = (good + bad) // 2
        mapping.clear()
        mapping.update(entries[:middle])
        if _fails_below(path, lambda: convert(plain, kind)):
            bad = middle
        else:
            good = middle
    mapping.clear()
    mapping.update(entries[:bad])
    return str(entries[bad - 1][0])


def _fails_below(path: Steps, attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except msgspec.ValidationError as error:
        suffix = _SUFFIX.search(str(error))
        return suffix is not None and _is_below(suffix["path"] + ("[...]" if suffix["key"] else ""), path)
    return False


def _is_below(text: str, path: Steps) -> bool:
    """Whether msgspec's path ``text`` leads to an entry of the mapping at ``path``, itself perhaps such an entry."""
    steps = [step["name"] or step["index"] for step in _STEP.finditer(text)]
    if len(steps) <= len(path) or steps[len(path)] != "...":
        return False
    return all(step in {str(expected), "..."} for step, expected in zip(steps, path, strict=False))


def _at(plain: Any, path: Steps) -> Any:
    """The value at ``path``; LookupError where there is none."""
    for step in path:
        entries: Any = plain if isinstance(plain, (dict, list)) else {}
        if isinstance(step, str) and isinstance(entries, list):
            entries = {}
        plain = entries[step]
    return plain


def _below(info: inspect.Type | None, step: str | int) -> inspect.Type | None:
    if isinstance(step, int):
        many = _unwrapped(info, inspect.CollectionType)
        return many.item_type if isinstance(many, inspect.CollectionType) else None
    info = _unwrapped(info, (inspect.StructType, inspect.DictType))
    if isinstance(info, inspect.DictType):
        return info.value_type
    fields: Mapping[str, inspect.Type] = {}
    if isinstance(info, inspect.StructType):
        fields = {field.encode_name: field.type for field in info.fields}
    return fields.get(str(step))


def _unwrapped(info: inspect.Type | None, kinds: Any) -> inspect.Type | None:
    """The first member of a union that is one of ``kinds``, or the type itself."""
    while isinstance(info, inspect.Metadata):
        info = info.type
    if isinstance(info, inspect.UnionType):
        return next((member for member in info.types if isinstance(member, kinds)), info)
    return info
