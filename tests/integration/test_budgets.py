"""Budgets of a run, in counts and never in seconds: requests, and chains of dependent requests.

The figures in seconds are in docs/performance.md, made by ``make bench``.
"""

from __future__ import annotations

from math import ceil
from uuid import UUID

import pytest

from asrnet import applying, planning
from asrnet.azure import connect
from asrnet.azure.credentials import choose
from asrnet.clocks import SimulatedClock
from asrnet.desired import DesiredState, Region, Row, Vault
from asrnet.emulator.transport import in_process
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import Builder
from asrnet.fake.world import World
from asrnet.inventory import read as inventory
from asrnet.settings.clouds import PUBLIC
from benchmarks.chains import A_REQUEST, Task, chain_of_asrnet, chain_of_floor
from benchmarks.floor import Floor
from benchmarks.scenes import Conditions, desired, world

EA, SEA = "eastasia", "southeastasia"


class TestChains:
    @pytest.mark.parametrize(("pairs", "pages"), [(1, 1), (50, 1), (150, 3)])
    def test_a_plan_takes_no_longer_than_the_pages_of_its_longest_list(self, pairs: int, pages: int) -> None:
        assert chain_of_asrnet("plan", pairs) == pages

    @pytest.mark.parametrize("pairs", [1, 20, 150])
    def test_an_apply_takes_one_request_longer_than_the_floor(self, pairs: int) -> None:
        """The extra request reads, right before the first write, what has changed since the plan."""
        assert chain_of_asrnet("apply", pairs) <= chain_of_floor("apply", pairs) + 1


class TestRequests:
    @pytest.mark.parametrize("pairs", [1, 20, 150])
    def test_a_plan_sends_what_the_floor_sends(self, pairs: int) -> None:
        assert sent_by_asrnet("plan", pairs) == sent_by_floor("plan", pairs)

    @pytest.mark.parametrize(("pairs", "each"), [(1, 6.5), (20, 1.3), (100, 1.1), (150, 1.1)])
    def test_an_apply_sends_little_more_than_a_request_for_each_mapping(self, pairs: int, each: float) -> None:
        sent = sent_by_asrnet("apply", pairs)
        assert sum(sent.values()) / (2 * pairs) <= each
        assert sent["PUT"] == 2 * pairs


def test_vaults_and_subscriptions_are_read_in_parallel() -> None:
    """Five lists of each vault and one of each subscription, eight requests at a time."""
    vaults, subscriptions = 8, 5
    build = Builder(clock=SimulatedClock(), behaviour=Behaviour(latency=A_REQUEST))
    homes = [str(UUID(int=number + 1)) for number in range(subscriptions)]
    ends = [[build.virtual_network("hub", place, subscription=home).id for place in (EA, SEA)] for home in homes]
    wanted = DesiredState(
        vaults=tuple(Vault(name=f"v{number}", id=build.vault(f"v{number}").id) for number in range(vaults)),
        regions=(Region(primary=EA, recovery=SEA),),
        pairs=tuple(Row(name=two[0].subscription, vault="v0", primary=two[0], recovery=two[1]) for two in ends),
    )
    session = in_process(build.world)
    backend = connect.backend(clock=build.world.clock, credential=choose(PUBLIC, named="emulator"), session=session)
    began = build.world.clock.now()
    inventory.read_inventory(wanted, backend)
    requests = sum(build.world.journal.methods().values())
    assert requests == 5 * vaults + subscriptions
    assert round((build.world.clock.now() - began) / A_REQUEST) == ceil(requests / inventory.READS_AT_ONCE)


def sent_by_asrnet(task: Task, pairs: int) -> dict[str, int]:
    """The requests of a plan with all mapped, or of an apply with nothing mapped, by method."""
    there = scene(task, pairs)
    backend = connect.backend(clock=there.clock, credential=choose(PUBLIC, named="emulator"), session=in_process(there))
    wanted = desired(pairs)
    plan = planning.plan(wanted, inventory.read_inventory(wanted, backend))
    if task == "apply":
        assert applying.apply(plan, backend).result == "succeeded"
    return dict(there.journal.methods())


def sent_by_floor(task: Task, pairs: int) -> dict[str, int]:
    """The indispensable requests."""
    there = scene(task, pairs)
    Floor(in_process(there), PUBLIC.endpoint, there.clock).read()
    return dict(there.journal.methods())


def scene(task: Task, pairs: int) -> World:
    return world(pairs, mapped=task == "plan", conditions=Conditions(), clock=SimulatedClock()).world
