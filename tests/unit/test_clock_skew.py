"""Azure's clock and this one's need not agree."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import TypeVar

from msgspec import structs
from states import SEA, TwoRegions, outcomes, row

from asrnet import applying
from asrnet.applying import Options
from asrnet.ports import Clock

T = TypeVar("T")


class Ahead:
    """A clock that is ahead of Azure's."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds

    def now(self) -> float:
        return self._clock.now() + self._seconds

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)

    def start(self, call: Callable[[], T]) -> Future[T]:
        return self._clock.start(call)

    def wait(self, futures: Collection[Future[T]], timeout: float | None) -> None:
        self._clock.wait(futures, timeout)

    def stop(self) -> None:
        self._clock.stop()


def test_jobs_that_began_earlier_by_azures_clock_are_found_in_the_list() -> None:
    azure = TwoRegions(operations="time:3")
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
    backend = structs.replace(azure.backend, clock=Ahead(azure.clock, 240.0))
    report = applying.apply(plan, backend, Options())
    assert set(outcomes(report).values()) == {"succeeded"}
    asked = [kind for _, kind in azure.world.journal.counts() if "replicationoperationstatus" in kind.lower()]
    assert asked == []  # single operations are polled only if the list lacks their jobs
