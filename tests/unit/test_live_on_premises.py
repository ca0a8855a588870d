"""Mappings of VM networks as live pairs, and as rows of a desired state whose plan is empty."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs
from states import SEA
from two_sites import TwoSites, vmm_row

from asrnet import desired
from asrnet.desired import DesiredState, VmmRow, VmNetworkName
from asrnet.export.desired import Dump, export_desired
from asrnet.fake.records import VmNetworkRecord
from asrnet.inventory import read as inventory
from asrnet.inventory.live_pairs import LivePair, live_pairs
from asrnet.model.azure import VirtualNetwork, VmNetwork
from asrnet.render import View, render

ONE = vmm_row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork1-Shanghai")


class MappedSites(TwoSites):
    """The two sites, with helpers for tests."""

    def map_sites(self, *, primary: str = "VMNetwork1-Beijing", recovery: str = "VMNetwork1-Shanghai") -> None:
        """A live pair."""
        self.map_one_way(primary, recovery)
        self.map_one_way(recovery, primary)

    def map_one_way(self, primary: str, recovery: str) -> None:
        ends = (self.nets[primary], self.nets[recovery])
        self.build.mapping(self.fabric_of(primary), ends[0], self.fabric_of(recovery), ends[1])

    def map_to_azure(self, primary: str) -> VirtualNetwork:
        network = self.network("dr", SEA)
        self.build.mapping(self.fabric_of(primary), self.nets[primary], None, network)
        return network

    def called(self, network: str, name: str) -> VmNetwork:
        """A VM network under another name."""
        renamed = structs.replace(self.nets[network], friendly_name=name)
        self.build.add(VmNetworkRecord(network=renamed))
        return renamed

    def live(self, *rows: VmmRow) -> list[LivePair]:
        wanted = self.rows(*rows)
        return list(live_pairs(inventory.read_inventory(wanted, self.backend), wanted).pairs)

    def dumped(self, *rows: VmmRow) -> Dump:
        wanted = self.rows(*rows)
        return export_desired(inventory.read_inventory(wanted, self.backend), wanted)


@pytest.fixture
def sites() -> MappedSites:
    return MappedSites()


def test_two_opposite_mappings_are_a_pair_with_the_names_people_use(sites: MappedSites) -> None:
    sites.map_sites()
    [pair] = sites.live()
    assert (pair.kind, pair.status, pair.pair) == ("vmm_to_vmm", "paired", None)
    assert (pair.primary_network, pair.primary_location) == ("VMNetwork1-Beijing", "VMM-Beijing")
    assert (pair.recovery_network, pair.recovery_location) == ("VMNetwork1-Shanghai", "VMM-Shanghai")


def test_a_declared_row_gives_the_pair_its_name_and_direction(sites: MappedSites) -> None:
    sites.map_sites()
    backwards = vmm_row("VMM-Shanghai/VMNetwork1-Shanghai", "VMM-Beijing/VMNetwork1-Beijing", name="back")
    [pair] = sites.live(backwards)
    assert (pair.pair, pair.primary_network) == ("back", "VMNetwork1-Shanghai")


def test_a_mapping_to_azure_is_single_and_names_its_target(sites: MappedSites) -> None:
    network = sites.map_to_azure("VMNetwork1-Beijing")
    row = structs.replace(ONE, name="to-azure", recovery=network.id)
    [pair] = sites.live(row)
    assert (pair.pair, pair.kind, pair.status) == ("to-azure", "vmm_to_azure", "single")
    assert (pair.recovery_network, pair.recovery_location) == ("dr", SEA)


def test_one_network_mapped_to_a_site_and_to_azure_is_two_rows_of_two_names(sites: MappedSites) -> None:
    sites.map_sites()
    network = sites.map_to_azure("VMNetwork1-Beijing")
    pairs = sites.live(ONE, structs.replace(ONE, name="to-azure", recovery=network.id))
    assert {pair.kind: pair.pair for pair in pairs} == {"vmm_to_vmm": "vm1", "vmm_to_azure": "to-azure"}


def test_a_row_about_a_network_that_is_not_there_names_nothing(sites: MappedSites) -> None:
    sites.map_sites()
    [pair] = sites.live(vmm_row("VMM-Beijing/gone", "VMM-Shanghai/VMNetwork1-Shanghai"))
    assert pair.pair is None


def test_lists_diagrams_and_plans_show_no_guids(sites: MappedSites) -> None:
    sites.map_sites()
    guid = sites.nets["VMNetwork1-Beijing"].id.name
    wanted = sites.rows(ONE)
    found = inventory.read_inventory(wanted, sites.backend)
    live = live_pairs(found, wanted)
    for document in (live, sites.plan(wanted)):
        for output in ("text", "markdown", "mermaid"):
            text = render(document, output, View(all_pairs=True))
            assert "VMNetwork1-Beijing" in text
            assert guid not in text
    assert "VMNetwork1-Beijing (VMM-Beijing)  <->  VMNetwork1-Shanghai (VMM-Shanghai)" in render(live, "text")


# --- dump -------------------------------------------------------------------------------------------------------------


def planned(sites: MappedSites, written: Dump, path: Path) -> tuple[DesiredState, int, list[str]]:
    """The written file, the number of changes in its plan, and pairs not in sync."""
    path.write_text(written.text(str(path.parent)), encoding="utf-8")
    state = desired.load_desired(path)
    plan = sites.plan(state)
    return state, len(plan.changes), [pair.name for pair in plan.pairs if pair.forward != "in_sync"]


def test_pairs_and_mappings_to_azure_become_rows_that_plan_empty(sites: MappedSites, tmp_path: Path) -> None:
    sites.map_sites()
    network = sites.map_to_azure("VMNetwork2-Beijing")
    state, changes, unruly = planned(sites, sites.dumped(), tmp_path / "asrnet.yaml")
    assert (changes, unruly) == (0, [])
    assert {(row.name, str(row.primary), str(row.recovery)) for row in state.vmm_pairs} == {
        ("VMNetwork1-Beijing", "VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork1-Shanghai"),
        ("VMNetwork2-Beijing", "VMM-Beijing/VMNetwork2-Beijing", str(network.id)),
    }


def test_existing_rows_keep_their_names(sites: MappedSites) -> None:
    sites.map_sites()
    assert [row.name for row in sites.dumped(ONE).desired.vmm_pairs] == ["vm1"]


@pytest.mark.parametrize("name", ["VMNetwork2-Beijing", "prod/web", " padded "])
def test_a_network_whose_name_is_unknown_is_written_as_its_resource(
    sites: MappedSites, tmp_path: Path, name: str
) -> None:
    renamed = sites.called("VMNetwork1-Beijing", name)
    sites.map_sites()
    state, changes, unruly = planned(sites, sites.dumped(), tmp_path / "asrnet.yaml")
    assert (changes, unruly) == (0, [])
    assert state.vmm_pairs[0].primary == VmNetworkName(server="VMM-Beijing", network=renamed.id.name)


def test_half_and_shared_pairs_cannot_be_rows_and_are_reported_as_left_out(sites: MappedSites) -> None:
    sites.map_sites()
    sites.map_one_way("VMNetwork2-Beijing", "VMNetwork1-Shanghai")
    written = sites.dumped()
    assert len(written.desired.vmm_pairs) == 1
    [line] = written.left_out
    assert line.startswith("mapping ")
    assert "VMNetwork2-Beijing to VMNetwork1-Shanghai: its recovery network fails back to another one" in line


def test_a_mapping_of_a_vm_network_that_is_gone_is_left_out(sites: MappedSites) -> None:
    sites.map_sites()
    gone = sites.nets["VMNetwork1-Shanghai"].id
    sites.world.state.vm_networks.remove(gone.parent.key, gone.key)
    written = sites.dumped()
    assert written.desired.vmm_pairs == ()
    assert f"the VM network {gone.name} does not exist" in written.left_out[0]


def test_mappings_of_servers_that_cannot_be_read_are_left_out(sites: MappedSites) -> None:
    sites.map_sites()
    denied = ("Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/read",)
    sites.world.behaviour = structs.replace(sites.world.behaviour, denied=denied)
    written = sites.dumped()
    assert written.desired.vmm_pairs == ()
    assert "the VMM servers could not be read" in written.left_out[0]


def test_the_path_of_the_topology_is_relative_to_the_file(
    sites: MappedSites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "topology.yaml").write_text("fabrics: [{server: VMM-Beijing}]\n", encoding="utf-8")
    sites.map_sites()
    wanted = structs.replace(sites.rows(), topology="topology.yaml")
    written = export_desired(inventory.read_inventory(wanted, sites.backend), wanted)
    assert "topology: topology.yaml\n" in written.text()
    assert "topology: ../topology.yaml\n" in written.text("dumps")
