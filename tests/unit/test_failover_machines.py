"""Which machines a vault has, and predictions of many."""

from __future__ import annotations

import json
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
    SITE2,
    TEST,
    TO_AZURE,
    TO_VMM,
    address,
    codes,
    item,
    land,
    machine,
    mapping,
    prediction,
    subnet,
    vnet,
)
from msgspec import structs

from asrnet.failover import RULES, Network, Operation, ReplicationKind, machines_of_items
from asrnet.model.azure import NetworkMapping, Nic
from asrnet.model.plan import to_json


@pytest.mark.parametrize(
    ("provider", "network", "kind"),
    [
        ("A2A", EA, A2A),
        ("HyperVReplicaAzure", CORP, TO_AZURE),
        ("HyperVReplica2012R2", CORP, TO_VMM),
        ("A2A", CORP, None),
        ("", EA, A2A),
        ("", CORP, None),
        ("InMageAzureV2", CORP, ON_PREMISES),
        ("inmagercm", CORP, ON_PREMISES),
    ],
)
def test_a_protected_items_kind_is_its_providers_and_its_networks(
    provider: str, network: Network, kind: ReplicationKind | None
) -> None:
    [found] = machines_of_items([item("vm", network, address("web"), provider=provider)])
    assert found.kind == kind


def test_a_machine_without_nics_is_named_and_has_no_landings() -> None:
    initial = item("replicating", EA)
    [found] = machines_of_items([type(initial)(id=initial.id, friendly_name="replicating")])
    answer = prediction([found], NETWORKS, [mapping(EA, SEA)])
    assert (answer.landings, answer.without_nics, answer.summary.machines) == ((), ("replicating",), 1)
    assert (answer.fails_on("lost"), answer.fails_on("warning")) == (False, True)


def test_a_machine_that_has_failed_over_keeps_the_address_it_holds_there() -> None:
    there = vnet("there", subnet("web", "10.0.1.0/24", used=[HOME]))
    [one] = machines_of_items([item("vm", EA, address("web", HOME), active_location="Recovery", state="Failed")])
    landing = land(one, [EA, there], [mapping(EA, there)])
    assert (landing.ip, codes(landing)) == (HOME, {"already_failed_over"})


def test_eligible_hosts_are_shown_and_their_lack_is_warned_about() -> None:
    one = machine("vm", CORP, address(None))
    asked: list[Any] = []

    def hosts(start: Any, target: Any, *, is_failback: bool) -> list[str]:
        asked.append((start, target, is_failback))
        return ["host1"] if len(asked) == 1 else []

    landing = land(one, NETWORKS, [mapping(CORP, SITE2)], eligible_hosts=hosts)
    assert (landing.hosts, codes(landing), asked) == (("host1",), set(), [(CORP.id, SITE2.id, False)])
    landing = land(one, NETWORKS, [mapping(CORP, SITE2)], eligible_hosts=hosts)
    assert (landing.hosts, codes(landing)) == ((), {"no_eligible_host"})


def test_recovery_plans_are_handed_on() -> None:
    landing = land(machine("vm", CORP, address(None), kind=TO_AZURE, recovery_plan="plan-a"), NETWORKS, [])
    assert (landing.recovery_plan, landing.network_rule) == ("plan-a", RULES["vmm_azure_unmapped"])


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
    assert list(document) == ["format_version", "operation", "test_network_id", "summary", "without_nics",
                              "out_of_scope", "landings", "planned", "interfaces", "findings"]  # fmt: skip
    assert document["summary"]["keeps_address"] == 1
    [landing] = document["landings"]
    assert (landing["network_id"], landing["ip"]) == (str(SEA.id), HOME)
    assert landing["address_rule"] == {
        "code": "address_kept",
        "sentence": RULES["address_kept"].sentence,
        "source": "Set up network mapping and IP addressing for VNets",
    }


@pytest.mark.parametrize("operation", ["failover", "test-failover", "failback"])
@pytest.mark.parametrize("provider", ["InMageRcmFailback", "A2ACrossClusterMigration", "a word of tomorrow"])
def test_machines_of_providers_without_rules_are_out_of_scope_and_so_are_their_nics(
    provider: str, operation: Operation
) -> None:
    machines = machines_of_items([item("vm", EA, address("web", HOME), provider=provider)])
    answer = prediction(machines, NETWORKS, [mapping(EA, SEA), mapping(SEA, EA)], operation)
    assert (answer.landings, answer.out_of_scope, answer.without_nics) == ((), (f"vm ({provider})",), ())
    assert (answer.summary.machines, answer.summary.addresses) == (1, 0)
    assert (answer.fails_on("lost"), answer.fails_on("warning")) == (False, True)


@pytest.mark.parametrize("state", ["InitialReplicationInProgress", "", "a word of tomorrow"])
def test_a_machine_that_is_not_protected_cannot_fail_over_now(state: str) -> None:
    [one] = machines_of_items([item("vm", EA, address("web", HOME), state=state)])
    landing = land(one, NETWORKS, [mapping(EA, SEA)])
    assert (landing.network_id, codes(landing), landing.has_warning) == (SEA.id, {"not_protected"}, True)


@pytest.mark.parametrize("location", ["", "a word of tomorrow"])
def test_a_machine_whose_active_location_is_not_known_is_warned_about(location: str) -> None:
    [one] = machines_of_items([item("vm", EA, address("web", HOME), active_location=location)])
    assert codes(land(one, NETWORKS, [mapping(EA, SEA)])) == {"location_unclear"}


def test_the_network_of_the_item_counts_for_a_nic_without_one() -> None:
    of_item = structs.replace(
        item("vm", EA, address("web", HOME)), recovery_network_id=OTHER.id, test_network_id=TEST.id
    )
    [one] = machines_of_items([of_item])
    landing = land(one, NETWORKS, [mapping(EA, SEA)])
    assert (landing.network_id, landing.network_rule) == (OTHER.id, RULES["own_network"])
    landing = land(one, NETWORKS, [mapping(EA, SEA)], "test-failover", test_network_id=SEA.id)
    assert (landing.network_id, landing.network_rule) == (TEST.id, RULES["test_own_network"])


def test_the_nics_network_wins_over_the_items() -> None:
    of_nic = item("vm", EA, address("web", HOME), recovery_network_id=SEA.id, test_network_id=SEA.id)
    [one] = machines_of_items([structs.replace(of_nic, recovery_network_id=OTHER.id, test_network_id=TEST.id)])
    assert land(one, NETWORKS, [mapping(EA, OTHER)]).network_id == SEA.id
    assert land(one, NETWORKS, [mapping(EA, OTHER)], "test-failover").network_id == SEA.id


@pytest.mark.parametrize("selection", ["SelectedByDefault", "SelectedByUser", "selectedbyuseroverride", ""])
def test_a_nic_that_is_selected_takes_part(selection: str) -> None:
    one = machine("vm", EA, address("web", HOME), nic={"selection": selection})
    assert codes(land(one, NETWORKS, [mapping(EA, SEA)])) == set()


def test_an_unknown_selection_is_predicted_as_taking_part_with_a_warning() -> None:
    one = machine("vm", EA, address("web", HOME), nic={"selection": "a word of tomorrow"})
    landing = land(one, NETWORKS, [mapping(EA, SEA)])
    assert (landing.ip, codes(landing)) == (HOME, {"selection_unclear"})


def test_a_nic_that_is_not_selected_takes_no_address_from_the_others() -> None:
    there = vnet("there", subnet("web", "10.9.0.0/24"))
    unused = machine("vm1", EA, address("web", "10.0.1.5"), nic={"selection": "NotSelected"})
    other = machine("vm2", EA, address("web", "10.0.1.6"))
    landings = prediction([unused, other], [EA, there], [mapping(EA, there)]).landings
    assert [(each.ip, each.outcome) for each in landings] == [
        (None, "not_failed_over"),
        ("10.9.0.4", "changes_address"),
    ]
