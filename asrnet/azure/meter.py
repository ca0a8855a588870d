"""Counts the requests that were really sent."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

ATTEMPT: Final = "asrnet.attempt"
"""Where the retry policy leaves the number of the attempt, for the policies after it."""


class Meter:
    """Requests sent so far, by method; ``retries`` says how many of them were repeats."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, method: str, *, repeat: bool) -> None:
        """Count one request."""
        with self._lock:
            self._counts[method] += 1
            self._counts["retries"] += repeat

    def counts(self) -> Mapping[str, int]:
        """What was counted so far."""
        with self._lock:
            return {"retries": 0, **self._counts}


class MeterPolicy(SansIOHTTPPolicy[Any, Any]):
    """Counts what comes this far: past the token, just before the wire."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Count the request that is about to be sent."""
        self._meter.count(request.http_request.method, repeat=request.context.get(ATTEMPT, 1) > 1)
