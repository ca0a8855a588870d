"""Operations in Site Recovery: their status, their results, and the jobs that stand for them."""

from __future__ import annotations

import re
from typing import Final

from asrnet.emulator.call import Call
from asrnet.emulator.filters import equalities
from asrnet.emulator.handlers.containers import get_container, get_container_mapping
from asrnet.emulator.handlers.fabrics import get_fabric
from asrnet.emulator.handlers.mappings import get_mapping
from asrnet.emulator.handlers.protected_items import get_item
from asrnet.emulator.handlers.templates import CONTAINER, CONTAINER_MAPPING, FABRIC, ITEM, MAPPING, VAULT
from asrnet.emulator.job_json import JobNames, job_json, listed_job_json, status_json
from asrnet.emulator.messages import Response, empty_response, json_response
from asrnet.emulator.names import find_fabric, names_of
from asrnet.emulator.refusals import GatewayError
from asrnet.emulator.routing import Handler, Route
from asrnet.emulator.site_recovery_json import wire_id
from asrnet.errors import ServiceError
from asrnet.fake.operations import Started
from asrnet.fake.times import seconds_of
from asrnet.model.azure import NetworkMapping

_FAILED_STATUS: Final = 400


def operation_status(call: Call) -> Response:
    """Where an operation stands: always 200, the state is in the body."""
    return json_response(status_json(_operation(call)))


def result_of(show: Handler) -> Handler:
    """The handler for the results of operations on what ``show`` shows: 202 until the end, then 200 or 204."""

    def result(call: Call) -> Response:
        started = _operation(call)
        if started.state == "InProgress":
            return call.accepted(started, call.id(_last_before(call.route.template)))
        if started.state != "Succeeded":
            raise _failed(started)
        return show(call) if started.method in {"PUT", "PATCH"} else empty_response(204)

    return result


def list_jobs(call: Call) -> Response:
    """The jobs of a vault, latest first, as far as the filter lets them through."""
    wanted = equalities(call.request.parameters.get("$filter", ""), _FILTERS)
    jobs = call.world.jobs.list(
        call.id("vault"),
        since=_moment(wanted, "starttime"),
        until=_moment(wanted, "endtime"),
        state=wanted.get("jobstatus") or None,
    )
    name = wanted.get("jobname", "").lower()
    found = [job for job in jobs if not name or job.name.lower() == name]
    return call.page(found, lambda job: listed_job_json(job, call.app.origin_of(job.name)[0]))


def get_job(call: Call) -> Response:
    """One job, with its tasks. The answer's request id is the job's own id."""
    job = call.world.jobs.get(call.id("job"))
    started, activity = call.app.origin_of(job.name)
    document = job_json(job, started, _names(call, started, activity))
    return json_response(document, headers=(("x-ms-request-id", wire_id(job.id)),))


_FILTERS = frozenset(
    {
        "starttime",
        "endtime",
        "fabricid",
        "affectedobjecttypes",
        "jobstatus",
        "jobname",
        "joboutputtype",
        "timezoneoffset",
    }
)


def _moment(wanted: dict[str, str], name: str) -> float | None:
    text = wanted.get(name)
    if not text:
        return None
    try:
        return seconds_of(text)
    except ValueError as error:
        raise GatewayError(400, "BadRequest", f"'{text[:100]}' is not a time in ISO 8601.") from error


def _operation(call: Call) -> Started:
    call.check_signature(call.values["operation"])
    return call.world.operations.get(call.values["operation"], scope=call.id("vault"))


def _last_before(template: str) -> str:
    """The last parameter before the operation's: the resource that the result is about."""
    return str(re.findall(r"{(\w+)}", template)[-2])


def _failed(started: Started) -> ServiceError:
    error = started.error
    return ServiceError(
        error.message if error else "The operation was canceled.",
        status=_FAILED_STATUS,
        code=error.code if error else "Canceled",
        possible_causes="The operation did not succeed.",
        recommended_action="Look at the job of the operation.",
    )


def _names(call: Call, started: Started | None, activity: str) -> JobNames:
    mapping = started.subject if started else None
    if not isinstance(mapping, NetworkMapping):
        return JobNames(activity_id=activity)
    names = names_of(call.world, mapping)
    fabric = find_fabric(call.world, mapping.fabric_id)
    return JobNames(
        activity_id=activity,
        primary_network=names.primary_network,
        recovery_network=names.recovery_network,
        primary_fabric=names.primary_fabric,
        recovery_fabric=names.recovery_fabric,
        provider="VMM" if fabric and fabric.kind == "vmm" else "Azure",
        recovery_provider="VMM" if mapping.kind == "vmm_to_vmm" else "Azure",
    )


def _results(template: str, show: Handler) -> Route:
    kind = template.rsplit("/", 2)[-2]
    return Route(
        method="GET",
        template=f"{template}/operationresults/{{operation}}",
        operation=f"{kind[0].upper()}{kind[1:]}_OperationResults",
        source="assumed",
        handler=result_of(show),
    )


ROUTES: Final = (
    Route(
        method="GET",
        template=f"{VAULT}/replicationOperationStatus/{{operation}}",
        operation="ReplicationOperationStatus_Get",
        source="recorded",
        handler=operation_status,
    ),
    Route(
        method="GET",
        template=f"{VAULT}/replicationJobs",
        operation="ReplicationJobs_List",
        source="recorded",
        handler=list_jobs,
        note="of the filter startTime, endTime, jobStatus and jobName count",
    ),
    Route(
        method="GET",
        template=f"{VAULT}/replicationJobs/{{job}}",
        operation="ReplicationJobs_Get",
        source="recorded",
        handler=get_job,
        note="the scenario of Azure to Azure mappings is assumed to be that of the others",
    ),
    _results(FABRIC, get_fabric),
    _results(MAPPING, get_mapping),
    _results(CONTAINER, get_container),
    _results(CONTAINER_MAPPING, get_container_mapping),
    _results(ITEM, get_item),
)
