"""Every mistake in a desired state is named with its line; contradictions name both lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from desired_files import BASE, DR, HUB, PROD, load, refusal, vault, vnet

from asrnet.errors import DocumentError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
        (
            {"primary": VAULT_ID},
            f"primary: expected the id of a virtual network, but '{VAULT_ID}' is the id of a vault",
        ),
        ({"primary": f"{VNET_ID}/subnets/web"}, "primary: expected the id of a virtual network, but "),
        ({"primary": "/subscriptions/x"}, "primary: '/subscriptions/x' is not a resource id: 'x' is not a "),
        ({"primary": VNET_ID.replace("hub-ea", "a%2Fb")}, "primary: "),
        ({"primary": f'"{VNET_ID[:-6]}.."'}, "primary: "),
        ({"recovery": "prod/rg/HUB-EA"}, "recovery: this is the primary network itself"),
        ({"failback": "no"}, "failback: found 'no', expected none"),
        ({"name": '""'}, "name: found '', expected text of length >= 1"),
        ({"name": '" hub"'}, "name: found ' hub', expected a name: printable, and without a space at its ends"),
        ({"name": '"a\\nb"'}, "name: found 'a\\nb', expected a name"),
        ({"prmary": "x"}, "prmary: unknown key; did you mean 'primary'?"),
        ({"test": "bubble"}, f"test: found 'bubble', {REFERENCE}, or none"),
        ({"test": "PROD/rg/x1"}, "test: unknown subscription alias 'PROD'"),
        ({"test": "prod/RG/HUB-ea"}, "test: this is the primary network of the same row, expected a network that "),
        ({"test": "dr/rg/hub-sea"}, "test: this is the recovery network of the same row, expected a network that "),
        ({"machines": "move"}, "machines: found 'move', expected follow or report"),
        ({"release_addresses": "maybe"}, "release_addresses: found 'maybe', expected true or false"),
        ({"primary": ""}, "primary: found nothing, expected text"),
    ],
)
def test_a_mistake_in_a_row_is_named_with_its_line_and_path(changes: dict[str, str], message: str) -> None:
    assert refusal(row(**changes)).startswith(f"f.yaml:6: pairs[0].{message}")


def test_a_test_network_of_regions_must_be_a_network() -> None:
    text = BASE.replace("recovery: southeastasia}", "recovery: southeastasia, test: dr/rg}") + HUB
    assert refusal(text).startswith(f"f.yaml:4: regions[0].test: found 'dr/rg', {REFERENCE}")


def test_names_that_azure_allows_are_accepted() -> None:
    for primary in ("prod/Größe-(1)_.x/a.b-c_", "prod/rg/9a", f"prod/{'g' * 90}/{'h' * 64}"):
        assert load(row(primary=primary)).pairs[0].primary.name == primary.split("/")[-1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: 1", "version: 2", "f.yaml:1: version: found '2', expected 1"),
        ("version: 1\n", "", "f.yaml:1: the key 'version' is missing, expected version: 1"),
        ("version: 1", "version: 1\ncloud: usgov", "f.yaml:2: cloud: found 'usgov', expected "),
        (
            "dr/rg-dr/vault-sea",
            VNET_ID,
            f"f.yaml:3: vaults.sea: expected the id of a vault, but '{VNET_ID}' is the id of a ",
        ),
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
        ("ignore: [{reason: x}]", "ignore[0]: found neither 'name' nor 'machine', expected one of them"),
        (
            "ignore: [{name: x, machine: y, reason: z}]",
            "ignore[0]: found 'name' and 'machine', expected one of them",
        ),
        ("machines: no", "machines: found 'no', expected follow or report"),
        ("limits: {max_machines: -1}", "limits.max_machines: expected a whole number from 0 to 1000000"),
        (
            'rules: [{name: r, vault: sea, recovery: "dr/rg/{name}-dr", test: "dr/rg/{name}-dr"}]',
            "rules[0].test: this is the recovery network of the same rule, expected another",
        ),
        (
            'rules: [{name: r, vault: sea, recovery: copy, test: "dr/rg/{region}"}]',
            "rules[0].test: unknown placeholder '{region}'",
        ),
        ("limits: {max_updates: -1}", "limits.max_updates: expected a whole number from 0 to 1000000"),
        ("limits: {max_change_percent: 101}", "limits.max_change_percent: expected a whole number from 0 to 100"),
        ("limits: {max_updates: many}", "limits.max_updates: found 'many', expected a whole number"),
        (
            f"limits: {{max_updates: {'9' * 5000}}}",
            f"limits.max_updates: found '{'9' * 60}...', expected a smaller number",
        ),
        ("limits: []", "limits: found a list, expected keys and values (key: value)"),
        ("cloud: Public", "cloud: found 'Public', expected china, public or usgovernment; did you mean 'public'?"),
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
        (
            "vmm_pairs: [{name: v, vault: sea, primary: a/b, recovery: c/d, machines: follow}]",
            "vmm_pairs[0].machines: found follow, but machines can only be pointed at networks in Azure",
        ),
    ],
)
def test_a_mistake_elsewhere_is_named(text: str, message: str) -> None:
    assert refusal(BASE + HUB + text).startswith(f"f.yaml:7: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1", "f.yaml: no vaults are declared, expected at least one"),
        (BASE, "f.yaml: nothing is declared, expected pairs, rules or vmm_pairs"),
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
            "f.yaml:5: pair 'r' asks for a copy, but no regions say where copies are made",
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
def test_sections_that_a_file_lacks_or_repeats_are_named(text: str, message: str) -> None:
    assert refusal(text).startswith(message)


def test_a_version_that_is_not_a_number_is_reported_as_such() -> None:
    text = BASE.replace("version: 1", "version: one") + HUB
    assert refusal(text) == "f.yaml:1: version: found 'one', expected a whole number"


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
            "pairs 'a' and 'b' map the same networks; the first is at ",
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


@pytest.mark.parametrize(
    ("copy", "message"),
    [
        (
            "network_security_group: 'dr/rg/{sbnet}'",
            "network_security_group: unknown placeholder '{sbnet}'; did you mean",
        ),
        ("network_security_group: nsg", "network_security_group: found 'nsg', expected a network security group: "),
        ("route_table: xx/rg/rt", "route_table: unknown subscription alias 'xx'"),
        ("route_table: dr/rg/-rt", "route_table: '-rt' cannot be the name of a route table"),
        (f"route_table: {VNET_ID}", "route_table: expected the id of a route table, "),
        ("private_subnets: perhaps", "private_subnets: found 'perhaps', expected "),
        ("skip_subnets: web", "skip_subnets: found 'web', expected a list"),
        ("name: '{name}-{region}'", "name: unknown placeholder '{region}'"),
        ("create_resource_group: maybe", "create_resource_group: found 'maybe', expected true or false"),
    ],
)
def test_a_mistake_in_how_copies_are_made_is_named_with_its_path(copy: str, message: str) -> None:
    text = BASE.replace("recovery: southeastasia", f"recovery: southeastasia, copy: {{{copy}}}") + HUB
    assert refusal(text).startswith(f"f.yaml:4: regions[0].copy.{message}")


@pytest.mark.parametrize(
    "entry",
    [
        "pairs:\n- {name: hub, vault: sea, primary: prod/rg/hub-ea, recovery: copy, to: southeastasi}\n",
        "rules:\n- {name: hub, vault: sea, recovery: copy, to: southeastasi}\n",
    ],
)
def test_a_recovery_region_that_is_not_declared_is_refused_with_the_nearest_one(entry: str) -> None:
    message = refusal(BASE + entry)
    assert message.startswith("f.yaml:6: ")
    assert "says to: southeastasi, but no entry under regions has this recovery region" in message
    assert "did you mean 'southeastasia'?" in message


def test_two_copies_of_one_network_to_one_region_are_one_pair_declared_twice() -> None:
    copy = "vault: sea, primary: prod/rg/hub-ea, recovery: copy, to:"
    text = BASE + f"pairs:\n- {{name: a, {copy} southeastasia}}\n- {{name: b, {copy} Southeast Asia}}\n"
    assert "pairs 'a' and 'b' map the same networks; the first is at f.yaml:6" in refusal(text)


@pytest.mark.parametrize("end", ["prod/rg/crm-ea", "dr/RG/CRM-sea"])
def test_a_test_network_must_not_be_a_network_of_another_row(end: str) -> None:
    crm = "- {name: crm, vault: sea, primary: prod/rg/crm-ea, recovery: dr/rg/crm-sea}\n"
    name = end.rpartition("/")[2]
    message = refusal(row(test=end) + crm)
    assert message.startswith(f"f.yaml:6: pair 'hub' has the test network {name}, a network of pair 'crm' at f.yaml:7")
    regions = BASE.replace("recovery: southeastasia}", f"recovery: southeastasia, test: {end}}}")
    message = refusal(regions + HUB + crm)
    assert message.startswith(f"f.yaml:4: the regions eastasia -> southeastasia have the test network {name}, ")
