"""Which sections each kind of document has."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from asrnet.errors import InputError
from asrnet.inventory.live_pairs import LivePairs
from asrnet.model.plan import Plan
from asrnet.render.sections import Section

if TYPE_CHECKING:
    from asrnet.render import View

Document = Plan | LivePairs
"""What can be rendered; a report is a plan with outcomes."""


def planned(document: Document, what: str) -> Plan:
    """``document``, which is a plan or report. Raises InputError where it is live pairs, which cannot be ``what``."""
    if not isinstance(document, Plan):
        raise InputError(f"live pairs cannot be {what}", hint="plans and reports can: use asrnet plan or asrnet drift")
    return document


def sections(document: Document, view: View) -> tuple[Section, ...]:
    """``document`` as sections, its one-line summary last. Sections without rows are left out."""
    return tuple(section for section in _sections(document, view) if section.rows)


def _sections(document: Document, view: View) -> Iterator[Section]:
    # Where there is a report its module is loaded, and a plan need not wait for it.
    reports = sys.modules.get("asrnet.model.report")
    if reports and isinstance(document, reports.Report):
        from asrnet.render.report_layout import report_sections

        return report_sections(document, view)
    if isinstance(document, Plan):
        from asrnet.render.plan_layout import plan_sections

        return plan_sections(document, view)
    from asrnet.render.live_layout import live_sections

    return live_sections(document, verbose=view.verbose)
