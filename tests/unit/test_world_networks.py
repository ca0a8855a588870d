"""Virtual networks, resource groups and subscriptions of a world, beyond what the contract suite covers."""

from __future__ import annotations

import pytest
from msgspec import structs

from asrnet.errors import ConflictError, ResourceGroupNotFoundError, ServiceError
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.journal import action_of, kind_of
from asrnet.model.arm import ArmId
from asrnet.model.azure import ResourceGroup, Subnet


@pytest.fixture
def azure() -> Builder:
    return Builder()


def test_networks_are_listed_by_resource_group_without_case(azure: Builder) -> None:
    azure.virtual_network("one", "eastasia", group="Rg-A")
    azure.virtual_network("two", "eastasia", group="rg-b")
    assert [network.name for network in azure.world.virtual_networks.list(SUBSCRIPTION, "RG-a")] == ["one"]


def test_listing_a_missing_resource_group_is_refused(azure: Builder) -> None:
    with pytest.raises(ResourceGroupNotFoundError):
        azure.world.virtual_networks.list(SUBSCRIPTION, "nowhere")


def test_replacing_a_network_drops_the_subnets_it_does_not_name(azure: Builder) -> None:
    network = azure.virtual_network("one", "eastasia", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24"})
    started = azure.world.virtual_networks.put(structs.replace(network, subnets=network.subnets[:1]))
    assert (started.created, started.state) == (False, "Succeeded")
    assert [subnet.name for subnet in azure.world.virtual_networks.get(network.id).subnets] == ["web"]


def test_a_network_is_updating_while_its_operation_runs() -> None:
    azure = Builder(behaviour=Behaviour(operations="time:3"))
    network = azure.virtual_network("one", "eastasia")
    assert azure.world.virtual_networks.provisioning_state(network.id) == "Succeeded"
    azure.world.virtual_networks.put(network)
    assert azure.world.virtual_networks.provisioning_state(network.id) == "Updating"
    azure.world.clock.sleep(3)
    assert azure.world.virtual_networks.provisioning_state(network.id) == "Succeeded"


def test_addresses_in_use_keep_their_subnet_and_its_range(azure: Builder) -> None:
    used = Subnet(name="web", prefixes=("10.0.1.0/24",), used_ips=("10.0.1.4",), used=1)
    network = azure.virtual_network("one", "eastasia", address_space=("10.0.0.0/16",), subnets=(used,))
    moved = structs.replace(used, prefixes=("10.0.2.0/24",))
    with pytest.raises(ServiceError, match="Subnet web has active allocations") as caught:
        azure.world.virtual_networks.put_subnet(network.id, moved)
    assert (caught.value.status, caught.value.code) == (400, "InUsePrefixCannotBeDeleted")
    with pytest.raises(ServiceError, match="Subnet web is in use and cannot be deleted"):
        azure.world.virtual_networks.put(structs.replace(network, subnets=()))
    azure.world.virtual_networks.put_subnet(network.id, structs.replace(used, prefixes=("10.0.0.0/23",)))


def test_a_network_cannot_move_to_another_region(azure: Builder) -> None:
    network = azure.virtual_network("one", "eastasia")
    with pytest.raises(ServiceError) as caught:
        azure.world.virtual_networks.put(structs.replace(network, location="westus"))
    assert (caught.value.status, caught.value.code) == (409, "InvalidResourceLocation")


@pytest.mark.parametrize(
    ("subnets", "code"),
    [
        ([("web", "10.0.1.0")], None),
        ([("web", "10.0.1.0/33")], "InvalidAddressPrefixFormat"),
        ([("web", "10.9.1.0/24")], "NetcfgInvalidSubnet"),
        ([("web", "10.0.1.0/24"), ("db", "10.0.1.128/25")], "NetcfgSubnetRangesOverlap"),
        ([("web", "fd00::/64")], "NetcfgInvalidSubnet"),
    ],
)
def test_addresses_must_fit(azure: Builder, subnets: list[tuple[str, str]], code: str | None) -> None:
    network = azure.virtual_network("one", "eastasia", address_space=("10.0.0.0/16",))
    wanted = tuple(Subnet(name=name, prefixes=(prefix,)) for name, prefix in subnets)
    if code is None:
        azure.world.virtual_networks.put(structs.replace(network, subnets=wanted))
        return
    with pytest.raises(ServiceError) as caught:
        azure.world.virtual_networks.put(structs.replace(network, subnets=wanted))
    assert (caught.value.status, caught.value.code) == (400, code)


def test_deleting_a_network_takes_effect_when_the_operation_ends() -> None:
    azure = Builder(behaviour=Behaviour(operations="time:3"))
    network = azure.virtual_network("one", "eastasia")
    azure.world.virtual_networks.delete(network.id)
    assert azure.world.virtual_networks.get(network.id) == network
    azure.world.clock.sleep(3)
    assert azure.world.virtual_networks.list(SUBSCRIPTION) == ()


def test_deleting_an_absent_network_is_no_operation(azure: Builder) -> None:
    network = azure.virtual_network("one", "eastasia")
    azure.world.virtual_networks.delete(network.id)
    assert azure.world.virtual_networks.delete(network.id) is None


def test_a_network_with_addresses_in_use_cannot_be_deleted(azure: Builder) -> None:
    used = Subnet(name="web", prefixes=("10.0.1.0/24",), used=1)
    network = azure.virtual_network("one", "eastasia", address_space=("10.0.0.0/16",), subnets=(used,))
    with pytest.raises(ServiceError) as caught:
        azure.world.virtual_networks.delete(network.id)
    assert caught.value.code == "InUseSubnetCannotBeDeleted"


def test_subnets_are_added_replaced_and_deleted_one_by_one(azure: Builder) -> None:
    network = azure.virtual_network("one", "eastasia", address_space=("10.0.0.0/16",), subnets={"web": "10.0.1.0/24"})
    networks = azure.world.virtual_networks
    assert networks.put_subnet(network.id, Subnet(name="db", prefixes=("10.0.2.0/24",))).created
    assert not networks.put_subnet(network.id, Subnet(name="WEB", prefixes=("10.0.3.0/24",))).created
    prefixes = {subnet.name: subnet.prefixes for subnet in networks.get(network.id).subnets}
    assert prefixes == {"db": ("10.0.2.0/24",), "WEB": ("10.0.3.0/24",)}
    assert networks.delete_subnet(network.id, "web") is not None
    assert networks.delete_subnet(network.id, "web") is None
    assert [subnet.name for subnet in networks.get(network.id).subnets] == ["db"]


def test_resource_groups_named_in_ids_exist_and_outlive_what_was_in_them(azure: Builder) -> None:
    network = azure.virtual_network("one", "eastasia", group="rg-a")
    azure.world.virtual_networks.delete(network.id)
    assert [group.id.name for group in azure.world.subscriptions.resource_groups(SUBSCRIPTION)] == ["rg-a"]


def test_deleting_a_resource_group_deletes_what_is_in_it(azure: Builder) -> None:
    network = azure.virtual_network("one", "eastasia", group="rg-a")
    azure.virtual_network("two", "eastasia", group="rg-ab")
    group_id = ArmId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-a")
    azure.world.subscriptions.delete_resource_group(group_id)
    assert [left.name for left in azure.world.virtual_networks.list(SUBSCRIPTION)] == ["two"]
    with pytest.raises(ResourceGroupNotFoundError):
        azure.world.virtual_networks.get(network.id)


def test_a_vault_is_not_moved_to_another_location(azure: Builder) -> None:
    vault = azure.vault(location="southeastasia")
    with pytest.raises(ConflictError, match="already exists in location 'southeastasia'") as caught:
        azure.world.vaults.put(structs.replace(vault, location="East Asia"))
    assert caught.value.code == "InvalidResourceLocation"


def test_a_resource_group_is_not_deleted_while_a_vault_in_it_is_used(azure: Builder) -> None:
    vault = azure.vault()
    fabric = azure.azure_fabric(vault, "eastasia")
    with pytest.raises(
        ConflictError, match=rf"'Microsoft.RecoveryServices/vaults/{vault.id.name}' could not be deleted"
    ):
        azure.world.subscriptions.delete_resource_group(vault.id.parent)
    azure.replication_policy(vault)
    azure.world.fabrics.purge(fabric.id)
    azure.world.subscriptions.delete_resource_group(vault.id.parent)
    azure.world.subscriptions.put_resource_group(ResourceGroup(id=vault.id.parent, location="eastasia"))
    azure.world.vaults.put(vault)
    assert azure.world.policies.list(vault.id) == ()


def test_a_resource_group_is_new_only_once(azure: Builder) -> None:
    group = ResourceGroup(id=ArmId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"), location="eastasia")
    assert azure.world.subscriptions.put_resource_group(group) is True
    assert azure.world.subscriptions.put_resource_group(group) is False
    assert azure.world.subscriptions.resource_group(group.id) == group
    with pytest.raises(ConflictError, match="already exists in location 'eastasia'") as caught:
        azure.world.subscriptions.put_resource_group(structs.replace(group, location="westus"))
    assert caught.value.code == "InvalidResourceGroupLocation"


def test_registering_the_provider_ends_the_refusals() -> None:
    azure = Builder(behaviour=Behaviour(unregistered=(SUBSCRIPTION,)))
    with pytest.raises(ServiceError, match="not registered"):
        azure.world.virtual_networks.list(SUBSCRIPTION)
    azure.world.subscriptions.register(SUBSCRIPTION, "Microsoft.Network")
    assert azure.world.virtual_networks.list(SUBSCRIPTION) == ()


def test_subscriptions_of_other_tenants_are_not_listed(azure: Builder) -> None:
    azure.subscription("33333333-3333-3333-3333-333333333333", tenant="99999999-9999-9999-9999-999999999999")
    assert [subscription.id for subscription in azure.world.subscriptions.list()] == [SUBSCRIPTION]


def test_a_subnet_with_addresses_in_use_cannot_be_deleted(azure: Builder) -> None:
    used = Subnet(name="web", prefixes=("10.0.1.0/24",), used_ips=("10.0.1.4",))
    network = azure.virtual_network("one", "eastasia", address_space=("10.0.0.0/16",), subnets=(used,))
    with pytest.raises(ServiceError) as caught:
        azure.world.virtual_networks.delete_subnet(network.id, "web")
    assert caught.value.code == "InUseSubnetCannotBeDeleted"
    assert caught.value.resource_id == str(network.id.child("subnets", "web"))


def test_a_shuffled_list_has_another_order_and_always_the_same() -> None:
    azure = Builder(behaviour=Behaviour(shuffle=7))
    names = [azure.virtual_network(f"net-{number}", "eastasia").name for number in range(10)]
    listed = [network.name for network in azure.world.virtual_networks.list(SUBSCRIPTION)]
    assert listed != names
    assert sorted(listed) == names
    assert listed == [network.name for network in azure.world.virtual_networks.list(SUBSCRIPTION)]


@pytest.mark.parametrize(
    ("method", "path", "kind", "action"),
    [
        ("GET", "/subscriptions/S", "subscriptions", "Microsoft.Resources/subscriptions/read"),
        (
            "POST",
            "/providers/Microsoft.ResourceGraph/resources",
            "resources",
            "Microsoft.ResourceGraph/resources/action",
        ),
        (
            "PUT",
            "/subscriptions/S/resourceGroups/providers",
            "resourcegroups",
            "Microsoft.Resources/subscriptions/resourceGroups/write",
        ),
        (
            "GET",
            "/subscriptions/S/providers/Microsoft.Network/virtualNetworks?api-version=1",
            "virtualnetworks",
            "Microsoft.Network/virtualNetworks/read",
        ),
        (
            "DELETE",
            "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/N/subnets/web",
            "subnets",
            "Microsoft.Network/virtualNetworks/subnets/delete",
        ),
        (
            "POST",
            "/subscriptions/S/resourceGroups/G/providers/P/vaults/V/replicationFabrics/F/remove",
            "remove",
            "P/vaults/replicationFabrics/remove/action",
        ),
    ],
)
def test_requests_are_named_as_roles_name_them(method: str, path: str, kind: str, action: str) -> None:
    assert kind_of(path) == kind
    assert action_of(method, path) == action
