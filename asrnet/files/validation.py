"""The result of ``asrnet validate``: which files are valid, what they declare, and every mistake in the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from asrnet.files.problems import Mistake

NOUNS: Final = {
    "pairs": "pair",
    "rules": "rule",
    "vaults": "vault",
    "vmm_servers": "VMM server",
    "virtual_networks": "virtual network",
    "mappings": "mapping",
}
"""What a file can declare, as keys of ``contents`` and in words."""


class CheckedFile(Struct, frozen=True, kw_only=True):
    """A file or folder that was checked; ``contents`` counts what a valid one declares."""

    path: str
    valid: bool
    contents: Mapping[str, int] = {}


class Validation(Struct, frozen=True, kw_only=True):
    """The files in the order in which they were given, and the mistakes file by file and line by line."""

    format_version: str = "1.0"
    files: tuple[CheckedFile, ...]
    mistakes: tuple[Mistake, ...] = ()
