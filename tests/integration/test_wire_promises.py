"""The guarantees of planning and applying, through the real SDK on the wire, in process."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from doors import wire
from msgspec import structs
from states import SEA, TwoRegions, kinds, row

from asrnet import applying, backends, desired, planning
from asrnet.applying import Options
from asrnet.clocks import SimulatedClock
from asrnet.fake import ports as fake_ports
from asrnet.fake import world_file
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.world_format import WorldDocument
from asrnet.files.yaml import parse
from asrnet.inventory import read as inventory
from asrnet.model.plan import Plan

ALL_LIMITS = Options(forced=frozenset({"max_updates", "max_deletes", "max_change_percent", "max_rule_growth"}))
VAULT_WIDE = (
    "Microsoft.RecoveryServices/vaults/replicationNetworkMappings/read",
    "Microsoft.RecoveryServices/vaults/replicationNetworks/read",
    "Microsoft.RecoveryServices/vaults/replicationProtectedItems/read",
)
VNET_READS = ("Microsoft.Network/virtualNetworks/read",)


class OnTheWire(TwoRegions):
    """The same small world behind Azure's protocol."""

    def __init__(self, **behaviour: Any) -> None:
        fabrics = behaviour.pop("fabrics", True)
        super().__init__(behaviour=Behaviour(**behaviour), fabrics=fabrics)
        self.backend = wire(self.world)

    def pairs(self, count: int, *, mapped: bool) -> desired.DesiredState:
        """``count`` pairs with their networks, mapped or not."""
        rows = []
        for number in range(count):
            near, far = self.network(f"App{number}"), self.network(f"App{number}-DR", SEA)
            if mapped:
                self.map_both(near, far)
            rows.append(row(near, far))
        return self.state(*rows)

    def requests(self) -> Counter[tuple[str, str]]:
        """The requests since the last call, by method and kind."""
        found = Counter(dict(self.world.journal.counts()))
        self.world.journal.clear()
        return found


def assert_no_noise(plan: Plan, pairs: int) -> None:
    assert plan.changes == ()
    assert plan.findings == ()
    assert plan.summary.in_sync == 2 * pairs


class TestPlanning:
    @pytest.mark.parametrize(
        "behaviour",
        [
            {},
            {"page_size": 1, "network_page_size": 1},
            {"page_size": 2, "empty_last_page": True},
            {"missing_mapping": 400},
            {"hidden_networks": ("App0", "App1-DR")},
            {"denied": VAULT_WIDE},
            {"shuffle": 7},
        ],
        ids=["lower case, capital S, null next link", "pages of one", "empty last page", "400 for an absent mapping",
             "a list that leaves networks out", "vault-wide lists denied", "lists in any order"],
    )  # fmt: skip
    def test_mapped_pairs_plan_no_changes(self, behaviour: dict[str, Any]) -> None:
        azure = OnTheWire(**behaviour)
        assert_no_noise(azure.plan(azure.pairs(3, mapped=True)), 3)

    def test_site_recovery_contributor_and_operator_read_fabric_by_fabric(self) -> None:
        """Both built-in roles may read mappings under fabrics, but not the vault-wide lists."""
        azure = OnTheWire(denied=VAULT_WIDE)
        wanted = azure.pairs(2, mapped=True)
        azure.requests()
        assert_no_noise(azure.plan(wanted), 2)
        assert azure.requests()["GET", "replicationfabrics"] >= 1

    def test_a_plan_by_the_reader_role_reports_networks_it_cannot_read(self) -> None:
        azure = OnTheWire(denied=(*VAULT_WIDE, *VNET_READS))
        plan = azure.plan(azure.pairs(2, mapped=True))
        assert plan.changes == ()
        assert set(kinds(plan)) == {"unknown"}
        assert all("Microsoft.Network/virtualNetworks/read" in finding.hint for finding in plan.findings)

    def test_an_unused_vault_is_empty_and_not_broken(self) -> None:
        azure = OnTheWire(fabrics=False)
        wanted = azure.pairs(1, mapped=False)
        assert (
            kinds(azure.plan(wanted))
            == ["missing_fabric", "missing_fabric", "missing_pair"][: len(kinds(azure.plan(wanted)))]
        )
        creating = structs.replace(wanted, vaults=(structs.replace(wanted.vaults[0], create_fabrics=True),))
        assert applying.apply(azure.plan(creating), azure.backend).result == "succeeded"
        assert azure.plan(creating).changes == ()

    @pytest.mark.parametrize("patch", ["accept", "reject_400", "reject_405"])
    def test_a_retarget_works_whether_or_not_the_service_takes_a_patch(self, patch: Any) -> None:
        azure = OnTheWire(patch=patch, operations="time:3")
        hub, old, new = azure.network("Hub"), azure.network("Old", SEA), azure.network("New", SEA)
        azure.map_both(hub, old)
        wanted = azure.state(row(hub, new))
        assert applying.apply(azure.plan(wanted), azure.backend).result == "succeeded"
        assert azure.plan(wanted).changes == ()
        assert azure.mappings() == {"hub": "new", "new": "hub"}

    def test_a_swap_converges(self) -> None:
        azure = OnTheWire(operations="time:3", page_size=1, missing_mapping=400)
        a, b, x, y = azure.network("A"), azure.network("B"), azure.network("X", SEA), azure.network("Y", SEA)
        azure.map_both(a, x)
        azure.map_both(b, y)
        wanted = azure.state(row(a, y), row(b, x))
        assert applying.apply(azure.plan(wanted), azure.backend, ALL_LIMITS).result == "succeeded"
        assert azure.plan(wanted).changes == ()

    def test_a_copy_has_on_azure_what_its_original_has(self) -> None:
        azure = OnTheWire(operations="time:3")
        azure.build.resource_group("rg-asr", location=SEA)
        app = azure.network(
            "App",
            tags={"dr": "yes", "hidden-x": "y"},
            dns_servers=["10.0.0.4"],
            address_space=["10.0.0.0/16", "10.9.0.0/24"],
        )
        wanted = azure.state(row(app, None))
        assert applying.apply(azure.plan(wanted), azure.backend).result == "succeeded"
        copy = azure.world.virtual_networks.get(azure.plan(wanted).pairs[0].recovery_network_id or app.id)
        assert (copy.address_space, copy.dns_servers, copy.location) == (app.address_space, ("10.0.0.4",), SEA)
        assert dict(copy.tags)["dr"] == "yes"
        assert "hidden-x" not in copy.tags
        assert azure.plan(wanted).changes == ()


class TestRequests:
    def test_planning_five_hundred_pairs_costs_its_pages_and_three_requests(self) -> None:
        azure = OnTheWire(page_size=100, network_page_size=100)
        wanted = azure.pairs(500, mapped=True)
        azure.requests()
        azure.plan(wanted)
        asked = azure.requests()
        pages = (
            asked["GET", "replicationnetworkmappings"]
            + asked["GET", "virtualnetworks"]
            + asked["GET", "replicationprotecteditems"]
        )
        assert (asked["GET", "replicationnetworkmappings"], asked["GET", "virtualnetworks"]) == (10, 10)
        assert sum(asked.values()) <= pages + 3
        assert {method for method, _ in asked} == {"GET"}

    def test_a_hundred_new_pairs_cost_little_more_than_a_request_each_and_the_floor_in_time(self) -> None:
        """The floor: a fresh list, 200 writes four at a time, one operation, one list of jobs and one read-back."""
        azure = OnTheWire(operations="time:3", latency=0.1)
        plan = azure.plan(azure.pairs(100, mapped=False))
        azure.requests()
        report = applying.apply(plan, azure.backend)
        asked = azure.requests()
        floor = 0.1 + 200 / 4 * 0.1 + 3.0 + 0.1 + 0.1
        assert report.result == "succeeded"
        assert sum(asked.values()) <= 1.2 * 200
        assert report.seconds <= 1.25 * floor


class TestSnapshots:
    def test_a_world_snapshot_plans_offline_as_azure_did(self) -> None:
        azure = OnTheWire()
        wanted = azure.pairs(2, mapped=True)
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map_both(hub, old)
        azure.map(azure.network("stray"), azure.network("stray-dr", SEA))
        wanted = structs.replace(wanted, pairs=(*wanted.pairs, row(hub, new)))
        live = inventory.read_inventory(wanted, azure.backend)
        world = world_file.world_from(
            parse(backends.snapshot(live), WorldDocument, "snapshot.yaml"), clock=SimulatedClock()
        )
        offline = inventory.read_inventory(wanted, fake_ports.backend(world))
        assert planning.plan(wanted, offline) == planning.plan(wanted, structs.replace(live, read_at=offline.read_at))
