"""Who has which address of a subnet in the course of one prediction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address
from itertools import chain
from socket import AF_INET, inet_ntoa, inet_pton
from typing import Final

IN_USE: Final = "in use"
"""Who holds an address that was in use before the prediction began."""


def number(address: str | None) -> int | None:
    """An IPv4 address as a number; None for nothing, for IPv6, and for what is no address."""
    if not address:
        return None
    # Five times as fast as ipaddress, which would be most of a prediction.
    try:
        return int.from_bytes(inet_pton(AF_INET, address))
    except (OSError, ValueError):
        return None


def spelled(address: int) -> str:
    """A number as an IPv4 address."""
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

    Nothing is ever given back, so looking for the next free address goes on where it stopped: n machines cost n steps.
    ``used`` counts addresses in use, which may be more than ``used_ips`` names.
    """

    __slots__ = ("_down", "_free", "_holders", "_ranges", "_spans", "_up", "unnamed")

    def __init__(
        self,
        spans: Collection[range],
        ranges: Collection[range],
        *,
        used_ips: Iterable[int] = (),
        used: int = 0,
    ) -> None:
        self._spans, self._ranges = tuple(spans), tuple(ranges)
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

    def overlaps(self, addresses: range) -> bool:
        """Whether the subnet's address space and ``addresses``, one range, have any address in common."""
        return any(part[0] <= addresses[-1] and addresses[0] <= part[-1] for part in self._spans)

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
