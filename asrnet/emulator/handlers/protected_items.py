"""Protected items: replicated machines, from enabling replication through failover and re-protection to its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from asrnet.emulator.bodies import Body, a_list, an_id, an_object, objects, text
from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.item_shapes import (
    DISK_SETTINGS,
    DISKS,
    MULTI_VM_GROUP,
    RECOVERY_POINT,
    item_json,
)
from asrnet.emulator.handlers.nic_shapes import read_settings
from asrnet.emulator.handlers.on_premises_shapes import (
    SETTINGS,
    read_hyper_v_enabling,
    read_rcm_enabling,
)
from asrnet.emulator.handlers.operations import add_results
from asrnet.emulator.messages import GatewayError, Response, json_response
from asrnet.emulator.routing import CONTAINER, ITEM, VAULT, Routes
from asrnet.emulator.spelling import wire_id
from asrnet.fake import refusals
from asrnet.fake.machines import Direction
from asrnet.fake.records import EnableRequest, SwitchRequest
from asrnet.model.arm import ArmId
from asrnet.model.azure import ProtectedItem

routes: Final = Routes()

_ITEMS: Final = "replicationProtectedItems"
_DIRECTIONS: Final[dict[str, Direction]] = {
    "primarytorecovery": "PrimaryToRecovery",
    "recoverytoprimary": "RecoveryToPrimary",
}
_OTHER_PROVIDERS: Final = frozenset({"A2ACrossClusterMigration", "InMage", "InMageAzureV2", "San"})
"""The instance types that are specified for enabling replication but not implemented by the emulator."""
_REPORTED: Final = "the states between failover and re-protection are reported, not recorded"


def read_enabling(body: Body, item_id: ArmId) -> EnableRequest:
    """Read the Azure machine to protect and its networks from the body of a PUT."""
    properties = an_object(body, "properties")
    details = an_object(properties, "providerSpecificDetails")
    return EnableRequest(
        machine_id=_required_id(details, "fabricObjectId", item_id),
        recovery_container_id=_required_id(details, "recoveryContainerId", item_id),
        recovery_network_id=an_id(details, "recoveryAzureNetworkId"),
        recovery_subnet=text(details, "recoverySubnetName"),
        recovery_resource_group_id=an_id(details, "recoveryResourceGroupId"),
        settings=read_settings("A2A", details),
        policy_id=an_id(properties, "policyId"),
    )


def _required_id(body: Body, name: str, resource_id: ArmId) -> ArmId:
    identifier = an_id(body, name)
    if identifier is None:
        raise refusals.invalid(f"The property '{name}' is required.", resource_id)
    return identifier


@routes.get(f"{VAULT}/{_ITEMS}", "ReplicationProtectedItems_List", "specified")
def list_items(call: Call) -> Response:
    """All protected items of a vault."""
    items = call.world.protected_items.list(call.id("vault"), shown=False)
    return _page(call, items)


@routes.get(f"{CONTAINER}/{_ITEMS}", "ReplicationProtectedItems_ListByReplicationProtectionContainers", "specified")
def list_container_items(call: Call) -> Response:
    """The protected items of a container."""
    items = call.world.protected_items.list_container(call.id("container"), shown=False)
    return _page(call, items)


def _page(call: Call, items: Sequence[ProtectedItem]) -> Response:
    # With thousands of machines, only those of the requested page are prepared.
    return call.page(items, lambda item: item_json(call.world, call.world.protected_items.as_shown(item)))


@routes.get(
    ITEM,
    "ReplicationProtectedItems_Get",
    "recorded",
    "recorded for A2A, specified for other providers; documented: a static source has a static recovery address",
)
def get_item(call: Call) -> Response:
    """One protected item."""
    return json_response(item_json(call.world, call.world.protected_items.get(call.id("item"))))


@routes.put(
    ITEM,
    "ReplicationProtectedItems_Create",
    "recorded",
    "recorded for A2A, specified for HyperVReplicaAzure and InMageRcm; documented: A2A also creates mappings;"
    " assumed: a PUT of a protected machine changes nothing",
)
def put_item(call: Call) -> Response:
    """Enable replication. For an Azure machine this also creates the network mappings and the recovery network."""
    item_id = call.id("item")
    body = call.request.document()
    details = an_object(an_object(body, "properties"), "providerSpecificDetails")
    instance_type = text(details, "instanceType")
    if instance_type is None:
        raise refusals.invalid("The property 'instanceType' is required.", item_id)
    if instance_type in {"HyperVReplicaAzure", "InMageRcm"}:
        read = read_hyper_v_enabling if instance_type == "HyperVReplicaAzure" else read_rcm_enabling
        is_new = call.world.state.protected_items.get(call.id("vault").key, item_id.key) is None
        started = call.world.protected_items.enable_on_premises(item_id, read(body, item_id))
        if is_new:
            call.world.extras[item_id.key] = {SETTINGS: dict(details)}
        return call.accepted(started, item_id)
    if instance_type != "A2A":
        if instance_type not in _OTHER_PROVIDERS:
            raise refusals.invalid(f"The instance type '{instance_type[:100]}' is not known.", item_id)
        message = f"The emulator cannot create protected items of instance type '{instance_type}'."
        raise GatewayError(501, "NotImplemented", message)
    disks, group = list(a_list(details, "vmManagedDisks")), text(details, "multiVmGroupName")
    is_new = call.world.state.protected_items.get(call.id("vault").key, item_id.key) is None
    started = call.world.protected_items.enable(item_id, read_enabling(body, item_id))
    if is_new:
        named_group = zip(MULTI_VM_GROUP, (group, "UserSpecified"), strict=True) if group else ()
        call.world.extras[item_id.key] = {DISKS: disks, **dict(named_group)}
    return call.accepted(started, item_id)


@routes.patch(
    ITEM,
    "ReplicationProtectedItems_Update",
    "specified",
    "what happens to omitted settings is assumed, and can be chosen with partial_update",
)
def patch_item(call: Call) -> Response:
    """Change the recovery settings of a machine and its NICs."""
    item_id = call.id("item")
    properties = an_object(call.request.document(), "properties")
    _check_provider(properties, call, item_id)
    updates = objects(an_object(properties, "providerSpecificDetails"), "managedDiskUpdateDetails")
    started = call.world.protected_items.update(item_id, properties)
    _update_disks(call, updates)
    return call.accepted(started, item_id)


def _update_disks(call: Call, updates: Sequence[Body]) -> None:
    """Change the disks of an Azure machine. Terraform waits until the disk types it sent can be read back."""
    changes = {
        (text(update, "diskId") or "").lower(): {
            name: value for name in DISK_SETTINGS if (value := text(update, name)) is not None
        }
        for update in updates
    }
    extras = call.world.extras.get(call.id("item").key, {})
    disks = extras.get(DISKS)
    if changes and isinstance(disks, list):
        extras[DISKS] = [
            {**disk, **changes.get((text(disk, "diskId") or "").lower(), {})} if isinstance(disk, dict) else disk
            for disk in disks
        ]


@routes.delete(ITEM, "ReplicationProtectedItems_Purge", "recorded")
@routes.post(f"{ITEM}/remove", "ReplicationProtectedItems_Delete", "recorded")
def remove_item(call: Call) -> Response:
    """Purge a machine (DELETE) or disable its replication (POST)."""
    item_id = call.id("item")
    return call.accepted(call.world.protected_items.delete(item_id, method=call.request.method), item_id)


add_results(routes, ITEM, get_item)


@routes.post(
    f"{ITEM}/testFailover",
    "ReplicationProtectedItems_TestFailover",
    "specified",
    "documented: its job succeeds while the test machine exists",
)
def test_failover(call: Call) -> Response:
    """Create a test machine, on the network in the body if the machine has no test network of its own."""
    item_id, properties = call.id("item"), _input(call)
    details = an_object(properties, "providerSpecificDetails")
    _recovery_point(call, details)
    # Specified: for a VMware machine, the network is in the provider details.
    network_id = an_id(properties, "networkId") or an_id(details, "networkId")
    return call.accepted(call.world.protected_items.test_failover(item_id, network_id), item_id)


@routes.post(f"{ITEM}/testFailoverCleanup", "ReplicationProtectedItems_TestFailoverCleanup", "specified")
def test_failover_cleanup(call: Call) -> Response:
    """Delete the test machine."""
    item_id = call.id("item")
    return call.accepted(call.world.protected_items.test_failover_cleanup(item_id), item_id)


@routes.post(
    f"{ITEM}/plannedFailover",
    "ReplicationProtectedItems_PlannedFailover",
    "specified",
    "the states of a Hyper-V machine are specified; VMware machines are assumed to have the same",
)
def planned_failover(call: Call) -> Response:
    """Fail an on-premises machine over without data loss, or fail it back."""
    item_id = call.id("item")
    direction = read_direction(_input(call), item_id)
    return call.accepted(call.world.protected_items.planned_failover(item_id, direction), item_id)


@routes.post(f"{ITEM}/unplannedFailover", "ReplicationProtectedItems_UnplannedFailover", "recorded", _REPORTED)
def unplanned_failover(call: Call) -> Response:
    """Fail a machine over. For a re-protected Azure machine this is the failback."""
    item_id, properties = call.id("item"), _input(call)
    direction = read_direction(properties, item_id)
    point = _recovery_point(call, an_object(properties, "providerSpecificDetails"))
    started = call.world.protected_items.unplanned_failover(item_id, direction)
    _use_recovery_point(call, point)
    return call.accepted(started, item_id)


@routes.post(f"{ITEM}/failoverCommit", "ReplicationProtectedItems_FailoverCommit", "recorded")
def commit_failover(call: Call) -> Response:
    """Commit a failover."""
    return call.accepted(call.world.protected_items.commit(call.id("item")), call.id("item"))


@routes.post(f"{ITEM}/failoverCancel", "ReplicationProtectedItems_FailoverCancel", "specified")
def cancel_failover(call: Call) -> Response:
    """Cancel a failover that is not committed."""
    started = call.world.protected_items.cancel(call.id("item"))
    call.world.extras.get(call.id("item").key, {}).pop(RECOVERY_POINT, None)
    return call.accepted(started, call.id("item"))


@routes.post(
    f"{ITEM}/applyRecoveryPoint",
    "ReplicationProtectedItems_ApplyRecoveryPoint",
    "specified",
    "documented: only before the failover is committed",
)
def apply_recovery_point(call: Call) -> Response:
    """Recreate the failed-over machine from another recovery point."""
    item_id = call.id("item")
    point = _recovery_point(call, _input(call))
    if point is None:
        raise refusals.invalid("The property 'recoveryPointId' is required.", item_id)
    started = call.world.protected_items.apply_recovery_point(item_id)
    _use_recovery_point(call, point)
    return call.accepted(started, item_id)


@routes.post(
    f"{ITEM}/reProtect",
    "ReplicationProtectedItems_Reprotect",
    "specified",
    "the recorded clients re-protect Azure machines through their container",
)
def reprotect(call: Call) -> Response:
    """Replicate a machine in the reverse direction. For an Azure machine it is the same as switching its protection."""
    item_id, properties = call.id("item"), _input(call)
    details = an_object(properties, "providerSpecificDetails")
    request, policy_id = None, an_id(details, "policyId")
    if text(details, "instanceType") == "A2A":
        request = SwitchRequest(
            item_name=item_id.name,
            recovery_container_id=an_id(details, "recoveryContainerId") or item_id.parent,
            recovery_resource_group_id=an_id(details, "recoveryResourceGroupId"),
            policy_id=policy_id,
        )
    return call.accepted(call.world.protected_items.reprotect(item_id, request, policy_id=policy_id), item_id)


def _recovery_point(call: Call, body: Body) -> ArmId | None:
    """The recovery point in the body; None leaves the choice to the service. An unknown recovery point is refused."""
    name = text(body, "recoveryPointId")
    return call.world.recovery_points.require(call.id("item"), name) if name else None


def _use_recovery_point(call: Call, point: ArmId | None) -> None:
    """Store the recovery point of a failover, which the machine then shows."""
    key = call.id("item").key
    if point is not None:
        call.world.extras[key] = call.world.extras.get(key, {}) | {RECOVERY_POINT: wire_id(point)}


@routes.post(
    f"{CONTAINER}/switchprotection",
    "ReplicationProtectionContainers_SwitchProtection",
    "recorded",
    "the machine moves to the container of the other fabric, as recorded",
)
def switch_protection(call: Call) -> Response:
    """Re-protect an Azure machine after its failover. Recorded: the Location of the response is below the container."""
    container_id = call.id("container")
    properties = an_object(call.request.document(), "properties")
    details = an_object(properties, "providerSpecificDetails")
    name, instance_type = text(properties, "replicationProtectedItemName"), text(details, "instanceType")
    if name is None:
        raise refusals.invalid("The property 'replicationProtectedItemName' is required.", container_id)
    if instance_type != "A2A":
        raise refusals.invalid(f"The instance type '{instance_type}' cannot switch its protection.", container_id)
    request = SwitchRequest(
        item_name=name,
        recovery_container_id=_required_id(details, "recoveryContainerId", container_id),
        recovery_resource_group_id=an_id(details, "recoveryResourceGroupId"),
        policy_id=an_id(details, "policyId"),
    )
    item_id = container_id.child(_ITEMS, name)
    item = call.world.state.protected_items.get(call.id("vault").key, item_id.key)
    recovery_container = call.world.state.recovery_container(item) if item else None
    # Each disk is replicated back to the original disk from which it was created.
    replicated = call.world.extras.get(item_id.key, {}).get(DISKS)
    originals = {
        (text(disk, "diskId") or "").rpartition("/")[2].lower(): text(disk, "diskId")
        for disk in (replicated if isinstance(replicated, list) else [])
        if isinstance(disk, dict)
    }
    disks = [
        {**disk, "originalDiskId": originals.get((text(disk, "diskId") or "").rpartition("/")[2].lower())}
        for disk in a_list(details, "vmManagedDisks")
        if isinstance(disk, dict)
    ]
    started = call.world.protected_items.switch_protection(container_id, request)
    if recovery_container is not None:
        extras = call.world.extras.get(item_id.key, {})
        group: dict[str, object] = {member: extras[member] for member in MULTI_VM_GROUP if member in extras}
        call.world.extras[recovery_container.child(_ITEMS, name).key] = {DISKS: disks, **group}
    return call.accepted(started, container_id)


def _input(call: Call) -> Body:
    """The properties of a request that acts on the machine in the path."""
    properties = an_object(call.request.document(), "properties")
    _check_provider(properties, call, call.id("item"))
    return properties


def read_direction(properties: Body, resource_id: ArmId) -> Direction:
    """The direction of a failover."""
    word = text(properties, "failoverDirection") or "PrimaryToRecovery"
    direction = _DIRECTIONS.get(word.lower())
    if direction is None:
        raise refusals.invalid(f"The failover direction '{word[:100]}' is not known.", resource_id)
    return direction


def _check_provider(properties: Body, call: Call, item_id: ArmId) -> None:
    """Refuse settings for a provider other than the machine's."""
    instance_type = text(an_object(properties, "providerSpecificDetails"), "instanceType")
    item = call.world.state.protected_items.get(call.id("vault").key, item_id.key)
    accepted = {item.provider.lower()} if item else set()
    if item is not None and item.provider == "HyperVReplicaAzure" and item.has_failed_over:
        accepted.add("hypervreplicaazurefailback")  # specified: failback has an instance type of its own
    if item is not None and instance_type is not None and instance_type.lower() not in accepted:
        message = f"The instance type '{instance_type[:100]}' is not that of the machine, '{item.provider}'."
        raise refusals.invalid(message, item_id)
