"""The recovery VM networks that are available to each pair of clouds, and findings about a topology."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct

from asrnet.desired import VmmRow, VmNetworkName
from asrnet.model.arm import ASR_NETWORK, ArmId
from asrnet.model.azure import ProtectedItem
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.vmm.topology import Cloud, CloudPair, Network, Server, ServerNetwork, Topology, contains

SOURCE: Final = "Prepare network mapping for Hyper-V VM disaster recovery to Azure"

ReasonCode = Literal[
    "logical_network_shared",
    "logical_networks_unknown",
    "logical_network_not_shared",
    "no_logical_network",
]

REASONS: Final[Mapping[ReasonCode, str]] = {
    "logical_network_shared": "Available: the protecting cloud is associated with the network's logical network.",
    "logical_networks_unknown": "Available: the protecting cloud's logical networks are not known and exclude none.",
    "logical_network_not_shared": "Not available: the protecting cloud is not associated with its logical network.",
    "no_logical_network": "Not available: it has no logical network, and those of the protecting cloud are known.",
}
"""The rules of availability by code; their source is ``SOURCE``."""
_AVAILABLE: Final[frozenset[ReasonCode]] = frozenset({"logical_network_shared", "logical_networks_unknown"})


class Target(Struct, frozen=True, kw_only=True):
    """Whether a recovery VM network is available to a pair of clouds, and why."""

    primary_server: str
    protected_cloud: str
    recovery_server: str
    protecting_cloud: str
    network: str
    network_id: ArmId | None = None
    available: bool
    reason: ReasonCode
    message: str


def targets(
    topology: Topology, *, primary: ServerNetwork | None = None, recovery: ServerNetwork | None = None
) -> tuple[Target, ...]:
    """For each pair of clouds, whether each VM network of the protecting cloud's server is available, and why.

    ``primary`` limits the pairs to protected clouds that use that network, and ``recovery`` limits the targets to one
    network. Source: Prepare network mapping for Hyper-V VM disaster recovery to Azure.
    """
    results = []
    for pair in topology.pairs():
        if primary is not None and not _uses(pair, primary):
            continue
        for network in pair.recovery_server.networks:
            candidate = ServerNetwork(pair.recovery_server, network)
            if candidate == primary or (recovery is not None and candidate != recovery):
                continue
            reason, message = _judge(pair.protecting, network)
            results.append(
                Target(
                    primary_server=pair.primary_server.name,
                    protected_cloud=pair.protected.name,
                    recovery_server=pair.recovery_server.name,
                    protecting_cloud=pair.protecting.name,
                    network=network.name,
                    network_id=network.id,
                    available=reason in _AVAILABLE,
                    reason=reason,
                    message=message,
                )
            )
    return tuple(results)


def eligible_hosts(topology: Topology, primary_id: ArmId, recovery_id: ArmId) -> tuple[str, ...] | None:
    """The hosts for replicas of ``primary_id``'s machines: those of a protecting cloud that reach ``recovery_id``.

    None if the hosts are not known. Source: Prepare network mapping for Hyper-V VM disaster recovery to Azure.
    """
    primary, recovery = topology.network_by_id(primary_id), topology.network_by_id(recovery_id)
    return None if primary is None or recovery is None else _hosts(topology, primary, recovery)


def failback_hosts(topology: Topology, replica_id: ArmId | None, home_id: ArmId) -> tuple[str, ...] | None:
    """The hosts of a protected cloud that can reach ``home_id``, and so take a machine at failback.

    ``replica_id`` is the replica's network, if any. If it is known, only clouds that are protected by a cloud
    of the replica's server count. Returns None if the hosts are not known.
    """
    home = topology.network_by_id(home_id)
    replica = topology.network_by_id(replica_id) if replica_id else None
    if home is None or not home.server.hosts:
        return None
    clouds = [
        pair.protected
        for pair in topology.pairs()
        if _uses(pair, home) and (replica is None or pair.recovery_server == replica.server)
    ]
    return _hosts_of(clouds, home)


def check_row(topology: Topology, row: VmmRow) -> tuple[Finding, ...]:
    """The findings about a VMM to VMM row: no pair of clouds can use its target, or no host reaches it.

    There are none if no cloud of the primary server is protected by a cloud of the recovery server, because then
    nothing is known. Raises InputError for the name of a server or network that is unknown or ambiguous.
    """
    if not isinstance(row.recovery, VmNetworkName):
        return ()
    primary, recovery = topology.network(row.primary), topology.network(row.recovery)
    findings = []
    pairs = _between(topology, primary.server, recovery.server)
    reasons = []
    for pair in pairs:
        reason, message = _judge(pair.protecting, recovery.network)
        if not _uses(pair, primary):
            reasons.append(f"{pair.protected.name} does not use {primary.network.name}")
        elif reason not in _AVAILABLE:
            reasons.append(message)
    if pairs and len(reasons) == len(pairs):
        findings.append(
            finding(
                FindingKind.TARGET_NOT_AVAILABLE,
                f"{row.recovery} is available to no pair of clouds that uses {row.primary}: "
                f"{'; '.join(sorted(reasons))}",
                subject=str(row.recovery),
                vault=row.vault,
                pair=row.name,
                hint=f"see: {shlex.join(['asrnet', 'targets', '--primary-network', str(row.primary)])}",
            )
        )
    if _hosts(topology, primary, recovery) == ():
        findings.append(
            finding(
                FindingKind.NO_ELIGIBLE_HOST,
                f"no host of the protecting clouds reaches {row.recovery}",
                subject=str(row.recovery),
                vault=row.vault,
                pair=row.name,
                hint="replicas are placed on hosts that can reach the mapped network",
            )
        )
    return tuple(findings)


def check_topology(topology: Topology, vault: str) -> tuple[Finding, ...]:
    """Findings about logical networks without VM networks, on servers for which such links are known."""
    findings = []
    for server in topology.servers:
        is_linked = any(network.logical_network is not None for network in server.networks)
        # Without a topology file a vault has no links at all, so missing ones prove nothing.
        if not is_linked and server.networks and all(cloud.logical_networks is None for cloud in server.clouds):
            continue
        findings += [
            finding(
                FindingKind.LOGICAL_NETWORK_WITHOUT_NETWORKS,
                f"the logical network {logical.name} of {server.name} has no VM networks",
                vault=vault,
                subject=logical.name,
                hint="no network mapping can use it",
            )
            for logical in server.logical_networks
            if not any(contains((logical.name,), network.logical_network) for network in server.networks)
        ]
    return tuple(findings)


def check_machines(topology: Topology, items: Iterable[ProtectedItem], vault: str) -> tuple[Finding, ...]:
    """Findings about protected machines on a VM network that links to no logical network of their cloud."""
    findings = []
    for item in items:
        for nic in item.nics:
            primary = nic.primary_network_id
            on_premises = topology.network_by_id(primary) if primary and primary.type == ASR_NETWORK else None
            if on_premises is None:
                continue
            server = on_premises.server
            # A machine's container is its cloud. Clouds from a topology file have no id, so it may be any of them.
            clouds = [cloud for cloud in server.clouds if cloud.id == item.id.parent] or server.clouds
            if clouds and not any(_has(cloud, on_premises.network) for cloud in clouds):
                name = on_premises.network.name
                names = ", ".join(cloud.name for cloud in clouds)
                findings.append(
                    finding(
                        FindingKind.NETWORK_WITHOUT_LOGICAL_NETWORK,
                        f"{item.friendly_name} is on {name}, which is on no logical network of {names}",
                        vault=vault,
                        subject=item.friendly_name,
                        hint="its cloud is not offered any target network",
                    )
                )
    return tuple(findings)


def _judge(cloud: Cloud, network: Network) -> tuple[ReasonCode, str]:
    if cloud.logical_networks is None:
        # Unknown logical networks exclude no target; otherwise every network would be refused without a topology file.
        return "logical_networks_unknown", f"the logical networks of {cloud.name} are not known"
    if network.logical_network is None:
        return "no_logical_network", f"{network.name} links to no logical network"
    if contains(cloud.logical_networks, network.logical_network):
        return "logical_network_shared", f"{cloud.name} is associated with {network.logical_network}"
    return "logical_network_not_shared", f"{cloud.name} is not associated with {network.logical_network}"


def _has(cloud: Cloud, network: Network) -> bool:
    return _judge(cloud, network)[0] in _AVAILABLE


def _uses(pair: CloudPair, primary: ServerNetwork) -> bool:
    return pair.primary_server == primary.server and _has(pair.protected, primary.network)


def _between(topology: Topology, primary: Server, recovery: Server) -> list[CloudPair]:
    return [pair for pair in topology.pairs() if pair.primary_server == primary and pair.recovery_server == recovery]


def _hosts(topology: Topology, primary: ServerNetwork, recovery: ServerNetwork) -> tuple[str, ...] | None:
    if not recovery.server.hosts:
        return None
    pairs = _between(topology, primary.server, recovery.server)
    return _hosts_of([pair.protecting for pair in pairs if _uses(pair, primary)], recovery)


def _hosts_of(clouds: Collection[Cloud], place: ServerNetwork) -> tuple[str, ...]:
    """The hosts of ``clouds`` that reach the network; without ``clouds``, those of any cloud."""
    names = [name for cloud in clouds for name in (cloud.name, cloud.resource_name) if name]
    return tuple(
        host.name
        for host in place.server.hosts
        if (not clouds or contains(names, host.cloud))
        and (host.networks is None or contains(host.networks, place.network.name))
    )
