"""Virtual networks: written through azure-mgmt-network, read without it.

That package takes 0.2 s and 30 MB more to import than azure-mgmt-core, nearly as much as all else that a plan does;
where no bytecode is kept, as on a read-only file system, 1.3 s and 280 MB. Most runs create no network, and reading
needs nothing but a pipeline: azure-mgmt-core's own client has one, with the same policies, and of a list no model
object is made (see ``reading``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec
from azure.mgmt.core import ARMPipelineClient

from asrnet.azure.network_wire import WireNetwork, network_body, read_network
from asrnet.azure.operations import Submitted, status_of
from asrnet.azure.per_subscription import PerSubscription
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.reading import Sender, address, decoded, get, rows
from asrnet.azure.translate import translated
from asrnet.azure.wire import each_readable
from asrnet.errors import NotFoundError
from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork
from asrnet.ports import Operation, OperationStatus

if TYPE_CHECKING:
    from azure.mgmt.network import NetworkManagementClient

API_VERSION: Final = "2024-05-01"
"""For reading: it knows all that a copy needs, and the sovereign clouds have it. Writes use the SDK's own."""
_ADDRESSES: Final = "subnets/ipConfigurations"
"""What is to be expanded for the addresses in use: otherwise only the ids of what uses them are told."""


class AzureNetworks:
    """NetworkReader and NetworkWriter."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._writers = PerSubscription(self._writer)
        self._reader: Sender = ARMPipelineClient(**pipeline.client_options())

    def virtual_networks(self, subscription: str) -> Iterator[VirtualNetwork]:
        """The networks of a subscription, page by page."""
        scope = ArmId(f"/subscriptions/{subscription}")
        url = self._address(f"{scope}/providers/Microsoft.Network/virtualNetworks")
        found = rows(self._reader, url, WireNetwork, scope)
        return each_readable(found, read_network, "a virtual network")

    def virtual_network(self, network_id: ArmId, *, addresses: bool = False) -> VirtualNetwork | None:
        """One network, with ``addresses`` those in use by value; None where Azure answers 404 ResourceNotFound."""
        query = {"expand": _ADDRESSES} if addresses else {}
        try:
            response = get(self._reader, self._address(network_id, **query), network_id)
        except NotFoundError as error:
            if error.code == "ResourceNotFound":
                return None
            raise
        return read_network(decoded(response, WireNetwork, network_id))

    def create_virtual_network(self, network: VirtualNetwork) -> Operation | None:
        """Start creating a network."""
        body = msgspec.json.encode(network_body(network))  # unlike a stream, bytes can be sent twice
        client = self._writers(network.id.subscription)
        with translated(network.id):
            poller = client.virtual_networks.begin_create_or_update(  # type: ignore[call-overload]  # it takes bytes
                network.id.resource_group, network.id.name, body, polling=Submitted(network.id)
            )
            operation: Operation | None = poller.result()
        return operation

    def operation(self, operation: Operation) -> OperationStatus:
        """Where the creation of a network stands."""
        return status_of(get(self._reader, operation.status_url, operation.resource_id), operation)

    def _address(self, path: ArmId | str, **query: str) -> str:
        return address(self._pipeline.cloud.endpoint, path, API_VERSION, **query)

    def _writer(self, subscription: str) -> NetworkManagementClient:
        from azure.mgmt.network import NetworkManagementClient

        return NetworkManagementClient(subscription_id=subscription, **self._pipeline.client_options())
