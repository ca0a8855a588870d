"""Virtual networks through Azure Resource Graph: all subscriptions in one query, with 1,000 networks per page.

It lags behind and may omit what the identity cannot see, so it never proves absence: single networks are read from
Microsoft.Network. Needs the extra ``graph``.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from asrnet.azure.members import Model, documents, flag, part, reference, text, translate_readable
from asrnet.azure.models import read_network
from asrnet.azure.networks import AzureNetworks
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.resource_manager import ResourceManager
from asrnet.azure.sdk import Clients, answering
from asrnet.errors import InputError, ServiceError
from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork

_NETWORKS: Final = (
    "resources | where type =~ 'microsoft.network/virtualnetworks' "
    "| project id, name, location, tags, extendedLocation, properties | order by id asc"
)
_LINKS: Final = (
    "resources | where type =~ 'microsoft.network/privatednszones/virtualnetworklinks' "
    "| project id, properties | order by id asc"
)
_MOST_ROWS: Final = 1000
"""Documented: the maximum number of rows in an answer."""
_MOST_SUBSCRIPTIONS: Final = 200
"""Per query. "Guidance for throttled requests in Azure Resource Graph" advises groups of fewer than 300 ids."""


class GraphNetworks(AzureNetworks):
    """AzureNetworks whose lists come from Resource Graph. A list of one of ``subscriptions`` queries all of them."""

    def __init__(
        self, pipeline: Pipeline, clients: Clients, manager: ResourceManager, subscriptions: Sequence[str]
    ) -> None:
        super().__init__(clients, manager)
        self._pipeline = pipeline
        self._together = tuple(dict.fromkeys(subscription.lower() for subscription in subscriptions))
        self._networks: dict[str, list[VirtualNetwork]] = {}
        self._lock = threading.Lock()

    def virtual_networks(self, subscription: str) -> Iterator[VirtualNetwork]:
        """The networks of a subscription, according to Resource Graph."""
        key = subscription.lower()
        with self._lock:
            if key not in self._networks:
                self._ask(self._together if key in self._together else (key,))
            return iter(self._networks[key])

    def registration_zones(self, subscriptions: Collection[str]) -> Mapping[ArmId, ArmId]:
        """The private DNS zone in which each network registers its machines, according to Resource Graph."""
        zones: dict[ArmId, ArmId] = {}
        for names, scope in _parts(sorted(subscriptions)):
            for link in translate_readable(
                _rows(self._client(), _LINKS, names, scope), _read_link, scope, "a DNS link"
            ):
                zones |= link
        return zones

    def _ask(self, subscriptions: Sequence[str]) -> None:
        """Query ``subscriptions``. The result is stored only after every page has been read."""
        client = self._client()
        networks: dict[str, list[VirtualNetwork]] = {subscription: [] for subscription in subscriptions}
        for names, scope in _parts(subscriptions):
            rows = _rows(client, _NETWORKS, names, scope)
            for network in translate_readable(rows, read_network, scope, "a virtual network"):
                networks.setdefault(network.id.subscription, []).append(network)
        self._networks |= networks

    def _client(self) -> Any:
        try:
            from azure.mgmt.resourcegraph import ResourceGraphClient
        except ImportError as error:
            raise InputError(
                "--inventory graph needs azure-mgmt-resourcegraph, which is not installed",
                hint="install azure-mgmt-resourcegraph where asrnet is, or asrnet with its extra 'graph'",
            ) from error
        return ResourceGraphClient(**self._pipeline.client_options())


def _parts(subscriptions: Sequence[str]) -> Iterator[tuple[Sequence[str], ArmId]]:
    """Groups of subscriptions that fit into one query, each with the scope for errors."""
    for begin in range(0, len(subscriptions), _MOST_SUBSCRIPTIONS):
        names = subscriptions[begin : begin + _MOST_SUBSCRIPTIONS]
        yield names, ArmId(f"/subscriptions/{names[0]}")


def _read_link(model: Model) -> dict[ArmId, ArmId]:
    """The zone in which a link registers a network's machines; empty for a link that only resolves names."""
    properties = part(model, "properties")
    network_id = reference(part(properties, "virtualNetwork"), "id")
    if network_id is None or flag(properties, "registrationEnabled") is not True:
        return {}
    return {network_id: ArmId(text(model, "id")).parent}


def _rows(client: Any, query: str, subscriptions: Sequence[str], scope: ArmId) -> Iterator[Model]:
    """The rows of all pages of a query. Raises ServiceError if the answers do not lead to the last page."""
    from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

    token: str | None = None
    tokens: set[str] = set()
    while True:
        options = QueryRequestOptions(top=_MOST_ROWS, skip_token=token, result_format="objectArray")
        request = QueryRequest(subscriptions=list(subscriptions), query=query, options=options)
        with answering(scope):
            answer = client.resources(request)
            page = documents(answer.data)
            token, truncated = answer.skip_token, str(answer.result_truncated).lower().endswith("true")
        yield from page
        if not token:
            # The service truncates results without a next page if a query cannot be paged or a row is too large.
            if truncated:
                raise ServiceError("Resource Graph omitted rows without a continuation token", resource_id=scope)
            return
        if token in tokens:
            raise ServiceError("the pages of Resource Graph form a loop", resource_id=scope)
        tokens.add(token)
