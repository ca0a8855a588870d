"""map, show, dump, validate and schema at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import EXAMPLES, Cli, edit, snapshot

PROD, DR = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
VAULT = f"/subscriptions/{DR}/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-sea"


def vnet(name: str) -> str:
    subscription, group = (PROD, "rg-network-ea") if name.endswith("-ea") else (DR, "rg-network-sea")
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}"


def live(fake: Cli) -> dict[str, tuple[str, str]]:
    pairs = json.loads(fake("show", "-o", "json").out)["pairs"]
    return {
        pair["primary_network_id"].rpartition("/")[2]: (
            pair["recovery_network_id"].rpartition("/")[2],
            pair["status"],
        )
        for pair in pairs
    }


def grown(folder: Path) -> None:
    for file in (EXAMPLES / "02-adopt-and-repair").glob("*.yaml"):
        (folder / file.name).write_bytes(file.read_bytes())


def test_map_takes_the_chosen_network_and_maps_both_directions(fake: Cli, folder: Path) -> None:
    (folder / "asrnet.yaml").unlink()
    ran = fake("map", vnet("hub-ea"), "--vault", VAULT, "--to", "Southeast Asia", "--recovery", vnet("hub-sea"), "-y")
    assert ran.code == 0
    (folder / "asrnet.yaml").write_bytes((EXAMPLES / "01-two-regions" / "asrnet.yaml").read_bytes())
    assert live(fake) == {"hub-ea": ("hub-sea", "paired")}


def test_map_makes_a_copy_where_nothing_is_chosen(fake: Cli) -> None:
    assert fake("map", "prod/rg-network-ea/app-ea", "--vault", "sea", "--to", "southeastasia", "-y").code == 0
    assert live(fake) == {"app-ea": ("app-ea-asr", "paired")}


def test_map_leaves_an_existing_mapping_unchanged_and_prints_its_target(fake: Cli, folder: Path) -> None:
    fake("apply", "--yes")
    before = snapshot(folder)
    ran = fake("map", "prod/rg-network-ea/hub-ea", "--vault", "sea", "--to", "southeastasia", "-y")
    assert ran.code == 0
    assert "hub-ea (eastasia)  <->  hub-sea (southeastasia)" in ran.out
    assert snapshot(folder) == before


def test_map_refuses_another_network_until_told_to_retarget(fake: Cli) -> None:
    fake("apply", "--yes", "--pair", "hub", "--pair", "app")
    to_copy = ("--vault", "sea", "--to", "southeastasia", "--recovery", "dr/rg-network-sea/app-ea-asr", "-y")
    ran = fake("map", "prod/rg-network-ea/hub-ea", *to_copy)
    assert (ran.code, "--retarget" in ran.err) == (3, True)
    assert fake("map", "prod/rg-network-ea/hub-ea", *to_copy, "--retarget").code == 0
    assert live(fake)["hub-ea"][0] == "app-ea-asr"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "southeastasia"], "exactly one vault, but none is named"),
        (["--vault", "sea"], "--to"),
        (["--vault", vnet("hub-ea"), "--to", "southeastasia"], "the id of a virtual network"),
        (["--vault", "sea", "--to", "eastasia"], "is in eastasia itself"),
        (["--vault", "see", "--to", "southeastasia"], "no vault 'see'; did you mean 'sea'?\nhint: known vaults: sea"),
        (["--vault", "sea", "--to", "mars"], "Azure has no region 'mars'"),
        (["--vault", "sea", "--to", "south-east/asia"], "expected a region of Azure"),
    ],
)
def test_map_names_its_missing_arguments(fake: Cli, arguments: list[str], words: str) -> None:
    ran = fake("map", "prod/rg-network-ea/hub-ea", *arguments, "-y")
    assert (ran.code, words in ran.err, "Traceback" in ran.err) == (1, True, False)


def test_map_prints_the_vault_by_its_name_in_the_file(fake: Cli) -> None:
    ran = fake("map", "prod/rg-network-ea/hub-ea", "--vault", "sea", "--to", "southeastasia", "-y")
    assert (ran.code, "Vault sea\n" in ran.out, "Vault vault-sea" in ran.out) == (0, True, False)


def test_map_without_a_file_says_which_option_needs_a_full_id(fake: Cli, folder: Path) -> None:
    (folder / "asrnet.yaml").unlink()
    ran = fake("map", vnet("hub-ea"), "--vault", "sea", "--to", "southeastasia", "-y")
    assert (ran.code, ran.err.splitlines()[0].startswith("error: --vault: found 'sea', expected")) == (1, True)
    assert "without a desired-state file, give the vault and the networks by their full ids" in ran.err


def test_permissions_on_the_terminal_says_to_save_the_role_first(cli: Cli, folder: Path) -> None:  # noqa: ARG001 - its files
    printed = cli("permissions", "--for", "plan")
    assert "save it with --out role.json, and create it with: az role definition create" in printed.err
    saved = cli("permissions", "--for", "plan", "--out", "mine.json")
    assert "save it with" not in saved.err
    assert "create it with: az role definition create --role-definition mine.json" in saved.err


def test_permissions_does_not_replace_the_world_in_use_although_it_reads_none(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASRNET_BACKEND", "fake:world.yaml")
    before = snapshot(folder)
    ran = cli("permissions", "--out", "world.yaml")
    assert ran.err.startswith("error: --out: world.yaml is the world, which this would overwrite\n")
    assert (ran.code, snapshot(folder) == before) == (1, True)


def test_show_lists_pairs_in_the_order_of_the_file(fake: Cli) -> None:
    fake("apply", "--yes")
    assert [pair["pair"] for pair in json.loads(fake("show", "-o", "json").out)["pairs"]] == [
        "hub",
        "app",
        "tagged/crm-ea",
    ]


def test_a_dumped_world_keeps_the_names_of_subscriptions(fake: Cli, folder: Path) -> None:
    named = "- {{id: {}, name: {}}}"
    fake("apply", "--yes")
    assert named.format(DR, "dr") in fake("dump", "--format", "world").out
    (folder / "asrnet.yaml").unlink()
    edit(folder, "name: dr}", "name: Disaster Recovery}", "world.yaml")
    assert named.format(DR, "Disaster Recovery") in fake("dump", "--format", "world", "--vault", VAULT).out


def test_map_names_a_missing_network(fake: Cli) -> None:
    ran = fake("map", "prod/rg-network-ea/nope-ea", "--vault", "sea", "--to", "southeastasia", "-y")
    assert (ran.code, "nope-ea does not exist" in ran.err) == (1, True)


def test_show_is_a_table_of_pairs_with_the_names_they_are_declared_by(fake: Cli) -> None:
    fake("apply", "--yes")
    lines = [" ".join(line.split()) for line in fake("show").out.splitlines()]
    assert lines[0] == "Vault sea (southeastasia)"
    assert "= hub hub-ea (eastasia) <-> hub-sea (southeastasia) paired" in lines
    assert lines[-1] == "6 mappings, 3 pairs."


def test_show_needs_no_file_where_the_vault_is_given_by_id(fake: Cli, folder: Path) -> None:
    fake("apply", "--yes")
    (folder / "asrnet.yaml").unlink()
    ran = fake("show", "--vault", VAULT)
    assert ran.code == 0
    assert "6 mappings, 3 pairs." in ran.out


def test_show_draws_a_diagram(fake: Cli, folder: Path) -> None:
    grown(folder)
    lines = fake("show", "-o", "mermaid").out.splitlines()
    assert lines[0] == "flowchart LR"
    node = {line.split('"')[1]: line.split("[")[0].strip() for line in lines if '["' in line and "subgraph" not in line}
    assert f'  {node["hub-ea"]} <-->|"hub"| {node["hub-sea"]}' in lines
    assert f'  {node["web-ea"]} -.->|"web"| {node["web-sea"]}' in lines
    assert f'  {node["branch-south-ea"]} -->|"south"| {node["branch-sea"]}' in lines


def test_show_selects_a_pair(fake: Cli) -> None:
    fake("apply", "--yes")
    assert fake("show", "--pair", "hub").out.count("<->") == 1


def test_a_dumped_state_plans_only_the_missing_halves(fake: Cli, folder: Path) -> None:
    grown(folder)
    ran = fake("dump", "--out", "dumped.yaml")
    assert ran.code == 0
    assert (folder / "dumped.yaml").read_text().count("# half: ") == 3
    # The third half pair is managed by Terraform, so the dump leaves it alone.
    assert "Plan: create 2 mappings;" in fake("plan", "-f", "dumped.yaml").out


def test_a_state_dumped_with_halves_accepted_plans_no_changes(fake: Cli, folder: Path) -> None:
    grown(folder)
    ran = fake("dump", "--accept-halves", "--out", "dumped.yaml")
    assert ran.code == 0
    assert ran.err.count("left out:") == 2  # the duplicate
    assert fake("plan", "-f", "dumped.yaml", "--detailed-exitcode").code == 0
    assert fake("plan", "-f", "dumped.yaml").out.splitlines()[-1] == "Nothing to do: 16 mappings in sync, 2 unmanaged."


@pytest.mark.parametrize("kind", ["asrnet", "world", "terraform"])
def test_a_dump_does_not_replace_the_desired_state(fake: Cli, folder: Path, kind: str) -> None:
    before = snapshot(folder)
    ran = fake("dump", "--format", kind, "--out", "./asrnet.yaml")
    assert (ran.code, ran.out, snapshot(folder)) == (1, "", before)
    assert "--out: ./asrnet.yaml is the desired state, which this would overwrite" in ran.err


def test_dump_needs_no_file_where_the_vault_is_given_by_id(fake: Cli, folder: Path) -> None:
    fake("apply", "--yes")
    (folder / "asrnet.yaml").unlink()
    ran = fake("dump", "--vault", VAULT)
    (folder / "dumped.yaml").write_text(ran.out)
    assert fake("plan", "-f", "dumped.yaml", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("example", ["01-two-regions", "02-adopt-and-repair"])
def test_a_dumped_world_plans_the_same_offline(fake: Cli, cli: Cli, folder: Path, example: str) -> None:
    for file in (EXAMPLES / example).glob("*.yaml"):
        (folder / file.name).write_bytes(file.read_bytes())
    assert fake("dump", "--format", "world", "--out", "yesterday.yaml").code == 0
    assert cli("plan", "-o", "json", "--backend", "fake:yesterday.yaml").out == fake("plan", "-o", "json").out


def test_a_dumped_world_knows_the_groups_in_which_networks_are_to_be_made(fake: Cli, cli: Cli, folder: Path) -> None:
    edit(folder, "resource_group: rg-network-sea}", "resource_group: rg-still-empty}")
    group = f"/subscriptions/{DR}/resourceGroups/rg-still-empty"
    edit(folder, "virtual_networks:", f"resource_groups: [{{id: {group}}}]\nvirtual_networks:", "world.yaml")
    fake("dump", "--format", "world", "--out", "yesterday.yaml")
    assert json.loads(cli("plan", "-o", "json", "--backend", "fake:yesterday.yaml").out)["summary"]["create"] == 6


def test_a_world_dumped_without_a_file_has_the_networks_of_the_mappings(fake: Cli, cli: Cli, folder: Path) -> None:
    fake("apply", "--yes")
    desired = (folder / "asrnet.yaml").read_bytes()
    (folder / "asrnet.yaml").unlink()
    fake("dump", "--format", "world", "--vault", VAULT, "--out", "yesterday.yaml")
    (folder / "asrnet.yaml").write_bytes(desired)
    assert cli("plan", "--detailed-exitcode", "--backend", "fake:yesterday.yaml").code == 0


def test_validate_counts_the_declarations_of_a_file(cli: Cli) -> None:
    assert cli("validate").out == "asrnet.yaml: valid: 2 pairs, 1 rule and 1 vault\n"
    assert (
        cli("validate", "--world", "world.yaml").out
        == "world.yaml: valid: 5 virtual networks, 1 vault and 0 mappings\n"
    )


def test_validate_says_where_a_file_is_wrong(cli: Cli, folder: Path) -> None:
    edit(folder, "version: 1", "version: 2")
    ran = cli("validate", "asrnet.yaml")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: asrnet.yaml:2: version: ")


def test_schema_prints_json_schema(cli: Cli) -> None:
    assert json.loads(cli("schema").out)["title"] == "asrnet desired"
    assert json.loads(cli("schema", "world").out)["title"] == "asrnet world"
    assert cli("schema", "wordl").code == 1
