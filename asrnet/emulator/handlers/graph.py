"""Resource Graph: queries over virtual networks and vaults, in the subset of ``asrnet.emulator.queries``."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from asrnet.emulator.bodies import Body, an_object, member, text, texts
from asrnet.emulator.call import Call
from asrnet.emulator.messages import Response, json_response
from asrnet.emulator.network_json import View, network_json
from asrnet.emulator.queries import Row, run
from asrnet.emulator.refusals import GatewayError
from asrnet.emulator.routing import Route
from asrnet.emulator.site_recovery_json import Document
from asrnet.emulator.vault_json import vault_json
from asrnet.model.arm import ArmId

_MOST: Final = 1000
_DEFAULT: Final = 100


def resources(call: Call) -> Response:
    """The resources that a query finds, in pages of at most 1,000 rows."""
    body = call.request.document()
    query = text(body, "query")
    if query is None:
        raise GatewayError(400, "BadRequest", "Please provide a query.")
    options = an_object(body, "options")
    found = run(query, _rows(call, texts(body, "subscriptions")))
    start, stop = _bounds(options, len(found))
    return json_response(_answer(found, start, stop, options), headers=_QUOTA)


_QUOTA: Final = (("x-ms-user-quota-remaining", "14"), ("x-ms-user-quota-resets-after", "00:00:05"))


def _answer(found: list[Row], start: int, stop: int, options: Body) -> Document:
    shown = found[start:stop]
    more = stop < len(found)
    document: Document = {
        "totalRecords": len(found),
        "count": len(shown),
        "resultTruncated": "false",
        "facets": [],
    }
    if more and all("id" in row for row in shown):  # without an id column there is no stable order to continue in
        document["$skipToken"] = base64.b64encode(f"skip:{stop}".encode()).decode()
    elif more:
        document["resultTruncated"] = "true"
    table = (text(options, "resultFormat") or "objectArray").lower() == "table"
    document["data"] = _table(shown) if table else shown
    return document


def _bounds(options: Body, total: int) -> tuple[int, int]:
    top = _number(options, "$top", _DEFAULT)
    if not 1 <= top <= _MOST:
        raise GatewayError(400, "BadRequest", f"The value of $top must be between 1 and {_MOST}.")
    token = text(options, "$skipToken")
    start = _skipped(token) if token else _number(options, "$skip", 0)
    return start, min(start + top, total)


def _number(options: Body, name: str, default: int) -> int:
    value = member(options, name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise GatewayError(400, "BadRequest", f"The value of {name} is not a whole number.")
    return value


def _skipped(token: str) -> int:
    try:
        word, _, number = base64.b64decode(token, validate=True).decode().partition(":")
        if word == "skip":
            return int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise _bad_token() from error
    raise _bad_token()


def _bad_token() -> GatewayError:
    return GatewayError(400, "InvalidSkipToken", "The provided $skipToken is invalid.")


def _table(rows: list[Row]) -> Document:
    columns = list(rows[0]) if rows else []
    described = [{"name": name, "type": _type(rows[0][name])} for name in columns]
    return {"columns": described, "rows": [[row[name] for name in columns] for row in rows]}


def _type(value: object) -> str:
    return {bool: "boolean", int: "integer", str: "string"}.get(type(value), "object")


def _rows(call: Call, subscriptions: tuple[str, ...]) -> list[Row]:
    """What the queries see: it may lag, and hide what lists hide, as Resource Graph does."""
    visible = [each.id for each in call.world.subscriptions.list()]
    wanted = [each.lower() for each in subscriptions] or visible
    view = View(extras=call.world.extras)
    rows: list[Row] = []
    for subscription in (each for each in visible if each in wanted):
        networks = call.world.virtual_networks.list(subscription)
        rows += [_row(network_json(network, view), network.id, call.world.tenant) for network in networks]
        vaults = call.world.vaults.list(subscription)
        rows += [
            _row(vault_json(vault, call.world.extras.get(vault.id.key)), vault.id, call.world.tenant)
            for vault in vaults
        ]
    return rows


def _row(document: Document, resource_id: ArmId, tenant: str) -> dict[str, Any]:
    return {
        "id": str(resource_id),
        "name": resource_id.name,
        "type": resource_id.type,
        "tenantId": tenant,
        "kind": "",
        "location": document["location"],
        "resourceGroup": resource_id.resource_group.lower(),
        "subscriptionId": resource_id.subscription,
        "managedBy": "",
        "sku": document.get("sku"),
        "plan": None,
        "properties": document["properties"],
        "tags": document.get("tags") or {},
        "identity": None,
        "zones": None,
        "extendedLocation": document.get("extendedLocation"),
    }


ROUTES: Final = (
    Route(
        method="POST",
        template="/providers/Microsoft.ResourceGraph/resources",
        operation="ResourceGraph_Resources",
        source="specified",
        handler=resources,
        note="a subset of the language over virtual networks and vaults; anything else is refused with 400",
    ),
)
