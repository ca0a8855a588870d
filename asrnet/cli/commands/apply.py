"""Show the plan, ask, carry it out, and read back what came of it.

A saved plan (asrnet plan --out PLANFILE) is refused, vault by vault, where what it read has moved since.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from asrnet.cli import apply_flow as carrying_out
from asrnet.cli import inputs, logs, outputs
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH
from asrnet.errors import InputError

if TYPE_CHECKING:
    from asrnet.applying import Report
    from asrnet.render import Run


FORMATS: Final = outputs.PLAN_FORMATS
EXAMPLES: Final = (
    ("asrnet apply", "show the plan, ask, apply it"),
    ("asrnet apply saved.json --yes --audit audit.jsonl", "apply a saved plan unasked, and keep a line of each write"),
    ("asrnet apply --pair hub --force max_updates", "one pair, whatever the limit on updates"),
)
EXITS: Final = {
    0: "done, or nothing to do",
    1: "an error, some changes failed, something could not be read, or the answer was not yes",
    2: "a declared pair stays blocked",
    3: "refused: a limit, a freeze, a failover under way, a stale or tampered plan",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("planfile", nargs="?", metavar="PLANFILE", help="a plan saved by asrnet plan --out")


def run(session: Session) -> int:
    """Apply a fresh plan, or a saved one."""
    settings = session.settings
    with (
        outputs.opened(settings.output, FORMATS, settings.variables) as opened,
        carrying_out.audit(session, opened) as on_write,
    ):
        apply = _saved if session.argument("planfile") else _fresh
        report, run = apply(session, opened, on_write)
        return carrying_out.concluded(session, report, opened, run=run)


def _fresh(session: Session, opened: outputs.Outputs, on_write: carrying_out.OnWrite) -> tuple[Report | None, Run]:
    from asrnet import planning
    from asrnet.inventory import read as inventory

    settings = session.settings
    desired = inputs.desired_state(settings)
    selection = inputs.selection(settings, desired)
    with session.backend(desired) as backend:
        found = inventory.read_inventory(desired, backend, selection=selection)
        WATCH.mark("reads")
        plan = planning.plan(
            desired, found, selection=selection, forced=settings.force, allow_delete=settings.allow_delete
        )
        WATCH.mark("planning")
        inputs.check_pairs(selection, plan, desired)
        report = carrying_out.carry_out(session, plan, backend, opened, on_write)
        return report, session.so_far(inventory=found, requests=backend.requests())


def _saved(session: Session, opened: outputs.Outputs, on_write: carrying_out.OnWrite) -> tuple[Report | None, Run]:
    from asrnet.planning.staleness import moved_since

    settings = session.settings
    if settings.vault or settings.pair or settings.shard:
        raise InputError(
            "a saved plan is applied as it is", hint="use --vault, --pair and --shard with asrnet plan --out"
        )
    plan = carrying_out.load(session.argument("planfile"))
    with session.backend(cloud=plan.cloud) as backend:
        stale = moved_since(plan, backend) if plan.changes else {}
        WATCH.mark("reads")
        _say_what_moved(stale)
        report = carrying_out.carry_out(session, plan, backend, opened, on_write, stale=stale)
        return report, session.so_far(requests=backend.requests())


def _say_what_moved(stale: Mapping[str, tuple[str, ...]]) -> None:
    """Every thing once; the report names a few of them with each change."""
    for vault, moved in stale.items():
        logs.error(f"refused: vault {vault} has moved since the plan was saved", hint="plan again, and save that plan")
        for what in moved:
            logs.error(f"vault {vault}: {what}")
