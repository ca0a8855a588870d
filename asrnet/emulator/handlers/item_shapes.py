"""Protected items as Site Recovery writes and reads them: replicated machines, with the settings of their provider.

Azure machines (A2A) as recorded, key by key; Hyper-V's and VMware's by the API's specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from asrnet.emulator.bodies import Body, an_id, an_object, flag, member, objects, text
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
        "recoveryBootDiagStorageAccountId": None,
        "primaryFabricLocation": item.primary_location,
        "recoveryFabricLocation": item.recovery_location,
        "osType": "Windows",
        "recoveryAzureVMSize": "Standard_DS1_v2",
        "recoveryAzureVMName": item.friendly_name,
        "recoveryAzureResourceGroupId": _text(item.recovery_group_id),
        "recoveryCloudService": None,
        "recoveryAvailabilitySet": None,
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
        "recoveryAvailabilityZone": None,
        "primaryExtendedLocation": None,
        "recoveryExtendedLocation": None,
        "vmEncryptionType": "NotEncrypted",
        "tfoAzureVMName": f"{item.friendly_name}-test",
        "recoveryAzureGeneration": "V1",
        "recoveryProximityPlacementGroupId": None,
        "autoProtectionOfDataDisk": "Disabled",
        "recoveryVirtualMachineScaleSetId": None,
        "recoveryCapacityReservationGroupId": None,
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


def nic_id(item: ProtectedItem, nic: Nic) -> str:
    """The id that Site Recovery has for a NIC: of an Azure machine a GUID (recorded), else what the world calls it."""
    return stable_guid(str(item.vault_id), item.id.name, nic.name) if item.provider == "A2A" else nic.name


def _nic_json(item: ProtectedItem, nic: Nic) -> Document:
    # Recorded after re-protection: while it replicates, a machine does not say where its NICs are.
    replicating = item.state == REPLICATING
    network = _text(nic.primary_network_id) or nic.primary_network or None
    selection = "SelectedByUserOverride" if item.provider == "A2A" else "SelectedByDefault"
    machine_id = _machine_id(item)
    source = _lowered(nic.source_id) if nic.source_id else None
    if source is None and machine_id is not None:
        source = _lowered(machine_id.parent.child("providers", "Microsoft.Network", "networkInterfaces", nic.name))
    return {
        "nicId": nic_id(item, nic),
        "replicaNicId": None,
        "sourceNicArmId": source,
        "vMNetworkName": None if replicating else network,
        "recoveryVMNetworkId": _text(nic.recovery_network_id or item.recovery_network_id),
        "ipConfigs": [
            _ip_configuration_json(configuration, replicating=replicating) for configuration in nic.ip_configurations
        ],
        "selectionType": nic.selection or selection,
        "recoveryNetworkSecurityGroupId": _text(nic.recovery_network_security_group),
        "enableAcceleratedNetworkingOnRecovery": False,
        "tfoVMNetworkId": _text(nic.test_network_id),
        "tfoNetworkSecurityGroupId": None,
        "enableAcceleratedNetworkingOnTfo": None if replicating else False,
        "recoveryNicName": None,
        "recoveryNicResourceGroupName": None,
        "reuseExistingNic": False,
        "tfoRecoveryNicName": None,
        "tfoRecoveryNicResourceGroupName": None,
        "tfoReuseExistingNic": False,
        "targetNicName": None,
    }


def _ip_configuration_json(configuration: IpConfiguration, *, replicating: bool) -> Document:
    recovery_type = "Static" if configuration.recovery_ip else "Dynamic"
    return {
        "name": None if replicating else configuration.name or None,
        "isPrimary": configuration.primary,
        "subnetName": None if replicating else configuration.subnet,
        "staticIPAddress": None if replicating else configuration.ip,
        "ipAddressType": configuration.ip_type,
        "isSeletedForFailover": configuration.selected_for_failover,
        "recoverySubnetName": configuration.recovery_subnet,
        "recoveryStaticIPAddress": configuration.recovery_ip or "",
        "recoveryIPAddressType": None if configuration.recovery_subnet is None else recovery_type,
        "recoveryPublicIPAddressId": _text(configuration.recovery_public_ip),
        "recoveryLBBackendAddressPoolIds": [str(pool) for pool in configuration.recovery_load_balancer_pools],
        "tfoSubnetName": configuration.test_subnet,
        "tfoStaticIPAddress": configuration.test_ip,
        "tfoPublicIPAddressId": None,
        "tfoLBBackendAddressPoolIds": None,
    }


def _hyper_v_details(item: ProtectedItem) -> Document:
    recovery_networks = [nic.recovery_network_id for nic in item.nics if nic.recovery_network_id]
    return {
        "azureVmDiskDetails": [],
        "recoveryAzureVmName": item.friendly_name,
        "recoveryAzureVMSize": "Standard_DS1_v2",
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
        "enableRdpOnTargetOption": "Never",
        "recoveryAzureResourceGroupId": _text(item.recovery_group_id),
        "recoveryAvailabilitySetId": None,
        "targetAvailabilityZone": None,
        "targetProximityPlacementGroupId": None,
        "useManagedDisks": "true",
        "licenseType": "NotSpecified",
        "sqlServerLicenseType": None,
        "lastRecoveryPointReceived": None,
        "targetVmTags": {},
        "seedManagedDiskTags": {},
        "targetManagedDiskTags": {},
        "targetNicTags": {},
        "protectedManagedDisks": [],
    }


def _vmware_details(item: ProtectedItem) -> Document:
    recovery_network = item.recovery_network_id or next((nic.recovery_network_id for nic in item.nics), None)
    test_network = item.test_network_id or next((nic.test_network_id for nic in item.nics), None)
    return {
        "internalIdentifier": stable_guid(str(item.id)),
        "fabricDiscoveryMachineId": None,
        "multiVmGroupName": "",
        "discoveryType": "vCenter",
        "osType": "Windows",
        "targetVmName": item.friendly_name,
        "targetVmSize": "Standard_DS1_v2",
        "targetResourceGroupId": _text(item.recovery_group_id),
        "targetLocation": item.recovery_location,
        "targetNetworkId": _text(recovery_network),
        "testNetworkId": _text(test_network),
        "resyncRequired": "false",
        "resyncState": "None",
        "protectedDisks": [],
        "vmNics": [_vmware_nic_json(nic, first=index == 0) for index, nic in enumerate(item.nics)],
    }


def _vmware_nic_json(nic: Nic, *, first: bool) -> Document:
    address = nic.ip_configurations[0] if nic.ip_configurations else IpConfiguration(primary=first)
    return {
        "nicId": nic.name,
        "isPrimaryNic": "true" if first else "false",
        "isSelectedForFailover": "true" if address.selected_for_failover else "false",
        "sourceIPAddress": address.ip,
        "sourceIPAddressType": address.ip_type,
        "sourceNetworkId": _text(nic.primary_network_id) or nic.primary_network or None,
        "sourceSubnetName": address.subnet,
        "targetIPAddress": address.recovery_ip,
        "targetIPAddressType": "Static" if address.recovery_ip else "Dynamic",
        "targetSubnetName": address.recovery_subnet,
        "testSubnetName": address.test_subnet,
        "testIPAddress": address.test_ip,
        "testIPAddressType": "Static" if address.test_ip else "Dynamic",
        "targetNicName": None,
    }


def _other_details(item: ProtectedItem) -> Document:
    return {"vmNics": [_nic_json(item, nic) for nic in item.nics]}


_DETAILS: Final = {
    "A2A": _azure_details,
    "HyperVReplicaAzure": _hyper_v_details,
    "InMageRcm": _vmware_details,
}


def read_nics(body: Body, item: ProtectedItem) -> tuple[Nic, ...]:
    """The NICs of ``item`` as the body of a PATCH changes them; it names one recovery network for all of them."""
    settings = {
        (text(entry, "nicId") or "").lower(): entry
        for entry in reversed(objects(an_object(body, "properties"), "vmNics"))
    }
    changed: list[Nic] = []
    for nic in item.nics:
        entry = settings.get(nic_id(item, nic).lower(), {})
        changed.append(
            msgspec.structs.replace(
                nic,
                recovery_network_id=None,
                recovery_network_security_group=an_id(entry, "recoveryNetworkSecurityGroupId")
                or nic.recovery_network_security_group,
                test_network_id=an_id(entry, "tfoVMNetworkId"),
                selection=text(entry, "selectionType") or nic.selection,
                ip_configurations=_read_ip_configurations(entry, nic.ip_configurations),
            )
        )
    return tuple(changed)


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
        keeps_ip = member(entry, "recoveryStaticIPAddress") is None
        keeps_test_ip = member(entry, "tfoStaticIPAddress") is None
        changed.append(
            msgspec.structs.replace(
                configuration,
                recovery_subnet=text(entry, "recoverySubnetName") or configuration.recovery_subnet,
                recovery_ip=configuration.recovery_ip if keeps_ip else text(entry, "recoveryStaticIPAddress"),
                recovery_public_ip=an_id(entry, "recoveryPublicIPAddressId") or configuration.recovery_public_ip,
                test_subnet=text(entry, "tfoSubnetName") or configuration.test_subnet,
                test_ip=configuration.test_ip if keeps_test_ip else text(entry, "tfoStaticIPAddress"),
                selected_for_failover=configuration.selected_for_failover if selected is None else selected,
            )
        )
    return tuple(changed)
