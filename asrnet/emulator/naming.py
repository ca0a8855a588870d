"""The names that Azure takes. Source: "Naming rules and restrictions for Azure resources"."""

from __future__ import annotations

import re
from typing import Final, Literal

from asrnet.emulator.refusals import GatewayError

_RULES: Final = {
    "resource group": (r"[\w.()-]{0,89}[\w()-]", "letters, digits, '_', '-', '(', ')' and '.', but not at the end"),
    "virtual network": (
        r"[a-z0-9]([\w.-]{0,62}\w)?",
        "letters, digits, '_', '-' and '.', ending in one of the first three",
    ),
    "subnet": (
        r"[a-z0-9]([\w.-]{0,78}\w)?",
        "up to 80 letters, digits, '_', '-' and '.', ending in one of the first three",
    ),
    "vault": (r"[a-z][a-z0-9-]{1,49}", "2 to 50 letters, digits and '-', beginning with a letter"),
}


def check_name(kind: Literal["resource group", "virtual network", "subnet", "vault"], name: str) -> None:
    """Refuse, with 400, to create something under a name that Azure does not take."""
    pattern, words = _RULES[kind]
    if not re.fullmatch(pattern, name, re.IGNORECASE):
        message = f"Resource name '{name[:200]}' is invalid for a {kind}. It may have {words}."
        raise GatewayError(400, "InvalidResourceName", message)
