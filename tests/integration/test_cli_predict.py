"""asrnet predict and asrnet targets at the command line: options, output and exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command_line import EXAMPLES, Cli, edit, snapshot

from asrnet.clocks import SystemClock
from asrnet.emulator.app import App
from asrnet.emulator.serving import ServeOptions, running
from asrnet.fake import world_file

GROUP = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups"
SEA = f"{GROUP}/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-sea"
VNETS = f"{GROUP}/rg-network-sea/providers/Microsoft.Network/virtualNetworks"
SITE_RECOVERY = "Microsoft.RecoveryServices/vaults"
CONTAINERS = f"{SITE_RECOVERY}/replicationFabrics/replicationProtectionContainers"
ITEMS = f"{SITE_RECOVERY}/replicationProtectedItems/read, {CONTAINERS}/replicationProtectedItems/read"


@pytest.fixture
def example(folder: Path) -> Callable[[str], None]:
    """Puts an example in place of the first one."""

    def put(name: str) -> None:
        for file in (EXAMPLES / name).iterdir():
            shutil.copy(file, folder)

    return put


@pytest.fixture
def regions(example: Callable[[str], None], fake: Cli) -> Cli:
    """The command line on the example between regions."""
    example("05-predict-failover")
    return fake


@pytest.fixture
def sites(example: Callable[[str], None], fake: Cli) -> Cli:
    """The command line on the example of two sites."""
    example("03-vmm-two-sites")
    return fake


def predicted(cli: Cli, *arguments: str) -> dict[str, Any]:
    ran = cli("predict", *arguments, "-o", "json")
    assert ran.err == ""
    prediction: dict[str, Any] = json.loads(ran.out)
    return prediction


def addresses(prediction: dict[str, Any]) -> dict[str, str | None]:
    return {landing["machine"]: landing["ip"] for landing in prediction["landings"]}


# --- outputs ----------------------------------------------------------------------------------------------------------


def test_json_has_a_version_and_the_counts_before_the_landings(regions: Cli) -> None:
    prediction = predicted(regions)
    assert list(prediction)[:1] == ["format_version"]
    assert list(prediction).index("summary") < list(prediction).index("landings")
    assert (prediction["format_version"], prediction["operation"]) == ("1.2", "failover")
    assert prediction["summary"] == {
        "machines": 5,
        "addresses": 5,
        "keeps_address": 1,
        "changes_address": 4,
        "loses_connectivity": 0,
        "unknown": 0,
        "not_failed_over": 0,
        "warnings": 1,
    }


def test_every_landing_in_json_has_its_rule_with_sentence_and_source(regions: Cli) -> None:
    rule = predicted(regions)["landings"][0]["rule"]
    assert rule["code"] == "address_kept"
    assert rule["sentence"].startswith("The recovery subnet has the same address space")
    assert rule["source"] == "Set up network mapping and IP addressing for VNets"


def test_text_and_markdown_begin_with_the_counts(regions: Cli) -> None:
    counts = "Failover of 5 machines: 1 keeps its address (=), 4 change it (~), 0 lose connectivity (!); 1 warning."
    for output in ("text", "markdown"):
        assert regions("predict", "-o", output).out.replace("\\", "").splitlines()[0] == counts


def test_markdown_is_a_table_with_the_notices_of_each_machine(regions: Cli) -> None:
    lines = regions("predict", "-o", "markdown").out.splitlines()
    assert "|  | Machine | From | To | Rule |" in lines
    [proxy] = [line for line in lines if "proxy1" in line]
    assert "<br>warning: 'AzureFirewallSubnet' is reserved" in proxy


def test_csv_has_a_header_and_a_row_for_each_address(regions: Cli) -> None:
    rows = list(csv.DictReader(io.StringIO(regions("predict", "-o", "csv").out)))
    assert [(row["machine"], row["ip"], row["rule"]) for row in rows[:2]] == [
        ("web1", "10.0.1.4", "address_kept"),
        ("web2", "10.0.1.6", "address_taken"),
    ]
    assert rows[4]["warnings"] == "'AzureFirewallSubnet' is reserved for an Azure service"
    assert rows[4]["sentence"].startswith("The recovery subnet has another address space")


# --- after a plan, and NICs -------------------------------------------------------------------------------------------


def retargeted(folder: Path) -> tuple[str, ...]:
    """Map hub to app-sea in the desired state, and predict new machines, which follow the mapping."""
    edit(folder, "dr/rg-network-sea/hub-sea", "dr/rg-network-sea/app-sea, failback: none")
    return ("predict", "--planned", "--machines", "new-machines.yaml")


def test_planned_shows_where_machines_land_now_and_once_the_plan_is_applied(regions: Cli, folder: Path) -> None:
    prediction = json.loads(regions(*retargeted(folder), "-o", "json").out)
    assert prediction["planned"] == {"changes": 1, "blocked": 0, "moved": 1, "left_alone": 0, "refused": []}
    web, lab = prediction["landings"]
    assert (web["now"]["network"], web["now"]["subnet"], web["now"]["ip"]) == ("hub-sea", "web", "10.0.1.6")
    assert (web["network"], web["subnet"], web["ip"]) == ("app-sea", "web", "10.101.1.4")
    assert (lab["network"], lab["now"]["network"]) == (None, None)


def test_planned_is_a_column_in_text_and_markdown_and_columns_in_csv(regions: Cli, folder: Path) -> None:
    command = retargeted(folder)
    text = regions(*command).out
    assert text.startswith("After apply (1 change; 1 address moves), failover of 2 machines")
    assert "hub-sea/web 10.0.1.6  app-sea/web 10.101.1.4" in text
    assert "the same" in text
    assert "| Lands now | Lands after apply |" in regions(*command, "-o", "markdown").out
    rows = list(csv.DictReader(io.StringIO(regions(*command, "-o", "csv").out)))
    assert [(row["now_network"], row["now_ip"], row["network"]) for row in rows] == [
        ("hub-sea", "10.0.1.6", "app-sea"),
        ("", "", ""),
    ]


@pytest.mark.parametrize("arguments", [("--follow",), ("--force", "failover_active")])
def test_options_about_a_plan_need_planned(regions: Cli, arguments: tuple[str, ...]) -> None:
    ran = regions("predict", *arguments)
    assert (ran.code, "hint: add --planned" in ran.err) == (1, True)


def test_planned_can_make_machines_follow_and_lift_holds(
    fake: Cli, folder: Path, example: Callable[[str], None]
) -> None:
    example("07-machines-follow")
    edit(folder, "machines: follow\n", "")
    moved = [
        predicted(fake, "--planned", *arguments)["planned"]["moved"]
        for arguments in ((), ("--follow",), ("--follow", "--force", "failover_active", "--pair", "shop"))
    ]
    assert moved == [0, 0, 16]


def test_planned_says_where_apply_would_refuse_the_plan(
    fake: Cli, folder: Path, example: Callable[[str], None]
) -> None:
    example("07-machines-follow")
    edit(folder, "machines: follow", "machines: follow\nlimits: {max_machines: 10}")
    asked = ("predict", "--planned", "--force", "failover_active", "--pair", "shop")
    text = fake(*asked).out
    assert "Apply would refuse this plan\n  vault sea: 15 machines to update, but max_machines is 10" in text
    assert "Apply would refuse" not in fake(*asked, "--force", "max_machines").out


def test_a_machine_that_is_protected_does_not_move_with_its_mapping(regions: Cli, folder: Path) -> None:
    retargeted(folder)
    assert predicted(regions, "--planned")["planned"] == {
        "changes": 1,
        "blocked": 0,
        "moved": 0,
        "left_alone": 0,
        "refused": [],
    }


def test_planned_needs_a_desired_state(folder: Path, regions: Cli) -> None:
    (folder / "asrnet.yaml").unlink()
    ran = regions("predict", "--planned", "--vault", SEA)
    assert (ran.code, "--planned needs a desired state" in ran.err) == (1, True)


INTERFACE = (
    "- {id: /subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-apps-ea/providers/Microsoft.Network"
    "/networkInterfaces/nic0, location: eastasia, network_security_group: /subscriptions/11111111-1111-1111-1111-"
    "111111111111/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/nsg-proxy, ip_configurations: "
    "[{network: /subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-network-ea/providers/"
    "Microsoft.Network/virtualNetworks/dmz-ea, subnet: proxy, ip: 10.2.1.4}]}"
)


def with_interface(folder: Path) -> None:
    """The NIC of proxy1 in the world, with a security group."""
    edit(folder, "vaults:\n", f"network_interfaces:\n{INTERFACE}\nvaults:\n", "world.yaml")


def test_nics_lists_what_is_left_behind_and_what_is_unknown(regions: Cli, folder: Path) -> None:
    with_interface(folder)
    prediction = predicted(regions, "--nics")
    kinds = {finding["message"].partition(" (")[0].split()[-1]: finding["kind"] for finding in prediction["findings"]}
    assert kinds["proxy1"] == "network_rules_left_behind"
    assert kinds["web1"] == "unknown"
    (proxy,) = [comparison for comparison in prediction["interfaces"] if comparison["machine"] == "proxy1"]
    assert proxy["left_behind"] == ["network security group nsg-proxy"]
    assert (proxy["today"]["primary_ip"], proxy["there"]["primary_ip"]) == ("10.2.1.4", "10.2.0.4")


def test_nics_are_a_table_in_text_and_columns_in_csv(regions: Cli, folder: Path) -> None:
    with_interface(folder)
    text = regions("predict", "--nics").out
    assert "proxy1   nic0  network security group  nsg-proxy  none" in text
    assert "Left behind (network_rules_left_behind)\n  proxy1 (nic0): network security group nsg-proxy" in text
    rows = list(csv.DictReader(io.StringIO(regions("predict", "--nics", "-o", "csv").out)))
    assert [
        (row["network_security_group_today"], row["left_behind"]) for row in rows if row["machine"] == "proxy1"
    ] == [("nsg-proxy", "network security group nsg-proxy")]


def test_a_dumped_world_compares_nics_as_azure_does(regions: Cli, cli: Cli, folder: Path) -> None:
    with_interface(folder)
    assert regions("dump", "--format", "world", "--nics", "--out", "yesterday.yaml").code == 0
    asked = ("predict", "--nics", "-o", "json")
    dumped = cli(*asked, "--backend", "fake:yesterday.yaml")
    assert json.loads(dumped.out)["findings"] == json.loads(regions(*asked).out)["findings"]


def test_resources_that_nics_leave_behind_fail_on_warning(regions: Cli, folder: Path) -> None:
    with_interface(folder)
    assert regions("predict", "web1", "--fail-on", "warning").code == 0
    assert regions("predict", "web1", "--nics", "--fail-on", "warning").code == 2


def test_network_interfaces_that_may_not_be_read_are_an_error(regions: Cli, folder: Path) -> None:
    edit(
        folder,
        "version: 1",
        "version: 1\nbehaviour: {denied: [Microsoft.Network/networkInterfaces/read]}",
        "world.yaml",
    )
    ran = regions("predict", "--nics", "-o", "json")
    assert (ran.code, "network interfaces of subscription 11111111" in ran.err) == (1, True)
    assert {finding["kind"] for finding in json.loads(ran.out)["findings"]} == {"unknown"}


@pytest.mark.parametrize("arguments", [("--failback",), ("--all-subnets",)])
def test_nics_need_protected_machines_before_they_fail_over(regions: Cli, arguments: tuple[str, ...]) -> None:
    assert regions("predict", "--nics", *arguments).code == 1


def test_one_run_writes_several_outputs_and_nothing_else(regions: Cli, folder: Path) -> None:
    before = snapshot(folder)
    assert regions("predict", "-o", "csv=p.csv", "-o", "json=p.json", "-o", "text").out.startswith("Failover of 5")
    written = snapshot(folder)
    assert json.loads(written.pop("p.json"))["format_version"] == "1.2"
    assert written.pop("p.csv").startswith(b"machine,nic,")
    assert written == before


def test_with_v_every_rule_and_every_id_is_printed(regions: Cli) -> None:
    out = regions("predict", "web1", "-v").out
    assert f"to {VNETS}/hub-sea" in out
    assert "subnet_same_name: The recovery network has a subnet of the same name" in out


def test_a_note_that_many_addresses_share_is_printed_once(regions: Cli) -> None:
    lines = regions("predict", "--test-failover").out.splitlines()
    said = [line for line in lines if "a separate network is recommended" in line]
    assert said == ["  5 addresses: The test uses the failover network; a separate network is recommended."]


def test_a_machine_with_several_addresses_is_printed_with_its_nics(regions: Cli, folder: Path) -> None:
    columns = "name,primary_network,subnet,ip,ip_type\n"
    (folder / "list.csv").write_text(columns + "a,hub-ea,web,10.0.1.7,\na,app-ea,web,10.1.1.7,\nb,hub-ea,web,,\n")
    out = regions("predict", "--machines", "list.csv").out
    assert out.startswith("Failover of 2 machines, 3 addresses: ")
    assert [" ".join(line.split()[1:4]) for line in out.splitlines()[4:6]] == [
        "a nic0 ipconfig1",
        "a nic1 ipconfig1",
    ]


def test_a_machine_whose_nics_are_not_shown_yet_is_named(regions: Cli, folder: Path) -> None:
    item = "  - {name: new1, fabric: asr-a2a-default-eastasia}\n"
    path = folder / "world.yaml"
    path.write_text(path.read_text() + item)
    assert "Machines without known NICs, as during initial replication\n  new1\n" in regions("predict").out
    rows = list(csv.DictReader(io.StringIO(regions("predict", "-o", "csv").out)))
    assert (rows[-1]["machine"], rows[-1]["outcome"]) == ("new1", "unknown")
    assert predicted(regions)["without_nics"] == ["new1"]


# --- questions --------------------------------------------------------------------------------------------------------


def test_only_the_named_machines_are_predicted(regions: Cli) -> None:
    assert addresses(predicted(regions, "WEB2", "app1")) == {"web2": "10.0.1.4", "app1": "10.101.1.4"}


def test_a_test_failover_uses_the_named_network(regions: Cli) -> None:
    prediction = predicted(regions, "web1", "app1", "--test-failover", "test-sea")
    assert prediction["test_network_id"] == f"{VNETS}/test-sea"
    assert addresses(prediction) == {"web1": "10.0.1.4", "app1": "10.0.1.254"}


@pytest.mark.parametrize("name", ["dr/rg-network-sea/test-sea", "rg-network-sea/test-sea", f"{VNETS}/TEST-SEA"])
def test_a_network_may_be_named_in_any_form(regions: Cli, name: str) -> None:
    assert predicted(regions, "--test-failover", name)["test_network_id"] == f"{VNETS}/test-sea"


def test_failback_predicts_the_primary_network(regions: Cli) -> None:
    prediction = predicted(regions, "--failback")
    assert prediction["operation"] == "failback"
    assert addresses(prediction)["web1"] == "10.0.1.4"


def test_only_the_machines_of_a_selected_pair_are_predicted(regions: Cli) -> None:
    assert set(addresses(predicted(regions, "--pair", "hub"))) == {"web1", "web2", "batch1"}


def test_the_pair_of_a_vmm_row_selects_its_machines_too(sites: Cli) -> None:
    assert set(addresses(predicted(sites, "--pair", "vm1"))) == {"VM-1"}


def test_all_subnets_covers_those_of_primary_networks(regions: Cli) -> None:
    landings = predicted(regions, "--all-subnets")["landings"]
    assert {(one["primary_network"], one["primary_subnet"], one["outcome"]) for one in landings} == {
        ("hub-ea", "web", "keeps_address"),
        ("hub-ea", "batch", "changes_address"),
        ("app-ea", "web", "changes_address"),
        ("dmz-ea", "proxy", "changes_address"),
        ("lab-ea", "default", "loses_connectivity"),
    }


def test_a_list_may_come_through_a_pipe(regions: Cli) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        pipe.write("[{name: web9, primary_network: hub-ea, subnet: web, ip: 10.0.1.9}]")
    try:
        [landing] = predicted(regions, "--machines", f"/dev/fd/{reading}")["landings"]
    finally:
        os.close(reading)
    assert (landing["machine"], landing["ip"]) == ("web9", "10.0.1.9")


def test_a_vault_given_by_its_id_needs_no_file(regions: Cli, folder: Path) -> None:
    with_file = predicted(regions)
    (folder / "asrnet.yaml").unlink()
    assert predicted(regions, "--vault", SEA) == with_file


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 0),
        (("--fail-on", "lost"), 0),
        (("--fail-on", "warning"), 2),
        (("--machines", "new-machines.yaml", "--fail-on", "lost"), 2),
        (("--machines", "new-machines.yaml"), 0),
        (("web1", "--fail-on", "warning"), 0),
    ],
)
def test_fail_on_decides_the_exit_code(regions: Cli, arguments: tuple[str, ...], code: int) -> None:
    assert regions("predict", *arguments).code == code


def test_hosts_that_can_take_a_replica_are_named_and_their_absence_is_a_warning(sites: Cli, folder: Path) -> None:
    topology = ("--topology", "vmm-topology.yaml")
    assert predicted(sites, "VM-1", *topology)["landings"][0]["hosts"] == ["shanghai-host1", "shanghai-host2"]
    path = folder / "vmm-topology.yaml"
    path.write_text(path.read_text().replace("networks: [VMNetwork1-Shanghai", "networks: [VMNetwork2-Shanghai"))
    ran = sites("predict", "VM-1", *topology, "--fail-on", "warning")
    assert (ran.code, "No host of the recovery cloud reaches the recovery network" in ran.out) == (2, True)


def test_the_topology_of_the_desired_state_is_used_and_an_option_replaces_it(sites: Cli, folder: Path) -> None:
    edit(folder, "# topology:", "topology:")
    assert predicted(sites, "VM-1")["landings"][0]["hosts"] == ["shanghai-host1", "shanghai-host2"]
    (folder / "other.yaml").write_text("fabrics: [{server: VMM-Shanghai, hosts: [{name: h, cloud: GoldCloud2}]}]\n")
    assert predicted(sites, "VM-1", "--topology", "other.yaml")["landings"][0]["hosts"] == ["h"]


# --- backends ---------------------------------------------------------------------------------------------------------


@contextmanager
def emulator(world: Path) -> Iterator[str]:
    app = App(world_file.load(world, clock=SystemClock()))
    with running(app, ServeOptions(port=0, tls_port=0, cache=str(world.parent / "certificates"))) as served:
        yield served.http


@pytest.mark.parametrize("name", ["03-vmm-two-sites", "05-predict-failover"])
@pytest.mark.parametrize("operation", [(), ("--test-failover",), ("--failback",)])
def test_the_real_sdk_gives_the_same_prediction(
    cli: Cli, example: Callable[[str], None], folder: Path, name: str, operation: tuple[str, ...]
) -> None:
    example(name)
    with emulator(folder / "world.yaml") as endpoint:
        azure = cli("predict", *operation, "-o", "json", "--endpoint", endpoint, "--credential", "emulator")
    fake = cli("predict", *operation, "-o", "json", "--backend", "fake:world.yaml")
    assert (azure.code, azure.err) == (0, "")
    assert azure.out == fake.out


@pytest.mark.parametrize("name", ["03-vmm-two-sites", "04-vmm-to-azure", "05-predict-failover"])
@pytest.mark.parametrize("with_file", [True, False])
def test_a_dumped_world_predicts_the_same_offline(
    cli: Cli, fake: Cli, example: Callable[[str], None], folder: Path, name: str, *, with_file: bool
) -> None:
    example(name)
    vault = json.loads(fake("show", "-o", "json").out)["vaults"][0]["id"]
    if not with_file:
        (folder / "asrnet.yaml").unlink()
    asked = () if with_file else ("--vault", vault)
    assert fake("dump", "--format", "world", "--out", "yesterday.yaml", *asked).code == 0
    for more in ((), ("--failback",), ("--all-subnets",)):
        now = fake("predict", "-o", "json", *asked, *more)
        assert cli("predict", "-o", "json", *asked, *more, "--backend", "fake:yesterday.yaml") == now


def test_a_world_dumped_with_a_topology_knows_hosts_and_logical_networks(sites: Cli, cli: Cli, folder: Path) -> None:
    shutil.copy(folder / "world-as-printed.yaml", folder / "world.yaml")
    edit(folder, "# topology:", "topology:")
    assert sites("dump", "--format", "world", "--out", "yesterday.yaml").code == 0
    edit(folder, "topology:", "# topology:")
    yesterday = ("--backend", "fake:yesterday.yaml")
    assert "2 pairs of clouds: 3 of 4" in cli("targets", *yesterday).out
    assert "shanghai-host1" in cli("predict", "VM-1", *yesterday).out


# --- what cannot be read ----------------------------------------------------------------------------------------------


def test_machines_that_may_not_be_read_are_an_error_and_the_others_are_printed(regions: Cli, folder: Path) -> None:
    edit(folder, "version: 1", f"version: 1\nbehaviour: {{denied: [{ITEMS}]}}", "world.yaml")
    ran = regions("predict")
    assert ran.code == 1
    assert ran.err.startswith("error: could not be read: the machines of vault sea: ")
    assert ran.out.startswith("Failover of 0 machines")
    assert regions("predict", "--all-subnets").code == 0


def test_one_vault_that_cannot_be_read_does_not_hide_the_other(regions: Cli, folder: Path) -> None:
    edit(folder, "  sea: dr/rg-dr/vault-sea", "  sea: dr/rg-dr/vault-sea\n  gone: dr/rg-dr/vault-gone")
    ran = regions("predict")
    assert (ran.code, "vault gone: " in ran.err) == (1, True)
    assert ran.out.startswith("Failover of 5 machines")
    targets = regions("targets", "-o", "json")
    assert (targets.code, [vault["vault"] for vault in json.loads(targets.out)["vaults"]]) == (1, ["sea"])


def test_servers_that_may_not_be_read_are_an_error(sites: Cli, folder: Path) -> None:
    edit(folder, "version: 1", f"version: 1\nbehaviour: {{denied: [{CONTAINERS}/read]}}", "world.yaml")
    for command in ("predict", "targets"):
        ran = sites(command)
        assert (ran.code, "could not be read: the VMM servers of vault sites: " in ran.err) == (1, True)


# --- targets ----------------------------------------------------------------------------------------------------------


def test_targets_are_listed_for_each_pair_of_clouds_with_the_reason(sites: Cli) -> None:
    targets = json.loads(sites("targets", "-o", "json").out)
    assert targets["format_version"] == "1.1"
    [vault] = targets["vaults"]
    assert vault["servers"] == ["VMM-Beijing", "VMM-Shanghai"]
    assert [(each["protected_cloud"], each["network"], each["reason"]) for each in vault["targets"]] == [
        ("GoldCloud1", "VMNetwork1-Shanghai", "logical_network_shared"),
        ("GoldCloud1", "VMNetwork2-Shanghai", "logical_network_shared"),
        ("SilverCloud1", "VMNetwork1-Shanghai", "logical_network_shared"),
        ("SilverCloud1", "VMNetwork2-Shanghai", "logical_network_not_shared"),
    ]


def test_targets_in_csv_and_markdown(sites: Cli) -> None:
    rows = list(csv.DictReader(io.StringIO(sites("targets", "-o", "csv").out)))
    assert [(row["vault"], row["network"], row["available"]) for row in rows[2:]] == [
        ("sites", "VMNetwork1-Shanghai", "true"),
        ("sites", "VMNetwork2-Shanghai", "false"),
    ]
    markdown = sites("targets", "-o", "markdown").out
    assert markdown.startswith("2 pairs of clouds: 3 of 4 target networks available.\n\n### GoldCloud1 (VMM-Beijing)")


@pytest.mark.parametrize("name", ["VMNetwork2-Shanghai", "vmm-shanghai/vmnetwork2-shanghai"])
def test_one_recovery_network_can_be_selected(sites: Cli, name: str) -> None:
    ran = sites("targets", "--recovery-network", name)
    assert ran.out.startswith("2 pairs of clouds: 1 of 2 target networks available.")


def test_only_clouds_that_use_the_primary_network_are_shown(sites: Cli, folder: Path) -> None:
    silver = "friendly_name: SilverCloud1, logical_networks: ["
    edit(folder, f"{silver}LogicalNetwork1-Beijing]", f"{silver}]", "world.yaml")
    out = sites("targets", "--primary-network", "VMNetwork1-Beijing").out
    assert out.startswith("1 pair of clouds for VMM-Beijing/VMNetwork1-Beijing: 2 of 2 target networks available.")
    assert "SilverCloud1" not in out
    gold = "friendly_name: GoldCloud1, logical_networks: ["
    edit(folder, f"{gold}LogicalNetwork1-Beijing]", f"{gold}]", "world.yaml")
    out = sites("targets", "--primary-network", "VMNetwork1-Beijing").out
    assert out == "No cloud that another cloud protects uses VMM-Beijing/VMNetwork1-Beijing.\n"


def test_every_network_is_a_target_where_logical_networks_are_not_known(sites: Cli, cli: Cli, folder: Path) -> None:
    with emulator(folder / "world-as-printed.yaml") as endpoint:
        azure = ("--endpoint", endpoint, "--credential", "emulator")
        alone = cli("targets", *azure)
        told = cli("targets", "--topology", "vmm-topology.yaml", *azure)
    assert "4 of 4 target networks available" in alone.out
    assert "the logical networks of GoldCloud2 are not known" in alone.out
    assert told.out == sites("targets").out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("04-vmm-to-azure", "No cloud is protected by another one with VM networks.\n"),
        ("05-predict-failover", "No vault has a VMM server.\n"),
    ],
)
def test_an_empty_list_of_targets_gives_the_reason(
    fake: Cli, example: Callable[[str], None], name: str, words: str
) -> None:
    example(name)
    ran = fake("targets")
    assert (ran.code, ran.out) == (0, words)


def test_the_display_name_of_a_region_is_accepted(regions: Cli) -> None:
    plain = predicted(regions, "--all-subnets")
    assert predicted(regions, "--all-subnets", "--to", "Southeast Asia") == plain


def test_machines_of_providers_without_rules_are_named_once_in_every_output(regions: Cli, folder: Path) -> None:
    edit(folder, "  - name: web1\n", "  - name: web1\n    provider: A2ACrossClusterMigration\n", "world.yaml")
    prediction = predicted(regions)
    assert prediction["out_of_scope"] == ["web1 (A2ACrossClusterMigration)"]
    assert all(landing["machine"] != "web1" for landing in prediction["landings"])
    assert regions("predict").out.count("web1 (A2ACrossClusterMigration)") == 1
    rows = list(csv.DictReader(io.StringIO(regions("predict", "-o", "csv").out)))
    assert [row["warnings"] for row in rows if row["machine"].startswith("web1")] == [
        "machines of this provider are not predicted"
    ]
    assert regions("predict", "--fail-on", "warning").code == 2


def test_without_machines_the_message_says_how_to_predict_some(fake: Cli) -> None:
    way = "no vault protects a machine; --all-subnets predicts one machine per subnet, --machines FILE those of a list"
    assert (fake("predict").code, fake("predict").err) == (0, f"{way}\n")
    assert f"hint: {way}\n" in fake("predict", "web1").err
