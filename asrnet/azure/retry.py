"""Retries, which have this one owner: a policy of the SDKs' pipeline, built on tenacity.

Repeated are 408, 429, 5xx, answers of a busy service, and requests without an answer. All writes of asrnet may be sent
twice: each says how a resource shall be, none says how it shall change. A refusal by right, lock or policy is final,
whatever its status. Time, chance and the gates come from outside, so that a test owns them.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import IncompleteReadError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from msgspec import Struct
from tenacity import RetryCallState, Retrying

from asrnet.azure.attempts import Attempts, note
from asrnet.azure.causes import is_name_failure
from asrnet.azure.gates import Gate, Gates
from asrnet.azure.meter import ATTEMPT
from asrnet.azure.verdicts import BUSY_CODES, Verdict, judge, remaining
from asrnet.ports import Clock
from asrnet.redaction import without_secrets

WHOLE: Final = "asrnet_whole"
"""An option of a request: read the body of its answer here, where a connection that breaks off is repeated."""

BUSY: Final = "asrnet.busy"
"""Where the number of busy answers is left for whoever reads the response."""

_log: Final = logging.getLogger("asrnet.azure.retry")
_NO_ANSWER: Final = (ServiceRequestError, ServiceResponseError, IncompleteReadError)
_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([^/?]+)", re.IGNORECASE)
_ERROR: Final = 400
_PAUSE_WITHOUT_ADVICE: Final = 1.0
_WORTH_A_WARNING: Final = 10.0


class RetryLimits(Struct, frozen=True, kw_only=True):
    """How long to go on. Times in seconds.

    ``attempts`` bounds requests that were answered, ``connection_attempts`` those that were not; ``deadline`` the time
    from the first attempt to the last. Waits grow from ``first_wait`` by doubling, up to ``longest_wait``.
    """

    attempts: int = 10
    connection_attempts: int = 4
    deadline: float = 300.0
    first_wait: float = 0.5
    longest_wait: float = 30.0
    busy_codes: frozenset[str] = BUSY_CODES


class RetryDetails(Struct, frozen=True, kw_only=True):
    """A repeat that has been scheduled: the number of the attempt that failed, why, and what is waited. In seconds."""

    method: str
    path: str
    attempt: int
    wait: float
    waited: float
    status: int | None
    code: str
    reason: str


RetryHook = Callable[[RetryDetails], None]


class _Testing(Struct, frozen=True):
    attempts: int
    cap: bool


_testing: _Testing | None = None


def set_testing(testing: bool, *, attempts: int = 1, cap: bool = False) -> None:  # noqa: FBT001 - as stamina has it
    """Switch the test mode on or off: no waits, and ``attempts`` in place of the limits (at most, with ``cap``)."""
    global _testing  # noqa: PLW0603 - one switch for the process is the point of it
    _testing = _Testing(attempts, cap) if testing else None


def log_retry(details: RetryDetails) -> None:
    """One line for each repeat; a long wait is worth a warning."""
    level = logging.WARNING if details.wait >= _WORTH_A_WARNING else logging.INFO
    code = f" ({details.code})" if details.code else ""
    _log.log(
        level,
        "%s %s %s%s; attempt %d follows in %.1f s",
        details.method,
        details.path,
        details.reason,
        code,
        details.attempt + 1,
        details.wait,
        extra={"retry": details},
    )


class RetryPolicy(HTTPPolicy[Any, Any]):
    """Sends a request until it is answered for good, within the limits, and through the gates."""

    def __init__(
        self,
        *,
        clock: Clock,
        gates: Gates,
        limits: RetryLimits | None = None,
        hooks: Sequence[RetryHook] = (log_retry,),
        chance: Callable[[], float] = random.random,
    ) -> None:
        super().__init__()
        self.clock = clock
        self.gates = gates
        self.limits = limits or RetryLimits()
        self.hooks = hooks
        self.chance = chance

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """The last answer; where there was none, the last error."""
        exchange = _Exchange(self, request)
        retrying = Retrying(
            sleep=self.clock.sleep,
            wait=lambda _: exchange.wait,
            stop=exchange.is_over,
            retry=lambda _: exchange.verdict.again,
            before_sleep=exchange.announce,
            retry_error_callback=_outcome,
        )
        response: PipelineResponse[Any, Any] = retrying(exchange.attempt)
        response.context[BUSY] = exchange.busy
        return response


class _Exchange:
    """One request and its attempts."""

    def __init__(self, policy: RetryPolicy, request: PipelineRequest[Any]) -> None:
        self._policy = policy
        self._request = request
        self._http = request.http_request
        self._whole = bool(request.context.options.pop(WHOLE, False))
        found = _SUBSCRIPTION.search(self._http.url)
        self._subscription = found[1] if found else ""
        self._started = policy.clock.now()
        self._number = 0
        self._waited = 0.0
        self.busy = 0
        self.wait = 0.0
        self.verdict = Verdict(again=False)

    def attempt(self) -> PipelineResponse[Any, Any]:
        """Send once, read the answer in full, and judge it."""
        self.verdict = Verdict(again=False)
        self._number += 1
        self._request.context[ATTEMPT] = self._number
        patience = self._policy.limits.deadline
        gate = self._policy.gates.enter(self._subscription, self._http.method, patience)
        try:
            response = self._policy.next.send(self._request)
            body = _read(response.http_response, whole=self._whole)
        except _NO_ANSWER as error:
            self._policy.gates.answered(gate)
            self._conclude(Verdict(again=True, reason=_why(error)))
            note(error, self._attempts())
            raise
        except BaseException:
            self._policy.gates.answered(gate)
            raise
        self._settle(gate, response.http_response, body)
        note(response.http_response, self._attempts())
        return response

    def _attempts(self) -> Attempts:
        url = urlsplit(self._http.url)
        return Attempts(self._http.method, url.netloc.rpartition("@")[2], url.path, self._number)

    def is_over(self, _state: RetryCallState) -> bool:
        """Whether the limits leave no further attempt."""
        limits = self._policy.limits
        most = limits.connection_attempts if self.verdict.status is None else limits.attempts
        if _testing:
            most = min(_testing.attempts, most) if _testing.cap else _testing.attempts
        late = self._policy.clock.now() + self.wait - self._started > limits.deadline
        return self._number >= most or late

    def announce(self, _state: RetryCallState) -> None:
        """Tell the hooks that there will be another attempt."""
        details = RetryDetails(
            method=self._http.method,
            path=self._http.url.partition("?")[0],
            attempt=self._number,
            wait=self.wait,
            waited=self._waited,
            status=self.verdict.status,
            code=self.verdict.code,
            reason=self.verdict.reason,
        )
        self._waited += self.wait
        for hook in self._policy.hooks:
            hook(details)

    def _settle(self, gate: Gate, response: Any, body: bytes) -> None:
        """Judge an answer, and tell the gate."""
        headers = response.headers
        now = self._policy.clock.now()
        busy_codes = self._policy.limits.busy_codes
        self._conclude(judge(response.status_code, headers, body, now=now, busy_codes=busy_codes))
        if self.verdict.throttled:
            pause = self.verdict.retry_after
            self._policy.gates.throttled(gate, _PAUSE_WITHOUT_ADVICE if pause is None else pause)
        else:
            self._policy.gates.answered(gate, remaining(headers, self._http.method))

    def _conclude(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.busy += verdict.busy
        limits = self._policy.limits
        grown = min(limits.longest_wait, limits.first_wait * 2.0 ** (self._number - 1))
        self.wait = self._policy.chance() * grown if verdict.retry_after is None else verdict.retry_after
        if _testing:
            self.wait = 0.0


def _outcome(state: RetryCallState) -> PipelineResponse[Any, Any]:
    """What the last attempt came to: its answer, or its error raised."""
    assert state.outcome is not None  # noqa: S101 - tenacity calls this after an attempt only
    response: PipelineResponse[Any, Any] = state.outcome.result()
    return response


def _read(response: Any, *, whole: bool) -> bytes:
    """The body of a refusal, to be judged, or whatever is to be read whole.

    The answers to begin_* are streamed. One that accepts is left to the SDK, which in some versions reads it itself.
    """
    if response.status_code < _ERROR and not whole:
        return b""
    return bytes(response.read() if hasattr(response, "read") else response.body())


def _why(error: BaseException) -> str:
    if is_name_failure(error):
        return "found no such host"
    return f"had no answer: {without_secrets(str(error))}"
