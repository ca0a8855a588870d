"""Recovery plans: groups of machines that fail over one after another, with manual actions between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from asrnet.emulator.bodies import Body, an_id, an_object, objects, text
from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.jobs import state_description
from asrnet.emulator.handlers.operations import add_results
from asrnet.emulator.handlers.protected_items import read_direction
from asrnet.emulator.messages import Document, Response, json_response
from asrnet.emulator.routing import VAULT, Routes
from asrnet.emulator.spelling import VAULT_TYPE, fabric_name, wire_id
from asrnet.fake import refusals
from asrnet.fake.jobs import iso_time
from asrnet.fake.machines import allowed_operations
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.fake.operations import stable_guid
from asrnet.fake.records import PlanAction, PlanGroup, RecoveryPlan
from asrnet.fake.world import World
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE, ProtectedItem

routes: Final = Routes()

_PLANS: Final = f"{VAULT}/replicationRecoveryPlans"
_PLAN: Final = f"{_PLANS}/{{plan}}"
_GROUP_KINDS: Final[dict[str, Literal["Shutdown", "Failover", "Boot"]]] = {
    "shutdown": "Shutdown",
    "failover": "Failover",
    "boot": "Boot",
}
_MANUAL: Final = "ManualActionDetails"


def plan_json(world: World, plan: RecoveryPlan, *, listed: bool = False) -> Document:
    """A recovery plan. With ``listed``, it is written as in a list, without its groups."""
    items = _machines(world, plan)
    # Plans have one name for each operation, whereas machines have one per provider.
    plan_words = {"SwitchProtection": "ReverseReplicate", "Failback": "PlannedFailover"}
    allowed = [{plan_words.get(operation, operation) for operation in allowed_operations(item)} for item in items]
    done = world.state.done.get(plan.id.key, {})
    job = world.recovery_plans.latest_job(plan.id)
    in_azure = plan.recovery_fabric_id.name == PSEUDO_FABRIC
    return {
        "id": wire_id(plan.id),
        "name": plan.id.name,
        "type": f"{VAULT_TYPE}/replicationRecoveryPlans",
        "properties": {
            "friendlyName": plan.id.name,
            "primaryFabricId": wire_id(plan.primary_fabric_id),
            "primaryFabricFriendlyName": fabric_name(world, plan.primary_fabric_id),
            "recoveryFabricId": MICROSOFT_AZURE if in_azure else wire_id(plan.recovery_fabric_id),
            "recoveryFabricFriendlyName": MICROSOFT_AZURE if in_azure else fabric_name(world, plan.recovery_fabric_id),
            "failoverDeploymentModel": "ResourceManager",
            "replicationProviders": sorted({item.provider for item in items}),
            "allowedOperations": [
                operation
                for operation in (
                    "PlannedFailover",
                    "UnplannedFailover",
                    "TestFailover",
                    "TestFailoverCleanup",
                    "Commit",
                    "CancelFailover",
                    "ReverseReplicate",
                )
                if allowed and all(operation in operations for operations in allowed)
            ],
            **{
                f"last{scenario}Time": iso_time(done[scenario])
                for scenario in ("PlannedFailover", "UnplannedFailover", "TestFailover")
                if scenario in done
            },
            # Recorded: all three are null before any operation on the plan. Specified: afterwards they show the latest
            # one.
            "currentScenario": {
                "scenarioName": job.scenario,
                "jobId": wire_id(job.id),
                "startTime": job.start_time,
            }
            if job
            else None,
            "currentScenarioStatus": job.state if job else None,
            "currentScenarioStatusDescription": state_description(job) if job else None,
            "groups": [] if listed else _groups_json(world, plan),
            "providerSpecificDetails": [],
        },
    }


def _groups_json(world: World, plan: RecoveryPlan) -> list[Document]:
    # Recorded: if a plan is created with boot groups only, a shutdown group and a failover group precede them.
    groups = list(plan.groups)
    for kind in ("Failover", "Shutdown"):
        if all(group.kind != kind for group in groups):
            groups.insert(0, PlanGroup(kind=kind))
    return [
        {
            "groupType": group.kind,
            "replicationProtectedItems": [
                {"id": wire_id(item_id), "virtualMachineId": _machine_name(world, plan, item_id)}
                for item_id in group.items
            ],
            "startGroupActions": [_action_json(world, plan, action) for action in group.start_actions],
            "endGroupActions": [_action_json(world, plan, action) for action in group.end_actions],
        }
        for group in groups
    ]


def _machine_name(world: World, plan: RecoveryPlan, item_id: ArmId) -> str:
    """How a plan names a machine. Specified for Hyper-V: the name of its item. Recorded for Azure: a GUID."""
    item = world.state.protected_items.get(plan.id.parent.key, item_id.key)
    if item is not None and item.provider == "HyperVReplicaAzure":
        return item_id.name
    return stable_guid(str(plan.id.parent), item_id.name, "machine")


def _action_json(world: World, plan: RecoveryPlan, action: PlanAction) -> Document:
    actions = world.extras.get(plan.id.key, {})
    given = actions.get(action.name)
    if isinstance(given, Mapping):  # as in the request
        return dict(given)
    return {
        "actionName": action.name,
        "failoverTypes": ["TestFailover", "UnplannedFailover", "PlannedFailover"],
        "failoverDirections": ["PrimaryToRecovery", "RecoveryToPrimary"],
        "customDetails": {
            "instanceType": _MANUAL if action.manual else "ScriptActionDetails",
            "description": action.description,
        },
    }


def _machines(world: World, plan: RecoveryPlan) -> Sequence[ProtectedItem]:
    items = (
        world.state.protected_items.get(plan.id.parent.key, item_id.key)
        for group in plan.groups
        for item_id in group.items
    )
    return [item for item in items if item is not None]


def read_plan(plan_id: ArmId, properties: Body, before: RecoveryPlan | None) -> tuple[RecoveryPlan, dict[str, object]]:
    """Read a plan from the properties of a body. Also returns its actions as written, by name."""
    groups: list[PlanGroup] = []
    written: dict[str, object] = {}
    for entry in objects(properties, "groups"):
        kind = _GROUP_KINDS.get((text(entry, "groupType") or "").lower())
        if kind is None:
            raise refusals.invalid("The type of a group is not one of Shutdown, Failover and Boot.", plan_id)
        items = [an_id(item, "id") for item in objects(entry, "replicationProtectedItems")]
        actions: dict[str, tuple[PlanAction, ...]] = {}
        for name in ("startGroupActions", "endGroupActions"):
            actions[name] = tuple(_read_action(action, plan_id) for action in objects(entry, name))
            written |= {text(action, "actionName") or "": dict(action) for action in objects(entry, name)}
        groups.append(
            PlanGroup(
                kind=kind,
                items=tuple(item for item in items if item is not None),
                start_actions=actions["startGroupActions"],
                end_actions=actions["endGroupActions"],
            )
        )
    # Specified: an update changes only the groups; the fabrics of a plan stay the same.
    primary = before.primary_fabric_id if before else an_id(properties, "primaryFabricId")
    recovery = before.recovery_fabric_id if before else None
    if recovery is None:
        in_azure = text(properties, "recoveryFabricId") == MICROSOFT_AZURE
        azure = plan_id.parent.child("replicationFabrics", PSEUDO_FABRIC)
        recovery = azure if in_azure else an_id(properties, "recoveryFabricId")
    if primary is None or recovery is None or not groups:
        names = "'primaryFabricId', 'recoveryFabricId' and 'groups'"
        raise refusals.invalid(f"The properties {names} are required.", plan_id)
    plan = RecoveryPlan(id=plan_id, primary_fabric_id=primary, recovery_fabric_id=recovery, groups=tuple(groups))
    return plan, written


def _read_action(action: Body, plan_id: ArmId) -> PlanAction:
    name, details = text(action, "actionName"), an_object(action, "customDetails")
    if name is None:
        raise refusals.invalid("An action of the plan has no name.", plan_id)
    manual = text(details, "instanceType") == _MANUAL
    return PlanAction(name=name, manual=manual, description=text(details, "description") or "")


@routes.get(_PLANS, "ReplicationRecoveryPlans_List", "recorded")
def list_plans(call: Call) -> Response:
    """The recovery plans of a vault."""
    plans = call.world.recovery_plans.list(call.id("vault"))
    return call.page(plans, lambda plan: plan_json(call.world, plan, listed=True))


@routes.get(_PLAN, "ReplicationRecoveryPlans_Get", "recorded")
def get_plan(call: Call) -> Response:
    """One recovery plan."""
    return json_response(plan_json(call.world, call.world.recovery_plans.get(call.id("plan"))))


@routes.put(_PLAN, "ReplicationRecoveryPlans_Create", "recorded")
def put_plan(call: Call) -> Response:
    """Create or replace a recovery plan."""
    plan_id = call.id("plan")
    plan, written = read_plan(plan_id, an_object(call.request.document(), "properties"), None)
    started = call.world.recovery_plans.put(plan)
    call.world.extras[plan_id.key] = written
    return call.accepted(started, plan_id)


@routes.patch(_PLAN, "ReplicationRecoveryPlans_Update", "specified")
def patch_plan(call: Call) -> Response:
    """Change the groups of a recovery plan."""
    plan_id = call.id("plan")
    body = call.request.document()
    before = call.world.recovery_plans.get(plan_id)
    plan, written = read_plan(plan_id, an_object(body, "properties"), before)
    started = call.world.recovery_plans.put(plan, method="PATCH")
    call.world.extras[plan_id.key] = written
    return call.accepted(started, plan_id)


@routes.delete(_PLAN, "ReplicationRecoveryPlans_Delete", "recorded")
def delete_plan(call: Call) -> Response:
    """Delete a recovery plan."""
    plan_id = call.id("plan")
    return call.accepted(call.world.recovery_plans.delete(plan_id), plan_id)


add_results(routes, _PLAN, get_plan)

_SUSPENDS: Final = "documented: its job is suspended before each manual action"


@routes.post(f"{_PLAN}/testFailover", "ReplicationRecoveryPlans_TestFailover", "specified", _SUSPENDS)
def test_failover(call: Call) -> Response:
    """Create test machines."""
    plan_id = call.id("plan")
    properties = an_object(call.request.document(), "properties")
    return call.accepted(call.world.recovery_plans.test_failover(plan_id, an_id(properties, "networkId")), plan_id)


@routes.post(f"{_PLAN}/testFailoverCleanup", "ReplicationRecoveryPlans_TestFailoverCleanup", "specified", _SUSPENDS)
def test_failover_cleanup(call: Call) -> Response:
    """Delete the test machines."""
    return call.accepted(call.world.recovery_plans.test_failover_cleanup(call.id("plan")), call.id("plan"))


@routes.post(f"{_PLAN}/unplannedFailover", "ReplicationRecoveryPlans_UnplannedFailover", "specified", _SUSPENDS)
def unplanned_failover(call: Call) -> Response:
    """Fail over the machines of a plan."""
    plan_id = call.id("plan")
    direction = read_direction(an_object(call.request.document(), "properties"), plan_id)
    return call.accepted(call.world.recovery_plans.unplanned_failover(plan_id, direction), plan_id)


@routes.post(f"{_PLAN}/failoverCommit", "ReplicationRecoveryPlans_FailoverCommit", "specified", _SUSPENDS)
def commit_failover(call: Call) -> Response:
    """Commit the failover of a plan's machines."""
    return call.accepted(call.world.recovery_plans.commit(call.id("plan")), call.id("plan"))


@routes.post(f"{_PLAN}/plannedFailover", "ReplicationRecoveryPlans_PlannedFailover", "specified", _SUSPENDS)
def planned_failover(call: Call) -> Response:
    """Fail the on-premises machines of a plan over without data loss, or fail them back."""
    plan_id = call.id("plan")
    direction = read_direction(an_object(call.request.document(), "properties"), plan_id)
    return call.accepted(call.world.recovery_plans.planned_failover(plan_id, direction), plan_id)


@routes.post(f"{_PLAN}/failoverCancel", "ReplicationRecoveryPlans_FailoverCancel", "specified", _SUSPENDS)
def cancel_failover(call: Call) -> Response:
    """Cancel the failover of a plan's machines before it is committed."""
    return call.accepted(call.world.recovery_plans.cancel(call.id("plan")), call.id("plan"))


@routes.post(f"{_PLAN}/reProtect", "ReplicationRecoveryPlans_Reprotect", "specified", _SUSPENDS)
def reprotect(call: Call) -> Response:
    """Re-protect the machines of a plan. Azure machines move to the other fabric, and the plan reverses direction."""
    return call.accepted(call.world.recovery_plans.reprotect(call.id("plan")), call.id("plan"))
