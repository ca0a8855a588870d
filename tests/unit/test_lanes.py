"""When pending operations are polled."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest
from failover_worlds import VAULT
from states import SEA, TwoRegions, row

from asrnet.applying.lanes import Lane
from asrnet.applying.tasks import Task
from asrnet.model.arm import ArmId
from asrnet.model.azure import Job
from asrnet.ports import Operation


def nothing() -> None:
    """A request that waits to be sent."""


@pytest.fixture
def task() -> Task:
    azure = TwoRegions()
    change = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))).changes[0]
    return Task(change=change, step=change.steps[0])


def lane(task: Task, **state: object) -> Lane:
    queue: deque[Callable[[], None]] = deque()
    settings = {"vault": task.step.resource_id.parent.parent.parent, "pending": [task], **state}
    return Lane(most=4, limit=4, **{"queue": queue, **settings})  # type: ignore[arg-type]  # fields by name


def _named(value: object) -> str:
    """Ids that are the same in every process, as pytest-xdist requires; functions would have addresses."""
    return "-".join(value) if isinstance(value, dict) else str(value)


@pytest.mark.parametrize(
    ("state", "makes_sense"),
    [
        ({}, True),
        ({"pending": []}, False),
        ({"reading": 1}, False),
        ({"sending": 1}, False),
        ({"queue": deque([nothing])}, False),
        ({"sending": 1, "waiting": 1}, True),
        ({"queue": deque([nothing]), "waiting": 1}, True),
        ({"sending": 1, "waiting": 1, "reading": 1}, False),
        ({"sending": 1, "waiting": 1, "pending": []}, False),
        ({"sending": 1, "vault": None}, True),
        ({"sending": 1, "vault": None, "reading": 1}, False),
    ],
    ids=_named,
)
def test_jobs_are_read_once_all_is_sent_or_where_something_waits_for_them(
    task: Task, state: dict[str, object], makes_sense: bool
) -> None:
    assert lane(task, **state).may_read is makes_sense


def test_a_lane_of_networks_has_no_jobs_and_no_vault(task: Task) -> None:
    assert lane(task, vault=None).asks_operation(task)
    assert not lane(task, vault=ArmId("/subscriptions/11111111-1111-1111-1111-111111111111")).asks_operation(task)
    assert lane(task, jobs_allowed=False).asks_operation(task)


def test_each_accepted_write_makes_the_next_read_earlier(task: Task) -> None:
    operation = Operation(id="job", resource_id=task.step.resource_id, status_url="https://x", retry_after=30.0)
    found = lane(task, pending=[])
    found.accepted(task, operation, 0.0)
    for _ in range(9):
        found.ticked(100.0)
    assert found.next_read == 105.0
    found.accepted(task, operation, 200.0)
    found.ticked(201.0)
    assert found.next_read == 202.0


@pytest.mark.parametrize(
    ("state", "ended", "succeeded"),
    [
        ("InProgress", False, False),
        ("Suspended", False, False),
        ("NotStarted", False, False),
        ("Succeeded", True, True),
        ("Completed", True, True),
        ("CompletedWithInformation", True, True),
        ("PartiallySucceeded", True, True),
        ("Failed", True, False),
        ("TimedOut", True, False),
        ("Cancelled", True, False),
        ("Aborted", True, False),
        ("QuantumLeap", False, False),
    ],
)
def test_a_job_ends_with_the_statuses_that_end_an_operation(state: str, ended: bool, succeeded: bool) -> None:
    job = Job(id=VAULT.child("replicationJobs", "j"), scenario="AddAzureNetworkPair", state=state)
    assert (job.has_ended, job.has_succeeded) == (ended, succeeded)
