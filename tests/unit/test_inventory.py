"""What is read, how often, and the effect of a failure."""

from __future__ import annotations

import pytest
from msgspec import structs
from states import SEA, TwoRegions, row

from asrnet.desired import Match, Rule
from asrnet.fake.faults import Fault
from asrnet.inventory import read as inventory
from asrnet.inventory.read import Inventory, Unknown
from asrnet.model.azure import VirtualNetwork

NETWORKS = "virtualnetworks"


def read(azure: TwoRegions, **refusal: object) -> tuple[Inventory, VirtualNetwork, int]:
    """The inventory of one pair while the list of networks is refused, its primary, and how many GETs of networks."""
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    azure.world.faults.add(Fault(method="GET", kind=NETWORKS, **refusal))  # type: ignore[arg-type]  # fields by name
    azure.world.journal.clear()
    found = inventory.read_inventory(azure.state(row(hub, dr)), azure.backend)
    return found, hub, azure.world.journal.counts()["GET", NETWORKS]


def test_where_a_list_is_forbidden_single_networks_are_read() -> None:
    found, hub, gets = read(TwoRegions(), effect="forbidden")
    assert found.network(hub.id) == hub
    assert gets == 3


@pytest.mark.parametrize("status", [401, 500, 503])
def test_after_any_other_failure_of_a_list_no_single_network_is_read(status: int) -> None:
    found, hub, gets = read(TwoRegions(), effect="refused", status=status, code="Failing")
    unknown = found.network(hub.id)
    assert isinstance(unknown, Unknown)
    assert "refused" in str(unknown.error)
    assert gets == 1


def test_a_network_that_is_on_no_list_is_read_once() -> None:
    azure = TwoRegions()
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    azure.world.state.virtual_networks.remove(dr.id.subscription, dr.id.key)
    azure.world.journal.clear()
    inventory.read_inventory(azure.state(row(hub, dr)), azure.backend)
    assert azure.world.journal.counts()["GET", NETWORKS] == 2


def without_region(azure: TwoRegions, name: str) -> VirtualNetwork:
    """A network whose answer has no location."""
    network = structs.replace(azure.network(name), location="")
    azure.world.state.virtual_networks.put(network.id.subscription, network.id.key, network)
    return network


def test_a_network_that_does_not_say_its_region_is_unknown_and_its_pair_is_blocked() -> None:
    azure = TwoRegions(fabrics=False)
    hub, dr = without_region(azure, "hub"), azure.network("dr", SEA)
    plan = azure.plan(azure.state(row(hub, dr), create_fabrics=True))
    assert (plan.changes, plan.summary.blocked) == ((), 2)
    assert {(found.kind, found.pair) for found in plan.findings} == {("unknown", "hub")}
    assert "hub does not say its region" in plan.findings[0].message


def test_while_the_region_of_a_network_is_unknown_nothing_that_rules_may_ask_for_is_deleted() -> None:
    azure = TwoRegions()
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    azure.map_both(hub, dr)
    without_region(azure, "hub")
    rules = (Rule(name="all", vault="sea", match=Match(name="hub")),)
    plan = azure.plan(azure.state(rules=rules, unmanaged="delete"), allow_delete=True)
    assert [change.action for change in plan.changes] == []
    messages = [found.message for found in plan.findings if found.kind == "unknown"]
    assert "hub does not say its region, so whether a rule matches it is not known" in messages


def test_a_network_read_by_its_id_without_a_region_is_unknown_too() -> None:
    azure = TwoRegions()
    hub, dr = without_region(azure, "hub"), azure.network("dr", SEA)
    azure.world.faults.add(Fault(method="GET", kind=NETWORKS, effect="forbidden", times=1))
    state = inventory.read_inventory(azure.state(row(hub, dr)), azure.backend).network(hub.id)
    assert isinstance(state, Unknown)
    assert "does not say its region" in str(state.error)
