"""Carrying out plans: order, waiting, refusals, roll-back, staleness, read-back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, outcomes, row

from asrnet import applying
from asrnet.applying import AuditEntry, Options, Progress
from asrnet.changes import Limits
from asrnet.errors import AsrError, ForbiddenError, NotFoundError, RefusedError
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.faults import Fault
from asrnet.ids import ArmId
from asrnet.models import LiveMapping, Nic
from asrnet.ports import MappingReader, MappingWriter, Operation, OperationStatus

MAPPINGS = "replicationnetworkmappings"


def swapped(azure: TwoRegions) -> tuple[Any, dict[str, str]]:
    """Two live pairs a-x and b-y, and the desired state that swaps their targets."""
    a, b, x, y = azure.network("a"), azure.network("b"), azure.network("x", SEA), azure.network("y", SEA)
    azure.map_both(a, x)
    azure.map_both(b, y)
    return azure.state(row(a, y), row(b, x)), azure.mappings()


class Speechless:
    """A MappingWriter that never tells where an operation stands."""

    def __init__(self, writer: MappingWriter, error: AsrError) -> None:
        self._error = error
        self.create_fabric = writer.create_fabric
        self.create_mapping = writer.create_mapping
        self.update_mapping = writer.update_mapping
        self.delete_mapping = writer.delete_mapping

    def operation(self, operation: Operation) -> OperationStatus:  # noqa: ARG002 - whichever is asked about
        raise self._error


class Impatient:
    """A MappingReader during which somebody presses Ctrl-C, after ``patience`` lists of mappings."""

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

    def test_a_swap_goes_all_deletes_then_all_updates_then_all_creates(self) -> None:
        azure = TwoRegions(operations="time:3")
        desired, _ = swapped(azure)
        sent: list[str] = []

        def note(progress: Progress) -> None:
            if progress.state == "sending":
                sent.append(progress.action)

        applying.apply(azure.plan(desired), azure.backend, on_progress=note)
        assert sent == ["delete", "delete", "update", "update", "create", "create"]
        assert azure.mappings() == {"a": "y", "y": "a", "b": "x", "x": "b"}

    def test_nothing_to_do_sends_nothing(self) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        azure.map_both(hub, dr)
        plan = azure.plan(azure.state(row(hub, dr)))
        before = dict(azure.backend.requests())
        assert azure.apply(plan).result == "nothing_to_do"
        assert dict(azure.backend.requests()) == before


class TestWaiting:
    def test_a_pair_takes_seconds_although_the_service_says_to_come_back_in_thirty(self) -> None:
        azure = TwoRegions(operations="time:3")
        report = azure.apply(azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))))
        assert report.result == "succeeded"
        assert report.seconds == pytest.approx(3.0)

    def test_a_job_list_that_is_denied_falls_back_to_the_operations_own_url(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(operations="time:3", denied=("*/replicationJobs/read",)))
        report = azure.apply(azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))))
        assert report.result == "succeeded"

    def test_an_operation_that_never_ends_is_reported_in_flight(self) -> None:
        azure = TwoRegions(operations="time:3")
        azure.world.faults.add(Fault(effect="operation_never_ends", method="PUT", path="*hub-to-dr*"))
        report = azure.apply(azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))), timeout=60.0)
        assert outcomes(report) == {"sea:hub:forward": "in_flight", "sea:hub:reverse": "succeeded"}
        assert (report.result, 60 <= report.seconds <= 70) == ("partial", True)

    def test_a_failed_operation_fails_its_change_with_the_services_words(self) -> None:
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
    def test_a_failed_job_is_believed_where_its_operation_says_nothing(self, error: AsrError) -> None:
        azure = TwoRegions(operations="time:3")
        azure.world.faults.add(Fault(effect="operation_fails", method="PUT", path="*hub-to-dr*", code="28020"))
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        backend = structs.replace(azure.backend, mapping_writer=Speechless(azure.backend.mapping_writer, error))
        report = applying.apply(plan, backend)
        assert outcomes(report) == {"sea:hub:forward": "failed", "sea:hub:reverse": "succeeded"}
        assert "not there" not in (report.changes[0].error or "")
        assert report.seconds < 10

    def test_a_warning_beside_success_is_no_failure(self) -> None:
        azure = TwoRegions(operations="time:3")
        azure.world.faults.add(Fault(effect="operation_warns", method="PUT", times=2, code="28061"))
        report = azure.apply(azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)))))
        assert report.result == "succeeded"

    def test_a_hundred_pairs_cost_few_requests_and_little_more_than_the_floor(self) -> None:
        """The floor: a fresh list, all writes four at a time, one operation, one look and one read-back."""
        azure = TwoRegions(behaviour=Behaviour(operations="time:3", latency=0.1))
        rows = [row(azure.network(f"n{i}"), azure.network(f"r{i}", SEA)) for i in range(100)]
        plan = azure.plan(azure.state(*rows))
        before = sum(azure.backend.requests().values())
        report = azure.apply(plan)
        floor = 0.1 + 200 / 4 * 0.1 + 3.0 + 0.1 + 0.1
        assert report.result == "succeeded"
        assert sum(report.requests.values()) - before <= 1.2 * 200
        assert report.seconds <= 1.25 * floor


class TestRollBack:
    @pytest.mark.parametrize("which", ["a", "b"])
    @pytest.mark.parametrize("effect", ["refused", "operation_fails"])
    def test_an_update_refused_in_a_swap_puts_everything_back(self, which: str, effect: Any) -> None:
        azure = TwoRegions(operations="time:3")
        desired, before = swapped(azure)
        azure.world.faults.add(Fault(effect=effect, method="PATCH", path=f"*/{which}-to-*", code="Refused", status=409))
        report = azure.apply(azure.plan(desired))
        assert azure.mappings() == before
        assert set(outcomes(report).values()) == {"rolled_back"}
        assert report.result == "failed"

    def test_the_reverse_comes_back_under_its_old_name(self) -> None:
        azure = TwoRegions()
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map(hub, old)
        azure.map(old, hub, name="made-by-hand")
        azure.world.faults.add(Fault(effect="refused", method="PATCH", status=400, times=0, code="No"))
        azure.world.faults.add(
            Fault(effect="refused", method="PUT", path="*/hub-to-old", status=400, times=0, code="No")
        )
        azure.apply(azure.plan(azure.state(row(hub, new))))
        assert "made-by-hand" in {mapping.name for mapping in azure.world.mappings.list(azure.vault.id)}

    def test_a_delete_that_is_refused_leaves_everything_as_it_was(self) -> None:
        azure = TwoRegions()
        desired, before = swapped(azure)
        azure.world.faults.add(Fault(effect="scope_locked", method="DELETE", path="*x-to-a*"))
        report = azure.apply(azure.plan(desired))
        assert azure.mappings() == before
        assert sorted(outcomes(report).values()) == ["failed", "rolled_back"]

    def test_the_next_run_finishes_what_a_refusal_stopped(self) -> None:
        azure = TwoRegions()
        desired, _ = swapped(azure)
        azure.world.faults.add(Fault(effect="refused", method="PATCH", status=409, code="Busy"))
        azure.apply(azure.plan(desired))
        assert azure.apply(azure.plan(desired)).result == "succeeded"
        assert azure.plan(desired).changes == ()

    def test_a_network_that_cannot_be_made_keeps_all_who_trade_places_with_its_pair_from_beginning(self) -> None:
        """a takes y, from which b moves on to a copy: without the copy the reverse of y stays b's, and a must wait."""
        azure = TwoRegions(operations="time:3")
        azure.build.resource_group("rg-asr", location=SEA)
        a, b, x, y = azure.network("a"), azure.network("b"), azure.network("x", SEA), azure.network("y", SEA)
        azure.map_both(a, x)
        azure.map_both(b, y)
        before = azure.mappings()
        azure.world.faults.add(Fault(effect="policy_denied", method="PUT", kind="virtualnetworks"))
        desired = azure.state(row(a, y), row(b, None))
        report = azure.apply(azure.plan(desired))
        assert [change.outcome for change in report.changes] == ["failed", "skipped", "skipped"]
        assert azure.mappings() == before
        assert azure.apply(azure.plan(desired)).result == "succeeded"
        assert azure.mappings() == {"a": "y", "y": "a", "b": "b-asr", "b-asr": "b"}

    def test_a_change_that_was_begun_and_not_finished_is_not_called_skipped(self) -> None:
        """Whether an update that was answered with 500 happened is not known, so nothing is put back."""
        azure = TwoRegions()
        desired, _ = swapped(azure)
        azure.world.faults.add(Fault(effect="refused", method="PATCH", path="*/a-to-*", status=500, code="Oops"))
        report = azure.apply(azure.plan(desired))
        assert set(outcomes(report).values()) == {"failed"}
        assert "begun and not finished" in (report.changes[1].error or "")
        assert azure.apply(azure.plan(desired)).result == "succeeded"


class TestStaleness:
    def test_an_identity_that_somebody_mapped_meanwhile_makes_the_pair_stale(self) -> None:
        """Not only the create of that direction: half of the pair would lead back from where nothing leads to."""
        azure = TwoRegions()
        hub, dr, other = azure.network("hub"), azure.network("dr", SEA), azure.network("other", SEA)
        plan = azure.plan(azure.state(row(hub, dr)))
        azure.map(hub, other, name="by-hand")
        report = azure.apply(plan)
        assert outcomes(report) == {"sea:hub:forward": "stale", "sea:hub:reverse": "stale"}
        assert azure.mappings() == {"hub": "other"}

    def test_a_copy_is_not_made_for_a_pair_that_is_stale(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        hub, other = azure.network("hub"), azure.network("other", SEA)
        plan = azure.plan(azure.state(row(hub, None)))
        azure.map(hub, other)
        report = azure.apply(plan)
        assert set(outcomes(report).values()) == {"stale"}
        assert report.result == "refused"
        assert "PUT" not in azure.backend.requests()

    def test_a_name_that_somebody_took_meanwhile_is_never_written_over(self) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        plan = azure.plan(azure.state(row(hub, dr)))
        azure.map(azure.network("else"), azure.network("where", SEA), name="HUB-to-DR")
        azure.apply(plan)
        assert azure.mappings()["else"] == "where"

    def test_a_mapping_that_moved_since_the_plan_is_not_updated(self) -> None:
        azure = TwoRegions()
        hub, old, new, third = (
            azure.network("hub"),
            azure.network("old", SEA),
            azure.network("new", SEA),
            azure.network("third", SEA),
        )
        azure.map_both(hub, old)
        plan = azure.plan(azure.state(row(hub, new)))
        azure.world.faults.add(
            Fault(effect="changed_before", method="GET", path="*/hub-to-old", recovery_network_id=third.id)
        )
        report = azure.apply(plan)
        assert (outcomes(report), report.result) == ({"sea:hub:forward": "stale"}, "refused")
        assert azure.mappings() == {"hub": "third", "old": "hub"}

    def test_a_network_that_exists_meanwhile_is_never_written(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        plan = azure.plan(azure.state(row(azure.network("app"), None)))
        azure.network("app-asr", SEA, group="rg-asr", subnets={"precious": "10.0.9.0/24"})
        report = azure.apply(plan)
        assert [change.outcome for change in report.changes] == ["stale", "skipped", "skipped"]
        there = azure.world.virtual_networks.get(plan.changes[0].resource_id)
        assert [subnet.name for subnet in there.subnets] == ["precious"]

    def test_a_fabric_that_exists_meanwhile_is_not_made_again_under_another_name(self) -> None:
        azure = TwoRegions(fabrics=False)
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)), create_fabrics=True))
        azure.build.azure_fabric(azure.vault, EA, name="by-hand")
        assert outcomes(azure.apply(plan))[f"sea:fabric:{EA}"] == "stale"
        places = [fabric.location for fabric in azure.world.fabrics.list(azure.vault.id)]
        assert sorted(str(place) for place in places) == [EA, SEA]

    def test_vaults_in_which_something_moved_are_left_alone(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        report = azure.apply(plan, stale={"sea": ("mapping x has appeared",)})
        assert (report.result, azure.mappings()) == ("refused", {})
        assert report.changes[0].error == "mapping x has appeared"

    def test_a_change_names_a_few_of_the_things_that_moved_however_many_there_are(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        report = azure.apply(plan, stale={"sea": tuple(f"mapping m{i} is gone" for i in range(1000))})
        said = "mapping m0 is gone; mapping m1 is gone; and 998 more"
        assert [change.error for change in report.changes] == [said, said]


class TestGuards:
    def test_a_failover_that_began_after_the_plan_stops_updates(self) -> None:
        azure = TwoRegions()
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map_both(hub, old)
        plan = azure.plan(azure.state(row(hub, new)))
        nic = Nic(name="nic", primary_network_id=hub.id, recovery_network_id=old.id)
        azure.build.protected_item("vm", azure.fabrics[EA], azure.fabrics[SEA], nic, active_location="Recovery")
        report = azure.apply(plan)
        assert (report.result, outcomes(report)) == ("refused", {"sea:hub:forward": "skipped"})
        assert azure.apply(plan, forced=frozenset({"failover_active"})).result == "succeeded"

    def test_a_plan_over_its_limits_writes_nothing(self) -> None:
        azure = TwoRegions()
        desired, before = swapped(azure)
        plan = azure.plan(structs.replace(desired, limits=Limits(max_updates=1)))
        with pytest.raises(RefusedError, match="max_updates"):
            azure.apply(plan)
        assert azure.mappings() == before


class TestReadBack:
    def test_what_is_not_there_afterwards_is_not_called_succeeded(self) -> None:
        azure = TwoRegions(operations="time:3")
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        plan = azure.plan(azure.state(row(hub, dr)))

        def undo(progress: Progress) -> None:
            if progress.state == "done" and progress.name == "hub-to-dr":
                azure.world.state.remove_mapping(plan.changes[0].resource_id)

        report = applying.apply(plan, azure.backend, on_progress=undo)
        assert outcomes(report) == {"sea:hub:forward": "failed", "sea:hub:reverse": "succeeded"}
        assert "not there" in (report.changes[0].error or "")

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
        assert said["skipped"] == "not begun when the run was interrupted"

    def test_what_was_only_about_to_be_sent_is_not_said_to_be_accepted(self) -> None:
        azure = TwoRegions(operations="time:30")
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))

        def press(_: Progress) -> None:
            raise KeyboardInterrupt

        report = applying.apply(plan, azure.backend, on_progress=press)
        assert {change.outcome: change.error for change in report.changes} == {
            "in_flight": "being sent when the run ended, and perhaps accepted by Azure; plan again to see",
            "skipped": "not begun when the run was interrupted",
        }

    def test_ctrl_c_while_reading_back_loses_neither_the_report_nor_the_audit(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        entries: list[AuditEntry] = []
        reader = Impatient(azure.backend.mappings, patience=1)
        backend = structs.replace(azure.backend, mappings=reader)
        report = applying.apply(plan, backend, on_write=entries.append)
        assert report.interrupted
        assert [entry.action for entry in entries] == ["create", "create"]


def test_a_change_that_fails_skips_what_depends_on_it_and_nothing_else() -> None:
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
