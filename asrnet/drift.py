"""Drift: the differences between Azure and the desired state, and their correction within the limits.

``detect_drift`` reads and plans; ``correct_drift`` also applies, and plans again to say what is left. ``Kinds``
restricts both to some kinds of drift.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Final

from msgspec import Struct, structs

from asrnet import planning
from asrnet.applying import AuditEntry, Options, Progress, apply
from asrnet.desired import EVERYTHING, DesiredState, Selection
from asrnet.errors import AsrError
from asrnet.inventory.read import Inventory, read_inventory
from asrnet.model.findings import CORRECTED, FOLLOWS, HOLDS, Finding, FindingKind
from asrnet.model.machine_networks import MachineNetworks
from asrnet.model.plan import Change, PairView, Plan, resources_of
from asrnet.model.report import AppliedChange, Report
from asrnet.ports import Backend


class Kinds(Struct, frozen=True, kw_only=True):
    """The kinds of drift that a run is about: all, or ``only`` these, except those ``ignored``."""

    only: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def include(self, kind: str) -> bool:
        """Whether the run is about ``kind``."""
        return kind not in self.ignored and (not self.only or kind in self.only)


ALL_KINDS: Final = Kinds()


class Detected(Struct, frozen=True, kw_only=True):
    """The inventory that was read, and the plan made from it."""

    inventory: Inventory
    plan: Plan


class Correction(Struct, frozen=True, kw_only=True):
    """The report of a correction, and the plan for what is left.

    ``left`` is None if it could not be read because of ``problem``. ``refusals`` are the limits that the plan exceeded,
    one line each; if there are any, nothing was changed.
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
    """Read and plan, for drift of these ``kinds``. Raises the errors of ``read_inventory``."""
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
    """Plan for an inventory that has already been read, for drift of these ``kinds``."""
    plan = planning.plan(desired, inventory, selection=selection, forced=forced, allow_delete=allow_delete)
    return Detected(inventory=inventory, plan=restricted(plan, kinds))


def correct_drift(
    desired: DesiredState,
    backend: Backend,
    options: Options = Options(),  # noqa: B008 - a frozen value
    *,
    selection: Selection = EVERYTHING,
    kinds: Kinds = ALL_KINDS,
    allow_delete: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_write: Callable[[AuditEntry], None] = lambda _: None,
) -> Correction:
    """Detect drift of these ``kinds``, correct it within the limits, and detect again.

    A plan over a limit raises nothing here: no change is made, and the report says why. Raises the errors of
    ``read_inventory`` while nothing has been written. ``exit_code`` gives the command line's code for the result.
    """
    detect = partial(
        detect_drift,
        desired,
        backend,
        selection=selection,
        kinds=kinds,
        forced=options.forced,
        allow_delete=allow_delete,
    )
    carry_out = partial(apply, backend=backend, options=options, on_progress=on_progress, on_write=on_write)
    return correct_detected(detect, carry_out, forced=options.forced)


def correct_detected(
    detect: Callable[[], Detected], carry_out: Callable[[Plan], Report], *, forced: Collection[str] = ()
) -> Correction:
    """``correct_drift`` with the caller's own way to detect and to apply."""
    detected = detect()
    exceeded = detected.plan.violations(forced)
    if exceeded:
        report = refused_report(detected.plan, exceeded)
        return Correction(detected=detected, report=report, left=detected.plan, refusals=exceeded)
    report = carry_out(detected.plan)
    if not report.changes:  # nothing was written, so a second reading would show the same
        return Correction(detected=detected, report=report, left=detected.plan)
    try:
        left = detect().plan
    except AsrError as error:
        return Correction(detected=detected, report=report, left=None, problem=error)
    return Correction(detected=detected, report=report, left=left)


def refused_report(plan: Plan, reasons: Iterable[str]) -> Report:
    """The report of a plan that was not begun because of ``reasons``."""
    error = "; ".join(reasons)
    return Report(
        **{name: getattr(plan, name) for name in plan.__struct_fields__ if name != "changes"},
        changes=tuple(
            AppliedChange(
                **{name: getattr(change, name) for name in change.__struct_fields__},
                outcome="skipped",
                error=error,
                refused=True,
            )
            for change in plan.changes
        ),
        result="refused",
    )


def cause(change: Change, findings: Iterable[Finding]) -> FindingKind | None:
    """The kind of drift that a change corrects, given its pair's ``findings``; None for networks and fabrics.

    A machine with a wrong network for failovers and a wrong one for test failovers counts as stale.
    """
    if change.kind == "protected_item" and isinstance(change.before, MachineNetworks):
        is_stale = change.before.recovery_network_id != change.recovery_network_id
        return FindingKind.STALE_PROTECTED_ITEM if is_stale else FindingKind.TEST_NETWORK_DIFFERS
    if change.kind != "network_mapping":
        return None
    if change.action == "delete":
        return FindingKind.UNMANAGED
    if change.action == "update":
        return FindingKind.NOT_PAIRED if change.keeps_target else FindingKind.RETARGETED
    none_exists = any(finding.kind == FindingKind.MISSING_PAIR for finding in findings)
    return FindingKind.MISSING_PAIR if none_exists else FindingKind.HALF_PAIR


def restricted(plan: Plan, kinds: Kinds) -> Plan:
    """``plan`` without changes and findings of other kinds of drift.

    A change that depends on one left out is left out too, and so is a pair whose only changes and errors are left out.
    Whatever holds a remaining change (a freeze, a failover) stays, unless it is ignored by name.
    """
    if kinds == ALL_KINDS:
        return plan
    by_pair: dict[_PairKey, list[Finding]] = defaultdict(list)
    for finding in plan.findings:
        by_pair[_pair_of(finding)].append(finding)

    # A change stays if its kind is asked for and no change that it depends on is left out. Then those changes stay too.
    causes = {change.id: cause(change, by_pair.get(_pair_of(change), ())) for change in plan.changes}
    dropped = {change_id for change_id, kind in causes.items() if kind and not kinds.include(kind)}
    while dependents := {change.id for change in plan.changes if dropped & set(change.depends_on)} - dropped:
        dropped |= dependents
    needed: set[str] = set()
    # In reverse order, because each change comes after those that it depends on: a network and its resource group stay
    # only if a change that stays needs them.
    for change in reversed(plan.changes):
        if change.id not in dropped and (causes[change.id] is not None or change.id in needed):
            needed |= {change.id, *change.depends_on}
    changes = tuple(change for change in plan.changes if change.id in needed and change.id not in dropped)

    def stays(finding: Finding) -> bool:
        if finding.kind in HOLDS and finding.kind not in kinds.ignored:
            # A held change without a finding of its own is the deletion of an unmanaged mapping.
            held = {other.kind for other in by_pair[_pair_of(finding)] if other.kind in CORRECTED | FOLLOWS}
            return any(kinds.include(kind) for kind in held or {FindingKind.UNMANAGED})
        return kinds.include(finding.kind)

    # The plan's pairs, machines and counts must agree with the changes that stay.
    findings = tuple(finding for finding in plan.findings if stays(finding))
    left_out = _pending(plan.changes, plan.findings) - _pending(changes, findings)
    pairs = tuple(pair for pair in plan.pairs if _pair_of(pair) not in left_out)
    actions = Counter(change.action for change in changes if change.kind == "network_mapping")
    updated = {change.resource_id for change in changes if change.kind == "protected_item"}
    statuses = Counter(status for pair in pairs for status in (pair.forward, pair.reverse))
    return structs.replace(
        plan,
        changes=changes,
        findings=findings,
        pairs=pairs,
        machines=tuple(
            structs.replace(machine, status="reported")
            if machine.status == "update" and machine.id not in updated
            else machine
            for machine in plan.machines
            if (machine.vault, machine.pair) not in left_out
        ),
        resources=resources_of(changes),
        summary=structs.replace(
            plan.summary,
            in_sync=statuses["in_sync"],
            create=actions["create"],
            update=actions["update"],
            delete=actions["delete"],
            blocked=statuses["blocked"],
            unmanaged=plan.summary.unmanaged if kinds.include(FindingKind.UNMANAGED) else 0,
        ),
        # The restricted plan is what is shown and applied, so it needs a checksum of its own.
    ).sealed()


_PairKey = tuple[str | None, str | None]


def _pair_of(part: Change | Finding | PairView) -> _PairKey:
    return (part.vault, part.name if isinstance(part, PairView) else part.pair)


def _pending(changes: Iterable[Change], findings: Iterable[Finding]) -> set[_PairKey]:
    """The pairs with a pending change or an error that blocks them."""
    errors = (finding for finding in findings if finding.severity == "error")
    return {_pair_of(change) for change in changes} | {_pair_of(finding) for finding in errors}
