"""For schedulers: detect drift; with --correct, correct it within the limits, without asking."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from asrnet import exit_codes
from asrnet.cli import apply_flow, inputs, logs, outputs
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH
from asrnet.cli.unreadable import report_unreadable
from asrnet.render import DocumentKind
from asrnet.settings.changes import DriftSettings

if TYPE_CHECKING:
    from asrnet.desired import DesiredState, Selection
    from asrnet.drift import Detected
    from asrnet.ports import Backend

DOCUMENT: Final[DocumentKind] = "plan"
EXAMPLES: Final = (
    ("asrnet drift -o text -o junit=drift.xml", "show the drift, also as a test report"),
    ("asrnet drift --correct --audit audit.jsonl", "correct it within the limits"),
    ("asrnet drift --correct --only half_pair", "complete half pairs, and nothing else"),
)
EXITS: Final = {
    0: "everything is as declared",
    1: "an error, or some changes failed",
    2: "drift; with --correct: drift that remains",
    3: "refused: a limit, a freeze, a failover under way",
}


def run(session: Session[DriftSettings]) -> int:
    """Detect, or detect and correct."""
    return _correct(session) if session.settings.correct else _detect(session)


def _detect(session: Session[DriftSettings]) -> int:
    with outputs.opened(session.settings, DOCUMENT) as opened:
        desired = inputs.desired_state(session)
        selection = inputs.selection(session.settings, desired)
        with session.backend(desired) as backend:
            detected = _detector(session, desired, selection, backend)()
            run = session.so_far(inventory=detected.inventory, requests=backend.requests())
        opened.write(detected.plan, session.view(run=run))
        report_unreadable(detected.plan)
        return exit_codes.exit_code(detected.plan, warnings_count=session.settings.warnings_count)


def _correct(session: Session[DriftSettings]) -> int:
    desired = inputs.desired_state(session)
    selection = inputs.selection(session.settings, desired)
    with (
        outputs.opened(session.settings, DOCUMENT) as opened,
        apply_flow.audit(session, opened) as on_write,
    ):
        with session.backend(desired) as backend:
            from asrnet.drift import correct_detected

            correction = correct_detected(
                _detector(session, desired, selection, backend),
                lambda plan: apply_flow.apply_plan(session, plan, backend, on_write, stale={}),
                forced=session.settings.force,
            )
            run = session.so_far(
                inventory=correction.detected.inventory, left=correction.left, requests=backend.requests()
            )
        apply_flow.finish(session, correction.report, opened, run=run)
    if correction.problem:
        problem = f"the remaining drift could not be read: {correction.problem.message}"
        logs.error(problem, hint=correction.problem.hint)
    code = exit_codes.exit_code(correction, warnings_count=session.settings.warnings_count)
    if code == exit_codes.PENDING and correction.left:
        for change in correction.left.changes:
            logs.warn(f"drift remains: {change.action} of {change.name}: {change.reason}")
        for finding in correction.left.findings:
            if finding.counts(warnings_count=session.settings.warnings_count):
                logs.warn(f"drift remains: {finding.kind}: {finding.message}", hint=finding.hint)
    return code


def _detector(
    session: Session[DriftSettings], desired: DesiredState, selection: Selection, backend: Backend
) -> Callable[[], Detected]:
    from asrnet.drift import Kinds, drift_in
    from asrnet.inventory.read import read_inventory

    settings = session.settings

    def detect() -> Detected:
        inventory = read_inventory(desired, backend, selection=selection)
        WATCH.mark("reads")
        detected = drift_in(
            desired,
            inventory,
            selection=selection,
            kinds=Kinds(only=frozenset(settings.only), ignored=frozenset(settings.ignore)),
            forced=settings.force,
            allow_delete=settings.allow_delete,
        )
        WATCH.mark("planning")
        inputs.check_pairs(selection, detected.plan, settings, desired)
        inputs.check_machines(selection, detected.plan, inventory, settings)
        return detected

    return detect
