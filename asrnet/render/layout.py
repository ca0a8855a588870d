"""The sections of a document, laid out by the module for its type."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from asrnet.render import type_of
from asrnet.render.sections import Section

if TYPE_CHECKING:
    from asrnet.render import Document, View


def sections(document: Document, view: View) -> tuple[Section, ...]:
    """The sections of ``document`` that have rows. The summary of a plan or of live pairs comes last."""
    layout: Any = import_module(type_of(document).layout)
    return tuple(section for section in layout.sections(document, view) if section.rows)
