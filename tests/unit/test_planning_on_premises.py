"""VMM rows go through the same plan and apply as rows between regions."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs
from states import SEA, kinds
from two_sites import TwoSites, vmm_row

from asrnet.desired import Match, Rule, Source
from asrnet.errors import DocumentError, InputError
from asrnet.model.azure import Nic

ONE = vmm_row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork1-Shanghai")


@pytest.mark.parametrize("operations", ["immediate", "time:2"])
def test_a_vmm_pair_is_mapped_both_ways_and_then_in_sync(operations: str) -> None:
    sites = TwoSites(operations=operations)
    desired = sites.rows(ONE)
    plan = sites.plan(desired)
    assert [(change.direction, change.name) for change in plan.changes] == [
        ("forward", "VMNetwork1-Beijing-to-VMNetwork1-Shanghai"),
        ("reverse", "VMNetwork1-Shanghai-to-VMNetwork1-Beijing"),
    ]
    assert sites.apply(plan).result == "succeeded"
    again = sites.plan(desired)
    assert (again.changes, again.summary.in_sync, kinds(again)) == ((), 2, ["retired_scenario"])


def test_a_vmm_network_mapped_to_azure_is_one_mapping() -> None:
    sites = TwoSites()
    dr = sites.network("dr", SEA)
    desired = sites.rows(structs.replace(ONE, recovery=dr.id))
    plan = sites.plan(desired)
    assert [change.direction for change in plan.changes] == ["forward"]
    assert sites.apply(plan).result == "succeeded"
    assert sites.plan(desired).summary.in_sync == 1


def test_a_vmm_retarget_goes_in_the_documented_order() -> None:
    sites = TwoSites()
    sites.apply(sites.plan(sites.rows(ONE)))
    moved = vmm_row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork2-Shanghai")
    plan = sites.plan(sites.rows(moved))
    assert [[step.action for step in change.steps] for change in plan.changes] == [["delete", "update", "create"]]
    assert sites.apply(plan).result == "succeeded"
    assert sites.plan(sites.rows(moved)).changes == ()


def test_one_server_may_manage_both_sites() -> None:
    sites = TwoSites()
    desired = sites.rows(vmm_row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Beijing/VMNetwork2-Beijing"))
    assert sites.apply(sites.plan(desired)).result == "succeeded"
    assert sites.plan(desired).summary.in_sync == 2


@pytest.mark.parametrize(
    ("primary", "complaint"),
    [
        ("VMM-Bejing/VMNetwork1-Beijing", "VMM-Beijing"),
        ("VMM-Beijing/VMNetwork1-Bejing", "VMNetwork1-Beijing"),
    ],
)
def test_a_name_that_the_vault_does_not_have_is_an_error_with_the_nearest(primary: str, complaint: str) -> None:
    sites = TwoSites()
    with pytest.raises(InputError, match=complaint):
        sites.plan(sites.rows(vmm_row(primary, "VMM-Shanghai/VMNetwork1-Shanghai")))


@pytest.mark.parametrize(
    ("primary", "recovery"),
    [
        ("VMM-Beijing/{VMNetwork1-Beijing}", "VMM-Shanghai/VMNetwork2-Shanghai"),
        ("VMM-Shanghai/{VMNetwork1-Shanghai}", "VMM-Beijing/VMNetwork2-Beijing"),
        ("VMM-Beijing/VMNetwork2-Beijing", "VMM-Shanghai/{VMNetwork1-Shanghai}"),
    ],
    ids=["forward", "in reverse", "both back"],
)
def test_two_rows_about_one_vm_network_are_refused_though_one_names_its_id(primary: str, recovery: str) -> None:
    sites = TwoSites()
    ids = {name: network.id.name for name, network in sites.nets.items()}
    other = vmm_row(primary.format(**ids), recovery.format(**ids), name="vm2")
    other = structs.replace(other, source=Source(file="asrnet.yaml", line=9))
    with pytest.raises(DocumentError, match=r"^asrnet\.yaml:9: pairs 'vm1' and 'vm2' both map VMM-\w+/VMNetwork1-"):
        sites.plan(sites.rows(ONE, other))


def test_one_vm_network_may_be_mapped_to_a_server_and_to_azure() -> None:
    sites = TwoSites()
    to_azure = structs.replace(ONE, name="vm2", recovery=sites.network("dr", SEA).id)
    assert len(sites.plan(sites.rows(ONE, to_azure)).changes) == 3


def test_a_vault_alone_does_not_tell_which_targets_are_available_and_blocks_no_row() -> None:
    sites = TwoSites()
    gold1 = sites.build.cloud(sites.beijing, "GoldCloud1", logical_networks=["LogicalNetwork1-Beijing"])
    gold2 = sites.build.cloud(sites.shanghai, "GoldCloud2", logical_networks=[])
    sites.build.cloud_mapping(gold1, gold2)
    plan = sites.plan(sites.rows(ONE))
    assert len(plan.changes) == 2
    assert "target_not_available" not in kinds(plan)


def test_an_undeclared_vmm_mapping_is_shown_by_its_friendly_names() -> None:
    sites = TwoSites()
    one, two = sites.nets["VMNetwork2-Beijing"], sites.nets["VMNetwork2-Shanghai"]
    sites.build.mapping(sites.beijing, one, sites.shanghai, two)
    plan = sites.plan(sites.rows(ONE))
    stray = next(finding for finding in plan.findings if finding.kind == "unmanaged")
    assert "VMNetwork2-Beijing to VMNetwork2-Shanghai" in stray.message


def test_a_vmm_mapping_without_a_row_is_unmanaged() -> None:
    sites = TwoSites()
    stray = sites.build.mapping(
        sites.beijing, sites.nets["VMNetwork2-Beijing"], sites.shanghai, sites.nets["VMNetwork2-Shanghai"]
    )
    rules = (Rule(name="all", vault="sea", match=Match(name="*")),)
    assert kinds(sites.plan(sites.state(rules=rules))) == ["rule_matches_nothing", "unmanaged"]
    plan = sites.plan(sites.state(rules=rules, unmanaged="delete"), allow_delete=True)
    assert [(change.action, change.resource_id) for change in plan.changes] == [("delete", stray.id)]


TOPOLOGY = """\
fabrics:
- server: VMM-Beijing
  networks: [{friendly_name: VMNetwork1-Beijing, logical_network: One}]
  logical_networks: [{friendly_name: One}, {friendly_name: Bare}]
  clouds: [{friendly_name: GoldCloud1, logical_networks: [One]}]
- server: VMM-Shanghai
  networks: [{friendly_name: VMNetwork1-Shanghai, logical_network: Two}]
  logical_networks: [{friendly_name: Two}]
  clouds: [{friendly_name: GoldCloud2, logical_networks: []}]
  hosts: [{name: host1, cloud: GoldCloud2, networks: []}]
"""


def test_a_topology_file_shows_what_leads_nowhere(tmp_path: Path) -> None:
    sites = TwoSites()
    gold1, gold2 = sites.build.cloud(sites.beijing, "GoldCloud1"), sites.build.cloud(sites.shanghai, "GoldCloud2")
    sites.build.cloud_mapping(gold1, gold2)
    stray = Nic(name="nic0", primary_network_id=sites.nets["VMNetwork2-Beijing"].id)
    sites.build.protected_item("VM-9", sites.beijing, sites.shanghai, stray, cloud=gold1)
    (tmp_path / "topology.yaml").write_text(TOPOLOGY, encoding="utf-8")
    plan = sites.plan(structs.replace(sites.rows(ONE), topology=str(tmp_path / "topology.yaml")))
    found = {str(finding.kind): finding for finding in plan.findings}
    assert set(found) == {
        *("target_not_available", "no_eligible_host", "network_without_logical_network"),
        *("logical_network_without_networks", "retired_scenario"),
    }
    assert (plan.changes, plan.summary.blocked) == ((), 2)
    assert found["target_not_available"].pair == found["no_eligible_host"].pair == "vm1"
    assert found["network_without_logical_network"].subject == "VM-9"
    assert found["logical_network_without_networks"].subject == "Bare"


def test_a_topology_that_names_something_missing_stops_the_plan_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "topology.yaml").write_text(TOPOLOGY, encoding="utf-8")
    sites = TwoSites()
    desired = structs.replace(sites.rows(ONE), topology=str(tmp_path / "topology.yaml"))
    with pytest.raises(DocumentError, match=r"topology\.yaml:5: VMM-Beijing has no cloud 'GoldCloud1'"):
        sites.plan(desired)


def test_a_hyper_v_machine_follows_its_mapping_to_azure() -> None:
    sites = TwoSites()
    old, new = sites.network("old", SEA), sites.network("new", SEA)
    cloud = sites.build.cloud(sites.beijing, "GoldCloud1")
    nic = structs.replace(sites.build.nic("nic0", sites.nets["VMNetwork1-Beijing"]), recovery_network_id=old.id)
    item = sites.build.protected_item(
        "vm1", sites.beijing, None, nic, cloud=cloud, provider="HyperVReplicaAzure", recovery_network_id=old.id
    )
    row = structs.replace(ONE, recovery=new.id)
    reported = sites.plan(sites.rows(row))
    assert "stale_protected_item" in kinds(reported)
    plan = sites.plan(sites.rows(structs.replace(row, machines="follow")))
    (change,) = [change for change in plan.changes if change.kind == "protected_item"]
    assert (change.resource_id, change.recovery_network_id, change.depends_on) == (
        item.id,
        new.id,
        ("sea:vm1:forward",),
    )
    elsewhere = structs.replace(row, primary=structs.replace(row.primary, network="VMNetwork2-Beijing"))
    assert "stale_protected_item" not in kinds(sites.plan(sites.rows(elsewhere)))
