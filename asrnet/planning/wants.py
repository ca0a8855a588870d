"""From pairs to the directed mappings they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from asrnet.desired.pairs import Pair
from asrnet.inventory.read import Inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.planning.view import Side, VaultView, Wanted


class PairWants(Struct, frozen=True, gc=False, kw_only=True):
    """A pair with the mappings it asks for; ``reverse`` is None where it does not own one."""

    pair: Pair
    forward: Wanted
    reverse: Wanted | None

    def each(self) -> Iterator[Wanted]:
        """The wanted mappings, forward first."""
        yield self.forward
        if self.reverse:
            yield self.reverse


def wants_of(pair: Pair, view: VaultView, inventory: Inventory) -> PairWants | None:
    """What ``pair`` asks for; None while the place of one of its networks is not known."""
    primary, recovery = _primary_side(pair, view, inventory), _recovery_side(pair, view, inventory)
    if primary is None or recovery is None:
        return None
    forward = _wanted(pair, "forward", primary, recovery)
    reverse = _wanted(pair, "reverse", recovery, primary) if pair.failback else None
    return PairWants(pair=pair, forward=forward, reverse=reverse)


def _wanted(pair: Pair, direction: Literal["forward", "reverse"], primary: Side, recovery: Side) -> Wanted:
    identity = (primary.place, primary.network.key, recovery.place)
    return Wanted(pair=pair, kind=pair.kind, direction=direction, primary=primary, recovery=recovery, identity=identity)


def _primary_side(pair: Pair, view: VaultView, inventory: Inventory) -> Side | None:
    if pair.places:
        return _side(pair.primary, pair.places[0], view)
    network = inventory.network(pair.primary)
    return _side(pair.primary, network.location, view) if isinstance(network, VirtualNetwork) else None


def _recovery_side(pair: Pair, view: VaultView, inventory: Inventory) -> Side | None:
    if pair.recovery is None:
        return None
    if pair.places:
        return _side(pair.recovery, pair.places[1], view)
    network = inventory.network(pair.recovery)
    if isinstance(network, VirtualNetwork):
        return _side(pair.recovery, network.location, view)
    return _side(pair.recovery, pair.copy.recovery, view) if pair.copy else None


def _side(network: ArmId, place: str, view: VaultView) -> Side:
    return Side(network=network, place=place, called=view.called(network))


def duplicates(wants: PairWants, view: VaultView) -> Iterator[Finding]:
    """Several live mappings for one primary network: which one counts is not for asrnet to guess."""
    for wanted in wants.each():
        found = view.live.get(wanted.identity, ())
        if len(found) > 1:
            names = ", ".join(f"{mapping.name} -> {view.called(mapping.recovery_network_id)}" for mapping in found)
            yield finding(
                FindingKind.DUPLICATE,
                f"{wanted.primary.called} has {len(found)} {wanted.direction} mappings: {names}",
                vault=wanted.pair.vault,
                pair=wanted.pair.name,
                subject=wanted.primary.network,
                hint="delete all but one; the ids are: " + ", ".join(str(mapping.id) for mapping in found),
            )
