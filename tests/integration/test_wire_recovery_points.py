"""Recovery points, events, zones and recovery plans that re-protect: the parts of a lifecycle without a recording."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs
from wire_case import Wire, error_of

from asrnet.model.azure import ProtectedItem

OVER = {"properties": {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": {"instanceType": "A2A"}}}


class Protected(Wire):
    """A machine that is protected from one region to another, and mapped networks."""

    def __init__(self) -> None:
        super().__init__()
        build = self.build
        self.vault = build.vault("Vault", group="Rg-DR")
        self.home, self.away = (
            build.virtual_network(name, location, address_space=["10.0.0.0/16"], subnets={"web": "10.0.1.0/24"})
            for name, location in (("Home", "eastus"), ("Away", "westus"))
        )
        self.item = build.protected_machine(self.vault, "Vm1", self.home, self.away, subnet="web", ip="10.0.1.4")

    def do(self, method: str, path: object, body: Any = None) -> None:
        answer = self.send(method, path, body=body)
        assert answer.status == 202, answer.body
        status = json.loads(self.follow(answer.header("Azure-AsyncOperation") or "").body)
        assert status["status"] == "Succeeded", status

    def fail_over(self) -> None:
        self.do("POST", f"{self.item.id}/unplannedFailover", OVER)

    def properties(self, path: object) -> Any:
        return self.get(path)["properties"]

    def reversed_path(self, item: ProtectedItem) -> str:
        return f"{item.recovery_container_id}/replicationProtectedItems/{item.id.name}"


@pytest.fixture
def wire() -> Protected:
    return Protected()


def test_recovery_points_are_created_as_often_as_the_policy_says(wire: Protected) -> None:
    policy = f"{wire.vault.id}/replicationPolicies/hourly"
    settings = {"instanceType": "A2A", "multiVmSyncStatus": "Enable", "recoveryPointHistory": 60}
    settings |= {"crashConsistentFrequencyInMinutes": 15, "appConsistentFrequencyInMinutes": 60}
    wire.do("PUT", policy, {"properties": {"providerSpecificInput": settings}})
    wire.build.add(structs.replace(wire.item, policy_id=wire.vault.id.child("replicationPolicies", "hourly")))
    points = wire.get(f"{wire.item.id}/recoveryPoints")["value"]
    assert len(points) == 5
    kinds = [point["properties"]["recoveryPointType"] for point in points]
    assert sorted(set(kinds)) == ["AppConsistent", "CrashConsistent"]
    times = [point["properties"]["recoveryPointTime"] for point in points]
    assert times == sorted(times, reverse=True)
    assert {time[14:16] for time in times} == {"00", "15", "30", "45"}
    assert wire.get(points[2]["id"]) == points[2]
    missing = wire.send("GET", f"{wire.item.id}/recoveryPoints/none")
    assert (missing.status, error_of(missing)["details"][0]["code"]) == (404, "ArmResourceDoesNotExist")


def test_a_failover_goes_to_the_point_it_names_and_to_another_until_it_is_committed(wire: Protected) -> None:
    wire.build.world.clock.sleep(3600)
    (point,) = wire.get(f"{wire.item.id}/recoveryPoints")["value"]
    body = {"instanceType": "A2A", "recoveryPointId": point["id"]}
    wire.do("POST", f"{wire.item.id}/unplannedFailover", {"properties": {"providerSpecificDetails": body}})
    assert wire.properties(wire.item.id)["failoverRecoveryPointId"] == point["id"]
    wire.build.world.clock.sleep(3600)
    (later,) = wire.get(f"{wire.item.id}/recoveryPoints")["value"]
    change = {"properties": {"recoveryPointId": later["id"], "providerSpecificDetails": {"instanceType": "A2A"}}}
    wire.do("POST", f"{wire.item.id}/applyRecoveryPoint", change)
    item = wire.properties(wire.item.id)
    assert (item["failoverRecoveryPointId"], item["activeLocation"]) == (later["id"], "Recovery")
    wire.do("POST", f"{wire.item.id}/failoverCommit")
    again = wire.send("POST", f"{wire.item.id}/applyRecoveryPoint", body=change)
    assert (again.status, error_of(again)["details"][0]["code"]) == (400, "OperationNotAllowed")


@pytest.mark.parametrize("verb", ["unplannedFailover", "testFailover"])
def test_a_recovery_point_that_does_not_exist_is_refused(wire: Protected, verb: str) -> None:
    details = {"instanceType": "A2A", "recoveryPointId": f"{wire.item.id}/recoveryPoints/none"}
    answer = wire.send("POST", f"{wire.item.id}/{verb}", body={"properties": {"providerSpecificDetails": details}})
    assert (answer.status, error_of(answer)["details"][0]["code"]) == (400, "RecoveryPointNotFound")


def test_a_canceled_failover_has_no_recovery_point(wire: Protected) -> None:
    (point,) = wire.get(f"{wire.item.id}/recoveryPoints")["value"]
    body = {"instanceType": "A2A", "recoveryPointId": point["name"]}
    wire.do("POST", f"{wire.item.id}/unplannedFailover", {"properties": {"providerSpecificDetails": body}})
    wire.do("POST", f"{wire.item.id}/failoverCancel")
    assert wire.properties(wire.item.id)["failoverRecoveryPointId"] is None


def test_a_machine_has_no_recovery_points_while_it_replicates_initially(wire: Protected) -> None:
    wire.build.add(structs.replace(wire.item, state="InitialReplicationInProgress"))
    assert wire.get(f"{wire.item.id}/recoveryPoints")["value"] == []


def test_a_machine_and_its_plan_say_when_they_last_failed_over(wire: Protected) -> None:
    plan = wire.build.recovery_plan(wire.vault, "all", wire.item)
    names = ("lastSuccessfulTestFailoverTime", "lastSuccessfulFailoverTime", "lastUnplannedFailoverTime")
    assert not {*names} & {*wire.properties(wire.item.id), *wire.properties(plan.id)}
    wire.do("POST", f"{wire.item.id}/testFailover", {"properties": {"networkId": str(wire.away.id)}})
    wire.do("POST", f"{wire.item.id}/testFailoverCleanup", {"properties": {}})
    wire.build.world.clock.sleep(60)
    wire.do("POST", f"{plan.id}/unplannedFailover", {"properties": {"failoverDirection": "PrimaryToRecovery"}})
    item = wire.properties(wire.item.id)
    assert item["lastSuccessfulTestFailoverTime"] < item["lastSuccessfulFailoverTime"]
    assert wire.properties(plan.id)["lastUnplannedFailoverTime"] == item["lastSuccessfulFailoverTime"]


def test_every_ended_job_of_a_machine_is_an_event(wire: Protected) -> None:
    wire.fail_over()
    wire.build.world.clock.sleep(60)
    wire.do("POST", f"{wire.item.id}/failoverCommit")
    commit, failover = wire.get(f"{wire.vault.id}/replicationEvents")["value"]
    assert [event["properties"]["eventCode"] for event in (commit, failover)] == [
        "CommitFailoverSucceeded",
        "UnplannedFailoverSucceeded",
    ]
    properties = failover["properties"]
    assert (properties["affectedObjectFriendlyName"], properties["severity"]) == ("Vm1", "OK")
    assert properties["affectedObjectCorrelationId"] == wire.properties(wire.item.id)["eventCorrelationId"]
    job = properties["eventSpecificDetails"]["jobId"]
    assert wire.properties(job)["scenarioName"] == "UnplannedFailover"
    assert wire.get(failover["id"]) == failover
    by_time = f"$filter=startTime eq '{commit['properties']['timeOfOccurrence']}'"
    assert [event["name"] for event in wire.get(f"{wire.vault.id}/replicationEvents", query=by_time)["value"]] == [
        commit["name"]
    ]
    by_name = "$filter=affectedObjectFriendlyName eq 'other'"
    assert wire.get(f"{wire.vault.id}/replicationEvents", query=by_name)["value"] == []


def test_a_machine_has_the_settings_and_the_name_that_it_was_protected_with() -> None:
    wire = Wire()
    vault = wire.build.vault("Vault", group="Rg-DR")
    east, west = (wire.build.azure_fabric(vault, location) for location in ("eastus", "westus"))
    source, target = wire.build.container(east), wire.build.container(west)
    home = wire.build.virtual_network("Home", "eastus", subnets={"web": "10.0.0.0/24"})
    machine = wire.build.virtual_machine("Vm1", home, subnet="web")
    path = f"{source.id}/replicationProtectedItems/Vm1"
    details = {"instanceType": "A2A", "fabricObjectId": str(machine.id), "recoveryContainerId": str(target.id)}
    details |= {"recoveryAvailabilitySetId": "/a/set", "recoveryProximityPlacementGroupId": "/a/group"}
    assert wire.send("PUT", path, body={"properties": {"providerSpecificDetails": details}}).status == 202
    rename = {"recoveryAzureVMName": "Vm1-dr", "providerSpecificDetails": {"instanceType": "A2A"}}
    assert wire.send("PATCH", path, body={"properties": rename}).status == 202
    shown = wire.get(path)["properties"]["providerSpecificDetails"]
    assert (shown["recoveryAvailabilitySet"], shown["recoveryProximityPlacementGroupId"]) == ("/a/set", "/a/group")
    assert wire.send("POST", f"{path}/unplannedFailover", body=OVER).status == 202
    made = wire.get(path)["properties"]["providerSpecificDetails"]["recoveryFabricObjectId"]
    assert made.endswith("/virtualMachines/Vm1-dr")


def test_an_azure_machine_can_re_protect_itself(wire: Protected) -> None:
    wire.fail_over()
    wire.do("POST", f"{wire.item.id}/failoverCommit")
    wire.do("POST", f"{wire.item.id}/reProtect", OVER)
    moved = wire.properties(wire.reversed_path(wire.item))
    assert (moved["activeLocation"], moved["primaryFabricFriendlyName"]) == ("Primary", "West US")


def test_a_recovery_plan_turns_round_when_its_machines_are_re_protected(wire: Protected) -> None:
    plan = wire.build.recovery_plan(wire.vault, "all", wire.item)
    early = wire.send("POST", f"{plan.id}/reProtect")
    assert (early.status, error_of(early)["details"][0]["code"]) == (400, "OperationNotAllowed")
    wire.do("POST", f"{plan.id}/unplannedFailover", {"properties": {"failoverDirection": "PrimaryToRecovery"}})
    wire.do("POST", f"{plan.id}/failoverCommit")
    assert wire.properties(plan.id)["allowedOperations"] == ["ReverseReplicate"]
    wire.do("POST", f"{plan.id}/reProtect")
    turned = wire.properties(plan.id)
    assert (turned["primaryFabricFriendlyName"], turned["recoveryFabricFriendlyName"]) == ("West US", "East US")
    (item,) = turned["groups"][2]["replicationProtectedItems"]
    assert item["id"].lower() == wire.reversed_path(wire.item).lower()
    assert turned["allowedOperations"] == ["UnplannedFailover", "TestFailover"]


def test_a_recovery_plan_follows_a_machine_that_is_re_protected_by_itself(wire: Protected) -> None:
    plan = wire.build.recovery_plan(wire.vault, "all", wire.item)
    wire.fail_over()
    wire.do("POST", f"{wire.item.id}/failoverCommit")
    wire.do("POST", f"{wire.item.id}/reProtect", OVER)
    turned = wire.properties(plan.id)
    assert turned["primaryFabricFriendlyName"] == "West US"
    (item,) = turned["groups"][2]["replicationProtectedItems"]
    assert item["id"].lower() == wire.reversed_path(wire.item).lower()
    wire.do("POST", f"{plan.id}/unplannedFailover", {"properties": {"failoverDirection": "PrimaryToRecovery"}})


def test_the_zones_of_a_machine_swap_when_it_is_re_protected() -> None:
    wire = Wire()
    vault = wire.build.vault("Vault", group="Rg-DR")
    fabric = wire.build.azure_fabric(vault, "eastus")
    first, second = wire.build.cloud(fabric, "zone-1"), wire.build.cloud(fabric, "zone-2")
    network = wire.build.virtual_network("Home", "eastus", subnets={"web": "10.0.0.0/24"})
    machine = structs.replace(wire.build.virtual_machine("Vm1", network, subnet="web"), zone="1")
    wire.build.add(machine)
    path = f"{first.id}/replicationProtectedItems/Vm1"
    details = {"instanceType": "A2A", "fabricObjectId": str(machine.id), "recoveryContainerId": str(second.id)}
    details |= {"recoveryAvailabilityZone": "2", "recoveryResourceGroupId": f"{vault.id.parent}-asr"}
    assert wire.send("PUT", path, body={"properties": {"providerSpecificDetails": details}}).status == 202

    def zones(item: str) -> list[str | None]:
        shown = wire.get(item)["properties"]["providerSpecificDetails"]
        names = ("initialPrimaryZone", "initialRecoveryZone", "primaryAvailabilityZone", "recoveryAvailabilityZone")
        return [shown[name] for name in names]

    assert zones(path) == ["1", "2", "1", "2"]
    assert wire.send("POST", f"{path}/unplannedFailover", body=OVER).status == 202
    assert wire.send("POST", f"{path}/failoverCommit").status == 202
    back = {"instanceType": "A2A", "recoveryContainerId": str(first.id)}
    switch = {"properties": {"replicationProtectedItemName": "Vm1", "providerSpecificDetails": back}}
    assert wire.send("POST", f"{first.id}/switchprotection", body=switch).status == 202
    assert zones(f"{second.id}/replicationProtectedItems/Vm1") == ["1", "2", "2", "1"]
