"""The edge of the command line: options, variables, help, streams, interrupts, and errors nobody expected."""

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

import pytest
from command_line import Cli, edit

from asrnet.cli import commands
from asrnet.cli.arguments import parse
from asrnet.render import formats_of

COMMANDS = list(commands.COMMANDS)


def test_common_options_may_stand_before_the_command_and_after(cli: Cli) -> None:
    before = cli("--backend", "fake:world.yaml", "-o", "json", "plan")
    after = cli("plan", "-o", "json", "--backend", "fake:world.yaml")
    assert before.code == 0
    assert before.out == after.out


def test_repeatable_options_add_up_across_the_command(cli: Cli) -> None:
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
        (["plan", "extra"], "unexpected argument 'extra'"),
        (["plan", "-o", "jsn"], "there is no format 'jsn' here; did you mean 'json'?"),
        (["show", "-o", "junit"], "there is no format 'junit' here"),
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
            "--format: found 'wrld', expected asrnet, world or terraform; did you mean 'world'?",
        ),
        (["plan", "-o"], "-o/--output: expected one argument"),
        (["map", "a", "--to", "b", "--pair", "c"], "map has no option --pair"),
    ],
)
def test_usage_errors_exit_1_and_suggest(cli: Cli, argv: list[str], words: str) -> None:
    ran = cli(*argv)
    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err
    assert ran.err.startswith("error: ")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_its_options(cli: Cli, command: str) -> None:
    ran = cli(command, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"usage: asrnet {command} [options]")
    assert "--log-format" in ran.out


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_the_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch, command: str, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = cli(*filter(None, [command]), "--help").out.splitlines()
    examples = [line for line in lines if line.startswith("  asrnet ")]
    assert max(len(line) for line in lines if line not in examples) <= columns
    assert max(map(len, examples), default=0) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_a_command_are_understood(cli: Cli, command: str) -> None:
    module = import_module(commands.MODULE.format(command))
    assert cli(command, "--help").out.count("\n  asrnet ") == len(module.EXAMPLES) > 0
    for example, _ in module.EXAMPLES:
        program, *argv = shlex.split(example.partition(">")[0])
        assert (program, parse(argv).command) == ("asrnet", command)


def test_help_names_formats_defaults_and_exit_codes(cli: Cli) -> None:
    text = " ".join(cli("predict", "--help").out.split())
    assert (
        "text, json, csv or markdown; to standard output or to a file; may be repeated (default: text) [ASRNET_OUTPUT]"
        in text
    )
    assert "requests in flight per vault (default: 4) [ASRNET_PARALLELISM]" in text
    assert "exit codes: 0 predicted 1 an error, or something could not be read 2 what --fail-on names was found" in text


def test_a_variable_of_an_option_that_a_command_does_not_have_is_not_its_business(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASRNET_OUTPUT", "github")
    assert cli("validate").code == 0
    assert cli("dump", "--backend", "fake:world.yaml").out.startswith("version: 1")


def test_help_lists_every_command(cli: Cli) -> None:
    ran = cli("--help")
    assert ran.code == 0
    assert [
        line.split()[0] for line in ran.out.partition("commands:\n")[2].splitlines() if re.match("  [a-z]", line)
    ] == COMMANDS


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version").out.startswith("asrnet ")


def test_an_error_nobody_expected_is_a_message_and_how_to_report_it(fake: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr("asrnet.inventory.read.read_inventory", broken)
    ran = fake("plan")
    assert (ran.code, ran.out) == (1, "")
    assert "this is a bug in asrnet: ZeroDivisionError: surprise" in ran.err
    assert "please report it" in ran.err
    assert "Traceback" not in ran.err
    assert "Traceback" in fake("plan", "-vv").err


def test_ctrl_c_is_no_traceback(fake: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("asrnet.inventory.read.read_inventory", interrupted)
    assert fake("plan") == (1, "", "error: interrupted\n")


def test_names_cannot_command_a_terminal(fake: Cli, folder: Path) -> None:
    edit(folder, "recovery: dr/rg-network-sea/hub-sea", 'recovery: dr/rg-network-sea/hub-sea, managed_by: "\u202e"')
    edit(folder, "name: tagged", "name: <b>|x", "asrnet.yaml")
    out = fake("plan", "-v").out
    assert "\u202e" not in out
    assert "\\u202e" in out
    markdown = fake("plan", "-o", "markdown").out
    assert "<b>" not in markdown
    assert "&lt;b>\\|x" in markdown


def run(folder: Path, *argv: str, **options: object) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ASRNET_", "AZURE_", "ARM_"))}
    variables: dict[str, str] = {**clean, **options.pop("env", {})}  # type: ignore[dict-item]  # strings, each of them
    streams: dict[str, object] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # streams hold what Popen takes
        [sys.executable, "-m", "asrnet", *argv, "--backend", "fake:world.yaml"],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        **streams,
    )


def test_a_reader_who_leaves_does_no_harm(folder: Path) -> None:
    process = run(folder, "plan", "-o", "json")
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), errors) == (0, b"")


def test_names_beyond_the_encoding_are_written_as_escapes(folder: Path) -> None:
    edit(folder, "name: tagged", "name: étiqueté")
    process = run(folder, "plan", env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    out, errors = process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert b"\\xe9tiquet\\xe9" in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the disk that is always full is Linux's")
def test_a_full_disk_behind_standard_output_is_an_error_in_words(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = run(folder, "plan", stdout=full)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (1, b"error: standard output cannot be written: No space left on device\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the disk that is always full is Linux's")
def test_a_full_disk_behind_standard_error_ends_no_apply(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = run(folder, "apply", "--yes", "--pair", "hub", stderr=full)
        out, _ = process.communicate()
    assert process.returncode == 0
    assert b"Done: " in out


def test_what_is_told_never_lands_among_the_data_where_standard_error_is_closed(folder: Path) -> None:
    command = [sys.executable, "-m", "asrnet", "plan", "-v", "-o", "json", "--backend", "fake:world.yaml"]
    out = subprocess.run(["sh", "-c", f"{shlex.join(command)} 2>&-"], cwd=folder, stdout=subprocess.PIPE, check=False)
    assert (out.returncode, json.loads(out.stdout)["format_version"]) == (0, "1.0")


def test_a_file_whose_name_is_no_text_can_be_planned_in_every_format(folder: Path) -> None:
    name = os.fsdecode(b"plan-\xff.yaml")
    (folder / name).write_bytes((folder / "asrnet.yaml").read_bytes())
    files = [f"-o{each}={each}" for each in formats_of("plan")]
    process = run(folder, "plan", "--file", name, "--out", "saved", *files)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, b"")
    assert "plan-\\udcff.yaml" in json.loads((folder / "json").read_text("utf-8"))["pairs"][0]["file"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A suite that is itself run with ``&`` or nohup hands down that Ctrl-C is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
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


def test_the_command_line_imports_nothing_heavy() -> None:
    code = "import asrnet, asrnet.cli, sys; print(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    heavy = {"azure", "rich", "cryptography", "requests", "msal", "tenacity", "yaml", "dotenv", "msgspec"}
    assert heavy.isdisjoint(name.partition(".")[0] for name in loaded)


def test_a_plan_on_a_fake_imports_nothing_of_azure(folder: Path) -> None:
    code = """
import sys
from asrnet.cli import commands
from asrnet.cli import main
code = main(["plan", "--backend", "fake:world.yaml"])
print(code, *sys.modules, file=sys.stderr)
"""
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=folder)
    code_and_modules = ran.stderr.split()
    assert code_and_modules[0] == "0"
    heavy = {"azure", "rich", "cryptography", "requests", "msal", "tenacity", "dotenv"}
    assert heavy.isdisjoint(name.partition(".")[0] for name in code_and_modules)


def test_importing_asrnet_gives_every_public_name_when_asked() -> None:
    import asrnet

    assert all(getattr(asrnet, name) is not None for name in asrnet.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = asrnet.nonsense


def test_the_emulator_says_where_it_is_and_ends_when_told_to(folder: Path) -> None:
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
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out, errors) == (0, b"", b"")
    assert announced["http"].startswith("http://127.0.0.1:")
    assert announced["https"].startswith("https://127.0.0.1:")
    assert (folder / "end.yaml").read_text("utf-8").startswith("version: 1")
