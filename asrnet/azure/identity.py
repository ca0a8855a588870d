"""As whom asrnet acts: what a token says about its owner, without any secret."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct


class Identity(Struct, frozen=True, kw_only=True):
    """Who a token was issued to. Empty where the token does not say."""

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
        said = ", ".join(part for part in parts if part)
        return f"{said or 'unknown'} (by {self.credential})"


def identity_of(token: str, credential: str) -> Identity:
    """The owner of ``token``. Nothing is verified: only Azure's opinion counts, and it reads the token itself."""
    claims = _claims(token)

    def claim(*names: str) -> str:
        return next((str(claims[name]) for name in names if claims.get(name)), "")

    return Identity(
        credential=credential,
        tenant_id=claim("tid"),
        object_id=claim("oid"),
        application_id=claim("appid", "azp"),
        user=claim("upn", "unique_name", "preferred_username"),
    )


def _claims(token: str) -> Mapping[str, Any]:
    payload = token.split(".")[1] if token.count(".") == 2 else ""  # noqa: PLR2004 - header, payload, signature
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, msgspec.DecodeError, UnicodeError):
        return {}
    return claims if isinstance(claims, dict) else {}
