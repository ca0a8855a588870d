"""Show what apply would do, what each rule matched, and every finding. Never writes."""

from __future__ import annotations

from typing import Final

from asrnet import exit_codes
from asrnet.cli import inputs, logs, outputs
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH
from asrnet.cli.unreadable import report_unreadable
from asrnet.render import DocumentKind
from asrnet.settings.changes import PlanSettings

DOCUMENT: Final[DocumentKind] = "plan"
EXAMPLES: Final = (
    ("asrnet plan", "show what apply would do"),
    ("asrnet plan --vault sea -o text -o html=plan.html", "the same for one vault, also as an HTML page"),
    ("asrnet plan --out saved.json", "save the plan for review; apply saved.json then applies exactly this plan"),
)
EXITS: Final = {
    0: "planned",
    1: "a network or vault could not be read, or another error",
    2: "with --detailed-exitcode: changes are pending, or a pair is blocked",
}


def run(session: Session[PlanSettings]) -> int:
    """Plan, show the plan, and save it if --out is given."""
    from asrnet import planning
    from asrnet.inventory import read

    settings = session.settings
    desired = inputs.desired_state(session)
    selection = inputs.selection(settings, desired)
    with outputs.opened(settings, DOCUMENT) as opened, outputs.saved(settings, settings.out, opened) as save:
        with session.backend(desired) as backend:
            inventory = read.read_inventory(desired, backend, selection=selection)
            requests = backend.requests()
        plan = planning.plan(
            desired, inventory, selection=selection, forced=settings.force, allow_delete=settings.allow_delete
        )
        WATCH.mark("planning")
        inputs.check_pairs(selection, plan, settings, desired)
        inputs.check_machines(selection, plan, inventory, settings)
        opened.write(plan, session.view(run=session.so_far(inventory=inventory, requests=requests)))
        save(plan)
    written = [*filter(None, (settings.out,)), *(file.path for _, file in opened.targets if file)]
    if opened.printed is None:
        from asrnet.render.plan_layout import plan_summary

        logs.remark(plan_summary(plan))
    if written and (settings.out or opened.printed is None):
        logs.remark(f"written: {', '.join(map(str, written))}")
    if report_unreadable(plan):
        return exit_codes.ERROR
    return exit_codes.exit_code(plan) if settings.detailed_exitcode else exit_codes.DONE
