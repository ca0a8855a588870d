"""Markdown for pull requests and chat: summary, tables and a diagram. Names are escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from asrnet.inventory.live_pairs import LivePairs
from asrnet.model.plan import Plan
from asrnet.render import layout
from asrnet.render.mermaid import picture
from asrnet.render.sections import Section
from asrnet.render.wording import printable

if TYPE_CHECKING:
    from asrnet.render import Document, View

COMMENT_LIMIT: Final = 65_536
"""The maximum length of a comment on GitHub, in characters. GitLab and Azure DevOps accept more."""

_HEADROOM: Final = 1_536
"""Characters that are left free for the text that a workflow adds before and after."""

# Markup anywhere, what begins a list, a quotation or a heading at the start, and the dot that makes "1." a list.
_SPECIAL: Final = re.compile(r"[\\`*_\[\]#|~$]|^[-+=>]|(?<=^\d)[.)]")
_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;"})


def render(document: Document, view: View) -> str:
    """``document`` as GitHub-flavoured Markdown that fits a comment; the end says how many lines were left out."""
    text, diagram = _tables(document, view), _diagram(document, view)
    room = COMMENT_LIMIT - _HEADROOM
    if len(text) + len(diagram) < room:
        return _joined(text, diagram)
    room -= len(diagram) + len(_left_out(len(text)))
    head = text[: text.rfind("\n", 0, room) + 1]
    return _joined(head + _left_out(text.count("\n") - head.count("\n")), diagram)


def whole(document: Document, view: View) -> str:
    """``document`` as GitHub-flavoured Markdown of any length."""
    return _joined(_tables(document, view), _diagram(document, view))


def _tables(document: Document, view: View) -> str:
    sections = layout.sections(document, view)
    if isinstance(document, (Plan, LivePairs)):
        # Their summary comes last, because a terminal shows the end. A comment is read from the top.
        sections = (sections[-1], *sections[:-1])
    return draw(sections)


def _diagram(document: Document, view: View) -> str:
    return picture(document, view) if isinstance(document, (Plan, LivePairs)) else ""


def _joined(*parts: str) -> str:
    return "\n".join(filter(None, parts))


def _left_out(lines: int) -> str:
    return f"\n*{lines:,} more lines do not fit into a comment. The other outputs are complete.*\n"


def draw(sections: Iterable[Section]) -> str:
    """The sections as Markdown, in their order."""
    return "\n".join("".join(f"{line}\n" for line in _lines(section)) for section in sections)


def escaped(text: str) -> str:
    """``text`` escaped for Markdown: no markup, HTML, table cells or mentions of users."""
    marked = _SPECIAL.sub(lambda match: f"\\{match.group()}", printable(text).strip().translate(_ENTITIES))
    # A comment after the @ keeps GitHub and the like from notifying a user whose name is that of a network.
    return marked.replace("@", "@<!-- -->")


def _lines(section: Section) -> Iterator[str]:
    if section.title:
        yield f"### {escaped(section.title)}"
        yield ""
    if not section.header:
        bullet = "- " if section.title else ""
        yield from (bullet + escaped(row.cells[0]) for row in section.rows)
        return
    header = [escaped(title) for title in section.header]
    has_details_column = bool(section.details) and any(row.details for row in section.rows)
    if has_details_column:
        header.append(escaped(section.details))
    yield _cells(header)
    yield _cells(["---"] * len(header))
    for row in section.rows:
        cells = [escaped(cell) for cell in row.cells]
        details = [escaped(line) for line in row.details]
        if has_details_column:
            cells.append("<br>".join(details))
        else:
            cells[-1] = "<br>".join([cells[-1], *details])
        yield _cells(cells)


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
