"""The vault-wide resources of Site Recovery: providers, protectable machines, health and alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from asrnet.emulator.bodies import an_object, text, texts
from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.on_premises_shapes import WINDOWS
from asrnet.emulator.messages import Document, Response, json_response
from asrnet.emulator.routing import CONTAINER, FABRIC, VAULT, Routes
from asrnet.emulator.spelling import (
    CONTAINER_TYPE,
    FABRIC_TYPE,
    VAULT_TYPE,
    fabric_friendly_name,
    fabric_type,
    wire_id,
)
from asrnet.fake import refusals
from asrnet.fake.jobs import iso_time
from asrnet.fake.operations import stable_guid
from asrnet.fake.records import SourceMachine
from asrnet.fake.world import World
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, ProtectedItem

routes: Final = Routes()

_PROVIDERS: Final = "replicationRecoveryServicesProviders"
_PROTECTABLE: Final = f"{CONTAINER}/replicationProtectableItems"
_ALERTS: Final = f"{VAULT}/replicationAlertSettings"


def provider_json(world: World, fabric: Fabric) -> Document:
    """The single provider of a fabric."""
    name = stable_guid(str(fabric.id), "provider")
    items = world.state.protected_items.values(fabric.id.parent.key)
    return {
        "id": wire_id(fabric.id.child(_PROVIDERS, name)),
        "name": name,
        "type": f"{FABRIC_TYPE}/{_PROVIDERS}",
        "properties": {
            "fabricType": fabric_type(world, fabric),
            "friendlyName": fabric_friendly_name(fabric),
            "providerVersion": "5.1.8103.0",
            "serverVersion": "" if fabric.kind == "azure" else "10.0",
            "providerVersionState": "Latest",
            "providerVersionExpiryDate": "9999-12-31T23:59:59Z",
            "fabricFriendlyName": fabric_friendly_name(fabric),
            "lastHeartBeat": iso_time(world.clock.now()),
            "connectionStatus": "Connected",
            "protectedItemCount": sum(item.fabric_id == fabric.id for item in items),
            "allowedScenarios": ["Refresh"],
            "healthErrorDetails": [],
            "draIdentifier": name,
            "machineId": None,
            "machineName": None if fabric.kind == "azure" else fabric_friendly_name(fabric),
            "biosId": None,
            "authenticationIdentityDetails": None,
            "resourceAccessIdentityDetails": None,
            "dataPlaneAuthenticationIdentityDetails": None,
            "providerVersionDetails": {
                "version": "5.1.8103.0",
                "expiryDate": "9999-12-31T23:59:59Z",
                "status": "Supported",
            },
        },
    }


@routes.get(f"{FABRIC}/{_PROVIDERS}", "ReplicationRecoveryServicesProviders_ListByReplicationFabrics", "specified")
def list_providers(call: Call) -> Response:
    """The provider of a fabric."""
    fabric = call.world.fabrics.get(call.id("fabric"))
    return call.page([fabric], lambda fabric: provider_json(call.world, fabric))


@routes.get(f"{VAULT}/{_PROVIDERS}", "ReplicationRecoveryServicesProviders_List", "specified")
def list_vault_providers(call: Call) -> Response:
    """The providers of all fabrics."""
    fabrics = call.world.fabrics.list(call.id("vault"))
    return call.page(fabrics, lambda fabric: provider_json(call.world, fabric))


@routes.get(f"{FABRIC}/{_PROVIDERS}/{{provider}}", "ReplicationRecoveryServicesProviders_Get", "specified")
def get_provider(call: Call) -> Response:
    """One provider."""
    document = provider_json(call.world, call.world.fabrics.get(call.id("fabric")))
    if call.values["provider"].lower() != document["name"]:
        raise refusals.missing(call.id("provider"))
    return json_response(document)


def protectable_json(machine: SourceMachine, item: ProtectedItem | None) -> Document:
    """A machine on premises that can be protected; ``item`` is the protected item, if it is protected."""
    fabric_id = machine.id.parent.parent
    return {
        "id": wire_id(machine.id),
        "name": machine.id.name,
        "type": f"{CONTAINER_TYPE}/replicationProtectableItems",
        "properties": {
            "friendlyName": machine.friendly_name,
            "protectionStatus": "Protected" if item else "Unprotected",
            "replicationProtectedItemId": wire_id(item.id) if item else None,
            "recoveryServicesProviderId": wire_id(fabric_id.child(_PROVIDERS, stable_guid(str(fabric_id), "provider"))),
            "protectionReadinessErrors": [],
            "supportedReplicationProviders": ["HyperVReplicaAzure"],
            "customDetails": {
                "instanceType": "HyperVVirtualMachine",
                "sourceItemId": machine.id.name,
                "generation": "1",
                "osDetails": dict(WINDOWS),
                "diskDetails": [
                    {
                        "maxSizeMB": 130048,
                        "vhdType": "OperatingSystem",
                        "vhdId": stable_guid(str(machine.id), "disk"),
                        "vhdName": f"{machine.friendly_name}.vhdx",
                    }
                ],
                "hasPhysicalDisk": "NotPresent",
                "hasFibreChannelAdapter": "NotPresent",
                "hasSharedVhd": "NotPresent",
                "hyperVHostId": stable_guid(str(fabric_id), "host"),
            },
        },
    }


@routes.get(
    _PROTECTABLE,
    "ReplicationProtectableItems_ListByReplicationProtectionContainers",
    "specified",
    "Hyper-V machines only; worlds have no others to protect",
)
def list_protectable_items(call: Call) -> Response:
    """The machines of a container that can be protected."""
    return call.page(_protectable(call), lambda pair: protectable_json(*pair))


@routes.get(f"{_PROTECTABLE}/{{machine}}", "ReplicationProtectableItems_Get", "specified")
def get_protectable_item(call: Call) -> Response:
    """One machine that can be protected."""
    for machine, item in _protectable(call):
        if machine.id.name.lower() == call.values["machine"].lower():
            return json_response(protectable_json(machine, item))
    raise refusals.missing(call.id("machine"))


def _protectable(call: Call) -> Sequence[tuple[SourceMachine, ProtectedItem | None]]:
    """The machines of a container on premises, each with its protected item if there is one."""
    container_id = call.id("container")
    items = {
        item.id.name.lower(): item
        for item in call.world.protected_items.list_container(container_id)
        if item.provider == "HyperVReplicaAzure"
    }
    machines = {
        machine.id.name.lower(): machine
        for machine in call.world.state.source_machines.values(container_id.parent.key)
        if machine.id.parent == container_id
    }
    for name, item in items.items():
        # An item loaded with the world, or protected under an arbitrary id, counts as its own machine.
        machine_id = container_id.child("replicationProtectableItems", item.id.name)
        machines.setdefault(name, SourceMachine(id=machine_id, friendly_name=item.friendly_name, nics=item.nics))
    return [(machine, items.get(name)) for name, machine in machines.items()]


@routes.get(f"{VAULT}/replicationVaultHealth", "ReplicationVaultHealth_Get", "specified", "every vault is healthy")
def get_vault_health(call: Call) -> Response:
    """The health of a vault, with counts of its resources."""
    vault = call.world.vaults.get(call.id("vault")).id
    fabrics = call.world.state.fabrics.values(vault.key)
    containers = [record for fabric in fabrics for record in call.world.state.clouds.values(fabric.id.key)]
    items = call.world.state.protected_items.values(vault.key)

    def summary(count: int) -> Document:
        return {"resourceCount": count, "issues": [], "categorizedResourceCounts": {"Normal": count}}

    return json_response(
        {
            "id": wire_id(vault.child("replicationVaultHealth", "Default")),
            "name": "Default",
            "type": f"{VAULT_TYPE}/replicationVaultHealth",
            "properties": {
                "vaultErrors": [],
                "protectedItemsHealth": summary(len(items)),
                "fabricsHealth": summary(len(fabrics)),
                "containersHealth": summary(len(containers)),
            },
        }
    )


def _alert_json(call: Call, vault: ArmId, name: str) -> Document:
    alert_id = vault.child("replicationAlertSettings", name)
    settings = {"sendToOwners": "DoNotSend", "customEmailAddresses": [], "locale": "en-US"}
    return {
        "id": wire_id(alert_id),
        "name": name,
        "type": f"{VAULT_TYPE}/replicationAlertSettings",
        "properties": settings | call.world.extras.get(alert_id.key, {}),
    }


_DEFAULT_ALERT: Final = "defaultAlertSetting"


@routes.get(_ALERTS, "ReplicationAlertSettings_List", "specified")
def list_alert_settings(call: Call) -> Response:
    """The only alert settings of a vault."""
    vault = call.world.vaults.get(call.id("vault")).id
    return call.page([_DEFAULT_ALERT], lambda name: _alert_json(call, vault, name))


@routes.get(f"{_ALERTS}/{{alert}}", "ReplicationAlertSettings_Get", "specified")
def get_alert_settings(call: Call) -> Response:
    """A group of alert settings."""
    vault = call.world.vaults.get(call.id("vault")).id
    return json_response(_alert_json(call, vault, call.id("alert").name))


@routes.put(f"{_ALERTS}/{{alert}}", "ReplicationAlertSettings_Create", "specified", "no notification is sent")
def put_alert_settings(call: Call) -> Response:
    """Set who is notified of events."""
    vault = call.world.vaults.get(call.id("vault")).id
    properties = an_object(call.request.document(), "properties")
    settings: dict[str, object] = {"customEmailAddresses": list(texts(properties, "customEmailAddresses"))}
    settings |= {name: value for name in ("sendToOwners", "locale") if (value := text(properties, name)) is not None}
    call.world.extras[call.id("alert").key] = settings
    return json_response(_alert_json(call, vault, call.id("alert").name))
