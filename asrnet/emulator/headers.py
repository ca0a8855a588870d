"""The headers that come with every answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from asrnet.emulator.messages import Request, Response
from asrnet.emulator.throttle import KINDS, Allowance

_STRICT = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
_SITE_RECOVERY_SERVER = ("Server", "Kestrel")
_VARIES = ("Vary", "Accept-Encoding")
_NO_CONTENT = 204
RESOURCE_LIMIT = "x-ms-ratelimit-remaining-subscription-resource-requests"
"""What a provider with limits of its own says instead of what is left of the subscription's."""
_ALWAYS = (
    ("Cache-Control", "no-cache"),
    ("Pragma", "no-cache"),
    ("Expires", "-1"),
    ("X-Content-Type-Options", "nosniff"),
)


def finished(
    response: Response, request: Request, *, correlation_id: str, now: float, allowance: Allowance | None
) -> Response:
    """``response`` with the headers of the platform: dates, ids to trace it by and what is left of the allowance."""
    moment = datetime.fromtimestamp(now, UTC)
    client_id = request.header("x-ms-client-request-id")
    headers = [
        *_ALWAYS,
        ("Date", moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
        ("x-ms-request-id", _request_id(request, client_id or correlation_id, correlation_id, now)),
        ("x-ms-correlation-request-id", correlation_id),
        ("x-ms-routing-request-id", f"LOOPBACK:{moment:%Y%m%dT%H%M%SZ}:{correlation_id}"),
    ]
    if not request.host.startswith("localhost"):  # a browser would refuse http there for a year
        headers.append(_STRICT)
    if client_id:
        headers.append(("x-ms-client-request-id", client_id))
    if allowance is not None and response.header(RESOURCE_LIMIT) is None:
        kind = KINDS.get(request.method, "reads")
        headers.append((f"x-ms-ratelimit-remaining-subscription-{kind}", str(allowance.remaining)))
    if _SITE_RECOVERY.search(request.path):
        headers += [_SITE_RECOVERY_SERVER, *([_VARIES] if response.body else [])]
    if response.status != _NO_CONTENT:
        headers.append(("Content-Length", str(len(response.body))))
    return response.with_headers(*headers)


_SITE_RECOVERY = re.compile(r"/vaults/[^/]+/replication", re.IGNORECASE)


def _request_id(request: Request, client_id: str, correlation_id: str, now: float) -> str:
    """Site Recovery makes its request ids of the client's and the time."""
    if _SITE_RECOVERY.search(request.path):
        return f"{client_id} {_american_time(now)}"
    return correlation_id


def _american_time(now: float) -> str:
    """``3/24/2021 11:44:45 AM``, as Site Recovery writes it there."""
    moment = datetime.fromtimestamp(now, UTC)
    return f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"
