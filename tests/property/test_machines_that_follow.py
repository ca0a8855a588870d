"""Random worlds with machines: those of following pairs move with their pair, and nothing else changes.

``MACHINE_SEEDS=2000`` runs more; a failing seed prints how to run it again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from doors import DOORS
from followers import Recorded
from machine_scenes import WEST, Scene, differences
from msgspec import structs
from states import GENEROUS

from asrnet import applying, planning
from asrnet.applying import Report
from asrnet.desired import DesiredState
from asrnet.errors import RefusedError
from asrnet.inventory import read as inventory
from asrnet.inventory.test_networks import production_networks
from asrnet.model.azure import ProtectedItem
from asrnet.model.machine_networks import MachineNetworks
from asrnet.model.plan import Plan

SEEDS = int(os.environ.get("MACHINE_SEEDS", "60"))


def allowed(plan: Plan, scene: Scene) -> dict[str, set[str]]:
    """The paths that each planned change may change, by the name of the machine."""
    paths: dict[str, set[str]] = {}
    for change in plan.changes:
        before, after = change.before, change.after
        if not isinstance(before, MachineNetworks) or not isinstance(after, MachineNetworks):
            continue
        item = scene.world.protected_items.get(change.resource_id)
        paths[change.name] = set(changed_paths(item, before, after))
    return paths


def changed_paths(item: ProtectedItem, before: MachineNetworks, after: MachineNetworks) -> Iterator[str]:
    details = "/providerSpecificDetails"
    ids = {nic.name: nic.id for nic in item.nics}
    if before.recovery_network_id != after.recovery_network_id:
        yield f"{details}/selectedRecoveryAzureNetworkId"
        yield from (f"{details}/vmNics/{nic_id}/recoveryVMNetworkId" for nic_id in ids.values())
    if before.test_network_id != after.test_network_id:
        yield f"{details}/selectedTfoAzureNetworkId"
        yield from (f"{details}/vmNics/{nic_id}/tfoVMNetworkId" for nic_id in ids.values())
    for address, new in zip(before.addresses, after.addresses, strict=True):
        place = f"{details}/vmNics/{ids[address.nic]}/ipConfigs/{address.ip_configuration}"
        if address.recovery_subnet != new.recovery_subnet:
            yield f"{place}/recoverySubnetName"
        if address.recovery_ip != new.recovery_ip:
            yield from (f"{place}/recoveryStaticIPAddress", f"{place}/recoveryIPAddressType")
        if address.test_subnet != new.test_subnet:
            yield f"{place}/tfoSubnetName"
        if address.test_ip != new.test_ip:
            yield f"{place}/tfoStaticIPAddress"


def planned(scene: Scene, desired: DesiredState) -> Plan:
    return planning.plan(desired, inventory.read_inventory(desired, scene.backend))


def run(scene: Scene, desired: DesiredState) -> Report:
    return applying.apply(planned(scene, desired), scene.backend)


@pytest.fixture(params=range(SEEDS))
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def through_a_door(scene: Scene, seed: int) -> None:
    """Most scenes through the ports of the fake, some through the real SDK."""
    if seed % 4 == 0:
        scene.backend = DOORS["wire"](scene.world)


def test_the_seeds_draw_machines_that_move_and_some_that_are_held() -> None:
    statuses = set()
    for number in range(30):
        scene = Scene(number)
        statuses |= {view.status for view in planned(scene, scene.desired()).machines}
    assert statuses >= {"update", "held", "in_sync"}


def test_the_seeds_draw_test_networks_that_the_plan_takes_out_of_production() -> None:
    freed = set()
    for number in range(SEEDS):
        scene = Scene(number)
        ends = {mapping.recovery_network_id for mapping in scene.world.state.mappings.values(scene.vault.id.key)}
        for view in planned(scene, scene.desired()).machines:
            if view.status == "update" and view.planned and view.planned.test_network_id in ends:
                freed |= {view.planned.test_network_id} - {view.networks.test_network_id}
    assert {network_id.name for network_id in freed} == {"old", "spare"}


def test_after_an_apply_the_plan_is_empty_and_nothing_else_has_changed(seed: int) -> None:
    scene = Scene(seed)
    through_a_door(scene, seed)
    desired = scene.desired()
    plan = planned(scene, desired)
    before, may_change = scene.documents(), allowed(plan, scene)
    report = applying.apply(plan, scene.backend)
    assert report.result in {"succeeded", "nothing_to_do"}, [change.error for change in report.changes if change.error]
    for name, paths in differences(before, scene.documents()).items():
        assert paths <= may_change.get(name, set()), name
    scene.clock.advance(10)  # lagging lists show the present state
    again = planned(scene, desired)
    assert again.changes == ()
    assert judged_tests(again, desired) == judged_tests(plan, desired)
    production = production_networks((), inventory.read_inventory(desired, scene.backend))
    for change in plan.changes:
        if isinstance(change.before, MachineNetworks) and isinstance(change.after, MachineNetworks):
            new_test = change.after.test_network_id
            assert new_test == change.before.test_network_id or new_test not in production


def judged_tests(plan: Plan, desired: DesiredState) -> set[tuple[str, str, str | None]]:
    """The findings of a plan about test networks."""
    tests = {str(row.test) for row in desired.pairs}
    return {(finding.kind, finding.message, finding.pair) for finding in plan.findings if finding.subject in tests}


def test_machines_of_no_pair_of_another_tool_and_of_another_region_stay_as_they_are(seed: int) -> None:
    scene = Scene(seed)
    _, _, theirs, alone = scene.primaries
    untouched = {
        item.friendly_name
        for item in scene.world.state.protected_items.values(scene.vault.id.key)
        if item.recovery_location == WEST or {nic.primary_network_id for nic in item.nics} & {theirs.id, alone.id}
    }
    before = scene.documents()
    run(scene, scene.desired())
    assert not untouched & differences(before, scene.documents()).keys()


def test_a_run_that_is_interrupted_anywhere_is_finished_by_the_next(seed: int) -> None:
    whole, cut = Scene(seed), Scene(seed)
    desired = whole.desired()
    assert cut.desired() == desired
    run(whole, desired)
    plan = planned(cut, desired)
    left = [Random(seed).randint(1, 30)]

    class Cutting(Recorded):
        """A port that is interrupted by Ctrl-C at one of its calls."""

        def __getattr__(self, method: str) -> Any:
            left[0] -= 1
            if not left[0]:
                raise KeyboardInterrupt
            return super().__getattr__(method)

    ports: dict[str, Any] = {
        name: Cutting(getattr(cut.backend, name), cut.clock, []) for name in ("mappings", "mapping_writer")
    }
    with suppress(KeyboardInterrupt):  # before the first write there is nothing to report
        applying.apply(plan, structs.replace(cut.backend, **ports))
    cut.clock.resume()
    for _ in range(3):
        cut.clock.advance(100)
        run(cut, desired)
    cut.clock.advance(10)
    assert planned(cut, desired).changes == ()
    assert cut.documents() == whole.documents()


def test_over_the_limit_nothing_is_written(seed: int) -> None:
    scene = Scene(seed)
    desired = structs.replace(scene.desired(), limits=structs.replace(GENEROUS, max_machines=1))
    plan = planned(scene, desired)
    before = scene.documents()
    if sum(change.kind == "protected_item" for change in plan.changes) > 1:
        with pytest.raises(RefusedError, match="max_machines is 1"):
            applying.apply(plan, scene.backend)
        assert differences(before, scene.documents()) == {}
