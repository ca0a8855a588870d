"""What a run reads is not what it writes over: every place it writes to is compared with every file it reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from asrnet.errors import InputError

if TYPE_CHECKING:
    from asrnet.cli.session import Session
    from asrnet.desired import DesiredState


def check_kept(session: Session, desired: DesiredState | None) -> None:
    """Raise InputError where an output would replace a file that this run reads."""
    read = list(_read(session, desired))
    for option, path in _written(session):
        place = Path(os.path.realpath(path))
        for what, source in read:
            if _holds(source, place):
                problem = f"{option}: {path} is {what}, which this would write over"
                raise InputError(problem, hint="give the output a file of its own; nothing was written")


def _written(session: Session) -> Iterator[tuple[str, str]]:
    settings = session.settings
    yield from (("--output", output.path) for output in settings.output if output.path is not None)
    if settings.audit:
        yield "--audit", settings.audit
    if out := session.argument("out"):
        yield "--out", out


def _read(session: Session, desired: DesiredState | None) -> Iterator[tuple[str, str]]:
    """What is read, in words. A dump may make the desired state, and not replace it: it has no rules and comments."""
    settings = session.settings
    desired_file = Path(settings.file)
    place = "in the folder of " if desired_file.is_dir() else ""
    given = (
        (f"{place}the desired state", settings.file if desired_file.exists() else None),
        ("the world", settings.world),
        ("the file of variables", settings.env_file or ".env"),
        ("the saved plan", session.argument("planfile")),
        ("the list of machines", session.argument("machines")),
        ("the topology", session.argument("topology")),
        ("the topology", desired.topology if desired else None),
    )
    yield from ((what, path) for what, path in given if path)


def _holds(source: str, place: Path) -> bool:
    """Whether ``place`` is the file ``source``, or one that a folder of desired-state files has or would have."""
    if not Path(source).is_dir():
        return os.path.realpath(source) == str(place)
    from asrnet.desired.loading import SUFFIXES

    return place.parent == Path(os.path.realpath(source)) and place.suffix.lower() in SUFFIXES
