"""Subscriptions, providers and rights, as every backend reads them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from doors import TwoRegions

from asrnet.errors import CrossTenantError, ForbiddenError, NotFoundError
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.records import Subscription
from asrnet.ports import Backend


def test_a_subscription_has_its_name_its_tenant_and_the_services_time(azure: Builder, backend: Backend) -> None:
    found = backend.surroundings.subscription(SUBSCRIPTION)
    assert (found.id, found.tenant, found.state) == (SUBSCRIPTION, azure.world.tenant, "Enabled")
    assert found.answered_at == pytest.approx(azure.world.clock.now(), abs=1.0)
    assert backend.tenant() == azure.world.tenant


def test_a_subscription_that_does_not_exist_is_not_found(backend: Backend) -> None:
    with pytest.raises(NotFoundError):
        backend.surroundings.subscription("99999999-9999-9999-9999-999999999999")


def test_a_subscription_of_another_tenant_is_reported_as_such(azure: Builder, backend: Backend) -> None:
    other = Subscription(id=SUBSCRIPTION, name="x", tenant="44444444-4444-4444-4444-444444444444")
    azure.world.state.subscriptions[SUBSCRIPTION] = other
    with pytest.raises(CrossTenantError):
        backend.surroundings.subscription(SUBSCRIPTION)


def test_a_subscription_delegated_to_this_tenant_answers_with_both_tenants(azure: Builder, backend: Backend) -> None:
    home, mine = "44444444-4444-4444-4444-444444444444", azure.world.tenant
    azure.world.state.subscriptions[SUBSCRIPTION] = Subscription(
        id=SUBSCRIPTION, name="x", tenant=home, managed_by=(mine,)
    )
    view = backend.surroundings.subscription(SUBSCRIPTION)
    assert (view.tenant, view.managed_by) == (home, (mine,))


def test_a_subscription_has_regions_by_their_short_names(backend: Backend) -> None:
    found = backend.surroundings.regions(SUBSCRIPTION)
    assert {"eastasia", "eastus2"} < set(found)
    assert not [name for name in found if name != name.lower() or " " in name]


def test_reading_regions_without_permission_is_forbidden(backend: Backend, behave: Callable[..., None]) -> None:
    behave(denied=("Microsoft.Resources/subscriptions/locations/read",))
    with pytest.raises(ForbiddenError):
        backend.surroundings.regions(SUBSCRIPTION)


@pytest.mark.parametrize("namespace", ["Microsoft.Network", "Microsoft.RecoveryServices"])
def test_a_provider_says_whether_it_is_registered(
    backend: Backend, behave: Callable[..., None], namespace: str
) -> None:
    assert backend.surroundings.provider(SUBSCRIPTION, namespace).state == "Registered"
    behave(unregistered=(SUBSCRIPTION,))
    assert backend.surroundings.provider(SUBSCRIPTION, namespace).state == "NotRegistered"


def test_the_api_versions_in_use_are_available(backend: Backend) -> None:
    for kind, version in backend.surroundings.api_versions.items():
        namespace, _, name = kind.partition("/")
        assert version in backend.surroundings.provider(SUBSCRIPTION, namespace).api_versions[name.lower()]


def test_rights_at_a_vault_are_all_but_the_denied_ones(
    backend: Backend, behave: Callable[..., None], regions: TwoRegions
) -> None:
    behave(denied=("*/delete",))
    (rights,) = backend.surroundings.rights(regions.vault.id)
    assert rights.allow("Microsoft.RecoveryServices/vaults/replicationFabrics/write")
    assert not rights.allow("Microsoft.RecoveryServices/vaults/replicationFabrics/DELETE")


def test_reading_rights_without_permission_is_forbidden(
    backend: Backend, behave: Callable[..., None], regions: TwoRegions
) -> None:
    behave(denied=("Microsoft.Authorization/permissions/read",))
    with pytest.raises(ForbiddenError) as caught:
        backend.surroundings.rights(regions.ea.id)
    assert caught.value.action == "Microsoft.Authorization/permissions/read"


@pytest.mark.usefixtures("own_world")
def test_reading_subscriptions_and_providers_writes_nothing(backend: Backend, regions: TwoRegions) -> None:
    before = backend.surroundings.cloud
    backend.surroundings.rights(regions.vault.id.parent)
    backend.surroundings.subscription(SUBSCRIPTION)
    assert backend.requests().keys() <= {"GET", "retries"}
    assert before.name
