"""A retarget never loses a reverse: whatever the service answers to the update, the pair is whole afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from doors import wire
from msgspec import structs
from states import SEA, TwoRegions, row

from asrnet import applying
from asrnet.applying import Progress, Report
from asrnet.errors import AsrError, ForbiddenError, ServiceError
from asrnet.fake.faults import Fault
from asrnet.fake.ports import backend as fake_backend
from asrnet.fake.world import World
from asrnet.model.access import Rights
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping
from asrnet.ports import Backend

OLD = {"hub": "old", "old": "hub"}
NEW = {"hub": "new", "new": "hub"}
DOORS = pytest.mark.parametrize("door", [fake_backend, wire], ids=["fake", "SDK"])


class Retarget:
    """A pair hub and old, and a plan that retargets hub to new."""

    def __init__(self, door: Callable[[World], Backend] = fake_backend) -> None:
        self.azure = azure = TwoRegions(operations="time:3")
        self.hub, self.old = azure.network("hub"), azure.network("old", SEA)
        self.new, self.theirs = azure.network("new", SEA), azure.network("theirs", SEA)
        azure.map_both(self.hub, self.old)
        self.backend = door(azure.world)
        self.desired = azure.state(row(self.hub, self.new))
        self.plan = azure.plan(self.desired)

    def fail(self, method: str, **fault: Any) -> None:
        """Let requests of one method to the forward mapping fail."""
        settings: dict[str, Any] = {"effect": "refused", "code": "Oops", "times": 0, **fault}
        self.azure.world.faults.add(Fault(method=method, path="*/hub-to-old", **settings))

    def apply(self, backend: Backend | None = None, **listeners: Any) -> Report:
        return applying.apply(self.plan, backend or self.backend, **listeners)

    @property
    def sent(self) -> dict[str, int]:
        """The number of writes, by method."""
        counts = self.azure.world.journal.methods()
        return {method: count for method, count in counts.items() if method != "GET"}


@DOORS
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 412, 422, 500, 503])
def test_a_patch_that_is_refused_with_any_status_is_followed_by_a_put(
    door: Callable[[World], Backend], status: int
) -> None:
    scene = Retarget(door)
    scene.fail("PATCH", status=status)
    report = scene.apply()
    assert (report.result, scene.azure.mappings()) == ("succeeded", NEW)


@DOORS
def test_a_patch_that_was_accepted_and_whose_job_failed_is_followed_by_a_put(door: Callable[[World], Backend]) -> None:
    scene = Retarget(door)
    scene.fail("PATCH", effect="operation_fails")
    report = scene.apply()
    assert (report.result, scene.azure.mappings()) == ("succeeded", NEW)
    assert scene.sent == {"DELETE": 1, "PATCH": 1, "PUT": 2}


@DOORS
@pytest.mark.parametrize("effect", ["refused", "operation_fails"])
@pytest.mark.parametrize("status", [400, 500])
def test_where_the_put_fails_too_the_old_reverse_is_put_back(
    door: Callable[[World], Backend], effect: str, status: int
) -> None:
    scene = Retarget(door)
    for method in ("PATCH", "PUT"):
        scene.fail(method, effect=effect, status=status)
    report = scene.apply()
    assert [change.outcome for change in report.changes] == ["rolled_back"]
    assert scene.azure.mappings() == OLD


def test_a_500_for_a_write_that_took_effect_is_not_a_failure() -> None:
    """The mapping as read decides, so no PUT follows and nothing is put back."""
    scene = Retarget()
    writer = scene.backend.mapping_writer

    class Lying:
        """A writer whose PATCH takes effect and is answered with 500."""

        def __getattr__(self, name: str) -> Any:
            return getattr(writer, name)

        def patch_mapping(self, mapping: NetworkMapping) -> None:
            writer.patch_mapping(mapping)
            scene.azure.clock.sleep(5.0)
            raise ServiceError("lost on the way", status=500)

    report = scene.apply(structs.replace(scene.backend, mapping_writer=Lying()))
    assert (report.result, scene.azure.mappings()) == ("succeeded", NEW)
    assert scene.sent == {"DELETE": 1, "PATCH": 1, "PUT": 1}  # the PUT is that of the new reverse


def test_where_the_mapping_cannot_be_read_after_a_failure_the_old_reverse_is_put_back_and_no_outcome_is_claimed() -> (
    None
):
    scene = Retarget()
    scene.fail("PATCH", status=500)

    def blind(progress: Progress) -> None:
        if (progress.name, progress.state) == ("old-to-hub", "done"):
            scene.fail("GET", status=500, after=1)  # the read before the PATCH is answered, later ones are not

    report = scene.apply(on_progress=blind)
    assert [change.outcome for change in report.changes] == ["failed"]
    assert scene.azure.mappings() == OLD


def test_a_mapping_that_somebody_retargets_after_the_patch_failed_is_left_to_them() -> None:
    scene = Retarget()
    scene.fail("PATCH", status=409)
    scene.azure.world.faults.add(
        Fault(effect="changed_before", method="GET", path="*/hub-to-old", after=2, recovery_network_id=scene.theirs.id)
    )
    report = scene.apply()
    assert [change.outcome for change in report.changes] == ["stale"]
    assert scene.azure.mappings() == {"hub": "theirs", "old": "hub"}


def test_a_delete_that_took_effect_despite_a_500_loses_no_reverse() -> None:
    scene = Retarget()
    writer = scene.backend.mapping_writer

    class Lying:
        """A writer whose DELETE takes effect and is answered with 500."""

        def __getattr__(self, name: str) -> Any:
            return getattr(writer, name)

        def delete_mapping(self, mapping_id: ArmId) -> None:
            writer.delete_mapping(mapping_id)
            scene.azure.clock.sleep(5.0)
            raise ServiceError("lost on the way", status=500)

    for method in ("PATCH", "PUT"):
        scene.fail(method, status=403)
    report = scene.apply(structs.replace(scene.backend, mapping_writer=Lying()))
    assert [change.outcome for change in report.changes] == ["rolled_back"]
    assert scene.azure.mappings() == OLD


def test_the_list_proves_a_mapping_absent_before_it_is_put_back_when_a_get_is_unclear() -> None:
    """Public reports show status 400 for a GET of a missing mapping, without a code."""
    scene = Retarget()
    for method in ("PATCH", "PUT"):
        scene.fail(method, status=409)

    def gone(progress: Progress) -> None:
        if (progress.name, progress.state) == ("old-to-hub", "done"):
            unclear = Fault(
                effect="refused", method="GET", path="*/old-to-hub", status=400, code="Unpublished", times=0
            )
            scene.azure.world.faults.add(unclear)

    report = scene.apply(on_progress=gone)
    assert scene.azure.mappings() == OLD
    assert [change.outcome for change in report.changes] == ["rolled_back"]


class Entitled:
    """Surroundings in which the rights at a vault are known or unreadable."""

    def __init__(self, backend: Backend, rights: tuple[Rights, ...] | AsrError) -> None:
        self._backend = backend
        self._rights = rights
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend.surroundings, name)

    def rights(self, _: ArmId) -> tuple[Rights, ...]:
        self.asked += 1
        if isinstance(self._rights, AsrError):
            raise self._rights
        return self._rights


MAPPINGS = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings"


@pytest.mark.parametrize(
    ("rights", "missing"),
    [
        ((Rights(actions=("*",), not_actions=(f"{MAPPINGS}/write",)),), "write"),
        ((Rights(actions=("*",), not_actions=(f"{MAPPINGS}/delete",)),), "delete"),
        ((Rights(actions=("*/read", f"{MAPPINGS}/delete")),), "write"),
        ((), "delete"),
    ],
)
def test_a_missing_right_refuses_before_anything_is_deleted(rights: tuple[Rights, ...], missing: str) -> None:
    scene = Retarget()
    entitled = Entitled(scene.backend, rights)
    report = scene.apply(structs.replace(scene.backend, surroundings=entitled))
    assert (report.result, scene.sent, entitled.asked) == ("refused", {}, 1)
    assert f"the right {MAPPINGS}/{missing} is missing" in (report.changes[0].error or "")


def test_rights_of_two_roles_are_added_up() -> None:
    scene = Retarget()
    roles = (Rights(actions=("*/read", f"{MAPPINGS}/delete")), Rights(actions=(f"{MAPPINGS}/*",)))
    assert (
        scene.apply(structs.replace(scene.backend, surroundings=Entitled(scene.backend, roles))).result == "succeeded"
    )


def test_rights_that_cannot_be_read_are_reported_and_the_run_continues(caplog: pytest.LogCaptureFixture) -> None:
    scene = Retarget()
    entitled = Entitled(scene.backend, ForbiddenError("no"))
    with caplog.at_level(logging.WARNING, "asrnet.applying"):
        report = scene.apply(structs.replace(scene.backend, surroundings=entitled))
    assert report.result == "succeeded"
    assert "rights at the vault vault-dr could not be read" in caplog.text


def test_rights_are_not_read_where_nothing_is_deleted() -> None:
    azure = TwoRegions()
    entitled = Entitled(azure.backend, ())
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
    assert applying.apply(plan, structs.replace(azure.backend, surroundings=entitled)).result == "succeeded"
    assert entitled.asked == 0


def test_another_mapping_job_on_the_same_network_is_reported() -> None:
    scene = Retarget()

    def meddle(progress: Progress) -> None:
        if (progress.name, progress.state) == ("hub-to-old", "sending"):
            scene.azure.build.job(scene.azure.vault, "NetworkPairing", target="hub")

    report = scene.apply(on_progress=meddle)
    (change,) = report.changes
    assert change.outcome == "succeeded"
    assert ["another mapping job on hub" in warning for warning in change.warnings] == [True]


def test_jobs_of_this_run_and_those_that_ended_before_it_are_not_reported() -> None:
    scene = Retarget()
    scene.azure.build.job(scene.azure.vault, "NetworkPairing", target="hub", state="Succeeded")
    scene.azure.clock.advance(60.0)
    assert [change.warnings for change in scene.apply().changes] == [()]


class TestPairsThatOwnNoReverse:
    """The old reverse would map back a network that no mapping leads to."""

    def test_a_pair_without_failback_loses_its_old_reverse(self) -> None:
        scene = Retarget()
        azure = scene.azure
        plan = azure.plan(azure.state(row(scene.hub, scene.new, failback=False)))
        assert [step.action for step in plan.changes[0].steps] == ["delete", "update"]
        assert azure.apply(plan).result == "succeeded"
        assert azure.mappings() == {"hub": "new"}

    def test_a_pair_that_moves_to_a_network_from_which_another_fails_back_loses_its_old_reverse(self) -> None:
        scene = Retarget()
        azure, other = scene.azure, scene.azure.network("other")
        azure.map_both(other, scene.new)
        desired = azure.state(row(scene.hub, scene.new, failback=False), row(other, scene.new))
        assert azure.apply(azure.plan(desired)).result == "succeeded"
        assert azure.mappings() == {"hub": "new", "other": "new", "new": "other"}

    def test_the_old_reverse_is_deleted_once_where_unmanaged_mappings_are_deleted_as_well(self) -> None:
        scene = Retarget()
        azure = scene.azure
        desired = azure.state(row(scene.hub, scene.new, failback=False), unmanaged="delete")
        plan = azure.plan(desired, allow_delete=True)
        assert [step.action for change in plan.changes for step in change.steps] == ["delete", "update"]

    def test_a_reverse_that_another_tool_manages_stays(self) -> None:
        scene = Retarget()
        azure, other = scene.azure, scene.azure.network("other")
        rows = [row(scene.hub, scene.new, failback=False), row(other, scene.old, managed_by="terraform")]
        plan = azure.plan(azure.state(*rows))
        assert "delete" not in {step.action for change in plan.changes for step in change.steps}
