"""Recovery plans of a vault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from msgspec.structs import replace

from asrnet.fake import refusals
from asrnet.fake.jobs import job_of
from asrnet.fake.machines import (
    FAILOVER_CANCEL,
    FAILOVER_COMMIT,
    PLANNED_FAILOVER,
    REPROTECT,
    TEST_FAILOVER,
    TEST_FAILOVER_CLEANUP,
    UNPLANNED_FAILOVER,
    Direction,
    ProtectedItems,
    Verb,
)
from asrnet.fake.operations import Started
from asrnet.fake.records import RecoveryPlan
from asrnet.fake.state import State
from asrnet.model.arm import ArmId
from asrnet.model.azure import Job, ProtectedItem


class RecoveryPlans:
    """Recovery plans. An operation on a plan applies to its machines, group by group, when it ends.

    The job of a plan is suspended before each manual action until it is resumed (``world.jobs.resume``).
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._items = ProtectedItems(state)

    def list(self, vault_id: ArmId) -> tuple[RecoveryPlan, ...]:
        """The recovery plans of a vault. Raises NotFoundError and VaultUnusedError."""
        with self._state.request("GET", f"{vault_id}/replicationRecoveryPlans"):
            vault = self._state.known_vault(vault_id)
            return self._state.listed(self._state.plans.values(vault.id.key))

    def get(self, plan_id: ArmId) -> RecoveryPlan:
        """One recovery plan. Raises NotFoundError."""
        with self._state.request("GET", plan_id):
            return self._existing(plan_id)

    def put(self, plan: RecoveryPlan, *, method: str = "PUT") -> Started:
        """Create a recovery plan or (PATCH) change it. Raises NotFoundError if one of its machines is missing."""
        with self._state.request(method, plan.id) as admission:
            vault = self._state.vault(plan.id)
            if method == "PATCH":
                self._existing(plan.id)
            list(self._machines(plan))
            scenario = "CreateRecoveryPlan" if method == "PUT" else "UpdateRecoveryPlan"
            store = self._state.plans.put
            return self._state.start(
                self._state.write(method, plan.id, scenario),
                lambda: store(vault.id.key, plan.id.key, plan),
                admission,
            )

    def delete(self, plan_id: ArmId) -> Started:
        """Delete a recovery plan. Its machines stay as they are. Raises NotFoundError."""
        with self._state.request("DELETE", plan_id) as admission:
            plan = self._existing(plan_id)

            def forget() -> None:
                self._state.plans.remove(plan.id.parent.key, plan.id.key)
                self._state.done.pop(plan.id.key, None)
                self._state.plan_jobs.pop(plan.id.key, None)

            write = self._state.write("DELETE", plan_id, "DeleteRecoveryPlan")
            return self._state.start(write, forget, admission)

    def test_failover(self, plan_id: ArmId, network_id: ArmId | None = None) -> Started:
        """Create a test machine for each machine; ``network_id`` is for NICs without a test network."""
        return self._do(TEST_FAILOVER, plan_id, lambda item: self._items.tested(item, network_id))

    def test_failover_cleanup(self, plan_id: ArmId) -> Started:
        """Delete the test machines."""
        return self._do(TEST_FAILOVER_CLEANUP, plan_id, self._items.cleaned_up)

    def unplanned_failover(self, plan_id: ArmId, direction: Direction | None = None) -> Started:
        """Fail the machines over."""
        change = partial(self._items.failed_over, direction=direction or "PrimaryToRecovery")
        return self._do(UNPLANNED_FAILOVER, plan_id, change, direction=direction)

    def planned_failover(self, plan_id: ArmId, direction: Direction | None = None) -> Started:
        """Fail on-premises machines over without data loss, or (``RecoveryToPrimary``) fail them back."""
        change = partial(self._items.failed_over, direction=direction or "PrimaryToRecovery", planned=True)
        return self._do(PLANNED_FAILOVER, plan_id, change, direction=direction)

    def commit(self, plan_id: ArmId) -> Started:
        """Commit the failover of the machines."""
        return self._do(FAILOVER_COMMIT, plan_id, self._items.committed)

    def cancel(self, plan_id: ArmId) -> Started:
        """Cancel the failover of the machines."""
        return self._do(FAILOVER_CANCEL, plan_id, self._items.canceled)

    def reprotect(self, plan_id: ArmId) -> Started:
        """Replicate the machines from where they run now. A plan of Azure machines then reverses its direction."""
        return self._do(REPROTECT, plan_id, self._items.reprotected)

    def _do(
        self,
        verb: Verb,
        plan_id: ArmId,
        change: Callable[[ProtectedItem], ProtectedItem],
        *,
        direction: Direction | None = None,
    ) -> Started:
        with self._state.request("POST", f"{plan_id}/{verb.path}") as admission:
            plan = self._existing(plan_id)
            machines = list(self._machines(plan))
            for item in machines:
                self._items.require(verb, item, direction)
            actions = (action for group in plan.groups for action in (*group.start_actions, *group.end_actions))
            write = self._state.write("POST", plan_id, verb.scenario)

            done: set[str] = set()

            def carry_out() -> None:
                # All machines are looked up first, so that the operation fails before any change if one was disabled
                # meanwhile.
                for item in list(self._machines(plan)):
                    self._items.store(item.id, change(self._items.released(item)))
                    self._state.record_success(item.id, verb.scenario)
                    done.add(item.id.key)
                self._state.record_success(plan_id, verb.scenario)

            def fail() -> None:
                # The machines before the failed one have failed over already, and stay where they are.
                for item in machines:
                    if item.id.key not in done:
                        self._items.fail(verb, item)

            pauses = tuple(
                action.name for action in actions if action.manual and verb.operation in action.failover_types
            )
            for item in machines:
                self._state.put_item(replace(item, scenario=verb.scenario))
            started = self._state.start(replace(write, pauses=pauses), carry_out, admission, on_failure=fail)
            self._state.plan_jobs[plan_id.key] = started.id
            if started.state == "InProgress":
                self._state.working |= {item.id.key: started.id for item in machines}
            return started

    def _machines(self, plan: RecoveryPlan) -> Iterator[ProtectedItem]:
        """The machines of a plan, in order. Raises NotFoundError if one does not exist."""
        for group in plan.groups:
            for item_id in group.items:
                item = self._state.protected_items.get(plan.id.parent.key, item_id.key)
                if item is None:
                    raise refusals.missing(item_id)
                yield item

    def latest_job(self, plan_id: ArmId) -> Job | None:
        """The latest failover, test failover or re-protection of a plan, running or ended; None before the first.

        Reading it counts as a status read of its operation (``manual:N``).
        """
        with self._state.lock:
            job = self._state.plan_jobs.get(plan_id.key)
            started = self._state.operations.read(job) if job else None
            return job_of(started) if started else None

    def _existing(self, plan_id: ArmId) -> RecoveryPlan:
        vault = self._state.known_vault(plan_id)
        plan = self._state.plans.get(vault.id.key, plan_id.key)
        if plan is None:
            raise refusals.missing(plan_id)
        return plan
