"""The sections of a report: pairs with their outcomes, other changes, findings, summary."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import structs

from asrnet.model.findings import FOLLOWS
from asrnet.model.plan import PairView
from asrnet.model.report import AppliedChange, Outcome, Report, Result
from asrnet.render import wording
from asrnet.render.machine_table import findings_beside_table, machines_section
from asrnet.render.plan_layout import change_details, describe_changes, finding_sections, unchanged_counts
from asrnet.render.sections import Row, Section, Tone, sentences

if TYPE_CHECKING:
    from asrnet.render import View

_Details = Callable[..., Iterator[str]]

_NAMED: Final = 3
"""How many machines or pairs with the same outcome are named; the tables have all of them."""

_HEADER: Final = ("", "Pair", "Primary", "", "Recovery", "Outcome", "Seconds")
_OUTCOMES: Final[Mapping[Outcome, tuple[str, str, Tone]]] = {
    "failed": ("!", "failed", "error"),
    "rolled_back": ("!", "rolled back", "error"),
    "stale": ("!", "stale", "error"),
    "in_flight": ("?", "in flight", "warning"),
    "skipped": (wording.WAITS, "skipped", "warning"),
    "succeeded": ("", "succeeded", "good"),
}
"""Sign, label and tone of each outcome, the worst first: a pair shows the worst outcome of its changes."""
_BLOCKED: Final[tuple[str, str, Tone]] = ("!", "blocked", "error")
_IN_SYNC: Final[tuple[str, str, Tone]] = ("=", "in sync", "plain")
_RESULTS: Final[Mapping[Result, str]] = {
    "succeeded": "Done",
    "partial": "Partly done",
    "failed": "Failed",
    "nothing_to_do": "Nothing to do",
    "refused": "Refused",
}


def sections(report: Report, view: View) -> Iterator[Section]:
    """A report as sections. Pairs in sync are shown only if ``view`` asks for them.

    A run that a limit refused changed nothing: the reason is given once, and the pairs show what was planned.
    """
    violations = report.violations(view.forced) if report.result == "refused" else ()
    changes: defaultdict[tuple[str, str | None], list[AppliedChange]] = defaultdict(list)
    shared_hints = _shared_hints(report.changes)
    for change in _without_repeated_reasons(report.changes):
        if change.hint in shared_hints:
            change = structs.replace(change, hint="")  # noqa: PLW2901 - the same change; its hint is below the tables
        changes[change.vault, change.pair].append(change)
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for pair in report.pairs:
        changes_of_pair = changes.pop((pair.vault, pair.name), [])
        if changes_of_pair or view.verbose or view.all_pairs or wording.worst(pair) == "blocked":
            rows[pair.vault].append(
                _pair_row(pair, changes_of_pair, _details if not violations else change_details, verbose=view.verbose)
            )
    for vault, shown in rows.items():
        yield Section(f"Vault {vault}", _HEADER, tuple(shown), details="Details")
    # Changes that belong to no pair are left over.
    remaining = [change for changes_of_key in changes.values() for change in changes_of_key]
    yield machines_section(report, verbose=view.verbose)
    yield _other_changes(remaining, with_error=not violations)
    lines = [f"for {_named(names)}: {hint}" for hint, names in shared_hints.items()]
    yield sentences("What to do", lines, "quiet")
    # Besides errors, a report shows the machines that keep failing over to the old network of a pair it has retargeted,
    # those that were to follow and are held, and what an update left as it was.
    updated = {(change.vault, change.pair) for change in report.changes if change.action == "update"}
    held = {str(machine.id) for machine in report.machines if machine.status == "held"}
    beside_table = findings_beside_table(report.findings, report)
    findings = [
        finding
        for finding in report.findings
        if view.verbose
        or (
            finding.subject in held or ((finding.vault, finding.pair) in updated and finding in beside_table)
            if finding.kind in FOLLOWS
            else finding.severity == "error"
        )
    ]
    yield from finding_sections(findings)
    yield sentences("Refused", violations, "error")
    yield sentences("", [report_summary(report)])


def _shared_hints(changes: Iterable[AppliedChange]) -> Mapping[str, Sequence[str]]:
    """The hints that concern several pairs, each with their names; a change without a pair counts by its own name."""
    names: dict[str, dict[str, None]] = defaultdict(dict)
    for change in changes:
        if change.hint:
            names[change.hint][change.pair or change.name] = None
    return {hint: tuple(concerned) for hint, concerned in names.items() if len(concerned) > 1}


def _named(names: Sequence[str]) -> str:
    """The first few of ``names``, and how many others there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _without_repeated_reasons(changes: Iterable[AppliedChange]) -> Iterator[AppliedChange]:
    """``changes``; if a whole vault is stale, only the first of its changes says why."""
    reasons: set[tuple[str, str | None]] = set()
    for change in changes:
        is_repeated = change.outcome == "stale" and change.refused and (change.vault, change.error) in reasons
        yield structs.replace(change, error=None) if is_repeated else change
        reasons.add((change.vault, change.error))


def _pair_row(pair: PairView, changes: Sequence[AppliedChange], details: _Details, *, verbose: bool) -> Row:
    outcomes = {change.outcome for change in changes}
    symbol, label, tone = _BLOCKED if wording.worst(pair) == "blocked" else _IN_SYNC
    if outcomes:
        symbol, label, tone = next(shown for outcome, shown in _OUTCOMES.items() if outcome in outcomes)
    if len(outcomes) > 1:
        labels = [
            f"{_outcome(change)[1]} {change.direction or wording.NOUNS[change.kind]}"
            for change in changes
            if change.kind != "protected_item"
        ]
        machines = Counter(_outcome(change)[1] for change in changes if change.kind == "protected_item")
        labels += [f"{wording.count(number, 'machine')} {outcome}" for outcome, number in machines.items()]
        label = wording.listed(dict.fromkeys(labels))
    seconds = max((change.seconds for change in changes), default=0.0)
    return Row(
        (
            symbol or wording.pair_symbol(pair),
            pair.name,
            wording.network(pair.primary_network_id, pair.primary_location, pair.primary_network),
            wording.arrow(pair),
            wording.network(pair.recovery_network_id, pair.recovery_location, pair.recovery_network),
            label,
            f"{seconds:.1f}" if changes else "",
        ),
        tone,
        tuple(details(changes, verbose=verbose)),
    )


def _outcome(change: AppliedChange) -> tuple[str, str, Tone]:
    return _OUTCOMES[change.outcome]


def _details(changes: Sequence[AppliedChange], *, verbose: bool) -> Iterator[str]:
    """The outcome of each change; machines that were left alone for the same reason share a line."""
    lines: list[tuple[str, str]] = []
    by_reason: dict[tuple[str, ...], list[AppliedChange]] = defaultdict(list)
    for number, change in enumerate(changes):
        key: tuple[str, ...] = (str(number),)
        if change.kind == "protected_item" and not verbose:
            # Azure's error about a missing right names the machine, although all of them lack the same right.
            key = (change.outcome, (change.error or "").replace(str(change.resource_id), ""), change.hint)
        by_reason[key].append(change)
    for group in by_reason.values():
        first = group[0]
        label = wording.change_label(first)
        if len(group) > 1 and first.error:
            label = f"~ {len(group)} machines ({_named([change.name for change in group])})"
        if first.error:
            lines.append((f"{label}: {_outcome(first)[1]}: {first.error}", first.hint))
        elif verbose:
            lines.append((f"{label}: {_outcome(first)[1]} in {first.seconds:.1f} s", ""))
        lines += [(f"{wording.change_label(change)}: {warning}", "") for change in group for warning in change.warnings]
        if verbose:
            lines.append((f"    {first.resource_id}", ""))
    # A hint that several lines share appears once, below the last of them.
    for index, (line, hint) in enumerate(lines):
        yield line
        if hint and hint not in [later for _, later in lines[index + 1 :]]:
            yield f"    hint: {hint}"


def _other_changes(changes: Sequence[AppliedChange], *, with_error: bool) -> Section:
    rows = [
        Row(
            (f"{wording.change_label(change)} in vault {change.vault}: {_result_text(change, with_error=with_error)}",),
            _outcome(change)[2],
        )
        for change in changes
    ]
    return Section("Other changes", (), tuple(rows))


def _result_text(change: AppliedChange, *, with_error: bool) -> str:
    result = f"{_outcome(change)[1]}: {change.error}" if change.error and with_error else _outcome(change)[1]
    hint = f"hint: {change.hint}" if change.hint and with_error else ""
    return "; ".join(filter(None, (result, *change.warnings, hint)))


def report_summary(report: Report) -> str:
    """The summary line: what was done, or the changes by outcome; unchanged mappings, requests and time."""
    parts = [_counts(report)] if report.changes else [unchanged_counts(report)]
    head = "Nothing can be done" if not report.changes and report.summary.blocked else _RESULTS[report.result]
    parts += ["some changes may still be under way; running again finishes the rest"] if report.interrupted else []
    requests = sum(number for method, number in report.requests.items() if method != "retries")
    if requests:
        retries = report.requests.get("retries", 0)
        retries_text = f", {wording.count(retries, 'retry', 'retries')}" if retries else ""
        parts.append(f"{wording.count(requests, 'request')}{retries_text}, {report.seconds:.1f} s")
    return f"{'Interrupted' if report.interrupted else head}: {'; '.join(parts)}."


def _counts(report: Report) -> str:
    outcomes = Counter(_outcome(change)[1] for change in report.changes)
    changes = wording.count(len(report.changes), "change")
    counts = ", ".join(f"{number} {outcome_label}" for outcome_label, number in outcomes.items())
    if outcomes.keys() == {"succeeded"}:
        outcome_text = describe_changes(report.changes, past=True)
    else:
        # The rows are pairs, so the changes are named in the words of the plan's last line.
        named = f"{changes} {next(iter(outcomes))}: {describe_changes(report.changes)}"
        outcome_text = f"{changes}: {counts}" if len(outcomes) > 1 else named
    blocked = report.summary.blocked
    held = f"; {wording.count(blocked, 'mapping')} blocked" if blocked else ""
    return f"{outcome_text}{held}"
