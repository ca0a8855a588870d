"""Subscriptions and resource groups of a world."""

from __future__ import annotations

from asrnet.fake import refusals
from asrnet.fake.records import Subscription
from asrnet.fake.state import State
from asrnet.fake.vaults import forget_vault
from asrnet.model.access import Rights
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import ResourceGroup
from asrnet.model.regions import region_names


class Subscriptions:
    """Subscriptions, their resource groups and their registered resource providers."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self) -> tuple[Subscription, ...]:
        """All subscriptions of the credential's tenant, and those delegated to it."""
        with self._state.lock:
            tenant, subscriptions = self._state.tenant, self._state.subscriptions.values()
            return tuple(
                subscription
                for subscription in subscriptions
                if tenant in {subscription.tenant, *subscription.managed_by}
            )

    def get(self, subscription: str) -> Subscription:
        """A subscription by its GUID. Raises NotFoundError (SubscriptionNotFound) and CrossTenantError."""
        with self._state.request("GET", f"/subscriptions/{subscription}"):
            return self._state.subscriptions[subscription.lower()]

    def register(self, subscription: str, namespace: str) -> None:
        """Register a resource provider. Requests are then no longer refused by ``Behaviour.unregistered``."""
        with self._state.lock:
            self._state.registered.add((subscription.lower(), namespace.lower()))

    def is_registered(self, subscription: str, namespace: str) -> bool:
        """Whether a subscription may use a resource provider."""
        with self._state.lock:
            waits = subscription.lower() in {entry.lower() for entry in self._state.behaviour.unregistered}
            return not waits or (subscription.lower(), namespace.lower()) in self._state.registered

    def rights(self, scope: ArmId) -> tuple[Rights, ...]:
        """The permissions of the identity at ``scope``: everything except what the world denies."""
        with self._state.request("GET", f"{scope}/providers/Microsoft.Authorization/permissions"):
            return (Rights(actions=("*",), not_actions=self._state.behaviour.denied),)

    def locations(self, subscription: str) -> tuple[str, ...]:
        """The regions of Azure, by display name."""
        with self._state.request("GET", f"/subscriptions/{subscription}/locations"):
            return region_names()

    def resource_groups(self, subscription: str) -> tuple[ResourceGroup, ...]:
        """The resource groups of a subscription."""
        with self._state.request("GET", f"/subscriptions/{subscription}/resourceGroups"):
            return self._state.listed(self._state.groups.values(subscription.lower()))

    def resource_group(self, group_id: ArmId) -> ResourceGroup:
        """A resource group. Raises ResourceGroupNotFoundError."""
        with self._state.request("GET", group_id):
            return self._group(group_id)

    def put_resource_group(self, group: ResourceGroup) -> bool:
        """Create or replace a resource group at once. Returns True if it is new."""
        with self._state.request("PUT", group.id):
            current = self._state.groups.get(group.id.subscription, group.id.key)
            if current is not None and normal_location(current.location) != normal_location(group.location):
                raise refusals.group_in_other_location(group.id, current.location, group.location)
            self._state.groups.put(group.id.subscription, group.id.key, group)
            return current is None

    def delete_resource_group(self, group_id: ArmId) -> None:
        """Delete a resource group and the networks, machines and vaults in it at once.

        It is refused while a vault in it is in use, like the deletion of the vault itself.
        """
        with self._state.request("DELETE", group_id):
            self._group(group_id)
            scope, inside = group_id.subscription, f"{group_id.key}/"
            vaults = [vault for vault in self._state.vaults.values(scope) if vault.id.key.startswith(inside)]
            for vault in vaults:
                if self._state.fabrics.values(vault.id.key):
                    identifier = f"Microsoft.RecoveryServices/vaults/{vault.id.name}"
                    raise self._state.assumed("group_in_use", group_id.name, identifier, resource_id=group_id)
            for vault in vaults:
                forget_vault(self._state, vault.id)
            for store in (self._state.virtual_networks, self._state.virtual_machines):
                for resource in store.values(scope):
                    if resource.id.key.startswith(inside):
                        store.remove(scope, resource.id.key)
            self._state.groups.remove(scope, group_id.key)

    def _group(self, group_id: ArmId) -> ResourceGroup:
        group = self._state.groups.get(group_id.subscription, group_id.key)
        if group is None:
            raise refusals.resource_group_not_found(group_id)
        return group
