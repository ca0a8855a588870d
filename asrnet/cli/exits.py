"""Exit codes, and which of them a plan or report leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asrnet.model.findings import HOLDS

if TYPE_CHECKING:
    from asrnet.applying import Report
    from asrnet.drift import Correction
    from asrnet.model.plan import Plan

DONE: Final = 0
ERROR: Final = 1
PENDING: Final = 2
REFUSED: Final = 3

_WENT_WRONG: Final = frozenset({"failed", "rolled_back", "in_flight"})


def of_plan(plan: Plan, *, warnings_count: bool = False) -> int:
    """PENDING where changes are pending or a finding blocks a pair; with ``warnings_count`` for any warning too."""
    counted = any(finding.counts(warnings_count=warnings_count) for finding in plan.findings)
    return PENDING if plan.changes or counted else DONE


def of_report(report: Report) -> int:
    """ERROR where something went wrong; REFUSED where a safeguard stopped everything; PENDING where a pair is blocked.

    A change that a safeguard held back while others were made counts as blocked: the next run takes it up.
    """
    refused = [change for change in report.changes if change.refused]
    if report.interrupted or any(change.outcome in _WENT_WRONG for change in report.changes):
        return ERROR
    if any(change.outcome == "skipped" and not change.refused for change in report.changes):
        return ERROR
    errors = {finding.kind for finding in report.findings if finding.severity == "error"}
    only_frozen = bool(errors) and errors <= HOLDS
    if not any(change.outcome == "succeeded" for change in report.changes) and (refused or only_frozen):
        return REFUSED
    return PENDING if refused or errors else DONE


def of_correction(correction: Correction, *, warnings_count: bool = False) -> int:
    """ERROR and REFUSED as for its report, ERROR also where the remaining drift is unknown; else that drift decides."""
    code = of_report(correction.report)
    if correction.left is None or code == ERROR:
        return ERROR
    return REFUSED if code == REFUSED else of_plan(correction.left, warnings_count=warnings_count)
