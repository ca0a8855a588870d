"""Errors as Azure Resource Manager, Microsoft.Network and Site Recovery put them on the wire."""

from __future__ import annotations

import re

from asrnet.emulator.messages import Request, Response, json_response
from asrnet.emulator.refusals import GatewayError, plain_envelope
from asrnet.errors import ServiceError

_STATUS_NAMES = {
    400: "BadRequest",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
_NETWORK = re.compile(r"/providers/microsoft\.network/", re.IGNORECASE)
_GATEWAY_CODES = frozenset({"ResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound"})


def refused(error: ServiceError, request: Request, *, correlation_id: str) -> Response:
    """The answer for an error. One of Site Recovery's is known by its possible causes, which no other has."""
    status = error.status or 500
    if error.possible_causes:
        client_id = request.header("x-ms-client-request-id") or correlation_id
        document = site_recovery_envelope(error, client_request_id=client_id, activity_id=correlation_id)
        return json_response(document, status=status)
    headers = list(error.headers.items()) if isinstance(error, GatewayError) else []
    if error.code in _GATEWAY_CODES:
        headers.append(("x-ms-failure-cause", "gateway"))
    document = plain_envelope(error.code, error.message)
    if _NETWORK.search(request.path) and error.code not in _GATEWAY_CODES:
        document = {"error": {"code": error.code, "message": error.message, "details": []}}
    return json_response(document, status=status, headers=tuple(headers))


def site_recovery_envelope(error: ServiceError, *, client_request_id: str, activity_id: str) -> dict[str, object]:
    """Site Recovery's error document: the HTTP status in words outside, the service's own code in a detail."""
    detail = {
        "code": error.code or "UnhandledException",
        "message": error.message,
        "possibleCauses": error.possible_causes,
        "recommendedAction": error.recommended_action,
        "clientRequestId": client_request_id,
        "activityId": activity_id,
    }
    outer = _STATUS_NAMES.get(error.status or 500, "InternalServerError")
    return {"error": {"code": outer, "message": error.message, "details": [detail]}}
