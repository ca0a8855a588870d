"""Explains every word that asrnet's results use, for ``asrnet explain`` and for the generated pages.

The words and their meanings are read from the tables of other modules, so a word added to a table needs no edit here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import getdoc
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from msgspec import structs

from asrnet.errors import REFUSALS, AsrError, InputError, did_you_mean, either
from asrnet.exit_codes import MEANINGS
from asrnet.failover.landing import OUTCOMES as OUTCOMES_OF_ADDRESSES
from asrnet.failover.landing import UNPREDICTED
from asrnet.failover.rules import NOTICES, RULES
from asrnet.fake.behaviour import Behaviour
from asrnet.model.explanation import Explanation, Explanations, Meaning, WordKind, limit_meanings
from asrnet.model.findings import FindingKind, Role, Severity
from asrnet.model.limits import FORCEABLE, Limits
from asrnet.model.report import OUTCOMES, RESULTS
from asrnet.model.vocabulary import CHANGES, CONCEPTS, SIGNS, STATES

_DRIFT: Final[dict[Severity, str]] = {"error": "yes", "warning": "with `--fail-on warning`", "info": "no"}
_DRIFT_BY_ROLE: Final[dict[Role, str]] = {
    "corrected": "yes, as long as its change is pending",
    "follows": "where machines follow, as long as its change is pending; else with `--fail-on warning`",
}


def explain(word: str | None = None) -> Explanations:
    """The explanations of ``word``, or of every word if none is given.

    Case is ignored, and hyphens and blanks are read as underscores. Raises InputError for a word that asrnet does not
    use.
    """
    everything = glossary()
    if word is None:
        return Explanations(explanations=everything)
    plain = word.strip().lower()
    key = plain if plain in SIGNS else plain.replace("-", "_").replace(" ", "_")
    explanations = tuple(entry for entry in everything if entry.word.lower() == key)
    if not explanations:
        raise InputError(
            f"asrnet does not use the word '{word}'{did_you_mean(key, [entry.word for entry in everything])}",
            hint="asrnet explain lists every word",
        )
    return Explanations(word=key, explanations=explanations)


def glossary() -> tuple[Explanation, ...]:
    """The explanation of every word, kind by kind."""
    return (
        *_findings(),
        *_rules(),
        *_notices(),
        *_meanings("prediction_outcome", {**OUTCOMES_OF_ADDRESSES, **UNPREDICTED}),
        *_meanings("outcome", OUTCOMES),
        *_meanings("result", RESULTS),
        *_meanings("exit_code", {str(code): meaning for code, meaning in MEANINGS.items()}),
        *_limits(),
        *_meanings("refusal", {kind: Meaning(*words) for kind, words in REFUSALS.items()}),
        *_errors(AsrError),
        *_meanings("state", STATES),
        *_meanings("sign", SIGNS),
        *_meanings("change", CHANGES),
        *_meanings("concept", CONCEPTS),
        *_behaviour(),
    )


def _meanings(kind: WordKind, table: Mapping[Any, Meaning]) -> tuple[Explanation, ...]:
    return tuple(
        Explanation(word=word, kind=kind, meaning=meaning.sentence, remedy=meaning.remedy or None)
        for word, meaning in table.items()
    )


def _errors(error: type[AsrError]) -> Iterator[Explanation]:
    """An error class and its subclasses, each with the first paragraph of its docstring."""
    sentence = getdoc(error) or ""
    meaning = sentence.partition("\n\n")[0].replace("``", "`")
    yield Explanation(word=error.__name__, kind="error", meaning=meaning, remedy=error.remedy)
    for below in error.__subclasses__():
        if below.__module__ == error.__module__:
            yield from _errors(below)


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


def _behaviour() -> Iterator[Explanation]:
    """The keys under ``behaviour`` in a world, with their choices."""
    for name, hint in get_type_hints(Behaviour, include_extras=True).items():
        kind, meta = get_args(hint)
        choices = get_args(kind) if get_origin(kind) is Literal else ()
        listed = (
            f": {either([str(choice) for choice in choices])}. {getattr(Behaviour(), name)} is the default"
            if choices
            else ""
        )
        yield Explanation(
            word=name,
            kind="behaviour",
            meaning=f"{meta.description}{listed}.",
            remedy=f"Set `{name}` under `behaviour` in a world.",
        )


def _force(name: str) -> str | None:
    # A pair whose machines run in the recovery region is changed only if the command names it.
    if name == FindingKind.REVERSED:
        return "--force reversed --pair NAME"
    return f"--force {name}" if name in FORCEABLE else None
