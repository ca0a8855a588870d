"""Writes to Site Recovery through azure-mgmt-recoveryservicessiterecovery. Each returns as soon as it is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asrnet.azure.mapping_wire import fabric_body
from asrnet.azure.operations import Submitted, status_of
from asrnet.azure.per_subscription import PerSubscription
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.reading import get
from asrnet.azure.site_recovery import SiteRecoveryReader
from asrnet.azure.translate import translated
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, NetworkMapping
from asrnet.model.bodies import mapping_body
from asrnet.ports import Operation, OperationStatus

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient


class AzureSiteRecovery(SiteRecoveryReader):
    """SiteRecoveryRequests. The SDK is imported with the first write, its clients are one for each subscription."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline)
        self._pipeline = pipeline
        self._clients = PerSubscription(self._client)

    def put_fabric(self, fabric: Fabric) -> Operation | None:
        """Start creating an Azure fabric."""
        vault = fabric.id.parent
        fabrics = self._clients(vault.subscription).replication_fabrics
        return _submit(
            fabrics.begin_create, fabric.id, vault.resource_group, vault.name, fabric.name, fabric_body(fabric)
        )

    def put_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start creating a mapping, or replacing the one of that name."""
        mappings = self._clients(mapping.id.subscription).replication_network_mappings
        return _submit(mappings.begin_create, mapping.id, *_names(mapping.id), mapping_body(mapping))

    def patch_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start pointing a mapping elsewhere."""
        mappings = self._clients(mapping.id.subscription).replication_network_mappings
        return _submit(mappings.begin_update, mapping.id, *_names(mapping.id), mapping_body(mapping))

    def delete_mapping(self, mapping_id: ArmId) -> Operation | None:
        """Start deleting a mapping."""
        mappings = self._clients(mapping_id.subscription).replication_network_mappings
        return _submit(mappings.begin_delete, mapping_id, *_names(mapping_id))

    def operation(self, operation: Operation) -> OperationStatus:
        """Where an operation stands, by its own address, sent as it was given: the query is signed."""
        return status_of(get(self._sender, operation.status_url, operation.resource_id), operation)

    def _client(self, subscription: str) -> SiteRecoveryManagementClient:
        from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

        return SiteRecoveryManagementClient(subscription_id=subscription, **self._pipeline.client_options())


def _submit(begin: Any, resource_id: ArmId, *arguments: Any) -> Operation | None:
    with translated(resource_id):
        poller = begin(*arguments, polling=Submitted(resource_id))
        operation: Operation | None = poller.result()
    return operation


def _names(mapping_id: ArmId) -> tuple[str, str, str, str, str]:
    """The names that address a mapping, with the network segment as it was listed."""
    network = mapping_id.parent
    fabric = network.parent
    vault = fabric.parent
    return vault.resource_group, vault.name, fabric.name, network.name, mapping_id.name
