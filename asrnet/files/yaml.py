"""Reads strict YAML (and JSON) into Structs; every error starts with ``file:line: path:``.

Scalars are text until the Struct asks for another type, so ``yes`` and ``010`` are no traps. An empty value, ``~`` and
``null`` are None. Anchors, aliases, merge keys, tags, duplicate keys and absurd nesting are refused.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
import yaml
from msgspec import Struct

from asrnet.errors import DocumentError, InputError
from asrnet.files.problems import Steps, explain, spelled
from asrnet.model.arm import ArmId, arm_id

T = TypeVar("T")

MIB: Final = 1024 * 1024
LIMIT: Final = 8 * MIB
"""The most bytes a file may have, unless its reader says otherwise."""
WORLD_LIMIT: Final = 64 * MIB
"""The most bytes a world file may have."""
# No document of ours has more than ten levels; without a limit, a hostile one exhausts the interpreter's stack.
DEEPEST: Final = 50

TYPES_LOCK: Final = threading.Lock()
"""Held while msgspec may inspect a type for the first time, which is not thread-safe.

With msgspec 0.22, one in fourteen runs that read lists in parallel ended with a segmentation fault.
"""

# The base loader leaves scalars as text, so that the Struct decides their types. The C loader is much faster.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
# Characters that YAML 1.1 does not allow, and a second byte order mark.
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_ESCAPE = re.compile(r"\\(?:u(?P<high>d[89ab]..)\\u(?P<low>d[c-f]..)|.)", re.IGNORECASE | re.DOTALL)
_PATH_SHOWN_AT_MOST = 12


class Document(Struct, Generic[T], frozen=True):
    """A value that was read from a file, and the line of every part of it."""

    value: T
    source: str
    lines: LineNumbers

    def line(self, *path: str | int) -> int | None:
        """The line number (from 1) of the key or element at ``path``; None where there is none."""
        return self.lines.line(path)

    def error(self, problem: str, *path: str | int, hint: str = "") -> DocumentError:
        """The error to raise about the value at ``path``."""
        location = spelled(path)
        message = f"{location}: {problem}" if location else problem
        return DocumentError(message, file=self.source, line=self.lines.nearest(path), hint=hint)

    def place(self, *path: str | int) -> Place:
        """The part of the document at ``path``."""
        return Place(self, path)


class Place:
    """A part of a document, for the errors about it and about what is below it."""

    __slots__ = ("_document", "_path")

    def __init__(self, document: Document[Any], path: Steps) -> None:
        self._document = document
        self._path = path

    def at(self, *steps: str | int) -> Place:
        """The part at ``steps`` below this one."""
        return Place(self._document, (*self._path, *steps))

    def error(self, problem: str, *steps: str | int, hint: str = "") -> DocumentError:
        """The error to raise about this part, or about the part at ``steps`` below it."""
        return self._document.error(problem, *self._path, *steps, hint=hint)


def read(path: str | Path, kind: type[T], *, limit: int = LIMIT) -> Document[T]:
    """Read the file ``path``, of at most ``limit`` bytes, as a ``kind``. Raises DocumentError."""
    return parse(_bytes(path, limit), kind, str(path))


def parse(text: str | bytes, kind: type[T], source: str = "<text>") -> Document[T]:
    """Read ``text`` as a ``kind``; ``source`` names it in errors. Raises DocumentError."""
    decoded = _decoded(text, source)
    plain = _plain_json(decoded)
    if plain is not None:
        # JSON that does not fit is read again as YAML below, because only that reader knows the line numbers.
        with suppress(msgspec.ValidationError, RecursionError):
            return Document(_converted(plain, kind), source, LineNumbers(decoded, source))
        decoded = _ESCAPE.sub(_joined, decoded)
    root = _Builder(source).build(decoded)
    document = Document(root.value, source, LineNumbers(decoded, source, root))
    try:
        return Document(_converted(root.value, kind), source, document.lines)
    except msgspec.ValidationError as error:
        problem = explain(error, root.value, kind, _converted)
        raise document.error(problem.message, *problem.path, hint=problem.hint) from error


def read_text(path: str | Path, *, limit: int = LIMIT) -> str:
    """The text of the file ``path``, of at most ``limit`` bytes of UTF-8. Raises DocumentError."""
    return _decoded(_bytes(path, limit), str(path))


class Node(Struct):
    """A mapping, list or scalar of a document, with the line numbers of its entries and the containers among them."""

    value: Any
    line: int
    lines: dict[str | int, int] = {}
    containers: dict[str | int, Node] = {}


class LineNumbers:
    """Finds the line of a path. A document that was read as JSON is read again when a line is asked for."""

    __slots__ = ("_root", "_source", "_text")

    def __init__(self, text: str, source: str, root: Node | None = None) -> None:
        self._text, self._source, self._root = text, source, root

    def line(self, path: Steps) -> int | None:
        """The line of ``path`` itself; None where the document has no such part."""
        *_, (depth, line) = self._lines_along(path)
        return line if depth == len(path) else None

    def nearest(self, path: Steps) -> int | None:
        """The line of ``path``, or of its nearest parent that exists."""
        *_, (_, line) = self._lines_along(path)
        return line

    def _lines_along(self, path: Steps) -> Iterator[tuple[int, int | None]]:
        if self._root is None:
            # JSON that is not valid YAML has no line numbers, such as a key of more than 1,024 characters.
            with suppress(DocumentError):
                self._root = _Builder(self._source).build(_ESCAPE.sub(_joined, self._text))
        node = self._root
        yield 0, None if node is None else node.line
        for depth, step in enumerate(path, start=1):
            if node is None or step not in node.lines:
                return
            yield depth, node.lines[step]
            node = node.containers.get(step)


class _Builder:
    """Builds plain values from the parser's events, and enforces all rules about the form of a document.

    It works on events, because composing nodes first takes seven times as long, and libyaml's composer crashes the
    interpreter on deeply nested lists.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._top = Node([], 1)
        self._open: list[tuple[Node, str | int]] = []
        self._node = self._top
        self._key: str | int | None = None

    def build(self, text: str) -> Node:
        """Read the one document in ``text``. Raises DocumentError where it breaks a rule."""
        try:
            for event in yaml.parse(text, _LOADER):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            raise _syntax_error(error, text, self._source) from error
        except yaml.YAMLError as error:
            raise DocumentError(f"not valid YAML: {error}", file=self._source) from error
        if not self._top.value:
            raise DocumentError("the file is empty, expected keys and values", file=self._source)
        return self._top.containers.get(0) or Node(self._top.value[0], self._top.lines[0])

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._start(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._node, self._key = self._open.pop()[0], None
        elif isinstance(event, yaml.AliasEvent):
            raise self._error(f"the alias '*{event.anchor}' is not accepted; write the value out", event)
        elif isinstance(event, yaml.DocumentStartEvent) and self._top.value:
            raise self._error("a second document starts here, expected one per file", event)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._refuse_anchor_and_tag(event)
        quoted = bool(event.style)
        if not self._expects_key():
            self._put(None if not quoted and event.value in _NOTHING else event.value, event)
            return
        key = event.value
        if key == "<<" and not quoted:
            raise self._error("merge keys ('<<') are not accepted; write the values out", event)
        if not key and not quoted:
            raise self._error("a key is empty, expected text", event)
        if key in self._node.lines:
            first = self._node.lines[key]
            raise self._error(f"the key is given twice, first in line {first}", event, key)
        self._key = key
        self._node.lines[key] = _line(event)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._refuse_anchor_and_tag(event)
        if self._expects_key():
            raise self._error("a list or mapping cannot be a key, expected text", event)
        if len(self._open) >= DEEPEST:
            raise self._error(f"nested more than {DEEPEST} levels deep", event)
        node = Node({} if isinstance(event, yaml.MappingStartEvent) else [], _line(event))
        step = self._put(node.value, event)
        self._node.containers[step] = node
        self._open.append((self._node, step))
        self._node = node

    def _expects_key(self) -> bool:
        return isinstance(self._node.value, dict) and self._key is None

    def _put(self, value: object, event: yaml.Event) -> str | int:
        if self._key is not None:
            step = self._key
            self._node.value[step], self._key = value, None
            return step
        step = len(self._node.value)
        self._node.value.append(value)
        self._node.lines[step] = _line(event)
        return step

    def _refuse_anchor_and_tag(self, event: Any) -> None:
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
    reason = ", ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return DocumentError(f"not valid YAML: {reason}", file=source)
    before = text.split("\n")[mark.line][: mark.column + 1] if mark.line <= text.count("\n") else ""
    if before.lstrip(" ").startswith("\t"):
        reason = "a tab cannot indent, expected spaces"
    return DocumentError(f"not valid YAML: {reason}", file=source, line=mark.line + 1)


def _plain_json(text: str) -> Any:
    """The plain values of a JSON object, with numbers as text; None if the text is not a JSON object.

    This is ten times as fast as reading YAML, which matters for worlds of several megabytes. None is no error: the
    caller reads the text as YAML then.
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
    """The character of a surrogate pair of escapes, which JSON uses beyond U+FFFF and YAML does not support."""
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
    with TYPES_LOCK:
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
    try:
        text = data if isinstance(data, str) else data.decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DocumentError("not a text file, expected UTF-8", file=source, line=line) from error
    text = text.removeprefix("\ufeff")
    control = _NOT_TEXT.search(text)
    if control:
        raise DocumentError(
            f"not a text file: it contains the character U+{ord(control[0]):04X}, expected UTF-8 text",
            file=source,
            line=text.count("\n", 0, control.start()) + 1,
        )
    return text


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
