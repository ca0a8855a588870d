"""Whatever two things are wrong at once, in files, options or variables: each is reported, once and with its place."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from itertools import combinations
from pathlib import Path

import pytest
from command_line import Cli, Ran, edit, snapshot
from msgspec import Struct

from asrnet.cli import mistakes
from asrnet.cli.commands import MODULE
from asrnet.errors import InputError
from asrnet.render import formats_of
from asrnet.settings import all_options, options_of

WORLD = ("--backend", "fake:world.yaml")
VALID = {
    "plan": ("plan", *WORLD),
    "apply": ("apply", "--yes", *WORLD),
    "apply a saved plan": ("apply", "saved.json", "--yes", *WORLD),
    "drift": ("drift", *WORLD),
    "drift --correct": ("drift", "--correct", *WORLD),
    "map": ("map", "prod/rg-network-ea/hub-ea", "--to", "southeastasia", "--vault", "sea", "--yes", *WORLD),
    "predict": ("predict", "--machines", "list.csv", *WORLD),
    "targets": ("targets", "--topology", "vmm.yaml", *WORLD),
    "show": ("show", *WORLD),
    "dump": ("dump", *WORLD),
    "doctor": ("doctor", *WORLD),
    "validate": ("validate", "asrnet.yaml"),
    "validate --world": ("validate", "--world", "world.yaml"),
    "permissions": ("permissions",),
    "emulator": ("emulator", "--seed", "world.yaml", "--state", "end.yaml"),
}
"""A command line of each command that reads files."""


class Mistake(Struct, frozen=True):
    """How to make one mistake: in the folder, on the command line or in the environment; ``place`` begins its message.

    ``of`` are the commands that meet it; empty for all.
    """

    place: str
    of: tuple[str, ...]
    in_folder: Callable[[Path], object] = lambda _: None
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}
    lines: tuple[int, ...] = ()


def broken_state(folder: Path) -> None:
    edit(folder, "version: 1", "version: 1\nfoo: 1")
    edit(folder, "regions:", "bar: 1\nregions:")


def broken_world(folder: Path, name: str = "world.yaml") -> None:
    (folder / name).write_text("version: 1\nfoo: 1\nvaults: [{location: eastasia}]\n", "utf-8")


def having(option: str) -> tuple[str, ...]:
    """The names of the command lines whose command has an option."""
    return tuple(
        name
        for name, words in VALID.items()
        if any(option in {known.flag, known.metavar} for known in options_of(words[0]))
    )


ON_A_WORLD = tuple(name for name, words in VALID.items() if words[-2:] == WORLD)
OF_A_STATE = (*(name for name in ON_A_WORLD if name != "apply a saved plan"), "permissions", "validate")

MISTAKES = {
    "desired state": Mistake("asrnet.yaml:", OF_A_STATE, broken_state, lines=(3, 9)),
    "world": Mistake("world.yaml:", (*ON_A_WORLD, "validate --world", "emulator"), broken_world, lines=(2, 3)),
    "saved plan": Mistake(
        "saved.json:", ("apply a saved plan",), lambda folder: (folder / "saved.json").write_text("{", "utf-8")
    ),
    "missing world": Mistake("gone.yaml:", ON_A_WORLD, arguments=("--backend", "fake:gone.yaml")),
    "list of machines": Mistake(
        "list.csv:",
        ("predict",),
        lambda folder: (folder / "list.csv").write_text(
            "name,primary_network,subnet,ip,ip_type\nvm1\nvm2,hub-ea,,10.0,\n", "utf-8"
        ),
        lines=(2, 3),
    ),
    "topology": Mistake(
        "vmm.yaml:",
        ("targets",),
        lambda folder: (folder / "vmm.yaml").write_text("foo: 1\nfabrics: []\nbar: 1\n", "utf-8"),
        lines=(1, 3),
    ),
    "state of the emulator": Mistake(
        "end.yaml:", ("emulator",), lambda folder: broken_world(folder, "end.yaml"), lines=(2, 3)
    ),
    "unknown option": Mistake("unknown option '--bogus'", (), arguments=("--bogus",)),
    "value that is missing": Mistake("--env-file: ", (), arguments=("--env-file",)),
    "value": Mistake("--log-format: found 'xml'", (), arguments=("--log-format", "xml")),
    "number": Mistake("--parallelism: found 'many'", having("--parallelism"), arguments=("--parallelism", "many")),
    "variable": Mistake("ASRNET_VERBOSE: found 'much'", (), variables={"ASRNET_VERBOSE": "much"}),
    "format": Mistake("--output: this command has no format 'jsn'", having("--output"), arguments=("-o", "jsn")),
    "place of an output": Mistake("nowhere/x: ", having("--output"), arguments=("-o", "json=nowhere/x")),
    "place of a file": Mistake("nowhere/y: ", having("--out"), arguments=("--out", "nowhere/y")),
    "audit": Mistake("--audit: nowhere/z ", having("--audit"), arguments=("--audit", "nowhere/z")),
    "found .env": Mistake(
        ".env: ASRNET_QUIET: found 'perhaps'",
        (),
        lambda folder: (folder / ".env").write_text("ASRNET_QUIET=perhaps\n", "utf-8"),
    ),
}


OF_FILES = ("desired state", "world", "saved plan", "list of machines", "topology", "state of the emulator")


def met_by(command: str) -> list[str]:
    return [name for name, mistake in MISTAKES.items() if not mistake.of or command in mistake.of]


def ways_of_being_wrong(names: Iterable[str]) -> bool:
    """Whether mistakes can be made together: a world is one file, and a named file of variables replaces ``.env``."""
    return not ({"world", "missing world"} <= {*names} or {"value that is missing", "found .env"} <= {*names})


@pytest.fixture
def make(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs a command line of ``VALID`` with mistakes by name, in files that are right but for these."""
    assert cli("plan", *WORLD, "--out", "saved.json").code == 0
    (folder / "list.csv").write_text("name,primary_network,subnet,ip,ip_type\nvm1,hub-ea,,10.0.1.9,\n", "utf-8")
    (folder / "vmm.yaml").write_text("fabrics: []\n", "utf-8")
    right = snapshot(folder)

    def run(command: str, names: Iterable[str], *arguments: str) -> Ran:
        for path in folder.iterdir():
            path.unlink()
        for name, data in right.items():
            (folder / name).write_bytes(data)
        words, last = list(VALID[command]), list(arguments)
        with monkeypatch.context() as environment:
            for mistake in (MISTAKES[name] for name in names):
                mistake.in_folder(folder)
                for variable, value in mistake.variables.items():
                    environment.setenv(variable, value)
                if mistake.arguments[:1] == ("--backend",):
                    words[-2:] = mistake.arguments
                elif len(mistake.arguments) == 1:  # no value may follow
                    last += mistake.arguments
                else:
                    words += mistake.arguments
            before = snapshot(folder)
            ran = cli(*words, *last)
        assert not names or snapshot(folder) == before
        return ran

    return run


def beginnings(names: Iterable[str]) -> list[str]:
    """How the messages about mistakes begin, each once."""
    return [
        f"{mistake.place}{line}:" if line else mistake.place
        for mistake in (MISTAKES[name] for name in names)
        for line in mistake.lines or ("",)
    ]


def unexpected(messages: Sequence[str], names: Iterable[str]) -> list[str]:
    """The mistakes that ``messages`` do not name exactly once, and the messages about anything else."""
    expected = beginnings(names)
    wrong = [text for text in expected if sum(message.startswith(text) for message in messages) != 1]
    return wrong + [message for message in messages if not message.startswith(tuple(expected))]


def errors(ran: Ran) -> list[str]:
    return [line.removeprefix("error: ") for line in ran.err.splitlines() if line.startswith("error: ")]


@pytest.mark.parametrize("command", VALID)
def test_a_command_line_without_mistakes_is_accepted(make: Callable[..., Ran], command: str) -> None:
    """Otherwise the tests below would not show what their mistakes cause."""
    if command != "emulator":  # which would run until it is stopped
        assert [line for line in make(command, ()).err.splitlines() if line.startswith("error: ")] == []


@pytest.mark.parametrize("command", VALID)
def test_all_possible_mistakes_of_a_run_are_reported_together(make: Callable[..., Ran], command: str) -> None:
    for left_out in ({"missing world", "found .env"}, {"world", "value that is missing"}):
        names = [name for name in met_by(command) if name not in left_out]
        ran = make(command, names)
        assert (ran.code, ran.out, unexpected(errors(ran), names)) == (1, "", [])


@pytest.mark.parametrize("command", ["apply a saved plan", "predict", "targets", "validate", "emulator"])
def test_no_mistake_hides_another(make: Callable[..., Ran], command: str) -> None:
    for names in filter(ways_of_being_wrong, combinations(met_by(command), 2)):
        ran = make(command, names)
        assert (names, ran.code, unexpected(errors(ran), names)) == (names, 1, [])


@pytest.mark.parametrize("command", VALID)
def test_the_log_of_a_run_has_each_mistake_as_a_record(make: Callable[..., Ran], command: str) -> None:
    names = [name for name in met_by(command) if name not in {"missing world", "found .env", "value"}]
    ran = make(command, names, "--log-format", "json")
    records = [json.loads(line) for line in ran.err.splitlines()]
    assert unexpected([record["message"] for record in records], names) == []


def writing(form: str) -> list[str]:
    """The names of the command lines whose command has an output format."""
    modules = {name: import_module(MODULE.format(words[0])) for name, words in VALID.items()}
    return [
        name for name, module in modules.items() if hasattr(module, "DOCUMENT") and form in formats_of(module.DOCUMENT)
    ]


@pytest.mark.parametrize("command", writing("github"))
def test_a_workflow_marks_each_mistake_once(make: Callable[..., Ran], command: str) -> None:
    names = [*(name for name in met_by(command) if name in OF_FILES), "value"]
    marked = []
    for line in make(command, names, "-o", "github").out.splitlines():
        properties, _, message = line.removeprefix("::error ").partition("::")
        values = dict(part.split("=", 1) for part in properties.split(","))
        marked.append(f"{values['file']}:{values.get('line', '')}:" if "file" in values else message)
    assert unexpected(marked, names) == []


@pytest.mark.parametrize("command", writing("sarif"))
def test_a_code_scanner_gets_each_mistake_once(make: Callable[..., Ran], command: str) -> None:
    names = [*(name for name in met_by(command) if name in OF_FILES), "value"]
    (run,) = json.loads(make(command, names, "-o", "sarif").out)["runs"]
    results = []
    for result in run["results"]:
        for location in result["locations"]:
            place = location["physicalLocation"]
            results.append(f"{place['artifactLocation']['uri']}:{place['region']['startLine']}:")
        if not result["locations"]:
            results.append(result["message"]["text"])
    assert unexpected(results, names) == []


def test_a_file_is_not_replaced_by_mistakes_while_an_option_is_wrong(cli: Cli, folder: Path) -> None:
    """The option may have been meant to name just that file as an input."""
    broken_state(folder)
    before = snapshot(folder)
    assert cli("plan", "--fiel", "world.yaml", "-o", "sarif=world.yaml").code == 1
    assert snapshot(folder) == before


# Several mistakes on one command line, and what follows from a mistake without being one

GONE = ("--backend", "fake:gone.yaml")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "plan --bogus 3 -o --audit x extra --yes=1 --total-parallelism 0",
            [
                "unknown option '--bogus'",
                "plan has no option --audit",
                "plan has no option --yes",
                "unexpected argument 'extra'",
                "-o/--output: expected one argument",
                "--total-parallelism: found '0'",
            ],
        ),
        (
            "plan -out plan.json -json --quiet=1",
            ["unknown option '-out'", "unknown option '-json'", "--quiet takes no"],
        ),
        ("-out=x --bogus plna --x", ["unknown option '-out'", "unknown option '--bogus'", "unknown option '--x'"]),
        ("plna --x", ["unknown command 'plna'"]),
        ("--bogus plan --out", ["unknown option '--bogus'", "--out: expected one argument"]),
        (
            "--audit x plan --force a --force b",
            ["plan has no option --audit", "--force: found 'a'", "--force: found 'b'"],
        ),
        ("map", ["PRIMARY is missing", "--to REGION is missing"]),
        ("completion --quiet=0", ["--quiet takes no value", "SHELL is missing"]),
        (
            "predict --failover --failback --machines x.csv --all-subnets",
            ["--failback: not", "--all-subnets: not", "x.csv: "],
        ),
        (
            "predict --follow --force max_updates --nics --to b --fail-on x",
            [
                "--fail-on: found 'x'",
                "--follow needs the plan",
                "--force needs the plan",
                "a recovery region cannot be",
            ],
        ),
        ("apply gone.json --vault sea --pair hub", ["a saved plan is applied as it is", "gone.json: "]),
        (
            "plan --vault see --vault saa --pair a --pair b",
            [
                "--vault: there is no vault 'see'",
                "--vault: there is no vault 'saa'",
                "--pair: there is no pair 'a'",
                "--pair: there is no pair 'b'",
            ],
        ),
        (
            "map prod/x --to b --vault see --recovery q/w",
            ["--vault: there is no vault 'see'", "found 'prod/x'", "found 'q/w'"],
        ),
        (
            "plan -o jsn -o xml -o json=no/x --out no/y",
            [
                "--output: this command has no format 'jsn'",
                "--output: this command has no format 'xml'",
                "--output: 2 outputs to standard output",
                "no/x: cannot",
                "no/y: cannot",
            ],
        ),
        ("init --vault x --out asrnet.yaml", ["--vault: 'x' is a name", "--out: asrnet.yaml exists"]),
        ("schema nonsense --log-format xml", ["--log-format: found", "there is no schema 'nonsense'"]),
        ("explain nonsense -o jsn", ["--output: this command has no format", "asrnet does not use the word"]),
        (
            "emulator --tls-cert x --seed gone.yaml --latency soon",
            ["--latency: found", "a certificate needs", "gone.yaml: "],
        ),
        (
            "emulator --tls-cert asrnet.yaml --tls-key asrnet.yaml --seed gone.yaml",
            ["the certificate asrnet", "gone.yaml: "],
        ),
        ("plan --credential bogus --parallelism x", ["--parallelism: found", "there is no credential 'bogus'"]),
    ],
)
def test_every_mistake_on_a_command_line_has_its_own_line(cli: Cli, line: str, expected: list[str]) -> None:
    ran = cli(*line.split())
    found = errors(ran)
    assert (ran.code, ran.out, len(found)) == (1, "", len(expected)), found
    assert [text for text in expected if sum(message.startswith(text) for message in found) != 1] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("predict --follow --planed", "unknown option '--planed'"),  # which --follow would need
        ("map --too southeastasia prod/rg/net", "unknown option '--too'"),  # --to is not missing, nor is PRIMARY
        ("validate --wrld gone.yaml", "unknown option '--wrld'"),  # which may be its value
        ("completion --shell bash", "unknown option '--shell'"),
        ("plan --fiel asrnet.yaml", "unknown option '--fiel'"),  # so the file that is read is not known
        ("plan --config asrnet.yaml", "unknown option '--config'"),
        ("plan -f", "-f/--file: expected one argument"),
        ("plan -f asrnet.yaml --backend", "--backend: expected one argument"),
        ("plan -f asrnet.yaml --backned fake:gone.yaml", "unknown option '--backned'"),
        # A world may have been meant, and that needs no credential.
        ("plan -f asrnet.yaml --credential bogus --backend", "--backend: expected one argument"),
        ("plan --env-file gone.env", "gone.env: the file of variables does not exist"),
        ("map prod/rg/x --env-file gone.env --vault sea", "gone.env: the file of variables"),  # which may have --to
        ("predict -f asrnet.yaml --machines --all-subnets", "--machines: expected one argument"),
    ],
)
def test_what_follows_from_a_mistake_is_not_reported(cli: Cli, folder: Path, line: str, expected: str) -> None:
    if "-f asrnet.yaml" not in line:
        (folder / "asrnet.yaml").unlink()
    (message,) = errors(cli(*line.split()))
    assert message.startswith(expected)


@pytest.mark.parametrize("arguments", [("--fiel", "x.yaml"), ("--config", "x.yaml"), ("--file", ""), ("--file",)])
def test_the_usual_file_is_not_examined_where_another_one_was_meant(
    cli: Cli, folder: Path, arguments: tuple[str, ...]
) -> None:
    broken_state(folder)
    assert len(errors(cli("plan", *WORLD, *arguments))) == 1


def test_the_topology_of_a_correct_desired_state_is_examined_too(cli: Cli, folder: Path) -> None:
    edit(folder, "vaults:", "topology: gone.json\nvaults:")
    assert errors(cli("plan", *GONE)) == ["gone.json: the file does not exist", "gone.yaml: the file does not exist"]


def test_an_output_that_would_overwrite_a_file_is_one_mistake(cli: Cli) -> None:
    (message,) = errors(cli("validate", "asrnet.yaml", "-o", "json=asrnet.yaml"))
    assert "which this would overwrite" in message


def test_all_mistakes_of_a_file_of_variables_are_reported_with_their_lines(cli: Cli, folder: Path) -> None:
    (folder / "my.env").write_text("A B C\nASRNET_QUIET=perhaps\n=\nASRNET_PARALLELISM=0\n", "utf-8")
    assert [message.partition(", ")[0] for message in errors(cli("plan", *WORLD, "--env-file", "my.env"))] == [
        "my.env:1: expected NAME=value; the line is ignored",
        "my.env:3: expected NAME=value; the line is ignored",
        "my.env: ASRNET_QUIET: found 'perhaps'",
        "my.env: ASRNET_PARALLELISM: found '0'",
    ]


def test_files_are_reported_in_the_order_of_the_command_line(cli: Cli) -> None:
    names = {"--file": "a.yaml", "--backend": "fake:b.yaml", "--machines": "c.csv"}
    for order in (["--file", "--backend", "--machines"], ["--machines", "--file", "--backend"]):
        ran = cli("predict", *(word for flag in order for word in (flag, names[flag])))
        assert errors(ran) == [f"{names[flag].removeprefix('fake:')}: the file does not exist" for flag in order]


def test_mistakes_about_no_file_come_before_those_in_files(cli: Cli, folder: Path) -> None:
    broken_world(folder)
    first, *others = errors(cli("plan", *WORLD, "-f", "asrnet.yaml", "--pair", "nope"))
    assert first == "--pair: there is no pair 'nope'"
    assert {message.partition(":")[0] for message in others} == {"world.yaml"}


def test_the_endpoint_of_a_cloud_that_a_broken_desired_state_names_is_no_mistake(cli: Cli, folder: Path) -> None:
    edit(folder, "version: 1", "version: 1\ncloud: china\nfoo: 1")
    (message,) = errors(cli("plan", "--endpoint", "https://management.chinacloudapi.cn"))
    assert message.startswith("asrnet.yaml:4: foo: ")


def test_a_run_with_mistakes_leaves_no_audit_behind(cli: Cli, folder: Path) -> None:
    assert cli("apply", *WORLD, "--audit", "audit.jsonl", "--parallelism", "0").code == 1
    assert not (folder / "audit.jsonl").exists()


def test_a_file_that_a_run_does_not_read_is_not_examined(cli: Cli, folder: Path) -> None:
    broken_state(folder)
    assert errors(cli("apply", "gone.json", *GONE)) == [
        "gone.json: the file does not exist",
        "gone.yaml: the file does not exist",
    ]
    assert errors(cli("validate", "gone.yaml")) == ["gone.yaml: the file does not exist"]


def test_a_plan_that_was_tampered_with_is_refused_whatever_else_is_wrong(cli: Cli, folder: Path) -> None:
    cli("plan", *WORLD, "--out", "saved.json")
    edit(folder, '"in_sync":0', '"in_sync":1', "saved.json")
    ran = cli("apply", "saved.json", *GONE)
    assert ran.code == 3
    assert [message.partition(": ")[0] for message in errors(ran)] == ["gone.yaml", "refused"]


def test_every_mistake_in_a_saved_plan_is_reported_with_its_line(cli: Cli, folder: Path) -> None:
    cli("plan", *WORLD, "--out", "saved.json")
    plan = json.loads((folder / "saved.json").read_text("utf-8"))
    plan["changes"][0]["action"] = "explode"
    plan["changes"][1]["vault"] = 3
    (folder / "saved.json").write_text(json.dumps(plan, indent=1), "utf-8")
    first, second = errors(cli("apply", "saved.json", *WORLD))
    assert "changes[0].action: not a saved plan: found 'explode', expected create" in first
    assert "changes[1].vault: not a saved plan: found '3', expected text" in second
    assert int(first.split(":")[1]) < int(second.split(":")[1])


@pytest.mark.parametrize("end", [b'"changes":"\xff"}', b'"changes":[' + b"[" * 2000, b'"changes"'])
def test_a_saved_plan_that_breaks_off_after_a_wrong_value_is_no_plan(cli: Cli, folder: Path, end: bytes) -> None:
    (folder / "saved.json").write_bytes(b'{"format_version":"1.1","checksum":5,' + end)
    ran = cli("apply", "saved.json", *WORLD)
    assert ran.code == 1
    assert [message.partition(": ")[2][:16] for message in errors(ran)] == ["not a saved plan"]


def test_a_pipe_is_not_read_a_second_time(cli: Cli, folder: Path) -> None:
    """Its content is gone, and reading it would wait for a writer."""
    os.mkfifo(folder / "pipe.csv")
    assert errors(cli("predict", *GONE, "--machines", "pipe.csv")) == ["gone.yaml: the file does not exist"]


def test_files_that_are_edited_once_a_run_has_begun_are_not_examined(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def somebody_edits(*_: object, **__: object) -> None:
        broken_state(folder)
        raise InputError("the network is gone")

    monkeypatch.setattr("asrnet.inventory.read.read_inventory", somebody_edits)
    assert errors(cli("plan", *WORLD)) == ["the network is gone"]


def test_every_kind_of_file_that_an_option_names_can_be_examined() -> None:
    """A new kind needs a reader, or its mistakes would hide those of other files."""
    kinds = {option.reads for option in all_options() if option.reads}
    assert kinds - set(mistakes.READERS) == {"the file of variables", "the certificate's key"}


def test_a_region_that_is_probably_misspelt_is_named_beside_other_mistakes(cli: Cli) -> None:
    ran = cli("map", "prod/rg-network-ea/hub-ea", "--vault", "see", "--to", "southestasia", *WORLD)
    assert errors(ran) == [
        "--vault: there is no vault 'see'; did you mean 'sea'?",
        "--to: asrnet knows no region 'southestasia'; did you mean 'southeastasia'?",
    ]
    with_new_region = cli("map", "prod/rg-network-ea/hub-ea", "--vault", "see", "--to", "atlantis", *WORLD)
    assert errors(with_new_region) == ["--vault: there is no vault 'see'; did you mean 'sea'?"]


def test_a_misspelt_section_does_not_hide_a_mistake_of_the_world(cli: Cli, folder: Path) -> None:
    edit(folder, "pairs:", "mapings:")
    edit(folder, "location: eastasia", "location: '!!'", file="world.yaml")
    first, second = errors(cli("plan", *WORLD))
    assert first.startswith("asrnet.yaml:12: mapings: unknown key")
    assert second.endswith("'!!' is not a region, expected one such as eastasia")
