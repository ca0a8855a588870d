"""The recovery subnet of a machine: inputs and expected landing.

A row's id is the code of its rule; docs/failover-rules.md names these rows, and test_failover_rules_page checks that.
"""

from __future__ import annotations

from typing import Any

import pytest
from failover_worlds import (
    A2A,
    CORP,
    EA,
    HOME,
    NETWORKS,
    ON_PREMISES,
    OTHER,
    SEA,
    TO_AZURE,
    address,
    codes,
    land,
    machine,
    mapping,
    prediction,
    subnet,
    vnet,
)

from asrnet.failover import RULES, choose_subnet, compare_address_spaces, subnet_fits
from asrnet.model.azure import MappingKind


@pytest.mark.parametrize(
    ("kind", "names", "primary", "chosen"),
    [
        pytest.param(A2A, ["app", "web"], "WEB", "web", id="subnet_same_name"),
        pytest.param(A2A, ["zoo", "Backend", "app"], "web", "app", id="subnet_first_alphabetical"),
        pytest.param(TO_AZURE, ["zoo", "web"], "web", "web", id="vmm_subnet_same_name"),
        pytest.param(TO_AZURE, ["zoo", "app"], "web", "zoo", id="vmm_subnet_first"),
    ],
)
def test_the_subnet_of_the_same_name_follows_the_rules(
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
def test_the_subnet_without_one_of_that_name_follows_the_rules(
    request: pytest.FixtureRequest, recovery_subnets: list[Any], own_subnet: str | None, lands_in: str, outcome: str
) -> None:
    recovery = vnet("recovery", *recovery_subnets)
    landing = land(
        machine("vm", EA, address("web", HOME, recovery_subnet=own_subnet)), [EA, recovery], [mapping(EA, recovery)]
    )
    assert (landing.subnet, landing.outcome) == (lands_in, outcome)
    assert landing.subnet_rule is RULES[request.node.callspec.id]


@pytest.mark.parametrize(
    ("test_subnet", "recovery_subnet", "lands_in"),
    [
        pytest.param("TFO", "app", "tfo", id="test_own_subnet"),
        (None, "app", "web"),
    ],
)
def test_the_subnet_in_a_test_failover_follows_the_rules(
    test_subnet: str | None, recovery_subnet: str, lands_in: str
) -> None:
    bubble = vnet("bubble", subnet("app", "10.0.1.0/24"), subnet("tfo", "10.0.1.0/24"), subnet("web", "10.0.1.0/24"))
    settings = address("web", HOME, test_subnet=test_subnet, recovery_subnet=recovery_subnet)
    one = machine("vm", EA, settings, nic={"test_network_id": bubble.id})
    landing = land(one, [EA, SEA, bubble], [mapping(EA, SEA)], "test-failover")
    assert landing.subnet == lands_in
    assert (landing.subnet_rule is RULES["test_own_subnet"]) is (test_subnet is not None)


@pytest.mark.parametrize(
    ("subnets", "lands_in", "outcome"),
    [
        pytest.param([subnet("app", "10.0.1.0/24")], "app", "changes_address", id="only_subnet"),
        ([subnet("app", "10.0.1.0/24"), subnet("web", "10.0.2.0/24")], None, "unknown"),
    ],
)
def test_a_machine_without_mappings_has_no_subnet_by_name(
    subnets: list[Any], lands_in: str | None, outcome: str
) -> None:
    there = vnet("there", *subnets)
    one = machine("vm", CORP, address("web", HOME), nic={"recovery_network_id": there.id}, kind=ON_PREMISES)
    landing = land(one, [CORP, there], [])
    assert (landing.subnet, landing.outcome) == (lands_in, outcome)
    assert landing.subnet_rule is (RULES["only_subnet"] if lands_in else None)


def test_an_own_subnet_that_differs_from_the_rule_of_names_is_reported() -> None:
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


def test_a_delegated_subnet_of_the_same_name_is_not_a_fallback() -> None:
    recovery = vnet("recovery", subnet("web", "10.0.1.0/24", delegated="Microsoft.Web/serverFarms"))
    assert codes(land(machine("vm", EA, address("web", HOME)), [EA, recovery], [mapping(EA, recovery)])) == set()


def test_with_the_primary_subnet_unknown_only_a_sole_recovery_subnet_is_chosen() -> None:
    one = machine("vm", EA, address(None, HOME))
    assert land(one, NETWORKS, [mapping(EA, OTHER)]).subnet == "web"
    unclear = land(one, NETWORKS, [mapping(EA, SEA)])
    assert (unclear.subnet, unclear.outcome, codes(unclear)) == (None, "unknown", {"primary_subnet_unknown"})


def test_a_recovery_network_without_subnets_is_warned_about() -> None:
    empty = vnet("empty")
    assert codes(land(machine("vm", EA, address("web", HOME)), [EA, empty], [mapping(EA, empty)])) == {"network_empty"}


@pytest.mark.parametrize(
    ("primary", "recovery", "expected"),
    [
        (["10.0.1.0/24"], ["10.0.1.0/24"], "same"),
        (["10.0.1.0/25"], ["10.0.0.0/16"], "same"),
        (["10.0.1.0/24"], ["10.0.1.128/25", "10.0.1.0/25"], "same"),
        (["10.0.1.0/24"], ["10.0.1.0/25"], "overlaps"),
        (["10.0.1.0/24", "10.0.2.0/24"], ["10.0.2.0/24"], "overlaps"),
        (["10.0.1.0/24"], ["10.0.0.0/24", "10.0.2.0/24"], "differs"),
        (["10.0.1.0/24"], ["fd00::/64"], "unknown"),
        (["fd00::/64"], ["10.0.1.0/24"], "unknown"),
        ([], ["10.0.1.0/24"], "unknown"),
    ],
)
def test_an_address_space_is_the_same_where_the_other_one_holds_all_of_it(
    primary: list[str], recovery: list[str], expected: str
) -> None:
    assert compare_address_spaces(tuple(primary), tuple(recovery)) == expected


def test_address_spaces_are_compared_subnet_by_subnet_and_in_one_direction() -> None:
    home = vnet(
        "home", subnet("web", "10.0.1.0/25"), subnet("db", "10.0.2.0/24"), subnet("GatewaySubnet", "10.0.3.0/27")
    )
    away = vnet("away", subnet("WEB", "10.0.1.0/24"), subnet("app", "10.9.0.0/24"))
    there = [(fit.subnet.name, fit.recovery_subnet, fit.address_space) for fit in subnet_fits(home, away)]
    assert there == [("web", away.subnets[0], "same"), ("db", away.subnets[1], "differs")]
    back = [(fit.subnet.name, fit.recovery_subnet, fit.address_space) for fit in subnet_fits(away, home)]
    assert back == [("WEB", home.subnets[0], "overlaps"), ("app", home.subnets[1], "differs")]
    assert [fit.recovery_subnet for fit in subnet_fits(home, vnet("empty"))] == [None, None]


def test_a_prefix_that_is_no_range_leaves_only_its_own_machines_unpredicted_and_is_named() -> None:
    recovery = vnet("recovery", subnet("web", "junk"), subnet("db", "10.0.2.0/24"))
    machines = [machine("vm1", EA, address("web", HOME)), machine("vm2", EA, address("db", "10.0.2.7"))]
    broken, fine = prediction(machines, [EA, recovery], [mapping(EA, recovery)]).landings
    assert (broken.subnet, broken.outcome, broken.ip) == ("web", "unknown", None)
    assert [each.message for each in broken.notices] == [
        "prefix 'junk' of subnet web of recovery is not an address range"
    ]
    assert fine.ip == "10.0.2.7"


def test_an_invalid_primary_prefix_says_nothing_of_an_unknown_address() -> None:
    primary = vnet("primary", subnet("web", "junk"))
    landing = land(machine("vm", primary, address("web", None)), [primary, SEA], [mapping(primary, SEA)])
    assert (landing.subnet, landing.outcome) == ("web", "unknown")
