"""Long-running operations: the answer to an accepted write, and the operation's status.

The SDK's own poller waits 30 s before its first read, and fails on an accepted PUT without a body. So writes go through
the SDK with a polling method that ends at once, and callers that wait use ``status_of``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from azure.core.pipeline import PipelineResponse
from azure.core.polling import NoPolling
from azure.core.rest import HttpResponse

from asrnet.azure.answers import error_body, json_document, request_id, retry_after
from asrnet.azure.retry import BUSY
from asrnet.azure.translate import operation_failed
from asrnet.errors import ServiceError
from asrnet.model.arm import ArmId
from asrnet.model.azure import END_STATES
from asrnet.model.bodies import member
from asrnet.ports import Operation, OperationStatus

_ACCEPTED: Final = 202


class Submitted(NoPolling[Operation | None]):
    """A polling method that does not poll. Its result is the Operation that the first answer describes."""

    def __init__(self, resource_id: ArmId) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # azure.core annotates nothing there
        self._resource_id = resource_id

    def initialize(self, client: Any, initial_response: Any, deserialization_callback: Any) -> None:  # noqa: ARG002
        """Take the first answer. The SDK's own callback cannot read an answer without a body."""
        super().initialize(client, initial_response, partial(operation_of, resource_id=self._resource_id))


def operation_of(response: PipelineResponse[Any, Any], resource_id: ArmId) -> Operation | None:
    """The operation that an accepted write started; None if the write has finished."""
    http = response.http_response
    # Documented: this header takes precedence over Location. Recorded: Site Recovery sends both with an empty 202,
    # Microsoft.Network this one with a 201 or 200 and the resource.
    url = http.headers.get("Azure-AsyncOperation")
    if not url and http.status_code == _ACCEPTED:
        url = http.headers.get("Location")
        if not url:
            raise ServiceError(
                f"the write of '{resource_id}' was accepted, but the answer does not say how to follow its outcome",
                resource_id=resource_id,
                request_id=request_id(http.headers),
                hint="run again: asrnet first reads what the write achieved",
            )
    if not url:
        # The answer is the resource itself. If it has no body, or no state in its body, the write has finished.
        state = _provisioning_state(_document(http))
        if state is None or state.lower() == "succeeded":
            return None
        url = http.request.url
    url = urljoin(http.request.url, url)  # HTTP allows a relative address
    return Operation(
        id=urlsplit(url).path.rstrip("/").rpartition("/")[2],
        resource_id=resource_id,
        status_url=url,
        retry_after=retry_after(http.headers, 0.0) or 0.0,
        busy=response.context.get(BUSY, 0),
        correlation_id=request_id(http.headers),
    )


def status_of(response: HttpResponse, operation: Operation) -> OperationStatus:
    """The status of ``operation``. The error of one that is running or has succeeded is a warning (recorded).

    Raises ServiceError if the answer is neither empty nor a document.
    """
    content = response.read()
    document = _document(response)
    if content.strip() and not document:
        raise ServiceError(
            f"the state of the operation on '{operation.resource_id}' cannot be read",
            resource_id=operation.resource_id,
            request_id=request_id(response.headers),
            hint="something between here and Azure may be altering answers",
        )
    word = member(document, "status") or _provisioning_state(document)
    if word is None:
        return OperationStatus(state="in_progress" if response.status_code == _ACCEPTED else "succeeded")
    state = END_STATES.get(str(word).lower())
    error = member(document, "error")
    body = error_body(error if isinstance(error, dict) else {})
    if state is None:
        return OperationStatus(state="in_progress")
    if state == "succeeded":
        return OperationStatus(state=state, warning=body.message)
    failure = operation_failed(body, str(word), operation.resource_id, response.headers)
    return OperationStatus(state=state, error=failure)


def _document(http: Any) -> Mapping[str, Any]:
    document = json_document(http.read())
    return document if isinstance(document, dict) else {}


def _provisioning_state(document: Mapping[str, Any]) -> str | None:
    properties = member(document, "properties")
    state = properties.get("provisioningState") if isinstance(properties, dict) else None
    return state if isinstance(state, str) else None
