"""The indexed input of planning: the request, a vault's live mappings by what they map, and the wanted mappings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct, structs

from asrnet.desired import DesiredState, Selection, Vault
from asrnet.desired.pairs import Pair, is_ignored
from asrnet.inventory.read import Inventory, VaultInventory
from asrnet.model.arm import AZURE_NETWORK, ArmId
from asrnet.model.azure import Fabric, MappingIdentity, NetworkMapping, VirtualNetwork


class Request(Struct, frozen=True, kw_only=True):
    """The desired state, the inventory, the selected part of them, and the safeguards that are lifted.

    ``display`` has the names of networks as people know them. ``unfit_tests`` are test networks that no machine gets,
    because they are, or may be, in production even after the plan is applied.
    """

    desired: DesiredState
    inventory: Inventory
    selection: Selection
    forced: frozenset[str]
    allow_delete: bool
    display: Mapping[ArmId, str]
    unfit_tests: frozenset[ArmId] = frozenset()

    def is_ignored(self, name: str) -> bool:
        """Whether the file says to leave networks of this name out."""
        return is_ignored(name, self.desired.ignore, self.inventory.today)


class Side(Struct, frozen=True, gc=False, kw_only=True):
    """One end of a pair: a network, what people call it, and its place: a region or the id of a VMM server's fabric."""

    network: ArmId
    place: str
    label: str


class WantedMapping(Struct, frozen=True, gc=False, kw_only=True):
    """A directed mapping that a pair asks for. A live one is recognised by its ``identity``."""

    pair: Pair
    direction: Literal["forward", "reverse"]
    primary: Side
    recovery: Side
    identity: MappingIdentity


class WantedPair(Struct, frozen=True, gc=False, kw_only=True):
    """A pair with the mappings it asks for; ``reverse`` is None if it does not own one."""

    pair: Pair
    forward: WantedMapping
    reverse: WantedMapping | None

    @property
    def mappings(self) -> tuple[WantedMapping, ...]:
        """The wanted mappings, forward first."""
        return (self.forward, self.reverse) if self.reverse else (self.forward,)


class VaultView(Struct, frozen=True, kw_only=True):
    """Indexes over a vault's inventory. ``fabrics`` includes those this plan creates.

    ``names`` are those taken in each fabric (by its key), in lower case. ``display`` has the names of networks in the
    spelling people gave them, VM networks' own instead of their GUIDs.
    """

    vault: Vault
    inventory: VaultInventory
    live: Mapping[MappingIdentity, Sequence[NetworkMapping]]
    fabrics: Mapping[str, Sequence[Fabric]]
    names: Mapping[str, set[str]]
    display: Mapping[ArmId, str]

    def label(self, network: ArmId) -> str:
        """The name that people use for a network."""
        return self.display.get(network) or network.name

    def place_label(self, place: str) -> str:
        """The name that people use for a place: the region, or the VMM server."""
        fabrics = self.fabrics.get(place, ())
        return fabrics[0].friendly_name if fabrics and fabrics[0].kind == "vmm" else place

    def fabric(self, place: str) -> Fabric:
        """The fabric of a place; prerequisites have made sure that there is exactly one."""
        return self.fabrics[place][0]

    def mapping_id(self, wanted_mapping: WantedMapping, name: str) -> ArmId:
        """The id of a new mapping called ``name``."""
        # For Azure fabrics, az (recorded) and PowerShell send the constant. Terraform sends the network's name, which
        # the service accepts as well.
        segment = AZURE_NETWORK if wanted_mapping.pair.kind == "azure_to_azure" else wanted_mapping.primary.network.name
        fabric = self.fabric(wanted_mapping.primary.place).id
        return fabric.child("replicationNetworks", segment, "replicationNetworkMappings", name)

    def with_fabrics(self, new: Iterable[Fabric]) -> VaultView:
        """The view as if the ``new`` fabrics existed already."""
        return structs.replace(self, fabrics=_by_place((*self.inventory.fabrics, *new)))

    def wanted_pair(self, pair: Pair, inventory: Inventory) -> WantedPair | None:
        """The mappings that ``pair`` asks for; None while the place of one of its networks is not known."""
        if pair.recovery is None:
            return None
        places = pair.places
        if places is None:
            primary, recovery = inventory.network(pair.primary), inventory.network(pair.recovery)
            copied_to = pair.copy.recovery if pair.copy else None
            recovery_place = recovery.location if isinstance(recovery, VirtualNetwork) else copied_to
            if not isinstance(primary, VirtualNetwork) or recovery_place is None:
                return None
            places = primary.location, recovery_place
        primary_side = Side(network=pair.primary, place=places[0], label=self.label(pair.primary))
        recovery_side = Side(network=pair.recovery, place=places[1], label=self.label(pair.recovery))
        forward = WantedMapping(
            pair=pair,
            direction="forward",
            primary=primary_side,
            recovery=recovery_side,
            identity=(primary_side.place, primary_side.network.key, recovery_side.place),
        )
        reverse = WantedMapping(
            pair=pair,
            direction="reverse",
            primary=recovery_side,
            recovery=primary_side,
            identity=(recovery_side.place, recovery_side.network.key, primary_side.place),
        )
        return WantedPair(pair=pair, forward=forward, reverse=reverse if pair.failback else None)


def view_of(vault: Vault, inventory: VaultInventory, display: Mapping[ArmId, str]) -> VaultView:
    """The indexes of one vault."""
    live: dict[MappingIdentity, tuple[NetworkMapping, ...]] = {}
    names: dict[str, set[str]] = defaultdict(set)
    for mapping in inventory.mappings:
        identity = mapping.identity
        live[identity] = (*live.get(identity, ()), mapping)
        # FABRIC/replicationNetworks/NETWORK/replicationNetworkMappings/NAME. Under an Azure fabric, a name is taken in
        # all network segments: az and Terraform write different segments, and the service accepts both.
        fabric, *_, name = mapping.id.key.rsplit("/", 4)
        names[fabric].add(name)
    for unreadable in inventory.unreadable:
        names[unreadable.fabric_id.key].add(unreadable.name.lower())
    fabrics = _by_place(inventory.fabrics)
    return VaultView(vault=vault, inventory=inventory, live=live, fabrics=fabrics, names=names, display=display)


def _by_place(fabrics: Iterable[Fabric]) -> dict[str, list[Fabric]]:
    by_place: dict[str, list[Fabric]] = defaultdict(list)
    for fabric in fabrics:
        place = fabric.location if fabric.kind == "azure" else fabric.id.key
        if place:
            by_place[place].append(fabric)
    return by_place


def is_zone_to_zone(mapping: NetworkMapping) -> bool:
    """Whether both sides are in one region; such mappings are left alone."""
    return mapping.kind == "azure_to_azure" and mapping.primary_location == mapping.recovery_location
