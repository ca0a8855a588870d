"""What a dump says of what it leaves out."""

from __future__ import annotations

from states import SEA, TwoRegions, row

from asrnet.desired import DesiredState
from asrnet.export.desired import Dump, dump
from asrnet.inventory.read import read_inventory


def test_a_mapping_whose_networks_are_gone_is_left_out_with_both_named() -> None:
    azure = TwoRegions()
    x, y = azure.network("x"), azure.network("y", SEA)
    azure.map(x, y)
    azure.world.virtual_networks.delete(x.id)
    azure.world.virtual_networks.delete(y.id)
    desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
    left_out = dump(read_inventory(desired, azure.backend), desired).left_out
    assert [line.partition(": ")[2] for line in left_out] == ["x and y do not exist"]


def test_what_is_left_out_stays_a_comment_whatever_its_name() -> None:
    text = Dump(desired=DesiredState(), left_out=("mapping a\nvaults: {}",)).text()
    assert text.splitlines()[0] == "# left out: mapping a\\nvaults: {}"
