"""What leaves this machine, and with which token: the real SDK with answers from the test."""

from __future__ import annotations

import http.server
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from answering import Answering, Reply, error, in_turn

from asrnet.azure.connect import backend
from asrnet.azure.credentials import EmulatorCredential, choose, given
from asrnet.azure.pipeline import new_session
from asrnet.clocks import SimulatedClock
from asrnet.errors import ConflictError, ServiceError
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping, VirtualNetwork
from asrnet.ports import Backend, Operation
from asrnet.settings.clouds import CHINA, PUBLIC, Cloud, cloud

S = "11111111-1111-1111-1111-111111111111"
VAULT = ArmId(f"/subscriptions/{S}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v")
VNETS = f"/subscriptions/{S}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks"
FABRIC = VAULT.child("replicationFabrics", "fa")
MAPPING = NetworkMapping(
    id=FABRIC.child("replicationNetworks", "azureNetwork", "replicationNetworkMappings", "m"),
    kind="azure_to_azure",
    primary_network_id=ArmId(f"{VNETS}/a"),
    recovery_network_id=ArmId(f"{VNETS}/b"),
    recovery_fabric_id=VAULT.child("replicationFabrics", "fb"),
)
SIGNED = f"https://management.azure.com{VAULT}/replicationOperationStatus/0a1b?api-version=2025-08-01&t=1&s=secret"
ACCEPTED: Reply = (202, {"Azure-AsyncOperation": SIGNED, "Retry-After": "30"}, None)
EMPTY: Reply = (200, {}, {"value": [], "nextLink": None})


def connected(azure: Answering, at: Cloud = PUBLIC) -> Backend:
    credential = given(EmulatorCredential())
    return backend(clock=SimulatedClock(), cloud=at, credential=credential, session=azure.session)


def lists(azure: Backend) -> dict[str, Callable[[], object]]:
    return {
        "networks": lambda: list(azure.networks.virtual_networks(S)),
        "fabrics": lambda: list(azure.mappings.fabrics(VAULT)),
        "mappings": lambda: list(azure.mappings.mappings(VAULT)),
    }


@pytest.mark.parametrize("what", ["networks", "fabrics", "mappings"])
def test_a_list_on_an_unregistered_subscription_sends_one_get_and_nothing_else(what: str) -> None:
    message = "The subscription is not registered to use namespace 'Microsoft.Network'."
    azure = Answering(in_turn((409, {}, error("MissingSubscriptionRegistration", message))))
    with pytest.raises(ConflictError) as caught:
        lists(connected(azure))[what]()
    assert [request.method for request in azure.requests] == ["GET"]
    assert caught.value.hint == "az provider register --namespace Microsoft.Network"


@pytest.mark.parametrize("what", ["networks", "fabrics", "mappings"])
@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/subscriptions?page=2",
        "https://management.azure.com.evil.example/",
        "http://management.azure.com/subscriptions",
        "https://management.azure.com@evil.example/",
        "https://evil.example\\@management.azure.com/",
        "/subscriptions/relative",
        "https://127.0.0.1/",
    ],
)
def test_no_token_leaves_for_the_host_of_a_foreign_next_link(what: str, link: str) -> None:
    azure = Answering(in_turn((200, {}, {"value": [], "nextLink": link}), EMPTY))
    try:
        lists(connected(azure))[what]()
    except ServiceError as refusal:
        assert refusal.code == "ForeignHost"  # noqa: PT017 - a relative link may be joined to the endpoint instead
    hosts = {str(request.url).split("/")[2] for request in azure.requests}
    assert hosts == {"management.azure.com"}


def test_a_foreign_next_link_is_an_error_and_not_the_end_of_the_list() -> None:
    azure = Answering(in_turn((200, {}, {"value": [], "nextLink": "https://evil.example/2"}), EMPTY))
    with pytest.raises(ServiceError, match=r"evil\.example"):
        list(connected(azure).mappings.mappings(VAULT))
    assert len(azure.requests) == 1


@pytest.mark.parametrize("part", ["network_writer", "mapping_writer"])
def test_no_token_leaves_for_the_host_of_a_foreign_operation_address(part: str) -> None:
    azure = Answering(in_turn((200, {}, {"status": "Succeeded"})))
    operation = Operation(id="x", resource_id=MAPPING.id, status_url="https://evil.example/op?s=secret")
    with pytest.raises(ServiceError, match=r"evil\.example") as caught:
        getattr(connected(azure), part).operation(operation)
    assert azure.requests == []
    assert "secret" not in str(caught.value)


def test_a_foreign_operation_address_in_an_accepted_write_is_not_requested() -> None:
    azure = Answering(in_turn((202, {"Azure-AsyncOperation": "https://evil.example/op/1?s=x"}, None)))
    azure_backend = connected(azure)
    operation = azure_backend.mapping_writer.create_mapping(MAPPING)
    assert operation is not None
    with pytest.raises(ServiceError, match=r"evil\.example"):
        azure_backend.mapping_writer.operation(operation)
    assert azure.sent == [f"PUT https://management.azure.com{MAPPING.id}"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("target", ["https://evil.example/", "https://management.azure.com/elsewhere"])
def test_no_redirect_is_followed_on_reads(status: int, target: str) -> None:
    azure = Answering(in_turn((status, {"Location": target}, None)))
    with pytest.raises(ServiceError, match="redirect"):
        list(connected(azure).mappings.mappings(VAULT))
    assert len(azure.requests) == 1


@pytest.mark.parametrize("status", [302, 307])
def test_no_redirect_is_followed_on_writes(status: int) -> None:
    azure = Answering(in_turn((status, {"Location": "https://evil.example/"}, None)))
    with pytest.raises(ServiceError, match="redirect"):
        connected(azure).mapping_writer.create_mapping(MAPPING)
    assert azure.sent == [f"PUT https://management.azure.com{MAPPING.id}"]


def test_every_request_carries_the_token_and_an_id() -> None:
    azure = Answering(in_turn(EMPTY))
    list(connected(azure).mappings.mappings(VAULT))
    (request,) = azure.requests
    assert str(request.headers["Authorization"]).startswith("Bearer ey")
    assert request.headers["x-ms-client-request-id"]
    assert str(request.headers["User-Agent"]).startswith("asrnet/")


def test_another_clouds_host_is_foreign() -> None:
    azure = Answering(in_turn((200, {}, {"value": [], "nextLink": "https://management.azure.com/2"}), EMPTY))
    with pytest.raises(ServiceError, match=r"management\.azure\.com"):
        list(connected(azure, CHINA).mappings.mappings(VAULT))
    assert [str(request.url).split("/")[2] for request in azure.requests] == ["management.chinacloudapi.cn"]


def test_an_emulator_gets_the_token_over_plain_http_and_resource_manager_never() -> None:
    azure = Answering(in_turn((200, {}, {"value": [], "nextLink": "https://management.azure.com/2"}), EMPTY))
    with pytest.raises(ServiceError, match=r"management\.azure\.com"):
        list(connected(azure, cloud("public", "http://127.0.0.1:8080")).mappings.mappings(VAULT))
    (request,) = azure.requests
    assert str(request.url).startswith("http://127.0.0.1:8080/subscriptions/")
    assert str(request.headers["Authorization"]).startswith("Bearer ey")


def test_a_regional_operation_address_is_polled_with_its_query_unchanged() -> None:
    # urllib3 writes the hexadecimal digits of escapes in upper case, which Azure accepts.
    address = "https://centraluseuap.management.azure.com/op/1?t=2023-08-29T01%3A12%3A02&c=MII%2B%3D&s=x~y-_.&h=z"
    azure = Answering(in_turn((200, {}, {"status": "InProgress"})))
    given_address = address.replace("%3A", "%3a")
    connected(azure).mapping_writer.operation(Operation(id="1", resource_id=MAPPING.id, status_url=given_address))
    assert azure.requests[0].url == address


def test_braces_in_an_address_are_not_taken_for_a_template() -> None:
    azure = Answering(in_turn((200, {}, {"status": "InProgress"})))
    address = "https://management.azure.com/op/{endpoint}/{0}?s={x}"
    connected(azure).mapping_writer.operation(Operation(id="1", resource_id=MAPPING.id, status_url=address))
    assert azure.requests[0].url == "https://management.azure.com/op/%7Bendpoint%7D/%7B0%7D?s=%7Bx%7D"


def test_no_log_at_any_level_shows_a_token_or_a_signed_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    azure = Answering(in_turn(ACCEPTED, (503, {}, None), (200, {}, {"status": "Succeeded"})))
    azure_backend = connected(azure)
    operation = azure_backend.mapping_writer.create_mapping(MAPPING)
    assert operation is not None
    azure_backend.mapping_writer.operation(operation)
    assert "replicationOperationStatus/0a1b" in caplog.text
    token = str(azure.requests[0].headers["Authorization"]).removeprefix("Bearer ")
    assert token not in caplog.text
    assert "secret" not in caplog.text


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine management.azure.com login somebody password word\n")
    monkeypatch.setenv("NETRC", str(file))


@pytest.mark.usefixtures("netrc")
def test_a_password_in_netrc_does_not_replace_the_token() -> None:
    azure = Answering(in_turn(EMPTY))
    session = new_session(PUBLIC)
    session.mount("https://", azure)
    azure_backend = backend(clock=SimulatedClock(), credential=choose(PUBLIC, named="emulator"), session=session)
    list(azure_backend.mappings.mappings(VAULT))
    assert str(azure.requests[0].headers["Authorization"]).startswith("Bearer ey")


class _Empty(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b'{"value": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def local_server() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Empty)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_emulator_is_reached_without_any_proxy(local_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    azure_backend = backend(clock=SimulatedClock(), cloud=cloud("public", local_server))
    assert list(azure_backend.mappings.mappings(VAULT)) == []
    azure_backend.close()


def test_the_connection_pool_has_room_for_every_thread() -> None:
    adapter = new_session(PUBLIC).get_adapter("https://management.azure.com")
    assert isinstance(adapter, requests.adapters.HTTPAdapter)
    assert getattr(adapter, "_pool_maxsize", 0) >= 64


def versions_asked(azure: Answering) -> dict[str, str]:
    """The API version of each request, by the last word of its path."""
    urls = [urlsplit(str(request.url)) for request in azure.requests]
    return {url.path.rpartition("/")[2]: parse_qs(url.query)["api-version"][0] for url in urls}


@pytest.mark.parametrize(
    ("at", "chosen", "network"),
    [
        (PUBLIC, {}, "2026-03-01"),
        (CHINA, {}, "2024-05-01"),
        (CHINA, {"Microsoft.Network": "2023-09-01"}, "2023-09-01"),
        (PUBLIC, {"Microsoft.Network": "2023-09-01"}, "2023-09-01"),
    ],
    ids=["the SDK's own", "an older cloud's", "chosen for an older cloud", "chosen"],
)
def test_doctor_checks_the_very_versions_that_are_sent(at: Cloud, chosen: dict[str, str], network: str) -> None:
    azure = Answering(in_turn(EMPTY))
    chosen = {**chosen, "Microsoft.RecoveryServices": "2024-10-01"} if chosen else {}
    credential = given(EmulatorCredential())
    run = backend(clock=SimulatedClock(), cloud=at, credential=credential, session=azure.session, api_versions=chosen)
    told = run.surroundings.api_versions
    assert azure.requests == []
    for what in lists(run).values():
        what()
    sent = versions_asked(azure)
    assert sent["virtualNetworks"] == told["Microsoft.Network/virtualNetworks"] == network
    fabrics = told["Microsoft.RecoveryServices/vaults/replicationFabrics"]
    assert sent["replicationFabrics"] == sent["replicationNetworkMappings"] == fabrics
    assert fabrics == ("2024-10-01" if chosen else "2025-08-01")


def test_every_write_and_page_has_the_version_that_was_chosen() -> None:
    network: Reply = (201, {}, {"properties": {"provisioningState": "Succeeded"}})
    more: Reply = (200, {}, {"value": [], "nextLink": "https://management.azure.com/page2?api-version=2025-08-01"})
    azure = Answering(in_turn(network, ACCEPTED, more, EMPTY))
    versions = {"Microsoft.Network": "2023-09-01", "Microsoft.RecoveryServices": "2024-10-01"}
    run = backend(
        clock=SimulatedClock(),
        credential=given(EmulatorCredential()),
        session=azure.session,
        api_versions=versions,
    )
    vnet = VirtualNetwork(id=ArmId(f"{VNETS}/n"), location="eastus", address_space=("10.0.0.0/16",))
    run.network_writer.create_virtual_network(vnet)
    run.mapping_writer.put_mapping(MAPPING)
    list(run.mappings.mappings(VAULT))
    sent = [parse_qs(urlsplit(str(request.url)).query)["api-version"] for request in azure.requests]
    assert sent == [["2023-09-01"], ["2024-10-01"], ["2024-10-01"], ["2024-10-01"]]
