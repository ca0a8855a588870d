"""Settings: the command line, else the environment, else ``.env``, else the defaults. Nothing else reads these.

A ``.env`` that merely lies in the working directory cannot say where and as whom to sign in: whoever can put a file
there could otherwise have a token sent to a host of theirs. ``--env-file`` says it on purpose.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from asrnet.settings.table import OPTIONS, READING, VARIABLES, WRITING, Option, Variable

__all__ = [
    "OPTIONS",
    "READING",
    "VARIABLES",
    "WRITING",
    "Option",
    "Output",
    "Settings",
    "Shard",
    "Variable",
    "default_of",
    "env_example",
    "from_process",
    "read",
]


class Output(Struct, frozen=True):
    """A format and the file it goes to; None is standard output."""

    format: str
    path: str | None = None


class Shard(Struct, frozen=True):
    """Part ``index`` (from 1) of ``count``."""

    index: int
    count: int


class Settings(Struct, frozen=True, kw_only=True):
    """Every option's value. Times are in seconds.

    ``variables`` holds what is set of the variables that others defined, by name; ``warnings`` what to tell the user.
    """

    file: str = "asrnet.yaml"
    vault: tuple[str, ...] = ()
    pair: tuple[str, ...] = ()
    shard: Shard | None = None
    env_file: str | None = None
    backend: str = "azure"
    endpoint: str | None = None
    credential: str | None = None
    inventory: Literal["network", "graph"] = "network"
    output: tuple[Output, ...] = ()
    verbose: int = 0
    quiet: bool = False
    log_format: Literal["text", "json"] = "text"
    audit: str | None = None
    yes: bool = False
    allow_delete: bool = False
    force: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Literal["error", "warning"] = "error"
    parallelism: int = 4
    total_parallelism: int = 8
    operation_timeout: float = 1800.0
    retry_attempts: int = 10
    retry_deadline: float = 300.0
    emulator_host: str = "127.0.0.1"
    emulator_port: int = 4590
    emulator_tls_port: int = 4591
    emulator_tls_cert: str | None = None
    emulator_tls_key: str | None = None
    emulator_seed: str | None = None
    emulator_state: str | None = None
    emulator_operations: str | None = None
    emulator_retry_after: int | None = None
    emulator_latency: int | None = None
    emulator_page_size: int | None = None
    emulator_capture: str | None = None
    emulator_no_auth: bool = False
    emulator_allow_remote: bool = False
    variables: Mapping[str, str] = {}
    warnings: tuple[str, ...] = ()

    @property
    def world(self) -> str | None:
        """The file of the fake world to work on; None for the real Azure."""
        return self.backend.removeprefix("fake:") if self.backend.startswith("fake:") else None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be told."""
        return tuple(self.variables[each.name] for each in VARIABLES if each.secret and each.name in self.variables)

    def __repr__(self) -> str:
        secret = {variable.name for variable in VARIABLES if variable.secret}
        said = {name: getattr(self, name) for name in self.__struct_fields__}
        said["variables"] = {name: "***" if name in secret else text for name, text in self.variables.items()}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in said.items())})"


def read(
    arguments: Mapping[str, object],
    environ: Mapping[str, str],
    *,
    dotenv: str | None = None,
    env_file: str | None = None,
) -> Settings:
    """The settings that ``arguments`` (by field; None is not given) and the variables come to.

    ``dotenv`` is the path of the working directory's ``.env``, which may not exist; ``env_file``, given on purpose, is
    read instead of it. Raises InputError naming the flag or variable whose value is none.
    """
    from asrnet.settings import reading

    return reading.read(arguments, environ, dotenv=dotenv, env_file=env_file)


def from_process(arguments: Mapping[str, object]) -> Settings:
    """The settings of this process: ``arguments``, its environment and its working directory's ``.env``."""
    return read(arguments, os.environ, dotenv=".env")


def default_of(option: Option) -> str:
    """The value that an option has where nobody sets it, as it would be written; empty where it has none."""
    value = getattr(Settings(), option.name)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value in (None, ()) else f"{value:g}" if isinstance(value, float) else str(value)


def env_example() -> str:
    """The text of ``.env.example``: every variable, what it means and its default."""
    from asrnet.settings import example

    return example.env_example()
