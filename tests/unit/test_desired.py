"""The desired-state files: their meaning, singly and as a folder."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import yaml
from desired_files import BASE, DR, HUB, PROD, load, refusal_of_folder, vault, vnet, without_sources

from asrnet import desired
from asrnet.desired import CopySettings, Ignore, Match, Row, Source, Vault, VmNetworkName
from asrnet.model.limits import Limits


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Contents of a file


def test_rows_name_networks_by_alias_or_in_full() -> None:
    full = vnet(DR, "rg-hub", "hub-sea")
    state = load(BASE + f"pairs: [{{name: hub, vault: sea, primary: prod/rg-hub/hub-ea, recovery: {full}}}]")
    assert state.pairs == (
        Row(
            name="hub",
            vault="sea",
            primary=vnet(PROD, "rg-hub", "hub-ea"),
            recovery=full,
            source=Source(file="f.yaml", line=5, column=9, path="pairs[0]"),
        ),
    )
    assert state.vaults == (
        Vault(
            name="sea",
            id=vault(DR, "rg-dr", "vault-sea"),
            source=Source(file="f.yaml", line=3, column=10, path="vaults.sea"),
        ),
    )
    assert state.subscriptions == {"prod": PROD, "dr": DR}
    assert state.cloud == "public"


def test_a_row_may_ask_for_a_copy_leave_the_reverse_to_others_and_belong_to_another_tool() -> None:
    state = load(
        BASE + "pairs:\n- {name: a, vault: sea, primary: prod/rg/a1, recovery: copy}\n"
        "- {name: b, vault: sea, primary: prod/rg/b1, recovery: dr/rg/x1, failback: none, managed_by: terraform}\n"
    )
    first, second = state.pairs
    assert (first.recovery, first.failback, first.managed_by) == (None, True, None)
    assert (second.failback, second.managed_by) == (False, "terraform")


def test_a_vault_may_have_options() -> None:
    state = load(BASE.replace("dr/rg-dr/vault-sea", "{id: dr/g/v1, unmanaged: delete, create_fabrics: true}") + HUB)
    assert (state.vaults[0].id, state.vaults[0].unmanaged, state.vaults[0].create_fabrics) == (
        vault(DR, "g", "v1"),
        "delete",
        True,
    )


def test_regions_are_short_names_and_say_how_copies_are_made() -> None:
    copy = '{subscription: dr, resource_group: dr, name: "x-{name}", dns: [10.0.0.4, "fd00::4"]}'
    text = BASE.replace("regions: [{primary: eastasia", f"regions: [{{copy: {copy}, primary: East Asia")
    settings_ = CopySettings(subscription=DR, resource_group="dr", name="x-{name}", dns=("10.0.0.4", "fd00::4"))
    region = load(text + HUB).regions[0]
    assert (region.primary, region.recovery, region.copy) == ("eastasia", "southeastasia", settings_)


def test_a_rule_matches_by_globs_and_maps_to_copies_or_by_a_template() -> None:
    state = load(
        BASE + "rules:\n"
        "- {name: a, vault: sea, match: {subscription: prod, resource_group: rg-*, tags: {dr: yes}}, recovery: copy}\n"
        '- {name: b, vault: sea, match: {name: "*-prod"}, recovery: "dr/{resource_group}-dr/{name}"}\n'
    )
    assert state.rules[0].match == Match(subscription=PROD, resource_group="rg-*", tags={"dr": "yes"})
    assert state.rules[0].recovery is None
    assert state.rules[1].recovery == (
        f"/subscriptions/{DR}/resourceGroups/{{resource_group}}-dr/providers/Microsoft.Network/virtualNetworks/{{name}}"
    )


def test_vm_networks_are_named_by_server_and_azure_by_alias_or_id() -> None:
    azure = vnet(DR, "rg", "hub-sea")
    state = load(
        BASE + "vmm_pairs:\n- {name: v1, vault: sea, primary: vmm-b/net 1, recovery: vmm-s/net 1}\n"
        f"- {{name: v2, vault: sea, primary: vmm-b/n2, recovery: dr/rg/hub-sea}}\n"
        f"- {{name: v3, vault: sea, primary: vmm-b/n3, recovery: {azure}}}\n"
        "- {name: v4, vault: sea, primary: vmm-b/n4, recovery: vmm-b/n5, managed_by: scvmm}\n"
    )
    assert state.vmm_pairs[0].primary == VmNetworkName(server="vmm-b", network="net 1")
    assert [row.recovery for row in state.vmm_pairs[1:]] == [azure, azure, VmNetworkName(server="vmm-b", network="n5")]


def test_all_other_settings_are_read() -> None:
    state = load(
        BASE.replace("version: 1", "version: 1\ncloud: china")
        + HUB
        + "ignore: [{name: x-*, reason: old, until: 2027-03-31}]\n"
        "freeze: [{vault: sea, until: 2026-12-01, reason: exercise}]\ntopology: sub/t.yaml\nlimits: {max_updates: 3}\n"
    )
    assert state.cloud == "china"
    assert state.ignore[0] == Ignore(name="x-*", reason="old", until=date(2027, 3, 31))
    assert (state.freeze[0].vault, state.freeze[0].until) == ("sea", date(2026, 12, 1))
    assert state.limits == Limits(max_updates=3)
    assert state.topology == str(Path("sub/t.yaml"))


def test_settings_of_copies_are_read_with_ids_for_aliases() -> None:
    copy = (
        "copy: {subscription: dr, resource_group: rg-dr, name: '{name}-{recovery_region}', "
        "create_resource_group: true, network_security_group: 'dr/rg-dr/nsg-{subnet}', route_table: none, "
        "skip_subnets: [RouteServerSubnet], private_subnets: true, add_subnets: true}"
    )
    text = BASE.replace("recovery: southeastasia", f"recovery: southeastasia, {copy}") + HUB
    settings = load(text).regions[0].copy
    assert settings.network_security_group == str(vnet(DR, "rg-dr", "x")).replace(
        "virtualNetworks/x", "networkSecurityGroups/nsg-{subnet}"
    )
    assert (settings.route_table, settings.skip_subnets) == (None, ("RouteServerSubnet",))
    assert (settings.private_subnets, settings.create_resource_group, settings.add_subnets) == (True, True, True)
    assert without_sources(load(desired.dump_desired(load(text)))) == without_sources(load(text))


@pytest.mark.parametrize(("written", "read"), [("copy", "copy"), ("true", True), ("false", False)])
def test_private_subnets_are_copied_or_forced_either_way(written: str, read: object) -> None:
    text = BASE.replace("recovery: southeastasia", f"recovery: southeastasia, copy: {{private_subnets: {written}}}")
    assert load(text + HUB).regions[0].copy.private_subnets == read


def test_the_recovery_region_of_rows_and_rules_is_read() -> None:
    state = load(
        BASE
        + "pairs:\n- {name: hub, vault: sea, primary: prod/rg/hub-ea, recovery: copy, to: southeastasia}\n"
        + "rules:\n- {name: all, vault: sea, recovery: copy, to: Southeast Asia}\n"
    )
    assert (state.pairs[0].to, state.rules[0].to) == ("southeastasia", "Southeast Asia")
    assert without_sources(load(desired.dump_desired(state))) == without_sources(state)


def test_a_topology_is_found_from_the_file_that_names_it(here: Path) -> None:
    (here / "team").mkdir()
    (here / "team" / "asrnet.yaml").write_text(BASE + HUB + "topology: t.yaml", encoding="utf-8")
    assert desired.load_desired("team/asrnet.yaml").topology == str(Path("team/t.yaml"))


def test_json_says_the_same_as_yaml() -> None:
    plain = yaml.safe_load(BASE + HUB)
    assert without_sources(load(json.dumps(plain, indent=1), "f.json")) == without_sources(load(BASE + HUB))


# Folders


def test_a_folder_is_merged_in_the_order_of_names(here: Path) -> None:
    (here / "b.yml").write_text("version: 1\n" + HUB, encoding="utf-8")
    (here / "a.yaml").write_text(BASE + "topology: vmm.yaml\n", encoding="utf-8")
    (here / "c.json").write_text(json.dumps({"subscriptions": {"prod": PROD}, "cloud": "public"}), encoding="utf-8")
    (here / "vmm.yaml").write_text("clouds: []", encoding="utf-8")  # a topology, not a desired state
    (here / "README.md").write_text("no desired state", encoding="utf-8")
    state = desired.load_desired(here)
    assert [row.source for row in state.pairs] == [Source(file=str(here / "b.yml"), line=3, column=3, path="pairs[0]")]
    assert state.vaults[0].source == Source(file=str(here / "a.yaml"), line=3, column=10, path="vaults.sea")


def test_an_empty_folder_says_what_it_lacks() -> None:
    assert (
        refusal_of_folder() == "folder: the folder holds no desired state, expected files named *.yaml, *.yml, *.json"
    )


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (BASE, f"subscriptions: {{prod: {DR}}}", "b.yaml:1: subscriptions.prod: the alias stands for another "),
        (BASE + "cloud: public", "cloud: china", "b.yaml:1: cloud: the files disagree, first at folder/a.yaml:5"),
        (BASE + "limits: {}", "limits: {}", "b.yaml:1: limits: given twice, first at folder/a.yaml:5"),
        (BASE + "topology: t", "topology: t", "b.yaml:1: topology: given twice, first at folder/a.yaml:5"),
        (BASE + HUB, HUB, "b.yaml:2: the name 'hub' is already taken at folder/a.yaml:6"),
        (
            BASE,
            "vaults: {sea: dr/rg-dr/vault-sea}",
            "b.yaml:1: vaults.sea: the vault is declared twice, first at folder/a",
        ),
        (
            BASE + HUB,
            HUB.replace("hub,", "hub2,"),
            "b.yaml:2: pairs 'hub' and 'hub2' map the same networks; the first is at folder/a",
        ),
        (BASE, "pears: []", "b.yaml:1: pears: unknown key; did you mean 'pairs'?"),
    ],
)
def test_files_of_a_folder_may_not_contradict_each_other(a: str, b: str, message: str) -> None:
    assert refusal_of_folder(a=a, b=b).startswith(f"folder/{message}")


# Machines and tests


def test_machines_and_test_networks_can_be_set_in_the_file_in_regions_in_rows_and_in_rules() -> None:
    state = load(
        BASE.replace("recovery: southeastasia}", "recovery: southeastasia, test: dr/rg/bubble}")
        + "machines: follow\nrelease_addresses: true\n"
        + "pairs:\n"
        + "- {name: a, vault: sea, primary: prod/rg/a1, recovery: copy, machines: report, release_addresses: false}\n"
        + "- {name: b, vault: sea, primary: prod/rg/b1, recovery: copy, test: none}\n"
        + "- {name: c, vault: sea, primary: prod/rg/c1, recovery: copy, test: dr/rg/c1-test}\n"
        + 'rules: [{name: r, vault: sea, recovery: copy, test: "dr/rg/{name}-test"}]\n'
        + "ignore: [{machine: sql-*, reason: clustered}]\n"
    )
    assert (state.machines, state.release_addresses) == ("follow", True)
    assert state.regions[0].test == vnet(DR, "rg", "bubble")
    assert [(row.machines, row.release_addresses, row.test) for row in state.pairs] == [
        ("report", False, None),
        (None, None, "none"),
        (None, None, vnet(DR, "rg", "c1-test")),
    ]
    assert state.rules[0].test == str(vnet(DR, "rg", "{name}-test"))
    assert state.ignore == (Ignore(machine="sql-*", reason="clustered"),)


def test_machines_are_only_reported_by_default() -> None:
    state = load(BASE + HUB)
    assert (state.machines, state.release_addresses, state.limits.max_machines) == ("report", False, 20)


def test_files_of_a_folder_must_agree_on_machines() -> None:
    assert "b.yaml:1: machines: the files disagree, first at folder/a.yaml" in refusal_of_folder(
        a=BASE + HUB + "machines: follow\n", b="machines: report\n"
    )
