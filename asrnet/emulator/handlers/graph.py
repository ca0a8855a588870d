"""Resource Graph: queries over networks, vaults and DNS zone links, in the part of its language that lists resources.

A query is ``Resources`` followed by stages separated by pipes: ``where`` with comparisons (``==``, ``=~``, ``!=``,
``!~``, ``in``, ``in~``, ``contains``, ``startswith``) joined by ``and``, ``project`` of columns (also ``name =
properties.a.b``), ``order by`` or ``sort by`` of columns, ``limit`` or ``take``, ``count``. Anything else is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, Final

from asrnet.emulator.bodies import Body, an_object, text, texts
from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.network_shapes import View, network_json
from asrnet.emulator.handlers.vaults import vault_json
from asrnet.emulator.messages import Document, GatewayError, Response, json_response
from asrnet.emulator.routing import Routes
from asrnet.model.arm import ArmId
from asrnet.model.bodies import member

routes: Final = Routes()

Row = Mapping[str, Any]
_Stage = Callable[[list[Row]], list[Row]]

_MOST_ROWS: Final = 1000
_DEFAULT_ROWS: Final = 100
# Documented: 15 queries in 5 seconds. The emulator does not count them.
_QUOTA: Final = (("x-ms-user-quota-remaining", "14"), ("x-ms-user-quota-resets-after", "00:00:05"))


class _LazyRow(Mapping[str, Any]):
    """A row whose columns are computed on access, because a query sorts all rows but returns only one page of them."""

    __slots__ = ("_columns", "_source")

    def __init__(self, columns: Mapping[str, Callable[[Any], Any]], source: Any) -> None:
        self._columns = columns
        self._source = source

    def __getitem__(self, name: str) -> Any:
        return self._columns[name](self._source)

    # The inherited method would compute the column.
    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


class _Resource:
    """A resource that queries can find; ``write`` builds its JSON document."""

    def __init__(self, resource_id: ArmId, tenant: str, write: Callable[[], Document]) -> None:
        self.id = resource_id
        self.tenant = tenant
        self._write = write

    @cached_property
    def document(self) -> Document:
        """The resource as its own provider writes it."""
        return self._write()


_COLUMNS: Final[Mapping[str, Callable[[_Resource], Any]]] = {
    "id": lambda resource: str(resource.id),
    "name": lambda resource: resource.id.name,
    "type": lambda resource: resource.id.type,
    "tenantId": lambda resource: resource.tenant,
    "kind": lambda _: "",
    "location": lambda resource: resource.document["location"],
    "resourceGroup": lambda resource: resource.id.resource_group.lower(),
    "subscriptionId": lambda resource: resource.id.subscription,
    "managedBy": lambda _: "",
    "sku": lambda resource: resource.document.get("sku"),
    "plan": lambda _: None,
    "properties": lambda resource: resource.document["properties"],
    "tags": lambda resource: resource.document.get("tags") or {},
    "identity": lambda _: None,
    "zones": lambda _: None,
    "extendedLocation": lambda resource: resource.document.get("extendedLocation"),
}


@routes.post(
    "/providers/Microsoft.ResourceGraph/resources",
    "ResourceGraph_Resources",
    "specified",
    "a subset of the language over virtual networks, vaults and links of DNS zones; anything else is refused with 400",
)
def query_resources(call: Call) -> Response:
    """The resources that a query finds, in pages of at most 1,000 rows."""
    body = call.request.document()
    query = text(body, "query")
    if query is None:
        raise GatewayError(400, "BadRequest", "Please provide a query.")
    options = an_object(body, "options")
    rows = run_query(query, _all_rows(call, texts(body, "subscriptions")))
    top = _number(options, "$top", _DEFAULT_ROWS)
    if not 1 <= top <= _MOST_ROWS:
        raise GatewayError(400, "BadRequest", f"The value of $top must be between 1 and {_MOST_ROWS}.")
    token = text(options, "$skipToken")
    start = _skipped(token) if token else _number(options, "$skip", 0)
    stop = min(start + top, len(rows))
    shown = [dict(row) for row in rows[start:stop]]
    document: Document = {
        "totalRecords": len(rows),
        "count": len(shown),
        "resultTruncated": "false",
        "facets": [],
    }
    if stop < len(rows) and all("id" in row for row in shown):
        document["$skipToken"] = base64.b64encode(f"skip:{stop}".encode()).decode()
    elif stop < len(rows):  # without an id column there is no stable order in which to continue
        document["resultTruncated"] = "true"
    as_table = (text(options, "resultFormat") or "objectArray").lower() == "table"
    document["data"] = _table(shown) if as_table else shown
    return json_response(document, headers=_QUOTA)


def _number(options: Body, name: str, default: int) -> int:
    value = member(options, name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise GatewayError(400, "BadRequest", f"The value of {name} is not a whole number.")
    return value


def _skipped(token: str) -> int:
    refusal = GatewayError(400, "InvalidSkipToken", "The provided $skipToken is invalid.")
    try:
        word, _, number = base64.b64decode(token, validate=True).decode().partition(":")
        if word == "skip":
            return int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise refusal from error
    raise refusal


def _table(rows: Sequence[Row]) -> Document:
    columns = list(rows[0]) if rows else []
    types = {bool: "boolean", int: "integer", str: "string"}
    described = [{"name": name, "type": types.get(type(rows[0][name]), "object")} for name in columns]
    return {"columns": described, "rows": [[row[name] for name in columns] for row in rows]}


def _all_rows(call: Call, subscriptions: tuple[str, ...]) -> list[Row]:
    """All resources that queries can find. It may lag behind and omit what lists omit, as Resource Graph does."""
    visible = [subscription.id for subscription in call.world.subscriptions.list()]
    # A query that names no subscription covers all that the credential can read.
    requested = {subscription.lower() for subscription in subscriptions} or set(visible)
    view = View(extras=call.world.extras)
    resources: list[_Resource] = []
    for subscription in visible:
        if subscription in requested:
            resources += [
                _Resource(network.id, call.world.tenant, partial(network_json, network, view))
                for network in call.world.virtual_networks.list(subscription)
            ]
            resources += [
                _Resource(
                    zone.child("virtualNetworkLinks", f"link-{network.name}"),
                    call.world.tenant,
                    partial(_registration_link_json, network.id),
                )
                for network in call.world.state.virtual_networks
                if (zone := network.registration_zone) and zone.subscription == subscription
            ]
            resources += [
                _Resource(vault.id, call.world.tenant, partial(vault_json, vault, call.world.extras.get(vault.id.key)))
                for vault in call.world.vaults.list(subscription)
            ]
    return [_LazyRow(_COLUMNS, resource) for resource in resources]


def _registration_link_json(network_id: ArmId) -> Document:
    """The link between a private DNS zone and a network whose machines it registers, as specified."""
    properties: Document = {
        "registrationEnabled": True,
        "virtualNetwork": {"id": str(network_id)},
        "virtualNetworkLinkState": "Completed",
        "provisioningState": "Succeeded",
    }
    return {"location": "global", "properties": properties}


def run_query(query: str, rows: Sequence[Row]) -> list[Row]:
    """The rows that a query finds. A query outside the supported subset is refused with 400."""
    table, *stages = _split(query, "|")
    if table.strip().lower() != "resources":
        raise _unknown(table.strip() or query)
    result = list(rows)
    for stage in stages:
        result = _stage(stage.strip())(result)
    return result


def _stage(stage: str) -> _Stage:
    word, _, arguments = stage.partition(" ")
    match word.lower():
        case "where":
            tests = [_test(clause.strip()) for clause in _split(arguments, "and")]
            return lambda rows: [row for row in rows if all(test(row) for test in tests)]
        case "project":
            return _project(arguments)
        case "limit" | "take":
            if not arguments.strip().isdigit():
                raise _unknown(f"limit {arguments}")
            return lambda rows: rows[: int(arguments)]
        case "order" | "sort":
            return _order(arguments)
        case "count" if not arguments.strip():
            return lambda rows: [{"count_": len(rows)}]
        case _:
            raise _unknown(stage)


_COLUMN: Final = r"[A-Za-z_][\w.]*(?:\['[^']+'\][\w.]*)*"
_COMPARISON: Final = re.compile(
    rf"({_COLUMN})\s*(==|=~|!=|!~|in~|in|contains|startswith)\s*(.+)", re.IGNORECASE | re.DOTALL
)
_TEXT: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")


def _test(clause: str) -> Callable[[Row], bool]:
    inner = clause.removeprefix("(").removesuffix(")") if clause.startswith("(") and clause.endswith(")") else clause
    match = _COMPARISON.fullmatch(inner.strip())
    if match is None:
        raise _unknown(clause)
    column, operator, values = match[1], match[2].lower(), [a or b for a, b in _TEXT.findall(match[3])]
    takes_list = operator.startswith("in")
    if not values or bool(_TEXT.sub("", match[3]).strip(" (),\t\r\n")) or (not takes_list and len(values) > 1):
        raise _unknown(clause)
    read = _reader(column)
    return lambda row: _compare(operator, str(read(row) or ""), values)


def _compare(operator: str, value: str, operands: list[str]) -> bool:
    folded = [operand.lower() for operand in operands]
    match operator:
        case "==" | "in":
            return value in operands
        case "!=":
            return value not in operands
        case "=~" | "in~":
            return value.lower() in folded
        case "!~":
            return value.lower() not in folded
        case "contains":
            return folded[0] in value.lower()
        case _:
            return value.lower().startswith(folded[0])


def _project(arguments: str) -> _Stage:
    columns: dict[str, Callable[[Row], Any]] = {}
    for part in _split(arguments, ","):
        match = re.fullmatch(rf"(?:(\w+)\s*=\s*)?({_COLUMN})", part.strip())
        if match is None:
            raise _unknown(f"project {part.strip()}")
        columns[match[1] or match[2].replace(".", "_")] = _reader(match[2])
    return lambda rows: [_LazyRow(columns, row) for row in rows]


def _order(arguments: str) -> _Stage:
    match = re.fullmatch(r"by\s+(.+)", arguments.strip(), re.IGNORECASE | re.DOTALL)
    if match is None:
        raise _unknown(f"order {arguments}")
    keys: list[tuple[Callable[[Row], Any], bool]] = []
    for part in _split(match[1], ","):
        key = re.fullmatch(rf"({_COLUMN})(?:\s+(asc|desc))?", part.strip(), re.IGNORECASE)
        if key is None:
            raise _unknown(f"order by {part.strip()}")
        # Documented: Kusto sorts in descending order by default.
        keys.append((_reader(key[1]), (key[2] or "desc").lower() == "desc"))

    def order(rows: list[Row]) -> list[Row]:
        for read, descending in reversed(keys):  # sorting is stable, so the last key is applied first
            rows = sorted(rows, key=lambda row: str(read(row) or "").lower(), reverse=descending)
        return rows

    return order


def _reader(column: str) -> Callable[[Row], Any]:
    """Return a function that reads a column of a row, such as ``properties.addressSpace``, ignoring case."""
    names = [quoted or plain for quoted, plain in re.findall(r"\['([^']+)'\]|([^.\[\]']+)", column)]

    def read(row: Row) -> Any:
        value: Any = row
        for name in names:
            if not isinstance(value, Mapping):
                return None
            if name in value:  # the usual spelling, found without comparing every member
                value = value[name]
            else:
                spelling = next((key for key in value if key.lower() == name.lower()), None)
                value = None if spelling is None else value[spelling]
        return value

    return read


def _split(expression: str, separator: str) -> list[str]:
    """The parts of an expression between separators that are outside quotes and brackets."""
    word = rf"\b{separator}\b" if separator.isalpha() else re.escape(separator)
    token = re.compile(rf"'[^']*'|\"[^\"]*\"|\([^()]*\)|({word})", re.IGNORECASE)
    parts, start = [], 0
    for match in token.finditer(expression):
        if match[1]:
            parts.append(expression[start : match.start()])
            start = match.end()
    return [*parts, expression[start:]]


def _unknown(expression: str) -> GatewayError:
    message = f"The emulator's subset of the query language does not know '{expression[:200]}'."
    return GatewayError(400, "InvalidQuery", message)
