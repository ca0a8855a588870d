"""Which network a machine lands on at failover and in a test: its own, the mapped one, the named one, or none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from asrnet.failover import rules
from asrnet.failover.machines import Machine, Network, kind_of, network_name
from asrnet.failover.rules import Notice, Rule, notice
from asrnet.model.arm import ASR_NETWORK, VNET, ArmId
from asrnet.model.azure import MappingKind, NetworkMapping, Nic, UnreadableMapping, VirtualNetwork


class Gaps(Struct, frozen=True, kw_only=True):
    """What is not known of mappings: anything of those of ``vaults``, and what ``mappings`` map."""

    vaults: frozenset[ArmId] = frozenset()
    mappings: tuple[UnreadableMapping, ...] = ()


class Found(Struct, frozen=True, gc=False):
    """What the mappings say of a network: one that fits, none, or several that lead to different networks.

    ``gap``: none is known, and why there may be one all the same.
    """

    mapping: NetworkMapping | None = None
    rivals: tuple[NetworkMapping, ...] = ()
    gap: str = ""

    @property
    def network_id(self) -> ArmId | None:
        """The recovery network, where exactly one is mapped."""
        return self.mapping.recovery_network_id if self.mapping else None


_NOTHING = Found()


class Mappings:
    """Mappings, found by their primary network; ``gaps`` are those that are there and not among them."""

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
        kind: MappingKind | None = None,
    ) -> Found:
        """The mapping of ``primary``: in this vault, to this fabric and of this kind where they are given."""
        if primary is None:
            return _NOTHING
        fitting = [
            mapping
            for mapping in self._by_primary.get(primary, ())
            if (vault_id is None or mapping.vault_id == vault_id)
            and (kind is None or mapping.kind == kind)
            and _leads_to(mapping, to_fabric)
        ]
        if len({mapping.recovery_network_id for mapping in fitting}) > 1:
            return Found(rivals=tuple(fitting))
        if fitting:
            return Found(fitting[0])
        gap = "" if kind == "vmm_to_vmm" and primary.type == VNET else self._gap(primary, vault_id)
        return Found(gap=gap) if gap else _NOTHING

    def kind_under(self, fabric_id: ArmId) -> MappingKind | None:
        """The kind of a fabric's mappings, where they are all of one."""
        kinds = self._kinds.get(fabric_id, set())
        return next(iter(kinds)) if len(kinds) == 1 else None

    def _gap(self, primary: ArmId, vault_id: ArmId | None) -> str:
        """Why ``primary`` may be mapped although no mapping says so; nothing where it is not."""
        if vault_id in self._gaps.vaults or (vault_id is None and self._gaps.vaults):
            return "the mappings of a vault could not be read"
        riddles = (one for one in self._gaps.mappings if vault_id is None or vault_id == one.fabric_id.parent)
        riddle = next((one for one in riddles if _may_map(one, primary)), None)
        return f"the mapping '{riddle.name}' {riddle.problem}" if riddle else ""


def _may_map(mapping: UnreadableMapping, primary: ArmId) -> bool:
    if mapping.primary_network_id is not None:
        return mapping.primary_network_id == primary
    # The path of an on-premises mapping has the network's own id, that of one between regions says nothing.
    return primary == mapping.id.parent or primary.type == VNET


def _leads_to(mapping: NetworkMapping, fabric_id: ArmId | None) -> bool:
    # A VMM server's mapping to Azure names a fabric that no vault lists.
    told = fabric_id is not None and mapping.recovery_fabric_id is not None and mapping.kind != "vmm_to_azure"
    return not told or mapping.recovery_fabric_id == fabric_id


class Target(Struct, frozen=True, kw_only=True, gc=False):
    """The network a NIC lands on, None for none, and why; and what the machine and the mapping say each.

    ``own_settings``: the subnet and the address that are set on the machine are meant for this network.
    """

    kind: MappingKind
    rule: Rule
    network_id: ArmId | None = None
    own_network_id: ArmId | None = None
    mapped_network_id: ArmId | None = None
    own_settings: bool = True
    notices: tuple[Notice, ...] = ()


def failover_target(machine: Machine, nic: Nic, mappings: Mappings, networks: Mapping[ArmId, Network]) -> Target:
    """Where the NIC goes at failover: to its own recovery network, else to the mapped one, else to none."""
    found = mappings.find(nic.primary_network_id, vault_id=machine.vault_id, to_fabric=machine.recovery_fabric_id)
    kind = replication_kind(machine, nic, found, mappings)
    mapped, own = found.network_id, nic.recovery_network_id
    if own is not None and own != mapped:
        return _own_target(kind, own, mapped)
    if found.rivals:
        return Target(kind=kind, rule=rules.AMBIGUOUS_MAPPING, notices=(ambiguity(found),))
    if own is None and (doubt := _doubt(nic, found)):
        return Target(kind=kind, rule=rules.MAPPING_UNKNOWN, notices=(doubt,))
    return Target(
        kind=kind,
        rule=_mapping_rule(kind, mapped, networks),
        network_id=mapped,
        own_network_id=own,
        mapped_network_id=mapped,
        notices=_state_notices(found),
    )


def test_target(
    default: Target, machine: Machine, nic: Nic, named: ArmId | None, networks: Mapping[ArmId, Network]
) -> Target:
    """Where the NIC goes in a test failover: to its own test network, else to ``named``, else where failover leads.

    What cannot be replicated cannot be tested either, whatever network is named.
    """
    is_planned = default.kind == "azure_to_azure" and machine.vault_id is None
    if is_planned and default.rule in {rules.A2A_UNMAPPED, rules.MAPPING_UNKNOWN}:
        return default
    own = nic.test_network_id
    network_id = own or named or default.network_id
    if network_id is None:
        return default
    notices = list(default.notices) if own is None and named is None else []
    if network_id == default.network_id:
        notices.append(notice("test_in_failover_network"))
    if own is not None and named is not None and own != named:
        words = f"its own test network is {label(own, networks)}, the test names {label(named, networks)}"
        notices.append(notice("test_network_differs", words))
    return Target(
        kind=default.kind,
        rule=_test_rule(own, named),
        network_id=network_id,
        own_network_id=own,
        mapped_network_id=default.mapped_network_id,
        own_settings=network_id == default.network_id,
        notices=tuple(notices),
    )


def replication_kind(machine: Machine, nic: Nic, found: Found, mappings: Mappings) -> MappingKind:
    """How a machine is replicated: as it says, as its mapping says, as its network tells, as its server's mappings."""
    mapping = found.mapping or next(iter(found.rivals), None)
    primary = nic.primary_network_id
    if machine.kind or mapping or primary is None:
        return machine.kind or (mapping.kind if mapping else "azure_to_azure")
    server = primary.parent if primary.type == ASR_NETWORK else None
    return kind_of(primary) or (mappings.kind_under(server) if server else None) or "vmm_to_vmm"


def label(network_id: ArmId, networks: Mapping[ArmId, Network]) -> str:
    """What people call a network, known or not."""
    network = networks.get(network_id)
    return network_name(network) if network else network_id.name


def ambiguity(found: Found) -> Notice:
    """The notice that mappings contradict each other, with their ids."""
    ids = ", ".join(sorted(str(mapping.id) for mapping in found.rivals))
    return notice("ambiguous_mapping", f"mappings of the primary network lead to different networks: {ids}")


def gap_notice(found: Found) -> Notice:
    """The notice that mappings are missing among those that were read."""
    return notice("mapping_not_read", f"whether the network is mapped is not known: {found.gap}")


def _doubt(nic: Nic, found: Found) -> Notice | None:
    if nic.primary_network_id is None:
        words = f"which network '{nic.primary_network}' is, is not known" if nic.primary_network else ""
        return notice("primary_network_unknown", words)
    return gap_notice(found) if found.gap else None


def _own_target(kind: MappingKind, own: ArmId, mapped: ArmId | None) -> Target:
    notices: tuple[Notice, ...] = ()
    if mapped is not None:
        words = f"the machine's own recovery network is {own.name}, the mapping's {mapped.name}"
        notices = (notice("differs_from_mapping", words),)
    return Target(
        kind=kind,
        rule=rules.OWN_NETWORK if kind == "azure_to_azure" else rules.VMM_OWN_NETWORK,
        network_id=own,
        own_network_id=own,
        mapped_network_id=mapped,
        notices=notices,
    )


def _mapping_rule(kind: MappingKind, mapped: ArmId | None, networks: Mapping[ArmId, Network]) -> Rule:
    if kind == "azure_to_azure":
        return rules.A2A_MAPPED if mapped else rules.A2A_UNMAPPED
    if kind == "vmm_to_vmm":
        return rules.VMM_MAPPED if mapped else rules.VMM_UNMAPPED
    if mapped is None:
        return rules.VMM_AZURE_UNMAPPED
    network = networks.get(mapped)
    has_gateway = isinstance(network, VirtualNetwork) and network.gateway
    return rules.VMM_AZURE_GATEWAY if has_gateway else rules.VMM_AZURE_MAPPED


def _state_notices(found: Found) -> tuple[Notice, ...]:
    if found.mapping is None or found.mapping.is_paired:
        return ()
    return (notice("mapping_not_paired", f"the mapping '{found.mapping.name}' is in the state {found.mapping.state}"),)


def _test_rule(own: ArmId | None, named: ArmId | None) -> Rule:
    if own is not None:
        return rules.TEST_OWN_NETWORK
    return rules.TEST_FAILOVER_NETWORK if named is None else rules.TEST_NAMED_NETWORK
