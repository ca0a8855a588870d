"""For each pair of VMM clouds, show which recovery VM networks it can be mapped to, and why.

Site Recovery does not say which logical networks a cloud is associated with; a topology file does, given by --topology
or by the desired state. If nothing is known of a cloud, all networks count as available. Without a desired-state file,
--vault takes the full id of a vault.
"""

from __future__ import annotations

from typing import Final

from asrnet import exit_codes
from asrnet.cli import inputs, outputs
from asrnet.cli.session import Session
from asrnet.cli.unreadable import report_unread
from asrnet.render import DocumentKind
from asrnet.settings.readings import TargetsSettings

DOCUMENT: Final[DocumentKind] = "targets"
EXAMPLES: Final = (
    ("asrnet targets --topology vmm-topology.yaml", "show the targets of every pair of clouds"),
    ("asrnet targets --primary-network VMM-Beijing/VMNetwork1", "show the targets of one VM network"),
)
EXITS: Final = {1: "an error, or something could not be read"}


def run(session: Session[TargetsSettings]) -> int:
    """Read, and show the targets."""
    from asrnet.inventory import read
    from asrnet.inventory import targets as targeting

    settings = session.settings
    desired = inputs.desired_state(session)
    selection = inputs.selection(settings, desired)
    with outputs.opened(settings, DOCUMENT) as opened:
        with session.backend(desired) as backend:
            inventory = read.read_inventory(desired, backend, selection=selection, confirm=False)
        targets = targeting.targets(inventory, primary=settings.primary_network, recovery=settings.recovery_network)
        opened.write(targets, session.view())
    return exit_codes.ERROR if report_unread(inventory.unread("vault", "servers")) else exit_codes.DONE
