"""Protection intents, which protect an Azure machine in another region with a single request."""

from __future__ import annotations

from typing import Final

from asrnet.emulator.bodies import Body, an_id, an_object, text
from asrnet.emulator.calls import Call
from asrnet.emulator.messages import Document, GatewayError, Response, json_response
from asrnet.emulator.routing import VAULT, Routes
from asrnet.emulator.spelling import VAULT_TYPE, wire_id
from asrnet.fake import refusals
from asrnet.fake.jobs import iso_time
from asrnet.fake.records import Intent, IntentRequest
from asrnet.model.arm import ArmId

routes: Final = Routes()

_INTENTS: Final = f"{VAULT}/replicationProtectionIntents"


def intent_json(call: Call, intent: Intent) -> Document:
    """A protection intent and the job that carries it out."""
    vault = call.id("vault")
    job = call.world.operations.get(intent.job, scope=vault)
    return {
        "id": wire_id(intent.id),
        "name": intent.id.name,
        "type": f"{VAULT_TYPE}/replicationProtectionIntents",
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


def read_intent(details: Body, intent_id: ArmId) -> IntentRequest:
    """Read the provider-specific details of a PUT."""
    machine = an_id(details, "fabricObjectId")
    primary, recovery = text(details, "primaryLocation"), text(details, "recoveryLocation")
    if machine is None or primary is None or recovery is None:
        names = "'fabricObjectId', 'primaryLocation' and 'recoveryLocation'"
        raise refusals.invalid(f"The properties {names} are required.", intent_id)
    network = an_object(details, "recoveryVirtualNetworkCustomInput")
    new_network_id: ArmId | None = None
    name = text(network, "recoveryVirtualNetworkName")
    if name is not None:  # the request asks for a new network
        subscription = text(details, "recoverySubscriptionId") or machine.subscription
        group = text(network, "recoveryVirtualNetworkResourceGroupName") or f"{machine.resource_group}-asr"
        group_id = ArmId(f"/subscriptions/{subscription}/resourceGroups/{group}")
        new_network_id = group_id.child("providers", "Microsoft.Network", "virtualNetworks", name)
    return IntentRequest(
        machine_id=machine,
        primary_location=primary,
        recovery_location=recovery,
        recovery_network_id=an_id(network, "recoveryVirtualNetworkId"),
        new_network_id=new_network_id,
        recovery_subnet=text(network, "recoverySubnetName"),
        recovery_resource_group_id=an_id(details, "recoveryResourceGroupId"),
    )


@routes.get(_INTENTS, "ReplicationProtectionIntents_List", "specified")
def list_intents(call: Call) -> Response:
    """The intents of a vault."""
    return call.page(call.world.intents.list(call.id("vault")), lambda intent: intent_json(call, intent))


@routes.get(f"{_INTENTS}/{{intent}}", "ReplicationProtectionIntents_Get", "specified")
def get_intent(call: Call) -> Response:
    """One intent."""
    return json_response(intent_json(call, call.world.intents.get(call.id("intent"))))


@routes.put(
    f"{_INTENTS}/{{intent}}",
    "ReplicationProtectionIntents_Create",
    "specified",
    "Azure machines only; what happens to networks is documented",
)
def put_intent(call: Call) -> Response:
    """Protect a machine. The request is answered at once, while its job goes on."""
    intent_id = call.id("intent")
    details = an_object(an_object(call.request.document(), "properties"), "providerSpecificDetails")
    if text(details, "instanceType") != "A2A":
        raise GatewayError(501, "NotImplemented", "The emulator knows protection intents of instance type 'A2A' only.")
    intent = call.world.intents.put(intent_id, read_intent(details, intent_id))
    return json_response(intent_json(call, intent))
