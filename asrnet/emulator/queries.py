"""The part of Resource Graph's query language that the emulator knows: enough to list resources.

A query is ``Resources`` and stages behind pipes: ``where`` with comparisons (``==``, ``=~``, ``!=``, ``!~``, ``in``,
``in~``, ``contains``, ``startswith``) joined by ``and``, ``project`` of columns (also ``name = properties.a.b``),
``order by`` or ``sort by`` of columns, ``limit`` or ``take``, ``count``. Anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from asrnet.emulator.refusals import GatewayError

Row = Mapping[str, Any]
_Stage = Callable[[list[Row]], list[Row]]


def run(query: str, rows: Sequence[Row]) -> list[Row]:
    """The rows that a query finds. Refused with 400 where it is beyond the subset."""
    table, *stages = _split(query, "|")
    if table.strip().lower() != "resources":
        raise _unknown(table.strip() or query)
    found = list(rows)
    for stage in stages:
        found = _stage(stage.strip())(found)
    return found


def _stage(text: str) -> _Stage:
    word, _, rest = text.partition(" ")
    match word.lower():
        case "where":
            return _where(rest)
        case "project":
            return _project(rest)
        case "limit" | "take":
            return _limit(rest)
        case "order" | "sort":
            return _order(rest)
        case "count" if not rest.strip():
            return lambda rows: [{"count_": len(rows)}]
        case _:
            raise _unknown(text)


_COLUMN: Final = r"[A-Za-z_][\w.]*(?:\['[^']+'\][\w.]*)*"
_COMPARISON: Final = re.compile(
    rf"({_COLUMN})\s*(==|=~|!=|!~|in~|in|contains|startswith)\s*(.+)", re.IGNORECASE | re.DOTALL
)
_TEXT: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def _where(text: str) -> _Stage:
    tests = [_test(clause.strip()) for clause in _split(text, "and")]
    return lambda rows: [row for row in rows if all(test(row) for test in tests)]


def _test(clause: str) -> Callable[[Row], bool]:
    inner = clause.removeprefix("(").removesuffix(")") if clause.startswith("(") and clause.endswith(")") else clause
    match = _COMPARISON.fullmatch(inner.strip())
    if match is None:
        raise _unknown(clause)
    column, operator, values = match[1], match[2].lower(), [a or b for a, b in _TEXT.findall(match[3])]
    many = operator.startswith("in")
    if not values or bool(_TEXT.sub("", match[3]).strip(" (),\t\r\n")) or (not many and len(values) > 1):
        raise _unknown(clause)
    return lambda row: _compare(operator, str(_value(row, column) or ""), values)


def _compare(operator: str, found: str, values: list[str]) -> bool:
    folded = [value.lower() for value in values]
    match operator:
        case "==" | "in":
            return found in values
        case "!=":
            return found not in values
        case "=~" | "in~":
            return found.lower() in folded
        case "!~":
            return found.lower() not in folded
        case "contains":
            return folded[0] in found.lower()
        case _:
            return found.lower().startswith(folded[0])


def _project(text: str) -> _Stage:
    columns: list[tuple[str, str]] = []
    for part in _split(text, ","):
        match = re.fullmatch(rf"(?:(\w+)\s*=\s*)?({_COLUMN})", part.strip())
        if match is None:
            raise _unknown(f"project {part.strip()}")
        columns.append((match[1] or match[2].replace(".", "_"), match[2]))
    return lambda rows: [{name: _value(row, source) for name, source in columns} for row in rows]


def _limit(text: str) -> _Stage:
    if not text.strip().isdigit():
        raise _unknown(f"limit {text}")
    most = int(text)
    return lambda rows: rows[:most]


def _order(text: str) -> _Stage:
    match = re.fullmatch(r"by\s+(.+)", text.strip(), re.IGNORECASE | re.DOTALL)
    if match is None:
        raise _unknown(f"order {text}")
    keys: list[tuple[str, bool]] = []
    for part in _split(match[1], ","):
        key = re.fullmatch(rf"({_COLUMN})(?:\s+(asc|desc))?", part.strip(), re.IGNORECASE)
        if key is None:
            raise _unknown(f"order by {part.strip()}")
        keys.append((key[1], (key[2] or "desc").lower() == "desc"))
    return lambda rows: _sorted(rows, keys)


def _sorted(rows: list[Row], keys: list[tuple[str, bool]]) -> list[Row]:
    for column, reverse in reversed(keys):
        rows = sorted(rows, key=lambda row: str(_value(row, column) or "").lower(), reverse=reverse)
    return rows


def _value(row: Row, column: str) -> Any:
    value: Any = row
    for name in re.findall(r"\['([^']+)'\]|([^.\[\]']+)", column):
        key = (name[0] or name[1]).lower()
        if not isinstance(value, Mapping):
            return None
        value = next((found for known, found in value.items() if known.lower() == key), None)
    return value


def _split(text: str, separator: str) -> list[str]:
    """The parts of ``text`` between separators that stand outside of quotes and brackets."""
    word = separator.isalpha()
    token = re.compile(
        rf"'[^']*'|\"[^\"]*\"|\([^()]*\)|(\b{separator}\b)"
        if word
        else rf"'[^']*'|\"[^\"]*\"|\([^()]*\)|({re.escape(separator)})",
        re.IGNORECASE,
    )
    parts, start = [], 0
    for match in token.finditer(text):
        if match[1]:
            parts.append(text[start : match.start()])
            start = match.end()
    return [*parts, text[start:]]


def _unknown(text: str) -> GatewayError:
    message = f"The emulator's subset of the query language does not know '{text[:200]}'."
    return GatewayError(400, "InvalidQuery", message)
