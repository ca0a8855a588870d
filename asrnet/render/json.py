"""JSON for programs: every field of the document, indented so that people can read and compare it line by line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from asrnet.model.plan import to_json

if TYPE_CHECKING:
    from asrnet.render import View

_UNSAFE: Final = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Control and bidirectional characters that JSON allows as they are, and that act on a terminal."""


def render(document: Struct, view: View) -> str:  # noqa: ARG001 - every format has this signature
    """``document`` as JSON."""
    return as_json(document)


def as_json(value: Struct) -> str:
    """The indented JSON of any value."""
    return escaped(msgspec.json.format(to_json(value), indent=2).decode()) + "\n"


def escaped(text: str) -> str:
    """The JSON ``text`` with the escapes of characters that act on a terminal, or begin a command in a log."""
    if "##" in text:
        text = text.replace("##vso[", "#\\u0023vso[").replace("##[", "#\\u0023[")
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
