"""Protection containers and their mappings. A container is a VMM cloud, or belongs to an Azure fabric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from asrnet.emulator.bodies import Body, an_id, an_object, objects, text
from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.operations import add_results
from asrnet.emulator.messages import Document, Response, json_response
from asrnet.emulator.routing import CONTAINER, CONTAINER_MAPPING, FABRIC, VAULT, Routes
from asrnet.emulator.spelling import CONTAINER_TYPE, container_name, fabric_name, fabric_type, find_fabric, wire_id
from asrnet.fake import refusals
from asrnet.fake.records import CloudRecord
from asrnet.fake.world import World
from asrnet.model.azure import MICROSOFT_AZURE, CloudMapping, Fabric

routes: Final = Routes()

_CONTAINERS: Final = "replicationProtectionContainers"
_MAPPINGS: Final = "replicationProtectionContainerMappings"


def container_json(world: World, record: CloudRecord) -> Document:
    """A protection container: a VMM cloud, or the container of an Azure fabric."""
    container_id = record.cloud.id
    fabric = find_fabric(world, container_id.parent)
    vault = container_id.parent.parent.key
    items = world.state.protected_items.values(vault)
    mappings = world.state.cloud_mappings.values(vault)
    paired = any(container_id in {mapping.primary_cloud_id, mapping.recovery_cloud_id} for mapping in mappings)
    return {
        "id": wire_id(container_id),
        "name": container_id.name,
        "type": CONTAINER_TYPE,
        "properties": {
            "fabricFriendlyName": fabric_name(world, container_id.parent),
            "friendlyName": record.cloud.friendly_name,
            "fabricType": fabric_type(world, fabric),
            "protectedItemCount": sum(item.id.parent == container_id for item in items),
            "pairingStatus": "Paired" if paired else "NotPaired",
            "role": "",
            "fabricSpecificDetails": None,
        },
    }


def container_mapping_json(world: World, mapping: CloudMapping) -> Document:
    """A container mapping: it pairs two containers under a replication policy."""
    primary, recovery = mapping.primary_cloud_id, mapping.recovery_cloud_id
    fabric = find_fabric(world, primary.parent)
    provider = _provider(world, fabric)
    details: Document | None = None
    if provider is not None:
        settings = world.extras.get(mapping.id.key, {})
        defaults = _DETAILS[provider]
        details = {"instanceType": provider, **{name: settings.get(name, value) for name, value in defaults.items()}}
    # A mapping loaded with the world need not name its policy, but clients expect one.
    policy_id = mapping.policy_id or primary.parent.parent.child("replicationPolicies", "default")
    recovery_name = mapping.recovery_cloud_name or MICROSOFT_AZURE
    return {
        "id": wire_id(mapping.id),
        "name": mapping.id.name,
        "type": f"{CONTAINER_TYPE}/{_MAPPINGS}",
        "properties": {
            "targetProtectionContainerId": wire_id(recovery) if recovery else MICROSOFT_AZURE,
            "targetProtectionContainerFriendlyName": container_name(world, recovery) if recovery else recovery_name,
            "providerSpecificDetails": details,
            "health": "Normal",
            "healthErrorDetails": [],
            "policyId": wire_id(policy_id),
            "state": "Paired",
            "sourceProtectionContainerFriendlyName": container_name(world, primary),
            "sourceFabricFriendlyName": fabric_name(world, primary.parent),
            "targetFabricFriendlyName": fabric_name(world, recovery.parent) if recovery else MICROSOFT_AZURE,
            "policyFriendlyName": policy_id.name,
        },
    }


# How the mobility agent is updated: recorded for Azure machines, specified for VMware's. Hyper-V has no agent.
_DETAILS: Final[Mapping[str, Document]] = {
    "A2A": {
        "agentAutoUpdateStatus": "Disabled",
        "automationAccountAuthenticationType": "RunAsAccount",
        "automationAccountArmId": None,
        "scheduleName": None,
        "jobScheduleName": None,
    },
    "InMageRcm": {"enableAgentAutoUpgrade": "false"},
}


def _provider(world: World, fabric: Fabric | None) -> str | None:
    """The instance type of the provider details in a fabric's mappings; None if they have no details."""
    if fabric is None or fabric.kind == "azure":
        return "A2A"
    return "InMageRcm" if world.state.site_kind(fabric) == "InMageRcm" else None


def _check_provider(call: Call, inputs: Sequence[Body]) -> None:
    """Refuse settings for a provider other than that of the fabric's machines."""
    fabric = find_fabric(call.world, call.id("fabric"))
    provider = _provider(call.world, fabric)
    for settings in inputs if fabric else ():
        instance_type = text(settings, "instanceType")
        if instance_type in {"A2A", "InMageRcm", "VMwareCbt"} and instance_type != provider:
            message = f"The instance type '{instance_type}' does not fit the fabric '{call.values['fabric'][:100]}'."
            raise refusals.invalid(message, call.id("container"))


@routes.get(f"{FABRIC}/{_CONTAINERS}", "ReplicationProtectionContainers_ListByReplicationFabrics", "specified")
def list_containers(call: Call) -> Response:
    """The containers of a fabric."""
    containers = call.world.containers.list(call.id("fabric"))
    return call.page(containers, lambda record: container_json(call.world, record))


@routes.get(f"{VAULT}/{_CONTAINERS}", "ReplicationProtectionContainers_List", "specified")
def list_vault_containers(call: Call) -> Response:
    """The containers of all fabrics."""
    containers = call.world.containers.list_vault(call.id("vault"))
    return call.page(containers, lambda record: container_json(call.world, record))


@routes.get(CONTAINER, "ReplicationProtectionContainers_Get", "recorded")
def get_container(call: Call) -> Response:
    """One container."""
    return json_response(container_json(call.world, call.world.containers.get(call.id("container"))))


@routes.put(CONTAINER, "ReplicationProtectionContainers_Create", "recorded")
def put_container(call: Call) -> Response:
    """Create a container in an Azure fabric."""
    _check_provider(call, objects(an_object(call.request.document(), "properties"), "providerSpecificInput"))
    return call.accepted(call.world.containers.put(call.id("container")), call.id("container"))


@routes.post(f"{CONTAINER}/remove", "ReplicationProtectionContainers_Delete", "recorded")
def remove_container(call: Call) -> Response:
    """Remove a container."""
    return call.accepted(call.world.containers.remove(call.id("container")), call.id("container"))


add_results(routes, CONTAINER, get_container)


@routes.get(f"{VAULT}/{_MAPPINGS}", "ReplicationProtectionContainerMappings_List", "specified")
def list_container_mappings(call: Call) -> Response:
    """All container mappings of a vault."""
    mappings = call.world.container_mappings.list(call.id("vault"))
    return call.page(mappings, lambda mapping: container_mapping_json(call.world, mapping))


@routes.get(
    f"{CONTAINER}/{_MAPPINGS}",
    "ReplicationProtectionContainerMappings_ListByReplicationProtectionContainers",
    "specified",
)
def list_mappings_of_container(call: Call) -> Response:
    """The mappings of one container."""
    mappings = call.world.container_mappings.list_container(call.id("container"))
    return call.page(mappings, lambda mapping: container_mapping_json(call.world, mapping))


@routes.get(CONTAINER_MAPPING, "ReplicationProtectionContainerMappings_Get", "recorded")
def get_container_mapping(call: Call) -> Response:
    """One container mapping."""
    mapping = call.world.container_mappings.get(call.id("mapping"))
    return json_response(container_mapping_json(call.world, mapping))


@routes.put(
    CONTAINER_MAPPING,
    "ReplicationProtectionContainerMappings_Create",
    "recorded",
    "the wording of the refusal of an unknown policy is assumed",
)
def put_container_mapping(call: Call) -> Response:
    """Create or replace a container mapping."""
    properties = an_object(call.request.document(), "properties")
    to_azure = text(properties, "targetProtectionContainerId") == MICROSOFT_AZURE
    target = None if to_azure else an_id(properties, "targetProtectionContainerId")
    mapping = CloudMapping(
        id=call.id("mapping"),
        primary_cloud_id=call.id("container"),
        recovery_cloud_id=target,
        recovery_cloud_name=container_name(call.world, target) if target else MICROSOFT_AZURE,
        policy_id=an_id(properties, "policyId"),
    )
    settings = an_object(properties, "providerSpecificInput")
    _check_provider(call, [settings])
    update = _read_agent_update(settings)
    started = call.world.container_mappings.put(mapping)
    call.world.extras[mapping.id.key] = update
    return call.accepted(started, mapping.id)


@routes.patch(CONTAINER_MAPPING, "ReplicationProtectionContainerMappings_Update", "specified")
def patch_container_mapping(call: Call) -> Response:
    """Change how the agent on a container's machines is updated."""
    mapping_id = call.id("mapping")
    properties = an_object(call.request.document(), "properties")
    settings = an_object(properties, "providerSpecificInput")
    _check_provider(call, [settings])
    update = _read_agent_update(settings)
    started = call.world.container_mappings.patch(mapping_id)
    call.world.extras[mapping_id.key] = call.world.extras.get(mapping_id.key, {}) | update
    return call.accepted(started, mapping_id)


def _read_agent_update(settings: Body) -> dict[str, object]:
    names = [name for details in _DETAILS.values() for name in details]
    return {name: value for name in names if (value := text(settings, name)) is not None}


@routes.post(f"{CONTAINER_MAPPING}/remove", "ReplicationProtectionContainerMappings_Delete", "recorded")
@routes.delete(CONTAINER_MAPPING, "ReplicationProtectionContainerMappings_Purge", "recorded")
def remove_container_mapping(call: Call) -> Response:
    """Remove a container mapping (POST) or purge it (DELETE)."""
    started = call.world.container_mappings.remove(call.id("mapping"), method=call.request.method)
    return call.accepted(started, call.id("mapping"))


add_results(routes, CONTAINER_MAPPING, get_container_mapping)
