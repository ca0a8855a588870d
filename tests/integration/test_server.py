"""The emulator's server: HTTP, valid and invalid; TLS; limits; start and end."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pytest
import requests
from msgspec import structs

from asrnet.clocks import SystemClock
from asrnet.emulator.app import App
from asrnet.emulator.capture import Capture
from asrnet.emulator.faults import Fault
from asrnet.emulator.server import Timeouts
from asrnet.emulator.serving import Emulator, ServeOptions, app_of, running
from asrnet.emulator.trust import cached_trust
from asrnet.errors import DocumentError, InputError
from asrnet.fake.builder import SUBSCRIPTION, Builder

BEARER = {"Authorization": "Bearer made-up"}
GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
VERSION = "?api-version=2022-08-01"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def emulator(cache: str) -> Iterator[Emulator]:
    with running(App(Builder(clock=SystemClock()).world), ServeOptions(port=0, tls_port=0, cache=cache)) as found:
        yield found


@pytest.fixture
def hasty(cache: str) -> Iterator[Emulator]:
    timeouts = Timeouts(idle=0.3, request=0.3, answer=1.0)
    options = ServeOptions(port=0, tls_port=0, cache=cache)
    with running(App(Builder(clock=SystemClock()).world), options, timeouts=timeouts) as found:
        yield found


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


class Line:
    """A connection for raw bytes."""

    def __init__(self, emulator: Emulator) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port_of(emulator.http)), timeout=10)
        self.file = self.socket.makefile("rb")

    def send(self, text: str | bytes) -> None:
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def receive(self) -> tuple[int, dict[str, str], Any]:
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline()) not in {b"\r\n", b""}:
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = self.file.read(int(headers.get("content-length", 0)))
        return status, headers, json.loads(body) if body else None

    def ask(self, head: str, body: str | bytes = b"") -> tuple[int, dict[str, str], Any]:
        self.send(f"{head}\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n" if "\r\n\r\n" not in head else head)
        self.send(body)
        return self.receive()

    def is_closed(self) -> bool:
        return self.file.read(1) == b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()


def test_tls_is_trusted_through_the_authoritys_file(emulator: Emulator) -> None:
    for host in ("127.0.0.1", "localhost"):
        url = f"https://{host}:{port_of(emulator.https)}{GROUPS}{VERSION}"
        answer = requests.get(url, headers=BEARER, verify=str(emulator.ca), timeout=10)
        assert (answer.status_code, answer.json()) == (200, {"value": []})
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{emulator.https}/", timeout=10)


def test_the_certificate_authority_is_served(emulator: Emulator) -> None:
    answer = requests.get(f"{emulator.http}/_asrnet/ca.pem", timeout=10)
    assert answer.content == emulator.ca.read_bytes()


def test_links_have_the_scheme_and_host_the_client_used(emulator: Emulator) -> None:
    found = requests.get(f"{emulator.http}/metadata/endpoints?api-version=2022-09-01", timeout=10).json()
    assert found["resourceManager"] == emulator.http
    host = {"Host": "localhost:4591"}
    found = requests.get(f"{emulator.http}/metadata/endpoints", headers=host, timeout=10).json()
    assert found["resourceManager"] == "http://localhost:4591"
    found = requests.get(f"{emulator.http}/metadata/endpoints", headers={"Host": "a/b?<c>"}, timeout=10).json()
    assert found["resourceManager"] == emulator.http


def test_a_browser_is_not_told_to_refuse_http_on_localhost(emulator: Emulator) -> None:
    url = f"http://localhost:{port_of(emulator.http)}/subscriptions{VERSION}"
    assert "Strict-Transport-Security" not in requests.get(url, timeout=10).headers


def test_a_connection_carries_many_requests(emulator: Emulator) -> None:
    with Line(emulator) as line:
        statuses = [line.ask(f"GET {GROUPS}{VERSION} HTTP/1.1")[0] for _ in range(5)]
        assert statuses == [200] * 5
        assert line.ask(f"GET /nowhere{VERSION} HTTP/1.1")[0] == 404
        put = f"PUT {GROUPS}/rg{VERSION} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: 21\r\n\r\n"
        assert line.ask(put, '{"location":"eastus"}')[0] == 201
        assert line.ask(f"DELETE {GROUPS}/rg{VERSION} HTTP/1.1")[0] == 200


def test_requests_can_be_pipelined(emulator: Emulator) -> None:
    one = f"GET {GROUPS}{VERSION} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n"
    with Line(emulator) as line:
        line.send(one * 3)
        assert [line.receive()[0] for _ in range(3)] == [200, 200, 200]


def test_connection_close_is_confirmed_and_honoured(emulator: Emulator) -> None:
    with Line(emulator) as line:
        request = f"GET {GROUPS}{VERSION} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n"
        status, headers, _ = line.ask(request)
        assert (status, headers["connection"]) == (200, "close")
        assert line.is_closed()


def test_head_has_the_headers_of_an_answer_and_no_body(emulator: Emulator) -> None:
    answer = requests.head(f"{emulator.http}{GROUPS}/rg{VERSION}", headers=BEARER, timeout=10)
    assert (answer.status_code, answer.content) == (404, b"")


def test_a_chunked_body_is_accepted(emulator: Emulator) -> None:
    with Line(emulator) as line:
        start = f"PUT {GROUPS}/rg{VERSION} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n"
        head = f"{start}Transfer-Encoding: chunked\r\n\r\n"
        body = '9;x=y\r\n{"locatio\r\nc\r\nn":"eastus"}\r\n0\r\nTrailer: x\r\n\r\n'
        assert line.ask(head, body)[0] == 201
        assert line.ask(f"GET {GROUPS}/rg{VERSION} HTTP/1.1")[0] == 200


def test_a_client_that_expects_100_continue_gets_it(emulator: Emulator) -> None:
    with Line(emulator) as line:
        head = f"PUT {GROUPS}/rg{VERSION} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: 21\r\n"
        line.send(f"{head}Expect: 100-continue\r\n\r\n")
        assert b"100 Continue" in line.file.readline()
        assert line.file.readline() == b"\r\n"
        line.send('{"location":"eastus"}')
        assert line.receive()[0] == 201


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        ("Content-Length: 5000000", b"", 413),
        ("Content-Length: -1", b"", 400),
        ("Content-Length: 1_0", b"", 400),
        ("Content-Length: x", b"", 400),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked", b"", 400),
        ("Transfer-Encoding: gzip", b"", 501),
        ("Transfer-Encoding: chunked", b"FFFFFFFF\r\n", 413),
        ("Transfer-Encoding: chunked", b"zz\r\n", 400),
        ("Transfer-Encoding: chunked", b"1\r\nabc\r\n", 400),
        ("X: " + "y" * 70000, b"", 431),
        ("\r\n".join(f"X-{n}: y" for n in range(200)), b"", 431),
    ],
)
def test_bad_requests_get_an_error_and_the_connection_ends(
    emulator: Emulator, head: str, body: bytes, status: int
) -> None:
    with Line(emulator) as line:
        answer = line.ask(f"PUT {GROUPS}/rg{VERSION} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n", body)
        assert (answer[0], list(answer[2]["error"])) == (status, ["code", "message"])
        assert answer[1]["connection"] == "close"
    with Line(emulator) as line:
        assert line.ask(f"GET {GROUPS}{VERSION} HTTP/1.1")[0] == 200


@pytest.mark.parametrize(
    "text",
    [
        "\x16\x03\x01garbage\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / X\r\n\r\n",
        "HEAD\x1d/ HTTP/1.1\r\n\r\n",
    ],
)
def test_bytes_that_are_not_http_are_refused_in_json(emulator: Emulator, text: str) -> None:
    with Line(emulator) as line:
        line.send(text)
        received = line.file.read()
        assert b'{"error":{"code":"BadRequest"' in received
        assert b"Traceback" not in received


def test_an_endless_request_line_is_refused(emulator: Emulator) -> None:
    with Line(emulator) as line:
        status, _, body = line.ask(f"GET /{'a' * 70000} HTTP/1.1\r\n\r\n")
        assert (status, body["error"]["code"]) == (414, "BadRequest")


def test_worlds_may_be_larger_than_azure_requests(emulator: Emulator) -> None:
    padding = b"# " + b"x" * 5_000_000 + b"\n"
    answer = requests.post(f"{emulator.http}/_asrnet/seed", data=padding + b"version: 1\n", timeout=30)
    assert answer.status_code == 204


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"])
def test_a_client_that_is_too_slow_is_disconnected(hasty: Emulator, sent: bytes) -> None:
    with Line(hasty) as line:
        line.send(sent)
        assert line.is_closed()


def test_a_client_that_sends_byte_by_byte_gets_no_more_time(hasty: Emulator) -> None:
    with Line(hasty) as line:
        line.socket.settimeout(5)
        sent = 0
        try:
            while sent < 500:
                line.send(b"x")
                sent += 1
                line.socket.settimeout(0.02)
                try:
                    if line.socket.recv(1) == b"":
                        break
                except TimeoutError:
                    line.socket.settimeout(5)
        except OSError:
            pass
        assert sent < 100


def test_a_silent_client_on_the_tls_port_delays_nobody(emulator: Emulator) -> None:
    with socket.create_connection(("127.0.0.1", port_of(emulator.https))):
        answer = requests.get(f"{emulator.https}{GROUPS}{VERSION}", headers=BEARER, verify=str(emulator.ca), timeout=5)
        assert answer.status_code == 200


def test_plain_http_on_the_tls_port_does_no_harm(emulator: Emulator) -> None:
    with socket.create_connection(("127.0.0.1", port_of(emulator.https)), timeout=5) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert plain.recv(1000).startswith(b"HTTP/1.1 400 ")
    assert requests.get(f"{emulator.https}/_asrnet/health", verify=str(emulator.ca), timeout=5).status_code == 200


def test_tls_1_2_is_accepted(emulator: Emulator) -> None:
    context = ssl.create_default_context(cafile=str(emulator.ca))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", port_of(emulator.https))) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.version() == "TLSv1.2"


@pytest.mark.parametrize("secured", [False, True])
def test_a_scripted_reset_reaches_the_client_as_one(emulator: Emulator, *, secured: bool) -> None:
    emulator.app.faults.add(Fault(kind="reset"))
    url = emulator.https if secured else emulator.http
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}{GROUPS}{VERSION}", headers=BEARER, verify=str(emulator.ca), timeout=5)
    assert requests.get(f"{url}{GROUPS}{VERSION}", headers=BEARER, verify=str(emulator.ca), timeout=5).ok


def test_fifty_clients_lose_no_write_and_see_no_torn_answer(emulator: Emulator) -> None:
    def write(client: int) -> list[int]:
        statuses = []
        with requests.Session() as session:
            for number in range(8):
                url = f"{emulator.https}{GROUPS}/rg-{client}-{number}{VERSION}"
                put = session.put(url, json={"location": "eastus"}, headers=BEARER, verify=str(emulator.ca), timeout=60)
                read = session.get(url, headers=BEARER, verify=str(emulator.ca), timeout=60)
                assert read.json()["name"] == put.json()["name"] == f"rg-{client}-{number}"
                statuses.append(put.status_code)
        return statuses

    with ThreadPoolExecutor(50) as pool:
        statuses = [status for found in pool.map(write, range(50)) for status in found]
    listed = requests.get(f"{emulator.http}{GROUPS}{VERSION}", headers=BEARER, timeout=10).json()
    assert statuses == [201] * 400
    assert len(emulator.app.world.subscriptions.resource_groups(SUBSCRIPTION)) == 400
    assert len(listed["value"]) == 100


def test_a_bug_is_answered_with_500_and_printed_on_standard_error(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(emulator.app, "handle", lambda _: 1 // 0)
    answer = requests.get(f"{emulator.http}/", timeout=5)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "InternalServerError")
    assert "Traceback" not in answer.text
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_client_refused_for_a_large_body_can_read_the_reason(emulator: Emulator) -> None:
    length = 8 * 1024 * 1024
    with Line(emulator) as line:
        line.send(f"PUT {GROUPS}/x{VERSION} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n")
        line.send(b"x" * length)
        status, _, found = line.receive()
    assert (status, found["error"]["code"]) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize(
    "headers",
    ["Content-Length: 2\r\nContent-Length: 3\r\n", "no header\r\nContent-Length: 2\r\n"],
    ids=["two lengths", "no name"],
)
def test_ambiguous_headers_are_refused(emulator: Emulator, headers: str) -> None:
    with Line(emulator) as line:
        status, _, found = line.ask(f"PUT {GROUPS}/x{VERSION} HTTP/1.1\r\nHost: x\r\n{headers}\r\n", "{}")
        assert (status, found["error"]["code"], line.is_closed()) == (400, "BadRequest", True)


def test_a_folded_header_does_not_come_back_as_two_lines(emulator: Emulator) -> None:
    fold = "x-ms-client-request-id: a\r\n Set-Cookie: b\r\n"
    with Line(emulator) as line:
        _, headers, _ = line.ask(f"GET {GROUPS}{VERSION} HTTP/1.1\r\nHost: x\r\n{fold}\r\n")
    assert headers["x-ms-client-request-id"] == "a Set-Cookie: b"
    assert "set-cookie" not in headers


def test_an_absolute_request_target_is_accepted(emulator: Emulator) -> None:
    with Line(emulator) as line:
        status, _, found = line.ask("GET http://localhost:9/metadata/endpoints HTTP/1.1")
        assert (status, found["resourceManager"]) == (200, "http://localhost:9")
        status, _, found = line.ask("GET http://[::1/metadata/endpoints HTTP/1.1")
        assert (status, found["error"]["code"]) == (400, "BadRequest")


def test_the_wrong_scheme_for_a_port_is_explained(emulator: Emulator) -> None:
    crossed = requests.get(f"http://127.0.0.1:{port_of(emulator.https)}/_asrnet/health", timeout=10)
    assert (crossed.status_code, crossed.text) == (400, "This port speaks TLS: use https.\r\n")
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://127.0.0.1:{port_of(emulator.http)}/_asrnet/health", timeout=10)
    with Line(emulator) as line:
        line.send(b"\x16\x03\x01\x00\x05hello")
        status, _, found = line.receive()
    assert (status, found["error"]["message"]) == (400, "This port speaks plain HTTP, and not TLS.")


@pytest.mark.parametrize("body", ["[" * 100_000, '{"location":"eastus","x":' + "[" * 200 + "]" * 200 + "}"])
def test_a_body_that_is_nested_too_deeply_is_refused(emulator: Emulator, body: str) -> None:
    url = f"{emulator.http}{GROUPS}/x{VERSION}"
    answer = requests.put(url, data=body, headers={**BEARER, "Content-Type": "application/json"}, timeout=10)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequestContent")
    answer = requests.post(f"{emulator.http}/_asrnet/faults", data=body, timeout=10)
    assert answer.status_code == 400
    assert requests.get(f"{emulator.http}{GROUPS}{VERSION}", headers=BEARER, timeout=10).json() == {"value": []}


def test_traffic_is_captured_without_secrets(cache: str, tmp_path: Path) -> None:
    build = Builder(clock=SystemClock())
    fabric = build.azure_fabric(build.vault("vault"), "eastus")
    options = ServeOptions(port=0, tls_port=0, cache=cache)
    with running(App(build.world), options, capture=Capture(str(tmp_path / "traffic"))) as found:
        headers = {"Authorization": "Bearer canary-bearer"}
        form = {"grant_type": "client_credentials", "client_secret": "canary-secret"}
        requests.post(f"{found.http}/common/oauth2/v2.0/token", data=form, timeout=5)
        answer = requests.delete(f"{found.http}{fabric.id}{VERSION}", headers=headers, timeout=5)
        requests.get(answer.headers["Azure-AsyncOperation"], headers=headers, timeout=5)
    files = sorted((tmp_path / "traffic").iterdir())
    text = "".join(file.read_text() for file in files)
    first = json.loads(files[0].read_text())
    assert [file.name for file in files] == ["000001.json", "000002.json"]
    assert (first["liveRequest"]["method"], first["liveResponse"]["statusCode"]) == ("DELETE", "202")
    second = json.loads(files[1].read_text())
    assert second["liveResponse"]["body"]["status"] == "Succeeded"
    assert "body" not in first["liveResponse"]
    assert "canary" not in text
    assert answer.headers["Azure-AsyncOperation"].partition("&s=")[2][:30] not in text


def test_certificates_are_saved_and_reused(tmp_path: Path) -> None:
    first, second = cached_trust(tmp_path / "kept"), cached_trust(tmp_path / "kept")
    assert first == second
    assert stat.S_IMODE((tmp_path / "kept" / "authority" / "ca.key").stat().st_mode) == 0o600
    other = cached_trust(tmp_path / "kept", "10.1.2.3")
    assert (other.ca, other.certificate == first.certificate) == (first.ca, False)


def test_certificates_are_renewed_before_they_expire(tmp_path: Path) -> None:
    first = cached_trust(tmp_path)
    before = first.certificate.read_bytes()
    (first.certificate.parent / "expires").write_text("1.0")
    assert cached_trust(tmp_path).certificate.read_bytes() != before
    old = first.ca.read_bytes()
    (tmp_path / "authority" / "expires").write_text("nonsense")
    assert cached_trust(tmp_path).ca.read_bytes() != old


@pytest.mark.parametrize("file", ["authority/ca.pem", "authority/ca.key", "server-*/server.pem", "server-*/server.key"])
def test_damaged_certificates_are_replaced(tmp_path: Path, file: str) -> None:
    cached_trust(tmp_path)
    (spoilt,) = tmp_path.glob(file)
    spoilt.write_text("spoilt")
    cached_trust(tmp_path).context()
    assert cached_trust(tmp_path) == cached_trust(tmp_path)
    assert b"BEGIN CERTIFICATE" in cached_trust(tmp_path).ca.read_bytes()


def test_missing_certificates_are_an_error(cache: str) -> None:
    options = ServeOptions(port=0, tls_port=0, cache=cache, tls_cert="/nowhere/a.pem", tls_key="/nowhere/a.key")
    with (
        pytest.raises(InputError, match=r"a\.pem cannot be used: .*No such file"),
        running(App(Builder(clock=SystemClock()).world), options),
    ):
        pass


def test_emulators_that_start_together_share_one_authority(tmp_path: Path) -> None:
    def start(_: int) -> bytes:
        trust = cached_trust(tmp_path)
        trust.context()
        return trust.ca.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(8)))) == 1
    assert list(tmp_path.glob(".new.*")) == []


def test_certificates_that_cannot_be_saved_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="certificates cannot be kept"):
        cached_trust(tmp_path / "file" / "folder")


def test_own_certificates_can_be_used(cache: str) -> None:
    kept = cached_trust(Path(cache))
    options = ServeOptions(port=0, tls_port=0, tls_cert=str(kept.certificate), tls_key=str(kept.key))
    with running(App(Builder(clock=SystemClock()).world), options) as found:
        assert found.ca == kept.certificate
        answer = requests.get(f"{found.https}/_asrnet/health", verify=str(kept.ca), timeout=5)
        assert answer.json()["status"] == "ok"


def test_invalid_certificates_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    options = ServeOptions(port=0, tls_port=0, tls_cert=str(tmp_path / "cert.pem"), tls_key=str(tmp_path / "cert.pem"))
    with pytest.raises(InputError, match="cannot be used"), running(App(Builder().world), options):
        pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": "0.0.0.0"}, "not a loopback address"),
        ({"tls_cert": "x"}, "needs its key"),
        ({"latency": -1.0}, "latency"),
        ({"operations": "sometimes"}, "operation timing"),
        ({"page_size": 0}, "a page has"),
        ({"retry_after": -1}, "retry_after"),
        ({"state": "/nowhere/at/all.yaml"}, "/nowhere/at/all.yaml"),
        ({"seed": "/nowhere/at/all.yaml"}, "/nowhere/at/all.yaml"),
    ],
)
def test_invalid_options_are_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        app_of(ServeOptions(**options))


@pytest.mark.parametrize("taken", ["port", "tls_port"])
def test_a_port_in_use_is_an_error(emulator: Emulator, cache: str, taken: str) -> None:
    options = structs.replace(ServeOptions(port=0, tls_port=0, cache=cache), **{taken: port_of(emulator.http)})
    with pytest.raises(InputError, match="cannot listen on 127"), running(emulator.app, options):
        pass


def test_a_seed_that_does_not_parse_is_refused_with_its_line(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("version: 1\nnetworks: []\n")
    with pytest.raises(DocumentError, match=r"seed\.yaml:2"):
        app_of(ServeOptions(seed=str(seed)))


def test_options_override_the_behaviour_of_the_world_only_where_given(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("version: 1\nbehaviour: {operations: 'manual:4', page_size: 7}\n")
    assert app_of(ServeOptions()).world.behaviour.operations == "time:3"
    kept = app_of(ServeOptions(seed=str(seed), retry_after=2)).world.behaviour
    assert (kept.operations, kept.page_size, kept.retry_after) == ("manual:4", 7, 2)
    changed = app_of(ServeOptions(seed=str(seed), operations="immediate", page_size=3)).world.behaviour
    assert (changed.operations, changed.page_size, changed.network_page_size) == ("immediate", 3, 3)


def test_latency_is_added_to_every_answer_except_admin_answers(cache: str) -> None:
    class Counting(SystemClock):
        slept = 0.0

        def sleep(self, seconds: float) -> None:
            self.slept += seconds

    clock = Counting()
    world = Builder(clock=clock).world
    world.behaviour = structs.replace(world.behaviour, latency=0.2)
    with running(App(world), ServeOptions(port=0, tls_port=0, cache=cache)) as found:
        requests.get(f"{found.http}/_asrnet/health", timeout=5)
        assert clock.slept == 0
        requests.get(f"{found.http}{GROUPS}{VERSION}", headers=BEARER, timeout=5)
        assert clock.slept == pytest.approx(0.2)


class Process:
    """``asrnet emulator`` in a process of its own."""

    def __init__(self, home: str, seed: Path, state: Path, *more: str) -> None:
        options = ["--port", "0", "--tls-port", "0", "--operations", "immediate", "--seed", seed, "--state", state]
        command = [sys.executable, "-m", "asrnet", "emulator", *map(str, options), *more]
        self.child = subprocess.Popen(
            command,
            cwd=seed.parent,
            env={**os.environ, "HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.child.stdout is not None
        self.line = self.child.stdout.readline()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.child.send_signal(number)
        _, errors = self.child.communicate(timeout=20)
        return self.child.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_prints_its_address_and_saves_its_state(cache: str, tmp_path: Path, number: int) -> None:
    seed, state = tmp_path / "seed.yaml", tmp_path / "state.yaml"
    seed.write_text(f"version: 1\nsubscriptions: [{{id: {SUBSCRIPTION}}}]\n")
    first = Process(cache, seed, state)
    said = json.loads(first.line)
    assert list(said) == ["http", "https", "ca"]
    url = f"{said['https']}{GROUPS}/rg-kept{VERSION}"
    put = requests.put(url, json={"location": "eastus"}, headers=BEARER, verify=said["ca"], timeout=10)
    assert put.status_code == 201
    assert first.stop(number) == (0, "")
    second = Process(cache, seed, state)
    said = json.loads(second.line)
    url = f"{said['https']}{GROUPS}/rg-kept{VERSION}"
    assert requests.get(url, headers=BEARER, verify=said["ca"], timeout=10).json()["location"] == "eastus"
    requests.post(f"{said['http']}/_asrnet/reset", timeout=10)
    assert requests.get(url, headers=BEARER, verify=said["ca"], timeout=10).status_code == 404
    assert second.stop(number)[0] == 0


def test_a_process_with_an_unreadable_seed_does_not_start(cache: str, tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("version: 9\n")
    process = Process(cache, seed, tmp_path / "state.yaml")
    _, errors = process.child.communicate(timeout=20)
    assert (process.child.returncode, process.line) == (1, "")
    assert "seed.yaml:1" in errors
    assert not (tmp_path / "state.yaml").exists()


@pytest.mark.skipif(os.name == "nt", reason="rights of folders are another matter on Windows")
def test_a_state_that_cannot_be_saved_leaves_the_old_one_whole(cache: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    seed, state = tmp_path / "seed.yaml", folder / "state.yaml"
    seed.write_text(f"version: 1\nsubscriptions: [{{id: {SUBSCRIPTION}}}]\n")
    process = Process(cache, seed, state)
    assert process.line
    folder.rename(tmp_path / "moved")
    code, errors = process.stop()
    assert (code, "cannot be written" in errors, "Traceback" in errors) == (1, True, False)
