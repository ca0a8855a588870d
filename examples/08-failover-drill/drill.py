"""One step of a failover drill for three machines, on Azure's own SDK. It knows nothing of asrnet.

Usage: python drill.py STEP, which is enable, test, clean-up, fail-over, commit or re-protect.
"""

import os
import sys
import time
from typing import Any

from azure.identity import DefaultAzureCredential
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

PROD = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups"
DR = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups"
VAULT = ("rg-dr", "vault-sea")
VAULT_ID = f"{DR}/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-sea"
EAST, SOUTHEAST = ("asr-a2a-default-eastasia", "east"), ("asr-a2a-default-southeastasia", "southeast")
GROUPS = {EAST: f"{PROD}/rg-apps-ea", SOUTHEAST: f"{DR}/rg-apps-sea"}
TEST_NETWORK_ID = f"{DR}/rg-network-sea/providers/Microsoft.Network/virtualNetworks/test-sea"


def body(properties: dict[str, str], details: Any = None, target: tuple[str, str] | None = None) -> Any:
    """A request about an Azure machine; ``target`` is the fabric and the container that it is replicated to."""
    details = {"instanceType": "A2A", **(details or {})}
    if target:
        container = f"replicationFabrics/{target[0]}/replicationProtectionContainers/{target[1]}"
        details |= {"recoveryContainerId": f"{VAULT_ID}/{container}", "recoveryResourceGroupId": GROUPS[target]}
    return {"properties": {**properties, "providerSpecificDetails": details}}


def start(client: SiteRecoveryManagementClient, step: str, side: tuple[str, str], name: str) -> Any:
    """Start a step for the machine ``name``, which is protected in the container of ``side``; its operation."""
    items, item = client.replication_protected_items, (*VAULT, *side, name)
    switch = client.replication_protection_containers.begin_switch_protection
    machine = {"fabricObjectId": f"{GROUPS[side]}/providers/Microsoft.Compute/virtualMachines/{name}"}
    policy, network = {"policyId": f"{VAULT_ID}/replicationPolicies/daily"}, {"networkId": TEST_NETWORK_ID}
    return {
        "enable": lambda: items.begin_create(*item, body(policy, machine, target=SOUTHEAST)),
        "test": lambda: items.begin_test_failover(*item, body({"networkType": "VmNetworkAsInput", **network})),
        "clean-up": lambda: items.begin_test_failover_cleanup(*item, {"properties": {"comments": "The test is over."}}),
        "fail-over": lambda: items.begin_unplanned_failover(*item, body({"failoverDirection": "PrimaryToRecovery"})),
        "commit": lambda: items.begin_failover_commit(*item),
        # To re-protect a machine is to replicate it to the side where it has been protected until now.
        "re-protect": lambda: switch(*VAULT, *side, body({"replicationProtectedItemName": name}, target=side)),
    }[step]()


def run(client: SiteRecoveryManagementClient, step: str, sleep: Any = time.sleep) -> None:
    """Do a step for all machines, wait for the replication that it begins, and print where they run."""
    items = client.replication_protected_items
    machines = [
        ((fabric, box), name) for fabric, box, name in (item.id.split("/")[10::2] for item in items.list(*VAULT))
    ]
    machines = [(EAST, name) for name in ("app1", "db1", "web1")] if step == "enable" else machines
    for operation in [start(client, step, *machine) for machine in machines]:
        operation.result()
    while step in {"enable", "re-protect"} and {item.properties.protection_state for item in items.list(*VAULT)} != {
        "Protected"
    }:
        sleep(10)
    for item in items.list(*VAULT):
        machine = item.properties
        places = {"Primary": machine.primary_fabric_friendly_name, "Recovery": machine.recovery_fabric_friendly_name}
        print(f"{item.name} runs in {places[machine.active_location]}: {machine.protection_state}")


if __name__ == "__main__":
    endpoint = os.environ.get("ARM_ENDPOINT", "https://management.azure.com")
    credential, scopes = DefaultAzureCredential(), [f"{endpoint}/.default"]
    run(SiteRecoveryManagementClient(credential, DR.split("/")[2], endpoint, credential_scopes=scopes), sys.argv[1])
