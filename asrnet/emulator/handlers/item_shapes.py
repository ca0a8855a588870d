"""Protected items as Site Recovery writes and reads them: replicated machines with the settings of their provider.

Azure machines (A2A) follow the recordings key by key; those of Hyper-V and VMware follow the API's specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asrnet.emulator.bodies import text
from asrnet.emulator.handlers.nic_shapes import id_text, lowered_id, nic_json, settings_json, source_machine_id
from asrnet.emulator.handlers.on_premises_shapes import SETTINGS, failback_details, hyper_v_details, rcm_details
from asrnet.emulator.messages import Document
from asrnet.emulator.spelling import (
    CONTAINER_TYPE,
    NEVER,
    container_name,
    fabric_name,
    find_fabric,
    wire_id,
)
from asrnet.fake.jobs import iso_time
from asrnet.fake.machines import (
    CLEANING_UP,
    FAILBACK_PROVIDER,
    PROTECTED,
    REPLICATING,
    TEST_MACHINE_EXISTS,
    allowed_operations,
    waits_for_end_of_test,
)
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.fake.operations import stable_guid
from asrnet.fake.world import World
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE, Fabric, ProtectedItem

_DESCRIPTIONS: Final = {
    "InitialReplicationInProgress": "Initial replication is in progress",
    "InitialReplicationRecoveryCompletionPending": "Initial replication completion is pending on the recovery side",
    "UnplannedFailoverCommitPendingStatesBegin": "Failover completed",
    "UnplannedFailoverCommitted": "Failover committed",
    "PlannedFailoverCommitRequired": "Planned failover finished",
    "PlannedFailoverStatesBegin": "Planned failover committed",
}
"""The first is recorded, the second assumed, the fourth reported by users; the others are specified."""
_TEST_DESCRIPTIONS: Final = {
    TEST_MACHINE_EXISTS: "Waiting for user input",
    CLEANING_UP: "Cleaning up test environment",
}
"""Specified."""


def item_json(world: World, item: ProtectedItem) -> Document:
    """A replicated machine with the recovery settings of its NICs."""
    container = item.id.parent
    fabric_id = container.parent
    vault = fabric_id.parent
    recovery_container = world.state.recovery_container(item)
    recovery_fabric = item.recovery_fabric_id
    fabric = find_fabric(world, fabric_id)
    # A machine loaded with the world need not name its policy, but clients expect one.
    policy_id = item.policy_id or vault.child("replicationPolicies", "default")
    in_test = waits_for_end_of_test(item)
    job = world.protected_items.current_job(item.id) if item.scenario or in_test else None
    operation = world.state.operations.peek(job.name) if job else None
    # Extras hold what clients sent. Some of them are shown under other names, the rest unchanged.
    extras = dict(world.extras.get(item.id.key, {}))
    disks, settings, point = extras.pop(DISKS, ()), extras.pop(SETTINGS, {}), extras.pop(RECOVERY_POINT, None)
    # World files are written by hand, so settings that are not an object are ignored.
    details = _DETAILS.get(item.provider, _other_details)(world, item, settings if isinstance(settings, dict) else {})
    if "lastHeartbeat" in details:
        details["lastHeartbeat"] = iso_time(world.clock.now())
    if item.provider == "A2A":
        # Specified, and used by scripts after a failover: the machines that were created for the item.
        details["recoveryFabricObjectId"] = id_text(_machine_made(world, item, test=False))
        details["testFailoverRecoveryFabricObjectId"] = id_text(_machine_made(world, item, test=True))
        if item.state == PROTECTED:
            details |= {"rpoInSeconds": 60, "lastRpoCalculatedTime": iso_time(world.clock.now())}
    if "protectedManagedDisks" in details and isinstance(disks, list):
        details["protectedManagedDisks"] = [_disk_json(item, disk) for disk in disks if isinstance(disk, Mapping)]
    # Azure and VMware machines are named by their own services and have no protectable item.
    by_protectable_item = item.provider not in {"A2A", "InMageRcm", FAILBACK_PROVIDER}
    protectable_id = container.child("replicationProtectableItems", item.id.name)
    return {
        "id": wire_id(item.id),
        "name": item.id.name,
        "type": f"{CONTAINER_TYPE}/replicationProtectedItems",
        "properties": {
            "friendlyName": item.friendly_name,
            "protectedItemType": "HyperVVirtualMachine" if by_protectable_item else "",
            "protectableItemId": wire_id(protectable_id) if by_protectable_item else None,
            "recoveryServicesProviderId": wire_id(
                fabric_id.child("replicationRecoveryServicesProviders", stable_guid(str(fabric_id), "provider"))
            ),
            "primaryFabricFriendlyName": fabric_name(world, fabric_id),
            "primaryFabricProvider": _fabric_provider(world, fabric),
            "recoveryFabricFriendlyName": fabric_name(world, recovery_fabric) if recovery_fabric else MICROSOFT_AZURE,
            "recoveryFabricId": wire_id(recovery_fabric) if recovery_fabric else MICROSOFT_AZURE,
            "primaryProtectionContainerFriendlyName": container_name(world, container),
            "recoveryProtectionContainerFriendlyName": container_name(world, recovery_container)
            if recovery_container
            else MICROSOFT_AZURE,
            "protectionState": item.state,
            "protectionStateDescription": "Cleanup test failover pending"
            if item.test_failover_state == TEST_MACHINE_EXISTS
            else _DESCRIPTIONS.get(item.state, item.state),
            "activeLocation": item.active_location,
            "testFailoverState": item.test_failover_state,
            "testFailoverStateDescription": _TEST_DESCRIPTIONS.get(item.test_failover_state, item.test_failover_state),
            "switchProviderState": "None",
            "switchProviderStateDescription": None,
            "allowedOperations": list(allowed_operations(item)),
            "replicationHealth": "Normal",
            "failoverHealth": "Normal",
            "healthErrors": [],
            "policyId": wire_id(policy_id),
            "policyFriendlyName": policy_id.name,
            **_times(world, item),
            "currentScenario": {
                "scenarioName": item.scenario or ("TestFailover" if in_test and job else "None"),
                "jobId": wire_id(job or vault.child("replicationJobs", "None")),
                # Specified for a test failover, and recorded for a machine without a job.
                "startTime": iso_time(operation.start_time) if operation else NEVER,
            },
            "failoverRecoveryPointId": point,
            "providerSpecificDetails": {"instanceType": item.provider, **details, **extras},
            "recoveryContainerId": wire_id(recovery_container or _azure_container(vault)),
            "eventCorrelationId": stable_guid(str(item.id), "events"),
        },
    }


_FABRIC_PROVIDERS: Final = {"InMageRcm": "InMageRcmFabric", "VMware": "VMwareFabric", "VMwareV2": "VMwareV2Fabric"}
"""The fabric provider of each kind of site. These are assumed; AzureFabric and VmmFabric are recorded."""
RECOVERY_POINT: Final = "failoverRecoveryPointId"
"""Under this key, an item's extras hold the recovery point that its failover used."""
DISKS: Final = "vmManagedDisks"
"""Under this key, an item's extras hold its disks, as listed in the request that protected it."""
DISK_SETTINGS: Final = (
    "recoveryTargetDiskAccountType",
    "recoveryReplicaDiskAccountType",
    "failoverDiskName",
    "tfoDiskName",
)
"""The settings of a disk that a PATCH can change."""
MULTI_VM_GROUP: Final = ("multiVmGroupName", "multiVmGroupCreateOption")
"""Under these keys, an item's extras hold its multi-VM group. If the request had none, the service creates a group."""


def _times(world: World, item: ProtectedItem) -> Document:
    """The times of a machine's last failover and test failover. Recorded: they are absent before the first one."""
    done = world.state.done.get(item.id.key, {})
    failovers = [done[scenario] for scenario in ("PlannedFailover", "UnplannedFailover") if scenario in done]
    times: Document = {"lastSuccessfulFailoverTime": iso_time(max(failovers))} if failovers else {}
    if "TestFailover" in done:
        times["lastSuccessfulTestFailoverTime"] = iso_time(done["TestFailover"])
    return times


def _fabric_provider(world: World, fabric: Fabric | None) -> str:
    if fabric is None or fabric.kind == "azure":
        return "AzureFabric"
    site = world.state.site_kind(fabric)
    return "VmmFabric" if site is None else _FABRIC_PROVIDERS.get(site, site)


def _azure_container(vault: ArmId) -> ArmId:
    """The container of the fabric that stands for Azure."""
    fabric = vault.child("replicationFabrics", PSEUDO_FABRIC)
    return fabric.child("replicationProtectionContainers", stable_guid(str(fabric), "container"))


def _machine_made(world: World, item: ProtectedItem, *, test: bool) -> ArmId | None:
    """The machine created by a failover or test failover of an item, if it still exists."""
    items = world.protected_items
    machine_id = items.test_machine_id(item) if test else items.recovery_machine_id(item)
    is_there = item.test_failover_state == TEST_MACHINE_EXISTS if test else item.has_failed_over
    return machine_id if is_there else None


def _azure_details(world: World, item: ProtectedItem, _settings: Mapping[str, object]) -> Document:
    replicating = item.state == REPLICATING
    settings = settings_json(item, "A2A", "item")
    machine_id = source_machine_id(item)
    machine = world.state.virtual_machines.get(machine_id.subscription, machine_id.key) if machine_id else None
    recovery_networks = [nic.recovery_network_id for nic in item.nics if nic.recovery_network_id]
    test_networks = [nic.test_network_id for nic in item.nics if nic.test_network_id]
    recovery_network = item.recovery_network_id or next(iter(recovery_networks), None)
    initial_recovery = item.primary_location if item.is_reversed else item.recovery_location
    initial_recovery_zone = item.primary_zone if item.is_reversed else settings["recoveryAvailabilityZone"]
    return {
        "fabricObjectId": lowered_id(machine_id),
        "initialPrimaryZone": item.initial_zone or "",
        "initialPrimaryFabricLocation": item.initial_location,
        "initialRecoveryZone": initial_recovery_zone or "",
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
        # Recorded: both are null during initial replication.
        "selectedRecoveryAzureNetworkId": None if replicating else id_text(recovery_network),
        "selectedTfoAzureNetworkId": None
        if replicating
        else id_text(item.test_network_id or next(iter(test_networks), None)),
        "vmNics": [nic_json(item, nic) for nic in item.nics],
        # Recorded: a machine has tags as soon as it has NICs.
        "vmSyncedConfigDetails": {
            "tags": dict(machine.tags) if machine and item.nics else {},
            "inputEndpoints": [],
        },
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
        # Specified but not recorded, so it is left out when unset, as in the recorded answers.
        **(
            {"platformFaultDomain": fault_domain}
            if (fault_domain := settings["platformFaultDomain"]) is not None
            else {}
        ),
        **({"protectionClusterId": "/cluster"} if item.is_cluster_member else {}),
    }


def _disk_json(item: ProtectedItem, disk: Mapping[str, object]) -> Document:
    """A disk as the request described it. After re-protection, replication goes back to the original disk."""
    disk_id = text(disk, "diskId") or ""
    group = text(disk, "recoveryResourceGroupId") or id_text(item.recovery_group_id)
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
        "failoverDiskName": text(disk, "failoverDiskName") or name,
        "tfoDiskName": text(disk, "tfoDiskName") or f"{name}-ASRtest",
    }


def _other_details(_world: World, item: ProtectedItem, _settings: Mapping[str, object]) -> Document:
    return {"vmNics": [nic_json(item, nic) for nic in item.nics]}


_DETAILS: Final = {
    "A2A": _azure_details,
    "HyperVReplicaAzure": hyper_v_details,
    "InMageRcm": rcm_details,
    FAILBACK_PROVIDER: failback_details,
}
