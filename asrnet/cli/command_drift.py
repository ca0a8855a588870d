"""For schedulers: detect what moved; with --correct, correct it within the limits, without asking.

Exits 0 when all is as declared, 2 when drift remains, 3 when a safeguard refused, 1 on errors.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from asrnet.cli import carrying_out, exits, inputs, outputs
from asrnet.cli.session import Session

if TYPE_CHECKING:
    from asrnet.changes import Plan
    from asrnet.desired import DesiredState, Selection
    from asrnet.ports import Backend


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("--correct", action="store_true", help="correct what may be corrected, then plan again")
    parser.add_argument(
        "--fail-on",
        choices=["error", "warning"],
        help="which findings count as drift beside pending changes; errors without this",
    )


def run(session: Session) -> int:
    """Detect, or detect and correct."""
    settings = session.settings
    desired = inputs.desired_state(settings)
    selection = inputs.selection(settings, desired)
    with outputs.opened(settings.output) as opened, carrying_out.audit(session) as on_write:
        with session.backend(desired) as backend:
            plan = _planned(session, desired, selection, backend)
            if session.argument("correct"):
                plan.raise_if_over_limits(settings.force)
                report = carrying_out.applied(session, plan, backend, on_write, stale={})
                left = _planned(session, desired, selection, backend) if report.changes else plan
        if not session.argument("correct"):
            opened.write(plan, session.view())
            return _verdict(session, plan)
        code = carrying_out.concluded(session, report, opened)
        return code if code in {exits.ERROR, exits.REFUSED} else _verdict(session, left)


def _planned(session: Session, desired: DesiredState, selection: Selection, backend: Backend) -> Plan:
    from asrnet import inventory, planning

    settings = session.settings
    found = inventory.read(desired, backend, selection=selection)
    return planning.plan(desired, found, selection=selection, forced=settings.force, allow_delete=settings.allow_delete)


def _verdict(session: Session, plan: Plan) -> int:
    return exits.of_plan(plan, warnings_count=session.argument("fail_on") == "warning")
