"""The coverage page: every operation the emulator knows, made from the table of routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from asrnet.emulator.routes import ROUTES
from asrnet.emulator.routing import Route
from asrnet.fake.refusals import assumptions

_HEAD: Final = """\
# What the emulator covers

Made from the emulator's table of routes by `make docs`. What it is and how to use it: [the emulator](emulator.md).

Where the behaviour of an operation is known from:

- **recorded**: real traffic of the service;
- **specified**: the API's public specification and its examples, or the SDKs made from them;
- **documented**: Microsoft's documents, or what public clients rely on;
- **assumed**: no public source shows it; the likeliest was chosen.

That counts for an operation's success. The answers for a vault, a fabric or a protected machine that is missing, and
for a vault never used, were seen; that other resources of Site Recovery are missing in the same words is assumed.

In paths, `G` stands for `/subscriptions/{subscription}/resourceGroups/{group}`,
`V` for `G/providers/Microsoft.RecoveryServices/vaults/{vault}` and `F` for `V/replicationFabrics/{fabric}`.
"""
_GROUPS: Final = (
    ("Identity", "Signing in"),
    ("Subscriptions Tenants Providers Resources_ ResourceGroups", "Subscriptions and resource groups"),
    ("VirtualNetworks Subnets Network", "Microsoft.Network"),
    ("ResourceGraph", "Resource Graph"),
    ("Vaults Backup", "Vaults"),
    ("Replication", "Site Recovery"),
    ("Permissions", "Rights"),
    ("Admin", "The emulator's own"),
)
_SHORT: Final = (
    ("/subscriptions/{subscription}/resourceGroups/{group}", "G"),
    ("G/providers/Microsoft.RecoveryServices/vaults/{vault}", "V"),
    ("V/replicationFabrics/{fabric}", "F"),
)


def page() -> str:
    """docs/emulator-coverage.md."""
    lines = [_HEAD]
    known = [route for route in ROUTES if route.handler]
    for prefixes, title in _GROUPS:
        rows = [route for route in known if route.operation.startswith(tuple(prefixes.split()))]
        lines += [f"## {title}\n", *_table(rows), ""]
    lines += ["## Known and not implemented\n", "Answered with 501 and the operation's name.\n"]
    lines += [*_missing(), "", *_assumed()]
    return "\n".join(lines)


def _table(routes: Iterable[Route]) -> Iterator[str]:
    yield "| operation | request | source | remarks |"
    yield "|---|---|---|---|"
    for route in routes:
        yield f"| {route.operation} | `{route.method} {_short(route.template)}` | {route.source} | {route.note} |"


def _missing() -> Iterator[str]:
    areas: dict[str, list[str]] = {}
    for route in ROUTES:
        if route.handler is None:
            areas.setdefault(route.area, []).append(route.operation.partition("_")[2])
    for area in sorted(areas):
        yield f"- {area}: {', '.join(areas[area])}"


def _assumed() -> Iterator[str]:
    yield "## Refusals that are assumed\n"
    yield "No public source shows what the service answers here. A world replaces status, code and message of each with"
    yield "`behaviour: {answers: {NAME: {status: 409, code: CODE, message: TEXT}}}`.\n"
    yield "| name | status | code | message |"
    yield "|---|---|---|---|"
    for name, (status, code, message) in assumptions().items():
        yield f"| {name} | {status} | {code} | {message} |"
    yield ""


def _short(template: str) -> str:
    for long, short in _SHORT:
        template = template.replace(long, short)
    return template
