"""The table of commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMMANDS: Final[Mapping[str, str]] = {
    "demo": "plan, apply and plan again on a made-up Azure, without a subscription",
    "init": "write a first desired-state file, from the mappings of a vault or as an example to edit",
    "plan": "show what apply would do, what each rule matched, and every finding; never writes",
    "apply": "show the plan, ask, apply it and read back",
    "drift": "for schedulers: detect drift, or detect and correct it",
    "map": "map one network now, as the portal does, in both directions",
    "predict": "show where each machine lands after failover, test failover or failback, and by which rule",
    "targets": "show which recovery VM networks are available to which VMM clouds, and why",
    "show": "show the live mappings as pairs",
    "dump": "write the live mappings as a desired state, as a world, or for Terraform, Bicep or az",
    "validate": "check files offline",
    "doctor": "check identity, reachability, rights and the clock, and suggest fixes; never writes",
    "explain": "explain a finding, a rule, an outcome, an exit code, a limit or an error",
    "permissions": "print the custom role with the least rights that a task needs",
    "schema": "print the JSON Schema of a file",
    "completion": "print a completion script for bash, zsh or fish",
    "emulator": "serve a world over HTTP and HTTPS, for az, Terraform and SDKs",
}
"""Each command is the module ``asrnet.cli.commands.NAME``.

The module's docstring, ``EXAMPLES`` and ``EXITS`` make up its help, and ``run(session)`` returns the exit code.
``DOCUMENT`` is the kind of document that a command with ``--output`` writes, and ``HELP`` replaces help texts from the
table of options.
"""

MODULE: Final = "asrnet.cli.commands.{}"
