"""Retries on a simulated clock: which requests, after which wait, how often, and the log."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
import urllib3
from answering import Answering, Reply, error, in_turn
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline import Pipeline, PipelineResponse
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest

from asrnet.azure.answers import retry_after
from asrnet.azure.gates import Gates
from asrnet.azure.retry import BUSY, RetryDetails, RetryLimits, RetryPolicy, judge, log_retry, remaining, set_testing
from asrnet.clocks import SimulatedClock

S = "11111111-1111-1111-1111-111111111111"
URL = f"https://management.azure.com/subscriptions/{S}/providers/x?api-version=1&s=secret"
OK: Reply = (200, {}, {"value": []})
NO_POOL: Any = None
UNAVAILABLE: Reply = (503, {}, error("ServiceUnavailable", "The service is unavailable."))


class Call:
    """A pipeline with only the retry policy, on a simulated clock, with random values fixed to one half."""

    def __init__(self, *replies: Reply | Exception, limits: RetryLimits | None = None) -> None:
        self.clock = SimulatedClock()
        self.details: list[RetryDetails] = []
        self.azure = Answering(in_turn(*replies))
        self._limits = limits

    def send(self, method: str = "GET") -> PipelineResponse[HttpRequest, object]:
        policy = RetryPolicy(
            clock=self.clock,
            gates=Gates(self.clock),
            limits=self._limits,
            hooks=(self.details.append, log_retry),
            chance=lambda: 0.5,
        )
        transport = RequestsTransport(session=self.azure.session, session_owner=False)
        pipeline = Pipeline(transport, [policy])
        return pipeline.run(HttpRequest(method, URL))

    def status(self, method: str = "GET") -> int:
        return int(self.send(method).http_response.status_code)  # type: ignore[attr-defined]  # the same

    @property
    def attempts(self) -> int:
        return len(self.azure.requests)

    @property
    def waits(self) -> list[float]:
        return [round(each.wait, 3) for each in self.details]


@pytest.fixture
def testing() -> Iterator[None]:
    yield
    set_testing(False)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_temporary_failures_are_retried(status: int) -> None:
    call = Call((status, {}, error("Whatever", "Later.")), OK)
    assert call.status() == 200
    assert call.attempts == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 412])
def test_refusals_are_not_retried(status: int) -> None:
    call = Call((status, {}, error("Whatever", "No.")), OK)
    assert call.status() == status
    assert call.attempts == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("code", ["AnotherOperationInProgress", "RetryableErrorDueToAnotherOperation"])
def test_a_conflict_with_a_busy_code_is_retried(code: str, method: str) -> None:
    call = Call((409, {}, error(code, "Busy.")), OK)
    assert call.status(method) == 200
    assert call.attempts == 2


def test_throttling_delays_no_other_subscription_and_no_other_kind_of_request() -> None:
    clock = SimulatedClock()
    azure = Answering(in_turn((429, {"Retry-After": "60"}, error("SubscriptionRequestsThrottled", "Later.")), OK))
    policy = RetryPolicy(clock=clock, gates=Gates(clock), limits=RetryLimits(attempts=1), chance=lambda: 0.5)
    pipeline = Pipeline(RequestsTransport(session=azure.session, session_owner=False), [policy])

    def answered_at(method: str, url: str) -> float:
        pipeline.run(HttpRequest(method, url))
        return clock.now() - began

    began = clock.now()
    assert answered_at("GET", URL) == 0
    assert answered_at("PUT", URL) == 0
    assert answered_at("GET", URL.replace(S, "22222222-2222-2222-2222-222222222222")) == 0
    assert answered_at("GET", URL.replace("/subscriptions/", "/Subscriptions/")) >= 60


def test_a_busy_code_in_a_detail_is_recognised() -> None:
    body = error(
        "Conflict", "Busy.", details=[{"code": "OperationInProgress", "message": "Busy.", "possibleCauses": ""}]
    )
    call = Call((409, {}, body), OK)
    assert call.status() == 200


def test_more_busy_codes_can_be_configured() -> None:
    call = Call((409, {}, error("539", "Busy.")), OK, limits=RetryLimits(busy_codes=frozenset({"539"})))
    assert call.status() == 200


@pytest.mark.parametrize("status", [403, 409, 429, 500, 503])
@pytest.mark.parametrize(
    "code",
    [
        "ScopeLocked",
        "RequestDisallowedByPolicy",
        "LinkedAuthorizationFailed",
        "AuthorizationFailed",
        "DenyAssignmentAuthorizationFailed",
        "MissingSubscriptionRegistration",
    ],
)
def test_a_refusal_by_permission_lock_or_policy_is_never_retried(status: int, code: str) -> None:
    call = Call((status, {}, error(code, "No.")), OK)
    assert call.status("PUT") == status
    assert call.attempts == 1


def test_backoff_doubles_with_jitter_up_to_its_maximum() -> None:
    call = Call(UNAVAILABLE, limits=RetryLimits(attempts=9, first_wait=1.0, longest_wait=20.0))
    assert call.status() == 503
    assert call.waits == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]


def test_retry_after_takes_precedence_over_backoff() -> None:
    call = Call((503, {"Retry-After": "7"}, None), OK)
    begun = call.clock.now()
    assert call.status() == 200
    assert call.waits == [7.0]
    assert call.clock.now() - begun == 7.0


def test_attempts_are_bounded() -> None:
    call = Call(UNAVAILABLE, limits=RetryLimits(attempts=3))
    assert call.status() == 503
    assert call.attempts == 3


def test_throttled_attempts_count_against_the_deadline_only() -> None:
    throttled: Reply = (429, {"Retry-After": "1"}, error("SubscriptionRequestsThrottled", "Later."))
    call = Call(*[throttled] * 20, UNAVAILABLE, OK, limits=RetryLimits(attempts=3))
    assert call.status() == 200
    endless = Call(throttled, limits=RetryLimits(attempts=3, deadline=60.0))
    begun = endless.clock.now()
    assert endless.status() == 429
    assert 58.0 <= endless.clock.now() - begun <= 61.0


def test_a_throttled_request_is_not_retried_where_retries_are_off() -> None:
    throttled: Reply = (429, {"Retry-After": "1"}, error("SubscriptionRequestsThrottled", "Later."))
    call = Call(throttled, OK, limits=RetryLimits(attempts=1))
    assert (call.status(), call.attempts) == (429, 1)


def test_a_certificate_that_does_not_verify_is_not_retried() -> None:
    cause = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    call = Call(requests.exceptions.SSLError(urllib3.exceptions.MaxRetryError(NO_POOL, URL, cause)), OK)
    with pytest.raises(ServiceRequestError):
        call.status()
    assert call.attempts == 1


def test_a_wait_beyond_the_deadline_is_not_started() -> None:
    call = Call((429, {"Retry-After": "301"}, error("SubscriptionRequestsThrottled", "Later.")), OK)
    begun = call.clock.now()
    assert call.status() == 429
    assert (call.attempts, call.clock.now() - begun) == (1, 0.0)


def test_the_deadline_bounds_the_sum_of_waits() -> None:
    call = Call((503, {"Retry-After": "90"}, None), limits=RetryLimits(attempts=99, deadline=300.0))
    begun = call.clock.now()
    assert call.status() == 503
    assert (call.attempts, call.clock.now() - begun) == (4, 270.0)


@pytest.mark.parametrize(
    "fault",
    [
        requests.ConnectionError("reset"),
        requests.ReadTimeout("slow"),
        requests.ConnectTimeout("slow"),
        requests.exceptions.ChunkedEncodingError("IncompleteRead"),
    ],
)
def test_a_request_without_an_answer_is_retried(fault: Exception) -> None:
    call = Call(fault, OK)
    assert call.status("PUT") == 200
    assert call.details[0].status is None


def test_requests_without_an_answer_have_a_limit_of_their_own() -> None:
    call = Call(requests.ConnectionError("reset"), limits=RetryLimits(attempts=10, connection_attempts=3))
    with pytest.raises(ServiceRequestError):
        call.send()
    assert call.attempts == 3


def test_a_truncated_body_is_requested_again() -> None:
    call = Call((200, {"Content-Length": "5000"}, {"value": []}), OK)
    assert call.status() == 200
    assert call.attempts == 2


def test_the_context_of_a_response_counts_its_busy_answers() -> None:
    busy: Reply = (409, {}, error("AnotherOperationInProgress", "Busy."))
    throttled: Reply = (429, {"Retry-After": "1"}, error("SubscriptionRequestsThrottled", "Later."))
    response = Call(busy, throttled, UNAVAILABLE, OK).send("PUT")
    assert response.context[BUSY] == 2


def test_a_throttled_request_delays_others_of_its_kind() -> None:
    clock = SimulatedClock()
    gates = Gates(clock)
    azure = Answering(in_turn((429, {"Retry-After": "20"}, error("SubscriptionRequestsThrottled", "Later.")), OK))
    policy = RetryPolicy(clock=clock, gates=gates, hooks=(), limits=RetryLimits(attempts=1))
    transport = RequestsTransport(session=azure.session, session_owner=False)
    pipeline = Pipeline(transport, [policy])
    begun = clock.now()
    pipeline.run(HttpRequest("PUT", URL))
    pipeline.run(HttpRequest("PUT", URL))
    assert clock.now() >= begun + 20


def test_a_busy_resource_delays_no_other_request() -> None:
    verdict = judge(
        429,
        {},
        b'{"error": {"code": "RetryableErrorDueToAnotherOperation", "message": "Busy."}}',
        now=0.0,
        busy_codes=frozenset({"RetryableErrorDueToAnotherOperation"}),
    )
    assert (verdict.again, verdict.busy, verdict.throttled) == (True, True, False)


def test_stopping_the_run_raises_an_interrupted_error_at_once() -> None:
    call = Call((503, {"Retry-After": "200"}, None), OK)
    future = call.clock.start(call.status)
    call.clock.advance(1)
    call.clock.stop()
    call.clock.wait([future], None)
    with pytest.raises(InterruptedError):
        future.result()
    assert call.attempts == 1


def test_each_retry_is_logged_once_and_without_the_signed_query(caplog: pytest.LogCaptureFixture) -> None:
    call = Call((503, {"Retry-After": "2"}, error("ServerBusy", "Later.")), OK)
    with caplog.at_level(logging.INFO, logger="asrnet.azure.retry"):
        call.status()
    (record,) = caplog.records
    assert record.getMessage() == (
        f"GET https://management.azure.com/subscriptions/{S}/providers/x answered 503 (ServerBusy); "
        "attempt 2 follows in 2.0 s"
    )
    assert record.levelno == logging.INFO
    (details,) = call.details
    assert (details.attempt, details.wait, details.waited, details.code) == (1, 2.0, 0.0, "ServerBusy")
    assert "secret" not in repr(details)


def test_a_connection_error_is_logged_without_the_signed_query(caplog: pytest.LogCaptureFixture) -> None:
    fault = requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, URL, OSError("reset")))  # type: ignore[arg-type]  # no pool
    with caplog.at_level(logging.INFO, logger="asrnet.azure.retry"):
        Call(fault, OK).status()
    assert "had no answer" in caplog.text
    assert "secret" not in caplog.text


def test_a_long_wait_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    Call((503, {"Retry-After": "30"}, None), OK).status()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.usefixtures("testing")
def test_test_mode_does_not_wait_and_sets_the_attempts() -> None:
    set_testing(True, attempts=2)
    call = Call((503, {"Retry-After": "30"}, None))
    begun = call.clock.now()
    assert call.status() == 503
    assert (call.attempts, call.clock.now() - begun) == (2, 0.0)


@pytest.mark.usefixtures("testing")
def test_a_capped_test_mode_never_adds_attempts() -> None:
    set_testing(True, attempts=50, cap=True)
    call = Call(UNAVAILABLE, limits=RetryLimits(attempts=3))
    call.status()
    assert call.attempts == 3


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "12"}, 12.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"x-ms-retry-after-ms": "250", "Retry-After": "12"}, 0.25),
        ({"Retry-After": "Thu, 01 Jan 1970 00:20:00 GMT"}, 200.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:20:00 GMT", "Date": "Thu, 01 Jan 1970 00:19:30 GMT"}, 30.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:01 GMT"}, 0.0),
        ({"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:01:05"}, 65.0),
        ({"x-ms-user-quota-remaining": "14", "x-ms-user-quota-resets-after": "00:00:05"}, None),
        ({"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "soon"}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_a_quotas_reset(headers: Mapping[str, str], expected: float | None) -> None:
    assert retry_after(headers, 1000.0) == expected


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {"subscription-reads": "249", "subscription-global-reads": "3748"}, 249),
        ("PUT", {"subscription-writes": "199", "subscription-global-writes": "3"}, 3),
        ("PUT", {"subscription-reads": "1"}, None),
        ("DELETE", {"subscription-deletes": "14999"}, 14999),
        ("PUT", {"subscription-resource-requests": "209"}, 209),
        ("GET", {"subscription-reads": "many"}, None),
    ],
)
def test_the_smallest_remaining_quota_of_an_answer_counts(
    method: str, headers: Mapping[str, str], expected: int | None
) -> None:
    named = {f"x-ms-ratelimit-remaining-{name}": value for name, value in headers.items()}
    assert remaining(named, method) == expected
