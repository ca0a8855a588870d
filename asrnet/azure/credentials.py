"""Which credential to use: the caller's choice, or what the environment provides.

In this order: the one that is named; a made-up token for an emulator on this machine; an application whose variables
are complete; otherwise azure-identity's DefaultAzureCredential.
"""

from __future__ import annotations

import base64
import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from asrnet.azure.answers import certificate_failure
from asrnet.errors import CredentialError, InputError, UnreachableError, did_you_mean
from asrnet.settings.application import VARIABLES_HINT, Application, application
from asrnet.settings.clouds import Cloud
from asrnet.settings.roots import certificate_hint
from asrnet.settings.values import is_loopback

if TYPE_CHECKING:
    from azure.core.credentials import AccessTokenInfo

PROCESS_TIMEOUT: Final = 30
"""Time-out in seconds for programs that credentials start. az has taken 13 s in a pipeline; the SDK's default is 10."""

_REQUEST_TIMEOUT: Final = 30.0
_OK: Final = 200
_AUDIENCE: Final = "api://AzureADTokenExchange"

_OF_DEVELOPERS: Final = ("cli", "powershell", "developer_cli", "visual_studio_code", "shared_token_cache", "broker")
_OF_HOSTS: Final = ("environment", "workload_identity", "managed_identity")
_CHAINS: Final[Mapping[str, Sequence[str]]] = {"default": (), "dev": _OF_HOSTS, "prod": _OF_DEVELOPERS}
"""The groups of DefaultAzureCredential, and what each of them leaves out."""

_SPELLINGS: Final[Mapping[str, tuple[str, str]]] = {
    "managed_identity": ("ManagedIdentityCredential", "managed identity"),
    "cli": ("AzureCliCredential", "Azure CLI"),
    "powershell": ("AzurePowerShellCredential", "Azure PowerShell"),
    "developer_cli": ("AzureDeveloperCliCredential", "Azure Developer CLI"),
}
"""By asrnet's shorter name, the class of azure-identity and its name in messages.

Any other class that needs no arguments can be given by its own name.
"""
_UNSUITABLE: Final = frozenset({"DeviceCodeCredential"})
"""It prints its code on standard output, which is reserved for data."""


class Credential(Struct, frozen=True, kw_only=True):
    """A way to get tokens, under its common name; ``build`` imports what it needs.

    ``client_id`` selects a managed identity. ``is_made_up``: the tokens are made locally and no service issues them.
    """

    name: str
    build: Callable[[], Any]
    client_id: str = ""
    is_made_up: bool = False


def choose(cloud: Cloud, *, named: str = "", variables: Mapping[str, str] | None = None) -> Credential:
    """Choose the credential. ``named`` is the value of ASRNET_CREDENTIAL or AZURE_TOKEN_CREDENTIALS.

    Raises InputError for an unknown name, and CredentialError if the variables of the named credential are missing.
    """
    app = application(variables or {})
    if not named:
        if cloud.is_loopback:  # an emulator must not get a real token, whatever the environment contains
            return Credential(name="emulator", build=EmulatorCredential, is_made_up=True)
        return _of_application(cloud, app) if app.is_complete else _default(cloud, app)
    word = _normal(named)
    if word == "emulator":
        return Credential(name="emulator", build=EmulatorCredential, is_made_up=True)
    if word in _CHAINS:
        return _default(cloud, app, _CHAINS[word])
    if word in {"environment", "workloadidentity"}:
        if not app.is_complete:
            raise CredentialError(f"the credential '{named}' lacks its variables", hint=VARIABLES_HINT)
        return _of_application(cloud, app)
    names_in_messages = dict(_SPELLINGS.values())
    spellings = {_normal(name): class_name for name, (class_name, _) in _SPELLINGS.items()}
    spellings |= {_normal(class_name): class_name for class_name in names_in_messages}
    if word not in spellings:  # azure-identity is imported only for a name that is not one of asrnet's own
        spellings = {_normal(class_name): class_name for class_name in _names_without_arguments()}
    if word not in spellings:
        names = ["default", "dev", "prod", "environment", "workload_identity", *_SPELLINGS, "emulator"]
        class_names = sorted(set(spellings.values()) - set(names_in_messages))
        raise InputError(
            f"there is no credential '{named}'{did_you_mean(named, [*names, *class_names])}",
            hint=f"use one of {', '.join([*names, *class_names])}",
        )
    class_name = spellings[word]
    is_managed = class_name == "ManagedIdentityCredential"
    return Credential(
        name=names_in_messages.get(class_name, class_name),
        build=partial(_by_name, class_name, cloud, app),
        client_id=app.client_id if is_managed else "",
    )


def given(source: Any) -> Credential:
    """A credential that the caller created: any of azure-identity's, or one like them."""
    return Credential(name=type(source).__name__, build=lambda: source)


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "").replace("-", "").removesuffix("credential")


def _names_without_arguments() -> list[str]:
    """The names of azure-identity's credentials that can be created without an argument."""
    import azure.identity

    names = [name for name in azure.identity.__all__ if name.endswith("Credential") and name not in _UNSUITABLE]
    return [
        name
        for name in names
        if all(
            parameter.default is not parameter.empty or parameter.kind is parameter.VAR_KEYWORD
            for parameter in inspect.signature(getattr(azure.identity, name)).parameters.values()
        )
    ]


def _by_name(class_name: str, cloud: Cloud, app: Application) -> Any:
    """Create azure-identity's credential ``class_name`` with those of our settings that it accepts."""
    import azure.identity

    build = getattr(azure.identity, class_name)
    parameters = inspect.signature(build).parameters
    options: dict[str, Any] = {}
    if "process_timeout" in parameters:
        options["process_timeout"] = PROCESS_TIMEOUT
    elif class_name == "ManagedIdentityCredential":
        options |= {"client_id": app.client_id} if app.client_id else {}
    elif any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        options |= {"authority": cloud.authority} | ({"tenant_id": app.tenant_id} if app.tenant_id else {})
    return build(**options)


def _default(cloud: Cloud, app: Application, excluded: Sequence[str] = ()) -> Credential:
    def build() -> Any:
        from azure.identity import DefaultAzureCredential

        options: dict[str, Any] = {f"exclude_{name}_credential": True for name in excluded}
        if app.client_id:  # possibly from --env-file, which azure-identity does not read
            options["managed_identity_client_id"] = app.client_id
        return DefaultAzureCredential(authority=cloud.authority, process_timeout=PROCESS_TIMEOUT, **options)

    return Credential(name="default", build=build, client_id=app.client_id)


def _of_application(cloud: Cloud, app: Application) -> Credential:
    def build() -> Any:
        from azure.identity import CertificateCredential, ClientAssertionCredential, ClientSecretCredential

        from asrnet.azure.retry import RetryUnlessInspected

        # Microsoft's library would ask the public cloud about an authority that it does not know.
        options: dict[str, Any] = {
            "authority": cloud.authority,
            "disable_instance_discovery": not cloud.is_known_authority,
            "retry_policy_class": RetryUnlessInspected,
        }
        if app.client_secret:
            return ClientSecretCredential(app.tenant_id, app.client_id, app.client_secret, **options)
        if app.certificate_path:
            password = app.certificate_password or None
            return CertificateCredential(
                app.tenant_id, app.client_id, app.certificate_path, password=password, **options
            )
        return ClientAssertionCredential(app.tenant_id, app.client_id, partial(_assertion, app), **options)

    name = "client secret" if app.client_secret else "client certificate" if app.certificate_path else ""
    return Credential(name=name or "workload identity", build=build)


def _assertion(app: Application) -> str:
    """The ID token that proves the workload's identity, read or requested each time because its platform renews it."""
    if app.token_file:
        return Path(app.token_file).read_text("utf-8").strip()
    return app.token or requested_id_token(app.request_url, app.request_token)


def requested_id_token(url: str, token: str) -> str:
    """Request an ID token from a GitHub workflow's service at ``url``, as the holder of ``token``.

    Neither token is ever logged. Source: "OpenID Connect reference" of GitHub Actions; the audience is the one given in
    "Workload identity federation".
    """
    import requests

    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise CredentialError(
            "the URL for requesting an ID token is not https",
            hint="check ARM_OIDC_REQUEST_URL (or ACTIONS_ID_TOKEN_REQUEST_URL)",
        )
    try:
        response = requests.get(
            url,
            params={"audience": _AUDIENCE},
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=_REQUEST_TIMEOUT,
            allow_redirects=False,
            auth=lambda request: request,  # otherwise requests takes a password from ~/.netrc instead of the token
        )
    except requests.RequestException as error:
        network = "check the network and the proxy (HTTPS_PROXY, NO_PROXY) of the pipeline's machine"
        raise UnreachableError(
            f"no answer from {parts.hostname}, the issuer of this pipeline's ID tokens",
            hint=certificate_hint() if certificate_failure(error) else network,
        ) from error
    try:
        document = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, RecursionError):
        document = None
    id_token = document.get("value") if isinstance(document, dict) else None
    if response.status_code != _OK or not isinstance(id_token, str) or not id_token:
        raise CredentialError(
            f"{parts.hostname} issued no ID token (HTTP status {response.status_code})",
            hint="the workflow's job needs 'permissions: id-token: write', which a fork's pull request never gets",
        )
    return id_token


class EmulatorCredential:
    """Tokens that only an emulator accepts. They look like real ones but have no signature.

    They name no tenant unless one is given, because the tenant depends on the emulator's world.
    """

    def __init__(self, tenant_id: str = "") -> None:
        claims = {"oid": "00000000-0000-0000-0000-00000000f00d", "upn": "nobody@emulator"}
        claims |= {"tid": tenant_id} if tenant_id else {}
        parts = ({"alg": "none", "typ": "JWT"}, claims)
        encoded = (base64.urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode() for part in parts)
        self._token = ".".join([*encoded, "unsigned"])

    def get_token_info(self, *_scopes: str, **_options: Any) -> AccessTokenInfo:
        """A token that is valid for an hour."""
        from azure.core.credentials import AccessTokenInfo

        return AccessTokenInfo(self._token, int(time.time()) + 3600)
