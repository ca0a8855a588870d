"""GETs through the SDKs' clients: answers as bytes, lists page by page.

Bodies are decoded into the Structs of the ``*_wire`` modules, once. 10,000 mappings in pages of 100, answered in this
process: 1.4 s through the SDK's ``list()``, 2.0 s when seven attributes are read, 0.3 s like this, asrnet's own models
included. Retries, tokens and logs are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import quote

import msgspec
from azure.core.rest import HttpRequest, HttpResponse

from asrnet.azure.answers import request_id
from asrnet.azure.retry import WHOLE
from asrnet.azure.translate import refuse, translated
from asrnet.azure.wire import Page
from asrnet.errors import ServiceError
from asrnet.files.decoding import TYPES
from asrnet.model.arm import ArmId

T = TypeVar("T")

_FIRST_ERROR: Final = 300


class Sender(Protocol):
    """Any client of the SDKs."""

    def send_request(self, request: HttpRequest, *, stream: bool = False, **options: Any) -> HttpResponse:
        """Send ``request`` through the client's pipeline."""
        ...


def address(endpoint: str, path: ArmId | str, api_version: str, **query: str) -> str:
    """The address of ``path``, with its names escaped."""
    words = "".join(f"&{quote(f'${name}', safe='$')}={quote(value, safe='')}" for name, value in query.items())
    return f"{endpoint}{quote(str(path), safe='/')}?api-version={api_version}{words}"


def get(client: Sender, url: str, resource_id: ArmId) -> HttpResponse:
    """The answer to a GET of ``url``, which is sent as it stands. Raises asrnet's errors; an error status is one."""
    request = HttpRequest("GET", _literal(url))
    with translated(resource_id):
        # Streamed, so that the pipeline does not decode the body too; the retry policy reads it all.
        response = _sender(client)(request, stream=True, **{WHOLE: True})
    if response.status_code >= _FIRST_ERROR:
        refuse(response, resource_id)
    return response


def rows(client: Sender, url: str, kind: type[T], resource_id: ArmId) -> Iterator[T]:
    """The elements of a list, each page fetched when it is needed. ``resource_id`` is what the list belongs to."""
    seen: set[str] = set()
    following: str | None = url
    while following:
        if following in seen:
            raise ServiceError(f"the list of '{resource_id}' goes round in circles", resource_id=resource_id)
        seen.add(following)
        response = get(client, following, resource_id)
        page: Page[T] = decoded(response, Page[kind], resource_id)  # type: ignore[valid-type]  # a type at run time
        yield from page.value or ()
        following = page.next_link


def decoded(response: HttpResponse, kind: Any, resource_id: ArmId) -> Any:
    """The body of ``response`` as a ``kind``; ServiceError where it is none."""
    try:
        return _decoder(kind).decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ServiceError(
            f"the answer for '{resource_id}' cannot be read: {error}",
            resource_id=resource_id,
            status=response.status_code,
            request_id=request_id(response.headers),
            hint="something between here and Azure may change answers",
        ) from error


def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    with TYPES:
        return _built(kind)


@lru_cache(maxsize=64)
def _built(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _sender(client: Sender) -> Callable[..., HttpResponse]:
    """The client's own method, which azure-mgmt-network 30 still calls by a private name."""
    found: Callable[..., HttpResponse] | None = getattr(client, "send_request", None)
    return found or client._send_request  # type: ignore[attr-defined]  # noqa: SLF001 - see above


def _literal(url: str) -> str:
    """``url`` safe from the SDK's templates: it would fill in braces, or drop what it cannot fill in."""
    return url.replace("{", "%7B").replace("}", "%7D")
