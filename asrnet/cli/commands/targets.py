"""For each pair of VMM clouds, which recovery VM networks are available to map to, and why.

Site Recovery does not tell which logical networks a cloud is associated with: a topology file does, named by --topology
or in the desired state. What is not known filters nothing. Without a desired-state file, --vault takes the full id of
a vault.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Final

from asrnet.cli import exits, inputs, outputs
from asrnet.cli.session import Session
from asrnet.cli.unread import say_what_is_missing

FORMATS: Final = outputs.ANSWER_FORMATS
EXAMPLES: Final = (
    ("asrnet targets --topology vmm-topology.yaml", "for each pair of clouds, what may be mapped to what"),
    ("asrnet targets --primary-network VMM-Beijing/VMNetwork1", "the targets of one VM network"),
)
EXITS: Final = {1: "an error, or something could not be read"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument(
        "--primary-network",
        metavar="NAME",
        help="only clouds that use this VM network: its name, SERVER/NAME or its id",
    )
    parser.add_argument("--recovery-network", metavar="NAME", help="only this VM network as a target")
    parser.add_argument("--topology", metavar="PATH", help=inputs.TOPOLOGY_HELP)


def run(session: Session) -> int:
    """Read, and tell the targets."""
    from asrnet.inventory import read as inventory
    from asrnet.inventory import targets as targeting
    from asrnet.render.answers import render_answer

    settings = session.settings
    desired = inputs.with_topology(inputs.desired_or_vaults(settings), session.argument("topology"))
    selection = inputs.selection(settings, desired)
    with outputs.opened(settings.output, FORMATS) as opened:
        with session.backend(desired) as backend:
            found = inventory.read_inventory(desired, backend, selection=selection, confirm=False)
        targets = targeting.available_targets(
            found, primary=session.argument("primary_network"), recovery=session.argument("recovery_network")
        )
        opened.draw(partial(render_answer, targets), session.view())
    return exits.ERROR if say_what_is_missing(targeting.unread(found)) else exits.DONE
