"""Resource Manager's request limits: a token bucket per subscription and kind of request.

Source: "Understand how Azure Resource Manager throttles requests": buckets of 250 reads, 200 writes and 200 deletes,
refilled by 25, 10 and 10 a second. The figures of the unthrottled emulator are those of older recordings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec import Struct

KINDS: Mapping[str, str] = {
    "GET": "reads",
    "HEAD": "reads",
    "PUT": "writes",
    "PATCH": "writes",
    "POST": "writes",
    "DELETE": "deletes",
}
UNLIMITED: Mapping[str, int] = {"reads": 11999, "writes": 1199, "deletes": 14999}


class Bucket(Struct, frozen=True, kw_only=True):
    """A limit: ``size`` requests at once, ``refill`` more each second."""

    size: int
    refill: float


AZURE_BUCKETS: Mapping[str, Bucket] = {
    "reads": Bucket(size=250, refill=25.0),
    "writes": Bucket(size=200, refill=10.0),
    "deletes": Bucket(size=200, refill=10.0),
}


class Allowance(Struct, frozen=True, kw_only=True):
    """The answer to one request: how many more there are, or in how many seconds to try again."""

    remaining: int
    retry_after: int = 0


class Throttle:
    """Counts requests against ``buckets`` by kind; a kind without a bucket is not limited."""

    def __init__(self, buckets: Mapping[str, Bucket] | None = None) -> None:
        self._buckets = dict(buckets or {})
        self._levels: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, subscription: str, kind: str, now: float) -> Allowance:
        """Take one request of ``kind`` at ``now``, in seconds."""
        bucket = self._buckets.get(kind)
        if bucket is None:
            return Allowance(remaining=UNLIMITED[kind])
        level, since = self._levels.get((subscription, kind), (float(bucket.size), now))
        level = min(bucket.size, level + (now - since) * bucket.refill)
        if level < 1:
            self._levels[subscription, kind] = (level, now)
            return Allowance(remaining=0, retry_after=max(1, math.ceil((1 - level) / bucket.refill)))
        self._levels[subscription, kind] = (level - 1, now)
        return Allowance(remaining=int(level - 1))
