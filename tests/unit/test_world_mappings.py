"""Mappings, operations and jobs of a world, beyond what the contract suite covers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec import Struct, structs

from asrnet.clocks import SystemClock
from asrnet.errors import ConflictError, ForbiddenError, NotFoundError, ServiceError
from asrnet.fake.behaviour import Behaviour, Lock
from asrnet.fake.builder import Builder
from asrnet.fake.faults import Fault
from asrnet.fake.jobs import iso_time, seconds_of
from asrnet.fake.records import MappingRequest, VaultResource
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, VirtualNetwork


class Regions(Struct, frozen=True, kw_only=True):
    azure: Builder
    vault: VaultResource
    fabric: Fabric
    other: Fabric
    primary: VirtualNetwork
    recovery: VirtualNetwork

    def mapping_id(self, name: str, segment: str = "azureNetwork") -> ArmId:
        return self.fabric.id.child("replicationNetworks", segment, "replicationNetworkMappings", name)

    def request(self, **changes: object) -> MappingRequest:
        request = MappingRequest(
            kind="azure_to_azure",
            primary_network_id=self.primary.id,
            recovery_network_id=self.recovery.id,
            recovery_fabric_name=self.other.name,
        )
        return structs.replace(request, **changes)


@pytest.fixture
def regions() -> Regions:
    return build(Builder())


def build(azure: Builder) -> Regions:
    vault = azure.vault()
    return Regions(
        azure=azure,
        vault=vault,
        fabric=azure.azure_fabric(vault, "eastasia"),
        other=azure.azure_fabric(vault, "southeastasia"),
        primary=azure.virtual_network("Hub-EA", "eastasia"),
        recovery=azure.virtual_network("Hub-SEA", "southeastasia"),
    )


def test_a_put_says_whether_the_mapping_is_new(regions: Regions) -> None:
    mappings = regions.azure.world.mappings
    assert mappings.put(regions.mapping_id("m"), regions.request()).created is True
    assert mappings.put(regions.mapping_id("M", segment="Hub-EA"), regions.request()).created is False
    assert len(mappings.list(regions.vault.id)) == 1


def test_the_operation_carries_the_request(regions: Regions) -> None:
    started = regions.azure.world.mappings.put(regions.mapping_id("m"), regions.request())
    assert started.subject == regions.azure.world.mappings.get(regions.mapping_id("m"))
    assert started.resource_id == regions.mapping_id("m")


def test_below_any_network_of_an_azure_fabric_all_its_mappings_are_listed(regions: Regions) -> None:
    forward, reverse = regions.azure.pair(regions.fabric, regions.primary, regions.other, regions.recovery)
    networks = regions.fabric.id.child("replicationNetworks", "whatever")
    assert regions.azure.world.mappings.list_network(networks) == (forward,)
    assert reverse not in regions.azure.world.mappings.list_network(networks)


def test_the_kind_may_be_left_to_be_inferred_from_the_fabric(regions: Regions) -> None:
    regions.azure.world.mappings.put(regions.mapping_id("m"), regions.request(kind=None))
    assert regions.azure.world.mappings.get(regions.mapping_id("m")).kind == "azure_to_azure"


def test_the_kind_of_a_vmm_mapping_may_be_inferred_from_its_target(regions: Regions) -> None:
    azure = regions.azure
    server = azure.vmm_fabric(regions.vault, "VMM")
    one, two = azure.vm_network(server, "one"), azure.vm_network(server, "two")
    for target, kind in ((two.id, "vmm_to_vmm"), (regions.recovery.id, "vmm_to_azure")):
        mapping_id = one.id.child("replicationNetworkMappings", kind)
        azure.world.mappings.put(mapping_id, MappingRequest(recovery_network_id=target))
        assert azure.world.mappings.get(mapping_id).kind == kind


@pytest.mark.parametrize("missing", ["recovery_network_id", "primary_network_id"])
def test_a_put_without_a_network_is_refused(regions: Regions, missing: str) -> None:
    with pytest.raises(ServiceError) as caught:
        regions.azure.world.mappings.put(regions.mapping_id("m"), regions.request(**{missing: None}))
    assert caught.value.status == 400


def test_a_vmm_mapping_under_an_azure_fabric_is_refused(regions: Regions) -> None:
    with pytest.raises(ServiceError) as caught:
        regions.azure.world.mappings.put(regions.mapping_id("m"), regions.request(kind="vmm_to_azure"))
    assert caught.value.status == 400


def test_a_patch_changes_only_what_it_names(regions: Regions) -> None:
    world = regions.azure.world
    world.mappings.put(regions.mapping_id("m"), regions.request())
    elsewhere = regions.azure.virtual_network("Other", "southeastasia")
    world.mappings.patch(regions.mapping_id("m"), MappingRequest(recovery_network_id=elsewhere.id))
    mapping = world.mappings.get(regions.mapping_id("m"))
    assert (mapping.primary_network_id, mapping.recovery_network_id) == (regions.primary.id, elsewhere.id)
    assert mapping.recovery_fabric_id == regions.other.id


def test_a_patch_of_a_missing_mapping_is_refused(regions: Regions) -> None:
    with pytest.raises(NotFoundError):
        regions.azure.world.mappings.patch(regions.mapping_id("m"), regions.request())


def test_the_same_network_may_be_mapped_to_two_regions(regions: Regions) -> None:
    azure = regions.azure
    third = azure.azure_fabric(regions.vault, "japaneast")
    far = azure.virtual_network("far", "japaneast")
    azure.world.mappings.put(regions.mapping_id("one"), regions.request())
    request = regions.request(recovery_network_id=far.id, recovery_fabric_name=third.name)
    azure.world.mappings.put(regions.mapping_id("two"), request)
    assert len(azure.world.mappings.list(regions.vault.id)) == 2


def test_of_two_mappings_of_one_network_started_together_the_second_fails() -> None:
    regions = build(Builder(behaviour=Behaviour(operations="time:3")))
    world = regions.azure.world
    for name in ("first", "second"):
        world.mappings.put(regions.mapping_id(name), regions.request())
    world.clock.sleep(3)
    assert [mapping.name for mapping in world.mappings.list(regions.vault.id)] == ["first"]
    failed, succeeded = world.jobs.list(regions.vault.id)
    assert (failed.state, succeeded.state) == ("Failed", "Succeeded")
    assert "first" in failed.errors[0]


def test_deleting_a_mapping_frees_its_network(regions: Regions) -> None:
    world = regions.azure.world
    world.mappings.put(regions.mapping_id("one"), regions.request())
    world.mappings.delete(regions.mapping_id("one"))
    world.mappings.put(regions.mapping_id("two"), regions.request())
    assert [mapping.name for mapping in world.mappings.list(regions.vault.id)] == ["two"]


def test_older_duplicates_can_exist_and_one_can_be_deleted(regions: Regions) -> None:
    azure = regions.azure
    for name in ("one", "two"):
        azure.mapping(regions.fabric, regions.primary, regions.other, regions.recovery, name=name)
    azure.world.mappings.delete(regions.mapping_id("one"))
    with pytest.raises(ConflictError, match="two"):
        azure.world.mappings.put(regions.mapping_id("three"), regions.request())


def test_operations_take_effect_in_the_order_in_which_they_end(regions: Regions) -> None:
    world = regions.azure.world
    elsewhere = regions.azure.virtual_network("Other", "southeastasia")
    world.behaviour = Behaviour(operations="time:9")
    world.mappings.put(regions.mapping_id("m"), regions.request())
    world.behaviour = Behaviour(operations="time:3")
    world.mappings.put(regions.mapping_id("m"), regions.request(recovery_network_id=elsewhere.id))
    world.clock.sleep(20)
    assert world.mappings.get(regions.mapping_id("m")).recovery_network_id == regions.recovery.id


def test_a_mapping_whose_network_vanishes_fails() -> None:
    regions = build(Builder(behaviour=Behaviour(operations="time:3")))
    world = regions.azure.world
    started = world.mappings.put(regions.mapping_id("m"), regions.request())
    world.behaviour = Behaviour()
    world.virtual_networks.delete(regions.recovery.id)
    world.clock.sleep(3)
    ended = world.operations.get(started.id, scope=regions.vault.id)
    assert ended.state == "Failed"
    assert "Hub-SEA" in str(ended.error)
    assert world.mappings.list(regions.vault.id) == ()


def test_an_operation_ends_at_its_own_time_however_late_it_is_read() -> None:
    regions = build(Builder(behaviour=Behaviour(operations="time:3")))
    world = regions.azure.world
    start = world.clock.now()
    started = world.mappings.put(regions.mapping_id("m"), regions.request())
    world.clock.sleep(100)
    ended = world.operations.get(started.id, scope=regions.vault.id)
    assert (ended.start_time, ended.end_time) == (start, start + 3)


def test_an_unknown_operation_is_not_found(regions: Regions) -> None:
    with pytest.raises(NotFoundError):
        regions.azure.world.operations.get("00000000-0000-0000-0000-000000000000", scope=regions.vault.id)


def test_a_job_is_found_by_the_operations_id_and_by_its_own(regions: Regions) -> None:
    world = regions.azure.world
    started = world.mappings.put(regions.mapping_id("m"), regions.request())
    told = regions.azure.job(regions.vault, "EnableDr")
    jobs = regions.vault.id
    assert world.jobs.get(jobs.child("replicationJobs", started.id)).scenario == "NetworkPairing"
    assert world.jobs.get(told.id) == told
    with pytest.raises(NotFoundError):
        world.jobs.get(jobs.child("replicationJobs", "gone"))


def test_jobs_can_be_filtered_by_end(regions: Regions) -> None:
    world = regions.azure.world
    world.mappings.put(regions.mapping_id("m"), regions.request())
    now = world.clock.now()
    assert len(world.jobs.list(regions.vault.id, until=now)) == 1
    assert world.jobs.list(regions.vault.id, until=now - 1) == ()


def test_operations_of_one_vault_are_not_jobs_of_another(regions: Regions) -> None:
    other = regions.azure.vault("other", used=True)
    regions.azure.world.mappings.put(regions.mapping_id("m"), regions.request())
    assert regions.azure.world.jobs.list(other.id) == ()


def test_two_worlds_with_the_same_past_give_operations_the_same_ids() -> None:
    first, second = build(Builder()), build(Builder())
    started = [one.azure.world.mappings.put(one.mapping_id("m"), one.request()) for one in (first, second)]
    assert started[0].id == started[1].id


@pytest.mark.parametrize(
    ("scope", "hindered"), [("{vault}", True), ("{group}", True), ("{vault}-2", False), ("{mapping}", True)]
)
def test_a_lock_holds_for_its_scope_and_below(regions: Regions, scope: str, *, hindered: bool) -> None:
    world = regions.azure.world
    world.mappings.put(regions.mapping_id("m"), regions.request())
    vault = str(regions.vault.id)
    group = str(regions.vault.id.parent)
    lock = Lock(scope=scope.format(vault=vault.upper(), group=group, mapping=regions.mapping_id("m")))
    world.behaviour = Behaviour(locks=(lock,))
    if hindered:
        with pytest.raises(ConflictError):
            world.mappings.delete(regions.mapping_id("m"))
    else:
        assert world.mappings.delete(regions.mapping_id("m")) is not None


def test_a_denied_action_is_a_pattern_without_case(regions: Regions) -> None:
    regions.azure.world.behaviour = Behaviour(denied=("microsoft.recoveryservices/VAULTS/*/write",))
    with pytest.raises(ForbiddenError):
        regions.azure.world.mappings.put(regions.mapping_id("m"), regions.request())
    assert regions.azure.world.mappings.list(regions.vault.id) == ()


def test_a_fault_of_operations_waits_for_a_write(regions: Regions) -> None:
    world = regions.azure.world
    world.faults.add(Fault(effect="operation_fails"))
    world.mappings.list(regions.vault.id)
    assert len(world.faults.waiting()) == 1
    started = world.mappings.put(regions.mapping_id("m"), regions.request())
    assert world.operations.get(started.id, scope=regions.vault.id).state == "Failed"
    assert world.faults.waiting() == ()


def test_a_fault_matches_by_method_kind_and_path(regions: Regions) -> None:
    world = regions.azure.world
    path = f"*/{regions.other.name}/*"
    world.faults.add(Fault(effect="forbidden", method="put", kind="replicationNetworkMappings", path=path, times=0))
    world.mappings.put(regions.mapping_id("m"), regions.request())
    reverse = ArmId(str(regions.mapping_id("r")).replace(regions.fabric.name, regions.other.name))
    with pytest.raises(ForbiddenError):
        world.mappings.put(reverse, regions.request())
    world.faults.clear()
    with pytest.raises(ServiceError, match="is in eastasia"):
        world.mappings.put(reverse, regions.request())


def test_somebody_else_can_delete_a_mapping_just_before_a_request(regions: Regions) -> None:
    world = regions.azure.world
    world.mappings.put(regions.mapping_id("m"), regions.request())
    world.faults.add(Fault(effect="changed_before", method="GET", mapping=regions.mapping_id("m")))
    assert world.mappings.list(regions.vault.id) == ()


def test_a_mapping_in_a_list_that_lags_is_as_it_was(regions: Regions) -> None:
    world = regions.azure.world
    elsewhere = regions.azure.virtual_network("Other", "southeastasia")
    world.mappings.put(regions.mapping_id("m"), regions.request())
    world.clock.sleep(60)
    world.mappings.put(regions.mapping_id("m"), regions.request(recovery_network_id=elsewhere.id))
    world.behaviour = Behaviour(list_lag=30)
    (past,) = world.mappings.list(regions.vault.id)
    assert past.recovery_network_id == regions.recovery.id
    world.clock.sleep(30)
    (present,) = world.mappings.list(regions.vault.id)
    assert present.recovery_network_id == elsewhere.id


def test_writes_from_many_threads_are_neither_lost_nor_mixed() -> None:
    azure = Builder(clock=SystemClock())
    regions = build(azure)
    networks = [azure.virtual_network(f"net-{number}", "eastasia") for number in range(64)]

    def write(number: int) -> int:
        request = regions.request(primary_network_id=networks[number].id)
        azure.world.mappings.put(regions.mapping_id(f"m-{number}"), request)
        return len(azure.world.mappings.list(regions.vault.id))

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(write, range(64)))
    assert len(azure.world.mappings.list(regions.vault.id)) == 64
    assert max(counts) == 64


@pytest.mark.parametrize("seconds", [0.0, 1_767_225_600.0, 1_693_271_522.4054199])
def test_times_are_written_as_the_service_writes_them_and_read_back(seconds: float) -> None:
    text = iso_time(seconds)
    assert len(text) == len("2023-08-29T01:12:02.4054199Z")
    assert seconds_of(text) == pytest.approx(seconds, abs=1e-5)
