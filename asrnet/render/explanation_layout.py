"""The sections of ``asrnet explain``: one for each meaning of a word, or the list of all words by kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from asrnet.model.explanation import Explanation, WordKind
from asrnet.render.sections import Row, Section, Tone, sentences

if TYPE_CHECKING:
    from asrnet.model.explanation import Explanations
    from asrnet.render import View

_TITLES: Final[Mapping[WordKind, str]] = {
    "finding": "Findings",
    "rule": "Rules of predictions",
    "notice": "Notices of predictions",
    "prediction_outcome": "Outcomes of predictions",
    "outcome": "Outcomes of changes",
    "result": "Results of runs",
    "exit_code": "Exit codes",
    "limit": "Limits",
    "refusal": "Refusals",
    "error": "Errors, as programs catch them",
    "state": "States of pairs, mappings and machines",
    "sign": "Signs",
    "change": "Kinds of changes",
    "concept": "Concepts",
    "behaviour": "Behaviour of worlds",
}
_TONES: Final[Mapping[str, Tone]] = {"error": "error", "warning": "warning"}


def sections(document: Explanations, view: View) -> Iterator[Section]:  # noqa: ARG001 - every layout has this signature
    """The sections of ``document``."""
    if document.word is not None:
        for entry in document.explanations:
            severity = f", {entry.severity}" if entry.severity else ""
            yield sentences(f"{entry.word} ({entry.kind.replace('_', ' ')}{severity})", _lines(entry))
        return
    for kind, title in _TITLES.items():
        entries = [entry for entry in document.explanations if entry.kind == kind]
        if any(entry.severity for entry in entries):
            rows = [
                Row((entry.word, entry.severity or "", entry.meaning), _TONES.get(entry.severity or "", "plain"))
                for entry in entries
            ]
            yield Section(title, ("Word", "Severity", "Meaning"), tuple(rows))
        else:
            yield Section(title, ("Word", "Meaning"), tuple(Row((entry.word, entry.meaning)) for entry in entries))


def _lines(entry: Explanation) -> Iterator[str]:
    yield entry.meaning
    if entry.remedy:
        yield f"What to do: {entry.remedy}"
    if entry.drift:
        yield f"Counts as drift: {entry.drift}."
    if entry.source:
        yield f"Source: {entry.source}."
    if entry.default is not None:
        yield f"Default: {entry.default}."
    if entry.force:
        yield f"Lifted by: {entry.force}."
