"""Where the NICs of a machine land: network, subnet and address, which are then in use in the world's networks.

It is computed from the machine's settings and the free addresses, as the service does. ``asrnet.failover`` is not used,
so that its predictions can be checked against this module. Source of the rules: the documents on network mapping
between Azure regions, and on retaining IP addresses during failover.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from msgspec.structs import replace

from asrnet.fake.records import VirtualMachine
from asrnet.fake.state import State
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem, Subnet, VirtualNetwork

_RESERVED_FIRST = 4
"""Azure reserves the first four addresses and the last address of a subnet."""


def land(state: State, item: ProtectedItem, machine_id: ArmId) -> VirtualMachine:
    """Create the machine that a failover makes of ``item``. Raises ServiceError if a NIC has no recovery network.

    An existing machine of that id is replaced and its addresses are released: on failback they are the machine's own.
    """
    tags = _source_tags(state, item)
    remove_machine(state, machine_id)
    nics = [_recovery_nic(state, item, nic) for nic in item.nics if _takes_part(nic)]
    return _make(state, item, machine_id, nics, tags)


def land_in_test(
    state: State, item: ProtectedItem, machine_id: ArmId, network_id: ArmId | None = None
) -> VirtualMachine:
    """Create the machine of a test failover. ``network_id`` is for NICs without a test network."""
    remove_machine(state, machine_id)
    nics = [_test_nic(state, item, nic, network_id) for nic in item.nics if _takes_part(nic)]
    return _make(state, item, machine_id, nics, _source_tags(state, item))


def remove_machine(state: State, machine_id: ArmId) -> None:
    """Delete a machine if it exists, and release its addresses."""
    machine = state.virtual_machines.get(machine_id.subscription, machine_id.key)
    if machine is None:
        return
    for nic in machine.nics:
        network = state.network(nic.primary_network_id) if nic.primary_network_id else None
        for address in nic.ip_configurations if network else ():
            _mark_address(state, nic.primary_network_id, address, taken=False)
    state.virtual_machines.remove(machine_id.subscription, machine_id.key)


def landing_subnet(network: VirtualNetwork, *names: str | None) -> Subnet | None:
    """The first of ``names`` that is a subnet of the network, or else its first by name; None if it has no subnets."""
    subnets = {subnet.name.lower(): subnet for subnet in network.subnets}
    for name in names:
        if name and name.lower() in subnets:
            return subnets[name.lower()]
    # The order by name is documented between Azure regions. For machines of VMM servers the document says "the first
    # subnet" without an order, so for them the order is an assumption.
    return subnets[min(subnets)] if subnets else None


def _takes_part(nic: Nic) -> bool:
    return nic.selection != "NotSelected"


def _source_tags(state: State, item: ProtectedItem) -> Mapping[str, str]:
    """The tags of the replicated machine. Recorded: the machine created by a failover has them too."""
    source = state.virtual_machines.get(item.machine_id.subscription, item.machine_id.key) if item.machine_id else None
    return source.tags if source else {}


def _make(
    state: State, item: ProtectedItem, machine_id: ArmId, nics: list[Nic], tags: Mapping[str, str]
) -> VirtualMachine:
    # An Azure machine has a target region. A machine on premises goes to the region of its network, or else of the
    # vault.
    networks = [state.network(nic.primary_network_id) for nic in nics if nic.primary_network_id]
    location = item.recovery_location or next((network.location for network in networks if network), "")
    location = location or state.vault(item.id).location
    machine = VirtualMachine(id=machine_id, location=location, nics=tuple(nics), tags=tags)
    state.ensure_group(machine_id, location)
    state.virtual_machines.put(machine_id.subscription, machine_id.key, machine)
    return machine


def _recovery_nic(state: State, item: ProtectedItem, nic: Nic) -> Nic:
    network_id = nic.recovery_network_id or item.recovery_network_id
    network = state.network(network_id) if network_id else None
    if network is None:
        raise state.assumed("network_not_configured", item.friendly_name, resource_id=item.id)
    addresses = []
    for address in nic.ip_configurations:
        if address.selected_for_failover:
            subnet = landing_subnet(network, address.recovery_subnet, address.subnet)
            # A configured address takes precedence over keeping the source address, which only Azure machines can do.
            preferred_ips = (address.recovery_ip, address.ip if item.provider == "A2A" else None)
            addresses.append(_take(state, network.id, address, subnet, preferred_ips))
    return Nic(name=nic.name, primary_network_id=network.id, ip_configurations=tuple(addresses))


def _test_nic(state: State, item: ProtectedItem, nic: Nic, network_id: ArmId | None) -> Nic:
    network_id = nic.test_network_id or item.test_network_id or network_id
    network = state.network(network_id) if network_id else None
    if network is None:
        raise state.assumed("network_not_configured", item.friendly_name, resource_id=item.id)
    addresses = []
    for address in nic.ip_configurations:
        if address.selected_for_failover:
            subnet = landing_subnet(network, address.test_subnet, address.recovery_subnet, address.subnet)
            preferred_ips = (address.test_ip, address.ip if item.provider == "A2A" else None)
            landed = _take(state, network.id, address, subnet, preferred_ips, from_the_end=True)
            # Documented for Azure machines: in a test failover their addresses are static, whatever they were before.
            addresses.append(replace(landed, ip_type="Static") if item.provider == "A2A" else landed)
    return Nic(name=nic.name, primary_network_id=network.id, ip_configurations=tuple(addresses))


def _take(
    state: State,
    network_id: ArmId,
    address: IpConfiguration,
    subnet: Subnet | None,
    preferred_ips: tuple[str | None, ...],
    *,
    from_the_end: bool = False,
) -> IpConfiguration:
    """Allocate an address in ``subnet``: the first of ``preferred_ips`` that is free, or any other free one.

    In a test failover the other address comes from the end of the subnet, to stay clear of those a failover would take.
    """
    # Read the subnet again: another NIC of the same machine may just have taken an address in it.
    network = state.network(network_id)
    subnets = network.subnets if network and subnet else ()
    subnet = next((current for current in subnets if subnet and current.name == subnet.name), None)
    landed = IpConfiguration(
        name=address.name,
        primary=address.primary,
        subnet=subnet.name if subnet else None,
        ip=_free_address(subnet, preferred_ips, from_the_end=from_the_end) if subnet else None,
        ip_type=address.ip_type,
    )
    _mark_address(state, network_id, landed, taken=True)
    return landed


def _free_address(subnet: Subnet, preferred_ips: tuple[str | None, ...], *, from_the_end: bool) -> str | None:
    used = set(subnet.used_ips)
    prefixes = [ipaddress.ip_network(prefix) for prefix in subnet.prefixes]
    for ip in preferred_ips:
        if ip and ip not in used and any(ipaddress.ip_address(ip) in prefix for prefix in prefixes):
            return ip
    for prefix in prefixes:
        numbers = range(_RESERVED_FIRST, prefix.num_addresses - 1)
        # Addresses are tried one by one and never listed: those of an IPv6 subnet would not fit into memory.
        for number in reversed(numbers) if from_the_end else numbers:
            if str(prefix[number]) not in used:
                return str(prefix[number])
    return None


def _mark_address(state: State, network_id: ArmId | None, address: IpConfiguration, *, taken: bool) -> None:
    """Record in the network that an address is in use or has become free."""
    network = state.network(network_id) if network_id else None
    if network is None or address.subnet is None or address.ip is None:
        return
    subnets = []
    for subnet in network.subnets:
        # An address that is recorded already, for example by a world file, must not be counted twice.
        changes = subnet.name.lower() == address.subnet.lower() and (address.ip in subnet.used_ips) != taken
        if changes:
            others = tuple(ip for ip in subnet.used_ips if ip != address.ip)
            used_ips = (*others, address.ip) if taken else others
            subnets.append(replace(subnet, used_ips=used_ips, used=max(0, subnet.used + (1 if taken else -1))))
        else:
            subnets.append(subnet)
    network = replace(network, subnets=tuple(subnets))
    state.virtual_networks.put(network.id.subscription, network.id.key, network)
