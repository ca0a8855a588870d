"""For schedulers: detect what moved; with --correct, correct it within the limits, without asking."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from asrnet.cli import apply_flow as carrying_out
from asrnet.cli import exits, inputs, logs, outputs
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH
from asrnet.cli.unread import say_what_is_unread

if TYPE_CHECKING:
    from asrnet.desired import DesiredState
    from asrnet.drift import Correction, Detected
    from asrnet.model.plan import Plan
    from asrnet.ports import Backend


FORMATS: Final = outputs.PLAN_FORMATS
EXAMPLES: Final = (
    ("asrnet drift -o text -o junit=drift.xml", "what has moved"),
    ("asrnet drift --correct --audit audit.jsonl", "correct it within the limits"),
    ("asrnet drift --correct --only half_pair", "put back missing halves, and nothing else"),
)
EXITS: Final = {
    0: "all is as declared",
    1: "an error, or some changes failed",
    2: "drift; with --correct: drift that is left",
    3: "refused: a limit, a freeze, a failover under way",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("--correct", action="store_true", help="correct what may be corrected, then plan again")


def run(session: Session) -> int:
    """Detect, or detect and correct."""
    return _correct(session) if session.argument("correct") else _detect(session)


def _detect(session: Session) -> int:
    settings = session.settings
    with outputs.opened(settings.output, FORMATS, settings.variables) as opened:
        desired = inputs.desired_state(settings)
        with session.backend(desired) as backend:
            found = _detector(session, desired, backend)()
            run = session.so_far(inventory=found.inventory, requests=backend.requests())
        opened.write(found.plan, session.view(run=run))
        say_what_is_unread(found.plan)
        return exits.of_plan(found.plan, warnings_count=session.warnings_count)


def _correct(session: Session) -> int:
    settings = session.settings
    desired = inputs.desired_state(settings)
    with (
        outputs.opened(settings.output, FORMATS, settings.variables) as opened,
        carrying_out.audit(session, opened) as on_write,
    ):
        with session.backend(desired) as backend:
            from asrnet.drift import correct_drift

            correction = correct_drift(
                _detector(session, desired, backend),
                lambda plan: carrying_out.applied(session, plan, backend, on_write, stale={}),
                forced=settings.force,
            )
            found, left = correction.detected.inventory, correction.left
            run = session.so_far(inventory=found, left=left, requests=backend.requests())
        carrying_out.concluded(session, correction.report, opened, run=run)
        return _conclusion(session, correction)


def _detector(session: Session, desired: DesiredState, backend: Backend) -> Callable[[], Detected]:
    from asrnet.drift import Kinds, detect_drift

    settings = session.settings
    selection = inputs.selection(settings, desired)
    detecting = partial(
        detect_drift,
        desired,
        backend,
        selection=selection,
        kinds=Kinds(only=frozenset(settings.only), ignored=frozenset(settings.ignore)),
        told=WATCH.mark,
        forced=settings.force,
        allow_delete=settings.allow_delete,
    )

    def detected() -> Detected:
        found = detecting()
        inputs.check_pairs(selection, found.plan, desired)
        return found

    return detected


def _conclusion(session: Session, correction: Correction) -> int:
    """The exit code, with what a person has to know told."""
    if correction.problem:
        logs.error(f"what is left could not be read: {correction.problem.message}", hint=correction.problem.hint)
    code = exits.of_correction(correction, warnings_count=session.warnings_count)
    if code == exits.PENDING and correction.left:
        _tell_what_is_left(session, correction.left)
    return code


def _tell_what_is_left(session: Session, left: Plan) -> None:
    for change in left.changes:
        logs.warn(f"drift remains: {change.action} of {change.name}: {change.reason}")
    for found in left.findings:
        if found.counts(warnings_count=session.warnings_count):
            logs.warn(f"drift remains: {found.kind}: {found.message}", hint=found.hint)
