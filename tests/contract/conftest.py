"""One suite, several backends: what holds for the ports on the fake must hold for the real SDK against the emulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from contract.doors import DOORS, TwoRegions
from msgspec import structs

from asrnet.clocks import SimulatedClock
from asrnet.fake.builder import Builder
from asrnet.models import NetworkMapping
from asrnet.ports import Backend


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def azure(clock: SimulatedClock) -> Builder:
    return Builder(clock=clock)


@pytest.fixture
def regions(azure: Builder) -> TwoRegions:
    vault = azure.vault()
    return TwoRegions(
        vault=vault,
        fabric_ea=azure.azure_fabric(vault, "eastasia"),
        fabric_sea=azure.azure_fabric(vault, "southeastasia"),
        ea=azure.virtual_network("Hub-EA", "eastasia", group="Rg-EA"),
        sea=azure.virtual_network("Hub-SEA", "southeastasia", group="Rg-SEA"),
        other_sea=azure.virtual_network("Other-SEA", "southeastasia", group="Rg-SEA"),
    )


@pytest.fixture(params=DOORS)
def backend(request: pytest.FixtureRequest, azure: Builder) -> Iterator[Backend]:
    opened = DOORS[request.param](azure.world)
    yield opened
    opened.close()


@pytest.fixture
def behave(azure: Builder) -> Callable[..., None]:
    """Changes how the world behaves."""

    def change(**settings: object) -> None:
        azure.world.behaviour = structs.replace(azure.world.behaviour, **settings)

    return change


@pytest.fixture
def wanted(regions: TwoRegions) -> NetworkMapping:
    """A mapping that is not there yet, as planning would ask for it."""
    path = ("replicationNetworks", "azureNetwork", "replicationNetworkMappings", "Hub-EA-to-Hub-SEA")
    return NetworkMapping(
        id=regions.fabric_ea.id.child(*path),
        kind="azure_to_azure",
        primary_network_id=regions.ea.id,
        recovery_network_id=regions.sea.id,
        recovery_fabric_id=regions.fabric_sea.id,
        primary_location="eastasia",
        recovery_location="southeastasia",
    )
