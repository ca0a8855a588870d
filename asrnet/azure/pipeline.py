"""The pipeline of all requests to Azure, with a policy list of our own and one session that all clients of a run share.

The SDK's default pipeline is not used, because it registers resource providers by itself: a plain list on an
unregistered subscription sends a POST and then waits forever. Redirects are not followed.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from azure.core import AzureClouds
from azure.core.credentials import TokenCredential
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    BearerTokenCredentialPolicy,
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

from asrnet.azure.gates import Gates
from asrnet.azure.request_log import CORRELATION, Meter, RequestLogPolicy, quieten_vendors
from asrnet.azure.retry import RetryLimits, RetryPolicy
from asrnet.errors import ServiceError
from asrnet.ports import Clock, announce_request
from asrnet.settings.clouds import Cloud
from asrnet.settings.roots import check_roots

_POOL_SIZE: Final = 64
# azure.core's time-out of 300 s would let one lost answer hold up a run, and repeating the request costs little.
_CONNECT_TIMEOUT: Final = 10.0
_READ_TIMEOUT: Final = 60.0
_BLOCK_SIZE: Final = 1 << 17
"""Enough for a page of a list in one chunk; azure.core's default of 4 kB splits a page of 100 networks into thirty."""


class Pipeline:
    """What the clients of a run share: the session and its connections, the token, gates, counts and the run's id.

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
        if session is None and cloud.endpoint.startswith("https://"):
            check_roots()  # a wrong path is an input error here; at the first request it would be a bare OSError
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
            "cloud_setting": AzureClouds[self.cloud.setting],
            "policies": self.policies(),
            "transport": RequestsTransport(
                session=self._session,
                session_owner=False,  # closing one client would close the connections of all
                connection_timeout=_CONNECT_TIMEOUT,
                read_timeout=_READ_TIMEOUT,
                connection_data_block_size=_BLOCK_SIZE,
            ),
        }

    def policies(self) -> list[Any]:
        """The policies, in order; a new list for each client, because policies are chained to each other.

        Retries are outside of authentication, so that every attempt has a valid token.
        """
        return [
            RequestIdPolicy(),
            HeadersPolicy({CORRELATION: self._run} if self._run else None),
            UserAgentPolicy(user_agent=f"asrnet/{version('asrnet')}"),
            RetryPolicy(clock=self.clock, gates=self._gates, limits=self._limits),
            TokenGuardPolicy(self.cloud),  # on every attempt, and before the token is in the request
            BearerTokenCredentialPolicy(self.credential, self.cloud.scope),
            # After retries, gates and authentication, so that nothing slow happens after the check of
            # ``before_sending``.
            CustomHookPolicy(raw_request_hook=lambda _request: announce_request()),
            DistributedTracingPolicy(),
            EncodingPolicy(),
            # After everything that can still stop a request, so that only requests that are sent are counted and
            # logged.
            RequestLogPolicy(self.meter, self.clock),
            ARMHttpLoggingPolicy(),
        ]

    def close(self) -> None:
        """Close the connections."""
        if self._owns_session:
            self._session.close()


class TokenGuardPolicy(SansIOHTTPPolicy[Any, Any]):
    """Refuses to send a token to any host except the cloud's, and an emulator's on this machine.

    URLs of further pages and of operations come from answers, so they are checked as well.
    """

    def __init__(self, cloud: Cloud) -> None:
        super().__init__()
        self._cloud = cloud

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Raise ServiceError if the URL must not receive a token.

        Plain http is allowed only for an emulator on this machine. The SDK's own policy would refuse even that.
        """
        url = request.http_request.url
        if not self._cloud.admits(url):
            raise ServiceError(
                f"refused to send a token to '{urlsplit(url).netloc}', which is not Azure Resource Manager of the "
                f"{self._cloud.name} cloud",
                code="ForeignHost",
                hint="the URL came from an answer: something between here and Azure is altering answers",
            )
        request.context["enforce_https"] = False


class EncodingPolicy(SansIOHTTPPolicy[Any, Any]):
    """Skips the byte order mark of some of Azure's front ends, however they spell the charset.

    azure-core skips it for ``charset=utf-8`` and without a charset, but not for ``charset=UTF-8``.
    """

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:  # noqa: ARG002
        """Set the encoding that skips the mark."""
        if (response.http_response.encoding or "").lower() == "utf-8":
            response.http_response.encoding = "utf-8-sig"


def new_session(cloud: Cloud) -> requests.Session:
    """A session whose pool is large enough for all threads; azure.core's own keeps ten connections."""
    session = requests.Session()
    session.auth = lambda request: request  # otherwise requests takes a password from ~/.netrc instead of the token
    adapter = _Direct if cloud.is_loopback else HTTPAdapter
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter(pool_maxsize=_POOL_SIZE, max_retries=0))
    return session


class _Direct(HTTPAdapter):
    """Connects to this machine without a proxy, whatever HTTP_PROXY says, because the proxy would see the token."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        return super().send(request, *args, **{**options, "proxies": {}})
