"""Long-running operations and their jobs, on every backend."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from doors import TwoRegions, status

from asrnet.errors import OperationFailedError
from asrnet.fake.builder import Builder
from asrnet.fake.faults import Fault
from asrnet.model.azure import Job, NetworkMapping
from asrnet.ports import Backend


def jobs(backend: Backend, regions: TwoRegions, **filters: object) -> list[Job]:
    return list(backend.mappings.jobs(regions.vault.id, **filters))  # type: ignore[arg-type]  # since and state


def test_an_operation_ends_after_its_duration(
    azure: Builder, backend: Backend, wanted: NetworkMapping, behave: Callable[..., None]
) -> None:
    behave(operations="time:3", retry_after=30)
    operation = backend.mapping_writer.create_mapping(wanted)
    assert operation is not None
    assert operation.retry_after == 30
    assert operation.resource_id == wanted.id
    assert status(backend, operation).state == "in_progress"
    azure.world.clock.sleep(3)
    assert status(backend, operation).state == "succeeded"


def test_an_operation_can_end_after_a_number_of_status_reads(
    backend: Backend, wanted: NetworkMapping, behave: Callable[..., None]
) -> None:
    behave(operations="manual:3")
    operation = backend.mapping_writer.create_mapping(wanted)
    states = [status(backend, operation).state for _ in range(3)]
    assert states == ["in_progress", "in_progress", "succeeded"]


@pytest.mark.usefixtures("own_world")
def test_the_name_of_a_job_is_the_id_of_its_operation(
    backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    operation = backend.mapping_writer.create_mapping(wanted)
    assert operation is not None
    (job,) = jobs(backend, regions)
    assert job.name == operation.id
    assert (job.scenario, job.state, job.target) == ("NetworkPairing", "Succeeded", "hub-ea")


@pytest.mark.usefixtures("own_world")
def test_a_deletion_shows_as_a_job_of_its_own(azure: Builder, backend: Backend, regions: TwoRegions) -> None:
    forward, _ = azure.pair(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.sea)
    operation = backend.mapping_writer.delete_mapping(forward.id)
    assert operation is not None
    (job,) = jobs(backend, regions)
    assert (job.name, job.scenario) == (operation.id, "NetworkUnPairing")


def test_a_running_job_has_no_end(
    azure: Builder, backend: Backend, regions: TwoRegions, wanted: NetworkMapping, behave: Callable[..., None]
) -> None:
    behave(operations="time:3")
    backend.mapping_writer.create_mapping(wanted)
    (job,) = jobs(backend, regions)
    assert (job.state, job.end_time) == ("InProgress", "")
    azure.world.clock.sleep(3)
    (job,) = jobs(backend, regions)
    assert job.state == "Succeeded"
    assert job.end_time >= job.start_time


def test_jobs_can_be_filtered_by_state(
    azure: Builder, backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    azure.job(regions.vault, "UnplannedFailover", state="InProgress", target="vm1")
    azure.job(regions.vault, "EnableDr", state="Succeeded", target="vm2")
    backend.mapping_writer.create_mapping(wanted)
    assert [job.scenario for job in jobs(backend, regions, state="InProgress")] == ["UnplannedFailover"]


def test_jobs_can_be_filtered_by_start_time(
    azure: Builder, backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    azure.job(regions.vault, "EnableDr", state="Succeeded", start_time="2025-12-31T23:00:00.0000000Z")
    now = azure.world.clock.now()
    operation = backend.mapping_writer.create_mapping(wanted)
    assert operation is not None
    assert [job.name for job in jobs(backend, regions, since=now)] == [operation.id]
    assert len(jobs(backend, regions, since=now - 7200)) == 2


def test_an_operation_that_fails_says_why_and_changes_nothing(
    azure: Builder, backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    azure.world.faults.add(Fault(effect="operation_fails", code="28020", message="The requested operation failed."))
    operation = backend.mapping_writer.create_mapping(wanted)
    ended = status(backend, operation)
    assert ended.state == "failed"
    assert isinstance(ended.error, OperationFailedError)
    assert (ended.error.code, ended.error.message) == ("28020", "The requested operation failed.")
    assert backend.mappings.mapping(wanted.id) is None
    (job,) = jobs(backend, regions)
    assert job.state == "Failed"
    assert "The requested operation failed." in job.errors[0]


def test_an_error_in_a_succeeded_operation_is_a_warning(
    azure: Builder, backend: Backend, wanted: NetworkMapping
) -> None:
    azure.world.faults.add(Fault(effect="operation_warns", code="28061", message="The machine is unavailable."))
    ended = status(backend, backend.mapping_writer.create_mapping(wanted))
    assert (ended.state, ended.error, ended.warning) == ("succeeded", None, "The machine is unavailable.")
    assert backend.mappings.mapping(wanted.id) == wanted


def test_the_job_of_a_succeeded_operation_has_its_warning(
    azure: Builder, backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    azure.world.faults.add(Fault(effect="operation_warns", code="28061", message="The machine is unavailable."))
    status(backend, backend.mapping_writer.create_mapping(wanted))
    (job,) = jobs(backend, regions)
    assert (job.state, job.errors) == ("Succeeded", ("The machine is unavailable.",))


def test_an_operation_that_never_ends_stays_in_progress(
    azure: Builder, backend: Backend, wanted: NetworkMapping
) -> None:
    azure.world.faults.add(Fault(effect="operation_never_ends"))
    operation = backend.mapping_writer.create_mapping(wanted)
    azure.world.clock.sleep(86_400)
    assert status(backend, operation).state == "in_progress"
    assert backend.mappings.mapping(wanted.id) is None


def test_a_fabric_may_take_longer_than_a_mapping(azure: Builder, backend: Backend, behave: Callable[..., None]) -> None:
    behave(operations="time:3", fabric_operations="time:70")
    vault = azure.vault("fresh")
    fabric = azure.azure_fabric(azure.vault("other"), "eastasia")
    asked = type(fabric)(
        id=vault.id.child("replicationFabrics", fabric.name), kind="azure", location="eastasia", friendly_name=""
    )
    operation = backend.mapping_writer.create_fabric(asked)
    azure.world.clock.sleep(69)
    assert status(backend, operation).state == "in_progress"
    azure.world.clock.sleep(1)
    assert status(backend, operation).state == "succeeded"


@pytest.mark.usefixtures("own_world")
def test_every_request_is_counted_once(
    azure: Builder, backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    before = dict(backend.requests())
    operation = backend.mapping_writer.create_mapping(wanted)
    status(backend, operation)
    list(backend.mappings.mappings(regions.vault.id))
    after = backend.requests()
    spent = {method: after[method] - before.get(method, 0) for method in after}
    assert {method: count for method, count in spent.items() if count} == {"GET": 2, "PUT": 1}
    assert azure.world.journal.methods() == {"GET": 2, "PUT": 1}


@pytest.mark.parametrize("seconds", [0.1])
def test_latency_is_spent_on_every_request(
    azure: Builder, backend: Backend, wanted: NetworkMapping, behave: Callable[..., None], seconds: float
) -> None:
    behave(latency=seconds)
    start = azure.world.clock.now()
    operation = backend.mapping_writer.create_mapping(wanted)
    status(backend, operation)
    assert azure.world.clock.now() - start == pytest.approx(0.2)
