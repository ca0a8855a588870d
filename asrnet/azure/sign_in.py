"""The credential at work: one token cache for a run, and the answer to the question as whom."""

from __future__ import annotations

import logging
from typing import Any, Final

from azure.core.credentials import AccessTokenInfo

from asrnet.azure.credentials import Credential
from asrnet.azure.identity import Identity, identity_of
from asrnet.azure.sign_in_errors import translated_sign_in
from asrnet.azure.tokens import TokenCache

_log: Final = logging.getLogger("asrnet.azure.sign_in")


class SignIn:
    """A credential, built when a token is first needed. ``tokens`` is what the SDKs' clients are given."""

    def __init__(self, credential: Credential, scope: str) -> None:
        self.tokens = TokenCache(self._fetch)
        self._credential = credential
        self._scope = scope
        self._source: Any = None

    def identity(self) -> Identity:
        """As whom requests are sent. Raises CredentialError and UnreachableError."""
        return identity_of(self.tokens.get_token(self._scope).token, self._winner())

    def _fetch(self, scope: str, claims: str | None) -> AccessTokenInfo:
        with translated_sign_in(self._credential.name):
            self._source = self._source or self._credential.build()
            token = _token(self._source, scope, claims)
        _log.info("signed in as %s", identity_of(token.token, self._winner()))
        return token

    def _winner(self) -> str:
        """The member of a chain that got the token; azure-identity keeps it in a place of its own."""
        won = getattr(self._source, "_successful_credential", None)
        return self._credential.name if won is None else type(won).__name__


def _token(source: Any, scope: str, claims: str | None) -> AccessTokenInfo:
    """A token from any kind of credential: older ones have one method, newer ones another."""
    if hasattr(source, "get_token_info"):
        found: AccessTokenInfo = source.get_token_info(scope, options={"claims": claims} if claims else {})
        return found
    token = source.get_token(scope, claims=claims) if claims else source.get_token(scope)
    return AccessTokenInfo(token.token, token.expires_on)
