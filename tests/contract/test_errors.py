"""Errors on every backend: the class, the code, and the resource that is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from doors import TwoRegions
from msgspec import structs

from asrnet.errors import ConflictError, CrossTenantError, ForbiddenError, NotFoundError, ServiceError
from asrnet.fake.behaviour import Answer, Lock
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.faults import Fault
from asrnet.model.azure import NetworkMapping
from asrnet.ports import Backend

ELSEWHERE = "33333333-3333-3333-3333-333333333333"
MAPPING_TYPE = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings"


def test_an_unknown_subscription_is_not_found(azure: Builder, backend: Backend) -> None:
    azure.resource_group("rg")
    with pytest.raises(NotFoundError) as caught:
        list(backend.networks.virtual_networks(ELSEWHERE))
    assert (caught.value.status, caught.value.code) == (404, "SubscriptionNotFound")
    assert caught.value.hint


def test_a_subscription_of_another_tenant_has_its_own_error(azure: Builder, backend: Backend) -> None:
    azure.subscription(ELSEWHERE, tenant="99999999-9999-9999-9999-999999999999")
    with pytest.raises(CrossTenantError) as caught:
        list(backend.networks.virtual_networks(ELSEWHERE))
    assert (caught.value.status, caught.value.code) == (401, "InvalidAuthenticationTokenTenant")
    assert caught.value.hint


def test_a_missing_right_names_the_action(
    backend: Backend, wanted: NetworkMapping, behave: Callable[..., None]
) -> None:
    behave(denied=(f"{MAPPING_TYPE}/write",))
    with pytest.raises(ForbiddenError) as caught:
        backend.mapping_writer.create_mapping(wanted)
    assert (caught.value.status, caught.value.code) == (403, "AuthorizationFailed")
    assert caught.value.action == f"{MAPPING_TYPE}/write"
    assert f"{MAPPING_TYPE}/write" in caught.value.hint


def test_a_read_denied_everywhere_stays_denied(
    backend: Backend, regions: TwoRegions, behave: Callable[..., None]
) -> None:
    behave(denied=("*/replicationNetworkMappings/read",))
    with pytest.raises(ForbiddenError):
        list(backend.mappings.mappings(regions.vault.id))


def test_a_lock_is_a_conflict_that_names_the_lock(
    azure: Builder, backend: Backend, regions: TwoRegions, behave: Callable[..., None]
) -> None:
    forward, _ = azure.pair(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.sea)
    behave(locks=(Lock(scope=str(regions.vault.id)),))
    with pytest.raises(ConflictError) as caught:
        backend.mapping_writer.delete_mapping(forward.id)
    assert (caught.value.status, caught.value.code) == (409, "ScopeLocked")
    assert regions.vault.id.name in caught.value.message
    assert str(regions.vault.id) in caught.value.hint


def test_a_delete_lock_does_not_hinder_a_create(
    backend: Backend, regions: TwoRegions, wanted: NetworkMapping, behave: Callable[..., None]
) -> None:
    behave(locks=(Lock(scope=str(regions.vault.id)),))
    assert backend.mapping_writer.create_mapping(wanted) is not None


def test_a_read_only_lock_hinders_a_create(
    backend: Backend, wanted: NetworkMapping, behave: Callable[..., None]
) -> None:
    behave(locks=(Lock(scope=f"/subscriptions/{SUBSCRIPTION}", level="ReadOnly"),))
    with pytest.raises(ConflictError) as caught:
        backend.mapping_writer.create_mapping(wanted)
    assert caught.value.code == "ScopeLocked"


def test_a_policy_that_denies_is_named(azure: Builder, backend: Backend, wanted: NetworkMapping) -> None:
    azure.world.faults.add(Fault(effect="policy_denied"))
    with pytest.raises(ServiceError) as caught:
        backend.mapping_writer.create_mapping(wanted)
    assert (caught.value.status, caught.value.code) == (403, "RequestDisallowedByPolicy")
    assert caught.value.hint


def test_an_unregistered_provider_is_reported_and_not_registered(
    azure: Builder, backend: Backend, behave: Callable[..., None]
) -> None:
    azure.resource_group("rg")
    behave(unregistered=(SUBSCRIPTION,))
    with pytest.raises(ConflictError) as caught:
        list(backend.networks.virtual_networks(SUBSCRIPTION))
    assert (caught.value.status, caught.value.code) == (409, "MissingSubscriptionRegistration")
    assert caught.value.hint
    assert set(azure.world.journal.methods()) == {"GET"}


def test_a_second_mapping_of_a_network_to_the_same_region_is_a_conflict(
    azure: Builder, backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    azure.mapping(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.other_sea, name="first")
    with pytest.raises(ConflictError) as caught:
        backend.mapping_writer.create_mapping(wanted)
    assert caught.value.status == 409
    assert "first" in caught.value.message


def test_a_world_can_answer_an_assumed_refusal_its_own_way(
    azure: Builder, backend: Backend, regions: TwoRegions, wanted: NetworkMapping, behave: Callable[..., None]
) -> None:
    azure.mapping(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.other_sea, name="first")
    behave(answers={"duplicate_mapping": Answer(status=400, code="539", message="Already mapped by {0}.")})
    with pytest.raises(ServiceError) as caught:
        backend.mapping_writer.create_mapping(wanted)
    assert (caught.value.status, caught.value.code, caught.value.message) == (400, "539", "Already mapped by first.")


@pytest.mark.parametrize("side", ["primary_network_id", "recovery_network_id"])
def test_a_mapping_of_a_missing_network_is_refused(backend: Backend, wanted: NetworkMapping, side: str) -> None:
    missing = getattr(wanted, side).parent.child("providers", "Microsoft.Network", "virtualNetworks", "gone")
    with pytest.raises(ServiceError) as caught:
        backend.mapping_writer.create_mapping(structs.replace(wanted, **{side: missing}))
    assert "gone" in caught.value.message


def test_a_mapping_to_a_network_of_another_region_than_the_fabrics_is_refused(
    azure: Builder, backend: Backend, wanted: NetworkMapping
) -> None:
    far = azure.virtual_network("far", "westeurope")
    with pytest.raises(ServiceError) as caught:
        backend.mapping_writer.create_mapping(structs.replace(wanted, recovery_network_id=far.id))
    assert "westeurope" in caught.value.message


def test_a_mapping_to_an_unknown_recovery_fabric_is_refused(
    backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    nowhere = regions.vault.id.child("replicationFabrics", "nowhere")
    with pytest.raises(NotFoundError) as caught:
        backend.mapping_writer.create_mapping(structs.replace(wanted, recovery_fabric_id=nowhere))
    assert "nowhere" in caught.value.message


def test_a_second_fabric_for_a_region_is_a_conflict(backend: Backend, regions: TwoRegions) -> None:
    second = structs.replace(regions.fabric_ea, id=regions.vault.id.child("replicationFabrics", "second"))
    with pytest.raises(ConflictError) as caught:
        backend.mapping_writer.create_fabric(second)
    assert regions.fabric_ea.name in caught.value.message


def test_a_mapping_that_somebody_just_changed_is_read_as_changed(
    azure: Builder, backend: Backend, regions: TwoRegions
) -> None:
    forward, _ = azure.pair(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.sea)
    change = Fault(effect="changed_before", method="GET", recovery_network_id=regions.other_sea.id)
    azure.world.faults.add(structs.replace(change, kind="replicationnetworkmappings"))
    seen = backend.mappings.mapping(forward.id)
    assert seen is not None
    assert seen.recovery_network_id == regions.other_sea.id


def test_a_refusal_by_script_hits_the_requests_it_names_and_no_others(
    azure: Builder, backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    forward, _ = azure.pair(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.sea)
    refusal = Fault(effect="refused", method="DELETE", status=409, code="539", message="Not now.", times=2, after=1)
    azure.world.faults.add(refusal)
    assert backend.mapping_writer.delete_mapping(forward.id) is not None
    for _ in range(2):
        with pytest.raises(ConflictError) as caught:
            backend.mapping_writer.delete_mapping(forward.id)
        assert (caught.value.code, caught.value.message) == ("539", "Not now.")
    assert backend.mapping_writer.delete_mapping(forward.id) is None
    assert backend.mapping_writer.create_mapping(wanted) is not None
