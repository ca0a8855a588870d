"""Jobs of a vault: those of the world's operations and those loaded with the world."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from asrnet.fake import refusals
from asrnet.fake.machines import waits_for_end_of_test
from asrnet.fake.operations import Started
from asrnet.fake.state import State
from asrnet.model.arm import ArmId
from asrnet.model.azure import Job


def iso_time(seconds: float) -> str:
    """A time as the service writes it, with seven decimal digits: ``2023-08-29T01:12:02.4054199Z``."""
    whole = int(seconds // 1)
    ticks = int((seconds - whole) * 10_000_000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{ticks:07d}Z"


def seconds_of(text: str) -> float:
    """Parse a time as the service writes it into seconds since 1970. Raises ValueError for any other text."""
    return datetime.fromisoformat(text).timestamp()


def job_of(started: Started) -> Job:
    """The job that Site Recovery shows for an operation. Its name is the id of the operation."""
    vault = started.vault_id
    assert vault is not None  # noqa: S101 - only Site Recovery's operations are asked for their job
    # Specified: a job is Cancelled when its operation is Canceled, and Cancelling before that.
    state = started.state.replace("Canceled", "Cancelled")
    if started.state == "InProgress" and (started.is_canceling or started.waits_for):
        state = "Cancelling" if started.is_canceling else "Suspended"
    return Job(
        id=vault.child("replicationJobs", started.id),
        scenario=started.scenario,
        state=state,
        start_time=iso_time(started.start_time),
        end_time="" if started.end_time is None else iso_time(started.end_time),
        target=started.target,
        target_id=started.target_id,
        # Recorded: an operation that succeeded may carry a warning. It is assumed that the job lists the warning among
        # its errors.
        errors=(started.error.message,) if started.state in {"Failed", "Succeeded"} and started.error else (),
    )


class Jobs:
    """Site Recovery's jobs. A job's name is the id of the operation that it belongs to."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(
        self, vault_id: ArmId, *, since: float | None = None, until: float | None = None, state: str | None = None
    ) -> tuple[Job, ...]:
        """The jobs of a vault in ``state``, started since ``since`` and ended by ``until``, latest first.

        Times are seconds since 1970. Reading counts as a status read of each operation (``manual:N``).
        """
        with self._state.request("GET", f"{vault_id}/replicationJobs"):
            vault = self._state.known_vault(vault_id)
            of_operations = [self._job(started) for started in self._state.operations.of_vault(vault.id, since=since)]
            seeded = [job for job in self._state.jobs.values(vault.id.key) if _within(job.start_time, since, None)]
            return tuple(
                job
                for job in (*of_operations, *seeded)
                if (state is None or job.state.lower() == state.lower()) and _within(job.end_time, None, until)
            )

    def get(self, job_id: ArmId) -> Job:
        """One job. Raises NotFoundError."""
        with self._state.request("GET", job_id):
            vault = self._state.known_vault(job_id)
            operation = self._state.operations.read(job_id.name)
            if operation is not None and operation.vault_id == vault.id:
                return self._job(operation)
            job = self._state.jobs.get(vault.id.key, job_id.key)
            if job is None:
                raise refusals.missing(job_id)
            return job

    def open_test(self, job_id: ArmId) -> ArmId | None:
        """The machine whose test failover keeps this job suspended until the test ends; None for any other job."""
        with self._state.lock:
            started = self._state.operations.peek(job_id.name)
            return self._machine_in_test(started) if started else None

    def _job(self, started: Started) -> Job:
        job = job_of(started)
        return replace(job, state="Suspended", end_time="") if self._machine_in_test(started) else job

    def _machine_in_test(self, started: Started) -> ArmId | None:
        item_id = started.resource_id
        if started.state != "Succeeded" or self._state.test_jobs.get(item_id.key) != started.id:
            return None
        item = self._state.protected_items.get(item_id.parent.parent.parent.key, item_id.key)
        return item_id if item is not None and waits_for_end_of_test(item) else None

    def resume(self, job_id: ArmId) -> Started:
        """Resume a job that waits for a manual action. Raises NotFoundError, and ServiceError if it does not."""
        with self._state.request("POST", f"{job_id}/resume"):
            self._existing(job_id)
            resumed = self._state.operations.resume(job_id.name)
            if resumed is None:
                raise self._state.assumed("job_not_allowed", "resumed", job_id.name, resource_id=job_id)
            return resumed

    def restart(self, job_id: ArmId) -> Started:
        """Restart a failed job. Raises NotFoundError, and ServiceError if it has not failed."""
        with self._state.request("POST", f"{job_id}/restart"):
            self._existing(job_id)
            restarted = self._state.operations.restart(job_id.name)
            if restarted is None:
                raise self._state.assumed("job_not_allowed", "restarted", job_id.name, resource_id=job_id)
            return restarted

    def cancel(self, job_id: ArmId) -> Started:
        """Cancel a job, without its effect. Raises NotFoundError, and ServiceError if it has ended or is canceled."""
        with self._state.request("POST", f"{job_id}/cancel"):
            self._existing(job_id)
            canceled = self._state.operations.cancel(job_id.name)
            if canceled is None:
                raise self._state.assumed("job_not_allowed", "canceled", job_id.name, resource_id=job_id)
            return canceled

    def _existing(self, job_id: ArmId) -> None:
        vault = self._state.known_vault(job_id)
        # A job loaded with the world can be read, but it has no operation that could continue or end.
        if not self._state.operations.exists(job_id.name, vault.id):
            raise refusals.missing(job_id)


class OperationStatuses:
    """Long-running operations by id, as their status URLs show them."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, operation_id: str, *, scope: ArmId) -> Started:
        """The status of an operation. ``scope`` is the vault or subscription in its URL. Raises NotFoundError."""
        path = (
            scope.child("replicationOperationStatus", operation_id)
            if scope.type
            else ArmId(f"{scope}/providers/Microsoft.Network/locations/any/operations/{operation_id}")
        )
        with self._state.request("GET", path):
            operation = self._state.operations.read(operation_id)
            # An operation of Site Recovery is visible only in its vault, any other only in its subscription.
            vault_id = scope if scope.type else None
            if (
                operation is None
                or operation.vault_id != vault_id
                or operation.resource_id.subscription != scope.subscription
            ):
                raise refusals.missing(path)
            return operation


def _within(time: str, earliest: float | None, latest: float | None) -> bool:
    if not time:  # a job that has not started or not ended is outside any limit
        return earliest is None and latest is None
    seconds = seconds_of(time)
    return (earliest is None or seconds >= earliest) and (latest is None or seconds <= latest)
