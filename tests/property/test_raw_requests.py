"""Raw requests, valid, almost valid and invalid, on four connections at once: no 500, and no mixed answers.

``RAW_REQUESTS=200000`` sends more than the default of a few thousand, ``RAW_SEED=7`` different ones.
"""

from __future__ import annotations

import copy
import json
import os
import random
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from asrnet.clocks import SystemClock
from asrnet.emulator.app import App
from asrnet.emulator.routes import ROUTES
from asrnet.emulator.serving import Emulator, ServeOptions, running
from asrnet.fake.builder import SUBSCRIPTION, Builder

REQUESTS: Final = int(os.environ.get("RAW_REQUESTS", "3000"))
SEED: Final = int(os.environ.get("RAW_SEED", "1"))
CONNECTIONS: Final = 4
IMPLEMENTED: Final = [route for route in ROUTES if route.handler]
GROUP: Final = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-dr/providers"
VAULT: Final = f"{GROUP}/Microsoft.RecoveryServices/vaults/vault-dr"
FABRICS: Final = f"{VAULT}/replicationFabrics"
EAST: Final = f"{FABRICS}/East/replicationProtectionContainers/East-container"
WEST: Final = f"{FABRICS}/West/replicationProtectionContainers/West-container"
ITEM: Final = f"{EAST}/replicationProtectedItems/vm1"
NETWORK: Final = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks"
MACHINES: Final = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines"
# Values for path parameters, mostly names that exist, so that most requests get past a 404.
NAMES: Final = {
    "subscription": [SUBSCRIPTION],
    "group": ["rg-dr"] * 20 + ["rg", "none"],
    "vault": ["vault-dr"] * 20 + ["VAULT-DR", "new"],
    "fabric": ["East"] * 8 + ["West", "West", "plant", "none"],
    "container": ["East-container"] * 6 + ["West-container", "none"],
    "item": ["vm1"] * 6 + ["vm2", "vm2", "none"],
    "policy": ["daily", "new"],
    "plan": ["all", "new"],
    "network": ["azureNetwork", "none"],
    "mapping": ["m", "new"],
    "vnet": ["Hub", "Spare"],
}
ODD_NAMES: Final = ["..", "%2e%2e", "", "a%20b", "%00", "%ff", "x" * 400, "{}", "é", "%c3%a9", "a;b", "a%2fb"]
A2A: Final = {"instanceType": "A2A"}
# Bodies by a part of the path: most requests get a matching one.
BODIES: Final[dict[str, list[Any]]] = {
    "replicationprotecteditems/": [
        {
            "properties": {
                "policyId": f"{VAULT}/replicationPolicies/daily",
                "providerSpecificDetails": {
                    "instanceType": "A2A",
                    "fabricObjectId": f"{MACHINES}/vm2",
                    "recoveryContainerId": WEST,
                    "vmManagedDisks": [{"diskId": "/d"}],
                },
            }
        },
        {
            "properties": {
                "providerSpecificDetails": {"instanceType": "InMageRcm", "targetNetworkId": f"{NETWORK}/Spare"}
            }
        },
        {"properties": {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": A2A}},
        {"properties": {"networkId": f"{NETWORK}/Spare"}},
        {"properties": {"recoveryPointId": "x", "providerSpecificDetails": A2A}},
        {
            "properties": {
                "vmNics": [{"nicId": "n", "ipConfigs": [{"ipConfigName": "ipconfig1", "tfoSubnetName": "web"}]}]
            }
        },
    ],
    "switchprotection": [
        {
            "properties": {
                "replicationProtectedItemName": "vm1",
                "providerSpecificDetails": {"instanceType": "A2A", "recoveryContainerId": EAST, "vmManagedDisks": []},
            }
        }
    ],
    "replicationprotectioncontainermappings": [
        {"properties": {"targetProtectionContainerId": WEST, "policyId": f"{VAULT}/replicationPolicies/daily"}}
    ],
    "replicationprotectioncontainers/": [{"properties": {"providerSpecificInput": [A2A]}}],
    "replicationnetworkmappings": [
        {
            "properties": {
                "recoveryFabricName": "West",
                "recoveryNetworkId": f"{NETWORK}/Spare",
                "fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": f"{NETWORK}/Hub"},
            }
        }
    ],
    "replicationpolicies": [{"properties": {"providerSpecificInput": {**A2A, "recoveryPointHistory": 60}}}],
    "replicationrecoveryplans": [
        {
            "properties": {
                "primaryFabricId": f"{FABRICS}/East",
                "recoveryFabricId": f"{FABRICS}/West",
                "groups": [{"groupType": "Boot", "replicationProtectedItems": [{"id": ITEM}]}],
            }
        },
        {"properties": {"failoverDirection": "PrimaryToRecovery"}},
    ],
    "replicationfabrics/": [
        {"properties": {"customDetails": {"instanceType": "Azure", "location": "northeurope"}}},
        {"properties": {"customDetails": {"instanceType": "InMageRcm", "vmwareSiteId": "/s"}}},
    ],
    "virtualnetworks": [
        {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}, "subnets": []}},
        {"properties": {"addressPrefix": "10.0.7.0/24"}},
    ],
    "": [
        {"query": "Resources | where type == 'x' | project id"},
        {"seconds": 5},
        {"location": "eastus", "tags": {"a": "b"}},
    ],
}
ODD_VALUES: Final[list[Any]] = [None, True, -1, 2**70, 1e400, "", "\x00", "10.0.0.0/99", [], {}, [None], "a/../b", ITEM]
QUERIES: Final = [
    *["api-version=2022-08-01"] * 30,
    "api-version=2025-08-01&$filter=startTime eq 'x'".replace(" ", "%20"),
    "api-version=2022-08-01&$skipToken=ZnJvbTo5OTk5",
    "api-version=%zz&&=",
    "",
]


def filled() -> App:
    """A vault with two regions, a mapped network, a protected and an unprotected machine, a plan and a site."""
    build = Builder(clock=SystemClock())
    vault = build.vault()
    east, west = build.azure_fabric(vault, "eastus", name="East"), build.azure_fabric(vault, "westus", name="West")
    hub, spare = (
        build.virtual_network(name, place, subnets={"web": "10.0.1.0/24"}, address_space=["10.0.0.0/16"])
        for name, place in (("Hub", "eastus"), ("Spare", "westus"))
    )
    build.mapping(east, hub, west, spare, name="m")
    build.site(vault, "plant", "InMageRcm")
    build.virtual_machine("vm2", hub, subnet="web")
    build.recovery_plan(vault, "all", build.protected_machine(vault, "vm1", hub, spare, subnet="web", ip="10.0.1.4"))
    build.replication_policy(vault)
    app = App(build.world)
    app.checkpoint()
    return app


class Client:
    """One connection, reopened when the server closes it, with its own sequence of requests."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._draw = random.Random(seed)
        self._connection: socket.socket | None = None

    def send(self, count: int) -> None:
        """Send ``count`` requests and check every answer."""
        for number in range(count):
            if number % 60 == 59:
                self._exchange(b"POST /_asrnet/reset HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", whole=True)
            raw, whole = self._request()
            self._exchange(raw, whole=whole)
        self._close()

    def _request(self) -> tuple[bytes, bool]:
        """The bytes of a request, and whether it is complete so that the connection continues."""
        draw = self._draw
        route = draw.choice(IMPLEMENTED if draw.random() < 0.95 else ROUTES)

        class Names(dict[str, str]):
            def __missing__(self, name: str) -> str:
                return draw.choice(ODD_NAMES if draw.random() < 0.03 else NAMES.get(name, ["none", "default"]))

        path = route.template.format_map(Names())
        method = draw.choice([route.method] * 60 + ["PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"])
        body = b"" if method in {"GET", "HEAD"} and draw.random() < 0.9 else self._body(path)
        headers = {
            "Host": draw.choice(["127.0.0.1", "localhost:1", "x"]),
            "Authorization": "Bearer x",
            "Content-Type": draw.choice(["application/json"] * 9 + ["text/plain"]),
            "Content-Length": str(len(body)),
        }
        if draw.random() < 0.05:
            del headers[draw.choice([*headers])]
        if body and "Content-Length" in headers and draw.random() < 0.1:
            del headers["Content-Length"]
            headers["Transfer-Encoding"] = "chunked"
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        query = draw.choice(QUERIES)
        target = f"{path}?{query}" if query else path
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        raw = "\r\n".join(lines).encode() + body
        if draw.random() < 0.9:
            # Without a length HTTP reads a body as the next request.
            return raw, not body or len(headers.keys() & {"Content-Length", "Transfer-Encoding"}) == 1
        for _ in range(draw.randint(1, 6)):
            place = draw.randrange(len(raw) + 1)
            junk = bytes(draw.randrange(256) for _ in range(draw.randint(0, 4)))
            raw = raw[:place] + junk + raw[place + draw.randint(0, 4) :]
        return raw, False

    def _body(self, path: str) -> bytes:
        draw = self._draw
        fitting = next(bodies for word, bodies in BODIES.items() if word in path.lower())
        document = copy.deepcopy(draw.choice(fitting if draw.random() < 0.9 else next(iter(BODIES.values()))))
        for _ in range(draw.choice([0, 0, 0, 1, 1, 2, 5])):
            self._spoil(document)
        body = json.dumps(document).encode()
        return body if draw.random() < 0.95 else body[: draw.randrange(len(body))]

    def _spoil(self, document: Any) -> None:
        """Replace one value somewhere in a document by an odd one."""
        draw = self._draw
        while isinstance(document, (dict, list)) and document:
            key = draw.choice([*document]) if isinstance(document, dict) else draw.randrange(len(document))
            if not isinstance(document[key], (dict, list)) or draw.random() < 0.3:
                document[key] = copy.deepcopy(draw.choice(ODD_VALUES))
                return
            document = document[key]

    def _exchange(self, raw: bytes, *, whole: bool) -> None:
        if self._connection is None:
            self._connection = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._connection.sendall(raw)
        if not whole:
            self._connection.shutdown(socket.SHUT_WR)
        goes_on = check(self._connection, raw, is_head=raw.startswith(b"HEAD "), must_answer=whole)
        if not (whole and goes_on):
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def check(connection: socket.socket, raw: bytes, *, is_head: bool, must_answer: bool) -> bool:
    """Read an answer, which must be complete and no server error; return whether the connection continues.

    A broken request alone may get no answer.
    """
    said = f"{raw[:600]!r}"
    with connection.makefile("rb") as answer:
        status_line = answer.readline()
        if not status_line:
            assert not must_answer, said
            return False
        status = int(status_line.split()[1])
        assert status not in {500, 502, 503, 504}, (status, said)
        headers: dict[str, str] = {}
        while (line := answer.readline()) != b"\r\n":
            assert line.endswith(b"\r\n"), (line, said)
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if is_head or status == 204 or status < 200 else int(headers["content-length"])
        body = answer.read(length)
        assert len(body) == length, (headers, body, said)
        if body and "json" in headers.get("content-type", ""):
            document = json.loads(body)
            if status >= 400:
                error = document["error"]
                assert isinstance(error, str) or {"code", "message"} <= error.keys(), (document, said)
        return headers.get("connection", "").lower() != "close"


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with running(filled(), ServeOptions(port=0, tls_port=0, cache=str(tmp_path))) as opened:
        yield opened


def test_every_raw_request_gets_a_whole_answer_and_no_500(emulator: Emulator) -> None:
    port = int(emulator.http.rpartition(":")[2])
    clients = [Client(port, SEED * 1000 + number) for number in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for sent in [pool.submit(client.send, REQUESTS // CONNECTIONS) for client in clients]:
            sent.result()
