"""Updating a machine: one PATCH with every setting, on every backend and with both partial-update behaviours."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from doors import TwoRegions, status
from msgspec import structs

from asrnet.errors import InputError, NotFoundError, ServiceError
from asrnet.fake.builder import Builder
from asrnet.fake.faults import Fault
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem, Setting
from asrnet.model.machine_update import updatable_document
from asrnet.ports import Backend

pytestmark = pytest.mark.usefixtures("own_world")

BESIDE = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Network"


@pytest.fixture(params=["keep", "lose"])
def partial_update(request: pytest.FixtureRequest, behave: Callable[..., None]) -> str:
    behave(partial_update=request.param)
    return str(request.param)


@pytest.fixture
def machine(azure: Builder, regions: TwoRegions) -> ProtectedItem:
    """A machine with two NICs, one with two addresses, and with every setting that a PATCH can have."""
    first = IpConfiguration(
        name="ipconfig1",
        subnet="web",
        ip="10.0.1.4",
        ip_type="Dynamic",
        recovery_subnet="web",
        recovery_ip="10.9.1.4",
        recovery_public_ip=ArmId(f"{BESIDE}/publicIPAddresses/front"),
        recovery_load_balancer_pools=(ArmId(f"{BESIDE}/loadBalancers/lb/backendAddressPools/web"),),
        test_subnet="bubble",
        test_ip="10.9.1.4",
        settings={
            "tfoPublicIPAddressId": f"{BESIDE}/publicIPAddresses/test",
            "tfoLBBackendAddressPoolIds": (f"{BESIDE}/loadBalancers/test/backendAddressPools/web",),
        },
    )
    second = IpConfiguration(name="second", primary=False, subnet="db", selected_for_failover=False)
    settings: dict[str, Setting] = {
        "enableAcceleratedNetworkingOnRecovery": True,
        "tfoNetworkSecurityGroupId": f"{BESIDE}/networkSecurityGroups/test",
        "enableAcceleratedNetworkingOnTfo": True,
        "recoveryNicName": "nic-in-sea",
        "recoveryNicResourceGroupName": "rg-nics",
        "reuseExistingNic": True,
        "tfoNicName": "nic-in-test",
        "tfoNicResourceGroupName": "rg-test",
        "tfoReuseExistingNic": True,
        "targetNicName": "nic-target",
    }
    nic = Nic(
        name="nic0",
        primary_network_id=regions.ea.id,
        recovery_network_id=regions.sea.id,
        recovery_network_security_group=ArmId(f"{BESIDE}/networkSecurityGroups/web"),
        selection="SelectedByUserOverride",
        ip_configurations=(first, second),
        settings=settings,
    )
    other = Nic(name="nic1", primary_network_id=regions.ea.id, selection="NotSelected")
    item_settings: dict[str, Setting] = {
        "recoveryAzureVMName": "vm1-in-sea",
        "recoveryAzureVMSize": "Standard_E8_v5",
        "recoveryAvailabilitySetId": f"{BESIDE.replace('Network', 'Compute')}/availabilitySets/as1",
        "recoveryCloudServiceId": "classic",
        "recoveryBootDiagStorageAccountId": f"{BESIDE.replace('Network', 'Storage')}/storageAccounts/boot",
        "tfoAzureVMName": "vm1-in-test",
        "recoveryProximityPlacementGroupId": f"{BESIDE.replace('Network', 'Compute')}/proximityPlacementGroups/p",
        "recoveryVirtualMachineScaleSetId": f"{BESIDE.replace('Network', 'Compute')}/virtualMachineScaleSets/s",
        "recoveryCapacityReservationGroupId": f"{BESIDE.replace('Network', 'Compute')}/capacityReservationGroups/c",
        "recoveryAvailabilityZone": "2",
        "platformFaultDomain": 1,
    }
    azure.protected_item(
        "vm1",
        regions.fabric_ea,
        regions.fabric_sea,
        nic,
        other,
        recovery_network_id=regions.sea.id,
        test_network_id=regions.sea.id,
        recovery_group_id=regions.vault.id.parent,
        settings=item_settings,
    )
    return azure.world.protected_items.list(regions.vault.id)[0]


def read(backend: Backend, machine: ProtectedItem) -> ProtectedItem:
    item = backend.mappings.protected_item(machine.id)
    assert item is not None
    return item


def moved(item: ProtectedItem, network_id: ArmId) -> ProtectedItem:
    """``item`` with another recovery network, for itself and its NICs."""
    nics = tuple(
        structs.replace(nic, recovery_network_id=network_id, test_network_id=item.test_network_id) for nic in item.nics
    )
    return structs.replace(item, recovery_network_id=network_id, nics=nics)


@pytest.mark.usefixtures("partial_update")
def test_an_update_changes_the_network_and_nothing_else(
    backend: Backend, regions: TwoRegions, machine: ProtectedItem
) -> None:
    before = read(backend, machine)
    operation = backend.mapping_writer.update_item(moved(before, regions.other_sea.id))
    assert status(backend, operation).state == "succeeded"
    assert read(backend, machine) == moved(before, regions.other_sea.id)


@pytest.mark.usefixtures("partial_update")
def test_an_update_to_the_current_values_changes_nothing(backend: Backend, machine: ProtectedItem) -> None:
    before = read(backend, machine)
    backend.mapping_writer.update_item(before)
    assert updatable_document(read(backend, machine)) == updatable_document(before)


@pytest.mark.usefixtures("partial_update")
def test_an_empty_address_releases_the_one_that_was_set(backend: Backend, machine: ProtectedItem) -> None:
    before = read(backend, machine)
    first, second = before.nics[0].ip_configurations
    released = structs.replace(first, recovery_ip="")
    nic = structs.replace(before.nics[0], ip_configurations=(released, second))
    backend.mapping_writer.update_item(structs.replace(before, nics=(nic, before.nics[1])))
    after = read(backend, machine)
    assert [address.recovery_ip for address in after.nics[0].ip_configurations] == [None, None]
    assert after.nics[0].ip_configurations[0].test_ip == "10.9.1.4"


def test_members_that_a_partial_body_omits_are_kept_or_lost(
    backend: Backend, machine: ProtectedItem, partial_update: str
) -> None:
    before = read(backend, machine)
    nics = tuple(structs.replace(nic, settings={}) for nic in before.nics)
    backend.mapping_writer.update_item(structs.replace(before, settings={}, nics=nics))
    after = read(backend, machine)
    kept = (after.settings == before.settings, after.nics[0].settings == before.nics[0].settings)
    assert kept == ((True, True) if partial_update == "keep" else (False, False))
    assert after.nics[0].ip_configurations == before.nics[0].ip_configurations


def test_every_setting_of_a_machine_reads_back_as_written(backend: Backend, machine: ProtectedItem) -> None:
    item = read(backend, machine)
    assert dict(item.settings) == dict(machine.settings)
    assert [(nic.id, dict(nic.settings)) for nic in item.nics] == [(nic.id, dict(nic.settings)) for nic in machine.nics]
    assert item.nics[0].ip_configurations == machine.nics[0].ip_configurations


def test_unknown_members_are_reported_by_name(azure: Builder, backend: Backend, regions: TwoRegions) -> None:
    address = IpConfiguration(unknown_members={"newAddress": '"x"'})
    nic = Nic(name="nic0", ip_configurations=(address,), unknown_members={"newNic": '{"a": [1, null]}'})
    item = azure.protected_item("vm1", regions.fabric_ea, regions.fabric_sea, nic)
    (told,) = read(backend, item).nics
    assert told.unknown_members == {"newNic": '{"a": [1, null]}'}
    assert told.ip_configurations[0].unknown_members == {"newAddress": '"x"'}


def test_an_ip_configuration_without_a_name_keeps_an_empty_name(
    azure: Builder, backend: Backend, regions: TwoRegions
) -> None:
    nic = Nic(name="nic0", ip_configurations=(IpConfiguration(name=""),))
    item = azure.protected_item("vm1", regions.fabric_ea, regions.fabric_sea, nic)
    assert read(backend, item).nics[0].ip_configurations[0].name == ""


@pytest.mark.parametrize("provider", ["HyperVReplicaAzure", "InMageRcm"])
@pytest.mark.usefixtures("partial_update")
def test_an_on_premises_machine_is_updated_by_its_providers_members(
    azure: Builder, backend: Backend, regions: TwoRegions, provider: str
) -> None:
    server = azure.vmm_fabric(regions.vault, "VMM-Beijing")
    network = azure.vm_network(server, "VMNetwork1-Beijing")
    address = IpConfiguration(recovery_subnet="web", recovery_ip="10.9.1.4")
    nic = Nic(
        name="nic0", primary_network_id=network.id, recovery_network_id=regions.sea.id, ip_configurations=(address,)
    )
    item = azure.protected_item(
        "VM-1",
        server,
        None,
        nic,
        cloud=azure.cloud(server, "Gold"),
        provider=provider,
        recovery_network_id=regions.sea.id,
        recovery_group_id=regions.vault.id.parent,
    )
    before = read(backend, item)
    after = structs.replace(before, recovery_network_id=regions.other_sea.id)
    assert status(backend, backend.mapping_writer.update_item(after)).state == "succeeded"
    told = read(backend, item)
    assert told.recovery_network_id == regions.other_sea.id
    assert updatable_document(told) == updatable_document(after)


def test_a_machine_of_an_undocumented_provider_is_not_updated(
    azure: Builder, backend: Backend, regions: TwoRegions
) -> None:
    item = azure.protected_item("vm1", regions.fabric_ea, regions.fabric_sea, provider="InMageAzureV2")
    with pytest.raises(InputError, match="InMageAzureV2"):
        backend.mapping_writer.update_item(item)
    assert ("PATCH", "replicationprotecteditems") not in azure.world.journal.counts()


@pytest.mark.parametrize("state", ["InitialReplicationInProgress", "UnplannedFailoverCommitted"])
def test_a_machine_that_is_not_protected_cannot_be_updated(
    azure: Builder, backend: Backend, machine: ProtectedItem, state: str
) -> None:
    azure.world.state.put_item(structs.replace(machine, state=state))
    with pytest.raises(ServiceError, match="can't be configured"):
        backend.mapping_writer.update_item(machine)


def test_a_test_address_without_a_subnet_fails_as_users_report(
    backend: Backend, machine: ProtectedItem, behave: Callable[..., None]
) -> None:
    behave(partial_update="lose")
    first, second = machine.nics[0].ip_configurations
    nic = structs.replace(machine.nics[0], ip_configurations=(structs.replace(first, test_subnet=None), second))
    operation = backend.mapping_writer.update_item(structs.replace(machine, nics=(nic, machine.nics[1])))
    ended = status(backend, operation)
    assert (ended.state, getattr(ended.error, "code", "")) == ("failed", "28020")


def test_an_operation_may_succeed_and_change_nothing(
    azure: Builder, backend: Backend, regions: TwoRegions, machine: ProtectedItem
) -> None:
    azure.world.faults.add(Fault(effect="operation_does_nothing", method="PATCH"))
    before = read(backend, machine)
    operation = backend.mapping_writer.update_item(moved(before, regions.other_sea.id))
    assert status(backend, operation).state == "succeeded"
    assert read(backend, machine) == before


def test_a_missing_machine_is_none_and_a_machine_of_a_missing_vault_is_an_error(
    backend: Backend, machine: ProtectedItem
) -> None:
    gone = machine.id.parent.child("replicationProtectedItems", "gone")
    assert backend.mappings.protected_item(gone) is None
    with pytest.raises(NotFoundError):
        backend.mapping_writer.update_item(structs.replace(machine, id=gone))
    with pytest.raises(NotFoundError, match=r"vault|Vault"):
        backend.mappings.protected_item(ArmId(str(machine.id).replace("/vaults/", "/vaults/another-")))


def test_a_machine_name_that_is_invalid_in_an_id_is_refused(backend: Backend, machine: ProtectedItem) -> None:
    with pytest.raises(ServiceError, match="recoveryAzureVMName"):
        backend.mapping_writer.update_item(structs.replace(machine, settings={"recoveryAzureVMName": "a/b?"}))
