"""Reports: plans with the outcomes of their changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from asrnet.model.plan import Change, Plan

Outcome = Literal["succeeded", "failed", "skipped", "stale", "rolled_back", "in_flight"]
Result = Literal["succeeded", "partial", "failed", "nothing_to_do", "refused"]


class AppliedChange(Change, frozen=True, kw_only=True):
    """A change with its outcome. ``seconds`` is the time from its first request to its last answer.

    ``stale``: Azure has changed since the plan, and the changes of others were left alone. ``rolled_back``: a step
    failed, and the earlier ones were undone. ``in_flight``: Azure accepted it and has not reported the result.
    ``refused``: a safeguard did not allow it. ``warnings`` need a look although the change succeeded.
    """

    outcome: Outcome
    error: str | None = None
    seconds: float = 0.0
    refused: bool = False
    warnings: tuple[str, ...] = ()


class Report(Plan, frozen=True, kw_only=True):
    """A plan with outcomes. ``requests`` counts the requests sent, by method, and the ``retries`` among them.

    ``run`` is the id of the run, if it has one: audit lines, logs and Azure's activity log have it too.
    """

    changes: tuple[AppliedChange, ...] = ()
    result: Result = "nothing_to_do"
    requests: Mapping[str, int] = {}
    seconds: float = 0.0
    interrupted: bool = False
    run: str = ""


def result_of(changes: tuple[AppliedChange, ...]) -> Result:
    """The result of a run as a whole."""
    if not changes:
        return "nothing_to_do"
    if all(change.outcome == "succeeded" for change in changes):
        return "succeeded"
    if any(change.outcome == "succeeded" for change in changes):
        return "partial"
    return "refused" if all(change.refused for change in changes) else "failed"
