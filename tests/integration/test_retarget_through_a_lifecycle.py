"""What a retarget may do in every state of a machine's lifecycle, on the fake and through the SDK."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from doors import wire
from machine_life import SECONDS, Life

from asrnet import applying, planning
from asrnet.applying import Options, Report
from asrnet.desired import EVERYTHING, DesiredState, Region, Row, Selection, Vault
from asrnet.fake.ports import backend as fake_backend
from asrnet.fake.world import World
from asrnet.inventory import read as inventory
from asrnet.model.azure import ProtectedItem
from asrnet.model.limits import Limits
from asrnet.ports import Backend
from asrnet.prediction import Question, predict, read_machines


class Retargeted:
    """A machine's lifecycle, and a row that retargets its pair; ``door`` is asrnet's backend."""

    def __init__(self, door: Callable[[World], Backend]) -> None:
        self.life = Life(seconds=SECONDS)
        self.backend = door(self.life.world)
        self.elsewhere = self.life.network("elsewhere", "southeastasia", "10.0")
        self.desired = DesiredState(
            vaults=(Vault(name="v", id=self.life.vault.id),),
            regions=(Region(primary="eastasia", recovery="southeastasia"),),
            pairs=(Row(name="home", vault="v", primary=self.life.home.id, recovery=self.elsewhere.id),),
            limits=Limits(max_updates=9, max_change_percent=100),
        )

    def retarget(self, *forced: str) -> Report:
        """Plan and apply; with ``--force``, only the pair by its name."""
        selection = Selection(pairs=frozenset({"home"})) if forced else EVERYTHING
        found = inventory.read_inventory(self.desired, self.backend, selection=selection)
        plan = planning.plan(self.desired, found, selection=selection, forced=forced)
        self.held = sorted({finding.kind for finding in plan.findings if finding.severity == "error"})
        return applying.apply(plan, self.backend, Options(forced=frozenset(forced)))

    def where_it_fails_back(self) -> str | None:
        read = read_machines(self.desired, self.backend, Question(operation="failback"))
        return predict(read).landings[0].network

    @property
    def mappings(self) -> dict[str, str]:
        listed = self.life.world.mappings.list(self.life.vault.id)
        return {mapping.primary_network_id.name: mapping.recovery_network_id.name for mapping in listed}

    def items(self) -> list[ProtectedItem]:
        return list(self.backend.mappings.protected_items(self.life.vault.id))


@pytest.mark.parametrize("door", [fake_backend, wire], ids=["fake", "SDK"])
def test_a_retarget_waits_until_the_machine_is_home_and_protected_again(door: Callable[[World], Backend]) -> None:
    scene = Retargeted(door)
    life, before = scene.life, scene.mappings

    def is_held(kind: str) -> bool:
        report = scene.retarget()
        return (report.result, scene.held, scene.mappings) == ("nothing_to_do", [kind], before)

    life.end(life.enable())
    life.replicated()
    life.end(life.items.unplanned_failover(life.east_id))
    assert is_held("failover_active")
    life.end(life.items.commit(life.east_id))
    assert is_held("failover_active")
    life.end(life.switch(life.east.id, life.east.id))
    assert is_held("failover_active")  # initial replication in the other direction
    life.replicated()
    assert is_held("reversed")
    assert scene.where_it_fails_back() == "home"

    life.end(life.items.unplanned_failover(life.west_id))
    assert is_held("failover_active")
    life.end(life.items.commit(life.west_id))
    assert is_held("failover_active")
    life.end(life.switch(life.west.id, life.west.id))
    life.replicated()
    assert scene.retarget().result == "succeeded"
    assert scene.mappings == {"home": "elsewhere", "elsewhere": "home"}
    assert scene.items()[0].nics[0].recovery_network_id == life.away.id  # protected machines keep their networks


@pytest.mark.parametrize("door", [fake_backend, wire], ids=["fake", "SDK"])
def test_a_retarget_of_a_reversed_machines_pair_needs_force_and_the_pairs_name(
    door: Callable[[World], Backend],
) -> None:
    scene = Retargeted(door)
    life = scene.life
    life.end(life.enable())
    life.replicated()
    life.end(life.items.unplanned_failover(life.east_id))
    life.end(life.items.commit(life.east_id))
    life.end(life.switch(life.east.id, life.east.id))
    life.replicated()
    assert scene.retarget("failover_active").result == "nothing_to_do"
    assert scene.retarget("reversed").result == "succeeded"
    assert scene.mappings == {"home": "elsewhere", "elsewhere": "home"}
