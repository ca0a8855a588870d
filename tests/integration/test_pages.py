"""Every code block on every page is run or parsed here or in a named test, or has a reason why not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hcl
import pytest
import yaml
from consoles import Console, NotRunError, agrees
from msgspec import Struct
from pages import PAGES, ROOT, Block, blocks

from asrnet.cli.arguments import command_parser
from asrnet.clocks import SimulatedClock
from asrnet.desired import load_desired
from asrnet.emulator.app import App
from asrnet.emulator.serving import ServeOptions, running
from asrnet.failover.machine_list import read_entries
from asrnet.fake import world_file
from asrnet.vmm import parse_topology

DR = "22222222-2222-2222-2222-222222222222"

NOT_RUN: Mapping[str, str] = {
    "az": "az: the Azure CLI is not installed here, and would sign in",
    "docker": "docker: there is no engine here; test_dockerfile.py checks the Dockerfile",
    "make": "make: it takes minutes; test_every_make_target_on_the_pages_exists looks for them",
    "pip": "pip: scripts/try_dist.py installs with it, in CI",
    "terraform": "terraform: its provider is not installed here",
}
"""The programs of consoles that these tests do not run, and why."""
NO_TEST: Mapping[tuple[str, str], str] = {
    ("docs/architecture.md", "sh"): "it needs live Azure",
    ("docs/architecture.md", "text"): "it is a drawing",
    ("docs/emulator.md", "powershell"): "PowerShell is not installed here, as the page says",
}
"""The blocks that nothing checks, by page and language, and why."""
ELSEWHERE: Mapping[tuple[str, str], str] = {
    ("README.md", "python"): "test_docs.py::test_the_library_in_ten_lines_runs",
    ("docs/library.md", "python"): "test_docs.py::test_the_examples_of_the_library_run",
    ("docs/emulator.md", "js"): "test_node_client.py::test_the_lifecycle_of_a_mapping_works_through_the_javascript_sdk",
    ("docs/emulator.md", "json"): ("test_wire_admin.py::test_the_documented_faults_are_accepted_and_cover_every_kind"),
    ("docs/outputs.md", "text"): "test_outputs_page.py::test_the_outputs_of_a_step_are_those_on_the_page",
    ("examples/06-test-your-scripts/README.md", "console"): (
        "test_pytest_plugin.py::test_the_example_tests_run_from_an_installed_wheel"
    ),
    ("examples/08-failover-drill/README.md", "console"): (
        "test_failover_drill.py::test_every_console_of_the_readme_matches_a_run"
    ),
    ("examples/08-failover-drill/README.md", "sh"): (
        "test_failover_drill.py::test_the_script_signs_in_and_runs_by_itself"
    ),
}
"""The tests in other files that run blocks, by page and language."""


class Scene(Struct, frozen=True):
    """The start of a page's consoles: the files of an example, and the world that commands use.

    ``edits`` are the page's manual edits, by the command that follows each; one per occurrence, None for none.
    ``width`` is the terminal's; without it, output goes to a file.
    """

    example: str = "01-two-regions"
    world: str = "world.yaml"
    replaced: Mapping[str, str] = {}
    width: int | None = None
    edits: Mapping[str, tuple[Callable[[Path], None] | None, ...]] = {}


def delete_mapping(name: str) -> Callable[[Path], None]:
    """Delete the mapping's entry from a world that asrnet has saved, as an editor would."""

    def edit(folder: Path) -> None:
        path = folder / "world.yaml"
        lines = path.read_text("utf-8").splitlines(keepends=True)
        [last] = [number for number, line in enumerate(lines) if f"name: {name}," in line]
        assert lines[last - 1].lstrip().startswith("- {primary_network_id:")
        assert lines[last].endswith("}\n")
        path.write_text("".join(lines[: last - 1] + lines[last + 1 :]), "utf-8")

    return edit


def replace(old: str, new: str) -> Callable[[Path], None]:
    """Replace text in the desired state."""

    def edit(folder: Path) -> None:
        path = folder / "asrnet.yaml"
        text = path.read_text("utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), "utf-8")

    return edit


SCENES: Mapping[str, Scene] = {
    "README.md": Scene(),
    "docs/coexistence.md": Scene("02-adopt-and-repair"),
    "docs/on-premises.md": Scene("03-vmm-two-sites"),
    "docs/outputs.md": Scene("02-adopt-and-repair"),
    "docs/predict.md": Scene("05-predict-failover"),
    "docs/tutorial.md": Scene(
        world="",
        width=80,
        edits={
            "asrnet drift": (delete_mapping("hub-sea-to-hub-ea"),),
            "asrnet plan": (None, None, replace("recovery: dr/rg-network-sea/hub-sea", "recovery: copy")),
        },
    ),
    "examples/01-two-regions/README.md": Scene(world=""),
    "examples/02-adopt-and-repair/README.md": Scene("02-adopt-and-repair", world=""),
    "examples/03-vmm-two-sites/README.md": Scene("03-vmm-two-sites", world=""),
    "examples/04-vmm-to-azure/README.md": Scene("04-vmm-to-azure", world=""),
    "examples/05-predict-failover/README.md": Scene("05-predict-failover", world=""),
    "examples/07-machines-follow/README.md": Scene("07-machines-follow", world=""),
}
ALL_BLOCKS = [block for page in PAGES for block in blocks(page)]


def of(*languages: str) -> list[Block]:
    return [block for block in ALL_BLOCKS if block.language in languages]


def place(block: Block) -> str:
    return f"{block.page}:{block.line}"


def test_every_block_is_checked_or_has_a_reason_why_not() -> None:
    parsed = {"csv", "hcl", "json", "python", "yaml"}
    unchecked = [
        place(block)
        for block in ALL_BLOCKS
        if block.language not in parsed
        and (block.page, block.language) not in ELSEWHERE
        and (block.page, block.language) not in NO_TEST
        and not (block.language == "console" and block.page in {*SCENES, *WITHOUT_ASRNET, "docs/emulator.md"})
        and not (block.language == "text" and block.page in TEXTS)
        and not (block.language == "sh" and block.page in SHELL)
    ]
    assert unchecked == []


def test_the_tests_and_reasons_of_blocks_are_about_blocks_that_exist() -> None:
    known = {(block.page, block.language) for block in ALL_BLOCKS}
    assert {*ELSEWHERE, *NO_TEST} - known == set()
    for test in (*ELSEWHERE.values(), *(test for test in SHELL.values() if test)):
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / "tests" / "integration" / file).read_text("utf-8")


@pytest.fixture
def console(
    clean_environment: None,  # noqa: ARG001 - its effect
    quick_clock: None,  # noqa: ARG001 - its effect
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Console]:
    """A console in its own folder, which is also the home folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return lambda **options: Console(monkeypatch, **options)


def run_and_compare(console: Console, command: str, shown: str) -> bool:
    """Run a command of a page and compare its output. False if its program is not run here."""
    try:
        printed = console.run(command)
    except NotRunError as error:
        if str(error) not in NOT_RUN:
            raise
        return False
    assert console.code in {0, 2} or "error:" in shown or command == "echo $?", f"$ {command}\n{printed}"
    if shown.strip():
        assert agrees(printed, shown), f"$ {command}\n{printed}\n\nThe page shows:\n{shown}"
    return True


@pytest.mark.parametrize("page", SCENES)
def test_the_consoles_of_a_page_print_what_it_shows(
    console: Callable[..., Console], monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    scene = SCENES[page]
    shutil.copytree(ROOT / "examples" / scene.example, ".", dirs_exist_ok=True)
    if scene.world:
        monkeypatch.setenv("ASRNET_BACKEND", f"fake:{scene.world}")
    edits = {command: iter(steps) for command, steps in scene.edits.items()}
    shell = console(replaced=scene.replaced, width=scene.width)
    ran = 0
    for block in of("console"):
        for command, shown in block.commands() if block.page == page else ():
            edit = next(edits.get(command.partition(" #")[0].strip(), iter(())), None)
            if edit:
                edit(Path.cwd())
            ran += run_and_compare(shell, command, shown)
    assert ran
    assert [command for command, steps in edits.items() for _ in steps] == []


WITHOUT_ASRNET = ("docs/performance.md", "docs/schedule/README.md")
"""Pages whose consoles have no command of asrnet."""


def test_every_make_target_on_the_pages_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = "\n".join(page.read_text("utf-8") for page in PAGES if page.name != "CHANGELOG.md")
    named = set(re.findall(r"(?:`|\$ |^)make ([a-z][a-z-]*)", text, re.MULTILINE))
    assert named - targets == set()
    assert named >= {"demo", "test", "check", "bench", "site", "dist"}


def test_commands_in_the_text_of_the_pages_have_valid_options() -> None:
    unknown = []
    for page in PAGES:
        for span in re.findall(r"`asrnet ([^`]+)`", page.read_text("utf-8")):
            words = span.replace("[", " ").replace("]", " ").split()
            command = next((word for word in words if not word.startswith("-")), "")
            if not command or command.isupper():
                continue
            options = {text for action in command_parser(command)[0]._actions for text in action.option_strings}
            shown = {re.sub(r"^-v+$", "-v", word.partition("=")[0]) for word in words if re.match(r"--?[a-z]", word)}
            unknown += [(page.name, span, option) for option in shown - options]
    assert unknown == []


def test_programs_that_are_not_run_are_on_the_pages() -> None:
    commands = [command for block in of("console", "sh") for command, _ in block.commands()]
    commands += [line for block in of("sh") for line in block.text.splitlines()]
    assert NOT_RUN.keys() - {word for command in commands for word in command.split()[:1]} == set()


def test_the_consoles_of_the_emulator_page_run_against_one(console: Callable[..., Console], tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "01-two-regions" / "world.yaml", tmp_path)
    shutil.copy(ROOT / "examples" / "01-two-regions" / "asrnet.yaml", tmp_path)
    app = App(world_file.load("world.yaml", clock=SimulatedClock()))
    with running(app, ServeOptions(port=0, tls_port=0)) as emulator:
        addresses = {"http://127.0.0.1:4590": emulator.http, "https://127.0.0.1:4591": emulator.https}
        shell = console(programs=frozenset({"curl"} if shutil.which("curl") else ()), replaced=addresses)
        for block in of("console"):
            for command, shown in block.commands() if block.page == "docs/emulator.md" else ():
                if command.startswith("asrnet emulator"):
                    assert json.loads(shown).keys() == {"http", "https", "ca"}
                elif not command.startswith("curl -so"):
                    run_and_compare(shell, command, shown)
        assert "PUT" not in app.world.journal.methods()


def test_python_of_the_emulator_page_reads_a_vault(
    console: Callable[..., Console],  # noqa: ARG001 - its folder
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = App(world_file.load(str(ROOT / "examples" / "01-two-regions" / "world.yaml"), clock=SimulatedClock()))
    [code, *_] = [block.text for block in of("python") if block.page == "docs/emulator.md"]
    with running(app, ServeOptions(port=0, tls_port=0)) as emulator:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(emulator.ca))
        names: dict[str, Any] = {}
        exec(code.replace("https://127.0.0.1:4591", emulator.https), names)
        client = names["client"]
        client._config.subscription_id = DR
        fabrics = client.replication_fabrics.list(resource_group_name="rg-dr", resource_name="vault-sea")
        assert {fabric.properties.friendly_name for fabric in fabrics} == {"East Asia", "Southeast Asia"}


TEXTS = {"README.md", "examples/01-two-regions/README.md"}
"""Pages with texts that are the outputs of commands."""


def test_the_demo_prints_what_the_readme_shows(console: Callable[..., Console]) -> None:
    [shown] = [block.text for block in of("text") if block.page == "README.md"]
    printed = console(width=80).run("asrnet demo")
    assert agrees(printed, shown), printed


def test_the_first_example_ends_as_its_page_shows(console: Callable[..., Console]) -> None:
    [shown] = [block.text for block in of("text") if block.page.startswith("examples/01")]
    shutil.copytree(ROOT / "examples" / "01-two-regions", ".", dirs_exist_ok=True)
    shell = console()
    shell.run("asrnet apply --backend fake:world.yaml")
    printed = shell.run("asrnet show --backend fake:world.yaml")
    assert agrees(printed, shown), printed


REHEARSED = "test_first_contact.py::test_without_live_the_script_rehearses_and_prints_what_it_would_write"
SHELL: Mapping[str, str] = {
    "README.md": REHEARSED,
    "docs/first-contact.md": REHEARSED,
    "docs/network.md": "",
}
"""Pages whose blocks are for a shell, with the tests that run them elsewhere; without one they are run here."""


@pytest.mark.parametrize("block", of("sh"), ids=place)
def test_shell_blocks_are_valid(console: Callable[..., Console], tmp_path: Path, block: Block) -> None:  # noqa: ARG001 - its folder
    ran = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    if not SHELL.get(block.page, "elsewhere"):
        (tmp_path / "proxy-root.pem").write_text("a certificate\n", "utf-8")
        text = block.text.replace("/etc/ssl/certs/ca-certificates.crt", "proxy-root.pem")
        ran = subprocess.run(["bash", "-eu"], input=text, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("block", of("python"), ids=place)
def test_python_blocks_are_valid(block: Block) -> None:
    compile(block.text, block.page, "exec")


@pytest.mark.parametrize("block", of("hcl"), ids=place)
def test_terraform_blocks_are_valid(block: Block) -> None:
    assert hcl.parsed(block.text).named_child_count > 0


@pytest.mark.parametrize("block", of("json"), ids=place)
def test_json_blocks_are_valid(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", of("csv"), ids=place)
def test_lists_of_machines_on_the_pages_can_be_read(tmp_path: Path, block: Block) -> None:
    (tmp_path / "machines.csv").write_text(block.text, "utf-8")
    assert len(read_entries(tmp_path / "machines.csv")) == len(block.text.splitlines()) - 1


@pytest.mark.parametrize("block", of("yaml"), ids=place)
def test_yaml_blocks_are_valid(tmp_path: Path, block: Block) -> None:
    value = yaml.safe_load(block.text)
    if isinstance(value, list):  # alert rules of Prometheus
        assert all(rule.keys() == {"alert", "expr"} for rule in value)
    elif "fabrics" in value:
        parse_topology(block.text)
    elif "version" in value:
        (tmp_path / "vmm-topology.yaml").write_text("version: 1\nfabrics: []\n", "utf-8")
        (tmp_path / "asrnet.yaml").write_text(block.text, "utf-8")
        assert load_desired(tmp_path / "asrnet.yaml").vaults
    else:  # a workflow of GitHub's
        assert value["env"]["ARM_USE_OIDC"] == "true"
