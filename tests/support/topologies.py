"""The two sites of Microsoft's example, Beijing and Shanghai, as a topology file and as a vault, for tests of VMM.

``TWO_SITES`` has the logical networks as the document prints them, ``CORRECTED`` those that its table of results
requires.
"""

from __future__ import annotations

from failover_worlds import VAULT

from asrnet.model import azure as models
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, VmNetwork
from asrnet.vmm import Topology, checked, merge, parse_topology, targets, topology_of_vault

TWO_SITES = """\
version: 1
fabrics:
- server: VMM-Beijing
  networks:
  - {friendly_name: VMNetwork1-Beijing, logical_network: LogicalNetwork1-Beijing}
  - {friendly_name: VMNetwork2-Beijing, logical_network: LogicalNetwork1-Beijing}
  logical_networks: [{friendly_name: LogicalNetwork1-Beijing}]
  clouds: [{friendly_name: GoldCloud1}, {friendly_name: SilverCloud1}]
  cloud_mappings:
  - {primary: GoldCloud1, recovery_fabric: VMM-Shanghai, recovery: GoldCloud2}
  - {primary: SilverCloud1, recovery_fabric: VMM-Shanghai, recovery: SilverCloud2}
- server: VMM-Shanghai
  networks:
  - {friendly_name: VMNetwork1-Shanghai, logical_network: LogicalNetwork1-Shanghai}
  - {friendly_name: VMNetwork2-Shanghai, logical_network: LogicalNetwork2Shanghai}
  logical_networks: [{friendly_name: LogicalNetwork1-Shanghai}, {friendly_name: LogicalNetwork2Shanghai}]
  clouds:
  - {friendly_name: GoldCloud2, logical_networks: [LogicalNetwork1-Beijing, LogicalNetwork1-Shanghai]}
  - {friendly_name: SilverCloud2, logical_networks: [LogicalNetwork1-Beijing, LogicalNetwork1-Shanghai]}
"""
GOLD = "GoldCloud2, logical_networks: [LogicalNetwork1-Beijing, LogicalNetwork1-Shanghai"
CORRECTED = TWO_SITES.replace(GOLD, f"{GOLD}, LogicalNetwork2Shanghai")


def two_sites(text: str = CORRECTED) -> Topology:
    return checked(parse_topology(text, "topology.yaml"))


def available(topology: Topology, recovery: str, primary: str | None = None) -> dict[tuple[str, str], bool]:
    shown = targets(
        topology,
        primary=topology.find_network(primary) if primary else None,
        recovery=topology.find_network(recovery),
    )
    return {(each.protected_cloud, each.protecting_cloud): each.available for each in shown}


BEIJING, SHANGHAI = (VAULT.child("replicationFabrics", name) for name in ("f-beijing", "f-shanghai"))
FABRICS = (
    Fabric(id=BEIJING, kind="vmm", friendly_name="VMM-Beijing"),
    Fabric(id=SHANGHAI, kind="vmm", friendly_name="VMM-Shanghai"),
)


def live_network(fabric: ArmId, name: str) -> VmNetwork:
    return VmNetwork(id=fabric.child("replicationNetworks", f"guid-{name}"), friendly_name=name)


BEIJING1, BEIJING2 = (live_network(BEIJING, f"VMNetwork{n}-Beijing") for n in (1, 2))
SHANGHAI1, SHANGHAI2 = (live_network(SHANGHAI, f"VMNetwork{n}-Shanghai") for n in (1, 2))
NETWORKS = (BEIJING1, BEIJING2, SHANGHAI1, SHANGHAI2)


def cloud(fabric: ArmId, name: str) -> models.Cloud:
    return models.Cloud(id=fabric.child("replicationProtectionContainers", f"cloud-{name}"), friendly_name=name)


CLOUDS = [
    cloud(BEIJING, "GoldCloud1"),
    cloud(BEIJING, "SilverCloud1"),
    cloud(SHANGHAI, "GoldCloud2"),
    cloud(SHANGHAI, "SilverCloud2"),
]


def live(*networks: VmNetwork) -> Topology:
    protections = [
        models.CloudMapping(
            id=primary.id.child("replicationProtectionContainerMappings", "m"),
            primary_cloud_id=primary.id,
            recovery_cloud_id=recovery.id,
        )
        for primary, recovery in zip(CLOUDS[:2], CLOUDS[2:], strict=True)
    ]
    logical = [
        models.LogicalNetwork(id=fabric.child("replicationLogicalNetworks", name), friendly_name=name)
        for fabric, name in (
            (BEIJING, "LogicalNetwork1-Beijing"),
            (SHANGHAI, "LogicalNetwork1-Shanghai"),
            (SHANGHAI, "LogicalNetwork2Shanghai"),
        )
    ]
    return topology_of_vault(
        FABRICS,
        networks=networks or NETWORKS,
        logical_networks=logical,
        clouds=CLOUDS,
        cloud_mappings=protections,
    )


def declared(text: str) -> Topology:
    return merge(live(), parse_topology(text, "topology.yaml"))
