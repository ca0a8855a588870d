"""The steps of a plan as tasks, and which of them wait for each other or succeed and fail together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct, structs

from asrnet.errors import AsrError
from asrnet.inventory.activity import changes_live_mapping, networks_of
from asrnet.model.arm import VAULT, ArmId
from asrnet.model.azure import NetworkMapping, ProtectedItem
from asrnet.model.plan import Change, Step
from asrnet.ports import Operation

State = Literal["waiting", "queued", "sending", "pending", "done", "failed", "skipped"]

_RANK: Final = {"delete": 0, "update": 1, "create": 2}


class Task(Struct, kw_only=True, eq=False):
    """One write and its progress. Times are the clock's, in seconds; zero means not yet.

    ``started`` is when its turn came, ``sent`` when the request last left, ``accepted`` when it was answered, ``ended``
    when its outcome was known. ``undoes`` is the earlier write that this one undoes.
    """

    change: Change
    step: Step
    state: State = "waiting"
    operation: Operation | None = None
    error: AsrError | None = None
    started: float = 0.0
    sent: float = 0.0
    accepted: float = 0.0
    ended: float = 0.0
    undoes: Task | None = None

    by_put: bool = False
    patch_error: AsrError | None = None
    """Whether an update is sent as a PUT because its PATCH did not change the mapping, and the error of that PATCH."""

    job_error: AsrError | None = None
    """The job list's error for a failed job, until its operation has been read for more."""

    already_done: bool = False
    """Azure already had the result before it was sent, or sent again: somebody else may have done it."""

    uncertain: bool = False
    """It failed, and the mapping could not be read again, so it is not known whether Azure did it."""

    missing_from_jobs: int = 0
    """How often the job list did not contain its job."""

    ask_operation: bool = False
    """Its operation is read, because the job list does not contain its job."""

    denied_reads: int = 0
    denial: str = ""
    """How often reading the operation was refused for a missing permission, and the message of the last refusal."""

    machine: ProtectedItem | None = None
    """The machine as it was right before its update was sent."""

    is_seen: bool = False
    """The update of the machine was seen in Azure, so that it need not be read back."""

    not_begun: str = ""
    """Why it was left alone, if a safeguard of the run decided so."""

    hint: str = ""
    """What to do if it was not started, or about what reading back has shown."""

    warnings: list[str] = []
    """Warnings about a write that succeeded."""

    @property
    def rank(self) -> int:
        """Deletes go before updates, updates before creates."""
        return _RANK[self.step.action]

    @property
    def settled(self) -> bool:
        """Whether its outcome is final."""
        return self.state in {"done", "failed", "skipped"}

    @property
    def removes_something(self) -> bool:
        """Whether it updates or deletes a mapping, so that a failure may leave a pair worse off than before."""
        return self.step.action != "create"


class Group(Struct, kw_only=True, eq=False):
    """Changes that set or remove the mapping of the same network. They are given up together and undone together.

    ``failure`` is why the group was given up: because Azure had changed (``stale``), or by a safeguard (``refused``).
    """

    tasks: list[Task]
    needs: frozenset[str] = frozenset()
    """The networks and fabrics that must exist before the group removes anything, so that it does not stop half-way."""

    checked: bool = False
    """Everything that it updates or deletes was read again and is as the plan saw it."""

    unanswered: int = 0
    """The number of those reads that have not been answered."""

    failure: str = ""
    stale: bool = False
    refused: bool = False
    undone: bool = False


class Component(Struct, kw_only=True, eq=False):
    """Changes of one vault that share networks and remove mappings: all deletes, all updates, then all creates.

    Two pairs that swap their targets need this order, because each deletes the reverse mapping that the other one
    creates.
    """

    tasks: list[Task]
    unsettled: Counter[int]

    def may_start(self, task: Task) -> bool:
        """Whether everything of a lower rank is settled."""
        return not any(self.unsettled[rank] for rank in range(task.rank))


class Trial(Struct, kw_only=True, eq=False):
    """The machines of one vault. ``first`` is updated alone; the others follow once its whole document was compared.

    No recording shows what a PATCH does to settings that it omits or that should not change.
    """

    tasks: list[Task]
    first: Task | None = None
    passed: bool = False
    failed: bool = False


def tasks_of(changes: Iterable[Change]) -> list[Task]:
    """A task for every step of every change."""
    return [Task(change=change, step=step) for change in changes for step in change.steps]


def groups_of(tasks: Sequence[Task]) -> dict[str, Group]:
    """The group of each change of a mapping, by the change's id."""
    changes, tasks_by_change = _mapping_changes(tasks)
    groups: dict[str, Group] = {}

    def mapped_networks(change: Change) -> list[Hashable]:
        mappings = [step.after or step.before for step in change.steps]
        return [
            (mapping.fabric_id, mapping.primary_network_id)
            for mapping in mappings
            if isinstance(mapping, NetworkMapping)
        ]

    for members in _connected(changes, mapped_networks):
        group = Group(tasks=[task for change in members for task in tasks_by_change[change.id]])
        group.checked = not any(changes_live_mapping(change) for change in members)
        if not group.checked:
            group.needs = frozenset(
                need for change in members for need in change.depends_on if need not in tasks_by_change
            )
        groups |= dict.fromkeys((change.id for change in members), group)
    return groups


def components_of(tasks: Sequence[Task]) -> dict[str, Component]:
    """The component of each change that must keep an order, by the change's id."""
    changes, tasks_by_change = _mapping_changes(tasks)
    components: dict[str, Component] = {}
    for members in _connected(changes, lambda change: [(change.vault, network) for network in networks_of(change)]):
        if any(changes_live_mapping(change) for change in members):
            component = component_of([task for change in members for task in tasks_by_change[change.id]])
            components |= dict.fromkeys((change.id for change in members), component)
    return components


def trials_of(tasks: Sequence[Task]) -> dict[ArmId, Trial]:
    """The trial of each vault that has machines to update."""
    trials: dict[ArmId, Trial] = {}
    for task in tasks:
        vault = task.step.resource_id.within(VAULT)
        if task.change.kind == "protected_item" and vault:
            trials.setdefault(vault, Trial(tasks=[])).tasks.append(task)
    return trials


def component_of(tasks: list[Task]) -> Component:
    """A component of unsettled ``tasks``."""
    return Component(tasks=tasks, unsettled=Counter(task.rank for task in tasks))


def undo_of(task: Task) -> Task:
    """The task that undoes another one: an update restores the old values, a create restores the deleted mapping."""
    change = structs.replace(task.change, id=f"{task.change.id}:undo:{task.step.action}", depends_on=())
    step = Step(
        action="update" if task.step.after else "create",
        resource_id=task.step.resource_id,
        before=task.step.after,
        after=task.step.before,
    )
    return Task(change=change, step=step, undoes=task)


def _mapping_changes(tasks: Iterable[Task]) -> tuple[list[Change], dict[str, list[Task]]]:
    """The changes of mappings among ``tasks``, and their tasks by the change's id."""
    changes: dict[str, Change] = {}
    tasks_by_change: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        if task.change.kind == "network_mapping":
            changes[task.change.id] = task.change
            tasks_by_change[task.change.id].append(task)
    return list(changes.values()), tasks_by_change


def _connected(changes: Sequence[Change], keys: Callable[[Change], Iterable[Hashable]]) -> list[list[Change]]:
    """The changes in sets that share a key, directly or through others: union-find."""
    parent = list(range(len(changes)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first_with_key: dict[Hashable, int] = {}
    for index, change in enumerate(changes):
        for key in keys(change):
            parent[root(index)] = root(first_with_key.setdefault(key, index))
    sets: dict[int, list[Change]] = defaultdict(list)
    for index, change in enumerate(changes):
        sets[root(index)].append(change)
    return list(sets.values())
