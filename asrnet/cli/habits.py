"""Options and commands that users of az, terraform and similar tools type out of habit, and asrnet's equivalents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# No entry suggests an option that lifts a safeguard: users who want --yes have to find it in the help.

OPTIONS: Final[Mapping[str, str]] = {
    "json": "use -o json",
    "format": "use -o FORMAT",
    "auto-approve": "apply shows the plan and asks; see: asrnet apply --help",
    "dry-run": "asrnet plan shows what apply would do, and never writes",
    "what-if": "asrnet plan shows what apply would do, and never writes",
    "check": "asrnet plan shows what apply would do, and never writes",
    "refresh-only": "asrnet drift shows what has changed",
    "target": "use --pair NAME or --vault NAME",
    "chdir": "use -f PATH",
    "config": "use -f PATH",
    "vault-name": "use --vault NAME",
    "resource-group": "use --vault with the full id of the vault",
    "subscription": "the desired state names subscriptions; without one, use --vault with the full id of a vault",
    "query": "use -o json, and filter it with a tool such as jq",
    "debug": "use -vv",
    "only-show-errors": "use -q",
    "no-color": "set the variable NO_COLOR=1",
    "color": "set the variable FORCE_COLOR=1",
}
"""Hints by the name of an option, without dashes."""

COMMANDS: Final[Mapping[str, str]] = {
    "diff": "plan",
    "preview": "plan",
    "what-if": "plan",
    "sync": "apply",
    "deploy": "apply",
    "list": "show",
    "ls": "show",
    "status": "show",
    "get": "show",
    "export": "dump",
    "import": "dump",
    "lint": "validate",
    "check": "validate",
    "detect": "drift",
    "serve": "emulator",
}

FORMATS: Final[Mapping[str, str]] = {
    "table": "text",
    "tsv": "csv",
    "jsonc": "json",
    "yaml": "json",
    "yml": "json",
    "md": "markdown",
    "xml": "junit",
    "graph": "mermaid",
}
