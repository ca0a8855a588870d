"""The gates: which requests may pass, when, and which wait."""

from __future__ import annotations

import itertools

import pytest

from asrnet.azure.gates import Gate, Gates, kind_of
from asrnet.clocks import SimulatedClock


def test_a_closed_gate_opens_to_one_request_after_the_other() -> None:
    gate = Gate(10.0)
    gate.depart(gate.take(0.0))
    gate.throttled(0.0, 5.0)
    places = [gate.take(1.0).at for _ in range(5)]
    assert places[0] >= 5.0
    steps = [round(later - earlier, 6) for earlier, later in itertools.pairwise(places)]
    assert steps == [0.1, 0.1, 0.1, 0.1]


def test_closing_the_gate_invalidates_every_ticket() -> None:
    gate = Gate(10.0)
    waiting = gate.take(0.0)
    gate.depart(gate.take(0.0))
    gate.throttled(0.0, 5.0)
    assert not gate.is_valid(waiting)


def test_a_probe_follows_within_a_second_of_each_refusal_however_many_there_are() -> None:
    gate, now = Gate(10.0), 0.0
    for _ in range(80):
        ticket = gate.take(now)
        gate.depart(ticket)
        gate.throttled(ticket.at, 1.0)
        now = ticket.at + 1.0
        assert now <= gate.take(now).at <= now + 1.0
        gate.leave(gate.take(now))
    assert gate.refill == 1.0


def test_the_pace_recovers_with_success_up_to_the_documented_limit() -> None:
    gate = Gate(10.0)
    for _ in range(20):
        gate.depart(gate.take(0.0))
        gate.throttled(0.0, 0.0)
    slow = gate.refill
    for _ in range(100):
        gate.depart(gate.take(1.0))
        gate.answered(1.0)
    assert slow + 4.0 < gate.refill < 10.0
    for _ in range(200):
        gate.depart(gate.take(1.0))
        gate.answered(1.0)
    assert gate.refill == 10.0


def test_the_first_answer_after_a_refusal_that_has_a_remaining_quota_replaces_the_guess() -> None:
    gate = Gate(10.0)
    for _ in range(2):
        gate.depart(gate.take(0.0))
    gate.throttled(0.0, 1.0)
    guessed = gate.take(1.0)
    gate.answered(1.5, 0)
    assert not gate.is_valid(guessed)
    assert gate.take(1.5).at > guessed.at


def test_nothing_is_delayed_before_an_answer_or_with_plenty_remaining() -> None:
    gate = Gate(10.0)
    assert [gate.take(0.0).at for _ in range(300)] == [0.0] * 300
    plenty = Gate(10.0)
    plenty.depart(plenty.take(0.0))
    plenty.answered(0.0, 199)
    assert [plenty.take(1.0).at for _ in range(50)] == [1.0] * 50


def test_each_subscription_and_kind_of_request_has_a_gate_of_its_own() -> None:
    clock = SimulatedClock()
    gates = Gates(clock)
    gates.throttled(gates.enter("one", "PUT", 300), 60)
    begun = clock.now()
    for subscription, method in (("one", "GET"), ("one", "DELETE"), ("two", "PUT")):
        gates.answered(gates.enter(subscription, method, 300))
    assert clock.now() == begun
    gates.enter("ONE", "PATCH", 300)
    assert clock.now() >= begun + 60


def test_a_request_that_would_wait_too_long_is_sent_at_once() -> None:
    clock = SimulatedClock()
    gates = Gates(clock)
    gates.throttled(gates.enter("s", "PUT", 300), 3600)
    begun = clock.now()
    gates.enter("s", "PUT", 300)
    assert clock.now() == begun


def test_stopping_the_run_ends_the_wait_and_gives_up_the_place_in_the_queue() -> None:
    clock = SimulatedClock()
    gates = Gates(clock)
    gates.throttled(gates.enter("s", "PUT", 300), 60)
    waiting = clock.start(lambda: gates.enter("s", "PUT", 300))
    clock.advance(1)
    clock.stop()
    clock.wait([waiting], None)
    with pytest.raises(InterruptedError):
        waiting.result()


@pytest.mark.parametrize(
    ("method", "kind"), [("GET", "reads"), ("HEAD", "reads"), ("DELETE", "deletes"), ("PATCH", "writes")]
)
def test_methods_count_as_azure_counts_them(method: str, kind: str) -> None:
    assert kind_of(method) == kind
