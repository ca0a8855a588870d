"""Long-running operations: what an accepted write says, and where it stands.

The SDK's own poller waits 30 s before its first look, and on an accepted PUT without a body its result fails. So writes
go through the SDK with a polling method that ends at once, and whoever waits asks ``status_of``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NoReturn
from urllib.parse import urlsplit

import msgspec
from azure.core.pipeline import PipelineResponse
from azure.core.polling import PollingMethod
from azure.core.rest import HttpResponse

from asrnet.azure.answers import error_body, request_id, retry_after
from asrnet.azure.retry import BUSY
from asrnet.azure.translate import operation_failed
from asrnet.errors import ServiceError
from asrnet.model.arm import ArmId
from asrnet.ports import Operation, OperationStatus

_ACCEPTED: Final = 202
_STATES: Final[Mapping[str, Literal["succeeded", "failed", "canceled"]]] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "canceled",
    "cancelled": "canceled",
}


class Submitted(PollingMethod[Operation | None]):
    """A polling method that does not poll: its result is the Operation that the first answer tells of."""

    def __init__(self, resource_id: ArmId) -> None:
        self._resource_id = resource_id
        self._operation: Operation | None = None

    def initialize(self, _client: Any, initial_response: Any, _deserialize: Any) -> None:
        """Take the first answer."""
        self._operation = operation_of(initial_response, self._resource_id)

    def run(self) -> None:
        """Nothing is left to do."""

    def status(self) -> str:
        """The SDK asks, and nobody reads it."""
        return "Accepted"

    def finished(self) -> bool:
        """Always."""
        return True

    def resource(self) -> Operation | None:
        """The operation; None where Azure finished at once."""
        return self._operation


def operation_of(response: PipelineResponse[Any, Any], resource_id: ArmId) -> Operation | None:
    """The operation that an accepted write started; None where there is nothing left to wait for."""
    http = response.http_response
    url = http.headers.get("Azure-AsyncOperation")
    if not url and http.status_code == _ACCEPTED:
        url = http.headers.get("Location") or _nowhere(resource_id, http)
    if not url:
        if _is_done(http):
            return None
        url = http.request.url
    return Operation(
        id=urlsplit(url).path.rstrip("/").rpartition("/")[2],
        resource_id=resource_id,
        status_url=url,
        retry_after=retry_after(http.headers, 0.0) or 0.0,
        busy=response.context.get(BUSY, 0),
        correlation_id=request_id(http.headers),
    )


def status_of(response: HttpResponse, operation: Operation) -> OperationStatus:
    """Where ``operation`` stands. Only the status counts: errors beside a success or a run are warnings."""
    document = _document(response)
    word = document.get("status") or _provisioning_state(document)
    if word is None:
        return OperationStatus(state="in_progress" if response.status_code == _ACCEPTED else "succeeded")
    state = _STATES.get(str(word).lower())
    if state is None:
        return OperationStatus(state="in_progress")
    if state == "succeeded":
        return OperationStatus(state="succeeded")
    error = document.get("error")
    body = error_body(error if isinstance(error, dict) else {})
    failure = operation_failed(body, str(word), operation.resource_id, response.headers)
    return OperationStatus(state=state, error=failure)


def _nowhere(resource_id: ArmId, http: Any) -> NoReturn:
    raise ServiceError(
        f"the write of '{resource_id}' was accepted, but the answer does not say where to ask for its outcome",
        resource_id=resource_id,
        request_id=request_id(http.headers),
        hint="run again: what the write achieved is read back first",
    )


def _is_done(http: Any) -> bool:
    """Whether a resource that came back with the answer is complete. Without a body there is nothing more to come."""
    state = _provisioning_state(_document(http))
    return state is None or state.lower() == "succeeded"


def _document(http: Any) -> Mapping[str, Any]:
    try:
        document = msgspec.json.decode(http.read())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return document if isinstance(document, dict) else {}


def _provisioning_state(document: Mapping[str, Any]) -> str | None:
    properties = document.get("properties")
    state = properties.get("provisioningState") if isinstance(properties, dict) else None
    return state if isinstance(state, str) else None
