"""Drift: kinds, what a run leaves alone, and correcting with a report of what remains."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from followers import Followers
from msgspec import structs
from states import EA, SEA, TwoRegions, kinds, row, steps

from asrnet import applying, exit_codes
from asrnet.applying import Options
from asrnet.desired import DesiredState, Freeze
from asrnet.drift import Correction, Detected, Kinds, cause, correct_drift, detect_drift, restricted
from asrnet.drift import correct_detected as correct
from asrnet.errors import UnreachableError
from asrnet.model.azure import Nic
from asrnet.model.limits import Limits
from asrnet.model.plan import Plan
from asrnet.ports import Backend


class Drifted(TwoRegions):
    """One pair for every kind of drift, one in sync, and one undeclared mapping."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        names = ("missing", "half", "moved", "stopped", "fine")
        self.near = {name: self.network(name) for name in names}
        self.far = {name: self.network(f"{name}-dr", SEA) for name in names}
        self.old = self.network("old-dr", SEA)
        self.map(self.near["half"], self.far["half"])
        self.map_both(self.near["moved"], self.old)
        self.map_both(self.near["fine"], self.far["fine"])
        self.map(self.network("stray"), self.network("stray-dr", SEA))
        stopped = self.map(self.near["stopped"], self.far["stopped"])
        self.map(self.far["stopped"], self.near["stopped"])
        self.world.state.put_mapping(structs.replace(stopped, state="NotPaired"))

    def desired(self, **more: Any) -> DesiredState:
        return self.state(*(row(self.near[name], self.far[name]) for name in self.near), **more)

    def correct(self, desired: DesiredState, backend: Backend | None = None, **wanted: Any) -> Correction:
        door = backend or self.backend
        forced = wanted.get("forced", ())
        return correct(
            partial(detect_drift, desired, door, **wanted),
            lambda plan: applying.apply(plan, door, Options(forced=frozenset(forced))),
            forced=forced,
        )


def plan_of(azure: Drifted, **wanted: Any) -> Plan:
    return detect_drift(azure.desired(), azure.backend, **wanted).plan


def test_every_change_corrects_one_kind_of_drift() -> None:
    azure = Drifted()
    plan = plan_of(azure)
    found = {change.pair: cause(change, [f for f in plan.findings if f.pair == change.pair]) for change in plan.changes}
    assert found == {"missing": "missing_pair", "half": "half_pair", "moved": "retargeted", "stopped": "not_paired"}


def test_a_deletion_is_about_an_unmanaged_mapping() -> None:
    azure = Drifted()
    plan = detect_drift(azure.desired(unmanaged="delete"), azure.backend, allow_delete=True).plan
    assert [cause(change, ()) for change in plan.changes if change.action == "delete"] == ["unmanaged"]


def test_without_a_selection_of_kinds_a_plan_is_unchanged() -> None:
    plan = plan_of(Drifted())
    assert restricted(plan, Kinds()) is plan


@pytest.mark.parametrize(
    ("wanted", "pairs"),
    [
        (Kinds(only=frozenset({"half_pair"})), ["half"]),
        (Kinds(only=frozenset({"retargeted", "not_paired"})), ["moved", "stopped"]),
        (Kinds(ignored=frozenset({"retargeted"})), ["half", "missing", "stopped"]),
        (Kinds(only=frozenset({"half_pair"}), ignored=frozenset({"half_pair"})), []),
        (Kinds(only=frozenset({"unmanaged"})), []),
    ],
    ids=["only one", "only two", "all but one", "none", "only a finding"],
)
def test_only_the_selected_kinds_are_planned(wanted: Kinds, pairs: list[str]) -> None:
    plan = plan_of(Drifted(), kinds=wanted)
    assert sorted({change.pair for change in plan.changes if change.pair}) == pairs
    assert {view.name for view in plan.pairs} == {*pairs, "fine"}
    assert all(wanted.include(found.kind) for found in plan.findings)


def test_a_restricted_plan_has_its_own_figures_and_checksum() -> None:
    plan = plan_of(Drifted(), kinds=Kinds(only=frozenset({"missing_pair"})))
    assert (plan.summary.create, plan.summary.update, plan.summary.unmanaged) == (2, 0, 0)
    assert plan.summary.in_sync == 2
    assert plan.checksum == plan.sealed().checksum


def test_a_change_that_needs_one_left_out_is_left_out_with_it() -> None:
    """a takes over x from b, whose mapping moves to y: without the retarget of b the reverse of x is not free."""
    azure = TwoRegions()
    a, b, x, y = azure.network("a"), azure.network("b"), azure.network("x", SEA), azure.network("y", SEA)
    azure.map_both(b, x)
    desired = azure.state(row(a, x), row(b, y))
    assert steps(azure.plan(desired)) == [
        ("a", "create", ["create"]),
        ("a", "create", ["create"]),
        ("b", "update", ["delete", "update", "create"]),
    ]
    plan = detect_drift(desired, azure.backend, kinds=Kinds(ignored=frozenset({"retargeted"}))).plan
    assert [change.direction for change in plan.changes] == ["forward"]


def test_networks_and_fabrics_are_made_only_for_what_is_corrected() -> None:
    azure = TwoRegions()
    azure.build.resource_group("rg-asr", location=SEA)
    desired = azure.state(row(azure.network("app"), None))
    assert detect_drift(
        desired, azure.backend, kinds=Kinds(only=frozenset({"missing_pair"}))
    ).plan.resources.virtual_network
    assert not detect_drift(desired, azure.backend, kinds=Kinds(only=frozenset({"retargeted"}))).plan.changes


def test_a_freeze_counts_only_where_it_holds_back_a_selected_kind() -> None:
    azure = Drifted()
    found = detect_drift(DesiredState(), azure.backend).inventory
    desired = azure.desired(freeze=(Freeze(vault="sea", until=found.today, reason="exercise"),))

    def held(wanted: Kinds) -> set[str | None]:
        plan = detect_drift(desired, azure.backend, kinds=wanted).plan
        return {each.pair for each in plan.findings if each.kind == "frozen"}

    assert held(Kinds(only=frozenset({"half_pair"}))) >= {"half"}
    assert "missing" not in held(Kinds(only=frozenset({"half_pair"})))
    assert held(Kinds(ignored=frozenset({"frozen"}))) == set()


def test_correcting_leaves_no_drift() -> None:
    azure = Drifted()
    correction = azure.correct(azure.desired())
    assert correction.report.result == "succeeded"
    assert correction.left is not None
    assert correction.left.changes == ()
    assert kinds(correction.left) == ["unmanaged"]


def test_correcting_one_kind_leaves_the_others_as_they_are() -> None:
    azure = Drifted()
    before = azure.mappings()
    azure.correct(azure.desired(), kinds=Kinds(only=frozenset({"half_pair"})))
    assert azure.mappings() == {**before, "half-dr": "half"}


def test_over_a_limit_nothing_is_started_and_every_change_says_why() -> None:
    azure = Drifted()
    before = azure.mappings()
    correction = azure.correct(azure.desired(limits=Limits(max_updates=1, max_change_percent=100)))
    assert azure.mappings() == before
    assert correction.report.result == "refused"
    assert correction.refusals[0].startswith("vault sea: 2 mappings to update, but max_updates is 1 (")
    assert {(change.outcome, change.refused) for change in correction.report.changes} == {("skipped", True)}
    assert {change.error for change in correction.report.changes} == {correction.refusals[0]}


def test_a_forced_limit_does_not_apply() -> None:
    azure = Drifted()
    desired = azure.desired(limits=Limits(max_updates=1, max_change_percent=100))
    assert azure.correct(desired, forced=("max_updates",)).report.result == "succeeded"


def test_the_report_is_kept_when_the_remaining_drift_cannot_be_read() -> None:
    azure = Drifted()
    times = iter([True, False])

    def detected() -> Detected:
        if next(times):
            return detect_drift(azure.desired(), azure.backend)
        raise UnreachableError("the network is gone")

    correction = correct(detected, lambda plan: applying.apply(plan, azure.backend))
    assert correction.report.result == "succeeded"
    assert (correction.left, str(correction.problem)) == (None, "the network is gone")


def test_a_retarget_lists_the_machines_that_keep_the_old_network() -> None:
    azure = Drifted()
    for name in ("vm1", "vm2"):
        nic = Nic(name="nic0", primary_network_id=azure.near["moved"].id, recovery_network_id=azure.old.id)
        azure.build.protected_item(name, azure.fabrics[EA], azure.fabrics[SEA], nic)
    correction = azure.correct(azure.desired(), kinds=Kinds(only=frozenset({"retargeted", "stale_protected_item"})))
    told = [found for found in correction.report.findings if found.kind == "stale_protected_item"]
    assert [found.message.partition(" ")[0] for found in told] == ["vm1", "vm2"]
    assert all("still fails over to old-dr" in found.message for found in told)
    assert told[0].hint == "asrnet apply --pair moved --machines follow"


def test_machines_are_corrected_by_kind_and_not_without_the_mapping_that_they_follow() -> None:
    def corrected(mapped_to: str, *only: str) -> dict[str, str]:
        followers = Followers(machines=2, mapped_to=mapped_to)
        desired = followers.desired(test=followers.bubble.id)
        correct_drift(desired, followers.backend, kinds=Kinds(only=frozenset(only)))
        return followers.destinations()

    assert set(corrected("new", "stale_protected_item").values()) == {"new"}
    assert set(corrected("new", "half_pair").values()) == {"old"}
    assert set(corrected("new", "test_network_differs").values()) == {"old"}, "the change is for another reason, too"
    assert set(corrected("old", "stale_protected_item").values()) == {"old"}, "its mapping is not corrected"
    assert set(corrected("old", "stale_protected_item", "retargeted").values()) == {"new"}


def test_a_machine_whose_change_is_of_a_kind_left_out_is_only_reported() -> None:
    followers = Followers(machines=1)
    other = row(followers.network("other"), followers.network("other-dr", SEA))
    desired = structs.replace(followers.desired(), pairs=(*followers.desired().pairs, other))
    plan = detect_drift(desired, followers.backend, kinds=Kinds(ignored=frozenset({"stale_protected_item"}))).plan
    assert {machine.status for machine in plan.machines} <= {"reported"}
    assert plan.resources.protected_item == 0


def test_a_change_of_the_test_network_alone_is_drift_of_its_own_kind() -> None:
    followers = Followers(machines=1)
    followers.apply(followers.planned())
    desired = followers.desired(test=followers.bubble.id)
    kinds = Kinds(only=frozenset({"test_network_differs"}))
    detected = detect_drift(desired, followers.backend, kinds=kinds)
    assert [change.kind for change in detected.plan.changes] == ["protected_item"]
    correction = correct_drift(desired, followers.backend, kinds=kinds)
    assert (correction.report.result, exit_codes.exit_code(correction)) == ("succeeded", exit_codes.DONE)
