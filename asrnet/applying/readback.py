"""Reading back: a write counts as succeeded only once it was seen in Azure.

One list of the vault, or a GET for each mapping when that is less; what a list does not confirm is asked for by id,
since lists may lag.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from asrnet.applying.looks import description, is_same, network_differences
from asrnet.applying.tasks import Task
from asrnet.clocks import Bounded
from asrnet.errors import AsrError, VaultUnusedError
from asrnet.model.arm import VAULT, ArmId
from asrnet.model.azure import (
    Fabric,
    LiveMapping,
    NetworkMapping,
    NetworkSubnet,
    ResourceGroup,
    UnreadableMapping,
    VirtualNetwork,
)
from asrnet.ports import Backend

_MAPPINGS_A_PAGE: Final = 100
"""What a page of the vault's list is taken to hold, when weighing a list against single GETs."""

_MISSING: Final = "was reported done, but is not there"


def unconfirmed(
    tasks: Sequence[Task], existing: Mapping[ArmId, int], backend: Backend, at_once: int
) -> dict[Task, str]:
    """The ``tasks`` reported done whose effect cannot be seen, and what is seen instead.

    ``existing`` counts the mappings that each vault had when the plan was made.
    """
    reads = Bounded(backend.clock, at_once)
    last_of_resource = {task.step.resource_id: task for task in tasks if task.state == "done"}
    networks: list[Task] = []
    mappings: dict[ArmId, list[Task]] = defaultdict(list)
    fabrics: dict[ArmId, list[Task]] = defaultdict(list)
    for resource_id, task in last_of_resource.items():
        vault = resource_id.within(VAULT)
        if vault:
            (fabrics if task.change.kind == "fabric" else mappings)[vault].append(task)
        else:
            networks.append(task)
    problems = _unconfirmed_networks(networks, backend, reads)
    for vault, members in mappings.items():
        problems |= _unconfirmed_mappings(vault, members, backend, reads, existing.get(vault, 0))
    for vault, members in fabrics.items():
        problems |= _unconfirmed_fabrics(vault, members, backend, reads)
    return problems


def _unconfirmed_mappings(
    vault: ArmId, tasks: Sequence[Task], backend: Backend, reads: Bounded, existing: int
) -> dict[Task, str]:
    doubtful = list(tasks)
    if len(tasks) > 1 and len(tasks) * _MAPPINGS_A_PAGE >= existing:

        def listed() -> tuple[LiveMapping, ...]:
            try:
                return tuple(backend.mappings.mappings(vault))
            except VaultUnusedError:
                return ()

        mappings = reads.answer(reads.start(listed))
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
        return f"was reported deleted, but is still there, to {mapping.recovery_network_id.name}"
    if mapping is None:
        return _MISSING
    if not isinstance(after, NetworkMapping):
        return ""
    # The name alone says nothing: somebody else may have made a mapping of that name.
    if mapping.primary_network_id != after.primary_network_id:
        return f"was reported done, but is the mapping of {mapping.primary_network_id}"
    if not is_same(mapping, after):
        return f"was reported done, but {description(mapping)}"
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
    return [f"{network.name} has what was not sent, perhaps by policy: {', '.join(additions)}"] if additions else []
