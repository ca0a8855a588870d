"""Virtual networks through azure-mgmt-network.

That package takes 2 to 3 s and 300 MB to import, so it is imported when a network is first read or written. Networks
are read with ``send_request`` of its client: of a list, no model object is made (see ``reading``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from asrnet.azure.network_wire import WireNetwork, network_body, read_network
from asrnet.azure.operations import Submitted, status_of
from asrnet.azure.per_subscription import PerSubscription
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.reading import address, decoded, get, rows
from asrnet.azure.translate import translated
from asrnet.azure.wire import each_readable
from asrnet.errors import NotFoundError
from asrnet.ids import ArmId
from asrnet.models import VirtualNetwork
from asrnet.ports import Operation, OperationStatus

if TYPE_CHECKING:
    from azure.mgmt.network import NetworkManagementClient

_API_VERSION: Final = "2024-05-01"
"""For reading: it knows all that a copy needs, and the sovereign clouds have it. Writes use the SDK's own."""


class AzureNetworks:
    """NetworkReader and NetworkWriter."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._clients = PerSubscription(self._client)

    def virtual_networks(self, subscription: str) -> Iterator[VirtualNetwork]:
        """The networks of a subscription, page by page."""
        scope = ArmId(f"/subscriptions/{subscription}")
        url = self._address(f"{scope}/providers/Microsoft.Network/virtualNetworks")
        found = rows(self._clients(scope.subscription), url, WireNetwork, scope)
        return each_readable(found, read_network, "a virtual network")

    def virtual_network(self, network_id: ArmId) -> VirtualNetwork | None:
        """One network; None where Azure answers 404 ResourceNotFound."""
        try:
            response = get(self._clients(network_id.subscription), self._address(network_id), network_id)
        except NotFoundError as error:
            if error.code == "ResourceNotFound":
                return None
            raise
        return read_network(decoded(response, WireNetwork, network_id))

    def create_virtual_network(self, network: VirtualNetwork) -> Operation | None:
        """Start creating a network."""
        body = msgspec.json.encode(network_body(network))  # unlike a stream, bytes can be sent twice
        client = self._clients(network.id.subscription)
        with translated(network.id):
            poller = client.virtual_networks.begin_create_or_update(  # type: ignore[call-overload]  # it takes bytes
                network.id.resource_group, network.id.name, body, polling=Submitted(network.id)
            )
            operation: Operation | None = poller.result()
        return operation

    def operation(self, operation: Operation) -> OperationStatus:
        """Where the creation of a network stands."""
        client = self._clients(operation.resource_id.subscription)
        return status_of(get(client, operation.status_url, operation.resource_id), operation)

    def _address(self, path: ArmId | str) -> str:
        return address(self._pipeline.cloud.endpoint, path, _API_VERSION)

    def _client(self, subscription: str) -> NetworkManagementClient:
        from azure.mgmt.network import NetworkManagementClient

        return NetworkManagementClient(subscription_id=subscription, **self._pipeline.client_options())
