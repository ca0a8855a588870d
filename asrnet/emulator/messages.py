"""Requests and responses as values, independent of their transport, and Azure's error documents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from asrnet.errors import ServiceError

JSON_TYPE = "application/json; charset=utf-8"
DEEPEST: Final = 100
"""How deeply a body may be nested."""

Document = dict[str, object]


class GatewayError(ServiceError):
    """An error of Resource Manager's gateway, for a request that reaches no resource; ``headers`` are sent with it."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message, status=status, code=code)
        self.headers = dict(headers or {})


def decoded(body: bytes) -> Any:
    """Decode a JSON document. Raises ValueError if it is invalid, or nested beyond ``DEEPEST``."""
    try:
        value = msgspec.json.decode(body)
    except RecursionError as error:
        raise ValueError("It is nested too deeply") from error
    if _is_deeper_than(value, DEEPEST):
        raise ValueError("It is nested too deeply")
    return value


def _is_deeper_than(value: object, levels: int) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deeper_than(child, levels - 1) for child in inside if isinstance(child, dict | list))


@lru_cache(maxsize=256)  # each request needs its query several times, and most queries repeat
def _parameters(query: str) -> Mapping[str, str]:
    return MappingProxyType({name.lower(): value for name, value in parse_qsl(query, keep_blank_values=True)})


class Request(Struct, frozen=True, kw_only=True):
    """An HTTP request. ``path`` and ``query`` are still escaped; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""
    scheme: str = "https"
    host: str = "management.azure.com"

    def __repr__(self) -> str:  # neither the bearer token nor a signed query belongs in a log or a traceback
        return f"Request({self.method} {self.path})"

    @property
    def origin(self) -> str:
        """Scheme and host as the client wrote them; absolute links in responses use them."""
        return f"{self.scheme}://{self.host}"

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters of the query by lower-case name, unescaped."""
        return _parameters(self.query)

    @property
    def api_version(self) -> str:
        """The api-version of the request, or an empty string."""
        return self.parameters.get("api-version", "")

    def header(self, name: str) -> str:
        """A header's value, or an empty string."""
        return self.headers.get(name, "")

    def document(self) -> Document:
        """The body as a JSON object. Any other body is refused, with 415 if its media type is not JSON."""
        # Some scripts send no Content-Type; their body is treated as JSON.
        media = self.header("content-type").partition(";")[0].strip().lower()
        if media not in {"", "application/json", "text/json"}:
            message = f"The content media type '{media[:100]}' is not supported. Only 'application/json' is supported."
            raise GatewayError(415, "UnsupportedMediaType", message)
        if not self.body:
            raise GatewayError(
                400, "InvalidRequestContent", "The request content was empty; a JSON object was expected."
            )
        try:
            document = decoded(self.body)
        except ValueError as error:
            message = f"The request content was invalid and could not be deserialized: '{error}'."
            raise GatewayError(400, "InvalidRequestContent", message) from error
        if not isinstance(document, dict):
            raise GatewayError(400, "InvalidRequestContent", "The request content is not a JSON object.")
        return document


class Response(Struct, frozen=True, kw_only=True):
    """An HTTP response. ``dropped``: the connection is reset and nothing is sent. ``delay`` is in seconds."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    dropped: bool = False
    delay: float = 0.0

    def header(self, name: str) -> str | None:
        """A header's value, ignoring the case of its name; None if the header is missing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def with_headers(self, *more: tuple[str, str]) -> Response:
        """A copy of this response with more headers; headers that it already has stay as they are."""
        present = {name.lower() for name, _ in self.headers}
        added = tuple(header for header in more if header[0].lower() not in present)
        return msgspec.structs.replace(self, headers=self.headers + added)


def json_response(document: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """A response with a JSON body; keys keep their order."""
    body = msgspec.json.encode(document)
    return Response(status=status, headers=(("Content-Type", JSON_TYPE), *headers), body=body)


def empty_response(status: int, *headers: tuple[str, str]) -> Response:
    """A response without a body, hence without a Content-Type."""
    return Response(status=status, headers=headers)


_STATUS_NAMES: Final = {
    400: "BadRequest",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
_NETWORK: Final = re.compile(r"/providers/microsoft\.network/", re.IGNORECASE)
_IN_VAULT: Final = re.compile(r"/providers/Microsoft\.RecoveryServices/", re.IGNORECASE)
_VAULT: Final = re.compile(r"/vaults/[^/]+/?$", re.IGNORECASE)
_GATEWAY_CODES: Final = frozenset({"ResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound"})


def plain_envelope(code: str, message: str) -> Document:
    """The error document of Resource Manager's gateway."""
    return {"error": {"code": code, "message": message}}


def error_response(error: ServiceError, request: Request, *, correlation_id: str) -> Response:
    """The response for ``error``, in the form used by Site Recovery, Microsoft.Network or the gateway.

    Errors of Site Recovery are recognised by their possible causes together with a path in a vault.
    """
    status = error.status or 500
    if error.possible_causes and _VAULT.search(request.path):
        # Reported, for the deletion of a vault in use: the service that owns vaults has its own form of errors.
        inner: Document = {"code": error.code, "message": error.message}
        return json_response({"error": inner | dict.fromkeys(("target", "details", "innerError"))}, status=status)
    if error.possible_causes and _IN_VAULT.search(request.path):
        # Recorded, for DELETE of a missing item: the outer code names the HTTP status, the detail has the service's
        # code.
        detail = {
            "code": error.code or "UnhandledException",
            "message": error.message,
            "possibleCauses": error.possible_causes,
            "recommendedAction": error.recommended_action,
            "clientRequestId": request.header("x-ms-client-request-id") or correlation_id,
            "activityId": correlation_id,
        }
        outer = _STATUS_NAMES.get(status, "InternalServerError")
        return json_response({"error": {"code": outer, "message": error.message, "details": [detail]}}, status=status)
    # Recorded: a header says that the resource was not found by the gateway rather than by the provider.
    headers = list(error.headers.items()) if isinstance(error, GatewayError) else []
    from_gateway = error.code in _GATEWAY_CODES
    if from_gateway:
        headers.append(("x-ms-failure-cause", "gateway"))
    document = plain_envelope(error.code, error.message)
    if _NETWORK.search(request.path) and not from_gateway:
        document = {"error": {"code": error.code, "message": error.message, "details": []}}
    return json_response(document, status=status, headers=tuple(headers))
