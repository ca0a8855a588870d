"""What an error on the wire says, whichever of Azure's services wrote it.

Azure Resource Manager puts its code on top. Site Recovery puts the HTTP status in words there, and its own code, causes
and advice into the first detail. Microsoft.Network writes details without a meaning of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from asrnet.redaction import without_secrets

_STATUS_WORDS: Final = frozenset(
    {"", "BadRequest", "Unauthorized", "Forbidden", "NotFound", "MethodNotAllowed", "Conflict", "PreconditionFailed"}
    | {"TooManyRequests", "InternalServerError", "ServiceUnavailable", "BadGateway", "GatewayTimeout"}
)
_LONGEST_TEXT: Final = 300


class Answer(Struct, frozen=True, kw_only=True):
    """An error document. ``outer_code`` is the code on top, ``code`` the one that says most."""

    code: str = ""
    outer_code: str = ""
    message: str = ""
    possible_causes: str = ""
    recommended_action: str = ""
    information: tuple[Mapping[str, Any], ...] = ()

    @property
    def codes(self) -> frozenset[str]:
        """Every code in it that is not empty."""
        return frozenset({self.code, self.outer_code}) - {""}


def read_answer(body: bytes) -> Answer:
    """The error document in ``body``; where it is none, whatever text there is as its message."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Answer(message=_plain(body))
    error = document.get("error", document) if isinstance(document, dict) else None
    return describe(error) if isinstance(error, dict) else Answer(message=_plain(body))


def describe(error: Mapping[str, Any]) -> Answer:
    """``error``, the inside of an error document or of an operation's status, as an Answer."""
    outer = _text(error.get("code"))
    detail = _first_detail(error)
    inner = _text(detail.get("code"))
    specific = bool(inner) and (outer in _STATUS_WORDS or "possibleCauses" in detail)
    return Answer(
        code=inner if specific else outer or inner,
        outer_code=outer,
        message=(_text(detail.get("message")) if specific else "") or _text(error.get("message")),
        possible_causes=_text(detail.get("possibleCauses")) or _text(error.get("possibleCauses")),
        recommended_action=_text(detail.get("recommendedAction")) or _text(error.get("recommendedAction")),
        information=tuple(each for each in error.get("additionalInfo") or () if isinstance(each, dict)),
    )


def _first_detail(error: Mapping[str, Any]) -> Mapping[str, Any]:
    details = error.get("details")
    return next((each for each in details if isinstance(each, dict)), {}) if isinstance(details, list) else {}


def _text(value: object) -> str:
    """Lists of causes occur; numbers for codes too."""
    if isinstance(value, list):
        return " ".join(_text(each) for each in value)
    return without_secrets(str(value).strip()) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _plain(body: bytes) -> str:
    """The text of a proxy's page or of a broken answer, without its markup's bulk."""
    return without_secrets(" ".join(body.decode("utf-8", "replace").split()))[:_LONGEST_TEXT]
