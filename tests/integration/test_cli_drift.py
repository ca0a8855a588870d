"""drift at the command line: kinds, shards, output and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from command_line import EXAMPLES, Cli, edit, snapshot

EA = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-network-ea/providers"
SEA = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-network-sea/providers"
VNET = "Microsoft.Network/virtualNetworks"


@pytest.fixture
def grown(folder: Path) -> Path:
    """The folder of the second example, without the pair that only a person can decide."""
    for file in (EXAMPLES / "02-adopt-and-repair").glob("*.yaml"):
        (folder / file.name).write_bytes(file.read_bytes())
    text = (folder / "asrnet.yaml").read_text()
    (folder / "asrnet.yaml").write_text("".join(line for line in text.splitlines(keepends=True) if "wms" not in line))
    return folder


def live(folder: Path) -> dict[str, str]:
    """The live mappings of the world's file, primary to recovery network."""
    (vault,) = yaml.safe_load((folder / "world.yaml").read_text())["vaults"]
    return {_name(one["primary_network_id"]): _name(one["recovery_network_id"]) for one in vault["mappings"]}


def _name(network_id: str) -> str:
    return network_id.rpartition("/")[2]


def test_unreadable_resources_are_reported_on_standard_error_with_any_output(fake: Cli, folder: Path) -> None:
    denied = "Microsoft.Network/virtualNetworks/read"
    edit(folder, "version: 1", f'version: 1\nbehaviour: {{denied: ["{denied}"]}}', "world.yaml")
    ran = fake("drift", "-o", "json=drift.json")
    assert (ran.code, ran.out, ran.err.startswith("error: ")) == (2, "", True)
    assert denied in ran.err


def test_only_one_kind_is_corrected(fake: Cli, grown: Path) -> None:
    before = live(grown)
    ran = fake("drift", "--correct", "--only", "half_pair")
    assert ran.code == 0
    assert live(grown) == {**before, "web-sea": "web-ea"}
    assert fake("drift", "--only", "half_pair").code == 0
    assert fake("drift").code == 2


def test_an_ignored_kind_is_neither_corrected_nor_counted(fake: Cli, grown: Path) -> None:
    ran = fake("drift", "--correct", "--ignore", "retargeted")
    assert ran.code == 0
    assert live(grown)["app-ea"] == "app-sea-old"
    assert live(grown)["web-sea"] == "web-ea"


@pytest.mark.usefixtures("grown")
def test_kinds_can_be_given_by_the_environment(fake: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASRNET_IGNORE", "retargeted, half_pair")
    assert fake("drift").code == 0


@pytest.mark.parametrize("option", ["--only", "--ignore"])
def test_an_unknown_kind_is_refused_with_the_nearest(fake: Cli, option: str) -> None:
    ran = fake("drift", option, "half_pairs")
    assert (ran.code, ran.out) == (1, "")
    assert f"{option}: found 'half_pairs'" in ran.err
    assert "did you mean 'half_pair'?" in ran.err


def test_each_drift_that_cannot_be_corrected_is_one_line(fake: Cli, folder: Path) -> None:
    edit(folder, "hub-sea}", "hub-gone}")
    ran = fake("drift", "--correct")
    assert ran.code == 2
    assert "warning: drift remains: missing_network: " in ran.err
    assert "hub-gone" in ran.err


def test_a_refusal_writes_the_outputs_and_gives_figures_and_remedy(fake: Cli, grown: Path) -> None:
    edit(grown, "pairs:", "limits: {max_updates: 1}\npairs:")
    world = (grown / "world.yaml").read_bytes()
    ran = fake("drift", "--correct", "-o", "json=report.json", "-o", "text")
    assert ran.code == 3
    assert "error: refused: vault sea: 3 mappings to update, but max_updates is 1 (1 to create, 3 to update" in ran.err
    assert "--force max_updates" in ran.err
    report = json.loads((grown / "report.json").read_text())
    assert report["result"] == "refused"
    assert {change["outcome"] for change in report["changes"]} == {"skipped"}
    assert (grown / "world.yaml").read_bytes() == world


def test_a_retarget_lists_the_machines_that_keep_the_old_network(fake: Cli, grown: Path) -> None:
    nic = f"{{name: nic0, primary_network_id: {EA}/{VNET}/app-ea, recovery_network_id: {SEA}/{VNET}/app-sea-old}}"
    fabrics = "fabric: asr-a2a-default-eastasia, recovery_fabric: asr-a2a-default-southeastasia"
    machine = f"  - {{name: vm-app, {fabrics}, nics: [{nic}]}}"
    edit(grown, "  mappings:", f"  protected_items:\n{machine}\n  mappings:", "world.yaml")
    ran = fake("drift", "--correct")
    assert ran.code == 0
    assert live(grown)["app-ea"] == "app-sea"
    assert "vm-app (nic0) still fails over to app-sea-old" in ran.out


def test_corrections_are_written_to_the_audit(fake: Cli, grown: Path) -> None:
    fake("drift", "--correct", "--only", "retargeted", "--audit", "audit.log")
    actions = [json.loads(line)["action"] for line in (grown / "audit.log").read_text().splitlines()]
    assert sorted(actions) == sorted(["delete", "update", "create"] * 3)


# Shards


@pytest.fixture
def two_vaults(folder: Path) -> Path:
    """The first example with a second vault, which maps nothing yet."""
    edit(folder, "regions:", "  west: dr/rg-dr/vault-west\nregions:")
    networks = "primary: prod/rg-network-ea/hub-ea, recovery: dr/rg-network-sea/hub-sea"
    edit(folder, "rules:", f"- {{name: hub-west, vault: west, {networks}}}\nrules:")
    world = (folder / "world.yaml").read_text()
    start = world.index("- id: ", world.index("vaults:"))
    (folder / "world.yaml").write_text(world + world[start:].replace("vault-sea", "vault-west"))
    return folder


@pytest.mark.usefixtures("two_vaults")
def test_shards_partition_the_vaults(fake: Cli) -> None:
    def vaults(*argv: str) -> set[str]:
        plan = json.loads(fake("plan", "-o", "json", *argv).out)
        return {change["vault"] for change in plan["changes"] if change["kind"] == "network_mapping"}

    first, second = vaults("--shard", "1/2"), vaults("--shard", "2/2")
    assert first | second == vaults() == {"sea", "west"}
    assert not first & second


def test_a_shard_without_vaults_ends_at_once_with_a_message(fake: Cli, two_vaults: Path) -> None:
    before = snapshot(two_vaults)
    ran = fake("drift", "--correct", "--shard", "3/3")
    assert ran.code == 0
    assert "no vault is in shard 3/3" in ran.err
    assert snapshot(two_vaults) == before


@pytest.mark.usefixtures("two_vaults")
def test_schedulers_of_two_shards_correct_everything(fake: Cli) -> None:
    assert fake("drift", "--correct", "--shard", "1/2").code == 0
    assert fake("drift").code == 2
    assert fake("drift", "--correct", "--shard", "2/2").code == 0
    assert fake("drift").code == 0


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1/2/3", ""])
def test_an_invalid_shard_is_refused(fake: Cli, text: str) -> None:
    ran = fake("plan", f"--shard={text}")
    assert (ran.code, "--shard: " in ran.err, ran.out) == (1, True, "")


@pytest.mark.parametrize("argv", [(), ("--correct", "--audit", "audit.jsonl")])
def test_a_wrong_selection_is_reported_before_the_run_begins(fake: Cli, folder: Path, argv: tuple[str, ...]) -> None:
    """So it is in the outputs whose readers expect problems, as in every other command, and no audit is begun."""
    before = snapshot(folder)
    ran = fake("drift", "--vault", "nope", "-o", "github", *argv)
    assert ran.code == 1
    assert ran.out.startswith("::error title=mistake::--vault: there is no vault 'nope'")
    assert snapshot(folder) == before
