"""The result of each pair, planned or applied, for the formats that report pair by pair."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeVar

from msgspec import Struct

from asrnet.model.arm import ArmId
from asrnet.model.findings import CORRECTED, FOLLOWS, Finding, FindingKind, Severity
from asrnet.model.machine_networks import MachineNetworks
from asrnet.model.plan import Change, PairStatus, PairView, Plan
from asrnet.model.report import AppliedChange, Outcome

P = TypeVar("P", Change, Finding)

State = PairStatus | Literal["corrected", "failed"]
Status = Literal["failed", "blocked", "retargeted", "not_paired", "half", "missing", "external", "corrected", "in_sync"]

STATUSES: Final[Mapping[Status, str]] = {
    "failed": "failed",
    "blocked": "blocked",
    "retargeted": "leads elsewhere",
    "not_paired": "not paired",
    "half": "half",
    "missing": "missing",
    "external": "left to another tool",
    "corrected": "corrected",
    "in_sync": "in sync",
}
"""The label of each status, the most urgent first."""


class MappingResult(Struct, frozen=True, kw_only=True):
    """The state of one declared mapping of a pair, with the change that concerns it."""

    direction: Literal["forward", "reverse"]
    state: State
    change: Change | None = None


class PairResult(Struct, frozen=True, kw_only=True):
    """A pair with its mappings, changes and findings, without the findings that were corrected."""

    pair: PairView
    status: Status
    mappings: tuple[MappingResult, ...]
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()

    def drift(self, *, warnings_count: bool = False) -> tuple[Finding, ...]:
        """The findings that count as drift, by themselves or through a change."""
        pending = {
            str(change.resource_id)
            for change in self.changes
            if change.kind == "protected_item" and outcome_of(change) != "succeeded"
        }
        return tuple(
            finding
            for finding in self.findings
            if finding.counts(warnings_count=warnings_count)
            or (finding.kind in CORRECTED and self.status != "external")
            or (finding.kind in FOLLOWS and finding.subject in pending)
        )


class PairResults(Struct, frozen=True, kw_only=True):
    """The results of all declared pairs, and the changes and findings that belong to none of them."""

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
    # A plan made after the report shows which machines are as they should be by now.
    in_sync_by_now = {machine.id for machine in left.machines if machine.status == "in_sync"} if left else set()
    return PairResults(
        pairs=tuple(
            _pair_result(
                pair,
                changes[pair.vault, pair.name],
                findings[pair.vault, pair.name],
                in_sync_by_now,
                planned_again=left is not None,
            )
            for pair in current.pairs
        ),
        changes=tuple(change for change in document.changes if (change.vault, change.pair) not in declared),
        findings=tuple(finding for finding in current.findings if (finding.vault, finding.pair) not in declared),
    )


def is_drifting(document: Plan, left: Plan | None = None, *, warnings_count: bool = False) -> bool:
    """Whether changes are pending or findings count as drift; exit codes follow the same rule."""
    current = left or document
    is_pending = any(outcome_of(change) != "succeeded" for change in current.changes)
    return is_pending or any(finding.counts(warnings_count=warnings_count) for finding in current.findings)


def outcome_of(change: Change) -> Outcome | None:
    """The outcome of a change, or None if it is only planned."""
    return change.outcome if isinstance(change, AppliedChange) else None


def is_refused(change: Change) -> bool:
    """Whether a safeguard refused the change, so that it was not tried."""
    return isinstance(change, AppliedChange) and change.refused


def error_of(change: Change) -> str | None:
    """Why an applied change was not made; None if it succeeded or is only planned."""
    return change.error if isinstance(change, AppliedChange) else None


def hint_of(change: Change) -> str:
    """What to do about an applied change that was not made."""
    return change.hint if isinstance(change, AppliedChange) else ""


def warnings_of(change: Change) -> tuple[str, ...]:
    """What needs a look although an applied change succeeded."""
    return change.warnings if isinstance(change, AppliedChange) else ()


def settled_kinds(before: MachineNetworks, after: MachineNetworks) -> Iterator[FindingKind]:
    """The kinds of findings about a machine that its update from ``before`` to ``after`` settles."""
    if before.recovery_network_id != after.recovery_network_id:
        yield FindingKind.STALE_PROTECTED_ITEM
    if before.test_network_id != after.test_network_id:
        yield FindingKind.TEST_NETWORK_DIFFERS


def _by_pair(parts: Iterable[P]) -> dict[tuple[str | None, str | None], list[P]]:
    groups: dict[tuple[str | None, str | None], list[P]] = defaultdict(list)
    for part in parts:
        groups[part.vault, part.pair].append(part)
    return groups


def _pair_result(
    pair: PairView,
    changes: Sequence[Change],
    findings: Sequence[Finding],
    in_sync_by_now: Collection[ArmId],
    *,
    planned_again: bool,
) -> PairResult:
    mappings = [_mapping_result("forward", pair.forward, changes, planned_again=planned_again)]
    if pair.reverse:
        mappings.append(_mapping_result("reverse", pair.reverse, changes, planned_again=planned_again))
    status = _status(mappings)
    if status == "retargeted":  # the retarget also creates the reverse, so the pair is not reported as half
        findings = [finding for finding in findings if finding.kind != FindingKind.HALF_PAIR]
    elif status == "corrected":
        findings = [finding for finding in findings if finding.kind not in CORRECTED]
    has_failed_machines = any(
        change.kind == "protected_item"
        and outcome_of(change) not in {None, "succeeded"}
        and not is_refused(change)
        and change.resource_id not in in_sync_by_now
        for change in changes
    )
    if has_failed_machines:
        status = "failed"
    settled = {
        (kind, str(change.resource_id))
        for change in changes
        if isinstance(change.before, MachineNetworks) and isinstance(change.after, MachineNetworks)
        if outcome_of(change) == "succeeded" and not planned_again
        for kind in settled_kinds(change.before, change.after)
    }
    findings = [finding for finding in findings if (finding.kind, finding.subject) not in settled]
    return PairResult(
        pair=pair, status=status, mappings=tuple(mappings), changes=tuple(changes), findings=tuple(findings)
    )


def _mapping_result(
    direction: Literal["forward", "reverse"], status: PairStatus, changes: Sequence[Change], *, planned_again: bool
) -> MappingResult:
    change = next((change for change in changes if change.direction in {direction, "both"}), None)
    outcome = outcome_of(change) if change else None
    if change is None or outcome is None or is_refused(change):
        return MappingResult(direction=direction, state=status, change=change)
    # A plan made after the report shows the present state. Without one the outcome decides, which was read back.
    in_sync = status == "in_sync" if planned_again else outcome == "succeeded"
    state: State = status
    if outcome != "succeeded":
        state = "in_sync" if in_sync else "failed"
    elif in_sync:
        state = "corrected"
    return MappingResult(direction=direction, state=state, change=change)


def _status(mappings: Sequence[MappingResult]) -> Status:
    states = {mapping.state for mapping in mappings}
    if "failed" in states:
        return "failed"
    if "blocked" in states:
        return "blocked"
    # An update is a retarget, unless all updates keep their targets: those only restore the state Paired.
    if "update" in states:
        updates = [mapping.change for mapping in mappings if mapping.state == "update"]
        keeps_targets = states <= {"update", "in_sync"} and all(change and change.keeps_target for change in updates)
        return "not_paired" if keeps_targets else "retargeted"
    if "create" in states:
        return "missing" if states == {"create"} else "half"
    if "external" in states:
        return "external"
    return "corrected" if "corrected" in states else "in_sync"
