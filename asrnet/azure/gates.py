"""Gates before Azure's request limits: one for each subscription and kind of request, shared by all clients of a run.

Source: "Understand how Azure Resource Manager throttles requests". Each subscription and principal has token buckets:
250 reads refilled by 25 a second, 200 writes by 10, 200 deletes by 10. The answers say how many requests remain.

On the simulated clock, 1,000 writes by eight threads against such a bucket take 80.6 s without a refusal; the bucket
itself allows no less than 80.0 s. If answers do not say what remains, they take 81.3 s and seven refusals.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from asrnet.ports import Clock

Kind = Literal["reads", "writes", "deletes"]

REFILL: Final[Mapping[Kind, float]] = {"reads": 25.0, "writes": 10.0, "deletes": 10.0}
"""Requests a second that a full run may count on, until responses say otherwise."""

_RESERVE: Final = 4.0
"""What a gate leaves in the bucket, for requests that overtake each other and for other clients."""

_SLOWEST, _FASTEST = 1.0, 100.0
"""The bounds of the pace, in requests a second.

Refusals need not come from this run's own bucket, because others share the tenant's and the provider's. So even the
slowest pace probes once a second, which costs a slower bucket little.
"""

_SHORTEST_WINDOW: Final = 2.0
_SLOWER: Final = 0.5
_FASTER: Final = 0.05
"""A refusal multiplies the pace by ``_SLOWER``; a success that does not say what remains adds ``_FASTER``."""


def kind_of(method: str) -> Kind:
    """The kind of request as which Azure counts ``method``."""
    if method in {"GET", "HEAD"}:
        return "reads"
    return "deletes" if method == "DELETE" else "writes"


class Ticket(Struct, frozen=True):
    """A place in the queue: when to send, and in which ``round`` it was issued. Each refusal starts a new round."""

    at: float
    round: int


class Gate:
    """A model of one bucket. Pure: the time is passed in as ``now``, in seconds; nothing here waits or locks.

    ``_level`` is the estimated content of the bucket after everything that was sent and queued. It is None, and nothing
    is held back, until an answer reports it. A 429 closes the gate and voids all tickets. When the gate opens, the
    waiting requests are sent one by one at the pace of the refill. Until an answer reports what remains
    (``_is_guess``), that pace is a guess.
    """

    def __init__(self, refill: float) -> None:
        self._refill = refill
        self._documented = refill
        self._level: float | None = None
        self._as_of = 0.0
        self._most = 0.0
        self._round = 0
        self._queued = 0
        self._sent = 0
        self._closed_until = 0.0
        self._is_guess = False
        self._window: tuple[float, int] | None = None
        self._answered = 0

    @property
    def refill(self) -> float:
        """The estimated refill of the bucket, in requests a second."""
        return self._refill

    def take(self, now: float) -> Ticket:
        """Take a place in the queue; ``depart`` or ``leave`` follows."""
        self._queued += 1
        opens = max(now, self._closed_until)
        if self._level is None:  # most runs are far from any limit and must not be slowed down by a guess
            return Ticket(opens, self._round)
        refilled = self._level + self._refill * max(0.0, opens - self._as_of)
        self._level = min(refilled, max(self._most, self._level, _RESERVE)) - 1.0
        self._as_of = opens
        departure = opens + max(0.0, (_RESERVE - self._level) / self._refill)
        return Ticket(departure, self._round)

    def is_valid(self, ticket: Ticket) -> bool:
        """Whether ``ticket`` is still valid. It is not if the gate has been closed since."""
        return ticket.round == self._round

    def depart(self, ticket: Ticket) -> None:
        """Record that the request of a ticket is being sent."""
        self.leave(ticket)
        self._sent += 1

    def leave(self, ticket: Ticket) -> None:
        """Give up a ticket."""
        if self.is_valid(ticket):
            self._queued -= 1

    def answered(self, now: float, remaining: int | None = None) -> None:
        """Record an answer, with the number of requests that ``remaining`` allows if it says so."""
        self._sent -= 1
        self._answered += 1
        if now < self._closed_until:  # sent before the refusal, so it does not reflect what followed
            return
        if remaining is None:
            # Without a remaining count, only successes show that throttling has ended. The pace recovers up to the
            # documented one.
            self._refill = max(self._refill, min(self._refill + _FASTER, self._documented))
            return
        if self._is_guess:
            # Tickets issued since the refusal rest on a guess, so their holders queue again at the pace known now.
            self._is_guess = False
            self._round += 1
            self._queued = 0
        self._most = max(self._most, float(remaining))
        self._estimate(now, remaining)
        self._level = float(remaining) - self._sent - self._queued
        self._as_of = now

    def throttled(self, now: float, retry_after: float) -> None:
        """Record a refusal, and close the gate for ``retry_after`` seconds."""
        self._sent -= 1
        if now >= self._closed_until and (self._round or self._most):
            # Refused again in spite of the pace, so the refill was overestimated.
            self._refill = max(_SLOWEST, self._refill * _SLOWER)
        self._closed_until = max(self._closed_until, now + retry_after)
        self._round += 1
        self._queued = 0
        self._level = _RESERVE  # no reserve is kept back now, because at a slow pace it would delay the probes too much
        self._as_of = self._closed_until
        self._window = None
        self._is_guess = True

    def _estimate(self, now: float, remaining: int) -> None:
        """Estimate the refill from the requests since the last estimate. A full bucket reveals nothing."""
        if self._window is None or remaining >= self._most:
            self._window, self._answered = (now, remaining), 0
            return
        began, remained = self._window
        if now - began < _SHORTEST_WINDOW:  # a handful of requests would only measure the order of their answers
            return
        # Requests that did not lower the level have been refilled meanwhile.
        measured = (self._answered - (remained - remaining)) / (now - began)
        # Half of the old estimate is kept, because other clients use the same bucket irregularly.
        self._refill = min(max((self._refill + measured) / 2.0, _SLOWEST), _FASTEST)
        self._window, self._answered = (now, remaining), 0


class Gates:
    """All gates of a run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._gates: dict[tuple[str, Kind], Gate] = {}

    def enter(self, subscription: str, method: str, patience: float) -> Gate:
        """Wait for a turn; ``answered`` or ``throttled`` follows.

        A request that would wait longer than ``patience`` seconds is sent at once, because the service's own answer is
        then the better error.
        """
        kind = kind_of(method)
        with self._lock:
            gate = self._gates.setdefault((subscription.lower(), kind), Gate(REFILL[kind]))
        ends = self._clock.now() + patience
        while True:  # a refusal voids all tickets, so each waiting thread takes another one when it wakes up
            now = self._clock.now()
            with self._lock:
                ticket = gate.take(now)
            if now < ticket.at <= ends:
                try:
                    self._clock.sleep(ticket.at - now)
                except InterruptedError:
                    with self._lock:
                        gate.leave(ticket)
                    raise
            with self._lock:
                if gate.is_valid(ticket) or ticket.at > ends:
                    gate.depart(ticket)
                    return gate

    def answered(self, gate: Gate, remaining: int | None = None) -> None:
        """Report an answer to ``gate``."""
        with self._lock:
            gate.answered(self._clock.now(), remaining)

    def throttled(self, gate: Gate, retry_after: float) -> None:
        """Report a refusal to ``gate``."""
        with self._lock:
            gate.throttled(self._clock.now(), retry_after)
