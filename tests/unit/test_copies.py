"""Copies of networks: what is copied, what prevents a copy, and what is reported."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, kinds, outcomes, row

from asrnet.desired import CopySettings, DesiredState, Region, Row, Rule
from asrnet.desired.copies import copy_id
from asrnet.fake.faults import Fault
from asrnet.inventory.read import read_inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import COPY_TAG, Subnet, VirtualNetwork
from asrnet.model.findings import Finding
from asrnet.model.plan import Plan
from asrnet.planning import plan
from asrnet.render import render

GROUP = "rg-asr"


def asking_for_a_copy(azure: TwoRegions, *primaries: VirtualNetwork, **settings: Any) -> DesiredState:
    region = Region(primary=EA, recovery=SEA, copy=CopySettings(**settings))
    return azure.state(*(row(primary, None) for primary in primaries), regions=(region,))


def ready() -> TwoRegions:
    azure = TwoRegions()
    azure.build.resource_group(GROUP)
    return azure


def of_kind(plan: Plan, kind: str) -> Finding:
    return next(finding for finding in plan.findings if finding.kind == kind)


def copied(plan: Plan) -> VirtualNetwork:
    [network] = [change.after for change in plan.changes if change.kind == "virtual_network"]
    assert isinstance(network, VirtualNetwork)
    return network


def planned_with(azure: TwoRegions, desired: DesiredState, network: VirtualNetwork) -> Plan:
    """The plan with ``network`` as a small world cannot build it."""
    found = read_inventory(desired, azure.backend)
    return plan(desired, structs.replace(found, networks={**found.networks, network.id: network}))


def attachable(azure: TwoRegions, kind: str, name: str, location: str = SEA) -> str:
    make = azure.build.network_security_group if kind == "networkSecurityGroups" else azure.build.route_table
    return str(make(name, location).id)


class TestTags:
    def test_hidden_tags_are_copied_and_the_original_is_named(self) -> None:
        azure = ready()
        app = azure.network("app", tags={"dr": "yes", "hidden-x": "1"})
        assert copied(azure.plan(asking_for_a_copy(azure, app))).tags == {"dr": "yes", COPY_TAG: str(app.id)}

    def test_tags_are_copied_only_while_there_is_room_for_one_more(self) -> None:
        azure = ready()
        full = azure.network("full", tags={f"t{number}": "v" for number in range(50)})
        plan = azure.plan(asking_for_a_copy(azure, full))
        assert (plan.changes, of_kind(plan, "not_copied").severity) == ((), "error")
        assert "would have 51 tags, and Azure allows 50" in of_kind(plan, "not_copied").message
        room = azure.network("room", tags={f"t{number}": "v" for number in range(49)})
        assert len(copied(azure.plan(asking_for_a_copy(azure, room))).tags) == 50

    def test_rules_leave_out_copies_whatever_the_case_of_their_tag(self) -> None:
        azure = ready()
        azure.network("z-copy", tags={"ASRNET-Copy-Of": "/x", "dr": "yes"})
        azure.network("app", tags={"dr": "yes"})
        rule = Rule(name="r", vault="sea")
        plan = azure.plan(azure.state(rules=(rule,), regions=(Region(primary=EA, recovery=SEA),)))
        assert [[network.name for network in match.matched] for match in plan.rules] == [["app"]]


class TestSubnets:
    def test_subnets_without_a_prefix_or_skipped_are_left_out_and_reported(self) -> None:
        azure = ready()
        subnets = [
            Subnet(name="web", prefixes=("10.0.1.0/24",)),
            Subnet(name="empty", prefixes=()),
            Subnet(name="RouteServerSubnet", prefixes=("10.0.2.0/24",)),
        ]
        app = azure.network("app", subnets=subnets)
        plan = azure.plan(asking_for_a_copy(azure, app, skip_subnets=("routeserversubnet",)))
        assert [subnet.name for subnet in copied(plan).subnets] == ["web"]
        assert of_kind(plan, "not_copied").message == (
            "the copy of app is made without: subnet empty, which has no prefix, subnet RouteServerSubnet"
        )

    @pytest.mark.parametrize(
        ("setting", "original", "outbound"),
        [("copy", True, True), ("copy", False, False), (True, True, False), (False, False, True), ("copy", None, None)],
    )
    def test_subnets_are_private_as_in_the_original_or_as_the_region_sets(
        self, setting: Any, original: bool | None, outbound: bool | None
    ) -> None:
        azure = ready()
        web = Subnet(name="web", prefixes=("10.0.1.0/24",), default_outbound_access=original)
        plan = azure.plan(asking_for_a_copy(azure, azure.network("app", subnets=[web]), private_subnets=setting))
        assert copied(plan).subnets[0].default_outbound_access is outbound

    def test_subnets_keep_the_policies_of_private_endpoints_and_services(self) -> None:
        azure = ready()
        web = Subnet(
            name="web",
            prefixes=("10.0.1.0/24",),
            private_endpoint_network_policies="Disabled",
            private_link_service_network_policies="Enabled",
            service_endpoints=("Microsoft.Sql",),
        )
        [subnet] = copied(azure.plan(asking_for_a_copy(azure, azure.network("app", subnets=[web])))).subnets
        assert (subnet.private_endpoint_network_policies, subnet.private_link_service_network_policies) == (
            "Disabled",
            "Enabled",
        )
        assert subnet.service_endpoints == ("Microsoft.Sql",)


class TestAttachments:
    def attached(self, plan: Plan) -> dict[str, tuple[str | None, str | None]]:
        return {
            subnet.name: (
                subnet.network_security_group.name if subnet.network_security_group else None,
                subnet.route_table.name if subnet.route_table else None,
            )
            for subnet in copied(plan).subnets
        }

    def test_security_groups_and_route_tables_go_to_every_subnet_that_may_have_them(self) -> None:
        azure = ready()
        names = ["web", "GatewaySubnet", "AzureFirewallSubnet", "AzureBastionSubnet", "RouteServerSubnet"]
        prefixes = {name: f"10.0.{number}.0/24" for number, name in enumerate(names)}
        group = attachable(azure, "networkSecurityGroups", "nsg-web")
        table = attachable(azure, "routeTables", "rt-web")
        for name in names:
            attachable(azure, "networkSecurityGroups", f"nsg-{name}")
            attachable(azure, "routeTables", f"rt-{name}")
        plan = azure.plan(
            asking_for_a_copy(
                azure,
                azure.network("app", subnets=prefixes),
                network_security_group=group.replace("nsg-web", "nsg-{subnet}"),
                route_table=table.replace("rt-web", "rt-{subnet}"),
            )
        )
        assert self.attached(plan) == {
            "web": ("nsg-web", "rt-web"),
            "GatewaySubnet": (None, "rt-GatewaySubnet"),
            "AzureFirewallSubnet": (None, "rt-AzureFirewallSubnet"),
            "AzureBastionSubnet": ("nsg-AzureBastionSubnet", None),
            "RouteServerSubnet": (None, None),
        }
        assert set(outcomes(azure.apply(plan)).values()) == {"succeeded"}
        made = azure.backend.networks.virtual_network(copied(plan).id)
        assert made
        assert made.subnets[0].attachments == ("network security group nsg-web", "route table rt-web")
        assert azure.plan(azure.state()).changes == ()

    @pytest.mark.parametrize(
        ("subnet", "key", "kind"),
        [
            ("AzureBastionSubnet", "network_security_group", "networkSecurityGroups"),
            ("GatewaySubnet", "route_table", "routeTables"),
        ],
    )
    def test_a_subnet_with_its_own_rules_is_not_given_those_of_the_region(
        self, subnet: str, key: str, kind: str
    ) -> None:
        azure = ready()
        common = attachable(azure, kind, "common")
        app = azure.network("app", subnets={"web": "10.0.1.0/24", subnet: "10.0.2.0/24"})
        plan = azure.plan(asking_for_a_copy(azure, app, **{key: common}))
        assert plan.changes == ()
        assert f"{subnet} of app needs rules of its own" in of_kind(plan, "not_copied").message
        skipped = azure.plan(asking_for_a_copy(azure, app, **{key: common}, skip_subnets=(subnet,)))
        assert skipped.summary.create == 2

    def test_a_missing_attachment_blocks_the_pair(self) -> None:
        azure = ready()
        group = attachable(azure, "networkSecurityGroups", "there").replace("there", "gone")
        plan = azure.plan(asking_for_a_copy(azure, azure.network("app"), network_security_group=group))
        assert (plan.changes, plan.summary.blocked) == ((), 2)
        assert of_kind(plan, "missing_network").message.endswith("gone for the copy app-asr does not exist")

    def test_an_attachment_of_another_region_blocks_the_pair(self) -> None:
        azure = ready()
        table = attachable(azure, "routeTables", "near", EA)
        plan = azure.plan(asking_for_a_copy(azure, azure.network("app"), route_table=table))
        assert plan.changes == ()
        assert of_kind(plan, "region_mismatch").message == (
            "the route table near is in eastasia, and the copy app-asr in southeastasia"
        )

    def test_an_attachment_of_another_subscription_blocks_the_pair(self) -> None:
        azure = ready()
        group = attachable(azure, "networkSecurityGroups", "nsg")
        elsewhere = group.replace(group.split("/")[2], "99999999-9999-9999-9999-999999999999")
        plan = azure.plan(asking_for_a_copy(azure, azure.network("app"), network_security_group=elsewhere))
        assert (plan.changes, "in another subscription" in of_kind(plan, "not_copied").message) == ((), True)

    def test_attachments_of_the_primary_are_not_reported_as_left_behind_where_the_copy_gets_others(self) -> None:
        azure = ready()
        web = Subnet(
            name="web", prefixes=("10.0.1.0/24",), attachments=("network security group old", "NAT gateway nat")
        )
        app = azure.network("app", subnets=[web])
        group = attachable(azure, "networkSecurityGroups", "new")
        plan = azure.plan(asking_for_a_copy(azure, app, network_security_group=group))
        assert of_kind(plan, "not_copied").message == "the copy of app is made without: NAT gateway nat of subnet web"


class TestAddresses:
    def test_a_network_without_addresses_is_not_copied(self) -> None:
        azure = ready()
        app = azure.network("app")
        bare = structs.replace(app, address_space=(), subnets=())
        plan = planned_with(azure, asking_for_a_copy(azure, app), bare)
        assert (plan.changes, of_kind(plan, "not_copied").message) == ((), "app has no addresses yet")

    @pytest.mark.parametrize("where", ["network", "subnet"])
    def test_addresses_from_a_pool_are_not_copied_and_the_remedy_is_named(self, where: str) -> None:
        azure = ready()
        pool = ("IPAM pool",)
        web = Subnet(name="web", prefixes=("10.0.1.0/24",), attachments=pool if where == "subnet" else ())
        app = azure.network("app")
        pooled = structs.replace(app, subnets=(web,), attachments=pool if where == "network" else ())
        plan = planned_with(azure, asking_for_a_copy(azure, app), pooled)
        assert plan.changes == ()
        assert "recovery: alias/group/app-dr" in of_kind(plan, "not_copied").hint


class TestResourceGroups:
    def test_a_missing_resource_group_is_created_first_where_the_region_allows_it(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(asking_for_a_copy(azure, azure.network("a"), azure.network("b"), create_resource_group=True))
        assert [change.kind for change in plan.changes] == [
            *("resource_group", "virtual_network", "virtual_network"),
            *(["network_mapping"] * 4),
        ]
        assert plan.resources.resource_group == 1
        assert set(outcomes(azure.apply(plan)).values()) == {"succeeded"}
        group = azure.backend.networks.resource_group(plan.changes[0].resource_id)
        assert group
        assert (group.name, group.location, list(group.tags)) == (GROUP, SEA, [COPY_TAG])

    def test_a_resource_group_that_was_created_meanwhile_is_left_alone(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(asking_for_a_copy(azure, azure.network("app"), create_resource_group=True))
        azure.build.resource_group(GROUP, location="westus")
        report = azure.apply(plan)
        assert "succeeded" not in outcomes(report).values()
        group = azure.backend.networks.resource_group(plan.changes[0].resource_id)
        assert group
        assert (group.location, group.tags) == ("westus", {})

    def test_neither_the_group_nor_the_network_is_created_when_no_change_that_needs_them_starts(self) -> None:
        azure = TwoRegions()
        app = azure.network("app")
        plan = azure.plan(asking_for_a_copy(azure, app, create_resource_group=True))
        azure.world.faults.add(
            Fault(effect="refused", method="GET", kind="replicationnetworkmappings", times=0, status=403)
        )
        report = azure.apply(plan)
        assert set(outcomes(report).values()) == {"failed"}
        assert azure.backend.networks.resource_group(plan.changes[0].resource_id) is None

    def test_without_its_resource_group_the_pair_is_blocked(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(asking_for_a_copy(azure, azure.network("app")))
        assert (plan.changes, "missing_resource_group" in kinds(plan)) == ((), True)


class TestAddingSubnets:
    def copied_then_grown(self, azure: TwoRegions, **settings: Any) -> DesiredState:
        app = azure.network("app", subnets={"web": "10.0.1.0/24"})
        desired = asking_for_a_copy(azure, app, **settings)
        azure.apply(azure.plan(desired))
        azure.network("app", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24"})
        return desired

    def test_missing_subnets_are_added_one_by_one_where_the_region_allows_it(self) -> None:
        azure = ready()
        desired = self.copied_then_grown(azure, add_subnets=True)
        plan = azure.plan(desired)
        assert [(change.kind, change.action, [step.action for step in change.steps]) for change in plan.changes] == [
            ("virtual_network", "update", ["create"])
        ]
        assert (plan.summary.update, plan.resources.virtual_network) == (0, 0)
        assert outcomes(azure.apply(plan)) == {plan.changes[0].id: "succeeded"}
        copy = azure.backend.networks.virtual_network(plan.changes[0].resource_id)
        assert copy
        assert [subnet.name for subnet in copy.subnets] == ["web", "db"]
        assert azure.plan(desired).changes == ()

    def test_added_subnets_are_shown_with_the_pair_although_it_is_in_sync(self) -> None:
        azure = ready()
        lines = render(azure.plan(self.copied_then_grown(azure, add_subnets=True)), "text").splitlines()
        assert "~ network app-asr: subnets db of app are missing in its copy" in [line.strip() for line in lines]
        assert lines[-1] == "Plan: add subnets to 1 network; 2 mappings in sync."

    def test_added_subnets_get_the_security_group_of_the_region(self) -> None:
        azure = ready()
        group = attachable(azure, "networkSecurityGroups", "nsg")
        desired = self.copied_then_grown(azure, add_subnets=True, network_security_group=group)
        plan = azure.plan(desired)
        assert outcomes(azure.apply(plan)) == {plan.changes[0].id: "succeeded"}
        copy = azure.backend.networks.virtual_network(plan.changes[0].resource_id)
        assert copy
        assert copy.subnets[1].attachments == ("network security group nsg",)

    def test_otherwise_missing_subnets_are_a_finding_that_says_how_to_add_them(self) -> None:
        azure = ready()
        plan = azure.plan(self.copied_then_grown(azure))
        assert plan.changes == ()
        (missing,) = [found for found in plan.findings if found.kind == "subnet_missing"]
        assert (missing.severity, missing.message.partition(";")[0]) == ("warning", "app-asr has no subnet db")
        assert missing.hint == "set add_subnets: true under copy in regions, or create the subnet"

    def test_added_subnets_are_reported_and_machines_are_taken_to_land_in_them(self) -> None:
        azure = ready()
        plan = azure.plan(self.copied_then_grown(azure, add_subnets=True))
        assert [(found.kind, found.severity, found.message) for found in plan.findings] == [
            ("subnet_missing", "info", "app-asr has no subnet db, which app has; it will be added to the copy")
        ]

    def test_a_missing_service_subnet_is_a_note_because_no_machine_lands_there(self) -> None:
        azure = ready()
        desired = self.copied_then_grown(azure)
        azure.network("app", subnets={"web": "10.0.1.0/24", "GatewaySubnet": "10.0.255.0/27"})
        (missing,) = [found for found in azure.plan(desired).findings if found.kind == "subnet_missing"]
        assert (missing.severity, missing.message) == (
            "info",
            "app-asr, a copy of app, has no subnet GatewaySubnet",
        )

    def test_a_service_subnet_that_is_skipped_on_purpose_is_not_missed(self) -> None:
        azure = ready()
        desired = self.copied_then_grown(azure, skip_subnets=("GatewaySubnet",))
        azure.network("app", subnets={"web": "10.0.1.0/24", "GatewaySubnet": "10.0.255.0/27"})
        assert "subnet_missing" not in kinds(azure.plan(desired))

    def test_a_subnet_that_cannot_be_added_has_a_reason(self) -> None:
        azure = ready()
        desired = self.copied_then_grown(azure, add_subnets=True, skip_subnets=("lab",))
        azure.network(
            "app",
            subnets={"web": "10.0.1.0/24", "far": "192.168.0.0/24", "lab": "10.0.3.0/24"},
            address_space=["0.0.0.0/0"],
        )
        (missing,) = [found for found in azure.plan(desired).findings if found.kind == "subnet_missing"]
        assert missing.message.startswith("app-asr has no subnet far, lab; machines land in web")
        assert missing.hint == (
            "cannot be added: 192.168.0.0/24 of far is outside the copy or overlaps its subnets; "
            "lab is listed under skip_subnets"
        )

    def test_prefixes_that_differ_from_the_copy_are_reported_for_each_direction(self) -> None:
        azure = ready()
        desired = self.copied_then_grown(azure)
        azure.network("app", subnets={"web": "10.0.0.0/23"})
        findings = [found.message for found in azure.plan(desired).findings if found.kind == "address_space_differs"]
        assert findings == ["machines get new addresses: some of web 10.0.0.0/23 -> 10.0.1.0/24 (failover only)"]
        # Each address of the smaller subnet is in the larger one, so nothing changes on the way back.

    def test_adding_subnets_overwrites_none_that_was_created_meanwhile(self) -> None:
        azure = ready()
        plan = azure.plan(self.copied_then_grown(azure, add_subnets=True))
        theirs = Subnet(name="db", prefixes=("10.0.9.0/24",))
        azure.world.virtual_networks.put_subnet(plan.changes[0].resource_id, theirs)
        assert outcomes(azure.apply(plan)) == {plan.changes[0].id: "stale"}
        copy = azure.backend.networks.virtual_network(plan.changes[0].resource_id)
        assert copy
        assert copy.subnets[1].prefixes == ("10.0.9.0/24",)

    def test_no_subnet_is_added_where_the_copy_has_no_room_and_to_networks_that_are_no_copy(self) -> None:
        azure = ready()
        desired = self.copied_then_grown(azure, add_subnets=True)
        azure.network("app", subnets={"web": "10.0.1.0/24", "far": "192.168.0.0/24"}, address_space=["0.0.0.0/0"])
        assert azure.plan(desired).changes == ()
        azure.network("app", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24"})
        copy = azure.backend.networks.virtual_network(copy_id(azure.network("app"), desired.regions[0]))
        assert copy
        azure.network("app-asr", SEA, group=GROUP, subnets={"web": "10.0.1.0/24"})
        azure.network("app", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24"})
        assert azure.plan(desired).changes == ()


class TestSeveralRecoveryRegions:
    REGIONS = (
        Region(primary=EA, recovery=SEA, copy=CopySettings(name="{name}-{recovery_region}")),
        Region(primary=EA, recovery="westus", copy=CopySettings(name="{name}-{recovery_region}")),
    )

    def azure(self) -> TwoRegions:
        azure = ready()
        azure.fabrics["westus"] = azure.build.azure_fabric(azure.vault, "westus")
        return azure

    def copy_of(self, app: VirtualNetwork, name: str, to: str | None) -> Row:
        return structs.replace(row(app, None), name=name, to=to)

    def test_a_copy_without_a_recovery_region_is_an_error_that_names_the_regions(self) -> None:
        azure = self.azure()
        plan = azure.plan(azure.state(row(azure.network("app"), None), regions=self.REGIONS))
        found = of_kind(plan, "ambiguous")
        assert (found.message, found.hint) == (
            "a copy of app could be made in southeastasia, westus",
            "choose one, for instance to: southeastasia",
        )

    def test_one_primary_is_copied_to_each_region_by_its_own_row(self) -> None:
        azure = self.azure()
        app = azure.network("app")
        rows = (self.copy_of(app, "near", "Southeast Asia"), self.copy_of(app, "far", "westus"))
        plan = azure.plan(azure.state(*rows, regions=self.REGIONS))
        assert {change.name for change in plan.changes if change.kind == "virtual_network"} == {
            "app-southeastasia",
            "app-westus",
        }
        assert set(outcomes(azure.apply(plan)).values()) == {"succeeded"}
        assert azure.plan(azure.state(*rows, regions=self.REGIONS)).changes == ()

    def test_a_rule_can_choose_the_recovery_region_too(self) -> None:
        azure = self.azure()
        azure.network("app")
        rule = Rule(name="all", vault="sea", to="westus")
        plan = azure.plan(azure.state(rules=(rule,), regions=self.REGIONS))
        assert [change.name for change in plan.changes if change.kind == "virtual_network"] == ["app-westus"]

    def test_an_undeclared_direction_is_an_error(self) -> None:
        azure = self.azure()
        plan = azure.plan(
            azure.state(
                self.copy_of(azure.network("app"), "x", "northeurope"),
                regions=(*self.REGIONS, Region(primary=SEA, recovery="northeurope")),
            )
        )
        assert "regions declares no eastasia -> northeurope (to: is one of southeastasia, westus)" in (
            of_kind(plan, "region_mismatch").message
        )

    def test_a_region_that_contradicts_the_recovery_network_is_an_error(self) -> None:
        azure = self.azure()
        declared = structs.replace(row(azure.network("app"), azure.network("dr", SEA)), to="westus")
        plan = azure.plan(azure.state(declared, regions=self.REGIONS))
        assert plan.changes == ()
        assert of_kind(plan, "region_mismatch").message == "dr is in southeastasia, and the pair says to: westus"

    def test_copies_in_two_regions_under_one_name_are_an_error(self) -> None:
        azure = self.azure()
        app = azure.network("app")
        regions = tuple(structs.replace(region, copy=CopySettings()) for region in self.REGIONS)
        rows = (self.copy_of(app, "near", SEA), self.copy_of(app, "far", "westus"))
        plan = azure.plan(azure.state(*rows, regions=regions))
        assert plan.changes == ()
        assert "write {recovery_region} into the copies' names" in of_kind(plan, "conflict").message


class TestNames:
    def test_names_that_are_too_long_are_cut_and_stay_distinct(self) -> None:
        copy = CopySettings(name="{name}-{resource_group}", resource_group=GROUP)
        region = Region(primary=EA, recovery=SEA, copy=copy)
        first, second = (
            VirtualNetwork(id=vnet("n" * 60, group), location=EA, address_space=()) for group in ("group-1", "group-2")
        )
        ids = [copy_id(network, region) for network in (first, second)]
        assert {len(identifier.name) for identifier in ids} == {64}
        assert ids[0] != ids[1]

    def test_two_originals_of_one_copy_are_an_error(self) -> None:
        azure = ready()
        azure.build.resource_group("one")
        azure.build.resource_group("two")
        one, two = azure.network("app", group="one"), azure.network("app", group="two")
        desired = asking_for_a_copy(azure, one, resource_group=GROUP)
        rows = (row(one, None, name="a"), row(two, None, name="b"))
        plan = azure.plan(structs.replace(desired, pairs=rows))
        assert plan.changes == ()
        assert any("would all be copied to app-asr" in found.message for found in plan.findings)


def vnet(name: str, group: str) -> ArmId:
    return ArmId(
        f"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/{group}"
        f"/providers/Microsoft.Network/virtualNetworks/{name}"
    )
