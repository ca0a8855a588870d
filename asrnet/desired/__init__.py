"""The desired state: which networks are to be mapped, as the files say it, with every name resolved to an id.

``load`` reads one file or all files of a folder and refuses whatever is not meant: unknown keys, unknown aliases,
names declared twice, ids of the wrong type, a network mapped to itself.
"""

from __future__ import annotations

from asrnet.desired.state import (
    EVERYTHING,
    CloudName,
    CopySettings,
    DesiredState,
    Freeze,
    Ignore,
    Match,
    Region,
    Row,
    Rule,
    Selection,
    Source,
    Vault,
    VmmRow,
    VmNetworkName,
)

__all__ = [
    "EVERYTHING",
    "CloudName",
    "CopySettings",
    "DesiredState",
    "Freeze",
    "Ignore",
    "Match",
    "Region",
    "Row",
    "Rule",
    "Selection",
    "Source",
    "Vault",
    "VmNetworkName",
    "VmmRow",
]
