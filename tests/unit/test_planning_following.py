"""Machines that follow their pair: networks, what an update waits for, and what holds it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, cast

import pytest
from followers import Followers, Recorded
from msgspec import structs
from states import EA, SEA, TwoRegions, kinds, row

from asrnet import planning
from asrnet.desired import EVERYTHING, CopySettings, DesiredState, Freeze, Ignore, Region, Row, Selection, Source
from asrnet.errors import ForbiddenError
from asrnet.inventory.read import Unknown, read_inventory
from asrnet.model.access import Rights
from asrnet.model.arm import ArmId
from asrnet.model.azure import NOT_SELECTED, IpConfiguration, Job, Nic, ProtectedItem, Subnet, VirtualNetwork
from asrnet.model.limits import Limits
from asrnet.model.machine_networks import MachineAddress, MachineNetworks, is_set_to, networks_of, updated
from asrnet.model.plan import Change, Plan, load_plan, to_json
from asrnet.ports import MappingReader
from asrnet.render import render

UPDATES = Rights(actions=("Microsoft.RecoveryServices/*",))
POOL = ArmId(
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Network/loadBalancers/lb/"
    "backendAddressPools/web"
)


class World:
    """hub is mapped to old and declared as new, or in sync with new; machines of hub still go to old."""

    def __init__(self) -> None:
        self.azure = TwoRegions()
        self.hub = self.azure.network("hub")
        self.old = self.azure.network("old", SEA)
        self.new = self.azure.network("new", SEA)
        self.bubble = self.azure.network("bubble", SEA)
        self.rights: tuple[Rights, ...] | Unknown | None = None

    def row(self, **more: Any) -> Row:
        return row(self.hub, self.new, **more)

    def plan(
        self,
        desired: DesiredState,
        *items: ProtectedItem,
        selection: Selection = EVERYTHING,
        forced: frozenset[str] = frozenset(),
    ) -> Plan:
        """The plan with exactly these machines, which a small world cannot build."""
        inventory = read_inventory(desired, self.azure.backend)
        vault = structs.replace(inventory.vaults["sea"], items=items, rights=self.rights)
        return planning.plan(
            desired, structs.replace(inventory, vaults={"sea": vault}), selection=selection, forced=forced
        )

    def following(self, *items: ProtectedItem, **more: Any) -> Plan:
        """The plan of hub's row, whose machines follow."""
        return self.plan(self.azure.state(self.row(**more), machines="follow"), *items)

    def machine(
        self,
        name: str = "vm1",
        *nics: Nic,
        network: VirtualNetwork | None = None,
        address: IpConfiguration | None = None,
        **more: Any,
    ) -> ProtectedItem:
        """A machine of hub that fails over to old."""
        container = self.azure.fabrics[EA].id.child("replicationProtectionContainers", "c")
        nic = Nic(
            name="nic0",
            id="nic-0",
            primary_network_id=(network or self.hub).id,
            recovery_network_id=self.old.id,
            ip_configurations=(address or IpConfiguration(name="ipconfig1", subnet="web", recovery_subnet="web"),),
        )
        members = {
            "recovery_network_id": self.old.id,
            "initial_location": EA,
            "primary_location": EA,
            "recovery_location": SEA,
            **more,
        }
        return ProtectedItem(
            id=container.child("replicationProtectedItems", name),
            friendly_name=name,
            recovery_fabric_id=self.azure.fabrics[SEA].id,
            nics=nics or (nic,),
            **members,
        )


@pytest.fixture
def world() -> World:
    world = World()
    world.azure.map_both(world.hub, world.new)
    return world


def machines(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.kind == "protected_item"]


def target(change: Change) -> ArmId | None:
    """The recovery network that a machine gets."""
    return change.after.recovery_network_id if isinstance(change.after, MachineNetworks) else None


def after(plan: Plan) -> MachineNetworks:
    (change,) = machines(plan)
    assert isinstance(change.after, MachineNetworks)
    return change.after


def held(plan: Plan) -> str:
    """Why the only machine is left alone."""
    assert machines(plan) == []
    (view,) = plan.machines
    assert view.status == "held"
    return view.reason


@pytest.mark.parametrize("test", ["bubble", "none"])
def test_a_nic_with_a_test_network_of_its_own_is_not_given_that_of_another(world: World, test: str) -> None:
    address = IpConfiguration(name="ipconfig1", subnet="web", recovery_subnet="web", test_subnet="web")
    first = Nic(
        name="nic0",
        id="0",
        primary_network_id=world.hub.id,
        recovery_network_id=world.old.id,
        test_network_id=world.old.id,
        ip_configurations=(address,),
    )
    second = structs.replace(first, name="nic1", id="1", test_network_id=None)
    plan = world.following(world.machine("vm1", first, second), test=world.bubble.id if test == "bubble" else "none")
    if test == "bubble":
        assert after(plan).test_network_id == world.bubble.id
    else:
        assert held(plan) == "its NICs have different networks for test failovers, and an update has one for all"


class TestWhichMachinesFollow:
    def test_a_machine_is_reported_and_left_alone_unless_the_file_says_otherwise(self, world: World) -> None:
        plan = world.plan(world.azure.state(world.row()), world.machine())
        assert (machines(plan), kinds(plan)) == ([], ["stale_protected_item"])
        assert plan.findings[0].hint == "asrnet apply --pair hub --machines follow"
        assert [(view.name, view.status) for view in plan.machines] == [("vm1", "reported")]

    def test_a_machine_that_follows_is_one_change_with_what_it_has_and_what_it_gets(self, world: World) -> None:
        plan = world.following(world.machine())
        (change,) = machines(plan)
        address = MachineAddress(nic="nic0", ip_configuration="ipconfig1", recovery_subnet="web")
        assert change.before == MachineNetworks(recovery_network_id=world.old.id, addresses=(address,))
        assert change.after == MachineNetworks(recovery_network_id=world.new.id, addresses=(address,))
        assert (change.action, change.name, change.pair, change.depends_on) == ("update", "vm1", "hub", ())
        assert change.reason == "fails over to old, will fail over to new"
        assert change.steps[0].fingerprint
        assert plan.resources.protected_item == 1
        assert [(view.name, view.status) for view in plan.machines] == [("vm1", "update")]

    def test_a_machine_that_is_where_it_should_be_is_shown_and_not_changed(self, world: World) -> None:
        item = world.machine()
        right = updated(item, structs.replace(networks_of(item), recovery_network_id=world.new.id))
        plan = world.following(right)
        assert (plan.changes, kinds(plan)) == ((), [])
        assert [(view.status, view.planned) for view in plan.machines] == [("in_sync", None)]

    @pytest.mark.parametrize("of_second", ["old", None])
    def test_a_machine_of_which_one_nic_is_where_it_should_be_follows_with_the_other(
        self, world: World, of_second: str | None
    ) -> None:
        address = IpConfiguration(name="ipconfig1", subnet="web", recovery_subnet="web")
        first = Nic(
            name="nic0",
            id="0",
            primary_network_id=world.hub.id,
            recovery_network_id=world.new.id,
            ip_configurations=(address,),
        )
        second = structs.replace(first, name="nic1", id="1", recovery_network_id=world.old.id if of_second else None)
        item = world.machine("vm1", first, second)
        assert item.recovery_network_id == world.old.id
        plan = world.following(item)
        (change,) = machines(plan)
        assert isinstance(change.before, MachineNetworks)
        assert (change.before.recovery_network_id, target(change)) == (world.old.id, world.new.id)
        assert [finding.message for finding in plan.findings] == ["vm1 (nic1) still fails over to old"]
        assert not is_set_to(item, after(plan))
        assert is_set_to(updated(item, after(plan)), after(plan))

    def test_a_machine_without_a_failover_network_is_not_reported_as_wrong(self, world: World) -> None:
        silent = nic_of(structs.replace(world.machine(), recovery_network_id=None), recovery_network_id=None)
        plan = world.following(silent)
        assert (plan.changes, kinds(plan)) == ((), [])

    @pytest.mark.parametrize(
        ("file", "of_row", "option", "follows"),
        [
            pytest.param("report", None, None, False, id="report is the default"),
            pytest.param("follow", None, None, True, id="the file"),
            pytest.param("follow", "report", None, False, id="a row beats the file"),
            pytest.param("report", "follow", None, True, id="a row beats the file, the other way"),
            pytest.param("follow", "follow", "report", False, id="the option beats both"),
            pytest.param("report", "report", "follow", True, id="the option beats both, the other way"),
        ],
    )
    def test_the_option_beats_rows_and_rows_beat_the_file(
        self, world: World, file: str, of_row: str | None, option: Any, follows: bool
    ) -> None:
        desired = world.azure.state(world.row(machines=of_row), machines=file).with_machines(option)
        assert bool(machines(world.plan(desired, world.machine()))) is follows

    def test_machines_of_a_pair_that_another_tool_manages_are_reported_with_its_name_and_never_change(
        self, world: World
    ) -> None:
        managed = world.row(managed_by="terraform", machines="follow", test=world.bubble.id)
        desired = world.azure.state(managed, machines="follow").with_machines("follow")
        plan = world.plan(desired, world.machine())
        assert plan.changes == ()
        hint = "terraform manages this pair: change the machine's networks there"
        assert [(finding.kind, finding.severity, finding.message, finding.hint) for finding in plan.findings] == [
            (
                "stale_protected_item",
                "warning",
                "vm1 (nic0) still fails over to old; mapping changes do not move it",
                hint,
            ),
            ("test_network_differs", "warning", "vm1 is tested in no network, and its pair asks for bubble", ""),
        ]
        assert [(view.status, view.follows) for view in plan.machines] == [("reported", False)]

    def test_a_test_network_that_differs_alone_names_the_tool_that_manages_the_pair(self, world: World) -> None:
        item = world.machine()
        right = updated(item, structs.replace(networks_of(item), recovery_network_id=world.new.id))
        desired = world.azure.state(world.row(managed_by="terraform", test=world.bubble.id))
        assert [(finding.kind, finding.hint) for finding in world.plan(desired, right).findings] == [
            ("test_network_differs", "terraform manages this pair: change the machine's networks there")
        ]

    @pytest.mark.parametrize("managed", ["hub", "second"])
    def test_a_machine_on_a_network_that_another_tool_manages_does_not_follow_by_its_other_nic(
        self, world: World, managed: str
    ) -> None:
        second = world.azure.network("second")
        world.azure.map(second, world.new)
        item = world.machine()
        nics = (item.nics[0], structs.replace(item.nics[0], name="nic1", id="nic-1", primary_network_id=second.id))
        rows = [world.row(), row(second, world.new, failback=False)]
        rows = [structs.replace(row, managed_by="terraform" if row.name == managed else None) for row in rows]
        plan = world.plan(world.azure.state(*rows, machines="follow"), structs.replace(item, nics=nics))
        assert plan.changes == ()
        assert [(view.pair, view.status) for view in plan.machines] == [(managed, "reported")]

    def test_machines_that_are_ignored_keep_their_networks_until_the_day_that_is_given(self, world: World) -> None:
        def planned(until: date | None) -> Plan:
            entry = Ignore(machine="SQL-*", reason="has a network of its own", until=until)
            desired = world.azure.state(world.row(), ignore=(entry,), machines="follow")
            return world.plan(desired, world.machine("sql-01"), world.machine("web-01"))

        assert [change.name for change in machines(planned(None))] == ["web-01"]
        assert [finding.message.partition(" ")[0] for finding in planned(None).findings] == ["web-01"]
        assert [change.name for change in machines(planned(date(1970, 1, 1)))] == ["sql-01", "web-01"]

    @pytest.mark.parametrize("mode", ["follow", "report"])
    def test_a_machine_whose_entry_under_ignore_has_ended_is_reported_as_formerly_ignored(
        self, world: World, mode: Any
    ) -> None:
        entries = [Ignore(machine="sql-*", reason="migration", until=date(1970, month, 1)) for month in (1, 3, 2)]
        desired = world.azure.state(world.row(test=world.bubble.id), ignore=tuple(entries), machines=mode)
        plan = world.plan(desired, world.machine("sql-01"), world.machine("web-01"))
        ended = "; its entry under ignore ended on 1970-03-01"
        texts = {finding.message: finding.message.endswith(ended) for finding in plan.findings}
        texts |= {f"{change.name}: {change.reason}": change.reason.endswith(ended) for change in machines(plan)}
        assert len(texts) == (6 if mode == "follow" else 4)
        assert all(is_said is text.startswith("sql-01") for text, is_said in texts.items())
        # The table of machines does not show it, so the finding is below the table.
        (text,) = (text for text in texts if text.startswith("sql-01 (nic0) still fails over to old"))
        assert text in render(plan, "text").partition("Warnings")[2]

    def test_an_ignored_machine_does_not_hide_a_network_of_that_name(self, world: World) -> None:
        world.azure.map(world.azure.network("sql-net"), world.azure.network("sql-dr", SEA))
        entry = Ignore(machine="sql-*", reason="has a network of its own")
        plan = world.plan(world.azure.state(world.row(), ignore=(entry,)))
        assert "unmanaged" in kinds(plan)

    def test_a_run_on_one_machine_is_about_its_pair_and_that_machine(self, world: World) -> None:
        other, other_dr = world.azure.network("other"), world.azure.network("other-dr", SEA)
        desired = world.azure.state(world.row(), row(other, other_dr), machines="follow")
        items = (world.machine("vm1"), world.machine("vm2"))
        plan = world.plan(desired, *items, selection=Selection(machines=frozenset({"VM2"})))
        assert [(change.kind, change.name) for change in plan.changes] == [("protected_item", "vm2")]
        assert [pair.name for pair in plan.pairs] == ["hub"]
        assert len(world.plan(desired, *items).changes) == 4

    def test_more_machines_than_the_limit_are_refused_for_the_vault(self, world: World) -> None:
        items = [world.machine(f"vm{number}") for number in range(21)]
        desired = world.azure.state(world.row(), limits=Limits(), machines="follow")
        plan = world.plan(desired, *items)
        assert plan.violations() == (
            (
                "vault sea: 21 machines to update, but max_machines is 20; raise the limit, select some with "
                "--machine, or use --force max_machines"
            ),
        )
        assert plan.violations(["max_machines"]) == ()
        assert world.plan(desired, *items[:20]).violations() == ()


class TestMappingBeforeMachines:
    def test_a_machine_waits_for_the_retarget_that_it_follows(self) -> None:
        world = World()
        world.azure.map_both(world.hub, world.old)
        plan = world.following(world.machine())
        assert [(change.kind, change.depends_on) for change in plan.changes] == [
            ("network_mapping", ()),
            ("protected_item", ("sea:hub:forward",)),
        ]

    def test_a_machine_stays_where_its_mapping_is_held_back(self) -> None:
        world = World()
        world.azure.map_both(world.hub, world.old)
        moving = structs.replace(world.machine("vm2"), state="UnplannedFailoverInProgress")
        plan = world.following(world.machine("vm1"), moving)
        assert plan.changes == ()
        assert {view.name: view.status for view in plan.machines} == {"vm1": "waiting", "vm2": "held"}
        assert [finding.message for finding in plan.findings if finding.kind == "failover_active"] == [
            "update of hub-to-old and update of vm1 are held back: vm2 is in state UnplannedFailoverInProgress"
        ]

    def test_a_machine_without_a_test_network_is_reported_as_tested_in_none(self, world: World) -> None:
        plan = world.plan(world.azure.state(world.row(test=world.bubble.id)), world.machine())
        messages = [finding.message for finding in plan.findings if finding.kind == "test_network_differs"]
        assert messages == ["vm1 is tested in no network, and its pair asks for bubble"]

    def test_a_machine_stays_in_a_frozen_vault(self, world: World) -> None:
        freeze = Freeze(vault="sea", until=date(2200, 1, 1), reason="exercise")
        desired = world.azure.state(world.row(), freeze=(freeze,), machines="follow")
        plan = world.plan(desired, world.machine("vm1"), world.machine("vm2"))
        assert plan.changes == ()
        assert {view.status for view in plan.machines} == {"waiting"}
        assert [finding.message for finding in plan.findings if finding.kind == "frozen"] == [
            "update of 2 machines is held back: the vault is frozen until 2200-01-01: exercise"
        ]

    def test_a_reason_that_holds_several_pairs_is_in_the_hint_that_they_share(self, world: World) -> None:
        freeze = Freeze(vault="sea", until=date(2200, 1, 1), reason="exercise")
        other = row(world.azure.network("app"), world.azure.network("app-dr", SEA), name="app")
        plan = world.plan(
            world.azure.state(world.row(), other, freeze=(freeze,), machines="follow"), world.machine("vm1")
        )
        frozen = [finding for finding in plan.findings if finding.kind == "frozen"]
        assert [finding.message for finding in frozen] == [
            "create of app-to-app-dr and create of app-dr-to-app are held back",
            "update of vm1 is held back",
        ]
        assert {finding.hint for finding in frozen} == {
            "the vault is frozen until 2200-01-01: exercise; wait, or use --force frozen"
        }

    def test_a_copy_that_is_still_to_be_made_has_the_subnets_that_it_will_have(self) -> None:
        world = World()
        settings = CopySettings(resource_group="rg")
        regions = (Region(primary=EA, recovery=SEA, copy=settings),)
        plan = world.plan(
            world.azure.state(row(world.hub, None), regions=regions, machines="follow"),
            world.machine(address=IpConfiguration(name="ipconfig1", subnet="web", recovery_subnet="elsewhere")),
        )
        assert {change.kind for change in plan.changes} == {"virtual_network", "network_mapping", "protected_item"}
        assert after(plan).addresses[0].recovery_subnet == "web"
        (change,) = machines(plan)
        assert set(change.depends_on) <= {other.id for other in plan.changes}
        assert f"network:{after(plan).recovery_network_id.key}" in change.depends_on  # type: ignore[union-attr]

    @pytest.mark.parametrize(("present", "waits"), [("web", False), ("db", True)])
    def test_a_machine_waits_for_new_subnets_of_a_copy_only_where_it_is_to_land_in_one(
        self, present: str, waits: bool
    ) -> None:
        azure = TwoRegions()
        hub = azure.network("hub", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24"})
        copy = azure.network("hub-asr", SEA, group="rg-asr", tags={"asrnet-copy-of": str(hub.id)})
        azure.map_both(hub, copy)
        nic = Nic(
            name="nic0",
            primary_network_id=hub.id,
            recovery_network_id=azure.network("old", SEA).id,
            ip_configurations=(IpConfiguration(subnet="web", recovery_subnet=present),),
        )
        azure.build.protected_item("vm1", azure.fabrics[EA], azure.fabrics[SEA], nic)
        regions = (Region(primary=EA, recovery=SEA, copy=CopySettings(resource_group="rg-asr", add_subnets=True)),)
        plan = azure.plan(azure.state(row(hub, None), regions=regions, machines="follow"))
        (machine,) = machines(plan)
        added = [change.id for change in plan.changes if change.kind == "virtual_network"]
        assert (len(added), machine.depends_on) == (1, tuple(added) if waits else ())


class TestSubnetsAndAddresses:
    @pytest.mark.parametrize(
        ("present", "subnets", "chosen"),
        [
            pytest.param("app", {"app": "10.0.2.0/24", "web": "10.0.1.0/24"}, "app", id="the present one"),
            pytest.param("APP", {"app": "10.0.2.0/24", "web": "10.0.1.0/24"}, "app", id="whatever its case"),
            pytest.param("gone", {"app": "10.0.2.0/24", "web": "10.0.1.0/24"}, "web", id="the primary's name"),
            pytest.param("gone", {"db": "10.0.2.0/24", "app": "10.0.3.0/24"}, "app", id="the first alphabetically"),
        ],
    )
    def test_the_subnet_is_the_present_one_or_that_of_the_rule_of_names(
        self, present: str, subnets: dict[str, str], chosen: str
    ) -> None:
        world = World()
        target = world.azure.network("target", SEA, subnets=subnets)
        world.azure.map_both(world.hub, target)
        address = IpConfiguration(name="ipconfig1", subnet="web", recovery_subnet=present)
        plan = world.plan(world.azure.state(row(world.hub, target), machines="follow"), world.machine(address=address))
        assert after(plan).addresses[0].recovery_subnet == chosen

    def test_a_static_address_stays_where_its_new_subnet_has_it(self, world: World) -> None:
        address = IpConfiguration(name="ipconfig1", subnet="web", recovery_subnet="web", recovery_ip="10.0.1.7")
        assert after(world.following(world.machine(address=address))).addresses[0].recovery_ip == "10.0.1.7"

    @pytest.mark.parametrize("ip", ["10.9.9.9", "10.0.1.1", "fd00::1", "not an address"])
    def test_a_static_address_outside_its_new_subnet_holds_the_machine_unless_it_is_released(
        self, world: World, ip: str
    ) -> None:
        address = IpConfiguration(name="ipconfig1", subnet="web", recovery_subnet="web", recovery_ip=ip)
        plan = world.following(world.machine(address=address))
        assert held(plan) == f"its static recovery address {ip} is not in subnet web of new (10.0.1.0/24)"
        assert plan.findings[0].hint.endswith("release_addresses: true in the row or in the file")
        released = world.following(world.machine(address=address), release_addresses=True)
        assert after(released).addresses[0].recovery_ip is None
        whole_file = world.azure.state(world.row(), machines="follow", release_addresses=True)
        assert after(world.plan(whole_file, world.machine(address=address))).addresses[0].recovery_ip is None

    def test_a_static_address_in_use_in_the_new_network_holds_the_machine_unless_it_is_released(self) -> None:
        azure = Followers(mapped_to="old")
        taken = azure.network(
            "taken", SEA, subnets=[Subnet(name="web", prefixes=("10.0.1.0/24",), used=1, used_ips=("10.0.1.77",))]
        )
        plan = azure.plan(azure.state(row(azure.hub, taken), machines="follow"))
        assert held(plan) == "its static recovery address 10.0.1.77 is in use in subnet web of taken"
        releasing = azure.state(row(azure.hub, taken, release_addresses=True), machines="follow")
        assert after(azure.plan(releasing)).addresses[0].recovery_ip is None

    def test_a_subnet_that_cannot_hold_the_machines_that_would_land_there_is_a_warning(self, world: World) -> None:
        small = world.azure.network("small", SEA, subnets=[Subnet(name="web", prefixes=("10.0.1.0/29",), used=2)])
        desired = world.azure.state(row(world.hub, small), machines="follow")
        assert "subnet_too_small" not in kinds(world.plan(desired, world.machine()))
        plan = world.plan(desired, world.machine("vm1"), world.machine("vm2"))
        (warning,) = [finding for finding in plan.findings if finding.kind == "subnet_too_small"]
        assert warning.severity == "warning"
        assert warning.message == (
            "subnet web of small cannot hold the machines that would land there: "
            "they need 2, and 1 of its addresses is free"
        )

    def test_findings_of_machines_are_grouped_by_kind_with_one_hint_for_each_pair(self, world: World) -> None:
        desired = world.azure.state(world.row(test=world.bubble.id))
        plan = world.plan(desired, world.machine("vm1"), world.machine("vm2"))
        assert [(finding.kind, finding.message.split()[0], finding.hint) for finding in plan.findings] == [
            ("stale_protected_item", "vm1", "asrnet apply --pair hub --machines follow"),
            ("stale_protected_item", "vm2", "asrnet apply --pair hub --machines follow"),
            ("test_network_differs", "vm1", ""),
            ("test_network_differs", "vm2", ""),
        ]

    def test_a_hint_quotes_a_pair_that_looks_like_an_option(self, world: World) -> None:
        plan = world.plan(world.azure.state(world.row(name="-q")), world.machine())
        assert plan.findings[0].hint == "asrnet apply --pair=-q --machines follow"

    def test_a_machine_whose_failover_is_committed_is_to_be_re_protected(self, world: World) -> None:
        for state, hint in (
            ("UnplannedFailoverCommitted", "re-protect the machine, then fail it back"),
            ("UnplannedFailover", "commit the failover and re-protect the machine, then fail it back"),
        ):
            plan = world.following(world.machine(active_location="Recovery", state=state))
            assert [finding.hint for finding in plan.findings if finding.kind == "stale_protected_item"] == [hint]

    def test_a_static_address_that_two_machines_want_holds_both(self, world: World) -> None:
        address = IpConfiguration(name="ipconfig1", subnet="web", recovery_subnet="web", recovery_ip="10.0.1.9")
        plan = world.following(world.machine("vm1", address=address), world.machine("vm2", address=address))
        assert [(machine.status, machine.reason) for machine in plan.machines] == [
            ("held", "its static recovery address 10.0.1.9 is also that of vm2"),
            ("held", "its static recovery address 10.0.1.9 is also that of vm1"),
        ]

    def test_a_released_address_is_sent_as_an_empty_text_and_an_unset_one_is_not_sent(self, world: World) -> None:
        address = IpConfiguration(name="ipconfig1", subnet="web", recovery_subnet="web", recovery_ip="10.9.9.9")
        item = world.machine(address=address)
        configuration = updated(item, after(world.following(item, release_addresses=True))).nics[0].ip_configurations[0]
        assert (configuration.recovery_ip, configuration.test_ip) == ("", None)

    @pytest.mark.parametrize(
        ("subnet", "reason"),
        [
            (Subnet(name="GatewaySubnet", prefixes=("10.0.1.0/24",)), "which is reserved for an Azure service"),
            (
                Subnet(name="sql", prefixes=("10.0.1.0/24",), delegation="Microsoft.Sql/x"),
                "delegated to Microsoft.Sql/x",
            ),
        ],
    )
    def test_a_subnet_that_takes_no_machines_holds_the_machine(self, subnet: Subnet, reason: str) -> None:
        world = World()
        target = world.azure.network("target", SEA, subnets=[subnet])
        world.azure.map_both(world.hub, target)
        plan = world.plan(world.azure.state(row(world.hub, target), machines="follow"), world.machine())
        assert f"NIC nic0 would land in {subnet.name} of target, which is " in held(plan)
        assert reason in held(plan)

    def test_a_delegated_subnet_of_the_same_name_cannot_be_created_again(self) -> None:
        world = World()
        target = world.azure.network(
            "target", SEA, subnets=[Subnet(name="Web", prefixes=("10.0.1.0/24",), delegation="Microsoft.Sql/x")]
        )
        world.azure.map_both(world.hub, target)
        plan = world.plan(world.azure.state(row(world.hub, target), machines="follow"), world.machine())
        (hint,) = {finding.hint for finding in plan.findings if finding.kind == "stale_protected_item"}
        assert hint.startswith("in the portal: vault ")

    def test_a_nic_that_does_not_fail_over_is_given_no_subnet(self, world: World) -> None:
        item = world.machine()
        spare = structs.replace(
            item.nics[0],
            name="spare",
            id="nic-1",
            selection=NOT_SELECTED,
            ip_configurations=(IpConfiguration(name="ipconfig1", subnet="web"),),
        )
        addresses = after(world.following(structs.replace(item, nics=(*item.nics, spare)))).addresses
        assert [(address.nic, address.recovery_subnet) for address in addresses] == [("nic0", "web"), ("spare", None)]

    def test_a_network_without_subnets_holds_the_machine(self) -> None:
        world = World()
        target = world.azure.network("target", SEA, subnets={})
        world.azure.map_both(world.hub, target)
        plan = world.plan(world.azure.state(row(world.hub, target), machines="follow"), world.machine())
        assert held(plan) == "target has no subnets"


def nic_of(item: ProtectedItem, **members: Any) -> ProtectedItem:
    """``item`` with other members of its only NIC."""
    return structs.replace(item, nics=(structs.replace(item.nics[0], **members),))


def address_of(item: ProtectedItem, **members: Any) -> ProtectedItem:
    """``item`` with other members of its only IP configuration."""
    return nic_of(item, ip_configurations=(structs.replace(item.nics[0].ip_configurations[0], **members),))


class TestHeldMachines:
    @pytest.mark.parametrize(
        ("members", "reason"),
        [
            ({"provider": "InMageAzureV2"}, "machines of provider InMageAzureV2 cannot be updated by asrnet"),
            ({"active_location": "Recovery"}, "it has failed over"),
            (
                {"initial_location": None},
                "where it was first protected is not known, so it may be running in the recovery region",
            ),
            ({"state": "InitialReplicationInProgress"}, "its state is InitialReplicationInProgress"),
            ({"state": "Unprotected"}, "its state is Unprotected"),
            ({"state": "ProtectedStatesBegin"}, "its state is ProtectedStatesBegin"),
            ({"state": ""}, "its state is not reported"),
            ({"test_failover_state": "WaitingForCompletion"}, "its test failover is not cleaned up"),
            ({"scenario": "TestFailover"}, "TestFailover is under way"),
            ({"is_cluster_member": True}, "it is a member of a cluster, whose machines are updated together"),
            (
                {"is_confidential": True},
                "it is a confidential machine, whose settings this version does not know in full",
            ),
        ],
    )
    def test_a_machine_that_must_not_be_changed_is_left_alone_with_the_reason(
        self, world: World, members: dict[str, Any], reason: str
    ) -> None:
        plan = world.following(structs.replace(world.machine(), **members))
        assert held(plan) == reason
        assert f"vm1 (nic0) still fails over to old; it is left alone: {reason}" in [
            finding.message for finding in plan.findings
        ]

    @pytest.mark.parametrize(
        ("members", "reason"),
        [
            ({"ip_configurations": ()}, "NIC nic0 has no IP configuration"),
            (
                {"unknown_members": ("recoveryFlux",)},
                "NIC nic0 has settings that this version does not know and could lose: recoveryFlux",
            ),
            ({"unclear_recovery_network": "old"}, "NIC nic0 has the recovery network 'old', which is no id"),
        ],
    )
    def test_a_nic_that_could_lose_something_holds_its_machine(
        self, world: World, members: dict[str, Any], reason: str
    ) -> None:
        assert held(world.following(nic_of(world.machine(), **members))) == reason

    @pytest.mark.parametrize(
        ("members", "reason"),
        [
            ({"name": ""}, "an IP configuration of NIC nic0 has no name, as during re-protection"),
            (
                {"unknown_members": ("flux",)},
                "NIC nic0 has settings that this version does not know and could lose: flux",
            ),
            (
                {"recovery_load_balancer_pools": (POOL,)},
                (
                    "NIC nic0 joins load balancer pool web after a failover, and the machines behind a load balancer "
                    "are on one network"
                ),
            ),
        ],
    )
    def test_an_address_that_could_lose_something_holds_its_machine(
        self, world: World, members: dict[str, Any], reason: str
    ) -> None:
        assert held(world.following(address_of(world.machine(), **members))) == reason

    @pytest.mark.parametrize(
        ("second", "reason"),
        [
            ({"name": "nic1", "id": "NIC-0"}, "two of its NICs have the id nic-0, so which is which is not known"),
            ({"name": "NIC0", "id": "nic-1"}, "two of its NICs are called nic0, so which is which is not known"),
        ],
    )
    def test_indistinguishable_nics_hold_their_machine(self, world: World, second: dict[str, str], reason: str) -> None:
        item = world.machine()
        twice = structs.replace(item, nics=(item.nics[0], structs.replace(item.nics[0], **second)))
        assert held(world.following(twice)) == reason

    def test_a_test_address_without_a_subnet_holds_its_machine_until_it_gets_one(self, world: World) -> None:
        item = address_of(world.machine(), test_ip="10.0.1.9")
        reason = "NIC nic0 has a static test address without a test subnet, which Azure refuses"
        assert held(world.following(item)) == reason
        assert after(world.following(item, test=world.bubble.id)).addresses[0].test_subnet == "web"

    def test_every_reason_is_reported_at_once(self, world: World) -> None:
        item = structs.replace(world.machine(), is_cluster_member=True, test_failover_state="WaitingForCompletion")
        assert held(world.following(item)).count(";") == 1

    @pytest.mark.parametrize(
        ("settings", "reason"),
        [
            (
                {"reuseExistingNic": True, "recoveryNicName": "nic-sea"},
                "NIC nic0 uses the existing NIC nic-sea after a failover, which stays on its network",
            ),
            (
                {"tfoReuseExistingNic": True, "tfoNicName": "nic-test"},
                "NIC nic0 uses the existing NIC nic-test after a test failover, which stays on its network",
            ),
        ],
        ids=["failover", "test"],
    )
    def test_an_existing_nic_keeps_its_machine_on_its_network(self, world: World, settings: Any, reason: str) -> None:
        (nic,) = world.machine().nics
        item = world.machine("vm1", structs.replace(nic, settings=settings))
        if "tfoNicName" in settings:
            item = updated(item, structs.replace(networks_of(item), recovery_network_id=world.new.id))
        assert held(world.following(item, test=world.bubble.id)) == reason

    def test_an_existing_nic_for_tests_does_not_keep_a_machine_from_its_recovery_network(self, world: World) -> None:
        (nic,) = world.machine().nics
        item = world.machine("vm1", structs.replace(nic, settings={"tfoReuseExistingNic": True}))
        assert after(world.following(item)).recovery_network_id == world.new.id

    def test_a_load_balancer_does_not_keep_a_machine_from_its_test_network(self, world: World) -> None:
        item = address_of(world.machine(), recovery_load_balancer_pools=(POOL,))
        right = updated(item, structs.replace(networks_of(item), recovery_network_id=world.new.id))
        plan = world.following(right, test=world.bubble.id)
        assert after(plan).test_network_id == world.bubble.id

    def test_a_load_balancer_of_tests_keeps_a_machine_from_another_test_network_only(self, world: World) -> None:
        item = address_of(world.machine(), settings={"tfoLBBackendAddressPoolIds": (str(POOL),)})
        right = updated(item, structs.replace(networks_of(item), recovery_network_id=world.new.id))
        assert "pool web after a test failover" in held(world.following(right, test=world.bubble.id))
        assert after(world.following(item)).recovery_network_id == world.new.id

    @pytest.mark.parametrize("state", ["InProgress", "NotStarted", "Suspended", "Cancelling"])
    def test_an_unfinished_job_holds_its_machine_and_no_other(self, state: str) -> None:
        azure = Followers(2)
        azure.build.job(azure.vault, "UnplannedFailover", state=state, target="vm001")
        plan = azure.planned()
        reason = "the job UnplannedFailover is unfinished for vm001"
        assert [(view.name, view.status, view.reason) for view in plan.machines] == [
            ("vm001", "waiting", reason),
            ("vm002", "update", ""),
        ]
        (held_back,) = [finding for finding in plan.findings if finding.kind == "failover_active"]
        assert held_back.message == f"update of vm001 is held back: {reason}"

    def test_a_recovery_plan_that_waits_for_somebody_holds_all_machines(self) -> None:
        azure = Followers(2)
        azure.build.job(azure.vault, "UnplannedFailover", state="Suspended", target="plan of the day")
        assert {view.status for view in azure.planned().machines} == {"waiting"}

    @pytest.mark.parametrize("unread", ["InProgress", "Suspended", "Cancelling"])
    def test_jobs_of_a_state_that_cannot_be_read_hold_all_machines(self, unread: str) -> None:
        azure = Followers(2)
        reader = azure.backend.mappings

        class Jobs(Recorded):
            def jobs(self, vault: ArmId, *, state: str) -> Iterable[Job]:
                if state == unread:
                    raise ForbiddenError("not allowed")
                return reader.jobs(vault, state=state)

        azure.backend = structs.replace(azure.backend, mappings=cast("MappingReader", Jobs(reader, azure.clock, [])))
        assert [(view.status, view.reason) for view in azure.planned().machines] == 2 * [
            ("waiting", "whether a failover is under way could not be read: not allowed")
        ]

    def test_without_the_right_to_update_machines_the_plan_says_so_and_changes_none(self, world: World) -> None:
        world.rights = (Rights(actions=("Microsoft.RecoveryServices/*/read",)),)
        plan = world.following(world.machine("vm1"), world.machine("vm2"))
        assert (plan.changes, {view.status for view in plan.machines}) == ((), {"waiting"})
        (finding,) = [finding for finding in plan.findings if finding.kind == "missing_right"]
        assert (finding.severity, finding.pair) == ("error", "hub")
        assert finding.message == (
            "2 machines stay on other networks: the right Microsoft.RecoveryServices/vaults/replicationFabrics/"
            "replicationProtectionContainers/replicationProtectedItems/write is missing at vault sea"
        )
        world.rights = (UPDATES,)
        assert len(machines(world.following(world.machine()))) == 1

    def test_rights_that_cannot_be_read_are_reported_and_the_run_continues(self, world: World) -> None:
        world.rights = Unknown(error=ForbiddenError("no"))
        plan = world.following(world.machine())
        assert len(machines(plan)) == 1
        assert ("missing_right", "warning") in [(finding.kind, finding.severity) for finding in plan.findings]


class TestMachinesOfNoPair:
    def test_a_machine_without_nics_is_reported_where_machines_follow(self, world: World) -> None:
        young = structs.replace(world.machine("young"), nics=(), state="InitialReplicationInProgress")
        plan = world.following(young)
        (finding,) = plan.findings
        assert (finding.kind, finding.severity) == ("stale_protected_item", "info")
        assert finding.message == (
            "young reports no NICs in state InitialReplicationInProgress, so its pair is not known; it is left alone"
        )
        assert world.plan(world.azure.state(world.row()), young).findings == ()
        hints = [
            world.following(structs.replace(young, state=state)).findings[0].hint
            for state in (young.state, "Protected")
        ]
        assert hints == ["plan again when it is Protected", "plan again in some minutes"]

    def test_machines_that_cannot_be_read_make_a_plan_that_follows_unknown(self, world: World) -> None:
        desired = world.azure.state(world.row(), machines="follow")
        inventory = read_inventory(desired, world.azure.backend)
        vault = structs.replace(inventory.vaults["sea"], items=Unknown(error=ForbiddenError("no")))
        plan = planning.plan(desired, structs.replace(inventory, vaults={"sea": vault}))
        assert kinds(plan) == ["unknown"]


class TestTestNetworks:
    def test_the_test_network_and_its_subnets_are_set_together(self, world: World) -> None:
        plan = world.following(world.machine(), test=world.bubble.id)
        assert kinds(plan) == ["stale_protected_item", "test_network_differs"]
        assert after(plan).test_network_id == world.bubble.id
        assert after(plan).addresses[0].test_subnet == "web"
        assert machines(plan)[0].reason == (
            "fails over to old, will fail over to new; is tested in no network, will be tested in bubble"
        )

    def test_both_findings_of_a_machine_that_is_held_have_the_reason(self, world: World) -> None:
        plan = world.following(world.machine(state="InitialReplicationInProgress"), test=world.bubble.id)
        assert kinds(plan) == ["stale_protected_item", "test_network_differs"]
        assert all(
            finding.message.endswith("; it is left alone: its state is InitialReplicationInProgress")
            for finding in plan.findings
        )

    def test_a_pair_without_a_test_network_leaves_that_of_its_machines_alone(self, world: World) -> None:
        plan = world.following(world.machine(test_network_id=world.bubble.id))
        assert kinds(plan) == ["stale_protected_item"]
        assert after(plan).test_network_id == world.bubble.id

    @pytest.mark.parametrize(
        ("of_row", "differs"), [(None, True), ("none", False)], ids=["the regions' one", "opted out"]
    )
    def test_a_row_has_the_test_network_of_its_regions_unless_it_opts_out(
        self, world: World, of_row: Any, differs: bool
    ) -> None:
        regions = (Region(primary=EA, recovery=SEA, test=world.bubble.id),)
        plan = world.plan(world.azure.state(world.row(test=of_row), regions=regions), world.machine())
        assert ("test_network_differs" in kinds(plan)) is differs

    def test_a_test_network_elsewhere_is_an_error_that_keeps_no_machine_from_its_recovery_network(
        self, world: World
    ) -> None:
        far = world.azure.network("far", "westus")
        plan = world.following(world.machine(), test=far.id)
        assert "region_mismatch" in kinds(plan)
        assert (after(plan).recovery_network_id, after(plan).test_network_id) == (world.new.id, None)

    def test_the_regions_test_network_must_not_be_the_pairs_own(self, world: World) -> None:
        regions = (Region(primary=EA, recovery=SEA, test=world.new.id),)
        plan = world.plan(world.azure.state(world.row(), regions=regions, machines="follow"), world.machine())
        assert "conflict" in kinds(plan)
        assert after(plan).test_network_id is None


class TestTwoPairs:
    def test_a_machine_on_the_networks_of_two_pairs_is_an_error_that_names_the_rows(self, world: World) -> None:
        second, second_dr = world.azure.network("second"), world.azure.network("second-dr", SEA)
        world.azure.map_both(second, second_dr)
        item = world.machine()
        nics = (item.nics[0], structs.replace(item.nics[0], name="nic1", id="nic-1", primary_network_id=second.id))
        rows = (
            world.row(source=Source(file="asrnet.yaml", line=7)),
            row(second, second_dr, source=Source(file="asrnet.yaml", line=8)),
        )
        plan = world.plan(world.azure.state(*rows, machines="follow"), structs.replace(item, nics=nics))
        assert plan.changes == ()
        conflicts = [finding for finding in plan.findings if finding.kind == "conflict"]
        assert [finding.pair for finding in conflicts] == ["hub", "second"]
        assert conflicts[0].message == (
            "vm1 is on networks of pairs hub (asrnet.yaml:7) and second (asrnet.yaml:8), which lead to different "
            "networks, and a machine has only one"
        )
        assert plan.machines[0].status == "held"

    def test_a_machine_that_is_replicated_to_two_regions_follows_each_pair_by_itself(self, world: World) -> None:
        azure = world.azure
        azure.fabrics["westus"] = azure.build.azure_fabric(azure.vault, "westus")
        far = azure.network("far", "westus")
        azure.map_both(world.hub, far)
        here = world.machine()
        there = structs.replace(
            here,
            id=here.id.parent.child("replicationProtectedItems", "vm1-far"),
            recovery_location="westus",
            recovery_fabric_id=azure.fabrics["westus"].id,
        )
        regions = tuple(Region(primary=EA, recovery=place) for place in (SEA, "westus"))
        rows = (world.row(), row(world.hub, far, name="hub-far", failback=False))
        plan = world.plan(azure.state(*rows, regions=regions, machines="follow"), here, there)
        networks = {change.resource_id.name: target(change) for change in machines(plan)}
        assert networks == {"vm1": world.new.id, "vm1-far": far.id}
        assert "conflict" not in kinds(plan)

    def test_a_machine_in_two_vaults_follows_the_pair_of_each(self) -> None:
        azure = Followers(1)
        other = azure.build.vault("vault-2", "westus")
        fabrics = {place: azure.build.azure_fabric(other, place) for place in (EA, SEA)}
        elsewhere = azure.network("elsewhere", SEA)
        azure.build.pair(fabrics[EA], azure.hub, fabrics[SEA], elsewhere)
        nic = azure.items()["vm001"].nics[0]
        azure.build.protected_item("vm001", fabrics[EA], fabrics[SEA], nic, recovery_network_id=azure.old.id)
        desired = azure.desired()
        vaults = (*desired.vaults, structs.replace(desired.vaults[0], name="two", id=other.id))
        rows = (*desired.pairs, row(azure.hub, elsewhere, name="hub-2"))
        rows = (rows[0], structs.replace(rows[1], vault="two"))
        plan = azure.plan(structs.replace(desired, vaults=vaults, pairs=rows))
        assert {(change.vault, change.name): target(change) for change in machines(plan)} == {
            ("sea", "vm001"): azure.new.id,
            ("two", "vm001"): elsewhere.id,
        }
        assert "conflict" not in kinds(plan)

    def test_a_row_whose_region_contradicts_its_recovery_network_moves_no_machine(self, world: World) -> None:
        plan = world.following(world.machine(), to="westus")
        assert plan.changes == ()
        (mismatch,) = [finding for finding in plan.findings if finding.kind == "region_mismatch"]
        assert (mismatch.severity, mismatch.message) == (
            "error",
            "new is in southeastasia, and the pair says to: westus",
        )

    def test_a_nic_that_is_not_failed_over_contradicts_no_pair(self, world: World) -> None:
        second, second_dr = world.azure.network("second"), world.azure.network("second-dr", SEA)
        world.azure.map_both(second, second_dr)
        item = world.machine()
        beside = structs.replace(
            item.nics[0], name="nic1", id="nic-1", primary_network_id=second.id, selection=NOT_SELECTED
        )
        desired = world.azure.state(world.row(), row(second, second_dr), machines="follow")
        plan = world.plan(desired, structs.replace(item, nics=(item.nics[0], beside)))
        assert [(change.pair, change.name) for change in machines(plan)] == [("hub", "vm1")]

    def test_the_destination_of_a_nic_that_is_not_failed_over_is_no_difference(self, world: World) -> None:
        nic = structs.replace(world.machine().nics[0], recovery_network_id=world.new.id)
        beside = structs.replace(nic, name="nic1", id="nic-1", recovery_network_id=world.old.id, selection=NOT_SELECTED)
        plan = world.following(world.machine("vm1", nic, beside, recovery_network_id=world.new.id))
        assert [(view.name, view.status) for view in plan.machines] == [("vm1", "in_sync")]

    def test_pairs_with_different_test_networks_contradict_each_other_too(self, world: World) -> None:
        second = world.azure.network("second")
        world.azure.map(second, world.new)
        item = world.machine()
        nics = (item.nics[0], structs.replace(item.nics[0], name="nic1", id="nic-1", primary_network_id=second.id))
        rows = (world.row(test=world.bubble.id), row(second, world.new, failback=False, test="none"))
        plan = world.plan(world.azure.state(*rows, machines="follow"), structs.replace(item, nics=nics))
        assert machines(plan) == []
        assert [finding.pair for finding in plan.findings if finding.kind == "conflict"] == ["hub", "second"]

    def test_pairs_that_lead_to_one_network_do_not_contradict_each_other(self, world: World) -> None:
        second = world.azure.network("second")
        world.azure.map(second, world.new)
        item = world.machine()
        nics = (item.nics[0], structs.replace(item.nics[0], name="nic1", id="nic-1", primary_network_id=second.id))
        desired = world.azure.state(world.row(), row(second, world.new, failback=False), machines="follow")
        assert len(machines(world.plan(desired, structs.replace(item, nics=nics)))) == 1


class TestSavedPlans:
    def test_a_plan_with_machines_is_read_back_as_it_was_saved(self, world: World) -> None:
        plan = world.following(world.machine(), test=world.bubble.id)
        assert load_plan(to_json(plan), source="plan.json") == plan

    def test_a_plan_remembers_the_machines_that_it_changes_and_no_others(self, world: World) -> None:
        item = world.machine("vm2")
        right = updated(item, structs.replace(networks_of(item), recovery_network_id=world.new.id))
        plan = world.following(world.machine("vm1"), right)
        assert [key.rpartition("/")[2] for key in plan.observed[0].machines] == ["vm1"]
