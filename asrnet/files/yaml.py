"""Strict documents: YAML, or JSON as the YAML it is, into Structs, with ``file:line: path:`` in every error.

Scalars are text until the Struct asks for something else, so ``yes`` and ``010`` are no traps. An empty value, ``~``
and ``null`` mean nothing. Anchors, aliases, merge keys, tags, keys given twice, and depth beyond reason are refused.

The parser's events are read one by one into plain values: composing nodes first takes seven times as long, and
libyaml's composer crashes the interpreter on a deeply nested list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
import yaml
from msgspec import Struct

from asrnet.errors import DocumentError, InputError
from asrnet.files import problems as complaints
from asrnet.files.decoding import TYPES
from asrnet.files.problems import Steps, spelled
from asrnet.model.arm import ArmId, arm_id

T = TypeVar("T")

MIB: Final = 1024 * 1024
LIMIT: Final = 8 * MIB
"""The most bytes a file may have, unless its reader says otherwise."""
WORLD_LIMIT: Final = 64 * MIB
"""The same for worlds."""
DEEPEST: Final = 50

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_ESCAPE = re.compile(r"\\(?:u(?P<high>d[89ab]..)\\u(?P<low>d[c-f]..)|.)", re.IGNORECASE | re.DOTALL)
_PATH_SHOWN_AT_MOST = 12


class Document(Struct, Generic[T], frozen=True):
    """A value and where in its file every part of it was said."""

    value: T
    source: str
    places: Places

    def line(self, *path: str | int) -> int | None:
        """The line, from 1, of what is at ``path`` (of its key, if it has one); None where nothing is."""
        return self.places.line(path)

    def error(self, problem: str, *path: str | int, hint: str = "") -> DocumentError:
        """The error to raise when what is at ``path`` cannot be used."""
        at = spelled(path)
        return DocumentError(
            f"{at}: {problem}" if at else problem, file=self.source, line=self.places.nearest(path), hint=hint
        )


def read(path: str | Path, kind: type[T], *, limit: int = LIMIT) -> Document[T]:
    """The document in the file ``path``, of at most ``limit`` bytes; DocumentError where it is not a ``kind``."""
    return parse(_bytes(path, limit), kind, str(path))


def parse(text: str | bytes, kind: type[T], source: str = "<text>") -> Document[T]:
    """The document in ``text``; ``source`` names it in errors. Raises DocumentError where it is not a ``kind``."""
    decoded = _decoded(text, source)
    plain = _plain_json(decoded)
    if plain is not None:
        # What this refuses YAML's reading decides about, which knows the lines.
        with suppress(msgspec.ValidationError, RecursionError):
            return Document(_converted(plain, kind), source, Places(decoded, source))
        decoded = _ESCAPE.sub(_joined, decoded)
    root = _Builder(source).build(decoded)
    document = Document(root.value, source, Places(decoded, source, root))
    try:
        return Document(_converted(root.value, kind), source, document.places)
    except msgspec.ValidationError as error:
        complaint = complaints.explain(error, root.value, kind, _converted)
        raise document.error(complaint.problem, *complaint.path, hint=complaint.hint) from error


def read_text(path: str | Path, *, limit: int = LIMIT) -> str:
    """The text of the file ``path``, of at most ``limit`` bytes of UTF-8; DocumentError where there is none."""
    return _decoded(_bytes(path, limit), str(path))


class Spot(Struct):
    """A part of a document: its value, its line, and for a container the lines and the containers in it."""

    value: Any
    line: int
    lines: dict[str | int, int] = {}
    inside: dict[str | int, Spot] = {}


class Places:
    """Finds the line of a path. A document that came in by the fast door is read again when a line is asked for."""

    __slots__ = ("_root", "_source", "_text")

    def __init__(self, text: str, source: str, root: Spot | None = None) -> None:
        self._text, self._source, self._root = text, source, root

    def line(self, path: Steps) -> int | None:
        """The line of ``path`` itself."""
        *_, (depth, line) = self._trail(path)
        return line if depth == len(path) else None

    def nearest(self, path: Steps) -> int | None:
        """The line of ``path``, or of what is nearest above it."""
        *_, (_, line) = self._trail(path)
        return line

    def _trail(self, path: Steps) -> Iterator[tuple[int, int | None]]:
        spot: Spot | None = self._spots()
        yield 0, None if spot is None else spot.line
        for depth, step in enumerate(path, start=1):
            if spot is None or step not in spot.lines:
                return
            yield depth, spot.lines[step]
            spot = spot.inside.get(step)

    def _spots(self) -> Spot | None:
        if self._root is None:
            try:
                self._root = _Builder(self._source).build(_ESCAPE.sub(_joined, self._text))
            except DocumentError:
                return None  # JSON that YAML does not take: a key of more than 1,024 characters, say
        return self._root


class _Builder:
    """Builds plain values from the parser's events; every rule about the form of a document is here."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._top = Spot([], 1)
        self._open: list[tuple[Spot, str | int]] = []
        self._spot = self._top
        self._key: str | int | None = None

    def build(self, text: str) -> Spot:
        """The document in ``text``; DocumentError where it breaks a rule."""
        try:
            for event in yaml.parse(text, _LOADER):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            raise _syntax_error(error, text, self._source) from error
        except yaml.YAMLError as error:
            raise DocumentError(f"not valid YAML: {error}", file=self._source) from error
        if not self._top.value:
            raise DocumentError("the file is empty, expected keys and values", file=self._source)
        return self._top.inside.get(0) or Spot(self._top.value[0], self._top.lines[0])

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._start(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._spot, self._key = self._open.pop()[0], None
        elif isinstance(event, yaml.AliasEvent):
            raise self._error(f"the alias '*{event.anchor}' is not accepted; write the value out", event)
        elif isinstance(event, yaml.DocumentStartEvent) and self._top.value:
            raise self._error("a second document starts here, expected one per file", event)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._refuse_decoration(event)
        plain = not event.style
        if self._wants_key():
            self._begin_entry(event, plain=plain)
        else:
            self._put(None if plain and event.value in _NOTHING else event.value, event)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._refuse_decoration(event)
        if self._wants_key():
            raise self._error("a list or mapping cannot be a key, expected text", event)
        if len(self._open) >= DEEPEST:
            raise self._error(f"nested more than {DEEPEST} levels deep", event)
        spot = Spot({} if isinstance(event, yaml.MappingStartEvent) else [], _line(event))
        step = self._put(spot.value, event)
        self._spot.inside[step] = spot
        self._open.append((self._spot, step))
        self._spot = spot

    def _wants_key(self) -> bool:
        return isinstance(self._spot.value, dict) and self._key is None

    def _begin_entry(self, event: yaml.ScalarEvent, *, plain: bool) -> None:
        key = event.value
        if plain and key == "<<":
            raise self._error("merge keys ('<<') are not accepted; write the values out", event)
        if plain and not key:
            raise self._error("a key is empty, expected text", event)
        if key in self._spot.lines:
            first = self._spot.lines[key]
            raise self._error(f"the key is given twice, first in line {first}", event, key)
        self._key = key
        self._spot.lines[key] = _line(event)

    def _put(self, value: object, event: yaml.Event) -> str | int:
        if self._key is not None:
            step = self._key
            self._spot.value[step], self._key = value, None
            return step
        step = len(self._spot.value)
        self._spot.value.append(value)
        self._spot.lines[step] = _line(event)
        return step

    def _refuse_decoration(self, event: Any) -> None:
        if event.anchor is not None:
            raise self._error(f"the anchor '&{event.anchor}' is not accepted; write the value out", event)
        if event.tag is not None:
            raise self._error(f"the tag '{event.tag}' is not accepted; leave it out", event)

    def _error(self, problem: str, event: yaml.Event, *steps: str) -> DocumentError:
        path = spelled((*(step for _, step in self._open[1:]), *steps)[:_PATH_SHOWN_AT_MOST])
        return DocumentError(f"{path}: {problem}" if path else problem, file=self._source, line=_line(event))


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _syntax_error(error: yaml.MarkedYAMLError, text: str, source: str) -> DocumentError:
    mark = error.problem_mark or error.context_mark
    words = ", ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return DocumentError(f"not valid YAML: {words}", file=source)
    before = text.split("\n")[mark.line][: mark.column + 1] if mark.line <= text.count("\n") else ""
    if before.lstrip(" ").startswith("\t"):
        words = "a tab cannot indent, expected spaces"
    return DocumentError(f"not valid YAML: {words}", file=source, line=mark.line + 1)


def _plain_json(text: str) -> Any:
    """The plain values of a JSON object, numbers as text; None where YAML has to judge.

    Ten times as fast as YAML's reading, which matters for a world of several megabytes. It only ever accepts: what
    fails here is read again as YAML.
    """
    if not text.lstrip().startswith("{"):
        return None
    try:
        plain = json.loads(
            text, object_pairs_hook=_without_repeats, parse_int=str, parse_float=str, parse_constant=_not_json
        )
        if "\\u" in text:
            json.dumps(plain, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return plain


def _joined(escape: re.Match[str]) -> str:
    """JSON writes characters beyond U+FFFF as two escapes, which YAML does not know."""
    if not escape["high"]:
        return escape[0]
    return bytes.fromhex(escape["high"] + escape["low"]).decode("utf-16-be")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) != len(pairs):
        raise ValueError
    return plain


def _not_json(constant: str) -> None:
    raise ValueError(constant)


def _converted(plain: Any, kind: type[T]) -> T:
    with TYPES:
        return msgspec.convert(plain, kind, strict=False, dec_hook=_read_id)


def _read_id(kind: type, value: Any) -> ArmId:
    if kind is not ArmId:
        raise NotImplementedError(f"documents hold no {kind.__name__}")
    if not isinstance(value, str):
        raise ValueError("expected a resource id (/subscriptions/...)")  # noqa: TRY004 - msgspec adds the path to these
    try:
        return arm_id(value)
    except InputError as error:
        raise ValueError(error.message) from error


def _decoded(data: str | bytes, source: str) -> str:
    text = data if isinstance(data, str) else _from_utf8(data, source)
    text = text.removeprefix("\ufeff")
    found = _NOT_TEXT.search(text)
    if found:
        raise DocumentError(
            f"not a text file: it holds the character U+{ord(found[0]):04X}, expected UTF-8 text",
            file=source,
            line=text.count("\n", 0, found.start()) + 1,
        )
    return text


def _from_utf8(data: bytes, source: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError("not a text file, expected UTF-8", file=source, line=line) from error


def _bytes(path: str | Path, limit: int) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise DocumentError("the file does not exist", file=path) from error
    except IsADirectoryError as error:
        raise DocumentError("this is a folder, expected a file", file=path) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError(f"the file cannot be read: {reason}", file=path) from error
    if len(data) > limit:
        raise DocumentError(f"the file is larger than {limit:,} bytes, the most that is read", file=path)
    return data
