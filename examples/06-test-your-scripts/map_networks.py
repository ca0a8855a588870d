"""A team's own provisioning script, on Azure's SDK: maps two networks of a vault onto each other.

It knows nothing of asrnet but two variables, so that the same script runs against Azure and against the emulator.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from azure.identity import DefaultAzureCredential
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient


def connect(subscription: str) -> SiteRecoveryManagementClient:
    """A client of Azure, or of the server that ARM_ENDPOINT names."""
    endpoint = os.environ.get("ARM_ENDPOINT", "https://management.azure.com")
    return SiteRecoveryManagementClient(
        DefaultAzureCredential(), subscription, base_url=endpoint, credential_scopes=[f"{endpoint}/.default"]
    )


def map_both_ways(vault_id: str, first: tuple[str, str], second: tuple[str, str]) -> None:
    """Map two networks, each given as the name of its fabric and its id."""
    parts = vault_id.split("/")
    client = connect(parts[2])
    for (fabric, network), (recovery_fabric, recovery_network) in ((first, second), (second, first)):
        name = f"{network.rpartition('/')[2]}-to-{recovery_network.rpartition('/')[2]}"
        client.replication_network_mappings.begin_create(
            parts[4], parts[8], fabric, "azureNetwork", name, body(network, recovery_fabric, recovery_network)
        ).result()


def body(network: str, recovery_fabric: str, recovery_network: str) -> Any:
    """The request body of a mapping."""
    details = {"instanceType": "AzureToAzure", "primaryNetworkId": network}
    properties = {"recoveryFabricName": recovery_fabric, "recoveryNetworkId": recovery_network}
    return {"properties": {**properties, "fabricSpecificDetails": details}}


if __name__ == "__main__":
    map_both_ways(sys.argv[1], (sys.argv[2], sys.argv[3]), (sys.argv[4], sys.argv[5]))
