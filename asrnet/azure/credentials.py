"""Which credential to use, by what the caller says and by what the environment holds.

In this order: the one that is named; an application whose variables are complete, ``AZURE_*`` before Terraform's
``ARM_*``; on this machine's emulator a made-up token; else azure-identity's DefaultAzureCredential. Nothing here reads
the environment: the values are handed in.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from asrnet.azure.application import Application, application
from asrnet.azure.clouds import Cloud
from asrnet.errors import CredentialError, InputError

if TYPE_CHECKING:
    from azure.core.credentials import AccessTokenInfo


class Credential(Struct, frozen=True, kw_only=True):
    """A way to get tokens, by the name people know it by; ``build`` imports what it needs.

    ``is_made_up``: nobody is asked for them.
    """

    name: str
    build: Callable[[], Any]
    is_made_up: bool = False


def choose(cloud: Cloud, *, named: str = "", variables: Mapping[str, str] | None = None) -> Credential:
    """The credential to use. ``named`` is ASRNET_CREDENTIAL or AZURE_TOKEN_CREDENTIALS. Raises InputError."""
    found = application(variables or {})
    if named:
        return _named(named, cloud, found)
    if cloud.is_loopback:
        return Credential(name="emulator", build=EmulatorCredential, is_made_up=True)
    if found.is_complete:
        return _application_credential(cloud, found)
    return _default(cloud, found)


def given(source: Any) -> Credential:
    """A credential that the caller made: any of azure-identity's, or one like them."""
    return Credential(name=type(source).__name__, build=lambda: source)


def _named(named: str, cloud: Cloud, found: Application) -> Credential:
    word = named.lower().replace("_", "").replace("-", "").removesuffix("credential")
    if word in _CHAINS:
        return _default(cloud, found, _CHAINS[word])
    if word in {"environment", "workloadidentity"}:
        if not found.is_complete:
            raise CredentialError(f"the credential '{named}' lacks its variables", hint=_ADVICE_VARIABLES)
        return _application_credential(cloud, found)
    if word not in _BUILDERS:
        names = ", ".join(["default", "dev", "prod", "environment", "workload_identity", *_SPELLINGS])
        raise InputError(f"there is no credential '{named}'", hint=f"use one of {names}")
    name, build = _BUILDERS[word]
    return Credential(name=name, build=partial(build, found), is_made_up=build is _emulator)


def _default(cloud: Cloud, found: Application, excluded: Sequence[str] = ()) -> Credential:
    def build() -> Any:
        from azure.identity import DefaultAzureCredential

        options: dict[str, Any] = {f"exclude_{name}_credential": True for name in excluded}
        if found.client_id:
            options["managed_identity_client_id"] = found.client_id
        return DefaultAzureCredential(authority=cloud.authority, **options)

    return Credential(name="default", build=build)


def _application_credential(cloud: Cloud, found: Application) -> Credential:
    if found.client_secret:
        return Credential(name="client secret", build=partial(_by_secret, cloud, found))
    if found.certificate_path:
        return Credential(name="client certificate", build=partial(_by_certificate, cloud, found))
    return Credential(name="workload identity", build=partial(_by_assertion, cloud, found))


def _by_secret(cloud: Cloud, found: Application) -> Any:
    from azure.identity import ClientSecretCredential

    return ClientSecretCredential(found.tenant_id, found.client_id, found.client_secret, **_authority(cloud))


def _by_certificate(cloud: Cloud, found: Application) -> Any:
    from azure.identity import CertificateCredential

    return CertificateCredential(
        found.tenant_id,
        found.client_id,
        found.certificate_path,
        password=found.certificate_password or None,
        **_authority(cloud),
    )


def _by_assertion(cloud: Cloud, found: Application) -> Any:
    """The file is read for every token: Kubernetes and some pipelines renew it."""
    from azure.identity import ClientAssertionCredential

    def assertion() -> str:
        return Path(found.token_file).read_text("utf-8").strip() if found.token_file else found.token

    return ClientAssertionCredential(found.tenant_id, found.client_id, assertion, **_authority(cloud))


def _authority(cloud: Cloud) -> dict[str, Any]:
    """Where to sign in. Of an authority it does not know, Microsoft's library would ask the public cloud."""
    return {"authority": cloud.authority, "disable_instance_discovery": not cloud.is_known_authority}


def _managed_identity(found: Application) -> Any:
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=found.client_id) if found.client_id else ManagedIdentityCredential()


def _azure_cli(_found: Application) -> Any:
    from azure.identity import AzureCliCredential

    return AzureCliCredential(process_timeout=30)


def _powershell(_found: Application) -> Any:
    from azure.identity import AzurePowerShellCredential

    return AzurePowerShellCredential(process_timeout=30)


def _developer_cli(_found: Application) -> Any:
    from azure.identity import AzureDeveloperCliCredential

    return AzureDeveloperCliCredential(process_timeout=30)


class EmulatorCredential:
    """Tokens that only an emulator takes: they have the form of a real one, and no signature.

    They name no tenant, unless one is given: which it is depends on the world that the emulator serves.
    """

    def __init__(self, tenant_id: str = "") -> None:
        claims = {"oid": "00000000-0000-0000-0000-00000000f00d", "upn": "nobody@emulator"}
        claims |= {"tid": tenant_id} if tenant_id else {}
        parts = ({"alg": "none", "typ": "JWT"}, claims)
        encoded = (base64.urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode() for part in parts)
        self._token = ".".join([*encoded, "unsigned"])

    def get_token_info(self, *_scopes: str, **_options: Any) -> AccessTokenInfo:
        """The token, good for an hour."""
        from azure.core.credentials import AccessTokenInfo

        return AccessTokenInfo(self._token, int(time.time()) + 3600)


def _emulator(_found: Application) -> EmulatorCredential:
    return EmulatorCredential()


_ADVICE_VARIABLES: Final = (
    "set AZURE_TENANT_ID, AZURE_CLIENT_ID and one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH, "
    "AZURE_FEDERATED_TOKEN_FILE"
)
_OF_DEVELOPERS: Final = ("cli", "powershell", "developer_cli", "visual_studio_code", "shared_token_cache", "broker")
_OF_HOSTS: Final = ("environment", "workload_identity", "managed_identity")
_CHAINS: Final[Mapping[str, Sequence[str]]] = {"default": (), "dev": _OF_HOSTS, "prod": _OF_DEVELOPERS}
_SPELLINGS: Final = ("managed_identity", "cli", "powershell", "developer_cli", "emulator")
_BUILDERS: Final[Mapping[str, tuple[str, Callable[[Application], Any]]]] = {
    "managedidentity": ("managed identity", _managed_identity),
    "cli": ("Azure CLI", _azure_cli),
    "azurecli": ("Azure CLI", _azure_cli),
    "powershell": ("Azure PowerShell", _powershell),
    "azurepowershell": ("Azure PowerShell", _powershell),
    "developercli": ("Azure Developer CLI", _developer_cli),
    "azuredevelopercli": ("Azure Developer CLI", _developer_cli),
    "emulator": ("emulator", _emulator),
}
