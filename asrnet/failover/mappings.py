"""Network mappings, which a prediction looks up by primary network, vault and target."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct

from asrnet.model.arm import VNET, ArmId
from asrnet.model.azure import MappingKind, NetworkMapping, UnreadableMapping


class Gaps(Struct, frozen=True, kw_only=True):
    """The mappings that could not be read: all of ``vaults``, and ``mappings``, which omit which networks they map."""

    vaults: frozenset[ArmId] = frozenset()
    mappings: tuple[UnreadableMapping, ...] = ()


class MappingMatch(Struct, frozen=True, gc=False):
    """The result of a look-up: one mapping, several ``rivals`` that lead to different networks, or none.

    If no mapping was found, ``gap`` is the reason why one may exist nevertheless; otherwise it is empty.
    """

    mapping: NetworkMapping | None = None
    rivals: tuple[NetworkMapping, ...] = ()
    gap: str = ""

    @property
    def network_id(self) -> ArmId | None:
        """The recovery network, if exactly one mapping was found."""
        return self.mapping.recovery_network_id if self.mapping else None


_NO_MATCH = MappingMatch()


class Mappings:
    """All mappings that were read, by primary network, and the ``gaps`` left by those that were not."""

    __slots__ = ("_by_primary", "_gaps", "_kinds")

    def __init__(self, mappings: Iterable[NetworkMapping], gaps: Gaps = Gaps()) -> None:  # noqa: B008 - a frozen value
        self._gaps = gaps
        self._by_primary: defaultdict[ArmId, list[NetworkMapping]] = defaultdict(list)
        self._kinds: defaultdict[ArmId, set[MappingKind]] = defaultdict(set)
        for mapping in mappings:
            self._by_primary[mapping.primary_network_id].append(mapping)
            self._kinds[mapping.fabric_id].add(mapping.kind)

    def find(
        self,
        primary: ArmId | None,
        *,
        vault_id: ArmId | None = None,
        to_fabric: ArmId | None = None,
        to_location: str | None = None,
        kind: MappingKind | None = None,
    ) -> MappingMatch:
        """Find the mapping of ``primary``, restricted to the given vault, fabric or region, and kind."""
        if primary is None:
            return _NO_MATCH
        fitting = [
            mapping
            for mapping in self._by_primary.get(primary, ())
            if (vault_id is None or mapping.vault_id == vault_id)
            and (kind is None or mapping.kind == kind)
            and _leads_to(mapping, to_fabric, to_location)
        ]
        # Two mappings to the same network agree. No document says that a network has only one mapping per region.
        if len({mapping.recovery_network_id for mapping in fitting}) > 1:
            return MappingMatch(rivals=tuple(fitting))
        if fitting:
            return MappingMatch(fitting[0])
        # A replica in Azure is not on a VM network, so an unread mapping between VMM servers cannot lead it home.
        gap = "" if kind == "vmm_to_vmm" and primary.type == VNET else self._gap(primary, vault_id)
        return MappingMatch(gap=gap) if gap else _NO_MATCH

    def kind_under(self, fabric_id: ArmId) -> MappingKind | None:
        """The kind of a fabric's mappings, if they are all of the same kind."""
        kinds = self._kinds.get(fabric_id, set())
        return next(iter(kinds)) if len(kinds) == 1 else None

    def _gap(self, primary: ArmId, vault_id: ArmId | None) -> str:
        """Why ``primary`` may be mapped by a mapping that was not read; empty if it cannot."""
        if vault_id in self._gaps.vaults or (vault_id is None and self._gaps.vaults):
            return "the mappings of a vault could not be read"
        for mapping in self._gaps.mappings:
            if vault_id is not None and vault_id != mapping.fabric_id.parent:
                continue
            if mapping.primary_network_id is not None:
                may_map = mapping.primary_network_id == primary
            else:
                # The path of an on-premises mapping contains the network's own id; between regions it contains nothing
                # useful.
                may_map = primary == mapping.id.parent or primary.type == VNET
            if may_map:
                return f"the mapping '{mapping.name}' {mapping.problem}"
        return ""


def _leads_to(mapping: NetworkMapping, fabric_id: ArmId | None, location: str | None) -> bool:
    if mapping.kind == "vmm_to_azure":
        return True  # it names a fabric of Azure that no vault lists
    # The region decides if it is known, because a vault may have had two fabrics for one region.
    if location and mapping.recovery_location:
        return mapping.recovery_location == location
    if fabric_id is not None and mapping.recovery_fabric_id is not None:
        return mapping.recovery_fabric_id == fabric_id
    return True
