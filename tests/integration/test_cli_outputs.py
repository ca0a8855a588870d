"""Several outputs of one run, the step files of GitHub, and unwritable paths."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from command_line import Cli, snapshot

from asrnet.cli.commands import COMMANDS
from asrnet.cli.overwrite_check import check_overwrites
from asrnet.errors import InputError
from asrnet.settings import VARIABLES, Option, options_of, read


@pytest.fixture
def step(folder: Path, monkeypatch: pytest.MonkeyPatch, cli: Cli) -> Path:  # noqa: ARG001 - its environment is cleared first
    """The files of a step on GitHub."""
    for variable, name in (("GITHUB_STEP_SUMMARY", "summary.md"), ("GITHUB_OUTPUT", "output.txt")):
        monkeypatch.setenv(variable, str(folder / name))
    return folder


def said(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text("utf-8").splitlines())


def test_one_run_writes_every_format_at_once(fake: Cli, folder: Path) -> None:
    wanted = {"json": "plan.json", "markdown": "plan.md", "html": "plan.html", "junit": "plan.xml"}
    wanted |= {"prometheus": "plan.prom", "mermaid": "plan.mmd", "github": "plan.txt"}
    ran = fake("plan", "-o", "text", *(word for name, path in wanted.items() for word in ("-o", f"{name}={path}")))
    assert ran.code == 0
    assert ran.out.splitlines()[-1].startswith("Plan: create 2 networks and 6 mappings")
    written = {name: (folder / path).read_text("utf-8") for name, path in wanted.items()}
    assert json.loads(written["json"])["summary"]["create"] == 6
    assert written["markdown"].startswith("Plan: create 2 networks and 6 mappings")
    assert written["html"].startswith("<!doctype html>")
    assert ET.fromstring(written["junit"]).tag == "testsuites"
    assert 'asrnet_pairs{vault="sea",status="missing"} 3' in written["prometheus"]
    assert written["mermaid"].startswith("flowchart LR")
    assert written["github"].startswith("::warning file=asrnet.yaml,line=")


def test_a_report_can_be_written_in_every_format_too(fake: Cli, folder: Path) -> None:
    ran = fake("apply", "--yes", "-o", "junit=r.xml", "-o", "prometheus=r.prom", "-o", "html=r.html", "-o", "github")
    assert ran.code == 0
    assert ran.out.count("::notice ") >= 6
    (suite,) = ET.parse(folder / "r.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("6", "0")
    metrics = (folder / "r.prom").read_text("utf-8")
    assert "asrnet_run_success 1\n" in metrics
    assert 'asrnet_requests{method="PUT"}' in metrics
    assert '"status":"corrected"' in (folder / "r.html").read_text("utf-8")


def test_the_page_has_the_subnets_that_were_read(fake: Cli, folder: Path) -> None:
    assert fake("plan", "-o", "html=plan.html").code == 0
    assert '"subnets":[{"name":"' in (folder / "plan.html").read_text("utf-8")


def test_text_and_annotations_share_standard_output(fake: Cli) -> None:
    lines = fake("plan", "-o", "github", "-o", "text").out.splitlines()
    assert any(line.startswith("::warning ") for line in lines)
    assert any(line.startswith("Plan: ") for line in lines)


def test_a_github_step_summary_and_outputs_are_appended_to_their_files(fake: Cli, step: Path) -> None:
    (step / "summary.md").write_text("# before\n", "utf-8")
    (step / "output.txt").write_text("other=1\n", "utf-8")
    assert fake("drift", "-o", "github").code == 2
    assert (step / "summary.md").read_text("utf-8").startswith("# before\nPlan: create 2 networks and 6 mappings")
    values = said(step / "output.txt")
    assert (values["other"], values["drift"], values["create"], values["result"]) == ("1", "true", "6", "planned")


def test_annotations_use_the_paths_of_the_checkout(fake: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder.parent))
    annotated = fake("plan", "-o", "github").out
    assert f"::warning file={folder.name}/asrnet.yaml,line=" in annotated
    assert fake("plan", "-o", "github", "-f", str(folder / "asrnet.yaml")).out == annotated


def test_after_a_correction_the_step_outputs_say_what_is_left(fake: Cli, step: Path) -> None:
    assert fake("drift", "--correct", "-o", "github").code == 0
    values = said(step / "output.txt")
    assert (values["drift"], values["create"], values["in_sync"], values["result"]) == ("false", "0", "6", "succeeded")


def test_other_formats_do_not_write_the_step_files(fake: Cli, step: Path) -> None:
    assert fake("plan", "-o", "text").code == 0
    assert not (step / "summary.md").exists()
    assert not (step / "output.txt").exists()


def test_metrics_keep_the_last_success_while_there_is_drift(fake: Cli, folder: Path) -> None:
    name = "asrnet_last_success_timestamp_seconds"
    (folder / "a.prom").write_text(f"{name} 1234.5\n", "utf-8")
    assert fake("drift", "-o", "prometheus=a.prom").code == 2
    assert f"\n{name} 1234.500\n" in (folder / "a.prom").read_text("utf-8")
    assert fake("drift", "--correct", "-o", "prometheus=a.prom").code == 0
    text = (folder / "a.prom").read_text("utf-8")
    assert f"\n{name} 1234.500\n" not in text
    assert f"\n{name} " in text


@pytest.mark.parametrize(
    "output",
    [
        "json=missing/plan.json",
        "html=.",
        "junit=asrnet.yaml/x.xml",
        "prometheus=circle",
        "text=" + "n" * 300,
    ],
)
@pytest.mark.parametrize("command", [("apply", "--yes"), ("drift", "--correct"), ("plan",)])
def test_an_unwritable_output_is_refused_before_anything_is_done(
    fake: Cli, folder: Path, command: tuple[str, ...], output: str
) -> None:
    (folder / "circle").symlink_to("circle")
    before = snapshot(folder)
    ran = fake(*command, "-o", "text=fine.txt", "-o", output)
    assert (ran.code, ran.out) == (1, "")
    assert "cannot be written" in ran.err
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ("plan -o json=folder", "name a file in it"),
        ("plan --out folder", "name a file in it"),
        ("apply --yes --audit folder", "name a file in it"),
        ("dump --vault sea --out folder", "name a file in it"),
        ("init --out folder", "name a file in it, as in --out folder/asrnet.yaml"),
        ("plan -o json=no/where/x.json", "make the folder first: mkdir -p no/where"),
        ("apply --yes --audit no/where/x.log", "make the folder first: mkdir -p no/where"),
        ("plan -o json=world.yaml/x.json", "world.yaml is a file, so nothing can be in it"),
        ("demo --out world.yaml/x", "world.yaml is a file, so nothing can be in it"),
        ("plan -o json=" + "n" * 300, "choose a shorter name"),
        ("plan -o json=circle", "links do not lead in a circle"),
    ],
)
def test_an_unwritable_output_is_reported_with_a_remedy(cli: Cli, folder: Path, arguments: str, advice: str) -> None:
    (folder / "circle").symlink_to("circle")
    (folder / "folder").mkdir()
    before = snapshot(folder)
    needs_backend = arguments.split(maxsplit=1)[0] not in {"init", "demo"}
    ran = cli(*arguments.split(), *(["--backend", "fake:world.yaml"] if needs_backend else []))
    assert (ran.code, ran.out) == (1, "")
    assert advice in ran.err.partition("hint: ")[2]
    assert snapshot(folder) == before


@pytest.mark.parametrize("variable", ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"])
def test_unwritable_step_files_are_refused_before_anything_is_done(
    fake: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(folder / "missing" / "file"))
    before = snapshot(folder)
    ran = fake("apply", "--yes", "-o", "github")
    assert ran.code == 1
    assert "cannot be written" in ran.err
    assert snapshot(folder) == before


def test_a_saved_plan_and_an_output_cannot_be_one_file(fake: Cli, folder: Path) -> None:
    ran = fake("plan", "--out", "plan.json", "-o", "json=./plan.json")
    assert ran.code == 1
    assert "--out" in ran.err
    assert not (folder / "plan.json").exists()


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="there is no /dev/full here")
def test_an_output_that_fails_at_the_end_does_not_prevent_the_others(fake: Cli, folder: Path) -> None:
    ran = fake("apply", "--yes", "-o", "text=/dev/full", "-o", "json=report.json")
    assert ran.code == 1
    assert "/dev/full: cannot be written" in ran.err
    assert "the disk is full: make room" in ran.err
    assert json.loads((folder / "report.json").read_text("utf-8"))["result"] == "succeeded"


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="there is no /dev/full here")
def test_an_output_that_fails_at_the_end_does_not_prevent_the_step_outputs(
    fake: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(folder / "outputs"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary"))
    assert fake("drift", "-o", "github", "-o", "json=/dev/full").code == 1
    assert "drift=true" in (folder / "outputs").read_text("utf-8")
    assert "### " in (folder / "summary").read_text("utf-8")


@pytest.mark.parametrize(
    ("argv", "file", "what"),
    [
        (["plan", "-o", "json=asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["plan", "-o", "json=./asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["plan", "--out", "asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["plan", "-o", "markdown=world.yaml"], "world.yaml", "the world"),
        (["plan", "-o", "json=.env"], ".env", "the file of variables"),
        (["plan", "--env-file", "my.env", "-o", "json=my.env"], "my.env", "the file of variables"),
        (["drift", "-o", "junit=asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["drift", "--correct", "--audit", "asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["apply", "--yes", "-o", "json=asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["apply", "saved.json", "--yes", "-o", "json=saved.json"], "saved.json", "the saved plan"),
        (["show", "-o", "json=asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["predict", "--topology", "t.yaml", "-o", "csv=t.yaml"], "t.yaml", "the topology"),
        (["predict", "--machines", "m.csv", "-o", "csv=m.csv"], "m.csv", "the list of machines"),
        (["dump", "--format", "world", "--out", "asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["dump", "--out", "world.yaml"], "world.yaml", "the world"),
        (["dump", "--format", "terraform", "--out", "asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["doctor", "-o", "json=asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["map", "prod/rg/n", "--vault", "sea", "--to", "b", "--audit", ".env"], ".env", "the file of variables"),
        (["map", "prod/rg/n", "--vault", "sea", "--to", "b", "-o", "json=world.yaml"], "world.yaml", "the world"),
        (["targets", "--topology", "t.yaml", "-o", "json=t.yaml"], "t.yaml", "the topology"),
    ],
)
def test_no_output_replaces_what_the_run_reads(fake: Cli, folder: Path, argv: list[str], file: str, what: str) -> None:
    assert fake("plan", "--out", "saved.json").code == 0
    for name, text in {".env": "", "my.env": "", "t.yaml": "version: 1\n", "m.csv": "name\nvm1\n"}.items():
        (folder / name).write_text(text, "utf-8")
    before = snapshot(folder)
    ran = fake(*argv)
    assert (ran.code, snapshot(folder)) == (1, before)
    assert f"{file} is {what}, which this would overwrite" in ran.err


@pytest.mark.parametrize(
    ("argv", "file", "what"),
    [
        (["permissions", "--out", "asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["permissions", "--out", ".env"], ".env", "the file of variables"),
        (["permissions", "-f", "asrnet.yaml", "--out", "./asrnet.yaml"], "asrnet.yaml", "the desired state"),
        (["permissions", "--out", "t.yaml"], "t.yaml", "the topology"),
        (["emulator", "--seed", "world.yaml", "--state", "world.yaml"], "world.yaml", "the seed"),
        (
            ["emulator", "--tls-key", "key.pem", "--tls-cert", "c.pem", "--state", "key.pem"],
            "key.pem",
            "the certificate",
        ),
    ],
)
def test_no_output_replaces_what_a_command_without_a_backend_reads(
    cli: Cli, folder: Path, argv: list[str], file: str, what: str
) -> None:
    for name in (".env", "key.pem", "c.pem"):
        (folder / name).write_text("", "utf-8")
    (folder / "t.yaml").write_text("version: 1\nservers: []\n", "utf-8")
    with (folder / "asrnet.yaml").open("a", encoding="utf-8") as stream:
        stream.write("topology: t.yaml\n")
    before = snapshot(folder)
    ran = cli(*argv)
    assert (ran.code, snapshot(folder)) == (1, before)
    assert f"{file} is {what}" in ran.err


WRITING_OPTIONS = [
    (command, option)
    for command in COMMANDS
    for option in options_of(command)
    if option.writes
    and (command, option.name) not in {("init", "out"), ("demo", "out")}  # these replace no file at all
]


@pytest.mark.parametrize(
    ("command", "writing"), WRITING_OPTIONS, ids=[f"{command} {option.flag}" for command, option in WRITING_OPTIONS]
)
def test_no_option_of_any_command_may_write_to_anything_that_the_command_reads(
    folder: Path, command: str, writing: Option
) -> None:
    (folder / "input").write_text("", "utf-8")
    (folder / "sub").mkdir()
    (folder / "link").symlink_to("input")
    (folder / "hard").hardlink_to(folder / "input")
    spellings = ("input", "./input", "sub/../input", str(folder / "input"), "link", "hard")
    required = {option.name: "prod/rg/hub-ea" for option in options_of(command) if option.required}
    # The state of the emulator is read and written.
    reading = [option for option in options_of(command) if option.reads and option.name != writing.name]
    sources: list[tuple[dict[str, object], dict[str, str]]] = [
        ({option.name: ("input",) if option.repeatable else "input"}, {}) for option in reading
    ]
    sources += [({}, {variable.name: "input"}) for variable in VARIABLES if variable.reads]
    if any(option.name == "backend" for option in options_of(command)):
        sources.append(({"backend": "fake:input"}, {}))
    for spelling in spellings:
        arguments = {**required, writing.name: (f"json={spelling}",) if writing.name == "output" else spelling}
        for read_by_options, environ in sources:
            with pytest.raises(InputError, match=r"(input|link|hard) is .*, which this would overwrite"):
                check_overwrites(read({**arguments, **read_by_options}, environ, command=command), command=command)
    for name in (".env", "asrnet.yaml"):
        (folder / name).touch()
        path = (f"json={name}",) if writing.name == "output" else name
        with pytest.raises(InputError, match=rf"{name} is .*, which this would overwrite"):
            check_overwrites(read({**required, writing.name: path}, {}, command=command), command=command)


@pytest.mark.parametrize("variable", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
def test_step_files_may_not_be_files_that_the_run_reads(
    fake: Cli, folder: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "asrnet.yaml")
    before = snapshot(folder)
    ran = fake("plan", "-o", "github")
    assert (ran.code, snapshot(folder)) == (1, before)
    assert f"{variable}: asrnet.yaml is the desired state" in ran.err


def test_an_audit_is_not_appended_to_an_alias_of_a_file_that_is_read(fake: Cli, folder: Path) -> None:
    (folder / "audit.jsonl").hardlink_to(folder / "asrnet.yaml")
    before = snapshot(folder)
    ran = fake("apply", "--yes", "--audit", "audit.jsonl")
    assert (ran.code, snapshot(folder)) == (1, before)
    assert "--audit: audit.jsonl is the desired state, which this would overwrite" in ran.err


def test_no_output_is_added_to_a_folder_of_desired_state_files(fake: Cli, folder: Path) -> None:
    (folder / "teams").mkdir()
    (folder / "asrnet.yaml").rename(folder / "teams" / "network.yaml")
    refused = fake("plan", "-f", "teams", "-o", "json=teams/plan.json")
    assert (refused.code, (folder / "teams" / "plan.json").exists()) == (1, False)
    assert "teams/plan.json is in the folder of the desired state" in refused.err
    (folder / "audit.jsonl").hardlink_to(folder / "teams" / "network.yaml")
    refused = fake("apply", "--yes", "-f", "teams", "--audit", "audit.jsonl")
    assert (refused.code, "audit.jsonl is in the folder of the desired state" in refused.err) == (1, True)
    assert fake("plan", "-f", "teams", "-o", "markdown=teams/plan.md").code == 0
    (folder / "other.jsonl").hardlink_to(folder / "teams" / "plan.md")
    assert fake("apply", "--yes", "-f", "teams", "--audit", "other.jsonl").code == 0


def test_a_folder_of_desired_state_files_that_cannot_be_read_is_a_mistake(
    fake: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:  # root, as whom the tests may run, can read every folder
        raise PermissionError(13, "Permission denied")

    (folder / "teams").mkdir()
    (folder / "audit.jsonl").touch()
    monkeypatch.setattr(Path, "iterdir", refuse)
    ran = fake("apply", "--yes", "-f", "teams", "--audit", "audit.jsonl")
    assert (ran.code, ran.err.splitlines()[0]) == (1, "error: teams: the folder cannot be read: Permission denied")


def test_a_dump_may_create_the_desired_state_but_not_replace_it(fake: Cli, folder: Path) -> None:
    assert fake("apply", "--yes").code == 0
    assert fake("dump", "--out", "asrnet.yaml").code == 1
    assert fake("dump", "--out", "new.yaml").code == 0
    assert fake("plan", "-f", "new.yaml", "--detailed-exitcode").code == 0
    group = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-dr"
    vault = f"{group}/providers/Microsoft.RecoveryServices/vaults/vault-sea"
    (folder / "asrnet.yaml").unlink()
    assert fake("dump", "--vault", vault, "--out", "asrnet.yaml").code == 0


def test_a_plan_written_only_to_files_is_summed_up_and_names_them(fake: Cli) -> None:
    ran = fake("plan", "--out", "plan.json", "-o", "markdown=plan.md")
    summary = "Plan: create 2 networks and 6 mappings."
    assert (ran.code, ran.out, ran.err) == (0, "", f"{summary}\nwritten: plan.json, plan.md\n")


def test_a_csv_without_machines_says_what_it_contains(fake: Cli) -> None:
    ran = fake("plan", "-o", "csv")
    assert (ran.out.count("\n"), ran.err) == (
        1,
        "csv lists only machines, and this plan has none; -o json shows the whole plan\n",
    )
