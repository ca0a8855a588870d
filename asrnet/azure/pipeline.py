"""The pipeline of all requests to Azure: one list of policies of our own, one session, shared by all clients of a run.

The SDK's default pipeline is not used, because it registers resource providers by itself: a plain list on an
unregistered subscription sends a POST, and then waits without end. Redirects are not followed.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import requests
from azure.core.credentials import TokenCredential
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import (
    ContentDecodePolicy,
    CustomHookPolicy,
    DistributedTracingPolicy,
    HeadersPolicy,
    RequestIdPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.core.policies import ARMHttpLoggingPolicy
from requests.adapters import HTTPAdapter

from asrnet.azure.clouds import Cloud
from asrnet.azure.gates import Gates
from asrnet.azure.guard import TokenGuardPolicy, authentication
from asrnet.azure.meter import Meter, MeterPolicy
from asrnet.azure.redaction import quieten_vendors
from asrnet.azure.request_log import CORRELATION, RequestLogPolicy
from asrnet.azure.retry import RetryLimits, RetryPolicy
from asrnet.ports import Clock, announce_request

_POOL_SIZE: Final = 64
_CONNECT_TIMEOUT: Final = 10.0
_READ_TIMEOUT: Final = 60.0
_BLOCK_SIZE: Final = 1 << 17
"""A page of a list in one piece; azure.core's own 4 kB make a page of 100 networks thirty."""


class Pipeline:
    """What the clients of a run share: the session with its connections, the token, the gates, the counts, its id.

    ``run`` (a GUID) goes with every request as the correlation id, by which Azure's logs find all of them.
    ``session`` replaces the connections: an emulator in this process answers through it.
    """

    def __init__(
        self,
        *,
        cloud: Cloud,
        credential: TokenCredential,
        clock: Clock,
        limits: RetryLimits | None = None,
        session: requests.Session | None = None,
        run: str = "",
    ) -> None:
        quieten_vendors()
        self._run = run
        self.cloud = cloud
        self.credential = credential
        self.clock = clock
        self.meter = Meter()
        self._limits = limits or RetryLimits()
        self._gates = Gates(clock)
        self._session = session or new_session(cloud)
        self._owns_session = session is None

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments for the constructor of any of the SDKs' clients."""
        return {
            "credential": self.credential,
            "base_url": self.cloud.endpoint,
            "cloud_setting": self.cloud.sdk_setting,
            "credential_scopes": [self.cloud.scope],
            "policies": self.policies(),
            "transport": RequestsTransport(
                session=self._session,
                session_owner=False,
                connection_timeout=_CONNECT_TIMEOUT,
                read_timeout=_READ_TIMEOUT,
                connection_data_block_size=_BLOCK_SIZE,
            ),
        }

    def policies(self) -> list[Any]:
        """The policies, in order; a new list for each client, since policies are chained to one another.

        With retry outside authentication, every attempt carries a token that is valid then.
        """
        return [
            RequestIdPolicy(),
            HeadersPolicy({CORRELATION: self._run} if self._run else None),
            UserAgentPolicy(user_agent=f"asrnet/{version('asrnet')}"),
            ContentDecodePolicy(),
            RetryPolicy(clock=self.clock, gates=self._gates, limits=self._limits),
            TokenGuardPolicy(self.cloud),
            authentication(self.cloud, self.credential),
            CustomHookPolicy(),
            DistributedTracingPolicy(),
            AnnouncePolicy(),
            MeterPolicy(self.meter),
            RequestLogPolicy(self.clock),
            ARMHttpLoggingPolicy(),
        ]

    def close(self) -> None:
        """Close the connections."""
        if self._owns_session:
            self._session.close()


def new_session(cloud: Cloud) -> requests.Session:
    """A session whose pool is large enough for all threads; azure.core's own keeps ten connections."""
    session = requests.Session()
    session.auth = _unchanged
    adapter = _Direct if cloud.is_loopback else HTTPAdapter
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter(pool_maxsize=_POOL_SIZE, max_retries=0))
    return session


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No authentication by requests, which would put a password from ~/.netrc in the token's place."""
    return request


class AnnouncePolicy(SansIOHTTPPolicy[Any, Any]):
    """Runs what ``before_sending`` asks for. Within retries, gates and signing in, so that nothing slow follows it."""

    def on_request(self, request: PipelineRequest[Any]) -> None:  # noqa: ARG002 - the same for every request
        """Announce the request that is about to be sent."""
        announce_request()


class _Direct(HTTPAdapter):
    """Reaches this machine without a proxy, whatever HTTP_PROXY says: the proxy would see the token."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        return super().send(request, *args, **{**options, "proxies": {}})
