"""Live mappings for Bicep and az: each file is parsed in its own language and matches the mappings."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import bicep
import pytest
from msgspec import structs
from states import TwoRegions, row
from two_sites import TwoSites, vmm_row

from asrnet.desired import DesiredState, Vault
from asrnet.errors import InputError
from asrnet.export.az_script import export_az
from asrnet.export.bicep import TYPE, export_bicep, string
from asrnet.fake.builder import SUBSCRIPTION
from asrnet.inventory import read as inventory
from asrnet.inventory.read import Inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping
from asrnet.model.bodies import API_VERSION, mapping_body

SEA = "southeastasia"
ODD = [
    "it's",
    'say "hi"',
    "$HOME",
    "${jndi:x}",
    "$(reboot)",
    "`reboot`",
    "a b",
    "größe",
    "-f",
    "--yes",
    "; reboot",
    "!x",
]


def mappings_in(found: Inventory) -> list[NetworkMapping]:
    return [mapping for vault in found.vaults.values() for mapping in vault.mappings]


def of_two_regions(names: list[str]) -> tuple[Inventory, DesiredState]:
    """Pairs whose mappings have these names."""
    regions = TwoRegions()
    for number, _ in enumerate(names):
        regions.map_both(regions.network(f"net{number}"), regions.network(f"spare{number}", SEA))
    desired = regions.state()
    found = inventory.read_inventory(desired, regions.backend)
    vault = found.vaults["sea"]
    renamed = tuple(
        structs.replace(
            mapping, id=mapping.id.parent.child("replicationNetworkMappings", names[index // 2] + "12"[index % 2])
        )
        for index, mapping in enumerate(vault.mappings)
    )
    return structs.replace(found, vaults={"sea": structs.replace(vault, mappings=renamed)}), desired


def of_two_sites() -> tuple[Inventory, DesiredState]:
    sites = TwoSites()
    near, far = sites.nets["VMNetwork1-Beijing"], sites.nets["VMNetwork1-Shanghai"]
    sites.build.mapping(sites.beijing, near, sites.shanghai, far)
    sites.build.mapping(sites.shanghai, far, sites.beijing, near)
    desired = sites.rows(vmm_row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork1-Shanghai"))
    return inventory.read_inventory(desired, sites.backend), desired


def in_bicep(text: str) -> dict[str, dict[str, Any]]:
    """The body of each resource by its name, as the text of the file means them."""
    resources = bicep.parse(text).declarations.values()
    assert {resource.what for resource in resources} <= {TYPE}
    return {unescaped(resource.value["name"]): resource.value["properties"] for resource in resources}


def unescaped(literal: str) -> str:
    return literal.replace("\\$", "$").replace("\\'", "'").replace("\\\\", "\\")


def in_az(text: str, folder: Path) -> list[list[str]]:
    """The arguments of each command of a script, as a shell passes them to az."""
    recorder = 'az() { printf "%s\\0" "$@" >> "$CALLS"; printf "\\n\\0" >> "$CALLS"; }\n'
    calls = folder / "calls"
    subprocess.run(
        ["/bin/bash"], input=recorder + text, text=True, check=True, env={"CALLS": str(calls), "LC_ALL": "C.UTF-8"}
    )
    commands: list[list[str]] = [[]]
    for word in calls.read_text("utf-8").split("\0")[:-1]:
        if word == "\n":
            commands.append([])
        else:
            commands[-1].append(word)
    return commands[:-1]


def options(words: list[str]) -> dict[str, str]:
    """The options of a command as argparse, which az uses, takes them."""
    taken: dict[str, str] = {}
    rest = list(words)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        assert name.startswith("--")
        taken[name] = value if equals else rest.pop(0)
        assert equals or not taken[name].startswith("-")
    return taken


def test_every_mapping_is_a_resource_of_bicep_with_the_body_that_asrnet_sends() -> None:
    found, desired = of_two_regions(["a", "b"])
    assert in_bicep(export_bicep(found, desired).text) == {
        f"{mapping.vault_id.name}/{mapping.fabric_id.name}/{mapping.id.parent.name}/{mapping.name}": mapping_body(
            mapping
        )["properties"]
        for mapping in mappings_in(found)
    }


def test_mappings_between_vmm_servers_are_exported_to_both() -> None:
    found, desired = of_two_sites()
    bodies = in_bicep(export_bicep(found, desired).text)
    assert [body["fabricSpecificDetails"] for body in bodies.values()] == [{"instanceType": "VmmToVmm"}] * 2


def test_odd_names_are_escaped_in_bicep() -> None:
    found, desired = of_two_regions(ODD)
    exported = export_bicep(found, desired)
    assert {name.split("/")[-1] for name in in_bicep(exported.text)} == {mapping.name for mapping in mappings_in(found)}
    assert exported.left_out == ()


@pytest.mark.parametrize("text", ["a'b", "a\\", "${x}", "a$", "a\nb\tc\r", "\x1b\u202e", "\U0001f600", "''"])
def test_a_bicep_string_cannot_be_ended_and_holds_no_expression(text: str) -> None:
    file = bicep.parse(f"var x = {string(text)}\n")
    assert list(file.declarations) == ["x"]
    assert not file.used
    assert not isinstance(file.declarations["x"].value, bicep.Expression)
    assert string(text).isprintable()


def test_bicep_is_refused_where_a_file_could_not_be_deployed_to_one_group() -> None:
    regions = TwoRegions()
    regions.map_both(regions.network("hub"), regions.network("spare", SEA))
    found = inventory.read_inventory(regions.state(), regions.backend)
    other_id = ArmId(str(regions.vault.id).replace("/rg-dr/", "/rg-other/"))
    vault = found.vaults["sea"]
    moved = tuple(
        structs.replace(mapping, id=ArmId(str(mapping.id).replace("/rg-dr/", "/rg-other/")))
        for mapping in vault.mappings
    )
    other = structs.replace(vault, name="other", id=other_id, mappings=moved)
    desired = structs.replace(regions.state(), vaults=(*regions.state().vaults, Vault(name="other", id=other_id)))
    with pytest.raises(InputError, match="in 2 resource groups, and a Bicep file is deployed to one"):
        export_bicep(structs.replace(found, vaults={"sea": vault, "other": other}), desired)


def test_every_mapping_is_a_command_of_az_that_a_shell_passes_on_as_it_is(tmp_path: Path) -> None:
    found, desired = of_two_regions(ODD)
    commands = in_az(export_az(found, desired).text, tmp_path)
    assert [command[:4] for command in commands] == [["site-recovery", "network", "mapping", "create"]] * 2 * len(ODD)
    created = {options(command[4:])["--name"]: options(command[4:]) for command in commands}
    for mapping in mappings_in(found):
        assert mapping.recovery_fabric_id is not None
        assert created[mapping.name] == {
            "--subscription": SUBSCRIPTION,
            "--resource-group": mapping.vault_id.resource_group,
            "--vault-name": mapping.vault_id.name,
            "--fabric-name": mapping.fabric_id.name,
            "--network-name": mapping.id.parent.name,
            "--name": mapping.name,
            "--recovery-fabric-name": mapping.recovery_fabric_id.name,
            "--recovery-network-id": str(mapping.recovery_network_id),
            "--fabric-details": f"{{azure-to-azure:{{primary-network-id:{mapping.primary_network_id}}}}}",
        }


def test_mappings_between_vmm_servers_are_sent_as_they_are(tmp_path: Path) -> None:
    found, desired = of_two_sites()
    commands = in_az(export_az(found, desired).text, tmp_path)
    for mapping, command in zip(mappings_in(found), commands, strict=True):
        assert command[0] == "rest"
        sent = options(command[1:])
        assert (sent["--method"], unquote(sent["--url"])) == ("put", f"{mapping.id}?api-version={API_VERSION}")
        assert json.loads(sent["--body"]) == mapping_body(mapping)


def test_a_name_that_az_would_read_as_a_file_is_left_out_and_reported() -> None:
    found, desired = of_two_regions(["@secret"])
    exported = export_az(found, desired)
    assert "az would read a file in place of the name @secret1 or @secret2" in exported.left_out[0]
    assert "az site-recovery" not in exported.text
    assert exported.left_out[0] in exported.text


def test_no_name_can_end_a_comment() -> None:
    regions = TwoRegions()
    hub, spare = regions.network("hub"), regions.network("spare", SEA)
    regions.map_both(hub, spare)
    desired = regions.state(row(hub, spare, name="a\nresource x"))
    found = inventory.read_inventory(desired, regions.backend)
    for export in (export_bicep, export_az):
        assert "\nresource x" not in export(found, desired).text
