"""Which network a machine is on after failback."""

from __future__ import annotations

from msgspec import Struct

from asrnet.failover import rules
from asrnet.failover.machines import Replica
from asrnet.failover.networks import Found, Mappings
from asrnet.failover.rules import Rule
from asrnet.model.arm import ArmId


class Return(Struct, frozen=True):
    """The network a machine comes back to, None for none, and why."""

    network_id: ArmId | None
    rule: Rule
    found: Found = Found()


def failback_on_premises(
    original: ArmId | None,
    landed: ArmId | None,
    replica: Replica | None,
    mappings: Mappings,
    *,
    vault_id: ArmId | None = None,
    home_fabric_id: ArmId | None = None,
) -> Return:
    """Where an on-premises machine is after failback.

    ``original`` is the network it was on, ``landed`` the one its replica was connected to at failover, ``replica``
    what became of that since, None for nothing. Only mappings of the vault, back to the home fabric, count.
    Source: Prepare network mapping for Hyper-V VM disaster recovery to Azure.
    """
    is_moved = replica is not None and replica.network_id != landed
    now = replica.network_id if replica is not None else landed
    # A replica in Azure may be on a network that is mapped to another region, which leads no machine back home.
    found = mappings.find(now, vault_id=vault_id, to_fabric=home_fabric_id, kind="vmm_to_vmm")
    if found.rivals:
        return Return(None, rules.AMBIGUOUS_MAPPING, found)
    if found.gap:
        return Return(None, rules.MAPPING_UNKNOWN, found)
    if is_moved:
        return Return(found.network_id, _moved_rule(now, found), found)
    if found.network_id is not None and found.network_id != original:
        return Return(found.network_id, rules.FAILBACK_REMAPPED, found)
    return Return(original, rules.FAILBACK_UNCHANGED, found)


def failback_between_regions(
    replica_network: ArmId | None,
    mappings: Mappings,
    *,
    vault_id: ArmId | None = None,
    home_fabric_id: ArmId | None = None,
) -> Return:
    """Where an Azure machine is after failback: re-protection takes what the replica's network is mapped to.

    Once it is re-protected its own settings count, as in any failover.
    Source: Set up network mapping and IP addressing for VNets.
    """
    found = mappings.find(replica_network, vault_id=vault_id, to_fabric=home_fabric_id)
    if found.rivals:
        return Return(None, rules.AMBIGUOUS_MAPPING, found)
    if found.gap:
        return Return(None, rules.MAPPING_UNKNOWN, found)
    rule = rules.A2A_FAILBACK_MAPPED if found.mapping else rules.A2A_FAILBACK_UNMAPPED
    return Return(found.network_id, rule, found)


def _moved_rule(now: ArmId | None, found: Found) -> Rule:
    if now is None:
        return rules.FAILBACK_DISCONNECTED
    return rules.FAILBACK_MOVED if found.mapping else rules.FAILBACK_UNMAPPED
