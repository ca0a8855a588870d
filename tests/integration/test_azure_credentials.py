"""Which credential is chosen, what is read from a token, and how long it is cached."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from azure.core import AzureClouds
from azure.core.credentials import AccessTokenInfo
from azure.identity import DefaultAzureCredential
from msgspec import Struct

from asrnet.azure.credentials import EmulatorCredential, choose, given, requested_id_token
from asrnet.azure.sign_in import Identity, SignIn, TokenCache, identity_of
from asrnet.errors import CredentialError, InputError
from asrnet.settings.application import Application, application
from asrnet.settings.clouds import CHINA, PUBLIC, USGOVERNMENT, cloud

AZURE = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "azure-secret"}
ARM = {"ARM_TENANT_ID": "t2", "ARM_CLIENT_ID": "c2", "ARM_CLIENT_SECRET": "arm-secret"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "default"),
        (AZURE, "client secret"),
        ({**AZURE, "AZURE_CLIENT_SECRET": "", "AZURE_CLIENT_CERTIFICATE_PATH": "/c.pem"}, "client certificate"),
        ({**AZURE, "AZURE_CLIENT_SECRET": "", "AZURE_FEDERATED_TOKEN_FILE": "/token"}, "workload identity"),
        (ARM, "client secret"),
        ({"AZURE_CLIENT_ID": "only the id of a managed identity"}, "default"),
    ],
)
def test_a_complete_application_signs_in_and_otherwise_the_default_chain(
    variables: Mapping[str, str], expected: str
) -> None:
    assert choose(PUBLIC, variables=variables).name == expected


def test_azures_variables_take_precedence_over_terraforms() -> None:
    assert application({**AZURE, **ARM}).client_secret == "azure-secret"
    assert application({"AZURE_TENANT_ID": "t", **ARM}).client_secret == "arm-secret"


@pytest.mark.parametrize(("use", "complete"), [("true", True), ("1", True), ("false", False), ("", False)])
def test_terraforms_token_file_is_used_only_with_its_switch(use: str, complete: bool) -> None:
    variables = {"ARM_TENANT_ID": "t", "ARM_CLIENT_ID": "c", "ARM_OIDC_TOKEN_FILE_PATH": "/token", "ARM_USE_OIDC": use}
    assert application(variables).is_complete is complete


ARM_REQUEST = {"ARM_TENANT_ID": "t", "ARM_CLIENT_ID": "c", "ARM_USE_OIDC": "true"}
GITHUBS = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
TERRAFORMS = ("ARM_OIDC_REQUEST_URL", "ARM_OIDC_REQUEST_TOKEN")


@pytest.mark.parametrize(("url", "token"), [GITHUBS, TERRAFORMS, (TERRAFORMS[0], GITHUBS[1])])
def test_a_workflow_that_may_request_id_tokens_can_sign_in_as_with_terraform(url: str, token: str) -> None:
    variables = {**ARM_REQUEST, url: "https://actions.example/token?api-version=2.0", token: "hush"}
    app = application(variables)
    assert (app.request_url, app.request_token) == ("https://actions.example/token?api-version=2.0", "hush")
    assert choose(PUBLIC, variables=variables).name == "workload identity"
    assert choose(PUBLIC, named="environment", variables=variables).name == "workload identity"
    assert not application({**variables, "ARM_USE_OIDC": "false"}).is_complete
    assert not application({name: text for name, text in variables.items() if name != token}).is_complete


def test_terraforms_names_of_the_token_request_take_precedence() -> None:
    names = {name: name for name in (*GITHUBS, *TERRAFORMS)}
    app = application({**ARM_REQUEST, **names})
    assert (app.request_url, app.request_token) == TERRAFORMS


class Issuing(Struct, frozen=True, kw_only=True):
    """A service that issues ID tokens and records its requests."""

    url: str
    requests: list[tuple[str, str]]


@contextmanager
def issuing(status: int, body: bytes) -> Iterator[Issuing]:
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield Issuing(url=f"http://127.0.0.1:{server.server_port}/token?api-version=2.0", requests=asked)
        finally:
            server.shutdown()


def test_an_id_token_is_requested_for_azures_audience_and_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    with issuing(200, b'{"count": 1, "value": "id-canary"}') as issuer, caplog.at_level(logging.DEBUG):
        assert requested_id_token(issuer.url, "request-canary") == "id-canary"
    ((path, authorization),) = issuer.requests
    assert path == "/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange"
    assert authorization == "Bearer request-canary"
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, b'{"message": "request-canary"}'), (200, b"{}"), (200, b"<html>"), (200, b"[]"), (302, b"")],
)
def test_a_refused_id_token_says_which_permission_the_job_needs(status: int, body: bytes) -> None:
    with issuing(status, body) as issuer, pytest.raises(CredentialError) as caught:
        requested_id_token(issuer.url, "request-canary")
    assert f"HTTP status {status}" in caught.value.message
    assert "id-token: write" in caught.value.hint
    assert "canary" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("url", ["http://actions.example/token", "file:///token", "token"])
def test_the_request_token_is_sent_over_https_only(url: str) -> None:
    with pytest.raises(CredentialError, match="not https"):
        requested_id_token(url, "request-canary")


def test_an_application_does_not_show_its_secret() -> None:
    secrets = dict.fromkeys(("client_secret", "certificate_password", "token", "request_token"), "hush")
    shown = repr(Application(tenant_id="t", client_id="c", **secrets))
    assert shown == "Application(tenant_id='t', client_id='c')"


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("AzureCliCredential", "Azure CLI"),
        ("cli", "Azure CLI"),
        ("managed_identity", "managed identity"),
        ("ManagedIdentityCredential", "managed identity"),
        ("powershell", "Azure PowerShell"),
        ("AzureDeveloperCliCredential", "Azure Developer CLI"),
        ("prod", "default"),
        ("emulator", "emulator"),
        ("EnvironmentCredential", "client secret"),
    ],
)
def test_a_named_credential_is_used_whatever_the_environment_holds(named: str, expected: str) -> None:
    assert choose(PUBLIC, named=named, variables=AZURE).name == expected


def test_an_unknown_credential_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        choose(PUBLIC, named="passport")
    assert "managed_identity, cli" in caught.value.hint


def test_every_credential_name_that_azure_identity_accepts_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "passport")
    with pytest.raises(ValueError, match="Valid values are") as caught:
        DefaultAzureCredential()
    values = str(caught.value).rpartition("Valid values are: ")[2].rstrip(".").split(", ")
    assert {"dev", "prod", "visualstudiocodecredential", "interactivebrowsercredential"} <= set(values)
    for value in values:
        assert choose(PUBLIC, named=value, variables=AZURE).name


@pytest.mark.parametrize("named", ["InteractiveBrowserCredential", "VisualStudioCodeCredential"])
def test_a_credential_by_azure_identitys_own_name_is_built_with_our_settings(named: str) -> None:
    credential = choose(PUBLIC, named=named, variables={"AZURE_TENANT_ID": "t"})
    assert credential.name == named
    assert type(credential.build()).__name__ == named


@pytest.mark.parametrize("named", ["DeviceCodeCredential", "ClientSecretCredential", "ChainedTokenCredential"])
def test_a_credential_that_needs_more_than_its_name_is_refused(named: str) -> None:
    with pytest.raises(InputError):
        choose(PUBLIC, named=named)


@pytest.mark.parametrize("named", ["default", "dev", "cli", "AzurePowerShellCredential", "developer_cli"])
def test_programs_that_a_credential_starts_have_thirty_seconds(named: str) -> None:
    built = choose(PUBLIC, named=named).build()
    members = getattr(built, "credentials", (built,))
    timeouts = [member._process_timeout for member in members if hasattr(member, "_process_timeout")]
    assert timeouts
    assert set(timeouts) == {30}


@pytest.mark.parametrize("named", ["environment", "workload_identity"])
def test_a_credential_with_missing_variables_names_them(named: str) -> None:
    with pytest.raises(CredentialError) as caught:
        choose(PUBLIC, named=named)
    assert "AZURE_CLIENT_ID" in caught.value.hint


def test_an_emulator_on_this_machine_gets_no_real_token_unless_told_to() -> None:
    local = cloud("public", "http://127.0.0.1:8080")
    assert choose(local, variables=AZURE).name == "emulator"
    assert choose(local, named="cli", variables=AZURE).name == "Azure CLI"


def test_the_identity_is_read_from_the_token() -> None:
    sign_in = SignIn(given(EmulatorCredential("22222222-2222-2222-2222-222222222222")), PUBLIC.scope)
    identity = sign_in.identity()
    assert identity == Identity(
        credential="EmulatorCredential",
        tenant_id="22222222-2222-2222-2222-222222222222",
        object_id="00000000-0000-0000-0000-00000000f00d",
        user="nobody@emulator",
    )
    assert str(identity).startswith("nobody@emulator, object id 00000000")


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "a.!!!.c", "e30.W10.x"])
def test_a_token_without_claims_leaves_the_identity_unknown(token: str) -> None:
    assert str(identity_of(token, "Azure CLI")) == "unknown (by Azure CLI)"


class Issuer:
    """Issues tokens valid for an hour and counts them; can be told to refuse."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.issued: list[tuple[str, str | None]] = []
        self.refuses = False
        self.cause = OSError("the cause")

    def fetch(self, scope: str, claims: str | None) -> AccessTokenInfo:
        if self.refuses:
            raise CredentialError("refused") from self.cause
        self.issued.append((scope, claims))
        return AccessTokenInfo(f"token-{len(self.issued)}", int(self.now) + 3600)

    def cache(self) -> TokenCache:
        return TokenCache(self.fetch, now=lambda: self.now)


def test_one_token_serves_all_requests_until_five_minutes_before_it_expires() -> None:
    issuer = Issuer()
    cache = issuer.cache()
    assert [cache.get_token("s").token, cache.get_token_info("s").token] == ["token-1", "token-1"]
    issuer.now += 3299
    assert cache.get_token("s").token == "token-1"
    issuer.now += 2
    assert cache.get_token("s").token == "token-2"


def test_each_scope_has_a_token_of_its_own() -> None:
    issuer = Issuer()
    cache = issuer.cache()
    assert [cache.get_token(scope).token for scope in ("a", "b", "a")] == ["token-1", "token-2", "token-1"]


def test_a_claims_challenge_brings_a_new_token() -> None:
    issuer = Issuer()
    cache = issuer.cache()
    cache.get_token("s")
    assert cache.get_token_info("s", options={"claims": "more"}).token == "token-2"
    assert cache.get_token("s").token == "token-2"
    assert issuer.issued == [("s", None), ("s", "more")]


def test_a_failed_renewal_keeps_the_old_token_while_it_is_valid(caplog: pytest.LogCaptureFixture) -> None:
    issuer = Issuer()
    cache = issuer.cache()
    cache.get_token("s")
    issuer.now += 3400
    issuer.refuses = True
    with caplog.at_level(logging.WARNING):
        assert cache.get_token("s").token == "token-1"
    assert "valid for 200 s more" in caplog.text
    issuer.now += 201
    issuer.refuses = True
    with pytest.raises(CredentialError):
        cache.get_token("s")


def test_threads_that_wait_for_a_refused_token_do_not_request_it_again() -> None:
    issuer = Issuer()
    issuer.refuses = True
    cache = issuer.cache()
    with pytest.raises(CredentialError):
        cache.get_token("s")
    issuer.refuses = False
    issuer.now += 29
    with pytest.raises(CredentialError):
        cache.get_token("s")
    issuer.now += 2
    assert cache.get_token("s").token == "token-1"


def test_each_thread_that_meets_a_refusal_raises_its_own_error_from_one_cause() -> None:
    issuer = Issuer()
    issuer.refuses = True
    cache = issuer.cache()
    errors = []
    for _ in range(8):
        with pytest.raises(CredentialError) as caught:
            cache.get_token("s")
        errors.append(caught.value)
    assert len({id(error) for error in errors}) == 8
    assert {str(error) for error in errors} == {"refused"}
    assert {id(error.__cause__) for error in errors} == {id(issuer.cause)}
    assert len(list(traceback.walk_tb(errors[-1].__traceback__))) < 8, "it grew by no other thread's frames"


def test_each_cloud_has_its_setting_in_the_sdks() -> None:
    assert [AzureClouds[cloud.setting].name for cloud in (PUBLIC, CHINA, USGOVERNMENT)] == [
        "AZURE_PUBLIC_CLOUD",
        "AZURE_CHINA_CLOUD",
        "AZURE_US_GOVERNMENT",
    ]
