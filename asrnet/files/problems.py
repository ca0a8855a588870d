"""Mistakes in files: messages for people, with the exact path, the value found, and what was expected."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec
from msgspec import Struct, inspect, structs

from asrnet.errors import DocumentError, InputError, did_you_mean, either, nearest

Steps = tuple[str | int, ...]

NO_FILE: Final = "the file does not exist"
SUFFIXES: Final = (".yaml", ".yml", ".json")
"""The suffixes of documents, each of which may have any of them."""

_SUFFIX = re.compile(r" - at (?:`key` in )?`\$[^`]*`$")
_TYPES = re.compile(r"Expected `(?P<types>[^`]+)`(?P<more>.*)", re.DOTALL)
_ENUM = "Invalid enum value"
_SHOWN_AT_MOST = 60

_WORDS: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "array": "a list",
    "object": "keys and values (key: value)",
}
_FORMS: Final = {
    "Invalid RFC3339 encoded date": "a date (YYYY-MM-DD)",
    "Invalid RFC3339 encoded datetime": "a time (YYYY-MM-DDThh:mm:ssZ)",
    "Invalid UUID": "a GUID",
    "Number out of range": "a smaller number",
    "Integer value out of range": "a smaller number",
}


class Problem(Struct, frozen=True):
    """What is wrong with a document, at which path, and what to do about it.

    ``is_extra``: an unknown key, which probably stands for the required key ``meant`` if that one is missing.
    """

    message: str
    path: Steps
    hint: str = ""
    is_extra: bool = False
    meant: str = ""


class Mistake(Struct, frozen=True, kw_only=True):
    """A mistake in a file. ``path`` leads to the value, as in ``pairs[0].vault``; ``line`` and ``column`` count from 1.

    A mistake about a file as a whole has no line and no path. A mistake in an option or a variable has no file.
    """

    file: str
    line: int | None = None
    column: int | None = None
    path: str = ""
    message: str
    hint: str = ""


def mistakes_of(error: InputError) -> tuple[Mistake, ...]:
    """The mistakes that ``error`` is about."""
    return tuple(
        Mistake(
            file=mistake.file,
            line=mistake.line,
            column=mistake.column,
            path=mistake.path,
            message=mistake.problem,
            hint=mistake.hint,
        )
        if isinstance(mistake, DocumentError)
        else Mistake(file="", message=mistake.message, hint=mistake.hint)
        for mistake in separated(error)
    )


def separated(error: InputError) -> tuple[InputError, ...]:
    """``error`` as one error for each mistake."""
    if not error.others:
        return (error,)
    return (_with_others(error, ()), *error.others)


def _with_others(error: InputError, others: Sequence[InputError]) -> InputError:
    if not isinstance(error, DocumentError):
        return InputError(error.problem, hint=error.hint, others=others)
    return DocumentError(
        error.problem,
        file=error.file,
        line=error.line,
        column=error.column,
        path=error.path,
        names_entry=error.names_entry,
        hint=error.hint,
        others=others,
    )


def combined(errors: Iterable[InputError]) -> InputError:
    """One error about all the mistakes of ``errors``, each once.

    Those about no file come first, then file by file, line by line, and last those about no line.
    """
    mistakes = [mistake for error in errors for mistake in separated(error)]
    files: dict[str, int] = {}

    def place(mistake: InputError) -> tuple[bool, int, int]:
        if not isinstance(mistake, DocumentError):
            return (False, -1, 0)
        return (mistake.line is None, files.setdefault(mistake.file, len(files)), mistake.line or 0)

    return combined_in_order(sorted(mistakes, key=place))


def combined_in_order(errors: Iterable[InputError]) -> InputError:
    """Like ``combined``, but in the order of ``errors``."""
    mistakes: dict[str, InputError] = {}
    for error in errors:
        for mistake in separated(error):
            mistakes.setdefault(mistake.message, mistake)
    first, *others = mistakes.values()
    return _with_others(first, others) if others else first


@contextmanager
def collecting(mistakes: list[DocumentError]) -> Iterator[None]:
    """Add a DocumentError that is raised inside to ``mistakes``, and go on after the block."""
    try:
        yield
    except DocumentError as error:
        mistakes.append(error)


def raise_any(mistakes: Iterable[InputError]) -> None:
    """Raise one error about all ``mistakes``, if there are any."""
    if listed := list(mistakes):
        raise combined(listed)


def missing(path: str | Path) -> str:
    """The problem of a file that does not exist, with the file of the same folder and kind that was probably meant."""
    path = Path(path)
    suffix = path.suffix.lower()
    suffixes = SUFFIXES if suffix in SUFFIXES else (suffix,)
    try:
        files = [file for file in path.parent.iterdir() if file.suffix.lower() in suffixes and file.is_file()]
    except (OSError, ValueError):
        files = []
    by_stem = {file.stem: file for file in sorted(files)}
    name = nearest(path.stem, by_stem)
    return f"{NO_FILE}; did you mean '{by_stem[name]}'?" if name else NO_FILE


def reading_advice(error: Exception) -> str:
    """What to do about an ``error`` of reading a file or a folder; empty if only another path can help."""
    if isinstance(error, PermissionError):
        return "let this user read it (chmod u+r), or run asrnet as the user who may"
    if isinstance(error, NotADirectoryError):
        return "a part of the path is a file, so nothing can be in it; correct the path"
    if getattr(error, "errno", None) == errno.ELOOP:
        return "the symbolic links of the path lead in a circle; correct them, or give another path"
    return ""


def path_text(path: Iterable[str | int]) -> str:
    """A path in the notation of messages: ``rules[1].match.name``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def quoted(value: object) -> str:
    """A value as a message quotes it."""
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return "keys and values" if isinstance(value, dict) else "a list"
    text = str(value)
    return f"'{text if len(text) <= _SHOWN_AT_MOST else text[:_SHOWN_AT_MOST] + '...'}'"


def problems(plain: Any, kind: Any, convert: Callable[[Any, Any], object], path: Steps = ()) -> Iterator[Problem]:
    """Everything that keeps ``convert(plain, kind)`` from succeeding, part by part. ``path`` leads to ``plain``.

    msgspec stops at the first mistake, and does not say which entry of a mapping it is about. So a value that fails is
    taken apart, and each part is converted by itself.
    """
    try:
        convert(plain, kind)
    except msgspec.ValidationError as error:
        of_parts = _problems_of_parts(plain, kind, convert, path)
        # Not as a list: the reader of a file with a hundred thousand mistakes takes the first ones only.
        yield next(of_parts, None) or _explained(error, plain, kind, path)
        yield from of_parts


def _problems_of_parts(plain: Any, kind: Any, convert: Callable[[Any, Any], object], path: Steps) -> Iterator[Problem]:
    kind = member_for(plain, kind)
    arguments = get_args(kind)
    if isinstance(kind, type) and issubclass(kind, Struct) and isinstance(plain, dict):
        fields = _fields(kind)
        for key, value in plain.items():
            if key in fields:
                yield from problems(value, fields[key].type, convert, (*path, key))
            elif kind.__struct_config__.forbid_unknown_fields:
                hint = f"known keys: {', '.join(sorted(fields))}"
                likely = nearest(key, fields)
                missing_key = likely if likely and fields[likely].required and likely not in plain else ""
                problem = f"unknown key{did_you_mean(key, fields)}"
                yield Problem(problem, (*path, key), hint, is_extra=True, meant=missing_key)
        # A key that is only misspelled is one mistake, not two.
        missing = [name for name, field in fields.items() if field.required and name not in plain]
        meant = {nearest(key, fields) for key in plain if key not in fields} if missing else set()
        for name in missing:
            if name not in meant:
                yield Problem(f"the key '{name}' is missing", path)
    elif isinstance(plain, dict) and arguments:
        key_kind, value_kind = arguments
        for key, value in plain.items():
            yield from problems(key, key_kind, convert, (*path, key))
            yield from problems(value, value_kind, convert, (*path, key))
    elif isinstance(plain, list) and arguments:
        for index, value in enumerate(plain):
            yield from problems(value, arguments[0], convert, (*path, index))


# msgspec compiles every annotation of the class whenever it is asked for the fields: half the time that a file with
# mistakes in a thousand entries took.
@cache
def _fields(kind: type[Struct]) -> Mapping[str, structs.FieldInfo]:
    return {field.encode_name: field for field in structs.fields(kind)}


def member_for(plain: Any, kind: Any) -> Any:
    """``kind``, or the one member of a union, that the mapping or list ``plain`` can be meant for; None if none can."""
    while get_origin(kind) is Annotated:
        kind = kind.__origin__
    if get_origin(kind) in {Union, UnionType}:
        members = [member for member in (member_for(plain, alternative) for alternative in get_args(kind)) if member]
        return members[0] if len(members) == 1 else None
    if isinstance(plain, dict):
        is_fitting = (isinstance(kind, type) and issubclass(kind, Struct)) or get_origin(kind) in {dict, Mapping}
    else:
        is_fitting = isinstance(plain, list) and get_origin(kind) in {list, tuple}
    return kind if is_fitting else None


def _explained(error: msgspec.ValidationError, plain: Any, kind: Any, path: Steps) -> Problem:
    cause = error.__cause__ and error.__cause__.__cause__
    hint = cause.hint if isinstance(cause, InputError) else ""
    return Problem(_about_value(_SUFFIX.sub("", str(error)), plain, inspect.type_info(kind)), path, hint)


def _about_value(message: str, value: object, info: inspect.Type | None) -> str:
    if message in _FORMS:
        return f"found {quoted(value)}, expected {_FORMS[message]}"
    if message.startswith(_ENUM):
        literal = _unwrapped(info, inspect.LiteralType)
        allowed = [str(word) for word in literal.values] if isinstance(literal, inspect.LiteralType) else []
        return f"found {quoted(value)}, expected {either(allowed)}{did_you_mean(str(value), allowed)}"
    types = _TYPES.fullmatch(message)
    if not types:
        return message
    names = types["types"].split(" | ")
    expected = either(_WORDS.get(name, name) for name in names if name != "null" or len(names) == 1)
    limits = "" if types["more"].startswith(", got") else types["more"]
    return f"found {quoted(value)}, expected {expected}{limits}"


def _unwrapped(info: inspect.Type | None, kinds: Any) -> inspect.Type | None:
    """The first member of a union that is one of ``kinds``, or the type itself."""
    while isinstance(info, inspect.Metadata):
        info = info.type
    if isinstance(info, inspect.UnionType):
        return next((member for member in info.types if isinstance(member, kinds)), info)
    return info
