"""Where machines land after failback, one row per rule; a row's id is the code of its rule."""

from __future__ import annotations

import pytest
from failover_worlds import (
    BEIJING,
    ON_PREMISES,
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
from msgspec import structs

from asrnet.failover import (
    RULES,
    Mappings,
    Network,
    Replica,
    failback_between_regions,
    failback_on_premises,
    machines_of_items,
)
from asrnet.model.azure import IpConfiguration, NetworkMapping, Nic

BEIJING1 = vm_network("VMNetwork1-Beijing")
BEIJING2 = vm_network("VMNetwork2-Beijing")
SHANGHAI1 = vm_network("VMNetwork1-Shanghai", fabric=SHANGHAI)
SHANGHAI2 = vm_network("VMNetwork2-Shanghai", fabric=SHANGHAI)
SITES = (BEIJING1, BEIJING2, SHANGHAI1, SHANGHAI2)

FORWARD = mapping(BEIJING1, SHANGHAI1)
REVERSE = mapping(SHANGHAI1, BEIJING1)
REMAPPED = mapping(SHANGHAI1, BEIJING2)
SECOND_BACK = mapping(SHANGHAI2, BEIJING2)


@pytest.mark.parametrize(
    ("landed", "moved_to", "mappings", "comes_back_to"),
    [
        pytest.param(SHANGHAI1, "unchanged", [FORWARD, REVERSE], BEIJING1, id="failback_unchanged"),
        pytest.param(SHANGHAI1, "unchanged", [FORWARD], BEIJING1, id="failback_unchanged-no_reverse"),
        pytest.param(None, "unchanged", [], BEIJING1, id="failback_unchanged-unmapped"),
        pytest.param(SHANGHAI1, SHANGHAI1, [FORWARD, REVERSE], BEIJING1, id="failback_unchanged-moved_nowhere"),
        pytest.param(SHANGHAI1, None, [FORWARD, REVERSE], None, id="failback_disconnected"),
        pytest.param(SHANGHAI1, SHANGHAI2, [FORWARD, REVERSE], None, id="failback_unmapped"),
        pytest.param(SHANGHAI1, SHANGHAI2, [FORWARD, REVERSE, SECOND_BACK], BEIJING2, id="failback_moved"),
        pytest.param(SHANGHAI1, "unchanged", [FORWARD, REMAPPED], BEIJING2, id="failback_remapped"),
    ],
)
def test_a_machine_of_a_vmm_site_comes_back(
    request: pytest.FixtureRequest,
    *,
    landed: Network | None,
    moved_to: Network | str | None,
    mappings: list[NetworkMapping],
    comes_back_to: Network | None,
) -> None:
    moved = None if isinstance(moved_to, str) else Replica(network_id=moved_to.id if moved_to else None)
    back = failback_on_premises(BEIJING1.id, landed.id if landed else None, moved, Mappings(mappings))
    assert back.network_id == (comes_back_to.id if comes_back_to else None)
    assert back.rule is RULES[request.node.callspec.id.partition("-")[0]]


EA = vnet("hub-ea", subnet("web", "10.0.1.0/24", used=["10.0.1.20"]))
SEA = vnet("hub-sea", subnet("web", "10.0.1.0/24"))
NEW = vnet("new-ea", subnet("web", "10.4.1.0/24"))


@pytest.mark.parametrize(
    ("mappings", "comes_back_to"),
    [
        pytest.param([mapping(SEA, EA)], EA, id="a2a_failback_mapped"),
        pytest.param([mapping(SEA, NEW)], NEW, id="a2a_failback_mapped-elsewhere"),
        pytest.param([mapping(EA, SEA)], None, id="a2a_failback_unmapped"),
        pytest.param([mapping(SEA, EA), mapping(SEA, NEW)], None, id="ambiguous_mapping"),
    ],
)
def test_a_machine_between_regions_comes_back(
    request: pytest.FixtureRequest, mappings: list[NetworkMapping], comes_back_to: Network | None
) -> None:
    back = failback_between_regions(SEA.id, Mappings(mappings))
    assert back.network_id == (comes_back_to.id if comes_back_to else None)
    assert back.rule is RULES[request.node.callspec.id.partition("-")[0]]


RUNS_AWAY = {"initial_location": "eastasia", "primary_location": "southeastasia", "recovery_location": "eastasia"}
"""A re-protected machine as recorded: Protected and Primary again, in the region it once failed over to."""


@pytest.mark.parametrize("settings_lead_to", [pytest.param(NEW, id="a2a_failback_own")])
def test_once_re_protected_the_machines_own_settings_decide(
    request: pytest.FixtureRequest, settings_lead_to: Network
) -> None:
    settings = address("web", "10.0.1.20", recovery_subnet="web", recovery_ip="10.4.1.44")
    reversed_item = item("vm", SEA, settings, recovery_network_id=settings_lead_to.id, **RUNS_AWAY)
    [one] = machines_of_items([reversed_item])
    landing = land(one, [EA, SEA, NEW], [mapping(SEA, EA), mapping(EA, SEA)], "failback")
    assert (landing.network_id, landing.subnet, landing.ip) == (settings_lead_to.id, "web", "10.4.1.44")
    assert landing.network_rule is RULES[request.node.callspec.id]
    assert (landing.primary_network_id, landing.via_network) == (SEA.id, None)


def test_a_machine_whose_first_location_is_unknown_is_predicted_with_a_warning() -> None:
    undirected = item("vm", SEA, address("web", "10.0.1.20"), recovery_network_id=EA.id)
    [listed] = machines_of_items([undirected])
    assert "direction_unclear" in codes(land(listed, [EA, SEA], [mapping(SEA, EA), mapping(EA, SEA)], "failback"))
    assert "direction_unclear" not in codes(land(listed, [EA, SEA], [mapping(SEA, EA), mapping(EA, SEA)]))


def test_the_failover_of_a_re_protected_machine_is_reported_as_a_failback() -> None:
    reversed_item = item("vm", SEA, address("web", "10.0.1.20"), recovery_network_id=EA.id, **RUNS_AWAY)
    landing = land(machines_of_items([reversed_item])[0], [EA, SEA], [mapping(EA, SEA)])
    assert (landing.network_id, landing.network_rule) == (EA.id, RULES["own_network"])
    assert codes(landing) == {"runs_in_recovery_region"}


def test_a_re_protected_machine_without_its_own_network_follows_the_mapping_of_the_network_it_runs_on() -> None:
    [one] = machines_of_items([item("vm", SEA, address("web", "10.0.1.20"), **RUNS_AWAY)])
    landing = land(one, [EA, SEA], [mapping(SEA, EA), mapping(EA, SEA)], "failback")
    assert (landing.network_id, landing.network_rule) == (EA.id, RULES["a2a_mapped"])


def test_while_a_machine_is_re_protected_its_own_settings_decide_already() -> None:
    """Recorded: the NIC then has no primary network and no address, is NotSelected, and its failback network is set."""
    bare = IpConfiguration(name="ipconfig1", ip_type="Dynamic", recovery_subnet="web")
    nic = Nic(name="nic0", recovery_network_id=EA.id, selection="NotSelected", ip_configurations=(bare,))
    under_way = item("vm", SEA, state="InitialReplicationInProgress", **RUNS_AWAY)
    [one] = machines_of_items([structs.replace(under_way, nics=(nic,))])
    landing = land(one, [EA, SEA], [mapping(SEA, NEW)], "failback")
    assert (landing.network_id, landing.subnet, landing.network_rule) == (EA.id, "web", RULES["a2a_failback_own"])
    assert codes(landing) == {"selection_unclear", "not_protected"}


def test_between_zones_a_machine_outside_its_initial_zone_was_re_protected() -> None:
    zones = {"primary_location": "eastasia", "recovery_location": "eastasia", "initial_location": "eastasia"}
    model = item("vm", EA, address("web", "10.0.1.20"), initial_zone="1", primary_zone="2", **zones)
    landing = land(machines_of_items([model])[0], [EA], [])
    assert (landing.network_id, landing.ip, codes(landing)) == (EA.id, "10.0.1.20", {"runs_in_recovery_region"})


def test_a_machine_that_has_failed_over_and_is_not_re_protected_comes_back_by_the_reverse_mapping() -> None:
    failed_over = item("vm", EA, address("web", "10.0.1.20"), active_location="Recovery",
                       state="UnplannedFailoverCommitted", recovery_network_id=SEA.id)  # fmt: skip
    [one] = machines_of_items([structs.replace(failed_over, primary_location="eastasia")])
    landing = land(one, [EA, SEA, NEW], [in_region(SEA, NEW, "eastasia")], "failback")
    assert (landing.network_id, landing.network_rule) == (NEW.id, RULES["a2a_failback_mapped"])


@pytest.mark.parametrize("primary", [pytest.param(BEIJING1, id="failback_not_predicted")])
def test_the_failback_of_vmware_and_physical_machines_is_not_predicted(
    request: pytest.FixtureRequest, primary: Network
) -> None:
    one = machine("vm", primary, address(None), nic={"recovery_network_id": EA.id}, kind=ON_PREMISES)
    landing = land(one, [*SITES, EA], [], "failback")
    assert (landing.network, landing.outcome, codes(landing)) == (None, "unknown", {"failback_not_predicted"})
    assert landing.network_rule is RULES[request.node.callspec.id]


def in_region(primary: Network, recovery: Network, location: str) -> NetworkMapping:
    """A mapping to a region."""
    return structs.replace(mapping(primary, recovery), recovery_location=location)


def test_in_a_chain_of_networks_the_mapping_back_to_the_primary_is_the_failback() -> None:
    third = vnet("third", subnet("web", "10.6.1.0/24"))
    chain = [in_region(EA, SEA, "southeastasia"), in_region(SEA, third, "japaneast")]
    one = machine("vm", EA, address("web", "10.0.1.20"))
    landing = land(one, [EA, SEA, third], [*chain, in_region(SEA, EA, "eastasia")], "failback")
    assert (landing.network_id, codes(landing)) == (EA.id, set())
    landing = land(one, [EA, SEA, third], chain, "failback")
    assert landing.network_rule is RULES["a2a_failback_unmapped"]


def test_before_re_protection_the_reverse_mapping_decides_whatever_the_machine_is_set_to() -> None:
    one = machine("vm", EA, address("web", "10.0.1.20"), nic={"recovery_network_id": SEA.id})
    landing = land(one, [EA, SEA, NEW], [mapping(EA, SEA), mapping(SEA, NEW)], "failback")
    assert (landing.network_id, landing.network_rule) == (NEW.id, RULES["a2a_failback_mapped"])


def test_only_mappings_back_to_the_home_fabric_of_the_same_vault_count() -> None:
    mappings = Mappings([REVERSE, SECOND_BACK])
    back = failback_on_premises(
        BEIJING1.id, SHANGHAI1.id, Replica(network_id=SHANGHAI2.id), mappings, vault_id=VAULT, home_fabric_id=BEIJING
    )
    assert back.network_id == BEIJING2.id
    back = failback_on_premises(
        BEIJING1.id, SHANGHAI1.id, Replica(network_id=SHANGHAI2.id), mappings, home_fabric_id=SHANGHAI
    )
    assert back.rule is RULES["failback_unmapped"]


@pytest.mark.parametrize(("moved_to", "via"), [(SHANGHAI2, "VMNetwork2-Shanghai"), (None, None)])
def test_a_machine_comes_back_from_where_its_replica_was_moved(moved_to: Network | None, via: str | None) -> None:
    one = machine("VM-1", BEIJING1, replicas={"nic0": Replica(network_id=moved_to.id if moved_to else None)})
    assert land(one, SITES, [FORWARD, REVERSE], "failback").via_network == via


def test_an_unchanged_machine_has_its_subnet_and_address_again() -> None:
    one = machine("VM-1", BEIJING1, address("servers", "192.168.1.7", ip_type="Static"))
    landing = land(one, SITES, [FORWARD, REVERSE], "failback")
    assert (landing.network, landing.subnet, landing.ip) == ("VMNetwork1-Beijing", "servers", "192.168.1.7")
    assert (landing.outcome, landing.via_network) == ("keeps_address", "VMNetwork1-Shanghai")
    assert landing.notices == ()


@pytest.mark.parametrize(
    ("moved_to", "network", "outcome"),
    [
        (None, None, "loses_connectivity"),
        (SHANGHAI2, None, "loses_connectivity"),
        (SHANGHAI1, BEIJING1, "keeps_address"),
    ],
)
def test_the_network_of_a_replica_is_looked_up_by_nic(
    moved_to: Network | None, network: Network | None, outcome: str
) -> None:
    replica = Replica(network_id=moved_to.id if moved_to else None)
    one = machine("VM-1", BEIJING1, address(None, "192.168.1.7"), replicas={"nic0": replica})
    landing = land(one, SITES, [FORWARD, REVERSE], "failback")
    assert (landing.network_id, landing.outcome) == (network.id if network else None, outcome)


def test_a_replica_in_azure_comes_back_home_though_its_network_is_mapped_to_another_region() -> None:
    one = machine("VM-1", BEIJING1, address(None, "192.168.1.7"))
    landing = land(one, [*SITES, EA, SEA], [mapping(BEIJING1, SEA), mapping(SEA, EA)], "failback")
    assert (landing.network, landing.network_rule) == ("VMNetwork1-Beijing", RULES["failback_unchanged"])
    assert landing.via_network == "hub-sea"


def test_coming_back_to_another_network_is_warned_about() -> None:
    landing = land(machine("VM-1", BEIJING1, address(None)), SITES, [FORWARD, REMAPPED], "failback")
    assert codes(landing) == {"not_home"}
    assert "VMNetwork2-Beijing" in landing.notices[0].message


def test_a_machine_that_never_failed_over_to_a_network_keeps_its_own() -> None:
    landing = land(machine("VM-2", BEIJING2, address(None, "192.168.2.7")), SITES, [FORWARD, REVERSE], "failback")
    assert (landing.network, landing.outcome) == ("VMNetwork2-Beijing", "keeps_address")


def test_between_regions_an_address_that_was_kept_comes_back_as_it_was() -> None:
    one = machine("vm", EA, address("web", "10.0.1.20"))
    landing = land(one, [EA, SEA], [mapping(EA, SEA), mapping(SEA, EA)], "failback")
    assert (landing.network, landing.via_network, landing.ip) == ("hub-ea", "hub-sea", "10.0.1.20")
    assert landing.via_ip == "10.0.1.20"
    assert landing.outcome == "keeps_address"


def test_between_regions_an_address_that_was_changed_comes_back_as_the_next_available() -> None:
    away = vnet("away", subnet("web", "10.9.1.0/24"))
    machines = [machine(f"vm{n}", EA, address("web", f"10.0.1.{20 + n}")) for n in range(2)]
    answer = prediction(machines, [EA, away], [mapping(EA, away), mapping(away, EA)], "failback")
    assert [(each.ip, each.outcome) for each in answer.landings] == [
        ("10.0.1.4", "changes_address"),
        ("10.0.1.5", "changes_address"),
    ]


def test_between_regions_the_subnet_is_chosen_by_the_name_of_the_replicas() -> None:
    home = vnet("home", subnet("app", "10.0.1.0/24"), subnet("web", "10.0.2.0/24"))
    away = vnet("away", subnet("app", "10.9.1.0/24"))
    landing = land(
        machine("vm", home, address("web", "10.0.2.20")), [home, away], [mapping(home, away), mapping(away, home)],
        "failback",
    )  # fmt: skip
    assert (landing.network, landing.subnet) == ("home", "app")
    assert codes(landing) == {"not_home"}


@pytest.mark.parametrize(
    ("home", "subnet_at_home", "notices"),
    [
        pytest.param(vnet("home", subnet("app", "10.0.1.0/24"), subnet("web", "10.0.2.0/24")), None,
                     {"primary_subnet_unknown"}, id="several"),
        pytest.param(vnet("home", subnet("web", "10.0.2.0/24")), "web", set(), id="only one"),
    ],
)  # fmt: skip
def test_the_subnet_and_address_of_a_moved_replica_are_unknown(
    home: Network, subnet_at_home: str | None, notices: set[str]
) -> None:
    one = machine("vm", home, address("web", "10.0.2.20"), replicas={"nic0": Replica(network_id=NEW.id)})
    landing = land(one, [home, SEA, NEW], [mapping(home, SEA), mapping(SEA, home), mapping(NEW, home)], "failback")
    assert (landing.network, landing.subnet, landing.ip, landing.outcome) == ("home", subnet_at_home, None, "unknown")
    assert codes(landing) == notices


def test_between_regions_a_machine_that_cannot_fail_over_cannot_fail_back() -> None:
    landing = land(machine("vm", EA, address("web", "10.0.1.20")), [EA, SEA], [mapping(SEA, EA)], "failback")
    assert (landing.network_rule, landing.outcome) == (RULES["a2a_unmapped"], "loses_connectivity")


def test_between_regions_a_missing_reverse_mapping_loses_the_machine() -> None:
    landing = land(machine("vm", EA, address("web", "10.0.1.20")), [EA, SEA], [mapping(EA, SEA)], "failback")
    assert (landing.network_rule, landing.outcome) == (RULES["a2a_failback_unmapped"], "loses_connectivity")


def test_mappings_back_that_differ_are_named_by_their_ids() -> None:
    both = [mapping(SEA, EA), mapping(SEA, NEW)]
    one = machine("vm", EA, address("web", "10.0.1.20"))
    landing = land(one, [EA, SEA, NEW], [mapping(EA, SEA), *both], "failback")
    assert (landing.outcome, codes(landing)) == ("unknown", {"ambiguous_mapping"})
    assert all(str(each.id) in landing.notices[0].message for each in both)


def test_an_interface_that_did_not_fail_over_does_not_fail_back() -> None:
    one = machine("vm", EA, address("web", "fd00::4"))
    landing = land(one, [EA, SEA], [mapping(EA, SEA), mapping(SEA, EA)], "failback")
    assert (landing.outcome, landing.address_rule) == ("not_failed_over", RULES["ipv6_left_out"])


def test_on_premises_mappings_back_that_differ_leave_the_failback_unknown() -> None:
    one = machine("VM-1", BEIJING1, address(None, "192.168.1.7"))
    landing = land(one, SITES, [FORWARD, REVERSE, REMAPPED], "failback")
    assert (landing.network, landing.outcome, codes(landing)) == (None, "unknown", {"ambiguous_mapping"})


def test_a_machine_that_fails_back_to_an_unknown_network_is_not_reported_as_unchanged() -> None:
    nic = Nic(name="nic0", recovery_network_id=EA.id, ip_configurations=(address(None, "192.168.1.7"),))
    one = structs.replace(machine("VM-1", BEIJING1), nics=(nic,), kind="vmm_to_azure")
    landing = land(one, [*SITES, EA], [], "failback")
    assert (landing.network_rule, landing.outcome) == (RULES["failback_unchanged"], "unknown")
    assert codes(landing) == {"primary_network_unknown"}
