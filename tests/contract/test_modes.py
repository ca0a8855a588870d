"""The three modes of network mapping, on every backend: create, list, update, delete; plan, apply, in sync."""

from __future__ import annotations

import pytest
from doors import readable, status
from msgspec import Struct, structs

from asrnet import applying, planning
from asrnet.desired import DesiredState, Vault, VmmRow, VmNetworkName
from asrnet.export import desired as dumping
from asrnet.fake.builder import Builder
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.fake.records import VaultResource
from asrnet.inventory import read as inventory
from asrnet.inventory.live_pairs import live_pairs
from asrnet.model.arm import AZURE_NETWORK, ArmId
from asrnet.model.azure import Fabric, MappingKind, NetworkMapping, VirtualNetwork, VmNetwork
from asrnet.model.plan import Plan
from asrnet.ports import Backend


class Scene(Struct, frozen=True, kw_only=True):
    """A vault with two regions and two VMM servers, and two recovery networks in each."""

    vault: VaultResource
    azure: tuple[Fabric, Fabric]
    vmm: tuple[Fabric, Fabric]
    east: VirtualNetwork
    west: tuple[VirtualNetwork, VirtualNetwork]
    beijing: VmNetwork
    shanghai: tuple[VmNetwork, VmNetwork]

    def mapping(self, kind: MappingKind, *, to: int = 0) -> NetworkMapping:
        """A mapping of each kind as planning would request it; ``to`` is the second network, for a retarget."""
        fabric, network_id = (
            (self.azure[0], self.azure[0].id.child("replicationNetworks", AZURE_NETWORK))
            if kind == "azure_to_azure"
            else (self.vmm[0], self.beijing.id)
        )
        primary: VirtualNetwork | VmNetwork = self.east if kind == "azure_to_azure" else self.beijing
        recovery: VirtualNetwork | VmNetwork = self.shanghai[to] if kind == "vmm_to_vmm" else self.west[to]
        fabrics = {"azure_to_azure": self.azure[1].id, "vmm_to_vmm": self.vmm[1].id, "vmm_to_azure": self.pseudo}
        return NetworkMapping(
            id=network_id.child("replicationNetworkMappings", "one"),
            kind=kind,
            primary_network_id=primary.id,
            recovery_network_id=recovery.id,
            recovery_fabric_id=fabrics[kind],
            primary_location=fabric.location,
            recovery_location=self.azure[1].location if kind == "azure_to_azure" else None,
        )

    @property
    def pseudo(self) -> ArmId:
        """The fabric that represents Azure as the recovery side of a VMM server."""
        return self.vault.id.child("replicationFabrics", PSEUDO_FABRIC)


@pytest.fixture
def scene(azure: Builder) -> Scene:
    vault = azure.vault()
    here, there = azure.azure_fabric(vault, "eastasia"), azure.azure_fabric(vault, "southeastasia")
    beijing, shanghai = azure.vmm_fabric(vault, "VMM-Beijing"), azure.vmm_fabric(vault, "VMM-Shanghai")
    return Scene(
        vault=vault,
        azure=(here, there),
        vmm=(beijing, shanghai),
        east=azure.virtual_network("Hub-EA", "eastasia"),
        west=(azure.virtual_network("Hub-SEA", "southeastasia"), azure.virtual_network("New-SEA", "southeastasia")),
        beijing=azure.vm_network(beijing, "VMNetwork1-Beijing"),
        shanghai=(azure.vm_network(shanghai, "VMNetwork1-Shanghai"), azure.vm_network(shanghai, "VMNetwork2-Shanghai")),
    )


MODES: tuple[MappingKind, ...] = ("azure_to_azure", "vmm_to_azure", "vmm_to_vmm")
SCENARIOS = ("NetworkPairing", "NetworkUnPairing")


@pytest.mark.parametrize("kind", MODES)
def test_a_mapping_is_made_listed_changed_and_deleted(backend: Backend, scene: Scene, kind: MappingKind) -> None:
    first, second = scene.mapping(kind), scene.mapping(kind, to=1)
    assert status(backend, backend.mapping_writer.create_mapping(first)).state == "succeeded"
    assert list(backend.mappings.mappings(scene.vault.id)) == [first]
    assert status(backend, backend.mapping_writer.patch_mapping(second)).state == "succeeded"
    assert list(backend.mappings.mappings(scene.vault.id)) == [second]
    assert backend.mappings.mapping(first.id) == second
    assert status(backend, backend.mapping_writer.delete_mapping(first.id)).state == "succeeded"
    assert list(backend.mappings.mappings(scene.vault.id)) == []
    assert backend.mappings.mapping(first.id) is None


@pytest.mark.parametrize("kind", MODES)
def test_the_jobs_of_a_mapping_name_its_primary_network(backend: Backend, scene: Scene, kind: MappingKind) -> None:
    backend.mapping_writer.create_mapping(scene.mapping(kind))
    backend.mapping_writer.delete_mapping(scene.mapping(kind).id)
    jobs = sorted(backend.mappings.jobs(scene.vault.id), key=lambda job: job.scenario)
    assert [(job.scenario, job.state) for job in jobs] == [(scenario, "Succeeded") for scenario in SCENARIOS]
    name = "hub-ea" if kind == "azure_to_azure" else "vmnetwork1-beijing"
    assert {job.target.lower() for job in jobs} == {name}


def test_mappings_of_all_three_modes_are_in_one_list(backend: Backend, scene: Scene) -> None:
    wanted = [scene.mapping("azure_to_azure"), scene.mapping("vmm_to_vmm")]
    to_azure = scene.mapping("vmm_to_azure")
    wanted.append(structs.replace(to_azure, id=to_azure.id.parent.child("replicationNetworkMappings", "two")))
    for mapping in wanted:
        assert status(backend, backend.mapping_writer.create_mapping(mapping)).state == "succeeded"
    found = sorted(backend.mappings.mappings(scene.vault.id), key=lambda mapping: mapping.id.key)
    assert found == sorted(wanted, key=lambda mapping: mapping.id.key)


# --- plan and apply ---------------------------------------------------------------------------------------------------


def to(scene: Scene, network: int | VirtualNetwork, *, name: str = "vm1") -> VmmRow:
    recovery: VmNetworkName | ArmId = (
        network.id
        if isinstance(network, VirtualNetwork)
        else VmNetworkName(server="VMM-Shanghai", network=scene.shanghai[network].friendly_name)
    )
    primary = VmNetworkName(server="VMM-Beijing", network="VMNetwork1-Beijing")
    return VmmRow(name=name, vault="v", primary=primary, recovery=recovery)


def state(scene: Scene, *rows: VmmRow) -> DesiredState:
    return DesiredState(vaults=(Vault(name="v", id=scene.vault.id),), vmm_pairs=rows)


def planned(desired: DesiredState, backend: Backend) -> Plan:
    return planning.plan(desired, inventory.read_inventory(desired, backend))


def applied(desired: DesiredState, backend: Backend) -> list[str]:
    """The changes of a run; a second run has none."""
    report = applying.apply(planned(desired, backend), backend, applying.Options())
    assert report.result == "succeeded"
    assert planned(desired, backend).changes == ()
    return [f"{change.action} {change.direction}" for change in report.changes]


def test_a_row_between_servers_is_mapped_both_ways(backend: Backend, scene: Scene) -> None:
    assert applied(state(scene, to(scene, 0)), backend) == ["create forward", "create reverse"]
    [pair] = live_pairs(inventory.read_inventory(state(scene), backend), state(scene)).pairs
    assert (pair.kind, pair.status) == ("vmm_to_vmm", "paired")


def test_a_row_to_azure_is_mapped_once(backend: Backend, scene: Scene) -> None:
    assert applied(state(scene, to(scene, scene.west[0])), backend) == ["create forward"]
    [mapping] = readable(backend, scene.vault.id)
    assert (mapping.kind, mapping.recovery_network_id.name) == ("vmm_to_azure", "Hub-SEA")


def test_a_network_may_be_mapped_to_a_server_and_to_azure(backend: Backend, scene: Scene) -> None:
    rows = (to(scene, 0), to(scene, scene.west[0], name="vm2"))
    assert len(applied(state(scene, *rows), backend)) == 3


@pytest.mark.parametrize("to_azure", [False, True], ids=["vmm_to_vmm", "vmm_to_azure"])
def test_an_on_premises_operation_is_polled_itself_and_not_through_its_job(
    backend: Backend, scene: Scene, azure: Builder, *, to_azure: bool
) -> None:
    """The operation also attaches adapters of machines; between regions one list of jobs reports all operations."""
    azure.world.behaviour = structs.replace(azure.world.behaviour, operations="time:3")
    desired = state(scene, to(scene, scene.west[0] if to_azure else 0))
    plan = planned(desired, backend)
    azure.world.journal.clear()
    assert applying.apply(plan, backend, applying.Options()).result == "succeeded"
    asked = azure.world.journal.counts()
    assert asked["GET", "replicationoperationstatus"] > asked["PUT", "replicationnetworkmappings"]
    assert ("GET", "replicationjobs") not in asked


@pytest.mark.parametrize("operations", ["immediate", "time:3"])
def test_a_changed_row_is_retargeted(backend: Backend, scene: Scene, azure: Builder, operations: str) -> None:
    azure.world.behaviour = structs.replace(azure.world.behaviour, operations=operations)
    applied(state(scene, to(scene, 0)), backend)
    assert applied(state(scene, to(scene, 1)), backend) == ["update both"]
    recoveries = {mapping.recovery_network_id for mapping in readable(backend, scene.vault.id)}
    assert recoveries == {scene.shanghai[1].id, scene.beijing.id}


def test_a_changed_row_to_azure_is_updated_in_place(backend: Backend, scene: Scene) -> None:
    applied(state(scene, to(scene, scene.west[0])), backend)
    assert applied(state(scene, to(scene, scene.west[1])), backend) == ["update forward"]
    [mapping] = readable(backend, scene.vault.id)
    assert mapping.recovery_network_id.name == "New-SEA"


def test_a_dumped_state_plans_no_changes(backend: Backend, scene: Scene) -> None:
    applied(state(scene, to(scene, 0), to(scene, scene.west[0], name="vm2")), backend)
    bare = state(scene)
    written = dumping.export_desired(inventory.read_inventory(bare, backend), bare)
    assert (len(written.desired.vmm_pairs), written.left_out) == (2, ())
    plan = planned(written.desired, backend)
    assert (plan.changes, plan.summary.in_sync, plan.summary.unmanaged) == ((), 3, 0)
