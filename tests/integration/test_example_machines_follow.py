"""The example of machines that follow, from the first plan to the last, on every backend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from command_line import EXAMPLES
from doors import DOORS

from asrnet import applying, planning
from asrnet.applying import Options
from asrnet.clocks import SimulatedClock
from asrnet.desired import DesiredState, Selection, load_desired
from asrnet.fake import world_file
from asrnet.fake.world import World
from asrnet.inventory.read import Inventory, read_inventory
from asrnet.model.azure import ProtectedItem
from asrnet.model.plan import Plan
from asrnet.ports import Backend
from asrnet.prediction import Question, predict, read_machines

FOLDER = EXAMPLES / "07-machines-follow"
SHOP = Selection(pairs=frozenset({"shop"}))
FORCED = frozenset({"failover_active"})
FAILED_OVER = {"web9", "web10"}


@pytest.fixture
def world() -> World:
    return world_file.load(FOLDER / "world.yaml", clock=SimulatedClock())


@pytest.fixture(params=DOORS)
def backend(request: pytest.FixtureRequest, world: World) -> Iterator[Backend]:
    opened = DOORS[request.param](world)
    yield opened
    opened.close()


@pytest.fixture
def desired() -> DesiredState:
    return load_desired(str(FOLDER / "asrnet.yaml"))


def planned(desired: DesiredState, inventory: Inventory) -> Plan:
    return planning.plan(desired, inventory, selection=SHOP, forced=FORCED)


def apply(desired: DesiredState, backend: Backend) -> Any:
    plan = planned(desired, read_inventory(desired, backend))
    return applying.apply(plan, backend, Options(forced=FORCED))


def items(world: World) -> dict[str, ProtectedItem]:
    return {item.friendly_name: item for item in world.state.protected_items}


def settings(item: ProtectedItem) -> set[tuple[str, str]]:
    """The network and the subnet that each address of a machine is set to."""
    return {
        ((nic.recovery_network_id or item.recovery_network_id).name, configuration.recovery_subnet or "")  # type: ignore[union-attr]
        for nic in item.nics
        for configuration in nic.ip_configurations
    }


def landings(desired: DesiredState, backend: Backend, *, after_plan: bool = False) -> dict[str, set[tuple[Any, ...]]]:
    """Where the addresses of each machine land, now or once the plan is applied."""
    make_plan = (lambda inventory: planned(desired, inventory)) if after_plan else None
    found: dict[str, set[tuple[Any, ...]]] = {}
    for landing in predict(read_machines(desired, backend, make_plan=make_plan)).landings:
        found.setdefault(landing.machine, set()).add((landing.network, landing.subnet, landing.ip))
    return found


def test_machines_follow_their_mapping_and_the_second_plan_is_empty(
    desired: DesiredState, backend: Backend, world: World
) -> None:
    report = apply(desired, backend)
    assert {change.outcome for change in report.changes} == {"succeeded"}
    assert planned(desired, read_inventory(desired, backend)).changes == ()
    networks = {name: {network for network, _ in settings(item)} for name, item in items(world).items()}
    assert {name for name, used in networks.items() if used == {"shop-old-sea"}} == {*FAILED_OVER, "db1"}
    assert {name for name, used in networks.items() if used == {"shop-sea"}} == networks.keys() - FAILED_OVER - {"db1"}


def test_predictions_for_after_the_plan_match_those_made_after_apply(
    desired: DesiredState, backend: Backend, world: World
) -> None:
    before = landings(desired, backend, after_plan=True)
    apply(desired, backend)
    assert landings(desired, backend) == before
    for name, item in items(world).items():
        assert {(network, subnet) for network, subnet, _ in before[name]} == settings(item)


def test_machines_that_have_failed_over_hold_everything_until_it_is_forced(
    desired: DesiredState, backend: Backend
) -> None:
    plan = planning.plan(desired, read_inventory(desired, backend))
    assert plan.changes == ()
    assert "failover_active" in {finding.kind for finding in plan.findings}


def test_a_static_address_keeps_its_machine_until_it_is_released(
    desired: DesiredState, backend: Backend, world: World
) -> None:
    apply(desired, backend)
    assert settings(items(world)["db1"]) == {("shop-old-sea", "db")}
    apply(load_desired(str(FOLDER / "release.yaml")), backend)
    (nic,) = items(world)["db1"].nics
    (address,) = nic.ip_configurations
    assert settings(items(world)["db1"]) == {("shop-sea", "db")}
    assert not address.recovery_ip


def test_a_machine_with_two_nics_moves_both_and_one_falls_back_to_another_subnet(
    desired: DesiredState, backend: Backend, world: World
) -> None:
    apply(desired, backend)
    assert settings(items(world)["db2"]) == {("shop-sea", "db"), ("shop-sea", "app")}


@pytest.mark.parametrize(
    ("file", "chain"), [("asrnet.yaml", []), ("connected.yaml", ["tools-sea - hub-sea - shop-sea"])]
)
def test_a_test_network_that_a_hub_connects_with_production_is_reported(
    backend: Backend, file: str, chain: list[str]
) -> None:
    desired = load_desired(str(FOLDER / file))
    plan = planned(desired, read_inventory(desired, backend))
    findings = [finding for finding in plan.findings if finding.kind in {"test_network_connected", "unknown"}]
    assert [finding.message.rpartition(": ")[2] for finding in findings] == chain


def test_the_test_network_is_set_with_its_subnets(desired: DesiredState, backend: Backend, world: World) -> None:
    apply(desired, backend)
    (nic,) = items(world)["app1"].nics
    test_network = nic.test_network_id or items(world)["app1"].test_network_id
    assert (test_network and test_network.name, nic.ip_configurations[0].test_subnet) == ("bubble-sea", "app")


def test_resources_that_a_nic_leaves_behind_are_found(desired: DesiredState, backend: Backend) -> None:
    question = Question(only=("web1", "db1"), with_interfaces=True)
    web, db = predict(read_machines(desired, backend, question)).interfaces
    assert web.left_behind == (
        "network security group nsg-web-ea",
        "public address web1-pip",
        "load balancer pool lb-web/web",
    )
    assert (db.left_behind, db.unknown) == ((), ())


def test_machines_land_where_it_was_predicted_before_the_plan_was_applied(
    desired: DesiredState, backend: Backend, world: World
) -> None:
    """The fake's failover does not use the rules of predictions."""
    predicted = landings(desired, backend, after_plan=True)
    apply(desired, backend)
    landed: dict[str, set[tuple[Any, ...]]] = {}
    # In the order of the prediction, which is that of assigning addresses.
    for name in [name for name in predicted if name not in FAILED_OVER]:
        world.protected_items.unplanned_failover(items(world)[name].id)
        machine = world.virtual_machines.get(world.protected_items.recovery_machine_id(items(world)[name]))
        assert machine
        landed[name] = {
            (nic.primary_network_id and nic.primary_network_id.name, configuration.subnet, configuration.ip)
            for nic in machine.nics
            for configuration in nic.ip_configurations
        }
    assert landed == {name: places for name, places in predicted.items() if name not in FAILED_OVER}
