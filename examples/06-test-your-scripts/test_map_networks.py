"""Tests of the script: each builds a world, runs the script as in production, and looks at the result in Azure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from asrnet.emulator.faults import Fault
from asrnet.fake.builder import Builder
from asrnet.pytest_plugin import AsrEmulator

SCRIPT = Path(__file__).parent / "map_networks.py"


class Site:
    """Two regions, each with a network, and a vault that knows both."""

    def __init__(self, world: Builder) -> None:
        self.world = world
        self.vault = world.vault("vault-dr", location="southeastasia")
        self.fabric_ea = world.azure_fabric(self.vault, "eastasia")
        self.fabric_sea = world.azure_fabric(self.vault, "southeastasia")
        self.hub_ea = world.virtual_network("hub-ea", "eastasia")
        self.hub_sea = world.virtual_network("hub-sea", "southeastasia")

    def arguments(self) -> list[str]:
        ends = (self.fabric_ea.name, self.hub_ea.id, self.fabric_sea.name, self.hub_sea.id)
        return [str(self.vault.id), *map(str, ends)]

    def mapped(self) -> dict[str, str]:
        mappings = self.world.world.mappings.list(self.vault.id)
        return {mapping.primary_network_id.name: mapping.recovery_network_id.name for mapping in mappings}


@pytest.fixture
def site(asr_world: Builder) -> Site:
    return Site(asr_world)


def run(emulator: AsrEmulator, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **emulator.environment(), "ARM_ENDPOINT": emulator.url}
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_both_directions_are_mapped(site: Site, asr_emulator: AsrEmulator) -> None:
    finished = run(asr_emulator, *site.arguments())
    assert finished.returncode == 0, finished.stderr
    assert site.mapped() == {"hub-ea": "hub-sea", "hub-sea": "hub-ea"}


def test_a_throttled_request_is_tried_again(site: Site, asr_emulator: AsrEmulator) -> None:
    asr_emulator.faults.add(Fault(kind="throttle", method="PUT", retry_after=0))
    assert run(asr_emulator, *site.arguments()).returncode == 0
    assert asr_emulator.app.journal.count("PUT") == 3
    assert len(site.mapped()) == 2


def test_a_network_that_does_not_exist_is_an_error(site: Site, asr_emulator: AsrEmulator) -> None:
    finished = run(asr_emulator, *site.arguments()[:-1], f"{site.hub_sea.id}-misspelt")
    assert finished.returncode == 1
    assert "NetworkNotFound" in finished.stderr
