"""IPv4 addresses as numbers: which of them a subnet can assign, and who has which in the course of a prediction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from ipaddress import ip_address, ip_network
from itertools import chain
from typing import Final, Literal

from asrnet.errors import InputError

# Azure keeps the network's address, the gateway's, two for DNS, and the broadcast address of every range.
RESERVED_AT_START: Final = 4
RESERVED_AT_END: Final = 1
# In a /31 or /32 every address is a machine's: there is no room for a network's own address and a broadcast (RFC 3021).
_POINT_TO_POINT = 31

IN_USE: Final = "in use"
"""Who holds an address that was in use before the prediction began."""

AddressSpace = Literal["same", "overlaps", "differs", "unknown"]
"""How a recovery subnet's address space holds the addresses of a primary one: all, some or none; or it is not known."""


# The same few prefixes come up for each of a hundred thousand machines.
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
    offered = sorted(
        (addresses for addresses in map(span, recovery) if addresses), key=lambda addresses: addresses.start
    )
    # Ranges of IPv6 were left out above, and a VM network need not have any.
    if not needed or not offered:
        return "unknown"
    # Neighbouring ranges are joined, so that one that spans two of them is seen to be inside.
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
    """An IPv4 address as a number; None for nothing, for IPv6, and for what is no address."""
    if not address:
        return None
    # Five times as fast as ipaddress, which would be most of a prediction. Imported here, because a plan without
    # machines needs none of it and socket takes 5 ms at start-up.
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
    """Whether ``address`` is of IPv6."""
    if not address or ":" not in address:
        return False
    try:
        return ip_address(address).version == 6  # noqa: PLR2004 - IPv6
    except ValueError:
        return False


class Pool:
    """The addresses of one subnet, and who holds which.

    ``assignable`` are the ranges of its ``prefixes`` that machines can have. ``used`` counts addresses in use, which
    may be more than ``used_ips`` names.
    """

    # Nothing is ever given back, so the search for the next free address goes on where it stopped: n machines cost n
    # steps.
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
        """Whether no address is left."""
        return self._free <= 0

    def covers(self, address: int) -> bool:
        """Whether the subnet has the address in its address space, reserved or not."""
        return any(address in part for part in self._spans)

    def has(self, address: int) -> bool:
        """Whether the address can be assigned at all."""
        return any(address in part for part in self._ranges)

    def holder(self, address: int) -> str | None:
        """Who has the address; None while it is free."""
        return self._holders.get(address)

    def take(self, address: int, holder: str) -> int:
        """Assign a free address to ``holder``."""
        self._holders[address] = holder
        self._free -= 1
        return address

    def take_next(self, holder: str) -> int | None:
        """Assign the next free address, range by range in their order; None when none is left."""
        return self._take_first_free(self._up, holder)

    def take_last(self, holder: str) -> int | None:
        """Assign the next free address from the end of the last range backwards; None when none is left."""
        return self._take_first_free(self._down, holder)

    def take_any(self) -> None:
        """Count an address as assigned without saying which."""
        self._free -= 1

    def _take_first_free(self, candidates: Iterator[int], holder: str) -> int | None:
        if self.full:
            return None
        free = next((address for address in candidates if address not in self._holders), None)
        return None if free is None else self.take(free, holder)
