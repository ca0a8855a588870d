"""SARIF 2.1.0, for code scanning and editors: a result for each finding, mistake and notice, on the line it is about.

The format is OASIS's *Static Analysis Results Interchange Format*. Its rules are the kinds of findings, with the text
of ``asrnet explain`` as their help. A result's fingerprint is made of what it is about, not of its message or line, so
that a reader recognises it in the next run.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Struct

from asrnet.errors import printable
from asrnet.failover import NOTICES, Prediction
from asrnet.failover.landing import OUTCOMES as OUTCOMES_OF_ADDRESSES
from asrnet.failover.landing import UNPREDICTED
from asrnet.files.validation import Validation
from asrnet.model.explanation import Meaning, limit_meanings
from asrnet.model.findings import Finding
from asrnet.model.plan import Change, Plan
from asrnet.model.report import OUTCOMES, Report
from asrnet.model.vocabulary import CONCEPTS
from asrnet.render import wording
from asrnet.render.github import in_checkout
from asrnet.render.json import escaped
from asrnet.render.machine_table import lines_by_finding
from asrnet.render.pair_status import error_of, hint_of, is_refused, outcome_of, pair_results, warnings_of

if TYPE_CHECKING:
    from asrnet.render import View

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINTS: Final = ("asrnet/v1", "primaryLocationLineHash")
"""The names of a result's fingerprint; GitHub reads the second, and makes it from the line if there is none."""

_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
_MISTAKE: Final = Meaning(
    "A file, an option or a variable that the run was given is not valid.",
    "Correct it. `asrnet schema` prints the schema of a file, for editors that check it while you write.",
)


class _Result(Struct, frozen=True, kw_only=True):
    """A result of ``rule``; ``about`` names what it is about, for its fingerprint.

    ``usual_level`` is the rule's own level if that of the result may differ.
    """

    rule: str
    meaning: Meaning
    level: str
    message: str
    usual_level: str = ""
    about: tuple[str, ...]
    file: str = ""
    line: int | None = None
    column: int | None = None
    name: str = ""


def render(document: Plan | Prediction | Validation, view: View) -> str:
    """A log with one run that has the results of ``document``."""
    results = list(_results(document, view))
    rules = {result.rule: result for result in reversed(results)}
    order = list(dict.fromkeys(result.rule for result in results))
    # Two results may be about the same thing; they are numbered, so that each has a fingerprint of its own.
    repeats: Counter[tuple[str, ...]] = Counter()
    rendered = []
    for result in results:
        key = (result.rule, *result.about)
        rendered.append(_result(result, order.index(result.rule), repeats[key], view))
        repeats[key] += 1
    driver = {
        "name": "asrnet",
        "version": version("asrnet"),
        "semanticVersion": version("asrnet"),
        "rules": [_rule(rule, rules[rule]) for rule in order],
    }
    run: dict[str, Any] = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": rendered}
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return escaped(msgspec.json.format(msgspec.json.encode(log), indent=2).decode()) + "\n"


def _rule(name: str, result: _Result) -> dict[str, Any]:
    meaning = result.meaning
    remedy = f"What to do: {meaning.remedy}" if meaning.remedy else ""
    return {
        "id": name,
        "name": "".join(part.capitalize() for part in name.split("_")),
        "shortDescription": {"text": meaning.sentence},
        "help": {"text": f"{meaning.sentence}\n\n{remedy}".rstrip()},
        "defaultConfiguration": {"level": result.usual_level or result.level},
    }


def _result(result: _Result, index: int, repeat: int, view: View) -> dict[str, Any]:
    identity = "\n".join((result.rule, *(part.lower() for part in result.about), str(repeat)))
    location: dict[str, Any] = {}
    if result.file:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": _uri(result.file, view)},
            "region": {"startLine": result.line or 1, **({"startColumn": result.column} if result.column else {})},
        }
    if result.name:
        location["logicalLocations"] = [{"fullyQualifiedName": printable(result.name), "kind": "resource"}]
    fingerprint = hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()
    return {
        "ruleId": result.rule,
        "ruleIndex": index,
        "level": result.level,
        "message": {"text": "\n".join(printable(line) for line in result.message.splitlines()) or result.rule},
        "locations": [location] if location else [],
        "partialFingerprints": dict.fromkeys(FINGERPRINTS, fingerprint),
    }


def _uri(file: str, view: View) -> str:
    """The file as a URI reference, relative to the checkout or to the folder where asrnet runs."""
    path = PurePath(in_checkout(file, view))
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _results(document: Plan | Prediction | Validation, view: View) -> Iterator[_Result]:
    if isinstance(document, Plan):
        return _of_plan(document, view)
    return _of_prediction(document) if isinstance(document, Prediction) else _of_validation(document)


def _of_plan(plan: Plan, view: View) -> Iterator[_Result]:
    results = pair_results(plan, view.run.left)
    lines = lines_by_finding(view.run.left or plan)
    # Code scanners drop results without a file, so a finding without a pair is shown at the top of its vault's file.
    files: dict[str | None, str] = {}
    for pair in plan.pairs:
        files.setdefault(pair.vault, pair.file)
        files.setdefault(None, pair.file)
    for result in results.pairs:
        place = (result.pair.file, result.pair.line)
        for finding in result.findings:
            yield _of_finding(finding, *place, lines=lines.get((finding.kind, finding.subject), ()))
        yield from _of_changes(result.changes, *place)
    for finding in results.findings:
        yield _of_finding(finding, files.get(finding.vault) or files.get(None, ""), None)
    for change in results.changes:
        yield from _of_changes([change], files.get(change.vault) or files.get(None, ""), None)
    if not isinstance(plan, Report):
        meanings = limit_meanings()
        for violation in plan.exceeded(view.forced):
            yield _Result(
                rule=violation.limit,
                meaning=meanings[violation.limit],
                level="error",
                message=f"apply would refuse this: {violation.line}",
                about=(violation.scope,),
                file=files.get(None, ""),
                name=violation.scope,
            )


def _of_finding(finding: Finding, file: str, line: int | None, *, lines: Sequence[str] = ()) -> _Result:
    kind = finding.kind
    return _Result(
        rule=kind.value,
        meaning=Meaning(kind.meaning, kind.remedy),
        level=_LEVELS[finding.severity],
        usual_level=_LEVELS[kind.severity],
        message="\n".join(filter(None, (finding.message, *lines, finding.hint))),
        about=(finding.vault or "", finding.pair or "", finding.subject or ""),
        file=file,
        line=line,
        name="/".join(filter(None, (finding.vault, finding.pair))),
    )


def _of_changes(changes: Iterable[Change], file: str, line: int | None) -> Iterator[_Result]:
    """A result for each change that was not made, and for each warning of one that was. Planned ones have findings."""
    for change in changes:
        outcome = outcome_of(change)
        if outcome is None:
            continue
        for warning in warnings_of(change):
            yield _Result(
                rule="change_warning",
                meaning=CONCEPTS["change_warning"],
                level="warning",
                message=f"{wording.change_label(change)}: {warning}",
                about=(change.vault, change.pair or "", str(change.resource_id)),
                file=file,
                line=line,
                name="/".join(filter(None, (change.vault, change.pair))),
            )
        if outcome == "succeeded":
            continue
        yield _Result(
            rule=outcome,
            meaning=OUTCOMES[outcome],
            level="error",
            message="\n".join(
                filter(None, (f"{wording.change_label(change)}: {change.reason}", error_of(change), hint_of(change)))
            ),
            about=(change.vault, change.pair or "", str(change.resource_id), str(is_refused(change))),
            file=file,
            line=line,
            name="/".join(filter(None, (change.vault, change.pair))),
        )


def _of_prediction(prediction: Prediction) -> Iterator[_Result]:
    for landing in prediction.landings:
        about = (str(landing.item_id or landing.machine), landing.nic, landing.ip_configuration)
        name = "/".join(part for part in (landing.machine, landing.nic, landing.ip_configuration) if part)
        if landing.outcome == "loses_connectivity":
            yield _Result(
                rule=landing.outcome,
                meaning=OUTCOMES_OF_ADDRESSES[landing.outcome],
                level="error",
                message=f"{name}: {landing.rule.sentence} {landing.detail}".rstrip(),
                about=about,
                name=name,
            )
        for notice in landing.notices:
            yield _Result(
                rule=notice.code,
                meaning=Meaning(NOTICES[notice.code].sentence),
                level=_LEVELS[notice.severity],
                message=f"{name}: {notice.message}",
                about=about,
                name=name,
            )
    for finding in prediction.findings:
        yield _of_finding(finding, "", None)
    for rule, meaning in UNPREDICTED.items():
        for machine in getattr(prediction, rule):
            message = f"{machine}: {meaning.sentence}"
            yield _Result(rule=rule, meaning=meaning, level="warning", message=message, about=(machine,), name=machine)


def _of_validation(validation: Validation) -> Iterator[_Result]:
    for mistake in validation.mistakes:
        yield _Result(
            rule="mistake",
            meaning=_MISTAKE,
            level="error",
            message="\n".join(filter(None, (f"{mistake.path}: {mistake.message}".removeprefix(": "), mistake.hint))),
            about=(mistake.file, mistake.path, mistake.message),
            file=mistake.file,
            line=mistake.line,
            column=mistake.column,
        )
