"""VMM topologies: resolving names, in a vault and in a file, and invalid files."""

from __future__ import annotations

import pytest
from topologies import (
    BEIJING,
    BEIJING1,
    CORRECTED,
    NETWORKS,
    SHANGHAI1,
    SHANGHAI2,
    available,
    declared,
    live,
    two_sites,
)

from asrnet.desired import VmNetworkName
from asrnet.errors import DocumentError, InputError
from asrnet.model.azure import VmNetwork
from asrnet.vmm import Topology, merge, parse_topology


def test_a_file_adds_links_to_what_the_vault_knows() -> None:
    topology = declared(CORRECTED)
    found = topology.network(VmNetworkName(server="vmm-shanghai", network="vmnetwork2-shanghai"))
    assert (found.network.id, found.network.logical_network) == (SHANGHAI2.id, "LogicalNetwork2Shanghai")
    assert available(topology, str(SHANGHAI2.id)) == {
        ("GoldCloud1", "GoldCloud2"): True,
        ("SilverCloud1", "SilverCloud2"): False,
    }


@pytest.mark.parametrize(
    "text", ["VMNetwork1-Shanghai", "VMM-Shanghai/VMNetwork1-Shanghai", "guid-VMNetwork1-Shanghai"]
)
def test_a_network_is_found_by_any_of_its_names(text: str) -> None:
    assert live().find_network(text).network.id == SHANGHAI1.id
    assert live().find_network(str(SHANGHAI1.id)).network.id == SHANGHAI1.id


@pytest.mark.parametrize(
    ("server", "network", "message"),
    [
        ("VMM-Bejing", "VMNetwork1-Beijing", "unknown VMM server 'VMM-Bejing'; did you mean 'VMM-Beijing'?"),
        ("VMM-Beijing", "VMNetwork1-Bejing", "VMM-Beijing has no VM network 'VMNetwork1-Bejing'; did you mean"),
    ],
)
def test_unknown_names_suggest_the_nearest(server: str, network: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        live().network(VmNetworkName(server=server, network=network))
    assert message in error.value.message


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("VMNetwork1-Bejing", "VMNetwork1-Beijing"),
        ("VMM-Bejing/VMNetwork1-Beijing", "VMM-Beijing/VMNetwork1-Beijing"),
    ],
)
def test_an_unknown_network_alone_suggests_the_nearest_as_it_was_written(text: str, nearest: str) -> None:
    with pytest.raises(InputError) as error:
        live().find_network(text)
    assert error.value.message == f"unknown VM network '{text}'; did you mean '{nearest}'?"


def test_an_ambiguous_name_lists_the_ids() -> None:
    twin = VmNetwork(id=BEIJING.child("replicationNetworks", "guid-twin"), friendly_name="VMNetwork1-Beijing")
    with pytest.raises(InputError) as error:
        live(*NETWORKS, twin).network(VmNetworkName(server="VMM-Beijing", network="VMNetwork1-Beijing"))
    assert str(twin.id) in error.value.message
    assert str(BEIJING1.id) in error.value.message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "server: VMM-Shanghai",
            "server: VMM-Shanghi",
            "topology.yaml:12: the vault has no VMM server 'VMM-Shanghi'; did",
        ),
        (
            "friendly_name: VMNetwork2-Beijing",
            "friendly_name: VMNetwork9-Beijing",
            "topology.yaml:6: VMM-Beijing has no VM network 'VMNetwork9-Beijing'; did you mean",
        ),
        (
            "{friendly_name: GoldCloud1}",
            "{friendly_name: GoldCluod1}",
            "topology.yaml:8: VMM-Beijing has no cloud 'GoldCluod1'; did you mean 'GoldCloud1'?",
        ),
        (
            "[{friendly_name: LogicalNetwork1-Beijing}]",
            "[{friendly_name: LogicalNetwork7-Beijing}]",
            "topology.yaml:7: VMM-Beijing has no logical network 'LogicalNetwork7-Beijing'",
        ),
        (
            "recovery: GoldCloud2",
            "recovery: GoldCloud3",
            "topology.yaml:10: VMM-Shanghai has no cloud 'GoldCloud3'; did you mean",
        ),
        (
            "primary: SilverCloud1",
            "primary: SilverCloud",
            "topology.yaml:11: VMM-Beijing has no cloud 'SilverCloud'; did you mean 'SilverCloud1'?",
        ),
        (
            "recovery_fabric: VMM-Shanghai, recovery: S",
            "recovery_fabric: VMM-Nanjing, recovery: S",
            "topology.yaml:11: unknown VMM server 'VMM-Nanjing'",
        ),
        (
            "logical_network: LogicalNetwork2Shanghai",
            "logical_network: LogicalNetwork2-Shanghai",
            "topology.yaml:15: unknown logical network 'LogicalNetwork2-Shanghai'; did you mean",
        ),
        (
            "logical_networks: [LogicalNetwork1-Beijing, LogicalNetwork1-Shanghai]",
            "logical_networks: [LogicalNetwork1]",
            "topology.yaml:19: unknown logical network 'LogicalNetwork1'",
        ),
        (
            "{friendly_name: VMNetwork1-Beijing,",
            "{friendly_name: VMNetwork1-Beijing, name: guid-gone,",
            "has no VM network 'VMNetwork1-Beijing' with the id 'guid-gone', but guid-VMNetwork1-Beijing",
        ),
        (
            "{friendly_name: GoldCloud1}",
            "{friendly_name: GoldCloud1, name: guid-gone}",
            "topology.yaml:8: VMM-Beijing has no cloud 'GoldCloud1' with the id 'guid-gone', but cloud-GoldCloud1",
        ),
        (
            "[{friendly_name: LogicalNetwork1-Beijing}]",
            "[{friendly_name: LogicalNetwork1-Beijing, name: guid-gone}]",
            "topology.yaml:7: VMM-Beijing has no logical network 'LogicalNetwork1-Beijing' with the id 'guid-gone'",
        ),
    ],
)
def test_a_topology_that_names_what_the_vault_does_not_have_is_refused(old: str, new: str, message: str) -> None:
    text = CORRECTED.replace(old, new)
    assert text != CORRECTED
    with pytest.raises(DocumentError) as error:
        declared(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "topology.yaml: the file is empty"),
        ("fabrics:\n- {kind: vmm}\n", "topology.yaml:2: fabrics[0]: the server is missing"),
        (
            "fabrics:\n- {server: a}\n- {server: A}\n",
            "topology.yaml:3: the VMM server 'A' is given twice, first in line 2",
        ),
        (
            "fabrics:\n- server: a\n  clouds:\n  - {friendly_name: c}\n  - {friendly_name: C}\n",
            "topology.yaml:5: the cloud 'C' is given twice, first in line 4",
        ),
        ("fabrics:\n- server: a\n  hosts: [{name: h, cloud: c}]\n", "topology.yaml:3: a has no cloud 'c'"),
        (
            "fabrics:\n- server: a\n  clouds: [{friendly_name: c}]\n  hosts: [{name: h, cloud: c, networks: [m]}]\n",
            "topology.yaml:4: unknown VM network 'm'",
        ),
        ("fabrics:\n- server: a\n  cluods: []\n", "topology.yaml:3"),
        (
            "fabrics:\n- server: a\n  networks:\n  - {friendly_name: n, subnets: [{name: s, prefixes: [10.0.0]}]}\n",
            "topology.yaml:4: '10.0.0' is not an address range",
        ),
        (
            "fabrics:\n- server: a\n  networks: [{friendly_name: n, subnets: [{name: s, used_ips: [10.0.0.300]}]}]\n",
            "topology.yaml:3: '10.0.0.300' is not an address",
        ),
        (
            "fabrics:\n- server: a\n  networks:\n  - {friendly_name: n, subnets: [{name: s, used: -1}]}\n",
            "topology.yaml:4: fabrics[0].networks[0].subnets[0].used: found '-1', expected a whole number >= 0",
        ),
        (
            "fabrics:\n- server: a\n  networks:\n  - {friendly_name: n, subnets: [{name: s}, {name: S}]}\n",
            "topology.yaml:4: the subnet 'S' is given twice",
        ),
        ("version: 2\nfabrics: []\n", "topology.yaml:1"),
    ],
)
def test_a_topology_that_cannot_be_used_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as error:
        two_sites(text)
    assert message in str(error.value)


def test_two_networks_of_one_name_are_told_apart_by_their_resource_names() -> None:
    twin = VmNetwork(id=BEIJING.child("replicationNetworks", "guid-twin"), friendly_name="VMNetwork1-Beijing")
    text = """\
fabrics:
- server: VMM-Beijing
  networks: [{friendly_name: VMNetwork1-Beijing, name: guid-twin, logical_network: LogicalNetwork1-Beijing}]
"""
    topology = merge(live(*NETWORKS, twin), parse_topology(text))
    linked = [network.id for network in topology.servers[0].networks if network.logical_network]
    assert linked == [twin.id]


def test_one_name_for_two_networks_is_refused_with_their_resource_names() -> None:
    twin = VmNetwork(id=BEIJING.child("replicationNetworks", "guid-twin"), friendly_name="VMNetwork1-Beijing")
    text = "fabrics:\n- server: VMM-Beijing\n  networks: [{friendly_name: VMNetwork1-Beijing}]\n"
    with pytest.raises(DocumentError) as error:
        merge(live(*NETWORKS, twin), parse_topology(text, "topology.yaml"))
    words = (
        "topology.yaml:3: VMM-Beijing has several VM networks 'VMNetwork1-Beijing': guid-VMNetwork1-Beijing, guid-twin"
    )
    assert words in str(error.value)


def test_azure_fabrics_in_a_topology_are_ignored() -> None:
    assert two_sites("fabrics:\n- {name: asr-a2a-default-eastus, kind: azure, location: eastus}\n") == Topology()
