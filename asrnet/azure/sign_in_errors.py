"""What goes wrong when a token is asked for, in words, with what to do about it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from azure.core.exceptions import AzureError, ClientAuthenticationError

from asrnet.azure.causes import is_name_failure
from asrnet.azure.redaction import scrub
from asrnet.errors import CredentialError, UnreachableError
from asrnet.redaction import without_secrets

_CODE: Final = re.compile(r"AADSTS\d+")
_NOISE: Final = re.compile(r"\s*(Trace ID|Correlation ID|Timestamp|Content):.*", re.DOTALL)
_LONGEST: Final = 400
_NO_ADDRESS: Final = "Failed to parse"
_log: Final = logging.getLogger("asrnet.azure.sign_in")

_SIGN_IN_AGAIN: Final = "sign in again: az login"
_HINTS: Final = {
    "AADSTS700024": "the pipeline's ID token has expired (it lives 5 to 10 minutes): sign in right before this step, "
    "or let AZURE_FEDERATED_TOKEN_FILE name a file that is renewed, or use a managed identity",
    "AADSTS7000222": "the application's secret has expired: make a new one, or use workload identity",
    "AADSTS7000215": "AZURE_CLIENT_SECRET is not the secret's value (its id, perhaps)",
    "AADSTS700016": "the application is not in this tenant: check AZURE_CLIENT_ID and AZURE_TENANT_ID",
    "AADSTS900023": "AZURE_TENANT_ID is neither a tenant's id nor its domain",
    "AADSTS90002": "there is no such tenant in this cloud: check AZURE_TENANT_ID and the cloud",
    "AADSTS70021": "no federated credential of the application fits this pipeline: check its issuer and subject",
    "AADSTS700211": "no federated credential of the application fits this pipeline: check its issuer",
    "AADSTS700213": "no federated credential of the application fits this pipeline: check its subject",
    "AADSTS500011": "the tenant knows no Resource Manager under this scope: check the cloud",
    "AADSTS50076": f"multi-factor authentication is required; {_SIGN_IN_AGAIN}",
    "AADSTS50078": f"multi-factor authentication has expired; {_SIGN_IN_AGAIN}",
    "AADSTS50173": f"the sign-in was revoked; {_SIGN_IN_AGAIN}",
    "AADSTS700082": f"the sign-in has expired; {_SIGN_IN_AGAIN}",
    "AADSTS70043": f"the sign-in has expired; {_SIGN_IN_AGAIN}",
}

NO_CREDENTIAL_HINT: Final = (
    "run 'az login', or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_FEDERATED_TOKEN_FILE), "
    "or run where there is a managed identity; ASRNET_CREDENTIAL says which of them to use"
)


@contextmanager
def translated_sign_in(credential: str) -> Iterator[None]:
    """Turn what ``credential`` raises inside into asrnet's errors."""
    try:
        yield
    except ClientAuthenticationError as error:
        scrub(error)
        _log.debug("%s", error.message)
        raise _refused(credential, error) from error
    except AzureError as error:
        scrub(error)
        if is_name_failure(error):
            raise _unresolved(error) from error
        raise UnreachableError(f"no answer from the sign-in service: {without_secrets(error.message)}") from error
    except InterruptedError:
        raise
    except OSError as error:
        raise CredentialError(f"the {credential} credential needs a file that cannot be read: {error}") from error
    except ValueError as error:
        # azure-identity checks the form of what it is given, and says so like this.
        raise CredentialError(f"the {credential} credential cannot be used: {error}") from error


def _unresolved(error: AzureError) -> UnreachableError:
    hint = "the host's name does not resolve: check DNS, the proxy (HTTPS_PROXY) and the desired state's cloud"
    return UnreachableError(f"no answer from the sign-in service: {_summary(error)}", hint=hint)


def _refused(credential: str, error: ClientAuthenticationError) -> CredentialError | UnreachableError:
    """The whole chain may have been tried in vain, with a refusal among its reports.

    azure-identity calls it a failed authentication, too, when nobody could be asked.
    """
    message = str(error.message)
    found = _CODE.search(message)
    # By name: importing azure.identity for its class costs half a second, also where an emulator needs none of it.
    unavailable = type(error).__name__ == "CredentialUnavailableError"
    if found is None and (unavailable or "failed to retrieve a token" in message):
        return CredentialError(f"no credential: {_summary(error)}", hint=NO_CREDENTIAL_HINT)
    if found is None and is_name_failure(error):
        return _unresolved(error)
    if found is None and _NO_ADDRESS in message:
        return UnreachableError(
            f"no answer from the sign-in service: {_summary(error)}", hint="check the proxy's address (HTTPS_PROXY)"
        )
    hint = _HINTS.get(found[0], "") if found else ""
    return CredentialError(
        f"the {credential} credential was refused: {_summary(error)}",
        hint=hint or "run 'asrnet doctor' for the details",
    )


def _summary(error: AzureError) -> str:
    """The first sentence that matters; each attempt of a chain is in the log at the level DEBUG."""
    message = str(error.message).strip()
    found = _CODE.search(message)
    text = _NOISE.sub("", message[found.start() :] if found else message)
    return " ".join(text.splitlines()[0].split())[:_LONGEST] if text else type(error).__name__
