"""Errors on standard error for everything that could not be read, because an incomplete plan is not a success."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asrnet.cli import logs

if TYPE_CHECKING:
    from asrnet.model.plan import Plan

_SHOWN_AT_MOST = 5


def report_unreadable(plan: Plan) -> bool:
    """Report the first few networks and vaults that could not be read. Returns whether there were any."""
    from asrnet.model.findings import UNREAD  # 1 ms, and asrnet validate has no findings

    unreadable = {
        finding.message: finding for finding in plan.findings if finding.kind in UNREAD and finding.severity == "error"
    }
    logs.errors((finding.message, finding.hint) for finding in list(unreadable.values())[:_SHOWN_AT_MOST])
    if len(unreadable) > _SHOWN_AT_MOST:
        logs.error(f"and {len(unreadable) - _SHOWN_AT_MOST} more could not be read; the plan names them all")
    return bool(unreadable)


def report_unread(problems: Sequence[str], hint: str = "") -> bool:
    """Report the first few reading ``problems``, with a ``hint`` for all of them. Returns whether there were any."""
    logs.errors((f"could not be read: {problem}", hint) for problem in problems[:_SHOWN_AT_MOST])
    if len(problems) > _SHOWN_AT_MOST:
        logs.error(f"and {len(problems) - _SHOWN_AT_MOST} more could not be read")
    return bool(problems)
