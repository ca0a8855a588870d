"""Applying changes of machines: the first machine, staleness, comparison, and undoing."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from typing import Any

import pytest
from followers import Followers
from msgspec import structs
from states import EA, SEA

from asrnet import applying
from asrnet.applying import AppliedChange, AuditEntry, Options, Progress, Report
from asrnet.applying.looks import MAX_AGE, Looks
from asrnet.errors import NotFoundError, RefusedError, ServiceError
from asrnet.fake.faults import Fault
from asrnet.model.arm import ArmId
from asrnet.model.azure import ProtectedItem
from asrnet.model.machine_update import updatable_document
from asrnet.ports import MappingReader, MappingWriter, Operation

ITEMS = "replicationprotecteditems"
NOT_DONE = "accepted, but not done: Azure reports no error, and after 90 s it still fails over to old (web)"


class Writer:
    """A MappingWriter whose updates of machines can be watched and interfered with."""

    def __init__(self, writer: MappingWriter) -> None:
        self._writer = writer
        self.operation = writer.operation
        self.create_fabric = writer.create_fabric
        self.create_mapping = writer.create_mapping
        self.put_mapping = writer.put_mapping
        self.patch_mapping = writer.patch_mapping
        self.delete_mapping = writer.delete_mapping
        self.updated: list[str] = []

    def update_item(self, item: ProtectedItem) -> Operation | None:
        self.updated.append(item.friendly_name)
        return self._writer.update_item(item)


class LosesTestNames(Writer):
    """An Azure that loses a setting of every NIC that it updates, whatever the request says."""

    def update_item(self, item: ProtectedItem) -> Operation | None:
        nics = tuple(structs.replace(nic, settings={**nic.settings, "tfoNicName": "lost"}) for nic in item.nics)
        return super().update_item(structs.replace(item, nics=nics))


class DoneAndAnsweredWith500(Writer):
    """An Azure that updates a machine and answers that it could not."""

    def update_item(self, item: ProtectedItem) -> Operation | None:
        super().update_item(item)
        raise ServiceError("Something went wrong.", status=500)


def with_writer(azure: Followers, writer: type[Writer]) -> Writer:
    made = writer(azure.backend.mapping_writer)
    azure.backend = structs.replace(azure.backend, mapping_writer=made)
    return made


class LateReader:
    """A MappingReader that shows old machines until that many seconds after the first PATCH."""

    def __init__(self, azure: Followers, *, seconds: float) -> None:
        self._azure = azure
        self._seconds = seconds
        self._reader: MappingReader = azure.backend.mappings
        self._before = azure.items()
        self.reads = 0
        for name in ("vault_location", "fabrics", "mappings", "mapping", "jobs"):
            setattr(self, name, getattr(self._reader, name))

    def _is_late(self) -> bool:
        sent = self._azure.called("update_item")
        return bool(sent) and self._azure.clock.now() - sent[0].time < self._seconds

    def protected_items(self, vault: ArmId) -> Iterable[ProtectedItem]:
        self.reads += 1
        items = tuple(self._reader.protected_items(vault))
        return tuple(self._before.values()) if self._is_late() else items

    def protected_item(self, item_id: ArmId) -> ProtectedItem | None:
        self.reads += 1
        item = self._reader.protected_item(item_id)
        return self._before[item.friendly_name] if item and self._is_late() else item


def of(report: Report, name: str) -> AppliedChange:
    return next(change for change in report.changes if change.name == name)


def patches(azure: Followers) -> list[str]:
    return [call.name for call in azure.called("update_item")]


class TestConvergence:
    @pytest.mark.parametrize("partial_update", ["keep", "lose"])
    @pytest.mark.parametrize("operations", ["immediate", "time:3", "manual:2"])
    def test_after_a_successful_apply_all_machines_are_moved_and_the_plan_is_empty(
        self, operations: str, partial_update: str
    ) -> None:
        azure = Followers(5, operations=operations, partial_update=partial_update)
        report = azure.apply(azure.planned())
        assert report.result == "succeeded"
        assert set(azure.destinations().values()) == {"new"}
        assert azure.planned().changes == ()

    @pytest.mark.parametrize("partial_update", ["keep", "lose"])
    def test_nothing_of_a_machine_changes_but_its_network(self, partial_update: str) -> None:
        azure = Followers(3, partial_update=partial_update)
        before = {name: updatable_document(item) for name, item in azure.items().items()}
        azure.apply(azure.planned())
        after = {name: updatable_document(item) for name, item in azure.items().items()}
        for name, document in after.items():
            assert {key for key in document if document[key] != before[name].get(key)} == {
                "selectedRecoveryAzureNetworkId"
            }

    def test_machines_follow_after_the_mapping_they_follow(self) -> None:
        azure = Followers(2, mapped_to="old", operations="time:3")
        assert azure.apply(azure.planned()).result == "succeeded"
        writes = azure.called("create_mapping", "put_mapping", "patch_mapping", "delete_mapping", "update_item")
        assert [call.method for call in writes[-2:]] == ["update_item", "update_item"]
        assert len(writes) > 2
        assert azure.planned().changes == ()

    def test_a_machine_whose_mapping_fails_is_left_alone(self) -> None:
        azure = Followers(1, mapped_to="")
        azure.world.faults.add(Fault(effect="refused", method="PUT", kind="replicationnetworkmappings", times=0))
        report = azure.apply(azure.planned())
        assert of(report, "vm001").outcome == "skipped"
        assert azure.destinations() == {"vm001": "old"}

    def test_progress_calls_a_machine_by_its_name(self) -> None:
        azure = Followers(1)
        seen: list[Progress] = []
        applying.apply(azure.planned(), azure.backend, on_progress=seen.append)
        assert [(progress.name, progress.state) for progress in seen] == [("vm001", "sending"), ("vm001", "done")]


class TestTheFirstMachine:
    def test_the_first_machine_is_updated_alone_and_the_others_after_it_is_read_back(self) -> None:
        azure = Followers(6, operations="time:3", latency=0.1)
        azure.apply(azure.planned())
        first, *others = azure.called("update_item")
        reads = [call.time for call in azure.called("protected_item") if call.name == first.name]
        assert [read for read in reads if first.time + 3 <= read <= others[0].time]
        assert others[-1].time - others[0].time < 1

    def test_where_azure_changes_more_than_was_asked_no_other_machine_is_touched(self) -> None:
        azure = Followers(5)
        writer = with_writer(azure, LosesTestNames)
        report = azure.apply(azure.planned())
        assert writer.updated == ["vm001"]
        first = of(report, "vm001")
        assert first.outcome == "failed"
        assert "vmNics[" in str(first.error)
        assert 'tfoNicName ("nic-in-test" became "lost")' in str(first.error)
        assert [of(report, f"vm00{number}").outcome for number in range(2, 6)] == ["skipped"] * 4
        assert all(of(report, f"vm00{number}").refused for number in range(2, 6))
        other = of(report, "vm002")
        assert other.error == "vm001 is updated first in this vault, alone, and its update was not confirmed"
        assert other.hint == "resolve vm001 first, then run again"

    def test_the_printed_undo_command_restores_the_machine(self) -> None:
        azure = Followers(1)
        before = azure.items()["vm001"]
        with_writer(azure, LosesTestNames)
        (change,) = azure.apply(azure.planned()).changes
        command = change.hint.partition("this restores the machine: ")[2]
        run_az(azure, command)
        assert updatable_document(azure.items()["vm001"]) == updatable_document(before)

    def test_the_next_machine_goes_first_where_one_is_stale_or_refused(self) -> None:
        azure = Followers(4)
        plan = azure.planned()
        azure.change("vm001", state="UnplannedFailoverCommitted")
        azure.world.faults.add(Fault(effect="operation_fails", method="PATCH", kind=ITEMS, path="*/vm002"))
        report = azure.apply(plan)
        assert {change.name: change.outcome for change in report.changes} == {
            "vm001": "stale",
            "vm002": "failed",
            "vm003": "succeeded",
            "vm004": "succeeded",
        }

    def test_every_vault_has_its_own_first_machine(self) -> None:
        azure = Followers(2)
        other = azure.build.vault("vault-2", "westus")
        here, there = (azure.build.azure_fabric(other, place) for place in (EA, SEA))
        azure.build.pair(here, azure.hub, there, azure.new)
        nic = azure.items()["vm001"].nics[0]
        azure.build.protected_item("there", here, there, nic, recovery_network_id=azure.old.id)
        desired = azure.desired()
        vaults = (*desired.vaults, structs.replace(desired.vaults[0], name="two", id=other.id))
        rows = (*desired.pairs, structs.replace(desired.pairs[0], name="there", vault="two"))
        desired = structs.replace(desired, vaults=vaults, pairs=rows)
        azure.world.faults.add(Fault(effect="operation_does_nothing", method="PATCH", path="*/vm001"))
        report = azure.apply(azure.plan(desired))
        assert of(report, "there").outcome == "succeeded"
        assert [of(report, name).outcome for name in ("vm001", "vm002")] == ["failed", "skipped"]


class TestHintsAndWarnings:
    def test_the_others_wait_for_the_job_of_the_first_machine(self) -> None:
        azure = Followers(2)
        azure.world.faults.add(Fault(effect="operation_never_ends", method="PATCH", path="*/vm001"))
        report = azure.apply(azure.planned())
        first, second = of(report, "vm001"), of(report, "vm002")
        assert (first.outcome, second.outcome) == ("in_flight", "skipped")
        assert re.fullmatch("see the job [0-9a-f-]{36} among the Site Recovery jobs of the vault", first.hint)
        assert second.error == "vm001 is updated first in this vault, alone, and its update has not ended"
        assert second.hint == "wait until its job has ended, then run again"

    def test_a_machine_names_the_mapping_that_it_waits_for(self) -> None:
        azure = Followers(1, mapped_to="old")
        plan = azure.planned()
        azure.world.faults.add(Fault(effect="refused", method="*", kind="replicationnetworkmappings", times=0, after=1))
        machine = of(azure.apply(plan), "vm001")
        assert (machine.outcome, machine.error) == ("skipped", "depends on hub-to-old, which was not done")

    def test_a_right_that_is_missing_at_the_update_names_the_role_that_has_it(self) -> None:
        azure = Followers(1)
        azure.world.faults.add(Fault(effect="forbidden", method="PATCH", kind=ITEMS))
        machine = of(azure.apply(azure.planned()), "vm001")
        assert machine.outcome == "failed"
        assert machine.hint.endswith("'asrnet permissions --for machines' prints a role that has it")


class TestReadBack:
    def test_a_warning_of_the_job_is_reported_with_the_machine(self) -> None:
        azure = Followers(2, operations="time:3")
        warning = Fault(effect="operation_warns", method="PATCH", path="*/vm002", message="The size is not available.")
        azure.world.faults.add(warning)
        report = azure.apply(azure.planned())
        assert (report.result, of(report, "vm001").warnings) == ("succeeded", ())
        assert of(report, "vm002").warnings == ("Azure warns: The size is not available.",)

    @pytest.mark.parametrize("machines", [1, 6])
    def test_an_update_that_appears_late_is_waited_for(self, machines: int) -> None:
        azure = Followers(machines)
        plan = azure.planned()
        late: Any = LateReader(azure, seconds=60)
        azure.backend = structs.replace(azure.backend, mappings=late)
        assert azure.apply(plan).result == "succeeded"

    def test_a_longer_lag_of_lists_makes_no_update_a_failure(self) -> None:
        azure = Followers(6)
        plan = azure.planned()

        class LateLists(LateReader):
            def protected_item(self, item_id: ArmId) -> ProtectedItem | None:
                return self._reader.protected_item(item_id)

        late: Any = LateLists(azure, seconds=1000)
        azure.backend = structs.replace(azure.backend, mappings=late)
        assert azure.apply(plan).result == "succeeded"

    def test_an_accepted_update_that_never_appears_is_a_failure(self) -> None:
        azure = Followers(1)
        azure.world.faults.add(Fault(effect="operation_does_nothing", method="PATCH"))
        report = azure.apply(azure.planned())
        assert of(report, "vm001").outcome == "failed"
        assert of(report, "vm001").error == NOT_DONE
        assert of(report, "vm001").hint == (
            "plan again in some minutes, because updates may show late; if this one does not, select the networks "
            "in the portal: vault vault-dr > Replicated items > the machine > Network > Edit"
        )
        assert 90 <= report.seconds <= 110

    def test_of_many_updates_only_the_one_that_never_appears_fails_and_the_wait_is_the_same(self) -> None:
        azure = Followers(8)
        azure.world.faults.add(Fault(effect="operation_does_nothing", method="PATCH", path="*/vm005"))
        report = azure.apply(azure.planned())
        failed = {change.name: change.error for change in report.changes if change.outcome != "succeeded"}
        assert failed == {"vm005": NOT_DONE}
        assert "select the networks in the portal" in of(report, "vm005").hint
        assert 90 <= report.seconds <= 110

    def test_another_machine_that_lost_something_is_named(self) -> None:
        azure = Followers(6)
        plan = azure.planned()

        class LosesLater(LosesTestNames):
            def update_item(self, item: ProtectedItem) -> Operation | None:
                if item.friendly_name == "vm004":
                    return super().update_item(item)
                return Writer.update_item(self, item)

        with_writer(azure, LosesLater)
        report = azure.apply(plan)
        failed = {change.name: str(change.error) for change in report.changes if change.outcome != "succeeded"}
        assert list(failed) == ["vm004"]
        assert of(report, "vm004").hint.startswith("this restores the machine: az rest --method patch")

    def test_an_error_that_hides_a_success_is_no_failure(self) -> None:
        azure = Followers(2)
        with_writer(azure, DoneAndAnsweredWith500)
        assert azure.apply(azure.planned()).result == "succeeded"

    def test_a_machine_that_is_missing_afterwards_is_a_failure(self) -> None:
        azure = Followers(1)
        plan = azure.planned()

        class Deletes(Writer):
            def update_item(self, item: ProtectedItem) -> Operation | None:
                operation = super().update_item(item)
                azure.world.state.remove_item(item.id)
                return operation

        with_writer(azure, Deletes)
        assert of(azure.apply(plan), "vm001").error == "accepted, but the machine is gone now"


class TestStaleness:
    @pytest.mark.parametrize(
        "members",
        [
            {"state": "UnplannedFailoverCommitted"},
            {"test_failover_state": "WaitingForCompletion"},
            {"recovery_group_id": ArmId("/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-new")},
            {"settings": {"recoveryAvailabilityZone": "3"}},
        ],
    )
    def test_a_machine_that_somebody_has_changed_is_stale(self, members: dict[str, Any]) -> None:
        azure = Followers(1)
        plan = azure.planned()
        azure.change("vm001", **members)
        report = azure.apply(plan)
        assert (of(report, "vm001").outcome, report.result) == ("stale", "refused")
        assert patches(azure) == []

    def test_a_machine_whose_failover_has_begun_is_stale_though_its_state_is_unchanged(self) -> None:
        azure = Followers(1)
        plan = azure.planned()
        azure.change("vm001", scenario="UnplannedFailover")
        change = of(azure.apply(plan), "vm001")
        assert (change.outcome, change.error) == (
            "stale",
            "UnplannedFailover is under way for vm001 now; plan again",
        )
        assert patches(azure) == []

    def test_a_machine_that_somebody_moved_elsewhere_is_stale_and_its_network_is_named(self) -> None:
        azure = Followers(1)
        plan = azure.planned()
        azure.change("vm001", recovery_network_id=azure.bubble.id, nics=())
        assert of(azure.apply(plan), "vm001").error == "vm001 fails over to bubble now; plan again"

    def test_a_machine_that_somebody_already_moved_there_is_not_written(self) -> None:
        azure = Followers(1)
        plan = azure.planned()
        azure.apply(azure.planned())
        sent = len(patches(azure))
        report = azure.apply(plan)
        assert (of(report, "vm001").outcome, len(patches(azure))) == ("stale", sent)
        assert of(report, "vm001").error == "somebody else has done it meanwhile; plan again"

    def test_a_missing_machine_is_stale(self) -> None:
        azure = Followers(1)
        plan = azure.planned()
        azure.world.state.remove_item(azure.item_id("vm001"))
        assert of(azure.apply(plan), "vm001").error == "vm001 is gone; plan again"

    def test_health_and_heartbeats_make_no_machine_stale(self) -> None:
        azure = Followers(1)
        plan = azure.planned()
        azure.clock.sleep(100)
        azure.world.extras[azure.item_id("vm001").key] = {"lastHeartbeat": "2026-11-30T00:00:00Z"}
        assert azure.apply(plan).result == "succeeded"

    def test_a_machine_whose_names_azure_now_spells_differently_gets_everything_planned(self) -> None:
        azure = Followers(1)
        plan = azure.plan(azure.state(*azure.desired(test=azure.bubble.id).pairs, machines="follow"))
        nics = tuple(
            structs.replace(
                nic,
                name=nic.name.upper(),
                id=nic.id.upper(),
                ip_configurations=tuple(
                    structs.replace(address, name=address.name.upper()) for address in nic.ip_configurations
                ),
            )
            for nic in azure.items()["vm001"].nics
        )
        azure.change("vm001", nics=nics)
        assert azure.apply(plan).result == "succeeded"
        assert [address.test_subnet for address in azure.items()["vm001"].nics[0].ip_configurations] == ["web", "web"]

    def test_a_read_that_is_too_old_is_repeated_before_the_update_is_sent(self) -> None:
        azure = Followers(1)
        (change,) = azure.planned().changes
        _, look = Looks(azure.backend).before_machine(change.steps[0])
        azure.clock.sleep(MAX_AGE + 1)
        azure.change("vm001", settings={"tfoAzureVMName": "theirs"})
        with pytest.raises(RefusedError, match="somebody changed vm001 during its update; plan again"):
            look()

    def test_a_repeated_update_reads_the_machine_again_however_recent_the_last_read(self) -> None:
        azure = Followers(1)
        (change,) = azure.planned().changes
        _, look = Looks(azure.backend).before_machine(change.steps[0])
        look()
        azure.change("vm001", settings={"tfoAzureVMName": "theirs"})
        with pytest.raises(RefusedError, match="somebody changed vm001 during its update; plan again"):
            look()


class TestAudit:
    def entries(self, azure: Followers, **options: Any) -> list[AuditEntry]:
        written: list[AuditEntry] = []
        applying.apply(azure.planned(), azure.backend, Options(**options), on_write=written.append)
        return written

    def test_every_update_has_an_audit_line_with_old_and_new_values(self) -> None:
        azure = Followers(2, operations="time:3")
        first, second = self.entries(azure)
        assert [first.resource_id, second.resource_id] == [str(azure.item_id(name)) for name in ("vm001", "vm002")]
        assert (first.action, first.outcome, first.pair) == ("update", "succeeded", "hub")
        assert first.job_id

    @pytest.mark.parametrize("partial_update", ["keep", "lose"])
    def test_the_command_in_the_audit_undoes_every_setting(self, partial_update: str) -> None:
        azure = Followers(1, partial_update=partial_update)
        before = azure.items()["vm001"]
        (entry,) = self.entries(azure)
        run_az(azure, entry.undo)
        assert updatable_document(azure.items()["vm001"]) == updatable_document(before)

    def test_undoing_an_update_restores_a_released_address(self) -> None:
        azure = Followers(1)
        azure.build.add(
            structs.replace(azure.new, subnets=(structs.replace(azure.new.subnets[0], prefixes=("10.0.9.0/24",)),))
        )
        plan = azure.plan(azure.state(*azure.desired().pairs, machines="follow", release_addresses=True))
        written: list[AuditEntry] = []
        assert applying.apply(plan, azure.backend, on_write=written.append).result == "succeeded"
        assert azure.items()["vm001"].nics[0].ip_configurations[0].recovery_ip is None
        run_az(azure, written[0].undo)
        assert azure.items()["vm001"].nics[0].ip_configurations[0].recovery_ip == "10.0.1.77"


class TestInterruption:
    def test_updates_that_were_not_sent_are_left_for_a_second_run(self) -> None:
        azure = Followers(6, operations="time:3", latency=0.1)
        plan = azure.planned()

        def press(progress: Progress) -> None:
            if progress.name == "vm003":
                raise KeyboardInterrupt

        report = applying.apply(plan, azure.backend, on_progress=press)
        assert report.interrupted
        # The first was read back before the others were sent; the outcome of the others is unknown.
        assert [change.outcome for change in report.changes[:2]] == ["succeeded", "in_flight"]
        azure.clock.resume()
        azure.clock.sleep(10)
        assert azure.apply(azure.planned()).result == "succeeded"
        assert set(azure.destinations().values()) == {"new"}

    def test_the_first_machine_is_in_flight_while_it_is_read_back(self) -> None:
        azure = Followers(2)
        plan = azure.planned()

        class Interrupting(LateReader):
            def protected_item(self, item_id: ArmId) -> ProtectedItem | None:
                if self._is_late():
                    raise KeyboardInterrupt
                return super().protected_item(item_id)

        late: Any = Interrupting(azure, seconds=1000)
        azure.backend = structs.replace(azure.backend, mappings=late)
        report = azure.apply(plan)
        assert report.interrupted
        assert [change.outcome for change in report.changes] == ["in_flight", "skipped"]


class TestLimits:
    def test_more_machines_than_allowed_refuse_the_vault_before_anything_is_written(self) -> None:
        azure = Followers(4)
        desired = structs.replace(azure.desired(), limits=structs.replace(azure.desired().limits, max_machines=3))
        with pytest.raises(Exception, match="max_machines is 3"):
            azure.apply(azure.plan(desired))
        assert patches(azure) == []


def run_az(azure: Followers, command: str) -> None:
    """Apply the body of an ``az rest --method patch``."""
    words = shlex.split(command)
    assert words[:4] == ["az", "rest", "--method", "patch"]
    url, body = words[words.index("--url") + 1], json.loads(words[words.index("--body") + 1])
    azure.world.protected_items.update(ArmId(url.partition("?")[0]), body["properties"])


def test_a_machine_that_does_not_exist_cannot_be_updated() -> None:
    azure = Followers(1)
    item = azure.items()["vm001"]
    azure.world.state.remove_item(item.id)
    with pytest.raises(NotFoundError):
        azure.backend.mapping_writer.update_item(item)
