"""Replication policies on the wire, with the settings of each provider, and what refers to them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs
from wire_case import Wire, error_of, exactly

SUB = "11111111-1111-1111-1111-111111111111"
VAULT_ID = f"/Subscriptions/{SUB}/resourceGroups/Rg-DR/providers/Microsoft.RecoveryServices/vaults/Vault-DR"


class Policies(Wire):
    """A vault, and a policy ``Daily`` to create."""

    def __init__(self) -> None:
        super().__init__()
        self.vault = self.build.vault("Vault-DR", group="Rg-DR")
        self.path = f"{self.vault.id}/replicationPolicies/Daily"

    def put(self, instance_type: str | None, **settings: object) -> int:
        given = {"instanceType": instance_type, **settings} if instance_type else settings
        return self.send("PUT", self.path, body={"properties": {"providerSpecificInput": given}}).status

    def details(self) -> Any:
        return self.get(self.path)["properties"]["providerSpecificDetails"]


@pytest.fixture
def policies() -> Policies:
    return Policies()


def test_a_policy_for_azure_machines_has_the_recorded_defaults(policies: Policies) -> None:
    assert policies.put("A2A", multiVmSyncStatus="Enable") == 202
    expected = {
        "id": f"{VAULT_ID}/replicationPolicies/Daily",
        "name": "Daily",
        "type": "Microsoft.RecoveryServices/vaults/replicationPolicies",
        "properties": {
            "friendlyName": "Daily",
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "recoveryPointThresholdInMinutes": 0,
                "recoveryPointHistory": 0,
                "appConsistentFrequencyInMinutes": 0,
                "multiVmSyncStatus": "Enabled",
                "crashConsistentFrequencyInMinutes": 5,
            },
        },
    }
    assert exactly(policies.get(policies.path)) == exactly(expected)
    assert policies.get(policies.path.rpartition("/")[0]) == {"value": [expected], "nextLink": None}


def test_the_settings_of_a_policy_read_back(policies: Policies) -> None:
    policies.put("A2A", multiVmSyncStatus="Disable", recoveryPointHistory=1440, appConsistentFrequencyInMinutes=240)
    details = policies.details()
    assert details["multiVmSyncStatus"] == "Disabled"
    assert (details["recoveryPointHistory"], details["appConsistentFrequencyInMinutes"]) == (1440, 240)


def test_a_policy_for_hyper_v_counts_in_hours(policies: Policies) -> None:
    policies.put(
        "HyperVReplicaAzure",
        recoveryPointHistoryDuration=2,
        applicationConsistentSnapshotFrequencyInHours=1,
        replicationInterval=30,
    )
    assert exactly(policies.details()) == exactly(
        {
            "instanceType": "HyperVReplicaAzure",
            "recoveryPointHistoryDurationInHours": 2,
            "applicationConsistentSnapshotFrequencyInHours": 1,
            "replicationInterval": 30,
            "onlineReplicationStartTime": None,
            "encryption": "Disabled",
            "activeStorageAccountId": None,
        }
    )


def test_a_policy_for_vmware_reads_back(policies: Policies) -> None:
    policies.put(
        "InMageRcm",
        recoveryPointHistoryInMinutes=1440,
        crashConsistentFrequencyInMinutes=10,
        appConsistentFrequencyInMinutes=60,
        enableMultiVmSync="true",
    )
    assert exactly(policies.details()) == exactly(
        {
            "instanceType": "InMageRcm",
            "recoveryPointHistoryInMinutes": 1440,
            "appConsistentFrequencyInMinutes": 60,
            "crashConsistentFrequencyInMinutes": 10,
            "enableMultiVmSync": "true",
        }
    )


def test_a_policy_can_be_changed(policies: Policies) -> None:
    policies.put("A2A")
    settings = {"instanceType": "A2A", "recoveryPointHistory": 720}
    answer = policies.send("PATCH", policies.path, body={"properties": {"replicationProviderSettings": settings}})
    assert answer.status == 202
    assert policies.details()["recoveryPointHistory"] == 720
    missing = policies.send(
        "PATCH", f"{policies.path}-2", body={"properties": {"replicationProviderSettings": settings}}
    )
    assert (missing.status, error_of(missing)["details"][0]["code"]) == (404, "ArmResourceDoesNotExist")


def test_a_policy_cannot_be_changed_to_that_of_another_provider(policies: Policies) -> None:
    policies.put("A2A")
    settings = {"instanceType": "HyperVReplicaAzure", "recoveryPointHistoryDuration": 4}
    answer = policies.send("PATCH", policies.path, body={"properties": {"replicationProviderSettings": settings}})
    assert (answer.status, error_of(answer)["details"][0]["code"]) == (400, "InvalidParameter")
    assert policies.details()["instanceType"] == "A2A"


@pytest.mark.parametrize(
    ("instance_type", "settings", "status"),
    [
        (None, {}, 400),
        ("Teleport", {}, 501),
        ("A2A", {"recoveryPointHistory": "a day"}, 400),
        ("A2A", {"recoveryPointHistory": -1}, 400),
    ],
)
def test_a_policy_that_cannot_be_read_is_refused(
    policies: Policies, instance_type: str | None, settings: dict[str, object], status: int
) -> None:
    assert policies.put(instance_type, **settings) == status
    assert policies.send("GET", policies.path).status == 404


def test_a_policy_in_use_cannot_be_deleted(policies: Policies) -> None:
    policies.put("A2A")
    container = policies.build.container(policies.build.azure_fabric(policies.vault, "eastus"))
    recovery = policies.build.container(policies.build.azure_fabric(policies.vault, "westus"))
    mapping = f"{container.id}/replicationProtectionContainerMappings/pair"
    body = {"properties": {"targetProtectionContainerId": str(recovery.id), "policyId": policies.path}}
    assert policies.send("PUT", mapping, body=body).status == 202
    assert policies.get(mapping)["properties"]["policyFriendlyName"] == "Daily"
    refused = policies.send("DELETE", policies.path)
    assert (refused.status, error_of(refused)["details"][0]["code"]) == (409, "PolicyInUse")
    policies.send("DELETE", mapping)
    assert policies.send("DELETE", policies.path).status == 202
    assert policies.get(policies.path.rpartition("/")[0])["value"] == []


def test_a_container_mapping_to_a_missing_policy_is_refused(policies: Policies) -> None:
    container = policies.build.container(policies.build.azure_fabric(policies.vault, "eastus"))
    body = {"properties": {"targetProtectionContainerId": str(container.id), "policyId": policies.path}}
    refused = policies.send("PUT", f"{container.id}/replicationProtectionContainerMappings/pair", body=body)
    assert (refused.status, error_of(refused)["details"][0]["code"]) == (400, "PolicyNotFound")


def test_the_agents_update_settings_of_a_container_mapping_read_back(policies: Policies) -> None:
    container = policies.build.container(policies.build.azure_fabric(policies.vault, "eastus"))
    path = f"{container.id}/replicationProtectionContainerMappings/pair"
    settings = {"instanceType": "A2A", "agentAutoUpdateStatus": "Enabled"}
    body = {"properties": {"targetProtectionContainerId": str(container.id), "providerSpecificInput": settings}}
    policies.send("PUT", path, body=body)
    assert policies.get(path)["properties"]["providerSpecificDetails"]["agentAutoUpdateStatus"] == "Enabled"
    settings["agentAutoUpdateStatus"] = "Disabled"
    assert policies.send("PATCH", path, body={"properties": {"providerSpecificInput": settings}}).status == 202
    assert policies.get(path)["properties"]["providerSpecificDetails"]["agentAutoUpdateStatus"] == "Disabled"


def test_a_vault_in_use_cannot_be_deleted(policies: Policies) -> None:
    policies.build.azure_fabric(policies.vault, "eastus")
    refused = policies.send("DELETE", policies.vault.id)
    assert refused.status == 400
    assert list(error_of(refused)) == ["code", "message", "target", "details", "innerError"]
    assert error_of(refused)["code"] == "ServiceResourceNotEmptyWithContainerDetails"
    assert policies.send("GET", policies.vault.id).status == 200


def test_a_policy_that_comes_into_use_while_it_is_deleted_stays(policies: Policies) -> None:
    policies.put("A2A")
    container = policies.build.container(policies.build.azure_fabric(policies.vault, "eastus"))
    world = policies.build.world
    world.behaviour = structs.replace(world.behaviour, operations="time:3")
    body = {"properties": {"targetProtectionContainerId": str(container.id), "policyId": policies.path}}
    policies.send("PUT", f"{container.id}/replicationProtectionContainerMappings/pair", body=body)
    world.clock.sleep(1)
    url = policies.send("DELETE", policies.path).header("Azure-AsyncOperation") or ""
    world.clock.sleep(3)
    assert json.loads(policies.follow(url).body)["status"] == "Failed"
    assert policies.send("GET", policies.path).status == 200
