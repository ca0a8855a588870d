"""Metrics in the text format that Prometheus' textfile collector reads."""

from __future__ import annotations

import re

import pytest
from msgspec import structs
from sample_plans import applied, change, full_plan, pair
from states import EA, SEA, TwoRegions, row

from asrnet.errors import InputError
from asrnet.inventory.live_pairs import LivePairs
from asrnet.model.findings import FindingKind, finding
from asrnet.model.plan import Plan
from asrnet.render import Run, View, render
from asrnet.render.prometheus import last_success

SAMPLE = re.compile(r'(?P<name>[a-z_]+)(?:\{(?P<labels>(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (?P<value>[0-9.]+)')
NETWORKS = ("hub-ea", "hub-sea", "app-ea", "app-sea", "old-sea", "web-ea", "web-sea", "crm-ea", "crm-sea")
PENDING = Plan(pairs=(pair("app", forward="create"),), changes=(change("create", "m", "app"),), existing={"sea": 1})


def samples(document: Plan, **run: object) -> dict[str, float]:
    text = render(document, "prometheus", View(run=Run(**run)))  # type: ignore[arg-type]  # the fields of Run
    found = [SAMPLE.fullmatch(line) for line in text.splitlines() if not line.startswith("#")]
    assert all(found)
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}


def test_pairs_are_counted_by_vault_and_state_including_zeros() -> None:
    counts = samples(structs.replace(full_plan(), existing={"sea": 9, "idle": 0}))
    stands = ["retargeted", "missing", "blocked", "external", "in_sync", "half", "failed"]
    assert [counts[f'asrnet_pairs{{vault="sea",status="{status}"}}'] for status in stands] == [1, 1, 1, 1, 2, 0, 0]
    assert sum(value for name, value in counts.items() if 'vault="idle"' in name) == 0
    assert 'asrnet_pairs{vault="idle",status="in_sync"}' in counts


def test_mappings_are_counted_by_state() -> None:
    counts = samples(full_plan())
    states = ["in_sync", "create", "update", "blocked", "external", "unmanaged"]
    assert [counts[f'asrnet_mappings{{status="{state}"}}'] for state in states] == [4, 2, 1, 2, 1, 1]


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_retarget_counts_once_as_in_the_summary_whatever_came_of_it(outcome: str) -> None:
    counts = samples(applied(full_plan(), outcome))
    state = {"succeeded": "corrected", "failed": "failed"}[outcome]
    assert counts[f'asrnet_mappings{{status="{state}"}}'] == 3  # two mappings to create and one to update
    assert counts['asrnet_mappings{status="update"}'] == 0


def test_text_and_metrics_have_the_same_counts() -> None:
    regions = TwoRegions()
    networks = {name: regions.network(name, SEA if name.endswith("sea") else EA) for name in NETWORKS}
    regions.map_both(networks["hub-ea"], networks["hub-sea"])
    regions.map_both(networks["app-ea"], networks["old-sea"])
    regions.map(networks["web-ea"], networks["web-sea"])
    rows = (row(networks[f"{name}-ea"], networks[f"{name}-sea"], name=name) for name in ("hub", "app", "web", "crm"))
    plan = regions.plan(regions.state(*rows))
    counts = samples(plan)
    for state in ("in_sync", "create", "update", "blocked", "unmanaged"):
        assert counts[f'asrnet_mappings{{status="{state}"}}'] == getattr(plan.summary, state), state
    assert (plan.summary.create, plan.summary.update) == (3, 1)


def test_drift_is_counted_by_kind_and_findings_by_severity() -> None:
    counts = samples(full_plan())
    assert {name: value for name, value in counts.items() if name.startswith("asrnet_drift")} == {
        'asrnet_drift{vault="sea",kind="missing_network"}': 1,
        'asrnet_drift{vault="sea",kind="unmanaged"}': 1,  # it is to be deleted
    }
    assert [counts[f'asrnet_findings{{severity="{one}"}}'] for one in ("error", "warning", "info")] == [1, 1, 1]


def test_warnings_are_drift_where_they_count() -> None:
    plan = Plan(findings=(finding(FindingKind.UNMANAGED, "nobody asks for it", vault="sea"),))
    texts = [render(plan, "prometheus", View(warnings_count=count, run=Run(at=9.0))) for count in (False, True)]
    assert ['asrnet_drift{vault="sea",kind="unmanaged"} 1' in text for text in texts] == [False, True]
    assert ["\nasrnet_run_success 1\n" in text for text in texts] == [True, False]
    assert [last_success(text) for text in texts] == [9.0, None]


def test_changes_are_counted_by_outcome() -> None:
    name = 'asrnet_changes{kind="network_mapping",action="create",outcome="%s"}'
    assert samples(PENDING)[name % "pending"] == 1
    assert samples(applied(PENDING, "failed"))[name % "failed"] == 1


def test_requests_are_counted_by_method_apart_from_retries() -> None:
    counts = samples(PENDING, requests={"GET": 7, "PUT": 2, "retries": 1})
    assert counts['asrnet_requests{method="GET"}'] == 7
    assert counts['asrnet_requests{method="PUT"}'] == 2
    assert counts["asrnet_request_retries"] == 1
    assert 'asrnet_requests{method="retries"}' not in counts


def test_a_run_that_leaves_nothing_is_the_last_success() -> None:
    counts = samples(applied(PENDING, "succeeded"), at=1_700_000_000.0, seconds=4.25, last_success=5.0)
    assert counts["asrnet_last_success_timestamp_seconds"] == 1_700_000_000
    assert counts["asrnet_last_run_timestamp_seconds"] == 1_700_000_000
    assert counts["asrnet_run_success"] == 1
    assert counts["asrnet_run_duration_seconds"] == 4.25


def test_a_run_that_leaves_something_keeps_the_last_success_of_the_file_before() -> None:
    before = render(Plan(), "prometheus", View(run=Run(at=1_600_000_000.5)))
    counts = samples(PENDING, at=1_700_000_000.0, last_success=last_success(before))
    assert counts["asrnet_last_success_timestamp_seconds"] == 1_600_000_000.5
    assert counts["asrnet_run_success"] == 0


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", *(f"asrnet_last_success_timestamp_seconds {value}\n" for value in ("NaN", "1.2.3", "e", "."))],
)
def test_a_file_without_a_last_success_has_none(text: str) -> None:
    assert last_success(text) is None


def test_unknown_figures_are_left_out() -> None:
    counts = samples(PENDING)
    assert not {name for name in counts if "timestamp" in name or "duration" in name or "request" in name}


def test_each_metric_is_explained_once_before_its_samples() -> None:
    lines = render(full_plan(), "prometheus", View(run=Run(at=1.0, requests={"GET": 1}))).splitlines()
    for number, line in enumerate(lines):
        if line.startswith("# HELP"):
            name = line.split()[2]
            assert lines[number + 1] == f"# TYPE {name} gauge"
            assert lines[number + 2].startswith(name)
            assert sum(other.startswith(f"# HELP {name} ") for other in lines) == 1


def test_labels_are_escaped() -> None:
    hostile = 'a"b\\c\nd'
    plan = Plan(findings=(finding(FindingKind.UNKNOWN, "x", vault=hostile),))
    assert samples(plan)['asrnet_drift{vault="a\\"b\\\\c\\nd",kind="unknown"}'] == 1


def test_live_pairs_have_no_metrics() -> None:
    with pytest.raises(InputError, match="live pairs cannot be written as prometheus"):
        render(LivePairs(vaults=(), pairs=()), "prometheus")
