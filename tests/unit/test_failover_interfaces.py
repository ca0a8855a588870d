"""NICs compared with their replicas: what is left behind, differs or is unknown."""

from __future__ import annotations

from typing import Any

import pytest
from failover_worlds import GROUP, subnet, vnet
from msgspec import structs

from asrnet.failover import InterfaceComparison, KnownInterfaces, Machine, Operation, compare_interfaces, simulate
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
    NOT_SELECTED,
    InterfaceAddress,
    IpConfiguration,
    NetworkInterface,
    NetworkMapping,
    Nic,
    VirtualNetwork,
)


def resource(kind: str, name: str) -> ArmId:
    return ArmId(f"{GROUP}/providers/Microsoft.Network/{kind}/{name}")


NSG, NSG_THERE = resource("networkSecurityGroups", "nsg-web"), resource("networkSecurityGroups", "nsg-web-sea")
PIP, PIP_THERE = resource("publicIPAddresses", "web1-pip"), resource("publicIPAddresses", "web1-pip-sea")
POOL = resource("loadBalancers", "lb").child("backendAddressPools", "web")
POOL_THERE = resource("loadBalancers", "lb-sea").child("backendAddressPools", "web")
RULE = resource("loadBalancers", "lb").child("inboundNatRules", "ssh")
GATEWAY_POOL = resource("applicationGateways", "agw").child("backendAddressPools", "web")
ASG = resource("applicationSecurityGroups", "asg-web")

EA = vnet("ea", subnet("web", "10.0.1.0/24"))
SEA = structs.replace(vnet("sea", subnet("web", "10.0.1.0/24")), location="southeastasia")


def guarded(network: VirtualNetwork, group: ArmId) -> VirtualNetwork:
    """The network with a security group on its subnet."""
    (only,) = network.subnets
    return structs.replace(network, subnets=(structs.replace(only, network_security_group=group),))


def interface(
    *secondary: InterfaceAddress, network_security_group: ArmId | None = None, **first: Any
) -> NetworkInterface:
    nic = {name: first.pop(name) for name in ("dns_servers", "accelerated_networking") if name in first}
    primary = InterfaceAddress(network=EA.id, subnet="web", ip="10.0.1.4", ip_type="Static", **first)
    return NetworkInterface(
        id=resource("networkInterfaces", "web1-nic"),
        location="eastasia",
        network_security_group=network_security_group,
        ip_configurations=(primary, *secondary),
        **nic,
    )


def replicated(*secondary: IpConfiguration, nic: dict[str, Any] | None = None, **first: Any) -> Machine:
    """A machine of ``ea`` whose replica lands in ``sea``; ``first`` are members of its IP configuration."""
    primary = IpConfiguration(subnet="web", ip="10.0.1.4", ip_type="Static", **first)
    members = {
        "name": "web1-nic",
        "source_id": resource("networkInterfaces", "web1-nic"),
        "primary_network_id": EA.id,
        "recovery_network_id": SEA.id,
        "ip_configurations": (primary, *secondary),
        **(nic or {}),
    }
    return Machine(name="web1", kind="azure_to_azure", nics=(Nic(**members),))


def compared(
    machine: Machine,
    *interfaces: NetworkInterface,
    networks: tuple[VirtualNetwork, ...] = (EA, SEA),
    operation: Operation = "failover",
    unread: dict[str, str] | None = None,
) -> InterfaceComparison:
    by_id = {network.id: network for network in networks}
    mappings: list[NetworkMapping] = []
    landings = simulate([machine], networks=by_id, mappings=mappings, operation=operation).landings
    known = KnownInterfaces(interfaces, unread or {})
    (comparison,) = compare_interfaces([machine], landings, known, by_id, operation=operation)
    return comparison


def test_resources_without_a_counterpart_are_left_behind() -> None:
    today = interface(
        network_security_group=NSG,
        public_ip=PIP,
        load_balancer_pools=(POOL,),
        inbound_nat_rules=(RULE,),
        application_gateway_pools=(GATEWAY_POOL,),
        application_security_groups=(ASG,),
    )
    assert compared(replicated(), today).left_behind == (
        "network security group nsg-web",
        "public address web1-pip",
        "load balancer pool lb/web",
        "inbound NAT rule lb/ssh",
        "application gateway pool agw/web",
        "application security group asg-web",
    )


def test_resources_set_for_the_recovery_side_are_not_left_behind() -> None:
    machine = replicated(
        nic={"recovery_network_security_group": NSG_THERE},
        recovery_public_ip=PIP_THERE,
        recovery_load_balancer_pools=(POOL_THERE,),
    )
    today = interface(network_security_group=NSG, public_ip=PIP, load_balancer_pools=(POOL,))
    comparison = compared(machine, today)
    assert (comparison.left_behind, comparison.unknown) == ((), ())
    assert comparison.there
    assert comparison.there.network_security_group == NSG_THERE
    assert (comparison.there.public_ips, comparison.there.load_balancer_pools) == ((PIP_THERE,), (POOL_THERE,))


def test_a_nic_with_nothing_leaves_nothing_behind() -> None:
    assert compared(replicated(), interface()).left_behind == ()


def test_the_group_of_a_subnet_protects_too() -> None:
    comparison = compared(replicated(), interface(), networks=(guarded(EA, NSG), SEA))
    assert comparison.left_behind == ("network security group nsg-web of its subnet",)
    assert compared(replicated(), interface(), networks=(guarded(EA, NSG), guarded(SEA, NSG_THERE))).left_behind == ()


def test_a_nics_group_that_only_the_subnets_group_replaces_is_left_behind_with_a_note() -> None:
    today = interface(network_security_group=NSG)
    comparison = compared(replicated(), today, networks=(EA, guarded(SEA, NSG_THERE)))
    assert comparison.left_behind == ("network security group nsg-web (its subnet has nsg-web-sea)",)


def test_a_secondary_ip_configuration_that_stays_behind_leaves_its_public_address() -> None:
    second = resource("publicIPAddresses", "web1-pip2")
    today = interface(
        InterfaceAddress(name="ipconfig2", primary=False, network=EA.id, subnet="web", public_ip=second), public_ip=PIP
    )
    stays = IpConfiguration(
        name="ipconfig2",
        primary=False,
        selected_for_failover=False,
        recovery_public_ip=resource("publicIPAddresses", "x"),
    )
    comparison = compared(replicated(stays, recovery_public_ip=PIP_THERE), today)
    assert comparison.left_behind == ("public address web1-pip, web1-pip2 (1 of 2 on the replica)",)


def test_a_test_failover_uses_the_test_settings() -> None:
    machine = replicated(
        nic={
            "test_network_id": SEA.id,
            "settings": {"tfoNetworkSecurityGroupId": str(NSG_THERE)},
        },
        recovery_public_ip=PIP_THERE,
        settings={"tfoLBBackendAddressPoolIds": (str(POOL_THERE),)},
    )
    today = interface(network_security_group=NSG, public_ip=PIP, load_balancer_pools=(POOL,))
    assert compared(machine, today, operation="test-failover").left_behind == ("public address web1-pip",)


@pytest.mark.parametrize(
    ("setting", "differs"),
    [
        (True, ()),
        (False, ("accelerated networking is off on the replica",)),
        (None, ("accelerated networking on the replica is not known",)),
    ],
)
def test_accelerated_networking_is_compared(setting: bool | None, differs: tuple[str, ...]) -> None:
    settings = {} if setting is None else {"enableAcceleratedNetworkingOnRecovery": setting}
    comparison = compared(replicated(nic={"settings": settings}), interface(accelerated_networking=True))
    assert comparison.differs == differs


def test_the_dns_servers_of_a_nic_give_way_to_those_of_the_network_it_lands_on() -> None:
    there = structs.replace(SEA, dns_servers=("10.9.0.4",))
    comparison = compared(replicated(), interface(dns_servers=("10.0.0.10",)), networks=(EA, there))
    assert comparison.differs == ("DNS: 10.0.0.10 today, 10.9.0.4 on the replica",)
    assert compared(replicated(), interface()).differs == ()


def test_the_primary_address_is_that_of_the_landing() -> None:
    comparison = compared(replicated(recovery_ip="10.0.1.9"), interface())
    assert comparison.today
    assert comparison.there
    assert (comparison.today.primary_ip, comparison.there.primary_ip) == ("10.0.1.4", "10.0.1.9")


def test_a_nic_that_does_not_tell_its_id_is_found_by_its_name_on_its_network() -> None:
    machine = replicated(nic={"source_id": None})
    assert compared(machine, interface(network_security_group=NSG)).left_behind == ("network security group nsg-web",)
    twin = structs.replace(interface(), id=ArmId(str(interface().id).replace("/rg/", "/other/")))
    assert compared(machine, interface(), twin).today is None


def test_a_nic_on_no_list_is_unknown() -> None:
    comparison = compared(replicated())
    assert (comparison.today, comparison.left_behind) == (None, ())
    assert "has no such network interface, or the identity cannot see it" in comparison.unknown[0]


def test_a_list_that_could_not_be_read_makes_its_nics_unknown() -> None:
    subscription = EA.id.subscription
    comparison = compared(replicated(), unread={subscription: "not allowed"})
    assert comparison.unknown == (
        f"the network interfaces of subscription {subscription} could not be read: not allowed",
    )


def test_the_protection_of_an_unread_subnet_is_unknown_and_not_missing() -> None:
    comparison = compared(replicated(), interface(), networks=(guarded(EA, NSG),))
    assert comparison.left_behind == ()
    assert comparison.unknown == ("its subnet in sea is not known, so that subnet's security group is not known",)


def test_an_existing_nic_that_is_used_again_is_not_compared() -> None:
    machine = replicated(nic={"settings": {"reuseExistingNic": True, "recoveryNicName": "web1-sea"}})
    comparison = compared(machine, interface(network_security_group=NSG))
    assert comparison.left_behind == ()
    assert comparison.unknown == ("the replica uses an existing NIC (web1-sea), which is not compared",)


def test_a_machine_whose_nics_are_not_listed_yet_is_unknown() -> None:
    machine = Machine(name="web1", kind="azure_to_azure", nics=())
    (comparison,) = compare_interfaces([machine], (), KnownInterfaces((), {}), {}, operation="failover")
    assert comparison.unknown == ("Site Recovery does not report the NICs of this machine yet",)


def test_machines_on_premises_and_nics_that_are_not_made_there_are_not_compared() -> None:
    on_premises = structs.replace(replicated(), kind="vmm_to_azure")
    left_out = replicated(nic={"selection": NOT_SELECTED})
    known = KnownInterfaces((), {})
    assert compare_interfaces([on_premises, left_out], (), known, {}, operation="failover") == ()
