"""The table of commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMMANDS: Final[Mapping[str, str]] = {
    "plan": "show what apply would do, what each rule matched, and every finding; never writes",
    "apply": "show the plan, ask, apply it and read back",
    "drift": "for schedulers: detect what has moved, or detect and correct",
    "map": "map one network now, as the portal does, in both directions",
    "predict": "show where each machine lands after failover, test failover or failback, and by which rule",
    "targets": "show which recovery VM networks are available to which VMM clouds, and why",
    "show": "show the live mappings as pairs",
    "dump": "write the live mappings as a desired state, as a world to work offline with, or as Terraform",
    "validate": "check files offline",
    "doctor": "check identity, reachability, rights and the clock, with a fix for whatever is wrong; never writes",
    "permissions": "print the custom role with the least rights that a task needs",
    "schema": "print the JSON Schema of a file",
    "emulator": "serve a world over HTTP and HTTPS, for az, Terraform and SDKs",
}
"""Each command is the module ``asrnet.cli.commands.NAME``.

Its docstring is the help text, ``EXAMPLES`` and ``EXITS`` end it; ``run(session)`` returns the exit code. Commands with
``--output`` say in ``DOCUMENT`` what they write; ``HELP`` replaces what the table of options says of an option.
"""

MODULE: Final = "asrnet.cli.commands.{}"
