"""The roles that asrnet asks for: their actions, their scopes, their form."""

from __future__ import annotations

import json

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, row

from asrnet.desired import CopySettings, DesiredState, Region, Rule, VmmRow, VmNetworkName
from asrnet.diagnostics.roles import actions, role, scopes, tasks_of
from asrnet.model.arm import ArmId
from asrnet.model.plan import to_json
from asrnet.model.rights import TASKS, Task, grant_hint, optional_rights

PREFIX = "Microsoft.RecoveryServices/vaults/"
MAPPING = f"{PREFIX}replicationFabrics/replicationNetworks/replicationNetworkMappings"


@pytest.fixture
def azure() -> TwoRegions:
    return TwoRegions()


@pytest.fixture
def desired(azure: TwoRegions) -> DesiredState:
    return azure.state(row(azure.network("hub"), azure.network("dr", SEA)))


def verbs(task: Task, desired: DesiredState) -> set[str]:
    return {action.rpartition("/")[2] for action in actions(task, desired)}


def test_planning_only_reads(desired: DesiredState) -> None:
    assert verbs("plan", desired) == {"read"}


def test_apply_needs_the_right_to_delete_and_explains_that_a_retarget_deletes(desired: DesiredState) -> None:
    found = role("apply", desired)
    assert {f"{MAPPING}/write", f"{MAPPING}/delete"} <= set(found.actions)
    assert "a retarget deletes" in found.description


def test_pruning_deletes_and_does_not_write(desired: DesiredState) -> None:
    assert verbs("prune", desired) == {"read", "delete"}


def test_creating_networks_touches_no_vault(desired: DesiredState) -> None:
    assert not any("RecoveryServices" in action for action in actions("create-networks", desired))


def test_copies_in_landing_zones_join_security_groups_route_tables_and_plans_and_touch_no_vault(
    desired: DesiredState,
) -> None:
    more = set(actions("landing-zones", desired)) - set(actions("create-networks", desired))
    assert more == {
        "Microsoft.Network/ddosProtectionPlans/join/action",
        "Microsoft.Network/networkSecurityGroups/join/action",
        "Microsoft.Network/networkSecurityGroups/read",
        "Microsoft.Network/routeTables/join/action",
        "Microsoft.Network/routeTables/read",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Resources/subscriptions/resourceGroups/write",
    }
    assert "Microsoft.Network/virtualNetworks/subnets/write" in actions("landing-zones", desired)
    assert not any("RecoveryServices" in action for action in actions("landing-zones", desired))


def test_network_interfaces_are_read_in_whole_subscriptions_by_a_role_that_does_nothing_else(
    azure: TwoRegions, desired: DesiredState
) -> None:
    rights = {"Microsoft.Authorization/permissions/read", "Microsoft.Network/networkInterfaces/read"}
    assert set(actions("nics", desired)) == rights
    (subscription,) = desired.subscriptions.values()
    assert scopes("nics", desired) == (f"/subscriptions/{subscription}",)
    assert scopes("nics", azure.state(rules=(Rule(name="all", vault="sea"),))) == (f"/subscriptions/{subscription}",)
    assert scopes("nics", azure.state()) == ()


def test_the_role_for_machines_joins_subnets_of_their_recovery_and_test_networks(azure: TwoRegions) -> None:
    networks = {name: azure.network(name, SEA, group=f"rg-{name}") for name in ("dr", "of-row", "of-regions")}
    regions = (Region(primary=EA, recovery=SEA, test=networks["of-regions"].id),)
    desired = azure.state(row(azure.network("hub"), networks["dr"], test=networks["of-row"].id), regions=regions)
    assert "Microsoft.Network/virtualNetworks/subnets/join/action" in actions("machines", desired, minimal=True)
    groups = {scope.rpartition("/")[2] for scope in scopes("machines", desired)}
    assert groups >= {"rg-dr", "rg-of-row", "rg-of-regions"}


@pytest.mark.parametrize(
    ("action", "task"),
    [
        ("Microsoft.Network/virtualNetworks/read", "plan"),
        (f"{MAPPING}/WRITE", "apply"),
        (f"{PREFIX}replicationFabrics/write", "apply"),
        (f"{PREFIX}replicationFabrics/replicationLogicalNetworks/read", "plan"),
        ("Microsoft.Network/virtualNetworks/subnets/join/action", "machines"),
        ("Microsoft.Network/virtualNetworks/write", "create-networks"),
        ("Microsoft.Network/routeTables/join/action", "landing-zones"),
        ("Microsoft.Network/networkInterfaces/read", "nics"),
    ],
)
def test_what_to_do_about_a_missing_right_names_the_task_whose_role_has_it(action: str, task: str) -> None:
    assert grant_hint(action) == f"grant '{action}'; 'asrnet permissions --for {task}' prints a role that has it"


def test_a_right_that_no_role_has_is_to_be_granted_by_itself() -> None:
    assert grant_hint("Microsoft.Compute/disks/write") == "grant 'Microsoft.Compute/disks/write'"


@pytest.mark.parametrize("task", TASKS)
def test_every_role_may_read_its_own_rights(task: Task, desired: DesiredState) -> None:
    assert "Microsoft.Authorization/permissions/read" in actions(task, desired, minimal=True)


def test_the_right_to_create_fabrics_is_needed_only_where_the_file_allows_it(desired: DesiredState) -> None:
    write = f"{PREFIX}replicationFabrics/write"
    assert write not in actions("apply", desired)
    creating = structs.replace(desired, vaults=(structs.replace(desired.vaults[0], create_fabrics=True),))
    assert write in actions("apply", creating)
    assert write not in actions("plan", creating)


def test_vm_networks_logical_networks_and_clouds_are_read_only_for_vmm_rows(desired: DesiredState) -> None:
    one = VmNetworkName(server="s", network="n")
    with_vmm = structs.replace(desired, vmm_pairs=(VmmRow(name="v", vault="sea", primary=one, recovery=one),))
    more = set(actions("plan", with_vmm)) - set(actions("plan", desired))
    assert {action.removeprefix(PREFIX) for action in more} == {
        "replicationFabrics/replicationLogicalNetworks/read",
        "replicationFabrics/replicationNetworks/read",
        "replicationFabrics/replicationProtectionContainers/replicationProtectionContainerMappings/read",
        "replicationProtectionContainerMappings/read",
    }


@pytest.mark.parametrize("task", TASKS)
def test_the_minimal_role_lacks_what_is_optional_and_nothing_else(task: Task, desired: DesiredState) -> None:
    whole, minimal = actions(task, desired), actions(task, desired, minimal=True)
    assert set(whole) - set(minimal) == set(optional_rights(whole))
    assert optional_rights(minimal) == ()


def test_scopes_are_the_groups_of_vaults_and_networks(azure: TwoRegions, desired: DesiredState) -> None:
    groups = {f"/subscriptions/{one.subscription}/resourceGroups/{one.resource_group}" for one in _ids(desired)}
    assert set(scopes("apply", desired)) == groups
    assert scopes("create-networks", desired) == ()
    assert azure.vault.id in _ids(desired)


def _ids(desired: DesiredState) -> set[ArmId]:
    rows = {network for each in desired.pairs for network in (each.primary, each.recovery) if network}
    return rows | {vault.id for vault in desired.vaults}


def test_rules_need_the_subscriptions_that_they_search(desired: DesiredState) -> None:
    ruled = structs.replace(desired, rules=(Rule(name="all", vault="sea", recovery="/x"),))
    (subscription,) = ruled.subscriptions.values()
    assert scopes("plan", ruled) == (f"/subscriptions/{subscription}",)


def test_copies_are_created_in_their_group_only(azure: TwoRegions) -> None:
    desired = azure.state(row(azure.network("app", group="Rg-App"), None))
    (subscription,) = desired.subscriptions.values()
    assert scopes("create-networks", desired) == (f"/subscriptions/{subscription}/resourceGroups/Rg-App-asr",)
    assert f"/subscriptions/{subscription}/resourceGroups/Rg-App-asr" in scopes("plan", desired)


def test_landing_zones_need_the_subscription_of_their_copies(azure: TwoRegions) -> None:
    desired = azure.state(row(azure.network("app", group="Rg-App"), None))
    (subscription,) = desired.subscriptions.values()
    assert scopes("landing-zones", desired) == (f"/subscriptions/{subscription}",)


def test_copies_of_what_rules_find_go_where_the_template_says(azure: TwoRegions) -> None:
    fixed = Region(primary=EA, recovery=SEA, copy=CopySettings(resource_group="rg-copies"))
    open_ = Region(primary=EA, recovery=SEA)
    rules = (Rule(name="all", vault="sea"),)
    (subscription,) = azure.state().subscriptions.values()
    whole = f"/subscriptions/{subscription}"
    copies = f"{whole}/resourceGroups/rg-copies"
    assert scopes("create-networks", azure.state(rules=rules, regions=(fixed,))) == (copies,)
    assert scopes("create-networks", azure.state(rules=rules, regions=(open_,))) == (whole,)


def test_a_pair_that_another_tool_manages_needs_no_rights_for_copies(azure: TwoRegions) -> None:
    desired = azure.state(row(azure.network("app"), None, managed_by="terraform"))
    assert tasks_of(desired) == ("apply",)


def test_the_tasks_are_those_that_applying_the_file_needs(azure: TwoRegions) -> None:
    desired = azure.state(row(azure.network("app"), None), unmanaged="delete")
    assert tasks_of(desired) == ("apply", "create-networks", "prune")


def test_a_role_has_the_form_that_az_reads(desired: DesiredState) -> None:
    said = json.loads(to_json(role("apply", desired, name="DR mappings")))
    assert list(said) == [
        "Name",
        "IsCustom",
        "Description",
        "Actions",
        "NotActions",
        "DataActions",
        "NotDataActions",
        "AssignableScopes",
    ]
    assert (said["Name"], said["IsCustom"]) == ("DR mappings", True)
    assert said["Actions"] == sorted(set(said["Actions"]))
