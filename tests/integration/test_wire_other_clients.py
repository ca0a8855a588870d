"""Requests that az and the Terraform provider send besides networks and mappings, and the answers they need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from wire_case import Wire, error_of

from asrnet.emulator.capture import Capture
from asrnet.emulator.faults import Fault
from asrnet.emulator.messages import Request
from asrnet.fake import world_file
from asrnet.model.arm import ArmId

SUB = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg-dr"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault-dr"
NETWORKS = f"{GROUP}/providers/Microsoft.Network/virtualNetworks"


@pytest.fixture
def wire() -> Wire:
    wire = Wire()
    wire.build.world.behaviour = structs.replace(wire.build.world.behaviour, operations="time:3")
    wire.build.resource_group("rg-dr")
    return wire


def terraforms_vault(**settings: object) -> dict[str, Any]:
    """What azurerm_recovery_services_vault sends, with its defaults."""
    redundancy = {"crossRegionRestore": "Disabled", "standardTierStorageRedundancy": "GeoRedundant"}
    properties = {"publicNetworkAccess": "Enabled", "redundancySettings": redundancy, **settings}
    return {"location": "southeastasia", "sku": {"name": "Standard"}, "properties": properties, "tags": {}}


def test_a_vault_comes_back_as_terraform_sent_it(wire: Wire) -> None:
    created = wire.send("PUT", VAULT, body=terraforms_vault(monitoringSettings={"azureMonitorAlertSettings": {}}))
    assert created.status == 201
    wire.build.world.clock.sleep(3)
    found = wire.get(VAULT)
    assert found["sku"] == {"name": "Standard"}
    assert "identity" not in found
    assert found["properties"]["monitoringSettings"] == {"azureMonitorAlertSettings": {}}
    assert found["properties"]["redundancySettings"] == {
        "standardTierStorageRedundancy": "GeoRedundant",
        "crossRegionRestore": "Disabled",
    }


def test_a_patch_of_a_vault_keeps_the_properties_it_does_not_name(wire: Wire) -> None:
    wire.send("PUT", VAULT, body=terraforms_vault())
    before = wire.get(VAULT)["etag"]
    redundancy = {"redundancySettings": {"standardTierStorageRedundancy": "LocallyRedundant"}}
    assert wire.send("PATCH", VAULT, body={"properties": redundancy}).status == 200
    found = wire.get(VAULT)
    assert found["sku"] == {"name": "Standard"}
    assert found["properties"]["redundancySettings"] == {
        "standardTierStorageRedundancy": "LocallyRedundant",
        "crossRegionRestore": "Disabled",
    }
    assert found["etag"] != before
    wire.send("PUT", VAULT, body={"location": "southeastasia", "sku": {"name": "RS0"}})
    found = wire.get(VAULT)
    assert found["sku"] == {"name": "RS0", "tier": "Standard"}
    assert found["properties"]["redundancySettings"]["standardTierStorageRedundancy"] == "GeoRedundant"


def test_a_vault_gets_the_identities_it_asks_for(wire: Wire) -> None:
    user = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/me"
    identity = {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": {user: {}}}
    wire.send("PUT", VAULT, body=terraforms_vault() | {"identity": identity})
    found = wire.get(VAULT)["identity"]
    assert (found["type"], found["tenantId"]) == ("SystemAssigned, UserAssigned", wire.build.world.tenant)
    assert set(found["userAssignedIdentities"][user]) == {"principalId", "clientId"}
    wire.send("PUT", VAULT, body=terraforms_vault() | {"identity": {"type": "None"}})
    assert "identity" not in wire.get(VAULT)


@pytest.mark.parametrize(
    ("path", "name", "setting", "value"),
    [
        ("backupconfig/vaultconfig", "vaultconfig", "softDeleteFeatureState", "AlwaysON"),
        ("backupstorageconfig/vaultstorageconfig", "vaultstorageconfig", "storageTypeState", "Unlocked"),
        ("replicationVaultSettings/default", "default", "vmwareToAzureProviderType", "InMageRcm"),
        ("extendedInformation/vaultExtendedInfo", "vaultExtendedInfo", "algorithm", "None"),
    ],
)
def test_settings_that_clients_read_with_a_vault_are_those_of_a_new_vault(
    wire: Wire, path: str, name: str, setting: str, value: str
) -> None:
    assert wire.send("GET", f"{VAULT}/{path}").status == 404
    wire.send("PUT", VAULT, body=terraforms_vault())
    found = wire.get(f"{VAULT}/{path}")
    assert (found["name"], found["id"].lower()) == (name, f"{VAULT}/{path}".lower())
    assert found["properties"][setting] == value


def test_lists_that_clients_read_with_a_vault_are_answered(wire: Wire) -> None:
    wire.send("PUT", VAULT, body=terraforms_vault())
    assert wire.get(f"{VAULT}/backupProtectedItems") == {"value": []}
    (setting,) = wire.get(f"{VAULT}/replicationVaultSettings")["value"]
    assert setting == wire.get(f"{VAULT}/replicationVaultSettings/default")


def test_deleting_a_vault_is_an_operation_with_both_addresses(wire: Wire) -> None:
    wire.send("PUT", VAULT, body=terraforms_vault())
    wire.build.world.clock.sleep(3)
    answer = wire.send("DELETE", VAULT)
    assert (answer.status, answer.body, answer.header("Retry-After")) == (202, b"", "10")
    status, result = answer.header("Azure-AsyncOperation") or "", answer.header("Location") or ""
    assert json.loads(wire.follow(status).body)["status"] == "InProgress"
    waiting = wire.follow(result)
    assert (waiting.status, waiting.header("Location")) == (202, result)
    wire.build.world.clock.sleep(3)
    assert json.loads(wire.follow(status).body)["status"] == "Succeeded"
    assert wire.follow(result).status == 204
    assert wire.send("GET", VAULT).status == 404
    assert wire.send("DELETE", VAULT).status == 204


def test_the_result_of_creating_a_vault_is_the_vault(wire: Wire) -> None:
    answer = wire.send("PUT", VAULT, body=terraforms_vault())
    assert answer.header("Location") is None
    url = (answer.header("Azure-AsyncOperation") or "").replace("/operationStatus/", "/operationResults/")
    assert wire.follow(url).status == 202
    wire.build.world.clock.sleep(3)
    assert json.loads(wire.follow(url).body) == wire.get(VAULT)


def test_a_put_that_changes_nothing_of_a_vault_starts_no_operation(wire: Wire) -> None:
    wire.send("PUT", VAULT, body=terraforms_vault())
    wire.build.world.clock.sleep(3)
    answer = wire.send("PUT", VAULT, body=terraforms_vault())
    assert (answer.status, answer.header("Azure-AsyncOperation"), answer.header("Retry-After")) == (200, None, None)
    assert json.loads(answer.body) == wire.get(VAULT)
    changed = terraforms_vault() | {"tags": {"a": "b"}}
    assert wire.send("PUT", VAULT, body=changed).header("Azure-AsyncOperation")


def test_terraforms_network_mapping_has_the_path_that_terraform_uses(wire: Wire) -> None:
    """Terraform names the network segment after the primary network, and reads a deleted resource until it is gone."""
    wire.send("PUT", VAULT, body=terraforms_vault())
    for name, location in (("hub-ea", "eastasia"), ("hub-sea", "southeastasia")):
        body = {"location": location, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
        assert wire.send("PUT", f"{NETWORKS}/{name}", body=body, version="2025-01-01").status == 201
        fabric = {"properties": {"customDetails": {"instanceType": "Azure", "location": location}}}
        assert wire.send("GET", f"{VAULT}/replicationFabrics/f-{location}").status in {400, 404}
        assert wire.send("PUT", f"{VAULT}/replicationFabrics/f-{location}", body=fabric).status == 202
        wire.build.world.clock.sleep(3)
    path = f"{VAULT}/replicationFabrics/f-eastasia/replicationNetworks/hub-ea/replicationNetworkMappings/m"
    details = {"instanceType": "AzureToAzure", "primaryNetworkId": f"{NETWORKS}/hub-ea"}
    wanted = {"recoveryNetworkId": f"{NETWORKS}/hub-sea", "recoveryFabricName": "f-southeastasia"}
    body = {"properties": {**wanted, "fabricSpecificDetails": details}}
    assert wire.send("GET", path, version="2024-04-01").status == 404
    assert wire.send("PUT", path, body=body, version="2024-04-01").status == 202
    wire.build.world.clock.sleep(3)
    properties = wire.get(path, version="2024-04-01")["properties"]
    assert properties["primaryNetworkId"] == f"{NETWORKS}/hub-ea".lower()
    assert properties["recoveryFabricArmId"].endswith("/replicationFabrics/f-southeastasia")
    assert wire.send("DELETE", path, version="2024-04-01").status == 202
    assert wire.send("GET", path, version="2024-04-01").status == 200
    wire.build.world.clock.sleep(3)
    assert wire.send("GET", path, version="2024-04-01").status == 404


def test_a_path_may_end_in_an_empty_parent_where_there_is_none(wire: Wire) -> None:
    """What ``az resource show --resource-type Microsoft.Network/virtualNetworks`` sends."""
    network = wire.build.virtual_network("hub", "eastus", group="rg-dr")
    doubled = (
        str(network.id).replace("/virtualNetworks", "//virtualNetworks").replace("resourceGroups", "resourcegroups")
    )
    assert wire.get(doubled)["name"] == "hub"
    assert wire.send("GET", str(network.id).replace("/hub", "//hub")).status == 400


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("", ["hub", "spare", "vault"]),
        ("resourceType eq 'microsoft.recoveryservices/vaults'", ["vault"]),
        ("resourceGroup eq 'RG-DR'", ["hub", "vault"]),
        ("resourceType eq 'Microsoft.Network/virtualNetworks' and location eq 'westus'", ["spare"]),
        ("name eq 'hub'", ["hub"]),
        ("tagName eq 'dr'", ["hub", "spare"]),
        ("tagName eq 'dr' and tagValue eq 'yes'", ["hub"]),
        ("tagName eq 'other' and tagValue eq 'yes'", []),
        ("tagValue eq 'no'", ["spare"]),
    ],
)
def test_lists_of_resources_are_filtered(wire: Wire, wanted: str, names: list[str]) -> None:
    wire.build.virtual_network("hub", "eastus", group="rg-dr", tags={"DR": "yes"})
    wire.build.virtual_network("spare", "westus", group="rg-other", tags={"dr": "no"})
    wire.build.vault("vault", group="rg-dr")
    found = wire.get(f"/subscriptions/{SUB}/resources", query=f"$filter={wanted.replace(' ', '%20')}")
    assert [each["name"] for each in found["value"]] == names


def test_a_filter_of_resources_that_is_not_known_is_refused(wire: Wire) -> None:
    answer = wire.send("GET", f"/subscriptions/{SUB}/resources", query="$filter=substringof('a',%20name)")
    assert (answer.status, error_of(answer)["code"]) == (400, "BadRequest")


def test_tags_of_a_network_are_patched(wire: Wire) -> None:
    network = wire.build.virtual_network(
        "hub", "eastus", group="rg-dr", subnets={"web": "10.0.1.0/24"}, tags={"a": "b"}
    )
    before = wire.get(network.id)
    answer = wire.send("PATCH", network.id, body={"tags": {"c": "d"}})
    assert (answer.status, json.loads(answer.body)["tags"]) == (200, {"c": "d"})
    wire.build.world.clock.sleep(3)
    after = wire.get(network.id)
    assert after["properties"]["addressSpace"] == before["properties"]["addressSpace"]
    assert [each["name"] for each in after["properties"]["subnets"]] == ["web"]
    assert wire.send("PATCH", f"{NETWORKS}/none", body={"tags": {}}).status == 404


def test_a_network_keeps_the_policies_and_delegations_it_was_given(wire: Wire) -> None:
    service = {
        "serviceName": "Microsoft.Web/serverFarms",
        "actions": ["Microsoft.Network/virtualNetworks/subnets/action"],
    }
    subnet = {
        "name": "web",
        "properties": {"addressPrefix": "10.0.1.0/24", "delegations": [{"name": "farm", "properties": service}]},
    }
    properties = {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "privateEndpointVNetPolicies": "Basic",
        "subnets": [subnet],
    }
    wire.send("PUT", f"{NETWORKS}/hub", body={"location": "eastus", "properties": properties})
    found = wire.get(f"{NETWORKS}/hub", version="2025-01-01")["properties"]
    assert found["privateEndpointVNetPolicies"] == "Basic"
    (delegation,) = found["subnets"][0]["properties"]["delegations"]
    assert (delegation["name"], delegation["properties"]["actions"]) == ("farm", service["actions"])
    wire.send("PUT", f"{NETWORKS}/hub/subnets/web", body={"properties": {"addressPrefix": "10.0.1.0/24"}})
    assert wire.get(f"{NETWORKS}/hub/subnets/web")["properties"]["delegations"] == []


@pytest.mark.parametrize("delegation", [{"name": "farm"}, {"properties": {"serviceName": "Microsoft.Web/serverFarms"}}])
def test_half_a_delegation_is_refused(wire: Wire, delegation: dict[str, object]) -> None:
    properties = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    wire.send("PUT", f"{NETWORKS}/hub", body={"location": "eastus", "properties": properties})
    body = {"properties": {"addressPrefix": "10.0.1.0/24", "delegations": [delegation]}}
    answer = wire.send("PUT", f"{NETWORKS}/hub/subnets/web", body=body)
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidRequestFormat")
    assert wire.get(f"{NETWORKS}/hub/subnets") == {"value": []}


def test_a_subnet_that_is_replaced_keeps_its_place(wire: Wire) -> None:
    subnets = {"a": "10.0.1.0/24", "b": "10.0.2.0/24", "c": "10.0.3.0/24"}
    wire.build.virtual_network("hub", "eastus", group="rg-dr", address_space=["10.0.0.0/16"], subnets=subnets)
    answer = wire.send("PUT", f"{NETWORKS}/hub/subnets/A", body={"properties": {"addressPrefix": "10.0.9.0/24"}})
    assert answer.status == 200
    wire.send("PUT", f"{NETWORKS}/hub/subnets/new", body={"properties": {"addressPrefix": "10.0.4.0/24"}})
    assert [each["name"].lower() for each in wire.get(f"{NETWORKS}/hub/subnets")["value"]] == ["a", "b", "c", "new"]


def test_unknown_properties_that_clients_sent_are_saved_with_the_world(wire: Wire) -> None:
    wire.send("PUT", VAULT, body=terraforms_vault())
    for name in ("hub", "gone"):
        properties = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "flowTimeoutInMinutes": 10}
        body = {"location": "eastus", "properties": properties}
        wire.send("PUT", f"{NETWORKS}/{name}", body=body)
    wire.send("DELETE", f"{NETWORKS}/gone")
    wire.build.world.clock.sleep(3)
    text = world_file.dumps(wire.build.world)
    assert "gone" not in text
    again = Wire()
    again.app.replace_world(text.encode(), seed=True)
    assert again.get(VAULT) == wire.get(VAULT)
    assert again.get(f"{NETWORKS}/hub") == wire.get(f"{NETWORKS}/hub")
    again.app.reset()
    assert again.get(f"{NETWORKS}/hub")["properties"]["flowTimeoutInMinutes"] == 10


def test_a_refusal_for_lack_of_rights_names_the_action_of_the_request(wire: Wire) -> None:
    network = wire.build.virtual_network("hub", "eastus", group="rg-dr")
    wire.app.faults.add(Fault(kind="forbidden"))
    message = error_of(wire.send("DELETE", network.id))["message"]
    assert "perform action 'Microsoft.Network/virtualNetworks/delete'" in message


def test_captured_requests_have_every_parameter_but_the_signed_ones(wire: Wire, tmp_path: Path) -> None:
    query = "api-version=2024-05-01&%24expand=a%2Fb&t=1&c=2&s=3&h=4&empty="
    request = Request(method="GET", path=f"{NETWORKS}/hub", query=query)
    Capture(str(tmp_path)).record(request, wire.app.handle(request))
    live = json.loads((tmp_path / "000001.json").read_text())["liveRequest"]
    assert live["query"] == {"api-version": "2024-05-01", "$expand": "a/b", "empty": ""}
    assert live["url"].endswith("/hub?api-version=2024-05-01&%24expand=a%2Fb&empty=")


def test_a_capture_replaces_no_file_of_the_folder(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "000002.json").write_text("an earlier run's")
    request = Request(method="GET", path=f"{NETWORKS}/hub", query="api-version=2024-05-01")
    Capture(str(tmp_path)).record(request, wire.app.handle(request))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["000002.json", "000003.json"]
    assert (tmp_path / "000002.json").read_text() == "an earlier run's"


@pytest.mark.parametrize("name", ["sku", "identity", "properties"])
def test_invalid_extras_of_a_vault_in_a_world_file_are_ignored(wire: Wire, name: str) -> None:
    wire.build.vault("vault-dr")
    before = wire.get(VAULT)
    wire.build.world.extras[ArmId(VAULT).key] = {name: 5}
    assert wire.get(VAULT) | {"etag": ""} == before | {"etag": ""}
    assert wire.send("PATCH", VAULT, body={"tags": {"a": "b"}}).status == 200
    assert wire.get(VAULT)["tags"] == {"a": "b"}
