"""Networks and NICs of a world file -> those of a world."""

from __future__ import annotations

import msgspec

from asrnet.fake import document as file
from asrnet.fake.places import Place, check_address, check_prefix, check_region, expect, refuse_twice
from asrnet.model.arm import VNET
from asrnet.model.azure import IpConfiguration, Nic, Subnet, VirtualNetwork


def network_of(entry: file.NetworkEntry, place: Place) -> VirtualNetwork:
    """The virtual network that an entry describes."""
    expect(entry.id, VNET, "a virtual network", place, "id")
    check_region(entry.location, place)
    for index, prefix in enumerate(entry.address_space):
        check_prefix(prefix, place, "address_space", index)
    for index, subnet in enumerate(entry.subnets):
        place.at("subnets", index).child(entry.id, "subnets", subnet.name)
    return VirtualNetwork(
        id=entry.id,
        location=entry.location,
        address_space=entry.address_space,
        subnets=subnets_of(entry.subnets, place.at("subnets")),
        tags=entry.tags,
        dns_servers=entry.dns_servers,
        gateway=entry.gateway,
        extended_location=entry.extended_location,
        attachments=entry.attachments,
    )


def subnets_of(entries: tuple[file.SubnetEntry, ...], place: Place) -> tuple[Subnet, ...]:
    """The subnets that entries describe."""
    refuse_twice(((entry.name.lower(), "name") for entry in entries), place, "subnet")
    return tuple(_subnet(entry, place.at(index)) for index, entry in enumerate(entries))


def _subnet(entry: file.SubnetEntry, place: Place) -> Subnet:
    for index, prefix in enumerate(entry.prefixes):
        check_prefix(prefix, place, "prefixes", index)
    for index, address in enumerate(entry.used_ips):
        check_address(address, place, "used_ips", index)
    said = msgspec.structs.asdict(entry)
    said["used"] = len(entry.used_ips) if entry.used is None else entry.used
    return Subnet(**said)


def nic_of(entry: file.NicEntry, place: Place) -> Nic:
    """The NIC that an entry describes."""
    for key, address in (("ip", entry.ip), ("recovery_ip", entry.recovery_ip)):
        if address is not None:
            check_address(address, place, key)
    primary = IpConfiguration(
        name=entry.ip_configuration,
        subnet=entry.primary_subnet,
        ip=entry.ip,
        ip_type=entry.ip_type,
        recovery_subnet=entry.recovery_subnet,
        recovery_ip=entry.recovery_ip,
        selected_for_failover=entry.selected_for_failover,
    )
    secondary = (IpConfiguration(primary=False, **msgspec.structs.asdict(one)) for one in entry.secondary)
    return Nic(
        name=entry.name,
        primary_network_id=entry.primary_network_id,
        recovery_network_id=entry.recovery_network_id,
        test_network_id=entry.test_network_id,
        ip_configurations=(primary, *secondary),
    )
