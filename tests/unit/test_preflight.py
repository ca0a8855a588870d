"""The last read before the first write: what has changed since the plan, and active failovers."""

from __future__ import annotations

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, outcomes, row, swapped

from asrnet import applying
from asrnet.applying import Progress
from asrnet.errors import RefusedError
from asrnet.fake.faults import Fault
from asrnet.model.azure import Nic
from asrnet.model.limits import Limits
from asrnet.model.plan import Plan


class TestStaleness:
    def test_a_mapping_that_somebody_created_since_the_plan_makes_the_pair_stale(self) -> None:
        """Both directions are stale: half of the pair would map back a network that no mapping leads to."""
        azure = TwoRegions()
        hub, dr, other = azure.network("hub"), azure.network("dr", SEA), azure.network("other", SEA)
        plan = azure.plan(azure.state(row(hub, dr)))
        azure.map(hub, other, name="by-hand")
        report = azure.apply(plan)
        assert outcomes(report) == {"sea:hub:forward": "stale", "sea:hub:reverse": "stale"}
        assert azure.mappings() == {"hub": "other"}

    def test_a_copy_is_not_created_for_a_stale_pair(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        hub, other = azure.network("hub"), azure.network("other", SEA)
        plan = azure.plan(azure.state(row(hub, None)))
        azure.map(hub, other)
        report = azure.apply(plan)
        assert set(outcomes(report).values()) == {"stale"}
        assert report.result == "refused"
        assert "PUT" not in azure.backend.requests()

    def test_a_network_that_appears_at_the_last_moment_is_not_overwritten(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        plan = azure.plan(azure.state(row(azure.network("hub"), None)))
        (copy,) = (change.resource_id for change in plan.changes if change.kind == "virtual_network")

        def somebody_else(progress: Progress) -> None:
            if (progress.name, progress.state) == (copy.name, "sending"):
                azure.network(copy.name, SEA, group="rg-asr", address_space=["192.168.0.0/16"], subnets={})

        report = applying.apply(plan, azure.backend, on_progress=somebody_else)
        assert set(outcomes(report).values()) == {"stale", "skipped"}
        assert report.result == "refused"
        found = azure.backend.networks.virtual_network(copy)
        assert found is not None
        assert found.address_space == ("192.168.0.0/16",)

    def test_a_name_that_somebody_took_since_the_plan_is_never_overwritten(self) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        plan = azure.plan(azure.state(row(hub, dr)))
        azure.map(azure.network("else"), azure.network("where", SEA), name="HUB-to-DR")
        azure.apply(plan)
        assert azure.mappings()["else"] == "where"

    def test_a_mapping_that_was_retargeted_since_the_plan_is_not_updated(self) -> None:
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
        assert "DELETE" not in azure.backend.requests()

    def test_a_mapping_of_another_network_that_took_the_name_is_not_deleted(self) -> None:
        azure = TwoRegions()
        hub, old, new, other = (
            azure.network("hub"),
            azure.network("old", SEA),
            azure.network("new", SEA),
            azure.network("other", SEA),
        )
        azure.map(hub, old)
        reverse = azure.map(old, hub)
        plan = azure.plan(azure.state(row(hub, new)))
        azure.world.mappings.delete(reverse.id)
        azure.map(other, hub, name=reverse.name)
        report = azure.apply(plan)
        assert (outcomes(report), report.result) == ({"sea:hub:forward": "stale"}, "refused")
        assert azure.mappings() == {"hub": "old", "other": "hub"}

    def test_a_network_created_since_the_plan_is_never_overwritten(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        plan = azure.plan(azure.state(row(azure.network("app"), None)))
        azure.network("app-asr", SEA, group="rg-asr", subnets={"precious": "10.0.9.0/24"})
        report = azure.apply(plan)
        assert [change.outcome for change in report.changes] == ["stale", "skipped", "skipped"]
        there = azure.world.virtual_networks.get(plan.changes[0].resource_id)
        assert [subnet.name for subnet in there.subnets] == ["precious"]

    def test_a_fabric_created_since_the_plan_is_not_created_again_under_another_name(self) -> None:
        azure = TwoRegions(fabrics=False)
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)), create_fabrics=True))
        azure.build.azure_fabric(azure.vault, EA, name="by-hand")
        assert outcomes(azure.apply(plan))[f"sea:fabric:{EA}"] == "stale"
        places = [fabric.location for fabric in azure.world.fabrics.list(azure.vault.id)]
        assert sorted(str(place) for place in places) == [EA, SEA]

    def test_vaults_in_which_something_changed_are_left_alone(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        report = azure.apply(plan, stale={"sea": ("mapping x (pair hub) has appeared", "mapping y has appeared")})
        assert (report.result, azure.mappings()) == ("refused", {})
        assert report.changes[0].error == "mapping x has appeared"

    def test_a_change_names_only_a_few_of_many_other_changes(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        report = azure.apply(plan, stale={"sea": tuple(f"mapping m{i} (pair hub) is gone" for i in range(1000))})
        said = "mapping m0 is gone; mapping m1 is gone; and 998 more"
        assert [change.error for change in report.changes] == [said, said]


def retarget() -> tuple[TwoRegions, Plan]:
    """A pair hub and old, and the plan that retargets hub to new."""
    azure = TwoRegions()
    hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
    azure.map_both(hub, old)
    return azure, azure.plan(azure.state(row(hub, new)))


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

    @pytest.mark.parametrize("unread", ["replicationprotecteditems", "replicationjobs"])
    def test_machines_or_jobs_that_cannot_be_read_when_applying_hold_changes_that_remove_a_mapping(
        self, unread: str
    ) -> None:
        azure, plan = retarget()
        azure.world.faults.add(Fault(effect="refused", method="GET", kind=unread, status=500, times=0))
        report = azure.apply(plan)
        assert (report.result, outcomes(report)) == ("refused", {"sea:hub:forward": "skipped"})
        assert "could not be read" in (report.changes[0].error or "")
        assert azure.mappings() == {"hub": "old", "old": "hub"}

    @pytest.mark.parametrize("state", ["InProgress", "NotStarted", "Suspended", "Cancelling"])
    @pytest.mark.parametrize("scenario", ["UnplannedFailover", "ReverseReplicationDr", "EnableDr"])
    def test_an_unfinished_job_that_began_after_the_plan_holds_changes_that_remove_a_mapping(
        self, scenario: str, state: str
    ) -> None:
        azure, plan = retarget()
        azure.build.job(azure.vault, scenario, state=state, target="a machine")
        report = azure.apply(plan)
        assert (report.result, outcomes(report)) == ("refused", {"sea:hub:forward": "skipped"})
        assert azure.mappings() == {"hub": "old", "old": "hub"}

    def test_a_network_is_not_created_for_a_vault_that_cannot_be_read(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        plan = azure.plan(azure.state(row(azure.network("hub"), None)))
        azure.world.faults.add(
            Fault(effect="refused", method="GET", kind="replicationnetworkmappings", status=500, times=0)
        )
        report = azure.apply(plan)
        assert set(outcomes(report).values()) == {"failed"}
        assert "PUT" not in azure.backend.requests()

    def test_a_plan_over_its_limits_writes_nothing(self) -> None:
        azure = TwoRegions()
        desired, before = swapped(azure)
        plan = azure.plan(structs.replace(desired, limits=Limits(max_updates=1)))
        with pytest.raises(RefusedError, match="max_updates"):
            azure.apply(plan)
        assert azure.mappings() == before
