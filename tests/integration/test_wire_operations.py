"""Long-running operations on the wire: status answers while they run, and Retry-After."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs
from wire_case import Wire

from asrnet.emulator.serving import ServeOptions, app_of
from asrnet.fake.faults import Fault

FABRIC = {"properties": {"customDetails": {"instanceType": "Azure", "location": "eastus"}}}


class Running(Wire):
    """A vault in which operations take three seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.vault = self.build.vault("vault-dr")
        self.behave(operations="time:3")

    def behave(self, **values: Any) -> None:
        self.build.world.behaviour = structs.replace(self.build.world.behaviour, **values)

    def begin(self) -> str:
        """Start an operation; the address of its status."""
        answer = self.send("PUT", f"{self.vault.id}/replicationFabrics/east", body=FABRIC)
        assert answer.status == 202
        return answer.header("Azure-AsyncOperation") or ""


@pytest.fixture
def running() -> Running:
    return Running()


def test_a_status_answer_has_no_retry_after(running: Running) -> None:
    assert running.follow(running.begin()).header("Retry-After") is None


def test_a_world_can_make_status_answers_send_retry_after(running: Running) -> None:
    running.behave(status_retry_after=1)
    url = running.begin()
    assert running.follow(url).header("Retry-After") == "1"
    running.build.world.clock.sleep(3)
    assert running.follow(url).header("Retry-After") is None


def test_a_vaults_status_answers_send_retry_after_too(running: Running) -> None:
    running.behave(status_retry_after=1)
    url = running.send("PUT", f"{running.vault.id}-new", body={"location": "westus"}).header("Azure-AsyncOperation")
    assert running.follow(url or "").header("Retry-After") == "1"


def test_the_retry_after_option_applies_to_accepted_writes_and_status_answers() -> None:
    behaviour = app_of(ServeOptions(retry_after=1)).world.behaviour
    assert (behaviour.retry_after, behaviour.status_retry_after) == (1, 1)
    assert app_of(ServeOptions()).world.behaviour.status_retry_after is None


def test_an_operation_can_begin_as_not_started(running: Running) -> None:
    running.behave(not_started=1)
    url = running.begin()
    first, second = (json.loads(running.follow(url).body) for _ in range(2))
    assert list(first) == list(second)
    assert (first["status"], first["startTime"], first["endTime"]) == ("NotStarted", None, None)
    assert second["status"] == "InProgress"
    assert second["startTime"] is not None


def test_an_operation_that_has_ended_was_started(running: Running) -> None:
    running.behave(not_started=5)
    url = running.begin()
    running.build.world.clock.sleep(3)
    assert json.loads(running.follow(url).body)["status"] == "Succeeded"


def test_a_warning_shows_while_its_operation_runs(running: Running) -> None:
    running.build.world.faults.add(Fault(effect="operation_warns", code="45031", message="It is protected already."))
    url = running.begin()
    status = json.loads(running.follow(url).body)
    assert status["status"] == "InProgress"
    assert status["error"] == {"code": "45031", "message": "It is protected already.", "details": None}
    running.build.world.clock.sleep(3)
    assert json.loads(running.follow(url).body)["status"] == "Succeeded"
