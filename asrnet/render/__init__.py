"""Plans, reports and lists in the formats of ``--output``: a module each, imported when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from asrnet.errors import InputError

if TYPE_CHECKING:
    from asrnet.render.layout import Document

FORMATS: Final[Mapping[str, str]] = {
    "text": "asrnet.render.text",
    "json": "asrnet.render.json",
    "markdown": "asrnet.render.markdown",
    "mermaid": "asrnet.render.mermaid",
}
"""The name of each format and the module whose ``render(document, view)`` writes it."""


class View(Struct, frozen=True, kw_only=True):
    """For whom a document is drawn.

    ``width`` None: no terminal. ``all_pairs``: those in sync too. ``forced``: limits the user has lifted.
    """

    verbose: bool = False
    all_pairs: bool = False
    width: int | None = None
    colour: bool = False
    forced: tuple[str, ...] = ()


def render(document: Document, output: str, view: View | None = None) -> str:
    """``document`` in the format ``output``; InputError, naming those there are, where there is none of that name."""
    if output not in FORMATS:
        raise InputError(f"unknown output format '{output}'", hint=f"there are {', '.join(FORMATS)}")
    text: str = import_module(FORMATS[output]).render(document, view or View())
    return text
