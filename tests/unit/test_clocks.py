"""The simulated clock is what makes hours of retries and operations testable, so it is tested first."""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import Future
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

import pytest

from asrnet.clocks import Bounded, SimulatedClock, SystemClock
from asrnet.ports import Clock

T = TypeVar("T")


def test_simulated_sleeps_take_simulated_time_only() -> None:
    clock = SimulatedClock(start=100.0)
    clock.sleep(3600)
    assert clock.now() == 3700.0


def test_calls_run_in_order_of_their_simulated_wake_time() -> None:
    clock = SimulatedClock(start=0.0)
    seen: list[tuple[str, float]] = []

    def nap(name: str, seconds: float) -> None:
        clock.sleep(seconds)
        seen.append((name, clock.now()))

    futures = [clock.start(partial(nap, name, s)) for name, s in (("slow", 3), ("quick", 1), ("middle", 2))]
    while not all(future.done() for future in futures):
        clock.wait([future for future in futures if not future.done()], None)
    assert seen == [("quick", 1.0), ("middle", 2.0), ("slow", 3.0)]


def test_waiting_ends_with_the_first_finished_future() -> None:
    clock = SimulatedClock(start=0.0)
    futures = [clock.start(partial(clock.sleep, s)) for s in (5, 2)]
    clock.wait(futures, 10)
    assert (clock.now(), [future.done() for future in futures]) == (2.0, [False, True])


def test_waiting_ends_at_the_timeout_when_nothing_is_done() -> None:
    clock = SimulatedClock(start=0.0)
    future = clock.start(lambda: clock.sleep(5))
    clock.wait([future], 1.5)
    assert (clock.now(), future.done()) == (1.5, False)


def test_a_call_does_not_see_the_context_of_another() -> None:
    """Calls may share a thread, one after the other."""
    clock = SimulatedClock()
    word = ContextVar("word", default="unset")
    for _ in range(2):
        future = clock.start(lambda: (word.get(), word.set("left behind"))[0])
        clock.wait([future], None)
        assert future.result() == "unset"


def test_after_a_thousand_calls_there_are_no_more_threads_than_ran_at_once() -> None:
    clock, before = SimulatedClock(), threading.active_count()
    for _ in range(1000):
        clock.wait([clock.start(partial(clock.sleep, 1))], None)
    assert threading.active_count() <= before + 2


def test_a_call_that_fails_fails_its_future() -> None:
    clock = SimulatedClock()

    def broken() -> None:
        raise ValueError("no")

    future = clock.start(broken)
    clock.wait([future], None)
    with pytest.raises(ValueError, match="no"):
        future.result()


@pytest.mark.parametrize("clock", [SimulatedClock(), SystemClock()], ids=["simulated", "system"])
def test_stopping_ends_current_and_later_sleeps(clock: Clock) -> None:
    future = clock.start(lambda: clock.sleep(3600))
    clock.wait([future], 0.01)
    clock.stop()
    clock.wait([future], None)
    with pytest.raises(InterruptedError):
        future.result()
    with pytest.raises(InterruptedError):
        clock.sleep(1)


def test_a_simulation_that_cannot_advance_is_an_error_and_does_not_hang() -> None:
    with pytest.raises(RuntimeError, match="stuck"):
        SimulatedClock().wait([], None)


def test_a_sleep_of_the_system_clock_takes_its_time() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.01)
    assert clock.now() - before >= 0.01


class Counting(SimulatedClock):
    """Counts the futures that it is asked to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_for = 0

    def wait(self, futures: Collection[Future[T]], timeout: float | None) -> None:
        self.waited_for += len(futures)
        super().wait(futures, timeout)


def test_settling_many_calls_waits_for_each_of_them_once_at_most() -> None:
    clock = Counting()
    bounded = Bounded(clock, 4)
    futures = [bounded.start(lambda: clock.sleep(1.0)) for _ in range(100)]
    bounded.settle(futures)
    assert all(future.done() for future in futures)
    assert clock.now() - SimulatedClock().now() == 25.0
    assert clock.waited_for <= 100
