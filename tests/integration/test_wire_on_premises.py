"""On-premises machines on the wire: sites, protectable machines, and the lifecycle from protection to failback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs
from wire_case import Wire, error_of

from asrnet.emulator.messages import Response
from asrnet.fake.records import ReplicationPolicy
from asrnet.model.azure import IpConfiguration, Nic, Subnet

OVER = {"properties": {"failoverDirection": "PrimaryToRecovery"}}


class OnPremises(Wire):
    """A VMM server with a cloud and a mapped network, and the networks that its machines land on."""

    def __init__(self) -> None:
        super().__init__()
        build = self.build
        self.vault = build.vault("Vault", group="Rg-DR")
        self.server = build.vmm_fabric(self.vault, "vmm.example")
        self.cloud, self.corp = build.cloud(self.server, "Gold"), build.vm_network(self.server, "corp")
        subnets = [Subnet(name="web", prefixes=("10.0.1.0/24",))]
        self.away = build.virtual_network("Away", "westus", address_space=["10.0.0.0/16"], subnets=subnets)
        build.mapping(self.server, self.corp, None, self.away)
        self.policies = {
            provider: self.vault.id.child("replicationPolicies", provider)
            for provider in ("HyperVReplicaAzure", "InMageRcm", "InMageRcmFailback", "A2A")
        }
        build.add(*(ReplicationPolicy(id=policy, provider=kind) for kind, policy in self.policies.items()))

    def do(self, method: str, path: object, body: Any = None) -> None:
        """Send a write whose operation must succeed."""
        answer = self.send(method, path, body=body)
        assert answer.status == 202, answer.body
        status = json.loads(self.follow(answer.header("Azure-AsyncOperation") or "").body)
        assert status["status"] == "Succeeded", status

    def body(self, provider: str, **details: object) -> dict[str, Any]:
        properties = {"policyId": str(self.policies[provider])}
        return {"properties": properties | {"providerSpecificDetails": {"instanceType": provider, **details}}}

    def refusal(self, answer: Response) -> tuple[int, str]:
        detail = error_of(answer)["details"][0]
        assert detail["possibleCauses"]
        assert detail["recommendedAction"]
        return answer.status, detail["code"]


@pytest.fixture
def wire() -> OnPremises:
    return OnPremises()


@pytest.fixture
def plant(wire: OnPremises) -> str:
    """The path of the one container of a site of VMware."""
    fabric = f"{wire.vault.id}/replicationFabrics/plant"
    details = {"instanceType": "InMageRcm", "vmwareSiteId": "/a/site", "physicalSiteId": "/another"}
    wire.do("PUT", fabric, {"properties": {"customDetails": details}})
    (container,) = wire.get(f"{fabric}/replicationProtectionContainers")["value"]
    assert container["properties"]["fabricType"] == "InMageRcm"
    return str(container["id"])


def test_a_site_of_vmware_has_the_details_of_its_appliance(wire: OnPremises, plant: str) -> None:
    details = wire.get(plant.partition("/replicationProtectionContainers")[0])["properties"]["customDetails"]
    assert (details["instanceType"], details["vmwareSiteId"]) == ("InMageRcm", "/a/site")
    assert details["processServers"] == details["dras"] == []


@pytest.mark.parametrize(
    "details", [{"instanceType": "HyperVSite"}, {"instanceType": "FabricSpecificCreationInput"}, {}, None]
)
def test_a_hyper_v_site_is_made_and_found_in_the_list(wire: OnPremises, details: object) -> None:
    """The specification's example and PowerShell name the base type, Terraform the kind."""
    wire.do("PUT", f"{wire.vault.id}/replicationFabrics/branch", {"properties": {"customDetails": details}})
    fabrics = {fabric["name"]: fabric for fabric in wire.get(f"{wire.vault.id}/replicationFabrics")["value"]}
    properties = fabrics["branch"]["properties"]
    assert properties["customDetails"] == {"instanceType": "HyperVSite", "hyperVHosts": []}
    (container,) = wire.get(f"{wire.vault.id}/replicationFabrics/branch/replicationProtectionContainers")["value"]
    assert container["name"] == f"cloud_{properties['internalIdentifier']}"


def test_a_machine_on_premises_is_found_before_it_is_protected(wire: OnPremises) -> None:
    machine = wire.build.source_machine(wire.cloud, "web1", wire.build.nic("nic0", wire.corp, ip="192.168.1.9"))
    path = f"{wire.cloud.id}/replicationProtectableItems"
    (item,) = wire.get(path)["value"]
    properties = item["properties"]
    assert (properties["friendlyName"], properties["protectionStatus"]) == ("web1", "Unprotected")
    assert properties["replicationProtectedItemId"] is None
    assert properties["customDetails"]["osDetails"]["osType"] == "Windows"
    body = wire.body("HyperVReplicaAzure", targetAzureVmName="web1-dr")
    body["properties"]["protectableItemId"] = item["id"]
    item_path = f"{wire.cloud.id}/replicationProtectedItems/{machine.id.name}"
    wire.do("PUT", item_path, body)
    (item,) = wire.get(path)["value"]
    assert item["properties"]["protectionStatus"] == "Protected"
    assert item["properties"]["replicationProtectedItemId"].lower() == item_path.lower()
    (nic,) = wire.get(item_path)["properties"]["providerSpecificDetails"]["vmNics"]
    assert (nic["nicId"], nic["vMNetworkName"], nic["recoveryVMNetworkId"]) == ("nic0", "corp", str(wire.away.id))


def test_a_hyper_v_machine_fails_back_with_its_providers_input(wire: OnPremises) -> None:
    path = f"{wire.cloud.id}/replicationProtectedItems/web1"
    wire.do("PUT", path, wire.body("HyperVReplicaAzure", vmName="web1", targetVmSize="Standard_D2s_v3"))
    details = wire.get(path)["properties"]["providerSpecificDetails"]
    assert (details["recoveryAzureVMSize"], details["rpoInSeconds"]) == ("Standard_D2s_v3", 60)
    wire.do("POST", f"{path}/plannedFailover", OVER)
    wire.do("POST", f"{path}/failoverCommit")
    wire.do("POST", f"{path}/reProtect", {"properties": {"failoverDirection": "RecoveryToPrimary"}})
    back = {"instanceType": "HyperVReplicaAzureFailback", "dataSyncOption": "ForSynchronization"}
    way = {"failoverDirection": "RecoveryToPrimary", "providerSpecificDetails": back}
    wire.do("POST", f"{path}/plannedFailover", {"properties": way})
    wire.do("POST", f"{path}/failoverCommit")
    wire.do("POST", f"{path}/reProtect", {"properties": {"failoverDirection": "PrimaryToRecovery"}})
    home = wire.get(path)["properties"]
    assert (home["activeLocation"], home["protectionState"]) == ("Primary", "Protected")
    assert "ipConfigurations" not in wire.get(wire.away.id)["properties"]["subnets"][0]["properties"]


def test_a_planned_failover_of_a_hyper_v_machine_has_the_specified_states(wire: OnPremises) -> None:
    path = f"{wire.cloud.id}/replicationProtectedItems/web1"
    wire.do("PUT", path, wire.body("HyperVReplicaAzure", vmName="web1"))
    steps: list[tuple[str, str, list[str]]] = []
    for verb, direction in (
        ("plannedFailover", "PrimaryToRecovery"),
        ("failoverCommit", ""),
        ("plannedFailover", "RecoveryToPrimary"),
        ("failoverCommit", ""),
    ):
        wire.do("POST", f"{path}/{verb}", {"properties": {"failoverDirection": direction}} if direction else None)
        item = wire.get(path)["properties"]
        steps.append((item["protectionState"], item["protectionStateDescription"], item["allowedOperations"]))
    pending = ("PlannedFailoverCommitRequired", "Planned failover finished")
    committed = ("PlannedFailoverStatesBegin", "Planned failover committed")
    assert steps == [
        (*pending, ["CompleteMigration", "Commit", "DisableProtection", "ChangePit"]),
        (*committed, ["CompleteMigration", "DisableProtection", "Failback"]),
        (*pending, ["Commit", "ChangePit", "CancelFailover", "DisableProtection"]),
        (*committed, ["ReverseReplicate", "DisableProtection"]),
    ]
    assert wire.refusal(wire.send("POST", f"{path}/plannedFailover", body=OVER)) == (400, "OperationNotAllowed")


def test_a_test_failover_of_a_hyper_v_machine_waits_for_its_cleanup(wire: OnPremises) -> None:
    path = f"{wire.cloud.id}/replicationProtectedItems/web1"
    wire.do("PUT", path, wire.body("HyperVReplicaAzure", vmName="web1"))
    network = {"networkType": "VmNetworkAsInput", "networkId": str(wire.away.id)}
    wire.do("POST", f"{path}/testFailover", {"properties": network})
    item = wire.get(path)["properties"]
    assert item["allowedOperations"] == ["TestFailoverCleanup"]
    assert (item["protectionState"], item["protectionStateDescription"]) == (
        "Protected",
        "Cleanup test failover pending",
    )
    assert (item["testFailoverState"], item["testFailoverStateDescription"]) == (
        "WaitingForCompletion",
        "Waiting for user input",
    )
    job_id = item["currentScenario"]["jobId"]
    assert item["currentScenario"]["scenarioName"] == "TestFailover"

    def job() -> tuple[object, ...]:
        properties = wire.get(job_id)["properties"]
        states = {task["state"] for task in properties["tasks"]}
        return properties["state"], properties["stateDescription"], properties["allowedActions"], states

    assert job() == ("Suspended", "WaitingForStopTestFailover", ["Cancel", "Resume"], {"Succeeded"})
    affected = wire.get(job_id)["properties"]["customDetails"]["affectedObjectDetails"]
    names = ("primaryVmId", "primaryVmName", "primaryFabricProviderId", "recoveryVmmName")
    assert [affected[name] for name in names] == ["web1", "web1", "VMM", "Microsoft Azure"]
    listed = wire.get(f"{wire.vault.id}/replicationJobs", query="$filter=jobStatus%20eq%20'Suspended'")["value"]
    assert [found["id"] for found in listed] == [job_id]
    wire.do("POST", f"{job_id}/resume", {"properties": {"comments": " "}})
    assert job() == ("Succeeded", "Completed", [], {"Succeeded"})
    assert wire.get(path)["properties"]["testFailoverState"] == "None"


def test_a_recovery_plan_names_a_hyper_v_machine_by_its_item(wire: OnPremises) -> None:
    path = f"{wire.cloud.id}/replicationProtectedItems/web1"
    wire.do("PUT", path, wire.body("HyperVReplicaAzure", vmName="web1"))
    plan = f"{wire.vault.id}/replicationRecoveryPlans/all"
    groups = [{"groupType": "Boot", "replicationProtectedItems": [{"id": path}]}]
    properties = {"primaryFabricId": str(wire.server.id), "recoveryFabricId": "Microsoft Azure", "groups": groups}
    wire.do("PUT", plan, {"properties": properties})
    (machine,) = wire.get(plan)["properties"]["groups"][2]["replicationProtectedItems"]
    assert machine["virtualMachineId"] == "web1"


@pytest.mark.parametrize(
    ("instance_type", "answer"),
    [(None, (400, "BadRequest")), ("Foo", (400, "BadRequest")), ("InMage", (501, "NotImplemented"))],
)
def test_an_unknown_provider_is_refused_and_a_known_one_is_not_implemented(
    wire: OnPremises, instance_type: str | None, answer: tuple[int, str]
) -> None:
    body = {"properties": {"providerSpecificDetails": {"instanceType": instance_type}}}
    refused = wire.send("PUT", f"{wire.cloud.id}/replicationProtectedItems/web1", body=body)
    assert (refused.status, error_of(refused)["code"]) == answer


def test_a_recovery_plan_fails_its_machines_back(wire: OnPremises) -> None:
    path = f"{wire.cloud.id}/replicationProtectedItems/web1"
    wire.do("PUT", path, wire.body("HyperVReplicaAzure", vmName="web1"))
    plan = f"{wire.vault.id}/replicationRecoveryPlans/all"
    groups = [{"groupType": "Boot", "replicationProtectedItems": [{"id": path}]}]
    properties = {"primaryFabricId": str(wire.server.id), "recoveryFabricId": "Microsoft Azure", "groups": groups}
    wire.do("PUT", plan, {"properties": properties})
    early = wire.send(
        "POST", f"{plan}/plannedFailover", body={"properties": {"failoverDirection": "RecoveryToPrimary"}}
    )
    assert wire.refusal(early) == (400, "OperationNotAllowed")
    for direction in ("PrimaryToRecovery", "RecoveryToPrimary"):
        wire.do("POST", f"{plan}/plannedFailover", {"properties": {"failoverDirection": direction}})
        wire.do("POST", f"{plan}/failoverCommit")
        wire.do("POST", f"{plan}/reProtect")
    home = wire.get(path)["properties"]
    assert (home["activeLocation"], home["protectionState"]) == ("Primary", "Protected")
    assert "ipConfigurations" not in wire.get(wire.away.id)["properties"]["subnets"][0]["properties"]


def test_a_vmware_machine_changes_its_provider_for_failback(wire: OnPremises, plant: str) -> None:
    path = f"{plant}/replicationProtectedItems/db1"
    group = str(wire.away.id.parent)
    settings = {
        "fabricDiscoveryMachineId": "/site/machines/db1",
        "processServerId": "appliance-1",
        "targetResourceGroupId": group,
        "targetNetworkId": str(wire.away.id),
        "targetSubnetName": "web",
        "targetVmName": "db1",
        "disksDefault": {"diskType": "Premium_LRS", "logStorageAccountId": "/logs"},
    }
    wire.do("PUT", path, wire.body("InMageRcm", **settings))
    item = wire.get(path)["properties"]
    assert (item["primaryFabricProvider"], item["protectedItemType"]) == ("InMageRcmFabric", "")
    assert (item["protectableItemId"], item["recoveryFabricId"]) == (None, "Microsoft Azure")
    assert item["allowedOperations"] == ["UnplannedFailover", "DisableProtection", "TestFailover"]
    details = item["providerSpecificDetails"]
    assert details["fabricDiscoveryMachineId"] == "/site/machines/db1"
    assert details["targetNetworkId"] == str(wire.away.id)
    assert [disk["diskType"] for disk in details["protectedDisks"]] == ["Premium_LRS"]
    wire.do("POST", f"{path}/unplannedFailover", OVER)
    wire.do("POST", f"{path}/failoverCommit")
    agent = {"instanceType": "InMageRcm", "reprotectAgentId": "a", "datastoreName": "d", "logStorageAccountId": "/logs"}
    agent["policyId"] = str(wire.policies["A2A"])
    refused = wire.send("POST", f"{path}/reProtect", body={"properties": {"providerSpecificDetails": agent}})
    assert wire.refusal(refused) == (400, "InvalidParameter")
    agent["policyId"] = str(wire.policies["InMageRcmFailback"])
    wire.do("POST", f"{path}/reProtect", {"properties": {"providerSpecificDetails": agent}})
    away = wire.get(path)["properties"]
    assert (away["activeLocation"], away["policyFriendlyName"]) == ("Recovery", "InMageRcmFailback")
    assert away["providerSpecificDetails"]["instanceType"] == "InMageRcmFailback"
    back = {"instanceType": "InMageRcmFailback", "recoveryPointType": "ApplicationConsistent"}
    way = {"failoverDirection": "RecoveryToPrimary", "providerSpecificDetails": back}
    wire.do("POST", f"{path}/plannedFailover", {"properties": way})
    wire.do("POST", f"{path}/failoverCommit")
    again = {"instanceType": "InMageRcmFailback", "processServerId": "appliance-1"}
    wire.do("POST", f"{path}/reProtect", {"properties": {"providerSpecificDetails": again}})
    home = wire.get(path)["properties"]
    assert (home["activeLocation"], home["providerSpecificDetails"]["instanceType"]) == ("Primary", "InMageRcm")


@pytest.mark.parametrize("provider", ["HyperVReplicaAzure", "InMageRcm"])
def test_a_machine_whose_failback_is_canceled_runs_in_azure_and_can_fail_back(
    wire: OnPremises, plant: str, provider: str
) -> None:
    container = plant if provider == "InMageRcm" else str(wire.cloud.id)
    path = f"{container}/replicationProtectedItems/db1"
    network = {"targetNetworkId": str(wire.away.id), "targetAzureNetworkId": str(wire.away.id)}
    wire.do("PUT", path, wire.body(provider, targetVmName="db1", **network))
    wire.do("POST", f"{path}/unplannedFailover", OVER)
    wire.do("POST", f"{path}/failoverCommit")
    if provider == "InMageRcm":
        wire.do("POST", f"{path}/reProtect", OVER)
    back = {"properties": {"failoverDirection": "RecoveryToPrimary"}}
    wire.do("POST", f"{path}/plannedFailover", back)
    assert wire.get(path)["properties"]["activeLocation"] == "Primary"
    wire.do("POST", f"{path}/failoverCancel")
    assert wire.get(path)["properties"]["activeLocation"] == "Recovery"
    assert wire.get(wire.away.id)["properties"]["subnets"][0]["properties"]["ipConfigurations"]
    wire.do("POST", f"{path}/plannedFailover", back)


def test_a_vmware_machines_nic_is_set_in_the_details_of_its_provider(wire: OnPremises, plant: str) -> None:
    path = f"{plant}/replicationProtectedItems/db1"
    wire.do("PUT", path, wire.body("InMageRcm", targetNetworkId=str(wire.away.id)))
    (nic,) = wire.get(path)["properties"]["providerSpecificDetails"]["vmNics"]
    change = {"nicId": nic["nicId"], "isPrimaryNic": "true", "targetStaticIPAddress": "10.0.1.9"}
    details = {"instanceType": "InMageRcm", "vmNics": [change | {"targetSubnetName": "web"}]}
    wire.do("PATCH", path, {"properties": {"providerSpecificDetails": details}})
    (nic,) = wire.get(path)["properties"]["providerSpecificDetails"]["vmNics"]
    assert (nic["targetIPAddress"], nic["targetSubnetName"], nic["isSelectedForFailover"]) == (
        "10.0.1.9",
        "web",
        "true",
    )


@pytest.mark.parametrize(("provider", "policy"), [("HyperVReplicaAzure", "A2A"), ("InMageRcm", "HyperVReplicaAzure")])
def test_a_policy_of_another_provider_is_refused(wire: OnPremises, plant: str, provider: str, policy: str) -> None:
    container = plant if provider == "InMageRcm" else wire.cloud.id
    body = wire.body(provider)
    body["properties"]["policyId"] = str(wire.policies[policy])
    answer = wire.send("PUT", f"{container}/replicationProtectedItems/m", body=body)
    assert wire.refusal(answer) == (400, "InvalidParameter")


def test_a_container_mapping_takes_no_policy_of_another_provider(wire: OnPremises) -> None:
    path = f"{wire.cloud.id}/replicationProtectionContainerMappings/m"
    properties = {"policyId": str(wire.policies["A2A"]), "targetProtectionContainerId": "Microsoft Azure"}
    assert wire.refusal(wire.send("PUT", path, body={"properties": properties})) == (400, "InvalidParameter")
    properties["policyId"] = str(wire.policies["HyperVReplicaAzure"])
    wire.do("PUT", path, {"properties": properties})


def test_a_container_mapping_of_vmware_says_how_its_agents_are_updated(wire: OnPremises, plant: str) -> None:
    path = f"{plant}/replicationProtectionContainerMappings/m"
    details = {"instanceType": "InMageRcm", "enableAgentAutoUpgrade": "true"}
    properties = {"policyId": str(wire.policies["InMageRcm"]), "targetProtectionContainerId": "Microsoft Azure"}
    wire.do("PUT", path, {"properties": {**properties, "providerSpecificInput": details}})
    shown = wire.get(path)["properties"]
    assert (shown["providerSpecificDetails"], shown["targetFabricFriendlyName"]) == (details, "Microsoft Azure")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_settings_of_another_provider_are_refused_for_a_container_mapping(
    wire: OnPremises, plant: str, method: str
) -> None:
    path = f"{plant}/replicationProtectionContainerMappings/m"
    wire.do("PUT", path, {"properties": {"targetProtectionContainerId": "Microsoft Azure"}})
    body = {"targetProtectionContainerId": "Microsoft Azure", "providerSpecificInput": {"instanceType": "A2A"}}
    assert wire.refusal(wire.send(method, path, body={"properties": body})) == (400, "InvalidParameter")


def test_a_container_of_another_providers_kind_is_refused(wire: OnPremises) -> None:
    fabric = wire.build.azure_fabric(wire.vault, "westus")
    body = {"properties": {"providerSpecificInput": [{"instanceType": "InMageRcm"}]}}
    answer = wire.send("PUT", f"{fabric.id}/replicationProtectionContainers/new", body=body)
    assert wire.refusal(answer) == (400, "InvalidParameter")


@pytest.mark.parametrize("provider", ["InMageRcm", "A2A"])
def test_a_cloud_protects_no_machines_of_another_kind(wire: OnPremises, provider: str) -> None:
    target = wire.build.container(wire.build.azure_fabric(wire.vault, "westus"))
    machine = wire.build.virtual_machine("vm", wire.away)
    body = wire.body(provider, fabricObjectId=str(machine.id), recoveryContainerId=str(target.id))
    answer = wire.send("PUT", f"{wire.cloud.id}/replicationProtectedItems/vm", body=body)
    assert wire.refusal(answer) == (400, "InvalidParameter")


@pytest.mark.parametrize("verb", ["plannedFailover", "reProtect", "failoverCommit", "applyRecoveryPoint"])
def test_actions_that_the_state_of_an_on_premises_machine_does_not_allow_are_refused(
    wire: OnPremises, plant: str, verb: str
) -> None:
    path = f"{plant}/replicationProtectedItems/db1"
    wire.do("PUT", path, wire.body("InMageRcm", targetNetworkId=str(wire.away.id)))
    (point,) = wire.get(f"{path}/recoveryPoints")["value"]
    answer = wire.send("POST", f"{path}/{verb}", body={"properties": {"recoveryPointId": point["id"]}})
    assert wire.refusal(answer) == (400, "OperationNotAllowed")


def test_a_machine_of_vmware_lands_by_the_settings_of_its_nic(wire: OnPremises) -> None:
    site = wire.build.site(wire.vault, "works", "InMageRcm")
    address = IpConfiguration(ip="192.168.1.9", recovery_subnet="web", recovery_ip="10.0.1.77")
    nic = Nic(name="4000", primary_network="VM Network", ip_configurations=(address,))
    item = wire.build.protected_item(
        "db2",
        site,
        None,
        nic,
        cloud=wire.build.cloud(site, "c"),
        provider="InMageRcm",
        recovery_network_id=wire.away.id,
    )
    wire.build.world.behaviour = structs.replace(wire.build.world.behaviour, operations="immediate")
    wire.do("POST", f"{item.id}/unplannedFailover", OVER)
    assert wire.build.world.virtual_networks.get(wire.away.id).subnets[0].used_ips == ("10.0.1.77",)


def test_a_vmware_machine_is_tested_on_the_network_in_its_providers_input(wire: OnPremises, plant: str) -> None:
    path = f"{plant}/replicationProtectedItems/web1"
    wire.do("PUT", path, wire.body("InMageRcm", targetNetworkId=str(wire.away.id)))
    details = {"instanceType": "InMageRcm", "networkId": str(wire.away.id)}
    wire.do("POST", f"{path}/testFailover", {"properties": {"providerSpecificDetails": details}})
    assert wire.get(path)["properties"]["testFailoverState"] == "WaitingForCompletion"
