"""How a world behaves where the real service varies: timing, paging, permissions, and unrecorded answers."""

# No "from __future__ import annotations" here: msgspec would have to compile each annotation at every start.

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

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
    "group_in_use",
    "policy_in_use",
    "policy_missing",
    "policy_mismatch",
    "container_in_use",
    "container_mapping_in_use",
    "machine_elsewhere",
    "patch_refused",
    "target_not_mapped",
    "machine_protected",
    "network_not_configured",
    "operation_not_allowed",
    "machine_busy",
    "recovery_point_missing",
    "job_not_allowed",
    "machine_not_configurable",
    "test_subnet_missing",
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
    """How a world behaves where the service varies. Durations are in seconds."""

    operations: Annotated[
        str, Meta(description="When operations end: immediate, manual:N (after N status reads) or time:SECONDS")
    ] = "immediate"
    fabric_operations: Annotated[str | None, Meta(description="When operations on fabrics end, if different")] = None
    replication: Annotated[
        str,
        Meta(description="How long each stage of an initial replication takes: immediate or time:SECONDS"),
    ] = "immediate"
    # Recorded for PUT and DELETE of mappings, which take two to three seconds.
    retry_after: Annotated[int, Meta(description="The Retry-After of accepted requests")] = 30
    # The recorded status answers have no Retry-After, so that pollers fall back to their own 30 seconds.
    status_retry_after: Annotated[int | None, Meta(description="The Retry-After of status answers, if any")] = None
    not_started: Annotated[int, Meta(description="How many of an operation's first status reads return NotStarted")] = 0
    latency: Annotated[float, Meta(description="How long each request of asrnet's ports takes")] = 0.0
    list_lag: Annotated[float, Meta(description="How long it takes until a change shows in lists")] = 0.0
    page_size: Annotated[int, Meta(description="The page size of Site Recovery's lists")] = 100
    network_page_size: Annotated[int, Meta(description="The page size of lists of virtual networks")] = 100
    # Recorded for protectable items: the link to the next page leads to an empty page.
    empty_last_page: Annotated[bool, Meta(description="End lists with an empty page, as Site Recovery may")] = False
    shuffle: Annotated[int | None, Meta(description="Shuffle lists, with this random seed")] = None
    patch: Annotated[
        Literal["accept", "reject_400", "reject_405"],
        Meta(description="How a PATCH of a network mapping is answered; no recording shows it"),
    ] = "accept"
    # Unknown, because no recording of a PATCH exists.
    partial_update: Annotated[
        Literal["keep", "lose"],
        Meta(description="What happens to a machine's settings that a PATCH leaves out"),
    ] = "keep"
    missing_mapping: Annotated[
        Literal[404, 400], Meta(description="The status for a mapping that does not exist; both have been reported")
    ] = 404
    # Recorded in 2023: empty lists. The 400 was reported in 2021 and described as transient.
    unused_vault: Annotated[
        Literal["empty", "reject_400"], Meta(description="How a vault answers if no fabric was ever created in it")
    ] = "empty"
    # Documents of 2018 describe a mapping as binding, the latest ones as a default.
    strict_mapping: Annotated[
        bool, Meta(description="Refuse to protect a machine with a network other than the mapped one")
    ] = False
    denied: Annotated[
        tuple[str, ...], Meta(description="Actions, or globs of actions, that the identity may not perform")
    ] = ()
    hidden_networks: Annotated[tuple[str, ...], Meta(description="Names of networks that are missing from lists")] = ()
    unregistered: Annotated[
        tuple[str, ...], Meta(description="GUIDs of subscriptions without registered resource providers")
    ] = ()
    locks: Annotated[tuple[Lock, ...], Meta(description="Management locks on scopes and everything below them")] = ()
    answers: Annotated[
        Mapping[Assumption, Answer], Meta(description="Replacements for the assumed refusals, by name")
    ] = {}


class Timing(Struct, frozen=True):
    """When an operation ends: after ``reads`` status reads, or ``seconds`` after its start."""

    reads: int = 0
    seconds: float = 0.0


_TIMING: Final = re.compile(r"immediate|manual:(?P<reads>\d+)|time:(?P<seconds>\d+(\.\d+)?)")


def timing(text: str) -> Timing:
    """Parse ``immediate``, ``manual:N`` or ``time:SECONDS``. Raises InputError for any other text."""
    match = _TIMING.fullmatch(text)
    if match is None:
        raise InputError(f"'{text}' is not an operation timing", hint="use immediate, manual:N or time:SECONDS")
    return Timing(reads=int(match["reads"] or 0), seconds=float(match["seconds"] or 0))


def checked(behaviour: Behaviour) -> Behaviour:
    """Return ``behaviour``. Raises InputError if one of its values is invalid."""
    for text in (behaviour.operations, behaviour.fabric_operations or behaviour.operations):
        timing(text)
    if timing(behaviour.replication).reads:
        raise InputError("replication cannot be manual", hint="use immediate or time:SECONDS")
    if min(behaviour.page_size, behaviour.network_page_size) < 1:
        raise InputError("a page has at least one element")
    for name in ("retry_after", "status_retry_after", "not_started", "latency", "list_lag"):
        if (getattr(behaviour, name) or 0) < 0:
            raise InputError(f"{name} cannot be negative")
    waits = (behaviour.retry_after, behaviour.status_retry_after or 0, behaviour.latency, behaviour.list_lag)
    check_answer(400, *waits)
    for answer in behaviour.answers.values():
        check_answer(answer.status or 400)
    return behaviour
