"""Any request gets an answer in Azure's form, and the emulator continues."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from wire_case import BEARER, Wire

from asrnet.emulator.app import App
from asrnet.emulator.messages import Request, Response
from asrnet.emulator.routes import ROUTES

SUB = "11111111-1111-1111-1111-111111111111"
NAMES = [
    "Rg",
    "Vault",
    "East",
    "West",
    "Hub",
    "Spare",
    "azureNetwork",
    "m",
    "..",
    "",
    "a b",
    "é",
    "%2f",
    "x" * 300,
    "\x00",
    "{}",
]
WORDS = [
    "properties",
    "location",
    "tags",
    "subnets",
    "name",
    "addressSpace",
    "addressPrefixes",
    "addressPrefix",
    "query",
]
WORDS += [
    "recoveryNetworkId",
    "recoveryFabricName",
    "fabricSpecificDetails",
    "instanceType",
    "primaryNetworkId",
    "vmNics",
]
WORDS += ["customDetails", "providerSpecificDetails", "fabricObjectId", "recoveryContainerId", "options", "dhcpOptions"]
WORDS += ["delegations", "serviceEndpoints", "ipConfigs", "nicId", "subscriptions", "targetProtectionContainerId"]
NETWORK = f"/subscriptions/{SUB}/resourceGroups/Rg/providers/Microsoft.Network/virtualNetworks"
TEXTS = [
    "",
    "eastus",
    "10.0.0.0/16",
    "10.0.0.0/99",
    "A2A",
    "AzureToAzure",
    "Azure",
    "West",
    f"{NETWORK}/Hub",
    "a/../b",
    "é\x00",
]
TEXTS += ["Resources | where name == 'x' | project id", "Resources | where ((", "Microsoft Azure"]

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(TEXTS)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
)
bodies = st.binary(max_size=50) | documents.map(lambda found: json.dumps(found).encode())
queries = st.sampled_from(
    [
        "api-version=2022-08-01",
        "api-version=2022-08-01&$filter=startTime eq 'x'",
        "api-version=2022-08-01&$skipToken=ZnJvbTo5OTk5OTk5",
        "api-version=2022-08-01&$expand=subnets/ipConfigurations&ipAddress=10.0.0.4",
        "api-version=%zz&&&=",
        "",
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    route = draw(st.sampled_from(ROUTES))
    names = {name: draw(st.sampled_from(NAMES)) for name in ("group", "vault", "fabric", "network", "mapping", "vnet")}

    class Names(dict[str, str]):
        def __missing__(self, name: str) -> str:
            return draw(st.sampled_from(NAMES))

    path = route.template.format_map(Names(names, subscription=draw(st.sampled_from([SUB, SUB, SUB, "no-guid"]))))
    return Request(
        method=draw(st.sampled_from([route.method, route.method, "PUT", "POST", "OPTIONS"])),
        path=draw(st.sampled_from([path, path, path, path + "/", "/" + path, path.upper(), path + "/%5c"])),
        query=draw(queries),
        headers=BEARER,
        body=draw(bodies),
    )


def filled() -> App:
    wire = Wire()
    vault = wire.build.vault("Vault", group="Rg")
    east, west = (
        wire.build.azure_fabric(vault, "eastus", name="East"),
        wire.build.azure_fabric(vault, "westus", name="West"),
    )
    hub = wire.build.virtual_network("Hub", "eastus", group="Rg")
    wire.build.mapping(east, hub, west, wire.build.virtual_network("Spare", "westus", group="Rg"), name="m")
    return wire.app


def check(response: Response) -> None:
    document: Any = json.loads(response.body) if response.body and response.status != 200 else None
    assert 200 <= response.status < 600
    assert response.status != 500
    if response.status >= 400:
        error = document["error"]
        assert isinstance(error, str) or {"code", "message"} <= error.keys()


@settings(max_examples=200, deadline=None)
@given(st.lists(requests(), min_size=1, max_size=6))
def test_every_request_gets_an_answer(sent: list[Request]) -> None:
    app = filled()
    for request in sent:
        check(app.handle(request))
    healthy = app.handle(Request(method="GET", path="/_asrnet/health"))
    assert healthy.status == 200


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=60), st.text(max_size=60), st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3)
)
def test_bytes_that_are_no_request_get_an_answer(path: str, query: str, headers: dict[str, str]) -> None:
    check(filled().handle(Request(method="GET", path=path, query=query, headers={**headers, **BEARER})))
