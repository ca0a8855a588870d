"""Virtual networks through Azure Resource Graph: those of all subscriptions in one query for each 1,000.

It lags behind and may leave out what the identity may not see, so it never proves absence: single networks are read
from Microsoft.Network. Needs the extra ``graph``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from asrnet.azure.members import Model, documents, every_readable
from asrnet.azure.models import read_network
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.sdk import answering
from asrnet.errors import InputError, ServiceError
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkInterface, NetworkSecurityGroup, ResourceGroup, RouteTable, VirtualNetwork
from asrnet.ports import NetworkReader

_QUERY: Final = (
    "resources | where type =~ 'microsoft.network/virtualnetworks' "
    "| project id, name, location, tags, extendedLocation, properties | order by id asc"
)
_MOST_ROWS: Final = 1000
_MOST_SUBSCRIPTIONS: Final = 200


class GraphNetworks:
    """NetworkReader. ``subscriptions`` are asked about together when the first of them is; ``exact`` reads by id."""

    def __init__(self, pipeline: Pipeline, exact: NetworkReader, subscriptions: Sequence[str]) -> None:
        self._pipeline = pipeline
        self._exact = exact
        self._together = tuple(dict.fromkeys(subscription.lower() for subscription in subscriptions))
        self._networks: dict[str, list[VirtualNetwork]] = {}
        self._lock = threading.Lock()

    def virtual_networks(self, subscription: str) -> Iterator[VirtualNetwork]:
        """The networks of a subscription, as Resource Graph knows them."""
        key = subscription.lower()
        with self._lock:
            if key not in self._networks:
                self._ask(self._together if key in self._together else (key,))
            return iter(self._networks[key])

    def virtual_network(self, network_id: ArmId, *, addresses: bool = False) -> VirtualNetwork | None:
        """One network, from Microsoft.Network."""
        return self._exact.virtual_network(network_id, addresses=addresses)

    def network_interfaces(self, subscription: str) -> Iterable[NetworkInterface]:
        """The network interfaces of a subscription, from Microsoft.Network."""
        return self._exact.network_interfaces(subscription)

    def subnet_attachment(self, resource_id: ArmId) -> NetworkSecurityGroup | RouteTable | None:
        """A network security group or route table, from Microsoft.Network."""
        return self._exact.subnet_attachment(resource_id)

    def resource_group(self, group_id: ArmId) -> ResourceGroup | None:
        """A resource group, from Resource Manager."""
        return self._exact.resource_group(group_id)

    def _ask(self, subscriptions: Sequence[str]) -> None:
        """Ask about ``subscriptions``; what is known of them is set only when every page was read."""
        try:
            from azure.mgmt.resourcegraph import ResourceGraphClient
        except ImportError as error:
            raise InputError(
                "--inventory graph needs azure-mgmt-resourcegraph, which is not installed",
                hint="install azure-mgmt-resourcegraph where asrnet is, or asrnet with its extra 'graph'",
            ) from error
        client = ResourceGraphClient(**self._pipeline.client_options())
        networks: dict[str, list[VirtualNetwork]] = {subscription: [] for subscription in subscriptions}
        for begin in range(0, len(subscriptions), _MOST_SUBSCRIPTIONS):
            part = subscriptions[begin : begin + _MOST_SUBSCRIPTIONS]
            scope = ArmId(f"/subscriptions/{part[0]}")
            for network in every_readable(_rows(client, part, scope), read_network, scope, "a virtual network"):
                networks.setdefault(network.id.subscription, []).append(network)
        self._networks |= networks


def _rows(client: Any, subscriptions: Sequence[str], scope: ArmId) -> Iterator[Model]:
    """The rows of all pages. Raises ServiceError where the answers do not lead to the last of them."""
    from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

    token: str | None = None
    tokens: set[str] = set()
    while True:
        options = QueryRequestOptions(top=_MOST_ROWS, skip_token=token, result_format="objectArray")
        request = QueryRequest(subscriptions=list(subscriptions), query=_QUERY, options=options)
        with answering(scope):
            answer = client.resources(request)
            page = documents(answer.data)
            token, truncated = answer.skip_token, str(answer.result_truncated).lower().endswith("true")
        yield from page
        if not token:
            # The service cuts results without a way on where a query cannot be paged, or a row is too large.
            if truncated:
                raise ServiceError("Resource Graph left out rows and does not say how to go on", resource_id=scope)
            return
        if token in tokens:
            raise ServiceError("Resource Graph's pages go round in circles", resource_id=scope)
        tokens.add(token)
