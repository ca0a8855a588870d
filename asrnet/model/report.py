"""Reports: plans with the outcomes of their changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from asrnet.model.explanation import Meaning
from asrnet.model.plan import Change, Plan

Outcome = Literal["succeeded", "failed", "skipped", "stale", "rolled_back", "in_flight"]
Result = Literal["succeeded", "partial", "failed", "nothing_to_do", "refused"]


OUTCOMES: Final[Mapping[Outcome, Meaning]] = {
    "succeeded": Meaning("The change was made, and was read back as it should be.", "Nothing."),
    "failed": Meaning(
        "Azure refused the change, or it was accepted and did not take effect.",
        "The error names the cause and often a hint. Correct it and plan again: what was done stays.",
    ),
    "skipped": Meaning(
        "The change was not begun, because one that it depends on failed, a safeguard holds it, or the run ended.",
        "Its error names the reason. Plan again when that is settled.",
    ),
    "stale": Meaning(
        "Azure has changed since the plan was made, so the change was not made. Others' changes were left alone.",
        "Plan again and look at what is different.",
    ),
    "rolled_back": Meaning(
        "A step of the change failed, and the steps before it were undone: everything is as before the change.",
        "The error names the cause. Correct it and plan again.",
    ),
    "in_flight": Meaning(
        "Azure accepted the change and has not reported its result: the run timed out or was interrupted.",
        "Look at the job in the vault, or plan again when it has ended.",
    ),
}
"""Every outcome of a change."""


RESULTS: Final[Mapping[Result, Meaning]] = {
    "succeeded": Meaning("Every change was made.", "Nothing."),
    "partial": Meaning("Some changes were made, and others were not.", "Plan again to see what is left, and why."),
    "failed": Meaning("No change was made.", "The errors of the changes name the causes."),
    "nothing_to_do": Meaning("There was no change to make.", "Nothing, unless pairs are blocked: the errors say why."),
    "refused": Meaning("A safeguard allowed no change.", "The message names it; asrnet explain says what lifts it."),
}
"""Every result of a run."""


class AppliedChange(Change, frozen=True, kw_only=True):
    """A change with its outcome. ``seconds`` is the time from its first request to its last answer.

    ``stale``: Azure has changed since the plan, and the changes of others were left alone. ``rolled_back``: a step
    failed, and the earlier ones were undone. ``in_flight``: Azure accepted it and has not reported the result.
    ``refused``: a safeguard did not allow it. ``error`` says why it was not made, and ``hint`` what to do next.
    ``warnings`` need a look although the change succeeded.
    """

    outcome: Outcome
    error: str | None = None
    hint: str = ""
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
