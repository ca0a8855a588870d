"""The application to sign in as, as environment variables describe it: ``AZURE_*``, else Terraform's ``ARM_*``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

VARIABLES_HINT: Final = (
    "set AZURE_TENANT_ID, AZURE_CLIENT_ID and one of AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH, "
    "AZURE_FEDERATED_TOKEN_FILE; or Terraform's ARM_TENANT_ID, ARM_CLIENT_ID and one of ARM_CLIENT_SECRET, "
    "ARM_CLIENT_CERTIFICATE_PATH, or ARM_USE_OIDC=true with ARM_OIDC_TOKEN, ARM_OIDC_TOKEN_FILE_PATH, or "
    "ARM_OIDC_REQUEST_URL and ARM_OIDC_REQUEST_TOKEN (in a GitHub workflow ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN)"
)


class Application(Struct, frozen=True, kw_only=True):
    """What identifies an application to Azure. Empty if it is not given.

    ``request_url`` and ``request_token`` get an ID token from the pipeline that runs this, as GitHub's do.
    """

    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = ""
    certificate_path: str = ""
    certificate_password: str = ""
    token_file: str = ""
    token: str = ""
    request_url: str = ""
    request_token: str = ""

    def __repr__(self) -> str:
        return f"Application(tenant_id={self.tenant_id!r}, client_id={self.client_id!r})"

    @property
    def is_complete(self) -> bool:
        """Whether it suffices to sign in."""
        requested = self.request_url and self.request_token
        proof = self.client_secret or self.certificate_path or self.token_file or self.token or requested
        return bool(self.tenant_id and self.client_id and proof)


def application(variables: Mapping[str, str]) -> Application:
    """The application that ``variables``, by the names of environment variables, describe: AZURE_*, else ARM_*."""
    get = variables.get
    azures = Application(
        tenant_id=get("AZURE_TENANT_ID", ""),
        client_id=get("AZURE_CLIENT_ID", ""),
        client_secret=get("AZURE_CLIENT_SECRET", ""),
        certificate_path=get("AZURE_CLIENT_CERTIFICATE_PATH", ""),
        certificate_password=get("AZURE_CLIENT_CERTIFICATE_PASSWORD", ""),
        token_file=get("AZURE_FEDERATED_TOKEN_FILE", ""),
    )
    if azures.is_complete:
        return azures
    # An incomplete set may serve another purpose (AZURE_CLIENT_ID alone chooses a managed identity).
    terraforms = Application(
        tenant_id=get("ARM_TENANT_ID", ""),
        client_id=get("ARM_CLIENT_ID", ""),
        client_secret=get("ARM_CLIENT_SECRET", ""),
        certificate_path=get("ARM_CLIENT_CERTIFICATE_PATH", ""),
        certificate_password=get("ARM_CLIENT_CERTIFICATE_PASSWORD", ""),
    )
    if get("ARM_USE_OIDC", "").lower() in {"true", "1"}:
        terraforms = replace(
            terraforms,
            token_file=get("ARM_OIDC_TOKEN_FILE_PATH", ""),
            token=get("ARM_OIDC_TOKEN", ""),
            request_url=get("ARM_OIDC_REQUEST_URL") or get("ACTIONS_ID_TOKEN_REQUEST_URL", ""),
            request_token=get("ARM_OIDC_REQUEST_TOKEN") or get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", ""),
        )
    return terraforms if terraforms.is_complete else azures
