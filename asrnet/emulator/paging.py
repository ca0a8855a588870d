"""Lists in pages, linked by ``$skipToken`` the way Azure does it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote

from msgspec import Struct

from asrnet.emulator.messages import Request
from asrnet.emulator.refusals import GatewayError

T = TypeVar("T")


class Page(Struct, frozen=True, kw_only=True):
    """A slice of a list and the link to the next; ``next_link`` is None on the last page."""

    start: int
    stop: int
    next_link: str | None


def page_of(request: Request, total: int, *, size: int, empty_last: bool = False) -> Page:
    """Where the page that ``request`` asks for starts and stops in a list of ``total`` entries.

    ``empty_last``: every list with entries ends in an empty page, as real ones sometimes do. Refused with 400: a token
    that was not given out.
    """
    start = _start(request)
    stop = min(start + size, total)
    ends = stop >= total and not (empty_last and start < total)
    return Page(start=start, stop=stop, next_link=None if ends else _link(request, stop))


def entries_of(entries: Sequence[T], page: Page) -> Sequence[T]:
    """The entries on a page."""
    return entries[page.start : page.stop]


def _start(request: Request) -> int:
    token = request.parameters.get("$skiptoken", "")
    if not token:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(token + "==").decode().partition(":")
        return int(number) if word == "from" else _refuse()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise _bad_token() from error


def _refuse() -> int:
    raise _bad_token()


def _bad_token() -> GatewayError:
    return GatewayError(400, "InvalidSkipToken", "The provided $skipToken is invalid.")


def _link(request: Request, start: int) -> str:
    token = base64.urlsafe_b64encode(f"from:{start}".encode()).decode().rstrip("=")
    kept = [part for part in request.query.split("&") if not part.lower().startswith(("$skiptoken=", "%24skiptoken="))]
    query = "&".join([*kept, f"$skipToken={quote(token)}"])
    return f"{request.origin}{request.path}?{query}"
