"""Results of the examples, beyond the output on their pages (test_pages.py)."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from command_line import EXAMPLES, Cli, edit


def example(name: str, folder: Path) -> None:
    for file in (EXAMPLES / name).iterdir():
        shutil.copy(file, folder)


def lands(cli: Cli, *arguments: str) -> dict[str, tuple[str, str]]:
    """Where each machine lands and by which rule of networks, on the world of the example."""
    prediction = json.loads(cli("predict", *arguments, "--backend", "fake:world.yaml", "-o", "json").out)
    return {one["machine"]: (one["network"], one["network_rule"]["code"]) for one in prediction["landings"]}


def test_two_sites_land_on_each_others_first_network_and_on_none_from_the_second(cli: Cli, folder: Path) -> None:
    example("03-vmm-two-sites", folder)
    assert lands(cli) == {"VM-1": ("VMNetwork1-Shanghai", "vmm_mapped"), "VM-2": (None, "vmm_unmapped")}
    assert lands(cli, "--machines", "from-shanghai.csv") == {
        "VM-3": ("VMNetwork1-Beijing", "vmm_mapped"),
        "VM-4": (None, "vmm_unmapped"),
    }


def test_two_sites_fail_back_as_documented(cli: Cli, folder: Path) -> None:
    example("03-vmm-two-sites", folder)
    asked = ("--failback", "--machines", "failed-over.csv")
    assert lands(cli, *asked) == {
        "untouched": ("VMNetwork1-Beijing", "failback_unchanged"),
        "disconnected": (None, "failback_disconnected"),
        "moved": (None, "failback_unmapped"),
        "moved-to-mapped": ("VMNetwork1-Beijing", "failback_moved"),
    }


def test_two_sites_follow_a_mapping_that_was_changed_after_failover(cli: Cli, folder: Path) -> None:
    example("03-vmm-two-sites", folder)
    [guid] = re.findall(r"`([0-9a-f-]{36})`", (folder / "README.md").read_text("utf-8"))
    head, back = (folder / "world.yaml").read_text("utf-8").split("name: vm1-back")
    back = re.sub(r"(recovery_network_id: \S+/)[0-9a-f-]{36}", rf"\g<1>{guid}", back, count=1)
    (folder / "world.yaml").write_text(f"{head}name: vm1-back{back}", "utf-8")
    asked = ("--failback", "--machines", "failed-over.csv")
    assert lands(cli, *asked)["untouched"] == ("VMNetwork2-Beijing", "failback_remapped")


@pytest.mark.parametrize(("world", "code"), [("world.yaml", 0), ("world-as-printed.yaml", 2)])
def test_two_sites_block_a_row_whose_target_no_cloud_has(cli: Cli, folder: Path, world: str, code: int) -> None:
    example("03-vmm-two-sites", folder)
    edit(folder, "recovery: VMM-Shanghai/VMNetwork1-Shanghai", "recovery: VMM-Shanghai/VMNetwork2-Shanghai")
    ran = cli("apply", "--yes", "--backend", f"fake:{world}")
    assert (ran.code, "target_not_available" in ran.out) == (code, code == 2)


@pytest.mark.parametrize("world", ["world.yaml", "world-as-printed.yaml"])
@pytest.mark.parametrize("network", ["VMNetwork1-Shanghai", "VMNetwork2-Shanghai"])
def test_the_topology_file_of_two_sites_decides_over_the_world(
    cli: Cli, folder: Path, world: str, network: str
) -> None:
    example("03-vmm-two-sites", folder)
    ran = cli(
        *("targets", "--recovery-network", network, "--topology", "vmm-topology.yaml", "--backend", f"fake:{world}")
    )
    expected = {"VMNetwork1-Shanghai": "2 of 2", "VMNetwork2-Shanghai": "1 of 2"}[network]
    assert ran.out.startswith(f"2 pairs of clouds: {expected} target networks available.")


def test_predicted_addresses_of_the_example_between_regions(cli: Cli, folder: Path) -> None:
    example("05-predict-failover", folder)
    out = cli("predict", "--backend", "fake:world.yaml", "-o", "csv").out
    cells = [line.split(",") for line in out.splitlines()]
    place = {name: index for index, name in enumerate(cells[0])}
    assert {row[0]: (row[place["outcome"]], row[place["subnet"]], row[place["ip"]]) for row in cells[1:]} == {
        "web1": ("keeps_address", "web", "10.0.1.4"),
        "web2": ("changes_address", "web", "10.0.1.6"),
        "batch1": ("changes_address", "backup", "10.0.8.4"),
        "app1": ("changes_address", "web", "10.101.1.4"),
        "proxy1": ("changes_address", "AzureFirewallSubnet", "10.2.0.4"),
    }
