"""The addresses of a subnet: which can be assigned, and how many."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_network
from typing import Final

from asrnet.errors import InputError

RESERVED_AT_START: Final = 4
RESERVED_AT_END: Final = 1
_POINT_TO_POINT = 31


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
