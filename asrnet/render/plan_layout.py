"""The sections of a plan: rules, pairs by vault, other changes, findings, refusals, summary."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from asrnet.model.findings import CORRECTED, Finding, Severity
from asrnet.model.plan import Change, ChangeKind, Direction, PairView, Plan
from asrnet.render import wording
from asrnet.render.machine_table import findings_beside_table, machines_section
from asrnet.render.sections import Row, Section, Tone, sentences

if TYPE_CHECKING:
    from asrnet.render import View

PAIR_HEADER: Final = ("", "Pair", "Primary", "", "Recovery", "Forward", "Reverse")

_TONES: Final[Mapping[str, Tone]] = {
    "blocked": "error",
    "update": "update",
    "create": "create",
    "external": "quiet",
    "in_sync": "plain",
    "delete": "delete",
}
_SEVERITY_TITLES: Final[tuple[tuple[Severity, str, Tone], ...]] = (
    ("error", "Errors", "error"),
    ("warning", "Warnings", "warning"),
    ("info", "Notes", "quiet"),
)

# Findings that need no line of their own, because the pair's row shows the change. A row says only "update" for a
# mapping that is not paired, and "create" for a half pair, which is the accident to look for.
_SHOWN_BY_CHANGE: Final = CORRECTED - {"not_paired", "half_pair"}

_ChangesByPair = Mapping[tuple[str, str | None], Sequence[Change]]


def sections(plan: Plan, view: View) -> Iterator[Section]:
    """A plan as sections. Pairs in sync and full ids are shown only with ``view.verbose``."""
    yield rules_section(plan)
    yield from pair_sections(plan, view)
    yield machines_section(plan, verbose=view.verbose)
    yield other_changes(plan, verbose=view.verbose)
    changing = {(change.vault, change.pair) for change in plan.changes if change.kind != "protected_item"}
    findings = plan.findings
    if not view.verbose:
        findings = tuple(
            finding
            for finding in findings_beside_table(findings, plan)
            if finding.kind not in _SHOWN_BY_CHANGE or (finding.vault, finding.pair) not in changing
        )
    yield from finding_sections(findings)
    yield sentences("Apply would refuse this", plan.violations(view.forced), "error")
    yield sentences("", [plan_summary(plan)])


def rules_section(plan: Plan) -> Section:
    """What each rule matched."""
    rows = [
        Row(
            (
                rule.name,
                wording.count(len(rule.matched), "network"),
                ", ".join(network.name for network in rule.matched),
            )
        )
        for rule in plan.rules
    ]
    return Section("Rules", ("Rule", "Matched", "Networks"), tuple(rows))


def pair_sections(plan: Plan, view: View) -> Iterator[Section]:
    """The changing and blocked pairs of each vault; all pairs if ``view`` asks for them."""
    changes: defaultdict[tuple[str, str | None], list[Change]] = defaultdict(list)
    for change in plan.changes:
        changes[change.vault, change.pair].append(change)
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for pair in plan.pairs:
        has_changes = (pair.vault, pair.name) in changes  # subnets are added to the copies of pairs in sync, too
        if view.verbose or view.all_pairs or has_changes or wording.worst(pair) not in {"in_sync", "external"}:
            rows[pair.vault].append(_pair_row(pair, changes, verbose=view.verbose))
    for vault, shown in rows.items():
        yield Section(f"Vault {vault}", PAIR_HEADER, tuple(shown), details="Changes")


def _pair_row(pair: PairView, changes: _ChangesByPair, *, verbose: bool) -> Row:
    changes_of_pair = changes.get((pair.vault, pair.name), ())
    return Row(
        (
            wording.pair_symbol(pair),
            pair.name,
            wording.network(pair.primary_network_id, pair.primary_location, pair.primary_network),
            wording.arrow(pair),
            wording.network(pair.recovery_network_id, pair.recovery_location, pair.recovery_network),
            wording.status(pair, pair.forward, _of("forward", changes_of_pair)),
            wording.status(pair, pair.reverse, _of("reverse", changes_of_pair)),
        ),
        _TONES[wording.worst(pair)],
        tuple(change_details(changes_of_pair, verbose=verbose)),
    )


def _of(direction: Direction, changes: Iterable[Change]) -> Iterator[Change]:
    return (change for change in changes if change.direction in {direction, "both"})


def change_details(changes: Sequence[Change], *, verbose: bool) -> Iterator[str]:
    """The lines below a pair's row: changes that the row does not show, and the order of steps; ids if ``verbose``.

    Machines are counted, because their table shows each of them.
    """
    for change in changes:
        if change.kind == "protected_item":
            continue
        if verbose or change.kind != "network_mapping" or change.action != "create":
            yield f"{wording.change_label(change)}{_because(change)}"
        if verbose:
            yield from _steps(change)
        elif len(change.steps) > 1:
            steps = (f"{step.action} {step.resource_id.name}" for step in change.steps)
            yield f"    in this order: {', '.join(steps)}"
    machines = sum(change.kind == "protected_item" for change in changes)
    if machines:
        yield f"~ {wording.count(machines, 'machine')} of the pair"


def _because(change: Change) -> str:
    return f": {change.reason}" if change.reason else ""


def _steps(change: Change) -> Iterator[str]:
    return (f"    {wording.SYMBOLS[step.action]} {step.resource_id}" for step in change.steps)


def other_changes(plan: Plan, *, verbose: bool) -> Section:
    """Changes that belong to no declared pair: of fabrics and unmanaged mappings."""
    declared = {(pair.vault, pair.name) for pair in plan.pairs}
    rows: list[Row] = []
    for change in plan.changes:
        if (change.vault, change.pair) not in declared:
            label = f"{wording.change_label(change)} in vault {change.vault}{_because(change)}"
            rows.append(Row((label,), _TONES[change.action]))
            rows += [Row((step,), "quiet") for step in _steps(change) if verbose]
    return Section("Other changes", (), tuple(rows))


def finding_sections(findings: Sequence[Finding]) -> Iterator[Section]:
    """The findings, the most severe first. A hint that several findings share appears once, below the last of them."""
    for severity, title, tone in _SEVERITY_TITLES:
        groups: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
        for finding in findings:
            if finding.severity == severity:
                groups[finding.kind, finding.hint].append(finding)
        rows: list[Row] = []
        for (kind, hint), group in groups.items():
            cells = [(kind, finding.pair or "", finding.message) for finding in group]
            rows += [Row(row, tone) for row in cells[:-1]]
            label = "hint" if len(group) == 1 else f"hint for these {len(group)}"
            rows.append(Row(cells[-1], tone, (f"{label}: {hint}",) if hint else ()))
        yield Section(title, ("Kind", "Pair", "What"), tuple(rows))


def plan_summary(plan: Plan) -> str:
    """The summary line: what apply would do, and the counts of what does not change."""
    if not plan.changes:
        return f"Nothing {'can be done' if plan.summary.blocked else 'to do'}: {unchanged_counts(plan)}."
    unchanged = unchanged_counts(plan)
    return f"Plan: {describe_changes(plan.changes)}{f'; {unchanged}' if unchanged else ''}."


def describe_changes(changes: Iterable[Change], *, past: bool = False) -> str:
    """What ``changes`` do, or with ``past`` what they did: ``create 2 networks and 6 mappings, delete 1 mapping``."""
    numbers: Counter[tuple[str, ChangeKind]] = Counter()
    retargeted: Counter[str] = Counter()
    steps = 0
    for change in changes:
        verb: str = change.action
        if change.kind == "network_mapping" and change.action == "update" and not change.keeps_target:
            # One change, but both directions of the pair's row say "retarget".
            retargeted["pair" if change.direction == "both" else "mapping"] += 1
            steps += len(change.steps)
            continue
        if change.kind == "network_mapping" and change.action == "update":
            verb = "write"
        numbers[verb, change.kind] += 1

    def counts(verb: str, *kinds: ChangeKind) -> str:
        return wording.listed(
            wording.count(numbers[verb, kind], wording.NOUNS[kind]) for kind in kinds if numbers[verb, kind]
        )

    retargets = wording.listed(
        wording.count(retargeted[noun], noun) for noun in ("pair", "mapping") if retargeted[noun]
    )
    if steps > retargeted.total():
        retargets += f" ({steps} steps)"
    parts = (
        (
            "created" if past else "create",
            counts("create", "resource_group", "virtual_network", "fabric", "network_mapping"),
            "",
        ),
        ("added subnets to" if past else "add subnets to", counts("update", "virtual_network"), ""),
        ("retargeted" if past else "retarget", retargets, ""),
        ("wrote" if past else "write", counts("write", "network_mapping"), " again"),
        ("deleted" if past else "delete", counts("delete", "network_mapping"), ""),
        ("updated" if past else "update", counts("update", "protected_item"), ""),
    )
    return ", ".join(f"{verb} {counted}{suffix}" for verb, counted, suffix in parts if counted)


def unchanged_counts(plan: Plan) -> str:
    """The counts of what does not change: mappings in sync, blocked or unmanaged; machines that wait or are left alone.

    Zeros are left out: a plan of one pair, as of asrnet map, says nothing about the mappings of others. The first
    count is always there if there are no changes.
    """
    counts = plan.summary
    is_first_count_shown = counts.in_sync or not plan.changes
    parts = [f"{wording.count(counts.in_sync, 'mapping')} in sync"] if is_first_count_shown else []
    parts += [f"{counts.blocked} blocked"] if counts.blocked else []
    parts += [f"{counts.unmanaged} unmanaged"] if counts.unmanaged else []
    machines = Counter(machine.status for machine in plan.machines)
    if machines["waiting"]:
        parts.append(f"{wording.count(machines['waiting'], 'machine')} waiting")
    if machines["held"]:
        parts.append(f"{wording.count(machines['held'], 'machine')} left alone")
    return ", ".join(parts)
