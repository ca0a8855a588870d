"""Every block of docs/emulator.md runs against an emulator, if its client is installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl
import pytest
from msgspec import Struct

from asrnet.clocks import SystemClock
from asrnet.emulator.app import App
from asrnet.emulator.serving import Emulator, ServeOptions, running
from asrnet.fake.builder import SUBSCRIPTION, Builder

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text("utf-8")
TENANT = "22222222-2222-2222-2222-222222222222"


_BLOCK = re.compile(r"^#+ (?P<heading>[^\n]*)$|^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(Struct, frozen=True):
    """A block of the page: its heading, language and text."""

    heading: str
    language: str
    text: str


def blocks() -> list[Block]:
    found, heading = [], ""
    for match in _BLOCK.finditer(PAGE):
        heading = match["heading"] or heading
        if match["language"]:
            found.append(Block(heading, match["language"], match["text"]))
    return found


def block(heading: str, language: str) -> str:
    return next(found.text for found in blocks() if (found.heading, found.language) == (heading, language))


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """Two mapped regions, on free ports."""
    build = Builder(clock=SystemClock())
    vault = build.vault()
    east, west = build.azure_fabric(vault, "eastasia"), build.azure_fabric(vault, "southeastasia")
    build.pair(
        east, build.virtual_network("hub-ea", "eastasia"), west, build.virtual_network("hub-sea", "southeastasia")
    )
    with running(App(build.world), ServeOptions(port=0, tls_port=0, cache=str(tmp_path / "cache"))) as opened:
        yield opened


def here(text: str, emulator: Emulator) -> str:
    """A block with this emulator's addresses and authority instead of the page's."""
    for written, meant in (
        ("http://127.0.0.1:4590", emulator.http),
        ("https://127.0.0.1:4591", emulator.https),
        ("127.0.0.1:4591", emulator.https.partition("//")[2]),
        ("~/.cache/asrnet/emulator/authority/ca.pem", str(emulator.ca)),
    ):
        text = text.replace(written, meant)
    return text


def console(text: str, emulator: Emulator, folder: Path, **variables: str) -> str:
    """Run the commands of a block in one shell and return the output. Each must succeed."""
    commands = [line.removeprefix("$ ") for line in here(text, emulator).splitlines() if line.startswith("$ ")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["bash", "-ec", "\n".join(commands)],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_every_block_of_the_page_is_known_here() -> None:
    """A new block needs its own test, or a note on the page about where it was run."""
    assert {(found.heading, found.language) for found in blocks()} == {
        ("Start it", "console"),
        ("asrnet", "console"),
        ("az", "console"),
        ("Python", "python"),
        ("JavaScript", "js"),
        ("Terraform", "console"),
        ("Terraform", "hcl"),
        ("PowerShell", "powershell"),
        ("Break things", "console"),
        ("Break things", "json"),
        ("In pytest", "python"),
    }


def test_the_start_command_announces_itself_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text("version: 1\n", encoding="utf-8")
    command, announced = block("Start it", "console").splitlines()
    arguments = command.removeprefix("$ asrnet ").split()
    started = subprocess.Popen(
        [sys.executable, "-m", "asrnet", *arguments, "--port", "0", "--tls-port", "0"],
        cwd=tmp_path,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with started:
        assert started.stdout is not None
        line = json.loads(started.stdout.readline())
        started.terminate()
    assert started.returncode == 0
    assert list(line) == list(json.loads(announced))
    assert line["ca"] == str(tmp_path / "asrnet" / "emulator" / "authority" / "ca.pem")


def test_asrnet_plans_on_it(emulator: Emulator, tmp_path: Path) -> None:
    text = f"""\
version: 1
subscriptions: {{dr: {SUBSCRIPTION}}}
vaults: {{sea: dr/rg-dr/vault-dr}}
regions: [{{primary: eastasia, recovery: southeastasia}}]
pairs: [{{name: hub, vault: sea, primary: dr/rg/hub-ea, recovery: dr/rg/hub-sea}}]
"""
    (tmp_path / "asrnet.yaml").write_text(text, encoding="utf-8")
    variables = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": "any", "AZURE_CLIENT_SECRET": "any"}
    printed = console(block("asrnet", "console"), emulator, tmp_path, **variables)
    assert "Nothing to do: 2 mappings in sync." in printed


def test_faults_and_seeds_are_sent_with_curl(emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text("version: 1\n", encoding="utf-8")
    text = next(found.text for found in blocks() if (found.heading, found.language) == ("Break things", "console"))
    assert console(text, emulator, tmp_path) == '{"added":1}'
    assert list(emulator.app.world.state.vaults) == []


def test_the_python_client_signs_in_and_lists(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(emulator.ca))
    names: dict[str, Any] = {}
    exec(compile(here(block("Python", "python"), emulator), "docs/emulator.md", "exec"), names)
    fabrics = names["client"].replication_fabrics.list("rg-dr", "vault-dr")
    assert [fabric.name for fabric in fabrics] == ["asr-a2a-default-eastasia", "asr-a2a-default-southeastasia"]


def test_az_signs_in_and_lists_networks(emulator: Emulator, tmp_path: Path) -> None:
    if not shutil.which("az"):
        pytest.skip("az is not installed")
    text = block("az", "console").replace("/tmp/az-emulator", str(tmp_path / "az"))
    printed = console(text, emulator, tmp_path, AZURE_CORE_COLLECT_TELEMETRY="no")
    networks = json.loads(printed[printed.index('[\n  {\n    "addressSpace"') :])
    assert [network["name"] for network in networks] == ["hub-ea", "hub-sea"]


def test_the_javascript_of_the_page_is_that_of_the_tested_programs() -> None:
    programs = "".join(path.read_text("utf-8") for path in (Path(__file__).parent / "node").glob("*.js"))
    credential, client = (line for line in block("JavaScript", "js").splitlines() if not line.startswith("//"))
    assert credential in programs
    assert client.replace('{ endpoint: "https://127.0.0.1:4591" }', "{ endpoint }") in programs


def test_the_terraform_configuration_can_be_read() -> None:
    assert hcl.parsed(block("Terraform", "hcl")).type == "config_file"
