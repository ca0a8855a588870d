"""The examples, the scripts and the demo, run as a user would run them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import EXAMPLES, Cli

REPOSITORY = EXAMPLES.parent
SCRIPTS = REPOSITORY / "scripts"
PROD, DR = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
HUB = (
    f"/subscriptions/{DR}/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-sea",
    f"/subscriptions/{PROD}/resourceGroups/rg-network-ea/providers/Microsoft.Network/virtualNetworks/hub-ea",
    "southeastasia",
    f"/subscriptions/{DR}/resourceGroups/rg-network-sea/providers/Microsoft.Network/virtualNetworks/hub-sea",
)
"""The arguments of map_network.py for a network of the first example."""
INSISTING = {"07-machines-follow": ("--force", "failover_active")}
"""The safeguards that an example lifts: two of its machines have failed over."""
RUNNABLE = [folder.name for folder in sorted(EXAMPLES.iterdir()) if (folder / "asrnet.yaml").exists()]


def example(name: str, folder: Path) -> None:
    for file in (EXAMPLES / name).iterdir():
        shutil.copy(file, folder)


def statuses(fake: Cli) -> dict[str, str]:
    pairs = json.loads(fake("show", "-o", "json").out)["pairs"]
    return {pair["pair"] or pair["primary_network_id"].rpartition("/")[2]: pair["status"] for pair in pairs}


@pytest.mark.parametrize("name", RUNNABLE)
def test_every_example_is_valid_and_its_second_plan_is_empty(fake: Cli, folder: Path, name: str) -> None:
    example(name, folder)
    assert fake("plan").code == 0
    assert fake("apply", "--yes", *INSISTING.get(name, ())).code in {0, 2}
    plan = json.loads(fake("plan", "-o", "json", *INSISTING.get(name, ())).out)
    assert plan["changes"] == []


@pytest.mark.parametrize("name", RUNNABLE)
def test_every_example_has_a_readme_that_plans(name: str) -> None:
    text = (EXAMPLES / name / "README.md").read_text("utf-8")
    assert text.startswith("# ")
    assert "asrnet plan" in text


def test_two_regions_maps_one_pair_by_row_one_as_a_copy_and_one_by_rule(fake: Cli, folder: Path) -> None:
    example("01-two-regions", folder)
    assert fake("apply", "--yes").code == 0
    assert statuses(fake) == {"hub": "paired", "app": "paired", "tagged/crm-ea": "paired"}


def test_adopt_and_repair_repairs_what_it_may_and_leaves_the_rest(fake: Cli, folder: Path) -> None:
    example("02-adopt-and-repair", folder)
    plan = json.loads(fake("plan", "-o", "json").out)
    assert {change["pair"]: change["action"] for change in plan["changes"]} == {
        "web": "create",
        "app": "update",
        "blue": "update",
        "green": "update",
    }
    assert fake("apply", "--yes").code == 2  # a person must decide about the duplicate
    assert statuses(fake) == {
        **dict.fromkeys(["hub", "crm", "web", "app", "blue", "green", "north"], "paired"),
        "erp": "half",
        "south": "shared",
        "wms": "duplicate",
        "lab-ea": "half",
    }


def run(*argv: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ASRNET_", "AZURE_", "ARM_"))}
    return subprocess.run(
        [sys.executable, *argv],
        cwd=folder,
        env={**clean, **variables},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_command_line_runs_as_its_own_process(folder: Path) -> None:
    ran = run("-m", "asrnet", "plan", "--detailed-exitcode", folder=folder, ASRNET_BACKEND="fake:world.yaml")
    assert (ran.returncode, ran.stderr) == (2, "")
    assert ran.stdout.splitlines()[-1].startswith("Plan: create 2 networks and 6 mappings")


def test_provision_creates_the_pairs(folder: Path) -> None:
    script = str(SCRIPTS / "provision.py")
    first = run(script, folder=folder, ASRNET_BACKEND="fake:world.yaml")
    assert (first.returncode, first.stderr) == (0, "")
    assert "Done: created 2 networks and 6 mappings" in first.stdout
    second = run(script, folder=folder, ASRNET_BACKEND="fake:world.yaml")
    assert (second.returncode, "Nothing to do: 6 mappings in sync" in second.stdout) == (0, True)


def test_correct_drift_corrects_and_leaves_the_rest_to_a_person(folder: Path) -> None:
    example("02-adopt-and-repair", folder)
    ran = run(str(SCRIPTS / "correct_drift.py"), folder=folder, ASRNET_BACKEND="fake:world.yaml")
    assert ran.returncode == 2
    assert "Done: created 1 mapping, retargeted 3 pairs" in ran.stdout
    assert ran.stderr.startswith("duplicate: wms-ea has 2 forward mappings")


def test_correct_drift_is_refused_over_a_limit(folder: Path) -> None:
    example("02-adopt-and-repair", folder)
    path = folder / "asrnet.yaml"
    path.write_text(path.read_text("utf-8") + "limits: {max_updates: 2}\n", "utf-8")
    ran = run(str(SCRIPTS / "correct_drift.py"), folder=folder, ASRNET_BACKEND="fake:world.yaml")
    assert (ran.returncode, "3 mappings to update, but max_updates is 2" in ran.stderr) == (3, True)


def test_map_network_maps_one_network_and_prints_its_target(folder: Path) -> None:
    ran = run(str(SCRIPTS / "map_network.py"), *HUB, folder=folder, ASRNET_BACKEND="fake:world.yaml")
    assert (ran.returncode, ran.stdout) == (0, f"{HUB[-1]}\n")
    assert ran.stderr.count("succeeded: create") == 2


@pytest.mark.parametrize("script", ["provision.py", "correct_drift.py", "predict_failover.py", "map_network.py"])
def test_a_script_reports_an_error_without_a_traceback(folder: Path, script: str) -> None:
    (folder / "asrnet.yaml").write_text("version: [", "utf-8")
    arguments = ["nonsense", "nonsense", "nowhere"] if script == "map_network.py" else []
    ran = run(str(SCRIPTS / script), *arguments, folder=folder, ASRNET_BACKEND="fake:world.yaml")
    assert ran.returncode == 1
    assert ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("script", ["provision.py", "correct_drift.py", "predict_failover.py"])
def test_a_script_without_its_file_names_the_command_that_writes_one(folder: Path, script: str) -> None:
    ran = run(str(SCRIPTS / script), "nope.yaml", folder=folder, ASRNET_BACKEND="fake:world.yaml")
    hint = "hint: go to the folder that has it, let asrnet init write a first one, or name another file\n"
    assert (ran.returncode, ran.stderr) == (1, f"error: nope.yaml: the file does not exist\n{hint}")


@pytest.mark.parametrize("script", ["provision.py", "correct_drift.py", "predict_failover.py", "map_network.py"])
def test_the_help_of_a_script_fits_a_terminal(folder: Path, script: str) -> None:
    ran = run(str(SCRIPTS / script), "--help", folder=folder, COLUMNS="80")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"usage: {script} ")
    assert "Exits 0 when" in ran.stdout
    assert max(map(len, ran.stdout.splitlines())) <= 80


def test_map_network_prints_no_network_that_it_did_not_map_to(folder: Path) -> None:
    world = folder / "world.yaml"
    text = world.read_text("utf-8")
    denied = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/write"
    world.write_text(text.replace("version: 1", f'version: 1\nbehaviour: {{denied: ["{denied}"]}}', 1), "utf-8")
    ran = run(str(SCRIPTS / "map_network.py"), *HUB, folder=folder, ASRNET_BACKEND="fake:world.yaml")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "failed: create" in ran.stderr


@pytest.mark.parametrize("script", ["provision.py", "correct_drift.py", "predict_failover.py", "map_network.py"])
def test_a_command_line_mistake_in_a_script_is_an_error_and_not_drift(folder: Path, script: str) -> None:
    ran = run(str(SCRIPTS / script), "--bogus", folder=folder)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"usage: {script} ")


def test_predict_failover_prints_what_changes_in_either_direction(folder: Path) -> None:
    example("05-predict-failover", folder)
    ran = run(str(SCRIPTS / "predict_failover.py"), folder=folder, ASRNET_BACKEND="fake:world.yaml")
    assert ran.returncode in {0, 2}, ran.stderr
    lines = ran.stdout.splitlines()
    assert {line.split(":")[0] for line in lines} == {"failover", "failback"}
    assert not any("keeps_address" in line for line in lines)
    assert (ran.returncode == 2) == any("loses_connectivity" in line for line in lines)


def test_map_network_prints_no_id_of_a_network_that_it_did_not_map(folder: Path) -> None:
    prod, dr = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
    vault = f"/subscriptions/{dr}/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-sea"
    networks = f"/subscriptions/{prod}/resourceGroups/rg-network-ea/providers/Microsoft.Network/virtualNetworks"
    ran = run(
        str(SCRIPTS / "map_network.py"),
        *(vault, f"{networks}/hub-ea", "southeastasia", f"{networks}/gone-sea"),
        folder=folder,
        ASRNET_BACKEND="fake:world.yaml",
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "gone-sea does not exist" in ran.stderr


def test_provision_reports_a_blocked_pair_and_an_exceeded_limit(folder: Path) -> None:
    example("02-adopt-and-repair", folder)
    script, path = str(SCRIPTS / "provision.py"), folder / "asrnet.yaml"
    text = path.read_text("utf-8")
    path.write_text(text + "limits: {max_updates: 2}\n", "utf-8")
    assert run(script, folder=folder, ASRNET_BACKEND="fake:world.yaml").returncode == 3
    path.write_text(text, "utf-8")
    assert run(script, folder=folder, ASRNET_BACKEND="fake:world.yaml").returncode == 2


def test_the_demo_plans_applies_and_plans_again_on_the_real_sdk(folder: Path) -> None:
    ran = run("-m", "asrnet", "demo", folder=folder)
    assert (ran.returncode, ran.stderr.count("created ")) == (0, 8)
    assert [line for line in ran.stdout.splitlines() if line.startswith("$ ")] == [
        "$ asrnet plan",
        "$ asrnet apply --yes",
        "$ asrnet plan",
        "$ asrnet show",
    ]
    assert "Nothing to do: 6 mappings in sync." in ran.stdout
    assert "6 mappings, 3 pairs." in ran.stdout
