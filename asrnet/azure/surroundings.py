"""Subscriptions, providers and rights, read from Azure Resource Manager."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from azure.mgmt.core import ARMPipelineClient

from asrnet.azure import networks, site_recovery
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.reading import Sender, address, decoded, get, rows
from asrnet.azure.wire import Wire
from asrnet.model import bodies
from asrnet.model.access import CloudView, ProviderView, Rights, SubscriptionView
from asrnet.model.arm import ArmId, normal_location

_SUBSCRIPTION_API = "2022-12-01"
_PROVIDER_API = "2021-04-01"
_PERMISSIONS_API = "2022-04-01"


class WireTenant(Wire, frozen=True):
    """A tenant that manages a subscription of another one."""

    tenant_id: str | None = None


class WireSubscription(Wire, frozen=True):
    """A subscription."""

    subscription_id: str | None = None
    tenant_id: str | None = None
    display_name: str | None = None
    state: str | None = None
    managed_by_tenants: tuple[WireTenant, ...] | None = None


class WireLocation(Wire, frozen=True):
    """A region."""

    name: str | None = None


class WireType(Wire, frozen=True):
    """A resource type of a provider."""

    resource_type: str | None = None
    api_versions: tuple[str, ...] | None = None


class WireProvider(Wire, frozen=True):
    """A resource provider."""

    registration_state: str | None = None
    resource_types: tuple[WireType, ...] | None = None


class WirePermission(Wire, frozen=True):
    """What one role allows."""

    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None


class AzureSurroundings:
    """Surroundings on the pipeline. ``authority`` is where the token comes from, if it comes from anywhere."""

    def __init__(self, pipeline: Pipeline, authority: str) -> None:
        self._cloud = pipeline.cloud
        self._authority = authority
        self._sender: Sender = ARMPipelineClient(**pipeline.client_options())

    @property
    def cloud(self) -> CloudView:
        """The cloud in use."""
        return CloudView(name=self._cloud.name, endpoint=self._cloud.endpoint, authority=self._authority)

    @property
    def api_versions(self) -> Mapping[str, str]:
        """The API version that is used for each resource type."""
        return {
            "Microsoft.Network/virtualNetworks": networks.API_VERSION,
            "Microsoft.RecoveryServices/vaults": site_recovery.VAULT_API_VERSION,
            "Microsoft.RecoveryServices/vaults/replicationFabrics": bodies.API_VERSION,
        }

    def subscription(self, subscription: str) -> SubscriptionView:
        """A subscription, and what time it is there."""
        scope = ArmId(f"/subscriptions/{subscription}")
        response = get(self._sender, self._address(scope, _SUBSCRIPTION_API), scope)
        found: WireSubscription = decoded(response, WireSubscription, scope)
        return SubscriptionView(
            id=found.subscription_id or subscription,
            name=found.display_name or "",
            tenant=found.tenant_id or "",
            state=found.state or "Enabled",
            managed_by=tuple(tenant.tenant_id for tenant in found.managed_by_tenants or () if tenant.tenant_id),
            said_at=_seconds(response.headers.get("Date", "")),
        )

    def regions(self, subscription: str) -> tuple[str, ...]:
        """The short names of the regions that a subscription has."""
        scope = ArmId(f"/subscriptions/{subscription}")
        url = self._address(f"{scope}/locations", _SUBSCRIPTION_API)
        found = rows(self._sender, url, WireLocation, scope)
        return tuple(normal_location(location.name) for location in found if location.name)

    def provider(self, subscription: str, namespace: str) -> ProviderView:
        """A resource provider of a subscription."""
        scope = ArmId(f"/subscriptions/{subscription}")
        response = get(self._sender, self._address(f"{scope}/providers/{namespace}", _PROVIDER_API), scope)
        found: WireProvider = decoded(response, WireProvider, scope)
        return ProviderView(
            namespace=namespace,
            state=found.registration_state or "",
            api_versions={
                (kind.resource_type or "").lower(): kind.api_versions or () for kind in found.resource_types or ()
            },
        )

    def rights(self, scope: ArmId) -> tuple[Rights, ...]:
        """What each role that counts at ``scope`` allows this identity."""
        url = self._address(f"{scope}/providers/Microsoft.Authorization/permissions", _PERMISSIONS_API)
        return tuple(
            Rights(actions=found.actions or (), not_actions=found.not_actions or ())
            for found in rows(self._sender, url, WirePermission, scope)
        )

    def _address(self, path: ArmId | str, version: str) -> str:
        return address(self._cloud.endpoint, path, version)


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
