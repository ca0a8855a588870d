"""The requests in flight for a vault: fewer while it is busy, and never more than its share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import product

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, row

from asrnet import applying
from asrnet.applying import Options
from asrnet.applying.lanes import Lane
from asrnet.applying.tasks import Task
from asrnet.desired import Vault
from asrnet.fake.behaviour import Behaviour
from asrnet.model.azure import NetworkMapping
from asrnet.ports import MappingWriter, Operation


def nothing() -> None:
    """A request that waits to be sent."""


@pytest.fixture
def task() -> Task:
    azure = TwoRegions()
    change = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))).changes[0]
    return Task(change=change, step=change.steps[0])


def lane() -> Lane:
    queue: deque[Callable[[], None]] = deque([nothing])
    return Lane(vault=None, most=4, limit=4, queue=queue)


def has_room(mine: Lane, sending: int, share: int = 8) -> bool:
    mine.sending = sending
    return mine.has_room(share)


def test_a_busy_vault_gets_one_request_at_a_time_and_one_more_after_each_success(task: Task) -> None:
    mine, most = lane(), []
    for busy in (0, 2, 0, 0, 1, 0, 0, 0, 0):
        mine.accepted(task, Operation(id="job", resource_id=task.step.resource_id, status_url="", busy=busy), now=0.0)
        most.append(next(count for count in range(9) if not has_room(mine, count)))
    assert most == [4, 1, 2, 3, 1, 2, 3, 4, 4]


@pytest.mark.parametrize(("share", "rooms"), [(8, [True, True, True, True, False]), (2, [True, True, False])])
def test_no_vault_has_more_than_its_share_in_flight(share: int, rooms: list[bool]) -> None:
    mine = lane()
    assert [has_room(mine, sending, share) for sending in range(len(rooms))] == rooms


class Crowd:
    """A MappingWriter that records the maximum of concurrent writes."""

    def __init__(self, writer: MappingWriter) -> None:
        self._writer = writer
        self._now = 0
        self.most = 0
        self.create_fabric = writer.create_fabric
        self.put_mapping = writer.put_mapping
        self.patch_mapping = writer.patch_mapping
        self.put_mapping = writer.put_mapping
        self.patch_mapping = writer.patch_mapping
        self.delete_mapping = writer.delete_mapping
        self.operation = writer.operation

    def create_mapping(self, mapping: NetworkMapping) -> Operation | None:
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            return self._writer.create_mapping(mapping)
        finally:
            self._now -= 1


@pytest.mark.parametrize(("per_vault", "in_all", "most"), [(4, 8, 8), (1, 8, 5), (4, 3, 3)])
def test_five_vaults_together_stay_within_the_total_in_flight(per_vault: int, in_all: int, most: int) -> None:
    azure = TwoRegions(behaviour=Behaviour(operations="time:3", latency=1.0))
    vaults = [azure.build.vault(f"v{number}", "westus") for number in range(5)]
    for vault, place in product(vaults, (EA, SEA)):
        azure.build.azure_fabric(vault, place)
    desired = azure.state(*[row(azure.network(f"n{i}"), azure.network(f"r{i}", SEA)) for i in range(20)])
    names = [f"v{number}" for number in range(5)]
    desired = structs.replace(
        desired,
        vaults=tuple(Vault(name=name, id=vault.id) for name, vault in zip(names, vaults, strict=True)),
        pairs=tuple(structs.replace(pair, vault=names[i % 5]) for i, pair in enumerate(desired.pairs)),
    )
    crowd = Crowd(azure.backend.mapping_writer)
    backend = structs.replace(azure.backend, mapping_writer=crowd)
    report = applying.apply(azure.plan(desired), backend, Options(per_vault=per_vault, in_all=in_all))
    assert (report.result, crowd.most) == ("succeeded", most)
