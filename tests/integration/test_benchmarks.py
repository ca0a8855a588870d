"""The benchmarks: a mistake in an option is reported at once, and a peer that fails costs no other measurement."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from benchmarks import fleet
from benchmarks.peers import AzureCli, Terraform
from benchmarks.scenes import Conditions


def described(*words: str) -> fleet.Fleet:
    parser = argparse.ArgumentParser()
    fleet.add_arguments(parser)
    return fleet.fleet_of(parser.parse_args(words))


@pytest.mark.parametrize("sizes", ["x", "0", "-1", "1,0", "1,,2", ",", "1.5", ""])
def test_sizes_that_are_not_numbers_are_refused(sizes: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        described(f"--sizes={sizes}")
    assert "expected whole numbers above zero, found '" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", ["--latency=-1", "--latency=nan", "--operation=inf", "--operation=x", "--retry-after=-1", "--rounds=0"]
)
def test_impossible_network_conditions_are_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        described(words)
    assert f"found '{words.partition('=')[2]}'" in capsys.readouterr().err


def test_the_options_decide_what_is_measured() -> None:
    given = described("--sizes", "1,20", "--latency", "0", "--operation", "1.5", "--rounds", "2")
    assert (given.sizes, given.rounds) == ([1, 20], 2)
    assert given.conditions == Conditions(latency=0.0, operation=1.5)


def test_a_quick_run_is_one_small_round_without_peers() -> None:
    given = described("--quick")
    assert (tuple(given.sizes), given.rounds, given.peers) == (fleet.QUICK_SIZES, 1, False)


AZ = """#!/bin/sh
[ "$1" != login ] || exit 0
[ "$1" != config ] || exit 0
if [ "$1 $2" = "cloud register" ]; then mkdir "$AZURE_CONFIG_DIR" && exit 0; exit 1; fi
[ "$2" != network ] || [ "$4" != create ] || { echo no such option >&2; exit 2; }
"""


def test_a_failing_peer_loses_only_its_own_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """This az can list, and registers a cloud once per folder as az does, but cannot create."""
    (tmp_path / "site-recovery").mkdir()
    (tmp_path / "az").write_text(AZ)
    (tmp_path / "az").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("AZURE_EXTENSION_DIR", str(tmp_path))
    monkeypatch.setattr(fleet, "PEERS", [AzureCli()])
    found = fleet.Fleet(sizes=[1], conditions=Conditions(latency=0.0, operation=0.0, retry_after=1), rounds=1).rows()
    rows = {(row.work, row.program): row for row in found}
    assert rows["plan, 1 pair", "az"].wall
    assert rows["apply, 1 pair", "az"].note == "failed: standard error has the reason"
    assert rows["apply, 1 pair", "asrnet"].wall
    assert "no such option" in capsys.readouterr().err


TERRAFORM = """#!/bin/sh
[ "$1" != init ] || [ -z "$TF_PLUGIN_CACHE_DIR" ] || { echo cannot install a provider to itself >&2; exit 1; }
"""


def test_terraform_finds_its_provider_in_the_folder_of_its_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like Terraform, this stub refuses a plug-in folder that is also its cache."""
    (tmp_path / "registry.terraform.io" / "hashicorp" / "azurerm" / "5.2.0").mkdir(parents=True)
    (tmp_path / "terraform").write_text(TERRAFORM)
    (tmp_path / "terraform").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(fleet, "PEERS", [Terraform()])
    rows = list(
        fleet.Fleet(sizes=[1], conditions=Conditions(latency=0.0, operation=0.0, retry_after=1), rounds=1).rows()
    )
    assert [row.note for row in rows if row.program == "terraform"] == ["", ""]
