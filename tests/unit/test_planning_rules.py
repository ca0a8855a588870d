"""What rules declare, and undeclared mappings."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, kinds, row, steps

from asrnet.desired import Ignore, Match, Region, Row, Rule, Vault
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.faults import Fault
from asrnet.model.azure import COPY_TAG
from asrnet.model.findings import Finding


class TestRules:
    RULE = Rule(name="prod", vault="sea", match=Match(name="*-prod"))

    def test_a_rule_pairs_the_networks_it_matches_and_reports_them(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        app = azure.network("app-prod")
        azure.network("app-test")
        plan = azure.plan(azure.state(rules=(self.RULE,)))
        assert [(match.name, match.matched) for match in plan.rules] == [("prod", (app.id,))]
        assert {change.pair for change in plan.changes} == {"prod/app-prod"}

    @pytest.mark.parametrize("tags", [{"dr": "yes"}, {"DR": "yes"}, {"dr": "Yes"}, {"Dr": "YES"}])
    def test_tags_match_without_case_in_names_and_values(self, tags: dict[str, str]) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr")
        azure.network("app", tags=tags)
        azure.network("other", tags={"dr": "no"})
        rule = Rule(name="r", vault="sea", match=Match(tags={"dr": "yes"}))
        [match] = azure.plan(azure.state(rules=(rule,))).rules
        assert [network.name for network in match.matched] == ["app"]

    def test_no_glob_matches_a_tag_that_a_network_does_not_have(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr")
        azure.network("tagged", tags={"dr": ""})
        azure.network("plain")
        rule = Rule(name="r", vault="sea", match=Match(tags={"dr": "*"}))
        [match] = azure.plan(azure.state(rules=(rule,))).rules
        assert [network.name for network in match.matched] == ["tagged"]

    def test_a_row_takes_precedence_over_a_rule(self) -> None:
        azure = TwoRegions()
        app, dr = azure.network("app-prod"), azure.network("dr", SEA)
        plan = azure.plan(azure.state(row(app, dr), rules=(self.RULE,)))
        assert plan.rules[0].matched == ()

    def test_copies_are_not_copied_again_by_a_later_run(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        both_ways = (Region(primary=EA, recovery=SEA), Region(primary=SEA, recovery=EA))
        azure.network("app-prod")
        desired = azure.state(rules=(Rule(name="all", vault="sea"),), regions=both_ways)
        azure.apply(azure.plan(desired))
        again = azure.plan(desired)
        assert (again.changes, [len(match.matched) for match in again.rules]) == ((), [1])

    def test_a_copy_is_not_copied_even_when_nothing_is_mapped_to_it_any_more(self) -> None:
        azure = TwoRegions()
        azure.network("app-asr", SEA, tags={COPY_TAG: "/subscriptions/gone"})
        back = (Region(primary=SEA, recovery=EA),)
        plan = azure.plan(azure.state(rules=(Rule(name="all", vault="sea"),), regions=back))
        assert (plan.changes, plan.rules[0].matched) == ((), ())

    def test_a_recovery_network_of_another_pair_is_not_a_primary(self) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr-prod", SEA)
        both_ways = (Region(primary=EA, recovery=SEA), Region(primary=SEA, recovery=EA))
        plan = azure.plan(azure.state(row(hub, dr), rules=(self.RULE,), regions=both_ways))
        assert plan.rules[0].matched == ()

    def test_the_recovery_network_of_a_live_mapping_is_not_a_primary(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=EA)
        azure.map(azure.network("hub"), azure.network("dr-prod", SEA))
        both_ways = (Region(primary=EA, recovery=SEA), Region(primary=SEA, recovery=EA))
        plan = azure.plan(azure.state(rules=(self.RULE,), regions=both_ways))
        assert (plan.changes, plan.rules[0].matched) == ((), ())

    def test_networks_mapped_to_each_other_that_one_rule_matches_are_ambiguous(self) -> None:
        azure = TwoRegions()
        a, b = azure.network("a-prod"), azure.network("b-prod", SEA)
        azure.map_both(a, b)
        both_ways = (Region(primary=EA, recovery=SEA), Region(primary=SEA, recovery=EA))
        plan = azure.plan(azure.state(rules=(self.RULE,), regions=both_ways))
        assert plan.changes == ()
        assert "ambiguous" in kinds(plan)

    def test_several_networks_mapped_to_each_other_are_named_in_a_fixed_order(self) -> None:
        azure = TwoRegions()
        network = azure.network("a-prod")
        others = [azure.network(f"{name}-other", SEA) for name in "cafebd"]
        for other in others:
            azure.map_both(network, other)
        both_ways = (Region(primary=EA, recovery=SEA), Region(primary=SEA, recovery=EA))
        plan = azure.plan(azure.state(rules=(self.RULE,), regions=both_ways))
        named = [finding.message.split()[2] for finding in plan.findings if finding.kind == "ambiguous"]
        assert named == [f"{name}-other" for name in "abcdef"]

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
    def test_an_undeclared_mapping_is_reported_and_left_alone(self) -> None:
        azure = TwoRegions()
        azure.map(azure.network("x"), azure.network("y", SEA))
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        assert plan.summary.unmanaged == 1
        assert "unmanaged" in kinds(plan)
        assert all(step.action == "create" for change in plan.changes for step in change.steps)

    def test_undeclared_mappings_of_two_vaults_are_told_apart(self) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        azure.map(hub, dr)
        second = azure.build.vault("vault-two", "westus")
        fabrics = [azure.build.azure_fabric(second, place) for place in (EA, SEA)]
        azure.build.mapping(fabrics[0], hub, fabrics[1], dr)
        desired = azure.state(row(azure.network("app"), azure.network("app-dr", SEA)))
        vaults = (*desired.vaults, Vault(name="two", id=second.id))
        plan = azure.plan(structs.replace(desired, vaults=vaults))
        findings = [finding for finding in plan.findings if finding.kind == "unmanaged"]
        assert [finding.message.partition(";")[0] for finding in findings] == [
            "hub-to-dr maps hub to dr in vault sea",
            "hub-to-dr maps hub to dr in vault two",
        ]

    @pytest.mark.parametrize(
        ("policy", "allowed", "deletes", "found"),
        [
            ("ignore", True, 0, 0),
            ("report", True, 0, 1),
            ("delete", False, 0, 1),
            ("delete", True, 1, 0),
        ],
    )
    def test_deleting_needs_the_setting_of_the_vault_and_the_options(
        self, policy: Any, allowed: bool, deletes: int, found: int
    ) -> None:
        azure = TwoRegions()
        hub, dr = azure.network("hub"), azure.network("dr", SEA)
        azure.map_both(hub, dr)
        azure.map(azure.network("x"), azure.network("y", SEA))
        plan = azure.plan(azure.state(row(hub, dr), unmanaged=policy), allow_delete=allowed)
        assert (plan.summary.delete, plan.summary.unmanaged) == (deletes, found)

    def test_nothing_is_deleted_while_something_is_unreadable(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(denied=("Microsoft.Network/virtualNetworks/read",)))
        azure.map(azure.network("x"), azure.network("y", SEA))
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)), unmanaged="delete")
        plan = azure.plan(desired, allow_delete=True)
        assert plan.changes == ()
        assert any("while part of the inventory could not be read" in finding.hint for finding in plan.findings)

    @pytest.mark.parametrize(
        "unread",
        [
            {"denied": ("Microsoft.Network/virtualNetworks/read",)},
            {"hidden_networks": ("hub",)},  # the list omits it, and the GET fails
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

    def test_a_retarget_leaves_a_reverse_while_the_pair_of_another_tool_cannot_be_read(self) -> None:
        azure = TwoRegions()
        a, b, x, y = azure.network("a"), azure.network("b"), azure.network("x", SEA), azure.network("y", SEA)
        azure.map_both(a, x)
        azure.world.behaviour = Behaviour(hidden_networks=("b",))
        azure.world.faults.add(Fault(effect="forbidden", method="GET", path="*/b", times=0))
        plan = azure.plan(azure.state(row(a, y), row(b, x, managed_by="terraform")))
        assert "unknown" in kinds(plan)
        assert steps(plan) == [("a", "update", ["update", "create"])]

    def test_a_retarget_leaves_what_an_unreadable_pair_declares(self) -> None:
        azure = TwoRegions()
        a, x, y = azure.network("a"), azure.network("x", SEA), azure.network("y", SEA)
        azure.map_both(a, x)
        azure.world.behaviour = Behaviour(hidden_networks=("x",))
        azure.world.faults.add(Fault(effect="forbidden", method="GET", path="*/x", times=0))
        plan = azure.plan(azure.state(row(a, y), row(x, a, failback=False)))
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

    def test_the_reverse_of_a_missing_primary_is_not_deleted_while_a_row_declares_its_copy(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        app = azure.network("app")
        azure.apply(azure.plan(azure.state(row(app, None))))
        azure.world.virtual_networks.delete(app.id)
        plan = azure.plan(azure.state(row(app, None), unmanaged="delete"), allow_delete=True)
        assert (plan.changes, kinds(plan)) == ((), ["missing_network"])


class TestRulesWithoutMatches:
    """A rule that matches nothing protects nothing, and no change shows that."""

    RULE = Rule(name="tagged", vault="sea", match=Match(tags={"dr": "yes"}))

    def warnings(self, azure: TwoRegions, *rows: Row, **more: Any) -> list[Finding]:
        plan = azure.plan(azure.state(*rows, **{"rules": (self.RULE,), **more}))
        return [finding for finding in plan.findings if finding.kind == "rule_matches_nothing"]

    def test_a_rule_that_matches_nothing_is_a_warning(self) -> None:
        azure = TwoRegions()
        azure.network("app", tags={"dr": "oui"})
        [warning] = self.warnings(azure)
        assert (warning.severity, warning.vault, warning.subject) == ("warning", "sea", "tagged")
        assert warning.message == "rule tagged matches no network, so it protects nothing"

    def test_a_rule_whose_networks_are_in_no_primary_region_says_where_they_are(self) -> None:
        azure = TwoRegions()
        azure.network("app", "japaneast", tags={"dr": "yes"})
        [warning] = self.warnings(azure)
        assert "are in japaneast, and the primary regions under regions are eastasia" in warning.hint

    def test_a_rule_that_matches_only_copies_is_a_warning(self) -> None:
        azure = TwoRegions()
        azure.network("app-asr", tags={"dr": "yes", COPY_TAG: "/subscriptions/gone"})
        [warning] = self.warnings(azure)
        assert warning.hint == "only recovery networks and copies match: app-asr"

    def test_a_rule_whose_networks_have_rows_of_their_own_has_no_warning(self) -> None:
        azure = TwoRegions()
        app = azure.network("app", tags={"dr": "yes"})
        assert self.warnings(azure, row(app, azure.network("app-dr", SEA))) == []

    def test_a_rule_whose_networks_are_ignored_has_no_warning(self) -> None:
        azure = TwoRegions()
        azure.network("sandbox", tags={"dr": "yes"})
        assert self.warnings(azure, ignore=(Ignore(name="sandbox", reason="a playground"),)) == []

    def test_a_rule_whose_networks_cannot_be_listed_is_not_reported_as_matching_nothing(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(denied=("Microsoft.Network/virtualNetworks/read",)))
        assert self.warnings(azure) == []
