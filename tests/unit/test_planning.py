"""What a plan proposes for each state of a pair."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, kinds, row, steps

from asrnet.desired import Ignore, Selection
from asrnet.model.arm import ArmId


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


def test_networks_are_named_by_their_ids_as_azure_spells_them() -> None:
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
    assert kinds(plan) == ["retargeted"]


def test_a_retarget_leaves_a_reverse_that_points_at_somebody_else() -> None:
    azure = TwoRegions()
    hub, other = azure.network("hub"), azure.network("other")
    old, new = azure.network("old", SEA), azure.network("new", SEA)
    azure.map(hub, old)
    azure.map(old, other)
    plan = azure.plan(azure.state(row(hub, new)))
    assert steps(plan) == [("hub", "update", ["update", "create"])]


@pytest.mark.parametrize("failback", [True, False])
@pytest.mark.parametrize("target", ["hub", "other"])
def test_a_retarget_leaves_several_mappings_of_the_old_recovery_network_and_names_them(
    target: str, failback: bool
) -> None:
    azure = TwoRegions()
    primaries = {name: azure.network(name) for name in ("hub", "other")}
    hub, old, new = primaries["hub"], azure.network("old", SEA), azure.network("new", SEA)
    azure.map(hub, old)
    first = azure.map(old, hub, name="first")
    second = azure.map(old, primaries[target], name="second")
    plan = azure.plan(azure.state(row(hub, new, failback=failback), unmanaged="delete"), allow_delete=True)
    assert steps(plan) == [("hub", "update", ["update", "create"] if failback else ["update"])]
    (left,) = [finding for finding in plan.findings if finding.kind == "duplicate"]
    assert (left.severity, left.pair, left.subject) == ("warning", "hub", str(old.id))
    assert f"first -> hub, second -> {target}" in left.message
    assert (str(first.id) in left.hint, str(second.id) in left.hint) == (True, target == "hub")


def test_several_mappings_that_another_row_declares_are_reported_with_its_pair_alone() -> None:
    azure = TwoRegions()
    hub, spoke = azure.network("hub"), azure.network("spoke")
    old, new = azure.network("old", SEA), azure.network("new", SEA)
    azure.map(hub, old)
    azure.map(old, hub, name="first")
    azure.map(old, spoke, name="second")
    plan = azure.plan(azure.state(row(hub, new), row(spoke, old)))
    assert steps(plan) == [("hub", "update", ["update", "create"])]
    duplicates = [(finding.pair, finding.severity) for finding in plan.findings if finding.kind == "duplicate"]
    assert duplicates == [("spoke", "error")]


def test_a_swap_is_two_retargets_without_updates_of_the_reverse_mappings() -> None:
    azure = TwoRegions()
    a, b, x, y = azure.network("a"), azure.network("b"), azure.network("x", SEA), azure.network("y", SEA)
    azure.map_both(a, x)
    azure.map_both(b, y)
    plan = azure.plan(azure.state(row(a, y), row(b, x)))
    assert steps(plan) == [(name, "update", ["delete", "update", "create"]) for name in "ab"]


def test_an_unmanaged_mapping_whose_entry_under_ignore_has_ended_is_reported_as_formerly_ignored() -> None:
    azure = TwoRegions()
    azure.map(azure.network("lab-1"), azure.network("lab-dr", SEA))
    entry = Ignore(name="LAB-*", reason="mapped by hand", until=date(2026, 1, 1))
    assert azure.plan(azure.state(ignore=(entry,))).findings == ()
    (finding,) = azure.plan(azure.state(ignore=(structs.replace(entry, until=date(2025, 12, 31)),))).findings
    assert finding.kind == "unmanaged"
    assert finding.message.endswith("; no row or rule asks for it; its entry under ignore ended on 2025-12-31")


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


class TestSelection:
    def test_a_run_on_one_pair_says_nothing_of_the_others(self) -> None:
        azure = TwoRegions()
        azure.map(azure.network("x"), azure.network("y", SEA))
        desired = azure.state(
            row(azure.network("a"), azure.network("a-dr", SEA)), row(azure.network("b"), azure.network("b-dr", SEA))
        )
        plan = azure.plan(desired, selection=Selection(pairs=frozenset({"b"})))
        assert {change.pair for change in plan.changes} == {"b"}
        assert {finding.pair for finding in plan.findings} == {"b"}
