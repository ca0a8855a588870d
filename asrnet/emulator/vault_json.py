"""Recovery Services vaults as Resource Manager writes them, and the settings of theirs that clients read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from asrnet.emulator.bodies import Body, an_object, member, text
from asrnet.emulator.site_recovery_json import Document, stable_guid, wire_id
from asrnet.fake.records import VaultResource
from asrnet.model.arm import ArmId

VAULT_TYPE: Final = "Microsoft.RecoveryServices/vaults"

_DEFAULTS: Final[Document] = {
    "redundancySettings": {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"},
    "publicNetworkAccess": "Enabled",
}
_SKU: Final[Document] = {"name": "RS0", "tier": "Standard"}
_ECHOED: Final = (
    "publicNetworkAccess",
    "redundancySettings",
    "monitoringSettings",
    "securitySettings",
    "encryption",
    "restoreSettings",
)
"""The properties that clients set; the others the service computes."""


def vault_json(vault: VaultResource, extras: Mapping[str, Any] | None = None, *, state: str = "Succeeded") -> Document:
    """A vault; ``extras`` are what its model does not know of it."""
    said = extras or {}
    document: Document = {
        "location": vault.location,
        "name": vault.id.name,
        "etag": _etag(vault, said),
        "tags": dict(vault.tags),
    }
    if identity := _group(said, "identity"):
        document["identity"] = identity
    return document | {
        "properties": {
            "provisioningState": state,
            "privateEndpointStateForBackup": "None",
            "privateEndpointStateForSiteRecovery": "None",
            **_DEFAULTS,
            **_group(said, "properties"),
        },
        "id": str(vault.id),
        "type": VAULT_TYPE,
        "sku": _group(said, "sku") or _SKU,
    }


def _group(extras: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A group of ``extras``; empty where there is none, or something else: worlds come from anybody."""
    found = extras.get(name)
    return found if isinstance(found, Mapping) else {}


def _etag(vault: VaultResource, extras: Mapping[str, Any]) -> str:
    """A time, as the service writes it, that is another one after every change."""
    content = msgspec.json.encode((str(vault.id), vault.location, dict(vault.tags), extras), order="sorted").decode()
    ticks = int(stable_guid("etag", content)[:8], 16) % 10_000_000
    return f"W/\"datetime'2026-01-01T00%3A00%3A00.{ticks:07}Z'\""


def vault_extras(vault_id: ArmId, body: Body, known: Mapping[str, Any], tenant: str) -> dict[str, object]:
    """What a PUT or PATCH says of a vault beyond its model; what it does not name stays as ``known``."""
    properties = an_object(body, "properties")
    said = {name: _merged(known, name, member(properties, name)) for name in _ECHOED}
    kept = {**_group(known, "properties")} | {name: value for name, value in said.items() if value is not None}
    found: dict[str, object] = {"properties": kept} if kept else {}
    sku = _sku(an_object(body, "sku")) or _group(known, "sku")
    identity = _identity(vault_id, an_object(body, "identity"), tenant) or _group(known, "identity")
    return found | ({"sku": sku} if sku else {}) | ({"identity": identity} if identity else {})


def _merged(known: Mapping[str, Any], name: str, said: object) -> object:
    """Groups of settings keep what a request leaves out of them."""
    before = _group(known, "properties").get(name) or _DEFAULTS.get(name)
    if isinstance(said, Mapping) and isinstance(before, Mapping):
        return {**before, **said}
    return said


def _sku(said: Body) -> Document:
    """The sku under the name it was asked for by; both of them mean the same."""
    if (text(said, "name") or "").lower() == "rs0":
        return {**_SKU, **said}
    return dict(said)


def _identity(vault_id: ArmId, said: Body, tenant: str) -> Document:
    """A managed identity with the ids that its directory gives it."""
    kind = text(said, "type") or "None"
    if kind == "None":
        return {}
    identity: Document = {"type": kind}
    if "systemassigned" in kind.lower():
        identity |= {"principalId": stable_guid(str(vault_id), "identity"), "tenantId": tenant}
    users = {
        name: {"principalId": stable_guid(name, "principal"), "clientId": stable_guid(name, "client")}
        for name in an_object(said, "userAssignedIdentities")
    }
    return identity | ({"userAssignedIdentities": users} if users else {})


def backup_config_json(vault_id: ArmId) -> Document:
    """How Azure Backup protects a vault from deletions: as for every new vault, and not to be changed."""
    properties = {
        "storageModelType": "GeoRedundant",
        "storageType": "GeoRedundant",
        "storageTypeState": "Unlocked",
        "enhancedSecurityState": "AlwaysON",
        "softDeleteFeatureState": "AlwaysON",
        "softDeleteRetentionPeriodInDays": 14,
        "isSoftDeleteFeatureStateEditable": False,
    }
    return _setting(vault_id, "backupconfig", "vaultconfig", properties)


def storage_config_json(vault_id: ArmId) -> Document:
    """How Azure Backup stores what a vault keeps."""
    properties = {
        "storageModelType": "GeoRedundant",
        "storageType": "GeoRedundant",
        "storageTypeState": "Unlocked",
        "crossRegionRestoreFlag": False,
    }
    return _setting(vault_id, "backupstorageconfig", "vaultstorageconfig", properties)


def _setting(vault_id: ArmId, kind: str, name: str, properties: Document) -> Document:
    setting = vault_id.child(kind, name)
    return {"id": str(setting), "name": name, "type": f"{VAULT_TYPE}/{kind}", "properties": properties}


def replication_setting_json(vault_id: ArmId) -> Document:
    """A vault's settings of Site Recovery: no migration project, and the newer way to protect VMware."""
    return {
        "id": wire_id(vault_id.child("replicationVaultSettings", "default")),
        "name": "default",
        "type": f"{VAULT_TYPE}/replicationVaultSettings",
        "properties": {"migrationSolutionId": None, "vmwareToAzureProviderType": "InMageRcm"},
    }
