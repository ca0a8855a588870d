"""Site Recovery's long-running operations: their status, and their results under the resources they affect."""

from __future__ import annotations

import re
from typing import Final

from asrnet.emulator.calls import Call
from asrnet.emulator.messages import Document, Response, empty_response, json_response
from asrnet.emulator.routing import VAULT, Handler, Routes
from asrnet.errors import NotFoundError, ServiceError
from asrnet.fake.jobs import iso_time
from asrnet.fake.operations import Started

routes: Final = Routes()


def status_json(started: Started, *, begun: bool = True) -> Document:
    """The status of an operation. Every key is present, null without a value; endTime has no fraction of a second."""
    error = None
    if started.error is not None:
        error = {"code": started.error.code, "message": started.error.message, "details": None}
    return {
        "error": error,
        "id": None,
        "name": started.id,
        "properties": None,
        "status": started.state if begun else "NotStarted",
        "startTime": iso_time(started.start_time) if begun else None,
        # Recorded: the end has whole seconds only, so that it can be before the start.
        "endTime": None if started.end_time is None else iso_time(float(int(started.end_time))),
        "percentComplete": None,
    }


@routes.get(f"{VAULT}/replicationOperationStatus/{{operation}}", "ReplicationOperationStatus_Get", "recorded")
def get_status(call: Call) -> Response:
    """The status of an operation. The response is always 200, and the state is in the body."""
    started = _operation(call)
    if started.state != "InProgress":
        return json_response(status_json(started))
    begun = call.emulation.count_status_read(started.id) > call.world.behaviour.not_started
    return json_response(status_json(started, begun=begun), headers=call.status_retry_after())


def add_results(module_routes: Routes, template: str, show: Handler) -> None:
    """Add the route for the results of operations on a resource; ``show`` answers with the resource.

    The answer is 202 until the operation ends, then 200 with the resource, 204 if the resource is gone, or 400 with the
    error if the operation failed.
    """
    kind = template.rsplit("/", 2)[-2]
    resource = str(re.findall(r"{(\w+)}", template)[-1])

    @module_routes.get(
        f"{template}/operationresults/{{operation}}", f"{kind[0].upper()}{kind[1:]}_OperationResults", "assumed"
    )
    def get_result(call: Call) -> Response:
        started = _operation(call)
        if started.state == "InProgress":
            return call.accepted(started, call.id(resource))
        if started.state == "Succeeded":
            try:
                return show(call) if started.method != "DELETE" else empty_response(204)
            except NotFoundError:  # a POST removed the resource or moved it elsewhere
                return empty_response(204)
        error = started.error
        raise ServiceError(
            error.message if error else "The operation was canceled.",
            status=400,
            code=error.code if error else "Canceled",
            possible_causes="The operation did not succeed.",
            recommended_action="Look at the job of the operation.",
        )


def _operation(call: Call) -> Started:
    call.check_signature(call.values["operation"])
    return call.world.operations.get(call.values["operation"], scope=call.id("vault"))
