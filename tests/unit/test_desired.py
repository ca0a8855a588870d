"""The desired state's files: what they mean, and that every mistake is named with its place."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs

from asrnet import desired
from asrnet.changes import Limits
from asrnet.desired import (
    CopySettings,
    DesiredState,
    Freeze,
    Ignore,
    Match,
    Region,
    Row,
    Rule,
    Source,
    Vault,
    VmmRow,
    VmNetworkName,
)
from asrnet.errors import DocumentError
from asrnet.ids import ArmId

PROD = "11111111-1111-1111-1111-111111111111"
DR = "22222222-2222-2222-2222-222222222222"

BASE = f"""\
version: 1
subscriptions: {{prod: {PROD}, dr: {DR}}}
vaults: {{sea: dr/rg-dr/vault-sea}}
regions: [{{primary: eastasia, recovery: southeastasia}}]
"""
HUB = "pairs:\n- {name: hub, vault: sea, primary: prod/rg/hub-ea, recovery: dr/rg/hub-sea}\n"


def vnet(subscription: str, group: str, name: str) -> ArmId:
    return ArmId(
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}"
    )


def vault(subscription: str, group: str, name: str) -> ArmId:
    return ArmId(
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{name}"
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str, name: str = "f.yaml") -> DesiredState:
    Path(name).write_text(text, encoding="utf-8")
    return desired.load(name)


def refusal(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        load(text)
    return str(caught.value)


def refusal_of_folder(**files: str) -> str:
    folder = Path("folder")
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        desired.load(folder)
    return str(caught.value)


pytestmark = pytest.mark.usefixtures("here")


# What a file means


def test_rows_name_networks_by_alias_or_in_full() -> None:
    full = vnet(DR, "rg-hub", "hub-sea")
    state = load(BASE + f"pairs: [{{name: hub, vault: sea, primary: prod/rg-hub/hub-ea, recovery: {full}}}]")
    assert state.pairs == (
        Row(
            name="hub",
            vault="sea",
            primary=vnet(PROD, "rg-hub", "hub-ea"),
            recovery=full,
            source=Source(file="f.yaml", line=5),
        ),
    )
    assert state.vaults == (
        Vault(name="sea", id=vault(DR, "rg-dr", "vault-sea"), source=Source(file="f.yaml", line=3)),
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


def test_everything_else_is_taken_over() -> None:
    state = load(
        BASE.replace("version: 1", "version: 1\ncloud: china")
        + HUB
        + "ignore: [{name: x-*, reason: old, until: 2027-03-31}]\n"
        "freeze: [{vault: sea, until: 2026-12-01, reason: exercise}]\ntopology: sub/t.yaml\nlimits: {max_updates: 3}\n"
    )
    assert state.cloud == "china"
    assert state.ignore[0] == Ignore(
        name="x-*", reason="old", until=date(2027, 3, 31), source=Source(file="f.yaml", line=8)
    )
    assert (state.freeze[0].vault, state.freeze[0].until) == ("sea", date(2026, 12, 1))
    assert state.limits == Limits(max_updates=3)
    assert state.topology == str(Path("sub/t.yaml"))


def test_a_topology_is_found_from_the_file_that_names_it(here: Path) -> None:
    (here / "team").mkdir()
    (here / "team" / "asrnet.yaml").write_text(BASE + HUB + "topology: t.yaml", encoding="utf-8")
    assert desired.load("team/asrnet.yaml").topology == str(Path("team/t.yaml"))


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
    state = desired.load(here)
    assert [row.source for row in state.pairs] == [Source(file=str(here / "b.yml"), line=3)]
    assert state.vaults[0].source == Source(file=str(here / "a.yaml"), line=3)


def test_an_empty_folder_says_what_it_lacks() -> None:
    assert (
        refusal_of_folder() == "folder: the folder holds no desired state, expected files named *.yaml, *.yml, *.json"
    )


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (BASE, f"subscriptions: {{prod: {DR}}}", "b.yaml:1: subscriptions.prod: the alias stands for another "),
        (BASE + "cloud: public", "cloud: china", "b.yaml:1: cloud: the files disagree, first at folder/a.yaml:5"),
        (BASE + "limits: {}", "limits: {}", "b.yaml:1: limits: said twice, first at folder/a.yaml:5"),
        (BASE + "topology: t", "topology: t", "b.yaml:1: topology: said twice, first at folder/a.yaml:5"),
        (BASE + HUB, HUB, "b.yaml:2: the name 'hub' is already taken at folder/a.yaml:6"),
        (
            BASE,
            "vaults: {sea: dr/rg-dr/vault-sea}",
            "b.yaml:1: vaults.sea: the vault is declared twice, first at folder/a",
        ),
        (
            BASE + HUB,
            HUB.replace("hub,", "hub2,"),
            "b.yaml:2: pair 'hub2' is declared twice, first as 'hub' at folder/a",
        ),
        (BASE, "pears: []", "b.yaml:1: pears: unknown key; did you mean 'pairs'?"),
    ],
)
def test_files_of_a_folder_may_not_contradict_each_other(a: str, b: str, message: str) -> None:
    assert refusal_of_folder(a=a, b=b).startswith(f"folder/{message}")


# Mistakes


def row(**changes: str) -> str:
    fields = {"name": "hub", "vault": "sea", "primary": "prod/rg/hub-ea", "recovery": "dr/rg/hub-sea", **changes}
    return BASE + "pairs:\n- {" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}\n"


VAULT_ID = str(vault(DR, "rg-dr", "vault-sea"))
VNET_ID = str(vnet(PROD, "rg", "hub-ea"))
REFERENCE = "expected a virtual network: alias/resource group/name, or a full resource id"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vault": "see"}, "vault: unknown vault 'see'; did you mean 'sea'?"),
        ({"primary": "prd/rg/hub"}, "primary: unknown subscription alias 'prd'; did you mean 'prod'?"),
        ({"primary": "hub"}, f"primary: found 'hub', {REFERENCE}"),
        ({"recovery": "Copy"}, f"recovery: found 'Copy', {REFERENCE}, or copy"),
        ({"primary": "prod/rg/a/b"}, f"primary: found 'prod/rg/a/b', {REFERENCE}"),
        ({"primary": "prod//hub"}, "primary: '' cannot be the name of a resource group: expected 1 to 90 letters"),
        ({"primary": "prod/rg/.."}, "primary: '..' cannot be the name of a virtual network: expected 2 to 64 letters"),
        ({"primary": "prod/../hub"}, "primary: '..' cannot be the name of a resource group"),
        ({"primary": "prod/rg./hub"}, "primary: 'rg.' cannot be the name of a resource group"),
        ({"primary": "prod/rg/my hub"}, "primary: 'my hub' cannot be the name of a virtual network"),
        ({"primary": "prod/rg/hüb"}, "primary: 'hüb' cannot be the name of a virtual network"),
        ({"primary": "prod/rg/h"}, "primary: 'h' cannot be the name of a virtual network"),
        ({"primary": "prod/rg/-hub"}, "primary: '-hub' cannot be the name of a virtual network"),
        ({"primary": "prod/rg/hub-"}, "primary: 'hub-' cannot be the name of a virtual network"),
        ({"primary": f"prod/rg/{'h' * 65}"}, f"primary: '{'h' * 65}' cannot be the name of a virtual network"),
        ({"primary": f"prod/{'g' * 91}/hub"}, f"primary: '{'g' * 91}' cannot be the name of a resource group"),
        ({"primary": VAULT_ID}, f"primary: expected the id of a virtual network, '{VAULT_ID}' is that of a vault"),
        ({"primary": f"{VNET_ID}/subnets/web"}, "primary: expected the id of a virtual network, "),
        ({"primary": "/subscriptions/x"}, "primary: '/subscriptions/x' is not a resource id: 'x' is not a "),
        ({"primary": VNET_ID.replace("hub-ea", "a%2Fb")}, "primary: "),
        ({"primary": f'"{VNET_ID[:-6]}.."'}, "primary: "),
        ({"recovery": "prod/rg/HUB-EA"}, "recovery: this is the primary network itself"),
        ({"failback": "no"}, "failback: found 'no', expected none"),
        ({"name": '""'}, "name: found '', expected text of length >= 1"),
        ({"name": '" hub"'}, "name: found ' hub', expected a name: printable, and without a space at its ends"),
        ({"name": '"a\\nb"'}, "name: found 'a\\nb', expected a name"),
        ({"prmary": "x"}, "prmary: unknown key; did you mean 'primary'?"),
        ({"primary": ""}, "primary: found nothing, expected text"),
    ],
)
def test_a_mistake_in_a_row_is_named_with_its_line_and_path(changes: dict[str, str], message: str) -> None:
    assert refusal(row(**changes)).startswith(f"f.yaml:6: pairs[0].{message}")


def test_names_that_azure_allows_are_accepted() -> None:
    for primary in ("prod/Größe-(1)_.x/a.b-c_", "prod/rg/9a", f"prod/{'g' * 90}/{'h' * 64}"):
        assert load(row(primary=primary)).pairs[0].primary.name == primary.split("/")[-1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: 1", "version: 2", "f.yaml:1: version: found '2', expected 1"),
        ("version: 1\n", "", "f.yaml:1: the key 'version' is missing, expected version: 1"),
        ("version: 1", "version: 1\ncloud: usgov", "f.yaml:2: cloud: found 'usgov', expected "),
        ("dr/rg-dr/vault-sea", VNET_ID, f"f.yaml:3: vaults.sea: expected the id of a vault, '{VNET_ID}' is that of a "),
        ("dr/rg-dr/vault-sea", "dr/rg-dr/1vault", "f.yaml:3: vaults.sea: '1vault' cannot be the name of a vault"),
        (
            "dr/rg-dr/vault-sea",
            "{id: x}",
            "f.yaml:3: vaults.sea.id: found 'x', expected a vault: alias/resource group/name",
        ),
        ("dr/rg-dr/vault-sea", "{unmanaged: ignore}", "f.yaml:3: vaults.sea: the key 'id' is missing"),
        ("sea: dr/", "'sea ': dr/", "f.yaml:3: vaults.sea : found 'sea ', expected a name"),
        (
            f"prod: {PROD}",
            "prod: 1111",
            "f.yaml:2: subscriptions.prod: found '1111', expected a subscription's id (a GUID)",
        ),
        ("prod: ", "a/b: ", "f.yaml:2: subscriptions.a/b: 'a/b' cannot be an alias"),
        (
            "primary: eastasia",
            "primary: SouthEast Asia",
            "f.yaml:4: regions[0].recovery: southeastasia is paired with ",
        ),
        (
            "primary: eastasia",
            "primary: east/asia",
            "f.yaml:4: regions[0].primary: found 'east/asia', expected a region",
        ),
        (
            "southeastasia}",
            "southeastasia}, {primary: East Asia, recovery: southeastasia}",
            "f.yaml:4: regions: this direc",
        ),
    ],
)
def test_a_mistake_in_the_declarations_is_named_with_its_line_and_path(old: str, new: str, message: str) -> None:
    assert old in BASE
    assert refusal(BASE.replace(old, new) + HUB).startswith(message)


@pytest.mark.parametrize(
    ("copy", "message"),
    [
        ("{subscription: drr}", "copy.subscription: unknown subscription alias 'drr'; did you mean 'dr'?"),
        ('{name: "{nam}-x"}', "copy.name: unknown placeholder '{nam}'; did you mean 'name'?"),
        ('{name: "{name"}', "copy.name: unknown placeholder '{'"),
        ('{name: "{name} x"}', "copy.name: 'net x' cannot be the name of a virtual network"),
        (
            '{resource_group: "{resource_group}."}',
            "copy.resource_group: 'group.' cannot be the name of a resource group",
        ),
        ("{name: fixed}", "copy.name: all copies would be one network, expected {name} in it"),
        ('{name: "{name}", resource_group: "{resource_group}"}', "copy.name: the copy would be the network itself"),
        ("{dns: azur}", "copy.dns: found 'azur', expected azure or copy; did you mean 'azure'?"),
        ("{dns: []}", "copy.dns: found no servers"),
        ("{dns: [10.0.0.256]}", "copy.dns[0]: found '10.0.0.256', expected an ip address"),
    ],
)
def test_a_mistake_in_copy_settings_is_named(copy: str, message: str) -> None:
    text = BASE.replace("southeastasia}", f"southeastasia, copy: {copy}}}") + HUB
    assert refusal(text).startswith(f"f.yaml:4: regions[0].{message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "rules: [{name: r, vault: sea, recovery: copi}]",
            "rules[0].recovery: found 'copi', expected a virtual network",
        ),
        ('rules: [{name: r, vault: sea, recovery: "dr/rg/{nam}"}]', "rules[0].recovery: unknown placeholder '{nam}'"),
        (
            'rules: [{name: r, vault: sea, recovery: "{name}/rg/x1"}]',
            "rules[0].recovery: unknown subscription alias 'net'",
        ),
        (
            "rules: [{name: r, vault: sea, recovery: copy, match: {subscription: " + "3".join(PROD.split("1")) + "}}]",
            "rules[0].match.subscription: rules search only what is declared under subscriptions",
        ),
        (
            "freeze: [{vault: se, until: 2026-01-01, reason: x}]",
            "freeze[0].vault: unknown vault 'se'; did you mean 'sea'?",
        ),
        (
            "freeze: [{vault: sea, until: 2026-02-30, reason: x}]",
            "freeze[0].until: found '2026-02-30', expected a date",
        ),
        ("ignore: [{name: x}]", "ignore[0]: the key 'reason' is missing"),
        ("limits: {max_updates: -1}", "limits.max_updates: expected a whole number from 0 to 1000000"),
        ("limits: {max_change_percent: 101}", "limits.max_change_percent: expected a whole number from 0 to 100"),
        ("limits: {max_updates: many}", "limits.max_updates: found 'many', expected a whole number"),
        (
            f"limits: {{max_updates: {'9' * 5000}}}",
            f"limits.max_updates: found '{'9' * 60}...', expected a smaller number",
        ),
        ("limits: {max_update: 1}", "limits.max_update: unknown key; did you mean 'max_updates'?"),
        (
            "vmm_pairs: [{name: v, vault: sea, primary: x, recovery: a/b}]",
            "vmm_pairs[0].primary: found 'x', expected VMM ",
        ),
        (
            "vmm_pairs: [{name: v, vault: sea, primary: a/b, recovery: c}]",
            "vmm_pairs[0].recovery: found 'c', expected VMM ",
        ),
        (
            "vmm_pairs: [{name: v, vault: sea, primary: a/b, recovery: A/B}]",
            "vmm_pairs[0].recovery: this is the primary ",
        ),
        (
            "vmm_pairs: [{name: v, vault: sea, primary: d/r/x1, recovery: a/b}]",
            "vmm_pairs[0].primary: found 'd/r/x1', ",
        ),
    ],
)
def test_a_mistake_elsewhere_is_named(text: str, message: str) -> None:
    assert refusal(BASE + HUB + text).startswith(f"f.yaml:7: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1", "f.yaml: no vaults are declared, expected at least one"),
        (BASE, "f.yaml: nothing is to be mapped, expected pairs, rules or vmm_pairs"),
        (
            BASE.replace(
                "vault-sea}", f"vault-sea, two: {VAULT_ID.upper().replace('/SUBSCRIPTIONS', '/subscriptions')}}}"
            )
            + HUB,
            "f.yaml:3: vaults: 'sea' and 'two' are the same vault",
        ),
        (
            "version: 1\n" + BASE.splitlines()[2].replace("dr/rg-dr/vault-sea", VAULT_ID) + "\nregions: "
            "[{primary: a1, recovery: b1}]\nrules: [{name: r, vault: sea, recovery: copy}]",
            "f.yaml:4: rule 'r' searches nothing: no subscriptions are declared",
        ),
        (
            BASE.replace("regions: ", "ignore: [] #") + "rules: [{name: r, vault: sea, recovery: copy}]",
            "f.yaml:5: rule 'r' matches nothing: no regions are declared",
        ),
        (
            BASE.replace("regions: ", "ignore: [] #")
            + "pairs: [{name: r, vault: sea, primary: dr/g/a1, recovery: copy}]",
            "f.yaml:5: pair 'r' asks for a copy, and no regions say where copies are made",
        ),
        (
            BASE + HUB + "rules: [{name: hub, vault: sea, recovery: copy}]",
            "f.yaml:7: the name 'hub' is already taken at f.yaml:6",
        ),
        (
            BASE + HUB.replace("hub,", "r/x,") + "rules: [{name: r, vault: sea, recovery: copy}]",
            "f.yaml:6: the name 'r/x' could be that of a pair made by the rule at f.yaml:7",
        ),
        (
            BASE + HUB + "vmm_pairs: [{name: hub, vault: sea, primary: a/b, recovery: c/d}]",
            "f.yaml:7: the name 'hub' is already taken at f.yaml:6",
        ),
    ],
)
def test_what_the_whole_file_lacks_or_repeats_is_named(text: str, message: str) -> None:
    assert refusal(text).startswith(message)


def two_rows(first: str, second: str) -> str:
    return BASE + f"pairs:\n- {{name: a, vault: sea, {first}}}\n- {{name: b, vault: sea, {second}}}\n"


BOTH_DIRECTIONS = "regions: [{primary: southeastasia, recovery: eastasia}, "


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            "primary: prod/g/p1, recovery: copy",
            "primary: PROD/g/P1, recovery: copy",
            "unknown subscription alias 'PROD'",
        ),
        (
            "primary: prod/g/p1, recovery: copy",
            "primary: prod/G/P1, recovery: copy",
            "pair 'b' is declared twice, first as ",
        ),
        (
            "primary: prod/g/p1, recovery: dr/g/r1",
            "primary: dr/g/r1, recovery: prod/g/p1",
            "pair 'b' is the reverse of pair",
        ),
        (
            "primary: prod/g/p1, recovery: dr/g/r1",
            "primary: prod/g/p1, recovery: dr/g/r2",
            "pairs 'a' and 'b' give one prim",
        ),
        (
            "primary: prod/g/p1, recovery: dr/g/r1",
            "primary: prod/g/p2, recovery: dr/g/r1",
            "pairs 'a' and 'b' share a recov",
        ),
    ],
)
def test_two_rows_that_contradict_each_other_are_both_named(first: str, second: str, message: str) -> None:
    refused = refusal(two_rows(first, second))
    assert message in refused
    assert refused.startswith("f.yaml:7: ")


def test_rows_may_share_a_recovery_network_when_one_of_them_owns_the_reverse() -> None:
    text = two_rows("primary: prod/g/p1, recovery: dr/g/r1", "primary: prod/g/p2, recovery: dr/g/r1, failback: none")
    assert len(load(text).pairs) == 2


def test_with_several_directions_planning_decides_who_owns_a_reverse() -> None:
    text = two_rows("primary: prod/g/p1, recovery: dr/g/r1", "primary: prod/g/p2, recovery: dr/g/r1")
    assert len(load(text.replace("regions: [", BOTH_DIRECTIONS)).pairs) == 2


def test_single_mappings_in_opposite_directions_are_two_rows() -> None:
    text = two_rows(
        "primary: prod/g/p1, recovery: dr/g/r1, failback: none", "primary: dr/g/r1, recovery: prod/g/p1, failback: none"
    )
    assert len(load(text).pairs) == 2


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ("primary: b/n1, recovery: s/n1", "primary: B/N1, recovery: S/n2", "B/N1"),
        ("primary: b/n1, recovery: s/n1", "primary: s/n1, recovery: b/n1", "s/n1"),
        ("primary: b/n1, recovery: s/n1", "primary: b/n2, recovery: s/n1", "s/n1"),
        ("primary: b/n1, recovery: dr/g/r1", "primary: b/n1, recovery: dr/g/r2", "b/n1"),
    ],
)
def test_two_rows_for_one_vm_network_are_both_named(first: str, second: str, named: str) -> None:
    text = two_rows(first, second).replace("pairs:", "vmm_pairs:")
    assert refusal(text) == (
        f"f.yaml:7: pairs 'a' and 'b' both map {named} forward or in reverse; the first is at f.yaml:6"
    )


def test_a_vm_network_may_have_a_pair_with_a_server_and_a_mapping_to_azure() -> None:
    text = two_rows("primary: b/n1, recovery: s/n1", "primary: b/n1, recovery: dr/g/r1").replace("pairs:", "vmm_pairs:")
    assert len(load(text).vmm_pairs) == 2


def test_a_hint_says_what_to_do() -> None:
    with pytest.raises(DocumentError) as caught:
        load(row(vault="north"))
    assert caught.value.hint == "declared under vaults: sea"


# Writing


def without_sources(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(without_sources(item) for item in value)
    if isinstance(value, Struct):
        fields = {name: without_sources(getattr(value, name)) for name in value.__struct_fields__ if name != "source"}
        return structs.replace(value, **fields, **({"source": Source()} if "source" in value.__struct_fields__ else {}))
    return value


def test_a_written_state_is_readable() -> None:
    state = load(BASE + HUB + "limits: {max_updates: 3, max_deletes: 0}\n")
    assert desired.dumps(state) == (
        "version: 1\n"
        "cloud: public\n"
        f"subscriptions: {{prod: {PROD}, dr: {DR}}}\n"
        "vaults: {sea: dr/rg-dr/vault-sea}\n"
        "regions:\n"
        "- {primary: eastasia, recovery: southeastasia}\n"
        "pairs:\n"
        "- {name: hub, vault: sea, primary: prod/rg/hub-ea, recovery: dr/rg/hub-sea}\n"
        "limits: {max_updates: 3}\n"
    )


NAMES = st.text("aZ9._-", max_size=8).map(lambda middle: f"a{middle}_")
TRAPS = ("no", "010", "null", "~", "a b", "x: y", "- z", "{a}", "*x", "2026-01-01", "'", '"', "#", "<<", "1e3", "[")
WORDS = st.sampled_from(TRAPS) | st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6)
GUIDS = st.uuids().map(str)
DAYS = st.dates()
SUBSCRIPTIONS = st.sampled_from([PROD, DR]) | GUIDS
MANAGED = st.none() | WORDS


@st.composite
def states(draw: st.DrawFn) -> DesiredState:
    names = [draw(WORDS).replace("/", "-") + str(index) for index in range(12)]
    networks = [vnet(draw(SUBSCRIPTIONS), draw(NAMES), f"{draw(NAMES)}{index}") for index in range(8)]
    vaults = ("null", "010")
    one_of = st.sampled_from(vaults)
    return DesiredState(
        cloud=draw(st.sampled_from(["public", "china", "usgovernment"])),
        subscriptions={"prod": PROD, "no": DR},
        vaults=(
            Vault(name=vaults[0], id=vault(DR, "g", "v1"), unmanaged=draw(st.sampled_from(["report", "delete"]))),
            Vault(name=vaults[1], id=vault(PROD, "g", "v2"), create_fabrics=draw(st.booleans())),
        ),
        regions=(
            Region(primary="eastasia", recovery="southeastasia"),
            Region(
                primary="southeastasia",
                recovery="eastasia",
                copy=CopySettings(
                    subscription=draw(st.none() | st.just(PROD) | GUIDS),
                    name=draw(st.sampled_from(["{name}-x", "{resource_group}.{name}"])),
                    dns=draw(st.sampled_from(["copy", "azure", ("10.0.0.4", "fd00::1")])),
                ),
            ),
        ),
        pairs=tuple(
            Row(
                name=names[index],
                vault=draw(one_of),
                primary=networks[2 * index],
                recovery=draw(st.sampled_from([None, networks[2 * index + 1]])),
                failback=draw(st.booleans()),
                managed_by=draw(MANAGED),
            )
            for index in range(4)
        ),
        rules=(
            Rule(
                name=names[4],
                vault=draw(one_of),
                match=Match(
                    subscription=draw(st.sampled_from([None, PROD])),
                    name=draw(st.none() | WORDS),
                    tags=draw(st.dictionaries(WORDS, WORDS, max_size=2)),
                ),
                recovery=draw(st.sampled_from([None, str(vnet(DR, "{resource_group}", "{name}-x"))])),
                failback=draw(st.booleans()),
            ),
        ),
        ignore=(Ignore(name=names[5], reason=names[6], until=draw(st.none() | DAYS)),),
        vmm_pairs=(
            VmmRow(
                name=names[7],
                vault=draw(one_of),
                primary=VmNetworkName(server=names[8], network=names[9]),
                recovery=draw(st.just(networks[0]) | st.just(VmNetworkName(server=names[10], network=names[11]))),
                managed_by=draw(MANAGED),
            ),
        ),
        freeze=(Freeze(vault=vaults[0], until=draw(DAYS), reason=names[8]),),
        limits=Limits(max_updates=draw(st.integers(0, 50)), max_change_percent=draw(st.integers(0, 100))),
    )


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(states())
def test_what_is_written_reads_back_the_same(state: DesiredState) -> None:
    assert without_sources(load(desired.dumps(state))) == state


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_to_a_file_is_a_state_or_a_document_error(data: st.DataObject) -> None:
    text = BASE + HUB + "vmm_pairs: [{name: v, vault: sea, primary: a/b, recovery: c/d}]\nlimits: {max_updates: 1}\n"
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 12, len(text))))
    piece = data.draw(st.text(alphabet="\n :-{}[],'\"/.x0{}%#é\0", max_size=4))
    try:
        assert isinstance(load(text[:start] + piece + text[end:]), DesiredState)
    except DocumentError as error:
        named = error.file
        assert named == "f.yaml"
