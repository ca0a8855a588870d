"""A vault as planning looks at it: its live mappings by what they map, its fabrics by place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct, structs

from asrnet.desired import Vault
from asrnet.desired.pairs import Pair
from asrnet.inventory.read import VaultInventory
from asrnet.model.arm import AZURE_NETWORK, ArmId
from asrnet.model.azure import Fabric, MappingIdentity, MappingKind, NetworkMapping


class Side(Struct, frozen=True, gc=False, kw_only=True):
    """One end of a pair: a network, what people call it, and its place: a region or the id of a VMM server's fabric."""

    network: ArmId
    place: str
    called: str


class Wanted(Struct, frozen=True, gc=False, kw_only=True):
    """A directed mapping that a pair asks for. ``identity`` is by what a live one is recognised."""

    pair: Pair
    kind: MappingKind
    direction: Literal["forward", "reverse"]
    primary: Side
    recovery: Side
    identity: MappingIdentity


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

    def called(self, network: ArmId) -> str:
        """What people call a network."""
        return self.display.get(network) or network.name

    def place_called(self, place: str) -> str:
        """What people call a place: the region, or the VMM server."""
        fabrics = self.fabrics.get(place, ())
        return fabrics[0].friendly_name if fabrics and fabrics[0].kind == "vmm" else place

    def fabric(self, place: str) -> Fabric:
        """The fabric of a place; prerequisites have made sure that there is exactly one."""
        return self.fabrics[place][0]

    def mapping_id(self, wanted: Wanted, name: str) -> ArmId:
        """The id of a new mapping called ``name``."""
        segment = AZURE_NETWORK if wanted.kind == "azure_to_azure" else wanted.primary.network.name
        fabric = self.fabric(wanted.primary.place).id
        return fabric.child("replicationNetworks", segment, "replicationNetworkMappings", name)


def view_of(vault: Vault, inventory: VaultInventory, display: Mapping[ArmId, str]) -> VaultView:
    """The indexes of one vault."""
    live: dict[MappingIdentity, tuple[NetworkMapping, ...]] = {}
    names: dict[str, set[str]] = defaultdict(set)
    for mapping in inventory.mappings:
        identity = mapping.identity
        live[identity] = (*live.get(identity, ()), mapping)
        fabric, *_, name = mapping.id.key.rsplit("/", 4)
        names[fabric].add(name)
    for unreadable in inventory.unreadable:
        names[unreadable.fabric_id.key].add(unreadable.name.lower())
    fabrics = _by_place(inventory.fabrics)
    return VaultView(vault=vault, inventory=inventory, live=live, fabrics=fabrics, names=names, display=display)


def with_fabrics(view: VaultView, new: Iterable[Fabric]) -> VaultView:
    """The view as if the ``new`` fabrics were there already."""
    return structs.replace(view, fabrics=_by_place((*view.inventory.fabrics, *new)))


def _by_place(fabrics: Iterable[Fabric]) -> dict[str, list[Fabric]]:
    found: dict[str, list[Fabric]] = defaultdict(list)
    for fabric in fabrics:
        place = fabric.location if fabric.kind == "azure" else fabric.id.key
        if place:
            found[place].append(fabric)
    return found


def is_zone_to_zone(mapping: NetworkMapping) -> bool:
    """Whether both sides are in one region; such mappings are left alone."""
    return mapping.kind == "azure_to_azure" and mapping.primary_location == mapping.recovery_location
