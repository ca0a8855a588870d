"""Networks, mappings and machines for tests of prediction: two regions, two VMM servers, one vault."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asrnet.failover import Landing, Machine, Network, Operation, Prediction, ReplicationKind, simulate
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
    IpConfiguration,
    MappingKind,
    NetworkMapping,
    Nic,
    ProtectedItem,
    Subnet,
    VirtualNetwork,
    VmNetwork,
)

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
VAULT = ArmId(f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault-dr")
BEIJING = VAULT.child("replicationFabrics", "beijing")
SHANGHAI = VAULT.child("replicationFabrics", "shanghai")
PSEUDO = VAULT.child("replicationFabrics", "d49858f1")


def subnet(name: str, *prefixes: str, used: Iterable[str] = (), count: int = 0, delegated: str | None = None) -> Subnet:
    used_ips = tuple(used)
    return Subnet(name=name, prefixes=prefixes, used=max(count, len(used_ips)), used_ips=used_ips, delegation=delegated)


def vnet(name: str, *subnets: Subnet, gateway: bool = False) -> VirtualNetwork:
    return VirtualNetwork(
        id=ArmId(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{name}"),
        location="eastasia",
        address_space=("10.0.0.0/8",),
        subnets=subnets,
        gateway=gateway,
    )


def vm_network(name: str, *subnets: Subnet, fabric: ArmId = BEIJING) -> VmNetwork:
    return VmNetwork(id=fabric.child("replicationNetworks", f"guid-{name}"), friendly_name=name, subnets=subnets)


def mapping(primary: Network, recovery: Network, *, state: str = "Paired", name: str = "") -> NetworkMapping:
    if isinstance(primary, VirtualNetwork):
        above = VAULT.child("replicationFabrics", f"fabric-{primary.name}", "replicationNetworks", "azureNetwork")
        to_fabric = VAULT.child("replicationFabrics", f"fabric-{recovery.id.name}")
        kind: MappingKind = "azure_to_azure"
    elif isinstance(recovery, VirtualNetwork):
        above, to_fabric, kind = primary.id, PSEUDO, "vmm_to_azure"
    else:
        above, to_fabric, kind = primary.id, recovery.fabric_id, "vmm_to_vmm"
    return NetworkMapping(
        id=above.child("replicationNetworkMappings", name or f"to-{recovery.id.name}"),
        kind=kind,
        primary_network_id=primary.id,
        recovery_network_id=recovery.id,
        recovery_fabric_id=to_fabric,
        state=state,
    )


def address(subnet_name: str | None = "web", ip: str | None = None, **fields: Any) -> IpConfiguration:
    return IpConfiguration(subnet=subnet_name, ip=ip, **fields)


def machine(
    name: str, network: Network, *configurations: IpConfiguration, nic: dict[str, Any] | None = None, **fields: Any
) -> Machine:
    first = Nic(name="nic0", primary_network_id=network.id, ip_configurations=configurations, **(nic or {}))
    return Machine(name=name, nics=(first,), **fields)


def item(name: str, network: Network, *configurations: IpConfiguration, **fields: Any) -> ProtectedItem:
    fabric = network.fabric_id if isinstance(network, VmNetwork) else VAULT.child("replicationFabrics", "ea")
    nic_fields = {key: fields.pop(key) for key in ("recovery_network_id", "test_network_id") if key in fields}
    nic = Nic(name="nic0", primary_network_id=network.id, ip_configurations=configurations, **nic_fields)
    path = ("replicationProtectionContainers", "cloud", "replicationProtectedItems", name)
    return ProtectedItem(id=fabric.child(*path), friendly_name=name, nics=(nic,), **fields)


def prediction(
    machines: Iterable[Machine],
    networks: Iterable[Network],
    mappings: Iterable[NetworkMapping],
    operation: Operation = "failover",
    **options: Any,
) -> Prediction:
    by_id = {network.id: network for network in networks}
    return simulate(machines, networks=by_id, mappings=mappings, operation=operation, **options)


def land(
    one: Machine,
    networks: Iterable[Network],
    mappings: Iterable[NetworkMapping],
    operation: Operation = "failover",
    **options: Any,
) -> Landing:
    landings = prediction([one], networks, mappings, operation, **options).landings
    assert len(landings) == 1
    return landings[0]


def codes(landing: Landing) -> set[str]:
    return {each.code for each in landing.notices}


EA = vnet("hub-ea", subnet("web", "10.0.1.0/24"), subnet("db", "10.0.2.0/24"))
SEA = vnet("hub-sea", subnet("web", "10.0.1.0/24"), subnet("db", "10.0.2.0/24"))
OTHER = vnet("other-sea", subnet("web", "10.0.1.0/24"))
TEST = vnet("test-sea", subnet("web", "10.0.1.0/24"))
GATEWAY = vnet("gateway-sea", subnet("web", "10.0.1.0/24"), gateway=True)
CORP = vm_network("corp")
SITE2 = vm_network("site2", fabric=SHANGHAI)
NETWORKS = (EA, SEA, OTHER, TEST, GATEWAY, CORP, SITE2)

A2A: MappingKind = "azure_to_azure"
TO_AZURE: MappingKind = "vmm_to_azure"
TO_VMM: MappingKind = "vmm_to_vmm"
ON_PREMISES: ReplicationKind = "on_premises_to_azure"

HOME = "10.0.1.20"
