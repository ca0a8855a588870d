"""A machine's lifecycle on the wire, as recorded: protected, tested, failed over, re-protected, failed back."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs
from wire_case import Wire, error_of

from asrnet.emulator.messages import Response
from asrnet.fake.faults import Fault
from asrnet.fake.records import ReplicationPolicy
from asrnet.model.azure import Subnet

FAILOVER = {
    "properties": {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": {"instanceType": "A2A"}}
}


class Life(Wire):
    """Two regions, mapped both ways, and a machine in the first. Operations take 3 s, stages of replication 60 s."""

    def __init__(self) -> None:
        super().__init__()
        build = self.build
        self.vault = build.vault("Vault", group="Rg-DR")
        east, west = (build.azure_fabric(self.vault, place, name=place) for place in ("eastus", "westus"))
        self.east, self.west = build.container(east), build.container(west)
        self.policy = self.vault.id.child("replicationPolicies", "Daily")
        build.add(ReplicationPolicy(id=self.policy))
        subnets = [Subnet(name="web", prefixes=("10.0.1.0/24",))]
        self.home = build.virtual_network("Home", "eastus", address_space=["10.0.0.0/16"], subnets=subnets)
        self.away = build.virtual_network("Away", "westus", address_space=["10.0.0.0/16"], subnets=subnets)
        build.pair(east, self.home, west, self.away)
        self.machine = build.virtual_machine("Vm1", self.home, subnet="web", ip="10.0.1.4")
        self.east_item = f"{self.east.id}/replicationProtectedItems/Vm1"
        self.west_item = f"{self.west.id}/replicationProtectedItems/Vm1"
        behaviour = structs.replace(build.world.behaviour, operations="time:3", replication="time:60")
        build.world.behaviour = behaviour

    def do(self, method: str, path: object, body: Any = None) -> Response:
        """Send a write that must be accepted, and let its operation end."""
        answer = self.send(method, path, body=body)
        assert answer.status == 202, answer.body
        self.build.world.clock.sleep(3)
        status = json.loads(self.follow(answer.header("Azure-AsyncOperation") or "").body)
        assert status["status"] == "Succeeded", status
        return answer

    def enable(self) -> None:
        disk = f"{self.machine.id.parent}/providers/Microsoft.Compute/disks/Vm1-Os"
        details = {
            "instanceType": "A2A",
            "fabricObjectId": str(self.machine.id),
            "recoveryContainerId": str(self.west.id),
            "recoveryResourceGroupId": str(self.away.id.parent),
            "vmManagedDisks": [{"diskId": disk, "recoveryResourceGroupId": str(self.away.id.parent)}],
        }
        properties = {"policyId": str(self.policy), "providerSpecificDetails": details}
        self.do("PUT", self.east_item, {"properties": properties})

    def replicate(self) -> None:
        self.build.world.clock.sleep(120)

    def protect(self) -> None:
        self.enable()
        self.replicate()

    def fail_over(self, item: str) -> None:
        self.do("POST", f"{item}/unplannedFailover", FAILOVER)
        self.do("POST", f"{item}/failoverCommit")

    def switch(self, container: object, target: object, **more: object) -> Response:
        details = {"instanceType": "A2A", "recoveryContainerId": str(target), "policyId": str(self.policy), **more}
        properties = {"replicationProtectedItemName": "Vm1", "providerSpecificDetails": details}
        return self.do("POST", f"{container}/switchprotection", {"properties": properties})

    def item(self, path: str) -> Any:
        return self.get(path)["properties"]

    def refusal(self, answer: Response) -> tuple[int, str]:
        return answer.status, error_of(answer)["details"][0]["code"]


@pytest.fixture
def life() -> Life:
    return Life()


def test_a_machine_shows_its_tags_once_it_shows_its_nics_and_keeps_them_over_a_failover(life: Life) -> None:
    def tags(path: str) -> Any:
        return life.get(path)["properties"]["providerSpecificDetails"]["vmSyncedConfigDetails"]["tags"]

    life.build.add(structs.replace(life.machine, tags={"owner": "payments"}))
    life.enable()
    assert tags(life.east_item) == {}
    life.build.world.clock.sleep(120)
    assert tags(life.east_item) == {"owner": "payments"}
    life.fail_over(life.east_item)
    life.switch(life.east.id, life.east.id)
    assert tags(life.west_item) == {"owner": "payments"}


def test_the_put_that_az_sends_to_update_a_protected_machine_does_not_replicate_it_again(life: Life) -> None:
    life.protect()
    before = life.get(life.east_item)
    details = before["properties"]["providerSpecificDetails"] | {
        "recoveryContainerId": str(life.west.id),
        "recoveryResourceGroupId": str(life.away.id.parent),
        "vmManagedDisks": [],
    }
    life.do("PUT", life.east_item, {"properties": before["properties"] | {"providerSpecificDetails": details}})
    after = life.get(life.east_item)
    for document in (before, after):
        for member in ("lastHeartbeat", "lastRpoCalculatedTime"):
            del document["properties"]["providerSpecificDetails"][member]
    assert after == before


def test_the_job_of_a_test_failover_succeeds_while_the_test_machine_is_there(life: Life) -> None:
    life.protect()
    network = {"networkType": "VmNetworkAsInput", "networkId": str(life.away.id)}
    properties = {**network, "providerSpecificDetails": {"instanceType": "A2A"}}
    answer = life.send("POST", f"{life.east_item}/testFailover", body={"properties": properties})
    name = (answer.header("Azure-AsyncOperation") or "").partition("?")[0].rpartition("/")[2]

    def job() -> tuple[object, ...]:
        found = life.get(f"{life.vault.id}/replicationJobs/{name}")["properties"]
        return found["state"], found["targetInstanceType"], [task["state"] for task in found["tasks"]]

    assert job() == ("InProgress", "ProtectionEntity", ["InProgress", *["NotStarted"] * 3])
    life.build.world.clock.sleep(3)
    assert job() == ("Succeeded", "ProtectionEntity", ["Succeeded"] * 4)
    assert life.item(life.east_item)["testFailoverState"] == "WaitingForCompletion"


def test_a_machine_in_initial_replication_shows_no_nics_and_can_only_be_disabled(life: Life) -> None:
    life.enable()
    item = life.item(life.east_item)
    assert item["protectionState"] == "InitialReplicationInProgress"
    assert item["protectionStateDescription"] == "Initial replication is in progress"
    assert item["allowedOperations"] == ["DisableProtection"]
    details = item["providerSpecificDetails"]
    assert (details["vmNics"], details["selectedRecoveryAzureNetworkId"]) == ([], None)
    assert details["vmProtectionState"] == "UnprotectedStatesBegin"
    assert (details["initialPrimaryFabricLocation"], details["primaryFabricLocation"]) == ("eastus", "eastus")
    (disk,) = details["protectedManagedDisks"]
    assert (disk["diskName"], disk["diskState"]) == ("Vm1-Os", "InitialReplicationPending")
    assert disk["diskId"].endswith("/providers/microsoft.compute/disks/vm1-os")
    assert item["policyFriendlyName"] == "Daily"


def test_a_machine_is_protected_after_both_stages_of_its_replication(life: Life) -> None:
    life.enable()
    life.build.world.clock.sleep(60)
    assert life.item(life.east_item)["protectionState"] == "InitialReplicationRecoveryCompletionPending"
    life.build.world.clock.sleep(60)
    item = life.item(life.east_item)
    assert item["protectionState"] == "Protected"
    assert item["allowedOperations"] == ["UnplannedFailover", "DisableProtection", "TestFailover"]
    (nic,) = item["providerSpecificDetails"]["vmNics"]
    assert nic["recoveryVMNetworkId"] == str(life.away.id)
    assert nic["ipConfigs"][0]["recoverySubnetName"] == "web"


def test_a_machine_moves_to_the_other_container_when_it_is_re_protected(life: Life) -> None:
    life.protect()
    life.fail_over(life.east_item)
    assert life.item(life.east_item)["activeLocation"] == "Recovery"
    answer = life.switch(life.east.id, life.east.id)
    location = (answer.header("Location") or "").partition("/operationresults/")[0]
    assert location.endswith(f"/replicationProtectionContainers/{life.east.id.name}")
    assert life.refusal(life.send("GET", life.east_item)) == (404, "ArmResourceDoesNotExist")
    item = life.item(life.west_item)
    assert (item["activeLocation"], item["protectionState"]) == ("Primary", "InitialReplicationInProgress")
    details = item["providerSpecificDetails"]
    locations = [details[f"{name}FabricLocation"] for name in ("initialPrimary", "primary", "recovery")]
    assert locations == ["eastus", "westus", "eastus"]
    (nic,) = details["vmNics"]
    assert (nic["selectionType"], nic["vMNetworkName"], nic["ipConfigs"][0]["name"]) == ("NotSelected", None, None)
    life.replicate()
    (nic,) = life.item(life.west_item)["providerSpecificDetails"]["vmNics"]
    assert (nic["selectionType"], nic["recoveryVMNetworkId"]) == ("SelectedByUserOverride", str(life.home.id))


def test_the_disks_of_a_re_protected_machine_go_back_to_those_they_came_from(life: Life) -> None:
    life.protect()
    life.fail_over(life.east_item)
    original = f"{life.machine.id.parent}/providers/Microsoft.Compute/disks/Vm1-Os"
    replica = f"{life.away.id.parent}/providers/Microsoft.Compute/disks/Vm1-Os"
    disk = {"diskId": replica, "recoveryResourceGroupId": str(life.machine.id.parent)}
    life.switch(life.east.id, life.east.id, vmManagedDisks=[disk])
    (disk,) = life.item(life.west_item)["providerSpecificDetails"]["protectedManagedDisks"]
    assert (disk["diskId"], disk["recoveryOrignalTargetDiskId"]) == (replica.lower(), original)
    assert disk["recoveryResourceGroupId"] == str(life.machine.id.parent)


def test_an_item_names_the_machines_that_its_failovers_created(life: Life) -> None:
    life.protect()
    details = life.item(life.east_item)["providerSpecificDetails"]
    names = ("recoveryFabricObjectId", "testFailoverRecoveryFabricObjectId")
    assert [details[name] for name in names] == [None, None]
    life.do("POST", f"{life.east_item}/testFailover", {"properties": {"networkId": str(life.away.id)}})
    machines = f"{life.away.id.parent}/providers/Microsoft.Compute/virtualMachines"
    tested = life.item(life.east_item)["providerSpecificDetails"]
    assert [tested[name] for name in names] == [None, f"{machines}/Vm1-test"]
    life.do("POST", f"{life.east_item}/testFailoverCleanup", {"properties": {}})
    life.do("POST", f"{life.east_item}/unplannedFailover", FAILOVER)
    landed = life.item(life.east_item)["providerSpecificDetails"]
    assert [landed[name] for name in names] == [f"{machines}/Vm1", None]


def test_a_nic_returns_to_its_former_security_group(life: Life) -> None:
    group = life.build.network_security_group("Web", "eastus")
    interface = life.build.network_interface("Vm1-nic", life.home, subnet="web", ip="10.0.1.4")
    life.build.add(structs.replace(interface, network_security_group=group.id))
    life.protect()
    life.fail_over(life.east_item)
    life.switch(life.east.id, life.east.id)
    (nic,) = life.item(life.west_item)["providerSpecificDetails"]["vmNics"]
    assert nic["recoveryNetworkSecurityGroupId"] == str(group.id)


def test_a_nic_keeps_its_guid_when_its_machine_moves(life: Life) -> None:
    life.protect()
    (nic,) = life.item(life.east_item)["providerSpecificDetails"]["vmNics"]
    assert UUID(nic["nicId"]).version == 5
    life.fail_over(life.east_item)
    life.switch(life.east.id, life.east.id)
    (moved,) = life.item(life.west_item)["providerSpecificDetails"]["vmNics"]
    assert moved["nicId"] == nic["nicId"]


def test_a_machine_can_fail_back_and_be_protected_again(life: Life) -> None:
    life.protect()
    life.fail_over(life.east_item)
    life.switch(life.east.id, life.east.id)
    life.replicate()
    life.fail_over(life.west_item)
    life.switch(life.west.id, life.west.id)
    life.replicate()
    item = life.item(life.east_item)
    assert (item["protectionState"], item["activeLocation"]) == ("Protected", "Primary")
    assert item["providerSpecificDetails"]["primaryFabricLocation"] == "eastus"


def test_a_test_failover_takes_an_address_until_it_is_cleaned_up(life: Life) -> None:
    life.protect()
    test = life.build.virtual_network(
        "Test", "westus", address_space=["10.9.0.0/16"], subnets=[Subnet(name="web", prefixes=("10.9.1.0/24",))]
    )
    body = {"properties": {"networkType": "VmNetworkAsInput", "networkId": str(test.id)}}
    life.do("POST", f"{life.east_item}/testFailover", body)
    assert life.item(life.east_item)["testFailoverState"] == "WaitingForCompletion"
    subnet = life.get(test.id)["properties"]["subnets"][0]["properties"]
    assert len(subnet["ipConfigurations"]) == 1
    life.do("POST", f"{life.east_item}/testFailoverCleanup", {"properties": {"comments": "fine"}})
    assert life.item(life.east_item)["testFailoverState"] == "None"
    assert "ipConfigurations" not in life.get(test.id)["properties"]["subnets"][0]["properties"]


def test_the_result_of_a_failover_is_the_machine(life: Life) -> None:
    life.protect()
    answer = life.do("POST", f"{life.east_item}/unplannedFailover", FAILOVER)
    result = life.follow(answer.header("Location") or "")
    assert (result.status, json.loads(result.body)["name"]) == (200, "Vm1")


def test_a_machine_shows_its_running_scenario_and_job(life: Life) -> None:
    life.protect()
    answer = life.send("POST", f"{life.east_item}/unplannedFailover", body=FAILOVER)
    scenario = life.item(life.east_item)["currentScenario"]
    job = (answer.header("Azure-AsyncOperation") or "").partition("?")[0].rpartition("/")[2]
    assert (scenario["scenarioName"], scenario["jobId"].rpartition("/")[2]) == ("UnplannedFailover", job)
    assert life.get(scenario["jobId"])["properties"]["targetObjectName"] == "Vm1"


@pytest.mark.parametrize("verb", ["failoverCommit", "failoverCancel", "testFailoverCleanup", "reProtect"])
def test_actions_that_a_machines_state_does_not_allow_are_refused(life: Life, verb: str) -> None:
    life.protect()
    answer = life.send("POST", f"{life.east_item}/{verb}", body={"properties": {}})
    assert life.refusal(answer) == (400, "OperationNotAllowed")
    assert error_of(answer)["details"][0]["recommendedAction"]


def test_a_failover_is_committed_once(life: Life) -> None:
    life.protect()
    life.fail_over(life.east_item)
    again = life.send("POST", f"{life.east_item}/failoverCommit")
    assert life.refusal(again) == (400, "OperationNotAllowed")


def test_a_machine_is_not_re_protected_before_its_failover_is_committed(life: Life) -> None:
    life.protect()
    life.do("POST", f"{life.east_item}/unplannedFailover", FAILOVER)
    details = {"instanceType": "A2A", "recoveryContainerId": str(life.east.id)}
    body = {"properties": {"replicationProtectedItemName": "Vm1", "providerSpecificDetails": details}}
    answer = life.send("POST", f"{life.east.id}/switchprotection", body=body)
    assert life.refusal(answer) == (400, "OperationNotAllowed")


def test_a_machine_that_is_not_protected_cannot_fail_over(life: Life) -> None:
    answer = life.send("POST", f"{life.east_item}/unplannedFailover", body=FAILOVER)
    assert life.refusal(answer) == (404, "ArmResourceDoesNotExist")


@pytest.mark.parametrize("verb", ["unplannedFailover", "testFailover"])
def test_settings_of_another_provider_are_refused(life: Life, verb: str) -> None:
    life.protect()
    body = {"properties": {"providerSpecificDetails": {"instanceType": "HyperVReplicaAzure"}}}
    answer = life.send("POST", f"{life.east_item}/{verb}", body=body)
    assert life.refusal(answer) == (400, "InvalidParameter")
    assert "'A2A'" in error_of(answer)["message"]


def test_an_unknown_direction_is_refused(life: Life) -> None:
    life.protect()
    answer = life.send("POST", f"{life.east_item}/unplannedFailover", body={"properties": {"failoverDirection": "Up"}})
    assert life.refusal(answer) == (400, "InvalidParameter")


def plan_of(life: Life, **action: object) -> dict[str, Any]:
    group: dict[str, Any] = {"groupType": "Boot", "replicationProtectedItems": [{"id": life.east_item}]}
    if action:
        details = {"instanceType": "ManualActionDetails", "description": "Look."}
        group["startGroupActions"] = [{"actionName": "Look", "customDetails": details, **action}]
    return {
        "properties": {
            "primaryFabricId": str(life.east.id.parent),
            "recoveryFabricId": str(life.west.id.parent),
            "failoverDeploymentModel": "ResourceManager",
            "groups": [group],
        }
    }


def test_a_recovery_plan_comes_back_with_a_shutdown_and_a_failover_group(life: Life) -> None:
    life.protect()
    path = f"{life.vault.id}/replicationRecoveryPlans/All"
    life.do("PUT", path, plan_of(life))
    plan = life.get(path)["properties"]
    assert [group["groupType"] for group in plan["groups"]] == ["Shutdown", "Failover", "Boot"]
    assert plan["replicationProviders"] == ["A2A"]
    assert plan["allowedOperations"] == ["UnplannedFailover", "TestFailover"]
    (listed,) = life.get(path.rpartition("/")[0])["value"]
    assert (listed["name"], listed["properties"]["groups"]) == ("All", [])
    life.do("DELETE", path)
    assert life.get(path.rpartition("/")[0])["value"] == []


def test_a_recovery_plan_fails_its_machines_over(life: Life) -> None:
    life.protect()
    path = f"{life.vault.id}/replicationRecoveryPlans/All"
    life.do("PUT", path, plan_of(life))
    assert life.get(path)["properties"]["currentScenario"] is None
    life.do("POST", f"{path}/unplannedFailover", FAILOVER)
    plan = life.get(path)["properties"]
    assert (plan["currentScenario"]["scenarioName"], plan["currentScenarioStatus"]) == (
        "UnplannedFailover",
        "Succeeded",
    )
    job = life.get(plan["currentScenario"]["jobId"])["properties"]
    assert (job["targetInstanceType"], job["targetObjectName"]) == ("RecoveryPlan", "All")
    life.do("POST", f"{path}/failoverCancel")
    assert life.item(life.east_item)["activeLocation"] == "Primary"
    life.do("POST", f"{path}/unplannedFailover", FAILOVER)
    life.do("POST", f"{path}/failoverCommit")
    assert life.item(life.east_item)["protectionState"] == "UnplannedFailoverCommitted"
    refused = life.send("POST", f"{path}/plannedFailover", body=FAILOVER)
    assert life.refusal(refused) == (400, "OperationNotAllowed")


def test_a_manual_action_suspends_the_job_of_a_plan_until_it_is_resumed(life: Life) -> None:
    life.protect()
    path = f"{life.vault.id}/replicationRecoveryPlans/All"
    life.do("PUT", path, plan_of(life, failoverTypes=["UnplannedFailover"]))
    answer = life.send("POST", f"{path}/unplannedFailover", body=FAILOVER)
    url = answer.header("Azure-AsyncOperation") or ""
    job = f"{life.vault.id}/replicationJobs/{url.partition('?')[0].rpartition('/')[2]}"
    life.build.world.clock.sleep(600)
    suspended = life.get(job)["properties"]
    assert (suspended["state"], suspended["tasks"][-1]["friendlyName"]) == ("Suspended", "Look")
    assert suspended["stateDescription"] == life.get(path)["properties"]["currentScenarioStatusDescription"]
    assert suspended["stateDescription"] == "WaitingForManualAction"
    assert suspended["allowedActions"] == ["Cancel", "Resume"]
    assert json.loads(life.follow(url).body)["status"] == "InProgress"
    assert life.item(life.east_item)["activeLocation"] == "Primary"
    life.do("POST", f"{job}/resume", {"properties": {"comments": "done"}})
    assert life.get(job)["properties"]["state"] == "Succeeded"
    assert life.item(life.east_item)["activeLocation"] == "Recovery"


def test_a_canceled_job_has_no_effect(life: Life) -> None:
    life.protect()
    answer = life.send("POST", f"{life.east_item}/unplannedFailover", body=FAILOVER)
    job = (answer.header("Azure-AsyncOperation") or "").partition("?")[0].rpartition("/")[2]
    path = f"{life.vault.id}/replicationJobs/{job}"
    life.build.world.clock.sleep(2)
    url = life.send("POST", f"{path}/cancel").header("Azure-AsyncOperation") or ""

    def states() -> tuple[object, ...]:
        properties = life.get(path)["properties"]
        status = json.loads(life.follow(url).body)["status"]
        return properties["state"], properties["stateDescription"], properties["allowedActions"], status

    assert states() == ("Cancelling", "Cancelling", [], "InProgress")
    assert life.refusal(life.send("POST", f"{path}/cancel")) == (400, "JobOperationNotAllowed")
    life.build.world.clock.sleep(2)  # the failover would have ended by now
    assert states() == ("Cancelling", "Cancelling", [], "InProgress")
    life.build.world.clock.sleep(1)
    assert states() == ("Cancelled", "Cancelled", [], "Canceled")
    assert life.item(life.east_item)["activeLocation"] == "Primary"
    assert life.refusal(life.send("POST", f"{path}/cancel")) == (400, "JobOperationNotAllowed")


@pytest.mark.parametrize(
    "change", [{"groups": []}, {"primaryFabricId": None}, {"groups": [{"groupType": "Choir"}]}, {"groups": 5}]
)
def test_a_plan_that_cannot_be_read_is_refused(life: Life, change: dict[str, object]) -> None:
    body = {"properties": plan_of(life)["properties"] | change}
    assert life.send("PUT", f"{life.vault.id}/replicationRecoveryPlans/All", body=body).status == 400


def test_a_hyper_v_machine_lands_by_the_mapping_of_its_network(life: Life) -> None:
    server = life.build.vmm_fabric(life.vault, "vmm.example")
    cloud, network = life.build.cloud(server, "Gold"), life.build.vm_network(server, "corp")
    life.build.mapping(server, network, None, life.away)
    path = f"{cloud.id}/replicationProtectedItems/Vm2"
    policy = life.vault.id.child("replicationPolicies", "HyperV")
    life.build.add(ReplicationPolicy(id=policy, provider="HyperVReplicaAzure"))
    details = {"instanceType": "HyperVReplicaAzure", "targetAzureVmName": "Vm2"}
    life.do("PUT", path, {"properties": {"policyId": str(policy), "providerSpecificDetails": details}})
    life.replicate()
    item = life.item(path)
    assert (item["primaryFabricProvider"], item["recoveryFabricFriendlyName"]) == ("VmmFabric", "Microsoft Azure")
    assert item["allowedOperations"] == ["PlannedFailover", "UnplannedFailover", "DisableProtection", "TestFailover"]
    details = item["providerSpecificDetails"]
    assert not {"fabricObjectId", "selectedTfoAzureNetworkId", "initialPrimaryFabricLocation"} & details.keys()
    (nic,) = details["vmNics"]
    assert (nic["vMNetworkName"], nic["selectionType"]) == ("corp", "SelectedByDefault")
    assert (nic["recoveryVMNetworkId"], nic["ipConfigs"][0]["recoverySubnetName"]) == (str(life.away.id), "web")
    life.do("POST", f"{path}/plannedFailover", {"properties": {"failoverDirection": "PrimaryToRecovery"}})
    assert life.item(path)["activeLocation"] == "Recovery"


def test_a_hyper_v_machine_needs_its_cloud(life: Life) -> None:
    server = life.build.vmm_fabric(life.vault, "vmm.example")
    path = f"{server.id}/replicationProtectionContainers/none/replicationProtectedItems/Vm2"
    details = {"instanceType": "HyperVReplicaAzure"}
    answer = life.send("PUT", path, body={"properties": {"providerSpecificDetails": details}})
    assert life.refusal(answer) == (404, "ArmResourceDoesNotExist")


def test_a_failed_job_can_be_restarted(life: Life) -> None:
    life.protect()
    life.build.world.faults.add(Fault(effect="operation_fails", method="POST", code="28020", message="It failed."))
    answer = life.send("POST", f"{life.east_item}/unplannedFailover", body=FAILOVER)
    job = (answer.header("Azure-AsyncOperation") or "").partition("?")[0].rpartition("/")[2]
    path = f"{life.vault.id}/replicationJobs/{job}"
    life.build.world.clock.sleep(3)
    failed = life.get(path)["properties"]
    assert (failed["state"], failed["allowedActions"]) == ("Failed", ["Restart"])
    life.do("POST", f"{path}/restart")
    assert life.get(path)["properties"]["state"] == "Succeeded"
    assert life.item(life.east_item)["activeLocation"] == "Recovery"
    assert life.refusal(life.send("POST", f"{path}/restart")) == (400, "JobOperationNotAllowed")
