"""The steps of a plan as tasks, and which of them must wait for each other or stand and fall together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct, structs

from asrnet.errors import AsrError, OperationFailedError, ServiceError
from asrnet.inventory.activity import networks_of, takes_away
from asrnet.model.azure import NetworkMapping
from asrnet.model.plan import Change, Step
from asrnet.ports import Operation

State = Literal["waiting", "queued", "sending", "pending", "done", "failed", "skipped"]

_RANK: Final = {"delete": 0, "update": 1, "create": 2}


class Task(Struct, kw_only=True, eq=False):
    """One write on its way. Times are the clock's; ``unlisted`` counts the ticks its job was missing from the list.

    ``direct``: its operation is asked itself, because the job list does not tell. ``refusals`` counts how often it was
    not answered for want of a right, ``unheard`` says why it is not asked again. ``undoes``: what this takes back.
    """

    change: Change
    step: Step
    state: State = "waiting"
    operation: Operation | None = None
    error: AsrError | None = None
    started: float = 0.0
    accepted: float = 0.0
    ended: float = 0.0
    unlisted: int = 0
    direct: bool = False
    refusals: int = 0
    unheard: str = ""
    undoes: Task | None = None

    @property
    def rank(self) -> int:
        """Deletes go before updates, updates before creates."""
        return _RANK[self.step.action]

    @property
    def settled(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in {"done", "failed", "skipped"}

    @property
    def refused(self) -> bool:
        """Whether Azure said a definite no, so that the write certainly did not happen."""
        if isinstance(self.error, OperationFailedError):
            return True
        status = self.error.status if isinstance(self.error, ServiceError) else None
        return status is not None and status < 500  # noqa: PLR2004 - from 500 on the service may have done it


class Group(Struct, kw_only=True, eq=False):
    """Changes that set or remove the mapping of the same network: given up together, and put back together.

    ``checked``: what they take away was re-read and is as the plan saw it; ``unread`` counts the reads still out.
    ``needs`` are the networks and fabrics that a group which takes something away waits for before its first write.
    ``failed`` says why the group has been given up, ``refused`` that a safeguard said so.
    """

    tasks: list[Task]
    needs: frozenset[str] = frozenset()
    checked: bool = False
    unread: int = 0
    failed: str = ""
    stale: bool = False
    refused: bool = False
    undone: bool = False


class Component(Struct, kw_only=True, eq=False):
    """Changes of one vault that share networks and take mappings away: all deletes, all updates, then all creates."""

    tasks: list[Task]
    unsettled: Counter[int]

    def may_start(self, task: Task) -> bool:
        """Whether everything of a lower rank is settled."""
        return not any(self.unsettled[rank] for rank in range(task.rank))


def groups_of(tasks: Sequence[Task]) -> dict[str, Group]:
    """The group of each change of a mapping, by the change's id."""
    changes = _mapping_changes(tasks)
    by_change = _by_change(tasks)
    ids = {change.id for change in changes}
    found: dict[str, Group] = {}
    for members in _connected(changes, _set_mappings):
        group = Group(tasks=[task for change in members for task in by_change[change.id]])
        group.checked = not any(takes_away(change) for change in members)
        if not group.checked:
            group.needs = frozenset(need for change in members for need in change.depends_on if need not in ids)
        found |= {change.id: group for change in members}
    return found


def components_of(tasks: Sequence[Task]) -> dict[str, Component]:
    """The component of each change that has to keep an order, by the change's id."""
    by_change = _by_change(tasks)
    found: dict[str, Component] = {}
    for members in _connected(
        _mapping_changes(tasks), lambda change: [(change.vault, one) for one in networks_of(change)]
    ):
        if any(takes_away(change) for change in members):
            own = [task for change in members for task in by_change[change.id]]
            component = Component(tasks=own, unsettled=Counter(task.rank for task in own))
            found |= {change.id: component for change in members}
    return found


def _mapping_changes(tasks: Iterable[Task]) -> list[Change]:
    return list({task.change.id: task.change for task in tasks if task.change.kind == "network_mapping"}.values())


def _by_change(tasks: Iterable[Task]) -> dict[str, list[Task]]:
    found: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        found[task.change.id].append(task)
    return found


def _set_mappings(change: Change) -> list[Hashable]:
    """The primary networks, with their fabrics, whose mapping a change sets or removes."""
    mappings = [step.after or step.before for step in change.steps]
    return [(one.fabric_id, one.primary_network_id) for one in mappings if isinstance(one, NetworkMapping)]


def _connected(changes: Sequence[Change], keys: Callable[[Change], Iterable[Hashable]]) -> list[list[Change]]:
    """The changes in sets that share a key, directly or through others."""
    parent = list(range(len(changes)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[Hashable, int] = {}
    for index, change in enumerate(changes):
        for key in keys(change):
            parent[root(index)] = root(first.setdefault(key, index))
    sets: dict[int, list[Change]] = defaultdict(list)
    for index, change in enumerate(changes):
        sets[root(index)].append(change)
    return list(sets.values())


def tasks_of(changes: Iterable[Change]) -> list[Task]:
    """A task for every step of every change."""
    return [Task(change=change, step=step) for change in changes for step in change.steps]


def undo_of(task: Task) -> Task:
    """The task that takes another one back: an update to what was before, a delete to a create under the old name."""
    change = structs.replace(task.change, id=f"{task.change.id}:undo:{task.step.action}", depends_on=())
    step = Step(
        action="update" if task.step.after else "create",
        resource_id=task.step.resource_id,
        before=task.step.after,
        after=task.step.before,
    )
    return Task(change=change, step=step, undoes=task)
