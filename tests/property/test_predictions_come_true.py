"""Predictions for after a plan equal those after applying it, for random worlds and machines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from random_pairs import GENEROUS_OPTIONS, Scene
from states import EA, SEA

from asrnet import applying, planning
from asrnet.desired import DesiredState
from asrnet.failover import Operation
from asrnet.inventory.read import read_inventory
from asrnet.model.azure import IpConfiguration, Nic
from asrnet.prediction import Question, predict, read_machines

PROPERTY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def scenes(draw: Any) -> Scene:
    """A world in which machines of the primary networks are protected, with or without networks of their own."""
    scene = Scene(draw)
    numbers = iter(range(4, 200))
    for network in scene.primaries:
        for _ in range(draw(st.integers(0, 2))):
            number = next(numbers)
            address = IpConfiguration(
                subnet="web",
                ip=f"10.0.1.{number}",
                ip_type="Static",
                recovery_subnet=draw(st.sampled_from([None, "web", "gone"])),
                recovery_ip=draw(st.sampled_from([None, f"10.0.1.{number + 40}"])),
            )
            own_network = draw(st.none() | st.sampled_from(scene.recoveries))
            nic = Nic(
                name=f"vm{number}-nic",
                primary_network_id=network.id,
                recovery_network_id=own_network and own_network.id,
                ip_configurations=(address,),
            )
            scene.azure.build.protected_item(f"vm{number}", scene.azure.fabrics[EA], scene.azure.fabrics[SEA], nic)
    return scene


def landings(
    scene: Scene, desired: DesiredState, operation: Operation, *, after_plan: bool = False
) -> list[tuple[Any, ...]]:
    make_plan = (lambda inventory: planning.plan(desired, inventory)) if after_plan else None
    inputs = read_machines(desired, scene.azure.backend, Question(operation=operation), make_plan=make_plan)
    return sorted(
        (
            landing.machine,
            landing.network_id.key if landing.network_id else "",
            landing.subnet or "",
            landing.ip or "",
            landing.outcome,
            landing.rule.code,
        )
        for landing in predict(inputs).landings
    )


@pytest.mark.parametrize("operation", ["failover", "test-failover", "failback"])
@pytest.mark.parametrize("mode", ["report", "follow"])
@PROPERTY
@given(scene=scenes())
def test_predictions_for_after_a_plan_come_true(scene: Scene, mode: Any, operation: Operation) -> None:
    limits = structs.replace(scene.desired.limits, max_machines=1000)
    desired = structs.replace(scene.desired.with_machines(mode), limits=limits)
    predicted = landings(scene, desired, operation, after_plan=True)
    plan = planning.plan(desired, read_inventory(desired, scene.azure.backend))
    applying.apply(plan, scene.azure.backend, GENEROUS_OPTIONS)
    assert landings(scene, desired, operation) == predicted
