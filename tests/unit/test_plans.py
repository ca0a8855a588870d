"""Plans as values: limits, saving, loading, and determinism."""

from __future__ import annotations

import pytest
from msgspec import structs
from states import SEA, TwoRegions, row

from asrnet.desired import Rule
from asrnet.errors import InputError, RefusedError
from asrnet.model.limits import Limits
from asrnet.model.plan import Plan, load_plan, to_json


class TestLimits:
    def _plan(self, count: int, limits: Limits) -> Plan:
        azure = TwoRegions()
        rows = []
        for number in range(count):
            hub, old = azure.network(f"hub{number}"), azure.network(f"old{number}", SEA)
            azure.map_both(hub, old)
            rows.append(row(hub, azure.network(f"new{number}", SEA)))
        return azure.plan(azure.state(*rows, limits=limits))

    def test_a_plan_over_a_limit_is_refused_in_one_line_with_figures_and_remedy(self) -> None:
        plan = self._plan(3, Limits(max_updates=2, max_change_percent=100))
        with pytest.raises(RefusedError) as caught:
            plan.raise_if_over_limits()
        assert caught.value.message == (
            "vault sea: 3 mappings to update, but max_updates is 2 "
            "(0 to create, 3 to update, 0 to delete, 6 existing); raise the limit or use --force max_updates"
        )

    def test_a_limit_that_one_vault_exceeds_is_not_reported_again_for_the_whole_run(self) -> None:
        plan = self._plan(3, Limits(max_updates=2, max_change_percent=100))
        beside = structs.replace(plan, existing={**plan.existing, "quiet": 40})
        assert [line.partition(":")[0] for line in beside.violations()] == ["vault sea"]

    def test_a_limit_that_vaults_exceed_together_is_reported_for_the_whole_run(self) -> None:
        plan = self._plan(3, Limits(max_updates=4, max_change_percent=100))
        others = tuple(structs.replace(change, vault="other") for change in plan.changes)
        both = structs.replace(plan, existing={**plan.existing, "other": 6}, changes=(*plan.changes, *others))
        assert [line.partition("(")[0] for line in both.violations()] == [
            "this run: 6 mappings to update, but max_updates is 4 "
        ]

    def test_force_lifts_the_limit_it_names_and_no_other(self) -> None:
        plan = self._plan(6, Limits(max_updates=2, max_change_percent=30))
        assert len(plan.violations()) == 2
        assert [line for line in plan.violations({"max_updates"}) if "max_change_percent" in line]
        plan.raise_if_over_limits({"max_updates", "max_change_percent"})

    @pytest.mark.parametrize(("percent", "refused"), [(25, False), (24, True)])
    def test_a_share_is_refused_as_soon_as_it_exceeds_the_limit(self, percent: int, refused: bool) -> None:
        limits = Limits(max_updates=10, max_change_percent=percent, min_existing=1)
        plan = self._plan(1, limits)
        assert plan.existing == {"sea": 2}
        # One update of four mappings: 25 percent.
        of_four = structs.replace(plan, existing={"sea": 4})
        assert bool(of_four.violations()) is refused

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

    def test_a_plan_that_an_older_asrnet_saved_is_not_said_to_be_changed(self) -> None:
        data = to_json(self._plan()).replace(b'"format_version":"1.1"', b'"format_version":"1.0"')
        with pytest.raises(RefusedError, match=r"the plan has format 1\.0, and this asrnet can check only") as caught:
            load_plan(data, source="plan.json")
        assert caught.value.kind == "tampered"

    def test_a_plan_of_another_format_is_refused(self) -> None:
        data = to_json(self._plan()).replace(b'"format_version":"1.1"', b'"format_version":"2.0"')
        with pytest.raises(InputError, match=r"format 2\.0"):
            load_plan(data, source="plan.json")

    @pytest.mark.parametrize(
        "data", [b"", b"{}", b"[]", b"\xff\xfe", b'{"format_version":"1.0"}x', b'{"format_version":1}']
    )
    def test_a_file_that_is_not_a_plan_is_refused(self, data: bytes) -> None:
        with pytest.raises((InputError, RefusedError)):
            load_plan(data, source="plan.json")

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b'{"format_version":"1.0","x":' + b"[" * 100_000, "recursion"),
            (b'{"format_version":"1.0","observed":[{"vault":"v","vault_id":null}]}', r"an id - at `\$.observed\[0\]"),
            (
                b'{"format_version":"1.0","observed":[{"vault":"v","vault_id":"x"}]}',
                r"no.* id.* - at `\$.observed\[0\]",
            ),
        ],
        ids=["too deep", "no id", "a wrong id"],
    )
    def test_a_mistake_in_a_plan_is_reported_with_its_file_and_place(self, data: bytes, why: str) -> None:
        with pytest.raises(InputError, match=f"^plan.json: not a saved plan: .*{why}"):
            load_plan(data, source="plan.json")


def test_planning_twice_from_the_same_values_gives_the_same_plan() -> None:
    azure = TwoRegions()
    desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
    assert azure.plan(desired) == azure.plan(desired)
