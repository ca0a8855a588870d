"""Vaults, fabrics and what is below them, beyond what the contract suite covers."""

from __future__ import annotations

import pytest
from msgspec import structs

from asrnet.errors import ConflictError, NotFoundError, ServiceError, VaultUnusedError
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.records import ReplicationPolicy, VaultResource
from asrnet.model.azure import CloudMapping, Fabric

VAULTS = ("providers", "Microsoft.RecoveryServices", "vaults")


@pytest.fixture
def azure() -> Builder:
    return Builder()


@pytest.fixture
def vault(azure: Builder) -> VaultResource:
    return azure.vault()


@pytest.fixture
def fabric(azure: Builder, vault: VaultResource) -> Fabric:
    return azure.azure_fabric(vault, "eastasia")


def test_a_vault_is_created_listed_and_deleted(azure: Builder) -> None:
    azure.resource_group("rg")
    vault = VaultResource(
        id=azure.resource_group("rg").id.child("providers", "Microsoft.RecoveryServices", "vaults", "v"),
        location="eastasia",
    )
    started = azure.world.vaults.put(vault)
    assert started.created
    assert azure.world.vaults.list(SUBSCRIPTION) == (vault,)
    assert azure.world.vaults.list(SUBSCRIPTION, "RG") == (vault,)
    assert azure.world.vaults.delete(vault.id) is not None
    assert azure.world.vaults.delete(vault.id) is None
    assert azure.world.vaults.list(SUBSCRIPTION) == ()


def test_replacing_a_used_vault_does_not_make_it_fresh(azure: Builder, vault: VaultResource, fabric: Fabric) -> None:
    azure.world.vaults.put(structs.replace(vault, tags={"a": "b"}))
    assert azure.world.vaults.get(vault.id).used
    assert azure.world.fabrics.list(vault.id) == (fabric,)


def test_deleting_a_vault_deletes_its_policies(azure: Builder, vault: VaultResource) -> None:
    azure.add(ReplicationPolicy(id=vault.id.child("replicationPolicies", "daily")))
    azure.world.vaults.delete(vault.id)
    azure.world.vaults.put(structs.replace(vault, used=True))
    assert azure.world.policies.list(vault.id) == ()


def test_a_vault_with_fabrics_cannot_be_deleted(azure: Builder, vault: VaultResource, fabric: Fabric) -> None:
    with pytest.raises(ServiceError, match=fabric.friendly_name) as caught:
        azure.world.vaults.delete(vault.id)
    assert (caught.value.status, caught.value.code) == (400, "ServiceResourceNotEmptyWithContainerDetails")
    azure.world.fabrics.purge(fabric.id)
    assert azure.world.vaults.delete(vault.id) is not None


def test_a_fabric_is_named_after_the_display_name_of_its_region(azure: Builder, vault: VaultResource) -> None:
    fabric_id = vault.id.child("replicationFabrics", "f")
    azure.world.fabrics.put(fabric_id, "East US 2")
    made = azure.world.fabrics.get(fabric_id)
    assert (made.location, made.friendly_name) == ("eastus2", "East US 2")


def test_the_fabric_created_last_is_listed_first_and_those_of_a_seed_in_their_order(
    azure: Builder, vault: VaultResource
) -> None:
    for place in ("westus", "centralus"):
        azure.azure_fabric(vault, place)
    for place in ("eastus", "eastus2", "eastus"):
        azure.world.fabrics.put(vault.id.child("replicationFabrics", f"f-{place}"), place)
    places = [fabric.location for fabric in azure.world.fabrics.list(vault.id)]
    assert places == ["eastus2", "eastus", "westus", "centralus"]


def test_seeded_resources_are_older_than_any_lag_of_lists() -> None:
    azure = Builder(behaviour=Behaviour(list_lag=60))
    vault = azure.vault()
    fabric = azure.azure_fabric(vault, "eastus")
    created = vault.id.child("replicationFabrics", "f")
    azure.world.fabrics.put(created, "westus")
    assert azure.world.fabrics.list(vault.id) == (fabric,)
    azure.world.clock.sleep(60)
    assert [listed.id for listed in azure.world.fabrics.list(vault.id)] == [created, fabric.id]


def test_a_lagging_list_has_nothing_of_another_vault() -> None:
    azure = Builder(behaviour=Behaviour(list_lag=60))
    vault, other = azure.vault(), azure.vault("vault-other")
    fabric, removed = azure.azure_fabric(vault, "eastus"), azure.azure_fabric(other, "westus")
    azure.world.fabrics.remove(removed.id)
    assert azure.world.fabrics.list(vault.id) == (fabric,)
    assert azure.world.fabrics.list(other.id) == (removed,)


def test_a_fabric_in_a_missing_vault_is_refused(azure: Builder, vault: VaultResource) -> None:
    with pytest.raises(NotFoundError) as caught:
        azure.world.fabrics.put(vault.id.parent.child(*VAULTS, "gone", "replicationFabrics", "f"), "eastus")
    assert caught.value.code == "ResourceNotFound"


def test_a_container_of_a_missing_fabric_is_refused(azure: Builder, fabric: Fabric) -> None:
    gone = fabric.id.parent.child("replicationFabrics", "gone", "replicationProtectionContainers", "c")
    with pytest.raises(NotFoundError) as caught:
        azure.world.containers.get(gone)
    assert caught.value.code == "FabricArmEntityMissing"


def test_a_new_vault_comes_into_use_when_its_first_fabric_exists() -> None:
    azure = Builder(behaviour=Behaviour(fabric_operations="time:70", unused_vault="reject_400"))
    vault = azure.vault()
    azure.world.fabrics.put(vault.id.child("replicationFabrics", "f"), "eastus")
    with pytest.raises(VaultUnusedError):
        azure.world.fabrics.list(vault.id)
    azure.world.clock.sleep(70)
    assert len(azure.world.fabrics.list(vault.id)) == 1


def test_two_fabrics_for_one_region_started_together_become_one() -> None:
    azure = Builder(behaviour=Behaviour(operations="time:3"))
    vault = azure.vault()
    for name in ("first", "second"):
        azure.world.fabrics.put(vault.id.child("replicationFabrics", name), "eastus")
    azure.world.clock.sleep(3)
    assert [fabric.name for fabric in azure.world.fabrics.list(vault.id)] == ["first"]
    assert [job.state for job in azure.world.jobs.list(vault.id)] == ["Failed", "Succeeded"]


def test_removing_a_fabric_that_protects_machines_is_refused_and_purging_is_not(
    azure: Builder, vault: VaultResource, fabric: Fabric
) -> None:
    azure.protected_item("vm", fabric, fabric)
    with pytest.raises(ConflictError):
        azure.world.fabrics.remove(fabric.id)
    azure.world.fabrics.purge(fabric.id)
    assert azure.world.protected_items.list(vault.id) == ()


def test_a_fabric_can_be_made_again_right_after_it_was_removed(
    azure: Builder, vault: VaultResource, fabric: Fabric
) -> None:
    azure.world.fabrics.remove(fabric.id)
    azure.world.fabrics.put(fabric.id, "eastasia")
    assert azure.world.fabrics.list(vault.id) == (fabric,)


def test_containers_of_a_fabric_are_created_listed_and_removed(
    azure: Builder, vault: VaultResource, fabric: Fabric
) -> None:
    container_id = fabric.id.child("replicationProtectionContainers", "c")
    containers = azure.world.containers
    containers.put(container_id)
    assert [record.cloud.friendly_name for record in containers.list(fabric.id)] == ["c"]
    assert containers.list_vault(vault.id) == containers.list(fabric.id)
    assert containers.get(container_id).cloud.id == container_id
    containers.remove(container_id)
    with pytest.raises(NotFoundError):
        containers.get(container_id)


def test_container_mappings_are_created_listed_and_removed(
    azure: Builder, vault: VaultResource, fabric: Fabric
) -> None:
    first, second = azure.container(fabric), azure.cloud(fabric, "second")
    mappings = azure.world.container_mappings
    wanted = CloudMapping(
        id=first.id.child("replicationProtectionContainerMappings", "m"),
        primary_cloud_id=first.id,
        recovery_cloud_id=second.id,
        recovery_cloud_name="second",
    )
    mappings.put(wanted)
    assert mappings.list(vault.id) == (wanted,) == mappings.list_container(first.id)
    assert mappings.list_container(second.id) == ()
    assert mappings.get(wanted.id) == wanted
    mappings.remove(wanted.id)
    with pytest.raises(NotFoundError):
        mappings.get(wanted.id)


def test_vm_and_logical_networks_are_read_one_by_one_and_vault_wide(azure: Builder, vault: VaultResource) -> None:
    server = azure.vmm_fabric(vault, "VMM-Beijing")
    network = azure.vm_network(server, "VMNetwork1", logical_network="Logical1")
    logical = azure.logical_network(server, "Logical1")
    record = azure.world.networks.get(network.id)
    assert (record.network, record.logical_network) == (network, "Logical1")
    assert azure.world.networks.list_vault(vault.id) == (record,)
    assert azure.world.logical_networks.get(logical.id) == logical
    for get, kind in (
        (azure.world.networks.get, "replicationNetworks"),
        (azure.world.logical_networks.get, "replicationLogicalNetworks"),
    ):
        with pytest.raises(NotFoundError) as caught:
            get(server.id.child(kind, "gone"))
        assert caught.value.code == "ArmResourceDoesNotExist"
        with pytest.raises(NotFoundError) as caught:
            get(vault.id.child("replicationFabrics", "gone", kind, "gone"))
        assert caught.value.code == "FabricArmEntityMissing"


def test_purging_a_fabric_removes_what_leads_to_it(azure: Builder, vault: VaultResource, fabric: Fabric) -> None:
    other = azure.azure_fabric(vault, "westus")
    first, second = azure.virtual_network("first", "eastasia"), azure.virtual_network("second", "westus")
    azure.pair(fabric, first, other, second)
    azure.cloud_mapping(azure.container(other), azure.container(fabric))
    azure.protected_item("vm", other, fabric)
    azure.world.fabrics.purge(fabric.id)
    assert azure.world.mappings.list(vault.id) == ()
    assert azure.world.container_mappings.list(vault.id) == ()
    assert azure.world.protected_items.list(vault.id) == ()


def test_a_vault_may_be_in_another_subscription(azure: Builder) -> None:
    other = "33333333-3333-3333-3333-333333333333"
    vault = azure.vault("elsewhere", subscription=other)
    assert azure.world.vaults.list(other) == (vault,)
    assert azure.world.vaults.list(SUBSCRIPTION) == ()
