"""Lists of networks that lag, as Resource Graph's do: networks to be changed are read by id."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from msgspec import structs
from states import SEA, TwoRegions, kinds, row

from asrnet import planning
from asrnet.desired import DesiredState, Match, Rule, Selection
from asrnet.fake.builder import SUBSCRIPTION
from asrnet.inventory import read as inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork
from asrnet.model.plan import Plan
from asrnet.planning.staleness import moved_since
from asrnet.ports import Backend, NetworkReader


class Behind:
    """Lists the networks as they were at its creation; reads by id are current and recorded."""

    def __init__(self, exact: NetworkReader) -> None:
        self.exact = exact
        self.listed = tuple(exact.virtual_networks(SUBSCRIPTION))
        self.asked: list[str] = []

    def virtual_networks(self, subscription: str) -> Iterable[VirtualNetwork]:
        return [network for network in self.listed if network.id.subscription == subscription]

    def virtual_network(self, network_id: ArmId, *, addresses: bool = False) -> VirtualNetwork | None:
        self.asked.append(network_id.name)
        return self.exact.virtual_network(network_id, addresses=addresses)


class Lagging:
    """A world whose list of networks is not refreshed."""

    def __init__(self, azure: TwoRegions) -> None:
        self.networks = Behind(azure.backend.networks)
        self.backend: Backend = structs.replace(azure.backend, networks=self.networks, lists_may_lag=True)

    def plan(self, desired: DesiredState, selection: Selection = Selection()) -> Plan:  # noqa: B008 - a frozen value
        found = inventory.read_inventory(desired, self.backend, selection=selection)
        return planning.plan(desired, found, selection=selection)

    @property
    def asked(self) -> list[str]:
        return sorted(self.networks.asked)


@pytest.fixture
def azure() -> TwoRegions:
    return TwoRegions()


def three_pairs(azure: TwoRegions) -> DesiredState:
    """One mapped both ways, one half, one that leads elsewhere."""
    names = ("whole", "half", "moved")
    whole, half, moved = ((azure.network(name), azure.network(f"{name}-dr", SEA)) for name in names)
    azure.map_both(*whole)
    azure.map(*half)
    azure.map_both(moved[0], azure.network("old", SEA))
    return azure.state(row(*whole), row(*half), row(*moved))


def test_only_networks_of_pairs_to_be_changed_are_read(azure: TwoRegions) -> None:
    desired = three_pairs(azure)
    lagging = Lagging(azure)
    plan = lagging.plan(desired)
    assert {change.pair for change in plan.changes} == {"half", "moved"}
    assert lagging.asked == ["half", "half-dr", "moved", "moved-dr"]


def test_networks_of_other_pairs_are_not_read(azure: TwoRegions) -> None:
    desired = three_pairs(azure)
    lagging = Lagging(azure)
    lagging.plan(desired, Selection(pairs=frozenset({"half", "whole"})))
    assert lagging.asked == ["half", "half-dr"]


def test_a_run_without_writes_confirms_nothing(azure: TwoRegions) -> None:
    desired = three_pairs(azure)
    lagging = Lagging(azure)
    inventory.read_inventory(desired, lagging.backend, confirm=False)
    assert lagging.asked == []


def test_exact_lists_are_not_confirmed(azure: TwoRegions) -> None:
    desired = three_pairs(azure)
    lagging = Lagging(azure)
    inventory.read_inventory(desired, structs.replace(lagging.backend, lists_may_lag=False))
    assert lagging.asked == []


def test_a_pair_that_owns_no_reverse_is_mapped_by_its_forward_mapping(azure: TwoRegions) -> None:
    hub, hub_dr = azure.network("hub"), azure.network("hub-dr", SEA)
    azure.map(hub, hub_dr)
    lagging = Lagging(azure)
    assert lagging.plan(azure.state(row(hub, hub_dr, failback=False))).changes == ()
    assert lagging.asked == []


def test_a_mapping_that_is_not_paired_is_to_be_changed(azure: TwoRegions) -> None:
    hub, hub_dr = azure.network("hub"), azure.network("hub-dr", SEA)
    for primary, recovery in ((hub, hub_dr), (hub_dr, hub)):
        ends = azure.fabrics[primary.location], primary, azure.fabrics[recovery.location], recovery
        azure.build.mapping(*ends, state="Pairing")
    lagging = Lagging(azure)
    assert len(lagging.plan(azure.state(row(hub, hub_dr))).changes) == 2
    assert lagging.asked == ["hub", "hub-dr"]


def test_a_missing_network_blocks_its_pair_although_a_list_has_it(azure: TwoRegions) -> None:
    hub, hub_dr = azure.network("hub"), azure.network("hub-dr", SEA)
    lagging = Lagging(azure)
    azure.world.virtual_networks.delete(hub_dr.id)
    plan = lagging.plan(azure.state(row(hub, hub_dr)))
    assert (plan.changes, kinds(plan)) == ((), ["missing_network"])


def test_a_rule_matches_the_networks_as_they_are_read_now(azure: TwoRegions) -> None:
    azure.network("hub", tags={"dr": "yes"})
    lagging = Lagging(azure)
    azure.network("hub", tags={"dr": "no"})
    rule = Rule(name="all", vault="sea", match=Match(tags={"dr": "yes"}), recovery=None)
    plan = lagging.plan(azure.state(rules=(rule,)))
    assert plan.changes == ()


def test_a_saved_plan_is_compared_with_the_same_networks_as_when_it_was_made(azure: TwoRegions) -> None:
    desired = three_pairs(azure)
    lagging = Lagging(azure)
    plan = lagging.plan(desired)
    lagging.networks.asked.clear()
    azure.network("moved-dr", SEA, address_space=["10.9.0.0/16"], subnets={"web": "10.9.0.0/24"})
    [[difference]] = moved_since(plan, lagging.backend).values()
    assert difference.startswith("network moved-dr (pair moved) has changed")
    assert lagging.asked == ["half", "half-dr", "moved", "moved-dr"]
