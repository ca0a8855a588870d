"""What a run may cost, in counts and never in seconds: requests, chains of requests that wait for one another, imports.

The figures in seconds are in docs/performance.md, made by ``make bench``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from asrnet import applying, inventory, planning
from asrnet.azure import connect
from asrnet.azure.clouds import PUBLIC
from asrnet.azure.credentials import choose
from asrnet.clocks import SimulatedClock, SystemClock
from asrnet.emulator.app import App
from asrnet.emulator.serving import ServeOptions, running
from asrnet.emulator.transport import in_process
from asrnet.fake.world import World
from benchmarks.chains import Task, chain_of_asrnet, chain_of_floor
from benchmarks.floor import Floor
from benchmarks.scenes import Weather, desired, desired_file, world

ROOT = Path(__file__).parent.parent.parent
NETWORK_SDK = "azure.mgmt.network"
SITE_RECOVERY_SDK = "azure.mgmt.recoveryservicessiterecovery"
TELLING_MODULES = """
import sys
from asrnet.cli import main
code = main(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""


class TestChains:
    @pytest.mark.parametrize(("pairs", "pages"), [(1, 1), (50, 1), (150, 3)])
    def test_a_plan_waits_for_nothing_but_the_pages_of_its_longest_list(self, pairs: int, pages: int) -> None:
        assert chain_of_asrnet("plan", pairs) == pages

    @pytest.mark.parametrize("pairs", [1, 20, 150])
    def test_an_apply_waits_for_one_request_more_than_the_floor(self, pairs: int) -> None:
        """The one more is the look, right before the first write, at what has changed since the plan."""
        assert chain_of_asrnet("apply", pairs) <= chain_of_floor("apply", pairs) + 1


class TestRequests:
    @pytest.mark.parametrize("pairs", [1, 20, 150])
    def test_a_plan_sends_what_the_floor_sends(self, pairs: int) -> None:
        assert sent_by_asrnet("plan", pairs) == sent_by_floor("plan", pairs)

    @pytest.mark.parametrize(("pairs", "each"), [(1, 6.5), (20, 1.3), (100, 1.08), (150, 1.08)])
    def test_an_apply_sends_little_more_than_a_request_for_each_mapping(self, pairs: int, each: float) -> None:
        sent = sent_by_asrnet("apply", pairs)
        assert sum(sent.values()) / (2 * pairs) <= each
        assert sent["PUT"] == 2 * pairs


class TestImports:
    """Each in a process of its own, which tells at its end what it has imported."""

    @pytest.mark.parametrize(
        ("command", "most"),
        [(["--help"], 170), (["validate"], 220), (["schema", "desired"], 220)],
        ids=["help", "validate", "schema"],
    )
    def test_what_does_not_talk_to_azure_imports_nothing_of_it(
        self, command: list[str], most: int, served: Served
    ) -> None:
        found = served.imported(command)
        assert not {name.partition(".")[0] for name in found} & {"azure", "requests", "msal", "cryptography", "rich"}
        assert len(found) <= most

    @pytest.mark.parametrize("command", [["plan"], ["show"], ["drift"], ["dump"], ["plan", "--inventory", "network"]])
    def test_reading_imports_no_sdk_of_a_service(self, command: list[str], served: Served) -> None:
        found = served.imported([*command, "--endpoint", served.url])
        assert "azure.core" in found
        assert not found & {NETWORK_SDK, SITE_RECOVERY_SDK, "azure.identity", "msal", "rich"}
        assert len(found) <= 650

    def test_mapping_networks_never_imports_the_sdk_of_networks(self, served: Served) -> None:
        found = served.imported(["apply", "--yes", "--endpoint", served.url])
        assert SITE_RECOVERY_SDK in found
        assert NETWORK_SDK not in found

    def test_with_nothing_to_apply_no_sdk_is_imported(self, served: Served) -> None:
        served.imported(["apply", "--yes", "--endpoint", served.url])
        assert not served.imported(["apply", "--yes", "--endpoint", served.url]) & {NETWORK_SDK, SITE_RECOVERY_SDK}

    def test_dotenv_is_imported_only_where_there_is_a_file(self, tmp_path: Path) -> None:
        program = "import sys; from asrnet import settings; settings.from_process({}); print('dotenv' in sys.modules)"
        command = [sys.executable, "-c", program]
        environ = {"PYTHONPATH": str(ROOT)}
        assert subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=True).stdout == b"False\n"
        (tmp_path / ".env").write_text("ASRNET_QUIET=1", encoding="utf-8")
        assert subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=True).stdout == b"True\n"


def sent_by_asrnet(task: Task, pairs: int) -> dict[str, int]:
    """The requests of a plan with all mapped, or of an apply with nothing mapped, by method."""
    there = scene(task, pairs)
    backend = connect.backend(clock=there.clock, credential=choose(PUBLIC, named="emulator"), session=in_process(there))
    wanted = desired(pairs)
    plan = planning.plan(wanted, inventory.read(wanted, backend))
    if task == "apply":
        assert applying.apply(plan, backend).result == "succeeded"
    return dict(there.journal.methods())


def sent_by_floor(task: Task, pairs: int) -> dict[str, int]:
    """The requests that nobody can do without."""
    there = scene(task, pairs)
    Floor(in_process(there), PUBLIC.endpoint, there.clock).read()
    return dict(there.journal.methods())


def scene(task: Task, pairs: int) -> World:
    return world(pairs, mapped=task == "plan", weather=Weather(), clock=SimulatedClock()).world


class Served:
    """An emulator with two pairs that are not mapped, and the file that asks for them."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        (folder / "asrnet.yaml").write_text(desired_file(2), "utf-8")

    def imported(self, command: list[str]) -> set[str]:
        """The modules that ``asrnet`` imports for a command, which must succeed."""
        words = [sys.executable, "-c", TELLING_MODULES, *command]
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode in {0, 2}, done.stderr[-1000:]
        return set(done.stderr.splitlines()[-1].split())


@pytest.fixture
def served(tmp_path: Path, clean_environment: None) -> Iterator[Served]:  # noqa: ARG001 - its effect
    app = App(world(2, mapped=False, weather=Weather(latency=0.0, operation=0.0), clock=SystemClock()).world)
    with running(app, ServeOptions(port=0, tls_port=0, cache=tempfile.gettempdir())) as emulator:
        yield Served(emulator.http, tmp_path)
