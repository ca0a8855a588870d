"""Tracing a run: its id in every log line, audit line and report, and with every request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Cli

from asrnet.clocks import SystemClock
from asrnet.emulator.app import App
from asrnet.emulator.serving import ServeOptions, running
from asrnet.fake import world_file

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture
def azure(cli: Cli, folder: Path) -> Iterator[Cli]:
    """The command line on an emulator of the example's world."""
    world = world_file.load(folder / "world.yaml", clock=SystemClock())
    options = ServeOptions(port=0, tls_port=0, operations="immediate", cache=str(folder / "certificates"))
    with running(App(world), options) as served:
        yield lambda *argv: cli(*argv, "--endpoint", served.http, "--credential", "emulator")


def lines(err: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in err.splitlines()]


def test_the_log_the_audit_and_the_report_share_the_id_of_the_run(azure: Cli, folder: Path) -> None:
    ran = azure("apply", "-y", "--pair", "hub", "-o", "json", "--audit", "audit.jsonl", "-vv", "--log-format", "json")
    report = json.loads(ran.out)
    audit = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    assert (ran.code, bool(GUID.fullmatch(report["run"])), len(audit)) == (0, True, 2)
    assert {entry["run"] for entry in audit} == {line["run"] for line in lines(ran.err)} == {report["run"]}


def test_each_run_has_an_id_of_its_own(fake: Cli) -> None:
    first, second = (json.loads(fake("drift", "--correct", "-o", "json").out)["run"] for _ in range(2))
    assert first != second


def test_every_request_is_logged_with_the_ids_sent_and_received(azure: Cli) -> None:
    ran = azure("apply", "-y", "--pair", "hub", "-o", "json", "-vv", "--log-format", "json")
    report = json.loads(ran.out)
    requests = [line["request"] for line in lines(ran.err) if "request" in line]
    sent = sum(number for method, number in report["requests"].items() if method != "retries")
    assert len(requests) == sent
    assert {each["correlation_id"] for each in requests} == {report["run"]}
    assert {each["answered_correlation_id"] for each in requests} == {report["run"]}
    assert len({each["client_request_id"] for each in requests}) == sent
    assert all(each["request_id"] and each["status"] and "?" not in each["path"] for each in requests)


def test_an_azure_error_ends_with_the_ids_that_microsofts_support_needs(azure: Cli) -> None:
    vault = "/subscriptions/00000000-0000-0000-0000-000000000099/resourceGroups/rg/providers/Microsoft.RecoveryServices"
    ran = azure("show", "--vault", f"{vault}/vaults/gone")
    last = ran.err.splitlines()[-1]
    assert ran.code == 1
    assert re.fullmatch(rf"for Microsoft's support: request {GUID.pattern} \(code SubscriptionNotFound\)", last)
    [line] = lines(azure("show", "--vault", f"{vault}/vaults/gone", "--log-format", "json").err)
    assert (line["level"], "SubscriptionNotFound" in line["support"], line["run"] in line["support"]) == (
        "error",
        True,
        True,
    )


def test_a_request_is_one_line_of_text_and_its_headers_are_logged_only_on_request(azure: Cli) -> None:
    told = azure("show", "-vv").err
    [line] = [line for line in told.splitlines() if re.search(r"/vault-sea/replicationFabrics: ", line)]
    assert re.fullmatch(r"debug: GET /subscriptions/\S+: 200 in \d+\.\d{3} s \(sent as [0-9a-f-]{36}\)", line)
    assert "Request headers" not in told
    assert "GET" not in azure("show", "-v").err
    assert "Request headers" in azure("show", "-vvv").err
