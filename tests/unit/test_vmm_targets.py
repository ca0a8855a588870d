"""VMM topologies: which target networks are available to which clouds, where replicas can run, and what is wrong.

The two sites of Microsoft's example, Beijing and Shanghai, once with the logical networks as the document prints them
and once with what its own table of results needs.
"""

from __future__ import annotations

import pytest
from failover_worlds import VAULT, address, item, machine, prediction

from asrnet import models
from asrnet.desired import VmmRow, VmNetworkName
from asrnet.errors import DocumentError, InputError
from asrnet.failover import RULES, Operation, Replica
from asrnet.ids import ArmId
from asrnet.models import Fabric, NetworkMapping, ProtectedItem, VmNetwork
from asrnet.vmm import (
    REASONS,
    Topology,
    check_machines,
    check_row,
    check_topology,
    checked,
    eligible_hosts,
    merge,
    parse_topology,
    targets,
    topology_of_vault,
)

TWO_SITES = """\
version: 1
fabrics:
- server: VMM-Beijing
  networks:
  - {friendly_name: VMNetwork1-Beijing, logical_network: LogicalNetwork1-Beijing}
  - {friendly_name: VMNetwork2-Beijing, logical_network: LogicalNetwork1-Beijing}
  logical_networks: [{friendly_name: LogicalNetwork1-Beijing}]
  clouds: [{friendly_name: GoldCloud1}, {friendly_name: SilverCloud1}]
  cloud_mappings:
  - {primary: GoldCloud1, recovery_fabric: VMM-Shanghai, recovery: GoldCloud2}
  - {primary: SilverCloud1, recovery_fabric: VMM-Shanghai, recovery: SilverCloud2}
- server: VMM-Shanghai
  networks:
  - {friendly_name: VMNetwork1-Shanghai, logical_network: LogicalNetwork1-Shanghai}
  - {friendly_name: VMNetwork2-Shanghai, logical_network: LogicalNetwork2Shanghai}
  logical_networks: [{friendly_name: LogicalNetwork1-Shanghai}, {friendly_name: LogicalNetwork2Shanghai}]
  clouds:
  - {friendly_name: GoldCloud2, logical_networks: [LogicalNetwork1-Beijing, LogicalNetwork1-Shanghai]}
  - {friendly_name: SilverCloud2, logical_networks: [LogicalNetwork1-Beijing, LogicalNetwork1-Shanghai]}
"""
GOLD = "GoldCloud2, logical_networks: [LogicalNetwork1-Beijing, LogicalNetwork1-Shanghai"
CORRECTED = TWO_SITES.replace(GOLD, f"{GOLD}, LogicalNetwork2Shanghai")


def two_sites(text: str = CORRECTED) -> Topology:
    return checked(parse_topology(text, "topology.yaml"))


def available(topology: Topology, recovery: str, primary: str | None = None) -> dict[tuple[str, str], bool]:
    shown = targets(
        topology,
        primary=topology.find_network(primary) if primary else None,
        recovery=topology.find_network(recovery),
    )
    return {(each.protected_cloud, each.protecting_cloud): each.available for each in shown}


# --- the document's example -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "network", "gold", "silver"),
    [
        pytest.param(CORRECTED, "VMNetwork1-Shanghai", True, True, id="corrected-VMNetwork1-Shanghai"),
        pytest.param(CORRECTED, "VMNetwork2-Shanghai", True, False, id="corrected-VMNetwork2-Shanghai"),
        pytest.param(TWO_SITES, "VMNetwork1-Shanghai", True, True, id="as printed-VMNetwork1-Shanghai"),
        pytest.param(TWO_SITES, "VMNetwork2-Shanghai", False, False, id="as printed-VMNetwork2-Shanghai"),
    ],
)
def test_targets_of_the_example(settings: str, network: str, *, gold: bool, silver: bool) -> None:
    assert available(two_sites(settings), network) == {
        ("GoldCloud1", "GoldCloud2"): gold,
        ("SilverCloud1", "SilverCloud2"): silver,
    }


BEIJING, SHANGHAI = (VAULT.child("replicationFabrics", name) for name in ("f-beijing", "f-shanghai"))
FABRICS = (
    Fabric(id=BEIJING, kind="vmm", friendly_name="VMM-Beijing"),
    Fabric(id=SHANGHAI, kind="vmm", friendly_name="VMM-Shanghai"),
)


def live_network(fabric: ArmId, name: str) -> VmNetwork:
    return VmNetwork(id=fabric.child("replicationNetworks", f"guid-{name}"), friendly_name=name)


BEIJING1, BEIJING2 = (live_network(BEIJING, f"VMNetwork{n}-Beijing") for n in (1, 2))
SHANGHAI1, SHANGHAI2 = (live_network(SHANGHAI, f"VMNetwork{n}-Shanghai") for n in (1, 2))
NETWORKS = (BEIJING1, BEIJING2, SHANGHAI1, SHANGHAI2)


def paired(primary: VmNetwork, recovery: VmNetwork) -> NetworkMapping:
    return NetworkMapping(
        id=primary.id.child("replicationNetworkMappings", "map"),
        kind="vmm_to_vmm",
        primary_network_id=primary.id,
        recovery_network_id=recovery.id,
        recovery_fabric_id=recovery.fabric_id,
    )


MAPPINGS = [paired(BEIJING1, SHANGHAI1), paired(SHANGHAI1, BEIJING1)]


@pytest.mark.parametrize(
    ("network", "operation", "replica", "lands_on", "rule"),
    [
        (BEIJING1, "failover", None, SHANGHAI1, "vmm_mapped"),
        (BEIJING2, "failover", None, None, "vmm_unmapped"),
        (SHANGHAI1, "failover", None, BEIJING1, "vmm_mapped"),
        (SHANGHAI2, "failover", None, None, "vmm_unmapped"),
        (BEIJING1, "failback", None, BEIJING1, "failback_unchanged"),
        (BEIJING1, "failback", Replica(network_id=None), None, "failback_disconnected"),
        (BEIJING1, "failback", Replica(network_id=SHANGHAI2.id), None, "failback_unmapped"),
    ],
)
def test_machines_of_the_example_land(
    *, network: VmNetwork, operation: Operation, replica: Replica | None, lands_on: VmNetwork | None, rule: str
) -> None:
    one = machine("VM-1", network, address(None), replicas={"nic0": replica} if replica else {})
    [landing] = prediction([one], NETWORKS, MAPPINGS, operation).landings
    assert landing.network_id == (lands_on.id if lands_on else None)
    assert landing.network_rule is RULES[rule]


def test_when_the_mapping_of_the_replicas_network_changes_the_machine_follows() -> None:
    changed = [paired(BEIJING1, SHANGHAI1), paired(SHANGHAI1, BEIJING2)]
    [landing] = prediction([machine("VM-1", BEIJING1, address(None))], NETWORKS, changed, "failback").landings
    assert (landing.network, landing.network_rule) == ("VMNetwork2-Beijing", RULES["failback_remapped"])


# --- availability -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logical_networks", "link", "is_available"),
    [
        pytest.param(", logical_networks: [One]", ", logical_network: one", True, id="logical_network_shared"),
        pytest.param("", ", logical_network: One", True, id="logical_networks_unknown"),
        pytest.param(", logical_networks: [Two]", ", logical_network: One", False, id="logical_network_not_shared"),
        pytest.param(", logical_networks: []", ", logical_network: One", False, id="logical_network_not_shared-none"),
        pytest.param(", logical_networks: [Two]", "", False, id="no_logical_network"),
        pytest.param("", "", True, id="logical_networks_unknown-no_link"),
    ],
)
def test_availability(request: pytest.FixtureRequest, logical_networks: str, link: str, *, is_available: bool) -> None:
    topology = two_sites(f"""\
fabrics:
- server: one
  clouds: [{{friendly_name: A}}]
  cloud_mappings: [{{primary: A, recovery_fabric: two, recovery: B}}]
- server: two
  networks: [{{friendly_name: N{link}}}]
  clouds: [{{friendly_name: B{logical_networks}}}]
""")
    [target] = targets(topology)
    code = request.node.callspec.id.partition("-")[0]
    assert (target.reason, target.available) == (code, is_available)
    assert code in REASONS


def test_only_source_clouds_that_use_the_primary_network_are_shown() -> None:
    text = CORRECTED.replace("{friendly_name: GoldCloud1}", "{friendly_name: GoldCloud1, logical_networks: []}")
    shown = available(two_sites(text), "VMNetwork1-Shanghai", primary="VMNetwork1-Beijing")
    assert list(shown) == [("SilverCloud1", "SilverCloud2")]


def test_a_network_is_no_target_of_itself_where_one_server_manages_both_sites() -> None:
    topology = two_sites("""\
fabrics:
- server: both
  networks: [{friendly_name: Site1}, {friendly_name: Site2}]
  clouds: [{friendly_name: A}, {friendly_name: B}]
  cloud_mappings: [{primary: A, recovery: B}]
""")
    shown = targets(topology, primary=topology.find_network("Site1"))
    assert [(each.network, each.available) for each in shown] == [("Site2", True)]


def test_clouds_that_azure_protects_have_no_target_networks() -> None:
    topology = two_sites("""\
fabrics:
- server: one
  networks: [{friendly_name: N}]
  clouds: [{friendly_name: A}, {friendly_name: B}]
  cloud_mappings: [{primary: A}, {primary: B, recovery_fabric: Microsoft Azure}]
""")
    assert targets(topology) == ()


# --- rows, machines, logical networks ---------------------------------------------------------------------------------


def row(primary: str, recovery: str) -> VmmRow:
    here, there = (VmNetworkName(server=text.split("/")[0], network=text.split("/")[1]) for text in (primary, recovery))
    return VmmRow(name="vm1", vault="sea", primary=here, recovery=there)


def test_a_row_whose_target_no_pair_of_clouds_has_is_a_problem() -> None:
    first = row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork2-Shanghai")
    assert check_row(two_sites(), first) == ()
    [problem] = check_row(two_sites(TWO_SITES), first)
    assert (problem.kind, problem.row) == ("target_not_available", "vm1")
    assert "GoldCloud2 is not associated with LogicalNetwork2Shanghai" in problem.message


def test_a_row_whose_primary_no_source_cloud_uses_is_a_problem() -> None:
    text = CORRECTED.replace("Cloud1}", "Cloud1, logical_networks: []}")
    [problem] = check_row(two_sites(text), row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork1-Shanghai"))
    assert "GoldCloud1 does not use VMNetwork1-Beijing" in problem.message


def test_without_any_pair_of_clouds_between_the_servers_nothing_is_judged() -> None:
    assert check_row(two_sites(), row("VMM-Shanghai/VMNetwork2-Shanghai", "VMM-Beijing/VMNetwork1-Beijing")) == ()


def test_a_row_to_azure_is_not_judged() -> None:
    to_azure = VmmRow(name="v", vault="sea", primary=VmNetworkName(server="x", network="y"), recovery=VAULT)
    assert check_row(two_sites(), to_azure) == ()


def test_a_logical_network_without_vm_networks_is_a_problem() -> None:
    text = CORRECTED.replace(
        "[{friendly_name: LogicalNetwork1-B", "[{friendly_name: Spare}, {friendly_name: LogicalNetwork1-B"
    )
    assert check_topology(two_sites()) == ()
    [problem] = check_topology(two_sites(text))
    assert (problem.kind, problem.subject) == ("logical_network_without_networks", "Spare")


def test_a_vault_alone_says_nothing_of_links_and_gives_no_problems() -> None:
    assert check_topology(live()) == ()
    assert all(target.available for target in targets(live()))


def cloud(fabric: ArmId, name: str) -> models.Cloud:
    return models.Cloud(id=fabric.child("replicationProtectionContainers", f"cloud-{name}"), friendly_name=name)


CLOUDS = [
    cloud(BEIJING, "GoldCloud1"),
    cloud(BEIJING, "SilverCloud1"),
    cloud(SHANGHAI, "GoldCloud2"),
    cloud(SHANGHAI, "SilverCloud2"),
]


def live(*networks: VmNetwork) -> Topology:
    protections = [
        models.CloudMapping(
            id=primary.id.child("replicationProtectionContainerMappings", "m"),
            primary_cloud_id=primary.id,
            recovery_cloud_id=recovery.id,
        )
        for primary, recovery in zip(CLOUDS[:2], CLOUDS[2:], strict=True)
    ]
    logical = [
        models.LogicalNetwork(id=fabric.child("replicationLogicalNetworks", name), friendly_name=name)
        for fabric, name in (
            (BEIJING, "LogicalNetwork1-Beijing"),
            (SHANGHAI, "LogicalNetwork1-Shanghai"),
            (SHANGHAI, "LogicalNetwork2Shanghai"),
        )
    ]
    return topology_of_vault(
        FABRICS,
        networks=networks or NETWORKS,
        logical_networks=logical,
        clouds=CLOUDS,
        cloud_mappings=protections,
    )


def declared(text: str) -> Topology:
    return merge(live(), parse_topology(text, "topology.yaml"))


def test_a_protected_machine_on_a_network_without_a_logical_network_of_its_cloud_is_a_problem() -> None:
    text = TWO_SITES.replace("{friendly_name: GoldCloud1}", "{friendly_name: GoldCloud1, logical_networks: []}")
    topology = declared(text[: text.index("  cloud_mappings")])
    gold = protected(CLOUDS[0])
    [problem] = check_machines(topology, [gold, protected(CLOUDS[1])])
    assert (problem.kind, problem.subject) == ("network_without_logical_network", "vm-of-GoldCloud1")


def protected(of: models.Cloud) -> ProtectedItem:
    model = item(f"vm-of-{of.friendly_name}", BEIJING1, address(None))
    return ProtectedItem(
        id=of.id.child("replicationProtectedItems", "vm"), friendly_name=model.friendly_name, nics=model.nics
    )


def test_machines_between_regions_are_none_of_vmms_business() -> None:
    model = item("azure-vm", BEIJING1, address(None))
    assert check_machines(live(), [ProtectedItem(id=model.id, friendly_name="azure-vm")]) == ()


# --- placement --------------------------------------------------------------------------------------------------------

HOSTS = """\
  hosts:
  - {name: host1, cloud: GoldCloud2, networks: [VMNetwork1-Shanghai]}
  - {name: host2, cloud: GoldCloud2, networks: [VMNetwork2-Shanghai]}
  - {name: host3, cloud: SilverCloud2}
"""


def test_replicas_go_to_hosts_of_a_protecting_cloud_that_reach_the_network() -> None:
    topology = declared(CORRECTED + HOSTS)
    assert eligible_hosts(topology, BEIJING1.id, SHANGHAI1.id) == ("host1", "host3")
    assert eligible_hosts(topology, BEIJING1.id, SHANGHAI2.id) == ("host2", "host3")


def test_hosts_of_clouds_that_protect_no_machine_of_the_network_do_not_count() -> None:
    text = CORRECTED.replace("{friendly_name: SilverCloud1}", "{friendly_name: SilverCloud1, logical_networks: []}")
    assert eligible_hosts(declared(text + HOSTS), BEIJING1.id, SHANGHAI1.id) == ("host1",)


def test_without_known_hosts_placement_is_not_known() -> None:
    assert eligible_hosts(declared(CORRECTED), BEIJING1.id, SHANGHAI1.id) is None
    assert eligible_hosts(declared(CORRECTED + HOSTS), BEIJING1.id, VAULT) is None


def test_a_row_whose_network_no_host_reaches_is_a_problem() -> None:
    only = HOSTS[: HOSTS.index("  - {name: host2")]
    [problem] = check_row(
        two_sites(CORRECTED + only), row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork2-Shanghai")
    )
    assert (problem.kind, problem.subject) == ("no_eligible_host", "VMM-Shanghai/VMNetwork2-Shanghai")


# --- names ------------------------------------------------------------------------------------------------------------


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


def test_fabrics_of_azure_beside_the_servers_mean_nothing() -> None:
    assert two_sites("fabrics:\n- {name: asr-a2a-default-eastus, kind: azure, location: eastus}\n") == Topology()
