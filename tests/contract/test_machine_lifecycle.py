"""A machine's lifecycle, as every backend reads it in each state: its id, state, regions and NICs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from doors import DOORS
from machine_life import Life

from asrnet.model.azure import Job, ProtectedItem
from asrnet.ports import Backend


@pytest.fixture
def life() -> Life:
    return Life(seconds=300)


@pytest.fixture(params=[*DOORS])
def backend(life: Life, request: pytest.FixtureRequest) -> Iterator[Backend]:
    backend = DOORS[request.param](life.world)
    yield backend
    backend.close()


def read(life: Life, backend: Backend) -> ProtectedItem:
    """The machine; the vault's list and a GET must agree on it."""
    (item,) = backend.mappings.protected_items(life.vault.id)
    assert backend.mappings.protected_item(item.id) == item
    return item


def station(item: ProtectedItem) -> tuple[str, str, str | None, str | None, str | None]:
    return item.state, item.active_location, item.initial_location, item.primary_location, item.recovery_location


def running(life: Life, backend: Backend) -> list[str]:
    """The scenarios of the vault's running jobs."""
    jobs: list[Job] = [*backend.mappings.jobs(life.vault.id)]
    return [job.scenario for job in jobs if job.state == "InProgress"]


def test_a_machine_lifecycle_reads_the_same_through_every_backend(life: Life, backend: Backend) -> None:
    east, sea = "eastasia", "southeastasia"
    life.end(life.enable())
    item = read(life, backend)
    assert (item.id, item.nics) == (life.east_id, ())
    assert station(item) == ("InitialReplicationInProgress", "Primary", east, east, sea)
    life.replicated()
    item = read(life, backend)
    assert station(item) == ("Protected", "Primary", east, east, sea)
    (nic,) = item.nics
    assert (nic.primary_network_id, nic.recovery_network_id) == (life.home.id, life.away.id)

    testing = life.items.test_failover(life.east_id, life.test.id)
    assert running(life, backend) == ["TestFailover"]
    assert read(life, backend).scenario == "TestFailover"
    life.end(testing)
    assert read(life, backend).test_failover_state == "WaitingForCompletion"
    life.end(life.items.test_failover_cleanup(life.east_id))
    assert read(life, backend).test_failover_state == "None"

    life.end(life.items.unplanned_failover(life.east_id))
    item = read(life, backend)
    assert (item.has_failed_over, item.is_reversed) == (True, False)
    assert station(item) == ("UnplannedFailoverCommitPendingStatesBegin", "Recovery", east, east, sea)
    life.end(life.items.commit(life.east_id))
    assert read(life, backend).state == "UnplannedFailoverCommitted"

    life.end(life.switch(life.east.id, life.east.id))
    item = read(life, backend)
    assert (item.id, item.is_reversed) == (life.west_id, True)
    assert station(item) == ("InitialReplicationInProgress", "Primary", east, sea, east)
    (nic,) = item.nics
    assert (nic.primary_network_id, nic.recovery_network_id) == (None, life.home.id)
    life.replicated()
    (nic,) = read(life, backend).nics
    assert (nic.primary_network_id, nic.recovery_network_id) == (life.away.id, life.home.id)

    life.fail_over(life.west_id)
    life.end(life.switch(life.west.id, life.west.id))
    life.replicated()
    item = read(life, backend)
    assert (item.id, item.is_reversed) == (life.east_id, False)
    assert station(item) == ("Protected", "Primary", east, east, sea)

    life.end(life.items.delete(life.east_id))
    assert list(backend.mappings.protected_items(life.vault.id)) == []
