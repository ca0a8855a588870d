"""What could not be read is an error on standard error as well: a plan that misses a part of Azure is no success."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asrnet.cli import logs
from asrnet.model.findings import UNREAD

if TYPE_CHECKING:
    from asrnet.model.plan import Plan

_SHOWN_AT_MOST = 5


def report_unreadable(plan: Plan) -> bool:
    """Report each network and vault that could not be read, once and a few at most; whether there were any."""
    unreadable = {finding.message: finding for finding in plan.findings if finding.kind in UNREAD}
    for finding in list(unreadable.values())[:_SHOWN_AT_MOST]:
        logs.error(finding.message, hint=finding.hint)
    if len(unreadable) > _SHOWN_AT_MOST:
        logs.error(f"and {len(unreadable) - _SHOWN_AT_MOST} more could not be read; the plan names them all")
    return bool(unreadable)


def report_missing(problems: Sequence[str]) -> bool:
    """Report everything that could not be read, a few lines at most; whether there was anything."""
    for problem in problems[:_SHOWN_AT_MOST]:
        logs.error(f"could not be read: {problem}")
    if len(problems) > _SHOWN_AT_MOST:
        logs.error(f"and {len(problems) - _SHOWN_AT_MOST} more could not be read")
    return bool(problems)
