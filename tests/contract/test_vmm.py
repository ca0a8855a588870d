"""On-premises networks managed by VMM, on every backend."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from doors import status
from msgspec import Struct, structs

from asrnet.errors import NotFoundError, ServiceError
from asrnet.fake.builder import Builder
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.fake.records import VaultResource, VmNetworkRecord
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, NetworkMapping, Subnet, VirtualNetwork, VmNetwork
from asrnet.ports import Backend


class Sites(Struct, frozen=True, kw_only=True):
    """Two VMM servers in one vault, and a virtual network."""

    vault: VaultResource
    beijing: Fabric
    shanghai: Fabric
    network_beijing: VmNetwork
    network_shanghai: VmNetwork
    hub: VirtualNetwork


@pytest.fixture
def sites(azure: Builder) -> Sites:
    vault = azure.vault()
    beijing, shanghai = azure.vmm_fabric(vault, "VMM-Beijing"), azure.vmm_fabric(vault, "VMM-Shanghai")
    return Sites(
        vault=vault,
        beijing=beijing,
        shanghai=shanghai,
        network_beijing=azure.vm_network(beijing, "VMNetwork1-Beijing", logical_network="LogicalNetwork1-Beijing"),
        network_shanghai=azure.vm_network(shanghai, "VMNetwork1-Shanghai"),
        hub=azure.virtual_network("Hub-SEA", "southeastasia", group="Rg-SEA"),
    )


def asked(sites: Sites, name: str = "map") -> NetworkMapping:
    return NetworkMapping(
        id=sites.network_beijing.id.child("replicationNetworkMappings", name),
        kind="vmm_to_vmm",
        primary_network_id=sites.network_beijing.id,
        recovery_network_id=sites.network_shanghai.id,
        recovery_fabric_id=sites.shanghai.id,
    )


def to_azure(sites: Sites) -> NetworkMapping:
    return structs.replace(
        asked(sites),
        kind="vmm_to_azure",
        recovery_network_id=sites.hub.id,
        recovery_fabric_id=sites.vault.id.child("replicationFabrics", PSEUDO_FABRIC),
    )


def test_vmm_servers_are_fabrics_with_the_servers_name(backend: Backend, sites: Sites) -> None:
    fabrics = list(backend.mappings.fabrics(sites.vault.id))
    assert [(fabric.kind, fabric.friendly_name, fabric.location) for fabric in fabrics] == [
        ("vmm", "VMM-Beijing", None),
        ("vmm", "VMM-Shanghai", None),
    ]


def test_vm_networks_are_listed_per_server_by_their_friendly_names(backend: Backend, sites: Sites) -> None:
    assert list(backend.vmm.vm_networks(sites.beijing.id)) == [sites.network_beijing]
    assert [network.friendly_name for network in backend.vmm.vm_networks(sites.shanghai.id)] == ["VMNetwork1-Shanghai"]


def test_an_azure_fabric_lists_no_vm_networks(azure: Builder, backend: Backend, sites: Sites) -> None:
    fabric = azure.azure_fabric(sites.vault, "eastasia")
    assert list(backend.vmm.vm_networks(fabric.id)) == []


def test_logical_networks_are_listed_per_server(azure: Builder, backend: Backend, sites: Sites) -> None:
    network = azure.logical_network(sites.beijing, "LogicalNetwork1-Beijing")
    assert list(backend.vmm.logical_networks(sites.beijing.id)) == [network]
    assert list(backend.vmm.logical_networks(sites.shanghai.id)) == []


def test_clouds_and_their_mappings_are_listed(azure: Builder, backend: Backend, sites: Sites) -> None:
    gold1, gold2 = azure.cloud(sites.beijing, "GoldCloud1"), azure.cloud(sites.shanghai, "GoldCloud2")
    mapping = azure.cloud_mapping(gold1, gold2)
    assert list(backend.vmm.clouds(sites.beijing.id)) == [gold1]
    assert list(backend.vmm.cloud_mappings(sites.vault.id)) == [mapping]


def test_a_cloud_protected_by_azure_names_no_recovery_cloud(azure: Builder, backend: Backend, sites: Sites) -> None:
    azure.cloud_mapping(azure.cloud(sites.beijing, "GoldCloud1"), None)
    (mapping,) = backend.vmm.cloud_mappings(sites.vault.id)
    assert mapping.recovery_cloud_id is None


def test_resources_of_a_missing_server_are_not_found(backend: Backend, sites: Sites) -> None:
    gone = sites.vault.id.child("replicationFabrics", "gone")
    reads: list[Callable[[ArmId], object]] = [
        backend.vmm.vm_networks,
        backend.vmm.logical_networks,
        backend.vmm.clouds,
    ]
    for read in reads:
        with pytest.raises(NotFoundError) as caught:
            list(read(gone))  # type: ignore[call-overload]  # each gives some iterable
        assert caught.value.code == "FabricArmEntityMissing"


def test_vmm_to_vmm_maps_one_vm_network_to_another(backend: Backend, sites: Sites) -> None:
    assert status(backend, backend.mapping_writer.create_mapping(asked(sites))).state == "succeeded"
    assert list(backend.mappings.mappings(sites.vault.id)) == [asked(sites)]
    assert backend.mappings.mapping(asked(sites).id) == asked(sites)


def test_vmm_to_vmm_works_within_one_server(azure: Builder, backend: Backend, sites: Sites) -> None:
    second = azure.vm_network(sites.beijing, "VMNetwork2-Beijing")
    inside = structs.replace(asked(sites), recovery_network_id=second.id, recovery_fabric_id=sites.beijing.id)
    assert status(backend, backend.mapping_writer.create_mapping(inside)).state == "succeeded"
    assert backend.mappings.mapping(inside.id) == inside


def test_vmm_to_azure_keeps_the_case_of_the_network_and_names_the_pseudo_fabric(backend: Backend, sites: Sites) -> None:
    assert status(backend, backend.mapping_writer.create_mapping(to_azure(sites))).state == "succeeded"
    mapping = backend.mappings.mapping(to_azure(sites).id)
    assert mapping == to_azure(sites)
    assert mapping is not None
    assert mapping.recovery_network_id.name == "Hub-SEA"
    assert mapping.recovery_fabric_id is not None
    assert mapping.recovery_fabric_id.name == PSEUDO_FABRIC


def test_the_pseudo_fabric_is_in_no_list(backend: Backend, sites: Sites) -> None:
    backend.mapping_writer.create_mapping(to_azure(sites))
    assert PSEUDO_FABRIC not in {fabric.name for fabric in backend.mappings.fabrics(sites.vault.id)}


def test_a_vmm_mapping_can_be_updated_and_deleted(azure: Builder, backend: Backend, sites: Sites) -> None:
    azure.mapping(sites.beijing, sites.network_beijing, sites.shanghai, sites.network_shanghai, name="map")
    second = azure.vm_network(sites.shanghai, "VMNetwork2-Shanghai")
    moved = structs.replace(asked(sites), recovery_network_id=second.id)
    assert status(backend, backend.mapping_writer.patch_mapping(moved)).state == "succeeded"
    assert backend.mappings.mapping(moved.id) == moved
    assert status(backend, backend.mapping_writer.delete_mapping(moved.id)).state == "succeeded"
    assert list(backend.mappings.mappings(sites.vault.id)) == []


def test_the_job_of_a_vmm_mapping_names_the_vm_network(backend: Backend, sites: Sites) -> None:
    backend.mapping_writer.create_mapping(asked(sites))
    (job,) = backend.mappings.jobs(sites.vault.id)
    assert (job.scenario, job.target) == ("NetworkPairing", "VMNetwork1-Beijing")


def test_without_permission_for_the_vaults_list_each_vm_network_is_read(
    azure: Builder, backend: Backend, sites: Sites, behave: Callable[..., None]
) -> None:
    mapping = azure.mapping(sites.beijing, sites.network_beijing, sites.shanghai, sites.network_shanghai)
    behave(denied=("Microsoft.RecoveryServices/vaults/replicationNetworkMappings/read",))
    assert list(backend.mappings.mappings(sites.vault.id)) == [mapping]


def test_subnets_of_a_vm_network_are_read(azure: Builder, backend: Backend, sites: Sites) -> None:
    subnet = Subnet(name="subnet1", prefixes=("192.168.1.0/24", "192.168.2.0/24"))
    network = structs.replace(sites.network_shanghai, subnets=(subnet,))
    azure.add(VmNetworkRecord(network=network))
    assert list(backend.vmm.vm_networks(sites.shanghai.id)) == [network]


def test_clouds_are_read_one_by_one_where_the_role_requires_it(
    azure: Builder, backend: Backend, sites: Sites, behave: Callable[..., None]
) -> None:
    mapping = azure.cloud_mapping(azure.cloud(sites.beijing, "Gold1"), azure.cloud(sites.shanghai, "Gold2"))
    behave(denied=("Microsoft.RecoveryServices/vaults/replicationProtectionContainerMappings/read",))
    assert list(backend.vmm.cloud_mappings(sites.vault.id)) == [mapping]


@pytest.mark.parametrize("side", ["primary", "recovery"])
def test_a_mapping_of_a_missing_vm_network_is_refused(backend: Backend, sites: Sites, side: str) -> None:
    mapping = asked(sites)
    if side == "primary":
        gone = sites.beijing.id.child("replicationNetworks", "gone")
        mapping = structs.replace(mapping, id=gone.child("replicationNetworkMappings", "map"), primary_network_id=gone)
    else:
        gone = sites.shanghai.id.child("replicationNetworks", "gone")
        mapping = structs.replace(mapping, recovery_network_id=gone)
    with pytest.raises(ServiceError, match="gone"):
        backend.mapping_writer.create_mapping(mapping)


def test_a_vmm_mapping_to_a_missing_fabric_is_refused(backend: Backend, sites: Sites) -> None:
    nowhere = sites.vault.id.child("replicationFabrics", "nowhere")
    with pytest.raises(NotFoundError, match="nowhere"):
        backend.mapping_writer.create_mapping(structs.replace(asked(sites), recovery_fabric_id=nowhere))
