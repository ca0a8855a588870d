"""Protected items: replicated machines, read, enabled, changed and disabled."""

from __future__ import annotations

from typing import Final

import msgspec

from asrnet.emulator.bodies import Body, an_id, an_object, flag, member, objects, text
from asrnet.emulator.call import Call
from asrnet.emulator.container_json import ItemNames, item_json
from asrnet.emulator.handlers.templates import CONTAINER, ITEM, VAULT
from asrnet.emulator.messages import Response, json_response
from asrnet.emulator.names import container_name, fabric_name
from asrnet.emulator.refusals import GatewayError
from asrnet.emulator.routing import Route
from asrnet.emulator.site_recovery_json import Document
from asrnet.fake import refusals
from asrnet.fake.records import EnableRequest
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE, IpConfiguration, Nic, ProtectedItem


def list_items(call: Call) -> Response:
    """All protected items of a vault."""
    return call.page(call.world.protected_items.list(call.id("vault")), lambda item: _item(call, item))


def list_container_items(call: Call) -> Response:
    """The protected items of a container."""
    return call.page(call.world.protected_items.list_container(call.id("container")), lambda item: _item(call, item))


def get_item(call: Call) -> Response:
    """One protected item."""
    return json_response(_item(call, call.world.protected_items.get(call.id("item"))))


def put_item(call: Call) -> Response:
    """Enable replication of an Azure machine; mappings and the recovery network come with it."""
    item_id = call.id("item")
    details = an_object(an_object(call.request.document(), "properties"), "providerSpecificDetails")
    _only_azure(text(details, "instanceType"), "create")
    request = EnableRequest(
        machine_id=_required(details, "fabricObjectId", item_id),
        recovery_container_id=_required(details, "recoveryContainerId", item_id),
        recovery_network_id=an_id(details, "recoveryAzureNetworkId"),
        recovery_subnet=text(details, "recoverySubnetName"),
        recovery_resource_group_id=an_id(details, "recoveryResourceGroupId"),
    )
    started = call.world.protected_items.enable(item_id, request)
    call.world.extras[item_id.key] = {"fabricObjectId": str(request.machine_id)}
    return call.accepted(started, item_id)


def patch_item(call: Call) -> Response:
    """Change the recovery settings of a machine's NICs."""
    item_id = call.id("item")
    known = call.world.state.protected_items.get(call.id("vault").key, item_id.key)
    properties = an_object(call.request.document(), "properties")
    nics = tuple(_changed(nic, properties) for nic in known.nics) if known else ()
    return call.accepted(call.world.protected_items.update(item_id, nics), item_id)


def purge_item(call: Call) -> Response:
    """Forget a machine."""
    return call.accepted(call.world.protected_items.delete(call.id("item")), call.id("item"))


def remove_item(call: Call) -> Response:
    """Disable replication."""
    return call.accepted(call.world.protected_items.delete(call.id("item"), method="POST"), call.id("item"))


def _only_azure(instance_type: str | None, verb: str) -> None:
    if instance_type != "A2A":
        message = f"The emulator can {verb} protected items of instance type 'A2A' only, not '{instance_type}'."
        raise GatewayError(501, "NotImplemented", message)


def _required(details: Body, name: str, item_id: ArmId) -> ArmId:
    found = an_id(details, name)
    if found is None:
        raise refusals.invalid(f"The property '{name}' is required.", item_id)
    return found


def _changed(nic: Nic, properties: Body) -> Nic:
    """A NIC with what the request says of it, and of all NICs of the machine."""
    entries = objects(properties, "vmNics")
    said = next((each for each in entries if (text(each, "nicId") or "").lower() == nic.name.lower()), {})
    return msgspec.structs.replace(
        nic,
        recovery_network_id=an_id(properties, "selectedRecoveryAzureNetworkId"),
        test_network_id=an_id(properties, "selectedTfoAzureNetworkId"),
        ip_configurations=tuple(_changed_address(each, said) for each in nic.ip_configurations),
    )


def _changed_address(configuration: IpConfiguration, nic: Body) -> IpConfiguration:
    said = next((each for each in objects(nic, "ipConfigs") if text(each, "ipConfigName") == configuration.name), None)
    if said is None:
        return configuration
    selected = flag(said, "isSeletedForFailover")
    address = text(said, "recoveryStaticIPAddress")
    kept = configuration.recovery_ip if member(said, "recoveryStaticIPAddress") is None else None
    return msgspec.structs.replace(
        configuration,
        recovery_subnet=text(said, "recoverySubnetName") or configuration.recovery_subnet,
        recovery_ip=address or kept,
        selected_for_failover=configuration.selected_for_failover if selected is None else selected,
    )


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
    return item_json(item, names, recovery, call.world.extras.get(item.id.key, {}))


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
    Route(
        method="PUT",
        template=ITEM,
        operation=f"{_AREA}_Create",
        source="recorded",
        handler=put_item,
        note="Azure machines only; that mappings and the recovery network come with it is documented",
    ),
    Route(
        method="PATCH",
        template=ITEM,
        operation=f"{_AREA}_Update",
        source="specified",
        handler=patch_item,
        note="of the NICs' settings the networks, subnets and addresses count",
    ),
    Route(method="DELETE", template=ITEM, operation=f"{_AREA}_Purge", source="recorded", handler=purge_item),
    Route(
        method="POST",
        template=f"{ITEM}/remove",
        operation=f"{_AREA}_Delete",
        source="recorded",
        handler=remove_item,
    ),
)
