"""Recovery points of protected items."""

from __future__ import annotations

from typing import Final

from asrnet.emulator.calls import Call
from asrnet.emulator.messages import Document, Response, json_response
from asrnet.emulator.routing import ITEM, Routes
from asrnet.emulator.spelling import CONTAINER_TYPE, wire_id
from asrnet.fake.jobs import iso_time
from asrnet.fake.recovery_points import RecoveryPoint

routes: Final = Routes()

_POINTS: Final = f"{ITEM}/recoveryPoints"
_BY_THE_CLOCK: Final = "the points follow from the clock and the interval of the policy"


def point_json(call: Call, point: RecoveryPoint) -> Document:
    """A recovery point with its provider's details."""
    item = call.world.state.protected_items.get(call.id("vault").key, point.id.parent.key)
    provider = item.provider if item else ""
    details: Document | None = None
    if provider == "A2A":
        details = {"instanceType": provider, "recoveryPointSyncType": "PerVmRecoveryPoint", "disks": []}
    elif provider == "InMageRcm":
        details = {"instanceType": provider, "isMultiVmSyncPoint": "false"}
    return {
        "id": wire_id(point.id),
        "name": point.id.name,
        "type": f"{CONTAINER_TYPE}/replicationProtectedItems/recoveryPoints",
        "properties": {
            "recoveryPointTime": iso_time(point.time),
            "recoveryPointType": point.kind,
            "providerSpecificDetails": details,
        },
    }


@routes.get(_POINTS, "RecoveryPoints_ListByReplicationProtectedItems", "specified", _BY_THE_CLOCK)
def list_points(call: Call) -> Response:
    """The recovery points of a machine, latest first."""
    return call.page(call.world.recovery_points.list(call.id("item")), lambda point: point_json(call, point))


@routes.get(f"{_POINTS}/{{point}}", "RecoveryPoints_Get", "specified", _BY_THE_CLOCK)
def get_point(call: Call) -> Response:
    """One recovery point."""
    return json_response(point_json(call, call.world.recovery_points.get(call.id("point"))))
