"""The page about other tools: asrnet behaves as the page says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import hcl
import pytest
import yaml
from command_line import EXAMPLES, Cli, edit

PAGE = (EXAMPLES.parent / "docs" / "coexistence.md").read_text("utf-8")


@pytest.fixture
def grown(folder: Path) -> Path:
    for file in (EXAMPLES / "02-adopt-and-repair").glob("*.yaml"):
        shutil.copy(file, folder)
    return folder


def mappings(folder: Path) -> dict[str, dict[str, Any]]:
    """The live mappings by name in lower case, because a saved world normalises the spelling of ids."""
    [vault] = yaml.safe_load((folder / "world.yaml").read_text("utf-8").lower())["vaults"]
    return {one["name"]: one for one in vault["mappings"]}


def block(language: str) -> str:
    [found] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_desired_state_of_the_page_is_valid(cli: Cli, folder: Path) -> None:
    (folder / "asrnet.yaml").write_text(block("yaml"), "utf-8")
    ran = cli("validate")
    assert (ran.code, ran.err) == (0, "")


def test_the_provider_block_of_the_page_is_valid_terraform() -> None:
    assert hcl.parsed(block("hcl")).named_child_count > 0


def test_a_pair_of_another_tool_is_never_changed(fake: Cli, grown: Path) -> None:
    edit(grown, "sea: dr/rg-dr/vault-sea", "sea: {id: dr/rg-dr/vault-sea, unmanaged: delete}")
    edit(grown, "pairs:", "limits: {max_deletes: 5, max_change_percent: 100}\npairs:")
    before = mappings(grown)
    fake("drift", "--correct", "--allow-delete")
    after = mappings(grown)
    assert after["erp-network-mapping"] == before["erp-network-mapping"]
    assert after.keys() != before.keys()
    assert not any("/erp-sea" in one["primary_network_id"] for one in after.values())  # its half pair stays one


def test_a_pair_of_another_tool_that_leads_elsewhere_is_reported_and_left_alone(fake: Cli, grown: Path) -> None:
    edit(grown, "name: erp, vault: sea", "name: erp, failback: none, vault: sea")
    edit(grown, "erp-sea, managed_by", "crm-sea, managed_by")
    before = mappings(grown)
    assert fake("drift", "--correct", "--pair", "erp").code == 0
    assert mappings(grown) == before
    assert re.search(r"retargeted +erp", fake("drift", "--pair", "erp").out)
    assert fake("drift", "--pair", "erp", "--fail-on", "warning").code == 2


def test_a_retarget_keeps_the_forward_mapping_and_recreates_the_reverse(fake: Cli, grown: Path) -> None:
    before = mappings(grown)
    fake("apply", "--yes", "--pair", "app")
    after = mappings(grown)
    assert before.keys() - after.keys() == {"app-sea-old-to-app-ea"}
    assert after.keys() - before.keys() == {"app-sea-to-app-ea"}
    assert after["app-ea-to-app-sea-old"]["recovery_network_id"].endswith("/app-sea")


def test_completing_a_half_pair_keeps_the_existing_mapping(fake: Cli, grown: Path) -> None:
    before = mappings(grown)
    fake("apply", "--yes", "--pair", "web")
    after = mappings(grown)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() == {"web-sea-to-web-ea"}


def test_two_tools_that_both_own_a_pair_undo_each_other(fake: Cli, grown: Path) -> None:
    """Act as Terraform would: point the forward mapping back to the old network, and recreate the old reverse."""
    others = (grown / "world.yaml").read_bytes()
    for _ in range(2):
        assert fake("apply", "--yes", "--pair", "app").code == 0
        assert fake("plan", "--pair", "app", "--detailed-exitcode").code == 0
        (grown / "world.yaml").write_bytes(others)
        assert fake("plan", "--pair", "app", "--detailed-exitcode").code == 2
    edit(grown, "app-sea}", "app-sea, managed_by: terraform}")
    assert fake("plan", "--pair", "app", "--detailed-exitcode").code == 0


def test_mappings_that_another_tool_made_under_another_name_are_adopted(fake: Cli, grown: Path) -> None:
    edit(grown, "name: erp-network-mapping", "name: made-by-terraform", "world.yaml")
    assert fake("plan", "--pair", "erp", "--detailed-exitcode").code == 0
    edit(grown, ", managed_by: terraform", "")
    out = fake("plan", "--pair", "erp").out
    assert "Plan: create 1 mapping;" in out  # the reverse only
