"""Site Recovery on the wire: status, headers, key order, nulls and casing, as recorded."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from msgspec import structs
from wire_case import Wire, error_of, exactly

from asrnet.fake.behaviour import Answer
from asrnet.fake.faults import Fault
from asrnet.fake.records import VaultResource
from asrnet.model.azure import Fabric, IpConfiguration, Nic, VirtualNetwork

SUB = "11111111-1111-1111-1111-111111111111"
VAULT_ID = f"/Subscriptions/{SUB}/resourceGroups/Rg-DR/providers/Microsoft.RecoveryServices/vaults/Vault-DR"


class Site(Wire):
    """Two Azure fabrics and two networks, all with capitals in their names."""

    vault: VaultResource
    east: Fabric
    west: Fabric
    hub: VirtualNetwork
    spare: VirtualNetwork

    def __init__(self) -> None:
        super().__init__()
        build = self.build
        self.vault = build.vault("Vault-DR", group="Rg-DR")
        self.east = build.azure_fabric(self.vault, "eastus2", name="Fabric-East")
        self.west = build.azure_fabric(self.vault, "westeurope", name="Fabric-West")
        self.hub = build.virtual_network("Hub-VNet", "eastus2", group="Rg-Hub")
        self.spare = build.virtual_network("Spare-VNet", "westeurope", group="Rg-Spare")

    @property
    def mapping(self) -> str:
        return f"{self.east.id}/replicationNetworks/azureNetwork/replicationNetworkMappings/Hub-To-Spare"

    def map(self, **properties: object) -> dict[str, object]:
        details = {"instanceType": "AzureToAzure", "primaryNetworkId": str(self.hub.id)}
        wanted = {"recoveryNetworkId": str(self.spare.id), "recoveryFabricName": "Fabric-West"}
        return {"properties": {**wanted, "fabricSpecificDetails": details, **properties}}


@pytest.fixture
def site() -> Site:
    return Site()


def test_an_azure_mapping_comes_back_in_lower_case_with_its_settings_under_another_name(site: Site) -> None:
    site.send("PUT", site.mapping, body=site.map())
    expected = {
        "type": "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings",
        "id": f"{VAULT_ID}/replicationFabrics/Fabric-East/replicationNetworks/azureNetwork/replicationNetworkMappings"
        "/Hub-To-Spare",
        "name": "Hub-To-Spare",
        "properties": {
            "state": "Paired",
            "primaryNetworkFriendlyName": "hub-vnet",
            "primaryNetworkId": f"/subscriptions/{SUB}/resourcegroups/rg-hub/providers/microsoft.network"
            "/virtualnetworks/hub-vnet",
            "primaryFabricFriendlyName": "East US 2",
            "recoveryNetworkFriendlyName": "spare-vnet",
            "recoveryNetworkId": f"/subscriptions/{SUB}/resourcegroups/rg-spare/providers/microsoft.network"
            "/virtualnetworks/spare-vnet",
            "recoveryFabricArmId": f"{VAULT_ID}/replicationFabrics/Fabric-West",
            "recoveryFabricFriendlyName": "West Europe",
            "fabricSpecificSettings": {
                "instanceType": "AzureToAzure",
                "primaryFabricLocation": "eastus2",
                "recoveryFabricLocation": "westeurope",
            },
        },
    }
    assert exactly(site.get(site.mapping)) == exactly(expected)
    assert exactly(site.get(f"{site.vault.id}/replicationNetworkMappings")) == exactly(
        {"value": [expected], "nextLink": None}
    )


def test_a_write_is_accepted_without_a_body_and_with_both_addresses(site: Site) -> None:
    answer = site.send("PUT", site.mapping, body=site.map())
    status_url, result_url = answer.header("Azure-AsyncOperation") or "", answer.header("Location") or ""
    assert (answer.status, answer.body, answer.header("Content-Length")) == (202, b"", "0")
    assert answer.header("Content-Type") is None
    assert answer.header("Retry-After") == "30"
    host = "https://management.azure.com"
    assert status_url.startswith(f"{host}{VAULT_ID}/replicationOperationStatus/")
    assert f"{VAULT_ID}/replicationFabrics/Fabric-East/replicationNetworks/azureNetwork" in result_url
    assert "/operationresults/" in result_url
    assert "?api-version=2022-08-01&t=2026-01-01T00%3a00%3a00&c=" in status_url
    assert 2500 < len(status_url) < 4096


def test_every_answer_has_the_headers_of_the_platform(site: Site) -> None:
    answer = site.send("DELETE", f"{site.east.id}")
    assert answer.header("Cache-Control") == "no-cache"
    assert answer.header("Pragma") == "no-cache"
    assert answer.header("Expires") == "-1"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Strict-Transport-Security") == "max-age=31536000; includeSubDomains"
    assert answer.header("x-ms-client-request-id") == "4f0c0000-0000-0000-0000-00000000c11e"
    assert answer.header("x-ms-ratelimit-remaining-subscription-deletes") == "14999"
    correlation_id = answer.header("x-ms-correlation-request-id")
    assert answer.header("x-ms-routing-request-id") == f"LOOPBACK:20260101T000000Z:{correlation_id}"
    assert answer.header("x-ms-request-id") == "4f0c0000-0000-0000-0000-00000000c11e 1/1/2026 12:00:00 AM"


def test_a_running_operation_shows_every_key_with_nulls(site: Site) -> None:
    site.build.world.behaviour = structs.replace(site.build.world.behaviour, operations="manual:2")
    url = site.send("PUT", site.mapping, body=site.map()).header("Azure-AsyncOperation") or ""
    name = url.partition("?")[0].rpartition("/")[2]
    running = {
        "error": None,
        "id": None,
        "name": name,
        "properties": None,
        "status": "InProgress",
        "startTime": "2026-01-01T00:00:00.0000000Z",
        "endTime": None,
        "percentComplete": None,
    }
    assert exactly(json.loads(site.follow(url).body)) == exactly(running)
    done = running | {"status": "Succeeded", "endTime": "2026-01-01T00:00:00.0000000Z"}
    assert exactly(json.loads(site.follow(url).body)) == exactly(done)


def test_an_operation_of_another_vault_is_not_found(site: Site) -> None:
    other = site.build.vault("Vault-Other", group="Rg-DR")
    site.build.azure_fabric(other, "eastus2")
    url = site.send("PUT", site.mapping, body=site.map()).header("Azure-AsyncOperation") or ""
    assert site.follow(url).status == 200
    elsewhere = site.follow(url.replace("/Vault-DR/", "/Vault-Other/"))
    assert (elsewhere.status, error_of(elsewhere)["details"][0]["code"]) == (404, "ArmResourceDoesNotExist")


def test_a_refusal_text_of_the_world_may_contain_braces(site: Site) -> None:
    answer = Answer(message="{0} {9} {name} {")
    site.build.world.behaviour = structs.replace(site.build.world.behaviour, answers={"network_missing": answer})
    refused = site.send("PUT", site.mapping, body=site.map(recoveryNetworkId=f"{site.spare.id}-gone"))
    assert (refused.status, error_of(refused)["message"]) == (400, f"{site.spare.id}-gone {{9}} {{name}} {{")


def test_an_operation_ends_in_whole_seconds_even_before_it_began(site: Site) -> None:
    site.build.world.clock.sleep(0.75)
    url = site.send("PUT", site.mapping, body=site.map()).header("Azure-AsyncOperation") or ""
    status = json.loads(site.follow(url).body)
    assert (status["startTime"], status["endTime"]) == ("2026-01-01T00:00:00.7500000Z", "2026-01-01T00:00:00.0000000Z")


def test_the_result_is_202_until_the_end_and_then_the_resource(site: Site) -> None:
    site.build.world.behaviour = structs.replace(site.build.world.behaviour, operations="manual:2")
    url = site.send("PATCH", site.mapping, body=site.map()).header("Location")
    assert url is None  # nothing to patch yet
    url = site.send("PUT", site.mapping, body=site.map()).header("Location") or ""
    first, second = site.follow(url), site.follow(url)
    assert (first.status, first.body, first.header("Retry-After")) == (202, b"", "30")
    assert (second.status, json.loads(second.body)["name"]) == (200, "Hub-To-Spare")


def test_the_result_of_a_removal_is_204(site: Site) -> None:
    url = site.send("POST", f"{site.east.id}/remove").header("Location") or ""
    answer = site.follow(url)
    assert (answer.status, answer.body) == (204, b"")
    assert "/Fabric-East/operationresults/" in url


def test_the_job_of_an_operation_has_its_name(site: Site) -> None:
    url = site.send("PUT", site.mapping, body=site.map()).header("Azure-AsyncOperation") or ""
    name = url.partition("?")[0].rpartition("/")[2]
    answer = site.send("GET", f"{site.vault.id}/replicationJobs/{name}")
    job = json.loads(answer.body)
    assert list(job) == ["id", "name", "type", "properties"]
    assert answer.header("x-ms-request-id") == job["id"] == f"{VAULT_ID}/replicationJobs/{name}"
    properties = job["properties"]
    assert properties["activityId"].startswith("4f0c0000-0000-0000-0000-00000000c11e ActivityId: ")
    assert (properties["scenarioName"], properties["friendlyName"]) == ("NetworkPairing", "Map Networks")
    assert (properties["state"], properties["stateDescription"]) == ("Succeeded", "Completed")
    assert properties["endTime"] == "2026-01-01T00:00:00Z"
    assert [task["name"] for task in properties["tasks"]] == [
        "ModifyVMNetworksPairingStatusTask",
        "VMNetworksUpdateVMNicsTask",
    ]
    assert [task["stateDescription"] for task in properties["tasks"]] == ["Completed", "Skipped"]
    assert properties["tasks"][1]["startTime"] == "0001-01-01T00:00:00"
    assert properties["customDetails"]["affectedObjectDetails"]["recoveryVmmName"] == "West Europe"


def test_lists_of_jobs_leave_out_tasks_activity_and_details(site: Site) -> None:
    site.send("PUT", site.mapping, body=site.map())
    (job,) = site.get(f"{site.vault.id}/replicationJobs")["value"]
    assert (job["properties"]["tasks"], job["properties"]["activityId"]) == ([], None)
    assert job["properties"]["customDetails"] is None


def test_a_running_job_has_no_end_and_can_be_canceled(site: Site) -> None:
    site.build.world.behaviour = structs.replace(site.build.world.behaviour, operations="time:3")
    site.send("DELETE", f"{site.west.id}")
    (job,) = site.get(f"{site.vault.id}/replicationJobs")["value"]
    assert "endTime" not in job["properties"]
    assert job["properties"]["allowedActions"] == ["Cancel"]


def test_jobs_are_filtered_by_start_and_state(site: Site) -> None:
    site.send("PUT", site.mapping, body=site.map())
    jobs = f"{site.vault.id}/replicationJobs"
    late = "$filter=startTime%20eq%20%272026-01-02T00:00:00Z%27"
    early = "$filter=startTime eq '2026-01-01T00:00:00Z' and jobStatus eq 'Succeeded'"
    assert site.get(jobs, query=late)["value"] == []
    assert len(site.get(jobs, query=early)["value"]) == 1
    assert site.get(jobs, query="$filter=jobStatus eq 'InProgress'")["value"] == []
    assert site.send("GET", jobs, query="$filter=colour eq 'red'").status == 400


def test_a_fabric_has_its_name_before_type_and_id(site: Site) -> None:
    expected = {
        "name": "Fabric-East",
        "type": "Microsoft.RecoveryServices/vaults/replicationFabrics",
        "id": f"{VAULT_ID}/replicationFabrics/Fabric-East",
        "properties": {
            "friendlyName": "East US 2",
            "encryptionDetails": {"kekState": "None", "kekCertThumbprint": None},
            "rolloverEncryptionDetails": {"kekState": "None", "kekCertThumbprint": None},
            "internalIdentifier": site.get(site.east.id)["properties"]["internalIdentifier"],
            "bcdrState": "Valid",
            "customDetails": {"instanceType": "Azure", "location": "eastus2", "containerIds": [], "zones": []},
            "healthErrorDetails": [],
            "health": "Normal",
        },
    }
    assert exactly(site.get(site.east.id)) == exactly(expected)


def test_a_fabric_names_its_containers_by_guid(site: Site) -> None:
    site.send("PUT", f"{site.east.id}/replicationProtectionContainers/Box", body={"properties": {}})
    (container,) = site.get(site.east.id)["properties"]["customDetails"]["containerIds"]
    parent, _, name = container.rpartition("/")
    assert parent == f"{VAULT_ID}/replicationFabrics/Fabric-East/replicationProtectionContainers"
    assert str(UUID(name)) == name


def test_lists_of_fabrics_leave_containers_and_zones_out(site: Site) -> None:
    site.build.container(site.east)
    first, _ = site.get(f"{site.vault.id}/replicationFabrics")["value"]
    assert exactly(first["properties"]["customDetails"]) == exactly(
        {"instanceType": "Azure", "location": site.east.location, "containerIds": None}
    )


def test_site_recovery_names_its_server_and_sends_vary_accept_encoding(site: Site) -> None:
    read, written = site.send("GET", site.east.id), site.send("DELETE", site.east.id)
    assert (read.header("Server"), read.header("Vary")) == ("Kestrel", "Accept-Encoding")
    assert (written.header("Server"), written.header("Vary")) == ("Kestrel", None)


def test_creating_a_fabric_is_accepted_and_makes_it(site: Site) -> None:
    new = f"{site.vault.id}/replicationFabrics/North"
    body = {"properties": {"customDetails": {"instanceType": "Azure", "location": "North Europe"}}}
    assert site.send("PUT", new, body=body).status == 202
    assert site.get(new)["properties"]["customDetails"]["location"] == "northeurope"


def test_a_container_has_null_for_what_is_not_set(site: Site) -> None:
    box = f"{site.east.id}/replicationProtectionContainers/Box"
    site.send("PUT", box, body={"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}})
    expected = {
        "id": f"{VAULT_ID}/replicationFabrics/Fabric-East/replicationProtectionContainers/Box",
        "name": "Box",
        "type": "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers",
        "properties": {
            "fabricFriendlyName": "East US 2",
            "friendlyName": "Box",
            "fabricType": "Azure",
            "protectedItemCount": 0,
            "pairingStatus": "NotPaired",
            "role": "",
            "fabricSpecificDetails": None,
        },
    }
    assert exactly(site.get(box)) == exactly(expected)


def test_an_azure_mapping_is_found_under_any_network_segment(site: Site) -> None:
    by_name = site.mapping.replace("azureNetwork", "Hub-VNet")
    answer = site.send("PUT", by_name, body=site.map())
    assert "/replicationNetworks/Hub-VNet/" in (answer.header("Location") or "")
    assert site.get(by_name)["id"] == site.get(site.mapping)["id"]
    assert "/replicationNetworks/azureNetwork/" in site.get(by_name)["id"]
    listed = site.get(f"{site.east.id}/replicationNetworks/anything/replicationNetworkMappings")
    assert [each["name"] for each in listed["value"]] == ["Hub-To-Spare"]


def test_a_whole_document_can_be_sent_back_with_the_members_of_a_request(site: Site) -> None:
    site.send("PUT", site.mapping, body=site.map())
    known = site.get(site.mapping)["properties"]
    wanted = site.map()["properties"]
    assert isinstance(wanted, dict)
    assert site.send("PUT", site.mapping, body={"properties": known | wanted, "id": "x"}).status == 202


def test_a_mapping_without_its_recovery_fabric_is_refused_as_recorded(site: Site) -> None:
    answer = site.send("PUT", site.mapping, body=site.map(recoveryFabricName=None))
    assert answer.status == 400
    assert error_of(answer)["code"] == "BadRequest"
    assert error_of(answer)["details"][0]["code"] == "UnhandledException"


def test_an_error_of_site_recovery_has_its_own_code_in_a_detail(site: Site) -> None:
    answer = site.send("GET", site.mapping)
    message = "Specified resource with name 'Hub-To-Spare' does not exist."
    detail = {
        "code": "ArmResourceDoesNotExist",
        "message": message,
        "possibleCauses": "Ensure correct resource name was specified.",
        "recommendedAction": "Verify ARM resource name details.",
        "clientRequestId": "4f0c0000-0000-0000-0000-00000000c11e",
        "activityId": answer.header("x-ms-correlation-request-id"),
    }
    assert answer.status == 404
    assert exactly(error_of(answer)) == exactly({"code": "NotFound", "message": message, "details": [detail]})


def test_a_missing_mapping_can_be_a_400(site: Site) -> None:
    site.build.world.behaviour = structs.replace(site.build.world.behaviour, missing_mapping=400)
    answer = site.send("GET", site.mapping)
    assert (answer.status, error_of(answer)["code"]) == (400, "BadRequest")


def test_a_missing_fabric_has_its_own_error(site: Site) -> None:
    answer = site.send("GET", f"{site.vault.id}/replicationFabrics/nowhere")
    assert (answer.status, error_of(answer)["details"][0]["code"]) == (404, "FabricArmEntityMissing")
    assert error_of(answer)["details"][0]["recommendedAction"] == "Retry the operation with a valid site."


def test_a_new_vault_has_empty_lists_and_no_fabric(site: Site) -> None:
    fresh = site.build.vault("fresh")
    for kind in ("replicationFabrics", "replicationNetworks", "replicationNetworkMappings", "replicationJobs"):
        answer = site.send("GET", f"{fresh.id}/{kind}")
        assert (answer.status, json.loads(answer.body)) == (200, {"value": [], "nextLink": None})
    answer = site.send("GET", f"{fresh.id}/replicationFabrics/f")
    assert (answer.status, error_of(answer)["details"][0]["code"]) == (404, "FabricArmEntityMissing")


def test_an_unused_vault_is_a_400_where_the_world_says_so(site: Site) -> None:
    site.build.world.behaviour = structs.replace(site.build.world.behaviour, unused_vault="reject_400")
    fresh = site.build.vault("fresh")
    answer = site.send("GET", f"{fresh.id}/replicationFabrics")
    assert answer.status == 400
    assert error_of(answer)["details"][0]["code"] == "SubscriptionIdNotRegisteredWithSrs"


def test_a_missing_vault_is_the_gateways_404(site: Site) -> None:
    answer = site.send("GET", f"{site.vault.id.parent}/providers/Microsoft.RecoveryServices/vaults/gone")
    assert answer.status == 404
    assert list(error_of(answer)) == ["code", "message"]
    assert error_of(answer)["code"] == "ResourceNotFound"
    assert answer.header("x-ms-failure-cause") == "gateway"


def test_a_patch_can_be_refused_with_405(site: Site) -> None:
    site.send("PUT", site.mapping, body=site.map())
    site.build.world.behaviour = structs.replace(site.build.world.behaviour, patch="reject_405")
    assert site.send("PATCH", site.mapping, body=site.map()).status == 405


def test_deleting_a_missing_mapping_has_no_content(site: Site) -> None:
    answer = site.send("DELETE", site.mapping)
    assert (answer.status, answer.body, answer.header("Azure-AsyncOperation")) == (204, b"", None)
    assert answer.header("Content-Length") is None


def test_a_failed_operation_has_a_number_for_a_code(site: Site) -> None:
    site.build.world.faults.add(Fault(effect="operation_fails", method="PUT", code="28020", message="It failed."))
    url = site.send("PUT", site.mapping, body=site.map()).header("Azure-AsyncOperation") or ""
    status = json.loads(site.follow(url).body)
    assert status["status"] == "Failed"
    assert status["error"] == {"code": "28020", "message": "It failed.", "details": None}


def test_a_warning_comes_with_success(site: Site) -> None:
    site.build.world.faults.add(Fault(effect="operation_warns", method="PUT", code="28061", message="Unavailable."))
    url = site.send("PUT", site.mapping, body=site.map()).header("Azure-AsyncOperation") or ""
    status = json.loads(site.follow(url).body)
    assert (status["status"], status["error"]["code"]) == ("Succeeded", "28061")


def test_a_protected_item_says_where_its_nics_land(site: Site) -> None:
    address = IpConfiguration(subnet="web", ip="10.0.1.4", ip_type="Dynamic", recovery_subnet="web")
    nic = Nic(
        name="nic0",
        primary_network_id=site.hub.id,
        recovery_network_id=site.spare.id,
        ip_configurations=(address,),
    )
    item = site.build.protected_item("Vm-1", site.east, site.west, nic)
    document = site.get(item.id)
    (listed,) = site.get(f"{site.vault.id}/replicationProtectedItems")["value"]
    assert document == listed
    details = document["properties"]["providerSpecificDetails"]
    assert details["instanceType"] == "A2A"
    (wire_nic,) = details["vmNics"]
    assert wire_nic["vMNetworkName"] == str(site.hub.id)
    assert wire_nic["recoveryVMNetworkId"] == str(site.spare.id)
    (configuration,) = wire_nic["ipConfigs"]
    assert configuration["isSeletedForFailover"] is True
    assert (configuration["recoveryStaticIPAddress"], configuration["recoveryIPAddressType"]) == ("", "Dynamic")


def test_vmm_networks_and_mappings_keep_their_case(site: Site) -> None:
    server = site.build.vmm_fabric(site.vault, "VMM-One.example")
    corp = site.build.vm_network(server, "Corp")
    network = f"{server.id}/replicationNetworks/{corp.id.name}"
    mapping = f"{network}/replicationNetworkMappings/Corp-To-Hub"
    body = {
        "properties": {"recoveryNetworkId": str(site.hub.id), "fabricSpecificDetails": {"instanceType": "VmmToAzure"}}
    }
    assert site.send("PUT", mapping, body=body).status == 202
    properties = site.get(mapping)["properties"]
    assert properties["primaryNetworkId"] == network.replace("/subscriptions/", "/Subscriptions/")
    assert properties["primaryNetworkFriendlyName"] == "Corp"
    assert properties["primaryFabricFriendlyName"] == "VMM-One.example"
    assert properties["recoveryNetworkId"] == str(site.hub.id)
    assert properties["recoveryNetworkFriendlyName"] == "Hub-VNet"
    assert properties["recoveryFabricFriendlyName"] == "Microsoft Azure"
    assert properties["recoveryFabricArmId"].endswith(
        "/replicationFabrics/d49858f157601230a6ac5862fbbc6e63bf38d23ecd96cf953767945d457fe9d5"
    )
    assert properties["fabricSpecificSettings"] == {"instanceType": "VmmToAzure"}
    assert exactly(site.get(network)["properties"]) == exactly(
        {"fabricType": "VMM", "subnets": [], "friendlyName": "Corp", "networkType": "NoIsolation"}
    )
    fabrics = [each["name"] for each in site.get(f"{site.vault.id}/replicationFabrics")["value"]]
    assert fabrics == ["Fabric-East", "Fabric-West", server.name]


def test_a_vmm_fabric_keeps_a_key_and_logical_networks(site: Site) -> None:
    server = site.build.vmm_fabric(site.vault, "VMM-One.example")
    logical = site.build.logical_network(server, "Backbone")
    properties = site.get(server.id)["properties"]
    assert (properties["friendlyName"], properties["customDetails"]) == ("VMM-One.example", {"instanceType": "VMM"})
    assert properties["encryptionDetails"]["kekState"] == "Enabled"
    assert len(properties["encryptionDetails"]["kekCertThumbprint"]) == 40
    assert properties["rolloverEncryptionDetails"] == {"kekState": "None", "kekCertThumbprint": None}
    (listed,) = site.get(f"{server.id}/replicationLogicalNetworks")["value"]
    assert listed == site.get(logical.id)
    assert list(listed) == ["type", "id", "name", "properties"]
    assert listed["properties"]["logicalNetworkDefinitionsStatus"] == "LogicalNetworkDefinitionsNotIsolated"


def test_container_mappings_say_which_cloud_protects_which(site: Site) -> None:
    server = site.build.vmm_fabric(site.vault, "VMM-One.example")
    gold, silver = site.build.cloud(server, "Gold"), site.build.cloud(server, "Silver")
    mapping = site.build.cloud_mapping(gold, silver)
    properties = site.get(str(mapping.id).replace(" ", "%20"))["properties"]
    assert properties["sourceProtectionContainerFriendlyName"] == "Gold"
    assert properties["targetProtectionContainerFriendlyName"] == "Silver"
    assert properties["targetProtectionContainerId"].startswith("/Subscriptions/")
    assert site.get(gold.id)["properties"]["pairingStatus"] == "Paired"
    assert site.get(gold.id)["properties"]["fabricType"] == "VMM"


def test_a_world_with_any_container_mapping_can_be_saved_and_loaded(site: Site) -> None:
    container, other = site.build.container(site.east).id, site.build.container(site.west).id
    mapping = container.child("replicationProtectionContainerMappings", "pair")

    def put(target: object) -> int:
        return site.send("PUT", mapping, body={"properties": {"targetProtectionContainerId": str(target)}}).status

    missing = f"{other}-missing"
    assert [put(target) for target in (site.vault.id, site.east.id, missing, other)] == [404, 404, 404, 202]
    assert site.send("POST", f"{other}/remove").status == 202
    assert site.get(f"{site.vault.id}/replicationProtectionContainerMappings")["value"] == []
    state = site.send("GET", "/_asrnet/state")
    assert site.send("PUT", "/_asrnet/state", raw=state.body).status == 204
