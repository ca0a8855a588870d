"""Virtual networks, on every backend."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from asrnet.errors import ForbiddenError, NotFoundError, ResourceGroupNotFoundError
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.faults import Fault
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
    InterfaceAddress,
    NetworkInterface,
    NetworkSubnet,
    Peering,
    ResourceGroup,
    Subnet,
    VirtualNetwork,
)
from asrnet.ports import Backend

ELSEWHERE = "33333333-3333-3333-3333-333333333333"


def names(backend: Backend, subscription: str = SUBSCRIPTION) -> list[str]:
    return [network.name for network in backend.networks.virtual_networks(subscription)]


def network_id(name: str, group: str = "rg") -> ArmId:
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}"
    return ArmId(path)


def wanted(name: str = "copy") -> VirtualNetwork:
    return VirtualNetwork(
        id=network_id(name),
        location="southeastasia",
        address_space=("10.1.0.0/16", "10.2.0.0/16"),
        subnets=(
            Subnet(name="web", prefixes=("10.1.1.0/24",), default_outbound_access=False),
            Subnet(name="db", prefixes=("10.2.1.0/24",), service_endpoints=("Microsoft.Sql",)),
        ),
        tags={"dr": "yes"},
        dns_servers=("10.1.0.4",),
    )


def test_list_has_every_network_of_the_subscription_and_no_other(azure: Builder, backend: Backend) -> None:
    azure.virtual_network("one", "eastasia", group="rg-1")
    azure.virtual_network("two", "eastus", group="rg-2")
    azure.virtual_network("three", "eastus", subscription=ELSEWHERE)
    assert names(backend) == ["one", "two"]
    assert names(backend, ELSEWHERE) == ["three"]


def test_list_of_a_subscription_without_networks_is_empty(azure: Builder, backend: Backend) -> None:
    azure.subscription(ELSEWHERE)
    assert names(backend, ELSEWHERE) == []


def test_list_follows_all_pages(azure: Builder, backend: Backend, behave: Callable[..., None]) -> None:
    behave(network_page_size=2)
    for number in range(5):
        azure.virtual_network(f"net-{number}", "eastasia")
    assert names(backend) == [f"net-{number}" for number in range(5)]
    assert azure.world.journal.counts() == {("GET", "virtualnetworks"): 3}


def test_get_returns_everything_that_the_list_returns(azure: Builder, backend: Backend) -> None:
    added = azure.virtual_network(
        "hub",
        "eastasia",
        address_space=("10.0.0.0/16", "10.9.0.0/16"),
        subnets=(
            Subnet(name="web", prefixes=("10.0.1.0/24", "10.9.1.0/24")),
            Subnet(name="sql", prefixes=("10.0.2.0/24",), delegation="Microsoft.Sql/managedInstances"),
        ),
        tags={"Owner": "Team A"},
        dns_servers=("10.0.0.4", "10.0.0.5"),
    )
    (listed,) = backend.networks.virtual_networks(SUBSCRIPTION)
    got = backend.networks.virtual_network(added.id)
    assert got == listed
    assert got is not None
    assert (got.id, got.location, got.address_space) == (added.id, "eastasia", ("10.0.0.0/16", "10.9.0.0/16"))
    assert (got.tags, got.dns_servers) == ({"Owner": "Team A"}, ("10.0.0.4", "10.0.0.5"))
    assert [(subnet.name, subnet.prefixes, subnet.delegation) for subnet in got.subnets] == [
        ("web", ("10.0.1.0/24", "10.9.1.0/24"), None),
        ("sql", ("10.0.2.0/24",), "Microsoft.Sql/managedInstances"),
    ]


def test_get_counts_the_addresses_of_a_subnet_in_use(azure: Builder, backend: Backend) -> None:
    subnet = Subnet(name="web", prefixes=("10.0.1.0/24",), used=2, used_ips=("10.0.1.4", "10.0.1.5"))
    added = azure.virtual_network("hub", "eastasia", address_space=("10.0.0.0/16",), subnets=(subnet,))
    got = backend.networks.virtual_network(added.id)
    assert got is not None
    assert got.subnets[0].used == 2


def test_get_finds_a_network_whatever_the_case_of_its_id(azure: Builder, backend: Backend) -> None:
    added = azure.virtual_network("Hub", "eastasia", group="Rg-One")
    got = backend.networks.virtual_network(ArmId(str(added.id).upper()))
    assert got is not None
    assert got.name == "Hub"


def test_get_of_an_absent_network_is_none(azure: Builder, backend: Backend) -> None:
    azure.resource_group("rg")
    assert backend.networks.virtual_network(network_id("absent")) is None


def test_get_in_an_absent_resource_group_reports_the_missing_group(azure: Builder, backend: Backend) -> None:
    azure.resource_group("rg")
    with pytest.raises(ResourceGroupNotFoundError) as caught:
        backend.networks.virtual_network(network_id("absent", group="nowhere"))
    assert (caught.value.status, caught.value.code) == (404, "ResourceGroupNotFound")


def test_get_in_an_absent_subscription_does_not_prove_absence(azure: Builder, backend: Backend) -> None:
    azure.resource_group("rg")
    with pytest.raises(NotFoundError) as caught:
        backend.networks.virtual_network(ArmId(str(network_id("absent")).replace(SUBSCRIPTION, ELSEWHERE)))
    assert caught.value.code == "SubscriptionNotFound"


def test_a_network_hidden_from_lists_is_found_by_its_id(
    azure: Builder, backend: Backend, behave: Callable[..., None]
) -> None:
    hidden = azure.virtual_network("hidden", "eastasia")
    azure.virtual_network("shown", "eastasia")
    behave(hidden_networks=("hidden",))
    assert names(backend) == ["shown"]
    assert backend.networks.virtual_network(hidden.id) is not None


def test_a_lagging_list_shows_a_new_network_later_than_a_get(azure: Builder, backend: Backend) -> None:
    azure.resource_group("rg")
    azure.world.faults.add(Fault(effect="list_lags", kind="virtualnetworks", seconds=60, times=0))
    backend.network_writer.create_virtual_network(wanted())
    assert names(backend) == []
    assert backend.networks.virtual_network(network_id("copy")) is not None
    azure.world.clock.sleep(60)
    assert names(backend) == ["copy"]


def test_create_makes_the_network_as_requested(azure: Builder, backend: Backend) -> None:
    azure.resource_group("rg")
    operation = backend.network_writer.create_virtual_network(wanted())
    if operation is not None:
        assert backend.network_writer.operation(operation).state == "succeeded"
    got = backend.networks.virtual_network(network_id("copy"))
    assert got is not None
    assert (got.location, got.address_space) == ("southeastasia", ("10.1.0.0/16", "10.2.0.0/16"))
    assert (got.tags, got.dns_servers) == ({"dr": "yes"}, ("10.1.0.4",))
    assert [(subnet.name, subnet.prefixes) for subnet in got.subnets] == [
        ("web", ("10.1.1.0/24",)),
        ("db", ("10.2.1.0/24",)),
    ]
    assert got.subnets[0].default_outbound_access is False
    assert got.subnets[1].service_endpoints == ("Microsoft.Sql",)


def test_create_is_in_progress_until_its_operation_ends(
    azure: Builder, backend: Backend, behave: Callable[..., None]
) -> None:
    azure.resource_group("rg")
    behave(operations="time:3")
    operation = backend.network_writer.create_virtual_network(wanted())
    assert operation is not None
    assert backend.network_writer.operation(operation).state == "in_progress"
    azure.world.clock.sleep(3)
    assert backend.network_writer.operation(operation).state == "succeeded"


def test_create_in_an_absent_resource_group_is_refused(azure: Builder, backend: Backend) -> None:
    azure.resource_group("other")
    with pytest.raises(ResourceGroupNotFoundError):
        backend.network_writer.create_virtual_network(wanted())


def test_create_that_fails_leaves_nothing_behind(azure: Builder, backend: Backend) -> None:
    azure.resource_group("rg")
    azure.world.faults.add(Fault(effect="operation_fails", code="InternalServerError", message="An error occurred."))
    operation = backend.network_writer.create_virtual_network(wanted())
    assert operation is not None
    ended = backend.network_writer.operation(operation)
    assert ended.state == "failed"
    assert "An error occurred." in str(ended.error)
    assert backend.networks.virtual_network(network_id("copy")) is None


def test_a_display_name_of_a_region_comes_back_as_its_short_name(azure: Builder, backend: Backend) -> None:
    azure.resource_group("rg")
    backend.network_writer.create_virtual_network(structs.replace(wanted(), location="Southeast Asia"))
    assert [network.location for network in backend.networks.virtual_networks(SUBSCRIPTION)] == ["southeastasia"]


def test_policies_gateway_and_hidden_tags_survive_the_round_trip_to_azure(azure: Builder, backend: Backend) -> None:
    azure.resource_group("rg")
    subnet = Subnet(
        name="web",
        prefixes=("10.1.1.0/24",),
        default_outbound_access=True,
        private_endpoint_network_policies="Enabled",
        private_link_service_network_policies="Disabled",
        service_endpoints=("Microsoft.Sql", "Microsoft.Storage"),
    )
    network = structs.replace(wanted(), subnets=(subnet,), tags={"hidden-title": "x", "A": "b"})
    backend.network_writer.create_virtual_network(network)
    got = backend.networks.virtual_network(network.id)
    assert got is not None
    assert (got.subnets, got.tags) == ((subnet,), network.tags)


def test_a_gateway_in_a_network_is_recognised(azure: Builder, backend: Backend) -> None:
    gateway = Subnet(name="GatewaySubnet", prefixes=("10.0.0.0/27",), used=1)
    azure.virtual_network("hub", "eastasia", address_space=("10.0.0.0/16",), subnets=(gateway,), gateway=True)
    assert [network.gateway for network in backend.networks.virtual_networks(SUBSCRIPTION)] == [True]


def test_security_groups_and_route_tables_are_read_by_id(azure: Builder, backend: Backend) -> None:
    group = azure.network_security_group("nsg", "southeastasia")
    table = azure.route_table("rt", "eastasia")
    assert backend.networks.subnet_attachment(group.id) == group
    assert backend.networks.subnet_attachment(table.id) == table
    assert backend.networks.subnet_attachment(ArmId(str(group.id).replace("/nsg", "/gone"))) is None
    assert backend.networks.subnet_attachment(ArmId(str(table.id).replace("/rg/", "/gone/"))) is None


def test_a_network_is_created_with_the_attachments_of_its_subnets(azure: Builder, backend: Backend) -> None:
    azure.resource_group("rg")
    group, table = azure.network_security_group("nsg", "southeastasia"), azure.route_table("rt", "southeastasia")
    web = Subnet(name="web", prefixes=("10.1.1.0/24",), network_security_group=group.id, route_table=table.id)
    backend.network_writer.create_virtual_network(structs.replace(wanted(), subnets=(web,)))
    made = backend.networks.virtual_network(network_id("copy"))
    assert made
    assert made.subnets[0].attachments == ("network security group nsg", "route table rt")


def test_a_subnet_is_added_to_a_network_and_the_others_stay(azure: Builder, backend: Backend) -> None:
    network = azure.virtual_network("hub", "eastasia", address_space=["10.0.0.0/16"], subnets={"web": "10.0.1.0/24"})
    db = Subnet(name="db", prefixes=("10.0.2.0/24",), default_outbound_access=False)
    operation = backend.network_writer.create_subnet(NetworkSubnet(id=network.id.child("subnets", "db"), subnet=db))
    azure.world.clock.sleep(60)
    if operation:
        assert backend.network_writer.operation(operation).state == "succeeded"
    found = backend.networks.virtual_network(network.id)
    assert found
    assert [(subnet.name, subnet.prefixes) for subnet in found.subnets] == [
        ("web", ("10.0.1.0/24",)),
        ("db", ("10.0.2.0/24",)),
    ]
    assert found.subnets[1].default_outbound_access is False


def test_a_resource_group_is_created_at_once_and_read(azure: Builder, backend: Backend) -> None:
    azure.subscription(SUBSCRIPTION)
    group = ResourceGroup(id=network_id("x", group="new").parent, location="southeastasia", tags={"dr": "yes"})
    assert backend.networks.resource_group(group.id) is None
    assert backend.network_writer.create_resource_group(group) is None
    assert backend.networks.resource_group(group.id) == group


def test_the_attachments_of_a_network_are_read_by_name_and_by_id(azure: Builder, backend: Backend) -> None:
    """A copy omits the attachment, so the finding names it; attachments requested for a new subnet are given by id."""
    group = azure.network_security_group("nsg-web", "eastasia")
    table = azure.route_table("rt", "eastasia")
    remote = azure.virtual_network("shared", "eastasia")
    added = azure.virtual_network(
        "hub",
        "eastasia",
        address_space=("10.0.0.0/16",),
        subnets=(Subnet(name="web", prefixes=("10.0.1.0/24",), network_security_group=group.id, route_table=table.id),),
        peerings=(remote,),
    )
    network = backend.networks.virtual_network(added.id)
    assert network is not None
    assert network.peerings == (Peering(network_id=remote.id, name="shared"),)
    assert network.attachments == ("peering shared",)
    (subnet,) = network.subnets
    assert (subnet.network_security_group, subnet.route_table) == (group.id, table.id)
    assert subnet.attachments == ("network security group nsg-web", "route table rt")


def test_a_peering_says_what_traffic_it_allows(azure: Builder, backend: Backend) -> None:
    """This decides whether machines under test can reach production."""
    remote = azure.virtual_network("shared", "eastasia")
    closed = Peering(network_id=remote.id, name="closed", connected=False)
    through = Peering(network_id=remote.id, name="through", allow_forwarded=True, use_remote_gateways=True)
    added = azure.virtual_network("hub", "eastasia", peerings=(closed, through))
    network = backend.networks.virtual_network(added.id)
    assert network is not None
    assert network.peerings == (closed, through)


def network_resource(kind: str, name: str) -> ArmId:
    return ArmId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/{kind}/{name}")


def test_network_interfaces_are_listed_with_security_groups_and_public_ips(azure: Builder, backend: Backend) -> None:
    hub = azure.virtual_network("hub", "eastasia", subnets={"web": "10.0.1.0/24"}, address_space=["10.0.0.0/16"])
    interface = NetworkInterface(
        id=network_resource("networkInterfaces", "web1-nic"),
        location="eastasia",
        network_security_group=network_resource("networkSecurityGroups", "nsg-web"),
        accelerated_networking=True,
        dns_servers=("10.0.1.10",),
        ip_configurations=(
            InterfaceAddress(
                name="first",
                network=hub.id,
                subnet="web",
                ip="10.0.1.4",
                ip_type="Static",
                public_ip=network_resource("publicIPAddresses", "pip"),
                load_balancer_pools=(network_resource("loadBalancers", "lb").child("backendAddressPools", "web"),),
                inbound_nat_rules=(network_resource("loadBalancers", "lb").child("inboundNatRules", "ssh"),),
                application_gateway_pools=(
                    network_resource("applicationGateways", "agw").child("backendAddressPools", "web"),
                ),
                application_security_groups=(network_resource("applicationSecurityGroups", "asg-web"),),
            ),
            InterfaceAddress(
                name="second", primary=False, network=hub.id, subnet="web", ip="10.0.1.5", ip_type="Dynamic"
            ),
        ),
    )
    azure.add(interface)
    plain = azure.network_interface("web2-nic", hub, subnet="web", ip="10.0.1.6")
    assert list(backend.networks.network_interfaces(SUBSCRIPTION)) == [interface, plain]


def test_network_interfaces_of_a_subscription_that_may_not_be_read_are_an_error(
    azure: Builder, backend: Backend, behave: Callable[..., None]
) -> None:
    azure.network_interface("web1-nic", azure.virtual_network("hub", "eastasia"))
    behave(denied=("Microsoft.Network/networkInterfaces/read",))
    with pytest.raises(ForbiddenError):
        list(backend.networks.network_interfaces(SUBSCRIPTION))


def test_subnets_of_a_new_network_are_attached_as_requested(azure: Builder, backend: Backend) -> None:
    """Landing zones refuse subnets without a network security group or a route table."""
    group = azure.network_security_group("nsg", "southeastasia", group="rg-rules")
    table = azure.route_table("rt", "southeastasia", group="rg-rules")
    network = wanted()
    attached = structs.replace(network.subnets[0], network_security_group=group.id, route_table=table.id)
    azure.resource_group("rg")
    backend.network_writer.create_virtual_network(structs.replace(network, subnets=(attached, network.subnets[1])))
    created = backend.networks.virtual_network(network.id)
    assert created is not None
    first, second = created.subnets
    assert (first.network_security_group, first.route_table) == (group.id, table.id)
    assert (second.network_security_group, second.route_table) == (None, None)


def test_a_subnet_is_added_and_the_others_stay(azure: Builder, backend: Backend) -> None:
    group = azure.network_security_group("nsg", "eastasia")
    web = Subnet(name="web", prefixes=("10.0.1.0/24",))
    added = azure.virtual_network("hub", "eastasia", address_space=("10.0.0.0/16",), subnets=(web,))
    new = Subnet(name="app", prefixes=("10.0.2.0/24",), default_outbound_access=False, network_security_group=group.id)
    operation = backend.network_writer.create_subnet(NetworkSubnet(id=added.id.child("subnets", "app"), subnet=new))
    if operation is not None:
        assert backend.network_writer.operation(operation).state == "succeeded"
    network = backend.networks.virtual_network(added.id)
    assert network is not None
    assert [(subnet.name, subnet.prefixes) for subnet in network.subnets] == [
        ("web", ("10.0.1.0/24",)),
        ("app", ("10.0.2.0/24",)),
    ]
    assert network.subnets[1].default_outbound_access is False
    assert network.subnets[1].network_security_group == group.id


def test_security_groups_and_route_tables_have_their_region_and_missing_ones_are_none(
    azure: Builder, backend: Backend
) -> None:
    group = azure.network_security_group("nsg", "southeastasia")
    table = azure.route_table("rt", "eastasia")
    assert backend.networks.subnet_attachment(group.id) == group
    assert backend.networks.subnet_attachment(table.id) == table
    assert backend.networks.subnet_attachment(ArmId(str(group.id).replace("/nsg", "/other"))) is None
    assert backend.networks.subnet_attachment(ArmId(str(table.id).replace("/rt", "/other"))) is None


def test_a_resource_group_is_created_and_read(azure: Builder, backend: Backend) -> None:
    azure.subscription(SUBSCRIPTION)
    group = ResourceGroup(
        id=ArmId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/new"),
        location="southeastasia",
        tags={"asrnet-copy-of": "x"},
    )
    assert backend.networks.resource_group(group.id) is None
    assert backend.network_writer.create_resource_group(group) is None
    assert backend.networks.resource_group(group.id) == group
