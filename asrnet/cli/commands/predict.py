"""Show where each machine lands after failover, in a test failover or after failback, and by which rule.

The machines are those that the vaults protect, those of a list (--machines), or one in every subnet (--all-subnets). If
machines are named, only these fail over. Without a desired-state file, --vault takes the full id of a vault.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from asrnet import exit_codes
from asrnet.cli import inputs, logs, outputs
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH
from asrnet.cli.unreadable import report_unread
from asrnet.errors import InputError
from asrnet.render import DocumentKind
from asrnet.settings.readings import PredictSettings

if TYPE_CHECKING:
    from asrnet.failover import Operation
    from asrnet.prediction import Question

DOCUMENT: Final[DocumentKind] = "prediction"
EXAMPLES: Final = (
    ("asrnet predict", "predict a failover of all machines that the vaults protect"),
    ("asrnet predict vm1 vm2 --test-failover dr/rg-test/bubble", "predict a test failover of two machines"),
    ("asrnet predict --planned", "predict the landing after asrnet apply, beside the landing now"),
    ("asrnet predict --nics", "show which security groups and public addresses the replicas will lack"),
    (
        "asrnet predict --machines new.csv --fail-on lost",
        "predict a list of machines; exit 2 if one is cut off",
    ),
)
EXITS: Final = {
    0: "predicted",
    1: "an error, or something could not be read",
    2: "an outcome of --fail-on was predicted",
}


def option_mistakes(session: Session[PredictSettings]) -> Iterator[InputError]:
    """A mistake for each option that needs another one, or cannot be given with it."""
    from asrnet.prediction import conflicts_of

    settings = session.settings
    if "planned" not in session.unclear and not settings.planned:
        for name, is_given in (("--follow", settings.follow), ("--force", settings.force)):
            if is_given:
                yield InputError(f"{name} needs the plan of --planned, which is not given", hint="add --planned")
    if not session.unclear & {"machines", "all_subnets", "failback", "test_failover"}:
        yield from conflicts_of(_question(settings))


def run(session: Session[PredictSettings]) -> int:
    """Read, predict, show."""
    from asrnet.prediction import OTHER_MACHINES, predict, read_machines, unread_inputs

    settings = session.settings
    desired = inputs.desired_state(session)
    selection = inputs.selection(settings, desired)
    question = _question(settings)
    make_plan = None
    if settings.planned:
        from asrnet import planning

        if not (desired.pairs or desired.rules or desired.vmm_pairs):
            raise InputError("--planned needs a desired state, and none was found", hint="name its file with --file")
        # This comes before reading: if machines follow, the rights of this identity are read as well.
        desired = desired.with_machines("follow" if settings.follow else None)
        make_plan = partial(planning.plan, desired, selection=selection, forced=settings.force)
    with outputs.opened(settings, DOCUMENT) as opened:
        with session.backend(desired) as backend:
            inputs_read = read_machines(desired, backend, question, selection=selection, make_plan=make_plan)
        prediction = predict(inputs_read)
        WATCH.mark("predicting")
        opened.write(prediction, session.view())
    if report_unread(unread_inputs(inputs_read, prediction)):
        return exit_codes.ERROR
    if not (prediction.landings or prediction.without_nics or prediction.out_of_scope):
        # Without machines the counts are all zero, which looks like an answer.
        nowhere = "the list has no machine" if settings.machines else f"no vault protects a machine; {OTHER_MACHINES}"
        logs.remark(nowhere)
    return exit_codes.PENDING if settings.fail_on and prediction.fails_on(settings.fail_on) else exit_codes.DONE


def _question(settings: PredictSettings) -> Question:
    from asrnet.prediction import Question

    operation: Operation = "failback" if settings.failback else "failover"
    return Question(
        operation=operation if settings.test_failover is None else "test-failover",
        test_network=settings.test_failover or None,
        only=settings.names,
        listed_in=settings.machines,
        all_subnets=settings.all_subnets,
        recovery_region=settings.to,
        with_interfaces=settings.nics,
        forced=settings.force,
    )
