"""The cron script, run as cron runs it: lock, log, output, exit code, metrics."""

from __future__ import annotations

import fcntl
import re
import shutil
from pathlib import Path

import pytest
from command_line import EXAMPLES, edit
from schedules import TEMPLATES, Finished, quick, shell, shellcheck

FOLDER = TEMPLATES / "cron"
SCRIPT = FOLDER / "asrnet-nightly.sh"


class Machine:
    """A folder like /srv/asrnet, and a node exporter's folder for metrics."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "srv"
        self.metrics = folder / "metrics"
        self.stubs = folder / "bin"
        self.home.mkdir()
        self.take("01-two-regions")

    def take(self, example: str) -> None:
        """The files of an example."""
        for file in (EXAMPLES / example).glob("*.yaml"):
            shutil.copy(file, self.home)
        quick(self.home / "world.yaml")

    def night(self) -> Finished:
        variables = {"METRICS": str(self.metrics), "ASRNET_BACKEND": "fake:world.yaml"}
        return shell("/bin/bash", [str(SCRIPT), str(self.home)], self.home.parent, self.stubs, variables)

    def metric(self, file: str, name: str) -> str:
        [value] = re.findall(rf"^{name} (\S+)$", (self.metrics / file).read_text("utf-8"), re.MULTILINE)
        return str(value)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_script_passes_shellcheck() -> None:
    assert shellcheck(SCRIPT.read_text("utf-8"), "bash") == ""
    assert SCRIPT.stat().st_mode & 0o111


def test_a_run_that_leaves_nothing_to_do_prints_nothing(machine: Machine) -> None:
    ran = machine.night()
    assert ran == (0, "", "")
    log = (machine.home / "nightly.log").read_text("utf-8")
    assert "Done: created 2 networks and 6 mappings" in log
    assert (machine.home / "report.html").exists()
    assert len((machine.home / "audit.jsonl").read_text("utf-8").splitlines()) == 8


def test_each_run_appends_to_the_log_and_the_audit(machine: Machine) -> None:
    machine.night()
    edit(machine.home, "recovery_network_id", "recovery_network_id", "world.yaml")
    machine.night()
    assert (machine.home / "nightly.log").read_text("utf-8").count("\n--- ") == 1
    assert len((machine.home / "audit.jsonl").read_text("utf-8").splitlines()) == 8


def test_remaining_drift_is_one_line_for_the_mail(machine: Machine) -> None:
    machine.take("02-adopt-and-repair")
    ran = machine.night()
    assert ran.code == 2
    assert ran.out == f"asrnet: drift is left that only a person can settle: {machine.home}/report.html\n"


def test_a_refusal_is_reported_as_a_refusal(machine: Machine) -> None:
    machine.take("02-adopt-and-repair")
    edit(machine.home, "pairs:", "limits: {max_updates: 1}\npairs:")
    ran = machine.night()
    assert (ran.code, ran.out.count("\n")) == (3, 1)
    assert "a safeguard refused" in ran.out


def test_an_error_is_reported_with_the_end_of_the_log(machine: Machine) -> None:
    edit(machine.home, "version: 1", "version: 2")
    ran = machine.night()
    assert ran.code == 1
    assert "asrnet.yaml:2: version: " in ran.out


def test_a_second_run_does_not_disturb_one_in_progress(machine: Machine) -> None:
    world = (machine.home / "world.yaml").read_bytes()
    with (machine.home / "nightly.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = machine.night()
    assert (ran.code, ran.out) == (75, f"asrnet: the run before is still under way in {machine.home}\n")
    assert (machine.home / "world.yaml").read_bytes() == world
    assert machine.night().code == 0  # the lock ended with its process


def test_metrics_are_written_even_when_the_run_fails(machine: Machine) -> None:
    machine.metrics.mkdir()
    machine.night()
    assert machine.metric("asrnet_nightly.prom", "asrnet_nightly_exit_code") == "0"
    assert machine.metric("asrnet.prom", "asrnet_run_success") == "1"
    good = (machine.metrics / "asrnet.prom").read_bytes()
    edit(machine.home, "version: 1", "version: 2")
    machine.night()
    assert machine.metric("asrnet_nightly.prom", "asrnet_nightly_exit_code") == "1"
    assert (machine.metrics / "asrnet.prom").read_bytes() == good
    assert sorted(path.name for path in machine.metrics.iterdir()) == ["asrnet.prom", "asrnet_nightly.prom"]


def test_a_missing_folder_is_an_error(machine: Machine) -> None:
    shutil.rmtree(machine.home)
    assert machine.night().code == 1


def test_the_crontab_runs_the_script_every_night_as_its_own_user() -> None:
    lines = [line for line in (FOLDER / "asrnet.cron").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert [line.partition("=")[0] for line in lines[:-1]] == ["MAILTO", "PATH", "ASRNET_ENV_FILE"]
    minute, hour, day, month, weekday, user, *command = lines[-1].split()
    assert (0 <= int(minute) < 60, 0 <= int(hour) < 24, day, month, weekday) == (True, True, "*", "*", "*")
    assert user != "root"
    assert [Path(word).name for word in command] == [SCRIPT.name]
