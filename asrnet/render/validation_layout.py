"""The sections of ``asrnet validate``: what each valid file declares, and the mistakes in the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asrnet.files.validation import NOUNS
from asrnet.render.sections import Row, Section, sentences
from asrnet.render.wording import count, listed

if TYPE_CHECKING:
    from asrnet.files.validation import Validation
    from asrnet.render import View


def sections(document: Validation, view: View) -> Iterator[Section]:
    """The sections of ``document``, without the mistakes if standard error shows them. A hint is given once."""
    lines = []
    for file in document.files:
        if file.valid:
            contents = [count(number, NOUNS[key]) for key, number in file.contents.items()]
            lines.append(f"{file.path}: valid: {listed(contents)}")
    yield sentences("", lines)
    if not view.errors_shown:
        given: set[str] = set()
        rows = []
        for mistake in document.mistakes:
            hint = (f"hint: {mistake.hint}",) if mistake.hint and mistake.hint not in given else ()
            given.add(mistake.hint)
            rows.append(Row((f"{mistake.file}:{mistake.line or 1}", mistake.path, mistake.message), "error", hint))
        yield Section("Mistakes", ("Place", "Path", "What"), tuple(rows))
