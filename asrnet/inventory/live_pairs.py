"""Live mappings as pairs, as far as they can be read: ``show`` prints them and ``dump`` writes them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Literal

from msgspec import Struct

from asrnet.desired import EVERYTHING, DesiredState, Selection
from asrnet.desired.copies import is_copy
from asrnet.desired.pairs import recovery_location
from asrnet.errors import InputError
from asrnet.inventory.activity import is_uncommitted, machines_failed_over, machines_in_recovery_region
from asrnet.inventory.read import Absent, Inventory, Unknown, VaultInventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE, MappingKind, NetworkMapping
from asrnet.model.plan import FORMAT_VERSION
from asrnet.vmm import Topology

LiveStatus = Literal["paired", "half", "shared", "single", "duplicate", "not_paired", "zone_to_zone"]
"""``shared``: the recovery network fails back to another primary; ``single``: VMM to Azure, which has no reverse."""


class LivePair(Struct, frozen=True, kw_only=True):
    """A mapping and, if there is one, its opposite. ``pair`` is the name under which it is declared.

    ``primary_network`` and ``recovery_network`` are what people call the networks; a location is a region, or the VMM
    server. ``reversed_machines`` counts the machines that run in the recovery region and fail back from there,
    ``failed_over_machines`` those that have failed over and are not re-protected, ``uncommitted_machines`` those of
    them whose failover is not committed.
    ``absent`` are those of its networks that do not exist, ``unknown`` those that could not be read.
    """

    vault: str
    pair: str | None
    kind: MappingKind
    status: LiveStatus
    primary_network_id: ArmId
    recovery_network_id: ArmId
    primary_network: str
    recovery_network: str
    primary_location: str | None
    recovery_location: str | None
    forward: ArmId
    reverse: ArmId | None
    reversed_machines: int = 0
    failed_over_machines: int = 0
    uncommitted_machines: int = 0
    absent: tuple[ArmId, ...] = ()
    unknown: tuple[ArmId, ...] = ()


class LiveVault(Struct, frozen=True, kw_only=True):
    """A vault; if ``error`` says why it could not be read, its mappings are unknown.

    ``mappings`` counts them, ``unreadable`` has a line for each further one that does not say what it maps.
    """

    name: str
    id: ArmId
    location: str | None
    mappings: int
    error: str | None = None
    unreadable: tuple[str, ...] = ()


class LivePairs(Struct, frozen=True, kw_only=True):
    """Every pair of every vault."""

    format_version: str = FORMAT_VERSION
    vaults: tuple[LiveVault, ...]
    pairs: tuple[LivePair, ...]


def live_pairs(inventory: Inventory, desired: DesiredState, selection: Selection = EVERYTHING) -> LivePairs:
    """The live mappings as pairs, those that ``desired`` declares by its names and in its direction."""
    names, display = _declared_names(desired, inventory), inventory.display_names()
    directions = {(region.primary, region.recovery) for region in desired.regions}
    order = {name: index for index, name in enumerate(dict.fromkeys(names.values()))}
    vaults: list[LiveVault] = []
    pairs: list[LivePair] = []
    for vault in inventory.vaults.values():
        unreadable = []
        for mapping in vault.unreadable:
            primary = mapping.primary_network_id
            of_network = f" of {display.get(primary, primary.name)}" if primary else ""
            unreadable.append(f"mapping {mapping.name}{of_network} {mapping.problem}")
        live_vault = LiveVault(
            name=vault.name,
            id=vault.id,
            location=vault.location,
            mappings=len(vault.mappings),
            error=vault.error.message if vault.error else None,
            unreadable=tuple(unreadable),
        )
        vaults.append(live_vault)
        of_vault = _VaultPairs(vault, names, display, inventory, directions).pairs()
        # As in the plan: declared pairs in the order of the file, then the others by network.
        pairs += sorted(of_vault, key=lambda pair: order.get(pair.pair or "", len(order)))
    return LivePairs(vaults=tuple(vaults), pairs=tuple(pair for pair in pairs if selection.has_pair(pair.pair)))


_PairNames = Mapping[tuple[str, ArmId, str], str]
"""Names of declared pairs by vault, primary network, and the place of the recovery network or, if that is not known,
its key: pairs may share a primary network, and in a chain a recovery network is the primary of the next pair."""


def _declared_names(desired: DesiredState, inventory: Inventory) -> _PairNames:
    names: dict[tuple[str, ArmId, str], str] = {}
    for pair in inventory.resolved(desired).pairs:
        place = recovery_location(pair, inventory.networks) or pair.to
        primary = inventory.networks.get(pair.primary)
        if place is None and primary:
            regions = {region.recovery for region in desired.regions if region.primary == primary.location}
            place = next(iter(regions)) if len(regions) == 1 else None
        if place or pair.recovery:
            names[pair.vault, pair.primary, place or (pair.recovery.key if pair.recovery else "")] = pair.name
    for row in desired.vmm_pairs:
        vault = inventory.vaults.get(row.vault)
        if vault is None or not isinstance(vault.topology, Topology):
            continue
        # A name that the topology lacks is an error when planning; here it just matches nothing.
        with suppress(InputError):
            network_id = vault.topology.network(row.primary).network.id
            place = MICROSOFT_AZURE
            if not isinstance(row.recovery, ArmId):
                fabric_id = vault.topology.network(row.recovery).server.fabric_id
                place = fabric_id.key if fabric_id else ""
            if network_id and place:
                names[row.vault, network_id, place] = row.name
    return names


class _VaultPairs:
    """The mappings of one vault, matched with their opposites."""

    def __init__(
        self,
        vault: VaultInventory,
        names: _PairNames,
        display: Mapping[ArmId, str],
        inventory: Inventory,
        directions: Collection[tuple[str, str]],
    ) -> None:
        self._directions = directions
        self._vault, self._names, self._display, self._inventory = vault, names, display, inventory
        self._items = () if isinstance(vault.items, Unknown) else vault.items
        self._reversed = [item for item in self._items if item.is_reversed]
        self._opposites = _opposites(vault.mappings)
        self._uses = Counter(_primary_and_place(mapping) for mapping in vault.mappings)
        self._failing_back = {
            _primary_and_place(mapping) for mapping in vault.mappings if mapping.id in self._opposites
        }
        self._weights = self._weigh_directions()

    def pairs(self) -> Iterator[LivePair]:
        """Each forward mapping with its reverse, in the order of the primary networks."""
        ordered = sorted(self._vault.mappings, key=lambda mapping: (mapping.primary_network_id.key, mapping.id.key))
        for mapping in ordered:
            reverse = self._opposites.get(mapping.id)
            if reverse is None or self._rank(mapping) > self._rank(reverse):
                yield self._pair(mapping, reverse)

    def _rank(self, mapping: NetworkMapping) -> tuple[bool, bool, bool, int, bool, str]:
        """A sort key: of two opposite mappings, the forward one has the higher rank.

        The first difference decides: the mapping is declared; its primary network is not a copy; the desired state
        declares its regions in this direction; or its direction has more weight (see ``_weigh_directions``).
        """
        primary, recovery = _places(mapping)
        network = self._inventory.networks.get(mapping.primary_network_id)
        from_original = network is None or not is_copy(network)
        weight = self._weights[primary, recovery]
        is_named, as_regions = self._name_of(mapping) is not None, (primary, recovery) in self._directions
        # The id only breaks ties, so that every run shows a pair in the same direction.
        return is_named, from_original, as_regions, weight, primary < recovery, mapping.id.key

    def _name_of(self, mapping: NetworkMapping) -> str | None:
        """The name of the pair whose forward mapping is ``mapping``."""
        vault, primary = self._vault.name, mapping.primary_network_id
        by_place = self._names.get((vault, primary, mapping.identity[2]))
        return by_place or self._names.get((vault, primary, mapping.recovery_network_id.key))

    def _weigh_directions(self) -> Counter[tuple[str, str]]:
        """The weight of each direction: its mappings without an opposite and its machines.

        The direction to the vault's region weighs one more, because a vault is best kept in the recovery region.
        """
        weights = Counter(_places(mapping) for mapping in self._vault.mappings if mapping.id not in self._opposites)
        places = {fabric.id: fabric.location or fabric.id.key for fabric in self._vault.fabrics}
        for item in self._items:
            if item.recovery_fabric_id:
                primary, recovery = places.get(item.fabric_id, ""), places.get(item.recovery_fabric_id, "")
                # A re-protected machine replicates back, so its primary place is its target and not where it runs now.
                weights[(recovery, primary) if item.is_reversed else (primary, recovery)] += 1
        for sides in {_places(mapping) for mapping in self._vault.mappings}:
            weights[sides] += sides[1] == self._vault.location
        return weights

    def _pair(self, forward: NetworkMapping, reverse: NetworkMapping | None) -> LivePair:
        networks = (forward.primary_network_id, forward.recovery_network_id)
        missing = {network: self._inventory.missing.get(network) for network in networks}
        servers = {fabric.id: fabric.friendly_name for fabric in self._vault.fabrics}
        location = forward.recovery_location
        if forward.kind == "vmm_to_azure":
            recovery = self._inventory.networks.get(forward.recovery_network_id)
            location = recovery.location if recovery else MICROSOFT_AZURE
        elif location is None and forward.recovery_fabric_id:
            location = servers.get(forward.recovery_fabric_id)
        failed_over = machines_failed_over(self._items, *networks)
        return LivePair(
            vault=self._vault.name,
            pair=self._name_of(forward),
            kind=forward.kind,
            status=self._status(forward, reverse),
            primary_network_id=self._inventory.in_azure_spelling(networks[0]),
            recovery_network_id=self._inventory.in_azure_spelling(networks[1]),
            primary_network=self._display.get(networks[0], networks[0].name),
            recovery_network=self._display.get(networks[1], networks[1].name),
            primary_location=forward.primary_location or servers.get(forward.fabric_id),
            recovery_location=location,
            forward=forward.id,
            reverse=reverse.id if reverse else None,
            reversed_machines=len(machines_in_recovery_region(self._reversed, *networks)),
            failed_over_machines=len(failed_over),
            uncommitted_machines=sum(map(is_uncommitted, failed_over)),
            absent=tuple(network for network, state in missing.items() if isinstance(state, Absent)),
            unknown=tuple(network for network, state in missing.items() if isinstance(state, Unknown)),
        )

    def _status(self, forward: NetworkMapping, reverse: NetworkMapping | None) -> LiveStatus:
        primary, recovery = _places(forward)
        if not forward.is_paired or (reverse and not reverse.is_paired):
            return "not_paired"
        if forward.kind == "vmm_to_azure":
            return "single"
        if forward.kind == "azure_to_azure" and primary == recovery:
            return "zone_to_zone"
        if self._uses[_primary_and_place(forward)] > 1:
            return "duplicate"
        if reverse:
            return "paired"
        return "shared" if (forward.recovery_network_id, primary) in self._failing_back else "half"


def _opposites(mappings: Sequence[NetworkMapping]) -> dict[ArmId, NetworkMapping]:
    """The opposite of each mapping that has one; each is the opposite of one other at most."""
    waiting: dict[tuple[ArmId, ArmId], list[NetworkMapping]] = defaultdict(list)
    opposites: dict[ArmId, NetworkMapping] = {}
    for mapping in sorted(mappings, key=lambda mapping: mapping.id.key):
        primary, recovery = mapping.primary_network_id, mapping.recovery_network_id
        # A mapping of a network to itself, as between zones, would be its own opposite.
        if primary != recovery and waiting[recovery, primary]:
            other = waiting[recovery, primary].pop(0)
            opposites[mapping.id], opposites[other.id] = other, mapping
        else:
            waiting[primary, recovery].append(mapping)
    return opposites


def _places(mapping: NetworkMapping) -> tuple[str, str]:
    """The two regions, or on premises the two servers."""
    recovery = mapping.recovery_fabric_id.key if mapping.recovery_fabric_id else ""
    return mapping.primary_location or mapping.fabric_id.key, mapping.recovery_location or recovery


def _primary_and_place(mapping: NetworkMapping) -> tuple[ArmId, str]:
    return mapping.primary_network_id, _places(mapping)[1]
