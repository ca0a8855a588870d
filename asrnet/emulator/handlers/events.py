"""Events of a vault, which record what was done to its machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.jobs import friendly_job_name, moment
from asrnet.emulator.messages import Document, Response, json_response
from asrnet.emulator.routing import VAULT, Routes
from asrnet.emulator.spelling import VAULT_TYPE, fabric_name, find_fabric, wire_id
from asrnet.fake import refusals
from asrnet.fake.jobs import iso_time
from asrnet.fake.operations import Started, stable_guid
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE

routes: Final = Routes()

_EVENTS: Final = f"{VAULT}/replicationEvents"
_OF_JOBS: Final = "one for each ended job of a machine; the wording is assumed"
_FILTERS: Final = frozenset(
    {
        "eventcode",
        "severity",
        "eventtype",
        "affectedobjectfriendlyname",
        "affectedobjectcorrelationid",
        "fabricname",
        "starttime",
        "endtime",
    }
)


def event_json(call: Call, job: Started) -> Document:
    """The event of a machine's job that has ended."""
    world, item_id, vault_id = call.world, job.resource_id, call.id("vault")
    fabric_id = item_id.parent.parent
    fabric = find_fabric(world, fabric_id)
    # If the item was disabled or moved since, the event shows only what is still known.
    item = world.state.protected_items.get(vault_id.key, item_id.key)
    recovery = find_fabric(world, item.recovery_fabric_id) if item and item.recovery_fabric_id else None
    details: Document = {"instanceType": item.provider if item else "A2A"}
    if item is None or item.provider == "A2A":
        details |= {
            "protectedItemName": item_id.name,
            "fabricObjectId": str(item.machine_id) if item and item.machine_id else None,
            "fabricName": fabric_id.name,
            "fabricLocation": fabric.location if fabric else None,
            "remoteFabricName": recovery.name if recovery else None,
            "remoteFabricLocation": recovery.location if recovery else None,
        }
    elif item.provider == "HyperVReplicaAzure":
        details |= {
            "containerName": item_id.parent.name,
            "fabricName": fabric_name(world, fabric_id),
            "remoteContainerName": MICROSOFT_AZURE,
        }
    failed = job.state == "Failed"
    friendly_name = friendly_job_name(job.scenario)
    return {
        "id": wire_id(_event_id(vault_id, job)),
        "name": _event_id(vault_id, job).name,
        "type": f"{VAULT_TYPE}/replicationEvents",
        "properties": {
            "eventCode": f"{job.scenario}{job.state}",
            "description": f"{friendly_name} of '{job.target}' has ended: {job.state}.",
            "eventType": "JobStatus",
            "affectedObjectFriendlyName": job.target,
            "affectedObjectCorrelationId": stable_guid(str(item_id), "events"),
            "severity": "Critical" if failed else "OK",
            "timeOfOccurrence": iso_time(job.end_time or job.start_time),
            "fabricId": wire_id(fabric_id),
            "providerSpecificDetails": details,
            "eventSpecificDetails": {
                "instanceType": "JobStatus",
                "jobId": wire_id(vault_id.child("replicationJobs", job.id)),
                "jobFriendlyName": friendly_name,
                "jobStatus": job.state,
                "affectedObjectType": "ProtectionEntity",
            },
            "healthErrors": [],
        },
    }


def _event_id(vault_id: ArmId, job: Started) -> ArmId:
    return vault_id.child("replicationEvents", stable_guid(job.id, "event"))


def _jobs(call: Call) -> Sequence[Started]:
    """The ended jobs of the vault's machines, latest first."""
    vault_id = call.world.vaults.get(call.id("vault")).id
    with call.world.state.lock:
        jobs = call.world.state.operations.ended(vault_id)
    return [job for job in jobs if job.resource_id.parent.type.endswith("replicationprotectioncontainers")]


@routes.get(_EVENTS, "ReplicationEvents_List", "specified", _OF_JOBS)
def list_events(call: Call) -> Response:
    """The events of a vault's machines, latest first."""
    filters = call.equalities(_FILTERS)
    fabric = filters.pop("fabricname", None)
    earliest, latest = (moment(filters.pop(name, "")) for name in ("starttime", "endtime"))
    events = []
    for job in _jobs(call):
        when = job.end_time or job.start_time
        if (earliest is not None and when < earliest) or (latest is not None and when > latest):
            continue
        document = event_json(call, job)
        properties = document["properties"]
        assert isinstance(properties, dict)  # noqa: S101 - for the type checker
        values = {name.lower(): str(value).lower() for name, value in properties.items()}
        in_fabric = fabric is None or job.resource_id.parent.parent.name.lower() == fabric.lower()
        if in_fabric and all(values.get(name) == value.lower() for name, value in filters.items()):
            events.append(document)
    return call.page(events, lambda event: event)


@routes.get(f"{_EVENTS}/{{event}}", "ReplicationEvents_Get", "specified", _OF_JOBS)
def get_event(call: Call) -> Response:
    """One event."""
    for job in _jobs(call):
        if _event_id(call.id("vault"), job) == call.id("event"):
            return json_response(event_json(call, job))
    raise refusals.missing(call.id("event"))
