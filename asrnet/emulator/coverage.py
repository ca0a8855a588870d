"""The coverage page: every operation that the emulator knows, and the source of its behaviour."""

from __future__ import annotations

from typing import Final

from asrnet.emulator.routes import ROUTES
from asrnet.fake.refusals import assumptions

_HEAD: Final = """\
# What the emulator covers

Made from the emulator's table of routes by `make docs`. How to use it: [the emulator](emulator.md).

The source of an operation's behaviour is one of:

- **recorded**: real traffic of the service;
- **specified**: the API's public specification and its examples, or the SDKs made from them;
- **documented**: Microsoft's documents, or what public clients rely on;
- **assumed**: no public source shows it; this is a guess, which [first contact](first-contact.md) checks.

The source refers to the answer to a successful request. The answers for a missing vault, fabric or protected machine,
and for a vault that was never used, have been observed. It is assumed that Site Recovery uses the same wording for its
other missing resources.

In paths, `G` stands for `/subscriptions/{subscription}/resourceGroups/{group}`,
`V` for `G/providers/Microsoft.RecoveryServices/vaults/{vault}` and `F` for `V/replicationFabrics/{fabric}`.
"""
# The parts of the page. A route belongs to the first part of which a string is in the route's lower-case path.
_PARTS: Final = (
    ("Signing in", ("/metadata/", "/oauth2/", "/msi/", "/.well-known/", "/discovery/")),
    ("The emulator's own", ("/_asrnet/",)),
    ("Rights", ("/microsoft.authorization/",)),
    ("Resource Graph", ("/microsoft.resourcegraph/",)),
    ("Microsoft.Network", ("/microsoft.network/",)),
    ("Site Recovery", ("/{vault}/replication",)),
    ("Vaults", ("/microsoft.recoveryservices/",)),
    ("Subscriptions and resource groups", ("",)),
)
_SHORT: Final = (
    ("/subscriptions/{subscription}/resourceGroups/{group}", "G"),
    ("G/providers/Microsoft.RecoveryServices/vaults/{vault}", "V"),
    ("V/replicationFabrics/{fabric}", "F"),
)


def page() -> str:
    """The text of docs/emulator-coverage.md."""
    lines = [_HEAD]
    parts: dict[str, list[str]] = {title: [] for title, _ in _PARTS}
    for route in ROUTES:
        if route.handler:
            path = route.template.lower()
            title = next(title for title, segments in _PARTS if any(segment in path for segment in segments))
            template = route.template
            for long, short in _SHORT:
                template = template.replace(long, short)
            request = f"`{route.method} {template}`"
            parts[title].append(f"| {route.operation} | {request} | {route.source} | {route.note} |")
    for title, rows in parts.items():
        lines += [f"## {title}\n", "| operation | request | source | remarks |", "|---|---|---|---|", *rows, ""]
    missing: dict[str, list[str]] = {}
    for route in ROUTES:
        if route.handler is None:
            missing.setdefault(route.area, []).append(route.operation.partition("_")[2])
    lines += ["## Known and not implemented\n", "Answered with 501 and the operation's name.\n"]
    lines += [f"- {area}: {', '.join(operations)}" for area, operations in sorted(missing.items())]
    lines += [
        "",
        "## Refusals that are assumed\n",
        "No public source shows what the service answers here. A world can replace status, code and message of each",
        "with `behaviour: {answers: {NAME: {status: 409, code: CODE, message: TEXT}}}`.\n",
        "| name | status | code | message |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {status} | {code} | {' '.join(message.split())} |"
        for name, (status, code, message) in assumptions().items()
    ]
    return "\n".join([*lines, ""])
