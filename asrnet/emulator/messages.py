"""A request and a response as values: what every door of the emulator translates to and from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from asrnet.emulator.refusals import GatewayError

JSON_TYPE = "application/json; charset=utf-8"
DEEPEST: Final = 100
"""How deeply a body may be nested."""


def decoded(body: bytes) -> Any:
    """The value of a JSON document. Raises ValueError where it is none, or nested beyond ``DEEPEST``."""
    try:
        found = msgspec.json.decode(body)
    except RecursionError as error:
        raise ValueError("It is nested too deeply") from error
    if _deeper(found, DEEPEST):
        raise ValueError("It is nested too deeply")
    return found


def _deeper(value: object, levels: int) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_deeper(each, levels - 1) for each in inside if isinstance(each, dict | list))


class Request(Struct, frozen=True, kw_only=True):
    """An HTTP request. ``path`` and ``query`` are as sent, still escaped; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""
    scheme: str = "https"
    host: str = "management.azure.com"

    def __repr__(self) -> str:  # neither the bearer nor a signed query belongs into a log or a traceback
        return f"Request({self.method} {self.path})"

    @property
    def origin(self) -> str:
        """Scheme and host as the client spelled them; absolute links go back there."""
        return f"{self.scheme}://{self.host}"

    @property
    def parameters(self) -> dict[str, str]:
        """The query's parameters by lower-case name, unescaped."""
        return {name.lower(): value for name, value in parse_qsl(self.query, keep_blank_values=True)}

    @property
    def api_version(self) -> str:
        """The api-version asked for, or an empty string."""
        return self.parameters.get("api-version", "")

    def header(self, name: str) -> str:
        """A header's value, or an empty string."""
        return self.headers.get(name, "")

    def document(self) -> dict[str, object]:
        """The body as a JSON object. Refused when it is anything else: with 415 when it does not claim to be JSON."""
        media = self.header("content-type").partition(";")[0].strip().lower()
        if media not in {"", "application/json", "text/json"}:
            message = f"The content media type '{media[:100]}' is not supported. Only 'application/json' is supported."
            raise GatewayError(415, "UnsupportedMediaType", message)
        if not self.body:
            raise GatewayError(
                400, "InvalidRequestContent", "The request content was empty; a JSON object was expected."
            )
        try:
            found = decoded(self.body)
        except ValueError as error:
            message = f"The request content was invalid and could not be deserialized: '{error}'."
            raise GatewayError(400, "InvalidRequestContent", message) from error
        if not isinstance(found, dict):
            raise GatewayError(400, "InvalidRequestContent", "The request content is not a JSON object.")
        return found


class Response(Struct, frozen=True, kw_only=True):
    """An HTTP response. ``dropped``: the connection is reset instead of an answer. ``delay`` is in seconds."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    dropped: bool = False
    delay: float = 0.0

    def header(self, name: str) -> str | None:
        """A header's value, whatever the case of its name; None without."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def with_headers(self, *more: tuple[str, str]) -> Response:
        """This response with headers added; one that is there already stays as it is."""
        there = {name.lower() for name, _ in self.headers}
        added = tuple(pair for pair in more if pair[0].lower() not in there)
        return msgspec.structs.replace(self, headers=self.headers + added)


def json_response(document: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """A response with a JSON body; keys keep their order."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(status=status, headers=(("Content-Type", JSON_TYPE), *headers), body=body)


def empty_response(status: int, *headers: tuple[str, str]) -> Response:
    """A response without a body, and so without a Content-Type."""
    return Response(status=status, headers=headers)
