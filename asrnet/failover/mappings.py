"""Network mappings as a prediction looks them up: by primary network, vault and where they lead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct

from asrnet.model.arm import VNET, ArmId
from asrnet.model.azure import MappingKind, NetworkMapping, UnreadableMapping


class Gaps(Struct, frozen=True, kw_only=True):
    """The mappings that could not be read: all of ``vaults``, and ``mappings``, which do not say what they map."""

    vaults: frozenset[ArmId] = frozenset()
    mappings: tuple[UnreadableMapping, ...] = ()


class MappingMatch(Struct, frozen=True, gc=False):
    """The answer to a look-up: one mapping, several ``rivals`` that lead to different networks, or none.

    ``gap`` is empty, or says why a network without a mapping may be mapped all the same.
    """

    mapping: NetworkMapping | None = None
    rivals: tuple[NetworkMapping, ...] = ()
    gap: str = ""

    @property
    def network_id(self) -> ArmId | None:
        """The recovery network, where exactly one is mapped."""
        return self.mapping.recovery_network_id if self.mapping else None


_NO_MATCH = MappingMatch()


class Mappings:
    """All mappings that were read, by their primary network, and the ``gaps`` of what was not."""

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
        """The mapping of ``primary`` in this vault, to this fabric or region and of this kind, where they are given."""
        if primary is None:
            return _NO_MATCH
        fitting = [
            mapping
            for mapping in self._by_primary.get(primary, ())
            if (vault_id is None or mapping.vault_id == vault_id)
            and (kind is None or mapping.kind == kind)
            and _leads_to(mapping, to_fabric, to_location)
        ]
        # Two mappings to one network agree. No document says that a network is mapped only once to each region.
        if len({mapping.recovery_network_id for mapping in fitting}) > 1:
            return MappingMatch(rivals=tuple(fitting))
        if fitting:
            return MappingMatch(fitting[0])
        # A replica in Azure is not on a VM network, so an unread mapping between VMM servers cannot lead it home.
        gap = "" if kind == "vmm_to_vmm" and primary.type == VNET else self._gap(primary, vault_id)
        return MappingMatch(gap=gap) if gap else _NO_MATCH

    def kind_under(self, fabric_id: ArmId) -> MappingKind | None:
        """The kind of a fabric's mappings, where they are all of one."""
        kinds = self._kinds.get(fabric_id, set())
        return next(iter(kinds)) if len(kinds) == 1 else None

    def _gap(self, primary: ArmId, vault_id: ArmId | None) -> str:
        """Why ``primary`` may be mapped although no mapping that was read says so; empty where it is not."""
        if vault_id in self._gaps.vaults or (vault_id is None and self._gaps.vaults):
            return "the mappings of a vault could not be read"
        for mapping in self._gaps.mappings:
            if vault_id is not None and vault_id != mapping.fabric_id.parent:
                continue
            if mapping.primary_network_id is not None:
                may_map = mapping.primary_network_id == primary
            else:
                # The path of an on-premises mapping has the network's own id; between regions it says nothing.
                may_map = primary == mapping.id.parent or primary.type == VNET
            if may_map:
                return f"the mapping '{mapping.name}' {mapping.problem}"
        return ""


def _leads_to(mapping: NetworkMapping, fabric_id: ArmId | None, location: str | None) -> bool:
    if mapping.kind == "vmm_to_azure":
        return True  # It names a fabric of Azure that no vault lists.
    # The region decides where it is known: a vault may have had two fabrics for one region.
    if location and mapping.recovery_location:
        return mapping.recovery_location == location
    if fabric_id is not None and mapping.recovery_fabric_id is not None:
        return mapping.recovery_fabric_id == fabric_id
    return True
