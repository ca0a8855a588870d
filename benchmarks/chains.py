"""The longest chain of dependent requests: what remains of a run if everything else is parallel.

It is counted, not timed: on the simulated clock every request takes the same long time, operations take none, and any
number of requests may be in flight. The time that passes, divided by that of one request, is the length of the chain.
"""

from __future__ import annotations

from math import inf
from typing import Literal

from asrnet import applying, planning
from asrnet.applying import Options
from asrnet.azure import connect
from asrnet.azure.credentials import choose
from asrnet.clocks import SimulatedClock
from asrnet.emulator.transport import in_process
from asrnet.fake.world import World
from asrnet.inventory import read as inventory
from asrnet.settings.clouds import PUBLIC
from benchmarks.floor import Floor
from benchmarks.scenes import Conditions, desired, world

Task = Literal["plan", "apply"]

A_REQUEST = 80_000.0
"""In simulated seconds: so long that the pauses between polls do not count."""

EVERYTHING = Options(per_vault=1_000_000, in_all=1_000_000, timeout=A_REQUEST * 1_000_000, look_age=inf)


def chain_of_asrnet(task: Task, pairs: int) -> int:
    """The chain of ``asrnet plan`` with everything mapped, or of ``asrnet apply`` with nothing mapped."""
    there = _world(task, pairs)
    clock = there.clock
    began = clock.now()
    backend = connect.backend(clock=clock, credential=choose(PUBLIC, named="emulator"), session=in_process(there))
    wanted = desired(pairs)
    plan = planning.plan(wanted, inventory.read_inventory(wanted, backend))
    if task == "apply":
        report = applying.apply(plan, backend, EVERYTHING)
        assert report.result == "succeeded", report.result
    return _requests(clock.now() - began)


def chain_of_floor(task: Task, pairs: int) -> int:
    """The chain of the same work in the minimal program."""
    there = _world(task, pairs)
    clock = there.clock
    began = clock.now()
    floor = Floor(in_process(there), PUBLIC.endpoint, clock, at_once=1_000_000)
    floor.read()
    if task == "apply":
        floor.write(pairs, operation=0.0)
    return _requests(clock.now() - began)


def _world(task: Task, pairs: int) -> World:
    conditions = Conditions(latency=A_REQUEST, operation=0.0)
    return world(pairs, mapped=task == "plan", conditions=conditions, clock=SimulatedClock()).world


def _requests(seconds: float) -> int:
    return round(seconds / A_REQUEST)
