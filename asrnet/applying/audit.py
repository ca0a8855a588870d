"""An audit entry for every write: who wrote what, the state before and after, and the command that undoes it."""

from __future__ import annotations

import json
import shlex

from msgspec import Struct

from asrnet.applying.tasks import Task
from asrnet.errors import ServiceError
from asrnet.model.azure import NetworkMapping, NetworkSubnet, ProtectedItem, ResourceGroup, VirtualNetwork
from asrnet.model.bodies import API_VERSION, mapping_body
from asrnet.model.machine_networks import MachineNetworks, updated
from asrnet.model.machine_update import update_body
from asrnet.model.plan import Content, Step

_NETWORK_API = "2025-01-01"


class AuditEntry(Struct, frozen=True, kw_only=True):
    """A write that was sent: when (``time``, seconds since 1970), by whom, and the state before and after.

    ``change`` is the id of the plan's change. ``job_id`` is the Site Recovery job's name, ``correlation_id`` the id of
    the request in Azure's activity log. ``undo`` is a command, or empty; ``run`` is the id of the run, if it has one.
    """

    time: float
    identity: str
    action: str
    change: str
    pair: str | None
    resource_id: str
    before: Content | None
    after: Content | None
    outcome: str
    error: str | None
    job_id: str
    correlation_id: str
    undo: str
    run: str = ""


def audit_entry(task: Task, problem: str | None, identity: str) -> AuditEntry:
    """The entry of a task that was sent. ``problem`` is what reading back has shown."""
    error = problem or (str(task.error) if task.error else None)
    refused_request_id = task.error.request_id if isinstance(task.error, ServiceError) else ""
    return AuditEntry(
        time=round(task.accepted or task.sent, 3),
        identity=identity,
        action=task.step.action,
        change=task.change.id,
        pair=task.change.pair,
        resource_id=str(task.step.resource_id),
        before=task.step.before,
        after=task.step.after,
        outcome="in_flight" if not task.settled else "failed" if error else "succeeded",
        error=error,
        job_id=task.operation.id if task.operation else "",
        correlation_id=task.operation.correlation_id if task.operation else refused_request_id,
        undo=undo_command(task.step, task.machine),
    )


def undo_command(step: Step, machine: ProtectedItem | None = None) -> str:
    """The az command that undoes a step. az completes a URL without a host with the host of its own cloud.

    ``machine`` is the machine that the step updates, as it was before: all its settings are set again.
    """
    url = f"{step.resource_id}?api-version="
    if isinstance(step.before, MachineNetworks) and isinstance(step.after, MachineNetworks):
        if machine is None:
            return ""
        # The undo starts from the updated state, so that it also releases an address that the update set.
        body = json.dumps(update_body(updated(updated(machine, step.after), step.before)))
        return shlex.join(["az", "rest", "--method", "patch", "--url", url + API_VERSION, "--body", body])
    if isinstance(step.after, ResourceGroup):
        return ""  # deleting a group would also delete whatever has been created in it since
    if step.before is None:
        api = _NETWORK_API if isinstance(step.after, (VirtualNetwork, NetworkSubnet)) else API_VERSION
        return shlex.join(["az", "rest", "--method", "delete", "--url", url + api])
    if isinstance(step.before, NetworkMapping):
        # An updated mapping still exists; a deleted one has to be created again.
        method = "patch" if step.after else "put"
        body = json.dumps(mapping_body(step.before))
        return shlex.join(["az", "rest", "--method", method, "--url", url + API_VERSION, "--body", body])
    return ""
