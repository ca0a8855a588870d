"""Requests without an operation in the SDKs: subscriptions, providers, permissions, a vault's region, operation status.

These few URLs are written by hand and sent through azure-mgmt-core's own client, on the same pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote

from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core import ARMPipelineClient

from asrnet.azure.answers import seconds_of
from asrnet.azure.members import Model, document, documents, part, parts, text, texts
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.sdk import Clients, answering, escaped_url, versions_sent
from asrnet.azure.translate import error_of
from asrnet.errors import ServiceError
from asrnet.model.access import CloudView, ProviderView, Rights, SubscriptionView
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import ResourceGroup

_SUBSCRIPTION_API: Final = "2022-12-01"
_PROVIDER_API: Final = "2021-04-01"
PERMISSIONS_API: Final = "2022-04-01"
GROUP_API: Final = "2021-04-01"
VAULT_API: Final = "2024-04-01"
_FIRST_ERROR: Final = 300


class ResourceManager:
    """Implements Surroundings, and single GETs. ``authority`` issues the tokens; empty if they are made up."""

    def __init__(self, pipeline: Pipeline, clients: Clients, authority: str) -> None:
        self._cloud = pipeline.cloud
        self._clients = clients
        self._authority = authority
        self._client: ARMPipelineClient[HttpRequest, HttpResponse] = ARMPipelineClient(**pipeline.client_options())

    def get(self, url: str, resource_id: ArmId) -> HttpResponse:
        """The answer to a GET of ``url``, which is sent unchanged. An error status is raised as asrnet's error."""
        return self._send(HttpRequest("GET", escaped_url(url)), resource_id)

    def _send(self, request: HttpRequest, resource_id: ArmId) -> HttpResponse:
        with answering(resource_id):
            response: HttpResponse = self._client.send_request(request)
        if response.status_code >= _FIRST_ERROR:
            raise error_of(response, resource_id)
        return response

    def vault_location(self, vault: ArmId) -> str:
        """The region of a vault."""
        return normal_location(text(self._document(vault, VAULT_API, vault), "location"))

    def resource_group(self, group_id: ArmId) -> ResourceGroup:
        """A resource group."""
        model = self._document(group_id, GROUP_API, group_id)
        with answering(group_id):
            tags = part(model, "tags")
            location = normal_location(text(model, "location"))
            return ResourceGroup(id=group_id, location=location, tags={name: text(tags, name) for name in tags})

    def put_resource_group(self, group: ResourceGroup) -> None:
        """Create a resource group, or replace its tags."""
        body = {"location": group.location, "tags": dict(group.tags)}
        self._send(HttpRequest("PUT", self._address(group.id, GROUP_API), json=body), group.id)

    @property
    def cloud(self) -> CloudView:
        """The cloud in use."""
        return CloudView(name=self._cloud.name, endpoint=self._cloud.endpoint, authority=self._authority)

    @property
    def api_versions(self) -> Mapping[str, str]:
        """The API version that is requested for each resource type."""
        return {**versions_sent(self._clients), "Microsoft.RecoveryServices/vaults": VAULT_API}

    def subscription(self, subscription: str) -> SubscriptionView:
        """A subscription, and the time of the service's clock."""
        scope = ArmId(f"/subscriptions/{subscription}")
        response = self.get(self._address(scope, _SUBSCRIPTION_API), scope)
        with answering(scope):
            model = document(response.json())
            return SubscriptionView(
                id=text(model, "subscriptionId") or subscription,
                name=text(model, "displayName"),
                tenant=text(model, "tenantId"),
                state=text(model, "state") or "Enabled",
                managed_by=tuple(
                    tenant_id for tenant in parts(model, "managedByTenants") if (tenant_id := text(tenant, "tenantId"))
                ),
                answered_at=seconds_of(response.headers.get("Date", "")),
            )

    def regions(self, subscription: str) -> tuple[str, ...]:
        """The short names of the regions that a subscription has."""
        scope = ArmId(f"/subscriptions/{subscription}")
        names = (text(model, "name") for model in self._rows(f"{scope}/locations", _SUBSCRIPTION_API, scope))
        with answering(scope):
            return tuple(normal_location(name) for name in names if name)

    def provider(self, subscription: str, namespace: str) -> ProviderView:
        """A resource provider of a subscription."""
        scope = ArmId(f"/subscriptions/{subscription}")
        model = self._document(f"{scope}/providers/{namespace}", _PROVIDER_API, scope)
        with answering(scope):
            return ProviderView(
                namespace=namespace,
                state=text(model, "registrationState"),
                api_versions={
                    text(kind, "resourceType").lower(): texts(kind, "apiVersions")
                    for kind in parts(model, "resourceTypes")
                },
            )

    def rights(self, scope: ArmId) -> tuple[Rights, ...]:
        """The permissions that each role in force at ``scope`` gives this identity."""
        path = f"{scope}/providers/Microsoft.Authorization/permissions"
        with answering(scope):
            return tuple(
                Rights(actions=texts(model, "actions"), not_actions=texts(model, "notActions"))
                for model in self._rows(path, PERMISSIONS_API, scope)
            )

    def _document(self, path: ArmId | str, version: str, resource_id: ArmId) -> Model:
        response = self.get(self._address(path, version), resource_id)
        with answering(resource_id):
            return document(response.json())

    def _rows(self, path: str, version: str, resource_id: ArmId) -> Iterator[Model]:
        url = self._address(path, version)
        addresses: set[str] = set()
        while url:
            if url in addresses:
                raise ServiceError(f"the list of '{resource_id}' has pages that form a loop", resource_id=resource_id)
            addresses.add(url)
            response = self.get(url, resource_id)
            with answering(resource_id):
                page = document(response.json())
                models, url = documents(page.get("value", [])), text(page, "nextLink")
            yield from models

    def _address(self, path: ArmId | str, version: str) -> str:
        return f"{self._cloud.endpoint}{quote(str(path), safe='/')}?api-version={version}"
