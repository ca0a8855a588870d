"""How a world behaves where the real service varies: timing, paging, rights, and answers that nobody has recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from asrnet.errors import InputError
from asrnet.fake.faults import check_answer

Assumption = Literal[
    "duplicate_mapping",
    "network_missing",
    "region_mismatch",
    "recovery_fabric_unknown",
    "kind_mismatch",
    "duplicate_fabric",
    "fabric_in_use",
    "vault_in_use",
    "policy_in_use",
    "policy_missing",
    "patch_refused",
    "target_not_mapped",
    "network_not_configured",
    "operation_not_allowed",
    "machine_busy",
    "job_not_allowed",
]
"""Refusals that no public source shows. Each has a likely answer, which a world can replace through ``answers``."""


class Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Replaces the status, the code or the message of an assumed refusal; None keeps the default."""

    status: int | None = None
    code: str | None = None
    message: str | None = None


class Lock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A management lock on ``scope`` (an id) and everything below it."""

    scope: str
    level: Literal["CanNotDelete", "ReadOnly"] = "CanNotDelete"


class Behaviour(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the world behaves.

    ``operations``: ``immediate``, ``manual:N`` (done after N status reads) or ``time:S`` (seconds by the clock);
    ``fabric_operations`` the same for fabrics, None for no difference. ``replication`` (``immediate`` or ``time:S``) is
    how long each of the two stages of an initial replication takes. ``retry_after``, ``latency`` (per request of the
    ports) and ``list_lag`` (lists show the past) are in seconds. Status answers say when to ask again only where
    ``status_retry_after`` is given (recorded ones do not), and NotStarted for the first ``not_started`` reads.
    ``page_size`` is for Site Recovery's lists, ``network_page_size`` for those of virtual networks. ``shuffle`` puts
    lists in an order drawn from that seed. ``missing_mapping`` is the status for an absent mapping (the service has
    answered both). A vault in which no fabric was ever created has empty lists, as recorded in 2023, or answers 400, as
    in 2021, where ``unused_vault`` is ``reject_400``. ``denied`` are patterns of actions that answer 403,
    ``hidden_networks`` names of networks that lists omit, ``unregistered`` GUIDs of subscriptions without registered
    providers.
    """

    operations: str = "immediate"
    fabric_operations: str | None = None
    replication: str = "immediate"
    retry_after: int = 30
    status_retry_after: int | None = None
    not_started: int = 0
    latency: float = 0.0
    list_lag: float = 0.0
    page_size: int = 100
    network_page_size: int = 100
    empty_last_page: bool = False
    shuffle: int | None = None
    patch: Literal["accept", "reject_400", "reject_405"] = "accept"
    missing_mapping: Literal[404, 400] = 404
    unused_vault: Literal["empty", "reject_400"] = "empty"
    strict_mapping: bool = False
    denied: tuple[str, ...] = ()
    hidden_networks: tuple[str, ...] = ()
    unregistered: tuple[str, ...] = ()
    locks: tuple[Lock, ...] = ()
    answers: Mapping[Assumption, Answer] = {}


class Timing(Struct, frozen=True):
    """When an operation ends: after ``reads`` status reads, or ``seconds`` after its start."""

    reads: int = 0
    seconds: float = 0.0


_TIMING: Final = re.compile(r"immediate|manual:(?P<reads>\d+)|time:(?P<seconds>\d+(\.\d+)?)")


def timing(text: str) -> Timing:
    """``text`` as a Timing; InputError where it is none of immediate, manual:N and time:S."""
    match = _TIMING.fullmatch(text)
    if match is None:
        raise InputError(f"'{text}' is no operation timing", hint="use immediate, manual:N or time:SECONDS")
    return Timing(reads=int(match["reads"] or 0), seconds=float(match["seconds"] or 0))


def checked(behaviour: Behaviour) -> Behaviour:
    """``behaviour`` itself, or an InputError where a value of it makes no sense."""
    for text in (behaviour.operations, behaviour.fabric_operations or behaviour.operations):
        timing(text)
    if timing(behaviour.replication).reads:
        raise InputError("replication goes by the clock", hint="use immediate or time:SECONDS")
    if min(behaviour.page_size, behaviour.network_page_size) < 1:
        raise InputError("a page holds at least one element")
    for name in ("retry_after", "status_retry_after", "not_started", "latency", "list_lag"):
        if (getattr(behaviour, name) or 0) < 0:
            raise InputError(f"{name} cannot be negative")
    waits = (behaviour.retry_after, behaviour.status_retry_after or 0, behaviour.latency, behaviour.list_lag)
    check_answer(400, *waits)
    for answer in behaviour.answers.values():
        check_answer(answer.status or 400)
    return behaviour
