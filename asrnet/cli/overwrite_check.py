"""Protection of input files: every file that a run writes is compared with every file that it reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from asrnet.errors import InputError
from asrnet.settings import DEFAULT_FILE, VARIABLES, Settings, options_of


def check_overwrites(settings: Settings, *, command: str, topology: str | None = None) -> None:
    """Raise InputError about each output of ``command`` that would overwrite one of its input files.

    ``topology`` is the file that the desired state names, once that is loaded.
    """
    outputs = [("", settings.source("output"), output.path) for output in settings.output if output.path]
    outputs += [
        (option.name, settings.source(option.name), path)
        for option in options_of(command)
        if option.writes and option.name != "output" and (path := getattr(settings, option.name))
    ]
    if any(output.format == "github" for output in settings.output):
        names = ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")
        outputs += [("", name, settings.variables[name]) for name in names if name in settings.variables]
    inputs = list(_inputs(settings, command, topology))
    mistakes = []
    for name, source, path in outputs:
        target = Path(os.path.realpath(path))
        for input_name, description, input_path in inputs:
            # The emulator reads its state and writes it.
            if _is_at(target, input_path) and not (name and name == input_name):
                problem = f"{source}: {path} is {description}, which this would overwrite"
                mistakes.append(InputError(problem, hint="give the output a file of its own; nothing was written"))
                break
    if mistakes:
        from asrnet.files.problems import combined

        raise combined(mistakes)


def _inputs(settings: Settings, command: str, topology: str | None) -> Iterator[tuple[str, str, str]]:
    """The option, the description and the path of each input file; those that no option names have an empty one."""
    for option in options_of(command):
        value = getattr(settings, option.name) if option.reads else None
        for path in value if isinstance(value, tuple) else filter(None, [value]):
            # A dump may create the desired state, but not overwrite one: it would lose the rules and the comments.
            if option.name != "file" or os.path.exists(path):  # noqa: PTH110 - Path.exists raises for a long name
                place = "in the folder of " if os.path.isdir(path) else ""  # noqa: PTH112 - Path.is_dir raises for a long name
                yield option.name, f"{place}{option.reads}", path
    if command != "init" and Path(DEFAULT_FILE).exists():  # init creates this file and never replaces one
        yield "", "the desired state", DEFAULT_FILE
    for variable in VARIABLES:
        if variable.reads and variable.name in settings.variables:
            yield "", f"the file of {variable.name}", settings.variables[variable.name]
    if settings.world:
        yield "", "the world", settings.world
    if not settings.env_file:
        yield "", "the file of variables", ".env"
    if topology:
        yield "", "the topology", topology


def _is_at(target: Path, input_path: str) -> bool:
    """Whether ``target`` is the input file, or would be one of the files of an input folder."""
    if not os.path.isdir(input_path):  # noqa: PTH112 - Path.is_dir raises for a long name
        try:
            return target.samefile(input_path)  # recognises hard links too: an audit is appended to the existing file
        except OSError:  # one of the two does not exist
            return os.path.realpath(input_path) == str(target)
    from asrnet.files.problems import SUFFIXES

    folder = Path(os.path.realpath(input_path))
    if target.parent == folder and target.suffix.lower() in SUFFIXES:
        return True
    # An audit is appended to the existing file, so a hard link in another folder leads to the same file.
    try:
        return target.is_file() and any(
            file.suffix.lower() in SUFFIXES and target.samefile(file) for file in folder.iterdir() if file.is_file()
        )
    except OSError:  # the run cannot read the folder either, and says so when it tries
        return False
