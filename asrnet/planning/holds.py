"""Changes that are held back although they are due: a freeze, or a failover under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from asrnet.desired import Vault
from asrnet.inventory.activity import Activity, activity, networks_of, takes_away
from asrnet.inventory.read import Unknown, VaultInventory
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.model.plan import Change, mapping_of
from asrnet.planning.request import Request

_NOT_READ = "whether a failover is under way could not be read"
_BEFORE_READ = "plan again when it can be read ('asrnet doctor' tells what is missing)"
_BEFORE_DONE = "finish the failover and re-protect"


class Held(Struct, frozen=True, kw_only=True):
    """The changes that may go on, those that are held, and why."""

    allowed: tuple[Change, ...]
    held: tuple[Change, ...]
    findings: tuple[Finding, ...]


def hold(changes: Sequence[Change], vault: Vault, request: Request) -> Held:
    """Take out what must not be done now, and what depends on it."""
    reasons = _reasons(changes, vault, request)
    needs = _needs(changes) if reasons else {}
    while True:
        waiting = {
            change_id: reasons[need] for change_id, all_of in needs.items() for need in all_of if need in reasons
        }
        if waiting.keys() <= reasons.keys():
            break
        reasons = waiting | reasons
    return Held(
        allowed=tuple(change for change in changes if change.id not in reasons),
        held=tuple(change for change in changes if change.id in reasons),
        findings=tuple(_finding(change, *reasons[change.id]) for change in changes if change.id in reasons),
    )


def _needs(changes: Sequence[Change]) -> Mapping[str, Sequence[str]]:
    """What each change waits for: what it depends on, and whatever deletes the mapping in the place of a new one.

    Two pairs that swap targets wait for each other in this way, so a plan cannot say it with ``depends_on``.
    """
    deletes = {
        mapping_of(step).identity: change.id
        for change in changes
        for step in change.steps
        if takes_away(change) and step.action == "delete"
    }
    made = {
        change.id: [deletes.get(mapping_of(step).identity, "") for step in change.steps if step.action == "create"]
        for change in changes
        if change.kind == "network_mapping"
    }
    return {change.id: (*change.depends_on, *made.get(change.id, ())) for change in changes}


def _reasons(changes: Sequence[Change], vault: Vault, request: Request) -> dict[str, tuple[str, str]]:
    """The kind and the words of what holds each change, by its id."""
    freeze = _frozen(vault, request)
    if freeze:
        return {change.id: ("frozen", freeze) for change in changes}
    if "failover_active" in request.forced:
        return {}
    guard = guard_of(request.inventory.vaults[vault.name])
    return {
        change.id: ("failover_active", why)
        for change in changes
        if takes_away(change) and (why := guard.reason(networks_of(change)))
    }


def guard_of(vault: VaultInventory) -> Activity:
    """The failovers under way in a vault; what could not be read may be one."""
    if isinstance(vault.items, Unknown):
        return _unread(vault.items)
    if isinstance(vault.running_jobs, Unknown):
        return _unread(vault.running_jobs)
    return activity(vault.items, vault.running_jobs)


def _unread(part: Unknown) -> Activity:
    return Activity(networks={}, everywhere=f"{_NOT_READ}: {part.error}")


def _frozen(vault: Vault, request: Request) -> str:
    if "frozen" in request.forced:
        return ""
    return next(
        (
            f"frozen until {freeze.until}: {freeze.reason}"
            for freeze in request.desired.freeze
            if freeze.vault == vault.name and request.inventory.today <= freeze.until
        ),
        "",
    )


def _finding(change: Change, kind: str, why: str) -> Finding:
    if kind == "frozen":
        return finding(
            FindingKind.FROZEN,
            f"{change.action} of {change.name} is held back: the vault is {why}",
            vault=change.vault,
            pair=change.pair,
            subject=change.resource_id,
            hint="wait, or use --force frozen",
        )
    return finding(
        FindingKind.FAILOVER_ACTIVE,
        f"{change.action} of {change.name} is held back: {why}",
        vault=change.vault,
        pair=change.pair,
        subject=change.resource_id,
        hint=f"{_BEFORE_READ if why.startswith(_NOT_READ) else _BEFORE_DONE}, or use --force failover_active",
    )
