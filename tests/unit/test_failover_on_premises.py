"""The address of a VMM site's machine after failover, in Azure or on a secondary site: inputs and expected address.

A row's id is the code of its rule; docs/failover-rules.md names these rows, and test_failover_rules_page checks that.
"""

from __future__ import annotations

from typing import Any

import pytest
from failover_worlds import (
    CORP,
    HOME,
    NETWORKS,
    ON_PREMISES,
    SEA,
    SHANGHAI,
    address,
    codes,
    land,
    machine,
    mapping,
    prediction,
    subnet,
    vm_network,
)

from asrnet.failover import RULES, Operation


@pytest.mark.parametrize(
    ("own_ip", "operation", "lands_at"),
    [
        pytest.param(None, "failover", "10.0.1.4", id="address_unspecified"),
        pytest.param(None, "test-failover", "10.0.1.4", id="address_unspecified-test"),
    ],
)
def test_the_address_from_vmm_in_azure_follows_the_rules(
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


@pytest.mark.parametrize(
    ("nic", "settings"),
    [({"selection": "NotSelected"}, {}), ({}, {"selected_for_failover": False})],
    ids=["the NIC", "its address"],
)
def test_an_interface_that_is_not_used_is_not_created_in_azure(nic: dict[str, Any], settings: dict[str, Any]) -> None:
    network = {"recovery_network_id": SEA.id}
    unused = machine("vm", CORP, address(None, HOME, **settings), nic={**network, **nic}, kind=ON_PREMISES)
    landing = land(unused, NETWORKS, [])
    assert (landing.outcome, landing.rule) == ("not_failed_over", RULES["nic_not_selected"])
    assert landing.notices == ()


POOL = subnet("pool", "10.0.1.0/24", used=["10.0.1.30"])
SMALL = subnet("pool", "10.0.1.0/30", used=["10.0.1.1", "10.0.1.2"])


@pytest.mark.parametrize(
    ("recovery_subnets", "ip", "ip_type", "lands_at", "outcome"),
    [
        pytest.param([POOL], HOME, "Static", HOME, "keeps_address", id="vmm_pool_kept"),
        pytest.param([POOL], "10.0.1.1", "Static", "10.0.1.1", "keeps_address", id="vmm_pool_kept-nothing_reserved"),
        pytest.param([POOL], "10.0.1.255", "Static", None, "changes_address", id="vmm_pool_other-broadcast"),
        pytest.param([POOL], "10.0.1.30", "Static", None, "changes_address", id="vmm_pool_other"),
        pytest.param([POOL], "192.168.1.30", None, None, "changes_address", id="vmm_pool_other-space"),
        pytest.param([], HOME, "Static", None, "unknown", id="vmm_pool_unknown"),
        pytest.param([POOL], None, "Static", None, "unknown", id="vmm_pool_unknown-address"),
        pytest.param([SMALL], HOME, "Static", None, "loses_connectivity", id="vmm_pool_full"),
        pytest.param([POOL], HOME, "Dynamic", None, "unknown", id="vmm_dhcp"),
    ],
)
def test_the_address_on_a_secondary_site_follows_the_rules(
    request: pytest.FixtureRequest,
    *,
    recovery_subnets: list[Any],
    ip: str | None,
    ip_type: str | None,
    lands_at: str | None,
    outcome: str,
) -> None:
    site2 = vm_network("pooled", *recovery_subnets, fabric=SHANGHAI)
    landing = land(machine("vm", CORP, address("pool", ip, ip_type=ip_type)), [CORP, site2], [mapping(CORP, site2)])
    assert (landing.ip, landing.outcome) == (lands_at, outcome)
    assert landing.address_rule is RULES[request.node.callspec.id.partition("-")[0]]


@pytest.mark.parametrize("ip", [None, "192.168.1.7"], ids=["not known", "of another space"])
def test_each_address_that_vmm_chooses_is_counted_though_unknown(ip: str | None) -> None:
    site2 = vm_network("pooled", subnet("pool", "10.0.1.0/30"), fabric=SHANGHAI)
    machines = [machine(f"vm{n}", CORP, address("pool", ip, ip_type="Static")) for n in range(3)]
    landings = prediction(machines, [CORP, site2], [mapping(CORP, site2)]).landings
    assert [each.outcome == "loses_connectivity" for each in landings] == [False, False, True]
    assert codes(landings[-1]) == {"subnet_full"}


def test_a_machine_that_stands_for_a_vm_network_takes_no_address_from_the_pool() -> None:
    site2 = vm_network("pooled", subnet("pool", "10.0.1.0/30"), fabric=SHANGHAI)
    everybody = [machine(f"all{n}", CORP, address("pool"), whole_subnet=True) for n in range(3)]
    landings = prediction(everybody, [CORP, site2], [mapping(CORP, site2)]).landings
    assert {each.outcome for each in landings} == {"unknown"}
