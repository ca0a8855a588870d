"""Network mappings of a world, with Site Recovery's rules.

If no public source shows the service's answer, the refusal is an assumption (``asrnet.fake.behaviour.Assumption``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from asrnet.errors import ServiceError
from asrnet.fake import refusals
from asrnet.fake.operations import Started, Write
from asrnet.fake.records import MappingRequest
from asrnet.fake.state import State
from asrnet.model.arm import AZURE_NETWORK, VNET, ArmId, arm_id
from asrnet.model.azure import Fabric, LiveMapping, NetworkMapping, UnreadableMapping

# Recorded in two vaults and in the specification's example: the name is always this one.
PSEUDO_FABRIC: Final = "d49858f157601230a6ac5862fbbc6e63bf38d23ecd96cf953767945d457fe9d5"
"""The fabric that stands for Azure itself in Site Recovery; no list contains it."""


class Mappings:
    """Network mappings. An operation takes effect when it ends, and a failed one changes nothing."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, vault_id: ArmId) -> tuple[NetworkMapping, ...]:
        """The mappings of a vault whose networks are known. Raises NotFoundError and VaultUnusedError."""
        return tuple(mapping for mapping in self.list_all(vault_id) if isinstance(mapping, NetworkMapping))

    def list_all(self, vault_id: ArmId) -> tuple[LiveMapping, ...]:
        """All mappings of a vault. Raises NotFoundError and VaultUnusedError."""
        with self._state.request("GET", f"{vault_id}/replicationNetworkMappings") as admission:
            vault = self._state.known_vault(vault_id)
            return self._state.listed(self._of_vault(vault.id, admission.lag))

    def list_network(self, network_id: ArmId) -> tuple[LiveMapping, ...]:
        """The mappings of a network. Any network segment of an Azure fabric lists the mappings of the whole fabric."""
        with self._state.request("GET", f"{network_id}/replicationNetworkMappings") as admission:
            fabric = self._state.fabric(network_id.parent)
            return self._state.listed(
                mapping
                for mapping in self._of_vault(fabric.id.parent, admission.lag)
                if mapping.fabric_id == fabric.id and (fabric.kind == "azure" or mapping.id.parent == network_id)
            )

    def get(self, mapping_id: ArmId) -> NetworkMapping:
        """One mapping whose networks are known. Raises ServiceError like ``find``, and if they are not known."""
        mapping = self.find(mapping_id)
        if isinstance(mapping, UnreadableMapping):
            raise ServiceError(f"the mapping '{mapping.name}' {mapping.problem}", resource_id=mapping_id)
        return mapping

    def find(self, mapping_id: ArmId) -> LiveMapping:
        """One mapping. Raises ServiceError if it is missing: with 404, or with 400 if the world says so."""
        with self._state.request("GET", mapping_id):
            return self._existing(mapping_id)

    def put(self, mapping_id: ArmId, request: MappingRequest) -> Started:
        """Create a mapping, or update the existing one of that name: PUT is an upsert."""
        with self._state.request("PUT", mapping_id) as admission:
            mapping = self._requested(mapping_id, request)
            write = self._write("PUT", mapping, "NetworkPairing", created=self._find(mapping_id) is None)

            def store() -> None:
                # Checked again: since the request, a network or fabric may have been deleted or another mapping
                # created.
                self._state.put_mapping(self._requested(mapping_id, request))

            return self._state.start(write, store, admission)

    def patch(self, mapping_id: ArmId, request: MappingRequest) -> Started:
        """Change what the request names. Raises ServiceError if the world rejects PATCH or the mapping is missing."""
        with self._state.request("PATCH", mapping_id) as admission:
            if self._state.behaviour.patch == "reject_400":
                raise self._state.assumed("patch_refused", mapping_id.name, resource_id=mapping_id)
            if self._state.behaviour.patch == "reject_405":
                raise refusals.method_not_allowed("PATCH", mapping_id)
            completed = _completed(request, self._existing(mapping_id))
            write = self._write("PATCH", self._requested(mapping_id, completed), "NetworkPairing")

            def store() -> None:
                current = _completed(request, self._existing(mapping_id))
                self._state.put_mapping(self._requested(mapping_id, current))

            return self._state.start(write, store, admission)

    def delete(self, mapping_id: ArmId) -> Started | None:
        """Delete a mapping; None (204) if it does not exist. Raises NotFoundError if its fabric is missing."""
        with self._state.request("DELETE", mapping_id) as admission:
            self._state.fabric(mapping_id.parent.parent)
            mapping = self._find(mapping_id)
            # Specified: 204. For other resources of Site Recovery 404 is recorded.
            if mapping is None:
                return None
            write = self._write("DELETE", mapping, "NetworkUnPairing")
            return self._state.start(write, lambda: self._state.remove_mapping(mapping.id), admission)

    def _of_vault(self, vault_id: ArmId, lag: float) -> Iterator[LiveMapping]:
        yield from self._state.mappings.values(vault_id.key, lag=lag)
        yield from self._state.unreadable_mappings.values(vault_id.key, lag=lag)

    def _find(self, mapping_id: ArmId) -> LiveMapping | None:
        return self._state.mapping(mapping_id) or self._state.unreadable_mapping(mapping_id)

    def _existing(self, mapping_id: ArmId) -> LiveMapping:
        self._state.fabric(mapping_id.parent.parent)
        mapping = self._find(mapping_id)
        if mapping is None:
            raise refusals.missing(mapping_id, status=self._state.behaviour.missing_mapping)
        return mapping

    def _write(self, method: str, mapping: LiveMapping, scenario: str, *, created: bool = False) -> Write:
        target = ""
        if mapping.primary_network_id is not None:
            network_id = mapping.primary_network_id
            record = self._state.vm_networks.get(network_id.parent.key, network_id.key)
            target = record.network.friendly_name if record else network_id.name
        return Write(
            method=method,
            resource_id=mapping.id,
            timing=self._state.behaviour.operations,
            scenario=scenario,
            target=target,
            created=created,
            subject=mapping if isinstance(mapping, NetworkMapping) else None,
        )

    def _requested(self, mapping_id: ArmId, request: MappingRequest) -> NetworkMapping:
        """The mapping that a request describes. Raises ServiceError if the rules refuse it."""
        fabric = self._state.fabric(mapping_id.parent.parent)
        recovery_network_id = request.recovery_network_id
        if recovery_network_id is None:
            raise refusals.invalid("The property 'recoveryNetworkId' is required.", mapping_id)
        kind = request.kind
        # Specified: the details that name the kind are optional. It also follows from the fabric and the target's type.
        if kind is None and fabric.kind == "azure":
            kind = "azure_to_azure"
        elif kind is None:
            kind = "vmm_to_azure" if recovery_network_id.type == VNET else "vmm_to_vmm"
        if (kind == "azure_to_azure") != (fabric.kind == "azure"):
            raise self._state.assumed("kind_mismatch", fabric.name, resource_id=mapping_id)
        if kind == "azure_to_azure":
            mapping = self._azure_to_azure(mapping_id, fabric, request, recovery_network_id)
        elif kind == "vmm_to_azure":
            mapping = self._vmm_to_azure(mapping_id, recovery_network_id)
        else:
            mapping = self._vmm_to_vmm(mapping_id, request, recovery_network_id)
        for same in self._state.same_identity(mapping):
            if same.id != mapping.id:
                raise self._state.assumed("duplicate_mapping", same.name, resource_id=same.id)
        return mapping

    def _azure_to_azure(
        self, mapping_id: ArmId, fabric: Fabric, request: MappingRequest, recovery_network_id: ArmId
    ) -> NetworkMapping:
        # Reported: the service refuses this, although the specification calls the name optional.
        if request.recovery_fabric_name is None:
            raise refusals.no_recovery_fabric(mapping_id)
        if request.primary_network_id is None:
            raise refusals.invalid("The property 'primaryNetworkId' is required.", mapping_id)
        recovery_fabric = self._recovery_fabric(mapping_id, request.recovery_fabric_name)
        for network_id, network_fabric in (
            (request.primary_network_id, fabric),
            (recovery_network_id, recovery_fabric),
        ):
            network = self._state.network(network_id)
            if network is None:
                raise self._state.assumed("network_missing", network_id, resource_id=mapping_id)
            if network.location != network_fabric.location:
                locations = (network.location, network_fabric.location)
                raise self._state.assumed("region_mismatch", network_id, *locations, resource_id=mapping_id)
        # Recorded: the service returns the constant network segment, whatever the client wrote, and lower-case network
        # ids.
        return NetworkMapping(
            id=fabric.id.child("replicationNetworks", AZURE_NETWORK, "replicationNetworkMappings", mapping_id.name),
            kind="azure_to_azure",
            primary_network_id=lowered(request.primary_network_id),
            recovery_network_id=lowered(recovery_network_id),
            recovery_fabric_id=recovery_fabric.id,
            primary_location=fabric.location,
            recovery_location=recovery_fabric.location,
        )

    def _vmm_to_azure(self, mapping_id: ArmId, recovery_network_id: ArmId) -> NetworkMapping:
        self._check_vm_network(mapping_id.parent, mapping_id)
        if self._state.network(recovery_network_id) is None:
            raise self._state.assumed("network_missing", recovery_network_id, resource_id=mapping_id)
        return NetworkMapping(
            id=mapping_id,
            kind="vmm_to_azure",
            primary_network_id=mapping_id.parent,
            recovery_network_id=recovery_network_id,
            recovery_fabric_id=mapping_id.parent.parent.parent.child("replicationFabrics", PSEUDO_FABRIC),
        )

    def _vmm_to_vmm(self, mapping_id: ArmId, request: MappingRequest, recovery_network_id: ArmId) -> NetworkMapping:
        self._check_vm_network(mapping_id.parent, mapping_id)
        self._check_vm_network(recovery_network_id, mapping_id)
        # Optional here, because the id of a recovery VM network contains its fabric. A wrong name is refused all the
        # same.
        if request.recovery_fabric_name is not None:
            self._recovery_fabric(mapping_id, request.recovery_fabric_name)
        return NetworkMapping(
            id=mapping_id,
            kind="vmm_to_vmm",
            primary_network_id=mapping_id.parent,
            recovery_network_id=recovery_network_id,
            recovery_fabric_id=recovery_network_id.parent,
        )

    def _recovery_fabric(self, mapping_id: ArmId, name: str) -> Fabric:
        for fabric in self._state.fabrics.values(mapping_id.parent.parent.parent.key):
            if fabric.name.lower() == name.lower():
                return fabric
        raise self._state.assumed("recovery_fabric_unknown", name, resource_id=mapping_id)

    def _check_vm_network(self, network_id: ArmId, mapping_id: ArmId) -> None:
        if self._state.vm_networks.get(network_id.parent.key, network_id.key) is None:
            raise self._state.assumed("network_missing", network_id, resource_id=mapping_id)


def lowered(network_id: ArmId) -> ArmId:
    """A virtual network's id as Azure to Azure mappings return it: in lower case."""
    return arm_id(f"/{network_id.key}")


def _completed(request: MappingRequest, mapping: LiveMapping) -> MappingRequest:
    """A PATCH completed with the mapping's values for omitted members."""
    if isinstance(mapping, UnreadableMapping):
        return request  # its networks are unknown, so there is nothing to add
    fabric_name = mapping.recovery_fabric_id.name if mapping.recovery_fabric_id else None
    return msgspec.structs.replace(
        request,
        recovery_network_id=request.recovery_network_id or mapping.recovery_network_id,
        recovery_fabric_name=request.recovery_fabric_name or fabric_name,
        kind=request.kind or mapping.kind,
        primary_network_id=request.primary_network_id or mapping.primary_network_id,
    )
