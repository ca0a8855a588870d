"""Operations and the jobs that stand for them, as Site Recovery writes them."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from asrnet.emulator.site_recovery_json import Document, stable_guid, wire_id
from asrnet.fake.operations import Started
from asrnet.fake.times import iso_time
from asrnet.model.arm import ASR_NETWORK, ArmId
from asrnet.model.azure import Job, NetworkMapping

JOB_TYPE: Final = "Microsoft.RecoveryServices/vaults/replicationJobs"
_NEVER: Final = "0001-01-01T00:00:00"
_STATES: Final = ("InProgress", "Succeeded", "Failed", "Canceled")
_DESCRIPTIONS: Final = {state: state for state in _STATES} | {"Succeeded": "Completed"}


class Task(Struct, frozen=True):
    """A step of a job: its name and the one people read. ``group``: it holds steps of its own."""

    name: str
    friendly_name: str
    group: bool = False


class Scenario(Struct, frozen=True):
    """How a job of one kind is called and what it consists of."""

    friendly_name: str
    target_type: str
    tasks: tuple[Task, ...]


_SCENARIOS: Final = {
    "NetworkPairing": Scenario(
        "Map Networks",
        "Network",
        (
            Task("ModifyVMNetworksPairingStatusTask", "Map network"),
            Task("VMNetworksUpdateVMNicsTask", "Attach network (0)", group=True),
        ),
    ),
    "NetworkUnPairing": Scenario(
        "Remove map",
        "Network",
        (
            Task("ModifyVMNetworksUnPairingStatusTask", "Unmap network"),
            Task("VMNetworksUpdateVMNicsTaskDetach", "Detach network (0)", group=True),
        ),
    ),
}


class JobNames(Struct, frozen=True, kw_only=True):
    """What a network job's details say beside its operation."""

    activity_id: str
    primary_network: str = ""
    recovery_network: str = ""
    primary_fabric: str = ""
    recovery_fabric: str = ""
    provider: str = "Azure"
    recovery_provider: str = "Azure"


def status_json(started: Started) -> Document:
    """The operation's status: every key there, null where it says nothing; the end is cut to whole seconds."""
    error = None
    if started.error is not None:
        error = {"code": started.error.code, "message": started.error.message, "details": None}
    return {
        "error": error,
        "id": None,
        "name": started.id,
        "properties": None,
        "status": started.state,
        "startTime": iso_time(started.start_time),
        "endTime": None if started.end_time is None else iso_time(float(int(started.end_time))),
        "percentComplete": None,
    }


def listed_job_json(job: Job, started: Started | None) -> Document:
    """A job as lists show it: without its tasks, activity and details."""
    return _job(job, started, activity_id=None, tasks=[], details=None)


def job_json(job: Job, started: Started | None, names: JobNames) -> Document:
    """A job in full, with its tasks; ``started`` is its operation where the world still has it."""
    tasks = [_task(job, task, index) for index, task in enumerate(_scenario(job).tasks)]
    return _job(job, started, activity_id=names.activity_id, tasks=tasks, details=_details(started, names))


def _job(
    job: Job, started: Started | None, *, activity_id: str | None, tasks: list[Document], details: Document | None
) -> Document:
    properties: Document = {
        "activityId": activity_id,
        "scenarioName": job.scenario,
        "friendlyName": _scenario(job).friendly_name,
        "state": job.state,
        "stateDescription": _DESCRIPTIONS.get(job.state, job.state),
        "tasks": tasks,
        "errors": _errors(job, started),
        "startTime": job.start_time,
    }
    if job.end_time:
        properties["endTime"] = _whole_seconds(job.end_time)
    properties |= {
        "allowedActions": ["Cancel"] if job.state == "InProgress" else [],
        "targetObjectId": _target_id(job, started),
        "targetObjectName": job.target,
        "targetInstanceType": _scenario(job).target_type,
        "customDetails": details,
    }
    return {"id": wire_id(job.id), "name": job.name, "type": JOB_TYPE, "properties": properties}


def _scenario(job: Job) -> Scenario:
    task = Task(f"{job.scenario}Task", job.scenario)
    return _SCENARIOS.get(job.scenario) or Scenario(job.scenario, "ProtectionEntity", (task,))


def _task(job: Job, task: Task, index: int) -> Document:
    runs = index == 0
    state, description = _task_state(job, task, runs=runs)
    return {
        "taskId": stable_guid(job.name, task.name),
        "name": task.name,
        "startTime": job.start_time if runs else _NEVER,
        "endTime": (job.end_time if runs else "") or _NEVER,
        "allowedActions": [],
        "friendlyName": task.friendly_name,
        "state": state,
        "stateDescription": description,
        "taskType": "GroupTaskDetails" if task.group else "TaskDetails",
        "customDetails": None if task.group else {"instanceType": "TaskDetails"},
        "groupTaskCustomDetails": {"instanceType": "GroupTaskDetails", "childTasks": []} if task.group else None,
        "errors": [],
    }


def _task_state(job: Job, task: Task, *, runs: bool) -> tuple[str, str]:
    if job.end_time and task.group:
        return "Other", "Skipped"
    if not job.end_time and not runs:
        return "NotStarted", "NotStarted"
    return job.state, _DESCRIPTIONS.get(job.state, job.state)


def _errors(job: Job, started: Started | None) -> list[Document]:
    code = started.error.code if started and started.error else "28020"
    return [
        {
            "serviceErrorDetails": {"code": code, "message": message, "possibleCauses": "", "recommendedAction": ""},
            "providerErrorDetails": None,
            "errorLevel": "Error",
            "creationTime": job.end_time or job.start_time,
            "taskId": None,
        }
        for message in job.errors
    ]


def _target_id(job: Job, started: Started | None) -> str:
    if started is None:
        return stable_guid(str(job.id), job.target)
    if isinstance(started.subject, NetworkMapping):
        return _guid_of(started.subject.primary_network_id)
    return _guid_of(started.resource_id)


def _guid_of(identifier: ArmId) -> str:
    """The GUID in which a VM network's id ends; one made of the id for everything else."""
    return identifier.name if identifier.type == ASR_NETWORK else stable_guid(str(identifier))


def _details(started: Started | None, names: JobNames) -> Document:
    mapping = started.subject if started else None
    if not isinstance(mapping, NetworkMapping):
        return {"instanceType": "AsrJobDetails", "affectedObjectDetails": {}}
    affected = {
        "primaryNetworkId": _guid_of(mapping.primary_network_id),
        "primaryNetworkName": names.primary_network,
        "recoveryNetworkId": _guid_of(mapping.recovery_network_id),
        "recoveryNetworkName": names.recovery_network,
        "primaryVmmId": stable_guid(str(mapping.fabric_id)),
        "primaryVmmName": names.primary_fabric,
        "recoveryVmmId": stable_guid(str(mapping.recovery_fabric_id or mapping.vault_id)),
        "recoveryVmmName": names.recovery_fabric,
        "primaryFabricProviderId": names.provider,
        "recoveryFabricProviderId": names.recovery_provider,
    }
    return {"instanceType": "AsrJobDetails", "affectedObjectDetails": affected}


def _whole_seconds(time: str) -> str:
    return f"{time.partition('.')[0].removesuffix('Z')}Z"
