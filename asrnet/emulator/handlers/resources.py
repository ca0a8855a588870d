"""Subscriptions, resource groups, resource providers, and resources of any type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from asrnet.emulator.bodies import location_of, string_map
from asrnet.emulator.call import Call
from asrnet.emulator.filters import equalities
from asrnet.emulator.handlers.templates import GROUP, SUBSCRIPTION
from asrnet.emulator.messages import Response, empty_response, json_response
from asrnet.emulator.naming import check_name
from asrnet.emulator.network_json import VNET_TYPE
from asrnet.emulator.refusals import GatewayError
from asrnet.emulator.resource_json import group_json, listed_json, location_json, provider_json, subscription_json
from asrnet.emulator.routing import Route
from asrnet.emulator.site_recovery_json import Document
from asrnet.emulator.vault_json import VAULT_TYPE
from asrnet.fake.records import ResourceGroup
from asrnet.model.arm import ArmId


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
    group = ResourceGroup(id=call.id("group"), location=location_of(body), tags=string_map(body, "tags"))
    created = call.world.subscriptions.put_resource_group(group)
    return json_response(group_json(group), status=201 if created else 200)


def delete_group(call: Call) -> Response:
    """Delete a resource group with what is in it, at once."""
    call.world.subscriptions.delete_resource_group(call.id("group"))
    return empty_response(200)


def list_resources(call: Call) -> Response:
    """The networks and vaults of a subscription or of a resource group, in short, as far as a filter lets them."""
    subscription, group = _subscription(call), call.values.get("group")
    wanted = equalities(call.request.parameters.get("$filter", ""), _FILTERS)
    networks = call.world.virtual_networks.list(subscription, group)
    listed = [listed_json(each.id, VNET_TYPE, each.location, each.tags) for each in networks]
    vaults = call.world.vaults.list(subscription, group)
    listed += [listed_json(each.id, VAULT_TYPE, each.location, each.tags) for each in vaults]
    return call.page([each for each in listed if _fits(each, wanted)], lambda found: found, null_link=False)


_FILTERS: Final = frozenset({"resourcetype", "resourcegroup", "name", "location", "tagname", "tagvalue"})


def _fits(listed: Document, wanted: Mapping[str, str]) -> bool:
    tags = cast("Mapping[str, str]", listed.get("tags") or {})
    own = {
        "resourcetype": str(listed["type"]),
        "resourcegroup": ArmId(str(listed["id"])).resource_group,
        "name": str(listed["name"]),
        "location": str(listed["location"]),
    }
    name = wanted.get("tagname")
    if name is not None and not any(key.lower() == name.lower() for key in tags):
        return False
    value = wanted.get("tagvalue")
    if value is not None and value not in (tags.values() if name is None else _values(tags, name)):
        return False
    return all(own[key].lower() == said.lower() for key, said in wanted.items() if key in own)


def _values(tags: Mapping[str, str], name: str) -> list[str]:
    return [value for key, value in tags.items() if key.lower() == name.lower()]


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


def _subscription(call: Call) -> str:
    return call.id("subscription").subscription


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
    Route(method="GET", template=GROUP, operation="ResourceGroups_Get", source="documented", handler=get_group),
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
)
