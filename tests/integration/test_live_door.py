"""The contract suite's live backend, pointed at an emulator because no Azure is available here."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from asrnet.clocks import SystemClock
from asrnet.emulator.app import App
from asrnet.emulator.serving import ServeOptions, running
from asrnet.fake.builder import Builder

REPOSITORY = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def azure() -> Builder:
    azure = Builder(clock=SystemClock())
    vault = azure.vault("vault-dr")
    azure.azure_fabric(vault, "eastasia")
    azure.azure_fabric(vault, "southeastasia")
    azure.resource_group("rg-live", location="eastasia")
    return azure


@pytest.fixture
def live(azure: Builder, tmp_path: Path) -> Iterator[Run]:
    """The contract tests that match an expression, on the live backend."""
    (vault,) = azure.world.state.vaults
    (group,) = (group.id for group in azure.world.state.groups if group.id.name == "rg-live")
    with running(App(azure.world), ServeOptions(port=0, tls_port=0, cache=tempfile.gettempdir())) as emulator:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ASRNET_", "AZURE_", "ARM_"))},
            "ASRNET_LIVE": "1",
            "ASRNET_LIVE_VAULT": str(vault.id),
            "ASRNET_LIVE_GROUP": str(group),
            "ASRNET_ENDPOINT": emulator.http,
            "ASRNET_CREDENTIAL": "emulator",
        }

        def run(words: str, **changes: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path}/t"]
            command += ["tests/contract/test_mappings.py", "-k", f"live and ({words})"]
            given = {**environment, **changes}
            return subprocess.run(
                command, cwd=REPOSITORY, env=given, capture_output=True, text=True, timeout=100, check=False
            )

        yield run


def test_the_live_tests_write_only_in_their_vault_and_group_and_leave_no_mapping(azure: Builder, live: Run) -> None:
    done = live("create or update or delete or pages")
    assert done.returncode == 0, done.stdout[-2000:]
    assert " passed, " in done.stdout
    assert "sets up a world (world), and live Azure is as it is" in done.stdout
    assert list(azure.world.state.mappings) == []
    networks = {network.id.name: network.id.resource_group for network in azure.world.state.virtual_networks}
    assert networks == {"Hub-EA": "rg-live", "Hub-SEA": "rg-live", "Other-SEA": "rg-live"}


def test_a_vault_with_mappings_is_refused_and_left_as_it_is(azure: Builder, live: Run) -> None:
    here, there = azure.virtual_network("a", "eastasia"), azure.virtual_network("b", "southeastasia")
    near, far = azure.world.state.fabrics
    azure.mapping(near, here, far, there)
    done = live("create")
    assert done.returncode != 0
    assert "has mappings, which the tests would delete; give them a vault of their own" in done.stdout + done.stderr
    assert len(list(azure.world.state.mappings)) == 1


def test_without_a_vault_nothing_is_done(live: Run) -> None:
    done = live("create", ASRNET_LIVE_VAULT="")
    assert "ASRNET_LIVE=1 needs ASRNET_LIVE_VAULT" in done.stdout + done.stderr
