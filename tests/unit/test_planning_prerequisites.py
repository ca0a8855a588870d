"""The prerequisites of a pair, and those that are created where they are missing."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, kinds, row

from asrnet.desired import CopySettings, Region
from asrnet.errors import VaultUnusedError
from asrnet.fake.behaviour import Behaviour
from asrnet.model.arm import ArmId
from asrnet.model.azure import COPY_TAG, Subnet, VirtualNetwork
from asrnet.ports import MappingReader


class TestPrerequisites:
    def test_a_network_that_a_get_does_not_find_is_missing_and_blocks_its_pair_alone(self) -> None:
        azure = TwoRegions()
        ghost = structs.replace(
            azure.network("hub"),
            id=azure.network("hub").id.parent.child("providers", "Microsoft.Network", "virtualNetworks", "ghost"),
        )
        fine = row(azure.network("app"), azure.network("app-dr", SEA))
        plan = azure.plan(azure.state(row(ghost, azure.network("dr", SEA)), fine))
        assert [finding.pair for finding in plan.findings if finding.kind == "missing_network"] == ["ghost"]
        assert {change.pair for change in plan.changes} == {"app"}

    def test_a_network_that_only_the_list_leaves_out_is_not_missing(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(hidden_networks=("hub",)))
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        assert (plan.summary.create, plan.summary.blocked) == (2, 0)

    def test_a_network_that_may_not_be_read_is_unknown_and_names_the_missing_action(self) -> None:
        azure = TwoRegions(behaviour=Behaviour(denied=("Microsoft.Network/virtualNetworks/read",)))
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        assert (set(kinds(plan)), plan.changes) == ({"unknown"}, ())
        assert "Microsoft.Network/virtualNetworks/read" in plan.findings[0].hint

    def test_regions_that_are_not_declared_are_a_mismatch(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("hub", SEA), azure.network("dr", EA))))
        assert (plan.changes, kinds(plan)) == ((), ["region_mismatch"])
        assert "{primary: southeastasia, recovery: eastasia}" in plan.findings[0].hint

    def test_networks_of_one_region_are_not_paired(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr"))))
        assert (plan.changes, kinds(plan)) == ((), ["region_mismatch"])

    def test_a_subscription_of_another_tenant_blocks_its_pair(self) -> None:
        azure = TwoRegions()
        foreign = "99999999-9999-9999-9999-999999999999"
        azure.build.subscription(foreign, tenant="33333333-3333-3333-3333-333333333333")
        far = azure.network("dr", SEA, subscription=foreign)
        plan = azure.plan(azure.state(row(azure.network("hub"), far)))
        assert (plan.changes, kinds(plan)) == ((), ["cross_tenant"])

    def test_without_a_fabric_the_pair_is_blocked(self) -> None:
        azure = TwoRegions(fabrics=False)
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
        assert (plan.changes, kinds(plan)) == ((), ["missing_fabric", "missing_fabric"])

    def test_several_fabrics_for_one_region_block_the_pair_and_are_named(self) -> None:
        azure = TwoRegions()
        azure.build.azure_fabric(azure.vault, EA, name="second-eastasia")
        plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)), create_fabrics=True))
        assert (plan.changes, kinds(plan)) == ((), ["ambiguous"])
        assert "asr-a2a-default-eastasia, second-eastasia" in plan.findings[0].message

    def test_missing_fabrics_are_created_where_the_vault_allows_it(self) -> None:
        azure = TwoRegions(fabrics=False)
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)), create_fabrics=True)
        plan = azure.plan(desired)
        assert [change.name for change in plan.changes if change.kind == "fabric"] == [
            "asr-a2a-default-eastasia",
            "asr-a2a-default-southeastasia",
        ]
        assert plan.changes[-1].depends_on == ("sea:fabric:eastasia", "sea:fabric:southeastasia")
        assert azure.apply(plan).result == "succeeded"
        assert azure.plan(desired).changes == ()

    def test_a_vault_that_does_not_exist_fails_the_run_when_it_is_the_only_one(self) -> None:
        azure = TwoRegions()
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
        gone = structs.replace(
            desired.vaults[0],
            id=azure.vault.id.parent.child("providers", "Microsoft.RecoveryServices", "vaults", "gone"),
        )
        with pytest.raises(Exception, match="gone"):
            azure.plan(structs.replace(desired, vaults=(gone,)))

    def test_one_broken_vault_does_not_stop_another(self) -> None:
        azure = TwoRegions()
        desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
        gone = structs.replace(
            desired.vaults[0],
            name="gone",
            id=azure.vault.id.parent.child("providers", "Microsoft.RecoveryServices", "vaults", "gone"),
        )
        lost = structs.replace(desired.pairs[0], name="lost", vault="gone")
        plan = azure.plan(structs.replace(desired, vaults=(*desired.vaults, gone), pairs=(*desired.pairs, lost)))
        assert {change.pair for change in plan.changes} == {"hub"}
        assert [finding.pair for finding in plan.findings if finding.kind == "unknown"] == ["lost"]


class TestCopies:
    def test_a_copy_has_addresses_subnets_tags_and_says_whose_copy_it_is(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        app = azure.network("app", tags={"dr": "yes", "hidden-link": "x"}, dns_servers=["10.0.0.4"])
        plan = azure.plan(azure.state(row(app, None)))
        made = plan.changes[0].after
        assert isinstance(made, VirtualNetwork)
        assert (made.name, made.id.resource_group, made.location) == ("app-asr", "rg-asr", SEA)
        assert made.tags == {"dr": "yes", COPY_TAG: str(app.id)}
        assert (made.address_space, made.dns_servers) == (app.address_space, ("10.0.0.4",))
        assert [(subnet.name, subnet.prefixes) for subnet in made.subnets] == [("web", ("10.0.1.0/24",))]
        assert plan.resources.virtual_network == 1
        assert "copied_dns" in kinds(plan)

    def test_the_tag_of_a_copy_is_no_longer_than_azure_takes(self) -> None:
        """Source: Use tags to organize your Azure resources: a value has 256 characters at most."""
        azure = TwoRegions()
        app = azure.network("a" * 60, group="g" * 90)
        azure.build.resource_group("rg-asr", location=SEA)
        region = Region(primary=EA, recovery=SEA, copy=CopySettings(resource_group="rg-asr", name="app-asr"))
        (made, *_) = azure.plan(azure.state(row(app, None), regions=(region,))).changes
        assert isinstance(made.after, VirtualNetwork)
        assert made.after.tags == {COPY_TAG: str(app.id)[:256]}
        assert len(str(app.id)) > 256

    def test_a_copy_that_exists_is_used_and_never_written(self) -> None:
        azure = TwoRegions()
        app, there = azure.network("app"), azure.network("app-asr", SEA, group="rg-asr")
        plan = azure.plan(azure.state(row(app, None)))
        assert [(change.kind, change.recovery_network_id) for change in plan.changes] == [
            ("network_mapping", there.id),
            ("network_mapping", app.id),
        ]

    def test_a_copy_into_a_resource_group_that_does_not_exist_is_blocked(self) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("app"), None)))
        assert (plan.changes, kinds(plan)) == ((), ["missing_resource_group"])
        assert "az group create" in plan.findings[0].hint

    @pytest.mark.parametrize("group", ["RG-App(EU)", "rg & co", "it's", "a;b", "$(x)", "*"])
    def test_the_command_that_creates_the_group_is_quoted_for_a_shell(self, group: str) -> None:
        azure = TwoRegions()
        plan = azure.plan(azure.state(row(azure.network("app", group=group), None)))
        words = shlex.split(plan.findings[0].hint)
        assert words[:3] == ["az", "group", "create"]
        assert words[words.index("--name") + 1] == f"{group}-asr"
        assert len(words) == 9

    def test_the_plan_reports_what_a_copy_leaves_out(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        subnet = Subnet(
            name="db",
            prefixes=("10.0.2.0/24",),
            delegation="Microsoft.Sql/managedInstances",
            attachments=("network security group nsg",),
        )
        plan = azure.plan(azure.state(row(azure.network("app", subnets=[subnet]), None)))
        found = next(finding for finding in plan.findings if finding.kind == "not_copied")
        assert "network security group nsg of subnet db" in found.message
        assert "delegation of subnet db" in found.message

    def test_two_originals_of_one_copy_are_a_conflict(self) -> None:
        azure = TwoRegions()
        azure.build.resource_group("rg-asr", location=SEA)
        regions = (Region(primary=EA, recovery=SEA, copy=CopySettings(resource_group="rg-asr", name="shared")),)
        plan = azure.plan(azure.state(row(azure.network("a"), None), row(azure.network("b"), None), regions=regions))
        assert plan.changes == ()
        assert set(kinds(plan)) == {"conflict"}

    def test_a_region_with_two_recovery_regions_makes_a_copy_ambiguous(self) -> None:
        azure = TwoRegions()
        regions = (Region(primary=EA, recovery=SEA), Region(primary=EA, recovery="japaneast"))
        plan = azure.plan(azure.state(row(azure.network("app"), None), regions=regions))
        assert (plan.changes, kinds(plan)) == ((), ["ambiguous"])


class SaysUnused:
    """A MappingReader one of whose lists fails because the service does not know the vault."""

    def __init__(self, reader: MappingReader, part: str) -> None:
        self._reader = reader
        self._part = part

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name == self._part else getattr(self._reader, name)

    def _refuse(self, _vault: ArmId) -> None:
        raise VaultUnusedError("unused")


@pytest.mark.parametrize("part", ["fabrics", "mappings"])
def test_a_vault_is_empty_only_if_both_its_fabrics_and_its_mappings_say_so(part: str) -> None:
    azure = TwoRegions()
    azure.backend = structs.replace(azure.backend, mappings=SaysUnused(azure.backend.mappings, part))
    with pytest.raises(VaultUnusedError):
        azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA)), create_fabrics=True))


def test_a_vault_may_be_read_without_the_right_to_read_the_vault_itself() -> None:
    azure = TwoRegions(behaviour=Behaviour(denied=("Microsoft.RecoveryServices/vaults/read",)))
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
    assert plan.summary.create == 2


def test_a_misspelt_region_is_recognised_by_the_fabrics_of_the_vault() -> None:
    azure = TwoRegions()
    misspelt = (Region(primary=EA, recovery="southeastasai"),)
    plan = azure.plan(azure.state(row(azure.network("hub"), None), regions=misspelt))
    [problem] = [finding for finding in plan.findings if finding.kind == "missing_fabric"]
    assert problem.message == "the vault has no fabric for southeastasai; did you mean 'southeastasia'?"
    assert problem.hint.startswith(
        "the vault has fabrics for eastasia and southeastasia; correct the region 'southeastasai' in the file, or set "
    )


def test_the_region_of_a_network_that_exists_is_not_taken_for_a_misspelt_one() -> None:
    azure = TwoRegions()
    regions = (Region(primary=EA, recovery="southeastasia2"),)
    hub, dr = azure.network("hub"), azure.network("dr", "southeastasia2")
    plan = azure.plan(azure.state(row(hub, dr), regions=regions))
    [problem] = [finding for finding in plan.findings if finding.kind == "missing_fabric"]
    assert problem.message == "the vault has no fabric for southeastasia2"
    assert "correct the region" not in problem.hint


def test_a_missing_network_suggests_the_one_with_the_nearest_name() -> None:
    azure = TwoRegions()
    hub = azure.network("hub-ea")
    misspelt = structs.replace(hub, id=ArmId(f"{hub.id}a"))
    plan = azure.plan(azure.state(row(misspelt, azure.network("hub-sea", SEA)), row(hub, None)))
    [problem] = [finding for finding in plan.findings if finding.kind == "missing_network"]
    assert problem.message.endswith("hub-eaa does not exist; did you mean 'hub-ea'?")


def test_a_missing_network_does_not_suggest_one_with_another_number() -> None:
    azure = TwoRegions()
    hub = azure.network("vnet-06")
    missing = structs.replace(hub, id=ArmId(str(hub.id).replace("vnet-06", "vnet-07")))
    plan = azure.plan(azure.state(row(missing, azure.network("hub-sea", SEA)), row(hub, None)))
    [problem] = [finding for finding in plan.findings if finding.kind == "missing_network"]
    assert problem.message.endswith("vnet-07 does not exist")
