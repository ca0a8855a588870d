"""The guarantees of asrnet, for random worlds and desired states."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec import structs
from random_pairs import GENEROUS_OPTIONS, Scene
from states import GENEROUS

from asrnet import applying, planning
from asrnet.applying import Progress
from asrnet.desired import Match, Rule, load_desired
from asrnet.export import desired as dumping
from asrnet.fake.faults import Fault
from asrnet.inventory import read as inventory
from asrnet.model.plan import Plan

PROPERTY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def scenes(draw: Any) -> Scene:
    return Scene(draw)


@PROPERTY
@given(scenes())
def test_after_apply_the_plan_is_empty(scene: Scene) -> None:
    report = applying.apply(scene.plan(), scene.azure.backend, GENEROUS_OPTIONS)
    assert report.result in {"succeeded", "nothing_to_do"}
    again = scene.plan()
    assert again.changes == ()
    assert again.summary.blocked == 0


@PROPERTY
@given(scenes())
def test_mappings_outside_the_desired_state_are_not_touched(scene: Scene) -> None:
    before = scene.untouched()
    applying.apply(scene.plan(), scene.azure.backend, GENEROUS_OPTIONS)
    after = scene.live()
    assert {primary: after.get(primary) for primary in before} == before


@PROPERTY
@given(scenes())
def test_an_existing_network_is_never_proposed(scene: Scene) -> None:
    existing = {network.id for network in scene.azure.world.virtual_networks.list(scene.primaries[0].id.subscription)}
    proposed = {change.resource_id for change in scene.plan().changes if change.kind == "virtual_network"}
    assert not existing & proposed


@PROPERTY
@given(scenes(), st.integers(0, 20))
def test_a_run_interrupted_anywhere_is_finished_by_the_next(scene: Scene, cut: int) -> None:
    def press(_: Progress) -> None:
        nonlocal cut
        cut -= 1
        if cut < 0:
            raise KeyboardInterrupt

    applying.apply(scene.plan(), scene.azure.backend, GENEROUS_OPTIONS, on_progress=press)
    scene.azure.clock.resume()
    for _ in range(3):
        applying.apply(scene.plan(), scene.azure.backend, GENEROUS_OPTIONS)
        scene.live()
    assert scene.plan().changes == ()


@PROPERTY
@given(scenes(), st.data())
def test_refusals_in_the_middle_of_a_chain_never_leave_two_mappings_and_the_next_run_converges(
    scene: Scene, data: Any
) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        scene.azure.world.faults.add(
            Fault(
                effect=data.draw(st.sampled_from(["refused", "operation_fails", "scope_locked"])),
                method=data.draw(st.sampled_from(["PUT", "PATCH", "DELETE"])),
                kind="replicationnetworkmappings",
                after=data.draw(st.integers(0, 3)),
                status=409,
                code="Refused",
            )
        )
    applying.apply(scene.plan(), scene.azure.backend, GENEROUS_OPTIONS)
    scene.live()
    scene.azure.world.faults.clear()
    for _ in range(2):
        applying.apply(scene.plan(), scene.azure.backend, GENEROUS_OPTIONS)
        scene.live()
    assert scene.plan().changes == ()


def both_ways(scene: Scene) -> set[str]:
    """Primaries whose recovery network is mapped back to them."""
    live = scene.live()
    return {primary for primary, recovery in live.items() if live.get(recovery) == primary}


@PROPERTY
@given(scenes())
def test_a_refused_update_never_costs_a_pair_its_reverse(scene: Scene) -> None:
    """Every PATCH is refused permanently: whole pairs stay whole."""
    scene.azure.world.faults.add(Fault(effect="refused", method="PATCH", times=0, status=409, code="Refused"))
    before = both_ways(scene)
    report = applying.apply(scene.plan(), scene.azure.backend, GENEROUS_OPTIONS)
    refused = {
        change.primary_network_id.name
        for change in report.changes
        # A PUT may succeed where the PATCH failed.
        if change.primary_network_id and change.action == "update" and change.outcome != "succeeded"
    }
    assert before & refused <= both_ways(scene)


@PROPERTY
@given(scenes())
def test_rules_converge_too(scene: Scene) -> None:
    desired = structs.replace(
        scene.desired, pairs=scene.desired.pairs[:1], rules=(Rule(name="all", vault="sea", match=Match(name="*")),)
    )
    scene.desired = structs.replace(desired, limits=GENEROUS)
    applying.apply(scene.plan(), scene.azure.backend, GENEROUS_OPTIONS)
    assert scene.plan().changes == ()


@PROPERTY
@given(scenes(), st.randoms())
def test_a_plan_does_not_depend_on_the_order_of_lists(scene: Scene, generator: random.Random) -> None:
    found = inventory.read_inventory(scene.desired, scene.azure.backend)
    vault = found.vaults["sea"]
    mappings = list(vault.mappings)
    generator.shuffle(mappings)
    networks = list(found.networks.items())
    generator.shuffle(networks)
    mixed = structs.replace(
        found,
        networks=dict(networks),
        vaults={"sea": structs.replace(vault, mappings=tuple(mappings))},
    )
    first, second = planning.plan(scene.desired, found), planning.plan(scene.desired, mixed)
    assert first.changes == second.changes
    assert sorted(first.findings, key=str) == sorted(second.findings, key=str)


def dumped_and_planned(scene: Scene, *, accept_halves: bool) -> Plan:
    nothing = structs.replace(scene.desired, pairs=())
    found = inventory.read_inventory(nothing, scene.azure.backend)
    dumped = dumping.export_desired(found, nothing, accept_halves=accept_halves)
    assume(dumped.desired.pairs)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "asrnet.yaml"
        path.write_text(dumped.text(), encoding="utf-8")
        again = load_desired(path)
    return scene.azure.plan(again)


@PROPERTY
@given(scenes())
def test_a_dump_with_halves_accepted_loads_and_plans_no_changes(scene: Scene) -> None:
    plan = dumped_and_planned(scene, accept_halves=True)
    assert (plan.changes, plan.summary.blocked, plan.summary.unmanaged) == ((), 0, 0)


@PROPERTY
@given(scenes())
def test_a_dump_plans_only_the_missing_reverses(scene: Scene) -> None:
    plan = dumped_and_planned(scene, accept_halves=False)
    assert {(change.action, change.direction) for change in plan.changes} <= {("create", "reverse")}
    assert (plan.summary.blocked, plan.summary.unmanaged) == (0, 0)
