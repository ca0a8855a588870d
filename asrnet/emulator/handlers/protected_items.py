"""Protected items: replicated machines, read, enabled, changed and disabled."""

from __future__ import annotations

from typing import Final

import msgspec

from asrnet.emulator.bodies import Body, an_id, an_object, flag, member, objects, text
from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.operations import add_results
from asrnet.emulator.messages import Document, GatewayError, Response, json_response
from asrnet.emulator.routing import CONTAINER, ITEM, VAULT, Routes
from asrnet.emulator.spelling import CONTAINER_TYPE, NEVER, container_name, fabric_name, stable_guid, wire_id
from asrnet.fake import refusals
from asrnet.fake.records import EnableRequest, UpdateRequest
from asrnet.fake.world import World
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE, IpConfiguration, Nic, ProtectedItem

routes: Final = Routes()

_ITEMS: Final = "replicationProtectedItems"


def item_json(world: World, item: ProtectedItem) -> Document:
    """A replicated machine with the recovery settings of its NICs."""
    container = item.id.parent
    mappings = world.state.cloud_mappings.values(item.vault_id.key)
    recovery_container = next(
        (mapping.recovery_cloud_id for mapping in mappings if mapping.primary_cloud_id == container), None
    )
    recovery_fabric = item.recovery_fabric_id
    can_fail_over = item.state == "Protected"
    scenario = item.scenario or "None"
    job = stable_guid(str(item.id), scenario) if item.scenario else "None"
    return {
        "id": wire_id(item.id),
        "name": item.id.name,
        "type": f"{CONTAINER_TYPE}/{_ITEMS}",
        "properties": {
            "friendlyName": item.friendly_name,
            "protectedItemType": "",
            "protectableItemId": None,
            "recoveryServicesProviderId": None,
            "primaryFabricFriendlyName": fabric_name(world, item.fabric_id),
            "primaryFabricProvider": "Azure" if item.provider == "A2A" else "VMM",
            "recoveryFabricFriendlyName": fabric_name(world, recovery_fabric) if recovery_fabric else MICROSOFT_AZURE,
            "recoveryFabricId": wire_id(recovery_fabric) if recovery_fabric else MICROSOFT_AZURE,
            "primaryProtectionContainerFriendlyName": container_name(world, container),
            "recoveryProtectionContainerFriendlyName": container_name(world, recovery_container)
            if recovery_container
            else MICROSOFT_AZURE,
            "protectionState": item.state,
            "protectionStateDescription": item.state,
            "activeLocation": item.active_location,
            "testFailoverState": item.test_failover_state,
            "testFailoverStateDescription": item.test_failover_state,
            "allowedOperations": ["UnplannedFailover", "DisableProtection", "TestFailover"]
            if can_fail_over
            else ["DisableProtection"],
            "replicationHealth": "Normal",
            "failoverHealth": "Normal",
            "healthErrors": [],
            "policyId": wire_id(item.vault_id.child("replicationPolicies", "default")),
            "policyFriendlyName": "default",
            "lastSuccessfulFailoverTime": None,
            "lastSuccessfulTestFailoverTime": None,
            "currentScenario": {
                "scenarioName": scenario,
                "jobId": wire_id(item.vault_id.child("replicationJobs", job)),
                "startTime": NEVER,
            },
            "failoverRecoveryPointId": None,
            "providerSpecificDetails": _details(item) | world.extras.get(item.id.key, {}),
            "recoveryContainerId": wire_id(recovery_container) if recovery_container else None,
            "eventCorrelationId": stable_guid(str(item.id), "events"),
        },
    }


def _details(item: ProtectedItem) -> Document:
    machine: str | None = None
    network = next((nic.primary_network_id for nic in item.nics if nic.primary_network_id), None)
    if item.provider == "A2A" and network is not None:
        # A world does not say where its machines are; beside their network is as good a place as any.
        group = f"/subscriptions/{network.subscription}/resourceGroups/{network.resource_group}"
        machine = f"{group}/providers/Microsoft.Compute/virtualMachines/{item.friendly_name}"
    recovery_networks = [item.recovery_network_id, *(nic.recovery_network_id for nic in item.nics)]
    test_networks = [item.test_network_id, *(nic.test_network_id for nic in item.nics)]
    locations = {
        "initialPrimaryZone": item.initial_zone or "",
        "primaryAvailabilityZone": item.primary_zone or "",
        "initialPrimaryFabricLocation": item.initial_location,
        "primaryFabricLocation": item.primary_location,
        "recoveryFabricLocation": item.recovery_location,
    }
    return {
        "instanceType": item.provider,
        **(locations if item.provider == "A2A" else {}),
        "fabricObjectId": machine,
        "vmNics": [_nic_json(item, nic) for nic in item.nics],
        "selectedRecoveryAzureNetworkId": next((str(network) for network in recovery_networks if network), None),
        "selectedTfoAzureNetworkId": next((str(network) for network in test_networks if network), None),
    }


def _nic_json(item: ProtectedItem, nic: Nic) -> Document:
    return {
        "nicId": nic.name,
        "replicaNicId": None,
        "sourceNicArmId": None,
        "vMNetworkName": str(nic.primary_network_id) if nic.primary_network_id else nic.primary_network or None,
        "recoveryVMNetworkId": str(nic.recovery_network_id) if nic.recovery_network_id else None,
        "ipConfigs": [_ip_configuration_json(configuration) for configuration in nic.ip_configurations],
        "selectionType": nic.selection or ("SelectedByUserOverride" if item.provider == "A2A" else "SelectedByDefault"),
        "recoveryNetworkSecurityGroupId": _text_or_none(nic.recovery_network_security_group),
        "enableAcceleratedNetworkingOnRecovery": False,
        "tfoVMNetworkId": str(nic.test_network_id) if nic.test_network_id else None,
        "tfoNetworkSecurityGroupId": None,
        "enableAcceleratedNetworkingOnTfo": False,
        "recoveryNicName": None,
        "recoveryNicResourceGroupName": None,
        "reuseExistingNic": False,
        "tfoRecoveryNicName": None,
        "tfoRecoveryNicResourceGroupName": None,
        "tfoReuseExistingNic": False,
        "targetNicName": None,
    }


def _ip_configuration_json(configuration: IpConfiguration) -> Document:
    recovery_type = "Static" if configuration.recovery_ip else "Dynamic"
    return {
        "name": configuration.name,
        "isPrimary": configuration.primary,
        "subnetName": configuration.subnet,
        "staticIPAddress": configuration.ip,
        "ipAddressType": configuration.ip_type,
        "isSeletedForFailover": configuration.selected_for_failover,
        "recoverySubnetName": configuration.recovery_subnet,
        "recoveryStaticIPAddress": configuration.recovery_ip or "",
        "recoveryIPAddressType": None if configuration.recovery_subnet is None else recovery_type,
        "recoveryPublicIPAddressId": _text_or_none(configuration.recovery_public_ip),
        "recoveryLBBackendAddressPoolIds": [str(pool) for pool in configuration.recovery_load_balancer_pools] or None,
        "tfoSubnetName": configuration.test_subnet,
        "tfoStaticIPAddress": configuration.test_ip,
        "tfoPublicIPAddressId": None,
        "tfoLBBackendAddressPoolIds": None,
    }


def _text_or_none(resource_id: ArmId | None) -> str | None:
    return str(resource_id) if resource_id else None


def read_enabling(body: Body, item_id: ArmId) -> EnableRequest:
    """What the body of a PUT says of the machine to protect and of its networks."""
    details = an_object(an_object(body, "properties"), "providerSpecificDetails")
    instance_type = text(details, "instanceType")
    if instance_type != "A2A":
        message = f"The emulator can create protected items of instance type 'A2A' only, not '{instance_type}'."
        raise GatewayError(501, "NotImplemented", message)
    machine_id, container_id = an_id(details, "fabricObjectId"), an_id(details, "recoveryContainerId")
    if machine_id is None or container_id is None:
        missing = "fabricObjectId" if machine_id is None else "recoveryContainerId"
        raise refusals.invalid(f"The property '{missing}' is required.", item_id)
    return EnableRequest(
        machine_id=machine_id,
        recovery_container_id=container_id,
        recovery_network_id=an_id(details, "recoveryAzureNetworkId"),
        recovery_subnet=text(details, "recoverySubnetName"),
        recovery_resource_group_id=an_id(details, "recoveryResourceGroupId"),
    )


def read_nics(body: Body, nics: tuple[Nic, ...]) -> tuple[Nic, ...]:
    """``nics`` with what the body of a PATCH says of each, and of all NICs of the machine."""
    properties = an_object(body, "properties")
    settings = {(text(entry, "nicId") or "").lower(): entry for entry in reversed(objects(properties, "vmNics"))}
    recovery_network_id = an_id(properties, "selectedRecoveryAzureNetworkId")
    test_network_id = an_id(properties, "selectedTfoAzureNetworkId")
    return tuple(
        msgspec.structs.replace(
            nic,
            recovery_network_id=recovery_network_id,
            test_network_id=test_network_id,
            ip_configurations=_read_ip_configurations(settings.get(nic.name.lower(), {}), nic.ip_configurations),
        )
        for nic in nics
    )


def _read_ip_configurations(nic: Body, configurations: tuple[IpConfiguration, ...]) -> tuple[IpConfiguration, ...]:
    settings = {text(entry, "ipConfigName"): entry for entry in reversed(objects(nic, "ipConfigs"))}
    changed: list[IpConfiguration] = []
    for configuration in configurations:
        entry = settings.get(configuration.name)
        if entry is None:
            changed.append(configuration)
            continue
        selected = flag(entry, "isSeletedForFailover")
        # An empty address takes the one that was set away; an absent one leaves it.
        absent = member(entry, "recoveryStaticIPAddress") is None
        changed.append(
            msgspec.structs.replace(
                configuration,
                recovery_subnet=text(entry, "recoverySubnetName") or configuration.recovery_subnet,
                recovery_ip=configuration.recovery_ip if absent else text(entry, "recoveryStaticIPAddress"),
                selected_for_failover=configuration.selected_for_failover if selected is None else selected,
            )
        )
    return tuple(changed)


@routes.get(f"{VAULT}/{_ITEMS}", "ReplicationProtectedItems_List", "specified")
def list_items(call: Call) -> Response:
    """All protected items of a vault."""
    items = call.world.protected_items.list(call.id("vault"))
    return call.page(items, lambda item: item_json(call.world, item))


@routes.get(f"{CONTAINER}/{_ITEMS}", "ReplicationProtectedItems_ListByReplicationProtectionContainers", "specified")
def list_container_items(call: Call) -> Response:
    """The protected items of a container."""
    items = call.world.protected_items.list_container(call.id("container"))
    return call.page(items, lambda item: item_json(call.world, item))


@routes.get(ITEM, "ReplicationProtectedItems_Get", "recorded")
def get_item(call: Call) -> Response:
    """One protected item."""
    return json_response(item_json(call.world, call.world.protected_items.get(call.id("item"))))


@routes.put(
    ITEM,
    "ReplicationProtectedItems_Create",
    "recorded",
    "Azure machines only; that mappings and the recovery network come with it is documented",
)
def put_item(call: Call) -> Response:
    """Enable replication of an Azure machine; mappings and the recovery network come with it."""
    item_id = call.id("item")
    request = read_enabling(call.request.document(), item_id)
    started = call.world.protected_items.enable(item_id, request)
    call.world.extras[item_id.key] = {"fabricObjectId": str(request.machine_id)}
    return call.accepted(started, item_id)


@routes.patch(
    ITEM,
    "ReplicationProtectedItems_Update",
    "specified",
    "of the NICs' settings the networks, subnets and addresses count",
)
def patch_item(call: Call) -> Response:
    """Change the recovery settings of a machine's NICs."""
    item_id = call.id("item")
    item = call.world.state.protected_items.get(call.id("vault").key, item_id.key)
    nics = read_nics(call.request.document(), item.nics if item else ())
    return call.accepted(call.world.protected_items.update(item_id, UpdateRequest(nics=nics)), item_id)


@routes.delete(ITEM, "ReplicationProtectedItems_Purge", "recorded")
@routes.post(f"{ITEM}/remove", "ReplicationProtectedItems_Delete", "recorded")
def remove_item(call: Call) -> Response:
    """Forget a machine (DELETE), or disable its replication (POST)."""
    item_id = call.id("item")
    return call.accepted(call.world.protected_items.delete(item_id, method=call.request.method), item_id)


add_results(routes, ITEM, get_item)
