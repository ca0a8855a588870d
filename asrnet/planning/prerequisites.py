"""Checks what must be true before a pair is changed. A pair that fails is blocked with a finding; the others go on."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from asrnet.desired.pairs import Pair, is_ignored, matches_rule
from asrnet.desired.state import Rule
from asrnet.errors import AsrError, CrossTenantError, ForbiddenError, did_you_mean
from asrnet.inventory.read import Absent, Inventory, Unknown
from asrnet.model.arm import AZURE_NETWORK, ArmId
from asrnet.model.azure import UnreadableMapping, VirtualNetwork
from asrnet.model.bodies import API_VERSION
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.model.plan import RuleMatch
from asrnet.model.regions import region_meant
from asrnet.planning.copies import addition_problems, copy_problems
from asrnet.planning.view import Request, VaultView, WantedPair

_DIGITS: Final = re.compile(r"\d+")


def pair_problems(pair: Pair, view: VaultView, request: Request) -> Iterator[Finding]:
    """Everything that prevents ``pair`` from being planned; empty if nothing does."""
    inventory = request.inventory
    if view.inventory.error:
        yield _unknown(pair, view.vault.id, view.inventory.error)
        return
    # VM networks are found in the topology before this, and their servers are fabrics already.
    if pair.kind != "azure_to_azure":
        if pair.recovery and pair.kind == "vmm_to_azure":
            yield from _network_problems(pair, pair.recovery, inventory)
        return
    yield from _network_problems(pair, pair.primary, inventory)
    primary = inventory.network(pair.primary)
    recovery = inventory.network(pair.recovery) if pair.recovery else None
    if pair.recovery and pair.copy and isinstance(recovery, Absent):
        if isinstance(primary, VirtualNetwork) and not pair.managed_by:
            yield from copy_problems(pair, primary, recovery, inventory)
    elif pair.recovery:
        yield from _network_problems(pair, pair.recovery, inventory)
    if not isinstance(primary, VirtualNetwork):
        return
    networks = [primary, recovery] if isinstance(recovery, VirtualNetwork) else [primary]
    for network in networks:
        # No document describes mappings of networks in an edge zone.
        if network.extended_location:
            yield pair.finding(
                FindingKind.REGION_MISMATCH,
                f"{network.name} is in the extended location {network.extended_location}, which is not supported",
                subject=network.id,
            )
    if isinstance(recovery, VirtualNetwork):
        yield from addition_problems(pair, primary, recovery, inventory)
        yield from _region_problems(pair, primary, recovery, request)
    recovery_location = recovery.location if isinstance(recovery, VirtualNetwork) else pair.copy and pair.copy.recovery
    for location in (primary.location, recovery_location):
        if location:
            yield from _fabric_problems(
                pair, location, view, is_certain=any(at.location == location for at in networks)
            )


def _network_problems(pair: Pair, network_id: ArmId, inventory: Inventory) -> Iterator[Finding]:
    network = inventory.network(network_id)
    if isinstance(network, Unknown):
        yield _unknown(pair, network_id, network.error)
    elif isinstance(network, Absent):
        detail = f": resource group {network_id.resource_group} does not exist" if network.no_group else ""
        if not network.no_group:
            group = str(network_id.parent).lower()
            # Names are often numbered, so no similar name is suggested: vnet-07 is not a misspelling of vnet-06.
            pattern = _DIGITS.sub("", network_id.name)
            others = [other.name for other in inventory.networks if str(other.parent).lower() == group]
            detail = did_you_mean(network_id.name, [name for name in others if _DIGITS.sub("", name) != pattern])
        yield pair.finding(
            FindingKind.MISSING_NETWORK,
            f"{network_id} does not exist{detail}",
            subject=network_id,
            hint="create the network, or correct the row",
        )


def _unknown(pair: Pair, subject: ArmId, error: AsrError) -> Finding:
    kind = FindingKind.CROSS_TENANT if isinstance(error, CrossTenantError) else FindingKind.UNKNOWN
    hint = _grant_or_hint(error, subject)
    return pair.finding(kind, f"{subject.name} could not be read: {error}", subject=subject, hint=hint)


def _grant_or_hint(error: AsrError, subject: ArmId) -> str:
    return f"grant {error.action} on {subject}" if isinstance(error, ForbiddenError) and error.action else error.hint


def _region_problems(
    pair: Pair, primary: VirtualNetwork, recovery: VirtualNetwork, request: Request
) -> Iterator[Finding]:
    directions = {(region.primary, region.recovery) for region in request.desired.regions}
    if pair.to and pair.to != recovery.location:
        yield pair.finding(
            FindingKind.REGION_MISMATCH,
            f"{recovery.name} is in {recovery.location}, and the pair says to: {pair.to}",
            subject=recovery.id,
            hint="correct one of them, or leave out to: the recovery network says where it is",
        )
    elif primary.location == recovery.location:
        yield pair.finding(
            FindingKind.REGION_MISMATCH,
            f"{primary.name} and {recovery.name} are both in {primary.location}; mappings pair two regions",
            subject=recovery.id,
        )
    elif (primary.location, recovery.location) not in directions:
        hint = f"add {{primary: {primary.location}, recovery: {recovery.location}}} under regions"
        for network in (primary, recovery):
            # Azure's own names are right, even if they are too new to be known here. Those of a world may be misspelt.
            if meant := region_meant(network.location):
                correct = f"correct the location of {network.name} in the world"
                hint = f"{correct}, if '{network.location}' is a misspelt '{meant}'; otherwise {hint}"
        yield pair.finding(
            FindingKind.REGION_MISMATCH,
            f"{primary.name} is in {primary.location} and {recovery.name} in {recovery.location}, "
            "which regions does not declare",
            subject=recovery.id,
            hint=hint,
        )


def _fabric_problems(pair: Pair, location: str, view: VaultView, *, is_certain: bool) -> Iterator[Finding]:
    """Problems with the fabrics of a region; ``is_certain``: a network is in the region, so its name is right."""
    fabrics = view.fabrics.get(location, ())
    # No document says which of them a new mapping belongs to.
    if len(fabrics) > 1:
        yield pair.finding(
            FindingKind.AMBIGUOUS,
            f"the vault has several fabrics for {location}: {', '.join(fabric.name for fabric in fabrics)}",
            subject=view.vault.id,
            hint="remove all but one",
        )
        return
    # A fabric without a region, or of an unknown kind, may be the one for this region.
    unclear = [
        fabric.name
        for fabric in view.inventory.fabrics
        if (fabric.kind == "azure" and not fabric.location) or (fabric.kind == "other" and fabric.location == location)
    ]
    if unclear and not fabrics:
        yield pair.finding(
            FindingKind.UNKNOWN,
            f"whether the vault has a fabric for {location} is not known: {', '.join(unclear)} does not say which "
            "region it is for",
            subject=view.vault.id,
        )
    elif not fabrics and not view.vault.create_fabrics:
        regions = sorted({fabric.location for fabric in view.inventory.fabrics if fabric.location})
        # Only Azure knows all regions, so a misspelt one passes asrnet validate.
        meant = "" if is_certain else did_you_mean(location, regions)
        has = f"the vault has fabrics for {' and '.join(regions)}; " if regions else ""
        correct = "" if is_certain else f"correct the region '{location}' in the file, or "
        yield pair.finding(
            FindingKind.MISSING_FABRIC,
            f"the vault has no fabric for {location}{meant}",
            subject=view.vault.id,
            hint=f"{has}{correct}set create_fabrics: true for vault {view.vault.name}, or enable replication of a "
            "machine there",
        )


def duplicates(wanted_pair: WantedPair, view: VaultView) -> Iterator[Finding]:
    """Several live mappings for one primary network: asrnet must not guess which one Azure uses."""
    for wanted_mapping in wanted_pair.mappings:
        mappings = view.live.get(wanted_mapping.identity, ())
        if len(mappings) > 1:
            names = ", ".join(f"{mapping.name} -> {view.label(mapping.recovery_network_id)}" for mapping in mappings)
            yield wanted_pair.pair.finding(
                FindingKind.DUPLICATE,
                f"{wanted_mapping.primary.label} has {len(mappings)} {wanted_mapping.direction} mappings: {names}",
                subject=wanted_mapping.primary.network,
                hint="delete all but one; the ids are: " + ", ".join(str(mapping.id) for mapping in mappings),
            )


def unreadable_mappings(
    view: VaultView, pairs: Sequence[Pair], wanted_pairs: Iterable[WantedPair], request: Request
) -> Iterator[Finding]:
    """Mappings that do not say what they map. They block the pairs they may belong to: unknown does not mean absent.

    Their names count as taken (``VaultView.names``). A mapping that does not even say its primary network may be any
    mapping that is missing in its fabric: creating another one would fail, or leave the network with two.
    """
    pairs_of: dict[ArmId, list[Pair]] = defaultdict(list)
    for pair in pairs if view.inventory.unreadable else ():
        pairs_of[pair.primary].append(pair)
        if pair.failback and pair.recovery:
            pairs_of[pair.recovery].append(pair)
    for mapping in view.inventory.unreadable:
        primary = mapping.primary_network_id
        blocked: list[str | None] = [pair.name for pair in pairs_of.get(primary, ())] if primary else []
        kind = FindingKind.UNKNOWN
        if blocked:
            consequence = "so whether it is mapped as it should be is not known"
        elif primary is None:
            blocked = [*_missing_in(mapping, view, wanted_pairs)]
            consequence = "it may be the mapping that is missing here" if blocked else "it is left alone"
            blocked = blocked or [None]
        elif view.vault.unmanaged == "ignore" or request.is_ignored(view.label(primary)):
            continue
        else:
            blocked, kind, consequence = [None], FindingKind.UNMANAGED, "no row or rule asks for it"
        of_network = f" of {view.label(primary)}" if primary else ""
        url = f"{mapping.id}?api-version={API_VERSION}"
        for pair_name in blocked:
            yield finding(
                kind,
                f"the mapping {mapping.name}{of_network} {mapping.problem}; {consequence}",
                vault=view.vault.name,
                pair=pair_name,
                subject=mapping.id,
                hint=f"see with: {shlex.join(['az', 'rest', '--method', 'get', '--url', url])}; correct or delete it",
            )


def _missing_in(mapping: UnreadableMapping, view: VaultView, wanted_pairs: Iterable[WantedPair]) -> Iterator[str]:
    """The pairs whose missing mapping may be ``mapping``, judging by its fabric and network segment."""
    segment = mapping.id.parent.name.lower()
    for wanted_pair in wanted_pairs:
        for wanted_mapping in wanted_pair.mappings:
            fabrics = view.fabrics.get(wanted_mapping.primary.place, ())
            is_in_fabric = any(fabric.id == mapping.fabric_id for fabric in fabrics)
            # Some tools name the segment after the network; all others use the constant.
            is_its_segment = segment in {AZURE_NETWORK.lower(), wanted_mapping.primary.network.name.lower()}
            if is_in_fabric and is_its_segment and wanted_mapping.identity not in view.live:
                yield wanted_pair.pair.name
                break


def rules_without_matches(request: Request, matches: Iterable[RuleMatch]) -> Iterator[Finding]:
    """The rules that protect nothing, most likely because of a misspelt glob, tag or region.

    A rule is not reported if all its networks have their own rows or are ignored: somebody has decided about them, and
    the rule waits for future networks. Nor is it reported if some networks could not be read.
    """
    desired, inventory = request.desired, request.inventory
    has_row = {row.primary for row in desired.pairs}
    primary_regions = {region.primary for region in desired.regions}
    unread = {*inventory.subscriptions, *(network_id.subscription for network_id in inventory.without_region)}
    unread |= {network_id.subscription for network_id, why in inventory.missing.items() if isinstance(why, Unknown)}
    unmatched = {match.name for match in matches if not match.matched}
    for rule in desired.rules:
        searched = _subscriptions_of(rule, request)
        if rule.name not in unmatched or searched & unread:
            continue
        fitting = [
            network
            for network in inventory.networks.values()
            if network.id.subscription in searched and matches_rule(rule.match, network)
        ]
        in_regions = [network for network in fitting if network.location in primary_regions]
        if any(
            network.id in has_row or is_ignored(network.name, desired.ignore, inventory.today) for network in in_regions
        ):
            continue
        if in_regions:
            names = ", ".join(sorted(network.name for network in in_regions))
            hint = f"only recovery networks and copies match: {names}"
        elif fitting:
            elsewhere = sorted({network.location for network in fitting})
            hint = (
                f"the networks that match are in {' and '.join(elsewhere)}, and the primary regions under regions are "
                f"{' and '.join(sorted(primary_regions))}"
            )
        else:
            hint = "compare match with the networks' names, resource groups and tags: a glob must fit the whole of each"
        yield finding(
            FindingKind.RULE_MATCHES_NOTHING,
            f"rule {rule.name} matches no network, so it protects nothing",
            vault=rule.vault,
            subject=rule.name,
            hint=hint,
        )


def _subscriptions_of(rule: Rule, request: Request) -> set[str]:
    """The subscriptions in which a rule looks for networks."""
    return {rule.match.subscription} if rule.match.subscription else set(request.desired.subscriptions.values())


def unread_subscriptions(view: VaultView, request: Request) -> Iterator[Finding]:
    """Subscriptions that the vault's rules search but whose networks could not be listed."""
    desired, failed = request.desired, request.inventory.subscriptions
    searched: set[str] = set()
    for rule in desired.rules:
        if rule.vault == view.vault.name:
            searched |= _subscriptions_of(rule, request)
    for subscription in sorted(searched & failed.keys()):
        error, scope = failed[subscription], ArmId(f"/subscriptions/{subscription}")
        yield finding(
            FindingKind.CROSS_TENANT if isinstance(error, CrossTenantError) else FindingKind.UNKNOWN,
            f"the networks of {scope} could not be listed, so it is not known what rules match there: {error}",
            vault=view.vault.name,
            subject=scope,
            hint=_grant_or_hint(error, scope),
        )
    for network_id in sorted(request.inventory.without_region):
        if network_id.subscription in searched:
            yield finding(
                FindingKind.UNKNOWN,
                f"{network_id.name} does not say its region, so whether a rule matches it is not known",
                vault=view.vault.name,
                subject=network_id,
            )
