"""The pace of whole applies against Azure's limits and a busy vault: the real SDK, the emulator, a simulated clock."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec import Struct

from asrnet import applying, planning
from asrnet.applying import Report
from asrnet.azure.connect import backend
from asrnet.azure.credentials import choose
from asrnet.clocks import SimulatedClock
from asrnet.desired import DesiredState, Region, Row, Vault
from asrnet.emulator.app import App, Options
from asrnet.emulator.faults import Fault
from asrnet.emulator.platform import AZURE_BUCKETS, Bucket
from asrnet.emulator.transport import session
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import Builder
from asrnet.inventory import read as inventory
from asrnet.model.plan import Plan
from asrnet.ports import Backend
from asrnet.settings.clouds import PUBLIC

LATENCY = 0.1
OPERATION = 3.0
EA, SEA = "eastasia", "southeastasia"


class Fleet(Struct, frozen=True, kw_only=True):
    """Several vaults of one subscription, each with pairs that are not mapped yet."""

    app: App
    desired: DesiredState
    backend: Backend

    def plan(self) -> Plan:
        return planning.plan(self.desired, inventory.read_inventory(self.desired, self.backend))

    def apply(self) -> Report:
        report = applying.apply(self.plan(), self.backend)
        assert report.result == "succeeded"
        return report

    def refusals(self) -> Counter[str]:
        """How often each write was answered 429."""
        return Counter(
            entry.path for entry in self.app.journal.entries if entry.status == 429 and entry.method != "GET"
        )

    def sent(self, vault: str) -> float:
        """The seconds from the first to the last write to a vault."""
        found = [
            one.time for one in self.app.journal.entries if one.method == "PUT" and f"/vaults/{vault}/" in one.path
        ]
        return max(found) - min(found)


def fleet(vaults: int, pairs: int, *, buckets: dict[str, Bucket] | None = None) -> Fleet:
    """That many vaults with that many pairs each."""
    clock = SimulatedClock()
    build = Builder(clock=clock, behaviour=Behaviour(operations=f"time:{OPERATION:g}"))
    declared, rows = [], []
    for index in range(vaults):
        vault = build.vault(f"vault{index}", "westus")
        declared.append(Vault(name=f"v{index}", id=vault.id))
        for place in (EA, SEA):
            build.azure_fabric(vault, place)
        for number in range(pairs):
            near, far = (
                build.virtual_network(f"n{index}-{number}-{place}", place, address_space=["10.0.0.0/16"])
                for place in (EA, SEA)
            )
            rows.append(Row(name=near.name, vault=f"v{index}", primary=near.id, recovery=far.id))
    regions = (Region(primary=EA, recovery=SEA),)
    app = App(build.world, Options(buckets=buckets or {}))
    there = session(app, latency_s=LATENCY)
    return Fleet(
        app=app,
        desired=DesiredState(vaults=tuple(declared), regions=regions, pairs=tuple(rows)),
        backend=backend(clock=clock, credential=choose(PUBLIC, named="emulator"), session=there),
    )


def test_a_thousand_writes_over_several_vaults_take_little_longer_than_the_bucket_allows() -> None:
    many = fleet(4, 125, buckets=dict(AZURE_BUCKETS))
    report = many.apply()
    floor = (1000 - AZURE_BUCKETS["writes"].size) / AZURE_BUCKETS["writes"].refill
    assert len(report.changes) == 1000
    assert floor <= report.seconds <= 1.1 * floor
    assert not many.refusals(), "the answers say what remains: the pace keeps within it"
    assert min(many.sent(f"vault{index}") for index in range(4)) >= 0.9 * floor, "every vault gets its share to the end"


@pytest.mark.parametrize("retry_after", [None, 5.0])
def test_a_busy_vault_does_not_slow_the_others(retry_after: float | None) -> None:
    calm, busy = fleet(3, 40), fleet(3, 40)
    fault = Fault(kind="busy", method="PUT", path="*/vaults/vault0/*", times=20, retry_after=retry_after)
    busy.app.faults.add(fault)
    calm.apply()
    busy.apply()
    assert busy.sent("vault0") > 2 * calm.sent("vault0")
    for vault in ("vault1", "vault2"):
        assert busy.sent(vault) <= 1.1 * calm.sent(vault)


@pytest.mark.parametrize(("refusals", "at_most"), [(20, 120.0), (40, 240.0), (80, 480.0)])
def test_a_storm_of_refusals_delays_an_apply_and_loses_no_change(refusals: int, at_most: float) -> None:
    storm = fleet(1, 200)
    storm.app.faults.add(Fault(kind="throttle", method="PUT", times=refusals, retry_after=1.0))
    report = storm.apply()
    assert len(report.changes) == 400
    assert report.seconds <= at_most
