"""Findings about machines: those that keep an older network, and those in the recovery region."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, kinds, row

from asrnet import exit_codes, planning
from asrnet.desired import DesiredState, Region, Selection
from asrnet.inventory.read import read_inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import NOT_SELECTED, Nic, ProtectedItem, VirtualNetwork
from asrnet.model.plan import Plan

WEST = "westus"


def planned(
    azure: TwoRegions, desired: DesiredState, *items: ProtectedItem, pairs: tuple[str, ...] = (), **more: Any
) -> Plan:
    """The plan with exactly these machines, which a small world cannot build."""
    found = read_inventory(desired, azure.backend)
    vault = structs.replace(found.vaults["sea"], items=items)
    selection = Selection(pairs=frozenset(pairs))
    return planning.plan(desired, structs.replace(found, vaults={"sea": vault}), selection=selection, **more)


def machine(
    azure: TwoRegions, network: ArmId, lands_on: ArmId | None, *, place: str = EA, to: str = SEA, **more: Any
) -> ProtectedItem:
    """A machine on ``network``, replicated from ``place`` to ``to``."""
    fabric = azure.fabrics[place].id
    nic = Nic(
        name="nic0", primary_network_id=network, recovery_network_id=lands_on, selection=more.pop("selection", "")
    )
    values = {"initial_location": place, "primary_location": place, "recovery_location": to, **more}
    return ProtectedItem(
        id=fabric.child("replicationProtectionContainers", "c", "replicationProtectedItems", more.get("name", "vm1")),
        recovery_fabric_id=azure.fabrics[to].id,
        nics=(nic,),
        **{"friendly_name": "vm1", **{key: value for key, value in values.items() if key != "name"}},
    )


class World:
    """hub in sync with dr, and a third region."""

    def __init__(self) -> None:
        self.azure = TwoRegions()
        self.azure.fabrics[WEST] = self.azure.build.azure_fabric(self.azure.vault, WEST)
        self.hub, self.dr = self.azure.network("hub"), self.azure.network("dr", SEA)
        self.own, self.far = self.azure.network("own", SEA), self.azure.network("far", WEST)
        self.azure.map_both(self.hub, self.dr)

    def desired(self, recovery: VirtualNetwork | None = None) -> DesiredState:
        return self.azure.state(row(self.hub, recovery or self.dr))

    def reversed(self, name: str = "vm1", home: ArmId | None = None) -> ProtectedItem:
        """A machine of hub that has failed over, was committed and re-protected: it runs on dr."""
        lands_on = home or self.hub.id
        return machine(
            self.azure, self.dr.id, lands_on, place=SEA, to=EA, initial_location=EA, friendly_name=name, name=name
        )


@pytest.fixture
def world() -> World:
    return World()


class TestStaleItems:
    def test_a_machine_that_lands_elsewhere_is_named(self, world: World) -> None:
        plan = planned(world.azure, world.desired(), machine(world.azure, world.hub.id, world.own.id))
        assert kinds(plan) == ["stale_protected_item"]
        assert plan.findings[0].message == "vm1 (nic0) still fails over to own; mapping changes do not move it"

    def test_the_network_of_the_item_counts_where_the_nic_names_none(self, world: World) -> None:
        item = machine(world.azure, world.hub.id, None, recovery_network_id=world.own.id)
        assert kinds(planned(world.azure, world.desired(), item)) == ["stale_protected_item"]
        right = structs.replace(item, recovery_network_id=world.dr.id)
        assert kinds(planned(world.azure, world.desired(), right)) == []

    def test_a_machine_of_the_pair_to_another_region_is_not_stale(self, world: World) -> None:
        """One network may be paired to two regions: each machine follows the mapping to its own."""
        item = machine(world.azure, world.hub.id, world.far.id, to=WEST)
        assert kinds(planned(world.azure, world.desired(), item)) == []

    @pytest.mark.parametrize("lands_on", [None, "hub"])
    def test_zone_to_zone_machines_are_not_stale(self, world: World, lands_on: str | None) -> None:
        item = machine(world.azure, world.hub.id, world.own.id if lands_on else None, to=EA)
        assert kinds(planned(world.azure, world.desired(), item)) == []

    def test_nics_that_are_not_failed_over_are_not_stale(self, world: World) -> None:
        item = machine(world.azure, world.hub.id, world.own.id, selection=NOT_SELECTED)
        assert kinds(planned(world.azure, world.desired(), item)) == []

    def test_machines_that_have_failed_over_are_not_stale(self, world: World) -> None:
        item = machine(world.azure, world.hub.id, world.own.id, active_location="Recovery")
        assert "stale_protected_item" not in kinds(planned(world.azure, world.desired(), item))

    def test_machines_that_run_in_the_recovery_region_are_not_stale(self, world: World) -> None:
        other = world.azure.network("other")
        state = world.azure.state(row(world.dr, other), regions=(Region(primary=SEA, recovery=EA),))
        assert "stale_protected_item" not in kinds(planned(world.azure, state, world.reversed()))
        first = structs.replace(world.reversed(), initial_location=SEA)
        assert "stale_protected_item" in kinds(planned(world.azure, state, first))


class TestReversed:
    def test_machines_in_the_recovery_region_are_counted_where_nothing_is_held(self, world: World) -> None:
        plan = planned(world.azure, world.desired(), world.reversed("one"), world.reversed("two"))
        assert [(found.kind, found.severity, found.pair) for found in plan.findings] == [("reversed", "info", "hub")]
        assert plan.findings[0].message == (
            "2 machines of the pair run in the recovery region and would fail back to hub"
        )
        assert exit_codes.exit_code(plan) == exit_codes.DONE

    def test_a_held_retarget_says_where_each_machine_fails_back_to(self, world: World) -> None:
        plan = planned(world.azure, world.desired(world.own), world.reversed())
        assert plan.changes == ()
        held = next(found for found in plan.findings if found.kind == "reversed")
        assert (held.severity, held.message) == (
            "error",
            (
                "update of hub-to-dr is held back: 1 machine runs in the recovery region: vm1 fails back to hub; "
                "its next re-protection uses the mapping"
            ),
        )
        assert held.hint == "fail back first, or use --force reversed together with --pair"
        assert [found.severity for found in plan.findings if found.kind == "reversed"] == ["error"]

    def test_force_reversed_lifts_the_hold_of_named_pairs(self, world: World) -> None:
        desired, item = world.desired(world.own), world.reversed()
        assert planned(world.azure, desired, item, forced={"reversed"}).changes == ()
        assert planned(world.azure, desired, item, pairs=("hub",)).changes == ()
        assert len(planned(world.azure, desired, item, pairs=("hub",), forced={"reversed"}).changes) == 1

    def test_no_other_force_lifts_the_hold(self, world: World) -> None:
        plan = planned(
            world.azure, world.desired(world.own), world.reversed(), pairs=("hub",), forced={"failover_active"}
        )
        assert plan.changes == ()

    def test_creates_are_not_held_by_reversed_machines(self, world: World) -> None:
        world.azure.backend.mapping_writer.delete_mapping(world.azure.map(world.dr, world.hub).id)
        plan = planned(world.azure, world.desired(), world.reversed())
        assert [change.action for change in plan.changes] == ["create"]

    def test_reversed_machines_in_initial_replication_hold_as_a_failover_does(self, world: World) -> None:
        item = structs.replace(world.reversed(), state="InitialReplicationInProgress")
        assert "failover_active" in kinds(planned(world.azure, world.desired(world.own), item))


class TestAddresses:
    def test_subnets_are_compared_one_by_one_and_in_each_direction(self) -> None:
        azure = TwoRegions()
        hub = azure.network("hub", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24"})
        dr = azure.network("dr", SEA, subnets={"web": "10.0.1.0/25", "db": "10.0.2.0/24"})
        azure.map_both(hub, dr)
        plan = azure.plan(azure.state(row(hub, dr)))
        assert [found.message for found in plan.findings] == [
            "machines get new addresses: some of web 10.0.1.0/24 -> 10.0.1.0/25 (failover only)"
        ]

    def test_a_pair_without_failback_has_no_finding_about_the_reverse(self) -> None:
        azure = TwoRegions()
        hub = azure.network("hub", subnets={"web": "10.0.1.0/25"})
        dr = azure.network("dr", SEA, subnets={"web": "10.0.1.0/24"})
        azure.map(hub, dr)
        assert kinds(azure.plan(azure.state(row(hub, dr, failback=False)))) == []
        back = azure.plan(azure.state(row(hub, dr)))
        assert [found.message for found in back.findings if found.kind == "address_space_differs"] == [
            "machines get new addresses: some of web 10.0.1.0/24 -> 10.0.1.0/25 (failback only)"
        ]

    def test_subnets_that_differ_both_ways_are_one_finding(self) -> None:
        azure = TwoRegions()
        hub = azure.network("hub", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24"})
        dr = azure.network("dr", SEA, subnets={"web": "10.1.1.0/24", "db": "10.1.2.0/24"})
        azure.map_both(hub, dr)
        assert [found.message for found in azure.plan(azure.state(row(hub, dr))).findings] == [
            "machines get new addresses: web 10.0.1.0/24 -> 10.1.1.0/24; db 10.0.2.0/24 -> 10.1.2.0/24"
        ]

    def test_the_same_subnets_in_another_address_space_do_not_differ(self) -> None:
        azure = TwoRegions()
        hub = azure.network("hub", address_space=["10.0.0.0/16"])
        dr = azure.network("dr", SEA, address_space=["10.0.0.0/8"])
        azure.map_both(hub, dr)
        assert azure.plan(azure.state(row(hub, dr))).findings == ()


class TestIncompleteNetworksAndFabrics:
    """Members that are null, missing or unknown: the result is `unknown` where it matters, and never a failure."""

    @pytest.mark.parametrize("prefixes", [("garbage",), ("10.0.1.0/99",), ("",), ()])
    @pytest.mark.parametrize("side", ["hub", "dr"])
    def test_a_prefix_that_is_no_range_is_unknown_or_ignored(
        self, world: World, side: str, prefixes: tuple[str, ...]
    ) -> None:
        desired = world.desired()
        found = read_inventory(desired, world.azure.backend)
        network = {"hub": world.hub, "dr": world.dr}[side]
        odd = structs.replace(network, subnets=(structs.replace(network.subnets[0], prefixes=prefixes),))
        plan = planning.plan(desired, structs.replace(found, networks={**found.networks, network.id: odd}))
        assert plan.summary.in_sync == 2
        assert kinds(plan) == (["unknown"] if prefixes else [])

    @pytest.mark.parametrize("location", ["", "nowhere"])
    def test_a_network_of_an_unknown_region_is_blocked(self, world: World, location: str) -> None:
        desired = world.desired()
        found = read_inventory(desired, world.azure.backend)
        odd = structs.replace(world.dr, location=location)
        plan = planning.plan(desired, structs.replace(found, networks={**found.networks, odd.id: odd}))
        assert (plan.changes, plan.summary.blocked) == ((), 2)

    @pytest.mark.parametrize("change", [{"location": None}, {"kind": "other"}])
    def test_a_fabric_without_a_stated_type_is_not_created_again(self, world: World, change: dict[str, Any]) -> None:
        new = world.azure.network("new")
        desired = world.azure.state(row(new, world.own), create_fabrics=True)
        found = read_inventory(desired, world.azure.backend)
        vault = found.vaults["sea"]
        fabrics = tuple(
            structs.replace(fabric, **change) if fabric.location == EA else fabric for fabric in vault.fabrics
        )
        odd = structs.replace(found, vaults={"sea": structs.replace(vault, fabrics=fabrics)})
        plan = planning.plan(desired, odd)
        assert (plan.changes, "unknown" in kinds(plan)) == ((), True)


class TestIncompleteMachines:
    """Members that are null, missing or unknown: a plan may hold back, but never fails or reports a machine as fine."""

    @pytest.mark.parametrize(
        "broken",
        [
            {"state": ""},
            {"state": "Ünknown"},
            {"active_location": ""},
            {"active_location": "Both"},
            {"provider": ""},
            {"provider": "Teleport"},
            {"recovery_fabric_id": None},
            {"initial_location": None},
            {"primary_location": None, "initial_location": None, "recovery_location": None},
            {"nics": ()},
            {"nics": (Nic(name=""),)},
            {"nics": (Nic(name="n", primary_network="corp"),)},
            {"test_failover_state": ""},
            {"scenario": "None"},
        ],
    )
    @pytest.mark.parametrize("retarget", [True, False])
    def test_no_unknown_member_breaks_a_plan(self, world: World, broken: dict[str, Any], retarget: bool) -> None:
        for item in (machine(world.azure, world.hub.id, world.dr.id), world.reversed()):
            desired = world.desired(world.own if retarget else None)
            plan = planned(world.azure, desired, structs.replace(item, **broken))
            assert plan.summary.in_sync == (0 if retarget else 2)

    @pytest.mark.parametrize("state", ["", "Ünknown", "UnplannedFailoverCommitPendingStatesBegin"])
    @pytest.mark.parametrize("nics", [(), (Nic(name="n"),)])
    def test_a_machine_without_state_and_networks_holds_updates(
        self, world: World, state: str, nics: tuple[Nic, ...]
    ) -> None:
        item = structs.replace(machine(world.azure, world.hub.id, world.dr.id), state=state, nics=nics)
        plan = planned(world.azure, world.desired(world.own), item)
        assert (plan.changes, "failover_active" in kinds(plan)) == ((), True)
