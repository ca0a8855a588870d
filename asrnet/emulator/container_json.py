"""Protection containers, their mappings and protected items, as Site Recovery writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from asrnet.emulator.site_recovery_json import CONTAINER_MAPPING_TYPE, CONTAINER_TYPE, Document, stable_guid, wire_id
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE, Cloud, CloudMapping, IpConfiguration, Nic, ProtectedItem

ITEM_TYPE: Final = f"{CONTAINER_TYPE}/replicationProtectedItems"
_NEVER: Final = "1753-01-01T01:01:01Z"
_FABRIC_TYPES: Final = {"azure": "Azure", "vmm": "VMM", "other": "HyperVSite"}


class ContainerView(Struct, frozen=True, kw_only=True):
    """What a container's document says beside its name. ``kind`` is its fabric's."""

    fabric_name: str
    kind: str
    items: int = 0
    paired: bool = False


def container_json(cloud: Cloud, view: ContainerView) -> Document:
    """A protection container: a VMM cloud, or the container of an Azure fabric."""
    return {
        "id": wire_id(cloud.id),
        "name": cloud.id.name,
        "type": CONTAINER_TYPE,
        "properties": {
            "fabricFriendlyName": view.fabric_name,
            "friendlyName": cloud.friendly_name,
            "fabricType": _FABRIC_TYPES.get(view.kind, "Azure"),
            "protectedItemCount": view.items,
            "pairingStatus": "Paired" if view.paired else "NotPaired",
            "role": "",
            "fabricSpecificDetails": None,
        },
    }


class ContainerMappingNames(Struct, frozen=True, kw_only=True):
    """What a container mapping's document calls its containers and fabrics. ``kind`` is the primary fabric's."""

    primary: str
    primary_fabric: str
    recovery: str
    recovery_fabric: str
    kind: str


def container_mapping_json(mapping: CloudMapping, names: ContainerMappingNames) -> Document:
    """A container mapping: which container protects which, and by which policy."""
    vault = mapping.id.parent.parent.parent
    recovery = wire_id(mapping.recovery_cloud_id) if mapping.recovery_cloud_id else MICROSOFT_AZURE
    return {
        "id": wire_id(mapping.id),
        "name": mapping.id.name,
        "type": CONTAINER_MAPPING_TYPE,
        "properties": {
            "targetProtectionContainerId": recovery,
            "targetProtectionContainerFriendlyName": names.recovery,
            "providerSpecificDetails": _mapping_details(names.kind),
            "health": "Normal",
            "healthErrorDetails": [],
            "policyId": wire_id(vault.child("replicationPolicies", "default")),
            "state": "Paired",
            "sourceProtectionContainerFriendlyName": names.primary,
            "sourceFabricFriendlyName": names.primary_fabric,
            "targetFabricFriendlyName": names.recovery_fabric,
            "policyFriendlyName": "default",
        },
    }


def _mapping_details(kind: str) -> Document | None:
    if kind != "azure":
        return None
    return {
        "instanceType": "A2A",
        "agentAutoUpdateStatus": "Disabled",
        "automationAccountArmId": None,
        "automationAccountAuthenticationType": "RunAsAccount",
        "scheduleName": None,
        "jobScheduleName": None,
    }


class ItemNames(Struct, frozen=True, kw_only=True):
    """What a protected item's document calls its fabrics and containers."""

    primary_fabric: str
    recovery_fabric: str
    primary_container: str
    recovery_container: str


def item_json(
    item: ProtectedItem, names: ItemNames, recovery_container: ArmId | None, extras: Mapping[str, object]
) -> Document:
    """A replicated machine with the recovery settings of its NICs; ``extras`` are details that no model has."""
    vault = item.vault_id
    recovery_fabric = wire_id(item.recovery_fabric_id) if item.recovery_fabric_id else MICROSOFT_AZURE
    return {
        "id": wire_id(item.id),
        "name": item.id.name,
        "type": ITEM_TYPE,
        "properties": {
            "friendlyName": item.friendly_name,
            "protectedItemType": "",
            "protectableItemId": None,
            "recoveryServicesProviderId": None,
            "primaryFabricFriendlyName": names.primary_fabric,
            "primaryFabricProvider": "Azure" if item.provider == "A2A" else "VMM",
            "recoveryFabricFriendlyName": names.recovery_fabric,
            "recoveryFabricId": recovery_fabric,
            "primaryProtectionContainerFriendlyName": names.primary_container,
            "recoveryProtectionContainerFriendlyName": names.recovery_container,
            "protectionState": item.state,
            "protectionStateDescription": item.state,
            "activeLocation": item.active_location,
            "testFailoverState": item.test_failover_state,
            "testFailoverStateDescription": item.test_failover_state,
            "allowedOperations": _allowed(item),
            "replicationHealth": "Normal",
            "failoverHealth": "Normal",
            "healthErrors": [],
            "policyId": wire_id(vault.child("replicationPolicies", "default")),
            "policyFriendlyName": "default",
            "lastSuccessfulFailoverTime": None,
            "lastSuccessfulTestFailoverTime": None,
            "currentScenario": _scenario(item),
            "failoverRecoveryPointId": None,
            "providerSpecificDetails": {**_details(item), **extras},
            "recoveryContainerId": wire_id(recovery_container) if recovery_container else None,
            "eventCorrelationId": stable_guid(str(item.id), "events"),
        },
    }


def _allowed(item: ProtectedItem) -> list[str]:
    if item.state != "Protected":
        return ["DisableProtection"]
    return ["UnplannedFailover", "DisableProtection", "TestFailover"]


def _scenario(item: ProtectedItem) -> Document:
    name = item.scenario or "None"
    job = item.vault_id.child("replicationJobs", stable_guid(str(item.id), name) if item.scenario else "None")
    return {"scenarioName": name, "jobId": wire_id(job), "startTime": _NEVER}


def _details(item: ProtectedItem) -> Document:
    networks = [nic.recovery_network_id for nic in item.nics if nic.recovery_network_id]
    tests = [nic.test_network_id for nic in item.nics if nic.test_network_id]
    return {
        "instanceType": item.provider,
        "fabricObjectId": _fabric_object(item),
        "vmNics": [_nic(item, nic) for nic in item.nics],
        "selectedRecoveryAzureNetworkId": str(networks[0]) if networks else None,
        "selectedTfoAzureNetworkId": str(tests[0]) if tests else None,
    }


def _fabric_object(item: ProtectedItem) -> str | None:
    network = next((nic.primary_network_id for nic in item.nics if nic.primary_network_id), None)
    if item.provider != "A2A" or network is None:
        return None
    group = f"/subscriptions/{network.subscription}/resourceGroups/{network.resource_group}"
    return f"{group}/providers/Microsoft.Compute/virtualMachines/{item.friendly_name}"


def _nic(item: ProtectedItem, nic: Nic) -> Document:
    return {
        "nicId": nic.name,
        "replicaNicId": None,
        "sourceNicArmId": None,
        "vMNetworkName": str(nic.primary_network_id) if nic.primary_network_id else nic.primary_network or None,
        "recoveryVMNetworkId": str(nic.recovery_network_id) if nic.recovery_network_id else None,
        "ipConfigs": [_ip_configuration(configuration) for configuration in nic.ip_configurations],
        "selectionType": "SelectedByUserOverride" if item.provider == "A2A" else "SelectedByDefault",
        "recoveryNetworkSecurityGroupId": None,
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


def _ip_configuration(configuration: IpConfiguration) -> Document:
    recovery_type = (
        None if configuration.recovery_subnet is None else "Static" if configuration.recovery_ip else "Dynamic"
    )
    return {
        "name": configuration.name,
        "isPrimary": configuration.primary,
        "subnetName": configuration.subnet,
        "staticIPAddress": configuration.ip,
        "ipAddressType": configuration.ip_type,
        "isSeletedForFailover": configuration.selected_for_failover,
        "recoverySubnetName": configuration.recovery_subnet,
        "recoveryStaticIPAddress": configuration.recovery_ip or "",
        "recoveryIPAddressType": recovery_type,
        "recoveryPublicIPAddressId": None,
        "recoveryLBBackendAddressPoolIds": None,
        "tfoSubnetName": None,
        "tfoStaticIPAddress": None,
        "tfoPublicIPAddressId": None,
        "tfoLBBackendAddressPoolIds": None,
    }
