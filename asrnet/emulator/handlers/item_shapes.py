"""Protected items as Site Recovery writes and reads them: replicated machines, with the settings of their provider.

Azure machines (A2A) as recorded, key by key; Hyper-V's and VMware's by the API's specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from asrnet.emulator.bodies import text
from asrnet.emulator.messages import Document
from asrnet.emulator.spelling import (
    CONTAINER_TYPE,
    NEVER,
    container_name,
    fabric_name,
    find_fabric,
    stable_guid,
    wire_id,
)
from asrnet.fake.jobs import iso_time
from asrnet.fake.machines import PROTECTED, REPLICATING, TEST_MACHINE_EXISTS, allowed_operations
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.fake.world import World
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE, IpConfiguration, Nic, ProtectedItem
from asrnet.model.machine_update import UPDATES, Level

_DESCRIPTIONS: Final = {
    "InitialReplicationInProgress": "Initial replication is in progress",
    "InitialReplicationRecoveryCompletionPending": "Initial replication completion is pending on the recovery side",
    "UnplannedFailoverCommitPendingStatesBegin": "Unplanned failover finished, commit is pending",
    "UnplannedFailoverCommitted": "Unplanned failover is committed",
}
"""The first is recorded; the others are assumed."""

VMWARE: Final = frozenset({"InMageRcm", "InMageAzureV2"})


def item_json(world: World, item: ProtectedItem) -> Document:
    """A replicated machine with the recovery settings of its NICs."""
    container = item.id.parent
    fabric_id = container.parent
    vault = fabric_id.parent
    recovery_container = world.state.recovery_container(item)
    recovery_fabric = item.recovery_fabric_id
    fabric = find_fabric(world, fabric_id)
    # A machine that came with a world need not name its policy; clients expect one.
    policy_id = item.policy_id or vault.child("replicationPolicies", "default")
    job = world.protected_items.current_job(item.id) if item.scenario else None
    extras = dict(world.extras.get(item.id.key, {}))
    disks = extras.pop(DISKS, ())
    details = _DETAILS.get(item.provider, _other_details)(item)
    if "lastHeartbeat" in details:
        details["lastHeartbeat"] = iso_time(world.clock.now())
    if item.provider == "A2A":
        # Specified, and what scripts look for after a failover: the machines that the item has made.
        details["recoveryFabricObjectId"] = _text(_machine_made(world, item, test=False))
        details["testFailoverRecoveryFabricObjectId"] = _text(_machine_made(world, item, test=True))
        if item.state == PROTECTED:
            details |= {"rpoInSeconds": 60, "lastRpoCalculatedTime": iso_time(world.clock.now())}
    if "protectedManagedDisks" in details and isinstance(disks, list):
        details["protectedManagedDisks"] = [_disk_json(item, disk) for disk in disks if isinstance(disk, Mapping)]
    return {
        "id": wire_id(item.id),
        "name": item.id.name,
        "type": f"{CONTAINER_TYPE}/replicationProtectedItems",
        "properties": {
            "friendlyName": item.friendly_name,
            "protectedItemType": "" if item.provider == "A2A" else "HyperVVirtualMachine",
            "protectableItemId": None
            if item.provider == "A2A"
            else wire_id(container.child("replicationProtectableItems", item.id.name)),
            "recoveryServicesProviderId": wire_id(
                fabric_id.child("replicationRecoveryServicesProviders", stable_guid(str(fabric_id), "provider"))
            ),
            "primaryFabricFriendlyName": fabric_name(world, fabric_id),
            "primaryFabricProvider": _FABRIC_PROVIDERS.get(fabric.kind if fabric else "azure", "HyperVSite"),
            "recoveryFabricFriendlyName": fabric_name(world, recovery_fabric) if recovery_fabric else MICROSOFT_AZURE,
            "recoveryFabricId": wire_id(recovery_fabric) if recovery_fabric else MICROSOFT_AZURE,
            "primaryProtectionContainerFriendlyName": container_name(world, container),
            "recoveryProtectionContainerFriendlyName": container_name(world, recovery_container)
            if recovery_container
            else MICROSOFT_AZURE,
            "protectionState": item.state,
            "protectionStateDescription": _DESCRIPTIONS.get(item.state, item.state),
            "activeLocation": item.active_location,
            "testFailoverState": item.test_failover_state,
            "testFailoverStateDescription": item.test_failover_state,
            "switchProviderState": "None",
            "switchProviderStateDescription": None,
            "allowedOperations": list(allowed_operations(item)),
            "replicationHealth": "Normal",
            "failoverHealth": "Normal",
            "healthErrors": [],
            "policyId": wire_id(policy_id),
            "policyFriendlyName": policy_id.name,
            "currentScenario": {
                "scenarioName": item.scenario or "None",
                "jobId": wire_id(job or vault.child("replicationJobs", "None")),
                "startTime": NEVER,
            },
            "failoverRecoveryPointId": None,
            "providerSpecificDetails": {"instanceType": item.provider, **details, **extras},
            "recoveryContainerId": wire_id(recovery_container or _azure_container(vault)),
            "eventCorrelationId": stable_guid(str(item.id), "events"),
        },
    }


_FABRIC_PROVIDERS: Final = {"azure": "AzureFabric", "vmm": "VmmFabric"}
DISKS: Final = "vmManagedDisks"
"""Where the extras of an item keep its disks, as the request that protected it named them."""


def _azure_container(vault: ArmId) -> ArmId:
    """The container of the fabric that stands for Azure."""
    fabric = vault.child("replicationFabrics", PSEUDO_FABRIC)
    return fabric.child("replicationProtectionContainers", stable_guid(str(fabric), "container"))


def _lowered(identifier: ArmId | None) -> str | None:
    return f"/{identifier.key}" if identifier else None


def _text(identifier: ArmId | None) -> str | None:
    return str(identifier) if identifier else None


def _machine_id(item: ProtectedItem) -> ArmId | None:
    """The Azure machine that is replicated.

    A world need not say where its machines are; the resource group of their network is used then.
    """
    if item.machine_id is not None or item.provider != "A2A":
        return item.machine_id
    network = next((nic.primary_network_id for nic in item.nics if nic.primary_network_id), None)
    group = network.parent if network else None
    return group.child("providers", "Microsoft.Compute", "virtualMachines", item.friendly_name) if group else None


def _machine_made(world: World, item: ProtectedItem, *, test: bool) -> ArmId | None:
    """The machine that a failover or a test failover has made of an item and that is still there."""
    items = world.protected_items
    machine_id = items.test_machine_id(item) if test else items.recovery_machine_id(item)
    is_there = item.test_failover_state == TEST_MACHINE_EXISTS if test else item.has_failed_over
    return machine_id if is_there else None


def _azure_details(item: ProtectedItem) -> Document:
    replicating = item.state == REPLICATING
    settings = _settings_json(item, "A2A", "item")
    machine_id = _machine_id(item)
    recovery_networks = [nic.recovery_network_id for nic in item.nics if nic.recovery_network_id]
    test_networks = [nic.test_network_id for nic in item.nics if nic.test_network_id]
    recovery_network = item.recovery_network_id or next(iter(recovery_networks), None)
    initial_recovery = item.primary_location if item.is_reversed else item.recovery_location
    return {
        "fabricObjectId": _lowered(machine_id),
        "initialPrimaryZone": item.initial_zone or "",
        "initialPrimaryFabricLocation": item.initial_location,
        "initialRecoveryZone": "",
        "initialPrimaryExtendedLocation": None,
        "initialRecoveryExtendedLocation": None,
        "initialRecoveryFabricLocation": initial_recovery,
        "multiVmGroupId": stable_guid(str(item.vault_id), item.id.name, "group"),
        "multiVmGroupName": "",
        "multiVmGroupCreateOption": "AutoCreated",
        "managementId": stable_guid(str(item.id), "management"),
        "protectedDisks": None,
        "unprotectedDisks": None,
        "protectedManagedDisks": [],
        "recoveryBootDiagStorageAccountId": settings["recoveryBootDiagStorageAccountId"],
        "primaryFabricLocation": item.primary_location,
        "recoveryFabricLocation": item.recovery_location,
        "osType": "Windows",
        "recoveryAzureVMSize": settings["recoveryAzureVMSize"],
        "recoveryAzureVMName": settings["recoveryAzureVMName"],
        "recoveryAzureResourceGroupId": settings["recoveryAzureResourceGroupId"],
        "recoveryCloudService": settings["recoveryCloudService"],
        "recoveryAvailabilitySet": settings["recoveryAvailabilitySet"],
        # Recorded: both are null as long as the machine replicates initially.
        "selectedRecoveryAzureNetworkId": None if replicating else _text(recovery_network),
        "selectedTfoAzureNetworkId": None
        if replicating
        else _text(item.test_network_id or next(iter(test_networks), None)),
        "vmNics": [_nic_json(item, nic) for nic in item.nics],
        "vmSyncedConfigDetails": {"tags": {}, "inputEndpoints": []},
        "monitoringPercentageCompletion": None,
        "monitoringJobType": None,
        "lastHeartbeat": None,
        "agentVersion": "9.52.6522.1",
        "agentExpiryDate": "9999-12-31T23:59:59.9999999",
        "isReplicationAgentUpdateRequired": False,
        "isReplicationAgentCertificateUpdateRequired": False,
        "recoveryFabricObjectId": None,
        "vmProtectionState": "UnprotectedStatesBegin" if replicating else item.state,
        "vmProtectionStateDescription": "Enabling protection"
        if replicating
        else _DESCRIPTIONS.get(item.state, item.state),
        "lifecycleId": None,
        "testFailoverRecoveryFabricObjectId": None,
        "rpoInSeconds": None,
        "lastRpoCalculatedTime": None,
        "primaryAvailabilityZone": item.primary_zone,
        "recoveryAvailabilityZone": settings["recoveryAvailabilityZone"],
        "primaryExtendedLocation": None,
        "recoveryExtendedLocation": None,
        "vmEncryptionType": "NotEncrypted",
        "tfoAzureVMName": settings["tfoAzureVMName"],
        "recoveryAzureGeneration": "V1",
        "recoveryProximityPlacementGroupId": settings["recoveryProximityPlacementGroupId"],
        "autoProtectionOfDataDisk": "Disabled",
        "recoveryVirtualMachineScaleSetId": settings["recoveryVirtualMachineScaleSetId"],
        "recoveryCapacityReservationGroupId": settings["recoveryCapacityReservationGroupId"],
        # Specified and not recorded, and left out as the recorded answers do where there is nothing to tell.
        **(
            {"platformFaultDomain": fault_domain}
            if (fault_domain := settings["platformFaultDomain"]) is not None
            else {}
        ),
        **({"protectionClusterId": "/cluster"} if item.is_cluster_member else {}),
    }


def _disk_json(item: ProtectedItem, disk: Mapping[str, object]) -> Document:
    """A disk, as the request described it. After re-protection it goes back to the disk that it came from."""
    disk_id = text(disk, "diskId") or ""
    group = text(disk, "recoveryResourceGroupId") or _text(item.recovery_group_id)
    name = disk_id.rpartition("/")[2]
    original = text(disk, "originalDiskId")
    replica = name.lower() if original else name
    account_type = text(disk, "recoveryReplicaDiskAccountType") or "Premium_LRS"
    return {
        "diskId": disk_id.lower(),
        "recoveryResourceGroupId": group,
        "recoveryTargetDiskId": None,
        "recoveryReplicaDiskId": f"{group}/providers/Microsoft.Compute/disks/{replica}-ASRReplica",
        "recoveryOrignalTargetDiskId": original,
        "recoveryReplicaDiskAccountType": account_type,
        "recoveryTargetDiskAccountType": text(disk, "recoveryTargetDiskAccountType") or account_type,
        "recoveryDiskEncryptionSetId": text(disk, "recoveryDiskEncryptionSetId"),
        "primaryDiskEncryptionSetId": None,
        "diskName": name,
        "diskCapacityInBytes": 136367308800,
        "primaryStagingAzureStorageAccountId": text(disk, "primaryStagingAzureStorageAccountId"),
        "diskType": "OperatingSystem",
        "resyncRequired": False,
        "monitoringPercentageCompletion": None,
        "monitoringJobType": None,
        "dataPendingInStagingStorageAccountInMB": 0.0,
        "dataPendingAtSourceAgentInMB": 0.0,
        "diskState": "InitialReplicationPending" if item.state == REPLICATING else "Protected",
        "allowedDiskLevelOperation": [],
        "isDiskEncrypted": False,
        "secretIdentifier": None,
        "dekKeyVaultArmId": None,
        "isDiskKeyEncrypted": False,
        "keyIdentifier": None,
        "kekKeyVaultArmId": None,
        "failoverDiskName": name,
        "tfoDiskName": f"{name}-ASRtest",
    }


def _settings_json(part: ProtectedItem | Nic | IpConfiguration, provider: str, level: Level) -> Document:
    """What a PATCH can set of a machine, a NIC or an ip configuration, as a GET tells it."""
    told: Document = {}
    for setting in UPDATES[provider].of(level):
        value: Any = part.settings.get(setting.patch) if setting.field is None else getattr(part, setting.field)
        match setting.kind:
            case "id" | "text":
                told[setting.get] = str(value) if value else None
            case "ids":
                told[setting.get] = [str(identifier) for identifier in value]
            case "word":
                told[setting.get] = "true" if value else "false"
            case _:
                told[setting.get] = list(value) if isinstance(value, tuple) else value
    return told


def _unknown_json(part: Nic | IpConfiguration) -> Document:
    """The members of a NIC or an ip configuration that no version of asrnet knows."""
    return {name: msgspec.json.decode(value) for name, value in part.unknown_members.items()}


def _nic_json(item: ProtectedItem, nic: Nic) -> Document:
    # Recorded after re-protection: while it replicates, a machine does not say where its NICs are.
    replicating = item.state == REPLICATING
    network = _text(nic.primary_network_id) or nic.primary_network or None
    selection = "SelectedByUserOverride" if item.provider == "A2A" else "SelectedByDefault"
    machine_id = _machine_id(item)
    source = _lowered(nic.source_id) if nic.source_id else None
    if source is None and machine_id is not None:
        source = _lowered(machine_id.parent.child("providers", "Microsoft.Network", "networkInterfaces", nic.name))
    settings = _settings_json(nic, "A2A", "nic")
    settings["selectionType"] = nic.selection or selection
    if replicating:
        settings["enableAcceleratedNetworkingOnTfo"] = None
    recorded_order = {
        "nicId": None,
        "replicaNicId": None,
        "sourceNicArmId": source,
        "vMNetworkName": None if replicating else network,
        "recoveryVMNetworkId": _text(nic.recovery_network_id or item.recovery_network_id),
        "ipConfigs": [
            _ip_configuration_json(configuration, replicating=replicating) for configuration in nic.ip_configurations
        ],
        "selectionType": None,
        "recoveryNetworkSecurityGroupId": None,
        "enableAcceleratedNetworkingOnRecovery": None,
        "tfoVMNetworkId": _text(nic.test_network_id),
    }
    return recorded_order | settings | _unknown_json(nic)


def _ip_configuration_json(configuration: IpConfiguration, *, replicating: bool) -> Document:
    recovery_type = "Static" if configuration.recovery_ip else "Dynamic"
    recorded_order = {
        "name": None,
        "isPrimary": None,
        "subnetName": None if replicating else configuration.subnet,
        "staticIPAddress": None if replicating else configuration.ip,
        "ipAddressType": configuration.ip_type,
        "isSeletedForFailover": None,
        "recoverySubnetName": None,
        "recoveryStaticIPAddress": None,
        "recoveryIPAddressType": None if configuration.recovery_subnet is None else recovery_type,
    }
    settings = _settings_json(configuration, "A2A", "ip_configuration")
    settings["recoveryStaticIPAddress"] = configuration.recovery_ip or ""
    if replicating:
        settings["name"] = None
    return recorded_order | settings | _unknown_json(configuration)


def _hyper_v_details(item: ProtectedItem) -> Document:
    recovery_networks = [nic.recovery_network_id for nic in item.nics if nic.recovery_network_id]
    settings = _settings_json(item, "HyperVReplicaAzure", "item")
    return {
        "azureVmDiskDetails": [],
        "recoveryAzureVmName": settings["recoveryAzureVmName"],
        "recoveryAzureVMSize": settings["recoveryAzureVMSize"],
        "recoveryAzureStorageAccount": None,
        "recoveryAzureLogStorageAccountId": None,
        "lastReplicatedTime": None,
        "rpoInSeconds": None,
        "lastRpoCalculatedTime": None,
        "vmId": item.id.name,
        "vmProtectionState": item.state,
        "vmProtectionStateDescription": _DESCRIPTIONS.get(item.state, item.state),
        "initialReplicationDetails": None,
        "vmNics": [_nic_json(item, nic) for nic in item.nics],
        "selectedRecoveryAzureNetworkId": _text(item.recovery_network_id or next(iter(recovery_networks), None)),
        "selectedSourceNicId": item.nics[0].name if item.nics else None,
        "encryption": "Disabled",
        "oSDetails": None,
        "sourceVmRamSizeInMB": 2048,
        "sourceVmCpuCount": 1,
        "enableRdpOnTargetOption": settings["enableRdpOnTargetOption"],
        "recoveryAzureResourceGroupId": settings["recoveryAzureResourceGroupId"],
        "recoveryAvailabilitySetId": settings["recoveryAvailabilitySetId"],
        "targetAvailabilityZone": settings["targetAvailabilityZone"],
        "targetProximityPlacementGroupId": settings["targetProximityPlacementGroupId"],
        "useManagedDisks": settings["useManagedDisks"],
        "licenseType": "NotSpecified",
        "sqlServerLicenseType": None,
        "lastRecoveryPointReceived": None,
        "targetVmTags": settings["targetVmTags"] or {},
        "targetCapacityReservationGroupId": settings["targetCapacityReservationGroupId"],
        "seedManagedDiskTags": {},
        "targetManagedDiskTags": settings["targetManagedDiskTags"] or {},
        "targetNicTags": settings["targetNicTags"] or {},
        "protectedManagedDisks": [],
    }


def _vmware_details(item: ProtectedItem) -> Document:
    recovery_network = item.recovery_network_id or next((nic.recovery_network_id for nic in item.nics), None)
    test_network = item.test_network_id or next((nic.test_network_id for nic in item.nics), None)
    settings = _settings_json(item, "InMageRcm", "item")
    return {
        "internalIdentifier": stable_guid(str(item.id)),
        "fabricDiscoveryMachineId": None,
        "multiVmGroupName": "",
        "discoveryType": "vCenter",
        "osType": "Windows",
        **settings,
        "targetLocation": item.recovery_location,
        "targetNetworkId": _text(recovery_network),
        "testNetworkId": _text(test_network),
        "resyncRequired": "false",
        "resyncState": "None",
        "protectedDisks": [],
        "vmNics": [_vmware_nic_json(nic) for nic in item.nics],
    }


def _vmware_nic_json(nic: Nic) -> Document:
    address = nic.ip_configurations[0] if nic.ip_configurations else IpConfiguration()
    return {
        **_settings_json(nic, "InMageRcm", "nic"),
        **_settings_json(address, "InMageRcm", "ip_configuration"),
        "sourceIPAddress": address.ip,
        "sourceIPAddressType": address.ip_type,
        "sourceNetworkId": _text(nic.primary_network_id) or nic.primary_network or None,
        "sourceSubnetName": address.subnet,
        "targetIPAddressType": "Static" if address.recovery_ip else "Dynamic",
        "testIPAddressType": "Static" if address.test_ip else "Dynamic",
    }


def _other_details(item: ProtectedItem) -> Document:
    return {"vmNics": [_nic_json(item, nic) for nic in item.nics]}


_DETAILS: Final = {
    "A2A": _azure_details,
    "HyperVReplicaAzure": _hyper_v_details,
    "InMageRcm": _vmware_details,
}
