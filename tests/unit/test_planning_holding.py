"""Pending changes that are held back, and hints."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, kinds, row

from asrnet.desired import Freeze
from asrnet.fake.behaviour import Behaviour
from asrnet.model.azure import Nic, Subnet


class TestHolding:
    def test_a_freeze_holds_everything_back_and_can_be_lifted_by_name(self) -> None:
        azure = TwoRegions()
        freeze = (Freeze(vault="sea", until=date(2026, 1, 1), reason="exercise"),)
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)), freeze=freeze)
        plan = azure.plan(desired)
        assert (plan.changes, plan.summary.blocked, "frozen" in kinds(plan)) == ((), 2, True)
        assert len(azure.plan(desired, forced={"frozen"}).changes) == 2

    def test_a_freeze_is_over_the_day_after(self) -> None:
        azure = TwoRegions()
        freeze = (Freeze(vault="sea", until=date(2025, 12, 31), reason="exercise"),)
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)), freeze=freeze)
        assert len(azure.plan(desired).changes) == 2

    def test_a_freeze_without_changes_is_no_finding(self) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        azure.map_both(hub, dr)
        freeze = (Freeze(vault="sea", until=date(2026, 1, 1), reason="exercise"),)
        assert azure.plan(azure.state(row(hub, dr), freeze=freeze)).findings == ()

    @pytest.mark.parametrize(
        "item",
        [
            {"active_location": "Recovery"},
            {"state": "UnplannedFailoverCommitPending"},
            {"state": "ReprotectInProgress"},
        ],
    )
    def test_a_failover_holds_updates_back_and_lets_creates_go_on(self, item: dict[str, Any]) -> None:
        azure = TwoRegions()
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map_both(hub, old)
        nic = Nic(name="nic", primary_network_id=hub.id, recovery_network_id=old.id)
        azure.build.protected_item("vm1", azure.fabrics[EA], azure.fabrics[SEA], nic, **item)
        desired = azure.state(row(hub, new), row(azure.network("app"), azure.network("app-dr", SEA)))
        plan = azure.plan(desired)
        assert {change.pair for change in plan.changes} == {"app"}
        assert "failover_active" in kinds(plan)
        assert "hub" in {change.pair for change in azure.plan(desired, forced={"failover_active"}).changes}

    def test_an_unreadable_activity_holds_updates_back_and_is_not_reported_as_a_failover(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(denied=("Microsoft.RecoveryServices/vaults/replicationJobs/read",)))
        hub, new = azure.network("hub"), azure.network("new", SEA)
        azure.map_both(hub, azure.network("old", SEA))
        held = next(found for found in azure.plan(azure.state(row(hub, new))).findings if found.severity == "error")
        assert "whether a failover is under way could not be read: " in held.message
        assert held.hint == (
            "plan again when it can be read ('asrnet doctor' shows what is missing), or use --force failover_active"
        )

    def test_a_running_failover_job_holds_back_updates_of_the_whole_vault(self) -> None:
        azure = TwoRegions()
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map_both(hub, old)
        azure.build.job(azure.vault, "UnplannedFailover")
        assert azure.plan(azure.state(row(hub, new))).changes == ()

    def test_changes_that_wait_for_a_held_mapping_are_held_too(self) -> None:
        """a-x, b-y and c-z rotate: b's new reverse replaces c's old one, which machines of a-x hold."""
        azure = TwoRegions()
        near = [azure.network(name) for name in "abc"]
        far = [azure.network(name, SEA) for name in "xyz"]
        for primary, recovery in zip(near, far, strict=True):
            azure.map_both(primary, recovery)
        nic = Nic(name="nic", primary_network_id=near[0].id, recovery_network_id=far[0].id)
        azure.build.protected_item("vm1", azure.fabrics[EA], azure.fabrics[SEA], nic, active_location="Recovery")
        turned = zip(near, (*far[1:], far[0]), strict=True)
        plan = azure.plan(azure.state(*(row(primary, recovery) for primary, recovery in turned)))
        assert plan.changes == ()
        assert plan.summary.blocked == 6
        assert kinds(plan).count("failover_active") == 3

    def test_protected_items_that_cannot_be_read_hold_updates_back(self) -> None:
        azure = TwoRegions(
            behaviour=Behaviour(denied=("*/replicationProtectedItems/read", "*/replicationProtectionContainers/read"))
        )
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map_both(hub, old)
        plan = azure.plan(azure.state(row(hub, new)))
        assert (plan.changes, "failover_active" in kinds(plan)) == ((), True)


class TestHints:
    def test_subnets_that_the_recovery_network_lacks_are_named_with_where_machines_land(self) -> None:
        azure = TwoRegions()
        hub = azure.network("hub", subnets={"db": "10.0.2.0/24", "web": "10.0.1.0/24"})
        dr = azure.network("dr", SEA, subnets={"GatewaySubnet": "10.0.0.0/27", "web": "10.0.1.0/24"})
        plan = azure.plan(azure.state(row(hub, dr)))
        missing = next(finding for finding in plan.findings if finding.kind == "subnet_missing")
        assert "no subnet db; machines land in GatewaySubnet" in missing.message
        assert "fallback_subnet_reserved" in kinds(plan)

    def test_a_missing_gateway_subnet_is_not_reported(self) -> None:
        azure = TwoRegions()
        hub = azure.network("hub", subnets={"GatewaySubnet": "10.0.0.0/27", "web": "10.0.1.0/24"})
        plan = azure.plan(azure.state(row(hub, azure.network("dr", SEA))))
        assert "subnet_missing" not in kinds(plan)

    def test_a_subnet_too_small_for_the_addresses_in_use_is_reported(self) -> None:
        azure = TwoRegions()
        hub = azure.network("hub", subnets=[Subnet(name="web", prefixes=("10.0.1.0/24",), used=20)])
        dr = azure.network("dr", SEA, subnets={"web": "10.0.1.0/28"})
        assert "subnet_too_small" in kinds(azure.plan(azure.state(row(hub, dr))))

    def test_a_machine_that_keeps_its_own_network_is_named_with_the_command_that_moves_it(self) -> None:
        azure = TwoRegions()
        hub, dr, own = azure.network("hub"), azure.network("dr", SEA), azure.network("own", SEA)
        azure.map_both(hub, dr)
        nic = Nic(name="nic0", primary_network_id=hub.id, recovery_network_id=own.id)
        azure.build.protected_item("vm1", azure.fabrics[EA], azure.fabrics[SEA], nic)
        plan = azure.plan(azure.state(row(hub, dr)))
        assert kinds(plan) == ["stale_protected_item"]
        assert plan.findings[0].message == "vm1 (nic0) still fails over to own; mapping changes do not move it"
        assert plan.findings[0].hint == "asrnet apply --pair hub --machines follow"

    def test_a_vault_in_the_primary_region_is_reported(self) -> None:
        azure = TwoRegions()
        vault = azure.build.vault("vault-near", EA)
        azure.build.azure_fabric(vault, EA)
        azure.build.azure_fabric(vault, SEA)
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
        near = structs.replace(desired.vaults[0], id=vault.id)
        assert "vault_in_primary_region" in kinds(azure.plan(structs.replace(desired, vaults=(near,))))
