"""The lifecycle of a machine in a world, as recorded: protected, failed over, re-protected, failed back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from machine_life import SECONDS, Life
from msgspec import structs

from asrnet.clocks import SimulatedClock
from asrnet.errors import ConflictError, ForbiddenError, NotFoundError, ServiceError
from asrnet.fake import world_file
from asrnet.fake.builder import Builder
from asrnet.fake.faults import Fault
from asrnet.fake.machines import allowed_operations
from asrnet.fake.records import EnableRequest, MappingRequest, PlanAction, SwitchRequest
from asrnet.fake.world_format import WorldDocument
from asrnet.files.yaml import parse
from asrnet.model.azure import IpConfiguration


@pytest.fixture
def life() -> Life:
    return Life()


@pytest.fixture
def protected(life: Life) -> Life:
    life.enable()
    return life


def test_a_whole_lifecycle_goes_through_the_recorded_states_and_comes_home() -> None:
    life = Life(seconds=SECONDS)
    life.end(life.enable())
    item = life.item(life.east_id)
    assert (item.state, item.nics, allowed_operations(item)) == (
        "InitialReplicationInProgress",
        (),
        ("DisableProtection",),
    )
    life.clock.sleep(SECONDS)
    assert life.item(life.east_id).state == "InitialReplicationRecoveryCompletionPending"
    life.clock.sleep(SECONDS)
    item = life.item(life.east_id)
    assert (item.state, allowed_operations(item)) == (
        "Protected",
        ("UnplannedFailover", "DisableProtection", "TestFailover"),
    )
    assert item.nics[0].recovery_network_id == life.away.id

    life.end(life.items.unplanned_failover(life.east_id))
    item = life.item(life.east_id)
    assert (item.state, item.active_location) == ("UnplannedFailoverCommitPendingStatesBegin", "Recovery")
    life.end(life.items.commit(life.east_id))
    assert life.item(life.east_id).state == "UnplannedFailoverCommitted"

    life.end(life.switch(life.east.id, life.east.id))
    with pytest.raises(NotFoundError) as caught:
        life.item(life.east_id)
    assert (caught.value.status, caught.value.code) == (404, "ArmResourceDoesNotExist")
    item = life.item(life.west_id)
    assert (item.state, item.active_location, item.is_reversed) == ("InitialReplicationInProgress", "Primary", True)
    assert (item.initial_location, item.primary_location, item.recovery_location) == (
        "eastasia",
        "southeastasia",
        "eastasia",
    )
    (nic,) = item.nics
    assert (nic.selection, nic.primary_network_id, nic.recovery_network_id) == ("NotSelected", None, life.home.id)
    assert (nic.ip_configurations[0].name, nic.ip_configurations[0].recovery_subnet) == ("", "web")

    life.replicated()
    item = life.item(life.west_id)
    assert (item.state, item.is_reversed, item.recovery_fabric_id) == ("Protected", True, life.east.id.parent)
    (nic,) = item.nics
    assert (nic.primary_network_id, nic.recovery_network_id) == (life.away.id, life.home.id)
    assert (nic.ip_configurations[0].ip, nic.selection) == ("10.0.1.4", "SelectedByUserOverride")

    life.fail_over(life.west_id)
    assert life.address(life.west_id) == ("home", "web", "10.0.1.4")
    life.end(life.switch(life.west.id, life.west.id))
    life.replicated()
    item = life.item(life.east_id)
    assert (item.state, item.active_location, item.is_reversed) == ("Protected", "Primary", False)
    assert item.nics[0].recovery_network_id == life.away.id
    assert [known.id for known in life.items.list(life.vault.id)] == [life.east_id]


def test_a_machine_keeps_its_address_in_a_failover_where_that_is_free(protected: Life) -> None:
    protected.fail_over(protected.east_id)
    assert protected.address(protected.east_id) == ("away", "web", "10.0.1.4")
    assert protected.used(protected.away) == ("10.0.1.4",)


def test_a_machine_gets_the_next_free_address_where_its_own_is_taken(life: Life) -> None:
    life.away = life.network("away", "southeastasia", "10.0", "10.0.1.4", "10.0.1.5")
    life.enable()
    life.fail_over(life.east_id)
    assert life.address(life.east_id) == ("away", "web", "10.0.1.6")


def test_in_another_address_space_a_machine_gets_the_first_free_address(life: Life) -> None:
    life.enable(recovery_network_id=life.test.id)
    life.fail_over(life.east_id)
    assert life.address(life.east_id) == ("test", "web", "10.9.1.4")


def test_a_recovery_address_of_its_own_beats_the_old_one(protected: Life) -> None:
    item = protected.item(protected.east_id)
    (nic,) = item.nics
    address = structs.replace(nic.ip_configurations[0], recovery_ip="10.0.1.77")
    protected.azure.add(structs.replace(item, nics=(structs.replace(nic, ip_configurations=(address,)),)))
    protected.fail_over(protected.east_id)
    assert protected.address(protected.east_id) == ("away", "web", "10.0.1.77")


def test_a_nic_that_is_not_selected_does_not_fail_over(protected: Life) -> None:
    item = protected.item(protected.east_id)
    protected.azure.add(structs.replace(item, nics=(structs.replace(item.nics[0], selection="NotSelected"),)))
    protected.fail_over(protected.east_id)
    machine = protected.world.virtual_machines.get(protected.items.recovery_machine_id(item))
    assert machine is not None
    assert machine.nics == ()


def test_failback_uses_the_mapping_at_the_time_of_re_protection(protected: Life) -> None:
    protected.fail_over(protected.east_id)
    other = protected.network("other", "eastasia", "10.0")
    (reverse,) = [
        mapping
        for mapping in protected.world.mappings.list(protected.vault.id)
        if mapping.recovery_location == "eastasia"
    ]
    protected.azure.add(structs.replace(reverse, recovery_network_id=other.id))
    protected.switch(protected.east.id, protected.east.id)
    assert protected.item(protected.west_id).nics[0].recovery_network_id == other.id


def test_without_a_mapping_failback_uses_the_original_network(protected: Life) -> None:
    protected.fail_over(protected.east_id)
    for mapping in protected.world.mappings.list(protected.vault.id):
        protected.world.mappings.delete(mapping.id)
    protected.switch(protected.east.id, protected.east.id)
    assert protected.item(protected.west_id).nics[0].recovery_network_id == protected.home.id


def test_a_test_failover_takes_an_address_and_its_cleanup_gives_it_back(protected: Life) -> None:
    protected.items.test_failover(protected.east_id, protected.test.id)
    item = protected.item(protected.east_id)
    assert (item.state, item.test_failover_state) == ("Protected", "WaitingForCompletion")
    assert allowed_operations(item) == ("UnplannedFailover", "DisableProtection", "TestFailoverCleanup")
    assert protected.used(protected.test) == ("10.9.1.254",)
    protected.items.test_failover_cleanup(protected.east_id)
    assert protected.item(protected.east_id).test_failover_state == "None"
    assert protected.used(protected.test) == ()


def test_a_test_network_of_the_machine_beats_that_of_the_request(protected: Life) -> None:
    own = protected.network("own-test", "southeastasia", "10.8")
    item = protected.item(protected.east_id)
    protected.azure.add(structs.replace(item, test_network_id=own.id))
    protected.items.test_failover(protected.east_id, protected.test.id)
    assert (protected.used(own), protected.used(protected.test)) == (("10.8.1.254",), ())


def test_a_test_failover_without_any_network_fails_and_leaves_nothing_behind(protected: Life) -> None:
    started = protected.items.test_failover(protected.east_id)
    job = protected.world.jobs.get(protected.vault.id.child("replicationJobs", started.id))
    assert job.state == "Failed"
    assert protected.item(protected.east_id).test_failover_state == "None"
    assert protected.item(protected.east_id).scenario == ""


def test_a_canceled_failover_leaves_the_machine_where_it_was(protected: Life) -> None:
    protected.items.unplanned_failover(protected.east_id)
    protected.items.cancel(protected.east_id)
    item = protected.item(protected.east_id)
    assert (item.state, item.active_location, protected.used(protected.away)) == ("Protected", "Primary", ())


def test_a_failed_failover_is_reported_and_may_be_tried_again(protected: Life) -> None:
    protected.world.faults.add(Fault(effect="operation_fails", kind="unplannedfailover"))
    protected.items.unplanned_failover(protected.east_id)
    item = protected.item(protected.east_id)
    assert (item.state, item.active_location) == ("UnplannedFailoverFailed", "Primary")
    assert "UnplannedFailover" in allowed_operations(item)
    protected.fail_over(protected.east_id)
    assert protected.item(protected.east_id).state == "UnplannedFailoverCommitted"


VERBS: dict[str, Callable[[Life], object]] = {
    "commit": lambda life: life.items.commit(life.east_id),
    "cancel": lambda life: life.items.cancel(life.east_id),
    "cleanup": lambda life: life.items.test_failover_cleanup(life.east_id),
    "switch": lambda life: life.switch(life.east.id, life.east.id),
    "planned": lambda life: life.items.planned_failover(life.east_id),
    "failback": lambda life: life.items.unplanned_failover(life.east_id, "RecoveryToPrimary"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_actions_that_the_state_does_not_allow_are_refused_with_causes_and_an_action(
    protected: Life, verb: str
) -> None:
    with pytest.raises(ServiceError) as caught:
        VERBS[verb](protected)
    error = caught.value
    assert (error.status, error.code) == (400, "OperationNotAllowed")
    assert "Protected" in error.message
    assert error.possible_causes
    assert error.recommended_action


def test_a_failover_is_committed_once(protected: Life) -> None:
    protected.fail_over(protected.east_id)
    with pytest.raises(ServiceError, match=r"'Commit' is not allowed for 'vm1' while .* UnplannedFailoverCommitted"):
        protected.items.commit(protected.east_id)


def test_only_what_is_committed_is_reprotected(protected: Life) -> None:
    protected.items.unplanned_failover(protected.east_id)
    with pytest.raises(ServiceError, match="'SwitchProtection' is not allowed"):
        protected.switch(protected.east.id, protected.east.id)


def test_a_machine_is_replicated_back_only_to_where_it_came_from(protected: Life) -> None:
    protected.fail_over(protected.east_id)
    with pytest.raises(ServiceError, match="'recoveryContainerId'"):
        protected.switch(protected.east.id, protected.west.id)


def test_a_machine_that_fails_over_during_a_test_is_committed_and_cleaned_up_before_its_re_protection(
    protected: Life,
) -> None:
    protected.items.test_failover(protected.east_id, protected.test.id)
    assert allowed_operations(protected.item(protected.east_id)) == (
        "UnplannedFailover",
        "DisableProtection",
        "TestFailoverCleanup",
    )
    protected.items.unplanned_failover(protected.east_id)
    with pytest.raises(ServiceError, match="'UnplannedFailover' is not allowed"):
        protected.items.unplanned_failover(protected.east_id)
    protected.items.commit(protected.east_id)
    with pytest.raises(ServiceError, match="'SwitchProtection' is not allowed"):
        protected.switch(protected.east.id, protected.east.id)
    protected.items.test_failover_cleanup(protected.east_id)
    assert protected.used(protected.test) == ()
    protected.switch(protected.east.id, protected.east.id)
    assert protected.item(protected.west_id).is_reversed


def test_a_machine_that_does_not_exist_cannot_fail_over(life: Life) -> None:
    with pytest.raises(NotFoundError) as caught:
        life.items.unplanned_failover(life.east_id)
    assert caught.value.code == "ArmResourceDoesNotExist"


def test_during_an_action_on_a_machine_no_other_is_allowed_and_the_job_names_it() -> None:
    life = Life(seconds=SECONDS)
    life.end(life.enable())
    life.replicated()
    started = life.items.unplanned_failover(life.east_id)
    item = life.item(life.east_id)
    assert (item.scenario, allowed_operations(item)) == ("UnplannedFailover", ())
    with pytest.raises(ServiceError, match="UnplannedFailover"):
        life.items.update(life.east_id, {"recoveryAzureVMName": "vm1-dr"})
    job_id = life.vault.id.child("replicationJobs", started.id)
    assert life.items.current_job(life.east_id) == job_id
    (job,) = life.world.jobs.list(life.vault.id, state="InProgress")
    assert (job.scenario, job.target, bool(job.target_id)) == ("UnplannedFailover", "vm1", True)
    with pytest.raises(ConflictError, match="'UnplannedFailover', is in progress for 'vm1'"):
        life.items.test_failover(life.east_id, life.test.id)
    with pytest.raises(ConflictError, match="'UnplannedFailover', is in progress for 'vm1'"):
        life.items.delete(life.east_id, method="POST")
    life.end(started)
    assert life.items.current_job(life.east_id) is None


def test_a_canceled_job_leaves_the_machine_as_it_was() -> None:
    life = Life(seconds=SECONDS)
    life.end(life.enable())
    life.replicated()
    started = life.items.test_failover(life.east_id, life.test.id)
    life.world.jobs.cancel(life.vault.id.child("replicationJobs", started.id))
    life.clock.sleep(SECONDS)
    item = life.item(life.east_id)
    assert (item.scenario, item.test_failover_state, life.used(life.test)) == ("", "None", ())


def test_a_machine_that_is_disabled_while_it_replicates_does_not_come_back() -> None:
    life = Life(seconds=SECONDS)
    life.end(life.enable())
    life.end(life.items.delete(life.east_id))
    life.replicated()
    assert life.items.list(life.vault.id) == ()


def test_a_machine_is_protected_by_one_item_even_where_two_clients_enable_it_at_once() -> None:
    life = Life(seconds=SECONDS)
    request = EnableRequest(machine_id=life.machine.id, recovery_container_id=life.west.id, policy_id=life.policy.id)
    twin_id = life.east.id.child("replicationProtectedItems", "twin")
    first, second = life.enable(), life.items.enable(twin_id, request)
    life.end(first)
    job = life.world.jobs.get(life.vault.id.child("replicationJobs", second.id))
    assert job.state == "Failed"
    assert "'vm1' is protected by 'item1' already" in job.errors[0]
    with pytest.raises(ConflictError, match="'vm1' is protected by 'item1' already"):
        life.items.enable(twin_id, request)
    other = life.azure.virtual_machine("vm2", life.home, subnet="web", ip="10.0.1.5")
    with pytest.raises(ConflictError, match="'vm2' is protected by 'item1' already"):
        life.enable(machine_id=other.id)
    life.end(life.enable())
    assert [item.id for item in life.items.list(life.vault.id)] == [life.east_id]


def test_a_machine_is_protected_in_a_container_of_its_own_region(life: Life) -> None:
    request = EnableRequest(machine_id=life.machine.id, recovery_container_id=life.east.id, policy_id=life.policy.id)
    with pytest.raises(ServiceError, match="'vm1' is in eastasia; its fabric is in southeastasia"):
        life.items.enable(life.west_id, request)


def test_a_container_mapping_that_machines_are_replicated_by_is_purged_and_not_removed(protected: Life) -> None:
    mappings = protected.world.container_mappings.list(protected.vault.id)
    there, back = sorted(mappings, key=lambda mapping: mapping.primary_cloud_id != protected.east.id)
    with pytest.raises(ConflictError, match=f"'{there.id.name}' is used by 'vm1' and cannot be removed"):
        protected.world.container_mappings.remove(there.id)
    protected.world.container_mappings.remove(back.id)
    protected.world.container_mappings.remove(there.id, method="DELETE")
    assert protected.world.container_mappings.list(protected.vault.id) == ()


def test_a_policy_in_use_is_not_replaced_by_one_of_another_provider(protected: Life) -> None:
    with pytest.raises(ConflictError, match="is associated with"):
        protected.world.policies.put(structs.replace(protected.policy, provider="InMageRcm"))


def test_enabling_by_a_missing_policy_is_refused(life: Life) -> None:
    with pytest.raises(ServiceError, match="'gone' could not be found"):
        life.enable(policy_id=life.vault.id.child("replicationPolicies", "gone"))


def test_a_policy_in_use_is_not_deleted(protected: Life) -> None:
    with pytest.raises(ConflictError, match="'daily' is associated with"):
        protected.world.policies.delete(protected.policy.id)
    spare = structs.replace(protected.policy, id=protected.vault.id.child("replicationPolicies", "spare"))
    protected.world.policies.put(spare)
    assert protected.world.policies.get(spare.id) == spare
    protected.world.policies.delete(spare.id)
    assert protected.world.policies.list(protected.vault.id) == (protected.policy,)


def test_a_machine_on_premises_fails_over_to_azure_and_back() -> None:
    azure = Builder()
    vault = azure.vault()
    server = azure.vmm_fabric(vault, "VMM-Beijing")
    network = azure.virtual_network("dr", "southeastasia", subnets={"web": "10.1.1.0/24"})
    source = azure.vm_network(server, "corp")
    nic = azure.nic("nic0", source, recovery=network, ip="10.1.1.9")  # free there, and not kept
    item = azure.protected_item(
        "vm1", server, None, nic, cloud=azure.cloud(server, "Gold"), provider="HyperVReplicaAzure"
    )
    items = azure.world.protected_items
    assert allowed_operations(item)[0] == "PlannedFailover"
    items.planned_failover(item.id)
    items.commit(item.id)
    assert azure.world.virtual_networks.get(network.id).subnets[0].used_ips == ("10.1.1.4",)
    items.reprotect(item.id)
    reversed_item = items.get(item.id)
    assert (reversed_item.state, reversed_item.active_location) == ("Protected", "Recovery")
    items.planned_failover(item.id, "RecoveryToPrimary")
    items.commit(item.id)
    items.reprotect(item.id)
    home = items.get(item.id)
    assert (home.state, home.active_location) == ("Protected", "Primary")
    assert azure.world.virtual_networks.get(network.id).subnets[0].used_ips == ()


def test_a_recovery_plan_waits_for_its_manual_actions_and_fails_its_machines_over(protected: Life) -> None:
    actions = (PlanAction(name="switch DNS"), PlanAction(name="script", manual=False), PlanAction(name="check"))
    plan = protected.azure.recovery_plan(protected.vault, "plan", protected.item(protected.east_id), actions=actions)
    started = protected.world.recovery_plans.unplanned_failover(plan.id)
    job_id = protected.vault.id.child("replicationJobs", started.id)
    for action in ("switch DNS", "check"):
        (job,) = protected.world.jobs.list(protected.vault.id, state="Suspended")
        operation = protected.world.operations.get(started.id, scope=protected.vault.id)
        assert (job.target, operation.waits_for) == ("plan", action)
        assert protected.item(protected.east_id).active_location == "Primary"
        protected.world.jobs.resume(job_id)
    assert protected.world.jobs.get(job_id).state == "Succeeded"
    assert protected.item(protected.east_id).active_location == "Recovery"
    protected.world.recovery_plans.commit(plan.id)
    assert protected.item(protected.east_id).state == "UnplannedFailoverCommitted"
    with pytest.raises(ServiceError, match="cannot be resumed"):
        protected.world.jobs.resume(job_id)


def test_a_recovery_plan_fails_over_only_where_all_its_machines_may(protected: Life) -> None:
    plan = protected.azure.recovery_plan(protected.vault, "plan", protected.item(protected.east_id))
    protected.fail_over(protected.east_id)
    with pytest.raises(ServiceError, match="'UnplannedFailover' is not allowed"):
        protected.world.recovery_plans.unplanned_failover(plan.id)
    protected.items.delete(protected.east_id)
    with pytest.raises(NotFoundError):
        protected.world.recovery_plans.put(plan)
    protected.world.recovery_plans.delete(plan.id)
    assert protected.world.recovery_plans.list(protected.vault.id) == ()


def test_machines_that_have_failed_over_stay_so_where_a_later_one_of_their_plan_fails(protected: Life) -> None:
    lost = protected.azure.virtual_network("lost", "southeastasia")
    other = protected.azure.protected_machine(protected.vault, "vm2", protected.home, lost, subnet="web", ip="10.0.1.9")
    plan = protected.azure.recovery_plan(protected.vault, "plan", protected.item(protected.east_id), other)
    protected.world.virtual_networks.delete(lost.id)
    started = protected.world.recovery_plans.unplanned_failover(plan.id)
    assert protected.world.jobs.get(protected.vault.id.child("replicationJobs", started.id)).state == "Failed"
    first, second = protected.item(protected.east_id), protected.item(other.id)
    assert (first.state, first.scenario, first.active_location) == (
        "UnplannedFailoverCommitPendingStatesBegin",
        "",
        "Recovery",
    )
    assert (second.state, second.scenario, second.active_location) == ("UnplannedFailoverFailed", "", "Primary")


def test_a_recovery_plan_tests_and_cleans_up_its_machines(protected: Life) -> None:
    plan = protected.azure.recovery_plan(protected.vault, "plan", protected.item(protected.east_id))
    protected.world.recovery_plans.test_failover(plan.id, protected.test.id)
    assert protected.used(protected.test) == ("10.9.1.254",)
    protected.world.recovery_plans.test_failover_cleanup(plan.id)
    assert protected.used(protected.test) == ()


def test_a_recovery_plan_whose_failover_is_canceled_leaves_its_machines_where_they_were(protected: Life) -> None:
    plan = protected.azure.recovery_plan(protected.vault, "plan", protected.item(protected.east_id))
    protected.world.recovery_plans.unplanned_failover(plan.id)
    protected.world.recovery_plans.cancel(plan.id)
    assert protected.item(protected.east_id).active_location == "Primary"


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_lifecycle_continues_from_a_world_file(protected: Life, steps: int) -> None:
    item_id = protected.east_id
    if steps > 0:
        protected.fail_over(item_id)
    if steps > 1:
        protected.switch(protected.east.id, protected.east.id)
        item_id = protected.west_id
    document = parse(world_file.dumps(protected.world), WorldDocument)
    world = world_file.world_from(document, clock=SimulatedClock())
    assert world.protected_items.get(item_id) == protected.item(item_id)
    if steps == 1:
        request = SwitchRequest(item_name="item1", recovery_container_id=protected.east.id)
        world.protected_items.switch_protection(protected.east.id, request)
        assert world.protected_items.get(protected.west_id).is_reversed
    else:
        world.protected_items.unplanned_failover(item_id)
        assert world.protected_items.get(item_id).active_location == "Recovery"


def test_a_builder_makes_a_machine_whose_whole_lifecycle_can_be_played() -> None:
    azure = Builder()
    vault = azure.vault()
    home = azure.virtual_network("home", "eastasia", subnets={"web": "10.0.1.0/24"})
    away = azure.virtual_network("away", "southeastasia", subnets={"web": "10.0.1.0/24"})
    item = azure.protected_machine(vault, "vm1", home, away, subnet="web", ip="10.0.1.4")
    other = azure.protected_machine(vault, "vm2", home, away)
    items = azure.world.protected_items
    items.unplanned_failover(item.id)
    items.commit(item.id)
    request = SwitchRequest(item_name="vm1", recovery_container_id=item.id.parent)
    items.switch_protection(item.id.parent, request)
    moved, stayed = sorted(items.list(vault.id), key=lambda known: known.friendly_name)
    assert (moved.is_reversed, moved.state, stayed.id) == (True, "Protected", other.id)


def test_revoking_a_right_removes_that_right_only(protected: Life) -> None:
    kind = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings"
    protected.azure.deny(f"{kind}/write")
    mapping, _ = protected.world.mappings.list(protected.vault.id)
    with pytest.raises(ForbiddenError, match="write"):
        protected.world.mappings.put(mapping.id, MappingRequest(recovery_network_id=protected.test.id))
    assert protected.world.subscriptions.rights(protected.vault.id)[0].not_actions == (f"{kind}/write",)
    assert protected.world.mappings.delete(mapping.id) is not None


def test_a_lagging_list_lags_behind_the_end_of_the_operation() -> None:
    life = Life(seconds=SECONDS)
    life.world.behaviour = structs.replace(life.world.behaviour, list_lag=60)
    fabric = life.vault.id.child("replicationFabrics", "third")
    life.world.fabrics.put(fabric, "japaneast")
    life.clock.sleep(SECONDS + 59)
    assert fabric not in [known.id for known in life.world.fabrics.list(life.vault.id)]
    life.clock.sleep(1)
    assert fabric in [known.id for known in life.world.fabrics.list(life.vault.id)]


def test_an_address_that_is_not_selected_does_not_land(protected: Life) -> None:
    item = protected.item(protected.east_id)
    (nic,) = item.nics
    second = IpConfiguration(name="second", primary=False, subnet="web", ip="10.0.1.5", selected_for_failover=False)
    addresses = (*nic.ip_configurations, second)
    protected.azure.add(structs.replace(item, nics=(structs.replace(nic, ip_configurations=addresses),)))
    protected.fail_over(protected.east_id)
    assert protected.used(protected.away) == ("10.0.1.4",)


def test_a_reprotected_machine_keeps_its_policy_and_extras_and_none_of_its_old_networks(protected: Life) -> None:
    item = protected.item(protected.east_id)
    networks = {"recovery_network_id": protected.away.id, "test_network_id": protected.test.id}
    protected.azure.add(structs.replace(item, **networks, settings={"recoveryAzureVMName": "vm1-dr"}))
    protected.world.extras[protected.east_id.key] = {"lifecycleId": "7"}
    protected.fail_over(protected.east_id)
    group = protected.azure.resource_group("rg-home")
    request = SwitchRequest(
        item_name="item1", recovery_container_id=protected.east.id, recovery_resource_group_id=group.id
    )
    protected.items.switch_protection(protected.east.id, request)
    moved = protected.item(protected.west_id)
    assert (moved.recovery_network_id, moved.test_network_id) == (None, None)
    assert (moved.policy_id, moved.recovery_group_id) == (protected.policy.id, group.id)
    assert protected.world.state.protected_item(moved.id).settings == {}
    assert protected.world.extras == {protected.west_id.key: {"lifecycleId": "7"}}


def test_a_test_environment_shows_that_it_is_being_cleaned_up() -> None:
    life = Life(seconds=SECONDS)
    life.end(life.enable())
    life.replicated()
    life.end(life.items.test_failover(life.east_id, life.test.id))
    started = life.items.test_failover_cleanup(life.east_id)
    assert life.item(life.east_id).test_failover_state == "MarkedForDeletion"
    life.end(started)
    assert life.item(life.east_id).test_failover_state == "None"


def test_a_subnet_may_be_chosen_by_its_id(life: Life) -> None:
    life.enable(recovery_subnet=str(life.away.id.child("subnets", "app")))
    life.fail_over(life.east_id)
    assert life.address(life.east_id) == ("away", "app", "10.0.2.4")


def test_a_policy_that_only_a_machine_uses_is_not_deleted(protected: Life) -> None:
    for mapping in protected.world.container_mappings.list(protected.vault.id):
        protected.world.container_mappings.remove(mapping.id, method="DELETE")
    with pytest.raises(ConflictError, match="'item1'"):
        protected.world.policies.delete(protected.policy.id)


@pytest.mark.parametrize("waited", [0, SECONDS])
def test_a_machine_continues_replicating_in_the_world_of_a_file(waited: int) -> None:
    life = Life(seconds=SECONDS)
    life.end(life.enable())
    life.clock.sleep(waited)
    clock = SimulatedClock()
    world = world_file.world_from(parse(world_file.dumps(life.world), WorldDocument), clock=clock)
    assert world.protected_items.get(life.east_id) == life.item(life.east_id)
    clock.sleep(2 * SECONDS - waited)
    life.replicated()
    assert life.item(life.east_id).state == "Protected"
    assert world.protected_items.get(life.east_id) == life.item(life.east_id)


def test_a_failed_job_can_be_restarted_and_a_succeeded_one_cannot(protected: Life) -> None:
    protected.world.faults.add(Fault(effect="operation_fails", kind="unplannedfailover"))
    started = protected.items.unplanned_failover(protected.east_id)
    job_id = protected.vault.id.child("replicationJobs", started.id)
    assert protected.world.jobs.get(job_id).state == "Failed"
    protected.world.jobs.restart(job_id)
    assert protected.world.jobs.get(job_id).state == "Succeeded"
    assert protected.item(protected.east_id).active_location == "Recovery"
    with pytest.raises(ServiceError, match="cannot be restarted"):
        protected.world.jobs.restart(job_id)


def test_a_machine_is_busy_while_its_recovery_plan_waits_and_free_when_that_is_canceled(protected: Life) -> None:
    item = protected.item(protected.east_id)
    plan = protected.azure.recovery_plan(protected.vault, "plan", item, actions=(PlanAction(name="look"),))
    started = protected.world.recovery_plans.unplanned_failover(plan.id)
    job_id = protected.vault.id.child("replicationJobs", started.id)
    assert protected.items.current_job(protected.east_id) == job_id
    with pytest.raises(ConflictError, match="is in progress for 'vm1'"):
        protected.items.test_failover(protected.east_id, protected.test.id)
    protected.world.jobs.cancel(job_id)
    assert protected.items.current_job(protected.east_id) is None
    protected.items.test_failover(protected.east_id, protected.test.id)


def test_reading_the_job_of_a_machine_takes_no_time(protected: Life) -> None:
    protected.world.behaviour = structs.replace(protected.world.behaviour, operations="manual:2")
    started = protected.items.unplanned_failover(protected.east_id)
    for _ in range(5):
        assert protected.items.current_job(protected.east_id) is not None
    states = [protected.world.operations.get(started.id, scope=protected.vault.id).state for _ in range(2)]
    assert states == ["InProgress", "Succeeded"]


def test_a_saved_machine_does_not_keep_an_unfinished_operation() -> None:
    life = Life(seconds=SECONDS)
    life.end(life.enable())
    life.replicated()
    life.end(life.items.test_failover(life.east_id, life.test.id))
    tested = life.item(life.east_id)
    life.items.test_failover_cleanup(life.east_id)
    world = world_file.world_from(parse(world_file.dumps(life.world), WorldDocument), clock=SimulatedClock())
    assert world.protected_items.get(life.east_id) == tested


def test_re_protection_deletes_the_machine_that_was_left_behind_and_frees_its_addresses(life: Life) -> None:
    life.enable(recovery_resource_group_id=life.vault.id.parent)
    life.fail_over(life.east_id)
    assert life.world.virtual_machines.get(life.machine.id) is not None
    assert life.used(life.home) == ("10.0.1.4",)
    life.switch(life.east.id, life.east.id)
    assert life.world.virtual_machines.get(life.machine.id) is None
    assert life.used(life.home) == ()


def test_the_address_of_a_test_failover_is_static(protected: Life) -> None:
    protected.items.test_failover(protected.east_id, protected.test.id)
    machine_id = protected.items.recovery_machine_id(protected.item(protected.east_id))
    test_machine_id = machine_id.parent.child("providers", "Microsoft.Compute", "virtualMachines", "vm1-test")
    machine = protected.world.virtual_machines.get(test_machine_id)
    assert machine is not None
    assert [address.ip_type for address in machine.nics[0].ip_configurations] == ["Static"]
