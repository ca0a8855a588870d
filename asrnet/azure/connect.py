"""Azure as a backend: the adapters on one pipeline."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from asrnet.azure.credentials import Credential, choose
from asrnet.azure.networks import AzureNetworks
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.resource_graph import GraphNetworks
from asrnet.azure.resource_manager import ResourceManager
from asrnet.azure.retry import RetryLimits
from asrnet.azure.sdk import NETWORK, RESOURCE_GRAPH, SITE_RECOVERY, Clients, load
from asrnet.azure.sign_in import SignIn
from asrnet.azure.site_recovery import AzureSiteRecovery
from asrnet.azure.wire import Wire
from asrnet.errors import AsrError
from asrnet.ports import Backend, Clock
from asrnet.settings.clouds import PUBLIC, Cloud
from asrnet.site_recovery import SiteRecovery

if TYPE_CHECKING:
    import requests


def backend(
    *,
    clock: Clock,
    cloud: Cloud = PUBLIC,
    credential: Credential | None = None,
    limits: RetryLimits | None = None,
    session: requests.Session | None = None,
    inventory: Literal["network", "graph"] = "network",
    subscriptions: Sequence[str] = (),
    api_versions: Mapping[str, str] | None = None,
    start_now: bool = False,
    whole_process: bool = False,
    run: str = "",
) -> Backend:
    """Azure as a backend or, with ``session``, an emulator in this process.

    ``inventory="graph"`` lists networks through Resource Graph, for all ``subscriptions`` together. ``api_versions``
    overrides, by provider, the API versions of the SDK and of the cloud. ``run`` is the correlation id of all requests.
    With ``start_now``, the sign-in and the import of the SDKs run in parallel with whatever the caller does first. With
    ``whole_process``, the process does nothing else (see ``sdk.load``).
    """
    if start_now:
        # Site Recovery first: its SDK takes less time to import, so its lists can be requested while the other SDK is
        # imported.
        load([SITE_RECOVERY, RESOURCE_GRAPH if inventory == "graph" else NETWORK], whole_process=whole_process)
    credential = credential or choose(cloud)
    sign_in = SignIn(credential, cloud.scope)
    if start_now:
        threading.Thread(target=_sign_in, args=(sign_in,), daemon=True).start()
    pipeline = Pipeline(cloud=cloud, credential=sign_in.tokens, clock=clock, limits=limits, session=session, run=run)
    clients = Clients(pipeline, api_versions)
    manager = ResourceManager(pipeline, clients, authority="" if credential.is_made_up else cloud.authority)
    networks = AzureNetworks(clients, manager)
    if inventory == "graph":
        networks = GraphNetworks(pipeline, clients, manager, subscriptions)
    site_recovery = SiteRecovery(AzureSiteRecovery(clients, manager))
    return Backend(
        networks=networks,
        network_writer=networks,
        mappings=site_recovery,
        mapping_writer=site_recovery,
        vmm=site_recovery,
        clock=clock,
        requests=pipeline.meter.counts,
        identity=lambda: str(sign_in.identity()),
        tenant=lambda: sign_in.identity().tenant_id,
        surroundings=manager,
        close=pipeline.close,
        lists_may_lag=inventory == "graph",
    )


def wire(
    *,
    clock: Clock,
    cloud: Cloud = PUBLIC,
    credential: Credential | None = None,
    limits: RetryLimits | None = None,
    session: requests.Session | None = None,
    api_versions: Mapping[str, str] | None = None,
) -> Wire:
    """Raw requests and responses on the same pipeline, with the arguments of ``backend``."""
    tokens = SignIn(credential or choose(cloud), cloud.scope).tokens
    pipeline = Pipeline(cloud=cloud, credential=tokens, clock=clock, limits=limits, session=session)
    return Wire(pipeline, Clients(pipeline, api_versions))


def _sign_in(sign_in: SignIn) -> None:
    with suppress(AsrError):
        sign_in.identity()
