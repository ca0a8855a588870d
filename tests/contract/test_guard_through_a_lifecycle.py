"""What holds a retarget back in every state of a machine's lifecycle, on the fake and through the SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from doors import DOORS
from machine_life import Life

from asrnet import planning
from asrnet.desired import DesiredState, Region, Row, Selection, Vault
from asrnet.inventory.live_pairs import live_pairs
from asrnet.inventory.read import read_inventory
from asrnet.model.plan import Plan
from asrnet.ports import Backend

ONE_PAIR = Selection(pairs=frozenset({"home"}))


@pytest.fixture
def life() -> Life:
    return Life(seconds=300)


@pytest.fixture(params=["fake", "wire"])
def backend(life: Life, request: pytest.FixtureRequest) -> Iterator[Backend]:
    backend = DOORS[request.param](life.world)
    yield backend
    backend.close()


def retarget(life: Life) -> DesiredState:
    """The pair of the machine, with a different recovery network."""
    return DesiredState(
        vaults=(Vault(name="v", id=life.vault.id),),
        regions=(Region(primary="eastasia", recovery="southeastasia"),),
        pairs=(Row(name="home", vault="v", primary=life.home.id, recovery=life.test.id),),
    )


def planned(life: Life, backend: Backend, *forced: str) -> Plan:
    desired = retarget(life)
    inventory = read_inventory(desired, backend)
    return planning.plan(desired, inventory, selection=ONE_PAIR, forced=forced)


def held(life: Life, backend: Backend) -> str:
    """The reason that holds the retarget back; empty where nothing does."""
    plan = planned(life, backend)
    if plan.changes:
        return ""
    [finding] = [finding for finding in plan.findings if finding.severity == "error"]
    return finding.kind


def test_a_retarget_waits_while_a_machine_fails_over_or_has_failed_over(life: Life, backend: Backend) -> None:
    enabling = life.enable()
    assert held(life, backend) == "failover_active"  # the job that enables replication has not ended
    life.end(enabling)
    assert held(life, backend) == ""  # first initial replication
    life.replicated()
    assert held(life, backend) == ""

    failing_over = life.items.unplanned_failover(life.east_id)
    assert held(life, backend) == "failover_active"
    life.end(failing_over)
    assert held(life, backend) == "failover_active"  # not committed yet
    life.end(life.items.commit(life.east_id))
    assert held(life, backend) == "failover_active"  # not re-protected yet

    re_protecting = life.switch(life.east.id, life.east.id)
    assert held(life, backend) == "failover_active"
    life.end(re_protecting)
    assert held(life, backend) == "failover_active"  # it replicates back
    life.replicated()
    assert held(life, backend) == "reversed"
    assert len(planned(life, backend, "reversed").changes) == 1
    [pair] = live_pairs(read_inventory(retarget(life), backend), retarget(life)).pairs
    assert pair.reversed_machines == 1

    life.fail_over(life.west_id)
    assert held(life, backend) == "failover_active"  # home again, not protected yet
    life.end(life.switch(life.west.id, life.west.id))
    life.replicated()
    assert held(life, backend) == ""
