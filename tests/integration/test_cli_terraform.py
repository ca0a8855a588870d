"""dump --format terraform at the command line, checked by Terraform where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import hcl
import pytest
import yaml
from command_line import EXAMPLES, Cli

VAULT = (
    "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-dr"
    "/providers/Microsoft.RecoveryServices/vaults/vault-sea"
)
PROVIDER = """\
terraform {
  required_version = ">= 1.5"
  required_providers {
    azurerm = {
      source = "hashicorp/azurerm"
    }
  }
}

provider "azurerm" {
  features {}
}
"""
TERRAFORM = shutil.which("terraform")


@pytest.fixture
def grown(folder: Path) -> Path:
    """The folder of the second example, with all kinds of mappings."""
    for file in (EXAMPLES / "02-adopt-and-repair").glob("*.yaml"):
        shutil.copy(file, folder)
    return folder


def test_every_mapping_becomes_a_resource_that_is_imported(fake: Cli, grown: Path) -> None:
    ran = fake("dump", "--format", "terraform", "--out", "mappings.tf")
    assert (ran.code, ran.out, ran.err) == (0, "", "written: mappings.tf\n")
    blocks = hcl.blocks((grown / "mappings.tf").read_text("utf-8"))
    imported = [block.attributes["id"] for block in blocks if block.type == "import"]
    targets = [block.attributes["to"] for block in blocks if block.type == "import"]
    assert targets == [".".join(block.labels) for block in blocks if block.type == "resource"]
    [vault] = yaml.safe_load((grown / "world.yaml").read_text("utf-8"))["vaults"]
    assert sorted(imported) == sorted(
        f"{vault['id']}/replicationFabrics/{one['fabric']}/replicationNetworks/azureNetwork"
        f"/replicationNetworkMappings/{one['name']}"
        for one in vault["mappings"]
    )


@pytest.mark.usefixtures("grown")
def test_a_pair_can_be_selected(fake: Cli) -> None:
    blocks = hcl.blocks(fake("dump", "--format", "terraform", "--pair", "hub").out)
    assert [block.labels[1] for block in blocks if block.type == "resource"] == ["hub_forward", "hub_reverse"]


def test_no_file_is_needed_where_the_vault_is_given_by_id(fake: Cli, folder: Path) -> None:
    fake("apply", "--yes")
    (folder / "asrnet.yaml").unlink()
    blocks = hcl.blocks(fake("dump", "--format", "terraform", "--vault", VAULT).out)
    assert len(blocks) == 2 * 6


def test_rows_left_out_of_the_file_are_reported(fake: Cli, folder: Path) -> None:
    for file in (EXAMPLES / "03-vmm-two-sites").iterdir():
        shutil.copy(file, folder)
    ran = fake("dump", "--format", "terraform")
    assert ran.code == 0
    assert "left out: vm1: " in ran.err
    assert "# left out: vm1: " in ran.out


def test_an_unknown_format_is_refused(fake: Cli) -> None:
    ran = fake("dump", "--format", "terrafrom")
    assert (ran.code, ran.out, "terraform" in ran.err) == (1, "", True)


def terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if not TERRAFORM:
        pytest.skip("terraform is not installed")
    environ = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": str(folder / "none")}
    (folder / "none").touch()
    return subprocess.run(
        [TERRAFORM, *arguments], cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.usefixtures("grown")
def test_terraform_accepts_the_export_and_its_layout(fake: Cli, tmp_path: Path) -> None:
    module = tmp_path / "module"
    module.mkdir()
    (module / "provider.tf").write_text(PROVIDER, "utf-8")
    fake("dump", "--format", "terraform", "--out", str(module / "mappings.tf"))
    formatted = terraform(module, "fmt", "-check", "-diff", ".")
    assert (formatted.returncode, formatted.stdout) == (0, "")
    # Without the provider only Terraform's own checks of resources and imports run.
    (tmp_path / "no-plugins").mkdir()
    begun = terraform(module, "init", "-no-color", f"-plugin-dir={tmp_path / 'no-plugins'}")
    assert begun.stderr.count("Error: ") == 1
    assert "Failed to query available provider packages" in begun.stderr
