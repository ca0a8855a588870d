"""Show the plan, ask, apply it, and read back the result.

A saved plan (asrnet plan --out PLANFILE) is refused for each vault in which something it read has changed since.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asrnet.cli import apply_flow, inputs, logs, outputs
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH
from asrnet.errors import InputError
from asrnet.render import DocumentKind
from asrnet.settings.changes import ApplySettings

if TYPE_CHECKING:
    from asrnet.applying import Report
    from asrnet.render import Run

DOCUMENT: Final[DocumentKind] = "plan"
EXAMPLES: Final = (
    ("asrnet apply", "show the plan, ask, apply it"),
    ("asrnet apply saved.json --yes --audit audit.jsonl", "apply a saved plan without asking, and log each write"),
    ("asrnet apply --pair hub --force max_updates", "one pair, whatever the limit on updates"),
    ("asrnet apply --machine sql-01 --machines follow", "point one protected machine at its pair's networks"),
)
EXITS: Final = {
    0: "done, or nothing to do",
    1: "an error, some changes failed, something could not be read, or the answer was not yes",
    2: "a declared pair stays blocked, or Azure has changed during the run and some changes were left out",
    3: "refused: a limit, a freeze, a failover under way, a stale or tampered plan",
}


def option_mistakes(session: Session[ApplySettings]) -> Iterator[InputError]:
    """A mistake for options that a saved plan has already decided."""
    settings = session.settings
    if settings.planfile and (
        settings.vault or settings.pair or settings.machine or settings.shard or settings.machines
    ):
        yield InputError(
            "a saved plan is applied as it is",
            hint="use --vault, --pair, --machine, --machines and --shard with asrnet plan --out",
        )


def run(session: Session[ApplySettings]) -> int:
    """Apply a fresh plan, or a saved one."""
    with (
        outputs.opened(session.settings, DOCUMENT) as opened,
        apply_flow.audit(session, opened) as on_write,
    ):
        apply = _apply_saved if session.settings.planfile else _apply_fresh
        report, run = apply(session, opened, on_write)
        return apply_flow.finish(session, report, opened, run=run)


def _apply_fresh(
    session: Session[ApplySettings], opened: outputs.Outputs, on_write: apply_flow.OnWrite
) -> tuple[Report | None, Run]:
    from asrnet import planning
    from asrnet.inventory import read

    settings = session.settings
    desired = inputs.desired_state(session)
    selection = inputs.selection(settings, desired)
    with session.backend(desired) as backend:
        inventory = read.read_inventory(desired, backend, selection=selection)
        WATCH.mark("reads")
        plan = planning.plan(
            desired, inventory, selection=selection, forced=settings.force, allow_delete=settings.allow_delete
        )
        WATCH.mark("planning")
        # This check follows planning, because only planning shows which pairs the rules make.
        inputs.check_pairs(selection, plan, settings, desired)
        inputs.check_machines(selection, plan, inventory, settings)
        report = apply_flow.confirm_and_apply(session, plan, backend, opened, on_write)
        return report, session.so_far(inventory=inventory, requests=backend.requests())


def _apply_saved(
    session: Session[ApplySettings], opened: outputs.Outputs, on_write: apply_flow.OnWrite
) -> tuple[Report | None, Run]:
    from asrnet.planning.staleness import moved_since

    plan = apply_flow.load(session.settings.planfile or "")
    with session.backend(cloud=plan.cloud) as backend:
        stale = moved_since(plan, backend) if plan.changes else {}
        WATCH.mark("reads")
        # All differences are logged here, because the report names only a few of them with each change.
        for vault, moved in stale.items():
            message = f"refused: vault {vault} has changed since the plan was saved"
            logs.error(message, details=moved, hint="plan again, and save that plan")
        report = apply_flow.confirm_and_apply(session, plan, backend, opened, on_write, stale=stale)
        return report, session.so_far(requests=backend.requests())
