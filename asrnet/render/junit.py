"""JUnit XML for CI systems: a suite for each vault, a test case for each declared mapping and each error of no pair.

A mapping in sync passes; a pending or blocked one is a failure; one that could not be read, or whose change failed, is
an error; one that another tool manages is skipped. Warnings and notes are in ``system-out``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from msgspec import Struct, structs

from asrnet.model.findings import UNREAD, Finding
from asrnet.model.plan import Change, Plan
from asrnet.model.report import AppliedChange
from asrnet.render import wording
from asrnet.render.pair_status import Direction, PairResult, PairResults, error_of, is_refused, outcome_of, pair_results

if TYPE_CHECKING:
    from asrnet.render import Run, View

_STATES: Final[Mapping[str, str]] = {"create": "missing", "update": "to be corrected", "blocked": "blocked"}


class Case(Struct, frozen=True, kw_only=True):
    """A test case. ``failure`` and ``skipped`` say why it did not pass; ``details`` go below a failure.

    ``is_error``: asrnet could not read the mapping or carry out its change; the mapping itself may be right.
    """

    group: str
    name: str
    seconds: float = 0.0
    failure: str = ""
    is_error: bool = False
    kind: str = ""
    skipped: str = ""
    details: tuple[str, ...] = ()


def render(plan: Plan, view: View) -> str:
    """A plan or report as JUnit XML."""
    status = pair_results(plan, view.run.left)
    root = ET.Element("testsuites")
    for number, vault in enumerate(_vaults(status)):
        root.append(_suite(number, vault, status, view.run))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _vaults(status: PairResults) -> list[str]:
    named = [result.pair.vault for result in status.pairs] + [change.vault for change in status.changes]
    return list(dict.fromkeys([*named, *(finding.vault or "" for finding in status.findings)]))


def _suite(number: int, vault: str, status: PairResults, run: Run) -> ET.Element:
    results = [result for result in status.pairs if result.pair.vault == vault]
    cases = [case for result in results for case in _of_pair(result)]
    general = [finding for finding in status.findings if (finding.vault or "") == vault]
    cases += [_of_finding(finding, vault) for finding in general if finding.severity == "error"]
    cases += [_of_change(change) for change in status.changes if change.vault == vault]
    remarks = [finding for result in results for finding in result.findings if finding.severity != "error"]
    remarks += [finding for finding in general if finding.severity != "error"]
    suite = _suite_element(number, vault or "all vaults", cases, run)
    suite.append(ET.Element("properties"))
    suite.extend(_element(case) for case in cases)
    _child(suite, "system-out", "\n".join(map(_said, remarks)))
    _child(suite, "system-err", "")
    return suite


def _suite_element(number: int, vault: str, cases: Sequence[Case], run: Run) -> ET.Element:
    counts = Counter(_verdict(case) for case in cases)
    # Some readers insist on a package, a host and a time; a plan that was made nowhere in time says when time began.
    started = datetime.fromtimestamp((run.at or 0.0) - (run.seconds or 0.0), UTC)
    return ET.Element(
        "testsuite",
        {
            "name": _plain(vault),
            "id": str(number),
            "package": "asrnet",
            "timestamp": started.strftime("%Y-%m-%dT%H:%M:%S"),
            "hostname": "localhost",
            "tests": str(len(cases)),
            "failures": str(counts["failure"]),
            "errors": str(counts["error"]),
            "skipped": str(counts["skipped"]),
            "time": f"{sum(case.seconds for case in cases):.3f}",
        },
    )


def _of_pair(result: PairResult) -> Iterator[Case]:
    errors = [finding for finding in result.findings if finding.severity == "error"]
    for direction in result.directions:
        yield _of_direction(result, direction, errors)


def _of_direction(result: PairResult, direction: Direction, errors: Sequence[Finding]) -> Case:
    pair, change = result.pair, direction.change
    case = Case(
        group=f"{pair.vault}.{pair.name}",
        name=f"{direction.way}: {_ends(result, direction)}",
        # A retarget is one change of both directions: its time counts once.
        seconds=0.0 if change is None or (change.direction, direction.way) == ("both", "reverse") else _seconds(change),
    )
    if direction.state in {"in_sync", "corrected"}:
        return case
    if direction.state == "external":
        return structs.replace(case, skipped=f"left to {pair.managed_by}")
    kind = (change and outcome_of(change)) or _STATES[direction.state]
    why = (change and (error_of(change) or change.reason)) or next((finding.message for finding in errors), kind)
    declared = f"declared in {pair.file}:{pair.line}" if pair.file and pair.line else ""
    details = (*([] if change else map(_said, errors)), declared)
    is_error = _is_broken(change) if change else any(finding.kind in UNREAD for finding in errors)
    return structs.replace(case, failure=why, kind=kind, is_error=is_error, details=tuple(filter(None, details)))


def _ends(result: PairResult, direction: Direction) -> str:
    pair = result.pair
    primary = wording.network(pair.primary_network_id, pair.primary_location, pair.primary_network)
    recovery = wording.network(pair.recovery_network_id, pair.recovery_location, pair.recovery_network)
    return f"{primary} -> {recovery}" if direction.way == "forward" else f"{recovery} -> {primary}"


def _of_finding(finding: Finding, vault: str) -> Case:
    return Case(
        group=vault or "all vaults",
        name=f"{finding.kind}: {finding.subject or ''}",
        failure=finding.message,
        is_error=finding.kind in UNREAD,
        kind=finding.kind,
    )


def _of_change(change: Change) -> Case:
    """The case of a change that belongs to no pair: of a fabric, or of an unmanaged mapping."""
    outcome = outcome_of(change)
    case = Case(group=change.vault, name=wording.change_label(change), seconds=_seconds(change))
    if outcome == "succeeded":
        return case
    kind = outcome or f"{change.action} pending"
    why = error_of(change) or change.reason or kind
    return structs.replace(case, failure=why, kind=kind, is_error=_is_broken(change))


def _is_broken(change: Change) -> bool:
    """Whether the change was tried and did not succeed."""
    return outcome_of(change) not in {None, "succeeded"} and not is_refused(change)


def _seconds(change: Change) -> float:
    return change.seconds if isinstance(change, AppliedChange) else 0.0


def _said(finding: Finding) -> str:
    about = f" {finding.pair}:" if finding.pair else ""
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{finding.severity}: {finding.kind}:{about} {finding.message}{hint}"


def _verdict(case: Case) -> str:
    if case.failure:
        return "error" if case.is_error else "failure"
    return "skipped" if case.skipped else "passed"


def _element(case: Case) -> ET.Element:
    seconds = f"{case.seconds:.3f}"
    element = ET.Element("testcase", {"classname": _plain(case.group), "name": _plain(case.name), "time": seconds})
    if case.failure:
        attributes = {"message": _plain(case.failure), "type": _plain(case.kind)}
        ET.SubElement(element, _verdict(case), attributes).text = _lines("\n".join((case.failure, *case.details)))
    elif case.skipped:
        ET.SubElement(element, "skipped", {"message": _plain(case.skipped)})
    return element


def _child(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = _lines(text)


def _plain(text: str) -> str:
    """``text`` on one line, without characters that XML forbids."""
    return wording.harmless(" ".join(text.split("\n")))


def _lines(text: str) -> str:
    return "\n".join(wording.harmless(line) for line in text.split("\n"))
