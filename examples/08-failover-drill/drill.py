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
MACHINES = f"{PROD}/rg-apps-ea/providers/Microsoft.Compute/virtualMachines/"
POLICY = {"policyId": f"{VAULT_ID}/replicationPolicies/daily"}
TEST_NETWORK_ID = f"{DR}/rg-network-sea/providers/Microsoft.Network/virtualNetworks/test-sea"
TEST_NETWORK = {"networkType": "VmNetworkAsInput", "networkId": TEST_NETWORK_ID}
FORWARD = {"failoverDirection": "PrimaryToRecovery"}


def body(properties: dict[str, str], target: tuple[str, str] | None = None, **details: str) -> Any:
    """A request about an Azure machine; ``target`` is the fabric and the container that it is replicated to."""
    if target:
        container = "replicationFabrics/{}/replicationProtectionContainers/{}".format(*target)
        details |= {"recoveryContainerId": f"{VAULT_ID}/{container}", "recoveryResourceGroupId": GROUPS[target]}
    return {"properties": {**properties, "providerSpecificDetails": {"instanceType": "A2A", **details}}}


def run(client: SiteRecoveryManagementClient, step: str, sleep: Any = time.sleep) -> None:
    """Do a step for all machines, wait for the replication that it begins, and print where they run."""
    items, switch = client.replication_protected_items, client.replication_protection_containers.begin_switch_protection
    # Re-protection moves the machines to the container of the other fabric; the next re-protection moves them back.
    side = SOUTHEAST if any(items.list_by_replication_protection_containers(*VAULT, *SOUTHEAST)) else EAST
    begin = {
        "enable": lambda item: items.begin_create(*item, body(POLICY, SOUTHEAST, fabricObjectId=MACHINES + item[-1])),
        "test": lambda item: items.begin_test_failover(*item, body(TEST_NETWORK)),
        "clean-up": lambda item: items.begin_test_failover_cleanup(*item, {"properties": {"comments": "Done."}}),
        "fail-over": lambda item: items.begin_unplanned_failover(*item, body(FORWARD)),
        "commit": lambda item: items.begin_failover_commit(*item),
        # Re-protection replicates a machine back to the side where it was protected until now.
        "re-protect": lambda item: switch(*item[:-1], body({"replicationProtectedItemName": item[-1]}, side)),
    }[step]
    for operation in [begin((*VAULT, *side, name)) for name in ("app1", "db1", "web1")]:
        operation.result()
    replicates = step in {"enable", "re-protect"}
    while replicates and any(item.properties.protection_state != "Protected" for item in items.list(*VAULT)):
        sleep(10)
    for item in items.list(*VAULT):
        machine = item.properties
        places = {"Primary": machine.primary_fabric_friendly_name, "Recovery": machine.recovery_fabric_friendly_name}
        print(f"{item.name} runs in {places[machine.active_location]}: {machine.protection_state}")


if __name__ == "__main__":
    endpoint = os.environ.get("ARM_ENDPOINT", "https://management.azure.com")
    credential, scopes = DefaultAzureCredential(), [f"{endpoint}/.default"]
    run(SiteRecoveryManagementClient(credential, DR.split("/")[2], endpoint, credential_scopes=scopes), sys.argv[1])
