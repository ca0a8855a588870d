"""Where each pair stands: after a plan, or after what came of it. For the formats that judge pair by pair."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeVar

from msgspec import Struct

from asrnet.model.azure import NetworkMapping
from asrnet.model.findings import CORRECTED, Finding, Severity
from asrnet.model.plan import Change, PairStatus, PairView, Plan

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
"""Every verdict in words, the one that needs most attention first."""


class Direction(Struct, frozen=True, kw_only=True):
    """One wanted mapping of a pair, with the change that is about it."""

    way: Way
    state: State
    change: Change | None = None


class Standing(Struct, frozen=True, kw_only=True):
    """A pair with everything that is said about it; what has been corrected is no longer among its findings."""

    pair: PairView
    verdict: Verdict
    directions: tuple[Direction, ...]
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()

    def drift(self, *, warnings_count: bool = False) -> tuple[Finding, ...]:
        """The findings that count as drift: those that do by themselves, and what a change is about."""
        return tuple(
            found
            for found in self.findings
            if found.counts(warnings_count=warnings_count) or (found.kind in CORRECTED and self.verdict != "external")
        )


class Standings(Struct, frozen=True, kw_only=True):
    """All pairs, and what is said of none of them."""

    pairs: tuple[Standing, ...]
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]

    @property
    def severities(self) -> Counter[Severity]:
        """How many findings there are of each severity, of pairs and of none."""
        of_pairs = (found for one in self.pairs for found in one.findings)
        return Counter(found.severity for found in (*of_pairs, *self.findings))


def standings(document: Plan, left: Plan | None = None) -> Standings:
    """How the pairs of a plan or report stand; ``left`` is the plan that was made after the report, if one was."""
    now = left or document
    declared = {(pair.vault, pair.name) for pair in now.pairs}
    changes, findings = _grouped(document.changes), _grouped(now.findings)
    return Standings(
        pairs=tuple(
            _standing(
                pair, changes[pair.vault, pair.name], findings[pair.vault, pair.name], planned_again=left is not None
            )
            for pair in now.pairs
        ),
        changes=tuple(change for change in document.changes if (change.vault, change.pair) not in declared),
        findings=tuple(found for found in now.findings if (found.vault, found.pair) not in declared),
    )


def is_drifting(document: Plan, left: Plan | None = None, *, warnings_count: bool = False) -> bool:
    """Whether something is left to do: changes not made, or findings that count; as the exit codes have it."""
    now = left or document
    unmade = any(outcome_of(change) != "succeeded" for change in now.changes)
    return unmade or any(found.counts(warnings_count=warnings_count) for found in now.findings)


def is_report(document: Plan) -> bool:
    """Whether this is what came of a plan."""
    return hasattr(document, "result")


def outcome_of(change: Change) -> str | None:
    """What came of a change; None where it is only planned."""
    outcome: str | None = getattr(change, "outcome", None)
    return outcome


def is_refused(change: Change) -> bool:
    """Whether a safeguard kept a change from being tried."""
    refused: bool = getattr(change, "refused", False)
    return refused


def error_of(change: Change) -> str | None:
    """Why a change was not made, if it was tried."""
    error: str | None = getattr(change, "error", None)
    return error


def _grouped(parts: Iterable[P]) -> dict[tuple[str | None, str | None], list[P]]:
    groups: dict[tuple[str | None, str | None], list[P]] = defaultdict(list)
    for part in parts:
        groups[part.vault, part.pair].append(part)
    return groups


def _standing(
    pair: PairView, changes: Sequence[Change], findings: Sequence[Finding], *, planned_again: bool
) -> Standing:
    wanted: list[tuple[Way, PairStatus]] = [("forward", pair.forward)]
    wanted += [("reverse", pair.reverse)] if pair.reverse else []
    directions = tuple(_direction(way, status, changes, planned_again=planned_again) for way, status in wanted)
    verdict = _verdict(directions)
    return Standing(
        pair=pair,
        verdict=verdict,
        directions=directions,
        changes=tuple(changes),
        findings=tuple(found for found in findings if not _is_settled(found, verdict)),
    )


def _is_settled(found: Finding, verdict: Verdict) -> bool:
    """Whether the verdict leaves nothing of a finding: a retargeted pair is not half as well."""
    if verdict == "retargeted":
        return found.kind == "half_pair"
    return verdict == "corrected" and found.kind in CORRECTED


def _direction(way: Way, status: PairStatus, changes: Sequence[Change], *, planned_again: bool) -> Direction:
    change = next((one for one in changes if one.direction in {way, "both"}), None)
    outcome = outcome_of(change) if change else None
    if change is None or outcome is None or is_refused(change):
        return Direction(way=way, state=status, change=change)
    # What was planned again says how things are now; without that, what was read back does.
    settled = status == "in_sync" if planned_again else outcome == "succeeded"
    state: State = status
    if outcome != "succeeded":
        state = "in_sync" if settled else "failed"
    elif settled:
        state = "corrected"
    return Direction(way=way, state=state, change=change)


def _verdict(directions: Sequence[Direction]) -> Verdict:
    states = [direction.state for direction in directions]
    for grave in ("failed", "blocked"):
        if grave in states:
            return "failed" if grave == "failed" else "blocked"
    if "update" in states:
        return "not_paired" if all(map(_keeps_target, directions)) else "retargeted"
    if "create" in states:
        return "missing" if set(states) == {"create"} else "half"
    if "external" in states:
        return "external"
    return "corrected" if "corrected" in states else "in_sync"


def _keeps_target(direction: Direction) -> bool:
    """Whether what is to be updated leads to the right network already, and is merely not in order."""
    change = direction.change
    if direction.state != "update" or change is None:
        return direction.state == "in_sync"
    before, after = change.before, change.after
    return (
        isinstance(before, NetworkMapping)
        and isinstance(after, NetworkMapping)
        and before.recovery_network_id == after.recovery_network_id
    )
