"""Raw requests and responses on the pipeline, for tools that need the service's own answers.

Everything else in asrnet uses operations of the SDKs, which hide the form of an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core import ARMPipelineClient
from msgspec import Struct

from asrnet.azure.answers import json_document
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.resource_manager import GROUP_API, PERMISSIONS_API, VAULT_API
from asrnet.azure.sdk import Clients, escaped_url, versions_sent
from asrnet.azure.translate import translated
from asrnet.ports import Clock


class Answer(Struct, frozen=True, kw_only=True):
    """An answer with any status. Header names are in lower case; ``document`` is None without JSON."""

    status: int
    headers: Mapping[str, str]
    document: Any = None
    is_empty: bool = False


class Wire:
    """Sends requests with the token, the retries and the gates of the pipeline. No status raises an error."""

    def __init__(self, pipeline: Pipeline, clients: Clients) -> None:
        self._pipeline = pipeline
        self._client: ARMPipelineClient[HttpRequest, HttpResponse] = ARMPipelineClient(**pipeline.client_options())
        versions = versions_sent(clients)
        # By a part of the path; the first match decides.
        self._versions: Final[Mapping[str, str]] = {
            "/providers/microsoft.authorization/": PERMISSIONS_API,
            "/providers/microsoft.network/": versions["Microsoft.Network/virtualNetworks"],
            "/replication": versions["Microsoft.RecoveryServices/vaults/replicationFabrics"],
            "/providers/microsoft.recoveryservices/": VAULT_API,
            "/resourcegroups/": GROUP_API,
        }

    @property
    def clock(self) -> Clock:
        """The clock by which the pipeline waits."""
        return self._pipeline.clock

    @property
    def cloud(self) -> str:
        """The name of the cloud."""
        return self._pipeline.cloud.name

    def version(self, path: str) -> str:
        """The API version with which a path is requested."""
        return next(version for part, version in self._versions.items() if part in path.lower())

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request. A URL from an answer (``https://…``) is requested unchanged.

        Raises UnreachableError and CredentialError if there is no answer.
        """
        url = path
        if path.startswith("/"):
            options = urlencode({"api-version": self.version(path), **(query or {})}, quote_via=quote)
            url = f"{self._pipeline.cloud.endpoint}{quote(path, safe='/')}?{options}"
        request = HttpRequest(
            method,
            escaped_url(url),
            headers=dict(headers or {}),
            json=body,  # None sends no body
        )
        with translated():
            response: HttpResponse = self._client.send_request(request)
            content = response.read()
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            document=json_document(content),
            is_empty=not content,
        )

    def close(self) -> None:
        """Close the connections."""
        self._pipeline.close()
