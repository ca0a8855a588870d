"""Jobs of a vault: those of the world's own operations, and those that the world file tells of."""

from __future__ import annotations

from asrnet.fake import refusals
from asrnet.fake.operations import Started, job_of
from asrnet.fake.state import State
from asrnet.fake.times import seconds_of
from asrnet.model.arm import ArmId
from asrnet.model.azure import Job


class Jobs:
    """Site Recovery's jobs. A job's name is the id of the operation that started it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(
        self, vault_id: ArmId, *, since: float | None = None, until: float | None = None, state: str | None = None
    ) -> tuple[Job, ...]:
        """The jobs of a vault, latest first: started at or after ``since``, ended at or before ``until``, in ``state``.

        Times are seconds since 1970. Reading counts as a status read of each operation (``manual:N``).
        """
        with self._state.request("GET", f"{vault_id}/replicationJobs"):
            vault = self._state.known_vault(vault_id)
            started = [job_of(one) for one in self._state.operations.of_vault(vault.id, since=since)]
            told = [job for job in self._state.jobs.values(vault.id.key) if _within(job.start_time, since, None)]
            return tuple(
                job
                for job in (*started, *told)
                if (state is None or job.state.lower() == state.lower()) and _within(job.end_time, None, until)
            )

    def get(self, job_id: ArmId) -> Job:
        """One job. Raises NotFoundError."""
        with self._state.request("GET", job_id):
            vault = self._state.known_vault(job_id)
            operation = self._state.operations.read(job_id.name)
            if operation is not None and operation.vault_id == vault.id:
                return job_of(operation)
            job = self._state.jobs.get(vault.id.key, job_id.key)
            if job is None:
                raise refusals.missing(job_id)
            return job


class OperationStatuses:
    """Long-running operations by id, as their status URLs show them."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, operation_id: str, *, scope: ArmId) -> Started:
        """Where an operation stands; ``scope`` is the vault or subscription its URL names. Raises NotFoundError."""
        path = (
            scope.child("replicationOperationStatus", operation_id)
            if scope.type
            else ArmId(f"{scope}/providers/Microsoft.Network/locations/any/operations/{operation_id}")
        )
        with self._state.request("GET", path):
            operation = self._state.operations.read(operation_id)
            if operation is None or not _belongs(operation, scope):
                raise refusals.missing(path)
            return operation


def _belongs(operation: Started, scope: ArmId) -> bool:
    """Whether an operation is one of the vault ``scope``, or of the subscription if it is none of Site Recovery's."""
    if scope.type:
        return operation.vault_id == scope
    return operation.vault_id is None and operation.resource_id.subscription == scope.subscription


def _within(time: str, earliest: float | None, latest: float | None) -> bool:
    if not time:
        return earliest is None and latest is None
    seconds = seconds_of(time)
    return (earliest is None or seconds >= earliest) and (latest is None or seconds <= latest)
