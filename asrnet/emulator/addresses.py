"""Which addresses of a virtual network are free. Azure keeps the first four and the last of every subnet."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import islice

from asrnet.emulator.refusals import GatewayError
from asrnet.model.azure import Subnet, VirtualNetwork

_RESERVED = 4
_SUGGESTED = 5


def availability(network: VirtualNetwork, address: str) -> dict[str, object]:
    """The provider's answer about an address. Refused with 400 where it lies in no subnet of the network."""
    try:
        wanted = ipaddress.IPv4Address(address)
    except ipaddress.AddressValueError as error:
        raise GatewayError(400, "InvalidIPAddressFormat", f"IP address '{address[:100]}' is not valid.") from error
    subnet = next((each for each in network.subnets if _holds(each, wanted)), None)
    if subnet is None:
        message = f"Private static IP address {wanted} does not belong to the range of any subnet of '{network.name}'."
        raise GatewayError(400, "PrivateIPAddressNotInAnySubnet", message)
    reserved = _reserved(subnet, wanted)
    free = not reserved and str(wanted) not in subnet.used_ips
    suggestions = [] if free else [str(each) for each in islice(_free(subnet), _SUGGESTED)]
    return {"available": free, "availableIPAddresses": suggestions, "isPlatformReserved": reserved}


def _holds(subnet: Subnet, address: ipaddress.IPv4Address) -> bool:
    return any(address in prefix for prefix in _prefixes(subnet))


def _prefixes(subnet: Subnet) -> Iterator[ipaddress.IPv4Network]:
    for text in subnet.prefixes:
        prefix = ipaddress.ip_network(text, strict=False)
        if isinstance(prefix, ipaddress.IPv4Network):
            yield prefix


def _free(subnet: Subnet) -> Iterator[ipaddress.IPv4Address]:
    used = {ipaddress.ip_address(text) for text in subnet.used_ips}
    for prefix in _prefixes(subnet):
        first, last = int(prefix.network_address) + _RESERVED, int(prefix.broadcast_address)
        for number in range(first, last):
            if ipaddress.IPv4Address(number) not in used:
                yield ipaddress.IPv4Address(number)


def _reserved(subnet: Subnet, address: ipaddress.IPv4Address) -> bool:
    for prefix in _prefixes(subnet):
        if address in prefix:
            offset = int(address) - int(prefix.network_address)
            return offset < _RESERVED or address == prefix.broadcast_address
    return False
