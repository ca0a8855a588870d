"""Azure as a backend: the adapters on one pipeline."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from asrnet.azure.clouds import PUBLIC, Cloud
from asrnet.azure.credentials import Credential, choose
from asrnet.azure.networks import AzureNetworks
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.retry import RetryLimits
from asrnet.azure.sign_in import SignIn
from asrnet.azure.site_recovery import SiteRecoveryClients, SiteRecoveryReader
from asrnet.azure.site_recovery_writer import SiteRecoveryWriter
from asrnet.ports import Backend, Clock, NetworkReader

if TYPE_CHECKING:
    import requests

Part = Literal["networks", "site_recovery"]

_PACKAGES: Final = {
    "networks": "azure.mgmt.network",
    "site_recovery": "azure.mgmt.recoveryservicessiterecovery",
}


def backend(
    *,
    clock: Clock,
    cloud: Cloud = PUBLIC,
    credential: Credential | None = None,
    limits: RetryLimits | None = None,
    session: requests.Session | None = None,
    inventory: Literal["network", "graph"] = "network",
    subscriptions: Sequence[str] = (),
    soon: Sequence[Part] = (),
) -> Backend:
    """Azure, or with ``session`` an emulator in this process.

    ``inventory="graph"`` lists networks through Resource Graph, those of ``subscriptions`` together. ``soon`` names
    what will be needed, so that its slow imports run beside the sign-in. No request is sent before the first call.
    """
    _import_beside(soon)
    sign_in = SignIn(credential or choose(cloud), cloud.scope)
    pipeline = Pipeline(cloud=cloud, credential=sign_in.tokens, clock=clock, limits=limits, session=session)
    networks = AzureNetworks(pipeline)
    clients = SiteRecoveryClients(pipeline)
    reader, writer = SiteRecoveryReader(clients), SiteRecoveryWriter(clients)
    return Backend(
        networks=_listed_by_graph(pipeline, networks, subscriptions) if inventory == "graph" else networks,
        network_writer=networks,
        mappings=reader,
        mapping_writer=writer,
        vmm=reader,
        clock=clock,
        requests=pipeline.meter.counts,
        identity=lambda: str(sign_in.identity()),
        close=pipeline.close,
    )


def _listed_by_graph(pipeline: Pipeline, exact: NetworkReader, subscriptions: Sequence[str]) -> NetworkReader:
    from asrnet.azure.resource_graph import GraphNetworks

    return GraphNetworks(pipeline, exact, subscriptions)


def _import_beside(parts: Sequence[Part]) -> None:
    """Import the SDKs' packages in threads. An import that fails fails again where it is needed, and says so there."""
    for part in parts:
        threading.Thread(target=_try_import, args=(_PACKAGES[part],), daemon=True).start()


def _try_import(package: str) -> None:
    try:
        importlib.import_module(package)
    except ImportError:
        return
