"""Imitations of signed values: the query of operation URLs, and access tokens. Neither is ever verified."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from asrnet.fake.operations import stable_guid

_KEY: Final = b"asrnet: a test double, and no secret"
# Sizes that make the query about 3,000 characters long, as Azure's have been since 2023.
_CERTIFICATE_BYTES: Final = 1600
_SIGNATURE_BYTES: Final = 256
_HASH_BYTES: Final = 32

TOKEN_LIFETIME: Final = 3599
"""Seconds."""


def signed_query(resource: str, api_version: str, now: float) -> str:
    """The query of an operation's URL: api-version, time, certificate, signature and hash.

    ``resource`` is the id of the operation, which the signature covers. Colons in the time have lower-case escapes.
    """
    moment = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S}"
    certificate, signature, digest = _signature(resource, moment)
    # Recorded: the escapes are in lower case. A client that rebuilds the query may write them in upper case, which
    # ``is_intact`` accepts.
    escaped = moment.replace(":", "%3a")
    return f"api-version={api_version}&t={escaped}&c={certificate}&s={signature}&h={digest}"


def is_intact(query: str, resource: str) -> bool:
    """Whether the signature in a query is unchanged. A query without one counts as intact.

    The casing of escapes in the time does not matter, because some clients write them in upper case.
    """
    # parse_qsl would unescape values that must be compared as they were sent.
    parts = dict(part.partition("=")[::2] for part in query.split("&"))
    if not parts.keys() & {"t", "c", "s", "h"}:
        return True
    expected = _signature(resource, unquote(parts.get("t", "")))
    return (parts.get("c"), parts.get("s"), parts.get("h")) == expected


def _signature(resource: str, moment: str) -> tuple[str, str, str]:
    signature = _filler(f"{resource.lower()}|{moment}", _SIGNATURE_BYTES)
    digest = _filler(f"{resource.lower()}|{moment}|{signature}", _HASH_BYTES)
    return _filler("certificate", _CERTIFICATE_BYTES), signature, digest


@lru_cache(maxsize=4096)
def _filler(text: str, length: int) -> str:
    """``length`` bytes that depend on every character of ``text``, in base64url without padding."""
    seed = hmac.new(_KEY, text.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(hashlib.shake_256(seed).digest(length)).decode().rstrip("=")


def access_token(*, audience: str, tenant: str, client_id: str, issuer: str, now: int) -> str:
    """A token in JWT form, valid for ``TOKEN_LIFETIME`` seconds from ``now``. Some clients decode their tokens."""
    client = client_id or stable_guid("anybody")
    claims = {
        "aud": audience,
        "iss": f"{issuer}/{tenant}/",
        "iat": now,
        "nbf": now,
        "exp": now + TOKEN_LIFETIME,
        "appid": client,
        "azp": client,
        "idtyp": "app",
        "oid": stable_guid("identity", client),
        "sub": stable_guid("identity", client),
        "tid": tenant,
        "ver": "1.0",
    }
    parts = ({"typ": "JWT", "alg": "RS256", "kid": "asrnet"}, claims, {"by": "asrnet"})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
