"""Random worlds with a desired state for part of them, for the property tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from msgspec import structs
from states import SEA, TwoRegions, row

from asrnet.applying import Options
from asrnet.desired import DesiredState
from asrnet.fake.behaviour import Behaviour
from asrnet.model.arm import ArmId
from asrnet.model.plan import Plan

GENEROUS_OPTIONS = Options(forced=frozenset({"max_updates", "max_deletes", "max_change_percent", "max_rule_growth"}))


class Scene:
    """A random world with a desired state for part of it; the rest belongs to others."""

    def __init__(self, draw: Callable[[Any], Any], *, fabrics: bool = True) -> None:
        behaviour = Behaviour(
            operations=draw(st.sampled_from(["immediate", "time:3", "manual:1"])),
            page_size=draw(st.integers(1, 5)),
            network_page_size=draw(st.integers(1, 5)),
            empty_last_page=draw(st.booleans()),
            shuffle=draw(st.none() | st.integers(0, 99)),
            missing_mapping=draw(st.sampled_from([400, 404])),
        )
        self.azure = TwoRegions(behaviour=behaviour, fabrics=fabrics)
        self.azure.build.resource_group("rg-asr", location=SEA)
        self.draw = draw
        self.primaries = [self.azure.network(self.cased(f"p{i}")) for i in range(draw(st.integers(1, 5)))]
        self.recoveries = [self.azure.network(self.cased(f"r{i}"), SEA) for i in range(draw(st.integers(1, 5)))]
        if fabrics:
            self._map_at_random()
        self.desired = self._desired(create_fabrics=not fabrics)

    def cased(self, name: str) -> str:
        """The name in upper or lower case."""
        return name.upper() if self.draw(st.booleans()) else name

    def respelled(self, network: ArmId) -> ArmId:
        """The id in another case."""
        spell = self.draw(st.sampled_from([str.lower, str.upper, str]))
        return ArmId(spell(str(network)).replace("/SUBSCRIPTIONS/", "/Subscriptions/"))

    def _map_at_random(self) -> None:
        for near, far in ((self.primaries, self.recoveries), (self.recoveries, self.primaries)):
            for network in near:
                target = self.draw(st.none() | st.sampled_from(far))
                if target:
                    name = self.draw(st.sampled_from(["", "portal", "tf"]))
                    self.azure.map(network, target, name=f"{name}-{network.name}" if name else "")

    def _desired(self, *, create_fabrics: bool) -> DesiredState:
        """Rows for some primaries; each recovery network has its reverse owned once."""
        owned: set[ArmId] = set()
        rows = []
        for network in self.primaries:
            target = self.draw(st.none() | st.sampled_from([*self.recoveries, "copy"]))
            if target is None:
                continue
            recovery = None if target == "copy" else target
            failback = recovery is None or (recovery.id not in owned and self.draw(st.booleans()))
            if recovery and failback:
                owned.add(recovery.id)
            made = row(network, recovery, failback=failback)
            rows.append(
                structs.replace(
                    made, primary=self.respelled(made.primary), recovery=made.recovery and self.respelled(made.recovery)
                )
            )
        return self.azure.state(*rows, create_fabrics=create_fabrics)

    def plan(self) -> Plan:
        """Read and plan."""
        return self.azure.plan(self.desired)

    def live(self) -> dict[str, str]:
        """Live mappings by primary; fails where a primary has two."""
        return self.azure.mappings()

    def untouched(self) -> dict[str, str]:
        """The live mappings outside the desired state, and their present counterparts."""
        live = self.live()
        asked = set()
        for wanted in self.desired.pairs:
            primary = wanted.primary.name.lower()
            recovery = wanted.recovery.name.lower() if wanted.recovery else f"{primary}-asr"
            asked |= {primary, recovery} if wanted.failback else {primary}
            back = live.get(primary, "")
            # A retarget deletes the old reverse, even if the row declares no failback.
            if live.get(back) == primary and (wanted.failback or back != recovery):
                asked.add(back)
        return {primary: recovery for primary, recovery in live.items() if primary not in asked}
