"""Check files offline: desired states, and with --world the worlds of the fake."""

from __future__ import annotations

import argparse
from typing import Final

from asrnet.cli import exits, streams
from asrnet.cli.session import Session
from asrnet.desired import DesiredState, load_desired
from asrnet.render.wording import count, harmless, listed

EXAMPLES: Final = (
    ("asrnet validate teams/", "check all files of a folder as one desired state"),
    ("asrnet validate --world world.yaml", "check a world"),
)
EXITS: Final = {0: "valid", 1: "not valid, or another error"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders; the file of --file without any")
    parser.add_argument("--world", action="store_true", help="the files are worlds")


def run(session: Session) -> int:
    """Check each file; the first that is wrong ends it."""
    for path in session.argument("paths") or [session.settings.file]:
        words = _world(path) if session.argument("world") else _desired(load_desired(path))
        streams.write(f"{harmless(str(path))}: valid: {words}\n")
    return exits.DONE


def _desired(desired: DesiredState) -> str:
    numbers = [
        (len(desired.pairs) + len(desired.vmm_pairs), "pair"),
        (len(desired.rules), "rule"),
        (len(desired.vaults), "vault"),
        (_servers(desired.topology) if desired.topology else 0, "VMM server"),
    ]
    return listed(count(number, word) for number, word in numbers if number)


def _servers(topology: str) -> int:
    """How many VMM servers a topology describes; whether a vault has them is not asked."""
    from asrnet.vmm import read_topology

    return len(read_topology(topology).servers)


def _world(path: str) -> str:
    from asrnet import backends

    return listed(count(number, word) for word, number in backends.census(path).items())
