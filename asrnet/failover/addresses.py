"""The addresses of a subnet: which can be assigned, and how many."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_network
from typing import Final, Literal

from asrnet.errors import InputError

RESERVED_AT_START: Final = 4
RESERVED_AT_END: Final = 1
_POINT_TO_POINT = 31

AddressSpace = Literal["same", "overlaps", "differs", "unknown"]
"""How a recovery subnet's address space holds the addresses of a primary one: all, some or none; or it is not known."""


@lru_cache(maxsize=65536)
def span(prefix: str) -> range:
    """All IPv4 addresses of ``prefix`` as numbers; empty for IPv6. Raises InputError where it is no range."""
    try:
        network = ip_network(prefix, strict=False)
    except ValueError as error:
        raise InputError(f"'{prefix}' is not an address range such as 10.0.0.0/24") from error
    if network.version != 4:  # noqa: PLR2004 - IPv4
        return range(0)
    return range(int(network.network_address), int(network.broadcast_address) + 1)


def usable(prefix: str) -> range:
    """The addresses of ``prefix`` that Azure assigns, as numbers: all but the first four and the last; none for IPv6.

    Source: Azure Virtual Network frequently asked questions. Raises InputError where it is no range.
    """
    return span(prefix)[RESERVED_AT_START:-RESERVED_AT_END]


def usable_on_premises(prefix: str) -> range:
    """The addresses of ``prefix`` for machines of a VM network: all but the network's own and the broadcast."""
    whole = span(prefix)
    return whole[1:-1] if len(whole) > 1 << (32 - _POINT_TO_POINT) else whole


def capacity(prefixes: Iterable[str]) -> int:
    """How many IPv4 addresses Azure can assign in a subnet with ``prefixes``."""
    return sum(len(usable(prefix)) for prefix in prefixes)


@lru_cache(maxsize=65536)
def compare_address_spaces(primary: tuple[str, ...], recovery: tuple[str, ...]) -> AddressSpace:
    """Whether addresses in the ``primary`` prefixes are also in the ``recovery`` ones; only IPv4 counts.

    The comparison has a direction: a /25 inside a /24 keeps every address on the way there and not on the way back.
    Source: Set up network mapping and IP addressing for VNets, which keeps an address where the target subnet has the
    same address space. Raises InputError where a prefix is no range.
    """
    needed = [addresses for addresses in map(span, primary) if addresses]
    offered = sorted((addresses for addresses in map(span, recovery) if addresses), key=lambda one: one.start)
    if not needed or not offered:
        return "unknown"
    # Neighbouring ranges are joined, so that one that spans two of them is seen to be inside.
    joined = [offered[0]]
    for addresses in offered[1:]:
        if addresses.start <= joined[-1].stop:
            joined[-1] = range(joined[-1].start, max(joined[-1].stop, addresses.stop))
        else:
            joined.append(addresses)
    if all(any(one.start <= part.start and part.stop <= one.stop for one in joined) for part in needed):
        return "same"
    if any(one.start < part.stop and part.start < one.stop for one in joined for part in needed):
        return "overlaps"
    return "differs"
