"""VMM rows go through the same plan and apply as rows between regions."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from states import SEA, TwoRegions, kinds

from asrnet.desired import DesiredState, VmmRow, VmNetworkName
from asrnet.errors import InputError
from asrnet.models import Fabric, VmNetwork


class TwoSites(TwoRegions):
    """Beijing and Shanghai, a VMM server and two VM networks each."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.beijing, self.shanghai = (
            self.build.vmm_fabric(self.vault, f"VMM-{site}") for site in ("Beijing", "Shanghai")
        )
        self.nets: dict[str, VmNetwork] = {}
        for fabric, site in ((self.beijing, "Beijing"), (self.shanghai, "Shanghai")):
            for number in (1, 2):
                name = f"VMNetwork{number}-{site}"
                self.nets[name] = self.build.vm_network(fabric, name)

    def fabric_of(self, name: str) -> Fabric:
        """The VMM server of a network."""
        return self.beijing if name.endswith("Beijing") else self.shanghai

    def rows(self, *rows: VmmRow) -> DesiredState:
        """A desired state of VMM rows."""
        return structs.replace(self.state(), vmm_pairs=rows)


def vmm_row(primary: str, recovery: str, *, name: str = "vm1") -> VmmRow:
    near, far = primary.split("/"), recovery.split("/")
    return VmmRow(
        name=name,
        vault="sea",
        primary=VmNetworkName(server=near[0], network=near[1]),
        recovery=VmNetworkName(server=far[0], network=far[1]),
    )


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


def test_two_rows_about_one_vm_network_are_a_conflict() -> None:
    sites = TwoSites()
    other = vmm_row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork2-Shanghai", name="vm2")
    plan = sites.plan(sites.rows(ONE, other))
    assert plan.changes == ()
    assert kinds(plan).count("conflict") == 2


def test_a_target_that_no_protecting_cloud_can_reach_blocks_the_row() -> None:
    sites = TwoSites()
    gold1 = sites.build.cloud(sites.beijing, "GoldCloud1", logical_networks=["LogicalNetwork1-Beijing"])
    gold2 = sites.build.cloud(sites.shanghai, "GoldCloud2", logical_networks=[])
    sites.build.cloud_mapping(gold1, gold2)
    plan = sites.plan(sites.rows(ONE))
    # A vault alone does not tell which logical networks a cloud has, so nothing is filtered.
    assert len(plan.changes) == 2
    assert "target_not_available" not in kinds(plan)


def test_a_vmm_mapping_nobody_asks_for_is_named_as_people_know_it() -> None:
    sites = TwoSites()
    one, two = sites.nets["VMNetwork2-Beijing"], sites.nets["VMNetwork2-Shanghai"]
    sites.build.mapping(sites.beijing, one, sites.shanghai, two)
    plan = sites.plan(sites.rows(ONE))
    stray = next(finding for finding in plan.findings if finding.kind == "unmanaged")
    assert "VMNetwork2-Beijing to VMNetwork2-Shanghai" in stray.message
