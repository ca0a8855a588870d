"""One read reports all independent mistakes, and no consequence of a mistake as another one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from desired_files import BASE, DR, HUB, PROD
from failover_worlds import vnet

from asrnet.clocks import SimulatedClock
from asrnet.desired import load_desired
from asrnet.errors import DocumentError
from asrnet.failover import NetworkNames, parse_machines
from asrnet.fake import world_file
from asrnet.fake.world_format import WorldDocument
from asrnet.files.problems import Mistake, mistakes_of
from asrnet.files.yaml import parse
from asrnet.vmm import parse_topology
from asrnet.vmm.vault import checked

ROW = "- {name: %s, vault: sea, primary: prod/rg/%s, recovery: dr/rg/%s}\n"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def mistakes(read: Callable[[], object]) -> tuple[Mistake, ...]:
    with pytest.raises(DocumentError) as caught:
        read()
    return mistakes_of(caught.value)


def mistakes_in(text: str) -> list[str]:
    """The line and the path of each mistake in a desired state."""
    Path("f.yaml").write_text(text, encoding="utf-8")
    return [f"{mistake.line} {mistake.path}".strip() for mistake in mistakes(lambda: load_desired("f.yaml"))]


def test_a_mistake_has_its_file_line_path_message_and_hint() -> None:
    Path("f.yaml").write_text(BASE + HUB.replace("vault: sea", "vault: see"), encoding="utf-8")
    assert mistakes(lambda: load_desired("f.yaml")) == (
        Mistake(
            file="f.yaml",
            line=6,
            column=15,
            path="pairs[0].vault",
            message="unknown vault 'see'; did you mean 'sea'?",
            hint="declared under vaults: sea",
        ),
    )


def test_several_mistakes_in_one_row_are_all_reported() -> None:
    row = "- {name: ' hub', vault: see, primary: prd/rg/hub-ea, recovery: hub-sea, colour: blue, failback: no}\n"
    assert mistakes_in(BASE + "pairs:\n" + row) == ["6 pairs[0].colour", "6 pairs[0].failback"]
    right_form = row.replace(", failback: no", "")
    assert mistakes_in(BASE + "pairs:\n" + right_form) == [
        "6 pairs[0].colour",
        "6 pairs[0].primary",
        "6 pairs[0].recovery",
        "6 pairs[0].name",
        "6 pairs[0].vault",
    ]


def test_mistakes_of_form_value_reference_and_contradiction_are_reported_together() -> None:
    text = (
        BASE.replace("version: 1", "version: 1\ncloud: usgov")
        + "pairs:\n"
        + ROW % ("a", "one", "two")
        + ROW % ("a", "three", "four")
        + "- {name: b, name: b, vault: sea, primary: prod/rg/five, recovery: dr/rg/six}\n"
        + "- {name: c, vault: see, primary: prod/rg/seven, recovery: dr/rg/eight}\n"
        + "- &anchor {name: d, vault: sea, primary: prod/rg/nine, recovery: dr/rg/ten}\n"
        + "limits: {max_updates: -1, max_deletes: many, max_moves: 1}\n"
    )
    assert mistakes_in(text) == [
        "2 cloud",
        "8 pairs[1]",
        "9 pairs[2].name",
        "10 pairs[3].vault",
        "11 pairs",
        "12 limits.max_deletes",
        "12 limits.max_moves",
    ]


def test_a_faulty_alias_or_vault_is_one_mistake_and_not_one_of_each_row_that_uses_it() -> None:
    rows = "pairs:\n" + ROW % ("a", "one", "two") + ROW % ("b", "three", "four")
    assert mistakes_in(BASE.replace(PROD, "1111") + rows) == ["2 subscriptions.prod"]
    assert mistakes_in(BASE.replace(f"prod: {PROD}", "prod: [1]") + rows) == ["2 subscriptions.prod"]
    assert mistakes_in(BASE.replace("dr/rg-dr/vault-sea", "{id: x, unmanagd: ignore}") + rows) == [
        "3 vaults.sea.unmanagd",
        "3 vaults.sea.id",
    ]
    assert mistakes_in(BASE.replace("{sea: dr/rg-dr/vault-sea}", "sea") + rows) == ["3 vaults"]
    assert mistakes_in(BASE.replace("vaults: {sea: dr/rg-dr/vault-sea}\n", "") + rows) == ["None"]


def test_nothing_is_called_missing_because_its_own_section_is_faulty() -> None:
    assert mistakes_in(BASE + "pairs: [{name: hub}]\n") == ["5 pairs[0]"] * 3
    copies = "pairs:\n- {name: a, vault: sea, primary: prod/rg/one, recovery: copy}\n"
    assert mistakes_in(BASE.replace("primary: eastasia", "primary: east/asia") + copies) == ["4 regions[0].primary"]


def test_a_misspelled_key_is_not_reported_as_missing_too() -> None:
    assert mistakes_in(BASE + HUB.replace("primary", "prmary")) == ["6 pairs[0].prmary"]


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ("recovery: dr", "recovry: dr", ["6 pairs[0].recovry", "6 pairs[0].vault"]),
        ("recovery: dr/rg/", "recovry: dr/", ["6 pairs[0].recovry", "6 pairs[0].recovery", "6 pairs[0].vault"]),
        ("name: hub", "nmae: hub", ["6 pairs[0].nmae", "6 pairs[0].vault"]),
    ],
)
def test_the_other_values_of_a_row_with_a_misspelled_key_are_checked_too(old: str, new: str, paths: list[str]) -> None:
    row = HUB.replace("vault: sea", "vault: see")
    assert old in row
    assert mistakes_in(BASE + row.replace(old, new)) == paths


def test_a_row_that_was_copied_is_one_mistake_though_it_breaks_several_rules() -> None:
    assert mistakes_in(BASE + HUB + HUB.removeprefix("pairs:\n")) == ["7 pairs[1]"]


def test_all_files_of_a_folder_are_read_and_what_a_broken_one_declares_is_not_missed() -> None:
    Path("teams").mkdir()
    Path("teams/a.yaml").write_text(BASE.replace("vaults", "\tvaults"), encoding="utf-8")
    Path("teams/b.yaml").write_text("pairs:\n" + ROW % ("b", "one", "x"), encoding="utf-8")
    Path("teams/c.yaml").write_text("pairs:\n" + ROW % ("c", "two", "three") + "colour: blue\n", encoding="utf-8")
    found = mistakes(lambda: load_desired("teams"))
    assert [(mistake.file, mistake.line, mistake.path) for mistake in found] == [
        ("teams/a.yaml", 3, ""),
        ("teams/b.yaml", 2, "pairs[0].recovery"),
        ("teams/c.yaml", 3, "colour"),
    ]


def test_a_vault_that_a_broken_file_may_declare_is_not_called_unknown() -> None:
    Path("teams").mkdir()
    Path("teams/a.yaml").write_text(BASE.replace("vaults", "\tvaults"), encoding="utf-8")
    Path("teams/b.yaml").write_text(
        "vaults: {other: dr/rg/other}\npairs:\n" + ROW % ("b", "one", "two"), encoding="utf-8"
    )
    assert [mistake.file for mistake in mistakes(lambda: load_desired("teams"))] == ["teams/a.yaml"]


def test_what_follows_from_a_mistake_in_the_form_is_no_mistake_of_its_own() -> None:
    row = "- {name: hub, vault: sea, primary: *network, recovery: &network dr/rg/hub-sea}\n"
    assert mistakes_in(BASE + "pairs:\n" + row) == ["6 pairs[0]", "6 pairs[0]"]
    assert mistakes_in(BASE + "pairs:\n" + row.replace("*network", "!x prod/rg/hub-ea")) == ["6 pairs[0]", "6 pairs[0]"]
    assert mistakes_in(BASE + HUB + "<<: {a: b}\n") == ["7"]


def test_the_error_of_several_mistakes_begins_with_the_first_and_counts_the_others() -> None:
    Path("f.yaml").write_text(BASE + HUB.replace("sea,", "see,").replace("prod", "prd"), encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_desired("f.yaml")
    message = "f.yaml:6: pairs[0].primary: unknown subscription alias 'prd'; did you mean 'prod'? (and 1 more mistake)"
    assert str(caught.value) == message


def test_all_mistakes_of_a_topology_are_reported() -> None:
    text = """\
fabrics:
- server: a
  networks:
  - {friendly_name: n, subnets: [{name: s, prefixes: [10.0.0], used_ips: [x]}, {name: S}]}
  clouds: [{friendly_name: c}, {friendly_name: C}]
- server: A
- kind: vmm
"""
    found = mistakes(lambda: parse_topology(text, "t.yaml"))
    assert [mistake.line for mistake in found] == [4, 4, 4, 5, 6, 7]
    both = mistakes(lambda: parse_topology("fabrics:\n- {server: a, colour: b}\n- {serfer: c}\nversion: 3\n", "t.yaml"))
    assert [mistake.path for mistake in both] == ["fabrics[0].colour", "fabrics[1].serfer", "version"]


def test_all_mistakes_of_a_world_are_reported() -> None:
    vault_id = f"/subscriptions/{DR}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
    text = f"""\
version: 1
tenant: 'a b'
subscriptions: [{{id: prod}}, {{id: {PROD}}}]
virtual_networks:
- {{id: {vault_id}, location: eastasia, address_space: []}}
- {{id: {vnet("a").id}, location: eastasia, address_space: [10.0.0.0/33]}}
vaults:
- id: {vault_id}
  location: eastasia
  fabrics: [{{name: one, kind: azure, location: eastasia}}]
  mappings: [{{fabric: two, name: m, recovery_fabric: x}}, {{fabric: three, name: n, recovery_fabric: x}}]
  jobs: [{{name: a/b, scenario: Failover, state: InProgress}}]
"""
    document = parse(text, WorldDocument, "w.yaml")
    found = mistakes(lambda: world_file.world_from(document, clock=SimulatedClock()))
    assert [mistake.path for mistake in found] == [
        "tenant",
        "subscriptions[0].id",
        "virtual_networks[0].id",
        "virtual_networks[1].address_space[0]",
        "vaults[0].mappings[0].fabric",
        "vaults[0].mappings[1].fabric",
        "vaults[0].jobs[0].name",
    ]


@pytest.mark.parametrize("name", ["w.yaml", "w.json"])
def test_mistakes_of_form_and_of_meaning_in_a_world_are_reported_together(name: str) -> None:
    network = vnet("a")
    text = f"""\
{{"version": 1, "colour": "blue",
"subscriptions": [{{"id": "prod"}}, {{"name": "x"}}],
"virtual_networks": [
{{"id": "{network.id}", "location": "eastasia", "address_space": ["10.0.0.0/33", "x"], "peerings": ["y", "z"],
"subnets": [{{"name": "a/b", "prefixes": ["10.0.0"]}}, {{"name": "s", "used_ips": ["1", "2"]}}, {{"name": "S"}}]}},
{{"id": "{network.id}", "location": "eastasia", "address_space": 5}}]
}}
"""
    Path(name).write_text(text, encoding="utf-8")
    found = mistakes(lambda: world_file.load(name, clock=SimulatedClock()))
    assert [f"{mistake.line} {mistake.path}" for mistake in found] == [
        "1 colour",
        "2 subscriptions[1]",
        "2 subscriptions[0].id",
        "4 virtual_networks[0].address_space[0]",
        "4 virtual_networks[0].address_space[1]",
        "4 virtual_networks[0].peerings[0]",
        "4 virtual_networks[0].peerings[1]",
        "5 virtual_networks[0].subnets[0].name",
        "5 virtual_networks[0].subnets[2].name",
        "5 virtual_networks[0].subnets[0].prefixes[0]",
        "5 virtual_networks[0].subnets[1].used_ips[0]",
        "5 virtual_networks[0].subnets[1].used_ips[1]",
        "6 virtual_networks[1].address_space",
    ]


def test_a_faulty_fabric_is_one_mistake_and_not_one_of_each_mapping_that_names_it() -> None:
    vault_id = f"/subscriptions/{DR}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
    Path("w.yaml").write_text(
        f"""\
version: 1
vaults:
- id: {vault_id}
  location: eastasia
  fabrics: [{{name: one, kind: azur, location: eastasia}}]
  mappings: [{{fabric: one, name: m, recovery_fabric: two}}]
""",
        encoding="utf-8",
    )
    found = mistakes(lambda: world_file.load("w.yaml", clock=SimulatedClock()))
    assert [mistake.path for mistake in found] == ["vaults[0].fabrics[0].kind"]


def test_everything_in_which_the_rows_of_a_machine_contradict_each_other_is_reported() -> None:
    text = """\
name,primary_network,subnet,ip,ip_type,nic,recovery_plan,replica_network
vm,here,,,,a,p,here
vm,there,,,,a,q,there
"""
    names = NetworkNames([vnet("here"), vnet("there")])
    found = mistakes(lambda: parse_machines(text, names, source="m.csv", is_csv=True))
    assert [mistake.message.partition(":")[0] for mistake in found] == [
        "recovery_plan",
        "replica_network",
        "primary_network",
    ]


def test_every_row_of_a_list_of_machines_that_is_wrong_is_reported() -> None:
    text = "name,primary_network,subnet,ip,ip_type\na,here,,10.0.0,\nb,nowhere,,,\nc,here,,,\n,here,,,\n"
    names = NetworkNames([vnet("here")])
    found = mistakes(lambda: parse_machines(text, names, source="m.csv", is_csv=True))
    assert [mistake.line for mistake in found] == [2, 3, 5]


def test_several_mistakes_in_one_row_of_a_list_are_all_reported() -> None:
    text = "name,primary_network,subnet,ip,ip_type\na,nowhere,,10.0.0,sticky\nb,here\nc,here,,,odd\n"
    names = NetworkNames([vnet("here")])
    found = mistakes(lambda: parse_machines(text, names, source="m.csv", is_csv=True))
    assert [f"{mistake.line} {mistake.message.partition(':')[0]}" for mistake in found] == [
        "2 primary_network",
        "2 ip",
        "2 ip_type",
        "3 found 2 cells, expected 5 as in the header",
        "4 ip_type",
    ]
    header = mistakes(
        lambda: parse_machines("name,primary_network,subnet,ip,ip_type,x,y\n", names, source="m", is_csv=True)
    )
    assert [mistake.message for mistake in header] == ["unknown column 'x'", "unknown column 'y'"]


def test_every_name_of_a_topology_that_nothing_has_is_reported() -> None:
    text = """\
fabrics:
- server: a
  logical_networks: [{friendly_name: l}]
  networks: [{friendly_name: n, logical_network: m}]
  clouds: [{friendly_name: c, logical_networks: [o, p]}]
  hosts: [{name: h, cloud: d, networks: [q]}]
"""
    found = mistakes(lambda: checked(parse_topology(text, "t.yaml")))
    assert [mistake.line for mistake in found] == [4, 5, 5, 6, 6]
