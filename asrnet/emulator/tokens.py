"""Tokens that look like Azure's to the clients that look into them. Nothing signs or checks them."""

from __future__ import annotations

import base64
import json
from typing import Final

from asrnet.emulator.site_recovery_json import stable_guid

LIFETIME: Final = 3599
"""Seconds."""


def access_token(*, audience: str, tenant: str, client_id: str, issuer: str, now: int) -> str:
    """A token in three parts, for ``LIFETIME`` seconds from ``now``."""
    who = client_id or stable_guid("anybody")
    claims = {
        "aud": audience,
        "iss": f"{issuer}/{tenant}/",
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        "appid": who,
        "azp": who,
        "idtyp": "app",
        "oid": stable_guid("identity", who),
        "sub": stable_guid("identity", who),
        "tid": tenant,
        "ver": "1.0",
    }
    return ".".join(_part(part) for part in ({"typ": "JWT", "alg": "RS256", "kid": "asrnet"}, claims, {"by": "asrnet"}))


def _part(document: dict[str, object] | dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")
