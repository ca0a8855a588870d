"""Which recovery VM networks are available to which clouds, and what of a topology cannot work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from msgspec import Struct

from asrnet.desired import VmmRow, VmNetworkName
from asrnet.model.arm import ASR_NETWORK, ArmId
from asrnet.model.azure import ProtectedItem
from asrnet.model.findings import FindingKind
from asrnet.vmm.topology import Cloud, CloudPair, Found, Network, Server, Topology, contains, same

SOURCE: Final = "Prepare network mapping for Hyper-V VM disaster recovery to Azure"

ReasonCode = Literal[
    "logical_network_shared",
    "logical_networks_unknown",
    "logical_network_not_shared",
    "no_logical_network",
]

REASONS: Final[Mapping[ReasonCode, str]] = {
    "logical_network_shared": "Available: the protecting cloud is associated with the network's logical network.",
    "logical_networks_unknown": "Available: the protecting cloud's logical networks are not known and filter nothing.",
    "logical_network_not_shared": "Not available: the protecting cloud is not associated with its logical network.",
    "no_logical_network": "Not available: it links to no logical network, and those of the protecting cloud are known.",
}
"""The rules of availability by code; their source is ``SOURCE``."""


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


class Problem(Struct, frozen=True, kw_only=True):
    """Something in a topology that will not work as meant; ``row`` names the row of the desired state it is about."""

    kind: FindingKind
    message: str
    subject: str
    row: str | None = None
    hint: str = ""


def targets(topology: Topology, *, primary: Found | None = None, recovery: Found | None = None) -> tuple[Target, ...]:
    """For each pair of clouds the VM networks of the protecting one's server, or only ``recovery``, and which to take.

    With ``primary`` only protected clouds that use that network are shown. Source: Prepare network mapping for Hyper-V
    VM disaster recovery to Azure.
    """
    return tuple(
        _target(pair, network)
        for pair in topology.pairs()
        if primary is None or _uses(pair, primary)
        for network in pair.recovery_server.networks
        if _is_asked_for(Found(pair.recovery_server, network), primary, recovery)
    )


def eligible_hosts(topology: Topology, primary_id: ArmId, recovery_id: ArmId) -> tuple[str, ...] | None:
    """The hosts that can take replicas of ``primary_id``'s machines: of a protecting cloud, and on ``recovery_id``.

    None where the hosts are not known. Source: Prepare network mapping for Hyper-V VM disaster recovery to Azure.
    """
    primary, recovery = topology.network_by_id(primary_id), topology.network_by_id(recovery_id)
    return None if primary is None or recovery is None else _hosts(topology, primary, recovery)


def check_row(topology: Topology, row: VmmRow) -> tuple[Problem, ...]:
    """What is wrong with a VMM to VMM row: no pair of clouds has its target, or no host reaches it.

    Where no cloud of the one server is protected by one of the other, there is nothing to judge by: nothing is wrong.
    Raises InputError where a server or network is not known, or several have the name.
    """
    if not isinstance(row.recovery, VmNetworkName):
        return ()
    primary, recovery = topology.network(row.primary), topology.network(row.recovery)
    return tuple(_row_problems(topology, row, primary, recovery))


def check_topology(topology: Topology) -> tuple[Problem, ...]:
    """Logical networks without VM networks, on servers whose VM networks are known to link to any."""
    return tuple(
        Problem(
            kind=FindingKind.LOGICAL_NETWORK_WITHOUT_NETWORKS,
            message=f"the logical network {logical.name} of {server.name} has no VM networks",
            subject=logical.name,
            hint="no network mapping can use it",
        )
        for server in topology.servers
        if _links_are_known(server)
        for logical in server.logical_networks
        if not any(contains((logical.name,), network.logical_network) for network in server.networks)
    )


def check_machines(topology: Topology, items: Iterable[ProtectedItem]) -> tuple[Problem, ...]:
    """Protected machines on a VM network that links to no logical network of their cloud."""
    return tuple(problem for item in items for problem in _machine_problems(topology, item))


def _target(pair: CloudPair, network: Network) -> Target:
    code, words = _judge(pair.protecting, network)
    return Target(
        primary_server=pair.primary_server.name,
        protected_cloud=pair.protected.name,
        recovery_server=pair.recovery_server.name,
        protecting_cloud=pair.protecting.name,
        network=network.name,
        network_id=network.id,
        available=code in {"logical_network_shared", "logical_networks_unknown"},
        reason=code,
        message=words,
    )


def _judge(cloud: Cloud, network: Network) -> tuple[ReasonCode, str]:
    if cloud.logical_networks is None:
        return "logical_networks_unknown", f"the logical networks of {cloud.name} are not known"
    if network.logical_network is None:
        return "no_logical_network", f"{network.name} links to no logical network"
    if contains(cloud.logical_networks, network.logical_network):
        return "logical_network_shared", f"{cloud.name} is associated with {network.logical_network}"
    return "logical_network_not_shared", f"{cloud.name} is not associated with {network.logical_network}"


def _has(cloud: Cloud, network: Network) -> bool:
    return _judge(cloud, network)[0] in {"logical_network_shared", "logical_networks_unknown"}


def _uses(pair: CloudPair, primary: Found) -> bool:
    return pair.primary_server == primary.server and _has(pair.protected, primary.network)


def _is_asked_for(candidate: Found, primary: Found | None, recovery: Found | None) -> bool:
    return candidate != primary and (recovery is None or candidate == recovery)


def _between(topology: Topology, primary: Server, recovery: Server) -> list[CloudPair]:
    return [pair for pair in topology.pairs() if pair.primary_server == primary and pair.recovery_server == recovery]


def _row_problems(topology: Topology, row: VmmRow, primary: Found, recovery: Found) -> Iterator[Problem]:
    pairs = _between(topology, primary.server, recovery.server)
    usable = [pair for pair in pairs if _uses(pair, primary) and _has(pair.protecting, recovery.network)]
    if pairs and not usable:
        reasons = "; ".join(sorted(_why_not(pair, primary, recovery) for pair in pairs))
        yield Problem(
            kind=FindingKind.TARGET_NOT_AVAILABLE,
            message=f"{row.recovery} is available to no pair of clouds that uses {row.primary}: {reasons}",
            subject=str(row.recovery),
            row=row.name,
            hint=f"see: asrnet targets --primary-network {row.primary}",
        )
    if _hosts(topology, primary, recovery) == ():
        yield Problem(
            kind=FindingKind.NO_ELIGIBLE_HOST,
            message=f"no host of the protecting clouds reaches {row.recovery}",
            subject=str(row.recovery),
            row=row.name,
            hint="replicas are placed on hosts that can reach the mapped network",
        )


def _hosts(topology: Topology, primary: Found, recovery: Found) -> tuple[str, ...] | None:
    if not recovery.server.hosts:
        return None
    pairs = [pair for pair in _between(topology, primary.server, recovery.server) if _uses(pair, primary)]
    return tuple(
        host.name
        for host in recovery.server.hosts
        if (not pairs or any(_is_called(pair.protecting, host.cloud) for pair in pairs))
        and (host.networks is None or contains(host.networks, recovery.network.name))
    )


def _why_not(pair: CloudPair, primary: Found, recovery: Found) -> str:
    if not _uses(pair, primary):
        return f"{pair.protected.name} does not use {primary.network.name}"
    return _judge(pair.protecting, recovery.network)[1]


def _links_are_known(server: Server) -> bool:
    """From a vault alone no VM network links anywhere, which says nothing."""
    linked = any(network.logical_network is not None for network in server.networks)
    return linked or not server.networks or any(cloud.logical_networks is not None for cloud in server.clouds)


def _machine_problems(topology: Topology, item: ProtectedItem) -> Iterator[Problem]:
    for nic in item.nics:
        primary = nic.primary_network_id
        found = topology.network_by_id(primary) if primary and primary.type == ASR_NETWORK else None
        if found is None:
            continue
        clouds = [cloud for cloud in found.server.clouds if cloud.id == item.id.parent] or list(found.server.clouds)
        if clouds and not any(_has(cloud, found.network) for cloud in clouds):
            names = ", ".join(cloud.name for cloud in clouds)
            yield Problem(
                kind=FindingKind.NETWORK_WITHOUT_LOGICAL_NETWORK,
                message=f"{item.friendly_name} is on {found.network.name}, on no logical network of {names}",
                subject=item.friendly_name,
                hint="its cloud is not offered any target network",
            )


def _is_called(cloud: Cloud, name: str) -> bool:
    return same(cloud.name, name) or (bool(cloud.resource_name) and same(cloud.resource_name, name))
