"""The table of commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMMANDS: Final[Mapping[str, str]] = {
    "plan": "show what apply would do, what each rule matched, and every finding; never writes",
    "apply": "show the plan, ask, carry it out and read back",
    "drift": "for schedulers: detect what moved, or detect and correct",
    "map": "map one network now, the portal's way, both directions",
    "predict": "where each machine lands after failover, in a test or after failback, and by which rule",
    "targets": "which recovery VM networks are available to which VMM clouds, and why",
    "show": "show the live mappings as pairs",
    "dump": "write the live mappings down, as a desired state, as a world to work offline with, or as Terraform",
    "validate": "check files offline",
    "doctor": "check identity, reachability, rights and the clock, with the fix for whatever is wrong; never writes",
    "permissions": "print the custom role with the least rights that a task needs",
    "schema": "print the JSON Schema of a file",
    "emulator": "serve a world over HTTP and HTTPS, for az, Terraform, SDKs",
}
"""Each command is the module ``asrnet.cli.commands.NAME`` with ``add_arguments(parser)`` and ``run(session)``."""

MODULE: Final = "asrnet.cli.commands.{}"
