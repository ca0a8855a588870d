"""Live mappings as pairs, as far as they can be read: what ``show`` prints and ``dump`` writes down."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Literal

from msgspec import Struct

from asrnet.desired import EVERYTHING, DesiredState, Selection, VmmRow
from asrnet.errors import InputError
from asrnet.inventory.read import Absent, Inventory, Unknown, VaultInventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE, MappingKind, NetworkMapping, UnreadableMapping
from asrnet.model.plan import FORMAT_VERSION
from asrnet.vmm import Topology

LiveStatus = Literal["paired", "half", "shared", "single", "duplicate", "not_paired", "zone_to_zone"]
"""``shared``: the recovery network fails back to another primary; ``single``: VMM to Azure, which has no reverse."""


class LivePair(Struct, frozen=True, kw_only=True):
    """A mapping and, where there is one, its opposite. ``pair`` is the name under which it is declared.

    ``primary_network`` and ``recovery_network`` are what people call the networks; a location is a region, or the VMM
    server. ``absent`` are those of its networks that do not exist, ``unknown`` those that could not be read.
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
    absent: tuple[ArmId, ...] = ()
    unknown: tuple[ArmId, ...] = ()


class LiveVault(Struct, frozen=True, kw_only=True):
    """A vault; where ``error`` says why it could not be read, nothing is known of its mappings.

    ``unreadable`` says of each mapping beyond ``mappings`` that it does not say what it maps.
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
    names, display = _Names(_declared(desired, inventory)), inventory.display_names()
    found = (pair for vault in inventory.vaults.values() for pair in _pairs(vault, names, display, inventory))
    return LivePairs(
        vaults=tuple(_vault(vault, display) for vault in inventory.vaults.values()),
        pairs=tuple(pair for pair in found if selection.has_pair(pair.pair)),
    )


class _Names:
    """The names under which mappings are declared: by vault, primary network and, on premises, by where they lead."""

    def __init__(self, declared: Iterable[tuple[str, ArmId, str, str]]) -> None:
        self._names = {(vault, primary, place): name for vault, primary, place, name in declared}

    def of(self, vault: str, mapping: NetworkMapping) -> str | None:
        """The name of the pair that ``mapping`` is the forward one of."""
        place = "" if mapping.kind == "azure_to_azure" else mapping.identity[2]
        return self._names.get((vault, mapping.primary_network_id, place))

    def primaries(self, vault: str) -> set[ArmId]:
        """The declared primary networks."""
        return {primary for name, primary, _ in self._names if name == vault}


def _declared(desired: DesiredState, inventory: Inventory) -> Iterator[tuple[str, ArmId, str, str]]:
    for pair in inventory.resolved(desired).pairs:
        yield pair.vault, pair.primary, "", pair.name
    for row in desired.vmm_pairs:
        vault = inventory.vaults.get(row.vault)
        if vault and isinstance(vault.topology, Topology):
            with suppress(InputError):  # a name that is not there is an error of plans; here it only names nothing
                yield row.vault, *_ends(row, vault.topology), row.name


def _ends(row: VmmRow, topology: Topology) -> tuple[ArmId, str]:
    """The primary network of a row, and the place it leads to as mappings tell it."""
    primary = topology.network(row.primary).network.id
    to_azure = isinstance(row.recovery, ArmId)
    server = None if isinstance(row.recovery, ArmId) else topology.network(row.recovery).server.fabric_id
    if primary is None or (server is None and not to_azure):
        raise InputError(f"{row.primary} was not read from a vault")
    return primary, server.key if server else MICROSOFT_AZURE


def _vault(vault: VaultInventory, display: Mapping[ArmId, str]) -> LiveVault:
    return LiveVault(
        name=vault.name,
        id=vault.id,
        location=vault.location,
        mappings=len(vault.mappings),
        error=vault.error.message if vault.error else None,
        unreadable=tuple(_riddle(mapping, display) for mapping in vault.unreadable),
    )


def _riddle(mapping: UnreadableMapping, display: Mapping[ArmId, str]) -> str:
    primary = mapping.primary_network_id
    whose = f" of {display.get(primary, primary.name)}" if primary else ""
    return f"mapping {mapping.name}{whose} {mapping.problem}"


def matched(
    vault: VaultInventory, declared: frozenset[ArmId] | set[ArmId] = frozenset()
) -> Iterator[tuple[NetworkMapping, NetworkMapping | None]]:
    """Each forward mapping of the vault with its reverse, in the order of the primary networks.

    Of two opposite mappings the forward one starts at a ``declared`` primary; failing that, in the region from which
    more leads to the other one: mappings without an opposite, protected machines, and a vault is best kept in the
    recovery region.
    """
    opposites = _opposites(vault.mappings)
    weights = _weights(vault, opposites)
    for mapping in sorted(vault.mappings, key=lambda one: (one.primary_network_id.key, one.id.key)):
        reverse = opposites.get(mapping.id)
        if reverse is None:
            yield mapping, None
        elif _rank(mapping, declared, weights) > _rank(reverse, declared, weights):
            yield mapping, reverse


def _opposites(mappings: Sequence[NetworkMapping]) -> dict[ArmId, NetworkMapping]:
    """The opposite of each mapping that has one; each is the opposite of one other at most."""
    waiting: dict[tuple[ArmId, ArmId], list[NetworkMapping]] = defaultdict(list)
    opposites: dict[ArmId, NetworkMapping] = {}
    for mapping in sorted(mappings, key=lambda one: one.id.key):
        there, back = mapping.primary_network_id, mapping.recovery_network_id
        if there != back and waiting[back, there]:
            other = waiting[back, there].pop(0)
            opposites[mapping.id], opposites[other.id] = other, mapping
        else:
            waiting[there, back].append(mapping)
    return opposites


def _sides(mapping: NetworkMapping) -> tuple[str, str]:
    """The two regions, or on premises the two servers."""
    recovery = mapping.recovery_fabric_id.key if mapping.recovery_fabric_id else ""
    return mapping.primary_location or mapping.fabric_id.key, mapping.recovery_location or recovery


def _weights(vault: VaultInventory, opposites: Mapping[ArmId, NetworkMapping]) -> Counter[tuple[str, str]]:
    weights = Counter(_sides(mapping) for mapping in vault.mappings if mapping.id not in opposites)
    places = {fabric.id: fabric.location or fabric.id.key for fabric in vault.fabrics}
    for item in () if isinstance(vault.items, Unknown) else vault.items:
        if item.recovery_fabric_id:
            weights[places.get(item.fabric_id, ""), places.get(item.recovery_fabric_id, "")] += 1
    for sides in {_sides(mapping) for mapping in vault.mappings}:
        weights[sides] += sides[1] == vault.location
    return weights


def _rank(
    mapping: NetworkMapping, declared: frozenset[ArmId] | set[ArmId], weights: Mapping[tuple[str, str], int]
) -> tuple[bool, int, bool, str]:
    primary, recovery = _sides(mapping)
    return mapping.primary_network_id in declared, weights[primary, recovery], primary < recovery, mapping.id.key


class _Shape(Struct, frozen=True):
    """What the status of a pair depends on beyond itself: identities in use, and networks that fail back somewhere."""

    identities: Mapping[tuple[ArmId, str], int]
    failing_back: frozenset[tuple[ArmId, str]]


def _shape(mappings: Sequence[NetworkMapping]) -> _Shape:
    opposites = _opposites(mappings)
    return _Shape(
        Counter(_identity(mapping) for mapping in mappings),
        frozenset(_identity(mapping) for mapping in mappings if mapping.id in opposites),
    )


def _identity(mapping: NetworkMapping) -> tuple[ArmId, str]:
    return mapping.primary_network_id, _sides(mapping)[1]


def _status(forward: NetworkMapping, reverse: NetworkMapping | None, shape: _Shape) -> LiveStatus:
    primary, recovery = _sides(forward)
    if any(mapping and not mapping.is_paired for mapping in (forward, reverse)):
        return "not_paired"
    if forward.kind == "vmm_to_azure":
        return "single"
    if forward.kind == "azure_to_azure" and primary == recovery:
        return "zone_to_zone"
    if shape.identities[_identity(forward)] > 1:
        return "duplicate"
    if reverse:
        return "paired"
    return "shared" if (forward.recovery_network_id, primary) in shape.failing_back else "half"


def _pairs(
    vault: VaultInventory, names: _Names, display: Mapping[ArmId, str], inventory: Inventory
) -> Iterator[LivePair]:
    shape = _shape(vault.mappings)
    for forward, reverse in matched(vault, names.primaries(vault.name)):
        networks = (forward.primary_network_id, forward.recovery_network_id)
        missing = {network: inventory.missing.get(network) for network in networks}
        primary, recovery = (display.get(network, network.name) for network in networks)
        yield LivePair(
            vault=vault.name,
            pair=names.of(vault.name, forward),
            kind=forward.kind,
            status=_status(forward, reverse, shape),
            primary_network_id=_spelled(forward.primary_network_id, inventory),
            recovery_network_id=_spelled(forward.recovery_network_id, inventory),
            primary_network=primary,
            recovery_network=recovery,
            primary_location=forward.primary_location or _server(forward.fabric_id, vault),
            recovery_location=_recovery_location(forward, vault, inventory),
            forward=forward.id,
            reverse=reverse.id if reverse else None,
            absent=tuple(network for network, state in missing.items() if isinstance(state, Absent)),
            unknown=tuple(network for network, state in missing.items() if isinstance(state, Unknown)),
        )


def _server(fabric_id: ArmId | None, vault: VaultInventory) -> str | None:
    """The name of a VMM server."""
    return next((fabric.friendly_name for fabric in vault.fabrics if fabric.id == fabric_id), None)


def _recovery_location(mapping: NetworkMapping, vault: VaultInventory, inventory: Inventory) -> str | None:
    if mapping.kind == "vmm_to_azure":
        network = inventory.networks.get(mapping.recovery_network_id)
        return network.location if network else MICROSOFT_AZURE
    return mapping.recovery_location or _server(mapping.recovery_fabric_id, vault)


def _spelled(network_id: ArmId, inventory: Inventory) -> ArmId:
    """The id as the network itself spells it: Site Recovery answers in lower case."""
    network = inventory.networks.get(network_id)
    return network.id if network else network_id
