"""Live mappings -> the desired state that asks for exactly these: where to start from, and what to compare with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from asrnet import desired as files
from asrnet.desired import DesiredState, Region, Row
from asrnet.inventory import Inventory
from asrnet.live import LivePair, LiveStatus, live_pairs

_LEFT_OUT: Final[dict[LiveStatus, str]] = {
    "duplicate": "one of several mappings of this network to that region",
    "not_paired": "not in the state Paired",
    "zone_to_zone": "within one region",
    "single": "on premises",
}


class Dump(Struct, frozen=True, kw_only=True):
    """A desired state, and in words what it could not take up."""

    desired: DesiredState
    left_out: tuple[str, ...]

    def text(self) -> str:
        """The YAML file; what was left out is said in comments at its top."""
        comments = "".join(f"# left out: {line}\n" for line in self.left_out)
        return comments + files.dumps(self.desired)


def dump(inventory: Inventory, desired: DesiredState) -> Dump:
    """The desired state whose plan is empty, with the names, vaults and aliases that ``desired`` has.

    A half pair becomes a row with ``failback: none``: what is, not what should be.
    """
    live = live_pairs(inventory, desired).pairs
    kept = [pair for pair in live if not _problem(pair)]
    left_out = [f"{_label(pair)}: {problem}" for pair in live if (problem := _problem(pair))]
    left_out += [f"vault {vault.name}: {vault.error}" for vault in inventory.vaults.values() if vault.error]
    state = DesiredState(
        cloud=desired.cloud,
        subscriptions=desired.subscriptions,
        vaults=tuple(vault for vault in desired.vaults if vault.name in inventory.vaults),
        regions=tuple(_regions(kept, desired)),
        pairs=tuple(_rows(kept)),
        limits=desired.limits,
    )
    return Dump(desired=state, left_out=tuple(left_out))


def _problem(pair: LivePair) -> str:
    if pair.kind != "azure_to_azure":
        return _LEFT_OUT["single"]
    if pair.absent:
        return f"{' and '.join(network.name for network in pair.absent)} does not exist"
    return _LEFT_OUT.get(pair.status, "")


def _label(pair: LivePair) -> str:
    return f"mapping {pair.forward.name} of {pair.primary_network_id.name} to {pair.recovery_network_id.name}"


def _regions(pairs: Iterable[LivePair], desired: DesiredState) -> Iterator[Region]:
    known = {(region.primary, region.recovery): region for region in desired.regions}
    used = dict.fromkeys((pair.primary_location or "", pair.recovery_location or "") for pair in pairs)
    for primary, recovery in used:
        yield known.get((primary, recovery)) or Region(primary=primary, recovery=recovery)


def _rows(pairs: Iterable[LivePair]) -> Iterator[Row]:
    taken: set[str] = set()
    for pair in pairs:
        name = next(name for name in _names(pair) if name not in taken)
        taken.add(name)
        yield Row(
            name=name,
            vault=pair.vault,
            primary=pair.primary_network_id,
            recovery=pair.recovery_network_id,
            failback=pair.reverse is not None,
        )


def _names(pair: LivePair) -> Iterator[str]:
    """Names for a row, the nicest first, without end."""
    primary = pair.primary_network_id
    longer = f"{primary.name}-{pair.recovery_location}"
    yield from (pair.pair or primary.name, longer, f"{primary.resource_group}-{longer}")
    number = 2
    while True:
        yield f"{longer}-{number}"
        number += 1
