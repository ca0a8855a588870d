"""The sections of ``asrnet validate``: what each valid file declares, and the mistakes in the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from asrnet.render.sections import Row, Section, sentences
from asrnet.render.wording import count, listed

if TYPE_CHECKING:
    from asrnet.files.validation import Validation
    from asrnet.render import View


def sections(document: Validation, view: View) -> Iterator[Section]:
    """The sections of ``document``, without the mistakes if standard error shows them."""
    lines = []
    for file in document.files:
        if file.valid:
            contents = [count(number, noun) for noun, number in file.contents.items()]
            lines.append(f"{file.path}: valid: {listed(contents)}")
    yield sentences("", lines)
    if not view.errors_shown:
        rows = [
            Row(
                (f"{mistake.file}:{mistake.line or 1}", mistake.path, mistake.message),
                "error",
                (f"hint: {mistake.hint}",) if mistake.hint else (),
            )
            for mistake in document.mistakes
        ]
        yield Section("Mistakes", ("Place", "Path", "What"), tuple(rows))
