"""The checks before the first write: is everything still as the plan saw it, and is no failover in progress?

Each write is checked once more right before it is sent (see ``looks``). Here whole changes are ruled out, so that no
pair is left half changed.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from msgspec import Struct

from asrnet.applying.looks import LiveMappings, Looks, conflict_of, whole_list
from asrnet.clocks import Bounded
from asrnet.errors import AsrError, ResourceGroupNotFoundError
from asrnet.inventory.activity import activity, changes_live_mapping, read_jobs
from asrnet.model.access import Rights
from asrnet.model.arm import VAULT, ArmId
from asrnet.model.azure import Fabric, Job, NetworkMapping, ProtectedItem, VirtualNetwork
from asrnet.model.plan import Change
from asrnet.model.report import Outcome
from asrnet.model.rights import DELETE_MAPPINGS, WRITE_MAPPINGS, grant_hint
from asrnet.ports import Backend

T = TypeVar("T")

_log = logging.getLogger("asrnet.applying")


class Verdict(Struct, frozen=True, kw_only=True):
    """Why a change is not started, what to do about it, and its outcome. ``refused``: a safeguard stopped it."""

    outcome: Outcome
    reason: str
    refused: bool = False
    hint: str = ""


class _VaultReads(Struct, frozen=True, kw_only=True):
    """The reads in progress for one vault; None if one is not needed."""

    mappings: Future[LiveMappings]
    fabrics: Future[tuple[Fabric, ...]] | None
    items: Future[tuple[ProtectedItem, ...]] | None
    jobs: Future[tuple[Job, ...]] | None
    rights: Future[tuple[Rights, ...]] | None


def inspect(
    changes: Sequence[Change], backend: Backend, looks: Looks, at_once: int, forced: Collection[str]
) -> dict[str, Verdict]:
    """The changes that must not be started, by id, and why."""
    reads = Bounded(backend.clock, at_once)
    changes_by_vault: dict[ArmId, list[Change]] = defaultdict(list)
    for change in changes:
        vault = change.resource_id.within(VAULT)
        if vault:
            changes_by_vault[vault].append(change)
    vault_reads = {
        vault: _start_reads(vault, members, backend, looks, reads) for vault, members in changes_by_vault.items()
    }
    networks = {
        change.id: reads.start(partial(looks.virtual_network, change.resource_id))
        for change in changes
        if change.kind == "virtual_network" and change.action == "create"
    }
    verdicts: dict[str, Verdict] = {}
    for vault, members in changes_by_vault.items():
        verdicts |= _vault_verdicts(vault, members, vault_reads[vault], reads, forced)
    new_groups = {change.resource_id for change in changes if change.kind == "resource_group"}
    in_new_group = {change.id for change in changes if change.resource_id.parent in new_groups}
    for change_id, future in networks.items():
        network = reads.answer(future)
        # The plan creates the group first, so the network cannot exist.
        if isinstance(network, ResourceGroupNotFoundError) and change_id in in_new_group:
            continue
        if isinstance(network, AsrError):
            verdicts[change_id] = Verdict(
                outcome="failed", reason=f"whether it exists could not be read: {network}", hint=network.hint
            )
        elif isinstance(network, VirtualNetwork):
            reason = f"{network.name} exists now; plan again"
            verdicts[change_id] = Verdict(outcome="stale", reason=reason, refused=True)
    verdicts |= _other_halves(changes, verdicts)
    return verdicts | _unneeded(changes, verdicts)


def _start_reads(
    vault: ArmId, changes: Sequence[Change], backend: Backend, looks: Looks, reads: Bounded
) -> _VaultReads:
    reader = backend.mappings
    # Updates of machines do not need these lists: each machine is read right before its update, and shows its running
    # job itself. For a single machine, the lists would double the number of requests.
    changes_mappings = any(changes_live_mapping(change) for change in changes)
    deletes = any(step.action == "delete" for change in changes for step in change.steps)
    makes_fabrics = any(change.kind == "fabric" for change in changes)
    return _VaultReads(
        mappings=reads.start(partial(looks.mappings, vault)),
        fabrics=reads.start(partial(whole_list, reader.fabrics, vault)) if makes_fabrics else None,
        items=reads.start(partial(whole_list, reader.protected_items, vault)) if changes_mappings else None,
        jobs=reads.start(partial(read_jobs, reader, vault)) if changes_mappings else None,
        # If nothing is deleted first, a refused write leaves the vault as it was, so the permissions need not be read.
        rights=reads.start(partial(backend.surroundings.rights, vault)) if deletes else None,
    )


def _answer(future: Future[tuple[T, ...]] | None, reads: Bounded) -> tuple[T, ...] | AsrError:
    if future is None:
        return ()
    answer = reads.answer(future)
    return answer  # noqa: RET504 - inferred before the union of the return type confuses it


def _vault_verdicts(
    vault: ArmId, changes: Sequence[Change], started: _VaultReads, reads: Bounded, forced: Collection[str]
) -> dict[str, Verdict]:
    mappings, fabrics = reads.answer(started.mappings), _answer(started.fabrics, reads)
    guard = activity(_answer(started.items, reads), _answer(started.jobs, reads))
    rights = _rights(vault, _answer(started.rights, reads)) if started.rights else None
    if isinstance(mappings, AsrError) or isinstance(fabrics, AsrError):
        error = next(answer for answer in (mappings, fabrics) if isinstance(answer, AsrError))
        verdict = Verdict(outcome="failed", reason=f"the vault could not be read: {error}", hint=error.hint)
        return {change.id: verdict for change in changes}
    deleted = {step.resource_id for change in changes for step in change.steps if step.action == "delete"}
    verdicts: dict[str, Verdict] = {}
    for change in changes:
        hold = guard.hold(change, forced)
        if hold:
            reason = f"{hold.kind}: {hold.reason}"
            verdicts[change.id] = Verdict(outcome="skipped", reason=reason, refused=True, hint=hold.hint)
        elif missing := _missing_right(change, rights):
            reason = f"the right {missing} is missing at {vault}, so nothing is deleted"
            verdicts[change.id] = Verdict(outcome="skipped", reason=reason, refused=True, hint=grant_hint(missing))
        elif problem := _problem(change, mappings, fabrics, deleted):
            verdicts[change.id] = Verdict(outcome="stale", reason=f"{problem}; plan again", refused=True)
    return verdicts


def _rights(vault: ArmId, rights: tuple[Rights, ...] | AsrError) -> tuple[Rights, ...] | None:
    if isinstance(rights, AsrError):
        _log.warning("the rights at the vault %s could not be read, so they are not checked: %s", vault.name, rights)
        return None
    return rights


def _missing_right(change: Change, rights: Sequence[Rights] | None) -> str:
    """The missing permission that would stop ``change`` after it deleted a mapping; empty if none is known.

    Locks, policies, deny assignments and expiring roles do not show in the permissions.
    """
    actions = {step.action for step in change.steps}
    if rights is None or "delete" not in actions:
        return ""
    needed = [DELETE_MAPPINGS, *([WRITE_MAPPINGS] if actions != {"delete"} else [])]
    return next((action for action in needed if not any(role.allow(action) for role in rights)), "")


def _problem(change: Change, mappings: LiveMappings, fabrics: Sequence[Fabric], deleted: Collection[ArmId]) -> str:
    """What prevents a change from creating its resource, in words."""
    for step in change.steps:
        if step.action != "create":
            continue
        if isinstance(step.after, Fabric):
            for fabric in fabrics:
                if fabric.kind == "azure" and fabric.location == step.after.location:
                    return f"the vault has a fabric for {fabric.location} now: {fabric.name}"
        if isinstance(step.after, NetworkMapping):
            for mapping in mappings.conflicts(step.after):
                # A mapping that this plan deletes does not block a new mapping of the network under another name.
                if mapping.id not in deleted or mapping.name.lower() == step.after.name.lower():
                    return conflict_of(step.after, mapping)
    return ""


def _other_halves(changes: Sequence[Change], verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Rule out a whole pair if one direction is stale, so that it cannot end with a reverse but no forward mapping."""
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


def _unneeded(changes: Sequence[Change], verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """Rule out networks, resource groups and fabrics that no remaining change needs."""
    dependents_of: dict[str, list[str]] = defaultdict(list)
    for change in changes:
        for need in change.depends_on:
            dependents_of[need].append(change.id)
    unneeded: dict[str, Verdict] = {}
    # In reverse order: if a network is not created, its group is not needed either.
    for change in reversed(changes):
        dependents = [verdicts.get(other) or unneeded.get(other) for other in dependents_of[change.id]]
        if change.kind != "network_mapping" and change.id not in verdicts and dependents and all(dependents):
            unneeded[change.id] = next(verdict for verdict in dependents if verdict)
    return unneeded
