"""Every operation that the emulator knows. Those without a handler are answered with 501 and their name.

The dispatcher and the coverage page both use this table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asrnet.emulator.handlers import (
    admin,
    containers,
    events,
    fabrics,
    graph,
    identity,
    intents,
    jobs,
    mappings,
    networks,
    operations,
    policies,
    protected_items,
    recovery_plans,
    recovery_points,
    resources,
    site,
    vaults,
)
from asrnet.emulator.routing import CONTAINER, CONTAINER_MAPPING, FABRIC, ITEM, VAULT, VNET, Route

_IMPLEMENTED: Final[tuple[Route, ...]] = (
    *identity.routes,
    *resources.routes,
    *vaults.routes,
    *networks.routes,
    *fabrics.routes,
    *mappings.routes,
    *containers.routes,
    *policies.routes,
    *protected_items.routes,
    *recovery_points.routes,
    *recovery_plans.routes,
    *events.routes,
    *site.routes,
    *intents.routes,
    *operations.routes,
    *jobs.routes,
    *graph.routes,
    *admin.routes,
)

# The operations of the API's specification, one per line: ``METHOD path operation``, with the path relative to the
# resource named. An operation that gets a handler may stay in these lists, because the handler takes precedence.
_OF_ITEM: Final = """
POST addDisks ReplicationProtectedItems_AddDisks
POST applyRecoveryPoint ReplicationProtectedItems_ApplyRecoveryPoint
POST failoverCancel ReplicationProtectedItems_FailoverCancel
POST failoverCommit ReplicationProtectedItems_FailoverCommit
POST plannedFailover ReplicationProtectedItems_PlannedFailover
POST removeDisks ReplicationProtectedItems_RemoveDisks
POST repairReplication ReplicationProtectedItems_RepairReplication
POST reProtect ReplicationProtectedItems_Reprotect
POST resolveHealthErrors ReplicationProtectedItems_ResolveHealthErrors
POST switchProvider ReplicationProtectedItems_SwitchProvider
POST testFailover ReplicationProtectedItems_TestFailover
POST testFailoverCleanup ReplicationProtectedItems_TestFailoverCleanup
POST unplannedFailover ReplicationProtectedItems_UnplannedFailover
POST updateAppliance ReplicationProtectedItems_UpdateAppliance
POST updateMobilityService ReplicationProtectedItems_UpdateMobilityService
POST reinstallMobilityService ReplicationProtectedItems_ReinstallMobilityService
GET targetComputeSizes TargetComputeSizes_ListByReplicationProtectedItems
GET recoveryPoints RecoveryPoints_ListByReplicationProtectedItems
GET recoveryPoints/{point} RecoveryPoints_Get
"""
_OF_CONTAINER: Final = """
POST discoverProtectableItem ReplicationProtectionContainers_DiscoverProtectableItem
POST switchprotection ReplicationProtectionContainers_SwitchProtection
POST switchClusterProtection ReplicationProtectionContainers_SwitchClusterProtection
GET replicationProtectableItems ReplicationProtectableItems_ListByReplicationProtectionContainers
GET replicationProtectableItems/{name} ReplicationProtectableItems_Get
GET replicationMigrationItems ReplicationMigrationItems_ListByReplicationProtectionContainers
GET replicationMigrationItems/{name} ReplicationMigrationItems_Get
PUT replicationMigrationItems/{name} ReplicationMigrationItems_Create
PATCH replicationMigrationItems/{name} ReplicationMigrationItems_Update
DELETE replicationMigrationItems/{name} ReplicationMigrationItems_Delete
GET replicationProtectionClusters ReplicationProtectionClusters_ListByReplicationProtectionContainers
GET replicationProtectionClusters/{name} ReplicationProtectionClusters_Get
PUT replicationProtectionClusters/{name} ReplicationProtectionClusters_Create
DELETE replicationProtectionClusters/{name} ReplicationProtectionClusters_Purge
"""
_OF_CONTAINER_MAPPING: Final = "PATCH - ReplicationProtectionContainerMappings_Update"
_OF_FABRIC: Final = """
POST checkConsistency ReplicationFabrics_CheckConsistency
POST migratetoaad ReplicationFabrics_MigrateToAad
POST reassociateGateway ReplicationFabrics_ReassociateGateway
POST removeInfra ReplicationFabrics_RemoveInfra
POST renewCertificate ReplicationFabrics_RenewCertificate
GET replicationRecoveryServicesProviders ReplicationRecoveryServicesProviders_ListByReplicationFabrics
GET replicationRecoveryServicesProviders/{name} ReplicationRecoveryServicesProviders_Get
PUT replicationRecoveryServicesProviders/{name} ReplicationRecoveryServicesProviders_Create
DELETE replicationRecoveryServicesProviders/{name} ReplicationRecoveryServicesProviders_Purge
POST replicationRecoveryServicesProviders/{name}/remove ReplicationRecoveryServicesProviders_Delete
POST replicationRecoveryServicesProviders/{name}/refreshProvider ReplicationRecoveryServicesProviders_RefreshProvider
GET replicationStorageClassifications ReplicationStorageClassifications_ListByReplicationFabrics
GET replicationStorageClassifications/{name} ReplicationStorageClassifications_Get
GET replicationvCenters ReplicationvCenters_ListByReplicationFabrics
GET replicationvCenters/{name} ReplicationvCenters_Get
PUT replicationvCenters/{name} ReplicationvCenters_Create
PATCH replicationvCenters/{name} ReplicationvCenters_Update
DELETE replicationvCenters/{name} ReplicationvCenters_Delete
"""
_OF_VAULT: Final = """
GET replicationAlertSettings ReplicationAlertSettings_List
GET replicationAlertSettings/{name} ReplicationAlertSettings_Get
PUT replicationAlertSettings/{name} ReplicationAlertSettings_Create
GET replicationAppliances ReplicationAppliances_List
GET replicationEvents ReplicationEvents_List
GET replicationEvents/{name} ReplicationEvents_Get
POST replicationJobs/export ReplicationJobs_Export
POST replicationJobs/{job}/cancel ReplicationJobs_Cancel
POST replicationJobs/{job}/restart ReplicationJobs_Restart
POST replicationJobs/{job}/resume ReplicationJobs_Resume
GET replicationMigrationItems ReplicationMigrationItems_List
GET replicationPolicies ReplicationPolicies_List
GET replicationPolicies/{name} ReplicationPolicies_Get
PUT replicationPolicies/{name} ReplicationPolicies_Create
PATCH replicationPolicies/{name} ReplicationPolicies_Update
DELETE replicationPolicies/{name} ReplicationPolicies_Delete
GET replicationProtectionClusters ReplicationProtectionClusters_List
GET replicationRecoveryPlans ReplicationRecoveryPlans_List
GET replicationRecoveryPlans/{name} ReplicationRecoveryPlans_Get
PUT replicationRecoveryPlans/{name} ReplicationRecoveryPlans_Create
PATCH replicationRecoveryPlans/{name} ReplicationRecoveryPlans_Update
DELETE replicationRecoveryPlans/{name} ReplicationRecoveryPlans_Delete
POST replicationRecoveryPlans/{name}/failoverCancel ReplicationRecoveryPlans_FailoverCancel
POST replicationRecoveryPlans/{name}/failoverCommit ReplicationRecoveryPlans_FailoverCommit
POST replicationRecoveryPlans/{name}/plannedFailover ReplicationRecoveryPlans_PlannedFailover
POST replicationRecoveryPlans/{name}/reProtect ReplicationRecoveryPlans_Reprotect
POST replicationRecoveryPlans/{name}/testFailover ReplicationRecoveryPlans_TestFailover
POST replicationRecoveryPlans/{name}/testFailoverCleanup ReplicationRecoveryPlans_TestFailoverCleanup
POST replicationRecoveryPlans/{name}/unplannedFailover ReplicationRecoveryPlans_UnplannedFailover
GET replicationRecoveryServicesProviders ReplicationRecoveryServicesProviders_List
GET replicationStorageClassifications ReplicationStorageClassifications_List
GET replicationStorageClassificationMappings ReplicationStorageClassificationMappings_List
GET replicationSupportedOperatingSystems SupportedOperatingSystems_Get
GET replicationVaultHealth ReplicationVaultHealth_Get
POST replicationVaultHealth/default/refresh ReplicationVaultHealth_Refresh
PUT replicationVaultSettings/{name} ReplicationVaultSetting_Create
GET replicationvCenters ReplicationvCenters_List
PATCH backupconfig/vaultconfig BackupResourceVaultConfigs_Update
PUT backupconfig/vaultconfig BackupResourceVaultConfigs_Put
PATCH backupstorageconfig/vaultstorageconfig BackupResourceStorageConfigs_Patch
PUT backupstorageconfig/vaultstorageconfig BackupResourceStorageConfigs_Update
GET usages Usages_ListByVaults
"""
_OF_VNET: Final = """
GET usages VirtualNetworks_ListUsage
GET virtualNetworkPeerings VirtualNetworkPeerings_List
GET virtualNetworkPeerings/{name} VirtualNetworkPeerings_Get
PUT virtualNetworkPeerings/{name} VirtualNetworkPeerings_CreateOrUpdate
DELETE virtualNetworkPeerings/{name} VirtualNetworkPeerings_Delete
"""


def _specified() -> Iterator[Route]:
    for base, lines in (
        (ITEM, _OF_ITEM),
        (CONTAINER, _OF_CONTAINER),
        (CONTAINER_MAPPING, _OF_CONTAINER_MAPPING),
        (FABRIC, _OF_FABRIC),
        (VAULT, _OF_VAULT),
        (VNET, _OF_VNET),
    ):
        for line in lines.strip().splitlines():
            method, path, operation = line.split()
            template = base if path == "-" else f"{base}/{path}"
            yield Route(method=method, template=template, operation=operation, source="specified")


_operations: Final = {route.operation for route in _IMPLEMENTED}

ROUTES: Final[tuple[Route, ...]] = (
    *_IMPLEMENTED,
    # Operations with a handler come from the handler's module.
    *(route for route in _specified() if route.operation not in _operations),
)
