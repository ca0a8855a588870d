"""Recovery Services vaults, and those of their settings that clients read along with them."""

from __future__ import annotations

import base64
from typing import Final

import msgspec

from asrnet.emulator.bodies import location_of, member, string_map
from asrnet.emulator.call import Call
from asrnet.emulator.handlers.templates import GROUP, SUBSCRIPTION, VAULT, VAULTS
from asrnet.emulator.headers import RESOURCE_LIMIT
from asrnet.emulator.messages import Response, empty_response, json_response
from asrnet.emulator.naming import check_name
from asrnet.emulator.refusals import GatewayError
from asrnet.emulator.routing import Route
from asrnet.emulator.site_recovery_json import Document
from asrnet.emulator.vault_json import (
    backup_config_json,
    replication_setting_json,
    storage_config_json,
    vault_extras,
    vault_json,
)
from asrnet.fake.operations import Started
from asrnet.fake.records import VaultResource
from asrnet.model.arm import ArmId


def list_vaults(call: Call) -> Response:
    """The vaults of a subscription or of a resource group."""
    vaults = call.world.vaults.list(call.id("subscription").subscription, call.values.get("group"))
    return call.page(vaults, lambda vault: _vault(call, vault), null_link=False)


def get_vault(call: Call) -> Response:
    """One vault."""
    return json_response(_vault(call, _existing(call)))


def put_vault(call: Call) -> Response:
    """Create or replace a vault."""
    check_name("vault", call.values["vault"])
    body = call.request.document()
    vault = VaultResource(id=call.id("vault"), location=location_of(body), tags=string_map(body, "tags"))
    return _written(call, vault)


def patch_vault(call: Call) -> Response:
    """Change a vault's tags and settings; what the body leaves out stays."""
    known = _existing(call)
    body = call.request.document()
    tags = string_map(body, "tags") if member(body, "tags") is not None else known.tags
    return _written(call, msgspec.structs.replace(known, tags=tags))


def delete_vault(call: Call) -> Response:
    """Delete a vault: 204 where there is none."""
    started = call.world.vaults.delete(call.id("vault"))
    if started is None:
        return empty_response(204)
    return empty_response(202, *_addresses(call, started))


def operation(call: Call) -> Response:
    """Where the writing of a vault stands."""
    document = {"id": call.request.path, "name": call.values["operation"], "status": _operation(call).state}
    return json_response(document)


def operation_result(call: Call) -> Response:
    """The result of writing a vault: 202 until it ended, then the vault, or 204 where it is gone."""
    started = _operation(call)
    if started.state == "InProgress":
        return empty_response(202, *_addresses(call, started))
    return empty_response(204) if started.method == "DELETE" else get_vault(call)


def backup_config(call: Call) -> Response:
    """How Azure Backup guards a vault's contents."""
    return json_response(backup_config_json(_existing(call).id))


def storage_config(call: Call) -> Response:
    """How Azure Backup stores a vault's contents."""
    return json_response(storage_config_json(_existing(call).id))


def list_backup_items(call: Call) -> Response:
    """What Azure Backup protects: nothing, here."""
    _existing(call)
    return json_response({"value": []})


def replication_setting(call: Call) -> Response:
    """Site Recovery's settings of a vault."""
    return json_response(replication_setting_json(_existing(call).id))


def list_replication_settings(call: Call) -> Response:
    """The one group of settings that a vault has."""
    return json_response({"value": [replication_setting_json(_existing(call).id)], "nextLink": None})


def _existing(call: Call) -> VaultResource:
    return call.world.vaults.get(call.id("vault"))


def _vault(call: Call, vault: VaultResource, state: str = "Succeeded") -> Document:
    return vault_json(vault, call.world.extras.get(vault.id.key), state=state)


def _written(call: Call, vault: VaultResource) -> Response:
    known = call.world.extras.get(vault.id.key, {}) if call.request.method == "PATCH" else {}
    extras = vault_extras(vault.id, call.request.document(), known, call.world.tenant)
    started = call.world.vaults.put(vault)
    call.world.extras[vault.id.key] = extras
    state = "Succeeded" if started.state == "Succeeded" else "Provisioning"
    headers = _addresses(call, started) if started.state == "InProgress" else ()
    limit = (RESOURCE_LIMIT, "209")
    document = _vault(call, vault, state)
    return json_response(document, status=201 if started.created else 200, headers=(*headers, limit))


def _addresses(call: Call, started: Started) -> tuple[tuple[str, str], ...]:
    name = base64.urlsafe_b64encode(started.id.encode()).decode().rstrip("=")
    base, version = f"{call.request.origin}{call.id('vault')}", f"?api-version={call.request.api_version}"
    return (
        ("Azure-AsyncOperation", f"{base}/operationStatus/{name}{version}"),
        ("Location", f"{base}/operationResults/{name}{version}"),
        ("Retry-After", str(min(10, call.world.behaviour.retry_after))),
    )


def _operation(call: Call) -> Started:
    name = call.values["operation"]
    padded = name + "=" * (-len(name) % 4)
    try:
        operation_id = base64.urlsafe_b64decode(padded).decode()
    except ValueError as error:
        raise GatewayError(404, "NotFound", f"The operation '{name[:100]}' was not found.") from error
    scope = ArmId(f"/subscriptions/{call.id('subscription').subscription}")
    return call.world.operations.get(operation_id, scope=scope)


_FIXED: Final = "clients read it along with a vault; its values were chosen, and cannot be changed"

ROUTES: Final = (
    Route(
        method="GET",
        template=f"{SUBSCRIPTION}/{VAULTS}",
        operation="Vaults_ListBySubscriptionId",
        source="specified",
        handler=list_vaults,
    ),
    Route(
        method="GET",
        template=f"{GROUP}/{VAULTS}",
        operation="Vaults_ListByResourceGroup",
        source="specified",
        handler=list_vaults,
    ),
    Route(
        method="GET",
        template=VAULT,
        operation="Vaults_Get",
        source="recorded",
        handler=get_vault,
        note="the redundancy of a vault that was given none is assumed",
    ),
    Route(method="PUT", template=VAULT, operation="Vaults_CreateOrUpdate", source="recorded", handler=put_vault),
    Route(method="PATCH", template=VAULT, operation="Vaults_Update", source="specified", handler=patch_vault),
    Route(method="DELETE", template=VAULT, operation="Vaults_Delete", source="specified", handler=delete_vault),
    Route(
        method="GET",
        template=f"{VAULT}/operationStatus/{{operation}}",
        operation="Vaults_OperationStatus",
        source="recorded",
        handler=operation,
    ),
    Route(
        method="GET",
        template=f"{VAULT}/operationResults/{{operation}}",
        operation="Vaults_OperationResults",
        source="specified",
        handler=operation_result,
    ),
    Route(
        method="GET",
        template=f"{VAULT}/backupconfig/vaultconfig",
        operation="BackupResourceVaultConfigs_Get",
        source="assumed",
        handler=backup_config,
        note=_FIXED,
    ),
    Route(
        method="GET",
        template=f"{VAULT}/backupstorageconfig/vaultstorageconfig",
        operation="BackupResourceStorageConfigs_Get",
        source="assumed",
        handler=storage_config,
        note=_FIXED,
    ),
    Route(
        method="GET",
        template=f"{VAULT}/backupProtectedItems",
        operation="BackupProtectedItems_List",
        source="assumed",
        handler=list_backup_items,
        note="empty",
    ),
    Route(
        method="GET",
        template=f"{VAULT}/replicationVaultSettings",
        operation="ReplicationVaultSetting_List",
        source="assumed",
        handler=list_replication_settings,
        note=_FIXED,
    ),
    Route(
        method="GET",
        template=f"{VAULT}/replicationVaultSettings/default",
        operation="ReplicationVaultSetting_Get",
        source="assumed",
        handler=replication_setting,
        note=_FIXED,
    ),
)
