"""Complete documents that no other test covers: vaults, containers, machines, intents, attachments."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from msgspec import structs
from wire_case import Wire, error_of, exactly

from asrnet.emulator.faults import Fault
from asrnet.fake.faults import Fault as ServiceFault
from asrnet.fake.records import ReplicationPolicy
from asrnet.model.azure import IpConfiguration, Nic, Subnet

SUB = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUB}/resourceGroups/Rg"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/Vault"
WIRE_VAULT = VAULT.replace("/subscriptions/", "/Subscriptions/")


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_a_vault_has_azures_shape(wire: Wire) -> None:
    wire.build.vault("Vault", group="Rg", location="eastasia")
    wire.send("PATCH", VAULT, body={"tags": {"a": "b"}})
    found = wire.get(VAULT)
    assert re.fullmatch(r"W/\"datetime'2026-01-01T00%3A00%3A00\.\d{7}Z'\"", found["etag"])
    assert exactly(found) == exactly(
        {
            "location": "eastasia",
            "name": "Vault",
            "etag": found["etag"],
            "tags": {"a": "b"},
            "properties": {
                "provisioningState": "Succeeded",
                "privateEndpointStateForBackup": "None",
                "privateEndpointStateForSiteRecovery": "None",
                "redundancySettings": {
                    "standardTierStorageRedundancy": "GeoRedundant",
                    "crossRegionRestore": "Disabled",
                },
                "publicNetworkAccess": "Enabled",
                "costManagementSettings": {"granularityLevel": "VaultLevel"},
            },
            "id": VAULT,
            "type": "Microsoft.RecoveryServices/vaults",
            "sku": {"name": "RS0", "tier": "Standard"},
        }
    )


def test_a_resource_group_has_azures_shape(wire: Wire) -> None:
    wire.send("PUT", GROUP, body={"location": "eastasia", "tags": {"a": "b"}})
    assert exactly(wire.get(GROUP)) == exactly(
        {
            "id": GROUP,
            "name": "Rg",
            "type": "Microsoft.Resources/resourceGroups",
            "location": "eastasia",
            "tags": {"a": "b"},
            "properties": {"provisioningState": "Succeeded"},
        }
    )


def test_a_subscription_and_a_region_have_azures_shape(wire: Wire) -> None:
    found = wire.get(f"/subscriptions/{SUB}")
    region = next(each for each in wire.get(f"/subscriptions/{SUB}/locations")["value"] if each["name"] == "eastus2")
    assert (found["id"], found["state"], found["displayName"]) == (f"/subscriptions/{SUB}", "Enabled", SUB)
    assert exactly(region) == exactly(
        {
            "id": f"/subscriptions/{SUB}/locations/eastus2",
            "name": "eastus2",
            "type": "Region",
            "displayName": "East US 2",
            "regionalDisplayName": "East US 2",
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }
    )


def test_the_tags_of_a_resource_group_can_be_changed(wire: Wire) -> None:
    group = f"/subscriptions/{SUB}/resourceGroups/Rg"
    wire.send("PUT", group, body={"location": "eastus", "tags": {"a": "b"}})
    answer = wire.send("PATCH", group, body={"tags": {"c": "d"}})
    assert (answer.status, json.loads(answer.body)["tags"]) == (200, {"c": "d"})
    assert wire.get(group)["location"] == "eastus"
    assert wire.send("PATCH", f"{group}-none", body={"tags": {}}).status == 404


def test_a_container_mapping_between_regions_has_azures_shape(wire: Wire) -> None:
    vault = wire.build.vault("Vault", group="Rg")
    east, west = wire.build.azure_fabric(vault, "eastus", name="E"), wire.build.azure_fabric(vault, "westus", name="W")
    primary, recovery = wire.build.container(east), wire.build.container(west)
    path = f"{primary.id}/replicationProtectionContainerMappings/pair"
    policy = vault.id.child("replicationPolicies", "Daily")
    wire.build.add(ReplicationPolicy(id=policy))
    body = {"properties": {"targetProtectionContainerId": str(recovery.id), "policyId": str(policy)}}
    assert wire.send("PUT", path, body=body).status == 202
    below = f"{WIRE_VAULT}/replicationFabrics"
    expected = {
        "id": f"{below}/E/replicationProtectionContainers/E-container/replicationProtectionContainerMappings/pair",
        "name": "pair",
        "type": "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers"
        "/replicationProtectionContainerMappings",
        "properties": {
            "targetProtectionContainerId": f"{below}/W/replicationProtectionContainers/W-container",
            "targetProtectionContainerFriendlyName": "W-container",
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "agentAutoUpdateStatus": "Disabled",
                "automationAccountAuthenticationType": "RunAsAccount",
                "automationAccountArmId": None,
                "scheduleName": None,
                "jobScheduleName": None,
            },
            "health": "Normal",
            "healthErrorDetails": [],
            "policyId": f"{WIRE_VAULT}/replicationPolicies/Daily",
            "state": "Paired",
            "sourceProtectionContainerFriendlyName": "E-container",
            "sourceFabricFriendlyName": "East US",
            "targetFabricFriendlyName": "West US",
            "policyFriendlyName": "Daily",
        },
    }
    assert exactly(wire.get(path)) == exactly(expected)
    listed = wire.get(f"{VAULT}/replicationProtectionContainerMappings")
    assert listed == wire.get(path.removesuffix("/pair")) == {"value": [expected], "nextLink": None}
    assert wire.get(recovery.id)["properties"]["pairingStatus"] == "Paired"
    assert wire.send("POST", f"{path}/remove", body={"properties": {}}).status == 202
    assert wire.send("GET", path).status == 404
    assert wire.get(primary.id)["properties"]["pairingStatus"] == "NotPaired"


def test_a_cloud_protected_by_azure_has_azures_shape(wire: Wire) -> None:
    server = wire.build.vmm_fabric(wire.build.vault("Vault", group="Rg"), "vmm.example")
    gold = wire.build.cloud(server, "Gold")
    path = f"{gold.id}/replicationProtectionContainerMappings/to-azure"
    wire.send("PUT", path, body={"properties": {"targetProtectionContainerId": "Microsoft Azure"}})
    properties = wire.get(path)["properties"]
    assert properties["targetProtectionContainerId"] == "Microsoft Azure"
    assert properties["targetProtectionContainerFriendlyName"] == "Microsoft Azure"
    assert properties["targetFabricFriendlyName"] == "Microsoft Azure"
    assert properties["sourceFabricFriendlyName"] == "vmm.example"
    assert properties["providerSpecificDetails"] is None
    assert wire.send("DELETE", path).status == 202
    assert wire.send("GET", path).status == 404


def test_containers_are_counted_and_removed(wire: Wire) -> None:
    vault = wire.build.vault("Vault", group="Rg")
    east, west = wire.build.azure_fabric(vault, "eastus", name="E"), wire.build.azure_fabric(vault, "westus", name="W")
    item = wire.build.protected_item("vm", east, west)
    container = item.id.parent
    assert wire.get(container)["properties"]["protectedItemCount"] == 1
    assert [each["name"] for each in wire.get(f"{VAULT}/replicationProtectionContainers")["value"]] == ["E-container"]
    assert [each["name"] for each in wire.get(f"{container}/replicationProtectedItems")["value"]] == ["vm"]
    refusal = wire.send("POST", f"{container}/remove")
    assert (refusal.status, error_of(refusal)["details"][0]["code"]) == (409, "ProtectionContainerInUse")
    assert wire.send("DELETE", item.id).status == 202
    assert wire.send("POST", f"{container}/remove").status == 202
    assert wire.get(f"{east.id}/replicationProtectionContainers")["value"] == []


def test_a_machine_has_azures_shape(wire: Wire) -> None:
    vault = wire.build.vault("Vault", group="Rg")
    east, west = wire.build.azure_fabric(vault, "eastus", name="E"), wire.build.azure_fabric(vault, "westus", name="W")
    hub, spare = wire.build.virtual_network("Hub", "eastus"), wire.build.virtual_network("Spare", "westus")
    test = wire.build.virtual_network("Test", "westus")
    addresses = (
        IpConfiguration(subnet="web", ip="10.0.0.4", ip_type="Static", recovery_subnet="web", recovery_ip="10.9.0.4"),
        IpConfiguration(name="second", primary=False, subnet="web", selected_for_failover=False),
    )
    nic = Nic(
        name="nic0",
        primary_network_id=hub.id,
        recovery_network_id=spare.id,
        test_network_id=test.id,
        ip_configurations=addresses,
    )
    item = wire.build.protected_item(
        "vm", east, west, nic, state="UnplannedFailoverCommitPending", active_location="Recovery", scenario="Commit"
    )
    recovery = wire.build.container(west)
    wire.build.cloud_mapping(wire.build.container(east), recovery)
    properties = wire.get(item.id)["properties"]
    provider = properties["recoveryServicesProviderId"]
    assert provider.startswith(f"{WIRE_VAULT}/replicationFabrics/E/replicationRecoveryServicesProviders/")
    assert {name: properties[name] for name in list(properties)[:12] if properties[name] is not None} == {
        "friendlyName": "vm",
        "protectedItemType": "",
        "recoveryServicesProviderId": provider,
        "primaryFabricFriendlyName": "East US",
        "primaryFabricProvider": "AzureFabric",
        "recoveryFabricFriendlyName": "West US",
        "recoveryFabricId": f"{WIRE_VAULT}/replicationFabrics/W",
        "primaryProtectionContainerFriendlyName": "E-container",
        "recoveryProtectionContainerFriendlyName": "W-container",
        "protectionState": "UnplannedFailoverCommitPending",
        "protectionStateDescription": "UnplannedFailoverCommitPending",
    }
    assert (properties["activeLocation"], properties["testFailoverState"]) == ("Recovery", "None")
    assert properties["allowedOperations"] == []
    assert (properties["switchProviderState"], properties["switchProviderStateDescription"]) == ("None", None)
    assert properties["currentScenario"]["scenarioName"] == "Commit"
    assert properties["recoveryContainerId"] == f"{recovery.id}".replace("/subscriptions/", "/Subscriptions/")
    details = properties["providerSpecificDetails"]
    assert details["selectedRecoveryAzureNetworkId"] == str(spare.id)
    assert details["selectedTfoAzureNetworkId"] == str(test.id)
    (wire_nic,) = details["vmNics"]
    assert (len(wire_nic["nicId"]), wire_nic["tfoVMNetworkId"]) == (36, str(test.id))
    assert wire_nic["selectionType"] == "SelectedByUserOverride"
    first, second = wire_nic["ipConfigs"]
    assert {name: value for name, value in first.items() if value is not None} == {
        "name": "ipconfig1",
        "isPrimary": True,
        "subnetName": "web",
        "staticIPAddress": "10.0.0.4",
        "ipAddressType": "Static",
        "isSeletedForFailover": True,
        "recoverySubnetName": "web",
        "recoveryStaticIPAddress": "10.9.0.4",
        "recoveryIPAddressType": "Static",
        "recoveryLBBackendAddressPoolIds": [],
    }
    assert (second["name"], second["isPrimary"], second["isSeletedForFailover"]) == ("second", False, False)
    assert (second["recoveryStaticIPAddress"], second["recoveryIPAddressType"]) == ("", None)


def test_a_machine_of_vmware_has_the_keys_of_its_provider(wire: Wire) -> None:
    vault = wire.build.vault("Vault", group="Rg")
    server = wire.build.vmm_fabric(vault, "appliance.example")
    spare = wire.build.virtual_network("Spare", "westus")
    address = IpConfiguration(ip="10.0.0.4", recovery_subnet="web", recovery_ip="10.1.0.4")
    nic = Nic(name="nic0", primary_network="VM Network", recovery_network_id=spare.id, ip_configurations=(address,))
    item = wire.build.protected_item(
        "vm", server, None, nic, cloud=wire.build.cloud(server, "Gold"), provider="InMageRcm"
    )
    details = wire.get(item.id)["properties"]["providerSpecificDetails"]
    assert (details["instanceType"], details["targetNetworkId"]) == ("InMageRcm", str(spare.id))
    (wire_nic,) = details["vmNics"]
    assert {name: value for name, value in wire_nic.items() if value is not None} == {
        "nicId": "nic0",
        "isPrimaryNic": "true",
        "isSelectedForFailover": "true",
        "sourceIPAddress": "10.0.0.4",
        "sourceNetworkId": "VM Network",
        "targetIPAddress": "10.1.0.4",
        "targetIPAddressType": "Static",
        "targetSubnetName": "web",
        "testIPAddressType": "Dynamic",
    }


def test_an_intent_has_azures_shape(wire: Wire) -> None:
    wire.build.vault("Vault", group="Rg")
    machine = wire.build.virtual_machine("Vm", wire.build.virtual_network("Hub", "eastus"))
    details = {"instanceType": "A2A", "fabricObjectId": str(machine.id), "primaryLocation": "eastus"}
    details["recoveryLocation"] = "westus"
    path = f"{VAULT}/replicationProtectionIntents/vm"
    wire.send("PUT", path, body={"properties": {"providerSpecificDetails": details}})
    found = wire.get(path)
    job = found["properties"]["jobId"]
    assert wire.get(job)["properties"]["state"] == "Succeeded"
    assert exactly(found) == exactly(
        {
            "id": f"{WIRE_VAULT}/replicationProtectionIntents/vm",
            "name": "vm",
            "type": "Microsoft.RecoveryServices/vaults/replicationProtectionIntents",
            "properties": {
                "friendlyName": "Vm",
                "jobId": job,
                "jobState": "Succeeded",
                "isActive": True,
                "creationTimeUTC": "2026-01-01T00:00:00.0000000Z",
                "providerSpecificDetails": {
                    "instanceType": "A2A",
                    "fabricObjectId": str(machine.id),
                    "primaryLocation": "eastus",
                    "recoveryLocation": "westus",
                    "recoverySubscriptionId": SUB,
                    "recoveryAvailabilityType": "Single",
                },
            },
        }
    )


ATTACHED = (
    "network security group nsg",
    "route table routes",
    "NAT gateway nat",
    "service endpoint policy p1",
    "service endpoint policy p2",
)


def test_attachments_of_a_subnet_survive_the_round_trip(wire: Wire) -> None:
    subnet = Subnet(name="web", prefixes=("10.0.1.0/24",), attachments=ATTACHED)
    network = wire.build.virtual_network("Hub", "eastus", group="Rg", address_space=["10.0.0.0/16"], subnets=[subnet])
    document = wire.get(network.id)
    properties = document["properties"]["subnets"][0]["properties"]
    assert properties["networkSecurityGroup"] == {
        "id": f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg"
    }
    assert properties["routeTable"]["id"].endswith("/routeTables/routes")
    assert properties["natGateway"]["id"].endswith("/natGateways/nat")
    assert [each["id"].rpartition("/")[2] for each in properties["serviceEndpointPolicies"]] == ["p1", "p2"]
    wire.send("PUT", network.id, body=document)
    assert wire.build.world.virtual_networks.get(network.id).subnets[0].attachments == ATTACHED


def test_attachments_of_a_network_survive_the_round_trip(wire: Wire) -> None:
    body: dict[str, Any] = {
        "location": "eastus",
        "extendedLocation": {"name": "losangeles", "type": "EdgeZone"},
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "dhcpOptions": {"dnsServers": ["10.0.0.4"]},
            "virtualNetworkPeerings": [{"name": "to-spoke", "properties": {}}],
            "ddosProtectionPlan": {"id": f"{GROUP}/providers/Microsoft.Network/ddosProtectionPlans/plan"},
            "enableDdosProtection": True,
            "encryption": {"enabled": True},
            "subnets": [
                {
                    "name": "db",
                    "properties": {
                        "addressPrefixes": ["10.0.1.0/24", "10.0.2.0/24"],
                        "defaultOutboundAccess": False,
                        "serviceEndpoints": [{"service": "Microsoft.Sql"}],
                        "delegations": [{"name": "d", "properties": {"serviceName": "Microsoft.Sql/managedInstances"}}],
                        "privateEndpointNetworkPolicies": "Enabled",
                        "privateLinkServiceNetworkPolicies": "Disabled",
                    },
                }
            ],
        },
    }
    wire.build.resource_group("Rg")
    path = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/Hub"
    assert wire.send("PUT", path, body=body).status == 201
    model = wire.build.world.virtual_networks.list(SUB)[0]
    assert model.attachments == ("peering to-spoke", "DDoS protection plan", "encryption")
    assert (model.extended_location, model.dns_servers) == ("losangeles", ("10.0.0.4",))
    document = wire.get(path)
    properties = document["properties"]
    assert document["extendedLocation"] == {"name": "losangeles", "type": "EdgeZone"}
    assert properties["dhcpOptions"] == {"dnsServers": ["10.0.0.4"]}
    assert properties["enableDdosProtection"] is True
    assert properties["encryption"]["enabled"] is True
    assert properties["virtualNetworkPeerings"][0]["name"] == "to-spoke"
    subnet = properties["subnets"][0]["properties"]
    assert subnet["addressPrefixes"] == ["10.0.1.0/24", "10.0.2.0/24"]
    assert subnet["defaultOutboundAccess"] is False
    assert subnet["serviceEndpoints"] == [
        {"provisioningState": "Succeeded", "service": "Microsoft.Sql", "locations": ["eastus"]}
    ]
    assert subnet["delegations"][0]["properties"]["serviceName"] == "Microsoft.Sql/managedInstances"
    assert (subnet["privateEndpointNetworkPolicies"], subnet["privateLinkServiceNetworkPolicies"]) == (
        "Enabled",
        "Disabled",
    )
    wire.send("PUT", path, body=document)
    assert wire.get(path) == document


def test_throttling_without_a_figure_says_five_seconds(wire: Wire) -> None:
    wire.app.faults.add(Fault(kind="throttle"))
    assert wire.send("GET", "/subscriptions").header("Retry-After") == "5"


def test_an_invalid_address_is_refused(wire: Wire) -> None:
    network = wire.build.virtual_network("Hub", "eastus", subnets={"web": "10.0.1.0/24"}, address_space=["10.0.0.0/16"])
    answer = wire.send("GET", f"{network.id}/CheckIPAddressAvailability", query="ipAddress=ten")
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidIPAddressFormat")
    last = wire.get(f"{network.id}/CheckIPAddressAvailability", query="ipAddress=10.0.1.255")
    assert (last["available"], last["isPlatformReserved"]) == (False, True)


def test_a_path_that_is_too_long_is_refused(wire: Wire) -> None:
    assert wire.send("GET", "/" + "a" * 9000).status == 414


def test_a_refused_request_of_site_recovery_names_its_status_in_words(wire: Wire) -> None:
    vault = wire.build.vault("Vault", group="Rg")
    wire.build.azure_fabric(vault, "eastus", name="E")
    body = {"properties": {"customDetails": {"instanceType": "Azure", "location": "eastus"}}}
    answer = wire.send("PUT", f"{VAULT}/replicationFabrics/Second", body=body)
    assert (answer.status, error_of(answer)["code"]) == (409, "Conflict")
    assert error_of(answer)["details"][0]["code"] == "FabricAlreadyExists"
    assert json.loads(answer.body)["error"]["message"].startswith("The fabric 'E'")


def test_a_gateway_uses_its_own_subnet_only(wire: Wire) -> None:
    subnets = {"GatewaySubnet": "10.0.255.0/27", "web": "10.0.1.0/24"}
    network = wire.build.virtual_network("Hub", "eastus", address_space=["10.0.0.0/16"], subnets=subnets, gateway=True)
    gateway, web = wire.get(network.id)["properties"]["subnets"]
    assert len(gateway["properties"]["ipConfigurations"]) == 1
    assert "ipConfigurations" not in web["properties"]


def test_known_properties_are_not_echoed_a_second_time(wire: Wire) -> None:
    delegation = {"name": "mine", "properties": {"serviceName": "Microsoft.Sql/managedInstances"}}
    subnet = {"name": "db", "properties": {"addressPrefix": "10.0.1.0/24", "delegations": [delegation]}}
    properties = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [subnet]}
    wire.build.resource_group("Rg")
    path = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/Hub"
    wire.send("PUT", path, body={"location": "eastus", "properties": properties})
    (found,) = wire.get(path)["properties"]["subnets"][0]["properties"]["delegations"]
    assert found["id"] == f"{path}/subnets/db/delegations/mine"
    assert found["properties"]["actions"] == []


@pytest.mark.parametrize("parameter", ["t", "c", "s", "h"])
def test_every_part_of_a_signature_is_checked(wire: Wire, parameter: str) -> None:
    fabric = wire.build.azure_fabric(wire.build.vault("Vault", group="Rg"), "eastus")
    url = wire.send("DELETE", fabric.id).header("Azure-AsyncOperation") or ""
    head, _, tail = url.partition(f"&{parameter}=")
    _, ampersand, rest = tail.partition("&")
    assert wire.follow(f"{head}{ampersand}{rest}").status == 200
    assert wire.app.journal.altered == 1


@pytest.mark.parametrize(
    "details",
    [
        {"instanceType": "VMM", "location": "eastus"},
        {"instanceType": "Azure"},
        {"location": ""},
        {"instanceType": "FabricSpecificCreationInput", "location": "eastus"},
    ],
)
def test_only_fabrics_of_azure_with_a_location_can_be_created(wire: Wire, details: dict[str, str]) -> None:
    wire.build.vault("Vault", group="Rg")
    answer = wire.send("PUT", f"{VAULT}/replicationFabrics/New", body={"properties": {"customDetails": details}})
    assert (answer.status, error_of(answer)["details"][0]["code"]) == (400, "InvalidParameter")


def test_an_update_of_a_nic_keeps_what_it_does_not_name(wire: Wire) -> None:
    vault = wire.build.vault("Vault", group="Rg")
    east, west = wire.build.azure_fabric(vault, "eastus"), wire.build.azure_fabric(vault, "westus")
    spare = wire.build.virtual_network("Spare", "westus")
    address = IpConfiguration(subnet="web", recovery_subnet="web", recovery_ip="10.9.0.4")
    nic = Nic(name="nic0", recovery_network_id=spare.id, ip_configurations=(address,))
    item = wire.build.protected_item("vm", east, west, nic)

    (listed,) = wire.get(item.id)["properties"]["providerSpecificDetails"]["vmNics"]

    def patched(**said: object) -> Any:
        configuration = {"ipConfigName": "ipconfig1", **said}
        properties = {"vmNics": [{"nicId": listed["nicId"].upper(), "ipConfigs": [configuration]}]}
        assert wire.send("PATCH", item.id, body={"properties": properties}).status == 202
        (found,) = wire.get(item.id)["properties"]["providerSpecificDetails"]["vmNics"]
        assert found["recoveryVMNetworkId"] == str(spare.id)
        return found["ipConfigs"][0]

    assert patched(recoverySubnetName="db")["recoveryStaticIPAddress"] == "10.9.0.4"
    assert patched(isSeletedForFailover=False)["recoverySubnetName"] == "db"
    emptied = patched(recoveryStaticIPAddress="")
    assert (emptied["recoveryStaticIPAddress"], emptied["isSeletedForFailover"]) == ("", False)


def test_a_job_has_its_tasks_while_it_runs_and_after(wire: Wire) -> None:
    vault = wire.build.vault("Vault", group="Rg")
    wire.build.world.behaviour = structs.replace(wire.build.world.behaviour, operations="time:3")
    east, west = wire.build.azure_fabric(vault, "eastus"), wire.build.azure_fabric(vault, "westus")
    hub, spare = wire.build.virtual_network("Hub", "eastus"), wire.build.virtual_network("Spare", "westus")
    wire.build.mapping(east, hub, west, spare, name="m")
    path = f"{east.id}/replicationNetworks/azureNetwork/replicationNetworkMappings/m"
    url = wire.send("DELETE", path).header("Azure-AsyncOperation") or ""
    job = f"{VAULT}/replicationJobs/{url.partition('?')[0].rpartition('/')[2]}"
    never = "0001-01-01T00:00:00"

    def tasks() -> list[tuple[str, str, str, str]]:
        found = wire.get(job)["properties"]["tasks"]
        return [(each["name"], each["startTime"], each["endTime"], each["stateDescription"]) for each in found]

    start, end = "2026-01-01T00:00:00Z", "2026-01-01T00:00:03Z"
    assert tasks() == [
        ("ModifyVMNetworksUnPairingStatusTask", start, never, "InProgress"),
        ("VMNetworksUpdateVMNicsTaskDetach", never, never, "NotStarted"),
    ]
    wire.build.world.clock.sleep(3)
    assert tasks() == [
        ("ModifyVMNetworksUnPairingStatusTask", start, end, "Completed"),
        ("VMNetworksUpdateVMNicsTaskDetach", never, never, "Skipped"),
    ]


def test_a_failed_job_has_its_error_where_clients_read_it(wire: Wire) -> None:
    vault = wire.build.vault("Vault", group="Rg")
    wire.build.world.faults.add(ServiceFault(effect="operation_fails", method="DELETE", code="539", message="No."))
    url = wire.send("DELETE", wire.build.azure_fabric(vault, "eastus").id).header("Azure-AsyncOperation") or ""
    job = wire.get(f"{VAULT}/replicationJobs/{url.partition('?')[0].rpartition('/')[2]}")["properties"]
    (error,) = job["errors"]
    assert (job["state"], error["serviceErrorDetails"]["code"]) == ("Failed", "539")
    assert error["serviceErrorDetails"]["message"] == "No."
    answer = wire.follow(url.replace("replicationOperationStatus", "replicationFabrics/x/operationresults"))
    assert (answer.status, error_of(answer)["details"][0]["code"]) == (400, "539")
