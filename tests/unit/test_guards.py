"""What must not be changed while machines fail over."""

from __future__ import annotations

import pytest
from failover_worlds import BEIJING, SHANGHAI, VAULT, item, vm_network, vnet
from msgspec import structs

from asrnet.inventory.activity import activity
from asrnet.model.arm import ArmId
from asrnet.model.azure import Nic, ProtectedItem

HERE, BESIDE = vm_network("VMNetwork1-Beijing"), vm_network("VMNetwork2-Beijing")
THERE = vm_network("VMNetwork1-Shanghai", fabric=SHANGHAI)
MOVING = structs.replace(item("VM-1", HERE, active_location="Recovery"), recovery_fabric_id=SHANGHAI)


def unnamed(moving: ProtectedItem) -> ProtectedItem:
    """The machine as Site Recovery tells it where nobody knows which network the name stands for."""
    return structs.replace(moving, nics=(Nic(name="nic0", primary_network="corp"),))


def test_a_machine_on_the_recovery_side_freezes_the_mappings_of_its_network() -> None:
    guard = activity([MOVING], ())
    assert guard.reason([HERE.id]) == "VM-1 runs on the recovery side (state Protected)"
    assert guard.reason([BESIDE.id, THERE.id]) == ""


@pytest.mark.parametrize("network", [HERE.id, BESIDE.id, THERE.id])
def test_where_the_vm_network_of_a_machine_is_not_known_its_whole_servers_freeze(network: ArmId) -> None:
    assert "VM-1" in activity([unnamed(MOVING)], ()).reason([network])


def test_other_servers_and_regions_do_not_freeze_with_it() -> None:
    elsewhere = vm_network("n", fabric=VAULT.child("replicationFabrics", "third"))
    at_rest = structs.replace(unnamed(MOVING), active_location="Primary")
    assert activity([unnamed(MOVING)], ()).reason([elsewhere.id, vnet("hub").id]) == ""
    assert activity([at_rest], ()).reason([HERE.id]) == ""
    assert HERE.fabric_id == BEIJING
