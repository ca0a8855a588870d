"""The address of a machine after failover between regions, and its type: inputs and expected address.

A row's id is the code of its rule; docs/failover-rules.md names these rows, and test_failover_rules_page checks that.
"""

from __future__ import annotations

from typing import Any

import pytest
from failover_worlds import (
    CORP,
    EA,
    HOME,
    NETWORKS,
    SEA,
    address,
    codes,
    land,
    machine,
    mapping,
    prediction,
    subnet,
    vnet,
)

from asrnet.failover import RULES, Network, Operation, machines_of_subnets
from asrnet.model.azure import IpConfiguration

FULL = [f"10.0.1.{n}" for n in range(4, 8)]


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
def test_the_address_between_regions_follows_the_rules(
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
        pytest.param(subnet("web", "10.0.1.0/24"), "10.0.1.77", "10.0.1.77", id="test_address_own"),
    ],
)
def test_the_address_in_a_test_failover_follows_the_rules(
    request: pytest.FixtureRequest, test_subnet: Any, own_ip: str | None, lands_at: str
) -> None:
    there = vnet("there", test_subnet)
    one = machine("vm", EA, address("web", HOME, test_ip=own_ip), nic={"test_network_id": there.id})
    landing = land(one, [EA, SEA, there], [mapping(EA, SEA)], "test-failover")
    assert landing.ip == lands_at
    assert landing.address_rule is RULES[request.node.callspec.id]


@pytest.mark.parametrize("test_ip", ["10.0.1.30", "10.0.9.9", "fd00::4", "no address"])
def test_a_test_address_that_is_not_available_becomes_one_from_the_end_of_the_range(test_ip: str) -> None:
    there = vnet("there", subnet("web", "10.0.1.0/24", used=["10.0.1.30"]))
    one = machine("vm", EA, address("web", HOME, test_ip=test_ip), nic={"test_network_id": there.id})
    landing = land(one, [EA, SEA, there], [mapping(EA, SEA)], "test-failover")
    assert (landing.ip, landing.address_rule) == ("10.0.1.254", RULES["test_address_end"])
    assert codes(landing) == {"own_address_unavailable"}


def test_test_settings_apply_only_on_the_machines_own_test_network_and_in_the_failover_network() -> None:
    there = vnet("there", subnet("web", "10.0.1.0/24"), subnet("tfo", "10.0.7.0/24"))
    one = machine("vm", EA, address("web", HOME, test_subnet="tfo", test_ip="10.0.7.9"))
    named = land(one, [EA, SEA, there], [mapping(EA, SEA)], "test-failover", test_network_id=there.id)
    assert (named.subnet, named.ip) == ("web", HOME)
    in_failover_network = land(one, [EA, SEA, there], [mapping(EA, there)], "test-failover")
    assert (in_failover_network.subnet, in_failover_network.ip) == ("tfo", "10.0.7.9")
    failed_over = land(one, [EA, there], [mapping(EA, there)])
    assert (failed_over.subnet, failed_over.ip) == ("web", HOME)


def test_in_a_test_the_address_set_for_the_failover_is_used_where_the_subnet_has_it() -> None:
    one = machine("vm", EA, address("web", HOME, recovery_ip="10.0.1.77"))
    there, elsewhere = vnet("there", subnet("web", "10.0.1.0/24")), vnet("elsewhere", subnet("web", "10.9.1.0/24"))
    networks = [EA, SEA, there, elsewhere]
    landing = land(one, networks, [mapping(EA, SEA)], "test-failover", test_network_id=there.id)
    assert (landing.ip, landing.address_rule) == ("10.0.1.77", RULES["test_address_kept"])
    landing = land(one, networks, [mapping(EA, SEA)], "test-failover", test_network_id=elsewhere.id)
    assert (landing.ip, landing.notices) == ("10.9.1.254", ())


def test_an_address_that_is_not_known_becomes_the_next_one_in_another_address_space() -> None:
    there = vnet("there", subnet("web", "10.9.1.0/24"))
    landing = land(machine("vm", EA, address("web")), [EA, there], [mapping(EA, there)])
    assert (landing.ip, landing.address_rule) == ("10.9.1.4", RULES["address_other_space"])


@pytest.mark.parametrize("own_ip", ["no address", "fd00::4"])
def test_an_own_address_that_is_not_an_address_is_warned_about(own_ip: str) -> None:
    landing = land(machine("vm", EA, address("web", HOME, recovery_ip=own_ip)), NETWORKS, [mapping(EA, SEA)])
    assert (landing.ip, landing.address_rule) == ("10.0.1.4", RULES["address_own_unavailable"])
    assert codes(landing) == {"own_address_unavailable"}


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


def test_machines_without_a_free_address_lose_their_connectivity_with_a_warning() -> None:
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


def test_a_subnet_that_is_full_by_count_keeps_no_address() -> None:
    there = vnet("there", subnet("web", "10.0.1.16/29", count=3))
    landing = land(machine("vm", EA, address("web", HOME)), [EA, there], [mapping(EA, there)])
    assert (landing.ip, landing.outcome, landing.rule) == (None, "loses_connectivity", RULES["subnet_full"])


def test_machines_whose_address_is_not_known_take_one_each() -> None:
    there = vnet("there", subnet("web", "10.0.1.0/29"))
    home = vnet("home", subnet("web", "10.0.1.0/29"))
    machines = [machine(f"vm{n}", home, address("web")) for n in range(4)]
    landings = prediction(machines, [home, there], [mapping(home, there)]).landings
    assert [each.outcome for each in landings] == ["keeps_address"] * 3 + ["loses_connectivity"]


@pytest.mark.parametrize("recovery_ip", [None, HOME], ids=["not set", "set"])
def test_between_zones_a_machine_that_stays_in_its_network_keeps_its_address(recovery_ip: str | None) -> None:
    hub = vnet("hub", subnet("web", "10.0.1.0/24", used=[HOME, "10.0.1.21"]))
    one, other = (
        machine(name, hub, address("web", ip, recovery_ip=recovery_ip and ip), nic={"recovery_network_id": hub.id})
        for name, ip in (("one", HOME), ("other", "10.0.1.21"))
    )
    landings = prediction([one, other], [hub], []).landings
    assert [(each.ip, each.notices) for each in landings] == [(HOME, ()), ("10.0.1.21", ())]


def test_between_zones_an_address_of_another_machine_stays_in_use() -> None:
    hub = vnet("hub", subnet("web", "10.0.1.0/24", used=[HOME, "10.0.1.21"]))
    one = machine("vm", hub, address("web", "10.0.1.21", recovery_ip=HOME), nic={"recovery_network_id": hub.id})
    assert land(one, [hub], []).rule is RULES["address_own_unavailable"]


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


def test_ipv6_prefixes_of_a_subnet_are_ignored() -> None:
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


@pytest.mark.parametrize(
    ("is_protected", "outcome", "notices"),
    [
        pytest.param(True, "not_failed_over", {"nic_not_selected"}, id="nic_not_selected"),
        pytest.param(False, "keeps_address", {"selection_unclear"}, id="while it is re-protected"),
    ],
)
def test_a_nic_that_is_not_selected_stays_behind_unless_the_machine_is_being_re_protected(
    *, is_protected: bool, outcome: str, notices: set[str]
) -> None:
    one = machine("vm", EA, address("web", HOME), nic={"selection": "NotSelected"}, is_protected=is_protected)
    landing = land(one, NETWORKS, [mapping(EA, SEA)])
    assert (landing.outcome, codes(landing)) == (outcome, notices)
    assert (landing.address_rule is RULES["nic_not_selected"]) is is_protected


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
def test_the_type_of_an_address_follows_the_rules(
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
