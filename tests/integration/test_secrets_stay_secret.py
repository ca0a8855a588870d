"""No secret is revealed: every command at ``-vvv``, in success and failure, on an emulator that records all secrets.

The secrets are those of real traffic: the client secret, the federated token, every token that the emulator issues, the
signature of every operation URL, and those that answers repeat in their text.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from command_line import Cli, Ran
from msgspec import structs

from asrnet import applying
from asrnet.azure import connect
from asrnet.azure.credentials import EmulatorCredential, given
from asrnet.clocks import SimulatedClock, SystemClock
from asrnet.desired import load_desired
from asrnet.drift import detect_drift
from asrnet.emulator.app import App
from asrnet.emulator.capture import Capture
from asrnet.emulator.faults import Fault
from asrnet.emulator.messages import Request, Response, json_response
from asrnet.emulator.serving import Emulator, ServeOptions, running
from asrnet.emulator.transport import session
from asrnet.fake import world_file
from asrnet.render import formats_of, render

EA = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-network-ea"
GROUP = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-dr"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault-sea"
JOBS = "Microsoft.RecoveryServices/vaults/replicationJobs/read"
TENANT = "33333333-3333-3333-3333-333333333333"

COMMANDS = (
    "validate -o json",
    "permissions --for apply",
    "schema plan",
    "show -o html=live.html -o json",
    "dump",
    "dump --format world",
    "dump --format terraform",
    "predict --subnets -o csv",
    "targets",
    "nonsense",
)
TOKEN_SHAPED = re.compile(r"eyJ[\w-]{8,}\.eyJ")
SIGNATURE_SHAPED = re.compile(r"[?&](s|sig|c|h)=(?!REDACTED)[\w%-]{8,}")


def made_up(kind: str) -> str:
    """A secret that occurs nowhere else."""
    return f"canary-{kind}-{secrets.token_urlsafe(18)}"


def token(kind: str) -> str:
    """A made-up token in the form of a real one."""
    parts = [b'{"alg":"none","typ":"JWT"}', json.dumps({"oid": "x", "kind": kind}).encode(), made_up(kind).encode()]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


class Telltale(App):
    """An emulator that records every secret it received or issued. ``twist`` may answer in its place."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.known: set[str] = set()
        self.twist: Callable[[Request], Response | None] = lambda _: None

    def handle(self, request: Request) -> Response:
        self.known |= {request.header("authorization").rpartition(".")[2]}
        response = self.twist(request) or super().handle(request)
        signed = [value for name, value in response.headers if name in {"Location", "Azure-AsyncOperation"}]
        self.known |= {part for url in (*signed, request.query) for part in re.findall(r"[?&][sch]=([^&]+)", url)}
        if b"access_token" in response.body:
            self.known |= {json.loads(response.body)["access_token"]}
        self.known -= {""}
        return response


class Witness:
    """Where a secret might appear: everything that commands print, and every file in a folder."""

    def __init__(self, cli: Cli, folder: Path, app: Telltale) -> None:
        self._cli, self._folder, self._app = cli, folder, app
        self.canaries: set[str] = set()
        self.scripted: set[str] = set()
        self.said = ""

    def run(self, *argv: str, form: str = "text") -> Ran:
        """Run a command with all logs."""
        ran = self._cli(*argv, "-vvv", "--log-format", form)
        self.said += f"\n$ asrnet {' '.join(argv)}\n{ran.out}{ran.err}"
        return ran

    def leaks(self) -> list[str]:
        """Every line with a secret, or with something like one."""
        files = [path for path in self._folder.rglob("*") if path.is_file() and path.name not in {".env", "identity"}]
        # Scripted answers are rightly in the emulator's own recording.
        files = [path for path in files if not self.scripted or path.parent.name != "traffic"]
        texts = [self.said, repr(list(self._app.journal.entries)), *(path.read_text("utf-8") for path in files)]
        known = {canary[:40] for canary in (*self.canaries, *self.scripted, *self._app.known)}
        assert len(self._app.known) > 0
        return [
            line[:400]
            for text in texts
            for line in text.splitlines()
            if any(canary in line for canary in known)
            or TOKEN_SHAPED.search(line)
            or (SIGNATURE_SHAPED.search(line) and "$ asrnet" not in line)
        ]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def app(folder: Path) -> Telltale:
    world = world_file.load(folder / "world.yaml", clock=SystemClock())
    world.behaviour = structs.replace(world.behaviour, operations="manual:1")
    return Telltale(world)


@pytest.fixture
def emulator(app: Telltale, folder: Path, certificates: str) -> Iterator[Emulator]:
    capture = Capture(str(folder / "traffic"))
    with running(app, ServeOptions(port=0, tls_port=0, cache=certificates), capture=capture) as found:
        yield found


@pytest.fixture
def witness(
    cli: Cli, folder: Path, app: Telltale, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Witness]:
    """Signed in at the emulator with a client secret; asserts at the end that no secret was revealed."""
    found = Witness(cli, folder, app)
    kinds = ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "ARM_CLIENT_SECRET", "ARM_OIDC_TOKEN"]
    kinds += ["ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    variables = {name: made_up(name) for name in kinds}
    found.canaries |= set(variables.values())
    variables |= {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": "44444444-4444-4444-4444-444444444444"}
    variables |= {"AZURE_AUTHORITY_HOST": emulator.https, "REQUESTS_CA_BUNDLE": str(emulator.ca)}
    variables |= {"ASRNET_ENDPOINT": emulator.https, "ASRNET_CREDENTIAL": "environment", "NO_PROXY": "127.0.0.1"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    lines = {name: made_up("dotenv") for name in (*kinds, "ASRNET_BACKEND")}
    lines["ASRNET_ENDPOINT"] = f"https://me:{lines['ASRNET_BACKEND']}@example.com"
    found.canaries |= set(lines.values())
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()), "utf-8")
    yield found
    assert found.leaks() == []


def everywhere(stem: str) -> list[str]:
    """A file in every format that plans have, and one on standard output."""
    return [word for name in formats_of("plan") for word in ("-o", f"{name}={stem}.{name}")] + ["-o", "json"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_command_reveals_a_secret(
    witness: Witness, folder: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(folder / "outputs.txt"))
    witness.run("doctor", "--for", "prune", form=form)
    assert "44444444-4444-4444-4444-444444444444" in witness.said  # it did sign in as the application
    assert "x-ms-client-request-id" in witness.said  # the SDKs' own log of headers is printed
    assert witness.run("plan", "--out", "saved.plan", *everywhere("plan"), form=form).code == 0
    applied = witness.run("apply", "saved.plan", "--yes", "--audit", "audit.jsonl", *everywhere("apply"), form=form)
    assert applied.code == 0
    assert witness.run("drift", "--correct", "--yes", *everywhere("drift"), form=form).code == 0
    network = f"{EA}/providers/Microsoft.Network/virtualNetworks/hub-ea"
    assert witness.run("map", network, "--vault", VAULT, "--to", "southeastasia", form=form).code == 0
    for words in COMMANDS:
        witness.run(*words.split(), form=form)


def test_operations_asked_at_their_signed_address_reveal_no_secret(witness: Witness, app: Telltale) -> None:
    app.world.behaviour = structs.replace(app.world.behaviour, denied=(JOBS,))
    status = "*/replicationOperationStatus/*"
    app.faults.add(Fault(kind="reset", path=status, times=2))
    app.faults.add(Fault(kind="throttle", path=status, times=2))
    ran = witness.run("drift", "--correct", "--yes", "--audit", "audit.jsonl", *everywhere("drift"))
    assert ran.code == 0
    assert any("replicationoperationstatus" in entry.path.lower() for entry in app.journal.entries)
    assert len(app.known) > 10


def body_with_secrets(witness: Witness) -> str:
    """A message as careless services write them."""
    told = {"bearer": token("bearer"), "opaque": made_up("opaque"), "secret": made_up("secret"), "sig": made_up("sig")}
    witness.scripted |= set(told.values())
    return (
        f"The token 'Bearer {told['opaque']}' or {told['bearer']} was sent to https://x.example/op?t=1&sig={told['sig']}"
        f' with client_secret={told["secret"]}&scope=x and "client_assertion": "{told["opaque"]}".'
    )


@pytest.mark.parametrize("path", ["*", "*/virtualnetworks*", "*/replicationNetworkMappings/*"])
@pytest.mark.parametrize(("status", "form"), [(400, "text"), (401, "json"), (403, "text"), (500, "json")])
def test_secrets_quoted_in_answers_are_not_revealed(
    witness: Witness, app: Telltale, status: int, path: str, form: str
) -> None:
    message = body_with_secrets(witness)
    fault = Fault(kind="answer", path=f"/subscriptions/{path}", status=status, code="X", message=message, times=-1)
    app.faults.add(fault)
    witness.run("doctor", form=form)
    witness.run("plan", "--retry-attempts", "2", *everywhere("plan"), form=form)
    witness.run("apply", "--yes", "--retry-attempts", "2", "--audit", "audit.jsonl", *everywhere("apply"), form=form)
    assert app.journal.statuses[status] > 0


@pytest.mark.parametrize(("status", "form"), [(400, "json"), (401, "text")])
def test_a_refused_sign_in_that_quotes_secrets_reveals_none(
    witness: Witness, app: Telltale, status: int, form: str
) -> None:
    said = {"error": "invalid_client", "error_description": f"AADSTS7000215: {body_with_secrets(witness)}"}
    app.twist = lambda request: json_response(said, status=status) if "/oauth2/" in request.path else None
    witness.run("doctor", form=form)
    assert "AADSTS7000215" in witness.run("plan", *everywhere("plan"), form=form).err
    app.known |= set(witness.scripted)  # no token was issued


@pytest.mark.parametrize("status", [200, 307, 500])
def test_headers_and_pages_of_a_proxy_reveal_no_secret(witness: Witness, app: Telltale, status: int) -> None:
    location = f"https://login.example/?code={made_up('location')}&s={made_up('location')}"
    page = f"<html>{body_with_secrets(witness)}</html>".encode()
    answer = Response(status=status, headers=(("Location", location), ("Azure-AsyncOperation", location)), body=page)
    witness.scripted |= {part.partition("=")[2] for part in location.partition("?")[2].split("&")}
    app.twist = lambda request: answer if "/providers/" in request.path else None
    witness.run("plan", "--retry-attempts", "2")
    app.twist = lambda request: answer if request.method == "PUT" else None
    witness.run("apply", "--yes", "--retry-attempts", "2", "--audit", "audit.jsonl", *everywhere("apply"))


def test_jobs_and_operations_that_fail_with_secrets_reveal_none(witness: Witness, app: Telltale) -> None:
    told = {"code": "70094", "message": body_with_secrets(witness)}
    failed = {"error": told, "status": "Failed", "name": "x", "id": None, "properties": None}
    app.world.behaviour = structs.replace(app.world.behaviour, denied=(JOBS,))
    app.twist = lambda request: json_response(failed) if "/replicationOperationStatus/" in request.path else None
    ran = witness.run("apply", "--yes", "--audit", "audit.jsonl", *everywhere("apply"))
    assert ran.code == 1
    assert "was sent to https://x.example/op?..." in witness.said


def test_a_federated_token_is_not_revealed(witness: Witness, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "identity").write_text(secret := token("federated"))
    witness.canaries |= {secret, secret.rpartition(".")[2]}
    monkeypatch.delenv("AZURE_CLIENT_SECRET")
    monkeypatch.delenv("ARM_CLIENT_SECRET")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(folder / "identity"))
    assert witness.run("drift", *everywhere("drift")).code == 2
    (folder / "identity").write_bytes(b"\xff\xfe")
    assert witness.run("drift").code == 1


@pytest.mark.parametrize(
    ("proxy", "credential"),
    [
        ("http://me:{}@127.0.0.1:9", "emulator"),
        ("http://me:{}@127.0.0.1:port", "emulator"),
        ("me:{}@127.0.0.1:9/x y", "emulator"),
        ("http://me:{}/@127.0.0.1:9", "emulator"),
        ("http://me:{}@127.0.0.1:port", "environment"),
    ],
)
def test_a_proxys_password_is_not_revealed(
    witness: Witness, monkeypatch: pytest.MonkeyPatch, proxy: str, credential: str
) -> None:
    witness.run("plan")
    witness.canaries |= {password := made_up("proxy")}
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, proxy.format(password))
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("ASRNET_ENDPOINT")
    ran = witness.run("drift", "--retry-attempts", "2", "--credential", credential)
    assert (ran.code, "is a bug" in ran.err, "HTTPS_PROXY" in ran.err) == (1, False, True)


def test_a_mistyped_value_that_may_be_a_secret_is_not_quoted(witness: Witness) -> None:
    witness.run("validate")
    witness.run("drift")
    witness.canaries |= {password := made_up("typed")}
    for words in (("--endpoint", f"https://me:{password}@example.com"), ("--endpoint", f"https://h?sig={password}")):
        assert witness._cli("plan", *words, "-vvv").code == 1
        witness.said += witness._cli("plan", *words, "-vvv").err


def test_a_program_that_logs_everything_logs_no_secret(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = SimulatedClock()
    app = Telltale(world_file.load(folder / "world.yaml", clock=clock))
    app.world.behaviour = structs.replace(app.world.behaviour, operations="time:3", denied=(JOBS,))
    azure = connect.backend(clock=clock, credential=given(EmulatorCredential()), session=session(app))
    with caplog.at_level(logging.DEBUG):
        found = detect_drift(load_desired(folder / "asrnet.yaml"), azure)
        app.faults.add(Fault(kind="reset", path="*/replicationOperationStatus/*", times=1))
        report = applying.apply(found.plan, azure)
    texts = [
        caplog.text,
        repr(report),
        repr(azure),
        repr(found),
        *(render(report, name) for name in formats_of("plan")),
    ]
    assert report.result == "succeeded"
    assert len(app.known) > 5
    assert [secret[:20] for secret in app.known if any(secret[:40] in text for text in texts)] == []


def test_the_emulators_process_keeps_no_secret_that_clients_send(tmp_path: Path, certificates: str) -> None:
    seed, state, traffic = tmp_path / "seed.yaml", tmp_path / "state.yaml", tmp_path / "traffic"
    seed.write_text("version: 1\nsubscriptions: [{id: 11111111-1111-1111-1111-111111111111}]\n")
    words = ["--port", "0", "--tls-port", "0", "--seed", seed, "--state", state, "--capture", traffic, "-vv"]
    child = subprocess.Popen(
        [sys.executable, "-m", "asrnet", "emulator", *map(str, words)],
        env={**os.environ, "HOME": certificates},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    said = json.loads(child.stdout.readline())
    bearer, secret, cookie, signed = (made_up(kind) for kind in ("bearer", "secret", "cookie", "signed"))
    headers = {"Authorization": f"Bearer {bearer}", "Cookie": f"a={cookie}"}
    headers |= {"x-ms-authorization-auxiliary": f"Bearer {bearer}"}
    form = {"grant_type": "client_credentials", "client_secret": secret, "client_assertion": secret}
    group = f"{said['https']}/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
    with requests.Session() as client:
        client.trust_env, client.verify = False, said["ca"]
        issued = client.post(f"{said['https']}/common/oauth2/v2.0/token", data=form, timeout=10).json()["access_token"]
        client.put(f"{group}?api-version=2022-08-01", json={"location": "x"}, headers=headers, timeout=10)
        query = f"?api-version=2022-08-01&t=1&c={signed}&s={signed}&h={signed}"
        client.get(f"{group}{query}", headers=headers, timeout=10)
        journal = client.get(f"{said['https']}/_asrnet/requests", timeout=10).text
        kept = client.get(f"{said['https']}/_asrnet/state", timeout=10).text
    child.terminate()
    printed, errors = child.communicate(timeout=20)
    files = [path.read_text("utf-8") for path in tmp_path.rglob("*") if path.is_file()]
    assert (child.returncode, len(files)) == (0, 4)
    texts = (printed, errors, journal, kept, *files)
    assert [each for each in (bearer, secret, cookie, signed, issued) if any(each in text for text in texts)] == []
