"""Explain a word of asrnet's results: a finding, a state, a sign, a rule, an outcome, an exit code, a limit, an error.

Without a word, list every word by kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asrnet import exit_codes
from asrnet.cli import outputs
from asrnet.cli.session import Session
from asrnet.errors import InputError
from asrnet.render import DocumentKind
from asrnet.settings.tools import ExplainSettings

DOCUMENT: Final[DocumentKind] = "explanations"
EXAMPLES: Final = (
    ("asrnet explain half_pair", "what the finding means, and what to do about it"),
    ("asrnet explain 2", "what exit code 2 means"),
    ("asrnet explain -o json", "every word, for programs"),
)
EXITS: Final = {1: "asrnet does not use the word, or another error"}


def option_mistakes(session: Session[ExplainSettings]) -> Iterator[InputError]:
    """A mistake for a word that asrnet does not use. Without other mistakes, ``run`` finds it."""
    from asrnet.glossary import explain

    if session.mistakes:
        try:
            explain(session.settings.word)
        except InputError as error:
            yield error


def run(session: Session[ExplainSettings]) -> int:
    """Explain the word."""
    from asrnet.glossary import explain

    explanations = explain(session.settings.word)
    with outputs.opened(session.settings, DOCUMENT) as opened:
        opened.write(explanations, session.view())
    return exit_codes.DONE
