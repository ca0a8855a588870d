"""Recovery points of protected machines, from which a failover can be started."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from asrnet.fake import refusals
from asrnet.fake.machines import COMPLETING, REPLICATING
from asrnet.fake.operations import stable_guid
from asrnet.fake.records import ReplicationPolicy
from asrnet.fake.state import State
from asrnet.model.arm import ArmId
from asrnet.model.azure import ProtectedItem

_MINUTE: Final = 60
_MOST: Final = 24
"""The number of points to keep. A day of points every five minutes would be 288, more than clients need for paging."""


class RecoveryPoint(Struct, frozen=True, kw_only=True):
    """A recovery point; ``time`` is in seconds since 1970."""

    id: ArmId
    time: float
    kind: Literal["CrashConsistent", "AppConsistent"]


class RecoveryPoints:
    """Recovery points that follow from the clock and the machine's policy, limited to the latest 24.

    During its initial replication, a machine has none.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, item_id: ArmId) -> tuple[RecoveryPoint, ...]:
        """The recovery points of a machine, latest first. Raises NotFoundError."""
        with self._state.request("GET", f"{item_id}/recoveryPoints"):
            return self._points(self._state.protected_item(item_id))

    def get(self, point_id: ArmId) -> RecoveryPoint:
        """One recovery point. Raises NotFoundError."""
        with self._state.request("GET", point_id):
            for point in self._points(self._state.protected_item(point_id.parent)):
                if point.id == point_id:
                    return point
            raise refusals.missing(point_id)

    def require(self, item_id: ArmId, point: str) -> ArmId:
        """The id of a recovery point given by id or name. Raises ServiceError if it does not exist."""
        with self._state.lock:
            name = point.rpartition("/")[2].lower()
            for recovery_point in self._points(self._state.protected_item(item_id)):
                if recovery_point.id.name == name:
                    return recovery_point.id
            raise self._state.assumed("recovery_point_missing", name[:100], resource_id=item_id)

    def _points(self, item: ProtectedItem) -> tuple[RecoveryPoint, ...]:
        if item.state in {REPLICATING, COMPLETING}:
            return ()
        policy = self._state.policies.get(item.vault_id.key, item.policy_id.key) if item.policy_id else None
        policy = policy or ReplicationPolicy(id=item.vault_id.child("replicationPolicies", "default"))
        every = max(1, policy.crash_consistent_frequency) * _MINUTE
        app_consistent = policy.app_consistent_frequency * _MINUTE
        # Points are computed from the clock and never stored, so that a world that runs for days does not grow, and
        # that reads agree.
        latest = int(self._state.clock.now()) // every * every
        # A policy without history keeps the latest point.
        count = min(_MOST, 1 + policy.recovery_point_history * _MINUTE // every)
        return tuple(
            RecoveryPoint(
                id=item.id.child("recoveryPoints", stable_guid(f"{item.id.key} {moment}")),
                time=moment,
                kind="AppConsistent" if app_consistent and moment % app_consistent == 0 else "CrashConsistent",
            )
            for moment in (latest - number * every for number in range(count))
        )
