"""From rows and rules to concrete pairs of networks. What is ambiguous becomes a finding that blocks it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct, structs

from asrnet.desired import CopySettings, DesiredState, Ignore, Match, Region, Row, Rule, Source
from asrnet.model.arm import ArmId
from asrnet.model.azure import COPY_TAG, MappingKind, NetworkMapping, Subnet, VirtualNetwork
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.model.plan import RuleMatch

_MOST_VNET_NAME = 64
_MOST_GROUP_NAME = 90
_MOST_TAG_VALUE = 256


class Pair(Struct, frozen=True, gc=False, kw_only=True):
    """A primary network and where its machines are to land.

    ``recovery`` is None while it cannot be known (the primary of a copy was not found). ``copy`` is set when the
    recovery network is to be a copy, with the region it is made in. ``failback``: the pair owns the reverse mapping.
    ``places`` are known beforehand for networks that are not Azure's: the ids of the VMM servers' fabrics.
    """

    name: str
    vault: str
    primary: ArmId
    recovery: ArmId | None
    failback: bool = True
    copy: Region | None = None
    managed_by: str | None = None
    owner: Literal["row", "rule"] = "row"
    source: Source = Source()
    kind: MappingKind = "azure_to_azure"
    places: tuple[str, str] | None = None

    def finding(
        self, kind: FindingKind, message: str, *, subject: ArmId | str | None = None, hint: str = ""
    ) -> Finding:
        """A finding about this pair."""
        return finding(kind, message, vault=self.vault, pair=self.name, subject=subject, hint=hint)


class Resolution(Struct, frozen=True, kw_only=True):
    """All pairs, what each rule matched, and what could not be decided."""

    pairs: tuple[Pair, ...]
    rules: tuple[RuleMatch, ...]
    findings: tuple[Finding, ...]


Networks = Mapping[ArmId, VirtualNetwork]


def resolve(
    desired: DesiredState, networks: Networks, live: Mapping[str, Sequence[NetworkMapping]], today: date
) -> Resolution:
    """The pairs that ``desired`` asks for, given the known networks and the live mappings of each vault (by name)."""
    rows: list[Pair] = []
    findings: list[Finding] = []
    for row in desired.pairs:
        pair, problems = _row_pair(row, desired, networks)
        rows.append(pair)
        findings += problems
    by_rules, matches, problems = _rule_pairs(desired, networks, live, rows, today)
    pairs = (*rows, *by_rules)
    findings += [*problems, *_conflicts(pairs, networks)]
    return Resolution(pairs=pairs, rules=matches, findings=tuple(findings))


def unmapped(pairs: Iterable[Pair], live: Mapping[str, Sequence[NetworkMapping]]) -> Iterator[Pair]:
    """The pairs that lack a mapping they ask for among the live ones of each vault (by name)."""
    paired = {
        (vault, mapping.primary_network_id, mapping.recovery_network_id)
        for vault, mappings in live.items()
        for mapping in mappings
        if mapping.state.lower() == "paired"
    }
    for pair in pairs:
        there = (pair.vault, pair.primary, pair.recovery) in paired
        back = not pair.failback or (pair.vault, pair.recovery, pair.primary) in paired
        if not (there and back):
            yield pair


def copy_id(primary: VirtualNetwork, settings: CopySettings) -> ArmId:
    """The id of the copy of ``primary``; names that would grow too long are cut and told apart by a hash."""
    group = settings.resource_group.format(resource_group=primary.id.resource_group, name=primary.name)
    name = settings.name.format(resource_group=primary.id.resource_group, name=primary.name)
    return ArmId(
        f"/subscriptions/{settings.subscription or primary.id.subscription}"
        f"/resourceGroups/{_fitted(group, _MOST_GROUP_NAME, primary.id)}"
        f"/providers/Microsoft.Network/virtualNetworks/{_fitted(name, _MOST_VNET_NAME, primary.id)}"
    )


def copy_of(primary: VirtualNetwork, region: Region) -> VirtualNetwork:
    """The network to create as the copy of ``primary``: addresses, DNS servers, tags and subnets, nothing attached."""
    dns = region.copy.dns
    return VirtualNetwork(
        id=copy_id(primary, region.copy),
        location=region.recovery,
        address_space=primary.address_space,
        dns_servers=primary.dns_servers if dns == "copy" else () if dns == "azure" else tuple(dns),
        tags={
            **{name: value for name, value in primary.tags.items() if not name.lower().startswith("hidden-")},
            COPY_TAG: str(primary.id)[:_MOST_TAG_VALUE],
        },
        subnets=tuple(_bare(subnet) for subnet in primary.subnets),
    )


def _bare(subnet: Subnet) -> Subnet:
    return Subnet(
        name=subnet.name,
        prefixes=subnet.prefixes,
        default_outbound_access=subnet.default_outbound_access,
        private_endpoint_network_policies=subnet.private_endpoint_network_policies,
        private_link_service_network_policies=subnet.private_link_service_network_policies,
        service_endpoints=subnet.service_endpoints,
    )


def short_hash(*ids: ArmId) -> str:
    """Eight hexadecimal digits that tell ``ids`` from others."""
    return hashlib.sha256(">".join(one.key for one in ids).encode()).hexdigest()[:8]


def _fitted(name: str, most: int, original: ArmId) -> str:
    return name if len(name) <= most else f"{name[: most - 9]}-{short_hash(original)}"


def _row_pair(row: Row, desired: DesiredState, networks: Networks) -> tuple[Pair, list[Finding]]:
    network = networks.get(row.primary)
    pair = Pair(
        name=row.name,
        vault=row.vault,
        primary=network.id if network else row.primary,
        recovery=_as_listed(row.recovery, networks) if row.recovery else None,
        failback=row.failback,
        managed_by=row.managed_by,
        source=row.source,
    )
    if row.recovery or network is None:
        return pair, []
    return _with_copy(pair, network, desired)


def _as_listed(network_id: ArmId, networks: Networks) -> ArmId:
    """The id in Azure's own spelling, where the network is known."""
    network = networks.get(network_id)
    return network.id if network else network_id


def _with_copy(pair: Pair, network: VirtualNetwork, desired: DesiredState) -> tuple[Pair, list[Finding]]:
    regions = [region for region in desired.regions if region.primary == network.location]
    if len(regions) == 1:
        recovery = copy_id(network, regions[0].copy)
        return structs.replace(pair, recovery=recovery, copy=regions[0]), []
    if not regions:
        problem = finding(
            FindingKind.REGION_MISMATCH,
            f"{network.name} is in {network.location}, which no entry under regions has as primary",
            vault=pair.vault,
            pair=pair.name,
            subject=network.id,
            hint=f"add {{primary: {network.location}, recovery: ...}} under regions",
        )
    else:
        choices = ", ".join(region.recovery for region in regions)
        problem = finding(
            FindingKind.AMBIGUOUS,
            f"a copy of {network.name} could be made in {choices}",
            vault=pair.vault,
            pair=pair.name,
            subject=network.id,
            hint="name the recovery network instead of writing copy",
        )
    return pair, [problem]


def _rule_pairs(
    desired: DesiredState,
    networks: Networks,
    live: Mapping[str, Sequence[NetworkMapping]],
    rows: Sequence[Pair],
    today: date,
) -> tuple[list[Pair], tuple[RuleMatch, ...], list[Finding]]:
    if not desired.rules:
        return [], (), []
    candidates = _candidates(desired, networks, {pair.primary for pair in rows}, today)
    proposals = [
        (rule, *_proposed(rule, network, desired))
        for rule in desired.rules
        for network in candidates
        if _fits(rule.match, network)
    ]
    recoveries = {pair.recovery for pair in rows} | {pair.recovery for _, pair, _ in proposals}
    in_use = _live_directions(desired, live, recoveries)
    recoveries |= {recovery for primary, recovery in in_use if (recovery, primary) not in in_use}
    kept = [
        (rule, pair, [*problems, *_undirected(pair, in_use)])
        for rule, pair, problems in proposals
        if pair.primary not in recoveries
    ]
    matched: dict[str, list[ArmId]] = {rule.name: [] for rule in desired.rules}
    for rule, pair, _ in kept:
        matched[rule.name].append(pair.primary)
    return (
        _distinct([pair for _, pair, _ in kept]),
        tuple(RuleMatch(name=name, matched=tuple(ids)) for name, ids in matched.items()),
        [problem for _, _, problems in kept for problem in problems],
    )


def _candidates(desired: DesiredState, networks: Networks, spoken_for: set[ArmId], today: date) -> list[VirtualNetwork]:
    subscriptions = set(desired.subscriptions.values())
    regions = {region.primary for region in desired.regions}
    return [
        network
        for network in sorted(networks.values(), key=lambda network: network.id.key)
        if network.location in regions
        and network.id.subscription in subscriptions
        and network.id not in spoken_for
        and COPY_TAG not in network.tags
        and not is_ignored(network.name, desired.ignore, today)
    ]


def is_ignored(name: str, ignore: Iterable[Ignore], today: date) -> bool:
    """Whether a network of this name is to be passed over today."""
    return any(_globbed(name, entry.name) for entry in ignore if entry.until is None or today <= entry.until)


def _fits(match: Match, network: VirtualNetwork) -> bool:
    tags = {name.lower(): value for name, value in network.tags.items()}
    return (
        (match.subscription is None or match.subscription == network.id.subscription)
        and (match.resource_group is None or _globbed(network.id.resource_group, match.resource_group))
        and (match.name is None or _globbed(network.name, match.name))
        and all(fnmatchcase(tags.get(name.lower(), "\0"), value) for name, value in match.tags.items())
    )


def _globbed(text: str, glob: str) -> bool:
    return fnmatchcase(text.lower(), glob.lower())


def _proposed(rule: Rule, network: VirtualNetwork, desired: DesiredState) -> tuple[Pair, list[Finding]]:
    pair = Pair(
        name=f"{rule.name}/{network.name}",
        vault=rule.vault,
        primary=network.id,
        recovery=None,
        failback=rule.failback,
        managed_by=rule.managed_by,
        owner="rule",
        source=rule.source,
    )
    if rule.recovery is None:
        return _with_copy(pair, network, desired)
    recovery = rule.recovery.format(name=network.name, resource_group=network.id.resource_group)
    return structs.replace(pair, recovery=ArmId(recovery)), []


def _live_directions(
    desired: DesiredState, live: Mapping[str, Sequence[NetworkMapping]], recoveries: set[ArmId | None]
) -> set[tuple[ArmId, ArmId]]:
    """Live mappings that show which network is a recovery network: those in a declared direction of regions.

    The reverse of a mapping has the primary as its recovery network, so what starts at a known recovery network
    does not count.
    """
    directions = {(region.primary, region.recovery) for region in desired.regions}
    return {
        (mapping.primary_network_id, mapping.recovery_network_id)
        for mappings in live.values()
        for mapping in mappings
        if (mapping.primary_location, mapping.recovery_location) in directions
        and mapping.primary_network_id not in recoveries
    }


def _undirected(pair: Pair, in_use: set[tuple[ArmId, ArmId]]) -> list[Finding]:
    """Where both directions are declared, two networks mapped to each other do not say which one is the primary."""
    partners = [recovery for primary, recovery in in_use if primary == pair.primary and (recovery, primary) in in_use]
    return [
        finding(
            FindingKind.AMBIGUOUS,
            f"{pair.primary.name} and {partner.name} are mapped to each other and the rule matches either as primary",
            vault=pair.vault,
            pair=pair.name,
            subject=pair.primary,
            hint="declare the pair as a row of its own",
        )
        for partner in partners
    ]


def _distinct(pairs: Sequence[Pair]) -> list[Pair]:
    """Pairs that two rules propose alike are one; names shared by networks of several groups get the group's."""
    unique = list({(pair.vault, pair.primary, pair.recovery): pair for pair in reversed(pairs)}.values())[::-1]
    count = Counter(pair.name.lower() for pair in unique)
    return [
        pair
        if count[pair.name.lower()] == 1
        else structs.replace(
            pair,
            name=f"{pair.name.partition('/')[0]}/{pair.primary.subscription[:8]}/{pair.primary.resource_group}/{pair.primary.name}",
        )
        for pair in unique
    ]


def _conflicts(pairs: Sequence[Pair], networks: Networks) -> Iterator[Finding]:
    """Two recovery networks for one primary in one region, two owners of one reverse, two originals of one copy."""
    forward = _Claims()
    reverse = _Claims()
    copies = _Claims()
    for pair in pairs:
        if pair.recovery is None:
            continue
        forward.add((pair.vault, pair.primary.key, recovery_location(pair, networks)), pair)
        if pair.failback:
            reverse.add((pair.vault, pair.recovery.key, _location(pair.primary, networks)), pair)
        if pair.copy:
            copies.add(pair.recovery.key, pair)
    for group in forward.shared():
        yield from _conflict(group, "give {primary} different recovery networks in one region")
    for group in reverse.shared():
        yield from _conflict(group, "all own the reverse mapping of {recovery}; set failback: none on all but one")
    for group in copies.shared():
        if len({pair.primary for pair in group}) > 1:
            yield from _conflict(group, "would all be copied to {recovery}; give the copies different names")


class _Claims:
    """Who claims what; a list is made only where a second one does."""

    def __init__(self) -> None:
        self._first: dict[object, Pair] = {}
        self._shared: dict[object, list[Pair]] = {}

    def add(self, claim: object, pair: Pair) -> None:
        """``pair`` claims ``claim``."""
        first = self._first.setdefault(claim, pair)
        if first is not pair:
            self._shared.setdefault(claim, [first]).append(pair)

    def shared(self) -> Iterable[list[Pair]]:
        """The pairs of each claim that several have."""
        return self._shared.values()


def _conflict(group: Sequence[Pair], problem: str) -> Iterator[Finding]:
    if len({(pair.primary, pair.recovery) for pair in group}) == 1:
        return
    names = ", ".join(f"{pair.name} ({pair.source})" if pair.source.file else pair.name for pair in group)
    for pair in group:
        text = problem.format(primary=pair.primary.name, recovery=pair.recovery.name if pair.recovery else "")
        yield finding(FindingKind.CONFLICT, f"{names} {text}", vault=pair.vault, pair=pair.name, subject=pair.primary)


def recovery_location(pair: Pair, networks: Networks) -> str | None:
    """The region of the pair's recovery network; None while it is not known."""
    if pair.copy:
        return pair.copy.recovery
    return _location(pair.recovery, networks) if pair.recovery else None


def _location(network_id: ArmId, networks: Networks) -> str | None:
    network = networks.get(network_id)
    return network.location if network else None
