"""What is read, how often, and what a failure stands for."""

from __future__ import annotations

import pytest
from states import SEA, TwoRegions, row

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


def test_where_a_list_is_forbidden_single_networks_are_asked_for() -> None:
    found, hub, gets = read(TwoRegions(), effect="forbidden")
    assert found.network(hub.id) == hub
    assert gets == 3


@pytest.mark.parametrize("status", [401, 500, 503])
def test_where_a_list_fails_otherwise_more_requests_would_only_hurt(status: int) -> None:
    found, hub, gets = read(TwoRegions(), effect="refused", status=status, code="Failing")
    unknown = found.network(hub.id)
    assert isinstance(unknown, Unknown)
    assert "refused" in str(unknown.error)
    assert gets == 1


def test_a_network_that_is_on_no_list_is_asked_for_once() -> None:
    azure = TwoRegions()
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    azure.world.state.virtual_networks.remove(dr.id.subscription, dr.id.key)
    azure.world.journal.clear()
    inventory.read_inventory(azure.state(row(hub, dr)), azure.backend)
    assert azure.world.journal.counts()["GET", NETWORKS] == 2
