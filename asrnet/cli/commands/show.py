"""Show the live mappings as pairs: as a table, or as a diagram with -o mermaid.

Without a desired-state file, --vault takes the full id of a vault.
"""

from __future__ import annotations

from typing import Final

from asrnet import exit_codes
from asrnet.cli import inputs, outputs
from asrnet.cli.session import Session
from asrnet.render import DocumentKind
from asrnet.settings import Settings

DOCUMENT: Final[DocumentKind] = "live"
EXAMPLES: Final = (
    ("asrnet show", "all live pairs of the declared vaults"),
    (
        "asrnet show --vault /subscriptions/.../vaults/vault-dr -o html=live.html",
        "one vault as an HTML page, without a desired-state file",
    ),
)


def run(session: Session[Settings]) -> int:
    """Read and show."""
    from asrnet.inventory import live_pairs, read

    desired = inputs.desired_state(session)
    selection = inputs.selection(session.settings, desired)
    with outputs.opened(session.settings, DOCUMENT) as opened:
        with session.backend(desired) as backend:
            inventory = read.read_inventory(desired, backend, selection=selection, confirm=False)
        pairs = live_pairs.live_pairs(inventory, desired, selection)
        opened.write(pairs, session.view(all_pairs=True, run=session.so_far(inventory=inventory)))
    return exit_codes.DONE
