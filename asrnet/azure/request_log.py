"""Logs requests: a count by method, one log line for each with its trace ids, and what the vendors log."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from msgspec import Struct

from asrnet.ports import Clock
from asrnet.redaction import without_secrets

ATTEMPT: Final = "asrnet.attempt"
"""The key in a request's context under which the retry policy stores the number of the attempt."""

CORRELATION: Final = "x-ms-correlation-request-id"
"""The header that shows which requests belong together: all of a run, in Azure's activity log too."""

_log: Final = logging.getLogger("asrnet.azure.requests")
_CLIENT_ID: Final = "x-ms-client-request-id"
_REQUEST_ID: Final = "x-ms-request-id"


class Meter:
    """Requests sent so far, by method; ``retries`` is how many of them were repeats."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, method: str, *, repeat: bool) -> None:
        """Count one request."""
        with self._lock:
            self._counts[method] += 1
            self._counts["retries"] += repeat

    def counts(self) -> Mapping[str, int]:
        """The counts so far."""
        with self._lock:
            return {"retries": 0, **self._counts}


class Exchange(Struct, frozen=True, kw_only=True):
    """A request and its answer, with the names used in the log. ``status`` is None if there was no answer.

    ``client_request_id`` and ``correlation_id`` were sent, ``request_id`` and ``answered_correlation_id`` came back.
    """

    method: str
    host: str
    path: str
    attempt: int
    status: int | None
    seconds: float
    client_request_id: str
    correlation_id: str
    request_id: str = ""
    answered_correlation_id: str = ""

    def __str__(self) -> str:
        answer = "no answer" if self.status is None else str(self.status)
        attempt = f", attempt {self.attempt}" if self.attempt > 1 else ""
        ids = f"sent as {self.client_request_id}"
        if self.request_id and not self.request_id.startswith(self.client_request_id):
            ids += f", request {self.request_id}"
        return f"{self.method} {self.path}: {answer} in {self.seconds:.3f} s{attempt} ({ids})"


class RequestLogPolicy(HTTPPolicy[Any, Any]):
    """Counts what is really sent, and logs it at level DEBUG with an ``Exchange`` as the record's ``request``.

    It comes after authentication and retries, directly before the transport.
    """

    def __init__(self, meter: Meter, clock: Clock) -> None:
        super().__init__()
        self._meter = meter
        self._clock = clock

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Count ``request``, send it on, and log what came back."""
        attempt = request.context.get(ATTEMPT, 1)
        self._meter.count(request.http_request.method, repeat=attempt > 1)
        if not _log.isEnabledFor(logging.DEBUG):
            return self.next.send(request)
        began = self._clock.now()
        try:
            response = self.next.send(request)
        except AzureError:
            self._log(request, attempt, began, None, {})
            raise
        self._log(request, attempt, began, response.http_response.status_code, response.http_response.headers)
        return response

    def _log(self, request: PipelineRequest[Any], attempt: int, began: float, status: int | None, headers: Any) -> None:
        url = urlsplit(request.http_request.url)
        sent = request.http_request.headers
        exchange = Exchange(
            method=request.http_request.method,
            host=url.netloc,
            path=url.path,
            attempt=attempt,
            status=status,
            seconds=round(self._clock.now() - began, 3),
            client_request_id=sent.get(_CLIENT_ID, ""),
            correlation_id=sent.get(CORRELATION, ""),
            request_id=headers.get(_REQUEST_ID, ""),
            answered_correlation_id=headers.get(CORRELATION, ""),
        )
        _log.debug("%s", exchange, extra={"request": exchange})


class _SecretFilter(logging.Filter):
    """Removes queries from urllib3's log, which has whole URLs at level DEBUG, with the signed query of operations."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(without_secrets(part) if isinstance(part, str) else part for part in record.args)
        return True


_FILTER: Final = _SecretFilter()
_SILENT: Final = logging.NullHandler()


def quieten_vendors() -> None:
    """Make urllib3 log URLs without their query, and the SDKs log only if a program asks for it.

    Without any handler, Python writes warnings to stderr. The SDKs' warnings are pages long, and asrnet raises what
    they say.
    """
    logging.getLogger("urllib3.connectionpool").addFilter(_FILTER)  # adding either a second time has no effect
    logging.getLogger("azure").addHandler(_SILENT)
