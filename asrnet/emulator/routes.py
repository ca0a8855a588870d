"""The table of routes: what the emulator answers, and from what its behaviour is known.

Dispatch and the coverage page are made from it.
"""

from __future__ import annotations

from typing import Final

from asrnet.emulator.handlers import (
    admin,
    authorization,
    containers,
    fabrics,
    graph,
    identity,
    intents,
    mappings,
    networks,
    operations,
    protected_items,
    resources,
    vaults,
)
from asrnet.emulator.routing import Route
from asrnet.emulator.unimplemented import UNIMPLEMENTED

ROUTES: Final[tuple[Route, ...]] = (
    *identity.ROUTES,
    *authorization.ROUTES,
    *resources.ROUTES,
    *vaults.ROUTES,
    *networks.ROUTES,
    *fabrics.ROUTES,
    *mappings.ROUTES,
    *containers.ROUTES,
    *protected_items.ROUTES,
    *intents.ROUTES,
    *operations.ROUTES,
    *graph.ROUTES,
    *admin.ROUTES,
    *UNIMPLEMENTED,
)
