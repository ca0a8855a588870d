"""Wrong rows, topologies, lists and options: file and line on standard error, exit 1, nothing printed or written."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from command_line import EXAMPLES, Cli, Ran, edit, snapshot

ROW = "{name: vm1, vault: sites, primary: VMM-Beijing/VMNetwork1-Beijing, recovery: VMM-Shanghai/VMNetwork1-Shanghai}"
HEADER = "name,primary_network,subnet,ip,ip_type\n"


def refused(ran: Ran, *words: str) -> None:
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: ")
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err


@pytest.fixture
def sites(fake: Cli, folder: Path) -> Cli:
    """The command line on the example of two sites."""
    for file in (EXAMPLES / "03-vmm-two-sites").iterdir():
        shutil.copy(file, folder)
    return fake


@pytest.fixture
def regions(fake: Cli, folder: Path) -> Cli:
    """The command line on the example between regions."""
    for file in (EXAMPLES / "05-predict-failover").iterdir():
        shutil.copy(file, folder)
    return fake


# --- rows -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("drift",)], ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("VMM-Beijing/", "VMM-Bejing/", "unknown VMM server 'VMM-Bejing'; did you mean 'VMM-Beijing'?"),
        (
            "VMNetwork1-Shanghai",
            "VMNetwork1-Shanghi",
            "VMM-Shanghai has no VM network 'VMNetwork1-Shanghi'; did you mean 'VMNetwork1-Shanghai'?",
        ),
    ],
    ids=["server", "network"],
)
def test_a_row_that_names_something_missing_from_the_vault_is_refused(
    sites: Cli, folder: Path, *, command: tuple[str, ...], old: str, new: str, complaint: str
) -> None:
    edit(folder, old, new)
    before = snapshot(folder)
    refused(sites(*command), f"asrnet.yaml:8: {complaint}")
    assert snapshot(folder) == before


def test_a_name_that_two_networks_have_is_refused_with_their_ids(sites: Cli, folder: Path) -> None:
    edit(folder, "friendly_name: VMNetwork2-Beijing", "friendly_name: VMNetwork1-Beijing", "world.yaml")
    ran = sites("plan")
    refused(ran, "asrnet.yaml:8: 'VMNetwork1-Beijing' is not a unique name: ", "hint: give the id")
    assert len(re.findall(r"/replicationNetworks/[0-9a-f-]{36}", ran.err)) == 2


@pytest.mark.parametrize(
    "second",
    [
        ROW.replace("vm1", "vm2"),
        ROW.replace("vm1", "vm2").replace("VMNetwork1-Shanghai", "VMNetwork2-Shanghai"),
        ROW.replace("vm1", "vm2").replace("VMNetwork1-Beijing", "VMNetwork2-Beijing"),
    ],
    ids=["same row", "one primary", "one recovery"],
)
def test_two_rows_for_one_network_are_refused_with_both_lines(sites: Cli, folder: Path, second: str) -> None:
    edit(folder, f"- {ROW}\n", f"- {ROW}\n- {second}\n")
    refused(sites("plan"), "asrnet.yaml:9: pairs 'vm1' and 'vm2' both map ", "the first is at asrnet.yaml:8")


# --- topologies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["plan", "predict", "targets"])
@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("server: VMM-Beijing", "server: VMM-Bejing", r":5: .*'VMM-Bejing'; did you mean 'VMM-Beijing'\?"),
        (
            "e: VMNetwork2-Beijing",
            "e: VMNetwork3-Beijing",
            r":8: VMM-Beijing has no VM network 'VMNetwork3-Beijing'",
        ),
        ("e: GoldCloud1", "e: GoldClod1", r":10: VMM-Beijing has no cloud 'GoldClod1'; did you mean 'GoldCloud1'\?"),
        (
            "GoldCloud1, logical_networks: [LogicalNetwork1-Beijing",
            "GoldCloud1, logical_networks: [LogicalNetwork-Beijing",
            r":10: unknown logical network 'LogicalNetwork-Beijing'; did you mean 'LogicalNetwork1-Beijing'\?",
        ),
        (
            "cloud: GoldCloud1, networks: [VMNetwork1-Beijing",
            "cloud: GoldCloud1, networks: [VMNetwork1-Bejing",
            r":13: unknown VM network 'VMNetwork1-Bejing'; did you mean 'VMNetwork1-Beijing'\?",
        ),
        ("cloud: SilverCloud1", "cloud: SilvrCloud1", r":14: VMM-Beijing has no cloud 'SilvrCloud1'; did you mean"),
        (
            "server: VMM-Beijing",
            "serfer: VMM-Beijing",
            r":5: fabrics\[0\].serfer: unknown key; did you mean",
        ),
        ("version: 1", "version: [", r":\d+: not valid YAML"),
    ],
    ids=["server", "network", "cloud", "logical network", "host's network", "host's cloud", "key", "syntax"],
)
def test_a_topology_that_names_something_missing_is_refused(
    sites: Cli, folder: Path, *, command: str, old: str, new: str, complaint: str
) -> None:
    edit(folder, "# topology:", "topology:")
    edit(folder, old, new, "vmm-topology.yaml")
    ran = sites(command)
    refused(ran)
    assert re.search(rf"^error: vmm-topology\.yaml{complaint}", ran.err)


@pytest.mark.parametrize(("text", "complaint"), [(None, "does not exist"), ("", "empty")], ids=["missing", "empty"])
def test_a_missing_topology_is_refused(sites: Cli, folder: Path, text: str | None, complaint: str) -> None:
    if text is not None:
        (folder / "other.yaml").write_text(text)
    refused(sites("targets", "--topology", "other.yaml"), "other.yaml: ", complaint)


@pytest.mark.usefixtures("sites")
def test_validate_reads_the_topology_that_a_desired_state_names(cli: Cli, folder: Path) -> None:
    edit(folder, "# topology:", "topology:")
    assert cli("validate").out == "asrnet.yaml: valid: 1 pair, 1 vault and 2 VMM servers\n"
    edit(folder, "server: VMM-Beijing", "serfer: VMM-Beijing", "vmm-topology.yaml")
    refused(cli("validate"), "vmm-topology.yaml:5: fabrics[0].serfer: unknown key; did you mean 'server'?")


# --- lists of machines ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "list.csv: the file is empty"),
        ("name,primary_network\nweb1,hub-ea\n", "list.csv:1: missing columns: subnet, ip, ip_type"),
        (HEADER, "list.csv: the list has no machines"),
        (f"{HEADER}web1,hub-ea,web,10.0.1.400,\n", "list.csv:2: ip: '10.0.1.400' is not an address"),
        (f"{HEADER}web1,hub-ea,web,10.0.9.4,\n", "list.csv:2: ip: 10.0.9.4 is outside the subnet 'web' (10.0.1.0/24)"),
        (
            f"{HEADER}web1,hub-ea,wbe,10.0.1.4,\n",
            "list.csv:2: subnet: 'hub-ea' has no subnet 'wbe'; did",
        ),
        (f"{HEADER}web1,hub-ae,web,10.0.1.4,\n", "list.csv:2: primary_network: unknown network 'hub-ae'; did you mean"),
        (f"{HEADER}web1,hub-ea,web,10.0.1.4,manual\n", "list.csv:2: ip_type: 'manual' is not a type of address"),
        (f"{HEADER}web1\n", "list.csv:2: found 1 cell, expected 5 as in the header"),
        (f"{HEADER}web1,hub-ea,web\n", "list.csv:2: found 3 cells, expected 5 as in the header"),
        (
            f"{HEADER}a,hub-ea,web,10.0.1.4,\nb,hub-ea,web,10.0.1.4,\n",
            "list.csv:3: ip: 10.0.1.4 is already the address of 'a'",
        ),
    ],
    ids=[
        *("empty", "missing columns", "no machines", "bad address", "address outside its subnet", "unknown subnet"),
        *("unknown network", "bad type", "one cell", "too few cells", "address twice"),
    ],
)
def test_an_impossible_list_of_machines_is_refused(regions: Cli, folder: Path, text: str, complaint: str) -> None:
    (folder / "list.csv").write_text(text)
    before = snapshot(folder)
    refused(regions("predict", "--machines", "list.csv", "-o", "json=prediction.json"), complaint)
    assert snapshot(folder) == before


def test_a_list_of_machines_in_yaml_is_refused_with_its_line(regions: Cli, folder: Path) -> None:
    (folder / "list.yaml").write_text("machines:\n- name: web1\n  primary_network: hub-ea\n  subnet: wbe\n")
    refused(regions("predict", "--machines", "list.yaml"), "list.yaml:4: machines[0].subnet: ", "did you mean 'web'?")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "does not exist"), (bytes(range(255, 0, -1)), "not a text file")],
    ids=["missing", "binary"],
)
def test_an_unreadable_list_of_machines_is_refused(
    regions: Cli, folder: Path, content: bytes | None, complaint: str
) -> None:
    if content:
        (folder / "list.csv").write_bytes(content)
    refused(regions("predict", "--machines", "list.csv"), "list.csv", complaint)


# --- questions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("predict", "wbe1"), "there is no machine 'wbe1'; did you mean 'web1'?"),
        (("predict", "--test-failover", "tset-sea"), "unknown network 'tset-sea'; did you mean 'test-sea'?"),
        (("predict", "--test-failover", "web1"), "hint: give the names of machines before --test-failover"),
        (("predict", "--failback", "--test-failover"), "--failback: not allowed with --test-failover"),
        (("predict", "--machines", "x.csv", "--all-subnets"), "--all-subnets: not allowed with --machines"),
        (("predict", "-o", "jsn"), "--output: this command has no format 'jsn'; did you mean 'json'?"),
        (("predict", "-o", "csv=nowhere/p.csv"), "nowhere/p.csv"),
        (("predict", "--fail-on", "everything"), "--fail-on"),
        (("predict", "--pair", "hubb"), "--pair: there is no pair 'hubb'; did you mean 'hub'?"),
        (("targets", "--primary-network", "hub-ea"), "unknown VM network 'hub-ea'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_contradictory_or_impossible_options_are_refused(
    regions: Cli, arguments: tuple[str, ...], complaint: str
) -> None:
    refused(regions(*arguments), complaint)


@pytest.mark.parametrize("option", ["--primary-network", "--recovery-network"])
def test_a_network_that_no_server_has_is_refused(sites: Cli, option: str) -> None:
    ran = sites("targets", option, "VMNetwork1-Shanghi")
    refused(ran, "unknown VM network 'VMNetwork1-Shanghi'; did you mean 'VMNetwork1-Shanghai'?")


def test_a_network_that_two_servers_have_is_refused_with_their_ids(sites: Cli, folder: Path) -> None:
    edit(folder, "friendly_name: VMNetwork2-Shanghai", "friendly_name: VMNetwork1-Beijing", "world.yaml")
    refused(sites("targets", "--primary-network", "VMNetwork1-Beijing"), "is not a unique name: /")
    assert sites("targets", "--primary-network", "VMM-Beijing/VMNetwork1-Beijing").code == 0


def test_a_region_for_protected_machines_is_refused_with_what_it_is_for(regions: Cli) -> None:
    refused(regions("predict", "--to", "southeastasia"), "cannot be chosen", "--machines and --all-subnets")


def test_a_region_without_networks_is_refused_with_the_nearest(regions: Cli, folder: Path) -> None:
    (folder / "new.csv").write_text(f"{HEADER}vm,hub-ea,,10.0.1.4,\n", encoding="utf-8")
    refused(regions("predict", "--machines", "new.csv", "--to", "southeastasai"), "did you mean 'southeastasia'?")
