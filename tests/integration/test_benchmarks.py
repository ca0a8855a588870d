"""The benchmarks: a mistake in an option is reported at once, and a peer that fails costs no other measurement."""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping
from contextlib import redirect_stderr

import pytest
from msgspec import Struct

from benchmarks import fleet
from benchmarks.peers import AzureCli, Terraform
from benchmarks.rows import Row
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
"""It can list, and registers a cloud once per folder as az does, but cannot create."""

TERRAFORM = """#!/bin/sh
[ "$1" != init ] || [ -z "$TF_PLUGIN_CACHE_DIR" ] || { echo cannot install a provider to itself >&2; exit 1; }
"""
"""Like Terraform, this one refuses a plug-in folder that is its cache too."""


class Measured(Struct, frozen=True):
    """The rows of a run by work and program, and what it wrote to standard error."""

    rows: Mapping[tuple[str, str], Row]
    errors: str


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """One run with both peers, because it starts a dozen processes."""
    folder = tmp_path_factory.mktemp("peers")
    (folder / "site-recovery").mkdir()
    (folder / "registry.terraform.io" / "hashicorp" / "azurerm" / "5.2.0").mkdir(parents=True)
    for name, script in (("az", AZ), ("terraform", TERRAFORM)):
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    errors = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(errors):
        patch.setenv("PATH", str(folder), prepend=":")
        patch.setenv("AZURE_EXTENSION_DIR", str(folder))
        patch.setenv("TF_PLUGIN_CACHE_DIR", str(folder))
        patch.setattr(fleet, "PEERS", [AzureCli(), Terraform()])
        conditions = Conditions(latency=0.0, operation=0.0, retry_after=1)
        rows = list(fleet.Fleet(sizes=[1], conditions=conditions, rounds=1).rows())
    return Measured({(row.work, row.program): row for row in rows}, errors.getvalue())


def test_a_failing_peer_loses_only_its_own_row(measured: Measured) -> None:
    assert measured.rows["plan, 1 pair", "az"].wall
    assert measured.rows["apply, 1 pair", "az"].note == "failed: standard error has the reason"
    assert measured.rows["apply, 1 pair", "asrnet"].wall
    assert "no such option" in measured.errors


def test_terraform_finds_its_provider_in_the_folder_of_its_cache(measured: Measured) -> None:
    notes = {work: row.note for (work, program), row in measured.rows.items() if program == "terraform"}
    assert notes == {"plan, 1 pair": "", "apply, 1 pair": ""}
