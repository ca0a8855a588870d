"""Where each machine lands after failover, in a test failover or after failback, and by which rule.

Machines are those the vaults protect, those of a list (--machines), or one for every subnet (--all-subnets); if some
are named, only these fail over. Without a desired-state file, --vault takes the full id of a vault.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Final

from asrnet.cli import exits, inputs, outputs
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH
from asrnet.cli.unread import say_what_is_missing

if TYPE_CHECKING:
    from asrnet.failover import Operation
    from asrnet.prediction import Question


FORMATS: Final = outputs.ANSWER_FORMATS
EXAMPLES: Final = (
    ("asrnet predict", "where everything lands that the vaults protect"),
    ("asrnet predict vm1 vm2 --test-failover dr/rg-test/bubble", "two machines in a test failover"),
    ("asrnet predict --machines new.csv --fail-on lost", "a list of machines; exit 2 where one is cut off"),
)
EXITS: Final = {0: "predicted", 1: "an error, or something could not be read", 2: "what --fail-on names was found"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("names", nargs="*", metavar="VM", help="only these machines fail over")
    operation = parser.add_mutually_exclusive_group()
    operation.add_argument("--failover", action="store_true", help="predict a failover, which is the default")
    operation.add_argument(
        "--test-failover",
        nargs="?",
        const="",
        metavar="NETWORK",
        help="predict a test failover, into NETWORK where it is given; machines come before this option",
    )
    operation.add_argument("--failback", action="store_true", help="predict the failback after a failover")
    machines = parser.add_mutually_exclusive_group()
    machines.add_argument("--machines", metavar="PATH", help="the machines are those of a list, YAML, JSON or CSV")
    machines.add_argument(
        "--all-subnets", action="store_true", help="a machine for every subnet of every primary network"
    )
    parser.add_argument(
        "--to",
        metavar="REGION",
        help="where machines of a list or of --all-subnets fail over to, if their network is mapped to several regions",
    )
    parser.add_argument("--topology", metavar="PATH", help=inputs.TOPOLOGY_HELP)
    parser.add_argument(
        "--fail-on",
        dest="fails_at",  # drift has an option of this name that takes other words
        choices=["warning", "lost"],
        help="exit 2 when an address loses its connectivity (lost), or also when there is a warning (warning)",
    )


def run(session: Session) -> int:
    """Read, predict, tell."""
    from asrnet.prediction import predict, read_machines, unread_inputs
    from asrnet.render.answers import render_answer

    settings = session.settings
    desired = inputs.with_topology(inputs.desired_or_vaults(settings), session.argument("topology"))
    selection = inputs.selection(settings, desired)
    question = _question(session)
    with outputs.opened(settings.output, FORMATS) as opened:
        with session.backend(desired) as backend:
            inputs_read = read_machines(desired, backend, question, selection=selection)
        prediction = predict(inputs_read)
        WATCH.mark("predicting")
        opened.draw(partial(render_answer, prediction), session.view())
    if say_what_is_missing(unread_inputs(inputs_read, prediction)):
        return exits.ERROR
    level = session.argument("fails_at")
    return exits.PENDING if level and prediction.fails_on(level) else exits.DONE


def _question(session: Session) -> Question:
    from asrnet.prediction import Question

    test_network = session.argument("test_failover")
    operation: Operation = "failover"
    if test_network is not None:
        operation = "test-failover"
    elif session.argument("failback"):
        operation = "failback"
    return Question(
        operation=operation,
        test_network=test_network or None,
        only=tuple(session.argument("names") or ()),
        listed_in=session.argument("machines"),
        all_subnets=session.argument("all_subnets", default=False),
        recovery_region=session.argument("to"),
    )
