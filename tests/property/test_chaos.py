"""Chaos: random worlds, desired states and faults; drift --correct must converge or stop, without harm.

``CHAOS_SEEDS=5000`` runs more; a failing seed prints how to run it again. A scene through the real SDK takes eight
times as long as one through the ports, so there are an eighth as many: thirty contain every fault.
"""

from __future__ import annotations

import os

import pytest
from chaos import Scene
from chaos_faults import SERVICE, WIRE, service_faults, storm, wire_faults
from chaos_judge import Chaos, LossError

from asrnet.azure import connect
from asrnet.azure.credentials import choose
from asrnet.emulator.app import App
from asrnet.emulator.transport import session
from asrnet.fake.ports import backend as fake_backend
from asrnet.settings.clouds import PUBLIC

SEEDS = int(os.environ.get("CHAOS_SEEDS", "240"))
WIRE_FROM = 1_000_000
STORM_FROM = 2_000_030  # from here on foreign writes often hit what is being written
SDK_SEEDS = SEEDS // 8
RUNS = 4


def judge(chaos: Chaos, seed: int, test: str) -> None:
    """Run everything, end the faults, then check the result."""
    try:
        for _ in range(RUNS):
            chaos.run()
            chaos.scene.clock.advance(chaos.scene.random.choice([0.0, 5.0, 600.0]))
        chaos.calm()
        chaos.judge_end(chaos.finish())
    except BaseException as error:
        seeds = SEEDS if seed >= WIRE_FROM else max(SEEDS, seed + 1)
        error.add_note(f"to run it again: CHAOS_SEEDS={seeds} pytest 'tests/property/test_chaos.py::{test}[{seed}]'")
        raise


def test_the_seeds_draw_every_kind_of_resource_and_fault() -> None:
    """The kinds that the first seeds have; which of them matter in a run is random."""
    drawn: set[str] = set()
    for seed in range(120):
        scene = Scene(seed)
        desired, behaviour = scene.desired, scene.world.behaviour
        drawn |= {fault.effect for fault in service_faults(scene)} | {fault.kind for fault in wire_faults(scene)}
        drawn |= {f"operations {behaviour.operations.partition(':')[0]}", f"PATCH {behaviour.patch}"}
        drawn |= {f"unmanaged {vault.unmanaged}" for vault in desired.vaults}
        drawn |= {word for word, present in shapes(scene).items() if present}
    assert drawn >= {*SERVICE, *WIRE, *shapes(Scene(0)), "operations immediate", "operations time", "operations manual"}
    assert drawn >= {"PATCH accept", "PATCH reject_400", "PATCH reject_405"}
    assert drawn >= {"unmanaged report", "unmanaged ignore", "unmanaged delete"}


def test_the_wire_seeds_draw_every_fault_and_every_shape() -> None:
    drawn: set[str] = set()
    for seed in range(WIRE_FROM, WIRE_FROM + 30):
        scene = Scene(seed)
        drawn |= {fault.effect for fault in service_faults(scene)[:2]} | {fault.kind for fault in wire_faults(scene)}
        drawn |= {word for word, present in shapes(scene).items() if present}
    assert drawn >= {*SERVICE, *WIRE, *shapes(Scene(0))}


def shapes(scene: Scene) -> dict[str, bool]:
    """The features that a scene can have, and whether it has them."""
    desired = scene.desired
    return {
        "lagging lists": bool(scene.world.behaviour.list_lag),
        "several vaults": len(scene.sites) > 1,
        "a vault without a fabric": any(len(site.fabrics) < 2 for site in scene.sites),
        "VMM rows": bool(desired.vmm_pairs),
        "swaps": any(site.crossed for site in scene.sites),
        "half pairs": any(not row.failback for row in desired.pairs),
        "copies": any(row.recovery is None for row in desired.pairs),
        "rules": bool(desired.rules),
        "another tool": any(row.managed_by for row in desired.pairs),
        "a freeze": bool(desired.freeze),
        "something ignored": bool(desired.ignore),
        "tight limits": desired.limits.max_updates < len(desired.pairs),
        "deletes allowed": scene.allow_delete,
        "a failover": bool(scene.moving),
    }


@pytest.mark.parametrize("seed", range(SEEDS))
def test_runs_converge_under_faults_of_the_service(seed: int) -> None:
    scene = Scene(seed)
    chaos = Chaos(scene, fake_backend(scene.world), service_faults(scene))
    judge(chaos, seed, "test_runs_converge_under_faults_of_the_service")


@pytest.mark.parametrize("seed", range(WIRE_FROM, WIRE_FROM + SDK_SEEDS))
def test_runs_converge_under_wire_faults_through_the_real_sdk(seed: int) -> None:
    scene = Scene(seed)
    app = App(scene.world)
    backend = connect.backend(clock=scene.clock, credential=choose(PUBLIC, named="emulator"), session=session(app))
    chaos = Chaos(scene, backend, service_faults(scene)[:2], app)
    for wire_fault in wire_faults(scene):
        app.faults.add(wire_fault)
    judge(chaos, seed, "test_runs_converge_under_wire_faults_through_the_real_sdk")


def stormy(seed: int, *, looks: bool = True) -> Chaos:
    """A scene in which nearly every write is repeated, through the real SDK."""
    scene = Scene(seed)
    app = App(scene.world)
    backend = connect.backend(clock=scene.clock, credential=choose(PUBLIC, named="emulator"), session=session(app))
    for fault in storm(scene):
        app.faults.add(fault)
    return Chaos(scene, backend, [], app, looks=looks)


@pytest.mark.parametrize("seed", range(STORM_FROM, STORM_FROM + SDK_SEEDS))
def test_no_foreign_change_between_a_write_and_its_repeat_is_lost(seed: int) -> None:
    judge(stormy(seed), seed, "test_no_foreign_change_between_a_write_and_its_repeat_is_lost")


def test_without_reading_before_writes_foreign_changes_are_lost() -> None:
    """The same scenes without reads before writes must fail, or the suite would prove nothing."""
    lost = 0
    for seed in range(STORM_FROM, STORM_FROM + 30):
        chaos = stormy(seed, looks=False)
        try:
            for _ in range(RUNS):
                chaos.run()
        except LossError:
            lost += 1
        if lost == 2:  # enough as proof
            break
    assert lost == 2
