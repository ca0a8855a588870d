"""Scripted wire faults: the next N requests that match METHOD and PATH get a fault instead of an answer."""

from __future__ import annotations

import threading
from fnmatch import fnmatchcase
from typing import Literal

import msgspec
from msgspec import Struct

from asrnet.emulator.messages import Request, Response, empty_response, json_response, plain_envelope
from asrnet.errors import InputError
from asrnet.fake.faults import check_answer
from asrnet.fake.journal import action_of

Kind = Literal[
    "throttle", "unavailable", "busy", "scope_locked", "policy", "forbidden", "reset", "delay", "answer", "garbage"
]

FOREVER = -1
_BODILESS = frozenset({204, 304})


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One entry of the script.

    ``method`` and ``path`` are shell patterns; the path is matched without its query, ignoring case. ``times`` is the
    number of requests that the fault affects, -1 for all; ``skip`` is the number of matching requests to let through
    first. ``kind``:

    - ``throttle``: 429 with ``retry_after`` seconds; ``unavailable``: 503, with ``retry_after`` if given;
    - ``busy``: 409 because another operation is in progress; ``scope_locked``: 409 because of a resource lock;
    - ``policy``: 403 from a policy assignment; ``forbidden``: 403 for ``action``, by default the action of the request;
    - ``reset``: the connection is dropped, with ``handled`` only after the request has taken effect;
    - ``delay``: the answer is ``seconds`` late; ``garbage``: 200 with a body that is not JSON;
    - ``answer``: ``status`` with ``code`` and ``message``.

    Raises InputError if the fault can never happen, or if no response can be built from it.
    """

    kind: Kind
    method: str = "*"
    path: str = "*"
    times: int = 1
    skip: int = 0
    retry_after: float | None = None
    seconds: float = 0.0
    handled: bool = False
    status: int = 500
    code: str = ""
    message: str = ""
    action: str = ""

    def __post_init__(self) -> None:
        if self.times == 0:
            raise InputError("a fault with times 0 never happens")
        if self.times < FOREVER or self.skip < 0:
            raise InputError("times must be a count, or -1 for all requests, and skip cannot be negative")
        check_answer(self.status, self.seconds, self.retry_after or 0.0)

    def matches(self, request: Request) -> bool:
        """Whether the fault applies to ``request``."""
        return fnmatchcase(request.method.upper(), self.method.upper()) and fnmatchcase(
            request.path.lower(), self.path.lower()
        )


class _Pending:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.skip = fault.skip
        self.times = fault.times


class Faults:
    """The script: faults in the order in which they were added. A request counts for the first one that matches it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[_Pending] = []

    def add(self, fault: Fault) -> None:
        """Append a fault."""
        with self._lock:
            self._pending.append(_Pending(fault))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._pending.clear()

    def pending(self) -> tuple[Fault, ...]:
        """The faults still to come, each with its remaining ``times`` and ``skip``."""
        with self._lock:
            return tuple(msgspec.structs.replace(p.fault, times=p.times, skip=p.skip) for p in self._pending)

    def take(self, request: Request) -> Fault | None:
        """Take the fault that applies to ``request`` and count its use; None if the request is answered as usual."""
        with self._lock:
            pending = next((entry for entry in self._pending if entry.fault.matches(request)), None)
            if pending is None:
                return None
            if pending.skip:
                pending.skip -= 1
                return None
            if pending.times != FOREVER:
                pending.times -= 1
                if not pending.times:
                    self._pending.remove(pending)
            return pending.fault


_BUSY = "Another operation is in progress on the resource. Retry after it has completed."
# Status, code and message of the kinds that answer with an error.
_ERRORS: dict[str, tuple[int, str, str]] = {
    "throttle": (429, "TooManyRequests", "The request was throttled. Retry after the period that Retry-After says."),
    "unavailable": (503, "ServiceUnavailable", "The service is temporarily unavailable."),
    "busy": (409, "AnotherOperationInProgress", _BUSY),
    "policy": (403, "RequestDisallowedByPolicy", "Resource '{name}' was disallowed by policy."),
    "scope_locked": (
        409,
        "ScopeLocked",
        "The scope '{path}' is locked and cannot perform the operation. Please remove the lock and try again.",
    ),
    "forbidden": (
        403,
        "AuthorizationFailed",
        "The client 'emulated' does not have authorization to perform action '{action}' over scope '{path}'.",
    ),
}


def answer_of(fault: Fault, request: Request) -> Response | None:
    """The response that ``fault`` gives in place of the service; None if the service handles the request."""
    retry_after = fault.retry_after
    if retry_after is None and fault.kind == "throttle":
        retry_after = 5
    wait = () if retry_after is None else (("Retry-After", f"{retry_after:g}"),)
    if fault.kind == "garbage":
        return Response(status=200, headers=(("Content-Type", "application/json"),), body=b'{"value": [')
    if fault.kind == "answer":
        if fault.status in _BODILESS:
            return empty_response(fault.status, *wait)
        return json_response(plain_envelope(fault.code or "Error", fault.message), status=fault.status, headers=wait)
    if fault.kind == "reset":
        return None if fault.handled else Response(status=0, dropped=True)
    if fault.kind == "delay":
        return None
    status, code, text = _ERRORS[fault.kind]
    action = fault.action or action_of(request.method, request.path)
    values = {"path": request.path, "name": request.path.rpartition("/")[2], "action": action}
    message = fault.message or text.format_map(values)
    return json_response(plain_envelope(fault.code or code, message), status=status, headers=wait)


def effect_of(fault: Fault, answer: Response) -> Response:
    """Apply ``fault`` to the service's ``answer``: delay it or drop it."""
    if fault.kind == "delay":
        return msgspec.structs.replace(answer, delay=fault.seconds)
    if fault.kind == "reset":
        return msgspec.structs.replace(answer, dropped=True)
    return answer
