"""Runs that write to one fake world at the same time: the second waits for the first, and nothing is lost."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import Cli

from asrnet import backends
from asrnet.clocks import SimulatedClock
from asrnet.errors import InputError
from asrnet.files.locks import FileLock
from asrnet.settings import Settings
from asrnet.settings.changes import ApplySettings, DriftSettings, MapSettings, PlanSettings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is locked on Windows")


def mapped(world: Path) -> set[str]:
    """The names of the primary networks that are mapped."""
    [vault] = yaml.safe_load(world.read_text("utf-8"))["vaults"]
    return {mapping["primary_network_id"].rpartition("/")[2] for mapping in vault.get("mappings", [])}


def test_two_applies_at_the_same_time_both_keep_what_they_did(folder: Path) -> None:
    command = [sys.executable, "-m", "asrnet", "apply", "--yes", "-q", "--backend", "fake:world.yaml", "--pair"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ASRNET_", "AZURE_"))}
    runs = [
        subprocess.Popen([*command, pair], cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        for pair in ("hub", "app")
    ]
    assert [run.wait(timeout=60) for run in runs] == [0, 0]
    assert mapped(folder / "world.yaml") == {"hub-ea", "hub-sea", "app-ea", "app-ea-asr"}


@pytest.mark.usefixtures("folder", "quick_clock")
@pytest.mark.parametrize(
    "settings",
    [
        ApplySettings(backend="fake:world.yaml"),
        MapSettings(backend="fake:world.yaml", primary="a", to="b"),
        DriftSettings(backend="fake:world.yaml", correct=True),
    ],
)
def test_a_run_that_writes_waits_for_another_and_gives_up_after_a_limit(settings: Settings) -> None:
    first = backends.connect(settings)
    with pytest.raises(InputError, match=r"world\.yaml is in use by another run"):
        backends.connect(settings)
    first.close()
    backends.connect(settings).close()


@pytest.mark.usefixtures("folder")
def test_a_run_that_waited_continues_with_what_the_other_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, world = FileLock("world.yaml"), Path("world.yaml")
    assert lock.acquire()

    class Clock(SimulatedClock):
        """While somebody waits, the other run saves its world and ends."""

        def sleep(self, seconds: float) -> None:
            saved = Path("saved")
            saved.write_text(world.read_text().replace("tenant: 3", "tenant: 4"))
            saved.replace(world)
            lock.release()
            super().sleep(seconds)

    monkeypatch.setattr("asrnet.backends.SystemClock", Clock)
    before = backends.connect(PlanSettings(backend="fake:world.yaml")).tenant()
    after = backends.connect(ApplySettings(backend="fake:world.yaml"))
    assert (before, after.tenant()) == (before, before and "4" + before[1:])
    after.close()


@pytest.mark.usefixtures("quick_clock")
def test_a_run_that_only_reads_waits_for_nobody(cli: Cli) -> None:
    writing = backends.connect(ApplySettings(backend="fake:world.yaml"))
    assert cli("plan", "--backend", "fake:world.yaml").code == 0
    assert cli("drift", "--backend", "fake:world.yaml").code == 2
    writing.close()


@pytest.mark.usefixtures("folder", "quick_clock")
def test_changes_of_a_program_do_not_replace_what_was_saved_since() -> None:
    def backend_with_a_change() -> Any:
        backend = backends.connect(Settings(backend="fake:world.yaml"))
        [vault] = yaml.safe_load(Path("world.yaml").read_text())["vaults"]
        from asrnet.model.arm import ArmId

        mapping = next(iter(backend.mappings.fabrics(ArmId(vault["id"]))))
        backend.mapping_writer.create_fabric(mapping)
        return backend

    first, second = backend_with_a_change(), backend_with_a_change()
    first.close()
    saved = Path("world.yaml").read_bytes()
    with pytest.raises(InputError, match="was changed by another program during this run"):
        second.close()
    assert Path("world.yaml").read_bytes() == saved
    backend_with_a_change().close()


def test_a_lock_follows_the_file_to_its_replacement(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    first, second = FileLock(file), FileLock(file)
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    (tmp_path / "new").write_text("two")
    (tmp_path / "new").replace(file)
    first.release()
    assert second.acquire()
    assert not first.acquire()
    second.release()
    assert first.acquire()
    first.release()


def test_a_lock_on_a_file_that_is_replaced_at_that_moment_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    flock = fcntl.flock

    def after_a_replacement(handle: int, operation: int) -> None:
        (tmp_path / "new").write_text("two")
        (tmp_path / "new").replace(file)
        flock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", after_a_replacement)
    lock = FileLock(file)
    assert not lock.acquire()
    monkeypatch.setattr(fcntl, "flock", flock)
    assert lock.acquire()


def test_a_missing_file_takes_no_lock(tmp_path: Path) -> None:
    assert FileLock(tmp_path / "none").acquire()
