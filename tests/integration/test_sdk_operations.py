"""Requests to Microsoft.Network and Site Recovery are made by the operations of their SDKs, and never by hand."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import requests
from answering import Answering, Reply

from asrnet.azure.clouds import PUBLIC
from asrnet.azure.connect import backend
from asrnet.azure.credentials import choose
from asrnet.clocks import SimulatedClock
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, NetworkMapping, VirtualNetwork
from asrnet.ports import Backend, Operation

ROOT = Path(__file__).parents[2]
S = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{S}/resourceGroups/rg"
VAULT = ArmId(f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v")
FABRIC = Fabric(id=VAULT.child("replicationFabrics", "f"), kind="azure", location="eastus")
CONTAINER = FABRIC.id.child("replicationProtectionContainers", "c")
NETWORK_ID = ArmId(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/n")
NETWORK = VirtualNetwork(id=NETWORK_ID, location="eastus", address_space=("10.0.0.0/16",))
MAPPING = NetworkMapping(
    id=FABRIC.id.child("replicationNetworks", "azureNetwork", "replicationNetworkMappings", "m"),
    kind="azure_to_azure",
    primary_network_id=NETWORK.id,
    recovery_network_id=NETWORK.id,
    recovery_fabric_id=FABRIC.id,
)
STATUS = f"https://management.azure.com{VAULT}/replicationOperationStatus/0a1b?s=x"
OPERATION = Operation(id="0a1b", resource_id=MAPPING.id, status_url=STATUS)

SDK_OPERATIONS = re.compile(r"azure\.mgmt\.(network|recoveryservicessiterecovery)\.operations\b")
WHOLE_VAULT = re.compile(r"/vaults/v/replication(NetworkMappings|ProtectedItems|ProtectionContainerMappings)$")
BY_HAND = {
    "GET subscriptions/*",
    "GET subscriptions/locations",
    "GET subscriptions/providers/*",
    "GET Authorization/permissions",
    "GET RecoveryServices/vaults/*",
    "GET RecoveryServices/vaults/replicationOperationStatus/*",
}
"""What has no operation in the SDKs that asrnet has."""

CALLS: list[Callable[[Backend], object]] = [
    lambda azure: list(azure.networks.virtual_networks(S)),
    lambda azure: azure.networks.virtual_network(NETWORK.id),
    lambda azure: azure.network_writer.create_virtual_network(NETWORK),
    lambda azure: azure.network_writer.operation(OPERATION),
    lambda azure: azure.mappings.vault_location(VAULT),
    lambda azure: list(azure.mappings.fabrics(VAULT)),
    lambda azure: list(azure.mappings.mappings(VAULT)),
    lambda azure: azure.mappings.mapping(MAPPING.id),
    lambda azure: list(azure.mappings.protected_items(VAULT)),
    lambda azure: list(azure.mappings.jobs(VAULT)),
    lambda azure: azure.mapping_writer.create_fabric(FABRIC),
    lambda azure: azure.mapping_writer.put_mapping(MAPPING),
    lambda azure: azure.mapping_writer.patch_mapping(MAPPING),
    lambda azure: azure.mapping_writer.delete_mapping(MAPPING.id),
    lambda azure: azure.mapping_writer.operation(OPERATION),
    lambda azure: list(azure.vmm.vm_networks(FABRIC.id)),
    lambda azure: list(azure.vmm.logical_networks(FABRIC.id)),
    lambda azure: list(azure.vmm.clouds(FABRIC.id)),
    lambda azure: list(azure.vmm.cloud_mappings(VAULT)),
    lambda azure: azure.surroundings.subscription(S),
    lambda azure: azure.surroundings.regions(S),
    lambda azure: azure.surroundings.provider(S, "Microsoft.Network"),
    lambda azure: azure.surroundings.rights(VAULT),
    lambda azure: azure.surroundings.api_versions,
]


class Azure:
    """An Azure that notes which operation made each request, and forbids the lists of whole vaults if it is told to."""

    def __init__(self, *, in_parts: bool = False) -> None:
        self.in_parts = in_parts
        self.made: dict[str, str] = {}

    def __call__(self, request: requests.PreparedRequest) -> Reply:
        path = unquote(urlsplit(str(request.url)).path)
        self.made[f"{request.method} {kind_of(path)}"] = operation_that_calls()
        if self.in_parts and WHOLE_VAULT.search(path):
            return 403, {}, {"error": {"code": "AuthorizationFailed", "message": "No."}}
        if request.method in {"PUT", "PATCH", "DELETE"}:
            return 201 if "virtualNetworks" in path else 202, {"Azure-AsyncOperation": STATUS}, None
        rows = {
            "replicationFabrics": {"id": str(FABRIC.id), "properties": {"customDetails": {"instanceType": "Azure"}}},
            "replicationProtectionContainers": {"id": str(CONTAINER)},
        }
        row = rows.get(path.rpartition("/")[2])
        ends = {"primaryNetworkId": str(NETWORK.id), "recoveryNetworkId": str(NETWORK.id)}
        regions = {"primaryFabricFriendlyName": "East US", "recoveryFabricFriendlyName": "West US"}
        return 200, {}, {"id": str(MAPPING.id), "properties": {**ends, **regions}, "value": [row] if row else []}


def kind_of(path: str) -> str:
    """What a request is about: the resource type, and a star where it is a single resource and not a list."""
    provider = re.search(r".*/providers/Microsoft\.(\w+)/(.*)", path)
    words = (provider[2] if provider else path).strip("/").split("/")
    kind = "/".join([*words[0::2], *(["*"] if len(words) % 2 == 0 else [])])
    return f"{provider[1]}/{kind}" if provider else kind


def operation_that_calls() -> str:
    """The operation of an SDK that is on the stack; empty where there is none."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if SDK_OPERATIONS.match(frame.f_globals["__name__"]):
            group, operation = frame.f_code.co_qualname.split(".")[:2]
            group = re.sub(r"(?<!^)(?=[A-Z])", "_", group.removesuffix("Operations")).lower()
            operation = re.sub(r"^_(\w+)_initial$", r"begin_\1", operation)
            return f"{group}.{operation}"
    return ""


def requests_made() -> dict[str, str]:
    """Every kind of request that the ports send, and the operation that makes it."""
    made: dict[str, str] = {}
    for in_parts in (False, True):
        azure = Azure(in_parts=in_parts)
        ports = backend(
            clock=SimulatedClock(), credential=choose(PUBLIC, named="emulator"), session=Answering(azure).session
        )
        for call in CALLS:
            call(ports)
        made |= azure.made
    return made


def test_every_request_to_either_provider_is_made_by_an_operation_of_its_sdk() -> None:
    made = requests_made()
    assert {request for request, operation in made.items() if not operation} == BY_HAND
    assert len(made) - len(BY_HAND) >= 19


def test_the_architecture_page_names_every_request_and_its_operation() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| `((?:GET|PUT|PATCH|DELETE) [^`]+)` \| (?:`([^`]+)`|none) \|$", page, re.MULTILINE)
    assert dict(rows) == requests_made()


def strings(tree: ast.AST) -> Iterator[str]:
    """The string constants of a module that are not documentation."""
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


@pytest.mark.parametrize("module", sorted((ROOT / "asrnet/azure").glob("*.py")), ids=lambda path: path.stem)
def test_no_module_writes_an_address_of_either_provider(module: Path) -> None:
    """One module sends requests of its own; what it may ask for is in ``BY_HAND``."""
    source = module.read_text("utf-8")
    tree = ast.parse(source)
    assert [text for text in strings(tree) if re.search(r"/replication[A-Z]|virtualNetworks/|/subnets", text)] in (
        [],
        ["Microsoft.RecoveryServices/vaults/replicationFabrics"],  # a resource type, for doctor
        ["subnets/ipConfigurations"],  # what an operation is asked to expand
    )
    if module.stem != "resource_manager":
        assert "HttpRequest(" not in source
        assert ".send_request(" not in source
    if module.stem not in {"resource_manager", "sdk"}:
        assert not [text for text in strings(tree) if re.search(r"20\d\d-\d\d-\d\d", text)]
