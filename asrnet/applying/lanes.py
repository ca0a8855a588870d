"""Waiting for accepted writes, with one lane for each vault (and each subscription in which networks are created).

Site Recovery sends ``Retry-After: 30`` for operations that take two to three seconds. The id in an operation's URL is
the name of a job, so one list of the vault's recent jobs has the state of all operations, however many are pending.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from asrnet.applying.tasks import Task
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping
from asrnet.ports import Operation

TICKS: Final = (1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 5.0)
"""Seconds between reads of a vault's jobs since its latest submission; the last one repeats."""

CLOCK_SKEW: Final = 300.0
"""Seconds by which this machine's clock may be ahead of the service's."""


class Lane(Struct, kw_only=True, eq=False):
    """What is queued, being sent and pending in one vault; ``vault`` is None for a lane of networks.

    ``queue`` holds calls that each send the next request. ``limit`` is the number of requests in flight: it falls to
    one when the vault is busy and grows back to ``most``. ``waiting`` counts tasks that cannot start before others end.
    """

    vault: ArmId | None
    most: int
    limit: int
    queue: deque[Callable[[], None]]
    pending: list[Task] = []
    sending: int = 0
    reading: int = 0
    waiting: int = 0
    next_read: float = 0.0
    ticks: int = 0
    jobs_allowed: bool = True

    def has_room(self, share: int) -> bool:
        """Whether another request may be sent; no lane may have more than ``share`` in flight."""
        return bool(self.queue) and self.sending < min(self.limit, share)

    def accepted(self, task: Task, operation: Operation, now: float) -> None:
        """Record an accepted write: read statuses at short intervals again, and adapt to how busy the vault was.

        While other tasks wait for pending writes, a new write does not postpone a read that is due soon.
        """
        self.limit = 1 if operation.busy else min(self.most, self.limit + 1)
        self.pending.append(task)
        self.ticks = 0
        soon = now + TICKS[0]
        self.next_read = min(self.next_read, soon) if self.waiting and len(self.pending) > 1 else soon

    def ticked(self, now: float) -> None:
        """Record the end of a round of status reads; the next one comes a little later."""
        self.ticks += 1
        self.next_read = now + TICKS[min(self.ticks, len(TICKS) - 1)]

    @property
    def may_read(self) -> bool:
        """Whether to read statuses now: not while writes are being sent, unless a task waits for pending ones."""
        is_sending = self.sending or self.queue
        return bool(self.pending) and not self.reading and bool(self.waiting or not is_sending or self.vault is None)

    def asks_operation(self, task: Task) -> bool:
        """Whether to read operations instead of the job list: networks have no jobs, and VMM jobs also update NICs."""
        mapping = task.step.after or task.step.before
        vmm = isinstance(mapping, NetworkMapping) and mapping.kind != "azure_to_azure"
        return task.ask_operation or vmm or not self.jobs_allowed or self.vault is None
