"""The last look before the first write: is everything still as the plan saw it, and is nobody failing over?

Creating is an upsert on the service: a PUT on a name that is taken would retarget somebody's mapping. So one fresh list
of each vault says which names and identities are free.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from msgspec import Struct

from asrnet.clocks import Bounded
from asrnet.errors import AsrError, VaultUnusedError
from asrnet.inventory.activity import Activity, activity, read_jobs, takes_away
from asrnet.model.arm import VAULT, ArmId
from asrnet.model.azure import (
    Fabric,
    Job,
    LiveMapping,
    MappingIdentity,
    NetworkMapping,
    ProtectedItem,
    UnreadableMapping,
    VirtualNetwork,
)
from asrnet.model.plan import Change
from asrnet.model.report import Outcome
from asrnet.ports import Backend

T = TypeVar("T")


class Verdict(Struct, frozen=True, kw_only=True):
    """Why a change is not begun, and what its outcome is. ``refused``: a safeguard said no."""

    outcome: Outcome
    reason: str
    refused: bool = False


class _Reads(Struct, frozen=True, kw_only=True):
    """What is being read of one vault."""

    mappings: Future[tuple[LiveMapping, ...]]
    fabrics: Future[tuple[Fabric, ...]] | None
    items: Future[tuple[ProtectedItem, ...]] | None
    jobs: Future[tuple[Job, ...]] | None


def inspect(changes: Sequence[Change], backend: Backend, at_once: int, forced: Collection[str]) -> dict[str, Verdict]:
    """The changes that must not be begun, by id, and why."""
    reads = Bounded(backend.clock, at_once)
    vaults: dict[ArmId, list[Change]] = {}
    for change in changes:
        vault = change.resource_id.within(VAULT)
        if vault:
            vaults.setdefault(vault, []).append(change)
    started = {vault: _start(vault, members, backend, reads) for vault, members in vaults.items()}
    networks = {
        change.id: reads.start(partial(backend.networks.virtual_network, change.resource_id))
        for change in changes
        if change.kind == "virtual_network"
    }
    verdicts: dict[str, Verdict] = {}
    for vault, members in vaults.items():
        verdicts |= _vault_verdicts(members, started[vault], reads, forced)
    for change_id, future in networks.items():
        answer = reads.answer(future)
        verdicts |= _network_verdict(change_id, answer)
    verdicts |= _other_halves(changes, verdicts)
    return verdicts | _needless(changes, verdicts)


def _other_halves(changes: Sequence[Change], verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """A pair of which one direction is stale is stale: half of it would lead back from where nothing leads to."""
    stale = {
        (change.vault, change.pair): verdicts[change.id]
        for change in changes
        if change.kind == "network_mapping" and change.id in verdicts and verdicts[change.id].outcome == "stale"
    }
    return {
        change.id: stale[change.vault, change.pair]
        for change in changes
        if change.pair and change.id not in verdicts and (change.vault, change.pair) in stale
    }


def _needless(changes: Sequence[Change], verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Networks and fabrics are not made for changes none of which is begun."""
    needs: dict[str, list[Verdict | None]] = defaultdict(list)
    for change in changes:
        for need in change.depends_on:
            needs[need].append(verdicts.get(change.id))
    return {
        change.id: first
        for change in changes
        if change.kind != "network_mapping" and change.id not in verdicts
        for first in needs[change.id][:1]
        if first and all(needs[change.id])
    }


def _start(vault: ArmId, changes: Sequence[Change], backend: Backend, reads: Bounded) -> _Reads:
    port = backend.mappings
    guarded = any(takes_away(change) for change in changes)
    fabrics = any(change.kind == "fabric" for change in changes)
    return _Reads(
        mappings=reads.start(partial(_listed, port.mappings, vault)),
        fabrics=reads.start(partial(_listed, port.fabrics, vault)) if fabrics else None,
        items=reads.start(partial(_listed, port.protected_items, vault)) if guarded else None,
        jobs=reads.start(partial(read_jobs, port, vault)) if guarded else None,
    )


def _listed(read_list: Callable[[ArmId], Iterable[T]], vault: ArmId) -> tuple[T, ...]:
    try:
        return tuple(read_list(vault))
    except VaultUnusedError:
        return ()


def _vault_verdicts(
    changes: Sequence[Change], started: _Reads, reads: Bounded, forced: Collection[str]
) -> dict[str, Verdict]:
    mappings, fabrics = reads.answer(started.mappings), _optional(started.fabrics, reads)
    guard = activity(_optional(started.items, reads), _optional(started.jobs, reads))
    if isinstance(mappings, AsrError):
        return _unread(changes, mappings)
    if isinstance(fabrics, AsrError):
        return _unread(changes, fabrics)
    doomed = {step.resource_id for change in changes for step in change.steps if step.action == "delete"}
    taken = _Taken(
        names={(mapping.fabric_id, mapping.name.lower()) for mapping in mappings},
        identities={
            mapping.identity: mapping
            for mapping in mappings
            if isinstance(mapping, NetworkMapping) and mapping.id not in doomed
        },
        unreadable={one.primary_network_id: one for one in mappings if isinstance(one, UnreadableMapping)},
        places={fabric.location: fabric for fabric in fabrics if fabric.kind == "azure"},
    )
    return {change.id: verdict for change in changes if (verdict := _verdict(change, taken, guard, forced))}


def _optional(future: Future[tuple[T, ...]] | None, reads: Bounded) -> tuple[T, ...] | AsrError:
    if future is None:
        return ()
    answer = reads.answer(future)
    return answer  # noqa: RET504 - inferred before the union of the return type confuses it


def _unread(changes: Sequence[Change], error: AsrError) -> dict[str, Verdict]:
    verdict = Verdict(outcome="failed", reason=f"the vault could not be read: {error}")
    return {change.id: verdict for change in changes}


class _Taken(Struct, frozen=True, kw_only=True):
    """What is there now, in the ways in which it can be in the way: ``unreadable`` by the primary network it says."""

    names: set[tuple[ArmId, str]]
    identities: dict[MappingIdentity, NetworkMapping]
    unreadable: dict[ArmId | None, UnreadableMapping]
    places: dict[str | None, Fabric]


def _verdict(change: Change, taken: _Taken, guard: Activity, forced: Collection[str]) -> Verdict | None:
    hold = guard.hold(change, forced)
    if hold:
        return Verdict(outcome="skipped", reason=f"{hold.kind}: {hold.reason}", refused=True)
    for obstacle in _obstacles(change, taken):
        return Verdict(outcome="stale", reason=f"{obstacle}; plan again", refused=True)
    return None


def _obstacles(change: Change, taken: _Taken) -> Iterator[str]:
    for step in change.steps:
        if step.action != "create":
            continue
        if isinstance(step.after, Fabric) and step.after.location in taken.places:
            yield f"the vault has a fabric for {step.after.location} now: {taken.places[step.after.location].name}"
        if isinstance(step.after, NetworkMapping):
            if (step.after.fabric_id, step.after.name.lower()) in taken.names:
                yield f"a mapping named {step.after.name} exists now"
            there = taken.identities.get(step.after.identity)
            if there:
                primary, recovery = there.primary_network_id.name, there.recovery_network_id.name
                yield f"{primary} has the mapping {there.name} now, to {recovery}"
            riddle = taken.unreadable.get(step.after.primary_network_id)
            if riddle:
                yield f"{step.after.primary_network_id.name} has the mapping {riddle.name} now, which {riddle.problem}"


def _network_verdict(change_id: str, answer: VirtualNetwork | AsrError | None) -> dict[str, Verdict]:
    if answer is None:
        return {}
    if isinstance(answer, AsrError):
        return {change_id: Verdict(outcome="failed", reason=f"whether it exists could not be read: {answer}")}
    return {change_id: Verdict(outcome="stale", reason=f"{answer.name} exists now; plan again", refused=True)}


def is_as_before(expected: object, found: NetworkMapping | None) -> bool:
    """Whether a mapping that is to be updated or deleted is still what the plan saw."""
    return (
        isinstance(expected, NetworkMapping)
        and found is not None
        and found.identity == expected.identity
        and found.recovery_network_id == expected.recovery_network_id
    )
