"""The plan of one vault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, structs

from asrnet.desired import Vault
from asrnet.desired.pairs import Pair
from asrnet.inventory.read import Inventory
from asrnet.model.arm import ArmId
from asrnet.model.findings import UNREAD, Finding, FindingKind, finding
from asrnet.model.plan import Change, PairStatus, PairView
from asrnet.planning.advice import pair_findings, vault_findings
from asrnet.planning.holds import hold
from asrnet.planning.mappings import Diff, diff_pairs
from asrnet.planning.on_premises import vmm_findings
from asrnet.planning.prerequisites import problems, unread_subscriptions
from asrnet.planning.request import Request
from asrnet.planning.support import fabric_change, network_change, new_fabrics, new_networks
from asrnet.planning.unmanaged import leftovers
from asrnet.planning.unreadable import unreadable_mappings
from asrnet.planning.view import VaultView, view_of, with_fabrics
from asrnet.planning.wants import PairWants, duplicates, wants_of


class VaultPart(Struct, frozen=True, kw_only=True):
    """One vault's share of a plan."""

    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    pairs: tuple[PairView, ...]
    unmanaged: int


def plan_vault(vault: Vault, pairs: Sequence[Pair], conflicts: Sequence[Finding], request: Request) -> VaultPart:
    """Everything about ``vault``, whose pairs are ``pairs``; ``conflicts`` block the pairs they name."""
    view = view_of(vault, request.inventory.vaults[vault.name], request.display)
    wants = {pair.name: known for pair in pairs if (known := wants_of(pair, view, request.inventory))}
    stops = [*conflicts, *_stops(pairs, wants, view, request)]
    blocked = {stop.pair for stop in stops if stop.severity == "error"}
    chosen = [known for name, known in wants.items() if name not in blocked and request.selection.has_pair(name)]
    vague = [pair for pair in pairs if pair.name not in wants]
    diff = structs.replace(_diff(view, chosen, wants, request.inventory), unsure=frozenset(_owned(vague)))
    diff_pairs(diff, chosen)
    rest = leftovers(view, pairs, tuple(wants.values()), request, complete=_is_complete(stops, request))
    held = hold([*diff.changes, *rest.changes], vault, request)
    shown = [pair for pair in pairs if request.selection.has_pair(pair.name)]
    statuses = _statuses(diff, held.held)
    return VaultPart(
        changes=(*_needed(diff.support.values(), held.allowed), *held.allowed),
        findings=(
            *(stop for stop in stops if request.selection.has_pair(stop.pair)),
            *vault_findings(view, chosen),
            *diff.findings,
            *held.findings,
            *rest.findings,
            *(found for known in chosen for found in pair_findings(known, request.inventory)),
        ),
        pairs=tuple(_pair_view(pair, wants.get(pair.name), statuses, view) for pair in shown),
        unmanaged=rest.count,
    )


def _stops(
    pairs: Sequence[Pair], wants: Mapping[str, PairWants], view: VaultView, request: Request
) -> Iterator[Finding]:
    for pair in pairs:
        yield from problems(pair, view, request.inventory, request.desired)
    for known in wants.values():
        yield from duplicates(known, view)
    yield from unreadable_mappings(view, pairs, request)
    yield from vmm_findings(view)
    yield from unread_subscriptions(view.vault, request.inventory, request.desired)
    if not pairs and view.inventory.error:
        error = view.inventory.error
        yield finding(FindingKind.UNKNOWN, str(error), vault=view.vault.name, subject=view.vault.id, hint=error.hint)


def _diff(view: VaultView, chosen: Sequence[PairWants], wants: Mapping[str, PairWants], inventory: Inventory) -> Diff:
    fabrics, copies = new_fabrics(chosen, view), new_networks(chosen, inventory)
    support = {str(fabric.location): fabric_change(view.vault, fabric) for fabric in fabrics}
    support |= {network.id.key: network_change(view.vault, network, known) for network, known in copies}
    return Diff(
        view=with_fabrics(view, fabrics),
        wanted={wanted.identity: wanted for known in wants.values() for wanted in known.each()},
        support=support,
    )


def _owned(pairs: Sequence[Pair]) -> Iterator[ArmId]:
    """The primary networks of the mappings that are left to ``pairs``, of which not all is known, or to other tools."""
    for pair in pairs:
        yield pair.primary
        if pair.recovery and pair.failback and pair.managed_by:
            yield pair.recovery


def _is_complete(stops: Sequence[Finding], request: Request) -> bool:
    """Whether it is certain which mappings are managed: not while a network or a rule's subscription is unread."""
    unread = any(stop.kind in UNREAD for stop in stops)
    return not unread and not (request.desired.rules and request.inventory.subscriptions)


def _needed(support: Iterable[Change], allowed: Sequence[Change]) -> tuple[Change, ...]:
    needed = {need for change in allowed for need in change.depends_on}
    return tuple(change for change in support if change.id in needed)


def _statuses(diff: Diff, held: Sequence[Change]) -> dict[tuple[str, str], PairStatus]:
    statuses = dict(diff.status)
    for change in held:
        for direction in ("forward", "reverse") if change.direction == "both" else (change.direction,):
            if change.pair and direction:
                statuses[change.pair, direction] = "blocked"
    return statuses


def _pair_view(
    pair: Pair, wants: PairWants | None, statuses: Mapping[tuple[str, str], PairStatus], view: VaultView
) -> PairView:
    return PairView(
        name=pair.name,
        vault=pair.vault,
        primary_network_id=pair.primary,
        recovery_network_id=pair.recovery,
        primary_location=view.place_called(wants.forward.primary.place) if wants else None,
        recovery_location=view.place_called(wants.forward.recovery.place) if wants else None,
        failback=pair.failback,
        forward=statuses.get((pair.name, "forward"), "blocked"),
        reverse=statuses.get((pair.name, "reverse"), "blocked") if pair.failback else None,
        managed_by=pair.managed_by,
        owner=pair.owner,
        file=pair.source.file,
        line=pair.source.line,
        primary_network=view.called(pair.primary),
        recovery_network=view.called(pair.recovery) if pair.recovery else "",
    )
