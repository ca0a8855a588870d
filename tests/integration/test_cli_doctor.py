"""doctor and permissions at the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Cli, edit, snapshot

from asrnet.clocks import SimulatedClock
from asrnet.emulator.app import App
from asrnet.emulator.serving import ServeOptions, running
from asrnet.fake import world_file

GROUPS = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups"
VAULT = f"{GROUPS}/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-sea"
DELETE = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings/delete"


def denied(folder: Path, action: str) -> None:
    edit(folder, "version: 1", f'version: 1\nbehaviour: {{denied: ["{action}"]}}', "world.yaml")


def test_a_healthy_world_passes_and_stays_as_it_was(fake: Cli, folder: Path) -> None:
    before = snapshot(folder)
    ran = fake("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == "20 checks: 20 ok."
    assert {line.split()[2] for line in ran.out.splitlines() if " tenant " in line} == {"prod", "dr"}
    assert snapshot(folder) == before


def test_doctor_passes_on_an_emulator_whatever_the_tenant_of_its_world(cli: Cli, folder: Path) -> None:
    app = App(world_file.load(folder / "world.yaml", clock=SimulatedClock()))
    with running(app, ServeOptions(port=0, tls_port=0, cache=str(folder / "certificates"))) as emulator:
        ran = cli("doctor", "--endpoint", emulator.http)
    assert (ran.code, ran.err) == (0, "")
    assert "tenant 2222" not in ran.out
    assert "signing in at" not in ran.out
    assert ran.out.splitlines()[-1] == "24 checks: 24 ok."


@pytest.fixture
def inspected(folder: Path) -> Iterator[str]:
    """The URL of an Azure whose certificate no root of this machine has signed."""
    app = App(world_file.load(folder / "world.yaml", clock=SimulatedClock()))
    with running(app, ServeOptions(port=0, tls_port=0, cache=str(folder / "certificates"))) as emulator:
        yield emulator.https


def test_a_certificate_that_is_not_trusted_is_reported_once(cli: Cli, inspected: str) -> None:
    ran = cli("doctor", "--endpoint", inspected)
    assert ran.code == 1
    assert ran.out.count("is not trusted") == 1
    assert ran.out.splitlines()[-1].endswith("checks: 2 ok, 1 failed.")
    assert "asrnet doctor" not in ran.out
    assert "attempt" not in ran.out, "nobody asks twice"


def test_a_variable_that_names_no_root_certificates_is_a_user_error_and_not_a_bug(
    cli: Cli, inspected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nope")
    for command in ("doctor", "plan"):
        ran = cli(command, "--endpoint", inspected)
        assert ran.code == 1
        assert "REQUESTS_CA_BUNDLE names '/nope', which does not exist" in ran.out + ran.err
        assert "bug" not in ran.err


def test_every_problem_comes_with_its_fix_and_exit_code_1(fake: Cli, folder: Path) -> None:
    denied(folder, "Microsoft.RecoveryServices/vaults/replicationFabrics/read")
    ran = fake("doctor")
    assert ran.code == 1
    lines = ran.out.splitlines()
    (line,) = (number for number, text in enumerate(lines) if text.split()[:3] == ["failed", "read", "fabrics"])
    assert lines[line + 1].strip().startswith("fix: grant 'Microsoft.RecoveryServices/vaults/replicationFabrics/read'")


def test_a_right_that_a_task_lacks_fails_only_where_that_task_is_required(fake: Cli, folder: Path) -> None:
    denied(folder, DELETE)
    assert fake("doctor").code == 0
    ran = fake("doctor", "--for", "apply")
    assert (ran.code, DELETE in ran.out) == (1, True)


def test_network_interfaces_are_checked_only_for_their_task(fake: Cli, folder: Path) -> None:
    assert "network interfaces" in fake("doctor", "--for", "nics").out
    denied(folder, "Microsoft.Network/networkInterfaces/read")
    assert fake("doctor").code == 0
    ran = fake("doctor", "--for", "nics")
    assert (ran.code, "'asrnet permissions --for nics' prints a role that has it" in ran.out) == (1, True)


def test_doctor_writes_json_for_programs(fake: Cli) -> None:
    said = json.loads(fake("doctor", "-o", "json").out)
    assert (said["format_version"], said["healthy"]) == ("1.1", True)
    assert set(said["checks"][0]) == {"name", "verdict", "message", "subject", "fix"}


def test_a_vault_id_is_enough_without_a_file(fake: Cli, folder: Path) -> None:
    (folder / "asrnet.yaml").unlink()
    ran = fake("doctor", "--vault", VAULT)
    assert (ran.code, "read mappings" in ran.out) == (0, True)


@pytest.mark.parametrize("argv", [("doctor", "-o", "html"), ("doctor", "--for", "aply"), ("permissions", "--for", "x")])
def test_unknown_formats_and_tasks_are_refused(fake: Cli, cli: Cli, argv: tuple[str, ...]) -> None:
    ran = (fake if argv[0] == "doctor" else cli)(*argv)
    assert (ran.code, ran.out, ran.err.startswith("error: ")) == (1, "", True)


def test_a_role_is_printed_as_json_only_with_the_scopes_of_the_file(cli: Cli) -> None:
    ran = cli("permissions", "--for", "create-networks")
    said = json.loads(ran.out)
    assert said["Name"] == "asrnet create-networks"
    assert said["AssignableScopes"] == [f"{GROUPS}/rg-network-sea"]
    assert "az role definition create" in ran.err


def test_the_role_for_applying_explains_delete_and_names_what_else_the_file_needs(cli: Cli) -> None:
    ran = cli("permissions")
    assert DELETE in json.loads(ran.out)["Actions"]
    assert "delete is needed for retargets" in ran.err
    assert "asrnet permissions --for create-networks" in ran.err


def test_a_role_can_be_written_to_a_file(cli: Cli, folder: Path) -> None:
    ran = cli("permissions", "--for", "plan", "--name", "Mapping reader", "--minimal", "--out", "role.json")
    assert (ran.code, ran.out) == (0, "")
    said = json.loads((folder / "role.json").read_text())
    assert said["Name"] == "Mapping reader"
    assert "Microsoft.RecoveryServices/vaults/replicationNetworkMappings/read" not in said["Actions"]
    assert "--role-definition role.json" in ran.err


def test_a_role_for_a_vault_has_the_scopes_of_that_vault_alone(cli: Cli, folder: Path) -> None:
    edit(folder, "vaults:", f"vaults:\n  far: {VAULT.replace('rg-dr', 'rg-far')}")
    said = json.loads(cli("permissions", "--vault", "far").out)
    assert said["AssignableScopes"] == [f"{GROUPS}/rg-far"]


def test_a_role_for_a_missing_vault_is_refused(cli: Cli) -> None:
    ran = cli("permissions", "--vault", "see")
    assert (ran.code, ran.out) == (1, "")
    assert "there is no vault 'see'; did you mean 'sea'?" in ran.err


def test_a_file_that_cannot_be_written_is_an_error(cli: Cli) -> None:
    ran = cli("permissions", "--out", "nowhere/role.json")
    assert (ran.code, "nowhere/role.json" in ran.err) == (1, True)


def test_without_pairs_a_role_for_network_interfaces_is_refused(cli: Cli, folder: Path) -> None:
    (folder / "asrnet.yaml").unlink()
    ran = cli("permissions", "--for", "nics", "--vault", VAULT)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: no pair says in which subscriptions the machines are\nhint: declare the pairs")


def test_a_task_that_the_file_does_not_need_has_no_role(cli: Cli, folder: Path) -> None:
    text = (folder / "asrnet.yaml").read_text()
    (folder / "asrnet.yaml").write_text(text.replace("recovery: copy", "recovery: dr/rg-network-sea/hub-sea"))
    kept = [line for line in (folder / "asrnet.yaml").read_text().splitlines() if "name: app" not in line]
    (folder / "asrnet.yaml").write_text("\n".join(kept))
    assert cli("permissions", "--for", "create-networks").code == 1
