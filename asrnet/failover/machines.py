"""Machines as prediction sees them, whether the vault, a list or the subnets of a network told of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from asrnet.failover.subnets import is_reserved
from asrnet.model.arm import VNET, ArmId
from asrnet.model.azure import IpConfiguration, MappingKind, Nic, ProtectedItem, VirtualNetwork, VmNetwork

Network = VirtualNetwork | VmNetwork

_KINDS: Final[Mapping[str, MappingKind]] = {
    "a2a": "azure_to_azure",
    "hypervreplicaazure": "vmm_to_azure",
    "hypervreplica": "vmm_to_vmm",
    "hypervreplica2012": "vmm_to_vmm",
    "hypervreplica2012r2": "vmm_to_vmm",
}
"""By Site Recovery's instance types, without case."""


class Replica(Struct, frozen=True, gc=False, kw_only=True):
    """What became of a replica after failover: it was moved to ``network_id``, or disconnected where that is None."""

    network_id: ArmId | None = None


class Machine(Struct, frozen=True, gc=False, kw_only=True):
    """A machine to predict for.

    ``kind`` is how it is replicated, None where its network's mapping decides; ``item_id`` its protected item and
    ``vault_id`` the vault that has it, None where none does yet. ``home_fabric_id`` and ``recovery_fabric_id`` tell
    mappings of one network to several places apart. ``replicas`` says, by NIC, what became of the replica's network
    after failover, where anything did. ``whole_subnet``: it stands for all of its subnet.
    """

    name: str
    nics: tuple[Nic, ...]
    kind: MappingKind | None = None
    item_id: ArmId | None = None
    vault_id: ArmId | None = None
    home_fabric_id: ArmId | None = None
    recovery_fabric_id: ArmId | None = None
    recovery_plan: str = ""
    failed_over: bool = False
    re_protected: bool = False
    replicas: Mapping[str, Replica] = {}
    whole_subnet: bool = False


def machines_of_items(items: Iterable[ProtectedItem]) -> tuple[Machine, ...]:
    """The machines that a vault protects."""
    return tuple(map(_machine_of_item, items))


def machines_of_subnets(networks: Iterable[Network]) -> tuple[Machine, ...]:
    """For every subnet in which machines can be, and every VM network without subnets, one that stands for all."""
    return tuple(machine for network in networks for machine in _subnets_as_machines(network))


def network_name(network: Network) -> str:
    """What people call a network."""
    return network.name if isinstance(network, VirtualNetwork) else network.friendly_name


def kind_of(network_id: ArmId | None, provider: str = "") -> MappingKind | None:
    """How a machine is replicated, by its network and Site Recovery's instance type; None where they do not tell."""
    if network_id is not None and network_id.type == VNET:
        return "azure_to_azure"
    kind = _KINDS.get(provider.lower())
    return None if kind == "azure_to_azure" and network_id is not None else kind


def _machine_of_item(item: ProtectedItem) -> Machine:
    network_id = next((nic.primary_network_id for nic in item.nics if nic.primary_network_id), None)
    return Machine(
        name=item.friendly_name or item.id.name,
        item_id=item.id,
        nics=item.nics,
        kind=kind_of(network_id, item.provider),
        vault_id=item.vault_id,
        home_fabric_id=item.fabric_id,
        recovery_fabric_id=item.recovery_fabric_id,
        failed_over=item.has_failed_over,
        re_protected=item.has_failed_over and item.state.lower() == "protected",
    )


def _subnets_as_machines(network: Network) -> Iterator[Machine]:
    names: list[str | None] = [subnet.name for subnet in network.subnets if not is_reserved(subnet.name)]
    if isinstance(network, VmNetwork) and not network.subnets:
        names = [None]
    for name in names:
        configuration = IpConfiguration(name="", subnet=name)
        nic = Nic(name=name or "", primary_network_id=network.id, ip_configurations=(configuration,))
        yield Machine(name=network_name(network), nics=(nic,), whole_subnet=True)
