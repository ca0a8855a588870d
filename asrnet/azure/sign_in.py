"""Signing in: the run's token cache, the identity behind the token, and advice for failed sign-ins."""

from __future__ import annotations

import base64
import copy
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.exceptions import AzureError, ClientAuthenticationError
from msgspec import Struct

from asrnet.azure.answers import certificate_failure, is_name_failure, scrub
from asrnet.azure.credentials import Credential
from asrnet.errors import AsrError, CredentialError, UnreachableError
from asrnet.redaction import without_secrets
from asrnet.settings.roots import certificate_hint

_log: Final = logging.getLogger("asrnet.azure.sign_in")
_REFRESH_BEFORE: Final = 300.0
"""In seconds. A request may be repeated for this long, and its token must not expire meanwhile."""
_REFUSED_FOR: Final = 30.0
"""In seconds: longer than a thread waits at start-up for another's sign-in, shorter than a person needs to fix it."""


class Identity(Struct, frozen=True, kw_only=True):
    """The identity to which a token was issued. Fields are empty if the token does not contain them."""

    credential: str
    tenant_id: str = ""
    object_id: str = ""
    application_id: str = ""
    user: str = ""

    def __str__(self) -> str:
        parts = [
            self.user,
            f"application {self.application_id}" if self.application_id and not self.user else "",
            f"object id {self.object_id}" if self.object_id else "",
            f"tenant {self.tenant_id}" if self.tenant_id else "",
        ]
        owner = ", ".join(part for part in parts if part)
        return f"{owner or 'unknown'} (by {self.credential})"


def identity_of(token: str, credential: str) -> Identity:
    """The owner of ``token``, unverified, because Azure verifies the token itself."""
    try:
        _header, payload, _signature = token.split(".")
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, msgspec.DecodeError):  # not every service's tokens can be decoded, and only Azure needs to
        claims = {}

    def claim(*names: str) -> str:
        return next((str(claims[name]) for name in names if claims.get(name)), "") if isinstance(claims, dict) else ""

    return Identity(
        credential=credential,
        tenant_id=claim("tid"),
        object_id=claim("oid"),
        application_id=claim("appid", "azp"),
        user=claim("upn", "unique_name", "preferred_username"),
    )


Fetch = Callable[[str, str | None], AccessTokenInfo]
"""Gets a token from a credential for a scope and, if there is one, a claims challenge."""


class TokenCache:
    """A credential for the SDKs that asks ``fetch`` for a new token five minutes before the old one expires.

    The SDKs' clients would each keep a token of their own. ``fetch(scope, claims)`` raises only asrnet's errors. For
    each scope, one request for a token is in progress at a time. If a refresh fails while the old token is still valid,
    the old one is used.
    """

    def __init__(self, fetch: Fetch, now: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._now = now
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._tokens: dict[str, AccessTokenInfo] = {}
        self._refusals: dict[str, tuple[float, AsrError]] = {}

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """The token for the one scope in ``scopes``."""
        (scope,) = scopes
        claims = (options or {}).get("claims")
        with self._guard:
            lock = self._locks.setdefault(scope, threading.Lock())
        # Other threads wait while a token is fetched, because some credentials start a process for each token.
        with lock:
            token = self._tokens.get(scope)
            left = token.expires_on - self._now() if token else 0.0
            if token and left > _REFRESH_BEFORE and not claims:
                return token
            try:
                return self._fetched(scope, claims)
            except AsrError as error:
                if not token or left <= 0.0 or claims:
                    raise
                _log.warning("the token could not be renewed and is valid for %.0f s more: %s", left, error.message)
                return token

    def get_token(self, *scopes: str, claims: str | None = None, **_others: Any) -> AccessToken:
        """The token as a plain AccessToken, which the SDKs' type of a credential still requires."""
        options: TokenRequestOptions = {"claims": claims} if claims else {}
        token = self.get_token_info(*scopes, options=options)
        return AccessToken(token.token, token.expires_on)

    def _fetched(self, scope: str, claims: str | None) -> AccessTokenInfo:
        """Fetch a new token.

        A refusal is remembered for a while, so that threads that waited for it do not repeat the request.
        """
        refused_at, refusal = self._refusals.get(scope, (0.0, None))
        if refusal and self._now() - refused_at < _REFUSED_FOR and not claims:
            # Each thread raises a copy, because an object raised in several threads collects all their tracebacks.
            again = copy.copy(refusal)
            raise again from refusal.__cause__
        try:
            self._tokens[scope] = self._fetch(scope, claims)
        except AsrError as error:
            self._refusals[scope] = (self._now(), copy.copy(error))
            self._refusals[scope][1].__cause__ = error.__cause__
            raise
        return self._tokens[scope]


class SignIn:
    """A credential, built when a token is first needed. The SDKs' clients get ``tokens``."""

    def __init__(self, credential: Credential, scope: str) -> None:
        self.tokens = TokenCache(self._fetch)
        self._credential = credential
        self._scope = scope
        self._source: Any = None

    def identity(self) -> Identity:
        """The identity as which requests are sent. Raises CredentialError and UnreachableError."""
        return identity_of(self.tokens.get_token(self._scope).token, self._source_name())

    def _fetch(self, scope: str, claims: str | None) -> AccessTokenInfo:
        with translated_sign_in(self._credential):
            self._source = self._source or self._credential.build()
            options: TokenRequestOptions = {"claims": claims} if claims else {}
            token: AccessTokenInfo = self._source.get_token_info(scope, options=options)
        _log.info("signed in as %s", identity_of(token.token, self._source_name()))
        return token

    def _source_name(self) -> str:
        """The name of the credential, or of the chain's member that got the token (private in azure-identity)."""
        successful = getattr(self._source, "_successful_credential", None)
        return self._credential.name if successful is None else type(successful).__name__


_CODE: Final = re.compile(r"AADSTS\d+")
_NOISE: Final = re.compile(r"\s*(Trace ID|Correlation ID|Timestamp|Content):.*", re.DOTALL)
_NOT_VERIFIED: Final = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verif\w* failed", re.IGNORECASE)
"""How the Azure CLI and other programs that a credential starts report an untrusted certificate on standard error."""

_NOT_ASSIGNED: Final = re.compile(
    r"Identity not found|has (not )?been assigned to this resource"
    r"|No (User Assigned or Delegated )?Managed Identity found"
    r"|Multiple user assigned identities exist|Unable to load the proper Managed Identity",
    re.IGNORECASE,
)
"""The messages of virtual machines, App Service and Container Apps about an identity not assigned to them."""

_LONGEST: Final = 400
_SIGN_IN_AGAIN: Final = "sign in again: az login"
_HINTS: Final = {
    "AADSTS700024": "the pipeline's ID token has expired (it lives 5 to 10 minutes): sign in right before this step, "
    "or set AZURE_FEDERATED_TOKEN_FILE to a file that is renewed, or use a managed identity",
    "AADSTS7000222": "the application's secret has expired: make a new one, or use workload identity",
    "AADSTS7000215": "AZURE_CLIENT_SECRET is not the secret's value (perhaps its id)",
    "AADSTS700016": "the application is not in this tenant: check AZURE_CLIENT_ID and AZURE_TENANT_ID",
    "AADSTS900023": "AZURE_TENANT_ID is neither a tenant's id nor its domain",
    "AADSTS90002": "there is no such tenant in this cloud: check AZURE_TENANT_ID and the cloud",
    "AADSTS70021": "no federated credential of the application fits this pipeline: check its issuer and subject",
    "AADSTS700211": "no federated credential of the application fits this pipeline: check its issuer",
    "AADSTS700212": "no federated credential of the application fits this pipeline: check its audience",
    "AADSTS700213": "no federated credential of the application fits this pipeline: check its subject",
    "AADSTS500011": "the tenant does not know Resource Manager by this scope: check the cloud",
    "AADSTS50076": f"multi-factor authentication is required; {_SIGN_IN_AGAIN}",
    "AADSTS50078": f"multi-factor authentication has expired; {_SIGN_IN_AGAIN}",
    "AADSTS50173": f"the sign-in was revoked; {_SIGN_IN_AGAIN}",
    "AADSTS700082": f"the sign-in has expired; {_SIGN_IN_AGAIN}",
    "AADSTS70043": f"the sign-in has expired; {_SIGN_IN_AGAIN}",
}
_NO_CREDENTIAL: Final = (
    "run 'az login', or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_FEDERATED_TOKEN_FILE), "
    "or run on a machine with a managed identity; ASRNET_CREDENTIAL selects one of them"
)


@contextmanager
def translated_sign_in(credential: Credential) -> Iterator[None]:
    """Convert the exceptions of ``credential`` into asrnet's errors."""
    try:
        yield
    except AzureError as error:
        certificate = certificate_failure(error)
        scrub(error)
        _log.debug("%s", error.message)
        raise _failure(credential, error, certificate) from error
    except InterruptedError:
        raise
    except OSError as error:
        raise CredentialError(f"the {credential.name} credential needs a file that cannot be read: {error}") from error
    except ValueError as error:
        # azure-identity raises this for malformed values.
        raise CredentialError(f"the {credential.name} credential cannot be used: {error}") from error


def _failure(credential: Credential, error: AzureError, certificate: str) -> AsrError:
    """The error for a sign-in that failed with ``error``.

    azure-identity also reports an authentication failure if no service could be reached. The report of a chain of
    credentials may have the decisive refusal in its middle; each attempt is logged at level DEBUG.
    """
    message = str(error.message).strip()
    code = _CODE.search(message)
    text = _NOISE.sub("", message[code.start() :] if code else message)
    summary = " ".join(without_secrets(text).splitlines()[0].split())[:_LONGEST] if text else type(error).__name__
    if certificate or (code is None and _NOT_VERIFIED.search(message)):
        reason = certificate or summary
        hint = certificate_hint()
        return UnreachableError(f"the certificate of the sign-in service is not trusted: {reason}", hint=hint)
    is_refusal = isinstance(error, ClientAuthenticationError)
    # Compared by name: importing azure.identity for the class takes half a second, even for an emulator that needs none
    # of it.
    is_unavailable = type(error).__name__ == "CredentialUnavailableError" or "failed to retrieve a token" in message
    if code is None and is_refusal and (is_unavailable or _NOT_ASSIGNED.search(message)):
        not_assigned = _NOT_ASSIGNED.search(message)
        if not_assigned and credential.name == "managed identity":
            summary, hint = not_assigned[0], _managed_identity_hint(credential.client_id)
        elif not_assigned:
            hint = f"{_managed_identity_hint(credential.client_id)}; or {_NO_CREDENTIAL}"
        else:
            hint = _NO_CREDENTIAL
        return CredentialError(f"no credential: {summary}", hint=hint)
    hint = ""
    if code is None and is_name_failure(error):
        hint = "the host's name does not resolve: check DNS, the proxy (HTTPS_PROXY) and the desired state's cloud"
    elif code is None and "Failed to parse" in message:
        hint = "check the proxy's address (HTTPS_PROXY)"
    if hint or not is_refusal:
        return UnreachableError(f"no answer from the sign-in service: {summary}", hint=hint)
    return CredentialError(
        f"the {credential.name} credential was refused: {summary}",
        hint=(_HINTS.get(code[0]) if code else None) or "run 'asrnet doctor' for the details",
    )


def _managed_identity_hint(client_id: str) -> str:
    if client_id:
        return (
            f"AZURE_CLIENT_ID asks for the managed identity {client_id}: assign it to this machine, correct the "
            "variable, or unset it to use the system-assigned identity"
        )
    return (
        "this machine has no system-assigned managed identity, or several user-assigned ones: set AZURE_CLIENT_ID to "
        "the client id of the one to use"
    )
