"""Site Recovery through azure-mgmt-recoveryservicessiterecovery."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from asrnet.azure.machines import read_item
from asrnet.azure.members import translate_all, translate_readable
from asrnet.azure.models import (
    read_cloud,
    read_cloud_mapping,
    read_fabric,
    read_job,
    read_logical_network,
    read_mapping,
    read_vm_network,
)
from asrnet.azure.operations import status_of
from asrnet.azure.resource_manager import ResourceManager
from asrnet.azure.sdk import Clients, read, rows, submit
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
    Cloud,
    CloudMapping,
    Fabric,
    Job,
    LiveMapping,
    LogicalNetwork,
    NetworkMapping,
    ProtectedItem,
    VmNetwork,
)
from asrnet.model.bodies import mapping_body
from asrnet.model.machine_update import update_body
from asrnet.ports import Operation, OperationStatus


class AzureSiteRecovery:
    """Implements SiteRecoveryRequests."""

    def __init__(self, clients: Clients, manager: ResourceManager) -> None:
        self._clients = clients
        self._manager = manager

    def vault_location(self, vault: ArmId) -> str:
        """The region of the vault, which Site Recovery's operations do not return."""
        return self._manager.vault_location(vault)

    def fabrics(self, vault: ArmId) -> Iterator[Fabric]:
        """The fabrics of a vault."""
        return translate_all(rows(self._client(vault).replication_fabrics.list, of=vault), read_fabric, vault)

    def mappings(self, vault: ArmId) -> Iterator[LiveMapping]:
        """The mappings of a vault, from a single list."""
        return translate_all(rows(self._client(vault).replication_network_mappings.list, of=vault), read_mapping, vault)

    def mappings_of_network(self, network_id: ArmId) -> Iterator[LiveMapping]:
        """The mappings of one network of a fabric."""
        operation = self._client(network_id).replication_network_mappings.list_by_replication_networks
        return translate_all(rows(operation, of=network_id), read_mapping, network_id)

    def mapping(self, mapping_id: ArmId) -> LiveMapping:
        """One mapping."""
        operation = self._client(mapping_id).replication_network_mappings.get
        return read(operation, of=mapping_id, translate=read_mapping)

    def protected_items(self, vault: ArmId) -> Iterator[ProtectedItem]:
        """The replicated machines of a vault, from a single list."""
        return translate_all(rows(self._client(vault).replication_protected_items.list, of=vault), read_item, vault)

    def protected_items_of_container(self, container_id: ArmId) -> Iterator[ProtectedItem]:
        """The replicated machines of one container."""
        operation = self._client(container_id).replication_protected_items.list_by_replication_protection_containers
        return translate_all(rows(operation, of=container_id), read_item, container_id)

    def protected_item(self, item_id: ArmId) -> ProtectedItem:
        """One replicated machine."""
        operation = self._client(item_id).replication_protected_items.get
        return read(operation, of=item_id, translate=read_item)

    def jobs(self, vault: ArmId, *, since: float | None = None, state: str | None = None) -> Iterator[Job]:
        """The jobs of a vault, filtered by the service by start or state."""
        # Specified: the filter consists of equalities, in which startTime is a lower bound and endTime an upper one.
        terms = []
        if since is not None:
            terms.append(f"startTime eq '{datetime.fromtimestamp(int(since), UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}'")
        if state:
            terms.append(f"jobStatus eq '{state}'")
        query = {"filter": " and ".join(terms)} if terms else {}
        jobs = rows(self._client(vault).replication_jobs.list, of=vault, **query)
        return translate_readable(jobs, partial(read_job, vault=vault), vault, "a job")

    def vm_networks(self, fabric_id: ArmId) -> Iterator[VmNetwork]:
        """The VM networks of a VMM server."""
        operation = self._client(fabric_id).replication_networks.list_by_replication_fabrics
        return translate_readable(rows(operation, of=fabric_id), read_vm_network, fabric_id, "a VM network")

    def logical_networks(self, fabric_id: ArmId) -> Iterator[LogicalNetwork]:
        """The logical networks of a VMM server."""
        operation = self._client(fabric_id).replication_logical_networks.list_by_replication_fabrics
        return translate_readable(rows(operation, of=fabric_id), read_logical_network, fabric_id, "a logical network")

    def clouds(self, fabric_id: ArmId) -> Iterator[Cloud]:
        """The containers of a fabric."""
        operation = self._client(fabric_id).replication_protection_containers.list_by_replication_fabrics
        return translate_readable(rows(operation, of=fabric_id), read_cloud, fabric_id, "a cloud")

    def cloud_mappings(self, vault: ArmId) -> Iterator[CloudMapping]:
        """Which cloud protects which, from a single list."""
        operation = self._client(vault).replication_protection_container_mappings.list
        return translate_readable(rows(operation, of=vault), read_cloud_mapping, vault, "a mapping of clouds")

    def cloud_mappings_of_container(self, container_id: ArmId) -> Iterator[CloudMapping]:
        """The clouds that protect one cloud."""
        mappings = self._client(container_id).replication_protection_container_mappings
        operation = mappings.list_by_replication_protection_containers
        return translate_readable(
            rows(operation, of=container_id), read_cloud_mapping, container_id, "a mapping of clouds"
        )

    def put_fabric(self, fabric: Fabric) -> Operation | None:
        """Start creating an Azure fabric."""
        operation = self._client(fabric.id).replication_fabrics.begin_create
        body = {"properties": {"customDetails": {"instanceType": "Azure", "location": fabric.location}}}
        return submit(operation, body, of=fabric.id)

    def put_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start creating a mapping, or updating the existing one of that name."""
        operation = self._client(mapping.id).replication_network_mappings.begin_create
        return submit(operation, mapping_body(mapping), of=mapping.id)

    def patch_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start updating a mapping."""
        operation = self._client(mapping.id).replication_network_mappings.begin_update
        return submit(operation, mapping_body(mapping), of=mapping.id)

    def delete_mapping(self, mapping_id: ArmId) -> Operation | None:
        """Start deleting a mapping."""
        operation = self._client(mapping_id).replication_network_mappings.begin_delete
        return submit(operation, of=mapping_id)

    def update_item(self, item: ProtectedItem) -> Operation | None:
        """Start updating all network settings of a machine."""
        operation = self._client(item.id).replication_protected_items.begin_update
        return submit(operation, update_body(item), of=item.id)

    def operation(self, operation: Operation) -> OperationStatus:
        """The status of an operation, from its own URL, which is sent unchanged because its query is signed."""
        return status_of(self._manager.get(operation.status_url, operation.resource_id), operation)

    def _client(self, resource_id: ArmId) -> Any:
        return self._clients.site_recovery(resource_id.subscription)
