"""Whether an answer calls for another attempt, and what it says about when."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from msgspec import Struct

from asrnet.azure.answers import read_answer
from asrnet.azure.gates import kind_of

BUSY_CODES: Final = frozenset(
    {
        "AnotherOperationInProgress",
        "ConcurrentOperationInProgress",
        "OperationInProgress",
        "RetryableError",
        "RetryableErrorDueToAnotherOperation",
    }
)
"""Codes of a resource that is busy with another write. Site Recovery's own are not documented; add them here."""

PERMANENT_CODES: Final = frozenset(
    {
        "AuthorizationFailed",
        "LinkedAuthorizationFailed",
        "MissingSubscriptionRegistration",
        "RequestDisallowedByPolicy",
        "ScopeLocked",
    }
)

_BUSY_STATUSES: Final = frozenset({409, 429})
_ERROR, _TIMEOUT, _TOO_MANY, _SERVER_ERROR = 400, 408, 429, 500


class Verdict(Struct, frozen=True, kw_only=True):
    """What an attempt came to. ``retry_after`` is the service's own wish, in seconds."""

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
    answer = read_answer(body)
    busy = status in _BUSY_STATUSES and bool(answer.codes & busy_codes)
    passing = busy or status in {_TIMEOUT, _TOO_MANY} or status >= _SERVER_ERROR
    return Verdict(
        again=passing and not answer.codes & PERMANENT_CODES,
        reason=f"answered {status}",
        status=status,
        code=answer.code,
        busy=busy or status == _TOO_MANY,
        throttled=status == _TOO_MANY and not busy,
        retry_after=retry_after(headers, now),
    )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The wait that an answer asks for, in seconds; a date counts from the answer's own date, lest clocks disagree.

    Resource Graph says it with ``x-ms-user-quota-resets-after``, as hours, minutes and seconds.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return _quota_resets_after(headers)
    try:
        return max(0.0, float(text))
    except ValueError:
        until = _date(text)
        return None if until is None else max(0.0, until - (_date(headers.get("Date", "")) or now))


def remaining(headers: Mapping[str, str], method: str) -> int | None:
    """How many more requests like this one are allowed: the least that the answer names."""
    kind = kind_of(method)
    names = (kind, f"global-{kind}", "resource-requests")
    texts = (headers.get(f"x-ms-ratelimit-remaining-subscription-{name}", "") for name in names)
    return min((int(text) for text in texts if text.isdigit()), default=None)


def _quota_resets_after(headers: Mapping[str, str]) -> float | None:
    if headers.get("x-ms-user-quota-remaining") != "0":
        return None
    hours, _, rest = headers.get("x-ms-user-quota-resets-after", "").partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return int(hours) * 3600.0 + int(minutes) * 60.0 + float(seconds)
    except ValueError:
        return None


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
