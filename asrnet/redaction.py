"""Removes secrets from text: vendors' errors, answers and logs quote tokens, passwords and signed addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

GONE: Final = "..."

_QUERY: Final = re.compile(r"\?[^\s'\"<>()\[\]]*=[^\s'\"<>()\[\]]*")
_HARMLESS: Final = re.compile(r"\?((api-version=[\w.-]+|[\w$%.-]+=REDACTED)(&|$))+")
_USER: Final = re.compile(r"(?<=://)[^\s/@'\"]*:[^\s@'\"]*@|(?<![\w/.:-])[\w.~-]+:[^\s:/@'\"]+@(?=[\w.-]+:\d)")
_UNPARSED: Final = re.compile(r"(\bFailed to parse: )('[^']*'|\S+)")
"""urllib3's error about the address of a proxy whose password has unescaped characters."""
# The header of a JSON Web Token is a JSON object, which begins with eyJ in Base64.
_TOKEN: Final = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)*")
_BEARER: Final = re.compile(r"(\bbearer\s+)[\w.~+/-]{16,}=*", re.IGNORECASE)
_NAMED: Final = re.compile(
    r"(\b(client_?secret|client_?assertion|assertion|(access|refresh|id)_?token|password|sig|signature|shared_?access_?key)"
    r"\\?[\"']?\s*[=:]\s*\\?[\"']?)[^\s\"'&,;\\]{4,}",
    re.IGNORECASE,
)
_SHORTEST: Final = 6
"""Characters. Anything shorter is hardly a secret, and removing it would garble texts."""


def without_query(text: str) -> str:
    """``text`` with the query of every address in it cut off, unless the query holds only an API version."""
    return _QUERY.sub(lambda query: query[0] if _HARMLESS.fullmatch(query[0]) else f"?{GONE}", text)


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """``text`` without queries, tokens, passwords, values labelled as secrets, and the ``known`` secrets."""
    for secret in known:
        text = text.replace(secret, GONE) if len(secret) >= _SHORTEST else text
    text = _NAMED.sub(rf"\1{GONE}", without_query(text))
    text = _BEARER.sub(rf"\1{GONE}", _TOKEN.sub(GONE, text))
    return _USER.sub(f"{GONE}@", _UNPARSED.sub(rf"\1{GONE}", text))
