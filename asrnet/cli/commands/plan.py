"""Show what apply would do, what each rule matched, and every finding. Never writes."""

from __future__ import annotations

import argparse
from typing import Final

from asrnet.cli import exits, inputs, outputs
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH
from asrnet.cli.unread import say_what_is_unread

FORMATS: Final = outputs.PLAN_FORMATS
EXAMPLES: Final = (
    ("asrnet plan", "what apply would do"),
    ("asrnet plan --vault sea -o text -o html=plan.html", "the same for one vault, and as a page to look at"),
    ("asrnet plan --out saved.json", "save the plan, to be reviewed and then applied as it is"),
)
EXITS: Final = {
    0: "planned",
    1: "an error, or a network or vault could not be read",
    2: "with --detailed-exitcode: changes are pending, or a pair is blocked",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("--out", metavar="PATH", help="save the plan, for: asrnet apply PATH")
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit 2, not 0, when changes are pending or a pair is blocked"
    )


def run(session: Session) -> int:
    """Plan, show, and save where asked to."""
    from asrnet import planning
    from asrnet.inventory import read as inventory

    settings = session.settings
    desired = inputs.desired_state(settings)
    selection = inputs.selection(settings, desired)
    with (
        outputs.opened(settings.output, FORMATS, settings.variables) as opened,
        outputs.saved(session.argument("out"), opened) as save,
    ):
        with session.backend(desired) as backend:
            found = inventory.read_inventory(desired, backend, selection=selection)
            requests = backend.requests()
        plan = planning.plan(
            desired, found, selection=selection, forced=settings.force, allow_delete=settings.allow_delete
        )
        WATCH.mark("planning")
        inputs.check_pairs(selection, plan, desired)
        opened.write(plan, session.view(run=session.so_far(inventory=found, requests=requests)))
        save(plan)
    if say_what_is_unread(plan):
        return exits.ERROR
    return exits.of_plan(plan) if session.argument("detailed_exitcode") else exits.DONE
