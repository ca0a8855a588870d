"""VM networks, logical networks, protection containers (clouds) and container mappings of a world."""

from __future__ import annotations

from typing import Final

from asrnet.fake import refusals
from asrnet.fake.operations import Started
from asrnet.fake.records import CloudRecord, VmNetworkRecord
from asrnet.fake.state import State
from asrnet.model.arm import ArmId
from asrnet.model.azure import Cloud, CloudMapping, LogicalNetwork, VmmLinks

# The providers whose policies fit the containers of regions, of VMM servers and of sites.
_POLICIES: Final = {
    "azure": ("A2A",),
    "vmm": ("HyperVReplicaAzure",),
    "HyperVSite": ("HyperVReplicaAzure",),
    "InMageRcm": ("InMageRcm", "InMageRcmFailback"),
}


class AsrNetworks:
    """Networks of fabrics: the VM networks of VMM servers. An Azure fabric lists none (assumption)."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, fabric_id: ArmId) -> tuple[VmNetworkRecord, ...]:
        """The VM networks of a fabric. Raises NotFoundError and VaultUnusedError."""
        with self._state.request("GET", f"{fabric_id}/replicationNetworks"):
            fabric = self._state.fabric(fabric_id)
            return self._state.listed(self._state.vm_networks.values(fabric.id.key))

    def list_vault(self, vault_id: ArmId) -> tuple[VmNetworkRecord, ...]:
        """The VM networks of all fabrics of a vault."""
        with self._state.request("GET", f"{vault_id}/replicationNetworks"):
            vault = self._state.known_vault(vault_id)
            fabrics = self._state.fabrics.values(vault.id.key)
            return self._state.listed(
                net for fabric in fabrics for net in self._state.vm_networks.values(fabric.id.key)
            )

    def get(self, network_id: ArmId) -> VmNetworkRecord:
        """One VM network. Raises NotFoundError."""
        with self._state.request("GET", network_id):
            self._state.fabric(network_id.parent)
            record = self._state.vm_networks.get(network_id.parent.key, network_id.key)
            if record is None:
                raise refusals.missing(network_id)
            return record


class LogicalNetworks:
    """Logical networks of VMM servers."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, fabric_id: ArmId) -> tuple[LogicalNetwork, ...]:
        """The logical networks of a fabric. Raises NotFoundError and VaultUnusedError."""
        with self._state.request("GET", f"{fabric_id}/replicationLogicalNetworks"):
            fabric = self._state.fabric(fabric_id)
            return self._state.listed(self._state.logical_networks.values(fabric.id.key))

    def get(self, network_id: ArmId) -> LogicalNetwork:
        """One logical network. Raises NotFoundError."""
        with self._state.request("GET", network_id):
            self._state.fabric(network_id.parent)
            network = self._state.logical_networks.get(network_id.parent.key, network_id.key)
            if network is None:
                raise refusals.missing(network_id)
            return network


class Containers:
    """Protection containers: the clouds of VMM servers, and those of Azure fabrics."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, fabric_id: ArmId) -> tuple[CloudRecord, ...]:
        """The containers of a fabric. Raises NotFoundError and VaultUnusedError."""
        with self._state.request("GET", f"{fabric_id}/replicationProtectionContainers"):
            fabric = self._state.fabric(fabric_id)
            return self._state.listed(self._state.clouds.values(fabric.id.key))

    def list_vault(self, vault_id: ArmId) -> tuple[CloudRecord, ...]:
        """The containers of all fabrics of a vault."""
        with self._state.request("GET", f"{vault_id}/replicationProtectionContainers"):
            vault = self._state.known_vault(vault_id)
            fabrics = self._state.fabrics.values(vault.id.key)
            return self._state.listed(cloud for fabric in fabrics for cloud in self._state.clouds.values(fabric.id.key))

    def get(self, container_id: ArmId) -> CloudRecord:
        """One container. Raises NotFoundError."""
        with self._state.request("GET", container_id):
            return _container(self._state, container_id)

    def put(self, container_id: ArmId) -> Started:
        """Create a container in an Azure fabric."""
        with self._state.request("PUT", container_id) as admission:
            fabric = self._state.fabric(container_id.parent)
            record = CloudRecord(cloud=Cloud(id=container_id, friendly_name=container_id.name))
            write = self._state.write("PUT", container_id, "ContainerCreation")
            return self._state.start(
                write, lambda: self._state.clouds.put(fabric.id.key, container_id.key, record), admission
            )

    def remove(self, container_id: ArmId) -> Started:
        """Remove a container (POST remove).

        Raises NotFoundError, and ConflictError while machines are protected in it or replicated to it (assumption).
        """
        with self._state.request("POST", f"{container_id}/remove") as admission:
            _container(self._state, container_id)
            self._check_unused(container_id)
            write = self._state.write("POST", container_id, "ContainerRemoval")

            def forget() -> None:
                self._check_unused(container_id)  # a machine may have been added since the request was accepted
                self._state.clouds.remove(container_id.parent.key, container_id.key)
                vault = container_id.parent.parent.key
                for mapping in self._state.cloud_mappings.values(vault):
                    # A mapping from or to the container would lead nowhere, and world files cannot express it.
                    if container_id in {mapping.primary_cloud_id, mapping.recovery_cloud_id}:
                        self._state.cloud_mappings.remove(vault, mapping.id.key)

            return self._state.start(write, forget, admission)

    def _check_unused(self, container_id: ArmId) -> None:
        for item in self._state.protected_items.values(container_id.parent.parent.key):
            if container_id in {item.id.parent, item.recovery_container_id}:
                parts = (container_id.name, item.friendly_name)
                raise self._state.assumed("container_in_use", *parts, resource_id=container_id)


def _container(state: State, container_id: ArmId) -> CloudRecord:
    """The container. Raises NotFoundError."""
    state.fabric(container_id.parent)
    record = state.clouds.get(container_id.parent.key, container_id.key)
    if record is None:
        raise refusals.missing(container_id)
    return record


class ContainerMappings:
    """Container mappings: which container protects which."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, vault_id: ArmId) -> tuple[CloudMapping, ...]:
        """All container mappings of a vault. Raises NotFoundError and VaultUnusedError."""
        with self._state.request("GET", f"{vault_id}/replicationProtectionContainerMappings"):
            vault = self._state.known_vault(vault_id)
            return self._state.listed(self._state.cloud_mappings.values(vault.id.key))

    def list_container(self, container_id: ArmId) -> tuple[CloudMapping, ...]:
        """The mappings of one container."""
        with self._state.request("GET", f"{container_id}/replicationProtectionContainerMappings"):
            fabric = self._state.fabric(container_id.parent)
            mappings = self._state.cloud_mappings.values(fabric.id.parent.key)
            return self._state.listed(mapping for mapping in mappings if mapping.primary_cloud_id == container_id)

    def get(self, mapping_id: ArmId) -> CloudMapping:
        """One container mapping. Raises NotFoundError."""
        with self._state.request("GET", mapping_id):
            return self._existing(mapping_id)

    def put(self, mapping: CloudMapping) -> Started:
        """Create or replace a container mapping. Raises NotFoundError if one of its containers is missing."""
        with self._state.request("PUT", mapping.id) as admission:
            self._check(mapping)
            write = self._state.write("PUT", mapping.id, "CloudPairing", mapping.id.parent.name)
            return self._state.start(write, lambda: self._store(mapping), admission)

    def _check(self, mapping: CloudMapping) -> None:
        for container_id in filter(None, (mapping.primary_cloud_id, mapping.recovery_cloud_id)):
            _container(self._state, container_id)
        fabric = self._state.fabric(mapping.primary_cloud_id.parent)
        # VMM servers that protect each other use policies of a kind whose settings the emulator does not have.
        between_servers = fabric.kind == "vmm" and mapping.recovery_cloud_id is not None
        providers = () if between_servers else _POLICIES.get(self._state.site_kind(fabric) or fabric.kind, ())
        self._state.require_policy(mapping.policy_id, *providers)

    def _store(self, mapping: CloudMapping) -> None:
        self._check(mapping)  # what it needs may have been removed since the request was accepted
        vault = mapping.primary_cloud_id.parent.parent.key
        self._state.cloud_mappings.put(vault, mapping.id.key, mapping)

    def patch(self, mapping_id: ArmId) -> Started:
        """Accept a change of settings that no model contains. Raises NotFoundError."""
        with self._state.request("PATCH", mapping_id) as admission:
            self._existing(mapping_id)
            return self._state.start(
                self._state.write("PATCH", mapping_id, "CloudPairing", mapping_id.parent.name), lambda: None, admission
            )

    def remove(self, mapping_id: ArmId, *, method: str = "POST") -> Started:
        """Remove (POST remove) or purge (DELETE) a container mapping.

        Raises NotFoundError, and for a removal ConflictError while machines are replicated by the mapping (assumption).
        """
        path = f"{mapping_id}/remove" if method == "POST" else str(mapping_id)
        with self._state.request(method, path) as admission:
            mapping = self._existing(mapping_id)
            vault = mapping.primary_cloud_id.parent.parent.key
            for item in self._state.protected_items.values(vault) if method == "POST" else ():
                containers = (item.id.parent, self._state.recovery_container(item))
                if containers == (mapping.primary_cloud_id, mapping.recovery_cloud_id):
                    parts = (mapping_id.name, item.friendly_name)
                    raise self._state.assumed("container_mapping_in_use", *parts, resource_id=mapping_id)
            write = self._state.write(method, mapping_id, "CloudUnPairing", mapping_id.parent.name)
            return self._state.start(write, lambda: self._state.cloud_mappings.remove(vault, mapping_id.key), admission)

    def of_azure(self, mapping: CloudMapping) -> bool:
        """Whether a container mapping connects Azure regions rather than clouds."""
        fabric_id = mapping.primary_cloud_id.parent
        fabric = self._state.fabrics.get(fabric_id.parent.key, fabric_id.key)
        return fabric is not None and fabric.kind == "azure"

    def _existing(self, mapping_id: ArmId) -> CloudMapping:
        fabric = self._state.fabric(mapping_id.parent.parent)
        mapping = self._state.cloud_mappings.get(fabric.id.parent.key, mapping_id.key)
        if mapping is None:
            raise refusals.missing(mapping_id)
        return mapping


def links_of(state: State, fabric_id: ArmId) -> VmmLinks:
    """The hosts and links of a VMM server, which no request of Site Recovery returns."""
    scope = fabric_id.key
    with state.lock:
        networks, clouds = tuple(state.vm_networks.values(scope)), tuple(state.clouds.values(scope))
        hosts = tuple(state.hosts.values(scope))
    return VmmLinks(
        networks={record.network.id: record.logical_network for record in networks if record.logical_network},
        clouds={record.cloud.id: record.logical_networks for record in clouds if record.logical_networks is not None},
        hosts=tuple(record.host for record in hosts),
    )
