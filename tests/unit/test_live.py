"""Live mappings as pairs."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from sample_plans import VAULT, vnet

from asrnet.desired import DesiredState, Region, Row, Selection
from asrnet.errors import ForbiddenError
from asrnet.inventory.live_pairs import LivePair, LivePairs, live_pairs
from asrnet.inventory.read import Absent, Inventory, Unknown, VaultInventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, NetworkMapping, Nic, ProtectedItem, VirtualNetwork
from asrnet.render import render

EA, SEA = (VAULT.child("replicationFabrics", name) for name in ("ea", "sea"))
LOCATIONS = {EA: "eastasia", SEA: "southeastasia"}


def mapping(name: str, primary: str, recovery: str, *, fabric: ArmId = EA, to: ArmId = SEA) -> NetworkMapping:
    return NetworkMapping(
        id=fabric.child("replicationNetworks", "azureNetwork", "replicationNetworkMappings", name),
        kind="azure_to_azure",
        primary_network_id=vnet(primary),
        recovery_network_id=vnet(recovery),
        recovery_fabric_id=to,
        primary_location=LOCATIONS[fabric],
        recovery_location=LOCATIONS[to],
    )


def back(name: str, primary: str, recovery: str) -> NetworkMapping:
    return mapping(name, primary, recovery, fabric=SEA, to=EA)


def inventory(*mappings: NetworkMapping, **fields: object) -> Inventory:
    fabrics = tuple(Fabric(id=one, kind="azure", location=LOCATIONS[one]) for one in (EA, SEA))
    vault = VaultInventory(name="sea", id=VAULT, location="centralus", fabrics=fabrics, mappings=mappings)
    vault = structs.replace(vault, **{key: fields.pop(key) for key in list(fields) if hasattr(vault, key)})
    standard: dict[str, object] = {"networks": {}, "missing": {}, "subscriptions": {}}
    return Inventory(read_at=0.0, vaults={"sea": vault}, **{**standard, **fields})  # type: ignore[arg-type]  # by name


def pairs(*mappings: NetworkMapping, **fields: object) -> list[LivePair]:
    return list(live_pairs(inventory(*mappings, **fields), DesiredState()).pairs)


def test_two_opposite_mappings_are_one_pair() -> None:
    [pair] = pairs(mapping("there", "a", "b"), back("back", "b", "a"))
    assert (pair.status, pair.primary_network_id.name, pair.recovery_network_id.name) == ("paired", "a", "b")
    assert (pair.forward.name, pair.reverse and pair.reverse.name) == ("there", "back")


def test_ids_are_matched_whatever_their_case() -> None:
    [pair] = pairs(mapping("there", "Hub", "hub-DR"), back("back", "HUB-dr", "hub"))
    assert pair.status == "paired"


def test_a_mapping_without_its_opposite_is_half_a_pair() -> None:
    [pair] = pairs(mapping("there", "a", "b"))
    assert (pair.status, pair.reverse) == ("half", None)


def test_a_recovery_network_that_fails_back_to_another_primary_is_shared() -> None:
    found = pairs(mapping("one", "a", "b"), back("back", "b", "a"), mapping("two", "c", "b"))
    assert [(pair.primary_network_id.name, pair.status) for pair in found] == [("a", "paired"), ("c", "shared")]


def test_two_mappings_of_one_network_to_one_region_are_duplicates() -> None:
    found = pairs(mapping("one", "a", "b"), mapping("two", "a", "c"), back("back", "b", "a"))
    assert [pair.status for pair in found] == ["duplicate", "duplicate"]


def test_a_mapping_within_a_region_is_zone_to_zone() -> None:
    assert [pair.status for pair in pairs(mapping("z", "a", "b", to=EA))] == ["zone_to_zone"]


def test_a_network_mapped_to_itself_within_a_region_is_one_row() -> None:
    assert [pair.status for pair in pairs(mapping("z", "a", "a", to=EA))] == ["zone_to_zone"]


def test_a_state_other_than_paired_is_shown() -> None:
    odd = structs.replace(mapping("there", "a", "b"), state="Pairing")
    assert [pair.status for pair in pairs(odd, back("back", "b", "a"))] == ["not_paired"]


def test_a_declared_pair_has_its_name_and_direction() -> None:
    row = Row(name="hub", vault="sea", primary=vnet("b"), recovery=vnet("a"))
    desired = DesiredState(pairs=(row,), regions=(Region(primary="southeastasia", recovery="eastasia"),))
    [pair] = live_pairs(inventory(mapping("there", "a", "b"), back("back", "b", "a")), desired).pairs
    assert (pair.pair, pair.primary_network_id.name) == ("hub", "b")


NORTH = VAULT.child("replicationFabrics", "north")
LOCATIONS[NORTH] = "northeurope"


def regional(name: str, place: str, **tags: str) -> VirtualNetwork:
    return VirtualNetwork(id=vnet(name), location=place, address_space=("10.0.0.0/16",), tags=tags)


def declared(*rows: tuple[str, str, str], regions: tuple[tuple[str, str], ...]) -> DesiredState:
    return DesiredState(
        pairs=tuple(Row(name=name, vault="sea", primary=vnet(a), recovery=vnet(b)) for name, a, b in rows),
        regions=tuple(Region(primary=primary, recovery=recovery) for primary, recovery in regions),
    )


def test_pairs_that_share_a_primary_are_told_apart_by_their_recovery_region() -> None:
    desired = declared(
        ("near", "a", "b"), ("far", "a", "n"), regions=(("eastasia", "southeastasia"), ("eastasia", "northeurope"))
    )
    networks = [regional("a", "eastasia"), regional("b", "southeastasia"), regional("n", "northeurope")]
    found = live_pairs(
        inventory(
            mapping("one", "a", "b"), mapping("two", "a", "n", to=NORTH), networks={one.id: one for one in networks}
        ),
        desired,
    )
    assert [(pair.pair, pair.recovery_location) for pair in found.pairs] == [
        ("near", "southeastasia"),
        ("far", "northeurope"),
    ]


@pytest.mark.parametrize("known", [True, False])
def test_in_a_chain_each_pair_keeps_its_sides(known: bool) -> None:
    """a -> b -> n: the network in the middle is a recovery network of one pair and the primary one of the other."""
    desired = declared(
        ("first", "a", "b"),
        ("second", "b", "n"),
        regions=(("eastasia", "southeastasia"), ("southeastasia", "northeurope")),
    )
    networks = [regional("a", "eastasia"), regional("b", "southeastasia"), regional("n", "northeurope")]
    found = live_pairs(
        inventory(
            mapping("there", "a", "b"),
            back("back", "b", "a"),
            mapping("on", "b", "n", fabric=SEA, to=NORTH),
            mapping("home", "n", "b", fabric=NORTH, to=SEA),
            networks={one.id: one for one in networks} if known else {},
        ),
        desired,
    )
    assert [(pair.pair, pair.primary_network, pair.recovery_network) for pair in found.pairs] == [
        ("first", "a", "b"),
        ("second", "b", "n"),
    ]


def test_a_copy_is_never_the_primary_of_its_original() -> None:
    copy = regional("z", "eastasia", **{"Asrnet-Copy-Of": str(vnet("a"))})
    [pair] = pairs(mapping("there", "z", "a"), back("back", "a", "z"), networks={copy.id: copy})
    assert (pair.primary_network_id.name, pair.recovery_network_id.name) == ("a", "z")


def reversed_machine(name: str, runs_on: str, home: str | None) -> ProtectedItem:
    return ProtectedItem(
        id=SEA.child("replicationProtectionContainers", "c", "replicationProtectedItems", name),
        friendly_name=name,
        recovery_fabric_id=EA,
        initial_location="eastasia",
        primary_location="southeastasia",
        nics=(Nic(name="n", primary_network_id=vnet(runs_on), recovery_network_id=vnet(home) if home else None),),
    )


def test_a_pair_counts_the_machines_that_run_in_its_recovery_region() -> None:
    items = (reversed_machine("one", "b", "a"), reversed_machine("two", "b", None), reversed_machine("three", "b", "c"))
    [pair] = pairs(mapping("there", "a", "b"), back("back", "b", "a"), items=items)
    assert (pair.primary_network, pair.reversed_machines) == ("a", 2)
    lines = shown(mapping("there", "a", "b"), back("back", "b", "a"), items=items[:1])
    assert lines[2] == "= - a (eastasia) <-> b (southeastasia) paired; 1 machine runs in the recovery region"


def failed_over_machine(name: str, state: str, **more: Any) -> ProtectedItem:
    return ProtectedItem(
        id=EA.child("replicationProtectionContainers", "c", "replicationProtectedItems", name),
        friendly_name=name,
        recovery_fabric_id=SEA,
        active_location="Recovery",
        state=state,
        nics=(Nic(name="n", primary_network_id=vnet("a"), **more),),
    )


def test_an_uncommitted_planned_failover_counts_as_not_committed() -> None:
    items = (
        failed_over_machine("one", "PlannedFailoverCommitRequired", recovery_network_id=vnet("b")),
        failed_over_machine("two", "PlannedFailoverStatesBegin", recovery_network_id=vnet("b")),
    )
    [pair] = pairs(mapping("there", "a", "b"), back("back", "b", "a"), items=items)
    assert (pair.failed_over_machines, pair.uncommitted_machines) == (2, 1)


def test_a_pair_counts_the_machines_that_have_failed_over_and_those_not_committed() -> None:
    items = (
        failed_over_machine("one", "UnplannedFailoverCommitPendingStatesBegin", recovery_network_id=vnet("b")),
        failed_over_machine("two", "UnplannedFailoverCommitted"),
        failed_over_machine("three", "UnplannedFailoverCommitted", recovery_network_id=vnet("c")),
    )
    [pair] = pairs(mapping("there", "a", "b"), back("back", "b", "a"), items=items)
    assert (pair.failed_over_machines, pair.uncommitted_machines, pair.reversed_machines) == (2, 1, 0)
    state = "paired; 2 machines have failed over, 1 not committed"
    assert shown(mapping("there", "a", "b"), back("back", "b", "a"), items=items)[2].endswith(state)
    state = "paired; 1 machine has failed over"
    assert shown(mapping("there", "a", "b"), back("back", "b", "a"), items=items[1:2])[2].endswith(state)


def test_undeclared_pairs_point_where_most_mappings_without_an_opposite_do() -> None:
    found = pairs(back("x", "d", "c"), mapping("there", "a", "b"), back("back", "b", "a"))
    assert [pair.primary_location for pair in found] == ["southeastasia", "southeastasia"]


def test_undeclared_pairs_point_where_the_protected_machines_go() -> None:
    item = ProtectedItem(
        id=SEA.child("replicationProtectionContainers", "c", "replicationProtectedItems", "vm"),
        friendly_name="vm",
        recovery_fabric_id=EA,
    )
    [pair] = pairs(mapping("there", "a", "b"), back("back", "b", "a"), items=(item,))
    assert pair.primary_location == "southeastasia"


def test_undeclared_pairs_point_as_the_declared_regions_do() -> None:
    desired = DesiredState(regions=(Region(primary="southeastasia", recovery="eastasia"),))
    [pair] = live_pairs(inventory(mapping("there", "a", "b"), back("back", "b", "a")), desired).pairs
    assert (pair.primary_network_id.name, pair.recovery_network_id.name) == ("b", "a")


def test_undeclared_pairs_point_towards_the_region_of_the_vault() -> None:
    [pair] = pairs(mapping("there", "a", "b"), back("back", "b", "a"), location="eastasia")
    assert pair.recovery_location == "eastasia"


def test_networks_have_their_own_spelling_and_are_marked_when_gone_or_unknown() -> None:
    hub = VirtualNetwork(id=vnet("Hub-EA"), location="eastasia", address_space=("10.0.0.0/16",))
    unknown = Unknown(error=ForbiddenError("no"))
    [one, two] = pairs(
        mapping("there", "hub-ea", "b"),
        mapping("other", "x", "c"),
        networks={hub.id: hub},
        missing={vnet("b"): Absent(), vnet("c"): unknown},
    )
    assert (one.primary_network_id.name, one.absent, two.unknown) == ("Hub-EA", (vnet("b"),), (vnet("c"),))


def test_a_vault_that_could_not_be_read_is_listed_as_unknown() -> None:
    found = live_pairs(inventory(error=ForbiddenError("no right to read")), DesiredState())
    assert (found.vaults[0].error, found.pairs) == ("no right to read", ())
    assert render(found, "text").splitlines() == [
        "Vault sea (centralus)",
        "  unknown: no right to read",
        "",
        "0 mappings; 1 vault could not be read.",
    ]


def shown(*mappings: NetworkMapping, **fields: object) -> list[str]:
    found: LivePairs = live_pairs(inventory(*mappings, **fields), DesiredState())
    return [" ".join(line.split()) for line in render(found, "text").splitlines()]


def test_pairs_are_shown_one_per_line_with_a_count_below() -> None:
    assert shown(
        mapping("there", "a", "b"), back("back", "b", "a"), mapping("half", "c", "d"), missing={vnet("d"): Absent()}
    ) == [
        "Vault sea (centralus)",
        "Pair Primary Recovery State",
        "= - a (eastasia) <-> b (southeastasia) paired",
        "! - c (eastasia) -> d (southeastasia) gone half: no reverse",
        "",
        "3 mappings, 2 pairs: 1 paired, 1 half.",
    ]


def test_an_empty_vault_is_shown_as_such() -> None:
    assert shown() == ["Vault sea (centralus)", "no mappings", "", "0 mappings."]


def test_a_vault_without_a_mapping_of_the_selected_pair_is_not_shown_as_empty() -> None:
    live = live_pairs(inventory(mapping("there", "a", "b")), DesiredState(), Selection(pairs=frozenset({"other"})))
    assert render(live, "text").splitlines()[:2] == ["Vault sea (centralus)", "  no mappings of the pairs asked for"]


def test_the_count_below_selected_pairs_covers_them_and_gives_the_total() -> None:
    mappings = [mapping("there", "a", "b"), back("back", "b", "a"), mapping("more", "c", "d")]
    hub = Row(name="hub", vault="sea", primary=vnet("a"), recovery=vnet("b"))
    desired = DesiredState(pairs=(hub,))
    live = live_pairs(inventory(*mappings), desired, Selection(pairs=frozenset({"hub"})))
    assert render(live, "text").splitlines()[-1] == "2 of 3 mappings, 1 pair."
