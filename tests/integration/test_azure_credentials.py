"""Which credential is chosen, what a token tells, and how long it is kept."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo

from asrnet.azure.clouds import CHINA, PUBLIC, USGOVERNMENT, cloud
from asrnet.azure.credentials import Application, EmulatorCredential, application, choose, given
from asrnet.azure.sign_in import Identity, SignIn, TokenCache, identity_of
from asrnet.errors import CredentialError, InputError

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
def test_a_complete_application_is_used_and_the_default_chain_otherwise(
    variables: Mapping[str, str], expected: str
) -> None:
    assert choose(PUBLIC, variables=variables).name == expected


def test_azures_variables_come_before_terraforms() -> None:
    assert application({**AZURE, **ARM}).client_secret == "azure-secret"
    assert application({"AZURE_TENANT_ID": "t", **ARM}).client_secret == "arm-secret"


@pytest.mark.parametrize(("use", "complete"), [("true", True), ("1", True), ("false", False), ("", False)])
def test_terraforms_token_file_counts_only_with_its_switch(use: str, complete: bool) -> None:
    variables = {"ARM_TENANT_ID": "t", "ARM_CLIENT_ID": "c", "ARM_OIDC_TOKEN_FILE_PATH": "/token", "ARM_USE_OIDC": use}
    assert application(variables).is_complete is complete


def test_an_application_does_not_show_its_secret() -> None:
    shown = repr(Application(tenant_id="t", client_id="c", client_secret="hush", certificate_password="hush"))
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


@pytest.mark.parametrize("named", ["environment", "workload_identity"])
def test_a_credential_whose_variables_are_missing_says_which(named: str) -> None:
    with pytest.raises(CredentialError) as caught:
        choose(PUBLIC, named=named)
    assert "AZURE_CLIENT_ID" in caught.value.hint


def test_an_emulator_on_this_machine_gets_no_real_token_unless_told_to() -> None:
    local = cloud("public", "http://127.0.0.1:8080")
    assert choose(local, variables=AZURE).name == "emulator"
    assert choose(local, named="cli", variables=AZURE).name == "Azure CLI"


def test_as_whom_is_what_the_token_says() -> None:
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
def test_a_token_that_says_nothing_leaves_the_identity_open(token: str) -> None:
    assert str(identity_of(token, "Azure CLI")) == "unknown (by Azure CLI)"


class Issuer:
    """Issues tokens good for an hour, and counts them; refuses when told to."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.issued: list[tuple[str, str | None]] = []
        self.refuses = False

    def fetch(self, scope: str, claims: str | None) -> AccessTokenInfo:
        if self.refuses:
            raise CredentialError("refused")
        self.issued.append((scope, claims))
        return AccessTokenInfo(f"token-{len(self.issued)}", int(self.now) + 3600)

    def cache(self) -> TokenCache:
        return TokenCache(self.fetch, now=lambda: self.now)


def test_one_token_serves_all_until_five_minutes_before_its_end() -> None:
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


def test_when_renewal_fails_the_old_token_goes_on_while_it_is_good(caplog: pytest.LogCaptureFixture) -> None:
    issuer = Issuer()
    cache = issuer.cache()
    cache.get_token("s")
    issuer.now += 3400
    issuer.refuses = True
    with caplog.at_level(logging.WARNING):
        assert cache.get_token("s").token == "token-1"
    assert "good for 200 s more" in caplog.text
    issuer.now += 201
    issuer.refuses = True
    with pytest.raises(CredentialError):
        cache.get_token("s")


def test_a_refusal_is_not_asked_for_again_by_each_thread_that_waited_for_it() -> None:
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


class Older:
    """A credential of an earlier azure-identity."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken("older-token", 4_000_000_000)


def test_older_credentials_are_taken_too() -> None:
    assert SignIn(given(Older()), PUBLIC.scope).tokens.get_token(PUBLIC.scope).token == "older-token"


def test_the_sdks_setting_is_the_same_cloud() -> None:
    assert [each.sdk_setting.name for each in (PUBLIC, CHINA, USGOVERNMENT)] == [
        "AZURE_PUBLIC_CLOUD",
        "AZURE_CHINA_CLOUD",
        "AZURE_US_GOVERNMENT",
    ]
