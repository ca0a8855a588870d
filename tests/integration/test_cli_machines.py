"""Machines that follow, at the command line: selection, refusals, and what remains."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from command_line import Cli, edit
from followers import Followers

from asrnet.desired import dump_desired
from asrnet.fake import world_file

RIGHT_TO_UPDATE = (
    "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems/"
    "write"
)


@pytest.fixture
def world(folder: Path) -> Path:
    """A folder in which hub and its three machines still go to old, and its row declares new."""
    followers = Followers(machines=3, mapped_to="old")
    world_file.save(followers.world, folder / "world.yaml")
    desired = followers.desired(name="hub", test=followers.bubble.id).with_machines("report")
    (folder / "asrnet.yaml").write_text(dump_desired(desired), "utf-8")
    return folder


def destinations(folder: Path) -> dict[str, str]:
    """Where each machine of the world's file fails over to."""
    (vault,) = yaml.safe_load((folder / "world.yaml").read_text("utf-8"))["vaults"]
    return {item["name"]: item["recovery_network_id"].rpartition("/")[2] for item in vault["protected_items"]}


def changes(fake: Cli, *options: str) -> list[tuple[str, str]]:
    """The kind and the name of each change of a plan."""
    document = json.loads(fake("plan", "-o", "json", *options).out)
    return [(change["kind"], change["name"]) for change in document["changes"]]


@pytest.mark.usefixtures("world")
def test_machines_follow_on_request_after_their_mapping_and_then_there_is_nothing_to_do(fake: Cli, world: Path) -> None:
    assert [kind for kind, _ in changes(fake)] == ["network_mapping"]
    ran = fake("apply", "--yes", "--machines", "follow")
    assert ran.code == 0
    assert "updated vm003 (pair hub)" in ran.err
    assert "old -> new" in ran.out
    assert set(destinations(world).values()) == {"new"}
    assert changes(fake, "--machines", "follow") == []
    assert fake("drift", "--machines", "follow", "--fail-on", "warning").code == 0


def test_the_file_can_make_machines_follow_and_the_option_can_stop_it(fake: Cli, world: Path) -> None:
    edit(world, "version: 1\n", "version: 1\nmachines: follow\n")
    assert fake("drift").code == 2
    assert [kind for kind, _ in changes(fake, "--machines", "report")] == ["network_mapping"]
    assert fake("drift", "--correct").code == 0
    assert set(destinations(world).values()) == {"new"}


@pytest.mark.usefixtures("world")
def test_a_selected_machine_is_updated_with_the_mapping_that_it_follows(fake: Cli, world: Path) -> None:
    select = ("--machine", "VM002", "--machines", "follow")
    assert changes(fake, *select) == [("network_mapping", "hub-to-old"), ("protected_item", "vm002")]
    assert fake("apply", "--yes", *select).code == 0
    assert destinations(world) == {"vm001": "old", "vm002": "new", "vm003": "old"}


@pytest.mark.usefixtures("world")
def test_the_hint_of_a_finding_is_the_command_that_moves_the_machine(fake: Cli, world: Path) -> None:
    assert fake("apply", "--yes").code == 0
    findings = json.loads(fake("plan", "-o", "json").out)["findings"]
    hint = next(finding["hint"] for finding in findings if finding["kind"] == "stale_protected_item")
    assert fake(*hint.split()[1:], "--yes").code == 0
    assert destinations(world)["vm001"] == "new"


@pytest.mark.usefixtures("world")
def test_a_machine_that_does_not_exist_is_refused_with_the_nearest(fake: Cli) -> None:
    ran = fake("plan", "--machine", "vm01")
    assert (ran.code, ran.out) == (1, "")
    assert "--machine: no machine 'vm01' is replicated; did you mean 'vm001'?" in ran.err
    assert "hint: --machine takes one full name and may be repeated" in fake("plan", "--machine", "vm*").err


def test_a_machine_of_no_pair_is_refused(fake: Cli, world: Path) -> None:
    text = (world / "asrnet.yaml").read_text("utf-8")
    (world / "asrnet.yaml").write_text(text + "ignore: [{machine: vm001, reason: stays}]\n", "utf-8")
    ran = fake("apply", "--yes", "--machine", "vm001", "--machines", "follow")
    assert (ran.code, ran.out) == (1, "")
    assert "--machine: no pair of the desired state has vm001" in ran.err


def test_more_machines_than_the_limit_are_refused_and_forced_by_name(fake: Cli, world: Path) -> None:
    edit(world, "limits:", "limits: {max_machines: 2} #")
    ran = fake("apply", "--yes", "--machines", "follow")
    assert ran.code == 3
    assert "3 machines to update, but max_machines is 2" in ran.err
    assert set(destinations(world).values()) == {"old"}
    assert fake("apply", "--yes", "--machines", "follow", "--force", "max_machines").code == 0


@pytest.mark.usefixtures("world")
def test_a_saved_plan_is_refused_when_one_of_its_machines_has_moved_since(fake: Cli, world: Path) -> None:
    assert fake("plan", "--machines", "follow", "--out", "saved.json").code == 0
    edit(world, "recovery_ip: 10.0.1.77", "recovery_ip: 10.0.1.78", "world.yaml")
    ran = fake("apply", "saved.json", "--yes")
    assert ran.code == 3
    assert "machine vm001 (pair hub) has changed" in ran.err
    assert set(destinations(world).values()) == {"old"}


@pytest.mark.usefixtures("world")
def test_a_saved_plan_moves_the_machines_that_it_names(fake: Cli, world: Path) -> None:
    assert fake("plan", "--machines", "follow", "--machine", "vm003", "--out", "saved.json").code == 0
    refused = fake("apply", "saved.json", "--yes", "--machines", "follow")
    assert (refused.code, refused.out) == (1, "")
    assert fake("apply", "saved.json", "--yes").code == 0
    assert destinations(world) == {"vm001": "old", "vm002": "old", "vm003": "new"}


@pytest.mark.usefixtures("world")
def test_map_retargets_a_network_with_its_machines(fake: Cli, world: Path) -> None:
    (pair,) = json.loads(fake("plan", "-o", "json").out)["pairs"]
    hub, new = pair["primary_network_id"], pair["recovery_network_id"]
    command = ("map", hub, "--vault", "sea", "--to", "southeastasia", "--recovery", new, "--retarget", "--yes")
    assert fake(*command).code == 0
    assert set(destinations(world).values()) == {"old"}
    assert fake(*command, "--machines", "follow").code == 0
    assert set(destinations(world).values()) == {"new"}


def test_without_the_right_the_plan_says_so_and_apply_changes_no_machine(fake: Cli, world: Path) -> None:
    edit(world, "version: 1\n", f"version: 1\nbehaviour: {{denied: [{RIGHT_TO_UPDATE}]}}\n", "world.yaml")
    ran = fake("plan", "--machines", "follow")
    assert "missing_right" in ran.out
    assert "asrnet permissions --for machines" in ran.out
    assert fake("apply", "--yes", "--machines", "follow").code == 2
    assert set(destinations(world).values()) == {"old"}


def test_a_prediction_after_the_plan_counts_the_machines_that_the_plan_leaves_alone(fake: Cli, world: Path) -> None:
    edit(world, "version: 1\n", f"version: 1\nbehaviour: {{denied: [{RIGHT_TO_UPDATE}]}}\n", "world.yaml")
    ran = fake("predict", "--planned", "--follow", "-o", "json")
    assert json.loads(ran.out)["planned"]["left_alone"] == 3
    assert "3 machines stay as they are; asrnet plan says why" in fake("predict", "--planned", "--follow").out


def test_an_env_file_that_was_found_cannot_make_machines_follow(fake: Cli, world: Path) -> None:
    (world / ".env").write_text("ASRNET_MACHINES=follow\n", "utf-8")
    assert [kind for kind, _ in changes(fake)] == ["network_mapping"]
    os.environ["ASRNET_MACHINES"] = "follow"
    try:
        assert "protected_item" in [kind for kind, _ in changes(fake)]
    finally:
        del os.environ["ASRNET_MACHINES"]


def test_permissions_and_doctor_know_the_task_of_machines(fake: Cli, cli: Cli, world: Path) -> None:
    edit(world, "version: 1\n", "version: 1\nmachines: follow\n")
    role = json.loads(cli("permissions", "--for", "machines").out)
    assert any(action.endswith("replicationProtectedItems/write") for action in role["Actions"])
    assert "may machines" in fake("doctor").out
