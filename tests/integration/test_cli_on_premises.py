"""Networks of VMM servers at the command line: planned, applied, shown and dumped by their names."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from command_line import EXAMPLES, Cli, edit

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MOVED = "recovery: VMM-Shanghai/VMNetwork2-Shanghai"


@pytest.fixture
def sites(fake: Cli, folder: Path) -> Cli:
    """The command line on the example of two sites."""
    for file in (EXAMPLES / "03-vmm-two-sites").iterdir():
        shutil.copy(file, folder)
    return fake


@pytest.fixture
def unmapped(sites: Cli, folder: Path) -> Cli:
    """The same, without any mapping yet."""
    path = folder / "world.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("  mappings:")] + text[text.index("  protected_items:") :])
    return sites


def test_a_pair_is_planned_applied_and_then_in_sync(unmapped: Cli) -> None:
    plan = unmapped("plan").out
    assert "+  vm1   VMNetwork1-Beijing (VMM-Beijing)  <->  VMNetwork1-Shanghai (VMM-Shanghai)  create" in plan
    ran = unmapped("apply", "--yes")
    assert ran.code == 0
    assert "created VMNetwork1-Beijing-to-VMNetwork1-Shanghai (pair vm1)" in ran.err
    assert unmapped("plan", "--detailed-exitcode").code == 0


def test_a_saved_plan_is_applied_and_is_refused_after_a_change(unmapped: Cli) -> None:
    unmapped("plan", "--out", "saved.json")
    assert unmapped("apply", "saved.json", "--yes").code == 0
    ran = unmapped("apply", "saved.json", "--yes")
    assert (ran.code, "mapping vmnetwork1-beijing-to-vmnetwork1-shanghai has appeared" in ran.out.lower()) == (3, True)


def test_a_retarget_is_one_change_in_three_steps(sites: Cli, folder: Path) -> None:
    edit(folder, "recovery: VMM-Shanghai/VMNetwork1-Shanghai", MOVED)
    [change] = json.loads(sites("plan", "-o", "json").out)["changes"]
    assert [step["action"] for step in change["steps"]] == ["delete", "update", "create"]
    assert sites("apply", "--yes").code == 0
    assert sites("plan", "--detailed-exitcode").code == 0


def test_a_retarget_waits_while_a_machine_of_the_network_fails_over(sites: Cli, folder: Path) -> None:
    edit(folder, "recovery: VMM-Shanghai/VMNetwork1-Shanghai", MOVED)
    edit(folder, "friendly_name: VM-1", "friendly_name: VM-1\n    active_location: Recovery", "world.yaml")
    ran = sites("apply", "--yes")
    assert (ran.code, "VM-1 runs on the recovery side" in ran.out) == (3, True)


def test_the_retired_scenario_is_reported_once_per_run(sites: Cli, folder: Path) -> None:
    edit(folder, "- {name: vm1", "- {name: vm2, vault: sites, primary: VMM-Beijing/VMNetwork2-Beijing, "
         "recovery: VMM-Shanghai/VMNetwork2-Shanghai}\n- {name: vm1")  # fmt: skip
    out = sites("plan").out
    assert out.count("Microsoft retired replication from System Center VMM on ") == 1


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_the_retired_scenario_is_shown_and_never_counts_as_drift(sites: Cli, command: str) -> None:
    extra = ("--fail-on", "warning") if command == "drift" else ("--detailed-exitcode",)
    ran = sites(command, *extra)
    assert (ran.code, ran.out.count("retired_scenario")) == (0, 1)
    [found] = json.loads(sites(command, "-o", "json").out)["findings"]
    assert (found["kind"], found["severity"]) == ("retired_scenario", "info")


@pytest.mark.parametrize("command", ["plan -v", "show", "show -o mermaid", "plan -o markdown", "plan -o junit"])
def test_outputs_show_names_and_no_guids(sites: Cli, command: str) -> None:
    out = sites(*command.split()).out
    assert "VMNetwork1-Shanghai" in out
    assert GUID.search(out) is None


def test_an_undeclared_mapping_is_shown_by_its_names(sites: Cli, folder: Path) -> None:
    edit(folder, "vmm_pairs:", "pairs: []\nvmm_pairs:")
    edit(folder, "VMNetwork1-Beijing, recovery: VMM-Shanghai/VMNetwork1-Shanghai", "VMNetwork2-Beijing, "
         "recovery: VMM-Shanghai/VMNetwork2-Shanghai")  # fmt: skip
    findings = json.loads(sites("plan", "-o", "json").out)["findings"]
    stray = [found["message"] for found in findings if found["kind"] == "unmanaged"]
    assert any("VMNetwork1-Beijing to VMNetwork1-Shanghai" in message for message in stray)


def test_show_in_json_has_ids_and_names(sites: Cli) -> None:
    [pair] = json.loads(sites("show", "-o", "json").out)["pairs"]
    assert (pair["pair"], pair["kind"], pair["status"]) == ("vm1", "vmm_to_vmm", "paired")
    assert (pair["primary_network"], pair["primary_location"]) == ("VMNetwork1-Beijing", "VMM-Beijing")
    assert GUID.search(pair["primary_network_id"])


@pytest.mark.parametrize("name", ["03-vmm-two-sites", "04-vmm-to-azure"])
@pytest.mark.parametrize("with_file", [True, False])
def test_a_dumped_state_plans_no_changes(fake: Cli, folder: Path, name: str, *, with_file: bool) -> None:
    for file in (EXAMPLES / name).iterdir():
        shutil.copy(file, folder)
    vault = json.loads(fake("show", "-o", "json").out)["vaults"][0]["id"]
    if not with_file:
        (folder / "asrnet.yaml").unlink()
    assert (
        fake("dump", "--out", "dumped.yaml", *(() if with_file else ("--vault", vault))).err == "written: dumped.yaml\n"
    )
    ran = fake("plan", "-f", "dumped.yaml", "--detailed-exitcode")
    assert (ran.code, "Nothing to do" in ran.out) == (0, True)


def test_a_dump_into_another_folder_finds_its_topology(sites: Cli, folder: Path) -> None:
    edit(folder, "# topology:", "topology:")
    (folder / "dumps").mkdir()
    assert sites("dump", "--out", "dumps/dumped.yaml").code == 0
    assert "topology: ../vmm-topology.yaml" in (folder / "dumps" / "dumped.yaml").read_text()
    assert sites("plan", "-f", "dumps/dumped.yaml", "--detailed-exitcode").code == 0


def test_a_dumped_world_plans_the_same(sites: Cli, cli: Cli) -> None:
    assert sites("dump", "--format", "world", "--out", "yesterday.yaml").err == "written: yesterday.yaml\n"
    then = json.loads(cli("plan", "-o", "json", "--backend", "fake:yesterday.yaml").out)
    now = json.loads(sites("plan", "-o", "json").out)
    for key in ("summary", "changes", "pairs", "findings", "observed"):
        assert then[key] == now[key]


def test_a_saved_world_has_the_pairs_that_were_applied(unmapped: Cli, folder: Path) -> None:
    unmapped("apply", "--yes", "-q")
    assert (folder / "world.yaml").read_text().count("VMNetwork1-Beijing-to-VMNetwork1-Shanghai") == 1
