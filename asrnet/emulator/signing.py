"""The signed-looking query of operation URLs, as Azure sends it since 2023: some 3,000 characters to keep verbatim."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import unquote

_KEY = b"asrnet: a test double, and no secret"
_CERTIFICATE_BYTES = 1600
_SIGNATURE_BYTES = 256
_HASH_BYTES = 32


def signed_query(resource: str, api_version: str, now: float) -> str:
    """The query of an operation's URL: api-version, time, certificate, signature and hash.

    ``resource`` is what the signature covers, the operation's id. The colons of the time are escaped in lower case.
    """
    moment = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S}"
    signature, digest = _signatures(resource, moment)
    escaped = moment.replace(":", "%3a")
    return f"api-version={api_version}&t={escaped}&c={_certificate()}&s={signature}&h={digest}"


def is_intact(query: str, resource: str) -> bool:
    """Whether a query that carries a signature carries it as it was given out; one without is intact too.

    How the time is escaped does not matter: some clients write escapes in upper case.
    """
    parts = dict(part.partition("=")[::2] for part in query.split("&"))
    if not parts.keys() & {"t", "c", "s", "h"}:
        return True
    expected = (_certificate(), *_signatures(resource, unquote(parts.get("t", ""))))
    return (parts.get("c"), parts.get("s"), parts.get("h")) == expected


def _signatures(resource: str, moment: str) -> tuple[str, str]:
    signature = _spread(f"{resource.lower()}|{moment}", _SIGNATURE_BYTES)
    return signature, _spread(f"{resource.lower()}|{moment}|{signature}", _HASH_BYTES)


@lru_cache(maxsize=1)
def _certificate() -> str:
    return _spread("certificate", _CERTIFICATE_BYTES)


@lru_cache(maxsize=4096)
def _spread(text: str, length: int) -> str:
    """``length`` bytes that depend on every character of ``text``, in base64url without padding."""
    seed = hmac.new(_KEY, text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(hashlib.shake_256(seed).digest(length)).decode().rstrip("=")
