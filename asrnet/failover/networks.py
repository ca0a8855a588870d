"""Step one of a prediction: the network on which a NIC lands at failover, in a test and after failback."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from asrnet.failover import rules
from asrnet.failover.machines import Machine, Replica
from asrnet.failover.mappings import MappingMatch, Mappings
from asrnet.failover.network_names import Network, network_name
from asrnet.failover.rules import Notice, ReplicationKind, Rule, notice
from asrnet.model.arm import ASR_NETWORK, VNET, ArmId
from asrnet.model.azure import Nic, VirtualNetwork


class NetworkChoice(Struct, frozen=True, kw_only=True, gc=False):
    """The network on which a NIC lands, None for none, and the rule that chose it.

    ``own_network_id`` is set on the machine, and ``mapped_network_id`` is the mapping's. With
    ``failover_settings``, the subnet and address that are set for a failover apply on this network; with
    ``test_settings``, those that are set for a test.
    """

    kind: ReplicationKind
    rule: Rule
    network_id: ArmId | None = None
    own_network_id: ArmId | None = None
    mapped_network_id: ArmId | None = None
    failover_settings: bool = True
    test_settings: bool = False
    notices: tuple[Notice, ...] = ()


def failover_network(
    machine: Machine, nic: Nic, mappings: Mappings, networks: Mapping[ArmId, Network]
) -> NetworkChoice:
    """The network at failover: the one set on the machine, else the mapped one, else none."""
    if machine.kind == "on_premises_to_azure":
        return _on_premises_network(nic)
    own_network = nic.recovery_network_id
    match = mappings.find(
        nic.primary_network_id,
        vault_id=machine.vault_id,
        to_fabric=machine.recovery_fabric_id,
        to_location=machine.recovery_location,
    )
    kind = _replication_kind(machine, nic, match, mappings)
    mapped = match.network_id
    if nic.unclear_recovery_network:
        message = (
            f"the machine's own recovery network is '{nic.unclear_recovery_network}', which is not the id of a network"
        )
        return NetworkChoice(
            kind=kind, rule=rules.OWN_NETWORK_UNKNOWN, notices=(notice("own_network_unknown", message),)
        )

    # A mapping provides the default when replication is enabled; a network that is set on the machine takes precedence.
    # Source: Set up network mapping and IP addressing for VNets.
    if own_network is not None and own_network != mapped:
        notices: tuple[Notice, ...] = ()
        if mapped is not None:
            message = f"the machine's own recovery network is {own_network.name}, the mapping's {mapped.name}"
            notices = (notice("differs_from_mapping", message),)
        return NetworkChoice(
            kind=kind,
            rule=rules.OWN_NETWORK if kind == "azure_to_azure" else rules.VMM_OWN_NETWORK,
            network_id=own_network,
            own_network_id=own_network,
            mapped_network_id=mapped,
            notices=notices,
        )
    if own_network is None and (unclear := _unclear_mapping(machine, nic, match)) is not None:
        rule, reason = unclear
        return NetworkChoice(kind=kind, rule=rule, notices=(reason,))
    if mapped is None and machine.between_zones:
        # Source: Enable Azure VM disaster recovery between availability zones.
        return NetworkChoice(kind=kind, rule=rules.ZONE_SAME_NETWORK, network_id=nic.primary_network_id)
    notices = ()
    if match.mapping is not None and not match.mapping.is_paired:
        message = f"the mapping '{match.mapping.name}' is in the state {match.mapping.state}"
        notices = (notice("mapping_not_paired", message),)
    return NetworkChoice(
        kind=kind,
        rule=_mapping_rule(kind, mapped, networks),
        network_id=mapped,
        own_network_id=own_network,
        mapped_network_id=mapped,
        notices=notices,
    )


def _on_premises_network(nic: Nic) -> NetworkChoice:
    """The network of a VMware or physical machine, which is set on the machine because mappings do not apply to it.

    Source: Manage VM network interfaces for on-premises disaster recovery to Azure.
    """
    own_network = nic.recovery_network_id
    if own_network is None:
        rule = rules.ON_PREMISES_NO_NETWORK
        return NetworkChoice(kind="on_premises_to_azure", rule=rule, notices=(notice("no_network_set"),))
    return NetworkChoice(
        kind="on_premises_to_azure", rule=rules.ON_PREMISES_NETWORK, network_id=own_network, own_network_id=own_network
    )


def _unclear_mapping(machine: Machine, nic: Nic, match: MappingMatch) -> tuple[Rule, Notice] | None:
    """Why the mapping of a NIC is unclear, as a rule and a notice; None if it is clear."""
    if match.rivals:
        # A protected machine says where it is replicated to, one in a list does not.
        remedy = "" if machine.item_id else "; name the region as recovery_region in the list, or with --to"
        return rules.AMBIGUOUS_MAPPING, notice("ambiguous_mapping", f"{_contradiction(match)}{remedy}")
    if nic.primary_network_id is None:
        message = f"the network '{nic.primary_network}' is not known" if nic.primary_network else ""
        return rules.MAPPING_UNKNOWN, notice("primary_network_unknown", message)
    if match.gap and not machine.between_zones:
        return rules.MAPPING_UNKNOWN, _gap_notice(match)
    return None


def test_network(
    failover: NetworkChoice, machine: Machine, nic: Nic, named: ArmId | None, networks: Mapping[ArmId, Network]
) -> NetworkChoice:
    """The network in a test: the machine's own test network, else ``named``, else that of the ``failover``.

    A machine that cannot be replicated cannot be tested either, whatever network is named. Source: Customize networking
    configurations of the target Azure VM.
    """
    is_planned = failover.kind == "azure_to_azure" and machine.vault_id is None
    if is_planned and failover.rule in {rules.A2A_UNMAPPED, rules.MAPPING_UNKNOWN}:
        return failover
    own_network = nic.test_network_id
    network_id = own_network or named or failover.network_id
    if network_id is None:
        return failover
    is_failover_network = network_id == failover.network_id
    notices = list(failover.notices) if own_network is None and named is None else []
    if is_failover_network:
        # Source: Enable Azure VM disaster recovery between availability zones, which asks for another network.
        is_current_network = network_id == nic.primary_network_id
        message = "The test uses the network that the machine runs in; a separate network is recommended."
        notices.append(notice("test_in_failover_network", message if is_current_network else ""))
    if own_network is not None and named is not None and own_network != named:
        message = f"its own test network is {label(own_network, networks)}, the test names {label(named, networks)}"
        notices.append(notice("test_network_differs", message))
    if own_network is not None:
        rule = rules.TEST_OWN_NETWORK
    else:
        rule = rules.TEST_FAILOVER_NETWORK if named is None else rules.TEST_NAMED_NETWORK
    return NetworkChoice(
        kind=failover.kind,
        rule=rule,
        network_id=network_id,
        own_network_id=own_network,
        mapped_network_id=failover.mapped_network_id,
        # Settings belong to one network: failover settings to the failover network, test settings to the test network.
        failover_settings=is_failover_network,
        test_settings=own_network is not None or is_failover_network,
        notices=tuple(notices),
    )


def failback_on_premises(
    original: ArmId | None,
    landed: ArmId | None,
    replica: Replica | None,
    mappings: Mappings,
    *,
    kind: ReplicationKind = "vmm_to_vmm",
    vault_id: ArmId | None = None,
    home_fabric_id: ArmId | None = None,
) -> NetworkChoice:
    """The network of an on-premises machine after failback.

    ``original`` is its original network, ``landed`` the network of its replica at failover, and ``replica`` what was
    done to the replica since, None for nothing. Only mappings of the vault that lead back to the home fabric count.
    Source: Prepare network mapping for Hyper-V VM disaster recovery to Azure.
    """
    current = replica.network_id if replica is not None else landed
    # The network of a replica in Azure may be mapped to another region, which leads no machine back home.
    match = mappings.find(current, vault_id=vault_id, to_fabric=home_fabric_id, kind="vmm_to_vmm")
    if unclear := _unclear_failback(kind, match):
        return unclear
    network_id = match.network_id
    if replica is not None and replica.network_id != landed:
        if current is None:
            rule = rules.FAILBACK_DISCONNECTED
        else:
            rule = rules.FAILBACK_MOVED if match.mapping else rules.FAILBACK_UNMAPPED
    elif network_id is not None and network_id != original:
        rule = rules.FAILBACK_REMAPPED
    else:
        rule, network_id = rules.FAILBACK_UNCHANGED, original
    return _failback_choice(kind, rule, network_id, match)


def failback_between_regions(
    replica_network: ArmId | None,
    mappings: Mappings,
    *,
    vault_id: ArmId | None = None,
    home_fabric_id: ArmId | None = None,
    home_location: str | None = None,
    zone_network: ArmId | None = None,
) -> NetworkChoice:
    """The network of an Azure machine after failback, if it is not re-protected yet: its replica's network decides.

    Re-protection follows the mapping of the replica's network. According to the source's edition of 2018, the network
    cannot be changed then, and the mapping has to be redone first. The newest edition lets somebody choose another
    network, which cannot be predicted. A machine replicated between zones of one region stays in ``zone_network``.
    Source: Reprotect failed over Azure VMs to the primary region.
    """
    match = mappings.find(replica_network, vault_id=vault_id, to_fabric=home_fabric_id, to_location=home_location)
    if unclear := _unclear_failback("azure_to_azure", match):
        return unclear
    if match.mapping is None and zone_network is not None and zone_network == replica_network:
        return _failback_choice("azure_to_azure", rules.ZONE_SAME_NETWORK, zone_network, match)
    rule = rules.A2A_FAILBACK_MAPPED if match.mapping else rules.A2A_FAILBACK_UNMAPPED
    return _failback_choice("azure_to_azure", rule, match.network_id, match)


def label(network_id: ArmId, networks: Mapping[ArmId, Network]) -> str:
    """The display name of a network, even if it is not known."""
    network = networks.get(network_id)
    return network_name(network) if network else network_id.name


def _unclear_failback(kind: ReplicationKind, match: MappingMatch) -> NetworkChoice | None:
    """The choice of no network if mappings contradict each other or could not be read; otherwise None."""
    if match.rivals:
        ambiguous = notice("ambiguous_mapping", _contradiction(match))
        return NetworkChoice(kind=kind, rule=rules.AMBIGUOUS_MAPPING, notices=(ambiguous,))
    if match.gap:
        return NetworkChoice(kind=kind, rule=rules.MAPPING_UNKNOWN, notices=(_gap_notice(match),))
    return None


def _contradiction(match: MappingMatch) -> str:
    ids = ", ".join(sorted(str(mapping.id) for mapping in match.rivals))
    return f"mappings of the primary network lead to different networks: {ids}"


def _gap_notice(match: MappingMatch) -> Notice:
    return notice("mapping_not_read", f"it is not known whether the network is mapped: {match.gap}")


def _failback_choice(kind: ReplicationKind, rule: Rule, network_id: ArmId | None, match: MappingMatch) -> NetworkChoice:
    # The settings of the machine were made for the failover, not for the failback.
    return NetworkChoice(
        kind=kind, rule=rule, network_id=network_id, mapped_network_id=match.network_id, failover_settings=False
    )


def _replication_kind(machine: Machine, nic: Nic, match: MappingMatch, mappings: Mappings) -> ReplicationKind:
    """How a machine is replicated. The machine itself decides, else its mapping, its network or its server."""
    mapping = match.mapping or next(iter(match.rivals), None)
    primary = nic.primary_network_id
    if machine.kind or mapping or primary is None:
        return machine.kind or (mapping.kind if mapping else "azure_to_azure")
    if primary.type == VNET:
        return "azure_to_azure"
    server = primary.parent if primary.type == ASR_NETWORK else None
    return (mappings.kind_under(server) if server else None) or "vmm_to_vmm"


def _mapping_rule(kind: ReplicationKind, mapped: ArmId | None, networks: Mapping[ArmId, Network]) -> Rule:
    if kind == "azure_to_azure":
        return rules.A2A_MAPPED if mapped else rules.A2A_UNMAPPED
    if kind == "vmm_to_vmm":
        return rules.VMM_MAPPED if mapped else rules.VMM_UNMAPPED
    if mapped is None:
        return rules.VMM_AZURE_UNMAPPED
    network = networks.get(mapped)
    has_gateway = isinstance(network, VirtualNetwork) and network.gateway
    return rules.VMM_AZURE_GATEWAY if has_gateway else rules.VMM_AZURE_MAPPED
