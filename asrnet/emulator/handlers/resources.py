"""Subscriptions, resource groups, resource providers, generic lists of resources, and the credential's permissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import msgspec

from asrnet.emulator.bodies import check_name, location_of, string_map
from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.network_shapes import VNET_TYPE
from asrnet.emulator.messages import Document, GatewayError, Response, empty_response, json_response
from asrnet.emulator.routing import GROUP, SUBSCRIPTION, VAULT, VNET, Routes
from asrnet.emulator.spelling import VAULT_TYPE
from asrnet.fake.records import Subscription
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import ResourceGroup
from asrnet.model.bodies import member

routes: Final = Routes()

_PROVIDER: Final = f"{SUBSCRIPTION}/providers/{{namespace}}"
_GROUPS: Final = f"{SUBSCRIPTION}/resourceGroups"
_FILTERS: Final = frozenset({"resourcetype", "resourcegroup", "name", "location", "tagname", "tagvalue"})
# The resource providers, each with the resource types that clients ask for.
_PROVIDERS: Final = {
    "Microsoft.Compute": ("virtualMachines",),
    "Microsoft.Network": ("virtualNetworks", "virtualNetworks/subnets", "locations", "locations/operations"),
    "Microsoft.RecoveryServices": ("vaults", "vaults/replicationFabrics", "operations"),
    "Microsoft.ResourceGraph": ("resources",),
    "Microsoft.Resources": ("resourceGroups", "subscriptions", "tenants"),
    "Microsoft.Storage": ("storageAccounts",),
}
_VERSIONS: Final = ("2026-03-01", "2025-08-01", "2025-01-01", "2024-05-01", "2024-04-01", "2023-06-01", "2022-08-01")


def subscription_json(subscription: Subscription) -> Document:
    """A subscription."""
    return {
        "id": f"/subscriptions/{subscription.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [{"tenantId": tenant} for tenant in subscription.managed_by],
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant,
        "displayName": subscription.name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def group_json(group: ResourceGroup) -> Document:
    """A resource group."""
    document: Document = {
        "id": str(group.id),
        "name": group.id.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
    }
    if group.tags:
        document["tags"] = dict(group.tags)
    return document | {"properties": {"provisioningState": "Succeeded"}}


def provider_json(subscription: str, namespace: str, *, registered: bool) -> Document:
    """A resource provider with the resource types that the emulator has."""
    types = [
        {"resourceType": kind, "locations": [], "apiVersions": list(_VERSIONS), "capabilities": "None"}
        for kind in _PROVIDERS[namespace]
    ]
    return {
        "id": f"/subscriptions/{subscription}/providers/{namespace}",
        "namespace": namespace,
        "resourceTypes": types,
        "registrationState": "Registered" if registered else "NotRegistered",
        "registrationPolicy": "RegistrationRequired",
    }


@routes.get("/subscriptions", "Subscriptions_List", "documented")
def list_subscriptions(call: Call) -> Response:
    """The subscriptions of the credential's tenant."""
    subscriptions = [subscription_json(subscription) for subscription in call.world.subscriptions.list()]
    return json_response({"value": subscriptions, "count": {"type": "Total", "value": len(subscriptions)}})


@routes.get(SUBSCRIPTION, "Subscriptions_Get", "documented")
def get_subscription(call: Call) -> Response:
    """One subscription."""
    return json_response(subscription_json(call.world.subscriptions.get(_subscription(call))))


@routes.get(f"{SUBSCRIPTION}/locations", "Subscriptions_ListLocations", "documented")
def list_locations(call: Call) -> Response:
    """The regions of Azure."""
    subscription = _subscription(call)
    locations = [
        {
            "id": f"/subscriptions/{subscription}/locations/{normal_location(name)}",
            "name": normal_location(name),
            "type": "Region",
            "displayName": name,
            "regionalDisplayName": name,
            "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
        }
        for name in call.world.subscriptions.locations(subscription)
    ]
    return json_response({"value": locations})


@routes.get("/tenants", "Tenants_List", "documented")
def list_tenants(call: Call) -> Response:
    """The world's tenant."""
    tenant = {
        "id": f"/tenants/{call.world.tenant}",
        "tenantId": call.world.tenant,
        "tenantCategory": "Home",
        "displayName": "asrnet",
        "defaultDomain": "asrnet.example",
        "domains": ["asrnet.example"],
    }
    return json_response({"value": [tenant]})


@routes.get(_GROUPS, "ResourceGroups_List", "documented")
def list_groups(call: Call) -> Response:
    """The resource groups of a subscription."""
    groups = call.world.subscriptions.resource_groups(_subscription(call))
    return call.page(groups, group_json, null_link=False)


@routes.get(GROUP, "ResourceGroups_Get", "documented")
def get_group(call: Call) -> Response:
    """One resource group."""
    return json_response(group_json(call.world.subscriptions.resource_group(call.id("group"))))


@routes.add("HEAD", GROUP, "ResourceGroups_CheckExistence", "documented")
def head_group(call: Call) -> Response:
    """204 if a resource group exists, 404 otherwise."""
    call.world.subscriptions.resource_group(call.id("group"))
    return empty_response(204)


@routes.put(GROUP, "ResourceGroups_CreateOrUpdate", "documented")
def put_group(call: Call) -> Response:
    """Create a resource group or change its tags."""
    check_name("resource group", call.values["group"])
    body = call.request.document()
    group = ResourceGroup(id=call.id("group"), location=location_of(body), tags=string_map(body, "tags"))
    created = call.world.subscriptions.put_resource_group(group)
    return json_response(group_json(group), status=201 if created else 200)


@routes.patch(GROUP, "ResourceGroups_Update", "documented")
def patch_group(call: Call) -> Response:
    """Change a resource group's tags."""
    group = call.world.subscriptions.resource_group(call.id("group"))
    body = call.request.document()
    if member(body, "tags") is not None:
        group = msgspec.structs.replace(group, tags=string_map(body, "tags"))
        call.world.subscriptions.put_resource_group(group)
    return json_response(group_json(group))


@routes.delete(GROUP, "ResourceGroups_Delete", "documented", "at once, whereas the service takes some time")
def delete_group(call: Call) -> Response:
    """Delete a resource group and everything in it at once."""
    call.world.subscriptions.delete_resource_group(call.id("group"))
    return empty_response(200)


@routes.get(f"{SUBSCRIPTION}/resources", "Resources_List", "documented")
@routes.get(f"{GROUP}/resources", "Resources_ListByResourceGroup", "documented")
def list_resources(call: Call) -> Response:
    """The networks and vaults of a subscription or resource group that match a filter, in short form."""
    subscription, group = _subscription(call), call.values.get("group")
    filters = call.equalities(_FILTERS)
    resources: list[Document] = []
    for kind, listed in (
        (VNET_TYPE, call.world.virtual_networks.list(subscription, group)),
        (VAULT_TYPE, call.world.vaults.list(subscription, group)),
    ):
        for resource in listed:
            document: Document = {
                "id": str(resource.id),
                "name": resource.id.name,
                "type": kind,
                "location": resource.location,
            }
            resources.append(document | ({"tags": dict(resource.tags)} if resource.tags else {}))
    passed = [document for document in resources if _passes(document, filters)]
    return call.page(passed, lambda document: document, null_link=False)


def _passes(document: Document, filters: Mapping[str, str]) -> bool:
    tags = cast("Mapping[str, str]", document.get("tags") or {})
    tag_name, tag_value = filters.get("tagname"), filters.get("tagvalue")
    if tag_name is not None:
        tags = {key: value for key, value in tags.items() if key.lower() == tag_name.lower()}
        if not tags:
            return False
    if tag_value is not None and tag_value not in tags.values():
        return False
    values = {
        "resourcetype": str(document["type"]),
        "resourcegroup": ArmId(str(document["id"])).resource_group,
        "name": str(document["name"]),
        "location": str(document["location"]),
    }
    return all(value.lower() == filters.get(name, value).lower() for name, value in values.items())


@routes.get(f"{SUBSCRIPTION}/providers", "Providers_List", "documented")
def list_providers(call: Call) -> Response:
    """The resource providers that the emulator knows."""
    subscription = call.world.subscriptions.get(_subscription(call)).id
    return json_response({"value": [_provider(call, subscription, namespace) for namespace in _PROVIDERS]})


@routes.get(_PROVIDER, "Providers_Get", "documented")
def get_provider(call: Call) -> Response:
    """One resource provider."""
    subscription = call.world.subscriptions.get(_subscription(call)).id
    return json_response(_provider(call, subscription, _namespace(call)))


@routes.post(f"{_PROVIDER}/register", "Providers_Register", "documented")
def register_provider(call: Call) -> Response:
    """Register a resource provider."""
    call.world.subscriptions.register(_subscription(call), _namespace(call))
    return json_response(_provider(call, _subscription(call), _namespace(call)))


def _subscription(call: Call) -> str:
    return call.id("subscription").subscription


def _provider(call: Call, subscription: str, namespace: str) -> Document:
    registered = call.world.subscriptions.is_registered(subscription, namespace)
    return provider_json(subscription, namespace, registered=registered)


def _namespace(call: Call) -> str:
    name = call.values["namespace"]
    for namespace in _PROVIDERS:
        if namespace.lower() == name.lower():
            return namespace
    raise GatewayError(404, "InvalidResourceNamespace", f"The resource namespace '{name[:100]}' is invalid.")


_PERMISSIONS: Final = "providers/Microsoft.Authorization/permissions"
_EVERYTHING: Final = "one role that allows everything except what the world denies"


@routes.get(f"{GROUP}/{_PERMISSIONS}", "Permissions_ListForResourceGroup", "documented", _EVERYTHING)
def list_permissions_for_group(call: Call) -> Response:
    """The permissions of the credential at a resource group."""
    return _permissions(call, "group")


@routes.get(f"{VAULT}/{_PERMISSIONS}", "Permissions_ListForResource", "documented", _EVERYTHING)
def list_permissions_for_vault(call: Call) -> Response:
    """The permissions of the credential at a vault."""
    return _permissions(call, "vault")


@routes.get(f"{VNET}/{_PERMISSIONS}", "Permissions_ListForResource", "documented", _EVERYTHING)
def list_permissions_for_network(call: Call) -> Response:
    """The permissions of the credential at a virtual network."""
    return _permissions(call, "vnet")


def _permissions(call: Call, scope: str) -> Response:
    return call.page(
        call.world.subscriptions.rights(call.id(scope)),
        lambda rights: {
            "actions": list(rights.actions),
            "notActions": list(rights.not_actions),
            "dataActions": [],
            "notDataActions": [],
        },
        null_link=False,
    )
