"""Plans one vault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from asrnet.desired import Vault
from asrnet.desired.pairs import Pair
from asrnet.model.azure import Fabric, VirtualNetwork
from asrnet.model.findings import UNREAD, Finding, FindingKind, finding
from asrnet.model.plan import Change, MachineView, PairStatus, PairView
from asrnet.planning.advice import pair_findings, vault_findings
from asrnet.planning.copies import copy_changes
from asrnet.planning.holds import Held, hold
from asrnet.planning.machines import Member, Support, members_of, plan_machines, unassigned_machines
from asrnet.planning.mappings import MappingDiff
from asrnet.planning.on_premises import vmm_findings
from asrnet.planning.prerequisites import duplicates, pair_problems, unread_subscriptions, unreadable_mappings
from asrnet.planning.unmanaged import unmanaged_mappings
from asrnet.planning.view import Request, VaultView, WantedPair, view_of


class VaultPart(Struct, frozen=True, kw_only=True):
    """One vault's share of a plan; ``chosen`` are the selected pairs that nothing blocks."""

    chosen: tuple[WantedPair, ...]
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    pairs: tuple[PairView, ...]
    machines: tuple[MachineView, ...]
    unmanaged: int


def plan_vault(vault: Vault, pairs: Sequence[Pair], conflicts: Sequence[Finding], request: Request) -> VaultPart:
    """Plan ``vault``, whose pairs are ``pairs``; ``conflicts`` block the pairs they name."""
    inventory = request.inventory
    view = view_of(vault, inventory.vaults[vault.name], request.display)
    wanted_pairs = {pair.name: wanted_pair for pair in pairs if (wanted_pair := view.wanted_pair(pair, inventory))}
    members = members_of(view, wanted_pairs.values(), request)
    selected = _selected_pairs(pairs, members, request)
    # A run on some pairs or machines reports no problems elsewhere, such as in the vault as a whole.
    is_whole = not (request.selection.pairs or request.selection.machines)
    problems = [*conflicts, *_problems(pairs, wanted_pairs, view, request)]
    blocked = {problem.pair for problem in problems if problem.severity == "error"}
    chosen = [wanted_pair for name, wanted_pair in wanted_pairs.items() if name not in blocked and name in selected]

    # Fabrics and networks to create before they can be mapped. Only those that a planned change needs end up in the
    # plan.
    fabrics = _missing_fabrics(chosen, view)
    support = {fabric.location or "": _fabric_change(vault, fabric) for fabric in fabrics}
    copies = copy_changes(chosen, inventory)
    support |= copies.by_network
    wanted_mappings = {
        mapping.identity: mapping for wanted_pair in wanted_pairs.values() for mapping in wanted_pair.mappings
    }
    # The mappings of these networks are left to pairs whose places are not known, or to other tools.
    unplaced = [pair for pair in pairs if pair.name not in wanted_pairs]
    unsure = {pair.primary for pair in unplaced}
    unsure |= {pair.recovery for pair in unplaced if pair.recovery and pair.failback and pair.managed_by}
    diff = MappingDiff(view.with_fabrics(fabrics), wanted_mappings, support, unsure)
    diff.plan(chosen)

    # It is not certain which mappings are managed while a network or a subscription that a rule searches is unread.
    is_unread = any(problem.kind in UNREAD for problem in problems)
    complete = not is_unread and not (request.desired.rules and inventory.subscriptions)
    unmanaged = unmanaged_mappings(view, pairs, tuple(wanted_pairs.values()), request, complete=complete)
    support_of_machines = Support(
        mappings={change.pair: change.id for change in diff.changes if change.pair and change.direction != "reverse"},
        networks={
            change.after.id: (change.after, change.id)
            for change in (*copies.by_network.values(), *copies.subnets)
            if isinstance(change.after, VirtualNetwork)
        },
    )
    machines = plan_machines(
        view, members, {wanted_pair.pair.name for wanted_pair in chosen}, support_of_machines, request
    )
    held = hold([*copies.subnets, *diff.changes, *machines.changes, *unmanaged.changes], vault, request)
    statuses = dict(diff.status)
    for change in held.held:
        for direction in ("forward", "reverse") if change.direction == "both" else (change.direction,):
            if change.pair and direction:
                statuses[change.pair, direction] = "blocked"
    held_pairs = {change.pair for change in held.held if change.kind == "network_mapping"}
    return VaultPart(
        chosen=tuple(chosen),
        changes=(*_needed([*copies.resource_groups, *support.values()], held.allowed), *held.allowed),
        findings=(
            *(problem for problem in problems if is_whole or problem.pair in selected),
            *vault_findings(view, chosen, held_pairs),
            *machines.findings,
            *(() if request.selection.machines else unassigned_machines(view, chosen)),
            *diff.findings,
            *held.findings,
            *unmanaged.findings,
            *(finding for wanted_pair in chosen for finding in pair_findings(wanted_pair, inventory)),
        ),
        pairs=tuple(
            _pair_view(pair, wanted_pairs.get(pair.name), statuses, view) for pair in pairs if pair.name in selected
        ),
        machines=_with_holds(machines.views, held),
        unmanaged=unmanaged.count,
    )


def _selected_pairs(pairs: Sequence[Pair], members: Sequence[Member], request: Request) -> set[str]:
    """The names of the pairs that the run is about: a run on some machines is about the pairs they belong to."""
    names = {pair.name for pair in pairs if request.selection.has_pair(pair.name)}
    if request.selection.machines:
        names &= {
            wanted_pair.pair.name
            for member in members
            if request.selection.has_machine(member.item.friendly_name)
            for wanted_pair in (member.wanted_pair, *member.contradicts)
        }
    return names


def _with_holds(machines: Sequence[MachineView], held: Held) -> tuple[MachineView, ...]:
    """``machines``, with the status ``waiting`` if the update is held back, by a freeze or with its mapping."""
    reasons = {change.resource_id: held.reasons[change.id] for change in held.held}
    return tuple(
        structs.replace(machine, status="waiting", reason=reasons[machine.id])
        if machine.status == "update" and machine.id in reasons
        else machine
        for machine in machines
    )


def _problems(
    pairs: Sequence[Pair], wanted_pairs: Mapping[str, WantedPair], view: VaultView, request: Request
) -> list[Finding]:
    """Problems that block pairs, or that make it uncertain what the vault contains."""
    problems = [problem for pair in pairs for problem in pair_problems(pair, view, request)]
    problems += [problem for wanted_pair in wanted_pairs.values() for problem in duplicates(wanted_pair, view)]
    problems += unreadable_mappings(view, pairs, wanted_pairs.values(), request)
    problems += vmm_findings(view)
    problems += unread_subscriptions(view, request)
    error = view.inventory.error
    if error and not pairs:
        unknown = finding(
            FindingKind.UNKNOWN, str(error), vault=view.vault.name, subject=view.vault.id, hint=error.hint
        )
        problems.append(unknown)
    return problems


def _missing_fabrics(wanted_pairs: Sequence[WantedPair], view: VaultView) -> list[Fabric]:
    """The fabrics that pairs need and the vault lacks, with the names that the portal would choose."""
    places = {
        side.place
        for wanted_pair in wanted_pairs
        if wanted_pair.pair.kind == "azure_to_azure" and not wanted_pair.pair.managed_by
        for side in (wanted_pair.forward.primary, wanted_pair.forward.recovery)
    }
    taken = {fabric.name.lower() for fabric in view.inventory.fabrics}
    fabrics = []
    for place in sorted(places - view.fabrics.keys()):
        # The portal's name for the fabric, according to Microsoft's PowerShell tutorial for Azure to Azure.
        name = f"asr-a2a-default-{place}"
        while name in taken:
            name += "-1"
        fabrics.append(Fabric(id=view.vault.id.child("replicationFabrics", name), kind="azure", location=place))
    return fabrics


def _fabric_change(vault: Vault, fabric: Fabric) -> Change:
    return Change.create(
        fabric,
        id=f"{vault.name}:fabric:{fabric.location}",
        vault=vault.name,
        reason=f"the vault has no fabric for {fabric.location}",
    )


def _needed(support: Sequence[Change], allowed: Sequence[Change]) -> list[Change]:
    """The supporting changes that other changes need, directly or indirectly, in their original order."""
    needed = {need for change in allowed for need in change.depends_on}
    for change in reversed(support):
        if change.id in needed:
            needed.update(change.depends_on)
    return [change for change in support if change.id in needed]


def _pair_view(
    pair: Pair, wanted_pair: WantedPair | None, statuses: Mapping[tuple[str, str], PairStatus], view: VaultView
) -> PairView:
    return PairView(
        name=pair.name,
        vault=pair.vault,
        primary_network_id=pair.primary,
        recovery_network_id=pair.recovery,
        primary_location=view.place_label(wanted_pair.forward.primary.place) if wanted_pair else None,
        recovery_location=view.place_label(wanted_pair.forward.recovery.place) if wanted_pair else None,
        failback=pair.failback,
        forward=statuses.get((pair.name, "forward"), "blocked"),
        reverse=statuses.get((pair.name, "reverse"), "blocked") if pair.failback else None,
        managed_by=pair.managed_by,
        owner=pair.owner,
        file=pair.source.file,
        line=pair.source.line,
        primary_network=view.label(pair.primary),
        recovery_network=view.label(pair.recovery) if pair.recovery else "",
    )
