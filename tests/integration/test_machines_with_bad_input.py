"""Machines whose settings could be lost, as the SDKs read them: they are held with the reason and never written."""

from __future__ import annotations

from typing import Any

import pytest
from doors import wire
from followers import Followers
from msgspec import structs

from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem
from asrnet.model.machine_update import updatable_document


def with_address(nic: Nic, **members: Any) -> tuple[Nic, ...]:
    return (structs.replace(nic, ip_configurations=(structs.replace(nic.ip_configurations[0], **members),)),)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda nic: (structs.replace(nic, unknown_members={"recoveryFlux": '{"level": 1}'}),),
            "NIC nic0 has settings that this version does not know and could lose: recoveryFlux",
        ),
        (
            lambda nic: with_address(nic, unknown_members={"recoveryFlux": "7"}),
            "NIC nic0 has settings that this version does not know and could lose: recoveryFlux",
        ),
        (
            lambda nic: with_address(nic, name=""),
            "an IP configuration of NIC nic0 has no name, as during re-protection",
        ),
        (
            lambda nic: (
                structs.replace(nic, id="0F0F"),
                structs.replace(nic, name="nic1", id="0f0f", ip_configurations=(IpConfiguration(subnet="web"),)),
            ),
            "two of its NICs have the id 0f0f, so which is which is not known",
        ),
        (lambda _: (), ""),
    ],
    ids=["member of a NIC", "member of an address", "no name", "one id twice", "no NICs"],
)
def test_a_machine_that_could_lose_something_is_held_with_the_reason_and_never_written(
    change: Any, reason: str
) -> None:
    azure = Followers(2)
    azure.change("vm001", nics=change(azure.items()["vm001"].nics[0]))
    before = azure.items()["vm001"]
    azure.backend = wire(azure.world)
    plan = azure.planned()
    assert [view.reason for view in plan.machines if view.status == "held"] == ([reason] if reason else [])
    assert any("vm001" in finding.message and "left alone" in finding.message for finding in plan.findings)
    assert azure.apply(plan).result == "succeeded"
    assert documents(azure.items()["vm001"]) == documents(before)
    assert azure.destinations()["vm002"] == "new"


def documents(item: ProtectedItem) -> tuple[Any, ...]:
    """Every setting of a machine, and members that this version does not know."""
    return updatable_document(item), [nic.unknown_members for nic in item.nics], item.nics
