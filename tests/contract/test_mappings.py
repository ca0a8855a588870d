"""Network mappings from Azure to Azure, on every backend."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from doors import TwoRegions, readable, status
from msgspec import structs

from asrnet.errors import NotFoundError, ServiceError, VaultUnusedError
from asrnet.fake.builder import Builder
from asrnet.fake.faults import Fault
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, NetworkMapping, Nic, ProtectedItem
from asrnet.ports import Backend


def names(backend: Backend, regions: TwoRegions) -> list[str]:
    return [mapping.name for mapping in backend.mappings.mappings(regions.vault.id)]


def test_fabrics_are_listed_with_their_regions(backend: Backend, regions: TwoRegions) -> None:
    fabrics = list(backend.mappings.fabrics(regions.vault.id))
    assert [(fabric.name, fabric.kind, fabric.location, fabric.friendly_name) for fabric in fabrics] == [
        ("asr-a2a-default-eastasia", "azure", "eastasia", "East Asia"),
        ("asr-a2a-default-southeastasia", "azure", "southeastasia", "Southeast Asia"),
    ]


def test_the_region_of_a_vault_is_read(azure: Builder, backend: Backend, regions: TwoRegions) -> None:
    assert backend.mappings.vault_location(regions.vault.id) == "southeastasia"
    assert azure.world.journal.counts() == {("GET", "vaults"): 1}


def test_a_used_vault_without_mappings_lists_none(backend: Backend, regions: TwoRegions) -> None:
    assert names(backend, regions) == []


def test_create_makes_the_mapping_and_not_its_reverse(
    backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    assert status(backend, backend.mapping_writer.create_mapping(wanted)).state == "succeeded"
    (mapping,) = backend.mappings.mappings(regions.vault.id)
    assert mapping == wanted
    assert mapping.state == "Paired"


def test_network_ids_come_back_in_lower_case(backend: Backend, wanted: NetworkMapping) -> None:
    backend.mapping_writer.create_mapping(wanted)
    mapping = backend.mappings.mapping(wanted.id)
    assert mapping is not None
    assert (mapping.primary_network_id.name, mapping.recovery_network_id.name) == ("hub-ea", "hub-sea")
    groups = [network.resource_group for network in (mapping.primary_network_id, mapping.recovery_network_id)]
    assert groups == [group.lower() for group in groups]


def test_names_of_mapping_and_fabrics_keep_their_case(backend: Backend, wanted: NetworkMapping) -> None:
    backend.mapping_writer.create_mapping(wanted)
    mapping = backend.mappings.mapping(wanted.id)
    assert mapping is not None
    assert mapping.name == "Hub-EA-to-Hub-SEA"
    assert (mapping.primary_location, mapping.recovery_location) == ("eastasia", "southeastasia")


@pytest.mark.parametrize("segment", ["azureNetwork", "AZURENETWORK", "Hub-EA"])
def test_a_mapping_is_found_under_any_network_segment(backend: Backend, wanted: NetworkMapping, segment: str) -> None:
    backend.mapping_writer.create_mapping(wanted)
    asked = ArmId(str(wanted.id).replace("azureNetwork", segment))
    mapping = backend.mappings.mapping(asked)
    assert mapping is not None
    assert mapping.name == wanted.name


def test_the_list_gives_the_constant_network_segment(
    backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    made = structs.replace(wanted, id=ArmId(str(wanted.id).replace("azureNetwork", "Hub-EA")))
    backend.mapping_writer.create_mapping(made)
    (mapping,) = backend.mappings.mappings(regions.vault.id)
    assert str(mapping.id) == str(wanted.id)


@pytest.mark.parametrize("answer", [404, 400])
def test_an_absent_mapping_is_none_whichever_status_azure_answers(
    backend: Backend, behave: Callable[..., None], wanted: NetworkMapping, answer: int
) -> None:
    behave(missing_mapping=answer)
    assert backend.mappings.mapping(wanted.id) is None


def test_a_mapping_of_an_absent_fabric_is_none(backend: Backend, regions: TwoRegions, wanted: NetworkMapping) -> None:
    elsewhere = ArmId(str(wanted.id).replace(regions.fabric_ea.name, "gone"))
    assert backend.mappings.mapping(elsewhere) is None


def test_create_under_an_existing_name_retargets_that_mapping(
    backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    backend.mapping_writer.create_mapping(wanted)
    moved = structs.replace(wanted, recovery_network_id=regions.other_sea.id)
    assert status(backend, backend.mapping_writer.create_mapping(moved)).state == "succeeded"
    assert list(backend.mappings.mappings(regions.vault.id)) == [moved]


def test_patch_retargets_a_mapping(backend: Backend, regions: TwoRegions, wanted: NetworkMapping) -> None:
    backend.mapping_writer.create_mapping(wanted)
    moved = structs.replace(wanted, recovery_network_id=regions.other_sea.id)
    assert status(backend, backend.mapping_writer.patch_mapping(moved)).state == "succeeded"
    assert list(backend.mappings.mappings(regions.vault.id)) == [moved]


@pytest.mark.parametrize("code", [400, 405])
def test_put_retargets_a_mapping_where_the_service_refuses_patch(
    backend: Backend, regions: TwoRegions, wanted: NetworkMapping, behave: Callable[..., None], code: int
) -> None:
    backend.mapping_writer.create_mapping(wanted)
    behave(patch=f"reject_{code}")
    moved = structs.replace(wanted, recovery_network_id=regions.other_sea.id)
    with pytest.raises(ServiceError) as caught:
        backend.mapping_writer.patch_mapping(moved)
    assert caught.value.status == code
    assert list(backend.mappings.mappings(regions.vault.id)) == [wanted]
    assert status(backend, backend.mapping_writer.put_mapping(moved)).state == "succeeded"
    assert list(backend.mappings.mappings(regions.vault.id)) == [moved]


def test_delete_removes_one_direction_only(azure: Builder, backend: Backend, regions: TwoRegions) -> None:
    forward, reverse = azure.pair(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.sea)
    assert status(backend, backend.mapping_writer.delete_mapping(forward.id)).state == "succeeded"
    assert list(backend.mappings.mappings(regions.vault.id)) == [reverse]


def test_deleting_an_absent_mapping_succeeds_at_once(azure: Builder, backend: Backend, wanted: NetworkMapping) -> None:
    assert backend.mapping_writer.delete_mapping(wanted.id) is None
    assert azure.world.journal.counts() == {("DELETE", "replicationnetworkmappings"): 1}


def test_effects_appear_when_the_operation_ends_and_not_before(
    azure: Builder, backend: Backend, wanted: NetworkMapping, behave: Callable[..., None]
) -> None:
    behave(operations="time:3")
    backend.mapping_writer.create_mapping(wanted)
    azure.world.clock.sleep(2.9)
    assert backend.mappings.mapping(wanted.id) is None
    azure.world.clock.sleep(0.1)
    assert backend.mappings.mapping(wanted.id) == wanted


def test_the_list_follows_all_pages_including_an_empty_last_page(
    azure: Builder, backend: Backend, regions: TwoRegions, behave: Callable[..., None]
) -> None:
    behave(page_size=2, empty_last_page=True)
    for number in range(4):
        network = azure.virtual_network(f"net-{number}", "eastasia")
        azure.mapping(regions.fabric_ea, network, regions.fabric_sea, regions.sea, name=f"map-{number}")
    assert names(backend, regions) == ["map-0", "map-1", "map-2", "map-3"]
    assert azure.world.journal.counts() == {("GET", "replicationnetworkmappings"): 3}


def test_the_list_may_come_in_any_order(
    azure: Builder, backend: Backend, regions: TwoRegions, behave: Callable[..., None]
) -> None:
    behave(page_size=3, shuffle=7)
    expected = set()
    for number in range(10):
        network = azure.virtual_network(f"net-{number}", "eastasia")
        expected.add(azure.mapping(regions.fabric_ea, network, regions.fabric_sea, regions.sea))
    listed = list(backend.mappings.mappings(regions.vault.id))
    assert len(listed) == 10
    assert set(listed) == expected


def test_without_permission_for_the_vaults_list_mappings_are_read_by_fabric(
    azure: Builder, backend: Backend, regions: TwoRegions, behave: Callable[..., None]
) -> None:
    pair = azure.pair(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.sea)
    behave(denied=("Microsoft.RecoveryServices/vaults/replicationNetworkMappings/read",))
    assert sorted(backend.mappings.mappings(regions.vault.id), key=str) == sorted(pair, key=str)


def test_a_lagging_list_shows_a_new_mapping_later_than_a_get(
    azure: Builder, backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    lag = Fault(effect="list_lags", kind="replicationnetworkmappings", seconds=30, times=0)
    azure.world.faults.add(lag)
    backend.mapping_writer.create_mapping(wanted)
    assert names(backend, regions) == []
    assert backend.mappings.mapping(wanted.id) == wanted
    azure.world.clock.sleep(30)
    assert names(backend, regions) == [wanted.name]


def test_a_vault_just_created_has_empty_lists(azure: Builder, backend: Backend) -> None:
    vault = azure.vault("fresh").id
    mappings, vmm = backend.mappings, backend.vmm
    for read in (mappings.fabrics, mappings.mappings, mappings.protected_items, mappings.jobs, vmm.cloud_mappings):
        assert list(read(vault)) == []
    path = ("replicationFabrics", "f", "replicationNetworks", "azureNetwork", "replicationNetworkMappings", "m")
    assert mappings.mapping(vault.child(*path)) is None


def test_every_read_of_an_unused_vault_raises_vault_unused(
    azure: Builder, backend: Backend, behave: Callable[..., None]
) -> None:
    behave(unused_vault="reject_400")
    vault = azure.vault("fresh").id
    reads: list[Callable[[ArmId], object]] = [
        backend.mappings.fabrics,
        backend.mappings.mappings,
        backend.mappings.protected_items,
        backend.mappings.jobs,
        backend.vmm.cloud_mappings,
    ]
    for read in reads:
        with pytest.raises(VaultUnusedError) as caught:
            list(read(vault))  # type: ignore[call-overload]  # each gives some iterable
        assert (caught.value.status, caught.value.code) == (400, "SubscriptionIdNotRegisteredWithSrs")
        assert "create_fabrics" in caught.value.hint


def test_a_mapping_of_an_unused_vault_is_an_error_and_not_none(
    azure: Builder, backend: Backend, behave: Callable[..., None]
) -> None:
    path = ("replicationFabrics", "f", "replicationNetworks", "azureNetwork", "replicationNetworkMappings", "m")
    behave(unused_vault="reject_400")
    with pytest.raises(VaultUnusedError):
        backend.mappings.mapping(azure.vault("fresh").id.child(*path))


def test_the_first_fabric_puts_an_unused_vault_into_use(azure: Builder, backend: Backend) -> None:
    vault = azure.vault("fresh")
    other = azure.vault("other")
    fabric = azure.azure_fabric(other, "eastasia")
    asked = structs.replace(fabric, id=vault.id.child("replicationFabrics", fabric.name))
    assert status(backend, backend.mapping_writer.create_fabric(asked)).state == "succeeded"
    (made,) = backend.mappings.fabrics(vault.id)
    assert made == asked
    assert list(backend.mappings.mappings(vault.id)) == []


def test_a_missing_vault_is_not_found(backend: Backend, regions: TwoRegions) -> None:
    missing = ArmId(str(regions.vault.id).replace("vault-dr", "gone"))
    for read in (backend.mappings.fabrics, backend.mappings.mappings, backend.mappings.protected_items):
        with pytest.raises(NotFoundError) as caught:
            list(read(missing))
        assert (caught.value.status, caught.value.code) == (404, "ResourceNotFound")
    with pytest.raises(NotFoundError):
        backend.mappings.vault_location(missing)


def test_a_mapping_of_a_missing_vault_is_an_error_and_not_none(
    backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    with pytest.raises(NotFoundError) as caught:
        backend.mappings.mapping(ArmId(str(wanted.id).replace(regions.vault.id.name, "gone")))
    assert caught.value.code == "ResourceNotFound"


def test_create_under_a_missing_fabric_is_not_found(
    backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    astray = structs.replace(wanted, id=ArmId(str(wanted.id).replace(regions.fabric_ea.name, "gone")))
    with pytest.raises(NotFoundError) as caught:
        backend.mapping_writer.create_mapping(astray)
    error = caught.value
    assert (error.status, error.code) == (404, "FabricArmEntityMissing")
    assert error.message == "Fabric with name gone could not be located."
    assert "unregistered" in error.possible_causes
    assert error.recommended_action == "Retry the operation with a valid site."


def test_create_without_a_recovery_fabric_is_refused(backend: Backend, wanted: NetworkMapping) -> None:
    with pytest.raises(ServiceError) as caught:
        backend.mapping_writer.create_mapping(structs.replace(wanted, recovery_fabric_id=None))
    assert (caught.value.status, caught.value.code) == (400, "UnhandledException")
    assert "ArmResourceName is null" in caught.value.message


def test_protected_items_are_listed_vault_wide_and_container_by_container(
    azure: Builder, backend: Backend, regions: TwoRegions, behave: Callable[..., None]
) -> None:
    azure.protected_item("vm1", regions.fabric_ea, regions.fabric_sea)
    azure.protected_item("vm2", regions.fabric_sea, regions.fabric_ea, state="UnplannedFailoverCommitted")
    everything = list(backend.mappings.protected_items(regions.vault.id))
    assert [(item.friendly_name, item.state) for item in everything] == [
        ("vm1", "Protected"),
        ("vm2", "UnplannedFailoverCommitted"),
    ]
    behave(denied=("Microsoft.RecoveryServices/vaults/replicationProtectedItems/read",))
    assert list(backend.mappings.protected_items(regions.vault.id)) == everything


def test_a_refused_vault_list_is_requested_only_once(
    azure: Builder, backend: Backend, regions: TwoRegions, behave: Callable[..., None]
) -> None:
    behave(denied=("Microsoft.RecoveryServices/vaults/replicationNetworkMappings/read",))
    list(backend.mappings.mappings(regions.vault.id))
    azure.world.journal.clear()
    list(backend.mappings.mappings(regions.vault.id))
    assert azure.world.journal.counts() == {
        ("GET", "replicationfabrics"): 1,
        ("GET", "replicationnetworkmappings"): 2,
    }


def test_the_list_decides_whether_a_400_means_absence(azure: Builder, backend: Backend, wanted: NetworkMapping) -> None:
    """Users have reported a 400 for a missing mapping for years; its code is unknown."""
    azure.world.faults.add(Fault(effect="refused", method="GET", status=400, code="Unpublished"))
    assert backend.mappings.mapping(wanted.id) is None
    backend.mapping_writer.create_mapping(wanted)
    azure.world.faults.add(Fault(effect="refused", method="GET", status=400, code="Unpublished"))
    assert backend.mappings.mapping(wanted.id) is not None


def test_a_400_from_the_get_and_the_list_stays_an_error(
    azure: Builder, backend: Backend, wanted: NetworkMapping
) -> None:
    azure.world.faults.add(Fault(effect="refused", method="GET", status=400, code="InvalidParameter", times=2))
    with pytest.raises(ServiceError) as caught:
        backend.mappings.mapping(wanted.id)
    assert (caught.value.status, caught.value.code) == (400, "InvalidParameter")


def test_deleting_a_mapping_in_an_absent_fabric_succeeds_at_once(backend: Backend, wanted: NetworkMapping) -> None:
    elsewhere = ArmId(str(wanted.id).replace("asr-a2a-default-eastasia", "gone"))
    assert backend.mapping_writer.delete_mapping(elsewhere) is None


@pytest.mark.parametrize(
    ("part", "wrong", "code"),
    [
        ("vault-dr", "gone", "ResourceNotFound"),
        ("/rg-dr/", "/gone/", "ResourceGroupNotFound"),
        ("11111111-1111-1111-1111-111111111111", "99999999-9999-9999-9999-999999999999", "SubscriptionNotFound"),
    ],
)
def test_a_404_above_the_fabric_does_not_prove_a_mapping_absent(
    backend: Backend, wanted: NetworkMapping, part: str, wrong: str, code: str
) -> None:
    astray = ArmId(str(wanted.id).replace(part, wrong))
    for call in (backend.mappings.mapping, backend.mapping_writer.delete_mapping):
        with pytest.raises(NotFoundError) as caught:
            call(astray)
        assert caught.value.code == code


def test_deleting_a_mapping_in_an_unused_vault_fails(
    azure: Builder, backend: Backend, wanted: NetworkMapping, behave: Callable[..., None]
) -> None:
    behave(unused_vault="reject_400")
    fresh = azure.vault("fresh")
    astray = ArmId(str(wanted.id).replace("vault-dr", fresh.id.name))
    with pytest.raises(VaultUnusedError):
        backend.mapping_writer.delete_mapping(astray)


def test_a_vault_is_found_whatever_the_case_of_its_id(azure: Builder, backend: Backend, regions: TwoRegions) -> None:
    forward, reverse = azure.pair(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.sea)
    shouted = ArmId(str(regions.vault.id).upper())
    assert list(backend.mappings.mappings(shouted)) == [forward, reverse]
    assert len(list(backend.mappings.fabrics(shouted))) == 2


def test_the_state_of_an_unpaired_mapping_is_read(azure: Builder, backend: Backend, regions: TwoRegions) -> None:
    azure.mapping(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.sea, state="NotPaired")
    assert [mapping.state for mapping in readable(backend, regions.vault.id)] == ["NotPaired"]


def test_a_mapping_to_a_network_that_is_gone_is_still_listed(
    azure: Builder, backend: Backend, regions: TwoRegions
) -> None:
    forward, _ = azure.pair(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.sea)
    azure.world.virtual_networks.delete(regions.sea.id)
    assert backend.mappings.mapping(forward.id) == forward


def test_lists_of_fabrics_jobs_and_machines_are_paged_too(
    azure: Builder, backend: Backend, regions: TwoRegions, behave: Callable[..., None]
) -> None:
    behave(page_size=1)
    for number in range(3):
        azure.protected_item(f"vm{number}", regions.fabric_ea, regions.fabric_sea)
        azure.job(regions.vault, "EnableDr")
    assert len(list(backend.mappings.fabrics(regions.vault.id))) == 2
    assert len(list(backend.mappings.protected_items(regions.vault.id))) == 3
    assert len(list(backend.mappings.jobs(regions.vault.id))) == 3
    assert azure.world.journal.methods() == {"GET": 8}


def test_a_protected_machine_has_its_location_and_the_targets_of_its_nics(
    azure: Builder, backend: Backend, regions: TwoRegions
) -> None:
    beside = f"/subscriptions/{regions.sea.id.subscription}/resourceGroups/Rg-SEA/providers/Microsoft.Network"
    first = IpConfiguration(
        subnet="web",
        ip="10.0.1.4",
        ip_type="Static",
        recovery_subnet="app",
        recovery_ip="10.1.1.4",
        recovery_public_ip=ArmId(f"{beside}/publicIPAddresses/front"),
        recovery_load_balancer_pools=(ArmId(f"{beside}/loadBalancers/lb/backendAddressPools/web"),),
        test_subnet="bubble",
        test_ip="10.9.1.4",
    )
    second = IpConfiguration(
        name="ipconfig2", primary=False, subnet="db", ip_type="Dynamic", selected_for_failover=False
    )
    nic = Nic(
        name="nic0",
        source_id=ArmId(f"{beside}/networkInterfaces/nic0"),
        primary_network_id=regions.ea.id,
        recovery_network_id=regions.sea.id,
        test_network_id=regions.other_sea.id,
        recovery_network_security_group=ArmId(f"{beside}/networkSecurityGroups/nsg"),
        selection="NotSelected",
        ip_configurations=(first, second),
    )
    added = ProtectedItem(
        id=azure.container(regions.fabric_ea).id.child("replicationProtectedItems", "vm1"),
        friendly_name="vm1",
        recovery_fabric_id=regions.fabric_sea.id,
        recovery_network_id=regions.sea.id,
        test_network_id=regions.sea.id,
        primary_location="eastasia",
        recovery_location="southeastasia",
        initial_location="southeastasia",
        primary_zone="1",
        initial_zone="2",
        nics=(nic,),
    )
    azure.add(added)
    (item,) = backend.mappings.protected_items(regions.vault.id)
    # A machine also has ids and settings that the service chooses.
    nics = tuple(structs.replace(nic, id="", settings={}) for nic in item.nics)
    assert structs.replace(item, machine_id=None, settings={}, nics=nics) == added
    assert backend.mappings.protected_item(added.id) == item


def test_the_scenario_of_a_machine_that_is_failing_over_is_read(
    azure: Builder, backend: Backend, regions: TwoRegions
) -> None:
    azure.protected_item(
        "vm1",
        regions.fabric_ea,
        regions.fabric_sea,
        state="UnplannedFailoverCommitPending",
        active_location="Recovery",
        scenario="UnplannedFailover",
    )
    (item,) = backend.mappings.protected_items(regions.vault.id)
    assert (item.state, item.active_location) == ("UnplannedFailoverCommitPending", "Recovery")
    assert (item.scenario, item.test_failover_state, item.provider) == ("UnplannedFailover", "None", "A2A")
    assert item.recovery_fabric_id == regions.fabric_sea.id


def test_mappings_between_containers_of_azure_regions_are_not_cloud_mappings(
    azure: Builder, backend: Backend, regions: TwoRegions
) -> None:
    azure.cloud_mapping(azure.container(regions.fabric_ea), azure.container(regions.fabric_sea))
    assert list(backend.vmm.cloud_mappings(regions.vault.id)) == []
