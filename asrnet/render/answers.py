"""Answers to questions, predictions and target networks, in the formats they have; the summary always comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from asrnet.errors import InputError
from asrnet.failover import Prediction
from asrnet.inventory.targets import Targets
from asrnet.render import markdown, prediction_table, targets_layout, text
from asrnet.render.json import as_json
from asrnet.render.prediction_layout import prediction_sections
from asrnet.render.sections import Section

if TYPE_CHECKING:
    from asrnet.render import View

Answer = Prediction | Targets


def render_answer(answer: Answer, output: str, view: View) -> str:
    """``answer`` in the format ``output``; InputError, naming those there are, where there is none of that name."""
    if output not in _FORMATS:
        raise InputError(f"unknown output format '{output}'", hint=f"there are {', '.join(_FORMATS)}")
    return _FORMATS[output](answer, view)


def _text(answer: Answer, view: View) -> str:
    sections = _sections(answer, view)
    if view.width is None:
        return text.draw(sections)
    from asrnet.render import terminal

    return terminal.draw(sections, width=view.width, colour=view.colour)


def _json(answer: Answer, view: View) -> str:  # noqa: ARG001 - every format has this signature
    return as_json(answer)


def _csv(answer: Answer, view: View) -> str:  # noqa: ARG001 - every format has this signature
    from asrnet.render.csv import table

    if isinstance(answer, Prediction):
        return table(prediction_table.COLUMNS, prediction_table.prediction_rows(answer))
    return table(targets_layout.COLUMNS, targets_layout.target_rows(answer))


def _markdown(answer: Answer, view: View) -> str:
    return markdown.draw(_sections(answer, view))


def _sections(answer: Answer, view: View) -> Iterator[Section]:
    if isinstance(answer, Prediction):
        sections = prediction_sections(answer, view)
    else:
        sections = targets_layout.target_sections(answer)
    return (section for section in sections if section.rows)


_FORMATS: Final[dict[str, Callable[[Answer, View], str]]] = {
    "text": _text,
    "json": _json,
    "csv": _csv,
    "markdown": _markdown,
}
FORMATS: Final = tuple(_FORMATS)
"""The formats by name."""
