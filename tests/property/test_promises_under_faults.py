"""The guarantees while networks and fabrics cannot be read or created: refused, failing, unreachable, not listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from random_pairs import GENEROUS_OPTIONS, Scene
from states import EA, SEA

from asrnet import applying
from asrnet.errors import AsrError, UnreachableError
from asrnet.fake.faults import Fault
from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork
from asrnet.model.plan import Plan

PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ABOUT = ("virtualnetworks", "replicationfabrics")


class Stumbling:
    """A port some of whose calls, by number, get no answer: those of ``names``, or all."""

    def __init__(self, port: Any, turns: set[int], names: frozenset[str] = frozenset()) -> None:
        self._port = port
        self._turns = turns
        self._names = names
        self._turn = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._port, name)
        if self._names and name not in self._names:
            return method

        def call(*arguments: Any, **options: Any) -> Any:
            self._turn += 1
            if self._turn in self._turns:
                raise UnreachableError("no answer within the retry limits")
            return method(*arguments, **options)

        return call


def faults(draw: Callable[[Any], Any]) -> Iterator[Fault]:
    for _ in range(draw(st.integers(0, 4))):
        yield Fault(
            effect=draw(st.sampled_from(["forbidden", "refused", "policy_denied", "operation_fails"])),
            method=draw(st.sampled_from(["GET", "PUT"])),
            kind=draw(st.sampled_from(ABOUT)),
            after=draw(st.integers(0, 4)),
            times=draw(st.integers(0, 2)),
            status=draw(st.sampled_from([400, 409, 500, 503])),
            code="Refused",
        )


class BadWeather(Scene):
    """A scene whose networks and fabrics are temporarily unreadable."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        super().__init__(draw, fabrics=draw(st.booleans()))
        self.networks = list(self.azure.world.state.virtual_networks)

    @contextmanager
    def weather(self) -> Iterator[None]:
        """The faults end with the block."""
        world, backend, calm = self.azure.world, self.azure.backend, self.azure.world.behaviour
        names = [network.name for network in self.networks]
        hidden = self.draw(st.sets(st.sampled_from(names)))
        world.behaviour = structs.replace(calm, hidden_networks=tuple(sorted(hidden)))
        for fault in faults(self.draw):
            world.faults.add(fault)
        turns = [self.draw(st.sets(st.integers(1, 8), max_size=3)) for _ in range(3)]
        self.azure.backend = structs.replace(
            backend,
            networks=Stumbling(backend.networks, turns[0]),
            network_writer=Stumbling(backend.network_writer, turns[1]),
            mappings=Stumbling(backend.mappings, turns[2], frozenset({"fabrics", "vault_location"})),
        )
        yield
        self.azure.backend = backend
        world.behaviour = calm
        world.faults.clear()

    def attempt(self) -> Plan | None:
        """Plan and apply; None where nothing could be read at all."""
        with suppress(AsrError):
            plan = self.plan()
            applying.apply(plan, self.azure.backend, GENEROUS_OPTIONS)
            return plan
        return None

    def existing(self) -> list[VirtualNetwork]:
        """The initial networks, as they are now."""
        state = self.azure.world.state
        found = (state.network(network.id) for network in self.networks)
        return [network for network in found if network]

    def regions(self) -> list[str]:
        """The region of each fabric."""
        return sorted(str(fabric.location) for fabric in self.azure.world.state.fabrics)


@st.composite
def scenes(draw: Any) -> BadWeather:
    return BadWeather(draw)


@PROPERTY
@given(scenes())
def test_nothing_is_lost_and_nothing_is_created_twice(scene: BadWeather) -> None:
    before, networks = scene.untouched(), scene.networks
    with scene.weather():
        for _ in range(2):
            scene.attempt()
    after = scene.live()  # which fails where a primary has two mappings
    assert {primary: after.get(primary) for primary in before} == before
    assert scene.existing() == networks
    assert scene.regions() in ([], [EA], [SEA], [EA, SEA])


@PROPERTY
@given(scenes())
def test_an_unreadable_resource_is_never_reported_as_absent(scene: BadWeather) -> None:
    there = {network.id for network in scene.networks}
    with scene.weather():
        plan = scene.attempt()
    for found in plan.findings if plan else ():
        assert found.kind != "orphan"
        assert found.kind != "missing_network" or found.subject not in {str(network) for network in there}
    made = {change.resource_id for change in plan.changes if change.kind == "virtual_network"} if plan else set[ArmId]()
    assert not made & there


@PROPERTY
@given(scenes())
def test_once_the_faults_end_the_next_runs_converge(scene: BadWeather) -> None:
    with scene.weather():
        scene.attempt()
    for _ in range(2):
        applying.apply(scene.plan(), scene.azure.backend, GENEROUS_OPTIONS)
        scene.live()
    plan = scene.plan()
    assert (plan.changes, plan.summary.blocked) == ((), 0)
