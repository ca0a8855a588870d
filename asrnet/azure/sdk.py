"""Calls the SDKs' operations: their clients, their lists page by page, and their failures as asrnet's errors.

``azure-mgmt-network`` and ``azure-mgmt-recoveryservicessiterecovery`` make every request to their providers. They are
imported when a client is first needed, or ahead of time by ``load``.
"""

from __future__ import annotations

import gc
import importlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar
from urllib.parse import parse_qs, urlsplit

from azure.core.exceptions import AzureError
from azure.core.paging import ItemPaged
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import HTTPPolicy

from asrnet.azure.members import document, reading_answer
from asrnet.azure.operations import Submitted
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.translate import translated
from asrnet.errors import InputError, ServiceError
from asrnet.model.arm import ArmId
from asrnet.ports import Operation

if TYPE_CHECKING:
    from azure.mgmt.network import NetworkManagementClient
    from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

M = TypeVar("M")
R = TypeVar("R")

NETWORK: Final = "azure.mgmt.network"
SITE_RECOVERY: Final = "azure.mgmt.recoveryservicessiterecovery"
RESOURCE_GRAPH: Final = "azure.mgmt.resourcegraph"

NETWORK_PROVIDER: Final = "Microsoft.Network"
RECOVERY_PROVIDER: Final = "Microsoft.RecoveryServices"

OLDER_VERSIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "china": {NETWORK_PROVIDER: "2024-05-01"},
    "usgovernment": {NETWORK_PROVIDER: "2024-05-01"},
}
"""By cloud, the API versions to request if the SDKs' own are too new: sovereign clouds get them months later."""


class Clients:
    """The SDKs' clients, each for one subscription. All share the pipeline's connections and gates.

    ``api_versions`` overrides, by provider, the API versions of the SDKs and of the cloud.
    """

    def __init__(self, pipeline: Pipeline, api_versions: Mapping[str, str] | None = None) -> None:
        self._pipeline = pipeline
        self._versions = {**OLDER_VERSIONS.get(pipeline.cloud.name, {}), **(api_versions or {})}
        # One lock per SDK: the first call waits for an import, and lists of the faster SDK must not wait for the
        # other's.
        self._network_lock = threading.Lock()
        self._site_recovery_lock = threading.Lock()
        self._networks: dict[str, NetworkManagementClient] = {}
        self._site_recoveries: dict[str, SiteRecoveryManagementClient] = {}

    def network(self, subscription: str) -> NetworkManagementClient:
        """The client for Microsoft.Network."""
        with self._network_lock:
            if subscription not in self._networks:
                from azure.mgmt.network import NetworkManagementClient

                options = self._pipeline.client_options()
                self._networks[subscription] = NetworkManagementClient(subscription_id=subscription, **options)
            return self._networks[subscription]

    def site_recovery(self, subscription: str) -> SiteRecoveryManagementClient:
        """The client for Site Recovery."""
        with self._site_recovery_lock:
            if subscription not in self._site_recoveries:
                from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

                options = {**self._pipeline.client_options(), **self.version(RECOVERY_PROVIDER)}
                self._site_recoveries[subscription] = SiteRecoveryManagementClient(
                    subscription_id=subscription, **options
                )
            return self._site_recoveries[subscription]

    def version(self, provider: str) -> dict[str, str]:
        """The argument that overrides the SDK's API version; empty if the SDK's own applies.

        Microsoft.Network takes it for each operation and ignores it on the client; for Site Recovery it is the
        opposite.
        """
        version = self._versions.get(provider)
        return {"api_version": version} if version else {}


def load(packages: Sequence[str], *, whole_process: bool) -> None:
    """Import ``packages`` in a thread, in this order, so that the import has finished when the first client is needed.

    ``whole_process`` is for a process that does nothing else. It turns off the garbage collector during the imports,
    which would scan thousands of new classes repeatedly, and excludes them afterwards (imports take 0.33 s instead of
    0.5 s).
    """

    def import_all() -> None:
        if whole_process:
            gc.disable()
        try:
            for package in packages:
                # A failed import is repeated, and reported, when the package is needed.
                with suppress(ImportError):
                    importlib.import_module(package)
        finally:
            if whole_process:
                gc.freeze()
                gc.enable()

    threading.Thread(target=import_all, daemon=True).start()


@contextmanager
def answering(resource_id: ArmId) -> Iterator[None]:
    """Convert the exceptions of an operation, or of the translation of its answer, into asrnet's errors."""
    with reading_answer(resource_id), translated(resource_id):
        yield


def _names(resource_id: ArmId) -> list[str]:
    """The arguments by which the SDKs' operations address a resource: its group's name, then one name for each level.

    A mapping has the names of its group, vault, fabric, network and itself; a subscription has none, because it belongs
    to the client.
    """
    segments = str(resource_id).split("/")  # "", subscriptions, GUID, resourceGroups, group, providers, namespace, …
    return [*segments[4:5], *segments[8::2]]


def read(operation: Callable[..., M], *, of: ArmId, translate: Callable[[Any], R], **options: Any) -> R:
    """Call an operation on ``of`` and return its answer as translated by ``translate``."""
    with answering(of):
        model = document(operation(*_names(of), **options))
        try:
            return translate(model)
        except InputError as error:
            raise ValueError(error.message) from error  # an invalid id came from Azure, not from the user


def submit(operation: Callable[..., Any], *body: Any, of: ArmId, **options: Any) -> Operation | None:
    """Start a long-running operation on ``of``; None if Azure finished it at once."""
    with answering(of):
        submitted: Operation | None = operation(*_names(of), *body, polling=Submitted(of), **options).result()
    return submitted


def rows(operation: Callable[..., ItemPaged[M]], *, of: ArmId, **options: Any) -> Iterator[M]:
    """The elements of a list, each page fetched when it is needed. ``of`` is what the list belongs to.

    Raises ServiceError if the pages form a loop, which the SDK would follow forever.
    """
    addresses: set[str] = set()

    def note_address(response: Any) -> None:
        addresses.add(response.http_request.url)

    with answering(of):
        pages: Any = operation(*_names(of), raw_response_hook=note_address, **options).by_page()
    while True:
        with answering(of):
            page = list(next(pages, ()))
            if following := pages.continuation_token:  # the next page's URL
                pages.continuation_token = following = escaped_url(following)
        yield from page
        if not following:
            return
        if following in addresses:
            raise ServiceError(f"the list of '{of}' has pages that form a loop", resource_id=of)
        addresses.add(following)


def escaped_url(url: str) -> str:
    """``url`` with escaped braces, because the SDKs treat a URL as a template and replace or drop what is in braces."""
    return url.replace("{", "%7B").replace("}", "%7D")


class _Unsent(HTTPPolicy[Any, Any]):
    """Records the URL of a request instead of sending it."""

    url = ""

    def send(self, request: PipelineRequest[Any]) -> NoReturn:
        """Record the URL and end the call."""
        self.url = request.http_request.url
        raise AzureError("not sent")


def versions_sent(clients: Clients) -> Mapping[str, str]:
    """The API version that is requested for each resource type.

    The SDKs do not expose it, so a request is built for each type, and its URL is read instead of being sent.
    """
    from azure.mgmt.network import NetworkManagementClient
    from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient

    unsent = _Unsent()
    options: dict[str, Any] = {"credential": object(), "subscription_id": "any", "policies": [unsent]}
    network = NetworkManagementClient(**options)
    recovery_options: dict[str, Any] = {**options, **clients.version(RECOVERY_PROVIDER)}
    site_recovery = SiteRecoveryManagementClient(**recovery_options)
    networks: ItemPaged[Any] = network.virtual_networks.list_all(**clients.version(NETWORK_PROVIDER))
    fabrics: ItemPaged[Any] = site_recovery.replication_fabrics.list("any", "any")
    versions = {}
    for kind, pages in (
        ("Microsoft.Network/virtualNetworks", networks),
        ("Microsoft.RecoveryServices/vaults/replicationFabrics", fabrics),
    ):
        with suppress(AzureError):
            next(pages)
        versions[kind] = parse_qs(urlsplit(unsent.url).query)["api-version"][0]
    return versions
