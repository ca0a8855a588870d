"""The same work with the SDKs used the obvious way: the operations that asrnet calls, one after the other.

Their default pipeline, their models read by attribute, one poller for each mapping.

python -m benchmarks.plain_sdk plan|apply URL PAIRS
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

from azure.core.credentials import AccessToken
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

from asrnet.fake.builder import SUBSCRIPTION
from benchmarks.scenes import FABRICS, HERE, THERE, VAULT_ID, network_id

VAULT = ("rg-dr", VAULT_ID.name)
Way = tuple[str, str, str, str, str]


class AnyToken:
    """A credential for an emulator, which takes any token."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("any", int(time.time()) + 3600)


def missing(site_recovery: Any, networks: Any, pairs: int) -> Iterator[Way]:
    """Each missing mapping: its name, its fabrics and its networks. Fails if a machine is failing over."""
    known = {network.id.lower(): network.location for network in networks.virtual_networks.list_all()}
    fabrics = {fabric.name for fabric in site_recovery.replication_fabrics.list(*VAULT)}
    assert fabrics == set(FABRICS.values())
    mapped = {
        (mapping.properties.primary_network_id.lower(), mapping.properties.recovery_network_id.lower())
        for mapping in site_recovery.replication_network_mappings.list(*VAULT)
    }
    for item in site_recovery.replication_protected_items.list(*VAULT):
        assert item.properties.protection_state == "Protected"
    for job in site_recovery.replication_jobs.list(*VAULT, filter="jobStatus eq 'InProgress'"):
        assert "failover" not in job.properties.scenario_name.lower()
    for number in range(pairs):
        for primary, recovery in ((HERE, THERE), (THERE, HERE)):
            first, second = network_id(number, primary), network_id(number, recovery)
            ends = (str(first), str(second))
            assert known[ends[0].lower()] == primary
            if (ends[0].lower(), ends[1].lower()) not in mapped:
                yield (f"{first.name}-to-{second.name}", FABRICS[primary], FABRICS[recovery], *ends)


def create(site_recovery: Any, way: Way) -> Any:
    """A poller for a new mapping."""
    name, fabric, recovery_fabric, primary, recovery = way
    details = {"instanceType": "AzureToAzure", "primaryNetworkId": primary}
    properties = {
        "recoveryNetworkId": recovery,
        "recoveryFabricName": recovery_fabric,
        "fabricSpecificDetails": details,
    }
    mappings = site_recovery.replication_network_mappings
    return mappings.begin_create(*VAULT, fabric, "azureNetwork", name, {"properties": properties})


def main() -> None:
    """Find the missing mappings, start creating them all, and wait for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["plan", "apply"])
    parser.add_argument("url")
    parser.add_argument("pairs", type=int)
    given = parser.parse_args()
    where: dict[str, Any] = {"base_url": given.url, "credential_scopes": [f"{given.url}/.default"]}
    site_recovery = SiteRecoveryManagementClient(AnyToken(), SUBSCRIPTION, **where)
    networks = NetworkManagementClient(AnyToken(), SUBSCRIPTION, **where)
    ways = list(missing(site_recovery, networks, given.pairs))
    assert bool(ways) == (given.task == "apply")
    for poller in [create(site_recovery, way) for way in ways]:
        assert poller.result().properties.state == "Paired"


if __name__ == "__main__":
    main()
