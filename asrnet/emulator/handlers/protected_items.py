"""Protected items: replicated machines."""

from __future__ import annotations

from typing import Final

from asrnet.emulator.call import Call
from asrnet.emulator.container_json import ItemNames, item_json
from asrnet.emulator.handlers.templates import CONTAINER, ITEM, VAULT
from asrnet.emulator.messages import Response, json_response
from asrnet.emulator.names import container_name, fabric_name
from asrnet.emulator.routing import Route
from asrnet.emulator.site_recovery_json import Document
from asrnet.models import MICROSOFT_AZURE, ProtectedItem


def list_items(call: Call) -> Response:
    """All protected items of a vault."""
    return call.page(call.world.protected_items.list(call.id("vault")), lambda item: _item(call, item))


def list_container_items(call: Call) -> Response:
    """The protected items of a container."""
    return call.page(call.world.protected_items.list_container(call.id("container")), lambda item: _item(call, item))


def get_item(call: Call) -> Response:
    """One protected item."""
    return json_response(_item(call, call.world.protected_items.get(call.id("item"))))


def _item(call: Call, item: ProtectedItem) -> Document:
    container = item.id.parent
    mappings = call.world.state.cloud_mappings.values(item.vault_id.key)
    recovery = next((each.recovery_cloud_id for each in mappings if each.primary_cloud_id == container), None)
    fabric = item.recovery_fabric_id
    names = ItemNames(
        primary_fabric=fabric_name(call.world, item.fabric_id),
        recovery_fabric=fabric_name(call.world, fabric) if fabric else MICROSOFT_AZURE,
        primary_container=container_name(call.world, container),
        recovery_container=container_name(call.world, recovery) if recovery else MICROSOFT_AZURE,
    )
    return item_json(item, names, recovery)


_AREA: Final = "ReplicationProtectedItems"
_BELOW: Final = "replicationProtectedItems"

ROUTES: Final = (
    Route(
        method="GET", template=f"{VAULT}/{_BELOW}", operation=f"{_AREA}_List", source="specified", handler=list_items
    ),
    Route(
        method="GET",
        template=f"{CONTAINER}/{_BELOW}",
        operation=f"{_AREA}_ListByReplicationProtectionContainers",
        source="specified",
        handler=list_container_items,
    ),
    Route(method="GET", template=ITEM, operation=f"{_AREA}_Get", source="recorded", handler=get_item),
)
