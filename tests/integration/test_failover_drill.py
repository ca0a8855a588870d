"""The failover drill of the examples: the plain SDK acts, and ``asrnet predict`` predicts each step.

The SDK and the command line share one emulator, the SDK in this process, so that its pollers wait in simulated time.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient
from command_line import EXAMPLES, Cli, session

from asrnet.clocks import SimulatedClock
from asrnet.emulator.app import App
from asrnet.emulator.serving import Emulator, ServeOptions, running
from asrnet.emulator.transport import in_process
from asrnet.fake import world_file
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.world import World

EXAMPLE = EXAMPLES / "08-failover-drill"
ALL_NICS = {("app1", "app1-nic"), ("db1", "db1-nic"), ("db1", "db1-nic-replication"), ("web1", "web1-nic")}

Places = dict[tuple[str, str], tuple[str | None, ...]]
"""The network, the subnet, the address and its type, by machine and NIC."""


class Anybody:
    """A credential that the emulator accepts, as it accepts any."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("made-up", 2**31)


class SimulatedTransport(RequestsTransport):  # type: ignore[misc]  # the SDK's class has no types
    """Sends requests to a world in this process, and advances its clock instead of waiting."""

    def __init__(self, world: World) -> None:
        super().__init__(session=in_process(world), session_owner=False)
        self._clock = world.clock

    def sleep(self, duration: float) -> None:
        self._clock.sleep(duration)


class Drill:
    """The example's world, the steps of its script, and the locations of its machines."""

    def __init__(self, world: World, script: ModuleType) -> None:
        self.world = world
        self._script = script
        subscription = script.DR.split("/")[2]
        self._client = SiteRecoveryManagementClient(Anybody(), subscription, transport=SimulatedTransport(world))

    def step(self, name: str) -> None:
        """Do a step for all machines, as ``python drill.py NAME`` does."""
        self._script.run(self._client, name, self.world.clock.sleep)

    def places(self, group: str, suffix: str = "") -> Places:
        """The placement of the emulator's machines in a resource group whose names end with ``suffix``."""
        return {
            (machine.id.name.removesuffix(suffix), nic.name): (
                nic.primary_network_id.name if nic.primary_network_id else None,
                address.subnet,
                address.ip,
                address.ip_type,
            )
            for machine in self.world.state.virtual_machines
            if machine.id.resource_group == group and machine.id.name.endswith(suffix)
            for nic in machine.nics
            for address in nic.ip_configurations
        }


@pytest.fixture
def world(folder: Path) -> World:
    """The world of the example, whose files are copied to the working directory."""
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    behaviour = Behaviour(operations="time:120", replication="time:60")
    # Tokens must not seem expired to the SDK, so simulated time begins now.
    return world_file.load("world.yaml", clock=SimulatedClock(start=time.time()), behaviour=behaviour)


@pytest.fixture
def emulator(world: World, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:  # noqa: ARG001 - the command line clears the environment first
    """The world on a port, with the command line pointed at it."""
    with running(App(world), ServeOptions(port=0, tls_port=0, cache=tempfile.gettempdir())) as emulator:
        monkeypatch.setenv("ASRNET_ENDPOINT", emulator.http)
        yield emulator


@pytest.fixture
def drill(world: World, emulator: Emulator) -> Drill:  # noqa: ARG001 - it serves the command line
    """The drill, with its script loaded from a copy so that no bytecode lands in the example's folder."""
    spec = importlib.util.spec_from_file_location("drill", "drill.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return Drill(world, script)


@pytest.fixture
def predicted(cli: Cli) -> Callable[..., Places]:
    """Where ``asrnet predict`` predicts every NIC."""

    def predict(*arguments: str) -> Places:
        landings = json.loads(cli("predict", *arguments, "-o", "json").out)["landings"]
        return {
            (landing["machine"], landing["nic"]): tuple(landing[key] for key in ("network", "subnet", "ip", "ip_type"))
            for landing in landings
        }

    return predict


def test_every_nic_lands_where_it_was_predicted(drill: Drill, predicted: Callable[..., Places]) -> None:
    drill.step("enable")

    before = predicted("--test-failover", "test-sea")
    assert before.keys() == ALL_NICS
    drill.step("test")
    assert drill.places("rg-apps-sea", "-test") == before
    drill.step("clean-up")

    before = predicted()
    assert before.keys() == ALL_NICS
    drill.step("fail-over")
    assert drill.places("rg-apps-sea") == before
    drill.step("commit")
    drill.step("re-protect")

    before = predicted("--failback")
    assert before.keys() == ALL_NICS
    assert predicted() == before  # the failover of a re-protected machine is the failback
    drill.step("fail-over")
    assert drill.places("rg-apps-ea") == before
    drill.step("commit")
    drill.step("re-protect")
    assert drill.places("rg-apps-sea") == {}


def test_a_retarget_waits_from_the_failover_until_the_machine_is_home_and_protected(drill: Drill, cli: Cli) -> None:
    def held() -> set[str]:
        plan = json.loads(cli("plan", "-f", "retarget.yaml", "--pair", "app", "-o", "json").out)
        errors = {finding["kind"] for finding in plan["findings"] if finding["severity"] == "error"}
        assert bool(errors) != bool(plan["changes"])
        return errors

    drill.step("enable")
    assert held() == set()
    for _there_and_back in range(2):
        drill.step("fail-over")
        assert held() == {"failover_active"}
        drill.step("commit")
        assert held() == {"failover_active"}
        drill.step("re-protect")
        is_reversed = drill.places("rg-apps-ea") == {}
        assert held() == ({"reversed"} if is_reversed else set())


def test_every_console_of_the_readme_matches_a_run(drill: Drill, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    for command, expected in session((EXAMPLE / "README.md").read_text("utf-8")):
        program, *arguments = shlex.split(command)
        if program == "python":
            capsys.readouterr()
            drill.step(arguments[1])
            printed = capsys.readouterr().out.splitlines()
        else:
            result = cli(*arguments)
            printed = (result.err + result.out).splitlines()
        if expected[-1:] == ["..."]:
            printed = [*printed[: printed.index("Rules")], "..."]
        assert [line for line in printed if line] == [line for line in expected if line], command


def test_the_script_signs_in_and_runs_by_itself(world: World, emulator: Emulator) -> None:
    world.behaviour = Behaviour(operations="immediate", retry_after=1)
    environment = {
        **os.environ,
        "ARM_ENDPOINT": emulator.https,
        "REQUESTS_CA_BUNDLE": str(emulator.ca),
        "IDENTITY_ENDPOINT": f"{emulator.http}/msi/token",
        "IDENTITY_HEADER": "any",
    }
    command = [sys.executable, "drill.py", "enable"]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == [f"{name} runs in East Asia: Protected" for name in ("app1", "db1", "web1")]
