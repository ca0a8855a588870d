"""Azure's JavaScript SDK, unmodified, against the emulator over HTTPS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec import structs

from asrnet.fake.builder import Builder
from asrnet.pytest_plugin import AsrEmulator

PROGRAM = Path(__file__).parent / "node"
NODE, NPM = shutil.which("node"), shutil.which("npm")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with its packages; skipped where they cannot be had."""
    if not NODE or not NPM:
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("node") / "program"
    shutil.copytree(PROGRAM, folder)
    command = [NPM, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    if finished.returncode:
        pytest.skip("npm cannot install the SDK: no registry is reachable")
    return folder / "life_of_a_mapping.js"


def test_a_mapping_lives_through_the_javascript_sdk(
    program: Path, asr_world: Builder, asr_emulator: AsrEmulator
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
    finished = subprocess.run(
        [str(NODE), str(program), asr_emulator.url, vault.id.subscription, *map(str, places)],
        env={**os.environ, **asr_emulator.environment()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == {
        "before": [404, "NotFound"],
        "created": ["from-node", "Paired", "AzureToAzure"],
        "listed": ["from-node"],
        "listedByNetwork": ["from-node"],
        "updated": "other",
        "read": "other",
        "after": [404, "NotFound"],
    }
    assert asr_emulator.app.journal.altered == 0
