"""OData filters, as far as lists of jobs and of resources take them: equalities joined by ``and``."""

from __future__ import annotations

import re
from collections.abc import Collection

from asrnet.emulator.refusals import GatewayError

_CLAUSE = re.compile(r"\s*(\w+)\s+eq\s+(?:'([^']*)'|(\S+))\s*", re.IGNORECASE)


def equalities(text: str, known: Collection[str]) -> dict[str, str]:
    """What a filter wants, by lower-case name. Refused with 400: anything but equalities of ``known`` names."""
    found: dict[str, str] = {}
    for clause in re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if text.strip() else []:
        match = _CLAUSE.fullmatch(clause)
        if match is None or match[1].lower() not in known:
            raise GatewayError(400, "BadRequest", f"The query specified in the URI is not valid: '{clause[:200]}'.")
        found[match[1].lower()] = match[2] or match[3] or ""
    return found
