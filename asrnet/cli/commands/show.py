"""Show the live mappings as pairs: a table, or with -o mermaid a picture.

Without a desired-state file, --vault takes the full id of a vault.
"""

from __future__ import annotations

import argparse
from typing import Final

from asrnet.cli import exits, inputs, outputs
from asrnet.cli.session import Session

FORMATS: Final = outputs.LIVE_FORMATS
EXAMPLES: Final = (
    ("asrnet show", "all live pairs of the declared vaults"),
    (
        "asrnet show --vault /subscriptions/.../vaults/vault-dr -o html=live.html",
        "a vault, without any file, as a page",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command: none of its own."""


def run(session: Session) -> int:
    """Read and show."""
    from asrnet.inventory import live_pairs as live
    from asrnet.inventory import read as inventory

    settings = session.settings
    desired = inputs.desired_or_vaults(settings)
    selection = inputs.selection(settings, desired)
    with outputs.opened(settings.output, FORMATS) as opened:
        with session.backend(desired) as backend:
            found = inventory.read_inventory(desired, backend, selection=selection, confirm=False)
        opened.write(
            live.live_pairs(found, desired, selection),
            session.view(all_pairs=True, run=session.so_far(inventory=found)),
        )
    return exits.DONE
