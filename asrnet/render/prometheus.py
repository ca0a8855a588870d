"""Metrics in Prometheus' text format, for the textfile collector of its node exporter. Every run writes all of them.

All are gauges that describe the last run. Times are in seconds since 1970.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, get_args

from msgspec import Struct

from asrnet.model.findings import FindingKind, Severity
from asrnet.model.plan import MachineStatus, Plan
from asrnet.model.report import Report
from asrnet.render.pair_status import STATUSES, PairResults, is_drifting, outcome_of, pair_results

if TYPE_CHECKING:
    from asrnet.render import View

LAST_SUCCESS: Final = "asrnet_last_success_timestamp_seconds"

_LAST: Final = re.compile(rf"^{LAST_SUCCESS} ([0-9]+(?:\.[0-9]+)?)$", re.MULTILINE)
_STATES: Final = ("in_sync", "corrected", "create", "update", "blocked", "external", "failed")
_SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")

Sample = tuple[Mapping[str, str], float]


class Metric(Struct, frozen=True):
    """A gauge with its help text and samples."""

    name: str
    help: str
    samples: tuple[Sample, ...]


def render(plan: Plan, view: View) -> str:
    """The metrics of a plan or report."""
    metrics = (*_state(plan, view), *_work(plan, view), *_times(plan, view))
    return "".join(f"{line}\n" for metric in metrics if metric.samples for line in _lines(metric))


def last_success(text: str) -> float | None:
    """The time of the last successful run in an earlier file of metrics, if any."""
    match = _LAST.search(text)
    return float(match[1]) if match else None


def _state(plan: Plan, view: View) -> Iterator[Metric]:
    results, current = pair_results(plan, view.run.left), view.run.left or plan
    pairs = Counter((result.pair.vault, result.status) for result in results.pairs)
    vaults = dict.fromkeys((*current.existing, *(result.pair.vault for result in results.pairs)))
    # Zeros are written as well, so that a series does not vanish when its last pair is corrected.
    samples = tuple(
        ({"vault": vault, "status": status}, float(pairs[vault, status])) for vault in vaults for status in STATUSES
    )
    yield Metric("asrnet_pairs", "Declared pairs by status.", samples)
    # As in the plan's summary, a retarget is one update, although it changes the mappings of both directions.
    changed = {
        (change.id, mapping.state)
        for result in results.pairs
        for mapping in result.mappings
        if (change := mapping.change)
    }
    states = Counter[str](state for _, state in changed)
    states.update(mapping.state for result in results.pairs for mapping in result.mappings if mapping.change is None)
    mappings = {**{state: states[state] for state in _STATES}, "unmanaged": current.summary.unmanaged}
    yield Metric(
        "asrnet_mappings",
        "Declared mappings by state, and unmanaged ones. A retarget counts once.",
        _by("status", mappings),
    )
    machines = Counter((machine.vault, machine.status) for machine in current.machines)
    samples = tuple(
        ({"vault": vault, "status": status}, float(machines[vault, status]))
        for vault in vaults
        for status in get_args(MachineStatus)
    )
    yield Metric("asrnet_machines", "Protected machines of declared pairs by status.", samples)
    drift = Counter(_drift(results, current, view))
    samples = tuple(({"vault": vault, "kind": kind}, float(number)) for (vault, kind), number in sorted(drift.items()))
    yield Metric("asrnet_drift", "Everything that counts as drift, by kind; no samples without drift.", samples)
    counts: dict[str, int] = {severity: results.severities[severity] for severity in _SEVERITIES}
    yield Metric("asrnet_findings", "Findings by severity.", _by("severity", counts))


def _drift(results: PairResults, current: Plan, view: View) -> Iterator[tuple[str, FindingKind]]:
    """The vault and kind of everything that counts as drift; a pending deletion counts as unmanaged."""
    for result in results.pairs:
        drift = result.drift(warnings_count=view.warnings_count)
        yield from ((result.pair.vault, finding.kind) for finding in drift)
    counted = (finding for finding in results.findings if finding.counts(warnings_count=view.warnings_count))
    yield from ((finding.vault or "", finding.kind) for finding in counted)
    pending = (change for change in current.changes if change.pair is None and outcome_of(change) != "succeeded")
    yield from ((change.vault, FindingKind.UNMANAGED) for change in pending if change.action == "delete")


def _work(plan: Plan, view: View) -> Iterator[Metric]:
    changes = Counter((change.kind, change.action, outcome_of(change) or "pending") for change in plan.changes)
    samples = tuple(
        ({"kind": kind, "action": action, "outcome": outcome}, float(number))
        for (kind, action, outcome), number in sorted(changes.items())
    )
    yield Metric("asrnet_changes", "Changes by outcome; pending if not tried.", samples)
    requests = dict(view.run.requests or (plan.requests if isinstance(plan, Report) else {}))
    retries = requests.pop("retries", None)
    yield Metric("asrnet_requests", "Requests sent, by method.", _by("method", requests))
    yield Metric("asrnet_request_retries", "Requests that were retries.", _single(retries))


def _times(plan: Plan, view: View) -> Iterator[Metric]:
    run, drifting = view.run, is_drifting(plan, view.run.left, warnings_count=view.warnings_count)
    seconds = plan.seconds if run.seconds is None and isinstance(plan, Report) else run.seconds
    yield Metric("asrnet_run_duration_seconds", "How long the run took.", _single(seconds))
    yield Metric(
        "asrnet_run_success", "1 if the run left nothing pending and nothing blocked, else 0.", _single(not drifting)
    )
    yield Metric("asrnet_last_run_timestamp_seconds", "When a run last wrote these metrics.", _single(run.at))
    success = run.last_success if drifting else run.at
    yield Metric(LAST_SUCCESS, "When a run last left nothing pending and nothing blocked.", _single(success))


def _by(label: str, counts: Mapping[str, float]) -> tuple[Sample, ...]:
    return tuple(({label: name}, float(number)) for name, number in counts.items())


def _single(value: float | None) -> tuple[Sample, ...]:
    return () if value is None else (({}, float(value)),)


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {_escaped(metric.help)}"
    yield f"# TYPE {metric.name} gauge"
    for labels, value in metric.samples:
        escaped = {name: _escaped(text).replace('"', '\\"') for name, text in labels.items()}
        pairs = ",".join(f'{name}="{text}"' for name, text in escaped.items())
        number = str(int(value)) if value.is_integer() else f"{value:.3f}"
        yield f"{metric.name}{{{pairs}}} {number}" if pairs else f"{metric.name} {number}"


def _escaped(text: str) -> str:
    """``text`` with the escapes that help texts and label values share (Prometheus' exposition formats)."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")
