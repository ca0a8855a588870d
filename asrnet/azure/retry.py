"""Retries: one policy of the SDKs' pipeline, built on tenacity; nothing else repeats a request.

It repeats 408, 429, 5xx, answers of a busy service, and requests without an answer. Every write of asrnet may be sent
twice, because it declares a state and never a change. A refusal by a permission, a lock or a policy is final, whatever
its status, and so is a certificate that does not verify. Clock, chance and gates are passed in for tests to control.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import IncompleteReadError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse, policies
from azure.core.pipeline.policies import HTTPPolicy
from msgspec import Struct
from tenacity import RetryCallState, Retrying

from asrnet.azure.answers import certificate_failure, is_name_failure, read_error, retry_after
from asrnet.azure.gates import Gates, kind_of
from asrnet.azure.request_log import ATTEMPT
from asrnet.ports import Clock
from asrnet.redaction import without_secrets

BUSY: Final = "asrnet.busy"
"""The key in a response's context under which the number of remaining busy answers is stored."""

BUSY_CODES: Final = frozenset(
    {
        "AnotherOperationInProgress",
        "ConcurrentOperationInProgress",
        "OperationInProgress",
        "RetryableError",
        "RetryableErrorDueToAnotherOperation",
    }
)
"""Codes of a resource that is busy with another write.

``RetryableErrorDueToAnotherOperation`` is documented ("Understand how Azure Resource Manager throttles requests"), the
others are assumed. Codes of Site Recovery for this are neither documented nor recorded; add any that are seen here.
"""

PERMANENT_CODES: Final = frozenset(
    {
        "AuthorizationFailed",
        "DenyAssignmentAuthorizationFailed",
        "LinkedAuthorizationFailed",
        "MissingSubscriptionRegistration",
        "RequestDisallowedByPolicy",
        "ScopeLocked",
    }
)

_log: Final = logging.getLogger("asrnet.azure.retry")
_NO_ANSWER: Final = (ServiceRequestError, ServiceResponseError, IncompleteReadError)
_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([^/?]+)", re.IGNORECASE)
_ATTEMPTS: Final = "asrnet_attempts"
_ERROR, _TIMEOUT, _CONFLICT, _TOO_MANY, _SERVER_ERROR = 400, 408, 409, 429, 500
_PAUSE_WITHOUT_ADVICE: Final = 1.0  # seconds for which a 429 without Retry-After closes the gate
_WORTH_A_WARNING: Final = 10.0


class Attempts(Struct, frozen=True):
    """A request, without the query of its URL, and the number of times it was sent."""

    method: str
    host: str
    path: str
    number: int

    def __str__(self) -> str:
        return f"{self.method} {self.path}, {self.number} {'attempt' if self.number == 1 else 'attempts'}"


def attempts_of(outcome: object) -> Attempts | None:
    """How often the request behind ``outcome``, a response or an exception of the SDKs, was sent, if that is known."""
    attempts = getattr(outcome, _ATTEMPTS, None)
    return attempts if isinstance(attempts, Attempts) else None


class Verdict(Struct, frozen=True, kw_only=True):
    """The outcome of an attempt. ``retry_after`` is the wait that the service asked for, in seconds."""

    again: bool
    reason: str = ""
    status: int | None = None
    code: str = ""
    busy: bool = False
    throttled: bool = False
    retry_after: float | None = None


def judge(status: int, headers: Mapping[str, str], body: bytes, *, now: float, busy_codes: frozenset[str]) -> Verdict:
    """Whether an answer calls for another attempt."""
    if status < _ERROR:
        return Verdict(again=False, status=status)
    error = read_error(body)
    # A 409 can be final, for example because of a lock, so only known codes count as busy.
    is_busy = status in {_CONFLICT, _TOO_MANY} and bool(error.codes & busy_codes)
    is_transient = is_busy or status in {_TIMEOUT, _TOO_MANY} or status >= _SERVER_ERROR
    return Verdict(
        again=is_transient and not error.codes & PERMANENT_CODES,
        reason=f"answered {status}",
        status=status,
        code=error.code,
        busy=is_busy or status == _TOO_MANY,
        throttled=status == _TOO_MANY and not is_busy,
        retry_after=retry_after(headers, now),
    )


def remaining(headers: Mapping[str, str], method: str) -> int | None:
    """How many more requests like this one are allowed: the smallest number in the answer.

    Documented, as above: a provider with limits of its own sends ``resource-requests`` in place of the plain header.
    """
    kind = kind_of(method)
    names = (kind, f"global-{kind}", "resource-requests")
    texts = (headers.get(f"x-ms-ratelimit-remaining-subscription-{name}", "") for name in names)
    return min((int(text) for text in texts if text.isdigit()), default=None)


class RetryLimits(Struct, frozen=True, kw_only=True):
    """The limits of retrying. Times are in seconds.

    ``attempts`` limits requests that were answered, ``connection_attempts`` those that were not, and ``deadline`` the
    time from the first attempt to the last. 429 answers count only against the deadline, unless retries are off,
    because it is a matter of chance how many of them one request gets while Azure throttles. Other waits double from
    ``first_wait`` up to ``longest_wait``.
    """

    attempts: int = 10
    connection_attempts: int = 4
    deadline: float = 300.0
    first_wait: float = 0.5
    longest_wait: float = 30.0
    busy_codes: frozenset[str] = BUSY_CODES


class RetryDetails(Struct, frozen=True, kw_only=True):
    """A scheduled repeat: the number of the failed attempt, why it failed, and the wait in seconds."""

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
    """Switch the test mode on or off: no waits, and ``attempts`` in place of the limits (with ``cap``, at most)."""
    global _testing  # noqa: PLW0603 - one switch for the process is the point of it
    _testing = _Testing(attempts, cap) if testing else None


def log_retry(details: RetryDetails) -> None:
    """Log one line for each repeat; a long wait is a warning."""
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


class RetryUnlessInspected(policies.RetryPolicy[Any, Any]):
    """azure-identity's own retries of a sign-in, except for a certificate that does not verify."""

    def increment(self, settings: dict[str, Any], *args: Any, **options: Any) -> bool:
        """Whether to send again, as the SDK decides."""
        error = options.get("error")
        return not (error and certificate_failure(error)) and super().increment(settings, *args, **options)


class RetryPolicy(HTTPPolicy[Any, Any]):
    """Sends a request until it has a final answer, within the limits, and through the gates."""

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
        """Return the last answer, or raise the last error if there was none."""
        sending = _Sending(self, request)
        retrying = Retrying(
            sleep=self.clock.sleep,
            wait=lambda _: sending.wait,
            stop=sending.is_over,
            retry=lambda _: sending.verdict.again,
            before_sleep=sending.announce,
            retry_error_callback=_last_outcome,
        )
        response: PipelineResponse[Any, Any] = retrying(sending.attempt)
        response.context[BUSY] = sending.busy
        return response


class _Sending:
    """One request and its attempts."""

    def __init__(self, policy: RetryPolicy, request: PipelineRequest[Any]) -> None:
        self._policy = policy
        self._request = request
        self._http = request.http_request
        subscription = _SUBSCRIPTION.search(self._http.url)
        self._subscription = subscription[1] if subscription else ""
        self._started = policy.clock.now()
        self._number = 0
        self._throttled = 0
        self._waited = 0.0
        self.busy = 0
        self.wait = 0.0
        self.verdict = Verdict(again=False)

    def attempt(self) -> PipelineResponse[Any, Any]:
        """Send once, read a refusal in full, judge it, and tell the gate."""
        policy, http = self._policy, self._http
        self.verdict = Verdict(again=False)
        self._number += 1
        self._request.context[ATTEMPT] = self._number
        url = urlsplit(http.url)
        attempts = Attempts(http.method, url.netloc.rpartition("@")[2], url.path, self._number)
        gate = policy.gates.enter(self._subscription, http.method, policy.limits.deadline)
        try:
            response = policy.next.send(self._request)
            answer = response.http_response
            body = b""
            # The answers to begin_* are streamed. If Azure accepts the request, the SDK reads the answer itself.
            if answer.status_code >= _ERROR:
                body = bytes(answer.read() if hasattr(answer, "read") else answer.body())
        except _NO_ANSWER as error:
            policy.gates.answered(gate)
            reason = "found no such host" if is_name_failure(error) else f"had no answer: {without_secrets(str(error))}"
            # A proxy that inspects TLS will still do so a second later.
            self._conclude(Verdict(again=not certificate_failure(error), reason=reason))
            setattr(error, _ATTEMPTS, attempts)
            raise
        except BaseException:
            policy.gates.answered(gate)
            raise
        now = policy.clock.now()
        self._conclude(judge(answer.status_code, answer.headers, body, now=now, busy_codes=policy.limits.busy_codes))
        if self.verdict.throttled:  # a single busy resource is no reason to hold back requests to others
            self._throttled += 1
            pause = self.verdict.retry_after
            policy.gates.throttled(gate, _PAUSE_WITHOUT_ADVICE if pause is None else pause)
        else:
            policy.gates.answered(gate, remaining(answer.headers, http.method))
        setattr(answer, _ATTEMPTS, attempts)
        return response

    def is_over(self, _state: RetryCallState) -> bool:
        """Whether the limits allow no further attempt."""
        limits = self._policy.limits
        most = limits.connection_attempts if self.verdict.status is None else limits.attempts
        counted = self._number
        if _testing:
            most = min(_testing.attempts, most) if _testing.cap else _testing.attempts
        elif most > 1:
            counted -= self._throttled
        is_late = self._policy.clock.now() + self.wait - self._started > limits.deadline
        return counted >= most or is_late

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

    def _conclude(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.busy += verdict.busy
        limits = self._policy.limits
        longest = min(limits.longest_wait, limits.first_wait * 2.0 ** (self._number - 1))
        self.wait = self._policy.chance() * longest if verdict.retry_after is None else verdict.retry_after
        if _testing:
            self.wait = 0.0


def _last_outcome(state: RetryCallState) -> PipelineResponse[Any, Any]:
    """Return the answer of the last attempt, or raise its error."""
    assert state.outcome is not None  # noqa: S101 - tenacity calls this after an attempt only
    response: PipelineResponse[Any, Any] = state.outcome.result()
    return response
