"""What a run depends on besides networks and vaults: the cloud, subscriptions, providers and rights, all read-only."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from msgspec import Struct


class CloudView(Struct, frozen=True, kw_only=True):
    """The cloud: the endpoint of requests (empty in a fake) and the authority of tokens (also empty on an emulator)."""

    name: str
    endpoint: str = ""
    authority: str = ""


class SubscriptionView(Struct, frozen=True, kw_only=True):
    """A subscription. ``answered_at`` is the time of the service's answer in seconds since 1970, if the answer had one.

    ``managed_by`` are the tenants that the subscription, or a part of it, is delegated to (Azure Lighthouse).
    """

    id: str
    name: str
    tenant: str
    state: str = "Enabled"
    managed_by: tuple[str, ...] = ()
    answered_at: float | None = None


class ProviderView(Struct, frozen=True, kw_only=True):
    """A resource provider of a subscription, with the API versions of each resource type, types in lower case."""

    namespace: str
    state: str
    api_versions: Mapping[str, tuple[str, ...]] = {}


class Rights(Struct, frozen=True, kw_only=True):
    """The rights of one role: ``actions`` except ``not_actions``. Both are globs that ignore case."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allow(self, action: str) -> bool:
        """Whether the role allows ``action``."""
        return _any(self.actions, action) and not _any(self.not_actions, action)


def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
