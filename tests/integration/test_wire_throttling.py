"""Azure's request limits, with the real SDK against the emulator's token buckets, on a simulated clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from asrnet.azure.connect import backend
from asrnet.azure.credentials import choose
from asrnet.clocks import SimulatedClock
from asrnet.emulator.app import App, Options
from asrnet.emulator.platform import AZURE_BUCKETS
from asrnet.emulator.transport import session
from asrnet.fake.builder import Builder
from asrnet.model.arm import ArmId
from asrnet.settings.clouds import PUBLIC


def in_threads(clock: SimulatedClock, calls: list[Callable[[], object]], threads: int) -> float:
    """The simulated seconds that ``calls`` take with limited parallelism."""

    def work() -> None:
        while calls:
            calls.pop()()

    begun = clock.now()
    futures = [clock.start(work) for _ in range(threads)]
    while pending := [future for future in futures if not future.done()]:
        clock.wait(pending, None)
    for future in futures:
        future.result()
    return clock.now() - begun


def test_many_deletes_in_several_vaults_take_little_longer_than_the_bucket_and_nobody_is_refused_twice() -> None:
    clock = SimulatedClock()
    azure = Builder(clock=clock)
    fabrics = [azure.azure_fabric(azure.vault(f"vault-{number}"), "eastasia").id for number in range(3)]
    app = App(azure.world, Options(buckets=AZURE_BUCKETS))
    run = backend(clock=clock, credential=choose(PUBLIC, named="emulator"), session=session(app, latency_s=0.1))

    def delete(number: int) -> Callable[[], object]:
        path = ("replicationNetworks", "azureNetwork", "replicationNetworkMappings", f"m{number}")
        mapping_id: ArmId = fabrics[number % 3].child(*path)
        return lambda: run.mapping_writer.delete_mapping(mapping_id)

    seconds = in_threads(clock, [delete(number) for number in range(400)], threads=8)
    floor = (400 - 200) / 10
    assert seconds == pytest.approx(floor, rel=0.1)
    refused = Counter(entry.path for entry in app.journal.entries if entry.status == 429)
    assert max(refused.values(), default=0) <= 1
    assert run.requests()["DELETE"] == 400 + sum(refused.values())
