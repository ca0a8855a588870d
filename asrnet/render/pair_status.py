"""The result of each pair, planned or applied, for the formats that report pair by pair."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeVar

from msgspec import Struct

from asrnet.model.findings import CORRECTED, Finding, FindingKind, Severity
from asrnet.model.plan import Change, PairStatus, PairView, Plan
from asrnet.model.report import AppliedChange, Outcome

P = TypeVar("P", Change, Finding)

Way = Literal["forward", "reverse"]
State = PairStatus | Literal["corrected", "failed"]
Verdict = Literal[
    "failed", "blocked", "retargeted", "not_paired", "half", "missing", "external", "corrected", "in_sync"
]

VERDICTS: Final[Mapping[Verdict, str]] = {
    "failed": "failed",
    "blocked": "blocked",
    "retargeted": "retargeted",
    "not_paired": "not paired",
    "half": "half",
    "missing": "missing",
    "external": "left to another tool",
    "corrected": "corrected",
    "in_sync": "in sync",
}
"""Each verdict in words, the most urgent first."""


class Direction(Struct, frozen=True, kw_only=True):
    """One declared mapping of a pair, with the change that concerns it."""

    way: Way
    state: State
    change: Change | None = None


class PairResult(Struct, frozen=True, kw_only=True):
    """A pair with its changes and findings; a finding that was corrected is left out."""

    pair: PairView
    verdict: Verdict
    directions: tuple[Direction, ...]
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()

    def drift(self, *, warnings_count: bool = False) -> tuple[Finding, ...]:
        """The findings that count as drift, by themselves or through a change."""
        return tuple(
            finding
            for finding in self.findings
            if finding.counts(warnings_count=warnings_count)
            or (finding.kind in CORRECTED and self.verdict != "external")
        )


class PairResults(Struct, frozen=True, kw_only=True):
    """The results of all pairs, and the changes and findings that concern no declared pair."""

    pairs: tuple[PairResult, ...]
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]

    @property
    def severities(self) -> Counter[Severity]:
        """The number of findings of each severity."""
        of_pairs = (finding for result in self.pairs for finding in result.findings)
        return Counter(finding.severity for finding in (*of_pairs, *self.findings))


def pair_results(document: Plan, left: Plan | None = None) -> PairResults:
    """The result of every pair of a plan or report; ``left`` is the plan that was made after the report, if any."""
    current = left or document
    declared = {(pair.vault, pair.name) for pair in current.pairs}
    changes, findings = _by_pair(document.changes), _by_pair(current.findings)
    return PairResults(
        pairs=tuple(
            _pair_result(
                pair, changes[pair.vault, pair.name], findings[pair.vault, pair.name], planned_again=left is not None
            )
            for pair in current.pairs
        ),
        changes=tuple(change for change in document.changes if (change.vault, change.pair) not in declared),
        findings=tuple(finding for finding in current.findings if (finding.vault, finding.pair) not in declared),
    )


def is_drifting(document: Plan, left: Plan | None = None, *, warnings_count: bool = False) -> bool:
    """Whether changes are pending or findings count as drift, as the exit codes have it."""
    current = left or document
    is_pending = any(outcome_of(change) != "succeeded" for change in current.changes)
    return is_pending or any(finding.counts(warnings_count=warnings_count) for finding in current.findings)


def outcome_of(change: Change) -> Outcome | None:
    """The outcome of a change; None where it is only planned."""
    return change.outcome if isinstance(change, AppliedChange) else None


def is_refused(change: Change) -> bool:
    """Whether a safeguard kept the change from being tried."""
    return isinstance(change, AppliedChange) and change.refused


def error_of(change: Change) -> str | None:
    """Why a change was not made, if it was tried."""
    return change.error if isinstance(change, AppliedChange) else None


def _by_pair(parts: Iterable[P]) -> dict[tuple[str | None, str | None], list[P]]:
    groups: dict[tuple[str | None, str | None], list[P]] = defaultdict(list)
    for part in parts:
        groups[part.vault, part.pair].append(part)
    return groups


def _pair_result(
    pair: PairView, changes: Sequence[Change], findings: Sequence[Finding], *, planned_again: bool
) -> PairResult:
    statuses: list[tuple[Way, PairStatus]] = [("forward", pair.forward)]
    if pair.reverse:
        statuses.append(("reverse", pair.reverse))
    directions = tuple(_direction(way, status, changes, planned_again=planned_again) for way, status in statuses)
    verdict = _verdict(directions)
    if verdict == "retargeted":  # such a pair is not half as well: the retarget makes the reverse
        findings = [finding for finding in findings if finding.kind != FindingKind.HALF_PAIR]
    elif verdict == "corrected":
        findings = [finding for finding in findings if finding.kind not in CORRECTED]
    return PairResult(
        pair=pair, verdict=verdict, directions=directions, changes=tuple(changes), findings=tuple(findings)
    )


def _direction(way: Way, status: PairStatus, changes: Sequence[Change], *, planned_again: bool) -> Direction:
    change = next((change for change in changes if change.direction in {way, "both"}), None)
    outcome = outcome_of(change) if change else None
    if change is None or outcome is None or is_refused(change):
        return Direction(way=way, state=status, change=change)
    # A plan made afterwards knows the present state; without one, the outcome was read back.
    in_sync = status == "in_sync" if planned_again else outcome == "succeeded"
    state: State = status
    if outcome != "succeeded":
        state = "in_sync" if in_sync else "failed"
    elif in_sync:
        state = "corrected"
    return Direction(way=way, state=state, change=change)


def _verdict(directions: Sequence[Direction]) -> Verdict:
    states = {direction.state for direction in directions}
    if "failed" in states:
        return "failed"
    if "blocked" in states:
        return "blocked"
    if "update" in states:
        updates = [direction.change for direction in directions if direction.state == "update"]
        only_state = states <= {"update", "in_sync"} and all(change and change.keeps_target for change in updates)
        return "not_paired" if only_state else "retargeted"
    if "create" in states:
        return "missing" if states == {"create"} else "half"
    if "external" in states:
        return "external"
    return "corrected" if "corrected" in states else "in_sync"
