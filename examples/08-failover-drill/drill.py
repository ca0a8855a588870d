"""One step of a failover drill for three machines, on Azure's own SDK. It knows nothing of asrnet.

Usage: python drill.py STEP, which is enable, test, clean-up, fail-over, commit or re-protect.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from azure.identity import DefaultAzureCredential
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

PROD = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups"
DR = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups"
VAULT = ("rg-dr", "vault-sea")
VAULT_ID = f"{DR}/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-sea"
TEST_NETWORK_ID = f"{DR}/rg-network-sea/providers/Microsoft.Network/virtualNetworks/test-sea"
MACHINES_ID, MACHINES = f"{PROD}/rg-apps-ea/providers/Microsoft.Compute/virtualMachines", ("app1", "db1", "web1")
EAST, SOUTHEAST = ("asr-a2a-default-eastasia", "east"), ("asr-a2a-default-southeastasia", "southeast")
GROUPS = {EAST: f"{PROD}/rg-apps-ea", SOUTHEAST: f"{DR}/rg-apps-sea"}


def body(details: dict[str, str] | None = None, **properties: str) -> Any:
    """A request about an Azure machine: what all kinds of machines have, and the details of this kind."""
    return {"properties": {**properties, "providerSpecificDetails": {"instanceType": "A2A", **(details or {})}}}


def replicated_to(side: tuple[str, str]) -> dict[str, str]:
    """The details that say where a machine is replicated to: a fabric and its container."""
    container_id = f"{VAULT_ID}/replicationFabrics/{side[0]}/replicationProtectionContainers/{side[1]}"
    return {"recoveryContainerId": container_id, "recoveryResourceGroupId": GROUPS[side]}


def start(client: SiteRecoveryManagementClient, step: str, side: tuple[str, str], name: str) -> Any:
    """Start a step for the machine ``name``, which is protected in the container of ``side``; its operation."""
    items, item = client.replication_protected_items, (*VAULT, *side, name)
    if step == "enable":
        details = {"fabricObjectId": f"{MACHINES_ID}/{name}", **replicated_to(SOUTHEAST)}
        return items.begin_create(*item, body(details, policyId=f"{VAULT_ID}/replicationPolicies/daily"))
    if step == "test":
        return items.begin_test_failover(*item, body(networkType="VmNetworkAsInput", networkId=TEST_NETWORK_ID))
    if step == "clean-up":
        return items.begin_test_failover_cleanup(*item, {"properties": {"comments": "The test is over."}})
    if step == "fail-over":
        return items.begin_unplanned_failover(*item, body(failoverDirection="PrimaryToRecovery"))
    if step == "commit":
        return items.begin_failover_commit(*item)
    # To re-protect a machine is to replicate it to the side where it has been protected until now.
    switch = body(replicated_to(side), replicationProtectedItemName=name)
    return client.replication_protection_containers.begin_switch_protection(*VAULT, *side, switch)


def run(client: SiteRecoveryManagementClient, step: str, sleep: Callable[[float], None] = time.sleep) -> None:
    """Do a step for all machines, wait for the replication that it begins, and print where they run."""
    items = client.replication_protected_items
    machines = [(EAST, name) for name in MACHINES]
    if step != "enable":
        places = [item.id.split("/")[10::2] for item in items.list(*VAULT)]  # fabric, container, item
        machines = [((fabric, container), name) for fabric, container, name in places]
    for operation in [start(client, step, side, name) for side, name in machines]:
        operation.result()
    while step in {"enable", "re-protect"} and any(
        item.properties.protection_state != "Protected" for item in items.list(*VAULT)
    ):
        sleep(10)
    for item in items.list(*VAULT):
        machine = item.properties
        places = {"Primary": machine.primary_fabric_friendly_name, "Recovery": machine.recovery_fabric_friendly_name}
        print(f"{item.name} runs in {places[machine.active_location]}: {machine.protection_state}")


if __name__ == "__main__":
    endpoint = os.environ.get("ARM_ENDPOINT", "https://management.azure.com")
    credential, scopes = DefaultAzureCredential(), [f"{endpoint}/.default"]
    run(SiteRecoveryManagementClient(credential, DR.split("/")[2], endpoint, credential_scopes=scopes), sys.argv[1])
