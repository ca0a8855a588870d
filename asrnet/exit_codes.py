"""Exit codes of the command line, and of programs that do the same with the library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from asrnet.model.explanation import Meaning

if TYPE_CHECKING:
    from asrnet.drift import Correction
    from asrnet.model.plan import Plan
    from asrnet.model.report import Report

DONE: Final = 0
ERROR: Final = 1
PENDING: Final = 2
REFUSED: Final = 3


MEANINGS: Final[Mapping[int, Meaning]] = {
    DONE: Meaning("done, or nothing to do", "Nothing."),
    ERROR: Meaning(
        "an error: usage, a file, Azure; or some changes failed",
        "Standard error says what happened, usually with a hint. After an apply, plan again to see what is left.",
    ),
    PENDING: Meaning(
        "drift or pending changes remain (`drift`; `apply` if a pair stays blocked or a change turned stale; "
        "`plan --detailed-exitcode`)",
        "The result lists the changes and the findings. asrnet apply, or drift --correct, makes the changes.",
    ),
    REFUSED: Meaning(
        "refused: a limit, a stale or tampered plan, a failover under way, a freeze",
        "The message names the safeguard. If a plan is stale, plan again. asrnet explain says how to lift a limit.",
    ),
}
"""Every exit code."""

_FAILURES: Final = frozenset({"failed", "rolled_back", "in_flight"})


def exit_code(result: Plan | Report | Correction, *, warnings_count: bool = False) -> int:
    """The exit code of a plan, a report or a correction: 0 done, 1 error, 2 drift remains, 3 refused.

    With ``warnings_count``, warnings count as drift too.
    """
    # Imported here, which takes 6 ms: every command needs the numbers above, and half of the commands have no plan.
    from asrnet.model.plan import Plan
    from asrnet.model.report import Report

    if isinstance(result, Report):
        return _of_report(result)
    if isinstance(result, Plan):
        counted = any(finding.counts(warnings_count=warnings_count) for finding in result.findings)
        return PENDING if result.changes or counted else DONE
    code = _of_report(result.report)
    if result.left is None or code == ERROR:
        return ERROR
    return REFUSED if code == REFUSED else exit_code(result.left, warnings_count=warnings_count)


def _of_report(report: Report) -> int:
    """ERROR if something failed, REFUSED if a safeguard stopped everything, PENDING if a pair is blocked.

    If a safeguard held back some changes and others were made, the held ones count as blocked: the next run continues.
    """
    from asrnet.model.findings import HOLDS

    refused = [change for change in report.changes if change.refused]
    if report.interrupted or any(change.outcome in _FAILURES for change in report.changes):
        return ERROR
    if any(change.outcome == "skipped" and not change.refused for change in report.changes):
        return ERROR
    errors = {finding.kind for finding in report.findings if finding.severity == "error"}
    only_held = bool(errors) and errors <= HOLDS
    if not any(change.outcome == "succeeded" for change in report.changes) and (refused or only_held):
        return REFUSED
    return PENDING if refused or errors else DONE
