"""Two independent runs at the same time on one vault: nothing is lost, and they converge.

There is no lock: the checks of each run right before its writes must suffice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import pytest
from doors import wire
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from states import SEA, TwoRegions, row

from asrnet import applying
from asrnet.applying import AuditEntry
from asrnet.clocks import Bounded
from asrnet.desired import DesiredState
from asrnet.drift import Correction, correct_drift
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.ports import backend as fake_backend
from asrnet.fake.world import World
from asrnet.model.azure import VirtualNetwork
from asrnet.ports import Backend

PROPERTY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Race:
    """A vault with every kind of drift, and two runs, the second of which starts a little later."""

    def __init__(self, draw: Callable[[Any], Any], door: Callable[[World], Backend]) -> None:
        behaviour = Behaviour(
            operations=draw(st.sampled_from(["immediate", "time:1", "time:3"])),
            latency=draw(st.sampled_from([0.0, 0.05, 0.3, 1.0])),
            page_size=draw(st.integers(1, 4)),
            missing_mapping=draw(st.sampled_from([404, 400])),
        )
        self.azure = azure = TwoRegions(behaviour=behaviour)
        azure.build.resource_group("rg-asr", location=SEA)
        self.stray = azure.map(azure.network("stray"), azure.network("stray-dr", SEA))
        targets = [azure.network(f"x{number}", SEA) for number in range(4)]
        rows = []
        for number in range(draw(st.integers(1, 4))):
            primary = azure.network(f"p{number}")
            now = draw(st.none() | st.sampled_from(targets[number : number + 2]))
            if now:
                azure.map(primary, now)
                azure.map(now, primary) if draw(st.booleans()) and now.name not in azure.mappings() else None
            rows.append(row(primary, draw(st.sampled_from([targets[number], None]))))
        self.desired = azure.state(*rows)
        self.backends = [door(azure.world), door(azure.world)]
        self.delay = draw(st.floats(0.0, 12.0))

    def run(self) -> list[Correction]:
        """Run both to their ends."""
        return at_once(self.azure, [partial(self._one, number) for number in range(2)])

    def _one(self, number: int) -> Correction:
        self.azure.clock.sleep(self.delay * number)
        return corrected(self.desired, self.backends[number])


def corrected(
    desired: DesiredState, backend: Backend, on_write: Callable[[AuditEntry], None] = lambda _: None
) -> Correction:
    """One run of drift --correct."""
    return correct_drift(desired, backend, on_write=on_write)


def judge(race: Race) -> None:
    """What must hold after both runs, and after one more."""
    race.run()
    azure = race.azure
    live = azure.mappings()  # fails where a primary has two
    assert live["stray"] == "stray-dr"
    last = corrected(race.desired, azure.backend)
    assert last.left is not None
    assert last.left.changes == ()
    assert azure.mappings()["stray"] == "stray-dr"
    wanted = {wanted.primary.name for wanted in race.desired.pairs}
    assert wanted <= azure.mappings().keys()


@settings(PROPERTY, max_examples=60)
@given(st.data())
def test_two_runs_at_once_converge_without_harm(data: Any) -> None:
    judge(Race(data.draw, fake_backend))


@settings(PROPERTY, max_examples=10)
@given(st.data())
def test_two_runs_at_once_converge_through_the_real_sdk(data: Any) -> None:
    judge(Race(data.draw, wire))


class Overlap:
    """A retarget, a copy, a missing and a half pair, corrected by two runs; the second begins ``delay`` seconds later.

    ``writes`` are those of both in order, each as run number, action and outcome.
    """

    def __init__(self, door: Callable[[World], Backend], delay: float) -> None:
        self.azure = azure = TwoRegions(behaviour=Behaviour(operations="time:3", latency=0.1))
        azure.build.resource_group("rg-asr", location=SEA)
        near = {name: azure.network(name) for name in ("moved", "copied", "missing", "half", "stray")}
        far = {name: azure.network(name, SEA) for name in ("old", "new", "missing-dr", "half-dr", "stray-dr")}
        azure.map_both(near["moved"], far["old"])
        azure.map(far["half-dr"], near["half"])
        azure.map(near["stray"], far["stray-dr"])
        wanted = {"moved": "new", "missing": "missing-dr", "half": "half-dr"}
        rows = [row(near[primary], far[recovery]) for primary, recovery in wanted.items()]
        self.desired = azure.state(*rows, row(near["copied"], None))
        ways = {**wanted, "copied": "copied-asr"}
        self.end = {**ways, **{recovery: primary for primary, recovery in ways.items()}, "stray": "stray-dr"}
        self._writes: list[tuple[float, int, AuditEntry]] = []
        self.runs = at_once(azure, [partial(self._run, door(azure.world), number, delay) for number in range(2)])
        self.writes = [(number, entry.action, entry.outcome) for _, number, entry in sorted(self._writes, key=_when)]

    def _run(self, backend: Backend, number: int, delay: float) -> Correction:
        self.azure.clock.sleep(delay * number)
        return corrected(self.desired, backend, lambda entry: self._writes.append((entry.time, number, entry)))

    @property
    def interleaved(self) -> bool:
        """Whether one wrote between two writes of the other."""
        turns = [number for number, _ in groupby(number for number, _, _ in self.writes)]
        return len(turns) > 2

    @property
    def outcomes(self) -> set[str]:
        """The outcomes of the changes of both runs."""
        return {change.outcome for run in self.runs for change in run.report.changes}


def _when(entry: tuple[float, int, AuditEntry]) -> tuple[float, int]:
    return entry[:2]


def at_once(azure: TwoRegions, calls: Sequence[Callable[[], Correction]]) -> list[Correction]:
    """The results of all ``calls``, run in parallel."""
    side_by_side = Bounded(azure.clock, len(calls))
    runs = [side_by_side.start(call) for call in calls]
    side_by_side.settle(runs)
    return [run.result() for run in runs]


@pytest.mark.parametrize(
    ("door", "delays"),
    [(fake_backend, [tenths / 10 for tenths in range(0, 130, 3)]), (wire, [0.0, 0.5, 3.5, 6.5, 10.0, 13.0])],
    ids=["through the ports", "through the real SDK"],
)
def test_whenever_the_second_run_begins_nothing_is_lost(
    door: Callable[[World], Backend], delays: Sequence[float]
) -> None:
    """Delays from simultaneous to sequential; in between, the runs interleave their writes and notice it."""
    found = [Overlap(door, delay) for delay in delays]
    for overlap in found:
        last = corrected(overlap.desired, overlap.azure.backend)
        assert last.left
        assert last.left.changes == ()
        assert overlap.azure.mappings() == overlap.end
        copies = [network for network in overlap.azure.world.state.virtual_networks if network.id.name == "copied-asr"]
        assert [subnet.name for subnet in copies[0].subnets] == ["web"]
    assert sum(overlap.interleaved for overlap in found) >= len(found) // 2
    assert any("stale" in overlap.outcomes for overlap in found)
    assert {number for number, _, _ in found[-1].writes} == {0}  # and in the end the second finds nothing to do


def test_of_two_runs_that_start_together_one_does_the_work_and_both_end_well() -> None:
    azure = TwoRegions(behaviour=Behaviour(operations="time:3", latency=0.1))
    hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
    azure.map_both(hub, old)
    desired = azure.state(row(hub, new))
    runs = at_once(azure, [partial(corrected, desired, fake_backend(azure.world)) for _ in range(2)])
    assert azure.mappings() == {"hub": "new", "new": "hub"}
    assert "succeeded" in {run.report.result for run in runs}
    assert structs.asdict(azure.plan(desired).summary)["in_sync"] == 2


class Wish:
    """A vault in which one run uses an old file and another a new file."""

    def __init__(self, *, mapped: bool) -> None:
        self.azure = azure = TwoRegions(behaviour=Behaviour(operations="time:3", latency=0.1))
        self.hub, self.old = azure.network("hub"), azure.network("old", SEA)
        self.mine, self.theirs = azure.network("mine", SEA), azure.network("theirs", SEA)
        if mapped:
            azure.map_both(self.hub, self.old)

    def state(self, recovery: VirtualNetwork) -> DesiredState:
        return self.azure.state(row(self.hub, recovery))


@pytest.mark.parametrize("mapped", [True, False], ids=["both retarget", "both create"])
def test_a_run_that_planned_before_another_one_wrote_takes_nothing_back(mapped: bool) -> None:
    wish = Wish(mapped=mapped)
    azure = wish.azure
    late = azure.plan(wish.state(wish.mine))
    corrected(wish.state(wish.theirs), azure.backend)
    report = applying.apply(late, azure.backend)
    assert azure.mappings() == {"hub": "theirs", "theirs": "hub"}
    assert report.result == "refused"
    assert "stale" in {change.outcome for change in report.changes}


def test_a_run_that_planned_to_delete_what_another_one_took_over_leaves_it() -> None:
    wish = Wish(mapped=True)
    azure = wish.azure
    late = azure.plan(azure.state(unmanaged="delete"), allow_delete=True)
    corrected(wish.state(wish.theirs), azure.backend)
    azure.apply(late)
    assert azure.mappings() == {"hub": "theirs", "theirs": "hub"}


@settings(PROPERTY, max_examples=40)
@given(st.floats(0.0, 8.0), st.booleans())
def test_two_runs_that_want_different_things_leave_the_pair_of_one_of_them(delay: float, mapped: bool) -> None:
    """The second run either sees the first's changes or stops; the next run settles on one of the two."""
    differ(Wish(mapped=mapped), delay, fake_backend)


@pytest.mark.parametrize("mapped", [True, False], ids=["both retarget", "both create"])
@pytest.mark.parametrize("delay", [0.0, 0.25, 0.5, 1.5, 4.0])
def test_two_runs_that_want_different_things_leave_one_pair_through_the_real_sdk(delay: float, mapped: bool) -> None:
    differ(Wish(mapped=mapped), delay, wire)


def differ(wish: Wish, delay: float, door: Callable[[World], Backend]) -> None:
    """Two runs with two files, the second ``delay`` seconds later, then one more with the second file."""
    azure = wish.azure

    def second() -> Correction:
        azure.clock.sleep(delay)
        return corrected(wish.state(wish.theirs), door(azure.world))

    at_once(azure, [partial(corrected, wish.state(wish.mine), door(azure.world)), second])
    azure.mappings()  # fails where a primary has two
    corrected(wish.state(wish.theirs), azure.backend)
    assert azure.mappings().items() >= {"hub": "theirs", "theirs": "hub"}.items()
