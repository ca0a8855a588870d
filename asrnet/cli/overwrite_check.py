"""Outputs never replace inputs: every file that a run writes is compared with every file that it reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from asrnet.errors import InputError
from asrnet.settings import Settings, options_of


def check_overwrites(settings: Settings, *, command: str, topology: str | None = None) -> None:
    """Raise InputError where an output of ``command`` would replace a file that it reads.

    ``topology`` is the file that the desired state names, once it is known.
    """
    inputs = list(_inputs(settings, command, topology))
    for source, path in _outputs(settings, command):
        place = Path(os.path.realpath(path))
        for what, read in inputs:
            if _is_at(place, read):
                problem = f"{source}: {path} is {what}, which this would write over"
                raise InputError(problem, hint="give the output a file of its own; nothing was written")


def _outputs(settings: Settings, command: str) -> Iterator[tuple[str, str]]:
    """Where each path was given, and the path."""
    for option in options_of(command):
        value = getattr(settings, option.name)
        if option.name == "output":
            yield from ((settings.source("output"), output.path) for output in settings.output if output.path)
        elif option.writes and value:
            yield settings.source(option.name), value


def _inputs(settings: Settings, command: str, topology: str | None) -> Iterator[tuple[str, str]]:
    """What each file is, in words, and its path."""
    for option in options_of(command):
        path = getattr(settings, option.name) if option.reads else None
        # A dump may make the first desired state, and not replace one: it has neither rules nor comments.
        if path and (option.name != "file" or Path(path).exists()):
            place = "in the folder of " if Path(path).is_dir() else ""
            yield f"{place}{option.reads}", path
    if settings.world:
        yield "the world", settings.world
    if not settings.env_file:
        yield "the file of variables", ".env"
    if topology:
        yield "the topology", topology


def _is_at(place: Path, read: str) -> bool:
    """Whether ``place`` is the file ``read``, or one that a folder of desired-state files has or would have."""
    if not Path(read).is_dir():
        try:
            return place.samefile(read)  # a link to the file is the file: an audit would be appended to it
        except OSError:  # one of the two does not exist
            return os.path.realpath(read) == str(place)
    from asrnet.desired.loading import SUFFIXES

    return place.parent == Path(os.path.realpath(read)) and place.suffix.lower() in SUFFIXES
