"""Options and commands that users of az, terraform and similar tools type out of habit, and asrnet's equivalents."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

# No entry suggests an option that lifts a safeguard: users who want --yes have to find it in the help.

_APPROVAL: Final = (
    "asrnet apply shows the plan and asks; asrnet apply --help names the option that answers for a pipeline"
)

OPTIONS: Final[Mapping[str, str]] = {
    "json": "use -o json",
    "format": "use -o FORMAT",
    **dict.fromkeys(
        ("auto-approve", "approve", "assume-yes", "no-confirm", "doit"),
        _APPROVAL,
    ),
    **dict.fromkeys(
        ("dry-run", "dryrun", "what-if", "check", "diff", "noop"),
        "asrnet plan shows what apply would do, and never writes",
    ),
    "var": "the desired state has no variables: write the values into its files",
    "var-file": "the desired state has no variables: -f takes a folder, whose files are merged",
    "refresh": "every run reads Azure again",
    "lock": "asrnet detects changes that others make meanwhile and leaves them alone; see docs/architecture.md",
    "input": "without a terminal asrnet asks nothing",
    "destroy": "take the rows out of the desired state, and see 'unmanaged' in docs/desired-state.md",
    "no-wait": "apply waits until it has read its changes back; --operation-timeout limits the wait",
    "refresh-only": "asrnet drift shows what has changed",
    "target": "use --pair NAME or --vault NAME",
    "chdir": "use -f PATH",
    "config": "use -f PATH",
    "config-file": "use -f PATH",
    "vault-name": "use --vault NAME",
    "resource-group": "use --vault with the full id of the vault",
    "g": "use --vault with the full id of the vault",
    "n": "use --vault NAME or --pair NAME",
    "subscription": "the desired state names subscriptions; without one, use --vault with the full id of a vault",
    "query": "use -o json, and filter it with a tool such as jq",
    "debug": "use -vv",
    "only-show-errors": "use -q",
    "no-color": "set the variable NO_COLOR=1",
    "color": "set the variable FORCE_COLOR=1",
}
"""Hints by the name of an option, without dashes; ``option_hint`` fits them to a command."""


def option_hint(name: str, command: str, flags: Collection[str]) -> str:
    """The hint for the option ``name`` of another tool, for a command with these ``flags``; empty without one.

    A hint to use an option that the command does not have is left out.
    """
    hint = OPTIONS.get(name, "")
    if command == "init":
        hint = hint.replace("--vault NAME", "--vault with the full id of the vault")
    elif command == "map":
        hint = hint.replace(_APPROVAL, _APPROVAL.replace("asrnet apply", "asrnet map"))
    # -vv is -v twice.
    words = {word.rstrip(",;:").replace("-vv", "-v") for word in hint.split() if word.startswith("-")}
    return "" if "use -" in hint and not words <= set(flags) else hint


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
    "update": "apply",
    "create": "apply",
    "refresh": "drift",
    "state": "show",
    "fmt": "validate",
    "completions": "completion",
}

NO_COMMANDS: Final[Mapping[str, str]] = {
    "version": "see: asrnet --version",
    "login": "asrnet signs in as az does: az login, or the variables AZURE_TENANT_ID, AZURE_CLIENT_ID and a secret",
    **dict.fromkeys(
        ("destroy", "delete", "remove", "rm"),
        "take the rows out of the desired state, and see 'unmanaged' in docs/desired-state.md",
    ),
    "graph": "use: asrnet show -o mermaid",
    "output": "use: asrnet show -o json",
}
"""Hints for commands that other tools have and asrnet does not."""

_SELECTION: Final = "use --pair NAME for a pair, --vault NAME for a vault and -f PATH for a desired state"

ARGUMENTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("plan", "drift", "dump", "targets"), _SELECTION),
    "show": f"{_SELECTION}; asrnet apply PLANFILE shows a saved plan before it asks",
    "map": "use --recovery NETWORK for an existing recovery network",
    "explain": "put quotes around words with a space, as in: asrnet explain 'in sync'",
}
"""Hints for an argument too many, by command."""

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
