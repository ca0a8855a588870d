"""Live mappings as pairs, as far as they can be read: what ``show`` prints and ``dump`` writes down."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from asrnet.changes import FORMAT_VERSION
from asrnet.desired import EVERYTHING, DesiredState, Selection
from asrnet.ids import ArmId
from asrnet.inventory import Absent, Inventory, Unknown, VaultInventory
from asrnet.models import MappingKind, NetworkMapping

PAIRED = "Paired"
"""The only state of a mapping that has been seen in the wild."""

LiveStatus = Literal["paired", "half", "shared", "single", "duplicate", "not_paired", "zone_to_zone"]
"""``shared``: the recovery network fails back to another primary; ``single``: VMM to Azure, which has no reverse."""


class LivePair(Struct, frozen=True, kw_only=True):
    """A mapping and, where there is one, its opposite. ``pair`` is the name under which it is declared.

    ``absent`` are those of its networks that do not exist, ``unknown`` those that could not be read.
    """

    vault: str
    pair: str | None
    kind: MappingKind
    status: LiveStatus
    primary_network_id: ArmId
    recovery_network_id: ArmId
    primary_location: str | None
    recovery_location: str | None
    forward: ArmId
    reverse: ArmId | None
    absent: tuple[ArmId, ...] = ()
    unknown: tuple[ArmId, ...] = ()


class LiveVault(Struct, frozen=True, kw_only=True):
    """A vault; where ``error`` says why it could not be read, nothing is known of its mappings."""

    name: str
    id: ArmId
    location: str | None
    mappings: int
    error: str | None = None


class LivePairs(Struct, frozen=True, kw_only=True):
    """Every pair of every vault."""

    format_version: str = FORMAT_VERSION
    vaults: tuple[LiveVault, ...]
    pairs: tuple[LivePair, ...]


def live_pairs(inventory: Inventory, desired: DesiredState, selection: Selection = EVERYTHING) -> LivePairs:
    """The live mappings as pairs, those that ``desired`` declares by its names and in its direction."""
    names = {(pair.vault, pair.primary): pair.name for pair in inventory.resolved(desired).pairs}
    found = (pair for vault in inventory.vaults.values() for pair in _pairs(vault, names, inventory))
    return LivePairs(
        vaults=tuple(_vault(vault) for vault in inventory.vaults.values()),
        pairs=tuple(pair for pair in found if selection.has_pair(pair.pair)),
    )


def _vault(vault: VaultInventory) -> LiveVault:
    return LiveVault(
        name=vault.name,
        id=vault.id,
        location=vault.location,
        mappings=len(vault.mappings),
        error=vault.error.message if vault.error else None,
    )


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
    if any(mapping and mapping.state != PAIRED for mapping in (forward, reverse)):
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


def _pairs(vault: VaultInventory, names: Mapping[tuple[str, ArmId], str], inventory: Inventory) -> Iterator[LivePair]:
    shape = _shape(vault.mappings)
    declared = {primary for name, primary in names if name == vault.name}
    for forward, reverse in matched(vault, declared):
        networks = (forward.primary_network_id, forward.recovery_network_id)
        missing = {network: inventory.missing.get(network) for network in networks}
        yield LivePair(
            vault=vault.name,
            pair=names.get((vault.name, forward.primary_network_id)),
            kind=forward.kind,
            status=_status(forward, reverse, shape),
            primary_network_id=_spelled(forward.primary_network_id, inventory),
            recovery_network_id=_spelled(forward.recovery_network_id, inventory),
            primary_location=forward.primary_location,
            recovery_location=forward.recovery_location,
            forward=forward.id,
            reverse=reverse.id if reverse else None,
            absent=tuple(network for network, state in missing.items() if isinstance(state, Absent)),
            unknown=tuple(network for network, state in missing.items() if isinstance(state, Unknown)),
        )


def _spelled(network_id: ArmId, inventory: Inventory) -> ArmId:
    """The id as the network itself spells it: Site Recovery answers in lower case."""
    network = inventory.networks.get(network_id)
    return network.id if network else network_id
