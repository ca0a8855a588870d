"""Names of new mappings."""

from __future__ import annotations

import re

from asrnet.desired.pairs import short_hash
from asrnet.model.arm import ArmId

_MOST = 63


def mapping_name(primary: str, recovery: str, ids: tuple[ArmId, ArmId], taken: set[str]) -> str:
    """``{primary}-to-{recovery}`` in letters, digits and hyphens, at most 63 of them.

    A hash of both ids is added when anything was cut or changed, or when the name is in ``taken`` (lower case), so
    that two networks never share a mapping by accident. The same ids give the same name on every run.
    """
    plain = f"{primary}-to-{recovery}"
    name = re.sub(r"[^A-Za-z0-9-]", "-", plain)
    if name == plain and len(name) <= _MOST and name.lower() not in taken:
        return name
    suffix = f"-{short_hash(*ids)}"
    hashed = f"{name[: _MOST - len(suffix)].rstrip('-')}{suffix}"
    number = 1
    candidate = hashed
    while candidate.lower() in taken:
        number += 1
        candidate = f"{hashed[: _MOST - len(str(number)) - 1]}-{number}"
    return candidate
