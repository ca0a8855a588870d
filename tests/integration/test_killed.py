"""SIGKILL: the next run finishes the job, other mappings stay untouched, and every file is whole."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest
import requests
from command_line import Cli, Ran, edit
from killing import clean, command, killed_at
from states import SEA, TwoRegions

from asrnet.clocks import SystemClock
from asrnet.fake import world_file
from asrnet.fake.builder import SUBSCRIPTION
from asrnet.model.plan import load_plan

T = TypeVar("T")

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this platform knows no SIGKILL")

FIRST_WRITE, LAST_READ = 23, 54
"""The requests of an undisturbed run: first those that read for plan and apply, none after."""

POINTS = 5
"""The number of intervals of these requests; a run is killed at one random request of each."""

DESIRED = """\
version: 1
subscriptions: {prod: 11111111-1111-1111-1111-111111111111}
vaults:
  sea: {id: VAULT, unmanaged: report}
regions:
- {primary: eastasia, recovery: southeastasia, copy: {resource_group: rg-asr}}
pairs:
- {name: moved, vault: sea, primary: prod/rg/moved, recovery: prod/rg/new}
- {name: a, vault: sea, primary: prod/rg/aa, recovery: prod/rg/yy}
- {name: b, vault: sea, primary: prod/rg/bb, recovery: prod/rg/xx}
- {name: half, vault: sea, primary: prod/rg/half, recovery: prod/rg/half-dr}
- {name: missing, vault: sea, primary: prod/rg/missing, recovery: prod/rg/missing-dr}
- {name: copied, vault: sea, primary: prod/rg/copied, recovery: copy}
"""
WANTED = {"moved": "new", "aa": "yy", "bb": "xx", "half": "half-dr", "missing": "missing-dr", "copied": "copied-asr"}
COPY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-asr/providers/Microsoft.Network/virtualNetworks/copied-asr"
STRAYS = {"stray": "stray-dr", "moved-before": "stray"}


def scene() -> tuple[str, str]:
    """A world with every kind of drift, and its desired state."""
    azure = TwoRegions()
    azure.build.resource_group("rg-asr", location=SEA)
    near = {name: azure.network(name) for name in ("moved", "aa", "bb", "half", "missing", "copied", "stray")}
    names = ("new", "xx", "yy", "half-dr", "missing-dr", "stray-dr", "moved-before")
    far = {name: azure.network(name, SEA) for name in names}
    azure.map_both(near["moved"], azure.network("old", SEA))
    azure.map_both(near["aa"], far["xx"])
    azure.map_both(near["bb"], far["yy"])
    azure.map(far["half-dr"], near["half"])
    azure.map(near["stray"], far["stray-dr"], name="by-hand")
    azure.map(far["moved-before"], near["stray"])
    return world_file.dumps(azure.world), DESIRED.replace("VAULT", str(azure.vault.id))


class Emulator:
    """An emulator process, controlled through its admin paths."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.folder = folder
        words = ("emulator", "--port", "0", "--tls-port", "0", "--operations", "time:0.2", *more)
        self.process = subprocess.Popen(
            command(*words), cwd=folder, env=clean(folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.process.stdout
        self.url = str(json.loads(self.process.stdout.readline())["http"])
        self._session = requests.Session()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request to an admin path."""
        answer = self._session.request(method, f"{self.url}/_asrnet/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    @property
    def requests(self) -> int:
        """The number of requests."""
        return int(self.ask("GET", "health")["requests"])

    def end(self, number: int) -> int:
        """Send a signal and wait for the process to end."""
        self.process.send_signal(number)
        self._session.close()
        with self.process:
            return self.process.wait(timeout=30)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    folder = tmp_path_factory.mktemp("emulator")
    (folder / "seed.yaml").write_text(scene()[0], encoding="utf-8")
    running = Emulator(folder, "--seed", "seed.yaml")
    yield running
    running.end(signal.SIGKILL)


class Hurried(SystemClock):
    """Ten times as fast as the default, so that waiting for an operation costs a tenth."""

    def __init__(self) -> None:
        super().__init__()
        self._began = super().now()

    def now(self) -> float:
        return self._began + (super().now() - self._began) * 10

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 10)

    def wait(self, futures: Collection[Future[T]], timeout: float | None) -> None:
        super().wait(futures, timeout if timeout is None else timeout / 10)


@pytest.fixture
def apply(emulator: Emulator, cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Ran]:
    """An undisturbed apply, in this process."""
    monkeypatch.setattr("asrnet.backends.SystemClock", Hurried)
    emulator.ask("POST", "reset")
    (folder / "asrnet.yaml").write_text(scene()[1], encoding="utf-8")
    return lambda: cli("apply", *arguments(emulator))


def arguments(emulator: Emulator) -> tuple[str, ...]:
    files = ("--audit", "audit.jsonl", "-o", "json=report.json", "-o", "html=report.html")
    return ("--yes", "--endpoint", emulator.url, "--credential", "emulator", *files)


def kill_at(emulator: Emulator, number: int, folder: Path) -> bool:
    """Run apply and kill it at that many requests in the emulator's journal; False if it ended before.

    The answer to that request is held back, so that nothing that depends on it continues.
    """
    hold = {"kind": "delay", "skip": number - 1, "seconds": 3.0}
    emulator.ask("DELETE", "requests")
    emulator.ask("POST", "faults", hold)
    process = subprocess.Popen(
        command("apply", *arguments(emulator)),
        cwd=folder,
        env=clean(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pause = threading.Event()
    with process:
        while emulator.requests < number and process.poll() is None:
            pause.wait(0.02)
        process.kill()
    emulator.ask("DELETE", "faults")
    emulator.ask("POST", "clock/advance", {"seconds": 60})  # operations that Azure has accepted complete
    return process.returncode == -signal.SIGKILL


def judge_files(folder: Path) -> None:
    """Each file is whole or absent."""
    audit = folder / "audit.jsonl"
    for line in audit.read_text("utf-8").splitlines(keepends=True) if audit.exists() else ():
        assert line.endswith("\n")
        assert json.loads(line)["resource_id"]
    if (folder / "report.json").exists():
        assert json.loads((folder / "report.json").read_text("utf-8"))["format_version"]
    if (folder / "report.html").exists():
        assert (folder / "report.html").read_text("utf-8").rstrip().endswith("</html>")


def mapped(world: Any) -> dict[str, str]:
    """Primary network -> recovery network; a network mapped twice is an error here."""
    found: dict[str, str] = {}
    for mapping in world["vaults"][0]["mappings"]:
        primary, recovery = (mapping[f"{end}_network_id"].rpartition("/")[2] for end in ("primary", "recovery"))
        assert primary not in found
        found[primary] = recovery
    return found


def networks(world: Any) -> dict[str, Any]:
    return {network["id"]: network for network in world["virtual_networks"]}


def judge_end(before: Any, after: Any) -> None:
    """Every pair is complete; undeclared mappings and all networks are unchanged."""
    assert mapped(after) == {**WANTED, **{recovery: name for name, recovery in WANTED.items()}, **STRAYS}
    assert networks(after).items() >= networks(before).items()
    assert networks(after).keys() - networks(before).keys() == {COPY}


def test_the_writes_of_a_run_that_is_not_killed_are_known(emulator: Emulator, apply: Callable[[], Ran]) -> None:
    """The other tests rely on these points to kill where it matters."""
    assert apply().code == 0
    asked = [entry["method"] for entry in emulator.ask("GET", "requests")["requests"]]
    assert asked.index("PUT") <= FIRST_WRITE <= LAST_READ <= len(asked)
    assert not {"PATCH", "DELETE"} & set(asked[: FIRST_WRITE - 1])


@pytest.mark.parametrize("point", range(POINTS))
def test_the_run_after_a_killed_one_finishes_the_job(
    emulator: Emulator, apply: Callable[[], Ran], cli: Cli, folder: Path, point: int
) -> None:
    random, part = Random(point), (LAST_READ - FIRST_WRITE + 1) // POINTS
    before = emulator.ask("GET", "state")
    number = FIRST_WRITE + point * part + random.randrange(part)
    assert kill_at(emulator, number, folder)
    judge_files(folder)
    if point % 2 == 0:  # and so does the run that finishes the job
        kill_at(emulator, random.randrange(10, 25), folder)
    ran = apply()
    assert ran.code == 0, f"killed at request {number}: {ran.out}{ran.err}"
    judge_files(folder)
    judge_end(before, emulator.ask("GET", "state"))
    assert cli("plan", "--detailed-exitcode", "--endpoint", emulator.url, "--credential", "emulator").code == 0


# Files, without an emulator: killed between any two calls that write them.

DR = "22222222-2222-2222-2222-222222222222"
FAKE = ("--backend", "fake:world.yaml")


def test_a_killed_plan_leaves_the_old_or_the_new_saved_plan_whole(cli: Cli, folder: Path) -> None:
    words = ("plan", "--out", "plan.json", "-o", "json=report.json", *FAKE)
    cli(*words)
    edit(folder, "name: tagged", "name: newly-tagged")
    for call in range(1, _calls(words, folder) + 1):
        assert killed_at(call, *words, folder=folder).returncode == -signal.SIGKILL
        assert load_plan((folder / "plan.json").read_bytes(), source="plan.json").pairs
        judge_files(folder)


def test_a_killed_apply_leaves_every_file_whole_and_the_next_run_finishes(cli: Cli, folder: Path) -> None:
    files = ("--audit", "audit.jsonl", "-o", "json=report.json", "-o", "html=report.html", *FAKE)
    untouched = (folder / "world.yaml").read_text("utf-8")
    calls = _calls(("apply", "--yes", *files), folder)
    for call in {1, *Random(calls).sample(range(2, calls - 9), 2), *range(calls - 9, calls + 1)}:
        (folder / "world.yaml").write_text(untouched, "utf-8")
        assert killed_at(call, "apply", "--yes", *files, folder=folder).returncode == -signal.SIGKILL
        judge_files(folder)
        world_file.load(folder / "world.yaml", clock=SystemClock())
        assert cli("apply", "--yes", *files).code == 0
        assert cli("plan", "--detailed-exitcode", *FAKE).code == 0


def _calls(words: tuple[str, ...], folder: Path) -> int:
    """The number of points at which a run can be killed; at the last ones files are replaced."""
    return int(killed_at(0, *words, folder=folder).stderr.split()[-1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_emulator_leaves_its_state_whole(folder: Path, number: int) -> None:
    """The state is saved on a signal to end; a killed emulator leaves the initial state."""
    (folder / "state.yaml").write_text((folder / "world.yaml").read_text("utf-8"), "utf-8")
    emulator = Emulator(folder, "--state", "state.yaml")
    emulator.ask("PUT", "state", {"version": 1})
    assert emulator.end(number) in {0, -number}
    left = world_file.load(folder / "state.yaml", clock=SystemClock())
    assert bool(left.state.vaults.values(DR)) == (number == signal.SIGKILL)


def test_an_emulator_killed_while_it_saves_leaves_its_state_whole(folder: Path) -> None:
    (folder / "state.yaml").write_text((folder / "world.yaml").read_text("utf-8"), "utf-8")
    words = ("emulator", "--port", "0", "--tls-port", "0", "--state", "state.yaml")
    killed_at(0, *words, folder=folder, told_to_end=True)  # the first start also creates certificates
    total = int(killed_at(0, *words, folder=folder, told_to_end=True).stderr.split()[-1])
    for call in (total - 2, total - 1, total):
        assert killed_at(call, *words, folder=folder, told_to_end=True).returncode == -signal.SIGKILL
        assert world_file.load(folder / "state.yaml", clock=SystemClock()).state.vaults.values(DR)


_TOLD_AT_EVERY_CALL = """
import signal, sys
from asrnet.emulator.serving import ServeOptions, serve

for number in range(1, 14, 2):
    left = number

    def count(frame, event, function):
        global left
        left -= 1
        if left == 0:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGTERM)

    assert serve(ServeOptions(port=0, tls_port=0), lambda _: sys.setprofile(count)) == 0
    sys.setprofile(None)
"""


def test_an_emulator_ends_on_a_signal_whatever_it_is_doing(folder: Path) -> None:
    """A signal that arrived while the awaited lock was held once hung the process."""
    script = [sys.executable, "-c", _TOLD_AT_EVERY_CALL]
    ended = subprocess.run(script, cwd=folder, env=clean(folder), capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
