"""The variables that describe an application to sign in as: Azure's names, and Terraform's as a fallback."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Application(Struct, frozen=True, kw_only=True):
    """What identifies an application to Azure. Empty where it is not given."""

    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = ""
    certificate_path: str = ""
    certificate_password: str = ""
    token_file: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"Application(tenant_id={self.tenant_id!r}, client_id={self.client_id!r})"

    @property
    def is_complete(self) -> bool:
        """Whether it suffices to sign in."""
        proof = self.client_secret or self.certificate_path or self.token_file or self.token
        return bool(self.tenant_id and self.client_id and proof)


def application(variables: Mapping[str, str]) -> Application:
    """The application that ``variables``, by the names of environment variables, describe: AZURE_*, else ARM_*."""
    get = variables.get
    found = Application(
        tenant_id=get("AZURE_TENANT_ID", ""),
        client_id=get("AZURE_CLIENT_ID", ""),
        client_secret=get("AZURE_CLIENT_SECRET", ""),
        certificate_path=get("AZURE_CLIENT_CERTIFICATE_PATH", ""),
        certificate_password=get("AZURE_CLIENT_CERTIFICATE_PASSWORD", ""),
        token_file=get("AZURE_FEDERATED_TOKEN_FILE", ""),
    )
    return found if found.is_complete else _terraforms(variables, found)


def _terraforms(variables: Mapping[str, str], fallback: Application) -> Application:
    get = variables.get
    by_token = get("ARM_USE_OIDC", "").lower() in {"true", "1"}
    found = Application(
        tenant_id=get("ARM_TENANT_ID", ""),
        client_id=get("ARM_CLIENT_ID", ""),
        client_secret=get("ARM_CLIENT_SECRET", ""),
        certificate_path=get("ARM_CLIENT_CERTIFICATE_PATH", ""),
        certificate_password=get("ARM_CLIENT_CERTIFICATE_PASSWORD", ""),
        token_file=get("ARM_OIDC_TOKEN_FILE_PATH", "") if by_token else "",
        token=get("ARM_OIDC_TOKEN", "") if by_token else "",
    )
    return found if found.is_complete else fallback
