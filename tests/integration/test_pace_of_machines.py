"""The pace of five hundred machines that follow, through the real SDK and the emulator on a simulated clock."""

from __future__ import annotations

from collections import Counter

import pytest
from followers import Followers

from asrnet import applying
from asrnet.applying import Options, Report
from asrnet.azure.connect import backend
from asrnet.azure.credentials import choose
from asrnet.emulator.app import App
from asrnet.emulator.transport import session
from asrnet.settings.clouds import PUBLIC

LATENCY = 0.1
OPERATION = 3.0
MACHINES = 500


def moved(machines: int) -> tuple[Report, Counter[str]]:
    """The report of moving that many machines, and the requests sent for it."""
    azure = Followers(machines, operations=f"time:{OPERATION:g}")
    app = App(azure.world)
    azure.backend = backend(
        clock=azure.clock, credential=choose(PUBLIC, named="emulator"), session=session(app, latency_s=LATENCY)
    )
    plan = azure.planned()
    assert len(plan.changes) == machines
    before = len(app.journal.entries)
    report = applying.apply(plan, azure.backend)
    assert report.result == "succeeded"
    assert set(azure.destinations().values()) == {"new"}
    sent = Counter(f"{entry.method} {entry.operation}" for entry in list(app.journal.entries)[before:])
    return report, sent


def test_five_hundred_machines_take_little_longer_than_requests_lanes_and_operations_allow() -> None:
    report, sent = moved(MACHINES)
    # Each machine is read and written, in parallel up to the lane's limit; then the last job runs to its end.
    floor = 2 * MACHINES * LATENCY / Options().per_vault + OPERATION
    assert floor <= report.seconds <= 1.3 * floor
    assert sum(sent.values()) <= 2.3 * MACHINES


@pytest.mark.parametrize(("machines", "each"), [(1, 7.0), (20, 2.5), (100, 2.3)])
def test_a_machine_costs_one_read_one_write_and_its_share_of_the_lists(machines: int, each: float) -> None:
    _, sent = moved(machines)
    assert sent["PATCH ReplicationProtectedItems_Update"] == machines
    assert sent["GET ReplicationProtectedItems_Get"] <= machines + 2
    assert sum(sent.values()) / machines <= each
