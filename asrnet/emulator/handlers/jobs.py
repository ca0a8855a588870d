"""Jobs, through which Site Recovery shows its operations and their tasks."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.operations import add_results
from asrnet.emulator.messages import Document, GatewayError, Response, json_response
from asrnet.emulator.routing import VAULT, Routes
from asrnet.emulator.spelling import (
    VAULT_TYPE,
    container_name,
    fabric_name,
    fabric_type,
    find_fabric,
    network_name,
    wire_id,
)
from asrnet.fake.jobs import iso_time, seconds_of
from asrnet.fake.operations import Started, stable_guid
from asrnet.fake.world import World
from asrnet.model.arm import ASR_NETWORK, ArmId
from asrnet.model.azure import MICROSOFT_AZURE, Job, NetworkMapping

routes: Final = Routes()

_JOB: Final = f"{VAULT}/replicationJobs/{{job}}"
_ALLOWED_ACTIONS: Final = {"InProgress": ["Cancel"], "Suspended": ["Cancel", "Resume"], "Failed": ["Restart"]}
"""The actions allowed on a job in each state: the first is recorded, the others are assumed."""
_PLAN_TYPE: Final = "microsoft.recoveryservices/vaults/replicationrecoveryplans"
_ITEM_TYPE: Final = (
    "microsoft.recoveryservices/vaults/replicationfabrics/replicationprotectioncontainers/replicationprotecteditems"
)
_TASK_NEVER: Final = "0001-01-01T00:00:00"
# The first is recorded, the second documented for manual actions. An open test failover has a description of its own.
_DESCRIPTIONS: Final = {"Succeeded": "Completed", "Suspended": "WaitingForManualAction"}
_FILTERS: Final = frozenset(
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


class Task(Struct, frozen=True):
    """A step of a job with its internal and its friendly name. A ``group`` contains steps of its own."""

    name: str
    friendly_name: str
    group: bool = False


class Scenario(Struct, frozen=True):
    """How a job of one kind is named, what it affects, and the steps it consists of."""

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
    # Documented except for the internal names of the tasks: PowerShell prints these two jobs in "Set up disaster
    # recovery for Azure virtual machines using Azure PowerShell" and its counterpart for VMware.
    "TestFailover": Scenario(
        "Test failover",
        "ProtectionEntity",
        (
            Task("TestFailoverPrerequisitesCheckTask", "Prerequisites check for test failover"),
            Task("TestFailoverCreateVmTask", "Create test virtual machine"),
            Task("TestFailoverPrepareVmTask", "Preparing the virtual machine"),
            Task("TestFailoverStartVmTask", "Start the virtual machine"),
        ),
    ),
    "AddProtectionProfile": Scenario(
        "Create replication policy",
        "ProtectionProfile",
        (
            Task(
                "AddProtectionProfilePrerequisitesCheckTask", "Prerequisites check for creating the replication policy"
            ),
            Task("AddProtectionProfileTask", "Creating the replication policy"),
        ),
    ),
}


# Friendly names, and the kind of object that a job affects. Specified for policies and plans, documented for test
# failovers and updates of machines, assumed for the others.
_NAMES: Final = {
    "AddProtectionProfile": ("Create replication policy", "ProtectionProfile"),
    "UpdateVmProperties": ("Update the virtual machine", "ProtectionEntity"),
    "UpdateProtectionProfile": ("Update replication policy", "ProtectionProfile"),
    "DeleteProtectionProfile": ("Delete replication policy", "ProtectionProfile"),
    "CreateRecoveryPlan": ("Create a recovery plan", "RecoveryPlan"),
    "UpdateRecoveryPlan": ("Update a recovery plan", "RecoveryPlan"),
    "DeleteRecoveryPlan": ("Delete a recovery plan", "RecoveryPlan"),
    "EnableDr": ("Enable replication", "ProtectionEntity"),
    "DisableDr": ("Disable replication", "ProtectionEntity"),
    "TestFailover": ("Test failover", "ProtectionEntity"),
    "TestFailoverCleanup": ("Test failover cleanup", "ProtectionEntity"),
    "PlannedFailover": ("Planned failover", "ProtectionEntity"),
    "UnplannedFailover": ("Unplanned failover", "ProtectionEntity"),
    "CommitFailover": ("Commit", "ProtectionEntity"),
    "CancelFailover": ("Cancel failover", "ProtectionEntity"),
    "SwitchProtection": ("Switch protection", "ProtectionEntity"),
    "ReverseReplicate": ("Re-protect", "ProtectionEntity"),
    "ChangePit": ("Change recovery point", "ProtectionEntity"),
}


def moment(text: str) -> float | None:
    """Parse the time of a filter into seconds since 1970; None if it is empty. An invalid time is refused."""
    try:
        return seconds_of(text) if text else None
    except ValueError as error:
        raise GatewayError(400, "BadRequest", f"'{text[:100]}' is not a time in ISO 8601.") from error


def friendly_job_name(scenario: str) -> str:
    """The friendly name of a job."""
    return _NAMES.get(scenario, (scenario, ""))[0]


def state_description(job: Job) -> str:
    """The description of a job's state that is meant for people."""
    return _DESCRIPTIONS.get(job.state, job.state)


def listed_job_json(job: Job, started: Started | None) -> Document:
    """A job as in lists, without tasks, activity and details. ``started`` is the operation that it belongs to."""
    scenario = _scenario(job)
    code = started.error.code if started and started.error else "28020"
    errors = [
        {
            "serviceErrorDetails": {"code": code, "message": message, "possibleCauses": "", "recommendedAction": ""},
            "providerErrorDetails": None,
            "errorLevel": "Error" if job.state == "Failed" else "Warning",
            "creationTime": job.end_time or job.start_time,
            "taskId": None,
        }
        for message in job.errors
    ]
    properties: Document = {
        "activityId": None,
        "scenarioName": job.scenario,
        "friendlyName": scenario.friendly_name,
        "state": job.state,
        "stateDescription": "WaitingForStopTestFailover"  # specified
        if job.state == "Suspended" and job.scenario == "TestFailover" and not _is_of_plan(started)
        else state_description(job),
        "tasks": [],
        "errors": errors,
        "startTime": _short_time(job.start_time),
    }
    # Recorded: the key is absent until the job ends, and the time has no fraction of a second.
    if job.end_time:
        properties["endTime"] = f"{job.end_time.partition('.')[0].removesuffix('Z')}Z"
    target_id = job.target_id or stable_guid(str(job.id), job.target)
    if started is not None and isinstance(started.subject, NetworkMapping):
        # Recorded: the job of a mapping affects the mapping's primary network.
        target_id = _guid_of(started.subject.primary_network_id)
    properties |= {
        "allowedActions": _ALLOWED_ACTIONS.get(job.state, []),
        "targetObjectId": target_id,
        "targetObjectName": job.target,
        "targetInstanceType": "RecoveryPlan" if _is_of_plan(started) else scenario.target_type,
        "customDetails": None,
    }
    return {
        "id": wire_id(job.id),
        "name": job.name,
        "type": f"{VAULT_TYPE}/replicationJobs",
        "properties": properties,
    }


def job_json(world: World, job: Job, started: Started | None, activity_id: str) -> Document:
    """A job in full; ``started`` is its operation, if the world still has it."""
    document = listed_job_json(job, started)
    affected: Document = {}
    if started is not None and isinstance(started.subject, NetworkMapping):
        affected = _affected(world, started.subject)
    elif started is not None and started.resource_id.type == _ITEM_TYPE:
        affected = _affected_machine(world, started.resource_id)
    # The steps of a machine's job are known; those of a recovery plan's job are different and unknown.
    scenario = _assumed_scenario(job) if _is_of_plan(started) else _scenario(job)
    operation = world.state.operations.peek(job.name)
    steps = job
    if job.state == "Suspended" and operation is not None and operation.end_time is not None:
        steps = replace(job, state="Succeeded", end_time=iso_time(operation.end_time))  # an open test failover
    tasks = [_task_json(steps, task, is_first=index == 0) for index, task in enumerate(scenario.tasks)]
    if steps.state == "Suspended":
        tasks.append(_manual_action_json(job, operation.waits_for if operation else job.scenario))
    properties = document["properties"]
    assert isinstance(properties, dict)  # noqa: S101 - for the type checker
    properties |= {
        "activityId": activity_id,
        "tasks": tasks,
        "customDetails": {"instanceType": "AsrJobDetails", "affectedObjectDetails": affected},
    }
    return document


def _is_of_plan(started: Started | None) -> bool:
    return started is not None and started.resource_id.type == _PLAN_TYPE


def _scenario(job: Job) -> Scenario:
    return _SCENARIOS.get(job.scenario) or _assumed_scenario(job)


def _assumed_scenario(job: Job) -> Scenario:
    """A scenario with a single task, named like the task in the specification's example of a job."""
    friendly_name, target_type = _NAMES.get(job.scenario, (job.scenario, "ProtectionEntity"))
    return Scenario(friendly_name, target_type, (Task(f"{job.scenario}Task", f"{friendly_name} task"),))


def _task_json(job: Job, task: Task, *, is_first: bool) -> Document:
    """A task of a job. The first one runs as long as the job; the others start only when the job has succeeded."""
    state, description, runs = job.state, state_description(job), is_first
    if job.end_time and task.group:
        # Recorded with no machine on the network: the second task of a mapping's job is skipped.
        state, description = "Other", "Skipped"
    elif job.state == "Succeeded":
        runs = True
    elif not is_first:
        state, description = "NotStarted", "NotStarted"
    return {
        "taskId": stable_guid(job.name, task.name),
        "name": task.name,
        "startTime": _short_time(job.start_time) if runs else _TASK_NEVER,
        "endTime": _short_time(job.end_time) if runs and job.end_time else _TASK_NEVER,
        "allowedActions": [],
        "friendlyName": task.friendly_name,
        "state": state,
        "stateDescription": description,
        "taskType": "GroupTaskDetails" if task.group else "TaskDetails",
        "customDetails": None if task.group else {"instanceType": "TaskDetails"},
        "groupTaskCustomDetails": {"instanceType": "GroupTaskDetails", "childTasks": []} if task.group else None,
        "errors": [],
    }


def _manual_action_json(job: Job, action: str) -> Document:
    """The task that a suspended job waits for until somebody has done the plan's manual action."""
    return {
        "taskId": stable_guid(job.name, action),
        "name": "ManualActionTask",
        "startTime": _short_time(job.start_time),
        "endTime": _TASK_NEVER,
        "allowedActions": ["Resume"],
        "friendlyName": action,
        "state": "Suspended",
        "stateDescription": "WaitingForManualAction",
        "taskType": "TaskDetails",
        "customDetails": {"instanceType": "ManualActionTaskDetails", "name": action},
        "groupTaskCustomDetails": None,
        "errors": [],
    }


def _short_time(time: str) -> str:
    """A time without trailing zeros, because the times of jobs, unlike those of operations, have no padding."""
    whole, point, digits = time.removesuffix("Z").partition(".")
    digits = digits.rstrip("0")
    return f"{whole}{point if digits else ''}{digits}{'Z' if time.endswith('Z') else ''}"


def _guid_of(identifier: ArmId) -> str:
    """The GUID at the end of a VM network's id, or a generated GUID for any other resource."""
    return identifier.name if identifier.type == ASR_NETWORK else stable_guid(str(identifier))


def _affected(world: World, mapping: NetworkMapping) -> Document:
    lowered = mapping.kind == "azure_to_azure"
    fabric = find_fabric(world, mapping.fabric_id)
    recovery_fabric = MICROSOFT_AZURE
    if mapping.kind != "vmm_to_azure" and mapping.recovery_fabric_id is not None:
        recovery_fabric = fabric_name(world, mapping.recovery_fabric_id)
    return {
        "primaryNetworkId": _guid_of(mapping.primary_network_id),
        "primaryNetworkName": network_name(world, mapping.primary_network_id, lowered=lowered),
        "recoveryNetworkId": _guid_of(mapping.recovery_network_id),
        "recoveryNetworkName": network_name(world, mapping.recovery_network_id, lowered=lowered),
        "primaryVmmId": stable_guid(str(mapping.fabric_id)),
        "primaryVmmName": fabric_name(world, mapping.fabric_id),
        "recoveryVmmId": stable_guid(str(mapping.recovery_fabric_id or mapping.vault_id)),
        "recoveryVmmName": recovery_fabric,
        "primaryFabricProviderId": "VMM" if fabric and fabric.kind == "vmm" else "Azure",
        "recoveryFabricProviderId": "VMM" if mapping.kind == "vmm_to_vmm" else "Azure",
    }


def _affected_machine(world: World, item_id: ArmId) -> Document:
    """The machine that a job affects; empty if the machine is gone or has moved.

    Specified for a Hyper-V machine. The member names follow the recorded jobs of mappings; the specification
    capitalises them.
    """
    item = world.state.protected_items.get(item_id.parent.parent.parent.key, item_id.key)
    if item is None:
        return {}
    recovery, recovery_fabric = world.state.recovery_container(item), item.recovery_fabric_id
    return {
        "primaryCloudId": item_id.parent.name,
        "primaryCloudName": container_name(world, item_id.parent),
        "primaryFabricProviderId": fabric_type(world, find_fabric(world, item.fabric_id)),
        "primaryVmId": item_id.name,
        "primaryVmName": item.friendly_name,
        "primaryVmmId": stable_guid(str(item.fabric_id)),
        "primaryVmmName": fabric_name(world, item.fabric_id),
        "protectionProfileId": stable_guid(str(item.policy_id or "")),
        "recoveryCloudId": recovery.name if recovery else stable_guid(str(item.vault_id), "container"),
        "recoveryCloudName": container_name(world, recovery) if recovery else MICROSOFT_AZURE,
        "recoveryFabricProviderId": "Azure",
        "recoveryVmId": "",
        "recoveryVmName": item.friendly_name,
        "recoveryVmmId": stable_guid(str(recovery_fabric or item.vault_id)),
        "recoveryVmmName": fabric_name(world, recovery_fabric) if recovery_fabric else MICROSOFT_AZURE,
    }


@routes.get(
    f"{VAULT}/replicationJobs",
    "ReplicationJobs_List",
    "recorded",
    "the filter supports startTime, endTime, jobStatus and jobName",
)
def list_jobs(call: Call) -> Response:
    """The jobs of a vault that match the filter, latest first."""
    filters = call.equalities(_FILTERS)
    jobs = call.world.jobs.list(
        call.id("vault"),
        since=moment(filters.get("starttime", "")),
        until=moment(filters.get("endtime", "")),
        state=filters.get("jobstatus") or None,
    )
    name = filters.get("jobname", "").lower()
    named = [job for job in jobs if not name or job.name.lower() == name]
    return call.page(named, lambda job: listed_job_json(job, call.emulation.origin_of(job.name)[0]))


@routes.get(
    _JOB,
    "ReplicationJobs_Get",
    "recorded",
    "Azure to Azure mappings are assumed to have the same scenario as the others",
)
def get_job(call: Call) -> Response:
    """One job with its tasks. The request id of the response is the job's own id."""
    job = call.world.jobs.get(call.id("job"))
    started, activity_id = call.emulation.origin_of(job.name)
    document = job_json(call.world, job, started, activity_id)
    return json_response(document, headers=(("x-ms-request-id", wire_id(job.id)),))


@routes.post(f"{_JOB}/restart", "ReplicationJobs_Restart", "specified")
def restart_job(call: Call) -> Response:
    """Restart a failed job."""
    return call.accepted(call.world.jobs.restart(call.id("job")), call.id("job"))


_ENDS_TEST: Final = "it is assumed that the job of an open Hyper-V test failover ends the test"


def _end_of_test(call: Call) -> Started | None:
    """Start the cleanup of the test failover that this job keeps open; None for any other job."""
    item_id = call.world.jobs.open_test(call.id("job"))
    return call.world.protected_items.test_failover_cleanup(item_id) if item_id else None


@routes.post(f"{_JOB}/resume", "ReplicationJobs_Resume", "specified", _ENDS_TEST)
def resume_job(call: Call) -> Response:
    """Resume a job that waits for a manual action or for the end of a test failover."""
    if started := _end_of_test(call):
        return call.accepted(started, call.id("job"))
    return call.accepted(call.world.jobs.resume(call.id("job")), call.id("job"))


@routes.post(
    f"{_JOB}/cancel",
    "ReplicationJobs_Cancel",
    "specified",
    f"{_ENDS_TEST}, and that this takes as long as an operation",
)
def cancel_job(call: Call) -> Response:
    """Cancel a job, which then has no effect, or end a test failover."""
    if started := _end_of_test(call):
        return call.accepted(started, call.id("job"))
    return call.accepted(call.world.jobs.cancel(call.id("job")), call.id("job"))


add_results(routes, _JOB, get_job)
