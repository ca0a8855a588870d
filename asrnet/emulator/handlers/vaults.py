"""Recovery Services vaults, and the vault settings that clients read along with them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from asrnet.emulator.bodies import Body, an_object, check_name, location_of, string_map, text
from asrnet.emulator.calls import Call
from asrnet.emulator.messages import Document, GatewayError, Response, empty_response, json_response
from asrnet.emulator.platform import RESOURCE_LIMIT
from asrnet.emulator.routing import GROUP, SUBSCRIPTION, VAULT, VAULTS, Routes
from asrnet.emulator.spelling import VAULT_TYPE, wire_id
from asrnet.fake.operations import Started, stable_guid
from asrnet.fake.records import VaultResource
from asrnet.model.arm import ArmId
from asrnet.model.bodies import member

routes: Final = Routes()

_DEFAULTS: Final[Document] = {
    "redundancySettings": {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"},
    "publicNetworkAccess": "Enabled",
    "costManagementSettings": {"granularityLevel": "VaultLevel"},
}
_SKU: Final[Document] = {"name": "RS0", "tier": "Standard"}
# The properties that clients set; the service computes the others.
_ECHOED: Final = (
    "publicNetworkAccess",
    "redundancySettings",
    "monitoringSettings",
    "securitySettings",
    "encryption",
    "restoreSettings",
    "costManagementSettings",
)


def vault_json(vault: VaultResource, extras: Mapping[str, Any] | None = None, *, state: str = "Succeeded") -> Document:
    """A vault; ``extras`` are the properties that its model does not have."""
    extras = extras or {}
    # The service writes a time as the etag. This one is a fake time that changes with the content.
    content = msgspec.json.encode((str(vault.id), vault.location, dict(vault.tags), extras), order="sorted").decode()
    ticks = int(stable_guid("etag", content)[:8], 16) % 10_000_000
    # Unlike Site Recovery's resources, a vault has its location first and its id after the properties.
    document: Document = {
        "location": vault.location,
        "name": vault.id.name,
        "etag": f"W/\"datetime'2026-01-01T00%3A00%3A00.{ticks:07}Z'\"",
        "tags": dict(vault.tags),
    }
    if identity := _group(extras, "identity"):
        document["identity"] = identity
    return document | {
        "properties": {
            "provisioningState": state,
            "privateEndpointStateForBackup": "None",
            "privateEndpointStateForSiteRecovery": "None",
            **_DEFAULTS,
            **_group(extras, "properties"),
        },
        "id": str(vault.id),
        "type": VAULT_TYPE,
        "sku": _group(extras, "sku") or _SKU,
    }


def _group(extras: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A group of ``extras``; empty if it is missing or not an object, since world files are written by hand."""
    group = extras.get(name)
    return group if isinstance(group, Mapping) else {}


def read_extras(vault_id: ArmId, body: Body, before: Mapping[str, Any], tenant: str) -> dict[str, object]:
    """Read what a PUT or PATCH sets beyond the vault's model; omitted properties keep their values ``before``."""
    properties = dict(_group(before, "properties"))
    for name in _ECHOED:
        value = member(an_object(body, "properties"), name)
        previous = properties.get(name) or _DEFAULTS.get(name)
        if isinstance(value, Mapping) and isinstance(previous, Mapping):
            value = {**previous, **value}  # a group of settings keeps the members that a request omits
        if value is not None:
            properties[name] = value
    sku = dict(an_object(body, "sku"))
    if (text(sku, "name") or "").lower() == "rs0":
        sku = {**_SKU, **sku}
    identity = _read_identity(vault_id, an_object(body, "identity"), tenant)
    extras: dict[str, object] = {
        "properties": properties,
        "sku": sku or _group(before, "sku"),
        "identity": identity or _group(before, "identity"),
    }
    return {name: group for name, group in extras.items() if group}


def _read_identity(vault_id: ArmId, body: Body, tenant: str) -> Document:
    """A managed identity with the ids that Microsoft Entra ID assigns to it."""
    kind = text(body, "type") or "None"
    if kind == "None":
        return {}
    identity: Document = {"type": kind}
    if "systemassigned" in kind.lower():
        identity |= {"principalId": stable_guid(str(vault_id), "identity"), "tenantId": tenant}
    users = {
        name: {"principalId": stable_guid(name, "principal"), "clientId": stable_guid(name, "client")}
        for name in an_object(body, "userAssignedIdentities")
    }
    return identity | ({"userAssignedIdentities": users} if users else {})


@routes.get(f"{SUBSCRIPTION}/{VAULTS}", "Vaults_ListBySubscriptionId", "specified")
@routes.get(f"{GROUP}/{VAULTS}", "Vaults_ListByResourceGroup", "specified")
def list_vaults(call: Call) -> Response:
    """The vaults of a subscription or of a resource group."""
    vaults = call.world.vaults.list(call.id("subscription").subscription, call.values.get("group"))
    return call.page(vaults, lambda vault: _shown(call, vault), null_link=False)


@routes.get(VAULT, "Vaults_Get", "recorded", "the default redundancy of a vault is assumed")
def get_vault(call: Call) -> Response:
    """One vault."""
    return json_response(_shown(call, _existing(call)))


@routes.put(VAULT, "Vaults_CreateOrUpdate", "recorded")
def put_vault(call: Call) -> Response:
    """Create or replace a vault."""
    check_name("vault", call.values["vault"])
    body = call.request.document()
    vault = VaultResource(id=call.id("vault"), location=location_of(body), tags=string_map(body, "tags"))
    before = call.world.state.vaults.get(vault.id.subscription, vault.id.key)
    extras = read_extras(vault.id, body, {}, call.world.tenant)
    if before and (before.location, before.tags, call.world.extras.get(vault.id.key)) == (
        vault.location,
        vault.tags,
        extras,
    ):
        # Recorded: the answer to a PUT that changes nothing is the vault, without an operation.
        return json_response(_shown(call, _existing(call)), headers=((RESOURCE_LIMIT, "209"),))
    return _write(call, vault, {})


@routes.patch(VAULT, "Vaults_Update", "specified")
def patch_vault(call: Call) -> Response:
    """Change a vault's tags and settings; omitted ones stay as they are."""
    vault = _existing(call)
    body = call.request.document()
    if member(body, "tags") is not None:
        vault = msgspec.structs.replace(vault, tags=string_map(body, "tags"))
    return _write(call, vault, call.world.extras.get(vault.id.key, {}))


@routes.delete(VAULT, "Vaults_Delete", "specified")
def delete_vault(call: Call) -> Response:
    """Delete a vault; 204 if there is none."""
    started = call.world.vaults.delete(call.id("vault"))
    if started is None:
        return empty_response(204)
    return empty_response(202, *_operation_headers(call, started))


def _existing(call: Call) -> VaultResource:
    return call.world.vaults.get(call.id("vault"))


def _shown(call: Call, vault: VaultResource, state: str = "Succeeded") -> Document:
    return vault_json(vault, call.world.extras.get(vault.id.key), state=state)


def _write(call: Call, vault: VaultResource, before: Mapping[str, Any]) -> Response:
    extras = read_extras(vault.id, call.request.document(), before, call.world.tenant)
    started = call.world.vaults.put(vault)
    call.world.extras[vault.id.key] = extras
    state = "Succeeded" if started.state == "Succeeded" else "Provisioning"
    # Recorded: the answer to a PUT has the URL of the operation's status, but no Location.
    headers: tuple[tuple[str, str], ...] = ()
    if started.state == "InProgress":
        headers = tuple(header for header in _operation_headers(call, started) if header[0] != "Location")
    # Recorded: writes of vaults reported a remaining count of 209.
    document = _shown(call, vault, state)
    status = 201 if started.created else 200
    return json_response(document, status=status, headers=(*headers, (RESOURCE_LIMIT, "209")))


def _operation_headers(call: Call, started: Started) -> tuple[tuple[str, str], ...]:
    # Recorded: unlike Site Recovery's operations, those of vaults have a base64 name.
    name = base64.urlsafe_b64encode(started.id.encode()).decode().rstrip("=")
    base, version = f"{call.request.origin}{call.id('vault')}", f"?api-version={call.request.api_version}"
    return (
        ("Azure-AsyncOperation", f"{base}/operationStatus/{name}{version}"),
        ("Location", f"{base}/operationResults/{name}{version}"),
        ("Retry-After", str(min(10, call.world.behaviour.retry_after))),
    )


def _operation(call: Call) -> Started:
    name = call.values["operation"]
    try:
        operation_id = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
    except ValueError as error:
        raise GatewayError(404, "NotFound", f"The operation '{name[:100]}' was not found.") from error
    scope = ArmId(f"/subscriptions/{call.id('subscription').subscription}")
    return call.world.operations.get(operation_id, scope=scope)


@routes.get(f"{VAULT}/operationStatus/{{operation}}", "Vaults_OperationStatus", "recorded")
def get_operation_status(call: Call) -> Response:
    """The status of an operation on a vault."""
    started = _operation(call)
    document = {"id": call.request.path, "name": call.values["operation"], "status": started.state}
    headers = call.status_retry_after(most=10) if started.state == "InProgress" else ()
    return json_response(document, headers=headers)


@routes.get(f"{VAULT}/operationResults/{{operation}}", "Vaults_OperationResults", "specified")
def get_operation_result(call: Call) -> Response:
    """The result of an operation on a vault: 202 until it has ended, then the vault, or 204 if it was deleted."""
    started = _operation(call)
    if started.state == "InProgress":
        return empty_response(202, *_operation_headers(call, started))
    return empty_response(204) if started.method == "DELETE" else get_vault(call)


# Vault settings that clients read. Their values are fixed.
_FIXED: Final = "clients read it along with a vault; its values are invented and fixed"


def _setting(vault_id: ArmId, kind: str, name: str, properties: Document) -> Response:
    setting = vault_id.child(kind, name)
    return json_response({"id": str(setting), "name": name, "type": f"{VAULT_TYPE}/{kind}", "properties": properties})


@routes.get(f"{VAULT}/backupconfig/vaultconfig", "BackupResourceVaultConfigs_Get", "assumed", _FIXED)
def get_backup_config(call: Call) -> Response:
    """How Azure Backup protects a vault's contents from deletion."""
    properties: Document = {
        "storageModelType": "GeoRedundant",
        "storageType": "GeoRedundant",
        "storageTypeState": "Unlocked",
        "enhancedSecurityState": "AlwaysON",
        "softDeleteFeatureState": "AlwaysON",
        "softDeleteRetentionPeriodInDays": 14,
        "isSoftDeleteFeatureStateEditable": False,
    }
    return _setting(_existing(call).id, "backupconfig", "vaultconfig", properties)


@routes.get(f"{VAULT}/backupstorageconfig/vaultstorageconfig", "BackupResourceStorageConfigs_Get", "assumed", _FIXED)
def get_storage_config(call: Call) -> Response:
    """How Azure Backup stores a vault's contents."""
    properties: Document = {
        "storageModelType": "GeoRedundant",
        "storageType": "GeoRedundant",
        "storageTypeState": "Unlocked",
        "crossRegionRestoreFlag": False,
    }
    return _setting(_existing(call).id, "backupstorageconfig", "vaultstorageconfig", properties)


@routes.get(f"{VAULT}/extendedInformation/vaultExtendedInfo", "VaultExtendedInfo_Get", "specified", "a made-up key")
def get_extended_info(call: Call) -> Response:
    """The integrity key of a vault. PowerShell needs it to select the vault for its Site Recovery cmdlets."""
    vault_id = _existing(call).id
    # PowerShell decodes the key, and accepts it only if the algorithm is None.
    key = base64.b64encode(UUID(stable_guid(str(vault_id), "integrity key")).bytes).decode()
    properties: Document = {"integrityKey": key, "algorithm": "None"}
    return _setting(vault_id, "extendedInformation", "vaultExtendedInfo", properties)


@routes.get(f"{VAULT}/backupProtectedItems", "BackupProtectedItems_List", "assumed", "empty")
def list_backup_items(call: Call) -> Response:
    """An empty list, since Azure Backup protects no items here."""
    _existing(call)
    return json_response({"value": []})


def _replication_setting(vault_id: ArmId) -> Document:
    """The settings of a vault without a migration project that protects VMware machines in the newer way."""
    return {
        "id": wire_id(vault_id.child("replicationVaultSettings", "default")),
        "name": "default",
        "type": f"{VAULT_TYPE}/replicationVaultSettings",
        "properties": {"migrationSolutionId": None, "vmwareToAzureProviderType": "InMageRcm"},
    }


@routes.get(f"{VAULT}/replicationVaultSettings", "ReplicationVaultSetting_List", "assumed", _FIXED)
def list_replication_settings(call: Call) -> Response:
    """The only Site Recovery settings of a vault."""
    return json_response({"value": [_replication_setting(_existing(call).id)], "nextLink": None})


@routes.get(f"{VAULT}/replicationVaultSettings/default", "ReplicationVaultSetting_Get", "assumed", _FIXED)
def get_replication_setting(call: Call) -> Response:
    """Site Recovery's settings of a vault."""
    return json_response(_replication_setting(_existing(call).id))
