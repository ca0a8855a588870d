"""init at the command line: a valid first file that never replaces another."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from command_line import EXAMPLES, Cli, edit, snapshot

from asrnet.desired import load_desired

DR = "22222222-2222-2222-2222-222222222222"
VAULT = f"/subscriptions/{DR}/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-sea"


@pytest.fixture
def empty(folder: Path) -> Path:
    """The folder of a new user: no file yet, and the worlds of two examples beside it."""
    (folder / "asrnet.yaml").unlink()
    shutil.copy(EXAMPLES / "02-adopt-and-repair" / "world.yaml", folder / "grown.yaml")
    return folder


def test_init_writes_an_example_that_is_valid_and_can_be_planned(cli: Cli, empty: Path) -> None:
    ran = cli("init")
    assert (ran.code, ran.err) == (0, "")
    assert cli("validate").out == "asrnet.yaml: valid: 2 pairs and 1 vault\n"
    assert "Plan: create 1 network and 4 mappings" in cli("plan", "--backend", "fake:world.yaml").out
    assert [row.name for row in load_desired(empty / "asrnet.yaml").pairs] == ["hub", "app"]


def test_the_rule_in_the_comments_of_the_example_is_valid_too(cli: Cli, empty: Path) -> None:
    assert cli("init").code == 0
    edit(empty, "# rules:\n# - ", "rules:\n- ")
    assert cli("validate").out == "asrnet.yaml: valid: 2 pairs, 1 rule and 1 vault\n"


def test_init_says_what_to_do_next_in_commands_that_work(cli: Cli, empty: Path) -> None:
    ran = cli("init", "--out", "new one.yaml", "--vault", VAULT, "--backend", "fake:grown.yaml")
    assert ran.out.splitlines()[:3] == ["found 10 live pairs in 1 vault", "new one.yaml: written", "next:"]
    commands = [f"asrnet {line.partition('asrnet ')[2]}" for line in ran.out.splitlines() if " asrnet " in line]
    assert commands == [
        "asrnet validate -f 'new one.yaml'",
        "asrnet plan -f 'new one.yaml' --backend fake:grown.yaml",
    ]
    assert [cli(*shlex.split(command)[1:]).code for command in commands] == [0, 0]
    assert (empty / "new one.yaml").exists()


def test_init_leaves_out_of_the_next_commands_what_a_variable_says(
    cli: Cli, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASRNET_BACKEND", "fake:grown.yaml")
    assert "apply would do: asrnet plan\n" in cli("init", "--vault", VAULT).out
    (empty / "other.env").write_text("ASRNET_BACKEND=fake:grown.yaml\n", "utf-8")
    monkeypatch.delenv("ASRNET_BACKEND")
    ran = cli("init", "--vault", VAULT, "--out", "b.yaml", "--env-file", "other.env")
    assert "apply would do: asrnet plan -f b.yaml --backend fake:grown.yaml\n" in ran.out


def test_init_declares_the_live_mappings_so_that_only_half_pairs_are_left_to_plan(cli: Cli, empty: Path) -> None:
    assert cli("init", "--vault", VAULT, "--backend", "fake:grown.yaml").code == 0
    assert cli("validate").code == 0
    assert "Plan: create 3 mappings;" in cli("plan", "--backend", "fake:grown.yaml").out
    text = (empty / "asrnet.yaml").read_text("utf-8")
    assert f"subscriptions: {{dr: {DR}, prod: 11111111-1111-1111-1111-111111111111}}\n" in text
    assert "primary: prod/rg-network-ea/hub-ea, recovery: dr/rg-network-sea/hub-sea}" in text
    assert "\n# A row for each pair of networks. asrnet maps both directions.\npairs:\n" in text


def test_init_says_in_the_file_and_on_standard_error_what_it_left_out(cli: Cli, empty: Path) -> None:
    ran = cli("init", "--vault", VAULT, "--backend", "fake:grown.yaml")
    assert "warning: left out: mapping wms-2019 of wms-ea to wms-sea: one of several mappings" in ran.err
    assert "\n# left out: mapping wms-2019 of wms-ea" in (empty / "asrnet.yaml").read_text("utf-8")


def test_init_from_a_vault_without_mappings_writes_the_example_for_that_vault(cli: Cli, empty: Path) -> None:
    ran = cli("init", "--vault", VAULT, "--backend", "fake:world.yaml")
    nothing = "1 vault has no mapping to write down: the pairs of the file are invented, for you to edit"
    assert ran.out.startswith(f"{nothing}\nasrnet.yaml: written\nnext:\n  1. replace the ")
    desired = load_desired(empty / "asrnet.yaml")
    assert [(vault.name, str(vault.id)) for vault in desired.vaults] == [("vault-sea", VAULT)]
    assert cli("plan", "--backend", "fake:world.yaml").code == 0


def test_init_shows_how_machines_follow_where_the_vault_has_some(cli: Cli, empty: Path) -> None:
    shutil.copy(EXAMPLES / "07-machines-follow" / "world.yaml", empty / "machines.yaml")
    assert cli("init", "--vault", VAULT, "--backend", "fake:machines.yaml").code == 0
    text = (empty / "asrnet.yaml").read_text("utf-8")
    assert "# Protected machines: 18." in text
    edit(empty, "# machines: follow", "machines: follow")
    assert load_desired(empty / "asrnet.yaml").machines == "follow"
    assert cli("init", "--out", "other.yaml", "--vault", VAULT, "--backend", "fake:world.yaml").code == 0
    assert "machines: follow" not in (empty / "other.yaml").read_text("utf-8")


@pytest.mark.parametrize("argv", [(), ("--vault", VAULT, "--backend", "fake:world.yaml")])
def test_init_replaces_no_file(cli: Cli, folder: Path, argv: tuple[str, ...]) -> None:
    before = snapshot(folder)
    ran = cli("init", *argv)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "error: asrnet.yaml exists, and init replaces nothing\nhint: edit it, or give another file with --out\n"
    )
    assert snapshot(folder) == before


def test_init_replaces_no_link_and_no_folder(cli: Cli, empty: Path) -> None:
    (empty / "link.yaml").symlink_to("nowhere.yaml")
    for path in ("link.yaml", "."):
        ran = cli("init", "--out", path)
        assert (ran.code, ran.err.startswith(f"error: --out: {path} exists")) == (1, True)
    assert not (empty / "nowhere.yaml").exists()


def test_init_replaces_no_file_that_appears_while_it_reads(
    cli: Cli, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> tuple[str, ...]:
        (empty / "asrnet.yaml").write_text("somebody else's", "utf-8")
        return ()

    monkeypatch.setattr("asrnet.inventory.read.Inventory.unread", busy)
    ran = cli("init", "--vault", VAULT, "--backend", "fake:grown.yaml")
    assert (ran.code, "asrnet.yaml exists" in ran.err) == (1, True)
    assert (empty / "asrnet.yaml").read_text("utf-8") == "somebody else's"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--vault", "sea"], "error: --vault: 'sea' is a name, expected the full id of a vault"),
        (["--vault", f"{VAULT}-x"], "vaults/vault-sea-x' under resource group 'rg-dr' was not found"),
        (["--out", "nowhere/asrnet.yaml"], "error: nowhere/asrnet.yaml: cannot be written"),
        (["--pair", "hub"], "error: init has no option --pair"),
        (["-f", "other.yaml"], "error: init has no option -f"),
    ],
)
def test_init_that_fails_writes_nothing(cli: Cli, empty: Path, argv: list[str], words: str) -> None:
    before = snapshot(empty)
    ran = cli("init", *argv, "--backend", "fake:world.yaml")
    assert (ran.code, words in ran.err) == (1, True), ran.err
    assert snapshot(empty) == before


def test_a_vault_that_cannot_be_read_beside_one_that_can_leaves_no_file(cli: Cli, empty: Path) -> None:
    ran = cli("init", "--vault", VAULT, "--vault", f"{VAULT}-x", "--backend", "fake:grown.yaml")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: could not be read: vault vault-sea-x: ")
    assert not (empty / "asrnet.yaml").exists()


def test_two_vaults_of_one_name_get_different_names(cli: Cli, empty: Path) -> None:
    other = VAULT.replace("rg-dr", "rg-other")
    with (empty / "world.yaml").open("a", encoding="utf-8") as world:
        world.write(f"- {{id: {other}, location: southeastasia}}\n")
    ran = cli("init", "--vault", VAULT, "--vault", other, "--backend", "fake:world.yaml")
    assert ran.code == 0, ran.err
    assert [vault.name for vault in load_desired(empty / "asrnet.yaml").vaults] == ["vault-sea", "vault-sea-rg-other"]


@pytest.mark.parametrize("world", ["world.yaml", "grown.yaml"])
def test_the_file_names_the_cloud_that_the_vault_was_read_in(
    cli: Cli, empty: Path, monkeypatch: pytest.MonkeyPatch, world: str
) -> None:
    monkeypatch.setenv("ARM_ENVIRONMENT", "AzureChinaCloud")
    assert cli("init", "--vault", VAULT, "--backend", f"fake:{world}").code == 0
    assert load_desired(empty / "asrnet.yaml").cloud == "china"


LIST = f"az resource list --subscription {DR} --resource-type Microsoft.RecoveryServices/vaults --query '[].id' -o tsv"


@pytest.mark.parametrize("wrong", [VAULT.removesuffix("a"), VAULT.replace("rg-dr", "rg-gone")])
@pytest.mark.parametrize("beside", [(), ("--vault", VAULT)], ids=["alone", "beside another"])
def test_a_missing_vault_is_reported_with_the_command_that_lists_vaults(
    cli: Cli, empty: Path, wrong: str, beside: tuple[str, ...]
) -> None:
    before = snapshot(empty)
    ran = cli("init", *beside, "--vault", wrong, "--backend", "fake:grown.yaml")
    assert (ran.code, ran.err.splitlines()[-1]) == (1, f"hint: this lists the vaults that you may see: {LIST}")
    assert snapshot(empty) == before


@pytest.mark.usefixtures("empty")
def test_show_reports_a_missing_vault_in_the_same_way(cli: Cli) -> None:
    ran = cli("show", "--vault", VAULT.removesuffix("a"), "--backend", "fake:grown.yaml")
    assert (ran.code, ran.err.splitlines()[-1]) == (1, f"hint: this lists the vaults that you may see: {LIST}")


@pytest.mark.usefixtures("empty")
def test_a_vault_given_by_its_name_is_refused_with_the_command_that_prints_its_id(cli: Cli) -> None:
    ran = cli("init", "--vault", "vault sea", "--backend", "fake:grown.yaml")
    kind = "Microsoft.RecoveryServices/vaults"
    assert ran.err == (
        "error: --vault: 'vault sea' is a name, expected the full id of a vault\n"
        f"hint: this prints its id: az resource list --resource-type {kind} --name 'vault sea' --query '[].id' -o tsv\n"
    )


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("argv", [("init", "--out", "\x1b[31m.yaml"), ("demo", "--out", "\x1b[31m")])
def test_no_control_character_of_a_path_reaches_the_terminal(cli: Cli, argv: tuple[str, ...]) -> None:
    ran = cli(*argv)
    assert (ran.code, "\x1b" in ran.out, "\\x1b[31m" in ran.out) == (0, False, True)
