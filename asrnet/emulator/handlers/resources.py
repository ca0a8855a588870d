"""Subscriptions, resource groups and Recovery Services vaults."""

from __future__ import annotations

import base64
from typing import Final

import msgspec

from asrnet.emulator.bodies import Body, an_object, member, string_map, text
from asrnet.emulator.call import Call
from asrnet.emulator.handlers.templates import GROUP, SUBSCRIPTION, VAULT, VAULTS
from asrnet.emulator.messages import Response, empty_response, json_response
from asrnet.emulator.naming import check_name
from asrnet.emulator.network_json import VNET_TYPE
from asrnet.emulator.refusals import GatewayError
from asrnet.emulator.resource_json import (
    VAULT_TYPE,
    group_json,
    listed_json,
    location_json,
    provider_json,
    subscription_json,
    vault_json,
)
from asrnet.emulator.routing import Route
from asrnet.emulator.site_recovery_json import Document
from asrnet.fake.operations import Started
from asrnet.fake.records import ResourceGroup, VaultResource
from asrnet.ids import ArmId, normal_location


def list_subscriptions(call: Call) -> Response:
    """The subscriptions that the tenant has."""
    found = [subscription_json(each) for each in call.world.subscriptions.list()]
    return json_response({"value": found, "count": {"type": "Total", "value": len(found)}})


def get_subscription(call: Call) -> Response:
    """One subscription."""
    return json_response(subscription_json(call.world.subscriptions.get(_subscription(call))))


def list_locations(call: Call) -> Response:
    """The regions of Azure."""
    subscription = _subscription(call)
    names = call.world.subscriptions.locations(subscription)
    return json_response({"value": [location_json(subscription, name) for name in names]})


def list_tenants(call: Call) -> Response:
    """The world's tenant."""
    tenant = call.world.tenant
    entry = {"id": f"/tenants/{tenant}", "tenantId": tenant, "tenantCategory": "Home", "displayName": "asrnet"}
    return json_response({"value": [{**entry, "defaultDomain": "asrnet.example", "domains": ["asrnet.example"]}]})


def list_groups(call: Call) -> Response:
    """The resource groups of a subscription."""
    groups = call.world.subscriptions.resource_groups(_subscription(call))
    return call.page(groups, group_json, null_link=False)


def get_group(call: Call) -> Response:
    """One resource group."""
    return json_response(group_json(call.world.subscriptions.resource_group(call.id("group"))))


def head_group(call: Call) -> Response:
    """Whether a resource group exists."""
    call.world.subscriptions.resource_group(call.id("group"))
    return empty_response(204)


def put_group(call: Call) -> Response:
    """Create a resource group or change its tags."""
    check_name("resource group", call.values["group"])
    body = call.request.document()
    group = ResourceGroup(id=call.id("group"), location=_location(body), tags=string_map(body, "tags"))
    created = call.world.subscriptions.put_resource_group(group)
    return json_response(group_json(group), status=201 if created else 200)


def delete_group(call: Call) -> Response:
    """Delete a resource group with what is in it, at once."""
    call.world.subscriptions.delete_resource_group(call.id("group"))
    return empty_response(200)


def list_resources(call: Call) -> Response:
    """The networks and vaults of a subscription or of a resource group, in short. Filters have no effect."""
    subscription, group = _subscription(call), call.values.get("group")
    found = call.world.virtual_networks.list(subscription, group)
    networks = [(each.id, VNET_TYPE, each.location, each.tags) for each in found]
    vaults = [(each.id, VAULT_TYPE, each.location, each.tags) for each in call.world.vaults.list(subscription, group)]
    return call.page([*networks, *vaults], lambda found: listed_json(*found), null_link=False)


def list_providers(call: Call) -> Response:
    """The resource providers that the emulator knows."""
    subscription = call.world.subscriptions.get(_subscription(call)).id
    return json_response({"value": [_provider(call, subscription, name) for name in PROVIDERS]})


def get_provider(call: Call) -> Response:
    """One resource provider."""
    subscription = call.world.subscriptions.get(_subscription(call)).id
    return json_response(_provider(call, subscription, _namespace(call)))


def register_provider(call: Call) -> Response:
    """Register a resource provider."""
    call.world.subscriptions.register(_subscription(call), _namespace(call))
    return json_response(_provider(call, _subscription(call), _namespace(call)))


def list_vaults(call: Call) -> Response:
    """The vaults of a subscription or of a resource group."""
    vaults = call.world.vaults.list(_subscription(call), call.values.get("group"))
    return call.page(vaults, vault_json, null_link=False)


def get_vault(call: Call) -> Response:
    """One vault."""
    return json_response(vault_json(call.world.vaults.get(call.id("vault"))))


def put_vault(call: Call) -> Response:
    """Create or replace a vault."""
    check_name("vault", call.values["vault"])
    body = call.request.document()
    vault = VaultResource(id=call.id("vault"), location=_location(body), tags=string_map(body, "tags"))
    return _vault_written(call, call.world.vaults.put(vault), vault)


def patch_vault(call: Call) -> Response:
    """Change a vault's tags."""
    known = call.world.vaults.get(call.id("vault"))
    body = call.request.document()
    tags = string_map(body, "tags") if member(body, "tags") is not None else known.tags
    vault = msgspec.structs.replace(known, tags=tags)
    return _vault_written(call, call.world.vaults.put(vault), vault)


def delete_vault(call: Call) -> Response:
    """Delete a vault: 204 where there is none."""
    started = call.world.vaults.delete(call.id("vault"))
    return empty_response(204 if started is None else 200)


def vault_operation(call: Call) -> Response:
    """Where the writing of a vault stands."""
    name = call.values["operation"]
    padded = name + "=" * (-len(name) % 4)
    try:
        operation_id = base64.urlsafe_b64decode(padded).decode()
    except ValueError as error:
        raise GatewayError(404, "NotFound", f"The operation '{name[:100]}' was not found.") from error
    started = call.world.operations.get(operation_id, scope=ArmId(f"/subscriptions/{_subscription(call)}"))
    return json_response({"id": call.request.path, "name": name, "status": started.state})


def _vault_written(call: Call, started: Started, vault: VaultResource) -> Response:
    name = base64.urlsafe_b64encode(started.id.encode()).decode().rstrip("=")
    url = f"{call.request.origin}{call.id('vault')}/operationStatus/{name}?api-version={call.request.api_version}"
    document = vault_json(vault, state="Succeeded" if started.state == "Succeeded" else "Provisioning")
    pace = str(min(10, call.world.behaviour.retry_after))
    headers = (("Azure-AsyncOperation", url), ("Retry-After", pace)) if started.state == "InProgress" else ()
    limit = ("x-ms-ratelimit-remaining-subscription-resource-requests", "209")
    return json_response(document, status=201 if started.created else 200, headers=(*headers, limit))


def _subscription(call: Call) -> str:
    return call.id("subscription").subscription


def _location(body: Body) -> str:
    location = text(body, "location")
    if location is None:
        raise GatewayError(400, "LocationRequired", "The location property is required for this definition.")
    an_object(body, "properties")
    return normal_location(location)


def _provider(call: Call, subscription: str, namespace: str) -> Document:
    registered = call.world.subscriptions.is_registered(subscription, namespace)
    return provider_json(subscription, namespace, registered=registered)


def _namespace(call: Call) -> str:
    wanted = call.values["namespace"]
    found = next((name for name in PROVIDERS if name.lower() == wanted.lower()), None)
    if found is None:
        raise GatewayError(404, "InvalidResourceNamespace", f"The resource namespace '{wanted[:100]}' is invalid.")
    return found


PROVIDERS: Final = (
    "Microsoft.Compute",
    "Microsoft.Network",
    "Microsoft.RecoveryServices",
    "Microsoft.ResourceGraph",
    "Microsoft.Resources",
    "Microsoft.Storage",
)

_PROVIDER: Final = f"{SUBSCRIPTION}/providers/{{namespace}}"
_GROUPS: Final = f"{SUBSCRIPTION}/resourceGroups"

ROUTES: Final = (
    Route(
        method="GET",
        template="/subscriptions",
        operation="Subscriptions_List",
        source="documented",
        handler=list_subscriptions,
    ),
    Route(
        method="GET",
        template=SUBSCRIPTION,
        operation="Subscriptions_Get",
        source="documented",
        handler=get_subscription,
    ),
    Route(
        method="GET",
        template=f"{SUBSCRIPTION}/locations",
        operation="Subscriptions_ListLocations",
        source="documented",
        handler=list_locations,
    ),
    Route(method="GET", template="/tenants", operation="Tenants_List", source="documented", handler=list_tenants),
    Route(
        method="GET",
        template=f"{SUBSCRIPTION}/providers",
        operation="Providers_List",
        source="documented",
        handler=list_providers,
    ),
    Route(method="GET", template=_PROVIDER, operation="Providers_Get", source="documented", handler=get_provider),
    Route(
        method="POST",
        template=f"{_PROVIDER}/register",
        operation="Providers_Register",
        source="documented",
        handler=register_provider,
    ),
    Route(
        method="GET",
        template=f"{SUBSCRIPTION}/resources",
        operation="Resources_List",
        source="documented",
        handler=list_resources,
    ),
    Route(
        method="GET",
        template=f"{GROUP}/resources",
        operation="Resources_ListByResourceGroup",
        source="documented",
        handler=list_resources,
    ),
    Route(method="GET", template=_GROUPS, operation="ResourceGroups_List", source="documented", handler=list_groups),
    Route(method="GET", template=GROUP, operation="ResourceGroups_Get", source="recorded", handler=get_group),
    Route(
        method="HEAD",
        template=GROUP,
        operation="ResourceGroups_CheckExistence",
        source="documented",
        handler=head_group,
    ),
    Route(
        method="PUT", template=GROUP, operation="ResourceGroups_CreateOrUpdate", source="documented", handler=put_group
    ),
    Route(
        method="DELETE",
        template=GROUP,
        operation="ResourceGroups_Delete",
        source="documented",
        handler=delete_group,
        note="at once, where the service takes its time",
    ),
    Route(
        method="GET",
        template=f"{SUBSCRIPTION}/{VAULTS}",
        operation="Vaults_ListBySubscriptionId",
        source="specified",
        handler=list_vaults,
    ),
    Route(
        method="GET",
        template=f"{GROUP}/{VAULTS}",
        operation="Vaults_ListByResourceGroup",
        source="specified",
        handler=list_vaults,
    ),
    Route(method="GET", template=VAULT, operation="Vaults_Get", source="recorded", handler=get_vault),
    Route(method="PUT", template=VAULT, operation="Vaults_CreateOrUpdate", source="recorded", handler=put_vault),
    Route(method="PATCH", template=VAULT, operation="Vaults_Update", source="specified", handler=patch_vault),
    Route(
        method="DELETE",
        template=VAULT,
        operation="Vaults_Delete",
        source="specified",
        handler=delete_vault,
    ),
    Route(
        method="GET",
        template=f"{VAULT}/operationStatus/{{operation}}",
        operation="Vaults_OperationStatus",
        source="recorded",
        handler=vault_operation,
    ),
)
