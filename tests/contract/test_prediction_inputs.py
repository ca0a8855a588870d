"""The inputs of predictions, on every backend: addresses in use, and the networks of on-premises machines."""

from __future__ import annotations

from doors import TwoRegions
from msgspec import structs

from asrnet.desired import DesiredState, Vault
from asrnet.fake.builder import Builder
from asrnet.inventory import read as inventory
from asrnet.inventory.read import Unknown
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Nic, Subnet, VirtualNetwork
from asrnet.ports import Backend
from asrnet.prediction import Question, predict, read_machines


def busy(azure: Builder, network: VirtualNetwork) -> VirtualNetwork:
    """The network with two addresses in use, one of which is only counted."""
    subnet = Subnet(name="web", prefixes=("10.0.1.0/24",), used=2, used_ips=("10.0.1.4",))
    network = structs.replace(network, subnets=(subnet,))
    azure.add(network)
    return network


def in_use(network: VirtualNetwork | None) -> tuple[int, tuple[str, ...]]:
    assert network is not None
    return network.subnets[0].used, network.subnets[0].used_ips


def test_addresses_in_use_are_read_only_on_request(azure: Builder, backend: Backend, regions: TwoRegions) -> None:
    network = busy(azure, regions.sea)
    listed = {each.id: each for each in backend.networks.virtual_networks(network.id.subscription)}
    assert in_use(listed[network.id]) == (2, ())
    assert in_use(backend.networks.virtual_network(network.id)) == (2, ())
    assert in_use(backend.networks.virtual_network(network.id, addresses=True)) == (2, ("10.0.1.4",))


def test_an_inventory_reads_addresses_only_where_some_are_in_use(
    azure: Builder, backend: Backend, regions: TwoRegions
) -> None:
    network = busy(azure, regions.sea)
    desired = DesiredState(vaults=(Vault(name="v", id=regions.vault.id),))
    found = inventory.extended(inventory.read_inventory(desired, backend), backend, [network.id, regions.ea.id])
    before = backend.requests()["GET"]
    told = inventory.with_addresses(found, backend, [network.id, regions.ea.id, ArmId(f"{network.id}-unknown")])
    assert in_use(told.networks[network.id]) == (2, ("10.0.1.4",))
    assert backend.requests()["GET"] - before == 1
    assert inventory.with_addresses(told, backend, [regions.ea.id]) == told


def test_addresses_that_may_not_be_read_leave_the_network_as_listed(
    azure: Builder, backend: Backend, regions: TwoRegions
) -> None:
    network = busy(azure, regions.sea)
    desired = DesiredState(vaults=(Vault(name="v", id=regions.vault.id),))
    found = inventory.extended(inventory.read_inventory(desired, backend), backend, [network.id])
    azure.world.behaviour = structs.replace(azure.world.behaviour, denied=("Microsoft.Network/virtualNetworks/read",))
    assert inventory.with_addresses(found, backend, [network.id]) == found


def test_an_on_premises_machine_has_the_name_of_its_network(azure: Builder, backend: Backend) -> None:
    vault = azure.vault()
    server = azure.vmm_fabric(vault, "VMM-Beijing")
    network = azure.vm_network(server, "VMNetwork1-Beijing")
    nic = Nic(name="nic0", primary_network_id=network.id, selection="SelectedByDefault")
    azure.protected_item("VM-1", server, None, nic, cloud=azure.cloud(server, "Gold"), provider="HyperVReplicaAzure")
    [told] = backend.mappings.protected_items(vault.id)
    (told_nic,) = told.nics
    assert (told_nic.name, told_nic.primary_network_id) == ("nic0", None)
    assert (told_nic.primary_network, told_nic.selection) == ("VMNetwork1-Beijing", "SelectedByDefault")
    items = inventory.read_inventory(DesiredState(vaults=(Vault(name="v", id=vault.id),)), backend).vaults["v"].items
    assert not isinstance(items, Unknown)
    assert items[0].nics[0].primary_network_id == network.id


def test_a_re_protected_machine_fails_back_by_its_own_settings(
    azure: Builder, backend: Backend, regions: TwoRegions
) -> None:
    configuration = IpConfiguration(subnet="web", ip="10.0.1.9", ip_type="Static", recovery_subnet="web")
    nic = Nic(
        name="nic0",
        primary_network_id=regions.sea.id,
        recovery_network_id=regions.ea.id,
        selection="SelectedByUserOverride",
        ip_configurations=(configuration,),
    )
    item = azure.protected_item("vm", regions.fabric_sea, regions.fabric_ea, nic)
    locations = {"initial_location": "eastasia", "primary_location": "southeastasia", "recovery_location": "eastasia"}
    azure.add(structs.replace(item, **locations))
    desired = DesiredState(vaults=(Vault(name="v", id=regions.vault.id),))
    [landing] = predict(read_machines(desired, backend, Question(operation="failback"))).landings
    assert (landing.network_id, landing.network_rule.code) == (regions.ea.id, "a2a_failback_own")
    [landing] = predict(read_machines(desired, backend)).landings
    assert "runs_in_recovery_region" in {notice.code for notice in landing.notices}
