"""Findings that block nothing: what a person should know about a pair before the day of the failover."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import structs

from asrnet.desired.copies import is_copy
from asrnet.desired.pairs import Pair
from asrnet.failover.addresses import capacity
from asrnet.failover.subnets import SubnetFit, choose_subnet, is_reserved, subnet_fits, unreadable_prefix
from asrnet.inventory.activity import machines_in_recovery_region
from asrnet.inventory.read import Inventory, Unknown
from asrnet.model.azure import ProtectedItem, Subnet, VirtualNetwork
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.planning.copies import added_subnets, left_behind, missing_subnets
from asrnet.planning.view import VaultView, WantedPair


def vault_findings(
    view: VaultView, wanted_pairs: Sequence[WantedPair], held_pairs: Collection[str | None]
) -> Iterator[Finding]:
    """Findings about a vault that would fail with the primary region, and about machines in the recovery region."""
    location = view.inventory.location
    if location and any(wanted_pair.forward.primary.place == location for wanted_pair in wanted_pairs):
        yield finding(
            FindingKind.VAULT_IN_PRIMARY_REGION,
            f"the vault is in {location}, where machines it protects run: it fails with them",
            vault=view.vault.name,
            subject=view.vault.id,
            hint="keep the vault in the recovery region, or in a third one",
        )
    items = () if isinstance(view.inventory.items, Unknown) else view.inventory.items
    if items:
        yield from _reversed_items(items, wanted_pairs, held_pairs)


def _reversed_items(
    items: Sequence[ProtectedItem], wanted_pairs: Sequence[WantedPair], held_pairs: Collection[str | None]
) -> Iterator[Finding]:
    """Report how many machines of each pair run in the recovery region, unless they hold a change of the pair."""
    reversed_items = [item for item in items if item.is_reversed and not item.has_failed_over]
    for wanted_pair in wanted_pairs if reversed_items else ():
        pair = wanted_pair.pair
        machines = machines_in_recovery_region(reversed_items, pair.primary, wanted_pair.forward.recovery.network)
        if machines and pair.name not in held_pairs:
            number = "1 machine of the pair runs" if len(machines) == 1 else f"{len(machines)} machines of the pair run"
            yield pair.finding(
                FindingKind.REVERSED,
                f"{number} in the recovery region and would fail back to {wanted_pair.forward.primary.label}",
                subject=pair.primary,
                severity="info",
            )


def pair_findings(wanted_pair: WantedPair, inventory: Inventory) -> Iterator[Finding]:
    """How well the two networks of a pair fit, and what a copy that is about to be made leaves behind."""
    pair = wanted_pair.pair
    primary = inventory.network(pair.primary)
    recovery = inventory.network(pair.recovery) if pair.recovery else None
    if isinstance(primary, VirtualNetwork) and isinstance(recovery, VirtualNetwork):
        added = added_subnets(pair, primary, recovery)
        yield from _missing_subnets(pair, primary, recovery, added)
        # Once these subnets are added, machines land in them.
        yield from _address_findings(
            pair, primary, structs.replace(recovery, subnets=(*recovery.subnets, *added)) if added else recovery
        )
    elif isinstance(primary, VirtualNetwork) and pair.copy and not pair.managed_by:
        yield from left_behind(pair, primary)


def _missing_subnets(
    pair: Pair, primary: VirtualNetwork, recovery: VirtualNetwork, added: Sequence[Subnet]
) -> Iterator[Finding]:
    """Subnets of the primary network that the recovery network lacks; ``added`` are those that the plan adds."""
    names = {subnet.name.lower() for subnet in (*recovery.subnets, *added)}
    missing = [
        subnet for subnet in primary.subnets if not is_reserved(subnet.name) and subnet.name.lower() not in names
    ]
    if added:
        yield pair.finding(
            FindingKind.SUBNET_MISSING,
            f"{recovery.name} has no subnet {_names(added)}, which {primary.name} has; it will be added to the copy",
            subject=recovery.id,
            severity="info",
        )
    if missing:
        yield from _missing_for_machines(pair, primary, recovery, missing)
    if pair.copy and is_copy(recovery):
        # No machine lands in these subnets, but a copy should have every subnet of its original.
        skipped = {name.lower() for name in pair.copy.copy.skip_subnets}
        for_services = [
            subnet
            for subnet in primary.subnets
            if is_reserved(subnet.name) and subnet.name.lower() not in names | skipped and subnet.prefixes
        ]
        if for_services:
            yield pair.finding(
                FindingKind.SUBNET_MISSING,
                f"{recovery.name}, a copy of {primary.name}, has no subnet {_names(for_services)}",
                subject=recovery.id,
                hint=_hint_for_copy(pair, primary, recovery, for_services),
                severity="info",
            )


def _missing_for_machines(
    pair: Pair, primary: VirtualNetwork, recovery: VirtualNetwork, missing: Sequence[Subnet]
) -> Iterator[Finding]:
    missing_names = _names(missing)
    choice = choose_subnet([subnet.name for subnet in recovery.subnets], missing[0].name)
    consequence = f"; machines land in {choice.name}, the first by name" if choice else " and has no subnets at all"
    yield pair.finding(
        FindingKind.SUBNET_MISSING,
        f"{recovery.name} has no subnet {missing_names}{consequence}",
        subject=recovery.id,
        hint=_hint_for_copy(pair, primary, recovery, missing)
        or "create the subnet in the recovery network, or choose one for each machine",
    )
    fallback = next((subnet for subnet in recovery.subnets if choice and subnet.name == choice.name), None)
    if fallback and (is_reserved(fallback.name) or fallback.delegation):
        reason = f"delegated to {fallback.delegation}" if fallback.delegation else "reserved for an Azure service"
        yield pair.finding(
            FindingKind.FALLBACK_SUBNET_RESERVED,
            f"machines of subnet {missing_names} would land in {fallback.name} of {recovery.name}, which is {reason}",
            subject=recovery.id,
        )


def _hint_for_copy(pair: Pair, primary: VirtualNetwork, recovery: VirtualNetwork, missing: Sequence[Subnet]) -> str:
    """How an existing copy gets the subnets that it lacks, or why asrnet cannot add them; empty for other networks."""
    if pair.copy is None or not is_copy(recovery) or pair.managed_by:
        return ""
    addable = {subnet.name for subnet in missing_subnets(primary, recovery, pair.copy)}
    if not pair.copy.copy.add_subnets and addable & {subnet.name for subnet in missing}:
        return "set add_subnets: true under copy in regions, or create the subnet"
    skipped = {name.lower() for name in pair.copy.copy.skip_subnets}
    reasons = []
    for subnet in missing:
        if subnet.name.lower() in skipped:
            reasons.append(f"{subnet.name} is listed under skip_subnets")
        elif not subnet.prefixes:
            reasons.append(f"{subnet.name} has no prefix")
        elif subnet.name not in addable:
            reasons.append(f"{', '.join(subnet.prefixes)} of {subnet.name} is outside the copy or overlaps its subnets")
    return f"cannot be added: {'; '.join(reasons)}" if reasons else ""


def _names(subnets: Sequence[Subnet]) -> str:
    return ", ".join(subnet.name for subnet in subnets)


def _address_findings(pair: Pair, primary: VirtualNetwork, recovery: VirtualNetwork) -> Iterator[Finding]:
    """Subnets whose machines get new addresses, in either direction, and subnets that cannot hold them all."""
    fits = subnet_fits(primary, recovery)
    for problem in dict.fromkeys(fit.problem for fit in fits if fit.problem):
        message = f"whether machines of {primary.name} keep their addresses is not known: {problem}"
        yield pair.finding(FindingKind.UNKNOWN, message, subject=recovery.id)
    at_failover = _address_changes(fits)
    changes = list(at_failover.values())
    if pair.failback:
        # Machines fail back only from the subnets in which they landed.
        landed_in = {fit.recovery_subnet.name for fit in fits if fit.recovery_subnet}
        way_back = [fit for fit in subnet_fits(recovery, primary) if fit.subnet.name in landed_in]
        at_failback = _address_changes(way_back)
        changes = [
            text if (end, start) in at_failback else f"{text} (failover only)"
            for (start, end), text in at_failover.items()
        ]
        changes += [
            f"{text} (failback only)" for (start, end), text in at_failback.items() if (end, start) not in at_failover
        ]
    if changes:
        yield pair.finding(
            FindingKind.ADDRESS_SPACE_DIFFERS, f"machines get new addresses: {'; '.join(changes)}", subject=recovery.id
        )
    by_name = {subnet.name.lower(): subnet for subnet in recovery.subnets}
    for subnet in primary.subnets:
        counterpart = by_name.get(subnet.name.lower())
        if counterpart is None or is_reserved(subnet.name) or unreadable_prefix(counterpart) is not None:
            continue
        if capacity(counterpart.prefixes) < subnet.used:
            yield pair.finding(
                FindingKind.SUBNET_TOO_SMALL,
                f"subnet {counterpart.name} of {recovery.name} holds {capacity(counterpart.prefixes)} machines, "
                f"but {subnet.used} addresses are in use in {primary.name}",
                subject=recovery.id,
            )


def _address_changes(fits: Iterable[SubnetFit]) -> dict[tuple[str, str], str]:
    """Describe the subnets whose machines get other addresses, as old subnet -> new subnet."""
    changes: dict[tuple[str, str], str] = {}
    for fit in fits:
        landing = fit.recovery_subnet
        if landing and fit.address_space in {"differs", "overlaps"}:
            some = "some of " if fit.address_space == "overlaps" else ""
            name = "" if landing.name.lower() == fit.subnet.name.lower() else f"{landing.name} "
            before, after = ", ".join(fit.subnet.prefixes), ", ".join(landing.prefixes)
            changes[fit.subnet.name.lower(), landing.name.lower()] = (
                f"{some}{fit.subnet.name} {before} -> {name}{after}"
            )
    return changes
