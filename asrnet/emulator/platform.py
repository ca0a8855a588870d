"""What Resource Manager adds to every request: request limits before it, headers on the response.

Source of the limits: "Understand how Azure Resource Manager throttles requests". Each subscription has a token bucket
per kind of request: 250 reads, 200 writes and 200 deletes, refilled by 25, 10 and 10 per second.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from asrnet.emulator.messages import Request, Response

KINDS: Mapping[str, str] = {
    "GET": "reads",
    "HEAD": "reads",
    "PUT": "writes",
    "PATCH": "writes",
    "POST": "writes",
    "DELETE": "deletes",
}
# Remaining counts reported without limits: values recorded before Azure introduced token buckets.
_UNLIMITED: Final = {"reads": 11999, "writes": 1199, "deletes": 14999}


class Bucket(Struct, frozen=True, kw_only=True):
    """A token bucket: ``size`` requests at once, and ``refill`` more each second."""

    size: int
    refill: float


AZURE_BUCKETS: Mapping[str, Bucket] = {
    "reads": Bucket(size=250, refill=25.0),
    "writes": Bucket(size=200, refill=10.0),
    "deletes": Bucket(size=200, refill=10.0),
}


class Allowance(Struct, frozen=True, kw_only=True):
    """A client's remaining allowance: the number of requests left, or the seconds to wait before the next one."""

    remaining: int
    retry_after: int = 0


class Throttle:
    """Counts requests against ``buckets`` by kind; a kind without a bucket is not limited."""

    def __init__(self, buckets: Mapping[str, Bucket] | None = None) -> None:
        self._buckets = dict(buckets or {})
        self._levels: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, subscription: str, kind: str, now: float) -> Allowance:
        """Take one request of ``kind`` from the bucket at ``now``, in seconds."""
        bucket = self._buckets.get(kind)
        if bucket is None:
            return Allowance(remaining=_UNLIMITED[kind])
        level, since = self._levels.get((subscription, kind), (float(bucket.size), now))
        level = min(bucket.size, level + (now - since) * bucket.refill)
        if level < 1:
            self._levels[subscription, kind] = (level, now)
            # Retry-After has whole seconds, and 0 would mean that the request was not refused.
            return Allowance(remaining=0, retry_after=max(1, math.ceil((1 - level) / bucket.refill)))
        self._levels[subscription, kind] = (level - 1, now)
        return Allowance(remaining=int(level - 1))


RESOURCE_LIMIT: Final = "x-ms-ratelimit-remaining-subscription-resource-requests"
"""The header of a provider with limits of its own. It replaces the subscription's remaining count."""

_SITE_RECOVERY: Final = re.compile(r"/vaults/[^/]+/replication", re.IGNORECASE)
_NETWORK: Final = re.compile(r"/providers/microsoft\.network/", re.IGNORECASE)
_NO_CONTENT: Final = 204


def with_platform_headers(
    response: Response, request: Request, *, correlation_id: str, now: float, allowance: Allowance | None
) -> Response:
    """Add the platform's headers to ``response``: dates, tracing ids and the remaining allowance."""
    moment = datetime.fromtimestamp(now, UTC)
    client_id = request.header("x-ms-client-request-id")
    of_site_recovery = _SITE_RECOVERY.search(request.path) is not None
    request_id = correlation_id
    if of_site_recovery:  # recorded: "4f0c… 3/24/2021 11:44:45 AM", the client's id and the time in US format
        date, time = f"{moment.month}/{moment.day}/{moment.year}", f"{moment.hour % 12 or 12}:{moment:%M:%S %p}"
        request_id = f"{client_id or correlation_id} {date} {time}"
    headers = [
        ("Cache-Control", "no-cache"),
        ("Pragma", "no-cache"),
        ("Expires", "-1"),
        ("X-Content-Type-Options", "nosniff"),
        ("Date", moment.strftime("%a, %d %b %Y %H:%M:%S GMT")),
        ("x-ms-request-id", request_id),
        ("x-ms-correlation-request-id", correlation_id),
        ("x-ms-routing-request-id", f"LOOPBACK:{moment:%Y%m%dT%H%M%SZ}:{correlation_id}"),
    ]
    if not request.host.startswith("localhost"):  # a browser would then refuse plain HTTP on localhost for a year
        headers.append(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
    if client_id:
        headers.append(("x-ms-client-request-id", client_id))
    # Recorded: writes of vaults have their provider's count in place of the subscription's.
    if allowance is not None and response.header(RESOURCE_LIMIT) is None:
        kind = KINDS.get(request.method, "reads")
        headers.append((f"x-ms-ratelimit-remaining-subscription-{kind}", str(allowance.remaining)))
    of_network = _NETWORK.search(request.path) is not None
    if of_site_recovery or of_network:
        headers.append(("Server", "Kestrel" if of_site_recovery else "Microsoft-HTTPAPI/2.0"))
        if response.body:
            headers.append(("Vary", "Accept-Encoding"))
    if response.status != _NO_CONTENT:
        headers.append(("Content-Length", str(len(response.body))))
    return response.with_headers(*headers)
