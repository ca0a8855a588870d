"""Reading back: a write counts as succeeded only once Azure shows its effect.

Mappings are read by one list of the vault, or by one GET each if that takes fewer requests. What a list does not
confirm is read by id, because lists may lag. Machines are read for a while: updates have been reported as done long
before they showed, and as done although they never showed (azure-powershell issue 17795).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from asrnet.applying.audit import undo_command
from asrnet.applying.looks import description, is_same, machine_description, network_differences, whole_list
from asrnet.applying.tasks import Task
from asrnet.clocks import Bounded
from asrnet.errors import AsrError, OperationFailedError
from asrnet.model.arm import VAULT, ArmId
from asrnet.model.azure import (
    Fabric,
    LiveMapping,
    NetworkMapping,
    NetworkSubnet,
    ProtectedItem,
    ResourceGroup,
    UnreadableMapping,
    VirtualNetwork,
)
from asrnet.model.machine_networks import MachineNetworks, are_same, networks_of, updated
from asrnet.model.machine_update import updatable_document
from asrnet.ports import Backend

_MAPPINGS_A_PAGE: Final = 100
"""The assumed page size of the vault's list, for the choice between a list and single GETs."""

_MISSING: Final = "was reported done, but is not there"

PATIENCE: Final = 90.0
"""Seconds for which a machine is read until it shows its update. A script shared by users reads for 80 s."""

_PAUSES: Final = (2.0, 3.0, 5.0, 10.0)
"""Seconds between reads of machines that do not show their update yet; the last one repeats."""

_FEW_MACHINES: Final = 3
"""Up to this many machines are read one by one; more are read by the list of the vault."""

_DIFFERENCES_NAMED: Final = 3


def unconfirmed(
    tasks: Sequence[Task], existing: Mapping[ArmId, int], backend: Backend, at_once: int
) -> dict[Task, str]:
    """The ``tasks`` that were reported as done but whose effect does not show, each with what Azure shows instead.

    ``existing`` is the number of mappings that each vault had when the plan was made.
    """
    reads = Bounded(backend.clock, at_once)
    last_of_resource = {task.step.resource_id: task for task in tasks if task.state == "done"}
    networks: list[Task] = []
    mappings: dict[ArmId, list[Task]] = defaultdict(list)
    fabrics: dict[ArmId, list[Task]] = defaultdict(list)
    machines: dict[ArmId, list[Task]] = defaultdict(list)
    for resource_id, task in last_of_resource.items():
        vault = resource_id.within(VAULT)
        if vault and task.change.kind == "protected_item":
            if not task.is_seen:
                machines[vault].append(task)
        elif vault:
            (fabrics if task.change.kind == "fabric" else mappings)[vault].append(task)
        else:
            networks.append(task)
    problems = _unconfirmed_networks(networks, backend, reads)
    for vault, members in mappings.items():
        problems |= _unconfirmed_mappings(vault, members, backend, reads, existing.get(vault, 0))
    for vault, members in fabrics.items():
        problems |= _unconfirmed_fabrics(vault, members, backend, reads)
    deadline = backend.clock.now() + PATIENCE
    for vault, members in machines.items():
        problems |= _unconfirmed_machines(vault, members, backend, reads, deadline)
    return problems


def _unconfirmed_mappings(
    vault: ArmId, tasks: Sequence[Task], backend: Backend, reads: Bounded, existing: int
) -> dict[Task, str]:
    doubtful = list(tasks)
    # One list instead of a GET for each, unless its pages would outnumber them. Lists may lag, so a mapping that the
    # list does not show as written is read by its id.
    if len(tasks) > 1 and len(tasks) * _MAPPINGS_A_PAGE >= existing:
        mappings = reads.answer(reads.start(partial(whole_list, backend.mappings.mappings, vault)))
        if isinstance(mappings, AsrError):
            return dict.fromkeys(tasks, f"could not be read back: {mappings}")
        mapping_by_id: dict[ArmId, LiveMapping] = {mapping.id: mapping for mapping in mappings}
        doubtful = [task for task in tasks if _problem(task, mapping_by_id.get(task.step.resource_id))]
    futures = [(task, reads.start(partial(backend.mappings.mapping, task.step.resource_id))) for task in doubtful]
    problems: dict[Task, str] = {}
    for task, future in futures:
        mapping = reads.answer(future)
        problem = f"could not be read back: {mapping}" if isinstance(mapping, AsrError) else _problem(task, mapping)
        if problem:
            problems[task] = problem
    return problems


def _problem(task: Task, mapping: LiveMapping | None) -> str:
    """How a mapping differs from what was written."""
    before, after = task.step.before, task.step.after
    if isinstance(mapping, UnreadableMapping):
        return f"is there, and {mapping.problem}"
    if after is None:
        if mapping is None:
            return ""
        return f"was reported deleted, but still exists and leads to {mapping.recovery_network_id.name}"
    if mapping is None:
        return _MISSING
    if not isinstance(after, NetworkMapping):
        return ""
    # The name alone proves nothing, because somebody else may have created a mapping of that name.
    if mapping.primary_network_id != after.primary_network_id:
        return f"was reported done, but is the mapping of {mapping.primary_network_id}"
    if not is_same(mapping, after):
        return f"was reported done, but {description(mapping)}"
    # The state matters only if the write was meant to repair it: only Paired is recorded, and the other states are not
    # documented.
    is_repair = isinstance(before, NetworkMapping) and before.state != after.state
    if is_repair and mapping.state.lower() != after.state.lower():
        return f"was reported done, but is in state {mapping.state}"
    return ""


def _unconfirmed_fabrics(vault: ArmId, tasks: Sequence[Task], backend: Backend, reads: Bounded) -> dict[Task, str]:
    fabrics = reads.answer(reads.start(lambda: tuple(backend.mappings.fabrics(vault))))
    if isinstance(fabrics, AsrError):
        return dict.fromkeys(tasks, f"could not be read back: {fabrics}")
    locations = {fabric.location for fabric in fabrics if fabric.kind == "azure"}
    return {
        task: _MISSING
        for task in tasks
        if isinstance(task.step.after, Fabric) and task.step.after.location not in locations
    }


def _unconfirmed_networks(tasks: Sequence[Task], backend: Backend, reads: Bounded) -> dict[Task, str]:
    problems: dict[Task, str] = {}
    groups = [task for task in tasks if isinstance(task.step.after, ResourceGroup)]
    group_futures = [
        (task, reads.start(partial(backend.networks.resource_group, task.step.resource_id))) for task in groups
    ]
    futures = []
    for task in [task for task in tasks if task not in groups]:
        after = task.step.after
        network_id = after.network_id if isinstance(after, NetworkSubnet) else task.step.resource_id
        futures.append((task, reads.start(partial(backend.networks.virtual_network, network_id))))
    for task, group_future in group_futures:
        group = reads.answer(group_future)
        if isinstance(group, AsrError):
            problems[task] = f"could not be read back: {group}"
        elif group is None:
            problems[task] = _MISSING
    for task, future in futures:
        network, sent = reads.answer(future), task.step.after
        if isinstance(network, AsrError):
            problems[task] = f"could not be read back: {network}"
        elif network is None:
            problems[task] = _MISSING
        elif isinstance(sent, VirtualNetwork):
            differences = network_differences(sent, network)
            if differences:
                problems[task] = f"was reported done, but its {' and '.join(differences)} are not what was sent"
            task.warnings += _additions(sent, network)
        elif isinstance(sent, NetworkSubnet):
            prefixes = {subnet.name.lower(): set(subnet.prefixes) for subnet in network.subnets}
            if sent.name.lower() not in prefixes:
                problems[task] = _MISSING
            elif prefixes[sent.name.lower()] != set(sent.subnet.prefixes):
                problems[task] = "was reported done, but its addresses are not what was sent"
    return problems


def _additions(sent: VirtualNetwork, network: VirtualNetwork) -> list[str]:
    """What a network has that was not sent: an organisation's policies add tags and DDoS plans."""
    tags = sorted(network.tags.keys() - sent.tags.keys())
    additions = [f"tag {tag}" for tag in tags]
    additions += [attachment for attachment in network.attachments if attachment not in sent.attachments]
    return [f"{network.name} has more than was sent, perhaps by policy: {', '.join(additions)}"] if additions else []


def watched_machine(task: Task, backend: Backend) -> ProtectedItem | None:
    """Runs in a worker. Wait until the machine shows its update or time is up, and return it; None if it is gone."""
    deadline = backend.clock.now() + PATIENCE
    for attempt in itertools.count():
        machine = backend.mappings.protected_item(task.step.resource_id)
        if machine is None or not machine_problem(task, machine) or backend.clock.now() >= deadline:
            return machine
        backend.clock.sleep(_PAUSES[min(attempt, len(_PAUSES) - 1)])
    raise AssertionError


def machine_problem(task: Task, machine: ProtectedItem | None) -> OperationFailedError | None:
    """How a machine differs from the expected result of its update; None if it does not."""
    before, after, item_id = task.step.before, task.step.after, task.step.resource_id
    vault = item_id.within(VAULT)
    replicated_items = f"vault {vault.name if vault else ''} > Replicated items"
    if machine is None:
        return OperationFailedError(
            "accepted, but the machine is gone now",
            resource_id=item_id,
            hint=f"look for it in the portal: {replicated_items}; somebody may have disabled its replication",
        )
    if task.machine is None or not isinstance(after, MachineNetworks):
        return None
    networks = networks_of(machine, recovery=after.recovery_network_id, test=after.test_network_id)
    if not are_same(networks, after):
        unchanged = isinstance(before, MachineNetworks) and are_same(networks, before)
        return OperationFailedError(
            f"accepted, but not done: Azure reports no error, and after {PATIENCE:.0f} s it "
            f"{'still ' if unchanged else ''}{machine_description(networks)}",
            resource_id=item_id,
            hint="plan again in some minutes, because updates may show late; if this one does not, select the networks "
            f"in the portal: {replicated_items} > the machine > Network > Edit",
        )
    expected, actual = updatable_document(updated(task.machine, after)), updatable_document(machine)
    changed = [name for name in sorted({*expected, *actual}) if expected.get(name) != actual.get(name)]
    if not changed:
        return None
    named = [
        f"{name} ({expected.get(name, 'not set')} became {actual.get(name, 'not set')})"
        for name in changed[:_DIFFERENCES_NAMED]
    ]
    more = [f"and {len(changed) - _DIFFERENCES_NAMED} more"] if len(changed) > _DIFFERENCES_NAMED else []
    return OperationFailedError(
        f"updated, but Azure changed more than was requested: {', '.join(named + more)}",
        resource_id=item_id,
        hint=f"this restores the machine: {undo_command(task.step, task.machine)}",
    )


def _unconfirmed_machines(
    vault: ArmId, tasks: Sequence[Task], backend: Backend, reads: Bounded, deadline: float
) -> dict[Task, str]:
    """The updates of machines that do not show by the ``deadline``, read by lists of the vault or by id."""
    doubtful = list(tasks)
    for attempt in itertools.count():
        is_last = backend.clock.now() >= deadline
        machine_by_id: dict[ArmId, ProtectedItem | AsrError | None] = {}
        if len(doubtful) > _FEW_MACHINES and not is_last:
            listed = reads.answer(reads.start(lambda: tuple(backend.mappings.protected_items(vault))))
            if isinstance(listed, AsrError):
                for task in doubtful:
                    task.hint = listed.hint
                return dict.fromkeys(doubtful, f"could not be read back: {listed}")
            machine_by_id |= {machine.id: machine for machine in listed}
        else:
            # Lists may lag, a GET by id does not. So a few machines are read by id, and in the last round all of them
            # are.
            futures = [
                (task.step.resource_id, reads.start(partial(backend.mappings.protected_item, task.step.resource_id)))
                for task in doubtful
            ]
            for resource_id, future in futures:
                answer = reads.answer(future)
                machine_by_id[resource_id] = answer
        problems: dict[Task, str] = {}
        for task in doubtful:
            machine = machine_by_id.get(task.step.resource_id)
            problem = machine if isinstance(machine, AsrError) else machine_problem(task, machine)
            task.hint = problem.hint if problem else ""
            if problem:
                problems[task] = f"could not be read back: {problem}" if problem is machine else str(problem)
        doubtful = list(problems)
        if not doubtful or is_last:
            return problems
        backend.clock.sleep(min(_PAUSES[min(attempt, len(_PAUSES) - 1)], max(deadline - backend.clock.now(), 0.0)))
    raise AssertionError
