"""Waiting, one lane for each vault (and each subscription in which networks are made).

Site Recovery says ``Retry-After: 30`` for operations of two to three seconds. The id in an operation's URL is the name
of a job, so one list of the vault's recent jobs tells of all of them at once; it costs the same however many wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from asrnet.applying.tasks import Task
from asrnet.errors import AsrError, OperationFailedError
from asrnet.model.arm import ArmId
from asrnet.model.azure import Job, NetworkMapping
from asrnet.ports import Operation

TICKS: Final = (1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 5.0)
"""Seconds between looks at the jobs of a vault since its latest submission; the last one repeats."""

CLOCK_SKEW: Final = 300.0
"""Seconds by which this machine's clock may run ahead of the service's."""

_SUCCEEDED: Final = {"succeeded", "completedwithinformation"}
_ENDED: Final = {"failed", "cancelled", "canceled", "partiallysucceeded", *_SUCCEEDED}


class Lane(Struct, kw_only=True, eq=False):
    """What is queued, being sent and pending in one vault. ``at_once`` falls to one when the vault is busy.

    ``queue`` holds what starts the next request; ``waiting`` counts tasks that cannot start before others end.
    """

    vault: ArmId | None
    most: int
    at_once: int
    queue: deque[Callable[[], None]]
    pending: list[Task] = []
    sending: int = 0
    looking: int = 0
    waiting: int = 0
    next_look: float = 0.0
    looks: int = 0
    jobs_allowed: bool = True

    def has_room(self, share: int) -> bool:
        """Whether another request may be sent, where no lane may have more than ``share`` under way."""
        return bool(self.queue) and self.sending < min(self.at_once, share)

    def accepted(self, task: Task, operation: Operation, now: float) -> None:
        """A write was accepted: look for it, from now on at short intervals again; and adapt to how busy it was.

        While others wait for what is pending already, a look that is due soon is not put off by every new write.
        """
        self.at_once = 1 if operation.busy else min(self.most, self.at_once + 1)
        self.pending.append(task)
        self.looks = 0
        soon = now + TICKS[0]
        self.next_look = min(self.next_look, soon) if self.waiting and len(self.pending) > 1 else soon

    def looked(self, now: float) -> None:
        """A look is over; the next one comes a little later."""
        self.looks += 1
        self.next_look = now + TICKS[min(self.looks, len(TICKS) - 1)]

    @property
    def may_look(self) -> bool:
        """Whether a look makes sense: not while writes are going out, unless something waits for those pending."""
        going_out = self.sending or self.queue
        return bool(self.pending) and not self.looking and bool(self.waiting or not going_out or self.vault is None)

    def asks_directly(self, task: Task) -> bool:
        """Whether a task's operation is asked itself: networks have no jobs, and VMM's also touch machines' NICs."""
        mapping = task.step.after or task.step.before
        vmm = isinstance(mapping, NetworkMapping) and mapping.kind != "azure_to_azure"
        return task.direct or vmm or not self.jobs_allowed or self.vault is None


def judge(task: Task, jobs: Mapping[str, Job]) -> str:
    """What the list of jobs says of a task: ``done``, ``failed``, ``running`` or ``unlisted``."""
    job = jobs.get(task.operation.id.lower()) if task.operation else None
    if job is None:
        task.unlisted += 1
        return "unlisted"
    state = job.state.lower()
    if state not in _ENDED:
        return "running"
    return "done" if state in _SUCCEEDED else "failed"


def job_error(task: Task, jobs: Mapping[str, Job]) -> AsrError:
    """The error of a failed job, as far as the list tells."""
    name = task.operation.id.lower() if task.operation else ""
    texts = jobs[name].errors if name in jobs else ()
    return OperationFailedError(
        "; ".join(texts) or f"the job {name} failed",
        resource_id=task.step.resource_id,
        hint=f"see the job {name} of the vault in the portal",
    )
