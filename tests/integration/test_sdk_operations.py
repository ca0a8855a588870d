"""Requests to Microsoft.Network and Site Recovery are made by the operations of their SDKs, and never by hand."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import requests
from answering import Answering, Reply
from azure.mgmt.network import models

from asrnet import ports
from asrnet.azure.connect import backend
from asrnet.azure.credentials import choose
from asrnet.azure.models import read_network
from asrnet.clocks import SimulatedClock
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
    Fabric,
    NetworkMapping,
    NetworkSubnet,
    ProtectedItem,
    ResourceGroup,
    Subnet,
    VirtualNetwork,
)
from asrnet.ports import Backend, Operation
from asrnet.settings.clouds import PUBLIC

ROOT = Path(__file__).parents[2]
S = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{S}/resourceGroups/rg"
VAULT = ArmId(f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v")
FABRIC = Fabric(id=VAULT.child("replicationFabrics", "f"), kind="azure", location="eastus")
CONTAINER = FABRIC.id.child("replicationProtectionContainers", "c")
ITEM = ProtectedItem(id=CONTAINER.child("replicationProtectedItems", "vm1"), friendly_name="vm1")
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
SUBNET = NetworkSubnet(id=NETWORK_ID.child("subnets", "web"), subnet=Subnet(name="web", prefixes=("10.0.1.0/24",)))
SECURITY_GROUP = ArmId(f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg")
TABLE = ArmId(f"{GROUP}/providers/Microsoft.Network/routeTables/rt")
OPERATION = Operation(id="0a1b", resource_id=MAPPING.id, status_url=STATUS)

SDK_OPERATIONS = re.compile(r"azure\.mgmt\.(network|recoveryservicessiterecovery)\.operations\b")
WHOLE_VAULT = re.compile(r"/vaults/v/replication(NetworkMappings|ProtectedItems|ProtectionContainerMappings)$")
BY_HAND = {
    "GET subscriptions/*",
    "GET subscriptions/locations",
    "GET subscriptions/providers/*",
    "GET subscriptions/resourceGroups/*",
    "PUT subscriptions/resourceGroups/*",
    "GET Authorization/permissions",
    "GET RecoveryServices/vaults/*",
    "GET RecoveryServices/vaults/replicationOperationStatus/*",
}
"""Requests without an operation in the SDKs that asrnet uses."""

CALLS: list[Callable[[Backend], object]] = [
    lambda azure: list(azure.networks.virtual_networks(S)),
    lambda azure: azure.networks.virtual_network(NETWORK.id),
    lambda azure: azure.network_writer.create_virtual_network(NETWORK),
    lambda azure: list(azure.networks.network_interfaces(S)),
    lambda azure: azure.networks.subnet_attachment(SECURITY_GROUP),
    lambda azure: azure.networks.subnet_attachment(TABLE),
    lambda azure: azure.networks.resource_group(ArmId(GROUP)),
    lambda azure: azure.network_writer.create_resource_group(ResourceGroup(id=ArmId(GROUP), location="eastus")),
    lambda azure: azure.network_writer.create_subnet(SUBNET),
    lambda azure: azure.network_writer.operation(OPERATION),
    lambda azure: azure.mappings.vault_location(VAULT),
    lambda azure: list(azure.mappings.fabrics(VAULT)),
    lambda azure: list(azure.mappings.mappings(VAULT)),
    lambda azure: azure.mappings.mapping(MAPPING.id),
    lambda azure: list(azure.mappings.protected_items(VAULT)),
    lambda azure: azure.mappings.protected_item(ITEM.id),
    lambda azure: azure.mapping_writer.update_item(ITEM),
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
    """An Azure that records the operation behind each request, and can forbid vault-wide lists."""

    def __init__(self, *, in_parts: bool = False) -> None:
        self.in_parts = in_parts
        self.made: dict[str, str] = {}

    def __call__(self, request: requests.PreparedRequest) -> Reply:
        path = unquote(urlsplit(str(request.url)).path)
        self.made[f"{request.method} {kind_of(path)}"] = operation_that_calls()
        if self.in_parts and WHOLE_VAULT.search(path):
            return 403, {}, {"error": {"code": "AuthorizationFailed", "message": "No."}}
        if request.method in {"PUT", "PATCH", "DELETE"}:
            return 202 if "vaults" in path else 201, {"Azure-AsyncOperation": STATUS}, None
        rows = {
            "replicationFabrics": {"id": str(FABRIC.id), "properties": {"customDetails": {"instanceType": "Azure"}}},
            "replicationProtectionContainers": {"id": str(CONTAINER)},
        }
        row = rows.get(path.rpartition("/")[2])
        ends = {"primaryNetworkId": str(NETWORK.id), "recoveryNetworkId": str(NETWORK.id)}
        regions = {"primaryFabricFriendlyName": "East US", "recoveryFabricFriendlyName": "West US"}
        return 200, {}, {"id": str(MAPPING.id), "properties": {**ends, **regions}, "value": [row] if row else []}


def kind_of(path: str) -> str:
    """The resource type of a request, with a star if it is a single resource."""
    provider = re.search(r".*/providers/Microsoft\.(\w+)/(.*)", path)
    words = (provider[2] if provider else path).strip("/").split("/")
    kind = "/".join([*words[0::2], *(["*"] if len(words) % 2 == 0 else [])])
    return f"{provider[1]}/{kind}" if provider else kind


def operation_that_calls() -> str:
    """The SDK operation on the stack; empty if there is none."""
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
        session = Answering(azure).session
        live = backend(clock=SimulatedClock(), credential=choose(PUBLIC, named="emulator"), session=session)
        for call in CALLS:
            call(live)
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


HTTP_LIBRARIES = re.compile(r"(urllib\.request|urllib3|http\.client|requests|httpx|aiohttp|socket|ssl)\b")
USERS_OF_HTTP = {
    "azure.answers": "socket and ssl name errors",
    "azure.connect": "the session that the pipeline gets",
    "azure.credentials": "the ID token of a GitHub workflow",
    "azure.pipeline": "the transport of every request",
    "emulator.reading": "a server's side",
    "emulator.server": "a server's side",
    "emulator.serving": "a server's side",
    "emulator.transport": "the fake in place of the network",
    "emulator.trust": "certificates of the server",
    "failover.addresses": "socket parses addresses",
    "settings.roots": "root certificates",
}
SENDERS = {"azure.resource_manager", "azure.wire"}
"""They send requests of their own: what the first may ask for is in ``BY_HAND``; only first contact uses the second."""

SENDING = {"HttpRequest", "send_request", "ARMPipelineClient", "PipelineClient", "_client._client", "_client._pipeline"}
ADDRESS = re.compile(
    r"(?i)replication[a-z]|/?virtualNetworks|networkInterfaces|networkSecurityGroups|routeTables|subnets"
    r"|providers/|microsoft\.(network|recoveryservices)"
)
NO_ADDRESSES = {
    "azure.models": {"subnets", "replicationJobs"},  # a model's member; part of the name of a job
    "azure.networks": {"subnets/ipConfigurations"},  # what an operation is asked to expand
    "azure.resource_graph": None,  # queries of Resource Graph
    "azure.resource_manager": {
        "/providers/",  # and a namespace: a resource provider itself
        "/providers/Microsoft.Authorization/permissions",
        "Microsoft.RecoveryServices/vaults",  # for doctor
    },
    "azure.sdk": {
        "Microsoft.Network",
        "Microsoft.RecoveryServices",
        "Microsoft.Network/virtualNetworks",
        "Microsoft.RecoveryServices/vaults/replicationFabrics",
    },
    "azure.translate": {"Microsoft.RecoveryServices"},
    "azure.wire": None,
}
"""What looks like an address and is none. None: a module whose strings are not judged."""


def requests_by_hand(source: str, module: str) -> list[str]:
    """What a module of asrnet has that only a request made by hand needs."""
    tree = ast.parse(source)
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
    ]
    complaints = []
    if module not in USERS_OF_HTTP:
        imports = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        imports += [
            f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        ]
        complaints += [name for name in imports if HTTP_LIBRARIES.match(name)]
    if not module.startswith("azure."):
        return complaints
    if module not in SENDERS:
        names = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute)}
        names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        complaints += [name for name in names if any(f".{name}".endswith(f".{word}") for word in SENDING)]
        # The address of an operation's state comes from Azure; nothing else is asked for by its address.
        complaints += [
            ast.unparse(node)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and re.search(r"(?i)manager\.get$", ast.unparse(node.func))
            and ast.unparse(node.args[0]) != "operation.status_url"
        ]
    allowed = NO_ADDRESSES.get(module, set())
    if allowed is not None:
        complaints += [text for text in strings if ADDRESS.search(text) and text not in allowed]
    if module not in {"azure.resource_manager", "azure.sdk"}:
        complaints += [text for text in strings if re.search(r"20\d\d-\d\d-\d\d", text)]
    return complaints


MODULES = {
    ".".join(path.relative_to(ROOT / "asrnet").with_suffix("").parts): path for path in (ROOT / "asrnet").rglob("*.py")
}


def test_no_module_makes_a_request_to_either_provider_by_hand() -> None:
    complaints = {name: requests_by_hand(path.read_text("utf-8"), name) for name, path in MODULES.items()}
    assert {name: complaint for name, complaint in complaints.items() if complaint} == {}


@pytest.mark.parametrize(
    ("module", "planted"),
    [
        ("azure.resource_manager", 'self._rows(f"{scope}/providers/Microsoft.Network/virtualNetworks", GROUP_API, s)'),
        ("azure.resource_manager", 'self.get(f"{endpoint}{vault}/replicationJobs", vault)'),
        ("azure.networks", "client.send_request(request)"),
        ("azure.networks", "from azure.core.rest import HttpRequest"),
        ("azure.networks", 'session.get(f"{endpoint}/subscriptions/{s}/virtualNetworks?api-version={v}")'),
        ("azure.networks", "client._client._pipeline.run(request)"),
        ("azure.networks", "import requests"),
        ("azure.site_recovery", 'self._manager.get(f"{endpoint}{vault}/{kind}", vault)'),
        ("azure.site_recovery", 'path = f"{vault}/replicationFabrics"'),
        ("azure.site_recovery", "from azure.mgmt.core import ARMPipelineClient"),
        ("azure.machines", 'API = "2025-08-01"'),
        ("inventory.read", "from urllib.request import urlopen"),
        ("inventory.read", "import urllib.request"),
        ("applying.looks", "from urllib import request"),
        ("diagnostics.checks", "import http.client"),
        ("cli.session", "import socket"),
        ("site_recovery", "import httpx"),
    ],
)
def test_a_request_that_is_made_by_hand_is_noticed(module: str, planted: str) -> None:
    assert requests_by_hand(f"{MODULES[module].read_text('utf-8')}\n{planted}\n", module) != []


def test_every_method_of_the_ports_is_called_above() -> None:
    called = {name for call in CALLS for name in call.__code__.co_names}
    readers = (ports.NetworkReader, ports.NetworkWriter, ports.MappingReader, ports.MappingWriter, ports.VmmReader)
    methods = {name for port in (*readers, ports.Surroundings) for name in vars(port) if not name.startswith("_")}
    assert methods - called == {
        "registration_zones",  # of Resource Graph
        "create_mapping",  # a put_mapping under a free name
        "cloud",  # sends nothing
    }


NETWORK_SETTINGS: dict[str, object] = {
    "flowTimeoutInMinutes": 10,
    "virtualNetworkPeerings": [{"name": "to-shared"}],
    "enableDdosProtection": True,
    "enableVmProtection": True,
    "ddosProtectionPlan": {"id": "/x/plan"},
    "bgpCommunities": {"virtualNetworkCommunity": "12076:20001"},
    "encryption": {"enabled": True},
    "ipAllocations": [{"id": "/x/allocation"}],
    "flowLogs": [{"id": "/x/log"}],
    "privateEndpointVNetPolicies": "Basic",
    "summarizedGatewayPrefixes": ["10.0.0.0/8"],
}
SUBNET_SETTINGS: dict[str, object] = {
    "networkSecurityGroup": {"id": "/x/nsg"},
    "routeTable": {"id": "/x/rt"},
    "natGateway": {"id": "/x/nat"},
    "serviceEndpointPolicies": [{"id": "/x/policy"}],
    "ipAllocations": [{"id": "/x/allocation"}],
    "sharingScope": "Tenant",
    "ipamPoolPrefixAllocations": [{"pool": {"id": "/x/pool"}}],
    "serviceGateway": {"id": "/x/gateway"},
}
COPIED = {
    "VirtualNetworkPropertiesFormat": {"address_space", "dhcp_options", "subnets"},
    "SubnetPropertiesFormat": {
        "address_prefix",
        "address_prefixes",
        "service_endpoints",
        "delegations",  # a field of Subnet; planning reports that a copy has none
        "private_endpoint_network_policies",
        "private_link_service_network_policies",
        "default_outbound_access",
    },
}
TOLD_BY_AZURE = {
    "VirtualNetworkPropertiesFormat": {"resource_guid", "provisioning_state", "default_public_nat_gateway"},
    "SubnetPropertiesFormat": {
        "private_endpoints",
        "ip_configurations",
        "ip_configuration_profiles",
        "resource_navigation_links",
        "service_association_links",
        "purpose",
        "provisioning_state",
        "application_gateway_ip_configurations",  # what uses the subnet
    },
}


@pytest.mark.parametrize(
    ("model", "settings"),
    [("VirtualNetworkPropertiesFormat", NETWORK_SETTINGS), ("SubnetPropertiesFormat", SUBNET_SETTINGS)],
)
def test_every_setting_that_the_sdk_knows_is_copied_or_named(model: str, settings: dict[str, object]) -> None:
    """Fails if a newer SDK has a setting that is not handled yet."""
    known = set(vars(models)[model].__annotations__)
    named = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().replace("vnet_", "v_net_") for name in settings}
    assert known - COPIED[model] - TOLD_BY_AZURE[model] == named & known
    assert named <= known


@pytest.mark.parametrize("name", NETWORK_SETTINGS)
def test_a_setting_of_a_network_that_a_copy_leaves_behind_is_named(name: str) -> None:
    network = {"id": str(NETWORK_ID), "location": "eastus", "properties": {name: NETWORK_SETTINGS[name]}}
    assert len(read_network(network).attachments) == 1


@pytest.mark.parametrize("name", SUBNET_SETTINGS)
def test_a_setting_of_a_subnet_that_a_copy_leaves_behind_is_named(name: str) -> None:
    subnet = {"name": "web", "properties": {name: SUBNET_SETTINGS[name]}}
    network = {"id": str(NETWORK_ID), "location": "eastus", "properties": {"subnets": [subnet]}}
    assert len(read_network(network).subnets[0].attachments) == 1


def test_a_network_with_nothing_special_leaves_nothing_behind() -> None:
    properties = {
        "enableDdosProtection": False,
        "privateEndpointVNetPolicies": "Disabled",
        "flowTimeoutInMinutes": None,
    }
    network = {"id": str(NETWORK_ID), "location": "eastus", "properties": {**properties, "bgpCommunities": None}}
    assert read_network(network).attachments == ()


def test_only_first_contact_sends_raw_requests() -> None:
    """``azure.wire`` sends any request, so only first contact may use it."""
    imported = re.compile(r"asrnet\.azure\.wire|from asrnet\.azure import .*\bwire\b")
    users = {name for name, path in MODULES.items() if imported.search(path.read_text("utf-8"))}
    assert users == {"azure.connect", "backends", "first_contact.__init__", "first_contact.session"}
