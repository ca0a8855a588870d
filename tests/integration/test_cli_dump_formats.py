"""dump for Bicep and az at the command line, checked by Bicep where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import bicep
import pytest
from command_line import EXAMPLES, Cli

BICEP = shutil.which("bicep")


@pytest.fixture
def grown(folder: Path) -> Path:
    """The folder of the second example, with all kinds of mappings."""
    for file in (EXAMPLES / "02-adopt-and-repair").glob("*.yaml"):
        shutil.copy(file, folder)
    return folder


def test_every_mapping_becomes_a_bicep_resource(fake: Cli, grown: Path) -> None:
    ran = fake("dump", "--format", "bicep", "--out", "mappings.bicep")
    assert (ran.code, ran.out, ran.err) == (0, "", "written: mappings.bicep\n")
    file = bicep.parse((grown / "mappings.bicep").read_text("utf-8"))
    assert len(file.declarations) == (grown / "world.yaml").read_text("utf-8").count("primary_network_id")


@pytest.mark.usefixtures("grown")
def test_a_pair_can_be_selected(fake: Cli) -> None:
    file = bicep.parse(fake("dump", "--format", "bicep", "--pair", "hub").out)
    assert list(file.declarations) == ["hub_forward", "hub_reverse"]
    script = fake("dump", "--format", "az", "--pair", "hub").out
    assert script.startswith("#!/usr/bin/env bash\n")
    assert script.count("\naz site-recovery network mapping create ") == 2


@pytest.mark.usefixtures("grown")
def test_a_shell_accepts_the_script(fake: Cli) -> None:
    script = fake("dump", "--format", "az").out
    subprocess.run(["/bin/bash", "-n"], input=script, text=True, check=True)


@pytest.mark.skipif(BICEP is None, reason="bicep is not installed")
def test_bicep_itself_compiles_the_file(fake: Cli, grown: Path) -> None:
    fake("dump", "--format", "bicep", "--out", "mappings.bicep")
    assert BICEP is not None
    subprocess.run([BICEP, "build", "--stdout", str(grown / "mappings.bicep")], check=True, capture_output=True)
