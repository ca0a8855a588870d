"""The az commands equivalent to a step: which, with which arguments, and quoted for a shell."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from msgspec import structs
from sample_plans import SUBSCRIPTION, VAULT, mapping, vnet

from asrnet.export.az import az_commands
from asrnet.model.azure import Fabric, NetworkMapping, Subnet, VirtualNetwork
from asrnet.model.plan import Step

MAPPING = structs.replace(
    mapping("hub-map", "hub-ea", "hub-sea"), recovery_fabric_id=VAULT.child("replicationFabrics", "sea")
)


def parsed(*commands: str) -> list[list[str]]:
    """The commands as a shell would split them, one after the other."""
    text = "\n".join(commands).replace(" \\\n", " ")
    return [shlex.split(line) for line in text.splitlines()]


def options(words: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word
        found.setdefault(name, []).append(word)
    return {name: values[1:] for name, values in found.items() if name}


def step(action: Any, resource: Any) -> Step:
    known = {"before": resource} if action == "delete" else {"after": resource}
    return Step(action=action, resource_id=resource.id, **known)


def test_a_mapping_is_created_in_its_vault_and_fabric_with_both_networks() -> None:
    (words,) = parsed(*az_commands(step("create", MAPPING)))
    assert words[:5] == ["az", "site-recovery", "network", "mapping", "create"]
    assert options(words) == {
        "--subscription": [SUBSCRIPTION],
        "--resource-group": ["rg-dr"],
        "--vault-name": ["v1"],
        "--fabric-name": ["ea"],
        "--network-name": ["azureNetwork"],
        "--name": ["hub-map"],
        "--recovery-fabric-name": ["sea"],
        "--recovery-network-id": [str(vnet("hub-sea"))],
        "--fabric-details": [f"{{azure-to-azure:{{primary-network-id:{vnet('hub-ea')}}}}}"],
    }


def test_an_update_differs_from_a_create_in_its_verb_only() -> None:
    created, updated = (parsed(*az_commands(step(action, MAPPING)))[0] for action in ("create", "update"))
    assert [one for one, other in zip(created, updated, strict=True) if one != other] == ["create"]


def test_a_mapping_is_deleted_without_a_prompt() -> None:
    (words,) = parsed(*az_commands(step("delete", MAPPING)))
    assert words[4] == "delete"
    assert words[-1] == "--yes"
    assert options(words)["--name"] == ["hub-map"]


def test_a_mapping_between_vmm_servers_is_a_separate_request() -> None:
    network = VAULT.child("replicationFabrics", "f1", "replicationNetworks", "n1")
    vmm = NetworkMapping(
        id=network.child("replicationNetworkMappings", "m"),
        kind="vmm_to_vmm",
        primary_network_id=network,
        recovery_network_id=VAULT.child("replicationFabrics", "f2", "replicationNetworks", "n2"),
        recovery_fabric_id=VAULT.child("replicationFabrics", "f2"),
    )
    (words,) = parsed(*az_commands(step("create", vmm)))
    assert words[:2] == ["az", "rest"]
    said = options(words)
    assert (said["--method"], said["--url"][0].partition("?")[0]) == (["put"], str(vmm.id))
    assert json.loads(said["--body"][0])["properties"] == {
        "recoveryFabricName": "f2",
        "recoveryNetworkId": str(vmm.recovery_network_id),
        "fabricSpecificDetails": {"instanceType": "VmmToVmm"},
    }


def test_a_copy_is_a_network_and_its_subnets() -> None:
    subnet = Subnet(
        name="web",
        prefixes=("10.0.1.0/24", "10.0.2.0/24"),
        service_endpoints=("Microsoft.Sql",),
        default_outbound_access=False,
        private_endpoint_network_policies="Disabled",
    )
    copy = VirtualNetwork(
        id=vnet("hub-ea-asr"),
        location="southeastasia",
        address_space=("10.0.0.0/16",),
        dns_servers=("10.0.0.4",),
        tags={"team": "a b; rm -rf /"},
        subnets=(subnet, Subnet(name="db", prefixes=("10.0.3.0/24",))),
    )
    network, web, db = parsed(*az_commands(step("create", copy)))
    assert network[:4] == ["az", "network", "vnet", "create"]
    assert options(network)["--tags"] == ["team=a b; rm -rf /"]
    assert options(network)["--dns-servers"] == ["10.0.0.4"]
    assert options(web) == {
        "--subscription": [SUBSCRIPTION],
        "--resource-group": ["rg"],
        "--vnet-name": ["hub-ea-asr"],
        "--name": ["web"],
        "--address-prefixes": ["10.0.1.0/24", "10.0.2.0/24"],
        "--service-endpoints": ["Microsoft.Sql"],
        "--default-outbound-access": ["false"],
        "--private-endpoint-network-policies": ["Disabled"],
    }
    assert options(db).keys() == {"--subscription", "--resource-group", "--vnet-name", "--name", "--address-prefixes"}


def test_a_fabric_is_created_for_its_region() -> None:
    fabric = Fabric(id=VAULT.child("replicationFabrics", "asr-sea"), kind="azure", location="southeastasia")
    (words,) = parsed(*az_commands(step("create", fabric)))
    assert words[:4] == ["az", "site-recovery", "fabric", "create"]
    assert options(words)["--custom-details"] == ["{azure:{location:southeastasia}}"]


def test_names_are_words_to_a_shell_whatever_is_in_them() -> None:
    hostile = structs.replace(MAPPING, recovery_network_id=vnet("x", group="rg $(reboot) 'a' `b` (c)"))
    (words,) = parsed(*az_commands(step("create", hostile)))
    assert options(words)["--recovery-network-id"] == [str(hostile.recovery_network_id)]


@pytest.mark.parametrize(
    ("group", "written"),
    [("rg-(x)_ü.y", "rg-(x)_ü.y"), ("it's", "it'/s"), ("a,b", "a,b"), ("a}b:c", "a}b:c"), ("a b", "a b")],
)
def test_an_odd_id_is_quoted_in_the_shorthand_of_az(group: str, written: str) -> None:
    """az's own parser reads ``'/`` within quotes as a quote; without quotes it stops at , : and braces."""
    odd = structs.replace(MAPPING, primary_network_id=vnet("hub", group))
    (words,) = parsed(*az_commands(step("create", odd)))
    (details,) = options(words)["--fabric-details"]
    network = str(vnet("hub", group)).replace(group, written)
    quoted = network if group == "rg-(x)_ü.y" else f"'{network}'"
    assert details == f"{{azure-to-azure:{{primary-network-id:{quoted}}}}}"
