"""Predictions for a machine match what the world does, in every state of its lifecycle."""

from __future__ import annotations

import pytest
from machine_life import Life
from msgspec import structs

from asrnet.desired import DesiredState, Vault
from asrnet.failover import Landing, Operation
from asrnet.fake.ports import backend as fake_backend
from asrnet.prediction import Question, predict, read_machines


def predicted(life: Life, operation: Operation) -> Landing:
    """The landing of the only address, read from the world as it is."""
    desired = DesiredState(vaults=(Vault(name="v", id=life.vault.id),))
    [landing] = predict(read_machines(desired, fake_backend(life.world), Question(operation=operation))).landings
    return landing


def place(landing: Landing) -> tuple[str | None, str | None, str | None]:
    return landing.network, landing.subnet, landing.ip


@pytest.fixture(params=["same space", "address taken", "other space", "own address"])
def life(request: pytest.FixtureRequest) -> Life:
    life = Life()
    if request.param == "address taken":
        life.network("away", "southeastasia", "10.0", "10.0.1.4", "10.0.1.5")
    if request.param == "other space":
        life.enable(recovery_network_id=life.test.id)
    else:
        life.enable()
    if request.param == "own address":
        item = life.item(life.east_id)
        configuration = structs.replace(item.nics[0].ip_configurations[0], recovery_ip="10.0.1.77")
        life.azure.add(structs.replace(item, nics=(structs.replace(item.nics[0], ip_configurations=(configuration,)),)))
    return life


def test_a_failover_lands_where_it_was_predicted(life: Life) -> None:
    before = predicted(life, "failover")
    life.fail_over(life.east_id)
    assert place(before) == life.address(life.east_id)


def test_a_failback_lands_where_it_was_predicted_once_the_machine_is_re_protected(life: Life) -> None:
    life.fail_over(life.east_id)
    life.switch(life.east.id, life.east.id)
    before = predicted(life, "failback")
    assert (before.network, before.network_rule.code) == ("home", "a2a_failback_own")
    assert place(predicted(life, "failover")) == place(before)
    life.fail_over(life.west_id)
    assert place(before) == life.address(life.west_id)


def test_until_re_protection_the_reverse_mapping_of_that_day_is_predicted_and_used() -> None:
    life = Life()
    life.enable()
    life.fail_over(life.east_id)
    assert predicted(life, "failback").network == "home"
    other = life.network("other", "eastasia", "10.0")
    [reverse] = [each for each in life.world.mappings.list(life.vault.id) if each.recovery_location == "eastasia"]
    life.azure.add(structs.replace(reverse, recovery_network_id=other.id))
    before = predicted(life, "failback")
    assert (before.network, before.network_rule.code) == ("other", "a2a_failback_mapped")
    life.switch(life.east.id, life.east.id)
    assert predicted(life, "failback").network == "other"
    life.fail_over(life.west_id)
    assert life.address(life.west_id)[0] == "other"


def test_during_re_protection_the_failback_is_known_but_not_possible_yet() -> None:
    life = Life(seconds=300)
    life.end(life.enable())
    life.replicated()
    life.fail_over(life.east_id)
    life.end(life.switch(life.east.id, life.east.id))
    landing = predicted(life, "failback")
    assert (landing.network, landing.subnet, landing.outcome) == ("home", "web", "unknown")
    assert {each.code for each in landing.notices} == {"selection_unclear", "not_protected"}
    life.replicated()
    assert place(predicted(life, "failback")) == ("home", "web", "10.0.1.4")


def test_a_machine_comes_back_to_the_address_that_its_predecessor_had_until_it_was_re_protected() -> None:
    life = Life()
    life.enable(recovery_resource_group_id=life.vault.id.parent)
    life.fail_over(life.east_id)
    life.switch(life.east.id, life.east.id)
    before = predicted(life, "failback")
    assert place(before) == ("home", "web", "10.0.1.4")
    life.fail_over(life.west_id)
    assert place(before) == life.address(life.west_id)
