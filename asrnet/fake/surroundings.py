"""What a run on a world needs besides networks and vaults."""

from __future__ import annotations

from collections.abc import Mapping

from asrnet.fake.world import World
from asrnet.model.access import CloudView, ProviderView, Rights, SubscriptionView
from asrnet.model.arm import ArmId, normal_location


class FakeSurroundings:
    """Implements Surroundings on a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def cloud(self) -> CloudView:
        """The name of the cloud. A world is in none of Azure's clouds."""
        return CloudView(name="fake")

    @property
    def api_versions(self) -> Mapping[str, str]:
        """Empty, because there is no wire."""
        return {}

    def subscription(self, subscription: str) -> SubscriptionView:
        """One subscription of the world."""
        self._world.count("GET", f"/subscriptions/{subscription}")
        record = self._world.subscriptions.get(subscription)
        return SubscriptionView(
            id=record.id,
            name=record.name,
            tenant=record.tenant,
            managed_by=record.managed_by,
            answered_at=self._world.clock.now(),
        )

    def regions(self, subscription: str) -> tuple[str, ...]:
        """All known regions."""
        self._world.count("GET", f"/subscriptions/{subscription}/locations")
        return tuple(normal_location(name) for name in self._world.subscriptions.locations(subscription))

    def provider(self, subscription: str, namespace: str) -> ProviderView:
        """A resource provider, which is registered unless the world says otherwise."""
        self._world.count("GET", f"/subscriptions/{subscription}/providers/{namespace}")
        registered = self._world.subscriptions.is_registered(subscription, namespace)
        return ProviderView(namespace=namespace, state="Registered" if registered else "NotRegistered")

    def rights(self, scope: ArmId) -> tuple[Rights, ...]:
        """The permissions: everything except what the world denies."""
        self._world.count("GET", f"{scope}/providers/Microsoft.Authorization/permissions")
        return self._world.subscriptions.rights(scope)
