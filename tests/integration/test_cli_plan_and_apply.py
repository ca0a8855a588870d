"""plan, apply and drift at the command line: output, writes and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import EXAMPLES, Cli, edit, snapshot

from asrnet.cli import streams


def pairs_line(out: str, name: str) -> str:
    return next(" ".join(line.split()) for line in out.splitlines() if line.split()[1:2] == [name])


def mappings(cli: Cli) -> int:
    vaults = json.loads(cli("show", "-o", "json").out)["vaults"]
    return sum(vault["mappings"] for vault in vaults)


def grown(folder: Path) -> None:
    """Put the second example into the folder, a vault with some years of history."""
    for file in (EXAMPLES / "02-adopt-and-repair").glob("*.yaml"):
        (folder / file.name).write_bytes(file.read_bytes())


def failing_over(folder: Path) -> None:
    job = "{name: j1, scenario: UnplannedFailover, state: InProgress, target: vm1}"
    edit(folder, "  mappings:", f"  jobs: [{job}]\n  mappings:", "world.yaml")


def test_plan_shows_each_pair_and_writes_nothing(fake: Cli, folder: Path) -> None:
    before = snapshot(folder)
    ran = fake("plan")
    assert ran.code == 0
    assert pairs_line(ran.out, "hub") == "+ hub hub-ea (eastasia) <-> hub-sea (southeastasia) create create"
    assert ran.out.splitlines()[-1].startswith("Plan: create 2 networks and 6 mappings.")
    assert ran.err == ""
    assert snapshot(folder) == before


def test_plan_in_json_is_nothing_but_json(fake: Cli) -> None:
    ran = fake("plan", "-o", "json")
    assert json.loads(ran.out)["summary"]["create"] == 6


def test_a_plan_with_unreadable_resources_names_the_missing_right_and_is_no_success(fake: Cli, folder: Path) -> None:
    with (folder / "world.yaml").open("a", encoding="utf-8") as world:
        world.write("behaviour: {denied: [Microsoft.Network/virtualNetworks/read]}\n")
    ran = fake("plan")
    assert ran.code == 1
    assert "hub-ea could not be read" in ran.err
    assert "hint: grant Microsoft.Network/virtualNetworks/read on" in ran.err
    assert "blocked" in ran.out
    applied = fake("apply", "--yes")
    assert applied.code == 1
    assert "hint: grant Microsoft.Network/virtualNetworks/read on" in applied.err
    assert fake("drift").code == 2


def test_several_outputs_are_written_in_one_run(fake: Cli, folder: Path) -> None:
    ran = fake("plan", "-o", "json=plan.json", "-o", "markdown=plan.md", "-o", "text")
    assert ran.out.startswith("Rules")
    assert json.loads((folder / "plan.json").read_text())["summary"]["create"] == 6
    assert (folder / "plan.md").read_text().startswith("Plan: create 2 networks and 6 mappings")


def test_the_detailed_exit_code_distinguishes_pending_changes_from_none(fake: Cli) -> None:
    assert fake("plan", "--detailed-exitcode").code == 2
    assert fake("apply", "--yes").code == 0
    assert fake("plan", "--detailed-exitcode").code == 0


def test_apply_maps_both_directions_and_the_next_plan_is_empty(fake: Cli) -> None:
    ran = fake("apply", "--yes")
    assert ran.code == 0
    assert "created hub-ea-to-hub-sea (pair hub)" in ran.err
    assert ran.out.splitlines()[-1].startswith("Done: created 2 networks and 6 mappings;")
    assert fake("plan").out.splitlines()[-1] == "Nothing to do: 6 mappings in sync."
    assert mappings(fake) == 6


def test_apply_reports_in_json_with_outcomes_and_requests(fake: Cli) -> None:
    report = json.loads(fake("apply", "--yes", "-o", "json").out)
    assert report["result"] == "succeeded"
    assert {change["outcome"] for change in report["changes"]} == {"succeeded"}
    assert report["requests"]["PUT"] == 8
    assert report["requests"]["retries"] == 0


def test_apply_reports_when_there_is_nothing_to_do(fake: Cli) -> None:
    fake("apply", "--yes")
    ran = fake("apply", "--yes")
    assert (ran.code, ran.out.splitlines()[-1].startswith("Nothing to do: 6 mappings in sync")) == (0, True)


def test_apply_without_a_prompt_needs_yes(fake: Cli, folder: Path) -> None:
    before = snapshot(folder)
    ran = fake("apply")
    assert (ran.code, "--yes" in ran.err, snapshot(folder) == before) == (1, True, True)


def test_yes_is_not_required_where_there_is_nothing_to_write(fake: Cli) -> None:
    fake("apply", "--yes")
    ran = fake("apply")
    assert (ran.code, ran.out.splitlines()[-1].startswith("Nothing to do"), ran.err) == (0, True, "")


@pytest.mark.parametrize(
    "safeguard", ["limits: {max_rule_growth: 0}", "freeze: [{vault: sea, until: 2099-12-31, reason: no}]"]
)
def test_yes_is_not_required_where_a_safeguard_refuses_anyway(fake: Cli, folder: Path, safeguard: str) -> None:
    edit(folder, "pairs:", f"{safeguard}\npairs:")
    ran = fake("apply")
    assert (ran.code, "--yes" in ran.err) == (3, False)


def test_yes_is_not_required_where_a_failover_is_active(fake: Cli, folder: Path) -> None:
    grown(folder)
    failing_over(folder)
    ran = fake("apply", "--pair", "app")
    assert (ran.code, "--yes" in ran.err) == (3, False)


def test_yes_is_not_required_where_a_saved_plan_is_stale(fake: Cli) -> None:
    fake("plan", "--out", "saved.json")
    fake("apply", "--yes", "--pair", "hub")
    ran = fake("apply", "saved.json")
    assert (ran.code, "--yes" in ran.err) == (3, False)


@pytest.mark.parametrize(
    ("answer", "code", "number"), [("yes", 0, 6), ("no", 1, 0), ("", 1, 0), ("y", 1, 0), ("YES", 1, 0)]
)
def test_apply_prompts_and_accepts_only_yes(
    fake: Cli, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, number: int
) -> None:
    monkeypatch.setattr(streams, "can_ask", lambda: True)
    monkeypatch.setattr(streams, "ask", lambda _: answer)
    ran = fake("apply")
    assert (ran.code, mappings(fake)) == (code, number)
    assert ("nothing was changed" in ran.err) == bool(code)


def test_quiet_prints_only_the_data(fake: Cli) -> None:
    assert fake("apply", "--yes", "--quiet").err == ""


def test_json_logs_are_one_object_per_line(fake: Cli) -> None:
    lines = [json.loads(line) for line in fake("apply", "--yes", "--log-format", "json").err.splitlines()]
    assert len(lines) == 8
    assert {"time", "level", "logger", "message"} <= lines[0].keys()


def test_a_saved_plan_is_applied_unchanged(fake: Cli) -> None:
    assert fake("plan", "--out", "saved.json").code == 0
    assert fake("apply", "saved.json", "--yes").code == 0
    assert mappings(fake) == 6


def test_a_saved_plan_is_refused_when_what_it_read_has_changed(fake: Cli, folder: Path) -> None:
    fake("plan", "--out", "saved.json")
    fake("apply", "--yes", "--pair", "hub")
    before = snapshot(folder)
    ran = fake("apply", "saved.json", "--yes")
    assert ran.code == 3
    assert ran.err.splitlines() == [
        "error: refused: vault sea has changed since the plan was saved",
        "  mapping hub-ea-to-hub-sea (pair hub) has appeared: hub-ea -> hub-sea (Paired)",
        "  mapping hub-sea-to-hub-ea (pair hub) has appeared: hub-sea -> hub-ea (Paired)",
        "hint: plan again, and save that plan",
    ]
    shown = [line.strip() for line in ran.out.splitlines()]
    of_hub = "mapping hub-ea-to-hub-sea has appeared: hub-ea -> hub-sea (Paired); "
    of_hub += "mapping hub-sea-to-hub-ea has appeared: hub-sea -> hub-ea (Paired)"
    assert f"+ forward mapping hub-ea-to-hub-sea: stale: {of_hub}" in shown
    assert "+ network app-ea-asr: stale: the vault has changed since the plan was saved" in shown
    assert snapshot(folder) == before


def test_a_stale_plan_is_one_json_line_with_its_changes_as_details(fake: Cli) -> None:
    fake("plan", "--out", "saved.json")
    fake("apply", "--yes", "--pair", "hub")
    (line,) = fake("apply", "saved.json", "--yes", "--log-format", "json").err.splitlines()
    assert [detail.partition(" has")[0] for detail in json.loads(line)["details"]] == [
        "mapping hub-ea-to-hub-sea (pair hub)",
        "mapping hub-sea-to-hub-ea (pair hub)",
    ]


def test_a_saved_plan_that_was_edited_is_refused(fake: Cli, folder: Path) -> None:
    fake("plan", "--out", "saved.json")
    edit(folder, "hub-sea", "hub-see", "saved.json")
    ran = fake("apply", "saved.json", "--yes")
    assert (ran.code, "checksum" in ran.err, mappings(fake)) == (3, True, 0)


def test_a_saved_plan_of_another_version_is_an_error(fake: Cli, folder: Path) -> None:
    fake("plan", "--out", "saved.json")
    edit(folder, '"format_version":"1.1"', '"format_version":"9.0"', "saved.json")
    ran = fake("apply", "saved.json", "--yes")
    assert (ran.code, "format 9.0" in ran.err) == (1, True)


def test_a_saved_plan_accepts_no_selection(fake: Cli) -> None:
    fake("plan", "--out", "saved.json")
    assert fake("apply", "saved.json", "--yes", "--pair", "hub").code == 1


def test_one_pair_can_be_selected(fake: Cli) -> None:
    fake("apply", "--yes", "--pair", "hub")
    assert mappings(fake) == 2


def test_an_unknown_name_is_refused_with_the_nearest(fake: Cli) -> None:
    ran = fake("plan", "--pair", "hubb")
    assert (ran.code, "did you mean 'hub'?" in ran.err) == (1, True)
    assert "hint: known pairs: hub, app, tagged/NETWORK; for NETWORK write" in ran.err
    ran = fake("plan", "--vault", "see")
    assert (ran.code, "did you mean 'sea'?" in ran.err, "hint: known vaults: sea" in ran.err) == (1, True, True)


def test_a_plan_over_a_limit_is_refused_and_nothing_is_written(fake: Cli, folder: Path) -> None:
    grown(folder)
    edit(folder, "pairs:", "limits: {max_updates: 1}\npairs:")
    before = snapshot(folder)
    ran = fake("apply", "--yes")
    assert (ran.code, snapshot(folder) == before) == (3, True)
    assert ran.err.count("refused: vault sea: 3 mappings to update, but max_updates is 1") == 1
    assert "--force max_updates" in ran.err
    assert ran.out.count("3 mappings to update, but max_updates is 1") == 1


@pytest.mark.parametrize("command", [("apply",), ("apply", "saved.json"), ("drift", "--correct")], ids=" ".join)
def test_a_refusal_is_written_to_every_output(fake: Cli, folder: Path, command: tuple[str, ...]) -> None:
    grown(folder)
    edit(folder, "pairs:", "limits: {max_updates: 1}\npairs:")
    fake("plan", "--out", "saved.json")
    formats = ("json", "github", "junit", "html", "prometheus", "markdown")
    ran = fake(*command, *(f"--output={name}={name}.out" for name in formats))
    written = {name: (folder / f"{name}.out").read_text() for name in formats}
    report = json.loads(written["json"])
    assert (ran.code, report["result"]) == (3, "refused")
    assert {change["outcome"] for change in report["changes"]} == {"skipped"}
    for name in ("github", "html", "junit", "markdown"):
        assert "vault sea: 3 mappings to update, but max" in written[name], name
    assert "asrnet_run_success 0" in written["prometheus"]


def test_force_lifts_the_limit_it_names(fake: Cli, folder: Path) -> None:
    grown(folder)
    edit(folder, "pairs:", "limits: {max_updates: 1}\npairs:")
    assert fake("apply", "--yes", "--force", "max_deletes").code == 3
    assert fake("apply", "--yes", "--force", "max_updates").code == 2


def test_apply_exits_2_while_a_declared_pair_stays_blocked(fake: Cli, folder: Path) -> None:
    grown(folder)
    ran = fake("apply", "--yes")
    assert ran.code == 2
    assert pairs_line(ran.out, "wms").endswith("blocked")
    assert fake("apply", "--yes").code == 2


def test_an_active_failover_refuses_changes_that_remove_a_mapping(fake: Cli, folder: Path) -> None:
    grown(folder)
    failing_over(folder)
    assert fake("apply", "--yes", "--pair", "app").code == 3
    assert fake("apply", "--yes", "--pair", "app", "--force", "failover_active").code == 0


def test_a_frozen_vault_refuses_every_change(fake: Cli, folder: Path) -> None:
    edit(folder, "pairs:", "freeze: [{vault: sea, until: 2099-12-31, reason: exercise}]\npairs:")
    before = snapshot(folder)
    ran = fake("apply", "--yes")
    assert (ran.code, "exercise" in ran.out, snapshot(folder) == before) == (3, True, True)


def test_an_unwritable_output_is_refused_before_anything_is_applied(fake: Cli, folder: Path) -> None:
    before = snapshot(folder)
    ran = fake("apply", "--yes", "-o", "json=nowhere/report.json")
    assert (ran.code, "nowhere/report.json" in ran.err, snapshot(folder) == before) == (1, True, True)


def test_a_failed_run_leaves_old_outputs_unchanged(fake: Cli, folder: Path) -> None:
    (folder / "plan.json").write_text("old")
    edit(folder, "vault-sea", "vault-gone")
    assert fake("plan", "-o", "json=plan.json").code == 1
    assert snapshot(folder)["plan.json"] == b"old"
    assert sorted(snapshot(folder)) == ["asrnet.yaml", "plan.json", "world.yaml"]


def test_every_write_has_an_audit_line(fake: Cli, folder: Path) -> None:
    fake("apply", "--yes", "--audit", "audit.log", "--pair", "hub")
    fake("apply", "--yes", "--audit", "audit.log", "--pair", "app")
    entries = [json.loads(line) for line in (folder / "audit.log").read_text().splitlines()]
    assert [entry["pair"] for entry in entries] == ["hub", "hub", "app", "app", "app"]
    assert entries[0]["before"] is None
    assert entries[0]["after"]["recovery_network_id"].endswith("/hub-sea")
    assert entries[0]["undo"].startswith("az rest --method delete")
    assert entries[0]["job_id"]


def test_an_unwritable_audit_file_stops_the_run_before_any_write(fake: Cli, folder: Path) -> None:
    before = snapshot(folder)
    ran = fake("apply", "--yes", "--audit", "nowhere/audit.log")
    assert (ran.code, "--audit" in ran.err, snapshot(folder) == before) == (1, True, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the disk that is always full is Linux's")
def test_lost_audit_lines_are_reported_and_the_report_is_still_written(fake: Cli) -> None:
    ran = fake("apply", "--yes", "--audit", "/dev/full", "--pair", "hub")
    assert (ran.code, mappings(fake)) == (1, 2)
    assert "Done: created 2 mappings" in ran.out
    assert "2 lines could not be written to /dev/full: No space left on device" in ran.err
    assert ran.err.count('"action":"create"') == 2


def test_drift_is_2_while_changes_are_pending_and_0_after(fake: Cli) -> None:
    assert fake("drift").code == 2
    assert fake("drift", "--correct").code == 0
    assert fake("drift").code == 0
    assert mappings(fake) == 6


def test_drift_that_cannot_be_corrected_remains_2(fake: Cli, folder: Path) -> None:
    grown(folder)
    assert fake("drift", "--correct").code == 2


def test_drift_over_a_limit_is_refused(fake: Cli, folder: Path) -> None:
    grown(folder)
    edit(folder, "pairs:", "limits: {max_updates: 1}\npairs:")
    before = snapshot(folder)
    assert fake("drift", "--correct").code == 3
    assert snapshot(folder) == before


def test_warnings_count_as_drift_only_on_request(fake: Cli, folder: Path) -> None:
    grown(folder)
    text = (folder / "asrnet.yaml").read_text().splitlines(keepends=True)
    kept = [line for line in text if "wms" not in line]
    (folder / "asrnet.yaml").write_text("".join(kept))
    assert fake("drift", "--correct").code == 0
    assert fake("drift").code == 0
    assert fake("drift", "--fail-on", "warning").code == 2


def test_a_saved_plan_that_is_stale_is_not_shown_before_it_is_refused(fake: Cli) -> None:
    fake("plan", "--out", "saved.json")
    fake("apply", "--yes", "--pair", "hub")
    ran = fake("apply", "saved.json")
    assert ran.code == 3
    assert ran.out.count("Vault sea") == 1
    assert "Plan: " not in ran.out
    assert ran.err.count("mapping hub-ea-to-hub-sea (pair hub) has appeared") == 1
