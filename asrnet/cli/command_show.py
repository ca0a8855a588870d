"""Show the live mappings as pairs: a table, or with -o mermaid a picture.

Without a desired-state file, --vault takes the full id of a vault.
"""

from __future__ import annotations

import argparse

from asrnet.cli import exits, inputs, outputs
from asrnet.cli.session import Session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command: none of its own."""


def run(session: Session) -> int:
    """Read and show."""
    from asrnet import inventory, live

    settings = session.settings
    desired = inputs.desired_or_vaults(settings)
    selection = inputs.selection(settings, desired)
    with outputs.opened(settings.output, outputs.LIVE_FORMATS) as opened:
        with session.backend(desired) as backend:
            found = inventory.read(desired, backend, selection=selection)
        opened.write(
            live.live_pairs(found, desired, selection),
            session.view(all_pairs=True, run=session.so_far(inventory=found)),
        )
    return exits.DONE
