"""Write the live mappings down: as a desired state whose plan is empty, or as a world to plan and predict with offline.

Without a desired-state file, --vault takes the full id of a vault.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from asrnet.cli import exits, inputs, logs, streams
from asrnet.cli.session import Session
from asrnet.errors import InputError
from asrnet.files import PendingFile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument(
        "--format", choices=["asrnet", "world"], help="a desired state, which is the default, or a world"
    )
    parser.add_argument("--out", metavar="PATH", help="the file to write; standard output without it")


def run(session: Session) -> int:
    """Read, and write down."""
    if session.settings.output:
        raise InputError("dump has no --output: it writes YAML", hint="use --format and --out")
    path = session.argument("out")
    file = PendingFile(path) if path else None
    try:
        text = _text(session)
        if file:
            file.commit(text)
        else:
            streams.write(text)
    finally:
        if file:
            file.abandon()
    return exits.DONE


def _text(session: Session) -> str:
    from asrnet import backends, dumping, inventory, predicting

    desired = inputs.desired_or_vaults(session.settings)
    selection = inputs.selection(session.settings, desired)
    with session.backend(desired) as backend:
        found = inventory.read(desired, backend, selection=selection)
        dump = dumping.dump(found, desired)
        if session.argument("format") != "world":
            for line in dump.left_out:
                logs.warn(f"left out: {line}")
            return dump.text(str(Path(session.argument("out") or ".").parent))
        # What machines land on belongs to a world: it is to predict with as well.
        wanted = set(predicting.networks_of_machines(found))
        found = inventory.with_addresses(inventory.extended(found, backend, wanted), backend, wanted)
    for line in backends.unread(found):
        logs.warn(f"could not be read and is not in the world: {line}")
    return backends.snapshot(found)
