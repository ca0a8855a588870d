"""What the exports for other tools share: their result, and how pairs are titled and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count

from msgspec import Struct

from asrnet.inventory.live_pairs import LivePair, LivePairs
from asrnet.inventory.read import Inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping


class Exported(Struct, frozen=True, kw_only=True):
    """The text of a file for another tool, and a description of each mapping that was left out."""

    text: str
    left_out: tuple[str, ...]


def title(pair: LivePair) -> str:
    """A pair in a line: its name, its networks, and what is unusual about it."""
    primary, recovery = (
        f"{network} ({location})" if location else network
        for network, location in (
            (pair.primary_network, pair.primary_location),
            (pair.recovery_network, pair.recovery_location),
        )
    )
    remarks = [] if pair.status in {"paired", "single"} else [pair.status.replace("_", " ")]
    remarks += [f"{network.name} does not exist" for network in pair.absent]
    description = f"{pair.pair or 'not declared'}: {primary} {'<->' if pair.reverse else '->'} {recovery}"
    return ", ".join([description, *remarks])


class Names:
    """Unique names for resources, in the form that ``identifier`` gives a text.

    No two names differ only in case, which the tools distinguish and people overlook.
    """

    def __init__(self, identifier: Callable[[str], str]) -> None:
        self._identifier = identifier
        self._taken: set[str] = set()

    def name(self, pair: LivePair) -> str:
        """The most readable name for the resources of ``pair`` that is not taken."""
        name = next(name for name in self._candidates(pair) if name.lower() not in self._taken)
        self._taken.add(name.lower())
        return name

    def _candidates(self, pair: LivePair) -> Iterator[str]:
        plain = pair.pair or pair.primary_network
        longer = f"{plain}-{pair.recovery_location or pair.recovery_network}"
        yield from map(self._identifier, (plain, longer, f"{pair.vault}-{longer}"))
        yield from (self._identifier(f"{longer}-{number}") for number in count(2))


def not_exported(live: LivePairs, problems: Mapping[ArmId, str]) -> tuple[str, ...]:
    """A line for everything that is not exported; ``problems`` says why, by the forward mapping of a pair."""
    return (
        *(f"{title(pair)}: {problems[pair.forward]}" for pair in live.pairs if problems[pair.forward]),
        *(f"vault {vault.name}: {vault.error}" for vault in live.vaults if vault.error),
        *(mapping for vault in live.vaults for mapping in vault.unreadable),
    )


def mappings_by_id(inventory: Inventory) -> dict[ArmId, NetworkMapping]:
    """Every mapping that was read."""
    return {mapping.id: mapping for vault in inventory.vaults.values() for mapping in vault.mappings}


def one_line(text: str) -> str:
    """``text`` for a comment of one line, which no character in it can end."""
    return "".join(char if char.isprintable() else " " for char in text)
