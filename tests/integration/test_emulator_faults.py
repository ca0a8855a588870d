"""Every kind of emulator fault, with asrnet's adapters on the real SDK and a simulated clock."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest
from msgspec import structs

from asrnet.azure import connect
from asrnet.azure.credentials import choose
from asrnet.clocks import SimulatedClock
from asrnet.emulator.app import App
from asrnet.emulator.faults import FOREVER, Fault, Kind
from asrnet.emulator.transport import session
from asrnet.errors import AsrError, ConflictError, ForbiddenError, OperationFailedError, ServiceError
from asrnet.fake.builder import Builder
from asrnet.fake.faults import Effect
from asrnet.fake.faults import Fault as ServiceFault
from asrnet.model.azure import NetworkMapping
from asrnet.settings.clouds import PUBLIC


class Site:
    """A mapping to create, the adapters that create it, and the requests they needed."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        self.build = Builder(clock=self.clock)
        self.app = App(self.build.world)
        self.backend = connect.backend(
            clock=self.clock, credential=choose(PUBLIC, named="emulator"), session=session(self.app)
        )
        self.vault = self.build.vault("vault")
        east, west = self.build.azure_fabric(self.vault, "eastus"), self.build.azure_fabric(self.vault, "westus")
        hub, self.spare = self.build.virtual_network("hub", "eastus"), self.build.virtual_network("spare", "westus")
        path = ("replicationNetworks", "azureNetwork", "replicationNetworkMappings", "m")
        self.mapping = NetworkMapping(
            id=east.id.child(*path),
            kind="azure_to_azure",
            primary_network_id=hub.id,
            recovery_network_id=self.spare.id,
            recovery_fabric_id=west.id,
            primary_location="eastus",
            recovery_location="westus",
        )
        self.start = self.clock.now()

    @property
    def seconds(self) -> float:
        return self.clock.now() - self.start

    @property
    def retries(self) -> int:
        return self.backend.requests()["retries"]

    def create(self) -> str:
        """Create the mapping; return the status of its operation."""
        operation = self.backend.mapping_writer.create_mapping(self.mapping)
        assert operation is not None
        status = self.backend.mapping_writer.operation(operation)
        if status.error:
            raise status.error
        return status.state

    def waits(self) -> list[float]:
        """The seconds between one attempt to write and the next."""
        times = [entry.time for entry in self.app.journal.entries if entry.method == "PUT"]
        return [after - before for before, after in pairwise(times)]

    def names(self) -> list[str]:
        return [mapping.name for mapping in self.backend.mappings.mappings(self.vault.id)]


@pytest.fixture
def site() -> Site:
    return Site()


PASSING = {
    "throttle": Fault(kind="throttle", method="PUT", times=2, retry_after=7),
    "unavailable": Fault(kind="unavailable", method="PUT", times=2, retry_after=7),
    "busy": Fault(kind="busy", method="PUT", times=2, retry_after=7),
    "answer": Fault(kind="answer", method="PUT", times=2, status=500, code="InternalServerError", retry_after=7),
}


STATUSES = {"throttle": 429, "unavailable": 503, "busy": 409, "answer": 500}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_temporary_fault_is_retried_after_its_retry_after(site: Site, fault: Fault) -> None:
    site.app.faults.add(fault)
    assert site.create() == "succeeded"
    assert site.retries == 2
    assert all(7 <= wait < 9 for wait in site.waits())
    assert site.app.journal.statuses == {STATUSES[fault.kind]: 2, 202: 1, 200: 1}
    assert site.names() == ["m"]


@pytest.mark.parametrize("kind", sorted(PASSING.keys() - {"throttle"}))
def test_a_fault_that_outlasts_its_retry_after_is_an_error_after_ten_attempts(site: Site, kind: str) -> None:
    site.app.faults.add(structs.replace(PASSING[kind], times=FOREVER))
    with pytest.raises(ServiceError) as caught:
        site.create()
    assert caught.value.status == site.app.journal.entries[-1].status
    assert (site.retries, site.app.journal.methods["PUT"]) == (9, 10)
    assert min(site.waits()) >= 7
    assert site.names() == []


def test_throttling_without_end_is_an_error_at_the_deadline(site: Site) -> None:
    site.app.faults.add(structs.replace(PASSING["throttle"], times=FOREVER))
    with pytest.raises(ServiceError) as caught:
        site.create()
    assert caught.value.status == 429
    assert 280 <= site.seconds <= 300
    assert 7 <= min(site.waits()) <= max(site.waits()) <= 9, "one more second than it said, and no less"
    assert site.names() == []


@pytest.mark.parametrize("handled", [False, True])
def test_a_reset_connection_is_retried_whether_or_not_the_write_took_effect(site: Site, *, handled: bool) -> None:
    site.app.faults.add(Fault(kind="reset", method="PUT", handled=handled))
    assert site.create() == "succeeded"
    assert (site.retries, site.names()) == (1, ["m"])
    assert len(site.build.world.jobs.list(site.vault.id)) == 1 + handled


def test_a_delay_is_waited_out(site: Site) -> None:
    site.app.faults.add(Fault(kind="delay", method="PUT", seconds=40))
    assert site.create() == "succeeded"
    assert (site.retries, site.seconds) == (0, 40)


FINAL = {
    "scope_locked": (Fault(kind="scope_locked", method="PUT"), ConflictError, "ScopeLocked"),
    "policy": (Fault(kind="policy", method="PUT"), ForbiddenError, "RequestDisallowedByPolicy"),
    "forbidden": (Fault(kind="forbidden", method="PUT", action="a/b/write"), ForbiddenError, "AuthorizationFailed"),
}


@pytest.mark.parametrize(("fault", "kind", "code"), FINAL.values(), ids=FINAL)
def test_a_lasting_fault_is_an_error_at_once(site: Site, fault: Fault, kind: type[ServiceError], code: str) -> None:
    site.app.faults.add(fault)
    with pytest.raises(kind) as caught:
        site.create()
    assert (caught.value.code, site.retries, site.seconds) == (code, 0, 0)
    assert getattr(caught.value, "action", "") == fault.action
    assert site.names() == []


def test_garbage_is_an_error_and_no_empty_list(site: Site) -> None:
    site.create()
    site.app.faults.add(Fault(kind="garbage", method="GET", path="*/replicationNetworkMappings"))
    with pytest.raises(AsrError):
        site.names()


def test_every_kind_of_wire_fault_has_a_test_here() -> None:
    assert {*PASSING, *FINAL, "reset", "delay", "garbage"} == set(get_args(Kind))


def test_an_operation_that_fails_is_an_error_with_its_code(site: Site) -> None:
    site.build.world.faults.add(ServiceFault(effect="operation_fails", method="PUT", code="28020"))
    with pytest.raises(OperationFailedError) as caught:
        site.create()
    assert (caught.value.code, site.names()) == ("28020", [])


@pytest.mark.parametrize(
    ("effect", "state"),
    [
        ("operation_never_ends", "in_progress"),
        ("operation_warns", "succeeded"),
        ("operation_does_nothing", "succeeded"),
    ],
)
def test_only_the_state_of_an_operation_counts(site: Site, effect: Effect, state: str) -> None:
    site.build.world.faults.add(ServiceFault(effect=effect, method="PUT"))
    assert site.create() == state


def test_an_operation_that_does_nothing_is_reported_as_done(site: Site) -> None:
    site.build.world.faults.add(ServiceFault(effect="operation_does_nothing", method="PUT"))
    assert (site.create(), site.names()) == ("succeeded", [])


def test_a_lagging_list_shows_the_old_state_until_the_lag_ends(site: Site) -> None:
    site.clock.advance(100)
    site.create()
    lag = ServiceFault(effect="list_lags", kind="replicationnetworkmappings", seconds=30, times=0)
    site.build.world.faults.add(lag)
    for _ in range(3):
        site.clock.advance(9)
        assert site.names() == []
    site.clock.advance(2)
    site.clock.advance(1)
    assert site.names() == ["m"]


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        ("scope_locked", "ScopeLocked"),
        ("policy_denied", "RequestDisallowedByPolicy"),
        ("forbidden", "AuthorizationFailed"),
    ],
)
def test_locks_policies_and_missing_rights_are_final(site: Site, effect: Effect, code: str) -> None:
    site.build.world.faults.add(ServiceFault(effect=effect, method="PUT"))
    with pytest.raises(ServiceError) as caught:
        site.create()
    assert (caught.value.code, site.retries) == (code, 0)


def test_a_scripted_refusal_gives_its_message(site: Site) -> None:
    site.build.world.faults.add(ServiceFault(effect="refused", method="PUT", status=400, code="539", message="No."))
    with pytest.raises(ServiceError) as caught:
        site.create()
    assert (caught.value.code, caught.value.message) == ("539", "No.")


def test_a_mapping_changed_by_others_is_read_as_changed(site: Site) -> None:
    site.create()
    other = site.build.virtual_network("other", "westus")
    change = ServiceFault(effect="changed_before", method="GET", recovery_network_id=other.id)
    site.build.world.faults.add(structs.replace(change, kind="replicationnetworkmappings"))
    found = site.backend.mappings.mapping(site.mapping.id)
    assert found is not None
    assert found.recovery_network_id == other.id


def test_every_effect_of_the_service_has_a_test_here() -> None:
    assert set(get_args(Effect)) == {
        "operation_fails",
        "operation_never_ends",
        "operation_warns",
        "operation_does_nothing",
        "list_lags",
        "refused",
        "scope_locked",
        "policy_denied",
        "forbidden",
        "changed_before",
    }
