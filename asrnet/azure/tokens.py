"""One token for a whole run: the SDKs' clients each keep one of their own, and some credentials start a process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

from asrnet.errors import AsrError

_REFRESH_BEFORE: Final = 300.0
_REFUSED_FOR: Final = 30.0
_log: Final = logging.getLogger("asrnet.azure.tokens")

Fetch = Callable[[str, str | None], AccessTokenInfo]
"""Gets a token from a credential, given the scope and a claims challenge, if any."""


class TokenCache:
    """A credential for the SDKs that asks ``fetch`` for a new token five minutes before the old one expires.

    ``fetch(scope, claims)`` raises asrnet's errors only. One request for a token is under way at a time for each scope.
    When a refresh fails while the old token is still good, the old one goes on.
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
        with lock:
            return self._renewed(scope, claims)

    def get_token(self, *scopes: str, claims: str | None = None, **_others: Any) -> AccessToken:
        """The same for clients that ask the older way."""
        options: TokenRequestOptions = {"claims": claims} if claims else {}
        token = self.get_token_info(*scopes, options=options)
        return AccessToken(token.token, token.expires_on)

    def _renewed(self, scope: str, claims: str | None) -> AccessTokenInfo:
        held = self._tokens.get(scope)
        left = held.expires_on - self._now() if held else 0.0
        if held and left > _REFRESH_BEFORE and not claims:
            return held
        try:
            return self._fetched(scope, claims)
        except AsrError as error:
            if not held or left <= 0.0 or claims:
                raise
            _log.warning("the token could not be renewed and is good for %.0f s more: %s", left, error.message)
            return held

    def _fetched(self, scope: str, claims: str | None) -> AccessTokenInfo:
        """A new token. A refusal stands for a while: threads that waited for it must not each ask in vain again."""
        refusal = self._refusals.get(scope)
        if refusal and self._now() - refusal[0] < _REFUSED_FOR and not claims:
            raise refusal[1]
        try:
            self._tokens[scope] = self._fetch(scope, claims)
        except AsrError as error:
            self._refusals[scope] = (self._now(), error)
            raise
        return self._tokens[scope]
