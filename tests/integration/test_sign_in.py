"""Sign-in errors, with azure-identity's own classes and messages."""

from __future__ import annotations

import logging
import socket
import ssl
import traceback
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.core.pipeline import Pipeline
from azure.core.pipeline.transport import HttpRequest, HttpTransport
from azure.identity import CredentialUnavailableError
from msgspec import structs
from states import SEA, TwoRegions, row

from asrnet.azure import connect
from asrnet.azure.credentials import choose, given
from asrnet.azure.retry import RetryUnlessInspected
from asrnet.azure.sign_in import SignIn
from asrnet.clocks import SystemClock
from asrnet.emulator.app import App
from asrnet.emulator.transport import session
from asrnet.errors import AsrError, CredentialError, UnreachableError
from asrnet.inventory.read import read_inventory
from asrnet.settings.clouds import CHINA, PUBLIC

APPLICATION = {"AZURE_TENANT_ID": "22222222-2222-2222-2222-222222222222", "AZURE_CLIENT_ID": "c"}
CHAIN = (
    "DefaultAzureCredential failed to retrieve a token from the included credentials.\nAttempted credentials:\n"
    "\tEnvironmentCredential: EnvironmentCredential authentication unavailable.\n"
    "\tAzureCliCredential: {}\nTo mitigate this issue, please refer to the troubleshooting guidelines here."
)


class Failing:
    """A credential that never gets a token."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_token_info(self, *_scopes: str, **_options: object) -> AccessTokenInfo:
        raise self.error


def refusal(error: Exception) -> AsrError:
    with pytest.raises(AsrError) as caught:
        SignIn(given(Failing(error)), PUBLIC.scope).identity()
    return caught.value


def test_a_missing_credential_says_what_to_set() -> None:
    found = refusal(CredentialUnavailableError(message="Azure CLI not found on path"))
    assert isinstance(found, CredentialError)
    assert found.message == "no credential: Azure CLI not found on path"
    assert "az login" in found.hint
    assert "AZURE_CLIENT_SECRET" in found.hint


def test_a_chain_that_found_nothing_is_reported_in_one_line() -> None:
    found = refusal(ClientAuthenticationError(message=CHAIN.format("Please run 'az login' to set up an account")))
    assert isinstance(found, CredentialError)
    assert "\n" not in found.message
    assert "ASRNET_CREDENTIAL" in found.hint


def test_each_attempt_of_a_chain_is_in_the_debug_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="asrnet.azure.sign_in"):
        refusal(ClientAuthenticationError(message=CHAIN.format("Please run 'az login' to set up an account")))
    assert "EnvironmentCredential authentication unavailable" in caplog.text


def test_a_refusal_inside_a_chain_is_the_reason() -> None:
    inner = "ERROR: AADSTS700082: The refresh token has expired due to inactivity.\nTrace ID: 1\nCorrelation ID: 2"
    found = refusal(ClientAuthenticationError(message=CHAIN.format(inner)))
    assert found.message == (
        "the Failing credential was refused: AADSTS700082: The refresh token has expired due to inactivity."
    )
    assert found.hint == "the sign-in has expired; sign in again: az login"


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AADSTS700024", "AZURE_FEDERATED_TOKEN_FILE"),
        ("AADSTS7000222", "secret has expired"),
        ("AADSTS7000215", "not the secret's value"),
        ("AADSTS700016", "AZURE_CLIENT_ID"),
        ("AADSTS90002", "AZURE_TENANT_ID"),
        ("AADSTS700213", "subject"),
        ("AADSTS50076", "multi-factor"),
        ("AADSTS99999", "asrnet doctor"),
    ],
)
def test_a_refusal_comes_with_advice_for_its_code(code: str, advice: str) -> None:
    found = refusal(
        ClientAuthenticationError(message=f"Authentication failed: {code}: Words. Trace ID: 7 Timestamp: 8")
    )
    assert isinstance(found, CredentialError)
    assert found.message.endswith(f"{code}: Words.")
    assert advice in found.hint


def test_a_sign_in_service_that_does_not_answer_is_unreachable() -> None:
    assert isinstance(refusal(ServiceRequestError("connection refused")), UnreachableError)


def test_a_sign_in_service_whose_name_does_not_resolve_is_no_refusal() -> None:
    error = ClientAuthenticationError(message="Authentication failed: Failed to resolve 'login.example'")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    found = refusal(error)
    assert isinstance(found, UnreachableError)
    assert "does not resolve" in found.hint


@pytest.mark.parametrize(
    ("client_id", "words", "advice"),
    [
        ("", "No identity has been assigned to this resource.", "set AZURE_CLIENT_ID to"),
        (
            "c0ffee",
            "The requested identity has not been assigned to this resource.",
            "asks for the managed",
        ),
        ("c0ffee", '{"error": "invalid_request", "error_description": "Identity not found"}', "asks for the managed"),
        ("", "Multiple user assigned identities exist, please specify the clientId", "set AZURE_CLIENT_ID to"),
        ("c0ffee", "No User Assigned or Delegated Managed Identity found for specified ClientId", "c0ffee"),
        ("c0ffee", "Unable to load the proper Managed Identity.", "c0ffee"),
    ],
)
def test_a_managed_identity_that_is_not_assigned_names_the_variable_that_selects_it(
    client_id: str, words: str, advice: str
) -> None:
    error = CredentialUnavailableError(message=f"ManagedIdentityCredential authentication unavailable. {words}")
    credential = choose(PUBLIC, named="managed_identity", variables={"AZURE_CLIENT_ID": client_id})
    failing = structs.replace(credential, build=lambda: Failing(error))
    with pytest.raises(CredentialError) as caught:
        SignIn(failing, PUBLIC.scope).identity()
    assert caught.value.message.startswith("no credential: ")
    assert advice in caught.value.hint


def test_a_chain_whose_managed_identity_is_not_assigned_names_both_ways_out() -> None:
    words = "ManagedIdentityCredential authentication unavailable. No identity has been assigned to this resource."
    found = refusal(ClientAuthenticationError(message=CHAIN.format(words)))
    assert "AZURE_CLIENT_ID" in found.hint
    assert "az login" in found.hint


def wrapped_certificate_failure() -> ServiceRequestError:
    cause = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed")
    error = ServiceRequestError("HTTPSConnectionPool: Max retries exceeded", error=cause)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        wrapped_certificate_failure(),
        ClientAuthenticationError(message="Certificate verification failed. This typically happens behind a proxy."),
        CredentialUnavailableError(message=CHAIN.format("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")),
    ],
)
def test_a_sign_in_behind_a_proxy_that_inspects_tls_is_reported_as_such(error: Exception) -> None:
    found = refusal(error)
    assert isinstance(found, UnreachableError)
    assert "certificate of the sign-in service is not trusted" in found.message
    assert "REQUESTS_CA_BUNDLE" in found.hint


def test_azure_identity_does_not_retry_a_certificate_that_does_not_verify() -> None:
    attempts = []

    class Inspected(HttpTransport[Any, Any]):
        def open(self) -> None: ...
        def close(self) -> None: ...
        def __exit__(self, *_args: object) -> None: ...
        def send(self, request: Any, **_options: Any) -> Any:
            attempts.append(request.url)
            raise wrapped_certificate_failure()

    retries = RetryUnlessInspected()
    pipeline: Pipeline[Any, Any] = Pipeline(Inspected(), [retries])
    with pytest.raises(ServiceRequestError):
        pipeline.run(HttpRequest("GET", "https://login.microsoftonline.com/"))
    assert len(attempts) == 1


def test_stopping_the_run_is_no_credential_error() -> None:
    with pytest.raises(InterruptedError):
        SignIn(given(Failing(InterruptedError("stopped"))), PUBLIC.scope).identity()


@pytest.mark.parametrize(
    ("variable", "word"),
    [("AZURE_FEDERATED_TOKEN_FILE", "workload identity"), ("AZURE_CLIENT_CERTIFICATE_PATH", "client certificate")],
)
def test_a_missing_file_is_named(variable: str, word: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing")
    credential = choose(PUBLIC, variables={**APPLICATION, variable: missing})
    assert credential.name == word
    with pytest.raises(CredentialError) as caught:
        SignIn(credential, PUBLIC.scope).identity()
    assert missing in caught.value.message


def test_a_file_that_is_not_a_certificate_is_refused_without_quoting_it(tmp_path: Path) -> None:
    file = tmp_path / "c.pem"
    file.write_text("hush: not a certificate")
    credential = choose(PUBLIC, variables={**APPLICATION, "AZURE_CLIENT_CERTIFICATE_PATH": str(file)})
    with pytest.raises(CredentialError) as caught:
        SignIn(credential, PUBLIC.scope).identity()
    assert "hush" not in caught.value.message


def test_a_credential_signs_in_at_its_clouds_authority() -> None:
    built = choose(CHINA, variables={**APPLICATION, "AZURE_CLIENT_SECRET": "x"}).build()
    assert "login.chinacloudapi.cn" in getattr(built, "_authority", "")


@pytest.mark.parametrize("named", ["managed_identity", "cli", "powershell", "developer_cli", "default", "dev", "prod"])
def test_every_named_credential_can_be_built_without_a_request(named: str) -> None:
    assert hasattr(choose(PUBLIC, named=named, variables=APPLICATION).build(), "get_token_info")


def test_many_threads_without_a_credential_raise_one_error_with_one_cause() -> None:
    azure = TwoRegions()
    desired = azure.state(*(row(azure.network(f"n{i}"), azure.network(f"r{i}", SEA)) for i in range(20)))
    nobody = given(Failing(CredentialUnavailableError(message="Azure CLI not found on path")))
    backend = connect.backend(clock=SystemClock(), credential=nobody, session=session(App(azure.world)))
    with pytest.raises(CredentialError) as caught:
        read_inventory(desired, backend)
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert frames.count("get_token_info") == 1
    text = "".join(traceback.format_exception(caught.value))
    assert text.count("Traceback (most recent call last)") == 2, "the error and its one cause"
