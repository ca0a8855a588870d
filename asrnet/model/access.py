"""What a run depends on besides networks and vaults: the cloud, subscriptions, providers, rights. All of it is read."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from msgspec import Struct


class CloudView(Struct, frozen=True, kw_only=True):
    """Which Azure requests go to, and where the token comes from: empty in a fake, the latter on an emulator, too."""

    name: str
    endpoint: str = ""
    authority: str = ""


class SubscriptionView(Struct, frozen=True, kw_only=True):
    """A subscription. ``said_at`` is the service's clock (seconds since 1970) when it answered, if it said.

    ``managed_by`` are the tenants that the subscription, or something in it, is delegated to (Azure Lighthouse).
    """

    id: str
    name: str
    tenant: str
    state: str = "Enabled"
    managed_by: tuple[str, ...] = ()
    said_at: float | None = None


class ProviderView(Struct, frozen=True, kw_only=True):
    """A resource provider of a subscription, with the API versions of each resource type, types in lower case."""

    namespace: str
    state: str
    api_versions: Mapping[str, tuple[str, ...]] = {}


class Rights(Struct, frozen=True, kw_only=True):
    """What one role allows: ``actions`` but for ``not_actions``. Both are globs without case."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allow(self, action: str) -> bool:
        """Whether the role allows ``action``."""
        return _any(self.actions, action) and not _any(self.not_actions, action)


def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
