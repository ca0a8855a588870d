"""Machines on premises as Site Recovery writes and reads them: those of Hyper-V and VMware, and physical ones.

Their members follow the API's specification; public recordings show only a few of their NICs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asrnet.emulator.bodies import Body, a_list, an_id, an_object, objects, text
from asrnet.emulator.handlers.nic_shapes import id_text, nic_json, rcm_nic_json, read_settings, settings_json
from asrnet.emulator.messages import Document
from asrnet.fake.jobs import iso_time
from asrnet.fake.machines import COMPLETING, PROTECTED, REPLICATING
from asrnet.fake.operations import stable_guid
from asrnet.fake.records import OnPremisesRequest
from asrnet.fake.world import World
from asrnet.model.arm import ArmId
from asrnet.model.azure import ProtectedItem

SETTINGS: Final = "settings"
"""Under this key, an item's extras hold the provider details of the request that protected it."""
WINDOWS: Final[Document] = {
    "osType": "Windows",
    "productType": "Server",
    "osEdition": None,
    "oSVersion": None,
    "oSMajorVersion": None,
    "oSMinorVersion": None,
}
"""The operating system of every machine on premises, because worlds do not specify one."""
# The agent's versions and dates are invented, but in a form that clients can parse.
_AGENT: Final[Document] = {
    "version": "9.52.6522.1",
    "latestVersion": "9.52.6522.1",
    "driverVersion": "9.52.6522.1",
    "latestUpgradableVersionWithoutReboot": None,
    "agentVersionExpiryDate": "9999-12-31T23:59:59.9999999Z",
    "driverVersionExpiryDate": "9999-12-31T23:59:59.9999999Z",
}


_HYPER_V_NAMES: Final = {
    "recoveryAzureVMName": "targetAzureVmName",
    "recoveryAzureVMSize": "targetVmSize",
    "recoveryAvailabilitySetId": "targetAvailabilitySetId",
}
"""The settings that have other names in a PUT than in a PATCH."""


def _progress(item: ProtectedItem) -> Document:
    """The progress of a VMware machine's replication. A world has only its stage and never resynchronizes."""
    percentage = {REPLICATING: 0, COMPLETING: 100}.get(item.state)
    return {
        "initialReplicationProgressPercentage": percentage,
        "initialReplicationProcessedBytes": None,
        "initialReplicationTransferredBytes": None,
        "initialReplicationProgressHealth": "None" if percentage is None else "InProgress",
        "resyncProgressPercentage": None,
        "resyncProcessedBytes": None,
        "resyncTransferredBytes": None,
        "resyncProgressHealth": "None",
        "resyncRequired": "false",
        "resyncState": "None",
    }


def _rpo(world: World, item: ProtectedItem) -> tuple[int | None, str | None]:
    """The recovery point objective in seconds and the time it was computed; both are None unless protected."""
    return (60, iso_time(world.clock.now())) if item.state == PROTECTED else (None, None)


def hyper_v_details(world: World, item: ProtectedItem, request: Mapping[str, object]) -> Document:
    """The details of a Hyper-V machine; ``request`` holds those of the request that protected it."""
    settings = settings_json(item, "HyperVReplicaAzure", "item")
    recovery_networks = [nic.recovery_network_id for nic in item.nics if nic.recovery_network_id]
    rpo, computed = _rpo(world, item)
    replicating = item.state in {REPLICATING, COMPLETING}
    progress: Document = {
        "initialReplicationType": "OverNetwork",
        "initialReplicationProgressPercentage": "0" if item.state == REPLICATING else "100",
    }
    return {
        "azureVmDiskDetails": [
            {
                "vhdType": "OperatingSystem" if disk_id == text(request, "vhdId") else "DataDisk",
                "vhdId": disk_id,
                "diskId": disk_id,
                "vhdName": f"disk{number}",
                "maxSizeMB": "130048",
                "targetDiskLocation": None,
                "targetDiskName": None,
                "lunId": str(number),
                "diskEncryptionSetId": None,
                "customTargetDiskName": None,
            }
            for number, disk_id in enumerate(_disk_ids(request))
        ],
        "recoveryAzureVmName": settings["recoveryAzureVmName"],
        "recoveryAzureVMSize": settings["recoveryAzureVMSize"],
        "recoveryAzureStorageAccount": text(request, "targetStorageAccountId"),
        "recoveryAzureLogStorageAccountId": text(request, "logStorageAccountId"),
        "lastReplicatedTime": computed,
        "rpoInSeconds": rpo,
        "lastRpoCalculatedTime": computed,
        "vmId": item.id.name,
        "vmProtectionState": item.state,
        "vmProtectionStateDescription": item.state,
        "initialReplicationDetails": progress if replicating else None,
        "vmNics": [nic_json(item, nic) for nic in item.nics],
        "selectedRecoveryAzureNetworkId": id_text(item.recovery_network_id or next(iter(recovery_networks), None)),
        "selectedSourceNicId": item.nics[0].name if item.nics else None,
        "encryption": "Disabled",
        "oSDetails": WINDOWS | {"osType": text(request, "osType") or "Windows"},
        "sourceVmRamSizeInMB": 2048,
        "sourceVmCpuCount": 1,
        "enableRdpOnTargetOption": settings["enableRdpOnTargetOption"],
        "recoveryAzureResourceGroupId": settings["recoveryAzureResourceGroupId"],
        "recoveryAvailabilitySetId": settings["recoveryAvailabilitySetId"],
        "targetAvailabilityZone": settings["targetAvailabilityZone"],
        "targetProximityPlacementGroupId": settings["targetProximityPlacementGroupId"],
        "useManagedDisks": settings["useManagedDisks"],
        "licenseType": text(request, "licenseType") or "NotSpecified",
        "sqlServerLicenseType": text(request, "sqlServerLicenseType"),
        "lastRecoveryPointReceived": computed,
        "targetVmTags": settings["targetVmTags"] or {},
        "targetCapacityReservationGroupId": settings["targetCapacityReservationGroupId"],
        "seedManagedDiskTags": an_object(request, "seedManagedDiskTags"),
        "targetManagedDiskTags": settings["targetManagedDiskTags"] or {},
        "targetNicTags": settings["targetNicTags"] or {},
        "protectedManagedDisks": [
            {
                "diskId": text(disk, "diskId"),
                "seedManagedDiskId": None,
                "replicaDiskType": text(disk, "diskType"),
                "diskEncryptionSetId": text(disk, "diskEncryptionSetId"),
            }
            for disk in objects(request, "disksToIncludeForManagedDisks")
        ],
    }


def _disk_ids(request: Mapping[str, object]) -> list[str]:
    """The ids of the disks in a request, which can give them in three ways."""
    ids = [disk for disk in a_list(request, "disksToInclude") if isinstance(disk, str)]
    ids += [disk_id for disk in objects(request, "disksToIncludeForManagedDisks") if (disk_id := text(disk, "diskId"))]
    system_disk = text(request, "vhdId")
    return [system_disk, *(disk_id for disk_id in ids if disk_id != system_disk)] if system_disk else ids


def rcm_details(world: World, item: ProtectedItem, request: Mapping[str, object]) -> Document:
    """The details of a VMware or physical machine; ``request`` holds those of the request that protected it."""
    settings = settings_json(item, "InMageRcm", "item")
    recovery_network = item.recovery_network_id or next((nic.recovery_network_id for nic in item.nics), None)
    test_network = item.test_network_id or next((nic.test_network_id for nic in item.nics), None)
    addresses = [address.ip for nic in item.nics for address in nic.ip_configurations if address.ip]
    rpo, computed = _rpo(world, item)
    now = iso_time(world.clock.now())
    return {
        "internalIdentifier": stable_guid(str(item.id)),
        "fabricDiscoveryMachineId": text(request, "fabricDiscoveryMachineId"),
        "multiVmGroupName": text(request, "multiVmGroupName") or "",
        "discoveryType": "vCenter",
        "processServerId": text(request, "processServerId"),
        "processorCoreCount": 2,
        "allocatedMemoryInMB": 4096.0,
        "processServerName": "appliance",
        "runAsAccountId": text(request, "runAsAccountId"),
        "osType": "Windows",
        "firmwareType": "BIOS",
        "primaryNicIpAddress": next(iter(addresses), None),
        "targetGeneration": "V1",
        "licenseType": text(request, "licenseType") or "NoLicenseType",
        "storageAccountId": None,
        "targetVmName": settings["targetVmName"],
        "targetVmSize": settings["targetVmSize"],
        "targetResourceGroupId": settings["targetResourceGroupId"],
        "targetLocation": item.recovery_location or world.state.vault(item.id).location,
        "targetAvailabilitySetId": settings["targetAvailabilitySetId"],
        "targetAvailabilityZone": settings["targetAvailabilityZone"],
        "targetProximityPlacementGroupId": settings["targetProximityPlacementGroupId"],
        "targetBootDiagnosticsStorageAccountId": settings["targetBootDiagnosticsStorageAccountId"],
        "targetNetworkId": id_text(recovery_network),
        "testNetworkId": id_text(test_network),
        "failoverRecoveryPointId": None,
        "lastRecoveryPointReceived": computed,
        "lastRpoInSeconds": rpo,
        "lastRpoCalculatedTime": computed,
        "lastRecoveryPointId": None,
        **_progress(item),
        "agentUpgradeState": "None",
        "lastAgentUpgradeType": None,
        "agentUpgradeJobId": None,
        "agentUpgradeAttemptToVersion": None,
        "protectedDisks": [
            _rcm_disk_json(item, disk, first=not number) for number, disk in enumerate(_rcm_disks(request))
        ],
        "isLastUpgradeSuccessful": None,
        "isAgentRegistrationSuccessfulAfterFailover": None,
        "mobilityAgentDetails": {
            **_AGENT,
            "latestAgentReleaseDate": "2023-01-01",
            "lastHeartbeatUtc": now,
            "reasonsBlockingUpgrade": [],
            "isUpgradeable": "false",
        },
        "lastAgentUpgradeErrorDetails": [],
        "agentUpgradeBlockingErrorDetails": [],
        "vmNics": [rcm_nic_json(nic) for nic in item.nics],
        "discoveredVmDetails": _discovered(item, addresses, now),
        "targetVmTags": settings["targetVmTags"] or [],
        "targetCapacityReservationGroupId": settings["targetCapacityReservationGroupId"],
        "seedManagedDiskTags": a_list(request, "seedManagedDiskTags"),
        "targetManagedDiskTags": settings["targetManagedDiskTags"] or [],
        "targetNicTags": settings["targetNicTags"] or [],
        "sqlServerLicenseType": text(request, "sqlServerLicenseType"),
    }


def _discovered(item: ProtectedItem, addresses: list[str], now: str) -> Document:
    return {
        "vCenterId": None,
        "vCenterFqdn": None,
        "datastores": [],
        "ipAddresses": addresses,
        "vmwareToolsStatus": "OK",
        "powerStatus": "ON",
        "vmFqdn": item.friendly_name,
        "osName": None,
        "createdTimestamp": now,
        "updatedTimestamp": now,
        "isDeleted": False,
        "lastDiscoveryTimeInUtc": now,
    }


def _rcm_disks(request: Mapping[str, object]) -> tuple[Body, ...]:
    """The disks in a request; a single disk if it asks for all of them, since worlds do not know any."""
    disks = objects(request, "disksToInclude")
    default = an_object(request, "disksDefault")
    return disks or (({"diskId": "6000C29", **default},) if default else ())


def _rcm_disk_json(item: ProtectedItem, disk: Body, *, first: bool) -> Document:
    disk_id = text(disk, "diskId") or ""
    done = item.state not in {REPLICATING, COMPLETING}
    return {
        "diskId": disk_id,
        "diskName": disk_id,
        "isOSDisk": "true" if first else "false",
        "capacityInBytes": 136367308800,
        "diskState": "Protected" if done else "InitialReplicationInProgress",
        "logStorageAccountId": text(disk, "logStorageAccountId"),
        "diskEncryptionSetId": text(disk, "diskEncryptionSetId"),
        "seedManagedDiskId": None,
        "seedBlobUri": None,
        "targetManagedDiskId": None,
        "diskType": text(disk, "diskType"),
        "dataPendingInLogDataStoreInMB": 0.0,
        "dataPendingAtSourceAgentInMB": 0.0,
        "isInitialReplicationComplete": "true" if done else "false",
        "irDetails": None,
        "resyncDetails": None,
    }


def failback_details(world: World, item: ProtectedItem, request: Mapping[str, object]) -> Document:
    """A VMware machine that is replicated from Azure back to its original site."""
    addresses = [address.ip for nic in item.nics for address in nic.ip_configurations if address.ip]
    now = iso_time(world.clock.now())
    return {
        "internalIdentifier": stable_guid(str(item.id)),
        "azureVirtualMachineId": str(world.protected_items.recovery_machine_id(item)),
        "multiVmGroupName": text(request, "multiVmGroupName") or "",
        "reprotectAgentId": text(request, "reprotectAgentId"),
        "reprotectAgentName": "appliance",
        "osType": "Windows",
        "logStorageAccountId": text(request, "logStorageAccountId"),
        "targetvCenterId": None,
        "targetDataStoreName": text(request, "datastoreName"),
        "targetVmName": item.friendly_name,
        **_progress(item),
        "protectedDisks": [],
        "mobilityAgentDetails": {
            **_AGENT,
            "lastHeartbeatUtc": now,
            "reasonsBlockingUpgrade": [],
            "isUpgradeable": "false",
        },
        "vmNics": [
            {
                "macAddress": None,
                "networkName": nic.primary_network or None,
                "adapterType": None,
                "sourceIpAddress": next((address.ip for address in nic.ip_configurations if address.ip), None),
            }
            for nic in item.nics
        ],
        "lastPlannedFailoverStartTime": None,
        "lastPlannedFailoverStatus": None,
        "discoveredVmDetails": _discovered(item, addresses, now),
        "lastUsedPolicyId": id_text(item.policy_id),
        "lastUsedPolicyFriendlyName": item.policy_id.name if item.policy_id else None,
        "isAgentRegistrationSuccessfulAfterFailover": True,
    }


def read_hyper_v_enabling(body: Body, item_id: ArmId) -> OnPremisesRequest:
    """Read the Hyper-V machine to protect, and the networks it fails over to, from the body of a PUT."""
    properties = an_object(body, "properties")
    details = an_object(properties, "providerSpecificDetails")
    machine = an_id(properties, "protectableItemId")
    names = (text(details, "vmName"), text(details, "targetAzureVmName"), machine.name if machine else None)
    return OnPremisesRequest(
        provider="HyperVReplicaAzure",
        name=next((name for name in names if name), item_id.name),
        machine_id=machine,
        recovery_network_id=an_id(details, "targetAzureNetworkId"),
        recovery_subnet=text(details, "targetAzureSubnetId"),
        recovery_resource_group_id=an_id(details, "targetAzureV2ResourceGroupId"),
        settings=read_settings("HyperVReplicaAzure", details, _HYPER_V_NAMES),
        policy_id=an_id(properties, "policyId"),
    )


def read_rcm_enabling(body: Body, item_id: ArmId) -> OnPremisesRequest:
    """Read the VMware or physical machine to protect, and the networks it fails over to, from the body of a PUT."""
    properties = an_object(body, "properties")
    details = an_object(properties, "providerSpecificDetails")
    return OnPremisesRequest(
        provider="InMageRcm",
        name=text(details, "targetVmName") or item_id.name,
        recovery_network_id=an_id(details, "targetNetworkId"),
        recovery_subnet=text(details, "targetSubnetName"),
        test_network_id=an_id(details, "testNetworkId"),
        test_subnet=text(details, "testSubnetName"),
        recovery_resource_group_id=an_id(details, "targetResourceGroupId"),
        settings=read_settings("InMageRcm", details),
        policy_id=an_id(properties, "policyId"),
    )
