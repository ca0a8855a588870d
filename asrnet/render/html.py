"""The HTML report: one self-contained file that can be mailed, archived and opened anywhere.

The script and the styles come from ``page/`` and are embedded in the page together with the data. A content security
policy forbids everything else, so that no name in the data can load or run anything.
"""

from __future__ import annotations

import base64
import hashlib
import html
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any, Final

import msgspec

from asrnet.inventory.live_pairs import LivePairs
from asrnet.model.plan import Plan
from asrnet.render.page_data import Page, PageItem
from asrnet.render.wording import printable

if TYPE_CHECKING:
    from asrnet.render import View

SCRIPTS: Final = ("layout.js", "picture.js", "findings.js", "details.js", "paper.js", "report.js")
"""The files that make up the script, in order."""

_LISTED: Final = 200
"""The maximum number of rows in the table for viewers that run no scripts."""


def render(document: Plan | LivePairs, view: View) -> str:
    """``document`` as an HTML page."""
    page: Page
    if isinstance(document, Plan):
        from asrnet.render.page_plan import plan_page

        page = plan_page(document, view)
    else:
        from asrnet.render.page_live import live_page

        page = live_page(document, view)
    script = "(() => {\n'use strict';\n" + "\n".join(_part(name) for name in SCRIPTS) + "})();\n"
    style = _part("page.css")
    return Template(_part("page.html")).substitute(
        policy=f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        summary=html.escape(printable(page.summary)),
        style=style,
        script=script,
        # Escaped, so that nothing in it can close the script element around it.
        data=msgspec.json.encode(_printable(msgspec.to_builtins(page))).decode().replace("<", "\\u003c"),
        attention=_table(page),
    )


def _part(name: str) -> str:
    return (resources.files("asrnet.render") / "page" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {name: _printable(part) for name, part in value.items()}
    return [_printable(part) for part in value] if isinstance(value, (list, tuple)) else value


def _attention(page: Page) -> list[PageItem]:
    """The pairs that need attention: those that are not as declared, and those with errors or warnings."""
    quiet = {"in_sync", "corrected", "external"}
    return [item for item in page.items if item.status not in quiet or _problems(item)][:_LISTED]


def _problems(item: PageItem) -> list[str]:
    return [finding.message for finding in item.findings if finding.severity != "info"]


def _row(page: Page, item: PageItem) -> str:
    ends = [page.networks[end] for end in (item.primary, item.recovery)]
    cells = [
        item.vault, item.name, item.label, *(f"{end.name} ({end.place})" for end in ends), "; ".join(_problems(item))
    ]  # fmt: skip
    return "<tr>" + "".join(f"<td>{html.escape(printable(cell))}</td>" for cell in cells) + "</tr>"


def _table(page: Page) -> str:
    """What viewers that run no scripts show: a table of the pairs that need attention, or a note that none does."""
    rows = [_row(page, item) for item in _attention(page)]
    if not rows:
        return '<p class="note">No pair needs attention.</p>' if page.items else ""
    heads = ("Vault", "Pair", "State", "Primary", "Recovery", "Why")
    return "\n".join(
        (
            f'<p class="note">These pairs need attention: {len(rows)} of {len(page.items)}.</p>',
            '<table class="plain">',
            f"<thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead>",
            "<tbody>",
            *rows,
            "</tbody>",
            "</table>",
        )
    )
