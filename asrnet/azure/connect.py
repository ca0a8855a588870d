"""Azure as a backend: the adapters on one pipeline."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal

from asrnet.azure.clouds import PUBLIC, Cloud
from asrnet.azure.credentials import Credential, choose
from asrnet.azure.networks import AzureNetworks
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.retry import RetryLimits
from asrnet.azure.sign_in import SignIn
from asrnet.azure.site_recovery_writer import AzureSiteRecovery
from asrnet.azure.surroundings import AzureSurroundings
from asrnet.errors import AsrError
from asrnet.ports import Backend, Clock, NetworkReader
from asrnet.site_recovery import SiteRecovery

if TYPE_CHECKING:
    import requests

_SITE_RECOVERY: Final = "azure.mgmt.recoveryservicessiterecovery"
_PACKAGES: Final[Mapping[str, str]] = {
    "fabric": _SITE_RECOVERY,
    "network_mapping": _SITE_RECOVERY,
    "virtual_network": "azure.mgmt.network",
}
"""What writing each kind of resource needs. The quick import comes first: its user need not wait for the slow one."""


def backend(
    *,
    clock: Clock,
    cloud: Cloud = PUBLIC,
    credential: Credential | None = None,
    limits: RetryLimits | None = None,
    session: requests.Session | None = None,
    inventory: Literal["network", "graph"] = "network",
    subscriptions: Sequence[str] = (),
    sign_in_now: bool = False,
    run: str = "",
) -> Backend:
    """Azure, or with ``session`` an emulator in this process.

    ``inventory="graph"`` lists networks through Resource Graph, those of ``subscriptions`` together.
    ``run`` is the correlation id of all requests. ``sign_in_now``: the sign-in runs beside whatever the caller does
    first.
    """
    credential = credential or choose(cloud)
    sign_in = SignIn(credential, cloud.scope)
    if sign_in_now:
        threading.Thread(target=_sign_in, args=(sign_in,), daemon=True).start()
    pipeline = Pipeline(cloud=cloud, credential=sign_in.tokens, clock=clock, limits=limits, session=session, run=run)
    networks = AzureNetworks(pipeline)
    site_recovery = SiteRecovery(AzureSiteRecovery(pipeline))
    return Backend(
        networks=_listed_by_graph(pipeline, networks, subscriptions) if inventory == "graph" else networks,
        network_writer=networks,
        mappings=site_recovery,
        mapping_writer=site_recovery,
        vmm=site_recovery,
        clock=clock,
        requests=pipeline.meter.counts,
        identity=lambda: str(sign_in.identity()),
        tenant=lambda: sign_in.identity().tenant_id,
        surroundings=AzureSurroundings(pipeline, authority="" if credential.is_made_up else cloud.authority),
        close=pipeline.close,
        expect=_expect,
        lists_may_lag=inventory == "graph",
    )


def _listed_by_graph(pipeline: Pipeline, exact: NetworkReader, subscriptions: Sequence[str]) -> NetworkReader:
    from asrnet.azure.resource_graph import GraphNetworks

    return GraphNetworks(pipeline, exact, subscriptions)


def _expect(kinds: Collection[str]) -> None:
    """Import the SDKs for writing ``kinds`` beside what comes before. What fails fails again where it is needed."""
    packages = list(dict.fromkeys(_PACKAGES[kind] for kind in _PACKAGES if kind in kinds))
    if packages:
        threading.Thread(target=_import_all, args=(packages,), daemon=True).start()


def _import_all(packages: Sequence[str]) -> None:
    for package in packages:
        with suppress(ImportError):
            importlib.import_module(package)


def _sign_in(sign_in: SignIn) -> None:
    with suppress(AsrError):
        sign_in.identity()
