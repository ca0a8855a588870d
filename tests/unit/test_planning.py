"""What a plan proposes, for each state a pair can be in."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, kinds, row, steps

from asrnet.changes import Limits, Plan, load_plan, to_json
from asrnet.desired import CopySettings, Freeze, Ignore, Match, Region, Rule, Selection
from asrnet.errors import InputError, RefusedError, VaultUnusedError
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.faults import Fault
from asrnet.ids import ArmId
from asrnet.models import COPY_TAG, Nic, Subnet, VirtualNetwork
from asrnet.ports import MappingReader


def test_an_unmapped_pair_gets_both_mappings() -> None:
    azure = TwoRegions()
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("hub-dr", SEA))))
    assert steps(plan) == [("hub", "create", ["create"]), ("hub", "create", ["create"])]
    assert [change.direction for change in plan.changes] == ["forward", "reverse"]
    assert "missing_pair" in kinds(plan)


def test_a_half_pair_gets_the_missing_half() -> None:
    azure = TwoRegions()
    hub, hub_dr = azure.network("hub"), azure.network("hub-dr", SEA)
    azure.map(hub, hub_dr)
    plan = azure.plan(azure.state(row(hub, hub_dr)))
    assert [(change.direction, change.action) for change in plan.changes] == [("reverse", "create")]
    assert (plan.summary.in_sync, plan.summary.create, kinds(plan)) == (1, 1, ["half_pair"])


@pytest.mark.parametrize("name", ["portal-made", "HUB_to_hub", "x"])
def test_a_mapped_pair_is_in_sync_whatever_its_mappings_are_called(name: str) -> None:
    azure = TwoRegions()
    hub, hub_dr = azure.network("Hub"), azure.network("Hub-DR", SEA)
    azure.map(hub, hub_dr, name=name)
    azure.map(hub_dr, hub, name=name)
    plan = azure.plan(azure.state(row(hub, hub_dr)))
    assert (plan.changes, plan.findings, plan.summary.in_sync) == ((), (), 2)


def test_networks_are_named_by_their_ids_as_azure_spells_them_not_as_the_file_does() -> None:
    azure = TwoRegions()
    hub, hub_dr = azure.network("Hub"), azure.network("Hub-DR", SEA)
    spelled = {"primary": ArmId(str(hub.id).upper()), "recovery": ArmId(f"/{hub_dr.id.key}")}
    plan = azure.plan(azure.state(structs.replace(row(hub, hub_dr), **spelled)))
    assert {str(change.primary_network_id) for change in plan.changes} == {str(hub.id), str(hub_dr.id)}
    assert str(plan.pairs[0].recovery_network_id) == str(hub_dr.id)


def test_a_retarget_is_one_update_in_the_documented_order() -> None:
    azure = TwoRegions()
    hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
    azure.map_both(hub, old)
    plan = azure.plan(azure.state(row(hub, new)))
    assert steps(plan) == [("hub", "update", ["delete", "update", "create"])]
    assert plan.changes[0].direction == "both"
    assert (plan.summary.update, plan.summary.create, plan.summary.delete, plan.summary.unmanaged) == (1, 0, 0, 0)


def test_a_retarget_leaves_a_reverse_that_points_at_somebody_else() -> None:
    azure = TwoRegions()
    hub, other = azure.network("hub"), azure.network("other")
    old, new = azure.network("old", SEA), azure.network("new", SEA)
    azure.map(hub, old)
    azure.map(old, other)
    plan = azure.plan(azure.state(row(hub, new)))
    assert steps(plan) == [("hub", "update", ["update", "create"])]


def test_a_swap_is_two_retargets_without_updates_of_the_reverse_mappings() -> None:
    azure = TwoRegions()
    a, b, x, y = azure.network("a"), azure.network("b"), azure.network("x", SEA), azure.network("y", SEA)
    azure.map_both(a, x)
    azure.map_both(b, y)
    plan = azure.plan(azure.state(row(a, y), row(b, x)))
    assert steps(plan) == [(name, "update", ["delete", "update", "create"]) for name in "ab"]


def test_a_wrong_reverse_alone_is_updated_in_place() -> None:
    azure = TwoRegions()
    hub, other, dr = azure.network("hub"), azure.network("other"), azure.network("dr", SEA)
    azure.map(hub, dr)
    azure.map(dr, other)
    plan = azure.plan(azure.state(row(hub, dr)))
    assert [(change.direction, change.action) for change in plan.changes] == [("reverse", "update")]


def test_one_of_several_primaries_owns_the_reverse_of_a_shared_recovery_network() -> None:
    azure = TwoRegions()
    hub, old, dr = azure.network("hub"), azure.network("old"), azure.network("dr", SEA)
    plan = azure.plan(azure.state(row(hub, dr), row(old, dr, failback=False)))
    assert [(change.pair, change.direction) for change in plan.changes] == [
        ("hub", "forward"),
        ("hub", "reverse"),
        ("old", "forward"),
    ]


def test_two_owners_of_one_reverse_are_a_conflict_that_names_both_rows() -> None:
    azure = TwoRegions()
    dr = azure.network("dr", SEA)
    plan = azure.plan(azure.state(row(azure.network("hub"), dr), row(azure.network("old"), dr)))
    assert (plan.changes, kinds(plan), plan.summary.blocked) == ((), ["conflict", "conflict"], 4)
    assert all("hub" in finding.message and "old" in finding.message for finding in plan.findings)


def test_two_mappings_for_one_primary_block_the_pair_and_are_both_named() -> None:
    azure = TwoRegions()
    hub, dr, other = azure.network("hub"), azure.network("dr", SEA), azure.network("other", SEA)
    azure.map(hub, dr, name="first")
    azure.map(hub, other, name="second")
    plan = azure.plan(azure.state(row(hub, dr)))
    assert (plan.changes, kinds(plan), plan.summary.blocked) == ((), ["duplicate"], 2)
    assert all(name in plan.findings[0].message for name in ("first", "second"))


def test_a_mapping_in_another_state_than_paired_is_sent_again() -> None:
    azure = TwoRegions()
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    azure.build.mapping(azure.fabrics[EA], hub, azure.fabrics[SEA], dr, state="PairingFailed")
    azure.map(dr, hub)
    plan = azure.plan(azure.state(row(hub, dr)))
    assert (steps(plan), kinds(plan)) == ([("hub", "update", ["update"])], ["not_paired"])


def test_a_pair_of_another_tool_is_reported_and_left_alone() -> None:
    azure = TwoRegions()
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA), managed_by="terraform")))
    assert (plan.changes, kinds(plan), plan.summary.blocked) == ((), ["missing_pair"], 0)
    assert "terraform" in plan.findings[0].hint


class TestPrerequisites:
    def test_a_network_that_a_get_does_not_find_is_missing_and_blocks_its_pair_alone(self) -> None:
        azure = TwoRegions()
        ghost = structs.replace(
            azure.network("hub"),
            id=azure.network("hub").id.parent.child("providers", "Microsoft.Network", "virtualNetworks", "ghost"),
        )
        fine = row(azure.network("app"), azure.network("app-dr", SEA))
        plan = azure.plan(azure.state(row(ghost, azure.network("dr", SEA)), fine))
        assert [finding.pair for finding in plan.findings if finding.kind == "missing_network"] == ["ghost"]
        assert {change.pair for change in plan.changes} == {"app"}

    def test_a_network_that_only_the_list_leaves_out_is_not_missing(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(hidden_networks=("hub",)))
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        assert (plan.summary.create, plan.summary.blocked) == (2, 0)

    def test_a_network_that_may_not_be_read_is_unknown_and_names_the_missing_action(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(denied=("Microsoft.Network/virtualNetworks/read",)))
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        assert (set(kinds(plan)), plan.changes) == ({"unknown"}, ())
        assert "Microsoft.Network/virtualNetworks/read" in plan.findings[0].hint

    def test_regions_that_are_not_declared_are_a_mismatch(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("hub", SEA), azure.network("dr", EA))))
        assert (plan.changes, kinds(plan)) == ((), ["region_mismatch"])
        assert "{primary: southeastasia, recovery: eastasia}" in plan.findings[0].hint

    def test_networks_of_one_region_are_not_paired(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr"))))
        assert (plan.changes, kinds(plan)) == ((), ["region_mismatch"])

    def test_a_subscription_of_another_tenant_blocks_its_pair(self) -> None:
        azure = TwoRegions()
        foreign = "99999999-9999-9999-9999-999999999999"
        azure.build.subscription(foreign, tenant="33333333-3333-3333-3333-333333333333")
        far = azure.network("dr", SEA, subscription=foreign)
        plan = azure.plan(azure.state(row(azure.network("hub"), far)))
        assert (plan.changes, kinds(plan)) == ((), ["cross_tenant"])

    def test_without_a_fabric_the_pair_is_blocked(self) -> None:
        azure = TwoRegions(fabrics=False)
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        assert (plan.changes, kinds(plan)) == ((), ["missing_fabric", "missing_fabric"])

    def test_missing_fabrics_are_created_where_the_vault_says_so(self) -> None:
        azure = TwoRegions(fabrics=False)
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)), create_fabrics=True)
        plan = azure.plan(desired)
        assert [change.name for change in plan.changes if change.kind == "fabric"] == [
            "asr-a2a-default-eastasia",
            "asr-a2a-default-southeastasia",
        ]
        assert plan.changes[-1].depends_on == ("sea:fabric:eastasia", "sea:fabric:southeastasia")
        assert azure.apply(plan).result == "succeeded"
        assert azure.plan(desired).changes == ()

    def test_a_vault_that_does_not_exist_fails_the_run_when_it_is_the_only_one(self) -> None:
        azure = TwoRegions()
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
        gone = structs.replace(
            desired.vaults[0],
            id=azure.vault.id.parent.child("providers", "Microsoft.RecoveryServices", "vaults", "gone"),
        )
        with pytest.raises(Exception, match="gone"):
            azure.plan(structs.replace(desired, vaults=(gone,)))

    def test_one_broken_vault_does_not_stop_another(self) -> None:
        azure = TwoRegions()
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
        gone = structs.replace(
            desired.vaults[0],
            name="gone",
            id=azure.vault.id.parent.child("providers", "Microsoft.RecoveryServices", "vaults", "gone"),
        )
        lost = structs.replace(desired.pairs[0], name="lost", vault="gone")
        plan = azure.plan(structs.replace(desired, vaults=(*desired.vaults, gone), pairs=(*desired.pairs, lost)))
        assert {change.pair for change in plan.changes} == {"hub"}
        assert [finding.pair for finding in plan.findings if finding.kind == "unknown"] == ["lost"]


class TestCopies:
    def test_a_copy_has_addresses_subnets_tags_and_says_whose_copy_it_is(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        app = azure.network("app", tags={"dr": "yes", "hidden-link": "x"}, dns_servers=["10.0.0.4"])
        plan = azure.plan(azure.state(row(app, None)))
        made = plan.changes[0].after
        assert isinstance(made, VirtualNetwork)
        assert (made.name, made.id.resource_group, made.location) == ("app-asr", "rg-asr", SEA)
        assert made.tags == {"dr": "yes", COPY_TAG: str(app.id)}
        assert (made.address_space, made.dns_servers) == (app.address_space, ("10.0.0.4",))
        assert [(subnet.name, subnet.prefixes) for subnet in made.subnets] == [("web", ("10.0.1.0/24",))]
        assert plan.resources.virtual_network == 1
        assert "copied_dns" in kinds(plan)

    def test_a_copy_that_exists_is_used_and_never_written(self) -> None:
        azure = TwoRegions()
        app, there = azure.network("app"), azure.network("app-asr", SEA, group="rg-asr")
        plan = azure.plan(azure.state(row(app, None)))
        assert [(change.kind, change.recovery_network_id) for change in plan.changes] == [
            ("network_mapping", there.id),
            ("network_mapping", app.id),
        ]

    def test_a_copy_into_a_resource_group_that_does_not_exist_is_blocked(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("app"), None)))
        assert (plan.changes, kinds(plan)) == ((), ["missing_resource_group"])
        assert "az group create" in plan.findings[0].hint

    def test_what_a_copy_leaves_behind_is_said(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        subnet = Subnet(
            name="db",
            prefixes=("10.0.2.0/24",),
            delegation="Microsoft.Sql/managedInstances",
            attachments=("network security group nsg",),
        )
        plan = azure.plan(azure.state(row(azure.network("app", subnets=[subnet]), None)))
        found = next(finding for finding in plan.findings if finding.kind == "not_copied")
        assert "network security group nsg of subnet db" in found.message
        assert "delegation of subnet db" in found.message

    def test_two_originals_of_one_copy_are_a_conflict(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        regions = (Region(primary=EA, recovery=SEA, copy=CopySettings(resource_group="rg-asr", name="shared")),)
        plan = azure.plan(azure.state(row(azure.network("a"), None), row(azure.network("b"), None), regions=regions))
        assert plan.changes == ()
        assert set(kinds(plan)) == {"conflict"}

    def test_a_region_with_two_recovery_regions_makes_a_copy_ambiguous(self) -> None:
        azure = TwoRegions()
        regions = (Region(primary=EA, recovery=SEA), Region(primary=EA, recovery="japaneast"))
        plan = azure.plan(azure.state(row(azure.network("app"), None), regions=regions))
        assert (plan.changes, kinds(plan)) == ((), ["ambiguous"])


class TestRules:
    RULE = Rule(name="prod", vault="sea", match=Match(name="*-prod"))

    def test_a_rule_pairs_what_matches_and_says_so(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        app = azure.network("app-prod")
        azure.network("app-test")
        plan = azure.plan(azure.state(rules=(self.RULE,)))
        assert [(match.name, match.matched) for match in plan.rules] == [("prod", (app.id,))]
        assert {change.pair for change in plan.changes} == {"prod/app-prod"}

    def test_a_row_wins_over_a_rule(self) -> None:
        azure = TwoRegions()
        app, dr = azure.network("app-prod"), azure.network("dr", SEA)
        plan = azure.plan(azure.state(row(app, dr), rules=(self.RULE,)))
        assert plan.rules[0].matched == ()

    def test_copies_are_not_copied_the_next_night(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        both_ways = (Region(primary=EA, recovery=SEA), Region(primary=SEA, recovery=EA))
        azure.network("app-prod")
        desired = azure.state(rules=(Rule(name="all", vault="sea"),), regions=both_ways)
        azure.apply(azure.plan(desired))
        again = azure.plan(desired)
        assert (again.changes, [len(match.matched) for match in again.rules]) == ((), [1])

    def test_a_network_that_is_somebodys_recovery_network_is_no_primary(self) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr-prod", SEA)
        both_ways = (Region(primary=EA, recovery=SEA), Region(primary=SEA, recovery=EA))
        plan = azure.plan(azure.state(row(hub, dr), rules=(self.RULE,), regions=both_ways))
        assert plan.rules[0].matched == ()

    def test_networks_mapped_to_each_other_that_a_rule_matches_both_are_ambiguous(self) -> None:
        azure = TwoRegions()
        a, b = azure.network("a-prod"), azure.network("b-prod", SEA)
        azure.map_both(a, b)
        both_ways = (Region(primary=EA, recovery=SEA), Region(primary=SEA, recovery=EA))
        plan = azure.plan(azure.state(rules=(self.RULE,), regions=both_ways))
        assert plan.changes == ()
        assert "ambiguous" in kinds(plan)

    def test_an_ignored_network_is_passed_over_until_the_day_is_past(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        azure.network("app-prod")
        for day, matched in ((date(2026, 1, 1), 0), (date(2025, 12, 31), 1)):
            ignore = (Ignore(name="app-*", reason="short-lived", until=day),)
            plan = azure.plan(azure.state(rules=(self.RULE,), ignore=ignore))
            assert len(plan.rules[0].matched) == matched

    def test_two_rules_with_different_recovery_networks_for_one_primary_conflict(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        azure.network("app-prod")
        dr = azure.network("dr", SEA)
        rules = (self.RULE, Rule(name="other", vault="sea", recovery=str(dr.id)))
        plan = azure.plan(azure.state(rules=rules))
        assert plan.changes == ()
        assert all("prod/app-prod" in one.message and "other/app-prod" in one.message for one in plan.findings)

    def test_a_subscription_that_rules_search_and_nobody_may_list_is_unknown_with_the_missing_action(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(denied=("Microsoft.Network/virtualNetworks/read",)))
        plan = azure.plan(azure.state(rules=(self.RULE,)))
        assert kinds(plan) == ["unknown"]
        assert "grant Microsoft.Network/virtualNetworks/read on /subscriptions/" in plan.findings[0].hint


class TestUnmanaged:
    def test_a_mapping_nobody_asks_for_is_reported_and_left_alone(self) -> None:
        azure = TwoRegions()
        azure.map(azure.network("x"), azure.network("y", SEA))
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        assert plan.summary.unmanaged == 1
        assert "unmanaged" in kinds(plan)
        assert all(step.action == "create" for change in plan.changes for step in change.steps)

    @pytest.mark.parametrize(
        ("policy", "allowed", "deletes", "found"),
        [
            ("ignore", True, 0, 0),
            ("report", True, 0, 1),
            ("delete", False, 0, 1),
            ("delete", True, 1, 0),
        ],
    )
    def test_deleting_takes_the_vaults_word_and_the_options(
        self, policy: Any, allowed: bool, deletes: int, found: int
    ) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        azure.map_both(hub, dr)
        azure.map(azure.network("x"), azure.network("y", SEA))
        plan = azure.plan(azure.state(row(hub, dr), unmanaged=policy), allow_delete=allowed)
        assert (plan.summary.delete, plan.summary.unmanaged) == (deletes, found)

    def test_nothing_is_deleted_while_part_of_the_picture_is_missing(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(denied=("Microsoft.Network/virtualNetworks/read",)))
        azure.map(azure.network("x"), azure.network("y", SEA))
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)), unmanaged="delete")
        plan = azure.plan(desired, allow_delete=True)
        assert plan.changes == ()
        assert any("while part of the picture is missing" in finding.hint for finding in plan.findings)

    @pytest.mark.parametrize(
        "unread",
        [
            {"denied": ("Microsoft.Network/virtualNetworks/read",)},
            {"hidden_networks": ("hub",)},  # the list leaves it out, and the GET fails
        ],
    )
    def test_nothing_is_deleted_that_a_rule_may_ask_for(self, unread: dict[str, Any]) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        azure.map_both(hub, dr)
        rule = Rule(name="all", vault="sea", match=Match(name="hub"), recovery=str(dr.id))
        desired = azure.state(rules=(rule,), unmanaged="delete")
        assert azure.plan(desired, allow_delete=True).summary.in_sync == 2
        azure.world.behaviour = Behaviour(**unread)
        azure.world.faults.add(Fault(effect="refused", method="GET", path="*/virtualnetworks/hub", status=500, times=0))
        plan = azure.plan(desired, allow_delete=True)
        assert plan.changes == ()
        assert set(kinds(plan)) == {"unknown"}

    def test_the_reverse_of_a_pair_that_another_tool_manages_is_never_deleted(self) -> None:
        azure = TwoRegions()
        hub, now, wanted = azure.network("hub"), azure.network("now", SEA), azure.network("wanted", SEA)
        azure.map_both(hub, now)
        desired = azure.state(row(hub, wanted, managed_by="terraform"), unmanaged="delete")
        assert azure.plan(desired, allow_delete=True).changes == ()

    def test_a_retarget_leaves_the_reverse_that_another_tool_owns(self) -> None:
        azure = TwoRegions()
        a, b, x, y = azure.network("a"), azure.network("b"), azure.network("x", SEA), azure.network("y", SEA)
        azure.map_both(a, x)
        plan = azure.plan(azure.state(row(a, y), row(b, x, managed_by="terraform")))
        assert steps(plan) == [("a", "update", ["update", "create"])]

    def test_a_mapping_to_a_network_that_is_gone_is_an_orphan(self) -> None:
        azure = TwoRegions()
        x, y = azure.network("x"), azure.network("y", SEA)
        azure.map(x, y)
        azure.world.virtual_networks.delete(y.id)
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        (orphan,) = [found.message for found in plan.findings if found.kind == "orphan"]
        assert orphan.endswith(", but y no longer exists")
        azure.world.virtual_networks.delete(x.id)
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        (orphan,) = [found.message for found in plan.findings if found.kind == "orphan"]
        assert orphan.endswith(", but x and y no longer exist")

    def test_a_mapping_within_a_region_is_left_alone_with_an_info(self) -> None:
        azure = TwoRegions()
        azure.map(azure.network("z1"), azure.network("z2"))
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)), unmanaged="delete")
        plan = azure.plan(desired, allow_delete=True)
        assert plan.summary.delete == 0
        assert "zone_to_zone" in kinds(plan)

    def test_the_way_back_to_a_primary_that_is_gone_is_not_deleted_while_a_row_asks_for_its_copy(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        app = azure.network("app")
        azure.apply(azure.plan(azure.state(row(app, None))))
        azure.world.virtual_networks.delete(app.id)
        plan = azure.plan(azure.state(row(app, None), unmanaged="delete"), allow_delete=True)
        assert (plan.changes, kinds(plan)) == ((), ["missing_network"])


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

    def test_a_freeze_without_anything_to_do_is_no_finding(self) -> None:
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

    def test_a_running_failover_job_holds_back_updates_of_the_whole_vault(self) -> None:
        azure = TwoRegions()
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map_both(hub, old)
        azure.build.job(azure.vault, "UnplannedFailover")
        assert azure.plan(azure.state(row(hub, new))).changes == ()

    def test_what_waits_for_a_mapping_that_a_failover_holds_is_held_too(self) -> None:
        """a-x, b-y, c-z turn round: b's new reverse takes the place of c's old one, which machines of a-x hold."""
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

    def test_a_gateway_subnet_is_not_missed(self) -> None:
        azure = TwoRegions()
        hub = azure.network("hub", subnets={"GatewaySubnet": "10.0.0.0/27", "web": "10.0.1.0/24"})
        plan = azure.plan(azure.state(row(hub, azure.network("dr", SEA))))
        assert "subnet_missing" not in kinds(plan)

    def test_a_subnet_too_small_for_what_is_in_use_is_said(self) -> None:
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
        assert plan.findings[0].hint.startswith("az rest --method patch")
        assert str(dr.id) in plan.findings[0].hint

    def test_a_vault_in_the_primary_region_is_said(self) -> None:
        azure = TwoRegions()
        vault = azure.build.vault("vault-near", EA)
        azure.build.azure_fabric(vault, EA)
        azure.build.azure_fabric(vault, SEA)
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
        near = structs.replace(desired.vaults[0], id=vault.id)
        assert "vault_in_primary_region" in kinds(azure.plan(structs.replace(desired, vaults=(near,))))


class TestSelection:
    def test_a_run_about_one_pair_says_nothing_of_the_others(self) -> None:
        azure = TwoRegions()
        azure.map(azure.network("x"), azure.network("y", SEA))
        desired = azure.state(
            row(azure.network("a"), azure.network("a-dr", SEA)), row(azure.network("b"), azure.network("b-dr", SEA))
        )
        plan = azure.plan(desired, selection=Selection(pairs=frozenset({"b"})))
        assert {change.pair for change in plan.changes} == {"b"}
        assert {finding.pair for finding in plan.findings} == {"b"}


class TestLimits:
    def _plan(self, count: int, limits: Limits) -> Plan:
        azure = TwoRegions()
        rows = []
        for number in range(count):
            hub, old = azure.network(f"hub{number}"), azure.network(f"old{number}", SEA)
            azure.map_both(hub, old)
            rows.append(row(hub, azure.network(f"new{number}", SEA)))
        return azure.plan(azure.state(*rows, limits=limits))

    def test_a_plan_over_a_limit_is_refused_in_one_line_with_figures_and_the_way_out(self) -> None:
        plan = self._plan(3, Limits(max_updates=2, max_change_percent=100))
        with pytest.raises(RefusedError) as caught:
            plan.raise_if_over_limits()
        assert caught.value.message == (
            "vault sea: 3 is over max_updates 2 (0 to create, 3 to update, 0 to delete, 6 existing); "
            "raise the limit or use --force max_updates"
        )

    def test_what_one_vault_alone_exceeds_is_not_said_again_of_the_whole_run(self) -> None:
        plan = self._plan(3, Limits(max_updates=2, max_change_percent=100))
        beside = structs.replace(plan, existing={**plan.existing, "quiet": 40})
        assert [line.partition(":")[0] for line in beside.violations()] == ["vault sea"]

    def test_what_vaults_exceed_together_is_said_of_the_whole_run(self) -> None:
        plan = self._plan(3, Limits(max_updates=4, max_change_percent=100))
        others = tuple(structs.replace(change, vault="other") for change in plan.changes)
        both = structs.replace(plan, existing={**plan.existing, "other": 6}, changes=(*plan.changes, *others))
        assert [line.partition("(")[0] for line in both.violations()] == ["this run: 6 is over max_updates 4 "]

    def test_force_lifts_the_limit_it_names_and_no_other(self) -> None:
        plan = self._plan(6, Limits(max_updates=2, max_change_percent=30))
        assert len(plan.violations()) == 2
        assert [line for line in plan.violations({"max_updates"}) if "max_change_percent" in line]
        plan.raise_if_over_limits({"max_updates", "max_change_percent"})

    def test_percentages_do_not_count_in_a_small_vault(self) -> None:
        assert self._plan(2, Limits(max_change_percent=1)).violations() == ()

    def test_a_retarget_counts_once_and_its_delete_not_at_all(self) -> None:
        assert self._plan(2, Limits(max_updates=2, max_deletes=0)).violations() == ()

    def test_growth_by_rules_is_limited(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        for number in range(3):
            azure.network(f"app{number}")
        rules = (Rule(name="all", vault="sea"),)
        plan = azure.plan(azure.state(rules=rules, limits=Limits(max_rule_growth=2)))
        assert ["max_rule_growth" in line for line in plan.violations()] == [True]

    def test_a_missing_half_of_a_rules_pair_is_no_growth(self) -> None:
        azure = TwoRegions()
        for number in range(3):
            azure.map(azure.network(f"app{number}"), azure.network(f"app{number}-asr", SEA, group="rg-asr"))
        plan = azure.plan(azure.state(rules=(Rule(name="all", vault="sea"),), limits=Limits(max_rule_growth=2)))
        assert (plan.summary.create, plan.violations()) == (3, ())


class TestSavedPlans:
    def _plan(self) -> Plan:
        azure = TwoRegions()
        return azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))

    def test_a_plan_reloads_as_it_was_saved(self) -> None:
        plan = self._plan()
        assert load_plan(to_json(plan), source="plan.json") == plan

    def test_a_plan_changed_by_hand_is_refused(self) -> None:
        data = to_json(self._plan()).replace(b'"in_sync":0', b'"in_sync":1')
        with pytest.raises(RefusedError, match="checksum"):
            load_plan(data, source="plan.json")

    def test_a_plan_of_another_format_is_refused(self) -> None:
        data = to_json(self._plan()).replace(b'"format_version":"1.0"', b'"format_version":"2.0"')
        with pytest.raises(InputError, match=r"format 2\.0"):
            load_plan(data, source="plan.json")

    @pytest.mark.parametrize(
        "data", [b"", b"{}", b"[]", b"\xff\xfe", b'{"format_version":"1.0"}x', b'{"format_version":1}']
    )
    def test_what_is_no_plan_is_refused(self, data: bytes) -> None:
        with pytest.raises((InputError, RefusedError)):
            load_plan(data, source="plan.json")


def test_planning_twice_from_the_same_values_gives_the_same_plan() -> None:
    azure = TwoRegions()
    desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
    assert azure.plan(desired) == azure.plan(desired)


class SaysUnused:
    """A MappingReader to one of whose lists the service answers that it does not know the vault."""

    def __init__(self, reader: MappingReader, part: str) -> None:
        self._reader = reader
        self._part = part

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name == self._part else getattr(self._reader, name)

    def _refuse(self, _vault: ArmId) -> None:
        raise VaultUnusedError("unused")


@pytest.mark.parametrize("part", ["fabrics", "mappings"])
def test_a_vault_is_empty_only_if_both_its_fabrics_and_its_mappings_say_so(part: str) -> None:
    azure = TwoRegions()
    azure.backend = structs.replace(azure.backend, mappings=SaysUnused(azure.backend.mappings, part))
    with pytest.raises(VaultUnusedError):
        azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)), create_fabrics=True))


def test_a_vault_may_be_read_without_the_right_to_read_the_vault_itself() -> None:
    azure = TwoRegions(behaviour=Behaviour(denied=("Microsoft.RecoveryServices/vaults/read",)))
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
    assert plan.summary.create == 2
