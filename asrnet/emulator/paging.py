"""Lists in pages, linked by ``$skipToken`` the way Azure does it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from asrnet.emulator.messages import Request
from asrnet.emulator.refusals import GatewayError
from asrnet.fake.paging import page

T = TypeVar("T")


def paged(
    request: Request, entries: Sequence[T], render: Callable[[T], object], *, size: int, empty_last: bool = False
) -> dict[str, object]:
    """The document of the page that ``request`` asks for; ``nextLink`` is null on the last one.

    ``empty_last``: a list with entries ends in an empty page, as real ones sometimes do. Refused with 400: a token that
    was not given out.
    """
    found = page(entries, _start(request), size, empty_last=empty_last)
    link = None if found.next is None else _link(request, found.next)
    return {"value": [render(entry) for entry in found.values], "nextLink": link}


def _start(request: Request) -> int:
    token = request.parameters.get("$skiptoken", "")
    if not token:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(token + "==").decode().partition(":")
        start = int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise _bad_token() from error
    if word != "from" or start < 0:
        raise _bad_token()
    return start


def _bad_token() -> GatewayError:
    return GatewayError(400, "InvalidSkipToken", "The provided $skipToken is invalid.")


def _link(request: Request, start: int) -> str:
    token = base64.urlsafe_b64encode(f"from:{start}".encode()).decode().rstrip("=")
    kept = [part for part in request.query.split("&") if not part.lower().startswith(("$skiptoken=", "%24skiptoken="))]
    query = "&".join([*kept, f"$skipToken={quote(token)}"])
    return f"{request.origin}{request.path}?{query}"
