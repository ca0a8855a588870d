"""Budgets of whole commands, in counts: requests and imports."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from command_line import Cli

from asrnet.cli import arguments, main
from asrnet.cli.arguments import parse
from asrnet.clocks import SystemClock
from asrnet.emulator.app import App
from asrnet.emulator.serving import ServeOptions, running
from asrnet.settings import Option, all_options
from benchmarks.scenes import Conditions, desired_file, world

ROOT = Path(__file__).parents[2]
NETWORK_SDK = "azure.mgmt.network"
SITE_RECOVERY_SDK = "azure.mgmt.recoveryservicessiterecovery"
GRAPH_SDK = "azure.mgmt.resourcegraph"
SDKS = {NETWORK_SDK, SITE_RECOVERY_SDK, GRAPH_SDK, "azure.identity", "msal"}
TELLING_MODULES = """
import sys
from asrnet.cli import main
code = main(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""
STARTING = """
import gc, sys, threading
from asrnet.azure.connect import backend
from asrnet.settings.clouds import PUBLIC
from asrnet.azure.credentials import choose
from asrnet.clocks import SystemClock
backend(clock=SystemClock(), credential=choose(PUBLIC, named="emulator"), start_now=True, {options})
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print(*(name for name in sys.modules if name in {sdks}), gc.isenabled(), gc.get_freeze_count() > 0)
"""


class Served:
    """An emulator with two unmapped pairs, and the file that declares them."""

    def __init__(self, app: App, url: str, folder: Path, cli: Cli) -> None:
        self.app = app
        self.url = url
        self.folder = folder
        self._cli = cli
        self.file = folder / "asrnet.yaml"
        self.file.write_text(desired_file(2), "utf-8")

    def imported(self, *command: str) -> set[str]:
        """The modules that ``asrnet`` imports for a command, which must succeed."""
        words = [sys.executable, "-c", TELLING_MODULES, *command]
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode in {0, 2}, done.stderr[-1000:]
        return set(done.stderr.splitlines()[-1].split())

    def connected(self, *command: str) -> set[str]:
        """The same for a command that talks to the emulator."""
        return self.imported(*command, "--endpoint", self.url)

    def requests(self, *command: str) -> Mapping[str, int]:
        """The requests that a command sends, by method; it runs in this process, in simulated time."""
        self.app.world.journal.clear()
        ran = self._cli(*command, "--endpoint", self.url)
        assert ran.code in {0, 2}, ran.err[-1000:]
        return dict(self.app.world.journal.methods())


@pytest.fixture
def served(folder: Path, cli: Cli) -> Iterator[Served]:
    app = App(world(2, mapped=False, conditions=Conditions(latency=0.0, operation=0.0), clock=SystemClock()).world)
    with running(app, ServeOptions(port=0, tls_port=0, cache=tempfile.gettempdir())) as emulator:
        yield Served(app, emulator.http, folder, cli)


@pytest.mark.parametrize(
    "command",
    [
        ("plan",),
        ("show",),
        ("drift",),
        ("dump",),
        ("dump", "--format", "world"),
        ("targets",),
        ("predict",),
        ("predict", "--all-subnets"),
    ],
    ids=" ".join,
)
def test_reading_takes_six_requests_through_the_sdks_of_both_services(command: tuple[str, ...], served: Served) -> None:
    """The vault, its fabrics, mappings, machines and running jobs, and the networks of the subscription."""
    found = served.connected(*command)
    assert dict(served.app.world.journal.methods()) == {"GET": 6}
    assert found & {*SDKS, "rich"} == {NETWORK_SDK, SITE_RECOVERY_SDK}
    assert len(found) <= 750


def test_resource_graph_is_asked_once_and_each_network_of_a_pair_to_be_changed(served: Served) -> None:
    found = served.connected("plan", "--inventory", "graph")
    assert dict(served.app.world.journal.methods()) == {"GET": 5 + 4, "POST": 1}
    assert found & SDKS == {GRAPH_SDK, SITE_RECOVERY_SDK, NETWORK_SDK}
    served.requests("apply", "--yes")
    assert served.requests("plan", "--inventory", "graph") == {"GET": 5, "POST": 1}


def test_the_sdk_of_networks_is_not_imported_where_no_network_is_read_by_it(served: Served) -> None:
    assert served.connected("show", "--inventory", "graph") & SDKS == {GRAPH_SDK, SITE_RECOVERY_SDK}


def test_a_run_without_changes_reads_from_resource_graph_alone(served: Served) -> None:
    assert served.requests("show", "--inventory", "graph") == {"GET": 5, "POST": 1}


def test_an_apply_reads_two_lists_more_before_its_writes_and_one_after_them(served: Served) -> None:
    """One list each: changes since the plan, jobs, and mappings at the end."""
    assert served.requests("apply", "--yes") == {"GET": 6 + 3, "PUT": 4}


def test_a_saved_plan_costs_as_many_requests_as_planning_anew(served: Served) -> None:
    served.requests("plan", "--out", "plan.json")
    assert served.requests("apply", "plan.json", "--yes") == {"GET": 6 + 3, "PUT": 4}


def test_correcting_drift_reads_everything_again_at_the_end(served: Served) -> None:
    assert served.requests("drift", "--correct") == {"GET": 6 + 3 + 6, "PUT": 4}


@pytest.mark.parametrize("command", [("apply", "--yes"), ("drift", "--correct")], ids=" ".join)
def test_with_nothing_to_do_everything_is_read_once(command: tuple[str, ...], served: Served) -> None:
    served.requests("apply", "--yes")
    assert served.requests(*command) == {"GET": 6}


# What a start may import: today's counts and a few more, because Python versions differ.
# Before raising a count, check whether the import can wait until it is needed.
SLOW = {"azure", "requests", "msal", "cryptography", "rich", "dotenv", "asyncio", "dataclasses", "email", "zoneinfo"}
SELDOM_USED = {"copy", "difflib", "json", "random", "tempfile", "asrnet.redaction", "asrnet.settings.tools"}
ABOUT_PLANS = {"hashlib", "asrnet.model.azure", "asrnet.model.findings", "asrnet.model.plan", "asrnet.planning.plan"}
ABOUT_FILES = {"pathlib", "yaml", "asrnet.desired", "asrnet.files.yaml", "asrnet.cli.session"}


@pytest.mark.parametrize(
    ("command", "most", "most_of_asrnet", "unused"),
    [
        (("--help",), 155, 24, {*ABOUT_PLANS, *ABOUT_FILES} | SELDOM_USED - {"asrnet.settings.tools"}),
        (("validate",), 195, 44, {*ABOUT_PLANS, *SELDOM_USED, "asrnet.settings.changes"}),
        (("schema", "desired"), 165, 32, {*ABOUT_PLANS, "difflib", "asrnet.settings.changes", "yaml"}),
    ],
    ids=["help", "validate", "schema"],
)
def test_a_command_without_a_plan_imports_no_sdk_and_nothing_about_plans(
    command: tuple[str, ...], most: int, most_of_asrnet: int, unused: set[str], served: Served
) -> None:
    imported = served.imported(*command)
    assert not {name.partition(".")[0] for name in imported} & SLOW
    assert imported & unused == set()
    assert len(imported) <= most
    assert sum(name.startswith("asrnet") for name in imported) <= most_of_asrnet


def test_a_plan_of_a_fake_world_imports_no_sdk_and_no_rarely_used_module(served: Served) -> None:
    served.connected("dump", "--format", "world", "--out", "world.yaml")
    imported = served.imported("plan", "--backend", "fake:world.yaml")
    assert not {name.partition(".")[0] for name in imported} & SLOW
    assert imported & {*SELDOM_USED, "asrnet.settings.readings"} == set()
    assert len(imported) <= 285
    assert sum(name.startswith("asrnet") for name in imported) <= 122


@pytest.mark.parametrize(("argv", "seldom"), [(None, True), (["--version"], False)], ids=["process", "library"])
def test_the_process_rarely_collects_garbage_and_main_leaves_its_callers_collector_alone(
    argv: list[str] | None, seldom: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = gc.get_threshold()
    monkeypatch.setattr(sys, "argv", ["asrnet", "--version"])
    try:
        assert main(argv) == 0
        assert (gc.get_threshold()[0] >= 50_000) is seldom
        assert (gc.get_freeze_count() > 0) is seldom
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_only_a_line_that_does_not_begin_with_its_command_needs_the_options_of_all_commands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def all_options_counted() -> tuple[Option, ...]:
        asked.append("all")
        return all_options()

    monkeypatch.setattr(arguments, "all_options", all_options_counted)
    assert parse(["plan", "-v", "--out", "x"]).arguments == {"verbose": 1, "out": "x"}
    assert asked == []
    assert parse(["-v", "plan", "--out", "x"]).arguments == {"verbose": 1, "out": "x"}
    assert asked != []


def test_dotenv_is_imported_only_where_there_is_a_file(tmp_path: Path) -> None:
    program = "import sys; from asrnet import settings; settings.from_process({}); print('dotenv' in sys.modules)"
    assert printed(program, tmp_path) == "False"
    (tmp_path / ".env").write_text("ASRNET_QUIET=1", encoding="utf-8")
    assert printed(program, tmp_path) == "True"


@pytest.mark.parametrize(
    ("options", "printed_words"),
    [
        ("", f"{SITE_RECOVERY_SDK} {NETWORK_SDK} True False"),
        ("whole_process=True", f"{SITE_RECOVERY_SDK} {NETWORK_SDK} True True"),
        ("inventory='graph'", f"{SITE_RECOVERY_SDK} {GRAPH_SDK} True False"),
    ],
)
def test_the_sdks_are_imported_during_the_sign_in(options: str, printed_words: str, tmp_path: Path) -> None:
    """The fast check comes first, and the collector is changed only in our own process."""
    program = STARTING.format(options=options, sdks=[SITE_RECOVERY_SDK, NETWORK_SDK, GRAPH_SDK])
    assert printed(program, tmp_path) == printed_words


def printed(program: str, folder: Path) -> str:
    """The output of a program in its own process."""
    environ = {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=True).stdout.strip()
