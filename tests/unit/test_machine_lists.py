"""Lists of machines: what is accepted, and how each mistake is reported."""

from __future__ import annotations

from pathlib import Path

import pytest
from failover_worlds import BEIJING, SHANGHAI, prediction, subnet, vm_network, vnet

from asrnet.errors import DocumentError, InputError
from asrnet.failover import Machine, NetworkNames, Replica, parse_machines, read_entries
from asrnet.files.problems import separated
from asrnet.model.azure import Fabric

HUB = vnet("hub-ea", subnet("web", "10.0.1.0/24"), subnet("db", "10.0.2.0/24"))
APP = vnet("app-ea", subnet("app", "10.1.1.0/24"))
CORP = vm_network("corp")
CORP2 = vm_network("corp", fabric=SHANGHAI)
FABRICS = (
    Fabric(id=BEIJING, kind="vmm", friendly_name="VMM-Beijing"),
    Fabric(id=SHANGHAI, kind="vmm", friendly_name="VMM-Shanghai"),
)
NAMES = NetworkNames(
    [HUB, APP, CORP, CORP2], fabrics=FABRICS, subscriptions={"prod": "11111111-1111-1111-1111-111111111111"}
)
HEADER = "name,primary_network,subnet,ip,ip_type\n"


def from_csv(text: str) -> tuple[Machine, ...]:
    return parse_machines(text, NAMES, source="machines.csv", is_csv=True)


def from_yaml(text: str) -> tuple[Machine, ...]:
    return parse_machines(text, NAMES, source="machines.yaml")


def test_csv_yaml_and_json_say_the_same() -> None:
    row = {"name": "web1", "primary_network": "hub-ea", "subnet": "web", "ip": "10.0.1.4", "ip_type": "static"}
    as_csv = from_csv(HEADER + "web1,hub-ea,web,10.0.1.4,static\n")
    fields = ", ".join(f"{key}: {value}" for key, value in row.items())
    as_json = ", ".join(f'"{key}": "{value}"' for key, value in row.items())
    assert as_csv == from_yaml(f"- {{{fields}}}\n")
    assert as_csv == from_yaml(f"# a comment\n---\nversion: 1\nmachines:\n- {{{fields}}}\n")
    assert as_csv == from_yaml(f'{{"machines": [{{{as_json}}}]}}')
    assert as_csv == from_yaml(f"[{{{as_json}}}]")


def test_a_row_becomes_a_machine_with_a_nic() -> None:
    [machine] = from_csv(HEADER + "web1,hub-ea,WEB,10.0.1.4,dhcp\n")
    [nic] = machine.nics
    [configuration] = nic.ip_configurations
    assert (machine.name, nic.primary_network_id) == ("web1", HUB.id)
    assert (configuration.subnet, configuration.ip, configuration.ip_type) == ("web", "10.0.1.4", "Dynamic")


@pytest.mark.parametrize(
    "name",
    [
        "hub-ea",
        "HUB-EA",
        "rg/hub-ea",
        "prod/rg/hub-ea",
        "11111111-1111-1111-1111-111111111111/rg/hub-ea",
        str(HUB.id),
        str(HUB.id).lower(),
    ],
)
def test_a_virtual_network_is_found_by_any_of_its_names(name: str) -> None:
    assert NAMES.find(name) == HUB


@pytest.mark.parametrize("name", ["VMM-Beijing/corp", "vmm-beijing/CORP", "beijing/corp", str(CORP.id)])
def test_a_vm_network_is_found_by_server_and_name(name: str) -> None:
    assert NAMES.find(name) == CORP


def test_a_name_that_several_networks_have_is_an_error_that_lists_their_ids() -> None:
    with pytest.raises(InputError) as error:
        NAMES.find("corp")
    assert str(CORP.id) in error.value.message
    assert str(CORP2.id) in error.value.message


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("VMM-Bejing/corp", "VMM-Beijing/corp"),
        ("prod/rg/hub-ae", "prod/rg/hub-ea"),
        ("rg/ap-ea", "rg/app-ea"),
        (f"{APP.id}x", str(APP.id)),
        ("copr", "corp"),
    ],
)
def test_an_unknown_name_suggests_the_nearest_of_its_form(name: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"; did you mean '{nearest}'"):
        NAMES.find(name)


def test_rows_of_one_name_are_the_nics_of_one_machine() -> None:
    [machine] = from_csv(HEADER + "web1,hub-ea,web,10.0.1.4,\nWeb1,app-ea,app,10.1.1.4,\n")
    assert [nic.primary_network_id for nic in machine.nics] == [HUB.id, APP.id]
    assert [nic.name for nic in machine.nics] == ["nic0", "nic1"]


def test_rows_of_one_nic_are_its_addresses() -> None:
    text = "nic," + HEADER + "eth0,web1,hub-ea,web,10.0.1.4,\neth0,web1,hub-ea,web,10.0.1.5,\n"
    [machine] = from_csv(text)
    [nic] = machine.nics
    assert [(each.ip, each.primary) for each in nic.ip_configurations] == [("10.0.1.4", True), ("10.0.1.5", False)]


def test_columns_may_come_in_any_order_and_case_with_blank_lines_between() -> None:
    [machine] = from_csv("\ufeffIP,Name,Subnet,IP_Type,Primary_Network\n\n 10.0.1.4 , web1 ,,,hub-ea\n,,,,\n")
    [configuration] = machine.nics[0].ip_configurations
    assert (machine.name, configuration.subnet, configuration.ip) == ("web1", "web", "10.0.1.4")


def test_a_subnet_that_is_not_named_is_that_of_the_address_or_the_only_one() -> None:
    first, second = from_csv(HEADER + "db1,hub-ea,,10.0.2.9,\napp1,app-ea,,,\n")
    assert first.nics[0].ip_configurations[0].subnet == "db"
    assert second.nics[0].ip_configurations[0].subnet == "app"


def test_a_vm_network_without_subnets_accepts_any_subnet() -> None:
    first, second = from_csv(HEADER + "a,VMM-Beijing/corp,servers,192.168.1.4,\nb,VMM-Beijing/corp,,,\n")
    assert first.nics[0].ip_configurations[0].subnet == "servers"
    assert second.nics[0].ip_configurations[0].subnet is None


def test_a_subnet_without_ranges_accepts_any_address() -> None:
    bare = NetworkNames([vm_network("bare", subnet("servers"))])
    [machine] = parse_machines(HEADER + "a,bare,servers,192.168.1.4,\n", bare, source="m.csv", is_csv=True)
    assert machine.nics[0].ip_configurations[0].ip == "192.168.1.4"


REGIONS = NetworkNames([HUB, APP, CORP], fabrics=[Fabric(id=BEIJING, kind="azure", location="southeastasia"), *FABRICS])


def with_regions(*rows: str) -> tuple[Machine, ...]:
    text = "".join(f"{row}\n" for row in (f"{HEADER.strip()},recovery_region", *rows))
    return parse_machines(text, REGIONS, source="machines.csv", is_csv=True)


def test_the_region_that_a_machine_fails_over_to_is_an_optional_column() -> None:
    machines = with_regions("a,hub-ea,web,,,Southeast Asia", "b,hub-ea,web,,,")
    assert [machine.recovery_location for machine in machines] == ["southeastasia", None]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (["a,hub-ea,web,,,southeastasai"], "'southeastasai'; did you mean 'southeastasia'"),
        (["a,corp,,,,eastasia"], "recovery_region: 'corp' is a VM network, which is not mapped to a region"),
        (["a,hub-ea,web,,,eastasia", "a,app-ea,app,,,southeastasia"], "'a' has another recovery region"),
    ],
    ids=["unknown", "of a VM network", "two of one machine"],
)
def test_an_impossible_recovery_region_is_refused_at_its_line(rows: list[str], problem: str) -> None:
    with pytest.raises(DocumentError, match=problem) as error:
        with_regions(*rows)
    assert error.value.line == len(rows) + 1


def test_plan_and_replica_are_optional_columns() -> None:
    text = HEADER.strip() + ",recovery_plan,replica_network\na,VMM-Beijing/corp,,,,plan-a,disconnected\n"
    [machine] = from_csv(text + "b,VMM-Beijing/corp,,,,plan-a,VMM-Shanghai/corp\n")[:1]
    assert (machine.recovery_plan, machine.replicas) == ("plan-a", {"nic0": Replica(network_id=None)})
    assert from_csv(text + "b,VMM-Beijing/corp,,,,,VMM-Shanghai/corp\n")[1].replicas == {
        "nic0": Replica(network_id=CORP2.id)
    }


def test_an_address_of_ipv6_is_accepted_and_predicted_with_a_warning() -> None:
    machines = from_csv(HEADER + "six,hub-ea,web,fd00::4,\n")
    [landing] = prediction(machines, [HUB], []).landings
    assert [notice.code for notice in landing.notices] == ["ipv6_not_supported"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "machines.csv: the file is empty"),
        ("\n  \n", "machines.csv: the file is empty"),
        (HEADER, "machines.csv: the list has no machines"),
        ("name,subnet,ip,ip_type\n", "machines.csv:1: missing columns: primary_network"),
        ("name;primary_network;subnet;ip;ip_type\n", "machines.csv:1: missing columns: name, primary_network"),
        ("name,primary_network,sbnet,ip,ip_type\n", "machines.csv:1: missing columns: subnet; found name"),
        (HEADER.strip() + ",ram\n", "machines.csv:1: unknown column 'ram'"),
        (HEADER.strip() + ",recovery_pln\n", "unknown column 'recovery_pln'; did you mean 'recovery_plan'?"),
        (HEADER.strip() + ",ip\n", "machines.csv:1: the column 'ip' is given twice"),
        (HEADER + "web1,hub-ea\n", "machines.csv:2: found 2 cells, expected 5"),
        (HEADER + "web1,hub-ea,web,10.0.1.4,static,more\n", "machines.csv:2: found 6 cells, expected 5"),
        (HEADER + ",hub-ea,web,10.0.1.4,\n", "machines.csv:2: name: is empty"),
        (HEADER + "web1,,web,10.0.1.4,\n", "machines.csv:2: primary_network: is empty"),
        (
            HEADER + "web1,hub-ae,web,,\n",
            "machines.csv:2: primary_network: unknown network 'hub-ae'; did you mean 'hub-ea'?",
        ),
        (HEADER + "web1,corp,,,\n", "machines.csv:2: primary_network: several networks are called 'corp': /subscr"),
        (HEADER + "web1,hub-ea,wbe,,\n", "machines.csv:2: subnet: 'hub-ea' has no subnet 'wbe'; did you mean 'web'?"),
        (HEADER + "web1,hub-ea,,,\n", "machines.csv:2: subnet: is empty: name the subnet or give an address"),
        (HEADER + "web1,hub-ea,web,10.0.1,\n", "machines.csv:2: ip: '10.0.1' is not an address"),
        (HEADER + "web1,hub-ea,web,10.0.1.4/24,\n", "machines.csv:2: ip: '10.0.1.4/24' is not an address"),
        (HEADER + "web1,hub-ea,web,010.0.1.4,\n", "machines.csv:2: ip: '010.0.1.4' is not an address"),
        (
            HEADER + "web1,hub-ea,web,10.0.2.4,\n",
            "machines.csv:2: ip: 10.0.2.4 is outside the subnet 'web' (10.0.1.0/24)",
        ),
        (HEADER + "web1,hub-ea,,10.7.0.4,\n", "machines.csv:2: ip: 10.7.0.4 is in no subnet of 'hub-ea'"),
        (HEADER + "web1,hub-ea,web,,fixed\n", "machines.csv:2: ip_type: 'fixed' is not a type of address"),
        (
            HEADER + "a,hub-ea,web,,\nb,hub-ea,web,,\nA,hub-ea,web,,\n",
            "machines.csv:4: name: 'A' is given twice, first in line 2",
        ),
        (
            HEADER + "a,hub-ea,web,10.0.1.4,\nb,hub-ea,web,10.0.1.4,\n",
            "machines.csv:3: ip: 10.0.1.4 is already the address of 'a', in line 2",
        ),
        (HEADER + '"a\nb",hub-ea,web,10.0.1.4,\nc,hub-ea,web,1,\n', "machines.csv:4: ip: '1' is not an address"),
        (HEADER + 'a,hub-ea,web,"10.0.1.4,\n', "machines.csv:2: not valid CSV: unexpected end of data"),
        (
            HEADER.strip() + ",recovery_plan\na,hub-ea,web,10.0.1.4,,x\na,hub-ea,db,10.0.2.4,,y\n",
            "machines.csv:3: recovery_plan: 'a' has another",
        ),
        (
            HEADER.strip() + ",replica_network\na,hub-ea,web,,,nowhere\n",
            "machines.csv:2: replica_network: unknown network 'nowhere'",
        ),
        (
            HEADER.strip() + ",nic\na,hub-ea,web,10.0.1.4,,e0\na,app-ea,app,10.1.1.4,,e0\n",
            "machines.csv:3: primary_network: the NIC 'e0' is on 'hub-ea' in line 2",
        ),
    ],
)
def test_a_csv_list_that_cannot_be_used_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as error:
        from_csv(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "machines.yaml: the file is empty"),
        ("[]", "machines.yaml: the list has no machines"),
        ("machines: []", "machines.yaml: the list has no machines"),
        ("version: 2\nmachines: []", "machines.yaml:1: version: the list has version 2, expected 1"),
        ("- name: a\n  primary_network: hub-ea\n  subnt: web\n", "machines.yaml:3"),
        ("machines:\n- name: a\n  subnet: web\n", "machines.yaml:2"),
        (
            "- name: a\n  primary_network: hub-ea\n  ip: 10.0.1.400\n  subnet: web\n",
            "machines.yaml:3: [0].ip: '10.0.1.400' is",
        ),
        (
            "machines:\n- name: a\n  primary_network: hub-xx\n",
            "machines.yaml:3: machines[0].primary_network: unknown network",
        ),
        (
            "- {name: a, primary_network: hub-ea, subnet: web}\n- {name: a, primary_network: hub-ea, subnet: web}\n",
            "machines.yaml:2: [1].name: 'a' is given twice, first in line 1",
        ),
        (
            '{"machines": [\n{"name": "a", "primary_network": "hub-ea", "subnet": "gone"}]}',
            "machines.yaml:2: machines[0].subnet: 'hub-ea' has no subnet 'gone'",
        ),
    ],
)
def test_a_yaml_list_that_cannot_be_used_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as error:
        from_yaml(text)
    assert message in str(error.value)


def test_a_file_is_read_by_its_extension(tmp_path: Path) -> None:
    csv_file, yaml_file = tmp_path / "list.CSV", tmp_path / "list.yaml"
    csv_file.write_text(HEADER + "web1,hub-ea,web,10.0.1.4,\n")
    yaml_file.write_text("- {name: web1, primary_network: hub-ea, subnet: web, ip: 10.0.1.4}\n")
    for file in (csv_file, yaml_file):
        assert [(entry.row.name, entry.row.ip) for entry in read_entries(file)] == [("web1", "10.0.1.4")]


def test_a_file_that_is_missing_or_binary_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"none\.csv: the file does not exist"):
        read_entries(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"name,\xff\xfe\x00")
    with pytest.raises(DocumentError, match=r"binary\.csv:1: not a text file"):
        read_entries(tmp_path / "binary.csv")


def test_a_list_in_which_every_row_is_wrong_reports_no_more_than_a_thousand() -> None:
    with pytest.raises(DocumentError) as caught:
        from_csv(HEADER + "".join(f"web{number},no-such-network,,,\n" for number in range(1100)))
    assert len(separated(caught.value)) == 1000
