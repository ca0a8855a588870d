"""One suite for several backends: the ports behave alike on the fake and through the real SDK on the emulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import live_door as live
import pytest
from doors import DOORS, TwoRegions
from msgspec import structs

from asrnet.clocks import SimulatedClock
from asrnet.fake.builder import Builder
from asrnet.fake.world import World
from asrnet.model.azure import NetworkMapping
from asrnet.ports import Backend


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture(params=[*DOORS, *(["live"] if live.LIVE else [])])
def door(request: pytest.FixtureRequest) -> str:
    """The backend of a test; Azure itself only if ``ASRNET_LIVE`` is set (``live_door``)."""
    return str(request.param)


@pytest.fixture
def azure(door: str, clock: SimulatedClock) -> Builder:
    return cast("Builder", live.LiveAzure()) if door == "live" else Builder(clock=clock)


@pytest.fixture
def regions(door: str, azure: Builder) -> TwoRegions:
    if door == "live":
        return TwoRegions(
            vault=live.vault(),
            fabric_ea=live.fabric("eastasia"),
            fabric_sea=live.fabric("southeastasia"),
            ea=live.network("Hub-EA"),
            sea=live.network("Hub-SEA"),
            other_sea=live.network("Other-SEA"),
        )
    vault = azure.vault()
    return TwoRegions(
        vault=vault,
        fabric_ea=azure.azure_fabric(vault, "eastasia"),
        fabric_sea=azure.azure_fabric(vault, "southeastasia"),
        ea=azure.virtual_network("Hub-EA", "eastasia", group="Rg-EA"),
        sea=azure.virtual_network("Hub-SEA", "southeastasia", group="Rg-SEA"),
        other_sea=azure.virtual_network("Other-SEA", "southeastasia", group="Rg-SEA"),
    )


@pytest.fixture
def backend(door: str, azure: Builder) -> Iterator[Backend]:
    if door == "live":
        yield live.opened()
        live.tidied(live.opened())
        return
    opened = DOORS[door](azure.world)
    yield opened
    opened.close()


@pytest.fixture
def own_world(azure: Builder) -> World:
    """For tests that count events from the start; skips where the vault may already have a history."""
    return azure.world


@pytest.fixture
def behave(azure: Builder) -> Callable[..., None]:
    """Changes the behaviour of the world."""

    def change(**settings: object) -> None:
        azure.world.behaviour = structs.replace(azure.world.behaviour, **settings)

    return change


@pytest.fixture
def wanted(regions: TwoRegions) -> NetworkMapping:
    """A mapping that does not exist yet, as planning would request it."""
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
