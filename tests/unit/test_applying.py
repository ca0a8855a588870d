"""Carrying out plans: order, waiting, read-back, interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, outcomes, row, swapped

from asrnet import applying
from asrnet.applying import AuditEntry, Options, Progress
from asrnet.errors import AsrError, ConflictError, CredentialError, ForbiddenError, NotFoundError, ServiceError
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.faults import Fault
from asrnet.model.arm import ArmId
from asrnet.model.azure import Job, LiveMapping, NetworkMapping
from asrnet.ports import MappingReader, MappingWriter, Operation, OperationStatus


class Speechless:
    """A MappingWriter that never has a status for an operation, or not for the first ``times``."""

    def __init__(self, writer: MappingWriter, error: AsrError, *, times: int = 1000) -> None:
        self._error = error
        self._times = times
        self.asked = 0
        self._writer = writer
        self.create_fabric = writer.create_fabric
        self.create_mapping = writer.create_mapping
        self.put_mapping = writer.put_mapping
        self.patch_mapping = writer.patch_mapping
        self.delete_mapping = writer.delete_mapping

    def operation(self, operation: Operation) -> OperationStatus:
        self.asked += 1
        if self.asked > self._times:
            return self._writer.operation(operation)
        raise self._error


class Impatient:
    """A MappingReader that is interrupted by Ctrl-C after ``patience`` lists of mappings."""

    def __init__(self, reader: MappingReader, *, patience: int) -> None:
        self._reader = reader
        self._patience = patience
        self.protected_items = reader.protected_items
        self.jobs = reader.jobs
        self.fabrics = reader.fabrics

    def mappings(self, vault: ArmId) -> Iterable[LiveMapping]:
        self._patience -= 1
        if self._patience < 0:
            raise KeyboardInterrupt
        return self._reader.mappings(vault)


class Behind:
    """A MappingReader whose list of jobs is empty for the first ``looks`` reads."""

    def __init__(self, reader: MappingReader, *, looks: int) -> None:
        self._reader = reader
        self._looks = looks
        self.mappings = reader.mappings
        self.mapping = reader.mapping

    def jobs(self, vault: ArmId, *, since: float | None = None, state: str | None = None) -> Iterable[Job]:
        self._looks -= 1
        return () if self._looks >= 0 else self._reader.jobs(vault, since=since, state=state)


class Queueing:
    """A MappingReader whose requests for single mappings wait at a gate before they are sent."""

    def __init__(self, azure: TwoRegions, *, seconds: float) -> None:
        self._azure = azure
        self._seconds = seconds
        self._reader = reader = azure.backend.mappings
        self.protected_items = reader.protected_items
        self.jobs = reader.jobs
        self.fabrics = reader.fabrics
        self.mappings = reader.mappings

    def mapping(self, mapping_id: ArmId) -> NetworkMapping | None:
        self._azure.clock.sleep(self._seconds)
        return self._reader.mapping(mapping_id)


class Haunted:
    """A MappingReader whose lists also show ``deleted``; ``on_get`` is called when one of these is read."""

    def __init__(self, reader: MappingReader, on_get: Callable[[], object]) -> None:
        self.deleted: list[NetworkMapping] = []
        self._reader = reader
        self._on_get = on_get
        self.protected_items = reader.protected_items
        self.jobs = reader.jobs
        self.fabrics = reader.fabrics

    def mappings(self, vault: ArmId) -> Iterable[LiveMapping]:
        return (*self._reader.mappings(vault), *self.deleted)

    def mapping(self, mapping_id: ArmId) -> NetworkMapping | None:
        if mapping_id in {mapping.id for mapping in self.deleted}:
            self._on_get()
        return self._reader.mapping(mapping_id)


class TestConvergence:
    @pytest.mark.parametrize("operations", ["immediate", "time:3", "manual:2"])
    def test_after_a_successful_apply_the_plan_is_empty(self, operations: str) -> None:
        azure = TwoRegions(operations=operations)
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
        assert azure.apply(azure.plan(desired)).result == "succeeded"
        assert azure.plan(desired).changes == ()

    def test_a_copy_is_made_before_it_is_mapped(self) -> None:
        azure = TwoRegions(operations="time:3")
        azure.build.resource_group("rg-asr", location=SEA)
        desired = azure.state(row(azure.network("app"), None))
        report = azure.apply(azure.plan(desired))
        assert set(outcomes(report).values()) == {"succeeded"}
        assert azure.mappings() == {"app": "app-asr", "app-asr": "app"}

    def test_the_fabrics_of_a_vault_are_made_one_at_a_time(self) -> None:
        azure = TwoRegions(operations="time:60", fabrics=False)
        seen: list[tuple[str, str]] = []

        def note(progress: Progress) -> None:
            seen.append((progress.state, progress.name.removeprefix("asr-a2a-default-")))

        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)), create_fabrics=True)
        applying.apply(azure.plan(desired), azure.backend, on_progress=note)
        assert seen[:4] == [("sending", EA), ("done", EA), ("sending", SEA), ("done", SEA)]

    def test_a_swap_runs_all_deletes_then_all_updates_then_all_creates(self) -> None:
        azure = TwoRegions(operations="time:3")
        desired, _ = swapped(azure)
        sent: list[str] = []

        def note(progress: Progress) -> None:
            if progress.state == "sending":
                sent.append(progress.action)

        applying.apply(azure.plan(desired), azure.backend, on_progress=note)
        assert sent == ["delete", "delete", "update", "update", "create", "create"]
        assert azure.mappings() == {"a": "y", "y": "a", "b": "x", "x": "b"}

    def test_an_empty_plan_sends_nothing(self) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        azure.map_both(hub, dr)
        plan = azure.plan(azure.state(row(hub, dr)))
        before = dict(azure.backend.requests())
        assert azure.apply(plan).result == "nothing_to_do"
        assert dict(azure.backend.requests()) == before


UNTOLD = [
    ForbiddenError("no right"),
    CredentialError("the token has expired"),
    ServiceError("refused to send a token to 'pod.example'", code="ForeignHost"),
]
"""Reasons why the status of an operation may be unreadable."""


class TestWaiting:
    def test_a_pair_takes_seconds_although_retry_after_is_thirty(self) -> None:
        azure = TwoRegions(operations="time:3")
        report = azure.apply(azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))))
        assert report.result == "succeeded"
        assert report.seconds == pytest.approx(3.0)

    @pytest.mark.parametrize(("looks", "asked"), [(1, 0), (2, 2)])
    def test_an_operation_is_polled_itself_once_its_job_was_missing_twice(self, looks: int, asked: int) -> None:
        azure = TwoRegions(operations="time:2")
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        writer = Speechless(azure.backend.mapping_writer, AsrError("never raised"), times=0)
        reader = Behind(azure.backend.mappings, looks=looks)
        report = applying.apply(plan, structs.replace(azure.backend, mappings=reader, mapping_writer=writer))
        assert (report.result, writer.asked) == ("succeeded", asked)

    def test_a_job_list_that_is_denied_falls_back_to_the_operations_own_url(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(operations="time:3", denied=("*/replicationJobs/read",)))
        report = azure.apply(azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))))
        assert report.result == "succeeded"

    @pytest.mark.parametrize("fault", ["refused", "vault never used"])
    def test_a_job_list_that_keeps_failing_falls_back_to_the_operations_own_url(self, fault: str) -> None:
        azure = TwoRegions(operations="manual:1", fabrics=fault == "refused")
        if fault == "refused":
            azure.world.faults.add(Fault(effect="refused", kind="replicationjobs", status=500, times=0))
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)), create_fabrics=True)
        report = azure.apply(azure.plan(desired))
        assert report.result == "succeeded"
        assert report.seconds < 60

    def test_an_operation_that_never_ends_is_reported_in_flight(self) -> None:
        azure = TwoRegions(operations="time:3")
        azure.world.faults.add(Fault(effect="operation_never_ends", method="PUT", path="*hub-to-dr*"))
        report = azure.apply(azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))), timeout=60.0)
        assert outcomes(report) == {"sea:hub:forward": "in_flight", "sea:hub:reverse": "succeeded"}
        assert (report.result, 60 <= report.seconds <= 70) == ("partial", True)

    def test_a_failed_operation_fails_its_change_with_the_message_of_the_service(self) -> None:
        azure = TwoRegions(operations="time:3")
        azure.world.faults.add(
            Fault(
                effect="operation_fails",
                method="PUT",
                path="*hub-to-dr*",
                code="28020",
                message="The requested operation failed.",
            )
        )
        report = azure.apply(azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))))
        assert outcomes(report) == {"sea:hub:forward": "failed", "sea:hub:reverse": "succeeded"}
        assert "The requested operation failed." in (report.changes[0].error or "")

    @pytest.mark.parametrize("error", [NotFoundError("gone"), ForbiddenError("no")])
    def test_a_failed_job_counts_where_its_operation_has_no_status(self, error: AsrError) -> None:
        azure = TwoRegions(operations="time:3")
        azure.world.faults.add(Fault(effect="operation_fails", method="PUT", path="*hub-to-dr*", code="28020"))
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        backend = structs.replace(azure.backend, mapping_writer=Speechless(azure.backend.mapping_writer, error))
        report = applying.apply(plan, backend)
        assert outcomes(report) == {"sea:hub:forward": "failed", "sea:hub:reverse": "succeeded"}
        assert "not there" not in (report.changes[0].error or "")
        assert report.seconds < 10

    @pytest.mark.parametrize("error", UNTOLD)
    def test_a_write_whose_status_may_not_be_read_is_soon_reported_in_flight(self, error: AsrError) -> None:
        azure = TwoRegions(behaviour=Behaviour(operations="time:60", denied=("*/replicationJobs/read",)))
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        backend = structs.replace(azure.backend, mapping_writer=Speechless(azure.backend.mapping_writer, error))
        report = applying.apply(plan, backend)
        assert set(outcomes(report).values()) == {"in_flight"}
        assert error.message in (report.changes[0].error or "")
        assert report.seconds < 10

    @pytest.mark.parametrize("error", UNTOLD)
    def test_the_mapping_itself_confirms_a_write_whose_status_may_not_be_read(self, error: AsrError) -> None:
        azure = TwoRegions(behaviour=Behaviour(operations="time:3", denied=("*/replicationJobs/read",)))
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        backend = structs.replace(azure.backend, mapping_writer=Speechless(azure.backend.mapping_writer, error))
        report = applying.apply(plan, backend)
        assert set(outcomes(report).values()) == {"succeeded"}
        assert report.seconds < 10

    def test_a_right_granted_while_an_operation_is_polled_is_used(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(operations="time:3", denied=("*/replicationJobs/read",)))
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        writer = Speechless(azure.backend.mapping_writer, ForbiddenError("no"), times=2)
        assert applying.apply(plan, structs.replace(azure.backend, mapping_writer=writer)).result == "succeeded"

    @pytest.mark.parametrize("denied", [(), ("*/replicationJobs/read",)], ids=["from the job", "from the operation"])
    def test_a_warning_on_success_is_reported_and_is_no_failure(self, denied: tuple[str, ...]) -> None:
        azure = TwoRegions(behaviour=Behaviour(operations="time:3", denied=denied))
        azure.world.faults.add(Fault(effect="operation_warns", method="PUT", code="28061", message="Disk is full."))
        report = azure.apply(azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))))
        assert report.result == "succeeded"
        assert sorted(change.warnings for change in report.changes) == [(), ("Azure warns: Disk is full.",)]

    def test_a_hundred_pairs_cost_few_requests_and_little_more_than_the_floor(self) -> None:
        """The floor: a fresh list, all writes four at a time, one operation, one list of jobs and one read-back."""
        azure = TwoRegions(behaviour=Behaviour(operations="time:3", latency=0.1))
        rows = [row(azure.network(f"n{i}"), azure.network(f"r{i}", SEA)) for i in range(100)]
        plan = azure.plan(azure.state(*rows))
        before = sum(azure.backend.requests().values())
        report = azure.apply(plan)
        floor = 0.1 + 200 / 4 * 0.1 + 3.0 + 0.1 + 0.1
        assert report.result == "succeeded"
        assert sum(report.requests.values()) - before <= 1.2 * 200
        assert report.seconds <= 1.25 * floor


class TestReadBack:
    def test_a_write_that_is_missing_afterwards_is_not_reported_as_succeeded(self) -> None:
        azure = TwoRegions(operations="time:3")
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        plan = azure.plan(azure.state(row(hub, dr)))

        def undo(progress: Progress) -> None:
            if progress.state == "done" and progress.name == "hub-to-dr":
                azure.world.state.remove_mapping(plan.changes[0].resource_id)

        report = applying.apply(plan, azure.backend, on_progress=undo)
        assert outcomes(report) == {"sea:hub:forward": "failed", "sea:hub:reverse": "succeeded"}
        assert "not there" in (report.changes[0].error or "")

    def test_a_mapping_with_that_name_and_target_but_another_network_belongs_to_others(self) -> None:
        azure = TwoRegions(operations="time:3")
        hub, other, dr = azure.network("hub"), azure.network("other"), azure.network("dr", SEA)
        plan = azure.plan(azure.state(row(hub, dr)))

        def take(progress: Progress) -> None:
            if progress.state == "done" and progress.name == "hub-to-dr":
                azure.map(other, dr, name="hub-to-dr")

        report = applying.apply(plan, azure.backend, on_progress=take)
        assert outcomes(report) == {"sea:hub:forward": "failed", "sea:hub:reverse": "succeeded"}
        assert "is the mapping of" in (report.changes[0].error or "")

    def test_a_mapping_that_is_still_not_paired_after_its_repair_is_not_reported_as_succeeded(self) -> None:
        azure = TwoRegions(operations="time:3")
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        azure.map_both(hub, dr)
        broken = structs.replace(next(iter(azure.world.state.mappings)), state="NotPaired")
        azure.build.add(broken)
        plan = azure.plan(azure.state(row(hub, dr)))

        def break_again(progress: Progress) -> None:
            if progress.state == "done":
                azure.build.add(broken)

        assert azure.apply(plan).result == "succeeded"
        azure.build.add(broken)
        report = applying.apply(plan, azure.backend, on_progress=break_again)
        assert [change.outcome for change in report.changes] == ["failed"]
        assert "is in state NotPaired" in (report.changes[0].error or "")

    def test_a_list_that_lags_is_checked_by_id(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(operations="time:3", list_lag=60.0))
        azure.clock.advance(120)
        report = azure.apply(azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))))
        assert report.result != "failed"


class TestInterruption:
    def test_ctrl_c_stops_submitting_and_reports_what_is_in_flight(self) -> None:
        azure = TwoRegions(operations="time:30")
        rows = [row(azure.network(f"n{i}"), azure.network(f"r{i}", SEA)) for i in range(20)]
        desired = azure.state(*rows)
        seen: list[Progress] = []

        def press(progress: Progress) -> None:
            seen.append(progress)
            if len(seen) == 4:
                raise KeyboardInterrupt

        report = applying.apply(azure.plan(desired), azure.backend, on_progress=press)
        assert report.interrupted
        assert set(outcomes(report).values()) == {"in_flight", "skipped"}
        said = {change.outcome: change.error or "" for change in report.changes}
        assert said["skipped"] == "not started when the run was interrupted"

    def test_a_write_not_yet_sent_is_not_reported_as_accepted(self) -> None:
        azure = TwoRegions(operations="time:30")
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))

        def press(_: Progress) -> None:
            raise KeyboardInterrupt

        report = applying.apply(plan, azure.backend, on_progress=press)
        assert {change.outcome: change.error for change in report.changes} == {
            "in_flight": "being sent when the run ended, and perhaps accepted by Azure; plan again to see",
            "skipped": "not started when the run was interrupted",
        }

    def test_a_write_that_ctrl_c_left_unread_is_not_reported_as_succeeded(self) -> None:
        azure = TwoRegions()
        rows = [row(azure.network(f"n{i}"), azure.network(f"r{i}", SEA)) for i in range(3)]
        plan = azure.plan(azure.state(*rows))

        def press(progress: Progress) -> None:
            if progress.state == "done":
                raise KeyboardInterrupt

        report = applying.apply(plan, azure.backend, on_progress=press)
        done = [change for change in report.changes if "not read back" in (change.error or "")]
        assert done
        assert {change.outcome for change in done} == {"in_flight"}
        assert "succeeded" not in outcomes(report).values()

    @pytest.mark.parametrize(
        ("action", "state", "outcome", "where"),
        [
            ("delete", "sending", "in_flight", "the delete of old-to-hub was being sent when the run ended"),
            ("delete", "done", "failed", "started but not finished: deleted old-to-hub; then the run was interrupted"),
            ("update", "sending", "in_flight", "deleted old-to-hub; the update of hub-to-old was being sent when"),
            ("update", "done", "failed", "started but not finished: deleted old-to-hub and updated hub-to-old; then"),
        ],
    )
    def test_a_retarget_that_ctrl_c_cut_says_which_steps_are_done(
        self, action: str, state: str, outcome: str, where: str
    ) -> None:
        azure = TwoRegions(operations="time:3")
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map_both(hub, old)
        plan = azure.plan(azure.state(row(hub, new)))

        def press(progress: Progress) -> None:
            if (progress.action, progress.state) == (action, state):
                raise KeyboardInterrupt

        [change] = applying.apply(plan, azure.backend, on_progress=press).changes
        assert (change.outcome, where in (change.error or "")) == (outcome, True), change.error

    @pytest.mark.parametrize("moment", [("PATCH", "failed"), ("DELETE", "done")])
    def test_nothing_is_put_back_after_ctrl_c(self, moment: tuple[str, str]) -> None:
        azure = TwoRegions(operations="time:3")
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map_both(hub, old)
        plan = azure.plan(azure.state(row(hub, new)))
        for method in ("PATCH", "PUT"):
            azure.world.faults.add(Fault(effect="refused", method=method, path="*/hub-to-old", status=409, code="No"))
        action, state = {"PATCH": "update", "DELETE": "delete"}[moment[0]], moment[1]

        def press(progress: Progress) -> None:
            if (progress.action, progress.state) == (action, state):
                raise KeyboardInterrupt

        report = applying.apply(plan, azure.backend, on_progress=press)
        assert report.interrupted
        assert azure.mappings() == {"hub": "old"}
        assert outcomes(report) == {"sea:hub:forward": "failed"}
        assert "putting it back" not in (report.changes[0].error or "")
        assert "deleted old-to-hub" in (report.changes[0].error or "")

    def test_nothing_is_put_back_where_the_answer_comes_after_ctrl_c(self) -> None:
        """Ctrl-C arrives while the job of another pair is read and the PUT is in flight."""
        azure = TwoRegions(operations="time:3")
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map_both(hub, old)
        azure.world.faults.add(Fault(effect="operation_never_ends", method="PUT", path="*/other-to-*"))
        plan = azure.plan(azure.state(row(hub, new), row(azure.network("other"), azure.network("dr", SEA))))
        reader, writer = azure.backend.mappings, azure.backend.mapping_writer
        put_is_out: list[bool] = []

        class Slow:
            """A writer whose PATCH fails, and whose PUT is refused when the run is being stopped."""

            def __getattr__(self, name: str) -> Any:
                return getattr(writer, name)

            def patch_mapping(self, _: NetworkMapping) -> Operation | None:
                raise ConflictError("no", status=409)

            def put_mapping(self, _: NetworkMapping) -> Operation | None:
                put_is_out.append(True)
                with suppress(InterruptedError):
                    azure.clock.sleep(60.0)
                raise ConflictError("no", status=409)

        class Pressed:
            """A reader during whose list of jobs Ctrl-C is pressed."""

            def __getattr__(self, name: str) -> Any:
                return getattr(reader, name)

            def jobs(self, vault: ArmId, **filters: Any) -> Iterable[Job]:
                if put_is_out:
                    raise KeyboardInterrupt
                return reader.jobs(vault, **filters)

        report = applying.apply(plan, structs.replace(azure.backend, mappings=Pressed(), mapping_writer=Slow()))
        assert report.interrupted
        assert azure.mappings()["hub"] == "old"
        assert "old" not in azure.mappings()
        (moved,) = (change for change in report.changes if change.pair == "hub")
        assert moved.outcome == "failed"
        assert "putting it back" not in (moved.error or "")

    def test_ctrl_c_while_reading_back_loses_neither_the_report_nor_the_audit(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        entries: list[AuditEntry] = []
        reader = Impatient(azure.backend.mappings, patience=1)
        backend = structs.replace(azure.backend, mappings=reader)
        report = applying.apply(plan, backend, on_write=entries.append)
        assert report.interrupted
        assert [entry.action for entry in entries] == ["create", "create"]


def test_a_refused_create_undoes_nothing_that_was_done_before_it() -> None:
    """The forward mapping is right: half of the new pair is better than all of the old one."""
    azure = TwoRegions(operations="time:3")
    hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
    azure.map_both(hub, old)
    desired = azure.state(row(hub, new))
    azure.world.faults.add(Fault(effect="refused", method="PUT", path="*/new-to-hub", status=400, code="No"))
    report = azure.apply(azure.plan(desired))
    assert outcomes(report) == {"sea:hub:forward": "failed"}
    assert azure.mappings() == {"hub": "new"}
    assert azure.apply(azure.plan(desired)).result == "succeeded"


def test_changes_that_depend_on_a_skipped_one_are_skipped() -> None:
    azure = TwoRegions(fabrics=False)
    azure.build.resource_group("rg-asr", location=SEA)
    azure.world.faults.add(Fault(effect="policy_denied", method="PUT", kind="replicationfabrics", times=0))
    desired = azure.state(row(azure.network("app"), None), create_fabrics=True)
    report = azure.apply(azure.plan(desired))
    mappings = [change.outcome for change in report.changes if change.kind == "network_mapping"]
    assert mappings == ["skipped", "skipped"]
    assert report.seconds < 60


def test_a_failed_change_skips_only_its_dependents() -> None:
    azure = TwoRegions()
    azure.build.resource_group("rg-asr", location=SEA)
    azure.world.faults.add(Fault(effect="policy_denied", method="PUT", kind="virtualnetworks"))
    desired = azure.state(row(azure.network("app"), None), row(azure.network("hub"), azure.network("dr", SEA)))
    report = azure.apply(azure.plan(desired))
    assert [(change.pair, change.outcome) for change in report.changes] == [
        ("app", "failed"),
        ("app", "skipped"),
        ("app", "skipped"),
        ("hub", "succeeded"),
        ("hub", "succeeded"),
    ]
    assert report.result == "partial"


def test_when_one_direction_of_a_pair_is_stale_the_other_is_not_started() -> None:
    """One request at a time, so that the second half has not been sent when the first is found stale."""
    azure = TwoRegions()
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    plan = azure.plan(azure.state(row(hub, dr)))

    def squat(progress: Progress) -> None:
        if (progress.name, progress.state) == ("hub-to-dr", "sending"):
            azure.clock.sleep(2.1)
            azure.map(hub, azure.network("theirs", SEA))

    report = applying.apply(plan, azure.backend, Options(per_vault=1), on_progress=squat)
    assert outcomes(report) == {"sea:hub:forward": "stale", "sea:hub:reverse": "stale"}
    assert (report.result, azure.mappings()) == ("refused", {"hub": "theirs"})


def test_a_write_that_somebody_else_already_made_is_not_sent_and_not_reported_as_succeeded() -> None:
    azure = TwoRegions()
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    azure.map(dr, hub)
    plan = azure.plan(azure.state(row(hub, dr)))

    def same(progress: Progress) -> None:
        if progress.state == "sending":
            azure.clock.sleep(2.1)
            azure.map(hub, dr)

    report = applying.apply(plan, azure.backend, on_progress=same)
    assert outcomes(report) == {"sea:hub:forward": "stale"}
    assert "PUT" not in azure.backend.requests()


def test_a_write_that_somebody_else_already_made_stops_no_other_change() -> None:
    azure = TwoRegions(operations="time:3")
    desired, _ = swapped(azure)
    plan = azure.plan(desired)

    def same(progress: Progress) -> None:
        if (progress.name, progress.state) == ("a-to-x", "sending"):
            change = next(change for change in plan.changes if change.name == "a-to-x")
            azure.build.add(change.after)  # type: ignore[arg-type]  # the mapping as the plan would leave it

    report = applying.apply(plan, azure.backend, on_progress=same)
    assert azure.mappings() == {"a": "y", "y": "a", "b": "x", "x": "b"}
    assert azure.world.journal.methods()["PATCH"] == 1
    assert report.result == "succeeded"


def test_a_swap_with_one_stale_half_changes_nothing() -> None:
    azure = TwoRegions(operations="time:3")
    desired, before = swapped(azure)
    third = azure.network("third", SEA)
    plan = azure.plan(desired)

    def move(progress: Progress) -> None:
        if (progress.name, progress.state) == ("a-to-x", "sending") and not progress.undoing:
            moved = next(mapping for mapping in azure.world.state.mappings if mapping.name == "a-to-x")
            azure.build.add(structs.replace(moved, recovery_network_id=third.id))

    report = applying.apply(plan, azure.backend, on_progress=move)
    assert set(outcomes(report).values()) == {"stale"}
    assert report.result == "refused"
    assert azure.mappings() == {**before, "a": "third"}


def test_a_network_that_somebody_makes_exactly_as_planned_is_left_alone() -> None:
    azure = TwoRegions()
    azure.build.resource_group("rg-asr", location=SEA)
    plan = azure.plan(azure.state(row(azure.network("app"), None)))

    def make(progress: Progress) -> None:
        if (progress.name, progress.state) == ("app-asr", "sending"):
            azure.build.add(plan.changes[0].after)  # type: ignore[arg-type]  # the network as the plan would make it

    report = applying.apply(plan, azure.backend, on_progress=make)
    assert report.changes[0].outcome == "stale"
    assert "PUT" not in azure.backend.requests()


def test_a_skipped_change_does_not_hold_up_others_on_its_networks() -> None:
    """The copy for a cannot be created, so a stays; b, which depends on a's writes, does not wait."""
    azure = TwoRegions(operations="time:3")
    azure.build.resource_group("rg-asr", location=SEA)
    a, b, x = azure.network("a"), azure.network("b"), azure.network("x", SEA)
    azure.map_both(a, x)
    azure.world.faults.add(Fault(effect="policy_denied", method="PUT", kind="virtualnetworks"))
    report = azure.apply(azure.plan(azure.state(row(a, None), row(b, x, failback=False))))
    assert azure.mappings() == {"a": "x", "x": "a", "b": "x"}
    assert outcomes(report)["sea:b:forward"] == "succeeded"


def test_a_write_that_somebody_else_already_made_is_not_undone() -> None:
    """Of two pairs that swap, one is retargeted by somebody else and the other is refused."""
    azure = TwoRegions(operations="time:3")
    desired, _ = swapped(azure)
    plan = azure.plan(desired)
    for method in ("PATCH", "PUT"):
        azure.world.faults.add(Fault(effect="refused", method=method, path="*/b-to-y", status=409, code="No", times=0))

    def same(progress: Progress) -> None:
        if (progress.name, progress.state) == ("a-to-x", "sending") and not progress.undoing:
            change = next(change for change in plan.changes if change.name == "a-to-x")
            azure.build.add(change.after)  # type: ignore[arg-type]  # the mapping as the plan would leave it

    applying.apply(plan, azure.backend, on_progress=same)
    assert azure.mappings()["a"] == "y"


class TestSlowAnswers:
    """An old read says nothing about the present."""

    def test_nothing_is_written_where_one_read_takes_longer_than_it_may_be_old(self) -> None:
        azure = TwoRegions()
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map_both(hub, old)
        plan = azure.plan(azure.state(row(hub, new)))
        azure.world.behaviour = structs.replace(azure.world.behaviour, latency=3.0)
        report = azure.apply(plan)
        assert "takes longer than 2 s" in (report.changes[0].error or "")
        assert azure.mappings() == {"hub": "old", "old": "hub"}

    def test_the_name_is_read_where_the_list_takes_longer(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(page_size=1))
        for number in range(12):
            azure.map(azure.network(f"n{number}"), azure.network(f"r{number}", SEA))
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        plan = azure.plan(azure.state(row(hub, dr)))
        azure.world.behaviour = structs.replace(azure.world.behaviour, latency=0.5)
        taken: list[str] = []

        def squat(progress: Progress) -> None:
            if (progress.name, progress.state) == ("hub-to-dr", "sending"):
                # The checks' list took seven seconds, and so would another.
                azure.map(azure.network("other"), dr, name="hub-to-dr")
                taken.append(progress.name)

        report = applying.apply(plan, azure.backend, on_progress=squat)
        assert taken
        assert azure.mappings()["other"] == "dr"
        assert outcomes(report)["sea:hub:forward"] == "stale"

    def test_a_list_that_arrives_while_the_name_is_read_is_used(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(page_size=1))
        for number in range(12):
            azure.map(azure.network(f"n{number}"), azure.network(f"r{number}", SEA))
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        plan = azure.plan(azure.state(row(hub, dr, failback=False)))
        azure.world.behaviour = structs.replace(azure.world.behaviour, latency=0.5)
        backend = structs.replace(azure.backend, mappings=Queueing(azure, seconds=10.0))

        def map_it(progress: Progress) -> None:
            if (progress.name, progress.state) == ("hub-to-dr", "sending"):
                # The checks' list does not show it; the next list is read while the GET by name waits.
                azure.map(hub, azure.network("elsewhere", SEA), name="portal")

        report = applying.apply(plan, backend, on_progress=map_it)
        assert outcomes(report)["sea:hub:forward"] == "stale"
        assert azure.world.journal.methods()["PUT"] == 0

    def test_the_name_is_read_where_the_list_becomes_too_old_while_another_mapping_is_read(self) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        plan = azure.plan(azure.state(row(hub, dr, failback=False)))
        deleted = azure.map(hub, azure.network("old", SEA), name="deleted")
        azure.backend.mapping_writer.delete_mapping(deleted.id)

        def squat() -> None:
            azure.map(azure.network("other"), dr, name="hub-to-dr")

        azure.world.behaviour = structs.replace(azure.world.behaviour, latency=1.5)
        reader = Haunted(azure.backend.mappings, squat)

        def haunt(progress: Progress) -> None:
            if (progress.name, progress.state) == ("hub-to-dr", "sending"):
                azure.clock.sleep(60.0)  # so that the checks' list is too old and another is read
                reader.deleted.append(deleted)

        report = applying.apply(plan, structs.replace(azure.backend, mappings=reader), on_progress=haunt)
        assert azure.mappings() == {"other": "dr"}
        assert outcomes(report)["sea:hub:forward"] == "stale"

    def test_no_fabric_is_created_where_the_list_of_fabrics_takes_longer_than_it_may_be_old(self) -> None:
        azure = TwoRegions(fabrics=False)
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)), create_fabrics=True))
        azure.world.behaviour = structs.replace(azure.world.behaviour, latency=3.0)
        report = azure.apply(plan)
        assert "takes longer than 2 s" in (report.changes[0].error or "")
        assert azure.world.journal.methods()["PUT"] == 0


def test_a_failed_repair_is_not_reported_as_done_because_the_target_was_already_right() -> None:
    azure = TwoRegions(operations="time:3")
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    azure.map_both(hub, dr)
    azure.build.add(structs.replace(next(iter(azure.world.state.mappings)), state="NotPaired"))
    plan = azure.plan(azure.state(row(hub, dr)))
    azure.world.faults.add(Fault(effect="refused", method="PATCH", status=500, code="Oops"))
    report = azure.apply(plan)
    assert report.result == "succeeded"
    assert azure.world.journal.methods()["PUT"] == 1


def test_where_the_service_has_no_patch_only_the_first_update_tries_one() -> None:
    azure = TwoRegions(behaviour=Behaviour(operations="time:3", patch="reject_405"))
    rows = [row(azure.network(f"n{i}"), azure.network(f"new{i}", SEA), failback=False) for i in range(3)]
    for i in range(3):
        azure.map(azure.network(f"n{i}"), azure.network(f"old{i}", SEA))
    report = azure.apply(azure.plan(azure.state(*rows)), per_vault=1)
    assert report.result == "succeeded"
    assert azure.world.journal.methods()["PUT"] == 3
    assert azure.world.journal.methods()["PATCH"] == 1


def test_a_fabric_that_somebody_creates_at_the_last_moment_is_not_created_twice() -> None:
    azure = TwoRegions(fabrics=False)
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)), create_fabrics=True))

    def make(progress: Progress) -> None:
        if (progress.name, progress.state) == (f"asr-a2a-default-{EA}", "sending"):
            azure.build.azure_fabric(azure.vault, EA, name="by-hand")

    report = applying.apply(plan, azure.backend, on_progress=make)
    assert outcomes(report)[f"sea:fabric:{EA}"] == "stale"
    places = [str(fabric.location) for fabric in azure.world.fabrics.list(azure.vault.id)]
    assert places.count(EA) == 1
