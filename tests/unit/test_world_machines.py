"""Protected items of a world: what enabling replication does to networks and mappings."""

from __future__ import annotations

import pytest
from msgspec import Struct, structs

from asrnet.errors import ForbiddenError, NotFoundError, ServiceError
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.faults import Fault
from asrnet.fake.records import EnableRequest, IntentRequest, VaultResource, VirtualMachine
from asrnet.model.arm import ArmId
from asrnet.model.azure import Cloud, Fabric, IpConfiguration, NetworkMapping, Nic, VirtualNetwork


class Regions(Struct, frozen=True, kw_only=True):
    azure: Builder
    vault: VaultResource
    fabric: Fabric
    other: Fabric
    container: Cloud
    other_container: Cloud
    primary: VirtualNetwork
    machine: VirtualMachine

    @property
    def item_id(self) -> ArmId:
        return self.container.id.child("replicationProtectedItems", "vm1")

    def enable(self, **choices: object) -> str:
        request = EnableRequest(machine_id=self.machine.id, recovery_container_id=self.other_container.id)
        started = self.azure.world.protected_items.enable(self.item_id, structs.replace(request, **choices))
        return self.azure.world.operations.get(started.id, scope=self.vault.id).state

    def mappings(self) -> tuple[NetworkMapping, ...]:
        return self.azure.world.mappings.list(self.vault.id)


@pytest.fixture
def regions() -> Regions:
    azure = Builder()
    vault = azure.vault()
    fabric, other = azure.azure_fabric(vault, "eastasia"), azure.azure_fabric(vault, "southeastasia")
    primary = azure.virtual_network("App", "eastasia", group="rg-app", subnets={"web": "10.0.1.0/24"})
    return Regions(
        azure=azure,
        vault=vault,
        fabric=fabric,
        other=other,
        container=azure.container(fabric),
        other_container=azure.container(other),
        primary=primary,
        machine=azure.virtual_machine("vm1", primary, subnet="web", ip="10.0.1.4"),
    )


def target(regions: Regions) -> tuple[str | None, str | None]:
    """The network and the subnet where the protected machine's NIC is to land."""
    (nic,) = regions.azure.world.protected_items.get(regions.item_id).nics
    return nic.recovery_network_id.name if nic.recovery_network_id else None, nic.ip_configurations[0].recovery_subnet


def test_an_unmapped_network_gets_its_copy_and_both_mappings(regions: Regions) -> None:
    assert regions.enable() == "Succeeded"
    copy = next(net for net in regions.azure.world.virtual_networks.list(SUBSCRIPTION) if net.name == "App-asr")
    assert (copy.location, copy.id.resource_group) == ("southeastasia", "rg-app-asr")
    assert copy.address_space == regions.primary.address_space
    assert [(subnet.name, subnet.prefixes) for subnet in copy.subnets] == [("web", ("10.0.1.0/24",))]
    forward, reverse = regions.mappings()
    assert (forward.primary_network_id, forward.recovery_network_id) == (regions.primary.id, copy.id)
    assert (reverse.primary_network_id, reverse.recovery_network_id) == (copy.id, regions.primary.id)
    assert target(regions) == ("App-asr", "web")


def test_the_copy_is_made_in_the_requested_place(regions: Regions) -> None:
    group = regions.azure.resource_group("rg-dr-nets").id
    regions.enable(recovery_resource_group_id=group)
    names = {str(network.id.resource_group) for network in regions.azure.world.virtual_networks.list(SUBSCRIPTION)}
    assert names == {"rg-app", "rg-dr-nets"}


def test_a_chosen_network_becomes_the_mapped_one(regions: Regions) -> None:
    chosen = regions.azure.virtual_network("chosen", "southeastasia", subnets={"b": "10.1.1.0/24", "A": "10.1.2.0/24"})
    assert regions.enable(recovery_network_id=chosen.id) == "Succeeded"
    forward, reverse = regions.mappings()
    assert (forward.recovery_network_id, reverse.primary_network_id) == (chosen.id, chosen.id)
    assert target(regions) == ("chosen", "A")


def test_a_new_network_is_created_under_the_requested_name(regions: Regions) -> None:
    new = ArmId(str(regions.primary.id).replace("App", "brand-new"))
    assert regions.enable(new_network_id=new) == "Succeeded"
    assert regions.azure.world.virtual_networks.get(new).location == "southeastasia"
    assert target(regions) == ("brand-new", "web")


def test_a_mapped_network_is_the_default(regions: Regions) -> None:
    subnets = {"app": "10.1.1.0/24", "WEB": "10.1.2.0/24"}
    mapped = regions.azure.virtual_network("mapped", "southeastasia", subnets=subnets)
    regions.azure.mapping(regions.fabric, regions.primary, regions.other, mapped)
    assert regions.enable() == "Succeeded"
    assert target(regions) == ("mapped", "WEB")
    assert len(regions.azure.world.virtual_networks.list(SUBSCRIPTION)) == 2


def test_another_network_than_the_mapped_one_is_accepted_and_the_mapping_stays(regions: Regions) -> None:
    mapped = regions.azure.virtual_network("mapped", "southeastasia")
    chosen = regions.azure.virtual_network("chosen", "southeastasia")
    forward, _ = regions.azure.pair(regions.fabric, regions.primary, regions.other, mapped)
    assert regions.enable(recovery_network_id=chosen.id) == "Succeeded"
    assert target(regions)[0] == "chosen"
    assert regions.azure.world.mappings.get(forward.id).recovery_network_id == mapped.id


def test_a_strict_world_refuses_another_network_than_the_mapped_one(regions: Regions) -> None:
    regions.azure.world.behaviour = Behaviour(strict_mapping=True)
    mapped = regions.azure.virtual_network("mapped", "southeastasia")
    chosen = regions.azure.virtual_network("chosen", "southeastasia")
    regions.azure.mapping(regions.fabric, regions.primary, regions.other, mapped)
    with pytest.raises(ServiceError, match="mapped to 'mapped'"):
        regions.enable(recovery_network_id=chosen.id)
    assert regions.enable(recovery_network_id=mapped.id) == "Succeeded"


def test_a_mapping_to_a_network_that_is_gone_makes_the_operation_fail(regions: Regions) -> None:
    gone = regions.azure.virtual_network("gone", "southeastasia")
    regions.azure.mapping(regions.fabric, regions.primary, regions.other, gone)
    regions.azure.world.virtual_networks.delete(gone.id)
    assert regions.enable() == "Failed"
    assert regions.azure.world.protected_items.list(regions.vault.id) == ()


def test_an_unknown_machine_cannot_be_protected(regions: Regions) -> None:
    with pytest.raises(NotFoundError):
        regions.enable(machine_id=ArmId(str(regions.machine.id).replace("vm1", "gone")))


def test_within_a_region_the_network_stays_the_same_and_no_mapping_is_made(regions: Regions) -> None:
    assert regions.enable(recovery_container_id=regions.container.id) == "Succeeded"
    assert target(regions) == ("App", "web")
    assert regions.mappings() == ()


def test_items_are_listed_by_container(regions: Regions) -> None:
    regions.enable()
    items = regions.azure.world.protected_items
    (item,) = items.list_container(regions.container.id)
    assert (item.friendly_name, item.recovery_fabric_id) == ("vm1", regions.other.id)
    assert items.list_container(regions.other_container.id) == ()


def test_a_machine_can_be_moved_to_another_network(regions: Regions) -> None:
    regions.enable()
    items = regions.azure.world.protected_items
    chosen = regions.azure.virtual_network("chosen", "southeastasia")
    test = regions.azure.virtual_network("test", "southeastasia")
    (nic,) = items.get(regions.item_id).nics
    (address,) = nic.ip_configurations
    body = {"nicId": nic.id, "ipConfigs": [{"ipConfigName": address.name, "recoverySubnetName": "db"}]}
    networks = {"selectedRecoveryAzureNetworkId": str(chosen.id), "selectedTfoAzureNetworkId": str(test.id)}
    items.update(regions.item_id, {**networks, "vmNics": [body, {"nicId": "unknown"}]})
    assert target(regions) == ("chosen", "db")
    items.update(regions.item_id, {"vmNics": [{"nicId": nic.id}]})
    (nic,) = items.get(regions.item_id).nics
    assert (nic.primary_network_id, nic.test_network_id) == (regions.primary.id, test.id)
    assert target(regions) == ("chosen", "db")


def test_an_update_without_the_name_of_an_ip_configuration_is_of_the_primary_one(regions: Regions) -> None:
    addresses = (
        IpConfiguration(name="first", subnet="web"),
        IpConfiguration(name="second", primary=False, subnet="web"),
    )
    nic = Nic(name="nic0", id="0f", primary_network_id=regions.primary.id, ip_configurations=addresses)
    item = regions.azure.protected_item("vm2", regions.fabric, regions.other, nic)
    items = regions.azure.world.protected_items
    items.update(item.id, {"vmNics": [{"nicId": "0f", "ipConfigs": [{"recoverySubnetName": "db"}]}]})
    (nic,) = items.get(item.id).nics
    assert [address.recovery_subnet for address in nic.ip_configurations] == ["db", None]


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_disabling_leaves_the_mappings(regions: Regions, method: str) -> None:
    regions.enable()
    kind = {"DELETE": "replicationProtectedItems", "POST": "remove"}[method]
    regions.azure.world.faults.add(Fault(effect="forbidden", method=method, kind=kind))
    with pytest.raises(ForbiddenError):
        regions.azure.world.protected_items.delete(regions.item_id, method=method)
    regions.azure.world.protected_items.delete(regions.item_id, method=method)
    assert regions.azure.world.protected_items.list(regions.vault.id) == ()
    assert len(regions.mappings()) == 2


def test_disabling_what_is_not_protected_is_not_found_as_recorded(regions: Regions) -> None:
    with pytest.raises(NotFoundError) as caught:
        regions.azure.world.protected_items.delete(regions.item_id)
    assert (caught.value.status, caught.value.code) == (404, "ArmResourceDoesNotExist")
    assert caught.value.message == "Specified resource with name 'vm1' does not exist."


def test_an_intent_makes_fabrics_containers_network_and_mappings_in_a_fresh_vault() -> None:
    azure = Builder()
    vault = azure.vault()
    network = azure.virtual_network("App", "eastasia", subnets={"web": "10.0.1.0/24"})
    machine = azure.virtual_machine("vm1", network, subnet="web")
    request = IntentRequest(machine_id=machine.id, primary_location="East Asia", recovery_location="southeastasia")
    intent = azure.world.intents.put(vault.id.child("replicationProtectionIntents", "vm1"), request)
    assert azure.world.jobs.get(vault.id.child("replicationJobs", intent.job)).state == "Succeeded"
    assert {fabric.name for fabric in azure.world.fabrics.list(vault.id)} == {
        "asr-a2a-default-eastasia",
        "asr-a2a-default-southeastasia",
    }
    assert len(azure.world.mappings.list(vault.id)) == 2
    (item,) = azure.world.protected_items.list(vault.id)
    assert item.nics[0].recovery_network_id is not None
    assert item.nics[0].recovery_network_id.name == "App-asr"
    assert azure.world.intents.list(vault.id) == (intent,)
    assert azure.world.intents.get(intent.id) == intent


def test_a_machine_added_to_the_world_can_be_protected(regions: Regions) -> None:
    machine = structs.replace(regions.machine, id=ArmId(str(regions.machine.id).replace("rg/", "rg-new/")))
    regions.azure.world.virtual_machines.put(machine)
    assert regions.azure.world.subscriptions.resource_group(machine.id.parent).location == "eastasia"
    assert machine in regions.azure.world.virtual_machines.list(SUBSCRIPTION)
    assert regions.enable(machine_id=machine.id) == "Succeeded"
