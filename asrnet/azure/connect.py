"""Azure as a backend: the adapters on one pipeline."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal

from asrnet.azure.clouds import PUBLIC, Cloud
from asrnet.azure.credentials import Credential, choose
from asrnet.azure.networks import AzureNetworks
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.retry import RetryLimits
from asrnet.azure.sign_in import SignIn
from asrnet.azure.site_recovery import SiteRecoveryClients, SiteRecoveryReader
from asrnet.azure.site_recovery_writer import SiteRecoveryWriter
from asrnet.azure.surroundings import AzureSurroundings
from asrnet.errors import AsrError
from asrnet.ports import Backend, Clock, NetworkReader

if TYPE_CHECKING:
    import requests

Part = Literal["networks", "site_recovery"]

_PACKAGES: Final[Mapping[Part, str]] = {
    "site_recovery": "azure.mgmt.recoveryservicessiterecovery",
    "networks": "azure.mgmt.network",
}
"""The quick import first: what waits for it need not wait for the slow one."""


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
    what will be needed: its slow imports and the sign-in then run beside whatever the caller does first.
    """
    sign_in = SignIn(credential or choose(cloud), cloud.scope)
    _prepare(soon, sign_in)
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
        tenant=lambda: sign_in.identity().tenant_id,
        surroundings=AzureSurroundings(pipeline),
        close=pipeline.close,
    )


def _listed_by_graph(pipeline: Pipeline, exact: NetworkReader, subscriptions: Sequence[str]) -> NetworkReader:
    from asrnet.azure.resource_graph import GraphNetworks

    return GraphNetworks(pipeline, exact, subscriptions)


def _prepare(parts: Sequence[Part], sign_in: SignIn) -> None:
    """Import the SDKs' packages and sign in beside what comes first. What fails fails again where it is needed."""
    packages = [_PACKAGES[part] for part in _PACKAGES if part in parts]
    if packages:
        threading.Thread(target=_import_all, args=(packages,), daemon=True).start()
        threading.Thread(target=_sign_in, args=(sign_in,), daemon=True).start()


def _import_all(packages: Sequence[str]) -> None:
    for package in packages:
        with suppress(ImportError):
            importlib.import_module(package)


def _sign_in(sign_in: SignIn) -> None:
    with suppress(AsrError):
        sign_in.identity()
