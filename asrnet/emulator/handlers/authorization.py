"""What the credential may do: Microsoft.Authorization, as far as reading it goes."""

from __future__ import annotations

from typing import Final

from asrnet.emulator.call import Call
from asrnet.emulator.handlers.templates import GROUP, VAULT, VNET
from asrnet.emulator.messages import Response
from asrnet.emulator.routing import Handler, Route
from asrnet.emulator.site_recovery_json import Document
from asrnet.model.access import Rights

_PERMISSIONS: Final = "providers/Microsoft.Authorization/permissions"


def list_for_group(call: Call) -> Response:
    """The roles' actions at a resource group."""
    return _listed(call, "group")


def list_for_vault(call: Call) -> Response:
    """The roles' actions at a vault."""
    return _listed(call, "vault")


def list_for_network(call: Call) -> Response:
    """The roles' actions at a virtual network."""
    return _listed(call, "vnet")


def _listed(call: Call, scope: str) -> Response:
    return call.page(call.world.subscriptions.rights(call.id(scope)), _permission_json, null_link=False)


def _permission_json(rights: Rights) -> Document:
    return {
        "actions": list(rights.actions),
        "notActions": list(rights.not_actions),
        "dataActions": [],
        "notDataActions": [],
    }


def _route(scope: str, operation: str, handler: Handler) -> Route:
    return Route(
        method="GET",
        template=f"{scope}/{_PERMISSIONS}",
        operation=f"Permissions_{operation}",
        source="documented",
        handler=handler,
        note="one role that allows everything but what the world denies",
    )


ROUTES: Final = (
    _route(GROUP, "ListForResourceGroup", list_for_group),
    _route(VAULT, "ListForResource", list_for_vault),
    _route(VNET, "ListForResource", list_for_network),
)
