"""Enabling replication of an Azure machine, as far as networks go: mappings and the recovery network come with it.

Source of the rules: the documents on network mapping between Azure regions and on replicating Azure machines.
"""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

import msgspec

from asrnet.fake import refusals
from asrnet.fake.mappings import lowered
from asrnet.fake.records import EnableRequest, VirtualMachine
from asrnet.fake.state import State
from asrnet.model.arm import AZURE_NETWORK, ArmId
from asrnet.model.azure import Fabric, NetworkMapping, Nic, ProtectedItem, Subnet, VirtualNetwork


class Enabling:
    """One request to protect a machine. Raises ServiceError where the rules refuse it."""

    def __init__(self, state: State, item_id: ArmId, request: EnableRequest) -> None:
        self._state = state
        self._item_id = item_id
        self._request = request
        self._primary = state.fabric(item_id.parent.parent)
        self._recovery = state.fabric(request.recovery_container_id.parent)
        self._machine = self._find_machine()
        for nic in self._machine.nics:
            if nic.primary_network_id is not None:
                self._refuse_other_target(nic.primary_network_id)

    def take_effect(self) -> None:
        """Create what is missing, and the protected item."""
        nics = tuple(self._protected(nic) for nic in self._machine.nics)
        item = ProtectedItem(
            id=self._item_id,
            friendly_name=self._machine.id.name,
            recovery_fabric_id=self._recovery.id,
            nics=nics,
        )
        self._state.put_item(item)

    def _find_machine(self) -> VirtualMachine:
        machine_id = self._request.machine_id
        machine = self._state.virtual_machines.get(machine_id.subscription, machine_id.key)
        if machine is None:
            raise refusals.missing(machine_id)
        return machine

    def _refuse_other_target(self, primary_network_id: ArmId) -> None:
        mapping = self._mapping(self._primary, primary_network_id, self._recovery)
        chosen = self._request.recovery_network_id or self._request.new_network_id
        if self._state.behaviour.strict_mapping and mapping and chosen not in (None, mapping.recovery_network_id):
            raise self._state.assumed("target_not_mapped", mapping.recovery_network_id.name, resource_id=self._item_id)

    def _protected(self, nic: Nic) -> Nic:
        primary = self._state.network(nic.primary_network_id) if nic.primary_network_id else None
        if primary is None:
            raise self._state.assumed("network_not_configured", self._machine.id.name, resource_id=self._item_id)
        recovery = self._recovery_network(primary)
        if self._primary.id != self._recovery.id:
            self._map(self._primary, primary, self._recovery, recovery)
            self._map(self._recovery, recovery, self._primary, primary)
        configurations = tuple(
            msgspec.structs.replace(
                one, recovery_subnet=self._request.recovery_subnet or _landing(one.subnet, recovery)
            )
            for one in nic.ip_configurations
        )
        return msgspec.structs.replace(nic, recovery_network_id=recovery.id, ip_configurations=configurations)

    def _recovery_network(self, primary: VirtualNetwork) -> VirtualNetwork:
        mapping = self._mapping(self._primary, primary.id, self._recovery)
        if self._request.recovery_network_id is not None:
            return self._existing(self._request.recovery_network_id)
        if self._request.new_network_id is not None:
            return self._state.network(self._request.new_network_id) or self._copy(
                primary, self._request.new_network_id
            )
        if mapping is not None:
            return self._existing(mapping.recovery_network_id)
        if self._primary.id == self._recovery.id:
            return primary
        copy_id = self._copy_id(primary)
        return self._state.network(copy_id) or self._copy(primary, copy_id)

    def _existing(self, network_id: ArmId) -> VirtualNetwork:
        network = self._state.network(network_id)
        if network is None:
            raise self._state.assumed("network_not_configured", self._machine.id.name, resource_id=self._item_id)
        return network

    def _copy_id(self, primary: VirtualNetwork) -> ArmId:
        chosen = self._request.recovery_resource_group_id
        group = chosen or ArmId(
            f"/subscriptions/{primary.id.subscription}/resourceGroups/{primary.id.resource_group}-asr"
        )
        return group.child("providers", "Microsoft.Network", "virtualNetworks", f"{primary.name}-asr")

    def _copy(self, primary: VirtualNetwork, copy_id: ArmId) -> VirtualNetwork:
        location = self._recovery.location or ""
        copy = VirtualNetwork(
            id=copy_id,
            location=location,
            address_space=primary.address_space,
            subnets=tuple(Subnet(name=subnet.name, prefixes=subnet.prefixes) for subnet in primary.subnets),
        )
        self._state.ensure_group(copy_id, location)
        self._state.virtual_networks.put(copy_id.subscription, copy_id.key, copy)
        return copy

    def _mapping(self, fabric: Fabric, network_id: ArmId, recovery_fabric: Fabric) -> NetworkMapping | None:
        wanted = _mapping(fabric, network_id, recovery_fabric, network_id)
        return next(iter(self._state.same_identity(wanted)), None)

    def _map(self, fabric: Fabric, network: VirtualNetwork, recovery_fabric: Fabric, recovery: VirtualNetwork) -> None:
        if self._mapping(fabric, network.id, recovery_fabric) is None:
            self._state.put_mapping(_mapping(fabric, network.id, recovery_fabric, recovery.id))


def _mapping(fabric: Fabric, network_id: ArmId, recovery_fabric: Fabric, recovery_network_id: ArmId) -> NetworkMapping:
    # What the portal calls the mappings it makes is in no public source: a name that nobody can rely on.
    name = str(uuid5(NAMESPACE_URL, f"{fabric.id.key} {network_id.key} {recovery_fabric.id.key}"))
    return NetworkMapping(
        id=fabric.id.child("replicationNetworks", AZURE_NETWORK, "replicationNetworkMappings", name),
        kind="azure_to_azure",
        primary_network_id=lowered(network_id),
        recovery_network_id=lowered(recovery_network_id),
        recovery_fabric_id=recovery_fabric.id,
        primary_location=fabric.location,
        recovery_location=recovery_fabric.location,
    )


def _landing(subnet: str | None, network: VirtualNetwork) -> str | None:
    names = sorted((known.name for known in network.subnets), key=str.lower)
    same = next((name for name in names if subnet and name.lower() == subnet.lower()), None)
    return same or next(iter(names), None)
