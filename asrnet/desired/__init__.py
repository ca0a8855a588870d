"""The desired state: the pairs of networks that the files declare, with every name resolved to an id.

``load_desired`` reads a file, or all files of a folder, and refuses mistakes: unknown keys and aliases, names declared
twice, ids of the wrong type, a network mapped to itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from asrnet.desired.loading import Examined

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
    "dump_desired",
    "examine_desired",
    "load_desired",
]


def load_desired(path: str | Path) -> DesiredState:
    """The desired state in a file, or in every .yaml, .yml and .json file of a folder.

    Raises DocumentError, with file and line, about all mistakes that can be found without asking Azure.
    """
    from asrnet.desired import loading  # YAML takes 50 ms to import, and not every command needs it

    return loading.load(path)


def examine_desired(path: str | Path) -> Examined:
    """As much of the desired state as can be read, with every mistake, for those who report all of them."""
    from asrnet.desired import loading

    return loading.examine(path)


def dump_desired(state: DesiredState) -> str:
    """The YAML of a desired state, as a person would write it; ``load_desired`` reads it back."""
    from asrnet.desired import writing

    return writing.dumps(state)
