"""The pages of the documentation, and their blocks of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("examples/*/*.md")),
]


class Block(Struct, frozen=True, kw_only=True):
    """A fenced block: the page it is on, its place there (1-based line), its language and the heading above it."""

    page: str
    line: int
    language: str
    heading: str
    text: str

    def commands(self) -> Iterator[tuple[str, str]]:
        """Each command of a console and its printed text."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            yield command, printed


def name_of(page: Path) -> str:
    """The page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page, those in quotations included."""
    text = page.read_text("utf-8")
    heading = ""
    for match in re.finditer(r"^#+ ([^\n]*)$|^((?:> ?)?)```(\w*)\n(.*?)^\2```$", text, re.DOTALL | re.MULTILINE):
        title, quotation, language, body = match.groups()
        if title is not None:
            heading = title
            continue
        yield Block(
            page=name_of(page),
            line=text.count("\n", 0, match.start()) + 1,
            language=language,
            heading=heading,
            text=re.sub(rf"^{quotation.strip()} ?", "", body, flags=re.MULTILINE) if quotation else body,
        )
