"""Replication policies: how often machines are replicated. The settings differ between providers."""

from __future__ import annotations

from typing import Final

from asrnet.emulator.bodies import Body, a_list, an_object, flag, number, text
from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.operations import add_results
from asrnet.emulator.messages import Document, GatewayError, Response, json_response
from asrnet.emulator.routing import VAULT, Routes
from asrnet.emulator.spelling import VAULT_TYPE, wire_id
from asrnet.fake import refusals
from asrnet.fake.records import ReplicationPolicy
from asrnet.fake.world import World
from asrnet.model.arm import ArmId
from asrnet.model.bodies import member

routes: Final = Routes()

_POLICIES: Final = f"{VAULT}/replicationPolicies"
_POLICY: Final = f"{_POLICIES}/{{policy}}"
_HOUR: Final = 60
"""Worlds use minutes; Hyper-V's settings use hours."""


def policy_json(world: World, policy: ReplicationPolicy) -> Document:
    """A policy with its provider's settings."""
    details: Document
    # Settings that the record has no field for are returned as the request sent them.
    extras = world.extras.get(policy.id.key, {})
    if policy.provider == "HyperVReplicaAzure":
        details = {
            "recoveryPointHistoryDurationInHours": policy.recovery_point_history // _HOUR,
            "applicationConsistentSnapshotFrequencyInHours": policy.app_consistent_frequency // _HOUR,
            "replicationInterval": extras.get("replicationInterval", 300),
            "onlineReplicationStartTime": extras.get("onlineReplicationStartTime"),
            "encryption": "Disabled",
            "activeStorageAccountId": extras.get("activeStorageAccountId"),
        }
    elif policy.provider in {"InMageRcm", "InMageRcmFailback"}:
        details = {
            "appConsistentFrequencyInMinutes": policy.app_consistent_frequency,
            "crashConsistentFrequencyInMinutes": policy.crash_consistent_frequency,
        }
        if policy.provider == "InMageRcm":
            details = {
                "recoveryPointHistoryInMinutes": policy.recovery_point_history,
                **details,
                "enableMultiVmSync": "true" if policy.multi_vm_sync else "false",
            }
    else:
        details = {
            "recoveryPointThresholdInMinutes": extras.get("recoveryPointThresholdInMinutes", 0),
            "recoveryPointHistory": policy.recovery_point_history,
            "appConsistentFrequencyInMinutes": policy.app_consistent_frequency,
            "multiVmSyncStatus": "Enabled" if policy.multi_vm_sync else "Disabled",
            "crashConsistentFrequencyInMinutes": policy.crash_consistent_frequency,
        }
    return {
        "id": wire_id(policy.id),
        "name": policy.id.name,
        "type": f"{VAULT_TYPE}/replicationPolicies",
        "properties": {
            "friendlyName": policy.id.name,
            "providerSpecificDetails": {"instanceType": policy.provider, **details},
        },
    }


def read_policy(policy_id: ArmId, body: Body, name: str) -> tuple[ReplicationPolicy, dict[str, object]]:
    """Read a policy from the member ``name`` of a body. Also returns the settings that the record has no field for."""
    settings = an_object(an_object(body, "properties"), name)
    provider = text(settings, "instanceType")
    if provider is None:
        raise refusals.invalid("The property 'instanceType' is required.", policy_id)
    if provider == "HyperVReplicaAzure":
        extras = {
            "replicationInterval": number(settings, "replicationInterval", 300),
            "onlineReplicationStartTime": text(settings, "onlineReplicationStartTime"),
            "activeStorageAccountId": next(iter(a_list(settings, "storageAccounts")), None),
        }
        policy = ReplicationPolicy(
            id=policy_id,
            provider=provider,
            recovery_point_history=_HOUR * number(settings, "recoveryPointHistoryDuration", 0),
            app_consistent_frequency=_HOUR * number(settings, "applicationConsistentSnapshotFrequencyInHours", 0),
        )
        return policy, {key: value for key, value in extras.items() if value is not None}
    if provider not in {"A2A", "InMageAzureV2", "InMageRcm", "InMageRcmFailback"}:
        message = f"The emulator does not know policies of instance type '{provider[:100]}'."
        raise GatewayError(501, "NotImplemented", message)
    threshold = member(settings, "recoveryPointThresholdInMinutes")
    history = "recoveryPointHistoryInMinutes" if provider == "InMageRcm" else "recoveryPointHistory"
    multi_vm_sync = (text(settings, "multiVmSyncStatus") or "Enable").lower() != "disable"
    if provider == "InMageRcm":
        multi_vm_sync = flag(settings, "enableMultiVmSync") is not False
    policy = ReplicationPolicy(
        id=policy_id,
        provider=provider,
        recovery_point_history=number(settings, history, 0),
        app_consistent_frequency=number(settings, "appConsistentFrequencyInMinutes", 0),
        crash_consistent_frequency=number(settings, "crashConsistentFrequencyInMinutes", 5),
        multi_vm_sync=multi_vm_sync,
    )
    return policy, {} if threshold is None else {"recoveryPointThresholdInMinutes": threshold}


@routes.get(_POLICIES, "ReplicationPolicies_List", "specified")
def list_policies(call: Call) -> Response:
    """The policies of a vault."""
    return call.page(call.world.policies.list(call.id("vault")), lambda policy: policy_json(call.world, policy))


@routes.get(_POLICY, "ReplicationPolicies_Get", "recorded", "recorded for A2A, specified for the other providers")
def get_policy(call: Call) -> Response:
    """One policy."""
    return json_response(policy_json(call.world, call.world.policies.get(call.id("policy"))))


@routes.put(
    _POLICY,
    "ReplicationPolicies_Create",
    "recorded",
    "A2A, HyperVReplicaAzure, InMageAzureV2, InMageRcm, InMageRcmFailback",
)
def put_policy(call: Call) -> Response:
    """Create or replace a policy."""
    policy, extras = read_policy(call.id("policy"), call.request.document(), "providerSpecificInput")
    started = call.world.policies.put(policy)
    call.world.extras[policy.id.key] = extras
    return call.accepted(started, policy.id)


@routes.patch(_POLICY, "ReplicationPolicies_Update", "recorded", "omitted settings get their defaults")
def patch_policy(call: Call) -> Response:
    """Change a policy's settings."""
    policy, extras = read_policy(call.id("policy"), call.request.document(), "replicationProviderSettings")
    started = call.world.policies.patch(policy)
    call.world.extras[policy.id.key] = extras
    return call.accepted(started, policy.id)


@routes.delete(
    _POLICY, "ReplicationPolicies_Delete", "recorded", "the wording of the refusal of a policy in use is assumed"
)
def delete_policy(call: Call) -> Response:
    """Delete a policy."""
    policy_id = call.id("policy")
    return call.accepted(call.world.policies.delete(policy_id), policy_id)


add_results(routes, _POLICY, get_policy)
