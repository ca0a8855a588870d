"""What is wrong with a document: msgspec's errors with the exact path, what was found and what was expected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
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


class Complaint(Struct, frozen=True):
    """A problem, the path it is at, and what to do about it."""

    problem: str
    path: Steps
    hint: str = ""


def spelled(path: Iterable[str | int]) -> str:
    """A path as people read it: ``rules[1].match.name``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was most likely meant to be."""
    by_key = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), by_key, n=1)
    return by_key[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, or an empty string where nothing is near."""
    found = nearest(word, known)
    return f"; did you mean '{found}'?" if found else ""


def either(words: Iterable[str]) -> str:
    """``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def there_are(word: str, known: Iterable[str]) -> str:
    """``there are a, b and 3 more``: the names that ``word`` could have been, the nearest first."""
    names = sorted(dict.fromkeys(known), key=lambda name: -_likeness(word.lower(), name.lower()))
    more = len(names) - _LISTED_AT_MOST
    if not names:
        return "there are none"
    return f"there are {', '.join(names[:_LISTED_AT_MOST])}{f' and {more} more' if more > 0 else ''}"


def _likeness(word: str, name: str) -> float:
    return difflib.SequenceMatcher(None, word, name, autojunk=False).ratio()


def shown(value: object) -> str:
    """A found value in a message."""
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = str(value)
    return f"'{text if len(text) <= _SHOWN_AT_MOST else text[:_SHOWN_AT_MOST] + '...'}'"


def explain(error: msgspec.ValidationError, plain: Any, kind: Any, convert: Callable[[Any, Any], object]) -> Complaint:
    """What ``convert(plain, kind)``, which raised ``error``, did not like. Cuts ``plain`` down on the way."""
    problem, path, key = _place(str(error), plain, kind, convert)
    info = _type_at(inspect.type_info(kind), path)
    if key is not None:
        return Complaint(_about_value(problem, key, _key_type(info)), (*path, key))
    field = _FIELD.fullmatch(problem)
    if field:
        return _about_field(field, path, info)
    cause = error.__cause__ and error.__cause__.__cause__
    hint = cause.hint if isinstance(cause, InputError) else ""
    return Complaint(_about_value(problem, _at(plain, path), info), path, hint)


def _about_field(field: re.Match[str], path: Steps, info: inspect.Type | None) -> Complaint:
    name, info = field["name"], _unwrapped(info, inspect.StructType)
    if field["what"] == "missing required":
        return Complaint(f"the key '{name}' is missing", path)
    known = [known.encode_name for known in info.fields] if isinstance(info, inspect.StructType) else []
    hint = f"known keys: {', '.join(known)}" if known else ""
    return Complaint(f"unknown key{did_you_mean(name, known)}", (*path, name), hint)


def _about_value(problem: str, found: object, info: inspect.Type | None) -> str:
    if problem in _FORMS:
        return f"found {shown(found)}, expected {_FORMS[problem]}"
    if problem.startswith(_ENUM):
        allowed = _allowed(info)
        return f"found {shown(found)}, expected {either(allowed)}{did_you_mean(str(found), allowed)}"
    types = _TYPES.fullmatch(problem)
    if not types:
        return problem
    names = types["types"].split(" | ")
    words = either(_WORDS.get(name, name) for name in names if name != "null" or len(names) == 1)
    if types["more"].startswith(", got"):
        return f"found {shown(found)}, expected {words}"
    return f"found {shown(found)}, expected {words}{types['more']}"


def _allowed(info: inspect.Type | None) -> list[str]:
    literal = _unwrapped(info, inspect.LiteralType)
    return [str(value) for value in literal.values] if isinstance(literal, inspect.LiteralType) else []


def _place(message: str, plain: Any, kind: Any, convert: Callable[[Any, Any], object]) -> tuple[str, Steps, str | None]:
    """The problem, the path it is at, and the key there that it is about, if it is about a key."""
    suffix = _SUFFIX.search(message)
    if suffix:
        with suppress(LookupError):  # an unknown key at the top may read like a path
            path = _exact_path(suffix["path"], plain, kind, convert)
            _at(plain, path)
            key = _culprit(path, plain, kind, convert) if suffix["key"] else None
            return message[: suffix.start()], path, key
    return message, (), None


def _exact_path(text: str, plain: Any, kind: Any, convert: Callable[[Any, Any], object]) -> Steps:
    path: Steps = ()
    for step in _STEP.finditer(text):
        if step["name"]:
            path = (*path, step["name"])
        elif step["index"] == "...":
            path = (*path, _culprit(path, plain, kind, convert))
        else:
            path = (*path, int(step["index"]))
    return path


def _culprit(path: Steps, plain: Any, kind: Any, convert: Callable[[Any, Any], object]) -> str:
    """The key of the mapping at ``path`` whose entry fails: msgspec says ``[...]``, so the entries are bisected.

    What comes after the culprit is cut off, so that nothing behind it is mistaken for it further down the path.
    """
    mapping = _at(plain, path)
    if not isinstance(mapping, dict) or not mapping:
        raise LookupError(path)
    entries = list(mapping.items())
    good, bad = 0, len(entries)
    while bad - good > 1:
        middle = (good + bad) // 2
        _keep(mapping, entries[:middle])
        if _fails_below(path, lambda: convert(plain, kind)):
            bad = middle
        else:
            good = middle
    _keep(mapping, entries[:bad])
    return str(entries[bad - 1][0])


def _keep(mapping: dict[str, Any], entries: list[tuple[str, Any]]) -> None:
    mapping.clear()
    mapping.update(entries)


def _fails_below(path: Steps, attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except msgspec.ValidationError as error:
        suffix = _SUFFIX.search(str(error))
        return suffix is not None and _is_below(suffix["path"] + ("[...]" if suffix["key"] else ""), path)
    return False


def _is_below(text: str, path: Steps) -> bool:
    """Whether msgspec's path is of an entry of the mapping at ``path``, itself perhaps an entry of another."""
    steps = [step["name"] or step["index"] for step in _STEP.finditer(text)]
    if len(steps) <= len(path) or steps[len(path)] != "...":
        return False
    return all(step in {str(wanted), "..."} for step, wanted in zip(steps, path, strict=False))


def _at(plain: Any, path: Steps) -> Any:
    """The value at ``path``; LookupError where there is none."""
    for step in path:
        inside: Any = plain if isinstance(plain, (dict, list)) else {}
        if isinstance(step, str) and isinstance(inside, list):
            inside = {}
        plain = inside[step]
    return plain


def _type_at(info: inspect.Type | None, path: Steps) -> inspect.Type | None:
    for step in path:
        info = _below(info, step)
    return info


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


def _key_type(info: inspect.Type | None) -> inspect.Type | None:
    mapping = _unwrapped(info, inspect.DictType)
    return mapping.key_type if isinstance(mapping, inspect.DictType) else None


def _unwrapped(info: inspect.Type | None, wanted: Any) -> inspect.Type | None:
    """The member of a union that is meant, or the type itself."""
    while isinstance(info, inspect.Metadata):
        info = info.type
    if isinstance(info, inspect.UnionType):
        return next((kind for kind in info.types if isinstance(kind, wanted)), info)
    return info
