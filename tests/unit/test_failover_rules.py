"""The rules of failover and test failover, one row per rule: what is given, what follows.

A row's id is the code of its rule; docs/failover-rules.md names these rows, and test_failover_rules_page checks that.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from failover_worlds import (
    SHANGHAI,
    VAULT,
    address,
    codes,
    item,
    land,
    machine,
    mapping,
    prediction,
    subnet,
    vm_network,
    vnet,
)

from asrnet.changes import to_json
from asrnet.failover import (
    RULES,
    Network,
    Operation,
    choose_subnet,
    machines_of_items,
    machines_of_subnets,
)
from asrnet.models import IpConfiguration, MappingKind, NetworkMapping, Nic

EA = vnet("hub-ea", subnet("web", "10.0.1.0/24"), subnet("db", "10.0.2.0/24"))
SEA = vnet("hub-sea", subnet("web", "10.0.1.0/24"), subnet("db", "10.0.2.0/24"))
OTHER = vnet("other-sea", subnet("web", "10.0.1.0/24"))
TEST = vnet("test-sea", subnet("web", "10.0.1.0/24"))
GATEWAY = vnet("gateway-sea", subnet("web", "10.0.1.0/24"), gateway=True)
CORP = vm_network("corp")
SITE2 = vm_network("site2", fabric=SHANGHAI)
NETWORKS = (EA, SEA, OTHER, TEST, GATEWAY, CORP, SITE2)

A2A: MappingKind = "azure_to_azure"
TO_AZURE: MappingKind = "vmm_to_azure"
TO_VMM: MappingKind = "vmm_to_vmm"

HOME = "10.0.1.20"
FULL = [f"10.0.1.{n}" for n in range(4, 8)]


# --- the network ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("primary", "own", "mapped", "kind", "lands_on", "outcome"),
    [
        pytest.param(EA, None, [SEA], A2A, SEA, "keeps_address", id="a2a_mapped"),
        pytest.param(EA, None, [], A2A, None, "loses_connectivity", id="a2a_unmapped"),
        pytest.param(EA, OTHER, [SEA], A2A, OTHER, "keeps_address", id="own_network"),
        pytest.param(CORP, None, [SITE2], TO_VMM, SITE2, "unknown", id="vmm_mapped"),
        pytest.param(CORP, None, [], TO_VMM, None, "loses_connectivity", id="vmm_unmapped"),
        pytest.param(CORP, None, [SEA], TO_AZURE, SEA, "changes_address", id="vmm_azure_mapped"),
        pytest.param(CORP, None, [GATEWAY], TO_AZURE, GATEWAY, "changes_address", id="vmm_azure_gateway"),
        pytest.param(CORP, None, [], TO_AZURE, None, "loses_connectivity", id="vmm_azure_unmapped"),
        pytest.param(CORP, OTHER, [SEA], TO_AZURE, OTHER, "changes_address", id="vmm_own_network"),
        pytest.param(EA, None, [SEA, OTHER], A2A, None, "unknown", id="ambiguous_mapping"),
    ],
)
def test_network_after_failover(
    request: pytest.FixtureRequest,
    *,
    primary: Network,
    own: Network | None,
    mapped: list[Network],
    kind: MappingKind,
    lands_on: Network | None,
    outcome: str,
) -> None:
    one = machine("vm", primary, address("web", HOME), nic={"recovery_network_id": own.id if own else None}, kind=kind)
    landing = land(one, NETWORKS, [mapping(primary, each) for each in mapped])
    assert landing.network_id == (lands_on.id if lands_on else None)
    assert landing.network_rule is RULES[request.node.callspec.id]
    assert landing.outcome == outcome


@pytest.mark.parametrize(
    ("own_test", "named", "lands_on"),
    [
        pytest.param(None, None, SEA, id="test_failover_network"),
        pytest.param(None, TEST, TEST, id="test_named_network"),
        pytest.param(OTHER, TEST, OTHER, id="test_own_network"),
    ],
)
def test_network_in_a_test_failover(
    request: pytest.FixtureRequest, own_test: Network | None, named: Network | None, lands_on: Network
) -> None:
    one = machine("vm", EA, address("web", HOME), nic={"test_network_id": own_test.id if own_test else None})
    landing = land(one, NETWORKS, [mapping(EA, SEA)], "test-failover", test_network_id=named.id if named else None)
    assert landing.network_id == lands_on.id
    assert landing.network_rule is RULES[request.node.callspec.id]


def test_an_own_network_that_differs_is_said_beside_the_mappings() -> None:
    one = machine("vm", EA, address("web", HOME), nic={"recovery_network_id": OTHER.id})
    landing = land(one, NETWORKS, [mapping(EA, SEA)])
    assert (landing.own_network_id, landing.mapped_network_id) == (OTHER.id, SEA.id)
    assert codes(landing) == {"differs_from_mapping"}


def test_an_own_network_that_is_the_mappings_is_nothing_to_speak_of() -> None:
    one = machine("vm", EA, address("web", HOME), nic={"recovery_network_id": SEA.id})
    landing = land(one, NETWORKS, [mapping(EA, SEA)])
    assert landing.network_rule.code == "a2a_mapped"
    assert landing.notices == ()


def test_only_mappings_of_the_machines_own_vault_and_recovery_fabric_count() -> None:
    to_sea, to_other = mapping(EA, SEA), mapping(EA, OTHER)
    one = machine("vm", EA, address("web", HOME), vault_id=VAULT, recovery_fabric_id=to_other.recovery_fabric_id)
    assert land(one, NETWORKS, [to_sea, to_other]).network_id == OTHER.id
    elsewhere = machine("vm", EA, address("web", HOME), vault_id=VAULT.parent.child("providers", "x", "vaults", "v2"))
    assert land(elsewhere, NETWORKS, [to_sea]).network_id is None


def test_a_mapping_to_azure_counts_whatever_fabric_it_names() -> None:
    one = machine("vm", CORP, address(None), recovery_fabric_id=SHANGHAI)
    assert land(one, NETWORKS, [mapping(CORP, SEA)]).network_id == SEA.id


def test_two_mappings_that_agree_are_not_ambiguous() -> None:
    twice = [mapping(EA, SEA, name="one"), mapping(EA, SEA, name="two")]
    assert land(machine("vm", EA, address("web", HOME)), NETWORKS, twice).network_id == SEA.id


def test_mappings_that_differ_are_named_by_their_ids() -> None:
    both = [mapping(EA, SEA), mapping(EA, OTHER)]
    [notice] = land(machine("vm", EA, address("web", HOME)), NETWORKS, both).notices
    assert notice.code == "ambiguous_mapping"
    assert all(str(each.id) in notice.message for each in both)


def test_a_mapping_that_is_not_paired_is_warned_about() -> None:
    landing = land(machine("vm", EA, address("web", HOME)), NETWORKS, [mapping(EA, SEA, state="NotPaired")])
    assert codes(landing) == {"mapping_not_paired"}
    assert landing.network_id == SEA.id


def test_a_recovery_network_that_was_not_read_leaves_subnet_and_address_unknown() -> None:
    landing = land(machine("vm", EA, address("web", HOME)), [EA], [mapping(EA, SEA)])
    assert (landing.network_id, landing.subnet, landing.ip, landing.outcome) == (SEA.id, None, None, "unknown")
    assert codes(landing) == {"network_not_read"}


def test_a_vm_network_without_mapping_is_taken_for_what_its_servers_other_mappings_are() -> None:
    second = vm_network("second")
    landing = land(machine("vm", second, address(None)), [*NETWORKS, second], [mapping(CORP, GATEWAY)])
    assert landing.network_rule is RULES["vmm_azure_unmapped"]


def test_a_test_in_the_failover_network_recommends_another() -> None:
    one = machine("vm", EA, address("web", HOME))
    assert codes(land(one, NETWORKS, [mapping(EA, SEA)], "test-failover")) == {"test_in_failover_network"}
    assert codes(land(one, NETWORKS, [mapping(EA, SEA)], "test-failover", test_network_id=TEST.id)) == set()


def test_an_own_test_network_beside_the_named_one_is_said() -> None:
    one = machine("vm", EA, address("web", HOME), nic={"test_network_id": OTHER.id})
    landing = land(one, NETWORKS, [mapping(EA, SEA)], "test-failover", test_network_id=TEST.id)
    assert codes(landing) == {"test_network_differs"}


# --- the subnet -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "names", "primary", "chosen"),
    [
        pytest.param(A2A, ["app", "web"], "WEB", "web", id="subnet_same_name"),
        pytest.param(A2A, ["zoo", "Backend", "app"], "web", "app", id="subnet_first_alphabetical"),
        pytest.param(TO_AZURE, ["zoo", "web"], "web", "web", id="vmm_subnet_same_name"),
        pytest.param(TO_AZURE, ["zoo", "app"], "web", "zoo", id="vmm_subnet_first"),
    ],
)
def test_subnet_by_name(
    request: pytest.FixtureRequest, kind: MappingKind, names: list[str], primary: str, chosen: str
) -> None:
    choice = choose_subnet(names, primary, kind)
    assert choice is not None
    assert (choice.name, choice.rule) == (chosen, RULES[request.node.callspec.id])


@pytest.mark.parametrize(
    ("recovery_subnets", "own_subnet", "lands_in", "outcome"),
    [
        pytest.param([subnet("app", "10.0.1.0/24"), subnet("web", "10.0.1.0/24")], "app", "app", "keeps_address",
                     id="own_subnet"),
        pytest.param([], None, None, "loses_connectivity", id="no_subnet"),
    ],
)  # fmt: skip
def test_subnet_otherwise(
    request: pytest.FixtureRequest, recovery_subnets: list[Any], own_subnet: str | None, lands_in: str, outcome: str
) -> None:
    recovery = vnet("recovery", *recovery_subnets)
    landing = land(
        machine("vm", EA, address("web", HOME, recovery_subnet=own_subnet)), [EA, recovery], [mapping(EA, recovery)]
    )
    assert (landing.subnet, landing.outcome) == (lands_in, outcome)
    assert landing.subnet_rule is RULES[request.node.callspec.id]


def test_an_own_subnet_that_differs_is_said_beside_the_rule_of_names() -> None:
    recovery = vnet("recovery", subnet("app", "10.0.1.0/24"), subnet("web", "10.0.1.0/24"))
    landing = land(
        machine("vm", EA, address("web", HOME, recovery_subnet="app")), [EA, recovery], [mapping(EA, recovery)]
    )
    assert (landing.own_subnet, landing.named_subnet, codes(landing)) == ("app", "web", {"subnet_differs"})


def test_an_own_subnet_that_does_not_exist_leaves_the_address_unknown() -> None:
    landing = land(machine("vm", EA, address("web", HOME, recovery_subnet="gone")), NETWORKS, [mapping(EA, SEA)])
    assert (landing.subnet, landing.ip, landing.outcome) == ("gone", None, "unknown")
    assert codes(landing) == {"own_subnet_missing"}


@pytest.mark.parametrize(
    "name",
    [
        "GatewaySubnet",
        "AzureFirewallSubnet",
        "AzureFirewallManagementSubnet",
        "AzureBastionSubnet",
        "RouteServerSubnet",
        "gatewaysubnet",
    ],
)
def test_falling_back_to_a_subnet_of_a_service_is_warned_about(name: str) -> None:
    recovery = vnet("recovery", subnet("zzz", "10.0.1.0/24"), subnet(name, "10.0.9.0/27"))
    landing = land(machine("vm", EA, address("web", HOME)), [EA, recovery], [mapping(EA, recovery)])
    assert (landing.subnet, codes(landing)) == (name, {"fallback_subnet_reserved"})
    assert landing.has_warning


def test_falling_back_to_a_delegated_subnet_is_warned_about() -> None:
    recovery = vnet("recovery", subnet("app", "10.0.1.0/24", delegated="Microsoft.Sql/managedInstances"))
    landing = land(machine("vm", EA, address("web", HOME)), [EA, recovery], [mapping(EA, recovery)])
    assert codes(landing) == {"fallback_subnet_delegated"}
    assert "Microsoft.Sql/managedInstances" in landing.notices[0].message


def test_a_delegated_subnet_of_the_same_name_is_no_fallback() -> None:
    recovery = vnet("recovery", subnet("web", "10.0.1.0/24", delegated="Microsoft.Web/serverFarms"))
    assert codes(land(machine("vm", EA, address("web", HOME)), [EA, recovery], [mapping(EA, recovery)])) == set()


def test_without_a_known_primary_subnet_the_only_one_is_taken_and_among_several_none() -> None:
    one = machine("vm", EA, address(None, HOME))
    assert land(one, NETWORKS, [mapping(EA, OTHER)]).subnet == "web"
    unclear = land(one, NETWORKS, [mapping(EA, SEA)])
    assert (unclear.subnet, unclear.outcome, codes(unclear)) == (None, "unknown", {"primary_subnet_unknown"})


def test_a_recovery_network_without_subnets_is_warned_about() -> None:
    empty = vnet("empty")
    assert codes(land(machine("vm", EA, address("web", HOME)), [EA, empty], [mapping(EA, empty)])) == {"network_empty"}


# --- the address: Azure to Azure --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recovery", "ip", "own_ip", "lands_at", "outcome"),
    [
        pytest.param(subnet("web", "10.0.1.0/24"), HOME, None, HOME, "keeps_address", id="address_kept"),
        pytest.param(subnet("web", "10.0.1.0/24", used=[HOME]), HOME, None, "10.0.1.4", "changes_address",
                     id="address_taken"),
        pytest.param(subnet("web", "10.0.1.16/28"), "10.0.1.19", None, "10.0.1.20", "changes_address",
                     id="address_reserved"),
        pytest.param(subnet("web", "10.9.0.0/24"), HOME, None, "10.9.0.4", "changes_address",
                     id="address_other_space"),
        pytest.param(subnet("web", "10.9.0.0/24"), HOME, "10.9.0.77", "10.9.0.77", "changes_address",
                     id="address_own"),
        pytest.param(subnet("web", "10.9.0.0/24", used=["10.9.0.77"]), HOME, "10.9.0.77", "10.9.0.4",
                     "changes_address", id="address_own_unavailable"),
        pytest.param(subnet("web", "10.0.1.0/29", used=FULL[:3]), HOME, None, None, "loses_connectivity",
                     id="subnet_full"),
        pytest.param(subnet("web", "10.0.1.0/24"), None, None, None, "keeps_address", id="space_same"),
        pytest.param(subnet("web", "10.0.1.0/25"), None, None, None, "unknown", id="space_unclear"),
        pytest.param(subnet("web", "10.0.1.0/24"), "fd00::4", None, None, "not_failed_over", id="ipv6_left_out"),
    ],
)  # fmt: skip
def test_address_between_regions(
    request: pytest.FixtureRequest, *, recovery: Any, ip: str | None, own_ip: str | None, lands_at: str, outcome: str
) -> None:
    there = vnet("recovery", recovery)
    landing = land(machine("vm", EA, address("web", ip, recovery_ip=own_ip)), [EA, there], [mapping(EA, there)])
    assert (landing.ip, landing.outcome) == (lands_at, outcome)
    assert landing.address_rule is RULES[request.node.callspec.id]
    assert landing.rule is landing.address_rule


@pytest.mark.parametrize(
    ("test_subnet", "own_ip", "lands_at"),
    [
        pytest.param(subnet("web", "10.0.1.0/24"), None, HOME, id="test_address_kept"),
        pytest.param(subnet("web", "10.0.1.0/24", used=[HOME]), None, "10.0.1.254", id="test_address_end"),
    ],
)
def test_address_in_a_test_failover(
    request: pytest.FixtureRequest, test_subnet: Any, own_ip: str | None, lands_at: str
) -> None:
    there = vnet("there", test_subnet)
    one = machine("vm", EA, address("web", HOME, recovery_ip=own_ip))
    landing = land(one, [EA, SEA, there], [mapping(EA, SEA)], "test-failover", test_network_id=there.id)
    assert landing.ip == lands_at
    assert landing.address_rule is RULES[request.node.callspec.id]


def test_whole_subnets_are_judged_by_their_address_spaces() -> None:
    there = vnet("there", subnet("web", "10.0.1.0/24"), subnet("db", "10.7.0.0/24"))
    answer = prediction(machines_of_subnets([EA]), [EA, there], [mapping(EA, there)])
    assert [(each.primary_subnet, each.rule.code, each.outcome) for each in answer.landings] == [
        ("web", "space_same", "keeps_address"),
        ("db", "space_differs", "changes_address"),
    ]
    assert all(each.ip is None for each in answer.landings)


def test_a_subnet_that_is_only_partly_in_the_same_address_space_is_unclear() -> None:
    home = vnet("home", subnet("web", "10.0.1.0/24", "10.0.7.0/24"))
    [landing] = prediction(machines_of_subnets([home]), [home, SEA], [mapping(home, SEA)]).landings
    assert (landing.rule, landing.outcome) == (RULES["space_unclear"], "unknown")


def test_whole_subnets_leave_out_those_that_no_machine_can_be_in() -> None:
    network = vnet("hub", subnet("GatewaySubnet", "10.0.0.0/27"), subnet("web", "10.0.1.0/24"))
    assert [each.nics[0].name for each in machines_of_subnets([network])] == ["web"]


@pytest.mark.parametrize("whole_subnet", [pytest.param(True, id="space_differs")])
def test_another_address_space_for_all_machines_of_a_subnet(
    request: pytest.FixtureRequest, *, whole_subnet: bool
) -> None:
    there = vnet("there", subnet("web", "10.9.0.0/24"))
    landing = land(machine("subnet", EA, address("web"), whole_subnet=whole_subnet), [EA, there], [mapping(EA, there)])
    assert landing.address_rule is RULES[request.node.callspec.id]
    assert landing.outcome == "changes_address"


@pytest.mark.parametrize(
    ("recovery", "ip"),
    [
        (subnet("web", "10.9.0.0/24", "10.0.1.0/24"), HOME),
        (subnet("web", "10.0.0.0/16"), HOME),
    ],
)
def test_an_address_in_any_prefix_of_the_subnet_is_in_its_address_space(recovery: Any, ip: str) -> None:
    there = vnet("there", recovery)
    assert land(machine("vm", EA, address("web", ip)), [EA, there], [mapping(EA, there)]).ip == ip


def test_when_one_prefix_is_used_up_the_next_one_serves() -> None:
    there = vnet("there", subnet("web", "10.9.0.0/29", "10.8.0.0/29"))
    machines = [machine(f"vm{n}", EA, address("web", f"10.0.1.{n + 20}")) for n in range(4)]
    answer = prediction(machines, [EA, there], [mapping(EA, there)])
    assert [each.ip for each in answer.landings] == ["10.9.0.4", "10.9.0.5", "10.9.0.6", "10.8.0.4"]


def test_in_a_test_the_end_of_the_range_is_the_end_of_the_last_prefix() -> None:
    there = vnet("there", subnet("web", "10.9.0.0/29", "10.8.0.0/29"))
    machines = [machine(f"vm{n}", EA, address("web", f"10.0.1.{n + 20}")) for n in range(4)]
    answer = prediction(machines, [EA, there], [mapping(EA, there)], "test-failover")
    assert [each.ip for each in answer.landings] == ["10.8.0.6", "10.8.0.5", "10.8.0.4", "10.9.0.6"]


def test_an_address_given_to_one_machine_is_taken_for_the_next() -> None:
    there = vnet("there", subnet("web", "10.0.1.0/24", used=["10.0.1.20"]))
    first, second = (
        machine("first", EA, address("web", "10.0.1.20")),
        machine("second", EA, address("web", "10.0.1.4")),
    )
    one, other = prediction([first, second], [EA, there], [mapping(EA, there)]).landings
    assert (one.ip, one.detail) == ("10.0.1.4", "10.0.1.20 is in use there")
    assert (other.ip, other.address_rule) == ("10.0.1.5", RULES["address_taken"])
    assert other.detail == "10.0.1.4 is assigned to first"


@pytest.mark.parametrize(
    ("operation", "used", "lands_at"),
    [
        ("failover", ["10.9.0.4", "10.9.0.5", "10.9.0.7"], ["10.9.0.6", "10.9.0.8"]),
        ("test-failover", ["10.9.0.254", "10.9.0.252"], ["10.9.0.253", "10.9.0.251"]),
    ],
)
def test_the_next_available_address_is_the_next_that_nobody_uses(
    operation: Operation, used: list[str], lands_at: list[str]
) -> None:
    there = vnet("there", subnet("web", "10.9.0.0/24", used=used))
    machines = [machine(f"vm{n}", EA, address("web", f"10.0.1.{n + 20}")) for n in range(2)]
    assert [each.ip for each in prediction(machines, [EA, there], [mapping(EA, there)], operation).landings] == lands_at


def test_machines_that_no_address_is_left_for_lose_their_connectivity_with_a_warning() -> None:
    there = vnet("there", subnet("web", "10.9.0.0/29"))
    machines = [machine(f"vm{n}", EA, address("web", f"10.0.1.{n + 20}")) for n in range(4)]
    answer = prediction(machines, [EA, there], [mapping(EA, there)])
    assert [each.outcome for each in answer.landings] == ["changes_address"] * 3 + ["loses_connectivity"]
    assert codes(answer.landings[-1]) == {"subnet_full"}


def test_addresses_in_use_that_azure_only_counts_still_fill_a_subnet() -> None:
    there = vnet("there", subnet("web", "10.9.0.0/29", count=2))
    machines = [machine(f"vm{n}", EA, address("web", f"10.0.1.{n + 20}")) for n in range(2)]
    answer = prediction(machines, [EA, there], [mapping(EA, there)])
    assert [each.outcome for each in answer.landings] == ["changes_address", "loses_connectivity"]
    assert "used_addresses_unknown" in codes(answer.landings[0])


def test_an_own_address_that_is_not_available_is_warned_about() -> None:
    there = vnet("there", subnet("web", "10.9.0.0/24", used=["10.9.0.77"]))
    one = machine("vm", EA, address("web", HOME, recovery_ip="10.9.0.77"))
    assert codes(land(one, [EA, there], [mapping(EA, there)])) == {"own_address_unavailable"}


def test_own_subnet_and_address_are_not_meant_for_another_test_network() -> None:
    there = vnet("there", subnet("app", "10.0.1.0/24"), subnet("web", "10.7.0.0/24"))
    one = machine("vm", EA, address("web", HOME, recovery_subnet="app", recovery_ip="10.0.1.99"))
    landing = land(one, [EA, SEA, there], [mapping(EA, SEA)], "test-failover", test_network_id=there.id)
    assert (landing.subnet, landing.ip, codes(landing)) == ("web", "10.7.0.254", set())


def test_an_address_of_ipv6_is_warned_about() -> None:
    landing = land(machine("vm", EA, address("web", "fd00::4")), NETWORKS, [mapping(EA, SEA)])
    assert codes(landing) == {"ipv6_not_supported"}


def test_prefixes_of_ipv6_beside_those_of_ipv4_change_nothing() -> None:
    there = vnet("there", subnet("web", "fd00::/64", "10.0.1.0/24"))
    assert land(machine("vm", EA, address("web", HOME)), [EA, there], [mapping(EA, there)]).ip == HOME


@pytest.mark.parametrize(
    ("selected", "outcome"),
    [
        pytest.param(False, "not_failed_over", id="secondary_left_out"),
        (True, "keeps_address"),
    ],
)
def test_a_secondary_ip_configuration_fails_over_only_when_configured_to(*, selected: bool, outcome: str) -> None:
    secondary = IpConfiguration(
        name="second", primary=False, subnet="web", ip="10.0.1.21", selected_for_failover=selected
    )
    answer = prediction([machine("vm", EA, address("web", HOME), secondary)], NETWORKS, [mapping(EA, SEA)])
    assert [each.outcome for each in answer.landings] == ["keeps_address", outcome]
    assert (answer.landings[1].address_rule is RULES["secondary_left_out"]) is not selected
    assert ("secondary_not_selected" in codes(answer.landings[1])) is not selected


def test_a_primary_ip_configuration_always_fails_over() -> None:
    one = machine("vm", EA, address("web", HOME, selected_for_failover=False))
    assert land(one, NETWORKS, [mapping(EA, SEA)]).outcome == "keeps_address"


# --- static or dynamic ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("primary", "operation", "before", "own_ip", "after"),
    [
        pytest.param(EA, "failover", "Static", None, "Static", id="type_follows_primary"),
        pytest.param(EA, "failover", "Dynamic", None, "Dynamic", id="type_follows_primary-dynamic"),
        pytest.param(EA, "test-failover", "Dynamic", None, "Static", id="type_test_static"),
        pytest.param(CORP, "failover", "Static", None, "Dynamic", id="type_as_set"),
        pytest.param(CORP, "failover", "Dynamic", "10.0.1.30", "Static", id="type_as_set-own"),
    ],
)
def test_type_of_address(
    request: pytest.FixtureRequest,
    *,
    primary: Network,
    operation: Operation,
    before: str,
    own_ip: str | None,
    after: str,
) -> None:
    one = machine("vm", primary, address("web", HOME, ip_type=before, recovery_ip=own_ip))
    landing = land(one, NETWORKS, [mapping(primary, SEA)], operation)
    assert landing.ip_type == after
    assert landing.type_rule is RULES[request.node.callspec.id.partition("-")[0]]


# --- the address: on premises -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own_ip", "operation", "lands_at"),
    [
        pytest.param(None, "failover", "10.0.1.4", id="address_unspecified"),
        pytest.param(None, "test-failover", "10.0.1.4", id="address_unspecified-test"),
    ],
)
def test_address_from_vmm_in_azure(
    request: pytest.FixtureRequest, own_ip: str | None, operation: Operation, lands_at: str
) -> None:
    landing = land(
        machine("vm", CORP, address("web", HOME, recovery_ip=own_ip)), NETWORKS, [mapping(CORP, SEA)], operation
    )
    assert landing.ip == lands_at
    assert landing.address_rule is RULES[request.node.callspec.id.partition("-")[0]]


def test_an_address_set_for_azure_retains_the_one_on_premises() -> None:
    landing = land(machine("vm", CORP, address("web", HOME, recovery_ip=HOME)), NETWORKS, [mapping(CORP, SEA)])
    assert (landing.ip, landing.outcome, landing.rule) == (HOME, "keeps_address", RULES["address_own"])


POOL = subnet("pool", "10.0.1.0/24", used=["10.0.1.30"])


@pytest.mark.parametrize(
    ("recovery_subnets", "ip", "ip_type", "lands_at", "outcome"),
    [
        pytest.param([POOL], HOME, "Static", HOME, "keeps_address", id="vmm_pool_kept"),
        pytest.param([POOL], "10.0.1.1", "Static", "10.0.1.1", "keeps_address", id="vmm_pool_kept-nothing_reserved"),
        pytest.param([POOL], "10.0.1.255", "Static", None, "changes_address", id="vmm_pool_other-broadcast"),
        pytest.param([POOL], "10.0.1.30", "Static", None, "changes_address", id="vmm_pool_other"),
        pytest.param([POOL], "192.168.1.30", None, None, "changes_address", id="vmm_pool_other-space"),
        pytest.param([], HOME, "Static", None, "unknown", id="vmm_pool_unknown"),
        pytest.param([POOL], HOME, "Dynamic", None, "unknown", id="vmm_dhcp"),
    ],
)
def test_address_on_a_secondary_site(
    request: pytest.FixtureRequest,
    *,
    recovery_subnets: list[Any],
    ip: str,
    ip_type: str | None,
    lands_at: str | None,
    outcome: str,
) -> None:
    site2 = vm_network("pooled", *recovery_subnets, fabric=SHANGHAI)
    landing = land(machine("vm", CORP, address("pool", ip, ip_type=ip_type)), [CORP, site2], [mapping(CORP, site2)])
    assert (landing.ip, landing.outcome) == (lands_at, outcome)
    assert landing.address_rule is RULES[request.node.callspec.id.partition("-")[0]]


# --- what a vault tells -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "network", "kind"),
    [
        ("A2A", EA, A2A),
        ("HyperVReplicaAzure", CORP, TO_AZURE),
        ("HyperVReplica2012R2", CORP, TO_VMM),
        ("A2A", CORP, None),
    ],
)
def test_a_protected_items_kind_is_its_providers_and_its_networks(
    provider: str, network: Network, kind: MappingKind | None
) -> None:
    [found] = machines_of_items([item("vm", network, address("web"), provider=provider)])
    assert found.kind == kind


def test_a_machine_without_nics_is_named_and_predicted_nothing_for() -> None:
    initial = item("replicating", EA)
    [found] = machines_of_items([type(initial)(id=initial.id, friendly_name="replicating")])
    answer = prediction([found], NETWORKS, [mapping(EA, SEA)])
    assert (answer.landings, answer.without_nics, answer.summary.machines) == ((), ("replicating",), 1)


def test_a_machine_that_has_failed_over_keeps_the_address_it_holds_there() -> None:
    there = vnet("there", subnet("web", "10.0.1.0/24", used=[HOME]))
    [one] = machines_of_items([item("vm", EA, address("web", HOME), active_location="Recovery", state="Failed")])
    landing = land(one, [EA, there], [mapping(EA, there)])
    assert (landing.ip, codes(landing)) == (HOME, {"already_failed_over"})


def test_eligible_hosts_are_shown_and_their_lack_is_warned_about() -> None:
    one = machine("vm", CORP, address(None))
    asked: list[Any] = []

    def hosts(primary: Any, recovery: Any) -> list[str]:
        asked.append((primary, recovery))
        return ["host1"] if len(asked) == 1 else []

    landing = land(one, NETWORKS, [mapping(CORP, SITE2)], eligible_hosts=hosts)
    assert (landing.hosts, codes(landing), asked) == (("host1",), set(), [(CORP.id, SITE2.id)])
    landing = land(one, NETWORKS, [mapping(CORP, SITE2)], eligible_hosts=hosts)
    assert (landing.hosts, codes(landing)) == ((), {"no_eligible_host"})


def test_recovery_plans_are_handed_on() -> None:
    landing = land(machine("vm", CORP, address(None), kind=TO_AZURE, recovery_plan="plan-a"), NETWORKS, [])
    assert (landing.recovery_plan, landing.network_rule) == ("plan-a", RULES["vmm_azure_unmapped"])


# --- the whole --------------------------------------------------------------------------------------------------------


def test_the_summary_counts_what_becomes_of_the_addresses() -> None:
    there = vnet("there", subnet("web", "10.0.1.0/24"), subnet("db", "10.9.0.0/29", count=2))
    unmapped = vnet("lonely", subnet("web", "10.5.0.0/24"))
    machines = [
        machine("keeps", EA, address("web", HOME)),
        machine("changes", EA, address("db", "10.0.2.20")),
        machine("full", EA, address("db", "10.0.2.21")),
        machine("lonely", unmapped, address("web", "10.5.0.4")),
    ]
    answer = prediction(machines, [EA, there, unmapped], [mapping(EA, there)])
    counts = answer.summary
    assert (counts.machines, counts.addresses) == (4, 4)
    assert (counts.keeps_address, counts.changes_address, counts.loses_connectivity) == (1, 1, 2)
    assert counts.warnings == 1


@pytest.mark.parametrize(
    ("ip", "networks", "on_lost", "on_warning"),
    [
        ("10.0.1.20", [SEA], False, False),
        ("10.0.1.20", [SEA, OTHER], False, True),
        ("10.0.1.20", [], True, True),
    ],
)
def test_a_prediction_knows_whether_it_fails(
    ip: str, networks: list[Network], *, on_lost: bool, on_warning: bool
) -> None:
    mappings: list[NetworkMapping] = [mapping(EA, each) for each in networks]
    answer = prediction([machine("vm", EA, address("web", ip))], NETWORKS, mappings)
    assert (answer.fails_on("lost"), answer.fails_on("warning")) == (on_lost, on_warning)


def test_a_nic_without_ip_configurations_is_predicted_as_one_that_is_not_known() -> None:
    bare = Nic(name="nic0", primary_network_id=EA.id)
    landing = land(type(machine("vm", EA))(name="vm", nics=(bare,)), NETWORKS, [mapping(EA, OTHER)])
    assert (landing.network_id, landing.subnet) == (OTHER.id, "web")


def test_a_prediction_as_json_has_the_counts_first_and_each_rule_with_its_source() -> None:
    answer = prediction([machine("vm", EA, address("web", HOME))], NETWORKS, [mapping(EA, SEA)])
    document = json.loads(to_json(answer))
    assert list(document) == ["format_version", "operation", "test_network_id", "summary", "without_nics", "landings"]
    assert document["summary"]["keeps_address"] == 1
    [landing] = document["landings"]
    assert (landing["network_id"], landing["ip"]) == (str(SEA.id), HOME)
    assert landing["address_rule"] == {
        "code": "address_kept",
        "sentence": RULES["address_kept"].sentence,
        "source": "Set up network mapping and IP addressing for VNets",
    }
