"""How many requests a vault may have under way: fewer while it is busy, and never more than its share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest
from states import SEA, TwoRegions, row

from asrnet.applying.lanes import Lane
from asrnet.applying.tasks import Task
from asrnet.ports import Operation


def nothing() -> None:
    """A request that waits to be sent."""


@pytest.fixture
def task() -> Task:
    azure = TwoRegions()
    change = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))).changes[0]
    return Task(change=change, step=change.steps[0])


def lane() -> Lane:
    queue: deque[Callable[[], None]] = deque([nothing])
    return Lane(vault=None, most=4, at_once=4, queue=queue)


def has_room(mine: Lane, sending: int, share: int = 8) -> bool:
    mine.sending = sending
    return mine.has_room(share)


def test_a_vault_that_was_busy_gets_one_request_at_a_time_and_then_one_more_with_each_that_it_takes(task: Task) -> None:
    mine, most = lane(), []
    for busy in (0, 2, 0, 0, 1, 0, 0, 0, 0):
        mine.accepted(task, Operation(id="job", resource_id=task.step.resource_id, status_url="", busy=busy), now=0.0)
        most.append(next(count for count in range(9) if not has_room(mine, count)))
    assert most == [4, 1, 2, 3, 1, 2, 3, 4, 4]


@pytest.mark.parametrize(("share", "rooms"), [(8, [True, True, True, True, False]), (2, [True, True, False])])
def test_no_vault_has_more_than_its_share_under_way(share: int, rooms: list[bool]) -> None:
    mine = lane()
    assert [has_room(mine, sending, share) for sending in range(len(rooms))] == rooms
