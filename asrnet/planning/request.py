"""What a plan is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from asrnet.desired import DesiredState, Selection
from asrnet.inventory.read import Inventory
from asrnet.model.arm import ArmId


class Request(Struct, frozen=True, kw_only=True):
    """The desired state and the inventory, which part of them, and which safeguards are lifted.

    ``display`` has the names of networks as people know them.
    """

    desired: DesiredState
    inventory: Inventory
    selection: Selection
    forced: frozenset[str]
    allow_delete: bool
    display: Mapping[ArmId, str]
