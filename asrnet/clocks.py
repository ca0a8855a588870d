"""Time and concurrency: the system's clock, and a simulated one on which hours pass in milliseconds.

Both implement ``asrnet.ports.Clock``. Everything that waits in asrnet waits through one of them.
"""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures import wait as wait_for_futures
from contextvars import Context
from functools import partial
from typing import Final, TypeVar

from asrnet.errors import AsrError
from asrnet.ports import Clock

T = TypeVar("T")

_EPOCH = 1_767_225_600.0
"""Where simulated time begins: 2026-01-01T00:00:00Z."""


class SystemClock:
    """Wall-clock time, anchored at construction so that it never runs backwards, and a thread for each call.

    Threads are daemons: after Ctrl-C a request that hangs does not hold up the exit.
    """

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()
        self._stopped = threading.Event()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._offset + time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``; raises InterruptedError when the clock is stopped."""
        if self._stopped.wait(seconds):
            raise InterruptedError("the run is being stopped")

    def start(self, call: Callable[[], T]) -> Future[T]:
        """Run ``call`` in a thread."""
        future: Future[T] = Future()
        threading.Thread(target=_fulfil, args=(future, call), daemon=True).start()
        return future

    def wait(self, futures: Collection[Future[T]], timeout: float | None) -> None:
        """Return when a future is done, or after ``timeout`` seconds."""
        if futures:
            wait_for_futures(futures, timeout=timeout, return_when=FIRST_COMPLETED)
        elif timeout:
            self._stopped.wait(timeout)

    def stop(self) -> None:
        """End all current and later sleeps."""
        self._stopped.set()


class Bounded:
    """Starts calls on a clock, no more than ``at_once`` at a time; the others wait their turn."""

    def __init__(self, clock: Clock, at_once: int) -> None:
        self._clock = clock
        self._free = at_once
        self._waiting: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()

    def start(self, call: Callable[[], T]) -> Future[T]:
        """The future of ``call``, which starts as soon as there is room."""
        future: Future[T] = Future()
        with self._lock:
            self._waiting.append(lambda: self._run(future, call))
        self._start_waiting()
        return future

    def settle(self, futures: Collection[Future[T]]) -> None:
        """Return when all of ``futures`` are done."""
        for future in futures:  # one after the other, because waiting for all together takes quadratic time
            while not future.done():
                self._clock.wait([future], None)

    def answer(self, future: Future[T]) -> T | AsrError:
        """The result of ``future``, or the AsrError that it ended with."""
        self.settle([future])
        try:
            return future.result()
        except AsrError as error:
            return error

    def _start_waiting(self) -> None:
        with self._lock:
            ready = [self._waiting.popleft() for _ in range(min(self._free, len(self._waiting)))]
            self._free -= len(ready)
        for run in ready:
            self._clock.start(run)

    def _run(self, future: Future[T], call: Callable[[], T]) -> None:
        _fulfil(future, call)
        with self._lock:
            self._free += 1
        self._start_waiting()


def _fulfil(future: Future[T], call: Callable[[], T]) -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - whoever reads the future gets the error
        future.set_exception(error)
    else:
        future.set_result(result)


class _Waiter:
    """A thread that waits for its turn, or a ``call`` that has no thread yet.

    ``interrupted``: it was woken because the clock was stopped.
    """

    def __init__(self, call: Callable[[], None] | None = None) -> None:
        self.call = call
        self.queued = True
        self.interrupted = False
        # A lock that starts locked and is released once does what an Event does, at a fifth of the cost.
        self._turn = threading.Lock()
        self._turn.acquire()

    def await_turn(self) -> None:
        """Return once the waiter has been given the baton."""
        self._turn.acquire()

    def give_turn(self) -> None:
        """Wake the thread that awaits its turn; happens once."""
        self._turn.release()


class _ReusedThread:
    """A daemon thread that runs one call after another and waits in ``_PARKED`` in between.

    Starting a thread costs more than most calls of a simulation do.
    """

    def __init__(self) -> None:
        self._call: Callable[[], None] | None = None
        self._turn = threading.Lock()
        self._turn.acquire()
        threading.Thread(target=self._run_calls, daemon=True).start()

    def run(self, call: Callable[[], None]) -> None:
        """Run ``call`` in a context of its own, as a new thread would."""
        self._call = call
        self._turn.release()

    def _run_calls(self) -> None:
        while True:
            self._turn.acquire()
            call, self._call = self._call, None
            if call:
                Context().run(call)
            del call  # what the call refers to must not be kept alive until the next call
            _PARKED.append(self)


_PARKED: Final[list[_ReusedThread]] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_PARKED.clear)  # a forked process has none of its parent's threads


def _in_thread(call: Callable[[], None]) -> None:
    try:
        thread = _PARKED.pop()
    except IndexError:
        thread = _ReusedThread()
    thread.run(call)


class SimulatedClock:
    """Simulated time: threads run one at a time, in the order of their simulated wake time.

    The running thread holds a baton and passes it on when it sleeps, waits or ends, so a run is deterministic and no
    real time passes. Code under it must not sleep while it holds a lock that another thread wants.
    """

    def __init__(self, start: float = _EPOCH) -> None:
        self._now = start
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._queue: list[tuple[float, int, _Waiter]] = []
        self._sleepers: set[_Waiter] = set()
        self._stopped = False

    def now(self) -> float:
        """Simulated seconds since 1970."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass; whatever is due in between runs first."""
        self.sleep(seconds)

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass for this thread; raises InterruptedError when the clock is stopped."""
        waiter = _Waiter()
        with self._lock:
            if self._stopped:
                raise InterruptedError("the run is being stopped")
            self._sleepers.add(waiter)
            self._enqueue(waiter, self._now + max(seconds, 0.0))
            self._pass_on()
        waiter.await_turn()
        self._sleepers.discard(waiter)
        if waiter.interrupted:
            raise InterruptedError("the run is being stopped")

    def start(self, call: Callable[[], T]) -> Future[T]:
        """Run ``call`` in another thread, when the caller next waits."""
        future: Future[T] = Future()
        with self._lock:
            self._enqueue(_Waiter(lambda: _fulfil(future, call)), self._now)
        return future

    def wait(self, futures: Collection[Future[T]], timeout: float | None) -> None:
        """Return when a future is done, or after ``timeout`` simulated seconds."""
        if any(future.done() for future in futures):
            return
        waiter = _Waiter()
        with self._lock:
            if timeout is not None:
                self._enqueue(waiter, self._now + max(timeout, 0.0))
            for future in futures:
                future.add_done_callback(lambda _: self._enqueue(waiter, self._now))
            self._pass_on()
        waiter.await_turn()

    def stop(self) -> None:
        """End all current and later sleeps."""
        with self._lock:
            self._stopped = True
            for waiter in self._sleepers:
                waiter.interrupted = True
                self._enqueue(waiter, self._now)

    def resume(self) -> None:
        """Allow sleeps again: a new run begins where the stopped one ended."""
        self._stopped = False

    def _run(self, call: Callable[[], None] | None) -> None:
        """Run ``call`` and, without switching threads, the calls whose turn comes right after it."""
        while call:
            call()  # the future's callbacks queue whoever waits for it; this thread still holds the baton
            with self._lock:
                call = self._pass_on(last=True)

    def _enqueue(self, waiter: _Waiter, when: float) -> None:
        heapq.heappush(self._queue, (when, next(self._order), waiter))

    def _pass_on(self, *, last: bool = False) -> Callable[[], None] | None:
        """Pass the baton to the waiter that is due first. A thread that ends (``last``) gets a call to run itself.

        A waiter may be queued twice; its second entry is passed over.
        """
        while self._queue:
            when, _, waiter = heapq.heappop(self._queue)
            if not waiter.queued:
                continue
            waiter.queued = False
            self._now = max(self._now, when)
            if waiter.call is None:
                waiter.give_turn()
                return None
            if last:
                return waiter.call
            _in_thread(partial(self._run, waiter.call))
            return None
        if not last:
            raise RuntimeError("the simulation is stuck: every thread is waiting, and none of them for a point in time")
        return None
