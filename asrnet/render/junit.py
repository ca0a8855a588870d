"""JUnit XML for CI systems: a suite for each vault, a case for each declared mapping, machine that follows and error.

A mapping in sync passes; a pending or blocked one is a failure; one that could not be read, or whose change failed, is
an error; one that another tool manages is skipped. Warnings and notes are in ``system-out``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from msgspec import Struct, structs

from asrnet.model.arm import ArmId
from asrnet.model.findings import UNREAD, Finding
from asrnet.model.plan import Change, MachineView, PairView, Plan
from asrnet.model.report import AppliedChange
from asrnet.render import wording
from asrnet.render.machine_table import machine_rows
from asrnet.render.pair_status import (
    MappingResult,
    PairResult,
    PairResults,
    error_of,
    hint_of,
    is_refused,
    outcome_of,
    pair_results,
    warnings_of,
)

if TYPE_CHECKING:
    from asrnet.render import Run, View

_STATES: Final[Mapping[str, str]] = {"create": "missing", "update": "to be corrected", "blocked": "blocked"}


class Case(Struct, frozen=True, kw_only=True):
    """A test case. ``failure`` or ``skipped`` is the reason if it did not pass; ``details`` are shown below a failure.

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
    results = pair_results(plan, view.run.left)
    current = view.run.left or plan
    root = ET.Element("testsuites")
    moves: dict[ArmId, list[str]] = defaultdict(list)
    for row in machine_rows(current):
        if row.differs:
            moves[ArmId(row.machine_id)].append(row.line)
    managed = {(pair.vault, pair.name) for pair in current.pairs if pair.managed_by}
    for number, vault in enumerate(_vaults(results)):
        machines = [
            (machine, moves.get(machine.id, ()))
            for machine in current.machines
            if machine.vault == vault and (machine.follows or (vault, machine.pair) in managed)
        ]
        root.append(_suite(number, vault, results, machines, view.run))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _vaults(results: PairResults) -> list[str]:
    """The names of the vaults, each once; an empty name stands for findings about no single vault."""
    named = [result.pair.vault for result in results.pairs] + [change.vault for change in results.changes]
    return list(dict.fromkeys([*named, *(finding.vault or "" for finding in results.findings)]))


def _suite(
    number: int,
    vault: str,
    results: PairResults,
    machines: Sequence[tuple[MachineView, Sequence[str]]],
    run: Run,
) -> ET.Element:
    pairs = [result for result in results.pairs if result.pair.vault == vault]
    cases: list[Case] = []
    for result in pairs:
        of_pair = [_mapping_case(result, mapping) for mapping in result.mappings]
        cases += of_pair
        if not any(case.failure for case in of_pair):
            # For example a missing test network: it blocks no mapping, so no test case above reports it.
            errors = [finding for finding in result.findings if finding.severity == "error"]
            cases += [_finding_case(finding, f"{vault}.{result.pair.name}") for finding in errors]
    changes = {
        change.resource_id: change for result in pairs for change in result.changes if change.kind == "protected_item"
    }
    views = {result.pair.name: result.pair for result in pairs}
    cases += [
        _machine_case(machine, changes.get(machine.id), views.get(machine.pair), moves) for machine, moves in machines
    ]
    general = [finding for finding in results.findings if (finding.vault or "") == vault]
    cases += [_finding_case(finding, vault) for finding in general if finding.severity == "error"]
    cases += [_change_case(change) for change in results.changes if change.vault == vault]
    remarks = [finding for result in pairs for finding in result.findings if finding.severity != "error"]
    remarks += [finding for finding in general if finding.severity != "error"]
    warnings = [
        f"warning: {wording.change_label(change)}: {warning}"
        for change in (*(change for result in pairs for change in result.changes), *results.changes)
        if change.vault == vault
        for warning in warnings_of(change)
    ]
    suite = _suite_element(number, vault or "all vaults", cases, run)
    suite.append(ET.Element("properties"))
    suite.extend(_element(case) for case in cases)
    ET.SubElement(suite, "system-out").text = _lines("\n".join((*map(_finding_line, remarks), *warnings)))
    ET.SubElement(suite, "system-err").text = ""
    return suite


def _suite_element(number: int, vault: str, cases: Sequence[Case], run: Run) -> ET.Element:
    counts = Counter(_case_status(case) for case in cases)
    # Some readers require a package, a host and a time. A plan rendered without a run has no time and gets the epoch.
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


def _mapping_case(result: PairResult, mapping: MappingResult) -> Case:
    pair, change = result.pair, mapping.change
    primary = wording.network(pair.primary_network_id, pair.primary_location, pair.primary_network)
    recovery = wording.network(pair.recovery_network_id, pair.recovery_location, pair.recovery_network)
    ends = (primary, recovery) if mapping.direction == "forward" else (recovery, primary)
    # A retarget is one change of both directions: its time counts once.
    is_counted_already = change is not None and (change.direction, mapping.direction) == ("both", "reverse")
    case = Case(
        group=f"{pair.vault}.{pair.name}",
        name=f"{mapping.direction}: {' -> '.join(ends)}",
        seconds=0.0 if change is None or is_counted_already else _seconds(change),
    )
    if mapping.state in {"in_sync", "corrected"}:
        return case
    if mapping.state == "external":
        return structs.replace(case, skipped=f"left to {pair.managed_by}")
    errors = [finding for finding in result.findings if finding.severity == "error"]
    kind = (change and outcome_of(change)) or _STATES[mapping.state]
    reason = change and change.reason
    if is_counted_already:  # the reason is that of the forward mapping
        reason = f"is changed together with the forward mapping: it {change.reason}" if change else ""
    why = (change and (error_of(change) or reason)) or next((finding.message for finding in errors), kind)
    details = (*([_hint_line(change)] if change else map(_finding_line, errors)), _declared(pair))
    is_error = _is_broken(change) if change else any(finding.kind in UNREAD for finding in errors)
    return structs.replace(case, failure=why, kind=kind, is_error=is_error, details=tuple(filter(None, details)))


def _declared(pair: PairView | None) -> str:
    """The file and the line of the pair's row or rule."""
    return f"declared in {pair.file}:{pair.line}" if pair and pair.file and pair.line else ""


def _hint_line(change: Change) -> str:
    return f"hint: {hint_of(change)}" if hint_of(change) else ""


def _machine_case(machine: MachineView, change: Change | None, pair: PairView | None, moves: Sequence[str]) -> Case:
    """The case of a machine that follows its pair. One that is held, or left to another tool, is skipped.

    ``moves`` has a line for each address that goes elsewhere.
    """
    case = Case(
        group=f"{machine.vault}.{machine.pair}",
        name=f"machine: {machine.name}",
        seconds=_seconds(change) if change else 0.0,
    )
    outcome = outcome_of(change) if change else None
    if outcome == "succeeded" or machine.status == "in_sync":
        return case
    if outcome is None and machine.status != "update":
        reason = f"left to {pair.managed_by}" if pair and pair.managed_by else machine.reason
        return structs.replace(case, skipped=reason, details=tuple(filter(None, (*moves, _declared(pair)))))
    why = (change and (error_of(change) or change.reason)) or "goes to another network than its pair asks for"
    kind = outcome or "to be updated"
    hint = _hint_line(change) if change else ""
    details = tuple(filter(None, (*moves, hint, _declared(pair))))
    is_error = change is not None and _is_broken(change)
    return structs.replace(case, failure=why, kind=kind, is_error=is_error, details=details)


def _finding_case(finding: Finding, vault: str) -> Case:
    return Case(
        group=vault or "all vaults",
        name=f"{finding.kind}: {finding.subject or ''}",
        failure=finding.message,
        is_error=finding.kind in UNREAD,
        kind=finding.kind,
    )


def _change_case(change: Change) -> Case:
    """The case of a change that belongs to no pair: it is about a fabric or an unmanaged mapping."""
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


def _finding_line(finding: Finding) -> str:
    about = f" {finding.pair}:" if finding.pair else ""
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{finding.severity}: {finding.kind}:{about} {finding.message}{hint}"


def _case_status(case: Case) -> str:
    if case.failure:
        return "error" if case.is_error else "failure"
    return "skipped" if case.skipped else "passed"


def _element(case: Case) -> ET.Element:
    seconds = f"{case.seconds:.3f}"
    element = ET.Element("testcase", {"classname": _plain(case.group), "name": _plain(case.name), "time": seconds})
    if case.failure:
        attributes = {"message": _plain(case.failure), "type": _plain(case.kind)}
        ET.SubElement(element, _case_status(case), attributes).text = _lines("\n".join((case.failure, *case.details)))
    elif case.skipped:
        skipped = ET.SubElement(element, "skipped", {"message": _plain(case.skipped)})
        skipped.text = _lines("\n".join(case.details)) or None
    return element


def _plain(text: str) -> str:
    """``text`` on one line, without characters that XML forbids."""
    return wording.printable(" ".join(text.split("\n")))


def _lines(text: str) -> str:
    return wording.without_commands("\n".join(wording.printable(line) for line in text.split("\n")))
