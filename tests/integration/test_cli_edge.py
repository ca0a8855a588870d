"""The outer edge of the command line: options, variables, help, streams, interrupts, unexpected errors."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from threading import Event

import pytest
from command_line import Cli, edit, snapshot

from asrnet.cli import commands, habits, streams
from asrnet.cli.arguments import parse
from asrnet.fake.world import World
from asrnet.render import formats_of
from asrnet.settings import all_options, options_of

FULL = (
    b"error: standard output cannot be written: No space left on device\n"
    b"hint: what was printed is not complete; make room there, or redirect it elsewhere\n"
)

APPROVAL = "asrnet {0} shows the plan and asks; asrnet {0} --help names the option that answers for a pipeline\n"

COMMANDS = list(commands.COMMANDS)


def test_common_options_may_stand_before_the_command_and_after(cli: Cli) -> None:
    before = cli("--backend", "fake:world.yaml", "-o", "json", "plan")
    after = cli("plan", "-o", "json", "--backend", "fake:world.yaml")
    assert before.code == 0
    assert before.out == after.out


def test_a_repeatable_option_adds_up_wherever_it_stands(cli: Cli) -> None:
    ran = cli("--pair", "hub", "plan", "--pair", "app", "-o", "json", "--backend", "fake:world.yaml")
    assert json.loads(ran.out)["summary"]["create"] == 4


def test_a_variable_stands_in_for_an_option(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASRNET_BACKEND", "fake:world.yaml")
    monkeypatch.setenv("ASRNET_PAIR", "hub,app")
    monkeypatch.setenv("ASRNET_OUTPUT", "json")
    assert json.loads(cli("plan").out)["summary"]["create"] == 4


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "a command is missing"),
        (["plna"], "unknown command 'plna'; did you mean 'plan'?"),
        (["plan", "--uot", "x"], "unknown option '--uot'; did you mean '--out'?"),
        (["--bakend", "fake:w", "plan"], "unknown option '--bakend'; did you mean '--backend'?"),
        (["plan", "--detailed"], "unknown option '--detailed'; did you mean '--detailed-exitcode'?"),
        (["plan", "--yes"], "plan has no option --yes"),
        (["--yes", "plan"], "plan has no option --yes"),
        (["plan", "--bogus"], "unknown option '--bogus'\n"),
        (["plan", "extra"], "unexpected argument 'extra'\nhint: use --pair NAME"),
        (["show", "plan.json"], "asrnet apply PLANFILE shows a saved plan before it asks"),
        (["map", "prod/rg/a", "dr/rg/b"], "unexpected argument 'dr/rg/b'\nhint: use --recovery NETWORK"),
        (["explain", "in", "sync"], "unexpected argument 'sync'\nhint: put quotes around words with a space"),
        (
            ["validate", "--world", "x", "-o", "text=."],
            "it is a folder\nhint: nothing was overwritten; name a file in it",
        ),
        (["plan", "-o", "jsn"], "this command has no format 'jsn'; did you mean 'json'?"),
        (["show", "-o", "junit"], "this command has no format 'junit'"),
        (["plan", "-o", "json", "-o", "text"], "2 outputs to standard output"),
        (["plan", "-o", "json", "-o", "github"], "2 outputs to standard output"),
        (["plan", "-o", "github", "-o", "github"], "2 outputs to standard output"),
        (["plan", "-o", "json=a", "-o", "text=a"], "2 outputs to a"),
        (["plan", "-o", "json=./a", "-o", "text=a"], "2 outputs to ./a"),
        (["apply", "--parallelism", "many"], "--parallelism: found 'many'"),
        (["apply", "--force", "everything"], "--force: found 'everything'"),
        (["dump", "-o", "json"], "dump has no option -o"),
        (
            ["dump", "--format", "wrld"],
            "--format: found 'wrld', expected asrnet, world, terraform, bicep or az; did you mean 'world'?",
        ),
        (["plan", "-o"], "-o/--output: expected one argument"),
        (["apply", "--forc", "max_updates"], "unknown option '--forc'\n"),
        (["apply", "--yess"], "unknown option '--yess'\n"),
        (["apply", "-yes"], "unknown option '-yes'\n"),
        (["plan", "--allow-delet"], "unknown option '--allow-delet'\n"),
        (["drift", "--corect"], "unknown option '--corect'\n"),
        (["emulator", "--allow-remot"], "unknown option '--allow-remot'\n"),
        (["map", "a", "--to", "b", "--retargt"], "unknown option '--retargt'\n"),
        (["plan", "--json"], "unknown option '--json'\nhint: use -o json\n"),
        (["plan", "-json"], "unknown option '-json'\nhint: use -o json\n"),
        (
            ["plan", "-out=plan.json"],
            "unknown option '-out'; did you mean '--out'?\nhint: long options have two dashes",
        ),
        (["plan", "-state=x"], "plan has no option -state\nhint: commands with this option: emulator\n"),
        (["plan", "-detailed-exitcode"], "unknown option '-detailed-exitcode'; did you mean '--detailed-exitcode'?"),
        (["apply", "-auto-approve"], f"unknown option '-auto-approve'\nhint: {APPROVAL.format('apply')}"),
        (["apply", "--auto-approve"], f"unknown option '--auto-approve'\nhint: {APPROVAL.format('apply')}"),
        (["map", "--auto-approve"], f"unknown option '--auto-approve'\nhint: {APPROVAL.format('map')}"),
        (["drift", "--auto"], "unknown option '--auto'\nhint: see: asrnet drift --help\n"),
        (["init", "--vault-name", "x"], "option '--vault-name'\nhint: use --vault with the full id of the vault\n"),
        (["init", "--json"], "unknown option '--json'\nhint: see: asrnet init --help\n"),
        (["dump", "--json"], "unknown option '--json'\nhint: see: asrnet dump --help\n"),
        (["emulator", "--chdir", "x"], "unknown option '--chdir'\nhint: see: asrnet emulator --help\n"),
        (["plan", "--format", "json"], "plan has no option --format\nhint: use -o FORMAT"),
        (["plan", "-target=x"], "unknown option '-target'\nhint: use --pair NAME or --vault NAME"),
        (["plan", "-var", "a=b"], "unknown option '-var'\nhint: the desired state has no variables"),
        (["plan", "-var-file=x"], "unknown option '-var-file'\nhint: the desired state has no variables"),
        (["plan", "-refresh=false"], "unknown option '-refresh'\nhint: every run reads Azure again"),
        (["plan", "--doit"], "unknown option '--doit'\nhint: asrnet apply shows the plan and asks"),
        (["plan", "-g", "rg"], "unknown option '-g'\nhint: use --vault with the full id"),
        (["plan", "--no-wait"], "unknown option '--no-wait'\nhint: apply waits"),
        (["--verson"], "unknown option '--verson'; did you mean '--version'?"),
        (["version"], "unknown command 'version'\nhint: see: asrnet --version\n"),
        (["destroy"], "unknown command 'destroy'\nhint: take the rows out of the desired state"),
        (["login"], "unknown command 'login'\nhint: asrnet signs in as az does"),
        (["fmt"], "unknown command 'fmt'; did you mean 'validate'?"),
        (["show", "-o", "table"], "this command has no format 'table'; did you mean 'text'?"),
        (["predict", "-o", "tsv"], "this command has no format 'tsv'; did you mean 'csv'?"),
        (["diff"], "unknown command 'diff'; did you mean 'plan'?"),
        (["map", "--to", "b"], "PRIMARY"),
        (["map", "a"], "--to REGION is missing"),
        (["map", "a", "--to", "b", "--pair", "c"], "map has no option --pair"),
    ],
)
def test_usage_errors_exit_1_and_suggest(cli: Cli, argv: list[str], words: str) -> None:
    ran = cli(*argv)
    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err
    assert ran.err.startswith("error: ")


@pytest.mark.parametrize("command", [[], ["plan"]])
def test_help_is_the_help_of_the_program_or_of_a_command(cli: Cli, command: list[str]) -> None:
    asked = cli("help", *command)
    assert (asked.code, asked.out) == (0, cli(*command, "--help").out)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_its_options(cli: Cli, command: str) -> None:
    ran = cli(command, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"usage: asrnet {command} [options]")
    assert "--log-format" in ran.out


@pytest.mark.parametrize("columns", ["1", "0", "-7", "many", "9" * 30])
def test_an_invalid_columns_variable_is_no_error(cli: Cli, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for argv in (["--help"], ["predict", "--help"], ["plan", "--backend", "fake:world.yaml"]):
        ran = cli(*argv)
        assert (ran.code, "bug" in ran.err) == (0, False)


@pytest.mark.parametrize("columns", [42, 60, 80, 200])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_the_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch, command: str, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    words = set(cli(*filter(None, [command]), "--help").out.split())
    monkeypatch.setenv("COLUMNS", str(columns))
    text = cli(*filter(None, [command]), "--help").out
    lines = text.splitlines()
    assert set(text.split()) <= words, "words are broken"
    examples = [line for line in lines if line.startswith("  asrnet ")]
    assert max(len(line) for line in lines if line not in examples) <= columns
    assert max(map(len, examples), default=0) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_in_the_help_of_a_command_parse(cli: Cli, command: str) -> None:
    module = import_module(commands.MODULE.format(command))
    assert cli(command, "--help").out.count("\n  asrnet ") == len(module.EXAMPLES) > 0
    for example, _ in module.EXAMPLES:
        program, *argv = shlex.split(example.partition(">")[0])
        assert (program, parse(argv).command) == ("asrnet", command)


def test_help_names_formats_defaults_and_exit_codes(cli: Cli) -> None:
    text = " ".join(cli("predict", "--help").out.split())
    assert (
        "text, json, csv, markdown, sarif or ndjson; to standard output or to a file; may be repeated (default: text) "
        "[ASRNET_OUTPUT]" in text
    )
    assert "requests in flight per vault (default: 4) [ASRNET_PARALLELISM]" in text
    assert (
        "exit codes: 0 predicted 1 an error, or something could not be read 2 an outcome of --fail-on was predicted"
        in text
    )


def test_a_variable_for_an_option_of_another_command_is_ignored(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASRNET_OUTPUT", "github")
    assert cli("validate").code == 0
    assert "\nversion: 1\n" in cli("dump", "--backend", "fake:world.yaml").out


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ("ASRNET_OUTPUT=jsn", ["plan"]),
        ("ASRNET_OUTPUT=json=a,text=a", ["plan"]),
        ("ASRNET_OUTPUT=json=asrnet.yaml", ["plan"]),
        ("ASRNET_PLAN_OUT=world.yaml", ["plan"]),
        ("ASRNET_AUDIT=nowhere/audit.log", ["apply", "--yes"]),
        ("ASRNET_AUDIT=asrnet.yaml", ["apply", "--yes"]),
        ("ASRNET_PAIR=hubb", ["plan"]),
        ("ASRNET_PAIR=,", ["apply", "--yes"]),
        ("ASRNET_VAULT=see", ["plan"]),
        ("ASRNET_VAULT=/subscriptions/1", ["show"]),
        ("ASRNET_PERMISSIONS_FOR=aply", ["permissions"]),
    ],
)
def test_an_error_about_a_value_names_the_variable_that_it_came_from(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, given: str, command: list[str]
) -> None:
    variable, _, value = given.partition("=")
    monkeypatch.setenv(variable, value)
    before = snapshot(folder)
    backend = [] if command == ["permissions"] else ["--backend", "fake:world.yaml"]
    ran = cli(*command, *backend)
    assert (ran.code, ran.out, snapshot(folder) == before) == (1, "", True)
    assert ran.err.startswith(f"error: {variable}: ")
    assert ran.err.count("--") == ran.err.partition("hint: ")[2].count("--")


@pytest.mark.parametrize(
    ("given", "command", "words"),
    [
        ("ASRNET_FILE=missing.yaml", ["plan"], "ASRNET_FILE names missing.yaml"),
        ("ASRNET_FILE=world.yaml", ["plan"], "ASRNET_FILE names world.yaml"),
        ("ASRNET_OUTPUT=json=nowhere/x", ["plan"], "ASRNET_OUTPUT names nowhere/x"),
        ("ASRNET_PREDICT_MACHINES=missing.csv", ["predict"], "ASRNET_PREDICT_MACHINES names missing.csv"),
        ("ASRNET_BACKEND=fake:missing.yaml", ["plan"], "ASRNET_BACKEND names missing.yaml"),
        ("ASRNET_EMULATOR_SEED=missing.yaml", ["emulator"], "ASRNET_EMULATOR_SEED names missing.yaml"),
        ("ASRNET_EMULATOR_HOST=all.test", ["emulator"], "'all.test' is the value of ASRNET_EMULATOR_HOST"),
        ("ASRNET_TARGETS_PRIMARY_NETWORK=x1", ["targets"], "'x1' is the value of ASRNET_TARGETS_PRIMARY_NETWORK"),
    ],
)
def test_a_hint_names_the_variable_that_gave_the_file_or_the_name(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, given: str, command: list[str], words: str
) -> None:
    variable, _, value = given.partition("=")
    monkeypatch.setenv("ASRNET_BACKEND", "fake:world.yaml")
    monkeypatch.setenv(variable, value)
    ran = cli(*command)
    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err.partition("hint: ")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_hint_for_a_habit_names_no_option_that_the_command_does_not_have(command: str) -> None:
    flags = {flag for option in options_of(command) for flag in option.flags} | {"-vv"}
    for habit in habits.OPTIONS:
        hint = habits.option_hint(habit, command, flags - {"-vv"})
        if "use -" in hint:
            assert {word.strip(",;") for word in hint.split() if word.startswith("-")} <= flags, habit


def test_every_habit_has_a_hint_in_plan() -> None:
    flags = {flag for option in options_of("plan") for flag in option.flags}
    assert [habit for habit in habits.OPTIONS if not habits.option_hint(habit, "plan", flags)] == []


def test_an_option_that_is_not_suggested_is_announced_without_its_name(cli: Cli) -> None:
    hint = "hint: see: asrnet drift --help, which also names the options that are never suggested"
    assert cli("drift", "--corect").err.startswith(f"error: unknown option '--corect'\n{hint}")
    assert "--correct" not in cli("drift", "--corect").err


def test_no_suggestion_names_an_option_that_lifts_a_safeguard() -> None:
    dangerous = [flag for option in all_options() if option.is_dangerous for flag in option.flags]
    hints = [*habits.OPTIONS.values(), *habits.NO_COMMANDS.values()]
    assert [hint for hint in hints if set(hint.replace(";", " ").split()) & set(dangerous)] == []


def test_a_hint_names_no_variable_where_the_path_was_typed(cli: Cli) -> None:
    ran = cli("plan", "--file", "missing.yaml", "--backend", "fake:world.yaml")
    hint = (
        "hint: go to the folder that has it, let asrnet init write a first one, or name another file with --file (-f)"
    )
    assert ran.err == f"error: missing.yaml: the file does not exist\n{hint}\n"


def test_without_a_credential_the_world_beside_the_file_is_named(cli: Cli) -> None:
    refused = cli("plan", "--credential", "environment")
    assert refused.code == 1
    assert (
        "hint: for the fake Azure in world.yaml, add --backend fake:world.yaml or export ASRNET_BACKEND=" in refused.err
    )
    assert "; for Azure: " in refused.err
    Path("world.yaml").unlink()
    assert "fake" not in cli("plan", "--credential", "environment").err


def test_a_network_given_by_name_only_is_answered_with_the_form_of_a_reference(cli: Cli) -> None:
    ran = cli("map", "app-ea", "--vault", "sea", "--to", "southeastasia", "--backend", "fake:world.yaml")
    assert ran.code == 1
    assert "hint: for example prod/RESOURCE_GROUP/app-ea; an alias is a name under subscriptions\n" in ran.err


def test_a_missing_file_of_variables_is_reported_with_the_variable_that_names_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASRNET_ENV_FILE", "missing.env")
    assert cli("plan").err.startswith("error: ASRNET_ENV_FILE: missing.env: ")


def test_a_found_dotenv_cannot_make_asrnet_write_a_file(cli: Cli, folder: Path) -> None:
    (folder / ".env").write_text("ASRNET_AUDIT=stolen\nASRNET_OUTPUT=json=stolen\nASRNET_PLAN_OUT=stolen\n", "utf-8")
    for command in (["plan"], ["apply", "--yes"]):
        ran = cli(*command, "--backend", "fake:world.yaml")
        assert ran.code == 0
        warning = (
            "ignored ASRNET_OUTPUT, ASRNET_AUDIT, ASRNET_PLAN_OUT: a .env in the working directory cannot set which"
        )
        assert f"warning: .env: {warning} files are written" in ran.err
    assert not (folder / "stolen").exists()
    assert cli("plan", "--backend", "fake:world.yaml", "--env-file", ".env").code == 1  # two outputs to one file


def test_a_found_dotenv_cannot_confirm_for_the_user(cli: Cli, folder: Path) -> None:
    (folder / ".env").write_text("ASRNET_YES=1\n", "utf-8")
    ran = cli("apply", "--backend", "fake:world.yaml")
    assert ran.code == 1
    assert "ignored ASRNET_YES: a .env in the working directory cannot set what may be changed" in ran.err
    assert "apply asks before it writes" in ran.err


def test_extra_v_flags_are_no_error(fake: Cli) -> None:
    assert fake("plan", "-vvvvv").code == 0


def test_a_fake_world_and_an_endpoint_are_refused(fake: Cli) -> None:
    ran = fake("plan", "--endpoint", "https://127.0.0.1:1")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: --backend names a fake world and --endpoint an endpoint\nhint: ")


@pytest.mark.parametrize("variable", ["FORCE_COLOR", "CLICOLOR_FORCE"])
def test_colours_can_be_forced_without_a_terminal(
    fake: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    plain = fake("plan").out
    monkeypatch.setenv(variable, "0")
    assert fake("plan").out == plain
    monkeypatch.setenv(variable, "1")
    coloured = fake("plan", "-o", "text", "-o", "text=plan.txt").out
    assert "\x1b[32m" in coloured
    assert (folder / "plan.txt").read_text("utf-8") == plain
    monkeypatch.setenv("COLUMNS", "60")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", fake("plan").out).splitlines()
    assert max(map(len, lines)) <= 60
    monkeypatch.setenv("NO_COLOR", "1")
    assert fake("plan").out == plain


def test_help_lists_every_command(cli: Cli) -> None:
    ran = cli("--help")
    assert ran.code == 0
    assert [
        line.split()[0] for line in ran.out.partition("commands:\n")[2].splitlines() if re.match("  [a-z]", line)
    ] == COMMANDS


def test_the_version_is_printed(cli: Cli) -> None:
    assert cli("--version").out.startswith("asrnet ")


def test_an_unexpected_error_prints_a_message_and_how_to_report_it(fake: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr("asrnet.inventory.read.read_inventory", broken)
    ran = fake("plan")
    assert (ran.code, ran.out) == (1, "")
    assert "this is a bug in asrnet: ZeroDivisionError: surprise" in ran.err
    assert "please report it" in ran.err
    assert "Traceback" not in ran.err
    assert "Traceback" in fake("plan", "-vv").err


def test_ctrl_c_prints_no_traceback(fake: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("asrnet.inventory.read.read_inventory", interrupted)
    assert fake("plan") == (1, "", "error: interrupted\n")


def test_a_run_reports_the_mistakes_of_all_its_files(cli: Cli, folder: Path) -> None:
    (folder / "state.yaml").write_text("version: 1\nfoo: 1\n", encoding="utf-8")
    (folder / "azure.yaml").write_text("version: 1\nbar: 1\n", encoding="utf-8")
    (folder / "list.csv").write_text("nonsense\n", encoding="utf-8")
    ran = cli("predict", "-f", "state.yaml", "--backend", "fake:azure.yaml", "--machines", "list.csv")
    assert (ran.code, ran.out) == (1, "")
    assert "error: state.yaml:2: foo: unknown key" in ran.err
    assert "error: azure.yaml:2: bar: unknown key" in ran.err
    assert "error: list.csv:1: " in ran.err


def test_a_missing_state_and_a_missing_world_are_reported_together(cli: Cli) -> None:
    ran = cli("plan", "-f", "no-state.yaml", "--backend", "fake:no-world.yaml")
    assert [line for line in ran.err.splitlines() if line.startswith("error: ")] == [
        "error: no-state.yaml: the file does not exist",
        "error: no-world.yaml: the file does not exist; did you mean 'world.yaml'?",
    ]


def test_ctrl_c_at_the_question_says_that_nothing_was_changed(fake: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(streams, "can_ask", lambda: True)
    monkeypatch.setattr(streams, "ask", interrupted)
    ran = fake("apply")
    assert (ran.code, ran.err) == (1, "\nerror: interrupted: nothing was changed\n")


def test_names_cannot_send_terminal_escapes(fake: Cli, folder: Path) -> None:
    edit(folder, "recovery: dr/rg-network-sea/hub-sea", 'recovery: dr/rg-network-sea/hub-sea, managed_by: "\u202e"')
    edit(folder, "name: tagged", "name: <b>|x", "asrnet.yaml")
    out = fake("plan", "-v").out
    assert "\u202e" not in out
    assert "\\u202e" in out
    markdown = fake("plan", "-o", "markdown").out
    assert "<b>" not in markdown
    assert "&lt;b>\\|x" in markdown


def run(folder: Path, *argv: str, **options: object) -> subprocess.Popen[bytes]:
    # PYTHONUNBUFFERED hides how Python flushes its buffers at exit.
    other = ("ASRNET_", "AZURE_", "ARM_", "PYTHONUNBUFFERED", "FORCE_COLOR", "CLICOLOR_FORCE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(other)}
    variables: dict[str, str] = {**clean, **options.pop("env", {})}  # type: ignore[dict-item]  # strings, each of them
    streams: dict[str, object] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # streams hold what Popen takes
        [sys.executable, "-m", "asrnet", *argv, "--backend", "fake:world.yaml"],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        **streams,
    )


def test_a_reader_that_closes_the_pipe_causes_no_error(folder: Path) -> None:
    process = run(folder, "plan", "-o", "json")
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), errors) == (0, b"")


def test_characters_outside_the_encoding_are_escaped(folder: Path) -> None:
    edit(folder, "name: tagged", "name: étiqueté")
    process = run(folder, "plan", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    out, errors = process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert b"\\xe9tiquet\\xe9" in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the disk that is always full is Linux's")
def test_a_full_disk_behind_standard_output_is_reported_in_a_sentence(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = run(folder, "plan", stdout=full)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (1, FULL)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the disk that is always full is Linux's")
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_full_disk_behind_standard_error_stops_no_apply(folder: Path, unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        process = run(folder, "apply", "--yes", "--pair", "hub", stderr=full, env={"PYTHONUNBUFFERED": unbuffered})
        out, _ = process.communicate()
    assert process.returncode == 0
    assert b"Done: " in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the disk that is always full is Linux's")
@pytest.mark.parametrize(
    ("argv", "code"), [(["plan", "--file", "missing.yaml"], 1), (["apply", "--yes", "--force", "max_update"], 1)]
)
def test_a_full_disk_behind_standard_error_changes_no_exit_code(folder: Path, argv: list[str], code: int) -> None:
    with Path("/dev/full").open("wb") as full:
        process = run(folder, *argv, stderr=full)
        assert process.communicate()[0] == b""
    assert process.returncode == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the disk that is always full is Linux's")
@pytest.mark.parametrize(
    "argv", [["--help"], ["plan", "--help"], ["--version"], ["emulator", "--port=0", "--tls-port=0"]]
)
def test_output_that_cannot_be_printed_is_reported_in_a_sentence(folder: Path, argv: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            [sys.executable, "-m", "asrnet", *argv],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            stdout=full,
            stderr=subprocess.PIPE,
        )
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (1, FULL)


@pytest.mark.parametrize(
    "argv",
    [
        *(
            ["--help"],
            ["plan", "--help"],
            ["--version"],
            ["validate"],
            ["explain"],
            ["permissions"],
            ["schema", "plan"],
        ),
        *(["completion", "bash"], ["init", "--out", "new.yaml"], ["emulator", "--port=0", "--tls-port=0"]),
        *([name, "--backend", "fake:world.yaml"] for name in ("plan", "drift", "show", "dump", "predict", "doctor")),
        *(["apply", "--yes", "--backend", "fake:world.yaml"], ["targets", "--backend", "fake:world.yaml"]),
        ["map", "prod/rg-network-ea/hub-ea", "--vault=sea", "--to=southeastasia", "--yes", "--backend=fake:world.yaml"],
    ],
    ids=lambda argv: argv[0],
)
def test_a_closed_standard_output_is_an_error(folder: Path, argv: list[str]) -> None:
    command = [sys.executable, "-m", "asrnet", *argv]
    ran = subprocess.run(
        ["sh", "-c", f"{shlex.join(command)} >&-"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert b"error: standard output is closed\n" in ran.stderr
    assert b"bug" not in ran.stderr


def test_messages_never_mix_with_data_when_standard_error_is_closed(folder: Path) -> None:
    command = [sys.executable, "-m", "asrnet", "plan", "-v", "-o", "json", "--backend", "fake:world.yaml"]
    out = subprocess.run(["sh", "-c", f"{shlex.join(command)} 2>&-"], cwd=folder, stdout=subprocess.PIPE, check=False)
    assert (out.returncode, json.loads(out.stdout)["format_version"]) == (0, "1.1")


def test_a_file_name_that_is_not_valid_text_works_in_every_format(folder: Path) -> None:
    name = os.fsdecode(b"plan-\xff.yaml")
    (folder / name).write_bytes((folder / "asrnet.yaml").read_bytes())
    files = [f"-o{each}={each}" for each in formats_of("plan")]
    process = run(folder, "plan", "--quiet", "--file", name, "--out", "saved", *files)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert "plan-\\udcff.yaml" in json.loads((folder / "json").read_text("utf-8"))["pairs"][0]["file"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A suite started with ``&`` passes on that Ctrl-C is ignored, and one started with nohup that SIGHUP is."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_apply_reports_what_is_in_flight_and_exits_1(folder: Path, number: signal.Signals) -> None:
    edit(folder, "version: 1", "version: 1\nbehaviour: {operations: time:60}", "world.yaml")
    process = run(folder, "apply", "--yes", "-v", "--pair", "hub")
    assert process.stderr
    while b"creating" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"in flight" in out
    assert b"interrupted" in out.lower()
    assert b"Traceback" not in errors


# The first import of a module interrupts the process, as Ctrl-C at that moment would.
INTERRUPTING = """
import builtins, os, signal, sys
original = builtins.__import__
def interrupting(name, *rest, **more):
    if name == sys.argv[1]:
        builtins.__import__ = original
        os.kill(os.getpid(), signal.SIGINT)
    return original(name, *rest, **more)
builtins.__import__ = interrupting
from asrnet.cli import main
"""


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_while_asrnet_is_being_imported_prints_no_traceback(folder: Path) -> None:
    code = f'{INTERRUPTING}sys.exit(main(["plan"]))'
    for module in ("asrnet.cli.stopwatch", "asrnet.cli.error_exits", "asrnet.cli.arguments", "asrnet.cli.session"):
        ran = subprocess.run(
            [sys.executable, "-c", code, module], cwd=folder, capture_output=True, text=True, check=False
        )
        assert (module, ran.returncode, ran.stdout, ran.stderr) == (module, 1, "", "error: interrupted\n")


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_before_the_command_begins_ends_the_process_at_once_and_silently(folder: Path) -> None:
    code = INTERRUPTING.replace("sys.argv[1]", "'asrnet.cli.arguments'") + "sys.argv[1:] = ['plan']\nsys.exit(main())"
    ran = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_in_a_finalizer_ends_the_run(fake: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    class Finalized:
        def __del__(self) -> None:
            raise KeyboardInterrupt

    def run(session: object) -> int:  # noqa: ARG001 - as commands take it
        Finalized()
        return int(Event().wait(60))

    monkeypatch.setattr("asrnet.cli.commands.plan.run", run)
    ran = fake("plan")
    assert (ran.code, ran.err) == (1, "error: interrupted\n")


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_while_the_world_is_saved_loses_nothing_that_was_reported(
    fake: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asrnet.fake import world_file

    dumps = world_file.dumps

    def interrupted(world: World) -> str:
        signal.raise_signal(signal.SIGINT)
        return dumps(world)

    monkeypatch.setattr(world_file, "dumps", interrupted)
    ran = fake("apply", "--yes", "--pair", "hub")
    monkeypatch.undo()
    assert (ran.code, ran.err.splitlines()[-1]) == (1, "error: interrupted")
    assert "hub-ea-to-hub-sea" in (folder / "world.yaml").read_text("utf-8")


def test_nohup_is_respected(folder: Path) -> None:
    edit(folder, "version: 1", "version: 1\nbehaviour: {operations: time:1}", "world.yaml")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = run(folder, "apply", "--yes", "-v", "--pair", "hub")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process.stderr
    while b"creating" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, b"Done: " in out) == (0, True)


def test_the_command_line_imports_nothing_heavy() -> None:
    code = "import asrnet, asrnet.cli, sys; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    heavy = {"azure", "rich", "cryptography", "requests", "msal", "tenacity", "yaml", "dotenv", "msgspec"}
    assert heavy.isdisjoint(name.partition(".")[0] for name in loaded)


@pytest.mark.usefixtures("clean_environment")
def test_a_plan_on_a_fake_imports_nothing_of_azure(folder: Path) -> None:
    code = """
import sys
from asrnet.cli import commands, habits
from asrnet.cli import main
code = main(["plan", "--backend", "fake:world.yaml"])
print(code, *sys.modules, file=sys.stderr)
"""
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=folder)
    code_and_modules = ran.stderr.split()
    assert code_and_modules[0] == "0"
    heavy = {"azure", "rich", "cryptography", "requests", "msal", "tenacity", "dotenv"}
    assert heavy.isdisjoint(name.partition(".")[0] for name in code_and_modules)


def test_importing_asrnet_loads_public_names_on_demand() -> None:
    import asrnet

    assert all(getattr(asrnet, name) is not None for name in asrnet.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = asrnet.nonsense


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_emulator_prints_its_address_and_ends_on_a_signal(folder: Path, number: signal.Signals) -> None:
    arguments = ["emulator", "--port", "0", "--tls-port", "0", "--seed", "world.yaml", "--state", "end.yaml"]
    process = subprocess.Popen(
        [sys.executable, "-m", "asrnet", *arguments],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    announced = json.loads(process.stdout.readline())
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out, errors) == (0, b"", b"")
    assert announced["http"].startswith("http://127.0.0.1:")
    assert announced["https"].startswith("https://127.0.0.1:")
    assert (folder / "end.yaml").read_text("utf-8").startswith("version: 1")


@pytest.mark.parametrize(
    ("command", "hint"), [("dump", "use --format FORMAT and --out PATH"), ("permissions", "use --out PATH")]
)
def test_a_command_without_output_suggests_its_own_options(cli: Cli, command: str, hint: str) -> None:
    assert cli(command, "-o", "json").err.endswith(f"has no option -o\nhint: {hint}\n")
