"""One line of log for each request that was really sent: what, how it was answered, and the ids to trace it by."""

from __future__ import annotations

import logging
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from msgspec import Struct

from asrnet.azure.meter import ATTEMPT
from asrnet.ports import Clock

CORRELATION: Final = "x-ms-correlation-request-id"
"""Says which requests belong together: all of a run, in Azure's activity log too."""

_log: Final = logging.getLogger("asrnet.azure.requests")
_CLIENT_ID: Final = "x-ms-client-request-id"
_REQUEST_ID: Final = "x-ms-request-id"


class Exchange(Struct, frozen=True, kw_only=True):
    """A request and its answer, in the names of the log. ``status`` is None where there was no answer.

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
        again = f", attempt {self.attempt}" if self.attempt > 1 else ""
        theirs = f", request {self.request_id}" if not self.request_id.startswith(self.client_request_id) else ""
        ids = f"sent as {self.client_request_id}{theirs if self.request_id else ''}"
        return f"{self.method} {self.path}: {answer} in {self.seconds:.3f} s{again} ({ids})"


class RequestLogPolicy(HTTPPolicy[Any, Any]):
    """Logs what comes this far, at the level DEBUG, with an ``Exchange`` as the record's ``request``."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send on, and tell."""
        if not _log.isEnabledFor(logging.DEBUG):
            return self.next.send(request)
        began = self._clock.now()
        try:
            response = self.next.send(request)
        except AzureError:
            self._tell(request, began, None, {})
            raise
        self._tell(request, began, response.http_response.status_code, response.http_response.headers)
        return response

    def _tell(self, request: PipelineRequest[Any], began: float, status: int | None, answered: Any) -> None:
        url = urlsplit(request.http_request.url)
        sent = request.http_request.headers
        exchange = Exchange(
            method=request.http_request.method,
            host=url.netloc,
            path=url.path,
            attempt=request.context.get(ATTEMPT, 1),
            status=status,
            seconds=round(self._clock.now() - began, 3),
            client_request_id=sent.get(_CLIENT_ID, ""),
            correlation_id=sent.get(CORRELATION, ""),
            request_id=answered.get(_REQUEST_ID, ""),
            answered_correlation_id=answered.get(CORRELATION, ""),
        )
        _log.debug("%s", exchange, extra={"request": exchange})
