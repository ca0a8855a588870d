"""Resolves rows and rules to concrete pairs of networks. Ambiguities become findings that block their pair."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct, structs

from asrnet.desired.copies import copy_id, is_copy, short_hash
from asrnet.desired.state import DesiredState, Ignore, Match, Region, Row, Rule, Source
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import MappingKind, NetworkMapping, VirtualNetwork
from asrnet.model.findings import Finding, FindingKind, Severity, finding
from asrnet.model.plan import RuleMatch

__all__ = ["Pair", "Resolution", "is_ignored", "recovery_location", "resolve", "short_hash", "unmapped"]


class Pair(Struct, frozen=True, gc=False, kw_only=True):
    """A primary network and its recovery network.

    ``recovery`` is None while it is not known, because the primary network of a copy was not found. ``copy`` has the
    regions' settings if the recovery network is a copy. ``to`` is the recovery region that the row names. ``failback``:
    the pair owns the reverse mapping. ``places`` are the ids of the VMM servers' fabrics for on-premises networks.

    ``follow``: protected machines are pointed at the pair's networks. ``test`` is the network of their test failovers;
    None accepts whichever they have. ``release_addresses``: static addresses that do not fit are released.
    """

    name: str
    vault: str
    primary: ArmId
    recovery: ArmId | None
    failback: bool = True
    copy: Region | None = None
    to: str | None = None
    managed_by: str | None = None
    owner: Literal["row", "rule"] = "row"
    source: Source = Source()
    kind: MappingKind = "azure_to_azure"
    places: tuple[str, str] | None = None
    test: ArmId | None = None
    follow: bool = False
    release_addresses: bool = False

    def finding(
        self,
        kind: FindingKind,
        message: str,
        *,
        subject: ArmId | str | None = None,
        hint: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        """A finding about this pair."""
        return finding(kind, message, vault=self.vault, pair=self.name, subject=subject, hint=hint, severity=severity)


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
        rows.append(_with_test(pair, row, desired, networks))
        findings += problems
    by_rules, matches, problems = _rule_pairs(desired, networks, live, rows, today)
    pairs = (*rows, *by_rules)
    findings += [*problems, *_conflicts(pairs, networks)]
    return Resolution(pairs=pairs, rules=matches, findings=tuple(findings))


def _with_test(pair: Pair, entry: Row | Rule, desired: DesiredState, networks: Networks) -> Pair:
    """The pair with the test network of its row or rule, or else that of its regions; ``none`` means neither."""
    primary = networks.get(pair.primary)
    if entry.test is not None:
        if entry.test == "none":
            return pair
        # In a rule, test is a template; in a row it is an id, which has no placeholders.
        text = str(entry.test).format(name=pair.primary.name, resource_group=pair.primary.resource_group)
        test = ArmId(text)
    else:
        direction = (primary.location, recovery_location(pair, networks)) if primary else None
        of_regions = (region.test for region in desired.regions if (region.primary, region.recovery) == direction)
        default = next(of_regions, None)
        if default is None:
            return pair
        test = default
    network = networks.get(test)
    return structs.replace(pair, test=network.id if network else test)


def unmapped(pairs: Iterable[Pair], live: Mapping[str, Sequence[NetworkMapping]]) -> Iterator[Pair]:
    """The pairs with a declared mapping that is missing from ``live``, the live mappings by the name of the vault."""
    paired = {
        (vault, mapping.primary_network_id, mapping.recovery_network_id)
        for vault, mappings in live.items()
        for mapping in mappings
        if mapping.is_paired
    }
    for pair in pairs:
        has_forward = (pair.vault, pair.primary, pair.recovery) in paired
        has_reverse = not pair.failback or (pair.vault, pair.recovery, pair.primary) in paired
        if not (has_forward and has_reverse):
            yield pair


def _row_pair(row: Row, desired: DesiredState, networks: Networks) -> tuple[Pair, list[Finding]]:
    primary = networks.get(row.primary)
    recovery = networks.get(row.recovery) if row.recovery else None
    pair = Pair(
        name=row.name,
        vault=row.vault,
        # Ids in Azure's own spelling, if the networks are known.
        primary=primary.id if primary else row.primary,
        recovery=recovery.id if recovery else row.recovery,
        failback=row.failback,
        to=normal_location(row.to) if row.to else None,
        managed_by=row.managed_by,
        source=row.source,
        follow=desired.follows(row),
        release_addresses=desired.releases(row),
    )
    if row.recovery or primary is None:
        return pair, []
    return _with_copy(pair, primary, desired)


def _with_copy(pair: Pair, primary: VirtualNetwork, desired: DesiredState) -> tuple[Pair, list[Finding]]:
    """The pair with a copy as its recovery network, in the region that the pair names or the only one declared."""
    declared = [region for region in desired.regions if region.primary == primary.location]
    regions = [region for region in declared if pair.to in {None, region.recovery}]
    if len(regions) == 1:
        return structs.replace(pair, recovery=copy_id(primary, regions[0]), copy=regions[0]), []
    recovery_regions = ", ".join(region.recovery for region in declared)
    if not declared:
        return pair, [
            pair.finding(
                FindingKind.REGION_MISMATCH,
                f"{primary.name} is in {primary.location}, which no entry under regions has as primary",
                subject=primary.id,
                hint=f"add {{primary: {primary.location}, recovery: {pair.to or '...'}}} under regions",
            )
        ]
    if not regions:
        return pair, [
            pair.finding(
                FindingKind.REGION_MISMATCH,
                f"{primary.name} is in {primary.location}, and regions declares no {primary.location} -> {pair.to} "
                f"(to: is one of {recovery_regions})",
                subject=primary.id,
                hint=f"correct to:, or add {{primary: {primary.location}, recovery: {pair.to}}} under regions",
            )
        ]
    return pair, [
        pair.finding(
            FindingKind.AMBIGUOUS,
            f"a copy of {primary.name} could be made in {recovery_regions}",
            subject=primary.id,
            hint=f"choose one, for instance to: {declared[0].recovery}",
        )
    ]


def _rule_pairs(
    desired: DesiredState,
    networks: Networks,
    live: Mapping[str, Sequence[NetworkMapping]],
    rows: Sequence[Pair],
    today: date,
) -> tuple[list[Pair], tuple[RuleMatch, ...], list[Finding]]:
    if not desired.rules:
        return [], (), []
    subscriptions = set(desired.subscriptions.values())
    primary_regions = {region.primary for region in desired.regions}
    has_row = {pair.primary for pair in rows}
    # The networks that rules may match. A row for a network wins over every rule.
    candidates = [
        network
        for network in sorted(networks.values(), key=lambda network: network.id.key)
        if network.location in primary_regions
        and network.id.subscription in subscriptions
        and network.id not in has_row
        and not is_copy(network)
        and not is_ignored(network.name, desired.ignore, today)
    ]
    proposals = [
        (rule, *_rule_pair(rule, network, desired, networks))
        for rule in desired.rules
        for network in candidates
        if matches_rule(rule.match, network)
    ]

    # A recovery network must not become a primary. Live mappings in a declared direction reveal more recovery networks.
    # If both directions are declared, a reverse mapping looks like a forward one. So mappings that start at a known
    # recovery network reveal nothing, and neither do two networks that are mapped to each other.
    recoveries = {pair.recovery for pair in rows} | {pair.recovery for _, pair, _ in proposals}
    directions = {(region.primary, region.recovery) for region in desired.regions}
    in_use = {
        (mapping.primary_network_id, mapping.recovery_network_id)
        for mappings in live.values()
        for mapping in mappings
        if (mapping.primary_location, mapping.recovery_location) in directions
        and mapping.primary_network_id not in recoveries
    }
    recoveries |= {recovery for primary, recovery in in_use if (recovery, primary) not in in_use}
    partners: dict[ArmId, list[ArmId]] = defaultdict(list)
    for primary, recovery in sorted(in_use, key=lambda ends: (ends[0].key, ends[1].key)):
        # A set has no order of its own, and the same state must give the same findings in the same order.
        if (recovery, primary) in in_use:
            partners[primary].append(recovery)

    pairs: list[Pair] = []
    findings: list[Finding] = []
    matched: dict[str, list[ArmId]] = {rule.name: [] for rule in desired.rules}
    for rule, pair, problems in proposals:
        if pair.primary in recoveries:
            continue
        pairs.append(pair)
        matched[rule.name].append(pair.primary)
        findings += problems
        findings += [
            pair.finding(
                FindingKind.AMBIGUOUS,
                f"{pair.primary.name} and {partner.name} are mapped to each other, and the rule could match either one "
                "as the primary",
                subject=pair.primary,
                hint="declare the pair as a row of its own",
            )
            for partner in partners.get(pair.primary, ())
        ]
    matches = tuple(RuleMatch(name=name, matched=tuple(network_ids)) for name, network_ids in matched.items())
    return _distinct(pairs), matches, findings


def is_ignored(name: str, ignore: Iterable[Ignore], today: date) -> bool:
    """Whether a network of this name is to be passed over today."""
    return any(entry.until is None or today <= entry.until for entry in _entries_for(name, ignore, "name"))


def is_machine_ignored(name: str, ignore: Iterable[Ignore], today: date) -> bool:
    """Whether a machine of this name is to be left as it is today."""
    return any(entry.until is None or today <= entry.until for entry in _entries_for(name, ignore, "machine"))


def ended_ignore(name: str, ignore: Iterable[Ignore], key: Literal["name", "machine"]) -> str:
    """A clause that says when the last matching entry under ignore ended; empty if no entry matched."""
    days = [entry.until for entry in _entries_for(name, ignore, key) if entry.until]
    return f"; its entry under ignore ended on {max(days)}" if days else ""


def _entries_for(name: str, ignore: Iterable[Ignore], key: Literal["name", "machine"]) -> Iterator[Ignore]:
    """The entries whose glob for networks (``name``) or machines fits ``name``, whether or not they still count."""
    for entry in ignore:
        glob = entry.name if key == "name" else entry.machine
        if glob is not None and fnmatchcase(name.lower(), glob.lower()):
            yield entry


def matches_rule(match: Match, network: VirtualNetwork) -> bool:
    """Whether a network matches a rule. All globs ignore case, those of tag values too."""
    if match.subscription not in {None, network.id.subscription}:
        return False
    tags = {name.lower(): value for name, value in network.tags.items()}
    if any(name.lower() not in tags for name in match.tags):
        return False  # even ``*`` does not match a missing tag
    globs = [(network.id.resource_group, match.resource_group), (network.name, match.name)]
    globs += [(tags[name.lower()], glob) for name, glob in match.tags.items()]
    return all(glob is None or fnmatchcase(text.lower(), glob.lower()) for text, glob in globs)


def _rule_pair(
    rule: Rule, network: VirtualNetwork, desired: DesiredState, networks: Networks
) -> tuple[Pair, list[Finding]]:
    pair = Pair(
        name=f"{rule.name}/{network.name}",
        vault=rule.vault,
        primary=network.id,
        recovery=None,
        failback=rule.failback,
        to=normal_location(rule.to) if rule.to else None,
        managed_by=rule.managed_by,
        owner="rule",
        source=rule.source,
        follow=desired.follows(rule),
        release_addresses=desired.releases(rule),
    )
    problems: list[Finding] = []
    if rule.recovery is None:
        pair, problems = _with_copy(pair, network, desired)
    else:
        recovery = rule.recovery.format(name=network.name, resource_group=network.id.resource_group)
        pair = structs.replace(pair, recovery=ArmId(recovery))
    return _with_test(pair, rule, desired, networks), problems


def _distinct(pairs: Sequence[Pair]) -> list[Pair]:
    """Merge equal pairs of several rules, and add the resource group to names that several networks share."""
    first: dict[Hashable, Pair] = {}
    for pair in pairs:
        first.setdefault((pair.vault, pair.primary, pair.recovery), pair)
    # --pair selects by name, so names must be unique. Case does not count, because it does not in networks' names.
    uses = Counter(pair.name.lower() for pair in first.values())
    distinct = []
    for pair in first.values():
        name, primary = pair.name, pair.primary
        if uses[name.lower()] > 1:
            rule = name.partition("/")[0]
            name = f"{rule}/{primary.subscription[:8]}/{primary.resource_group}/{primary.name}"
        distinct.append(pair if name == pair.name else structs.replace(pair, name=name))
    return distinct


def _conflicts(pairs: Sequence[Pair], networks: Networks) -> Iterator[Finding]:
    """Two recovery networks for one primary in one region, two owners of one reverse, two originals of one copy."""
    forward, reverse, copies = _Claims(), _Claims(), _Claims()
    for pair in pairs:
        if pair.recovery is None:
            continue
        forward.add((pair.vault, pair.primary.key, recovery_location(pair, networks)), pair)
        if pair.failback:
            primary = networks.get(pair.primary)
            reverse.add((pair.vault, pair.recovery.key, primary and primary.location), pair)
        if pair.copy:
            copies.add(pair.recovery.key, pair)
    for group in forward.shared():
        yield from _conflict(group, "give {primary} different recovery networks in one region")
    for group in reverse.shared():
        owners = "both" if len(group) == 2 else "all"  # noqa: PLR2004
        yield from _conflict(
            group, f"{owners} own the reverse mapping of {{recovery}}; add failback: none to the entry of all but one"
        )
    for group in copies.shared():
        if len({pair.primary for pair in group}) > 1:
            yield from _conflict(group, "would all be copied to {recovery}; give the copies different names")
        elif len({pair.copy.recovery for pair in group if pair.copy}) > 1:
            yield from _conflict(
                group,
                "would be copied to {recovery} in different regions; write {{recovery_region}} into the copies' names",
                differ=False,
            )


class _Claims:
    """Collects the pairs that claim the same thing. Lists are made only for shared claims, to save memory."""

    def __init__(self) -> None:
        self._first: dict[object, Pair] = {}
        self._shared: dict[object, list[Pair]] = {}

    def add(self, claim: object, pair: Pair) -> None:
        """``pair`` claims ``claim``."""
        first = self._first.setdefault(claim, pair)
        if first is not pair:
            self._shared.setdefault(claim, [first]).append(pair)

    def shared(self) -> Iterable[list[Pair]]:
        """The pairs of each claim that several pairs make."""
        return self._shared.values()


def _conflict(group: Sequence[Pair], problem: str, *, differ: bool = True) -> Iterator[Finding]:
    """A finding for each pair of a group; with ``differ``, none if all of them declare the same two networks."""
    if differ and len({(pair.primary, pair.recovery) for pair in group}) == 1:
        return
    names = ", ".join(f"{pair.name} ({pair.source})" if pair.source.file else pair.name for pair in group)
    for pair in group:
        text = problem.format(primary=pair.primary.name, recovery=pair.recovery.name if pair.recovery else "")
        yield pair.finding(FindingKind.CONFLICT, f"{names} {text}", subject=pair.primary)


def recovery_location(pair: Pair, networks: Networks) -> str | None:
    """The region of the pair's recovery network; None while it is not known."""
    if pair.copy:
        return pair.copy.recovery
    network = networks.get(pair.recovery) if pair.recovery else None
    return network.location if network else None
