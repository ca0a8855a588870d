"""Changes that are due and must wait: for the end of a freeze, of a failover, or for machines to fail back."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from asrnet.desired import Vault
from asrnet.inventory.activity import Hold, activity, changes_live_mapping
from asrnet.inventory.read import Unknown
from asrnet.model.arm import VAULT
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.model.plan import Change, mapping_of
from asrnet.planning.view import Request


class Held(Struct, frozen=True, kw_only=True):
    """The changes that may go on, those that must wait, and why: as findings, and as text by the change's id."""

    allowed: tuple[Change, ...]
    held: tuple[Change, ...]
    findings: tuple[Finding, ...]
    reasons: Mapping[str, str]


def hold(changes: Sequence[Change], vault: Vault, request: Request) -> Held:
    """Take out the changes that must not be made now, and those that depend on them."""
    holds = _direct_holds(changes, vault, request)
    needs: dict[str, list[str]] = {}
    if holds:
        # A new mapping may replace one that another change deletes. Two pairs that swap targets wait for each other in
        # this way, and depends_on cannot express such a cycle.
        deletes = {
            mapping_of(step).identity: change.id
            for change in changes
            for step in change.steps
            if changes_live_mapping(change) and step.action == "delete"
        }
        for change in changes:
            needs[change.id] = list(change.depends_on)
            if change.kind == "network_mapping":
                created = (mapping_of(step).identity for step in change.steps if step.action == "create")
                needs[change.id] += [deletes[identity] for identity in created if identity in deletes]
    # A change that depends on a waiting change waits too, directly or through others. Its own reason takes precedence.
    while True:
        waiting = {
            change_id: holds[need] for change_id, all_needs in needs.items() for need in all_needs if need in holds
        }
        if waiting.keys() <= holds.keys():
            break
        holds = waiting | holds
    held = tuple(change for change in changes if change.id in holds)
    return Held(
        allowed=tuple(change for change in changes if change.id not in holds),
        held=held,
        findings=tuple(_findings(held, holds)),
        reasons={change.id: holds[change.id].reason for change in held},
    )


def _findings(held: Sequence[Change], holds: Mapping[str, Hold]) -> Iterator[Finding]:
    """One finding for all changes of a pair that wait for the same reason: there may be hundreds of machines.

    A reason that several pairs share goes into the hint, which text output prints once for all of them.
    """
    groups: dict[tuple[str, Hold], list[Change]] = defaultdict(list)
    for change in held:
        # A change without a pair deletes an unmanaged mapping, which outputs show with its own finding.
        groups[change.pair or change.id, holds[change.id]].append(change)
    pairs_of = Counter(held_by for _, held_by in groups)
    for (_, held_by), changes in groups.items():
        others = [change for change in changes if change.kind != "protected_item"]
        machines = [change for change in changes if change.kind == "protected_item"]
        waiting = [f"{change.action} of {change.name}" for change in others]
        if len(machines) > 1:
            waiting.append(f"update of {len(machines)} machines")
        elif machines:
            waiting.append(f"update of {machines[0].name}")
        first = changes[0].resource_id
        message = f"{' and '.join(waiting)} {'is' if len(waiting) == 1 else 'are'} held back"
        is_shared = pairs_of[held_by] > 1
        yield finding(
            held_by.kind,
            message if is_shared else f"{message}: {held_by.reason}",
            vault=changes[0].vault,
            pair=changes[0].pair,
            subject=first if others or len(machines) == 1 else first.within(VAULT),
            hint="; ".join(filter(None, (held_by.reason, held_by.hint))) if is_shared else held_by.hint,
        )


def _direct_holds(changes: Sequence[Change], vault: Vault, request: Request) -> dict[str, Hold]:
    """The direct reasons to hold changes, by the change's id."""
    for freeze in request.desired.freeze:
        if freeze.vault == vault.name and request.inventory.today <= freeze.until and "frozen" not in request.forced:
            frozen = Hold(
                kind=FindingKind.FROZEN,
                reason=f"the vault is frozen until {freeze.until}: {freeze.reason}",
                hint="wait, or use --force frozen",
            )
            return {change.id: frozen for change in changes}
    forced = request.forced
    if not request.selection.pairs:
        # Machines that run in the recovery region may stay there for months. Lifting their guard is a decision about
        # single pairs, never about a whole vault.
        forced = forced - {FindingKind.REVERSED}
    inventory = request.inventory.vaults[vault.name]
    items, jobs = inventory.items, inventory.running_jobs
    running = activity(
        items.error if isinstance(items, Unknown) else items, jobs.error if isinstance(jobs, Unknown) else jobs
    )
    return {change.id: hold for change in changes if (hold := running.hold(change, forced))}
