"""Input that must stop an unattended run before it writes: exit 1, or 3 for a tampered or stale plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Cli, edit, snapshot

from asrnet.model.plan import load_plan, to_json


@pytest.fixture
def saved(fake: Cli, folder: Path) -> Path:
    """A plan that was saved in this folder."""
    assert fake("plan", "--out", "saved.json").code == 0
    return folder / "saved.json"


def altered(saved: Path, **members: Any) -> None:
    """The saved plan with members replaced, and nothing else changed."""
    saved.write_text(json.dumps({**json.loads(saved.read_text()), **members}))


def test_a_plan_that_was_edited_by_hand_is_refused(fake: Cli, folder: Path, saved: Path) -> None:
    changes = json.loads(saved.read_text())["changes"]
    altered(saved, changes=changes[:-1])
    before = snapshot(folder)
    ran = fake("apply", "saved.json", "--yes")
    assert (ran.code, "changed after it was saved" in ran.err, snapshot(folder) == before) == (3, True, True)


def test_limits_raised_in_a_saved_plan_are_refused(fake: Cli, folder: Path, saved: Path) -> None:
    limits = json.loads(saved.read_text())["limits"]
    altered(saved, limits={**limits, "max_deletes": 1000})
    before = snapshot(folder)
    assert fake("apply", "saved.json", "--yes").code == 3
    assert snapshot(folder) == before


def test_a_plan_without_its_checksum_is_refused(fake: Cli, saved: Path) -> None:
    altered(saved, checksum="")
    assert fake("apply", "saved.json", "--yes").code == 3


@pytest.mark.parametrize("version", ["2.0", "0.9", "", "x"])
def test_a_plan_of_another_version_is_an_error(fake: Cli, folder: Path, saved: Path, version: str) -> None:
    altered(saved, format_version=version)
    before = snapshot(folder)
    ran = fake("apply", "saved.json", "--yes")
    assert (ran.code, ran.out, snapshot(folder) == before) == (1, "", True)
    assert f"has format {version}" in ran.err


def test_a_device_is_refused_as_a_saved_plan_and_not_read_to_its_end(fake: Cli) -> None:
    ran = fake("apply", "/dev/zero", "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: /dev/zero: cannot be read: it is a device\n")


def test_a_plan_made_in_another_tenant_is_an_error(fake: Cli, folder: Path, saved: Path) -> None:
    assert json.loads(saved.read_text())["tenant"] == "33333333-3333-3333-3333-333333333333"
    edit(folder, "33333333-3333-3333-3333-333333333333", "44444444-4444-4444-4444-444444444444", "world.yaml")
    before = snapshot(folder)
    ran = fake("apply", "saved.json", "--yes")
    assert (ran.code, snapshot(folder) == before) == (1, True)
    assert "made in tenant 33333333-3333-3333-3333-333333333333; this is tenant 44444444" in ran.err


def test_a_stale_plan_is_refused_and_says_what_changed(fake: Cli, folder: Path, saved: Path) -> None:
    fake("apply", "--yes", "--pair", "hub")
    before = snapshot(folder)
    ran = fake("apply", saved.name, "--yes")
    assert (ran.code, "has appeared" in ran.out, snapshot(folder) == before) == (3, True, True)


@pytest.mark.parametrize("given", [("--vault", "sea"), ("--pair", "hub"), ("--shard", "1/2")])
def test_a_saved_plan_with_a_selection_is_refused(fake: Cli, folder: Path, saved: Path, given: tuple[str, str]) -> None:
    before = snapshot(folder)
    ran = fake("apply", saved.name, "--yes", *given)
    assert (ran.code, "is applied as it is" in ran.err, snapshot(folder) == before) == (1, True, True)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"format_version": 1}', b'{"format_version": "1.0", "changes": 3}'],
    ids=["empty", "an object", "a list", "null", "binary", "a number for a version", "a number for changes"],
)
def test_a_file_that_is_not_a_plan_is_an_error(fake: Cli, folder: Path, content: bytes) -> None:
    (folder / "saved.json").write_bytes(content)
    before = snapshot(folder)
    ran = fake("apply", "saved.json", "--yes")
    assert (ran.code, ran.out, snapshot(folder) == before) == (1, "", True)
    assert ran.err.startswith("error: saved.json:")


def test_a_plan_with_a_limit_that_is_no_number_is_an_error(fake: Cli, saved: Path) -> None:
    altered(saved, limits={"max_updates": "ten"})
    ran = fake("apply", "saved.json", "--yes")
    assert (ran.code, "not a saved plan" in ran.err) == (1, True)


@pytest.mark.parametrize("value", ["ten", "-1", "1.5", "''", "[1]", "99999999999999999999"])
@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("drift", "--correct")], ids=" ".join)
def test_a_limit_that_is_no_number_is_an_error_with_its_line(
    fake: Cli, folder: Path, command: tuple[str, ...], value: str
) -> None:
    edit(folder, "pairs:", f"limits: {{max_updates: {value}}}\npairs:")
    before = snapshot(folder)
    ran = fake(*command)
    assert (ran.code, ran.out, snapshot(folder) == before) == (1, "", True)
    assert "asrnet.yaml:12: limits.max_updates: " in ran.err


@pytest.mark.parametrize("output", ["yaml", "jsn", "JSON", "json=", "=x", ""])
@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("drift", "--correct")], ids=" ".join)
def test_an_unknown_output_is_an_error_before_anything_is_read_or_written(
    fake: Cli, folder: Path, command: tuple[str, ...], output: str
) -> None:
    before = snapshot(folder)
    ran = fake(*command, f"--output={output}")
    assert (ran.code, ran.out, snapshot(folder) == before) == (1, "", True)
    assert "--output: " in ran.err


def test_an_unwritable_output_is_refused_before_anything_is_corrected(fake: Cli, folder: Path) -> None:
    before = snapshot(folder)
    ran = fake("drift", "--correct", "-o", "json=nowhere/report.json")
    assert (ran.code, "nowhere/report.json" in ran.err, snapshot(folder) == before) == (1, True, True)


def test_two_outputs_to_one_file_are_an_error(fake: Cli, folder: Path) -> None:
    before = snapshot(folder)
    assert fake("drift", "--correct", "-o", "json=a", "-o", "markdown=a").code == 1
    assert snapshot(folder) == before


@pytest.mark.parametrize("given", [("--force", "max_update"), ("--fail-on", "info"), ("--parallelism", "many")])
def test_invalid_words_and_numbers_are_errors(fake: Cli, folder: Path, given: tuple[str, str]) -> None:
    before = snapshot(folder)
    ran = fake("drift", "--correct", *given)
    assert (ran.code, ran.out, snapshot(folder) == before) == (1, "", True)
    assert ran.err.startswith(f"error: {given[0]}: found '{given[1]}'")


def test_a_saved_plan_reads_back_the_same(saved: Path) -> None:
    plan = load_plan(saved.read_bytes(), source="saved.json")
    assert load_plan(to_json(plan), source="again") == plan
