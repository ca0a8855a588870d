"""VMM servers in the inventory: read if there are any, named, and completed by files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from msgspec import structs
from two_sites import TwoSites

from asrnet import backends, settings
from asrnet.desired import DesiredState, Selection, Vault
from asrnet.errors import DocumentError, ForbiddenError, UnreachableError
from asrnet.fake import world_file
from asrnet.fake.records import Host, VmNetworkRecord
from asrnet.fake.snapshot import world_of
from asrnet.fake.world import World
from asrnet.inventory import read as inventory
from asrnet.inventory.read import Unknown, VaultInventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import Nic, ProtectedItem, VmmHost
from asrnet.ports import Backend
from asrnet.vmm import Topology

TOPOLOGY = """\
fabrics:
- server: VMM-Beijing
  networks: [{friendly_name: VMNetwork1-Beijing, logical_network: One}]
- server: VMM-Shanghai
  hosts: [{name: host1, cloud: GoldCloud2, networks: [VMNetwork1-Shanghai]}]
"""


class Clouds(TwoSites):
    """The two sites with a cloud each, one protected by the other, and the logical networks of one."""

    def __init__(self) -> None:
        super().__init__()
        self.gold1 = self.build.cloud(self.beijing, "GoldCloud1")
        self.gold2 = self.build.cloud(self.shanghai, "GoldCloud2", logical_networks=["LogicalNetwork1-Shanghai"])
        self.build.cloud_mapping(self.gold1, self.gold2)
        network = self.nets["VMNetwork1-Shanghai"]
        self.build.add(VmNetworkRecord(network=network, logical_network="LogicalNetwork1-Shanghai"))
        self.build.add(Host(fabric_id=self.shanghai.id, host=VmmHost(name="host1", cloud="GoldCloud2")))

    def machine(self, network: str) -> ProtectedItem:
        nic = Nic(name="nic0", primary_network_id=self.nets[network].id)
        return self.build.protected_item("VM-1", self.beijing, self.shanghai, nic, cloud=self.gold1)

    def read(self, backend: Backend | None = None, **fields: object) -> VaultInventory:
        desired = structs.replace(self.state(), **fields)
        return inventory.read_inventory(desired, backend or self.backend).vaults["sea"]


def opened(world: World, path: Path) -> Backend:
    """The world as ``--backend fake:PATH`` opens it."""
    world_file.save(world, path)
    return backends.connect(settings.read({"backend": f"fake:{path}"}, {}))


@pytest.fixture
def sites() -> Clouds:
    return Clouds()


def topology_of(vault: VaultInventory) -> Topology:
    assert isinstance(vault.topology, Topology)
    return vault.topology


def test_vmm_servers_are_read_whether_or_not_a_row_is_about_them(sites: Clouds) -> None:
    servers = topology_of(sites.read()).servers
    assert [server.name for server in servers] == ["VMM-Beijing", "VMM-Shanghai"]
    assert [network.name for network in servers[0].networks] == ["VMNetwork1-Beijing", "VMNetwork2-Beijing"]


def test_the_list_of_vmm_servers_is_not_read_for_a_vault_without_them() -> None:
    regions = TwoSites()
    for fabric in (regions.beijing, regions.shanghai):
        regions.world.fabrics.purge(fabric.id)
    before = regions.world.journal.methods()["GET"]
    inventory.read_inventory(regions.state(), regions.backend)
    assert regions.world.journal.methods()["GET"] - before == 5


def test_a_machine_gets_the_id_of_the_vm_network_that_site_recovery_only_names(sites: Clouds) -> None:
    sites.machine("VMNetwork2-Beijing")
    (told,) = sites.backend.mappings.protected_items(sites.vault.id)
    assert (told.nics[0].primary_network_id, told.nics[0].primary_network) == (None, "VMNetwork2-Beijing")
    items = sites.read().items
    assert not isinstance(items, Unknown)
    assert items[0].nics[0].primary_network_id == sites.nets["VMNetwork2-Beijing"].id


def test_a_name_that_two_networks_of_a_server_share_identifies_neither(sites: Clouds) -> None:
    sites.machine("VMNetwork2-Beijing")
    twin = structs.replace(sites.nets["VMNetwork1-Beijing"], friendly_name="vmnetwork2-beijing")
    sites.build.add(VmNetworkRecord(network=twin))
    items = sites.read().items
    assert not isinstance(items, Unknown)
    assert items[0].nics[0].primary_network_id is None


class NoAnswer:
    """A VMM reader that reaches no server."""

    def __getattr__(self, name: str) -> Callable[[ArmId], NoReturn]:
        return self._fail

    def _fail(self, _scope: ArmId) -> NoReturn:
        raise UnreachableError("no answer")


def test_servers_that_do_not_answer_are_unknown_and_stop_nothing_else(sites: Clouds) -> None:
    vault = sites.read(structs.replace(sites.backend, vmm=NoAnswer()))
    assert isinstance(vault.topology, Unknown)
    assert isinstance(vault.topology.error, UnreachableError)
    assert len(vault.fabrics) == 4


def test_servers_that_may_not_be_read_are_unknown_and_stop_nothing_else(sites: Clouds) -> None:
    denied = ("Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/read",)
    sites.world.behaviour = structs.replace(sites.world.behaviour, denied=denied)
    vault = sites.read()
    assert isinstance(vault.topology, Unknown)
    assert isinstance(vault.topology.error, ForbiddenError)
    assert len(vault.fabrics) == 4
    snapshot = inventory.read_inventory(sites.state(), sites.backend)
    assert any(line.startswith("the VMM servers of vault sea: ") for line in snapshot.unread("servers"))


def test_logical_networks_and_hosts_come_from_the_file_of_a_world_and_not_from_azure(
    sites: Clouds, tmp_path: Path
) -> None:
    told, silent = topology_of(sites.read(opened(sites.world, tmp_path / "world.yaml"))), topology_of(sites.read())
    assert silent.servers[1].clouds[0].logical_networks is None
    assert silent.servers[1].hosts == ()
    assert told.servers[1].clouds[0].logical_networks == ("LogicalNetwork1-Shanghai",)
    assert told.servers[1].networks[0].logical_network == "LogicalNetwork1-Shanghai"
    assert [(host.name, host.networks) for host in told.servers[1].hosts] == [("host1", None)]


def test_a_topology_file_adds_to_what_the_world_says(sites: Clouds, tmp_path: Path) -> None:
    (tmp_path / "topology.yaml").write_text(TOPOLOGY, encoding="utf-8")
    desired = str(tmp_path / "topology.yaml")
    beijing, shanghai = topology_of(sites.read(opened(sites.world, tmp_path / "world.yaml"), topology=desired)).servers
    assert beijing.networks[0].logical_network == "One"
    assert shanghai.networks[0].logical_network == "LogicalNetwork1-Shanghai"
    assert shanghai.hosts[0].networks == ("VMNetwork1-Shanghai",)


def test_values_that_a_file_leaves_out_stay_as_in_the_world(sites: Clouds, tmp_path: Path) -> None:
    text = """\
fabrics:
- server: VMM-Beijing
  cloud_mappings: [{primary: GoldCloud1, recovery_fabric: VMM-Shanghai, recovery: GoldCloud2}]
- server: VMM-Shanghai
  networks: [{friendly_name: VMNetwork1-Shanghai}]
  clouds: [{friendly_name: GoldCloud2}]
"""
    (tmp_path / "topology.yaml").write_text(text, encoding="utf-8")
    backend = opened(sites.world, tmp_path / "world.yaml")
    found = topology_of(sites.read(backend, topology=str(tmp_path / "topology.yaml")))
    assert found.servers[1].networks[0].logical_network == "LogicalNetwork1-Shanghai"
    assert found.servers[1].clouds[0].logical_networks == ("LogicalNetwork1-Shanghai",)
    assert [(pair.protected.name, pair.protecting.name) for pair in found.pairs()] == [("GoldCloud1", "GoldCloud2")]


def two_vaults(sites: Clouds, topology: Path) -> DesiredState:
    second = sites.build.vault("second")
    sites.build.vm_network(sites.build.vmm_fabric(second, "VMM-Third"), "VMNetwork1-Beijing")
    topology.write_text(TOPOLOGY.replace("VMM-Beijing", "VMM-Third"), encoding="utf-8")
    vaults = (*sites.state().vaults, Vault(name="second", id=second.id))
    return DesiredState(vaults=vaults, topology=str(topology))


def test_one_file_may_describe_the_servers_of_several_vaults(sites: Clouds, tmp_path: Path) -> None:
    found = inventory.read_inventory(two_vaults(sites, tmp_path / "topology.yaml"), sites.backend).vaults
    assert topology_of(found["second"]).servers[0].networks[0].logical_network == "One"
    assert [host.name for host in topology_of(found["sea"]).servers[1].hosts] == ["host1"]


def test_a_server_that_no_vault_has_is_refused_with_file_and_line(sites: Clouds, tmp_path: Path) -> None:
    (tmp_path / "topology.yaml").write_text(TOPOLOGY.replace("VMM-Beijing", "VMM-Bejing"), encoding="utf-8")
    with pytest.raises(DocumentError, match=r"topology\.yaml:2: .* 'VMM-Bejing'; did you mean 'VMM-Beijing'"):
        sites.read(topology=str(tmp_path / "topology.yaml"))


@pytest.mark.parametrize("selected", [True, False])
def test_a_server_is_not_missed_while_a_vault_was_not_read(sites: Clouds, tmp_path: Path, *, selected: bool) -> None:
    desired = two_vaults(sites, tmp_path / "topology.yaml")
    gone = structs.replace(desired.vaults[1], id=ArmId(f"{desired.vaults[1].id}-gone"))
    selection = Selection(vaults=frozenset({"sea"} if selected else ()))
    desired = desired if selected else structs.replace(desired, vaults=(desired.vaults[0], gone))
    found = inventory.read_inventory(desired, sites.backend, selection=selection)
    assert [host.name for host in topology_of(found.vaults["sea"]).servers[1].hosts] == ["host1"]


def test_a_snapshot_is_a_world_with_the_same_servers(sites: Clouds, tmp_path: Path) -> None:
    sites.machine("VMNetwork1-Beijing")
    azure = sites.build.cloud(sites.beijing, "SilverCloud1")
    sites.build.cloud_mapping(azure, None)
    found = inventory.read_inventory(sites.state(), opened(sites.world, tmp_path / "world.yaml"))
    copy = inventory.read_inventory(sites.state(), opened(world_of(found, (), {}), tmp_path / "copy.yaml"))
    assert topology_of(copy.vaults["sea"]) == topology_of(found.vaults["sea"])
    assert copy.vaults["sea"].items == found.vaults["sea"].items
