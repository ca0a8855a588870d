"""Checks the plans and reports of a scene of chaos: whole pairs, in Microsoft's order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from chaos_wishes import Way, Wish
from witness import Witness

from asrnet.applying import Report
from asrnet.inventory.activity import networks_of
from asrnet.model.azure import NetworkMapping
from asrnet.model.plan import Plan

RANK: Final = {"delete": 0, "update": 1, "create": 2}


def way_of(mapping: NetworkMapping) -> Way:
    """The primary and recovery networks of a mapping."""
    return (mapping.primary_network_id, mapping.recovery_network_id)


def judge_plan(plan: Plan, vault: str, wishes: Sequence[Wish], live: Iterable[NetworkMapping]) -> None:
    """Every pair without errors would have both mappings, and no retarget leaves the old reverse behind."""
    errors = [found for found in plan.findings if found.severity == "error" and found.vault == vault]
    held = {found.pair for found in errors}
    # For an unreadable vault, rows of VMM networks have no findings of their own.
    everything = any(not found.pair or "could not be read" in found.message for found in errors)
    before = {mapping.id: mapping for mapping in live if not _is_within(mapping)}
    after = dict(before)
    for change in plan.changes if not everything else ():
        for step in change.steps if change.vault == vault else ():
            after.pop(step.resource_id, None)
            if isinstance(step.after, NetworkMapping):
                after[step.resource_id] = step.after
    ways = {way_of(mapping) for mapping in after.values()}
    expected = [wish for wish in wishes if not (wish.external or wish.pair in held or everything)]
    assert not [wish for wish in expected if wish.way not in ways]
    primaries = {wish.way[0] for wish in wishes}
    reported = {(found.kind, found.pair, found.subject) for found in plan.findings if found.vault == vault}
    for wish in expected:
        was = {way_of(mapping) for mapping in before.values() if mapping.primary_network_id == wish.way[0]}
        moved = [recovery for _, recovery in was if recovery != wish.way[1] and recovery.type == wish.way[1].type]
        has_reverse = (wish.way[1], wish.way[0]) in {each.way for each in expected}
        for recovery in moved if has_reverse and not wish.is_reverse else ():
            if recovery in primaries or (recovery, wish.way[0]) not in ways:
                continue
            # Which of several mappings of one network counts is unknown, and Azure might refuse to put one
            # back beside the others. So a retarget leaves them all, with a finding for its pair.
            old = next(mapping.identity for mapping in before.values() if way_of(mapping) == (recovery, wish.way[0]))
            assert sum(mapping.identity == old for mapping in before.values()) > 1
            assert ("duplicate", wish.pair, str(recovery)) in reported


def judge_order(report: Report, witness: Witness) -> None:
    """Where mappings are removed, all deletes end before the updates are sent, and these before the creates.

    This holds for completed changes that share a network.
    """
    sent = {wrote.id: wrote for wrote in reversed(witness.writes)}
    steps = [
        (step, change.id, networks)
        for change in report.changes
        if change.kind == "network_mapping" and change.outcome == "succeeded"
        for networks in [{(change.vault, network) for network in networks_of(change)}]
        for step in change.steps
        if step.resource_id in sent
    ]
    for step, change_id, networks in steps:
        wrote = sent[step.resource_id]
        for other, other_id, others in steps:
            if (
                RANK[other.action] < RANK[step.action]
                and networks & others
                and not witness.was_touched(other.resource_id)
            ):
                after = other.after.recovery_network_id if isinstance(other.after, NetworkMapping) else None
                assert wrote.live.get(other.resource_id) == after, (change_id, step, other_id, other)


def judge_pairs(report: Report) -> None:
    """Of a new pair no half is created where the other is blocked; one mapping counts.

    In a vault with deletes, half of a new pair may wait for one that fails.
    """
    outcomes: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
    busy = {change.vault for change in report.changes if change.action != "create"}
    for change in report.changes:
        if change.kind == "network_mapping" and change.vault not in busy:
            outcomes[change.vault, change.pair].add(change.outcome)
    for pair, found in outcomes.items():
        assert not found >= {"stale", "succeeded"}, pair
    identities = Counter(
        (change.vault, change.after.identity)
        for change in report.changes
        if isinstance(change.after, NetworkMapping) and change.outcome == "succeeded"
    )
    assert max(identities.values(), default=1) == 1


def _is_within(mapping: NetworkMapping) -> bool:
    """Whether a mapping leads from one zone of a region to another."""
    return mapping.primary_location is not None and mapping.primary_location == mapping.recovery_location
