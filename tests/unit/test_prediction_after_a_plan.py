"""Predictions for after a plan: the plan's changes applied to what was read, beside the present landing."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, row

from asrnet import applying, planning
from asrnet.desired import DesiredState, Region, Row
from asrnet.desired.state import CopySettings
from asrnet.failover import Landing, Prediction
from asrnet.inventory.planned import inventory_after
from asrnet.inventory.read import Inventory, read_inventory
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem, Subnet
from asrnet.model.machine_networks import networks_of
from asrnet.model.plan import Change, Plan
from asrnet.prediction import Question, predict, read_machines


class World:
    """hub is mapped to old; the desired state maps it to new, which has other addresses."""

    def __init__(self) -> None:
        self.azure = TwoRegions()
        self.hub = self.azure.network("hub")
        self.old = self.azure.network("old", SEA)
        self.new = self.azure.network(
            "new", SEA, address_space=["10.9.0.0/16"], subnets={"web": "10.9.1.0/24", "db": "10.9.2.0/24"}
        )
        self.azure.map_both(self.hub, self.old)

    def protect(self, name: str, ip: str, **nic: Any) -> ProtectedItem:
        address = IpConfiguration(
            subnet="web", ip=ip, ip_type="Static", recovery_subnet=nic.pop("recovery_subnet", None)
        )
        first = Nic(name=f"{name}-nic", primary_network_id=self.hub.id, ip_configurations=(address,), **nic)
        return self.azure.build.protected_item(name, self.azure.fabrics[EA], self.azure.fabrics[SEA], first)

    def desired(self, *rows: Row) -> DesiredState:
        return self.azure.state(*(rows or (row(self.hub, self.new),)))

    def ask(self, desired: DesiredState, *, change: Change | None = None, **question: Any) -> Prediction:
        """The prediction for after the plan with ``change`` added."""

        def make_plan(inventory: Inventory) -> Plan:
            plan = planning.plan(desired, inventory)
            return structs.replace(plan, changes=(*plan.changes, change)) if change else plan

        return predict(read_machines(desired, self.azure.backend, Question(**question), make_plan=make_plan))


@pytest.fixture
def world() -> World:
    return World()


def moves(prediction: Prediction) -> list[tuple[str | None, str | None]]:
    """Where each address lands now and once the plan is applied, as ``network/subnet ip``."""

    def place(landing: Any) -> str | None:
        return landing.network and f"{landing.network}/{landing.subnet} {landing.ip}"

    return [(place(landing.now), place(landing)) for landing in prediction.landings]


def test_a_machine_without_settings_lands_by_the_mapping_that_the_plan_changes(world: World) -> None:
    world.protect("vm1", "10.0.1.7")
    prediction = world.ask(world.desired())
    assert moves(prediction) == [("old/web 10.0.1.7", "new/web 10.9.1.4")]
    assert prediction.planned
    assert (prediction.planned.changes, prediction.planned.moved) == (1, 1)


def test_a_machine_with_its_own_settings_keeps_its_landing(world: World) -> None:
    world.protect("vm1", "10.0.1.7", recovery_network_id=world.old.id)
    prediction = world.ask(world.desired())
    assert moves(prediction) == [("old/web 10.0.1.7", "old/web 10.0.1.7")]
    assert prediction.landings[0].has_moved is False


def test_a_machine_that_the_plan_updates_lands_by_its_new_settings(world: World) -> None:
    item = world.protect("vm1", "10.0.1.7", recovery_network_id=world.old.id, recovery_subnet="web")
    before = networks_of(item)
    (address,) = before.addresses
    after = structs.replace(
        before,
        recovery_network_id=world.new.id,
        addresses=(structs.replace(address, recovery_subnet="db", recovery_ip="10.9.2.20"),),
    )
    change = Change.update_machine(
        item, after, id="m", vault="sea", reason="", pair="hub", primary_network_id=world.hub.id, fingerprint=""
    )
    assert moves(world.ask(world.desired(), change=change)) == [("old/web 10.0.1.7", "new/db 10.9.2.20")]


def test_addresses_are_assigned_separately_before_and_after_the_plan(world: World) -> None:
    """The two predictions share no pool: the same address may be assigned in both."""
    for name, ip in (("vm1", "10.0.1.7"), ("vm2", "10.0.1.8")):
        world.protect(name, ip)
    assert moves(world.ask(world.desired())) == [
        ("old/web 10.0.1.7", "new/web 10.9.1.4"),
        ("old/web 10.0.1.8", "new/web 10.9.1.5"),
    ]


def test_machines_land_on_a_copy_that_the_plan_creates(world: World) -> None:
    other = world.azure.network("app", tags={})
    world.azure.build.resource_group("rg-asr")
    address = IpConfiguration(subnet="web", ip="10.0.1.9", ip_type="Static")
    nic = Nic(name="nic0", primary_network_id=other.id, ip_configurations=(address,))
    world.azure.build.protected_item("app1", world.azure.fabrics[EA], world.azure.fabrics[SEA], nic)
    desired = world.desired(row(other, None))
    assert moves(world.ask(desired)) == [(None, "app-asr/web 10.0.1.9")]


def test_machines_land_in_subnets_that_the_plan_adds(world: World) -> None:
    copied = world.azure.network("app", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24"})
    copy = world.azure.network("app-asr", SEA, tags={"asrnet-copy-of": str(copied.id)})
    world.azure.map_both(copied, copy)
    address = IpConfiguration(subnet="db", ip="10.0.2.7", ip_type="Static")
    nic = Nic(name="nic0", primary_network_id=copied.id, ip_configurations=(address,))
    world.azure.build.protected_item("app1", world.azure.fabrics[EA], world.azure.fabrics[SEA], nic)
    region = Region(primary=EA, recovery=SEA, copy=CopySettings(add_subnets=True, resource_group="{resource_group}"))
    desired = structs.replace(world.desired(row(copied, None)), regions=(region,))
    assert moves(world.ask(desired)) == [("app-asr/web 10.0.1.4", "app-asr/db 10.0.2.7")]


def test_a_failback_is_predicted_by_the_reverse_that_the_plan_makes(world: World) -> None:
    world.protect("vm1", "10.0.1.7")
    (landing,) = world.ask(world.desired(), operation="failback").landings
    assert (landing.network, landing.network_rule.code) == ("hub", "a2a_failback_mapped")


def test_the_prediction_for_after_a_plan_is_the_prediction_after_applying_it(world: World) -> None:
    world.protect("vm1", "10.0.1.7")
    world.protect("vm2", "10.0.1.8", recovery_network_id=world.old.id)
    desired = world.desired()
    before = world.ask(desired).landings
    plan = planning.plan(desired, read_inventory(desired, world.azure.backend))
    applying.apply(plan, world.azure.backend)
    after = predict(read_machines(desired, world.azure.backend)).landings
    assert [_place(landing) for landing in before] == [_place(landing) for landing in after]


def _place(landing: Landing) -> tuple[Any, ...]:
    return landing.network_id, landing.subnet, landing.ip, landing.rule.code


def test_a_deleted_mapping_is_gone_from_the_inventory_after_the_plan(world: World) -> None:
    desired = world.desired()
    inventory = read_inventory(desired, world.azure.backend)
    (mapping, *_) = inventory.vaults["sea"].mappings
    change = Change.delete(mapping, id="d", vault="sea", reason="")
    assert mapping not in inventory_after(inventory, [change]).vaults["sea"].mappings
    assert inventory_after(inventory, []) == inventory


def test_addresses_in_use_where_machines_will_land_are_read_too(world: World) -> None:
    """Lists only count addresses, so they are read for each network that machines land on."""
    taken = Subnet(name="web", prefixes=("10.9.1.0/24",), used=1, used_ips=("10.9.1.4",))
    world.new = world.azure.network("new", SEA, address_space=["10.9.0.0/16"], subnets=(taken,))
    world.protect("vm1", "10.0.1.7")
    assert moves(world.ask(world.desired())) == [("old/web 10.0.1.7", "new/web 10.9.1.5")]


def test_subnets_that_the_plan_adds_to_a_network_are_in_the_inventory_after_it() -> None:
    azure = TwoRegions()
    app = azure.network("app", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24", "app": "10.0.3.0/24"})
    azure.map_both(app, azure.network("app-asr", SEA, group="rg-asr", tags={"asrnet-copy-of": str(app.id)}))
    regions = (Region(primary=EA, recovery=SEA, copy=CopySettings(resource_group="rg-asr", add_subnets=True)),)
    desired = azure.state(row(app, None), regions=regions)
    inventory = read_inventory(desired, azure.backend)
    after = inventory_after(inventory, planning.plan(desired, inventory).changes)
    (copy,) = (network for network in after.networks.values() if network.name == "app-asr")
    assert [subnet.name for subnet in copy.subnets] == ["web", "db", "app"]


def test_networks_and_fabrics_that_the_plan_creates_are_in_the_inventory_after_it() -> None:
    azure = TwoRegions(fabrics=False)
    app = azure.network("app")
    azure.build.resource_group("rg-asr")
    desired = azure.state(row(app, None), create_fabrics=True)
    inventory = read_inventory(desired, azure.backend)
    after = inventory_after(inventory, planning.plan(desired, inventory).changes)
    assert [fabric.location for fabric in after.vaults["sea"].fabrics] == [EA, SEA]
    assert [network_id.name for network_id in inventory.missing] == ["app-asr"]
    assert ("app-asr" in {network_id.name for network_id in after.networks}, after.missing) == (True, {})
