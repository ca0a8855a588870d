"""Virtual networks through Azure Resource Graph: those of all subscriptions in one query for each 1,000.

It lags behind and may leave out what the identity may not see, so it never proves absence: single networks are read
from Microsoft.Network. Needs the extra ``graph``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from asrnet.azure.network_wire import WireNetwork, read_network
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.translate import translated
from asrnet.azure.wire import each_readable
from asrnet.errors import InputError, ServiceError
from asrnet.files.decoding import TYPES
from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork
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
        self._found: dict[str, list[VirtualNetwork]] = {}
        self._lock = threading.Lock()

    def virtual_networks(self, subscription: str) -> Iterator[VirtualNetwork]:
        """The networks of a subscription, as Resource Graph knows them."""
        wanted = subscription.lower()
        with self._lock:
            if wanted not in self._found:
                self._ask(self._together if wanted in self._together else (wanted,))
            return iter(self._found[wanted])

    def virtual_network(self, network_id: ArmId, *, addresses: bool = False) -> VirtualNetwork | None:
        """One network, from Microsoft.Network."""
        return self._exact.virtual_network(network_id, addresses=addresses)

    def _ask(self, subscriptions: Sequence[str]) -> None:
        """Ask about ``subscriptions``; what is known of them is set only when every page was read."""
        client = self._client()
        found: dict[str, list[VirtualNetwork]] = {subscription: [] for subscription in subscriptions}
        for begin in range(0, len(subscriptions), _MOST_SUBSCRIPTIONS):
            rows = _rows(client, subscriptions[begin : begin + _MOST_SUBSCRIPTIONS])
            for network in each_readable(rows, read_network, "a virtual network"):
                found.setdefault(network.id.subscription, []).append(network)
        self._found |= found

    def _client(self) -> Any:
        try:
            from azure.mgmt.resourcegraph import ResourceGraphClient
        except ImportError as error:
            raise InputError(
                "Resource Graph needs a package that is not installed", hint="pip install 'asrnet[graph]'"
            ) from error
        return ResourceGraphClient(**self._pipeline.client_options())


def _rows(client: Any, subscriptions: Sequence[str]) -> Iterator[WireNetwork]:
    from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

    token: str | None = None
    seen: set[str] = set()
    while True:
        options = QueryRequestOptions(top=_MOST_ROWS, skip_token=token, result_format="objectArray")
        request = QueryRequest(subscriptions=list(subscriptions), query=_QUERY, options=options)
        with translated(ArmId(f"/subscriptions/{subscriptions[0]}")):
            answer = client.resources(request)
        yield from _converted(answer.data)
        token = answer.skip_token
        if not token:
            return
        if token in seen:
            raise ServiceError("Resource Graph's pages go round in circles")
        seen.add(token)


def _converted(data: object) -> list[WireNetwork]:
    try:
        with TYPES:
            return msgspec.convert(data, list[WireNetwork])
    except msgspec.ValidationError as error:
        raise ServiceError(f"the answer of Resource Graph cannot be read: {error}") from error
