"""Azure's JavaScript SDK, unmodified, against the emulator over HTTPS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from asrnet.fake.builder import Builder
from asrnet.model.azure import Nic
from asrnet.pytest_plugin import AsrEmulator

PROGRAM = Path(__file__).parent / "node"
NODE, NPM = shutil.which("node"), shutil.which("npm")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the programs with their packages; skips where they are not installed."""
    if not NODE or not NPM:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("node") / "program"
    shutil.copytree(PROGRAM, folder)
    command = [NPM, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    if finished.returncode:
        pytest.skip("npm cannot install the SDK: no registry is reachable")
    yield folder
    # pytest would keep these thousands of files for the next three runs, and the third would spend seconds on them.
    shutil.rmtree(folder / "node_modules")


def run(program: Path, emulator: AsrEmulator, *arguments: object) -> Any:
    """The output of a program."""
    finished = subprocess.run(
        [str(NODE), str(program), emulator.url, *map(str, arguments)],
        env={**os.environ, **emulator.environment()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_the_lifecycle_of_a_mapping_works_through_the_javascript_sdk(
    programs: Path, asr_world: Builder, asr_emulator: AsrEmulator
) -> None:
    vault = asr_world.vault("Vault", group="Rg")
    east, west = (
        asr_world.azure_fabric(vault, "eastus", name="East"),
        asr_world.azure_fabric(vault, "westus", name="West"),
    )
    hub = asr_world.virtual_network("Hub", "eastus")
    spare, other = asr_world.virtual_network("Spare", "westus"), asr_world.virtual_network("Other", "westus")
    asr_world.world.behaviour = structs.replace(asr_world.world.behaviour, operations="manual:2", retry_after=0)
    places = ["Rg", "Vault", east.name, hub.id, west.name, spare.id, other.id]
    saw = run(programs / "life_of_a_mapping.js", asr_emulator, vault.id.subscription, *places)
    assert saw == {
        "before": [404, "NotFound"],
        "created": ["from-node", "Paired", "AzureToAzure"],
        "listed": ["from-node"],
        "listedByNetwork": ["from-node"],
        "updated": "other",
        "read": "other",
        "after": [404, "NotFound"],
    }
    assert asr_emulator.app.journal.altered == 0


def test_networks_fabrics_jobs_and_machines_work_through_the_javascript_sdks(
    programs: Path, asr_world: Builder, asr_emulator: AsrEmulator
) -> None:
    vault = asr_world.vault("Vault", group="Rg")
    asr_world.resource_group("Rg")
    west, north = asr_world.azure_fabric(vault, "westus", name="West"), asr_world.azure_fabric(vault, "northeurope")
    asr_world.protected_item("vm1", west, north, Nic(name="nic0"))
    asr_world.world.behaviour = structs.replace(asr_world.world.behaviour, operations="manual:2", retry_after=0)
    saw = run(programs / "around_a_mapping.js", asr_emulator, vault.id.subscription, "Rg", "Vault")
    assert saw == {
        "created": ["made", "Succeeded", ["web"]],
        "tags": {"a": "b"},
        "listed": [["made"], ["made"]],
        "address": True,
        "deleted": 404,
        "fabric": ["East", "East US", "eastus"],
        "fabrics": [
            "East",
            "West",
            north.name,
        ],  # newest first, as recorded; the other two date from the start of the world
        "jobs": ["Succeeded"],
        "items": [["vm1", 1]],
        "left": ["West", north.name],
    }
    assert asr_emulator.app.journal.altered == 0


def test_the_lifecycle_of_a_machine_works_through_the_javascript_sdk(
    programs: Path, asr_world: Builder, asr_emulator: AsrEmulator
) -> None:
    vault = asr_world.vault("Vault", group="Rg")
    for name, location in (("East", "eastus"), ("West", "westus")):
        asr_world.container(asr_world.azure_fabric(vault, location, name=name))
    home = asr_world.virtual_network("Home", "eastus", subnets={"web": "10.0.0.0/24"}, address_space=["10.0.0.0/16"])
    test = asr_world.virtual_network("Test", "westus", subnets={"web": "10.9.0.0/24"}, address_space=["10.9.0.0/16"])
    machine = asr_world.virtual_machine("vm1", home, subnet="web", ip="10.0.0.4")
    asr_world.world.behaviour = structs.replace(asr_world.world.behaviour, operations="manual:2", retry_after=0)
    arguments = [vault.id.subscription, "Rg", "Vault", machine.id, test.id]
    saw = run(programs / "life_of_a_machine.js", asr_emulator, *arguments)
    assert saw == {
        "policy": "Enabled",
        "item": ["Protected", 1],
        "points": [True],
        "test": "WaitingForCompletion",
        "moved": ["Primary", "westus"],
        "plan": ["West US", ["Shutdown", "Failover", "Boot"]],
        "events": [
            "SwitchProtectionSucceeded",
            "TestFailoverCleanupSucceeded",
            "TestFailoverSucceeded",
            "EnableDrSucceeded",
        ],
        "health": 1,
        "providers": 2,
    }
    assert asr_emulator.app.journal.altered == 0
