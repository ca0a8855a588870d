"""Nothing is called succeeded that was not read back.

One list of the vault, or a GET for each mapping when that is less; what a list does not confirm is asked for by id,
since lists may lag.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from asrnet.applying.tasks import Task
from asrnet.clocks import Bounded
from asrnet.errors import AsrError, VaultUnusedError
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, LiveMapping, NetworkMapping, UnreadableMapping
from asrnet.ports import Backend

_MAPPINGS_A_PAGE: Final = 100
"""What a page of the vault's list is taken to hold, when weighing a list against single GETs."""


def unconfirmed(
    vault: ArmId, tasks: Sequence[Task], backend: Backend, reads: Bounded, existing: int
) -> dict[Task, str]:
    """The ``tasks``, all reported done, whose effect cannot be seen, and what is seen instead."""
    last = list({task.step.resource_id: task for task in tasks}.values())
    mappings = [task for task in last if task.change.kind == "network_mapping"]
    found = _unconfirmed_mappings(vault, mappings, backend, reads, existing)
    fabrics = [task for task in last if task.change.kind == "fabric"]
    if fabrics:
        found |= _unconfirmed_fabrics(vault, fabrics, backend, reads)
    return found


def _unconfirmed_mappings(
    vault: ArmId, tasks: Sequence[Task], backend: Backend, reads: Bounded, existing: int
) -> dict[Task, str]:
    doubtful = list(tasks)
    if len(tasks) > 1 and len(tasks) * _MAPPINGS_A_PAGE >= existing:
        listed = reads.answer(reads.start(partial(_mappings, backend, vault)))
        if isinstance(listed, AsrError):
            return dict.fromkeys(tasks, f"could not be read back: {listed}")
        there: dict[ArmId, LiveMapping] = {mapping.id: mapping for mapping in listed}
        doubtful = [task for task in tasks if _difference(task, there.get(task.step.resource_id))]
    asked = [(task, reads.start(partial(backend.mappings.mapping, task.step.resource_id))) for task in doubtful]
    problems = {}
    for task, future in asked:
        answer = reads.answer(future)
        problems[task] = _difference(task, answer)
    return {task: problem for task, problem in problems.items() if problem}


def _mappings(backend: Backend, vault: ArmId) -> tuple[LiveMapping, ...]:
    try:
        return tuple(backend.mappings.mappings(vault))
    except VaultUnusedError:
        return ()


def _difference(task: Task, seen: LiveMapping | AsrError | None) -> str:
    wanted = task.step.after
    if isinstance(seen, AsrError):
        return f"could not be read back: {seen}"
    if isinstance(seen, UnreadableMapping):
        return f"is there, and {seen.problem}"
    if wanted is None:
        return f"was reported deleted, but is still there, to {seen.recovery_network_id.name}" if seen else ""
    if seen is None:
        return "was reported done, but is not there"
    return _mismatch(task, wanted, seen) if isinstance(wanted, NetworkMapping) else ""


def _mismatch(task: Task, wanted: NetworkMapping, seen: NetworkMapping) -> str:
    """What of a mapping is not as wanted. Its name alone says nothing: somebody else may have made it."""
    if seen.primary_network_id != wanted.primary_network_id:
        return f"was reported done, but is the mapping of {seen.primary_network_id}"
    if seen.recovery_network_id != wanted.recovery_network_id:
        return f"was reported done, but points at {seen.recovery_network_id}"
    before = task.step.before
    repaired = isinstance(before, NetworkMapping) and before.state != wanted.state
    if repaired and seen.state.lower() != wanted.state.lower():
        return f"was reported done, but is in state {seen.state}"
    return ""


def _unconfirmed_fabrics(vault: ArmId, tasks: Sequence[Task], backend: Backend, reads: Bounded) -> dict[Task, str]:
    listed = reads.answer(reads.start(lambda: tuple(backend.mappings.fabrics(vault))))
    if isinstance(listed, AsrError):
        return dict.fromkeys(tasks, f"could not be read back: {listed}")
    places = {fabric.location for fabric in listed if fabric.kind == "azure"}
    wanted = [(task, task.step.after) for task in tasks]
    return {
        task: "was reported done, but is not there"
        for task, fabric in wanted
        if isinstance(fabric, Fabric) and fabric.location not in places
    }


def unconfirmed_networks(tasks: Sequence[Task], backend: Backend, reads: Bounded) -> dict[Task, str]:
    """The created networks among ``tasks`` that a GET does not show."""
    asked = [(task, reads.start(partial(backend.networks.virtual_network, task.step.resource_id))) for task in tasks]
    problems = {}
    for task, future in asked:
        answer = reads.answer(future)
        if isinstance(answer, AsrError):
            problems[task] = f"could not be read back: {answer}"
        elif answer is None:
            problems[task] = "was reported done, but is not there"
    return problems
