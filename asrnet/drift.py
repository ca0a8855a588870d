"""Drift: what a change corrects, which kinds of drift a run is about, and the correction of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct, structs

from asrnet import planning
from asrnet.applying import AppliedChange, Report
from asrnet.desired import EVERYTHING, DesiredState, Selection
from asrnet.errors import AsrError
from asrnet.inventory.read import Inventory, read_inventory
from asrnet.model.azure import NetworkMapping
from asrnet.model.findings import CORRECTED, HOLDS, Finding, FindingKind
from asrnet.model.plan import Change, PairView, Plan, Resources
from asrnet.ports import Backend


class Kinds(Struct, frozen=True, kw_only=True):
    """The kinds of findings that a run is about: all, or ``only`` these, but for those ``ignored``."""

    only: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def have(self, kind: str) -> bool:
        """Whether the run is about ``kind``."""
        return kind not in self.ignored and (not self.only or kind in self.only)


ALL_KINDS: Final = Kinds()


class Detected(Struct, frozen=True, kw_only=True):
    """What was read, and the plan that follows from it."""

    inventory: Inventory
    plan: Plan


class Correction(Struct, frozen=True, kw_only=True):
    """What came of correcting, and what is left. ``left`` is None where ``problem`` kept it from being known.

    ``refusals`` are the limits that the plan was over, a line each: nothing was begun then.
    """

    detected: Detected
    report: Report
    left: Plan | None
    refusals: tuple[str, ...] = ()
    problem: AsrError | None = None


def detect_drift(
    desired: DesiredState,
    backend: Backend,
    *,
    selection: Selection = EVERYTHING,
    kinds: Kinds = ALL_KINDS,
    forced: Collection[str] = (),
    allow_delete: bool = False,
) -> Detected:
    """Read and plan, for the drift of these ``kinds``. Raises what reading raises."""
    inventory = read_inventory(desired, backend, selection=selection)
    return drift_in(desired, inventory, selection=selection, kinds=kinds, forced=forced, allow_delete=allow_delete)


def drift_in(
    desired: DesiredState,
    inventory: Inventory,
    *,
    selection: Selection = EVERYTHING,
    kinds: Kinds = ALL_KINDS,
    forced: Collection[str] = (),
    allow_delete: bool = False,
) -> Detected:
    """Plan, for the drift of these ``kinds`` in what was read."""
    plan = planning.plan(desired, inventory, selection=selection, forced=forced, allow_delete=allow_delete)
    return Detected(inventory=inventory, plan=restricted(plan, kinds))


def correct_drift(
    detected: Callable[[], Detected], apply: Callable[[Plan], Report], *, forced: Collection[str] = ()
) -> Correction:
    """Detect, apply within the limits, and detect again. Raises only where nothing was written yet."""
    before = detected()
    over = before.plan.violations(forced)
    if over:
        return Correction(detected=before, report=refused(before.plan, over), left=before.plan, refusals=over)
    report = apply(before.plan)
    if not report.changes:
        return Correction(detected=before, report=report, left=before.plan)
    try:
        left = detected().plan
    except AsrError as error:
        return Correction(detected=before, report=report, left=None, problem=error)
    return Correction(detected=before, report=report, left=left)


def refused(plan: Plan, reasons: Iterable[str]) -> Report:
    """The report of a plan of which nothing was begun, for ``reasons``."""
    why = "; ".join(reasons)
    return Report(
        **{name: getattr(plan, name) for name in plan.__struct_fields__ if name != "changes"},
        changes=tuple(
            AppliedChange(
                **{name: getattr(change, name) for name in change.__struct_fields__},
                outcome="skipped",
                error=why,
                refused=True,
            )
            for change in plan.changes
        ),
        result="refused",
    )


def cause(change: Change, findings: Iterable[Finding]) -> FindingKind | None:
    """The kind of drift that a change corrects, given its pair's ``findings``; None for networks and fabrics."""
    if change.kind != "network_mapping":
        return None
    if change.action == "delete":
        return FindingKind.UNMANAGED
    if change.action == "update":
        before, after = change.before, change.after
        assert isinstance(before, NetworkMapping)  # noqa: S101 - an update of a mapping has both
        assert isinstance(after, NetworkMapping)  # noqa: S101 - the same
        same_target = before.recovery_network_id == after.recovery_network_id
        return FindingKind.NOT_PAIRED if same_target else FindingKind.RETARGETED
    none_exists = any(found.kind == FindingKind.MISSING_PAIR for found in findings)
    return FindingKind.MISSING_PAIR if none_exists else FindingKind.HALF_PAIR


def restricted(plan: Plan, kinds: Kinds) -> Plan:
    """``plan`` without the changes and findings that are about other kinds of drift than ``kinds``.

    A change that depends on one left out is left out too. Of a pair of which only such was said nothing is said. What
    holds a change of these kinds back (a freeze, a failover) stays, unless it is ignored by name.
    """
    if kinds == ALL_KINDS:
        return plan
    said = _by_pair(plan.findings)
    changes = _kept(plan, kinds, said)
    findings = tuple(found for found in plan.findings if _stays(found, said, kinds))
    was, pending = _pending(plan.changes, plan.findings), _pending(changes, findings)
    pairs = tuple(pair for pair in plan.pairs if _of(pair) in pending or _of(pair) not in was)
    actions = Counter(change.action for change in changes if change.kind == "network_mapping")
    made = Counter(change.kind for change in changes)
    statuses = Counter(status for pair in pairs for status in (pair.forward, pair.reverse))
    return structs.replace(
        plan,
        changes=changes,
        findings=findings,
        pairs=pairs,
        resources=Resources(virtual_network=made["virtual_network"], fabric=made["fabric"]),
        summary=structs.replace(
            plan.summary,
            in_sync=statuses["in_sync"],
            create=actions["create"],
            update=actions["update"],
            delete=actions["delete"],
            blocked=statuses["blocked"],
            unmanaged=plan.summary.unmanaged if kinds.have("unmanaged") else 0,
        ),
    ).sealed()


_PairKey = tuple[str | None, str | None]


def _of(part: Change | Finding | PairView) -> _PairKey:
    return (part.vault, part.name if isinstance(part, PairView) else part.pair)


def _by_pair(findings: Iterable[Finding]) -> Mapping[_PairKey, list[Finding]]:
    found: dict[_PairKey, list[Finding]] = {}
    for each in findings:
        found.setdefault(_of(each), []).append(each)
    return found


def _kept(plan: Plan, kinds: Kinds, said: Mapping[_PairKey, list[Finding]]) -> tuple[Change, ...]:
    causes = {change.id: cause(change, said.get(_of(change), ())) for change in plan.changes}
    dropped = {change_id for change_id, kind in causes.items() if kind and not kinds.have(kind)}
    grown = True
    while grown:
        more = {change.id for change in plan.changes if dropped.intersection(change.depends_on)} - dropped
        dropped |= more
        grown = bool(more)
    needed = {need for change in plan.changes if change.id not in dropped for need in change.depends_on}
    return tuple(
        change
        for change in plan.changes
        if change.id not in dropped and (causes[change.id] is not None or change.id in needed)
    )


def _stays(found: Finding, said: Mapping[_PairKey, list[Finding]], kinds: Kinds) -> bool:
    if found.kind in HOLDS and found.kind not in kinds.ignored:
        held = {other.kind for other in said[_of(found)] if other.kind in CORRECTED}
        return any(kinds.have(kind) for kind in held or {FindingKind.UNMANAGED})
    return kinds.have(found.kind)


def _pending(changes: Iterable[Change], findings: Iterable[Finding]) -> set[_PairKey]:
    """The pairs that have a change before them, or an error that blocks them."""
    return {_of(change) for change in changes} | {_of(found) for found in findings if found.severity == "error"}
