"""A written desired state is readable and reads back the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from desired_files import BASE, DR, HUB, PROD, load, without_sources

from asrnet import desired


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_written_state_is_readable() -> None:
    state = load(BASE + HUB + "limits: {max_updates: 3, max_deletes: 0}\n")
    assert desired.dump_desired(state) == (
        "version: 1\n"
        "cloud: public\n"
        f"subscriptions: {{prod: {PROD}, dr: {DR}}}\n"
        "vaults: {sea: dr/rg-dr/vault-sea}\n"
        "regions:\n"
        "- {primary: eastasia, recovery: southeastasia}\n"
        "pairs:\n"
        "- {name: hub, vault: sea, primary: prod/rg/hub-ea, recovery: dr/rg/hub-sea}\n"
        "limits: {max_updates: 3}\n"
    )


def test_machines_and_test_networks_are_written_as_they_are_read() -> None:
    text = (
        BASE.replace("recovery: southeastasia}", "recovery: southeastasia, test: dr/rg/bubble}")
        + "pairs:\n"
        + "- {name: hub, vault: sea, primary: prod/rg/hub-ea, recovery: dr/rg/hub-sea, machines: report, test: none}\n"
        + "- {name: app, vault: sea, primary: prod/rg/app-ea, recovery: copy, test: dr/rg/app-test}\n"
        + "rules:\n"
        + "- {name: all, vault: sea, recovery: copy, test: 'dr/rg/{name}-test', release_addresses: true}\n"
        + "ignore:\n- {machine: sql-*, reason: clustered}\n"
        + "limits: {max_machines: 5}\nmachines: follow\nrelease_addresses: true\n"
    )
    state = load(text)
    written = desired.dump_desired(state)
    assert without_sources(load(written)) == without_sources(state)
    assert "test: dr/rg/app-test}" in written
    assert "machines: follow" in written
