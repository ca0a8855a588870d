"""Test networks and subnets are judged in the state after the plan, so that the next plan agrees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from followers import Followers
from msgspec import structs
from states import EA, SEA, kinds, row

from asrnet import planning
from asrnet.desired import DesiredState, Ignore, Region, Row, Selection, Vault
from asrnet.errors import ForbiddenError
from asrnet.fake.behaviour import Behaviour
from asrnet.inventory.read import Unknown, read_inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import NOT_SELECTED, IpConfiguration, Nic, Peering, Subnet, VirtualNetwork
from asrnet.model.plan import Plan

OTHER_SUBSCRIPTION = "33333333-3333-3333-3333-333333333333"


class World(Followers):
    """hub and its machines go to old; its row declares new, and tests in old."""

    def __init__(self, machines: int = 2) -> None:
        super().__init__(machines, mapped_to="old")

    def wish(self, *others: Row, **more: Any) -> DesiredState:
        return self.state(row(self.hub, self.new, test=self.old.id), *others, **{"machines": "follow", **more})

    def tests(self) -> dict[str, str | None]:
        """The test network of each machine as the service shows it."""
        tests = {name: item.test_network_id for name, item in self.items().items()}
        return {name: test.name if test else None for name, test in tests.items()}


def judged(plan: Plan, network: VirtualNetwork) -> list[tuple[str, str]]:
    """The kind and message of each finding about a test network."""
    return [(finding.kind, finding.message) for finding in plan.findings if finding.subject == str(network.id)]


def production(network: str, reason: str) -> list[tuple[str, str]]:
    return [("conflict", f"the test network {network} {reason}: tests would run in production")]


def test_the_network_that_a_pair_and_all_its_machines_leave_can_become_their_test_network() -> None:
    world = World()
    plan = world.plan(world.wish())
    assert judged(plan, world.old) == []
    assert world.apply(plan).result == "succeeded"
    assert (set(world.destinations().values()), set(world.tests().values())) == ({"new"}, {"old"})
    again = world.plan(world.wish())
    assert (again.changes, judged(again, world.old)) == ((), [])


def held_machine(world: World) -> DesiredState:
    world.machine("held", is_cluster_member=True)
    return world.wish()


def ignored_machine(world: World) -> DesiredState:
    world.machine("ignored")
    return world.wish(ignore=(Ignore(machine="ignored", reason="on purpose"),))


def machine_of_another_network(world: World) -> DesiredState:
    protect(world, "other", world.network("other"), world.old)
    return world.wish()


def unmanaged_mapping(world: World) -> DesiredState:
    world.map(world.network("other"), world.old, name="unmanaged")
    return world.wish()


def unmanaged_mapping_that_may_not_be_deleted(world: World) -> DesiredState:
    world.map(world.network("other"), world.old, name="unmanaged")
    return world.wish(unmanaged="delete")


def mapping_of_another_tool(world: World) -> DesiredState:
    other = world.network("other")
    world.map(other, world.old, name="theirs")
    return world.wish(row(other, world.new, failback=False, managed_by="terraform"))


def pair_that_goes_there(world: World) -> DesiredState:
    return world.wish(row(world.network("other"), world.old, name="other"))


def protect(world: World, name: str, primary: VirtualNetwork, recovery: VirtualNetwork, *tests: ArmId | None) -> None:
    """A machine of ``primary``, with a NIC for each of ``tests``, its test network."""
    address = IpConfiguration(subnet="web", recovery_subnet="web")
    nics = [
        Nic(
            name=f"nic{number}",
            primary_network_id=primary.id,
            recovery_network_id=recovery.id,
            test_network_id=test,
            ip_configurations=(structs.replace(address, test_subnet="web" if test else None),),
        )
        for number, test in enumerate(tests or (None,))
    ]
    world.build.protected_item(
        name,
        world.fabrics[EA],
        world.fabrics[SEA],
        *nics,
        recovery_network_id=recovery.id,
        test_network_id=tests[0] if tests else None,
    )


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        (held_machine, "is the network to which held fails over"),
        (ignored_machine, "is the network to which ignored fails over"),
        (machine_of_another_network, "is the network to which other fails over"),
        (unmanaged_mapping, "is an end of mapping unmanaged in vault sea"),
        (unmanaged_mapping_that_may_not_be_deleted, "is an end of mapping unmanaged in vault sea"),
        (mapping_of_another_tool, "is an end of mapping theirs in vault sea"),
        (pair_that_goes_there, "is a network of pair other"),
    ],
)
def test_a_network_still_in_use_after_the_plan_becomes_no_test_network(
    arrange: Callable[[World], DesiredState], reason: str
) -> None:
    world = World()
    desired = arrange(world)
    plan = world.plan(desired)
    assert judged(plan, world.old) == production("old", reason)
    world.apply(plan)
    assert (world.destinations()["vm001"], set(world.tests().values())) == ("new", {None})
    again = world.plan(desired)
    assert (again.changes, judged(again, world.old)) == ((), production("old", reason))


def test_a_mapping_that_waits_for_a_failover_keeps_its_networks_in_production() -> None:
    world = World()
    world.change("vm002", active_location="Recovery", state="UnplannedFailoverCommitted")
    plan = world.plan(world.wish())
    assert (plan.changes, judged(plan, world.old)) == (
        (),
        production("old", "is an end of mapping hub-to-old in vault sea"),
    )


def test_machines_that_are_only_reported_keep_their_network_in_production() -> None:
    world = World()
    desired = world.wish(machines="report")
    reason = "is the network to which vm001 fails over"
    assert judged(world.plan(desired), world.old) == production("old", reason)
    world.apply(world.plan(desired))
    assert judged(world.plan(desired), world.old) == production("old", reason)


def test_machines_that_are_not_selected_keep_their_network_in_production() -> None:
    world = World()
    selection = Selection(machines=frozenset({"vm001"}))
    reason = "is the network to which vm002 fails over"
    plan = world.plan(world.wish(), selection=selection)
    assert judged(plan, world.old) == production("old", reason)
    world.apply(plan)
    assert world.destinations() == {"vm001": "new", "vm002": "old"}
    again = world.plan(world.wish(), selection=selection)
    assert (again.changes, judged(again, world.old)) == ((), production("old", reason))
    # A run on all pairs frees the network, also for the one that has already left it.
    world.apply(world.plan(world.wish()))
    assert world.tests() == {"vm001": "old", "vm002": "old"}


def test_a_mapping_that_the_plan_deletes_puts_nothing_in_production() -> None:
    world = World()
    desired = unmanaged_mapping_that_may_not_be_deleted(world)
    plan = world.plan(desired, allow_delete=True)
    assert judged(plan, world.old) == []
    world.apply(plan)
    assert set(world.tests().values()) == {"old"}
    assert world.plan(desired, allow_delete=True).changes == ()


def test_pairs_that_swap_their_networks_use_both_of_them() -> None:
    world = World()
    other = world.network("other")
    world.map_both(other, world.new)
    desired = world.wish(row(other, world.old, test=world.new.id))
    plan = world.plan(desired)
    assert [judged(plan, network) for network in (world.old, world.new)] == [
        production("old", "is a network of pair other"),
        production("new", "is a network of pair hub"),
    ]
    world.apply(plan)
    assert world.plan(desired).changes == ()


def test_a_network_that_two_pairs_leave_is_free_only_once_both_have_left_it() -> None:
    world = World()
    spoke = world.network("spoke")
    world.map(spoke, world.old, name="spoke")
    protect(world, "sp1", spoke, world.old)
    both = world.wish(row(spoke, world.new, failback=False, test=world.old.id))
    only_hub = Selection(pairs=frozenset({"hub"}))
    plan = world.plan(both, selection=only_hub)
    assert judged(plan, world.old) == production("old", "is an end of mapping spoke in vault sea")
    world.apply(world.plan(both))
    assert set(world.tests().values()) == {"old"}
    assert world.plan(both).changes == ()


def test_a_machine_whose_test_network_cannot_be_set_follows_its_mapping_and_frees_the_network() -> None:
    world = World()
    (nic,) = world.items()["vm001"].nics
    world.change("vm001", nics=(structs.replace(nic, settings={"tfoReuseExistingNic": True, "tfoNicName": "mine"}),))
    plan = world.plan(world.wish())
    (differs,) = [
        finding.message
        for finding in plan.findings
        if finding.kind == "test_network_differs" and finding.message.startswith("vm001")
    ]
    reason = "NIC nic0 uses the existing NIC mine after a test failover, which stays on its network"
    assert (
        differs
        == f"vm001 is tested in no network, and its pair asks for old; its test network stays as it is: {reason}"
    )
    world.apply(plan)
    assert world.destinations() == {"vm001": "new", "vm002": "new"}
    assert world.tests() == {"vm001": None, "vm002": "old"}
    again = world.plan(world.wish())
    assert again.changes == ()
    assert [(view.name, view.status, view.reason) for view in again.machines] == [
        ("vm001", "held", reason),
        ("vm002", "in_sync", ""),
    ]


def test_a_test_network_without_subnets_keeps_no_machine_from_its_recovery_network() -> None:
    world = World(1)
    bare = world.network("bare", SEA, subnets=())
    plan = world.plan(world.state(row(world.hub, world.new, test=bare.id), machines="follow"))
    world.apply(plan)
    assert (world.destinations(), world.tests()) == ({"vm001": "new"}, {"vm001": None})


def reserved_subnet(world: World) -> ArmId:
    return world.network("reserved", SEA, subnets={"GatewaySubnet": "10.0.1.0/24"}).id


def static_test_address(world: World) -> ArmId:
    (nic,) = world.items()["vm001"].nics
    address = structs.replace(nic.ip_configurations[0], test_subnet="web", test_ip="10.9.9.9")
    nic = structs.replace(nic, ip_configurations=(address, *nic.ip_configurations[1:]))
    world.change("vm001", nics=(nic,))
    return world.bubble.id


@pytest.mark.parametrize(
    ("problem", "reason", "hint"),
    [
        (
            reserved_subnet,
            "NIC nic0 would land in GatewaySubnet of reserved, which is reserved for an Azure service",
            "create a subnet web in reserved",
        ),
        (
            static_test_address,
            "its static test address 10.9.9.9 is not in subnet web of bubble (10.0.1.0/24)",
            "change the address, or release it with release_addresses: true in the row or in the file",
        ),
    ],
)
def test_a_machine_that_cannot_land_in_its_test_network_follows_and_the_finding_says_why_and_what_to_do(
    problem: Callable[[World], ArmId], reason: str, hint: str
) -> None:
    world = World(1)
    desired = world.state(row(world.hub, world.new, test=problem(world)), machines="follow")
    plan = world.plan(desired)
    (differs,) = [finding for finding in plan.findings if finding.kind == "test_network_differs"]
    assert (differs.message.partition("; its test network stays as it is: ")[2], differs.hint) == (reason, hint)
    world.apply(plan)
    assert (world.destinations(), world.tests()) == ({"vm001": "new"}, {"vm001": None})


def test_a_machine_that_keeps_its_recovery_network_as_its_test_network_is_reported_as_tested_in_production() -> None:
    world = World(0)
    protect(world, "vm1", world.hub, world.old, world.new.id)
    bare = world.network("bare", SEA, subnets=())
    plan = world.plan(world.state(row(world.hub, world.new, test=bare.id), machines="follow"))
    (differs,) = [finding.message for finding in plan.findings if finding.kind == "test_network_differs"]
    assert differs == (
        "vm1 is tested in new, and its pair asks for bare; its test network stays as it is, although it fails over to "
        "that network, so that tests run in production: bare has no subnets"
    )
    world.apply(plan)
    assert (world.destinations(), world.tests()) == ({"vm1": "new"}, {"vm1": "new"})


def test_a_machine_that_is_held_anyway_has_the_reasons_of_its_test_network_too() -> None:
    world = World(0)
    world.machine("held", is_cluster_member=True)
    bare = world.network("bare", SEA, subnets=())
    (view,) = world.plan(world.state(row(world.hub, world.new, test=bare.id), machines="follow")).machines
    assert view.reason == "it is a member of a cluster, whose machines are updated together; bare has no subnets"


def test_a_machine_that_cannot_leave_without_a_test_network_keeps_a_further_one_in_production() -> None:
    """vm1's NICs have different test networks, which an update cannot keep, and bubble is in use."""
    world = World(1)
    spoke = world.network("spoke")
    protect(world, "vm1", spoke, world.old, world.bubble.id, world.network("elsewhere", SEA).id)
    protect(world, "busy", world.network("other"), world.bubble)
    desired = world.wish(row(spoke, world.new, failback=False, test=world.bubble.id))
    plan = world.plan(desired)
    assert judged(plan, world.bubble) == production("bubble", "is the network to which busy fails over")
    assert judged(plan, world.old) == production("old", "is the network to which vm1 fails over")
    world.apply(plan)
    assert world.destinations() == {"vm001": "new", "vm1": "old", "busy": "bubble"}
    assert world.tests()["vm001"] is None
    again = world.plan(desired)
    assert (again.changes, judged(again, world.old)) == ((), judged(plan, world.old))


def test_peerings_behind_the_network_that_a_pair_leaves_are_read_and_judged_in_the_same_run() -> None:
    world = World()
    peer = Peering(network_id=world.old.id, allow_forwarded=True)
    quiet = world.network("quiet", SEA, peerings=[peer])
    # Of another subscription, so that no list has it.
    hidden = world.network("hidden", SEA, peerings=[peer], gateway=True, subscription=OTHER_SUBSCRIPTION)
    peers = (Peering(network_id=quiet.id), Peering(network_id=hidden.id))
    world.build.add(structs.replace(world.old, peerings=peers))
    desired = world.state(row(world.hub, world.new, test=quiet.id), machines="follow")
    plan = world.plan(desired)
    chain = "the test network quiet is connected to the gateway of hidden: quiet - old - hidden"
    assert judged(plan, quiet) == [("test_network_connected", chain)]
    world.apply(plan)
    assert judged(world.plan(desired), quiet) == [("test_network_connected", chain)]


class TwoVaults(World):
    """A second vault with a machine on its own network that fails over to ``beside``."""

    def __init__(self, beside: str) -> None:
        super().__init__()
        self.spoke = self.network("spoke")
        second = self.build.vault("second", "westus")
        self.second = Vault(name="second", id=second.id)
        self.fabrics = {place: self.build.azure_fabric(second, place) for place in (EA, SEA)}
        protect(self, "beside", self.spoke, {"bubble": self.bubble, "old": self.old, "new": self.new}[beside])

    def desired(self, *others: Row, **more: Any) -> DesiredState:
        state = self.state(row(self.hub, self.new, **more), *others, machines="follow")
        return structs.replace(state, vaults=(*state.vaults, self.second))


class TestOtherVaults:
    @pytest.mark.parametrize("vaults", [frozenset(), frozenset({"sea"})], ids=["of the run", "left out of the run"])
    @pytest.mark.parametrize("declared", ["row", "region"])
    def test_the_networks_of_machines_in_other_vaults_are_production(
        self, vaults: frozenset[str], declared: str
    ) -> None:
        world = TwoVaults("bubble")
        desired = world.desired(test=world.bubble.id if declared == "row" else None)
        if declared == "region":
            regions = (Region(primary=EA, recovery=SEA, test=world.bubble.id),)
            desired = structs.replace(desired, regions=regions)
        plan = world.plan(desired, selection=Selection(vaults=vaults))
        assert judged(plan, world.bubble) == production("bubble", "is the network to which beside fails over")

    def test_machines_of_other_vaults_are_read_only_where_a_test_network_is_named(self) -> None:
        world = TwoVaults("bubble")
        world.plan(world.desired(test="none"), selection=Selection(vaults=frozenset({"sea"})))
        assert [call.name for call in world.called("protected_items")] == ["vault-dr"]

    @pytest.mark.parametrize(
        ("unread", "what"),
        [
            ({"items": Unknown(error=ForbiddenError("not allowed"))}, "the machines of vault second"),
            ({"error": ForbiddenError("not allowed")}, "vault second"),
        ],
    )
    @pytest.mark.parametrize("where", ["vaults", "other_vaults"])
    def test_no_machine_is_given_a_test_network_where_machines_of_other_vaults_could_not_be_read(
        self, unread: Any, what: str, where: str
    ) -> None:
        world = TwoVaults("old")
        desired = world.desired(test=world.bubble.id)
        vaults = frozenset({"sea"} if where == "other_vaults" else ())
        inventory = read_inventory(desired, world.backend, selection=Selection(vaults=vaults))
        second = structs.replace(getattr(inventory, where)["second"], **unread)
        plan = planning.plan(
            desired, structs.replace(inventory, **{where: {**getattr(inventory, where), "second": second}})
        )
        (doubt,) = [finding for finding in plan.findings if finding.subject == str(world.bubble.id)]
        assert (doubt.kind, doubt.severity, doubt.pair) == ("unknown", "error", "hub")
        assert doubt.message == (
            "whether the test network bubble is production is not known, so no machine gets it: "
            f"could not read {what}: not allowed"
        )
        machines = [change for change in plan.changes if change.kind == "protected_item"]
        assert [getattr(change.after, "test_network_id", "") for change in machines] == [None, None]

    def test_a_vault_left_out_of_the_run_that_cannot_be_read_makes_test_networks_unknown(self) -> None:
        world = TwoVaults("old")
        world.second = structs.replace(world.second, id=ArmId(f"{world.vault.id}-gone"))
        plan = world.plan(world.desired(test=world.bubble.id), selection=Selection(vaults=frozenset({"sea"})))
        ((kind, message),) = judged(plan, world.bubble)
        assert (kind, "could not read vault second: " in message) == ("unknown", True)

    def test_a_vault_left_out_of_the_run_in_which_nothing_was_ever_protected_uses_no_network(self) -> None:
        world = TwoVaults("old")
        unused = world.build.vault("unused", "westus")
        world.second = structs.replace(world.second, id=unused.id)
        world.world.state.behaviour = Behaviour(unused_vault="reject_400")
        plan = world.plan(world.desired(test=world.bubble.id), selection=Selection(vaults=frozenset({"sea"})))
        assert judged(plan, world.bubble) == []


class TestSmallSubnets:
    def test_machines_of_two_vaults_in_one_subnet_are_one_finding_with_their_sum(self) -> None:
        world = TwoVaults("new")
        small = structs.replace(world.new, subnets=(Subnet(name="web", prefixes=("10.0.1.64/29",)),))
        world.build.add(small)
        spoke = Row(name="spoke", vault="second", primary=world.spoke.id, recovery=small.id)
        plan = world.plan(world.desired(spoke, release_addresses=True))
        (warning,) = [finding.message for finding in plan.findings if finding.kind == "subnet_too_small"]
        assert warning == (
            "subnet web of new cannot hold the machines that would land there: "
            "they need 5, and 3 of its addresses are free"
        )

    def test_subnets_are_judged_for_the_pairs_of_the_run(self) -> None:
        world = TwoVaults("new")
        world.build.add(structs.replace(world.new, subnets=(Subnet(name="web", prefixes=("10.0.1.64/29",)),)))
        for number in range(3):
            protect(world, f"full{number}", world.spoke, world.new)
        desired = world.desired(row(world.network("other"), world.bubble, name="other"))
        assert "subnet_too_small" in kinds(world.plan(desired))
        assert "subnet_too_small" not in kinds(world.plan(desired, selection=Selection(pairs=frozenset({"other"}))))

    def test_nics_that_do_not_fail_over_need_no_address(self) -> None:
        world = World(0)
        small = world.network("small", SEA, subnets=[Subnet(name="web", prefixes=("10.0.1.0/29",))])
        for number in range(4):
            protect(world, f"vm{number}", world.hub, small)
        (nic,) = world.items()["vm0"].nics
        world.change("vm0", nics=(structs.replace(nic, selection=NOT_SELECTED),))
        assert "subnet_too_small" not in kinds(world.plan(world.state(row(world.hub, small))))

    def test_machines_that_run_in_a_subnet_already_need_no_further_address(self) -> None:
        world = World(0)
        small = world.network("small", SEA, subnets=[Subnet(name="web", prefixes=("10.0.1.0/29",))])
        for number in range(4):
            protect(world, f"vm{number}", world.hub, small)
        desired = world.state(row(world.hub, small))
        assert "subnet_too_small" in kinds(world.plan(desired))
        world.change("vm0", active_location="Recovery", state="UnplannedFailoverCommitted")
        assert "subnet_too_small" not in kinds(world.plan(desired))
