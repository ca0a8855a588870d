"""What ``asrnet explain`` says about one word of a plan, a prediction, an exit code or a limit."""

from __future__ import annotations

from typing import Literal, get_type_hints

from msgspec import Struct

from asrnet.model.limits import Limits

WordKind = Literal[
    "finding",
    "rule",
    "notice",
    "prediction_outcome",
    "outcome",
    "result",
    "exit_code",
    "limit",
    "refusal",
    "error",
    "state",
    "sign",
    "change",
    "concept",
    "behaviour",
]
"""The kinds of words that are explained. A rule decides a prediction; a notice is a remark beside it."""


class Meaning(Struct, frozen=True):
    """What a word of the results says, and what to do about it."""

    sentence: str
    remedy: str = ""


class Explanation(Struct, frozen=True, kw_only=True):
    """The meaning of ``word`` as one kind of word; a member that does not apply to the kind is null.

    ``drift`` says whether a finding counts as drift, ``source`` is the title of the document that states a rule,
    ``default`` is the value of a limit that no file sets, and ``force`` the option that lifts a limit or a safeguard.
    """

    word: str
    kind: WordKind
    meaning: str
    remedy: str | None = None
    severity: Literal["error", "warning", "info"] | None = None
    drift: str | None = None
    source: str | None = None
    default: int | None = None
    force: str | None = None


class Explanations(Struct, frozen=True, kw_only=True):
    """The explanations of ``word``, which may be of several kinds; if ``word`` is null, those of every word."""

    format_version: str = "1.1"
    word: str | None = None
    explanations: tuple[Explanation, ...]


def limit_meanings() -> dict[str, Meaning]:
    """What each limit is, by its name."""
    hints = get_type_hints(Limits, include_extras=True)
    return {
        name: Meaning(hints[name].__metadata__[0].description, f"Set `{name}` under `limits` in the file.")
        for name in Limits.__struct_fields__
    }
