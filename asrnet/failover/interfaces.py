"""Compares a network interface with that of its replica: what protects it, what publishes it, and DNS.

Site Recovery creates the replica's NICs from the settings of the protected item. There are settings for a network
security group, public addresses, load balancer pools and accelerated networking, but none for inbound NAT rules,
application gateways, application security groups or DNS servers. Source: Customize networking configurations of the
target Azure VM.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from asrnet.errors import InputError
from asrnet.failover.landing import InterfaceComparison, InterfaceState, Landing, Operation
from asrnet.failover.machines import Machine
from asrnet.failover.network_names import Network
from asrnet.model.arm import ArmId
from asrnet.model.azure import NOT_SELECTED, InterfaceAddress, NetworkInterface, Nic, VirtualNetwork


class KnownInterfaces:
    """The network interfaces that were read, and why those of other subscriptions could not be read."""

    def __init__(self, interfaces: Iterable[NetworkInterface], unread: Mapping[str, str]) -> None:
        self._by_id: dict[ArmId, NetworkInterface] = {}
        self._by_place: dict[tuple[str, ArmId | None], NetworkInterface | None] = {}
        self._unread = unread
        for interface in interfaces:
            self._by_id[interface.id] = interface
            for network_id in {address.network for address in interface.ip_configurations}:
                place = (interface.id.name.lower(), network_id)
                # If two interfaces in different resource groups share name and network, it is unknown which one is
                # meant.
                self._by_place[place] = None if place in self._by_place else interface

    def find(self, nic: Nic) -> NetworkInterface | str:
        """The current interface of a protected NIC, or why it is unknown."""
        interface = self._by_id.get(nic.source_id) if nic.source_id else None
        # An item may lack the NIC's id. An interface of that name on its network is the same one, unless there are two.
        interface = interface or self._by_place.get((nic.name.lower(), nic.primary_network_id))
        if interface is not None:
            return interface
        subscription = subscription_of(nic)
        if subscription is None:
            return "the protected item contains neither the NIC's id nor its network"
        if subscription in self._unread:
            return (
                f"the network interfaces of subscription {subscription} could not be read: {self._unread[subscription]}"
            )
        return f"subscription {subscription} has no such network interface, or the identity cannot see it"


def subscription_of(nic: Nic) -> str | None:
    """The subscription of a replicated network interface, which is that of its network; None if it is unknown."""
    resource_id = nic.source_id or nic.primary_network_id
    return resource_id.subscription if resource_id else None


def compare_interfaces(
    machines: Iterable[Machine],
    landings: Iterable[Landing],
    interfaces: KnownInterfaces,
    networks: Mapping[ArmId, Network],
    *,
    operation: Operation,
) -> tuple[InterfaceComparison, ...]:
    """Compare each NIC of the Azure machines with its replica; ``landings`` are the results of ``operation``."""
    landings_of: dict[tuple[ArmId | None, str], list[Landing]] = {}
    for landing in landings:
        landings_of.setdefault((landing.item_id, landing.nic), []).append(landing)
    comparisons = []
    for machine in machines:
        if machine.kind != "azure_to_azure" or machine.unsupported_provider:
            continue
        if not machine.nics:
            not_reported = "Site Recovery does not report the NICs of this machine yet"
            comparisons.append(
                InterfaceComparison(machine=machine.name, nic="", item_id=machine.item_id, unknown=(not_reported,))
            )
        for nic in machine.nics:
            if nic.selection == NOT_SELECTED and machine.is_protected:
                continue  # the replica has no such NIC, as its landing reports
            comparison = _Comparison(machine, nic, landings_of.get((machine.item_id, nic.name), []), networks)
            comparisons.append(comparison.of(interfaces.find(nic), is_test=operation == "test-failover"))
    return tuple(comparisons)


class _Comparison:
    """The comparison of one NIC."""

    def __init__(self, machine: Machine, nic: Nic, landings: list[Landing], networks: Mapping[ArmId, Network]) -> None:
        self._machine = machine
        self._nic = nic
        self._networks = networks
        # All IP configurations of a NIC are in the same subnet, and the primary one always fails over, so its landing
        # gives the subnet.
        primary_name = next((address.name for address in nic.ip_configurations if address.primary), None)
        self._landing = next(
            (landing for landing in landings if landing.ip_configuration == primary_name),
            landings[0] if landings else None,
        )

    def of(self, interface: NetworkInterface | str, *, is_test: bool) -> InterfaceComparison:
        """Compare the NIC with ``interface``, or report why the interface is unknown."""
        unknown: list[str] = []
        source: InterfaceState | None = None
        if isinstance(interface, str):
            unknown.append(interface)
        else:
            source = self._source_state(interface, unknown)
        replica = self._replica_state(unknown, is_test=is_test)
        return InterfaceComparison(
            machine=self._machine.name,
            nic=self._nic.name,
            item_id=self._machine.item_id,
            interface_id=self._nic.source_id if isinstance(interface, str) else interface.id,
            today=source,
            there=replica,
            left_behind=tuple(_left_behind(source, replica)) if source and replica else (),
            differs=tuple(_differences(source, replica)) if source and replica else (),
            unknown=tuple(unknown),
        )

    def _source_state(self, interface: NetworkInterface, unknown: list[str]) -> InterfaceState:
        """The current state of the NIC. Reasons for missing parts are added to ``unknown``."""
        addresses = interface.ip_configurations
        primary = next((address for address in addresses if address.primary), InterfaceAddress())
        network = self._networks.get(primary.network) if primary.network else None
        is_read = isinstance(network, VirtualNetwork)
        if not is_read:
            unknown.append("its current network was not read, so its subnet's security group is not known")
        return InterfaceState(
            network_security_group=interface.network_security_group,
            subnet_security_group=_group_of_subnet(network, primary.subnet),
            subnet_is_known=is_read,
            public_ips=tuple(address.public_ip for address in addresses if address.public_ip),
            load_balancer_pools=tuple(pool for address in addresses for pool in address.load_balancer_pools),
            inbound_nat_rules=tuple(rule for address in addresses for rule in address.inbound_nat_rules),
            application_gateway_pools=tuple(
                pool for address in addresses for pool in address.application_gateway_pools
            ),
            application_security_groups=tuple(
                # All IP configurations of a NIC are in the same application security groups.
                dict.fromkeys(group for address in addresses for group in address.application_security_groups)
            ),
            accelerated_networking=interface.accelerated_networking,
            primary_ip=primary.ip,
            primary_ip_type=primary.ip_type,
            # A NIC's own DNS servers take precedence over its network's.
            dns_servers=interface.dns_servers or (network.dns_servers if isinstance(network, VirtualNetwork) else None),
        )

    def _replica_state(self, unknown: list[str], *, is_test: bool) -> InterfaceState | None:
        """The state of the replica's NIC after a failover or in a test; None if no new NIC is created."""
        nic, landing = self._nic, self._landing
        if nic.settings.get("tfoReuseExistingNic" if is_test else "reuseExistingNic") is True:
            name = nic.settings.get("tfoNicName" if is_test else "recoveryNicName") or "unnamed"
            unknown.append(f"the replica uses an existing NIC ({name}), which is not compared")
            return None
        if landing is None or landing.network_id is None:
            unknown.append("it is not known where it lands" if landing is None else "it lands on no network")
            return None
        network = self._networks.get(landing.network_id)
        is_known = isinstance(network, VirtualNetwork) and landing.subnet is not None
        if not is_known:
            unknown.append(
                f"its subnet in {landing.network_id.name} is not known, so that subnet's security group is not known"
            )
        group = nic.recovery_network_security_group
        accelerated = nic.settings.get("enableAcceleratedNetworkingOnRecovery")
        if is_test:
            group = _reference(nic.settings.get("tfoNetworkSecurityGroupId"))
            accelerated = nic.settings.get("enableAcceleratedNetworkingOnTfo")
        public_ips: list[ArmId | None] = []
        pools: list[ArmId | None] = []
        for address in nic.ip_configurations:
            # The primary IP configuration always fails over, even if it is not selected.
            if not (address.primary or address.selected_for_failover):
                continue
            if is_test:
                test_pools = address.settings.get("tfoLBBackendAddressPoolIds")
                public_ips.append(_reference(address.settings.get("tfoPublicIPAddressId")))
                pools += map(_reference, test_pools if isinstance(test_pools, (list, tuple)) else ())
            else:
                public_ips.append(address.recovery_public_ip)
                pools += address.recovery_load_balancer_pools
        return InterfaceState(
            network_security_group=group,
            subnet_security_group=_group_of_subnet(network, landing.subnet),
            subnet_is_known=is_known,
            public_ips=tuple(filter(None, public_ips)),
            load_balancer_pools=tuple(filter(None, pools)),
            accelerated_networking=accelerated if isinstance(accelerated, bool) else None,
            primary_ip=landing.ip,
            primary_ip_type=landing.ip_type,
            dns_servers=network.dns_servers if isinstance(network, VirtualNetwork) else None,
        )


def _reference(value: object) -> ArmId | None:
    try:
        return ArmId(value) if isinstance(value, str) and value else None
    except InputError:
        return None


def _group_of_subnet(network: Network | None, name: str | None) -> ArmId | None:
    subnets = network.subnets if network and name else ()
    return next(
        (subnet.network_security_group for subnet in subnets if subnet.name.lower() == (name or "").lower()), None
    )


def _left_behind(source: InterfaceState, replica: InterfaceState) -> Iterator[str]:
    """What protects or publishes the current NIC and has no counterpart on its replica."""
    if source.network_security_group and not replica.network_security_group:
        group = replica.subnet_security_group
        instead = f" (its subnet has {group.name})" if group else ""
        yield f"network security group {source.network_security_group.name}{instead}"
    is_guarded = replica.subnet_security_group or replica.network_security_group
    if source.subnet_security_group and replica.subnet_is_known and not is_guarded:
        yield f"network security group {source.subnet_security_group.name} of its subnet"
    for name, of_source, of_replica in (
        ("public address", source.public_ips, replica.public_ips),
        ("load balancer pool", source.load_balancer_pools, replica.load_balancer_pools),
        ("inbound NAT rule", source.inbound_nat_rules, replica.inbound_nat_rules),
        ("application gateway pool", source.application_gateway_pools, replica.application_gateway_pools),
        ("application security group", source.application_security_groups, replica.application_security_groups),
    ):
        # The replica has resources of its own region, so only their number can be compared.
        if len(of_replica) < len(of_source):
            number = f" ({len(of_replica)} of {len(of_source)} on the replica)" if of_replica else ""
            yield f"{name} {', '.join(map(resource_label, of_source))}{number}"


def _differences(source: InterfaceState, replica: InterfaceState) -> Iterator[str]:
    """The differences that neither protect nor publish anything."""
    if source.accelerated_networking and replica.accelerated_networking is False:
        yield "accelerated networking is off on the replica"
    elif source.accelerated_networking and replica.accelerated_networking is None:
        yield "accelerated networking on the replica is not known"
    if None not in (source.dns_servers, replica.dns_servers) and source.dns_servers != replica.dns_servers:
        yield f"DNS: {dns_label(source.dns_servers)} today, {dns_label(replica.dns_servers)} on the replica"


def resource_label(resource_id: ArmId) -> str:
    """The display name of a resource; a part of a load balancer or gateway includes its parent's name."""
    is_part = resource_id.type.count("/") > 1
    return f"{resource_id.parent.name}/{resource_id.name}" if is_part else resource_id.name


def dns_label(servers: tuple[str, ...] | None) -> str:
    """The DNS servers as text."""
    return "not known" if servers is None else ", ".join(servers) or "Azure's"
