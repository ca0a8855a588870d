"""What could not be read: said on standard error too, since a plan that lacks a part of the picture is no success."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asrnet.cli import logs
from asrnet.model.findings import UNREAD

if TYPE_CHECKING:
    from asrnet.model.plan import Plan

_MOST = 5


def say_what_is_unread(plan: Plan) -> bool:
    """Tell of each network and vault that could not be read, once and a few at most; whether there were any."""
    found = {each.message: each for each in plan.findings if each.kind in UNREAD}
    for finding in list(found.values())[:_MOST]:
        logs.error(finding.message, hint=finding.hint)
    if len(found) > _MOST:
        logs.error(f"and {len(found) - _MOST} more could not be read; the plan names them all")
    return bool(found)


def say_what_is_missing(problems: Sequence[str]) -> bool:
    """Tell of each part of the picture that is missing, a few at most; whether there are any."""
    for problem in problems[:_MOST]:
        logs.error(f"could not be read: {problem}")
    if len(problems) > _MOST:
        logs.error(f"and {len(problems) - _MOST} more could not be read")
    return bool(problems)
