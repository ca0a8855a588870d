"""Live mappings as Terraform: the attributes and names of resources, and mappings without a resource."""

from __future__ import annotations

from typing import Any

import hcl
import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, row
from two_sites import TwoSites, vmm_row

from asrnet.desired import DesiredState, Selection, Vault
from asrnet.errors import ServiceError
from asrnet.export import terraform
from asrnet.export.exported import Exported
from asrnet.export.terraform import BETWEEN_REGIONS, FROM_VMM, export_terraform
from asrnet.fake.builder import SUBSCRIPTION
from asrnet.inventory import read as inventory
from asrnet.inventory.read import Inventory, Unknown
from asrnet.model.arm import ArmId


def exported(regions: TwoRegions, wanted: DesiredState, **more: Any) -> Exported:
    return export_terraform(inventory.read_inventory(wanted, regions.backend), wanted, **more)


def resources(text: str) -> dict[str, hcl.Block]:
    """The resources by their names, of which no two are alike."""
    found = [block for block in hcl.blocks(text) if block.type == "resource"]
    assert len({block.labels for block in found}) == len(found)
    return {block.labels[1]: block for block in found}


def imports(text: str) -> dict[str, str]:
    return {block.attributes["to"]: block.attributes["id"] for block in hcl.blocks(text) if block.type == "import"}


@pytest.fixture
def regions() -> TwoRegions:
    return TwoRegions()


def test_a_pair_is_two_resources_and_two_imports(regions: TwoRegions) -> None:
    hub, spare = regions.network("Hub"), regions.network("Hub-DR", SEA)
    regions.map_both(hub, spare)
    text = exported(regions, regions.state(row(hub, spare, name="hub"))).text
    forward = resources(text)["hub_forward"]
    mappings = {one.primary_network_id: one for one in regions.world.mappings.list(regions.vault.id)}
    assert forward.labels == (BETWEEN_REGIONS, "hub_forward")
    assert forward.attributes == {
        "name": mappings[hub.id].name,
        "resource_group_name": regions.vault.id.resource_group,
        "recovery_vault_name": "vault-dr",
        "source_recovery_fabric_name": regions.fabrics[EA].name,
        "target_recovery_fabric_name": regions.fabrics[SEA].name,
        "source_network_id": str(hub.id),
        "target_network_id": str(spare.id),
    }
    reverse = resources(text)["hub_reverse"].attributes
    assert (reverse["source_network_id"], reverse["target_network_id"]) == (str(spare.id), str(hub.id))
    assert imports(text) == {
        f"{BETWEEN_REGIONS}.hub_forward": str(mappings[hub.id].id),
        f"{BETWEEN_REGIONS}.hub_reverse": str(mappings[spare.id].id),
    }


def test_ids_are_spelled_as_the_provider_parses_them(regions: TwoRegions) -> None:
    hub, spare = regions.network("Hub"), regions.network("Spare", SEA)
    regions.map(hub, spare)
    text = exported(regions, regions.state()).text
    [(_, import_id)] = imports(text).items()
    words = import_id.split("/")
    assert words[1::2] == [
        *("subscriptions", "resourceGroups", "providers", "vaults", "replicationFabrics", "replicationNetworks"),
        "replicationNetworkMappings",
    ]
    assert words[6] == "Microsoft.RecoveryServices"
    [block] = resources(text).values()
    assert "/resourceGroups/" in block.attributes["source_network_id"]
    assert block.attributes["source_network_id"].endswith("/providers/Microsoft.Network/virtualNetworks/hub")


def test_an_import_names_the_segment_that_the_mapping_is_listed_under(regions: TwoRegions) -> None:
    regions.map(regions.network("hub"), regions.network("spare", SEA))
    found = inventory.read_inventory(regions.state(), regions.backend)
    vault = found.vaults["sea"]
    listed = ArmId(str(vault.mappings[0].id).replace("/azureNetwork/", "/hub/"))  # as azurerm creates them
    renamed = structs.replace(vault, mappings=(structs.replace(vault.mappings[0], id=listed),))
    text = export_terraform(structs.replace(found, vaults={"sea": renamed}), regions.state()).text
    assert list(imports(text).values()) == [str(listed)]


def test_a_half_pair_stays_a_half_pair(regions: TwoRegions) -> None:
    hub, spare = regions.network("hub"), regions.network("spare", SEA)
    regions.map(hub, spare)
    found = exported(regions, regions.state(row(hub, spare)))
    assert list(resources(found.text)) == ["hub_forward"]
    assert "# hub: hub (eastasia) -> spare (southeastasia), half\n" in found.text
    assert found.left_out == ()


def test_names_are_unique_whatever_the_pairs_are_called(regions: TwoRegions) -> None:
    spare = regions.network("spare", SEA)
    names = ["1st", "a b", "a.b", "A-B", "größe", "-"]
    networks = [regions.network(f"net{number}") for number in range(len(names))]
    for network in networks:
        regions.map(network, spare)
    rows = [row(network, spare, name=name, failback=False) for network, name in zip(networks, names, strict=True)]
    assert sorted(resources(exported(regions, regions.state(*rows)).text)) == [
        "_1st_forward",
        "__forward",
        "a-b-southeastasia_forward",
        "a-b_forward",
        "gr-e_forward",
        "sea-A-B-southeastasia_forward",
    ]


def test_the_same_mappings_give_the_same_text(regions: TwoRegions) -> None:
    one, two, spare = regions.network("one"), regions.network("two"), regions.network("spare", SEA)
    regions.map_both(one, spare)
    regions.map(two, spare)
    found = inventory.read_inventory(regions.state(), regions.backend)
    vault = found.vaults["sea"]
    turned = structs.replace(found, vaults={"sea": structs.replace(vault, mappings=vault.mappings[::-1])})
    assert export_terraform(found, regions.state()).text == export_terraform(turned, regions.state()).text


def test_only_the_selected_pairs_are_written(regions: TwoRegions) -> None:
    one, two, spare = regions.network("one"), regions.network("two"), regions.network("spare", SEA)
    regions.map_both(one, spare)
    regions.map(two, spare)
    wanted = regions.state(row(one, spare), row(two, spare, failback=False))
    text = exported(regions, wanted, selection=Selection(pairs=frozenset({"two"}))).text
    assert list(resources(text)) == ["two_forward"]


def test_vaults_of_several_subscriptions_need_a_provider_each(regions: TwoRegions) -> None:
    hub, spare = regions.network("hub"), regions.network("spare", SEA)
    regions.map(hub, spare)
    other = "99999999-9999-9999-9999-999999999999"
    elsewhere = structs.replace(regions.vault, id=ArmId(str(regions.vault.id).replace(SUBSCRIPTION, other)))
    regions.build.add(elsewhere)
    near, far = (regions.build.azure_fabric(elsewhere, place) for place in (EA, SEA))
    regions.build.mapping(near, hub, far, spare)
    wanted = regions.state()
    wanted = structs.replace(
        wanted,
        vaults=(*wanted.vaults, Vault(name="other", id=elsewhere.id)),
        subscriptions={**wanted.subscriptions, "the dr": other},
    )
    text = exported(regions, wanted).text
    assert {block.attributes["provider"] for block in resources(text).values()} == {"azurerm.prod", "azurerm.the-dr"}
    assert f"#   the-dr: {other}\n" in text
    assert "#   prod: " in text


def test_an_unreadable_vault_is_reported(regions: TwoRegions) -> None:
    wanted = regions.state()
    found = inventory.read_inventory(wanted, regions.backend)
    broken = structs.replace(found.vaults["sea"], error=ServiceError("no answer"), mappings=())
    told = export_terraform(structs.replace(found, vaults={"sea": broken}), wanted)
    assert told.left_out == ("vault sea: no answer",)
    assert "# left out: vault sea: no answer\n" in told.text
    assert hcl.blocks(told.text) == []


# On premises


@pytest.fixture
def sites() -> TwoSites:
    return TwoSites()


def mapped_to_azure(sites: TwoSites) -> tuple[Inventory, DesiredState, str]:
    network = sites.network("dr", SEA)
    sites.build.mapping(sites.beijing, sites.nets["VMNetwork1-Beijing"], None, network)
    wanted = sites.rows()
    return inventory.read_inventory(wanted, sites.backend), wanted, str(network.id)


def test_a_mapping_from_vmm_to_azure_is_the_providers_other_resource(sites: TwoSites) -> None:
    found, wanted, network_id = mapped_to_azure(sites)
    [block] = resources(export_terraform(found, wanted).text).values()
    assert block.labels == (FROM_VMM, "VMNetwork1-Beijing")
    [mapping] = sites.world.mappings.list(sites.vault.id)
    assert block.attributes == {
        "name": mapping.name,
        "recovery_vault_id": str(sites.vault.id),
        "source_system_center_virtual_machine_manager_name": "VMM-Beijing",
        "source_network_name": "VMNetwork1-Beijing",
        "target_network_id": network_id,
    }


def test_without_the_names_of_vmm_there_is_no_resource(sites: TwoSites) -> None:
    found, wanted, _ = mapped_to_azure(sites)
    vault = structs.replace(found.vaults["sea"], topology=Unknown(error=ServiceError("forbidden")))
    told = export_terraform(structs.replace(found, vaults={"sea": vault}), wanted)
    assert hcl.blocks(told.text) == []
    assert "names of the VMM server" in told.left_out[0]


def test_a_pair_between_two_vmm_servers_is_a_comment_and_no_resource(sites: TwoSites) -> None:
    one = vmm_row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork1-Shanghai")
    near, far = sites.nets["VMNetwork1-Beijing"], sites.nets["VMNetwork1-Shanghai"]
    sites.build.mapping(sites.beijing, near, sites.shanghai, far)
    told = exported(sites, sites.rows(one))
    assert hcl.blocks(told.text) == []
    assert "# left out: vm1: VMNetwork1-Beijing (VMM-Beijing) -> " in told.text
    assert "no resource for a mapping between two VMM servers" in told.left_out[0]


# The language


@pytest.mark.parametrize(
    "text",
    [
        'say "hi"',
        "C:\\temp\\",
        "${path.root}",
        "$${x}",
        "%{ if true }",
        "%%{x}",
        "$",
        "${",
        "a\nb\r\tc",
        "\x00\x1b\x7f",
        "größe 東京 😀",
        "\u2028",
        "",
    ],
)
def test_a_string_is_text_whatever_is_in_it(text: str) -> None:
    [block] = hcl.blocks(f"x {{\n  a = {terraform.string(text)}\n}}\n")
    assert block.attributes == {"a": text}


def test_comments_stay_comments(regions: TwoRegions) -> None:
    hub, spare = regions.network("hub"), regions.network("spare", SEA)
    regions.map(hub, spare)
    wanted = regions.state(row(hub, spare, name='x\n}\nresource "evil" "evil" {\n#'))
    assert [block.type for block in hcl.blocks(exported(regions, wanted).text)] == ["resource", "import"]
