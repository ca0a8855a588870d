"""Tokens go to Azure Resource Manager, or to an emulator on this machine, and nowhere else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import TokenCredential
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, SansIOHTTPPolicy

from asrnet.azure.clouds import Cloud
from asrnet.errors import ServiceError


class TokenGuardPolicy(SansIOHTTPPolicy[Any, Any]):
    """Refuses to send a request, and with it the token, to a host that is not the cloud's.

    Addresses of further pages and of operations come from answers, so they are checked like all others.
    """

    def __init__(self, cloud: Cloud) -> None:
        super().__init__()
        self._cloud = cloud

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Raise ServiceError where the address is not one for a token."""
        url = request.http_request.url
        if not self._cloud.admits(url):
            raise ServiceError(
                f"refused to send a token to '{urlsplit(url).netloc}', which is not Azure Resource Manager of the "
                f"{self._cloud.name} cloud",
                code="ForeignHost",
                hint="the address came from an answer: something between here and Azure changes answers",
            )


class LoopbackTokenPolicy(SansIOHTTPPolicy[Any, Any]):
    """The bearer token over plain http, which the SDK's own policy refuses. Only for an emulator on this machine."""

    def __init__(self, credential: TokenCredential, scope: str) -> None:
        super().__init__()
        self._credential = credential
        self._scope = scope

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Add the token."""
        token = self._credential.get_token(self._scope).token
        request.http_request.headers["Authorization"] = f"Bearer {token}"


def authentication(cloud: Cloud, credential: TokenCredential) -> Any:
    """The policy that adds the token for ``cloud``."""
    if cloud.endpoint.startswith("http://"):
        return LoopbackTokenPolicy(credential, cloud.scope)
    return BearerTokenCredentialPolicy(credential, cloud.scope)
