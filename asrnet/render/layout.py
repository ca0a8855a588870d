"""Which sections each kind of document has."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from asrnet.render import type_of
from asrnet.render.sections import Section

if TYPE_CHECKING:
    from asrnet.diagnostics.checks import Examination
    from asrnet.failover import Prediction
    from asrnet.inventory.live_pairs import LivePairs
    from asrnet.inventory.targets import Targets
    from asrnet.model.plan import Plan
    from asrnet.render import View

    Document = Plan | LivePairs | Prediction | Targets | Examination
    """What can be rendered; a report is a plan with outcomes."""


def sections(document: Document, view: View) -> tuple[Section, ...]:
    """``document`` as sections, those without rows left out; the summary of a plan or of live pairs comes last."""
    layout: Any = import_module(type_of(document).layout)
    return tuple(section for section in layout.sections(document, view) if section.rows)
