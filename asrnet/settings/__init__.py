"""Settings from the command line, the environment, ``.env`` and the defaults, in this order of precedence.

A ``.env`` that is only found in the working directory cannot set where to sign in, which files are written or what may
be changed. Otherwise anybody who can put a file there could have a token sent to their own host, or files overwritten.
Such settings are accepted from a file that is named with ``--env-file``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from asrnet.settings.table import (
    DEFAULT_FILE,
    READING,
    VARIABLES,
    WRITING,
    Option,
    Settings,
    Variable,
    all_options,
    options_of,
    settings_of,
)
from asrnet.settings.values import Output, Shard

if TYPE_CHECKING:
    from asrnet.settings.reading import Examined

__all__ = [
    "DEFAULT_FILE",
    "READING",
    "VARIABLES",
    "WRITING",
    "Option",
    "Output",
    "Settings",
    "Shard",
    "Variable",
    "all_options",
    "env_example",
    "examine_process",
    "from_process",
    "options_of",
    "read",
    "settings_of",
]


def read(
    arguments: Mapping[str, object],
    environ: Mapping[str, str],
    *,
    dotenv: str | None = None,
    env_file: str | None = None,
    command: str = "",
) -> Settings:
    """The settings of ``command`` from its ``arguments`` (by field name; None if not given) and the variables.

    Without a command they are the settings that several commands share. ``dotenv`` is the path of the working
    directory's ``.env``, which need not exist; ``env_file`` is read instead if it is given. Raises InputError for an
    invalid value, naming its flag or variable, and for a required option that is missing.
    """
    from asrnet.settings import reading

    return reading.read(command, arguments, environ, dotenv=dotenv, env_file=env_file)


def from_process(arguments: Mapping[str, object], command: str = "") -> Settings:
    """The settings of this process, for ``connect``: ``arguments`` by name, then its environment, then ``.env``.

    If no desired state is named and none is in the working directory, it is searched for in the folders above.
    Raises InputError for a value that an option cannot have, with the argument, the variable or the line that gave it.
    """
    from asrnet.settings import reading

    return reading.checked(examine_process(arguments, command))


def examine_process(
    arguments: Mapping[str, object], command: str = "", *, unclear: Iterable[str] = (), is_complete: bool = True
) -> Examined:
    """Like ``from_process``, but returns the mistakes instead of raising an error about them.

    ``unclear`` names options whose arguments are faulty; ``is_complete``: no argument is unknown.
    """
    from msgspec import structs

    from asrnet.settings import reading

    examined = reading.examine(
        command, arguments, os.environ, dotenv=".env", env_file=None, unclear=unclear, is_complete=is_complete
    )
    settings = examined.settings
    has_file = any(option.name == "file" for option in options_of(command)) and "file" not in examined.unclear
    if not has_file or "file" in settings.sources or os.path.lexists(settings.file):
        return examined
    from asrnet.settings.search import file_above

    nearest = file_above(settings.file)
    if nearest.problem:
        warning = f"{nearest.problem}; name it with {settings.source('file')} if it is yours to use"
        settings = structs.replace(settings, warnings=(*settings.warnings, warning))
    elif nearest.path:
        settings = structs.replace(settings, file=nearest.path, is_file_from_above=True)
    return structs.replace(examined, settings=settings)


def env_example() -> str:
    """The text of ``.env.example``: every variable, what it means and its default."""
    from asrnet.settings import example

    return example.env_example()
