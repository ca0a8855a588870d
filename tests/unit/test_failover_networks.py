"""The network of a machine after failover and in a test failover: inputs and expected landing.

A row's id is the code of its rule; docs/failover-rules.md names these rows, and test_failover_rules_page checks that.
"""

from __future__ import annotations

import pytest
from failover_worlds import (
    A2A,
    CORP,
    EA,
    GATEWAY,
    HOME,
    NETWORKS,
    ON_PREMISES,
    OTHER,
    SEA,
    SHANGHAI,
    SITE2,
    TEST,
    TO_AZURE,
    TO_VMM,
    VAULT,
    address,
    codes,
    item,
    land,
    machine,
    mapping,
    vm_network,
)
from msgspec import structs

from asrnet.failover import RULES, Gaps, Network, Operation, ReplicationKind, machines_of_items
from asrnet.model.arm import AZURE_NETWORK, ArmId
from asrnet.model.azure import NetworkMapping, Nic, UnreadableMapping


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
        pytest.param(CORP, OTHER, [SEA], ON_PREMISES, OTHER, "changes_address", id="on_premises_network"),
        pytest.param(CORP, None, [SEA], ON_PREMISES, None, "unknown", id="on_premises_no_network"),
        pytest.param(EA, None, [SEA, OTHER], A2A, None, "unknown", id="ambiguous_mapping"),
    ],
)
def test_the_network_after_failover_follows_the_rules(
    request: pytest.FixtureRequest,
    *,
    primary: Network,
    own: Network | None,
    mapped: list[Network],
    kind: ReplicationKind,
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
def test_the_network_in_a_test_failover_follows_the_rules(
    request: pytest.FixtureRequest, own_test: Network | None, named: Network | None, lands_on: Network
) -> None:
    one = machine("vm", EA, address("web", HOME), nic={"test_network_id": own_test.id if own_test else None})
    landing = land(one, NETWORKS, [mapping(EA, SEA)], "test-failover", test_network_id=named.id if named else None)
    assert landing.network_id == lands_on.id
    assert landing.network_rule is RULES[request.node.callspec.id]


@pytest.mark.parametrize(("region", "expected"), [("westus", {"network_elsewhere"}), (SEA.location, set())])
def test_a_test_network_in_another_region_than_the_failover_network_is_warned_about(
    region: str, expected: set[str]
) -> None:
    elsewhere = structs.replace(TEST, location=region)
    networks = [*(network for network in NETWORKS if network.id != TEST.id), elsewhere]
    machines = [
        machine("named", EA, address("web", HOME)),
        machine("own", EA, address("web", HOME), nic={"test_network_id": TEST.id}),
    ]
    for tested in machines:
        landing = land(tested, networks, [mapping(EA, SEA)], "test-failover", test_network_id=TEST.id)
        assert (landing.network_id, codes(landing)) == (TEST.id, expected)


def test_a_machine_that_cannot_be_replicated_cannot_be_tested_in_any_network() -> None:
    planned = machine("vm", EA, address("web", HOME))
    landing = land(planned, NETWORKS, [], "test-failover", test_network_id=TEST.id)
    assert (landing.network, landing.network_rule) == (None, RULES["a2a_unmapped"])
    replicated = machine("vm", EA, address("web", HOME), vault_id=VAULT)
    landing = land(replicated, NETWORKS, [], "test-failover", test_network_id=TEST.id)
    assert (landing.network_id, landing.network_rule) == (TEST.id, RULES["test_named_network"])


def test_a_machine_on_premises_is_tested_in_the_named_network_although_its_own_is_not_mapped() -> None:
    one = machine("vm", CORP, address(None), kind=TO_AZURE)
    landing = land(one, NETWORKS, [], "test-failover", test_network_id=TEST.id)
    assert (landing.network_id, landing.network_rule) == (TEST.id, RULES["test_named_network"])


@pytest.mark.parametrize("operation", [pytest.param("failover", id="own_network_unknown"), "failback"])
def test_an_own_network_that_is_not_an_id_is_not_taken_for_none(operation: Operation) -> None:
    listed = machine("vm", EA, address("web", HOME))
    nics = tuple(structs.replace(nic, unclear_recovery_network="somewhere") for nic in listed.nics)
    landing = land(structs.replace(listed, nics=nics), NETWORKS, [mapping(EA, SEA), mapping(SEA, EA)], operation)
    assert (landing.network, landing.outcome, codes(landing)) == (None, "unknown", {"own_network_unknown"})


def riddle(above: ArmId, primary: Network | None = None) -> UnreadableMapping:
    mapping_id = above.child("replicationNetworkMappings", "riddle")
    return UnreadableMapping(id=mapping_id, primary_network_id=primary.id if primary else None)


AZURE_SIDE = VAULT.child("replicationFabrics", "fabric-ea", "replicationNetworks", AZURE_NETWORK)
ELSEWHERE = ArmId(f"{VAULT}-elsewhere")
UNREAD = Gaps(vaults=frozenset({VAULT}))


@pytest.mark.parametrize(
    ("primary", "vault_id", "gaps"),
    [
        pytest.param(EA, None, UNREAD, id="mapping_unknown"),
        pytest.param(EA, VAULT, UNREAD, id="mapping_unknown-vault"),
        pytest.param(EA, VAULT, Gaps(mappings=(riddle(AZURE_SIDE, EA),)), id="mapping_unknown-where_to"),
        pytest.param(EA, None, Gaps(mappings=(riddle(AZURE_SIDE),)), id="mapping_unknown-where_from"),
        pytest.param(CORP, None, Gaps(mappings=(riddle(CORP.id),)), id="mapping_unknown-on_premises"),
    ],
)
@pytest.mark.parametrize("operation", ["failover", "failback"])
def test_a_network_that_may_be_mapped_is_not_reported_as_lost(
    primary: Network, vault_id: ArmId | None, gaps: Gaps, operation: Operation
) -> None:
    landing = land(machine("vm", primary, address("web", HOME), vault_id=vault_id), NETWORKS, [], operation, gaps=gaps)
    assert (landing.network, landing.outcome, codes(landing)) == (None, "unknown", {"mapping_not_read"})
    assert landing.network_rule is RULES["mapping_unknown"]


@pytest.mark.parametrize(
    ("primary", "gaps"),
    [
        (EA, Gaps(vaults=frozenset({ELSEWHERE}))),
        (EA, Gaps(mappings=(riddle(ELSEWHERE.child("replicationFabrics", "f", "replicationNetworks", "n"), EA),))),
        (EA, Gaps(mappings=(riddle(AZURE_SIDE, OTHER),))),
        (CORP, Gaps(mappings=(riddle(AZURE_SIDE),))),
        (CORP, Gaps(mappings=(riddle(SITE2.id),))),
    ],
    ids=["another vault", "a mapping of another vault", "another network", "between regions", "another VM network"],
)
def test_unreadable_mappings_of_other_networks_leave_a_machine_lost(primary: Network, gaps: Gaps) -> None:
    one = machine("vm", primary, address("web", HOME), vault_id=VAULT)
    assert land(one, NETWORKS, [], gaps=gaps).outcome == "loses_connectivity"


def test_a_mapping_that_was_read_counts_beside_those_that_were_not() -> None:
    one = machine("vm", EA, address("web", HOME))
    assert land(one, NETWORKS, [mapping(EA, SEA)], gaps=UNREAD).network_id == SEA.id


def test_an_unreadable_reverse_mapping_leaves_the_failback_unknown() -> None:
    gaps = Gaps(mappings=(riddle(AZURE_SIDE, SEA),))
    landing = land(machine("vm", EA, address("web", HOME)), NETWORKS, [mapping(EA, SEA)], "failback", gaps=gaps)
    assert (landing.outcome, landing.via_network, codes(landing)) == ("unknown", "hub-sea", {"mapping_not_read"})


def test_a_replica_in_azure_fails_back_on_premises_whatever_mappings_of_azure_were_read() -> None:
    gaps = Gaps(mappings=(riddle(AZURE_SIDE),))
    landing = land(machine("vm", CORP, address(None, HOME)), NETWORKS, [mapping(CORP, SEA)], "failback", gaps=gaps)
    assert (landing.network, landing.network_rule) == ("corp", RULES["failback_unchanged"])


@pytest.mark.parametrize("name", ["corp", ""])
def test_a_machine_whose_network_is_unknown_is_not_reported_as_lost(name: str) -> None:
    nic = Nic(name="nic0", primary_network=name, ip_configurations=(address(None, HOME),))
    landing = land(type(machine("vm", CORP))(name="vm", nics=(nic,), kind=TO_AZURE), NETWORKS, [])
    assert (landing.outcome, codes(landing)) == ("unknown", {"primary_network_unknown"})
    assert landing.primary_network == (name or None)


def test_a_replicated_machine_is_tested_in_the_named_network_though_its_mapping_is_unknown() -> None:
    planned = machine("vm", EA, address("web", HOME))
    landing = land(planned, NETWORKS, [], "test-failover", test_network_id=TEST.id, gaps=UNREAD)
    assert (landing.network, landing.outcome) == (None, "unknown")
    replicated = machine("vm", EA, address("web", HOME), vault_id=VAULT)
    landing = land(replicated, NETWORKS, [], "test-failover", test_network_id=TEST.id, gaps=UNREAD)
    assert landing.network_id == TEST.id


@pytest.mark.parametrize("own", [pytest.param(False, id="network_missing"), pytest.param(True, id="own")])
def test_a_recovery_network_that_does_not_exist_loses_the_machine(*, own: bool) -> None:
    one = machine("vm", EA, address("web", HOME), nic={"recovery_network_id": SEA.id if own else None})
    landing = land(one, [EA], [] if own else [mapping(EA, SEA)], absent={SEA.id})
    assert (landing.network_id, landing.subnet, landing.outcome) == (SEA.id, None, "loses_connectivity")
    assert (landing.rule, codes(landing)) == (RULES["network_missing"], {"network_missing"})


def test_an_own_network_that_differs_from_the_mappings_is_reported() -> None:
    one = machine("vm", EA, address("web", HOME), nic={"recovery_network_id": OTHER.id})
    landing = land(one, NETWORKS, [mapping(EA, SEA)])
    assert (landing.own_network_id, landing.mapped_network_id) == (OTHER.id, SEA.id)
    assert codes(landing) == {"differs_from_mapping"}


def test_an_own_network_that_equals_the_mappings_has_no_notice() -> None:
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


def test_an_unmapped_vm_network_has_the_kind_of_its_servers_other_mappings() -> None:
    second = vm_network("second")
    landing = land(machine("vm", second, address(None)), [*NETWORKS, second], [mapping(CORP, GATEWAY)])
    assert landing.network_rule is RULES["vmm_azure_unmapped"]


def test_a_test_in_the_failover_network_recommends_another() -> None:
    one = machine("vm", EA, address("web", HOME))
    assert codes(land(one, NETWORKS, [mapping(EA, SEA)], "test-failover")) == {"test_in_failover_network"}
    assert codes(land(one, NETWORKS, [mapping(EA, SEA)], "test-failover", test_network_id=TEST.id)) == set()


def test_an_own_test_network_that_differs_from_the_named_one_is_reported() -> None:
    one = machine("vm", EA, address("web", HOME), nic={"test_network_id": OTHER.id})
    landing = land(one, NETWORKS, [mapping(EA, SEA)], "test-failover", test_network_id=TEST.id)
    assert codes(landing) == {"test_network_differs"}


# --- several recovery regions, chains and zones -----------------------------------------------------------------------


def between(primary: Network, recovery: Network, location: str) -> NetworkMapping:
    """A mapping to a region."""
    return structs.replace(mapping(primary, recovery), recovery_location=location)


TO_TWO_REGIONS = [between(EA, SEA, "southeastasia"), between(EA, OTHER, "japaneast")]


@pytest.mark.parametrize("operation", ["failover", "test-failover"])
def test_the_recovery_region_chooses_between_mappings_of_one_network(operation: Operation) -> None:
    one = machine("vm", EA, address("web", HOME), recovery_location="japaneast")
    assert land(one, NETWORKS, TO_TWO_REGIONS, operation).network_id == OTHER.id
    unclear = land(machine("vm", EA, address("web", HOME)), NETWORKS, TO_TWO_REGIONS, operation)
    assert (unclear.network_id, codes(unclear)) == (None, {"ambiguous_mapping"})
    assert "recovery_region in the list, or with --to" in unclear.notices[0].message


def test_a_region_that_the_network_is_not_mapped_to_is_no_destination() -> None:
    one = machine("vm", EA, address("web", HOME), recovery_location="westeurope")
    assert land(one, NETWORKS, TO_TWO_REGIONS).network_rule is RULES["a2a_unmapped"]


def test_the_region_decides_and_not_which_of_its_fabrics_a_mapping_names() -> None:
    other_fabric = VAULT.child("replicationFabrics", "second-fabric-of-the-region")
    one = item("vm", EA, address("web", HOME), recovery_location="southeastasia", recovery_fabric_id=other_fabric)
    [landing] = [land(found, NETWORKS, TO_TWO_REGIONS) for found in machines_of_items([one])]
    assert landing.network_id == SEA.id


ZONAL = {"primary_location": "eastasia", "recovery_location": "East Asia"}


@pytest.mark.parametrize(
    ("own", "mappings", "lands_on"),
    [
        pytest.param(None, [], EA, id="zone_same_network"),
        pytest.param(None, TO_TWO_REGIONS, EA, id="zone_same_network-mapped to other regions"),
        pytest.param(EA, TO_TWO_REGIONS, EA, id="own_network"),
    ],
)
@pytest.mark.parametrize("operation", ["failover", "failback"])
def test_a_machine_between_zones_stays_in_its_network(
    *, own: Network | None, mappings: list[NetworkMapping], lands_on: Network, operation: Operation
) -> None:
    model = item("vm", EA, address("web", HOME), recovery_network_id=own.id if own else None, **ZONAL)
    [one] = machines_of_items([model])
    landing = land(one, NETWORKS, mappings, operation)
    assert landing.network_id == lands_on.id
    if operation == "failover":
        assert (landing.network_rule is RULES["zone_same_network"]) is (own is None)
    assert landing.ip == HOME


def test_a_machine_whose_fabrics_are_the_same_is_between_zones_if_no_location_is_known() -> None:
    model = item("vm", EA, address("web", HOME))
    [one] = machines_of_items([structs.replace(model, recovery_fabric_id=model.fabric_id)])
    assert land(one, NETWORKS, []).network_rule is RULES["zone_same_network"]


def test_a_test_between_zones_names_the_network_the_machine_runs_in() -> None:
    [one] = machines_of_items([item("vm", EA, address("web", HOME), **ZONAL)])
    [notice] = land(one, NETWORKS, [], "test-failover").notices
    assert notice.code == "test_in_failover_network"
    assert "the network that the machine runs in" in notice.message
    assert land(one, NETWORKS, [], "test-failover", test_network_id=TEST.id).network_id == TEST.id


def test_in_a_test_in_its_own_network_a_running_machine_keeps_its_address() -> None:
    [one] = machines_of_items([item("vm", EA, address("web", HOME), **ZONAL)])
    landing = land(one, NETWORKS, [], "test-failover")
    assert (landing.ip, landing.address_rule) == ("10.0.1.254", RULES["test_address_end"])
    assert landing.detail == f"{HOME} is in use there"
