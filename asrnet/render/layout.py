"""Which sections a document is shown as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrnet.changes import Plan
from asrnet.live import LivePairs
from asrnet.render.live_layout import live_sections
from asrnet.render.plan_layout import plan_sections
from asrnet.render.sections import Section

if TYPE_CHECKING:
    from asrnet.render import View

Document = Plan | LivePairs
"""What can be rendered."""


def sections(document: Document, view: View) -> tuple[Section, ...]:
    """``document`` as sections, its one-line summary last. Sections without rows are left out."""
    if isinstance(document, Plan):
        found = plan_sections(document, verbose=view.verbose, forced=view.forced)
    else:
        found = live_sections(document, verbose=view.verbose)
    return tuple(section for section in found if section.rows)
