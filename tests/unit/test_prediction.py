"""From the inventory to predictions: machines, networks, addresses in use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from states import EA, SEA, row
from two_sites import TwoSites, vmm_row

from asrnet.desired import DesiredState, Region, Selection, Vault
from asrnet.errors import InputError
from asrnet.failover import Landing, Operation, Prediction
from asrnet.fake.records import VmNetworkRecord
from asrnet.model.arm import ArmId
from asrnet.model.azure import COPY_TAG, IpConfiguration, Nic, Subnet, VirtualNetwork
from asrnet.prediction import Question, predict, read_machines, unread_inputs

JP = "japaneast"


class World(TwoSites):
    """Two regions and two sites, with helpers for predictions."""

    def protect(self, name: str, network: VirtualNetwork, ip: str, *, subnet: str = "web", **nic: Any) -> None:
        """A machine of a region, replicated to the other one."""
        configuration = IpConfiguration(subnet=subnet, ip=ip, ip_type="Static")
        first = Nic(name="nic0", primary_network_id=network.id, ip_configurations=(configuration,), **nic)
        self.build.protected_item(name, self.fabrics[EA], self.fabrics[SEA], first)

    def ask(
        self,
        desired: DesiredState | None = None,
        *,
        operation: Operation = "failover",
        selection: Selection = Selection(),  # noqa: B008 - a frozen value
        **question: Any,
    ) -> Prediction:
        """The answer, read and predicted as the command line does."""
        asked = Question(operation=operation, **question)
        wanted = desired or self.state()
        return predict(read_machines(wanted, self.backend, asked, selection=selection))

    def subnets(self, desired: DesiredState | None = None) -> set[tuple[str | None, str | None]]:
        """The subnets that are predicted without machines."""
        landings = self.ask(desired, all_subnets=True).landings
        return {(landing.primary_network, landing.primary_subnet) for landing in landings}


@pytest.fixture
def world() -> World:
    return World()


def only(prediction: Prediction) -> Landing:
    [landing] = prediction.landings
    return landing


def test_a_machine_lands_where_the_mapping_of_its_vault_leads(world: World) -> None:
    hub, there = world.network("hub"), world.network("there", SEA)
    world.map(hub, there)
    world.protect("vm", hub, "10.0.1.4")
    landing = only(world.ask())
    assert (landing.network, landing.ip, landing.outcome) == ("there", "10.0.1.4", "keeps_address")


def test_networks_set_on_the_item_are_read_and_used(world: World) -> None:
    hub, there = world.network("hub"), world.network("there", SEA)
    elsewhere = "33333333-3333-3333-3333-333333333333"
    own, bubble = (world.network(name, SEA, subscription=elsewhere) for name in ("own", "bubble"))
    world.map(hub, there)
    nic = Nic(name="n", primary_network_id=hub.id, ip_configurations=(IpConfiguration(subnet="web", ip="10.0.1.4"),))
    bare = world.build.protected_item("vm", world.fabrics[EA], world.fabrics[SEA], nic)
    world.build.add(structs.replace(bare, recovery_network_id=own.id, test_network_id=bubble.id))
    landing = only(world.ask())
    assert (landing.network, landing.network_rule.code, landing.ip) == ("own", "own_network", "10.0.1.4")
    landing = only(world.ask(operation="test-failover"))
    assert (landing.network, landing.network_rule.code, landing.ip) == ("bubble", "test_own_network", "10.0.1.4")


def test_a_region_says_where_planned_machines_fail_over_to(world: World, tmp_path: Path) -> None:
    hub, there, far = world.network("hub"), world.network("there", SEA), world.network("far", JP)
    world.map(hub, there)
    world.build.mapping(world.fabrics[EA], hub, world.build.azure_fabric(world.vault, JP), far)
    listed = tmp_path / "machines.csv"
    listed.write_text("name,primary_network,subnet,ip,ip_type\nvm,hub,web,10.0.1.4,\n", encoding="utf-8")
    assert only(world.ask(listed_in=str(listed))).network_rule.code == "ambiguous_mapping"
    assert only(world.ask(listed_in=str(listed), recovery_region="Japan East")).network == "far"
    landings = world.ask(all_subnets=True, recovery_region=SEA).landings
    assert {landing.network for landing in landings if landing.primary_network == "hub"} == {"there"}


def test_an_unknown_region_or_one_for_protected_machines_is_refused(world: World) -> None:
    world.network("hub")
    with pytest.raises(
        InputError, match="no network and no fabric is in the region 'eastasai'; did you mean 'eastasia'"
    ):
        world.ask(all_subnets=True, recovery_region="eastasai")
    with pytest.raises(InputError, match="a recovery region cannot be chosen for protected machines"):
        world.ask(recovery_region=SEA)


def test_networks_of_machines_are_read_wherever_they_are(world: World) -> None:
    hub, there = world.network("hub"), world.network("there", SEA)
    own = world.network("own", SEA, subscription="33333333-3333-3333-3333-333333333333")
    world.map(hub, there)
    world.protect("vm", hub, "10.0.1.4", recovery_network_id=own.id, test_network_id=own.id)
    assert only(world.ask()).ip == "10.0.1.4"
    assert only(world.ask(operation="test-failover")).network == "own"


def test_an_address_in_use_on_the_recovery_side_is_taken(world: World) -> None:
    hub, there = world.network("hub"), world.network("there", SEA)
    used = Subnet(name="web", prefixes=("10.0.1.0/24",), used=1, used_ips=("10.0.1.4",))
    world.build.add(structs.replace(there, subnets=(used,)))
    world.map(hub, there)
    world.protect("vm", hub, "10.0.1.4")
    landing = only(world.ask())
    assert (landing.ip, landing.rule.code, landing.detail) == ("10.0.1.5", "address_taken", "10.0.1.4 is in use there")


BUBBLE = "33333333-3333-3333-3333-333333333333"


def listed(path: Path, *networks: ArmId) -> str:
    """A list of machines, one on each network."""
    rows = [f"- {{name: vm{number}, primary_network: {name}, subnet: web}}" for number, name in enumerate(networks)]
    path.write_text("\n".join(rows), encoding="utf-8")
    return str(path)


def test_networks_given_by_id_are_found_in_any_subscription(world: World, tmp_path: Path) -> None:
    hub, there = world.network("hub"), world.network("there", SEA)
    world.map(hub, there)
    far, bubble = (world.network(name, place, subscription=BUBBLE) for name, place in (("far", EA), ("bubble", SEA)))
    machines = listed(tmp_path / "list.yaml", hub.id, far.id)
    landings = world.ask(operation="test-failover", test_network=str(bubble.id), listed_in=machines).landings
    assert [(each.primary_network, each.network) for each in landings] == [("hub", "bubble"), ("far", None)]


def test_a_network_given_by_id_that_may_not_be_read_is_not_reported_as_missing(world: World, tmp_path: Path) -> None:
    far = world.network("far", subscription=BUBBLE)
    world.world.behaviour = structs.replace(world.world.behaviour, denied=("Microsoft.Network/virtualNetworks/read",))
    with pytest.raises(InputError, match=r"far could not be read: .*authorization"):
        world.ask(test_network=str(far.id))
    with pytest.raises(InputError, match=r"far could not be read: .*authorization"):
        world.ask(listed_in=listed(tmp_path / "list.yaml", far.id))


@pytest.mark.parametrize("text", ["/subscriptions/x/..", "/nothing"])
def test_text_that_is_not_an_id_is_an_unknown_network(world: World, text: str) -> None:
    with pytest.raises(InputError, match=f"the network of the test failover: unknown network '{text}'"):
        world.ask(test_network=text)


def test_a_recovery_network_that_was_deleted_loses_its_machines(world: World) -> None:
    hub, there = world.network("hub"), world.network("there", SEA)
    world.map(hub, there)
    world.protect("vm", hub, "10.0.1.4")
    world.world.state.virtual_networks.remove(there.id.subscription, there.id.key)
    assert only(world.ask()).rule.code == "network_missing"


def test_with_an_unreadable_vault_a_listed_machine_is_not_reported_as_lost(world: World, tmp_path: Path) -> None:
    hub = world.network("hub")
    gone = Vault(name="gone", id=ArmId(f"{world.vault.id}-2"))
    desired = structs.replace(world.state(), vaults=(*world.state().vaults, gone))
    assert only(world.ask(desired, listed_in=listed(tmp_path / "list.yaml", hub.id))).rule.code == "mapping_unknown"


def test_a_machine_whose_mapping_is_invalid_is_not_reported_as_lost(world: World) -> None:
    hub = world.network("hub")
    world.protect("vm", hub, "10.0.1.4")
    world.build.unreadable_mapping(world.fabrics[EA], "riddle", hub)
    assert only(world.ask()).rule.code == "mapping_unknown"


def test_machines_of_vmm_servers_that_could_not_be_read_are_not_reported_as_lost(world: World) -> None:
    nic = Nic(name="n", primary_network_id=world.nets["VMNetwork1-Beijing"].id)
    cloud = world.build.cloud(world.beijing, "c")
    world.build.protected_item("vm", world.beijing, None, nic, cloud=cloud, provider="HyperVReplicaAzure")
    assert only(world.ask()).outcome == "loses_connectivity"
    networks = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/read"
    world.world.behaviour = structs.replace(world.world.behaviour, denied=(networks,))
    landing = only(world.ask())
    assert (landing.primary_network, landing.outcome) == ("VMNetwork1-Beijing", "unknown")


def test_addresses_are_read_only_for_networks_that_machines_land_on(world: World) -> None:
    used = Subnet(name="web", prefixes=("10.0.1.0/24",), used=1, used_ips=("10.0.1.9",))
    hub, there = (
        structs.replace(world.network(name, place), subnets=(used,)) for name, place in (("a", EA), ("b", SEA))
    )
    world.build.add(hub)
    world.build.add(there)
    world.map_both(hub, there)
    world.protect("vm", hub, "10.0.1.4")
    costs = []
    for operation in ("failover", "failback"):
        before = world.world.journal.methods()["GET"]
        world.ask(operation=operation)
        costs.append(world.world.journal.methods()["GET"] - before)
    assert costs[1] - costs[0] == 1


def test_all_subnets_leaves_out_networks_that_are_only_recovery_networks(world: World) -> None:
    hub, there = world.network("hub"), world.network("there", SEA)
    planned, app = world.network("planned", SEA), world.network("app")
    world.map_both(hub, there)
    desired = world.state(row(app, planned), regions=())
    assert world.subnets(desired) == {("hub", "web"), ("app", "web"), *VM_NETWORKS}


@pytest.mark.parametrize(
    ("there", "at_failover", "at_failback"),
    [
        ({"web": "10.0.1.0/24", "db": "10.0.2.0/24"}, False, False),
        ({"web": "10.0.1.0/24", "db": "10.0.0.0/16"}, False, True),
        ({"web": "10.0.1.0/25", "db": "10.0.2.0/24"}, True, False),
        ({"web": "10.9.1.0/24", "db": "10.0.2.0/24"}, True, True),
        ({"first": "10.0.0.0/16"}, False, True),
        ({"web": "10.0.1.0/24", "db": "10.0.2.0/24", "unused": "10.7.0.0/24"}, False, False),
    ],
    ids=["same", "wider", "narrower", "elsewhere", "one for both", "one that nobody lands in"],
)
def test_the_plan_warns_of_new_addresses_exactly_where_a_prediction_has_them(
    world: World, there: dict[str, str], *, at_failover: bool, at_failback: bool
) -> None:
    hub = world.network("hub", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24"})
    recovery = world.network("there", SEA, subnets=there)
    world.map_both(hub, recovery)
    desired = world.state(row(hub, recovery, name="hub"))
    found = [each.message for each in world.plan(desired).findings if each.kind == "address_space_differs"]
    expected_of: dict[Operation, bool] = {"failover": at_failover, "failback": at_failback}
    for operation, expected in expected_of.items():
        landings = [
            landing
            for landing in world.ask(desired, all_subnets=True, operation=operation).landings
            if landing.primary_network == "hub"
        ]
        assert len(landings) == 2
        assert any(landing.outcome != "keeps_address" for landing in landings) is expected
        other = "failback" if operation == "failover" else "failover"
        changes = [change for message in found for change in message.partition(": ")[2].split("; ")]
        assert any(f"({other} only)" not in change for change in changes) is expected


VM_NETWORKS = {(f"VMNetwork{n}-{site}", None) for n in (1, 2) for site in ("Beijing", "Shanghai")}


@pytest.mark.parametrize("tag", [COPY_TAG, COPY_TAG.title()])
def test_all_subnets_leaves_out_copies_and_regions_that_are_not_primary(world: World, tag: str) -> None:
    world.network("hub", tags={tag: "x"})
    world.network("other", JP)
    world.network("app")
    assert world.subnets() == {("app", "web"), *VM_NETWORKS}


def test_all_subnets_has_a_network_that_is_both_primary_and_recovery(world: World) -> None:
    first, second, third = world.network("first"), world.network("second", SEA), world.network("third", JP)
    fabric = world.build.azure_fabric(world.vault, JP)
    world.map(first, second)
    world.build.mapping(world.fabrics[SEA], second, fabric, third)
    regions = (Region(primary=EA, recovery=SEA), Region(primary=SEA, recovery=JP))
    assert world.subnets(world.state(regions=regions)) == {("first", "web"), ("second", "web"), *VM_NETWORKS}


def test_all_subnets_leaves_out_reserved_subnets(world: World) -> None:
    world.network("hub", subnets={"GatewaySubnet": "10.0.0.0/27", "web": "10.0.1.0/24"})
    assert world.subnets() == {("hub", "web"), *VM_NETWORKS}


def test_vm_networks_with_subnets_are_predicted_subnet_by_subnet(world: World) -> None:
    subnets = (Subnet(name="one", prefixes=("10.1.0.0/24",)), Subnet(name="two", prefixes=("10.2.0.0/24",)))
    world.build.add(VmNetworkRecord(network=structs.replace(world.nets["VMNetwork1-Beijing"], subnets=subnets)))
    name = "VMNetwork1-Beijing"
    assert world.subnets() == {(name, "one"), (name, "two"), *(VM_NETWORKS - {(name, None)})}


def test_a_machine_that_stands_for_a_subnet_takes_no_address(world: World) -> None:
    there = world.network("there", SEA)
    world.build.mapping(world.beijing, world.nets["VMNetwork1-Beijing"], None, there)
    landings = {landing.primary_network: landing for landing in world.ask(all_subnets=True).landings}
    landing = landings["VMNetwork1-Beijing"]
    assert (landing.network, landing.ip, landing.outcome, landing.whole_subnet) == (
        *("there", None, "changes_address", True),
    )


def test_machines_that_are_not_named_take_no_addresses(world: World) -> None:
    hub, there = world.network("hub"), world.network("there", SEA, subnets={"web": "10.9.1.0/24"})
    world.map(hub, there)
    for number in (4, 5):
        world.protect(f"vm{number}", hub, f"10.0.1.{number}")
    assert [landing.ip for landing in world.ask().landings] == ["10.9.1.4", "10.9.1.5"]
    assert only(world.ask(only=("VM5",))).ip == "10.9.1.4"


def test_an_unknown_machine_is_refused_with_the_nearest(world: World) -> None:
    world.protect("web1", world.network("hub"), "10.0.1.4")
    with pytest.raises(InputError, match="there is no machine 'wbe1'; did you mean 'web1'"):
        world.ask(only=("wbe1",))


def test_a_name_selects_every_machine_of_that_name_with_its_item(world: World) -> None:
    hub, there = world.network("hub"), world.network("there", SEA)
    world.map_both(hub, there)
    world.protect("web1", hub, "10.0.1.4")
    nic = Nic(name="nic0", primary_network_id=there.id, ip_configurations=(IpConfiguration(subnet="web"),))
    back = world.build.protected_item("WEB1", world.fabrics[SEA], world.fabrics[EA], nic)
    landings = world.ask(only=("web1",)).landings
    assert [each.network for each in landings] == ["there", "hub"]
    assert landings[1].item_id == back.id != landings[0].item_id


def test_pairs_select_the_machines_on_their_networks(world: World) -> None:
    hub, there, app = world.network("hub"), world.network("there", SEA), world.network("app")
    world.map_both(hub, there)
    world.protect("on-hub", hub, "10.0.1.4")
    world.protect("on-app", app, "10.0.1.5")
    nic = Nic(name="n", primary_network_id=world.nets["VMNetwork1-Beijing"].id)
    world.build.protected_item(
        "on-site", world.beijing, world.shanghai, nic, cloud=world.build.cloud(world.beijing, "c")
    )
    world.build.mapping(
        world.beijing, world.nets["VMNetwork1-Beijing"], world.shanghai, world.nets["VMNetwork1-Shanghai"]
    )
    vmm = vmm_row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork1-Shanghai")
    desired = structs.replace(world.state(row(hub, there, name="hub")), vmm_pairs=(vmm,))
    for pair, machine in (("hub", "on-hub"), ("vm1", "on-site")):
        found = world.ask(desired, selection=Selection(pairs=frozenset({pair})))
        assert {landing.machine for landing in found.landings} == {machine}


def test_a_declared_pair_of_vm_networks_selects_machines_before_it_is_mapped(world: World) -> None:
    cloud = world.build.cloud(world.beijing, "c")
    for number in (1, 2):
        nic = Nic(name="n", primary_network_id=world.nets[f"VMNetwork{number}-Beijing"].id)
        world.build.protected_item(f"vm{number}", world.beijing, world.shanghai, nic, cloud=cloud)
    row_of_one = vmm_row("VMM-Beijing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork1-Shanghai")
    selected = Selection(pairs=frozenset({"vm1"}))
    assert only(world.ask(world.rows(row_of_one), selection=selected)).machine == "vm1"
    unknown = vmm_row("VMM-Bejing/VMNetwork1-Beijing", "VMM-Shanghai/VMNetwork1-Shanghai")
    with pytest.raises(InputError, match="unknown VMM server 'VMM-Bejing'; did you mean 'VMM-Beijing'"):
        world.ask(world.rows(unknown), selection=selected)


def test_unreadable_lists_are_named_where_they_matter(world: World) -> None:
    items = "Microsoft.RecoveryServices/vaults/replicationProtectedItems/read"
    container = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers"
    denied = (items, f"{container}/replicationProtectedItems/read", f"{container}/read")
    world.world.behaviour = structs.replace(world.world.behaviour, denied=denied)
    about_items = unread(world, Question())
    assert [line.partition(": ")[0] for line in about_items] == [
        *("the VMM servers of vault sea", "the machines of vault sea"),
    ]
    assert unread(world, Question(all_subnets=True)) == about_items[:1]


def unread(world: World, question: Question) -> tuple[str, ...]:
    """What a prediction lacks."""
    inputs = read_machines(world.state(), world.backend, question)
    return unread_inputs(inputs, predict(inputs))


def test_unreadable_networks_and_mappings_that_machines_follow_are_named(world: World) -> None:
    hub, app, there = world.network("hub"), world.network("app"), world.network("there", SEA, subscription=BUBBLE)
    world.map(hub, there)
    world.protect("vm", hub, "10.0.1.4")
    world.build.unreadable_mapping(world.fabrics[EA], "riddle", app)
    assert unread(world, Question()) == ()
    world.protect("other", app, "10.0.1.5")
    assert unread(world, Question()) == ("the mapping riddle of vault sea: it does not say which network it leads to",)
    world.world.behaviour = structs.replace(world.world.behaviour, denied=("Microsoft.Network/virtualNetworks/read",))
    assert [line.partition(": ")[0] for line in unread(world, Question(only=("vm",)))] == ["network there"]
