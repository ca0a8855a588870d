"""Enabling replication of an Azure machine, which also creates the recovery network and both mappings.

Source of the rules: the documents on network mapping between Azure regions and on replicating Azure machines.
"""

from __future__ import annotations

from msgspec.structs import replace

from asrnet.fake import refusals
from asrnet.fake.landing import landing_subnet
from asrnet.fake.mappings import lowered
from asrnet.fake.operations import stable_guid
from asrnet.fake.records import EnableRequest, VirtualMachine
from asrnet.fake.state import State
from asrnet.model.arm import AZURE_NETWORK, ArmId, normal_location
from asrnet.model.azure import Fabric, NetworkMapping, Nic, ProtectedItem, Subnet, VirtualNetwork


class Enabling:
    """One request to protect a machine. Raises ServiceError if the rules refuse it."""

    def __init__(self, state: State, item_id: ArmId, request: EnableRequest) -> None:
        self._state = state
        self._item_id = item_id
        self._request = request
        self._primary = state.fabric(item_id.parent.parent)
        self._recovery = state.fabric(request.recovery_container_id.parent)
        self._check()
        machine_id = request.machine_id
        machine = state.virtual_machines.get(machine_id.subscription, machine_id.key)
        if machine is None:
            raise refusals.missing(machine_id)
        self._machine: VirtualMachine = machine
        if normal_location(machine.location) != self._primary.location:
            parts = (machine_id.name, machine.location, self._primary.location)
            raise state.assumed("machine_elsewhere", *parts, resource_id=item_id)
        if state.behaviour.strict_mapping:
            for nic in machine.nics:
                if nic.primary_network_id is not None:
                    self._refuse_other_target(nic.primary_network_id)

    def item(self) -> ProtectedItem:
        """Create the missing recovery network and mappings, and return the protected machine.

        Raises ServiceError if something that it needs was removed after the request had been accepted.
        """
        self._check()
        return ProtectedItem(
            id=self._item_id,
            friendly_name=self._machine.id.name,
            recovery_fabric_id=self._recovery.id,
            recovery_container_id=self._request.recovery_container_id,
            recovery_group_id=self._request.recovery_resource_group_id,
            machine_id=self._machine.id,
            policy_id=self._request.policy_id,
            primary_location=self._primary.location,
            recovery_location=self._recovery.location,
            initial_location=self._primary.location,
            primary_zone=self._machine.zone,
            settings=self._request.settings,
            initial_zone=self._machine.zone,
            nics=tuple(self._protected(nic) for nic in self._machine.nics),
        )

    def _check(self) -> None:
        for fabric in (self._primary, self._recovery):
            if fabric.kind != "azure":
                raise self._state.assumed("kind_mismatch", fabric.name, resource_id=self._item_id)
        for container_id in (self._item_id.parent, self._request.recovery_container_id):
            if self._state.clouds.get(container_id.parent.key, container_id.key) is None:
                raise refusals.missing(container_id)
        self._state.require_policy(self._request.policy_id, "A2A")

    def _refuse_other_target(self, primary_network_id: ArmId) -> None:
        mapping = self._state.mapping_of(self._primary.id, primary_network_id, self._recovery.id)
        chosen = self._request.recovery_network_id or self._request.new_network_id
        if mapping and chosen not in (None, mapping.recovery_network_id):
            raise self._state.assumed("target_not_mapped", mapping.recovery_network_id.name, resource_id=self._item_id)

    def _protected(self, nic: Nic) -> Nic:
        primary = self._network(nic.primary_network_id)
        recovery = self._recovery_network(primary)
        # Documented: for replication between zones, the same fabric is primary and recovery, and machines may stay in
        # their network, so there is nothing to map.
        if self._primary.id != self._recovery.id:
            self._map(self._primary, primary, self._recovery, recovery)
            self._map(self._recovery, recovery, self._primary, primary)
        # Recorded requests contain the subnet's id, others its name.
        chosen = (self._request.recovery_subnet or "").rpartition("/")[2]
        addresses = []
        for address in nic.ip_configurations:
            subnet = landing_subnet(recovery, address.subnet)
            addresses.append(replace(address, recovery_subnet=chosen or (subnet.name if subnet else None)))
        return replace(
            nic,
            recovery_network_id=recovery.id,
            selection="SelectedByUserOverride" if self._request.recovery_network_id else "SelectedByDefault",
            ip_configurations=tuple(addresses),
        )

    def _network(self, network_id: ArmId | None) -> VirtualNetwork:
        network = self._state.network(network_id) if network_id else None
        if network is None:
            raise self._state.assumed("network_not_configured", self._machine.id.name, resource_id=self._item_id)
        return network

    def _recovery_network(self, primary: VirtualNetwork) -> VirtualNetwork:
        """The network in the request, or else the mapped network, or else a copy, which is created if necessary."""
        if self._request.recovery_network_id is not None:
            return self._network(self._request.recovery_network_id)
        mapping = self._state.mapping_of(self._primary.id, primary.id, self._recovery.id)
        copy_id = self._request.new_network_id
        if copy_id is None:
            if mapping is not None:
                return self._network(mapping.recovery_network_id)
            # Between zones of a region no copy is made: the machine stays in its network.
            if self._primary.id == self._recovery.id:
                return primary
            group = self._request.recovery_resource_group_id or ArmId(
                f"/subscriptions/{primary.id.subscription}/resourceGroups/{primary.id.resource_group}-asr"
            )
            copy_id = group.child("providers", "Microsoft.Network", "virtualNetworks", f"{primary.name}-asr")
        return self._state.network(copy_id) or self._copy(primary, copy_id)

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

    def _map(self, fabric: Fabric, network: VirtualNetwork, recovery_fabric: Fabric, recovery: VirtualNetwork) -> None:
        if self._state.mapping_of(fabric.id, network.id, recovery_fabric.id) is not None:
            return
        # No public source shows how the portal names these mappings, so this name is one that nobody can rely on.
        name = stable_guid(f"{fabric.id.key} {network.id.key} {recovery_fabric.id.key}")
        mapping = NetworkMapping(
            id=fabric.id.child("replicationNetworks", AZURE_NETWORK, "replicationNetworkMappings", name),
            kind="azure_to_azure",
            primary_network_id=lowered(network.id),
            recovery_network_id=lowered(recovery.id),
            recovery_fabric_id=recovery_fabric.id,
            primary_location=fabric.location,
            recovery_location=recovery_fabric.location,
        )
        self._state.put_mapping(mapping)
