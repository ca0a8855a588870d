"""Mappings that do not say what they map: unknown is not absent, from the plan to the last read before a write."""

from __future__ import annotations

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, kinds, outcomes, row

from asrnet import backends, planning
from asrnet.clocks import SimulatedClock
from asrnet.desired import DesiredState, Ignore
from asrnet.export import desired as dumping
from asrnet.fake import world_file
from asrnet.fake.ports import backend
from asrnet.fake.world_format import WorldDocument
from asrnet.files.yaml import parse
from asrnet.inventory import read as inventory
from asrnet.inventory.live_pairs import live_pairs
from asrnet.model.azure import VirtualNetwork
from asrnet.model.plan import Plan
from asrnet.render import View, render


@pytest.fixture
def azure() -> TwoRegions:
    return TwoRegions()


@pytest.fixture
def hub(azure: TwoRegions) -> VirtualNetwork:
    return azure.network("hub")


@pytest.fixture
def dr(azure: TwoRegions) -> VirtualNetwork:
    return azure.network("dr", SEA)


def told(plan: Plan) -> list[tuple[str, str | None, str]]:
    return [(found.kind, found.pair, found.message) for found in plan.findings]


@pytest.mark.parametrize("end", ["hub", "dr"])
def test_the_pair_of_an_unreadable_mappings_network_is_unknown_and_nothing_is_created(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork, end: str
) -> None:
    azure.build.unreadable_mapping(azure.fabrics[EA if end == "hub" else SEA], "blank", hub if end == "hub" else dr)
    plan = azure.plan(azure.state(row(hub, dr)))
    message = (
        f"the mapping blank of {end} does not say which network it leads to; so whether it is mapped as it should be "
        "is not known"
    )
    assert told(plan) == [("unknown", "hub", message)]
    assert (plan.changes, plan.summary.blocked) == ((), 2)
    assert plan.findings[0].hint.startswith("see with: az rest --method get --url '/subscriptions/")


def test_an_unreadable_mapping_does_not_stop_other_pairs(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork
) -> None:
    azure.build.unreadable_mapping(azure.fabrics[EA], "blank", hub)
    app, app_dr = azure.network("app"), azure.network("app-dr", SEA)
    azure.apply(azure.plan(azure.state(row(hub, dr), row(app, app_dr))))
    assert azure.mappings() == {"app": "app-dr", "app-dr": "app"}


def test_without_failback_an_unreadable_reverse_does_not_matter(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork
) -> None:
    azure.build.unreadable_mapping(azure.fabrics[SEA], "blank", dr)
    plan = azure.plan(azure.state(row(hub, dr, failback=False)))
    assert [change.action for change in plan.changes] == ["create"]
    assert kinds(plan) == ["missing_pair", "unmanaged"]


def test_the_name_of_an_unreadable_mapping_is_never_reused(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork
) -> None:
    azure.build.unreadable_mapping(azure.fabrics[EA], "HUB-to-DR", azure.network("other"))
    plan = azure.plan(azure.state(row(hub, dr)))
    names = [change.name for change in plan.changes]
    assert names[0].startswith("hub-to-dr-")
    assert names[1] == "dr-to-hub"
    assert azure.apply(plan).result == "succeeded"
    assert len(azure.world.mappings.list_all(azure.vault.id)) == 3


@pytest.mark.parametrize("place", [EA, SEA])
def test_a_missing_mapping_is_not_created_while_another_of_its_fabric_does_not_name_its_network(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork, place: str
) -> None:
    azure.build.unreadable_mapping(azure.fabrics[place], "nothing")
    plan = azure.plan(azure.state(row(hub, dr)))
    message = "the mapping nothing does not say which network it maps; it may be the mapping that is missing here"
    assert told(plan) == [("unknown", "hub", message)]
    assert (plan.changes, plan.summary.blocked) == ((), 2)


def test_an_unreadable_mapping_does_not_hold_a_pair_that_has_its_mappings(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork
) -> None:
    azure.map_both(hub, dr)
    azure.build.unreadable_mapping(azure.fabrics[EA], "nothing")
    plan = azure.plan(azure.state(row(hub, dr)))
    message = "the mapping nothing does not say which network it maps; it is left alone"
    assert [found for found in told(plan) if found[0] == "unknown"] == [("unknown", None, message)]
    assert plan.summary.in_sync == 2


def test_an_unreadable_mapping_holds_nothing_in_another_fabric(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork
) -> None:
    azure.map(hub, dr)
    azure.build.unreadable_mapping(azure.fabrics[EA], "nothing")
    plan = azure.plan(azure.state(row(hub, dr)))
    assert [change.direction for change in plan.changes] == ["reverse"]


def test_an_unreadable_mapping_under_another_segment_holds_only_that_networks_pair(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork
) -> None:
    mapping = azure.build.unreadable_mapping(azure.fabrics[EA], "nothing")
    found = inventory.read_inventory(azure.state(row(hub, dr)), azure.backend)
    vault = found.vaults["sea"]
    for segment, blocked in (("App", 0), ("HUB", 2), ("azurenetwork", 2)):
        mapping_id = mapping.fabric_id.child("replicationNetworks", segment, "replicationNetworkMappings", "nothing")
        other = structs.replace(vault, unreadable=(structs.replace(mapping, id=mapping_id),))
        plan = planning.plan(azure.state(row(hub, dr)), structs.replace(found, vaults={"sea": other}))
        assert plan.summary.blocked == blocked


def test_while_a_mapping_is_unreadable_nothing_unmanaged_is_deleted(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork
) -> None:
    azure.map(hub, dr)
    azure.build.unreadable_mapping(azure.fabrics[EA], "nothing")
    plan = azure.plan(azure.state(unmanaged="delete"), allow_delete=True)
    assert plan.changes == ()
    assert kinds(plan) == ["unknown", "unmanaged"]


def test_an_undeclared_unreadable_mapping_is_unmanaged(azure: TwoRegions, hub: VirtualNetwork) -> None:
    azure.build.unreadable_mapping(azure.fabrics[EA], "blank", hub)
    said = "the mapping blank of hub does not say which network it leads to; no row or rule asks for it"
    assert told(azure.plan(azure.state())) == [("unmanaged", None, said)]


def test_an_undeclared_unreadable_mapping_may_be_ignored(azure: TwoRegions, hub: VirtualNetwork) -> None:
    azure.build.unreadable_mapping(azure.fabrics[EA], "blank", hub)
    assert azure.plan(azure.state(unmanaged="ignore")).findings == ()
    assert azure.plan(azure.state(ignore=(Ignore(name="hub", reason="not mine"),))).findings == ()


def test_an_unreadable_mapping_that_appears_after_the_plan_stops_the_create(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork
) -> None:
    plan = azure.plan(azure.state(row(hub, dr)))
    azure.build.unreadable_mapping(azure.fabrics[EA], "blank", hub)
    report = azure.apply(plan)
    assert set(outcomes(report).values()) == {"stale"}
    assert report.changes[0].error == (
        "hub has the mapping blank now, which does not say which network it leads to; plan again"
    )
    assert azure.mappings() == {}


def test_a_name_that_an_unreadable_mapping_takes_after_the_plan_stops_the_create(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork
) -> None:
    plan = azure.plan(azure.state(row(hub, dr)))
    azure.build.unreadable_mapping(azure.fabrics[SEA], "DR-to-HUB")
    assert set(outcomes(azure.apply(plan)).values()) == {"stale"}


def test_a_mapping_that_becomes_unreadable_is_not_updated(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork
) -> None:
    azure.map_both(hub, azure.network("old", SEA))
    plan = azure.plan(azure.state(row(hub, dr)))
    azure.build.unreadable_mapping(azure.fabrics[EA], "hub-to-old", hub)
    report = azure.apply(plan)
    assert outcomes(report) == {"sea:hub:forward": "skipped"}
    assert "could not be re-read: the mapping 'hub-to-old' does not say" in (report.changes[0].error or "")
    assert azure.mappings() == {"old": "hub"}


def test_an_unreadable_mapping_makes_a_saved_plan_stale(
    azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork
) -> None:
    desired = azure.state(row(hub, dr))
    before = azure.plan(desired).observed[0]
    azure.build.unreadable_mapping(azure.fabrics[EA], "blank", hub)
    assert len(before.mappings) + 1 == len(azure.plan(desired).observed[0].mappings)


def snapshot(azure: TwoRegions, desired: DesiredState) -> Plan:
    """The plan in a world made of what was read."""
    found = inventory.read_inventory(desired, azure.backend)
    assert found.unread("vault", "servers", "machines", "network") == ()
    document = parse(backends.snapshot(found), WorldDocument)
    offline = backend(world_file.world_from(document, clock=SimulatedClock()))
    return planning.plan(desired, inventory.read_inventory(desired, offline))


def test_a_snapshot_of_a_world_plans_the_same(azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork) -> None:
    azure.build.unreadable_mapping(azure.fabrics[EA], "blank", hub)
    azure.build.unreadable_mapping(azure.fabrics[SEA], "nothing")
    desired = azure.state(row(hub, dr))
    plan, offline = azure.plan(desired), snapshot(azure, desired)
    assert (offline.findings, offline.summary, offline.observed) == (plan.findings, plan.summary, plan.observed)


def test_show_and_dump_name_an_unreadable_mapping(azure: TwoRegions, hub: VirtualNetwork, dr: VirtualNetwork) -> None:
    azure.map_both(hub, dr)
    azure.build.unreadable_mapping(azure.fabrics[EA], "blank", hub)
    desired = azure.state()
    found = inventory.read_inventory(desired, azure.backend)
    said = "mapping blank of hub does not say which network it leads to"
    live = live_pairs(found, desired)
    shown = render(live, "text", View())
    assert f"\nunknown: {said}\n" in shown
    assert shown.endswith("3 mappings (1 unknown), 1 pair.\n")
    assert dumping.export_desired(found, desired).left_out == (said,)
