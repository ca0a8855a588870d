"""Protection intents: protecting an Azure machine in another region with one request."""

from __future__ import annotations

from typing import Final

from asrnet.emulator.bodies import Body, an_id, an_object, text
from asrnet.emulator.call import Call
from asrnet.emulator.handlers.templates import VAULT
from asrnet.emulator.messages import Response, json_response
from asrnet.emulator.refusals import GatewayError
from asrnet.emulator.routing import Route
from asrnet.emulator.site_recovery_json import Document, wire_id
from asrnet.fake import refusals
from asrnet.fake.records import Intent, IntentRequest
from asrnet.fake.times import iso_time
from asrnet.model.arm import ArmId

INTENT_TYPE: Final = "Microsoft.RecoveryServices/vaults/replicationProtectionIntents"


def list_intents(call: Call) -> Response:
    """The intents of a vault."""
    return call.page(call.world.intents.list(call.id("vault")), lambda intent: _intent(call, intent))


def get_intent(call: Call) -> Response:
    """One intent."""
    return json_response(_intent(call, call.world.intents.get(call.id("intent"))))


def put_intent(call: Call) -> Response:
    """Protect a machine: answered at once, its job goes on."""
    intent_id = call.id("intent")
    details = an_object(an_object(call.request.document(), "properties"), "providerSpecificDetails")
    if text(details, "instanceType") != "A2A":
        raise GatewayError(501, "NotImplemented", "The emulator knows protection intents of instance type 'A2A' only.")
    intent = call.world.intents.put(intent_id, _request(details, intent_id))
    return json_response(_intent(call, intent))


def _request(details: Body, intent_id: ArmId) -> IntentRequest:
    machine = an_id(details, "fabricObjectId")
    primary, recovery = text(details, "primaryLocation"), text(details, "recoveryLocation")
    if machine is None or primary is None or recovery is None:
        names = "'fabricObjectId', 'primaryLocation' and 'recoveryLocation'"
        raise refusals.invalid(f"The properties {names} are required.", intent_id)
    network = an_object(details, "recoveryVirtualNetworkCustomInput")
    return IntentRequest(
        machine_id=machine,
        primary_location=primary,
        recovery_location=recovery,
        recovery_network_id=an_id(network, "recoveryVirtualNetworkId"),
        new_network_id=_new_network(network, details, machine),
        recovery_subnet=text(network, "recoverySubnetName"),
        recovery_resource_group_id=an_id(details, "recoveryResourceGroupId"),
    )


def _new_network(network: Body, details: Body, machine: ArmId) -> ArmId | None:
    """The network that input of type New asks for; None where it leaves the name to the service."""
    name = text(network, "recoveryVirtualNetworkName")
    if name is None:
        return None
    subscription = text(details, "recoverySubscriptionId") or machine.subscription
    group = text(network, "recoveryVirtualNetworkResourceGroupName") or f"{machine.resource_group}-asr"
    base = ArmId(f"/subscriptions/{subscription}/resourceGroups/{group}")
    return base.child("providers", "Microsoft.Network", "virtualNetworks", name)


def _intent(call: Call, intent: Intent) -> Document:
    vault = call.id("vault")
    job = call.world.operations.get(intent.job, scope=vault)
    return {
        "id": wire_id(intent.id),
        "name": intent.id.name,
        "type": INTENT_TYPE,
        "properties": {
            "friendlyName": intent.request.machine_id.name,
            "jobId": wire_id(vault.child("replicationJobs", intent.job)),
            "jobState": job.state,
            "isActive": True,
            "creationTimeUTC": iso_time(job.start_time),
            "providerSpecificDetails": {
                "instanceType": "A2A",
                "fabricObjectId": str(intent.request.machine_id),
                "primaryLocation": intent.request.primary_location,
                "recoveryLocation": intent.request.recovery_location,
                "recoverySubscriptionId": intent.request.machine_id.subscription,
                "recoveryAvailabilityType": "Single",
            },
        },
    }


_INTENTS: Final = f"{VAULT}/replicationProtectionIntents"

ROUTES: Final = (
    Route(
        method="GET",
        template=_INTENTS,
        operation="ReplicationProtectionIntents_List",
        source="specified",
        handler=list_intents,
    ),
    Route(
        method="GET",
        template=f"{_INTENTS}/{{intent}}",
        operation="ReplicationProtectionIntents_Get",
        source="specified",
        handler=get_intent,
    ),
    Route(
        method="PUT",
        template=f"{_INTENTS}/{{intent}}",
        operation="ReplicationProtectionIntents_Create",
        source="specified",
        handler=put_intent,
        note="Azure machines only; what becomes of networks is documented",
    ),
)
