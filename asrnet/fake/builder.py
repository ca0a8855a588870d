"""Builds worlds concisely for tests, examples and users' own test suites."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from msgspec.structs import replace

from asrnet.clocks import SimulatedClock
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.fake.records import (
    CloudRecord,
    PlanAction,
    PlanGroup,
    RecoveryPlan,
    ReplicationPolicy,
    Site,
    SiteKind,
    SourceMachine,
    Subscription,
    VaultResource,
    VirtualMachine,
    VmNetworkRecord,
)
from asrnet.fake.seeding import Seed, seed
from asrnet.fake.state import TENANT
from asrnet.fake.world import World
from asrnet.model.arm import AZURE_NETWORK, VNET, ArmId, normal_location
from asrnet.model.azure import (
    Cloud,
    CloudMapping,
    Fabric,
    InterfaceAddress,
    IpConfiguration,
    Job,
    LogicalNetwork,
    NetworkInterface,
    NetworkMapping,
    NetworkSecurityGroup,
    Nic,
    Peering,
    ProtectedItem,
    ResourceGroup,
    RouteTable,
    Subnet,
    UnreadableMapping,
    VirtualNetwork,
    VmNetwork,
)
from asrnet.model.regions import region_name
from asrnet.ports import Clock

SUBSCRIPTION: Final = "11111111-1111-1111-1111-111111111111"


class Builder:
    """Adds resources to ``world`` without applying its rules. Every method returns what it added.

    Names are enough: resource groups, address spaces and the names of fabrics and mappings have defaults.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        behaviour: Behaviour | None = None,
        subscription: str = SUBSCRIPTION,
        tenant: str = TENANT,
    ) -> None:
        self.world = World(clock=clock or SimulatedClock(), behaviour=behaviour, tenant=tenant)
        self._subscription = subscription
        self._numbers = itertools.count(1)
        self._spaces = itertools.count()
        self.world.state.ensure_subscription(subscription)

    def add(self, *resources: Seed) -> None:
        """Add resources unchanged."""
        seed(self.world, *resources)

    def subscription(self, subscription: str, *, name: str = "", tenant: str = "") -> Subscription:
        """Add a subscription, in another tenant if one is given."""
        added = Subscription(id=subscription.lower(), name=name or subscription, tenant=tenant or self.world.tenant)
        self.add(added)
        return added

    def resource_group(self, name: str, *, location: str = "eastus") -> ResourceGroup:
        """Add an empty resource group."""
        group = ResourceGroup(id=self._group(name), location=location)
        self.add(group)
        return group

    def virtual_network(
        self,
        name: str,
        location: str,
        *,
        group: str = "rg",
        subscription: str | None = None,
        address_space: Sequence[str] = (),
        subnets: Mapping[str, str] | Sequence[Subnet] = (),
        tags: Mapping[str, str] | None = None,
        gateway: bool = False,
        dns_servers: Sequence[str] = (),
        peerings: Sequence[VirtualNetwork | Peering] = (),
    ) -> VirtualNetwork:
        """Add a virtual network. Subnets are structs, or prefixes by name. The default address space is a new /16."""
        if isinstance(subnets, Mapping):
            subnets = [Subnet(name=subnet, prefixes=(prefix,)) for subnet, prefix in subnets.items()]
        network = VirtualNetwork(
            id=self._group(group, subscription).child("providers", "Microsoft.Network", "virtualNetworks", name),
            location=location,
            address_space=tuple(address_space) or (f"10.{next(self._spaces) % 256}.0.0/16",),
            subnets=tuple(subnets),
            tags=dict(tags or {}),
            gateway=gateway,
            dns_servers=tuple(dns_servers),
            peerings=tuple(peer if isinstance(peer, Peering) else Peering(network_id=peer.id) for peer in peerings),
        )
        self.add(network)
        return network

    def network_security_group(self, name: str, location: str, *, group: str = "rg") -> NetworkSecurityGroup:
        """Add a network security group."""
        group_id = self._group(group).child("providers", "Microsoft.Network", "networkSecurityGroups", name)
        security_group = NetworkSecurityGroup(id=group_id, location=location)
        self.add(security_group)
        return security_group

    def route_table(self, name: str, location: str, *, group: str = "rg") -> RouteTable:
        """Add a route table."""
        table_id = self._group(group).child("providers", "Microsoft.Network", "routeTables", name)
        table = RouteTable(id=table_id, location=location)
        self.add(table)
        return table

    def network_interface(
        self, name: str, network: VirtualNetwork, *, group: str = "rg", subnet: str | None = None, ip: str | None = None
    ) -> NetworkInterface:
        """Add a network interface with one IP configuration."""
        address = InterfaceAddress(network=network.id, subnet=subnet, ip=ip, ip_type="Dynamic")
        interface = NetworkInterface(
            id=self._group(group).child("providers", "Microsoft.Network", "networkInterfaces", name),
            location=network.location,
            ip_configurations=(address,),
        )
        self.add(interface)
        return interface

    def vault(
        self,
        name: str = "vault-dr",
        location: str = "southeastasia",
        *,
        group: str = "rg-dr",
        subscription: str | None = None,
        used: bool = False,
    ) -> VaultResource:
        """Add a vault. It counts as ``used`` once a fabric is added."""
        vault_id = self._group(group, subscription).child("providers", "Microsoft.RecoveryServices", "vaults", name)
        vault = VaultResource(id=vault_id, location=location, used=used)
        self.add(vault)
        return vault

    def replication_policy(self, vault: VaultResource, name: str = "daily") -> ReplicationPolicy:
        """Add a replication policy for Azure machines."""
        policy = ReplicationPolicy(id=vault.id.child("replicationPolicies", name))
        self.add(policy)
        return policy

    def recovery_plan(
        self, vault: VaultResource, name: str, *items: ProtectedItem, actions: Sequence[PlanAction] = ()
    ) -> RecoveryPlan:
        """Add a recovery plan with all items in one group, and the actions before it."""
        recovery_fabric_id = items[0].recovery_fabric_id or vault.id.child("replicationFabrics", PSEUDO_FABRIC)
        plan = RecoveryPlan(
            id=vault.id.child("replicationRecoveryPlans", name),
            primary_fabric_id=items[0].fabric_id,
            recovery_fabric_id=recovery_fabric_id,
            groups=(PlanGroup(items=tuple(item.id for item in items), start_actions=tuple(actions)),),
        )
        self.add(plan)
        return plan

    def azure_fabric(self, vault: VaultResource, location: str, *, name: str = "") -> Fabric:
        """Add the fabric of a region, named as the portal names it."""
        short = normal_location(location)
        fabric = Fabric(
            id=vault.id.child("replicationFabrics", name or f"asr-a2a-default-{short}"),
            kind="azure",
            location=short,
            friendly_name=region_name(location),
        )
        self.add(fabric)
        return fabric

    def vmm_fabric(self, vault: VaultResource, server: str) -> Fabric:
        """Add a VMM server. The name of its fabric has 64 hex digits, as names created by the service do."""
        # The same server always gets the same name, so that tests can compare two runs.
        name = uuid5(NAMESPACE_URL, f"{vault.id.key} {server}").hex * 2
        fabric = Fabric(id=vault.id.child("replicationFabrics", name), kind="vmm", friendly_name=server)
        self.add(fabric)
        return fabric

    def site(self, vault: VaultResource, name: str, kind: SiteKind = "HyperVSite") -> Fabric:
        """Add an on-premises site without VMM, such as a VMware site (``InMageRcm``)."""
        fabric = Fabric(id=vault.id.child("replicationFabrics", name), kind="other", friendly_name=name)
        self.add(fabric, Site(fabric_id=fabric.id, kind=kind))
        return fabric

    def source_machine(self, cloud: Cloud, name: str, *nics: Nic) -> SourceMachine:
        """Add an unprotected Hyper-V machine to a cloud or to the container of a site."""
        machine_id = self._named(cloud.id, "replicationProtectableItems", name)
        machine = SourceMachine(id=machine_id, friendly_name=name, nics=nics)
        self.add(machine)
        return machine

    def vm_network(self, fabric: Fabric, name: str, *, logical_network: str | None = None) -> VmNetwork:
        """Add a VM network of a VMM server."""
        network = VmNetwork(id=self._named(fabric.id, "replicationNetworks", name), friendly_name=name)
        self.add(VmNetworkRecord(network=network, logical_network=logical_network))
        return network

    def logical_network(self, fabric: Fabric, name: str) -> LogicalNetwork:
        """Add a logical network of a VMM server."""
        network = LogicalNetwork(id=self._named(fabric.id, "replicationLogicalNetworks", name), friendly_name=name)
        self.add(network)
        return network

    def cloud(self, fabric: Fabric, name: str, *, logical_networks: Sequence[str] | None = None) -> Cloud:
        """Add a cloud of a VMM server."""
        cloud_id = fabric.id.child("replicationProtectionContainers", f"cloud_{uuid5(NAMESPACE_URL, name)}")
        cloud = Cloud(id=cloud_id, friendly_name=name)
        names = None if logical_networks is None else tuple(logical_networks)
        self.add(CloudRecord(cloud=cloud, logical_networks=names))
        return cloud

    def container(self, fabric: Fabric) -> Cloud:
        """Add the protection container of an Azure fabric, named as the portal names it."""
        name = f"{fabric.name}-container"
        cloud = Cloud(id=fabric.id.child("replicationProtectionContainers", name), friendly_name=name)
        self.add(CloudRecord(cloud=cloud))
        return cloud

    def cloud_mapping(
        self, primary: Cloud, recovery: Cloud | None, *, policy: ReplicationPolicy | None = None
    ) -> CloudMapping:
        """Add a container mapping from ``primary`` to ``recovery``; None stands for Azure."""
        recovery_name = recovery.friendly_name if recovery else "Microsoft Azure"
        mapping = CloudMapping(
            id=primary.id.child("replicationProtectionContainerMappings", f"{primary.friendly_name}-{recovery_name}"),
            primary_cloud_id=primary.id,
            recovery_cloud_id=recovery.id if recovery else None,
            recovery_cloud_name=recovery_name,
            policy_id=policy.id if policy else None,
        )
        self.add(mapping)
        return mapping

    def mapping(
        self,
        primary_fabric: Fabric,
        primary: VirtualNetwork | VmNetwork,
        recovery_fabric: Fabric | None,
        recovery: VirtualNetwork | VmNetwork,
        *,
        name: str = "",
        state: str = "Paired",
    ) -> NetworkMapping:
        """Add a network mapping of any kind. For VMM to Azure, ``recovery_fabric`` is None."""
        azure = primary_fabric.kind == "azure"
        vault_id = primary_fabric.id.parent
        segment = AZURE_NETWORK if azure else primary.id.name
        own_name = name or f"{primary.id.name}-to-{recovery.id.name}"
        mapping = NetworkMapping(
            id=primary_fabric.id.child("replicationNetworks", segment, "replicationNetworkMappings", own_name),
            kind="azure_to_azure" if azure else "vmm_to_azure" if recovery.id.type == VNET else "vmm_to_vmm",
            primary_network_id=primary.id,
            recovery_network_id=recovery.id,
            recovery_fabric_id=recovery_fabric.id
            if recovery_fabric
            else vault_id.child("replicationFabrics", PSEUDO_FABRIC),
            primary_location=primary_fabric.location,
            recovery_location=recovery_fabric.location if recovery_fabric else None,
            state=state,
        )
        self.add(mapping)
        return self.world.state.mapping(mapping.id) or mapping

    def unreadable_mapping(
        self, fabric: Fabric, name: str, primary: VirtualNetwork | VmNetwork | None = None
    ) -> UnreadableMapping:
        """Add a mapping that omits which networks it maps, or omits only the recovery network."""
        segment = AZURE_NETWORK if fabric.kind == "azure" or primary is None else primary.id.name
        mapping_id = fabric.id.child("replicationNetworks", segment, "replicationNetworkMappings", name)
        mapping = UnreadableMapping(id=mapping_id, primary_network_id=primary.id if primary else None)
        self.add(mapping)
        return mapping

    def pair(
        self, first_fabric: Fabric, first: VirtualNetwork, second_fabric: Fabric, second: VirtualNetwork
    ) -> tuple[NetworkMapping, NetworkMapping]:
        """Add both mappings of a pair."""
        return (
            self.mapping(first_fabric, first, second_fabric, second),
            self.mapping(second_fabric, second, first_fabric, first),
        )

    def nic(
        self,
        name: str,
        network: VirtualNetwork | VmNetwork,
        *,
        subnet: str | None = None,
        ip: str | None = None,
        recovery: VirtualNetwork | None = None,
        test: VirtualNetwork | None = None,
    ) -> Nic:
        """Build a NIC of a protected item with one IP configuration. It is not added to anything."""
        configuration = IpConfiguration(subnet=subnet, ip=ip, ip_type="Dynamic")
        return Nic(
            name=name,
            primary_network_id=network.id,
            recovery_network_id=recovery.id if recovery else None,
            test_network_id=test.id if test else None,
            ip_configurations=(configuration,),
        )

    def virtual_machine(
        self, name: str, network: VirtualNetwork, *, group: str = "rg", subnet: str | None = None, ip: str | None = None
    ) -> VirtualMachine:
        """Add an unprotected Azure machine with one NIC."""
        machine_id = self._group(group).child("providers", "Microsoft.Compute", "virtualMachines", name)
        configuration = IpConfiguration(subnet=subnet, ip=ip, ip_type="Dynamic")
        nic = Nic(name=f"{name}-nic", primary_network_id=network.id, ip_configurations=(configuration,))
        machine = VirtualMachine(id=machine_id, location=network.location, nics=(nic,))
        self.add(machine)
        return machine

    def protected_item(
        self,
        name: str,
        fabric: Fabric,
        recovery_fabric: Fabric | None,
        *nics: Nic,
        cloud: Cloud | None = None,
        **members: Any,
    ) -> ProtectedItem:
        """Add a replicated machine. ``members`` sets further members of ProtectedItem, such as ``state``.

        For an on-premises machine, ``cloud`` is the cloud that contains it. A machine whose ``initial_location`` is
        not the location of its fabric has been re-protected after a failover.
        """
        item = ProtectedItem(
            id=(cloud or self.container(fabric)).id.child("replicationProtectedItems", name),
            friendly_name=name,
            recovery_fabric_id=recovery_fabric.id if recovery_fabric else None,
            nics=nics,
            **members,
        )
        self.add(item)
        return self.world.state.protected_items.get(item.vault_id.key, item.id.key) or item

    def protected_machine(
        self, vault: VaultResource, name: str, primary: VirtualNetwork, recovery: VirtualNetwork, **address: str
    ) -> ProtectedItem:
        """Add an Azure machine that is protected from one network to another, with everything its whole life needs.

        ``address`` is its ``subnet`` and its ``ip``. Missing fabrics, containers and container mappings are added;
        network mappings are not.
        """
        sides = []
        for network in (primary, recovery):
            fabrics = self.world.state.fabrics.values(vault.id.key)
            location = normal_location(network.location)
            fabric = next((fabric for fabric in fabrics if fabric.location == location), None)
            sides.append(fabric or self.azure_fabric(vault, network.location))
        containers = [self.container(fabric) for fabric in sides]
        for container, other in (containers, reversed(containers)):
            self.cloud_mapping(container, other)
        machine = self.virtual_machine(name, primary, **address)
        nic = replace(machine.nics[0], recovery_network_id=recovery.id)
        fabric, recovery_fabric = sides
        return self.protected_item(
            name, fabric, recovery_fabric, nic, machine_id=machine.id, recovery_container_id=containers[1].id
        )

    def deny(self, *actions: str) -> None:
        """Deny the identity actions such as ``Microsoft.Network/virtualNetworks/write``; globs are allowed."""
        denied = (*self.world.behaviour.denied, *actions)
        self.world.behaviour = replace(self.world.behaviour, denied=denied)

    def job(
        self, vault: VaultResource, scenario: str, *, state: str = "InProgress", start_time: str = "", target: str = ""
    ) -> Job:
        """Add a job that somebody else started."""
        name = str(uuid5(NAMESPACE_URL, f"job {next(self._numbers)}"))
        job = Job(
            id=vault.id.child("replicationJobs", name),
            scenario=scenario,
            state=state,
            start_time=start_time or "2026-01-01T00:00:00.0000000Z",
            target=target,
        )
        self.add(job)
        return job

    def _group(self, name: str, subscription: str | None = None) -> ArmId:
        return ArmId(f"/subscriptions/{subscription or self._subscription}/resourceGroups/{name}")

    def _named(self, parent: ArmId, kind: str, name: str) -> ArmId:
        return parent.child(kind, str(uuid5(NAMESPACE_URL, f"{parent.key} {kind} {name}")))
