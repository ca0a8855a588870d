"""Scripted faults of the service. Faults of the wire (429, 503, resets) belong to the emulator."""

from __future__ import annotations

from fnmatch import fnmatchcase
from threading import Lock
from typing import Final, Literal

from msgspec import Struct

from asrnet.errors import InputError
from asrnet.fake.journal import kind_of
from asrnet.model.arm import ArmId

Effect = Literal[
    "operation_fails",
    "operation_never_ends",
    "operation_warns",
    "operation_does_nothing",
    "list_lags",
    "refused",
    "scope_locked",
    "policy_denied",
    "forbidden",
    "changed_before",
]

LONGEST: Final = 86400.0
"""The longest delay or lag that can be set, in seconds."""
_LEAST_STATUS: Final = 200
_GREATEST_STATUS: Final = 599
_READS: Final = frozenset({"GET", "HEAD"})
_OF_WRITES: Final[frozenset[Effect]] = frozenset(
    {
        "operation_fails",
        "operation_never_ends",
        "operation_warns",
        "operation_does_nothing",
        "scope_locked",
        "policy_denied",
    }
)


def check_answer(status: int, *seconds: float) -> None:
    """Raise InputError for an invalid HTTP status or for seconds out of range."""
    if not _LEAST_STATUS <= status <= _GREATEST_STATUS:
        raise InputError(f"{status} is not an HTTP status from {_LEAST_STATUS} to {_GREATEST_STATUS}")
    if not all(0 <= duration <= LONGEST for duration in seconds):
        raise InputError(f"seconds must be from 0 to {LONGEST:.0f}, a day")


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happens to the next ``times`` matching requests, or to all of them (0).

    ``method``, ``kind`` (the last segment of the resource type, such as ``replicationnetworkmappings``) and ``path``
    (the id of the resource) are globs that ignore case. ``after`` lets that many matching requests pass first.
    ``status``, ``code`` and ``message`` describe a refusal or a failed operation; ``seconds`` is how far lists lag.

    ``changed_before`` simulates a change by somebody else right before the request: ``mapping`` (by default the mapping
    in the request) then leads to ``recovery_network_id``, or is deleted if that is None. Raises InputError for invalid
    numbers.
    """

    effect: Effect
    method: str = "*"
    kind: str = "*"
    path: str = "*"
    times: int = 1
    after: int = 0
    status: int = 400
    code: str = ""
    message: str = ""
    seconds: float = 0.0
    mapping: ArmId | None = None
    recovery_network_id: ArmId | None = None

    def __post_init__(self) -> None:
        if self.after < 0:
            raise InputError("'after' cannot be negative")
        check_answer(self.status, self.seconds)

    def matches(self, method: str, path: str) -> bool:
        """Whether the fault applies to a request."""
        return (
            # A fault of writes does not affect reads even if its method is "*", and reads do not use it up.
            (method not in _READS or self.effect not in _OF_WRITES)
            and fnmatchcase(method.lower(), self.method.lower())
            and fnmatchcase(kind_of(path), self.kind.lower())
            and fnmatchcase(path.lower(), self.path.lower())
        )


class Faults:
    """The faults still to come, in the order in which they were added. Every matching fault applies to a request."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[_Counted] = []

    def add(self, fault: Fault) -> None:
        """Append a fault to the script."""
        with self._lock:
            self._waiting.append(_Counted(fault))

    def waiting(self) -> tuple[Fault, ...]:
        """The faults that are not used up yet."""
        with self._lock:
            return tuple(counted.fault for counted in self._waiting)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str) -> tuple[Fault, ...]:
        """Take the faults that apply to this request."""
        with self._lock:
            hits = tuple(counted.fault for counted in self._waiting if counted.hit(method, path))
            if hits:
                self._waiting = [counted for counted in self._waiting if not counted.used_up()]
            return hits


class _Counted:
    """A fault with the number of requests that have matched it."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._seen = 0

    def hit(self, method: str, path: str) -> bool:
        if not self.fault.matches(method, path):
            return False
        self._seen += 1
        return self._seen > self.fault.after

    def used_up(self) -> bool:
        return 0 < self.fault.times <= self._seen - self.fault.after
