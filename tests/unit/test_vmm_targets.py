"""Available target networks, hosts for replicas, and topologies that cannot work.

A row's id is the code of its rule; docs/failover-rules.md names these rows, and test_failover_rules_page checks that.
"""

from __future__ import annotations

import pytest
from failover_worlds import VAULT, address, item, machine, prediction
from topologies import (
    BEIJING1,
    BEIJING2,
    CLOUDS,
    CORRECTED,
    NETWORKS,
    SHANGHAI1,
    SHANGHAI2,
    TWO_SITES,
    available,
    declared,
    live,
    two_sites,
)

from asrnet.desired import VmmRow, VmNetworkName
from asrnet.failover import RULES, Operation, Replica
from asrnet.model import azure as models
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping, ProtectedItem, VmNetwork
from asrnet.vmm import (
    REASONS,
    Topology,
    check_machines,
    check_row,
    check_topology,
    eligible_hosts,
    failback_hosts,
    targets,
)

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
def test_targets_of_the_example_are_those_of_the_document(
    settings: str, network: str, *, gold: bool, silver: bool
) -> None:
    assert available(two_sites(settings), network) == {
        ("GoldCloud1", "GoldCloud2"): gold,
        ("SilverCloud1", "SilverCloud2"): silver,
    }


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
def test_machines_of_the_example_land_as_in_the_document(
    *, network: VmNetwork, operation: Operation, replica: Replica | None, lands_on: VmNetwork | None, rule: str
) -> None:
    one = machine("VM-1", network, address(None), replicas={"nic0": replica} if replica else {})
    [landing] = prediction([one], NETWORKS, MAPPINGS, operation).landings
    assert landing.network_id == (lands_on.id if lands_on else None)
    assert landing.network_rule is RULES[rule]


def test_when_the_mapping_of_the_replicas_network_changes_the_machine_uses_the_new_one() -> None:
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
def test_availability_follows_the_logical_networks(
    request: pytest.FixtureRequest, logical_networks: str, link: str, *, is_available: bool
) -> None:
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
    [finding] = check_row(two_sites(TWO_SITES), first)
    assert (finding.kind, finding.pair) == ("target_not_available", "vm1")
    assert "GoldCloud2 is not associated with LogicalNetwork2Shanghai" in finding.message


def test_a_row_whose_primary_no_source_cloud_uses_is_a_problem() -> None:
    text = CORRECTED.replace("Cloud1}", "Cloud1, logical_networks: []}")
    [finding] = check_row(two_sites(text), row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork1-Shanghai"))
    assert "GoldCloud1 does not use VMNetwork1-Beijing" in finding.message


def test_servers_without_a_pair_of_clouds_between_them_have_no_findings() -> None:
    assert check_row(two_sites(), row("VMM-Shanghai/VMNetwork2-Shanghai", "VMM-Beijing/VMNetwork1-Beijing")) == ()


def test_a_row_to_azure_is_not_judged() -> None:
    to_azure = VmmRow(name="v", vault="sea", primary=VmNetworkName(server="x", network="y"), recovery=VAULT)
    assert check_row(two_sites(), to_azure) == ()


def test_a_logical_network_without_vm_networks_is_a_problem() -> None:
    text = CORRECTED.replace(
        "[{friendly_name: LogicalNetwork1-B", "[{friendly_name: Spare}, {friendly_name: LogicalNetwork1-B"
    )
    assert check_topology(two_sites(), "sea") == ()
    [finding] = check_topology(two_sites(text), "sea")
    assert (finding.kind, finding.subject) == ("logical_network_without_networks", "Spare")


def test_a_vault_without_a_topology_has_no_findings() -> None:
    assert check_topology(live(), "sea") == ()
    assert all(target.available for target in targets(live()))


def test_a_protected_machine_on_a_network_without_a_logical_network_of_its_cloud_is_a_problem() -> None:
    text = TWO_SITES.replace("{friendly_name: GoldCloud1}", "{friendly_name: GoldCloud1, logical_networks: []}")
    topology = declared(text[: text.index("  cloud_mappings")])
    gold = protected(CLOUDS[0])
    [finding] = check_machines(topology, [gold, protected(CLOUDS[1])], "sea")
    assert (finding.kind, finding.subject) == ("network_without_logical_network", "vm-of-GoldCloud1")


def protected(of: models.Cloud) -> ProtectedItem:
    model = item(f"vm-of-{of.friendly_name}", BEIJING1, address(None))
    return ProtectedItem(
        id=of.id.child("replicationProtectedItems", "vm"), friendly_name=model.friendly_name, nics=model.nics
    )


def test_machines_between_regions_have_no_vmm_findings() -> None:
    model = item("azure-vm", BEIJING1, address(None))
    assert check_machines(live(), [ProtectedItem(id=model.id, friendly_name="azure-vm")], "sea") == ()


# --- placement --------------------------------------------------------------------------------------------------------

HOSTS = """\
  hosts:
  - {name: host1, cloud: GoldCloud2, networks: [VMNetwork1-Shanghai]}
  - {name: host2, cloud: GoldCloud2, networks: [VMNetwork2-Shanghai]}
  - {name: host3, cloud: SilverCloud2}
"""


def test_replicas_are_placed_on_hosts_of_a_protecting_cloud_that_reach_the_network() -> None:
    topology = declared(CORRECTED + HOSTS)
    assert eligible_hosts(topology, BEIJING1.id, SHANGHAI1.id) == ("host1", "host3")
    assert eligible_hosts(topology, BEIJING1.id, SHANGHAI2.id) == ("host2", "host3")


def test_hosts_of_clouds_that_protect_no_machine_of_the_network_do_not_count() -> None:
    text = CORRECTED.replace("{friendly_name: SilverCloud1}", "{friendly_name: SilverCloud1, logical_networks: []}")
    assert eligible_hosts(declared(text + HOSTS), BEIJING1.id, SHANGHAI1.id) == ("host1",)


def test_without_known_hosts_the_placement_is_unknown() -> None:
    assert eligible_hosts(declared(CORRECTED), BEIJING1.id, SHANGHAI1.id) is None
    assert eligible_hosts(declared(CORRECTED + HOSTS), BEIJING1.id, VAULT) is None


HOME_HOSTS = """\
  hosts:
  - {name: home1, cloud: GoldCloud1, networks: [VMNetwork1-Beijing]}
  - {name: home2, cloud: GoldCloud1, networks: [VMNetwork2-Beijing]}
  - {name: home3, cloud: SilverCloud1}
"""


def home_hosts() -> Topology:
    """Hosts on both sides; no machine of the two networks is in SilverCloud1."""
    text = CORRECTED.replace("{friendly_name: SilverCloud1}", "{friendly_name: SilverCloud1, logical_networks: []}")
    return declared(text.replace("- server: VMM-Shanghai", f"{HOME_HOSTS}- server: VMM-Shanghai") + HOSTS)


def test_a_machine_fails_back_to_hosts_of_a_protected_cloud_of_its_home() -> None:
    assert failback_hosts(home_hosts(), SHANGHAI1.id, BEIJING1.id) == ("home1",)
    assert failback_hosts(home_hosts(), None, BEIJING2.id) == ("home2",)
    assert failback_hosts(declared(CORRECTED + HOSTS), SHANGHAI1.id, BEIJING1.id) is None


@pytest.mark.parametrize(("operation", "hosts"), [("failover", ("host1",)), ("failback", ("home1",))])
def test_hosts_are_checked_on_the_side_that_failover_or_failback_leads_to(
    operation: Operation, hosts: tuple[str, ...]
) -> None:
    topology = home_hosts()

    def find(start: ArmId | None, target: ArmId, *, is_failback: bool) -> tuple[str, ...] | None:
        if is_failback:
            return failback_hosts(topology, start, target)
        return eligible_hosts(topology, start, target) if start else None

    one = machine("VM-1", BEIJING1, address(None))
    [landing] = prediction([one], NETWORKS, MAPPINGS, operation, eligible_hosts=find).landings
    assert landing.hosts == hosts


def test_a_row_whose_network_no_host_reaches_is_a_problem() -> None:
    only = HOSTS[: HOSTS.index("  - {name: host2")]
    [finding] = check_row(
        two_sites(CORRECTED + only), row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork2-Shanghai")
    )
    assert (finding.kind, finding.subject) == ("no_eligible_host", "VMM-Shanghai/VMNetwork2-Shanghai")
