"""Check what a run depends on: identity, tenant, cloud, reachability, clock, providers, rights. Never writes.

Each check comes with the fix where it is not ok. Warnings, and what cannot be known, fail nothing.
Without a desired-state file, --vault takes the full id of a vault.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from asrnet.cli import exits, inputs, outputs
from asrnet.cli.session import Session
from asrnet.diagnostics.roles import TASKS
from asrnet.render.json import as_json
from asrnet.render.sections import Row, Section, Tone

if TYPE_CHECKING:
    from asrnet.diagnostics.checks import Examination
    from asrnet.render import View

FORMATS: Final = ("text", "json")
_TONES: Final[Mapping[str, Tone]] = {"ok": "good", "warning": "warning", "failed": "error", "unknown": "quiet"}


EXAMPLES: Final = (
    ("asrnet doctor", "is everything there that a run needs?"),
    ("asrnet doctor --for apply", "may this identity apply?"),
)
EXITS: Final = {0: "no check failed", 1: "a check failed, or another error"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument(
        "--for", dest="task", metavar="TASK", choices=TASKS, help=f"fail without the rights of: {', '.join(TASKS)}"
    )


def run(session: Session) -> int:
    """Look, and tell."""
    from asrnet.diagnostics.checks import examine

    desired = inputs.desired_or_vaults(session.settings)
    selection = inputs.selection(session.settings, desired)
    with outputs.opened(session.settings.output, FORMATS) as opened:
        with session.backend(desired) as backend:
            found = examine(desired, backend, selection, required=session.argument("task"))
        aliases = {subscription: alias for alias, subscription in desired.subscriptions.items()}
        opened.draw(partial(_drawn, found, aliases), session.view())
    return exits.DONE if found.healthy else exits.ERROR


def _drawn(found: Examination, aliases: Mapping[str, str], output: str, view: View) -> str:
    if output == "json":
        return as_json(found)
    if view.width is not None:
        from asrnet.render import terminal

        return terminal.draw(_sections(found, aliases), width=view.width, colour=view.colour)
    from asrnet.render import text

    return text.draw(_sections(found, aliases))


def _sections(found: Examination, aliases: Mapping[str, str]) -> tuple[Section, ...]:
    rows = tuple(
        Row(
            (check.verdict, check.name, aliases.get(check.subject, check.subject), check.message),
            _TONES[check.verdict],
            (f"fix: {check.fix}",) if check.fix else (),
        )
        for check in found.checks
    )
    return (Section("", ("", "Check", "Of", "Found"), rows), Section("", (), (Row((_summary(found),)),)))


def _summary(found: Examination) -> str:
    verdicts = [check.verdict for check in found.checks]
    counts = [(verdicts.count(verdict), verdict) for verdict in _TONES if verdict in verdicts]
    return f"{len(verdicts)} checks: {', '.join(f'{number} {verdict}' for number, verdict in counts)}."
