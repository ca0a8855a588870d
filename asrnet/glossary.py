"""Every word that asrnet's results use, explained: the one source of ``asrnet explain`` and of the generated pages.

The words stand in the tables of their own modules; a word that is added there is explained here without another edit.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from asrnet.errors import InputError
from asrnet.exit_codes import MEANINGS
from asrnet.failover.rules import NOTICES, RULES
from asrnet.files.problems import did_you_mean
from asrnet.model.explanation import Explanation, Explanations
from asrnet.model.findings import FindingKind, Role, Severity
from asrnet.model.plan import FORCEABLE, Limits, limit_meanings

_DRIFT: Final[dict[Severity, str]] = {"error": "yes", "warning": "with `--fail-on warning`", "info": "no"}
_DRIFT_BY_ROLE: Final[dict[Role, str]] = {
    "corrected": "through its change",
    "follows": "through its change, where machines follow",
}


def explain(word: str | None = None) -> Explanations:
    """The explanations of ``word``, of every word without one.

    Case is ignored, and hyphens are read as underscores. Raises InputError for a word that asrnet does not use.
    """
    everything = glossary()
    if word is None:
        return Explanations(explanations=everything)
    key = word.strip().lower().replace("-", "_")
    explanations = tuple(entry for entry in everything if entry.word == key)
    if not explanations:
        raise InputError(
            f"asrnet does not use the word '{word}'{did_you_mean(key, [entry.word for entry in everything])}",
            hint="asrnet explain lists every word",
        )
    return Explanations(word=key, explanations=explanations)


def glossary() -> tuple[Explanation, ...]:
    """The explanation of every word, kind by kind."""
    return (*_findings(), *_rules(), *_notices(), *_exit_codes(), *_limits())


def _findings() -> tuple[Explanation, ...]:
    return tuple(
        Explanation(
            word=kind.value,
            kind="finding",
            meaning=kind.meaning,
            remedy=kind.remedy,
            severity=kind.severity,
            drift=_DRIFT_BY_ROLE.get(kind.role, _DRIFT[kind.severity]),
            force=_force(kind.value),
        )
        for kind in FindingKind
    )


def _rules() -> tuple[Explanation, ...]:
    return tuple(
        Explanation(word=rule.code, kind="rule", meaning=rule.sentence, source=rule.source) for rule in RULES.values()
    )


def _notices() -> tuple[Explanation, ...]:
    return tuple(
        Explanation(word=notice.code, kind="notice", meaning=notice.sentence, severity=notice.severity)
        for notice in NOTICES.values()
    )


def _exit_codes() -> tuple[Explanation, ...]:
    return tuple(
        Explanation(word=str(code), kind="exit_code", meaning=entry.sentence, remedy=entry.remedy)
        for code, entry in MEANINGS.items()
    )


def _limits() -> tuple[Explanation, ...]:
    meanings = limit_meanings()
    return tuple(
        Explanation(
            word=field.name,
            kind="limit",
            meaning=meanings[field.name].sentence,
            remedy=meanings[field.name].remedy,
            default=field.default,
            force=_force(field.name),
        )
        for field in structs.fields(Limits)
    )


def _force(name: str) -> str | None:
    # A pair whose machines run in the recovery region is only touched by somebody who names it.
    if name == FindingKind.REVERSED:
        return "--force reversed --pair NAME"
    return f"--force {name}" if name in FORCEABLE else None
