"""Hundreds of writes through the gates against a simulated token bucket like Azure's."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from msgspec import Struct

from asrnet.azure.gates import Gates
from asrnet.clocks import SimulatedClock


class Bucket:
    """The service's side: a token bucket that refuses with a whole number of seconds to wait."""

    def __init__(self, clock: SimulatedClock, size: float, refill: float) -> None:
        self._clock = clock
        self._size = size
        self._refill = refill
        self._level = size
        self._as_of = clock.now()

    def take(self) -> int | None:
        """The remaining quota; None if refused."""
        now = self._clock.now()
        self._level = min(self._size, self._level + (now - self._as_of) * self._refill)
        self._as_of = now
        if self._level < 1:
            return None
        self._level -= 1
        return int(self._level)

    @property
    def retry_after(self) -> int:
        return max(1, math.ceil((1 - self._level) / self._refill))


class Outcome(Struct, frozen=True, kw_only=True):
    seconds: float
    refused: Counter[int]


def run(
    *, writes: int = 1000, size: float = 200, refill: float = 10, workers: int = 8, headers: bool = True
) -> Outcome:
    """Send ``writes`` through the gates with 0.1 s latency, repeating each until it is accepted."""
    clock = SimulatedClock()
    gates, bucket = Gates(clock), Bucket(clock, size, refill)
    refused: Counter[int] = Counter()
    left = list(range(writes))

    def send(number: int) -> bool:
        gate = gates.enter("s", "PUT", 300)
        clock.sleep(0.05)
        remaining, wait = bucket.take(), bucket.retry_after
        clock.sleep(0.05)
        if remaining is not None:
            gates.answered(gate, remaining if headers else None)
            return True
        refused[number] += 1
        gates.throttled(gate, wait)
        clock.sleep(wait)
        return False

    def work() -> None:
        while left:
            number = left.pop()
            while not send(number):
                pass

    begun = clock.now()
    futures = [clock.start(work) for _ in range(workers)]
    while pending := [future for future in futures if not future.done()]:
        clock.wait(pending, None)
    for future in futures:
        future.result()
    return Outcome(seconds=clock.now() - begun, refused=refused)


def test_a_thousand_writes_take_little_longer_than_the_bucket_itself_and_are_never_refused() -> None:
    outcome = run()
    assert outcome.seconds == pytest.approx(80.0, rel=0.02)
    assert outcome.refused == Counter()


@pytest.mark.parametrize("workers", [4, 32])
def test_the_number_of_threads_makes_no_difference(workers: int) -> None:
    outcome = run(workers=workers)
    assert outcome.seconds == pytest.approx(80.0, rel=0.02)
    assert outcome.refused == Counter()


@pytest.mark.parametrize(("refill", "floor"), [(5, 160.0), (20, 40.0)])
def test_the_refill_is_learnt_when_it_is_not_the_documented_one(refill: float, floor: float) -> None:
    outcome = run(refill=refill)
    assert outcome.seconds == pytest.approx(floor, rel=0.1)
    assert outcome.refused == Counter()


def test_a_far_slower_refill_costs_no_request_more_than_one_refusal() -> None:
    outcome = run(writes=300, refill=1)
    assert outcome.seconds == pytest.approx(100.0, rel=0.1)
    assert max(outcome.refused.values(), default=0) <= 1


@pytest.mark.parametrize("workers", [8, 32])
def test_without_headers_no_request_is_refused_twice_and_it_is_as_fast(workers: int) -> None:
    outcome = run(headers=False, workers=workers)
    assert outcome.seconds == pytest.approx(80.0, rel=0.1)
    assert max(outcome.refused.values()) == 1
    assert len(outcome.refused) < workers


@pytest.mark.parametrize(
    ("refill", "headers", "refusals"),
    [(10, True, 0), (1, True, 5), (0.5, True, 15), (10, False, 10), (1, False, 25), (0.5, False, 65)],
)
def test_probing_once_a_second_wastes_no_time_and_few_requests_on_a_slow_bucket(
    refill: float, headers: bool, refusals: int
) -> None:
    writes = 1000 if refill == 10 else 300
    outcome = run(writes=writes, refill=refill, headers=headers)
    assert outcome.seconds == pytest.approx((writes - 200) / refill, rel=0.05)
    assert outcome.refused.total() <= refusals
