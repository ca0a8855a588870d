"""Check what a run depends on: identity, tenant, cloud, reachability, clock, providers, rights. Never writes.

Each check that is not ok suggests a fix. Only failed checks change the exit code, not warnings or unknown results.
Without a desired-state file, --vault takes the full id of a vault.
"""

from __future__ import annotations

from typing import Final

from asrnet import exit_codes
from asrnet.cli import inputs, outputs
from asrnet.cli.session import Session
from asrnet.render import DocumentKind
from asrnet.settings.readings import DoctorSettings

DOCUMENT: Final[DocumentKind] = "doctor"
EXAMPLES: Final = (
    ("asrnet doctor", "check everything that a run needs"),
    ("asrnet doctor --for apply", "check whether this identity may apply"),
)
EXITS: Final = {0: "no check failed", 1: "a check failed, or another error"}


def run(session: Session[DoctorSettings]) -> int:
    """Run all checks and show them."""
    from asrnet.diagnostics.checks import doctor

    settings = session.settings
    desired = inputs.desired_state(session)
    selection = inputs.selection(settings, desired)
    with outputs.opened(settings, DOCUMENT) as opened:
        with session.backend(desired) as backend:
            examination = doctor(desired, backend, selection=selection, required=settings.task)
        aliases = {subscription: alias for alias, subscription in desired.subscriptions.items()}
        opened.write(examination, session.view(aliases=aliases))
    return exit_codes.DONE if examination.healthy else exit_codes.ERROR
