"""IPv4 addresses as numbers: which ones a subnet can assign, and who holds which during a prediction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from ipaddress import ip_address, ip_network
from itertools import chain
from typing import Final, Literal

from asrnet.errors import InputError

# Azure reserves five addresses per range: those of the network, the gateway, two for DNS, and broadcast.
RESERVED_AT_START: Final = 4
RESERVED_AT_END: Final = 1
# In a /31 or /32 every address can be a machine's, as there is no room for network and broadcast addresses (RFC 3021).
_POINT_TO_POINT = 31

IN_USE: Final = "in use"
"""The holder of an address that was in use before the prediction began."""

AddressSpace = Literal["same", "overlaps", "differs", "unknown"]
"""How many of a primary subnet's addresses the recovery subnet contains: all, some, none, or unknown."""


# A hundred thousand machines share a few prefixes.
@lru_cache(maxsize=65536)
def span(prefix: str) -> range:
    """All IPv4 addresses of ``prefix`` as numbers; empty for IPv6. Raises InputError if it is not a range."""
    try:
        network = ip_network(prefix, strict=False)
    except ValueError as error:
        raise InputError(f"'{prefix}' is not an address range such as 10.0.0.0/24") from error
    if network.version != 4:  # noqa: PLR2004 - IPv4
        return range(0)
    return range(int(network.network_address), int(network.broadcast_address) + 1)


def usable(prefix: str) -> range:
    """The addresses of ``prefix`` that Azure assigns, as numbers: all but the first four and the last; none for IPv6.

    Source: Azure Virtual Network frequently asked questions. Raises InputError if it is not a range.
    """
    return span(prefix)[RESERVED_AT_START:-RESERVED_AT_END]


def usable_on_premises(prefix: str) -> range:
    """The addresses of ``prefix`` for machines of a VM network: all but the network's own and the broadcast address."""
    whole = span(prefix)
    return whole[1:-1] if len(whole) > 1 << (32 - _POINT_TO_POINT) else whole


def capacity(prefixes: Iterable[str]) -> int:
    """How many IPv4 addresses Azure can assign in a subnet with ``prefixes``."""
    return sum(len(usable(prefix)) for prefix in prefixes)


@lru_cache(maxsize=65536)
def compare_address_spaces(primary: tuple[str, ...], recovery: tuple[str, ...]) -> AddressSpace:
    """Whether addresses in the ``primary`` prefixes are also in the ``recovery`` prefixes. Only IPv4 counts.

    The comparison has a direction: a /25 in a /24 keeps every address on failover, but not on failback. Source: Set up
    network mapping and IP addressing for VNets: an address is kept if the target subnet has the same address space.
    Raises InputError if a prefix is not a range.
    """
    needed = [addresses for addresses in map(span, primary) if addresses]
    offered = sorted(
        (addresses for addresses in map(span, recovery) if addresses), key=lambda addresses: addresses.start
    )
    # IPv6 ranges were left out above, and a VM network need not have any ranges.
    if not needed or not offered:
        return "unknown"
    # Adjacent ranges are joined, so that a range that spans two of them counts as contained.
    joined = [offered[0]]
    for addresses in offered[1:]:
        if addresses.start <= joined[-1].stop:
            joined[-1] = range(joined[-1].start, max(joined[-1].stop, addresses.stop))
        else:
            joined.append(addresses)
    if all(any(whole.start <= part.start and part.stop <= whole.stop for whole in joined) for part in needed):
        return "same"
    if any(whole.start < part.stop and part.start < whole.stop for whole in joined for part in needed):
        return "overlaps"
    return "differs"


def number(address: str | None) -> int | None:
    """An IPv4 address as a number; None for an empty text, IPv6 and anything that is not an address."""
    if not address:
        return None
    # Five times as fast as ipaddress, which would take most of a prediction's time. The import is here because socket
    # takes 5 ms at start-up and a plan without machines does not need it.
    from socket import AF_INET, inet_pton

    try:
        return int.from_bytes(inet_pton(AF_INET, address))
    except (OSError, ValueError):
        return None


def dotted(address: int) -> str:
    """A number as an IPv4 address."""
    from socket import inet_ntoa

    return inet_ntoa(address.to_bytes(4))


def is_ipv6(address: str | None) -> bool:
    """Whether ``address`` is an IPv6 address."""
    if not address or ":" not in address:
        return False
    try:
        return ip_address(address).version == 6  # noqa: PLR2004 - IPv6
    except ValueError:
        return False


class Pool:
    """The addresses of one subnet and their holders.

    ``assignable`` are the ranges of its ``prefixes`` from which machines get addresses. ``used`` is the number of
    addresses in use, which may be larger than the number of ``used_ips``.
    """

    # Addresses are never returned, so each search for a free one continues where the last one stopped: n machines take
    # n steps.
    __slots__ = ("_down", "_free", "_holders", "_ranges", "_spans", "_up", "prefixes", "unnamed")

    def __init__(
        self,
        prefixes: tuple[str, ...],
        assignable: Collection[range],
        *,
        used_ips: Iterable[int] = (),
        used: int = 0,
    ) -> None:
        self.prefixes = prefixes
        self._spans, self._ranges = tuple(filter(None, map(span, prefixes))), tuple(assignable)
        self._holders = {address: IN_USE for address in used_ips if self.has(address)}
        self.unnamed = max(0, used - len(self._holders))
        self._free = sum(map(len, self._ranges)) - len(self._holders) - self.unnamed
        self._up: Iterator[int] = chain.from_iterable(self._ranges)
        self._down: Iterator[int] = chain.from_iterable(reversed(part) for part in reversed(self._ranges))

    @property
    def full(self) -> bool:
        """Whether no free address is left."""
        return self._free <= 0

    def covers(self, address: int) -> bool:
        """Whether the address is in the subnet's address space, reserved or not."""
        return any(address in part for part in self._spans)

    def has(self, address: int) -> bool:
        """Whether the address can be assigned to machines."""
        return any(address in part for part in self._ranges)

    def holder(self, address: int) -> str | None:
        """The holder of the address; None if it is free."""
        return self._holders.get(address)

    def take(self, address: int, holder: str) -> int:
        """Assign a free address to ``holder``."""
        self._holders[address] = holder
        self._free -= 1
        return address

    def take_next(self, holder: str) -> int | None:
        """Assign the next free address, in the order of the ranges; None if none is left."""
        return self._take_first_free(self._up, holder)

    def take_last(self, holder: str) -> int | None:
        """Assign the next free address backwards from the end of the last range; None if none is left."""
        return self._take_first_free(self._down, holder)

    def take_any(self) -> None:
        """Count an unspecified address as assigned."""
        self._free -= 1

    def _take_first_free(self, candidates: Iterator[int], holder: str) -> int | None:
        if self.full:
            return None
        free = next((address for address in candidates if address not in self._holders), None)
        return None if free is None else self.take(free, holder)
