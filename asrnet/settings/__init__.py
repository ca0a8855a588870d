"""Settings: the command line, else the environment, else ``.env``, else the defaults. Nothing else reads these.

A ``.env`` that merely lies in the working directory cannot say where to sign in, which files are written or what may be
changed: whoever can put a file there could otherwise have a token sent to a host of their own, or have files replaced.
``--env-file`` names such a file on purpose.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from asrnet.settings.table import (
    OPTIONS,
    READING,
    SETTINGS,
    VARIABLES,
    WRITING,
    ApplySettings,
    DoctorSettings,
    DriftSettings,
    DumpSettings,
    EmulatorSettings,
    MapSettings,
    Option,
    PermissionsSettings,
    PlanSettings,
    PredictSettings,
    SchemaSettings,
    Settings,
    TargetsSettings,
    Task,
    ValidateSettings,
    Variable,
    options_of,
)
from asrnet.settings.values import Output, Shard

__all__ = [
    "OPTIONS",
    "READING",
    "SETTINGS",
    "VARIABLES",
    "WRITING",
    "ApplySettings",
    "DoctorSettings",
    "DriftSettings",
    "DumpSettings",
    "EmulatorSettings",
    "MapSettings",
    "Option",
    "Output",
    "PermissionsSettings",
    "PlanSettings",
    "PredictSettings",
    "SchemaSettings",
    "Settings",
    "Shard",
    "TargetsSettings",
    "Task",
    "ValidateSettings",
    "Variable",
    "env_example",
    "from_process",
    "options_of",
    "read",
]


def read(
    arguments: Mapping[str, object],
    environ: Mapping[str, str],
    *,
    dotenv: str | None = None,
    env_file: str | None = None,
    command: str = "",
) -> Settings:
    """The settings that ``arguments`` (by field; None is not given) and the variables come to.

    They are those of ``command``, or without one those that several commands have.
    ``dotenv`` is the path of the working directory's ``.env``, which may not exist; ``env_file``, given on purpose, is
    read instead of it. Raises InputError naming the flag or variable whose value is wrong, and for a required option
    that is missing.
    """
    from asrnet.settings import reading

    return reading.read(command, arguments, environ, dotenv=dotenv, env_file=env_file)


def from_process(arguments: Mapping[str, object], command: str = "") -> Settings:
    """The settings of this process: ``arguments``, its environment and ``.env``; see ``read``."""
    return read(arguments, os.environ, dotenv=".env", command=command)


def env_example() -> str:
    """The text of ``.env.example``: every variable, what it means and its default."""
    from asrnet.settings import example

    return example.env_example()
