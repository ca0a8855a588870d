"""Reads strict YAML (and JSON) into Structs, with all mistakes in errors that begin ``file:line: path:``; writes YAML.

Scalars are text until the Struct asks for another type, so ``yes`` and ``010`` are no traps. An empty value, ``~`` and
``null`` are None. Anchors, aliases, merge keys, tags, duplicate keys and absurd nesting are refused.
"""

from __future__ import annotations

import codecs
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, get_origin

import msgspec
import yaml
from msgspec import Struct, structs

from asrnet.errors import DocumentError, InputError
from asrnet.files.problems import Steps, combined, member_for, missing, path_text, problems, reading_advice
from asrnet.model.arm import ArmId, arm_id

T = TypeVar("T")

MIB: Final = 1024 * 1024
LIMIT: Final = 8 * MIB
"""The maximum size of a file in bytes, unless its reader says otherwise."""
WORLD_LIMIT: Final = 64 * MIB
"""The maximum size of a world file in bytes."""
# No document of ours has more than ten levels; without a limit, a hostile one exhausts the interpreter's stack.
DEEPEST: Final = 50
_WIDEST: Final = 1 << 32
"""Greater than the number of columns in any line; see ``_position``."""
EMPTY: Final = "the file is empty, expected keys and values"
CSV: Final = "this looks like CSV, expected YAML with keys and values"
CSV_HINT: Final = "a list of machines is given with: asrnet predict --machines FILE"
MOST_MISTAKES: Final = 1000
"""The maximum number of mistakes of one kind that are reported for a file."""

TYPES_LOCK: Final = threading.Lock()
"""Held while msgspec may inspect a type for the first time, which is not thread-safe.

With msgspec 0.22, one in fourteen runs that read lists in parallel ended with a segmentation fault.
"""

# The base loader leaves scalars as text, so that the Struct decides their types. The C loader is much faster.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
# Characters that YAML 1.1 does not allow, and a second byte order mark. Not compiled here: that takes 1 ms.
_NOT_TEXT: Final = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
_ESCAPE: Final = r"(?is)\\(?:u(?P<high>d[89ab]..)\\u(?P<low>d[c-f]..)|.)"
_PATH_SHOWN_AT_MOST = 12
_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# The parser says what it expected, which is seldom what the author did wrong. Both YAML readers of PyYAML are covered.
_SYNTAX_HINTS: Final = (
    ("while scanning a quoted scalar", "is a quote not closed?"),
    ("cannot start any token", "text that begins with @, `, % or a tab needs quotes"),
    ("could not find expected ':'", "is a space missing after the colon, or the colon itself?"),
    ("while scanning a plain scalar, found unexpected ':'", "is a value missing after the colon, or ':' not quoted?"),
    (
        "mapping values are not allowed",
        "is a space missing after the colon of the line above, this line indented too far, or ': ' not quoted?",
    ),
    ("while parsing a flow", "is a comma or a closing bracket missing, or a space after a colon?"),
    ("while parsing a block", "is this line indented like the one above, and is a space behind every '-' and ':'?"),
)


class Document(Struct, Generic[T], frozen=True):
    """A value that was read from a file, and the line of every part of it."""

    value: T
    source: str
    lines: LineNumbers

    def line(self, *path: str | int) -> int | None:
        """The line number (from 1) of the key or element at ``path``; None if there is none."""
        return self.lines.line(path)

    def error(self, problem: str, *path: str | int, hint: str = "") -> DocumentError:
        """The error to raise about the value at ``path``."""
        line, column = self.lines.nearest(path)
        return DocumentError(problem, file=self.source, line=line, column=column, path=path_text(path), hint=hint)

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


class Reading(Struct, Generic[T], frozen=True):
    """What could be read of a file, and every mistake in its form and its values.

    With mistakes the document is incomplete: a faulty value is missing, or None if it is required. A faulty entry of a
    list or mapping at the top is None. ``document`` is None if not even the keys could be read.
    """

    source: str
    document: Document[T] | None
    mistakes: tuple[DocumentError, ...] = ()


def read(path: str | Path, kind: type[T], *, limit: int = LIMIT) -> Document[T]:
    """Read the file ``path``, of at most ``limit`` bytes, as a ``kind``. Raises DocumentError with all mistakes."""
    return parse(_bytes(path, limit), kind, str(path))


def parse(text: str | bytes, kind: type[T], source: str = "<text>") -> Document[T]:
    """Read ``text`` as a ``kind``; ``source`` names it in errors. Raises DocumentError with all mistakes."""
    reading = _reading(_decoded(text, source), kind, source)
    if reading.mistakes or reading.document is None:
        raise combined(reading.mistakes)
    return reading.document


def examine(path: str | Path, kind: type[T], *, limit: int = LIMIT) -> Reading[T]:
    """Read as much as possible of the file ``path``, of at most ``limit`` bytes, as a ``kind``, which is a Struct."""
    try:
        text = _decoded(_bytes(path, limit), str(path))
    except DocumentError as error:
        return Reading(str(path), None, (error,))
    return _reading(text, kind, str(path), partly=True)


def _reading(text: str, kind: type[T], source: str, *, partly: bool = False) -> Reading[T]:
    plain = _plain_json(text)
    if plain is not None:
        # JSON that does not fit is read again as YAML below, because only that reader knows the line numbers.
        with suppress(msgspec.ValidationError, RecursionError):
            return Reading(source, Document(_converted(plain, kind), source, LineNumbers(text, source)))
        text = re.sub(_ESCAPE, _joined, text)
    builder = _Builder(source)
    try:
        root = builder.build(text)
    except DocumentError as error:
        mistakes = [DocumentError(CSV, file=source, line=1)] if _is_csv(text, source) else [*builder.mistakes, error]
        return Reading(source, None, tuple(mistakes))
    if isinstance(root.value, str) and _is_csv(text, source):
        return Reading(source, None, (DocumentError(CSV, file=source, line=1),))
    lines = LineNumbers(text, source, root)
    plain_document = Document(root.value, source, lines)
    mistakes = list(builder.mistakes)
    value: T | None
    try:
        value = _converted(root.value, kind)
    except msgspec.ValidationError as error:
        mistakes += [
            plain_document.error(problem.message, *problem.path, hint=problem.hint)
            for problem in islice(problems(root.value, kind, _converted), MOST_MISTAKES)
            # A value that the builder found faulty already is not reported a second time.
            if not any(problem.path[:depth] in builder.faulty for depth in range(len(problem.path) + 1))
        ]
        mistakes[0].__cause__ = error
        value = _salvaged(root.value, kind) if partly else None
    return Reading(source, None if value is None else Document(value, source, lines), tuple(mistakes))


def _is_csv(text: str, source: str) -> bool:
    """Whether ``text``, which has no keys, looks like a table: by its name, or by as many commas in each line."""
    lines = [line for line in text.splitlines() if line.strip()]
    commas = {line.count(",") for line in lines}
    return source.lower().endswith(".csv") or (len(lines) > 1 and len(commas) == 1 and commas != {0})


def _salvaged(plain: Any, kind: Any) -> Any:
    """A ``kind`` of the valid parts of ``plain`` (see ``Reading``); None if ``plain`` is not a mapping."""
    if not isinstance(plain, dict) or not (isinstance(kind, type) and issubclass(kind, Struct)):
        return None
    values: dict[str, Any] = {}
    for field in structs.fields(kind):
        if field.required:
            values[field.name] = None
        if field.encode_name not in plain:
            continue
        value: Any = plain[field.encode_name]
        with suppress(msgspec.ValidationError):
            values[field.name] = _converted(value, field.type)
            continue
        if get_origin(member_for(value, field.type)) in {dict, Mapping}:
            values[field.name] = {key: _entry(field, {key: entry}, key) for key, entry in value.items()}
        elif get_origin(member_for(value, field.type)) in {list, tuple}:
            values[field.name] = tuple(_entry(field, [entry], 0) for entry in value)
    return kind(**values)


def _entry(field: Any, container: Any, step: Any) -> Any:
    """The one entry of a ``container`` without the entry's unknown keys; None if anything else is wrong with it.

    A misspelt required key counts as the one that is meant, so that the other values of the entry are checked too.
    """
    entry_problems = [*islice(problems(container, field.type, _converted), MOST_MISTAKES + 1)]
    if len(entry_problems) > MOST_MISTAKES or not all(problem.is_extra for problem in entry_problems):
        return None
    if entry_problems:
        from copy import deepcopy  # 0.4 ms, and a file without mistakes needs no copy

        container = deepcopy(container)
    for problem in entry_problems:
        parent = container
        for part in problem.path[:-1]:
            parent = parent[part]
        value = parent.pop(problem.path[-1])
        if problem.meant:
            parent.setdefault(problem.meant, value)
    with suppress(msgspec.ValidationError, LookupError):
        return _converted(container, field.type)[step]
    return None


def write(content: object, *, width: int) -> str:
    """The YAML of ``content``: short entries on one line of at most ``width``, in the order given, without aliases."""
    text: str = yaml.dump(
        content, Dumper=_Dumper, default_flow_style=None, sort_keys=False, allow_unicode=True, width=width
    )
    return text


# libyaml, if it is installed: it is four times as fast as PyYAML's own dumper.
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_SafeDumper):  # type: ignore[misc]  # the base is chosen at run time
    """Writes every value out: a strict document has no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def read_text(path: str | Path, *, limit: int = LIMIT) -> str:
    """The text of the file ``path``, of at most ``limit`` bytes of UTF-8. Raises DocumentError."""
    return _decoded(_bytes(path, limit), str(path))


class Node(Struct):
    """A mapping, list or scalar of a document, with the positions of its entries and with the containers in it."""

    value: Any
    position: int
    positions: dict[str | int, int] = {}
    containers: dict[str | int, Node] = {}


class LineNumbers:
    """Finds the line and the column of a path. What was read as JSON is read again when a line is asked for."""

    __slots__ = ("_root", "_source", "_text")

    def __init__(self, text: str, source: str, root: Node | None = None) -> None:
        self._text, self._source, self._root = text, source, root

    def line(self, path: Steps) -> int | None:
        """The line of ``path`` itself; None if the document has no such part."""
        *_, (depth, position) = self._positions_along(path)
        return _place(position)[0] if depth == len(path) else None

    def nearest(self, path: Steps) -> tuple[int | None, int | None]:
        """The line and the column of ``path``, or of its nearest parent that exists."""
        *_, (_, position) = self._positions_along(path)
        return _place(position)

    def _positions_along(self, path: Steps) -> Iterator[tuple[int, int | None]]:
        if self._root is None:
            # JSON that is not valid YAML has no line numbers, such as a key of more than 1,024 characters.
            with suppress(DocumentError):
                self._root = _Builder(self._source).build(re.sub(_ESCAPE, _joined, self._text))
        node = self._root
        yield 0, None if node is None else node.position
        for depth, step in enumerate(path, start=1):
            if node is None or step not in node.positions:
                return
            yield depth, node.positions[step]
            node = node.containers.get(step)


class _Builder:
    """Builds plain values from the parser's events, and enforces all rules about the form of a document.

    ``mistakes`` has those after which it can read on, and ``faulty`` the paths of their values.

    It works on events, because composing nodes first takes seven times as long, and libyaml's composer crashes the
    interpreter on deeply nested lists.
    """

    def __init__(self, source: str) -> None:
        self.mistakes: list[DocumentError] = []
        self.faulty: set[Steps] = set()
        self._source = source
        self._top = Node([], _WIDEST)
        self._open: list[tuple[Node, str | int]] = []
        self._node = self._top
        self._key: str | int | None = None

    def build(self, text: str) -> Node:
        """Read the one document in ``text``. Raises DocumentError if it breaks a rule."""
        try:
            for event in yaml.parse(text, _LOADER):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            raise _syntax_error(error, text, self._source) from error
        except yaml.YAMLError as error:
            raise DocumentError(f"not valid YAML: {error}", file=self._source) from error
        if not self._top.value:
            raise DocumentError(EMPTY, file=self._source)
        return self._top.containers.get(0) or Node(self._top.value[0], self._top.positions[0])

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._start(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._node, self._key = self._open.pop()[0], None
        elif isinstance(event, yaml.AliasEvent):
            problem = f"the alias '*{event.anchor}' is not accepted; write the value out"
            if self._expects_key():
                raise self._error(problem, event)
            self._note(problem, event)
            self._put(None, event)
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
            self._note("merge keys ('<<') are not accepted; write the values out", event)
        elif not key and not quoted:
            self._note("a key is empty, expected text", event)
        elif key in self._node.positions:
            first, _ = _place(self._node.positions[key])
            self._note(f"the key is given twice, first in line {first}", event, key)
        self._key = key
        self._node.positions[key] = _position(event)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._refuse_anchor_and_tag(event)
        if self._expects_key():
            raise self._error("a list or mapping cannot be a key, expected text", event)
        if len(self._open) >= DEEPEST:
            raise self._error(f"nested more than {DEEPEST} levels deep", event)
        node = Node({} if isinstance(event, yaml.MappingStartEvent) else [], _position(event))
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
        self._node.positions[step] = _position(event)
        return step

    def _refuse_anchor_and_tag(self, event: Any) -> None:
        if event.anchor is not None:
            self._note(f"the anchor '&{event.anchor}' is not accepted; write the value out", event)
        if event.tag is not None:
            self._note(f"the tag '{event.tag}' is not accepted; leave it out", event)

    def _note(self, problem: str, event: Any, *steps: str) -> None:
        """Note a mistake after which reading goes on, and the path of the key or value that has it."""
        if len(self.mistakes) >= MOST_MISTAKES:
            raise self._error(problem, event, *steps)
        self.mistakes.append(self._error(problem, event, *steps))
        step = event.value if self._expects_key() and isinstance(event, yaml.ScalarEvent) else self._key
        if isinstance(self._node.value, list):
            step = len(self._node.value)
        self.faulty.add((*(step for _, step in self._open[1:]), *([] if not self._open or step is None else [step])))

    def _error(self, problem: str, event: yaml.Event, *steps: str) -> DocumentError:
        path = path_text((*(step for _, step in self._open[1:]), *steps)[:_PATH_SHOWN_AT_MOST])
        line, column = _place(_position(event))
        return DocumentError(problem, file=self._source, line=line, column=column, path=path)


def _position(event: Any) -> int:
    """The line and the column of an event in one number: a world has a million, and tuples would take more memory."""
    mark = event.start_mark
    return int((mark.line + 1) * _WIDEST + mark.column)


def _place(position: int | None) -> tuple[int | None, int | None]:
    """The line and the column of a position, both from 1."""
    if position is None:
        return None, None
    line, column = divmod(position, _WIDEST)
    return line, column + 1


def _syntax_error(error: yaml.MarkedYAMLError, text: str, source: str) -> DocumentError:
    mark = error.problem_mark or error.context_mark
    reason = ", ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return DocumentError(f"not valid YAML: {reason}", file=source)
    line, column = mark.line + 1, mark.column + 1
    before = text.split("\n")[mark.line][: mark.column + 1] if mark.line <= text.count("\n") else ""
    if before.lstrip(" ").startswith("\t"):
        reason = "a tab cannot indent, expected spaces"
    hint = next((hint for part, hint in _SYNTAX_HINTS if part in reason), "")
    return DocumentError(f"not valid YAML: {reason}", file=source, line=line, column=column, hint=hint)


def _plain_json(text: str) -> Any:
    """The plain values of a JSON object, with numbers as text; None if the text is not a JSON object.

    This is ten times as fast as reading YAML, which matters for worlds of several megabytes. None is no error: the
    caller reads the text as YAML then.
    """
    if not text.lstrip().startswith("{"):
        return None
    import json  # 1.5 ms, and most files are YAML

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
        if _is_utf_16(error.object):
            raise DocumentError(
                "the text is in UTF-16, expected UTF-8",
                file=source,
                hint="PowerShell 5 writes UTF-16 with >; save the file as UTF-8, or let asrnet write it with --out",
            ) from error
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DocumentError("not a text file, expected UTF-8", file=source, line=line) from error
    text = text.removeprefix("\ufeff")
    # No character of _NOT_TEXT is printable. In most files only the line ends are not, so most need no search.
    control = None if text.replace("\n", "").isprintable() else re.search(_NOT_TEXT, text)
    if control:
        raise DocumentError(
            f"not a text file: it contains the character U+{ord(control[0]):04X}, expected UTF-8 text",
            file=source,
            line=text.count("\n", 0, control.start()) + 1,
        )
    return text


def _is_utf_16(data: bytes) -> bool:
    """Whether ``data`` is text in UTF-16, and not something else that begins with the same two bytes."""
    if data.startswith(_UTF_16_MARKS):
        with suppress(UnicodeDecodeError):
            return re.search(_NOT_TEXT, data.decode("utf-16")) is None
    return False


def _bytes(path: str | Path, limit: int) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as error:
        raise DocumentError(missing(path), file=path) from error
    except IsADirectoryError as error:
        raise DocumentError("this is a folder, expected a file", file=path, hint="name a file in it") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError(f"the file cannot be read: {reason}", file=path, hint=reading_advice(error)) from error
    if len(data) > limit:
        raise DocumentError(f"the file is larger than {limit:,} bytes, the most that is read", file=path)
    return data
